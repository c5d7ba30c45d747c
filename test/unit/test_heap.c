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
#define HUGE_PAGE ((uintptr_t)2 << 20)

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

/* One step; false when it is not ours to see. */
static bool step(struct heap *h, void **blocks, size_t *count)
{
	uintptr_t before = h->end, end;

	while (*count < BLOCKS_MAX && (uintptr_t)sbrk(0) == before)
		blocks[(*count)++] = malloc(BLOCK);
	end = (uintptr_t)sbrk(0);
	if (end == before)
		return false; /* another allocator: a sanitizer's */
	/* It ends where a step does, and is never a huge page. */
	assert_int_equal(end % HEAP_STEP, 0);
	assert_true(end - before < HUGE_PAGE);
	assert_true(absent(before, end) > 20);
	errno = ENOENT;
	heap_ahead(h);
	assert_int_equal(errno, ENOENT);
	if (h->is_off)
		return false; /* an old kernel */
	assert_int_equal(absent(before, end), 0);
	assert_true(h->end == end);
	/* No step, nothing to do. */
	heap_ahead(h);
	assert_true(h->end == end);
	return true;
}

static void grow(bool is_small)
{
	static void *blocks[BLOCKS_MAX];
	struct heap h;
	size_t count = 0;
	bool is_ours = true;

	heap_init(&h);
	h.is_small = is_small;
	/* More than a huge page in all. */
	for (int i = 0; is_ours && i < 4; i++)
		is_ours = step(&h, blocks, &count);
	while (count)
		free(blocks[--count]);
	if (!is_ours)
		skip();
}

static void grows_and_is_present(void **state)
{
	(void)state;
	grow(false);
}

/* Where there are no huge pages, small ones do. */
static void small_pages_do(void **state)
{
	(void)state;
	grow(true);
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
	    cmocka_unit_test(small_pages_do),
	    cmocka_unit_test(shrinks),
	    cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
