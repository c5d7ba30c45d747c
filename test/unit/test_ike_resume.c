/* SPDX-License-Identifier: ISC */
/* The next engine takes up what the last one has recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int zeros(void *ctx, void *out, size_t len)
{
	(void)ctx;
	memset(out, 0x5a, len);
	return 0;
}

/* The records of IKE SAs are lost. */
static void forget_sas(struct ikew *w)
{
	struct ikew_record *r;

	while ((r = ikew_record(w, IKE_RECORD_SA))) {
		secret_free(r->data, r->len);
		*r = (struct ikew_record){0};
	}
}

/* The next engine has R and its pairs, no IKE SA. */
static void crash(struct ikew *w)
{
	forget_sas(w);
	ikew_resume(w);
	ikew_run(w, 50);
}

static void a_held_peer_is_told_and_adopted(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c =
		    ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);
		uint64_t r;
		struct peer_up before;

		w->save_often = save;
		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		r = ikew_r_of(w, c);
		before = w->peer[0].up;
		crash(w);
		assert_int_equal(ikew_counts(w).pairs, 1);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		assert_int_equal(w->peer[0].up.held, 1);
		before.held = 1;
		assert_memory_equal(&w->peer[0].up, &before, sizeof(before));
		/* It is not idle: its SAs go on. */
		ikew_run(w, 300000);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_true(ikew_main(w, c));
		ikew_run(w, 50);
		assert_int_equal(w->peer[0].up.held, 0);
		assert_true(ikew_logged(w, "is back"));
		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		assert_int_equal(w->peer_count, 1);
		/* The old pair can be deleted by its client. */
		ikec_delete_esp(c, c->pair[0].spi_in);
		ikew_run(w, 50);
		assert_int_equal(ikew_live_sas(w), 2);
		ikew_free(w);
	}
}

static void a_held_peer_can_end(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c =
		    ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);
		struct ike_event ev = {.type = IKE_EV_PEER_CLOSE};

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		crash(w);
		ev.r = w->peer[0].r;
		if (how == 1) {
			ev.type = IKE_EV_EXPIRE;
			ev.spi = c->pair[0].spi_out;
			ev.hard = true;
		} else if (how == 2) {
			ev.type = IKE_EV_SHUTDOWN;
		}
		ikew_step(w, &ev);
		assert_int_equal(ikew_live_sas(w), 0);
		ikew_run(w, 31000);
		assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
		assert_int_equal(ikew_counts(w).peers, 0);
		ikew_free(w);
	}
}

/* The kernel was faster than the next engine. */
static void what_expired_unheard_is_not_held(void **state)
{
	(void)state;
	for (int dir = IKE_SA_IN; dir <= IKE_SA_OUT; dir++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c =
		    ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		assert_int_equal(ikew_live_sas(w), 2);
		for (size_t i = 0; i < w->sa_count; i++)
			if (w->sa[i].sa.dir == dir)
				w->sa[i].is_live = false;
		crash(w);
		assert_true(ikew_logged(w, "expired meanwhile"));
		assert_int_equal(ikew_counts(w).pairs, 0);
		assert_int_equal(ikew_live_sas(w), 0);
		/* Nothing is left of it: R ends as any other. */
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		ikew_run(w, 31000);
		assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
		ikew_free(w);
	}
}

/* Runs until so many SAs have been ordered; the kernel's answer, and what
 * the engine would note then, are still on their way. */
static void run_to_sas(struct ikew *w, size_t count)
{
	while (w->sa_count < count)
		assert_true(ikew_once(w, w->now + 10000));
}

/* The engine dies between ordering an SA and hearing of it: the outbound one
 * completes the pair, the inbound one of a Quick Mode nobody knows goes. */
static void what_was_ordered_is_finished_or_goes(void **state)
{
	(void)state;
	for (int how = 0; how < 8; how++) {
		bool is_renewal = how & 4, is_out = how & 2;
		size_t pairs = is_renewal + is_out;
		struct ikew *w = ikew_new(3);
		struct ike_client *c =
		    ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);

		w->save_often = how & 1;
		assert_true(ikew_main(w, c));
		if (is_renewal) {
			assert_true(ikew_quick(w, c));
			ikew_run(w, 50);
		}
		ikec_start_quick(c);
		run_to_sas(w, (is_renewal ? 3 : 1) + is_out);
		assert_int_equal(ikew_live_sas(w), w->sa_count);
		c->is_mute = true;
		crash(w);
		assert_int_equal(
		    ikew_logged(w, "was not finished before"), !is_out);
		assert_int_equal(ikew_live_sas(w), 2 * pairs);
		assert_int_equal(ikew_counts(w).pairs, pairs);
		ikew_run(w, 29000);
		assert_int_equal(
		    w->peer[0].state, pairs ? WORLD_PEER_UP : WORLD_PEER_ENDED);
		ikew_free(w);
	}
}

