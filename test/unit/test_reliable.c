/* SPDX-License-Identifier: ISC */
/*
 * Reliable delivery: the traces of RFC 2661 appendix B, windows, timers,
 * the wrap at 65535, and random schedules against a model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "l2tpd/core/reliable.h"

#include <errno.h>
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

static const struct l2tp_reliable_config timing = {
    .window = 4, .retransmit_ms = 1000, .cap_ms = 8000, .retries = 5};

static void end_init(struct end *e, uint16_t peer_window)
{
	memset(e, 0, sizeof(*e));
	l2tp_reliable_init(&e->rel, &timing);
	l2tp_reliable_set_peer(&e->rel, 9, peer_window);
}

static void emit(void *ctx, const uint8_t *data, size_t len)
{
	struct end *e = ctx;

	assert_true(e->count < OUT_MAX && len <= 64);
	memcpy(e->out[e->count].data, data, len);
	e->out[e->count++].len = len;
}

static void flush(struct end *e)
{
	l2tp_reliable_output(&e->rel, e->now, emit, e);
}

/* Queues a message whose call serial number is tag. */
static int queue(struct end *e, uint16_t type, uint32_t tag)
{
	struct l2tp_msg msg = {.type = type, .call_serial = tag};
	uint8_t buf[64];
	int len;

	L2TP_SET(&msg, CALL_SERIAL_NUMBER);
	len = l2tp_msg_encode(&msg, 9, 0, buf, sizeof(buf));
	return l2tp_reliable_queue(&e->rel, buf, (size_t)len);
}

