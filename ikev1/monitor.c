/* SPDX-License-Identifier: ISC */
/* The monitor's loop: an engine, its requests, the kernel's events. */
#include "ikev1/monitor.h"

#include "common/alloc.h"
#include "common/chan.h"
#include "common/exitcode.h"
#include "common/privsep.h"
#include "common/proc.h"
#include "common/rundir.h"
#include "common/version.h"
#include "ikev1/mon_ops.h"
#include "ikev1/monitor_start.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINK_RETRY_MS 1000
#define LOCK_MS 1000 /* new pages of the vault are locked */
#define STOP_MS 5000 /* then an engine that hangs is killed */

struct monitor {
	struct log *log;
	struct monitor_parts parts;
	uv_loop_t loop;
	struct privsep *privsep;
	struct chan *chan; /* NULL: no engine */
	struct mon *mon;
	uv_signal_t sigterm, sigint;
	uv_timer_t link_timer;
	uv_timer_t lock_timer;
	bool is_link_wait_said;
	bool is_stopping;
};

/* --- l2tpd --------------------------------------------------------------- */

static void try_link(struct monitor *m);

static void on_link_timer(uv_timer_t *timer)
{
	try_link(timer->data);
}

/* The engine cannot connect by itself: it gets a connected socket. */
static void try_link(struct monitor *m)
{
	const struct im_job msg = {0};
	int fd;

	if (!m->chan || m->is_stopping)
		return;
	fd = rundir_connect(MONITOR_PEER_SOCKET, SOCK_SEQPACKET);
	if (fd >= 0) {
		chan_send(m->chan, IM_LINK, 0, &msg, fd);
		close(fd);
		m->is_link_wait_said = false;
		return;
	}
	if (!m->is_link_wait_said)
		log_warn(m->log, "waiting for l2tpd (%s/%s): %s", rundir(),
		    MONITOR_PEER_SOCKET, strerror(-fd));
	m->is_link_wait_said = true;
	uv_timer_start(&m->link_timer, on_link_timer, LINK_RETRY_MS, 0);
}

static void on_link_wanted(void *ctx)
{
	struct monitor *m = ctx;

	/* From a timer also the first time: a link that ends at once must
	 * not spin. */
	uv_timer_start(&m->link_timer, on_link_timer,
	    m->is_link_wait_said ? LINK_RETRY_MS : 1, 0);
}

/* --- the engine ---------------------------------------------------------- */

static void send_engine(void *ctx, uint16_t type, const void *body)
{
	struct monitor *m = ctx;

	if (m->chan)
		chan_send(m->chan, type, 0, body, -1);
}

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return uv_hrtime() / 1000000;
}

/* An engine that breaks the rules is not asked why. */
static void kill_engine(struct monitor *m)
{
	int pid = privsep_engine_pid(m->privsep);

	chan_close(m->chan);
	m->chan = NULL;
	if (pid > 0)
		kill(pid, SIGKILL);
}

static void on_message(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct monitor *m = ctx;

	(void)chan;
	if (fd >= 0)
		close(fd);
	if (mon_handle(m->mon, hdr, body))
		kill_engine(m);
}

static void on_chan_end(void *ctx, struct chan *chan, int error)
{
	struct monitor *m = ctx;

	(void)chan;
	if (error && error != -ECONNRESET && !m->is_stopping)
		log_error(
		    m->log, "the engine's channel broke: %s", strerror(-error));
	/* At the orderly end it closes first and exits a moment later. */
	if (error && error != -ECONNRESET)
		kill_engine(m);
	else {
		chan_close(m->chan);
		m->chan = NULL;
	}
}

static void on_engine_started(void *ctx, int fd)
{
	struct monitor *m = ctx;
	const struct chan_handlers handlers = {on_message, on_chan_end, m};

	m->chan = chan_open(&m->loop, fd, &im_table, &handlers);
	chan_gather(m->chan);
	mon_engine_started(m->mon);
}

static void finish(struct monitor *m)
{
	mon_end_all(m->mon);
	uv_stop(&m->loop);
}

static void on_engine_ended(void *ctx, int status)
{
	struct monitor *m = ctx;

	(void)status;
	chan_close(m->chan);
	m->chan = NULL;
	uv_timer_stop(&m->link_timer);
	/* Until the next one locks them. */
	vault_hold_lock(m->parts.vault);
	if (m->is_stopping)
		finish(m);
}

/* --- the kernel ---------------------------------------------------------- */

static void on_xfrm(void *ctx, const struct xfrm_event *ev)
{
	struct monitor *m = ctx;

	if (ev->type == XFRM_EVENT_EXPIRE)
		mon_expire(m->mon, ev->slot, ev->spi, ev->hard);
	else if (ev->type == XFRM_EVENT_LOST)
		mon_resync(m->mon);
	else
		mon_mapping(m->mon, ev->slot, ev->spi, &ev->peer);
}

