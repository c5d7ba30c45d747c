/* SPDX-License-Identifier: ISC */
/* The monitor's objects as the next engine is told of them. */
#include "l2tpd/objects_int.h"

#include <string.h>

static void each_session(const struct session *s, const struct lm_held *tunnel,
    objects_held_fn fn, void *ctx)
{
	struct lm_held h = *tunnel;

	if (s->is_closing && !s->ppp)
		return;
	h.is_ending = s->is_closing;
	h.session_id = s->id.session_id;
	h.peer_session_id = s->id.peer_session_id;
	fn(ctx, &h, s->plugin_fd);
}

static void each_tunnel(const struct tunnel *t, const struct lm_held *peer,
    objects_held_fn fn, void *ctx)
{
	struct lm_held h = *peer;
	const struct session *s;

	h.tunnel_id = t->id.tunnel_id;
	h.peer_tunnel_id = t->id.peer_tunnel_id;
	h.peer = t->id.peer;
	if (!t->is_closing)
		fn(ctx, &h, t->udp_fd);
	DL_FOREACH(t->sessions, s)
	each_session(s, &h, fn, ctx);
}

void objects_each(struct objects *o, objects_held_fn fn, void *ctx)
{
	struct peer *p, *next;
	const struct tunnel *t;

	HASH_ITER(hh, o->peers, p, next)
	{
		struct lm_held h = {
		    .r = p->r,
		    .slot = p->slot,
		    .local = p->local,
		};

		if (!p->is_closing)
			fn(ctx, &h, p->fd);
		DL_FOREACH(p->tunnels, t)
		each_tunnel(t, &h, fn, ctx);
	}
}
