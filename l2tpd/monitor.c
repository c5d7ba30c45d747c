/* SPDX-License-Identifier: ISC */
/* The monitor's loop: engine, kernel objects, signals, the end. */
#include "l2tpd/monitor.h"

#include "common/chan.h"
#include "common/esp_sweep.h"
#include "common/exitcode.h"
#include "common/privsep.h"
#include "common/secret.h"
#include "l2tpd/kernel_linux.h"
#include "l2tpd/nft.h"
#include "l2tpd/objects.h"
#include "l2tpd/startup.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * The end: the engine says goodbye to its peers; then what is left is
 * ended politely; then by force.
 */
#define GOODBYE_MS 2000
#define POLITE_MS 2500
#define FORCE_MS 1500
#define ENGINE_KILL_MS 500
#define TICK_MS 50

enum phase {
	PHASE_RUNNING,
	PHASE_GOODBYE, /* the engine has LM_SHUTDOWN */
	PHASE_POLITE,  /* objects_stop() */
	PHASE_FORCED,
	PHASE_ENGINE, /* all objects are gone; the engine goes last */
	PHASE_OVER,
};

struct monitor {
	struct log *log;
	struct startup start;
	uv_loop_t loop;
	uv_signal_t sigterm, sigint, sighup;
	uv_timer_t deadline; /* of the phase */
	uv_timer_t tick;     /* looks whether the phase is done */
	struct kernel_linux kernel;
	struct objects *objects;
	struct nft *nft;
	struct privsep *engine;
	struct chan *chan; /* NULL: no engine */
	enum phase phase;
	bool is_fixed_told; /* to this engine, as of: */
	uint32_t fixed_generation;
};

/* --- the engine's requests -------------------------------------------- */

static void send_to_engine(
    struct monitor *m, uint16_t type, uint32_t seq, const void *body, int fd)
{
	int err;

	if (!m->chan)
		return;
	err = chan_send(m->chan, type, seq, body, fd);
	if (err && err != -EPIPE)
		log_error(m->log, "%s to the engine: %s",
		    msg_name(&lm_table, type), strerror(-err));
}

static void on_reply(
    void *ctx, uint32_t seq, int error, const char *text, int fd)
{
	struct lm_reply reply = {.error = error};

	snprintf(reply.text, sizeof(reply.text), "%s%s%s", text,
	    error ? ": " : "", error ? strerror(-error) : "");
	send_to_engine(ctx, LM_REPLY, seq, &reply, fd);
}

static void on_stats(void *ctx, uint32_t seq, const struct lm_stats *stats)
{
	send_to_engine(ctx, LM_STATS_REPLY, seq, stats, -1);
}

static void on_exited(void *ctx, const struct lm_exited *exited)
{
	struct monitor *m = ctx;

	log_debug(m->log, "R %" PRIu64 ": session %u/%u: %s", exited->r,
	    exited->tunnel_id, exited->session_id, exited->text);
	send_to_engine(m, LM_SESSION_EXITED, 0, exited, -1);
}

/* Up to LM_FIXED_MAX bytes at a time. */
struct fixed_list {
	struct monitor *m;
	struct lm_fixed msg;
};

static void flush_fixed(struct fixed_list *list)
{
	send_to_engine(list->m, LM_FIXED, 0, &list->msg, -1);
	list->msg.is_first = 0;
	list->msg.ips.len = 0;
}

static void add_fixed(void *ctx, const struct user *user)
{
	struct fixed_list *list = ctx;

	if (user->ip.family != ADDR_IPV4)
		return;
	if (list->msg.ips.len + 4 > LM_FIXED_MAX)
		flush_fixed(list);
	memcpy(list->msg.ips.data + list->msg.ips.len, user->ip.ip, 4);
	list->msg.ips.len += 4;
}

/* Tells the engine which addresses users have for themselves, if that is
 * news to it. */
