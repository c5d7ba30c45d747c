/* SPDX-License-Identifier: ISC */
/* Message channels over SOCK_SEQPACKET, with and without a loop. */
#include "common/chan.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "common/wire.h"

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
#define GATHER_MARK 0xffff /* no version of a message */
#define GATHER_MARK_LEN 2
#define GATHER_LENGTH 2	  /* bytes in front of each message */
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
	uint8_t *gathered;	  /* MSG_MAX bytes; NULL: at once */
	size_t gathered_len;	  /* in them */
	uv_prepare_t before_wait; /* chan_gather() */
	int handles;		  /* open: 2 with before_wait */
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

static int send_or_queue(struct chan *c, const void *data, size_t len, int fd)
{
	int err =
	    c->first ? -EAGAIN : send_bytes(c->fd, data, len, fd, MSG_DONTWAIT);

	if (err == -EAGAIN)
		return queue_push(c, data, len, fd);
	return err ? break_off(c, err) : 0;
}

/* --- gathering ----------------------------------------------------------- */

/* What was gathered goes out; the buffer keeps its mark and no secret. */
void chan_flush(struct chan *c)
{
	size_t len = c ? c->gathered_len : 0;

	if (len <= GATHER_MARK_LEN)
		return;
	c->gathered_len = GATHER_MARK_LEN;
	if (!c->error && !c->is_ended && !c->is_closing)
		send_or_queue(c, c->gathered, len, -1);
	secret_wipe(c->gathered + GATHER_MARK_LEN, len - GATHER_MARK_LEN);
}

static void on_before_wait(uv_prepare_t *handle)
{
	chan_flush(handle->data);
}

void chan_hold(struct chan *c)
{
	if (c->gathered)
		return;
	c->gathered = xmalloc(MSG_MAX);
	memset(c->gathered, 0xff, GATHER_MARK_LEN);
	c->gathered_len = GATHER_MARK_LEN;
}

void chan_gather(struct chan *c)
{
	if (c->handles > 1)
		return;
	chan_hold(c);
	c->handles++;
	uv_prepare_init(c->poll.loop, &c->before_wait);
	c->before_wait.data = c;
	uv_prepare_start(&c->before_wait, on_before_wait);
	/* It is no reason for the loop to go on. */
	uv_unref((uv_handle_t *)&c->before_wait);
}

/* Encodes behind what was gathered; -ENOSPC when it does not fit there. */
static int gather(struct chan *c, uint16_t type, uint32_t seq, const void *body)
{
	uint8_t *length = c->gathered + c->gathered_len;
	size_t room = MSG_MAX - c->gathered_len;
	int n;

	if (room <= GATHER_LENGTH)
		return -ENOSPC;
	room -= GATHER_LENGTH;
	n = msg_encode(c->table, type, seq, body, length + GATHER_LENGTH, room);
	if (n < 0) {
		secret_wipe(length, GATHER_LENGTH + room);
		return n;
	}
	length[0] = (uint8_t)(n >> 8);
	length[1] = (uint8_t)n;
	c->gathered_len += GATHER_LENGTH + (size_t)n;
	return 0;
}

static int send_alone(
    struct chan *c, uint16_t type, uint32_t seq, const void *body, int fd)
{
	uint8_t buf[MSG_MAX];
	int n = msg_encode(c->table, type, seq, body, buf, sizeof(buf)), err;

	if (n < 0)
		return n;
	chan_flush(c);
	err = c->error ? -EPIPE : send_or_queue(c, buf, (size_t)n, fd);
	secret_wipe(buf, (size_t)n);
	return err;
}

int chan_send(
    struct chan *c, uint16_t type, uint32_t seq, const void *body, int fd)
{
	int err = -ENOSPC;

	if (c->error || c->is_ended || c->is_closing)
		return -EPIPE;
	if (c->gathered && fd < 0)
		err = gather(c, type, seq, body);
	if (err == -ENOSPC && c->gathered && fd < 0 &&
	    c->gathered_len > GATHER_MARK_LEN) {
		chan_flush(c);
		err = c->error ? -EPIPE : gather(c, type, seq, body);
	}
	return err == -ENOSPC ? send_alone(c, type, seq, body, fd) : err;
}

int chan_is_flushed(const struct chan *c)
{
	return !c->first && c->gathered_len <= GATHER_MARK_LEN;
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

static void deliver_one(struct chan *c, struct wire_span m, int fd)
{
	struct msg_header hdr;
	const struct msg_desc *d;
	int err =
	    msg_decode(c->table, m.data, m.len, &hdr, c->body, c->body_size);

	if (!err)
		c->handlers.message(c->handlers.ctx, c, &hdr, c->body, fd);
	else if (fd >= 0)
		close(fd);
	d = err ? NULL : msg_find(c->table, hdr.type);
	secret_wipe(c->body, d ? d->size : c->body_size);
	if (err && !c->is_closing)
		end(c, err);
}

void chan_parts_init(struct chan_parts *p, const void *datagram, size_t len)
{
	wire_reader_init(&p->r, datagram, len);
	p->is_company =
	    wire_get_u16(&p->r) == GATHER_MARK && !wire_error(&p->r);
	if (!p->is_company)
		wire_reader_init(&p->r, datagram, len);
}

int chan_parts_next(struct chan_parts *p, struct wire_span *message)
{
	size_t len = wire_left(&p->r);

	if (!len)
		return 0;
	if (p->is_company)
		len = wire_get_u16(&p->r);
	*message = wire_get_span(&p->r, len);
	return wire_error(&p->r) ? -EBADMSG : 1;
}

static void deliver(struct chan *c, const uint8_t *data, size_t len, int fd)
{
	struct chan_parts parts;
	struct wire_span message;
	int n;

	chan_parts_init(&parts, data, len);
	/* Descriptors travel with messages that are alone. */
	if (parts.is_company && fd >= 0) {
		close(fd);
		fd = -1;
	}
	while (!c->is_closing && !c->is_ended) {
		n = chan_parts_next(&parts, &message);
		if (n < 0)
			end(c, n);
		if (n <= 0)
			return;
		deliver_one(c, message, fd);
	}
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
		/* The other end gathers too: that was all. */
		if (c->gathered)
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
	c->handles = 1;
	uv_poll_start(&c->poll, UV_READABLE, on_poll);
	return c;
}

static void on_closed(uv_handle_t *handle)
{
	struct chan *c = handle->data;

	if (--c->handles)
		return;
	close(c->fd);
	free(c->gathered);
	free(c->body);
	free(c);
}

void chan_close(struct chan *c)
{
	if (!c || c->is_closing)
		return;
	chan_flush(c);
	c->is_closing = true;
	while (c->first)
		queue_pop(c);
	/* The peer must see the end now, not when the loop turns. */
	shutdown(c->fd, SHUT_RDWR);
	if (c->handles > 1)
		uv_close((uv_handle_t *)&c->before_wait, on_closed);
	uv_close((uv_handle_t *)&c->poll, on_closed);
}
