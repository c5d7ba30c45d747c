/* SPDX-License-Identifier: ISC */
/* Header, chain, script check and builder of ISAKMP messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp_msg.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <string.h>

/* Cookies, next SA, version 1.0, Main Mode, no flags, M-ID 0, length 28. */
#define GOOD_HEADER                                                            \
	"1112131415161718 0000000000000000 01 10 02 00 00000000 0000001c"

static int decode_header(struct hex *h, struct isakmp_header *hdr,
    struct wire_span *body, char *reason)
{
	return isakmp_header_decode(
	    wire_span_of(h->data, h->len), hdr, body, reason);
}

static void a_good_header_decodes(void **state)
{
	char reason[ISAKMP_REASON_MAX] = "untouched";
	struct isakmp_header hdr;
	struct wire_span body;
	struct hex h;

	(void)state;
	hex_decode(&h, "a1a2a3a4a5a6a7a8 b1b2b3b4b5b6b7b8 08 10 20 01 c1c2c3c4 "
		       "00000020 01020304");
	assert_int_equal(decode_header(&h, &hdr, &body, reason), 0);
	assert_true(hex_equal(hdr.cky_i, 8, "a1a2a3a4a5a6a7a8"));
	assert_true(hex_equal(hdr.cky_r, 8, "b1b2b3b4b5b6b7b8"));
	assert_int_equal(hdr.next_payload, ISAKMP_PAYLOAD_HASH);
	assert_int_equal(hdr.version, ISAKMP_VERSION);
	assert_int_equal(hdr.exchange, ISAKMP_EXCHANGE_QUICK);
	assert_int_equal(hdr.flags, ISAKMP_FLAG_ENCRYPTED);
	assert_int_equal(hdr.message_id, 0xc1c2c3c4);
	assert_int_equal(hdr.length, 32);
	assert_int_equal(body.len, 4);
	assert_int_equal(body.data[3], 4);
	assert_string_equal(reason, "untouched");
}

static void every_short_header_is_refused(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct isakmp_header hdr;
	struct wire_span body;
	struct hex h;

	(void)state;
	hex_decode(&h, GOOD_HEADER);
	for (size_t len = 0; len < ISAKMP_HEADER_LEN; len++) {
		h.len = len;
		assert_int_equal(
		    decode_header(&h, &hdr, &body, reason), -EBADMSG);
		assert_non_null(strstr(reason, "shorter than"));
	}
	h.len = ISAKMP_HEADER_LEN;
	assert_int_equal(decode_header(&h, &hdr, &body, reason), 0);
	assert_int_equal(body.len, 0);
	h.len++; /* RFC 2408 section 5.1: both lengths must be equal */
	assert_int_equal(decode_header(&h, &hdr, &body, reason), -EBADMSG);
	assert_string_equal(
	    reason, "header says 28 bytes, the datagram has 29");
}

/* One wrong byte each. */
static const struct {
	size_t pos;
	uint8_t value;
	int err;
	const char *reason;
} header_faults[] = {
    {17, 0x20, -EPROTONOSUPPORT, "ISAKMP version 2.0"},
    {17, 0x00, -EPROTONOSUPPORT, "ISAKMP version 0.0"},
    {17, 0x11, -EBADMSG, "ISAKMP version 1.1"},
    {19, 0x08, -EBADMSG, "reserved header flags are set (0x08)"},
    {19, 0x80, -EBADMSG, "reserved header flags are set (0x80)"},
    {27, 0x1b, -EBADMSG, "header says 27 bytes, the datagram has 28"},
    {24, 0xff, -EBADMSG, "header says 4278190108 bytes, the datagram has 28"},
};

static void every_header_fault_is_named(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct isakmp_header hdr;
	struct wire_span body;
	struct hex h;

	(void)state;
	for (size_t i = 0; i < sizeof(header_faults) / sizeof(header_faults[0]);
	     i++) {
		hex_decode(&h, GOOD_HEADER);
		h.data[header_faults[i].pos] = header_faults[i].value;
		assert_int_equal(decode_header(&h, &hdr, &body, reason),
		    header_faults[i].err);
		assert_string_equal(reason, header_faults[i].reason);
	}
	hex_decode(&h, GOOD_HEADER);
	memset(h.data, 0, ISAKMP_COOKIE_LEN);
	assert_int_equal(decode_header(&h, &hdr, &body, reason), -EBADMSG);
	assert_string_equal(reason, "the initiator's cookie is zero");
}

