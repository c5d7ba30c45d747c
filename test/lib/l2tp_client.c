/* SPDX-License-Identifier: ISC */
/* A LAC for tests; the contract is in the header. */
#include "test/lib/l2tp_client.h"

#include <stdlib.h>
#include <string.h>

static const struct l2tp_reliable_config timing = {
    .window = 8,
    .retransmit_ms = 1000,
    .cap_ms = 8000,
    .retries = 9,
};

static struct wire_span text(const char *s)
{
	return (struct wire_span){(const uint8_t *)s, strlen(s)};
}

void l2tp_client_init(struct l2tp_client *c,
    const struct l2tp_client_config *cfg, l2tp_emit_fn emit, void *ctx)
{
	*c = (struct l2tp_client){.cfg = *cfg, .emit = emit, .ctx = ctx};
	l2tp_reliable_init(&c->rel, &timing);
}

void l2tp_client_free(struct l2tp_client *c)
{
	l2tp_reliable_free(&c->rel);
}

static void output(struct l2tp_client *c, uint64_t now_ms)
{
	l2tp_reliable_output(&c->rel, now_ms, c->emit, c->ctx);
}

static void queue(
    struct l2tp_client *c, const struct l2tp_msg *msg, uint16_t session_id)
{
	uint8_t buf[1500];
	int len = l2tp_msg_encode(
	    msg, c->peer_tunnel_id, session_id, buf, sizeof(buf));

	if (len < 0 || l2tp_reliable_queue(&c->rel, buf, (size_t)len))
		abort();
}

void l2tp_client_say(struct l2tp_client *c, const struct l2tp_msg *msg,
    uint16_t session_id, uint64_t now_ms)
{
	queue(c, msg, session_id);
	output(c, now_ms);
}

void l2tp_client_dial(struct l2tp_client *c, uint64_t now_ms)
{
	struct l2tp_msg msg = {.type = L2TP_SCCRQ};

	L2TP_SET(&msg, PROTOCOL_VERSION);
	msg.protocol_version = L2TP_PROTOCOL_VERSION;
	L2TP_SET(&msg, FRAMING_CAPABILITIES);
	msg.framing_capabilities = L2TP_FRAMING_SYNC;
	L2TP_SET(&msg, HOST_NAME);
	msg.host_name = text(c->cfg.host ? c->cfg.host : "client");
	L2TP_SET(&msg, ASSIGNED_TUNNEL_ID);
	msg.assigned_tunnel_id = c->cfg.tunnel_id;
	if (c->cfg.window) {
		L2TP_SET(&msg, RECEIVE_WINDOW_SIZE);
		msg.receive_window = c->cfg.window;
		c->rel.cfg.window = c->cfg.window;
	}
	c->state = L2TP_CLIENT_WAIT_SCCRP;
	l2tp_client_say(c, &msg, 0, now_ms);
}

static void ask_call(struct l2tp_client *c, uint16_t id)
{
	struct l2tp_msg msg = {.type = L2TP_ICRQ};

	L2TP_SET(&msg, ASSIGNED_SESSION_ID);
	msg.assigned_session_id = id;
	L2TP_SET(&msg, CALL_SERIAL_NUMBER);
	msg.call_serial = id;
	queue(c, &msg, 0);
}

void l2tp_client_call(struct l2tp_client *c, uint16_t id, uint64_t now_ms)
{
	c->cfg.session_id = id;
	ask_call(c, id);
	c->state = L2TP_CLIENT_WAIT_ICRP;
	output(c, now_ms);
}

static void on_sccrp(struct l2tp_client *c, const struct l2tp_msg *rp)
{
	const struct l2tp_msg cn = {.type = L2TP_SCCCN};

	c->sccrps++;
	if (c->state != L2TP_CLIENT_WAIT_SCCRP)
		return;
	c->peer_tunnel_id = rp->assigned_tunnel_id;
	l2tp_reliable_set_peer(&c->rel, c->peer_tunnel_id,
	    L2TP_HAS(rp, RECEIVE_WINDOW_SIZE) ? rp->receive_window
					      : L2TP_DEFAULT_WINDOW);
	queue(c, &cn, 0);
	c->state = L2TP_CLIENT_UP;
	if (c->cfg.stop_at_tunnel)
		return;
	ask_call(c, c->cfg.session_id);
	c->state = L2TP_CLIENT_WAIT_ICRP;
}

