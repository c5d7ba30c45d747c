/* SPDX-License-Identifier: ISC */
/*
 * Control connections as the responder sees them (RFC 2661 section 7.2.1),
 * with the kernel's tunnel as a state of its own.
 */
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

const char *lns_tunnel_state_name(enum lns_tunnel_state state)
{
	switch (state) {
#define X(id, text)                                                            \
	case LNS_TUNNEL_##id:                                                  \
		return text;
		LNS_TUNNEL_STATES(X)
#undef X
	case LNS_TUNNEL_STATE_COUNT:
		break;
	}
	return "unknown";
}

static const char *const event_names[] = {
    [TUNNEL_EV_SCCRQ] = "SCCRQ",
    [TUNNEL_EV_SCCRP] = "SCCRP",
    [TUNNEL_EV_SCCCN] = "SCCCN",
    [TUNNEL_EV_STOPCCN] = "StopCCN",
    [TUNNEL_EV_HELLO] = "HELLO",
    [TUNNEL_EV_OPENED] = "opened",
    [TUNNEL_EV_OPEN_FAILED] = "open failed",
    [TUNNEL_EV_TIMEOUT] = "timeout",
    [TUNNEL_EV_SILENCE] = "silence",
    [TUNNEL_EV_REFUSE] = "refused",
    [TUNNEL_EV_ACKED] = "acknowledged",
    [TUNNEL_EV_DROP] = "dropped",
};

/* --- life ----------------------------------------------------------- */

struct lns_tunnel *lns_tunnel_new(struct lns_peer *peer, uint16_t id)
{
	const struct lns_config *cfg = &peer->lns->cfg;
	const struct l2tp_reliable_config rel = {
	    .window = cfg->receive_window,
	    .retransmit_ms = cfg->retransmit_ms,
	    .cap_ms = cfg->retransmit_cap_ms,
	    .retries = cfg->retries,
	};
	struct lns_tunnel *t = xcalloc(1, sizeof(*t));

	t->peer = peer;
	t->id = id;
	t->deadline = LNS_NEVER;
	t->hello_at = LNS_NEVER;
	l2tp_reliable_init(&t->rel, &rel);
	LL_APPEND(peer->tunnels, t);
	return t;
}

void lns_tunnel_free(struct lns_tunnel *tunnel)
{
	while (tunnel->sessions)
		lns_session_free(tunnel->sessions);
	l2tp_reliable_free(&tunnel->rel);
	LL_DELETE(tunnel->peer->tunnels, tunnel);
	free(tunnel);
}

struct lns_tunnel *lns_tunnel_find(
    const struct lns_peer *peer, uint16_t tunnel_id)
{
	struct lns_tunnel *t;

	LL_FOREACH(peer->tunnels, t)
	{
		if (t->id == tunnel_id && t->state != LNS_TUNNEL_DEAD)
			return t;
	}
	return NULL;
}

#define IN(state) LNS_TUNNEL_BIT(state)
#define OPENING (IN(WAIT_SOCKET) | IN(WAIT_CTL_CONN))
#define LIVE (OPENING | IN(ESTABLISHED))
#define STAY LNS_TUNNEL_STATE_COUNT

bool lns_tunnel_is_live(const struct lns_tunnel *tunnel)
{
	return (LIVE | IN(IDLE)) >> tunnel->state & 1;
}

/* --- actions -------------------------------------------------------- */

static uint64_t after(const struct lns_tunnel *t, uint64_t ms)
{
	return t->peer->lns->now + ms;
}

static void open_kernel(struct lns_tunnel *t, const struct lns_cause *cause)
{
	(void)cause;
	t->in_kernel = true;
	t->deadline = after(t, t->peer->lns->cfg.setup_ms);
	lns_log_tunnel(t, LNS_LOG_INFO,
	    "SCCRQ of host \"%s\", its tunnel id %u", t->host, t->peer_id);
	lns_act_tunnel(t, LNS_ACT_TUNNEL_OPEN);
}

static void accept_it(struct lns_tunnel *t, const struct lns_cause *cause)
{
	const struct lns_config *cfg = &t->peer->lns->cfg;
	struct l2tp_msg msg = {.type = L2TP_SCCRP};

	(void)cause;
	t->has_socket = true;
	L2TP_SET(&msg, PROTOCOL_VERSION);
	msg.protocol_version = L2TP_PROTOCOL_VERSION;
	L2TP_SET(&msg, FRAMING_CAPABILITIES);
	msg.framing_capabilities = L2TP_FRAMING_SYNC | L2TP_FRAMING_ASYNC;
	L2TP_SET(&msg, BEARER_CAPABILITIES);
	L2TP_SET(&msg, HOST_NAME);
	msg.host_name = (struct wire_span){
	    (const uint8_t *)cfg->hostname, strlen(cfg->hostname)};
	L2TP_SET(&msg, ASSIGNED_TUNNEL_ID);
	msg.assigned_tunnel_id = t->id;
	L2TP_SET(&msg, RECEIVE_WINDOW_SIZE);
	msg.receive_window = cfg->receive_window;
	lns_tunnel_send(t, &msg, 0);
}

