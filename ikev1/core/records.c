/* SPDX-License-Identifier: ISC */
/*
 * What the next engine must know, kept up to date as records: one for each
 * IKE SA that is up, with its Quick Modes, and one for each R, with its
 * pairs.  Whoever changes one of them touches it; at the end of the shell's
 * turn what was touched is written.
 *
 * What the other side does again by itself is no part of them: an unfinished
 * Main Mode, and a Quick Mode before its answer was sent.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"

#include <stdlib.h>
#include <string.h>

static uint64_t id_of_sa(const struct ike_sa *sa)
{
	uint64_t id;

	memcpy(&id, sa->own, sizeof(id));
	return id;
}

static void mark(struct ike *ike, uint64_t kind, uint64_t id)
{
	struct records *r = &ike->records;

	if (r->count == r->room) {
		r->room = r->room ? 2 * r->room : 64;
		r->marks = xreallocarray(r->marks, r->room, sizeof(*r->marks));
	}
	r->marks[r->count++] = (struct record_mark){kind, id};
}

/* --- touching ------------------------------------------------------------ */

static void touch_sa(struct ike *ike, struct ike_sa *sa, enum touched how)
{
	if (!ike->records.is_on || sa->touched >= how || !sa->up_ms)
		return;
	if (how == TOUCHED_NOW)
		mark(ike, IKE_RECORD_SA, id_of_sa(sa));
	sa->touched = how;
}

void sa_touch(struct ike *ike, struct ike_sa *sa)
{
	touch_sa(ike, sa, TOUCHED_NOW);
}

void sa_touch_later(struct ike *ike, struct ike_sa *sa)
{
	touch_sa(ike, sa, TOUCHED_LATER);
}

static void touch_peer(struct ike *ike, struct peer *p, enum touched how)
{
	if (!ike->records.is_on || p->touched >= how || !p->r)
		return;
	if (how == TOUCHED_NOW)
		mark(ike, IKE_RECORD_PEER, p->r);
	p->touched = how;
}

void peer_touch(struct ike *ike, struct peer *p)
{
	touch_peer(ike, p, TOUCHED_NOW);
}

void peer_touch_later(struct ike *ike, struct peer *p)
{
	touch_peer(ike, p, TOUCHED_LATER);
}

void sa_work(struct ike *ike, struct ike_sa *sa)
{
	if (ike->records.watch && sa->up_ms)
		ike->records.watch(
		    ike->records.watch_ctx, IKE_RECORD_SA, id_of_sa(sa));
}

void peer_work(struct ike *ike, struct peer *p)
{
	if (ike->records.watch && p->r)
		ike->records.watch(
		    ike->records.watch_ctx, IKE_RECORD_PEER, p->r);
}

/* --- writing ------------------------------------------------------------- */

bool quick_is_recorded(const struct quick *q)
{
	return q->state == QUICK_SENT || q->state == QUICK_DONE ||
	       q->state == QUICK_CONFIRMED;
}

bool child_is_recorded(const struct child *c)
{
	return c->state != CHILD_NEW && c->state != CHILD_DEAD;
}

/* One that never had a pair is nobody's session. */
static bool peer_is_recorded(const struct peer *p)
{
	const struct child *c = p->children;

	if (p->state == PEER_OPENING || p->state == PEER_DEAD)
		return false;
	while (c && !child_is_recorded(c))
		c = c->next;
	return c || p->is_recorded;
}

static void write_sa(
    struct ike *ike, struct ike_sa *sa, ike_record_fn fn, void *ctx)
{
	struct store *s = &ike->records.store;

	store_again(s);
	sa_store(s, ike, sa);
	fn(ctx, IKE_RECORD_SA, id_of_sa(sa), s->w.data, s->w.pos);
}

static void write_peer(
    struct ike *ike, struct peer *p, ike_record_fn fn, void *ctx)
{
	struct store *s = &ike->records.store;

	p->is_recorded = true;
	store_again(s);
	peer_store_all(s, ike, p);
	fn(ctx, IKE_RECORD_PEER, p->r, s->w.data, s->w.pos);
}

static void settle_sa(struct ike *ike, uint64_t id, ike_record_fn fn, void *ctx)
{
	struct ike_sa *sa = sa_find(ike, (const uint8_t *)&id);

	if (sa && sa->state == SA_UP)
		write_sa(ike, sa, fn, ctx);
	else
		fn(ctx, IKE_RECORD_SA, id, NULL, 0);
	if (sa)
		sa->touched = TOUCHED_NOT;
}

static void settle_peer(
    struct ike *ike, uint64_t r, ike_record_fn fn, void *ctx)
{
	struct peer *p = peer_by_r(ike, r);

	if (p && peer_is_recorded(p))
		write_peer(ike, p, fn, ctx);
	else
		fn(ctx, IKE_RECORD_PEER, r, NULL, 0);
	if (p)
		p->touched = TOUCHED_NOT;
}

void ike_records(struct ike *ike, ike_record_fn fn, void *ctx)
{
	struct records *r = &ike->records;

	for (size_t i = 0; i < r->count; i++)
		(r->marks[i].kind == IKE_RECORD_SA ? settle_sa : settle_peer)(
		    ike, r->marks[i].id, fn, ctx);
	r->count = 0;
	store_again(&r->store);
}

void ike_records_clean(struct ike *ike, ike_record_fn fn, void *ctx)
{
	struct ike_sa *sa, *next;
	struct peer *p;

	HASH_ITER(hh, ike->sas, sa, next)
	if (sa->state == SA_UP && sa->touched == TOUCHED_NOT)
		write_sa(ike, sa, fn, ctx);
	for (p = ike->peers; p; p = p->next)
		if (p->r && p->touched == TOUCHED_NOT && p->is_recorded)
			write_peer(ike, p, fn, ctx);
	store_again(&ike->records.store);
}

void ike_keep_records(struct ike *ike, ike_watch_fn watch, void *ctx)
{
	store_record_init(&ike->records.store);
	ike->records.is_on = true;
	ike->records.watch = watch;
	ike->records.watch_ctx = ctx;
}

void records_free(struct records *r)
{
	store_free(&r->store);
	free(r->marks);
}
