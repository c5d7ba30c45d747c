/* SPDX-License-Identifier: ISC */
/*
 * The L2TPv2 core: LNS for incoming calls over IPsec peers.  A value
 * machine: lns_step() takes one event with its time and appends actions;
 * no socket, clock, global, libuv or kernel call.
 *
 * A peer R is known from LNS_EV_PEER_UP to LNS_ACT_PEER_GONE.  Its first
 * SCCRQ arrives on R's unconnected socket; the tunnel then gets a
 * connected socket of its own (LNS_ACT_TUNNEL_OPEN).  SCCRP leaves when
 * LNS_EV_TUNNEL_OPENED says that the kernel has the tunnel.
 *
 * Tunnel id = generation (0 to 2 in turn) << 14 | slot.  Times are
 * milliseconds of a monotonic clock; in saved state, remaining times; in
 * records, as they are: the next process has the same clock.
 */
#ifndef L2TPD_CORE_LNS_H
#define L2TPD_CORE_LNS_H

#include "common/addr.h"
#include "common/peer_link.h"
#include "common/wire.h"

#include <stdbool.h>
#include <stdint.h>

struct lns;

typedef int (*lns_random_fn)(void *ctx, void *out, size_t len);

#define LNS_DATAGRAM_MAX 4096
#define LNS_HOSTNAME_MAX 64

struct lns_config {
	char hostname[LNS_HOSTNAME_MAX]; /* Host Name AVP */
	uint16_t receive_window;	 /* packets we accept, 1 to 64 */
	uint32_t hello_ms;		 /* silence before HELLO; 0: off */
	uint32_t retransmit_ms;		 /* first interval, doubles */
	uint32_t retransmit_cap_ms;
	uint32_t retries;      /* then the tunnel is dead */
	uint32_t setup_ms;     /* an unfinished tunnel or call ends */
	uint16_t max_calls;    /* a peer */
	uint32_t idle_peer_ms; /* R without a tunnel: PEER_CLOSE */
};

/*
 * What the shell can rely on, and must bear with:
 *  - An open that failed leaves nothing; no close follows its answer.  One
 *    may come before the answer: then the answer is ignored here.
 *  - TUNNEL_CLOSE comes after SESSION_CLOSE of all its sessions, PEER_FREE
 *    after TUNNEL_CLOSE of all its tunnels.
 *  - After PEER_REFUSED of an R that was asked to open its socket come
 *    PEER_FREE and PEER_GONE; after PEER_REFUSED alone R is unknown.
 *  - PEER_DOWN of an unknown R brings PEER_GONE at once (slot 0).
 *  - A client may be answered through R's socket (tunnel_id 0) before its
 *    tunnel is open and after it was closed.
 *  - A PEER_UP of a known R brings PEER_READY again, or PEER_CLOSE if its
 *    end was asked for.
 */
enum lns_event_type {
	LNS_EV_TICK,
	LNS_EV_PEER_UP,	       /* up */
	LNS_EV_PEER_UPDATE,    /* up */
	LNS_EV_PEER_DOWN,      /* r, text: its SAs are gone */
	LNS_EV_SOCKET_OPENED,  /* r, error, text: R's unconnected socket */
	LNS_EV_DATAGRAM,       /* r, peer, data; tunnel_id 0: R's socket */
	LNS_EV_TUNNEL_OPENED,  /* r, tunnel_id, error, text */
	LNS_EV_SESSION_OPENED, /* both ids, error, text */
	LNS_EV_SESSION_DOWN,   /* pppd ended: text says why */
	LNS_EV_PEER_CLOSED,    /* r: the monitor has nothing left of R */
	LNS_EV_DISCONNECT,     /* r, text or NULL: the operator ends R */
	LNS_EV_FOUND,	       /* up, both ids, error, text: see lns_resume() */
	LNS_EV_FOUND_END,
	LNS_EV_SHUTDOWN,
};

struct lns_event {
	enum lns_event_type type;
	uint64_t now_ms;
	int error;
	uint64_t r;
	uint16_t tunnel_id;
	uint16_t session_id;
	struct addr peer;      /* DATAGRAM: inner source */
	struct wire_span data; /* DATAGRAM */
	const char *text;
	const struct peer_up *up;
};

