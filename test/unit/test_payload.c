/* SPDX-License-Identifier: ISC */
/* The small payloads: vectors, every truncation, wrong lengths, texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/payload.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <string.h>

static void ke_nonce_and_hash_have_their_lengths(void **state)
{
	static const uint8_t data[600];
	char reason[ISAKMP_REASON_MAX];

	(void)state;
	for (size_t len = 0; len < sizeof(data); len++) {
		struct wire_span s = {data, len};

		assert_int_equal(payload_ke_check(s, IKE_GROUP_ECP256, NULL),
		    len == 64 ? 0 : -EBADMSG);
		assert_int_equal(payload_ke_check(s, IKE_GROUP_MODP2048, NULL),
		    len == 256 ? 0 : -EBADMSG);
		assert_int_equal(payload_ke_check(s, IKE_GROUP_ECP521, NULL),
		    len == 132 ? 0 : -EBADMSG);
		assert_int_equal(payload_nonce_check(s, NULL),
		    len >= 8 && len <= 256 ? 0 : -EBADMSG);
		assert_int_equal(payload_hash_check(s, IKE_HASH_SHA1, NULL),
		    len == 20 ? 0 : -EBADMSG);
		assert_int_equal(payload_hash_check(s, IKE_HASH_SHA256, NULL),
		    len == 32 ? 0 : -EBADMSG);
	}
	payload_ke_check(wire_span_of(data, 3), IKE_GROUP_MODP2048, reason);
	assert_string_equal(reason, "KE has 3 bytes, modp2048 needs 256");
	payload_nonce_check(wire_span_of(data, 7), reason);
	assert_string_equal(reason, "nonce has 7 bytes, not 8 to 256");
	payload_hash_check(wire_span_of(data, 7), IKE_HASH_SHA256, reason);
	assert_string_equal(reason, "HASH has 7 bytes, sha256 needs 32");
	assert_int_equal(
	    payload_ke_check(wire_span_of(data, 64), 99, reason), -EBADMSG);
	assert_string_equal(reason, "KE for unknown group 99");
	assert_int_equal(
	    payload_hash_check(wire_span_of(data, 20), 99, reason), -EBADMSG);
}

/* --- identification ---------------------------------------------------- */

static const struct {
	const char *body, *text, *selector;
} ids[] = {
    {"01000000 cb007107", "203.0.113.7", "203.0.113.7"},
    {"011106a5 0a000001", "10.0.0.1", "10.0.0.1[17/1701]"},
    {"01110000 0a000001", "10.0.0.1", "10.0.0.1[17/0]"},
    {"05000000 20010db8000000000000000000000001", "2001:db8::1", "2001:db8::1"},
    {"02000000 766d2e6578616d706c65", "vm.example", "vm.example"},
    {"03000000 61406262", "a@bb", "a@bb"},
    {"04000000 0a000000 ffffff00", "10.0.0.0/255.255.255.0",
	"10.0.0.0/255.255.255.0"},
    {"07000000 0a000001 0a000009", "10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"},
    {"06000000 20010db8000000000000000000000000 "
     "ffffffff000000000000000000000000",
	"2001:db8::/ffff:ffff::", "2001:db8::/ffff:ffff::"},
    {"08000000 20010db8000000000000000000000001 "
     "20010db8000000000000000000000002",
	"2001:db8::1-2001:db8::2", "2001:db8::1-2001:db8::2"},
    {"0b000000 0a0b", "@#0a0b", "@#0a0b"},
    {"09000000 3000", "dn:3000", "dn:3000"},
    {"02000000 410a42225c27ff00", "A\\x0aB\\x22\\x5c\\x27\\xff\\x00",
	"A\\x0aB\\x22\\x5c\\x27\\xff\\x00"},
};

