/* SPDX-License-Identifier: ISC */
/*
 * Whole calls against a fake kernel, over good and bad links; each also
 * with save and restore between every two events.
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

static void a_call_comes_up(struct world *w)
{
	struct l2tp_client *c = scenario_dial(w, R, SLOT, &plain);

	world_run(w, 1000);
	assert_true(world_peer(w, R)->ready);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_int_equal(world_tunnel_count(w), 1);
	assert_int_equal(world_session_count(w), 1);
	assert_int_equal(w->tunnels[0].id, SLOT);
	assert_int_equal(w->tunnels[0].peer_id, 11);
	assert_int_equal(w->sessions[0].peer_id, 21);
	assert_int_equal(w->sessions[0].id, c->peer_session_id);
	assert_false(w->sessions[0].sequencing);
	assert_true(world_logged(w, "is up"));
	assert_true(l2tp_reliable_is_idle(&c->rel));
}

static void sequencing_is_passed_on(struct world *w)
{
	struct l2tp_client_config cfg = plain;

	cfg.sequencing = true;
	scenario_call(w, R, SLOT, &cfg);
	assert_true(w->sessions[0].sequencing);
}

/* RWS absent, 1 as Android's client has it, larger than ours. */
static void any_window_serves(struct world *w)
{
	const uint16_t windows[] = {0, 1, 8, 65535};
	struct l2tp_client_config cfg = plain;
	struct l2tp_client *c;

	for (uint32_t i = 0; i < 4; i++) {
		cfg.window = windows[i];
		c = scenario_call(w, R + i, SLOT + i, &cfg);
		assert_int_equal(c->sccrps, 1);
		assert_int_equal(c->icrps, 1);
	}
}

static void the_client_hangs_up(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	l2tp_client_cdn(c, w->now);
	world_run(w, 100);
	assert_int_equal(world_session_count(w), 0);
	assert_int_equal(world_tunnel_count(w), 1);
	l2tp_client_stop(c, w->now);
	world_run(w, 100);
	assert_int_equal(world_tunnel_count(w), 0);
	assert_true(l2tp_reliable_is_idle(&c->rel));
	assert_int_equal(c->cdns + c->stops, 0);
	/* R stays for a while: the client may dial again. */
	assert_false(world_peer(w, R)->close_asked);
	world_run(w, w->cfg.idle_peer_ms + 1000);
	assert_true(world_peer(w, R)->close_asked);
	assert_true(world_peer(w, R)->gone);
	assert_int_equal(world_rows(w), 0);
}

static void a_stop_alone_ends_the_call_too(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	l2tp_client_stop(c, w->now);
	world_run(w, 100);
	assert_int_equal(world_session_count(w), 0);
	assert_int_equal(world_tunnel_count(w), 0);
	assert_int_equal(world_rows(w), 1);
}

/* RFC 2661 section 5.7: a lost acknowledgement of StopCCN. */
static void duplicates_of_stop_are_answered_for_31_s(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	w->drop_at = w->sent + 1;
	l2tp_client_stop(c, w->now);
	world_run(w, 500);
	assert_false(l2tp_reliable_is_idle(&c->rel));
	world_run(w, 1000);
	assert_true(l2tp_reliable_is_idle(&c->rel));
	assert_int_equal(world_tunnel_count(w), 0);
	world_run(w, L2TP_LINGER_MS);
	/* Now it is forgotten: no answer any more. */
	l2tp_client_stop(c, w->now);
	world_run(w, 3000);
	assert_false(l2tp_reliable_is_idle(&c->rel));
}

static void the_client_dials_again(struct world *w)
{
	struct l2tp_client_config cfg = plain;
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);
	const struct addr addr = world_addr(SLOT, 1701);

	for (uint16_t i = 1; i < 8; i++) {
		l2tp_client_stop(c, w->now);
		world_run(w, 200);
		world_client_end(w, c);
		cfg.tunnel_id++;
		c = world_client(w, R, &addr, &cfg);
		l2tp_client_dial(c, w->now);
		world_run(w, 500);
		assert_int_equal(c->state, L2TP_CLIENT_UP);
		/* Generations in turn; lingering ones make room. */
		assert_int_equal(c->peer_tunnel_id, (i % 3) << 14 | SLOT);
		assert_int_equal(world_tunnel_count(w), 1);
	}
}

