/* SPDX-License-Identifier: ISC */
/* MS-CHAPv2 against the vectors of RFC 2759 section 9.2, and CHAP-MD5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "l2tpd/core/mschap.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <string.h>

/* RFC 2759 section 9.2 */
static const uint8_t ours[16] = {0x5B, 0x5D, 0x7C, 0x7D, 0x7B, 0x3F, 0x2F, 0x3E,
    0x3C, 0x2C, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
static const uint8_t peers[16] = {0x21, 0x40, 0x23, 0x24, 0x25, 0x5E, 0x26,
    0x2A, 0x28, 0x29, 0x5F, 0x2B, 0x3A, 0x33, 0x7C, 0x7E};
static const uint8_t challenge8[8] = {
    0xD0, 0x2E, 0x43, 0x86, 0xBC, 0xE9, 0x12, 0x26};
static const uint8_t nt_hash[16] = {0x44, 0xEB, 0xBA, 0x8D, 0x53, 0x12, 0xB8,
    0xD6, 0x11, 0x47, 0x44, 0x11, 0xF5, 0x69, 0x89, 0xAE};
static const uint8_t nt_response[24] = {0x82, 0x30, 0x9E, 0xCD, 0x8D, 0x70,
    0x8B, 0x5E, 0xA0, 0x8F, 0xAA, 0x39, 0x81, 0xCD, 0x83, 0x54, 0x42, 0x33,
    0x11, 0x4A, 0x3D, 0x85, 0xD6, 0xDF};

static int start(void **state)
{
	char error[200];

	*state = mschap_new(error, sizeof(error));
	return *state ? 0 : -1;
}

static int stop(void **state)
{
	mschap_free(*state);
	return 0;
}

static void nt_hash_of_the_rfc(void **state)
{
	uint8_t hash[16];

	assert_int_equal(mschap_nt_hash(*state, "clientPass", 10, hash), 0);
	assert_memory_equal(hash, nt_hash, 16);
	/* The empty password's hash is well known. */
	assert_int_equal(mschap_nt_hash(*state, "", 0, hash), 0);
	assert_memory_equal(hash,
	    "\x31\xd6\xcf\xe0\xd1\x6a\xe9\x31\xb7\x3c\x59\xd7\xe0\xc0\x89\xc0",
	    16);
}

/* MD4 of a UTF-16 text, straight from a context of the test's own. */
static void md4_of(const void *data, size_t len, uint8_t out[16])
{
	OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	OSSL_PROVIDER *p = OSSL_PROVIDER_load(lib, "legacy");
	EVP_MD *md = EVP_MD_fetch(lib, "MD4", NULL);

	assert_non_null(md);
	assert_int_equal(EVP_DigestInit_ex(ctx, md, NULL), 1);
	assert_int_equal(EVP_DigestUpdate(ctx, data, len), 1);
	assert_int_equal(EVP_DigestFinal_ex(ctx, out, NULL), 1);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
	OSSL_PROVIDER_unload(p);
	OSSL_LIB_CTX_free(lib);
}

static void passwords_become_utf16(void **state)
{
	/* a, u umlaut, euro sign, U+1F512 as a pair of surrogates */
	static const char utf8[] = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x94\x92";
	static const uint8_t utf16[] = {
	    'a', 0, 0xfc, 0, 0xac, 0x20, 0x3d, 0xd8, 0x12, 0xdd};
	uint8_t hash[16], want[16];

	md4_of(utf16, sizeof(utf16), want);
	assert_int_equal(
	    mschap_nt_hash(*state, utf8, sizeof(utf8) - 1, hash), 0);
	assert_memory_equal(hash, want, 16);
}

static void what_is_not_utf8_is_refused(void **state)
{
	static const char *const bad[] = {
	    "\x80",		/* continues nothing */
	    "\xc3",		/* ends early */
	    "\xe2\x82",		/* ends early */
	    "\xf0\x9f\x94",	/* ends early */
	    "\xc3z",		/* not a continuation */
	    "\xc0\xaf",		/* overlong */
	    "\xe0\x80\xaf",	/* overlong */
	    "\xf0\x80\x80\xaf", /* overlong */
	    "\xed\xa0\x80",	/* a surrogate */
	    "\xf4\x90\x80\x80", /* over U+10FFFF */
	    "\xff",
	};
	uint8_t hash[16];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
		    mschap_nt_hash(*state, bad[i], strlen(bad[i]), hash),
		    -EINVAL);
}