/* The nth datagram had this Ns and Nr, and was (not) a ZLB. */
static void assert_sent(
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

static enum l2tp_verdict hear_body(
    struct end *e, uint16_t ns, uint16_t nr, const void *body, size_t len)
{
	const struct l2tp_header hdr = {.ns = ns, .nr = nr};

	return l2tp_reliable_receive(
	    &e->rel, &hdr, (struct wire_span){body, len}, e->now);
}

static enum l2tp_verdict hear(struct end *e, uint16_t ns, uint16_t nr)
{
	return hear_body(e, ns, nr, "body", 4);
}

static enum l2tp_verdict hear_zlb(struct end *e, uint16_t ns, uint16_t nr)
{
	return hear_body(e, ns, nr, NULL, 0);
}

static size_t take_all(struct end *e)
{
	struct l2tp_received msg;
	size_t n = 0;

	for (; l2tp_reliable_next(&e->rel, &msg); n++)
		free(msg.data);
	return n;
}

/* --- RFC 2661 appendix B ---------------------------------------------- */

static void appendix_b1_lock_step(void **state)
{
	struct end lac, lns;

	(void)state;
	end_init(&lac, 4);
	end_init(&lns, 4);
	queue(&lac, L2TP_SCCRQ, 0);
	flush(&lac);
	assert_sent(&lac, 0, false, 0, 0);
	assert_int_equal(hear(&lns, 0, 0), L2TP_RX_NEW);
	assert_int_equal(take_all(&lns), 1);
	queue(&lns, L2TP_SCCRP, 0);
	flush(&lns);
	assert_sent(&lns, 0, false, 0, 1);
	assert_int_equal(hear(&lac, 0, 1), L2TP_RX_NEW);
	assert_int_equal(take_all(&lac), 1);
	queue(&lac, L2TP_SCCCN, 0);
	flush(&lac);
	assert_sent(&lac, 1, false, 1, 1);
	assert_int_equal(hear(&lns, 1, 1), L2TP_RX_NEW);
	assert_int_equal(take_all(&lns), 1);
	flush(&lns);
	assert_sent(&lns, 1, true, 1, 2);
	assert_int_equal(hear_zlb(&lac, 1, 2), L2TP_RX_ACK);
	flush(&lac);
	/* A ZLB is not acknowledged. */
	assert_int_equal(lac.count, 2);
	assert_true(l2tp_reliable_is_idle(&lac.rel));
	assert_true(l2tp_reliable_is_idle(&lns.rel));
	l2tp_reliable_free(&lac.rel);
	l2tp_reliable_free(&lns.rel);
}

/* The answer is lost; the request comes again. */
static void appendix_b2_lost_packet(void **state)
{
	struct end lns;

	(void)state;
	end_init(&lns, 4);
	lns.rel.una = lns.rel.nxt = lns.rel.end = lns.rel.max_sent = 1;
	lns.rel.nr = 2;
	assert_int_equal(hear(&lns, 2, 1), L2TP_RX_NEW);
	take_all(&lns);
	queue(&lns, L2TP_ICRP, 0);
	flush(&lns);
	assert_sent(&lns, 0, false, 1, 3);
	assert_int_equal(hear(&lns, 2, 1), L2TP_RX_DUPLICATE);
	flush(&lns);
	assert_sent(&lns, 1, true, 2, 3);
	lns.now += 1000;
	assert_int_equal(l2tp_reliable_tick(&lns.rel, lns.now), 0);
	flush(&lns);
	assert_sent(&lns, 2, false, 1, 3);
	assert_int_equal(hear(&lns, 3, 2), L2TP_RX_NEW);
	take_all(&lns);
	flush(&lns);
	assert_sent(&lns, 3, true, 2, 4);
	assert_int_equal(lns.count, 4);
	l2tp_reliable_free(&lns.rel);
}

/* --- windows ------------------------------------------------------------ */

static void slow_start_and_the_peers_window(void **state)
{
	static const size_t in_flight[] = {1, 2, 3, 4, 4, 4};
	struct end e;
	uint16_t acked = 0;

	(void)state;
	end_init(&e, 4);
	for (uint32_t i = 0; i < 40; i++)
		queue(&e, L2TP_HELLO, i);
	for (size_t i = 0; i < 6; i++) {
		flush(&e);
		assert_int_equal(
		    (uint16_t)(e.rel.nxt - e.rel.una), in_flight[i]);
		hear_zlb(&e, 0, ++acked);
	}
	l2tp_reliable_free(&e.rel);
}

static void congestion_avoidance(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 8);
	e.rel.ssthresh = 2;
	for (uint32_t i = 0; i < 60; i++)
		queue(&e, L2TP_HELLO, i);
	flush(&e);
	hear_zlb(&e, 0, 1); /* slow start: 2 */
	assert_int_equal(e.rel.cwnd, 2);
	flush(&e);
	hear_zlb(&e, 0, 2);
	assert_int_equal(e.rel.cwnd, 2);
	flush(&e);
	hear_zlb(&e, 0, 3); /* a whole window later: 3 */
	assert_int_equal(e.rel.cwnd, 3);
	/* A timeout: half of it is the threshold, one the window. */
	flush(&e);
	e.now += 1000;
	assert_int_equal(l2tp_reliable_tick(&e.rel, e.now), 0);
	assert_int_equal(e.rel.cwnd, 1);
	assert_int_equal(e.rel.ssthresh, 1);
	e.count = 0;
	flush(&e);
	assert_int_equal(e.count, 1);
	assert_sent(&e, 0, false, 3, 0);
	l2tp_reliable_free(&e.rel);
}

