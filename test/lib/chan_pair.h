/* SPDX-License-Identifier: ISC */
/*
 * A channel whose other end is a descriptor, and three kinds of messages.
 * For cmocka tests only: include after cmocka.h.
 */
#ifndef TEST_LIB_CHAN_PAIR_H
#define TEST_LIB_CHAN_PAIR_H

#include "common/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { T_NUMBER = 1, T_BLOB = 2, T_HUGE = 3, T_UNKNOWN = 99 };

struct t_number {
	uint32_t value;
};

struct t_blob {
	MSG_BLOB(4000) data;
};

/* Fills a datagram to its last byte. */
struct t_huge {
	MSG_BLOB(MSG_MAX - MSG_HEADER_LEN - 2) data;
};

static const struct msg_field number_fields[] = {
    MSG_NUM(MSG_U32, struct t_number, value)};
static const struct msg_field blob_fields[] = {
    MSG_BYTES_OF(struct t_blob, data)};
static const struct msg_field huge_fields[] = {
    MSG_BYTES_OF(struct t_huge, data)};
static const struct msg_desc descs[] = {
    MSG_DESC(T_NUMBER, struct t_number, number_fields),
    MSG_DESC(T_BLOB, struct t_blob, blob_fields),
    MSG_DESC(T_HUGE, struct t_huge, huge_fields)};
static const struct msg_table table = {descs, 3};

struct side {
	struct chan *chan;
	int messages, ends, end_error;
	uint32_t last, seq;
	int last_fd;
	int close_at; /* message number at which the callback closes */
	int echo;
};

struct pair {
	uv_loop_t loop;
	struct side side; /* on the loop */
	int fd;		  /* the other end, raw */
};

static inline void on_message(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct side *s = ctx;

	assert_ptr_equal(chan, s->chan);
	s->messages++;
	s->seq = hdr->seq;
	if (hdr->type == T_NUMBER)
		s->last = ((const struct t_number *)body)->value;
	else
		s->last = ((const struct t_blob *)body)->data.len;
	if (fd >= 0)
		s->last_fd = fd;
	if (s->echo)
		assert_int_equal(
		    chan_send(chan, hdr->type, hdr->seq + 1, body, -1), 0);
	if (s->close_at == s->messages) {
		chan_close(chan);
		s->chan = NULL;
	}
}

static inline void on_end(void *ctx, struct chan *chan, int error)
{
	struct side *s = ctx;

	s->ends++;
	s->end_error = error;
	chan_close(chan);
	s->chan = NULL;
}

static inline void open_pair(struct pair *p)
{
	struct chan_handlers h = {on_message, on_end, &p->side};
	int sv[2];

	*p = (struct pair){.side = {.last_fd = -1}};
	assert_int_equal(uv_loop_init(&p->loop), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	p->fd = sv[1];
	p->side.chan = chan_open(&p->loop, sv[0], &table, &h);
}

static inline void turn(struct pair *p)
{
	for (int i = 0; i < 5; i++)
		uv_run(&p->loop, UV_RUN_NOWAIT);
}

static inline void close_pair(struct pair *p)
{
	if (p->fd >= 0)
		close(p->fd);
	chan_close(p->side.chan);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
}

#endif
