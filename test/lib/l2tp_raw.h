/* SPDX-License-Identifier: ISC */
/*
 * A client without any state but its numbers, which says what it is told
 * to, and looks at the answer.  For cmocka tests only: include after
 * cmocka.h.
 */
#ifndef TEST_LIB_L2TP_RAW_H
#define TEST_LIB_L2TP_RAW_H

#include "test/lib/l2tp_scenario.h"
#include "test/lib/l2tp_vectors.h"

struct raw {
	struct world *w;
	uint64_t r;
	struct addr addr;
	uint16_t tunnel_id, ns, nr;
};

static inline struct raw raw_begin(struct world *w, uint64_t r, uint32_t slot)
{
	world_up(w, r, slot);
	world_run(w, 10);
	return (struct raw){
	    .w = w, .r = r, .addr = world_addr((uint8_t)slot, 1701)};
}

static inline void raw_send(
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
static inline struct l2tp_msg fill(uint16_t type)
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

static inline void raw_say(struct raw *raw, uint16_t type, uint16_t session_id)
{
	static const uint8_t zero[26];
	struct l2tp_msg msg = fill(type);

	msg.call_errors = (struct wire_span){zero, 26};
	msg.accm = (struct wire_span){zero, 10};
	raw_send(raw, &msg, session_id);
}

/* The LNS's newest message; type 0 when it said nothing. */
static inline struct l2tp_msg answer(struct world *w)
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

static inline void raw_open(struct raw *raw)
{
	struct l2tp_msg rp;

	raw_say(raw, L2TP_SCCRQ, 0);
	rp = answer(raw->w);
	assert_int_equal(rp.type, L2TP_SCCRP);
	raw->tunnel_id = rp.assigned_tunnel_id;
	raw->nr = 1;
}

static inline void raw_establish(struct raw *raw)
{
	raw_open(raw);
	raw_say(raw, L2TP_SCCCN, 0);
	assert_int_equal(answer(raw->w).type, 0);
}

static inline uint16_t raw_call(struct raw *raw)
{
	struct l2tp_msg rp;

	raw_say(raw, L2TP_ICRQ, 0);
	rp = answer(raw->w);
	assert_int_equal(rp.type, L2TP_ICRP);
	raw->nr++;
	return rp.assigned_session_id;
}

static inline void assert_stop(struct world *w, uint16_t result, uint16_t error)
{
	const struct l2tp_msg msg = answer(w);

	assert_int_equal(msg.type, L2TP_STOPCCN);
	assert_int_equal(msg.result.code, result);
	assert_int_equal(msg.result.error, error);
	assert_true(msg.result.text.len > 0);
}

static inline void assert_cdn(struct world *w, uint16_t result, uint16_t error)
{
	const struct l2tp_msg msg = answer(w);

	assert_int_equal(msg.type, L2TP_CDN);
	assert_int_equal(msg.result.code, result);
	assert_int_equal(msg.result.error, error);
	assert_true(msg.result.text.len > 0);
}

/* A body as it is, behind a right header. */
static inline void raw_body(
    struct raw *raw, uint16_t session_id, const void *body, size_t len)
{
	uint8_t buf[2048];
	struct wire_writer w;

	wire_writer_init(&w, buf, sizeof(buf));
	wire_put_u16(&w, 0xc802);
	wire_put_u16(&w, (uint16_t)(12 + len));
	wire_put_u16(&w, raw->tunnel_id);
	wire_put_u16(&w, session_id);
	wire_put_u16(&w, raw->ns++);
	wire_put_u16(&w, raw->nr);
	wire_put_bytes(&w, body, len);
	assert_int_equal(wire_writer_error(&w), 0);
	raw->w->last_len = 0;
	world_inject(raw->w, raw->r, &raw->addr, buf, w.pos);
	world_run(raw->w, 20);
}

#endif
