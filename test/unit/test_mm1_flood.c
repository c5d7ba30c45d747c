/* SPDX-License-Identifier: ISC */
/* The table of first messages when there are many: chance and quotas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/mm1_table.h"

#include <sys/resource.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flood_finds_all_memory_present),
	    cmocka_unit_test(honest_ones_get_through_a_flood),
	    cmocka_unit_test(a_neighbourhood_has_its_quota),
	    cmocka_unit_test(neighbours_share_a_24_or_a_48),
	    cmocka_unit_test(ipv6_has_quotas_too),
	    cmocka_unit_test(chance_decides_who_goes),
	    cmocka_unit_test(entries_live_shorter_when_there_are_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
