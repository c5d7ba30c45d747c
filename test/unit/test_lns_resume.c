/* SPDX-License-Identifier: ISC */
/*
 * The L2TP core dies at any moment: before an event (every scenario of
 * test_lns_* does that too), and inside one, when its record is stored and
 * nothing of what it wanted to say has left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test/lib/l2tp_scenario.h"

#include <errno.h>
#include <stdio.h>

#define R 7
#define SLOT 3

static const struct l2tp_client_config plain = {
    .tunnel_id = 11, .session_id = 21, .window = 4};

/* --- inside every event ------------------------------------------------ */

/* A death in the middle costs a retransmission at most. */
static void dials(struct world *w)
{
	struct l2tp_client *c = scenario_dial(w, R, SLOT, &plain);

	world_run(w, 10000);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_int_equal(world_tunnel_count(w), 1);
	assert_int_equal(world_session_count(w), 1);
	assert_true(world_peer(w, R)->ready);
	/* And it goes on: HELLO after a minute, answered. */
	world_run(w, 120000);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_in_range(c->hellos, 1, 3);
	assert_int_equal(world_session_count(w), 1);
}

static void nothing_is_left(struct world *w)
{
	assert_int_equal(world_tunnel_count(w), 0);
	assert_int_equal(world_session_count(w), 0);
}

static void operator_ends_it(struct world *w)
{
	struct l2tp_client *c = scenario_dial(w, R, SLOT, &plain);

	world_run(w, 10000);
	world_simple(w, LNS_EV_DISCONNECT, R);
	world_run(w, 10000);
	assert_int_equal(c->stops, 1);
	nothing_is_left(w);
	assert_true(world_peer(w, R)->gone);
}

static void client_ends_it(struct world *w)
{
	struct l2tp_client *c = scenario_dial(w, R, SLOT, &plain);

	world_run(w, 10000);
	l2tp_client_stop(c, w->now);
	world_run(w, 10000);
	nothing_is_left(w);
	assert_int_equal(world_rows(w), 1);
	/* Without a tunnel R ends after a while. */
	world_run(w, 200000);
	assert_true(world_peer(w, R)->gone);
	assert_int_equal(world_rows(w), 0);
}

static void ppp_ends(struct world *w)
{
	struct l2tp_client *c = scenario_dial(w, R, SLOT, &plain);

	world_run(w, 10000);
	scenario_ppp_down(w, R, "LCP is down");
	world_run(w, 20000);
	assert_int_equal(c->cdns, 1);
	nothing_is_left(w);
}

static void sas_go(struct world *w)
{
	scenario_dial(w, R, SLOT, &plain);
	world_run(w, 10000);
	world_simple(w, LNS_EV_PEER_DOWN, R);
	world_run(w, 10000);
	nothing_is_left(w);
	assert_true(world_peer(w, R)->gone);
}

/* A new R takes the slot of an old one. */
static void slot_changes_hands(struct world *w)
{
	struct l2tp_client_config cfg = plain;
	struct l2tp_client *c;

	scenario_dial(w, R, SLOT, &plain);
	world_run(w, 10000);
	world_peer(w, R)->is_up = false;
	cfg.tunnel_id = 12;
	c = scenario_dial(w, R + 1, SLOT, &cfg);
	world_run(w, 20000);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_true(world_peer(w, R)->gone);
	assert_true(world_peer(w, R + 1)->ready);
	assert_int_equal(world_session_count(w), 1);
}

static void opens_fail(struct world *w)
{
	struct l2tp_client *c;

	w->session_error = -ENOMEM;
	c = scenario_dial(w, R, SLOT, &plain);
	world_run(w, 20000);
	assert_int_equal(c->cdns, 1);
	nothing_is_left(w);
	w->session_error = 0;
	w->tunnel_error = -ENOMEM;
	c = scenario_dial(w, R + 1, SLOT + 1, &plain);
	world_run(w, 20000);
	assert_int_equal(c->stops, 1);
	w->tunnel_error = 0;
	w->socket_error = -EADDRNOTAVAIL;
	world_up(w, R + 2, SLOT + 2);
	world_run(w, 10000);
	assert_false(world_peer(w, R + 2)->ready);
	nothing_is_left(w);
}

