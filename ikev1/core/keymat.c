/* SPDX-License-Identifier: ISC */
/* IKEv1's keys and hashes; the contract is in the header. */
#include "ikev1/core/keymat.h"

#include "common/secret.h"
#include "ikev1/core/algs.h"
#include "ikev1/core/weak_key.h"

#include <errno.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A number as the four bytes of the wire, for use as a part of a hash. */
struct be32 {
	uint8_t bytes[4];
};

static struct be32 be32_of(uint32_t v)
{
	struct be32 out;
	struct wire_writer w;

	wire_writer_init(&w, out.bytes, sizeof(out.bytes));
	wire_put_u32(&w, v);
	return out;
}

static struct wire_span be32_span(const struct be32 *v)
{
	return wire_span_of(v->bytes, sizeof(v->bytes));
}

/* HMAC with a phase-1 hash.  Returns its length or -errno. */
static int prf(const struct crypto *c, uint16_t hash, struct wire_span key,
    const struct wire_span *parts, size_t count, uint8_t *out)
{
	const struct alg_hash *h = alg_hash(hash);
	int err;

	if (!h || !h->is_usable)
		return -ENOTSUP;
	err = crypto_hmac(c, h->hash, key, parts, count, out);
	return err ? err : (int)crypto_hash_len(h->hash);
}

/* A plain phase-1 hash.  Returns its length or -errno. */
static int plain_hash(const struct crypto *c, uint16_t hash,
    const struct wire_span *parts, size_t count, uint8_t *out)
{
	const struct alg_hash *h = alg_hash(hash);
	int err;

	if (!h || !h->is_usable)
		return -ENOTSUP;
	err = crypto_hash(c, h->hash, parts, count, out);
	return err ? err : (int)crypto_hash_len(h->hash);
}

int keymat_psk_skeyid(const struct crypto *c, uint16_t hash,
    struct wire_span psk, struct wire_span ni, struct wire_span nr,
    uint8_t out[IKE_KEY_MAX])
{
	const struct wire_span parts[] = {ni, nr};

	if (!psk.len || !ni.len || ni.len > IKE_NONCE_MAX || !nr.len ||
	    nr.len > IKE_NONCE_MAX)
		return -EINVAL;
	return prf(c, hash, psk, parts, COUNT(parts), out);
}

/* SKEYID_x = prf(SKEYID, [SKEYID_y |] g^xy | CKY-I | CKY-R | number). */
static int skeyid_next(const struct crypto *c, struct ike_keys *k,
    struct wire_span before, const struct wire_span *common, uint8_t number,
    uint8_t *out)
{
	const struct wire_span parts[] = {
	    before, common[0], common[1], common[2], wire_span_of(&number, 1)};
	int len = prf(c, k->hash, wire_span_of(k->skeyid, k->prf_len), parts,
	    COUNT(parts), out);

	return len < 0 ? len : 0;
}

/*
 * RFC 2409 appendix B: the cipher key is the start of SKEYID_e, or, when
 * that is too short, of K1 | K2 | ... with K1 = prf(SKEYID_e, 0) and
 * Kn = prf(SKEYID_e, Kn-1).
 */
static int cipher_key(const struct crypto *c, struct ike_keys *k)
{
	const struct wire_span skeyid_e = {k->skeyid_e, k->prf_len};
	uint8_t block[IKE_KEY_MAX] = {0};
	struct wire_span before = {block, 1};
	size_t have = 0;
	int err = 0;

	if (k->key_len <= k->prf_len) {
		memcpy(k->key, k->skeyid_e, k->key_len);
		return 0;
	}
	while (have < k->key_len) {
		size_t n = k->key_len - have;
		uint8_t next[IKE_KEY_MAX];

		err = prf(c, k->hash, skeyid_e, &before, 1, next);
		if (err < 0)
			break;
		n = n < k->prf_len ? n : k->prf_len;
		memcpy(block, next, k->prf_len);
		secret_wipe(next, sizeof(next));
		memcpy(k->key + have, block, n);
		have += n;
		before.len = k->prf_len;
	}
	secret_wipe(block, sizeof(block));
	return err < 0 ? err : 0;
}

int keymat_derive(const struct crypto *c, const struct ike_suite *suite,
    struct wire_span skeyid, struct wire_span gxy, struct wire_span cky_i,
    struct wire_span cky_r, struct ike_keys *out)
{
	const struct alg_cipher *cipher =
	    alg_ike_cipher(suite->cipher, suite->key_bits);
	const struct alg_hash *hash = alg_hash(suite->hash);
	const struct wire_span common[] = {gxy, cky_i, cky_r};
	const struct wire_span none = {NULL, 0};
	int err;

