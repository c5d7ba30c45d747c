/* SPDX-License-Identifier: ISC */
/* The L2TP core's host: events in, actions done. */
#include "l2tpd/engine.h"

#include "common/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct aaa_key key_of(const struct lns_action *a)
{
	return (struct aaa_key){a->r, a->tunnel_id, a->session_id};
}

static struct lm_key lm_key_of(struct aaa_key key)
{
	return (struct lm_key){key.r, key.tunnel_id, key.session_id};
}

static void do_socket_open(struct engine *e, const struct lns_action *a)
{
	const struct lm_peer_open open = {
	    .r = a->r,
	    .slot = a->up->slot,
	    .local = a->up->local,
	};

	engine_ask(e, LM_PEER_OPEN, (struct aaa_key){.r = a->r}, &open);
}

/* RFC 2661 section 5.8: what is not acknowledged is sent again. */
static void do_send(struct engine *e, const struct lns_action *a)
{
	const struct aaa_key key = {a->r, a->tunnel_id, 0};
	char text[ADDR_TEXT_MAX];
	int err = ports_send(
	    e->tunnels, key, a->tunnel_id ? NULL : &a->peer, a->data, a->len);

	if (err)
		log_debug(&e->log, "R %" PRIu64 ": not sent to %s: %s", a->r,
		    addr_text(&a->peer, text), strerror(-err));
}

static void do_tunnel_open(struct engine *e, const struct lns_action *a)
{
	const struct lm_tunnel_open open = {
	    .r = a->r,
	    .tunnel_id = a->tunnel_id,
	    .peer_tunnel_id = a->peer_tunnel_id,
	    .peer = a->peer,
	};

	engine_ask(
	    e, LM_TUNNEL_OPEN, (struct aaa_key){a->r, a->tunnel_id, 0}, &open);
}

/*
 * Our duplicate of the socket goes before the monitor is asked: the last
 * close() of a tunnel's socket blocks, and must be the monitor's.
 */
static void do_tunnel_close(struct engine *e, const struct lns_action *a)
{
	const struct aaa_key key = {a->r, a->tunnel_id, 0};
	const struct lm_key body = lm_key_of(key);

	ports_remove(e->tunnels, key);
	engine_cancel(e, key);
	engine_tell(e, LM_TUNNEL_CLOSE, &body);
}

static void do_session_open(struct engine *e, const struct lns_action *a)
{
	const struct lm_session_open open = {
	    .r = a->r,
	    .tunnel_id = a->tunnel_id,
	    .session_id = a->session_id,
	    .peer_session_id = a->peer_session_id,
	    .sequencing = a->sequencing,
	};

	engine_ask(e, LM_SESSION_OPEN, key_of(a), &open);
}

static void do_session_close(struct engine *e, const struct lns_action *a)
{
	const struct lm_key body = lm_key_of(key_of(a));

	engine_tell(e, LM_SESSION_CLOSE, &body);
}

static void do_peer_ready(struct engine *e, const struct lns_action *a)
{
	struct engine_peer *p = engine_peer_find(e, a->r);

	if (p)
		p->is_ready = true;
	engine_ike_send(e, PEER_READY, a->r, a->slot, NULL);
}

static void do_peer_refused(struct engine *e, const struct lns_action *a)
{
	engine_ike_send(e, PEER_REFUSED, a->r, a->slot, a->text);
	/* A refusal of an R that never was is its end too. */
	if (e->is_ending)
		engine_peer_forget(e, a->r);
}

static void do_peer_close(struct engine *e, const struct lns_action *a)
{
	engine_ike_send(e, PEER_CLOSE, a->r, a->slot, a->text);
}

static void do_peer_free(struct engine *e, const struct lns_action *a)
{
	const struct aaa_key key = {.r = a->r};
	const struct lm_key body = lm_key_of(key);

	ports_remove_peer(e->tunnels, a->r);
	engine_cancel(e, key);
	engine_ask(e, LM_PEER_FREE, key, &body);
}

static void do_peer_gone(struct engine *e, const struct lns_action *a)
{
	engine_ike_send(e, PEER_GONE, a->r, a->slot, NULL);
	engine_peer_forget(e, a->r);
}

static void do_log(struct engine *e, const struct lns_action *a)
{
	static const enum log_severity severities[] = {
	    [LNS_LOG_DEBUG] = LOG_SEV_DEBUG,
	    [LNS_LOG_INFO] = LOG_SEV_INFO,
	    [LNS_LOG_WARN] = LOG_SEV_WARN,
	};

	log_write(&e->log, severities[a->level], "%s", a->text);
	if (a->what)
		engine_refused(e, a->r, a->what, a->remedy);
}

static void (*const actions[])(struct engine *, const struct lns_action *) = {
    [LNS_ACT_SOCKET_OPEN] = do_socket_open,
    [LNS_ACT_SEND] = do_send,
    [LNS_ACT_TUNNEL_OPEN] = do_tunnel_open,
    [LNS_ACT_TUNNEL_CLOSE] = do_tunnel_close,
    [LNS_ACT_SESSION_OPEN] = do_session_open,
    [LNS_ACT_SESSION_CLOSE] = do_session_close,
    [LNS_ACT_PEER_READY] = do_peer_ready,
    [LNS_ACT_PEER_REFUSED] = do_peer_refused,
    [LNS_ACT_PEER_CLOSE] = do_peer_close,
    [LNS_ACT_PEER_FREE] = do_peer_free,
    [LNS_ACT_PEER_GONE] = do_peer_gone,
    [LNS_ACT_LOG] = do_log,
};

static void on_timer(uv_timer_t *timer)
{
	struct lns_event ev = {.type = LNS_EV_TICK};

	engine_lns(timer->data, &ev);
}

static void arm(struct engine *e, uint64_t now)
{
	uint64_t due = lns_next_deadline(e->lns);

	if (due == UINT64_MAX)
		uv_timer_stop(&e->timer);
	else
		uv_timer_start(
		    &e->timer, on_timer, due > now ? due - now : 0, 0);
}

/* All R said goodbye: the monitor may go on with its end. */
static void check_done(struct engine *e)
{
	const struct lm_count none = {0};

	if (!e->is_ending || e->is_done || e->peers)
		return;
	e->is_done = true;
	engine_tell(e, LM_SHUTDOWN_DONE, &none);
}

static uint64_t r_of(const struct engine *e, const struct lns_event *ev)
{
	if (ev->type == LNS_EV_TICK)
		return lns_next_r(e->lns);
	return ev->up ? ev->up->r : ev->r;
}

void engine_lns(struct engine *e, struct lns_event *ev)
{
	uv_update_time(&e->loop);
	ev->now_ms = uv_now(&e->loop);
	engine_vault_at_work(e, r_of(e, ev));
	lns_step(e->lns, ev, &e->lns_actions);
	engine_vault_save(e);
	for (size_t i = 0; i < e->lns_actions.count; i++) {
		const struct lns_action *a = &e->lns_actions.items[i];

		actions[a->type](e, a);
	}
	lns_actions_clear(&e->lns_actions);
	if (e->is_serving)
		arm(e, ev->now_ms);
	check_done(e);
}

void engine_on_datagram(void *ctx, struct aaa_key key, const struct addr *from,
    struct wire_span data)
{
	struct lns_event ev = {
	    .type = LNS_EV_DATAGRAM,
	    .r = key.r,
	    .tunnel_id = key.tunnel_id,
	    .peer = *from,
	    .data = data,
	};

	engine_lns(ctx, &ev);
}