static void tell_fixed(struct monitor *m)
{
	struct fixed_list list = {.m = m, .msg = {.is_first = 1}};
	uint32_t generation = user_store_check(m->start.users);

	if (m->is_fixed_told && m->fixed_generation == generation)
		return;
	user_store_each(m->start.users, add_fixed, &list);
	flush_fixed(&list);
	m->is_fixed_told = true;
	m->fixed_generation = generation;
}

static void answer_auth(
    struct monitor *m, uint32_t seq, const struct aaa_auth *ask)
{
	struct aaa_verdict verdict;

	tell_fixed(m);
	user_store_auth(m->start.users, ask, &verdict);
	send_to_engine(m, LM_VERDICT, seq, &verdict, -1);
	secret_wipe(&verdict, sizeof(verdict));
}

static void phase_next(struct monitor *m, enum phase phase);

static void on_engine_message(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct monitor *m = ctx;
	const char *wrong =
	    lm_check(hdr->type, body, m->start.settings.conf.l2tp.max_clients);

	(void)chan;
	if (fd >= 0)
		close(fd);
	if (wrong) {
		log_error(m->log, "the engine sent a wrong %s: %s",
		    msg_name(&lm_table, hdr->type), wrong);
		on_reply(m, hdr->seq, -EINVAL, wrong, -1);
		return;
	}
	if (hdr->type == LM_AUTH) {
		answer_auth(m, hdr->seq, body);
	} else if (hdr->type == LM_SHUTDOWN_DONE) {
		if (m->phase == PHASE_GOODBYE)
			phase_next(m, PHASE_POLITE);
	} else if (m->phase != PHASE_RUNNING && hdr->type == LM_PEER_OPEN) {
		on_reply(m, hdr->seq, -ESHUTDOWN, "l2tpd is ending", -1);
	} else {
		objects_request(m->objects, hdr->type, hdr->seq, body);
	}
}

static void on_engine_channel_end(void *ctx, struct chan *chan, int error)
{
	struct monitor *m = ctx;
	int pid = 0;

	if (error)
		log_error(
		    m->log, "channel to the engine: %s", strerror(-error));
	if (chan == m->chan) {
		m->chan = NULL;
		/* Deaf or mad, it would stay; the next one is started when
		 * it is gone. */
		pid = m->phase == PHASE_RUNNING ? privsep_engine_pid(m->engine)
						: 0;
	}
	chan_close(chan);
	objects_engine_gone(m->objects);
	if (pid > 0)
		kill(pid, SIGKILL);
}

/* --- a new engine ----------------------------------------------------- */

static void send_held(void *ctx, const struct lm_held *held, int fd)
{
	send_to_engine(ctx, LM_HELD, 0, held, fd);
}

static void count_held(void *ctx, const struct lm_held *held, int fd)
{
	(void)held;
	(void)fd;
	((struct lm_count *)ctx)->count++;
}

static void on_engine_started(void *ctx, int fd)
{
	struct monitor *m = ctx;
	const struct chan_handlers handlers = {
	    .message = on_engine_message,
	    .end = on_engine_channel_end,
	    .ctx = m,
	};
	struct lm_count held = {0};

	if (m->chan)
		chan_close(m->chan);
	m->chan = chan_open(&m->loop, fd, &lm_table, &handlers);
	objects_each(m->objects, count_held, &held);
	if (held.count)
		log_info(m->log, "the new engine gets %" PRIu32 " objects",
		    held.count);
	objects_each(m->objects, send_held, m);
	m->is_fixed_told = false;
	tell_fixed(m);
	send_to_engine(m, LM_HELD_END, 0, &held, -1);
	objects_engine_here(m->objects);
}

static void on_engine_ended(void *ctx, int status)
{
	struct monitor *m = ctx;

	(void)status;
	keeper_lock(&m->start.keeper);
	if (m->chan)
		chan_close(m->chan);
	m->chan = NULL;
	objects_engine_gone(m->objects);
	if (m->phase == PHASE_GOODBYE)
		phase_next(m, PHASE_POLITE);
}