/* Sessions and the kernel's tunnel go, in this order. */
static void release(struct lns_tunnel *t, const struct lns_cause *cause)
{
	struct lns_session *s;

	LL_FOREACH(t->sessions, s)
	{
		if (s->state != LNS_SESSION_CLOSING)
			lns_session_apply(s, SESSION_EV_DROP, cause);
	}
	t->hello_at = LNS_NEVER;
	t->deadline = LNS_NEVER;
	t->has_socket = false;
	if (!t->in_kernel)
		return;
	t->in_kernel = false;
	lns_act_tunnel(t, LNS_ACT_TUNNEL_CLOSE);
}

static void send_stop(struct lns_tunnel *t, const struct lns_cause *cause)
{
	struct l2tp_msg msg = {.type = L2TP_STOPCCN};

	L2TP_SET(&msg, RESULT_CODE);
	msg.result.code = cause->result;
	msg.result.has_error = true;
	msg.result.error = cause->error;
	if (cause->text)
		msg.result.text = (struct wire_span){
		    (const uint8_t *)cause->text, strlen(cause->text)};
	L2TP_SET(&msg, ASSIGNED_TUNNEL_ID);
	msg.assigned_tunnel_id = t->id;
	lns_tunnel_send(t, &msg, 0);
}

/* The operator's wish and our own end are no refusal. */
static void say_stop(const struct lns_tunnel *t, const struct lns_cause *cause)
{
	const char *text = cause->text ? cause->text : "no reason given";
	const char *result = l2tp_stop_result_name(cause->result);

	if (cause->is_refusal || cause->result == L2TP_STOP_ERROR ||
	    cause->result == L2TP_STOP_FSM)
		lns_refuse(t->peer, t->id, cause->remedy,
		    "tunnel ends: %s (StopCCN %s)", text, result);
	else
		lns_log_tunnel(
		    t, LNS_LOG_INFO, "ends: %s (StopCCN %s)", text, result);
}

static void stop(struct lns_tunnel *t, const struct lns_cause *cause)
{
	struct lns_cause call = {.result = L2TP_CDN_ADMIN, .text = cause->text};
	struct lns_session *s;

	say_stop(t, cause);
	if (cause->result == L2TP_STOP_ERROR) {
		call.result = L2TP_CDN_ERROR;
		call.error = cause->error;
	}
	LL_FOREACH(t->sessions, s)
	{
		if (s->state != LNS_SESSION_CLOSING)
			lns_session_apply(s, SESSION_EV_REFUSE, &call);
	}
	t->hello_at = LNS_NEVER;
	t->deadline = LNS_NEVER;
	send_stop(t, cause);
}

static void open_failed(struct lns_tunnel *t, const struct lns_cause *cause)
{
	struct lns_cause why = *cause;

	/* Nothing is left of a tunnel that could not be opened. */
	t->in_kernel = false;
	lns_log_tunnel(t, LNS_LOG_WARN, "the kernel has no tunnel: %s",
	    cause->text ? cause->text : "no reason given");
	why.result = L2TP_STOP_ERROR;
	why.error = L2TP_ERROR_RESOURCES;
	stop(t, &why);
}

static void established(struct lns_tunnel *t, const struct lns_cause *cause)
{
	(void)cause;
	t->deadline = after(t, t->peer->lns->cfg.setup_ms);
	lns_tunnel_heard(t);
	lns_log_tunnel(
	    t, LNS_LOG_INFO, "established with host \"%s\"", t->host);
}

static void timed_out(struct lns_tunnel *t, const struct lns_cause *cause)
{
	struct lns_cause why = {.result = L2TP_STOP_CLEAR, .is_refusal = true};

	(void)cause;
	why.text = "no SCCCN in time";
	/* The state is the new one already; a tunnel without socket was
	 * waiting for the kernel. */
	if (!t->has_socket)
		why.text = "the kernel's tunnel took too long";
	stop(t, &why);
}

static void idle(struct lns_tunnel *t, const struct lns_cause *cause)
{
	const struct lns_cause why = {
	    .result = L2TP_STOP_CLEAR, .text = "it has no call"};

	(void)cause;
	stop(t, &why);
}

/* Section 5.7: the receiver of StopCCN acknowledges duplicates of it for a
 * whole cycle of retransmissions. */
static void stopped(struct lns_tunnel *t, const struct lns_cause *cause)
{
	char text[96];

	lns_log_tunnel(t, LNS_LOG_INFO, "the client ends it: %s%s%s",
	    l2tp_stop_result_name(cause->msg->result.code),
	    cause->msg->result.text.len ? ", " : "",
	    l2tp_printable(cause->msg->result.text, text, sizeof(text)));
	release(t, cause);
	l2tp_reliable_abandon(&t->rel);
	t->deadline = after(t, L2TP_LINGER_MS);
}

