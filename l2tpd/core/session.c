/* SPDX-License-Identifier: ISC */
/*
 * Incoming calls as the LNS sees them (RFC 2661 section 7.4.2), with the
 * kernel's and pppd's part as a state of its own.
 */
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

const char *lns_session_state_name(enum lns_session_state state)
{
	switch (state) {
#define X(id, text)                                                            \
	case LNS_SESSION_##id:                                                 \
		return text;
		LNS_SESSION_STATES(X)
#undef X
	case LNS_SESSION_STATE_COUNT:
		break;
	}
	return "unknown";
}

static const char *const event_names[] = {
    [SESSION_EV_ICRQ] = "ICRQ",
    [SESSION_EV_ICRP] = "ICRP",
    [SESSION_EV_ICCN] = "ICCN",
    [SESSION_EV_OUTGOING] = "outgoing call message",
    [SESSION_EV_CDN] = "CDN",
    [SESSION_EV_STATUS] = "WEN or SLI",
    [SESSION_EV_OPENED] = "opened",
    [SESSION_EV_OPEN_FAILED] = "open failed",
    [SESSION_EV_PPP_DOWN] = "PPP down",
    [SESSION_EV_TIMEOUT] = "timeout",
    [SESSION_EV_REFUSE] = "refused",
    [SESSION_EV_DROP] = "dropped",
};

/* --- ids ------------------------------------------------------------ */

bool lns_session_id_is_used(const struct lns *lns, uint16_t id)
{
	return lns->session_ids[id / 8] >> (id % 8) & 1;
}

static void id_mark(struct lns *lns, uint16_t id, bool used)
{
	uint8_t bit = (uint8_t)(1u << (id % 8));

	if (used)
		lns->session_ids[id / 8] |= bit;
	else
		lns->session_ids[id / 8] &= (uint8_t)~bit;
}

/* Unpredictable, and unique in the process: kernels below 6.11 look data
 * up by session id.  0 when there is none. */
static uint16_t id_choose(struct lns *lns)
{
	uint16_t id;

	if (lns->random(lns->random_ctx, &id, sizeof(id)))
		return 0;
	for (uint32_t n = 0; n <= UINT16_MAX; n++, id++)
		if (id && !lns_session_id_is_used(lns, id))
			return id;
	return 0;
}

/* --- life ----------------------------------------------------------- */

struct lns_session *lns_session_new(struct lns_tunnel *tunnel, uint16_t id)
{
	struct lns_session *s = xcalloc(1, sizeof(*s));

	s->tunnel = tunnel;
	s->id = id;
	s->deadline = LNS_NEVER;
	id_mark(tunnel->peer->lns, id, true);
	LL_APPEND(tunnel->sessions, s);
	return s;
}

void lns_session_free(struct lns_session *session)
{
	id_mark(session->tunnel->peer->lns, session->id, false);
	LL_DELETE(session->tunnel->sessions, session);
	free(session);
}

struct lns_session *lns_session_find(
    const struct lns_tunnel *tunnel, uint16_t session_id)
{
	struct lns_session *s;

	LL_FOREACH(tunnel->sessions, s)
	{
		if (s->id == session_id && s->state != LNS_SESSION_CLOSING)
			return s;
	}
	return NULL;
}

static size_t count_calls(const struct lns_peer *peer)
{
	const struct lns_tunnel *t;
	const struct lns_session *s;
	size_t n = 0;

	LL_FOREACH(peer->tunnels, t)
	{
		LL_FOREACH(t->sessions, s)
		{
			n += s->state != LNS_SESSION_CLOSING;
		}
	}
	return n;
}

/* --- actions -------------------------------------------------------- */

static void send_cdn(struct lns_tunnel *tunnel, uint16_t id, uint16_t peer_id,
    const struct lns_cause *cause)
{
	struct l2tp_msg msg = {.type = L2TP_CDN};

	L2TP_SET(&msg, RESULT_CODE);
	msg.result.code = cause->result;
	msg.result.has_error = true;
	msg.result.error = cause->error;
	if (cause->text)
		msg.result.text = (struct wire_span){
		    (const uint8_t *)cause->text, strlen(cause->text)};
	L2TP_SET(&msg, ASSIGNED_SESSION_ID);
	msg.assigned_session_id = id;
	lns_tunnel_send(tunnel, &msg, peer_id);
}

