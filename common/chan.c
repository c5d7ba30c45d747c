/* SPDX-License-Identifier: ISC */
/* Message channels over SOCK_SEQPACKET, with and without a loop. */
#include "common/chan.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Room for a list of a full house, 16383 clients of three objects each, to
 * a reader that has not begun.
 */
#define QUEUE_MESSAGES_MAX 65536
#define QUEUE_BYTES_MAX (32u << 20)
#define READS_A_WAKEUP 64 /* then the loop's other work has its turn */

struct chan_queued {
	struct chan_queued *next;
	int fd; /* ours, or -1 */
	size_t len;
	uint8_t data[];
};

struct chan {
	uv_poll_t poll;
	int fd;
	const struct msg_table *table;
	struct chan_handlers handlers;
	size_t body_size; /* of the largest message of the table */
	void *body;
	struct chan_queued *first, **last;
	size_t queued_count, queued_bytes;
	int error;	 /* why it broke; 0: it has not */
	bool is_ended;	 /* the end callback has run */
	bool is_closing; /* chan_close() was called */
	bool is_writable_wanted;
};

union fd_control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

static int send_bytes(int fd, const void *data, size_t len, int pass, int flags)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	union fd_control control = {0};

	if (pass >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.buf;
		m.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass, sizeof(int));
	}
	for (;;) {
		ssize_t n = sendmsg(fd, &m, flags | MSG_NOSIGNAL);

		if (n >= 0)
			return (size_t)n == len ? 0 : -EMSGSIZE;
		if (errno != EINTR)
			return -errno;
	}
}

