/* SPDX-License-Identifier: ISC */
/* Fake kernel, clock, link and ikev1d; the contract is in the header. */
#include "test/lib/l2tp_world.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define KERNEL_MS 5
#define LINK_MS 10

/* Something on its way: a datagram or an event. */
struct world_item {
	struct world_item *next;
	uint64_t at;
	struct world_client *to; /* a datagram for this client, or */
	struct lns_event ev;	 /* an event of the core */
	uint8_t *data;
	size_t len;
	char text[160];
};

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

__attribute__((format(printf, 2, 3))) static void fault(
    struct world *w, const char *format, ...)
{
	va_list ap;

	if (w->fault[0])
		return;
	va_start(ap, format);
	vsnprintf(w->fault, sizeof(w->fault), format, ap);
	va_end(ap);
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
	free(w->transcript);
	free(w->log);
}

struct addr world_addr(uint8_t n, uint16_t port)
{
	return (struct addr){
	    .family = ADDR_IPV4, .ip = {10, 9, 0, n}, .port = port};
}

/* --- what the fake kernel has --------------------------------------- */

struct world_peer *world_peer(struct world *w, uint64_t r)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->peers[i].r == r)
			return &w->peers[i];
	return NULL;
}

static struct world_tunnel *find_tunnel(
    struct world *w, uint64_t r, uint16_t id)
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

static struct world_item *later_event(
    struct world *w, uint64_t ms, const struct lns_action *act)
{
	struct world_item *it = later(w, ms);

	it->ev.r = act->r;
	it->ev.tunnel_id = act->tunnel_id;
	it->ev.session_id = act->session_id;
	return it;
}

static void answer(struct world *w, const struct lns_action *act,
    enum lns_event_type type, int error)
{
	struct world_item *it;

	if (w->kernel_is_stuck)
		return;
	it = later_event(w, KERNEL_MS, act);
	it->ev.type = type;
	it->ev.error = error;
}

/* One datagram into the link, in either direction. */
static void link_send(struct world *w, struct world_client *to,
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
		fault(w, "SOCKET_OPEN twice or without up");
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->peers[i].slot == p->slot && w->peers[i].socket)
			fault(w, "SOCKET_OPEN: slot %u in use", p->slot);
	p->socket = w->socket_error == 0;
	answer(w, act, LNS_EV_SOCKET_OPENED, w->socket_error);
}

static void on_tunnel_open(struct world *w, const struct lns_action *act)
{
	struct world_tunnel *t = find_tunnel(w, 0, 0);

	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->tunnels[i].r && w->tunnels[i].id == act->tunnel_id)
			fault(w, "TUNNEL_OPEN: %u exists", act->tunnel_id);
	if (!world_peer(w, act->r)->socket || act->tunnel_id >> 14 == 3 ||
	    (act->tunnel_id & PEER_SLOT_MAX) != act->slot)
		fault(w, "TUNNEL_OPEN: bad id %u", act->tunnel_id);
	w->tunnel_opens++;
	answer(w, act, LNS_EV_TUNNEL_OPENED, w->tunnel_error);
	if (!t || w->tunnel_error)
		return;
	*t = (struct world_tunnel){.r = act->r,
	    .id = act->tunnel_id,
	    .peer_id = act->peer_tunnel_id,
	    .peer = act->peer,
	    .open = true};
}

static void on_tunnel_close(struct world *w, const struct lns_action *act)
{
	struct world_tunnel *t = find_tunnel(w, act->r, act->tunnel_id);

	if (!t) {
		fault(w, "TUNNEL_CLOSE: no tunnel %u", act->tunnel_id);
		return;
	}
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->sessions[i].r == act->r &&
		    w->sessions[i].tunnel_id == act->tunnel_id)
			fault(w, "TUNNEL_CLOSE before SESSION_CLOSE");
	*t = (struct world_tunnel){0};
}

static void on_session_open(struct world *w, const struct lns_action *act)
{
	struct world_session *s = find_session(w, act->session_id);

	if (s)
		fault(w, "SESSION_OPEN: id %u exists", act->session_id);
	if (!find_tunnel(w, act->r, act->tunnel_id) || !act->session_id ||
	    !act->peer_session_id)
		fault(w, "SESSION_OPEN without tunnel or ids");
	w->session_opens++;
	answer(w, act, LNS_EV_SESSION_OPENED, w->session_error);
	for (size_t i = 0; i < WORLD_OBJECTS && !w->session_error; i++) {
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
		fault(w, "SESSION_CLOSE: no session %u", act->session_id);
		return;
	}
	w->session_closes++;
	*s = (struct world_session){0};
}

static void on_send(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);
	struct world_tunnel *t = find_tunnel(w, act->r, act->tunnel_id);

	if (!p->socket || p->freed || !act->len)
		fault(w, "SEND without R's socket");
	if (act->tunnel_id && (!t || !addr_equal(&t->peer, &act->peer)))
		fault(w, "SEND on tunnel %u, not there", act->tunnel_id);
	if (act->len > L2TP_HEADER_LEN) {
		memcpy(w->last, act->data, act->len);
		w->last_len = act->len;
	}
	for (size_t i = 0; i < WORLD_CLIENTS; i++) {
		struct world_client *c = &w->clients[i];

		if (c->is_used && c->r == act->r &&
		    addr_equal(&c->addr, &act->peer)) {
			link_send(w, c, NULL, act->data, act->len);
			return;
		}
	}
}

static void on_peer_close(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);
	struct world_item *it;

	if (!act->text || !act->text[0])
		fault(w, "PEER_CLOSE without a reason");
	p->close_asked = true;
	snprintf(p->reason, sizeof(p->reason), "%s", act->text);
	if (w->ike_is_deaf)
		return;
	it = later_event(w, KERNEL_MS, act);
	it->ev.type = LNS_EV_PEER_DOWN;
}

static void on_peer_free(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);

	if (p->freed || has_objects(w, act->r))
		fault(w, "PEER_FREE twice or with objects left");
	p->freed = true;
	p->socket = false;
	answer(w, act, LNS_EV_PEER_CLOSED, 0);
}

static void carry_out(struct world *w, const struct lns_action *act)
{
	struct world_peer *p = world_peer(w, act->r);

	write_down(w, act);
	if (act->type == LNS_ACT_LOG)
		return;
	if (!p) {
		if (act->type != LNS_ACT_PEER_GONE)
			fault(w, "an action for an R that was never up");
		return;
	}
	if (p->gone)
		fault(w, "an action after PEER_GONE");
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
	fault(w, "what was saved can't be restored");
	w->lns = lns_new(&w->cfg, world_random, w);
}

void world_event(struct world *w, const struct lns_event *ev)
{
	struct lns_event now = *ev;

	if (w->save_each)
		renew(w);
	now.now_ms = w->now;
	lns_step(w->lns, &now, &w->actions);
	for (size_t i = 0; i < w->actions.count; i++)
		carry_out(w, &w->actions.items[i]);
	lns_actions_clear(&w->actions);
}

void world_simple(struct world *w, enum lns_event_type type, uint64_t r)
{
	const struct lns_event ev = {.type = type, .r = r};

	world_event(w, &ev);
}

static void know_peer(struct world *w, uint64_t r, uint32_t slot)
{
	struct world_peer *p = world_peer(w, r);

	if (!p)
		p = world_peer(w, 0);
	if (p)
		p->r = r, p->slot = slot;
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

	know_peer(w, r, slot);
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

	link_send(c->world, NULL, &ev, data, len);
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
