/* SPDX-License-Identifier: ISC */
/* Channels: messages, descriptors, ends, refusals, a full socket. */
#include "common/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

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

static void on_message(void *ctx, struct chan *chan,
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

static void on_end(void *ctx, struct chan *chan, int error)
{
	struct side *s = ctx;

	s->ends++;
	s->end_error = error;
	chan_close(chan);
	s->chan = NULL;
}

static void open_pair(struct pair *p)
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

static void turn(struct pair *p)
{
	for (int i = 0; i < 5; i++)
		uv_run(&p->loop, UV_RUN_NOWAIT);
}

static void close_pair(struct pair *p)
{
	if (p->fd >= 0)
		close(p->fd);
	chan_close(p->side.chan);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
}

static void send_number(struct pair *p, uint32_t value, int fd)
{
	struct t_number n = {value};

	assert_int_equal(
	    chan_sync_send(p->fd, &table, T_NUMBER, value + 1, &n, fd), 0);
}

static void test_there_and_back(void **state)
{
	struct msg_header hdr;
	struct t_blob body;
	struct pair p;
	int fd;

	(void)state;
	open_pair(&p);
	p.side.echo = 1;
	send_number(&p, 41, -1);
	turn(&p);
	assert_int_equal(p.side.messages, 1);
	assert_int_equal(p.side.last, 41);
	assert_int_equal(p.side.seq, 42);
	assert_int_equal(
	    chan_sync_recv(p.fd, &table, &hdr, &body, sizeof(body), &fd), 0);
	assert_int_equal(hdr.type, T_NUMBER);
	assert_int_equal(hdr.seq, 43);
	assert_int_equal(fd, -1);
	assert_int_equal(p.side.ends, 0);
	close_pair(&p);
}

static void test_passes_descriptor(void **state)
{
	struct t_number n = {7};
	struct msg_header hdr;
	struct t_blob body;
	struct stat a, b;
	struct pair p;
	int pipe_fd[2], fd;

	(void)state;
	open_pair(&p);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(fstat(pipe_fd[0], &a), 0);
	send_number(&p, 1, pipe_fd[0]);
	turn(&p);
	assert_true(p.side.last_fd >= 0);
	assert_int_equal(fstat(p.side.last_fd, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(fcntl(p.side.last_fd, F_GETFD), FD_CLOEXEC);
	close(p.side.last_fd);
	/* And out of the channel. */
	assert_int_equal(
	    chan_send(p.side.chan, T_NUMBER, 0, &n, pipe_fd[0]), 0);
	assert_int_equal(
	    chan_sync_recv(p.fd, &table, &hdr, &body, sizeof(body), &fd), 0);
	assert_int_equal(fstat(fd, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	close(fd);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	close_pair(&p);
}

static void test_end_of_file(void **state)
{
	struct t_number n = {1};
	struct pair p;

	(void)state;
	open_pair(&p);
	send_number(&p, 5, -1);
	close(p.fd);
	p.fd = -1;
	turn(&p);
	/* What was sent before the end still arrives. */
	assert_int_equal(p.side.messages, 1);
	assert_int_equal(p.side.ends, 1);
	assert_int_equal(p.side.end_error, 0);
	assert_null(p.side.chan);
	(void)n;
	close_pair(&p);
}

static void test_send_after_end(void **state)
{
	struct t_number n = {1};
	struct pair p;

	(void)state;
	open_pair(&p);
	close(p.fd);
	p.fd = -1;
	assert_int_equal(chan_send(p.side.chan, T_NUMBER, 0, &n, -1), -EPIPE);
	assert_int_equal(p.side.ends, 0); /* never from inside a send */
	assert_int_equal(chan_send(p.side.chan, T_NUMBER, 0, &n, -1), -EPIPE);
	turn(&p);
	assert_int_equal(p.side.ends, 1);
	close_pair(&p);
}

static void expect_refusal(const void *bytes, size_t len, int error)
{
	struct pair p;

	open_pair(&p);
	assert_int_equal(send(p.fd, bytes, len, 0), (ssize_t)len);
	turn(&p);
	assert_int_equal(p.side.messages, 0);
	assert_int_equal(p.side.ends, 1);
	assert_int_equal(p.side.end_error, error);
	close_pair(&p);
}

static void test_bad_messages(void **state)
{
	static const uint8_t good[] = {0, 1, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7, 99};
	static const uint8_t unknown[] = {0, 1, 0, 99, 0, 0, 0, 9, 0, 0, 0, 7};
	static const uint8_t version[] = {0, 2, 0, 1, 0, 0, 0, 9, 0, 0, 0, 7};
	static const uint8_t oversize[MSG_MAX + 1] = {0, 1, 0, 2};

	(void)state;
	for (size_t n = 1; n < 12; n++)
		expect_refusal(good, n, -EBADMSG);
	expect_refusal(good, 13, -EBADMSG);
	expect_refusal(unknown, sizeof(unknown), -ENOENT);
	expect_refusal(version, sizeof(version), -EPROTO);
	expect_refusal(oversize, sizeof(oversize), -EMSGSIZE);
}

/* A descriptor inside a message that nobody takes must not leak. */
static void test_bad_message_with_descriptor(void **state)
{
	static const struct msg_desc other[] = {
	    MSG_DESC(T_UNKNOWN, struct t_number, number_fields)};
	static const struct msg_table other_table = {other, 1};
	struct t_number n = {1};
	int pipe_fd[2];
	char byte;
	struct pair p;

	(void)state;
	open_pair(&p);
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(
	    chan_sync_send(p.fd, &other_table, T_UNKNOWN, 0, &n, pipe_fd[1]),
	    0);
	close(pipe_fd[1]);
	turn(&p);
	assert_int_equal(p.side.ends, 1);
	assert_int_equal(read(pipe_fd[0], &byte, 1), 0);
	close(pipe_fd[0]);
	close_pair(&p);
}

static void test_close_in_callback(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p);
	p.side.close_at = 2;
	for (uint32_t i = 0; i < 4; i++)
		send_number(&p, i, -1);
	turn(&p);
	assert_int_equal(p.side.messages, 2);
	assert_int_equal(p.side.ends, 0);
	close_pair(&p);
}

static void test_queue_and_flush(void **state)
{
	static struct t_blob blob;
	struct msg_header hdr;
	static struct t_blob body;
	struct pair p;
	int fd;
	const uint32_t count = 1000; /* more than the socket takes */

	(void)state;
	blob.data.len = 4000;
	open_pair(&p);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(
		    chan_send(p.side.chan, T_BLOB, i, &blob, -1), 0);
	assert_false(chan_is_flushed(p.side.chan));
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(chan_sync_recv(p.fd, &table, &hdr, &body,
				     sizeof(body), &fd),
		    0);
		assert_int_equal(hdr.seq, i);
		uv_run(&p.loop, UV_RUN_NOWAIT);
	}
	assert_true(chan_is_flushed(p.side.chan));
	close_pair(&p);
}

/* What a new engine is told at once: three objects of each client. */
static void test_full_house(void **state)
{
	static struct t_blob blob;
	struct pair p;

	(void)state;
	blob.data.len = 400;
	open_pair(&p);
	for (uint32_t i = 0; i < 3 * 16383; i++)
		assert_int_equal(
		    chan_send(p.side.chan, T_BLOB, i, &blob, -1), 0);
	turn(&p);
	assert_int_equal(p.side.ends, 0);
	close_pair(&p);
}

static void test_overflow(void **state)
{
	static struct t_blob blob;
	struct pair p;
	int err = 0;

	(void)state;
	blob.data.len = 4000;
	open_pair(&p);
	for (uint32_t i = 0; !err && i < 10000; i++)
		err = chan_send(p.side.chan, T_BLOB, i, &blob, -1);
	assert_int_equal(err, -EPIPE);
	turn(&p);
	assert_int_equal(p.side.ends, 1);
	assert_int_equal(p.side.end_error, -ENOBUFS);
	close_pair(&p);
}

static void test_wrong_arguments(void **state)
{
	static struct t_blob blob;
	struct pair p;

	(void)state;
	open_pair(&p);
	assert_int_equal(
	    chan_send(p.side.chan, T_UNKNOWN, 0, &blob, -1), -ENOENT);
	blob.data.len = 4001;
	assert_int_equal(chan_send(p.side.chan, T_BLOB, 0, &blob, -1), -EINVAL);
	turn(&p);
	assert_int_equal(p.side.ends, 0);
	close_pair(&p);
}

static void test_sync_ends(void **state)
{
	struct msg_header hdr;
	struct t_number n;
	int sv[2], fd;

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(send(sv[1], "\0\1\0\1", 4, 0), 4);
	assert_int_equal(
	    chan_sync_recv(sv[0], &table, &hdr, &n, sizeof(n), &fd), -EBADMSG);
	close(sv[1]);
	assert_int_equal(
	    chan_sync_recv(sv[0], &table, &hdr, &n, sizeof(n), &fd), -ENODATA);
	assert_int_equal(
	    chan_sync_send(sv[0], &table, T_NUMBER, 0, &n, -1), -EPIPE);
	close(sv[0]);
}

/* --- gathering ----------------------------------------------------------- */

static void gather_number(struct pair *p, uint32_t value)
{
	struct t_number n = {value};

	assert_int_equal(chan_send(p->side.chan, T_NUMBER, value, &n, -1), 0);
}

/* Length of the next datagram at the raw end; -1 for none. */
static int raw(struct pair *p, uint8_t out[MSG_MAX])
{
	return (int)recv(p->fd, out, MSG_MAX, MSG_DONTWAIT);
}

static void test_gathers(void **state)
{
	uint8_t one[MSG_MAX], all[MSG_MAX];
	struct t_blob big = {.data = {.len = 4000}};
	struct t_number n = {7};
	struct pair p;
	int len, fd;

	(void)state;
	open_pair(&p);
	chan_gather(p.side.chan);
	chan_gather(p.side.chan); /* once is enough */
	assert_true(chan_is_flushed(p.side.chan));
	for (uint32_t i = 0; i < 3; i++)
		gather_number(&p, i);
	assert_int_equal(raw(&p, all), -1);
	assert_false(chan_is_flushed(p.side.chan));
	turn(&p);
	assert_true(chan_is_flushed(p.side.chan));
	len = msg_encode(
	    &table, T_NUMBER, 2, &(struct t_number){2}, one, sizeof(one));
	assert_int_equal(raw(&p, all), 2 + 3 * (2 + len));
	assert_memory_equal(all, "\xff\xff\0", 3);
	assert_int_equal(all[3], len);
	assert_memory_equal(all + 2 + 2 * (2 + len) + 2, one, (size_t)len);
	assert_int_equal(raw(&p, all), -1);
	/* At once, when asked; nothing, when there is nothing. */
	gather_number(&p, 9);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 + len);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), -1);
	/* What does not fit starts the next datagram. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    chan_send(p.side.chan, T_BLOB, 0, &big, -1), 0);
	assert_true(raw(&p, all) > 8000);
	assert_int_equal(raw(&p, all), -1);
	/* A descriptor goes alone, behind what was sent before. */
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(chan_send(p.side.chan, T_NUMBER, 7, &n, fd), 0);
	close(fd);
	assert_true(raw(&p, all) > 4000);
	assert_int_equal(raw(&p, all), len);
	/* Closing loses nothing. */
	gather_number(&p, 1);
	chan_close(p.side.chan);
	p.side.chan = NULL;
	assert_int_equal(raw(&p, all), 2 + 2 + len);
	assert_int_equal(raw(&p, all), 0);
	close_pair(&p);
}

