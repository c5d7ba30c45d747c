/* SPDX-License-Identifier: ISC */
/* Events to their handlers; the contract is in the header. */
#include "l2tpd/core/lns.h"
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static uint16_t within(uint16_t v, uint16_t min, uint16_t max)
{
	if (v < min)
		return min;
	return v > max ? max : v;
}

struct lns *lns_new(
    const struct lns_config *cfg, lns_random_fn random, void *ctx)
{
	struct lns *lns = xcalloc(1, sizeof(*lns));

	lns->cfg = *cfg;
	lns->cfg.hostname[LNS_HOSTNAME_MAX - 1] = '\0';
	if (!lns->cfg.hostname[0])
		strcpy(lns->cfg.hostname, "lns");
	lns->cfg.receive_window =
	    within(cfg->receive_window, 1, L2TP_RX_WINDOW_MAX);
	if (!lns->cfg.retransmit_ms)
		lns->cfg.retransmit_ms = 1000;
	if (lns->cfg.retransmit_cap_ms < lns->cfg.retransmit_ms)
		lns->cfg.retransmit_cap_ms = lns->cfg.retransmit_ms;
	lns->random = random;
	lns->random_ctx = ctx;
	return lns;
}

void lns_free(struct lns *lns)
{
	struct lns_peer *p, *next;

	if (!lns)
		return;
	HASH_ITER(hh, lns->peers, p, next)
	{
		lns_peer_free(p);
	}
	free(lns->heap);
	free(lns->ended);
	free(lns->record);
	free(lns);
}

/* --- events --------------------------------------------------------- */

/* One peer a tick: whoever hosts us can tell whose event it was. */
static void on_tick(struct lns *lns)
{
	struct lns_peer *p = lns_due(lns, lns->now);
	uint64_t r;

	if (!p)
		return;
	r = p->up.r;
	lns_peer_tick(p);
	lns_peer_settle(p);
	/* Whatever stays due comes back with the next tick. */
	p = lns_peer_find(lns, r);
	if (p && p->due <= lns->now)
		lns_schedule(p, lns->now + 1);
}

static void on_shutdown(struct lns *lns)
{
	struct lns_peer *p, *next;

	lns->is_shut_down = true;
	HASH_ITER(hh, lns->peers, p, next)
	{
		lns_peer_disconnect(
		    p, L2TP_STOP_SHUTDOWN, "the server is shutting down");
		lns_peer_settle(p);
	}
}

static void on_tunnel_opened(struct lns_peer *p, const struct lns_event *ev)
{
	struct lns_cause cause = {.text = ev->text};
	struct lns_tunnel *t = lns_tunnel_find(p, ev->tunnel_id);

	if (!t)
		return;
	if (ev->error && !cause.text)
		cause.text = strerror(-ev->error);
	lns_tunnel_apply(
	    t, ev->error ? TUNNEL_EV_OPEN_FAILED : TUNNEL_EV_OPENED, &cause);
}

static void on_session(struct lns_peer *p, const struct lns_event *ev)
{
	struct lns_cause cause = {.text = ev->text};
	struct lns_tunnel *t = lns_tunnel_find(p, ev->tunnel_id);
	struct lns_session *s;
	enum lns_session_event what = SESSION_EV_PPP_DOWN;

	s = t ? lns_session_find(t, ev->session_id) : NULL;
	if (!s)
		return;
	if (ev->type == LNS_EV_SESSION_OPENED)
		what = ev->error ? SESSION_EV_OPEN_FAILED : SESSION_EV_OPENED;
	if (ev->error && !cause.text)
		cause.text = strerror(-ev->error);
	if (what == SESSION_EV_PPP_DOWN && !cause.text)
		cause.text = "PPP ended";
	lns_session_apply(s, what, &cause);
}

