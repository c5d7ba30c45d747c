/* SPDX-License-Identifier: ISC */
/* The engine's side of privilege separation: it locks itself in. */
#include "common/privsep.h"

#include "common/alloc.h"
#include "common/rundir.h"
#include "common/seccomp_list.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define EMPTY_DIR "empty"

int privsep_engine_conf(char **text)
{
	struct stat st;
	size_t len, done = 0;
	char *buf;

	if (fstat(PRIVSEP_CONF_FD, &st))
		return -errno;
	len = (size_t)st.st_size;
	buf = xcalloc(1, len + 1);
	while (done < len) {
		ssize_t n =
		    pread(PRIVSEP_CONF_FD, buf + done, len - done, (off_t)done);

		if (n <= 0) {
			free(buf);
			return n ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	close(PRIVSEP_CONF_FD);
	*text = buf;
	return 0;
}

static int fail(struct log *log, const char *what, int error)
{
	log_error(
	    log, "cannot lock the engine in: %s: %s", what, strerror(error));
	return -error;
}

/* The directory is root's, empty, and nobody but root may write to it. */
static int enter_empty_dir(struct log *log)
{
	char path[RUNDIR_PATH_MAX];
	int err = rundir_path(path, EMPTY_DIR);

	if (err)
		return fail(log, "path of the empty directory", -err);
	if (mkdir(path, 0555) && errno != EEXIST)
		return fail(log, path, errno);
	if (chroot(path) || chdir("/"))
		return fail(log, path, errno);
	return 0;
}

static int become_user(struct log *log, uid_t uid, gid_t gid)
{
	/* Takes SETPCAP, so before the user changes. */
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (capng_apply(CAPNG_SELECT_BOUNDS))
		return fail(log, "capability bounding set", EPERM);
	if (setgroups(0, NULL))
		return fail(log, "setgroups", errno);
	if (setresgid(gid, gid, gid))
		return fail(log, "setresgid", errno);
	if (setresuid(uid, uid, uid))
		return fail(log, "setresuid", errno);
	if (capng_get_caps_process() ||
	    capng_have_capabilities(CAPNG_SELECT_BOTH) > CAPNG_NONE)
		return fail(log, "capabilities are left", EPERM);
	if (!setresuid(0, 0, 0))
		return fail(log, "root can be regained", EPERM);
	return 0;
}

static int harden(struct log *log)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail(log, "no_new_privs", errno);
	/* Keys are in this memory: no core file, no ptrace. */
	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_DUMPABLE, 0))
		return fail(log, "core dumps", errno);
	/* The change of user cleared it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return fail(log, "parent death signal", errno);
	return 0;
}

static void no_work(uv_work_t *work)
{
	(void)work;
}

static void after_no_work(uv_work_t *work, int status)
{
	(void)status;
	free(work);
}

int privsep_lock_in(struct log *log, const char *user, uv_loop_t *loop)
{
	const struct passwd *pw;
	uv_work_t *work;
	char name[16];
	int err;

	tzset();
	/* The kernel named us "exe", after /proc/self/exe; 15 bytes count. */
	snprintf(name, sizeof(name), "%s-engine", log->program);
	prctl(PR_SET_NAME, name);
	pw = privsep_user(user);
	if (!pw || !pw->pw_uid || !pw->pw_gid)
		return fail(log, user, EINVAL);
	err = enter_empty_dir(log);
	if (!err)
		err = become_user(log, pw->pw_uid, pw->pw_gid);
	if (!err)
		err = harden(log);
	if (err)
		return err;
	/*
	 * libuv starts all its threads with the first piece of work and
	 * returns when they run; the filter then covers them too.
	 */
	work = xcalloc(1, sizeof(*work));
	err = uv_queue_work(loop, work, no_work, after_no_work);
	if (err) {
		free(work);
		return fail(log, "threads", -err);
	}
	return seccomp_list_load(log);
}
