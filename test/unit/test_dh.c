/* SPDX-License-Identifier: ISC */
/* Diffie-Hellman: RFC 5903's numbers, padding, invalid public values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/algs.h"
#include "ikev1/dh.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

static const uint16_t all_groups[] = {IKE_GROUP_MODP1024, IKE_GROUP_MODP1536,
    IKE_GROUP_MODP2048, IKE_GROUP_MODP3072, IKE_GROUP_MODP4096,
    IKE_GROUP_ECP256, IKE_GROUP_ECP384, IKE_GROUP_ECP521};

/* RFC 5903 section 8.1. */
#define RFC5903_I                                                              \
	"c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433"
#define RFC5903_GI                                                             \
	"dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"     \
	"5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3"
#define RFC5903_R                                                              \
	"c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53"
#define RFC5903_GR                                                             \
	"d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"     \
	"56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab"
#define RFC5903_GIR                                                            \
	"d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"

/* The private value as bytes: saved, given back, the same secret. */
static void halves_agree_with_a_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(all_groups) / sizeof(all_groups[0]);
	     i++) {
		struct dh_result half, other, out;
		struct wire_span priv;

		assert_int_equal(dh_keygen(NULL, all_groups[i], &half), 0);
		assert_true(half.shared_len > 0);
		assert_int_equal(
		    dh_exchange(NULL, all_groups[i],
			wire_span_of(half.pub, half.pub_len), &other),
		    0);
		priv = wire_span_of(half.shared, half.shared_len);
		assert_int_equal(
		    dh_finish(NULL, all_groups[i], priv,
			wire_span_of(other.pub, other.pub_len), &out),
		    0);
		assert_int_equal(out.shared_len, other.shared_len);
		assert_memory_equal(out.shared, other.shared, out.shared_len);
		assert_memory_not_equal(half.pub, other.pub, half.pub_len);
		/* The peer's value is checked here as well. */
		assert_int_equal(
		    dh_finish(NULL, all_groups[i], priv,
			wire_span_of(other.pub, other.pub_len - 1), &out),
		    -EINVAL);
		memset(other.pub, 0, other.pub_len);
		assert_int_equal(
		    dh_finish(NULL, all_groups[i], priv,
			wire_span_of(other.pub, other.pub_len), &out),
		    -EINVAL);
	}
}

