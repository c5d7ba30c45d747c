/* SPDX-License-Identifier: ISC */
/*
 * A heap that grows in big steps, each made present at once.  A daemon with
 * many clients otherwise pays a page fault for each page of its first
 * thousands, and in a virtual machine a fault costs as much as a message.
 * Memory that is freed is used again without any of this.
 *
 * What is sure to be needed can be had at the start: then also the machine
 * below a virtual one has its pages ready, which the kernel inside does not
 * know of.
 */
#ifndef COMMON_HEAP_H
#define COMMON_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_STEP (256u << 10) /* bytes; up to so many are present in vain */

struct heap {
	uintptr_t end; /* what was there below it is present */
	bool is_off;   /* the kernel cannot (before Linux 5.14) */
};

/* Once, by the thread that owns the heap, before it grows. */
void heap_init(struct heap *h);
/* Makes present what malloc() took from the kernel since the last call;
 * next to nothing when it took nothing.  From the same thread. */
void heap_ahead(struct heap *h);
/* So many bytes more are present and stay the heap's: call it once, before
 * the heap has holes.  They are free. */
void heap_reserve(struct heap *h, size_t bytes);

#endif