static void answer(struct lns_session *s, const struct lns_cause *cause)
{
	struct l2tp_msg msg = {.type = L2TP_ICRP};

	(void)cause;
	L2TP_SET(&msg, ASSIGNED_SESSION_ID);
	msg.assigned_session_id = s->id;
	lns_tunnel_send(s->tunnel, &msg, s->peer_id);
	s->deadline =
	    s->tunnel->peer->lns->now + s->tunnel->peer->lns->cfg.setup_ms;
}

static void open_kernel(struct lns_session *s, const struct lns_cause *cause)
{
	s->sequencing = L2TP_HAS(cause->msg, SEQUENCING_REQUIRED);
	s->in_kernel = true;
	lns_act_session(s, LNS_ACT_SESSION_OPEN);
	s->deadline =
	    s->tunnel->peer->lns->now + s->tunnel->peer->lns->cfg.setup_ms;
}

static void up(struct lns_session *s, const struct lns_cause *cause)
{
	(void)cause;
	s->deadline = LNS_NEVER;
	lns_log_session(
	    s, LNS_LOG_INFO, "call of host \"%s\" is up", s->tunnel->host);
}

/* Takes back what the kernel and pppd have of it. */
static void drop(struct lns_session *s, const struct lns_cause *cause)
{
	(void)cause;
	s->deadline = LNS_NEVER;
	if (!s->in_kernel)
		return;
	s->in_kernel = false;
	lns_act_session(s, LNS_ACT_SESSION_CLOSE);
}

static void disconnect(struct lns_session *s, const struct lns_cause *cause)
{
	const char *text = cause->text ? cause->text : "no reason given";

	if (cause->result == L2TP_CDN_ERROR ||
	    cause->result == L2TP_CDN_TIMEOUT)
		lns_refuse(s->tunnel->peer, s->tunnel->id, NULL,
		    "call ends: %s (CDN %s)", text,
		    l2tp_cdn_result_name(cause->result));
	else
		lns_log_session(s, LNS_LOG_INFO, "call ends: %s (CDN %s)", text,
		    l2tp_cdn_result_name(cause->result));
	drop(s, cause);
	send_cdn(s->tunnel, s->id, s->peer_id, cause);
}

static void open_failed(struct lns_session *s, const struct lns_cause *cause)
{
	struct lns_cause why = *cause;

	/* Nothing is left of a session that could not be opened. */
	s->in_kernel = false;
	why.result = L2TP_CDN_ERROR;
	why.error = L2TP_ERROR_RESOURCES;
	disconnect(s, &why);
}

static void ppp_down(struct lns_session *s, const struct lns_cause *cause)
{
	struct lns_cause why = *cause;

	why.result = L2TP_CDN_CARRIER;
	disconnect(s, &why);
}

static void timed_out(struct lns_session *s, const struct lns_cause *cause)
{
	struct lns_cause why = {.result = L2TP_CDN_TIMEOUT};

	(void)cause;
	why.text = s->in_kernel ? "the kernel's session or pppd took too long"
				: "no ICCN in time";
	disconnect(s, &why);
}

static void cleared(struct lns_session *s, const struct lns_cause *cause)
{
	char text[96];

	lns_log_session(s, LNS_LOG_INFO, "the client ends the call: %s%s%s",
	    l2tp_cdn_result_name(cause->msg->result.code),
	    cause->msg->result.text.len ? ", " : "",
	    l2tp_printable(cause->msg->result.text, text, sizeof(text)));
	drop(s, cause);
}

static void nothing(struct lns_session *s, const struct lns_cause *cause)
{
	(void)s;
	(void)cause;
}

/* --- the machine ---------------------------------------------------- */

typedef void (*session_action_fn)(
    struct lns_session *s, const struct lns_cause *cause);

#define IN(state) (1u << LNS_SESSION_##state)
#define PENDING (IN(WAIT_CONNECT) | IN(WAIT_KERNEL))
#define LIVE (PENDING | IN(ESTABLISHED))
#define STAY LNS_SESSION_STATE_COUNT

