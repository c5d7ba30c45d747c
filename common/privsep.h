/* SPDX-License-Identifier: ISC */
/*
 * Monitor and engine, the two processes of a daemon.  The monitor starts
 * the engine (the same binary with --engine first), hands it a channel, the
 * configuration's text and open sockets, and starts it again when it dies.
 * The engine locks itself in before it reads a byte from outside.
 */
#ifndef COMMON_PRIVSEP_H
#define COMMON_PRIVSEP_H

#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define PRIVSEP_ENGINE_ARG "--engine"
#define PRIVSEP_CHAN_FD 3
#define PRIVSEP_CONF_FD 4
#define PRIVSEP_FIRST_FD 5 /* the further descriptors */

/* The account that is meant for engines, and what serves where it is
 * missing. */
#define PRIVSEP_USER "sallyport"
#define PRIVSEP_FALLBACK_USER "nobody"

struct passwd;

/* The account of that name, with the fall-back; NULL when there is none.
 * As from getpwnam(). */
const struct passwd *privsep_user(const char *user);

/* --- monitor ---------------------------------------------------------- */

struct privsep;

struct privsep_spec {
	struct log *log;
	uv_loop_t *loop;
	const char *const *args; /* after --engine; NULL-terminated */
	const char *conf_text;
	const int *fds; /* stay ours; the engine gets duplicates */
	size_t fd_count;
	/* The engine runs; fd (ours now, non-blocking) is the channel. */
	void (*started)(void *ctx, int fd);
	/* It ended; the channel is dead.  A restart follows unless stopping. */
	void (*ended)(void *ctx, int status);
	void *ctx;
};

/* Copies spec (not what args, conf_text and fds point to).  Starts at once. */
struct privsep *privsep_start(const struct privsep_spec *spec);
/* No restart from now on; SIGKILL if it is still there after kill_ms. */
void privsep_stop(struct privsep *p, uint64_t kill_ms);
bool privsep_is_running(const struct privsep *p);
/* 0 when it is not running. */
int privsep_engine_pid(const struct privsep *p);
uint32_t privsep_restarts(const struct privsep *p);
void privsep_free(struct privsep *p);

/*
 * Reduces this process to the capabilities that a monitor needs and those
 * of extra (1ull << CAP_...).  0 or -errno.
 */
int privsep_monitor_caps(struct log *log, uint64_t extra);
/* 0, or -errno with a reason when `user` is no usable account. */
int privsep_check_user(const char *user, char *reason, size_t size);

/* --- engine ----------------------------------------------------------- */

/* Reads the configuration's text from its descriptor; allocated. */
int privsep_engine_conf(char **text);

/*
 * tzset; chroot to an empty directory, the user, no capability,
 * no_new_privs, no core dumps; then libuv's threads, then seccomp.  Fetch
 * algorithms and open everything before.  0 or -errno, logged.  A sanitizer
 * build leaves seccomp out, and says so.
 */
int privsep_lock_in(struct log *log, const char *user, uv_loop_t *loop);

#endif
