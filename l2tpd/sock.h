/* SPDX-License-Identifier: ISC */
/*
 * The UDP sockets of one R.  Each carries the mark of its slot and a policy
 * of its own in both directions, so that neither reads nor sends anything
 * that was not, or will not be, protected by R's SAs.
 */
#ifndef L2TPD_SOCK_H
#define L2TPD_SOCK_H

#include "common/addr.h"

#include <stdint.h>

/*
 * An unconnected socket on the slot's private port; local is the address
 * of the IKE exchange (its port is ignored).  A descriptor, non-blocking
 * and close-on-exec, or -errno: when any step fails there is no socket.
 * Needs CAP_NET_ADMIN.
 */
int sock_open(uint32_t slot, const struct addr *local);
/* The same, connected to peer (address and port). */
int sock_open_connected(
    uint32_t slot, const struct addr *local, const struct addr *peer);

/*
 * A socket on UDP 1701 of every IPv4 address that hears nothing: its policy
 * blocks each packet.  It is there so that a decrypted packet which nft did
 * not rewrite (somebody flushed the ruleset) finds a socket: without one
 * the kernel would answer it with an ICMP error in clear that quotes it.
 * A descriptor or -errno; -EADDRINUSE when another program has the port.
 */
int sock_open_mute(void);

#endif
