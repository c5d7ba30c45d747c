/* SPDX-License-Identifier: ISC */
/* Log lines: their form, escaping, a full pipe, the rate limit. */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct pipe_log {
	struct log log;
	int read_fd;
};

static void open_log(struct pipe_log *p)
{
	int fd[2];

	assert_int_equal(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	p->log = (struct log){
	    .program = "ikev1d", .minimum = LOG_SEV_INFO, .fd = fd[1]};
	p->read_fd = fd[0];
}

static void close_log(struct pipe_log *p)
{
	close(p->log.fd);
	close(p->read_fd);
}

/* What has been written, or "" for nothing. */
static const char *written(struct pipe_log *p, char *out, size_t size)
{
	ssize_t n = read(p->read_fd, out, size - 1);

	out[n > 0 ? n : 0] = '\0';
	return out;
}

static void test_form(void **state)
{
	struct pipe_log p;
	char out[256];

	(void)state;
	open_log(&p);
	log_info(&p.log, "peer %d (%s): up", 17, "203.0.113.7:4500");
	assert_string_equal(written(&p, out, sizeof(out)),
	    "ikev1d: peer 17 (203.0.113.7:4500): up\n");
	log_debug(&p.log, "hidden");
	assert_string_equal(written(&p, out, sizeof(out)), "");
	p.log.minimum = LOG_SEV_DEBUG;
	p.log.journal = true;
	log_debug(&p.log, "a");
	log_info(&p.log, "b");
	log_warn(&p.log, "c");
	log_error(&p.log, "d");
	assert_string_equal(written(&p, out, sizeof(out)),
	    "<7>ikev1d: a\n<6>ikev1d: b\n<4>ikev1d: c\n<3>ikev1d: d\n");
	close_log(&p);
}

static void test_init(void **state)
{
	struct log log;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init(&log, "x", LOG_SEV_WARN);
	assert_int_equal(log.fd, STDERR_FILENO);
	assert_false(log.journal);
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_init(&log, "x", LOG_SEV_WARN);
	assert_true(log.journal);
	unsetenv("JOURNAL_STREAM");
}

static void test_no_forged_line(void **state)
{
	struct pipe_log p;
	char out[256];

	(void)state;
	open_log(&p);
	log_info(&p.log, "identity %s", "x\nikev1d: all is well\x1b[2J\xff\\");
	assert_string_equal(written(&p, out, sizeof(out)),
	    "ikev1d: identity x\\x0aikev1d: all is well\\x1b[2J\\xff\\\\\n");
	close_log(&p);
}

static void test_long_line(void **state)
{
	struct pipe_log p;
	char text[3000], out[4000];
	size_t len;

	(void)state;
	open_log(&p);
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info(&p.log, "%s", text);
	written(&p, out, sizeof(out));
	len = strlen(out);
	assert_true(len <= LOG_LINE_MAX + 10);
	assert_string_equal(out + len - 4, "...\n");
	memset(text, 1, sizeof(text) - 1);
	log_info(&p.log, "%s", text);
	written(&p, out, sizeof(out));
	len = strlen(out);
	assert_true(len <= LOG_LINE_MAX + 10);
	assert_string_equal(out + len - 4, "...\n");
	close_log(&p);
}

static void test_escape_cut(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(log_escape(out, sizeof(out), "abc", 3), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(log_escape(out, sizeof(out), "", 0), 0);
	assert_string_equal(out, "");
	assert_int_equal(log_escape(out, sizeof(out), "a\0b", 3), 6);
	assert_string_equal(out, "a\\x00b");
	assert_int_equal(
	    log_escape(out, sizeof(out), "123456789012345", 15), 15);
	assert_string_equal(out, "123456789012345");
	log_escape(out, sizeof(out), "1234567890123456", 16);
	assert_string_equal(out, "123456789012...");
	/* No half escape is left. */
	log_escape(out, sizeof(out), "1234567890\n\n\n", 13);
	assert_string_equal(out, "1234567890...");
	for (size_t size = 5; size < 16; size++) {
		memset(out, 'z', sizeof(out));
		assert_true(
		    log_escape(out, size, "\n\\q\n\\q\n\n\n", 9) < size);
		assert_non_null(memchr(out, 0, size));
	}
}

static void test_full_pipe(void **state)
{
	struct pipe_log p;
	char out[8192], line[512];
	int lost;

	(void)state;
	open_log(&p);
	/* A blocking descriptor: the log itself must not wait. */
	assert_int_equal(fcntl(p.log.fd, F_SETFL, 0), 0);
	memset(line, 'f', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (int i = 0; i < 1000; i++)
		log_info(&p.log, "%s", line);
	lost = (int)p.log.dropped;
	assert_true(lost > 0);
	while (*written(&p, out, sizeof(out)))
		;
	log_info(&p.log, "after");
	written(&p, out, sizeof(out));
	snprintf(line, sizeof(line),
	    "ikev1d: %d log lines were lost\nikev1d: after\n", lost);
	assert_string_equal(out, line);
	assert_int_equal(p.log.dropped, 0);
	close_log(&p);
}

/* --- lines that wait ----------------------------------------------------- */

static void test_hold(void **state)
{
	struct pipe_log p;
	char out[512];

	(void)state;
	open_log(&p);
	log_flush(&p.log); /* nothing is held */
	log_hold(&p.log);
	log_hold(&p.log);
	log_info(&p.log, "a %d", 1);
	log_debug(&p.log, "hidden");
	log_info(&p.log, "b\n");
	assert_string_equal(written(&p, out, sizeof(out)), "");
	errno = ENOENT;
	log_flush(&p.log);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(
	    written(&p, out, sizeof(out)), "ikev1d: a 1\nikev1d: b\\x0a\n");
	log_flush(&p.log);
	assert_string_equal(written(&p, out, sizeof(out)), "");
	/* A warning takes those before it along, in order. */
	log_info(&p.log, "c");
	log_warn(&p.log, "d");
	assert_string_equal(
	    written(&p, out, sizeof(out)), "ikev1d: c\nikev1d: d\n");
	log_info(&p.log, "e");
	log_error(&p.log, "f");
	assert_string_equal(
	    written(&p, out, sizeof(out)), "ikev1d: e\nikev1d: f\n");
	/* With debugging on nothing waits. */
	p.log.minimum = LOG_SEV_DEBUG;
	log_debug(&p.log, "g");
	assert_string_equal(written(&p, out, sizeof(out)), "ikev1d: g\n");
	p.log.minimum = LOG_SEV_INFO;
	/* The end loses nothing. */
	log_info(&p.log, "h");
	log_release(&p.log);
	assert_string_equal(written(&p, out, sizeof(out)), "ikev1d: h\n");
	log_info(&p.log, "i");
	assert_string_equal(written(&p, out, sizeof(out)), "ikev1d: i\n");
	log_release(&p.log);
	close_log(&p);
}

/* What does not fit any more follows what is there, whole. */
static void test_hold_much(void **state)
{
	char line[LOG_LINE_MAX + 64], out[32768], text[LOG_LINE_MAX];
	size_t at = 0, len;
	struct pipe_log p;

	(void)state;
	open_log(&p);
	log_hold(&p.log);
	for (int i = 0; i < 20; i++) {
		memset(text, 'a' + i, sizeof(text));
		text[i == 7 ? LOG_LINE_MAX - 1 : 50 * i] = '\0';
		log_info(&p.log, "%s", text);
	}
	log_flush(&p.log);
	written(&p, out, sizeof(out));
	for (int i = 0; i < 20; i++) {
		memset(text, 'a' + i, sizeof(text));
		text[i == 7 ? LOG_LINE_MAX - 1 : 50 * i] = '\0';
		len =
		    (size_t)snprintf(line, sizeof(line), "ikev1d: %s\n", text);
		assert_memory_equal(out + at, line, len);
		at += len;
	}
	assert_int_equal(out[at], '\0');
	log_release(&p.log);
	close_log(&p);
}

/* Nobody reads: lost lines are counted one by one, and none is cut. */
static void test_hold_full_pipe(void **state)
{
	char out[8192], text[101], last = 0;
	uint64_t lost, lines = 0;
	struct pipe_log p;

	(void)state;
	open_log(&p);
	assert_int_equal(fcntl(p.log.fd, F_SETFL, 0), 0);
	memset(text, 'x', 100);
	text[100] = '\0';
	log_hold(&p.log);
	for (int i = 0; i < 1000; i++)
		log_info(&p.log, "%s", text);
	log_flush(&p.log);
	lost = p.log.dropped;
	assert_true(lost > 100);
	while (*written(&p, out, sizeof(out))) {
		last = out[strlen(out) - 1];
		for (const char *c = out; *c; c++)
			lines += *c == '\n';
	}
	assert_int_equal(last, '\n');
	assert_int_equal(lines + lost, 1000);
	log_info(&p.log, "after");
	log_flush(&p.log);
	snprintf(text, sizeof(text),
	    "ikev1d: %d log lines were lost\nikev1d: after\n", (int)lost);
	assert_string_equal(written(&p, out, sizeof(out)), text);
	log_release(&p.log);
	close_log(&p);
}

/* A socket may take a part: the line that it cuts counts as lost, and the
 * next one begins where a line begins. */
static void test_cut(void **state)
{
	char out[65536], text[1001];
	struct pipe_log p = {.log = {.program = "l2tpd"}};
	int sv[2], size = 1;
	size_t lines = 0;
	uint64_t lost;
	ssize_t n;

	(void)state;
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(
	    setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	p.log.fd = sv[0];
	p.read_fd = sv[1];
	memset(text, 'y', 1000);
	text[1000] = '\0';
	log_hold(&p.log);
	for (int i = 0; i < 100; i++)
		log_info(&p.log, "%s", text);
	log_flush(&p.log);
	lost = p.log.dropped;
	assert_true(lost > 0);
	n = read(p.read_fd, out, sizeof(out));
	assert_true(n > 0);
	assert_int_equal(p.log.is_cut, out[n - 1] != '\n');
	for (ssize_t i = 0; i < n; i++)
		lines += out[i] == '\n';
	assert_int_equal(lines + lost, 100);
	p.log.is_cut = true; /* however much it took */
	log_info(&p.log, "z");
	log_flush(&p.log);
	snprintf(text, sizeof(text),
	    "\nl2tpd: %d log lines were lost\nl2tpd: z\n", (int)lost);
	assert_string_equal(written(&p, out, sizeof(out)), text);
	assert_false(p.log.is_cut);
	log_release(&p.log);
	close_log(&p);
}

#ifndef SALLYPORT_SANITIZE
static void die(struct pipe_log *p, int how)
{
	struct rlimit none = {0};
	volatile char *volatile nowhere = NULL;

	setrlimit(RLIMIT_CORE, &none);
	/* cmocka has handlers of its own */
	log_hold(&p->log);
	log_info(&p->log, "last words");
	log_info(&p->log, "of two lines");
	if (how == SIGSEGV)
		*nowhere = 1;
	else if (how == SIGABRT)
		abort();
	else
		raise(how);
	_exit(0);
}

static void test_crash(void **state)
{
	static const int how[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

	(void)state;
	for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++) {
		struct pipe_log p;
		char out[256];
		int status;
		pid_t pid;

		open_log(&p);
		pid = fork();
		if (!pid)
			die(&p, how[i]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), how[i]);
		assert_string_equal(written(&p, out, sizeof(out)),
		    "ikev1d: last words\nikev1d: of two lines\n");
		close_log(&p);
	}
}
#endif

static void test_errno_kept(void **state)
{
	struct pipe_log p;

	(void)state;
	open_log(&p);
	errno = ENOTDIR;
	log_info(&p.log, "x");
	assert_int_equal(errno, ENOTDIR);
	close_log(&p);
}

static void test_limit(void **state)
{
	struct log_limit l = {.burst = 2, .per_minute = 60};

	(void)state;
	assert_true(log_limit_allow(&l, 1000));
	assert_true(log_limit_allow(&l, 1000));
	assert_false(log_limit_allow(&l, 1000));
	assert_false(log_limit_allow(&l, 1999));
	assert_int_equal(l.suppressed, 2);
	assert_true(log_limit_allow(&l, 2000));
	assert_false(log_limit_allow(&l, 2000));
	/* A long silence gives the burst back, not more. */
	assert_true(log_limit_allow(&l, 1000000000000ull));
	assert_true(log_limit_allow(&l, 1000000000000ull));
	assert_false(log_limit_allow(&l, 1000000000000ull));
	/* A clock that goes back gives nothing. */
	assert_false(log_limit_allow(&l, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_form),
	    cmocka_unit_test(test_init),
	    cmocka_unit_test(test_no_forged_line),
	    cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_escape_cut),
	    cmocka_unit_test(test_full_pipe),
	    cmocka_unit_test(test_hold),
	    cmocka_unit_test(test_hold_much),
	    cmocka_unit_test(test_hold_full_pipe),
	    cmocka_unit_test(test_cut),
#ifndef SALLYPORT_SANITIZE
	    cmocka_unit_test(test_crash),
#endif
	    cmocka_unit_test(test_errno_kept),
	    cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
