/* SPDX-License-Identifier: ISC */
/*
 * Diffie-Hellman over OpenSSL's BN and EC; the contract is in the header.
 *
 * The same functions that lie under the library's EVP, called with a private
 * value that is only here: BN_mod_exp_mont_consttime() for MODP groups;
 * EC_POINT_mul(), which is constant time for one scalar, for curves.  EVP
 * would add some 40 us of objects and lookups to each exchange.
 */
#include "ikev1/dh.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/algs.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define POINT_UNCOMPRESSED 4 /* SEC 1 section 2.3.3; IKE leaves it out */
#define POINT_MAX (1 + 132)  /* the tag and both halves of P-521 */
#define GENERATOR 2	     /* of every MODP group: RFC 2409, RFC 3526 */

struct group_row {
	uint16_t number;
	int curve; /* NID; 0: a MODP group */
	BIGNUM *(*prime)(BIGNUM *);
	/* Of a MODP group's private value, bits: twice what the group is
	 * worth (SP 800-56A appendix D), as the library's own named groups. */
	int private_bits;
};

static const struct group_row group_rows[] = {
    {IKE_GROUP_ECP256, NID_X9_62_prime256v1, NULL, 0},
    {IKE_GROUP_MODP2048, 0, BN_get_rfc3526_prime_2048, 225},
    {IKE_GROUP_ECP384, NID_secp384r1, NULL, 0},
    {IKE_GROUP_MODP3072, 0, BN_get_rfc3526_prime_3072, 275},
    {IKE_GROUP_MODP4096, 0, BN_get_rfc3526_prime_4096, 325},
    {IKE_GROUP_ECP521, NID_secp521r1, NULL, 0},
    {IKE_GROUP_MODP1536, 0, BN_get_rfc3526_prime_1536, 200},
    {IKE_GROUP_MODP1024, 0, BN_get_rfc2409_prime_1024, 256},
};

#define GROUPS (sizeof(group_rows) / sizeof(group_rows[0]))

/* What the library wants to know of a group; public, never changed. */
struct dh_group {
	const struct group_row *row;
	EC_GROUP *curve;      /* or NULL, and the rest */
	BIGNUM *g, *p, *last; /* last: p - 1 */
	BN_MONT_CTX *mont;
};

struct dh {
	struct dh_group group[GROUPS];
};

/* What one call works with. */
struct run {
	const struct alg_group *alg;
	const struct dh_group *group;
	struct dh_group own;	/* that is it, without a struct dh */
	struct dh_seeds *seeds; /* NULL: none */
	BN_CTX *bn;		/* holds secrets: freed with the call */
};

/* --- groups -------------------------------------------------------------- */

static void group_done(struct dh_group *g)
{
	EC_GROUP_free(g->curve);
	BN_free(g->g);
	BN_free(g->p);
	BN_free(g->last);
	BN_MONT_CTX_free(g->mont);
	*g = (struct dh_group){0};
}

static bool group_init(
    struct dh_group *g, const struct group_row *row, BN_CTX *bn)
{
	*g = (struct dh_group){.row = row};
	if (row->curve) {
		g->curve = EC_GROUP_new_by_curve_name(row->curve);
		return g->curve;
	}
	g->g = BN_new();
	g->p = row->prime(NULL);
	g->last = g->p ? BN_dup(g->p) : NULL;
	g->mont = BN_MONT_CTX_new();
	return g->g && g->last && g->mont && BN_set_word(g->g, GENERATOR) &&
	       BN_sub_word(g->last, 1) && BN_MONT_CTX_set(g->mont, g->p, bn);
}

struct dh *dh_new(void)
{
	struct dh *d = xcalloc(1, sizeof(*d));
	BN_CTX *bn = BN_CTX_new();
	bool ok = bn;

	for (size_t i = 0; ok && i < GROUPS; i++)
		ok = group_init(&d->group[i], &group_rows[i], bn);
	BN_CTX_free(bn);
	if (ok)
		return d;
	ERR_clear_error();
	dh_free(d);
	return NULL;
}

void dh_free(struct dh *d)
{
	for (size_t i = 0; d && i < GROUPS; i++)
		group_done(&d->group[i]);
	free(d);
}

/* --- one call ------------------------------------------------------------ */

static int run_init(struct run *r, const struct dh *d, uint16_t number)
{
	size_t i = 0;

	*r = (struct run){.alg = alg_group(number)};
	while (i < GROUPS && group_rows[i].number != number)
		i++;
	if (!r->alg || i == GROUPS)
		return -ENOTSUP;
	r->bn = BN_CTX_new();
	if (!r->bn)
		return -EIO;
	r->group = d ? &d->group[i] : &r->own;
	return d || group_init(&r->own, &group_rows[i], r->bn) ? 0 : -EIO;
}

