/* SPDX-License-Identifier: ISC */
/*
 * Peers: from PEER_UP over R's socket to PEER_GONE, and the place where
 * the objects of a peer are freed.
 */
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

const char *lns_peer_state_name(enum lns_peer_state state)
{
	switch (state) {
#define X(id, text)                                                            \
	case LNS_PEER_##id:                                                    \
		return text;
		LNS_PEER_STATES(X)
#undef X
	case LNS_PEER_STATE_COUNT:
		break;
	}
	return "unknown";
}

struct lns_peer *lns_peer_find(const struct lns *lns, uint64_t r)
{
	struct lns_peer *p;

	HASH_FIND(hh, lns->peers, &r, sizeof(r), p);
	return p;
}

static struct lns_peer *slot_owner(const struct lns *lns, uint32_t slot)
{
	struct lns_peer *p;

	HASH_FIND(by_slot, lns->slots, &slot, sizeof(slot), p);
	return p;
}

/* The only writer of a peer's state. */
static void set_state(struct lns_peer *p, enum lns_peer_state next)
{
	if (p->state == next)
		return;
	p->lns->waiting -= p->state == LNS_PEER_WAIT_SLOT;
	p->lns->waiting += next == LNS_PEER_WAIT_SLOT;
	p->state = next;
	p->deadline = LNS_NEVER;
}

void lns_peer_restore_state(struct lns_peer *peer, enum lns_peer_state state)
{
	set_state(peer, state);
}

struct lns_peer *lns_peer_new(struct lns *lns, const struct peer_up *up)
{
	struct lns_peer *p = xcalloc(1, sizeof(*p));

	p->lns = lns;
	p->up = *up;
	p->deadline = LNS_NEVER;
	p->due = LNS_NEVER;
	lns->waiting++;
	HASH_ADD(hh, lns->peers, up.r, sizeof(p->up.r), p);
	return p;
}

bool lns_peer_claim_slot(struct lns_peer *peer)
{
	struct lns *lns = peer->lns;

	if (slot_owner(lns, peer->up.slot))
		return false;
	HASH_ADD(by_slot, lns->slots, up.slot, sizeof(peer->up.slot), peer);
	return true;
}

bool lns_peer_has_slot(const struct lns_peer *peer)
{
	return slot_owner(peer->lns, peer->up.slot) == peer;
}

void lns_peer_free(struct lns_peer *peer)
{
	struct lns *lns = peer->lns;

	while (peer->tunnels)
		lns_tunnel_free(peer->tunnels);
	lns->waiting -= peer->state == LNS_PEER_WAIT_SLOT;
	lns_peer_untouch(peer);
	lns_unschedule(peer);
	if (lns_peer_has_slot(peer))
		HASH_DELETE(by_slot, lns->slots, peer);
	HASH_DELETE(hh, lns->peers, peer);
	free(peer);
}

void lns_peer_open(struct lns_peer *peer)
{
	struct lns_action *act = lns_act(peer, LNS_ACT_SOCKET_OPEN);

	act->up = xmemdup(&peer->up, sizeof(peer->up));
	set_state(peer, LNS_PEER_WAIT_SOCKET);
	lns_peer_touch(peer);
}

static void copy_reason(struct lns_peer *p, const char *why)
{
	if (why != p->reason)
		snprintf(p->reason, sizeof(p->reason), "%s", why ? why : "");
}

void lns_peer_update(struct lns_peer *peer, const struct peer_up *up)
{
	const uint32_t slot = peer->up.slot;

	peer->up = *up;
	peer->up.slot = slot;
}

/* ikev1d tells all its R again after a new connection. */
static void up_again(struct lns_peer *p, const struct peer_up *up)
{
	lns_peer_update(p, up);
	if (p->state == LNS_PEER_READY)
		lns_act(p, LNS_ACT_PEER_READY);
	else if (p->state == LNS_PEER_ASKED)
		lns_act_text(p, LNS_ACT_PEER_CLOSE, p->reason);
}

