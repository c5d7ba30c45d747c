/* SPDX-License-Identifier: ISC */
/*
 * The first messages of Main Mode that we answered, until the peer shows
 * with message 3 that it hears us where it says it is.  Anyone can send a
 * message 1 in anyone's name, so what one costs us is fixed: an entry of a
 * table that was allocated at the start.  No Diffie-Hellman, no nonce, no
 * IKE SA, no timer; the answer is made from the message itself.
 *
 * The responder cookie is a MAC over where the message came from, the whole
 * message and the time (RFC 2408 section 2.5.3), so a repeated message gets
 * the same cookie, even when its entry has made room for another.
 *
 * When the table is full an entry goes by chance: whoever floods it can't
 * choose whom he displaces.  When the neighbourhood of one address (its /24,
 * for IPv6 its /48) has its quota, one of that neighbourhood goes.  The
 * fuller the table, the shorter entries live.
 */
#ifndef IKEV1_CORE_MM1_H
#define IKEV1_CORE_MM1_H

#include "common/crypto.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/core/store.h"

#define MM1_SIZE_MAX 65536
#define MM1_SAI_MAX 2048 /* bytes of SAi_b that are kept */

struct mm1;

/* One message 1 with what was answered. */
struct mm1_entry {
	struct addr local, peer;
	uint8_t cky_i[ISAKMP_COOKIE_LEN];
	uint8_t cky_r[ISAKMP_COOKIE_LEN];
	struct ike_suite suite; /* the chosen one */
	uint64_t life_s;
	uint32_t vendors; /* offered: bits of enum vendor */
	uint64_t arrived_ms;
	uint16_t sai_len;
	/* the table's own */
	struct mm1_link {
		uint32_t prev, next;
	} link[3];
};

/*
 * A table with room for size entries (1 to MM1_SIZE_MAX; about 2.3 KB each)
 * that live for life_ms when there are few.  Allocates everything it will
 * ever need; never NULL.
 */
struct mm1 *mm1_new(
    uint32_t size, uint32_t life_ms, ike_random_fn random, void *random_ctx);
/*
 * Writes to each page of it, so that no flood makes the process any larger:
 * memory that was only allocated is not there yet.
 */
void mm1_make_present(struct mm1 *t);
/* Wipes and frees; NULL is allowed. */
void mm1_free(struct mm1 *t);
size_t mm1_count(const struct mm1 *t);

/*
 * The responder cookie for message, which came from peer to local: the one
 * that the same message was given before when that is still in the table.
 * Never zero.  0 or -errno.
 */
int mm1_cookie(struct mm1 *t, const struct crypto *c, uint64_t now_ms,
    const struct addr *local, const struct addr *peer, struct wire_span message,
    uint8_t cookie[ISAKMP_COOKIE_LEN]);
/* The entry with that responder cookie; NULL. */
struct mm1_entry *mm1_find(
    struct mm1 *t, const uint8_t cky_r[ISAKMP_COOKIE_LEN]);
/*
 * Copies e (its addresses, cookies, suite, life and vendors) and sai to the
 * table, at the expense of another one when there is no room.  The cookie
 * must not be there yet.  -EMSGSIZE when sai is longer than MM1_SAI_MAX.
 */
int mm1_add(struct mm1 *t, uint64_t now_ms, const struct mm1_entry *e,
    struct wire_span sai);
/* The body of e's SA payload; valid until e goes. */
struct wire_span mm1_sai(const struct mm1 *t, const struct mm1_entry *e);
void mm1_remove(struct mm1 *t, struct mm1_entry *e);
/* Removes those whose time is over. */
void mm1_expire(struct mm1 *t, uint64_t now_ms);

/*
 * How long something half-open may live when count of max are: life_ms up
 * to a quarter, a quarter of it up to the half, then a twelfth.
 */
uint32_t mm1_life(uint32_t life_ms, size_t count, size_t max);
/* True when both are of one /24 (IPv4) or /48 (IPv6). */
bool mm1_neighbours(const struct addr *a, const struct addr *b);
/* How many of max half-open ones a neighbourhood may have. */
size_t mm1_quota(size_t max);

/* Saves the table, or fills a new one. */
void mm1_store(struct store *s, struct mm1 *t);

#endif
