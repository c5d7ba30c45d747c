/* SPDX-License-Identifier: ISC */
/* ike_save() and ike_restore(), and the notes that outlive a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "ikev1/core/store.h"
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

/* A world in the middle of everything: all kinds of objects and states. */
static struct ikew *busy(void)
{
	struct ikew *w = ikew_new(3);
	struct ike_client *a = ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);
	struct ike_client *b = ikew_client(w, "203.0.113.7", NULL, 0);
	struct ike_client *c = ikew_client(w, "203.0.113.8", NULL, 0);

	assert_true(ikew_connect(w, a));
	assert_true(ikew_quick(w, a));
	assert_true(ikew_main(w, b));
	w->hold_ready = true;
	ikec_start_quick(b);
	ikec_start_main(c);
	ikew_run(w, 12);
	return w;
}

static void what_is_restored_saves_to_the_same_bytes(void **state)
{
	struct ikew *w = busy();
	size_t len, len2;
	uint8_t *one, *two;
	struct ike *again;

	(void)state;
	one = ike_save(w->ike, w->now, &len);
	again = ike_restore(&w->cfg, zeros, NULL, w->now, one, len);
	assert_non_null(again);
	two = ike_save(again, w->now, &len2);
	assert_int_equal(len, len2);
	assert_memory_equal(one, two, len);
	ike_free(again);
	secret_free(one, len);
	secret_free(two, len2);
	ikew_free(w);
}

static void times_are_remaining_times(void **state)
{
	struct ikew *w = ikew_new(3);
	struct ike_client *c = ikew_client(w, "203.0.113.7", NULL, 0);
	struct ike *later;
	uint64_t due;
	uint8_t *data;
	size_t len;

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 100);
	data = ike_save(w->ike, w->now, &len);
	due = ike_next_deadline(w->ike) - w->now;
	later = ike_restore(&w->cfg, zeros, NULL, 77, data, len);
	assert_non_null(later);
	/* DPD comes first: 30 s after the newest message. */
	assert_int_equal(ike_next_deadline(later) - 77 >= due, 1);
	assert_in_range(ike_next_deadline(later) - 77, 29000, 30000);
	ike_free(later);
	secret_free(data, len);
	ikew_free(w);
}

static void no_prefix_and_no_other_version_is_restored(void **state)
{
	struct ikew *w = busy();
	uint8_t *data, *more;
	size_t len;

	(void)state;
	data = ike_save(w->ike, w->now, &len);
	for (size_t n = 0; n < len; n++)
		assert_null(ike_restore(&w->cfg, zeros, NULL, w->now, data, n));
	more = malloc(len + 1);
	memcpy(more, data, len);
	more[len] = 0;
	assert_null(ike_restore(&w->cfg, zeros, NULL, w->now, more, len + 1));
	for (size_t i = 0; i < 6; i++) {
		more[i] ^= 1;
		assert_null(
		    ike_restore(&w->cfg, zeros, NULL, w->now, more, len));
		more[i] ^= 1;
	}
	free(more);
	secret_free(data, len);
	ikew_free(w);
}

/* Damage is refused, or gives a machine that steps and frees cleanly. */
static void damaged_bytes_do_no_harm(void **state)
{
	struct ikew *w = busy();
	struct ike_actions acts = {0};
	int accepted = 0, refused = 0;
	uint8_t *data;
	size_t len;

	(void)state;
	data = ike_save(w->ike, w->now, &len);
	for (size_t i = 0; i < len; i++) {
		struct ike_event ev = {
		    .type = IKE_EV_TICK, .now_ms = w->now + 40000000};
		struct ike *ike;

		data[i] ^= (uint8_t)(1 << i % 8);
		ike = ike_restore(&w->cfg, zeros, NULL, w->now, data, len);
		data[i] ^= (uint8_t)(1 << i % 8);
		if (!ike) {
			refused++;
			continue;
		}
		accepted++;
		ike_step(ike, &ev, &acts);
		ev.type = IKE_EV_SHUTDOWN;
		ike_step(ike, &ev, &acts);
		ike_actions_clear(&acts);
		ike_free(ike);
	}
	ike_actions_free(&acts);
	assert_true(accepted > 0 && refused > 0);
	secret_free(data, len);
	ikew_free(w);
}

