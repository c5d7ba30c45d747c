/* SPDX-License-Identifier: ISC */
/* The algorithm tables and their look-ups. */
#include "ikev1/core/algs.h"

#include <string.h>

/*
 * What is not usable has a row so that logs can name it in the words of the
 * configuration.  Ranks: AES-GCM, AES-CBC whatever the key length, 3DES,
 * DES; SHA-2 whatever its length, SHA-1, MD5.  Clients put the key length
 * that they like first, and old Android puts the SHA-2 that it computes
 * wrongly (sha2_trunc96) behind the right ones.
 */
enum { RANK_GCM, RANK_AES, RANK_3DES, RANK_DES };
enum { RANK_SHA2, RANK_SHA1, RANK_MD5 };

static const struct alg_cipher ike_ciphers[] = {
    {ALG_AES256, IKE_CIPHER_AES, 256, false, true, "aes256", CRYPTO_AES256_CBC,
	0, false, RANK_AES},
    {ALG_AES192, IKE_CIPHER_AES, 192, false, true, "aes192", CRYPTO_AES192_CBC,
	0, false, RANK_AES},
    {ALG_AES128, IKE_CIPHER_AES, 128, false, true, "aes128", CRYPTO_AES128_CBC,
	0, false, RANK_AES},
    {ALG_3DES, IKE_CIPHER_3DES, 192, true, true, "3des", CRYPTO_3DES_CBC, 0,
	false, RANK_3DES},
    {ALG_DES, IKE_CIPHER_DES, 64, true, true, "des", CRYPTO_DES_CBC, 0, false,
	RANK_DES},
};

static const struct alg_cipher esp_ciphers[] = {
    {ALG_AES256_GCM, ESP_AES_GCM_16, 256, false, true, "aes256gcm16",
	CRYPTO_NO_CIPHER, 4, true, RANK_GCM},
    {ALG_AES192_GCM, ESP_AES_GCM_16, 192, false, true, "aes192gcm16",
	CRYPTO_NO_CIPHER, 4, true, RANK_GCM},
    {ALG_AES128_GCM, ESP_AES_GCM_16, 128, false, true, "aes128gcm16",
	CRYPTO_NO_CIPHER, 4, true, RANK_GCM},
    {ALG_AES256, ESP_AES, 256, false, true, "aes256", CRYPTO_AES256_CBC, 0,
	false, RANK_AES},
    {ALG_AES192, ESP_AES, 192, false, true, "aes192", CRYPTO_AES192_CBC, 0,
	false, RANK_AES},
    {ALG_AES128, ESP_AES, 128, false, true, "aes128", CRYPTO_AES128_CBC, 0,
	false, RANK_AES},
    {ALG_3DES, ESP_3DES, 192, true, true, "3des", CRYPTO_3DES_CBC, 0, false,
	RANK_3DES},
    {ALG_DES, ESP_DES, 64, true, true, "des", CRYPTO_DES_CBC, 0, false,
	RANK_DES},
    {0, ESP_NULL, 0, true, false, "null", CRYPTO_NO_CIPHER, 0, false, 0},
};

static const struct alg_hash hashes[] = {
    {IKE_HASH_SHA256, true, "sha256", CRYPTO_SHA256, RANK_SHA2},
    {IKE_HASH_SHA384, true, "sha384", CRYPTO_SHA384, RANK_SHA2},
    {IKE_HASH_SHA512, true, "sha512", CRYPTO_SHA512, RANK_SHA2},
    {IKE_HASH_SHA1, true, "sha1", CRYPTO_SHA1, RANK_SHA1},
    {IKE_HASH_MD5, true, "md5", CRYPTO_MD5, RANK_MD5},
};

static const struct alg_auth auths[] = {
    {ESP_AUTH_SHA256, true, "sha256", 32, 128, RANK_SHA2},
    {ESP_AUTH_SHA384, true, "sha384", 48, 192, RANK_SHA2},
    {ESP_AUTH_SHA512, true, "sha512", 64, 256, RANK_SHA2},
    {ESP_AUTH_SHA1, true, "sha1", 20, 96, RANK_SHA1},
    {ESP_AUTH_MD5, true, "md5", 16, 96, RANK_MD5},
};

