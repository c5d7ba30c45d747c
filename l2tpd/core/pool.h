/* SPDX-License-Identifier: ISC */
/*
 * The address pool: which session has which IPv4 address.  Addresses are
 * given out in turn, so that a released one rests as long as possible.
 */
#ifndef L2TPD_CORE_POOL_H
#define L2TPD_CORE_POOL_H

#include "common/addr.h"

#include <stddef.h>
#include <stdint.h>

#define POOL_SIZE_MAX 65536
#define POOL_REASON_MAX 160

struct pool;

/*
 * ranges: "10.20.0.10-10.20.0.250", several separated by commas or blanks;
 * a single address is a range of one; "" is an empty pool (fixed addresses
 * only).  NULL and reason: what is wrong with it.
 */
struct pool *pool_new(const char *ranges, char reason[POOL_REASON_MAX]);
void pool_free(struct pool *pool);

/*
 * An address for key (not 0, never used twice for two sessions).  wanted:
 * the user's fixed address, in the pool or not; NULL or ADDR_NONE: the
 * next free one.  A key that has an address gets it again (-EEXIST if it
 * then wants another).  0; -EADDRINUSE (the fixed one is taken) or
 * -ENOSPC (pool exhausted) with reason.
 */
int pool_lease(struct pool *pool, uint64_t key, const struct addr *wanted,
    struct addr *out, char reason[POOL_REASON_MAX]);
/*
 * Addresses that users have for themselves: whoever has no such wish does
 * not get one.  Told again from the start when the users change; a session
 * that has one already keeps it.
 */
void pool_fix_none(struct pool *pool);
void pool_fix(struct pool *pool, const struct addr *ip);
/* For sessions from before a restart: like a fixed lease. */
int pool_reserve(struct pool *pool, uint64_t key, const struct addr *ip);
/* The key that has the address, or 0. */
uint64_t pool_holder(const struct pool *pool, const struct addr *ip);
/* Unknown keys are ignored. */
void pool_release(struct pool *pool, uint64_t key);
/* Addresses of the ranges: all, and those neither leased nor fixed. */
size_t pool_size(const struct pool *pool);
size_t pool_available(const struct pool *pool);

/* Leases, fixed addresses and the turn, not the ranges; allocated. */
uint8_t *pool_save(const struct pool *pool, size_t *len);
/*
 * Loads a saved state into a new pool, whose ranges may differ from the
 * saved one's.  0, or -EBADMSG and an empty pool.
 */
int pool_load(struct pool *pool, const uint8_t *data, size_t len);

#endif
