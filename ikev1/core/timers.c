/* SPDX-License-Identifier: ISC */
/* The heap of timers; see the header. */
#include "ikev1/core/timers.h"

#include "common/alloc.h"

#include <stdlib.h>

#define CAPACITY_MIN 64

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms
				      : a->order < b->order;
}

static void place(struct timers *h, struct timer *t, size_t at)
{
	h->heap[at] = t;
	t->at = at;
}

static void rise(struct timers *h, struct timer *t)
{
	size_t at = t->at;

	for (; at > 1 && is_before(t, h->heap[at / 2]); at /= 2)
		place(h, h->heap[at / 2], at);
	place(h, t, at);
}

static void sink(struct timers *h, struct timer *t)
{
	size_t at = t->at, child;

	while ((child = 2 * at) <= h->count) {
		if (child < h->count &&
		    is_before(h->heap[child + 1], h->heap[child]))
			child++;
		if (!is_before(h->heap[child], t))
			break;
		place(h, h->heap[child], at);
		at = child;
	}
	place(h, t, at);
}

static void add(struct timers *h, struct timer *t)
{
	if (h->count + 1 >= h->capacity) {
		h->capacity = h->capacity ? 2 * h->capacity : CAPACITY_MIN;
		h->heap =
		    xreallocarray(h->heap, h->capacity, sizeof(struct timer *));
	}
	place(h, t, ++h->count);
	rise(h, t);
}

void timers_wake(struct timers *h, struct timer *t, uint64_t ms)
{
	if (ms == UINT64_MAX || (t->at && t->due_ms <= ms))
		return;
	t->due_ms = ms;
	if (t->at)
		rise(h, t);
	else
		add(h, t);
}

void timers_stop(struct timers *h, struct timer *t)
{
	struct timer *last;
	size_t at = t->at;

	if (!at)
		return;
	t->at = 0;
	last = h->heap[h->count--];
	if (last == t)
		return;
	place(h, last, at);
	rise(h, last);
	sink(h, last);
}

uint64_t timers_due(const struct timers *h)
{
	return h->count ? h->heap[1]->due_ms : UINT64_MAX;
}

struct timer *timers_pop(struct timers *h, uint64_t now_ms)
{
	struct timer *t = h->count ? h->heap[1] : NULL;

	if (!t || t->due_ms > now_ms)
		return NULL;
	timers_stop(h, t);
	return t;
}

void timers_free(struct timers *h)
{
	free(h->heap);
	*h = (struct timers){.heap = NULL};
}
