/* SPDX-License-Identifier: ISC */
/* What all exchanges share: a message as it came, one on its way out. */
#ifndef IKEV1_CORE_EXCHANGE_H
#define IKEV1_CORE_EXCHANGE_H

#include "common/crypto.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/isakmp_msg.h"

struct ike_sa;

/* One message as it came, opened as far as one has got. */
struct message {
	const struct ike_event *ev;
	struct isakmp_header h;
	struct wire_span body;	      /* behind the header */
	struct isakmp_payloads p;     /* after message_open() */
	uint8_t iv[CRYPTO_BLOCK_MAX]; /* for the next one of its chain */
	uint8_t plain[IKE_DATAGRAM_MAX];
	bool is_said; /* why it is refused has been logged */
	char reason[ISAKMP_REASON_MAX];
};

/*
 * Decrypts (when the header says so) with a copy of iv and takes the chain
 * of payloads apart.  0 or -errno with a reason; sa's IVs stay as they are.
 */
int message_open(struct ike *ike, const struct ike_sa *sa, struct message *m,
    const uint8_t *iv);
/* The first IV of an exchange under an established IKE SA. */
int exchange_iv(
    struct ike *ike, const struct ike_sa *sa, uint32_t msgid, uint8_t *iv);
/* A new message id of ours for sa; 0 when randomness fails. */
uint32_t exchange_new_id(struct ike *ike, struct ike_sa *sa);
/* Checks a HASH payload (in front) against the right value. */
bool exchange_hash_ok(
    const struct isakmp_payload *hash, const uint8_t *right, int len);

/* A message on its way out. */
struct reply {
	struct isakmp_builder b;
	uint8_t buf[IKE_DATAGRAM_MAX];
};
void reply_begin(
    struct reply *r, const struct ike_sa *sa, uint8_t exchange, uint32_t msgid);
/* Pads and encrypts when iv is given (it moves on), and sets lengths.
 * The message's length, or -errno. */
int reply_finish(
    struct ike *ike, struct reply *r, const struct ike_sa *sa, uint8_t *iv);

/*
 * Sends a whole message of sa, in fragments when it is long and the peer
 * takes them; sa_send_to() not to where sa's peer is.
 */
void sa_send(struct ike *ike, struct ike_sa *sa, const void *data, size_t len);
void sa_send_to(struct ike *ike, struct ike_sa *sa, const struct addr *local,
    const struct addr *peer, const void *data, size_t len);

#endif
