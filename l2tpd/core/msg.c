/* SPDX-License-Identifier: ISC */
/* Control messages by the AVP table; the contract is in the header. */
#include "l2tpd/core/msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define BIT_TYPE 0x8000
#define BIT_LENGTH 0x4000
#define BIT_SEQUENCE 0x0800
#define BIT_OFFSET 0x0200
#define VERSION_MASK 0x000f

#define NS_OFFSET 8
#define NR_OFFSET 10

int l2tp_header_decode(
    struct wire_span datagram, struct l2tp_header *hdr, struct wire_span *body)
{
	struct wire_reader r;
	uint16_t bits, len;

	*hdr = (struct l2tp_header){0};
	*body = (struct wire_span){NULL, 0};
	wire_reader_init(&r, datagram.data, datagram.len);
	bits = wire_get_u16(&r);
	if (wire_error(&r))
		return -EBADMSG;
	if ((bits & VERSION_MASK) != L2TP_VERSION)
		return -EPROTO;
	if (!(bits & BIT_TYPE))
		return -ENOMSG;
	/* Section 3.1: L and S MUST be set in control messages, O MUST NOT;
	 * reserved bits and P are ignored. */
	if (!(bits & BIT_LENGTH) || !(bits & BIT_SEQUENCE) ||
	    (bits & BIT_OFFSET))
		return -EBADMSG;
	len = wire_get_u16(&r);
	hdr->tunnel_id = wire_get_u16(&r);
	hdr->session_id = wire_get_u16(&r);
	hdr->ns = wire_get_u16(&r);
	hdr->nr = wire_get_u16(&r);
	if (len < L2TP_HEADER_LEN)
		return -EBADMSG;
	*body = wire_get_span(&r, (size_t)len - L2TP_HEADER_LEN);
	return wire_error(&r);
}

__attribute__((format(printf, 3, 4))) static void problem_set(
    struct l2tp_problem *p, uint16_t error, const char *format, ...)
{
	va_list ap;

	if (p->error)
		return;
	p->error = error;
	va_start(ap, format);
	vsnprintf(p->text, sizeof(p->text), format, ap);
	va_end(ap);
}

static void problem_fatal(
    struct l2tp_problem *p, uint16_t error, const char *text)
{
	if (!p->error)
		problem_set(p, error, "%s", text);
	p->is_fatal = true;
}

/* Apple's clients send their Error Code (and Result Code) byte-swapped. */
static uint16_t unswapped(uint16_t v)
{
	return v & 0xff ? v : (uint16_t)(v >> 8);
}

static void read_result(struct wire_span value, struct l2tp_result *result)
{
	struct wire_reader r;

	wire_reader_init(&r, value.data, value.len);
	*result = (struct l2tp_result){.code = unswapped(wire_get_u16(&r))};
	/* One odd byte is not an Error Code: clients get the length wrong. */
	if (wire_left(&r) < 2)
		return;
	result->has_error = true;
	result->error = wire_get_u16(&r);
	/* There it is a version, 0x0100. */
	if (result->code != L2TP_STOP_VERSION)
		result->error = unswapped(result->error);
	result->text = wire_get_span(&r, wire_left(&r));
}

static struct wire_span without_nuls(struct wire_span s)
{
	while (s.len && !s.data[s.len - 1])
		s.len--;
	return s;
}

/* The value fits its row already. */
static void read_value(const struct l2tp_avp_row *row, struct wire_span value,
    struct l2tp_msg *msg)
{
	void *member = (char *)msg + row->offset;
	struct wire_reader r;

	wire_reader_init(&r, value.data, value.len);
	switch (row->kind) {
	case L2TP_KIND_EMPTY:
		break;
	case L2TP_KIND_U16:
		*(uint16_t *)member = wire_get_u16(&r);
		break;
	case L2TP_KIND_U32:
		*(uint32_t *)member = wire_get_u32(&r);
		break;
	case L2TP_KIND_BYTES:
		*(struct wire_span *)member = value;
		break;
	case L2TP_KIND_TEXT:
		*(struct wire_span *)member = without_nuls(value);
		break;
	case L2TP_KIND_RESULT:
		read_result(value, member);
		break;
	}
	msg->present |= UINT64_C(1) << row->type;
}