/* --- the end ---------------------------------------------------------- */

static void on_deadline(uv_timer_t *timer)
{
	struct monitor *m = timer->data;

	switch (m->phase) {
	case PHASE_GOODBYE:
		phase_next(m, PHASE_POLITE);
		return;
	case PHASE_POLITE:
		phase_next(m, PHASE_FORCED);
		return;
	case PHASE_FORCED:
		log_error(m->log, "some kernel objects do not end");
		phase_next(m, PHASE_ENGINE);
		return;
	case PHASE_ENGINE:
		phase_next(m, PHASE_OVER);
		return;
	case PHASE_RUNNING:
	case PHASE_OVER:
		return;
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct monitor *m = timer->data;

	if ((m->phase == PHASE_POLITE || m->phase == PHASE_FORCED) &&
	    objects_is_empty(m->objects))
		phase_next(m, PHASE_ENGINE);
	else if (m->phase == PHASE_ENGINE && !privsep_is_running(m->engine))
		phase_next(m, PHASE_OVER);
}

/*
 * ikev1d deletes a client's SAs before l2tpd closes its sockets.  Where it
 * did not (it is gone, hangs, or there was no time), this does: what an SA
 * decrypts without a socket would be answered in clear.  0 or -errno.
 */
static int sweep(struct monitor *m)
{
	size_t deleted = 0;
	int err = esp_sweep(&deleted);

	if (deleted)
		log_warn(m->log,
		    "ikev1d did not delete %zu IPsec SAs of clients in time: "
		    "deleted here",
		    deleted);
	if (err)
		log_error(m->log, "IPsec SAs of clients cannot be deleted: %s",
		    strerror(-err));
	return err;
}

/* The only function that changes the phase. */
static void phase_next(struct monitor *m, enum phase phase)
{
	static const uint64_t limits[] = {
	    [PHASE_GOODBYE] = GOODBYE_MS,
	    [PHASE_POLITE] = POLITE_MS,
	    [PHASE_FORCED] = FORCE_MS,
	    [PHASE_ENGINE] = 2 * ENGINE_KILL_MS,
	    [PHASE_OVER] = 0,
	};
	const struct lm_count none = {0};

	m->phase = phase;
	uv_timer_start(&m->deadline, on_deadline, limits[phase], 0);
	switch (phase) {
	case PHASE_RUNNING:
		break;
	case PHASE_GOODBYE:
		uv_timer_start(&m->tick, on_tick, TICK_MS, TICK_MS);
		send_to_engine(m, LM_SHUTDOWN, 0, &none, -1);
		if (!m->chan)
			phase_next(m, PHASE_POLITE);
		break;
	case PHASE_POLITE:
	case PHASE_FORCED:
		if (!objects_is_empty(m->objects))
			sweep(m);
		objects_stop(m->objects, phase == PHASE_FORCED);
		break;
	case PHASE_ENGINE:
		privsep_stop(m->engine, ENGINE_KILL_MS);
		if (m->chan)
			chan_close(m->chan);
		m->chan = NULL;
		break;
	case PHASE_OVER:
		uv_stop(&m->loop);
		break;
	}
}

static void on_signal(uv_signal_t *handle, int signo)
{
	struct monitor *m = handle->data;

	if (signo == SIGHUP) {
		tell_fixed(m); /* reads a users file that changed */
		return;
	}
	if (m->phase != PHASE_RUNNING)
		return;
	log_info(m->log, "ending (signal %d)", signo);
	phase_next(m, PHASE_GOODBYE);
}

/* --- start ------------------------------------------------------------ */

static void watch_signals(struct monitor *m)
{
	const struct {
		uv_signal_t *handle;
		int signo;
	} list[] = {
	    {&m->sigterm, SIGTERM},
	    {&m->sigint, SIGINT},
	    {&m->sighup, SIGHUP},
	};

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		uv_signal_init(&m->loop, list[i].handle);
		list[i].handle->data = m;
		uv_signal_start(list[i].handle, on_signal, list[i].signo);
	}
	uv_timer_init(&m->loop, &m->deadline);
	uv_timer_init(&m->loop, &m->tick);
	m->deadline.data = m;
	m->tick.data = m;
}

