/* SPDX-License-Identifier: ISC */
/*
 * The IKEv1 core: a value machine.  ike_step() takes one event with its
 * time and appends the actions that the shell must carry out; it has no
 * socket, clock, thread, global or netlink.  Randomness is injected.
 *
 * Whatever needs another process or a thread (Diffie-Hellman, the PSK,
 * kernel SAs, a new R, l2tpd's socket) leaves as an action with a job
 * number and comes back as an event with the same number.  An answer whose
 * job is no longer known is ignored.
 *
 * Times are milliseconds of a monotonic clock (uint64_t); in saved state
 * they are remaining times.
 */
#ifndef IKEV1_CORE_IKE_H
#define IKEV1_CORE_IKE_H

#include "common/addr.h"
#include "common/peer_link.h"
#include "common/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct crypto;
struct ike;
struct persona;

/* Fills len bytes with unpredictable bytes; 0 or -errno. */
typedef int (*ike_random_fn)(void *ctx, void *out, size_t len);

#define IKE_KEY_MAX 64	  /* the longest prf output or ESP key */
#define IKE_NONCE_MAX 256 /* RFC 2409 section 5 */
#define IKE_DH_MAX 512	  /* modp4096; ECP-521 needs 132 */
#define IKE_DATAGRAM_MAX 8192
#define IKE_LOCAL_ID_MAX 128
#define IKE_MAX_PROPOSALS 16
#define IKE_MAX_PEER_POLICIES 32
/* IKE_ACT_DH that wait for their answer: with IKE_DH_MAIN_MAX under way a
 * message 3 is dropped, with IKE_DH_JOBS_MAX a Quick Mode too. */
#define IKE_DH_MAIN_MAX 64
#define IKE_DH_JOBS_MAX 96

/*
 * One suite.  In phase 2's list group 0 accepts every PFS group of the
 * policy, and none; hash is 0 with an AEAD cipher.
 */
struct ike_suite {
	uint16_t cipher; /* phase 1: RFC 2409 app. A; phase 2: ESP id */
	uint16_t key_bits;
	uint16_t hash; /* phase 1: hash; phase 2: auth algorithm */
	uint16_t group;
};

/*
 * What is accepted from a peer, and how it is treated.  The sets are masks
 * of core/algs.h: a suite is accepted when each of its algorithms is in its
 * set.  A list that is not empty stands in place of its phase's sets.
 */
struct ike_policy {
	const char *profile; /* that the sets come from; static */
	uint32_t ike_ciphers, ike_hashes, ike_groups;
	uint32_t esp_ciphers, esp_auths;
	uint32_t pfs_groups; /* of Quick Mode; none is always accepted */
	struct ike_suite ike[IKE_MAX_PROPOSALS];
	size_t ike_count; /* 0: the sets */
	struct ike_suite esp[IKE_MAX_PROPOSALS];
	size_t esp_count;  /* 0: the sets */
	bool force_encap;  /* UDP encapsulation without NAT too */
	bool sha2_trunc96; /* HMAC-SHA2-256's ICV has 96 bits: old Android */
};

/* In place of the default policy, for peers in a prefix. */
struct ike_peer_policy {
	struct addr net;
	uint8_t bits;
	struct ike_policy policy;
};

struct ike_config {
	const struct crypto *crypto; /* borrowed; must outlive the machine */
	struct ike_policy policy;
	struct ike_peer_policy peers[IKE_MAX_PEER_POLICIES];
	size_t peer_count;
	/* Life of an unfinished exchange; shorter when there are many. */
	uint32_t half_open_ms;
	uint32_t retransmit_ms; /* first interval; doubles */
	uint32_t dpd_ms;	/* idle time before R-U-THERE; 0: off */
	/*
	 * First messages whose sender has not shown yet that it hears us:
	 * 2.3 KB each, allocated at the start (1 to MM1_SIZE_MAX).  Also
	 * the most IKE SAs in an unfinished Main Mode.
	 */
	uint32_t max_half_open;
	uint32_t max_sas;
	/* Clients with an IKE SA, and R, of one outer address (IPv6: one
	 * /64); 0: any number. */
	uint32_t max_per_address;
	/* Longer messages go in fragments when the peer takes them: bytes of
	 * the IP packet, 256 or more; 0: never. */
	uint32_t fragment_bytes;
	/* Vendor IDs (VENDOR_BIT) that are never answered: what they announce
	 * is not used then. */
	uint32_t vendors_off;
	/* The kernel takes ESP on UDP 500 of IPv4, as drafts 00 and 01 of
	 * NAT traversal have it; what it is called, for those who read that
	 * it does not: static, or NULL. */
	bool has_esp_500;
	const char *kernel;
	/* IDir: RFC 2407 section 4.6.2.1; type 0: our address. */
	uint8_t local_id_type;
	uint8_t local_id[IKE_LOCAL_ID_MAX];
	size_t local_id_len;
	uint32_t linger_ms; /* R without IPsec SA ends after it: 30 s */
	/* Personas beside persona_default that saved state may name. */
	const struct persona *const *personas; /* borrowed; may be NULL */
	size_t persona_count;
};

