/* SPDX-License-Identifier: ISC */
/* The SA payload: offers as clients send them, and every way to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/payload_sa.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <string.h>

/* Two phase-1 transforms: AES-256 SHA1 ecp384 with 28800 s in four bytes,
 * then 3DES SHA1 modp2048 with 3600 s in basic form. */
#define T1                                                                     \
	"03000028 01010000 80010007 800e0100 80020002 80040014 80030001 "      \
	"800b0001 000c000400007080"
#define T2                                                                     \
	"00000020 02010000 80010005 80020002 8004000e 80030001 800b0001 "      \
	"800c0e10"
#define PHASE1 "00000001 00000001 00000050 01010002 " T1 " " T2

/* ESP, SPI c0ffee01, AES-256 SHA2-256 in UDP transport mode, 250000 kB and
 * 3600 s, as in RFC 2407 section 4.5.2's form. */
#define ESP_T                                                                  \
	"0000002c 010c0000 80040004 80060100 80050005 "                        \
	"80010001 00020004 00000e10 80010002 00020004 0003d090"
#define PHASE2 "00000001 00000001 00000038 01030401 c0ffee01 " ESP_T

static int decode(
    enum sa_phase phase, struct hex *h, struct sa_offer *o, char *reason)
{
	return sa_decode(phase, wire_span_of(h->data, h->len), o, reason);
}

static void phase1_decodes(void **state)
{
	static struct sa_offer o;
	struct hex h;

	(void)state;
	hex_decode(&h, PHASE1);
	assert_int_equal(decode(SA_PHASE1, &h, &o, NULL), 0);
	assert_int_equal(o.protocol_count, 1);
	assert_int_equal(o.protocol[0].number, 1);
	assert_int_equal(o.protocol[0].protocol, ISAKMP_PROTO_ISAKMP);
	assert_int_equal(o.protocol[0].spi_len, 0);
	assert_int_equal(o.protocol[0].count, 2);
	assert_int_equal(o.transform_count, 2);
	assert_int_equal(o.dropped, 0);
	assert_int_equal(o.transform[0].number, 1);
	assert_int_equal(o.transform[0].id, IKE_TRANSFORM_KEY_IKE);
	assert_int_equal(o.transform[0].cipher, IKE_CIPHER_AES);
	assert_int_equal(o.transform[0].key_bits, 256);
	assert_int_equal(o.transform[0].hash, IKE_HASH_SHA1);
	assert_int_equal(o.transform[0].group, IKE_GROUP_ECP384);
	assert_int_equal(o.transform[0].method, IKE_AUTH_PSK);
	assert_int_equal(o.transform[0].life_seconds, 28800);
	assert_null(o.transform[0].bad_reason);
	assert_int_equal(o.transform[0].raw.len, 0x28);
	assert_int_equal(o.transform[1].cipher, IKE_CIPHER_3DES);
	assert_int_equal(o.transform[1].life_seconds, 3600);
	assert_false(o.transform[1].present & SA_HAS_KEY_BITS);
	assert_false(o.transform[1].present & SA_HAS_KILOBYTES);
}

static void phase2_decodes(void **state)
{
	static struct sa_offer o;
	struct hex h;

	(void)state;
	hex_decode(&h, PHASE2);
	assert_int_equal(decode(SA_PHASE2, &h, &o, NULL), 0);
	assert_int_equal(o.protocol[0].protocol, ISAKMP_PROTO_ESP);
	assert_true(
	    hex_equal(o.protocol[0].spi, o.protocol[0].spi_len, "c0ffee01"));
	assert_int_equal(o.transform[0].cipher, ESP_AES);
	assert_int_equal(o.transform[0].key_bits, 256);
	assert_int_equal(o.transform[0].auth, ESP_AUTH_SHA256);
	assert_int_equal(o.transform[0].encap, IPSEC_ENCAP_UDP_TRANSPORT);
	assert_int_equal(o.transform[0].life_seconds, 3600);
	assert_int_equal(o.transform[0].life_kilobytes, 250000);
	assert_false(o.transform[0].present & SA_HAS_GROUP);
	assert_null(o.transform[0].bad_reason);
}

static void every_truncation_is_refused(void **state)
{
	static const struct {
		enum sa_phase phase;
		const char *text;
	} rows[] = {{SA_PHASE1, PHASE1}, {SA_PHASE2, PHASE2}};
	static struct sa_offer o;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hex h;
		size_t len = hex_decode(&h, rows[i].text).len;

		for (h.len = 0; h.len < len; h.len++) {
			char reason[ISAKMP_REASON_MAX] = "";

			assert_int_equal(
			    decode(rows[i].phase, &h, &o, reason), -EBADMSG);
			assert_memory_equal(reason, "SA: ", 4);
		}
		h.data[h.len++] = 0;
		assert_int_equal(decode(rows[i].phase, &h, &o, NULL), -EBADMSG);
	}
}

