/* SPDX-License-Identifier: ISC */
/*
 * Runs a scenario three times: as it is; with the core saved, freed and
 * restored before every event, which must make the same transcript; and
 * with the core dying before every event, where the next one has only its
 * records and what the kernel holds.
 * For cmocka tests only: include after cmocka.h.
 */
#ifndef TEST_LIB_L2TP_SCENARIO_H
#define TEST_LIB_L2TP_SCENARIO_H

#include "test/lib/l2tp_world.h"

#include <string.h>

typedef void (*scenario_fn)(struct world *w);

struct scenario {
	scenario_fn run;
	bool no_death; /* it counts what a death repeats */
};

static inline void scenario_check(const struct world *w)
{
	if (w->fault[0])
		fail_msg("%s\n%s%s", w->fault, w->log ? w->log : "",
		    w->transcript ? w->transcript : "");
}

static inline void scenario_run_both(void **state)
{
	const struct scenario *s = *state;
	struct world *plain = malloc(sizeof(*plain));
	struct world *saved = malloc(sizeof(*saved));

	world_init(plain, 1);
	s->run(plain);
	scenario_check(plain);
	world_init(saved, 1);
	saved->save_each = true;
	s->run(saved);
	scenario_check(saved);
	assert_non_null(plain->transcript);
	assert_string_equal(plain->transcript, saved->transcript);
	world_free(plain);
	world_free(saved);
	if (!s->no_death) {
		world_init(saved, 1);
		saved->die_each = true;
		s->run(saved);
		scenario_check(saved);
		world_free(saved);
	}
	free(plain);
	free(saved);
}

#define SCENARIO_OF(fn, no_death)                                              \
	{                                                                      \
#fn, scenario_run_both, NULL, NULL, &(struct scenario)         \
		{                                                              \
			fn, no_death                                           \
		}                                                              \
	}
#define SCENARIO(fn) SCENARIO_OF(fn, false)
#define SCENARIO_LIVING(fn) SCENARIO_OF(fn, true)

/* The client of R at 10.9.0.<slot>:1701, dialled. */
static inline struct l2tp_client *scenario_dial(struct world *w, uint64_t r,
    uint32_t slot, const struct l2tp_client_config *cfg)
{
	const struct addr addr = world_addr((uint8_t)slot, 1701);
	struct l2tp_client *c;

	world_up(w, r, slot);
	world_run(w, 50);
	c = world_client(w, r, &addr, cfg);
	l2tp_client_dial(c, w->now);
	return c;
}

/* The same, and its call is up. */
static inline struct l2tp_client *scenario_call(struct world *w, uint64_t r,
    uint32_t slot, const struct l2tp_client_config *cfg)
{
	struct l2tp_client *c = scenario_dial(w, r, slot, cfg);

	world_run(w, 500);
	assert_int_equal(c->state, L2TP_CLIENT_UP);
	assert_non_null(world_session(w, r));
	return c;
}

/* pppd of R's call ended. */
static inline void scenario_ppp_down(
    struct world *w, uint64_t r, const char *why)
{
	const struct world_session *s = world_session(w, r);
	const struct lns_event ev = {.type = LNS_EV_SESSION_DOWN,
	    .r = r,
	    .tunnel_id = s->tunnel_id,
	    .session_id = s->id,
	    .text = why};

	world_event(w, &ev);
}

#endif
