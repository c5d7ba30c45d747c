/* SPDX-License-Identifier: ISC */
/*
 * The state inside the L2TP core, shared by its own files only.
 *
 * A peer owns its tunnels, a tunnel its sessions.  Nothing is freed while
 * an event is worked on: objects reach their last state, and
 * lns_peer_settle() at the end of the event takes them away.
 */
#ifndef L2TPD_CORE_STATE_H
#define L2TPD_CORE_STATE_H

#include "l2tpd/core/lns.h"
#include "l2tpd/core/msg.h"
#include "l2tpd/core/reliable.h"

#include <uthash.h>

#define LNS_NEVER UINT64_MAX
#define LNS_TUNNEL_IDLE_MS 5000 /* a tunnel whose last call ended */
#define LNS_CLOSE_WAIT_MS 1500	/* acknowledgement of StopCCN, at most */
#define LNS_GENERATIONS 3	/* of a slot's tunnel ids */
#define LNS_TEXT_MAX 256

/* X(identifier, text) */
#define LNS_PEER_STATES(X)                                                     \
	X(WAIT_SLOT, "wait-slot") /* the slot's last R is not gone */          \
	X(WAIT_SOCKET, "wait-socket")                                          \
	X(READY, "ready")                                                      \
	X(CLOSING, "closing") /* tunnels are told */                           \
	X(ASKED, "ending")    /* PEER_CLOSE left, PEER_DOWN to come */         \
	X(ENDING, "freeing")  /* PEER_FREE left, PEER_CLOSED to come */        \
	X(GONE, "gone")

#define LNS_TUNNEL_STATES(X)                                                   \
	X(IDLE, "idle")                                                        \
	X(WAIT_SOCKET, "wait-socket") /* the kernel makes the tunnel */        \
	X(WAIT_CTL_CONN, "wait-ctl-conn")                                      \
	X(ESTABLISHED, "established")                                          \
	X(CLOSING, "closing") /* StopCCN sent */                               \
	X(LINGER, "linger")   /* StopCCN received: answers duplicates */       \
	X(DEAD, "dead")

#define LNS_SESSION_STATES(X)                                                  \
	X(IDLE, "idle")                                                        \
	X(WAIT_CONNECT, "wait-connect")                                        \
	X(WAIT_KERNEL, "wait-kernel")                                          \
	X(ESTABLISHED, "established")                                          \
	X(CLOSING, "closing")

enum lns_peer_state {
#define X(id, text) LNS_PEER_##id,
	LNS_PEER_STATES(X)
#undef X
	    LNS_PEER_STATE_COUNT
};

enum lns_tunnel_state {
#define X(id, text) LNS_TUNNEL_##id,
	LNS_TUNNEL_STATES(X)
#undef X
	    LNS_TUNNEL_STATE_COUNT
};

enum lns_session_state {
#define X(id, text) LNS_SESSION_##id,
	LNS_SESSION_STATES(X)
#undef X
	    LNS_SESSION_STATE_COUNT
};

#define LNS_TUNNEL_BIT(id) (1u << LNS_TUNNEL_##id)

/* What moves a tunnel. */
enum lns_tunnel_event {
	TUNNEL_EV_SCCRQ,
	TUNNEL_EV_SCCRP,
	TUNNEL_EV_SCCCN,
	TUNNEL_EV_STOPCCN,
	TUNNEL_EV_HELLO,
	TUNNEL_EV_OPENED,      /* the kernel has it */
	TUNNEL_EV_OPEN_FAILED, /* text */
	TUNNEL_EV_TIMEOUT,     /* the state's deadline */
	TUNNEL_EV_SILENCE,     /* retransmissions exhausted: text */
	TUNNEL_EV_REFUSE,      /* we end it: result, error, text */
	TUNNEL_EV_ACKED,       /* nothing of ours is unacknowledged */
	TUNNEL_EV_DROP,	       /* it ends without a word */
};

enum lns_session_event {
	SESSION_EV_ICRQ,
	SESSION_EV_ICRP,
	SESSION_EV_ICCN,
	SESSION_EV_OUTGOING, /* OCRQ, OCRP, OCCN */
	SESSION_EV_CDN,
	SESSION_EV_STATUS,	/* WEN, SLI */
	SESSION_EV_OPENED,	/* kernel and pppd */
	SESSION_EV_OPEN_FAILED, /* text */
	SESSION_EV_PPP_DOWN,	/* text */
	SESSION_EV_TIMEOUT,
	SESSION_EV_REFUSE, /* we end it: result, error, text */
	SESSION_EV_DROP,   /* it ends without a word */
};