/* One wrong byte in PHASE2 each. */
static const struct {
	size_t pos;
	uint8_t value;
	int err;
	const char *reason;
} faults[] = {
    {3, 0, -ENOTSUP, "SA: DOI 0"},
    {0, 1, -ENOTSUP, "SA: DOI 16777217"},
    {7, 2, -ENOTUNIQ, "SA: situation 0x2"},
    {8, 3, -EBADMSG, "SA: proposal is followed by payload type 3"},
    {8, 2, -EBADMSG, "SA: proposal has no room for its header"},
    {9, 1, -EBADMSG, "SA: proposal has a reserved byte of 0x01"},
    {11, 7, -EBADMSG, "SA: proposal has length 7 with 56 left"},
    {11, 0x39, -EBADMSG, "SA: proposal has length 57 with 56 left"},
    {10, 0xff, -EBADMSG, "SA: proposal has length 65336 with 56 left"},
    {14, 17, -EBADMSG, "SA: proposal 1 has an SPI of 17 bytes"},
    {14, 0xff, -EBADMSG, "SA: proposal 1 has an SPI of 255 bytes"},
    {15, 0, -EBADMSG,
	"SA: proposal 1 says 0 transforms and has 1, with 0 bytes behind "
	"them"},
    {15, 2, -EBADMSG,
	"SA: proposal 1 says 2 transforms and has 1, with 0 bytes behind "
	"them"},
    {20, 2, -EBADMSG, "SA: transform is followed by payload type 2"},
    {20, 3, -EBADMSG, "SA: transform has no room for its header"},
    {21, 9, -EBADMSG, "SA: transform has a reserved byte of 0x09"},
    {23, 4, -EBADMSG, "SA: transform has length 4 with 44 left"},
    {23, 0x2d, -EBADMSG, "SA: transform has length 45 with 44 left"},
};

static void every_fault_is_named(void **state)
{
	static struct sa_offer o;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		char reason[ISAKMP_REASON_MAX] = "";
		struct hex h;

		hex_decode(&h, PHASE2);
		h.data[faults[i].pos] = faults[i].value;
		assert_int_equal(
		    decode(SA_PHASE2, &h, &o, reason), faults[i].err);
		assert_string_equal(reason, faults[i].reason);
	}
}

/* A transform of one or more attributes, decoded by itself. */
static const struct sa_transform *decode_attrs(
    enum sa_phase phase, const char *attrs, int *err)
{
	static struct sa_offer o;
	static uint8_t body[256];
	struct wire_writer w;
	struct hex h;

	hex_decode(&h, attrs);
	wire_writer_init(&w, body, sizeof(body));
	wire_put_u32(&w, ISAKMP_DOI_IPSEC);
	wire_put_u32(&w, ISAKMP_SIT_IDENTITY_ONLY);
	wire_put_u16(&w, 0);
	wire_put_u16(&w, (uint16_t)(16 + h.len));
	wire_put_u32(&w, 0x01030001);
	wire_put_u16(&w, 0);
	wire_put_u16(&w, (uint16_t)(8 + h.len));
	wire_put_u32(&w, 0x010c0000);
	wire_put_bytes(&w, h.data, h.len);
	*err = sa_decode(phase, wire_span_of(body, w.pos), &o, NULL);
	return &o.transform[0];
}

