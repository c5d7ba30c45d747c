/* SPDX-License-Identifier: ISC */
/* The kernel's SAs over XFRM netlink: the netlink data plane of sa_ops.h. */
#ifndef IKEV1_XFRM_H
#define IKEV1_XFRM_H

#include "common/log.h"
#include "ikev1/sa_ops.h"
#include "ikev1/xfrm_build.h"

#include <uv.h>

struct xfrm;

/* Called from the loop for each EXPIRE and MAPPING of an SA of ours, and
 * with LOST after some were dropped. */
typedef void (*xfrm_event_fn)(void *ctx, const struct xfrm_event *ev);

/* 0 with *out, or -errno (logged). Needs CAP_NET_ADMIN. */
int xfrm_open(struct log *log, struct xfrm **out);
/* Listens to the kernel from now on. 0 or -errno. */
int xfrm_listen(
    struct xfrm *x, uv_loop_t *loop, xfrm_event_fn event, void *ctx);
void xfrm_close(struct xfrm *x);

/* Its ctx is the struct xfrm. */
extern const struct sa_ops xfrm_sa_ops;

#endif
