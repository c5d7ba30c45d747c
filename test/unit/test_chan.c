/* SPDX-License-Identifier: ISC */
/* Channels: messages, descriptors, ends, refusals, a full socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/chan_pair.h"

#include <sys/stat.h>

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
