/* SPDX-License-Identifier: ISC */
/* The table of first messages: bounds, chance, quotas, time, saving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "ikev1/core/mm1.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SIZE 1024
#define LIFE 60000
#define EPOCH 600000
#define START 5000000

struct fixture {
	struct crypto crypto;
	struct mm1 *t;
	uint64_t seed;
	int random_error;
	uint64_t now;
};

static int random_bytes(void *ctx, void *out, size_t len)
{
	struct fixture *f = ctx;
	uint8_t *p = out;

	while (len--) {
		uint64_t z = f->seed += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		*p++ = (uint8_t)(z ^ z >> 31);
	}
	return f->random_error;
}

static struct fixture *new_fixture(uint32_t size)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(crypto_init(&f->crypto), 0);
	f->seed = 7;
	f->now = START;
	f->t = mm1_new(size, LIFE, random_bytes, f);
	return f;
}

static void free_fixture(struct fixture *f)
{
	mm1_free(f->t);
	crypto_done(&f->crypto);
	free(f);
}

static struct addr v4(uint32_t ip)
{
	return (struct addr){.family = ADDR_IPV4,
	    .ip = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
		(uint8_t)ip},
	    .port = 500};
}

/* A message of its own for each number. */
struct text {
	uint8_t bytes[100];
};

static struct text text_of(uint32_t n)
{
	struct text t = {{1, 2, 3}};

	memcpy(t.bytes + 40, &n, sizeof(n));
	return t;
}

static void cookie_of(
    struct fixture *f, const struct addr *peer, uint32_t n, uint8_t *cookie)
{
	const struct addr local = v4(0xc6336401);
	struct text text = text_of(n);

	assert_int_equal(
	    mm1_cookie(f->t, &f->crypto, f->now, &local, peer,
		(struct wire_span){text.bytes, sizeof(text)}, cookie),
	    0);
}

/* Message n from peer, answered; its cookie. */
static void arrive(
    struct fixture *f, const struct addr *peer, uint32_t n, uint8_t *cookie)
{
	struct mm1_entry e = {.peer = *peer, .life_s = n};
	struct text text = text_of(n);

	mm1_expire(f->t, f->now);
	cookie_of(f, peer, n, cookie);
	memcpy(e.cky_r, cookie, 8);
	if (!mm1_find(f->t, cookie))
		assert_int_equal(mm1_add(f->t, f->now, &e,
				     (struct wire_span){text.bytes, 60}),
		    0);
}

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

/* A full table takes no page that it had not before. */
static void a_flood_finds_all_memory_present(void **state)
{
	struct fixture *f = new_fixture(2 * SIZE);
	struct rusage before, after;
	uint8_t cookie[8];
	struct addr peer;

	(void)state;
	mm1_make_present(f->t);
	peer = v4(0x0a000001);
	arrive(f, &peer, 0, cookie); /* the library's own pages */
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	for (uint32_t i = 1; i < 2 * SIZE; i++) {
		peer = v4(i << 12);
		arrive(f, &peer, i, cookie);
	}
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_int_equal(mm1_count(f->t), 2 * SIZE);
	/* Of more than 1,024; a sanitizer needs some of its own. */
	assert_in_range(after.ru_minflt - before.ru_minflt, 0, 511);
	free_fixture(f);
}

/* 100,000 spoofed ones at 20,000 a second, a client with a round trip of
 * 10 ms every 50 ms: the table turns over in 51 ms. */
static void honest_ones_get_through_a_flood(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	int honest = 0, through = 0;
	uint8_t cookie[8], waiting[8];

	(void)state;
	for (uint32_t n = 0; n < 100000; n++) {
		struct addr peer = v4(n * 2654435761u);

		f->now = START + n / 20;
		arrive(f, &peer, n, cookie);
		assert_true(mm1_count(f->t) <= SIZE);
		if (n % 1000 == 500) {
			peer = v4(0xcb007107);
			arrive(f, &peer, n, waiting);
			honest++;
		}
		if (n % 1000 == 700 && mm1_find(f->t, waiting)) {
			mm1_remove(f->t, mm1_find(f->t, waiting));
			through++;
		}
	}
	assert_int_equal(honest, 100);
	/* exp(-200/1024) = 82 % at the first try. */
	assert_in_range(through, 70, 94);
	free_fixture(f);
}

