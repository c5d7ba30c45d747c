/* SPDX-License-Identifier: ISC */
/* The monitor's hold on the vault. */
#include "l2tpd/keeper.h"

#include <string.h>

#define LOCK_MS 1000
/* What the next engine must know of one client, and of all. */
#define BYTES_A_CLIENT 4096
#define BYTES_BASE (1u << 20)

int keeper_make(struct keeper *k, struct log *log, uint32_t max_clients)
{
	int err;

	*k = (struct keeper){.log = log};
	err = vault_hold_new(
	    BYTES_BASE + (size_t)BYTES_A_CLIENT * max_clients, &k->vault);
	if (err)
		log_error(log, "no memory for what the engines know: %s",
		    strerror(-err));
	return err;
}

void keeper_lock(struct keeper *k)
{
	int err = vault_hold_lock(k->vault);

	if (err && !k->is_unlocked_said)
		log_warn(k->log,
		    "what the engines know cannot be locked in memory: %s",
		    strerror(-err));
	k->is_unlocked_said |= err != 0;
}

static void on_timer(uv_timer_t *timer)
{
	keeper_lock(timer->data);
}

void keeper_watch(struct keeper *k, uv_loop_t *loop)
{
	uv_timer_init(loop, &k->timer);
	k->timer.data = k;
	uv_timer_start(&k->timer, on_timer, LOCK_MS, LOCK_MS);
}

void keeper_free(struct keeper *k)
{
	vault_hold_free(k->vault);
	k->vault = NULL;
}
