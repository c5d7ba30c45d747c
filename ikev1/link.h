/* SPDX-License-Identifier: ISC */
/*
 * The engine's side of the link to l2tpd: which R were announced, and how
 * far l2tpd got with each.  After every connection both sides send their
 * lists; what one side lacks, ends.  R announced while there is no link
 * wait for it, but not for ever: l2tpd has LINK_READY_MS to open a socket.
 */
#ifndef IKEV1_LINK_H
#define IKEV1_LINK_H

#include "common/log.h"
#include "common/peer_link.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define LINK_READY_MS 5000

struct link;

enum link_event {
	LINK_READY,   /* R's socket is open */
	LINK_REFUSED, /* it is not, and text says why */
	LINK_CLOSE,   /* l2tpd wants R to end; text */
	LINK_GONE,    /* nothing of R is left at l2tpd */
};

struct link_handlers {
	void (*event)(
	    void *ctx, enum link_event what, uint64_t r, const char *text);
	/* There is no connection: get one and call link_attach(). */
	void (*wanted)(void *ctx);
	void *ctx;
	uint32_t ready_ms; /* 0: LINK_READY_MS */
};

struct link *link_new(
    uv_loop_t *loop, struct log *log, const struct link_handlers *handlers);
/* Frees what it can now, the rest from the loop. */
void link_free(struct link *l);
/* A connection to l2tpd; fd becomes the link's. */
void link_attach(struct link *l, int fd);
/* What was said leaves now: call it before the loop waits. */
void link_flush(struct link *l);
bool link_is_up(const struct link *l);
/*
 * Tells l2tpd that ikev1d is about to end: it says goodbye to its clients,
 * through their SAs, and then asks for the end of each R (LINK_CLOSE).
 * False: there is nobody to tell.
 */
bool link_leave(struct link *l);

/* Announces R, or a change of it. */
void link_peer_up(struct link *l, const struct peer_up *up);
void link_peer_update(struct link *l, const struct peer_up *up);
/* R ends: LINK_GONE follows, once l2tpd is through (or has lost R). */
void link_peer_down(struct link *l, uint64_t r, const char *reason);
/* Forgets R. */
void link_peer_end(struct link *l, uint64_t r);

#endif
