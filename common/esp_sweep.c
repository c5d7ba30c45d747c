/* SPDX-License-Identifier: ISC */
/* Finds and deletes our range's ESP SAs over XFRM netlink. */
#include "common/esp_sweep.h"

#include "common/alloc.h"
#include "common/peer_link.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BUFFER_SIZE 65536
#define ANSWER_S 2
/* A dump may miss what changes meanwhile. */
#define ROUNDS 8

union buffer {
	struct nlmsghdr h;
	char bytes[BUFFER_SIZE];
};

/* A request as it is sent: header, then the body. */
struct delete_request {
	struct nlmsghdr h;
	struct xfrm_usersa_id id;
};

struct requests {
	struct delete_request *items;
	size_t count;
};

int esp_sweep_request(
    const struct nlmsghdr *sa, size_t len, uint32_t seq, void *out)
{
	struct delete_request req;
	struct xfrm_usersa_info info;
	uint32_t slot;

	if (len < sizeof(*sa) || sa->nlmsg_len > len ||
	    sa->nlmsg_type != XFRM_MSG_NEWSA ||
	    sa->nlmsg_len < NLMSG_LENGTH(sizeof(info)))
		return -ENOENT;
	memcpy(&info, NLMSG_DATA(sa), sizeof(info));
	slot = info.reqid ^ PEER_MARK_BASE;
	if (info.id.proto != IPPROTO_ESP || !slot || slot > PEER_SLOT_MAX)
		return -ENOENT;
	memset(&req, 0, sizeof(req));
	req.h.nlmsg_len = sizeof(req);
	req.h.nlmsg_type = XFRM_MSG_DELSA;
	req.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	req.h.nlmsg_seq = seq;
	req.id.daddr = info.id.daddr;
	req.id.spi = info.id.spi;
	req.id.family = info.family;
	req.id.proto = info.id.proto;
	_Static_assert(sizeof(req) <= ESP_SWEEP_REQUEST_MAX, "room");
	memcpy(out, &req, sizeof(req));
	return 0;
}

static int open_socket(void)
{
	const struct timeval wait = {.tv_sec = ANSWER_S};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static int send_request(int fd, const void *data, size_t len)
{
	return send(fd, data, len, 0) == (ssize_t)len ? 0 : -errno;
}

/* Bytes of the kernel's next datagram, or -errno. */
static ssize_t receive(int fd, union buffer *b)
{
	struct sockaddr_nl from;
	socklen_t from_len = sizeof(from);
	ssize_t n;

	do
		n = recvfrom(
		    fd, b, sizeof(*b), 0, (struct sockaddr *)&from, &from_len);
	while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid));
	return n < 0 ? -errno : n;
}

/* The error of NLMSG_ERROR and NLMSG_DONE; 0: there is none. */
static int error_of(const struct nlmsghdr *h)
{
	int error = 0;

	if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(error)))
		memcpy(&error, NLMSG_DATA(h), sizeof(error));
	return error < 0 ? error : 0;
}

/* One datagram of the dump: 1 when more comes, 0 at the end, or -errno. */
static int collect(
    const union buffer *b, size_t n, uint32_t seq, struct requests *out)
{
	const struct nlmsghdr *h = &b->h;

	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		char one[ESP_SWEEP_REQUEST_MAX];

		if (h->nlmsg_seq != seq)
			continue;
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return error_of(h);
		if (esp_sweep_request(
			h, n, seq + 1 + (uint32_t)out->count, one))
			continue;
		out->items = xreallocarray(
		    out->items, out->count + 1, sizeof(*out->items));
		memcpy(&out->items[out->count++], one, sizeof(out->items[0]));
	}
	return 1;
}

static int dump(int fd, uint32_t seq, struct requests *out)
{
	const struct nlmsghdr ask = {
	    .nlmsg_len = sizeof(ask),
	    .nlmsg_type = XFRM_MSG_GETSA,
	    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
	    .nlmsg_seq = seq,
	};
	int more = send_request(fd, &ask, sizeof(ask));
	union buffer b;

	if (more)
		return more;
	do {
		ssize_t n = receive(fd, &b);

		more = n < 0 ? (int)n : collect(&b, (size_t)n, seq, out);
	} while (more > 0);
	return more;
}

/* 0, also when the SA has gone by itself, or -errno. */
static int delete_one(int fd, const struct delete_request *req)
{
	int err = send_request(fd, req, sizeof(*req));
	union buffer b;

	while (!err) {
		ssize_t n = receive(fd, &b);

		if (n < 0)
			return (int)n;
		if (!NLMSG_OK(&b.h, (size_t)n) ||
		    b.h.nlmsg_seq != req->h.nlmsg_seq ||
		    b.h.nlmsg_type != NLMSG_ERROR)
			continue;
		err = error_of(&b.h);
		return err == -ESRCH ? 0 : err;
	}
	return err;
}

int esp_sweep(size_t *deleted)
{
	int fd = open_socket(), err = 0;
	uint32_t seq = 1;

	*deleted = 0;
	if (fd < 0)
		return fd;
	for (int round = 0; round < ROUNDS; round++) {
		struct requests list = {NULL, 0};

		err = dump(fd, seq, &list);
		for (size_t i = 0; !err && i < list.count; i++)
			err = delete_one(fd, &list.items[i]);
		free(list.items);
		seq += 1 + (uint32_t)list.count;
		*deleted += list.count;
		if (err || !list.count)
			break;
		err = -EBUSY;
	}
	close(fd);
	return err;
}
