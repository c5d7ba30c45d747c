/* SPDX-License-Identifier: ISC */
/* The monitor's objects and the preconditions of the engine's requests. */
#include "l2tpd/objects_int.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The answer to one request. */
struct answer {
	int error;
	const char *text;
	int fd;
	bool is_late; /* it comes by itself */
};

struct objects *objects_new(const struct kernel_ops *ops, void *kernel,
    const struct objects_out *out, uint32_t max_clients)
{
	struct objects *o = xcalloc(1, sizeof(*o));

	o->ops = ops;
	o->kernel = kernel;
	o->out = *out;
	o->max_clients = max_clients;
	o->slots = xcalloc((size_t)max_clients + 1, sizeof(struct peer *));
	return o;
}

void objects_free(struct objects *o)
{
	if (!o)
		return;
	free(o->slots);
	free(o);
}

bool objects_is_empty(const struct objects *o)
{
	return !o->peers;
}

/* --- finding ---------------------------------------------------------- */

static struct peer *find_peer(struct objects *o, uint64_t r)
{
	struct peer *p;

	HASH_FIND(hh, o->peers, &r, sizeof(r), p);
	return p;
}

static struct tunnel *find_tunnel(struct peer *p, uint16_t tunnel_id)
{
	struct tunnel *t;

	DL_SEARCH_SCALAR(p->tunnels, t, id.tunnel_id, tunnel_id);
	return t;
}

static struct session *find_session(struct tunnel *t, uint16_t session_id)
{
	struct session *s;

	DL_SEARCH_SCALAR(t->sessions, s, id.session_id, session_id);
	return s;
}

static struct answer refuse(int error, const char *text)
{
	return (struct answer){.error = error, .text = text, .fd = -1};
}

static struct answer accept_with(int fd)
{
	return (struct answer){.text = "", .fd = fd};
}

/* R, a tunnel of it or a session of that, as the ids say. */
struct found {
	struct peer *peer;
	struct tunnel *tunnel;
	struct session *session;
};

static struct answer find(struct objects *o, uint64_t r, uint16_t tunnel_id,
    uint16_t session_id, struct found *out)
{
	memset(out, 0, sizeof(*out));
	out->peer = find_peer(o, r);
	if (!out->peer)
		return refuse(-ENOENT, "no such R");
	if (tunnel_id)
		out->tunnel = find_tunnel(out->peer, tunnel_id);
	if (tunnel_id && !out->tunnel)
		return refuse(-ENOENT, "R has no such tunnel");
	if (session_id)
		out->session = find_session(out->tunnel, session_id);
	if (session_id && !out->session)
		return refuse(-ENOENT, "the tunnel has no such session");
	return accept_with(-1);
}

/* --- endings ---------------------------------------------------------- */

static void peer_check(struct peer *p);

static void on_peer_closed(void *arg)
{
	struct peer *p = arg;
	struct objects *o = p->owner;

	if (p->free_seq)
		o->out.reply(o->out.ctx, p->free_seq, 0, "", -1);
	o->slots[p->slot] = NULL;
	HASH_DEL(o->peers, p);
	free(p);
}

static void on_tunnel_closed(void *arg)
{
	struct tunnel *t = arg;
	struct peer *p = t->peer;

	DL_DELETE(p->tunnels, t);
	free(t);
	peer_check(p);
}

/* The next step of an ending, when nothing hangs on the object any more. */
static void peer_check(struct peer *p)
{
	const int fds[2] = {p->fd, -1};

	if (!p->is_closing || p->tunnels || p->fd < 0)
		return;
	p->fd = -1;
	p->owner->ops->close(p->owner->kernel, fds, on_peer_closed, p);
}

static void tunnel_check(struct tunnel *t)
{
	const struct objects *o = t->peer->owner;
	const int fds[2] = {t->pppox_fd, t->udp_fd};

	if (!t->is_closing || t->sessions || t->udp_fd < 0)
		return;
	t->pppox_fd = -1;
	t->udp_fd = -1;
	o->ops->close(o->kernel, fds, on_tunnel_closed, t);
}

/* It stays until an engine has heard of its end. */
void objects_session_check(struct session *s)
{
	struct tunnel *t = s->tunnel;

	if (!s->is_closed || s->exit_text)
		return;
	DL_DELETE(t->sessions, s);
	free(s);
	tunnel_check(t);
}

static void on_session_closed(void *arg)
{
	struct session *s = arg;

	s->is_closed = true;
	objects_session_check(s);
}

