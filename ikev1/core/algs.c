/* SPDX-License-Identifier: ISC */
/* The algorithm tables and their look-ups. */
#include "ikev1/core/algs.h"

#include <string.h>

/*
 * Phase 1.  DES, MD5 and the groups below 2048 bit have rows so that logs
 * can name them in the words of the configuration; they are not usable.
 */
static const struct alg_cipher ike_ciphers[] = {
    {IKE_CIPHER_AES, 256, false, true, "aes256", CRYPTO_AES256_CBC, 0, false},
    {IKE_CIPHER_AES, 192, false, true, "aes192", CRYPTO_AES192_CBC, 0, false},
    {IKE_CIPHER_AES, 128, false, true, "aes128", CRYPTO_AES128_CBC, 0, false},
    {IKE_CIPHER_3DES, 192, true, true, "3des", CRYPTO_3DES_CBC, 0, false},
    {IKE_CIPHER_DES, 64, true, false, "des", CRYPTO_NO_CIPHER, 0, false},
};

static const struct alg_cipher esp_ciphers[] = {
    {ESP_AES, 256, false, true, "aes256", CRYPTO_AES256_CBC, 0, false},
    {ESP_AES, 192, false, true, "aes192", CRYPTO_AES192_CBC, 0, false},
    {ESP_AES, 128, false, true, "aes128", CRYPTO_AES128_CBC, 0, false},
    {ESP_3DES, 192, true, true, "3des", CRYPTO_3DES_CBC, 0, false},
    {ESP_AES_GCM_16, 256, false, false, "aes256gcm16", CRYPTO_NO_CIPHER, 4,
	true},
    {ESP_AES_GCM_16, 128, false, false, "aes128gcm16", CRYPTO_NO_CIPHER, 4,
	true},
    {ESP_DES, 64, true, false, "des", CRYPTO_NO_CIPHER, 0, false},
    {ESP_NULL, 0, true, false, "null", CRYPTO_NO_CIPHER, 0, false},
};

static const struct alg_hash hashes[] = {
    {IKE_HASH_SHA256, true, "sha256", CRYPTO_SHA256},
    {IKE_HASH_SHA384, true, "sha384", CRYPTO_SHA384},
    {IKE_HASH_SHA512, true, "sha512", CRYPTO_SHA512},
    {IKE_HASH_SHA1, true, "sha1", CRYPTO_SHA1},
    {IKE_HASH_MD5, false, "md5", CRYPTO_MD5},
};

static const struct alg_auth auths[] = {
    {ESP_AUTH_SHA256, true, "sha256", 32, 128},
    {ESP_AUTH_SHA384, true, "sha384", 48, 192},
    {ESP_AUTH_SHA512, true, "sha512", 64, 256},
    {ESP_AUTH_SHA1, true, "sha1", 20, 96},
    {ESP_AUTH_MD5, false, "md5", 16, 96},
};

static const struct alg_group groups[] = {
    {IKE_GROUP_ECP256, true, "ecp256", 64, 32, 0},
    {IKE_GROUP_MODP2048, true, "modp2048", 256, 256, 1},
    {IKE_GROUP_ECP384, true, "ecp384", 96, 48, 2},
    {IKE_GROUP_MODP3072, true, "modp3072", 384, 384, 3},
    {IKE_GROUP_MODP4096, true, "modp4096", 512, 512, 4},
    {IKE_GROUP_ECP521, true, "ecp521", 132, 66, 5},
    {IKE_GROUP_MODP6144, false, "modp6144", 768, 768, 6},
    {IKE_GROUP_MODP8192, false, "modp8192", 1024, 1024, 7},
    {IKE_GROUP_MODP1536, false, "modp1536", 192, 192, 8},
    {IKE_GROUP_MODP1024, false, "modp1024", 128, 128, 9},
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
