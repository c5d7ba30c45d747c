/* SPDX-License-Identifier: ISC */
/* How a vault lies in memory; for vault.c, vault_mem.c and their test. */
#ifndef COMMON_VAULT_PRIV_H
#define COMMON_VAULT_PRIV_H

#include "common/hash.h"
#include "common/vault.h"

#include <stdatomic.h>

#define VAULT_MAGIC 0x5350564c54303103ull
#define VAULT_BLOCK 512
#define VAULT_HEAD 4096 /* bytes before the first block */
#define VAULT_DATA (VAULT_BLOCK - 48)

struct vault_head {
	uint64_t magic;
	uint32_t form;
	uint32_t total; /* blocks that fit; the engine takes it from fstat */
	uint64_t committed;
	uint32_t high; /* blocks that were ever used: the first of them */
	uint32_t starts;
	uint64_t is_working;
	struct vault_key work;
};

/* All zero: free. */
struct vault_block {
	uint64_t born; /* first of a record: the commit that made it true */
	uint64_t dead; /* the commit that ends it; 0: none yet */
	uint64_t kind, id;
	uint32_t len;  /* of the record, in its first block */
	uint32_t next; /* from 1; 0: the last */
	uint32_t strikes;
	uint32_t unused;
	uint8_t data[VAULT_DATA];
};

/* A record that counts, by its key. */
struct vault_entry {
	UT_hash_handle hh;
	struct vault_key key;
	uint32_t at; /* its first block, from 1 */
};

struct vault {
	struct vault_head *head;
	struct vault_block *blocks; /* index 1 is the first */
	size_t size;		    /* of the mapping */
	struct vault_entry *entries;
	uint32_t *free; /* room for all blocks */
	size_t free_count;
	uint32_t *retired; /* they go with the next commit */
	size_t retired_count;
	bool is_changed;
	bool is_locked;
};

/*
 * The order of stores is what a death leaves behind.  Everything that was
 * stored before is there when this is: the process's own death needs no
 * more than that the compiler keeps the order.
 */
static inline void vault_store(uint64_t *at, uint64_t value)
{
	atomic_signal_fence(memory_order_seq_cst);
	*(volatile uint64_t *)at = value;
	atomic_signal_fence(memory_order_seq_cst);
}

/* Finds the records that count; wipes and frees all other blocks.  False:
 * there is damage. */
bool vault_recover(struct vault *v);
/* Wipes all blocks that were used. */
void vault_forget_all(struct vault *v);
/* Counts a start, and a strike for what was worked on. */
void vault_blame(struct vault *v);

#endif