static void a_header_encodes_to_what_it_was(void **state)
{
	struct isakmp_header hdr;
	struct wire_writer w;
	struct wire_span body;
	uint8_t out[ISAKMP_HEADER_LEN];
	struct hex h;

	(void)state;
	hex_decode(&h, GOOD_HEADER);
	assert_int_equal(decode_header(&h, &hdr, &body, NULL), 0);
	wire_writer_init(&w, out, sizeof(out));
	isakmp_header_encode(&w, &hdr);
	assert_int_equal(wire_writer_error(&w), 0);
	assert_memory_equal(out, h.data, sizeof(out));
}

/* --- chain ------------------------------------------------------------- */

/* HASH (2 bytes), NONCE (1 byte), an empty VID, then two bytes of padding. */
#define CHAIN "0a000006aaaa 0d000005bb 00000004 0000"

static int decode_chain(
    uint8_t first, struct hex *h, struct isakmp_payloads *p, char *reason)
{
	return isakmp_payloads_decode(
	    first, wire_span_of(h->data, h->len), p, reason);
}

static void a_chain_decodes(void **state)
{
	struct isakmp_payloads p;
	struct wire_span rest;
	struct hex h;

	(void)state;
	hex_decode(&h, CHAIN);
	assert_int_equal(decode_chain(ISAKMP_PAYLOAD_HASH, &h, &p, NULL), 0);
	assert_int_equal(p.count, 3);
	assert_int_equal(p.consumed, 15);
	assert_int_equal(p.item[0].type, ISAKMP_PAYLOAD_HASH);
	assert_true(hex_equal(p.item[0].body.data, p.item[0].body.len, "aaaa"));
	assert_int_equal(p.item[0].full.len, 6);
	assert_int_equal(p.item[1].type, ISAKMP_PAYLOAD_NONCE);
	assert_int_equal(p.item[2].type, ISAKMP_PAYLOAD_VID);
	assert_int_equal(p.item[2].body.len, 0);
	rest = isakmp_payloads_rest(&p, &p.item[0]);
	assert_true(hex_equal(rest.data, rest.len, "0d000005bb00000004"));
	assert_int_equal(isakmp_payloads_rest(&p, &p.item[2]).len, 0);
	assert_ptr_equal(
	    isakmp_payload_find(&p, ISAKMP_PAYLOAD_NONCE), &p.item[1]);
	assert_null(isakmp_payload_find(&p, ISAKMP_PAYLOAD_KE));
	assert_null(isakmp_payload_find_nth(&p, ISAKMP_PAYLOAD_NONCE, 1));
	assert_int_equal(isakmp_payload_count(&p, ISAKMP_PAYLOAD_VID), 1);
	assert_int_equal(isakmp_payload_count(&p, ISAKMP_PAYLOAD_ID), 0);
}

static void every_truncated_chain_is_refused(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct isakmp_payloads p;
	struct hex h;

	(void)state;
	hex_decode(&h, CHAIN);
	for (size_t len = 0; len < 15; len++) {
		h.len = len;
		reason[0] = '\0';
		assert_int_equal(
		    decode_chain(ISAKMP_PAYLOAD_HASH, &h, &p, reason),
		    -EBADMSG);
		assert_non_null(strstr(reason, "payload at offset"));
	}
	h.len = 15;
	assert_int_equal(decode_chain(ISAKMP_PAYLOAD_HASH, &h, &p, reason), 0);
}