struct session_row {
	unsigned int states;
	enum lns_session_event event;
	session_action_fn action;
	enum lns_session_state next;
};

/* clang-format off */
static const struct session_row rows[] = {
	{IN(IDLE), SESSION_EV_ICRQ, answer, LNS_SESSION_WAIT_CONNECT},
	{IN(WAIT_CONNECT), SESSION_EV_ICCN, open_kernel,
	    LNS_SESSION_WAIT_KERNEL},
	{IN(WAIT_KERNEL), SESSION_EV_OPENED, up, LNS_SESSION_ESTABLISHED},
	{IN(WAIT_KERNEL), SESSION_EV_OPEN_FAILED, open_failed,
	    LNS_SESSION_CLOSING},
	{IN(WAIT_KERNEL) | IN(ESTABLISHED), SESSION_EV_PPP_DOWN, ppp_down,
	    LNS_SESSION_CLOSING},
	{PENDING, SESSION_EV_TIMEOUT, timed_out, LNS_SESSION_CLOSING},
	{LIVE, SESSION_EV_CDN, cleared, LNS_SESSION_CLOSING},
	{LIVE, SESSION_EV_STATUS, nothing, STAY},
	{LIVE, SESSION_EV_REFUSE, disconnect, LNS_SESSION_CLOSING},
	{IN(IDLE) | LIVE, SESSION_EV_DROP, drop, LNS_SESSION_CLOSING},
};
/* clang-format on */

static const struct session_row *find_row(
    enum lns_session_state state, enum lns_session_event event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].event == event && (rows[i].states >> state & 1))
			return &rows[i];
	return NULL;
}

/* The only writer of a session's state. */
static void set_state(struct lns_session *s, enum lns_session_state next)
{
	s->state = next;
}

void lns_session_restore_state(
    struct lns_session *session, enum lns_session_state state)
{
	set_state(session, state);
}

/* Section 7.4.2: a message that the state does not expect ends the call. */
static void miss(struct lns_session *s, enum lns_session_event event,
    const struct lns_cause *cause)
{
	struct lns_cause why = {.result = L2TP_CDN_ERROR};
	char text[96];

	snprintf(text, sizeof(text), "%s is not expected in state %s",
	    event_names[event], lns_session_state_name(s->state));
	why.text = text;
	if (!cause->msg || !(LIVE >> s->state & 1)) {
		lns_log_session(s, LNS_LOG_DEBUG, "%s", text);
		return;
	}
	lns_session_apply(s, SESSION_EV_REFUSE, &why);
}

void lns_session_apply(struct lns_session *session,
    enum lns_session_event event, const struct lns_cause *cause)
{
	const struct session_row *row = find_row(session->state, event);

	if (!row) {
		miss(session, event, cause);
		return;
	}
	if (row->next != STAY) {
		lns_log_session(session, LNS_LOG_DEBUG, "%s: %s -> %s",
		    event_names[event], lns_session_state_name(session->state),
		    lns_session_state_name(row->next));
		set_state(session, row->next);
	}
	row->action(session, cause);
}

/* --- messages ------------------------------------------------------- */

static void refuse_call(struct lns_tunnel *t, const struct l2tp_msg *msg,
    uint16_t result, uint16_t error, const char *text)
{
	const struct lns_cause why = {
	    .result = result, .error = error, .text = text};

	lns_refuse(t->peer, t->id, NULL, "%s refused: %s",
	    l2tp_message_name(msg->type), text);
	/* Section 6.12: our session id is 0 when none was assigned. */
	send_cdn(t, 0, msg->assigned_session_id, &why);
}

/* A client that uses a session id again has forgotten the old call. */
static void drop_same_peer_id(struct lns_tunnel *t, uint16_t peer_id)
{
	const struct lns_cause none = {0};
	struct lns_session *s;

	LL_FOREACH(t->sessions, s)
	{
		if (s->peer_id != peer_id || s->state == LNS_SESSION_CLOSING)
			continue;
		lns_log_session(s, LNS_LOG_INFO,
		    "replaced: the client's session id %u begins a new call",
		    peer_id);
		lns_session_apply(s, SESSION_EV_DROP, &none);
	}
}

