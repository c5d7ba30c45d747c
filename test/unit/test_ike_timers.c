/* SPDX-License-Identifier: ISC */
/* The heap of timers against a plain array that is searched. */
#include "ikev1/core/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT 200
#define STEPS 20000

static void test_one(void **state)
{
	struct timers h = {.heap = NULL};
	struct timer t = {.at = 0};

	(void)state;
	assert_true(timers_due(&h) == UINT64_MAX);
	assert_null(timers_pop(&h, UINT64_MAX - 1));
	timers_stop(&h, &t);
	timers_wake(&h, &t, UINT64_MAX); /* never */
	assert_int_equal(h.count, 0);
	timers_wake(&h, &t, 50);
	timers_wake(&h, &t, 70); /* later: the earlier one stays */
	assert_int_equal(timers_due(&h), 50);
	timers_wake(&h, &t, 30);
	timers_wake(&h, &t, UINT64_MAX);
	assert_int_equal(timers_due(&h), 30);
	assert_int_equal(h.count, 1);
	assert_null(timers_pop(&h, 29));
	assert_ptr_equal(timers_pop(&h, 30), &t);
	assert_null(timers_pop(&h, 30));
	assert_int_equal(t.at, 0);
	/* It forgets what was asked for before. */
	timers_wake(&h, &t, 90);
	assert_int_equal(timers_due(&h), 90);
	timers_stop(&h, &t);
	assert_true(timers_due(&h) == UINT64_MAX);
	timers_free(&h);
	assert_null(h.heap);
}

static void test_ties(void **state)
{
	struct timers h = {.heap = NULL};
	struct timer t[5];

	(void)state;
	memset(t, 0, sizeof(t));
	for (size_t i = 0; i < 5; i++) {
		t[i].order = 10 - i;
		timers_wake(&h, &t[i], i == 2 ? 4 : 5);
	}
	assert_ptr_equal(timers_pop(&h, 5), &t[2]);
	assert_ptr_equal(timers_pop(&h, 5), &t[4]);
	assert_ptr_equal(timers_pop(&h, 5), &t[3]);
	assert_ptr_equal(timers_pop(&h, 5), &t[1]);
	assert_ptr_equal(timers_pop(&h, 5), &t[0]);
	timers_free(&h);
}

/* The one that should be first; NULL for none. */
static struct timer *first_of(struct timer *t)
{
	struct timer *best = NULL;

	for (size_t i = 0; i < COUNT; i++) {
		if (!t[i].at)
			continue;
		if (!best || t[i].due_ms < best->due_ms ||
		    (t[i].due_ms == best->due_ms && t[i].order < best->order))
			best = &t[i];
	}
	return best;
}

static uint32_t next_number(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void test_random(void **state)
{
	struct timers h = {.heap = NULL};
	struct timer t[COUNT], *best, *got;
	uint32_t seed = 7, popped = 0;
	uint64_t now = 0;

	(void)state;
	memset(t, 0, sizeof(t));
	for (uint32_t i = 0; i < COUNT; i++)
		t[i].order = i;
	for (int step = 0; step < STEPS; step++) {
		struct timer *one = &t[next_number(&seed) % COUNT];

		switch (next_number(&seed) % 4) {
		case 0:
			timers_stop(&h, one);
			assert_int_equal(one->at, 0);
			break;
		case 1:
			now += next_number(&seed) % 20;
			best = first_of(t);
			got = timers_pop(&h, now);
			assert_ptr_equal(
			    got, best && best->due_ms <= now ? best : NULL);
			popped += got != NULL;
			break;
		default:
			timers_wake(&h, one, now + next_number(&seed) % 300);
		}
		best = first_of(t);
		assert_true(
		    timers_due(&h) == (best ? best->due_ms : UINT64_MAX));
	}
	assert_true(popped > STEPS / 20);
	timers_free(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one),
	    cmocka_unit_test(test_ties),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