static void our_window(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	assert_int_equal(hear(&e, 4, 0), L2TP_RX_BEYOND);
	assert_int_equal(hear(&e, 3, 0), L2TP_RX_NEW);
	assert_int_equal(hear(&e, 3, 0), L2TP_RX_DUPLICATE);
	assert_int_equal(hear(&e, 1, 0), L2TP_RX_NEW);
	assert_int_equal(take_all(&e), 0);
	assert_int_equal(hear(&e, 0, 0), L2TP_RX_NEW);
	assert_int_equal(take_all(&e), 2);
	assert_int_equal(hear(&e, 2, 0), L2TP_RX_NEW);
	assert_int_equal(take_all(&e), 2);
	assert_int_equal(e.rel.nr, 4);
	assert_int_equal(hear(&e, 3, 0), L2TP_RX_DUPLICATE);
	assert_int_equal(hear(&e, (uint16_t)(4 - 32768), 0), L2TP_RX_DUPLICATE);
	assert_int_equal(hear(&e, (uint16_t)(4 + 32767), 0), L2TP_RX_BEYOND);
	e.count = 0;
	flush(&e);
	assert_int_equal(e.count, 1);
	assert_sent(&e, 0, true, 0, 4);
	flush(&e);
	assert_int_equal(e.count, 1);
	l2tp_reliable_free(&e.rel);
}

/* What arrives out of order must outlive the datagram. */
static void bodies_are_copies(void **state)
{
	char body[] = "first";
	struct l2tp_received msg;
	struct end e;

	(void)state;
	end_init(&e, 4);
	hear_body(&e, 0, 0, body, 5);
	memcpy(body, "XXXXX", 5);
	assert_true(l2tp_reliable_next(&e.rel, &msg));
	assert_int_equal(msg.len, 5);
	assert_memory_equal(msg.data, "first", 5);
	free(msg.data);
	l2tp_reliable_free(&e.rel);
}

/* --- acknowledgements ---------------------------------------------------- */

static void false_acknowledgements_are_ignored(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	for (uint32_t i = 0; i < 5; i++)
		queue(&e, L2TP_HELLO, i);
	flush(&e); /* one in flight */
	hear_zlb(&e, 0, 2);
	assert_int_equal(e.rel.una, 0);
	hear_zlb(&e, 0, 65535);
	hear_zlb(&e, 0, 0);
	assert_int_equal(e.rel.una, 0);
	hear_zlb(&e, 0, 1);
	assert_int_equal(e.rel.una, 1);
	l2tp_reliable_free(&e.rel);
}

/* After a timeout the peer may acknowledge more than was sent again. */
static void one_acknowledgement_for_all(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	e.rel.cwnd = 4;
	for (uint32_t i = 0; i < 4; i++)
		queue(&e, L2TP_HELLO, i);
	flush(&e);
	assert_int_equal(e.count, 4);
	e.now += 1000;
	l2tp_reliable_tick(&e.rel, e.now);
	flush(&e);
	assert_int_equal(e.count, 5);
	hear_zlb(&e, 0, 4);
	assert_true(l2tp_reliable_is_idle(&e.rel));
	assert_true(e.rel.deadline == L2TP_NEVER);
	flush(&e);
	assert_int_equal(e.count, 5);
	l2tp_reliable_free(&e.rel);
}

/* --- time ---------------------------------------------------------------- */

static void intervals_double_up_to_the_cap(void **state)
{
	static const uint64_t waits[] = {1000, 2000, 4000, 8000, 8000, 8000};
	struct end e;

	(void)state;
	end_init(&e, 4);
	queue(&e, L2TP_HELLO, 0);
	flush(&e);
	assert_int_equal(l2tp_reliable_oldest(&e.rel), L2TP_HELLO);
	for (size_t i = 0; i < 6; i++) {
		assert_true(e.rel.deadline == e.now + waits[i]);
		e.now += waits[i] - 1;
		assert_int_equal(l2tp_reliable_tick(&e.rel, e.now), 0);
		flush(&e);
		assert_int_equal(e.count, i + 1);
		e.now++;
		assert_int_equal(
		    l2tp_reliable_tick(&e.rel, e.now), i == 5 ? -ETIMEDOUT : 0);
		if (i < 5)
			flush(&e);
	}
	assert_int_equal(e.rel.tries, 5);
	assert_int_equal(e.count, 6);
	l2tp_reliable_free(&e.rel);
}