/* Section 4.1: an unrecognised AVP matters only when its M bit is set. */
static void unrecognised(
    const struct l2tp_avp *avp, const char *why, struct l2tp_problem *p)
{
	if (!avp->mandatory)
		return;
	problem_set(p, L2TP_ERROR_UNKNOWN_AVP,
	    "mandatory AVP %u of vendor %u (%s) %s", avp->type, avp->vendor,
	    avp->vendor ? "vendor's own" : l2tp_avp_name(avp->type), why);
}

static void read_avp(
    const struct l2tp_avp *avp, struct l2tp_msg *msg, struct l2tp_problem *p)
{
	const struct l2tp_avp_row *row = NULL;

	if (!avp->vendor)
		row = l2tp_avp_find(avp->type);
	if (avp->reserved) {
		unrecognised(avp, "has a reserved bit set", p);
		return;
	}
	if (!row) {
		unrecognised(avp, "is not known", p);
		return;
	}
	if (avp->hidden) {
		unrecognised(avp, "is hidden and no secret is configured", p);
		return;
	}
	if (avp->value.len < row->min || avp->value.len > row->max) {
		if (avp->mandatory)
			problem_set(p, L2TP_ERROR_LENGTH,
			    "AVP %s has %zu bytes of value",
			    l2tp_avp_name(row->type), avp->value.len);
		return;
	}
	/* An AVP that this message has no use for, or a second one of a
	 * kind, says nothing: the first counts. */
	if (!(row->allowed >> (msg->type & 31) & 1) ||
	    (msg->present >> row->type & 1))
		return;
	read_value(row, avp->value, msg);
}

static bool is_known(uint16_t type)
{
	switch ((enum l2tp_message_type)type) {
#define X(id, number, text, section) case L2TP_##id:
		L2TP_MESSAGE_TYPES(X)
#undef X
		return true;
	}
	return false;
}

/* Section 4.4.1: the Message Type AVP MUST be the first. */
static int read_type(
    struct wire_reader *r, struct l2tp_msg *msg, struct l2tp_problem *p)
{
	struct l2tp_avp avp;

	if (l2tp_avp_decode(r, &avp)) {
		problem_fatal(p, L2TP_ERROR_LENGTH,
		    "the first AVP does not fit the message");
		return -EBADMSG;
	}
	if (avp.vendor || avp.type != L2TP_AVP_MESSAGE_TYPE || avp.hidden ||
	    avp.reserved || avp.value.len != 2) {
		problem_fatal(p, L2TP_ERROR_VALUE,
		    "the first AVP is no plain Message Type");
		return -EBADMSG;
	}
	read_value(&l2tp_avp_table[0], avp.value, msg);
	msg->is_mandatory = avp.mandatory;
	return 0;
}

static void check_required(const struct l2tp_msg *msg, struct l2tp_problem *p)
{
	for (size_t i = 0; i < l2tp_avp_count; i++) {
		const struct l2tp_avp_row *row = &l2tp_avp_table[i];

		if ((row->required >> msg->type & 1) &&
		    !(msg->present >> row->type & 1))
			problem_set(p, L2TP_ERROR_VALUE, "%s without %s",
			    l2tp_message_name(msg->type),
			    l2tp_avp_name(row->type));
	}
}

int l2tp_msg_decode(
    struct wire_span body, struct l2tp_msg *msg, struct l2tp_problem *problem)
{
	struct wire_reader r;
	struct l2tp_avp avp;

	*msg = (struct l2tp_msg){0};
	*problem = (struct l2tp_problem){0};
	wire_reader_init(&r, body.data, body.len);
	if (read_type(&r, msg, problem))
		return -EBADMSG;
	if (!is_known(msg->type)) {
		if (!msg->is_mandatory)
			return 0;
		/* Section 4.4.1: then "the tunnel MUST be cleared". */
		problem_set(problem, L2TP_ERROR_UNKNOWN_AVP,
		    "mandatory message of unknown type %u", msg->type);
		problem->is_fatal = true;
		return -EBADMSG;
	}
	while (wire_left(&r)) {
		if (l2tp_avp_decode(&r, &avp)) {
			problem_fatal(problem, L2TP_ERROR_LENGTH,
			    "an AVP does not fit the message");
			return -EBADMSG;
		}
		read_avp(&avp, msg, problem);
	}
	check_required(msg, problem);
	return problem->error ? -EBADMSG : 0;
}

