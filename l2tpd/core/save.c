/* SPDX-License-Identifier: ISC */
/*
 * The whole state as bytes and back.  The order of peers, tunnels and
 * sessions is kept; times are remaining times.  What is read is checked
 * like bytes from outside: a damaged string gives no state at all.
 */
#include "l2tpd/core/saved_time.h"
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SAVE_VERSION 0x4c4e5301u /* "LNS", 1 */

/* Flags of tunnels and sessions. */
#define FLAG_KERNEL 0x01
#define FLAG_SOCKET 0x02
#define FLAG_CHOKED 0x04
#define FLAG_SEQUENCING 0x08

/* --- writing -------------------------------------------------------- */

static void put_text(struct wire_writer *w, const char *text)
{
	size_t len = strlen(text);

	wire_put_u16(w, (uint16_t)len);
	wire_put_bytes(w, text, len);
}

static void put_addr(struct wire_writer *w, const struct addr *a)
{
	wire_put_u8(w, a->family);
	wire_put_bytes(w, a->ip, sizeof(a->ip));
	wire_put_u16(w, a->port);
}

static void put_session(
    struct wire_writer *w, const struct lns_session *s, uint64_t now_ms)
{
	wire_put_u8(w, (uint8_t)s->state);
	wire_put_u16(w, s->id);
	wire_put_u16(w, s->peer_id);
	wire_put_u8(w, (uint8_t)((s->in_kernel ? FLAG_KERNEL : 0) |
				 (s->sequencing ? FLAG_SEQUENCING : 0)));
	saved_time_put(w, s->deadline, now_ms);
}

static void put_tunnel(
    struct wire_writer *w, const struct lns_tunnel *t, uint64_t now_ms)
{
	const struct lns_session *s;
	uint16_t count = 0;

	wire_put_u8(w, (uint8_t)t->state);
	wire_put_u16(w, t->id);
	wire_put_u16(w, t->peer_id);
	put_addr(w, &t->addr);
	wire_put_u8(w, (uint8_t)((t->in_kernel ? FLAG_KERNEL : 0) |
				 (t->has_socket ? FLAG_SOCKET : 0) |
				 (t->is_choked ? FLAG_CHOKED : 0)));
	saved_time_put(w, t->deadline, now_ms);
	saved_time_put(w, t->hello_at, now_ms);
	put_text(w, t->host);
	l2tp_reliable_save(&t->rel, w, now_ms);
	LL_COUNT(t->sessions, s, count);
	wire_put_u16(w, count);
	LL_FOREACH(t->sessions, s)
	{
		put_session(w, s, now_ms);
	}
}

void lns_peer_save(
    struct wire_writer *w, const struct lns_peer *peer, uint64_t now_ms)
{
	const struct lns_peer *p = peer;
	const struct lns_tunnel *t;
	uint16_t count = 0;

	wire_put_u64(w, p->up.r);
	wire_put_u32(w, p->up.slot);
	put_addr(w, &p->up.local);
	put_addr(w, &p->up.peer);
	wire_put_u8(w, p->up.natt);
	wire_put_u8(w, p->up.held);
	put_text(w, p->up.identity);
	put_text(w, p->up.suite);
	wire_put_u8(w, (uint8_t)p->state);
	wire_put_u8(w, lns_peer_has_slot(p));
	wire_put_u8(w, p->generation);
	saved_time_put(w, p->deadline, now_ms);
	put_text(w, p->reason);
	LL_COUNT(p->tunnels, t, count);
	wire_put_u16(w, count);
	LL_FOREACH(p->tunnels, t)
	{
		put_tunnel(w, t, now_ms);
	}
}

static void put_all(
    struct wire_writer *w, const struct lns *lns, uint64_t now_ms)
{
	struct lns_peer *p, *next;

	wire_put_u32(w, SAVE_VERSION);
	wire_put_u8(w, lns->is_shut_down);
	wire_put_u32(w, HASH_CNT(hh, lns->peers));
	HASH_ITER(hh, lns->peers, p, next)
	{
		lns_peer_save(w, p, now_ms);
	}
}

uint8_t *lns_save(const struct lns *lns, uint64_t now_ms, size_t *len)
{
	size_t size = 4096 + 1024 * (size_t)HASH_CNT(hh, lns->peers);
	struct wire_writer w;
	uint8_t *buf = NULL;

	do {
		size *= 2;
		buf = xreallocarray(buf, size, 1);
		wire_writer_init(&w, buf, size);
		put_all(&w, lns, now_ms);
	} while (wire_writer_error(&w));
	*len = w.pos;
	return buf;
}

/* --- reading -------------------------------------------------------- */

/* Terminated; fails r when it is longer than size - 1. */
static void get_text(struct wire_reader *r, char *out, size_t size)
{
	size_t len = wire_get_u16(r);

	if (len >= size) {
		wire_fail(r);
		len = 0;
	}
	wire_get_bytes(r, out, len);
	out[len] = '\0';
	if (strlen(out) != len)
		wire_fail(r);
}

