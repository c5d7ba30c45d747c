/* SPDX-License-Identifier: ISC */
/*
 * Which tunnel a datagram of a peer belongs to.  The peer is known by its
 * socket, never by an address; the tunnel by its id, or, while the client
 * does not know that, by the client's port.
 */
#include "l2tpd/core/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* One datagram on its way. */
struct arrival {
	struct lns_peer *peer;
	uint16_t socket; /* tunnel id of the socket; 0: R's */
	struct addr from;
	struct l2tp_header hdr;
	struct wire_span body;
};

static void take(const struct arrival *in, struct lns_tunnel *t)
{
	struct l2tp_received msg;
	enum l2tp_verdict verdict = l2tp_reliable_receive(
	    &t->rel, &in->hdr, in->body, t->peer->lns->now);

	if (verdict == L2TP_RX_BEYOND) {
		lns_log_tunnel(t, LNS_LOG_DEBUG,
		    "Ns %u is outside the window at %u", in->hdr.ns, t->rel.nr);
		return;
	}
	lns_tunnel_heard(t);
	while (
	    t->state != LNS_TUNNEL_DEAD && l2tp_reliable_next(&t->rel, &msg)) {
		lns_tunnel_message(t, &msg);
		free(msg.data);
	}
}

/* Newest first: a lingering tunnel may share the port with a new one. */
static struct lns_tunnel *tunnel_of_port(
    const struct lns_peer *peer, const struct addr *from)
{
	struct lns_tunnel *t, *found = NULL;

	LL_FOREACH(peer->tunnels, t)
	{
		if (t->state != LNS_TUNNEL_DEAD &&
		    t->state != LNS_TUNNEL_LINGER && addr_equal(&t->addr, from))
			found = t;
	}
	return found;
}

/* A StopCCN without any tunnel of its own: nothing is kept. */
static void reject(const struct arrival *in, const struct l2tp_msg *rq,
    const struct lns_cause *why)
{
	struct l2tp_msg msg = {.type = L2TP_STOPCCN};
	uint8_t buf[512];
	int len;

	lns_refuse(in->peer, 0, why->remedy, "SCCRQ refused: %s (StopCCN %s)",
	    why->text, l2tp_stop_result_name(why->result));
	L2TP_SET(&msg, RESULT_CODE);
	msg.result.code = why->result;
	msg.result.has_error = true;
	msg.result.error = why->error;
	msg.result.text =
	    (struct wire_span){(const uint8_t *)why->text, strlen(why->text)};
	L2TP_SET(&msg, ASSIGNED_TUNNEL_ID);
	len =
	    l2tp_msg_encode(&msg, rq->assigned_tunnel_id, 0, buf, sizeof(buf));
	if (len < 0)
		return;
	l2tp_msg_set_sequence(buf, (size_t)len, 0, (uint16_t)(in->hdr.ns + 1));
	lns_act_send_raw(in->peer, &in->from, buf, (size_t)len);
}

/* Why an SCCRQ can't have a tunnel; false when it can. */
static bool find_fault(
    const struct arrival *in, const struct l2tp_msg *rq, struct lns_cause *why)
{
	*why = (struct lns_cause){.result = L2TP_STOP_ERROR};
	if (in->peer->lns->is_shut_down) {
		why->result = L2TP_STOP_SHUTDOWN;
		why->text = "the LNS is shutting down";
	} else if (rq->protocol_version >> 8 != L2TP_PROTOCOL_VERSION >> 8) {
		why->result = L2TP_STOP_VERSION;
		why->error = L2TP_PROTOCOL_VERSION;
		why->text = "the protocol version is not 1";
	} else if (L2TP_HAS(rq, CHALLENGE)) {
		why->result = L2TP_STOP_NOT_AUTHORIZED;
		why->text = "it has a Challenge and no tunnel secret is "
			    "configured";
		why->remedy = "switch tunnel authentication off at the client";
	} else if (L2TP_HAS(rq, RECEIVE_WINDOW_SIZE) && !rq->receive_window) {
		why->error = L2TP_ERROR_VALUE;
		why->text = "Receive Window Size is 0";
	}
	return why->text != NULL;
}

/* The next generation in turn that no tunnel has; a lingering one makes
 * room when none is left.  0 when all are in use. */
static uint16_t choose_id(struct lns_peer *peer)
{
	const struct lns_cause none = {0};
	struct lns_tunnel *t;
	uint16_t id;

	for (unsigned int n = 0; n < LNS_GENERATIONS; n++) {
		uint8_t g = (uint8_t)((peer->generation + n) % LNS_GENERATIONS);

		id = (uint16_t)((uint32_t)g << 14 | peer->up.slot);
		t = lns_tunnel_find(peer, id);
		if (!t) {
			peer->generation = (uint8_t)((g + 1) % LNS_GENERATIONS);
			return id;
		}
	}
	LL_FOREACH(peer->tunnels, t)
	{
		if (t->state != LNS_TUNNEL_LINGER)
			continue;
		lns_tunnel_apply(t, TUNNEL_EV_DROP, &none);
		return t->id;
	}
	return 0;
}

