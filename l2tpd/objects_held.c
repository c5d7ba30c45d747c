/* SPDX-License-Identifier: ISC */
/* Engines that come and go: what the next one is told. */
#include "l2tpd/objects_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void each_session(const struct session *s, const struct lm_held *tunnel,
    objects_held_fn fn, void *ctx)
{
	struct lm_held h = *tunnel;

	if (s->is_closing && !s->ppp && !s->exit_text)
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

/* --- how PPP ended ---------------------------------------------------- */

/* The plugin's last words go with our end of its socket. */
void objects_forget_exit(struct session *s)
{
	close(s->plugin_fd);
	s->plugin_fd = -1;
	free(s->exit_text);
	s->exit_text = NULL;
}

void objects_tell_exit(struct session *s)
{
	const struct objects *o = s->tunnel->peer->owner;
	struct lm_exited exited = {
	    .r = s->id.r,
	    .tunnel_id = s->id.tunnel_id,
	    .session_id = s->id.session_id,
	};

	snprintf(exited.text, sizeof(exited.text), "%s", s->exit_text);
	objects_forget_exit(s);
	o->out.exited(o->out.ctx, &exited);
}

/* --- coming and going -------------------------------------------------- */

void objects_engine_gone(struct objects *o)
{
	struct peer *p, *next;

	o->has_engine = false;
	HASH_ITER(hh, o->peers, p, next)
	p->free_seq = 0;
}

void objects_engine_here(struct objects *o)
{
	struct session *s, *next_s;
	struct peer *p, *next;
	struct tunnel *t;

	o->has_engine = true;
	HASH_ITER(hh, o->peers, p, next)
	DL_FOREACH(p->tunnels, t)
	DL_FOREACH_SAFE(t->sessions, s, next_s)
	{
		if (!s->exit_text)
			continue;
		objects_tell_exit(s);
		objects_session_check(s);
	}
}
