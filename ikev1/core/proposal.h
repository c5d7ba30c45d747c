/* SPDX-License-Identifier: ISC */
/*
 * Which of the peer's proposals is taken, why none is, and suites as text
 * ("aes256-sha256-modp2048").
 *
 * Only configured suites are taken.  Among the offered ones that are
 * configured the order is: AES before 3DES; ciphers, then hashes, in the
 * order in which the configuration first names them; group 19, 14, 20, 15,
 * 16, 21; then the peer's order.
 */
#ifndef IKEV1_CORE_PROPOSAL_H
#define IKEV1_CORE_PROPOSAL_H

#include "ikev1/core/ike.h"
#include "ikev1/core/payload_sa.h"

/* Room for a suite's text, NUL included. */
#define PROPOSAL_SUITE_MAX 40
/* Room for the report on a refused offer, NUL included. */
#define PROPOSAL_REPORT_MAX 1500

struct proposal_choice {
	size_t protocol;	/* index into the offer */
	size_t transform;	/* index into the offer */
	struct ike_suite suite; /* group: as offered; 0 without PFS */
	uint16_t encap;		/* phase 2, as offered */
	/* As offered; RFC 2407's 28800 s when the peer said nothing. */
	uint64_t life_seconds;
	uint64_t life_kilobytes; /* 0: no limit */
};

/* What the configuration and the exchange allow. */
struct proposal_policy {
	const struct ike_suite *suites;
	size_t suite_count;
	bool has_natt; /* phase 2: UDP encapsulation is in use */
	/* Phase 2: bytes in the KE payload; 0: no KE.  The transform's group
	 * must be there with a KE of its length, and only then. */
	size_t ke_len;
};

/*
 * Chooses.  Returns 0, or -ENOENT when nothing fits; then report says what
 * was offered, transform by transform, and which attribute failed ("1.1
 * aes256-sha1-modp1024: modp1024 is not configured; 1.2 ...": number of
 * proposal and transform).  A phase-2 suite with group 0 takes any usable PFS
 * group, or none.
 */
int proposal_choose(const struct sa_offer *offer,
    const struct proposal_policy *policy, struct proposal_choice *out,
    char report[PROPOSAL_REPORT_MAX]);

/*
 * Parses "cipher-hash-group" (phase 1) or "cipher-auth[-group]" (phase 2).
 * Returns 0; -EINVAL for another form or an unknown word; -ENOTSUP for an
 * algorithm that is known but not implemented.
 */
int proposal_suite_parse(enum sa_phase phase, const char *text,
    struct ike_suite *out, char reason[ISAKMP_REASON_MAX]);

/* The same back; numbers without a name become "cipher 65". */
const char *proposal_suite_text(enum sa_phase phase,
    const struct ike_suite *suite, char out[PROPOSAL_SUITE_MAX]);

#endif
