/* SPDX-License-Identifier: ISC */
/* The address pool: the turn, fixed addresses, save and load. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "l2tpd/core/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct pool *make(const char *ranges)
{
	char reason[POOL_REASON_MAX] = "";
	struct pool *p = pool_new(ranges, reason);

	if (!p)
		fail_msg("%s", reason);
	return p;
}

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

static void gets(struct pool *p, uint64_t key, const char *want)
{
	char reason[POOL_REASON_MAX], text[ADDR_TEXT_MAX];
	struct addr a;

	assert_int_equal(pool_lease(p, key, NULL, &a, reason), 0);
	assert_string_equal(addr_text(&a, text), want);
	assert_true(pool_holder(p, &a) == key);
}

static void addresses_go_out_in_turn(void **state)
{
	struct pool *p = make("10.0.0.1-10.0.0.3");
	char reason[POOL_REASON_MAX];
	struct addr a;

	(void)state;
	assert_int_equal(pool_size(p), 3);
	gets(p, 1, "10.0.0.1");
	pool_release(p, 1);
	/* The released one rests until the turn comes round. */
	gets(p, 2, "10.0.0.2");
	gets(p, 3, "10.0.0.3");
	gets(p, 4, "10.0.0.1");
	assert_int_equal(pool_available(p), 0);
	assert_int_equal(pool_lease(p, 5, NULL, &a, reason), -ENOSPC);
	assert_string_equal(
	    reason, "pool exhausted: all 3 addresses are in use");
	pool_release(p, 3);
	pool_release(p, 3);
	pool_release(p, 99);
	assert_int_equal(pool_available(p), 1);
	gets(p, 5, "10.0.0.3");
	pool_free(p);
	pool_free(NULL);
}

static void a_key_keeps_its_address(void **state)
{
	struct pool *p = make("10.0.0.1-10.0.0.3");
	char reason[POOL_REASON_MAX];
	struct addr other = ip("10.0.0.3"), a;

	(void)state;
	gets(p, 7, "10.0.0.1");
	gets(p, 7, "10.0.0.1");
	assert_int_equal(pool_available(p), 2);
	assert_int_equal(pool_lease(p, 7, &other, &a, reason), -EEXIST);
	assert_int_equal(pool_holder(p, &other), 0);
	pool_free(p);
}

static void fixed_addresses_in_and_out_of_the_pool(void **state)
{
	struct pool *p = make("10.0.0.1-10.0.0.2");
	struct addr in = ip("10.0.0.1"), out = ip("192.0.2.9"), a;
	char reason[POOL_REASON_MAX];

	(void)state;
	assert_int_equal(pool_lease(p, 1, &in, &a, reason), 0);
	assert_true(addr_equal(&a, &in));
	assert_int_equal(pool_available(p), 1);
	assert_int_equal(pool_lease(p, 2, &out, &a, reason), 0);
	assert_true(addr_equal(&a, &out));
	assert_int_equal(pool_available(p), 1);
	assert_int_equal(pool_lease(p, 3, &out, &a, reason), -EADDRINUSE);
	assert_string_equal(reason,
	    "the user's address 192.0.2.9 is in use by another session");
	gets(p, 3, "10.0.0.2");
	assert_int_equal(pool_lease(p, 4, NULL, &a, reason), -ENOSPC);
	pool_free(p);
}

/* A user's own address waits for him. */
static void fixed_addresses_are_nobody_elses(void **state)
{
	struct pool *p = make("10.0.0.1-10.0.0.4"), *q;
	struct addr one = ip("10.0.0.1"), three = ip("10.0.0.3"), a;
	struct addr out = ip("192.0.2.9"), six = ip("fe80::1");
	char reason[POOL_REASON_MAX];
	uint8_t *data;
	size_t len;

	(void)state;
	pool_fix(p, &one);
	pool_fix(p, &three);
	pool_fix(p, &three);
	pool_fix(p, &out);
	pool_fix(p, &six);
	assert_int_equal(pool_available(p), 2);
	gets(p, 1, "10.0.0.2");
	gets(p, 2, "10.0.0.4");
	assert_int_equal(pool_lease(p, 3, NULL, &a, reason), -ENOSPC);
	assert_string_equal(reason,
	    "pool exhausted: of its 4 addresses 2 are fixed ones (ip=) of "
	    "users, the others are in use");
	assert_int_equal(pool_lease(p, 3, &one, &a, reason), 0);
	assert_int_equal(pool_available(p), 0);
	/* Saved with the rest. */
	data = pool_save(p, &len);
	q = make("10.0.0.1-10.0.0.4");
	assert_int_equal(pool_load(q, data, len), 0);
	assert_int_equal(pool_lease(q, 4, NULL, &a, reason), -ENOSPC);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(pool_load(q, data, n), -EBADMSG);
	assert_int_equal(pool_available(q), 4);
	pool_free(q);
	free(data);
	/* The users changed; who has an address keeps it. */
	pool_fix_none(p);
	pool_fix(p, &one);
	gets(p, 5, "10.0.0.3");
	pool_release(p, 3);
	assert_int_equal(pool_available(p), 0);
	assert_int_equal(pool_lease(p, 6, NULL, &a, reason), -ENOSPC);
	pool_free(p);
}

