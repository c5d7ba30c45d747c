/* SPDX-License-Identifier: ISC */
/*
 * Clients that do what they should not: the wrong message in each state,
 * unusable SCCRQs, foreign ids, limits; each also with save and restore
 * between every two events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test/lib/l2tp_raw.h"

#define R 7
#define SLOT 3

static const struct l2tp_client_config plain = {
    .tunnel_id = 11, .session_id = 21, .window = 4};

/* --- each message in each state --------------------------------------- */

static void in_wait_ctl_conn(struct world *w)
{
	/* SCCRP; an outgoing call; WEN: 0, 2 for CDN, 7 for StopCCN. */
	static const struct {
		uint16_t type;
		int answer;
	} cases[] = {
	    {L2TP_SCCRQ, 7}, /* with our tunnel id: no repetition */
	    {L2TP_SCCRP, 7},
	    {L2TP_HELLO, 0},
	    {L2TP_ICRQ, 2},
	    {L2TP_ICRP, 0},
	    {L2TP_ICCN, 0},
	    {L2TP_CDN, 0},
	    {L2TP_WEN, 0},
	    {L2TP_SLI, 0},
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct raw raw = raw_begin(w, R + i, SLOT + i);

		raw_open(&raw);
		raw_say(&raw, cases[i].type, 0);
		if (cases[i].answer == 7)
			assert_stop(w, L2TP_STOP_FSM, 0);
		else if (cases[i].answer == 2)
			assert_cdn(w, L2TP_CDN_ERROR, L2TP_ERROR_NO_CONNECTION);
		else
			assert_int_equal(answer(w).type, 0);
	}
}

static void in_established(struct world *w)
{
	static const struct {
		uint16_t type;
		int answer;
	} cases[] = {
	    {L2TP_SCCRQ, 7},
	    {L2TP_SCCRP, 7},
	    {L2TP_SCCCN, 7},
	    {L2TP_HELLO, 0},
	    {L2TP_ICRP, 0},
	    {L2TP_ICCN, 0},
	    {L2TP_OCRQ, 2},
	    {L2TP_OCRP, 0},
	    {L2TP_OCCN, 0},
	    {L2TP_CDN, 0},
	    {L2TP_WEN, 0},
	    {L2TP_SLI, 0},
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct raw raw = raw_begin(w, R + i, SLOT + i);

		raw_establish(&raw);
		raw_say(&raw, cases[i].type, 0);
		if (cases[i].answer == 7)
			assert_stop(w, L2TP_STOP_FSM, 0);
		else if (cases[i].answer == 2)
			assert_cdn(w, L2TP_CDN_NEVER, 0);
		else
			assert_int_equal(answer(w).type, 0);
	}
}

static void in_wait_connect(struct world *w)
{
	static const struct {
		uint16_t type;
		bool ends;
	} cases[] = {
	    {L2TP_ICRQ, true},
	    {L2TP_ICRP, true},
	    {L2TP_OCRQ, true},
	    {L2TP_OCRP, true},
	    {L2TP_OCCN, true},
	    {L2TP_WEN, false},
	    {L2TP_SLI, false},
	};

	for (uint32_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct raw raw = raw_begin(w, R + i, SLOT + i);
		uint16_t id;

		raw_establish(&raw);
		id = raw_call(&raw);
		raw_say(&raw, cases[i].type, id);
		if (cases[i].ends)
			assert_cdn(w, L2TP_CDN_ERROR, 0);
		else
			assert_int_equal(answer(w).type, 0);
	}
	assert_int_equal(w->session_opens, 0);
}

static void in_a_call(struct world *w)
{
	static const uint16_t types[] = {L2TP_ICRQ, L2TP_ICRP, L2TP_ICCN};

	for (uint32_t i = 0; i < 3; i++) {
		struct raw raw = raw_begin(w, R + i, SLOT + i);
		uint16_t id;

		raw_establish(&raw);
		id = raw_call(&raw);
		raw_say(&raw, L2TP_ICCN, id);
		assert_int_equal(world_session_count(w), 1);
		raw_say(&raw, types[i], id);
		assert_cdn(w, L2TP_CDN_ERROR, 0);
		assert_int_equal(world_session_count(w), 0);
	}
}

/* --- bad bodies ---------------------------------------------------------- */

static void what_can_not_be_read_ends_the_tunnel(struct world *w)
{
	static const char *const bodies[] = {
	    "\x80\x09\0\0\0\0\0\x06",	/* too long a first AVP */
	    "\x80\x00\0\0\0\0\0\x06",	/* a zero length */
	    "\x80\x08\0\0\0\x09\0\x06", /* not Message Type */
	    "\xc0\x08\0\0\0\0\0\x06",	/* hidden */
	    "\x80\x08\0\0\0\0\0\x63",	/* unknown, mandatory */
	};

	for (uint32_t i = 0; i < 5; i++) {
		struct raw raw = raw_begin(w, R + i, SLOT + i);

		raw_establish(&raw);
		raw_body(&raw, 0, bodies[i], 8);
		assert_int_equal(answer(w).type, L2TP_STOPCCN);
		assert_int_equal(answer(w).result.code, L2TP_STOP_ERROR);
	}
}