/* RFC 5903 sections 8.1 to 8.3: i, gr and gir; r and gi give gir too. */
static void finish_matches_rfc5903(void **state)
{
	static const struct {
		uint16_t group;
		const char *i, *gi, *r, *gr, *gir;
	} rows[] = {
	    {IKE_GROUP_ECP256, RFC5903_I, RFC5903_GI, RFC5903_R, RFC5903_GR,
		RFC5903_GIR},
	    {IKE_GROUP_ECP384,
		"099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b674"
		"14dce655e35b538041e649ee3faef896783ab194",
		"667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72"
		"b4c55ee6de3ac808acb4bdb4c88732aee95f41aa"
		"9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada0241815"
		"35a0f38eeb9fcff3c2c947dae69b4c634573a81c",
		"41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bd"
		"a0aa2942e0308312916b8ed2960e4bd55a7448fc",
		"e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa417"
		"32bc509d0d1ac43a0336def96fda41d0774a3571"
		"dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68"
		"759dd1fff83fa40142209dff5eaad96db9e6386c",
		"11187331c279962d93d604243fd592cb9d0a926f422e47187521287e"
		"7156c5c4d603135569b9e9d09cf5d4a270f59746"},
	    {IKE_GROUP_ECP521,
		"0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47"
		"608172a095aa85a30fe1c2952c6771d937ba9777f5957b2639bab072"
		"462f68c27a57382d4a52",
		"0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab43"
		"57c9ecbee1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4"
		"601723c4195d176ced3e"
		"017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d"
		"7cb4a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f150743"
		"8bf01beb6ca3926f9582",
		"0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f07"
		"8380201e9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4"
		"effc311f5cb151685eb9",
		"00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e57"
		"39735a219b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433c"
		"ed2b6171640012d9460f"
		"015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d98"
		"52077b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f473229"
		"6579ab44fcd17f0fc56a",
		"01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6"
		"b2d79b04d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151"
		"f2bee417996d19f3ddea"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hex priv, peer;
		struct dh_result out;

		assert_int_equal(
		    dh_finish(NULL, rows[i].group, hex_decode(&priv, rows[i].i),
			hex_decode(&peer, rows[i].gr), &out),
		    0);
		assert_true(hex_equal(out.shared, out.shared_len, rows[i].gir));
		assert_int_equal(
		    dh_finish(NULL, rows[i].group, hex_decode(&priv, rows[i].r),
			hex_decode(&peer, rows[i].gi), &out),
		    0);
		assert_true(hex_equal(out.shared, out.shared_len, rows[i].gir));
	}
}

/* Small exponents: g^x is known, and so is the secret with g^1. */
static void modp_groups_have_generator_2(void **state)
{
	static const uint16_t groups[] = {IKE_GROUP_MODP1024,
	    IKE_GROUP_MODP1536, IKE_GROUP_MODP2048, IKE_GROUP_MODP3072,
	    IKE_GROUP_MODP4096};
	static const uint8_t priv[] = {9};

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		size_t len = alg_group(groups[i])->pub_len;
		uint8_t two[IKE_DH_MAX] = {0};
		struct dh_result out;

		two[len - 1] = 2;
		assert_int_equal(
		    dh_finish(NULL, groups[i], (struct wire_span){priv, 1},
			wire_span_of(two, len), &out),
		    0);
		assert_int_equal(out.shared_len, len);
		two[len - 1] = 0;
		two[len - 2] = 2; /* 2^9 */
		assert_memory_equal(out.shared, two, len);
	}
}

/* RFC 2409 section 6.2: p = 2^1024 - 2^960 - 1 + 2^64 * { [2^894 pi] +
 * 129093 }: its first and last 64 bits are ones, and it is not skipped. */
static void modp1024_refuses_invalid_values(void **state)
{
	BIGNUM *bn = BN_get_rfc2409_prime_1024(NULL);
	struct dh_result out;
	uint8_t p[128];

	(void)state;
	assert_int_equal(BN_bn2binpad(bn, p, 128), 128);
	BN_free(bn);
	assert_true(hex_equal(p, 16, "ffffffffffffffffc90fdaa22168c234"));
	for (int below = 0; below < 2; below++) {
		assert_int_equal(dh_exchange(NULL, IKE_GROUP_MODP1024,
				     wire_span_of(p, 128), &out),
		    -EINVAL);
		p[127]--;
	}
	assert_int_equal(
	    dh_exchange(NULL, IKE_GROUP_MODP1024, wire_span_of(p, 128), &out),
	    0);
	assert_int_equal(
	    dh_exchange(NULL, IKE_GROUP_MODP1024, wire_span_of(p, 127), &out),
	    -EINVAL);
}

static void odd_private_values_are_refused(void **state)
{
	static const uint8_t zero[IKE_DH_MAX + 1];
	struct dh_result out;
	struct hex peer;

	(void)state;
	hex_decode(&peer, RFC5903_GR);
	for (size_t len = 0; len <= sizeof(zero); len += 27)
		assert_int_equal(
		    dh_finish(NULL, IKE_GROUP_ECP256, wire_span_of(zero, len),
			wire_span_of(peer.data, peer.len), &out),
		    -EINVAL);
	assert_int_equal(dh_finish(NULL, 99, wire_span_of(peer.data, 32),
			     wire_span_of(peer.data, peer.len), &out),
	    -ENOTSUP);
	assert_int_equal(dh_keygen(NULL, 99, &out), -ENOTSUP);
}

