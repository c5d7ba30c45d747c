/* SPDX-License-Identifier: ISC */
/* IKE's UDP sockets: options, receiving and sending with addresses. */
#include "ikev1/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MARKER_LEN 4
#define RECEIVE_BUFFER (1 << 20)

union pktinfo_control {
	size_t align; /* as struct cmsghdr: its first field */
	char v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* How the two families call the same things. */
static const struct family {
	int family, level;
	int ask_pktinfo, pktinfo, policy, discover, dont;
} families[] = {
    {AF_INET, IPPROTO_IP, IP_PKTINFO, IP_PKTINFO, IP_XFRM_POLICY,
	IP_MTU_DISCOVER, IP_PMTUDISC_DONT},
    {AF_INET6, IPPROTO_IPV6, IPV6_RECVPKTINFO, IPV6_PKTINFO, IPV6_XFRM_POLICY,
	IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT},
};

static const struct family *family_of(const struct addr *a)
{
	return &families[a->family == ADDR_IPV6];
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* Without templates and with "allow": this socket's packets need no SA. */
static int set_bypass(int fd, const struct family *f, uint8_t dir)
{
	struct xfrm_userpolicy_info policy = {0};

	policy.sel.family = (uint16_t)f->family;
	policy.lft.soft_byte_limit = policy.lft.hard_byte_limit = XFRM_INF;
	policy.lft.soft_packet_limit = policy.lft.hard_packet_limit = XFRM_INF;
	policy.dir = dir;
	policy.action = XFRM_POLICY_ALLOW;
	if (setsockopt(fd, f->level, f->policy, &policy, sizeof(policy)))
		return -errno;
	return 0;
}

/* ESP in UDP for the kernel; over IPv6 only since Linux 5.8, and there it
 * is needed by nobody but who forces it. */
static int set_encap(int fd, const struct addr *a)
{
	int err = set_int(fd, IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP);

	return a->family == ADDR_IPV6 && err == -ENOPROTOOPT ? 0 : err;
}

/*
 * On 500 ESP begins with eight zero bytes, and is the kernel's; IKE, whose
 * cookie is not zero, comes up.  Kernels without that say so: not needed.
 */
static void try_esp_500(int fd, const struct addr *a)
{
	if (a->family == ADDR_IPV4)
		set_int(fd, IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP_NON_IKE);
}

bool udp_takes_esp(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return !getsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &type, &len) && type;
}

static int set_options(int fd, const struct addr *a)
{
	const struct family *f = family_of(a);
	int err = set_int(fd, f->level, f->ask_pktinfo, 1);

	/* IPv4 has sockets of its own. */
	if (!err && f->family == AF_INET6)
		err = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!err)
		err = set_bypass(fd, f, XFRM_POLICY_IN);
	if (!err)
		err = set_bypass(fd, f, XFRM_POLICY_OUT);
	/* Large messages are fragmented, not refused. */
	if (!err)
		err = set_int(fd, f->level, f->discover, f->dont);
	if (!err)
		err = set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (!err && a->port == UDP_PORT_NATT)
		err = set_encap(fd, a);
	if (!err && a->port == UDP_PORT_IKE)
		try_esp_500(fd, a);
	return err;
}

int udp_open(const struct addr *a)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);
	int fd, err;

	if (!addr_ip_len(a))
		return -EAFNOSUPPORT;
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = set_options(fd, a);
	if (!err && bind(fd, (struct sockaddr *)&ss, len))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int udp_local(int fd, struct addr *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return -errno;
	return addr_from_sockaddr(out, (struct sockaddr *)&ss);
}

static bool local_of(struct msghdr *m, uint16_t port, struct addr *local)
{
	struct cmsghdr *c;

	*local = (struct addr){.port = port};
	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO &&
		    c->cmsg_len >= CMSG_LEN(sizeof(v4))) {
			memcpy(&v4, CMSG_DATA(c), sizeof(v4));
			local->family = ADDR_IPV4;
			memcpy(local->ip, &v4.ipi_spec_dst, 4);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_PKTINFO &&
			   c->cmsg_len >= CMSG_LEN(sizeof(v6))) {
			memcpy(&v6, CMSG_DATA(c), sizeof(v6));
			local->family = ADDR_IPV6;
			memcpy(local->ip, &v6.ipi6_addr, 16);
		}
	}
	return local->family != ADDR_NONE;
}

/* Puts the address to send from into m, which has room for it. */
static void put_local(struct msghdr *m, const struct addr *local)
{
	const struct family *f = family_of(local);
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};
	bool is_v6 = f->family == AF_INET6;
	size_t len = is_v6 ? sizeof(v6) : sizeof(v4);
	struct cmsghdr *c;

	m->msg_controllen = CMSG_SPACE(len);
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = f->level;
	c->cmsg_type = f->pktinfo;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(&v4.ipi_spec_dst, local->ip, 4);
	memcpy(&v6.ipi6_addr, local->ip, 16);
	memcpy(CMSG_DATA(c), is_v6 ? (void *)&v6 : (void *)&v4, len);
}

