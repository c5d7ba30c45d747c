/* SPDX-License-Identifier: ISC */
/*
 * A heap that grows in big steps, each made present at once.  A daemon with
 * many clients otherwise pays a page fault for each page of its first
 * thousands, and in a virtual machine a fault costs as much as a message;
 * there even a page that is present costs as much when it is first used,
 * unless it is a huge one.  Memory that is freed is used again without any
 * of this.
 */
#ifndef COMMON_HEAP_H
#define COMMON_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#define HEAP_STEP (1u << 20) /* bytes; about as many are present in vain */

struct heap {
	uintptr_t end;	 /* what was there below it is present */
	uintptr_t first; /* where it may have its first huge page */
	bool is_small;	 /* no huge pages (before Linux 6.1, or not wanted) */
	bool is_off;	 /* nothing is made present (before Linux 5.14) */
};

/* Once, by the thread that owns the heap, before it grows. */
void heap_init(struct heap *h);
/* Makes present what malloc() took from the kernel since the last call;
 * next to nothing when it took nothing.  From the same thread. */
void heap_ahead(struct heap *h);

#endif