/*
 * One in 256 secrets starts with a zero byte; both ends must keep it.
 */
static void a_leading_zero_stays(void **state)
{
	struct dh *d = dh_new();
	bool is_seen = false;

	(void)state;
	for (int i = 0; i < 5000 && !is_seen; i++) {
		struct dh_result a, b, out;

		assert_int_equal(dh_keygen(d, IKE_GROUP_ECP256, &a), 0);
		assert_int_equal(dh_exchange(d, IKE_GROUP_ECP256,
				     wire_span_of(a.pub, a.pub_len), &b),
		    0);
		assert_int_equal(b.shared_len, 32);
		if (b.shared[0])
			continue;
		is_seen = true;
		assert_int_equal(dh_finish(d, IKE_GROUP_ECP256,
				     wire_span_of(a.shared, a.shared_len),
				     wire_span_of(b.pub, 64), &out),
		    0);
		assert_memory_equal(out.shared, b.shared, 32);
	}
	assert_true(is_seen);
	dh_free(d);
}

/* g = 2 as the peer's value: our own public value is then the secret, and
 * both have the group's length. */
static void modp_takes_two(void **state)
{
	uint8_t two[256] = {0};
	struct dh_result out;

	(void)state;
	two[255] = 2;
	assert_int_equal(
	    dh_exchange(NULL, IKE_GROUP_MODP2048, wire_span_of(two, 256), &out),
	    0);
	assert_int_equal(out.pub_len, 256);
	assert_int_equal(out.shared_len, 256);
	assert_memory_equal(out.pub, out.shared, 256);
}

/* RFC 3526 section 3: the prime of group 14. */
static void modp2048_prime(uint8_t p[256])
{
	BIGNUM *bn = BN_get_rfc3526_prime_2048(NULL);

	assert_int_equal(BN_bn2binpad(bn, p, 256), 256);
	BN_free(bn);
}

static int exchange_modp2048(const uint8_t *pub, size_t len)
{
	struct dh_result out;

	return dh_exchange(
	    NULL, IKE_GROUP_MODP2048, wire_span_of(pub, len), &out);
}

static void modp_refuses_invalid_values(void **state)
{
	uint8_t v[257] = {0}, p[256];

	(void)state;
	assert_int_equal(exchange_modp2048(v, 256), -EINVAL); /* 0 */
	v[255] = 1;
	assert_int_equal(exchange_modp2048(v, 256), -EINVAL); /* 1 */
	modp2048_prime(p);
	assert_int_equal(exchange_modp2048(p, 256), -EINVAL); /* p */
	p[255]--;
	assert_int_equal(exchange_modp2048(p, 256), -EINVAL); /* p - 1 */
	p[255]--;
	assert_int_equal(exchange_modp2048(p, 256), 0); /* p - 2 */
	memset(p, 0xff, sizeof(p));
	assert_int_equal(exchange_modp2048(p, 256), -EINVAL); /* > p */
	memset(v, 0x55, sizeof(v));
	assert_int_equal(exchange_modp2048(v, 255), -EINVAL);
	assert_int_equal(exchange_modp2048(v, 257), -EINVAL);
	assert_int_equal(exchange_modp2048(v, 0), -EINVAL);
}

