/* SPDX-License-Identifier: ISC */
/*
 * An IKEv1 initiator for tests: Main Mode with a pre-shared key, Quick
 * Mode, DPD, Delete and the float to port 4500, built on the product's own
 * codecs and real Diffie-Hellman.  It retransmits like a client.  Knobs
 * make it misbehave.
 */
#ifndef TEST_LIB_IKE_CLIENT_H
#define TEST_LIB_IKE_CLIENT_H

#include "common/crypto.h"
#include "ikev1/core/frag.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/keymat.h"
#include "ikev1/core/vendor.h"
#include "ikev1/dh.h"

#define CLIENT_SAS 8
#define CLIENT_QUICKS 12
#define CLIENT_PAIRS 12
#define CLIENT_PACKET_MAX 2048

struct ike_client;

/* Sends from the client's port 500 or 4500. */
typedef void (*client_send_fn)(
    struct ike_client *c, bool floated, const uint8_t *data, size_t len);

enum client_sa_state {
	CLIENT_FREE,
	CLIENT_SENT1,
	CLIENT_SENT3,
	CLIENT_SENT5,
	CLIENT_UP,
	CLIENT_GONE,
};

/* What is sent until its answer comes. */
struct client_timer {
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
	uint64_t due_ms; /* UINT64_MAX: off */
	int tries;
};

struct client_sa {
	enum client_sa_state state;
	bool floated, behind_nat, natt, dpd;
	uint8_t cky_i[8], cky_r[8];
	uint8_t sai[1024];
	size_t sai_len;
	struct ike_suite suite;
	struct dh_result own; /* with our private value */
	struct dh_result dh;
	uint8_t gxr[IKE_DH_MAX], ni[32], nr[256];
	size_t gxr_len, nr_len;
	struct ike_keys keys;
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct client_timer timer;
};

struct client_quick {
	bool is_used, is_done, is_ended;
	bool is_server; /* the server started it */
	struct client_sa *sa;
	uint32_t msgid;
	uint8_t ni[32], nr[256];
	size_t nr_len;
	uint32_t spi;
	struct dh_result own; /* with our private value */
	struct dh_result dh;
	uint8_t iv[CRYPTO_BLOCK_MAX];
	uint8_t ids[400]; /* both ID bodies, as sent */
	size_t id_len[2];
	struct client_timer timer;
	uint8_t last3[CLIENT_PACKET_MAX]; /* for a repeated message 2 */
	size_t last3_len;
	uint8_t last2[CLIENT_PACKET_MAX];
	size_t last2_len;
	uint8_t last1[CLIENT_PACKET_MAX]; /* is_server */
	size_t last1_len;
	size_t offered;	       /* is_server: transforms in message 1 */
	bool got_oa;	       /* two NAT-OA in message 2 */
	uint8_t told_life[64]; /* the data of RESPONDER-LIFETIME */
	size_t told_life_len;
};

struct client_pair {
	bool is_used;
	uint32_t spi_in, spi_out; /* from the client's side */
	struct ike_kernel_sa in, out;
	struct ike_suite suite;
	uint16_t encap;
};

/* What is wrong with its message 2. */
enum client_bad {
	CLIENT_GOOD,
	CLIENT_BAD_TRANSFORM,
	CLIENT_BAD_ID,
	CLIENT_BAD_NONCE, /* the server's own */
	CLIENT_BAD_HASH,
	CLIENT_BAD_KE,		 /* none, though there is PFS */
	CLIENT_BAD_PROTOCOL,	 /* AH */
	CLIENT_BAD_SPI,		 /* reserved */
	CLIENT_BAD_NONCE_LENGTH, /* 7 bytes */
	CLIENT_BAD_KE_MIRROR,	 /* the server's own */
	CLIENT_BAD_ALL,
};

