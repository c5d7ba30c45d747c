/* SPDX-License-Identifier: ISC */
/* A message 5 of Main Mode, sealed with a pre-shared key, for trials. */
#ifndef TEST_LIB_TRIAL_MSG_H
#define TEST_LIB_TRIAL_MSG_H

#include "common/crypto.h"
#include "ikev1/core/keymat.h"

struct trial_msg {
	const struct crypto *crypto;
	struct ike_trial t; /* points into the rest */
	uint8_t ni[32], nr[32], gxy[256], gxi[256], gxr[256], sai[120];
	uint8_t five[IKE_TRIAL_FIVE_MAX];
};

/* All but the message: fixed bytes. */
void trial_msg_init(struct trial_msg *m, const struct crypto *crypto,
    const struct ike_suite *suite);
/*
 * Pads and encrypts a chain of payloads that begins with an ID.  hash: the
 * first HASH payload gets the right value, when there are an ID and a HASH
 * of its length.  False when the chain is too long or empty.
 */
bool trial_msg_seal(struct trial_msg *m, struct wire_span psk,
    struct wire_span plain, bool hash);
/*
 * ID (type and data), HASH and a Vendor ID: the usual one.
 */
void trial_msg_usual(
    struct trial_msg *m, const char *psk, uint8_t id_type, const char *id);

#endif
