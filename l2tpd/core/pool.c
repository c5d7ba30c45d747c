/* SPDX-License-Identifier: ISC */
/* The address pool: ranges, leases by key and by address, the turn. */
#include "l2tpd/core/pool.h"

#include "common/alloc.h"
#include "common/wire.h"

#include <uthash.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_SAVE_VERSION 2
#define RANGES_MAX 32
#define RANGE_TEXT_MAX 64

/* Addresses are host-order numbers inside. */
struct range {
	uint32_t first, last;
};

struct lease {
	uint64_t key;
	uint32_t ip;
	UT_hash_handle by_key, by_ip;
};

/* A user's own address. */
struct fixed {
	uint32_t ip;
	UT_hash_handle hh;
};

struct pool {
	struct range ranges[RANGES_MAX];
	size_t range_count;
	size_t size;
	size_t turn; /* index of the address to try next, below size */
	struct lease *by_key, *by_ip;
	struct fixed *fixed;
};

static uint32_t ip_of(const struct addr *a)
{
	return (uint32_t)a->ip[0] << 24 | (uint32_t)a->ip[1] << 16 |
	       (uint32_t)a->ip[2] << 8 | a->ip[3];
}

static struct addr addr_of(uint32_t ip)
{
	return (struct addr){
	    .family = ADDR_IPV4,
	    .ip = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
		(uint8_t)ip},
	};
}

static int parse_ip(const char *text, uint32_t *ip)
{
	struct addr a;

	if (addr_parse(&a, text) || a.family != ADDR_IPV4)
		return -EINVAL;
	*ip = ip_of(&a);
	return 0;
}

static int parse_range(
    const char *text, struct range *r, char reason[POOL_REASON_MAX])
{
	char first[RANGE_TEXT_MAX];
	const char *dash = strchr(text, '-');
	size_t len = dash ? (size_t)(dash - text) : strlen(text);

	memcpy(first, text, len);
	first[len] = '\0';
	if (parse_ip(first, &r->first) ||
	    parse_ip(dash ? dash + 1 : first, &r->last)) {
		snprintf(reason, POOL_REASON_MAX,
		    "pool: '%s' is not an IPv4 address or FIRST-LAST", text);
		return -EINVAL;
	}
	if (r->first > r->last) {
		snprintf(reason, POOL_REASON_MAX,
		    "pool: '%s' ends before it begins", text);
		return -EINVAL;
	}
	if (r->first < 1u << 24 || r->last >= 224u << 24 ||
	    r->last - r->first >= POOL_SIZE_MAX) {
		snprintf(reason, POOL_REASON_MAX,
		    "pool: '%s' is too large or not made of host addresses",
		    text);
		return -EINVAL;
	}
	return 0;
}

static int add_range(
    struct pool *pool, const char *text, char reason[POOL_REASON_MAX])
{
	struct range r;
	int err = parse_range(text, &r, reason);

	if (err)
		return err;
	for (size_t i = 0; i < pool->range_count; i++)
		if (r.first <= pool->ranges[i].last &&
		    r.last >= pool->ranges[i].first) {
			snprintf(reason, POOL_REASON_MAX,
			    "pool: '%s' overlaps another range", text);
			return -EINVAL;
		}
	pool->size += r.last - r.first + 1;
	if (pool->range_count == RANGES_MAX || pool->size > POOL_SIZE_MAX) {
		snprintf(reason, POOL_REASON_MAX,
		    "pool: more than %d ranges or %d addresses", RANGES_MAX,
		    POOL_SIZE_MAX);
		return -EINVAL;
	}
	pool->ranges[pool->range_count++] = r;
	return 0;
}

struct pool *pool_new(const char *ranges, char reason[POOL_REASON_MAX])
{
	struct pool *pool = xcalloc(1, sizeof(*pool));

	while (*ranges) {
		size_t len = strcspn(ranges, ", \t");
		char text[RANGE_TEXT_MAX];
		int err = 0;

		if (len >= sizeof(text)) {
			snprintf(reason, POOL_REASON_MAX,
			    "pool: '%.20s...' is no range", ranges);
			err = -EINVAL;
		} else if (len) {
			memcpy(text, ranges, len);
			text[len] = '\0';
			err = add_range(pool, text, reason);
		}
		if (err) {
			pool_free(pool);
			return NULL;
		}
		ranges += len + strspn(ranges + len, ", \t");
	}
	return pool;
}

static struct lease *find_key(const struct pool *pool, uint64_t key)
{
	struct lease *l;

	HASH_FIND(by_key, pool->by_key, &key, sizeof(key), l);
	return l;
}

