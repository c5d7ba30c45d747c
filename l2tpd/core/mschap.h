/* SPDX-License-Identifier: ISC */
/*
 * The arithmetic of PPP authentication: MS-CHAPv2 (RFC 2759) and CHAP with
 * MD5 (RFC 1994).  MD4 lives in OpenSSL's legacy provider; it is loaded
 * into a library context of our own, which nothing else sees.
 */
#ifndef L2TPD_CORE_MSCHAP_H
#define L2TPD_CORE_MSCHAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSCHAP_HASH_LEN 16	/* NT hash */
#define MSCHAP_CHALLENGE_LEN 16 /* ours and the peer's */
#define MSCHAP_NT_RESPONSE_LEN 24
#define MSCHAP_RESPONSE_LEN 49	/* the Response packet's value */
#define MSCHAP_AUTH_TEXT_MAX 43 /* "S=" 40 hex digits, NUL */
#define CHAP_MD5_LEN 16

struct mschap;

/*
 * Fetches MD4, SHA-1, MD5 and DES.  NULL when OpenSSL lacks one: error
 * says what to install.  Call it before chroot().
 */
struct mschap *mschap_new(char *error, size_t error_size);
/* NULL is allowed. */
void mschap_free(struct mschap *m);

/* All of these return 0, or -EIO when OpenSSL failed. */

/*
 * NtPasswordHash (8.3) of a UTF-8 password of len bytes; -EINVAL when it
 * is not UTF-8 or longer than 256 UTF-16 units.
 */
int mschap_nt_hash(struct mschap *m, const char *password, size_t len,
    uint8_t hash[MSCHAP_HASH_LEN]);
/* ChallengeHash (8.2); name as sent: DOMAIN\ is left out here. */
int mschap_challenge_hash(struct mschap *m,
    const uint8_t peer[MSCHAP_CHALLENGE_LEN],
    const uint8_t ours[MSCHAP_CHALLENGE_LEN], const char *name,
    uint8_t challenge[8]);
/* ChallengeResponse (8.5) */
int mschap_challenge_response(struct mschap *m, const uint8_t challenge[8],
    const uint8_t hash[MSCHAP_HASH_LEN],
    uint8_t response[MSCHAP_NT_RESPONSE_LEN]);
/* GenerateAuthenticatorResponse (8.7) from the NT hash: "S=..." */
int mschap_authenticator(struct mschap *m, const uint8_t hash[MSCHAP_HASH_LEN],
    const uint8_t nt_response[MSCHAP_NT_RESPONSE_LEN],
    const uint8_t challenge[8], char text[MSCHAP_AUTH_TEXT_MAX]);
/* MD5(id, secret, challenge), RFC 1994 section 4.1. */
int chap_md5(struct mschap *m, uint8_t id, const void *secret,
    size_t secret_len, const void *challenge, size_t challenge_len,
    uint8_t response[CHAP_MD5_LEN]);

#endif
