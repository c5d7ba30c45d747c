/* SPDX-License-Identifier: ISC */
/* What a tunnel sends, what it hears, and its deadlines. */
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define IN(state) LNS_TUNNEL_BIT(state)
#define ENDED (IN(CLOSING) | IN(LINGER))
#define TALKING (IN(WAIT_CTL_CONN) | IN(ESTABLISHED) | ENDED)

/* --- sending -------------------------------------------------------- */

void lns_tunnel_send(
    struct lns_tunnel *tunnel, const struct l2tp_msg *msg, uint16_t session_id)
{
	uint8_t buf[LNS_DATAGRAM_MAX];
	int len =
	    l2tp_msg_encode(msg, tunnel->peer_id, session_id, buf, sizeof(buf));

	if (len < 0 || l2tp_reliable_queue(&tunnel->rel, buf, (size_t)len))
		tunnel->is_choked = true;
}

static void emit(void *ctx, const uint8_t *data, size_t len)
{
	struct lns_tunnel *t = ctx;
	struct lns_action *act = lns_act(t->peer, LNS_ACT_SEND);

	act->tunnel_id = t->has_socket ? t->id : 0;
	act->peer = t->addr;
	act->data = xmemdup(data, len);
	act->len = len;
}

static void flush(struct lns_tunnel *t)
{
	/* Until the kernel has the tunnel nothing is said, not even an
	 * acknowledgement: the client may send data after SCCRP only. */
	if (TALKING >> t->state & 1)
		l2tp_reliable_output(&t->rel, t->peer->lns->now, emit, t);
}

void lns_tunnel_resend(struct lns_tunnel *tunnel)
{
	if (TALKING >> tunnel->state & 1)
		l2tp_reliable_resend(&tunnel->rel, emit, tunnel);
}

void lns_tunnel_heard(struct lns_tunnel *tunnel)
{
	uint32_t ms = tunnel->peer->lns->cfg.hello_ms;

	if (tunnel->state == LNS_TUNNEL_ESTABLISHED && ms)
		tunnel->hello_at = tunnel->peer->lns->now + ms;
}

/* --- messages ------------------------------------------------------- */

static bool is_tunnel_message(uint16_t type, enum lns_tunnel_event *event)
{
	static const struct {
		uint16_t type;
		enum lns_tunnel_event event;
	} events[] = {
	    {L2TP_SCCRQ, TUNNEL_EV_SCCRQ},
	    {L2TP_SCCRP, TUNNEL_EV_SCCRP},
	    {L2TP_SCCCN, TUNNEL_EV_SCCCN},
	    {L2TP_STOPCCN, TUNNEL_EV_STOPCCN},
	    {L2TP_HELLO, TUNNEL_EV_HELLO},
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i].type == type) {
			*event = events[i].event;
			return true;
		}
	}
	return false;
}

static void refuse(struct lns_tunnel *t, const struct l2tp_problem *problem)
{
	const struct lns_cause why = {.result = L2TP_STOP_ERROR,
	    .error = problem->error,
	    .text = problem->text};

	lns_tunnel_apply(t, TUNNEL_EV_REFUSE, &why);
}

void lns_tunnel_message(
    struct lns_tunnel *tunnel, const struct l2tp_received *received)
{
	struct l2tp_problem problem;
	struct l2tp_msg msg;
	struct lns_cause cause = {.msg = &msg};
	enum lns_tunnel_event event;
	bool is_bad = l2tp_msg_decode(
	    (struct wire_span){received->data, received->len}, &msg, &problem);

	lns_log_tunnel(tunnel, LNS_LOG_DEBUG, "%s, session %u, Ns %u%s%s",
	    l2tp_message_name(msg.type), received->session_id, received->ns,
	    is_bad ? ": " : "", is_bad ? problem.text : "");
	if (is_bad && (problem.is_fatal || !msg.type)) {
		refuse(tunnel, &problem);
		return;
	}
	if (!is_tunnel_message(msg.type, &event)) {
		if (ENDED >> tunnel->state & 1)
			return;
		if (msg.type && strcmp(l2tp_message_name(msg.type), "unknown"))
			lns_session_message(tunnel, received->session_id, &msg,
			    is_bad ? &problem : NULL);
		return;
	}
	/* A StopCCN ends the tunnel however badly it says so. */
	if (is_bad && msg.type != L2TP_STOPCCN) {
		refuse(tunnel, &problem);
		return;
	}
	lns_tunnel_apply(tunnel, event, &cause);
}

/* --- time ----------------------------------------------------------- */

static void silence(struct lns_tunnel *t)
{
	struct lns_cause cause = {0};
	char text[96];

	snprintf(text, sizeof(text), "no answer to %u retransmissions of %s",
	    t->rel.tries, l2tp_message_name(l2tp_reliable_oldest(&t->rel)));
	cause.text = text;
	lns_tunnel_apply(t, TUNNEL_EV_SILENCE, &cause);
}

static void hello(struct lns_tunnel *t)
{
	const struct l2tp_msg msg = {.type = L2TP_HELLO};

	lns_tunnel_heard(t);
	/* Something unanswered asks the same question. */
	if (l2tp_reliable_is_idle(&t->rel))
		lns_tunnel_send(t, &msg, 0);
}

void lns_tunnel_tick(struct lns_tunnel *tunnel)
{
	const struct lns_cause none = {0};
	struct lns *lns = tunnel->peer->lns;
	struct lns_session *s;

	LL_FOREACH(tunnel->sessions, s)
	{
		if (s->deadline <= lns->now)
			lns_session_apply(s, SESSION_EV_TIMEOUT, &none);
	}
	if (l2tp_reliable_tick(&tunnel->rel, lns->now))
		silence(tunnel);
	if (tunnel->deadline <= lns->now)
		lns_tunnel_apply(tunnel, TUNNEL_EV_TIMEOUT, &none);
	if (tunnel->hello_at <= lns->now)
		hello(tunnel);
}

/* A tunnel whose last call ended goes soon. */
static void watch_idle(struct lns_tunnel *t)
{
	if (t->state == LNS_TUNNEL_ESTABLISHED && !t->sessions &&
	    t->deadline == LNS_NEVER)
		t->deadline = t->peer->lns->now + LNS_TUNNEL_IDLE_MS;
}

void lns_tunnel_settle(struct lns_tunnel *tunnel)
{
	const struct lns_cause choked = {
	    .text = "the client acknowledges nothing"};
	struct lns_session *s, *next;

	if (tunnel->is_choked)
		lns_tunnel_apply(tunnel, TUNNEL_EV_SILENCE, &choked);
	flush(tunnel);
	if (tunnel->state == LNS_TUNNEL_CLOSING &&
	    l2tp_reliable_is_idle(&tunnel->rel))
		lns_tunnel_apply(tunnel, TUNNEL_EV_ACKED, &choked);
	LL_FOREACH_SAFE(tunnel->sessions, s, next)
	{
		if (s->state == LNS_SESSION_CLOSING)
			lns_session_free(s);
	}
	watch_idle(tunnel);
	if (tunnel->state == LNS_TUNNEL_DEAD)
		lns_tunnel_free(tunnel);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t lns_tunnel_due(const struct lns_tunnel *tunnel)
{
	uint64_t due = earlier(tunnel->deadline, tunnel->hello_at);
	const struct lns_session *s;

	LL_FOREACH(tunnel->sessions, s)
	{
		due = earlier(due, s->deadline);
	}
	return earlier(due, tunnel->rel.deadline);
}