static void held_sessions_keep_theirs(void **state)
{
	struct pool *p = make("10.0.0.1-10.0.0.2");
	struct addr a = ip("10.0.0.1"), six = ip("fe80::1"), none = {0};

	(void)state;
	assert_int_equal(pool_reserve(p, 1, &a), 0);
	assert_int_equal(pool_reserve(p, 1, &a), 0);
	assert_int_equal(pool_reserve(p, 2, &a), -EADDRINUSE);
	assert_int_equal(pool_reserve(p, 2, &six), -EINVAL);
	assert_int_equal(pool_reserve(p, 2, &none), -EINVAL);
	assert_int_equal(pool_holder(p, &none), 0);
	assert_int_equal(pool_holder(p, &six), 0);
	gets(p, 2, "10.0.0.2");
	pool_free(p);
}

static void several_ranges_are_one_pool(void **state)
{
	struct pool *p =
	    make("10.0.0.1-10.0.0.2, 10.9.9.9\t192.0.2.1-192.0.2.1,");
	static const char *const want[] = {
	    "10.0.0.1", "10.0.0.2", "10.9.9.9", "192.0.2.1"};

	(void)state;
	assert_int_equal(pool_size(p), 4);
	for (uint64_t i = 0; i < 4; i++)
		gets(p, i + 1, want[i]);
	assert_int_equal(pool_available(p), 0);
	pool_free(p);
}

static void an_empty_pool_serves_fixed_addresses_only(void **state)
{
	struct pool *p = make("");
	struct addr fixed = ip("10.0.0.1"), a;
	char reason[POOL_REASON_MAX];

	(void)state;
	assert_int_equal(pool_lease(p, 1, NULL, &a, reason), -ENOSPC);
	assert_string_equal(
	    reason, "there is no pool (0 addresses) and the user has no ip=");
	assert_int_equal(pool_lease(p, 1, &fixed, &a, reason), 0);
	pool_free(p);
}

static void wrong_ranges_are_explained(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
	    {"10.0.0", "'10.0.0' is not an IPv4 address or FIRST-LAST"},
	    {"-", "'-' is not an IPv4 address or FIRST-LAST"},
	    {"10.0.0.1-", "'10.0.0.1-' is not an IPv4 address or FIRST-LAST"},
	    {"-10.0.0.1", "'-10.0.0.1' is not an IPv4 address or FIRST-LAST"},
	    {"10.0.0.1-10.0.0.2-10.0.0.3",
		"'10.0.0.1-10.0.0.2-10.0.0.3' is not an IPv4 address or "
		"FIRST-LAST"},
	    {"10.0.0.0/24",
		"'10.0.0.0/24' is not an IPv4 address or FIRST-LAST"},
	    {"fe80::1", "'fe80::1' is not an IPv4 address or FIRST-LAST"},
	    {"10.0.0.2-10.0.0.1", "'10.0.0.2-10.0.0.1' ends before it begins"},
	    {"0.0.0.0-0.0.0.9",
		"'0.0.0.0-0.0.0.9' is too large or not made of host addresses"},
	    {"223.255.255.255-224.0.0.0",
		"'223.255.255.255-224.0.0.0' is too large or not made of host "
		"addresses"},
	    {"10.0.0.0-10.1.0.0",
		"'10.0.0.0-10.1.0.0' is too large or not made of host "
		"addresses"},
	    {"10.0.0.1-10.0.0.5 10.0.0.5", "'10.0.0.5' overlaps another range"},
	    {"10.0.0.5 10.0.0.1-10.0.0.9",
		"'10.0.0.1-10.0.0.9' overlaps another range"},
	    {"10.0.0.0-10.0.255.255 11.0.0.0",
		"more than 32 ranges or 65536 addresses"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char reason[POOL_REASON_MAX] = "";

		assert_null(pool_new(bad[i].text, reason));
		assert_memory_equal(reason, "pool: ", 6);
		assert_string_equal(reason + 6, bad[i].why);
	}
}

