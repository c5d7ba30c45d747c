/* SPDX-License-Identifier: ISC */
/*
 * The numbers R: 64 bit, counting up, never given twice, also after a
 * crash: they are reserved on disk in blocks before they are used.
 */
#ifndef IKEV1_RNUM_H
#define IKEV1_RNUM_H

#include <stdint.h>

#define RNUM_PATH "/var/lib/sallyport/r"
#define RNUM_BLOCK 10000

struct rnum;

/*
 * path's directory is made if it is missing; a missing file begins at 1.
 * 0 with *out, or -errno; -EBADMSG for a file that holds no number.
 */
int rnum_open(const char *path, struct rnum **out);
void rnum_close(struct rnum *n);
/* The next one in *r; 0, or -errno when a block cannot be reserved. */
int rnum_next(struct rnum *n, uint64_t *r);

#endif
