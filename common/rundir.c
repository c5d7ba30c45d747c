/* SPDX-License-Identifier: ISC */
/* The run directory: lock files and unix sockets. */
#include "common/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 16
#define PID_TEXT_MAX 16

const char *rundir(void)
{
	const char *dir = secure_getenv(RUNDIR_ENV);

	return dir && *dir ? dir : RUNDIR_PATH;
}

int rundir_path(char out[RUNDIR_PATH_MAX], const char *name)
{
	int n = snprintf(out, RUNDIR_PATH_MAX, "%s/%s", rundir(), name);

	return n < 0 || n >= RUNDIR_PATH_MAX ? -ENAMETOOLONG : 0;
}

int rundir_make(void)
{
	if (mkdir(rundir(), 0755) && errno != EEXIST)
		return -errno;
	return 0;
}

static pid_t read_pid(int fd)
{
	char text[PID_TEXT_MAX] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	return n > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

int rundir_lock(const char *name, pid_t *other)
{
	char path[RUNDIR_PATH_MAX];
	int err = rundir_path(path, name), fd;

	*other = 0;
	if (err)
		return err;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = -errno;
		*other = read_pid(fd);
		close(fd);
		return err;
	}
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

void rundir_remove(const char *name)
{
	char path[RUNDIR_PATH_MAX];

	if (!rundir_path(path, name))
		unlink(path);
}

static int unix_socket(const char *name, int type, struct sockaddr_un *sa)
{
	char path[RUNDIR_PATH_MAX];
	int err = rundir_path(path, name), fd;

	if (err)
		return err;
	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(sa->sun_path, path, sizeof(path));
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

int rundir_listen(const char *name, int type, mode_t mode)
{
	struct sockaddr_un sa;
	int fd = unix_socket(name, type, &sa), err = 0;
	mode_t before;

	if (fd < 0)
		return fd;
	unlink(sa.sun_path);
	/* The file never exists with a wider mode than asked for. */
	before = umask(0777 & ~mode);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(fd, LISTEN_BACKLOG))
		err = -errno;
	umask(before);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int rundir_connect(const char *name, int type)
{
	struct sockaddr_un sa;
	int fd = unix_socket(name, type, &sa), err;

	if (fd < 0)
		return fd;
	if (!connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
