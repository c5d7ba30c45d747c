/* SPDX-License-Identifier: ISC */
/* IKE SAs: their tables, the half-open ones, message ids, lifetimes. */
#include "ikev1/core/main_init.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_HALF_OPEN SIZE_MAX

static uint32_t half_open_life(const struct ike *ike)
{
	return mm1_life(ike->cfg.half_open_ms, ike->half_open_count,
	    ike->cfg.max_half_open);
}

static bool is_half_open(enum sa_state state)
{
	return state == SA_KEYING || state == SA_SENT4 || state == SA_TRYING;
}

/* A cookie that is not zero and not in use (RFC 2408 section 2.5.3). */
static bool new_cookie(struct ike *ike, uint8_t *cookie)
{
	static const uint8_t zero[COOKIE_LEN];

	for (int tries = 0; tries < IKE_RANDOM_TRIES; tries++) {
		if (!ike_random(ike, cookie, COOKIE_LEN))
			return false;
		if (memcmp(cookie, zero, COOKIE_LEN) && !sa_find(ike, cookie))
			return true;
	}
	return false;
}

static struct ike_sa *sa_with(const uint8_t *own)
{
	struct ike_sa *sa = xcalloc(1, sizeof(*sa));

	memcpy(sa->own, own, COOKIE_LEN);
	sa->half_open_at = NOT_HALF_OPEN;
	sa->due_ms = NEVER;
	sa->resend_ms = NEVER;
	sa->rekey_ms = NEVER;
	sa->dpd_due_ms = NEVER;
	sa->alive_ms = NEVER;
	return sa;
}

struct ike_sa *sa_new(struct ike *ike)
{
	uint8_t own[COOKIE_LEN];
	struct ike_sa *sa;

	if (!new_cookie(ike, own))
		return NULL;
	sa = sa_with(own);
	sa->initiator = true;
	memcpy(sa->cky_i, own, COOKIE_LEN);
	return sa;
}

struct ike_sa *sa_respond(const uint8_t *cky_i, const uint8_t *cky_r)
{
	struct ike_sa *sa = sa_with(cky_r);

	memcpy(sa->cky_i, cky_i, COOKIE_LEN);
	memcpy(sa->cky_r, cky_r, COOKIE_LEN);
	return sa;
}

/* How many unfinished Main Modes are of sa's neighbourhood. */
static size_t count_neighbours(const struct ike *ike, const struct ike_sa *sa)
{
	size_t n = 0;

	for (size_t i = 0; i < ike->half_open_count; i++)
		n += mm1_neighbours(&ike->half_open[i]->peer, &sa->peer);
	return n;
}

/* The n-th of them, from 0. */
static struct ike_sa *nth_neighbour(
    const struct ike *ike, const struct ike_sa *sa, size_t n)
{
	size_t i = 0;

	while (!mm1_neighbours(&ike->half_open[i]->peer, &sa->peer) || n--)
		i++;
	return ike->half_open[i];
}

/*
 * Makes room for sa among the half-open: one of its own neighbourhood goes
 * by chance when that has its quota, otherwise any one when all are taken.
 */
static void evict_half_open(struct ike *ike, const struct ike_sa *sa)
{
	size_t near = count_neighbours(ike, sa), all = ike->half_open_count;
	bool is_near = near >= mm1_quota(ike->cfg.max_half_open);
	char peer[ADDR_TEXT_MAX];
	uint32_t n;

	if (!all || (!is_near && all < ike->cfg.max_half_open))
		return;
	if (!ike_random(ike, &n, sizeof(n)))
		n = 0;
	if (act_log_allowed(ike))
		act_log(ike, IKE_LOG_WARN,
		    "%zu unfinished Main Modes, %zu of them near %s: dropping "
		    "one by chance",
		    all, near, addr_ip_text(&sa->peer, peer));
	sa_become(ike,
	    is_near ? nth_neighbour(ike, sa, n % near)
		    : ike->half_open[n % all],
	    SA_DEAD);
}

