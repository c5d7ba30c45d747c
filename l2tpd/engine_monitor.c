/* SPDX-License-Identifier: ISC */
/* What the monitor says to the engine: answers, ends, what was before. */
#include "l2tpd/engine.h"

#include "common/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- asking ----------------------------------------------------------- */

static void tell(
    struct engine *e, uint16_t type, uint32_t seq, const void *body)
{
	int err = chan_send(e->monitor, type, seq, body, -1);

	if (err && err != -EPIPE)
		log_error(&e->log, "%s to the monitor: %s",
		    msg_name(&lm_table, type), strerror(-err));
}

static uint32_t next_seq(struct engine *e)
{
	if (!++e->last_seq)
		e->last_seq = 1;
	return e->last_seq;
}

struct engine_request *engine_ask(
    struct engine *e, uint16_t type, struct aaa_key key, const void *body)
{
	struct engine_request *req = xcalloc(1, sizeof(*req));

	req->seq = next_seq(e);
	req->type = type;
	req->key = key;
	HASH_ADD(hh, e->requests, seq, sizeof(req->seq), req);
	tell(e, type, req->seq, body);
	return req;
}

void engine_tell(struct engine *e, uint16_t type, const void *body)
{
	tell(e, type, next_seq(e), body);
}

void engine_cancel(struct engine *e, struct aaa_key key)
{
	struct engine_request *req, *next;

	HASH_ITER(hh, e->requests, req, next)
	{
		if (req->type != LM_PEER_OPEN && req->type != LM_TUNNEL_OPEN &&
		    req->type != LM_SESSION_OPEN)
			continue;
		if (req->key.r == key.r &&
		    (!key.tunnel_id || req->key.tunnel_id == key.tunnel_id))
			req->is_cancelled = true;
	}
}

/* --- answers ---------------------------------------------------------- */

static const char *reply_text(const struct lm_reply *reply)
{
	return reply->error ? reply->text : NULL;
}

static void on_peer_opened(struct engine *e, const struct engine_request *req,
    const struct lm_reply *reply, int fd)
{
	struct lns_event ev = {
	    .type = LNS_EV_SOCKET_OPENED,
	    .r = req->key.r,
	    .error = reply->error,
	    .text = reply_text(reply),
	};

	if (!ev.error)
		ev.error = ports_add(e->tunnels, req->key, fd);
	engine_lns(e, &ev);
}

static void on_tunnel_opened(struct engine *e, const struct engine_request *req,
    const struct lm_reply *reply, int fd)
{
	struct lns_event ev = {
	    .type = LNS_EV_TUNNEL_OPENED,
	    .r = req->key.r,
	    .tunnel_id = req->key.tunnel_id,
	    .error = reply->error,
	    .text = reply_text(reply),
	};

	if (!ev.error)
		ev.error = ports_add(e->tunnels, req->key, fd);
	engine_lns(e, &ev);
}

/* AAA knows the session before its plugin's first message is read. */
static void on_session_opened(struct engine *e,
    const struct engine_request *req, const struct lm_reply *reply, int fd)
{
	const struct engine_peer *p = engine_peer_find(e, req->key.r);
	struct aaa_event started = {.type = AAA_EV_STARTED, .key = req->key};
	struct lns_event ev = {
	    .type = LNS_EV_SESSION_OPENED,
	    .r = req->key.r,
	    .tunnel_id = req->key.tunnel_id,
	    .session_id = req->key.session_id,
	    .error = reply->error,
	    .text = reply_text(reply),
	};

	if (!ev.error)
		ev.error = ports_add(e->plugins, req->key, fd);
	if (!ev.error) {
		if (p)
			started.peer = p->up.peer;
		engine_aaa(e, &started);
	}
	engine_lns(e, &ev);
}

static void on_peer_freed(struct engine *e, const struct engine_request *req,
    const struct lm_reply *reply, int fd)
{
	struct lns_event ev = {.type = LNS_EV_PEER_CLOSED, .r = req->key.r};

	(void)reply;
	if (fd >= 0)
		close(fd);
	engine_lns(e, &ev);
}

/*
 * LM_AUTH and LM_STATS have answers of their own kinds; a plain reply is
 * the monitor's refusal to look at the request.
 */
