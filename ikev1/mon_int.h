/* SPDX-License-Identifier: ISC */
/* What mon_*.c share: every R, its slot and its SAs. */
#ifndef IKEV1_MON_INT_H
#define IKEV1_MON_INT_H

#include "common/heap.h"
#include "common/hash.h"
#include "common/slot.h"
#include "ikev1/mon_ops.h"

/* One R, as long as it lives: longer than any engine. */
struct mon_peer {
	UT_hash_handle hh; /* by r */
	uint64_t r;
	uint32_t slot;
	struct ike_kernel_sa *sas; /* their keys are zero */
	size_t sa_count, sa_room;
	uint64_t mapping_ms; /* the engine hears of none before */
};

struct mon {
	struct mon_env env;
	struct heap heap;
	struct slots *slots;
	struct mon_peer *peers;
	struct mon_peer **by_slot; /* max_clients + 1 */
	uint8_t dummy_psk[32];	   /* nobody's key, for slots without one */
	uint8_t *shown; /* a bit for each entry: a client has shown its key */
};

/* Sends to the engine. */
void mon_reply(struct mon *m, uint16_t type, const void *body);
/* Index of the SA, or -1. Inbound and outbound SPIs are apart. */
int mon_find_sa(const struct mon_peer *p, uint8_t dir, uint32_t spi);
/* mon_psk.c */
int mon_do_psk(struct mon *m, struct mon_peer *none, const void *body);
int mon_do_trial(struct mon *m, struct mon_peer *none, const void *body);
const char *mon_check_psk(const struct mon_peer *p, const void *body);
const char *mon_check_trial(const struct mon_peer *p, const void *body);
/* Forgets it; the kernel keeps what it has. */
void mon_drop_sa(struct mon_peer *p, int at);
/* Forgets R; the kernel keeps what it has of it. */
void mon_forget_peer(struct mon *m, struct mon_peer *p);
/* Frees R: its SAs go first, then its slot rests. */
void mon_end_peer(struct mon *m, struct mon_peer *p);

#endif
