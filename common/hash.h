/* SPDX-License-Identifier: ISC */
/*
 * uthash with short chains.  As it comes it doubles a table when a chain
 * reaches 10: the average is about 3 then, and each step along a chain is
 * memory that is in no cache.  Whoever looks for what is not there (a new
 * cookie, SPI, address) goes to the end of one.  16 bytes a bucket buy
 * chains of less than one.  All users of one table must include this.
 */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include <stddef.h>
#include <uthash.h>

#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 4U

/*
 * Buckets are written all over the place: a large table otherwise pays a page
 * fault for each of its pages, each time it doubles.  From HASH_PRESENT bytes
 * on the kernel makes them present in one call; below it is malloc().
 */
#define HASH_PRESENT 32768
void *hash_alloc(size_t size); /* never NULL: out of memory aborts */
void hash_free(void *buckets, size_t size);

#undef uthash_malloc
#define uthash_malloc(size) hash_alloc(size)
#undef uthash_free
#define uthash_free(buckets, size) hash_free(buckets, size)

#endif
