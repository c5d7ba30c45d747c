/* SPDX-License-Identifier: ISC */
/* Codecs of the small payloads; the contract is in the header. */
#include "ikev1/core/payload.h"

#include "ikev1/core/algs.h"
#include "ikev1/core/text.h"

#include <errno.h>

#define IPPROTO_UDP_NUMBER 17
#define COOKIES_LEN (2 * ISAKMP_COOKIE_LEN)

int payload_ke_check(
    struct wire_span body, uint16_t group, char reason[ISAKMP_REASON_MAX])
{
	const struct alg_group *g = alg_group(group);

	if (!g)
		return isakmp_refuse(
		    reason, -EBADMSG, "KE for unknown group %u", group);
	if (body.len != g->pub_len)
		return isakmp_refuse(reason, -EBADMSG,
		    "KE has %zu bytes, %s needs %u", body.len, g->name,
		    g->pub_len);
	return 0;
}

int payload_nonce_check(struct wire_span body, char reason[ISAKMP_REASON_MAX])
{
	if (body.len < PAYLOAD_NONCE_MIN || body.len > PAYLOAD_NONCE_MAX)
		return isakmp_refuse(reason, -EBADMSG,
		    "nonce has %zu bytes, not %d to %d", body.len,
		    PAYLOAD_NONCE_MIN, PAYLOAD_NONCE_MAX);
	return 0;
}

int payload_hash_check(
    struct wire_span body, uint16_t hash, char reason[ISAKMP_REASON_MAX])
{
	const struct alg_hash *h = alg_hash(hash);

	if (!h)
		return isakmp_refuse(
		    reason, -EBADMSG, "HASH for unknown hash %u", hash);
	if (body.len != crypto_hash_len(h->hash))
		return isakmp_refuse(reason, -EBADMSG,
		    "HASH has %zu bytes, %s needs %zu", body.len, h->name,
		    crypto_hash_len(h->hash));
	return 0;
}

/* --- identification ---------------------------------------------------- */

enum id_form {
	ID_FORM_TEXT,
	ID_FORM_KEY,
	ID_FORM_DER,
	ID_FORM_ADDR,
	ID_FORM_SUBNET,
	ID_FORM_RANGE,
};

struct id_row {
	uint8_t type;
	enum id_form form;
	uint8_t family; /* of addresses */
	uint8_t len;	/* of the data; 0: any but none */
};

/* RFC 2407 section 4.6.2.1. */
static const struct id_row id_rows[] = {
    {IPSEC_ID_IPV4, ID_FORM_ADDR, ADDR_IPV4, 4},
    {IPSEC_ID_FQDN, ID_FORM_TEXT, ADDR_NONE, 0},
    {IPSEC_ID_USER_FQDN, ID_FORM_TEXT, ADDR_NONE, 0},
    {IPSEC_ID_IPV4_SUBNET, ID_FORM_SUBNET, ADDR_IPV4, 8},
    {IPSEC_ID_IPV6, ID_FORM_ADDR, ADDR_IPV6, 16},
    {IPSEC_ID_IPV6_SUBNET, ID_FORM_SUBNET, ADDR_IPV6, 32},
    {IPSEC_ID_IPV4_RANGE, ID_FORM_RANGE, ADDR_IPV4, 8},
    {IPSEC_ID_IPV6_RANGE, ID_FORM_RANGE, ADDR_IPV6, 32},
    {IPSEC_ID_DER_ASN1_DN, ID_FORM_DER, ADDR_NONE, 0},
    {IPSEC_ID_DER_ASN1_GN, ID_FORM_DER, ADDR_NONE, 0},
    {IPSEC_ID_KEY_ID, ID_FORM_KEY, ADDR_NONE, 0},
};

static const struct id_row *id_row(uint8_t type)
{
	for (size_t i = 0; i < sizeof(id_rows) / sizeof(id_rows[0]); i++)
		if (id_rows[i].type == type)
			return &id_rows[i];
	return NULL;
}

int payload_id_decode(struct wire_span body, struct payload_id *out,
    char reason[ISAKMP_REASON_MAX])
{
	char name[ISAKMP_NAME_MAX];
	const struct id_row *row;
	struct wire_reader r;

	wire_reader_init(&r, body.data, body.len);
	out->type = wire_get_u8(&r);
	out->protocol = wire_get_u8(&r);
	out->port = wire_get_u16(&r);
	out->data = wire_get_span(&r, wire_left(&r));
	if (wire_error(&r))
		return isakmp_refuse(
		    reason, -EBADMSG, "ID: %zu bytes are too few", body.len);
	row = id_row(out->type);
	if (!row)
		return isakmp_refuse(
		    reason, -EBADMSG, "ID: unknown type %u", out->type);
	if (!out->data.len || (row->len && out->data.len != row->len))
		return isakmp_refuse(reason, -EBADMSG, "ID: %s with %zu bytes",
		    isakmp_name_text(ISAKMP_REG_ID_TYPE, out->type, name),
		    out->data.len);
	return 0;
}

