/* SPDX-License-Identifier: ISC */
/* ISAKMP header, payload chain and message builder; see the header. */
#include "ikev1/core/isakmp_msg.h"

#include <errno.h>
#include <stdbool.h>

#define HEADER_NEXT_POS 16   /* of the next-payload field */
#define HEADER_LENGTH_POS 24 /* of the length field */

static bool is_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	while (len--)
		any |= *p++;
	return !any;
}

int isakmp_header_decode(struct wire_span datagram, struct isakmp_header *h,
    struct wire_span *body, char reason[ISAKMP_REASON_MAX])
{
	struct wire_reader r;

	wire_reader_init(&r, datagram.data, datagram.len);
	wire_get_bytes(&r, h->cky_i, ISAKMP_COOKIE_LEN);
	wire_get_bytes(&r, h->cky_r, ISAKMP_COOKIE_LEN);
	h->next_payload = wire_get_u8(&r);
	h->version = wire_get_u8(&r);
	h->exchange = wire_get_u8(&r);
	h->flags = wire_get_u8(&r);
	h->message_id = wire_get_u32(&r);
	h->length = wire_get_u32(&r);
	if (wire_error(&r))
		return isakmp_refuse(reason, -EBADMSG,
		    "datagram of %zu bytes is shorter than an ISAKMP header",
		    datagram.len);
	if (h->version >> 4 != ISAKMP_VERSION >> 4)
		return isakmp_refuse(reason, -EPROTONOSUPPORT,
		    "ISAKMP version %u.%u", h->version >> 4, h->version & 15);
	/* RFC 2408 section 5.2: a minor version greater than ours. */
	if (h->version != ISAKMP_VERSION)
		return isakmp_refuse(reason, -EBADMSG, "ISAKMP version %u.%u",
		    h->version >> 4, h->version & 15);
	/* RFC 2408 section 5.1: the lengths MUST be the same. */
	if (h->length != datagram.len)
		return isakmp_refuse(reason, -EBADMSG,
		    "header says %u bytes, the datagram has %zu", h->length,
		    datagram.len);
	if (h->flags & ~ISAKMP_FLAG_MASK)
		return isakmp_refuse(reason, -EBADMSG,
		    "reserved header flags are set (0x%02x)", h->flags);
	if (is_zero(h->cky_i, ISAKMP_COOKIE_LEN))
		return isakmp_refuse(
		    reason, -EBADMSG, "the initiator's cookie is zero");
	*body = wire_get_span(&r, wire_left(&r));
	return 0;
}

void isakmp_header_encode(struct wire_writer *w, const struct isakmp_header *h)
{
	wire_put_bytes(w, h->cky_i, ISAKMP_COOKIE_LEN);
	wire_put_bytes(w, h->cky_r, ISAKMP_COOKIE_LEN);
	wire_put_u8(w, h->next_payload);
	wire_put_u8(w, h->version);
	wire_put_u8(w, h->exchange);
	wire_put_u8(w, h->flags);
	wire_put_u32(w, h->message_id);
	wire_put_u32(w, h->length);
}

/* One payload off r; *next is the type behind it. */
static int payload_decode(struct wire_reader *r, uint8_t type,
    struct isakmp_payload *p, uint8_t *next, char reason[ISAKMP_REASON_MAX])
{
	char name[ISAKMP_NAME_MAX];
	struct wire_reader ahead = *r;
	uint8_t reserved;
	size_t len;

	*next = wire_get_u8(&ahead);
	reserved = wire_get_u8(&ahead);
	len = wire_get_u16(&ahead);
	isakmp_name_text(ISAKMP_REG_PAYLOAD, type, name);
	if (wire_error(&ahead))
		return isakmp_refuse(reason, -EBADMSG,
		    "%s payload at offset %zu has no room for its header", name,
		    r->pos);
	if (reserved)
		return isakmp_refuse(reason, -EBADMSG,
		    "%s payload at offset %zu has a reserved byte of 0x%02x",
		    name, r->pos, reserved);
	if (len < ISAKMP_PAYLOAD_HEADER_LEN || len > wire_left(r))
		return isakmp_refuse(reason, -EBADMSG,
		    "%s payload at offset %zu has length %zu with %zu left",
		    name, r->pos, len, wire_left(r));
	p->type = type;
	p->full = wire_get_span(r, len);
	p->body = wire_get_span(&ahead, len - ISAKMP_PAYLOAD_HEADER_LEN);
	return 0;
}

int isakmp_payloads_decode(uint8_t first, struct wire_span body,
    struct isakmp_payloads *out, char reason[ISAKMP_REASON_MAX])
{
	struct wire_reader r;
	uint8_t type = first;

	out->count = 0;
	out->consumed = 0;
	wire_reader_init(&r, body.data, body.len);
	while (type != ISAKMP_PAYLOAD_NONE) {
		uint8_t next;
		int err;

		if (out->count == ISAKMP_MAX_PAYLOADS)
			return isakmp_refuse(reason, -EBADMSG,
			    "more than %d payloads", ISAKMP_MAX_PAYLOADS);
		if (type == ISAKMP_PAYLOAD_PROPOSAL ||
		    type == ISAKMP_PAYLOAD_TRANSFORM)
			return isakmp_refuse(reason, -EBADMSG,
			    "%s payload outside an SA payload",
			    isakmp_name(ISAKMP_REG_PAYLOAD, type));
		err = payload_decode(
		    &r, type, &out->item[out->count], &next, reason);
		if (err)
			return err;
		out->count++;
		type = next;
	}
	out->consumed = r.pos;
	return 0;
}

