/* SPDX-License-Identifier: ISC */
/* The monitor's side: starts its engine, watches it, starts it again. */
#include "common/privsep.h"

#include "common/alloc.h"
#include "common/proc.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define STEADY_MS 1000 /* who lived so long starts again at once */
#define ARGS_MAX 16

struct privsep {
	struct privsep_spec spec;
	struct proc *proc; /* NULL: not running */
	uv_timer_t timer;  /* to start again, or to kill */
	int conf_fd;
	uint64_t backoff_ms;
	uint64_t started_ms;
	uint32_t restarts;
	bool is_stopping;
};

static void start_engine(struct privsep *p);

static void on_restart_timer(uv_timer_t *timer)
{
	struct privsep *p = timer->data;

	p->restarts++;
	start_engine(p);
}

static void schedule_restart(struct privsep *p)
{
	uv_timer_start(&p->timer, on_restart_timer, p->backoff_ms, 0);
	p->backoff_ms *= 2;
	if (p->backoff_ms > BACKOFF_MAX_MS)
		p->backoff_ms = BACKOFF_MAX_MS;
}

static void log_end(struct privsep *p, int pid, int status)
{
	char why[64];

	proc_status_text(status, why, sizeof(why));
	if (p->is_stopping)
		log_debug(p->spec.log, "engine %d ended: %s", pid, why);
	else
		log_error(p->spec.log,
		    "engine %d ended: %s; starting it again in %u ms", pid, why,
		    (unsigned int)p->backoff_ms);
}

static void on_engine_end(void *ctx, struct proc *proc, int status)
{
	struct privsep *p = ctx;

	if (uv_now(p->spec.loop) - p->started_ms >= STEADY_MS)
		p->backoff_ms = BACKOFF_MIN_MS;
	log_end(p, (int)proc_pid(proc), status);
	uv_timer_stop(&p->timer);
	proc_free(proc);
	p->proc = NULL;
	if (!p->is_stopping)
		schedule_restart(p);
	p->spec.ended(p->spec.ctx, status);
}

static int spawn(struct privsep *p, int engine_end)
{
	const char *argv[ARGS_MAX] = {p->spec.log->program, PRIVSEP_ENGINE_ARG};
	int fds[PROC_FDS_MAX] = {engine_end, p->conf_fd};
	const struct proc_spec spec = {.path = "/proc/self/exe",
	    .argv = argv,
	    .fds = fds,
	    .fd_count = 2 + p->spec.fd_count,
	    .std_in = -1,
	    .std_out = -1,
	    .std_err = -1};

	if (spec.fd_count > PROC_FDS_MAX)
		return -E2BIG;
	memcpy(fds + 2, p->spec.fds, p->spec.fd_count * sizeof(int));
	for (size_t i = 0; p->spec.args && p->spec.args[i]; i++) {
		if (i + 3 >= ARGS_MAX)
			return -E2BIG;
		argv[i + 2] = p->spec.args[i];
	}
	return proc_spawn(p->spec.loop, &spec, on_engine_end, p, &p->proc);
}

static void start_engine(struct privsep *p)
{
	int sv[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		err = -errno;
	else {
		err = spawn(p, sv[1]);
		close(sv[1]);
		if (err)
			close(sv[0]);
		else
			fcntl(sv[0], F_SETFL, O_NONBLOCK);
	}
	if (err) {
		log_error(
		    p->spec.log, "cannot start the engine: %s", strerror(-err));
		schedule_restart(p);
		return;
	}
	uv_update_time(p->spec.loop);
	p->started_ms = uv_now(p->spec.loop);
	p->spec.started(p->spec.ctx, sv[0]);
}

/* The configuration's text, sealed: no engine changes it for the next. */
static int conf_memfd(const char *text)
{
	size_t len = strlen(text), done = 0;
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -errno;
	while (done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n <= 0) {
			int err = n ? -errno : -EIO;

			close(fd);
			return err;
		}
		done += (size_t)n;
	}
	fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	return fd;
}

struct privsep *privsep_start(const struct privsep_spec *spec)
{
	struct privsep *p = xcalloc(1, sizeof(*p));

	p->spec = *spec;
	p->backoff_ms = BACKOFF_MIN_MS;
	uv_timer_init(spec->loop, &p->timer);
	p->timer.data = p;
	p->conf_fd = conf_memfd(spec->conf_text);
	if (p->conf_fd < 0)
		log_error(spec->log, "cannot keep the configuration: %s",
		    strerror(-p->conf_fd));
	start_engine(p);
	return p;
}

static void on_kill_timer(uv_timer_t *timer)
{
	struct privsep *p = timer->data;

	if (!p->proc)
		return;
	log_warn(p->spec.log, "engine %d does not end: killing it",
	    (int)proc_pid(p->proc));
	proc_kill(p->proc, SIGKILL);
}

void privsep_stop(struct privsep *p, uint64_t kill_ms)
{
	p->is_stopping = true;
	uv_timer_stop(&p->timer);
	if (p->proc)
		uv_timer_start(&p->timer, on_kill_timer, kill_ms, 0);
}

bool privsep_is_running(const struct privsep *p)
{
	return p->proc != NULL;
}

int privsep_engine_pid(const struct privsep *p)
{
	return p->proc ? (int)proc_pid(p->proc) : 0;
}

uint32_t privsep_restarts(const struct privsep *p)
{
	return p->restarts;
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void privsep_free(struct privsep *p)
{
	if (!p)
		return;
	if (p->proc) {
		proc_kill(p->proc, SIGKILL);
		proc_free(p->proc);
	}
	if (p->conf_fd >= 0)
		close(p->conf_fd);
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

/*
 * NET_ADMIN: SAs, policies, marks, tunnels.  SETUID, SETGID, SYS_CHROOT:
 * the next engine locks itself in with them.  KILL: the engine has another
 * user.  SETPCAP: to take capabilities from children before they start.
 */
static const int monitor_caps[] = {CAP_NET_ADMIN, CAP_SETUID, CAP_SETGID,
    CAP_SYS_CHROOT, CAP_KILL, CAP_SETPCAP};

int privsep_monitor_caps(struct log *log, uint64_t extra)
{
	const capng_type_t sets =
	    CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET;

	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < sizeof(monitor_caps) / sizeof(int); i++)
		capng_update(CAPNG_ADD, sets, (unsigned int)monitor_caps[i]);
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (extra & (1ull << cap))
			capng_update(CAPNG_ADD, sets, cap);
	if (capng_apply(CAPNG_SELECT_ALL)) {
		log_error(log, "cannot give up capabilities: not root?");
		return -EPERM;
	}
	return 0;
}

const struct passwd *privsep_user(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	if (!pw && !strcmp(user, PRIVSEP_USER))
		pw = getpwnam(PRIVSEP_FALLBACK_USER);
	return pw;
}

int privsep_check_user(const char *user, char *reason, size_t size)
{
	const struct passwd *pw = privsep_user(user);

	if (!pw) {
		snprintf(reason, size,
		    "there is no user \"%s\": create it (adduser --system "
		    "%s) or set `user` in the configuration",
		    user, user);
		return -ENOENT;
	}
	if (pw->pw_uid == 0 || pw->pw_gid == 0) {
		snprintf(reason, size,
		    "user \"%s\" has uid or gid 0: the engine needs an "
		    "unprivileged account",
		    user);
		return -EINVAL;
	}
	return 0;
}
