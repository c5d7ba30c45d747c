/* SPDX-License-Identifier: ISC */
/* Makes the pages of a growing heap present, a step at a time. */
#include "common/heap.h"

#include "common/alloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define TRIM (16 * HEAP_STEP)
#define BLOCK 65536 /* far below what malloc() would map by itself */
#define PAGE 4096   /* no page is smaller */

/* No system call: the C library knows it. */
static uintptr_t heap_end(void)
{
	return (uintptr_t)sbrk(0);
}

void heap_init(struct heap *h)
{
	mallopt(M_TOP_PAD, HEAP_STEP);
	/* What is free at the end is given back only beyond some steps. */
	mallopt(M_TRIM_THRESHOLD, TRIM);
	*h = (struct heap){.end = heap_end()};
}

void heap_ahead(struct heap *h)
{
	uintptr_t end = heap_end(), page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = h->end / page * page;
	int saved = errno;

	if (end == h->end || h->is_off)
		return;
	if (end > h->end &&
	    madvise((void *)from, end - from, MADV_POPULATE_WRITE))
		h->is_off = true;
	h->end = end;
	errno = saved;
}

/* Blocks of a list, each touched in every page; the last is the first. */
struct block {
	struct block *next;
};

static struct block *touched(struct block *next)
{
	struct block *b = xmalloc(BLOCK);

	for (size_t at = 0; at < BLOCK; at += PAGE)
		((volatile unsigned char *)b)[at] = 0;
	b->next = next;
	return b;
}

void heap_reserve(struct heap *h, size_t bytes)
{
	struct block *b = NULL;

	mallopt(M_TRIM_THRESHOLD, (int)(bytes + TRIM));
	for (size_t i = 0; i < bytes / BLOCK + 1; i++) {
		b = touched(b);
		heap_ahead(h);
	}
	while (b) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}
