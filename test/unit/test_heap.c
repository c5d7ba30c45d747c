/* SPDX-License-Identifier: ISC */
/* The heap that is present ahead of its use. */
#include "common/heap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#define BLOCK 2000
#define BLOCKS_MAX 4096
#define RESERVED (12u << 20) /* more than is kept otherwise */

/* How many pages from start to end are not present. */
static size_t absent(uintptr_t start, uintptr_t end)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	unsigned char there;

	for (start = start / page * page; start < end; start += page) {
		assert_int_equal(mincore((void *)start, page, &there), 0);
		n += !(there & 1);
	}
	return n;
}

static void grows_and_is_present(void **state)
{
	void *blocks[BLOCKS_MAX] = {NULL};
	struct heap h;
	uintptr_t before;
	size_t count = 0;

	(void)state;
	heap_init(&h);
	before = h.end;
	while (count < BLOCKS_MAX && (uintptr_t)sbrk(0) == before)
		blocks[count++] = malloc(BLOCK);
	if ((uintptr_t)sbrk(0) == before) {
		while (count)
			free(blocks[--count]);
		skip(); /* another allocator: a sanitizer's */
	}
	assert_true((uintptr_t)sbrk(0) - before >= HEAP_STEP);
	assert_true(absent(before, (uintptr_t)sbrk(0)) > 32);
	errno = ENOENT;
	heap_ahead(&h);
	assert_int_equal(errno, ENOENT);
	if (h.is_off)
		skip(); /* an old kernel */
	assert_int_equal(absent(before, (uintptr_t)sbrk(0)), 0);
	assert_true(h.end == (uintptr_t)sbrk(0));
	/* No step, nothing to do. */
	heap_ahead(&h);
	assert_true(h.end == (uintptr_t)sbrk(0));
	while (count)
		free(blocks[--count]);
}

/* What was reserved is there, is enough, and stays when all is freed. */
static void reserves(void **state)
{
	static void *blocks[RESERVED / BLOCK];
	uintptr_t before = (uintptr_t)sbrk(0), end;
	struct heap h;

	(void)state;
	heap_init(&h);
	heap_reserve(&h, RESERVED);
	end = (uintptr_t)sbrk(0);
	if (end == before)
		skip(); /* another allocator: a sanitizer's */
	assert_true(end - before >= RESERVED - HEAP_STEP);
	assert_int_equal(absent(before, end), 0);
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < RESERVED / BLOCK; i++)
			blocks[i] = malloc(BLOCK - 16);
		assert_true((uintptr_t)sbrk(0) == end);
		for (size_t i = 0; i < RESERVED / BLOCK; i++)
			free(blocks[i]);
		assert_true((uintptr_t)sbrk(0) == end);
	}
}

/* Given back: the next growth begins there. */
static void shrinks(void **state)
{
	struct heap h;

	(void)state;
	heap_init(&h);
	h.end += 64 * HEAP_STEP;
	heap_ahead(&h);
	assert_true(h.end == (uintptr_t)sbrk(0));
	assert_false(h.is_off);
}

/* A kernel that refuses is asked once; the heap works on. */
static void refused(void **state)
{
	struct heap h;

	(void)state;
	heap_init(&h);
	h.end = (uintptr_t)sysconf(_SC_PAGESIZE); /* nothing is there */
	heap_ahead(&h);
	assert_true(h.is_off);
	h.end = 0;
	heap_ahead(&h);
	assert_true(h.end == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grows_and_is_present),
	    cmocka_unit_test(reserves),
	    cmocka_unit_test(shrinks),
	    cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
