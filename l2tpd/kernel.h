/* SPDX-License-Identifier: ISC */
/*
 * What the monitor needs of the kernel and of pppd, as operations: the real
 * ones are in kernel.c, the tests' in a fake.  Descriptors are
 * close-on-exec and belong to the caller.
 */
#ifndef L2TPD_KERNEL_H
#define L2TPD_KERNEL_H

#include "common/addr.h"
#include "l2tpd/lm_msg.h"

#include <stddef.h>
#include <stdint.h>

/* A running PPP process of one session; what it is only the ops know. */
struct ppp;

struct kernel_tunnel {
	uint32_t slot;
	struct addr local, peer; /* inner; peer with its port */
	uint16_t tunnel_id, peer_tunnel_id;
};

struct kernel_session {
	uint64_t r;
	uint32_t slot;
	uint32_t index; /* which session of R, from 0: interface name */
	struct addr peer;
	uint16_t tunnel_id, peer_tunnel_id;
	uint16_t session_id, peer_session_id;
	uint8_t sequencing;
};

/* PPP is over; reason is for the log and for CDN.  ppp is invalid then. */
typedef void (*kernel_ppp_end_fn)(void *arg, const char *reason);
typedef void (*kernel_closed_fn)(void *arg);

struct kernel_ops {
	/* R's unconnected socket, or -errno. */
	int (*peer_socket)(void *ctx, uint32_t slot, const struct addr *local);
	/* The same, connected to one client port. */
	int (*tunnel_socket)(void *ctx, const struct kernel_tunnel *t);
	/* The kernel's tunnel on that socket: its PPPoX socket. */
	int (*tunnel_open)(
	    void *ctx, int udp_fd, const struct kernel_tunnel *t);
	/* A session in it: its PPPoX socket. */
	int (*session_open)(
	    void *ctx, int udp_fd, const struct kernel_session *s);
	/* Counters of a session; 0 or -errno. */
	int (*session_stats)(void *ctx, int pppox_fd, uint16_t tunnel_id,
	    uint16_t session_id, struct lm_stats *out);
	/*
	 * PPP on a session.  pppox_fd stays the caller's; *plugin_fd is our
	 * end of the plugin's socket.  0 or -errno; end comes later, never
	 * from inside.
	 */
	int (*ppp_start)(void *ctx, const struct kernel_session *s,
	    int pppox_fd, kernel_ppp_end_fn end, void *arg, int *plugin_fd,
	    struct ppp **out);
	/* Politely (then by force, after some seconds), or by force now. */
	void (*ppp_stop)(void *ctx, struct ppp *ppp, int is_forced);
	/*
	 * Closes up to two descriptors in that order, without blocking the
	 * caller; done comes later, never from inside.
	 */
	void (*close)(
	    void *ctx, const int fds[2], kernel_closed_fn done, void *arg);
};

#endif