	*out = (struct ike_keys){0};
	if (!cipher || !cipher->is_usable || !hash || !hash->is_usable)
		return -ENOTSUP;
	out->hash = suite->hash;
	out->cipher = suite->cipher;
	out->key_bits = cipher->key_bits;
	out->prf_len = (uint16_t)crypto_hash_len(hash->hash);
	out->key_len = (uint16_t)crypto_key_len(cipher->cipher);
	out->block_len = (uint16_t)crypto_block_len(cipher->cipher);
	if (skeyid.len != out->prf_len || !gxy.len ||
	    cky_i.len != ISAKMP_COOKIE_LEN || cky_r.len != ISAKMP_COOKIE_LEN)
		return -EINVAL;
	memcpy(out->skeyid, skeyid.data, skeyid.len);
	err = skeyid_next(c, out, none, common, 0, out->skeyid_d);
	if (!err)
		err = skeyid_next(c, out,
		    wire_span_of(out->skeyid_d, out->prf_len), common, 1,
		    out->skeyid_a);
	if (!err)
		err = skeyid_next(c, out,
		    wire_span_of(out->skeyid_a, out->prf_len), common, 2,
		    out->skeyid_e);
	if (!err)
		err = cipher_key(c, out);
	if (!err && weak_key(cipher->cipher, out->key))
		err = -EKEYREJECTED;
	if (err)
		secret_wipe(out, sizeof(*out));
	return err;
}

/* An IV is the start of a hash of two parts. */
static int iv_of(const struct crypto *c, const struct ike_keys *keys,
    struct wire_span first, struct wire_span second, uint8_t *iv)
{
	const struct wire_span parts[] = {first, second};
	uint8_t digest[IKE_KEY_MAX];
	int len = plain_hash(c, keys->hash, parts, COUNT(parts), digest);

	if (len < 0)
		return len;
	memcpy(iv, digest, keys->block_len);
	return 0;
}

int keymat_iv_phase1(const struct crypto *c, const struct ike_keys *keys,
    struct wire_span gxi, struct wire_span gxr, uint8_t *iv)
{
	return iv_of(c, keys, gxi, gxr, iv);
}

int keymat_iv_phase2(const struct crypto *c, const struct ike_keys *keys,
    const uint8_t *last, uint32_t message_id, uint8_t *iv)
{
	struct be32 mid = be32_of(message_id);

	return iv_of(
	    c, keys, wire_span_of(last, keys->block_len), be32_span(&mid), iv);
}

static const struct alg_cipher *cipher_of(const struct ike_keys *keys)
{
	return alg_ike_cipher(keys->cipher, keys->key_bits);
}

int keymat_encrypt(const struct crypto *c, const struct ike_keys *keys,
    uint8_t *iv, uint8_t *data, size_t len)
{
	const struct alg_cipher *cipher = cipher_of(keys);

	if (!cipher)
		return -ENOTSUP;
	if (!len)
		return -EINVAL;
	return crypto_encrypt(c, cipher->cipher,
	    wire_span_of(keys->key, keys->key_len), iv, data, len);
}

int keymat_decrypt(const struct crypto *c, const struct ike_keys *keys,
    uint8_t *iv, uint8_t *data, size_t len)
{
	const struct alg_cipher *cipher = cipher_of(keys);

	if (!cipher)
		return -ENOTSUP;
	if (!len)
		return -EINVAL;
	return crypto_decrypt(c, cipher->cipher,
	    wire_span_of(keys->key, keys->key_len), iv, data, len);
}

/* RFC 2409 section 5: the sender's own values come first. */
int keymat_hash_i(const struct crypto *c, const struct ike_keys *keys,
    const struct ike_phase1 *p1, struct wire_span idii_b,
    uint8_t out[IKE_KEY_MAX])
{
	const struct wire_span parts[] = {
	    p1->gxi, p1->gxr, p1->cky_i, p1->cky_r, p1->sai_b, idii_b};

	return prf(c, keys->hash, wire_span_of(keys->skeyid, keys->prf_len),
	    parts, COUNT(parts), out);
}

int keymat_hash_r(const struct crypto *c, const struct ike_keys *keys,
    const struct ike_phase1 *p1, struct wire_span idir_b,
    uint8_t out[IKE_KEY_MAX])
{
	const struct wire_span parts[] = {
	    p1->gxr, p1->gxi, p1->cky_r, p1->cky_i, p1->sai_b, idir_b};

	return prf(c, keys->hash, wire_span_of(keys->skeyid, keys->prf_len),
	    parts, COUNT(parts), out);
}

static int prf_a(const struct crypto *c, const struct ike_keys *keys,
    const struct wire_span *parts, size_t count, uint8_t *out)
{
	return prf(c, keys->hash, wire_span_of(keys->skeyid_a, keys->prf_len),
	    parts, count, out);
}

int keymat_hash1(const struct crypto *c, const struct ike_keys *keys,
    uint32_t message_id, struct wire_span rest, uint8_t out[IKE_KEY_MAX])
{
	struct be32 mid = be32_of(message_id);
	const struct wire_span parts[] = {be32_span(&mid), rest};

	return prf_a(c, keys, parts, COUNT(parts), out);
}

