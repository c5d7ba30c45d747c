/* SPDX-License-Identifier: ISC */
/*
 * A head, then blocks of fixed size; a record is a chain of blocks whose
 * first says since which commit it is true (born) and until which (dead).
 * The number of the last commit decides over all of them at once.
 */
#include "common/vault_priv.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct vault_block *block(const struct vault *v, uint32_t at)
{
	return &v->blocks[at - 1];
}

static uint32_t blocks_for(size_t len)
{
	return len ? (uint32_t)((len + VAULT_DATA - 1) / VAULT_DATA) : 1;
}

/* --- the chain --------------------------------------------------------- */

static void give_back(struct vault *v, uint32_t at)
{
	secret_wipe(block(v, at), sizeof(struct vault_block));
	v->free[v->free_count++] = at;
}

/* The first block goes first: without it the others are nobody's. */
static void wipe_chain(struct vault *v, uint32_t at)
{
	while (at) {
		uint32_t next = block(v, at)->next;

		give_back(v, at);
		at = next;
	}
}

static uint32_t take_block(struct vault *v)
{
	if (v->free_count)
		return v->free[--v->free_count];
	return ++v->head->high;
}

static size_t room(const struct vault *v)
{
	return v->free_count + (v->head->total - v->head->high);
}

/* All of it but born, which makes it count. */
static uint32_t write_chain(
    struct vault *v, struct vault_key key, const uint8_t *data, size_t len)
{
	uint32_t first = take_block(v), at = first;
	struct vault_block *b = block(v, at);

	b->id = key.id;
	b->kind = key.kind;
	b->len = (uint32_t)len;
	for (;;) {
		size_t n = len < VAULT_DATA ? len : VAULT_DATA;

		if (n)
			memcpy(b->data, data, n);
		data += n;
		len -= n;
		b->next = len ? take_block(v) : 0;
		if (!b->next)
			return first;
		b = block(v, b->next);
	}
}

/* --- the table --------------------------------------------------------- */

static struct vault_entry *find(const struct vault *v, struct vault_key key)
{
	struct vault_entry *e;

	HASH_FIND(hh, v->entries, &key, sizeof(key), e);
	return e;
}

static void forget(struct vault *v, struct vault_entry *e)
{
	HASH_DELETE(hh, v->entries, e);
	free(e);
}

/* What it was before goes with the next commit, or at once when no commit
 * has seen it. */
static void retire(struct vault *v, uint32_t at)
{
	struct vault_block *b = block(v, at);

	if (b->born > v->head->committed) {
		vault_store(&b->born, 0);
		wipe_chain(v, at);
		return;
	}
	vault_store(&b->dead, v->head->committed + 1);
	v->retired[v->retired_count++] = at;
}

void vault_drop(struct vault *v, struct vault_key key)
{
	struct vault_entry *e = find(v, key);

	if (!e)
		return;
	retire(v, e->at);
	v->is_changed = true;
	forget(v, e);
}

int vault_put(
    struct vault *v, struct vault_key key, const void *data, size_t len)
{
	struct vault_entry *e = find(v, key);
	uint32_t at, strikes = 0;

	if (len > VAULT_RECORD_MAX || blocks_for(len) > room(v)) {
		vault_drop(v, key);
		return len > VAULT_RECORD_MAX ? -EMSGSIZE : -ENOSPC;
	}
	at = write_chain(v, key, data, len);
	if (e) {
		strikes = block(v, e->at)->strikes;
		retire(v, e->at);
	} else {
		e = xcalloc(1, sizeof(*e));
		e->key = key;
		HASH_ADD(hh, v->entries, key, sizeof(e->key), e);
	}
	block(v, at)->strikes = strikes;
	vault_store(&block(v, at)->born, v->head->committed + 1);
	e->at = at;
	v->is_changed = true;
	return 0;
}

void vault_commit(struct vault *v)
{
	if (!v->is_changed)
		return;
	vault_store(&v->head->committed, v->head->committed + 1);
	while (v->retired_count)
		wipe_chain(v, v->retired[--v->retired_count]);
	v->is_changed = false;
}

size_t vault_count(const struct vault *v)
{
	return HASH_COUNT(v->entries);
}

/* --- reading ----------------------------------------------------------- */