/* Held, it leaves only when the owner says so. */
static void test_held(void **state)
{
	uint8_t all[MSG_MAX];
	struct pair p;

	(void)state;
	open_pair(&p);
	chan_hold(p.side.chan);
	gather_number(&p, 1);
	gather_number(&p, 2);
	turn(&p);
	assert_int_equal(raw(&p, all), -1);
	assert_false(chan_is_flushed(p.side.chan));
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 * (2 + 12));
	assert_true(chan_is_flushed(p.side.chan));
	/* Nobody keeps it from gathering by itself later. */
	chan_gather(p.side.chan);
	gather_number(&p, 3);
	turn(&p);
	assert_int_equal(raw(&p, all), 2 + 2 + 12);
	/* The other end goes with something on its way: one end, no more. */
	close(p.fd);
	p.fd = -1;
	gather_number(&p, 4);
	turn(&p);
	assert_int_equal(p.side.ends, 1);
	assert_null(p.side.chan);
	close_pair(&p);
	chan_flush(NULL);
}

/* A message of len bytes behind a number: the two datagrams' lengths. */
static void check_limit(size_t len, int first, int second)
{
	static struct t_huge huge;
	uint8_t all[MSG_MAX];
	struct pair p;

	open_pair(&p);
	chan_hold(p.side.chan);
	gather_number(&p, 1);
	huge.data.len = (uint16_t)(len - MSG_HEADER_LEN - 2);
	memset(huge.data.data, 0x5a, huge.data.len);
	assert_int_equal(chan_send(p.side.chan, T_HUGE, 0, &huge, -1), 0);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), first);
	assert_int_equal(raw(&p, all), second);
	assert_int_equal(
	    all[(second > 0 ? second : first) - 1], 0x5a); /* whole */
	assert_int_equal(raw(&p, all), -1);
	/* What comes next is in order. */
	gather_number(&p, 2);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 + 12);
	close_pair(&p);
}

