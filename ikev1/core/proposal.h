/* SPDX-License-Identifier: ISC */
/*
 * Which of the peer's proposals is taken, and why none is.
 *
 * Only what the policy accepts is taken.  Among that the order is: AES-GCM,
 * AES-CBC, 3DES, DES, whatever the key length; SHA-2 whatever its length,
 * SHA-1, MD5; group 19, 14, 20, 15, 16, 21, 5, 2; then the peer's order.
 */
#ifndef IKEV1_CORE_PROPOSAL_H
#define IKEV1_CORE_PROPOSAL_H

#include "ikev1/core/ike.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/proposal_suite.h"

/* Room for the report on a refused offer, NUL included. */
#define PROPOSAL_REPORT_MAX 900

struct proposal_choice {
	size_t protocol;	/* index into the offer */
	size_t transform;	/* index into the offer */
	struct ike_suite suite; /* group: as offered; 0 without PFS */
	uint16_t encap;		/* phase 2, as offered */
	/* As offered; RFC 2407's 28800 s when the peer said nothing. */
	uint64_t life_seconds;
	uint64_t life_kilobytes; /* 0: no limit */
};

/* What the policy and the exchange allow. */
struct proposal_policy {
	const struct ike_policy *accept;
	bool has_natt; /* phase 2: UDP encapsulation is in use */
	/* Phase 2: bytes in the KE payload; 0: no KE.  The transform's group
	 * must be there with a KE of its length, and only then. */
	size_t ke_len;
};

/*
 * Chooses.  Returns 0, or -ENOENT when nothing fits; then report says what
 * an operator can act on, the most useful first: the nearest transform and
 * what is wrong with it ("1.3 aes256-sha1-modp1024: group: ... is not
 * accepted": number of proposal and transform), which profile would allow
 * what, or that none does, what is accepted, and all that was offered.
 */
int proposal_choose(const struct sa_offer *offer,
    const struct proposal_policy *policy, struct proposal_choice *out,
    char report[PROPOSAL_REPORT_MAX]);

#endif
