/* SPDX-License-Identifier: ISC */
/* Whole calls against a fake kernel: good ones, bad links, bad clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/l2tp_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define R 7
#define SLOT 3

static const struct l2tp_client_config plain = {
    .tunnel_id = 11, .session_id = 21, .window = 4};

static void no_fault(const struct world *w)
{
	if (w->fault[0])
		fail_msg("%s\n%s%s", w->fault, w->log, w->transcript);
}

static struct l2tp_client *dial(struct world *w, uint64_t r, uint32_t slot,
    const struct l2tp_client_config *cfg)
{
	const struct addr addr = world_addr((uint8_t)slot, 1701);
	struct l2tp_client *c;

	world_up(w, r, slot);
	world_run(w, 50);
	c = world_client(w, r, &addr, cfg);
	l2tp_client_dial(c, w->now);
	return c;
}

static void a_call_comes_up(void **state)
{
	struct l2tp_client *c;
	struct world w;

	(void)state;
	world_init(&w, 1);
	c = dial(&w, R, SLOT, &plain);
	world_run(&w, 1000);
	no_fault(&w);
	assert_true(world_peer(&w, R)->ready);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_int_equal(world_tunnel_count(&w), 1);
	assert_int_equal(world_session_count(&w), 1);
	assert_int_equal(w.tunnels[0].id, SLOT);
	assert_int_equal(w.tunnels[0].peer_id, 11);
	assert_int_equal(w.sessions[0].peer_id, 21);
	assert_int_equal(w.sessions[0].id, c->peer_session_id);
	assert_true(world_logged(&w, "is up"));
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_call_comes_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