static void progress_starts_the_clock_anew(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	e.rel.cwnd = 2;
	queue(&e, L2TP_HELLO, 0);
	queue(&e, L2TP_HELLO, 1);
	flush(&e);
	e.now += 1000;
	l2tp_reliable_tick(&e.rel, e.now);
	flush(&e);
	assert_int_equal(e.rel.tries, 1);
	hear_zlb(&e, 0, 1);
	assert_int_equal(e.rel.tries, 0);
	assert_true(e.rel.deadline == e.now + 1000);
	l2tp_reliable_free(&e.rel);
}

static void resend_costs_no_try(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	l2tp_reliable_resend(&e.rel, emit, &e);
	queue(&e, L2TP_HELLO, 0);
	l2tp_reliable_resend(&e.rel, emit, &e);
	assert_int_equal(e.count, 0); /* never sent before */
	flush(&e);
	hear(&e, 0, 0);
	take_all(&e);
	l2tp_reliable_resend(&e.rel, emit, &e);
	assert_int_equal(e.count, 2);
	assert_sent(&e, 1, false, 0, 1); /* with a new Nr: no ZLB due */
	assert_int_equal(e.rel.tries, 0);
	flush(&e);
	assert_int_equal(e.count, 2);
	l2tp_reliable_free(&e.rel);
}

static void the_queue_is_bounded(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	for (uint32_t i = 0; i < L2TP_TX_QUEUE_MAX; i++)
		assert_int_equal(queue(&e, L2TP_HELLO, i), 0);
	assert_int_equal(queue(&e, L2TP_HELLO, 0), -ENOBUFS);
	l2tp_reliable_abandon(&e.rel);
	assert_true(l2tp_reliable_is_idle(&e.rel));
	assert_int_equal(l2tp_reliable_oldest(&e.rel), 0);
	assert_int_equal(queue(&e, L2TP_HELLO, 0), 0);
	l2tp_reliable_free(&e.rel);
}

/* --- the wrap ------------------------------------------------------------ */

static void start_at(struct end *e, uint16_t ns, uint16_t nr)
{
	e->rel.una = e->rel.nxt = e->rel.end = e->rel.max_sent = ns;
	e->rel.nr = nr;
}

static void numbers_wrap(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	start_at(&e, 65534, 65534);
	e.rel.cwnd = 4;
	for (uint32_t i = 0; i < 4; i++)
		queue(&e, L2TP_HELLO, i);
	flush(&e);
	for (uint16_t i = 0; i < 4; i++)
		assert_sent(&e, i, false, (uint16_t)(65534 + i), 65534);
	hear_zlb(&e, 0, 0);
	assert_int_equal(e.rel.una, 0);
	hear_zlb(&e, 0, 65535); /* old */
	assert_int_equal(e.rel.una, 0);
	hear_zlb(&e, 0, 2);
	assert_true(l2tp_reliable_is_idle(&e.rel));
	/* Receiving over the edge, out of order. */
	assert_int_equal(hear(&e, 1, 2), L2TP_RX_NEW);
	assert_int_equal(hear(&e, 65535, 2), L2TP_RX_NEW);
	assert_int_equal(hear(&e, 2, 2), L2TP_RX_BEYOND);
	assert_int_equal(hear(&e, 65534, 2), L2TP_RX_NEW);
	assert_int_equal(take_all(&e), 2);
	assert_int_equal(e.rel.nr, 0);
	/* A duplicate of 65535 when 0 is expected is acknowledged. */
	assert_int_equal(hear(&e, 65535, 2), L2TP_RX_DUPLICATE);
	assert_true(e.rel.ack_wanted);
	assert_int_equal(hear(&e, 0, 2), L2TP_RX_NEW);
	assert_int_equal(take_all(&e), 2);
	l2tp_reliable_free(&e.rel);
}

/* --- random schedules ----------------------------------------------------- */

static uint32_t rnd(uint64_t *s)
{
	*s = *s * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*s >> 33);
}