enum ike_event_type {
	IKE_EV_TICK,	       /* a deadline came */
	IKE_EV_DATAGRAM,       /* from UDP 500, or 4500 without its marker */
	IKE_EV_DH_DONE,	       /* answers IKE_ACT_DH, _KEYGEN, _DERIVE */
	IKE_EV_PSK_DONE,       /* answers IKE_ACT_PSK */
	IKE_EV_TRIAL_DONE,     /* answers IKE_ACT_TRIAL */
	IKE_EV_PEER_OPENED,    /* answers IKE_ACT_PEER_OPEN: R and slot */
	IKE_EV_PEER_READY,     /* l2tpd opened R's socket */
	IKE_EV_PEER_REFUSED,   /* l2tpd could not; text says why */
	IKE_EV_PEER_CLOSE,     /* l2tpd or the operator ends R */
	IKE_EV_PEER_GONE,      /* l2tpd has nothing left of R */
	IKE_EV_SA_DONE,	       /* answers IKE_ACT_SA_ADD */
	IKE_EV_SA_USED,	       /* answers IKE_ACT_SA_QUERY */
	IKE_EV_EXPIRE,	       /* the kernel: soft or hard limit of an SPI */
	IKE_EV_MAPPING,	       /* the kernel: outer source port changed */
	IKE_EV_RESUME,	       /* at start, after ike_resume() of all records */
	IKE_EV_HELD,	       /* then: an R that the monitor has, live */
	IKE_EV_HELD_END,       /* that were all */
	IKE_EV_CONNECT,	       /* we begin: local, peer, persona, job = conn */
	IKE_EV_CONN_REKEY,     /* job = conn: renew its IKE SA now */
	IKE_EV_CONN_REKEY_ESP, /* job = conn: renew its IPsec SAs now */
	IKE_EV_CONN_CLOSE,     /* job = conn: it ends as its persona does */
	IKE_EV_SHUTDOWN,       /* delete everything, politely */
};

#define IKE_LIVE_SIZE 5

struct ike_event {
	enum ike_event_type type;
	uint64_t now_ms;
	uint32_t job;	       /* of the action that this answers */
	int error;	       /* 0 or -errno */
	uint64_t r;	       /* PEER_*, HELD */
	uint32_t slot;	       /* PEER_OPENED, HELD */
	uint32_t spi;	       /* SA_DONE, EXPIRE, MAPPING: host order */
	bool hard;	       /* EXPIRE */
	uint64_t packets;      /* SA_USED: that it carried so far */
	struct addr local;     /* DATAGRAM: where it arrived, with port */
	struct addr peer;      /* DATAGRAM: from; MAPPING: new outer peer */
	struct wire_span data; /* DATAGRAM */
	/* HELD: R's SAs that the kernel has, IKE_LIVE_SIZE bytes each:
	 * direction (u8), SPI (u32). */
	struct wire_span live;
	struct wire_span pub; /* DH_DONE: our public value, padded */
	/* DH_DONE: g^xy, padded.  PSK_DONE: the key (candidate.h), or empty:
	 * several may fit, message 5 tells which.  TRIAL_DONE: the key; empty:
	 * none fits, and data has the lines that were tried, a u32 each. */
	struct wire_span shared;
	uint16_t psk_count; /* PSK_DONE: how many keys may fit; not 0 */
	/* CONNECT: static; job is the shell's number of it, not 0. */
	const struct persona *persona;
	const char *text; /* PEER_REFUSED, PEER_CLOSE: reason or NULL */
};