static void ppp_ends(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	scenario_ppp_down(w, R, "LCP terminated by peer");
	world_run(w, 100);
	assert_int_equal(c->cdns, 1);
	assert_int_equal(c->cdn.code, L2TP_CDN_CARRIER);
	assert_int_equal(world_session_count(w), 0);
	assert_int_equal(world_tunnel_count(w), 1);
	assert_int_equal(c->stops, 0);
	world_run(w, 6000);
	assert_int_equal(c->stops, 1);
	assert_int_equal(c->stop.code, L2TP_STOP_CLEAR);
	assert_int_equal(world_tunnel_count(w), 0);
}

/* A second call right after the first keeps the tunnel. */
static void a_new_call_in_time_keeps_the_tunnel(struct world *w)
{
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	scenario_ppp_down(w, R, NULL);
	world_run(w, 2000);
	l2tp_client_call(c, 22, w->now);
	world_run(w, 60000);
	assert_int_equal(c->stops, 0);
	assert_int_equal(world_session_count(w), 1);
	assert_int_equal(world_session(w, R)->peer_id, 22);
}

static void a_tunnel_without_a_call_ends(struct world *w)
{
	struct l2tp_client_config cfg = plain;
	struct l2tp_client *c;

	cfg.stop_at_tunnel = true;
	c = scenario_dial(w, R, SLOT, &cfg);
	world_run(w, 29000);
	assert_int_equal(c->stops, 0);
	assert_int_equal(world_tunnel_count(w), 1);
	world_run(w, 2000);
	assert_int_equal(c->stops, 1);
	assert_int_equal(world_tunnel_count(w), 0);
	assert_true(world_logged(w, "it has no call"));
}

static void a_call_without_iccn_ends(struct world *w)
{
	struct l2tp_client_config cfg = plain;
	struct l2tp_client *c;

	cfg.stop_at_icrp = true;
	c = scenario_dial(w, R, SLOT, &cfg);
	world_run(w, 31000);
	assert_int_equal(c->cdns, 1);
	assert_int_equal(c->cdn.code, L2TP_CDN_TIMEOUT);
	assert_int_equal(w->session_opens, 0);
}

/* --- links ---------------------------------------------------------- */

static void one_lost_datagram(struct world *w, int which)
{
	struct l2tp_client *c;

	w->drop_at = w->sent + which;
	c = scenario_dial(
	    w, R + (uint64_t)which, SLOT + (uint32_t)which, &plain);
	world_run(w, 4000);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_int_equal(world_session_count(w), 1);
	l2tp_client_cdn(c, w->now);
	l2tp_client_stop(c, w->now);
	world_run(w, 4000);
	assert_true(l2tp_reliable_is_idle(&c->rel));
	assert_int_equal(world_session_count(w), 0);
	assert_int_equal(world_tunnel_count(w), 0);
	world_client_end(w, c);
}

static void each_datagram_may_get_lost(struct world *w)
{
	for (int n = 0; n < 16; n++)
		one_lost_datagram(w, n);
	assert_int_equal(w->tunnel_opens, 16);
	assert_int_equal(w->session_opens, 16);
}

static void every_datagram_comes_twice(struct world *w)
{
	struct l2tp_client *c;

	w->twice = 100;
	c = scenario_call(w, R, SLOT, &plain);
	assert_int_equal(w->tunnel_opens, 1);
	assert_int_equal(w->session_opens, 1);
	l2tp_client_cdn(c, w->now);
	l2tp_client_stop(c, w->now);
	world_run(w, 1000);
	assert_int_equal(world_tunnel_count(w), 0);
}

/* Everything at once, for as long as the client's patience lasts. */
static void a_link_with_30_percent_loss(struct world *w)
{
	struct l2tp_client *c;
	unsigned int up = 0;

	w->loss = 30;
	w->twice = 20;
	w->jitter = 400;
	for (uint32_t i = 0; i < 12; i++) {
		c = scenario_dial(w, R + i, SLOT + i, &plain);
		world_run(w, 25000);
		up += c->state == L2TP_CLIENT_UP;
		l2tp_client_cdn(c, w->now);
		l2tp_client_stop(c, w->now);
		world_run(w, 120000);
		assert_int_equal(world_session_count(w), 0);
		assert_int_equal(world_tunnel_count(w), 0);
		world_client_end(w, c);
	}
	/* A few exchanges die of six losses in a row. */
	assert_in_range(up, 10, 12);
	assert_int_equal(w->session_opens, w->session_closes);
}

static void a_link_that_reorders(struct world *w)
{
	struct l2tp_client *c;

	w->jitter = 900;
	c = scenario_dial(w, R, SLOT, &plain);
	world_run(w, 20000);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	for (uint16_t i = 0; i < 6; i++)
		l2tp_client_call(c, (uint16_t)(30 + i), w->now);
	world_run(w, 20000);
	/* Two calls a client: the first and one of six. */
	assert_int_equal(world_session_count(w), 2);
	assert_int_equal(c->cdns, 5);
	assert_int_equal(c->cdn.code, L2TP_CDN_BUSY_NOW);
}