static void on_auth_refused(struct engine *e, const struct engine_request *req,
    const struct lm_reply *reply, int fd)
{
	struct aaa_verdict verdict = {.code = AAA_MALFORMED};
	struct aaa_event ev = {
	    .type = AAA_EV_VERDICT,
	    .key = req->key,
	    .job = req->job,
	    .verdict = &verdict,
	};

	if (fd >= 0)
		close(fd);
	snprintf(verdict.reason, sizeof(verdict.reason), "%.150s", reply->text);
	engine_aaa(e, &ev);
}

static void on_stats_refused(struct engine *e, const struct engine_request *req,
    const struct lm_reply *reply, int fd)
{
	(void)e;
	(void)reply;
	if (fd >= 0)
		close(fd);
	show_stats(req->show, req->row, NULL);
}

static const struct {
	uint16_t type;
	bool wants_fd;
	void (*fn)(struct engine *e, const struct engine_request *req,
	    const struct lm_reply *reply, int fd);
} answers[] = {
    {LM_PEER_OPEN, true, on_peer_opened},
    {LM_TUNNEL_OPEN, true, on_tunnel_opened},
    {LM_SESSION_OPEN, true, on_session_opened},
    {LM_PEER_FREE, false, on_peer_freed},
    {LM_AUTH, false, on_auth_refused},
    {LM_STATS, false, on_stats_refused},
};

/*
 * Of an R or tunnel that is not wanted any more only the descriptor is
 * left.  A session is taken all the same: it will be heard to exit.
 */
static void answer(struct engine *e, const struct engine_request *req,
    const struct lm_reply *reply, int fd)
{
	struct lm_reply copy = *reply;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].type != req->type)
			continue;
		if (answers[i].wants_fd && !copy.error && fd < 0)
			copy.error = -EPROTO;
		if (copy.error)
			log_warn(&e->log, "R %" PRIu64 ": %s", req->key.r,
			    copy.text);
		answers[i].fn(e, req, &copy, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
}

static struct engine_request *take_request(struct engine *e, uint32_t seq)
{
	struct engine_request *req;

	HASH_FIND(hh, e->requests, &seq, sizeof(seq), req);
	if (req)
		HASH_DEL(e->requests, req);
	return req;
}

static void on_reply(
    struct engine *e, uint32_t seq, const struct lm_reply *reply, int fd)
{
	struct engine_request *req = take_request(e, seq);

	if (!req) {
		/* Of something that was only told. */
		if (reply->error && reply->error != -ENOENT)
			log_warn(
			    &e->log, "the monitor refused: %s", reply->text);
		if (fd >= 0)
			close(fd);
		return;
	}
	if (req->is_cancelled && req->type != LM_SESSION_OPEN) {
		if (fd >= 0)
			close(fd);
	} else {
		answer(e, req, reply, fd);
	}
	free(req);
}

static void on_verdict(
    struct engine *e, uint32_t seq, const struct aaa_verdict *verdict)
{
	struct engine_request *req = take_request(e, seq);
	struct aaa_event ev = {.type = AAA_EV_VERDICT, .verdict = verdict};

	if (!req)
		return;
	ev.key = req->key;
	ev.job = req->job;
	engine_aaa(e, &ev);
	free(req);
}

static void on_stats(
    struct engine *e, uint32_t seq, const struct lm_stats *stats)
{
	struct engine_request *req = take_request(e, seq);

	if (!req)
		return;
	if (req->show)
		show_stats(req->show, req->row, stats->error ? NULL : stats);
	free(req);
}

/* --- what it says by itself ------------------------------------------- */

/* --- what was before ---------------------------------------------------- */

/* What was not resumed ends: its R, or the session alone. */
static const struct engine_peer *held_peer(
    struct engine *e, const struct lm_held *held)
{
	const struct peer_up up = {
	    .r = held->r, .slot = held->slot, .local = held->local};
	struct engine_peer *p = engine_peer_find(e, held->r);

	if (!p) {
		p = engine_peer_set(e, &up);
		p->is_ready = true;
	}
	return p;
}

/* Nobody knows its address: until it ends no new client is let in. */
static void add_stray(struct engine *e, struct aaa_key key)
{
	e->strays =
	    xreallocarray(e->strays, e->stray_count + 1, sizeof(*e->strays));
	e->strays[e->stray_count++] = key;
}

static void remove_stray(struct engine *e, struct aaa_key key)
{
	for (size_t i = 0; i < e->stray_count; i++) {
		const struct aaa_key *s = &e->strays[i];

		if (s->r != key.r || s->tunnel_id != key.tunnel_id ||
		    s->session_id != key.session_id)
			continue;
		e->strays[i] = e->strays[--e->stray_count];
		return;
	}
}

