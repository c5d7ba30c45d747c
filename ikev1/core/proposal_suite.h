/* SPDX-License-Identifier: ISC */
/* Suites as text: "aes256-sha256-modp2048", "aes256-sha256" for ESP. */
#ifndef IKEV1_CORE_PROPOSAL_SUITE_H
#define IKEV1_CORE_PROPOSAL_SUITE_H

#include "ikev1/core/algs.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/text.h"

/* Room for a suite's text, NUL included. */
#define PROPOSAL_SUITE_MAX 40
/*
 * Parses "cipher-hash-group" (phase 1), "cipher-auth[-group]" (phase 2) or,
 * with an AEAD cipher, "cipher[-group]".
 * Returns 0; -EINVAL for another form or an unknown word; -ENOTSUP for an
 * algorithm that is known but not implemented.
 */
int proposal_suite_parse(enum sa_phase phase, const char *text,
    struct ike_suite *out, char reason[ISAKMP_REASON_MAX]);

/* The same back; numbers without a name become "cipher 65". */
const char *proposal_suite_text(enum sa_phase phase,
    const struct ike_suite *suite, char out[PROPOSAL_SUITE_MAX]);

/* The words of a suite from the left, for proposal_suite_put(). */
enum proposal_word {
	PROPOSAL_WORD_CIPHER = 1,
	PROPOSAL_WORD_HASH,
	PROPOSAL_WORD_GROUP,
};

/* Appends the words of suite up to last. */
void proposal_suite_put(struct text *t, enum sa_phase phase,
    const struct ike_suite *suite, enum proposal_word last);

/* The row of a phase's cipher; NULL when there is none. */
const struct alg_cipher *proposal_cipher_row(
    enum sa_phase phase, uint16_t number, uint16_t key_bits);

#endif
