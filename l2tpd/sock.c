/* SPDX-License-Identifier: ISC */
/* R's UDP sockets: marked, under a socket policy, on a private port. */
#include "l2tpd/sock.h"

#include "l2tpd/lm_msg.h"

#include <errno.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_XFRM_POLICY
#define IP_XFRM_POLICY 17
#endif
#ifndef IPV6_XFRM_POLICY
#define IPV6_XFRM_POLICY 35
#endif

struct sock_policy {
	struct xfrm_userpolicy_info info;
	struct xfrm_user_tmpl tmpl;
};

static void policy_info(struct xfrm_userpolicy_info *info, int family, int dir)
{
	memset(info, 0, sizeof(*info));
	info->sel.family = (uint16_t)family;
	info->sel.proto = IPPROTO_UDP;
	info->dir = (uint8_t)dir;
	info->action = XFRM_POLICY_ALLOW;
	info->share = XFRM_SHARE_ANY;
	info->lft.soft_byte_limit = XFRM_INF;
	info->lft.hard_byte_limit = XFRM_INF;
	info->lft.soft_packet_limit = XFRM_INF;
	info->lft.hard_packet_limit = XFRM_INF;
}

/*
 * UDP in that direction only by ESP in transport mode with this reqid.  The
 * selector has no ports: nft rewrites them on the way.
 */
static int set_policy(int fd, int family, int dir, uint32_t reqid)
{
	struct sock_policy p;
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int name = family == AF_INET ? IP_XFRM_POLICY : IPV6_XFRM_POLICY;

	memset(&p, 0, sizeof(p));
	policy_info(&p.info, family, dir);
	p.tmpl.id.proto = IPPROTO_ESP;
	p.tmpl.family = (uint16_t)family;
	p.tmpl.mode = XFRM_MODE_TRANSPORT;
	p.tmpl.share = XFRM_SHARE_ANY;
	p.tmpl.reqid = reqid;
	p.tmpl.aalgos = UINT32_MAX;
	p.tmpl.ealgos = UINT32_MAX;
	p.tmpl.calgos = UINT32_MAX;
	return setsockopt(fd, level, name, &p, sizeof(p)) < 0 ? -errno : 0;
}

/*
 * The policies are there before the port is: between bind() and a policy
 * the socket would hear anybody.
 */
static int set_up(
    int fd, uint32_t slot, const struct sockaddr_storage *ss, socklen_t len)
{
	uint32_t mark = lm_slot_mark(slot);
	int family = ss->ss_family;
	int on = 1;
	int err;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -errno;
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return -errno;
	err = set_policy(fd, family, XFRM_POLICY_OUT, mark);
	if (!err)
		err = set_policy(fd, family, XFRM_POLICY_IN, mark);
	if (err)
		return err;
	return bind(fd, (const struct sockaddr *)ss, len) < 0 ? -errno : 0;
}

int sock_open(uint32_t slot, const struct addr *local)
{
	struct sockaddr_storage ss;
	struct addr at = *local;
	socklen_t len;
	int err;
	int fd;

	at.port = lm_slot_port(slot);
	len = addr_to_sockaddr(&at, &ss);
	if (!len || !slot || slot > PEER_SLOT_MAX)
		return -EINVAL;
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = set_up(fd, slot, &ss, len);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int sock_open_connected(
    uint32_t slot, const struct addr *local, const struct addr *peer)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int err;
	int fd;

	if (peer->family != local->family || !peer->port)
		return -EINVAL;
	fd = sock_open(slot, local);
	if (fd < 0)
		return fd;
	len = addr_to_sockaddr(peer, &ss);
	if (!len || connect(fd, (const struct sockaddr *)&ss, len) < 0) {
		err = len ? -errno : -EINVAL;
		close(fd);
		return err;
	}
	return fd;
}

int sock_open_mute(void)
{
	const struct sockaddr_in any = {
	    .sin_family = AF_INET, .sin_port = htons(1701)};
	struct xfrm_userpolicy_info block;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	policy_info(&block, AF_INET, XFRM_POLICY_IN);
	block.action = XFRM_POLICY_BLOCK;
	/* The policy first: the socket never hears anybody. */
	if (setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &block, sizeof(block)) ||
	    bind(fd, (const struct sockaddr *)&any, sizeof(any))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}
