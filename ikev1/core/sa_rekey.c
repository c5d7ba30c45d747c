/* SPDX-License-Identifier: ISC */
/*
 * Renewing an IKE SA, make before break, whoever started the old one; and
 * what the shell may ask of a connection of ours.
 *
 * A new Main Mode goes to where the peer is now.  When it is up, the peers
 * move to it and those IKE SAs that were up before it began are deleted a
 * little later.  When both sides do this at the same time, neither new SA
 * was up before the other began: both stay, the newest sends, and only the
 * one that peers use is renewed again.  A client's own new Main Mode takes
 * no part in this: the client ends its old SA, or that expires.
 */
#include "ikev1/core/main_init.h"

#include <string.h>

#define OUR_PERCENT 95	/* of the life of an SA that a client started */
#define RETRY_MS 30000	/* after a try that came to nothing */
#define RETIRE_MS 30000 /* of the old one */

/* Same place, same key, same ID. */
static bool is_same_peer(const struct ike_sa *a, const struct ike_sa *b)
{
	return addr_equal(&a->peer, &b->peer) && a->psk_entry == b->psk_entry &&
	       bytes_equal(&a->id, &b->id);
}

/* The other side renewed the IKE SA of a connection of ours: it stays one,
 * with its persona. */
static void take_conn(struct ike_sa *sa)
{
	const struct ike_sa *old = sa->initiator ? NULL : sa->path->sas;

	while (old && (!old->conn || old->state != SA_UP || old == sa ||
			  !is_same_peer(old, sa)))
		old = old->path_next;
	if (!old)
		return;
	sa->conn = old->conn;
	sa->persona = old->persona;
}

void sa_rekey_plan(struct ike *ike, struct ike_sa *sa, uint64_t life_s)
{
	struct ike_sa *old;
	uint64_t percent;

	take_conn(sa);
	percent = sa->persona ? sa->persona->rekey_ike_percent : OUR_PERCENT;
	sa->up_age = ++ike->next_age;
	sa->rekey_ms = percent ? ike->now + life_s * 10 * percent : NEVER;
	sa_wake(ike, sa, sa->rekey_ms);
	if (!sa->is_rekey)
		return;
	for (old = sa->path->sas; old; old = old->path_next) {
		if (old == sa || old->state != SA_UP || old->up_age > sa->age ||
		    old->is_replaced || !is_same_peer(old, sa))
			continue;
		sa_touch(ike, old);
		old->is_replaced = true;
		old->rekey_ms = NEVER;
		if (old->due_ms > ike->now + RETIRE_MS)
			old->due_ms = ike->now + RETIRE_MS;
		sa_wake(ike, old, old->due_ms);
	}
}

/* Its peers have no newer one: it is worth renewing. */
static bool is_in_use(struct ike *ike, const struct ike_sa *sa)
{
	struct path *path = path_of(ike, &sa->local, &sa->peer);
	struct peer *p = path ? path->peers : NULL;

	while (p && p->sa != sa)
		p = p->path_next;
	return p != NULL;
}

static void renew(struct ike *ike, struct ike_sa *old)
{
	struct ike_sa *sa = sa_new(ike);
	char text[SA_TEXT_MAX];

	sa_touch(ike, old);
	old->rekey_ms = sa ? NEVER : ike->now + RETRY_MS;
	sa_wake(ike, old, old->rekey_ms);
	if (!sa)
		return;
	act_log(
	    ike, IKE_LOG_INFO, "%s: renewing its IKE SA", sa_text(old, text));
	sa->persona = old->persona ? old->persona : &persona_default;
	sa->conn = old->conn;
	sa->is_rekey = true;
	sa->psk_entry = old->psk_entry;
	sa->suite = old->suite;
	sa->on_500 = old->on_500;
	sa->local = old->local;
	sa->peer = old->peer;
	init_begin(ike, sa);
}

