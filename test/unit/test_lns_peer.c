/* SPDX-License-Identifier: ISC */
/*
 * Peers of the LNS: slots, kernels that fail, silence, the operator,
 * shutdown; each also with save and restore, and with a death, between
 * every two events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test/lib/l2tp_scenario.h"

#include <errno.h>

#define R 7
#define SLOT 3

static const struct l2tp_client_config plain = {
    .tunnel_id = 11, .session_id = 21, .window = 4};

static void peer_down(struct world *w, uint64_t r)
{
	world_simple(w, LNS_EV_PEER_DOWN, r);
}

/* --- R -------------------------------------------------------------- */

static void a_peer_is_ready_when_its_socket_is(struct world *w)
{
	world_up(w, R, SLOT);
	assert_true(world_peer(w, R)->socket);
	assert_false(world_peer(w, R)->ready);
	world_run(w, 10);
	assert_true(world_peer(w, R)->ready);
	/* ikev1d tells all its R again: the answer too. */
	world_peer(w, R)->ready = false;
	world_up(w, R, SLOT);
	assert_true(world_peer(w, R)->ready);
	peer_down(w, R);
	world_run(w, 10);
	assert_true(world_peer(w, R)->gone);
	assert_int_equal(world_rows(w), 0);
}

static void an_unknown_peer_is_gone_already(struct world *w)
{
	peer_down(w, 99);
	assert_non_null(strstr(w->transcript, "peer-gone r=99"));
	world_simple(w, LNS_EV_DISCONNECT, 99);
	world_simple(w, LNS_EV_PEER_CLOSED, 99);
	world_simple(w, LNS_EV_SESSION_DOWN, 99);
	assert_int_equal(world_rows(w), 0);
}

static void ipv6_is_refused_so_far(struct world *w)
{
	w->is_ipv6 = true;
	world_up(w, R, SLOT);
	assert_true(world_peer(w, R)->refused);
	assert_false(world_peer(w, R)->socket);
	assert_int_equal(world_rows(w), 0);
	w->is_ipv6 = false;
	world_up(w, R + 1, SLOT);
	world_run(w, 10);
	assert_true(world_peer(w, R + 1)->ready);
}

static void bad_slots_are_refused(struct world *w)
{
	world_up(w, R, 0);
	assert_true(world_peer(w, R)->refused);
	world_up(w, R + 1, PEER_SLOT_MAX + 1);
	assert_true(world_peer(w, R + 1)->refused);
	assert_int_equal(world_rows(w), 0);
	world_up(w, R + 2, PEER_SLOT_MAX);
	world_run(w, 10);
	assert_true(world_peer(w, R + 2)->ready);
}

static void a_socket_that_does_not_open(struct world *w)
{
	w->socket_error = -EADDRINUSE;
	world_up(w, R, SLOT);
	world_run(w, 20);
	assert_false(world_peer(w, R)->ready);
	assert_true(world_peer(w, R)->refused);
	assert_true(world_peer(w, R)->gone);
	assert_string_equal(world_peer(w, R)->reason, strerror(EADDRINUSE));
	w->socket_error = 0;
	world_up(w, R + 1, SLOT);
	world_run(w, 20);
	assert_true(world_peer(w, R + 1)->ready);
}

static void an_idle_peer_ends(struct world *w)
{
	world_up(w, R, SLOT);
	world_run(w, w->cfg.idle_peer_ms - 100);
	assert_false(world_peer(w, R)->close_asked);
	world_run(w, 200);
	assert_true(world_peer(w, R)->close_asked);
	assert_string_equal(world_peer(w, R)->reason, "no tunnel for 120 s");
	assert_true(world_peer(w, R)->gone);
}

static void its_sas_are_gone(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);
	int sent = w->sent;

	peer_down(w, R);
	world_run(w, 1000);
	assert_true(world_peer(w, R)->gone);
	assert_int_equal(world_session_count(w), 0);
	assert_int_equal(world_tunnel_count(w), 0);
	/* Nothing is said: there is no SA to say it through. */
	assert_int_equal(w->sent, sent);
	assert_int_equal(c->stops, 0);
}

