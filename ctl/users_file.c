/* SPDX-License-Identifier: ISC */
/* The users file: locked, read, and replaced in one step. */
#include "ctl/users_file.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(char error[USERS_FILE_ERROR_MAX], const char *path, int err)
{
	snprintf(error, USERS_FILE_ERROR_MAX, "%s: %s", path, strerror(err));
	return -err;
}

static int lock_directory(
    struct users_file *f, char error[USERS_FILE_ERROR_MAX])
{
	f->lock = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->lock < 0)
		return fail(error, f->dir, errno);
	while (flock(f->lock, LOCK_EX) < 0) {
		if (errno != EINTR)
			return fail(error, f->dir, errno);
	}
	return 0;
}

/* Reads fd to f->text. */
static int read_text(
    struct users_file *f, int fd, char error[USERS_FILE_ERROR_MAX])
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return fail(error, f->path, errno);
	if (!S_ISREG(st.st_mode))
		return fail(error, f->path, EISDIR);
	if (st.st_size > (off_t)USERS_FILE_MAX)
		return fail(error, f->path, EFBIG);
	f->text = xcalloc((size_t)st.st_size + 1, 1);
	while (f->len < (size_t)st.st_size) {
		n = read(fd, f->text + f->len, (size_t)st.st_size - f->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, f->path, errno);
		if (n == 0)
			break;
		f->len += (size_t)n;
	}
	return 0;
}

int users_file_open(struct users_file *f, const char *dir, int for_change,
    char error[USERS_FILE_ERROR_MAX])
{
	int fd, err;

	*f = (struct users_file){.lock = -1};
	f->dir = xstrdup(dir);
	f->path = xasprintf("%s/users", dir);
	if (for_change) {
		err = lock_directory(f, error);
		if (err)
			return err;
	}
	fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		f->text = xstrdup("");
		return 0;
	}
	if (fd < 0)
		return fail(error, f->path, errno);
	err = read_text(f, fd, error);
	close(fd);
	return err;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int users_file_replace(struct users_file *f, const char *text, size_t len,
    char error[USERS_FILE_ERROR_MAX])
{
	/* Under the lock nobody else writes this name. */
	char *path = xasprintf("%s/users.new", f->dir);
	int fd, err;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		err = fail(error, path, errno);
		free(path);
		return err;
	}
	err = write_all(fd, text, len);
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(path, f->path) < 0)
		err = -errno;
	if (err) {
		fail(error, path, -err);
		unlink(path);
	} else {
		/* The new name itself must outlive a power cut. */
		fsync(f->lock);
	}
	free(path);
	return err;
}

void users_file_close(struct users_file *f)
{
	if (f->lock >= 0)
		close(f->lock);
	secret_free(f->text, f->text ? f->len + 1 : 0);
	free(f->path);
	free(f->dir);
	*f = (struct users_file){.lock = -1};
}
