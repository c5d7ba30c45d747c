/* SPDX-License-Identifier: ISC */
/*
 * Runs Diffie-Hellman: cheap groups at once, dear ones in libuv's threads,
 * with a bound on how many wait.
 */
#ifndef IKEV1_DH_POOL_H
#define IKEV1_DH_POOL_H

#include "ikev1/dh.h"

#include <uv.h>

#define DH_POOL_MAX IKE_DH_JOBS_MAX /* the core asks for no more */

struct dh_pool;

/* err: 0 or -errno; res is wiped after the call. */
typedef void (*dh_done_fn)(
    void *ctx, uint32_t job, int err, const struct dh_result *res);

struct dh_pool *dh_pool_new(uv_loop_t *loop, dh_done_fn done, void *ctx);
/* One of the three things that can be asked for. */
enum dh_op {
	DH_OP_EXCHANGE, /* dh_exchange() */
	DH_OP_KEYGEN,	/* dh_keygen() */
	DH_OP_FINISH,	/* dh_finish() */
};

struct dh_request {
	enum dh_op op;
	uint16_t group;
	struct wire_span peer_pub; /* EXCHANGE, FINISH */
	struct wire_span priv;	   /* FINISH */
};

/*
 * Copies the request and calls done exactly once: before it returns for a cheap
 * group, or with -EBUSY when DH_POOL_MAX are waiting; from the loop otherwise.
 */
void dh_pool_submit(
    struct dh_pool *p, uint32_t job, const struct dh_request *req);
size_t dh_pool_waiting(const struct dh_pool *p);
/* No more calls of done; frees now, or when the last job is through. */
void dh_pool_free(struct dh_pool *p);

#endif
