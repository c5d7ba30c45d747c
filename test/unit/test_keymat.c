/* SPDX-License-Identifier: ISC */
/*
 * Keys and hashes of IKEv1.  Published numbers: the NIST CAVP vector of
 * IKEv1 with pre-shared key, and aggressive-mode exchanges that ike-scan
 * and hashcat publish with their keys.  Values without a publication were
 * computed apart from this code, from the RFC's formulas.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/keymat.h"
#include "test/lib/hex.h"

#include <errno.h>
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

/* NIST CAVP, ikev1_psk, SHA-1, COUNT = 0. */
struct nist {
	struct hex ni, nr, cky_i, cky_r, gxy, psk;
	struct wire_span s_ni, s_nr, s_cky_i, s_cky_r, s_gxy, s_psk;
};

static void nist_init(struct nist *n)
{
	n->s_ni = hex_decode(&n->ni, "b9a2d0e922dc66dd");
	n->s_nr = hex_decode(&n->nr, "2130166863b5ddef");
	n->s_cky_i = hex_decode(&n->cky_i, "83d374c30b3b5082");
	n->s_cky_r = hex_decode(&n->cky_r, "5afc0da06c728029");
	n->s_gxy = hex_decode(&n->gxy,
	    "739003ba2c11c982946c65e26acf661fbf8ebb78011a9fead79efa12fe3e71cc");
	n->s_psk = hex_decode(&n->psk, "75");
}

static void nist_keys(const struct crypto *c, struct nist *n,
    const struct ike_suite *suite, struct ike_keys *keys)
{
	uint8_t skeyid[IKE_KEY_MAX];
	int len;

	nist_init(n);
	len = keymat_psk_skeyid(
	    c, suite->hash, n->s_psk, n->s_ni, n->s_nr, skeyid);
	assert_true(len > 0);
	assert_int_equal(
	    keymat_derive(c, suite, wire_span_of(skeyid, (size_t)len), n->s_gxy,
		n->s_cky_i, n->s_cky_r, keys),
	    0);
}

static const struct ike_suite aes128_sha1 = {
    IKE_CIPHER_AES, 128, IKE_HASH_SHA1, IKE_GROUP_MODP2048};
static const struct ike_suite aes256_sha1 = {
    IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_ECP256};
static const struct ike_suite aes256_sha256 = {
    IKE_CIPHER_AES, 256, IKE_HASH_SHA256, IKE_GROUP_MODP2048};
static const struct ike_suite tdes_sha1 = {
    IKE_CIPHER_3DES, 192, IKE_HASH_SHA1, IKE_GROUP_MODP2048};

static void skeyids_match_the_nist_vector(void **state)
{
	struct ike_keys k;
	struct nist n;

	nist_keys(*state, &n, &aes128_sha1, &k);
	assert_int_equal(k.prf_len, 20);
	assert_true(hex_equal(
	    k.skeyid, 20, "62b04d112877e442fc3282fc37c076997718a0b9"));
	assert_true(hex_equal(
	    k.skeyid_d, 20, "369e5aad1bdb5faf6a3d929d500cdc236710a9ab"));
	assert_true(hex_equal(
	    k.skeyid_a, 20, "588e957d8d790d093b3a39f121473473af78e9bb"));
	assert_true(hex_equal(
	    k.skeyid_e, 20, "cd74b0c048219db81384d3fda8f6cda51e398a2b"));
}

/* RFC 2409 appendix B: cut when long enough, expanded when not. */
static void cipher_keys_are_cut_or_expanded(void **state)
{
	struct ike_keys k;
	struct nist n;

	nist_keys(*state, &n, &aes128_sha1, &k);
	assert_true(
	    hex_equal(k.key, k.key_len, "cd74b0c048219db81384d3fda8f6cda5"));
	assert_int_equal(k.block_len, 16);
	nist_keys(*state, &n, &aes256_sha1, &k);
	assert_true(hex_equal(k.key, k.key_len,
	    "9ce3201d5c6cf897a6cba863e68c634d8d63805d1f20e30bf6884e2a4ee9fc8"
	    "a"));
	nist_keys(*state, &n, &tdes_sha1, &k);
	assert_true(hex_equal(k.key, k.key_len,
	    "9ce3201d5c6cf897a6cba863e68c634d8d63805d1f20e30b"));
	assert_int_equal(k.block_len, 8);
	nist_keys(*state, &n, &aes256_sha256, &k);
	assert_true(hex_equal(k.key, k.key_len,
	    "3162b3419c563412c08e63a386f1eb4321d2adb7f4dac0523149ab607c91721"
	    "4"));
}

