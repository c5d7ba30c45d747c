/* SPDX-License-Identifier: ISC */
/* Thin wrappers of OpenSSL's EVP; the contract is in the header. */
#include "common/crypto.h"

#include "common/secret.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

struct hash_row {
	const char *name;
	size_t len;
	size_t block_len; /* of HMAC's key */
	int is_required;
};

static const struct hash_row hash_rows[CRYPTO_HASHES] = {
    [CRYPTO_MD5] = {"MD5", 16, 64, 0},
    [CRYPTO_SHA1] = {"SHA1", 20, 64, 1},
    [CRYPTO_SHA256] = {"SHA256", 32, 64, 1},
    [CRYPTO_SHA384] = {"SHA384", 48, 128, 0},
    [CRYPTO_SHA512] = {"SHA512", 64, 128, 0},
};

struct cipher_row {
	const char *name;
	size_t key_len;
	size_t block_len;
	int is_required;
};

static const struct cipher_row cipher_rows[CRYPTO_CIPHERS] = {
    /* DES itself is in a provider that is not loaded. */
    [CRYPTO_DES_CBC] = {"DES-EDE3-CBC", 8, 8, 0},
    [CRYPTO_3DES_CBC] = {"DES-EDE3-CBC", 24, 8, 0},
    [CRYPTO_AES128_CBC] = {"AES-128-CBC", 16, 16, 1},
    [CRYPTO_AES192_CBC] = {"AES-192-CBC", 24, 16, 1},
    [CRYPTO_AES256_CBC] = {"AES-256-CBC", 32, 16, 1},
};

/* A context without a key, and without padding for good. */
static EVP_CIPHER_CTX *cipher_ctx(const EVP_CIPHER *cipher)
{
	EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;

	if (ctx && EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, 1, NULL) &&
	    EVP_CIPHER_CTX_set_padding(ctx, 0))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

int crypto_init(struct crypto *c)
{
	int missing = 0;

	*c = (struct crypto){0};
	for (size_t i = 0; i < CRYPTO_HASHES; i++) {
		c->md[i] = EVP_MD_fetch(NULL, hash_rows[i].name, NULL);
		c->md_ctx[i] = EVP_MD_CTX_new();
		missing |=
		    !c->md_ctx[i] || (!c->md[i] && hash_rows[i].is_required);
	}
	for (size_t i = 0; i < CRYPTO_CIPHERS; i++) {
		c->cipher[i] =
		    EVP_CIPHER_fetch(NULL, cipher_rows[i].name, NULL);
		c->cipher_ctx[i] = cipher_ctx(c->cipher[i]);
		missing |= !c->cipher_ctx[i] && cipher_rows[i].is_required;
	}
	if (!missing)
		return 0;
	crypto_done(c);
	return -ENOTSUP;
}

void crypto_done(struct crypto *c)
{
	for (size_t i = 0; i < CRYPTO_HASHES; i++) {
		EVP_MD_CTX_free(c->md_ctx[i]);
		EVP_MD_free(c->md[i]);
	}
	for (size_t i = 0; i < CRYPTO_CIPHERS; i++) {
		EVP_CIPHER_CTX_free(c->cipher_ctx[i]);
		EVP_CIPHER_free(c->cipher[i]);
	}
	*c = (struct crypto){0};
}

size_t crypto_hash_len(enum crypto_hash h)
{
	return (unsigned int)h < CRYPTO_HASHES ? hash_rows[h].len : 0;
}

size_t crypto_key_len(enum crypto_cipher cipher)
{
	return (unsigned int)cipher < CRYPTO_CIPHERS
		   ? cipher_rows[cipher].key_len
		   : 0;
}

size_t crypto_block_len(enum crypto_cipher cipher)
{
	return (unsigned int)cipher < CRYPTO_CIPHERS
		   ? cipher_rows[cipher].block_len
		   : 0;
}

/* Of first, which may be empty, and the parts. */
static int hash(const struct crypto *c, enum crypto_hash h,
    struct wire_span first, const struct wire_span *parts, size_t count,
    uint8_t *out)
{
	EVP_MD_CTX *ctx = c->md_ctx[h];
	int ok = EVP_DigestInit_ex2(ctx, c->md[h], NULL);

	if (ok && first.len)
		ok = EVP_DigestUpdate(ctx, first.data, first.len);
	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
	return ok && EVP_DigestFinal_ex(ctx, out, NULL) ? 0 : -EIO;
}

int crypto_hash(const struct crypto *c, enum crypto_hash h,
    const struct wire_span *parts, size_t count, uint8_t *out)
{
	if ((unsigned int)h >= CRYPTO_HASHES || !c->md[h])
		return -ENOTSUP;
	/* Nothing secret is hashed without a key: no need to wipe. */
	return hash(c, h, (struct wire_span){NULL, 0}, parts, count, out);
}

