/* SPDX-License-Identifier: ISC */
/* Tries a message 5 with each of several keys. */
#include "ikev1/core/trial.h"

#include "common/secret.h"
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/keymat.h"

#include <errno.h>
#include <string.h>

enum rank {
	RANK_NONE,
	RANK_OTHER_ID, /* HASH_I is right, but the key is for another ID */
	RANK_FITS,
};

/* The bodies of the two payloads that matter. */
struct opened {
	struct wire_span id, hash;
};

/*
 * The ID in front and the first HASH behind it.  This runs as root: so it
 * is not the engine's decoder (isakmp_msg.c), which knows every payload and
 * writes reasons, but these few lines over common/wire.h's cursor.  Nothing
 * is read but generic headers, and nothing behind the HASH; whether the
 * message is right in all else is the engine's to see, once it has the key.
 * False when the two are not there.
 */
static bool find_payloads(struct wire_span plain, struct opened *out)
{
	uint8_t type = ISAKMP_PAYLOAD_ID;
	struct wire_reader r;

	*out = (struct opened){0};
	wire_reader_init(&r, plain.data, plain.len);
	/* Each turn takes four bytes or more. */
	while (type && !out->hash.data) {
		uint8_t next = wire_get_u8(&r);
		uint16_t len;
		struct wire_span body;

		wire_get_u8(&r);
		len = wire_get_u16(&r);
		if (wire_error(&r) || len < ISAKMP_PAYLOAD_HEADER_LEN)
			return false;
		body = wire_get_span(&r, len - ISAKMP_PAYLOAD_HEADER_LEN);
		if (wire_error(&r))
			return false;
		if (type == ISAKMP_PAYLOAD_HASH)
			out->hash = body;
		else if (!out->id.data)
			out->id = body;
		type = next;
	}
	return out->hash.data && out->id.data;
}

/* Whether the key may be that ID's (RFC 2407 section 4.6.2). */
static bool id_allowed(const struct candidate *who, struct wire_span body)
{
	struct wire_reader r;
	uint8_t type;

	wire_reader_init(&r, body.data, body.len);
	type = wire_get_u8(&r);
	wire_get_u8(&r);  /* protocol */
	wire_get_u16(&r); /* port */
	return !wire_error(&r) &&
	       candidate_allows(who, type, wire_get_span(&r, wire_left(&r)));
}

/* The rank of a key whose cipher is ready; the same work in every case. */
static int rank_of(const struct crypto *c, const struct ike_trial *t,
    const struct ike_keys *keys, const struct trial_key *k, uint8_t *plain)
{
	const struct ike_phase1 p1 = {
	    .gxi = t->gxi,
	    .gxr = t->gxr,
	    .cky_i = {t->cky_i, sizeof(t->cky_i)},
	    .cky_r = {t->cky_r, sizeof(t->cky_r)},
	    .sai_b = t->sai,
	};
	uint8_t iv[CRYPTO_BLOCK_MAX], right[IKE_KEY_MAX];
	struct opened m;
	bool is_there, is_right;
	int len = keymat_iv_phase1(c, keys, t->gxi, t->gxr, iv);

	memcpy(plain, t->five.data, t->five.len);
	if (len >= 0)
		len = keymat_decrypt(c, keys, iv, plain, t->five.len);
	if (len < 0)
		return len;
	is_there = find_payloads((struct wire_span){plain, t->five.len}, &m);
	/* Of a message that makes no sense any bytes do. */
	len = keymat_hash_i(c, keys, &p1,
	    is_there ? m.id : (struct wire_span){plain, keys->block_len},
	    right);
	if (len < 0)
		return len;
	is_right = is_there && m.hash.len == (size_t)len &&
		   secret_equal(m.hash.data, right, (size_t)len);
	secret_wipe(right, sizeof(right));
	if (!is_right || !k->is_real)
		return RANK_NONE;
	return id_allowed(&k->who, m.id) ? RANK_FITS : RANK_OTHER_ID;
}

static int try_key(const struct crypto *c, const struct ike_trial *t,
    struct trial_key *k, uint8_t *plain)
{
	struct ike_keys keys;
	int rank = keymat_psk_skeyid(
	    c, t->suite.hash, k->secret, t->ni, t->nr, k->who.skeyid);

	if (rank < 0)
		return rank;
	k->who.skeyid_len = (uint8_t)rank;
	rank = keymat_derive(c, &t->suite,
	    (struct wire_span){k->who.skeyid, k->who.skeyid_len}, t->gxy,
	    (struct wire_span){t->cky_i, sizeof(t->cky_i)},
	    (struct wire_span){t->cky_r, sizeof(t->cky_r)}, &keys);
	/* A weak one is nobody's: with other nonces it is another. */
	if (rank == -EKEYREJECTED)
		return RANK_NONE;
	if (!rank)
		rank = rank_of(c, t, &keys, k, plain);
	secret_wipe(&keys, sizeof(keys));
	return rank;
}

int trial_find(const struct crypto *c, const struct ike_trial *t,
    struct trial_key *keys, size_t count)
{
	uint8_t plain[IKE_TRIAL_FIVE_MAX];
	int best = -ENOENT, best_rank = RANK_NONE, err = 0;

	if (!t->five.len || t->five.len > sizeof(plain))
		return -EINVAL;
	/* No early end: how long it takes tells nobody which one it is. */
	for (size_t i = 0; i < count; i++) {
		int rank = try_key(c, t, &keys[i], plain);

		if (rank < 0) {
			err = rank;
		} else if (rank > best_rank) {
			best = (int)i;
			best_rank = rank;
		}
	}
	secret_wipe(plain, sizeof(plain));
	return err ? err : best;
}