/* At each millisecond of a call's set-up. */
static void its_sas_go_at_any_time(struct world *w)
{
	for (uint32_t ms = 0; ms < 50; ms++) {
		struct l2tp_client *c =
		    scenario_dial(w, R + ms, SLOT + ms % 5, &plain);

		world_run(w, 2 * ms);
		peer_down(w, R + ms);
		world_run(w, 200);
		assert_true(world_peer(w, R + ms)->gone);
		assert_int_equal(world_session_count(w), 0);
		assert_int_equal(world_tunnel_count(w), 0);
		world_client_end(w, c);
	}
	assert_int_equal(world_rows(w), 0);
}

static void a_new_r_takes_over_the_slot(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	world_client_end(w, c);
	world_up(w, R + 1, SLOT);
	/* The old one's objects go first; its socket too. */
	assert_int_equal(world_session_count(w), 0);
	assert_false(world_peer(w, R + 1)->socket);
	assert_int_equal(world_rows(w), 2);
	/* One more while that one still waits. */
	world_up(w, R + 2, SLOT);
	assert_true(world_peer(w, R + 1)->gone);
	world_run(w, 20);
	assert_true(world_peer(w, R)->gone);
	assert_true(world_peer(w, R + 2)->ready);
	assert_int_equal(world_rows(w), 1);
}

static void one_that_waits_for_its_slot_may_end(struct world *w)
{
	world_up(w, R, SLOT);
	world_run(w, 10);
	world_up(w, R + 1, SLOT);
	peer_down(w, R + 1);
	assert_true(world_peer(w, R + 1)->gone);
	world_run(w, 20);
	assert_true(world_peer(w, R)->gone);
	assert_int_equal(world_rows(w), 0);
}

static void look_at_row(void *ctx, const struct lns_row *row)
{
	*(struct lns_row *)ctx = *row;
}

static void updates_show(struct world *w)
{
	struct peer_up up = {.r = R,
	    .slot = 9, /* never changes */
	    .peer = {.family = ADDR_IPV4, .ip = {198, 51, 100, 1}, .port = 9},
	    .identity = "id",
	    .suite = "new"};
	const struct lns_event ev = {.type = LNS_EV_PEER_UPDATE, .up = &up};
	struct l2tp_client_config cfg = plain;
	struct lns_row row;

	cfg.host = "box\x01\xff";
	scenario_call(w, R, SLOT, &cfg);
	world_event(w, &ev);
	lns_each(w->lns, look_at_row, &row);
	assert_string_equal(row.suite, "new");
	assert_string_equal(row.identity, "id");
	assert_string_equal(row.state, "established");
	assert_string_equal(row.peer_host, "box??");
	assert_int_equal(row.peer.port, 9);
	assert_int_equal(row.slot, SLOT);
	assert_int_equal(row.tunnel_id, SLOT);
	assert_int_equal(row.session_id, world_session(w, R)->id);
	assert_false(row.held || row.natt);
}

/* --- kernels that fail ----------------------------------------------- */

static void a_tunnel_that_does_not_open(struct world *w)
{
	struct l2tp_client *c;

	w->tunnel_error = -ENOMEM;
	c = scenario_dial(w, R, SLOT, &plain);
	world_run(w, 500);
	assert_int_equal(c->stops, 1);
	assert_int_equal(c->stop.code, L2TP_STOP_ERROR);
	assert_int_equal(c->stop.error, L2TP_ERROR_RESOURCES);
	assert_int_equal(c->sccrps, 0);
	assert_true(world_logged(w, strerror(ENOMEM)));
}

static void a_session_that_does_not_open(struct world *w)
{
	struct l2tp_client *c;

	w->session_error = -ENODEV;
	c = scenario_dial(w, R, SLOT, &plain);
	world_run(w, 500);
	assert_int_equal(c->cdns, 1);
	assert_int_equal(c->cdn.code, L2TP_CDN_ERROR);
	assert_int_equal(c->cdn.error, L2TP_ERROR_RESOURCES);
	world_run(w, 6000);
	assert_int_equal(c->stops, 1);
	assert_int_equal(world_tunnel_count(w), 0);
}

