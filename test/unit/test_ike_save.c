/* SPDX-License-Identifier: ISC */
/* ike_save() and ike_restore(). */
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
	    cmocka_unit_test(store_keeps_every_kind_of_field),
	    cmocka_unit_test(store_refuses_what_is_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