/* g_xr:g_xi:cky_r:cky_i:sai_b:idir_b:ni_b:nr_b:hash_r with its key. */
struct record {
	const char *psk;
	const char *gxr, *gxi, *cky_r, *cky_i, *sai_b, *idir_b, *ni, *nr;
	const char *hash_r;
};

static const struct record records[] = {
    /* ike-scan, check-psk-crack-2: SHA1. */
    {"abc123",
	"9bdee7aa341cf1a6c19bc0191106b5056537ce6b837cd70678ea5a3ccb606b56"
	"dee4548feb67f24fd6f4d5f58967a9ff3c674d9d79e4195b7def5aac147c9fe9"
	"abdc2f8ba2eca58f4c863fedc7a8c8e1ad6e1551b1e44bf9a0e258561a5db1c2"
	"ca1e8b5dfda1b012012b6fdf24ecd07da6b10d76ab3b58d07b30b4f9da26aee4",
	"c9b7ef0610a22b3e1c88b1a01ce4d4110edf6baa122ed1285eb2184cd75d30a1"
	"1520a725c2d263de5a157f77f953880732f3b14521836d7f3585cb0ce3fcadf8"
	"1c541dde2680bd81953cf88e8f8096c173470694ca7414fff9df0cdcdbb9d4f7"
	"0ef1d6347293b507cfad965e2d2c1fa07326353e9a493d93284970040344fb11",
	"3506592130312567", "6c362583ce7a2a26",
	"00000001000000010000002c0101000100000024010100008001000180020002"
	"8003000180040002800b0001000c000400007080",
	"01000000ac100202", "84943233f42a0b5a9b33c327162fe0efee2545e4",
	"76f451dce3fea6402b67f3fddae561ebdb4a6efe",
	"f63f237b3c0f1fe57a5b852203cfd27cbf0c78d4"},
    /* hashcat, mode 5400. */
    {"hashcat",
	"266b43c54636c062b6696b71f24b30999c98bd4c3ba57e2de56a7ae50bb17ebc"
	"bca1abcd33e9ad466d4df6e6f2a407600f0c5a983f79d493b0a3694080a81143"
	"d4bac7a8b7b008ae5364a04688b3cfae44824885ca96ade1e395936567ecad51"
	"9b502c3a786c72847f79c67b777feb8ba4f747303eb985709e92b3a5634f6513",
	"60f861c6209c9c996ac0dcb49d6f6809faaaf0e8eb8041fe603a918170a801e9"
	"4ab8ab10c5906d850f4282c0668029fa69dbc8576f7d86633dc2b21f0d79aa06"
	"342b02a4d2732841cd3266b84a7eb49ac489b307ba55562a17741142bac77120"
	"25f0a8cad59b11f19d9b756ce998176fd6b063df556957b257b3645549a138c2",
	"f4dd079ed2b60e77", "f1f8da1f38f76923",
	"fd862602549f6949b33870f186d96cb8926a19d78442c02af823460740be719e"
	"ba41a79388aeefb072e1ec7cb46b2f0b72e21fb30bd3a6568d2b041af7f9dc0c"
	"9cce27ed577e5aabb9ab6c405f1c4b189adbee8c9fb6abf4788b63a3ae05a02c"
	"192187b9d7246efe5e46db9b01bf8f4be05f7599ae52bf137743e41d90dceb85"
	"bd6ae07397dcc168bbc904adfebb08e6bc67e653edeee97a7e4ab9dab5e63fec",
	"56e3f0d49ea70514", "e754055008febe970053d795d26bfe609f42eda8",
	"0c3283efd6396e7a2ecb008e1933fccb694a4ac0",
	"8f79167724f4bdb2d76ee5d5e502b665e3445ea6"},
};

