/* SPDX-License-Identifier: ISC */
/* The engine's start, its list of R, and its end. */
#include "l2tpd/engine.h"

#include "common/alloc.h"
#include "common/exitcode.h"
#include "common/privsep.h"
#include "common/proc.h"
#include "l2tpd/core/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* --- R ---------------------------------------------------------------- */

struct engine_peer *engine_peer_find(struct engine *e, uint64_t r)
{
	struct engine_peer *p;

	HASH_FIND(hh, e->peers, &r, sizeof(r), p);
	return p;
}

struct engine_peer *engine_peer_set(struct engine *e, const struct peer_up *up)
{
	struct engine_peer *p = engine_peer_find(e, up->r);

	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->r = up->r;
		HASH_ADD(hh, e->peers, r, sizeof(p->r), p);
	}
	p->up = *up;
	return p;
}

void engine_peer_forget(struct engine *e, uint64_t r)
{
	struct engine_peer *p = engine_peer_find(e, r);

	if (!p)
		return;
	HASH_DEL(e->peers, p);
	free(p);
}

/* --- refusals --------------------------------------------------------- */

/* Whoever has an R has shown that its address is its own. */
void engine_refused(
    struct engine *e, uint64_t r, const char *what, const char *remedy)
{
	const struct engine_peer *p = engine_peer_find(e, r);
	struct refusal like = {.when = time(NULL)};

	/* Without its SAs nobody knows where R was. */
	if (!p || !addr_ip_len(&p->up.peer))
		return;
	like.peer = p->up.peer;
	like.local = p->up.local;
	refusals_add(e->refusals, true, &like, what, strlen(what), remedy);
}

/* --- start ------------------------------------------------------------ */

static int fill_random(void *ctx, void *out, size_t len)
{
	uint8_t *p = out;

	(void)ctx;
	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int make_cores(struct engine *e)
{
	char reason[POOL_REASON_MAX];
	struct lns_config lns;
	struct aaa_config aaa;

	settings_lns(&e->settings, &lns);
	settings_aaa(&e->settings, &aaa);
	e->lns = lns_new(&lns, fill_random, NULL);
	e->aaa = aaa_new(&aaa, reason);
	if (!e->aaa) {
		log_error(&e->log, "pool %s: %s", e->settings.pool, reason);
		return -EINVAL;
	}
	return 0;
}

/* The monitor is gone: so are we, at once; the plugins hear it so. */
static void on_monitor_end(void *ctx, struct chan *chan, int error)
{
	struct engine *e = ctx;

	(void)chan;
	if (error)
		log_error(
		    &e->log, "channel to the monitor: %s", strerror(-error));
	e->exit_code = error ? EXITCODE_FAILURE : EXITCODE_OK;
	chan_flush(e->ike);
	uv_stop(&e->loop);
}

static int load_settings(struct engine *e, const char *conf_path)
{
	char error[CONF_ERROR_MAX];
	char *text;
	int err = privsep_engine_conf(&text);

	if (err) {
		log_error(&e->log, "no configuration from the monitor: %s",
		    strerror(-err));
		return err;
	}
	err = settings_parse(&e->settings, text, conf_path, error);
	if (err)
		log_error(&e->log, "%s", error);
	free(text);
	return err;
}

static int start(struct engine *e, const char *conf_path)
{
	const struct chan_handlers handlers = {
	    .message = engine_on_monitor,
	    .end = on_monitor_end,
	    .ctx = e,
	};
	int err = load_settings(e, conf_path);

	if (!err)
		err = make_cores(e);
	if (!err)
		err = uv_loop_init(&e->loop);
	if (err)
		return err;
	uv_timer_init(&e->loop, &e->timer);
	e->timer.data = e;
	e->tunnels = ports_new(&e->loop, engine_on_datagram, e);
	e->plugins = ports_new(&e->loop, engine_on_plugin, e);
	e->refusals = refusals_new(time(NULL));
	err = ctl_server_start(
	    &e->control, &e->loop, LM_FD_CONTROL, show_request, e);
	if (err) {
		log_error(&e->log, "control socket: %s", strerror(-err));
		return err;
	}
	engine_vault_open(e, LM_FD_VAULT);
	err = privsep_lock_in(&e->log, e->settings.conf.user, &e->loop);
	if (err)
		return err;
	uv_update_time(&e->loop);
	engine_vault_resume(e);
	e->peer_fd = LM_FD_PEER;
	ports_pause(e->tunnels);
	e->monitor = chan_open(&e->loop, PRIVSEP_CHAN_FD, &lm_table, &handlers);
	return 0;
}

int engine_main(int argc, char **argv)
{
	struct engine *e = xcalloc(1, sizeof(*e));
	bool is_debug = argc > 1 && !strcmp(argv[1], "-d");

	/* The terminal's signals are the monitor's business. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	log_init(&e->log, "l2tpd", is_debug ? LOG_SEV_DEBUG : LOG_SEV_INFO);
	proc_be_patient();
	if (argc < 1 || start(e, argv[0]))
		return EXITCODE_FAILURE;
	uv_run(&e->loop, UV_RUN_DEFAULT);
	return e->exit_code;
}
