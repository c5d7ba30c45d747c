/* SPDX-License-Identifier: ISC */
/*
 * Reliable delivery: the traces of RFC 2661 appendix B, windows, timers,
 * the wrap at 65535.
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

/* --- RFC 2661 appendix B ---------------------------------------------- */

static void appendix_b1_lock_step(void **state)
{
	struct end lac, lns;

	(void)state;
	end_init(&lac, 4);
	end_init(&lns, 4);
	end_queue(&lac, L2TP_SCCRQ, 0);
	end_flush(&lac);
	end_assert_sent(&lac, 0, false, 0, 0);
	assert_int_equal(end_hear(&lns, 0, 0), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&lns), 1);
	end_queue(&lns, L2TP_SCCRP, 0);
	end_flush(&lns);
	end_assert_sent(&lns, 0, false, 0, 1);
	assert_int_equal(end_hear(&lac, 0, 1), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&lac), 1);
	end_queue(&lac, L2TP_SCCCN, 0);
	end_flush(&lac);
	end_assert_sent(&lac, 1, false, 1, 1);
	assert_int_equal(end_hear(&lns, 1, 1), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&lns), 1);
	end_flush(&lns);
	end_assert_sent(&lns, 1, true, 1, 2);
	assert_int_equal(end_hear_zlb(&lac, 1, 2), L2TP_RX_ACK);
	end_flush(&lac);
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
	assert_int_equal(end_hear(&lns, 2, 1), L2TP_RX_NEW);
	end_take_all(&lns);
	end_queue(&lns, L2TP_ICRP, 0);
	end_flush(&lns);
	end_assert_sent(&lns, 0, false, 1, 3);
	assert_int_equal(end_hear(&lns, 2, 1), L2TP_RX_DUPLICATE);
	end_flush(&lns);
	end_assert_sent(&lns, 1, true, 2, 3);
	lns.now += 1000;
	assert_int_equal(l2tp_reliable_tick(&lns.rel, lns.now), 0);
	end_flush(&lns);
	end_assert_sent(&lns, 2, false, 1, 3);
	assert_int_equal(end_hear(&lns, 3, 2), L2TP_RX_NEW);
	end_take_all(&lns);
	end_flush(&lns);
	end_assert_sent(&lns, 3, true, 2, 4);
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
		end_queue(&e, L2TP_HELLO, i);
	for (size_t i = 0; i < 6; i++) {
		end_flush(&e);
		assert_int_equal(
		    (uint16_t)(e.rel.nxt - e.rel.una), in_flight[i]);
		end_hear_zlb(&e, 0, ++acked);
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
		end_queue(&e, L2TP_HELLO, i);
	end_flush(&e);
	end_hear_zlb(&e, 0, 1); /* slow start: 2 */
	assert_int_equal(e.rel.cwnd, 2);
	end_flush(&e);
	end_hear_zlb(&e, 0, 2);
	assert_int_equal(e.rel.cwnd, 2);
	end_flush(&e);
	end_hear_zlb(&e, 0, 3); /* a whole window later: 3 */
	assert_int_equal(e.rel.cwnd, 3);
	/* A timeout: half of it is the threshold, one the window. */
	end_flush(&e);
	e.now += 1000;
	assert_int_equal(l2tp_reliable_tick(&e.rel, e.now), 0);
	assert_int_equal(e.rel.cwnd, 1);
	assert_int_equal(e.rel.ssthresh, 1);
	e.count = 0;
	end_flush(&e);
	assert_int_equal(e.count, 1);
	end_assert_sent(&e, 0, false, 3, 0);
	l2tp_reliable_free(&e.rel);
}