static void new_tunnel(const struct arrival *in, const struct l2tp_msg *rq)
{
	const struct lns_cause cause = {.msg = rq};
	struct lns_cause full = {.result = L2TP_STOP_ERROR,
	    .error = L2TP_ERROR_RESOURCES,
	    .text = "the client has its tunnels already"};
	struct l2tp_received msg;
	struct lns_tunnel *t;
	uint16_t id = choose_id(in->peer);

	if (!id) {
		reject(in, rq, &full);
		return;
	}
	t = lns_tunnel_new(in->peer, id);
	t->addr = in->from;
	t->peer_id = rq->assigned_tunnel_id;
	l2tp_printable(rq->host_name, t->host, sizeof(t->host));
	l2tp_reliable_set_peer(&t->rel, t->peer_id,
	    L2TP_HAS(rq, RECEIVE_WINDOW_SIZE) ? rq->receive_window
					      : L2TP_DEFAULT_WINDOW);
	l2tp_reliable_receive(&t->rel, &in->hdr, in->body, in->peer->lns->now);
	if (l2tp_reliable_next(&t->rel, &msg))
		free(msg.data);
	lns_tunnel_apply(t, TUNNEL_EV_SCCRQ, &cause);
}

static void on_sccrq(const struct arrival *in, const struct l2tp_msg *rq)
{
	const struct lns_cause none = {0};
	struct lns_tunnel *t = tunnel_of_port(in->peer, &in->from);
	struct lns_cause why;

	if (t && t->peer_id == rq->assigned_tunnel_id) {
		/* The client waits for SCCRP: don't let it wait for our
		 * timer, which is longer. */
		take(in, t);
		lns_tunnel_resend(t);
		return;
	}
	if (in->peer->state != LNS_PEER_READY || in->hdr.ns) {
		lns_log(in->peer, LNS_LOG_DEBUG,
		    "SCCRQ ignored: Ns %u, peer %s", in->hdr.ns,
		    lns_peer_state_name(in->peer->state));
		return;
	}
	if (find_fault(in, rq, &why)) {
		reject(in, rq, &why);
		return;
	}
	if (t) {
		lns_log_tunnel(t, LNS_LOG_INFO,
		    "the client restarted: its tunnel id is %u now, was %u",
		    rq->assigned_tunnel_id, t->peer_id);
		lns_tunnel_apply(t, TUNNEL_EV_DROP, &none);
	}
	new_tunnel(in, rq);
}

/* Section 6.4: a client that never saw our tunnel id names its own. */
static void on_early_stop(const struct arrival *in, const struct l2tp_msg *msg)
{
	struct lns_tunnel *t = tunnel_of_port(in->peer, &in->from);

	if (t && t->peer_id == msg->assigned_tunnel_id)
		take(in, t);
	else
		lns_log(in->peer, LNS_LOG_DEBUG,
		    "StopCCN for a tunnel that does not exist");
}

/* Tunnel id 0: the client does not know ours. */
static void without_id(const struct arrival *in)
{
	struct lns_cause why = {.result = L2TP_STOP_ERROR};
	struct l2tp_problem problem;
	struct lns_tunnel *t;
	struct l2tp_msg msg;
	bool is_bad;

	if (!in->body.len) {
		/* A client that never saw our id acknowledges StopCCN. */
		t = tunnel_of_port(in->peer, &in->from);
		if (t)
			take(in, t);
		return;
	}
	is_bad = l2tp_msg_decode(in->body, &msg, &problem) != 0;
	if (msg.type == L2TP_SCCRQ && !msg.assigned_tunnel_id) {
		lns_refuse(in->peer, 0, NULL, "SCCRQ ignored: %s",
		    is_bad ? problem.text : "Assigned Tunnel ID is 0");
	} else if (msg.type == L2TP_SCCRQ && is_bad) {
		why.error = problem.error;
		why.text = problem.text;
		reject(in, &msg, &why);
	} else if (msg.type == L2TP_SCCRQ) {
		on_sccrq(in, &msg);
	} else if (msg.type == L2TP_STOPCCN) {
		on_early_stop(in, &msg);
	} else {
		/* Apple's clients send HELLOs first, to wake up IKE. */
		lns_log(in->peer, LNS_LOG_DEBUG, "%s without a tunnel id",
		    l2tp_message_name(msg.type));
	}
}

static void with_id(const struct arrival *in)
{
	struct lns_tunnel *t = lns_tunnel_find(in->peer, in->hdr.tunnel_id);

	if (!t || (in->socket && in->socket != t->id) ||
	    !addr_equal(&in->from, &t->addr)) {
		lns_log(in->peer, LNS_LOG_DEBUG,
		    "control message for tunnel %u, not of this socket",
		    in->hdr.tunnel_id);
		return;
	}
	take(in, t);
}

void lns_datagram(struct lns_peer *peer, const struct lns_event *ev)
{
	struct arrival in = {
	    .peer = peer, .socket = ev->tunnel_id, .from = ev->peer};
	struct lns_tunnel *t;
	int err = l2tp_header_decode(ev->data, &in.hdr, &in.body);

	/* A data packet here is one that the kernel did not take: a session
	 * that it has no more, or not yet. */
	if (err == -ENOMSG)
		return;
	if (err) {
		lns_log(peer, LNS_LOG_DEBUG, "%zu bytes that are no L2TPv2: %s",
		    ev->data.len,
		    err == -EPROTO ? "another version" : "malformed header");
		return;
	}
	/* A connected socket may leave the sender out. */
	t = lns_tunnel_find(peer, ev->tunnel_id);
	if (in.from.family == ADDR_NONE && t)
		in.from = t->addr;
	if (in.hdr.tunnel_id)
		with_id(&in);
	else
		without_id(&in);
}
