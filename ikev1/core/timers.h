/* SPDX-License-Identifier: ISC */
/*
 * Who wants to be woken when: a heap, so that neither a new deadline nor one
 * that comes costs more with many clients.  What is compared is in the heap
 * itself: the timers lie far apart, in no cache.  A timer is part of what
 * it wakes and knows only the earliest time that was asked for; who is
 * woken asks again for what is left.
 */
#ifndef IKEV1_CORE_TIMERS_H
#define IKEV1_CORE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: waits for nothing. */
struct timer {
	uint64_t due_ms;
	/* Among those that are due at the same time; stays while it waits. */
	uint64_t order;
	size_t at; /* its place in the heap, from 1; 0: in none */
};

struct timer_entry {
	uint64_t due_ms, order; /* the timer's */
	struct timer *timer;
};

/* Zeroed: empty. */
struct timers {
	struct timer_entry *heap; /* from 1 */
	size_t count, capacity;
};

/* Wakes t at ms, or earlier if that was asked for; UINT64_MAX: never. */
void timers_wake(struct timers *h, struct timer *t, uint64_t ms);
/* t waits for nothing any more. */
void timers_stop(struct timers *h, struct timer *t);
/* When the first is due; UINT64_MAX when none waits. */
uint64_t timers_due(const struct timers *h);
/* Takes the first that is due at now_ms out; NULL when none is. */
struct timer *timers_pop(struct timers *h, uint64_t now_ms);
/* Frees the heap; the timers belong to others. */
void timers_free(struct timers *h);

#endif
