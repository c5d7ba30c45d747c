/* SPDX-License-Identifier: ISC */
/*
 * Which of several pre-shared keys made a message 5 of Main Mode?  It is
 * encrypted with keys that depend on the answer (RFC 2409 section 5.4), so
 * each is tried, always all of them.  The monitor does this, with the very
 * keys: an engine learns the SKEYID of the one that its client has shown to
 * know, and of no other.
 */
#ifndef IKEV1_CORE_TRIAL_H
#define IKEV1_CORE_TRIAL_H

#include "common/crypto.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/ike.h"

struct trial_key {
	struct wire_span secret; /* borrowed */
	bool is_real;		 /* or nobody's, for the work's sake */
	struct candidate who;	 /* its SKEYID is filled in: wipe */
};

/*
 * The index of the key that fits: the first one whose HASH_I is right and
 * which is not bound to another ID, else the first whose HASH_I is right.
 * -ENOENT when there is none, -ENOTSUP for an algorithm that is not served,
 * -EINVAL for an impossible length.  What t holds is believed in nothing.
 */
int trial_find(const struct crypto *c, const struct ike_trial *t,
    struct trial_key *keys, size_t count);

#endif
