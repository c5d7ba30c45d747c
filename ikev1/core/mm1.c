/* SPDX-License-Identifier: ISC */
/* The table of first messages; see the header. */
#include "ikev1/core/mm1.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN 32
/* A cookie's MAC holds for this long: longer than an entry lives. */
#define EPOCH_MS (10 * 60 * 1000)
#define QUOTA_PART 16 /* of the table */
#define QUOTA_MIN 32
#define PREFIX_BUCKETS 4 /* for each bucket of cookies */
#define NONE 0		 /* slots count from 1 */
#define PAGE_STEP 4096	 /* no page is smaller */

/* The rings that an entry is in; a ring's head is its oldest. */
enum { BY_AGE, BY_COOKIE, BY_PREFIX };

/* A neighbourhood, or several that share a bucket by bad luck. */
struct prefix {
	uint32_t head;
	uint32_t count;
};

struct mm1 {
	uint32_t size, count;
	uint32_t life_ms;
	ike_random_fn random;
	void *random_ctx;
	bool has_key;
	uint8_t key[KEY_LEN];
	uint64_t prefix_key; /* odd */
	uint64_t born_ms;    /* when the key was made: epoch 0 */
	uint32_t fresh;	     /* the first slot that was never used */
	uint32_t free;	     /* slots that were, by link[BY_AGE].next */
	uint32_t ages;
	unsigned int bits; /* of a cookie's bucket */
	uint32_t *cookies;
	struct prefix *prefixes;
	struct mm1_entry *entry;     /* size + 1 */
	uint8_t (*sai)[MM1_SAI_MAX]; /* size + 1 */
};

struct mm1 *mm1_new(
    uint32_t size, uint32_t life_ms, ike_random_fn random, void *random_ctx)
{
	struct mm1 *t = xcalloc(1, sizeof(*t));

	t->size = size < 1 ? 1 : size > MM1_SIZE_MAX ? MM1_SIZE_MAX : size;
	t->life_ms = life_ms;
	t->random = random;
	t->random_ctx = random_ctx;
	t->fresh = 1;
	while (1u << t->bits < t->size)
		t->bits++;
	t->cookies = xcalloc(1u << t->bits, sizeof(*t->cookies));
	t->prefixes = xcalloc(PREFIX_BUCKETS << t->bits, sizeof(*t->prefixes));
	t->entry = xcalloc(t->size + 1, sizeof(*t->entry));
	t->sai = xcalloc(t->size + 1, sizeof(*t->sai));
	return t;
}

static void touch(void *memory, size_t len)
{
	volatile uint8_t *bytes = memory;

	for (size_t i = 0; i < len; i += PAGE_STEP)
		bytes[i] = bytes[i];
	bytes[len - 1] = bytes[len - 1];
}

void mm1_make_present(struct mm1 *t)
{
	touch(t->cookies, sizeof(*t->cookies) << t->bits);
	touch(t->prefixes, sizeof(*t->prefixes) * PREFIX_BUCKETS << t->bits);
	touch(t->entry, sizeof(*t->entry) * (t->size + 1));
	touch(t->sai, sizeof(*t->sai) * (t->size + 1));
}

void mm1_free(struct mm1 *t)
{
	if (!t)
		return;
	free(t->cookies);
	free(t->prefixes);
	free(t->entry);
	free(t->sai);
	secret_free(t, sizeof(*t));
}

size_t mm1_count(const struct mm1 *t)
{
	return t->count;
}

/* --- rings --------------------------------------------------------------- */

static void ring_add(struct mm1 *t, int by, uint32_t *head, uint32_t slot)
{
	struct mm1_link *own = &t->entry[slot].link[by], *first;

	if (*head == NONE) {
		own->prev = own->next = slot;
		*head = slot;
		return;
	}
	first = &t->entry[*head].link[by];
	own->next = *head;
	own->prev = first->prev;
	t->entry[first->prev].link[by].next = slot;
	first->prev = slot;
}

static void ring_remove(struct mm1 *t, int by, uint32_t *head, uint32_t slot)
{
	const struct mm1_link *own = &t->entry[slot].link[by];

	if (own->next == slot) {
		*head = NONE;
		return;
	}
	t->entry[own->prev].link[by].next = own->next;
	t->entry[own->next].link[by].prev = own->prev;
	if (*head == slot)
		*head = own->next;
}

static uint32_t *cookie_ring(struct mm1 *t, const uint8_t *cky_r)
{
	uint32_t n;

	/* The cookie is a MAC: any bits of it are as good as a hash. */
	memcpy(&n, cky_r, sizeof(n));
	return &t->cookies[n & ((1u << t->bits) - 1)];
}