static void an_unknown_message_without_m_is_ignored(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);

	raw_establish(&raw);
	raw_body(&raw, 0, "\0\x08\0\0\0\0\0\x63", 8);
	assert_int_equal(answer(w).type, 0);
	/* It is acknowledged all the same: the next one is in order. */
	raw_call(&raw);
}

/* RFC 2661 section 4.1: in a message of a call only the call ends. */
static void an_unknown_avp_ends_the_call_only(struct world *w)
{
	static const char iccn[] = "\x80\x08\0\0\0\0\0\x0c"
				   "\x80\x0a\0\0\0\x18\0\0\0\x01"
				   "\x80\x0a\0\0\0\x13\0\0\0\x01"
				   "\x80\x06\0\0\0\x3c";
	struct raw raw = raw_begin(w, R, SLOT);
	uint16_t id;

	raw_establish(&raw);
	id = raw_call(&raw);
	raw_body(&raw, id, iccn, sizeof(iccn) - 1);
	assert_cdn(w, L2TP_CDN_ERROR, L2TP_ERROR_UNKNOWN_AVP);
	raw.nr++;
	/* A call that does not begin is refused likewise. */
	raw_body(&raw, 0, "\x80\x08\0\0\0\0\0\x0a\x80\x08\0\0\0\x0e\0\x15", 16);
	assert_cdn(w, L2TP_CDN_ERROR, L2TP_ERROR_VALUE);
	raw.nr++;
	raw_call(&raw);
	assert_int_equal(world_tunnel_count(w), 1);
}

static void a_bad_stop_stops_too(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);

	raw_establish(&raw);
	raw_body(&raw, 0, "\x80\x08\0\0\0\0\0\x04", 8);
	assert_int_equal(answer(w).type, 0);
	assert_int_equal(world_tunnel_count(w), 0);
}

/* --- SCCRQ --------------------------------------------------------------- */

static void unusable_sccrqs(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);
	struct l2tp_msg msg = fill(L2TP_SCCRQ);

	L2TP_SET(&msg, CHALLENGE);
	msg.challenge = msg.host_name;
	raw_send(&raw, &msg, 0);
	assert_stop(w, L2TP_STOP_NOT_AUTHORIZED, 0);
	assert_true(world_logged(w, "no tunnel secret is configured"));
	raw.ns = 0;
	msg = fill(L2TP_SCCRQ);
	msg.protocol_version = 0x0200;
	raw_send(&raw, &msg, 0);
	assert_stop(w, L2TP_STOP_VERSION, 0x0100);
	raw.ns = 0;
	msg = fill(L2TP_SCCRQ);
	L2TP_SET(&msg, RECEIVE_WINDOW_SIZE);
	raw_send(&raw, &msg, 0);
	assert_stop(w, L2TP_STOP_ERROR, L2TP_ERROR_VALUE);
	raw.ns = 0;
	msg = fill(L2TP_SCCRQ);
	msg.present &= ~(UINT64_C(1) << L2TP_AVP_HOST_NAME);
	raw_send(&raw, &msg, 0);
	assert_stop(w, L2TP_STOP_ERROR, L2TP_ERROR_VALUE);
	/* No way to answer, or no beginning. */
	raw.ns = 0;
	msg = fill(L2TP_SCCRQ);
	msg.assigned_tunnel_id = 0;
	raw_send(&raw, &msg, 0);
	assert_int_equal(answer(w).type, 0);
	raw.ns = 5;
	raw_say(&raw, L2TP_SCCRQ, 0);
	assert_int_equal(answer(w).type, 0);
	/* None of them left anything. */
	assert_int_equal(w->tunnel_opens, 0);
	raw.ns = 0;
	msg = fill(L2TP_SCCRQ);
	msg.protocol_version = 0x0101; /* a revision is no other version */
	L2TP_SET(&msg, TIE_BREAKER);
	msg.tie_breaker = (struct wire_span){l2tp_hello.data, 8};
	raw_send(&raw, &msg, 0);
	assert_int_equal(answer(w).type, L2TP_SCCRP);
}

static void what_comes_before_sccrq(struct world *w)
{
	static const uint8_t data[] = {
	    0x40, 0x02, 0, 12, 0, 0, 0, 0, 1, 2, 3, 4};
	struct raw raw = raw_begin(w, R, SLOT);

	/* Apple's HELLOs, call messages, a StopCCN of nobody. */
	for (uint16_t type = 0; type < 20; type++) {
		raw.ns = 0;
		if (type != L2TP_SCCRQ)
			raw_say(&raw, type, 0);
		assert_int_equal(answer(w).type, 0);
	}
	world_inject(w, R, &raw.addr, data, sizeof(data));
	world_inject(w, R, &raw.addr, "", 0);
	world_inject(w, R, &raw.addr, l2tp_zlb.data, l2tp_zlb.len);
	world_inject(w, R, &raw.addr, l2tp_hello.data, l2tp_hello.len);
	for (size_t len = 0; len < l2tp_windows_sccrq.len; len++)
		world_inject(w, R, &raw.addr, l2tp_windows_sccrq.data, len);
	assert_int_equal(w->tunnel_opens, 0);
	assert_int_equal(w->last_len, 0);
	raw.ns = 0;
	raw_establish(&raw);
}

