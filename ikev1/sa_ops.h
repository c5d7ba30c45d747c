/* SPDX-License-Identifier: ISC */
/*
 * What the monitor asks of a data plane: IPsec SAs in and out, keys as
 * data.  Implementations: netlink (xfrm.h), a fake in the tests.
 */
#ifndef IKEV1_SA_OPS_H
#define IKEV1_SA_OPS_H

#include "ikev1/core/ike.h"

/* What an SA has carried. */
struct sa_usage {
	uint64_t packets, bytes;
};

struct sa_ops {
	/* 0 or -errno: -EEXIST when the SPI is taken. */
	int (*add)(void *ctx, const struct ike_kernel_sa *sa);
	/* spi, dst and dir count; -ESRCH when there is none. */
	int (*del)(void *ctx, const struct ike_kernel_sa *sa);
	/*
	 * sa as it was added (keys may be zero, lengths not), with the new
	 * addresses and ports.
	 */
	int (*encap)(void *ctx, const struct ike_kernel_sa *sa);
	/* What an SA (spi, dst and dir count) has carried; -ESRCH when
	 * there is none. */
	int (*query)(
	    void *ctx, const struct ike_kernel_sa *sa, struct sa_usage *out);
	/* Every SA whose mark is one of ours: slot, spi and dst of each, in
	 * an array to free().  0 or -errno. */
	int (*list)(void *ctx, struct ike_kernel_sa **out, size_t *count);
	/* Deletes every SA whose mark is one of ours. 0 or -errno. */
	int (*flush)(void *ctx);
};

#endif
