/* SPDX-License-Identifier: ISC */
/* Finds and ends the pppd processes of an older monitor. */
#include "l2tpd/orphan.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WAIT_MS 5000

/* The n-th word (from 0) of a run of NUL-terminated words, or NULL. */
static const char *word(const char *cmdline, size_t len, int n)
{
	const char *end = cmdline + len;
	const char *p = cmdline;

	while (p < end) {
		const char *nul = memchr(p, '\0', (size_t)(end - p));

		if (!nul)
			return NULL;
		if (!n--)
			return p;
		p = nul + 1;
	}
	return NULL;
}

static bool word_is(
    const char *cmdline, size_t len, int n, const char *expected)
{
	const char *w = word(cmdline, len, n);

	return w && !strcmp(w, expected);
}

bool orphan_is_ours(const char *cmdline, size_t len, const char *plugin)
{
	const char *program = word(cmdline, len, 0);
	const char *slash = program ? strrchr(program, '/') : NULL;

	return slash && !strcmp(slash, "/pppd") &&
	       word_is(cmdline, len, 1, "plugin") &&
	       word_is(cmdline, len, 2, plugin) &&
	       word_is(cmdline, len, 3, "sallyport-fd");
}

static bool has_our_cmdline(int pid, const char *plugin)
{
	char path[64], cmdline[2048];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, cmdline, sizeof(cmdline));
	close(fd);
	return n > 0 && orphan_is_ours(cmdline, (size_t)n, plugin);
}

static bool is_in_our_netns(int pid)
{
	struct stat ours, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	return !stat("/proc/self/ns/net", &ours) && !stat(path, &its) &&
	       ours.st_ino == its.st_ino && ours.st_dev == its.st_dev;
}

/* The pidfd first: the checks then hold for the process that is killed. */
static bool clear_one(int pid, const char *plugin)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	bool is_ours;

	if (fd < 0)
		return false;
	is_ours = has_our_cmdline(pid, plugin) && is_in_our_netns(pid);
	if (is_ours) {
		syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		poll(&p, 1, WAIT_MS);
	}
	close(fd);
	return is_ours;
}

int orphan_clear(struct log *log, const char *plugin)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int count = 0;

	if (!dir)
		return 0;
	while ((e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]) &&
		    clear_one(atoi(e->d_name), plugin))
			count++;
	closedir(dir);
	if (count)
		log_warn(
		    log, "ended %d pppd that an earlier l2tpd left", count);
	return count;
}
