/* SPDX-License-Identifier: ISC */
/* The slot allocator: order, rest, exhaustion, claims. */
#include "common/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_round_robin(void **state)
{
	struct slots *s = slots_new(3, 60000);

	(void)state;
	assert_int_equal(slots_count(s), 3);
	assert_int_equal(slots_take(s, 0), 1);
	assert_int_equal(slots_take(s, 0), 2);
	slots_release(s, 1, 0);
	/* Not 1 again, even long after: the next in turn comes first. */
	assert_int_equal(slots_take(s, 100000), 3);
	assert_int_equal(slots_take(s, 100000), 1);
	assert_int_equal(slots_take(s, 100000), 0);
	assert_int_equal(slots_used(s), 3);
	slots_free(s);
}

static void test_rest(void **state)
{
	struct slots *s = slots_new(1, 60000);

	(void)state;
	assert_int_equal(slots_take(s, 5000), 1);
	slots_release(s, 1, 10000);
	assert_int_equal(slots_used(s), 0);
	assert_int_equal(slots_take(s, 10000), 0);
	assert_int_equal(slots_take(s, 69999), 0);
	assert_int_equal(slots_take(s, 70000), 1);
	slots_free(s);
}

static void test_claim(void **state)
{
	struct slots *s = slots_new(4, 1000);

	(void)state;
	assert_true(slots_claim(s, 2));
	assert_false(slots_claim(s, 2));
	assert_false(slots_claim(s, 0));
	assert_false(slots_claim(s, 5));
	assert_true(slots_is_taken(s, 2));
	assert_false(slots_is_taken(s, 0));
	assert_false(slots_is_taken(s, 5));
	assert_int_equal(slots_take(s, 0), 1);
	assert_int_equal(slots_take(s, 0), 3);
	/* A claim looks at no rest: its R has it already. */
	slots_release(s, 3, 0);
	assert_true(slots_claim(s, 3));
	slots_free(s);
}

static void test_wrong_release(void **state)
{
	struct slots *s = slots_new(2, 1000);

	(void)state;
	slots_release(s, 0, 0);
	slots_release(s, 3, 0);
	slots_release(s, 1, 0); /* never taken: it need not rest */
	assert_int_equal(slots_used(s), 0);
	assert_int_equal(slots_take(s, 0), 1);
	slots_release(s, 1, 0);
	slots_release(s, 1, 500); /* twice does not lengthen the rest */
	assert_int_equal(slots_take(s, 0), 2);
	assert_int_equal(slots_take(s, 999), 0);
	assert_int_equal(slots_take(s, 1000), 1);
	slots_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_robin),
	    cmocka_unit_test(test_rest),
	    cmocka_unit_test(test_claim),
	    cmocka_unit_test(test_wrong_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