static struct lease *find_ip(const struct pool *pool, uint32_t ip)
{
	struct lease *l;

	HASH_FIND(by_ip, pool->by_ip, &ip, sizeof(ip), l);
	return l;
}

static void add_lease(struct pool *pool, uint64_t key, uint32_t ip)
{
	struct lease *l = xcalloc(1, sizeof(*l));

	l->key = key;
	l->ip = ip;
	HASH_ADD(by_key, pool->by_key, key, sizeof(l->key), l);
	HASH_ADD(by_ip, pool->by_ip, ip, sizeof(l->ip), l);
}

static void drop_lease(struct pool *pool, struct lease *l)
{
	HASH_DELETE(by_key, pool->by_key, l);
	HASH_DELETE(by_ip, pool->by_ip, l);
	free(l);
}

static void drop_all(struct pool *pool)
{
	struct lease *l, *next;

	HASH_ITER(by_key, pool->by_key, l, next)
	drop_lease(pool, l);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	drop_all(pool);
	pool_fix_none(pool);
	free(pool);
}

static bool is_fixed(const struct pool *pool, uint32_t ip)
{
	struct fixed *f;

	HASH_FIND(hh, pool->fixed, &ip, sizeof(ip), f);
	return f != NULL;
}

static void add_fixed(struct pool *pool, uint32_t ip)
{
	struct fixed *f;

	if (is_fixed(pool, ip))
		return;
	f = xcalloc(1, sizeof(*f));
	f->ip = ip;
	HASH_ADD(hh, pool->fixed, ip, sizeof(f->ip), f);
}

void pool_fix(struct pool *pool, const struct addr *ip)
{
	if (ip->family == ADDR_IPV4)
		add_fixed(pool, ip_of(ip));
}

void pool_fix_none(struct pool *pool)
{
	struct fixed *f, *next;

	HASH_ITER(hh, pool->fixed, f, next)
	{
		HASH_DELETE(hh, pool->fixed, f);
		free(f);
	}
}

static bool in_ranges(const struct pool *pool, uint32_t ip)
{
	for (size_t i = 0; i < pool->range_count; i++)
		if (ip >= pool->ranges[i].first && ip <= pool->ranges[i].last)
			return true;
	return false;
}

/* The address with that index; index < size. */
static uint32_t nth(const struct pool *pool, size_t index)
{
	size_t i = 0;

	for (; i < pool->range_count; i++) {
		size_t n = pool->ranges[i].last - pool->ranges[i].first + 1;

		if (index < n)
			break;
		index -= n;
	}
	return pool->ranges[i].first + (uint32_t)index;
}

static size_t fixed_in_ranges(const struct pool *pool)
{
	size_t n = 0;

	for (const struct fixed *f = pool->fixed; f; f = f->hh.next)
		n += in_ranges(pool, f->ip);
	return n;
}

static void why_none(const struct pool *pool, char reason[POOL_REASON_MAX])
{
	size_t fixed = fixed_in_ranges(pool);

	if (!pool->size)
		snprintf(reason, POOL_REASON_MAX,
		    "there is no pool (0 addresses) and the user has no ip=");
	else if (!fixed)
		snprintf(reason, POOL_REASON_MAX,
		    "pool exhausted: all %zu addresses are in use", pool->size);
	else
		snprintf(reason, POOL_REASON_MAX,
		    "pool exhausted: of its %zu addresses %zu are fixed ones "
		    "(ip=) of users, the others are in use",
		    pool->size, fixed);
}

static int lease_any(
    struct pool *pool, uint64_t key, uint32_t *ip, char reason[POOL_REASON_MAX])
{
	for (size_t tried = 0; tried < pool->size; tried++) {
		*ip = nth(pool, pool->turn);
		pool->turn = (pool->turn + 1) % pool->size;
		if (find_ip(pool, *ip) || is_fixed(pool, *ip))
			continue;
		add_lease(pool, key, *ip);
		return 0;
	}
	why_none(pool, reason);
	return -ENOSPC;
}

static int lease_fixed(struct pool *pool, uint64_t key,
    const struct addr *wanted, char reason[POOL_REASON_MAX])
{
	char text[ADDR_TEXT_MAX];

	if (find_ip(pool, ip_of(wanted))) {
		snprintf(reason, POOL_REASON_MAX,
		    "the user's address %s is in use by another session",
		    addr_ip_text(wanted, text));
		return -EADDRINUSE;
	}
	add_lease(pool, key, ip_of(wanted));
	return 0;
}

