/* SPDX-License-Identifier: ISC */
/* The SA payload: decoder and encoders; the contract is in the header. */
#include "ikev1/core/payload_sa.h"

#include "ikev1/core/algs.h"

#include <errno.h>

#define ATTR_BASIC 0x8000 /* RFC 2408 section 3.3: the AF bit */

/* What the attribute's value is, and where it goes. */
struct attr_row {
	uint16_t type;
	uint32_t flag; /* enum sa_present */
	size_t offset; /* of a uint16_t in struct sa_transform */
};

#define ATTR(type, flag, member)                                               \
	{                                                                      \
		type, flag, offsetof(struct sa_transform, member)              \
	}

/* RFC 2409 appendix A; life type and duration are handled apart. */
static const struct attr_row phase1_attrs[] = {
    ATTR(IKE_ATTR_CIPHER, SA_HAS_CIPHER, cipher),
    ATTR(IKE_ATTR_HASH, SA_HAS_HASH, hash),
    ATTR(IKE_ATTR_AUTH_METHOD, SA_HAS_METHOD, method),
    ATTR(IKE_ATTR_GROUP, SA_HAS_GROUP, group),
    ATTR(IKE_ATTR_KEY_LENGTH, SA_HAS_KEY_BITS, key_bits),
};

/* RFC 2407 section 4.5. */
static const struct attr_row phase2_attrs[] = {
    ATTR(IPSEC_ATTR_GROUP, SA_HAS_GROUP, group),
    ATTR(IPSEC_ATTR_ENCAP_MODE, SA_HAS_ENCAP, encap),
    ATTR(IPSEC_ATTR_AUTH_ALG, SA_HAS_AUTH, auth),
    ATTR(IPSEC_ATTR_KEY_LENGTH, SA_HAS_KEY_BITS, key_bits),
    ATTR(IPSEC_ATTR_ESN, SA_HAS_ESN, esn),
};

/* What differs between the phases. */
struct phase {
	const struct attr_row *attrs;
	size_t attr_count;
	uint16_t life_type, life_duration, key_length;
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct phase phase1 = {phase1_attrs, COUNT(phase1_attrs),
    IKE_ATTR_LIFE_TYPE, IKE_ATTR_LIFE_DURATION, IKE_ATTR_KEY_LENGTH};
static const struct phase phase2 = {phase2_attrs, COUNT(phase2_attrs),
    IPSEC_ATTR_LIFE_TYPE, IPSEC_ATTR_LIFE_DURATION, IPSEC_ATTR_KEY_LENGTH};

static const struct phase *phase_of(enum sa_phase phase)
{
	return phase == SA_PHASE1 ? &phase1 : &phase2;
}

/* --- decoder ----------------------------------------------------------- */

struct attr {
	uint16_t type;
	bool is_basic;
	struct wire_span value;
};

/* The first thing that is wrong with a transform counts. */
static void spoil(struct sa_transform *t, uint16_t type, const char *why)
{
	if (t->bad_reason)
		return;
	t->bad_attribute = type;
	t->bad_reason = why;
}

static uint64_t number_of(struct wire_span value)
{
	uint64_t v = 0;

	for (size_t i = 0; i < value.len; i++)
		v = v << 8 | value.data[i];
	return v;
}

static void set_number(
    struct sa_transform *t, const struct attr_row *row, const struct attr *a)
{
	uint16_t *member = (uint16_t *)((uint8_t *)t + row->offset);
	uint16_t value = (uint16_t)number_of(a->value);

	/* RFC 2408 section 3.3: these are basic, never variable. */
	if (!a->is_basic) {
		spoil(t, a->type, "is not in basic form");
		return;
	}
	if (t->present & row->flag && *member != value) {
		spoil(t, a->type, "occurs twice with two values");
		return;
	}
	t->present |= row->flag;
	*member = value;
}

/* A lifetime's duration; both forms are seen, of 1 to 8 bytes. */
static void set_life(
    struct sa_transform *t, unsigned int life_type, const struct attr *a)
{
	bool is_seconds = life_type == IKE_LIFE_SECONDS;
	uint32_t flag = is_seconds ? SA_HAS_SECONDS : SA_HAS_KILOBYTES;
	uint64_t *member = is_seconds ? &t->life_seconds : &t->life_kilobytes;
	uint64_t value = number_of(a->value);