static void our_window(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	assert_int_equal(end_hear(&e, 4, 0), L2TP_RX_BEYOND);
	assert_int_equal(end_hear(&e, 3, 0), L2TP_RX_NEW);
	assert_int_equal(end_hear(&e, 3, 0), L2TP_RX_DUPLICATE);
	assert_int_equal(end_hear(&e, 1, 0), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&e), 0);
	assert_int_equal(end_hear(&e, 0, 0), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&e), 2);
	assert_int_equal(end_hear(&e, 2, 0), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&e), 2);
	assert_int_equal(e.rel.nr, 4);
	assert_int_equal(end_hear(&e, 3, 0), L2TP_RX_DUPLICATE);
	assert_int_equal(
	    end_hear(&e, (uint16_t)(4 - 32768), 0), L2TP_RX_DUPLICATE);
	assert_int_equal(
	    end_hear(&e, (uint16_t)(4 + 32767), 0), L2TP_RX_BEYOND);
	e.count = 0;
	end_flush(&e);
	assert_int_equal(e.count, 1);
	end_assert_sent(&e, 0, true, 0, 4);
	end_flush(&e);
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
	end_hear_body(&e, 0, 0, body, 5);
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
		end_queue(&e, L2TP_HELLO, i);
	end_flush(&e); /* one in flight */
	end_hear_zlb(&e, 0, 2);
	assert_int_equal(e.rel.una, 0);
	end_hear_zlb(&e, 0, 65535);
	end_hear_zlb(&e, 0, 0);
	assert_int_equal(e.rel.una, 0);
	end_hear_zlb(&e, 0, 1);
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
		end_queue(&e, L2TP_HELLO, i);
	end_flush(&e);
	assert_int_equal(e.count, 4);
	e.now += 1000;
	l2tp_reliable_tick(&e.rel, e.now);
	end_flush(&e);
	assert_int_equal(e.count, 5);
	end_hear_zlb(&e, 0, 4);
	assert_true(l2tp_reliable_is_idle(&e.rel));
	assert_true(e.rel.deadline == L2TP_NEVER);
	end_flush(&e);
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
	end_queue(&e, L2TP_HELLO, 0);
	end_flush(&e);
	assert_int_equal(l2tp_reliable_oldest(&e.rel), L2TP_HELLO);
	for (size_t i = 0; i < 6; i++) {
		assert_true(e.rel.deadline == e.now + waits[i]);
		e.now += waits[i] - 1;
		assert_int_equal(l2tp_reliable_tick(&e.rel, e.now), 0);
		end_flush(&e);
		assert_int_equal(e.count, i + 1);
		e.now++;
		assert_int_equal(
		    l2tp_reliable_tick(&e.rel, e.now), i == 5 ? -ETIMEDOUT : 0);
		if (i < 5)
			end_flush(&e);
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
	end_queue(&e, L2TP_HELLO, 0);
	end_queue(&e, L2TP_HELLO, 1);
	end_flush(&e);
	e.now += 1000;
	l2tp_reliable_tick(&e.rel, e.now);
	end_flush(&e);
	assert_int_equal(e.rel.tries, 1);
	end_hear_zlb(&e, 0, 1);
	assert_int_equal(e.rel.tries, 0);
	assert_true(e.rel.deadline == e.now + 1000);
	l2tp_reliable_free(&e.rel);
}

static void resend_costs_no_try(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	l2tp_reliable_resend(&e.rel, end_emit, &e);
	end_queue(&e, L2TP_HELLO, 0);
	l2tp_reliable_resend(&e.rel, end_emit, &e);
	assert_int_equal(e.count, 0); /* never sent before */
	end_flush(&e);
	end_hear(&e, 0, 0);
	end_take_all(&e);
	l2tp_reliable_resend(&e.rel, end_emit, &e);
	assert_int_equal(e.count, 2);
	end_assert_sent(&e, 1, false, 0, 1); /* with a new Nr: no ZLB due */
	assert_int_equal(e.rel.tries, 0);
	end_flush(&e);
	assert_int_equal(e.count, 2);
	l2tp_reliable_free(&e.rel);
}

static void the_queue_is_bounded(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	for (uint32_t i = 0; i < L2TP_TX_QUEUE_MAX; i++)
		assert_int_equal(end_queue(&e, L2TP_HELLO, i), 0);
	assert_int_equal(end_queue(&e, L2TP_HELLO, 0), -ENOBUFS);
	l2tp_reliable_abandon(&e.rel);
	assert_true(l2tp_reliable_is_idle(&e.rel));
	assert_int_equal(l2tp_reliable_oldest(&e.rel), 0);
	assert_int_equal(end_queue(&e, L2TP_HELLO, 0), 0);
	l2tp_reliable_free(&e.rel);
}

/* --- the wrap ------------------------------------------------------------ */

static void numbers_wrap(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	end_start_at(&e, 65534, 65534);
	e.rel.cwnd = 4;
	for (uint32_t i = 0; i < 4; i++)
		end_queue(&e, L2TP_HELLO, i);
	end_flush(&e);
	for (uint16_t i = 0; i < 4; i++)
		end_assert_sent(&e, i, false, (uint16_t)(65534 + i), 65534);
	end_hear_zlb(&e, 0, 0);
	assert_int_equal(e.rel.una, 0);
	end_hear_zlb(&e, 0, 65535); /* old */
	assert_int_equal(e.rel.una, 0);
	end_hear_zlb(&e, 0, 2);
	assert_true(l2tp_reliable_is_idle(&e.rel));
	/* Receiving over the edge, out of order. */
	assert_int_equal(end_hear(&e, 1, 2), L2TP_RX_NEW);
	assert_int_equal(end_hear(&e, 65535, 2), L2TP_RX_NEW);
	assert_int_equal(end_hear(&e, 2, 2), L2TP_RX_BEYOND);
	assert_int_equal(end_hear(&e, 65534, 2), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&e), 2);
	assert_int_equal(e.rel.nr, 0);
	/* A duplicate of 65535 when 0 is expected is acknowledged. */
	assert_int_equal(end_hear(&e, 65535, 2), L2TP_RX_DUPLICATE);
	assert_true(e.rel.ack_wanted);
	assert_int_equal(end_hear(&e, 0, 2), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&e), 2);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