/* Whoever floods from one place displaces himself. */
static void a_neighbourhood_has_its_quota(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	uint8_t other[100][8], cookie[8];

	(void)state;
	for (uint32_t n = 0; n < 100; n++) {
		struct addr peer = v4(n << 16);

		arrive(f, &peer, n, other[n]);
	}
	for (uint32_t n = 0; n < 10000; n++) {
		struct addr peer = v4(0xcb007100 + n % 256);

		arrive(f, &peer, n, cookie);
	}
	assert_in_range(mm1_count(f->t), 100, 100 + mm1_quota(SIZE));
	for (uint32_t n = 0; n < 100; n++)
		assert_non_null(mm1_find(f->t, other[n]));
	free_fixture(f);
}

static void neighbours_share_a_24_or_a_48(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_near;
	} row[] = {
	    {"203.0.113.1", "203.0.113.254", true},
	    {"203.0.113.1", "203.0.112.1", false},
	    {"2001:db8:1::1", "2001:db8:1:ffff::2", true},
	    {"2001:db8:1::1", "2001:db8:2::1", false},
	    {"0.0.0.1", "::1", false},
	};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct addr a, b;

		assert_int_equal(addr_parse(&a, row[i].a), 0);
		assert_int_equal(addr_parse(&b, row[i].b), 0);
		b.port = 77;
		assert_int_equal(mm1_neighbours(&a, &b), row[i].is_near);
	}
	assert_int_equal(mm1_quota(4096), 256);
	assert_int_equal(mm1_quota(8), 32);
}

static void ipv6_has_quotas_too(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	uint8_t cookie[8];

	(void)state;
	for (uint32_t n = 0; n < 1000; n++) {
		struct addr peer = {.family = ADDR_IPV6,
		    .ip = {0x20, 1, 0xd, 0xb8, 0, 1, (uint8_t)(n >> 8),
			(uint8_t)n}};

		arrive(f, &peer, n, cookie);
	}
	assert_int_equal(mm1_count(f->t), mm1_quota(SIZE));
	free_fixture(f);
}

static void chance_decides_who_goes(void **state)
{
	struct fixture *f = new_fixture(64);
	uint8_t cookie[128][8];
	int old = 0, recent = 0;

	(void)state;
	for (uint32_t n = 0; n < 128; n++) {
		struct addr peer = v4(n << 16);

		arrive(f, &peer, n, cookie[n]);
	}
	for (uint32_t n = 0; n < 64; n++) {
		old += mm1_find(f->t, cookie[n]) != NULL;
		recent += mm1_find(f->t, cookie[64 + n]) != NULL;
	}
	assert_int_equal(old + recent, 64);
	/* (1 - 1/64)^64 = 36 % of the old ones stay. */
	assert_in_range(old, 12, 36);
	free_fixture(f);
}

static void entries_live_shorter_when_there_are_many(void **state)
{
	struct fixture *f = new_fixture(SIZE);
	uint8_t cookie[8];

	(void)state;
	assert_int_equal(mm1_life(60000, 0, 100), 60000);
	assert_int_equal(mm1_life(60000, 25, 100), 60000);
	assert_int_equal(mm1_life(60000, 26, 100), 15000);
	assert_int_equal(mm1_life(60000, 50, 100), 15000);
	assert_int_equal(mm1_life(60000, 51, 100), 5000);
	for (uint32_t n = 0; n < SIZE; n++) {
		struct addr peer = v4(n << 16);

		arrive(f, &peer, n, cookie);
	}
	f->now += 4999;
	mm1_expire(f->t, f->now);
	assert_int_equal(mm1_count(f->t), SIZE);
	f->now++;
	mm1_expire(f->t, f->now);
	assert_int_equal(mm1_count(f->t), SIZE / 2);
	f->now = START + 15000;
	mm1_expire(f->t, f->now);
	assert_int_equal(mm1_count(f->t), SIZE / 4);
	f->now = START + 59999;
	mm1_expire(f->t, f->now);
	assert_int_equal(mm1_count(f->t), SIZE / 4);
	f->now++;
	mm1_expire(f->t, f->now);
	assert_int_equal(mm1_count(f->t), 0);
	free_fixture(f);
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
	    cmocka_unit_test(a_flood_finds_all_memory_present),
	    cmocka_unit_test(honest_ones_get_through_a_flood),
	    cmocka_unit_test(a_neighbourhood_has_its_quota),
	    cmocka_unit_test(neighbours_share_a_24_or_a_48),
	    cmocka_unit_test(ipv6_has_quotas_too),
	    cmocka_unit_test(chance_decides_who_goes),
	    cmocka_unit_test(entries_live_shorter_when_there_are_many),
	    cmocka_unit_test(too_long_an_sa_payload_is_refused),
	    cmocka_unit_test(without_randomness_there_is_no_cookie),
	    cmocka_unit_test(saving_keeps_entries_and_the_key),
	    cmocka_unit_test(damaged_tables_are_refused),
	    cmocka_unit_test(rings_stay_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