/* An event of one peer that is known. */
static void on_peer_event(struct lns_peer *p, const struct lns_event *ev)
{
	switch (ev->type) {
	case LNS_EV_PEER_UPDATE:
		if (ev->up)
			lns_peer_update(p, ev->up);
		break;
	case LNS_EV_PEER_DOWN:
		lns_peer_down(p, ev->text);
		break;
	case LNS_EV_SOCKET_OPENED:
		lns_peer_socket_opened(p, ev->error, ev->text);
		break;
	case LNS_EV_DATAGRAM:
		lns_datagram(p, ev);
		break;
	case LNS_EV_TUNNEL_OPENED:
		on_tunnel_opened(p, ev);
		break;
	case LNS_EV_SESSION_OPENED:
	case LNS_EV_SESSION_DOWN:
		on_session(p, ev);
		break;
	case LNS_EV_PEER_CLOSED:
		lns_peer_closed(p);
		break;
	case LNS_EV_DISCONNECT:
		lns_peer_disconnect(p, L2TP_STOP_CLEAR,
		    ev->text ? ev->text : "disconnected by the operator");
		break;
	case LNS_EV_TICK:
	case LNS_EV_PEER_UP:
	case LNS_EV_FOUND:
	case LNS_EV_FOUND_END:
	case LNS_EV_SHUTDOWN:
		break;
	}
	lns_peer_settle(p);
}

static uint64_t r_of(const struct lns_event *ev)
{
	return ev->type == LNS_EV_PEER_UPDATE && ev->up ? ev->up->r : ev->r;
}

void lns_step(
    struct lns *lns, const struct lns_event *ev, struct lns_actions *out)
{
	struct lns_peer *p;

	lns->now = ev->now_ms;
	lns->out = out;
	if (ev->type == LNS_EV_TICK) {
		on_tick(lns);
	} else if (ev->type == LNS_EV_SHUTDOWN) {
		on_shutdown(lns);
	} else if (ev->type == LNS_EV_PEER_UP) {
		if (ev->up)
			lns_peer_up(lns, ev->up);
	} else if (ev->type == LNS_EV_FOUND) {
		if (ev->up)
			lns_found(lns, ev);
	} else if (ev->type == LNS_EV_FOUND_END) {
		lns_found_end(lns);
	} else {
		p = lns_peer_find(lns, r_of(ev));
		if (p)
			on_peer_event(p, ev);
		else if (ev->type == LNS_EV_PEER_DOWN)
			lns_act_bare(lns, LNS_ACT_PEER_GONE, ev->r, 0, NULL);
	}
	lns->out = NULL;
}

uint64_t lns_next_deadline(const struct lns *lns)
{
	return lns->heap_len ? lns->heap[1]->due : LNS_NEVER;
}

uint64_t lns_next_r(const struct lns *lns)
{
	return lns->heap_len ? lns->heap[1]->up.r : 0;
}

/* --- rows ----------------------------------------------------------- */

static struct lns_row peer_row(const struct lns_peer *p)
{
	return (struct lns_row){
	    .r = p->up.r,
	    .slot = p->up.slot,
	    .local = p->up.local,
	    .peer = p->up.peer,
	    .natt = p->up.natt != 0,
	    .held = p->up.held != 0,
	    .identity = p->up.identity,
	    .suite = p->up.suite,
	    .state = lns_peer_state_name(p->state),
	    .peer_host = "",
	};
}

static size_t tunnel_rows(const struct lns_peer *p, lns_row_fn fn, void *ctx)
{
	const struct lns_tunnel *t;
	const struct lns_session *s;
	const struct lns_row base = peer_row(p);
	size_t rows = 0;

	LL_FOREACH(p->tunnels, t)
	{
		struct lns_row row = base;

		if (t->state == LNS_TUNNEL_LINGER)
			continue;
		rows++;
		row.tunnel_id = t->id;
		row.peer_host = t->host;
		row.state = lns_tunnel_state_name(t->state);
		if (!t->sessions)
			fn(ctx, &row);
		LL_FOREACH(t->sessions, s)
		{
			row.session_id = s->id;
			row.state = lns_session_state_name(s->state);
			fn(ctx, &row);
		}
	}
	return rows;
}

void lns_each(const struct lns *lns, lns_row_fn fn, void *ctx)
{
	struct lns_peer *p, *next;

	HASH_ITER(hh, lns->peers, p, next)
	{
		const struct lns_row row = peer_row(p);

		if (!tunnel_rows(p, fn, ctx))
			fn(ctx, &row);
	}
}