/* A copy of a record's bytes. */
static uint8_t *read_chain(const struct vault *v, uint32_t at, size_t len)
{
	uint8_t *out = xcalloc(1, len + 1);
	size_t done = 0;

	while (at && done < len) {
		const struct vault_block *b = block(v, at);
		size_t n = len - done < VAULT_DATA ? len - done : VAULT_DATA;

		memcpy(out + done, b->data, n);
		done += n;
		at = b->next;
	}
	return out;
}

static int by_id(const void *a, const void *b)
{
	const struct vault_key *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

void vault_each(struct vault *v, uint64_t kind, vault_each_fn fn, void *ctx)
{
	size_t count = 0;
	struct vault_key *keys =
	    xreallocarray(NULL, vault_count(v) + 1, sizeof(*keys));
	struct vault_entry *e, *next;

	HASH_ITER(hh, v->entries, e, next)
	if (e->key.kind == kind)
		keys[count++] = e->key;
	qsort(keys, count, sizeof(*keys), by_id);
	for (size_t i = 0; i < count; i++) {
		size_t len;
		uint8_t *data;

		e = find(v, keys[i]);
		if (!e)
			continue;
		len = block(v, e->at)->len;
		data = read_chain(v, e->at, len);
		fn(ctx, keys[i], (struct wire_span){data, len},
		    block(v, e->at)->strikes);
		secret_free(data, len);
	}
	free(keys);
}

/* --- blame ------------------------------------------------------------- */

void vault_at_work(struct vault *v, struct vault_key key)
{
	v->head->work = key;
	vault_store(&v->head->is_working, 1);
}

void vault_idle(struct vault *v)
{
	vault_store(&v->head->is_working, 0);
}

unsigned int vault_starts(const struct vault *v)
{
	return v->head->starts;
}

void vault_served(struct vault *v)
{
	v->head->starts = 0;
}

void vault_steady(struct vault *v)
{
	struct vault_entry *e, *next;

	HASH_ITER(hh, v->entries, e, next)
	block(v, e->at)->strikes = 0;
}

/* --- after a death ----------------------------------------------------- */

/* Which blocks belong to a record that counts. */
struct recovery {
	struct vault *v;
	uint8_t *is_taken; /* by index, from 1 */
};

static bool is_true(const struct vault *v, const struct vault_block *b)
{
	return b->born && b->born <= v->head->committed &&
	       (!b->dead || b->dead > v->head->committed);
}

/* The chain is as long as the record says, and shares nothing. */
static bool chain_is_whole(struct recovery *r, uint32_t first)
{
	uint32_t left = blocks_for(block(r->v, first)->len), at = first;

	for (; left && at; left--) {
		if (at > r->v->head->high || r->is_taken[at])
			return false;
		at = block(r->v, at)->next;
		/* A ring is longer than any record. */
	}
	return !left && !at;
}

static void take_chain(struct recovery *r, uint32_t at)
{
	while (at) {
		r->is_taken[at] = 1;
		at = block(r->v, at)->next;
	}
}

/* False when something in it cannot be. */
static bool recover_record(struct recovery *r, uint32_t at)
{
	struct vault_block *b = block(r->v, at);
	struct vault_key key = {b->kind, b->id};
	struct vault_entry *e;

	if (b->len > VAULT_RECORD_MAX || find(r->v, key) ||
	    !chain_is_whole(r, at))
		return false;
	take_chain(r, at);
	b->dead = 0;
	e = xcalloc(1, sizeof(*e));
	e->key = key;
	e->at = at;
	HASH_ADD(hh, r->v->entries, key, sizeof(e->key), e);
	return true;
}

bool vault_recover(struct vault *v)
{
	struct recovery r = {v, xcalloc((size_t)v->head->high + 1, 1)};
	bool ok = true;

	for (uint32_t at = 1; ok && at <= v->head->high; at++)
		if (is_true(v, block(v, at)))
			ok = recover_record(&r, at);
	for (uint32_t at = v->head->high; ok && at; at--)
		if (!r.is_taken[at])
			give_back(v, at);
	free(r.is_taken);
	return ok;
}

void vault_forget_all(struct vault *v)
{
	struct vault_entry *e, *next;

	HASH_ITER(hh, v->entries, e, next)
	forget(v, e);
	v->free_count = 0;
	v->retired_count = 0;
	v->is_changed = false;
	secret_wipe(v->blocks, (size_t)v->head->high * sizeof(*v->blocks));
}

void vault_blame(struct vault *v)
{
	struct vault_entry *e = find(v, v->head->work);

	if (v->head->is_working && e)
		block(v, e->at)->strikes++;
	v->head->is_working = 0;
	v->head->starts++;
}