/* Whoever has the slot, or waits for it, is older and ends. */
static void end_slot_users(struct lns *lns, uint32_t slot)
{
	struct lns_peer *p, *next;

	HASH_ITER(hh, lns->peers, p, next)
	{
		if (p->up.slot != slot)
			continue;
		lns_peer_down(p, "its slot belongs to a new R");
		lns_peer_settle(p);
	}
}

void lns_peer_up(struct lns *lns, const struct peer_up *up)
{
	struct lns_peer *p = lns_peer_find(lns, up->r);
	const char *why = NULL;

	if (p) {
		up_again(p, up);
		lns_peer_settle(p);
		return;
	}
	if (!up->r || !up->slot || up->slot > PEER_SLOT_MAX)
		why = "R or slot out of range";
	else if (up->local.family == ADDR_IPV6)
		why = "L2TP over IPv6 is not served yet: dial an IPv4 address";
	else if (lns->is_shut_down)
		why = "l2tpd is shutting down";
	if (why) {
		lns_act_bare(lns, LNS_ACT_PEER_REFUSED, up->r, up->slot, why);
		return;
	}
	if (slot_owner(lns, up->slot))
		end_slot_users(lns, up->slot);
	p = lns_peer_new(lns, up);
	if (lns_peer_claim_slot(p))
		lns_peer_open(p);
	lns_peer_settle(p);
}

void lns_peer_socket_opened(struct lns_peer *peer, int error, const char *text)
{
	if (peer->state != LNS_PEER_WAIT_SOCKET)
		return;
	if (!error) {
		set_state(peer, LNS_PEER_READY);
		lns_act(peer, LNS_ACT_PEER_READY);
		return;
	}
	copy_reason(peer, text ? text : strerror(-error));
	lns_log(peer, LNS_LOG_WARN, "no socket: %s", peer->reason);
	lns_act_text(peer, LNS_ACT_PEER_REFUSED, peer->reason);
	lns_act(peer, LNS_ACT_PEER_FREE);
	set_state(peer, LNS_PEER_ENDING);
}

static void drop_tunnels(struct lns_peer *p)
{
	const struct lns_cause none = {0};
	struct lns_tunnel *t;

	LL_FOREACH(p->tunnels, t)
	{
		lns_tunnel_apply(t, TUNNEL_EV_DROP, &none);
	}
}

void lns_peer_down(struct lns_peer *peer, const char *why)
{
	if (peer->state == LNS_PEER_ENDING || peer->state == LNS_PEER_GONE)
		return;
	lns_log(peer, LNS_LOG_INFO, "ends: %s", why ? why : "its SAs are gone");
	if (peer->state == LNS_PEER_WAIT_SLOT) {
		lns_act(peer, LNS_ACT_PEER_GONE);
		set_state(peer, LNS_PEER_GONE);
		return;
	}
	drop_tunnels(peer);
	lns_act(peer, LNS_ACT_PEER_FREE);
	set_state(peer, LNS_PEER_ENDING);
}

void lns_peer_closed(struct lns_peer *peer)
{
	if (peer->state != LNS_PEER_ENDING)
		return;
	lns_act(peer, LNS_ACT_PEER_GONE);
	set_state(peer, LNS_PEER_GONE);
}

void lns_peer_ask_close(struct lns_peer *peer, const char *why)
{
	if (peer->state == LNS_PEER_ASKED || peer->state == LNS_PEER_ENDING ||
	    peer->state == LNS_PEER_GONE)
		return;
	copy_reason(peer, why);
	set_state(peer, LNS_PEER_ASKED);
	lns_log(peer, LNS_LOG_INFO, "asks for its end: %s", peer->reason);
	lns_act_text(peer, LNS_ACT_PEER_CLOSE, peer->reason);
}

void lns_peer_disconnect(
    struct lns_peer *peer, uint16_t result, const char *why)
{
	const struct lns_cause cause = {.result = result, .text = why};
	struct lns_tunnel *t;

