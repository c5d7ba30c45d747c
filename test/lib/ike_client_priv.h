/* SPDX-License-Identifier: ISC */
/* Between the files of the initiator for tests. */
#ifndef TEST_LIB_IKE_CLIENT_PRIV_H
#define TEST_LIB_IKE_CLIENT_PRIV_H

#include "ikev1/core/payload_sa.h"
#include "test/lib/ike_client.h"

/* A decoded message of the server. */
struct client_message {
	struct isakmp_header h;
	struct wire_span body, raw;
	struct isakmp_payloads p;
	uint8_t plain[CLIENT_PACKET_MAX];
	uint8_t iv[CRYPTO_BLOCK_MAX];
};

void ikec_random(struct ike_client *c, void *out, size_t len);
void ikec_arm(struct ike_client *c, struct client_timer *t, const uint8_t *data,
    size_t len);
void ikec_disarm(struct client_timer *t);
void ikec_begin(struct isakmp_builder *b, uint8_t *buf,
    const struct client_sa *sa, uint8_t exchange, uint32_t msgid);
/* Pads, encrypts, sends; returns the length. */
size_t ikec_seal(struct ike_client *c, struct isakmp_builder *b, uint8_t *buf,
    struct client_sa *sa, uint8_t *iv);
int ikec_open(struct ike_client *c, const struct client_sa *sa,
    struct client_message *m, const uint8_t *iv);
void ikec_quick_input(
    struct ike_client *c, struct client_sa *sa, struct client_message *m);
/* A Quick Mode message of the server; q: its Quick Mode, or NULL. */
void ikec_answer_quick(struct ike_client *c, struct client_sa *sa,
    struct client_quick *q, struct client_message *m);
int ikec_derive(struct ike_client *c, const struct client_quick *q,
    struct client_pair *p, const struct sa_transform *t);
void ikec_info_input(
    struct ike_client *c, struct client_sa *sa, struct client_message *m);

#endif