/* --- several -------------------------------------------------------- */

static void clients_with_one_inner_address(struct world *w)
{
	const struct addr same = world_addr(1, 1701);
	struct l2tp_client *c[10];

	for (uint32_t i = 0; i < 10; i++) {
		world_up(w, R + i, SLOT + i);
		c[i] = world_client(w, R + i, &same, &plain);
	}
	world_run(w, 50);
	for (uint32_t i = 0; i < 10; i++)
		l2tp_client_dial(c[i], w->now);
	world_run(w, 1000);
	assert_int_equal(world_session_count(w), 10);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(c[i]->state, L2TP_CLIENT_UP);
		assert_int_equal(c[i]->peer_tunnel_id, SLOT + i);
		/* Unique over all: kernels below 6.11 need that. */
		for (uint32_t k = 0; k < i; k++)
			assert_int_not_equal(
			    c[i]->peer_session_id, c[k]->peer_session_id);
	}
}

static void three_ports_and_no_more(struct world *w)
{
	struct l2tp_client *c[4];

	world_up(w, R, SLOT);
	world_run(w, 50);
	for (uint16_t i = 0; i < 4; i++) {
		struct addr addr = world_addr(SLOT, (uint16_t)(5000 + i));
		struct l2tp_client_config cfg = plain;

		cfg.stop_at_tunnel = true;
		cfg.tunnel_id = (uint16_t)(11 + i);
		c[i] = world_client(w, R, &addr, &cfg);
		l2tp_client_dial(c[i], w->now);
		world_run(w, 500);
	}
	assert_int_equal(world_tunnel_count(w), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(c[i]->peer_tunnel_id, i << 14 | SLOT);
	assert_int_equal(c[3]->stop.code, L2TP_STOP_ERROR);
	assert_int_equal(c[3]->stop.error, L2TP_ERROR_RESOURCES);
}

static void the_client_restarts(struct world *w)
{
	const struct addr addr = world_addr(SLOT, 1701);
	struct l2tp_client_config cfg = plain;
	struct l2tp_client *c = scenario_call(w, R, SLOT, &plain);

	world_client_end(w, c);
	cfg.tunnel_id = 12;
	c = world_client(w, R, &addr, &cfg);
	l2tp_client_dial(c, w->now);
	world_run(w, 500);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_int_equal(c->peer_tunnel_id, 1 << 14 | SLOT);
	assert_int_equal(world_tunnel_count(w), 1);
	assert_int_equal(world_session_count(w), 1);
	assert_int_equal(w->session_closes, 1);
	assert_true(world_logged(w, "the client restarted"));
}

/* mtpd asks every two seconds; our first interval is no shorter. */
static void a_repeated_sccrq_is_answered_at_once(struct world *w)
{
	struct l2tp_client *c;

	w->drop_at = w->sent + 1; /* SCCRP */
	c = scenario_dial(w, R, SLOT, &plain);
	world_run(w, 100);
	assert_int_equal(c->sccrps, 0);
	l2tp_reliable_resend(&c->rel, c->emit, c->ctx);
	world_run(w, 100);
	assert_int_equal(c->sccrps, 1);
	world_run(w, 5000);
	assert_int_equal(w->tunnel_opens, 1);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(a_call_comes_up),
	    SCENARIO(sequencing_is_passed_on),
	    SCENARIO(any_window_serves),
	    SCENARIO(the_client_hangs_up),
	    SCENARIO(a_stop_alone_ends_the_call_too),
	    SCENARIO(duplicates_of_stop_are_answered_for_31_s),
	    SCENARIO(the_client_dials_again),
	    SCENARIO(ppp_ends),
	    SCENARIO(a_new_call_in_time_keeps_the_tunnel),
	    SCENARIO(a_tunnel_without_a_call_ends),
	    SCENARIO(a_call_without_iccn_ends),
	    SCENARIO(each_datagram_may_get_lost),
	    SCENARIO(every_datagram_comes_twice),
	    SCENARIO(a_link_with_30_percent_loss),
	    SCENARIO(a_link_that_reorders),
	    SCENARIO(clients_with_one_inner_address),
	    SCENARIO(three_ports_and_no_more),
	    SCENARIO(the_client_restarts),
	    SCENARIO(a_repeated_sccrq_is_answered_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