	if (!life_type) {
		spoil(t, a->type, "has no life type before it");
		return;
	}
	if (!is_seconds && life_type != IKE_LIFE_KILOBYTES) {
		spoil(t, a->type, "is of an unknown life type");
		return;
	}
	if (!a->value.len || a->value.len > sizeof(value)) {
		spoil(t, a->type, "has not 1 to 8 bytes");
		return;
	}
	if (!(t->present & flag) || value < *member)
		*member = value;
	t->present |= flag;
}

static struct attr attr_decode(struct wire_reader *r)
{
	uint16_t type = wire_get_u16(r);
	struct attr a = {.type = type & (uint16_t)~ATTR_BASIC};

	a.is_basic = type & ATTR_BASIC;
	a.value = wire_get_span(r, a.is_basic ? 2 : wire_get_u16(r));
	return a;
}

static void attrs_decode(
    const struct phase *ph, struct wire_reader *r, struct sa_transform *t)
{
	unsigned int life_type = 0;

	while (wire_left(r)) {
		struct attr a = attr_decode(r);
		const struct attr_row *row = NULL;

		if (wire_error(r))
			return;
		for (size_t i = 0; i < ph->attr_count; i++)
			if (ph->attrs[i].type == a.type)
				row = &ph->attrs[i];
		if (row) {
			set_number(t, row, &a);
		} else if (a.type == ph->life_type && a.is_basic) {
			life_type = (unsigned int)number_of(a.value);
		} else if (a.type == ph->life_duration) {
			set_life(t, life_type, &a);
			life_type = 0;
		} else {
			spoil(t, a.type, "is not supported");
		}
	}
}

/* What a proposal and a transform payload have in common. */
struct sub_payload {
	uint8_t next;
	struct wire_span raw;
	struct wire_reader body; /* behind the generic header */
};

static int sub_payload_decode(struct wire_reader *r, const char *what,
    uint8_t own_type, struct sub_payload *p, char reason[ISAKMP_REASON_MAX])
{
	struct wire_reader ahead = *r;
	uint8_t reserved;
	size_t len;

	p->next = wire_get_u8(&ahead);
	reserved = wire_get_u8(&ahead);
	len = wire_get_u16(&ahead);
	if (wire_error(&ahead))
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: %s has no room for its header", what);
	if (p->next != ISAKMP_PAYLOAD_NONE && p->next != own_type)
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: %s is followed by payload type %u", what, p->next);
	if (reserved)
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: %s has a reserved byte of 0x%02x", what, reserved);
	if (len < 8 || len > wire_left(r))
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: %s has length %zu with %zu left", what, len,
		    wire_left(r));
	p->raw = wire_get_span(r, len);
	p->body = wire_get_sub(&ahead, len - 4);
	return 0;
}

static int transform_decode(struct sa_offer *o, struct sa_protocol *proto,
    struct wire_reader *r, uint8_t *next, char reason[ISAKMP_REASON_MAX])
{
	struct sub_payload p;
	struct sa_transform t = {0};
	int err = sub_payload_decode(
	    r, "transform", ISAKMP_PAYLOAD_TRANSFORM, &p, reason);

	if (err)
		return err;
	*next = p.next;
	t.raw = p.raw;
	t.number = wire_get_u8(&p.body);
	t.id = wire_get_u8(&p.body);
	wire_skip(&p.body, 2);
	if (o->phase == SA_PHASE2)
		t.cipher = t.id;
	attrs_decode(phase_of(o->phase), &p.body, &t);
	if (wire_error(&p.body))
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: an attribute of transform %u does not fit", t.number);
	if (o->transform_count == SA_MAX_TRANSFORMS) {
		o->dropped++;
		return 0;
	}
	o->transform[o->transform_count++] = t;
	proto->count++;
	return 0;
}

/* The transforms of one proposal: as many as it says, then no more. */
static int transforms_decode(struct sa_offer *o, struct sa_protocol *proto,
    struct wire_reader *r, unsigned int count, char reason[ISAKMP_REASON_MAX])
{
	uint8_t next = ISAKMP_PAYLOAD_TRANSFORM;
	unsigned int seen = 0;

