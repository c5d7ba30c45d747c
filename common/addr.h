/* SPDX-License-Identifier: ISC */
/*
 * One Internet address with a port, IPv4 or IPv6, as the cores use it:
 * no sockaddr, all in plain bytes, so that it can be saved and compared.
 */
#ifndef COMMON_ADDR_H
#define COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum addr_family {
	ADDR_NONE = 0,
	ADDR_IPV4 = 4,
	ADDR_IPV6 = 6,
};

struct addr {
	uint8_t family; /* enum addr_family */
	uint8_t ip[16]; /* network order; IPv4 uses the first four */
	uint16_t port;	/* host order */
};

/* "203.0.113.7:500", "[2001:db8::1]:500"; without ":port" when port is 0. */
#define ADDR_TEXT_MAX 56

/* Number of address bytes: 4, 16, or 0 for ADDR_NONE. */
size_t addr_ip_len(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
/* The same without looking at the port. */
bool addr_ip_equal(const struct addr *a, const struct addr *b);
/* Parses a bare IPv4 or IPv6 address (no port, no name). 0 or -EINVAL. */
int addr_parse(struct addr *a, const char *text);
/* Writes the text form to out and returns out; always terminated. */
const char *addr_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
/* The same without the port. */
const char *addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX]);
/* To and from the socket API. -EAFNOSUPPORT for another family. */
int addr_from_sockaddr(struct addr *a, const struct sockaddr *sa);
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss);
/* True when the first bits of a's address are those of net's. */
bool addr_in_prefix(
    const struct addr *a, const struct addr *net, unsigned int bits);

#endif