const struct isakmp_payload *isakmp_payload_find_nth(
    const struct isakmp_payloads *p, uint8_t type, size_t index)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->item[i].type == type && index-- == 0)
			return &p->item[i];
	return NULL;
}

const struct isakmp_payload *isakmp_payload_find(
    const struct isakmp_payloads *p, uint8_t type)
{
	return isakmp_payload_find_nth(p, type, 0);
}

size_t isakmp_payload_count(const struct isakmp_payloads *p, uint8_t type)
{
	size_t count = 0;

	for (size_t i = 0; i < p->count; i++)
		count += p->item[i].type == type;
	return count;
}

struct wire_span isakmp_payloads_rest(
    const struct isakmp_payloads *p, const struct isakmp_payload *after)
{
	const uint8_t *start = after->full.data + after->full.len;
	size_t len = 0;

	for (const struct isakmp_payload *i = after + 1; i < p->item + p->count;
	     i++)
		len += i->full.len;
	return wire_span_of(start, len);
}

static const struct isakmp_rule *rule_of(
    const struct isakmp_script *s, uint8_t type)
{
	for (size_t i = 0; i < s->rule_count; i++)
		if (s->rules[i].type == type)
			return &s->rules[i];
	return NULL;
}

/* Unknown types of the private range; RFC 2408 section 3.1. */
static bool is_passed_over(uint8_t type)
{
	return type >= 128 && !isakmp_name(ISAKMP_REG_PAYLOAD, type);
}

int isakmp_script_check(const struct isakmp_payloads *p,
    const struct isakmp_script *s, char reason[ISAKMP_REASON_MAX])
{
	char name[ISAKMP_NAME_MAX];

	for (size_t i = 0; i < p->count; i++) {
		uint8_t type = p->item[i].type;
		const struct isakmp_rule *rule = rule_of(s, type);

		isakmp_name_text(ISAKMP_REG_PAYLOAD, type, name);
		if (!rule && !is_passed_over(type))
			return isakmp_refuse(reason, -EPROTO,
			    "%s: %s is not allowed", s->name, name);
		if (rule && isakmp_payload_count(p, type) > rule->max)
			return isakmp_refuse(reason, -EPROTO,
			    "%s: %s occurs more than %u times", s->name, name,
			    rule->max);
	}
	for (size_t i = 0; i < s->rule_count; i++) {
		const struct isakmp_rule *rule = &s->rules[i];

		if (isakmp_payload_count(p, rule->type) >= rule->min)
			continue;
		return isakmp_refuse(reason, -ENOMSG, "%s: %s is missing",
		    s->name,
		    isakmp_name_text(ISAKMP_REG_PAYLOAD, rule->type, name));
	}
	if (s->first != ISAKMP_PAYLOAD_NONE &&
	    (!p->count || p->item[0].type != s->first))
		return isakmp_refuse(reason, -ENOMSG,
		    "%s: %s is not the first payload", s->name,
		    isakmp_name_text(ISAKMP_REG_PAYLOAD, s->first, name));
	return 0;
}

void isakmp_build_begin(struct isakmp_builder *b, void *buf, size_t size,
    const struct isakmp_header *h)
{
	struct isakmp_header copy = *h;

	wire_writer_init(&b->w, buf, size);
	copy.next_payload = ISAKMP_PAYLOAD_NONE;
	copy.length = 0;
	isakmp_header_encode(&b->w, &copy);
	b->next_pos = HEADER_NEXT_POS;
	b->payload_pos = 0;
}

void isakmp_build_open(struct isakmp_builder *b, uint8_t type)
{
	wire_set_u8(&b->w, b->next_pos, type);
	b->next_pos = b->w.pos;
	b->payload_pos = b->w.pos;
	wire_put_zero(&b->w, ISAKMP_PAYLOAD_HEADER_LEN);
}

void isakmp_build_close(struct isakmp_builder *b)
{
	size_t len = b->w.pos - b->payload_pos;

	if (len > UINT16_MAX)
		b->w.error = -ENOSPC;
	wire_set_u16(&b->w, b->payload_pos + 2, (uint16_t)len);
	b->payload_pos = 0;
}

void isakmp_build_payload(
    struct isakmp_builder *b, uint8_t type, struct wire_span body)
{
	isakmp_build_open(b, type);
	wire_put_span(&b->w, body);
	isakmp_build_close(b);
}

size_t isakmp_build_reserve(struct isakmp_builder *b, uint8_t type, size_t len)
{
	size_t pos;

	isakmp_build_open(b, type);
	pos = b->w.pos;
	wire_put_zero(&b->w, len);
	isakmp_build_close(b);
	return pos;
}

struct wire_span isakmp_build_since(const struct isakmp_builder *b, size_t pos)
{
	return wire_written(&b->w, pos);
}

int isakmp_build_finish(struct isakmp_builder *b, size_t block)
{
	size_t over = block ? (b->w.pos - ISAKMP_HEADER_LEN) % block : 0;
	int err;

	if (over)
		wire_put_zero(&b->w, block - over);
	wire_set_u32(&b->w, HEADER_LENGTH_POS, (uint32_t)b->w.pos);
	err = wire_writer_error(&b->w);
	return err ? err : (int)b->w.pos;
}