static void passwords_have_256_units_at_most(void **state)
{
	char text[260];
	uint8_t hash[16];

	memset(text, 'x', sizeof(text));
	assert_int_equal(mschap_nt_hash(*state, text, 256, hash), 0);
	assert_int_equal(mschap_nt_hash(*state, text, 257, hash), -EINVAL);
}

static void challenge_hash_of_the_rfc(void **state)
{
	uint8_t c[8];

	assert_int_equal(
	    mschap_challenge_hash(*state, peers, ours, "User", c), 0);
	assert_memory_equal(c, challenge8, 8);
	assert_int_equal(
	    mschap_challenge_hash(*state, peers, ours, "user", c), 0);
	assert_memory_not_equal(c, challenge8, 8);
}

static void the_domain_is_not_hashed(void **state)
{
	uint8_t c[8];

	assert_int_equal(
	    mschap_challenge_hash(*state, peers, ours, "DOMAIN\\User", c), 0);
	assert_memory_equal(c, challenge8, 8);
	assert_int_equal(
	    mschap_challenge_hash(*state, peers, ours, "A\\B\\User", c), 0);
	assert_memory_equal(c, challenge8, 8);
}

static void response_of_the_rfc(void **state)
{
	uint8_t response[24], other[16];

	assert_int_equal(
	    mschap_challenge_response(*state, challenge8, nt_hash, response),
	    0);
	assert_memory_equal(response, nt_response, 24);
	/* Each bit of the hash counts, the last third's too. */
	for (size_t i = 0; i < 128; i++) {
		memcpy(other, nt_hash, 16);
		other[i / 8] = (uint8_t)(other[i / 8] ^ 1 << i % 8);
		assert_int_equal(mschap_challenge_response(
				     *state, challenge8, other, response),
		    0);
		assert_memory_not_equal(response, nt_response, 24);
	}
}

static void authenticator_of_the_rfc(void **state)
{
	char text[MSCHAP_AUTH_TEXT_MAX];

	assert_int_equal(mschap_authenticator(
			     *state, nt_hash, nt_response, challenge8, text),
	    0);
	assert_string_equal(text, "S=407A5589115FD0D6209F510FE9C04566932CDA56");
}

static void md5_covers_id_secret_and_challenge(void **state)
{
	/* MD5 of 01 "secret" "challenge", from md5sum */
	static const uint8_t want[16] = {0x46, 0xe4, 0x77, 0x70, 0x03, 0x0e,
	    0x2b, 0x4e, 0x26, 0xa0, 0xdb, 0x72, 0xa7, 0xef, 0xec, 0x00};
	uint8_t got[16];

	assert_int_equal(
	    chap_md5(*state, 1, "secret", 6, "challenge", 9, got), 0);
	assert_memory_equal(got, want, 16);
	assert_int_equal(
	    chap_md5(*state, 2, "secret", 6, "challenge", 9, got), 0);
	assert_memory_not_equal(got, want, 16);
	assert_int_equal(
	    chap_md5(*state, 1, "Secret", 6, "challenge", 9, got), 0);
	assert_memory_not_equal(got, want, 16);
	assert_int_equal(
	    chap_md5(*state, 1, "secret", 6, "challengf", 9, got), 0);
	assert_memory_not_equal(got, want, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nt_hash_of_the_rfc),
	    cmocka_unit_test(passwords_become_utf16),
	    cmocka_unit_test(what_is_not_utf8_is_refused),
	    cmocka_unit_test(passwords_have_256_units_at_most),
	    cmocka_unit_test(challenge_hash_of_the_rfc),
	    cmocka_unit_test(the_domain_is_not_hashed),
	    cmocka_unit_test(response_of_the_rfc),
	    cmocka_unit_test(authenticator_of_the_rfc),
	    cmocka_unit_test(md5_covers_id_secret_and_challenge),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