static void hash_r_matches_recorded_exchanges(void **state)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		const struct record *r = &records[i];
		struct hex gxr, gxi, cky_r, cky_i, sai, idir, ni, nr;
		struct ike_phase1 p1 = {.gxi = hex_decode(&gxi, r->gxi),
		    .gxr = hex_decode(&gxr, r->gxr),
		    .cky_i = hex_decode(&cky_i, r->cky_i),
		    .cky_r = hex_decode(&cky_r, r->cky_r),
		    .sai_b = hex_decode(&sai, r->sai_b)};
		struct ike_keys keys = {.hash = IKE_HASH_SHA1, .prf_len = 20};
		uint8_t out[IKE_KEY_MAX];

		assert_int_equal(keymat_psk_skeyid(*state, IKE_HASH_SHA1,
				     wire_span_of(r->psk, strlen(r->psk)),
				     hex_decode(&ni, r->ni),
				     hex_decode(&nr, r->nr), keys.skeyid),
		    20);
		assert_int_equal(keymat_hash_r(*state, &keys, &p1,
				     hex_decode(&idir, r->idir_b), out),
		    20);
		assert_true(hex_equal(out, 20, r->hash_r));
		/* With the sides changed it is the initiator's formula. */
		p1 = (struct ike_phase1){.gxi = p1.gxr,
		    .gxr = p1.gxi,
		    .cky_i = p1.cky_r,
		    .cky_r = p1.cky_i,
		    .sai_b = p1.sai_b};
		assert_int_equal(keymat_hash_i(*state, &keys, &p1,
				     wire_span_of(idir.data, idir.len), out),
		    20);
		assert_true(hex_equal(out, 20, r->hash_r));
	}
}

static void hash_i_orders_its_parts(void **state)
{
	struct ike_keys k;
	struct nist n;
	struct ike_phase1 p1;
	uint8_t out[IKE_KEY_MAX];

	nist_keys(*state, &n, &aes256_sha256, &k);
	p1 = (struct ike_phase1){.gxi = {(const uint8_t *)"gxi", 3},
	    .gxr = {(const uint8_t *)"gxr", 3},
	    .cky_i = n.s_cky_i,
	    .cky_r = n.s_cky_r,
	    .sai_b = {(const uint8_t *)"sai", 3}};
	assert_int_equal(
	    keymat_hash_i(*state, &k, &p1, wire_span_of("id", 2), out), 32);
	assert_true(hex_equal(out, 32,
	    "72cb0ecf290d40729c54e9012f7db45502243a7322b11e88d72a4565bcc5179"
	    "3"));
}

static void quick_mode_hashes(void **state)
{
	const struct wire_span rest = {(const uint8_t *)"rest", 4};
	const uint32_t mid = 0x01020304;
	uint8_t out[IKE_KEY_MAX];
	struct ike_keys k;
	struct nist n;

	nist_keys(*state, &n, &aes128_sha1, &k);
	assert_int_equal(keymat_hash1(*state, &k, mid, rest, out), 20);
	assert_true(
	    hex_equal(out, 20, "3bec1a82335764d1e902dc458c96bfebeaec63ce"));
	assert_int_equal(keymat_hash2(*state, &k, mid, n.s_ni, rest, out), 20);
	assert_true(
	    hex_equal(out, 20, "196a377cb5cdf442790374e471a9503f25bf9b26"));
	assert_int_equal(
	    keymat_hash3(*state, &k, mid, n.s_ni, n.s_nr, out), 20);
	assert_true(
	    hex_equal(out, 20, "3dc2884b50b5e9fc4de29f84569405034f62e37b"));
}

