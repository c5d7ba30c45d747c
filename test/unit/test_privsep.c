/* SPDX-License-Identifier: ISC */
/*
 * Monitor and engine with this program as both: it starts itself with
 * --engine and the engine reports what it can still do.  Root only.
 */
#include "common/privsep.h"

#include "common/alloc.h"
#include "common/chan.h"
#include "common/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { T_REPORT = 1, T_WORD };

struct t_report {
	uint32_t uid, euid, gid;
	uint8_t can_open, can_socket, can_exec_memory, can_root, dumpable;
	uint8_t has_worked; /* the thread pool */
	int32_t groups;
	char conf[64];
	char passed[16]; /* read from the first further descriptor */
	char arg[16];
};

struct t_word {
	char text[16];
};

static const struct msg_field report_fields[] = {
    MSG_NUM(MSG_U32, struct t_report, uid),
    MSG_NUM(MSG_U32, struct t_report, euid),
    MSG_NUM(MSG_U32, struct t_report, gid),
    MSG_NUM(MSG_U8, struct t_report, can_open),
    MSG_NUM(MSG_U8, struct t_report, can_socket),
    MSG_NUM(MSG_U8, struct t_report, can_exec_memory),
    MSG_NUM(MSG_U8, struct t_report, can_root),
    MSG_NUM(MSG_U8, struct t_report, dumpable),
    MSG_NUM(MSG_U8, struct t_report, has_worked),
    MSG_NUM(MSG_I32, struct t_report, groups),
    MSG_TEXT_OF(struct t_report, conf),
    MSG_TEXT_OF(struct t_report, passed),
    MSG_TEXT_OF(struct t_report, arg),
};
static const struct msg_field word_fields[] = {
    MSG_TEXT_OF(struct t_word, text)};
static const struct msg_desc descs[] = {
    MSG_DESC(T_REPORT, struct t_report, report_fields),
    MSG_DESC(T_WORD, struct t_word, word_fields)};
static const struct msg_table table = {descs, 2};

/* --- the engine ---------------------------------------------------------- */

static void work(uv_work_t *w)
{
	*(uint8_t *)w->data = 1;
}

static void after_work(uv_work_t *w, int status)
{
	(void)w;
	(void)status;
}

static void fill_report(struct t_report *r)
{
	int fd = open("/etc/passwd", O_RDONLY);

	r->can_open = fd >= 0;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	r->can_socket = fd >= 0;
	r->uid = getuid();
	r->euid = geteuid();
	r->gid = getgid();
	r->can_root = setuid(0) == 0;
	r->dumpable = (uint8_t)prctl(PR_GET_DUMPABLE);
}

static int engine(const char *arg)
{
	struct t_report r = {0};
	struct log log;
	struct t_word word;
	struct msg_header hdr;
	uv_loop_t loop;
	uv_work_t w = {.data = &r.has_worked};
	char *conf = NULL;
	int fd;

	log_init(&log, "engine", LOG_SEV_ERROR);
	if (uv_loop_init(&loop) || privsep_engine_conf(&conf))
		return 10;
	snprintf(r.conf, sizeof(r.conf), "%s", conf);
	snprintf(r.arg, sizeof(r.arg), "%s", arg);
	if (read(PRIVSEP_FIRST_FD, r.passed, sizeof(r.passed) - 1) < 0)
		return 11;
	r.groups = getgroups(0, NULL);
	if (privsep_lock_in(&log, PRIVSEP_FALLBACK_USER, &loop))
		return 12;
	if (uv_queue_work(&loop, &w, work, after_work))
		return 13;
	uv_run(&loop, UV_RUN_DEFAULT);
	fill_report(&r);
	if (chan_sync_send(PRIVSEP_CHAN_FD, &table, T_REPORT, 0, &r, -1))
		return 14;
	/* Until a word says how to end, or the monitor is gone. */
	if (chan_sync_recv(
		PRIVSEP_CHAN_FD, &table, &hdr, &word, sizeof(word), &fd))
		return 15;
	if (!strcmp(word.text, "crash"))
		raise(SIGKILL);
	if (!strcmp(word.text, "hang"))
		for (;;)
			pause();
	return 0;
}

/* --- the monitor --------------------------------------------------------- */

struct monitor {
	uv_loop_t loop;
	struct log log;
	struct privsep *privsep;
	struct chan *chan;
	int started, ended, reports, last_status;
	struct t_report report;
	const char *words[4]; /* what each engine is told */
};

static void on_message(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct monitor *m = ctx;
	struct t_word word = {""};
	const char *text = m->words[m->reports];

	(void)fd;
	assert_int_equal(hdr->type, T_REPORT);
	memcpy(&m->report, body, sizeof(m->report));
	m->reports++;
	if (!text)
		return;
	if (!m->words[m->reports])
		privsep_stop(m->privsep, 300);
	snprintf(word.text, sizeof(word.text), "%s", text);
	assert_int_equal(chan_send(chan, T_WORD, 0, &word, -1), 0);
}

static void on_end(void *ctx, struct chan *chan, int error)
{
	struct monitor *m = ctx;

	(void)error;
	chan_close(chan);
	m->chan = NULL;
}

static void on_started(void *ctx, int fd)
{
	struct monitor *m = ctx;
	const struct chan_handlers h = {on_message, on_end, m};

	m->started++;
	m->chan = chan_open(&m->loop, fd, &table, &h);
}

static void on_ended(void *ctx, int status)
{
	struct monitor *m = ctx;

	m->ended++;
	m->last_status = status;
	chan_close(m->chan);
	m->chan = NULL;
	if (!m->words[m->reports])
		privsep_free(m->privsep);
}

