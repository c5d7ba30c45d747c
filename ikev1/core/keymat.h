/* SPDX-License-Identifier: ISC */
/*
 * IKEv1's keys and hashes (RFC 2409 sections 5, 5.4, 5.5, 5.7, appendix B;
 * RFC 3947 section 3.2).  Pure functions over struct crypto; _b in the RFC
 * is a payload's body.  prf is always HMAC with the negotiated hash.
 *
 * Functions that return int return 0 or the length they wrote (as said),
 * or -ENOTSUP for a hash or cipher that is not implemented, -EINVAL for an
 * input with an impossible length, -EIO when the library fails.  What
 * derives a cipher's key says -EKEYREJECTED when a weak one (weak_key.h)
 * comes out: a new exchange, with other nonces, gets another.
 */
#ifndef IKEV1_CORE_KEYMAT_H
#define IKEV1_CORE_KEYMAT_H

#include "common/addr.h"
#include "common/crypto.h"
#include "common/wire.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/isakmp.h"

/* Phase 1's keys; secret: wipe with secret_wipe(). */
struct ike_keys {
	uint16_t hash;	    /* IKE_HASH_* */
	uint16_t cipher;    /* IKE_CIPHER_* */
	uint16_t key_bits;  /* of cipher */
	uint16_t prf_len;   /* bytes in each skeyid */
	uint16_t key_len;   /* bytes in key */
	uint16_t block_len; /* of cipher: an IV's length */
	uint8_t skeyid[IKE_KEY_MAX];
	uint8_t skeyid_d[IKE_KEY_MAX];
	uint8_t skeyid_a[IKE_KEY_MAX];
	uint8_t skeyid_e[IKE_KEY_MAX];
	uint8_t key[IKE_KEY_MAX]; /* from SKEYID_e: appendix B */
};

/* What both sides of phase 1 know. */
struct ike_phase1 {
	struct wire_span gxi, gxr; /* KE bodies, padded to the group */
	struct wire_span cky_i, cky_r;
	struct wire_span sai_b; /* body of the SA payload as received */
};

/* SKEYID = prf(psk, Ni_b | Nr_b).  Returns its length; out has room for
 * IKE_KEY_MAX bytes.  The only function that sees the pre-shared key. */
int keymat_psk_skeyid(const struct crypto *c, uint16_t hash,
    struct wire_span psk, struct wire_span ni, struct wire_span nr,
    uint8_t out[IKE_KEY_MAX]);

/* All the rest from SKEYID; suite gives hash, cipher and key length. */
int keymat_derive(const struct crypto *c, const struct ike_suite *suite,
    struct wire_span skeyid, struct wire_span gxy, struct wire_span cky_i,
    struct wire_span cky_r, struct ike_keys *out);

/* The first IV of phase 1: hash(g^xi | g^xr).  iv has CRYPTO_BLOCK_MAX. */
int keymat_iv_phase1(const struct crypto *c, const struct ike_keys *keys,
    struct wire_span gxi, struct wire_span gxr, uint8_t *iv);
/* An exchange's first IV: hash(last phase-1 block | M-ID).  last has
 * keys->block_len bytes. */
int keymat_iv_phase2(const struct crypto *c, const struct ike_keys *keys,
    const uint8_t *last, uint32_t message_id, uint8_t *iv);

/*
 * Encrypts or decrypts what follows a message's header, in place, and moves
 * iv on.  -EINVAL when len is 0 or no multiple of the block.
 */
int keymat_encrypt(const struct crypto *c, const struct ike_keys *keys,
    uint8_t *iv, uint8_t *data, size_t len);
int keymat_decrypt(const struct crypto *c, const struct ike_keys *keys,
    uint8_t *iv, uint8_t *data, size_t len);

/* HASH_I and HASH_R over the ID payload's body; return keys->prf_len. */
int keymat_hash_i(const struct crypto *c, const struct ike_keys *keys,
    const struct ike_phase1 *p1, struct wire_span idii_b,
    uint8_t out[IKE_KEY_MAX]);
int keymat_hash_r(const struct crypto *c, const struct ike_keys *keys,
    const struct ike_phase1 *p1, struct wire_span idir_b,
    uint8_t out[IKE_KEY_MAX]);

/*
 * HASH(1) = prf(SKEYID_a, M-ID | rest), rest being every byte behind the
 * HASH payload up to the end of the last payload; an Informational's HASH
 * is the same.  HASH(2) has Ni_b between them.  HASH(3) = prf(SKEYID_a, 0 |
 * M-ID | Ni_b | Nr_b).  All return keys->prf_len.
 */
int keymat_hash1(const struct crypto *c, const struct ike_keys *keys,
    uint32_t message_id, struct wire_span rest, uint8_t out[IKE_KEY_MAX]);
int keymat_hash2(const struct crypto *c, const struct ike_keys *keys,
    uint32_t message_id, struct wire_span ni_b, struct wire_span rest,
    uint8_t out[IKE_KEY_MAX]);
int keymat_hash3(const struct crypto *c, const struct ike_keys *keys,
    uint32_t message_id, struct wire_span ni_b, struct wire_span nr_b,
    uint8_t out[IKE_KEY_MAX]);

/* Quick Mode's input to KEYMAT. */
struct keymat_esp {
	struct ike_suite suite; /* ESP cipher, key bits; auth: 0 with AEAD */
	uint32_t spi;		/* host order; the receiver chose it */
	struct wire_span gxy;	/* with PFS; otherwise empty */
	struct wire_span ni_b, nr_b;
};

/*
 * KEYMAT, cut into encryption key and authentication key: fills sa's spi,
 * cipher, auth, trunc_bits, enc_key, enc_len, auth_key and auth_len and
 * leaves the rest of it alone.  The salt of AES-GCM is the end of enc_key
 * (RFC 4106 section 8.1).
 */
int keymat_esp_derive(const struct crypto *c, const struct ike_keys *keys,
    const struct keymat_esp *in, struct ike_kernel_sa *sa);

/* HASH(CKY-I | CKY-R | IP | port) of NAT-D; returns the hash's length. */
int keymat_nat_d(const struct crypto *c, uint16_t hash, struct wire_span cky_i,
    struct wire_span cky_r, const struct addr *a, uint8_t out[IKE_KEY_MAX]);

#endif