static void get_addr(struct wire_reader *r, struct addr *a)
{
	a->family = wire_get_u8(r);
	wire_get_bytes(r, a->ip, sizeof(a->ip));
	a->port = wire_get_u16(r);
	if (a->family != ADDR_NONE && !addr_ip_len(a))
		wire_fail(r);
}

static uint8_t get_below(struct wire_reader *r, unsigned int limit)
{
	uint8_t v = wire_get_u8(r);

	if (v >= limit) {
		wire_fail(r);
		return 0;
	}
	return v;
}

static void get_session(
    struct wire_reader *r, struct lns_tunnel *t, uint64_t now_ms)
{
	enum lns_session_state state =
	    (enum lns_session_state)get_below(r, LNS_SESSION_STATE_COUNT);
	uint16_t id = wire_get_u16(r);
	struct lns_session *s;
	uint8_t flags;

	if (wire_error(r) || !id || lns_session_id_is_used(t->peer->lns, id) ||
	    state == LNS_SESSION_IDLE || state == LNS_SESSION_CLOSING) {
		wire_fail(r);
		return;
	}
	s = lns_session_new(t, id);
	lns_session_restore_state(s, state);
	s->peer_id = wire_get_u16(r);
	flags = wire_get_u8(r);
	s->in_kernel = flags & FLAG_KERNEL;
	s->sequencing = flags & FLAG_SEQUENCING;
	s->deadline = saved_time_get(r, now_ms);
}

static void get_tunnel(
    struct wire_reader *r, struct lns_peer *p, uint64_t now_ms)
{
	enum lns_tunnel_state state =
	    (enum lns_tunnel_state)get_below(r, LNS_TUNNEL_STATE_COUNT);
	uint16_t id = wire_get_u16(r);
	struct lns_tunnel *t;
	uint8_t flags;

	if (wire_error(r) || (id & PEER_SLOT_MAX) != p->up.slot ||
	    id >> 14 >= LNS_GENERATIONS || lns_tunnel_find(p, id) ||
	    state == LNS_TUNNEL_IDLE || state == LNS_TUNNEL_DEAD) {
		wire_fail(r);
		return;
	}
	t = lns_tunnel_new(p, id);
	lns_tunnel_restore_state(t, state);
	t->peer_id = wire_get_u16(r);
	get_addr(r, &t->addr);
	flags = wire_get_u8(r);
	t->in_kernel = flags & FLAG_KERNEL;
	t->has_socket = flags & FLAG_SOCKET;
	t->is_choked = flags & FLAG_CHOKED;
	t->deadline = saved_time_get(r, now_ms);
	t->hello_at = saved_time_get(r, now_ms);
	get_text(r, t->host, sizeof(t->host));
	if (l2tp_reliable_restore(&t->rel, r, now_ms))
		return;
	for (uint16_t n = wire_get_u16(r); n && !wire_error(r); n--)
		get_session(r, t, now_ms);
}

static void get_up(struct wire_reader *r, struct peer_up *up)
{
	*up = (struct peer_up){0};
	up->r = wire_get_u64(r);
	up->slot = wire_get_u32(r);
	get_addr(r, &up->local);
	get_addr(r, &up->peer);
	up->natt = wire_get_u8(r);
	up->held = wire_get_u8(r);
	get_text(r, up->identity, sizeof(up->identity));
	get_text(r, up->suite, sizeof(up->suite));
}

struct lns_peer *lns_peer_restore(
    struct wire_reader *r, struct lns *lns, uint64_t now_ms)
{
	enum lns_peer_state state;
	struct peer_up up;
	struct lns_peer *p;

	get_up(r, &up);
	state = (enum lns_peer_state)get_below(r, LNS_PEER_STATE_COUNT);
	if (wire_error(r) || !up.r || !up.slot || up.slot > PEER_SLOT_MAX ||
	    state == LNS_PEER_GONE || lns_peer_find(lns, up.r)) {
		wire_fail(r);
		return NULL;
	}
	p = lns_peer_new(lns, &up);
	if (get_below(r, 2) != 0 && !lns_peer_claim_slot(p))
		wire_fail(r);
	lns_peer_restore_state(p, state);
	p->generation = get_below(r, LNS_GENERATIONS);
	p->deadline = saved_time_get(r, now_ms);
	get_text(r, p->reason, sizeof(p->reason));
	for (uint16_t n = wire_get_u16(r); n && !wire_error(r); n--)
		get_tunnel(r, p, now_ms);
	lns_peer_schedule(p);
	if (!wire_error(r))
		return p;
	lns_peer_free(p);
	return NULL;
}

struct lns *lns_restore(const struct lns_config *cfg, lns_random_fn random,
    void *ctx, uint64_t now_ms, const uint8_t *data, size_t len)
{
	struct lns *lns = lns_new(cfg, random, ctx);
	struct wire_reader r;

	wire_reader_init(&r, data, len);
	if (wire_get_u32(&r) != SAVE_VERSION)
		wire_fail(&r);
	lns->is_shut_down = wire_get_u8(&r) != 0;
	for (uint32_t n = wire_get_u32(&r); n && !wire_error(&r); n--)
		lns_peer_restore(&r, lns, now_ms);
	if (!wire_error(&r) && !wire_left(&r))
		return lns;
	lns_free(lns);
	return NULL;
}