static void ids_decode_print_and_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char text[PAYLOAD_ID_TEXT_MAX];
		struct payload_id id;
		struct wire_writer w;
		uint8_t out[64];
		struct hex h;

		assert_int_equal(
		    payload_id_decode(hex_decode(&h, ids[i].body), &id, NULL),
		    0);
		assert_string_equal(payload_id_text(&id, text), ids[i].text);
		assert_string_equal(
		    payload_id_selector_text(&id, text), ids[i].selector);
		wire_writer_init(&w, out, sizeof(out));
		payload_id_encode(&w, &id);
		assert_true(hex_equal(out, w.pos, ids[i].body));
	}
}

static void ids_of_wrong_lengths_are_refused(void **state)
{
	static const struct {
		uint8_t type;
		size_t len; /* 0: any but none */
	} rows[] = {{1, 4}, {2, 0}, {3, 0}, {4, 8}, {5, 16}, {6, 32}, {7, 8},
	    {8, 32}, {9, 0}, {10, 0}, {11, 0}};
	uint8_t body[64] = {0};
	struct payload_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		body[0] = rows[i].type;
		for (size_t len = 0; len <= sizeof(body); len++) {
			bool is_good =
			    rows[i].len ? len == rows[i].len + 4 : len > 4;

			assert_int_equal(
			    payload_id_decode(
				wire_span_of(body, len), &id, NULL),
			    is_good ? 0 : -EBADMSG);
		}
	}
	for (unsigned int type = 0; type < 256; type++) {
		char reason[ISAKMP_REASON_MAX] = "";

		if (type >= 1 && type <= 11)
			continue;
		body[0] = (uint8_t)type;
		assert_int_equal(
		    payload_id_decode(wire_span_of(body, 8), &id, reason),
		    -EBADMSG);
		assert_memory_equal(reason, "ID: unknown type ", 17);
	}
}

static void long_ids_are_cut(void **state)
{
	static uint8_t name[3000];
	char text[PAYLOAD_ID_TEXT_MAX];
	struct payload_id id = {
	    .type = IPSEC_ID_FQDN, .data = {name, sizeof(name)}};

	(void)state;
	memset(name, 'a', sizeof(name));
	payload_id_text(&id, text);
	assert_int_equal(strlen(text), PAYLOAD_ID_TEXT_MAX - 1);
	assert_string_equal(text + PAYLOAD_ID_TEXT_MAX - 5, "a...");
	memset(name, 1, sizeof(name));
	payload_id_text(&id, text);
	assert_in_range(strlen(text), 250, PAYLOAD_ID_TEXT_MAX - 1);
	assert_string_equal(text + strlen(text) - 7, "\\x01...");
	id.type = IPSEC_ID_KEY_ID;
	payload_id_selector_text(&id, text);
	assert_string_equal(text + strlen(text) - 5, "01...");
	id.type = 77; /* never decoded, but must not harm */
	assert_string_equal(payload_id_text(&id, text), "(ID type 77)");
	id.type = IPSEC_ID_IPV4;
	assert_string_equal(payload_id_text(&id, text), "(IPv4 address)");
}

static void addresses_become_ids_and_back(void **state)
{
	static const char *const addrs[] = {"203.0.113.7", "2001:db8::7"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct addr a, b;
		struct payload_id id;

		assert_int_equal(addr_parse(&a, addrs[i]), 0);
		id = payload_id_of_addr(&a, 17, 1701);
		assert_int_equal(payload_id_addr(&id, &b), 0);
		assert_true(addr_ip_equal(&a, &b));
		assert_int_equal(b.port, 1701);
		assert_int_equal(id.protocol, 17);
		id.data.len--;
		assert_int_equal(payload_id_addr(&id, &b), -EINVAL);
		id.type = IPSEC_ID_FQDN;
		assert_int_equal(payload_id_addr(&id, &b), -EINVAL);
		id.type = 200;
		assert_int_equal(payload_id_addr(&id, &b), -EINVAL);
	}
}

