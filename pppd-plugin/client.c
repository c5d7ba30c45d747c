/* SPDX-License-Identifier: ISC */
/* The plugin's end of the conversation with l2tpd. */
#include "client.h"

#include "common/secret.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* How often a wait looks at *stop. */
#define SLICE_MS 100

void client_init(struct client *c, int fd, const int *stop)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->stop = stop;
	c->again_ms = AAA_AGAIN_MS;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int transmit(
    struct client *c, enum aaa_msg type, uint32_t seq, const void *body)
{
	uint8_t buf[MSG_MAX];
	int len = msg_encode(
	    &aaa_msg_table, (uint16_t)type, seq, body, buf, sizeof(buf));
	ssize_t n;

	if (c->is_lost)
		return -EPIPE;
	if (len < 0)
		return len;
	do
		n = send(c->fd, buf, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* A PAP password was in it. */
	secret_wipe(buf, (size_t)len);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN)
		return -EAGAIN;
	c->is_lost = true;
	return -EPIPE;
}

int client_send(struct client *c, enum aaa_msg type, const void *body)
{
	return transmit(c, type, 0, body);
}

/*
 * One datagram: 0 and its header; -EAGAIN, -EPIPE or -EPROTO.  An empty
 * datagram reads like EOF; l2tpd sends none.
 */
static int receive(struct client *c, struct msg_header *hdr, union aaa_any *m)
{
	uint8_t buf[MSG_MAX];
	ssize_t n;

	do
		n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n <= 0) {
		c->is_lost = true;
		return -EPIPE;
	}
	if (msg_decode(&aaa_msg_table, buf, (size_t)n, hdr, m, sizeof(*m)))
		return -EPROTO;
	if (hdr->type == AAA_TERM) {
		c->is_over = true;
		memcpy(c->reason, m->term.reason, sizeof(c->reason));
	}
	return 0;
}

static int wait_readable(struct client *c, int64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		int n;

		if (c->stop && *(const volatile int *)c->stop)
			return -EINTR;
		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, left < SLICE_MS ? (int)left : SLICE_MS);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -EPIPE;
	}
}

int client_request(struct client *c, enum aaa_msg type, const void *body,
    enum aaa_msg reply_type, union aaa_any *reply, int timeout_ms)
{
	int64_t now = now_ms(), again = now + c->again_ms;
	const int64_t deadline = now + timeout_ms;
	int err = transmit(c, type, ++c->seq, body);

	while (!err) {
		struct msg_header hdr;

		err = receive(c, &hdr, reply);
		if (err == -EAGAIN) {
			err = wait_readable(
			    c, again < deadline ? again : deadline);
			if (err == -ETIMEDOUT && again < deadline) {
				again += c->again_ms;
				err = transmit(c, type, c->seq, body);
				err = err == -EAGAIN ? 0 : err;
			}
			continue;
		}
		if (err)
			break;
		if (c->is_over)
			return -ECANCELED;
		/* Anything else is a reply to a wait that was given up. */
		if (hdr.type == (uint16_t)reply_type && hdr.seq == c->seq)
			return 0;
	}
	return err;
}

void client_check(struct client *c)
{
	int err = 0;

	while (!err || err == -EPROTO) {
		struct msg_header hdr;
		union aaa_any m;

		err = c->is_lost ? -EPIPE : receive(c, &hdr, &m);
	}
}