enum ike_action_type {
	IKE_ACT_SEND, /* data from local to peer; marker when 4500 */
	/* One octet 0xff from local to peer, without the marker (RFC 3948
	 * section 2.3). */
	IKE_ACT_KEEPALIVE,
	IKE_ACT_DH,	   /* keygen and derive: job, group, data = peer's */
	IKE_ACT_DH_KEYGEN, /* job, group; DH_DONE: shared = private value */
	IKE_ACT_DH_DERIVE, /* job, group, data = peer's, data2 = private */
	/* job, hash, local, peer, psk_use, psk_entry, data = Ni, data2 = Nr */
	IKE_ACT_PSK,
	IKE_ACT_TRIAL,	     /* job, local, peer, trial: whose message 5? */
	IKE_ACT_PEER_OPEN,   /* job: allocate R and slot */
	IKE_ACT_PEER_UP,     /* up: tell l2tpd */
	IKE_ACT_PEER_UPDATE, /* up: port or suite changed */
	IKE_ACT_PEER_DOWN,   /* r, text: tell l2tpd; its SAs are gone */
	IKE_ACT_PEER_END,    /* r: free R; the slot rests */
	IKE_ACT_SA_ADD,	     /* job, sa */
	IKE_ACT_SA_DEL,	     /* sa: spi, dst, dir, r only */
	IKE_ACT_SA_QUERY,    /* job, sa: spi, dst, dir, r only: is it used? */
	IKE_ACT_SA_ENCAP,    /* sa: new outer addresses and ports of spi */
	IKE_ACT_CONN_UP,     /* job = conn: an IKE SA is up; text: suite */
	/* job = conn; text: why.  No IKE SA came up, or no IPsec SAs under it:
	 * then IKE_EV_CONN_CLOSE ends what is there. */
	IKE_ACT_CONN_FAILED,
	IKE_ACT_LOG, /* level, text; of a refusal also what_len,
		      * what_at, remedy, is_proven, peer, local */
};

enum ike_sa_dir { IKE_SA_IN = 0, IKE_SA_OUT = 1 };

/* One kernel SA as data; no netlink type shows. */
struct ike_kernel_sa {
	uint64_t r;
	uint32_t slot;	      /* mark and reqid are derived from it */
	uint8_t dir;	      /* enum ike_sa_dir */
	uint32_t spi;	      /* host order */
	struct addr src, dst; /* outer, with UDP ports when encap */
	bool encap;
	uint16_t cipher; /* ESP transform id (RFC 2407 4.4.4, IANA) */
	uint16_t auth;	 /* auth algorithm attribute (RFC 2407 4.5) */
	uint16_t trunc_bits;
	uint8_t enc_key[IKE_KEY_MAX];
	uint16_t enc_len; /* bytes */
	uint8_t auth_key[IKE_KEY_MAX];
	uint16_t auth_len;
	uint32_t soft_s, hard_s;	 /* 0: none */
	uint64_t soft_bytes, hard_bytes; /* 0: none */
};

/* What a SKEYID is asked for. */
enum ike_psk_use {
	IKE_PSK_ANSWER, /* a client dials in: message 5 shows who it is */
	IKE_PSK_RENEW,	/* we call a client that has an R: its psk_entry */
	IKE_PSK_CONNECT /* we dial out: the best match */
};

#define IKE_TRIAL_SAI_MAX 2048	/* bytes of SAi_b, see mm1.h */
#define IKE_TRIAL_FIVE_MAX 2048 /* bytes of message 5 behind its header */

/* A message 5, and what its keys and HASH_I depend on beside the PSK. */
struct ike_trial {
	struct ike_suite suite;
	uint8_t cky_i[8], cky_r[8];
	/* As in RFC 2409; five: the ciphertext.  They point into the memory
	 * of whoever made this, of an action into its data. */
	struct wire_span ni, nr, gxy, gxi, gxr, sai, five;
};

enum ike_log_level {
	IKE_LOG_DEBUG,
	IKE_LOG_INFO,
	IKE_LOG_WARN,
	IKE_LOG_NONE, /* a refusal to remember; enough lines were written */
};

