/* SPDX-License-Identifier: ISC */
/*
 * Saved state: another clock, damage, other versions.  (That it changes
 * nothing between two events is tested by every scenario of test_lns_*.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test/lib/l2tp_scenario.h"

#include <stdio.h>

#define R 7
#define SLOT 3

static const struct l2tp_client_config plain = {
    .tunnel_id = 11, .session_id = 21, .window = 4};

/* Peers in all kinds of states. */
static void mixed(struct world *w)
{
	struct l2tp_client_config cfg = plain;

	world_init(w, 3);
	scenario_call(w, R, SLOT, &plain);
	cfg.stop_at_icrp = true;
	scenario_dial(w, R + 1, SLOT + 1, &cfg);
	cfg.stop_at_tunnel = true;
	scenario_dial(w, R + 2, SLOT + 2, &cfg);
	l2tp_client_stop(scenario_call(w, R + 3, SLOT + 3, &plain), w->now);
	world_run(w, 100);
	w->kernel_is_stuck = true;
	world_up(w, R + 4, SLOT);
	world_up(w, R + 5, SLOT + 4);
	world_simple(w, LNS_EV_DISCONNECT, R + 1);
}

struct rows {
	char text[4096];
};

static void add_row(void *ctx, const struct lns_row *row)
{
	struct rows *rows = ctx;
	size_t len = strlen(rows->text);

	snprintf(rows->text + len, sizeof(rows->text) - len,
	    "%llu %u %s %s %s %u %u %d\n", (unsigned long long)row->r,
	    row->slot, row->identity, row->state, row->peer_host,
	    row->tunnel_id, row->session_id, row->held);
}

static void another_clock(void **state)
{
	struct rows before = {""}, after = {""};
	static struct world w;
	uint64_t left;
	uint8_t *saved, *again;
	size_t len, len2;
	struct lns *lns;

	(void)state;
	mixed(&w);
	lns_each(w.lns, add_row, &before);
	left = lns_next_deadline(w.lns) - w.now;
	assert_in_range(left, 1, 60000);
	saved = lns_save(w.lns, w.now, &len);
	lns = lns_restore(&w.cfg, world_random, &w, 5000000000, saved, len);
	assert_non_null(lns);
	assert_true(lns_next_deadline(lns) == 5000000000 + left);
	lns_each(lns, add_row, &after);
	assert_string_equal(before.text, after.text);
	assert_non_null(strstr(after.text, "wait-slot"));
	/* Saved again it is the same bytes. */
	again = lns_save(lns, 5000000000, &len2);
	assert_int_equal(len, len2);
	assert_memory_equal(saved, again, len);
	lns_free(lns);
	free(again);
	free(saved);
	world_free(&w);
}

/* Down for long: what was due is due at once. */
static void a_deadline_that_passed(void **state)
{
	static struct world w;
	struct lns *lns;
	uint8_t *saved;
	size_t len;

	(void)state;
	mixed(&w);
	saved = lns_save(w.lns, w.now + 10000000, &len);
	lns = lns_restore(&w.cfg, world_random, &w, 42, saved, len);
	assert_non_null(lns);
	assert_true(lns_next_deadline(lns) == 42);
	lns_free(lns);
	free(saved);
	world_free(&w);
}

static struct lns *restore(struct world *w, const uint8_t *data, size_t len)
{
	return lns_restore(&w->cfg, world_random, w, w->now, data, len);
}

static void every_truncation_is_refused(void **state)
{
	static struct world w;
	uint8_t *saved, *copy;
	size_t len;

	(void)state;
	mixed(&w);
	saved = lns_save(w.lns, w.now, &len);
	for (size_t n = 0; n < len; n++) {
		copy = malloc(n + 1);
		memcpy(copy, saved, n);
		assert_null(restore(&w, copy, n));
		free(copy);
	}
	copy = malloc(len + 1);
	memcpy(copy, saved, len);
	copy[len] = 0;
	assert_null(restore(&w, copy, len + 1));
	for (int i = 0; i < 4; i++) { /* magic and version */
		copy[i] ^= 1;
		assert_null(restore(&w, copy, len));
		copy[i] ^= 1;
	}
	free(copy);
	free(saved);
	world_free(&w);
}

/* Whatever a damaged string gives, it can be used without harm. */
static void damage_does_no_harm(void **state)
{
	static struct world w;
	struct lns_actions out = {0};
	unsigned int refused = 0;
	uint8_t *saved;
	size_t len;

	(void)state;
	mixed(&w);
	saved = lns_save(w.lns, w.now, &len);
	for (size_t i = 0; i < len * 2; i++) {
		uint8_t mask = i & 1 ? 0x80 : 0x01;
		struct lns_event ev = {
		    .type = LNS_EV_TICK, .now_ms = w.now + 60000};
		struct lns *lns;

		saved[i / 2] ^= mask;
		lns = restore(&w, saved, len);
		saved[i / 2] ^= mask;
		refused += !lns;
		if (!lns)
			continue;
		lns_step(lns, &ev, &out);
		ev.type = LNS_EV_SHUTDOWN;
		lns_step(lns, &ev, &out);
		lns_actions_clear(&out);
		lns_free(lns);
	}
	assert_true(refused > 50);
	lns_actions_free(&out);
	free(saved);
	world_free(&w);
}

static void nothing_is_something(void **state)
{
	static struct world w;
	struct lns *lns;
	uint8_t *saved;
	size_t len;

	(void)state;
	world_init(&w, 1);
	saved = lns_save(w.lns, w.now, &len);
	lns = restore(&w, saved, len);
	assert_non_null(lns);
	assert_true(lns_next_deadline(lns) == UINT64_MAX);
	lns_free(lns);
	assert_null(restore(&w, NULL, 0));
	free(saved);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(another_clock),
	    cmocka_unit_test(a_deadline_that_passed),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(damage_does_no_harm),
	    cmocka_unit_test(nothing_is_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
