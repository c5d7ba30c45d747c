/* SPDX-License-Identifier: ISC */
/*
 * The kernel's L2TP tunnels and sessions through PPPoX sockets (family
 * AF_PPPOX, protocol PX_PROTO_OL2TP).  A tunnel lives as long as its UDP
 * socket, a session as long as its PPPoX socket.  close() of either blocks
 * for 14 to 35 ms: it belongs on a worker thread.
 */
#ifndef L2TPD_PPPOX_H
#define L2TPD_PPPOX_H

#include "l2tpd/kernel.h"

/*
 * Makes udp_fd (connected) a kernel tunnel and returns its management
 * socket, or -errno.
 */
int pppox_tunnel_open(int udp_fd, const struct kernel_tunnel *t);
/* A session of that tunnel, in LNS mode; its socket or -errno. */
int pppox_session_open(int udp_fd, const struct kernel_session *s);
/* Counters of a session's socket. 0 or -errno. */
int pppox_session_stats(int pppox_fd, uint16_t tunnel_id, uint16_t session_id,
    struct lm_stats *out);

#endif
