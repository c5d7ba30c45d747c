/* SPDX-License-Identifier: ISC */
/*
 * /run/sallyport: pid files that are locks, and unix sockets.  Another
 * directory can be given in the environment (SALLYPORT_RUN), for tests.
 */
#ifndef COMMON_RUNDIR_H
#define COMMON_RUNDIR_H

#include <stddef.h>
#include <sys/types.h>

#define RUNDIR_PATH "/run/sallyport"
#define RUNDIR_ENV "SALLYPORT_RUN"
#define RUNDIR_PATH_MAX 108 /* as in sockaddr_un */

/* The directory in use. */
const char *rundir(void);
/* "DIR/name" to out; 0 or -ENAMETOOLONG. */
int rundir_path(char out[RUNDIR_PATH_MAX], const char *name);
/* Makes the directory (0755, root); it may exist. 0 or -errno. */
int rundir_make(void);
/*
 * Opens and locks the pid file `name`, writes our pid.  The lock lasts as
 * long as the returned descriptor.  -EAGAIN: another process holds it, whose
 * pid is then in *other (0 if unreadable).
 */
int rundir_lock(const char *name, pid_t *other);
/* Removes the file `name` of the directory, if it is there. */
void rundir_remove(const char *name);
/*
 * Binds a listening unix socket of `type` (SOCK_STREAM or SOCK_SEQPACKET)
 * with file mode `mode`; a left-over file is replaced (hold the lock).
 * A descriptor (non-blocking, close-on-exec) or -errno.
 */
int rundir_listen(const char *name, int type, mode_t mode);
/* Connects to one, blocking not; a descriptor or -errno. */
int rundir_connect(const char *name, int type);

#endif