/* What surrounds one datagram in a system call. */
struct frame {
	struct sockaddr_storage other;
	union pktinfo_control control;
	struct iovec iov[2];
};

static void frame_in(
    struct frame *f, struct msghdr *m, uint8_t *buf, size_t size)
{
	f->iov[0] = (struct iovec){.iov_base = buf, .iov_len = size};
	*m = (struct msghdr){.msg_name = &f->other,
	    .msg_namelen = sizeof(f->other),
	    .msg_iov = f->iov,
	    .msg_iovlen = 1,
	    .msg_control = f->control.buf,
	    .msg_controllen = sizeof(f->control.buf)};
}

static ssize_t arrived(struct msghdr *m, size_t len, uint16_t port,
    struct addr *local, struct addr *peer)
{
	if (m->msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	if (!local_of(m, port, local) || addr_from_sockaddr(peer, m->msg_name))
		return -EAFNOSUPPORT;
	/* Nobody can be answered on port 0. */
	return peer->port ? (ssize_t)len : -EADDRNOTAVAIL;
}

ssize_t udp_recv(int fd, uint16_t port, void *buf, size_t size,
    struct addr *local, struct addr *peer)
{
	struct frame f;
	struct msghdr m;
	ssize_t n;

	frame_in(&f, &m, buf, size);
	do {
		n = recvmsg(fd, &m, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return arrived(&m, (size_t)n, port, local, peer);
}

int udp_recv_many(
    int fd, uint16_t port, struct udp_packet *packets, size_t count)
{
	struct frame f[UDP_MANY];
	struct mmsghdr m[UDP_MANY];
	int n;

	count = count < UDP_MANY ? count : UDP_MANY;
	for (size_t i = 0; i < count; i++)
		frame_in(
		    &f[i], &m[i].msg_hdr, packets[i].data, packets[i].size);
	do {
		n = recvmmsg(fd, m, (unsigned int)count, MSG_DONTWAIT, NULL);
	} while (n < 0 && errno == EINTR);
	for (int i = 0; i < n; i++)
		packets[i].len = arrived(&m[i].msg_hdr, m[i].msg_len, port,
		    &packets[i].local, &packets[i].peer);
	return n < 0 ? -errno : n;
}

static void frame_out(struct frame *f, struct msghdr *m,
    const struct addr *local, const struct addr *peer, struct wire_span data,
    bool has_marker)
{
	static const uint8_t marker[MARKER_LEN];

	f->iov[0] = (struct iovec){(void *)marker, sizeof(marker)};
	f->iov[1] = (struct iovec){(void *)data.data, data.len};
	memset(&f->control, 0, sizeof(f->control));
	*m = (struct msghdr){.msg_name = &f->other,
	    .msg_namelen = addr_to_sockaddr(peer, &f->other),
	    .msg_iov = has_marker ? f->iov : f->iov + 1,
	    .msg_iovlen = has_marker ? 2 : 1,
	    .msg_control = f->control.buf,
	    .msg_controllen = sizeof(f->control.buf)};
	put_local(m, local);
}

int udp_send(int fd, const struct addr *local, const struct addr *peer,
    struct wire_span data, bool has_marker)
{
	struct frame f;
	struct msghdr m;

	frame_out(&f, &m, local, peer, data, has_marker);
	if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

size_t udp_send_many(
    int fd, const struct udp_packet *packets, size_t count, int *error)
{
	struct frame f[UDP_MANY];
	struct mmsghdr m[UDP_MANY];
	int n;

	count = count < UDP_MANY ? count : UDP_MANY;
	for (size_t i = 0; i < count; i++)
		frame_out(&f[i], &m[i].msg_hdr, &packets[i].local,
		    &packets[i].peer,
		    (struct wire_span){packets[i].data, (size_t)packets[i].len},
		    packets[i].has_marker);
	n = sendmmsg(fd, m, (unsigned int)count, MSG_DONTWAIT | MSG_NOSIGNAL);
	*error = n < 0 ? -errno : 0;
	return n < 0 ? 1 : (size_t)n;
}

enum udp_kind udp_classify(
    uint16_t port, struct wire_span data, struct wire_span *ike)
{
	struct wire_reader r;

	*ike = data;
	wire_reader_init(&r, data.data, data.len);
	if (data.len == 1 && wire_get_u8(&r) == 0xff)
		return UDP_KEEPALIVE;
	if (port != UDP_PORT_NATT) {
		bool has_mark = !wire_get_u64(&r) && !wire_error(&r);

		return data.len && !has_mark ? UDP_IKE : UDP_OTHER;
	}
	if (wire_get_u32(&r) != 0 || wire_error(&r) || !wire_left(&r))
		return UDP_OTHER;
	*ike = wire_get_span(&r, wire_left(&r));
	return UDP_IKE;
}
