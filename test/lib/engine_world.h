/* SPDX-License-Identifier: ISC */
/*
 * l2tpd's engine without its process: real cores and a loop, a channel
 * whose other end is the test, playing the monitor, and one for ikev1d.
 */
#ifndef TEST_LIB_ENGINE_WORLD_H
#define TEST_LIB_ENGINE_WORLD_H

#include "l2tpd/engine.h"

struct engine_world {
	struct engine e;
	struct vault_hold *hold;
	struct chan *monitor;	/* our end */
	struct chan *ike;	/* our end; NULL until engine_world_link() */
	size_t asked[128];	/* requests that came, by type */
	size_t linked[16];	/* what ikev1d heard, by type */
	uint32_t plugin_seq;	/* of the plugins' last request */
	struct msg_header last; /* the last request */
	union lm_any last_body;
	/* Called for each request as well, unless NULL. */
	void (*on_request)(struct engine_world *w, const struct msg_header *hdr,
	    const union lm_any *body);
};

void engine_world_make(struct engine_world *w);
void engine_world_free(struct engine_world *w);
/* Turns the loop until nothing is left to do. */
void engine_world_run(struct engine_world *w);

/* The monitor says something; fd becomes the engine's. */
void engine_world_say(struct engine_world *w, uint16_t type, uint32_t seq,
    const void *body, int fd);
/* R 1000 + slot with one tunnel and one session, established. */
struct aaa_key engine_world_call(struct engine_world *w, uint32_t slot);
/* The engine dies; the next one has its records. */
void engine_world_die(struct engine_world *w);
/* ikev1d is connected: its messages are sent on w->ike. */
void engine_world_link(struct engine_world *w);

#endif
