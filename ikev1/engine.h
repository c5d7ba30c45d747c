/* SPDX-License-Identifier: ISC */
/*
 * The engine of ikev1d: turns datagrams, timers and messages into events of
 * the core and carries the core's actions out.  It starts as root, locks
 * itself in, and only then reads.
 */
#ifndef IKEV1_ENGINE_H
#define IKEV1_ENGINE_H

#include "common/log.h"

#include <uv.h>

/* Descriptors behind PRIVSEP_FIRST_FD: the control socket, the vault, then
 * sockets. */
#define ENGINE_CTL_FD 0
#define ENGINE_VAULT_FD 1
#define ENGINE_UDP_FDS 2

/* How the engine locks itself in once everything is open; as
 * privsep_lock_in(). */
typedef int (*engine_lock_in_fn)(
    struct log *log, const char *user, uv_loop_t *loop);

/* Runs until the monitor is gone or says so; an exit code. */
int engine_run(struct log *log);
/* The same for who may not become another user: `make bench'. */
int engine_run_with(struct log *log, engine_lock_in_fn lock_in);

#endif