static void on_icrp(struct l2tp_client *c, const struct l2tp_msg *rp)
{
	struct l2tp_msg cn = {.type = L2TP_ICCN};

	c->icrps++;
	if (c->state != L2TP_CLIENT_WAIT_ICRP)
		return;
	c->peer_session_id = rp->assigned_session_id;
	if (c->cfg.stop_at_icrp)
		return;
	L2TP_SET(&cn, CONNECT_SPEED);
	cn.connect_speed = 100000000;
	L2TP_SET(&cn, FRAMING_TYPE);
	cn.framing_type = L2TP_FRAMING_SYNC;
	if (c->cfg.sequencing)
		L2TP_SET(&cn, SEQUENCING_REQUIRED);
	queue(c, &cn, c->peer_session_id);
	c->state = L2TP_CLIENT_UP;
}

static void on_message(
    struct l2tp_client *c, const struct l2tp_received *received)
{
	struct l2tp_problem problem;
	struct l2tp_msg msg;

	if (l2tp_msg_decode((struct wire_span){received->data, received->len},
		&msg, &problem))
		abort(); /* the LNS never sends what we can't read */
	switch ((enum l2tp_message_type)msg.type) {
	case L2TP_SCCRP:
		on_sccrp(c, &msg);
		break;
	case L2TP_ICRP:
		on_icrp(c, &msg);
		break;
	case L2TP_HELLO:
		c->hellos++;
		break;
	case L2TP_CDN:
		c->cdns++;
		c->cdn = msg.result;
		break;
	case L2TP_STOPCCN:
		c->stops++;
		c->stop = msg.result;
		c->state = L2TP_CLIENT_CLOSED;
		break;
	case L2TP_SCCRQ:
	case L2TP_SCCCN:
	case L2TP_OCRQ:
	case L2TP_OCRP:
	case L2TP_OCCN:
	case L2TP_ICRQ:
	case L2TP_ICCN:
	case L2TP_WEN:
	case L2TP_SLI:
		abort(); /* an LNS has no such message */
	}
}

void l2tp_client_receive(
    struct l2tp_client *c, struct wire_span datagram, uint64_t now_ms)
{
	struct l2tp_received msg;
	struct l2tp_header hdr;
	struct wire_span body;

	if (l2tp_header_decode(datagram, &hdr, &body) ||
	    hdr.tunnel_id != c->cfg.tunnel_id)
		return;
	c->datagrams++;
	c->zlbs += !body.len;
	l2tp_reliable_receive(&c->rel, &hdr, body, now_ms);
	while (l2tp_reliable_next(&c->rel, &msg)) {
		on_message(c, &msg);
		free(msg.data);
	}
	output(c, now_ms);
}

void l2tp_client_tick(struct l2tp_client *c, uint64_t now_ms)
{
	if (l2tp_reliable_tick(&c->rel, now_ms)) {
		c->state = L2TP_CLIENT_DEAD;
		l2tp_reliable_abandon(&c->rel);
	}
	output(c, now_ms);
}

void l2tp_client_cdn(struct l2tp_client *c, uint64_t now_ms)
{
	struct l2tp_msg msg = {.type = L2TP_CDN};

	L2TP_SET(&msg, RESULT_CODE);
	msg.result.code = L2TP_CDN_ADMIN;
	L2TP_SET(&msg, ASSIGNED_SESSION_ID);
	msg.assigned_session_id = c->cfg.session_id;
	l2tp_client_say(c, &msg, c->peer_session_id, now_ms);
}

void l2tp_client_stop(struct l2tp_client *c, uint64_t now_ms)
{
	struct l2tp_msg msg = {.type = L2TP_STOPCCN};

	L2TP_SET(&msg, RESULT_CODE);
	msg.result.code = L2TP_STOP_CLEAR;
	L2TP_SET(&msg, ASSIGNED_TUNNEL_ID);
	msg.assigned_tunnel_id = c->cfg.tunnel_id;
	c->state = L2TP_CLIENT_CLOSED;
	l2tp_client_say(c, &msg, 0, now_ms);
}
