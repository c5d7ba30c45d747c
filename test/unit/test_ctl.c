/* SPDX-License-Identifier: ISC */
/*
 * The control socket: the request line, and server and client over a real
 * socket, the server's loop in a thread of its own.
 */
#include "common/ctl.h"

#include "common/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the line ----------------------------------------------------------- */

static int split(const char *text, char *words[CTL_WORDS_MAX], char *line)
{
	size_t len = strlen(text);

	memcpy(line, text, len);
	line[len] = 'X'; /* whatever followed it */
	return ctl_split(line, len, words);
}

static void splits_words(void **state)
{
	char line[CTL_LINE_MAX + 2], *w[CTL_WORDS_MAX];

	(void)state;
	assert_int_equal(split("show", w, line), 1);
	assert_string_equal(w[0], "show");
	assert_int_equal(split("  disconnect  user anna ", w, line), 3);
	assert_string_equal(w[0], "disconnect");
	assert_string_equal(w[1], "user");
	assert_string_equal(w[2], "anna");
	assert_int_equal(split("a %61%20b%25 c", w, line), 3);
	assert_string_equal(w[0], "a");
	assert_string_equal(w[1], "a b%");
	assert_string_equal(w[2], "c");
	assert_int_equal(split("%c3%A4", w, line), 1);
	assert_string_equal(w[0], "\xc3\xa4");
	assert_int_equal(split("1 2 3 4 5 6 7 8 9 a b c d e f g", w, line), 16);
	assert_string_equal(w[15], "g");
}

static void refuses_bad_lines(void **state)
{
	static const char *const bad[] = {"", " ", "   ", "a\tb", "a\x1b", "%",
	    "%2", "a%2", "%2 0", "%zz", "%0g", "%00", "a\x7f",
	    "1 2 3 4 5 6 7 8 9 a b c d e f g h"};
	char line[CTL_LINE_MAX + 2], *w[CTL_WORDS_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(split(bad[i], w, line), -EINVAL);
	memcpy(line, "a\0b", 3);
	assert_int_equal(ctl_split(line, 3, w), -EINVAL);
}

static void joins_what_splits(void **state)
{
	const char *words[] = {"disconnect", "user", "a b%\n\x01\xc3\xa4\x7f"};
	char line[CTL_LINE_MAX + 2], *w[CTL_WORDS_MAX];
	int len = ctl_join(words, 3, line);

	(void)state;
	assert_true(len > 0);
	assert_int_equal(line[len - 1], '\n');
	assert_string_equal(
	    line, "disconnect user a%20b%25%0A%01\xc3\xa4%7F\n");
	assert_int_equal(ctl_split(line, (size_t)len - 1, w), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(w[i], words[i]);
}

static void join_is_bounded(void **state)
{
	const char *none[] = {""}, *many[17];
	char big[CTL_LINE_MAX + 2], line[CTL_LINE_MAX + 2];
	const char *one[] = {big};

	(void)state;
	assert_int_equal(ctl_join(none, 0, line), -EINVAL);
	assert_int_equal(ctl_join(none, 1, line), -EINVAL);
	for (size_t i = 0; i < 17; i++)
		many[i] = "x";
	assert_int_equal(ctl_join(many, 17, line), -EINVAL);
	assert_int_equal(ctl_join(many, 16, line), 32);
	for (size_t len = 1; len < sizeof(big); len++) {
		int n;

		memset(big, ' ', len);
		big[len] = '\0';
		n = ctl_join(one, 1, line);
		assert_true(n == -E2BIG || n == (int)(3 * len + 1));
		assert_true(n <= CTL_LINE_MAX + 1);
	}
}

/* --- a server in a thread ------------------------------------------------ */

struct fixture {
	char dir[64];
	char path[96];
	uv_loop_t loop;
	uv_async_t stop;
	uv_timer_t later;
	struct ctl_server *server;
	struct ctl_reply *held[CTL_CONNECTIONS_MAX * 4];
	size_t held_count;
	pthread_t thread;
	int starts;
};

static void handler(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words)
{
	struct fixture *f = ctx;
	json_t *list;

	f->starts++;
	if (strcmp(words[0], "hold") == 0) {
		f->held[f->held_count++] = reply;
		return;
	}
	if (strcmp(words[0], "release") == 0) {
		for (size_t i = 0; i < f->held_count; i++)
			ctl_reply_send(
			    f->held[i], json_pack("{s:i}", "late", 1));
		f->held_count = 0;
	}
	if (strcmp(words[0], "big") == 0) {
		char *text = xmalloc(1 << 20);

		memset(text, 'b', (1 << 20) - 1);
		text[(1 << 20) - 1] = '\0';
		ctl_reply_send(reply, json_pack("{s:s}", "big", text));
		free(text);
		return;
	}
	if (strcmp(words[0], "list") == 0) {
		ctl_reply_send(reply, json_array());
		return;
	}
	if (strcmp(words[0], "refuse") == 0) {
		ctl_reply_error(reply, "no client is called %s", words[1]);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(words[i]));
	ctl_reply_send(reply, json_pack("{s:o}", "words", list));
}

static void on_stop(uv_async_t *async)
{
	struct fixture *f = async->data;

	ctl_server_stop(f->server);
	for (size_t i = 0; i < f->held_count; i++)
		ctl_reply_error(f->held[i], "too late");
	uv_close((uv_handle_t *)async, NULL);
}

static void *run(void *arg)
{
	struct fixture *f = arg;

	uv_run(&f->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sun.sun_path, path, strlen(path) + 1);
	assert_return_code(fd, errno);
	assert_return_code(
	    bind(fd, (struct sockaddr *)&sun, sizeof(sun)), errno);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/sallyport-ctl.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/x.sock", f->dir);
	uv_loop_init(&f->loop);
	uv_async_init(&f->loop, &f->stop, on_stop);
	f->stop.data = f;
	assert_int_equal(ctl_server_start(&f->server, &f->loop,
			     listen_at(f->path), handler, f),
	    0);
	assert_int_equal(ctl_server_connections(f->server), 0);
	assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	uv_async_send(&f->stop);
	pthread_join(f->thread, NULL);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int dial(struct fixture *f)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sun.sun_path, f->path, strlen(f->path) + 1);
	assert_return_code(fd, errno);
	assert_return_code(
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)), errno);
	return fd;
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads to the end and closes. */
static char *drain(int fd)
{
	static const size_t size = 4096;
	char *text = xcalloc(1, size);
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	return text;
}