struct ike_action {
	enum ike_action_type type;
	uint32_t job;
	uint64_t r;
	struct addr local, peer; /* SEND, KEEPALIVE, PSK */
	uint16_t group;		 /* DH */
	uint16_t hash;		 /* PSK: phase 1 hash number */
	uint16_t psk_entry;	 /* PSK, RENEW: of the psk file */
	enum ike_psk_use psk_use;
	enum ike_log_level level;
	uint8_t *data; /* owned by the action list */
	size_t len;
	uint8_t *data2; /* owned by the action list */
	size_t len2;
	char *text;		  /* owned by the action list */
	uint16_t what_at;	  /* LOG: what a refused client did wrong */
	uint16_t what_len;	  /* is that part of text; 0: no refusal */
	bool is_proven;		  /* LOG: the peer answered us */
	const char *remedy;	  /* LOG: static, or NULL */
	struct peer_up *up;	  /* owned by the action list */
	struct ike_trial *trial;  /* owned by the action list */
	struct ike_kernel_sa *sa; /* owned; wiped by ike_actions_clear() */
};

/* Grows as needed; reuse it between steps. */
struct ike_actions {
	struct ike_action *items;
	size_t count, capacity;
};

/* Wipes and frees what the actions own; the list can be used again. */
void ike_actions_clear(struct ike_actions *a);
/* The same, and frees the list's own memory. */
void ike_actions_free(struct ike_actions *a);

/* cfg is copied.  Never NULL: out of memory aborts. */
struct ike *ike_new(
    const struct ike_config *cfg, ike_random_fn random, void *ctx);
/* Wipes every secret and frees; NULL is allowed. */
void ike_free(struct ike *ike);

/* Makes the tables of fixed size present in memory, so that no flood makes
 * the process larger; for a daemon, once. */
void ike_make_present(struct ike *ike);

/* One event in, actions out (appended).  ev's spans are only borrowed. */
void ike_step(
    struct ike *ike, const struct ike_event *ev, struct ike_actions *out);

/* When IKE_EV_TICK is due next; UINT64_MAX when nothing is pending. */
uint64_t ike_next_deadline(const struct ike *ike);

/* What the machine holds; after IKE_EV_SHUTDOWN: done when peers is 0. */
struct ike_counts {
	size_t sas;	  /* IKE SAs, half-open ones too */
	size_t first;	  /* first messages that wait for message 3 */
	size_t half_open; /* Main Modes past it that are not finished */
	size_t peers;	  /* R, those that are closing too */
	size_t pairs;	  /* pairs of IPsec SAs */
};
void ike_count(const struct ike *ike, struct ike_counts *out);

/*
 * What the next engine must know of this one, if it dies, as records: one
 * for each IKE SA that is up and one for each R.  fn gets each that has
 * changed since the last call; data NULL: it is gone.  Call it before
 * anything of the same steps leaves for the network, or peers have seen
 * what the records do not know.  data is secret, and fn's until it returns.
 */
enum ike_record { IKE_RECORD_SA = 1, IKE_RECORD_PEER };
typedef void (*ike_record_fn)(
    void *ctx, uint64_t kind, uint64_t id, const uint8_t *data, size_t len);
void ike_records(struct ike *ike, ike_record_fn fn, void *ctx);
/* All that ike_records() has no news of, as they are. */
void ike_records_clean(struct ike *ike, ike_record_fn fn, void *ctx);
/* Whom a step is about, before it is worked on: to know whom to blame. */
typedef void (*ike_watch_fn)(void *ctx, uint64_t kind, uint64_t id);
/* Begins to keep them; watch may be NULL. */
void ike_keep_records(struct ike *ike, ike_watch_fn watch, void *ctx);
/*
 * A record of the last engine, into a machine that has seen no event yet:
 * all of IKE_RECORD_PEER before the first IKE_RECORD_SA.  0, or -EBADMSG and
 * nothing of it is there.  Then IKE_EV_RESUME.
 */
int ike_resume(
    struct ike *ike, uint64_t kind, uint64_t id, struct wire_span data);
/* The version of records and of ike_save(). */
#define IKE_SAVE_VERSION 19

/*
 * The whole state as a versioned byte string (allocated, secret: wipe it
 * with secret_free()).  Length in *len.
 */
uint8_t *ike_save(const struct ike *ike, uint64_t now_ms, size_t *len);
/* NULL for an unknown version or a damaged string; cfg as for ike_new(). */
struct ike *ike_restore(const struct ike_config *cfg, ike_random_fn random,
    void *ctx, uint64_t now_ms, const uint8_t *data, size_t len);

#endif