/* The engine dies: a new machine knows only what the monitor kept. */
static void crash(struct ikew *w)
{
	uint8_t live[WORLD_SAS * IKE_LIVE_SIZE];

	ikew_crash(w);
	for (size_t i = 0; i < w->peer_count; i++) {
		struct ikew_peer *p = &w->peer[i];

		if (p->state != WORLD_PEER_UP)
			continue;
		p->state = WORLD_PEER_OPENED;
		ikew_step(w, &(struct ike_event){.type = IKE_EV_HELD,
				 .r = p->r,
				 .slot = p->slot,
				 .data = {p->note, p->note_len},
				 .live = {live, ikew_live(w, p->r, live)}});
	}
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

/* The engine dies between ordering an SA and noting it. */
static void what_was_not_noted_goes(void **state)
{
	(void)state;
	for (int how = 0; how < 8; how++) {
		bool is_renewal = how & 4;
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
		run_to_sas(w, (is_renewal ? 3 : 1) + !!(how & 2));
		assert_int_equal(ikew_live_sas(w), w->sa_count);
		c->is_mute = true;
		crash(w);
		assert_true(ikew_logged(w, "was not finished before"));
		assert_int_equal(ikew_live_sas(w), is_renewal ? 2 : 0);
		assert_int_equal(ikew_counts(w).pairs, is_renewal);
		ikew_run(w, 31000);
		assert_int_equal(w->peer[0].state,
		    is_renewal ? WORLD_PEER_UP : WORLD_PEER_ENDED);
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

static void a_note_that_cannot_be_read_ends_its_r(void **state)
{
	struct ikew *w = ikew_new(3);
	struct ike_client *c = ikew_client(w, "10.0.0.2", "192.0.2.9", 4000);
	size_t full;

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	full = w->peer[0].note_len;
	assert_in_range(full, 50, 1024);
	for (size_t len = 0; len < full; len++) {
		struct ike *ike = ike_new(&w->cfg, zeros, NULL);
		struct ike_actions acts = {0};
		struct ike_event ev = {.type = IKE_EV_HELD,
		    .r = 5,
		    .slot = 6,
		    .data = {w->peer[0].note, len}};
		bool down = false;

		ike_step(ike, &ev, &acts);
		for (size_t i = 0; i < acts.count; i++) {
			assert_true(acts.items[i].type != IKE_ACT_PEER_UP);
			down |= acts.items[i].type == IKE_ACT_PEER_DOWN;
		}
		assert_true(down);
		ike_actions_free(&acts);
		ike_free(ike);
	}
	ikew_free(w);
}

static void store_keeps_every_kind_of_field(void **state)
{
	struct store s;
	bool b = true;
	uint8_t u8 = 7;
	uint16_t u16 = 0xbeef;
	uint32_t u32 = 0xdeadbeef, small = 5;
	uint64_t u64 = 1ull << 60, due = 1500, none = UINT64_MAX, past = 400;
	char text[8] = "seven77", empty[4] = "";
	struct bytes bytes = {NULL, 0}, out = {NULL, 0};
	struct addr a = {.family = ADDR_IPV4, .ip = {1, 2, 3, 4}, .port = 5};
	uint8_t *data;
	size_t len;

	(void)state;
	bytes_set(&bytes, "abc", 3);
	store_save_init(&s, 1000);
	store_bool(&s, &b);
	store_u8(&s, &u8);
	store_u16(&s, &u16);
	store_u32(&s, &u32);
	store_max(&s, &small, 5);
	store_u64(&s, &u64);
	store_deadline(&s, &due);
	store_deadline(&s, &none);
	store_past(&s, &past);
	store_text(&s, text, sizeof(text));
	store_text(&s, empty, sizeof(empty));
	store_bytes(&s, &bytes);
	store_addr(&s, &a);
	assert_int_equal(store_error(&s), 0);
	data = malloc(len = s.w.pos);
	memcpy(data, s.w.data, len);
	store_free(&s);
	for (size_t n = 0; n <= len; n++) {
		struct addr a2 = {0};

		store_load_init(&s, 5000, data, n);
		store_bool(&s, &b);
		store_u8(&s, &u8);
		store_u16(&s, &u16);
		store_u32(&s, &u32);
		store_max(&s, &small, 5);
		store_u64(&s, &u64);
		store_deadline(&s, &due);
		store_deadline(&s, &none);
		store_past(&s, &past);
		store_text(&s, text, sizeof(text));
		store_text(&s, empty, sizeof(empty));
		store_bytes(&s, &out);
		store_addr(&s, &a2);
		assert_int_equal(store_error(&s), n < len ? -EBADMSG : 0);
		if (n < len)
			continue;
		assert_true(b && u8 == 7 && u16 == 0xbeef &&
			    u32 == 0xdeadbeef && small == 5);
		assert_true(u64 == 1ull << 60 && due == 5500 &&
			    none == UINT64_MAX && past == 4400);
		assert_string_equal(text, "seven77");
		assert_string_equal(empty, "");
		assert_true(bytes_equal(&bytes, &out));
		assert_true(addr_equal(&a, &a2));
	}
	free(data);
	bytes_free(&bytes);
	bytes_free(&out);
}

static void store_refuses_what_is_out_of_range(void **state)
{
	struct store s;
	bool b = false;
	uint32_t n = 0;
	char text[4];
	struct addr a;

	(void)state;
	store_load_init(&s, 0, "\2", 1);
	store_bool(&s, &b);
	assert_int_equal(store_error(&s), -EBADMSG);
	store_load_init(&s, 0, "\0\0\0\6", 4);
	store_max(&s, &n, 5);
	assert_int_equal(store_error(&s), -EBADMSG);
	assert_int_equal(n, 0);
	store_load_init(&s, 0, "\0\0\0\4abcd", 8);
	store_text(&s, text, sizeof(text));
	assert_int_equal(store_error(&s), -EBADMSG);
	store_load_init(&s, 0, "\0\0\0\3a\0b", 7);
	store_text(&s, text, sizeof(text));
	assert_int_equal(store_error(&s), -EBADMSG);
	store_load_init(&s, 0, "\5.................................", 30);
	store_addr(&s, &a);
	assert_int_equal(store_error(&s), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_restored_saves_to_the_same_bytes),
	    cmocka_unit_test(times_are_remaining_times),
	    cmocka_unit_test(no_prefix_and_no_other_version_is_restored),
	    cmocka_unit_test(damaged_bytes_do_no_harm),
	    cmocka_unit_test(a_held_peer_is_told_and_adopted),
	    cmocka_unit_test(a_held_peer_can_end),
	    cmocka_unit_test(what_expired_unheard_is_not_held),
	    cmocka_unit_test(what_was_not_noted_goes),
	    cmocka_unit_test(without_l2tpd_a_held_peer_ends_too),
	    cmocka_unit_test(a_note_that_cannot_be_read_ends_its_r),
	    cmocka_unit_test(store_keeps_every_kind_of_field),
	    cmocka_unit_test(store_refuses_what_is_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