static void a_kernel_that_never_answers(struct world *w)
{
	struct l2tp_client *c;

	world_up(w, R, SLOT);
	world_run(w, 10);
	w->kernel_is_stuck = true;
	c = scenario_dial(w, R, SLOT, &plain);
	world_run(w, 31000);
	assert_int_equal(c->stops, 1);
	assert_int_equal(world_tunnel_count(w), 0);
	assert_true(world_logged(w, "the kernel's tunnel took too long"));
}

static void no_randomness_no_call(struct world *w)
{
	struct l2tp_client *c;

	w->random_fails = true;
	c = scenario_dial(w, R, SLOT, &plain);
	world_run(w, 500);
	assert_int_equal(c->cdns, 1);
	assert_int_equal(c->cdn.code, L2TP_CDN_BUSY_NOW);
}

/* --- silence --------------------------------------------------------- */

static void a_quiet_client_is_asked(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	world_run(w, 59000);
	assert_int_equal(c->hellos, 0);
	world_run(w, 3600 * 1000);
	assert_in_range(c->hellos, 59, 60);
	assert_int_equal(world_session_count(w), 1);
}

static void a_dead_client_ends(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	world_client_end(w, c);
	world_run(w, 60000 + 1000 + 2000 + 4000 + 8000 + 8000);
	assert_int_equal(world_session_count(w), 1);
	world_run(w, 8000 + 100);
	assert_int_equal(world_session_count(w), 0);
	assert_string_equal(world_peer(w, R)->reason,
	    "no answer to 5 retransmissions of HELLO");
	assert_true(world_peer(w, R)->gone);
}

/* One dead tunnel of two: R stays. */
static void a_dead_tunnel_beside_a_live_one(struct world *w)
{
	struct l2tp_client_config cfg = plain;
	const struct addr addr = world_addr(SLOT, 5000);
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);
	struct l2tp_client *d;

	cfg.tunnel_id = 12;
	d = world_client(w, R, &addr, &cfg);
	l2tp_client_dial(d, w->now);
	world_run(w, 500);
	assert_int_equal(world_session_count(w), 2);
	world_client_end(w, c);
	world_run(w, 120000);
	assert_int_equal(world_session_count(w), 1);
	assert_false(world_peer(w, R)->close_asked);
}

static void one_that_never_acknowledges_is_cut_off(struct world *w)
{
	struct l2tp_msg rq = {.type = L2TP_OCRQ, .present = 0};
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);
	const struct addr addr = world_addr(SLOT, 1701);
	uint8_t buf[200];
	uint16_t ns = c->rel.end, nr = c->rel.nr;
	int len;

	w->loss = 100;
	for (uint64_t bits = 0; bits < 8; bits++)
		rq.present |= UINT64_C(1)
			      << (L2TP_AVP_ASSIGNED_SESSION_ID + bits);
	rq.assigned_session_id = 5;
	len = l2tp_msg_encode(&rq, SLOT, 0, buf, sizeof(buf));
	assert_true(len > 0);
	for (uint16_t i = 0; i < 2000 && world_tunnel_count(w); i++) {
		l2tp_msg_set_sequence(buf, (size_t)len, ns++, nr);
		world_inject(w, R, &addr, buf, (size_t)len);
	}
	assert_int_equal(world_tunnel_count(w), 0);
	assert_true(world_logged(w, "the client acknowledges nothing"));
}

/* --- the operator ---------------------------------------------------- */

static void disconnect_tells_the_client(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	world_simple(w, LNS_EV_DISCONNECT, R);
	assert_int_equal(world_session_count(w), 0);
	assert_false(world_peer(w, R)->close_asked);
	world_run(w, 500);
	assert_int_equal(c->cdns, 1);
	assert_int_equal(c->stops, 1);
	assert_int_equal(c->cdn.code, L2TP_CDN_ADMIN);
	assert_int_equal(c->stop.code, L2TP_STOP_CLEAR);
	assert_string_equal(
	    world_peer(w, R)->reason, "disconnected by the operator");
	assert_true(world_peer(w, R)->gone);
}

