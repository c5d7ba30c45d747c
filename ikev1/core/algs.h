/* SPDX-License-Identifier: ISC */
/*
 * The algorithm tables: what each number of IKE and ESP means in key
 * lengths, which are implemented, and what they are called in suites.
 */
#ifndef IKEV1_CORE_ALGS_H
#define IKEV1_CORE_ALGS_H

#include "common/crypto.h"
#include "ikev1/core/isakmp.h"

#include <stdbool.h>

/*
 * Sets of algorithms are bit masks.  Ciphers have these bits, one for each
 * key length, in both phases; hashes, auth algorithms and groups have the
 * bit of their number.
 */
enum alg_cipher_bit {
	ALG_AES256 = 1 << 0,
	ALG_AES192 = 1 << 1,
	ALG_AES128 = 1 << 2,
	ALG_3DES = 1 << 3,
	ALG_DES = 1 << 4,
	ALG_AES256_GCM = 1 << 5,
	ALG_AES192_GCM = 1 << 6,
	ALG_AES128_GCM = 1 << 7,
};
#define ALG_BIT(number) (1u << (number))

/* Is a number from the wire in such a set? */
static inline bool alg_in_set(uint32_t set, unsigned int number)
{
	return number < 32 && set >> number & 1;
}

/*
 * Ranks: the lower is preferred; equal ones are left to the peer's order.
 *
 * A cipher of phase 1 (IKE_CIPHER_*) or of ESP (ESP_*). */
struct alg_cipher {
	uint32_t bit; /* enum alg_cipher_bit; 0: in no set */
	uint16_t number;
	uint16_t key_bits; /* one row for each key length */
	bool is_fixed;	   /* its Key Length attribute MUST NOT be sent */
	bool is_usable;	   /* implemented */
	const char *name;  /* "aes256" */
	enum crypto_cipher cipher;
	uint8_t salt_len; /* bytes of KEYMAT after the key: RFC 4106 */
	bool is_aead;	  /* no auth algorithm beside it */
	uint8_t rank;
};

/* A hash of phase 1 (IKE_HASH_*). */
struct alg_hash {
	uint16_t number;
	bool is_usable;
	const char *name; /* "sha256" */
	enum crypto_hash hash;
	uint8_t rank;
};

/* An authentication algorithm of ESP (ESP_AUTH_*). */
struct alg_auth {
	uint16_t number;
	bool is_usable;
	const char *name;
	uint16_t key_len;    /* bytes */
	uint16_t trunc_bits; /* of the ICV: RFC 2404, RFC 4868 section 2.3 */
	uint8_t rank;
};

struct alg_group {
	uint16_t number;
	bool is_usable;
	const char *name;    /* "modp2048" */
	uint16_t pub_len;    /* of the KE payload's body, bytes */
	uint16_t shared_len; /* of g^xy: RFC 5903 section 7: x only */
	uint8_t rank;
};

/* The rows in the order of the tables; NULL behind the last. */
const struct alg_cipher *alg_ike_cipher_at(size_t i);
const struct alg_cipher *alg_esp_cipher_at(size_t i);
const struct alg_hash *alg_hash_at(size_t i);
const struct alg_auth *alg_auth_at(size_t i);
const struct alg_group *alg_group_at(size_t i);

/* Each returns NULL when the number (or name) has no row. */
const struct alg_cipher *alg_ike_cipher(uint16_t number, uint16_t key_bits);
const struct alg_cipher *alg_esp_cipher(uint16_t number, uint16_t key_bits);
const struct alg_hash *alg_hash(uint16_t number);
const struct alg_auth *alg_auth(uint16_t number);
const struct alg_group *alg_group(uint16_t number);
const struct alg_cipher *alg_ike_cipher_by_name(const char *name, size_t len);
const struct alg_cipher *alg_esp_cipher_by_name(const char *name, size_t len);
const struct alg_hash *alg_hash_by_name(const char *name, size_t len);
const struct alg_auth *alg_auth_by_name(const char *name, size_t len);
const struct alg_group *alg_group_by_name(const char *name, size_t len);

#endif