static void bad_attributes_spoil_only_their_transform(void **state)
{
	static const struct {
		enum sa_phase phase;
		const char *attrs;
		uint16_t bad;
		const char *reason;
	} rows[] = {
	    {SA_PHASE1, "80010007 80010005", 1, "occurs twice with two values"},
	    {SA_PHASE1, "800d0001", 13, "is not supported"},
	    {SA_PHASE1, "80110001", 17, "is not supported"},
	    {SA_PHASE1, "00010002 0007", 1, "is not in basic form"},
	    {SA_PHASE1, "00040000", 4, "is not in basic form"},
	    {SA_PHASE1, "800c0e10", 12, "has no life type before it"},
	    {SA_PHASE1, "800b0003 800c0e10", 12, "is of an unknown life type"},
	    {SA_PHASE1, "800b0001 000c0000", 12, "has not 1 to 8 bytes"},
	    {SA_PHASE1, "800b0001 000c0009 000000000000000001", 12,
		"has not 1 to 8 bytes"},
	    {SA_PHASE1, "000b0002 0001", 11, "is not supported"},
	    {SA_PHASE2, "80070001", 7, "is not supported"},
	    {SA_PHASE2, "80080001", 8, "is not supported"},
	    {SA_PHASE2, "ffff0001", 32767, "is not supported"},
	    {SA_PHASE2, "80040001 80040002", 4, "occurs twice with two values"},
	    /* The first fault counts. */
	    {SA_PHASE2, "80070001 80040001 80040002", 7, "is not supported"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err;
		const struct sa_transform *t =
		    decode_attrs(rows[i].phase, rows[i].attrs, &err);

		assert_int_equal(err, 0);
		assert_int_equal(t->bad_attribute, rows[i].bad);
		assert_string_equal(t->bad_reason, rows[i].reason);
	}
}

static void attributes_that_do_not_fit_are_refused(void **state)
{
	static const char *const rows[] = {"80", "8001", "800100", "0002",
	    "00020004", "00020004000000", "0002ffff", "80040002 80"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err;

		decode_attrs(SA_PHASE2, rows[i], &err);
		assert_int_equal(err, -EBADMSG);
	}
}

static void lifetimes_take_every_form(void **state)
{
	static const struct {
		const char *attrs;
		uint64_t seconds, kilobytes;
	} rows[] = {
	    {"80010001 80020e10", 3600, 0},
	    {"80010001 00020001 3c", 60, 0},
	    {"80010001 00020002 0e10", 3600, 0},
	    {"80010001 00020003 015180", 86400, 0},
	    {"80010001 00020004 00015180", 86400, 0},
	    {"80010001 00020008 0000000000015180", 86400, 0},
	    {"80010001 00020008 ffffffffffffffff", UINT64_MAX, 0},
	    {"80010002 00020004 000186a0 80010001 00020004 00015180", 86400,
		100000},
	    {"80010001 80020e10 80010001 80020708", 1800, 0},
	    {"80010001 80020708 80010001 80020e10", 1800, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err;
		const struct sa_transform *t =
		    decode_attrs(SA_PHASE2, rows[i].attrs, &err);

		assert_int_equal(err, 0);
		assert_null(t->bad_reason);
		assert_true(t->life_seconds == rows[i].seconds);
		assert_true(t->life_kilobytes == rows[i].kilobytes);
		assert_true(t->present & SA_HAS_SECONDS);
		assert_int_equal(
		    !!(t->present & SA_HAS_KILOBYTES), rows[i].kilobytes != 0);
	}
}

/* Appends a proposal with count transforms without attributes. */
static void put_proposal(
    struct wire_writer *w, uint8_t next, uint8_t number, size_t count)
{
	wire_put_u8(w, next);
	wire_put_u8(w, 0);
	wire_put_u16(w, (uint16_t)(8 + 8 * count));
	wire_put_u8(w, number);
	wire_put_u8(w, ISAKMP_PROTO_ESP);
	wire_put_u8(w, 0);
	wire_put_u8(w, (uint8_t)count);
	for (size_t i = 0; i < count; i++) {
		wire_put_u8(w, i + 1 < count ? 3 : 0);
		wire_put_u8(w, 0);
		wire_put_u16(w, 8);
		wire_put_u8(w, (uint8_t)(i + 1));
		wire_put_u8(w, ESP_AES);
		wire_put_u16(w, 0);
	}
}

static void what_is_beyond_the_limits_is_dropped(void **state)
{
	static uint8_t body[4096];
	static struct sa_offer o;
	struct wire_writer w;

	(void)state;
	wire_writer_init(&w, body, sizeof(body));
	wire_put_u32(&w, 1);
	wire_put_u32(&w, 1);
	put_proposal(&w, 2, 1, 60);
	put_proposal(&w, 0, 2, 10);
	assert_int_equal(
	    sa_decode(SA_PHASE2, wire_span_of(body, w.pos), &o, NULL), 0);
	assert_int_equal(o.transform_count, SA_MAX_TRANSFORMS);
	assert_int_equal(o.protocol[1].first, 60);
	assert_int_equal(o.protocol[1].count, 4);
	assert_int_equal(o.dropped, 6);

	wire_writer_init(&w, body, sizeof(body));
	wire_put_u32(&w, 1);
	wire_put_u32(&w, 1);
	for (size_t i = 1; i <= SA_MAX_PROTOCOLS + 3; i++)
		put_proposal(
		    &w, i < SA_MAX_PROTOCOLS + 3 ? 2 : 0, (uint8_t)i, 2);
	assert_int_equal(
	    sa_decode(SA_PHASE2, wire_span_of(body, w.pos), &o, NULL), 0);
	assert_int_equal(o.protocol_count, SA_MAX_PROTOCOLS);
	assert_int_equal(o.transform_count, 2 * SA_MAX_PROTOCOLS);
	assert_int_equal(o.dropped, 6);
}

/* --- encoders ---------------------------------------------------------- */

static void a_reply_echoes_the_transform(void **state)
{
	static struct sa_offer o;
	struct wire_writer w;
	uint8_t out[128];
	struct hex h;

	(void)state;
	hex_decode(&h, PHASE1);
	assert_int_equal(decode(SA_PHASE1, &h, &o, NULL), 0);
	wire_writer_init(&w, out, sizeof(out));
	sa_encode_reply(
	    &w, &o, &o.protocol[0], &o.transform[0], wire_span_of("no spi", 6));
	assert_int_equal(wire_writer_error(&w), 0);
	/* The same bytes, but one transform, and nothing follows it. */
	assert_true(hex_equal(out, w.pos,
	    "00000001 00000001 00000030 01010001 00000028 01010000 80010007 "
	    "800e0100 80020002 80040014 80030001 800b0001 000c000400007080"));

	hex_decode(&h, PHASE2);
	assert_int_equal(decode(SA_PHASE2, &h, &o, NULL), 0);
	wire_writer_init(&w, out, sizeof(out));
	sa_encode_reply(&w, &o, &o.protocol[0], &o.transform[0],
	    wire_span_of("\xde\xad\xbe\xef", 4));
	assert_true(hex_equal(
	    out, w.pos, "00000001 00000001 00000038 01030401 deadbeef " ESP_T));
}

static void an_offer_decodes_to_what_was_meant(void **state)
{
	static const struct ike_suite suites[] = {
	    {IKE_CIPHER_AES, 256, IKE_HASH_SHA256, IKE_GROUP_MODP2048},
	    {IKE_CIPHER_3DES, 192, IKE_HASH_SHA1, IKE_GROUP_ECP256},
	};
	struct sa_offer_spec spec = {.phase = SA_PHASE1,
	    .suites = suites,
	    .suite_count = 2,
	    .life_seconds = 10800};
	static struct sa_offer o;
	struct wire_writer w;
	uint8_t out[256];

	(void)state;
	wire_writer_init(&w, out, sizeof(out));
	sa_encode_offer(&w, &spec);
	assert_int_equal(wire_writer_error(&w), 0);
	assert_int_equal(
	    sa_decode(SA_PHASE1, wire_span_of(out, w.pos), &o, NULL), 0);
	assert_int_equal(o.transform_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(o.transform[i].cipher, suites[i].cipher);
		assert_int_equal(o.transform[i].hash, suites[i].hash);
		assert_int_equal(o.transform[i].group, suites[i].group);
		assert_int_equal(o.transform[i].method, IKE_AUTH_PSK);
		assert_int_equal(o.transform[i].life_seconds, 10800);
	}
	assert_int_equal(o.transform[0].key_bits, 256);
	assert_false(o.transform[1].present & SA_HAS_KEY_BITS);
}

static void an_esp_offer_decodes_to_what_was_meant(void **state)
{
	static const struct ike_suite suite = {
	    ESP_AES, 128, ESP_AUTH_SHA1, IKE_GROUP_ECP256};
	struct sa_offer_spec spec = {.phase = SA_PHASE2,
	    .suites = &suite,
	    .suite_count = 1,
	    .spi = {(const uint8_t *)"\x01\x02\x03\x04", 4},
	    .life_seconds = 3600,
	    .life_kilobytes = 250000,
	    .encap = IPSEC_ENCAP_TRANSPORT};
	static struct sa_offer o;
	struct wire_writer w;
	uint8_t out[256];

	(void)state;
	wire_writer_init(&w, out, sizeof(out));
	sa_encode_offer(&w, &spec);
	assert_int_equal(
	    sa_decode(SA_PHASE2, wire_span_of(out, w.pos), &o, NULL), 0);
	assert_true(hex_equal(o.protocol[0].spi, 4, "01020304"));
	assert_int_equal(o.transform[0].id, ESP_AES);
	assert_int_equal(o.transform[0].key_bits, 128);
	assert_int_equal(o.transform[0].auth, ESP_AUTH_SHA1);
	assert_int_equal(o.transform[0].group, IKE_GROUP_ECP256);
	assert_int_equal(o.transform[0].encap, IPSEC_ENCAP_TRANSPORT);
	assert_int_equal(o.transform[0].life_seconds, 3600);
	assert_int_equal(o.transform[0].life_kilobytes, 250000);
	wire_writer_init(&w, out, 40);
	sa_encode_offer(&w, &spec);
	assert_int_equal(wire_writer_error(&w), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(phase1_decodes),
	    cmocka_unit_test(phase2_decodes),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(every_fault_is_named),
	    cmocka_unit_test(bad_attributes_spoil_only_their_transform),
	    cmocka_unit_test(attributes_that_do_not_fit_are_refused),
	    cmocka_unit_test(lifetimes_take_every_form),
	    cmocka_unit_test(what_is_beyond_the_limits_is_dropped),
	    cmocka_unit_test(a_reply_echoes_the_transform),
	    cmocka_unit_test(an_offer_decodes_to_what_was_meant),
	    cmocka_unit_test(an_esp_offer_decodes_to_what_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
