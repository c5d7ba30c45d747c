/* SPDX-License-Identifier: ISC */
/* L2TP tunnels and sessions of the kernel through PPPoX sockets. */
#include "l2tpd/pppox.h"

#include <errno.h>
/* Before the kernel's headers, which then leave its types alone. */
#include <netinet/in.h>

#include <linux/if_pppox.h>
#include <linux/ppp-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_PPPOL2TP
#define SOL_PPPOL2TP 273
#endif

struct pppox_ids {
	uint16_t tunnel, session, peer_tunnel, peer_session;
};

/* The two forms of the address, by family; the length, 0 for neither. */
static socklen_t fill_address(struct sockaddr_storage *out, int udp_fd,
    const struct addr *peer, const struct pppox_ids *ids)
{
	struct sockaddr_pppol2tp v4;
	struct sockaddr_pppol2tpin6 v6;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(peer, &ss);

	if (!len)
		return 0;
	if (ss.ss_family == AF_INET) {
		memset(&v4, 0, sizeof(v4));
		v4.sa_family = AF_PPPOX;
		v4.sa_protocol = PX_PROTO_OL2TP;
		v4.pppol2tp.fd = udp_fd;
		memcpy(&v4.pppol2tp.addr, &ss, sizeof(v4.pppol2tp.addr));
		v4.pppol2tp.s_tunnel = ids->tunnel;
		v4.pppol2tp.s_session = ids->session;
		v4.pppol2tp.d_tunnel = ids->peer_tunnel;
		v4.pppol2tp.d_session = ids->peer_session;
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memset(&v6, 0, sizeof(v6));
	v6.sa_family = AF_PPPOX;
	v6.sa_protocol = PX_PROTO_OL2TP;
	v6.pppol2tp.fd = udp_fd;
	memcpy(&v6.pppol2tp.addr, &ss, sizeof(v6.pppol2tp.addr));
	v6.pppol2tp.s_tunnel = ids->tunnel;
	v6.pppol2tp.s_session = ids->session;
	v6.pppol2tp.d_tunnel = ids->peer_tunnel;
	v6.pppol2tp.d_session = ids->peer_session;
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

static int open_connected(
    int udp_fd, const struct addr *peer, const struct pppox_ids *ids)
{
	struct sockaddr_storage ss;
	socklen_t len = fill_address(&ss, udp_fd, peer, ids);
	int err;
	int fd;

	if (!len)
		return -EAFNOSUPPORT;
	fd = socket(AF_PPPOX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    PX_PROTO_OL2TP);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&ss, len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int pppox_tunnel_open(int udp_fd, const struct kernel_tunnel *t)
{
	struct pppox_ids ids = {
	    .tunnel = t->tunnel_id,
	    .peer_tunnel = t->peer_tunnel_id,
	};

	return open_connected(udp_fd, &t->peer, &ids);
}

/* RFC 2661 section 5.4: the LNS decides about sequence numbers. */
static int set_options(int fd, int sequencing)
{
	int on = 1;

	if (setsockopt(fd, SOL_PPPOL2TP, PPPOL2TP_SO_LNSMODE, &on, sizeof(on)) <
	    0)
		return -errno;
	if (sequencing && setsockopt(fd, SOL_PPPOL2TP, PPPOL2TP_SO_SENDSEQ, &on,
			      sizeof(on)) < 0)
		return -errno;
	return 0;
}

int pppox_session_open(int udp_fd, const struct kernel_session *s)
{
	struct pppox_ids ids = {
	    .tunnel = s->tunnel_id,
	    .session = s->session_id,
	    .peer_tunnel = s->peer_tunnel_id,
	    .peer_session = s->peer_session_id,
	};
	int fd = open_connected(udp_fd, &s->peer, &ids);
	int err;

	if (fd < 0)
		return fd;
	err = set_options(fd, s->sequencing);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int pppox_session_stats(
    int pppox_fd, uint16_t tunnel_id, uint16_t session_id, struct lm_stats *out)
{
	struct pppol2tp_ioc_stats st;

	memset(&st, 0, sizeof(st));
	memset(out, 0, sizeof(*out));
	st.tunnel_id = tunnel_id;
	st.session_id = session_id;
	if (ioctl(pppox_fd, PPPIOCGL2TPSTATS, &st) < 0)
		return -errno;
	out->bytes_in = st.rx_bytes;
	out->bytes_out = st.tx_bytes;
	out->packets_in = st.rx_packets;
	out->packets_out = st.tx_packets;
	return 0;
}