static void ivs(void **state)
{
	uint8_t iv[CRYPTO_BLOCK_MAX] = {0}, last[CRYPTO_BLOCK_MAX];
	struct wire_span gxi = {(const uint8_t *)"gxi", 3};
	struct wire_span gxr = {(const uint8_t *)"gxr", 3};
	struct ike_keys k;
	struct nist n;

	for (size_t i = 0; i < sizeof(last); i++)
		last[i] = (uint8_t)i;
	nist_keys(*state, &n, &aes256_sha1, &k);
	assert_int_equal(keymat_iv_phase1(*state, &k, gxi, gxr, iv), 0);
	assert_true(hex_equal(iv, 16, "b49fc71be72ae812278eda3d41504bc1"));
	assert_int_equal(keymat_iv_phase2(*state, &k, last, 0x01020304, iv), 0);
	assert_true(hex_equal(iv, 16, "61a0279602d5d57d38ab052be560bd88"));
	nist_keys(*state, &n, &aes256_sha256, &k);
	assert_int_equal(keymat_iv_phase1(*state, &k, gxi, gxr, iv), 0);
	assert_true(hex_equal(iv, 16, "60827cc04891f51eaf1fa16cae6a5060"));
	assert_int_equal(keymat_iv_phase2(*state, &k, last, 0x01020304, iv), 0);
	assert_true(hex_equal(iv, 16, "76e6a0745829ba68200a947256cd8438"));
}

/* An IV of a short block leaves the rest of the buffer alone. */
static void a_short_iv_stays_short(void **state)
{
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct ike_keys k;
	struct nist n;

	memset(iv, 0xee, sizeof(iv));
	nist_keys(*state, &n, &tdes_sha1, &k);
	assert_int_equal(keymat_iv_phase1(*state, &k, wire_span_of("gxi", 3),
			     wire_span_of("gxr", 3), iv),
	    0);
	assert_true(hex_equal(iv, 16, "b49fc71be72ae812eeeeeeeeeeeeeeee"));
}

static void esp_keys(void **state)
{
	struct ike_kernel_sa sa = {.r = 77};
	struct ike_keys k;
	struct nist n;
	struct keymat_esp in;

	nist_keys(*state, &n, &aes128_sha1, &k);
	in = (struct keymat_esp){.suite = {ESP_AES, 256, ESP_AUTH_SHA256, 0},
	    .spi = 0xc0ffee01,
	    .ni_b = n.s_ni,
	    .nr_b = n.s_nr};
	assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), 0);
	assert_int_equal(sa.r, 77);
	assert_int_equal(sa.spi, 0xc0ffee01);
	assert_int_equal(sa.cipher, ESP_AES);
	assert_int_equal(sa.auth, ESP_AUTH_SHA256);
	assert_int_equal(sa.trunc_bits, 128);
	assert_true(hex_equal(sa.enc_key, sa.enc_len,
	    "4170cb95f0dcb382f5df2fe6475e9dec699d6ba0e71fdf2f68dbd51a997d981"
	    "b"));
	assert_true(hex_equal(sa.auth_key, sa.auth_len,
	    "d0dae857a44e4fdca2240b581ad0646dc2bba8713b4b0dffd51fe5d8b86de5b"
	    "c"));
	in.suite = (struct ike_suite){ESP_AES, 128, ESP_AUTH_SHA1, 0};
	in.gxy = n.s_gxy;
	assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), 0);
	assert_int_equal(sa.trunc_bits, 96);
	assert_true(hex_equal(
	    sa.enc_key, sa.enc_len, "c97ecd991b258eab7e321fdb5c621c1c"));
	assert_true(hex_equal(sa.auth_key, sa.auth_len,
	    "e3a288928d1bea055a3a50d4097448d3d87247b6"));
}