/* Once for each event of it, until none is left to die in. */
static void at_every_event(void **state)
{
	const struct scenario *s = *state;
	static struct world w;
	int events = 1;

	for (int n = 0; n < events; n++) {
		world_init(&w, 1);
		w.die_at = n;
		s->run(&w);
		scenario_check(&w);
		events = w.events;
		assert_in_range(events, 5, 1000);
		world_free(&w);
	}
}

#define AT_EVERY_EVENT(fn)                                                     \
	{                                                                      \
#fn, at_every_event, NULL, NULL, &(struct scenario)            \
		{                                                              \
			fn, false                                              \
		}                                                              \
	}

/* --- what changed meanwhile -------------------------------------------- */

/* No engine lived when pppd ended: the client hears it afterwards. */
static void ppp_ends_meanwhile(void **state)
{
	static struct world w;
	struct l2tp_client *c;

	(void)state;
	world_init(&w, 1);
	c = scenario_call(&w, R, SLOT, &plain);
	memset(world_session(&w, R), 0, sizeof(struct world_session));
	world_die(&w);
	world_run(&w, 1000);
	assert_int_equal(c->cdns, 1);
	assert_true(world_logged(&w, "PPP ended while"));
	world_run(&w, 20000);
	nothing_is_left(&w);
	scenario_check(&w);
	world_free(&w);
}

/* A peer that is lost at the monitor ends; so does a tunnel alone. */
static void objects_go_meanwhile(void **state)
{
	static struct world w;

	(void)state;
	world_init(&w, 1);
	scenario_call(&w, R, SLOT, &plain);
	memset(world_session(&w, R), 0, sizeof(struct world_session));
	memset(&w.tunnels[0], 0, sizeof(w.tunnels[0]));
	world_die(&w);
	assert_true(world_logged(&w, "the kernel's tunnel is gone"));
	world_run(&w, 1000);
	assert_true(world_peer(&w, R)->gone);
	scenario_call(&w, R + 1, SLOT + 1, &plain);
	for (int i = 0; i < WORLD_OBJECTS; i++) {
		memset(&w.sessions[i], 0, sizeof(w.sessions[i]));
		memset(&w.tunnels[i], 0, sizeof(w.tunnels[i]));
	}
	world_peer(&w, R + 1)->socket = false;
	world_die(&w);
	world_run(&w, 1000);
	assert_true(world_peer(&w, R + 1)->gone);
	scenario_check(&w);
	world_free(&w);
}

/* Without its record R ends, with all that the monitor has of it. */
static void a_lost_record_ends_its_r_alone(void **state)
{
	static struct world w;
	struct l2tp_client *c;

	(void)state;
	world_init(&w, 1);
	scenario_call(&w, R, SLOT, &plain);
	c = scenario_call(&w, R + 1, SLOT + 1, &plain);
	for (int i = 0; i < WORLD_OBJECTS; i++)
		if (w.records[i].r == R) {
			free(w.records[i].data);
			memset(&w.records[i], 0, sizeof(w.records[i]));
		}
	world_die(&w);
	assert_string_equal(world_peer(&w, R)->reason,
	    "l2tpd's engine lost what it knew of it");
	assert_int_equal(world_tunnel_count(&w), 1);
	assert_int_equal(world_session_count(&w), 1);
	world_run(&w, 1000);
	assert_true(world_peer(&w, R)->gone);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_non_null(world_session(&w, R + 1));
	scenario_check(&w);
	world_free(&w);
}

/* --- damage -------------------------------------------------------------- */

static const struct world_record *some_record(struct world *w)
{
	world_init(w, 1);
	scenario_call(w, R, SLOT, &plain);
	for (int i = 0; i < WORLD_OBJECTS; i++)
		if (w->records[i].r == R)
			return &w->records[i];
	abort();
}

