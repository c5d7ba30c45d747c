/* SPDX-License-Identifier: ISC */
/* Starts children with exactly the descriptors they are meant to have. */
#include "common/proc.h"

#include "common/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FD 3

struct proc {
	uv_poll_t poll;
	int pidfd;
	pid_t pid;
	bool has_ended;
	proc_end_fn end;
	void *ctx;
};

/* --- in the child: async-signal-safe calls only ------------------------- */

struct child {
	const struct proc_spec *spec;
	pid_t parent;
	int error_fd;
};

static void reset_signals(void)
{
	struct sigaction dfl = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int limit_caps(uint64_t bounding)
{
	if (!bounding)
		return 0;
	for (int cap = 0; cap < 64; cap++) {
		if (bounding & (1ull << cap))
			continue;
		/* EINVAL: the kernel knows no capability of this number. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return -errno;
	}
	return 0;
}

/* Copies *fd to a number of at least low; the copy closes on exec. */
static int move_up(int *fd, int low)
{
	int copy = fcntl(*fd, F_DUPFD_CLOEXEC, low);

	if (copy < 0)
		return -errno;
	*fd = copy;
	return 0;
}

/* fd (or /dev/null) becomes `target`, without close-on-exec. */
static int place(int fd, int target)
{
	int null = -1;

	if (fd < 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		fd = null;
	}
	if (fd < 0 || dup2(fd, target) < 0)
		return -errno;
	return 0;
}

/*
 * All sources move above every target first, so that none is overwritten
 * before it was copied.  What is not wanted is closed at the end.
 */
static int arrange_fds(struct child *c)
{
	const struct proc_spec *s = c->spec;
	int fds[PROC_FDS_MAX], std[3] = {s->std_in, s->std_out, s->std_err};
	int low = FIRST_FD + (int)s->fd_count + 1, err = 0;

	err = move_up(&c->error_fd, low);
	for (size_t i = 0; !err && i < s->fd_count; i++) {
		fds[i] = s->fds[i];
		err = move_up(&fds[i], low);
	}
	for (int i = 0; !err && i < 3; i++)
		if (std[i] >= 0)
			err = move_up(&std[i], low);
	for (int i = 0; !err && i < 3; i++)
		if (std[i] >= 0 || i < STDERR_FILENO)
			err = place(std[i], i);
	for (size_t i = 0; !err && i < s->fd_count; i++)
		err = place(fds[i], FIRST_FD + (int)i);
	if (err)
		return err;
	if (dup3(c->error_fd, low - 1, O_CLOEXEC) < 0)
		return -errno;
	c->error_fd = low - 1;
	if (syscall(SYS_close_range, (unsigned int)low, ~0u, 0u))
		return -errno;
	return 0;
}

static int child_setup(struct child *c)
{
	const struct proc_spec *s = c->spec;
	int err;

	reset_signals();
	if (s->is_own_session)
		setsid();
	err = arrange_fds(c);
	if (!err)
		err = limit_caps(s->bounding);
	if (err)
		return err;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	/* The parent may have died before the line above. */
	if (getppid() != c->parent)
		_exit(1);
	execve(s->path, (char *const *)s->argv,
	    s->envp ? (char *const *)s->envp : environ);
	return -errno;
}

static _Noreturn void child_run(struct child *c)
{
	int err = child_setup(c);

	if (write(c->error_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* --- in the parent ------------------------------------------------------ */

static void on_exit_seen(uv_poll_t *handle, int status, int events)
{
	struct proc *p = handle->data;
	int how = 0;

	(void)status;
	(void)events;
	if (waitpid(p->pid, &how, WNOHANG) != p->pid)
		return;
	p->has_ended = true;
	uv_poll_stop(&p->poll);
	p->end(p->ctx, p, how);
}

/* Waits for exec: end of file says that it worked. */
static int exec_result(int fd)
{
	int err = 0;
	ssize_t n;

	do {
		n = read(fd, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	return n == (ssize_t)sizeof(err) ? err : -EIO;
}

static int check_spec(const struct proc_spec *spec)
{
	return spec->fd_count > PROC_FDS_MAX ? -E2BIG : 0;
}

static int fork_exec(const struct proc_spec *spec, pid_t *pid)
{
	int pipe_fd[2], err;
	struct child c = {.spec = spec, .parent = getpid()};
	sigset_t all, before;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return -errno;
	c.error_fd = pipe_fd[1];
	/* No handler of ours may run in the child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	*pid = fork();
	if (*pid == 0)
		child_run(&c);
	err = *pid < 0 ? -errno : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pipe_fd[1]);
	if (!err)
		err = exec_result(pipe_fd[0]);
	close(pipe_fd[0]);
	if (err && *pid > 0)
		waitpid(*pid, NULL, 0);
	return err;
}

int proc_spawn(uv_loop_t *loop, const struct proc_spec *spec, proc_end_fn end,
    void *ctx, struct proc **out)
{
	struct proc *p;
	pid_t pid = -1;
	int err = check_spec(spec), fd;

	if (!err)
		err = fork_exec(spec, &pid);
	if (err)
		return err;
	fd = (int)syscall(SYS_pidfd_open, pid, 0u);
	if (fd < 0) {
		err = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err;
	}
	p = xcalloc(1, sizeof(*p));
	p->pid = pid;
	p->pidfd = fd;
	p->end = end;
	p->ctx = ctx;
	uv_poll_init(loop, &p->poll, fd);
	p->poll.data = p;
	uv_poll_start(&p->poll, UV_READABLE, on_exit_seen);
	*out = p;
	return 0;
}

pid_t proc_pid(const struct proc *p)
{
	return p->pid;
}

void proc_kill(struct proc *p, int signo)
{
	/* Not reaped yet, so the number is still this child's. */
	if (!p->has_ended)
		kill(p->pid, signo);
}

static void on_closed(uv_handle_t *handle)
{
	struct proc *p = handle->data;

	close(p->pidfd);
	free(p);
}

void proc_free(struct proc *p)
{
	if (p && !uv_is_closing((uv_handle_t *)&p->poll))
		uv_close((uv_handle_t *)&p->poll, on_closed);
}

const char *proc_status_text(int status, char *out, size_t size)
{
	if (WIFEXITED(status))
		snprintf(out, size, "exit code %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		snprintf(out, size, "signal %d (%s)", WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "status %d", status);
	return out;
}

void proc_be_patient(void)
{
	const struct sched_param none = {.sched_priority = 0};
	int saved = errno;

	if (sched_getscheduler(0) == SCHED_OTHER)
		sched_setscheduler(0, SCHED_BATCH, &none);
	errno = saved;
}