static void open_objects(struct monitor *m)
{
	const struct settings *set = &m->start.settings;
	const struct objects_out out = {
	    .reply = on_reply,
	    .stats = on_stats,
	    .exited = on_exited,
	    .ctx = m,
	};

	m->kernel = (struct kernel_linux){
	    .loop = &m->loop,
	    .log = m->log,
	    .pppd = m->start.pppd,
	    .plugin = m->start.plugin,
	    .methods = set->methods,
	    .mtu = set->conf.l2tp.mtu,
	};
	m->objects = objects_new(
	    &kernel_linux_ops, &m->kernel, &out, set->conf.l2tp.max_clients);
}

static void start_engine(struct monitor *m, const struct monitor_options *o)
{
	const int fds[] = {m->start.peer_fd, m->start.control_fd,
	    vault_hold_fd(m->start.keeper.vault)};
	const char *args[] = {o->conf_path, o->is_debug ? "-d" : NULL, NULL};
	const struct privsep_spec spec = {
	    .log = m->log,
	    .loop = &m->loop,
	    .args = args,
	    .conf_text = m->start.conf_text,
	    .fds = fds,
	    .fd_count = sizeof(fds) / sizeof(fds[0]),
	    .started = on_engine_started,
	    .ended = on_engine_ended,
	    .ctx = m,
	};

	m->engine = privsep_start(&spec);
	uv_run(&m->loop, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* A rekey may have made new SAs meanwhile. */
static void end_table(struct monitor *m)
{
	if (!sweep(m)) {
		nft_stop(m->nft);
		return;
	}
	if (!nft_seal(m->nft))
		log_warn(m->log,
		    "the table inet " NFT_TABLE " stays and drops what these "
		    "SAs decrypt: `ip xfrm state` shows them, `nft delete "
		    "table inet " NFT_TABLE "` when they are gone");
}

static int run(struct monitor *m, const struct monitor_options *o)
{
	uint32_t max = m->start.settings.conf.l2tp.max_clients;

	if (nft_start(&m->nft, &m->loop, m->log, m->start.nft, max))
		return EXITCODE_FAILURE;
	if (privsep_monitor_caps(m->log, 0)) {
		nft_stop(m->nft);
		return EXITCODE_FAILURE;
	}
	watch_signals(m);
	keeper_watch(&m->start.keeper, &m->loop);
	open_objects(m);
	log_info(m->log, "ready for %" PRIu32 " clients", max);
	start_engine(m, o);
	privsep_free(m->engine);
	end_table(m);
	/* Handles with an owner were closed by it just now. */
	uv_walk(&m->loop, close_handle, NULL);
	uv_run(&m->loop, UV_RUN_DEFAULT);
	if (objects_is_empty(m->objects))
		objects_free(m->objects);
	log_info(m->log, "ended");
	return EXITCODE_OK;
}

int monitor_main(const struct monitor_options *o)
{
	struct log log;
	struct monitor m;
	int code;

	log_init(&log, "l2tpd", o->is_debug ? LOG_SEV_DEBUG : LOG_SEV_INFO);
	memset(&m, 0, sizeof(m));
	m.log = &log;
	code = startup_configure(&m.start, &log, o);
	if (!code && !o->is_check) {
		code = startup_prepare(&m.start);
		if (!code) {
			uv_loop_init(&m.loop);
			code = run(&m, o);
			uv_loop_close(&m.loop);
		}
	}
	startup_free(&m.start);
	return code;
}
