/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the L2TP decoder: any bytes give an error or a message, and what
 * decodes well says the same after encoding and decoding once more.
 */
#include "l2tpd/core/msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void read_avps(struct wire_span body)
{
	struct wire_reader r;
	struct l2tp_avp avp;
	char text[64];

	wire_reader_init(&r, body.data, body.len);
	while (wire_left(&r) && !l2tp_avp_decode(&r, &avp)) {
		must(avp.value.len <= L2TP_AVP_VALUE_MAX);
		l2tp_printable(avp.value, text, sizeof(text));
		must(strlen(text) < sizeof(text));
	}
}

static void round_trip(
    const struct l2tp_header *hdr, const struct l2tp_msg *msg)
{
	uint8_t out[UINT16_MAX];
	struct l2tp_problem problem;
	struct l2tp_header hdr2;
	struct wire_span body;
	struct l2tp_msg again;
	int len = l2tp_msg_encode(
	    msg, hdr->tunnel_id, hdr->session_id, out, sizeof(out));

	if (len < 0 || !strcmp(l2tp_message_name(msg->type), "unknown"))
		return;
	l2tp_msg_set_sequence(out, (size_t)len, hdr->ns, hdr->nr);
	must(!l2tp_header_decode(
	    (struct wire_span){out, (size_t)len}, &hdr2, &body));
	must(hdr2.tunnel_id == hdr->tunnel_id && hdr2.ns == hdr->ns &&
	     hdr2.nr == hdr->nr && hdr2.session_id == hdr->session_id);
	/* A name of NULs alone is empty after the first time. */
	if (l2tp_msg_decode(body, &again, &problem))
		must(L2TP_HAS(msg, HOST_NAME) && !msg->host_name.len);
	else
		must(again.present == msg->present &&
		     again.result.code == msg->result.code &&
		     again.assigned_session_id == msg->assigned_session_id &&
		     wire_span_equal(again.host_name, msg->host_name) &&
		     wire_span_equal(again.cause, msg->cause));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct l2tp_problem problem;
	struct l2tp_header hdr;
	struct wire_span body;
	struct l2tp_msg msg;

	if (l2tp_header_decode((struct wire_span){data, size}, &hdr, &body))
		return 0;
	read_avps(body);
	if (!body.len)
		return 0;
	if (!l2tp_msg_decode(body, &msg, &problem))
		round_trip(&hdr, &msg);
	else
		must(problem.error && problem.text[0]);
	return 0;
}
