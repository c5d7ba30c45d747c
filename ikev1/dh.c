/* SPDX-License-Identifier: ISC */
/* Diffie-Hellman over OpenSSL's EVP; the contract is in the header. */
#include "ikev1/dh.h"

#include "common/secret.h"
#include "ikev1/core/algs.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#define POINT_UNCOMPRESSED 4 /* SEC 1 section 2.3.3; IKE leaves it out */
#define SHORT_EXPONENT 256   /* bits: twice what modp1024 is worth, and more */
#define POINT_MAX (1 + 132)  /* the tag and both halves of P-521 */

struct group_row {
	uint16_t number;
	bool is_curve;
	const char *name; /* in the library; NULL: its prime is given */
};

static const struct group_row group_rows[] = {
    {IKE_GROUP_MODP1024, false, NULL},
    {IKE_GROUP_MODP1536, false, "modp_1536"},
    {IKE_GROUP_MODP2048, false, "modp_2048"},
    {IKE_GROUP_MODP3072, false, "modp_3072"},
    {IKE_GROUP_MODP4096, false, "modp_4096"},
    {IKE_GROUP_ECP256, true, "P-256"},
    {IKE_GROUP_ECP384, true, "P-384"},
    {IKE_GROUP_ECP521, true, "P-521"},
};

static const struct group_row *group_row(uint16_t number)
{
	for (size_t i = 0; i < sizeof(group_rows) / sizeof(group_rows[0]); i++)
		if (group_rows[i].number == number)
			return &group_rows[i];
	return NULL;
}

static bool push_group(
    OSSL_PARAM_BLD *bld, const struct group_row *row, BIGNUM *p, BIGNUM *g)
{
	if (row->name)
		return OSSL_PARAM_BLD_push_utf8_string(
		    bld, OSSL_PKEY_PARAM_GROUP_NAME, row->name, 0);
	return BN_get_rfc2409_prime_1024(p) && BN_set_word(g, 2) &&
	       OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_FFC_P, p) &&
	       OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_FFC_G, g) &&
	       OSSL_PARAM_BLD_push_int(
		   bld, OSSL_PKEY_PARAM_DH_PRIV_LEN, SHORT_EXPONENT);
}

/* A key of that group with a private value alone, or, without one, the
 * group's parameters. */
static EVP_PKEY *key_of(const struct group_row *row, const BIGNUM *priv)
{
	const char *type = row->is_curve ? "EC" : "DH";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *p = BN_new(), *g = BN_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (bld && p && g && push_group(bld, row, p, g) &&
	    (!priv ||
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, priv)))
		params = OSSL_PARAM_BLD_to_param(bld);
	if (ctx && params &&
	    (EVP_PKEY_fromdata_init(ctx) <= 0 ||
		EVP_PKEY_fromdata(ctx, &key,
		    priv ? EVP_PKEY_KEYPAIR : EVP_PKEY_KEY_PARAMETERS,
		    params) <= 0))
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(p);
	BN_free(g);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *keygen(const struct group_row *row)
{
	EVP_PKEY *group = key_of(row, NULL), *key = NULL;
	EVP_PKEY_CTX *ctx =
	    group ? EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL) : NULL;

	if (ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
	    EVP_PKEY_generate(ctx, &key) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(group);
	return key;
}

/* x and y, without the tag: RFC 5903 section 7. */
static int curve_pub(EVP_PKEY *key, struct dh_result *out)
{
	uint8_t point[POINT_MAX];
	size_t len = 0;

	if (!EVP_PKEY_get_octet_string_param(key,
		OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point),
		&len) ||
	    len != out->pub_len + 1 || point[0] != POINT_UNCOMPRESSED)
		return -EIO;
	memcpy(out->pub, point + 1, out->pub_len);
	return 0;
}

static int modp_pub(EVP_PKEY *key, struct dh_result *out)
{
	BIGNUM *pub = NULL;
	int len = -1;

	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PUB_KEY, &pub))
		len = BN_bn2binpad(pub, out->pub, (int)out->pub_len);
	BN_free(pub);
	return len == (int)out->pub_len ? 0 : -EIO;
}

int dh_generate(uint16_t group, struct dh_keypair *kp, struct dh_result *out)
{
	const struct alg_group *alg = alg_group(group);
	const struct group_row *row = group_row(group);
	int err;

	*kp = (struct dh_keypair){.group = group};
	if (!alg || !row)
		return -ENOTSUP;
	kp->key = keygen(row);
	out->pub_len = alg->pub_len;
	err = !kp->key	      ? -EIO
	      : row->is_curve ? curve_pub(kp->key, out)
			      : modp_pub(kp->key, out);
	if (!err)
		return 0;
	ERR_clear_error();
	dh_keypair_done(kp);
	return err;
}