/* 0, 1, p - 1 and p in every group, whichever its length. */
static void every_modp_group_refuses_them(void **state)
{
	static const struct {
		uint16_t group;
		BIGNUM *(*prime)(BIGNUM *);
	} rows[] = {
	    {IKE_GROUP_MODP1024, BN_get_rfc2409_prime_1024},
	    {IKE_GROUP_MODP1536, BN_get_rfc3526_prime_1536},
	    {IKE_GROUP_MODP2048, BN_get_rfc3526_prime_2048},
	    {IKE_GROUP_MODP3072, BN_get_rfc3526_prime_3072},
	    {IKE_GROUP_MODP4096, BN_get_rfc3526_prime_4096},
	};
	struct dh *d = dh_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int len = alg_group(rows[i].group)->pub_len;
		BIGNUM *p = rows[i].prime(NULL);
		uint8_t v[IKE_DH_MAX] = {0};
		struct wire_span pub = wire_span_of(v, (size_t)len);
		struct dh_result out;

		assert_int_equal(
		    dh_exchange(d, rows[i].group, pub, &out), -EINVAL);
		v[len - 1] = 1;
		assert_int_equal(
		    dh_exchange(d, rows[i].group, pub, &out), -EINVAL);
		assert_int_equal(BN_bn2binpad(p, v, len), len);
		assert_int_equal(
		    dh_exchange(d, rows[i].group, pub, &out), -EINVAL);
		v[len - 1]--; /* p is odd */
		assert_int_equal(
		    dh_exchange(d, rows[i].group, pub, &out), -EINVAL);
		v[len - 1]--;
		assert_int_equal(dh_exchange(d, rows[i].group, pub, &out), 0);
		BN_free(p);
	}
	dh_free(d);
}

static int exchange_ecp256(const uint8_t *pub, size_t len)
{
	struct dh_result out;

	return dh_exchange(
	    NULL, IKE_GROUP_ECP256, wire_span_of(pub, len), &out);
}

static void ecp_refuses_invalid_points(void **state)
{
	uint8_t with_tag[65] = {4};
	struct hex p;

	(void)state;
	hex_decode(&p, RFC5903_GR);
	assert_int_equal(exchange_ecp256(p.data, 64), 0);
	p.data[63] ^= 1; /* off the curve */
	assert_int_equal(exchange_ecp256(p.data, 64), -EINVAL);
	p.data[63] ^= 1;
	assert_int_equal(exchange_ecp256(p.data, 63), -EINVAL);
	memcpy(with_tag + 1, p.data, 64);
	assert_int_equal(exchange_ecp256(with_tag, 65), -EINVAL);
	memset(p.data, 0, 64);
	assert_int_equal(exchange_ecp256(p.data, 64), -EINVAL);
	memset(p.data, 0xff, 64); /* beyond the field */
	assert_int_equal(exchange_ecp256(p.data, 64), -EINVAL);
}

struct curve_row {
	uint16_t group;
	int nid;
};

static const struct curve_row curves[] = {
    {IKE_GROUP_ECP256, NID_X9_62_prime256v1},
    {IKE_GROUP_ECP384, NID_secp384r1},
    {IKE_GROUP_ECP521, NID_secp521r1},
};

/* A point whose x is so small that x + p fits as well. */
static void small_point(EC_GROUP *curve, BIGNUM *x, BIGNUM *y)
{
	EC_POINT *point = EC_POINT_new(curve);

	assert_true(BN_set_word(x, 1));
	while (!EC_POINT_set_compressed_coordinates(curve, point, x, 0, NULL))
		assert_true(BN_add_word(x, 1));
	assert_true(EC_POINT_get_affine_coordinates(curve, point, x, y, NULL));
	EC_POINT_free(point);
}

static int try_point(
    uint16_t group, const BIGNUM *x, const BIGNUM *y, struct dh_result *out)
{
	int len = alg_group(group)->pub_len, half = len / 2;
	uint8_t pub[IKE_DH_MAX];

	assert_int_equal(BN_bn2binpad(x, pub, half), half);
	assert_int_equal(BN_bn2binpad(y, pub + half, half), half);
	return dh_exchange(NULL, group, wire_span_of(pub, (size_t)len), out);
}

