/* SPDX-License-Identifier: ISC */
/*
 * What an engine must not forget when it dies: records in shared memory
 * that its monitor holds.  The engine alone reads and writes them; the
 * monitor keeps the memory, locked, and hands it to the next engine.
 *
 * Records change in steps: what was put and dropped since the last
 * vault_commit() counts as a whole or not at all, at whatever instruction
 * the engine dies.  No system call is made after the start, so a checkpoint
 * costs the copying of its bytes.  A record that is replaced or dropped is
 * wiped.  Nothing of it is ever in a file: the memory is a memfd's.
 *
 * What a damaged or hostile engine wrote is checked like bytes from outside.
 */
#ifndef COMMON_VAULT_H
#define COMMON_VAULT_H

#include "common/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VAULT_RECORD_MAX (256u << 10) /* bytes of one record */
#define VAULT_STRIKES 3 /* so many deaths over a record: set it aside */

/* Names a record; kind is the caller's, both may be 0. */
struct vault_key {
	uint64_t kind;
	uint64_t id;
};

/* --- monitor ---------------------------------------------------------- */

struct vault_hold;

/*
 * Memory for about `bytes` of records; pages count when they are first
 * used.  0 and *out, or -errno.  Call it before capabilities go: it raises
 * RLIMIT_MEMLOCK, which children inherit.
 */
int vault_hold_new(size_t bytes, struct vault_hold **out);
/* To hand to engines; stays the holder's. */
int vault_hold_fd(const struct vault_hold *h);
/*
 * Locks the pages that were used so far: a running engine locks its own, so
 * this counts while there is none.  0 or -errno (once a page could not be
 * locked, it says so each time).
 */
int vault_hold_lock(struct vault_hold *h);
/* Wipes all of it; NULL is allowed. */
void vault_hold_free(struct vault_hold *h);

/* --- engine ----------------------------------------------------------- */

struct vault;

enum vault_found {
	VAULT_NEW,     /* nothing was in it */
	VAULT_RESUMED, /* records of the last engine, perhaps none */
	VAULT_FOREIGN, /* records in another form, or damage: wiped */
};

/*
 * Takes the memory behind fd (fd can be closed) and completes what the last
 * engine had begun: uncommitted changes are undone.  form is the version of
 * what is in the records.  0, *out and *found, or -errno.
 */
int vault_open(
    int fd, uint32_t form, struct vault **out, enum vault_found *found);
/* Leaves the records as they were at the last commit; NULL is allowed. */
void vault_close(struct vault *v);
/* Whether its memory is locked; where not, swap may see secrets. */
bool vault_is_locked(const struct vault *v);

/* Replaces the record.  0; -ENOSPC or -EMSGSIZE: the old one is dropped,
 * as it is no longer true. */
int vault_put(
    struct vault *v, struct vault_key key, const void *data, size_t len);
void vault_drop(struct vault *v, struct vault_key key);
/* What was put and dropped since the last time becomes true. */
void vault_commit(struct vault *v);

size_t vault_count(const struct vault *v);
/*
 * Calls fn for each record of that kind, in the order of their ids.  data
 * is fn's until it returns; it may put and drop.  strikes: how many engines
 * died over it.
 */
typedef void (*vault_each_fn)(void *ctx, struct vault_key key,
    struct wire_span data, unsigned int strikes);
void vault_each(struct vault *v, uint64_t kind, vault_each_fn fn, void *ctx);

/*
 * Who is to blame?  What the engine works on right now; if it dies before
 * vault_idle(), that record has a strike more in the next one.  Nothing
 * happens where there is no such record.
 */
void vault_at_work(struct vault *v, struct vault_key key);
void vault_idle(struct vault *v);
/* How often it was opened since vault_served(), this time included. */
unsigned int vault_starts(const struct vault *v);
/* The engine has taken over and does its work: starts are forgotten. */
void vault_served(struct vault *v);
/* It has lived for a while: strikes are forgotten. */
void vault_steady(struct vault *v);

#endif
