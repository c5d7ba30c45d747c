/* SPDX-License-Identifier: ISC */
/*
 * After a resume: what the core knows against what the monitor has.  A
 * record is never older than what the monitor was asked, but requests and
 * answers of the last moment are lost.  So, of each thing,
 *
 *	asked for, and the monitor has it: the answer was lost
 *	asked for, and it has it not: the request was lost, or had failed;
 *	  it is made again, and fails again if it must
 *	not wanted, and it has it: the request to close it was lost
 *	in use, and it has it not: it ended meanwhile
 */
#include "l2tpd/core/state.h"

#include <utlist.h>

#define PPP_ENDED "PPP ended while l2tpd's engine was away"

/* --- what the monitor has ---------------------------------------------- */

static void close_stray(const struct lns_peer *p, enum lns_action_type type,
    uint16_t tunnel_id, uint16_t session_id)
{
	struct lns_action *act = lns_act(p, type);

	act->tunnel_id = tunnel_id;
	act->session_id = session_id;
}

bool lns_is_opening(
    const struct lns *lns, uint64_t r, uint16_t tunnel_id, uint16_t session_id)
{
	struct lns_peer *p = lns_peer_find(lns, r);
	struct lns_tunnel *t = p ? lns_tunnel_find(p, tunnel_id) : NULL;
	struct lns_session *s = t ? lns_session_find(t, session_id) : NULL;

	return s && s->state == LNS_SESSION_WAIT_KERNEL;
}

static void found_session(struct lns_peer *p, const struct lns_event *ev)
{
	struct lns_tunnel *t = lns_tunnel_find(p, ev->tunnel_id);
	struct lns_session *s = t ? lns_session_find(t, ev->session_id) : NULL;

	if (s && s->in_kernel &&
	    (!ev->error || s->state == LNS_SESSION_WAIT_KERNEL))
		s->is_found = true;
	else
		close_stray(
		    p, LNS_ACT_SESSION_CLOSE, ev->tunnel_id, ev->session_id);
}

/* A stray tunnel is closed behind its sessions, which come after it. */
static void found_tunnel(struct lns_peer *p, const struct lns_event *ev)
{
	struct lns_tunnel *t = lns_tunnel_find(p, ev->tunnel_id);

	if (t && t->in_kernel)
		t->is_found = true;
	else if ((ev->tunnel_id & PEER_SLOT_MAX) == p->up.slot &&
		 ev->tunnel_id >> 14 < LNS_GENERATIONS)
		p->strays |= (uint8_t)(1u << (ev->tunnel_id >> 14));
	else
		lns_log(p, LNS_LOG_WARN,
		    "tunnel %u of the monitor is not of slot %u: ignored",
		    ev->tunnel_id, p->up.slot);
}

/* An R without a record: its client hears of its end through ikev1d. */
static struct lns_peer *unknown_peer(
    struct lns *lns, const struct lns_event *ev)
{
	const struct peer_up *up = ev->up;
	struct lns_peer *p;

	if (!up->r || !up->slot || up->slot > PEER_SLOT_MAX)
		return NULL;
	p = lns_peer_new(lns, up);
	lns_peer_claim_slot(p);
	lns_peer_ask_close(
	    p, ev->text ? ev->text : "l2tpd's engine lost what it knew of it");
	return p;
}

void lns_found(struct lns *lns, const struct lns_event *ev)
{
	struct lns_peer *p = lns_peer_find(lns, ev->up->r);

	if (!p)
		p = unknown_peer(lns, ev);
	if (!p)
		return;
	p->is_found = true;
	if (ev->session_id)
		found_session(p, ev);
	else if (ev->tunnel_id)
		found_tunnel(p, ev);
	lns_peer_schedule(p);
	lns_peer_touch(p);
}

/* --- and what the core knows ------------------------------------------- */

static void check_session(struct lns_session *s)
{
	const struct lns_cause ended = {.text = PPP_ENDED};

	if (!s->in_kernel)
		return;
	if (s->state != LNS_SESSION_WAIT_KERNEL && !s->is_found) {
		s->in_kernel = false;
		lns_session_apply(s, SESSION_EV_PPP_DOWN, &ended);
	} else if (s->state == LNS_SESSION_WAIT_KERNEL && s->is_found) {
		lns_session_apply(s, SESSION_EV_OPENED, &ended);
	} else if (s->state == LNS_SESSION_WAIT_KERNEL) {
		lns_act_session(s, LNS_ACT_SESSION_OPEN);
	}
	s->is_found = false;
}

/* The monitor ends no tunnel unasked; if it did, it is not to be saved. */
static void tunnel_is_lost(struct lns_tunnel *t)
{
	const struct lns_cause lost = {.text = "the kernel's tunnel is gone"};
	struct lns_session *s;

	LL_FOREACH(t->sessions, s)
	{
		s->in_kernel = false;
	}
	t->in_kernel = false;
	t->has_socket = false;
	if (lns_tunnel_is_live(t))
		lns_tunnel_apply(t, TUNNEL_EV_SILENCE, &lost);
}

static void check_tunnel(struct lns_tunnel *t)
{
	const struct lns_cause none = {0};
	struct lns_session *s;
	const bool is_found = t->is_found;

	t->is_found = false;
	if (!t->in_kernel)
		return;
	if (t->state == LNS_TUNNEL_WAIT_SOCKET && is_found)
		lns_tunnel_apply(t, TUNNEL_EV_OPENED, &none);
	else if (t->state == LNS_TUNNEL_WAIT_SOCKET)
		lns_act_tunnel(t, LNS_ACT_TUNNEL_OPEN);
	else if (!is_found)
		tunnel_is_lost(t);
	LL_FOREACH(t->sessions, s)
	{
		check_session(s);
	}
}

static void close_strays(struct lns_peer *p)
{
	for (unsigned int g = 0; g < LNS_GENERATIONS; g++)
		if (p->strays >> g & 1)
			close_stray(p, LNS_ACT_TUNNEL_CLOSE,
			    (uint16_t)(g << 14 | p->up.slot), 0);
	p->strays = 0;
}

static void check_peer(struct lns_peer *p)
{
	const bool is_found = p->is_found;
	struct lns_tunnel *t;

	p->is_found = false;
	close_strays(p);
	if (p->state == LNS_PEER_WAIT_SLOT) {
		if (lns_peer_claim_slot(p))
			lns_peer_open(p);
		return;
	}
	if (p->state == LNS_PEER_WAIT_SOCKET) {
		if (is_found)
			lns_peer_socket_opened(p, 0, NULL);
		else
			lns_peer_open(p);
		return;
	}
	if (p->state == LNS_PEER_ENDING) {
		lns_act(p, LNS_ACT_PEER_FREE);
		return;
	}
	LL_FOREACH(p->tunnels, t)
	{
		check_tunnel(t);
	}
	if (!is_found)
		lns_peer_ask_close(p, "its socket is gone");
}

void lns_found_end(struct lns *lns)
{
	struct lns_peer *p, *next;

	HASH_ITER(hh, lns->peers, p, next)
	{
		check_peer(p);
		lns_peer_settle(p);
	}
}
