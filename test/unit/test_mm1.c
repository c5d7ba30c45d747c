/* SPDX-License-Identifier: ISC */
/* The table of first messages: cookies, bounds, time, saving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/mm1_table.h"

#include "common/secret.h"

#include <errno.h>

static void an_entry_is_found_and_taken(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	struct addr peer = v4(0xcb007107);
	struct text text = text_of(5);
	struct mm1_entry *e;
	uint8_t cookie[8], none[8] = {0};

	(void)state;
	arrive(f, &peer, 5, cookie);
	assert_int_equal(mm1_count(f->t), 1);
	assert_null(mm1_find(f->t, none));
	e = mm1_find(f->t, cookie);
	assert_non_null(e);
	assert_true(addr_equal(&e->peer, &peer));
	assert_int_equal(e->life_s, 5);
	assert_int_equal(e->arrived_ms, f->now);
	assert_int_equal(mm1_sai(f->t, e).len, 60);
	assert_memory_equal(mm1_sai(f->t, e).data, text.bytes, 60);
	/* A repeated one has its entry already. */
	for (int i = 0; i < 100; i++) {
		uint8_t again[8];

		arrive(f, &peer, 5, again);
		assert_memory_equal(cookie, again, 8);
	}
	assert_int_equal(mm1_count(f->t), 1);
	mm1_remove(f->t, e);
	assert_int_equal(mm1_count(f->t), 0);
	assert_null(mm1_find(f->t, cookie));
	free_fixture(f);
}

static void a_cookie_depends_on_everything(void **state)
{
	struct fixture *f = new_fixture(SIZE), *other;
	struct addr peer = v4(0xcb007107), local = v4(0xc6336401);
	struct text text = text_of(5);
	struct wire_span whole = {text.bytes, sizeof(text)};
	uint8_t first[8], next[8];

	(void)state;
	cookie_of(f, &peer, 5, first);
	cookie_of(f, &peer, 5, next);
	assert_memory_equal(first, next, 8);
	cookie_of(f, &peer, 6, next);
	assert_memory_not_equal(first, next, 8);
	peer.port++;
	cookie_of(f, &peer, 5, next);
	assert_memory_not_equal(first, next, 8);
	peer.port--;
	peer.ip[3]++;
	cookie_of(f, &peer, 5, next);
	assert_memory_not_equal(first, next, 8);
	peer.ip[3]--;
	local.ip[3]++;
	assert_int_equal(
	    mm1_cookie(f->t, &f->crypto, f->now, &local, &peer, whole, next),
	    0);
	assert_memory_not_equal(first, next, 8);
	f->now += EPOCH;
	cookie_of(f, &peer, 5, next);
	assert_memory_not_equal(first, next, 8);
	other = new_fixture(SIZE);
	other->seed++;
	cookie_of(other, &peer, 5, next);
	assert_memory_not_equal(first, next, 8);
	free_fixture(other);
	free_fixture(f);
}

static void cookies_are_not_zero_and_spread(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	int seen[128] = {0};

	(void)state;
	for (uint32_t n = 0; n < 12800; n++) {
		struct addr peer = v4(n);
		uint8_t cookie[8];

		cookie_of(f, &peer, 0, cookie);
		assert_true(cookie[0] & 0x80);
		seen[cookie[0] & 0x7f]++;
	}
	for (int i = 0; i < 128; i++)
		assert_in_range(seen[i], 40, 180);
	free_fixture(f);
}

/* Answered before the epoch ended, repeated after it: the same cookie. */
static void the_change_of_epochs_is_not_noticed(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	struct addr peer = v4(0xcb007107);
	uint8_t before[8], after[8];

	(void)state;
	cookie_of(f, &peer, 1, before); /* epoch 0 starts here */
	f->now += EPOCH - 1000;
	arrive(f, &peer, 2, before);
	f->now += 2000;
	arrive(f, &peer, 2, after);
	assert_memory_equal(before, after, 8);
	assert_int_equal(mm1_count(f->t), 1);
	/* Without an entry it is a new one. */
	mm1_remove(f->t, mm1_find(f->t, before));
	arrive(f, &peer, 2, after);
	assert_memory_not_equal(before, after, 8);
	free_fixture(f);
}