/* Verdicts and deliveries against a plain model of the receiver. */
static void receiver_model(uint64_t seed)
{
	bool seen[4096] = {false};
	const uint16_t base = (uint16_t)(65536 - 700 + seed);
	size_t expected = 100;
	struct end e;

	end_init(&e, 4);
	start_at(&e, 0, (uint16_t)(base + expected));
	for (size_t i = 0; i < expected; i++)
		seen[i] = true;
	while (expected < 1500) {
		int jump = (int)(rnd(&seed) % 16) - 8;
		size_t n = (size_t)((int)expected + jump);
		enum l2tp_verdict want = L2TP_RX_NEW;
		size_t delivered = 0;

		if (jump >= 4)
			want = L2TP_RX_BEYOND;
		else if (seen[n])
			want = L2TP_RX_DUPLICATE;
		else
			seen[n] = true;
		assert_int_equal(hear(&e, (uint16_t)(base + n), 0), want);
		for (; seen[expected]; expected++)
			delivered++;
		assert_int_equal(take_all(&e), delivered);
		assert_int_equal(e.rel.nr, (uint16_t)(base + expected));
	}
	l2tp_reliable_free(&e.rel);
}

static void receivers_follow_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		receiver_model(seed);
}

/* A pipe between two ends that loses, doubles and reorders. */
struct pipe {
	struct {
		uint8_t data[64];
		size_t len;
	} item[512];
	size_t count;
};

static void pour(struct pipe *p, struct end *from, uint64_t *seed)
{
	for (size_t i = 0; i < from->count; i++) {
		unsigned int copies = rnd(seed) % 10;

		copies = copies < 3 ? 0 : copies < 8 ? 1 : 2;
		for (; copies && p->count < 512; copies--) {
			memcpy(p->item[p->count].data, from->out[i].data, 64);
			p->item[p->count++].len = from->out[i].len;
		}
	}
	from->count = 0;
}

static void check_window(const struct end *e)
{
	uint16_t sent = (uint16_t)(e->rel.nxt - e->rel.una);

	assert_true(sent <= e->rel.peer_window);
}

/* Delivers one at random; every message must be the next of its kind. */
static void drip(
    struct pipe *p, struct end *to, uint32_t *expected, uint64_t *seed)
{
	struct l2tp_problem problem;
	struct l2tp_received got;
	struct l2tp_header hdr;
	struct wire_span body;
	struct l2tp_msg msg;
	size_t i;

	if (!p->count)
		return;
	i = rnd(seed) % p->count;
	assert_int_equal(l2tp_header_decode((struct wire_span){p->item[i].data,
						p->item[i].len},
			     &hdr, &body),
	    0);
	l2tp_reliable_receive(&to->rel, &hdr, body, to->now);
	p->item[i] = p->item[--p->count];
	while (l2tp_reliable_next(&to->rel, &got)) {
		l2tp_msg_decode(
		    (struct wire_span){got.data, got.len}, &msg, &problem);
		assert_int_equal(msg.call_serial, (*expected)++);
		free(got.data);
	}
}

/* Save and restore in the middle of it. */
static void renew(struct end *e)
{
	static uint8_t buf[65536];
	struct l2tp_reliable back;
	struct wire_writer w;
	struct wire_reader r;

	wire_writer_init(&w, buf, sizeof(buf));
	l2tp_reliable_save(&e->rel, &w, e->now);
	assert_int_equal(wire_writer_error(&w), 0);
	l2tp_reliable_free(&e->rel);
	l2tp_reliable_init(&back, &timing);
	wire_reader_init(&r, buf, w.pos);
	assert_int_equal(l2tp_reliable_restore(&back, &r, e->now), 0);
	assert_int_equal(wire_left(&r), 0);
	e->rel = back;
}

