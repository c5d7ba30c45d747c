/* SPDX-License-Identifier: ISC */
#include "test/lib/engine_world.h"

#include "common/crypto.h"
#include "l2tpd/core/pool.h"
#include "l2tpd/core/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONFIG                                                                 \
	"l2tp {\n\tlocal = 10.0.0.1\n\tpool = \"10.0.0.2-10.0.255.254\"\n}\n"

static int fill_random(void *ctx, void *out, size_t len)
{
	(void)ctx;
	return crypto_random(out, len);
}

static void on_request(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct engine_world *w = ctx;

	(void)chan;
	assert_int_equal(fd, -1);
	w->asked[hdr->type]++;
	w->last = *hdr;
	memcpy(&w->last_body, body, msg_find(&lm_table, hdr->type)->size);
	if (w->on_request)
		w->on_request(w, hdr, body);
}

static void on_linked(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct engine_world *w = ctx;

	(void)chan;
	(void)body;
	assert_int_equal(fd, -1);
	w->linked[hdr->type]++;
}

static void on_end(void *ctx, struct chan *chan, int error)
{
	(void)ctx;
	(void)chan;
	fail_msg("the channel ended: %s", strerror(-error));
}

static void make_pair(int fds[2])
{
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
}

static void make_engine(struct engine_world *w)
{
	const struct chan_handlers ours = {on_request, on_end, w};
	const struct chan_handlers its = {engine_on_monitor, on_end, &w->e};
	char error[CONF_ERROR_MAX], reason[POOL_REASON_MAX];
	struct engine *e = &w->e;
	struct lns_config lns;
	struct aaa_config aaa;
	int fds[2];

	memset(e, 0, sizeof(*e));
	log_init(&e->log, "l2tpd", LOG_SEV_ERROR);
	if (settings_parse(&e->settings, CONFIG, "/x/sallyport.conf", error))
		fail_msg("%s", error);
	settings_lns(&e->settings, &lns);
	/* What got lost comes again before anybody notices. */
	lns.retransmit_ms = lns.retransmit_cap_ms = 20;
	lns.retries = 100;
	settings_aaa(&e->settings, &aaa);
	e->lns = lns_new(&lns, fill_random, NULL);
	e->aaa = aaa_new(&aaa, reason);
	assert_non_null(e->aaa);
	assert_int_equal(uv_loop_init(&e->loop), 0);
	uv_timer_init(&e->loop, &e->timer);
	e->timer.data = e;
	e->tunnels = ports_new(&e->loop, engine_on_datagram, e);
	e->plugins = ports_new(&e->loop, engine_on_plugin, e);
	engine_vault_open(e, dup(vault_hold_fd(w->hold)));
	engine_vault_resume(e);
	make_pair(fds);
	e->monitor = chan_open(&e->loop, fds[0], &lm_table, &its);
	w->monitor = chan_open(&e->loop, fds[1], &lm_table, &ours);
	e->refusals = refusals_new(0);
	e->peer_fd = -1;
}

void engine_world_make(struct engine_world *w)
{
	memset(w, 0, sizeof(*w));
	assert_int_equal(vault_hold_new(80u << 20, &w->hold), 0);
	make_engine(w);
	w->e.is_serving = true;
}

static void close_all(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void free_tables(struct engine *e)
{
	struct engine_request *req, *next_req;
	struct engine_peer *p, *next_peer;

	HASH_ITER(hh, e->requests, req, next_req)
	{
		HASH_DEL(e->requests, req);
		free(req);
	}
	HASH_ITER(hh, e->peers, p, next_peer)
	{
		HASH_DEL(e->peers, p);
		free(p);
	}
}

static void free_engine(struct engine_world *w)
{
	struct engine *e = &w->e;

	ports_free(e->tunnels);
	ports_free(e->plugins);
	chan_close(e->monitor);
	chan_close(w->monitor);
	chan_close(e->ike);
	chan_close(w->ike);
	ctl_server_stop(e->control);
	uv_walk(&e->loop, close_all, NULL);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	refusals_free(e->refusals);
	lns_free(e->lns);
	aaa_free(e->aaa);
	lns_actions_free(&e->lns_actions);
	aaa_actions_free(&e->aaa_actions);
	free_tables(e);
	free(e->strays);
	vault_close(e->vault);
}

void engine_world_free(struct engine_world *w)
{
	free_engine(w);
	vault_hold_free(w->hold);
}

void engine_world_die(struct engine_world *w)
{
	free_engine(w);
	w->ike = NULL;
	make_engine(w);
}

/* Local sockets only: what one turn sends the next one hears. */
void engine_world_run(struct engine_world *w)
{
	int idle = 0;

	while (idle < 3) {
		size_t before = 0, after = 0;

		for (size_t i = 0; i < 128; i++)
			before += w->asked[i];
		uv_run(&w->e.loop, UV_RUN_NOWAIT);
		for (size_t i = 0; i < 128; i++)
			after += w->asked[i];
		idle = before == after && chan_is_flushed(w->monitor) &&
			       chan_is_flushed(w->e.monitor)
			   ? idle + 1
			   : 0;
	}
}

void engine_world_say(struct engine_world *w, uint16_t type, uint32_t seq,
    const void *body, int fd)
{
	assert_int_equal(chan_send(w->monitor, type, seq, body, fd), 0);
	if (fd >= 0)
		close(fd);
	engine_world_run(w);
}

/* As if it had dialled, without descriptors: nobody speaks on them. */
static void make_call(struct engine_world *w, const struct peer_up *up)
{
	struct lns_peer *p = lns_peer_new(w->e.lns, up);
	struct lns_tunnel *t;
	struct lns_session *s;

	assert_true(lns_peer_claim_slot(p));
	lns_peer_restore_state(p, LNS_PEER_READY);
	t = lns_tunnel_new(p, (uint16_t)up->slot);
	t->peer_id = 7;
	t->in_kernel = t->has_socket = true;
	addr_parse(&t->addr, "198.51.100.1");
	t->addr.port = 1701;
	l2tp_reliable_set_peer(&t->rel, 7, 4);
	lns_tunnel_restore_state(t, LNS_TUNNEL_ESTABLISHED);
	/* all sessions of the core differ */
	s = lns_session_new(t, (uint16_t)up->slot);
	s->peer_id = 6;
	s->in_kernel = true;
	lns_session_restore_state(s, LNS_SESSION_ESTABLISHED);
	lns_peer_touch(p);
}

struct aaa_key engine_world_call(struct engine_world *w, uint32_t slot)
{
	struct peer_up up = {.r = slot + 1000u, .slot = slot};
	const struct aaa_key key = {up.r, (uint16_t)slot, (uint16_t)slot};
	struct aaa_event started = {.type = AAA_EV_STARTED, .key = key};

	addr_parse(&up.local, "192.0.2.1");
	make_call(w, &up);
	engine_peer_set(&w->e, &up)->is_ready = true;
	engine_aaa(&w->e, &started);
	return key;
}

void engine_world_link(struct engine_world *w)
{
	const struct chan_handlers ours = {on_linked, on_end, w};
	int fds[2];

	make_pair(fds);
	engine_ike_attach(&w->e, fds[0]);
	w->ike = chan_open(&w->e.loop, fds[1], &peer_link_table, &ours);
	engine_world_run(w);
}
