/* SPDX-License-Identifier: ISC */
/* The engine's life: start, lock in, step the core, end. */
#include "ikev1/engine.h"

#include "common/alloc.h"
#include "common/ctl.h"
#include "common/exitcode.h"
#include "common/privsep.h"
#include "common/proc.h"
#include "common/secret.h"
#include "ikev1/engine_priv.h"
#include "ikev1/settings.h"
#include "ikev1/udp.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* When told to end: for l2tpd's goodbyes to its clients; for Deletes. */
#define LEAVE_MS 2000
#define END_MS 2000
#define TIMER_MAX_MS 3600000
#define CLIENT_BYTES 3072 /* `make bench' prints what one has here */

uint64_t engine_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/*
 * From a store: the library's generator asks the kernel twice for each
 * request, however small.  What was given out is wiped here.
 */
static int random_bytes(void *ctx, void *out, size_t len)
{
	struct engine *e = ctx;
	uint8_t *from;

	if (len > sizeof(e->random))
		return crypto_random(out, len);
	if (len > e->random_left) {
		int err = crypto_random(e->random, sizeof(e->random));

		if (err)
			return err;
		e->random_left = sizeof(e->random);
	}
	from = e->random + sizeof(e->random) - e->random_left;
	memcpy(out, from, len);
	secret_wipe(from, len);
	e->random_left -= len;
	return 0;
}

/* --- events -------------------------------------------------------------- */

/* Copies a span behind what is there and points it to the copy. */
static void keep(struct engine_queued *q, size_t *at, struct wire_span *s)
{
	if (!s->len)
		return;
	memcpy(q->bytes + *at, s->data, s->len);
	s->data = q->bytes + *at;
	*at += s->len;
}

static void enqueue(struct engine *e, const struct ike_event *ev)
{
	struct wire_span text = {
	    (const uint8_t *)ev->text, ev->text ? strlen(ev->text) + 1 : 0};
	size_t size = ev->data.len + ev->pub.len + ev->shared.len +
		      ev->live.len + text.len;
	struct engine_queued *q = xcalloc(1, sizeof(*q) + size);
	size_t at = 0;

	q->ev = *ev;
	q->size = size;
	keep(q, &at, &q->ev.data);
	keep(q, &at, &q->ev.pub);
	keep(q, &at, &q->ev.shared);
	keep(q, &at, &q->ev.live);
	keep(q, &at, &text);
	q->ev.text = (const char *)text.data;
	*e->last = q;
	e->last = &q->next;
}

static void on_timer(uv_timer_t *timer)
{
	const struct ike_event tick = {.type = IKE_EV_TICK};

	((struct engine *)timer->data)->timer_ms = UINT64_MAX - 1;
	engine_event(timer->data, &tick);
}

static void set_timer(struct engine *e)
{
	uint64_t now = engine_now_ms(), due = ike_next_deadline(e->ike);
	uint64_t wait;

	if (e->is_leaving && e->end_ms < due)
		due = e->end_ms;
	if (due == e->timer_ms)
		return;
	e->timer_ms = due;
	wait = due > now ? due - now : 0;
	if (wait > TIMER_MAX_MS)
		wait = TIMER_MAX_MS;
	uv_update_time(&e->loop);
	uv_timer_start(&e->timer, on_timer, wait, 0);
}

/* One event through the core; its actions are carried out in order. */
static void step(struct engine *e, struct ike_event *ev)
{
	e->is_stepping = true;
	ev->now_ms = engine_now_ms();
	ike_step(e->ike, ev, &e->actions);
	for (size_t i = 0; i < e->actions.count; i++)
		engine_carry_out(e, &e->actions.items[i]);
	ike_actions_clear(&e->actions);
	e->is_stepping = false;
}

/* Every R ended, or there is no time left for that: the rest goes. */
static void end(struct engine *e)
{
	const struct ike_event ev = {.type = IKE_EV_SHUTDOWN};

	e->is_ending = true;
	e->end_ms = engine_now_ms() + END_MS;
	engine_event(e, &ev);
}

static void check_end(struct engine *e)
{
	struct ike_counts counts;

	if (!e->is_leaving)
		return;
	ike_count(e->ike, &counts);
	if (!e->is_ending) {
		if (!counts.peers || engine_now_ms() >= e->end_ms)
			end(e);
		return;
	}
	chan_flush(e->monitor);
	link_flush(e->link);
	engine_flush(e);
	if ((!counts.peers && chan_is_flushed(e->monitor)) ||
	    engine_now_ms() >= e->end_ms)
		uv_stop(&e->loop);
}

void engine_event(struct engine *e, const struct ike_event *ev)
{
	struct ike_event now = *ev;

	if (e->is_stepping) {
		enqueue(e, ev);
		return;
	}
	step(e, &now);
	while (e->first) {
		struct engine_queued *q = e->first;

		e->first = q->next;
		if (!e->first)
			e->last = &e->first;
		step(e, &q->ev);
		secret_free(q, sizeof(*q) + q->size);
	}
	check_end(e);
}

void engine_shut_down(struct engine *e)
{
	uint64_t now = engine_now_ms();

	if (e->is_leaving)
		return;
	e->is_leaving = true;
	e->end_ms = now + (link_leave(e->link) ? LEAVE_MS : 0);
	check_end(e);
}

/* --- start and end ------------------------------------------------------- */

