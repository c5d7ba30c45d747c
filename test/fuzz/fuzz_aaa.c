/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the AAA core with events.  The input is a list of commands; after
 * each the core is saved and restored, and what must always hold is
 * checked: no address before a verdict, no address twice.
 *
 * A command: a byte of kind, a byte of session (four of them), a byte of
 * argument, then for a message a length byte and the datagram.
 */
#include "l2tpd/core/aaa.h"

#include "common/secret.h"
#include "l2tpd/core/pool.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

#define SESSIONS 4
#define JOBS 64

struct world {
	struct aaa *aaa;
	struct aaa_config cfg;
	struct aaa_actions acts;
	uint64_t now_s;
	uint32_t last_job;
	uint8_t ok[SESSIONS]; /* a verdict of AAA_OK was given */
	uint8_t owner[JOBS];  /* the session of a job */
};

static struct aaa_key key_of(uint8_t n)
{
	n %= SESSIONS;
	return (struct aaa_key){n, (uint16_t)(0x4000 + n), n};
}

/* Addresses of sessions: all different, none without a verdict. */
struct seen {
	const struct world *w;
	struct addr ip[SESSIONS];
	size_t count;
};

static void check_row(void *ctx, const struct aaa_row *row)
{
	struct seen *seen = ctx;

	must(seen->count < SESSIONS && row->key.r < SESSIONS);
	if (row->ip.family == ADDR_NONE)
		return;
	must(seen->w->ok[row->key.r]);
	for (size_t i = 0; i < seen->count; i++)
		must(!addr_equal(&seen->ip[i], &row->ip));
	must(!addr_equal(&row->ip, &seen->w->cfg.local));
	seen->ip[seen->count++] = row->ip;
}

static void restore(struct world *w)
{
	size_t len;
	uint8_t *data = aaa_save(w->aaa, &len);

	aaa_free(w->aaa);
	w->aaa = aaa_restore(&w->cfg, data, len);
	must(w->aaa != NULL);
	secret_free(data, len);
}

static void step(struct world *w, struct aaa_event *ev)
{
	struct seen seen = {.w = w};

	ev->now_s = w->now_s++;
	aaa_step(w->aaa, ev, &w->acts);
	for (size_t i = 0; i < w->acts.count; i++) {
		const struct aaa_action *a = &w->acts.items[i];

		if (a->type != AAA_ACT_AUTH)
			continue;
		w->last_job = a->job;
		w->owner[a->job % JOBS] = (uint8_t)(a->key.r % SESSIONS);
	}
	aaa_actions_clear(&w->acts);
	aaa_each(w->aaa, check_row, &seen);
	restore(w);
}

static void verdict(struct world *w, uint8_t arg)
{
	static const char *const names[] = {"alice", "bob", "\xff", ""};
	struct aaa_verdict v = {.code = arg & 1 ? AAA_OK : AAA_WRONG_PASSWORD};
	struct aaa_event ev = {.type = AAA_EV_VERDICT, .verdict = &v};

	ev.job = w->last_job - (arg >> 5);
	strcpy(v.user, names[arg >> 1 & 1]);
	strcpy(v.reason, names[arg >> 1 & 3]);
	if (arg & 8)
		addr_parse(&v.ip, arg & 16 ? "10.0.0.1" : "192.0.2.1");
	if (v.code == AAA_OK)
		w->ok[w->owner[ev.job % JOBS]] = 1;
	step(w, &ev);
}

/* True when there was one more command. */
static bool command(struct world *w, struct wire_reader *r)
{
	static const enum aaa_event_type types[] = {AAA_EV_STARTED,
	    AAA_EV_MESSAGE, AAA_EV_VERDICT, AAA_EV_DISCONNECT, AAA_EV_ENDED};
	uint8_t kind = wire_get_u8(r) % 5;
	uint8_t session = wire_get_u8(r) % SESSIONS;
	uint8_t arg = wire_get_u8(r);
	struct aaa_event ev = {.type = types[kind], .key = key_of(session)};

	if (ev.type == AAA_EV_MESSAGE)
		ev.data = wire_get_span(r, wire_get_u8(r));
	if (wire_error(r))
		return false;
	if (ev.type == AAA_EV_VERDICT)
		verdict(w, arg);
	else
		step(w, &ev);
	if (ev.type == AAA_EV_ENDED)
		w->ok[session] = 0;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {
	    .cfg = {.pool = "10.0.0.1-10.0.0.4", .mtu = 1400}, .now_s = 1};
	char reason[POOL_REASON_MAX];
	struct wire_reader r;

	addr_parse(&w.cfg.local, "10.0.0.1");
	w.aaa = aaa_new(&w.cfg, reason);
	must(w.aaa != NULL);
	wire_reader_init(&r, data, size);
	while (command(&w, &r))
		;
	aaa_free(w.aaa);
	/* And as a saved state of anybody's. */
	w.aaa = aaa_restore(&w.cfg, data, size);
	aaa_free(w.aaa);
	aaa_actions_free(&w.acts);
	return 0;
}
