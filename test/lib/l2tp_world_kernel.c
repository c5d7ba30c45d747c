/* SPDX-License-Identifier: ISC */
/* The kernel of the fake world: it checks and carries out every action. */
#include "test/lib/l2tp_world_in.h"

#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(char **buf, size_t *len, size_t *size, const char *text)
{
	size_t n = strlen(text);

	while (*len + n + 1 > *size) {
		*size = *size ? 2 * *size : 4096;
		*buf = xreallocarray(*buf, *size, 1);
	}
	memcpy(*buf + *len, text, n + 1);
	*len += n;
}

void world_fault(struct world *w, const char *format, ...)
{
	va_list ap;

	if (w->fault[0])
		return;
	va_start(ap, format);
	vsnprintf(w->fault, sizeof(w->fault), format, ap);
	va_end(ap);
}

/* --- what the fake kernel has --------------------------------------- */

struct world_peer *world_peer(struct world *w, uint64_t r)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->peers[i].r == r)
			return &w->peers[i];
	return NULL;
}

struct world_tunnel *world_find_tunnel(struct world *w, uint64_t r, uint16_t id)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->tunnels[i].id == id && w->tunnels[i].r == r)
			return &w->tunnels[i];
	return NULL;
}

static struct world_session *find_session(struct world *w, uint16_t id)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->sessions[i].r && w->sessions[i].id == id)
			return &w->sessions[i];
	return NULL;
}

struct world_session *world_session(struct world *w, uint64_t r)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->sessions[i].r == r)
			return &w->sessions[i];
	return NULL;
}

size_t world_tunnel_count(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		n += w->tunnels[i].r != 0;
	return n;
}

size_t world_session_count(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		n += w->sessions[i].r != 0;
	return n;
}

static bool has_objects(const struct world *w, uint64_t r)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->tunnels[i].r == r || w->sessions[i].r == r)
			return true;
	return false;
}

/* Until it says so, an open that fails is one that may succeed. */
void world_forget_failed(struct world *w, const struct lns_event *ev)
{
	struct world_tunnel *t = world_find_tunnel(w, ev->r, ev->tunnel_id);
	struct world_session *s = find_session(w, ev->session_id);

	if (ev->type == LNS_EV_TUNNEL_OPENED && ev->error && t)
		*t = (struct world_tunnel){0};
	if (ev->type == LNS_EV_SESSION_OPENED && ev->error && s)
		*s = (struct world_session){0};
}

/* --- actions -------------------------------------------------------- */

static void write_down(struct world *w, const struct lns_action *act)
{
	static const char *const names[] = {"socket-open", "send",
	    "tunnel-open", "tunnel-close", "session-open", "session-close",
	    "peer-ready", "peer-refused", "peer-close", "peer-free",
	    "peer-gone", "log"};
	char *line;

	if (act->type == LNS_ACT_LOG) {
		append(&w->log, &w->log_len, &w->log_size, act->text);
		append(&w->log, &w->log_len, &w->log_size, "\n");
		return;
	}
	line = xasprintf("%llu %s r=%llu slot=%u t=%u/%u s=%u/%u port=%u %s ",
	    (unsigned long long)w->now, names[act->type],
	    (unsigned long long)act->r, act->slot, act->tunnel_id,
	    act->peer_tunnel_id, act->session_id, act->peer_session_id,
	    act->peer.port, act->text ? act->text : "");
	append(&w->transcript, &w->transcript_len, &w->transcript_size, line);
	free(line);
	for (size_t i = 0; i < act->len; i++) {
		char hex[3];

		snprintf(hex, sizeof(hex), "%02x", act->data[i]);
		append(&w->transcript, &w->transcript_len, &w->transcript_size,
		    hex);
	}
	append(&w->transcript, &w->transcript_len, &w->transcript_size, "\n");
}

static void on_socket_open(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);

	if (!act->up || act->up->r != act->r || p->socket)
		world_fault(w, "SOCKET_OPEN twice or without up");
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->peers[i].slot == p->slot && w->peers[i].socket)
			world_fault(w, "SOCKET_OPEN: slot %u in use", p->slot);
	p->socket = w->socket_error == 0;
	world_answer(w, act, LNS_EV_SOCKET_OPENED, w->socket_error);
}

static void on_tunnel_open(struct world *w, const struct lns_action *act)
{
	struct world_tunnel *t = world_find_tunnel(w, 0, 0);

	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->tunnels[i].r && w->tunnels[i].id == act->tunnel_id)
			world_fault(
			    w, "TUNNEL_OPEN: %u exists", act->tunnel_id);
	if (!world_peer(w, act->r)->socket || act->tunnel_id >> 14 == 3 ||
	    (act->tunnel_id & PEER_SLOT_MAX) != act->slot)
		world_fault(w, "TUNNEL_OPEN: bad id %u", act->tunnel_id);
	w->tunnel_opens++;
	world_answer(w, act, LNS_EV_TUNNEL_OPENED, w->tunnel_error);
	if (!t)
		return;
	*t = (struct world_tunnel){.r = act->r,
	    .id = act->tunnel_id,
	    .peer_id = act->peer_tunnel_id,
	    .peer = act->peer,
	    .open = true};
}

