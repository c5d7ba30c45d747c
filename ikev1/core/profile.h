/* SPDX-License-Identifier: ISC */
/*
 * Profiles: named policies, and the judgement of one suite by a policy.
 *
 *	modern      AES, SHA-2, groups from 2048 bit on
 *	compatible  and 3DES, SHA-1; groups 2 and 5 as PFS
 *	legacy      and MD5; groups 2 and 5 in phase 1 too
 *
 * Each accepts what the one before it does.  DES is in none of them.
 */
#ifndef IKEV1_CORE_PROFILE_H
#define IKEV1_CORE_PROFILE_H

#include "ikev1/core/ike.h"
#include "ikev1/core/proposal_suite.h"

#define PROFILE_DEFAULT "compatible"

/* NULL when there is none of that name. */
const struct ike_policy *profile_find(const char *name);
/* From the strictest on; NULL behind the last. */
const struct ike_policy *profile_at(size_t i);

/*
 * The first word of a suite, from the left, that the policy does not
 * accept; 0 when it accepts the suite.  With a list this is the first word
 * up to which no suite of the list is the same.
 */
enum proposal_word policy_refuses(const struct ike_policy *policy,
    enum sa_phase phase, const struct ike_suite *suite);

/* Appends what a policy accepts in a phase, for logs: "aes256 aes128 with
 * sha1 and modp2048", or the list. */
void policy_put(
    struct text *t, const struct ike_policy *policy, enum sa_phase phase);

#endif