/* PPP is gone: the engine hears it, the kernel's session follows. */
static void on_ppp_end(void *arg, const char *reason)
{
	struct session *s = arg;
	struct objects *o = s->tunnel->peer->owner;
	const int fds[2] = {s->pppox_fd, -1};

	s->ppp = NULL;
	s->is_closing = true;
	s->pppox_fd = -1;
	s->exit_text = xstrdup(reason);
	if (o->has_engine)
		objects_tell_exit(s);
	o->ops->close(o->kernel, fds, on_session_closed, s);
}

static void session_stop(struct session *s, bool is_forced)
{
	struct objects *o = s->tunnel->peer->owner;

	if (s->ppp && (!s->is_closing || is_forced))
		o->ops->ppp_stop(o->kernel, s->ppp, is_forced);
	s->is_closing = true;
	if (s->exit_text) {
		objects_forget_exit(s);
		objects_session_check(s);
	}
}

static void tunnel_stop(struct tunnel *t, bool is_forced)
{
	struct session *s, *next;

	t->is_closing = true;
	DL_FOREACH_SAFE(t->sessions, s, next)
	session_stop(s, is_forced);
	tunnel_check(t);
}

static void peer_stop(struct peer *p, bool is_forced)
{
	struct tunnel *t;

	p->is_closing = true;
	DL_FOREACH(p->tunnels, t)
	tunnel_stop(t, is_forced);
	peer_check(p);
}

void objects_stop(struct objects *o, bool is_forced)
{
	struct peer *p, *next;

	HASH_ITER(hh, o->peers, p, next)
	peer_stop(p, is_forced);
}

/* --- requests --------------------------------------------------------- */

static struct answer peer_open(
    struct objects *o, uint32_t seq, const union lm_any *b)
{
	const struct lm_peer_open *m = &b->peer_open;
	struct peer *p;
	int fd;

	(void)seq;
	if (find_peer(o, m->r))
		return refuse(-EEXIST, "R exists already");
	if (o->slots[m->slot])
		return refuse(-EBUSY, "the slot belongs to another R");
	fd = o->ops->peer_socket(o->kernel, m->slot, &m->local);
	if (fd < 0)
		return refuse(fd, "cannot open R's socket");
	p = xcalloc(1, sizeof(*p));
	p->owner = o;
	p->r = m->r;
	p->slot = m->slot;
	p->local = m->local;
	p->local.port = 0;
	p->fd = fd;
	o->slots[m->slot] = p;
	HASH_ADD(hh, o->peers, r, sizeof(p->r), p);
	return accept_with(fd);
}

static struct answer tunnel_open(
    struct objects *o, uint32_t seq, const union lm_any *b)
{
	const struct lm_tunnel_open *m = &b->tunnel_open;
	struct kernel_tunnel id = {
	    .slot = m->tunnel_id & LM_SLOT_MASK,
	    .peer = m->peer,
	    .tunnel_id = m->tunnel_id,
	    .peer_tunnel_id = m->peer_tunnel_id,
	};
	struct peer *p = find_peer(o, m->r);
	struct tunnel *t;
	int fd, pppox;

	(void)seq;
	if (!p || p->is_closing)
		return refuse(-ENOENT, "no such R, or it is ending");
	if (id.slot != p->slot)
		return refuse(-EPERM, "the tunnel id is not of R's slot");
	if (find_tunnel(p, m->tunnel_id))
		return refuse(-EEXIST, "R has a tunnel of this id");
	if (m->peer.family != p->local.family)
		return refuse(-EAFNOSUPPORT, "address of another family");
	id.local = p->local;
	fd = o->ops->tunnel_socket(o->kernel, &id);
	if (fd < 0)
		return refuse(fd, "cannot open the tunnel's socket");
	pppox = o->ops->tunnel_open(o->kernel, fd, &id);
	if (pppox < 0) {
		close(fd);
		return refuse(pppox, "the kernel refused the tunnel");
	}
	t = xcalloc(1, sizeof(*t));
	t->peer = p;
	t->id = id;
	t->udp_fd = fd;
	t->pppox_fd = pppox;
	DL_APPEND(p->tunnels, t);
	return accept_with(fd);
}

/* The lowest number that no session of R has; OBJECTS_SESSIONS_MAX: none. */
static uint32_t free_index(const struct peer *p)
{
	bool used[OBJECTS_SESSIONS_MAX] = {false};
	const struct tunnel *t;
	const struct session *s;
	uint32_t i = 0;

	DL_FOREACH(p->tunnels, t)
	DL_FOREACH(t->sessions, s)
	used[s->id.index] = true;
	while (i < OBJECTS_SESSIONS_MAX && used[i])
		i++;
	return i;
}

static struct answer session_start(
    struct objects *o, struct tunnel *t, const struct kernel_session *id)
{
	struct session *s;
	int fd = o->ops->session_open(o->kernel, t->udp_fd, id);
	int err;