/* The /24 or /48 as a number. */
static uint64_t prefix_of(const struct addr *a)
{
	size_t len = a->family == ADDR_IPV6 ? 6 : 3;
	uint64_t n = a->family;

	for (size_t i = 0; i < len; i++)
		n = n << 8 | a->ip[i];
	return n;
}

bool mm1_neighbours(const struct addr *a, const struct addr *b)
{
	return prefix_of(a) == prefix_of(b);
}

/* Multiplying by a secret odd number: nobody can aim at a bucket. */
static struct prefix *prefix_ring(struct mm1 *t, const struct addr *peer)
{
	uint64_t n = prefix_of(peer) * t->prefix_key;

	return &t->prefixes[n >> (62 - t->bits)];
}

/* --- cookies ------------------------------------------------------------- */

static int make_key(struct mm1 *t, uint64_t now_ms)
{
	uint8_t raw[KEY_LEN + sizeof(t->prefix_key)];
	int err;

	if (t->has_key)
		return 0;
	err = t->random(t->random_ctx, raw, sizeof(raw));
	if (err)
		return err;
	memcpy(t->key, raw, KEY_LEN);
	memcpy(&t->prefix_key, raw + KEY_LEN, sizeof(t->prefix_key));
	secret_wipe(raw, sizeof(raw));
	t->prefix_key |= 1;
	t->born_ms = now_ms;
	t->has_key = true;
	return 0;
}

static void put_addr(struct wire_writer *w, const struct addr *a)
{
	wire_put_u8(w, a->family);
	wire_put_bytes(w, a->ip, sizeof(a->ip));
	wire_put_u16(w, a->port);
}

static int mac(const struct mm1 *t, const struct crypto *c, uint64_t epoch,
    const struct addr *local, const struct addr *peer, struct wire_span message,
    uint8_t cookie[ISAKMP_COOKIE_LEN])
{
	uint8_t where[8 + 2 * (1 + 16 + 2)], full[CRYPTO_HASH_MAX];
	struct wire_span parts[] = {{where, sizeof(where)}, message};
	struct wire_writer w;
	int err;

	wire_writer_init(&w, where, sizeof(where));
	wire_put_u64(&w, epoch);
	put_addr(&w, local);
	put_addr(&w, peer);
	err = crypto_hmac(c, CRYPTO_SHA256, (struct wire_span){t->key, KEY_LEN},
	    parts, 2, full);
	if (err < 0)
		return err;
	memcpy(cookie, full, ISAKMP_COOKIE_LEN);
	cookie[0] |= 0x80; /* zero means "none yet" */
	return 0;
}

int mm1_cookie(struct mm1 *t, const struct crypto *c, uint64_t now_ms,
    const struct addr *local, const struct addr *peer, struct wire_span message,
    uint8_t cookie[ISAKMP_COOKIE_LEN])
{
	uint8_t older[ISAKMP_COOKIE_LEN];
	uint64_t age, epoch;
	int err = make_key(t, now_ms);

	if (err)
		return err;
	age = now_ms > t->born_ms ? now_ms - t->born_ms : 0;
	epoch = age / EPOCH_MS;
	err = mac(t, c, epoch, local, peer, message, cookie);
	/* Just after a change of epochs: was it answered before it? */
	if (err || !epoch || age % EPOCH_MS > t->life_ms || mm1_find(t, cookie))
		return err;
	err = mac(t, c, epoch - 1, local, peer, message, older);
	if (!err && mm1_find(t, older))
		memcpy(cookie, older, sizeof(older));
	return err;
}

/* --- entries ------------------------------------------------------------- */

struct mm1_entry *mm1_find(
    struct mm1 *t, const uint8_t cky_r[ISAKMP_COOKIE_LEN])
{
	uint32_t head = *cookie_ring(t, cky_r), slot = head;

	while (slot != NONE) {
		struct mm1_entry *e = &t->entry[slot];

		if (!memcmp(e->cky_r, cky_r, ISAKMP_COOKIE_LEN))
			return e;
		slot = e->link[BY_COOKIE].next;
		if (slot == head)
			break;
	}
	return NULL;
}

struct wire_span mm1_sai(const struct mm1 *t, const struct mm1_entry *e)
{
	return (struct wire_span){t->sai[e - t->entry], e->sai_len};
}

void mm1_remove(struct mm1 *t, struct mm1_entry *e)
{
	uint32_t slot = (uint32_t)(e - t->entry);
	struct prefix *p = prefix_ring(t, &e->peer);

	ring_remove(t, BY_AGE, &t->ages, slot);
	ring_remove(t, BY_COOKIE, cookie_ring(t, e->cky_r), slot);
	ring_remove(t, BY_PREFIX, &p->head, slot);
	p->count--;
	t->count--;
	e->link[BY_AGE].next = t->free;
	t->free = slot;
}

