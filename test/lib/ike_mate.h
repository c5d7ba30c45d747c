/* SPDX-License-Identifier: ISC */
/*
 * The other end for a fuzzer: it speaks with one IKE machine in either
 * role, reads what that sends, and looks into it for keys.  So any payloads
 * go out under the right cookies, hash and encryption, and what is behind
 * those checks is reached.
 */
#ifndef TEST_LIB_IKE_MATE_H
#define TEST_LIB_IKE_MATE_H

#include "common/crypto.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/keymat.h"

#define MATE_MESSAGE_MAX 4096
#define MATE_IDS 0x1000u /* message ids of ours: 256 of them */

/* Where a message goes, and whose it is. */
struct mate_place {
	uint8_t cky_i[ISAKMP_COOKIE_LEN], cky_r[ISAKMP_COOKIE_LEN];
	struct addr local, peer; /* as the machine sees them */
};

struct mate_nonce {
	uint8_t data[IKE_NONCE_MAX];
	size_t len; /* 0: none was seen */
};

/* A Quick Mode: its initiator's nonce, its responder's. */
struct mate_quick {
	uint32_t id; /* 0: there is none */
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct mate_nonce ni, nr;
};

struct mate {
	const struct crypto *crypto;
	/* The IKE SA that protected messages are under: up, the newest. */
	struct mate_place at;
	struct ike_keys keys;
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct mate_place main;	 /* the newest Main Mode */
	struct mate_quick quick; /* the newest that we began */
	struct mate_quick own;	 /* the newest that the machine began */
};

/* A message of ours; len 0: it can't be made. */
struct mate_message {
	struct addr local, peer;
	uint8_t data[MATE_MESSAGE_MAX];
	size_t len;
};

/* After each step: the action IKE_ACT_SEND. */
void mate_watch(struct mate *m, struct ike *ike, const struct ike_action *a);

enum mate_main_how {
	MATE_SEALED = 1, /* HASH_I or HASH_R at the end, encrypted */
	MATE_NO_HASH = 2,
	MATE_FLOAT = 4, /* from and to 4500 */
	MATE_INFO = 8,	/* an Informational in its place */
};

/*
 * The next message of the newest Main Mode, whoever began it.  data: the
 * first payload's type, then the payloads; how: enum mate_main_how.
 */
void mate_main(struct mate *m, struct ike *ike, uint8_t how,
    struct wire_span data, struct mate_message *out);
/* With HASH(1), under message id MATE_IDS + id.  data: exchange, first
 * type, payloads. */
void mate_protected(struct mate *m, uint8_t id, struct wire_span data,
    struct mate_message *out);
/* Message 2 of the machine's Quick Mode.  data: first type, payloads. */
void mate_quick2(
    const struct mate *m, struct wire_span data, struct mate_message *out);
/* Message 3 of ours, once message 2 was read. */
void mate_quick3(struct mate *m, struct mate_message *out);

#endif
