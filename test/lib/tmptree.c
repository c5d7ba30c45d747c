/* SPDX-License-Identifier: ISC */
/* A temporary directory with files in it. */
#include "test/lib/tmptree.h"

#include "common/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_MAX 4096

void tmptree_make(struct tmptree *t)
{
	strcpy(t->dir, "/tmp/sallyport-test.XXXXXX");
	assert_non_null(mkdtemp(t->dir));
}

static int remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void tmptree_remove(struct tmptree *t)
{
	nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *tmptree_file(struct tmptree *t, const char *name)
{
	int n = snprintf(t->path, sizeof(t->path), "%s/%s", t->dir, name);

	assert_in_range(n, 1, sizeof(t->path) - 1);
	return t->path;
}

void tmptree_mkdir(struct tmptree *t, const char *path)
{
	char *at = xasprintf("%s/%s/", t->dir, path);

	for (char *p = at + strlen(t->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(at, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	free(at);
}

void tmptree_put(
    struct tmptree *t, const char *name, const char *text, int mode)
{
	FILE *to = fopen(tmptree_file(t, name), "w");

	assert_non_null(to);
	fputs(text, to);
	assert_int_equal(fclose(to), 0);
	assert_return_code(chmod(t->path, (mode_t)mode), errno);
}

char *tmptree_get(struct tmptree *t, const char *name)
{
	char *text = xcalloc(1, TEXT_MAX);
	FILE *from = fopen(tmptree_file(t, name), "r");

	assert_non_null(from);
	assert_true(fread(text, 1, TEXT_MAX - 1, from) < TEXT_MAX - 1);
	fclose(from);
	return text;
}
