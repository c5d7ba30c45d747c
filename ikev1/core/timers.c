/* SPDX-License-Identifier: ISC */
/* The heap of timers; see the header. */
#include "ikev1/core/timers.h"

#include "common/alloc.h"

#include <stdlib.h>

#define CAPACITY_MIN 64
#define BRANCHES 4 /* below one place */

static bool is_before(const struct timer_entry *a, const struct timer_entry *b)
{
	return a->due_ms != b->due_ms ? a->due_ms < b->due_ms
				      : a->order < b->order;
}

static void place(struct timers *h, struct timer_entry e, size_t at)
{
	h->heap[at] = e;
	e.timer->at = at;
}

static void rise(struct timers *h, struct timer_entry e, size_t at)
{
	size_t parent;

	for (; at > 1; at = parent) {
		parent = (at - 2) / BRANCHES + 1;
		if (!is_before(&e, &h->heap[parent]))
			break;
		place(h, h->heap[parent], at);
	}
	place(h, e, at);
}

/* The first of the places below at; 0: there are none. */
static size_t first_below(const struct timers *h, size_t at)
{
	size_t from = BRANCHES * (at - 1) + 2, best = from;

	if (from > h->count)
		return 0;
	for (size_t i = from + 1; i < from + BRANCHES && i <= h->count; i++)
		if (is_before(&h->heap[i], &h->heap[best]))
			best = i;
	return best;
}

static void sink(struct timers *h, struct timer_entry e, size_t at)
{
	size_t child;

	while ((child = first_below(h, at)) && is_before(&h->heap[child], &e)) {
		place(h, h->heap[child], at);
		at = child;
	}
	place(h, e, at);
}

/* A place at the end; returns it. */
static size_t extend(struct timers *h)
{
	if (h->count + 1 >= h->capacity) {
		h->capacity = h->capacity ? 2 * h->capacity : CAPACITY_MIN;
		h->heap = xreallocarray(h->heap, h->capacity, sizeof(*h->heap));
	}
	return ++h->count;
}

void timers_wake(struct timers *h, struct timer *t, uint64_t ms)
{
	if (ms == UINT64_MAX || (t->at && t->due_ms <= ms))
		return;
	t->due_ms = ms;
	rise(h, (struct timer_entry){ms, t->order, t},
	    t->at ? t->at : extend(h));
}

void timers_stop(struct timers *h, struct timer *t)
{
	struct timer_entry last;
	size_t at = t->at;

	if (!at)
		return;
	t->at = 0;
	last = h->heap[h->count--];
	if (last.timer == t)
		return;
	rise(h, last, at);
	sink(h, last, last.timer->at);
}

uint64_t timers_due(const struct timers *h)
{
	return h->count ? h->heap[1].due_ms : UINT64_MAX;
}

struct timer *timers_pop(struct timers *h, uint64_t now_ms)
{
	struct timer *t = h->count ? h->heap[1].timer : NULL;

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
