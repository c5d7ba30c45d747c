/* SPDX-License-Identifier: ISC */
/*
 * The users file on disk: read whole, replaced whole.  A change is written
 * to a new file beside it (0600), synchronised and renamed over it, under
 * a lock on the directory; l2tpd reads either the old file or the new one.
 */
#ifndef CTL_USERS_FILE_H
#define CTL_USERS_FILE_H

#include <stddef.h>

#define USERS_FILE_MAX (16u << 20)
#define USERS_FILE_ERROR_MAX 320

struct users_file {
	int lock;   /* on the directory; -1: read only */
	char *path; /* of the file */
	char *dir;
	char *text; /* contents, terminated; "" when there is no file */
	size_t len;
};

/*
 * Reads dir/users; for_change takes the lock and keeps it until
 * users_file_close().  A file that does not exist is empty.  0, or -errno
 * with one sentence in error; close it in both cases.
 */
int users_file_open(struct users_file *f, const char *dir, int for_change,
    char error[USERS_FILE_ERROR_MAX]);
/* Replaces the file.  text is borrowed.  0, or -errno and error. */
int users_file_replace(struct users_file *f, const char *text, size_t len,
    char error[USERS_FILE_ERROR_MAX]);
/* Wipes and frees; the lock is given back. */
void users_file_close(struct users_file *f);

#endif
