/* SPDX-License-Identifier: ISC */
/*
 * The monitor's op AUTH: a peer's proof against the users table.  An
 * unknown user costs the same work as a wrong password, and the peer is
 * told the same.
 */
#ifndef L2TPD_CORE_AUTH_H
#define L2TPD_CORE_AUTH_H

#include "common/aaa_msg.h"
#include "l2tpd/core/mschap.h"
#include "l2tpd/core/users.h"

/*
 * methods: AAA_METHOD_BIT()s that the configuration names.  users may be
 * NULL (no users file): everybody is unknown.  out is filled completely.
 */
void auth_check(struct mschap *m, const struct users *users,
    unsigned int methods, const struct aaa_auth *ask, struct aaa_verdict *out);

#endif