/* --- start and end ------------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int signo)
{
	struct monitor *m = handle->data;
	const struct im_job msg = {0};

	if (m->is_stopping) {
		kill_engine(m);
		return;
	}
	log_info(m->log, "%s: ending", strsignal(signo));
	m->is_stopping = true;
	privsep_stop(m->privsep, STOP_MS);
	if (!privsep_is_running(m->privsep))
		finish(m);
	else if (m->chan)
		chan_send(m->chan, IM_SHUTDOWN, 0, &msg, -1);
}

/* A running engine locks its own pages; this is for the time without. */
static void on_lock_timer(uv_timer_t *timer)
{
	struct monitor *m = timer->data;
	int err = vault_hold_lock(m->parts.vault);

	if (!err)
		return;
	log_warn(m->log,
	    "the memory for the next engine cannot be locked: %s; keys may "
	    "get into swap (LimitMEMLOCK=, ulimit -l)",
	    strerror(-err));
	uv_timer_stop(timer);
}

static void watch_signal(struct monitor *m, uv_signal_t *handle, int signo)
{
	uv_signal_init(&m->loop, handle);
	handle->data = m;
	uv_signal_start(handle, on_signal, signo);
}

static int prepare(struct monitor *m)
{
	struct mon_env env = {.log = m->log,
	    .crypto = &m->parts.crypto,
	    .psk = m->parts.psk,
	    .rnum = m->parts.rnum,
	    .sa_ops = &xfrm_sa_ops,
	    .sa_ctx = m->parts.xfrm,
	    .max_clients = m->parts.conf.l2tp.max_clients,
	    .send = send_engine,
	    .link_wanted = on_link_wanted,
	    .now_ms = now_ms,
	    .ctx = m};
	int err = uv_loop_init(&m->loop);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (!err)
		err = xfrm_listen(m->parts.xfrm, &m->loop, on_xfrm, m);
	if (!err)
		err = privsep_monitor_caps(m->log, 0);
	if (err) {
		log_error(m->log, "cannot start: %s", strerror(-err));
		return err;
	}
	uv_timer_init(&m->loop, &m->link_timer);
	m->link_timer.data = m;
	uv_timer_init(&m->loop, &m->lock_timer);
	m->lock_timer.data = m;
	uv_timer_start(&m->lock_timer, on_lock_timer, LOCK_MS, LOCK_MS);
	watch_signal(m, &m->sigterm, SIGTERM);
	watch_signal(m, &m->sigint, SIGINT);
	proc_be_patient();
	m->mon = mon_new(&env);
	return 0;
}

static void start_engine(struct monitor *m, bool is_debug)
{
	const char *const args[] = {is_debug ? "-d" : NULL, NULL};
	const struct privsep_spec spec = {.log = m->log,
	    .loop = &m->loop,
	    .args = args,
	    .conf_text = m->parts.conf_text,
	    .fds = m->parts.fds,
	    .fd_count = m->parts.fd_count,
	    .started = on_engine_started,
	    .ended = on_engine_ended,
	    .ctx = m};

	m->privsep = privsep_start(&spec);
	uv_run(&m->loop, UV_RUN_DEFAULT);
}

static void close_loop(struct monitor *m)
{
	privsep_free(m->privsep);
	chan_close(m->chan);
	uv_close((uv_handle_t *)&m->sigterm, NULL);
	uv_close((uv_handle_t *)&m->sigint, NULL);
	uv_close((uv_handle_t *)&m->link_timer, NULL);
	uv_close((uv_handle_t *)&m->lock_timer, NULL);
	xfrm_close(m->parts.xfrm);
	m->parts.xfrm = NULL;
	uv_run(&m->loop, UV_RUN_DEFAULT);
	uv_loop_close(&m->loop);
}

int monitor_run(struct log *log, const struct monitor_options *opt)
{
	struct monitor *m = xcalloc(1, sizeof(*m));
	int code;

	m->log = log;
	code = monitor_read_files(log, opt, &m->parts);
	if (!code && opt->is_check_only)
		log_info(log, "%s is right", opt->conf_path);
	else if (!code)
		code = monitor_open_all(log, &m->parts);
	if (!code && !opt->is_check_only) {
		if (prepare(m))
			code = EXITCODE_FAILURE;
		else {
			log_info(log, "version %s serves", SALLYPORT_VERSION);
			start_engine(m, opt->is_debug);
			close_loop(m);
			log_info(log, "ended");
		}
	}
	mon_free(m->mon);
	monitor_close_all(&m->parts);
	free(m);
	return code;
}