/* Runs engines until the list of words is through. */
static void run(struct monitor *m)
{
	static const char *const args[] = {"argument", NULL};
	int pipe_fd[2];
	struct privsep_spec spec = {.log = &m->log,
	    .loop = &m->loop,
	    .args = args,
	    .conf_text = "the = configuration\n",
	    .fds = pipe_fd,
	    .fd_count = 1,
	    .started = on_started,
	    .ended = on_ended,
	    .ctx = m};

	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(write(pipe_fd[1], "passed\0........", 15), 15);
	log_init(&m->log, "monitor", LOG_SEV_ERROR);
	m->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(uv_loop_init(&m->loop), 0);
	m->privsep = privsep_start(&spec);
	uv_run(&m->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&m->loop), 0);
	close(m->log.fd);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void test_locked_in(void **state)
{
	struct monitor m = {.words = {"end"}};

	(void)state;
	if (geteuid())
		skip();
	run(&m);
	assert_int_equal(m.started, 1);
	assert_int_equal(m.reports, 1);
	assert_int_equal(m.ended, 1);
	assert_int_equal(m.last_status, 0);
	assert_string_equal(m.report.conf, "the = configuration\n");
	assert_string_equal(m.report.passed, "passed");
	assert_string_equal(m.report.arg, "argument");
	assert_int_not_equal(m.report.uid, 0);
	assert_int_not_equal(m.report.euid, 0);
	assert_int_not_equal(m.report.gid, 0);
	assert_int_equal(m.report.can_open, 0);
	assert_int_equal(m.report.can_root, 0);
	assert_int_equal(m.report.has_worked, 1);
#if defined(WITH_SECCOMP) && !defined(SALLYPORT_SANITIZE)
	assert_int_equal(m.report.can_socket, 0);
#endif
}

static void test_restarts(void **state)
{
	struct monitor m = {.words = {"crash", "crash", "end"}};

	(void)state;
	if (geteuid())
		skip();
	run(&m);
	assert_int_equal(m.started, 3);
	assert_int_equal(m.reports, 3);
	assert_int_equal(m.ended, 3);
	/* The descriptor and the configuration came again. */
	assert_string_equal(m.report.conf, "the = configuration\n");
	assert_string_equal(m.report.passed, "passed");
}

static void test_hanging_engine_is_killed(void **state)
{
	struct monitor m = {.words = {"hang"}};

	(void)state;
	if (geteuid())
		skip();
	run(&m);
	assert_int_equal(m.ended, 1);
	assert_int_equal(m.last_status, SIGKILL);
}

static void test_users(void **state)
{
	char reason[160] = "";

	(void)state;
	assert_int_equal(
	    privsep_check_user("no-such-user", reason, sizeof(reason)),
	    -ENOENT);
	assert_non_null(strstr(reason, "no-such-user"));
	assert_int_equal(
	    privsep_check_user("root", reason, sizeof(reason)), -EINVAL);
	assert_int_equal(
	    privsep_check_user(PRIVSEP_USER, reason, sizeof(reason)), 0);
}

/* --- the run directory --------------------------------------------------- */

static void test_rundir(void **state)
{
	pid_t other = 0;
	struct stat st;
	char path[RUNDIR_PATH_MAX], text[32] = "";
	int lock, again, fd, client;
	FILE *fp;

	(void)state;
	assert_int_equal(rundir_make(), 0);
	assert_int_equal(rundir_make(), 0);
	lock = rundir_lock("test.pid", &other);
	assert_true(lock >= 0);
	assert_int_equal(rundir_path(path, "test.pid"), 0);
	fp = fopen(path, "re");
	assert_non_null(fp);
	assert_non_null(fgets(text, sizeof(text), fp));
	fclose(fp);
	assert_int_equal(atoi(text), getpid());
	again = rundir_lock("test.pid", &other);
	assert_int_equal(again, -EAGAIN);
	assert_int_equal(other, getpid());
	close(lock);
	lock = rundir_lock("test.pid", &other);
	assert_true(lock >= 0);
	close(lock);

	assert_int_equal(rundir_connect("test.sock", SOCK_SEQPACKET), -ENOENT);
	fd = rundir_listen("test.sock", SOCK_SEQPACKET, 0600);
	assert_true(fd >= 0);
	assert_int_equal(rundir_path(path, "test.sock"), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	client = rundir_connect("test.sock", SOCK_SEQPACKET);
	assert_true(client >= 0);
	close(client);
	close(fd);
	assert_int_equal(
	    rundir_connect("test.sock", SOCK_SEQPACKET), -ECONNREFUSED);
	/* A file left over is replaced. */
	fd = rundir_listen("test.sock", SOCK_SEQPACKET, 0600);
	assert_true(fd >= 0);
	close(fd);
	rundir_remove("test.sock");
	assert_int_equal(stat(path, &st), -1);
	rundir_remove("test.pid");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_locked_in),
	    cmocka_unit_test(test_restarts),
	    cmocka_unit_test(test_hanging_engine_is_killed),
	    cmocka_unit_test(test_users),
	    cmocka_unit_test(test_rundir),
	};
	char dir[] = "/tmp/sallyport-run-XXXXXX", path[64];
	int failed;

	if (argc > 2 && !strcmp(argv[1], PRIVSEP_ENGINE_ARG))
		_exit(engine(argv[2])); /* no leak check in a chroot */
	if (!mkdtemp(dir) || chmod(dir, 0755))
		return 1;
	setenv(RUNDIR_ENV, dir, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(path, sizeof(path), "%s/empty", dir);
	rmdir(path);
	rmdir(dir);
	return failed;
}
