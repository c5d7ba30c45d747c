/* SPDX-License-Identifier: ISC */
/* IKE's UDP sockets, ports 500 and 4500 of each local address. */
#ifndef IKEV1_UDP_H
#define IKEV1_UDP_H

#include "common/addr.h"
#include "common/wire.h"

#include <stdbool.h>
#include <sys/types.h>

#define UDP_PORT_IKE 500
#define UDP_PORT_NATT 4500

/*
 * Opens one: bound to a with its port, tells the local address of
 * each datagram, passes clear text in both directions whatever global
 * policies say, and on 4500 hands ESP to the kernel; on 500 of IPv4 too,
 * with the eight zero bytes of NAT traversal's drafts 00 and 01, where the
 * kernel can do that (udp_takes_esp() says so).  Needs CAP_NET_ADMIN.
 * IPv4 and IPv6 have sockets of their own.
 * A descriptor (non-blocking, close-on-exec) or -errno: -EADDRINUSE when
 * another program has the port.
 */
int udp_open(const struct addr *a);

/* Whether the kernel takes ESP that comes to this socket. */
bool udp_takes_esp(int fd);

/* What a socket is bound to; 0 or -errno. */
int udp_local(int fd, struct addr *out);

/*
 * One datagram.  *local is where it arrived (the socket's port), *peer the
 * sender.  Its length, or -errno: -EAGAIN when there is none, -EMSGSIZE
 * when it did not fit (it is gone).
 */
ssize_t udp_recv(int fd, uint16_t port, void *buf, size_t size,
    struct addr *local, struct addr *peer);

/* Sends from local's address; with the non-ESP marker (RFC 3948 2.2) when
 * has_marker.  0 or -errno. */
int udp_send(int fd, const struct addr *local, const struct addr *peer,
    struct wire_span data, bool has_marker);

#define UDP_MANY 32 /* datagrams in one system call */

struct udp_packet {
	struct addr local, peer;
	uint8_t *data;	 /* borrowed */
	size_t size;	 /* in: room at data */
	ssize_t len;	 /* bytes; in: or -errno, as udp_recv() says */
	bool has_marker; /* out */
};

/*
 * Up to count (at most UDP_MANY) datagrams; data and size are given.  How
 * many came, each with its own result in len, or -errno when none did.
 */
int udp_recv_many(
    int fd, uint16_t port, struct udp_packet *packets, size_t count);
/*
 * Sends up to UDP_MANY in order.  How many are dealt with, at least 1 of
 * count > 0; *error is 0, or why the first of them was not sent.
 */
size_t udp_send_many(
    int fd, const struct udp_packet *packets, size_t count, int *error);

enum udp_kind {
	UDP_IKE,       /* *ike is the message */
	UDP_KEEPALIVE, /* one byte 0xff: RFC 3948 section 2.3 */
	UDP_OTHER,     /* ESP that the kernel left, or nothing */
};

/* Tells what arrived on port; on 4500 strips the marker.  On 500 ESP is
 * what begins with eight zero bytes. */
enum udp_kind udp_classify(
    uint16_t port, struct wire_span data, struct wire_span *ike);

#endif
