/* SPDX-License-Identifier: ISC */
/* The cores' records go into the vault, and come out of it at the start. */
#include "l2tpd/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define STEADY_MS 10000 /* an engine that lived so long is no victim */
/* So many engines died young and nobody is to blame: begin with nothing. */
#define STARTS_MAX 8
#define SERVED_MS 500 /* then it has come through the start */
#define RECORD_FORM (AAA_RECORD_FORM << 16 | LNS_RECORD_FORM)

enum record_kind { RECORD_PEER = 1, RECORD_SESSION };

void engine_vault_open(struct engine *e, int fd)
{
	int err = vault_open(fd, RECORD_FORM, &e->vault, &e->found);

	close(fd);
	if (err)
		log_error(&e->log,
		    "no memory for the next engine: %s; clients would have to "
		    "dial again if this one died",
		    strerror(-err));
	else if (!vault_is_locked(e->vault))
		log_warn(&e->log,
		    "the memory for the next engine is not locked: what is "
		    "known of users may get into swap (LimitMEMLOCK=, ulimit "
		    "-l)");
}

/* --- while it lives ------------------------------------------------------ */

static void put_record(
    struct engine *e, struct vault_key key, const uint8_t *data, size_t len)
{
	int err = 0;

	if (data)
		err = vault_put(e->vault, key, data, len);
	else
		vault_drop(e->vault, key);
	if (err && !e->is_full_said)
		log_warn(&e->log,
		    "no room for all that the next engine must know: %s; some "
		    "clients would have to dial again if this one died",
		    strerror(-err));
	e->is_full_said |= err != 0;
}

static void on_peer_record(
    void *ctx, uint64_t r, const uint8_t *data, size_t len)
{
	put_record(ctx, (struct vault_key){RECORD_PEER, r}, data, len);
}

static void on_session_record(
    void *ctx, uint64_t id, const uint8_t *data, size_t len)
{
	put_record(ctx, (struct vault_key){RECORD_SESSION, id}, data, len);
}

void engine_vault_save(struct engine *e)
{
	if (!e->vault)
		return;
	lns_checkpoint(e->lns, on_peer_record, e);
	aaa_checkpoint(e->aaa, on_session_record, e);
	vault_commit(e->vault);
}

void engine_vault_at_work(struct engine *e, uint64_t r)
{
	if (e->vault)
		vault_at_work(e->vault, (struct vault_key){RECORD_PEER, r});
}

/* --- at the start -------------------------------------------------------- */

static int resume_record(
    struct engine *e, struct vault_key key, struct wire_span data)
{
	if (key.kind == RECORD_PEER)
		return lns_resume(e->lns, key.id, data.data, data.len);
	return aaa_resume(e->aaa, key.id, data.data, data.len);
}

/* One that is set aside is dropped: its R ends when the monitor names it. */
static void resume_one(void *ctx, struct vault_key key, struct wire_span data,
    unsigned int strikes)
{
	struct engine *e = ctx;
	const char *why = NULL;

	if (strikes >= VAULT_STRIKES) {
		why = "engines died over it";
	} else {
		vault_at_work(e->vault, key);
		if (resume_record(e, key, data))
			why = "it can't be read";
		vault_idle(e->vault);
	}
	if (!why)
		return;
	log_error(&e->log, "the state of %s %" PRIu64 " is set aside: %s",
	    key.kind == RECORD_PEER ? "R" : "session", key.id, why);
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
	vault_each(e->vault, RECORD_PEER, fn, e);
	vault_each(e->vault, RECORD_SESSION, fn, e);
	vault_commit(e->vault);
}

static void add_peer(void *ctx, const struct peer_up *up, bool is_ready)
{
	engine_peer_set(ctx, up)->is_ready = is_ready;
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

static void on_before_wait(uv_prepare_t *prepare)
{
	vault_idle(((struct engine *)prepare->data)->vault);
}

static void watch(struct engine *e)
{
	uv_timer_init(&e->loop, &e->steady);
	uv_prepare_init(&e->loop, &e->before_wait);
	e->steady.data = e;
	e->before_wait.data = e;
	uv_timer_start(&e->steady, on_served, SERVED_MS, 0);
	uv_prepare_start(&e->before_wait, on_before_wait);
	/* Neither is a reason for the loop to go on. */
	uv_unref((uv_handle_t *)&e->steady);
	uv_unref((uv_handle_t *)&e->before_wait);
}

void engine_vault_resume(struct engine *e)
{
	if (!e->vault)
		return;
	watch(e);
	e->lost_reason = "l2tpd's engine lost what it knew of it";
	if (e->found == VAULT_FOREIGN) {
		e->lost_reason =
		    "l2tpd of another version cannot read its state";
		log_error(&e->log,
		    "what the last engine left is of another version: its "
		    "clients end");
	}
	if (vault_starts(e->vault) > STARTS_MAX) {
		log_error(&e->log,
		    "%u engines in a row died young: all clients end",
		    vault_starts(e->vault) - 1);
		each_record(e, drop_one);
	}
	each_record(e, resume_one);
	lns_each_peer(e->lns, add_peer, e);
}
