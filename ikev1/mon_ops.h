/* SPDX-License-Identifier: ISC */
/*
 * The monitor's closed list of operations: what an engine may ask for, the
 * checks of each, and what the monitor remembers for the next engine: every
 * live R with its slot and its SAs.  No socket and no clock
 * here: the caller gives both.
 */
#ifndef IKEV1_MON_OPS_H
#define IKEV1_MON_OPS_H

#include "common/crypto.h"
#include "common/log.h"
#include "ikev1/im_msg.h"
#include "ikev1/psk.h"
#include "ikev1/rnum.h"
#include "ikev1/sa_ops.h"

#define MON_SLOT_REST_MS 60000
#define MON_SAS_PER_PEER IM_SAS_PER_PEER

struct mon;

struct mon_env {
	struct log *log;
	const struct crypto *crypto;
	const struct psk *psk;
	struct rnum *rnum;
	const struct sa_ops *sa_ops;
	void *sa_ctx;
	uint32_t max_clients; /* slots 1 to this */
	/* Sends to the engine that runs; body is the struct of type. */
	void (*send)(void *ctx, uint16_t type, const void *body);
	/* The engine wants a connection to l2tpd. */
	void (*link_wanted)(void *ctx);
	uint64_t (*now_ms)(void *ctx); /* monotonic */
	void *ctx;
};

/* env is copied; what it points to outlives the monitor. */
struct mon *mon_new(const struct mon_env *env);
void mon_free(struct mon *m);

/*
 * One request of the engine.  0 when it was carried out or answered with an
 * error; -EPROTO for what no honest engine sends (logged): kill it.
 */
int mon_handle(struct mon *m, const struct msg_header *hdr, const void *body);
/* A new engine is there: tells it every held R, then IM_HELD_END. */
void mon_engine_started(struct mon *m);
/* The kernel says that an SA of slot expired, or the peer's port changed. */
void mon_expire(struct mon *m, uint32_t slot, uint32_t spi, bool hard);
/* Events were lost: what the kernel has no more counts as expired. */
void mon_resync(struct mon *m);
void mon_mapping(
    struct mon *m, uint32_t slot, uint32_t spi, const struct addr *peer);
/* Deletes every SA of ours and forgets all R: the end of the monitor. */
void mon_end_all(struct mon *m);

size_t mon_peers(const struct mon *m);
size_t mon_sas(const struct mon *m);

#endif