int pool_lease(struct pool *pool, uint64_t key, const struct addr *wanted,
    struct addr *out, char reason[POOL_REASON_MAX])
{
	bool is_wish = wanted && wanted->family == ADDR_IPV4;
	struct lease *l = find_key(pool, key);
	uint32_t ip;
	int err;

	if (l && is_wish && l->ip != ip_of(wanted)) {
		snprintf(reason, POOL_REASON_MAX,
		    "the session has another address already");
		return -EEXIST;
	}
	if (l) {
		*out = addr_of(l->ip);
		return 0;
	}
	if (is_wish) {
		ip = ip_of(wanted);
		err = lease_fixed(pool, key, wanted, reason);
	} else {
		err = lease_any(pool, key, &ip, reason);
	}
	if (!err)
		*out = addr_of(ip);
	return err;
}

int pool_reserve(struct pool *pool, uint64_t key, const struct addr *ip)
{
	char reason[POOL_REASON_MAX];
	struct addr out;

	if (ip->family != ADDR_IPV4)
		return -EINVAL;
	return pool_lease(pool, key, ip, &out, reason);
}

uint64_t pool_holder(const struct pool *pool, const struct addr *ip)
{
	const struct lease *l =
	    ip->family == ADDR_IPV4 ? find_ip(pool, ip_of(ip)) : NULL;

	return l ? l->key : 0;
}

void pool_release(struct pool *pool, uint64_t key)
{
	struct lease *l = find_key(pool, key);

	if (l)
		drop_lease(pool, l);
}

size_t pool_size(const struct pool *pool)
{
	return pool->size;
}

size_t pool_available(const struct pool *pool)
{
	size_t used = 0;

	for (const struct lease *l = pool->by_key; l; l = l->by_key.next)
		used += in_ranges(pool, l->ip);
	for (const struct fixed *f = pool->fixed; f; f = f->hh.next)
		used += in_ranges(pool, f->ip) && !find_ip(pool, f->ip);
	return pool->size - used;
}

uint8_t *pool_save(const struct pool *pool, size_t *len)
{
	size_t count = HASH_CNT(by_key, pool->by_key);
	size_t fixed = HASH_COUNT(pool->fixed);
	size_t size = 1 + 4 + 4 + 12 * count + 4 + 4 * fixed;
	uint8_t *data = xmalloc(size);
	struct wire_writer w;

	wire_writer_init(&w, data, size);
	wire_put_u8(&w, POOL_SAVE_VERSION);
	/* As an address: the ranges may change in between. */
	wire_put_u32(&w, pool->size ? nth(pool, pool->turn) : 0);
	wire_put_u32(&w, (uint32_t)count);
	for (const struct lease *l = pool->by_key; l; l = l->by_key.next) {
		wire_put_u64(&w, l->key);
		wire_put_u32(&w, l->ip);
	}
	wire_put_u32(&w, (uint32_t)fixed);
	for (const struct fixed *f = pool->fixed; f; f = f->hh.next)
		wire_put_u32(&w, f->ip);
	*len = w.pos;
	return data;
}

static void set_turn(struct pool *pool, uint32_t ip)
{
	size_t before = 0;

	pool->turn = 0;
	for (size_t i = 0; i < pool->range_count; i++) {
		const struct range *r = &pool->ranges[i];

		if (ip >= r->first && ip <= r->last)
			pool->turn = before + (ip - r->first);
		before += r->last - r->first + 1;
	}
}

int pool_load(struct pool *pool, const uint8_t *data, size_t len)
{
	struct wire_reader r;
	uint32_t turn, count;

	drop_all(pool);
	pool_fix_none(pool);
	pool->turn = 0;
	wire_reader_init(&r, data, len);
	if (wire_get_u8(&r) != POOL_SAVE_VERSION)
		return -EBADMSG;
	turn = wire_get_u32(&r);
	count = wire_get_u32(&r);
	while (count-- && !wire_error(&r)) {
		uint64_t key = wire_get_u64(&r);
		uint32_t ip = wire_get_u32(&r);

		if (wire_error(&r))
			break;
		if (!key || find_key(pool, key) || find_ip(pool, ip))
			wire_fail(&r);
		else
			add_lease(pool, key, ip);
	}
	count = wire_get_u32(&r);
	while (count-- && !wire_error(&r))
		add_fixed(pool, wire_get_u32(&r));
	if (wire_error(&r) || wire_left(&r)) {
		drop_all(pool);
		pool_fix_none(pool);
		return -EBADMSG;
	}
	set_turn(pool, turn);
	return 0;
}