	while (next == ISAKMP_PAYLOAD_TRANSFORM) {
		int err = transform_decode(o, proto, r, &next, reason);

		if (err)
			return err;
		seen++;
	}
	if (seen != count || wire_left(r))
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: proposal %u says %u transforms and has %u, with %zu "
		    "bytes behind them",
		    proto->number, count, seen, wire_left(r));
	return 0;
}

static int proposal_decode(struct sa_offer *o, struct wire_reader *r,
    uint8_t *next, char reason[ISAKMP_REASON_MAX])
{
	struct sa_protocol spare = {0};
	struct sa_protocol *proto = &spare;
	struct sub_payload p;
	unsigned int count;
	int err = sub_payload_decode(
	    r, "proposal", ISAKMP_PAYLOAD_PROPOSAL, &p, reason);

	if (err)
		return err;
	*next = p.next;
	if (o->protocol_count < SA_MAX_PROTOCOLS)
		proto = &o->protocol[o->protocol_count++];
	*proto = (struct sa_protocol){.first = (uint8_t)o->transform_count};
	proto->number = wire_get_u8(&p.body);
	proto->protocol = wire_get_u8(&p.body);
	proto->spi_len = wire_get_u8(&p.body);
	count = wire_get_u8(&p.body);
	if (proto->spi_len > SA_SPI_MAX)
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: proposal %u has an SPI of %u bytes", proto->number,
		    proto->spi_len);
	wire_get_bytes(&p.body, proto->spi, proto->spi_len);
	err = transforms_decode(o, proto, &p.body, count, reason);
	if (proto != &spare || err)
		return err;
	o->transform_count -= spare.count;
	o->dropped += spare.count;
	return 0;
}

int sa_decode(enum sa_phase phase, struct wire_span body, struct sa_offer *out,
    char reason[ISAKMP_REASON_MAX])
{
	uint8_t next = ISAKMP_PAYLOAD_PROPOSAL;
	struct wire_reader r;
	uint32_t doi, situation;

	out->phase = phase;
	out->protocol_count = 0;
	out->transform_count = 0;
	out->dropped = 0;
	wire_reader_init(&r, body.data, body.len);
	doi = wire_get_u32(&r);
	situation = wire_get_u32(&r);
	if (wire_error(&r))
		return isakmp_refuse(
		    reason, -EBADMSG, "SA: %zu bytes are too few", body.len);
	if (doi != ISAKMP_DOI_IPSEC)
		return isakmp_refuse(reason, -ENOTSUP, "SA: DOI %u", doi);
	if (situation != ISAKMP_SIT_IDENTITY_ONLY)
		return isakmp_refuse(
		    reason, -ENOTUNIQ, "SA: situation 0x%x", situation);
	while (next == ISAKMP_PAYLOAD_PROPOSAL) {
		int err = proposal_decode(out, &r, &next, reason);

		if (err)
			return err;
	}
	if (wire_left(&r))
		return isakmp_refuse(reason, -EBADMSG,
		    "SA: %zu bytes behind the last proposal", wire_left(&r));
	return 0;
}

/* --- encoders ---------------------------------------------------------- */

/* The start of an SA body with its only proposal; returns the offset of
 * the proposal, whose length close_proposal() sets. */
static size_t open_proposal(struct wire_writer *w, const struct sa_protocol *p,
    struct wire_span spi, size_t transforms)
{
	size_t pos;

	wire_put_u32(w, ISAKMP_DOI_IPSEC);
	wire_put_u32(w, ISAKMP_SIT_IDENTITY_ONLY);
	pos = w->pos;
	wire_put_zero(w, 4);
	wire_put_u8(w, p->number);
	wire_put_u8(w, p->protocol);
	wire_put_u8(w, (uint8_t)spi.len);
	wire_put_u8(w, (uint8_t)transforms);
	wire_put_span(w, spi);
	return pos;
}

static void close_proposal(struct wire_writer *w, size_t pos)
{
	wire_set_u16(w, pos + 2, (uint16_t)(w->pos - pos));
}

