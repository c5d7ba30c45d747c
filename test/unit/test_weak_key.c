/* SPDX-License-Identifier: ISC */
/* Weak keys of DES: which they are, and that nobody gets one. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/weak_key.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

/* FIPS 74 has them in this order, with odd parity. */
static const char *const weak[] = {
    "\x01\x01\x01\x01\x01\x01\x01\x01",
    "\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe",
    "\x1f\x1f\x1f\x1f\x0e\x0e\x0e\x0e",
    "\xe0\xe0\xe0\xe0\xf1\xf1\xf1\xf1",
    "\x01\xfe\x01\xfe\x01\xfe\x01\xfe",
    "\xfe\x01\xfe\x01\xfe\x01\xfe\x01",
    "\x1f\xe0\x1f\xe0\x0e\xf1\x0e\xf1",
    "\xe0\x1f\xe0\x1f\xf1\x0e\xf1\x0e",
    "\x01\xe0\x01\xe0\x01\xf1\x01\xf1",
    "\xe0\x01\xe0\x01\xf1\x01\xf1\x01",
    "\x1f\xfe\x1f\xfe\x0e\xfe\x0e\xfe",
    "\xfe\x1f\xfe\x1f\xfe\x0e\xfe\x0e",
    "\x01\x1f\x01\x1f\x01\x0e\x01\x0e",
    "\x1f\x01\x1f\x01\x0e\x01\x0e\x01",
    "\xe0\xfe\xe0\xfe\xf1\xfe\xf1\xfe",
    "\xfe\xe0\xfe\xe0\xfe\xf1\xfe\xf1",
};

#define WEAK (sizeof(weak) / sizeof(weak[0]))

/* Each of them, whatever its parity; and none that is one bit off. */
static void weak_des_keys_are_known(void **state)
{
	uint8_t key[8];

	(void)state;
	for (size_t i = 0; i < WEAK; i++) {
		for (unsigned int parity = 0; parity < 256; parity++) {
			memcpy(key, weak[i], 8);
			for (int k = 0; k < 8; k++)
				key[k] ^= parity >> k & 1;
			assert_true(weak_key(CRYPTO_DES_CBC, key));
		}
		for (int bit = 0; bit < 64; bit++) {
			memcpy(key, weak[i], 8);
			key[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_int_equal(
			    weak_key(CRYPTO_DES_CBC, key), bit % 8 == 0);
		}
	}
}

static const uint8_t good[24] = {1, 35, 69, 103, 137, 171, 205, 239, 35, 69,
    103, 137, 171, 205, 239, 1, 69, 103, 137, 171, 205, 239, 1, 35};

static void degenerate_3des_keys_are_known(void **state)
{
	uint8_t key[24];

	(void)state;
	assert_false(weak_key(CRYPTO_3DES_CBC, good));
	/* K1 = K3 has two keys' strength: RFC 2451 does not mind. */
	memcpy(key, good, 24);
	memcpy(key + 16, key, 8);
	assert_false(weak_key(CRYPTO_3DES_CBC, key));
	for (int at = 0; at < 2; at++) {
		memcpy(key, good, 24);
		memcpy(key + 8 * at, key + 8 * at + 8, 8);
		assert_true(weak_key(CRYPTO_3DES_CBC, key));
		key[8 * at + 3] ^= 1;
		assert_true(weak_key(CRYPTO_3DES_CBC, key));
		key[8 * at + 3] ^= 2;
		assert_false(weak_key(CRYPTO_3DES_CBC, key));
	}
	for (size_t i = 0; i < 3 * WEAK; i++) {
		memcpy(key, good, 24);
		memcpy(key + i % 3 * 8, weak[i / 3], 8);
		assert_true(weak_key(CRYPTO_3DES_CBC, key));
	}
}

static void other_ciphers_have_none(void **state)
{
	static const uint8_t zero[32];

	(void)state;
	for (int c = CRYPTO_AES128_CBC; c <= CRYPTO_NO_CIPHER; c++)
		assert_false(weak_key((enum crypto_cipher)c, zero));
}

/* --- a hash that always says the same, so that a weak key comes out ------- */

static int begin(EVP_MD_CTX *ctx)
{
	(void)ctx;
	return 1;
}

static int update(EVP_MD_CTX *ctx, const void *data, size_t len)
{
	(void)ctx;
	(void)data;
	(void)len;
	return 1;
}

static int final(EVP_MD_CTX *ctx, unsigned char *out)
{
	(void)ctx;
	memset(out, 1, 20);
	return 1;
}

static EVP_MD *ones(void)
{
	EVP_MD *md = EVP_MD_meth_new(NID_undef, NID_undef);

	assert_non_null(md);
	EVP_MD_meth_set_result_size(md, 20);
	EVP_MD_meth_set_input_blocksize(md, 64);
	EVP_MD_meth_set_app_datasize(md, 1); /* or update is not called */
	EVP_MD_meth_set_init(md, begin);
	EVP_MD_meth_set_update(md, update);
	EVP_MD_meth_set_final(md, final);
	return md;
}

/* In that world SHA-1 is 20 bytes of 1, which is a weak key of DES. */
static struct ikew *world(EVP_MD **real, const char *ike, const char *esp)
{
	struct ikew *w = ikew_new(3);

	ikew_accept(w, ike, esp);
	*real = w->crypto.md[CRYPTO_SHA1];
	w->crypto.md[CRYPTO_SHA1] = ones();
	return w;
}

static void end(struct ikew *w, EVP_MD *real)
{
	EVP_MD_meth_free(w->crypto.md[CRYPTO_SHA1]);
	w->crypto.md[CRYPTO_SHA1] = real;
	ikew_free(w);
}

static void no_ike_sa_gets_a_weak_key(void **state)
{
	static const char *const suites[] = {
	    "3des-sha1-ecp256", "des-sha1-ecp256"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_MD *real;
		struct ikew *w = world(&real, suites[i], NULL);
		struct ike_client *c = ikew_client(w, "203.0.113.7", NULL, 0);

		c->ike[0] = ikew_suite(true, suites[i]);
		ikec_start_main(c);
		ikew_run(w, 1000);
		assert_true(ikew_logged(w, "a weak key came out"));
		assert_int_equal(c->cur->state, CLIENT_SENT3);
		assert_int_equal(ikew_counts(w).sas, 0);
		end(w, real);
	}
}

static void no_ipsec_sa_gets_a_weak_key(void **state)
{
	static const char *const suites[] = {"3des-sha1", "des-sha1"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_MD *real;
		struct ikew *w =
		    world(&real, "aes128-sha1-modp2048", suites[i]);
		struct ike_client *c = ikew_client(w, "203.0.113.7", NULL, 0);

		c->ike[0] = ikew_suite(true, "aes128-sha1-modp2048");
		c->esp[0] = ikew_suite(false, suites[i]);
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, 1000);
		assert_true(ikew_logged(w, "a weak key of Quick Mode"));
		assert_int_equal(w->sa_count, 0);
		assert_int_equal(ikew_counts(w).pairs, 0);
		end(w, real);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(weak_des_keys_are_known),
	    cmocka_unit_test(degenerate_3des_keys_are_known),
	    cmocka_unit_test(other_ciphers_have_none),
	    cmocka_unit_test(no_ike_sa_gets_a_weak_key),
	    cmocka_unit_test(no_ipsec_sa_gets_a_weak_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
