/* SPDX-License-Identifier: ISC */
/* AAA's host: plugins and the monitor on one side, the core on the other. */
#include "l2tpd/engine.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static void do_send(struct engine *e, const struct aaa_action *a)
{
	int err = ports_send(e->plugins, a->key, NULL, a->data, a->len);

	if (err)
		log_warn(&e->log, "R %" PRIu64 ": not sent to pppd: %s",
		    a->key.r, strerror(-err));
}

static void do_auth(struct engine *e, const struct aaa_action *a)
{
	struct engine_request *req = engine_ask(e, LM_AUTH, a->key, a->auth);

	if (req)
		req->job = a->job;
}

static void do_acct(struct engine *e, const struct aaa_action *a)
{
	log_info(&e->log, "accounting: %s", a->text);
}

static void do_log(struct engine *e, const struct aaa_action *a)
{
	static const enum log_severity severities[] = {
	    [AAA_LOG_DEBUG] = LOG_SEV_DEBUG,
	    [AAA_LOG_INFO] = LOG_SEV_INFO,
	    [AAA_LOG_WARN] = LOG_SEV_WARN,
	};

	log_write(&e->log, severities[a->level], "%s", a->text);
	if (a->what)
		engine_refused(e, a->key.r, a->what, a->remedy);
}

static void (*const actions[])(struct engine *, const struct aaa_action *) = {
    [AAA_ACT_SEND] = do_send,
    [AAA_ACT_AUTH] = do_auth,
    [AAA_ACT_ACCT] = do_acct,
    [AAA_ACT_LOG] = do_log,
};

void engine_aaa(struct engine *e, struct aaa_event *ev)
{
	ev->now_s = (uint64_t)time(NULL);
	engine_vault_at_work(e, ev->key.r);
	aaa_step(e->aaa, ev, &e->aaa_actions);
	engine_vault_save(e);
	for (size_t i = 0; i < e->aaa_actions.count; i++) {
		const struct aaa_action *a = &e->aaa_actions.items[i];

		actions[a->type](e, a);
	}
	aaa_actions_clear(&e->aaa_actions);
}

void engine_on_plugin(void *ctx, struct aaa_key key, const struct addr *from,
    struct wire_span data)
{
	struct aaa_event ev = {
	    .type = AAA_EV_MESSAGE,
	    .key = key,
	    .data = data,
	};

	(void)from;
	engine_aaa(ctx, &ev);
}