/* 1 < value < p - 1: others give an attacker's secret away or none. */
static int modp_check(EVP_PKEY *ours, struct wire_span pub)
{
	BIGNUM *value = BN_bin2bn(pub.data, (int)pub.len, NULL);
	BIGNUM *p = NULL;
	int err = -EIO;

	if (value && EVP_PKEY_get_bn_param(ours, OSSL_PKEY_PARAM_FFC_P, &p) &&
	    BN_sub_word(p, 1))
		err = BN_is_zero(value) || BN_is_one(value) ||
			      BN_cmp(value, p) >= 0
			  ? -EINVAL
			  : 0;
	BN_free(value);
	BN_free(p);
	return err;
}

/* The peer's public value as a key; the library checks the curve. */
static int peer_key(const struct group_row *row, EVP_PKEY *ours,
    struct wire_span pub, EVP_PKEY **out)
{
	uint8_t point[POINT_MAX] = {POINT_UNCOMPRESSED};
	EVP_PKEY *key = EVP_PKEY_new();

	*out = key;
	if (!key || !EVP_PKEY_copy_parameters(key, ours))
		return -EIO;
	if (row->is_curve) {
		memcpy(point + 1, pub.data, pub.len);
		pub = wire_span_of(point, pub.len + 1);
	} else {
		int err = modp_check(ours, pub);

		if (err)
			return err;
	}
	if (EVP_PKEY_set1_encoded_public_key(key, pub.data, pub.len) <= 0)
		return -EINVAL;
	return 0;
}

static int derive(const struct group_row *row, EVP_PKEY *ours, EVP_PKEY *peer,
    struct dh_result *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL);
	unsigned int pad = 1;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad),
	    OSSL_PARAM_END};
	size_t len = sizeof(out->shared);
	int ok;

	/* The public value has been checked: no second time here. */
	ok = ctx &&
	     EVP_PKEY_derive_init_ex(ctx, row->is_curve ? NULL : params) > 0 &&
	     EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) > 0 &&
	     EVP_PKEY_derive(ctx, out->shared, &len) > 0 &&
	     len == out->shared_len;
	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

int dh_derive(const struct dh_keypair *kp, struct wire_span peer_pub,
    struct dh_result *out)
{
	const struct alg_group *alg = alg_group(kp->group);
	const struct group_row *row = group_row(kp->group);
	EVP_PKEY *peer = NULL;
	int err;

	if (!alg || !row || !kp->key)
		return -ENOTSUP;
	if (peer_pub.len != alg->pub_len)
		return -EINVAL;
	out->shared_len = alg->shared_len;
	err = peer_key(row, kp->key, peer_pub, &peer);
	if (!err)
		err = derive(row, kp->key, peer, out);
	EVP_PKEY_free(peer);
	if (err) {
		ERR_clear_error();
		secret_wipe(out->shared, sizeof(out->shared));
	}
	return err;
}

void dh_keypair_done(struct dh_keypair *kp)
{
	EVP_PKEY_free(kp->key);
	kp->key = NULL;
}

int dh_exchange(
    uint16_t group, struct wire_span peer_pub, struct dh_result *out)
{
	struct dh_keypair kp;
	int err = dh_generate(group, &kp, out);

	if (err)
		return err;
	err = dh_derive(&kp, peer_pub, out);
	dh_keypair_done(&kp);
	return err;
}

int dh_keygen(uint16_t group, struct dh_result *out)
{
	struct dh_keypair kp;
	BIGNUM *priv = NULL;
	int err = dh_generate(group, &kp, out);

	if (err)
		return err;
	if (!EVP_PKEY_get_bn_param(kp.key, OSSL_PKEY_PARAM_PRIV_KEY, &priv) ||
	    BN_num_bytes(priv) > (int)sizeof(out->shared))
		err = -EIO;
	else
		out->shared_len = (size_t)BN_bn2bin(priv, out->shared);
	BN_clear_free(priv);
	dh_keypair_done(&kp);
	return err;
}

int dh_finish(uint16_t group, struct wire_span priv, struct wire_span peer_pub,
    struct dh_result *out)
{
	const struct group_row *row = group_row(group);
	struct dh_keypair kp = {.group = group};
	BIGNUM *exponent;
	int err;

	if (!row)
		return -ENOTSUP;
	if (!priv.len || priv.len > IKE_DH_MAX)
		return -EINVAL;
	exponent = BN_secure_new();
	if (!exponent || !BN_bin2bn(priv.data, (int)priv.len, exponent))
		err = -EIO;
	else if (BN_is_zero(exponent))
		err = -EINVAL;
	else {
		kp.key = key_of(row, exponent);
		err = kp.key ? dh_derive(&kp, peer_pub, out) : -EINVAL;
	}
	ERR_clear_error();
	BN_clear_free(exponent);
	dh_keypair_done(&kp);
	return err;
}

int dh_prepare(void)
{
	static const uint16_t cheap[] = {IKE_GROUP_ECP256, IKE_GROUP_MODP2048};
	struct dh_result ours, theirs;
	struct dh_keypair kp;
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(cheap) / sizeof(cheap[0]); i++) {
		err = dh_generate(cheap[i], &kp, &ours);
		if (!err)
			err = dh_exchange(cheap[i],
			    wire_span_of(ours.pub, ours.pub_len), &theirs);
		dh_keypair_done(&kp);
	}
	secret_wipe(&theirs, sizeof(theirs));
	return err;
}