/* The same point modulo p is not the same public value: RFC 6989 2.3. */
static void coordinates_are_below_the_prime(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		EC_GROUP *curve = EC_GROUP_new_by_curve_name(curves[i].nid);
		const BIGNUM *p = EC_GROUP_get0_field(curve);
		BIGNUM *x = BN_new(), *y = BN_new();
		struct dh_result out;

		small_point(curve, x, y);
		assert_int_equal(try_point(curves[i].group, x, y, &out), 0);
		assert_int_equal(
		    out.pub_len, alg_group(curves[i].group)->pub_len);
		assert_true(BN_add(x, x, p));
		assert_int_equal(
		    try_point(curves[i].group, x, y, &out), -EINVAL);
		assert_true(BN_sub(x, x, p));
		assert_true(BN_sub(y, p, y)); /* its inverse is one, too */
		assert_int_equal(try_point(curves[i].group, x, y, &out), 0);
		assert_true(BN_add_word(y, 1));
		assert_int_equal(
		    try_point(curves[i].group, x, y, &out), -EINVAL);
		BN_free(x);
		BN_free(y);
		EC_GROUP_free(curve);
	}
}

/* 1 to the order - 1; the order itself would give the point at infinity. */
static void private_values_are_below_the_order(void **state)
{
	struct dh *d = dh_new();

	(void)state;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		EC_GROUP *curve = EC_GROUP_new_by_curve_name(curves[i].nid);
		struct wire_span priv, pub;
		struct dh_result peer, out;
		uint8_t n[IKE_DH_MAX];

		assert_int_equal(dh_keygen(d, curves[i].group, &peer), 0);
		pub = wire_span_of(peer.pub, peer.pub_len);
		priv = wire_span_of(
		    n, (size_t)BN_bn2bin(EC_GROUP_get0_order(curve), n));
		assert_int_equal(
		    dh_finish(d, curves[i].group, priv, pub, &out), -EINVAL);
		n[priv.len - 1]--; /* odd: -1, which negates y alone */
		assert_int_equal(
		    dh_finish(d, curves[i].group, priv, pub, &out), 0);
		assert_int_equal(out.shared_len, peer.pub_len / 2);
		assert_memory_equal(out.shared, peer.pub, out.shared_len);
		n[priv.len - 1] = (uint8_t)(n[priv.len - 1] + 2); /* n + 1 */
		assert_int_equal(
		    dh_finish(d, curves[i].group, priv, pub, &out), -EINVAL);
		EC_GROUP_free(curve);
	}
	dh_free(d);
}

/* A MODP group's private value is short, and never longer than that. */
static void modp_private_values_have_a_length(void **state)
{
	static const struct {
		uint16_t group;
		size_t bits;
	} rows[] = {{IKE_GROUP_MODP1024, 256}, {IKE_GROUP_MODP1536, 200},
	    {IKE_GROUP_MODP2048, 225}, {IKE_GROUP_MODP3072, 275},
	    {IKE_GROUP_MODP4096, 325}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t most[IKE_DH_MAX];
		size_t len = (rows[i].bits + 7) / 8;
		struct wire_span priv = {most, len}, pub;
		struct dh_result peer, out;

		memset(most, 0xff, sizeof(most));
		most[0] = (uint8_t)(0xff >> (8 * len - rows[i].bits));
		assert_int_equal(dh_keygen(NULL, rows[i].group, &peer), 0);
		assert_true(
		    peer.shared_len <= len && peer.shared_len > len - 8);
		pub = wire_span_of(peer.pub, peer.pub_len);
		assert_int_equal(
		    dh_finish(NULL, rows[i].group, priv, pub, &out), 0);
		most[0] = (uint8_t)(2 * most[0] + 1);
		if (most[0] == 0xff)
			priv.len++;
		assert_int_equal(
		    dh_finish(NULL, rows[i].group, priv, pub, &out), -EINVAL);
	}
}

