/* SPDX-License-Identifier: ISC */
/* Vendor IDs: values, lengths, the choice of a NAT traversal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "ikev1/core/vendor.h"
#include "test/lib/hex.h"

#include <string.h>

/* Whose MD5 the value starts with. */
static const struct {
	enum vendor vendor;
	const char *text;
	size_t len; /* of the MD5 that is used */
} texts[] = {
    {VENDOR_NATT_RFC3947, "RFC 3947", 16},
    {VENDOR_NATT_03, "draft-ietf-ipsec-nat-t-ike-03", 16},
    {VENDOR_NATT_02_LF, "draft-ietf-ipsec-nat-t-ike-02\n", 16},
    {VENDOR_NATT_02, "draft-ietf-ipsec-nat-t-ike-02", 16},
    {VENDOR_NATT_01, "draft-ietf-ipsec-nat-t-ike-01", 16},
    {VENDOR_NATT_00, "draft-ietf-ipsec-nat-t-ike-00", 16},
    {VENDOR_NATT_DRAFT, "draft-ietf-ipsec-nat-t-ike", 16},
    {VENDOR_FRAGMENTATION_16, "FRAGMENTATION", 16},
    {VENDOR_FRAGMENTATION, "FRAGMENTATION", 16},
    {VENDOR_MS_NT5, "MS NT5 ISAKMPOAKLEY", 16},
    {VENDOR_MS_INITIAL_CONTACT, "Vid-Initial-Contact", 16},
    {VENDOR_MS_NEGOTIATION_DISCOVERY, "MS-Negotiation Discovery Capable", 16},
    {VENDOR_MS_IKE_CGA, "IKE CGA version 1", 16},
    {VENDOR_MS_AUTHIP, "MS-MamieExists", 16},
    {VENDOR_UNITY, "CISCO-UNITY", 14},
};

static void values_are_the_md5_of_their_texts(void **state)
{
	struct crypto c;

	(void)state;
	assert_int_equal(crypto_init(&c), 0);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct wire_span text = {
		    (const uint8_t *)texts[i].text, strlen(texts[i].text)};
		uint8_t md5[16];

		assert_int_equal(crypto_hash(&c, CRYPTO_MD5, &text, 1, md5), 0);
		assert_memory_equal(
		    vendor_value(texts[i].vendor).data, md5, texts[i].len);
	}
	crypto_done(&c);
	/* RFC 3706 section 5.1: not a plain MD5. */
	assert_true(hex_equal(vendor_value(VENDOR_DPD).data, 16,
	    "afcad71368a1f1c96b8696fc77570100"));
	assert_true(
	    hex_equal(vendor_value(VENDOR_XAUTH).data, 8, "09002689dfd6b712"));
}

static void every_value_is_recognised_in_full_length_only(void **state)
{
	(void)state;
	for (size_t i = VENDOR_UNKNOWN + 1; i < VENDORS; i++) {
		struct wire_span v = vendor_value((enum vendor)i);
		uint8_t longer[32] = {0};

		assert_int_equal(vendor_recognise(v), i);
		assert_string_not_equal(vendor_name((enum vendor)i), "unknown");
		memcpy(longer, v.data, v.len);
		assert_int_equal(
		    vendor_recognise(wire_span_of(longer, v.len + 1)),
		    i == VENDOR_FRAGMENTATION_16 ? VENDOR_FRAGMENTATION
						 : VENDOR_UNKNOWN);
		longer[0] ^= 1;
		assert_int_equal(vendor_recognise(wire_span_of(longer, v.len)),
		    VENDOR_UNKNOWN);
		for (size_t len = 0; len < 8; len++)
			assert_int_equal(
			    vendor_recognise(wire_span_of(v.data, len)),
			    VENDOR_UNKNOWN);
	}
}

static void versions_and_abilities_may_differ(void **state)
{
	struct hex h;

	(void)state;
	/* FRAGMENTATION with and without its abilities. */
	assert_int_equal(vendor_recognise(hex_decode(
			     &h, "4048b7d56ebce88525e7de7f00d6c2d3")),
	    VENDOR_FRAGMENTATION_16);
	assert_int_equal(vendor_recognise(hex_decode(
			     &h, "4048b7d56ebce88525e7de7f00d6c2d3c0000000")),
	    VENDOR_FRAGMENTATION);
	/* Windows 7 is version 7. */
	assert_int_equal(vendor_recognise(hex_decode(
			     &h, "1e2b516905991c7d7c96fcbfb587e46100000007")),
	    VENDOR_MS_NT5);
	/* DPD 1.1. */
	assert_int_equal(vendor_recognise(hex_decode(
			     &h, "afcad71368a1f1c96b8696fc77570101")),
	    VENDOR_DPD);
	assert_int_equal(
	    vendor_recognise(hex_decode(&h, "afcad71368a1f1c96b8696fc7756")),
	    VENDOR_UNKNOWN);
}

static void unknown_vendors(void **state)
{
	(void)state;
	assert_int_equal(
	    vendor_recognise(wire_span_of(NULL, 0)), VENDOR_UNKNOWN);
	assert_string_equal(vendor_name(VENDOR_UNKNOWN), "unknown");
	assert_string_equal(vendor_name(VENDORS), "unknown");
	assert_int_equal(vendor_value(VENDOR_UNKNOWN).len, 0);
	assert_int_equal(vendor_value(VENDORS).len, 0);
}

static void the_best_nat_traversal_is_taken(void **state)
{
	uint32_t seen = VENDOR_BIT(VENDOR_NATT_00) |
			VENDOR_BIT(VENDOR_NATT_DRAFT) | VENDOR_BIT(VENDOR_DPD);

	(void)state;
	assert_int_equal(vendor_best_natt(0), VENDOR_UNKNOWN);
	assert_int_equal(
	    vendor_best_natt(VENDOR_BIT(VENDOR_NATT_DRAFT)), VENDOR_UNKNOWN);
	assert_int_equal(vendor_best_natt(seen), VENDOR_NATT_00);
	seen |= VENDOR_BIT(VENDOR_NATT_01);
	assert_int_equal(vendor_best_natt(seen), VENDOR_NATT_01);
	seen |= VENDOR_BIT(VENDOR_NATT_02);
	assert_int_equal(vendor_best_natt(seen), VENDOR_NATT_02);
	seen |= VENDOR_BIT(VENDOR_NATT_02_LF);
	assert_int_equal(vendor_best_natt(seen), VENDOR_NATT_02_LF);
	seen |= VENDOR_BIT(VENDOR_NATT_03);
	assert_int_equal(vendor_best_natt(seen), VENDOR_NATT_03);
	seen |= VENDOR_BIT(VENDOR_NATT_RFC3947);
	assert_int_equal(vendor_best_natt(seen), VENDOR_NATT_RFC3947);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_are_the_md5_of_their_texts),
	    cmocka_unit_test(every_value_is_recognised_in_full_length_only),
	    cmocka_unit_test(versions_and_abilities_may_differ),
	    cmocka_unit_test(unknown_vendors),
	    cmocka_unit_test(the_best_nat_traversal_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