/* The monitor alone decides when to end, also when a terminal says Ctrl-C. */
static void ignore_signals(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

static int read_conf(struct engine *e)
{
	char *text = NULL, error[CONF_ERROR_MAX];
	int err = privsep_engine_conf(&text);

	if (err) {
		log_error(e->log, "no configuration from the monitor: %s",
		    strerror(-err));
		return err;
	}
	err = conf_parse(&e->conf, text, CONF_PATH, settings_judge, error);
	free(text);
	if (err)
		log_error(e->log, "%s", error);
	return err;
}

static int prepare_crypto(struct engine *e)
{
	uint8_t byte;
	int err = crypto_init(&e->crypto);

	if (!err)
		err = dh_prepare();
	if (!err)
		err = crypto_random(&byte, 1);
	if (err)
		log_error(
		    e->log, "OpenSSL lacks what IKE needs: %s", strerror(-err));
	return err;
}

static int start_sockets(struct engine *e)
{
	e->socket_count = 2 * e->conf.ike.listen_count;
	for (size_t i = 0; i < e->socket_count; i++) {
		struct engine_socket *s = &e->sockets[i];
		int err;

		s->engine = e;
		s->fd = PRIVSEP_FIRST_FD + ENGINE_UDP_FDS + (int)i;
		err = udp_local(s->fd, &s->local);
		if (!err)
			err = uv_poll_init(&e->loop, &s->poll, s->fd);
		if (err) {
			log_error(e->log, "descriptor %d is no socket: %s",
			    s->fd, strerror(-err));
			return err;
		}
		s->poll.data = s;
	}
	return 0;
}

/* What the kernel can do for NAT traversal's drafts 00 and 01. */
static void ask_kernel(struct engine *e)
{
	struct utsname u;

	if (!uname(&u))
		snprintf(e->kernel, sizeof(e->kernel), "%s %s", u.sysname,
		    u.release);
	for (size_t i = 0; i < e->socket_count; i++) {
		const struct engine_socket *s = &e->sockets[i];

		if (s->local.port == UDP_PORT_IKE && udp_takes_esp(s->fd))
			e->has_esp_500 = true;
	}
}

/* The next engine first; SAs, then l2tpd, then the network. */
static void on_before_wait(uv_prepare_t *handle)
{
	struct engine *e = handle->data;

	engine_records_save(e);
	vault_idle(e->vault);
	chan_flush(e->monitor);
	link_flush(e->link);
	engine_flush(e);
	log_flush(e->log);
	heap_ahead(&e->heap);
	set_timer(e);
}

static void start_core(struct engine *e)
{
	const struct link_handlers link = {
	    engine_on_link, engine_on_link_wanted, e, 0};
	struct ike_config cfg;

	settings_ike(&e->conf, &e->crypto, &cfg);
	cfg.has_esp_500 = e->has_esp_500;
	cfg.kernel = e->kernel;
	e->ike = ike_new(&cfg, random_bytes, e);
	ike_make_present(e->ike);
	heap_reserve(&e->heap, (size_t)e->conf.l2tp.max_clients * CLIENT_BYTES);
	e->last = &e->first;
	uv_timer_init(&e->loop, &e->timer);
	e->timer.data = e;
	e->timer_ms = UINT64_MAX - 1; /* no deadline is that */
	e->in = xcalloc(1, sizeof(*e->in));
	e->out = xcalloc(1, sizeof(*e->out));
	uv_prepare_init(&e->loop, &e->before_wait);
	e->before_wait.data = e;
	uv_prepare_start(&e->before_wait, on_before_wait);
	e->dh = dh_pool_new(&e->loop, engine_on_dh, e);
	e->refusals = refusals_new(time(NULL));
	e->link = link_new(&e->loop, e->log, &link);
}

static int prepare(struct engine *e)
{
	int err;

	ignore_signals();
	err = uv_loop_init(&e->loop);
	if (!err)
		err = read_conf(e);
	if (!err)
		err = prepare_crypto(e);
	if (!err)
		err =
		    engine_records_open(e, PRIVSEP_FIRST_FD + ENGINE_VAULT_FD);
	if (!err)
		err = start_sockets(e);
	if (!err)
		err = engine_ctl_start(e, PRIVSEP_FIRST_FD + ENGINE_CTL_FD);
	ask_kernel(e);
	return err;
}

static void stop(struct engine *e)
{
	ctl_server_stop(e->ctl);
	link_free(e->link);
	dh_pool_free(e->dh);
	ike_free(e->ike);
	refusals_free(e->refusals);
	ike_actions_free(&e->actions);
	free(e->in);
	free(e->out);
	vault_close(e->vault);
	crypto_done(&e->crypto);
	secret_wipe(e->random, sizeof(e->random));
}

int engine_run_with(struct log *log, engine_lock_in_fn lock_in)
{
	const struct chan_handlers handlers = {
	    engine_from_monitor, engine_on_monitor_end, NULL};
	struct engine *e = xcalloc(1, sizeof(*e));
	struct chan_handlers h = handlers;
	int err;

	e->log = log;
	heap_init(&e->heap);
	proc_be_patient();
	h.ctx = e;
	err = prepare(e);
	if (!err)
		err = lock_in(log, e->conf.user, &e->loop);
	if (err)
		return EXITCODE_FAILURE;
	start_core(e);
	e->monitor = chan_open(&e->loop, PRIVSEP_CHAN_FD, &im_table, &h);
	chan_hold(e->monitor);
	engine_records_resume(e);
	for (size_t i = 0; i < e->socket_count; i++)
		uv_poll_start(
		    &e->sockets[i].poll, UV_READABLE, engine_on_datagrams);
	log_debug(log, "engine runs");
	log_hold(log);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	stop(e);
	log_release(log);
	/* The loop's handles end with the process. */
	return e->exit_code;
}

int engine_run(struct log *log)
{
	return engine_run_with(log, privsep_lock_in);
}