#define HMAC_BLOCK_MAX 128
#define INNER_PAD 0x36 /* RFC 2104 section 2 */
#define OUTER_PAD 0x5c

/* block, which is zero = the key, or its hash when it is longer. */
static int put_key(const struct crypto *c, enum crypto_hash h,
    struct wire_span key, uint8_t block[HMAC_BLOCK_MAX])
{
	if (key.len > hash_rows[h].block_len)
		return hash(c, h, key, NULL, 0, block);
	if (key.len)
		memcpy(block, key.data, key.len);
	return 0;
}

/* RFC 2104 by hand: EVP_MAC takes twice as long, and as long again to make
 * it forget the key. */
int crypto_hmac(const struct crypto *c, enum crypto_hash h,
    struct wire_span key, const struct wire_span *parts, size_t count,
    uint8_t *out)
{
	uint8_t block[HMAC_BLOCK_MAX] = {0}, inner[CRYPTO_HASH_MAX];
	struct wire_span padded, digest;
	int err;

	if ((unsigned int)h >= CRYPTO_HASHES || !c->md[h])
		return -ENOTSUP;
	padded = wire_span_of(block, hash_rows[h].block_len);
	digest = wire_span_of(inner, hash_rows[h].len);
	err = put_key(c, h, key, block);
	for (size_t i = 0; i < HMAC_BLOCK_MAX; i++)
		block[i] ^= INNER_PAD;
	if (!err)
		err = hash(c, h, padded, parts, count, inner);
	for (size_t i = 0; i < HMAC_BLOCK_MAX; i++)
		block[i] ^= INNER_PAD ^ OUTER_PAD;
	if (!err)
		err = hash(c, h, padded, &digest, 1, out);
	/* What came out may be a key: the context forgets it. */
	EVP_DigestInit_ex2(c->md_ctx[h], c->md[h], NULL);
	secret_wipe(block, sizeof(block));
	secret_wipe(inner, sizeof(inner));
	return err;
}

/* The context stays: a new one each time costs as much as the rest. */
static int cbc(const struct crypto *c, enum crypto_cipher cipher,
    struct wire_span key, const uint8_t *iv, uint8_t *data, size_t len,
    int is_encrypt)
{
	static const uint8_t no_key[CRYPTO_KEY_MAX];
	EVP_CIPHER_CTX *ctx = c->cipher_ctx[cipher];
	uint8_t thrice[3 * 8];
	int done = 0, ok;

	for (size_t i = 0; cipher == CRYPTO_DES_CBC && i < 3; i++)
		memcpy(thrice + 8 * i, key.data, 8);
	ok = EVP_CipherInit_ex2(ctx, NULL,
		 cipher == CRYPTO_DES_CBC ? thrice : key.data, iv, is_encrypt,
		 NULL) &&
	     EVP_CipherUpdate(ctx, data, &done, data, (int)len) &&
	     done == (int)len;
	/* It forgets the key: another schedule lies over it. */
	ok &= EVP_CipherInit_ex2(ctx, NULL, no_key, NULL, 1, NULL);
	secret_wipe(thrice, sizeof(thrice));
	return ok ? 0 : -EIO;
}

static int cbc_check(const struct crypto *c, enum crypto_cipher cipher,
    struct wire_span key, size_t len)
{
	if ((unsigned int)cipher >= CRYPTO_CIPHERS || !c->cipher_ctx[cipher])
		return -ENOTSUP;
	if (key.len != cipher_rows[cipher].key_len || len > INT_MAX ||
	    len % cipher_rows[cipher].block_len)
		return -EINVAL;
	return 0;
}

int crypto_encrypt(const struct crypto *c, enum crypto_cipher cipher,
    struct wire_span key, uint8_t *iv, uint8_t *data, size_t len)
{
	int err = cbc_check(c, cipher, key, len);
	size_t block;

	if (err || !len)
		return err;
	block = cipher_rows[cipher].block_len;
	err = cbc(c, cipher, key, iv, data, len, 1);
	if (!err)
		memcpy(iv, data + len - block, block);
	return err;
}

int crypto_decrypt(const struct crypto *c, enum crypto_cipher cipher,
    struct wire_span key, uint8_t *iv, uint8_t *data, size_t len)
{
	int err = cbc_check(c, cipher, key, len);
	uint8_t last[CRYPTO_BLOCK_MAX];
	size_t block;

	if (err || !len)
		return err;
	block = cipher_rows[cipher].block_len;
	memcpy(last, data + len - block, block);
	err = cbc(c, cipher, key, iv, data, len, 0);
	if (!err)
		memcpy(iv, last, block);
	return err;
}

int crypto_random(void *out, size_t len)
{
	return len > INT_MAX || RAND_bytes(out, (int)len) != 1 ? -EIO : 0;
}
