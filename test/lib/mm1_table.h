/* SPDX-License-Identifier: ISC */
/*
 * A table of first messages with a clock and a chance of its own.  For
 * cmocka tests only: include after cmocka.h.
 */
#ifndef TEST_LIB_MM1_TABLE_H
#define TEST_LIB_MM1_TABLE_H

#include "ikev1/core/mm1.h"

#include <stdlib.h>
#include <string.h>

#define SIZE 1024
#define LIFE 60000
#define EPOCH 600000
#define START 5000000

struct fixture {
	struct crypto crypto;
	struct mm1 *t;
	uint64_t seed;
	int random_error;
	uint64_t now;
};

static inline int random_bytes(void *ctx, void *out, size_t len)
{
	struct fixture *f = ctx;
	uint8_t *p = out;

	while (len--) {
		uint64_t z = f->seed += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		*p++ = (uint8_t)(z ^ z >> 31);
	}
	return f->random_error;
}

static inline struct fixture *new_fixture(uint32_t size)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(crypto_init(&f->crypto), 0);
	f->seed = 7;
	f->now = START;
	f->t = mm1_new(size, LIFE, random_bytes, f);
	return f;
}

static inline void free_fixture(struct fixture *f)
{
	mm1_free(f->t);
	crypto_done(&f->crypto);
	free(f);
}

static inline struct addr v4(uint32_t ip)
{
	return (struct addr){.family = ADDR_IPV4,
	    .ip = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
		(uint8_t)ip},
	    .port = 500};
}

/* A message of its own for each number. */
struct text {
	uint8_t bytes[100];
};

static inline struct text text_of(uint32_t n)
{
	struct text t = {{1, 2, 3}};

	memcpy(t.bytes + 40, &n, sizeof(n));
	return t;
}

static inline void cookie_of(
    struct fixture *f, const struct addr *peer, uint32_t n, uint8_t *cookie)
{
	const struct addr local = v4(0xc6336401);
	struct text text = text_of(n);

	assert_int_equal(
	    mm1_cookie(f->t, &f->crypto, f->now, &local, peer,
		(struct wire_span){text.bytes, sizeof(text)}, cookie),
	    0);
}

/* Message n from peer, answered; its cookie. */
static inline void arrive(
    struct fixture *f, const struct addr *peer, uint32_t n, uint8_t *cookie)
{
	struct mm1_entry e = {.peer = *peer, .life_s = n};
	struct text text = text_of(n);

	mm1_expire(f->t, f->now);
	cookie_of(f, peer, n, cookie);
	memcpy(e.cky_r, cookie, 8);
	if (!mm1_find(f->t, cookie))
		assert_int_equal(mm1_add(f->t, f->now, &e,
				     (struct wire_span){text.bytes, 60}),
		    0);
}

#endif