static void phase1_ports(void **state)
{
	static const struct {
		uint8_t protocol;
		uint16_t port;
		bool is_ok;
	} rows[] = {{0, 0, true}, {17, 500, true}, {17, 4500, true},
	    {17, 0, true}, {0, 500, false}, {17, 1701, false}, {6, 500, false},
	    {6, 0, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct payload_id id = {
		    .protocol = rows[i].protocol, .port = rows[i].port};

		assert_int_equal(payload_id_is_phase1(&id), rows[i].is_ok);
	}
}

/* --- notify, delete, NAT-OA -------------------------------------------- */

/* R-U-THERE with both cookies and a sequence number. */
#define DPD "00000001 01 10 8d28 a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8 00000005"

static void notify_decodes_and_encodes(void **state)
{
	struct payload_notify n;
	struct wire_writer w;
	uint8_t out[64];
	struct hex h;

	(void)state;
	assert_int_equal(
	    payload_notify_decode(hex_decode(&h, DPD), &n, NULL), 0);
	assert_int_equal(n.doi, 1);
	assert_int_equal(n.protocol, ISAKMP_PROTO_ISAKMP);
	assert_int_equal(n.type, ISAKMP_N_R_U_THERE);
	assert_int_equal(n.spi.len, 16);
	assert_true(hex_equal(n.data.data, n.data.len, "00000005"));
	wire_writer_init(&w, out, sizeof(out));
	payload_notify_encode(&w, &n);
	assert_true(hex_equal(out, w.pos, DPD));
	for (h.len = 0; h.len < 24; h.len++)
		assert_int_equal(payload_notify_decode(
				     wire_span_of(h.data, h.len), &n, NULL),
		    -EBADMSG);
	/* Without data it is whole again. */
	assert_int_equal(
	    payload_notify_decode(wire_span_of(h.data, 24), &n, NULL), 0);
	assert_int_equal(n.data.len, 0);
}

static void notify_faults_are_named(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct payload_notify n;
	struct hex h;

	(void)state;
	assert_int_equal(payload_notify_decode(
			     hex_decode(&h, "00000002 0100000e"), &n, reason),
	    -EBADMSG);
	assert_string_equal(reason, "N: DOI 2");
	assert_int_equal(
	    payload_notify_decode(
		hex_decode(&h, "00000001 01ff000e 00"), &n, reason),
	    -EBADMSG);
	assert_string_equal(reason, "N: 9 bytes are too few for an SPI of 255");
	assert_int_equal(payload_notify_decode(
			     hex_decode(&h, "00000000 0000000e"), &n, reason),
	    0);
}

static void delete_decodes_and_encodes(void **state)
{
	struct payload_delete d;
	struct wire_writer w;
	uint8_t out[64];
	struct hex h;

	(void)state;
	assert_int_equal(
	    payload_delete_decode(
		hex_decode(&h, "00000001 03040002 c0ffee01 c0ffee02"), &d,
		NULL),
	    0);
	assert_int_equal(d.protocol, ISAKMP_PROTO_ESP);
	assert_int_equal(d.count, 2);
	assert_int_equal(payload_delete_spi32(&d, 0), 0xc0ffee01);
	assert_int_equal(payload_delete_spi32(&d, 1), 0xc0ffee02);
	assert_int_equal(payload_delete_spi32(&d, 2), 0);
	assert_int_equal(payload_delete_spi(&d, SIZE_MAX).len, 0);
	wire_writer_init(&w, out, sizeof(out));
	payload_delete_encode(&w, &d);
	assert_true(
	    hex_equal(out, w.pos, "00000001 03040002 c0ffee01 c0ffee02"));
	for (size_t len = 0; len < h.len; len++)
		assert_int_equal(
		    payload_delete_decode(wire_span_of(h.data, len), &d, NULL),
		    -EBADMSG);
}

static void delete_of_cookies(void **state)
{
	struct payload_delete d;
	struct hex h;

	(void)state;
	assert_int_equal(
	    payload_delete_decode(
		hex_decode(
		    &h, "00000001 01100001 a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8"),
		&d, NULL),
	    0);
	assert_int_equal(payload_delete_spi(&d, 0).len, 16);
	assert_int_equal(payload_delete_spi32(&d, 0), 0);
}

static void delete_faults_are_named(void **state)
{
	static const struct {
		const char *body, *reason;
	} rows[] = {
	    {"00000001 03100001 a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8",
		"D: SPI of 16 bytes for protocol 3"},
	    {"00000001 01040001 00000001", "D: SPI of 4 bytes for protocol 1"},
	    {"00000001 03000001", "D: SPI of 0 bytes for protocol 3"},
	    {"00000001 03040000", "D: 0 SPIs of 4 bytes in 0 bytes"},
	    {"00000001 03040002 c0ffee01", "D: 2 SPIs of 4 bytes in 4 bytes"},
	    {"00000001 0304ffff c0ffee01",
		"D: 65535 SPIs of 4 bytes in 4 bytes"},
	    {"00000001 03040001 c0ffee01 00",
		"D: 1 SPIs of 4 bytes in 5 bytes"},
	    {"00000007 03040001 c0ffee01", "D: DOI 7"},
	    {"00000001 0304", "D: 6 bytes are too few"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char reason[ISAKMP_REASON_MAX] = "";
		struct payload_delete d;
		struct hex h;

		assert_int_equal(payload_delete_decode(
				     hex_decode(&h, rows[i].body), &d, reason),
		    -EBADMSG);
		assert_string_equal(reason, rows[i].reason);
	}
}

static void nat_oa(void **state)
{
	static const char *const bodies[] = {
	    "01000000 0a000001", "05000000 20010db8000000000000000000000001"};
	static const char *const texts[] = {"10.0.0.1", "2001:db8::1"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char text[ADDR_TEXT_MAX];
		struct wire_writer w;
		uint8_t out[32];
		struct addr a;
		struct hex h;

		hex_decode(&h, bodies[i]);
		assert_int_equal(payload_nat_oa_decode(
				     wire_span_of(h.data, h.len), &a, NULL),
		    0);
		assert_string_equal(addr_text(&a, text), texts[i]);
		wire_writer_init(&w, out, sizeof(out));
		payload_nat_oa_encode(&w, &a);
		assert_true(hex_equal(out, w.pos, bodies[i]));
		for (size_t len = 0; len <= h.len + 1; len++)
			assert_int_equal(
			    payload_nat_oa_decode(
				wire_span_of(h.data, len), &a, NULL),
			    len == h.len ? 0 : -EBADMSG);
		h.data[0] = IPSEC_ID_FQDN;
		assert_int_equal(payload_nat_oa_decode(
				     wire_span_of(h.data, h.len), &a, NULL),
		    -EBADMSG);
	}
}

static void printable_text(void **state)
{
	char out[12];

	(void)state;
	assert_string_equal(
	    payload_printable(wire_span_of("a b~", 4), out, sizeof(out)),
	    "a b~");
	assert_string_equal(
	    payload_printable(wire_span_of("a\x1b[0m", 5), out, sizeof(out)),
	    "a\\x1b[0m");
	assert_string_equal(
	    payload_printable(wire_span_of("123456789", 9), out, sizeof(out)),
	    "12345678...");
	assert_string_equal(
	    payload_printable(wire_span_of(NULL, 0), out, sizeof(out)), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ke_nonce_and_hash_have_their_lengths),
	    cmocka_unit_test(ids_decode_print_and_encode),
	    cmocka_unit_test(ids_of_wrong_lengths_are_refused),
	    cmocka_unit_test(long_ids_are_cut),
	    cmocka_unit_test(addresses_become_ids_and_back),
	    cmocka_unit_test(phase1_ports),
	    cmocka_unit_test(notify_decodes_and_encodes),
	    cmocka_unit_test(notify_faults_are_named),
	    cmocka_unit_test(delete_decodes_and_encodes),
	    cmocka_unit_test(delete_of_cookies),
	    cmocka_unit_test(delete_faults_are_named),
	    cmocka_unit_test(nat_oa),
	    cmocka_unit_test(printable_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