static void disconnect_of_a_dead_client_does_not_wait_long(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	world_client_end(w, c);
	world_simple(w, LNS_EV_DISCONNECT, R);
	world_run(w, 1400);
	assert_false(world_peer(w, R)->close_asked);
	world_run(w, 200);
	assert_true(world_peer(w, R)->close_asked);
	assert_int_equal(world_tunnel_count(w), 0);
}

static void a_peer_that_is_closing_takes_no_calls(struct world *w)
{
	struct l2tp_client_config cfg = plain;
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);
	const struct addr addr = world_addr(SLOT, 1702);
	struct l2tp_client *d;

	w->ike_is_deaf = true;
	world_simple(w, LNS_EV_DISCONNECT, R);
	cfg.tunnel_id = 12;
	d = world_client(w, R, &addr, &cfg);
	l2tp_client_dial(d, w->now);
	world_run(w, 20000);
	assert_int_equal(d->state, L2TP_CLIENT_WAIT_SCCRP);
	assert_int_equal(c->stops, 1);
	/* ikev1d was away: it hears the wish with its list. */
	world_peer(w, R)->close_asked = false;
	world_up(w, R, SLOT);
	assert_true(world_peer(w, R)->close_asked);
	world_simple(w, LNS_EV_DISCONNECT, R);
	peer_down(w, R);
	world_run(w, 100);
	assert_true(world_peer(w, R)->gone);
}

static void shutdown_tells_everyone(struct world *w)
{
	struct l2tp_client *c[5];

	for (uint32_t i = 0; i < 5; i++)
		c[i] = scenario_call(w, R + i, SLOT + i, &plain);
	world_up(w, R + 5, SLOT + 5);
	world_run(w, 10);
	world_up(w, R + 6, SLOT + 5); /* waits for the slot */
	world_simple(w, LNS_EV_SHUTDOWN, 0);
	world_run(w, 1000);
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(c[i]->stop.code, L2TP_STOP_SHUTDOWN);
		assert_int_equal(c[i]->cdns, 1);
	}
	for (uint32_t i = 0; i < 7; i++)
		assert_true(world_peer(w, R + i)->gone);
	assert_int_equal(world_rows(w), 0);
	world_up(w, R + 7, SLOT);
	assert_true(world_peer(w, R + 7)->refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(a_peer_is_ready_when_its_socket_is),
	    SCENARIO(an_unknown_peer_is_gone_already),
	    SCENARIO(bad_slots_are_refused),
	    SCENARIO(ipv6_is_refused_so_far),
	    SCENARIO(a_socket_that_does_not_open),
	    SCENARIO(an_idle_peer_ends),
	    SCENARIO(its_sas_are_gone),
	    SCENARIO(its_sas_go_at_any_time),
	    SCENARIO(a_new_r_takes_over_the_slot),
	    SCENARIO(one_that_waits_for_its_slot_may_end),
	    SCENARIO(updates_show),
	    SCENARIO(a_tunnel_that_does_not_open),
	    SCENARIO(a_session_that_does_not_open),
	    SCENARIO_LIVING(a_kernel_that_never_answers),
	    SCENARIO(no_randomness_no_call),
	    SCENARIO(a_quiet_client_is_asked),
	    SCENARIO(a_dead_client_ends),
	    SCENARIO(a_dead_tunnel_beside_a_live_one),
	    SCENARIO(one_that_never_acknowledges_is_cut_off),
	    SCENARIO(disconnect_tells_the_client),
	    SCENARIO(disconnect_of_a_dead_client_does_not_wait_long),
	    SCENARIO(a_peer_that_is_closing_takes_no_calls),
	    SCENARIO_LIVING(shutdown_tells_everyone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