/* What comes with an event; members as the event needs them. */
struct lns_cause {
	const struct l2tp_msg *msg;
	uint16_t result, error; /* for StopCCN or CDN */
	const char *text;
	const char *remedy; /* static, or NULL */
	bool is_refusal;    /* the client does not get what it wants */
};

struct lns_session {
	struct lns_session *next;
	struct lns_tunnel *tunnel;
	enum lns_session_state state;
	uint16_t id, peer_id;
	bool sequencing;
	bool in_kernel; /* SESSION_OPEN left and no SESSION_CLOSE */
	bool is_found;	/* after a resume: the monitor has it */
	uint64_t deadline;
};

struct lns_tunnel {
	struct lns_tunnel *next;
	struct lns_peer *peer;
	enum lns_tunnel_state state;
	uint16_t id, peer_id;
	struct addr addr;  /* inner: the client's address and port */
	bool in_kernel;	   /* TUNNEL_OPEN left and no TUNNEL_CLOSE */
	bool has_socket;   /* opened: it sends through its own socket */
	bool is_choked;	   /* the send queue is full */
	bool is_found;	   /* after a resume: the monitor has it */
	uint64_t deadline; /* of the state */
	uint64_t hello_at;
	char host[LNS_HOSTNAME_MAX]; /* Host Name, printable */
	struct l2tp_reliable rel;
	struct lns_session *sessions;
};

struct lns_peer {
	struct lns *lns;
	struct peer_up up;
	enum lns_peer_state state;
	uint8_t generation; /* of the next tunnel id */
	uint64_t deadline;  /* of the state; READY: idle since */
	char reason[PEER_REASON_MAX];
	struct lns_tunnel *tunnels;
	bool is_found;	/* after a resume: the monitor has it */
	uint8_t strays; /* generations of tunnels that it alone has */
	bool is_dirty;	/* in lns->dirty: its record is not true any more */
	struct lns_peer *prev, *next;
	uint64_t due;		/* the earliest of all its deadlines */
	size_t heap;		/* place in lns->heap, from 1; 0: not there */
	UT_hash_handle hh;	/* by R */
	UT_hash_handle by_slot; /* owner of the slot */
};

struct lns {
	struct lns_config cfg;
	lns_random_fn random;
	void *random_ctx;
	bool is_shut_down;
	struct lns_peer *peers;		/* by R */
	struct lns_peer *slots;		/* by slot: all but WAIT_SLOT */
	size_t waiting;			/* peers in WAIT_SLOT */
	struct lns_peer **heap;		/* peers with a deadline, from 1 */
	size_t heap_len, heap_size;	/* heap_len: last used index */
	uint8_t session_ids[65536 / 8]; /* in use */
	struct lns_peer *dirty;		/* the newest last */
	uint64_t *ended;		/* R whose records go */
	size_t ended_count, ended_size;
	uint8_t *record; /* room for one */
	size_t record_size;
	uint64_t now;		 /* of the event worked on */
	struct lns_actions *out; /* of the event worked on */
};

/* actions.c */
struct lns_action *lns_act(
    const struct lns_peer *peer, enum lns_action_type type);
struct lns_action *lns_act_tunnel(
    const struct lns_tunnel *tunnel, enum lns_action_type type);
struct lns_action *lns_act_session(
    const struct lns_session *session, enum lns_action_type type);
void lns_act_text(
    const struct lns_peer *peer, enum lns_action_type type, const char *text);
/* Sends to an inner address through R's own socket. */
void lns_act_send_raw(const struct lns_peer *peer, const struct addr *to,
    const uint8_t *data, size_t len);
/* For an R that has no peer. */
void lns_act_bare(struct lns *lns, enum lns_action_type type, uint64_t r,
    uint32_t slot, const char *text);