/* False when AAA knew nothing of it, and it is no new one. */
static bool held_session(struct engine *e, const struct lm_held *held)
{
	struct aaa_event ev = {
	    .type = AAA_EV_FOUND,
	    .key = {held->r, held->tunnel_id, held->session_id},
	};
	const struct engine_peer *p = engine_peer_find(e, held->r);
	struct aaa_row row;
	bool is_known =
	    aaa_get(e->aaa, ev.key, &row) ||
	    (!held->is_ending && lns_is_opening(e->lns, held->r,
				     held->tunnel_id, held->session_id));

	if (p)
		ev.peer = p->up.peer;
	if (!is_known)
		add_stray(e, ev.key);
	engine_aaa(e, &ev);
	return is_known;
}

/* Of a session that is ending only AAA hears: its address is not free. */
static void on_held(struct engine *e, const struct lm_held *held, int fd)
{
	const struct aaa_key key = {held->r, held->tunnel_id, held->session_id};
	struct lns_event ev = {
	    .type = LNS_EV_FOUND,
	    .r = held->r,
	    .tunnel_id = held->tunnel_id,
	    .session_id = held->session_id,
	    .text = e->lost_reason,
	};

	e->held_count++;
	if (fd >= 0)
		ports_add(held->session_id ? e->plugins : e->tunnels, key, fd);
	if (held->session_id && !held_session(e, held))
		ev.error = -ENOENT;
	if (held->is_ending)
		return;
	ev.up = &held_peer(e, held)->up;
	engine_lns(e, &ev);
}

static void on_held_end(struct engine *e, const struct lm_count *end)
{
	struct aaa_event sessions = {.type = AAA_EV_FOUND_END};
	struct lns_event ev = {.type = LNS_EV_FOUND_END};

	if (e->held_count != end->count)
		log_error(&e->log,
		    "the monitor holds %" PRIu32 " objects, %" PRIu32
		    " of them came",
		    end->count, e->held_count);
	else if (end->count)
		log_info(&e->log, "%" PRIu32 " objects go on", end->count);
	e->is_serving = true;
	engine_aaa(e, &sessions);
	engine_lns(e, &ev);
	ports_resume(e->tunnels);
	if (e->peer_fd >= 0)
		engine_ike_listen(e, e->peer_fd);
}

static void on_exited(struct engine *e, const struct lm_exited *exited)
{
	const struct aaa_key key = {
	    exited->r, exited->tunnel_id, exited->session_id};
	struct aaa_event ended = {
	    .type = AAA_EV_ENDED, .key = key, .text = exited->text};
	struct lns_event down = {
	    .type = LNS_EV_SESSION_DOWN,
	    .r = key.r,
	    .tunnel_id = key.tunnel_id,
	    .session_id = key.session_id,
	    .text = exited->text,
	};

	/* Its last words may still wait in the socket. */
	ports_drain(e->plugins, key);
	ports_remove(e->plugins, key);
	remove_stray(e, key);
	engine_aaa(e, &ended);
	engine_lns(e, &down);
}

static void on_fixed(struct engine *e, const struct lm_fixed *fixed)
{
	struct aaa_event ev = {
	    .type = AAA_EV_FIXED,
	    .data = {fixed->ips.data, fixed->ips.len},
	    .is_first = fixed->is_first != 0,
	};

	engine_aaa(e, &ev);
}

static void on_shutdown(struct engine *e)
{
	struct lns_event ev = {.type = LNS_EV_SHUTDOWN};

	e->is_ending = true;
	engine_lns(e, &ev);
}

void engine_on_monitor(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct engine *e = ctx;

	(void)chan;
	switch (hdr->type) {
	case LM_REPLY:
		on_reply(e, hdr->seq, body, fd);
		return;
	case LM_HELD:
		on_held(e, body, fd);
		return;
	case LM_VERDICT:
		on_verdict(e, hdr->seq, body);
		break;
	case LM_STATS_REPLY:
		on_stats(e, hdr->seq, body);
		break;
	case LM_HELD_END:
		on_held_end(e, body);
		break;
	case LM_SESSION_EXITED:
		on_exited(e, body);
		break;
	case LM_SHUTDOWN:
		on_shutdown(e);
		break;
	case LM_FIXED:
		on_fixed(e, body);
		break;
	default:
		log_error(&e->log, "the monitor sent %s",
		    msg_name(&lm_table, hdr->type));
		break;
	}
	if (fd >= 0)
		close(fd);
}