static void test_gathers_up_to_the_limit(void **state)
{
	const int alone = 2 + 2 + 12;

	(void)state;
	check_limit(MSG_MAX - alone - 2, MSG_MAX, -1);
	check_limit(MSG_MAX - alone - 1, alone, MSG_MAX - alone + 3);
	check_limit(MSG_MAX - 4, alone, MSG_MAX);
	/* Too long for any company. */
	check_limit(MSG_MAX - 3, alone, MSG_MAX - 3);
	check_limit(MSG_MAX, alone, MSG_MAX);
}

/* What does not encode leaves no trace in the datagram. */
static void test_gathers_no_nonsense(void **state)
{
	struct t_blob bad = {.data = {.len = 4001}};
	uint8_t all[MSG_MAX];
	struct pair p;

	(void)state;
	open_pair(&p);
	chan_hold(p.side.chan);
	gather_number(&p, 1);
	assert_int_equal(chan_send(p.side.chan, T_BLOB, 0, &bad, -1), -EINVAL);
	assert_int_equal(
	    chan_send(p.side.chan, T_UNKNOWN, 0, &bad, -1), -ENOENT);
	gather_number(&p, 2);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 * (2 + 12));
	close_pair(&p);
}

/* count messages with their lengths behind the mark. */
static size_t company(uint8_t *out, int count)
{
	size_t len = 2;

	memset(out, 0xff, 2);
	for (int i = 0; i < count; i++) {
		struct t_number n = {(uint32_t)i + 10};
		int one = msg_encode(
		    &table, T_NUMBER, 0, &n, out + len + 2, MSG_MAX - len - 2);

		out[len] = 0;
		out[len + 1] = (uint8_t)one;
		len += 2 + (size_t)one;
	}
	return len;
}