static void count_record(void *ctx, uint64_t r, const uint8_t *data, size_t len)
{
	(void)r;
	(void)data;
	(void)len;
	++*(size_t *)ctx;
}

/* Nothing of it stays, and no other R is touched. */
static void damaged_records_are_refused(void **state)
{
	static struct world w;
	const struct world_record *rec = some_record(&w);
	struct lns *lns = lns_new(&w.cfg, world_random, &w);
	size_t count = 0;
	uint8_t *copy;

	(void)state;
	for (size_t n = 0; n <= rec->len + 1; n++) {
		if (n == rec->len)
			continue;
		copy = calloc(1, n + 1);
		memcpy(copy, rec->data, n < rec->len ? n : rec->len);
		assert_int_equal(lns_resume(lns, R, copy, n), -EBADMSG);
		free(copy);
	}
	assert_int_equal(lns_resume(lns, R + 1, rec->data, rec->len), -EBADMSG);
	assert_int_equal(lns_resume(lns, R, NULL, 0), -EBADMSG);
	lns_checkpoint(lns, count_record, &count);
	assert_int_equal(count, 0);
	assert_int_equal(lns_resume(lns, R, rec->data, rec->len), 0);
	assert_int_equal(lns_resume(lns, R, rec->data, rec->len), -EBADMSG);
	lns_checkpoint(lns, count_record, &count);
	assert_int_equal(count, 0);
	lns_free(lns);
	world_free(&w);
}

/* Whatever a damaged record gives can be used without harm. */
static void damage_does_no_harm(void **state)
{
	static struct world w;
	const struct world_record *rec = some_record(&w);
	struct lns_actions out = {0};
	unsigned int refused = 0;

	(void)state;
	for (size_t i = 0; i < rec->len * 2; i++) {
		uint8_t mask = i & 1 ? 0x80 : 0x01;
		struct lns_event ev = {.now_ms = w.now + 60000};
		struct lns *lns = lns_new(&w.cfg, world_random, &w);

		rec->data[i / 2] ^= mask;
		refused += lns_resume(lns, R, rec->data, rec->len) != 0;
		rec->data[i / 2] ^= mask;
		ev.type = LNS_EV_FOUND_END;
		lns_step(lns, &ev, &out);
		ev.type = LNS_EV_TICK;
		lns_step(lns, &ev, &out);
		ev.type = LNS_EV_SHUTDOWN;
		lns_step(lns, &ev, &out);
		lns_actions_clear(&out);
		lns_free(lns);
	}
	assert_true(refused > 20);
	lns_actions_free(&out);
	world_free(&w);
}

static void note_peer(void *ctx, const struct peer_up *up, bool is_ready)
{
	char *text = ctx;

	sprintf(text + strlen(text), "%d %d ", (int)up->r, is_ready);
}

static void peers_are_listed(void **state)
{
	static struct world w;
	char text[64] = "";

	(void)state;
	world_init(&w, 1);
	world_up(&w, R, SLOT);
	world_run(&w, 100);
	world_up(&w, R + 1, SLOT + 1);
	lns_each_peer(w.lns, note_peer, text);
	assert_string_equal(text, "7 1 8 0 ");
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    AT_EVERY_EVENT(dials),
	    AT_EVERY_EVENT(operator_ends_it),
	    AT_EVERY_EVENT(client_ends_it),
	    AT_EVERY_EVENT(ppp_ends),
	    AT_EVERY_EVENT(sas_go),
	    AT_EVERY_EVENT(slot_changes_hands),
	    AT_EVERY_EVENT(opens_fail),
	    cmocka_unit_test(ppp_ends_meanwhile),
	    cmocka_unit_test(objects_go_meanwhile),
	    cmocka_unit_test(a_lost_record_ends_its_r_alone),
	    cmocka_unit_test(damaged_records_are_refused),
	    cmocka_unit_test(damage_does_no_harm),
	    cmocka_unit_test(peers_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
