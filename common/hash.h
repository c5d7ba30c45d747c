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

#include <uthash.h>

#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 4U

#endif