/* A client that never saw SCCRP names its own id. */
static void an_early_stop(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);

	raw_say(&raw, L2TP_SCCRQ, 0);
	assert_int_equal(world_tunnel_count(w), 1);
	raw_say(&raw, L2TP_STOPCCN, 0);
	assert_int_equal(world_tunnel_count(w), 0);
}

static void known_clients(struct world *w)
{
	static const struct l2tp_vector *const rqs[] = {&l2tp_windows_sccrq,
	    &l2tp_apple_sccrq, &l2tp_mtpd_sccrq, &l2tp_xl2tpd_sccrq};

	for (uint32_t i = 0; i < 4; i++) {
		struct raw raw = raw_begin(w, R + i, SLOT + i);

		world_inject(w, R + i, &raw.addr, rqs[i]->data, rqs[i]->len);
		world_run(w, 100);
	}
	assert_int_equal(world_tunnel_count(w), 4);
	assert_true(world_logged(w, "host \"DESKTOP-ABCDEF1\""));
	assert_true(world_logged(w, "host \"mb.local\""));
	assert_true(world_logged(w, "host \"anonymous\""));
	assert_true(world_logged(w, "host \"client\""));
}

/* --- ids and limits ------------------------------------------------------- */

static void ids_of_others(struct world *w)
{
	struct l2tp_client *a = scenario_call(w, R, SLOT, &plain);
	struct raw raw = raw_begin(w, R + 1, SLOT + 1);
	const struct addr other = world_addr(SLOT, 1702);

	raw_establish(&raw);
	/* Another client's tunnel id on our own socket. */
	raw.tunnel_id = a->peer_tunnel_id;
	raw.nr = a->rel.nr;
	raw.ns = a->rel.end;
	raw_say(&raw, L2TP_STOPCCN, 0);
	assert_int_equal(world_tunnel_count(w), 2);
	/* The right R, from another port. */
	raw.r = R;
	raw.addr = other;
	raw_say(&raw, L2TP_STOPCCN, 0);
	assert_int_equal(world_tunnel_count(w), 2);
	assert_int_equal(a->stops, 0);
	assert_true(world_logged(w, "not of this socket"));
	/* Another client's session id in our own tunnel. */
	raw = raw_begin(w, R + 2, SLOT + 2);
	raw_establish(&raw);
	raw_say(&raw, L2TP_CDN, a->peer_session_id);
	assert_int_equal(world_session_count(w), 1);
}

static void calls_are_limited(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);
	struct l2tp_msg rq = fill(L2TP_ICRQ);

	raw_establish(&raw);
	for (uint16_t i = 1; i <= 3; i++) {
		rq.assigned_session_id = i;
		raw_send(&raw, &rq, 0);
		raw.nr++;
		if (i <= 2)
			assert_int_equal(answer(w).type, L2TP_ICRP);
	}
	assert_cdn(w, L2TP_CDN_BUSY_NOW, 0);
	/* An id that begins anew replaces its old call. */
	rq.assigned_session_id = 2;
	raw_send(&raw, &rq, 0);
	assert_int_equal(answer(w).type, L2TP_ICRP);
	rq.assigned_session_id = 0;
	raw.nr++;
	raw_send(&raw, &rq, 0);
	assert_cdn(w, L2TP_CDN_ERROR, L2TP_ERROR_VALUE);
}

/* A CDN before the client knows our session id names its own. */
static void a_cdn_without_our_id(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);
	uint16_t id;

	raw_establish(&raw);
	id = raw_call(&raw);
	raw_say(&raw, L2TP_CDN, 0);
	assert_int_equal(answer(w).type, 0);
	raw_say(&raw, L2TP_ICCN, id);
	assert_int_equal(w->session_opens, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(in_wait_ctl_conn),
	    SCENARIO(in_established),
	    SCENARIO(in_wait_connect),
	    SCENARIO(in_a_call),
	    SCENARIO(what_can_not_be_read_ends_the_tunnel),
	    SCENARIO(an_unknown_message_without_m_is_ignored),
	    SCENARIO(an_unknown_avp_ends_the_call_only),
	    SCENARIO(a_bad_stop_stops_too),
	    SCENARIO(unusable_sccrqs),
	    SCENARIO(what_comes_before_sccrq),
	    SCENARIO(an_early_stop),
	    SCENARIO(known_clients),
	    SCENARIO(ids_of_others),
	    SCENARIO(calls_are_limited),
	    SCENARIO(a_cdn_without_our_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
