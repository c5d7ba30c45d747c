/* SPDX-License-Identifier: ISC */
/*
 * Peers: the life of an R from the first Quick Mode to the moment when
 * l2tpd has nothing left of it.  SAs go first, sockets last.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct peer *peer_by_tag(struct ike *ike, uint32_t tag)
{
	struct peer *p;

	HASH_FIND(by_tag, ike->peers_by_tag, &tag, sizeof(tag), p);
	return p;
}

struct peer *peer_by_r(struct ike *ike, uint64_t r)
{
	struct peer *p;

	HASH_FIND(by_r, ike->peers_by_r, &r, sizeof(r), p);
	return p;
}

struct peer *peer_new(struct ike *ike)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	p->tag = ++ike->next_tag;
	p->due_ms = NEVER;
	p->rekey_ms = NEVER;
	peer_link(ike, p);
	return p;
}

void peer_link(struct ike *ike, struct peer *p)
{
	p->prev = NULL;
	p->next = ike->peers;
	if (ike->peers)
		ike->peers->prev = p;
	ike->peers = p;
}

static void index_r(struct ike *ike, struct peer *p)
{
	HASH_ADD(by_r, ike->peers_by_r, r, sizeof(p->r), p);
}

void peer_index(struct ike *ike, struct peer *p)
{
	HASH_ADD(by_tag, ike->peers_by_tag, tag, sizeof(p->tag), p);
	if (p->r)
		index_r(ike, p);
	path_add_peer(ike, p);
	peer_wake(ike, p, p->due_ms);
}

static void unlink_peer(struct ike *ike, struct peer *p)
{
	if (p->path) {
		HASH_DELETE(by_tag, ike->peers_by_tag, p);
		if (p->r)
			HASH_DELETE(by_r, ike->peers_by_r, p);
		path_remove_peer(ike, p);
		timers_stop(&ike->timers, &p->timer);
	}
	if (p->prev)
		p->prev->next = p->next;
	else
		ike->peers = p->next;
	if (p->next)
		p->next->prev = p->prev;
	p->next_dead = ike->dead_peers;
	ike->dead_peers = p;
}

void peer_become(struct ike *ike, struct peer *p, enum peer_state state)
{
	if (p->state == PEER_DEAD || p->state == state)
		return;
	p->state = state;
	peer_touch(ike, p);
	p->due_ms = NEVER;
	if (state == PEER_CLOSING || (state == PEER_RAISING && !p->held))
		p->due_ms = ike->now + PEER_WAIT_MS;
	peer_wake(ike, p, p->due_ms);
	if (state == PEER_DEAD)
		unlink_peer(ike, p);
}

void peer_free(struct peer *p)
{
	while (p->children) {
		struct child *c = p->children;

		/* Still in a table: ike_free() frees it from there. */
		p->children = c->next;
		c->peer = NULL;
	}
	bytes_free(&p->id);
	bytes_free(&p->terms.ours);
	bytes_free(&p->terms.theirs);
	free(p->identity);
	free(p->suite);
	free(p);
}

bool peer_matches(const struct peer *p, const struct ike_sa *sa)
{
	return addr_ip_equal(&p->local, &sa->local) &&
	       addr_equal(&p->peer, &sa->peer) &&
	       p->psk_entry == sa->psk_entry && bytes_equal(&p->id, &sa->id);
}

static bool is_usable(const struct peer *p)
{
	return p->state == PEER_OPENING || p->state == PEER_RAISING ||
	       p->state == PEER_LIVE;
}

static bool selectors_equal(
    const struct selectors *a, const struct selectors *b)
{
	return a->protocol == b->protocol && a->client_port == b->client_port &&
	       a->server_port == b->server_port;
}

static struct peer *open_peer(struct ike *ike, struct ike_sa *sa,
    const struct selectors *sel, const char *suite)
{
	struct peer *p = peer_new(ike);
	struct ike_action *a = act(ike, IKE_ACT_PEER_OPEN);

	a->job = ike_job(ike, JOB_PEER_OPEN, NULL, p->tag);
	p->due_ms = ike->now + PEER_WAIT_MS;
	peer_wake(ike, p, p->due_ms);
	p->local = sa->local;
	p->peer = sa->peer;
	p->natt = sa->client_nat || sa->server_nat;
	p->psk_entry = sa->psk_entry;
	bytes_set(&p->id, sa->id.data, sa->id.len);
	text_set(&p->identity, text_shown(sa->identity));
	text_set(&p->suite, suite);
	p->sel = *sel;
	p->sa = sa;
	peer_index(ike, p);
	return p;
}

struct peer *peer_for(struct ike *ike, struct ike_sa *sa,
    const struct selectors *sel, const char *suite)
{
	struct path *path = path_of(ike, &sa->local, &sa->peer);
	struct refused who = refused_sa(sa, NULL);
	size_t family = 0;
	struct peer *p;

	for (p = path ? path->peers : NULL; p; p = p->path_next) {
		if (!is_usable(p) || !peer_matches(p, sa))
			continue;
		if (selectors_equal(&p->sel, sel)) {
			if (sa->hears_us && (!p->sa || sa->age > p->sa->age)) {
				peer_touch(ike, p);
				p->sa = sa;
			}
			return p;
		}
		family++;
	}
	if (family >= PEER_FAMILY_MAX) {
		act_refuse(ike, &who,
		    "refused: this client has %zu connections with different "
		    "selectors already",
		    family);
		return NULL;
	}
	if (path_has_all_peers(ike, path)) {
		who.remedy = "raise max-per-address in section ike";
		act_refuse(ike, &who,
		    "refused: %u clients are connected from this address, as "
		    "many as may be",
		    ike->cfg.max_per_address);
		return NULL;
	}
	return open_peer(ike, sa, sel, suite);
}