void sa_encode_reply(struct wire_writer *w, const struct sa_offer *offer,
    const struct sa_protocol *protocol, const struct sa_transform *transform,
    struct wire_span spi)
{
	struct wire_span none = {NULL, 0};
	size_t pos, transform_pos;

	pos = open_proposal(
	    w, protocol, offer->phase == SA_PHASE1 ? none : spi, 1);
	transform_pos = w->pos;
	wire_put_span(w, transform->raw);
	wire_set_u8(w, transform_pos, ISAKMP_PAYLOAD_NONE);
	close_proposal(w, pos);
}

static void put_basic(struct wire_writer *w, unsigned int type, uint16_t value)
{
	wire_put_u16(w, (uint16_t)(ATTR_BASIC | type));
	wire_put_u16(w, value);
}

static void put_life(struct wire_writer *w, const struct phase *ph,
    enum ike_life_type type, uint32_t value)
{
	if (!value)
		return;
	put_basic(w, ph->life_type, (uint16_t)type);
	wire_put_u16(w, ph->life_duration);
	wire_put_u16(w, sizeof(value));
	wire_put_u32(w, value);
}

/* RFC 2407 section 4.5: no Key Length for ciphers that have but one. */
static void put_key_length(struct wire_writer *w, const struct phase *ph,
    const struct alg_cipher *cipher, const struct ike_suite *suite)
{
	if (!cipher || !cipher->is_fixed)
		put_basic(w, ph->key_length, suite->key_bits);
}

static void put_phase1_attrs(
    struct wire_writer *w, const struct ike_suite *suite)
{
	put_basic(w, IKE_ATTR_CIPHER, suite->cipher);
	put_key_length(
	    w, &phase1, alg_ike_cipher(suite->cipher, suite->key_bits), suite);
	put_basic(w, IKE_ATTR_HASH, suite->hash);
	put_basic(w, IKE_ATTR_GROUP, suite->group);
	put_basic(w, IKE_ATTR_AUTH_METHOD, IKE_AUTH_PSK);
}

static void put_phase2_attrs(struct wire_writer *w,
    const struct sa_offer_spec *spec, const struct ike_suite *suite)
{
	put_basic(w, IPSEC_ATTR_ENCAP_MODE, spec->encap);
	put_key_length(
	    w, &phase2, alg_esp_cipher(suite->cipher, suite->key_bits), suite);
	if (suite->hash)
		put_basic(w, IPSEC_ATTR_AUTH_ALG, suite->hash);
	if (suite->group)
		put_basic(w, IPSEC_ATTR_GROUP, suite->group);
}

void sa_encode_offer(struct wire_writer *w, const struct sa_offer_spec *spec)
{
	const struct phase *ph = phase_of(spec->phase);
	bool is_phase1 = spec->phase == SA_PHASE1;
	struct sa_protocol proto = {.number = 1,
	    .protocol = is_phase1 ? ISAKMP_PROTO_ISAKMP : ISAKMP_PROTO_ESP};
	size_t pos = open_proposal(w, &proto, spec->spi, spec->suite_count);

	for (size_t i = 0; i < spec->suite_count; i++) {
		const struct ike_suite *suite = &spec->suites[i];
		bool is_last = i + 1 == spec->suite_count;
		size_t start = w->pos;

		wire_put_u8(w,
		    is_last ? ISAKMP_PAYLOAD_NONE : ISAKMP_PAYLOAD_TRANSFORM);
		wire_put_zero(w, 3);
		wire_put_u8(w, (uint8_t)(i + 1));
		wire_put_u8(w,
		    is_phase1 ? IKE_TRANSFORM_KEY_IKE : (uint8_t)suite->cipher);
		wire_put_u16(w, 0);
		if (is_phase1)
			put_phase1_attrs(w, suite);
		else
			put_phase2_attrs(w, spec, suite);
		put_life(w, ph, IKE_LIFE_SECONDS, spec->life_seconds);
		put_life(w, ph, IKE_LIFE_KILOBYTES, spec->life_kilobytes);
		wire_set_u16(w, start + 2, (uint16_t)(w->pos - start));
	}
	close_proposal(w, pos);
}
