/* SPDX-License-Identifier: ISC */
/* Reading a password: from a pipe, and from a terminal (a pty). */
#include "ctl/password.h"

#include "common/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* --- a pipe --------------------------------------------------------------- */

static int from_pipe(const char *bytes, size_t len, char out[PASSWORD_MAX])
{
	int fds[2], err;

	assert_return_code(pipe(fds), errno);
	assert_int_equal(write(fds[1], bytes, len), (ssize_t)len);
	close(fds[1]);
	err = password_read(fds[0], stderr, out);
	close(fds[0]);
	return err;
}

static void a_line_of_a_pipe(void **state)
{
	static const struct {
		const char *input, *want;
	} rows[] = {
	    {"secret\n", "secret"},
	    {"secret", "secret"},
	    {"secret\r\n", "secret"},
	    {"two words \nnext\n", "two words "},
	    {"p\xc3\xa4ss\n", "p\xc3\xa4ss"},
	    {" \n", " "},
	};
	char out[PASSWORD_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    from_pipe(rows[i].input, strlen(rows[i].input), out), 0);
		assert_string_equal(out, rows[i].want);
	}
}

static void what_is_no_password(void **state)
{
	char out[PASSWORD_MAX], big[PASSWORD_MAX + 1];

	(void)state;
	assert_int_equal(from_pipe("", 0, out), -EINVAL);
	assert_int_equal(from_pipe("\n", 1, out), -EINVAL);
	assert_int_equal(from_pipe("\r\n", 2, out), -EINVAL);
	assert_int_equal(from_pipe("a\0b\n", 4, out), -EINVAL);
	memset(big, 'b', sizeof(big));
	assert_int_equal(from_pipe(big, PASSWORD_MAX, out), -E2BIG);
	big[PASSWORD_MAX - 1] = '\n';
	assert_int_equal(from_pipe(big, PASSWORD_MAX, out), 0);
	assert_int_equal(strlen(out), PASSWORD_MAX - 1);
	assert_int_equal(password_read(-1, stderr, out), -EBADF);
	assert_string_equal(out, "");
}

static void leaves_the_next_line(void **state)
{
	char out[PASSWORD_MAX], rest[8] = "";
	int fds[2];

	(void)state;
	assert_return_code(pipe(fds), errno);
	assert_int_equal(write(fds[1], "one\ntwo\n", 8), 8);
	assert_int_equal(password_read(fds[0], stderr, out), 0);
	assert_int_equal(read(fds[0], rest, sizeof(rest) - 1), 4);
	assert_string_equal(rest, "two\n");
	close(fds[0]);
	close(fds[1]);
}

static void every_error_has_a_sentence(void **state)
{
	static const int errors[] = {EINVAL, E2BIG, EDOM, EINTR, EIO};

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_true(strlen(password_error(-errors[i])) > 5);
}

/* --- a terminal ------------------------------------------------------------
 */

struct terminal {
	int master;
	pid_t pid; /* of the one who reads the password */
	char seen[2048];
	size_t len;
};

/*
 * The child: reads a password from its controlling terminal and says the
 * result as exit code: 0 when it was `want`, else the error number.
 */
static void child(const char *name, const char *want)
{
	char out[PASSWORD_MAX];
	int fd, err;
	FILE *prompt;

	setsid();
	fd = open(name, O_RDWR); /* becomes the controlling terminal */
	prompt = fdopen(dup(fd), "w");
	if (fd < 0 || !prompt)
		_exit(99);
	signal(SIGINT, SIG_IGN);
	err = password_read(fd, prompt, out);
	fclose(prompt);
	_exit(err ? -err : strcmp(out, want) ? 98 : 0);
}

static struct terminal *open_terminal(const char *want)
{
	struct terminal *t = xcalloc(1, sizeof(*t));

	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_return_code(t->master, errno);
	assert_return_code(grantpt(t->master), errno);
	assert_return_code(unlockpt(t->master), errno);
	t->pid = fork();
	assert_return_code(t->pid, errno);
	if (t->pid == 0)
		child(ptsname(t->master), want);
	return t;
}

/* Reads what appears on the screen until it holds text. */
static void wait_for(struct terminal *t, const char *text)
{
	while (!strstr(t->seen, text)) {
		ssize_t n = read(
		    t->master, t->seen + t->len, sizeof(t->seen) - 1 - t->len);

		if (n <= 0)
			fail_msg("'%s' never came: %s", text, t->seen);
		t->len += (size_t)n;
	}
}

static void type(struct terminal *t, const char *text)
{
	assert_int_equal(
	    write(t->master, text, strlen(text)), (ssize_t)strlen(text));
}

static int close_terminal(struct terminal *t)
{
	int status = -1;
	ssize_t n;

	while ((n = read(t->master, t->seen + t->len,
		    sizeof(t->seen) - 1 - t->len)) > 0)
		t->len += (size_t)n;
	assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
	close(t->master);
	assert_null(strstr(t->seen, "secret")); /* no echo */
	free(t);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_terminal_is_asked_twice(void **state)
{
	struct terminal *t = open_terminal("secret");

	(void)state;
	wait_for(t, "Password: ");
	type(t, "secret\n");
	wait_for(t, "Once more: ");
	type(t, "secret\n");
	assert_int_equal(close_terminal(t), 0);
}

static void two_that_differ(void **state)
{
	static const char *const second[] = {
	    "secret2\n", "secre\n", "Secret\n"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct terminal *t = open_terminal("secret");

		wait_for(t, "Password: ");
		type(t, "secret\n");
		wait_for(t, "Once more: ");
		type(t, second[i]);
		assert_int_equal(close_terminal(t), EDOM);
	}
}

static void an_empty_first_one_is_enough(void **state)
{
	struct terminal *t = open_terminal("");

	(void)state;
	wait_for(t, "Password: ");
	type(t, "\n");
	assert_int_equal(close_terminal(t), EINVAL);
}

/* The child ignores SIGINT, so it lives on to say what it got. */
static void a_signal_restores_the_terminal(void **state)
{
	struct terminal *t = open_terminal("secret");
	struct termios after;
	int slave = open(ptsname(t->master), O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)state;
	wait_for(t, "Password: ");
	type(t, "sec");
	assert_return_code(kill(t->pid, SIGTERM), errno);
	assert_int_equal(waitpid(t->pid, &(int){0}, 0), t->pid);
	assert_return_code(tcgetattr(slave, &after), errno);
	assert_true(after.c_lflag & ECHO);
	close(slave);
	close(t->master);
	assert_null(strstr(t->seen, "sec"));
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_of_a_pipe),
	    cmocka_unit_test(what_is_no_password),
	    cmocka_unit_test(leaves_the_next_line),
	    cmocka_unit_test(every_error_has_a_sentence),
	    cmocka_unit_test(a_terminal_is_asked_twice),
	    cmocka_unit_test(two_that_differ),
	    cmocka_unit_test(an_empty_first_one_is_enough),
	    cmocka_unit_test(a_signal_restores_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
