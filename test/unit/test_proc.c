/* SPDX-License-Identifier: ISC */
/* Children: their descriptors, their end, their death with their parent. */
#include "common/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

struct watch {
	int ended, status;
};

static void on_end(void *ctx, struct proc *proc, int status)
{
	struct watch *w = ctx;

	w->ended++;
	w->status = status;
	proc_free(proc);
}

/* Runs /bin/sh -c script with fds from 3 on; its standard output in out. */
static int run(
    const char *script, const int *fds, size_t fd_count, char *out, size_t size)
{
	const char *argv[] = {"sh", "-c", script, NULL};
	struct proc_spec spec = {.path = "/bin/sh",
	    .argv = argv,
	    .fds = fds,
	    .fd_count = fd_count,
	    .std_in = -1,
	    .std_err = -1};
	struct watch w = {0};
	struct proc *proc;
	uv_loop_t loop;
	int pipe_fd[2];
	ssize_t n;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	spec.std_out = pipe_fd[1];
	assert_int_equal(proc_spawn(&loop, &spec, on_end, &w, &proc), 0);
	assert_true(proc_pid(proc) > 0);
	close(pipe_fd[1]);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(w.ended, 1);
	n = read(pipe_fd[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(pipe_fd[0]);
	assert_int_equal(uv_loop_close(&loop), 0);
	return w.status;
}

static void test_status(void **state)
{
	char out[64], text[64];
	int status;

	(void)state;
	status = run("exit 7", NULL, 0, out, sizeof(out));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_string_equal(
	    proc_status_text(status, text, sizeof(text)), "exit code 7");
	status = run("kill -9 $$", NULL, 0, out, sizeof(out));
	assert_true(WIFSIGNALED(status));
	assert_string_equal(
	    proc_status_text(status, text, sizeof(text)), "signal 9 (Killed)");
}

static void test_descriptors(void **state)
{
	int a[2], b[2], fds[3];
	char out[256];

	(void)state;
	assert_int_equal(pipe(a), 0); /* inheritable, and must not be */
	assert_int_equal(pipe2(b, O_CLOEXEC), 0);
	assert_int_equal(write(a[1], "one", 3), 3);
	assert_int_equal(write(b[1], "two", 3), 3);
	close(a[1]);
	close(b[1]);
	/* In an order that a naive dup2() loop would destroy. */
	fds[0] = b[0];
	fds[1] = a[0];
	fds[2] = b[0];
	assert_int_equal(run("cat <&3; cat <&4; for f in /proc/self/fd/*; do "
			     "echo ${f##*/}; done | grep -c '^[0-5]$'",
			     fds, 3, out, sizeof(out)),
	    0);
	assert_string_equal(out, "twoone6\n");
	assert_int_equal(
	    run("ls /proc/self/fd | tr '\\n' ' '", fds, 1, out, sizeof(out)),
	    0);
	/* 0, 1, 2, ours, and ls's own directory. */
	assert_string_equal(out, "0 1 2 3 4 ");
	close(a[0]);
	close(b[0]);
}

static void test_standard_input_is_null(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(
	    run("readlink /proc/self/fd/0", NULL, 0, out, sizeof(out)), 0);
	assert_string_equal(out, "/dev/null\n");
}

static void test_signals_are_reset(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	char out[256];

	(void)state;
	assert_int_equal(sigaction(SIGHUP, &ignore, &before), 0);
	/* The C library keeps 32 and 33 for itself; the rest is reset. */
	assert_int_equal(run("grep -Ec 'Sig(Blk|Ign):.*0{7}$' "
			     "/proc/self/status",
			     NULL, 0, out, sizeof(out)),
	    0);
	assert_string_equal(out, "2\n");
	sigaction(SIGHUP, &before, NULL);
}

static void test_exec_fails(void **state)
{
	const char *argv[] = {"x", NULL};
	struct proc_spec spec = {.path = "/nonexistent/x",
	    .argv = argv,
	    .std_in = -1,
	    .std_out = -1,
	    .std_err = -1};
	struct watch w = {0};
	struct proc *proc = NULL;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(proc_spawn(&loop, &spec, on_end, &w, &proc), -ENOENT);
	assert_null(proc);
	spec.fd_count = PROC_FDS_MAX + 1;
	assert_int_equal(proc_spawn(&loop, &spec, on_end, &w, &proc), -E2BIG);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(w.ended, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_kill(void **state)
{
	const char *argv[] = {"sleep", "100", NULL};
	struct proc_spec spec = {.path = "/bin/sleep",
	    .argv = argv,
	    .std_in = -1,
	    .std_out = -1,
	    .std_err = -1,
	    .is_own_session = 1};
	struct watch w = {0};
	struct proc *proc = NULL;
	uv_loop_t loop;
	pid_t pid;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(proc_spawn(&loop, &spec, on_end, &w, &proc), 0);
	pid = proc_pid(proc);
	assert_int_equal(getsid(pid), pid);
	proc_kill(proc, SIGTERM);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(w.ended, 1);
	assert_int_equal(WTERMSIG(w.status), SIGTERM);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Root only: a child with a bounding set has those capabilities alone. */
static void test_bounding(void **state)
{
	const char *argv[] = {
	    "sh", "-c", "grep CapEff /proc/self/status", NULL};
	struct proc_spec spec = {.path = "/bin/sh",
	    .argv = argv,
	    .bounding = 1ull << 12, /* CAP_NET_ADMIN */
	    .std_in = -1,
	    .std_err = -1};
	struct watch w = {0};
	struct proc *proc;
	uv_loop_t loop;
	int pipe_fd[2];
	char out[64] = "";

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
	spec.std_out = pipe_fd[1];
	assert_int_equal(proc_spawn(&loop, &spec, on_end, &w, &proc), 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(read(pipe_fd[0], out, sizeof(out) - 1) > 0);
	assert_string_equal(out, "CapEff:\t0000000000001000\n");
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Its policy after proc_be_patient() with this one before; in a child. */
static int patient_after(int policy)
{
	const struct sched_param none = {.sched_priority = 0};
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (sched_setscheduler(0, policy, &none))
			_exit(99);
		proc_be_patient();
		proc_be_patient();
		_exit(sched_getscheduler(0));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_patient(void **state)
{
	(void)state;
	assert_int_equal(patient_after(SCHED_OTHER), SCHED_BATCH);
	/* What somebody chose for it stays. */
	assert_int_equal(patient_after(SCHED_IDLE), SCHED_IDLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_descriptors),
	    cmocka_unit_test(test_standard_input_is_null),
	    cmocka_unit_test(test_signals_are_reset),
	    cmocka_unit_test(test_exec_fails),
	    cmocka_unit_test(test_kill),
	    cmocka_unit_test(test_bounding),
	    cmocka_unit_test(test_patient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