static void silent(struct lns_tunnel *t, const struct lns_cause *cause)
{
	lns_refuse(t->peer, t->id, NULL, "tunnel is dead: %s", cause->text);
	release(t, cause);
	if (!lns_peer_has_live_tunnel(t->peer))
		lns_peer_ask_close(t->peer, cause->text);
}

static void nothing(struct lns_tunnel *t, const struct lns_cause *cause)
{
	(void)t;
	(void)cause;
}

/* --- the machine ---------------------------------------------------- */

typedef void (*tunnel_action_fn)(
    struct lns_tunnel *t, const struct lns_cause *cause);

struct tunnel_row {
	unsigned int states;
	enum lns_tunnel_event event;
	tunnel_action_fn action;
	enum lns_tunnel_state next;
};

#define ENDED (IN(CLOSING) | IN(LINGER))

/* clang-format off */
static const struct tunnel_row rows[] = {
	{IN(IDLE), TUNNEL_EV_SCCRQ, open_kernel, LNS_TUNNEL_WAIT_SOCKET},
	{IN(WAIT_SOCKET), TUNNEL_EV_OPENED, accept_it,
	    LNS_TUNNEL_WAIT_CTL_CONN},
	{IN(WAIT_SOCKET), TUNNEL_EV_OPEN_FAILED, open_failed,
	    LNS_TUNNEL_CLOSING},
	{IN(WAIT_CTL_CONN), TUNNEL_EV_SCCCN, established,
	    LNS_TUNNEL_ESTABLISHED},
	{OPENING, TUNNEL_EV_TIMEOUT, timed_out, LNS_TUNNEL_CLOSING},
	{IN(ESTABLISHED), TUNNEL_EV_TIMEOUT, idle, LNS_TUNNEL_CLOSING},
	{LIVE, TUNNEL_EV_HELLO, nothing, STAY},
	{LIVE, TUNNEL_EV_ACKED, nothing, STAY},
	{LIVE, TUNNEL_EV_SILENCE, silent, LNS_TUNNEL_DEAD},
	{LIVE, TUNNEL_EV_REFUSE, stop, LNS_TUNNEL_CLOSING},
	{LIVE | IN(CLOSING), TUNNEL_EV_STOPCCN, stopped, LNS_TUNNEL_LINGER},
	{IN(CLOSING), TUNNEL_EV_ACKED, release, LNS_TUNNEL_DEAD},
	{ENDED, TUNNEL_EV_SILENCE, release, LNS_TUNNEL_DEAD},
	{ENDED, TUNNEL_EV_TIMEOUT, release, LNS_TUNNEL_DEAD},
	{ENDED, TUNNEL_EV_SCCRQ, nothing, STAY},
	{ENDED, TUNNEL_EV_SCCRP, nothing, STAY},
	{ENDED, TUNNEL_EV_SCCCN, nothing, STAY},
	{ENDED, TUNNEL_EV_HELLO, nothing, STAY},
	{ENDED, TUNNEL_EV_REFUSE, nothing, STAY},
	{IN(LINGER), TUNNEL_EV_STOPCCN, nothing, STAY},
	{IN(LINGER), TUNNEL_EV_ACKED, nothing, STAY},
	{IN(IDLE) | LIVE | ENDED, TUNNEL_EV_DROP, release, LNS_TUNNEL_DEAD},
};
/* clang-format on */

static const struct tunnel_row *find_row(
    enum lns_tunnel_state state, enum lns_tunnel_event event)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].event == event && (rows[i].states >> state & 1))
			return &rows[i];
	return NULL;
}

/* The only writer of a tunnel's state. */
static void set_state(struct lns_tunnel *t, enum lns_tunnel_state next)
{
	t->state = next;
}

void lns_tunnel_restore_state(
    struct lns_tunnel *tunnel, enum lns_tunnel_state state)
{
	set_state(tunnel, state);
}

/* Section 7.2.1: a message that the state does not expect ends it. */
static void miss(struct lns_tunnel *t, enum lns_tunnel_event event,
    const struct lns_cause *cause)
{
	struct lns_cause why = {.result = L2TP_STOP_FSM};
	char text[96];

	snprintf(text, sizeof(text), "%s is not expected in state %s",
	    event_names[event], lns_tunnel_state_name(t->state));
	why.text = text;
	if (!cause->msg || !(LIVE >> t->state & 1)) {
		lns_log_tunnel(t, LNS_LOG_DEBUG, "%s", text);
		return;
	}
	lns_tunnel_apply(t, TUNNEL_EV_REFUSE, &why);
}

void lns_tunnel_apply(struct lns_tunnel *tunnel, enum lns_tunnel_event event,
    const struct lns_cause *cause)
{
	const struct tunnel_row *row = find_row(tunnel->state, event);

	if (!row) {
		miss(tunnel, event, cause);
		return;
	}
	if (row->next != STAY) {
		lns_log_tunnel(tunnel, LNS_LOG_DEBUG, "%s: %s -> %s",
		    event_names[event], lns_tunnel_state_name(tunnel->state),
		    lns_tunnel_state_name(row->next));
		set_state(tunnel, row->next);
	}
	row->action(tunnel, cause);
}