	if (fd < 0)
		return refuse(fd, "the kernel refused the session");
	s = xcalloc(1, sizeof(*s));
	s->tunnel = t;
	s->id = *id;
	s->pppox_fd = fd;
	err = o->ops->ppp_start(
	    o->kernel, id, fd, on_ppp_end, s, &s->plugin_fd, &s->ppp);
	if (err) {
		/* The session goes as if its PPP had just ended. */
		const int fds[2] = {fd, -1};

		s->pppox_fd = -1;
		s->plugin_fd = -1;
		s->is_closing = true;
		DL_APPEND(t->sessions, s);
		o->ops->close(o->kernel, fds, on_session_closed, s);
		return refuse(err, "cannot start pppd");
	}
	DL_APPEND(t->sessions, s);
	return accept_with(s->plugin_fd);
}

static struct answer session_open(
    struct objects *o, uint32_t seq, const union lm_any *b)
{
	const struct lm_session_open *m = &b->session_open;
	struct kernel_session id = {
	    .r = m->r,
	    .tunnel_id = m->tunnel_id,
	    .session_id = m->session_id,
	    .peer_session_id = m->peer_session_id,
	    .sequencing = m->sequencing,
	};
	struct found f;
	struct answer a = find(o, m->r, m->tunnel_id, 0, &f);

	(void)seq;
	if (a.error)
		return a;
	if (f.peer->is_closing || f.tunnel->is_closing)
		return refuse(-ENOENT, "the tunnel is ending");
	if (find_session(f.tunnel, m->session_id))
		return refuse(-EEXIST, "the tunnel has a session of this id");
	id.index = free_index(f.peer);
	if (id.index == OBJECTS_SESSIONS_MAX)
		return refuse(-ENOSPC, "R has too many sessions");
	id.slot = f.peer->slot;
	id.peer = f.tunnel->id.peer;
	id.peer_tunnel_id = f.tunnel->id.peer_tunnel_id;
	return session_start(o, f.tunnel, &id);
}

static struct answer session_close(
    struct objects *o, uint32_t seq, const union lm_any *b)
{
	struct found f;
	struct answer a =
	    find(o, b->key.r, b->key.tunnel_id, b->key.session_id, &f);

	(void)seq;
	if (!a.error)
		session_stop(f.session, false);
	return a;
}

static struct answer tunnel_close(
    struct objects *o, uint32_t seq, const union lm_any *b)
{
	struct found f;
	struct answer a = find(o, b->key.r, b->key.tunnel_id, 0, &f);

	(void)seq;
	if (!a.error)
		tunnel_stop(f.tunnel, false);
	return a;
}

static struct answer peer_free(
    struct objects *o, uint32_t seq, const union lm_any *b)
{
	struct peer *p = find_peer(o, b->key.r);
	struct answer a = accept_with(-1);

	if (!p)
		return refuse(-ENOENT, "no such R");
	if (p->free_seq)
		return refuse(-EALREADY, "R is ending already");
	p->free_seq = seq;
	a.is_late = true;
	peer_stop(p, false);
	return a;
}

static struct answer stats(
    struct objects *o, uint32_t seq, const union lm_any *b)
{
	struct lm_stats out;
	struct found f;
	struct answer a =
	    find(o, b->key.r, b->key.tunnel_id, b->key.session_id, &f);
	int err = a.error;

	memset(&out, 0, sizeof(out));
	if (!err && f.session->pppox_fd < 0)
		err = -ENOENT;
	if (!err)
		err = o->ops->session_stats(o->kernel, f.session->pppox_fd,
		    b->key.tunnel_id, b->key.session_id, &out);
	out.error = err;
	o->out.stats(o->out.ctx, seq, &out);
	a.is_late = true;
	return a;
}

static const struct {
	uint16_t type;
	struct answer (*fn)(
	    struct objects *o, uint32_t seq, const union lm_any *b);
} requests[] = {
    {LM_PEER_OPEN, peer_open},
    {LM_TUNNEL_OPEN, tunnel_open},
    {LM_SESSION_OPEN, session_open},
    {LM_SESSION_CLOSE, session_close},
    {LM_TUNNEL_CLOSE, tunnel_close},
    {LM_PEER_FREE, peer_free},
    {LM_STATS, stats},
};

bool objects_request(
    struct objects *o, uint16_t type, uint32_t seq, const union lm_any *body)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct answer a;

		if (requests[i].type != type)
			continue;
		a = requests[i].fn(o, seq, body);
		if (!a.is_late)
			o->out.reply(o->out.ctx, seq, a.error, a.text, a.fd);
		return true;
	}
	return false;
}
