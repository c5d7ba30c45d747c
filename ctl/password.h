/* SPDX-License-Identifier: ISC */
/* A password from the terminal, without echo, or from a pipe. */
#ifndef CTL_PASSWORD_H
#define CTL_PASSWORD_H

#include <stdio.h>

#define PASSWORD_MAX 512 /* with NUL */

/*
 * Reads a password: from a terminal twice, without echo, asking on prompt;
 * from anything else one line.  0 (wipe out after use), or:
 * -EINVAL empty or with a NUL, -E2BIG too long, -EDOM the two differ,
 * -EINTR a signal came (the terminal is restored; the signal is raised
 * again), -errno of read(2).
 */
int password_read(int fd, FILE *prompt, char out[PASSWORD_MAX]);
/* What such an error means, for people. */
const char *password_error(int err);

#endif
