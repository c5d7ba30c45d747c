/* SPDX-License-Identifier: ISC */
/* EVP wrappers against published vectors, and their refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

static int set_up(void **state)
{
	static struct crypto crypto;

	*state = &crypto;
	return crypto_init(&crypto);
}

static int tear_down(void **state)
{
	crypto_done(*state);
	return 0;
}

static struct wire_span text_span(const char *text)
{
	return wire_span_of(text, strlen(text));
}

/* FIPS 180 example "abc"; MD5 from RFC 1321 appendix A.5. */
static const struct {
	enum crypto_hash hash;
	const char *digest;
} abc_vectors[] = {
    {CRYPTO_MD5, "900150983cd24fb0d6963f7d28e17f72"},
    {CRYPTO_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {CRYPTO_SHA256,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {CRYPTO_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
		    "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {CRYPTO_SHA512,
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

static void hashes_match_their_vectors(void **state)
{
	struct wire_span parts[] = {text_span("a"), {NULL, 0}, text_span("bc")};
	uint8_t out[CRYPTO_HASH_MAX];

	for (size_t i = 0; i < sizeof(abc_vectors) / sizeof(abc_vectors[0]);
	     i++) {
		enum crypto_hash h = abc_vectors[i].hash;

		assert_int_equal(crypto_hash(*state, h, parts, 3, out), 0);
		assert_true(
		    hex_equal(out, crypto_hash_len(h), abc_vectors[i].digest));
	}
}

/* RFC 2202 section 3 case 1, RFC 4868 section 2.7.1 (PRF, case 1 and
 * AUTH, whose keys have the length of the hash). */
static const struct {
	enum crypto_hash hash;
	size_t key_len;
	const char *mac;
} hmac_vectors[] = {
    {CRYPTO_SHA1, 20, "b617318655057264e28bc0b6fb378c8ef146be00"},
    {CRYPTO_SHA256, 20,
	"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {CRYPTO_SHA256, 32,
	"198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"},
    {CRYPTO_SHA384, 48,
	"b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973"
	"7a959796489bddbc4c5df61d5b3297b4fb68dab9f1b582c2"},
    {CRYPTO_SHA512, 64,
	"637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"
	"ac2878ebd5803f6f0b61dbce5e251ff8789a4722c1be65aea45fd464e89f8f5b"},
};

static void hmac_matches_its_vectors(void **state)
{
	struct wire_span parts[] = {
	    text_span("Hi "), {NULL, 0}, text_span("There")};
	uint8_t key[64], out[CRYPTO_HASH_MAX];

	memset(key, 0x0b, sizeof(key));
	for (size_t i = 0; i < sizeof(hmac_vectors) / sizeof(hmac_vectors[0]);
	     i++) {
		enum crypto_hash h = hmac_vectors[i].hash;

		assert_int_equal(crypto_hmac(*state, h,
				     wire_span_of(key, hmac_vectors[i].key_len),
				     parts, 3, out),
		    0);
		assert_true(
		    hex_equal(out, crypto_hash_len(h), hmac_vectors[i].mac));
	}
}

/* RFC 4231 section 4.7: a key that is longer than the block of SHA-512. */
static void hmac_hashes_a_long_key(void **state)
{
	static const struct {
		enum crypto_hash hash;
		const char *mac;
	} rows[] = {
	    {CRYPTO_SHA256, "60e431591ee0b67f0d8a26aacbf5b77f"
			    "8e0bc6213728c5140546040f0ee37f54"},
	    {CRYPTO_SHA384, "4ece084485813e9088d2c63a041bc5b4"
			    "4f9ef1012a2b588f3cd11f05033ac4c6"
			    "0c2ef6ab4030fe8296248df163f44952"},
	    {CRYPTO_SHA512, "80b24263c7c1a3ebb71493c1dd7be8b4"
			    "9b46d1f41b4aeec1121b013783f8f352"
			    "6b56d037e05f2598bd0fd2215d6a1e52"
			    "95e64f73f63f0aec8b915a985d786598"},
	};
	struct wire_span data =
	    text_span("Test Using Larger Than Block-Size Key - Hash Key First");
	uint8_t key[131], out[CRYPTO_HASH_MAX];

	memset(key, 0xaa, sizeof(key));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum crypto_hash h = rows[i].hash;

		assert_int_equal(
		    crypto_hmac(*state, h, wire_span_of(key, sizeof(key)),
			&data, 1, out),
		    0);
		assert_true(hex_equal(out, crypto_hash_len(h), rows[i].mac));
	}
}

/* Around the block's length: the library's own HMAC says the same. */
static void hmac_is_the_librarys(void **state)
{
	static const char *const names[CRYPTO_HASHES] = {
	    "MD5", "SHA1", "SHA256", "SHA384", "SHA512"};
	uint8_t key[140], text[200], out[CRYPTO_HASH_MAX],
	    right[CRYPTO_HASH_MAX];
	struct wire_span parts[] = {{text, 70}, {text + 70, 130}};

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(7 * i);
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(255 - 3 * i);
	for (size_t h = 0; h < CRYPTO_HASHES; h++) {
		for (size_t len = 0; len <= sizeof(key); len++) {
			size_t got = 0;

			assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, names[h],
			    NULL, key, len, text, sizeof(text), right,
			    sizeof(right), &got));
			assert_int_equal(got, crypto_hash_len(h));
			assert_int_equal(
			    crypto_hmac(*state, (enum crypto_hash)h,
				wire_span_of(key, len), parts, 2, out),
			    0);
			assert_memory_equal(out, right, got);
		}
	}
}

/* HMAC-SHA1 with no key over nothing: the value of the definition. */
static void hmac_takes_an_empty_key(void **state)
{
	struct wire_span none = {NULL, 0};
	uint8_t out[CRYPTO_HASH_MAX];

	assert_int_equal(
	    crypto_hmac(*state, CRYPTO_SHA1, none, &none, 1, out), 0);
	assert_true(
	    hex_equal(out, 20, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d"));
}

/* RFC 3602 section 4, cases 1, 2 and 4; SP 800-38A F.2.3 and F.2.5. */
static const struct {
	enum crypto_cipher cipher;
	const char *key, *iv, *plain, *secret;
} cbc_vectors[] = {
    {CRYPTO_AES128_CBC, "06a9214036b8a15b512e03d534120006",
	"3dafba429d9eb430b422da802c9fac41", "53696e676c6520626c6f636b206d7367",
	"e353779c1079aeb82708942dbe77181a"},
    {CRYPTO_AES128_CBC, "c286696d887c9aa0611bbb3e2025a45a",
	"562e17996d093d28ddb3ba695a2e6f58",
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	"d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1"},
    {CRYPTO_AES128_CBC, "56e47a38c5598974bc46903dba290349",
	"8ce82eefbea0da3c44699ed7db51b7d9",
	"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
	"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
	"c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e"
	"35907aa632c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55"},
    {CRYPTO_AES192_CBC, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	"000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172a",
	"4f021db243bc633d7178183a9fa071e8"},
    {CRYPTO_AES256_CBC,
	"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	"000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172a",
	"f58c4c04d6e5f1ba779eabfb5f7bfbd6"},
    /* FIPS 81's example of DES; SP 800-67's of TDEA, its first block. */
    {CRYPTO_DES_CBC, "0123456789abcdef", "1234567890abcdef",
	"4e6f77206973207468652074696d6520666f7220616c6c20",
	"e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"},
    {CRYPTO_3DES_CBC, "0123456789abcdef23456789abcdef01456789abcdef0123",
	"0000000000000000", "5468652071756663", "a826fd8ce53b855f"},
};

static void cbc_matches_its_vectors(void **state)
{
	for (size_t i = 0; i < sizeof(cbc_vectors) / sizeof(cbc_vectors[0]);
	     i++) {
		enum crypto_cipher c = cbc_vectors[i].cipher;
		struct hex key, iv, iv2, data, secret;

		hex_decode(&key, cbc_vectors[i].key);
		hex_decode(&iv, cbc_vectors[i].iv);
		iv2 = iv;
		hex_decode(&data, cbc_vectors[i].plain);
		hex_decode(&secret, cbc_vectors[i].secret);
		assert_int_equal(crypto_key_len(c), key.len);
		assert_int_equal(
		    crypto_encrypt(*state, c, wire_span_of(key.data, key.len),
			iv.data, data.data, data.len),
		    0);
		assert_memory_equal(data.data, secret.data, data.len);
		assert_int_equal(crypto_block_len(c), iv.len);
		assert_memory_equal(
		    iv.data, secret.data + secret.len - iv.len, iv.len);
		assert_int_equal(
		    crypto_decrypt(*state, c, wire_span_of(key.data, key.len),
			iv2.data, data.data, data.len),
		    0);
		assert_true(
		    hex_equal(data.data, data.len, cbc_vectors[i].plain));
		assert_memory_equal(iv.data, iv2.data, iv.len);
	}
}

/* Two messages under one moving IV are one message: the chain is right. */
static void the_iv_chains_messages(void **state)
{
	uint8_t key[24], one[32] = {1}, two[32] = {1}, iv1[8] = {5},
			 iv2[8] = {5};
	struct wire_span k = {key, sizeof(key)};

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 7 + 1);
	assert_int_equal(
	    crypto_encrypt(*state, CRYPTO_3DES_CBC, k, iv1, one, 32), 0);
	assert_int_equal(
	    crypto_encrypt(*state, CRYPTO_3DES_CBC, k, iv2, two, 8), 0);
	assert_int_equal(
	    crypto_encrypt(*state, CRYPTO_3DES_CBC, k, iv2, two + 8, 24), 0);
	assert_memory_equal(one, two, 32);
	assert_memory_equal(iv1, iv2, 8);
	memset(iv1, 0, sizeof(iv1));
	iv1[0] = 5;
	assert_int_equal(
	    crypto_decrypt(*state, CRYPTO_3DES_CBC, k, iv1, two, 32), 0);
	assert_int_equal(two[0], 1);
	assert_int_equal(two[31], 0);
}

/* What a cipher's context does next it does with a key of zeros, whatever
 * was asked of it before. */
static void contexts_forget_their_keys(void **state)
{
	static const uint8_t zero[CRYPTO_KEY_MAX];
	struct crypto *crypto = *state;

	for (int i = 0; i < 4; i++) {
		enum crypto_cipher c =
		    i < 2 ? CRYPTO_AES256_CBC : CRYPTO_3DES_CBC;
		size_t block = crypto_block_len(c);
		uint8_t key[CRYPTO_KEY_MAX], iv[16] = {1}, data[32] = "data";
		struct wire_span k = {key, crypto_key_len(c)};
		int n = 0;

		memset(key, 0x5a + i, sizeof(key));
		assert_int_equal((i & 1 ? crypto_encrypt : crypto_decrypt)(
				     crypto, c, k, iv, data, sizeof(data)),
		    0);
		memset(data, 0x33, sizeof(data));
		assert_int_equal(EVP_CipherUpdate(crypto->cipher_ctx[c], data,
				     &n, data, (int)(2 * block)),
		    1);
		assert_int_equal(n, 2 * block);
		/* Whatever its IV was: the second block tells. */
		assert_int_equal(
		    crypto_decrypt(crypto, c, wire_span_of(zero, k.len), iv,
			data, 2 * block),
		    0);
		for (size_t at = block; at < 2 * block; at++)
			assert_int_equal(data[at], 0x33);
	}
}

static void wrong_lengths_change_nothing(void **state)
{
	uint8_t key[32] = {0}, iv[16] = {9}, data[48] = {7};
	const uint8_t iv_before[16] = {9}, data_before[48] = {7};

	for (size_t len = 0; len <= 48; len++) {
		int err = crypto_encrypt(*state, CRYPTO_AES256_CBC,
		    wire_span_of(key, 32), iv, data, len);

		assert_int_equal(err, len % 16 ? -EINVAL : 0);
		memcpy(iv, iv_before, sizeof(iv));
		if (!err)
			memcpy(data, data_before, sizeof(data));
		assert_memory_equal(data, data_before, sizeof(data));
		err = crypto_decrypt(*state, CRYPTO_AES256_CBC,
		    wire_span_of(key, 32), iv, data, len);
		assert_int_equal(err, len % 16 ? -EINVAL : 0);
		memcpy(iv, iv_before, sizeof(iv));
		memcpy(data, data_before, sizeof(data));
	}
	for (size_t len = 0; len < 32; len++)
		assert_int_equal(crypto_encrypt(*state, CRYPTO_AES256_CBC,
				     wire_span_of(key, len), iv, data, 16),
		    -EINVAL);
	assert_memory_equal(data, data_before, sizeof(data));
}

static void unknown_algorithms_are_refused(void **state)
{
	struct crypto none = {0};
	struct wire_span nothing = {NULL, 0};
	uint8_t buf[CRYPTO_HASH_MAX] = {0};

	assert_int_equal(
	    crypto_hash(*state, CRYPTO_HASHES, &nothing, 1, buf), -ENOTSUP);
	assert_int_equal(
	    crypto_hash(&none, CRYPTO_SHA1, &nothing, 1, buf), -ENOTSUP);
	assert_int_equal(
	    crypto_hmac(&none, CRYPTO_SHA1, nothing, &nothing, 1, buf),
	    -ENOTSUP);
	assert_int_equal(
	    crypto_encrypt(*state, CRYPTO_NO_CIPHER, nothing, buf, buf, 16),
	    -ENOTSUP);
	assert_int_equal(
	    crypto_decrypt(&none, CRYPTO_AES128_CBC, nothing, buf, buf, 16),
	    -ENOTSUP);
	assert_int_equal(crypto_hash_len(CRYPTO_HASHES), 0);
	assert_int_equal(crypto_key_len(CRYPTO_NO_CIPHER), 0);
	assert_int_equal(crypto_block_len(CRYPTO_NO_CIPHER), 0);
	assert_int_equal(crypto_block_len(CRYPTO_3DES_CBC), 8);
	crypto_done(&none);
}

static void random_bytes_differ(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	assert_int_equal(crypto_random(a, sizeof(a)), 0);
	assert_int_equal(crypto_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hashes_match_their_vectors),
	    cmocka_unit_test(hmac_matches_its_vectors),
	    cmocka_unit_test(hmac_hashes_a_long_key),
	    cmocka_unit_test(hmac_is_the_librarys),
	    cmocka_unit_test(hmac_takes_an_empty_key),
	    cmocka_unit_test(cbc_matches_its_vectors),
	    cmocka_unit_test(the_iv_chains_messages),
	    cmocka_unit_test(contexts_forget_their_keys),
	    cmocka_unit_test(wrong_lengths_change_nothing),
	    cmocka_unit_test(unknown_algorithms_are_refused),
	    cmocka_unit_test(random_bytes_differ),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