static void chain_faults_are_named(void **state)
{
	static const struct {
		uint8_t first;
		const char *chain, *reason;
	} faults[] = {
	    {ISAKMP_PAYLOAD_HASH, "00000003",
		"HASH payload at offset 0 has length 3 with 4 left"},
	    {ISAKMP_PAYLOAD_HASH, "00000000",
		"HASH payload at offset 0 has length 0 with 4 left"},
	    {ISAKMP_PAYLOAD_HASH, "0000ffff",
		"HASH payload at offset 0 has length 65535 with 4 left"},
	    {ISAKMP_PAYLOAD_HASH, "00010004",
		"HASH payload at offset 0 has a reserved byte of 0x01"},
	    {ISAKMP_PAYLOAD_TRANSFORM, "00000004",
		"transform payload outside an SA payload"},
	    {ISAKMP_PAYLOAD_HASH, "02000004 00000004",
		"proposal payload outside an SA payload"},
	    {40, "000000",
		"payload 40 payload at offset 0 has no room for "
		"its header"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		char reason[ISAKMP_REASON_MAX];
		struct isakmp_payloads p;
		struct hex h;

		hex_decode(&h, faults[i].chain);
		assert_int_equal(
		    decode_chain(faults[i].first, &h, &p, reason), -EBADMSG);
		assert_string_equal(reason, faults[i].reason);
	}
}

static void a_chain_may_be_empty_and_has_an_end(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct isakmp_payloads p;
	struct hex h = {.len = 4 * (ISAKMP_MAX_PAYLOADS + 1)};

	(void)state;
	for (size_t i = 0; i < ISAKMP_MAX_PAYLOADS + 1; i++) {
		h.data[4 * i] = ISAKMP_PAYLOAD_VID;
		h.data[4 * i + 3] = 4;
	}
	h.data[4 * ISAKMP_MAX_PAYLOADS] = ISAKMP_PAYLOAD_NONE;
	assert_int_equal(decode_chain(ISAKMP_PAYLOAD_NONE, &h, &p, reason), 0);
	assert_int_equal(p.count, 0);
	assert_int_equal(p.consumed, 0);
	assert_int_equal(
	    decode_chain(ISAKMP_PAYLOAD_VID, &h, &p, reason), -EBADMSG);
	assert_string_equal(reason, "more than 32 payloads");
	h.data[4 * (ISAKMP_MAX_PAYLOADS - 1)] = ISAKMP_PAYLOAD_NONE;
	assert_int_equal(decode_chain(ISAKMP_PAYLOAD_VID, &h, &p, reason), 0);
	assert_int_equal(p.count, ISAKMP_MAX_PAYLOADS);
}

/* --- script ------------------------------------------------------------ */

static const struct isakmp_rule rules[] = {
    {ISAKMP_PAYLOAD_HASH, 1, 1},
    {ISAKMP_PAYLOAD_NONCE, 1, 1},
    {ISAKMP_PAYLOAD_ID, 0, 2},
};
static const struct isakmp_script script = {
    "test", ISAKMP_PAYLOAD_HASH, rules, 3};

static int check(const char *types, char *reason)
{
	struct isakmp_payloads p = {.count = 0};
	struct hex h;

	hex_decode(&h, types);
	for (size_t i = 0; i < h.len; i++)
		p.item[p.count++].type = h.data[i];
	return isakmp_script_check(&p, &script, reason);
}

static void the_script_is_checked(void **state)
{
	static const struct {
		const char *types;
		int err;
		const char *reason;
	} rows[] = {
	    {"080a", 0, ""},
	    {"080a0505", 0, ""},
	    {"08050a05", 0, ""},
	    {"080a80", 0, ""}, /* private use and unknown */
	    {"080aff", 0, ""},
	    {"", -ENOMSG, "test: HASH is missing"},
	    {"08", -ENOMSG, "test: NONCE is missing"},
	    {"0a", -ENOMSG, "test: HASH is missing"},
	    {"0a08", -ENOMSG, "test: HASH is not the first payload"},
	    {"08080a", -EPROTO, "test: HASH occurs more than 1 times"},
	    {"080a050505", -EPROTO, "test: ID occurs more than 2 times"},
	    {"080a04", -EPROTO, "test: KE is not allowed"},
	    {"080a21", -EPROTO, "test: payload 33 is not allowed"},
	    {"080a35", -EPROTO, "test: payload 53 is not allowed"},
	    {"080a84", -EPROTO, "test: fragment is not allowed"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char reason[ISAKMP_REASON_MAX] = "";

		assert_int_equal(check(rows[i].types, reason), rows[i].err);
		assert_string_equal(reason, rows[i].reason);
	}
}

/* --- builder ----------------------------------------------------------- */

static const struct isakmp_header quick = {
    .cky_i = {1},
    .cky_r = {2},
    .next_payload = 99,
    .version = ISAKMP_VERSION,
    .exchange = ISAKMP_EXCHANGE_QUICK,
    .flags = ISAKMP_FLAG_ENCRYPTED,
    .message_id = 7,
    .length = 12345,
};

static int build(void *buf, size_t size, size_t block, struct wire_span *rest)
{
	struct isakmp_builder b;
	size_t hash_pos, rest_pos;

	isakmp_build_begin(&b, buf, size, &quick);
	hash_pos = isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, 2);
	rest_pos = b.w.pos;
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NONCE, wire_span_of("n", 1));
	isakmp_build_open(&b, ISAKMP_PAYLOAD_ID);
	wire_put_u8(&b.w, 0xcc);
	wire_put_u8(&b.w, 0xdd);
	isakmp_build_close(&b);
	*rest = isakmp_build_since(&b, rest_pos);
	wire_set_bytes(&b.w, hash_pos, "hh", 2);
	return isakmp_build_finish(&b, block);
}