/* l2tpd does not come back: who has nothing to hold takes up no slot. */
static void without_l2tpd_a_held_peer_ends_too(void **state)
{
	(void)state;
	for (int how = 0; how < 6; how++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c =
		    ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);
		struct ike_event ev = {.type = IKE_EV_EXPIRE, .hard = true};

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		w->hold_ready = w->hold_gone = true;
		w->save_often = how & 1;
		/* Before the crash, after it, or when its client was back. */
		for (size_t i = 0; how < 2 && i < w->sa_count; i++)
			w->sa[i].is_live = false;
		crash(w);
		ikew_run(w, 100000);
		if (how >= 4)
			assert_true(ikew_main(w, c));
		ev.r = w->peer[0].r;
		ev.spi = c->pair[0].spi_out;
		if (how >= 2) {
			assert_int_equal(ikew_live_sas(w), 2);
			assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
			ikew_step(w, &ev);
		}
		ikew_run(w, 45000);
		assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
		assert_int_equal(ikew_counts(w).peers, 0);
		ikew_free(w);
	}
}

static struct ikew *natted(struct ike_client **c)
{
	struct ikew *w = ikew_new(3);

	*c = ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);
	return w;
}

/* R, its pair and its IKE SA are as if nothing had happened. */
static void assert_unchanged(struct ikew *w, struct ike_client *c, uint64_t r)
{
	assert_int_equal(ikew_r_of(w, c), r);
	assert_true(ikew_pair_right(w, c));
	assert_int_equal(ikew_counts(w).peers, 1);
	assert_int_equal(ikew_find_peer(w, r)->state, WORLD_PEER_UP);
}

static void an_ike_sa_goes_on(void **state)
{
	struct ike_client *c;
	struct ikew *w = natted(&c);
	uint64_t r;

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	r = ikew_r_of(w, c);
	ikew_resume(w);
	ikew_run(w, 50);
	assert_unchanged(w, c, r);
	assert_int_equal(ikew_find_peer(w, r)->up.held, 0);
	assert_int_equal(ikew_counts(w).sas, 1);
	/* DPD: ours is answered, the client's too. */
	ikew_run(w, 120000);
	assert_int_equal(ikew_counts(w).sas, 1);
	ikec_r_u_there(c, 7);
	ikew_run(w, 50);
	assert_int_equal(c->last_ack, 7);
	/* Both phases are renewed under it. */
	assert_true(ikew_quick(w, c));
	assert_unchanged(w, c, r);
	assert_true(ikew_main(w, c));
	assert_true(ikew_quick(w, c));
	assert_unchanged(w, c, r);
	ikew_free(w);
}

#define EXCHANGE_AT 18 /* in the header, RFC 2408 section 3.1 */

struct copied {
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
};

/* Keeps the client's first Quick Mode message. */
static bool copy_quick(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct copied *copy = w->filter_ctx;

	if (to_server && !copy->len &&
	    data[EXCHANGE_AT] == ISAKMP_EXCHANGE_QUICK)
		memcpy(copy->data, data, copy->len = *len);
	return true;
}

/* What was sent once is not taken again. */
static void the_past_is_not_forgotten(void **state)
{
	struct copied copy = {.len = 0};
	struct ike_client *c;
	struct ikew *w = natted(&c);
	int sends;

	(void)state;
	w->filter = copy_quick;
	w->filter_ctx = &copy;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	assert_true(copy.len > 0);
	ikew_resume(w);
	ikew_run(w, 50);
	sends = w->sends;
	ikew_inject(w, &c->outer[1], 4500, copy.data, copy.len);
	ikew_run(w, 50);
	assert_int_equal(w->sends, sends);
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_free(w);
}