static void an_evicted_one_gets_its_cookie_back(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	struct addr peer = v4(0xcb007107);
	uint8_t before[8], after[8];

	(void)state;
	arrive(f, &peer, 2, before);
	mm1_remove(f->t, mm1_find(f->t, before));
	assert_null(mm1_find(f->t, before));
	f->now += 1000;
	arrive(f, &peer, 2, after);
	assert_memory_equal(before, after, 8);
	assert_non_null(mm1_find(f->t, before));
	free_fixture(f);
}

static void the_table_never_holds_more(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 33, 1000};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct fixture *f = new_fixture(sizes[i]);
		uint8_t cookie[8];

		for (uint32_t n = 0; n < 5000; n++) {
			struct addr peer = v4(n * 2654435761u);

			arrive(f, &peer, n, cookie);
			assert_non_null(mm1_find(f->t, cookie));
			assert_true(mm1_count(f->t) <= sizes[i]);
		}
		assert_int_equal(mm1_count(f->t), sizes[i]);
		free_fixture(f);
	}
}

static void too_long_an_sa_payload_is_refused(void **state)
{
	struct fixture *f = new_fixture(4);
	struct mm1_entry e = {.cky_r = {1}};
	uint8_t sai[MM1_SAI_MAX + 1];

	(void)state;
	memset(sai, 0xa5, sizeof(sai));
	assert_int_equal(
	    mm1_add(f->t, f->now, &e, (struct wire_span){sai, sizeof(sai)}),
	    -EMSGSIZE);
	assert_int_equal(mm1_count(f->t), 0);
	assert_int_equal(
	    mm1_add(f->t, f->now, &e, (struct wire_span){sai, MM1_SAI_MAX}), 0);
	assert_memory_equal(
	    mm1_sai(f->t, mm1_find(f->t, e.cky_r)).data, sai, MM1_SAI_MAX);
	free_fixture(f);
}

static void without_randomness_there_is_no_cookie(void **state)
{
	struct fixture *f = new_fixture(2);
	struct addr peer = v4(0xcb007107);
	struct text text = text_of(1);
	struct mm1_entry e = {.cky_r = {1}};
	struct wire_span whole = {text.bytes, sizeof(text)};
	uint8_t cookie[8];

	(void)state;
	f->random_error = -EIO;
	assert_int_equal(
	    mm1_cookie(f->t, &f->crypto, f->now, &peer, &peer, whole, cookie),
	    -EIO);
	assert_int_equal(mm1_add(f->t, f->now, &e, whole), -EIO);
	/* Later on only chance suffers. */
	f->random_error = 0;
	cookie_of(f, &peer, 1, cookie);
	f->random_error = -EIO;
	for (uint32_t n = 0; n < 10; n++) {
		peer = v4(n << 16);
		arrive(f, &peer, n, cookie);
	}
	assert_int_equal(mm1_count(f->t), 2);
	free_fixture(f);
}

/* Everything is there, with the time that was left. */
static void saving_keeps_entries_and_the_key(void **state)
{
	struct fixture *f = new_fixture(SIZE), *g = new_fixture(SIZE);
	uint8_t cookie[300][8], again[8];
	struct store out, in, out2;

	(void)state;
	for (uint32_t n = 0; n < 300; n++) {
		struct addr peer = v4(n << 16);

		f->now++;
		arrive(f, &peer, n, cookie[n]);
	}
	mm1_remove(f->t, mm1_find(f->t, cookie[17]));
	store_save_init(&out, f->now);
	mm1_store(&out, f->t);
	g->now = 400;
	store_load_init(&in, g->now, out.w.data, out.w.pos);
	mm1_store(&in, g->t);
	assert_int_equal(store_error(&in), 0);
	assert_int_equal(wire_left(&in.r), 0);
	assert_int_equal(mm1_count(g->t), 299);
	for (uint32_t n = 0; n < 300; n++) {
		struct mm1_entry *e = mm1_find(g->t, cookie[n]);
		struct text text = text_of(n);

		assert_int_equal(e == NULL, n == 17);
		if (e)
			assert_memory_equal(
			    mm1_sai(g->t, e).data, text.bytes, 60);
	}
	for (size_t len = 0; len < out.w.pos; len++) {
		struct mm1 *cut = mm1_new(8, LIFE, random_bytes, f);

		store_load_init(&in, 1, out.w.data, len);
		mm1_store(&in, cut);
		assert_int_equal(store_error(&in), -EBADMSG);
		assert_true(mm1_count(cut) <= 8);
		mm1_free(cut);
	}
	store_save_init(&out2, f->now);
	mm1_store(&out2, f->t);
	assert_int_equal(out.w.pos, out2.w.pos);
	assert_memory_equal(out.w.data, out2.w.data, out.w.pos);
	store_free(&out2);
	store_free(&out);
	/* The clock of g began at 400: ages are cut there, not negative. */
	f->now += 10;
	store_save_init(&out, f->now);
	mm1_store(&out, f->t);
	store_load_init(&in, START * 2, out.w.data, out.w.pos);
	mm1_free(g->t);
	g->t = mm1_new(SIZE, LIFE, random_bytes, g);
	mm1_store(&in, g->t);
	assert_int_equal(
	    START * 2 - mm1_find(g->t, cookie[0])->arrived_ms, 299 + 10);
	g->now = START * 2;
	{
		struct addr peer = v4(17 << 16);

		cookie_of(g, &peer, 17, again);
		assert_memory_equal(again, cookie[17], 8);
	}
	store_free(&out);
	free_fixture(f);
	free_fixture(g);
}