static void esp_key_lengths(void **state)
{
	static const struct {
		struct ike_suite suite;
		uint16_t enc_len, auth_len, trunc_bits;
	} rows[] = {
	    {{ESP_AES, 128, ESP_AUTH_SHA1, 0}, 16, 20, 96},
	    {{ESP_AES, 192, ESP_AUTH_SHA256, 0}, 24, 32, 128},
	    {{ESP_AES, 256, ESP_AUTH_SHA384, 0}, 32, 48, 192},
	    {{ESP_AES, 256, ESP_AUTH_SHA512, 0}, 32, 64, 256},
	    {{ESP_3DES, 0, ESP_AUTH_SHA1, 0}, 24, 20, 96},
	    {{ESP_DES, 0, ESP_AUTH_MD5, 0}, 8, 16, 96},
	    /* RFC 4106 section 8.1: four bytes of salt behind the key. */
	    {{ESP_AES_GCM_16, 128, 0, 0}, 20, 0, 0},
	    {{ESP_AES_GCM_16, 192, 0, 0}, 28, 0, 0},
	    {{ESP_AES_GCM_16, 256, 0, 0}, 36, 0, 0},
	};
	struct ike_keys k;
	struct nist n;

	nist_keys(*state, &n, &aes256_sha256, &k);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_kernel_sa sa = {0};
		struct keymat_esp in = {.suite = rows[i].suite,
		    .spi = 0xc0ffee01,
		    .ni_b = n.s_ni,
		    .nr_b = n.s_nr};

		assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), 0);
		assert_int_equal(sa.enc_len, rows[i].enc_len);
		assert_int_equal(sa.auth_len, rows[i].auth_len);
		assert_int_equal(sa.trunc_bits, rows[i].trunc_bits);
		assert_true(hex_equal(sa.enc_key, 8, "4ab10ea4b12263b4"));
	}
}

static void nat_d_hashes(void **state)
{
	struct addr a = {ADDR_IPV4, {203, 0, 113, 7}, 500};
	uint8_t out[IKE_KEY_MAX];
	struct nist n;

	nist_init(&n);
	assert_int_equal(
	    keymat_nat_d(*state, IKE_HASH_SHA1, n.s_cky_i, n.s_cky_r, &a, out),
	    20);
	assert_true(
	    hex_equal(out, 20, "6031c4895a01aad0bcc5ae619a580843c461bc89"));
	assert_int_equal(addr_parse(&a, "2001:db8::1"), 0);
	a.port = 4500;
	assert_int_equal(keymat_nat_d(*state, IKE_HASH_SHA256, n.s_cky_i,
			     n.s_cky_r, &a, out),
	    32);
	assert_true(hex_equal(out, 32,
	    "4749e61825372179ca0a64b6e32247db67450974fe49e7e9857c76f6a8c7e99"
	    "1"));
}

static void messages_encrypt_and_decrypt(void **state)
{
	uint8_t data[32] = "sixteen letters.and sixteen more";
	uint8_t iv1[16] = {3}, iv2[16] = {3}, before[32];
	struct ike_keys k;
	struct nist n;

	memcpy(before, data, sizeof(data));
	nist_keys(*state, &n, &aes256_sha1, &k);
	assert_int_equal(
	    keymat_encrypt(*state, &k, iv1, data, sizeof(data)), 0);
	assert_memory_not_equal(data, before, sizeof(data));
	assert_memory_equal(iv1, data + 16, 16);
	assert_int_equal(
	    keymat_decrypt(*state, &k, iv2, data, sizeof(data)), 0);
	assert_memory_equal(data, before, sizeof(data));
	assert_memory_equal(iv1, iv2, 16);
	assert_int_equal(keymat_encrypt(*state, &k, iv1, data, 0), -EINVAL);
	assert_int_equal(keymat_decrypt(*state, &k, iv1, data, 0), -EINVAL);
	assert_int_equal(keymat_decrypt(*state, &k, iv1, data, 31), -EINVAL);
	k.cipher = IKE_CIPHER_CAMELLIA;
	assert_int_equal(keymat_encrypt(*state, &k, iv1, data, 16), -ENOTSUP);
	assert_int_equal(keymat_decrypt(*state, &k, iv1, data, 16), -ENOTSUP);
}

