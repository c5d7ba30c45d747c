/* SPDX-License-Identifier: ISC */
/*
 * Messages for the table of states x exchanges x payload sets: a machine is
 * brought into a state, frozen, and then gets one forged message.  What is
 * forged is as right as its sender could make it: lengths, values, hashes
 * and encryption are correct wherever the cell does not say otherwise.
 */
#ifndef TEST_LIB_IKE_CELLS_H
#define TEST_LIB_IKE_CELLS_H

#include "test/lib/ike_world.h"

struct ike_pair;

/* Where the machine stands: as responder, then as initiator. */
enum cell_state {
	CELL_NOTHING,	    /* no IKE SA at all */
	CELL_WAIT3,	    /* message 2 was sent */
	CELL_KEYING,	    /* message 3 is in work */
	CELL_WAIT5,	    /* message 4 was sent */
	CELL_WAIT5_SEVERAL, /* and its key may be one of several */
	CELL_TRYING,	    /* a message 5 is tried with them */
	CELL_UP,	    /* no Quick Mode yet */
	CELL_Q_KEYING,	    /* Quick Mode with PFS: Diffie-Hellman */
	CELL_Q_PEER,	    /* l2tpd is not ready yet */
	CELL_Q_SENT,	    /* Quick Mode message 2 was sent */
	CELL_CHILD,	    /* a pair of IPsec SAs is there */
	CELL_I_SENT1,	    /* message 1 was sent */
	CELL_I_SENT3,	    /* message 3 was sent */
	CELL_I_SENT5,	    /* message 5 was sent */
	CELL_I_QUICK,	    /* Quick Mode message 1 was sent, for a new pair */
	CELL_I_RENEW,	    /* and for one in place of an older one */
	CELL_STATES
};

enum cell_protection {
	CELL_CLEAR,  /* no encryption flag; hashes as under SEALED */
	CELL_SEALED, /* encrypted, HASH right */
	CELL_FORGED, /* encrypted with the right key, HASH wrong */
	CELL_NOISE,  /* encryption flag, random bytes of that length */
	CELL_PROTECTIONS
};

enum cell_id {
	CELL_ID_ZERO,
	CELL_ID_FRESH,	 /* never seen */
	CELL_ID_CURRENT, /* of the Quick Mode that is under way */
	CELL_IDS
};

enum cell_cookies {
	CELL_COOKIES_OWN,     /* the state's */
	CELL_COOKIES_FIRST,   /* a new CKY-I, CKY-R zero */
	CELL_COOKIES_UNKNOWN, /* both by chance */
	CELL_COOKIES
};

/* Payloads by letter, in order:
 *	S SA   K KE   n nonce   i ID   H HASH   V vendor id   d NAT-D
 *	j ID, Quick Mode's pair the other way round: the server begins
 *	C CERT   c CERTREQ   G SIG   A attributes   o NAT-OA
 *	R R-U-THERE   I INITIAL-CONTACT   E an error notify
 *	X Delete of this IKE SA   x Delete of an ESP SPI
 *	2 an IKEv2 SA (33)   u an unknown type (99)
 */
struct cell {
	enum cell_state state;
	uint8_t exchange;
	const char *payloads;
	enum cell_protection protection;
	enum cell_id id;
	enum cell_cookies cookies;
};

/* A frozen state. */
struct cell_world {
	struct ikew *w;
	struct ike_client *c;
	uint8_t *saved;
	size_t saved_len;
	struct addr local, peer; /* where the message comes to, and from */
	bool is_ours;		 /* we began: the forger is the server */
	struct ike_pair *pair;	 /* then: */
	struct ike_client *own;	 /* what the server knows, as a client's */
	uint8_t iv5[CRYPTO_BLOCK_MAX]; /* of message 5, or 6 */
	uint8_t iv3[CRYPTO_BLOCK_MAX]; /* of Quick Mode message 3, or 2 */
	bool has_keys;
	uint32_t current; /* message id of the Quick Mode; 0: none */
};

/* Makes the state; aborts when it can't be reached. */
void cell_world_init(struct cell_world *cw, enum cell_state state);
void cell_world_done(struct cell_world *cw);
/* ike_cells_init.c: the same, but for the frozen state */
void cell_world_init_ours(struct cell_world *cw, enum cell_state state);
void cell_world_done_ours(struct cell_world *cw);
/* False when such a message can't exist: no keys, no Quick Mode. */
bool cell_possible(const struct cell_world *cw, const struct cell *cell);
/* Forges it; returns its length. */
size_t cell_forge(struct cell_world *cw, const struct cell *cell,
    uint8_t out[CLIENT_PACKET_MAX]);

/* What came of it. */
struct cell_result {
	bool is_changed; /* the saved state differs */
	int sends, jobs_dh, jobs_psk, jobs_trial, opens, adds, dels, ups, downs,
	    reports;
	size_t sas, half_open, pairs, peers;
	char said[300]; /* the newest line of the log */
};

/* A machine restored from the frozen state gets the message. */
struct cell_result cell_run(
    struct cell_world *cw, const uint8_t *data, size_t len);

#endif