/* The call's answer; what failed leaves nothing behind. */
static int run_done(struct run *r, int err, struct dh_result *out)
{
	group_done(&r->own);
	BN_CTX_free(r->bn); /* wipes */
	if (err) {
		ERR_clear_error();
		secret_wipe(out->shared, sizeof(out->shared));
	}
	return err;
}

/* As many bits as order has, from seeds; they may be too large. */
static bool from_seeds(struct dh_seeds *s, const BIGNUM *order, BIGNUM *out)
{
	int bits = BN_num_bits(order), len = (bits + 7) / 8;
	uint8_t *at;
	bool ok;

	if (s->left < (size_t)len) {
		if (RAND_priv_bytes(s->bytes, sizeof(s->bytes)) != 1)
			return false;
		s->left = sizeof(s->bytes);
	}
	at = s->bytes + sizeof(s->bytes) - s->left;
	at[0] &= (uint8_t)(0xff >> (8 * len - bits));
	ok = BN_bin2bn(at, len, out);
	secret_wipe(at, (size_t)len);
	s->left -= (size_t)len;
	return ok;
}

/* 1 to the order - 1, each as likely as any other: what does not fit is
 * not cut down but drawn again. */
static bool draw_scalar(const struct run *r, BIGNUM *out)
{
	const BIGNUM *order = EC_GROUP_get0_order(r->group->curve);
	bool ok;

	if (!r->seeds)
		return BN_priv_rand_range(out, order);
	do
		ok = from_seeds(r->seeds, order, out);
	while (ok && BN_cmp(out, order) >= 0);
	return ok;
}