static void unknown_groups_are_refused(void **state)
{
	static const uint16_t groups[] = {0, IKE_GROUP_MODP768,
	    IKE_GROUP_MODP8192, IKE_GROUP_MODP2048S256, 999};
	uint8_t pub[256] = {2};
	struct dh_result out;

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		assert_int_equal(
		    dh_exchange(NULL, groups[i], wire_span_of(pub, 256), &out),
		    -ENOTSUP);
		assert_int_equal(dh_keygen(NULL, groups[i], &out), -ENOTSUP);
	}
	assert_int_equal(dh_finish(NULL, 0, wire_span_of(pub, 1),
			     wire_span_of(pub, 256), &out),
	    -ENOTSUP);
	assert_int_equal(dh_prepare(), 0);
}

/* A seed that is the order or more, or zero, is drawn again, not cut down;
 * what was given out is gone, and an empty store is filled. */
static void seeds_are_private_values(void **state)
{
	struct dh_seeds seeds;
	struct dh_result out, again;
	struct hex gi, r;
	uint8_t none[96] = {0};
	uint8_t *at = seeds.bytes + sizeof(seeds.bytes) - sizeof(none);

	(void)state;
	memset(&seeds, 0xee, sizeof(seeds));
	seeds.left = sizeof(none);
	hex_decode(&gi, RFC5903_GI);
	hex_decode(&r, RFC5903_R);
	memset(at, 0xff, 32);
	memset(at + 32, 0, 32);
	memcpy(at + 64, r.data, 32);
	assert_int_equal(dh_exchange_seeded(NULL, &seeds, IKE_GROUP_ECP256,
			     wire_span_of(gi.data, 64), &out),
	    0);
	assert_true(hex_equal(out.pub, 64, RFC5903_GR));
	assert_true(hex_equal(out.shared, 32, RFC5903_GIR));
	assert_int_equal(seeds.left, 0);
	assert_memory_equal(at, none, sizeof(none));
	assert_int_equal(dh_exchange_seeded(NULL, &seeds, IKE_GROUP_ECP256,
			     wire_span_of(gi.data, 64), &again),
	    0);
	assert_int_equal(seeds.left, sizeof(seeds.bytes) - 32);
	assert_memory_not_equal(out.pub, again.pub, 64);
}

/* The bits that P-521's order has not are no reason to draw again. */
static void a_seed_has_as_many_bits_as_the_order(void **state)
{
	struct dh_seeds seeds = {.left = 66};
	struct dh_result half, seeded;

	(void)state;
	assert_int_equal(dh_keygen(NULL, IKE_GROUP_ECP521, &half), 0);
	seeds.bytes[sizeof(seeds.bytes) - 66] = 0xfe;
	seeds.bytes[sizeof(seeds.bytes) - 1] = 1;
	assert_int_equal(dh_exchange_seeded(NULL, &seeds, IKE_GROUP_ECP521,
			     wire_span_of(half.pub, half.pub_len), &seeded),
	    0);
	assert_int_equal(seeds.left, 0);
	/* 1 * the peer's value is the peer's value. */
	assert_memory_equal(seeded.shared, half.pub, seeded.shared_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(halves_agree_with_a_whole),
	    cmocka_unit_test(finish_matches_rfc5903),
	    cmocka_unit_test(modp_groups_have_generator_2),
	    cmocka_unit_test(modp1024_refuses_invalid_values),
	    cmocka_unit_test(odd_private_values_are_refused),
	    cmocka_unit_test(a_leading_zero_stays),
	    cmocka_unit_test(modp_takes_two),
	    cmocka_unit_test(modp_refuses_invalid_values),
	    cmocka_unit_test(ecp_refuses_invalid_points),
	    cmocka_unit_test(every_modp_group_refuses_them),
	    cmocka_unit_test(coordinates_are_below_the_prime),
	    cmocka_unit_test(private_values_are_below_the_order),
	    cmocka_unit_test(modp_private_values_have_a_length),
	    cmocka_unit_test(unknown_groups_are_refused),
	    cmocka_unit_test(seeds_are_private_values),
	    cmocka_unit_test(a_seed_has_as_many_bits_as_the_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