static void half_open_add(struct ike *ike, struct ike_sa *sa)
{
	uint32_t before, life;

	if (sa->half_open_at != NOT_HALF_OPEN)
		return;
	before = half_open_life(ike);
	sa->half_open_at = ike->half_open_count;
	ike->half_open = xreallocarray(
	    ike->half_open, ++ike->half_open_count, sizeof(*ike->half_open));
	ike->half_open[sa->half_open_at] = sa;
	/* The more there are the less time they get, all of them. */
	life = half_open_life(ike);
	sa_wake(ike, sa, ike->now + life);
	if (life == before)
		return;
	for (size_t i = 0; i < ike->half_open_count; i++)
		sa_wake(ike, ike->half_open[i], ike->now);
}

static void half_open_remove(struct ike *ike, struct ike_sa *sa)
{
	struct ike_sa *last;

	if (sa->half_open_at == NOT_HALF_OPEN)
		return;
	last = ike->half_open[--ike->half_open_count];
	ike->half_open[sa->half_open_at] = last;
	last->half_open_at = sa->half_open_at;
	sa->half_open_at = NOT_HALF_OPEN;
}

void sa_link(struct ike *ike, struct ike_sa *sa)
{
	HASH_ADD(hh, ike->sas, own, COOKIE_LEN, sa);
	path_add_sa(ike, sa);
	if (is_half_open(sa->state))
		half_open_add(ike, sa);
}

static void unlink_sa(struct ike *ike, struct ike_sa *sa)
{
	half_open_remove(ike, sa);
	HASH_DELETE(hh, ike->sas, sa);
	path_remove_sa(ike, sa);
	timers_stop(&ike->timers, &sa->timer);
	while (sa->quicks)
		quick_become(ike, sa->quicks, QUICK_DEAD);
	peer_sa_gone(ike, sa);
	sa->next_dead = ike->dead_sas;
	ike->dead_sas = sa;
}

void sa_become(struct ike *ike, struct ike_sa *sa, enum sa_state state)
{
	enum sa_state old = sa->state;

	if (old == SA_DEAD || old == state)
		return;
	sa->state = state;
	if (state == SA_UP)
		sa->up_ms = ike->now;
	sa_touch(ike, sa);
	if (state == SA_DEAD) {
		if (old != SA_START)
			unlink_sa(ike, sa);
		return;
	}
	if (old == SA_START) {
		sa->age = ++ike->next_age;
		if (is_half_open(state))
			evict_half_open(ike, sa);
		sa_link(ike, sa);
		sa_wake(ike, sa, ike->now);
	}
	if (!is_half_open(state))
		half_open_remove(ike, sa);
	if (state == SA_UP)
		path_sa_up(sa);
}

struct ike_sa *sa_find(struct ike *ike, const uint8_t *own)
{
	struct ike_sa *sa;

	HASH_FIND(hh, ike->sas, own, COOKIE_LEN, sa);
	return sa;
}

/* One that we started knows no CKY-R until message 2 brings it. */
static bool cookies_fit(
    const struct ike_sa *sa, const uint8_t *cky_i, const uint8_t *cky_r)
{
	return !memcmp(sa->cky_i, cky_i, COOKIE_LEN) &&
	       !memcmp(sa->cky_r, cky_r, COOKIE_LEN);
}

struct ike_sa *sa_of_cookies(
    struct ike *ike, const uint8_t *cky_i, const uint8_t *cky_r)
{
	struct ike_sa *sa = sa_find(ike, cky_r);

	if (sa && !sa->initiator && cookies_fit(sa, cky_i, cky_r))
		return sa;
	sa = sa_find(ike, cky_i);
	return sa && sa->initiator && cookies_fit(sa, cky_i, cky_r) ? sa : NULL;
}

bool sa_seen_id(const struct ike_sa *sa, uint32_t msgid)
{
	for (uint32_t i = 0; i < sa->ids_count; i++) {
		if (sa->ids[i] == msgid)
			return true;
	}
	return sa->ids_count >= MESSAGE_IDS_MAX;
}