int keymat_hash2(const struct crypto *c, const struct ike_keys *keys,
    uint32_t message_id, struct wire_span ni_b, struct wire_span rest,
    uint8_t out[IKE_KEY_MAX])
{
	struct be32 mid = be32_of(message_id);
	const struct wire_span parts[] = {be32_span(&mid), ni_b, rest};

	return prf_a(c, keys, parts, COUNT(parts), out);
}

int keymat_hash3(const struct crypto *c, const struct ike_keys *keys,
    uint32_t message_id, struct wire_span ni_b, struct wire_span nr_b,
    uint8_t out[IKE_KEY_MAX])
{
	static const uint8_t zero[1];
	struct be32 mid = be32_of(message_id);
	const struct wire_span parts[] = {
	    {zero, sizeof(zero)}, be32_span(&mid), ni_b, nr_b};

	return prf_a(c, keys, parts, COUNT(parts), out);
}

/*
 * RFC 2409 section 5.5: K1 = prf(SKEYID_d, [g^xy |] protocol | SPI | Ni_b |
 * Nr_b), Kn = prf(SKEYID_d, Kn-1 | the same); KEYMAT is K1 | K2 | ...
 */
static int expand_keymat(const struct crypto *c, const struct ike_keys *keys,
    const struct keymat_esp *in, uint8_t *out, size_t len)
{
	const uint8_t protocol = ISAKMP_PROTO_ESP;
	struct be32 spi = be32_of(in->spi);
	uint8_t block[IKE_KEY_MAX];
	struct wire_span parts[] = {{block, 0}, in->gxy, {&protocol, 1},
	    be32_span(&spi), in->ni_b, in->nr_b};
	size_t have = 0;
	int n = 0;

	while (have < len) {
		uint8_t next[IKE_KEY_MAX];
		size_t take = len - have;

		n = prf(c, keys->hash,
		    wire_span_of(keys->skeyid_d, keys->prf_len), parts,
		    COUNT(parts), next);
		if (n < 0)
			break;
		take = take < (size_t)n ? take : (size_t)n;
		memcpy(out + have, next, take);
		have += take;
		memcpy(block, next, (size_t)n);
		parts[0].len = (size_t)n;
		secret_wipe(next, sizeof(next));
	}
	secret_wipe(block, sizeof(block));
	return n < 0 ? n : 0;
}

/* An AEAD cipher has no auth algorithm, any other has one. */
static int esp_rows(const struct ike_suite *suite,
    const struct alg_cipher **cipher, const struct alg_auth **auth)
{
	static const struct alg_auth none = {.number = ESP_AUTH_NONE};

	*cipher = alg_esp_cipher(suite->cipher, suite->key_bits);
	*auth = alg_auth(suite->hash);
	if (!*cipher || !(*cipher)->is_usable)
		return -ENOTSUP;
	if ((*cipher)->is_aead && suite->hash == ESP_AUTH_NONE) {
		*auth = &none;
		return 0;
	}
	return (*cipher)->is_aead || !*auth || !(*auth)->is_usable ? -ENOTSUP
								   : 0;
}

int keymat_esp_derive(const struct crypto *c, const struct ike_keys *keys,
    const struct keymat_esp *in, struct ike_kernel_sa *sa)
{
	const struct alg_cipher *cipher;
	const struct alg_auth *auth;
	uint8_t keymat[2 * IKE_KEY_MAX];
	size_t enc_len;
	int err = esp_rows(&in->suite, &cipher, &auth);

	if (err)
		return err;
	if (!in->ni_b.len || !in->nr_b.len)
		return -EINVAL;
	enc_len = cipher->key_bits / 8u + cipher->salt_len;
	err = expand_keymat(c, keys, in, keymat, enc_len + auth->key_len);
	if (!err && weak_key(cipher->cipher, keymat))
		err = -EKEYREJECTED;
	if (!err) {
		sa->spi = in->spi;
		sa->cipher = in->suite.cipher;
		sa->auth = in->suite.hash;
		sa->trunc_bits = auth->trunc_bits;
		sa->enc_len = (uint16_t)enc_len;
		sa->auth_len = auth->key_len;
		memcpy(sa->enc_key, keymat, enc_len);
		memcpy(sa->auth_key, keymat + enc_len, auth->key_len);
	}
	secret_wipe(keymat, sizeof(keymat));
	return err;
}

int keymat_nat_d(const struct crypto *c, uint16_t hash, struct wire_span cky_i,
    struct wire_span cky_r, const struct addr *a, uint8_t out[IKE_KEY_MAX])
{
	const uint8_t port[] = {(uint8_t)(a->port >> 8), (uint8_t)a->port};
	const struct wire_span parts[] = {
	    cky_i, cky_r, {a->ip, addr_ip_len(a)}, {port, sizeof(port)}};

	return plain_hash(c, hash, parts, COUNT(parts), out);
}
