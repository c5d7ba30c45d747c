/* SPDX-License-Identifier: ISC */
/* MS-CHAPv2 and CHAP-MD5 arithmetic on OpenSSL. */
#include "l2tpd/core/mschap.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "common/wire.h"
#include "l2tpd/core/utf8.h"

#include <openssl/evp.h>
#include <openssl/provider.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHA1_LEN 20
#define PASSWORD_UNITS_MAX 256 /* RFC 2759 section 8.1 */

struct mschap {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *legacy, *builtin;
	EVP_MD *md4, *md5, *sha1;
	EVP_CIPHER *des;
};

/* RFC 2759 section 8.7, Magic1 and Magic2. */
static const char magic1[] = "Magic server to client signing constant";
static const char magic2[] = "Pad to make it do more than one iteration";

struct mschap *mschap_new(char *error, size_t error_size)
{
	struct mschap *m = xcalloc(1, sizeof(*m));
	const char *lacks = NULL;

	m->lib = OSSL_LIB_CTX_new();
	if (!m->lib)
		abort();
	m->legacy = OSSL_PROVIDER_load(m->lib, "legacy");
	m->builtin = OSSL_PROVIDER_load(m->lib, "default");
	m->md4 = EVP_MD_fetch(m->lib, "MD4", NULL);
	m->md5 = EVP_MD_fetch(m->lib, "MD5", NULL);
	m->sha1 = EVP_MD_fetch(m->lib, "SHA1", NULL);
	/* Single DES is triple DES with three equal keys. */
	m->des = EVP_CIPHER_fetch(m->lib, "DES-EDE3-ECB", NULL);
	if (!m->md4)
		lacks = "MD4 (install OpenSSL's legacy provider, legacy.so)";
	else if (!m->md5)
		lacks = "MD5";
	else if (!m->sha1)
		lacks = "SHA-1";
	else if (!m->des)
		lacks = "DES-EDE3-ECB";
	if (!lacks)
		return m;
	snprintf(error, error_size, "OpenSSL has no %s", lacks);
	mschap_free(m);
	return NULL;
}

void mschap_free(struct mschap *m)
{
	if (!m)
		return;
	EVP_MD_free(m->md4);
	EVP_MD_free(m->md5);
	EVP_MD_free(m->sha1);
	EVP_CIPHER_free(m->des);
	if (m->legacy)
		OSSL_PROVIDER_unload(m->legacy);
	if (m->builtin)
		OSSL_PROVIDER_unload(m->builtin);
	OSSL_LIB_CTX_free(m->lib);
	free(m);
}