static void test_takes_company(void **state)
{
	uint8_t buf[MSG_MAX];
	size_t len = company(buf, 3);

	(void)state;
	/* Cut anywhere it ends the channel, after what was whole. */
	for (size_t cut = 2; cut <= len; cut++) {
		struct pair p;
		bool is_whole = !((cut - 2) % ((len - 2) / 3));

		open_pair(&p);
		assert_int_equal(send(p.fd, buf, cut, 0), (ssize_t)cut);
		turn(&p);
		assert_int_equal(
		    p.side.messages, (int)((cut - 2) / ((len - 2) / 3)));
		assert_int_equal(p.side.ends, is_whole ? 0 : 1);
		if (!is_whole)
			assert_int_equal(p.side.end_error, -EBADMSG);
		if (p.side.messages)
			assert_int_equal(
			    p.side.last, 9 + (uint32_t)p.side.messages);
		close_pair(&p);
	}
}

static void test_company_ends(void **state)
{
	uint8_t buf[MSG_MAX];
	size_t len = company(buf, 3);
	struct pair p;

	(void)state;
	/* The handler closes at the second: the third is not for it. */
	open_pair(&p);
	p.side.close_at = 2;
	assert_int_equal(send(p.fd, buf, len, 0), (ssize_t)len);
	turn(&p);
	assert_int_equal(p.side.messages, 2);
	close_pair(&p);
	/* One of them is no message: the end, once. */
	open_pair(&p);
	buf[2 + (len - 2) / 3 + 2]++; /* the second's version */
	assert_int_equal(send(p.fd, buf, len, 0), (ssize_t)len);
	turn(&p);
	assert_int_equal(p.side.messages, 1);
	assert_int_equal(p.side.ends, 1);
	assert_int_equal(p.side.end_error, -EPROTO);
	close_pair(&p);
	/* A mark inside is none. */
	open_pair(&p);
	len = company(buf, 1);
	memset(buf + 4, 0xff, 2);
	assert_int_equal(send(p.fd, buf, len, 0), (ssize_t)len);
	turn(&p);
	assert_int_equal(p.side.messages, 0);
	assert_int_equal(p.side.end_error, -EPROTO);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_there_and_back),
	    cmocka_unit_test(test_passes_descriptor),
	    cmocka_unit_test(test_end_of_file),
	    cmocka_unit_test(test_send_after_end),
	    cmocka_unit_test(test_bad_messages),
	    cmocka_unit_test(test_bad_message_with_descriptor),
	    cmocka_unit_test(test_close_in_callback),
	    cmocka_unit_test(test_queue_and_flush),
	    cmocka_unit_test(test_full_house),
	    cmocka_unit_test(test_overflow),
	    cmocka_unit_test(test_wrong_arguments),
	    cmocka_unit_test(test_sync_ends),
	    cmocka_unit_test(test_gathers),
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_gathers_up_to_the_limit),
	    cmocka_unit_test(test_gathers_no_nonsense),
	    cmocka_unit_test(test_takes_company),
	    cmocka_unit_test(test_company_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
