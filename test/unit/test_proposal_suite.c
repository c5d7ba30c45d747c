/* SPDX-License-Identifier: ISC */
/* Suites as text, and the text that they are made with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/proposal_suite.h"

#include <errno.h>
#include <string.h>

static void suites_parse_and_print(void **state)
{
	static const struct {
		enum sa_phase phase;
		const char *text;
		struct ike_suite suite;
	} rows[] = {
	    {SA_PHASE1, "aes256-sha256-modp2048", {7, 256, 4, 14}},
	    {SA_PHASE1, "aes128-sha1-ecp256", {7, 128, 2, 19}},
	    {SA_PHASE1, "aes192-sha384-ecp384", {7, 192, 5, 20}},
	    {SA_PHASE1, "3des-sha512-ecp521", {5, 192, 6, 21}},
	    {SA_PHASE1, "aes256-sha1-modp3072", {7, 256, 2, 15}},
	    {SA_PHASE1, "aes256-sha1-modp4096", {7, 256, 2, 16}},
	    {SA_PHASE2, "aes256-sha256", {12, 256, 5, 0}},
	    {SA_PHASE2, "aes128-sha1-modp2048", {12, 128, 2, 14}},
	    {SA_PHASE2, "3des-sha384", {3, 192, 6, 0}},
	    {SA_PHASE2, "aes192-sha512", {12, 192, 7, 0}},
	    {SA_PHASE1, "des-md5-modp1024", {1, 64, 1, 2}},
	    {SA_PHASE1, "3des-md5-modp1536", {5, 192, 1, 5}},
	    {SA_PHASE2, "des-md5", {2, 64, 1, 0}},
	    {SA_PHASE2, "aes128gcm16", {20, 128, 0, 0}},
	    {SA_PHASE2, "aes192gcm16", {20, 192, 0, 0}},
	    {SA_PHASE2, "aes256gcm16-ecp256", {20, 256, 0, 19}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[PROPOSAL_SUITE_MAX];
		struct ike_suite s;

		assert_int_equal(
		    proposal_suite_parse(rows[i].phase, rows[i].text, &s, NULL),
		    0);
		assert_int_equal(s.cipher, rows[i].suite.cipher);
		assert_int_equal(s.key_bits, rows[i].suite.key_bits);
		assert_int_equal(s.hash, rows[i].suite.hash);
		assert_int_equal(s.group, rows[i].suite.group);
		assert_string_equal(
		    proposal_suite_text(rows[i].phase, &s, text), rows[i].text);
	}
}

static void wrong_suites_are_refused(void **state)
{
	static const struct {
		enum sa_phase phase;
		const char *text;
		int err;
		const char *reason;
	} rows[] = {
	    {SA_PHASE1, "", -EINVAL,
		"\"\" is not of the form "
		"cipher-hash-group"},
	    {SA_PHASE1, "aes256-sha256", -EINVAL,
		"\"aes256-sha256\" is not of the form cipher-hash-group"},
	    {SA_PHASE1, "aes256-sha256-modp2048-", -EINVAL,
		"\"aes256-sha256-modp2048-\" is not of the form "
		"cipher-hash-group"},
	    {SA_PHASE1, "aes256-sha256-modp2048-x", -EINVAL,
		"\"aes256-sha256-modp2048-x\" is not of the form "
		"cipher-hash-group"},
	    {SA_PHASE1, "aes256--modp2048", -EINVAL,
		"\"aes256--modp2048\": \"\" is no hash of phase 1"},
	    {SA_PHASE1, "aes-sha1-modp2048", -EINVAL,
		"\"aes-sha1-modp2048\": \"aes\" is no cipher of phase 1"},
	    {SA_PHASE1, "aes256-sha2-modp2048", -EINVAL,
		"\"aes256-sha2-modp2048\": \"sha2\" is no hash of phase 1"},
	    {SA_PHASE1, "aes256-sha1-modp20488", -EINVAL,
		"\"aes256-sha1-modp20488\": \"modp20488\" is no group of "
		"phase 1"},
	    {SA_PHASE1, "AES256-sha1-modp2048", -EINVAL,
		"\"AES256-sha1-modp2048\": \"AES256\" is no cipher of phase "
		"1"},
	    {SA_PHASE1, "aes256-sha1-modp768", -ENOTSUP,
		"\"aes256-sha1-modp768\": \"modp768\" is too weak or not "
		"implemented"},
	    {SA_PHASE2, "aes256gcm16-sha1", -EINVAL,
		"\"aes256gcm16-sha1\": \"sha1\" is no group of ESP"},
	    {SA_PHASE2, "aes256gcm16-", -EINVAL,
		"\"aes256gcm16-\" is not of the form cipher[-group]"},
	    {SA_PHASE2, "aes256gcm16-ecp256-x", -EINVAL,
		"\"aes256gcm16-ecp256-x\" is not of the form "
		"cipher[-group]"},
	    {SA_PHASE1, "aes256gcm16-ecp256", -EINVAL,
		"\"aes256gcm16-ecp256\": \"aes256gcm16\" is no cipher of "
		"phase 1"},
	    {SA_PHASE2, "null-sha1", -ENOTSUP,
		"\"null-sha1\": \"null\" is too weak or not implemented"},
	    {SA_PHASE2, "aes256", -EINVAL,
		"\"aes256\" is not of the form cipher-hash[-group]"},
	    {SA_PHASE2, "aes256-", -EINVAL,
		"\"aes256-\" is not of the form cipher-hash[-group]"},
	    {SA_PHASE2, "aes256-sha256-", -EINVAL,
		"\"aes256-sha256-\" is not of the form cipher-hash[-group]"},
	    {SA_PHASE2, "-", -EINVAL, "\"-\": \"\" is no cipher of ESP"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char reason[ISAKMP_REASON_MAX] = "";
		struct ike_suite s;

		assert_int_equal(proposal_suite_parse(
				     rows[i].phase, rows[i].text, &s, reason),
		    rows[i].err);
		assert_string_equal(reason, rows[i].reason);
	}
}

static void long_suite_texts_are_cut(void **state)
{
	struct ike_suite s = {65535, 65535, 65535, 65535};
	char text[PROPOSAL_SUITE_MAX];

	(void)state;
	proposal_suite_text(SA_PHASE2, &s, text);
	assert_true(strlen(text) < sizeof(text));
	assert_string_equal(text, "ESP cipher 65535/65535...");
}

/* Whatever the room is, the text ends inside it. */
static void text_never_overflows(void **state)
{
	static const uint8_t bytes[] = {'a', 0, '"', 0xff};

	(void)state;
	for (size_t size = 4; size < 40; size++) {
		char out[41];
		struct text t;

		memset(out, 0x7f, sizeof(out));
		t = text_begin(out, size);
		text_put(&t, "%s", "");
		text_put_hex(&t, wire_span_of(bytes, sizeof(bytes)));
		text_put_printable(&t, wire_span_of(bytes, sizeof(bytes)));
		assert_non_null(memchr(out, 0, size));
		assert_int_equal(out[size], 0x7f);
		if (size >= 25)
			assert_string_equal(out, "610022ffa\\x00\\x22\\xff");
		else
			assert_string_equal(out + strlen(out) - 3, "...");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(suites_parse_and_print),
	    cmocka_unit_test(wrong_suites_are_refused),
	    cmocka_unit_test(long_suite_texts_are_cut),
	    cmocka_unit_test(text_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
