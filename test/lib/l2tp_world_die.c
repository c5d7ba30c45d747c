/* SPDX-License-Identifier: ISC */
/* The fake world when its core dies: records, and the next core. */
#include "test/lib/l2tp_world_in.h"

#include "common/alloc.h"
#include "l2tpd/core/saved_time.h"
#include "l2tpd/core/state.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define RECORD_MAX 65536

/* --- records --------------------------------------------------------- */

static struct world_record *find_record(struct world *w, uint64_t r)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->records[i].r == r)
			return &w->records[i];
	return NULL;
}

static void on_record(void *ctx, uint64_t r, const uint8_t *data, size_t len)
{
	struct world *w = ctx;
	struct world_record *rec = find_record(w, r);

	if (!rec && data)
		rec = find_record(w, 0);
	if (!rec)
		return;
	free(rec->data);
	*rec = (struct world_record){0};
	if (data)
		*rec = (struct world_record){r, xmemdup(data, len), len};
}

static void check_record(
    struct world *w, const struct lns_peer *p, uint8_t *room)
{
	const struct world_record *rec = find_record(w, p->up.r);
	struct wire_writer now;

	wire_writer_init(&now, room, RECORD_MAX);
	lns_peer_save(&now, p, SAVED_ABSOLUTE);
	if (wire_writer_error(&now))
		abort();
	if (!rec || rec->len != now.pos || memcmp(rec->data, room, now.pos))
		world_fault(w, "the record of R %llu is not true",
		    (unsigned long long)p->up.r);
}

void world_keep_records(struct world *w)
{
	uint8_t *room = xmalloc(RECORD_MAX);
	struct lns_peer *p, *next;
	size_t count = 0;

	lns_checkpoint(w->lns, on_record, w);
	HASH_ITER(hh, w->lns->peers, p, next)
	{
		check_record(w, p, room);
	}
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		count += w->records[i].r != 0;
	if (count != HASH_COUNT(w->lns->peers))
		world_fault(w, "%zu records of %u peers", count,
		    HASH_COUNT(w->lns->peers));
	free(room);
}

void world_forget_records(struct world *w)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		free(w->records[i].data);
	memset(w->records, 0, sizeof(w->records));
}

/* --- death ----------------------------------------------------------- */

/* The monitor's answers were for the one that died. */
static void lose_answers(struct world *w)
{
	struct world_item *it, *next;

	LL_FOREACH_SAFE(w->items, it, next)
	{
		if (it->to || (it->ev.type != LNS_EV_SOCKET_OPENED &&
				  it->ev.type != LNS_EV_TUNNEL_OPENED &&
				  it->ev.type != LNS_EV_SESSION_OPENED &&
				  it->ev.type != LNS_EV_PEER_CLOSED))
			continue;
		world_forget_failed(w, &it->ev);
		LL_DELETE(w->items, it);
		free(it);
	}
	/* To be asked to free R again is no surprise. */
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		w->peers[i].freed &= w->peers[i].gone;
}

static int by_r(const void *a, const void *b)
{
	const struct world_record *x = a, *y = b;

	return x->r < y->r ? -1 : x->r > y->r;
}

static void resume(struct world *w)
{
	lns_free(w->lns);
	w->lns = lns_new(&w->cfg, world_random, w);
	qsort(w->records, WORLD_OBJECTS, sizeof(w->records[0]), by_r);
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->records[i].r &&
		    lns_resume(w->lns, w->records[i].r, w->records[i].data,
			w->records[i].len))
			world_fault(w, "a record cannot be resumed");
	world_keep_records(w);
}

static void find_objects(struct world *w, struct world_peer *p)
{
	struct lns_event ev = {.type = LNS_EV_FOUND, .up = &p->up, .r = p->r};

	world_event(w, &ev);
	for (size_t k = 0; k < WORLD_OBJECTS; k++) {
		if (w->tunnels[k].r != p->r)
			continue;
		ev.tunnel_id = w->tunnels[k].id;
		world_event(w, &ev);
	}
	for (size_t k = 0; k < WORLD_OBJECTS; k++) {
		if (w->sessions[k].r != p->r)
			continue;
		ev.tunnel_id = w->sessions[k].tunnel_id;
		ev.session_id = w->sessions[k].id;
		world_event(w, &ev);
	}
}

/* ikev1d connects again; what is in no list is gone. */
static void list_peers(struct world *w)
{
	for (size_t i = 0; i < WORLD_OBJECTS; i++) {
		struct world_peer *p = &w->peers[i];
		const struct lns_event up = {
		    .type = LNS_EV_PEER_UP, .r = p->r, .up = &p->up};

		if (!p->r || p->gone)
			continue;
		if (p->is_up && !(p->refused && !p->socket))
			world_event(w, &up);
		else if (!lns_peer_find(w->lns, p->r))
			p->gone = true;
		else
			world_simple(w, LNS_EV_PEER_DOWN, p->r);
	}
}

void world_die(struct world *w)
{
	const struct lns_event end = {.type = LNS_EV_FOUND_END};

	w->is_resuming = true;
	lose_answers(w);
	resume(w);
	for (size_t i = 0; i < WORLD_OBJECTS; i++)
		if (w->peers[i].r && w->peers[i].socket)
			find_objects(w, &w->peers[i]);
	world_event(w, &end);
	list_peers(w);
	w->is_resuming = false;
}