static void put_result(struct wire_writer *w, const struct l2tp_avp_row *row,
    const struct l2tp_result *result)
{
	uint8_t value[L2TP_AVP_VALUE_MAX];
	struct wire_writer v;

	wire_writer_init(&v, value, sizeof(value));
	wire_put_u16(&v, result->code);
	if (result->has_error) {
		wire_put_u16(&v, result->error);
		wire_put_span(&v, result->text);
	}
	if (wire_writer_error(&v))
		w->error = -ENOSPC;
	l2tp_avp_put(
	    w, row->type, row->mandatory, (struct wire_span){value, v.pos});
}

static void put_value(struct wire_writer *w, const struct l2tp_avp_row *row,
    const struct l2tp_msg *msg)
{
	const void *member = (const char *)msg + row->offset;

	switch (row->kind) {
	case L2TP_KIND_EMPTY:
		l2tp_avp_put(
		    w, row->type, row->mandatory, (struct wire_span){NULL, 0});
		break;
	case L2TP_KIND_U16:
		l2tp_avp_put_u16(
		    w, row->type, row->mandatory, *(const uint16_t *)member);
		break;
	case L2TP_KIND_U32:
		l2tp_avp_put_u32(
		    w, row->type, row->mandatory, *(const uint32_t *)member);
		break;
	case L2TP_KIND_BYTES:
	case L2TP_KIND_TEXT:
		l2tp_avp_put(w, row->type, row->mandatory,
		    *(const struct wire_span *)member);
		break;
	case L2TP_KIND_RESULT:
		put_result(w, row, member);
		break;
	}
}

int l2tp_msg_encode(const struct l2tp_msg *msg, uint16_t tunnel_id,
    uint16_t session_id, void *out, size_t size)
{
	struct wire_writer w;

	wire_writer_init(&w, out, size < UINT16_MAX ? size : UINT16_MAX);
	wire_put_u16(&w, BIT_TYPE | BIT_LENGTH | BIT_SEQUENCE | L2TP_VERSION);
	wire_put_u16(&w, 0);
	wire_put_u16(&w, tunnel_id);
	wire_put_u16(&w, session_id);
	wire_put_u32(&w, 0);
	for (size_t i = 0; i < l2tp_avp_count; i++)
		if (l2tp_avp_table[i].type == L2TP_AVP_MESSAGE_TYPE ||
		    (msg->present >> l2tp_avp_table[i].type & 1))
			put_value(&w, &l2tp_avp_table[i], msg);
	wire_set_u16(&w, 2, (uint16_t)w.pos);
	if (wire_writer_error(&w))
		return -ENOSPC;
	return (int)w.pos;
}

void l2tp_msg_set_sequence(uint8_t *data, size_t len, uint16_t ns, uint16_t nr)
{
	struct wire_writer w;

	wire_writer_init(&w, data, len);
	w.pos = len;
	wire_set_u16(&w, NS_OFFSET, ns);
	wire_set_u16(&w, NR_OFFSET, nr);
}

void l2tp_zlb_encode(
    uint16_t tunnel_id, uint16_t ns, uint16_t nr, uint8_t out[L2TP_HEADER_LEN])
{
	struct wire_writer w;

	wire_writer_init(&w, out, L2TP_HEADER_LEN);
	wire_put_u16(&w, BIT_TYPE | BIT_LENGTH | BIT_SEQUENCE | L2TP_VERSION);
	wire_put_u16(&w, L2TP_HEADER_LEN);
	wire_put_u16(&w, tunnel_id);
	wire_put_u16(&w, 0);
	wire_put_u16(&w, ns);
	wire_put_u16(&w, nr);
}

const char *l2tp_printable(struct wire_span s, char *out, size_t size)
{
	size_t n = 0;

	for (; n < s.len && n + 1 < size; n++)
		out[n] = s.data[n] >= 0x20 && s.data[n] < 0x7f ? (char)s.data[n]
							       : '?';
	out[n] = '\0';
	return out;
}
