/* SPDX-License-Identifier: ISC */
/* Internet addresses in plain bytes; the contract is in the header. */
#include "common/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

size_t addr_ip_len(const struct addr *a)
{
	if (a->family == ADDR_IPV4)
		return 4;
	return a->family == ADDR_IPV6 ? 16 : 0;
}

bool addr_ip_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, addr_ip_len(a));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_ip_equal(a, b) && a->port == b->port;
}

int addr_parse(struct addr *a, const char *text)
{
	*a = (struct addr){0};
	if (inet_pton(AF_INET, text, a->ip) == 1)
		a->family = ADDR_IPV4;
	else if (inet_pton(AF_INET6, text, a->ip) == 1)
		a->family = ADDR_IPV6;
	else
		return -EINVAL;
	return 0;
}

/* In decimal, without a zero in front; where it ends. */
static char *put_number(char *out, unsigned int v)
{
	char digits[5];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10));
	while (n)
		*out++ = digits[--n];
	return out;
}

/* By hand: each client's address is in several texts, and inet_ntop() and
 * snprintf() take half a microsecond for each. */
static char *put_ipv4(char *out, const uint8_t ip[4])
{
	for (size_t i = 0; i < 4; i++) {
		if (i)
			*out++ = '.';
		out = put_number(out, ip[i]);
	}
	return out;
}

const char *addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	if (a->family == ADDR_IPV4)
		*put_ipv4(out, a->ip) = '\0';
	else if (!addr_ip_len(a) ||
		 !inet_ntop(AF_INET6, a->ip, out, ADDR_TEXT_MAX))
		snprintf(out, ADDR_TEXT_MAX, "(none)");
	return out;
}

const char *addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
	char ip[ADDR_TEXT_MAX], *end;

	if (a->family == ADDR_IPV4 && a->port) {
		end = put_ipv4(out, a->ip);
		*end++ = ':';
		*put_number(end, a->port) = '\0';
		return out;
	}
	addr_ip_text(a, ip);
	if (!a->port)
		snprintf(out, ADDR_TEXT_MAX, "%.46s", ip);
	else if (a->family == ADDR_IPV6)
		snprintf(out, ADDR_TEXT_MAX, "[%.46s]:%u", ip, a->port);
	else
		snprintf(out, ADDR_TEXT_MAX, "%.46s:%u", ip, a->port);
	return out;
}

int addr_from_sockaddr(struct addr *a, const struct sockaddr *sa)
{
	*a = (struct addr){0};
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		a->family = ADDR_IPV4;
		memcpy(a->ip, &in.sin_addr, 4);
		a->port = ntohs(in.sin_port);
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		a->family = ADDR_IPV6;
		memcpy(a->ip, &in6.sin6_addr, 16);
		a->port = ntohs(in6.sin6_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (a->family == ADDR_IPV6) {
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

		memcpy(&in6.sin6_addr, a->ip, 16);
		in6.sin6_port = htons(a->port);
		memcpy(ss, &in6, sizeof(in6));
		return sizeof(in6);
	}
	struct sockaddr_in in = {.sin_family = AF_INET};

	memcpy(&in.sin_addr, a->ip, 4);
	in.sin_port = htons(a->port);
	memcpy(ss, &in, sizeof(in));
	return sizeof(in);
}

bool addr_in_prefix(
    const struct addr *a, const struct addr *net, unsigned int bits)
{
	size_t len = addr_ip_len(a);

	if (!len || a->family != net->family || bits > len * 8)
		return false;
	if (memcmp(a->ip, net->ip, bits / 8))
		return false;
	if (bits % 8 == 0)
		return true;
	return !((a->ip[bits / 8] ^ net->ip[bits / 8]) >> (8 - bits % 8));
}
