/* SPDX-License-Identifier: ISC */
/* Makes the pages of a growing heap present, a step at a time. */
#include "common/heap.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* No system call: the C library knows it. */
static uintptr_t heap_end(void)
{
	return (uintptr_t)sbrk(0);
}

void heap_init(struct heap *h)
{
	mallopt(M_TOP_PAD, HEAP_STEP);
	/* What is free at the end is given back only beyond some steps. */
	mallopt(M_TRIM_THRESHOLD, 16 * HEAP_STEP);
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