void sa_remember_id(struct ike_sa *sa, uint32_t msgid)
{
	if (sa->ids_count >= MESSAGE_IDS_MAX)
		return;
	if (sa->ids_count == sa->ids_room) {
		sa->ids_room = sa->ids_room ? 2 * sa->ids_room : 16;
		sa->ids =
		    xreallocarray(sa->ids, sa->ids_room, sizeof(*sa->ids));
	}
	sa->ids[sa->ids_count++] = msgid;
}

bool sa_is_worn(const struct ike_sa *sa)
{
	return sa->ids_count >= MESSAGE_IDS_MAX - MESSAGE_IDS_SPARE;
}

void sa_wear(struct ike *ike, struct ike_sa *sa)
{
	if (sa_is_worn(sa))
		sa_wake(ike, sa, ike->now);
	else if (sa->ids_count >= MESSAGE_IDS_MAX - MESSAGE_IDS_RENEW)
		sa_rekey_soon(ike, sa);
}

/* Of a client that has answered us once, then no more. */
static void not_finished(struct ike *ike, struct ike_sa *sa)
{
	struct refused who = refused_sa(sa,
	    "does a firewall on the way drop UDP port 4500, or fragments of "
	    "our long message 4?");

	if (sa->state == SA_SENT4)
		act_refuse(ike, &who,
		    "Main Mode was not finished: message 4 was sent, message "
		    "5 never came");
}

static void life_over(struct ike *ike, struct ike_sa *sa)
{
	char text[SA_TEXT_MAX];

	if (sa->state != SA_UP) {
		if (sa->initiator) {
			init_fail(ike, sa, "it took too long");
			return;
		}
		if (!sa->mismatch_said)
			not_finished(ike, sa);
	} else if (sa_is_worn(sa)) {
		act_log(ike, IKE_LOG_INFO,
		    "%s: IKE SA ends: after %u messages a repeated one could "
		    "not be told any more",
		    sa_text(sa, text), sa->ids_count);
		info_delete_sa(ike, sa);
	} else {
		act_log(ike, IKE_LOG_INFO, "%s: IKE SA %s", sa_text(sa, text),
		    sa->is_replaced ? "replaced" : "expired");
		if (sa->is_replaced)
			info_delete_sa(ike, sa);
	}
	sa_become(ike, sa, SA_DEAD);
}

void sa_timer(struct ike *ike, struct ike_sa *sa)
{
	struct quick *q, *next;
	uint64_t due, cut;

	if (sa->state == SA_DEAD)
		return;
	due = sa->due_ms;
	/* Set to the longest life when it began. */
	if (sa->half_open_at != NOT_HALF_OPEN) {
		cut = ike->cfg.half_open_ms - half_open_life(ike);
		due = due > cut ? due - cut : 0;
	}
	if (ike->now >= due || sa_is_worn(sa)) {
		life_over(ike, sa);
		return;
	}
	sa_wake(ike, sa, due);
	for (q = sa->quicks; q; q = next) {
		next = q->next;
		quick_timer(ike, q);
	}
	if (sa->state == SA_UP)
		sa_rekey_timer(ike, sa);
	if (sa->state == SA_UP)
		natt_alive_timer(ike, sa);
	if (sa->state == SA_UP)
		info_dpd_timer(ike, sa);
	else if (sa->initiator)
		init_timer(ike, sa);
}

void sa_free(struct ike_sa *sa)
{
	struct bytes *all[] = {&sa->sai, &sa->gxi, &sa->gxr, &sa->gxy, &sa->ni,
	    &sa->nr, &sa->psk, &sa->priv, &sa->id, &sa->last_in, &sa->last_out};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		bytes_free(all[i]);
	while (sa->quicks) {
		struct quick *q = sa->quicks;

		sa->quicks = q->next;
		quick_free(q);
	}
	main_five_free(sa->five);
	free(sa->ids);
	free(sa->identity);
	secret_free(sa, sizeof(*sa));
}

const char *sa_text(const struct ike_sa *sa, char out[SA_TEXT_MAX])
{
	char peer[ADDR_TEXT_MAX];

	addr_text(&sa->peer, peer);
	if (sa->identity)
		snprintf(out, SA_TEXT_MAX, "%s (%s)", peer, sa->identity);
	else
		snprintf(out, SA_TEXT_MAX, "%s", peer);
	return out;
}
