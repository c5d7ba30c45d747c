/* SPDX-License-Identifier: ISC */
/* A temporary directory with files in it, for tests; removed at the end. */
#ifndef TEST_LIB_TMPTREE_H
#define TEST_LIB_TMPTREE_H

struct tmptree {
	char dir[64];
	char path[256]; /* what tmptree_file() returned last */
};

/* These fail the test when something goes wrong. */
void tmptree_make(struct tmptree *t);
void tmptree_remove(struct tmptree *t);
/* "DIR/name"; valid until the next call. */
const char *tmptree_file(struct tmptree *t, const char *name);
/* Makes the directory DIR/path and those above it. */
void tmptree_mkdir(struct tmptree *t, const char *path);
/* Writes a file. */
void tmptree_put(
    struct tmptree *t, const char *name, const char *text, int mode);
/* Reads one of less than 4096 bytes; the caller frees. */
char *tmptree_get(struct tmptree *t, const char *name);

#endif
