/* SPDX-License-Identifier: ISC */
/*
 * Diffie-Hellman with the groups of IKE over OpenSSL's EVP.  Costs up to
 * some milliseconds: it runs in the thread pool, so nothing is shared.
 */
#ifndef IKEV1_DH_H
#define IKEV1_DH_H

#include "common/wire.h"
#include "ikev1/core/ike.h"

/* Secret: wipe with secret_wipe(). */
struct dh_result {
	uint8_t pub[IKE_DH_MAX]; /* ours, padded to the group's length */
	size_t pub_len;
	/* g^xy padded to the group's length; ECP: x alone (RFC 5903 7). */
	uint8_t shared[IKE_DH_MAX];
	size_t shared_len;
};

/*
 * A fresh exponent, our public value and the shared secret.  Returns 0;
 * -ENOTSUP for a group that is not implemented; -EINVAL for a peer's value
 * that has not the group's length or is invalid: 0, 1, p-1, p or more; a
 * point that is not on the curve; -EIO when the library fails.
 */
int dh_exchange(
    uint16_t group, struct wire_span peer_pub, struct dh_result *out);

/* The two halves apart, for an initiator. */
struct dh_keypair {
	uint16_t group;
	struct evp_pkey_st *key;
};

/* Fills kp and out->pub; the caller calls dh_keypair_done(). */
int dh_generate(uint16_t group, struct dh_keypair *kp, struct dh_result *out);
/* Fills out->shared and leaves out->pub alone; may be called again. */
int dh_derive(const struct dh_keypair *kp, struct wire_span peer_pub,
    struct dh_result *out);
void dh_keypair_done(struct dh_keypair *kp);

/*
 * The same halves with the exponent as bytes, so that it can be saved
 * between them: out->shared is the private value (secret) after
 * dh_keygen(), g^xy after dh_finish().
 */
int dh_keygen(uint16_t group, struct dh_result *out);
/* -EINVAL too for a private value that can't be one. */
int dh_finish(uint16_t group, struct wire_span priv, struct wire_span peer_pub,
    struct dh_result *out);

/* Runs one exchange of the cheap groups, so that the library has loaded
 * what it needs before the process locks itself in.  0 or -errno. */
int dh_prepare(void);

#endif
