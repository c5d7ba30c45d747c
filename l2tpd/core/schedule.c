/* SPDX-License-Identifier: ISC */
/* Which peer's deadline comes first: a binary heap, indices from 1. */
#include "l2tpd/core/state.h"

#include "common/alloc.h"

/* Ties by R: the order must survive save and restore. */
static bool is_before(const struct lns_peer *a, const struct lns_peer *b)
{
	return a->due < b->due || (a->due == b->due && a->up.r < b->up.r);
}

static void place(struct lns *lns, struct lns_peer *peer, size_t i)
{
	lns->heap[i] = peer;
	peer->heap = i;
}

static void sift(struct lns *lns, struct lns_peer *peer)
{
	size_t i = peer->heap, child;

	for (; i > 1 && is_before(peer, lns->heap[i / 2]); i /= 2)
		place(lns, lns->heap[i / 2], i);
	for (; (child = 2 * i) <= lns->heap_len; i = child) {
		if (child < lns->heap_len &&
		    is_before(lns->heap[child + 1], lns->heap[child]))
			child++;
		if (!is_before(lns->heap[child], peer))
			break;
		place(lns, lns->heap[child], i);
	}
	place(lns, peer, i);
}

void lns_unschedule(struct lns_peer *peer)
{
	struct lns *lns = peer->lns;
	struct lns_peer *last;

	if (!peer->heap)
		return;
	last = lns->heap[lns->heap_len--];
	if (last != peer) {
		place(lns, last, peer->heap);
		sift(lns, last);
	}
	peer->heap = 0;
}

void lns_schedule(struct lns_peer *peer, uint64_t due)
{
	struct lns *lns = peer->lns;

	peer->due = due;
	if (due == LNS_NEVER) {
		lns_unschedule(peer);
		return;
	}
	if (!peer->heap) {
		if (lns->heap_len + 2 > lns->heap_size) {
			lns->heap_size = 2 * (lns->heap_len + 2);
			lns->heap = xreallocarray(
			    lns->heap, lns->heap_size, sizeof(*lns->heap));
		}
		place(lns, peer, ++lns->heap_len);
	}
	sift(lns, peer);
}

struct lns_peer *lns_due(const struct lns *lns, uint64_t now_ms)
{
	if (!lns->heap_len || lns->heap[1]->due > now_ms)
		return NULL;
	return lns->heap[1];
}