void payload_id_encode(struct wire_writer *w, const struct payload_id *id)
{
	wire_put_u8(w, id->type);
	wire_put_u8(w, id->protocol);
	wire_put_u16(w, id->port);
	wire_put_span(w, id->data);
}

struct payload_id payload_id_of_addr(
    const struct addr *a, uint8_t protocol, uint16_t port)
{
	return (struct payload_id){
	    .type = a->family == ADDR_IPV6 ? IPSEC_ID_IPV6 : IPSEC_ID_IPV4,
	    .protocol = protocol,
	    .port = port,
	    .data = wire_span_of(a->ip, addr_ip_len(a)),
	};
}

/* The address that starts at offset of data; the caller knows it fits. */
static struct addr addr_at(struct wire_span data, size_t offset, uint8_t family)
{
	struct addr a = {.family = family};
	struct wire_reader r;

	wire_reader_init(&r, data.data, data.len);
	wire_skip(&r, offset);
	wire_get_bytes(&r, a.ip, addr_ip_len(&a));
	return a;
}

int payload_id_addr(const struct payload_id *id, struct addr *out)
{
	const struct id_row *row = id_row(id->type);

	if (!row || row->form != ID_FORM_ADDR || id->data.len != row->len)
		return -EINVAL;
	*out = addr_at(id->data, 0, row->family);
	out->port = id->port;
	return 0;
}

bool payload_id_is_phase1(const struct payload_id *id)
{
	if (!id->protocol)
		return !id->port;
	return id->protocol == IPPROTO_UDP_NUMBER &&
	       (!id->port || id->port == ISAKMP_PORT ||
		   id->port == ISAKMP_PORT_NATT);
}

/* --- text -------------------------------------------------------------- */

static void text_put_addrs(struct text *t, const struct id_row *row,
    struct wire_span data, const char *between)
{
	struct addr a = addr_at(data, 0, row->family);
	char ip[ADDR_TEXT_MAX];

	text_put(t, "%s", addr_ip_text(&a, ip));
	if (!between)
		return;
	a = addr_at(data, addr_ip_len(&a), row->family);
	text_put(t, "%s%s", between, addr_ip_text(&a, ip));
}

static void text_put_id(struct text *t, const struct payload_id *id)
{
	const struct id_row *row = id_row(id->type);
	char name[ISAKMP_NAME_MAX];

	if (!row || (row->len && id->data.len != row->len)) {
		text_put(t, "(%s)",
		    isakmp_name_text(ISAKMP_REG_ID_TYPE, id->type, name));
		return;
	}
	switch (row->form) {
	case ID_FORM_TEXT:
		text_put_printable(t, id->data);
		return;
	case ID_FORM_KEY:
		text_put(t, "@#");
		text_put_hex(t, id->data);
		return;
	case ID_FORM_DER:
		text_put(t, "dn:");
		text_put_hex(t, id->data);
		return;
	case ID_FORM_ADDR:
		text_put_addrs(t, row, id->data, NULL);
		return;
	case ID_FORM_SUBNET:
		text_put_addrs(t, row, id->data, "/");
		return;
	case ID_FORM_RANGE:
		text_put_addrs(t, row, id->data, "-");
		return;
	}
}

const char *payload_id_text(
    const struct payload_id *id, char out[PAYLOAD_ID_TEXT_MAX])
{
	struct text t = text_begin(out, PAYLOAD_ID_TEXT_MAX);

	text_put_id(&t, id);
	return out;
}

const char *payload_id_selector_text(
    const struct payload_id *id, char out[PAYLOAD_ID_TEXT_MAX])
{
	struct text t = text_begin(out, PAYLOAD_ID_TEXT_MAX);

	text_put_id(&t, id);
	if (id->protocol || id->port)
		text_put(&t, "[%u/%u]", id->protocol, id->port);
	return out;
}

const char *payload_printable(struct wire_span text, char *out, size_t size)
{
	struct text t = text_begin(out, size);

	text_put_printable(&t, text);
	return out;
}

/* --- notify, delete ---------------------------------------------------- */

static int check_doi(
    const char *what, uint32_t doi, char reason[ISAKMP_REASON_MAX])
{
	if (doi == ISAKMP_DOI_IPSEC || doi == ISAKMP_DOI_GENERIC)
		return 0;
	return isakmp_refuse(reason, -EBADMSG, "%s: DOI %u", what, doi);
}