void peer_opened(struct ike *ike, uint32_t tag, const struct ike_event *ev)
{
	struct peer *p = peer_by_tag(ike, tag);
	struct refused who;

	if (p && p->state == PEER_OPENING && !ev->error) {
		p->r = ev->r;
		p->slot = ev->slot;
		index_r(ike, p);
		peer_become(ike, p, PEER_RAISING);
		peer_tell(ike, p, IKE_ACT_PEER_UP);
		return;
	}
	if (!ev->error) {
		/* Nobody wants this R any more. */
		act(ike, IKE_ACT_PEER_END)->r = ev->r;
		return;
	}
	if (!p)
		return;
	who = refused_peer(p,
	    ev->error == -ENOSPC ? "raise max-clients in section l2tp" : NULL);
	act_refuse(
	    ike, &who, "no place for another client: %s", strerror(-ev->error));
	quick_peer_failed(ike, p, "no number (R) was given for it");
	peer_become(ike, p, PEER_DEAD);
}

/* l2tpd has nothing of it (any more): the rest goes, R is free. */
static void finish(struct ike *ike, struct peer *p)
{
	quick_peer_failed(ike, p, "l2tpd did not take it");
	while (p->children)
		child_end(ike, p->children, true);
	act(ike, IKE_ACT_PEER_END)->r = p->r;
	peer_become(ike, p, PEER_DEAD);
}

void peer_end(struct ike *ike, struct peer *p, const char *reason)
{
	struct ike_action *a;
	char text[ADDR_TEXT_MAX];

	if (!is_usable(p))
		return;
	if (p->state == PEER_OPENING) {
		quick_peer_failed(ike, p, reason);
		peer_become(ike, p, PEER_DEAD);
		return;
	}
	act_log(ike, IKE_LOG_INFO, "R %llu: %s (%s) ends: %s",
	    (unsigned long long)p->r, addr_text(&p->peer, text),
	    text_shown(p->identity), reason);
	peer_become(ike, p, PEER_CLOSING);
	quick_peer_failed(ike, p, reason);
	while (p->children)
		child_end(ike, p->children, true);
	a = act(ike, IKE_ACT_PEER_DOWN);
	a->r = p->r;
	a->text = xstrdup(reason);
}

void peer_check(struct ike *ike, struct peer *p)
{
	bool is_idle = !p->children && !p->users;

	/* A held one waits for l2tpd as long as it has something to hold. */
	if (p->state != PEER_LIVE && p->state != PEER_RAISING)
		return;
	if (!is_idle && p->state == PEER_RAISING && !p->held)
		return;
	if (is_idle != (p->due_ms == NEVER))
		return;
	peer_touch(ike, p);
	p->due_ms = is_idle ? ike->now + ike->cfg.linger_ms : NEVER;
	peer_wake(ike, p, p->due_ms);
}

static void ready(struct ike *ike, struct peer *p)
{
	if (p->state != PEER_RAISING)
		return;
	if (p->sa)
		p->held = false;
	peer_become(ike, p, PEER_LIVE);
	quick_peer_ready(ike, p);
	peer_check(ike, p);
}

void peer_event(struct ike *ike, const struct ike_event *ev)
{
	struct peer *p = peer_by_r(ike, ev->r);
	struct refused who;

	if (!p)
		return;
	peer_work(ike, p);
	who = refused_peer(p, "see l2tpd's log and `sallyport check`");
	if (ev->type == IKE_EV_PEER_READY) {
		ready(ike, p);
	} else if (ev->type == IKE_EV_PEER_CLOSE) {
		peer_end(ike, p, ev->text ? ev->text : "closed by l2tpd");
	} else {
		if (ev->type == IKE_EV_PEER_REFUSED)
			act_refuse(ike, &who, "l2tpd refused: %s",
			    ev->text ? ev->text : "no reason given");
		finish(ike, p);
	}
}

void peer_timer(struct ike *ike, struct peer *p)
{
	struct refused who = refused_peer(p, "run `sallyport check`");

	rekey_timer(ike, p);
	if (ike->now < p->due_ms) {
		peer_wake(ike, p, p->due_ms);
		return;
	}
	switch (p->state) {
	case PEER_OPENING:
		act_refuse(ike, &who, "no number (R) was given in time");
		peer_end(ike, p, "no R");
		return;
	case PEER_RAISING:
		if (p->held) {
			peer_end(ike, p, "no IPsec SA is left");
			return;
		}
		act_refuse(ike, &who, "l2tpd did not answer in time");
		peer_end(ike, p, "l2tpd did not open its socket in time");
		return;
	case PEER_LIVE:
		peer_end(ike, p, "no IPsec SA is left");
		return;
	case PEER_CLOSING:
		act_log(ike, IKE_LOG_WARN,
		    "R %llu: l2tpd did not say that it is gone",
		    (unsigned long long)p->r);
		finish(ike, p);
		return;
	case PEER_DEAD:
		return;
	}
}
