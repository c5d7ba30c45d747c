/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes what meets a datagram first: header, payload chain, script check
 * and every payload decoder.  What decodes must encode to the same bytes.
 */
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/vendor.h"

#include <stdlib.h>
#include <string.h>

#define DATAGRAM_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static const struct isakmp_rule rules[] = {
    {ISAKMP_PAYLOAD_SA, 0, 1},
    {ISAKMP_PAYLOAD_HASH, 0, 1},
    {ISAKMP_PAYLOAD_VID, 0, 20},
    {ISAKMP_PAYLOAD_NAT_D, 0, 4},
};
static const struct isakmp_script script = {
    "fuzz", ISAKMP_PAYLOAD_NONE, rules, sizeof(rules) / sizeof(rules[0])};

static void try_id(struct wire_span body, char *reason)
{
	char text[PAYLOAD_ID_TEXT_MAX];
	uint8_t out[DATAGRAM_MAX];
	struct payload_id id;
	struct wire_writer w;
	struct addr a;

	if (payload_id_decode(body, &id, reason))
		return;
	must(strlen(payload_id_text(&id, text)) < sizeof(text));
	must(strlen(payload_id_selector_text(&id, text)) < sizeof(text));
	for (const char *p = text; *p; p++)
		must(*p >= 0x20 && *p <= 0x7e && *p != '"');
	payload_id_addr(&id, &a);
	payload_id_is_phase1(&id);
	wire_writer_init(&w, out, sizeof(out));
	payload_id_encode(&w, &id);
	must(wire_span_equal(body, wire_written(&w, 0)));
}

static void try_notify(struct wire_span body, char *reason)
{
	uint8_t out[DATAGRAM_MAX];
	struct payload_notify n;
	struct wire_writer w;

	if (payload_notify_decode(body, &n, reason))
		return;
	wire_writer_init(&w, out, sizeof(out));
	payload_notify_encode(&w, &n);
	must(wire_span_equal(body, wire_written(&w, 0)));
}

static void try_delete(struct wire_span body, char *reason)
{
	uint8_t out[DATAGRAM_MAX];
	struct payload_delete d;
	struct wire_writer w;

	if (payload_delete_decode(body, &d, reason))
		return;
	for (size_t i = 0; i < d.count; i++)
		must(payload_delete_spi(&d, i).len == d.spi_len);
	must(!payload_delete_spi(&d, d.count).len);
	wire_writer_init(&w, out, sizeof(out));
	payload_delete_encode(&w, &d);
	must(wire_span_equal(body, wire_written(&w, 0)));
}

static void try_payload(const struct isakmp_payload *p, char *reason)
{
	static const uint16_t groups[] = {14, 19, 21, 0, 65535};
	struct sa_offer offer;
	struct addr a;

	sa_decode(SA_PHASE1, p->body, &offer, reason);
	sa_decode(SA_PHASE2, p->body, &offer, reason);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		payload_ke_check(p->body, groups[i], reason);
	payload_nonce_check(p->body, reason);
	payload_hash_check(p->body, IKE_HASH_SHA256, reason);
	try_id(p->body, reason);
	try_notify(p->body, reason);
	try_delete(p->body, reason);
	payload_nat_oa_decode(p->body, &a, reason);
	must(vendor_name(vendor_recognise(p->body)) != NULL);
}

static void try_datagram(struct wire_span datagram)
{
	char reason[ISAKMP_REASON_MAX];
	struct isakmp_payloads p;
	struct isakmp_header h;
	struct wire_span body;

	if (isakmp_header_decode(datagram, &h, &body, reason))
		return;
	if (isakmp_payloads_decode(h.next_payload, body, &p, reason))
		return;
	must(p.count <= ISAKMP_MAX_PAYLOADS && p.consumed <= body.len);
	isakmp_script_check(&p, &script, reason);
	for (size_t i = 0; i < p.count; i++) {
		must(isakmp_payload_find(&p, p.item[i].type) != NULL);
		must(isakmp_payloads_rest(&p, &p.item[i]).len <= p.consumed);
		try_payload(&p.item[i], reason);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t copy[DATAGRAM_MAX];
	struct wire_writer w;

	if (size > sizeof(copy))
		return 0;
	try_datagram(wire_span_of(data, size));
	/* Again with the length and version that lead further. */
	wire_writer_init(&w, copy, sizeof(copy));
	wire_put_bytes(&w, data, size);
	wire_set_u8(&w, 17, ISAKMP_VERSION);
	wire_set_u32(&w, 24, (uint32_t)size);
	if (!wire_writer_error(&w))
		try_datagram(wire_written(&w, 0));
	return 0;
}