static void impossible_input_is_refused(void **state)
{
	static const uint8_t big[IKE_NONCE_MAX + 1];
	struct wire_span none = {NULL, 0}, psk, too_long = {big, sizeof(big)};
	struct ike_suite bad = aes128_sha1;
	uint8_t out[IKE_KEY_MAX];
	struct ike_keys k;
	struct nist n;

	nist_init(&n);
	psk = n.s_psk;
	assert_int_equal(
	    keymat_psk_skeyid(*state, IKE_HASH_SHA1, none, n.s_ni, n.s_nr, out),
	    -EINVAL);
	assert_int_equal(
	    keymat_psk_skeyid(*state, IKE_HASH_SHA1, psk, none, n.s_nr, out),
	    -EINVAL);
	assert_int_equal(keymat_psk_skeyid(
			     *state, IKE_HASH_SHA1, psk, n.s_ni, too_long, out),
	    -EINVAL);
	assert_int_equal(
	    keymat_psk_skeyid(*state, 99, psk, n.s_ni, n.s_nr, out), -ENOTSUP);
	assert_int_equal(
	    keymat_psk_skeyid(*state, IKE_HASH_TIGER, psk, n.s_ni, n.s_nr, out),
	    -ENOTSUP);
	assert_int_equal(keymat_derive(*state, &bad, n.s_ni, n.s_gxy, n.s_cky_i,
			     n.s_cky_r, &k),
	    -EINVAL);
	bad.cipher = IKE_CIPHER_CAMELLIA;
	assert_int_equal(keymat_derive(*state, &bad, wire_span_of(big, 20),
			     n.s_gxy, n.s_cky_i, n.s_cky_r, &k),
	    -ENOTSUP);
	assert_int_equal(
	    keymat_derive(*state, &aes128_sha1, wire_span_of(big, 20), none,
		n.s_cky_i, n.s_cky_r, &k),
	    -EINVAL);
	assert_int_equal(
	    keymat_derive(*state, &aes128_sha1, wire_span_of(big, 20), n.s_gxy,
		wire_span_of(big, 7), n.s_cky_r, &k),
	    -EINVAL);
}

static void impossible_esp_is_refused(void **state)
{
	struct ike_kernel_sa sa = {.enc_len = 9};
	struct keymat_esp in;
	struct ike_keys k;
	struct nist n;

	nist_keys(*state, &n, &aes128_sha1, &k);
	in = (struct keymat_esp){.suite = {ESP_NULL, 0, ESP_AUTH_SHA1, 0},
	    .spi = 256,
	    .ni_b = n.s_ni,
	    .nr_b = n.s_nr};
	assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), -ENOTSUP);
	in.suite = (struct ike_suite){ESP_AES, 128, ESP_AUTH_NONE, 0};
	assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), -ENOTSUP);
	in.suite = (struct ike_suite){ESP_AES_GCM_16, 128, ESP_AUTH_SHA1, 0};
	assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), -ENOTSUP);
	in.suite = (struct ike_suite){ESP_AES_GCM_16, 160, 0, 0};
	assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), -ENOTSUP);
	in.suite = (struct ike_suite){ESP_AES, 128, ESP_AUTH_SHA1, 0};
	in.nr_b.len = 0;
	assert_int_equal(keymat_esp_derive(*state, &k, &in, &sa), -EINVAL);
	assert_int_equal(sa.enc_len, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(skeyids_match_the_nist_vector),
	    cmocka_unit_test(cipher_keys_are_cut_or_expanded),
	    cmocka_unit_test(hash_r_matches_recorded_exchanges),
	    cmocka_unit_test(hash_i_orders_its_parts),
	    cmocka_unit_test(quick_mode_hashes),
	    cmocka_unit_test(ivs),
	    cmocka_unit_test(a_short_iv_stays_short),
	    cmocka_unit_test(esp_keys),
	    cmocka_unit_test(esp_key_lengths),
	    cmocka_unit_test(nat_d_hashes),
	    cmocka_unit_test(messages_encrypt_and_decrypt),
	    cmocka_unit_test(impossible_input_is_refused),
	    cmocka_unit_test(impossible_esp_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