static void long_text_is_no_range(void **state)
{
	char text[200], reason[POOL_REASON_MAX];

	(void)state;
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_null(pool_new(text, reason));
	assert_string_equal(
	    reason, "pool: '11111111111111111111...' is no range");
}

static void the_largest_pool_works(void **state)
{
	struct pool *p = make("10.0.0.0-10.0.255.255");

	(void)state;
	assert_int_equal(pool_size(p), POOL_SIZE_MAX);
	gets(p, 1, "10.0.0.0");
	pool_free(p);
}

static void load_gives_leases_and_turn_back(void **state)
{
	struct pool *p = make("10.0.0.1-10.0.0.4"), *q;
	struct addr fixed = ip("192.0.2.9"), a;
	char reason[POOL_REASON_MAX];
	uint8_t *data;
	size_t len;

	(void)state;
	gets(p, 1, "10.0.0.1");
	gets(p, 2, "10.0.0.2");
	assert_int_equal(pool_lease(p, 3, &fixed, &a, reason), 0);
	pool_release(p, 1);
	data = pool_save(p, &len);
	pool_free(p);
	q = make("10.0.0.1-10.0.0.4");
	assert_int_equal(pool_load(q, data, len), 0);
	gets(q, 2, "10.0.0.2");
	assert_int_equal(pool_holder(q, &fixed), 3);
	gets(q, 4, "10.0.0.3");
	pool_free(q);
	/* Other ranges: the leases stay, the turn begins anew. */
	q = make("10.0.0.2-10.0.0.2 10.5.0.1-10.5.0.2");
	assert_int_equal(pool_load(q, data, len), 0);
	assert_int_equal(pool_available(q), 2);
	gets(q, 4, "10.5.0.1");
	pool_free(q);
	free(data);
}

static void damaged_states_are_refused(void **state)
{
	struct pool *p = make("10.0.0.1-10.0.0.4");
	struct pool *q = make("10.0.0.1-10.0.0.4");
	uint8_t *data, *longer;
	size_t len;

	(void)state;
	gets(p, 1, "10.0.0.1");
	gets(p, 2, "10.0.0.2");
	data = pool_save(p, &len);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(pool_load(q, data, cut), -EBADMSG);
		assert_int_equal(pool_available(q), 4);
	}
	longer = calloc(1, len + 1);
	memcpy(longer, data, len);
	assert_int_equal(pool_load(q, longer, len + 1), -EBADMSG);
	longer[0]++;
	assert_int_equal(pool_load(q, longer, len), -EBADMSG);
	/* The second lease: the first's key, the first's address, no key. */
	memcpy(longer, data, len);
	longer[9 + 12 + 7] = 1;
	assert_int_equal(pool_load(q, longer, len), -EBADMSG);
	longer[9 + 12 + 7] = 0;
	assert_int_equal(pool_load(q, longer, len), -EBADMSG);
	memcpy(longer, data, len);
	longer[9 + 12 + 11] = 1;
	assert_int_equal(pool_load(q, longer, len), -EBADMSG);
	assert_int_equal(pool_available(q), 4);
	assert_int_equal(pool_load(q, data, len), 0);
	assert_int_equal(pool_available(q), 2);
	free(longer);
	free(data);
	pool_free(p);
	pool_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_go_out_in_turn),
	    cmocka_unit_test(a_key_keeps_its_address),
	    cmocka_unit_test(fixed_addresses_in_and_out_of_the_pool),
	    cmocka_unit_test(fixed_addresses_are_nobody_elses),
	    cmocka_unit_test(held_sessions_keep_theirs),
	    cmocka_unit_test(several_ranges_are_one_pool),
	    cmocka_unit_test(an_empty_pool_serves_fixed_addresses_only),
	    cmocka_unit_test(wrong_ranges_are_explained),
	    cmocka_unit_test(long_text_is_no_range),
	    cmocka_unit_test(the_largest_pool_works),
	    cmocka_unit_test(load_gives_leases_and_turn_back),
	    cmocka_unit_test(damaged_states_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