void sa_rekey_failed(struct ike *ike, const struct ike_sa *sa)
{
	struct ike_sa *old;

	for (old = sa->path->sas; old; old = old->path_next) {
		if (old->state != SA_UP || !is_in_use(ike, old) ||
		    old->psk_entry != sa->psk_entry ||
		    !addr_equal(&old->peer, &sa->peer))
			continue;
		sa_touch(ike, old);
		old->rekey_ms = ike->now + RETRY_MS;
		sa_wake(ike, old, old->rekey_ms);
	}
}

void sa_rekey_resumed(struct ike *ike, struct ike_sa *sa)
{
	if (sa->rekey_ms != NEVER || sa->is_replaced ||
	    (sa->persona && !sa->persona->rekey_ike_percent))
		return;
	sa_touch(ike, sa);
	sa->rekey_ms = ike->now + RETRY_MS;
	sa_wake(ike, sa, sa->rekey_ms);
}

void sa_rekey_soon(struct ike *ike, struct ike_sa *sa)
{
	/* Under way, tried a moment ago, or not wanted. */
	if (sa->rekey_ms == NEVER || sa->rekey_ms <= ike->now + RETRY_MS)
		return;
	sa_touch(ike, sa);
	sa->rekey_ms = ike->now;
	sa_wake(ike, sa, sa->rekey_ms);
}

void sa_rekey_timer(struct ike *ike, struct ike_sa *sa)
{
	if (sa->rekey_ms == NEVER)
		return;
	if (ike->now < sa->rekey_ms) {
		sa_wake(ike, sa, sa->rekey_ms);
		return;
	}
	sa->rekey_ms = NEVER;
	if (is_in_use(ike, sa))
		renew(ike, sa);
}

/* --- connections --------------------------------------------------------- */

/* The newest one that is up; NULL. */
static struct ike_sa *conn_sa(struct ike *ike, uint32_t conn)
{
	struct ike_sa *sa, *next, *best = NULL;

	HASH_ITER(hh, ike->sas, sa, next)
	{
		if (sa->conn == conn && sa->state == SA_UP &&
		    (!best || sa->up_age > best->up_age))
			best = sa;
	}
	return best;
}

static void renew_pairs(struct ike *ike, struct ike_sa *sa)
{
	struct peer *p;

	for (p = sa->path->peers; p; p = p->path_next) {
		if (p->sa == sa && p->state == PEER_LIVE)
			quick_start(ike, sa, p);
	}
}

/* Its peers first: their Deletes go under the IKE SA. */
static void end_one(struct ike *ike, struct ike_sa *sa)
{
	bool is_silent = sa->persona && sa->persona->end == PERSONA_END_SILENT;
	struct path *path = path_of(ike, &sa->local, &sa->peer);
	struct peer *p, *next;

	/* Whoever closes it need not be told. */
	sa->conn = 0;
	for (p = path ? path->peers : NULL; p; p = next) {
		next = p->path_next;
		if (p->sa != sa)
			continue;
		peer_touch(ike, p);
		if (is_silent)
			p->sa = NULL;
		peer_end(ike, p, "the connection is closed");
	}
	if (sa->state == SA_UP && !is_silent)
		info_delete_sa(ike, sa);
	sa_become(ike, sa, SA_DEAD);
}

static void close_all(struct ike *ike, uint32_t conn)
{
	struct ike_sa *sa, *next;

	HASH_ITER(hh, ike->sas, sa, next)
	{
		if (sa->conn == conn)
			end_one(ike, sa);
	}
}

void sa_conn_event(struct ike *ike, const struct ike_event *ev)
{
	struct ike_sa *sa = conn_sa(ike, ev->job);

	if (!ev->job)
		return;
	if (ev->type == IKE_EV_CONN_CLOSE)
		close_all(ike, ev->job);
	else if (sa && ev->type == IKE_EV_CONN_REKEY)
		renew(ike, sa);
	else if (sa && ev->type == IKE_EV_CONN_REKEY_ESP)
		renew_pairs(ike, sa);
}
