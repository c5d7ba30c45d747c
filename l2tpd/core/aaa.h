/* SPDX-License-Identifier: ISC */
/*
 * The AAA core: who is on which session, with which address, since when.
 * A value machine like lns.h: aaa_step() takes one event and appends
 * actions.  l2tpd's engine hosts it; the pppd plugin's messages are its
 * face (common/aaa_msg.h).
 *
 * A session is named by R, tunnel id and session id.  It is known from
 * AAA_EV_STARTED (or FOUND) to AAA_EV_ENDED.  No session gets an address
 * before the monitor said AAA_OK to its user.
 */
#ifndef L2TPD_CORE_AAA_H
#define L2TPD_CORE_AAA_H

#include "common/aaa_msg.h"
#include "common/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct aaa;

struct aaa_config {
	const char *pool;  /* ranges, as for pool_new() */
	struct addr local; /* our end of every session */
	struct addr dns1, dns2;
	uint16_t mtu;
};

struct aaa_key {
	uint64_t r;
	uint16_t tunnel_id;
	uint16_t session_id;
};

enum aaa_event_type {
	AAA_EV_STARTED,	   /* key, peer: pppd runs */
	AAA_EV_MESSAGE,	   /* key, data: a datagram of its plugin */
	AAA_EV_VERDICT,	   /* job, verdict: answers AAA_ACT_AUTH */
	AAA_EV_STATS,	   /* key, stats: the shell read counters itself */
	AAA_EV_DISCONNECT, /* key, text: tell its plugin to end */
	AAA_EV_ENDED,	   /* key, text: pppd is gone */
	AAA_EV_FOUND,	   /* key, peer: the monitor has it; aaa_resume() */
	AAA_EV_FOUND_END,
	AAA_EV_FIXED, /* data: addresses (4 bytes) that users own */
};

struct aaa_event {
	enum aaa_event_type type;
	uint64_t now_s; /* wall clock, seconds since 1970 */
	struct aaa_key key;
	struct addr peer; /* STARTED: outer peer */
	uint32_t job;
	struct wire_span data;
	bool is_first;	  /* FIXED: those told before are void */
	const char *text; /* reason, or NULL */
	const struct aaa_verdict *verdict;
	const struct aaa_stats *stats;
};

enum aaa_action_type {
	AAA_ACT_SEND, /* key, data: to the session's plugin */
	AAA_ACT_AUTH, /* key, job, auth: ask the monitor */
	AAA_ACT_ACCT, /* text: one JSON line, without newline */
	AAA_ACT_LOG,  /* level, text; what, remedy: a refusal */
};

enum aaa_log_level { AAA_LOG_DEBUG, AAA_LOG_INFO, AAA_LOG_WARN };

struct aaa_action {
	enum aaa_action_type type;
	struct aaa_key key;
	uint32_t job;
	enum aaa_log_level level;
	uint8_t *data; /* owned by the list */
	size_t len;
	char *text;	       /* owned by the list */
	const char *what;      /* in text, for `sallyport why`; or NULL */
	const char *remedy;    /* what would help, or NULL; static */
	struct aaa_auth *auth; /* owned; wiped when cleared */
};

struct aaa_actions {
	struct aaa_action *items;
	size_t count, capacity;
};

void aaa_actions_clear(struct aaa_actions *a);
void aaa_actions_free(struct aaa_actions *a);

/* NULL when the pool's text is wrong: reason (POOL_REASON_MAX) says why. */
struct aaa *aaa_new(const struct aaa_config *cfg, char *reason);
void aaa_free(struct aaa *aaa);
void aaa_step(
    struct aaa *aaa, const struct aaa_event *ev, struct aaa_actions *out);

/*
 * Records, as in lns.h, one for each session.  Whatever was asked of the
 * monitor when its core died is lost: the plugin asks again.
 */
#define AAA_RECORD_FORM 1 /* of the bytes in records */
typedef void (*aaa_record_fn)(
    void *ctx, uint64_t id, const uint8_t *data, size_t len);
void aaa_checkpoint(struct aaa *aaa, aaa_record_fn fn, void *ctx);
/*
 * Takes one over; 0, or -EBADMSG: it is damaged, drop it.  Then one
 * AAA_EV_FOUND for each session whose PPP has not ended, and AAA_EV_FOUND_END:
 * the others have ended.
 */
int aaa_resume(struct aaa *aaa, uint64_t id, const uint8_t *data, size_t len);

/* What `show` prints of a session. */
struct aaa_row {
	struct aaa_key key;
	const char *user;  /* borrowed until the next step; "" before AUTH */
	const char *state; /* "new", "asking", "authenticated", "addressed",
			      "up" */
	struct addr peer;  /* outer */
	struct addr ip;	   /* ADDR_NONE: none yet */
	const char *ifname;
	uint64_t since_s; /* wall clock of AAA_UP; 0: not up */
	struct aaa_stats stats;
};
/* True and row when the session is known. */
bool aaa_get(const struct aaa *aaa, struct aaa_key key, struct aaa_row *row);
typedef void (*aaa_row_fn)(void *ctx, const struct aaa_row *row);
void aaa_each(const struct aaa *aaa, aaa_row_fn fn, void *ctx);
/* Calls fn for each session of that user (DOMAIN\ ignored); how many. */
size_t aaa_each_of_user(
    const struct aaa *aaa, const char *user, aaa_row_fn fn, void *ctx);

uint8_t *aaa_save(const struct aaa *aaa, size_t *len);
/* NULL for an unknown version or a damaged string. */
struct aaa *aaa_restore(
    const struct aaa_config *cfg, const uint8_t *data, size_t len);

#endif