/* Message 2 was sent; its loss, the death and message 1 again. */
static void a_lost_answer_is_sent_again(void **state)
{
	struct ike_client *c;
	struct ikew *w = natted(&c);
	struct client_quick *q;

	(void)state;
	assert_true(ikew_main(w, c));
	q = ikec_start_quick(c);
	while (!ikew_live_sas(w))
		assert_true(ikew_once(w, w->now + 1000));
	w->loss = 100;
	ikew_run(w, 100);
	w->loss = 0;
	assert_false(q->is_done);
	ikew_resume(w);
	ikew_run(w, 3000);
	assert_true(q->is_done);
	assert_true(ikew_pair_right(w, c));
	assert_int_equal(w->peer_count, 1);
	ikew_free(w);
}

static bool is_up(const struct ike_client *c)
{
	return c->cur && c->cur->state == CLIENT_UP;
}

/* So many things happen; false when the client is connected before. */
static bool dial_in(
    struct ikew *w, struct ike_client *c, int things, bool *has_asked)
{
	ikec_start_main(c);
	while (things-- > 0) {
		if (is_up(c) && !*has_asked) {
			ikec_start_quick(c);
			*has_asked = true;
		}
		if (!ikew_once(w, w->now + 60000) || ikew_pair_right(w, c))
			return false;
	}
	return true;
}

/* Whenever it dies in a dial-in, the client gets through by itself. */
static void death_at_any_step_of_a_dial_in(void **state)
{
	bool is_dialling = true;
	int at = 0;

	(void)state;
	for (; is_dialling; at++) {
		struct ike_client *c;
		struct ikew *w = natted(&c);

		bool has_asked = false;

		is_dialling = dial_in(w, c, at, &has_asked);
		ikew_resume(w);
		ikew_run(w, 40000);
		/* Its own repetitions are enough once it has an IKE SA. */
		if (has_asked)
			assert_true(ikew_pair_right(w, c));
		if (!is_up(c) || !ikew_counts(w).sas)
			assert_true(ikew_main(w, c));
		if (!ikew_pair_right(w, c))
			assert_true(ikew_quick(w, c));
		assert_true(ikew_pair_right(w, c));
		/* Nothing is left of the attempt. */
		ikew_run(w, 100000);
		assert_int_equal(ikew_live_sas(w), 2 * ikew_counts(w).pairs);
		assert_int_equal(ikew_counts(w).peers, 1);
		ikew_free(w);
	}
	assert_in_range(at, 10, 100);
}

/* Nor does it end R when it dies in a renewal. */
static void death_at_any_step_of_a_renewal(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		for (int at = 0; at < 40; at++) {
			struct ike_client *c;
			struct ikew *w = natted(&c);
			uint64_t r;

			assert_true(ikew_connect(w, c));
			ikew_run(w, 50);
			r = ikew_r_of(w, c);
			if (kind)
				ikec_start_main(c);
			else
				ikec_start_quick(c);
			for (int i = 0; i < at; i++)
				ikew_once(w, w->now + 1000);
			ikew_resume(w);
			ikew_run(w, 40000);
			if (!ikew_pair_right(w, c))
				assert_true(ikew_quick(w, c));
			assert_int_equal(ikew_r_of(w, c), r);
			assert_int_equal(ikew_counts(w).peers, 1);
			assert_int_equal(
			    ikew_live_sas(w), 2 * ikew_counts(w).pairs);
			ikew_free(w);
		}
	}
}

/* What fell due while no engine lived waits until it is known what there
 * is; then it is done. */
static void time_passes_between_engines(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct ike_client *c;
		struct ikew *w = natted(&c);
		struct ike_event ev = {.type = IKE_EV_PEER_CLOSE};
		uint64_t r;

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		r = ev.r = ikew_r_of(w, c);
		if (how == 0) {
			assert_true(ikew_quick(w, c));
			ikew_run(w, 50);
		} else if (how == 1) {
			ikec_start_quick(c);
			while (ikew_live_sas(w) < 3)
				assert_true(ikew_once(w, w->now + 1000));
			ikew_run(w, 12);
		} else {
			w->hold_gone = true;
			ikew_step(w, &ev);
		}
		w->now += 31000;
		ikew_resume(w);
		w->traffic = true;
		ikew_run(w, 60000);
		if (how < 2)
			assert_int_equal(
			    ikew_find_peer(w, r)->state, WORLD_PEER_UP);
		else
			assert_int_equal(ikew_counts(w).peers, 0);
		assert_int_equal(ikew_live_sas(w), 2 * ikew_counts(w).pairs);
		ikew_free(w);
	}
}