/* A fresh private value: 1 to the order - 1, or of so many bits. */
static BIGNUM *fresh_private(const struct run *r)
{
	const struct dh_group *g = r->group;
	BIGNUM *priv = BN_secure_new();
	bool ok = priv;

	while (ok && BN_is_zero(priv))
		ok = g->curve ? draw_scalar(r, priv)
			      : BN_priv_rand(priv, g->row->private_bits,
				    BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
	if (ok) {
		BN_set_flags(priv, BN_FLG_CONSTTIME);
		return priv;
	}
	BN_clear_free(priv);
	return NULL;
}

/* One that was fresh once.  0 or -errno. */
static int saved_private(
    const struct run *r, struct wire_span bytes, BIGNUM **out)
{
	const struct dh_group *g = r->group;

	*out = NULL;
	if (!bytes.len || bytes.len > IKE_DH_MAX)
		return -EINVAL;
	*out = BN_secure_new();
	if (!*out || !BN_bin2bn(bytes.data, (int)bytes.len, *out))
		return -EIO;
	if (BN_is_zero(*out) ||
	    (g->curve ? BN_cmp(*out, EC_GROUP_get0_order(g->curve)) >= 0
		      : BN_num_bits(*out) > g->row->private_bits))
		return -EINVAL;
	BN_set_flags(*out, BN_FLG_CONSTTIME);
	return 0;
}

/* --- MODP groups --------------------------------------------------------- */

/* out (the group's length) = base^priv. */
static int modp_power(
    const struct run *r, const BIGNUM *base, const BIGNUM *priv, uint8_t *out)
{
	const struct dh_group *g = r->group;
	int len = r->alg->pub_len, err = -EIO;
	BIGNUM *power;

	BN_CTX_start(r->bn);
	power = BN_CTX_get(r->bn);
	if (power &&
	    BN_mod_exp_mont_consttime(
		power, base, priv, g->p, r->bn, g->mont) &&
	    BN_bn2binpad(power, out, len) == len)
		err = 0;
	BN_CTX_end(r->bn);
	return err;
}

/* 1 < value < p - 1: others give an attacker's secret away or none. */
static int modp_shared(
    const struct run *r, const BIGNUM *priv, struct wire_span pub, uint8_t *out)
{
	BIGNUM *value;
	int err = -EIO;

	BN_CTX_start(r->bn);
	value = BN_CTX_get(r->bn);
	if (value && BN_bin2bn(pub.data, (int)pub.len, value))
		err = BN_is_zero(value) || BN_is_one(value) ||
			      BN_cmp(value, r->group->last) >= 0
			  ? -EINVAL
			  : modp_power(r, value, priv, out);
	BN_CTX_end(r->bn);
	return err;
}

/* --- curves -------------------------------------------------------------- */

/* x, and y unless it is NULL: RFC 5903 section 7, each half the length of
 * a public value. */
static int put_point(
    const struct run *r, const EC_POINT *point, uint8_t *x, uint8_t *y)
{
	int half = r->alg->pub_len / 2, err = -EIO;
	BIGNUM *bx, *by;

	BN_CTX_start(r->bn);
	bx = BN_CTX_get(r->bn);
	by = BN_CTX_get(r->bn);
	if (by &&
	    EC_POINT_get_affine_coordinates(
		r->group->curve, point, bx, y ? by : NULL, r->bn) &&
	    BN_bn2binpad(bx, x, half) == half &&
	    (!y || BN_bn2binpad(by, y, half) == half))
		err = 0;
	BN_CTX_end(r->bn);
	return err;
}

static int curve_public(const struct run *r, const BIGNUM *priv, uint8_t *out)
{
	const EC_GROUP *curve = r->group->curve;
	EC_POINT *point = EC_POINT_new(curve);
	int err = -EIO;

	if (point && EC_POINT_mul(curve, point, priv, NULL, NULL, r->bn))
		err = put_point(r, point, out, out + r->alg->pub_len / 2);
	EC_POINT_free(point);
	return err;
}

/*
 * Reading the point checks that x and y are below the field's prime and that
 * it is on the curve; the point at infinity can't be written this way.  The
 * cofactor of each of these curves is 1, so that this is the whole check of
 * a public value: RFC 6989 section 2.3.  (SP 800-56A section 5.6.2.3.4.)
 */
static int curve_shared(
    const struct run *r, const BIGNUM *priv, struct wire_span pub, uint8_t *out)
{
	const EC_GROUP *curve = r->group->curve;
	EC_POINT *peer = EC_POINT_new(curve), *shared = EC_POINT_new(curve);
	uint8_t bytes[POINT_MAX] = {POINT_UNCOMPRESSED};
	int err = -EIO;

	memcpy(bytes + 1, pub.data, pub.len);
	if (peer && shared) {
		if (!EC_POINT_oct2point(curve, peer, bytes, pub.len + 1, r->bn))
			err = -EINVAL;
		else if (EC_POINT_mul(curve, shared, NULL, peer, priv, r->bn))
			err = put_point(r, shared, out, NULL);
	}
	EC_POINT_free(peer);
	EC_POINT_clear_free(shared);
	return err;
}

/* --- both ---------------------------------------------------------------- */

static int put_public(
    const struct run *r, const BIGNUM *priv, struct dh_result *out)
{
	out->pub_len = r->alg->pub_len;
	return r->group->curve ? curve_public(r, priv, out->pub)
			       : modp_power(r, r->group->g, priv, out->pub);
}

static int put_shared(const struct run *r, const BIGNUM *priv,
    struct wire_span peer_pub, struct dh_result *out)
{
	if (peer_pub.len != r->alg->pub_len)
		return -EINVAL;
	out->shared_len = r->alg->shared_len;
	return (r->group->curve ? curve_shared : modp_shared)(
	    r, priv, peer_pub, out->shared);
}

int dh_exchange_seeded(const struct dh *d, struct dh_seeds *seeds,
    uint16_t group, struct wire_span peer_pub, struct dh_result *out)
{
	BIGNUM *priv = NULL;
	struct run r;
	int err = run_init(&r, d, group);

	r.seeds = seeds;
	if (!err && !(priv = fresh_private(&r)))
		err = -EIO;
	if (!err)
		err = put_shared(&r, priv, peer_pub, out);
	if (!err)
		err = put_public(&r, priv, out);
	BN_clear_free(priv);
	return run_done(&r, err, out);
}

int dh_exchange(const struct dh *d, uint16_t group, struct wire_span peer_pub,
    struct dh_result *out)
{
	return dh_exchange_seeded(d, NULL, group, peer_pub, out);
}

int dh_keygen(const struct dh *d, uint16_t group, struct dh_result *out)
{
	BIGNUM *priv = NULL;
	struct run r;
	int len, err = run_init(&r, d, group);

	if (!err && !(priv = fresh_private(&r)))
		err = -EIO;
	if (!err)
		err = put_public(&r, priv, out);
	if (!err) {
		len = BN_num_bytes(priv);
		out->shared_len = (size_t)len;
		if (BN_bn2binpad(priv, out->shared, len) != len)
			err = -EIO;
	}
	BN_clear_free(priv);
	return run_done(&r, err, out);
}

int dh_finish(const struct dh *d, uint16_t group, struct wire_span priv,
    struct wire_span peer_pub, struct dh_result *out)
{
	BIGNUM *value = NULL;
	struct run r;
	int err = run_init(&r, d, group);

	if (!err)
		err = saved_private(&r, priv, &value);
	if (!err)
		err = put_shared(&r, value, peer_pub, out);
	BN_clear_free(value);
	return run_done(&r, err, out);
}

int dh_prepare(void)
{
	static const uint16_t cheap[] = {IKE_GROUP_ECP256, IKE_GROUP_MODP2048};
	struct dh_result ours, theirs;
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(cheap) / sizeof(cheap[0]); i++) {
		err = dh_keygen(NULL, cheap[i], &ours);
		if (!err)
			err = dh_exchange(NULL, cheap[i],
			    wire_span_of(ours.pub, ours.pub_len), &theirs);
	}
	secret_wipe(&ours, sizeof(ours));
	secret_wipe(&theirs, sizeof(theirs));
	return err;
}