/* The digest of several spans, one behind the other. */
static int digest(
    const EVP_MD *md, const struct wire_span *in, size_t count, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL);

	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(ctx, in[i].data, in[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

static struct wire_span span(const void *data, size_t len)
{
	return (struct wire_span){data, len};
}

static void put_utf16le(struct wire_writer *w, uint32_t unit)
{
	wire_put_u8(w, (uint8_t)unit);
	wire_put_u8(w, (uint8_t)(unit >> 8));
}

int mschap_nt_hash(struct mschap *m, const char *password, size_t len,
    uint8_t hash[MSCHAP_HASH_LEN])
{
	uint8_t text[PASSWORD_UNITS_MAX * 2];
	struct wire_reader r;
	struct wire_writer w;
	struct wire_span in;
	int err;

	wire_reader_init(&r, password, len);
	wire_writer_init(&w, text, sizeof(text));
	while (wire_left(&r)) {
		uint32_t c = utf8_get(&r);

		if (c < 0x10000) {
			put_utf16le(&w, c);
			continue;
		}
		c -= 0x10000;
		put_utf16le(&w, 0xd800 | c >> 10);
		put_utf16le(&w, 0xdc00 | (c & 0x3ff));
	}
	err = wire_error(&r) || wire_writer_error(&w) ? -EINVAL : 0;
	in = span(text, w.pos);
	if (!err)
		err = digest(m->md4, &in, 1, hash);
	secret_wipe(text, sizeof(text));
	return err;
}

int mschap_challenge_hash(struct mschap *m,
    const uint8_t peer[MSCHAP_CHALLENGE_LEN],
    const uint8_t ours[MSCHAP_CHALLENGE_LEN], const char *name,
    uint8_t challenge[8])
{
	const char *domain_end = strrchr(name, '\\');
	const char *bare = domain_end ? domain_end + 1 : name;
	const struct wire_span in[] = {
	    span(peer, MSCHAP_CHALLENGE_LEN),
	    span(ours, MSCHAP_CHALLENGE_LEN),
	    span(bare, strlen(bare)),
	};
	uint8_t sha[SHA1_LEN];
	int err = digest(m->sha1, in, 3, sha);

	if (!err)
		memcpy(challenge, sha, 8);
	return err;
}

/* RFC 2759 8.6: 56 bits of key spread over 8 bytes, parity not set. */
static void des_key(const uint8_t in[7], uint8_t out[8])
{
	uint64_t bits = 0;

	for (size_t i = 0; i < 7; i++)
		bits = bits << 8 | in[i];
	for (size_t i = 8; i-- > 0; bits >>= 7)
		out[i] = (uint8_t)((bits & 0x7f) << 1);
	secret_wipe(&bits, sizeof(bits));
}

static int des_block(struct mschap *m, const uint8_t key7[7],
    const uint8_t in[8], uint8_t out[8])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[24];
	int len = 0;
	bool ok;

	des_key(key7, key);
	memcpy(key + 8, key, 8);
	memcpy(key + 16, key, 8);
	ok = ctx && EVP_EncryptInit_ex2(ctx, m->des, key, NULL, NULL) &&
	     EVP_CIPHER_CTX_set_padding(ctx, 0) &&
	     EVP_EncryptUpdate(ctx, out, &len, in, 8) && len == 8;
	EVP_CIPHER_CTX_free(ctx);
	secret_wipe(key, sizeof(key));
	return ok ? 0 : -EIO;
}

int mschap_challenge_response(struct mschap *m, const uint8_t challenge[8],
    const uint8_t hash[MSCHAP_HASH_LEN],
    uint8_t response[MSCHAP_NT_RESPONSE_LEN])
{
	uint8_t z[21] = {0};
	int err = 0;

	memcpy(z, hash, MSCHAP_HASH_LEN);
	for (size_t i = 0; i < 3 && !err; i++)
		err = des_block(m, z + 7 * i, challenge, response + 8 * i);
	secret_wipe(z, sizeof(z));
	return err;
}

int mschap_authenticator(struct mschap *m, const uint8_t hash[MSCHAP_HASH_LEN],
    const uint8_t nt_response[MSCHAP_NT_RESPONSE_LEN],
    const uint8_t challenge[8], char text[MSCHAP_AUTH_TEXT_MAX])
{
	uint8_t hash_hash[MSCHAP_HASH_LEN], sha[SHA1_LEN];
	const struct wire_span once = span(hash, MSCHAP_HASH_LEN);
	const struct wire_span first[] = {
	    span(hash_hash, sizeof(hash_hash)),
	    span(nt_response, MSCHAP_NT_RESPONSE_LEN),
	    span(magic1, sizeof(magic1) - 1),
	};
	const struct wire_span second[] = {
	    span(sha, sizeof(sha)),
	    span(challenge, 8),
	    span(magic2, sizeof(magic2) - 1),
	};
	int err = digest(m->md4, &once, 1, hash_hash);

	if (!err)
		err = digest(m->sha1, first, 3, sha);
	if (!err)
		err = digest(m->sha1, second, 3, sha);
	secret_wipe(hash_hash, sizeof(hash_hash));
	if (err)
		return err;
	memcpy(text, "S=", 3);
	/* The digits must be upper case. */
	for (size_t i = 0; i < sizeof(sha); i++)
		snprintf(text + 2 + 2 * i, 3, "%02X", sha[i]);
	return 0;
}

int chap_md5(struct mschap *m, uint8_t id, const void *secret,
    size_t secret_len, const void *challenge, size_t challenge_len,
    uint8_t response[CHAP_MD5_LEN])
{
	const struct wire_span in[] = {
	    span(&id, 1),
	    span(secret, secret_len),
	    span(challenge, challenge_len),
	};

	return digest(m->md5, in, 3, response);
}