/* A soft limit that comes while l2tpd is away is not forgotten. */
static void a_renewal_waits_for_l2tpd(void **state)
{
	struct ike_client *c;
	struct ikew *w = natted(&c);
	struct ike_event ev = {.type = IKE_EV_EXPIRE};
	uint32_t old;

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	ev.r = ikew_r_of(w, c);
	old = ev.spi = ikec_newest_pair(c)->spi_out;
	w->traffic = c->answers = true;
	w->hold_ready = true;
	ikew_resume(w);
	ikew_step(w, &ev);
	ikew_run(w, 20000);
	assert_int_equal(ikec_newest_pair(c)->spi_out, old);
	ev.type = IKE_EV_PEER_READY;
	ikew_step(w, &ev);
	ikew_run(w, 20000);
	assert_int_not_equal(ikec_newest_pair(c)->spi_out, old);
	ikew_free(w);
}

/* The concentrator's own renewal is tried again. */
static void a_renewal_of_ours_is_tried_again(void **state)
{
	(void)state;
	for (int at = 0; at < 12; at++) {
		struct ike_client *c;
		struct ikew *w = natted(&c);
		struct ike_event ev = {.type = IKE_EV_EXPIRE};
		uint64_t r;
		uint32_t old;

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		r = ev.r = ikew_r_of(w, c);
		old = ev.spi = ikec_newest_pair(c)->spi_out;
		w->traffic = true;
		c->answers = true;
		ikew_step(w, &ev);
		for (int i = 0; i < at; i++)
			ikew_once(w, w->now + 1000);
		ikew_resume(w);
		ikew_run(w, 120000);
		assert_int_not_equal(ikec_newest_pair(c)->spi_out, old);
		assert_unchanged(w, c, r);
		ikew_free(w);
	}
}

static void one_that_was_ending_ends(void **state)
{
	struct ike_client *c;
	struct ikew *w = natted(&c);
	struct ike_event ev = {.type = IKE_EV_PEER_CLOSE};

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	ev.r = ikew_r_of(w, c);
	w->hold_gone = true;
	ikew_step(w, &ev);
	assert_int_equal(ikew_live_sas(w), 0);
	ikew_resume(w);
	assert_int_equal(ikew_find_peer(w, ev.r)->state, WORLD_PEER_DOWN);
	ikew_run(w, 15000);
	assert_int_equal(ikew_find_peer(w, ev.r)->state, WORLD_PEER_ENDED);
	assert_int_equal(ikew_counts(w).peers, 0);
	ikew_free(w);
}

/* An R that no record tells of goes, SAs first. */
static void what_is_not_recorded_ends(void **state)
{
	struct ike_client *c;
	struct ikew *w = natted(&c);
	struct ikew_record *r;

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	while ((r = ikew_record(w, IKE_RECORD_PEER))) {
		secret_free(r->data, r->len);
		*r = (struct ikew_record){0};
	}
	ikew_resume(w);
	assert_int_equal(ikew_live_sas(w), 0);
	assert_true(ikew_logged(w, "its state is lost"));
	ikew_run(w, 1000);
	assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
	ikew_free(w);
}

/* A record of what the monitor has not. */
static void what_the_monitor_does_not_know_ends(void **state)
{
	const struct ike_event end = {.type = IKE_EV_HELD_END};
	struct ike_client *c;
	struct ikew *w = natted(&c);

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	for (size_t i = 0; i < w->sa_count; i++)
		w->sa[i].is_live = false;
	ikew_resume_begin(w);
	ikew_step(w, &end);
	assert_true(ikew_logged(w, "the monitor does not know it"));
	assert_int_equal(ikew_counts(w).peers, 0);
	assert_int_equal(ikew_counts(w).pairs, 0);
	ikew_free(w);
}