struct ike_client {
	/* set by the test before start */
	const struct crypto *crypto;
	client_send_fn send;
	void *ctx;
	uint64_t *now; /* the world's clock */
	uint64_t seed;
	struct addr inner, server; /* port 0 */
	struct addr outer[2];	   /* what the server sees: 500, 4500 */
	struct ike_suite ike[4], esp[4];
	size_t ike_count, esp_count;
	const char *psk;
	const char *fqdn; /* NULL: the ID is the inner address */
	bool has_natt, has_dpd, send_oa, initial_contact, commit;
	bool no_ids, extra_connected;
	uint16_t id_port;	     /* in IDii; protocol 17 when not 0 */
	uint16_t client_port;	     /* in IDci */
	uint16_t server_port;	     /* in IDcr */
	uint8_t id_protocol;	     /* in IDci and IDcr */
	uint16_t encap;		     /* 0: by NAT detection */
	uint16_t own_port, ike_port; /* in its NAT-D; 0: 500 */
	bool has_draft;	  /* NAT-T of draft-03 in place of RFC 3947 */
	enum vendor natt; /* announced in its place; VENDOR_UNKNOWN: not */
	bool no_frag;	  /* does not announce FRAGMENTATION */
	bool odd_id;	  /* IDii, and IDci when odd_ci is set, have */
	bool odd_ci, odd_cr;
	uint8_t id_type;     /* this type and id_len bytes */
	const char *id_data; /* of Quick Mode's; NULL: letters */
	size_t id_len;
	uint32_t next_msgid; /* counts up, like Windows */
	uint32_t life_s, esp_life_s, esp_life_kb;
	bool sha2_96; /* as old Android: HMAC-SHA2-256 has 96 bits */
	bool answers; /* Quick Modes that the server starts */
	enum client_bad answer_bad;
	uint32_t answer_life_s; /* says RESPONDER-LIFETIME; 0: not */
	uint32_t retry_ms;	/* between repeated messages */
	int tries;		/* of each of them */
	size_t fragment;	/* sends parts of so many bytes; 0: never */
	bool is_mute;		/* neither answers nor retransmits */

	/* what it has */
	struct client_sa sa[CLIENT_SAS];
	struct client_sa *cur; /* the newest */
	struct client_quick quick[CLIENT_QUICKS];
	struct client_pair pair[CLIENT_PAIRS];
	size_t pair_count;
	uint16_t last_notify, clear_notify;
	uint32_t deletes_esp, deletes_sa, dpd_asked, dpd_acked, dpd_seq;
	uint32_t last_ack;
	uint64_t hash_failures;
	uint8_t server_id[160]; /* IDir_b */
	size_t server_id_len;
	uint32_t vendors; /* that message 2 had: VENDOR_BIT */
	struct frag_table frags;
	int fragments;	      /* that came */
	int offers, renewals; /* of the server: begun, finished */
};

void ikec_init(struct ike_client *c);
void ikec_done(struct ike_client *c);
struct client_sa *ikec_start_main(struct ike_client *c);
struct client_quick *ikec_start_quick(struct ike_client *c);
void ikec_input(
    struct ike_client *c, bool floated, const uint8_t *data, size_t len);
/* Retransmits what is due. */
void ikec_timers(struct ike_client *c);
uint64_t ikec_deadline(const struct ike_client *c);
/* Protected Informational with these payload bodies under cur. */
struct client_info {
	uint8_t type;
	const uint8_t *body;
	size_t len;
};
void ikec_info(struct ike_client *c, uint32_t msgid,
    const struct client_info *items, size_t count);
/* The same in another exchange: HASH(1) and these. */
void ikec_protected(struct ike_client *c, uint8_t exchange, uint32_t msgid,
    const struct client_info *items, size_t count);
void ikec_delete_esp(struct ike_client *c, uint32_t spi);
/* Under itself; the other one under cur. */
void ikec_delete_sa(struct ike_client *c, struct client_sa *sa);
void ikec_delete_other_sa(struct ike_client *c, const struct client_sa *sa);
void ikec_r_u_there(struct ike_client *c, uint32_t seq);
/* An answer to an R-U-THERE that need not have come. */
void ikec_ack(struct ike_client *c, uint32_t seq);
void ikec_notify(struct ike_client *c, uint16_t type);
/* Forgets a pair without saying so. */
void ikec_forget_pair(struct ike_client *c, uint32_t spi_in);
/* Drafts 00 and 01 stay on port 500. */
bool ikec_on_500(const struct ike_client *c);
size_t ikec_pairs(const struct ike_client *c);
struct client_pair *ikec_newest_pair(struct ike_client *c);
uint64_t ikec_random64(struct ike_client *c);

#endif
