/* SPDX-License-Identifier: ISC */
/*
 * An L2TP client (LAC) for tests, on the project's codec: it dials, keeps
 * the call up, hangs up.  Pure: datagrams leave through a callback.
 */
#ifndef TEST_LIB_L2TP_CLIENT_H
#define TEST_LIB_L2TP_CLIENT_H

#include "l2tpd/core/msg.h"
#include "l2tpd/core/reliable.h"

enum l2tp_client_state {
	L2TP_CLIENT_IDLE,
	L2TP_CLIENT_WAIT_SCCRP,
	L2TP_CLIENT_WAIT_ICRP,
	L2TP_CLIENT_UP,
	L2TP_CLIENT_CLOSED, /* by either side */
	L2TP_CLIENT_DEAD,   /* no answer */
};

struct l2tp_client_config {
	uint16_t tunnel_id, session_id; /* that it assigns */
	uint16_t window;		/* 0: no Receive Window Size */
	const char *host;		/* NULL: "client" */
	bool sequencing;		/* ICCN with Sequencing Required */
	bool stop_at_tunnel;		/* no ICRQ */
	bool stop_at_icrp;		/* no ICCN */
};

struct l2tp_client {
	struct l2tp_client_config cfg;
	enum l2tp_client_state state;
	struct l2tp_reliable rel;
	uint16_t peer_tunnel_id, peer_session_id;
	struct l2tp_result stop, cdn; /* received; text is not kept */
	unsigned int hellos, zlbs, sccrps, icrps, cdns, stops, datagrams;
	l2tp_emit_fn emit;
	void *ctx;
};

void l2tp_client_init(struct l2tp_client *c,
    const struct l2tp_client_config *cfg, l2tp_emit_fn emit, void *ctx);
void l2tp_client_free(struct l2tp_client *c);
void l2tp_client_dial(struct l2tp_client *c, uint64_t now_ms);
void l2tp_client_receive(
    struct l2tp_client *c, struct wire_span datagram, uint64_t now_ms);
void l2tp_client_tick(struct l2tp_client *c, uint64_t now_ms);
/* One more call in the same tunnel, with this session id. */
void l2tp_client_call(struct l2tp_client *c, uint16_t id, uint64_t now_ms);
/* Any message of this tunnel, reliably. */
void l2tp_client_say(struct l2tp_client *c, const struct l2tp_msg *msg,
    uint16_t session_id, uint64_t now_ms);
void l2tp_client_cdn(struct l2tp_client *c, uint64_t now_ms);
void l2tp_client_stop(struct l2tp_client *c, uint64_t now_ms);

#endif
