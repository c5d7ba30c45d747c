/* SPDX-License-Identifier: ISC */
/*
 * One end of reliable delivery for tests, and what it sent.  For cmocka
 * tests only: include after cmocka.h.
 */
#ifndef TEST_LIB_L2TP_END_H
#define TEST_LIB_L2TP_END_H

#include "l2tpd/core/reliable.h"

#include <stdlib.h>
#include <string.h>

#define OUT_MAX 256

/* One end, and what it sent. */
struct end {
	struct l2tp_reliable rel;
	struct {
		uint8_t data[64];
		size_t len;
	} out[OUT_MAX];
	size_t count;
	uint64_t now;
};

static const struct l2tp_reliable_config end_timing = {
    .window = 4, .retransmit_ms = 1000, .cap_ms = 8000, .retries = 5};

static inline void end_init(struct end *e, uint16_t peer_window)
{
	memset(e, 0, sizeof(*e));
	l2tp_reliable_init(&e->rel, &end_timing);
	l2tp_reliable_set_peer(&e->rel, 9, peer_window);
}

static inline void end_emit(void *ctx, const uint8_t *data, size_t len)
{
	struct end *e = ctx;

	assert_true(e->count < OUT_MAX && len <= 64);
	memcpy(e->out[e->count].data, data, len);
	e->out[e->count++].len = len;
}

static inline void end_flush(struct end *e)
{
	l2tp_reliable_output(&e->rel, e->now, end_emit, e);
}

/* Queues a message whose call serial number is tag. */
static inline int end_queue(struct end *e, uint16_t type, uint32_t tag)
{
	struct l2tp_msg msg = {.type = type, .call_serial = tag};
	uint8_t buf[64];
	int len;

	L2TP_SET(&msg, CALL_SERIAL_NUMBER);
	len = l2tp_msg_encode(&msg, 9, 0, buf, sizeof(buf));
	return l2tp_reliable_queue(&e->rel, buf, (size_t)len);
}

/* The nth datagram had this Ns and Nr, and was (not) a ZLB. */
static inline void end_assert_sent(
    const struct end *e, size_t n, bool is_zlb, uint16_t ns, uint16_t nr)
{
	struct l2tp_header hdr;
	struct wire_span body;

	assert_true(n < e->count);
	assert_int_equal(
	    l2tp_header_decode(
		(struct wire_span){e->out[n].data, e->out[n].len}, &hdr, &body),
	    0);
	assert_int_equal(hdr.tunnel_id, 9);
	assert_int_equal(body.len == 0, is_zlb);
	assert_int_equal(hdr.ns, ns);
	assert_int_equal(hdr.nr, nr);
}

static inline enum l2tp_verdict end_hear_body(
    struct end *e, uint16_t ns, uint16_t nr, const void *body, size_t len)
{
	const struct l2tp_header hdr = {.ns = ns, .nr = nr};

	return l2tp_reliable_receive(
	    &e->rel, &hdr, (struct wire_span){body, len}, e->now);
}

static inline enum l2tp_verdict end_hear(
    struct end *e, uint16_t ns, uint16_t nr)
{
	return end_hear_body(e, ns, nr, "body", 4);
}

static inline enum l2tp_verdict end_hear_zlb(
    struct end *e, uint16_t ns, uint16_t nr)
{
	return end_hear_body(e, ns, nr, NULL, 0);
}

static inline size_t end_take_all(struct end *e)
{
	struct l2tp_received msg;
	size_t n = 0;

	for (; l2tp_reliable_next(&e->rel, &msg); n++)
		free(msg.data);
	return n;
}

static inline void end_start_at(struct end *e, uint16_t ns, uint16_t nr)
{
	e->rel.una = e->rel.nxt = e->rel.end = e->rel.max_sent = ns;
	e->rel.nr = nr;
}

#endif