static void incoming_request(struct lns_tunnel *t, const struct l2tp_msg *msg)
{
	const struct lns_cause cause = {.msg = msg};
	struct lns *lns = t->peer->lns;
	struct lns_session *s;
	char text[80];
	uint16_t id;

	if (t->state != LNS_TUNNEL_ESTABLISHED) {
		refuse_call(t, msg, L2TP_CDN_ERROR, L2TP_ERROR_NO_CONNECTION,
		    "the tunnel is not established");
		return;
	}
	if (!msg->assigned_session_id) {
		refuse_call(t, msg, L2TP_CDN_ERROR, L2TP_ERROR_VALUE,
		    "Assigned Session ID is 0");
		return;
	}
	drop_same_peer_id(t, msg->assigned_session_id);
	if (count_calls(t->peer) >= lns->cfg.max_calls) {
		snprintf(text, sizeof(text),
		    "this client has its %u calls already", lns->cfg.max_calls);
		refuse_call(t, msg, L2TP_CDN_BUSY_NOW, 0, text);
		return;
	}
	id = id_choose(lns);
	if (!id) {
		refuse_call(
		    t, msg, L2TP_CDN_BUSY_NOW, 0, "no session id is to be had");
		return;
	}
	s = lns_session_new(t, id);
	s->peer_id = msg->assigned_session_id;
	t->deadline = LNS_NEVER;
	lns_session_apply(s, SESSION_EV_ICRQ, &cause);
}

/* Section 6.12: a CDN may come before the client knows our session id; the
 * one that it assigned tells then. */
static struct lns_session *find_addressed(
    struct lns_tunnel *t, uint16_t session_id, const struct l2tp_msg *msg)
{
	struct lns_session *s;

	if (session_id)
		return lns_session_find(t, session_id);
	if (msg->type != L2TP_CDN || !msg->assigned_session_id)
		return NULL;
	LL_FOREACH(t->sessions, s)
	{
		if (s->peer_id == msg->assigned_session_id &&
		    s->state != LNS_SESSION_CLOSING)
			return s;
	}
	return NULL;
}

static enum lns_session_event event_of(uint16_t type)
{
	if (type == L2TP_ICRQ)
		return SESSION_EV_ICRQ;
	if (type == L2TP_ICRP)
		return SESSION_EV_ICRP;
	if (type == L2TP_ICCN)
		return SESSION_EV_ICCN;
	if (type == L2TP_CDN)
		return SESSION_EV_CDN;
	if (type == L2TP_WEN || type == L2TP_SLI)
		return SESSION_EV_STATUS;
	return SESSION_EV_OUTGOING;
}

void lns_session_message(struct lns_tunnel *tunnel, uint16_t session_id,
    const struct l2tp_msg *msg, const struct l2tp_problem *problem)
{
	struct lns_session *s = find_addressed(tunnel, session_id, msg);
	struct lns_cause cause = {.msg = msg};

	if (!s && session_id && msg->type == L2TP_ICRQ)
		session_id = 0; /* "reserved until known": tolerated */
	if (problem && !s && msg->type == L2TP_ICRQ) {
		refuse_call(
		    tunnel, msg, L2TP_CDN_ERROR, problem->error, problem->text);
	} else if (problem && s && msg->type != L2TP_CDN) {
		cause.result = L2TP_CDN_ERROR;
		cause.error = problem->error;
		cause.text = problem->text;
		lns_session_apply(s, SESSION_EV_REFUSE, &cause);
	} else if (s) {
		lns_session_apply(s, event_of(msg->type), &cause);
	} else if (msg->type == L2TP_ICRQ) {
		incoming_request(tunnel, msg);
	} else if (msg->type == L2TP_OCRQ) {
		refuse_call(tunnel, msg, L2TP_CDN_NEVER, 0,
		    "this LNS places no outgoing calls");
	} else {
		lns_log_tunnel(tunnel, LNS_LOG_DEBUG,
		    "%s for session %u, which does not exist",
		    l2tp_message_name(msg->type), session_id);
	}
}
