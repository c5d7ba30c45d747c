/* SPDX-License-Identifier: ISC */
/* Talks XFRM netlink: requests one at a time, and the kernel's events. */
#include "ikev1/xfrm.h"

#include "common/alloc.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BUFFER_SIZE 65536
#define EVENT_RCVBUF (4 << 20) /* a burst of expiries must not be lost */
#define ANSWER_S 2
#define FLUSH_ROUNDS 16

struct xfrm {
	struct log *log;
	int fd; /* requests */
	int event_fd;
	uv_poll_t poll;
	bool is_listening;
	uint32_t seq;
	xfrm_event_fn event;
	void *ctx;
};

union buffer {
	struct nlmsghdr h;
	char bytes[BUFFER_SIZE];
};

static int open_socket(uint32_t groups)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	const struct timeval wait = {.tv_sec = ANSWER_S};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	int err;

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&sa, sizeof(sa)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int xfrm_open(struct log *log, struct xfrm **out)
{
	struct xfrm *x = xcalloc(1, sizeof(*x));

	x->log = log;
	x->event_fd = -1;
	x->fd = open_socket(0);
	if (x->fd < 0) {
		int err = x->fd;

		log_error(log, "cannot open XFRM netlink: %s", strerror(-err));
		free(x);
		return err;
	}
	*out = x;
	return 0;
}

/*
 * Only the kernel (port 0) is listened to.  Bytes received, or -errno;
 * -EPERM for another sender.
 */
static ssize_t receive(int fd, union buffer *b, int flags)
{
	struct sockaddr_nl from;
	socklen_t from_len = sizeof(from);
	ssize_t n;

	do {
		n = recvfrom(fd, b, sizeof(*b), flags, (struct sockaddr *)&from,
		    &from_len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return from.nl_pid ? -EPERM : n;
}

/* Sends msg and frees it; the sequence number of it, or -errno. */
static int64_t send_msg(struct xfrm *x, struct nl_msg *msg)
{
	struct nlmsghdr *h;
	int err = 0;

	if (!msg)
		return -EINVAL;
	h = nlmsg_hdr(msg);
	h->nlmsg_seq = ++x->seq;
	if (send(x->fd, h, h->nlmsg_len, 0) < 0)
		err = -errno;
	xfrm_msg_free(msg);
	return err ? err : (int64_t)x->seq;
}

/* The kernel's answer to one request: 0 or -errno. */
static int ask(struct xfrm *x, struct nl_msg *msg)
{
	int64_t seq = send_msg(x, msg);
	union buffer b;

	if (seq < 0)
		return (int)seq;
	for (;;) {
		ssize_t n = receive(x->fd, &b, 0);
		struct nlmsgerr e;

		if (n == -EPERM)
			continue;
		if (n < 0)
			return (int)n;
		if (!NLMSG_OK(&b.h, (size_t)n) ||
		    b.h.nlmsg_seq != (uint32_t)seq ||
		    b.h.nlmsg_type != NLMSG_ERROR ||
		    b.h.nlmsg_len < NLMSG_LENGTH(sizeof(e)))
			continue; /* left over from a request that timed out */
		memcpy(&e, NLMSG_DATA(&b.h), sizeof(e));
		return e.error;
	}
}

static int op_add(void *ctx, const struct ike_kernel_sa *sa)
{
	return ask(ctx, xfrm_build_add(sa, false));
}

static int op_del(void *ctx, const struct ike_kernel_sa *sa)
{
	return ask(ctx, xfrm_build_del(sa));
}

/* The kernel wants keys in an update, and then ignores them. */
static int op_encap(void *ctx, const struct ike_kernel_sa *sa)
{
	return ask(ctx, xfrm_build_add(sa, true));
}

/* The kernel answers with the SA, or with an error. */
static int op_query(
    void *ctx, const struct ike_kernel_sa *sa, struct sa_usage *out)
{
	struct xfrm *x = ctx;
	int64_t seq = send_msg(x, xfrm_build_get(sa));
	union buffer b;

	if (seq < 0)
		return (int)seq;
	for (;;) {
		ssize_t n = receive(x->fd, &b, 0);
		struct xfrm_event ev;
		struct nlmsgerr e;

		if (n == -EPERM)
			continue;
		if (n < 0)
			return (int)n;
		if (!NLMSG_OK(&b.h, (size_t)n) ||
		    b.h.nlmsg_seq != (uint32_t)seq)
			continue;
		if (b.h.nlmsg_type == NLMSG_ERROR &&
		    b.h.nlmsg_len >= NLMSG_LENGTH(sizeof(e))) {
			memcpy(&e, NLMSG_DATA(&b.h), sizeof(e));
			return e.error ? e.error : -EIO;
		}
		xfrm_read_event(&b.h, (size_t)n, &ev);
		*out = (struct sa_usage){ev.packets, ev.bytes};
		return ev.type == XFRM_EVENT_SA ? 0 : -ESRCH;
	}
}

struct found {
	struct ike_kernel_sa *items;
	size_t count;
};

/* 0 when the message ends a dump well, or why it does not. */
static int dump_error(const struct nlmsghdr *h)
{
	struct nlmsgerr e = {.error = 0};

	if (h->nlmsg_type == NLMSG_ERROR &&
	    h->nlmsg_len >= NLMSG_LENGTH(sizeof(e)))
		memcpy(&e, NLMSG_DATA(h), sizeof(e));
	else if (h->nlmsg_len >= NLMSG_LENGTH(sizeof(e.error)))
		memcpy(&e.error, NLMSG_DATA(h), sizeof(e.error));
	return e.error < 0 ? e.error : 0;
}

/* One datagram of a dump: 1 when more comes, 0 at its end, or -errno. */
static int read_dump(
    const union buffer *b, size_t n, uint32_t seq, struct found *found)
{
	const struct nlmsghdr *h = &b->h;

	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		struct ike_kernel_sa sa = {0};
		struct xfrm_event ev;

		if (h->nlmsg_seq != seq)
			continue;
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return dump_error(h);
		xfrm_read_event(h, n, &ev);
		if (ev.type != XFRM_EVENT_SA)
			continue;
		sa.slot = ev.slot;
		sa.spi = ev.spi;
		sa.dst = ev.dst;
		found->items = xreallocarray(
		    found->items, found->count + 1, sizeof(*found->items));
		found->items[found->count++] = sa;
	}
	return 1;
}

static int dump(struct xfrm *x, struct found *found)
{
	int64_t seq = send_msg(x, xfrm_build_dump());
	union buffer b;

	if (seq < 0)
		return (int)seq;
	for (;;) {
		ssize_t n = receive(x->fd, &b, 0);
		int more;

		if (n == -EPERM)
			continue;
		if (n < 0)
			return (int)n;
		more = read_dump(&b, (size_t)n, (uint32_t)seq, found);
		if (more <= 0)
			return more;
	}
}

static int op_list(void *ctx, struct ike_kernel_sa **out, size_t *count)
{
	struct found found = {0};
	int err = dump(ctx, &found);

	if (err) {
		free(found.items);
		return err;
	}
	*out = found.items;
	*count = found.count;
	return 0;
}

/* Again until none is left: a dump may miss what changes meanwhile. */
static int op_flush(void *ctx)
{
	struct xfrm *x = ctx;

	for (int round = 0; round < FLUSH_ROUNDS; round++) {
		struct found found = {0};
		int err = dump(x, &found);

		for (size_t i = 0; !err && i < found.count; i++) {
			err = op_del(x, &found.items[i]);
			if (err == -ESRCH)
				err = 0;
		}
		free(found.items);
		if (err || !found.count)
			return err;
	}
	return -EBUSY;
}

const struct sa_ops xfrm_sa_ops = {
    op_add, op_del, op_encap, op_query, op_list, op_flush};

/* What is there; true when the kernel dropped some. */
static bool read_events(struct xfrm *x)
{
	union buffer b;
	bool is_lost = false;

	for (int i = 0; i < 64; i++) {
		ssize_t got = receive(x->event_fd, &b, MSG_DONTWAIT);
		const struct nlmsghdr *h = &b.h;
		size_t n = (size_t)got;

		is_lost |= got == -ENOBUFS;
		if (got == -ENOBUFS || got == -EPERM)
			continue;
		if (got < 0)
			break;
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			struct xfrm_event ev;

			xfrm_read_event(h, n, &ev);
			if (ev.type == XFRM_EVENT_EXPIRE ||
			    ev.type == XFRM_EVENT_MAPPING)
				x->event(x->ctx, &ev);
		}
	}
	return is_lost;
}

