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

#include "test/lib/l2tp_scenario.h"
#include "test/lib/l2tp_vectors.h"

#define R 7
#define SLOT 3

static const struct l2tp_client_config plain = {
    .tunnel_id = 11, .session_id = 21, .window = 4};

/* A client without any state but its numbers. */
struct raw {
	struct world *w;
	uint64_t r;
	struct addr addr;
	uint16_t tunnel_id, ns, nr;
};

static struct raw raw_begin(struct world *w, uint64_t r, uint32_t slot)
{
	world_up(w, r, slot);
	world_run(w, 10);
	return (struct raw){
	    .w = w, .r = r, .addr = world_addr((uint8_t)slot, 1701)};
}

static void raw_send(
    struct raw *raw, const struct l2tp_msg *msg, uint16_t session_id)
{
	uint8_t buf[512];
	int len =
	    l2tp_msg_encode(msg, raw->tunnel_id, session_id, buf, sizeof(buf));

	assert_true(len > 0);
	l2tp_msg_set_sequence(buf, (size_t)len, raw->ns++, raw->nr);
	raw->w->last_len = 0;
	world_inject(raw->w, raw->r, &raw->addr, buf, (size_t)len);
	world_run(raw->w, 20);
}

/* A message with all AVPs that it must have, of small values. */
static struct l2tp_msg fill(uint16_t type)
{
	struct l2tp_msg msg = {.type = type};

	for (size_t i = 0; i < l2tp_avp_count; i++)
		if (l2tp_avp_table[i].required >> type & 1)
			msg.present |= UINT64_C(1) << l2tp_avp_table[i].type;
	msg.protocol_version = L2TP_PROTOCOL_VERSION;
	msg.host_name = (struct wire_span){(const uint8_t *)"raw", 3};
	msg.assigned_tunnel_id = 11;
	msg.assigned_session_id = 21;
	msg.result.code = 1;
	msg.call_errors = (struct wire_span){l2tp_hello.data, 0};
	return msg;
}

static void raw_say(struct raw *raw, uint16_t type, uint16_t session_id)
{
	static const uint8_t zero[26];
	struct l2tp_msg msg = fill(type);

	msg.call_errors = (struct wire_span){zero, 26};
	msg.accm = (struct wire_span){zero, 10};
	raw_send(raw, &msg, session_id);
}

/* The LNS's newest message; type 0 when it said nothing. */
static struct l2tp_msg answer(struct world *w)
{
	struct l2tp_problem problem;
	struct l2tp_header hdr;
	struct wire_span body;
	struct l2tp_msg msg = {0};

	if (!w->last_len)
		return msg;
	assert_int_equal(
	    l2tp_header_decode(
		(struct wire_span){w->last, w->last_len}, &hdr, &body),
	    0);
	assert_int_equal(l2tp_msg_decode(body, &msg, &problem), 0);
	assert_int_equal(hdr.tunnel_id, 11);
	return msg;
}

static void raw_open(struct raw *raw)
{
	struct l2tp_msg rp;

	raw_say(raw, L2TP_SCCRQ, 0);
	rp = answer(raw->w);
	assert_int_equal(rp.type, L2TP_SCCRP);
	raw->tunnel_id = rp.assigned_tunnel_id;
	raw->nr = 1;
}

static void raw_establish(struct raw *raw)
{
	raw_open(raw);
	raw_say(raw, L2TP_SCCCN, 0);
	assert_int_equal(answer(raw->w).type, 0);
}

static uint16_t raw_call(struct raw *raw)
{
	struct l2tp_msg rp;

	raw_say(raw, L2TP_ICRQ, 0);
	rp = answer(raw->w);
	assert_int_equal(rp.type, L2TP_ICRP);
	raw->nr++;
	return rp.assigned_session_id;
}

static void assert_stop(struct world *w, uint16_t result, uint16_t error)
{
	const struct l2tp_msg msg = answer(w);

	assert_int_equal(msg.type, L2TP_STOPCCN);
	assert_int_equal(msg.result.code, result);
	assert_int_equal(msg.result.error, error);
	assert_true(msg.result.text.len > 0);
}

static void assert_cdn(struct world *w, uint16_t result, uint16_t error)
{
	const struct l2tp_msg msg = answer(w);

	assert_int_equal(msg.type, L2TP_CDN);
	assert_int_equal(msg.result.code, result);
	assert_int_equal(msg.result.error, error);
	assert_true(msg.result.text.len > 0);
}

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

static void inject_body(
    struct raw *raw, uint16_t session_id, const void *body, size_t len)
{
	uint8_t buf[128] = {0xc8, 0x02, 0, (uint8_t)(12 + len)};

	buf[4] = (uint8_t)(raw->tunnel_id >> 8);
	buf[5] = (uint8_t)raw->tunnel_id;
	buf[6] = (uint8_t)(session_id >> 8);
	buf[7] = (uint8_t)session_id;
	memcpy(buf + 12, body, len);
	l2tp_msg_set_sequence(buf, 12 + len, raw->ns++, raw->nr);
	raw->w->last_len = 0;
	world_inject(raw->w, raw->r, &raw->addr, buf, 12 + len);
	world_run(raw->w, 20);
}

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
		inject_body(&raw, 0, bodies[i], 8);
		assert_int_equal(answer(w).type, L2TP_STOPCCN);
		assert_int_equal(answer(w).result.code, L2TP_STOP_ERROR);
	}
}

static void an_unknown_message_without_m_is_ignored(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);

	raw_establish(&raw);
	inject_body(&raw, 0, "\0\x08\0\0\0\0\0\x63", 8);
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
	inject_body(&raw, id, iccn, sizeof(iccn) - 1);
	assert_cdn(w, L2TP_CDN_ERROR, L2TP_ERROR_UNKNOWN_AVP);
	raw.nr++;
	/* A call that does not begin is refused likewise. */
	inject_body(
	    &raw, 0, "\x80\x08\0\0\0\0\0\x0a\x80\x08\0\0\0\x0e\0\x15", 16);
	assert_cdn(w, L2TP_CDN_ERROR, L2TP_ERROR_VALUE);
	raw.nr++;
	raw_call(&raw);
	assert_int_equal(world_tunnel_count(w), 1);
}

static void a_bad_stop_stops_too(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);

	raw_establish(&raw);
	inject_body(&raw, 0, "\x80\x08\0\0\0\0\0\x04", 8);
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