enum lns_action_type {
	LNS_ACT_SOCKET_OPEN,   /* r, up: open R's socket */
	LNS_ACT_SEND,	       /* r, tunnel_id (0: R's socket), peer, data */
	LNS_ACT_TUNNEL_OPEN,   /* r, tunnel_id, peer_tunnel_id, peer */
	LNS_ACT_TUNNEL_CLOSE,  /* r, tunnel_id */
	LNS_ACT_SESSION_OPEN,  /* and both session ids: kernel, then pppd */
	LNS_ACT_SESSION_CLOSE, /* end pppd, then the kernel's session */
	LNS_ACT_PEER_READY,    /* r: tell ikev1d */
	LNS_ACT_PEER_REFUSED,  /* r, text */
	LNS_ACT_PEER_CLOSE,    /* r, text: ask ikev1d to end R */
	LNS_ACT_PEER_FREE,     /* r: monitor, drop all that is left of R */
	LNS_ACT_PEER_GONE,     /* r: tell ikev1d */
	LNS_ACT_LOG,	       /* level, text; what, remedy: a refusal */
};

enum lns_log_level { LNS_LOG_DEBUG, LNS_LOG_INFO, LNS_LOG_WARN };

struct lns_action {
	enum lns_action_type type;
	uint64_t r;
	uint32_t slot;
	uint16_t tunnel_id, peer_tunnel_id;
	uint16_t session_id, peer_session_id;
	struct addr peer; /* inner: the client's address and UDP port */
	bool sequencing;  /* SESSION_OPEN: data sequence numbers wanted */
	enum lns_log_level level;
	uint8_t *data; /* owned by the action list */
	size_t len;
	char *text;	    /* owned by the action list */
	char *what;	    /* the same for `sallyport why`; owned, or NULL */
	const char *remedy; /* what would help, or NULL; static */
	struct peer_up *up; /* owned by the action list */
};

struct lns_actions {
	struct lns_action *items;
	size_t count, capacity;
};

void lns_actions_clear(struct lns_actions *a);
void lns_actions_free(struct lns_actions *a);

/* cfg is copied.  Out of memory aborts. */
struct lns *lns_new(
    const struct lns_config *cfg, lns_random_fn random, void *ctx);
void lns_free(struct lns *lns);
void lns_step(
    struct lns *lns, const struct lns_event *ev, struct lns_actions *out);
/* When LNS_EV_TICK is due; UINT64_MAX when nothing is pending. */
uint64_t lns_next_deadline(const struct lns *lns);
/* The R whose deadline that is (a tick is one R's), or 0. */
uint64_t lns_next_r(const struct lns *lns);

/* One row for each call (or for a peer without one): what `show` prints. */
struct lns_row {
	uint64_t r;
	uint32_t slot;
	struct addr local, peer; /* outer */
	bool natt;
	bool held;
	const char *identity;  /* borrowed until the next step */
	const char *suite;     /* borrowed */
	const char *state;     /* "established", "held", ... */
	const char *peer_host; /* Host Name AVP, printable; "" if none */
	uint16_t tunnel_id, session_id; /* 0: none */
};
typedef void (*lns_row_fn)(void *ctx, const struct lns_row *row);
void lns_each(const struct lns *lns, lns_row_fn fn, void *ctx);

/*
 * Records: what the next core needs to go on where this one dies, one for
 * each R.  Calls fn for each that changed since the last time; data NULL:
 * that R is no more.  Carry no action out before what its step changed is
 * stored: then no record is older than what a peer has seen.
 */
#define LNS_RECORD_FORM 1 /* of the bytes in records */
typedef void (*lns_record_fn)(
    void *ctx, uint64_t r, const uint8_t *data, size_t len);
void lns_checkpoint(struct lns *lns, lns_record_fn fn, void *ctx);
/*
 * Takes one record over; 0, or -EBADMSG: it is damaged, drop it.  When all were
 * taken, one LNS_EV_FOUND for each thing that the monitor has and is not
 * ending, R before its tunnels, a tunnel before its sessions (error: AAA does
 * not know it, so it ends), then LNS_EV_FOUND_END: what was asked for and may
 * have been lost is asked for again, what only one side has ends.
 */
int lns_resume(struct lns *lns, uint64_t r, const uint8_t *data, size_t len);
/* Its SESSION_OPEN has no answer yet. */
bool lns_is_opening(
    const struct lns *lns, uint64_t r, uint16_t tunnel_id, uint16_t session_id);
typedef void (*lns_peer_fn)(void *ctx, const struct peer_up *up, bool is_ready);
/* Each R; is_ready: PEER_READY was said. */
void lns_each_peer(const struct lns *lns, lns_peer_fn fn, void *ctx);

/* As in the IKE core: a versioned byte string, allocated. */
uint8_t *lns_save(const struct lns *lns, uint64_t now_ms, size_t *len);
struct lns *lns_restore(const struct lns_config *cfg, lns_random_fn random,
    void *ctx, uint64_t now_ms, const uint8_t *data, size_t len);

#endif