/* The one descriptor in m, or -1; more than one cannot arrive. */
static int passed_fd(struct msghdr *m)
{
	struct cmsghdr *c;
	int fd = -1;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

/* Bytes received (> 0); -ENODATA at the end; -errno. */
static int recv_bytes(int fd, void *data, size_t size, int *got_fd, int flags)
{
	struct iovec iov = {.iov_base = data, .iov_len = size};
	union fd_control control;
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.buf,
	    .msg_controllen = sizeof(control.buf)};
	ssize_t n;

	*got_fd = -1;
	do {
		n = recvmsg(fd, &m, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*got_fd = passed_fd(&m);
	if (n > 0 && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return (int)n;
	if (*got_fd >= 0)
		close(*got_fd);
	*got_fd = -1;
	return n > 0 ? -EMSGSIZE : -ENODATA;
}

int chan_sync_send(int fd, const struct msg_table *table, uint16_t type,
    uint32_t seq, const void *body, int pass_fd)
{
	uint8_t buf[MSG_MAX];
	int n = msg_encode(table, type, seq, body, buf, sizeof(buf)), err;

	if (n < 0)
		return n;
	err = send_bytes(fd, buf, (size_t)n, pass_fd, 0);
	secret_wipe(buf, (size_t)n);
	return err;
}

int chan_sync_recv(int fd, const struct msg_table *table,
    struct msg_header *hdr, void *body, size_t size, int *got_fd)
{
	uint8_t buf[MSG_MAX];
	int n = recv_bytes(fd, buf, sizeof(buf), got_fd, 0), err;

	if (n < 0)
		return n;
	err = msg_decode(table, buf, (size_t)n, hdr, body, size);
	secret_wipe(buf, (size_t)n);
	if (err && *got_fd >= 0) {
		close(*got_fd);
		*got_fd = -1;
	}
	return err;
}

static void queue_pop(struct chan *c)
{
	struct chan_queued *q = c->first;

	c->first = q->next;
	if (!c->first)
		c->last = &c->first;
	c->queued_count--;
	c->queued_bytes -= q->len;
	if (q->fd >= 0)
		close(q->fd);
	secret_free(q, sizeof(*q) + q->len);
}

/*
 * The channel can't go on.  A shut down socket reads as ended, so that the
 * end callback comes from the loop and not from inside chan_send().
 */
static int break_off(struct chan *c, int error)
{
	if (!c->error)
		c->error = error;
	while (c->first)
		queue_pop(c);
	shutdown(c->fd, SHUT_RDWR);
	return -EPIPE;
}

static void on_poll(uv_poll_t *handle, int status, int events);

static void watch(struct chan *c, bool want_writable)
{
	if (c->is_writable_wanted == want_writable)
		return;
	c->is_writable_wanted = want_writable;
	uv_poll_start(
	    &c->poll, UV_READABLE | (want_writable ? UV_WRITABLE : 0), on_poll);
}

static int queue_push(struct chan *c, const void *data, size_t len, int fd)
{
	struct chan_queued *q;
	int copy = -1;

	if (c->queued_count >= QUEUE_MESSAGES_MAX ||
	    c->queued_bytes + len > QUEUE_BYTES_MAX)
		return break_off(c, -ENOBUFS);
	if (fd >= 0) {
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (copy < 0)
			return break_off(c, -errno);
	}
	q = xmalloc(sizeof(*q) + len);
	*q = (struct chan_queued){.fd = copy, .len = len};
	memcpy(q->data, data, len);
	*c->last = q;
	c->last = &q->next;
	c->queued_count++;
	c->queued_bytes += len;
	watch(c, true);
	return 0;
}

int chan_send(
    struct chan *c, uint16_t type, uint32_t seq, const void *body, int fd)
{
	uint8_t buf[MSG_MAX];
	int n, err;

	if (c->error || c->is_ended || c->is_closing)
		return -EPIPE;
	n = msg_encode(c->table, type, seq, body, buf, sizeof(buf));
	if (n < 0)
		return n;
	err = c->first ? -EAGAIN
		       : send_bytes(c->fd, buf, (size_t)n, fd, MSG_DONTWAIT);
	if (err == -EAGAIN)
		err = queue_push(c, buf, (size_t)n, fd);
	else if (err)
		err = break_off(c, err);
	secret_wipe(buf, (size_t)n);
	return err;
}

int chan_is_flushed(const struct chan *c)
{
	return !c->first;
}

static void flush_queue(struct chan *c)
{
	while (c->first) {
		struct chan_queued *q = c->first;
		int err =
		    send_bytes(c->fd, q->data, q->len, q->fd, MSG_DONTWAIT);

		if (err == -EAGAIN)
			return;
		if (err) {
			break_off(c, err);
			return;
		}
		queue_pop(c);
	}
	watch(c, false);
}

static void end(struct chan *c, int error)
{
	c->is_ended = true;
	uv_poll_stop(&c->poll);
	if (c->error)
		error = c->error;
	if (c->handlers.end)
		c->handlers.end(c->handlers.ctx, c, error);
}

static void deliver(struct chan *c, const uint8_t *data, size_t len, int fd)
{
	struct msg_header hdr;
	int err = msg_decode(c->table, data, len, &hdr, c->body, c->body_size);

	if (!err)
		c->handlers.message(c->handlers.ctx, c, &hdr, c->body, fd);
	else if (fd >= 0)
		close(fd);
	secret_wipe(c->body, c->body_size);
	if (err && !c->is_closing)
		end(c, err);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
	struct chan *c = handle->data;
	uint8_t buf[MSG_MAX];

	if (status >= 0 && (events & UV_WRITABLE))
		flush_queue(c);
	for (int i = 0; i < READS_A_WAKEUP; i++) {
		int fd;
		int n = recv_bytes(c->fd, buf, sizeof(buf), &fd, MSG_DONTWAIT);

		if (n == -EAGAIN)
			return;
		if (n < 0) {
			end(c, n == -ENODATA ? 0 : n);
			return;
		}
		deliver(c, buf, (size_t)n, fd);
		secret_wipe(buf, (size_t)n);
		if (c->is_closing || c->is_ended)
			return;
	}
}

struct chan *chan_open(uv_loop_t *loop, int fd, const struct msg_table *table,
    const struct chan_handlers *handlers)
{
	struct chan *c = xcalloc(1, sizeof(*c));

	c->fd = fd;
	c->table = table;
	c->handlers = *handlers;
	c->last = &c->first;
	for (size_t i = 0; i < table->count; i++)
		if (table->descs[i].size > c->body_size)
			c->body_size = table->descs[i].size;
	c->body = xcalloc(1, c->body_size);
	/* uv_poll_init() makes the descriptor non-blocking. */
	uv_poll_init(loop, &c->poll, fd);
	c->poll.data = c;
	uv_poll_start(&c->poll, UV_READABLE, on_poll);
	return c;
}

static void on_closed(uv_handle_t *handle)
{
	struct chan *c = handle->data;

	close(c->fd);
	free(c->body);
	free(c);
}

void chan_close(struct chan *c)
{
	if (!c || c->is_closing)
		return;
	c->is_closing = true;
	while (c->first)
		queue_pop(c);
	/* The peer must see the end now, not when the loop turns. */
	shutdown(c->fd, SHUT_RDWR);
	uv_close((uv_handle_t *)&c->poll, on_closed);
}
