/* SPDX-License-Identifier: ISC */
/* The monitor's hold on the vault: made at the start, its pages locked. */
#ifndef L2TPD_KEEPER_H
#define L2TPD_KEEPER_H

#include "common/log.h"
#include "common/vault.h"

#include <uv.h>

struct keeper {
	struct log *log;
	struct vault_hold *vault;
	uv_timer_t timer;
	bool is_unlocked_said;
};

/* Before capabilities go; 0 or -errno, logged. */
int keeper_make(struct keeper *k, struct log *log, uint32_t max_clients);
/* Locks what is new now and then. */
void keeper_watch(struct keeper *k, uv_loop_t *loop);
/* While no engine is there, nobody else has the pages locked. */
void keeper_lock(struct keeper *k);
/* Wipes it; the timer is the loop's to close. */
void keeper_free(struct keeper *k);

#endif
