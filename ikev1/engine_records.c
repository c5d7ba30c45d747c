/* SPDX-License-Identifier: ISC */
/* The core's records go into the vault, and come out of it at the start. */
#include "ikev1/engine_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define STEADY_MS 10000 /* an engine that lived so long is no victim */
/* So many engines died young and nobody is to blame: begin with nothing. */
#define STARTS_MAX 8
#define SERVED_MS 500 /* then it has come through the start */

int engine_records_open(struct engine *e, int fd)
{
	int err = vault_open(fd, IKE_SAVE_VERSION, &e->vault, &e->found);

	if (err) {
		log_error(
		    e->log, "no memory of the last engine: %s", strerror(-err));
		return err;
	}
	if (!vault_is_locked(e->vault))
		log_warn(e->log,
		    "the memory for the next engine is not locked: keys may "
		    "get into swap (LimitMEMLOCK=, ulimit -l)");
	return 0;
}

/* --- while it lives ------------------------------------------------------ */

static void put_record(
    void *ctx, uint64_t kind, uint64_t id, const uint8_t *data, size_t len)
{
	const struct vault_key key = {kind, id};
	struct engine *e = ctx;
	int err = 0;

	if (data)
		err = vault_put(e->vault, key, data, len);
	else
		vault_drop(e->vault, key);
	if (err && !e->is_full_said)
		log_warn(e->log,
		    "no room for all that the next engine must know: %s; some "
		    "clients would have to dial again if this one died",
		    strerror(-err));
	e->is_full_said |= err != 0;
}

void engine_records_save(struct engine *e)
{
	ike_records(e->ike, put_record, e);
	vault_commit(e->vault);
}

static void watch(void *ctx, uint64_t kind, uint64_t id)
{
	vault_at_work(
	    ((struct engine *)ctx)->vault, (struct vault_key){kind, id});
}

/* --- at the start -------------------------------------------------------- */

static const char *name_of(const struct vault_key *key)
{
	return key->kind == IKE_RECORD_SA ? "IKE SA" : "R";
}

static void resume_one(void *ctx, struct vault_key key, struct wire_span data,
    unsigned int strikes)
{
	struct engine *e = ctx;
	const char *why = NULL;

	if (strikes >= VAULT_STRIKES) {
		why = "engines died over it";
	} else {
		vault_at_work(e->vault, key);
		if (ike_resume(e->ike, key.kind, key.id, data))
			why = "it can't be read";
		vault_idle(e->vault);
	}
	if (!why)
		return;
	log_error(e->log, "the state of %s %" PRIu64 " is set aside: %s",
	    name_of(&key), key.id, why);
	vault_drop(e->vault, key);
}

static void drop_one(void *ctx, struct vault_key key, struct wire_span data,
    unsigned int strikes)
{
	(void)data;
	(void)strikes;
	vault_drop(((struct engine *)ctx)->vault, key);
}

static void each_record(struct engine *e, vault_each_fn fn)
{
	/* Quick Modes refer to peers. */
	vault_each(e->vault, IKE_RECORD_PEER, fn, e);
	vault_each(e->vault, IKE_RECORD_SA, fn, e);
	vault_commit(e->vault);
}

static void on_steady(uv_timer_t *timer)
{
	vault_steady(((struct engine *)timer->data)->vault);
}

/* It came through the start: who ends it now is not what it took over. */
static void on_served(uv_timer_t *timer)
{
	vault_served(((struct engine *)timer->data)->vault);
	uv_timer_start(timer, on_steady, STEADY_MS, 0);
}

void engine_records_resume(struct engine *e)
{
	const struct ike_event ev = {.type = IKE_EV_RESUME};

	ike_keep_records(e->ike, watch, e);
	uv_timer_init(&e->loop, &e->steady_timer);
	e->steady_timer.data = e;
	uv_timer_start(&e->steady_timer, on_served, SERVED_MS, 0);
	if (e->found == VAULT_FOREIGN)
		log_error(e->log,
		    "what the last engine left is of another version: its "
		    "clients end");
	if (vault_starts(e->vault) > STARTS_MAX) {
		log_error(e->log,
		    "%u engines in a row died young: all clients end",
		    vault_starts(e->vault) - 1);
		each_record(e, drop_one);
	}
	each_record(e, resume_one);
	engine_event(e, &ev);
}