static void on_events(uv_poll_t *poll, int status, int events)
{
	const struct xfrm_event lost = {.type = XFRM_EVENT_LOST};
	struct xfrm *x = poll->data;

	(void)status;
	(void)events;
	if (read_events(x))
		x->event(x->ctx, &lost);
}

/*
 * EXPIRE and MAPPING only.  A listener to ACQUIRE would make the kernel
 * create a larval SA for every packet that finds none.
 */
int xfrm_listen(struct xfrm *x, uv_loop_t *loop, xfrm_event_fn event, void *ctx)
{
	const uint32_t groups =
	    1u << (XFRMNLGRP_EXPIRE - 1) | 1u << (XFRMNLGRP_MAPPING - 1);
	const int size = EVENT_RCVBUF;

	x->event_fd = open_socket(groups);
	if (x->event_fd < 0)
		return x->event_fd;
	if (setsockopt(
		x->event_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		log_debug(x->log, "small buffer for XFRM events");
	x->event = event;
	x->ctx = ctx;
	uv_poll_init(loop, &x->poll, x->event_fd);
	x->poll.data = x;
	x->is_listening = true;
	return uv_poll_start(&x->poll, UV_READABLE, on_events);
}

static void on_closed(uv_handle_t *handle)
{
	struct xfrm *x = handle->data;

	close(x->event_fd);
	free(x);
}

void xfrm_close(struct xfrm *x)
{
	if (!x)
		return;
	close(x->fd);
	if (x->is_listening)
		uv_close((uv_handle_t *)&x->poll, on_closed);
	else
		free(x);
}