static void expect(int fd, const char *want)
{
	char *text = drain(fd);

	assert_string_equal(text, want);
	free(text);
}

/* --- server and client ---------------------------------------------------- */

static void words_arrive(void **state)
{
	struct fixture *f = *state;
	const char *words[] = {"show", "a b", "100%"};
	char error[CTL_ERROR_MAX];
	json_t *doc = NULL, *list;

	assert_int_equal(
	    ctl_request(f->path, "testd", words, 3, &doc, error), 0);
	list = json_object_get(doc, "words");
	assert_int_equal(json_array_size(list), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(
		    json_string_value(json_array_get(list, i)), words[i]);
	json_decref(doc);
}

static void a_large_answer_arrives(void **state)
{
	struct fixture *f = *state;
	const char *words[] = {"big"};
	char error[CTL_ERROR_MAX];
	json_t *doc = NULL;

	assert_int_equal(
	    ctl_request(f->path, "testd", words, 1, &doc, error), 0);
	assert_int_equal(
	    json_string_length(json_object_get(doc, "big")), (1 << 20) - 1);
	json_decref(doc);
}

static void errors_become_text(void **state)
{
	struct fixture *f = *state;
	const char *refuse[] = {"refuse", "bob"}, *list[] = {"list"};
	char error[CTL_ERROR_MAX];
	json_t *doc = NULL;

	assert_int_equal(
	    ctl_request(f->path, "testd", refuse, 2, &doc, error), -EREMOTEIO);
	assert_string_equal(error, "testd: no client is called bob");
	assert_int_equal(
	    ctl_request(f->path, "testd", list, 1, &doc, error), -EBADMSG);
	assert_null(doc);
}

static void says_which_daemon_does_not_run(void **state)
{
	struct fixture *f = *state;
	const char *words[] = {"show"};
	char error[CTL_ERROR_MAX], path[128], longer[300];
	json_t *doc = NULL;

	snprintf(path, sizeof(path), "%s/none.sock", f->dir);
	assert_int_equal(
	    ctl_request(path, "l2tpd", words, 1, &doc, error), -ECONNREFUSED);
	assert_non_null(strstr(error, "l2tpd is not running"));
	assert_non_null(strstr(error, "systemctl start l2tpd"));
	close(listen_at(path)); /* a socket that nobody serves any more */
	assert_int_equal(
	    ctl_request(path, "l2tpd", words, 1, &doc, error), -ECONNREFUSED);
	unlink(path);
	memset(longer, 'p', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(
	    ctl_request(longer, "l2tpd", words, 1, &doc, error), -ENAMETOOLONG);
	assert_int_equal(
	    ctl_request(path, "l2tpd", words, 0, &doc, error), -EINVAL);
}

static void oversize_and_malformed(void **state)
{
	struct fixture *f = *state;
	char line[CTL_LINE_MAX * 2];
	int fd = dial(f);
	char *text;

	memset(line, 'a', sizeof(line));
	assert_int_equal(
	    send(fd, line, sizeof(line), MSG_NOSIGNAL), (ssize_t)sizeof(line));
	expect(fd, "{\"error\":\"the request is longer than 1024 bytes\"}\n");
	fd = dial(f);
	send_text(fd, "%00\n");
	expect(fd, "{\"error\":\"malformed request\"}\n");
	fd = dial(f);
	send_text(fd, "\n");
	expect(fd, "{\"error\":\"malformed request\"}\n");
	/* The longest request is still one. */
	fd = dial(f);
	line[CTL_LINE_MAX] = '\n';
	assert_int_equal(
	    send(fd, line, CTL_LINE_MAX + 1, MSG_NOSIGNAL), CTL_LINE_MAX + 1);
	text = drain(fd);
	assert_int_equal(strncmp(text, "{\"words\":[\"aaaa", 14), 0);
	free(text);
	assert_int_equal(f->starts, 1);
}

static void a_line_in_pieces(void **state)
{
	struct fixture *f = *state;
	const char *line = "disconnect user anna\n";
	int fd = dial(f);

	for (size_t i = 0; line[i]; i++) {
		const char one[2] = {line[i], '\0'};

		send_text(fd, one);
		usleep(200);
	}
	expect(fd, "{\"words\":[\"disconnect\",\"user\",\"anna\"]}\n");
}

static void clients_that_leave_early(void **state)
{
	struct fixture *f = *state;
	int fd;

	close(dial(f));
	fd = dial(f);
	send_text(fd, "half a li");
	close(fd);
	fd = dial(f);
	send_text(fd, "hold\n");
	close(fd); /* its reply is sent by release below, to nobody */
	fd = dial(f);
	send_text(fd, "big\n");
	close(fd);
	fd = dial(f);
	send_text(fd, "release\n");
	expect(fd, "{\"words\":[\"release\"]}\n");
}

static void answers_come_later(void **state)
{
	struct fixture *f = *state;
	int fd[4], last;

	for (size_t i = 0; i < 4; i++) {
		fd[i] = dial(f);
		send_text(fd[i], "hold\n");
	}
	/* Connections are accepted and read in order in one thread. */
	last = dial(f);
	send_text(last, "release\n");
	expect(last, "{\"words\":[\"release\"]}\n");
	for (size_t i = 0; i < 4; i++)
		expect(fd[i], "{\"late\":1}\n");
}

static void more_clients_than_places(void **state)
{
	struct fixture *f = *state;
	int idle[CTL_CONNECTIONS_MAX], extra[3];

	for (size_t i = 0; i < CTL_CONNECTIONS_MAX; i++)
		idle[i] = dial(f);
	for (size_t i = 0; i < 3; i++) {
		extra[i] = dial(f);
		send_text(extra[i], "waited\n");
	}
	for (size_t i = 0; i < CTL_CONNECTIONS_MAX; i++)
		close(idle[i]);
	for (size_t i = 0; i < 3; i++)
		expect(extra[i], "{\"words\":[\"waited\"]}\n");
}

/* One test for all three limits, so that their five seconds pass once. */
static void slow_clients_end(void **state)
{
	struct fixture *f = *state;
	int silent = dial(f), held = dial(f), reader = dial(f);

	send_text(held, "hold\n");
	send_text(reader, "big\n"); /* and never reads it */
	send_text(silent, "sho");
	expect(silent, "{\"error\":\"no request came in time\"}\n");
	expect(held, "{\"error\":\"the daemon had no answer in time\"}\n");
	while (send(reader, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(20000);
	assert_int_equal(errno, EPIPE);
	close(reader);
}

static void stop_while_a_reply_waits(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f), probe = dial(f);

	send_text(fd, "hold\n");
	send_text(probe, "probe\n");
	expect(probe, "{\"words\":[\"probe\"]}\n");
	uv_async_send(&f->stop);
	expect(fd, ""); /* closed without an answer */
}

static void start_refuses_a_wrong_descriptor(void **state)
{
	struct ctl_server *s = NULL;
	uv_loop_t loop;
	int fds[2];

	(void)state;
	uv_loop_init(&loop);
	assert_return_code(pipe(fds), errno);
	assert_true(ctl_server_start(&s, &loop, fds[0], handler, NULL) < 0);
	assert_null(s);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(fds[1]);
	ctl_server_stop(NULL);
}

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(splits_words),
	    cmocka_unit_test(refuses_bad_lines),
	    cmocka_unit_test(joins_what_splits),
	    cmocka_unit_test(join_is_bounded),
	    SERVER_TEST(words_arrive),
	    SERVER_TEST(a_large_answer_arrives),
	    SERVER_TEST(errors_become_text),
	    SERVER_TEST(says_which_daemon_does_not_run),
	    SERVER_TEST(oversize_and_malformed),
	    SERVER_TEST(a_line_in_pieces),
	    SERVER_TEST(clients_that_leave_early),
	    SERVER_TEST(answers_come_later),
	    SERVER_TEST(more_clients_than_places),
	    SERVER_TEST(slow_clients_end),
	    SERVER_TEST(stop_while_a_reply_waits),
	    cmocka_unit_test(start_refuses_a_wrong_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