uint32_t mm1_life(uint32_t life_ms, size_t count, size_t max)
{
	if (count <= max / 4)
		return life_ms;
	return count <= max / 2 ? life_ms / 4 : life_ms / 12;
}

size_t mm1_quota(size_t max)
{
	return max / QUOTA_PART < QUOTA_MIN ? QUOTA_MIN : max / QUOTA_PART;
}

void mm1_expire(struct mm1 *t, uint64_t now_ms)
{
	while (t->ages != NONE) {
		struct mm1_entry *e = &t->entry[t->ages];

		if (now_ms <
		    e->arrived_ms + mm1_life(t->life_ms, t->count, t->size))
			return;
		mm1_remove(t, e);
	}
}

/* A number below n; 0 when there is no randomness. */
static uint32_t any_of(struct mm1 *t, uint32_t n)
{
	uint32_t r;

	return t->random(t->random_ctx, &r, sizeof(r)) ? 0 : r % n;
}

/* Room for one more of that neighbourhood. */
static void make_room(struct mm1 *t, const struct addr *peer)
{
	const struct prefix *p = prefix_ring(t, peer);

	if (p->count >= mm1_quota(t->size)) {
		uint32_t slot = p->head;

		for (uint32_t n = any_of(t, p->count); n; n--)
			slot = t->entry[slot].link[BY_PREFIX].next;
		mm1_remove(t, &t->entry[slot]);
	} else if (t->count == t->size) {
		mm1_remove(t, &t->entry[1 + any_of(t, t->size)]);
	}
}

static uint32_t take_slot(struct mm1 *t)
{
	uint32_t slot = t->free;

	if (slot == NONE)
		return t->fresh++;
	t->free = t->entry[slot].link[BY_AGE].next;
	return slot;
}

int mm1_add(struct mm1 *t, uint64_t now_ms, const struct mm1_entry *e,
    struct wire_span sai)
{
	int err = make_key(t, now_ms);
	struct mm1_entry *own;
	struct prefix *p;
	uint32_t slot;

	if (err)
		return err;
	if (sai.len > MM1_SAI_MAX)
		return -EMSGSIZE;
	make_room(t, &e->peer);
	p = prefix_ring(t, &e->peer);
	slot = take_slot(t);
	own = &t->entry[slot];
	*own = *e;
	own->arrived_ms = now_ms;
	own->sai_len = (uint16_t)sai.len;
	if (sai.len)
		memcpy(t->sai[slot], sai.data, sai.len);
	ring_add(t, BY_AGE, &t->ages, slot);
	ring_add(t, BY_COOKIE, cookie_ring(t, e->cky_r), slot);
	ring_add(t, BY_PREFIX, &p->head, slot);
	p->count++;
	t->count++;
	return 0;
}

/* --- saving -------------------------------------------------------------- */

static void entry_store(
    struct store *s, struct mm1_entry *e, uint8_t sai[MM1_SAI_MAX])
{
	store_addr(s, &e->local);
	store_addr(s, &e->peer);
	store_array(s, e->cky_i, sizeof(e->cky_i));
	store_array(s, e->cky_r, sizeof(e->cky_r));
	store_u16(s, &e->suite.cipher);
	store_u16(s, &e->suite.key_bits);
	store_u16(s, &e->suite.hash);
	store_u16(s, &e->suite.group);
	store_u64(s, &e->life_s);
	store_u32(s, &e->vendors);
	store_past(s, &e->arrived_ms);
	store_u16(s, &e->sai_len);
	if (e->sai_len > MM1_SAI_MAX)
		store_fail(s);
	else
		store_array(s, sai, e->sai_len);
}

static void load_entry(struct store *s, struct mm1 *t)
{
	struct mm1_entry e = {0};
	uint8_t sai[MM1_SAI_MAX] = {0};

	entry_store(s, &e, sai);
	if (store_error(s) || mm1_find(t, e.cky_r)) {
		store_fail(s);
		return;
	}
	mm1_add(t, e.arrived_ms, &e, (struct wire_span){sai, e.sai_len});
}

void mm1_store(struct store *s, struct mm1 *t)
{
	uint32_t count = t->count, slot = t->ages;

	store_bool(s, &t->has_key);
	store_array(s, t->key, sizeof(t->key));
	store_u64(s, &t->prefix_key);
	t->prefix_key |= t->has_key;
	store_past(s, &t->born_ms);
	store_max(s, &count, t->has_key ? MM1_SIZE_MAX : 0);
	while (count-- && !store_error(s)) {
		if (s->loading) {
			load_entry(s, t);
			continue;
		}
		entry_store(s, &t->entry[slot], t->sai[slot]);
		slot = t->entry[slot].link[BY_AGE].next;
	}
}
