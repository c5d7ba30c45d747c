/* SPDX-License-Identifier: ISC */
/*
 * Hashes, HMAC, ciphers and random bytes over OpenSSL's EVP.  A struct
 * crypto holds the fetched algorithms and what is used again by each call:
 * it belongs to one thread at a time.  crypto_init() may read files: call
 * it before the process locks itself in.
 */
#ifndef COMMON_CRYPTO_H
#define COMMON_CRYPTO_H

#include "common/wire.h"

#include <stddef.h>
#include <stdint.h>

enum crypto_hash {
	CRYPTO_MD5,
	CRYPTO_SHA1,
	CRYPTO_SHA256,
	CRYPTO_SHA384,
	CRYPTO_SHA512,
	CRYPTO_HASHES,
};

enum crypto_cipher {
	CRYPTO_DES_CBC,	 /* 8 bytes, as 3DES with the key three times */
	CRYPTO_3DES_CBC, /* three keys, 24 bytes */
	CRYPTO_AES128_CBC,
	CRYPTO_AES192_CBC,
	CRYPTO_AES256_CBC,
	CRYPTO_CIPHERS,
	CRYPTO_NO_CIPHER = CRYPTO_CIPHERS, /* for tables */
};

#define CRYPTO_HASH_MAX 64  /* bytes of the longest hash */
#define CRYPTO_BLOCK_MAX 16 /* bytes of the longest cipher block */
#define CRYPTO_KEY_MAX 32   /* bytes of the longest cipher key */

struct crypto {
	struct evp_md_st *md[CRYPTO_HASHES];
	struct evp_cipher_st *cipher[CRYPTO_CIPHERS];
	/* Between calls they hold no key and nothing secret. */
	struct evp_md_ctx_st *md_ctx[CRYPTO_HASHES];
	struct evp_cipher_ctx_st *cipher_ctx[CRYPTO_CIPHERS];
};

/*
 * Fetches the algorithms.  Returns 0, or -ENOTSUP when SHA-1, SHA2-256 or
 * AES-CBC is missing; the others may be missing.
 */
int crypto_init(struct crypto *c);
/* Frees what crypto_init() fetched; a zeroed struct is allowed. */
void crypto_done(struct crypto *c);

/* Bytes; 0 for an unknown one. */
size_t crypto_hash_len(enum crypto_hash h);
size_t crypto_key_len(enum crypto_cipher cipher);
size_t crypto_block_len(enum crypto_cipher cipher);

/*
 * out (crypto_hash_len(h) bytes) = hash of the parts one after another.
 * 0, -ENOTSUP when the algorithm is missing, -EIO when the library fails.
 */
int crypto_hash(const struct crypto *c, enum crypto_hash h,
    const struct wire_span *parts, size_t count, uint8_t *out);
/* The same for HMAC with a key of any length, also 0. */
int crypto_hmac(const struct crypto *c, enum crypto_hash h,
    struct wire_span key, const struct wire_span *parts, size_t count,
    uint8_t *out);

/*
 * CBC over len bytes, without padding; data is changed in place.  iv (one
 * block) is replaced by the last block of ciphertext: the next message's
 * IV (RFC 2409 appendix B).  key must have crypto_key_len() bytes and len
 * must be a multiple of the block: otherwise -EINVAL, and nothing changes.
 * -ENOTSUP and -EIO as above.
 */
int crypto_encrypt(const struct crypto *c, enum crypto_cipher cipher,
    struct wire_span key, uint8_t *iv, uint8_t *data, size_t len);
int crypto_decrypt(const struct crypto *c, enum crypto_cipher cipher,
    struct wire_span key, uint8_t *iv, uint8_t *data, size_t len);

/* Unpredictable bytes from the library's generator; 0 or -EIO. */
int crypto_random(void *out, size_t len);

#endif