static const struct alg_group groups[] = {
    {IKE_GROUP_ECP256, true, "ecp256", 64, 32, 0},
    {IKE_GROUP_MODP2048, true, "modp2048", 256, 256, 1},
    {IKE_GROUP_ECP384, true, "ecp384", 96, 48, 2},
    {IKE_GROUP_MODP3072, true, "modp3072", 384, 384, 3},
    {IKE_GROUP_MODP4096, true, "modp4096", 512, 512, 4},
    {IKE_GROUP_ECP521, true, "ecp521", 132, 66, 5},
    {IKE_GROUP_MODP1536, true, "modp1536", 192, 192, 6},
    {IKE_GROUP_MODP1024, true, "modp1024", 128, 128, 7},
    {IKE_GROUP_MODP6144, false, "modp6144", 768, 768, 8},
    {IKE_GROUP_MODP8192, false, "modp8192", 1024, 1024, 9},
    {IKE_GROUP_MODP768, false, "modp768", 96, 96, 10},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct alg_cipher *find_cipher(const struct alg_cipher *rows,
    size_t count, uint16_t number, uint16_t key_bits)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == number &&
		    (rows[i].is_fixed || rows[i].key_bits == key_bits))
			return &rows[i];
	return NULL;
}

const struct alg_cipher *alg_ike_cipher(uint16_t number, uint16_t key_bits)
{
	return find_cipher(ike_ciphers, COUNT(ike_ciphers), number, key_bits);
}

const struct alg_cipher *alg_esp_cipher(uint16_t number, uint16_t key_bits)
{
	return find_cipher(esp_ciphers, COUNT(esp_ciphers), number, key_bits);
}

#define FIND_BY_NUMBER(rows, wanted)                                           \
	do {                                                                   \
		for (size_t i = 0; i < COUNT(rows); i++)                       \
			if ((rows)[i].number == (wanted))                      \
				return &(rows)[i];                             \
		return NULL;                                                   \
	} while (0)

#define FIND_BY_NAME(rows, wanted, len)                                        \
	do {                                                                   \
		for (size_t i = 0; i < COUNT(rows); i++)                       \
			if (strlen((rows)[i].name) == (len) &&                 \
			    !memcmp((rows)[i].name, wanted, len))              \
				return &(rows)[i];                             \
		return NULL;                                                   \
	} while (0)

const struct alg_hash *alg_hash(uint16_t number)
{
	FIND_BY_NUMBER(hashes, number);
}

const struct alg_auth *alg_auth(uint16_t number)
{
	FIND_BY_NUMBER(auths, number);
}

const struct alg_group *alg_group(uint16_t number)
{
	FIND_BY_NUMBER(groups, number);
}

const struct alg_cipher *alg_ike_cipher_by_name(const char *name, size_t len)
{
	FIND_BY_NAME(ike_ciphers, name, len);
}

const struct alg_cipher *alg_esp_cipher_by_name(const char *name, size_t len)
{
	FIND_BY_NAME(esp_ciphers, name, len);
}

const struct alg_hash *alg_hash_by_name(const char *name, size_t len)
{
	FIND_BY_NAME(hashes, name, len);
}

const struct alg_auth *alg_auth_by_name(const char *name, size_t len)
{
	FIND_BY_NAME(auths, name, len);
}

const struct alg_group *alg_group_by_name(const char *name, size_t len)
{
	FIND_BY_NAME(groups, name, len);
}

const struct alg_cipher *alg_ike_cipher_at(size_t i)
{
	return i < COUNT(ike_ciphers) ? &ike_ciphers[i] : NULL;
}

const struct alg_cipher *alg_esp_cipher_at(size_t i)
{
	return i < COUNT(esp_ciphers) ? &esp_ciphers[i] : NULL;
}

const struct alg_hash *alg_hash_at(size_t i)
{
	return i < COUNT(hashes) ? &hashes[i] : NULL;
}

const struct alg_auth *alg_auth_at(size_t i)
{
	return i < COUNT(auths) ? &auths[i] : NULL;
}

const struct alg_group *alg_group_at(size_t i)
{
	return i < COUNT(groups) ? &groups[i] : NULL;
}
