/* SPDX-License-Identifier: ISC */
/*
 * Diffie-Hellman with the groups of IKE, over OpenSSL.  Costs up to some
 * milliseconds: all but the cheapest group runs in the thread pool.
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
 * The groups' parameters, made ready once and not changed any more: any
 * number of threads may use one struct dh at once.  NULL when the library
 * fails.  The functions below take NULL as well, for tests and for one call:
 * then they prepare what they need (some 10 us).
 */
struct dh;
struct dh *dh_new(void);
void dh_free(struct dh *d); /* NULL is allowed */

/*
 * A fresh exponent, our public value and the shared secret.  Returns 0;
 * -ENOTSUP for a group that is not implemented; -EINVAL for a peer's value
 * that has not the group's length or is invalid: 0, 1, p-1, p or more; a
 * point that is not on the curve; -EIO when the library fails.
 */
int dh_exchange(const struct dh *d, uint16_t group, struct wire_span peer_pub,
    struct dh_result *out);

/*
 * Random bytes for the private values of one thread, taken from the library
 * ahead: its generator takes as long for 32 bytes as for some hundred, and
 * asks the kernel each time.  Starts as zero.  Secret: what was given out is
 * wiped at once, the rest by its owner.
 */
struct dh_seeds {
	uint8_t bytes[512];
	size_t left; /* so many at the end are fresh */
};
/* dh_exchange(); a curve's private value comes from seeds (NULL: not). */
int dh_exchange_seeded(const struct dh *d, struct dh_seeds *seeds,
    uint16_t group, struct wire_span peer_pub, struct dh_result *out);

/*
 * The two halves apart, for an initiator, with the exponent as bytes, so
 * that it can be saved between them: out->shared is the private value
 * (secret) after dh_keygen(), g^xy after dh_finish(), which leaves out->pub
 * alone.
 */
int dh_keygen(const struct dh *d, uint16_t group, struct dh_result *out);
/* -EINVAL too for a private value that can't be one; priv is not in out. */
int dh_finish(const struct dh *d, uint16_t group, struct wire_span priv,
    struct wire_span peer_pub, struct dh_result *out);

/* Runs one exchange of the cheap groups, so that the library has loaded
 * what it needs before the process locks itself in.  0 or -errno. */
int dh_prepare(void);

#endif
