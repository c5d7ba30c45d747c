/* SPDX-License-Identifier: ISC */
/* Fake kernel, clock, link and ikev1d; the contract is in the header. */
#include "test/lib/l2tp_world_in.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* --- small things --------------------------------------------------- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dull;
}

static bool chance(struct world *w, unsigned int percent)
{
	return (next_random(&w->link_random) >> 33) % 100 < percent;
}

int world_random(void *ctx, void *out, size_t len)
{
	struct world *w = ctx;
	uint8_t *p = out;

	if (w->random_fails)
		return -EIO;
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(next_random(&w->lns_random) >> 40);
	return 0;
}

void world_init(struct world *w, uint64_t seed)
{
	*w = (struct world){
	    .cfg =
		{
		    .hostname = "sallyport",
		    .receive_window = 4,
		    .hello_ms = 60000,
		    .retransmit_ms = 1000,
		    .retransmit_cap_ms = 8000,
		    .retries = 5,
		    .setup_ms = 30000,
		    .max_calls = 2,
		    .idle_peer_ms = 120000,
		},
	    .link_random = seed * 2654435761u + 88172645463325252ull,
	    .lns_random = seed + 0x9e3779b97f4a7c15ull,
	    .now = 1000000,
	    .drop_at = -1,
	    .die_at = -1,
	};
	w->lns = lns_new(&w->cfg, world_random, w);
}

void world_free(struct world *w)
{
	struct world_item *it, *next;

	LL_FOREACH_SAFE(w->items, it, next)
	{
		free(it->data);
		free(it);
	}
	for (size_t i = 0; i < WORLD_CLIENTS; i++)
		if (w->clients[i].is_used)
			l2tp_client_free(&w->clients[i].lac);
	lns_free(w->lns);
	lns_actions_free(&w->actions);
	world_forget_records(w);
	free(w->transcript);
	free(w->log);
}

struct addr world_addr(uint8_t n, uint16_t port)
{
	return (struct addr){
	    .family = ADDR_IPV4, .ip = {10, 9, 0, n}, .port = port};
}

/* --- what will happen ------------------------------------------------ */

static int by_time(const struct world_item *a, const struct world_item *b)
{
	return a->at < b->at ? -1 : a->at > b->at;
}

/* Behind all others of the same time. */
static struct world_item *later(struct world *w, uint64_t ms)
{
	struct world_item *it = xcalloc(1, sizeof(*it));
	struct world_item *at, *prev = NULL;

	it->at = w->now + ms;
	LL_FOREACH(w->items, at)
	{
		if (by_time(at, it) > 0)
			break;
		prev = at;
	}
	if (prev)
		LL_APPEND_ELEM(w->items, prev, it);
	else
		LL_PREPEND(w->items, it);
	return it;
}

struct world_item *world_later(
    struct world *w, uint64_t ms, const struct lns_action *act)
{
	struct world_item *it = later(w, ms);

	it->ev.r = act->r;
	it->ev.tunnel_id = act->tunnel_id;
	it->ev.session_id = act->session_id;
	return it;
}

void world_answer(struct world *w, const struct lns_action *act,
    enum lns_event_type type, int error)
{
	struct world_item *it;

	if (w->kernel_is_stuck)
		return;
	it = world_later(w, KERNEL_MS, act);
	it->ev.type = type;
	it->ev.error = error;
}

/* One datagram into the link, in either direction. */
void world_link(struct world *w, struct world_client *to,
    const struct lns_event *ev, const uint8_t *data, size_t len)
{
	struct world_item *it;
	int copies = chance(w, w->twice) ? 2 : 1;

	if (w->sent++ == w->drop_at || chance(w, w->loss))
		return;
	while (copies--) {
		it = later(w, LINK_MS + (next_random(&w->link_random) >> 33) %
					    (w->jitter + 1));
		it->to = to;
		if (ev)
			it->ev = *ev;
		it->data = xmemdup(data, len);
		it->len = len;
	}
}

/* --- events --------------------------------------------------------- */

static void renew(struct world *w)
{
	size_t len;
	uint8_t *saved = lns_save(w->lns, w->now, &len);

	lns_free(w->lns);
	w->lns = lns_restore(&w->cfg, world_random, w, w->now, saved, len);
	free(saved);
	if (w->lns)
		return;
	world_fault(w, "what was saved can't be restored");
	w->lns = lns_new(&w->cfg, world_random, w);
}

static void discard_actions(struct world *w)
{
	for (size_t i = 0; i < w->actions.count; i++)
		if (w->actions.items[i].type == LNS_ACT_LOG)
			world_carry_out(w, &w->actions.items[i]);
	lns_actions_clear(&w->actions);
}

void world_event(struct world *w, const struct lns_event *ev)
{
	struct lns_event now = *ev;
	struct world_peer *p = world_peer(w, ev->r);

	if (w->save_each)
		renew(w);
	if (w->die_each && !w->is_resuming)
		world_die(w);
	if (ev->type == LNS_EV_PEER_DOWN && p)
		p->is_up = false;
	now.now_ms = w->now;
	lns_step(w->lns, &now, &w->actions);
	world_keep_records(w);
	if (!w->is_resuming && w->events++ == w->die_at) {
		discard_actions(w);
		world_die(w);
		return;
	}
	for (size_t i = 0; i < w->actions.count; i++)
		world_carry_out(w, &w->actions.items[i]);
	lns_actions_clear(&w->actions);
}