	if (peer->state != LNS_PEER_READY) {
		if (peer->state != LNS_PEER_CLOSING)
			lns_peer_ask_close(peer, why);
		return;
	}
	copy_reason(peer, why);
	set_state(peer, LNS_PEER_CLOSING);
	peer->deadline = peer->lns->now + LNS_CLOSE_WAIT_MS;
	LL_FOREACH(peer->tunnels, t)
	{
		lns_tunnel_apply(t, TUNNEL_EV_REFUSE, &cause);
	}
}

/* --- time and the end of an event ----------------------------------- */

bool lns_peer_has_live_tunnel(const struct lns_peer *peer)
{
	const struct lns_tunnel *t;

	LL_FOREACH(peer->tunnels, t)
	{
		if (lns_tunnel_is_live(t))
			return true;
	}
	return false;
}

void lns_peer_tick(struct lns_peer *peer)
{
	const uint64_t now = peer->lns->now;
	struct lns_tunnel *t;
	char why[64];

	LL_FOREACH(peer->tunnels, t)
	{
		lns_tunnel_tick(t);
	}
	if (peer->deadline > now)
		return;
	peer->deadline = LNS_NEVER;
	if (peer->state == LNS_PEER_CLOSING) {
		drop_tunnels(peer);
	} else if (peer->state == LNS_PEER_READY) {
		snprintf(why, sizeof(why), "no tunnel for %u s",
		    peer->lns->cfg.idle_peer_ms / 1000);
		if (!peer->generation)
			lns_refuse(peer, 0,
			    "IPsec works; look at the L2TP settings of the "
			    "client and at what filters UDP 1701",
			    "IPsec is up, but no tunnel came: %s", why);
		lns_peer_ask_close(peer, why);
	}
}

/* READY without a tunnel: the clock runs. */
static void watch_idle(struct lns_peer *p)
{
	const uint32_t ms = p->lns->cfg.idle_peer_ms;

	if (p->state != LNS_PEER_READY || !ms)
		return;
	if (lns_peer_has_live_tunnel(p))
		p->deadline = LNS_NEVER;
	else if (p->deadline == LNS_NEVER)
		p->deadline = p->lns->now + ms;
}

static bool is_closed(const struct lns_peer *p)
{
	const struct lns_tunnel *t;

	LL_FOREACH(p->tunnels, t)
	{
		if (t->state != LNS_TUNNEL_LINGER)
			return false;
	}
	return true;
}

static void next_of_slot(struct lns *lns, uint32_t slot)
{
	struct lns_peer *p, *next;

	if (!lns->waiting)
		return;
	HASH_ITER(hh, lns->peers, p, next)
	{
		if (p->state != LNS_PEER_WAIT_SLOT || p->up.slot != slot)
			continue;
		if (lns_peer_claim_slot(p))
			lns_peer_open(p);
		return;
	}
}

void lns_peer_schedule(struct lns_peer *peer)
{
	uint64_t due = peer->deadline;
	const struct lns_tunnel *t;

	LL_FOREACH(peer->tunnels, t)
	{
		if (lns_tunnel_due(t) < due)
			due = lns_tunnel_due(t);
	}
	lns_schedule(peer, due);
}

void lns_peer_settle(struct lns_peer *peer)
{
	struct lns *lns = peer->lns;
	const uint32_t slot = peer->up.slot;
	struct lns_tunnel *t, *next;

	LL_FOREACH_SAFE(peer->tunnels, t, next)
	{
		lns_tunnel_settle(t);
	}
	if (peer->state == LNS_PEER_CLOSING && is_closed(peer))
		lns_peer_ask_close(peer, peer->reason);
	if (peer->state == LNS_PEER_GONE) {
		lns_peer_free(peer);
		next_of_slot(lns, slot);
		return;
	}
	watch_idle(peer);
	lns_peer_schedule(peer);
	lns_peer_touch(peer);
}
