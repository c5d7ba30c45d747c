/* SPDX-License-Identifier: ISC */
/*
 * Reliable delivery under random schedules, against models, saved and
 * restored in the middle; damaged state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test/lib/l2tp_end.h"

#include <errno.h>
#include <string.h>

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
	end_start_at(&e, 0, (uint16_t)(base + expected));
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
		assert_int_equal(end_hear(&e, (uint16_t)(base + n), 0), want);
		for (; seen[expected]; expected++)
			delivered++;
		assert_int_equal(end_take_all(&e), delivered);
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
	l2tp_reliable_init(&back, &end_timing);
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
	end_start_at(&a, 65500, 65400);
	end_start_at(&b, 65400, 65500);
	b.rel.cfg.retries = a.rel.cfg.retries = 1000;
	ab.count = ba.count = 0;
	for (int steps = 0; got[0] < 300 || got[1] < 300; steps++) {
		assert_true(steps < 200000);
		a.now = b.now += rnd(&seed) % 100;
		if (queued[0] < 300 && rnd(&seed) % 4 == 0 &&
		    !end_queue(&a, L2TP_ICRQ, queued[0]))
			queued[0]++;
		if (queued[1] < 300 && rnd(&seed) % 4 == 0 &&
		    !end_queue(&b, L2TP_ICRQ, queued[1]))
			queued[1]++;
		assert_int_equal(l2tp_reliable_tick(&a.rel, a.now), 0);
		assert_int_equal(l2tp_reliable_tick(&b.rel, b.now), 0);
		end_flush(&a);
		end_flush(&b);
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
	end_hear(&e, 2, 0);
	for (uint32_t i = 0; i < 3; i++)
		end_queue(&e, L2TP_HELLO, i);
	end_flush(&e);
	wire_writer_init(&w, buf, sizeof(buf));
	l2tp_reliable_save(&e.rel, &w, e.now);
	for (size_t len = 0; len < w.pos; len++) {
		l2tp_reliable_init(&back, &end_timing);
		wire_reader_init(&r, buf, len);
		assert_int_equal(l2tp_reliable_restore(&back, &r, 0), -EBADMSG);
		l2tp_reliable_free(&back);
	}
	for (size_t i = 0; i < w.pos * 8; i++) {
		memcpy(bad, buf, w.pos);
		bad[i / 8] ^= (uint8_t)(1 << i % 8);
		l2tp_reliable_init(&back, &end_timing);
		wire_reader_init(&r, bad, w.pos);
		if (!l2tp_reliable_restore(&back, &r, 0)) {
			back.deadline = 0;
			l2tp_reliable_tick(&back, 1);
			e.count = 0;
			l2tp_reliable_output(&back, 1, end_emit, &e);
		}
		l2tp_reliable_free(&back);
	}
	l2tp_reliable_free(&e.rel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(receivers_follow_the_model),
	    cmocka_unit_test(everything_arrives_once_and_in_order),
	    cmocka_unit_test(damaged_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