int payload_notify_decode(struct wire_span body, struct payload_notify *out,
    char reason[ISAKMP_REASON_MAX])
{
	struct wire_reader r;
	uint8_t spi_len;

	wire_reader_init(&r, body.data, body.len);
	out->doi = wire_get_u32(&r);
	out->protocol = wire_get_u8(&r);
	spi_len = wire_get_u8(&r);
	out->type = wire_get_u16(&r);
	out->spi = wire_get_span(&r, spi_len);
	out->data = wire_get_span(&r, wire_left(&r));
	if (wire_error(&r))
		return isakmp_refuse(reason, -EBADMSG,
		    "N: %zu bytes are too few for an SPI of %u", body.len,
		    spi_len);
	return check_doi("N", out->doi, reason);
}

void payload_notify_encode(
    struct wire_writer *w, const struct payload_notify *n)
{
	wire_put_u32(w, n->doi);
	wire_put_u8(w, n->protocol);
	wire_put_u8(w, (uint8_t)n->spi.len);
	wire_put_u16(w, n->type);
	wire_put_span(w, n->spi);
	wire_put_span(w, n->data);
}

int payload_delete_decode(struct wire_span body, struct payload_delete *out,
    char reason[ISAKMP_REASON_MAX])
{
	struct wire_reader r;
	size_t expected;

	wire_reader_init(&r, body.data, body.len);
	out->doi = wire_get_u32(&r);
	out->protocol = wire_get_u8(&r);
	out->spi_len = wire_get_u8(&r);
	out->count = wire_get_u16(&r);
	out->spis = wire_get_span(&r, wire_left(&r));
	if (wire_error(&r))
		return isakmp_refuse(
		    reason, -EBADMSG, "D: %zu bytes are too few", body.len);
	expected = out->protocol == ISAKMP_PROTO_ISAKMP ? COOKIES_LEN : 4;
	if (out->spi_len != expected)
		return isakmp_refuse(reason, -EBADMSG,
		    "D: SPI of %u bytes for protocol %u", out->spi_len,
		    out->protocol);
	if (!out->count || out->spis.len != out->count * expected)
		return isakmp_refuse(reason, -EBADMSG,
		    "D: %u SPIs of %zu bytes in %zu bytes", out->count,
		    expected, out->spis.len);
	return check_doi("D", out->doi, reason);
}

void payload_delete_encode(
    struct wire_writer *w, const struct payload_delete *d)
{
	wire_put_u32(w, d->doi);
	wire_put_u8(w, d->protocol);
	wire_put_u8(w, d->spi_len);
	wire_put_u16(w, d->count);
	wire_put_span(w, d->spis);
}

struct wire_span payload_delete_spi(
    const struct payload_delete *d, size_t index)
{
	struct wire_reader r;

	if (index >= d->count)
		return wire_span_of(NULL, 0);
	wire_reader_init(&r, d->spis.data, d->spis.len);
	wire_skip(&r, index * d->spi_len);
	return wire_get_span(&r, d->spi_len);
}

uint32_t payload_delete_spi32(const struct payload_delete *d, size_t index)
{
	struct wire_span spi = payload_delete_spi(d, index);
	struct wire_reader r;

	if (spi.len != 4)
		return 0;
	wire_reader_init(&r, spi.data, spi.len);
	return wire_get_u32(&r);
}

/* --- NAT-OA ------------------------------------------------------------ */

int payload_nat_oa_decode(
    struct wire_span body, struct addr *out, char reason[ISAKMP_REASON_MAX])
{
	const struct id_row *row;
	struct wire_reader r;
	uint8_t type;

	*out = (struct addr){0};
	wire_reader_init(&r, body.data, body.len);
	type = wire_get_u8(&r);
	wire_skip(&r, 3);
	row = id_row(type);
	if (wire_error(&r) || !row || row->form != ID_FORM_ADDR ||
	    wire_left(&r) != row->len)
		return isakmp_refuse(reason, -EBADMSG,
		    "NAT-OA: %zu bytes with ID type %u", body.len, type);
	out->family = row->family;
	wire_get_bytes(&r, out->ip, row->len);
	return 0;
}

void payload_nat_oa_encode(struct wire_writer *w, const struct addr *a)
{
	wire_put_u8(w, a->family == ADDR_IPV6 ? IPSEC_ID_IPV6 : IPSEC_ID_IPV4);
	wire_put_zero(w, 3);
	wire_put_bytes(w, a->ip, addr_ip_len(a));
}