static void damaged_tables_are_refused(void **state)
{
	struct fixture *f = new_fixture(8);
	struct addr peer = v4(0xcb007107);
	struct store out, in;
	uint8_t cookie[8], *data;
	size_t len, entry;

	(void)state;
	store_save_init(&out, f->now);
	mm1_store(&out, f->t);
	entry = out.w.pos;
	store_free(&out);
	arrive(f, &peer, 1, cookie);
	store_save_init(&out, f->now);
	mm1_store(&out, f->t);
	len = out.w.pos;
	/* The same entry twice. */
	data = calloc(1, 2 * len);
	memcpy(data, out.w.data, len);
	memcpy(data + len, out.w.data + entry, len - entry);
	data[entry - 1] = 2;
	store_load_init(&in, 1, data, 2 * len - entry);
	mm1_free(f->t);
	f->t = mm1_new(8, LIFE, random_bytes, f);
	mm1_store(&in, f->t);
	assert_int_equal(store_error(&in), -EBADMSG);
	/* Entries without a key; a longer SA payload than there may be. */
	for (int what = 0; what < 2; what++) {
		memcpy(data, out.w.data, len);
		data[what ? len - 62 : 0] ^= what ? 0x80 : 1;
		store_load_init(&in, 1, data, len);
		mm1_free(f->t);
		f->t = mm1_new(8, LIFE, random_bytes, f);
		mm1_store(&in, f->t);
		assert_int_equal(store_error(&in), -EBADMSG);
		assert_int_equal(mm1_count(f->t), 0);
	}
	free(data);
	store_free(&out);
	free_fixture(f);
}

/* Every order of coming and going leaves the rings whole. */
static void rings_stay_whole(void **state)
{
	struct fixture *f = new_fixture(50);
	uint8_t cookie[200][8];

	(void)state;
	for (uint32_t n = 0; n < 20000; n++) {
		struct addr peer = v4((n * 40503u % 200) << 6);
		uint32_t i = n * 2246822519u % 200;
		struct mm1_entry *e;

		f->now += n % 7;
		arrive(f, &peer, n, cookie[i]);
		e = mm1_find(f->t, cookie[n * 97 % 200]);
		if (e && n % 3 == 0)
			mm1_remove(f->t, e);
	}
	f->now += LIFE;
	mm1_expire(f->t, f->now);
	assert_int_equal(mm1_count(f->t), 0);
	free_fixture(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_entry_is_found_and_taken),
	    cmocka_unit_test(a_cookie_depends_on_everything),
	    cmocka_unit_test(cookies_are_not_zero_and_spread),
	    cmocka_unit_test(the_change_of_epochs_is_not_noticed),
	    cmocka_unit_test(an_evicted_one_gets_its_cookie_back),
	    cmocka_unit_test(the_table_never_holds_more),
	    cmocka_unit_test(too_long_an_sa_payload_is_refused),
	    cmocka_unit_test(without_randomness_there_is_no_cookie),
	    cmocka_unit_test(saving_keeps_entries_and_the_key),
	    cmocka_unit_test(damaged_tables_are_refused),
	    cmocka_unit_test(rings_stay_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
