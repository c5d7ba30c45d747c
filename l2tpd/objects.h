/* SPDX-License-Identifier: ISC */
/*
 * Everything that the monitor holds for the engine: R's sockets, kernel
 * tunnels and sessions, PPP processes.  Each request has been through
 * lm_check(); here its precondition is looked at, against what exists.
 *
 * Things end from the inside out: a session's PPP, its kernel session, the
 * tunnel, R's socket.  No system call that blocks is made here.
 */
#ifndef L2TPD_OBJECTS_H
#define L2TPD_OBJECTS_H

#include "l2tpd/kernel.h"
#include "l2tpd/lm_msg.h"

#include <stdbool.h>

#define OBJECTS_SESSIONS_MAX 8 /* of one R */

struct objects;

/* What goes back to the engine; fd stays ours. */
struct objects_out {
	void (*reply)(
	    void *ctx, uint32_t seq, int error, const char *text, int fd);
	void (*stats)(void *ctx, uint32_t seq, const struct lm_stats *stats);
	void (*exited)(void *ctx, const struct lm_exited *exited);
	void *ctx;
};

/* ops, kernel and out's ctx outlive the objects. */
struct objects *objects_new(const struct kernel_ops *ops, void *kernel,
    const struct objects_out *out, uint32_t max_clients);
/* Only when nothing is left: objects_is_empty(). */
void objects_free(struct objects *o);

/*
 * One request, LM_PEER_OPEN to LM_STATS without LM_AUTH.  Answers exactly
 * once, for LM_PEER_FREE perhaps later.  False: not one of these.
 */
bool objects_request(
    struct objects *o, uint16_t type, uint32_t seq, const union lm_any *body);

/*
 * The engine died: nobody waits for an answer any more.  What ends from now
 * on is told to the next one, behind objects_each(): it is here.
 */
void objects_engine_gone(struct objects *o);
void objects_engine_here(struct objects *o);

/*
 * Every object that is not ending, R before tunnel before session, and each
 * session whose PPP has not ended yet (its address is still on an interface)
 * or whose end no engine has heard of.
 */
typedef void (*objects_held_fn)(void *ctx, const struct lm_held *held, int fd);
void objects_each(struct objects *o, objects_held_fn fn, void *ctx);

/* Ends everything; forced: PPP is killed. */
void objects_stop(struct objects *o, bool is_forced);
bool objects_is_empty(const struct objects *o);

#endif
