/* SPDX-License-Identifier: ISC */
/* The system calls that a locked-in engine may make. */
#ifndef COMMON_SECCOMP_LIST_H
#define COMMON_SECCOMP_LIST_H

#include "common/log.h"

/*
 * Installs the filter for all threads of this process, for ever.  A call
 * that is not in the list fails with EPERM.  Does nothing, and says so, in
 * sanitizer builds and without WITH_SECCOMP.  0 or -errno, logged.
 */
int seccomp_list_load(struct log *log);

#endif