/* A record that is cut or changed is refused whole, or does no harm. */
static void damaged_records_do_no_harm(void **state)
{
	static const enum ike_record kinds[] = {IKE_RECORD_PEER, IKE_RECORD_SA};
	struct ike_client *c;
	struct ikew *w = natted(&c);
	int refused = 0;

	(void)state;
	assert_true(ikew_connect(w, c));
	ikec_start_quick(c);
	ikew_run(w, 4);
	for (int k = 0; k < 2; k++) {
		struct ikew_record *r = ikew_record(w, kinds[k]);
		size_t tries = 2 * r->len;

		for (size_t i = 0; i < tries; i++) {
			struct ike *ike = ike_new(&w->cfg, zeros, NULL);
			struct ike_actions acts = {0};
			struct ike_event ev = {
			    .type = IKE_EV_RESUME, .now_ms = w->now};
			bool is_cut = i >= r->len;
			struct wire_span data = {
			    r->data, is_cut ? i - r->len : r->len};

			if (!is_cut)
				r->data[i] ^= (uint8_t)(1 << i % 8);
			if (ike_resume(ike, r->kind, r->id, data))
				refused++;
			else
				assert_false(is_cut);
			if (!is_cut)
				r->data[i] ^= (uint8_t)(1 << i % 8);
			ike_step(ike, &ev, &acts);
			ev.type = IKE_EV_HELD_END;
			ev.now_ms += 40000000;
			ike_step(ike, &ev, &acts);
			ike_actions_free(&acts);
			ike_free(ike);
		}
	}
	assert_true(refused > 500);
	ikew_free(w);
}

/* Each record once, and only under its own name. */
static void a_record_has_one_name(void **state)
{
	struct ike_client *c;
	struct ikew *w = natted(&c);
	struct ikew_record *p, *s;
	struct ike *ike;

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	p = ikew_record(w, IKE_RECORD_PEER);
	s = ikew_record(w, IKE_RECORD_SA);
	ike = ike_new(&w->cfg, zeros, NULL);
	for (int twice = 0; twice < 2; twice++) {
		struct wire_span a = {p->data, p->len}, b = {s->data, s->len};

		assert_int_equal(
		    ike_resume(ike, p->kind, p->id + 1, a), -EBADMSG);
		assert_int_equal(
		    ike_resume(ike, s->kind, s->id + 1, b), -EBADMSG);
		assert_int_equal(ike_resume(ike, s->kind, s->id, a), -EBADMSG);
		assert_int_equal(
		    ike_resume(ike, p->kind, p->id, a), twice ? -EBADMSG : 0);
		assert_int_equal(
		    ike_resume(ike, s->kind, s->id, b), twice ? -EBADMSG : 0);
	}
	ike_free(ike);
	ikew_free(w);
}

/* Nothing of a client that has not proved itself is recorded. */
static void strangers_are_not_recorded(void **state)
{
	struct ike_client *c;
	struct ikew *w = natted(&c);

	(void)state;
	ikec_start_main(c);
	while (!ikew_counts(w).half_open)
		assert_true(ikew_once(w, w->now + 1000));
	assert_null(ikew_record(w, IKE_RECORD_SA));
	ikew_run(w, 1000);
	assert_true(is_up(c));
	assert_non_null(ikew_record(w, IKE_RECORD_SA));
	assert_null(ikew_record(w, IKE_RECORD_PEER));
	assert_true(ikew_quick(w, c));
	assert_non_null(ikew_record(w, IKE_RECORD_PEER));
	ikec_delete_sa(c, c->cur);
	ikew_run(w, 50);
	assert_null(ikew_record(w, IKE_RECORD_SA));
	ikew_step(w,
	    &(struct ike_event){.type = IKE_EV_PEER_CLOSE, .r = w->peer[0].r});
	ikew_run(w, 1000);
	assert_null(ikew_record(w, IKE_RECORD_PEER));
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_held_peer_is_told_and_adopted),
	    cmocka_unit_test(a_held_peer_can_end),
	    cmocka_unit_test(what_expired_unheard_is_not_held),
	    cmocka_unit_test(what_was_ordered_is_finished_or_goes),
	    cmocka_unit_test(without_l2tpd_a_held_peer_ends_too),
	    cmocka_unit_test(an_ike_sa_goes_on),
	    cmocka_unit_test(the_past_is_not_forgotten),
	    cmocka_unit_test(a_lost_answer_is_sent_again),
	    cmocka_unit_test(death_at_any_step_of_a_dial_in),
	    cmocka_unit_test(death_at_any_step_of_a_renewal),
	    cmocka_unit_test(time_passes_between_engines),
	    cmocka_unit_test(a_renewal_waits_for_l2tpd),
	    cmocka_unit_test(a_renewal_of_ours_is_tried_again),
	    cmocka_unit_test(one_that_was_ending_ends),
	    cmocka_unit_test(what_is_not_recorded_ends),
	    cmocka_unit_test(what_the_monitor_does_not_know_ends),
	    cmocka_unit_test(damaged_records_do_no_harm),
	    cmocka_unit_test(a_record_has_one_name),
	    cmocka_unit_test(strangers_are_not_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
