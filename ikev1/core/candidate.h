/* SPDX-License-Identifier: ISC */
/*
 * A pre-shared key as the engine knows it: the SKEYID that the monitor made
 * of it for one exchange, its line, and the ID that it is bound to.  At most
 * CANDIDATES_MAX keys are tried for a client (trial.h); how many places for
 * them there are depends on the psk file alone, never on the client.
 */
#ifndef IKEV1_CORE_CANDIDATE_H
#define IKEV1_CORE_CANDIDATE_H

#include "common/wire.h"
#include "ikev1/core/ike.h"

#define CANDIDATES_MAX 8
#define CANDIDATE_ID_MAX 128 /* bytes of an ID that a key may be bound to */
/* line, entry, ID type, counted ID, counted SKEYID */
#define CANDIDATE_LEN (4 + 2 + 1 + 1 + CANDIDATE_ID_MAX + 1 + IKE_KEY_MAX)

struct candidate {
	uint32_t line;	 /* of the psk file, for those who read logs */
	uint16_t entry;	 /* of the psk file, stable; what R is known by */
	uint8_t id_type; /* enum ipsec_id_type, or 0: every ID is right */
	uint8_t id_len;
	uint8_t id[CANDIDATE_ID_MAX];
	uint8_t skeyid_len;
	uint8_t skeyid[IKE_KEY_MAX]; /* secret: wipe */
};

/* Appends one slot, CANDIDATE_LEN bytes. */
void candidate_put(struct wire_writer *w, const struct candidate *c);
/* How many slots; 0 when all is no whole number of them, or too many. */
size_t candidate_count(struct wire_span all);
/* 0, or -EBADMSG when there is no such slot or its lengths are wrong. */
int candidate_get(struct wire_span all, size_t index, struct candidate *out);
/*
 * Whether a key bound to that ID may be used by who calls itself so.  Names
 * compare without regard to case (RFC 4343), all else byte by byte.
 */
bool candidate_allows(
    const struct candidate *c, uint8_t id_type, struct wire_span id);

#endif
