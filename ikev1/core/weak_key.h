/* SPDX-License-Identifier: ISC */
/*
 * Keys that weaken DES, which key derivation must not hand out: the weak
 * and semi-weak ones (RFC 2409 appendix A) and 3DES keys that come to single
 * DES (RFC 2451 section 2.3).  Parity bits do not count.
 */
#ifndef IKEV1_CORE_WEAK_KEY_H
#define IKEV1_CORE_WEAK_KEY_H

#include "common/crypto.h"

#include <stdbool.h>

/* key has crypto_key_len(cipher) bytes; other ciphers have no weak ones. */
bool weak_key(enum crypto_cipher cipher, const uint8_t *key);

#endif
