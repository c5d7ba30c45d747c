/* SPDX-License-Identifier: ISC */
/* Numbers for R, reserved on disk before use. */
#include "ikev1/rnum.h"

#include "common/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBER_TEXT_MAX 32

struct rnum {
	char *path;
	uint64_t next;	   /* to be given */
	uint64_t reserved; /* the first that is not */
};

/* The first number that no run has reserved. */
static int read_reserved(const char *path, uint64_t *out)
{
	char text[NUMBER_TEXT_MAX] = "", *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	*out = 1;
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\n' || errno || !*out)
		return -EBADMSG;
	return 0;
}

/* The new name is on disk too: no block is given out twice. */
static int sync_dir(const char *path)
{
	char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	int err = 0;
	int fd;

	if (slash)
		slash[slash == dir] = '\0';
	fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	free(dir);
	return err;
}

/* The new file replaces the old one only when it is on disk. */
static int write_reserved(const char *path, uint64_t value)
{
	char *tmp = xasprintf("%s.new", path);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		err = -errno;
	if (!err && dprintf(fd, "%" PRIu64 "\n", value) < 0)
		err = -errno;
	if (!err && fsync(fd))
		err = -errno;
	if (fd >= 0)
		close(fd);
	if (!err && rename(tmp, path))
		err = -errno;
	free(tmp);
	return err ? err : sync_dir(path);
}

int rnum_open(const char *path, struct rnum **out)
{
	char *copy = xstrdup(path);
	struct rnum *n;
	uint64_t first;
	int err = 0;

	if (mkdir(dirname(copy), 0755) && errno != EEXIST)
		err = -errno;
	free(copy);
	if (!err)
		err = read_reserved(path, &first);
	if (err)
		return err;
	n = xcalloc(1, sizeof(*n));
	n->path = xstrdup(path);
	n->next = n->reserved = first;
	*out = n;
	return 0;
}

void rnum_close(struct rnum *n)
{
	if (!n)
		return;
	free(n->path);
	free(n);
}

int rnum_next(struct rnum *n, uint64_t *r)
{
	if (n->next == n->reserved) {
		int err = write_reserved(n->path, n->next + RNUM_BLOCK);

		if (err)
			return err;
		n->reserved = n->next + RNUM_BLOCK;
	}
	*r = n->next++;
	return 0;
}
