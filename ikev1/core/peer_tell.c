/* SPDX-License-Identifier: ISC */
/* What l2tpd is told about a peer. */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"

#include <stdio.h>
#include <string.h>

void peer_tell(struct ike *ike, struct peer *p, enum ike_action_type type)
{
	struct ike_action *a = act(ike, type);
	struct peer_up *up = xcalloc(1, sizeof(*up));

	a->r = p->r;
	a->up = up;
	up->r = p->r;
	up->slot = p->slot;
	up->local = p->local;
	up->peer = p->peer;
	up->natt = p->natt;
	up->held = p->held && !p->sa;
	snprintf(
	    up->identity, sizeof(up->identity), "%s", text_shown(p->identity));
	snprintf(up->suite, sizeof(up->suite), "%s", text_shown(p->suite));
}

void peer_suite(struct ike *ike, struct peer *p, const char *suite)
{
	if (!strcmp(text_shown(p->suite), suite))
		return;
	text_set(&p->suite, suite);
	peer_touch(ike, p);
	if (p->state == PEER_RAISING || p->state == PEER_LIVE)
		peer_tell(ike, p, IKE_ACT_PEER_UPDATE);
}