static void on_tunnel_close(struct world *w, const struct lns_action *act)
{
	struct world_tunnel *t = world_find_tunnel(w, act->r, act->tunnel_id);

	if (!t) {
		world_fault(w, "TUNNEL_CLOSE: no tunnel %u", act->tunnel_id);
		return;
	}
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->sessions[i].r == act->r &&
		    w->sessions[i].tunnel_id == act->tunnel_id)
			world_fault(w, "TUNNEL_CLOSE before SESSION_CLOSE");
	*t = (struct world_tunnel){0};
}

static void on_session_open(struct world *w, const struct lns_action *act)
{
	struct world_session *s = find_session(w, act->session_id);

	if (s)
		world_fault(w, "SESSION_OPEN: id %u exists", act->session_id);
	if (!world_find_tunnel(w, act->r, act->tunnel_id) || !act->session_id ||
	    !act->peer_session_id)
		world_fault(w, "SESSION_OPEN without tunnel or ids");
	w->session_opens++;
	world_answer(w, act, LNS_EV_SESSION_OPENED, w->session_error);
	for (size_t i = 0; i < WORLD_OBJECTS; i++) {
		if (w->sessions[i].r)
			continue;
		w->sessions[i] = (struct world_session){.r = act->r,
		    .tunnel_id = act->tunnel_id,
		    .id = act->session_id,
		    .peer_id = act->peer_session_id,
		    .sequencing = act->sequencing,
		    .open = true};
		return;
	}
}

static void on_session_close(struct world *w, const struct lns_action *act)
{
	struct world_session *s = find_session(w, act->session_id);

	if (!s || s->r != act->r) {
		world_fault(w, "SESSION_CLOSE: no session %u", act->session_id);
		return;
	}
	w->session_closes++;
	*s = (struct world_session){0};
}

static void on_send(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);
	struct world_tunnel *t = world_find_tunnel(w, act->r, act->tunnel_id);

	if (!p->socket || p->freed || !act->len)
		world_fault(w, "SEND without R's socket");
	if (act->tunnel_id && (!t || !addr_equal(&t->peer, &act->peer)))
		world_fault(w, "SEND on tunnel %u, not there", act->tunnel_id);
	if (act->len > L2TP_HEADER_LEN) {
		memcpy(w->last, act->data, act->len);
		w->last_len = act->len;
	}
	for (size_t i = 0; i < WORLD_CLIENTS; i++) {
		struct world_client *c = &w->clients[i];

		if (c->is_used && c->r == act->r &&
		    addr_equal(&c->addr, &act->peer)) {
			world_link(w, c, NULL, act->data, act->len);
			return;
		}
	}
}

static void on_peer_close(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);
	struct world_item *it;

	if (!act->text || !act->text[0])
		world_fault(w, "PEER_CLOSE without a reason");
	p->close_asked = true;
	snprintf(p->reason, sizeof(p->reason), "%s", act->text);
	if (w->ike_is_deaf)
		return;
	it = world_later(w, KERNEL_MS, act);
	it->ev.type = LNS_EV_PEER_DOWN;
}

static void on_peer_free(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);

	if (p->freed || has_objects(w, act->r))
		world_fault(w, "PEER_FREE twice or with objects left");
	p->freed = true;
	p->socket = false;
	world_answer(w, act, LNS_EV_PEER_CLOSED, 0);
}

void world_carry_out(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);

	write_down(w, act);
	if (act->type == LNS_ACT_LOG)
		return;
	if (!p) {
		if (act->type != LNS_ACT_PEER_GONE)
			world_fault(w, "an action for an R that was never up");
		return;
	}
	/* PEER_DOWN of an R that is unknown is answered all the same. */
	if (p->gone && act->type != LNS_ACT_PEER_GONE)
		world_fault(w, "an action after PEER_GONE");
	switch (act->type) {
	case LNS_ACT_SOCKET_OPEN:
		on_socket_open(w, act);
		break;
	case LNS_ACT_SEND:
		on_send(w, act);
		break;
	case LNS_ACT_TUNNEL_OPEN:
		on_tunnel_open(w, act);
		break;
	case LNS_ACT_TUNNEL_CLOSE:
		on_tunnel_close(w, act);
		break;
	case LNS_ACT_SESSION_OPEN:
		on_session_open(w, act);
		break;
	case LNS_ACT_SESSION_CLOSE:
		on_session_close(w, act);
		break;
	case LNS_ACT_PEER_READY:
		p->ready = true;
		break;
	case LNS_ACT_PEER_REFUSED:
		p->refused = true;
		snprintf(p->reason, sizeof(p->reason), "%s", act->text);
		break;
	case LNS_ACT_PEER_CLOSE:
		on_peer_close(w, act);
		break;
	case LNS_ACT_PEER_FREE:
		on_peer_free(w, act);
		break;
	case LNS_ACT_PEER_GONE:
		p->gone = true;
		break;
	case LNS_ACT_LOG:
		break;
	}
}