void lns_log(const struct lns_peer *peer, enum lns_log_level level,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void lns_log_tunnel(const struct lns_tunnel *tunnel, enum lns_log_level level,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void lns_log_session(const struct lns_session *session,
    enum lns_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/*
 * A warning that `sallyport why` gives again: the client does not get what
 * it wants.  tunnel_id 0: no tunnel yet; remedy is static, or NULL.
 */
void lns_refuse(const struct lns_peer *peer, uint16_t tunnel_id,
    const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* schedule.c: a heap of peers by their deadline */
void lns_schedule(struct lns_peer *peer, uint64_t due);
void lns_unschedule(struct lns_peer *peer);
struct lns_peer *lns_due(const struct lns *lns, uint64_t now_ms);

/* save.c */
void lns_peer_save(
    struct wire_writer *w, const struct lns_peer *peer, uint64_t now_ms);
/* NULL, and an error in r, when it is damaged. */
struct lns_peer *lns_peer_restore(
    struct wire_reader *r, struct lns *lns, uint64_t now_ms);

/* records.c */
/* Its record is not true any more. */
void lns_peer_touch(struct lns_peer *peer);
/* It is going to be freed. */
void lns_peer_untouch(struct lns_peer *peer);

/* resume.c */
void lns_found(struct lns *lns, const struct lns_event *ev);
void lns_found_end(struct lns *lns);

/* peer.c */
struct lns_peer *lns_peer_find(const struct lns *lns, uint64_t r);
/* Copies up; state WAIT_SLOT until lns_peer_claim_slot() succeeds and the
 * caller goes on. */
struct lns_peer *lns_peer_new(struct lns *lns, const struct peer_up *up);
bool lns_peer_claim_slot(struct lns_peer *peer);
bool lns_peer_has_slot(const struct lns_peer *peer);
/* Asks for R's socket. */
void lns_peer_open(struct lns_peer *peer);
void lns_peer_free(struct lns_peer *peer);
void lns_peer_up(struct lns *lns, const struct peer_up *up);
void lns_peer_update(struct lns_peer *peer, const struct peer_up *up);
void lns_peer_socket_opened(struct lns_peer *peer, int error, const char *text);
void lns_peer_down(struct lns_peer *peer, const char *why);
void lns_peer_closed(struct lns_peer *peer);
/* Tells the client, then asks for the end of R. */
void lns_peer_disconnect(
    struct lns_peer *peer, uint16_t result, const char *why);
/* Asks ikev1d for the end of R now. */
void lns_peer_ask_close(struct lns_peer *peer, const char *why);
void lns_peer_tick(struct lns_peer *peer);
/* The end of every event: output, reaping, deadlines.  May free peer. */
void lns_peer_settle(struct lns_peer *peer);
/* Computes its earliest deadline anew. */
void lns_peer_schedule(struct lns_peer *peer);
const char *lns_peer_state_name(enum lns_peer_state state);
/* Restores a peer's state; nothing else may write it. */
void lns_peer_restore_state(struct lns_peer *peer, enum lns_peer_state state);
bool lns_peer_has_live_tunnel(const struct lns_peer *peer);

/* tunnel.c, tunnel_io.c */
struct lns_tunnel *lns_tunnel_new(struct lns_peer *peer, uint16_t id);
void lns_tunnel_free(struct lns_tunnel *tunnel);
struct lns_tunnel *lns_tunnel_find(
    const struct lns_peer *peer, uint16_t tunnel_id);
void lns_tunnel_apply(struct lns_tunnel *tunnel, enum lns_tunnel_event event,
    const struct lns_cause *cause);
void lns_tunnel_restore_state(
    struct lns_tunnel *tunnel, enum lns_tunnel_state state);
/* A message of this tunnel that came in order. */
void lns_tunnel_message(
    struct lns_tunnel *tunnel, const struct l2tp_received *received);
void lns_tunnel_send(
    struct lns_tunnel *tunnel, const struct l2tp_msg *msg, uint16_t session_id);
/* Sends the oldest unacknowledged message again. */
void lns_tunnel_resend(struct lns_tunnel *tunnel);
void lns_tunnel_tick(struct lns_tunnel *tunnel);
/* The end of every event: output, last states, reaping.  May free it. */
void lns_tunnel_settle(struct lns_tunnel *tunnel);
uint64_t lns_tunnel_due(const struct lns_tunnel *tunnel);
/* Any valid control message: the next HELLO can wait. */
void lns_tunnel_heard(struct lns_tunnel *tunnel);
/* It can still carry calls, or will. */
bool lns_tunnel_is_live(const struct lns_tunnel *tunnel);
const char *lns_tunnel_state_name(enum lns_tunnel_state state);

/* session.c */
struct lns_session *lns_session_new(struct lns_tunnel *tunnel, uint16_t id);
void lns_session_free(struct lns_session *session);
struct lns_session *lns_session_find(
    const struct lns_tunnel *tunnel, uint16_t session_id);
void lns_session_apply(struct lns_session *session,
    enum lns_session_event event, const struct lns_cause *cause);
void lns_session_restore_state(
    struct lns_session *session, enum lns_session_state state);
/* A call message; problem is NULL when it decoded well. */
void lns_session_message(struct lns_tunnel *tunnel, uint16_t session_id,
    const struct l2tp_msg *msg, const struct l2tp_problem *problem);
bool lns_session_id_is_used(const struct lns *lns, uint16_t id);
const char *lns_session_state_name(enum lns_session_state state);

/* demux.c */
void lns_datagram(struct lns_peer *peer, const struct lns_event *ev);

#endif
