/* SPDX-License-Identifier: ISC */
/* Tables small and large: present, found again, given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/alloc.h"
#include "common/hash.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MANY 20000u

struct item {
	UT_hash_handle hh;
	uint32_t key;
};

static bool is_mapped(const void *p)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	unsigned char there;

	return !mincore(
	    (void *)((uintptr_t)p / page * page), (size_t)page, &there);
}

static void large_tables_are_present(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char there[4 * HASH_PRESENT / 4096] = {0};
	uint8_t *p = hash_alloc(4 * HASH_PRESENT);

	(void)state;
	assert_int_equal(mincore(p, 4 * HASH_PRESENT, there), 0);
	for (size_t i = 0; i < 4 * HASH_PRESENT / page; i++) {
		assert_true(there[i] & 1);
		assert_int_equal(p[i * page], 0);
	}
	hash_free(p, 4 * HASH_PRESENT);
	assert_false(is_mapped(p));
}

/* On either side of the border what was taken is what is given back. */
static void the_border(void **state)
{
	uint8_t *below = hash_alloc(HASH_PRESENT - 1);
	uint8_t *at = hash_alloc(HASH_PRESENT);

	(void)state;
	memset(below, 0xaa, HASH_PRESENT - 1);
	memset(at, 0xbb, HASH_PRESENT);
	hash_free(at, HASH_PRESENT);
	assert_false(is_mapped(at));
	assert_int_equal(below[HASH_PRESENT - 2], 0xaa);
	hash_free(below, HASH_PRESENT - 1);
}

/* From nothing over the border, and back to nothing. */
static void a_table_grows_and_goes(void **state)
{
	struct item *table = NULL, *item, *next;
	size_t most = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		item = xcalloc(1, sizeof(*item));
		item->key = i * 7;
		HASH_ADD(hh, table, key, sizeof(item->key), item);
	}
	assert_true(table->hh.tbl->num_buckets * sizeof(UT_hash_bucket) >=
		    2 * HASH_PRESENT);
	for (uint32_t i = 0; i < table->hh.tbl->num_buckets; i++)
		if (table->hh.tbl->buckets[i].count > most)
			most = table->hh.tbl->buckets[i].count;
	assert_true(most < 10);
	for (uint32_t key = 0; key < 7 * MANY; key++) {
		HASH_FIND(hh, table, &key, sizeof(key), item);
		assert_int_equal(item != NULL, key % 7 == 0);
	}
	HASH_ITER(hh, table, item, next)
	{
		HASH_DELETE(hh, table, item);
		free(item);
	}
	assert_null(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(large_tables_are_present),
	    cmocka_unit_test(the_border),
	    cmocka_unit_test(a_table_grows_and_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