static void both_ways(uint64_t seed)
{
	static struct end a, b;
	static struct pipe ab, ba;
	uint32_t queued[2] = {0, 0}, got[2] = {0, 0};

	end_init(&a, 4);
	end_init(&b, (uint16_t)(1 + seed % 4));
	start_at(&a, 65500, 65400);
	start_at(&b, 65400, 65500);
	b.rel.cfg.retries = a.rel.cfg.retries = 1000;
	ab.count = ba.count = 0;
	for (int steps = 0; got[0] < 300 || got[1] < 300; steps++) {
		assert_true(steps < 200000);
		a.now = b.now += rnd(&seed) % 100;
		if (queued[0] < 300 && rnd(&seed) % 4 == 0 &&
		    !queue(&a, L2TP_ICRQ, queued[0]))
			queued[0]++;
		if (queued[1] < 300 && rnd(&seed) % 4 == 0 &&
		    !queue(&b, L2TP_ICRQ, queued[1]))
			queued[1]++;
		assert_int_equal(l2tp_reliable_tick(&a.rel, a.now), 0);
		assert_int_equal(l2tp_reliable_tick(&b.rel, b.now), 0);
		flush(&a);
		flush(&b);
		check_window(&a);
		check_window(&b);
		pour(&ab, &a, &seed);
		pour(&ba, &b, &seed);
		drip(&ab, &b, &got[0], &seed);
		drip(&ba, &a, &got[1], &seed);
		if (rnd(&seed) % 16 == 0) {
			renew(&a);
			a.rel.cfg.retries = 1000;
		}
	}
	l2tp_reliable_free(&a.rel);
	l2tp_reliable_free(&b.rel);
}

static void everything_arrives_once_and_in_order(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++)
		both_ways(seed);
}

/* Damaged state is refused, at every length and for every byte. */
static void damaged_state(void **state)
{
	static uint8_t buf[4096], bad[4096];
	struct l2tp_reliable back;
	struct wire_writer w;
	struct wire_reader r;
	struct end e;

	(void)state;
	end_init(&e, 4);
	hear(&e, 2, 0);
	for (uint32_t i = 0; i < 3; i++)
		queue(&e, L2TP_HELLO, i);
	flush(&e);
	wire_writer_init(&w, buf, sizeof(buf));
	l2tp_reliable_save(&e.rel, &w, e.now);
	for (size_t len = 0; len < w.pos; len++) {
		l2tp_reliable_init(&back, &timing);
		wire_reader_init(&r, buf, len);
		assert_int_equal(l2tp_reliable_restore(&back, &r, 0), -EBADMSG);
		l2tp_reliable_free(&back);
	}
	for (size_t i = 0; i < w.pos * 8; i++) {
		memcpy(bad, buf, w.pos);
		bad[i / 8] ^= (uint8_t)(1 << i % 8);
		l2tp_reliable_init(&back, &timing);
		wire_reader_init(&r, bad, w.pos);
		if (!l2tp_reliable_restore(&back, &r, 0)) {
			back.deadline = 0;
			l2tp_reliable_tick(&back, 1);
			e.count = 0;
			l2tp_reliable_output(&back, 1, emit, &e);
		}
		l2tp_reliable_free(&back);
	}
	l2tp_reliable_free(&e.rel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(appendix_b1_lock_step),
	    cmocka_unit_test(appendix_b2_lost_packet),
	    cmocka_unit_test(slow_start_and_the_peers_window),
	    cmocka_unit_test(congestion_avoidance),
	    cmocka_unit_test(our_window),
	    cmocka_unit_test(bodies_are_copies),
	    cmocka_unit_test(false_acknowledgements_are_ignored),
	    cmocka_unit_test(one_acknowledgement_for_all),
	    cmocka_unit_test(intervals_double_up_to_the_cap),
	    cmocka_unit_test(progress_starts_the_clock_anew),
	    cmocka_unit_test(resend_costs_no_try),
	    cmocka_unit_test(the_queue_is_bounded),
	    cmocka_unit_test(numbers_wrap),
	    cmocka_unit_test(receivers_follow_the_model),
	    cmocka_unit_test(everything_arrives_once_and_in_order),
	    cmocka_unit_test(damaged_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