static void a_message_is_built(void **state)
{
	struct wire_span rest, body;
	struct isakmp_header hdr;
	struct isakmp_payloads p;
	uint8_t buf[64];
	int len = build(buf, sizeof(buf), 16, &rest);

	(void)state;
	assert_int_equal(len, ISAKMP_HEADER_LEN + 32);
	assert_true(hex_equal(rest.data, rest.len, "050000056e 00000006ccdd"));
	assert_int_equal(isakmp_header_decode(
			     wire_span_of(buf, (size_t)len), &hdr, &body, NULL),
	    0);
	assert_int_equal(hdr.next_payload, ISAKMP_PAYLOAD_HASH);
	assert_int_equal(
	    isakmp_payloads_decode(hdr.next_payload, body, &p, NULL), 0);
	assert_int_equal(p.count, 3);
	assert_int_equal(p.consumed, 6 + 5 + 6);
	assert_memory_equal(p.item[0].body.data, "hh", 2);
	assert_true(hex_equal(
	    body.data + p.consumed, 15, "000000000000000000000000000000"));
}

static void padding_fills_the_block_only(void **state)
{
	struct wire_span rest;
	uint8_t buf[64];

	(void)state;
	assert_int_equal(build(buf, sizeof(buf), 0, &rest), 28 + 17);
	assert_int_equal(build(buf, sizeof(buf), 17, &rest), 28 + 17);
	assert_int_equal(build(buf, sizeof(buf), 8, &rest), 28 + 24);
}

static void every_short_buffer_is_noticed(void **state)
{
	struct wire_span rest;

	(void)state;
	for (size_t size = 0; size < 28 + 32; size++) {
		uint8_t buf[64];

		memset(buf, 0xee, sizeof(buf));
		assert_int_equal(build(buf, size, 16, &rest), -ENOSPC);
		assert_int_equal(buf[size], 0xee);
	}
}

static void a_payload_too_long_is_noticed(void **state)
{
	static uint8_t buf[80000], body[65532];
	struct isakmp_builder b;

	(void)state;
	isakmp_build_begin(&b, buf, sizeof(buf), &quick);
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_VID, wire_span_of(body, 65531));
	assert_int_equal(isakmp_build_finish(&b, 0), 28 + 65535);
	isakmp_build_begin(&b, buf, sizeof(buf), &quick);
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_VID, wire_span_of(body, 65532));
	assert_int_equal(isakmp_build_finish(&b, 0), -ENOSPC);
}

static void names(void **state)
{
	char out[ISAKMP_NAME_MAX];

	(void)state;
	assert_string_equal(
	    isakmp_name(ISAKMP_REG_NOTIFY, 14), "NO-PROPOSAL-CHOSEN");
	assert_string_equal(
	    isakmp_name_text(ISAKMP_REG_NOTIFY, 99, out), "notify 99");
	assert_string_equal(
	    isakmp_name_text(ISAKMP_REG_ESP_CIPHER, 20, out), "AES-GCM-16");
	assert_string_equal(isakmp_name_text(ISAKMP_REG_ENCAP, 61444, out),
	    "UDP transport (draft)");
	assert_null(isakmp_name(ISAKMP_REG_PAYLOAD, 33));
	for (int reg = 0; reg <= ISAKMP_REG_ID_TYPE; reg++) {
		assert_non_null(isakmp_name((enum isakmp_registry)reg, 1));
		isakmp_name_text((enum isakmp_registry)reg, 4294967295u, out);
		assert_non_null(strstr(out, " 4294967295"));
	}
	assert_int_equal(isakmp_refuse(NULL, -EPROTO, "x%d", 1), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_header_decodes),
	    cmocka_unit_test(every_short_header_is_refused),
	    cmocka_unit_test(every_header_fault_is_named),
	    cmocka_unit_test(a_header_encodes_to_what_it_was),
	    cmocka_unit_test(a_chain_decodes),
	    cmocka_unit_test(every_truncated_chain_is_refused),
	    cmocka_unit_test(chain_faults_are_named),
	    cmocka_unit_test(a_chain_may_be_empty_and_has_an_end),
	    cmocka_unit_test(the_script_is_checked),
	    cmocka_unit_test(a_message_is_built),
	    cmocka_unit_test(padding_fills_the_block_only),
	    cmocka_unit_test(every_short_buffer_is_noticed),
	    cmocka_unit_test(a_payload_too_long_is_noticed),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
