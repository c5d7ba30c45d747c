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
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define HUGE_PAGE ((uintptr_t)2 << 20) /* two steps */
#define LEAST_STEP ((uintptr_t)128 << 10)

/* No system call: the C library knows it. */
static uintptr_t heap_end(void)
{
	return (uintptr_t)sbrk(0);
}

/*
 * Grows in steps each second of which ends where a huge page may: the C
 * library takes the pad and, since what it needed was small, one page more.
 * It pads the heaps of other threads too: a pad of a huge page or more would
 * give each of them one, where the kernel gives them unasked.
 */
static void set_pad(uintptr_t end)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t least = end + LEAST_STEP + page;

	mallopt(
	    M_TOP_PAD, (int)((least + HEAP_STEP - 1) / HEAP_STEP * HEAP_STEP -
			     end - page));
}

void heap_init(struct heap *h)
{
	uintptr_t end = heap_end();

	set_pad(end);
	/* What is free at the end is given back only beyond some steps. */
	mallopt(M_TRIM_THRESHOLD, 8 * HEAP_STEP);
	*h = (struct heap){
	    .end = end,
	    .first = (end + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE,
	};
}

/*
 * Makes huge pages of what became whole ones between h->end and end.  Some
 * were written to already: collapsing takes their content along.  Returns
 * where the rest begins.
 */
static uintptr_t collapse(struct heap *h, uintptr_t from, uintptr_t end)
{
	uintptr_t at = h->end / HUGE_PAGE * HUGE_PAGE;

	at = at > h->first ? at : h->first;
	for (; !h->is_small && at + HUGE_PAGE <= end; at += HUGE_PAGE) {
		if (madvise((void *)at, HUGE_PAGE, MADV_COLLAPSE)) {
			/* Otherwise there is no room for one now. */
			h->is_small = errno == EINVAL;
			break;
		}
		from = at + HUGE_PAGE;
	}
	return from;
}

void heap_ahead(struct heap *h)
{
	uintptr_t end = heap_end(), page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = h->end / page * page;
	int saved = errno;

	if (end == h->end || h->is_off)
		return;
	if (end > h->end) {
		from = collapse(h, from, end);
		if (from < end &&
		    madvise((void *)from, end - from, MADV_POPULATE_WRITE))
			h->is_off = true;
	}
	set_pad(end);
	h->end = end;
	errno = saved;
}