void world_simple(struct world *w, enum lns_event_type type, uint64_t r)
{
	const struct lns_event ev = {.type = type, .r = r};

	world_event(w, &ev);
}

static void know_peer(struct world *w, const struct peer_up *up)
{
	struct world_peer *p = world_peer(w, up->r);

	if (!p)
		p = world_peer(w, 0);
	if (!p)
		return;
	p->r = up->r;
	p->slot = up->slot;
	p->up = *up;
	p->is_up = true;
}

void world_up(struct world *w, uint64_t r, uint32_t slot)
{
	struct peer_up up = {.r = r,
	    .slot = slot,
	    .local = {.family = ADDR_IPV4, .ip = {192, 0, 2, 1}, .port = 4500},
	    .peer = {.family = ADDR_IPV4,
		.ip = {203, 0, 113, 5},
		.port = (uint16_t)(40000 + slot)},
	    .natt = 1,
	    .identity = "10.9.0.1",
	    .suite = "aes256-sha256-modp2048"};
	const struct lns_event ev = {.type = LNS_EV_PEER_UP, .r = r, .up = &up};

	if (w->is_ipv6)
		up.local.family = up.peer.family = ADDR_IPV6;
	know_peer(w, &up);
	world_event(w, &ev);
}

/* The kernel's choice: a connected socket, or R's. */
static void deliver(struct world *w, struct world_item *it)
{
	struct world_peer *p = world_peer(w, it->ev.r);

	if (!p || !p->socket)
		return;
	it->ev.tunnel_id = 0;
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->tunnels[i].r == p->r && w->tunnels[i].open &&
		    addr_equal(&w->tunnels[i].peer, &it->ev.peer))
			it->ev.tunnel_id = w->tunnels[i].id;
	it->ev.data = (struct wire_span){it->data, it->len};
	world_event(w, &it->ev);
}

void world_inject(struct world *w, uint64_t r, const struct addr *from,
    const void *data, size_t len)
{
	struct world_item it = {.ev = {.type = LNS_EV_DATAGRAM, .r = r}};

	it.ev.peer = *from;
	it.data = xmemdup(data, len);
	it.len = len;
	deliver(w, &it);
	free(it.data);
}

static void client_emit(void *ctx, const uint8_t *data, size_t len)
{
	struct world_client *c = ctx;
	struct lns_event ev = {
	    .type = LNS_EV_DATAGRAM, .r = c->r, .peer = c->addr};

	world_link(c->world, NULL, &ev, data, len);
}

struct l2tp_client *world_client(struct world *w, uint64_t r,
    const struct addr *addr, const struct l2tp_client_config *cfg)
{
	for (size_t i = 0; i < WORLD_CLIENTS; i++) {
		struct world_client *c = &w->clients[i];

		if (c->is_used)
			continue;
		*c = (struct world_client){
		    .world = w, .r = r, .addr = *addr, .is_used = true};
		l2tp_client_init(&c->lac, cfg, client_emit, c);
		return &c->lac;
	}
	abort();
}

void world_client_end(struct world *w, struct l2tp_client *lac)
{
	struct world_item *it, *next;
	struct world_client *c = lac->ctx;

	LL_FOREACH_SAFE(w->items, it, next)
	{
		if (it->to != c)
			continue;
		LL_DELETE(w->items, it);
		free(it->data);
		free(it);
	}
	l2tp_client_free(lac);
	c->is_used = false;
}

/* --- time ----------------------------------------------------------- */

static uint64_t next_time(const struct world *w)
{
	uint64_t at = lns_next_deadline(w->lns);

	if (w->items && w->items->at < at)
		at = w->items->at;
	for (size_t i = 0; i < WORLD_CLIENTS; i++)
		if (w->clients[i].is_used &&
		    w->clients[i].lac.rel.deadline < at)
			at = w->clients[i].lac.rel.deadline;
	return at;
}

static void happen(struct world *w, struct world_item *it)
{
	world_forget_failed(w, &it->ev);
	if (it->to && it->to->is_used)
		l2tp_client_receive(&it->to->lac,
		    (struct wire_span){it->data, it->len}, w->now);
	else if (!it->to && it->ev.type == LNS_EV_DATAGRAM)
		deliver(w, it);
	else if (!it->to)
		world_event(w, &it->ev);
}

static void pass(struct world *w)
{
	struct world_item *it;

	while (w->items && w->items->at <= w->now) {
		it = w->items;
		LL_DELETE(w->items, it);
		happen(w, it);
		free(it->data);
		free(it);
	}
	for (size_t i = 0; i < WORLD_CLIENTS; i++)
		if (w->clients[i].is_used &&
		    w->clients[i].lac.rel.deadline <= w->now)
			l2tp_client_tick(&w->clients[i].lac, w->now);
	if (lns_next_deadline(w->lns) <= w->now)
		world_simple(w, LNS_EV_TICK, 0);
}

void world_run(struct world *w, uint64_t ms)
{
	const uint64_t end = w->now + ms;
	uint64_t at;

	while ((at = next_time(w)) <= end) {
		if (at > w->now)
			w->now = at;
		pass(w);
	}
	w->now = end;
}

static void count_row(void *ctx, const struct lns_row *row)
{
	size_t *n = ctx;

	*n += row->r != 0;
}

size_t world_rows(const struct world *w)
{
	size_t n = 0;

	lns_each(w->lns, count_row, &n);
	return n;
}

bool world_logged(const struct world *w, const char *text)
{
	return w->log && strstr(w->log, text);
}
