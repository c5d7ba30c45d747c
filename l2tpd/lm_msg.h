/* SPDX-License-Identifier: ISC */
/*
 * The messages between l2tpd's engine and its monitor.
 *
 * The engine asks (requests carry a sequence number that is not 0); the
 * monitor answers each with LM_REPLY, LM_STATS_REPLY or LM_VERDICT of the
 * same number.  What the monitor says by itself has the number 0.  Where a
 * row below says "+fd", exactly one descriptor travels with the message;
 * it is a duplicate, the monitor keeps its own.
 *
 * At start the monitor sends LM_HELD for every object from before, R before
 * its tunnels, a tunnel before its sessions, then LM_HELD_END.
 */
#ifndef L2TPD_LM_MSG_H
#define L2TPD_LM_MSG_H

#include "common/aaa_msg.h"
#include "common/msg.h"
#include "common/peer_link.h"

#define LM_TEXT_MAX 200
/* Tunnel ids are generation << 14 | slot with generations 0 to 2. */
#define LM_GENERATIONS 3
#define LM_SLOT_MASK 0x3fffu

enum lm_msg {
	LM_PEER_OPEN = 1, /* lm_peer_open -> reply +fd: R's socket */
	LM_TUNNEL_OPEN,	  /* lm_tunnel_open -> reply +fd: its socket */
	LM_SESSION_OPEN,  /* lm_session_open -> reply +fd: the plugin's */
	LM_SESSION_CLOSE, /* lm_key -> reply; then LM_SESSION_EXITED */
	LM_TUNNEL_CLOSE,  /* lm_key -> reply; its sessions go too */
	LM_PEER_FREE,	  /* lm_key -> reply when nothing of R is left */
	LM_AUTH,	  /* aaa_auth -> LM_VERDICT */
	LM_STATS,	  /* lm_key -> LM_STATS_REPLY */
	LM_SHUTDOWN_DONE, /* lm_count: the engine has nothing left */

	LM_REPLY = 64,	   /* lm_reply */
	LM_VERDICT,	   /* aaa_verdict */
	LM_STATS_REPLY,	   /* lm_stats */
	LM_HELD,	   /* lm_held +fd (a session's: the plugin's) */
	LM_HELD_END,	   /* lm_count */
	LM_SESSION_EXITED, /* lm_exited */
	LM_SHUTDOWN,	   /* lm_count: say goodbye to everybody */
	LM_FIXED,	   /* lm_fixed: at start, and when users changed */
};

/* What the engine inherits (common/privsep.h). */
enum lm_engine_fd {
	LM_FD_PEER = 5, /* PRIVSEP_FIRST_FD: /run/sallyport/peer.sock */
	LM_FD_CONTROL,	/* /run/sallyport/l2tpd.sock */
	LM_FD_VAULT,	/* common/vault.h: what the last engine knew */
};

struct lm_peer_open {
	uint64_t r;
	uint32_t slot;	   /* 1 to max-clients */
	struct addr local; /* the address of the IKE exchange */
};

struct lm_tunnel_open {
	uint64_t r;
	uint16_t tunnel_id, peer_tunnel_id; /* neither is 0 */
	struct addr peer; /* inner source of the SCCRQ, port not 0 */
};

struct lm_session_open {
	uint64_t r;
	uint16_t tunnel_id;
	uint16_t session_id, peer_session_id; /* neither is 0 */
	uint8_t sequencing;
};

/* Which R, tunnel (session_id 0) or session. */
struct lm_key {
	uint64_t r;
	uint16_t tunnel_id, session_id;
};

struct lm_reply {
	int32_t error; /* 0 or -errno */
	char text[LM_TEXT_MAX];
};

/* in: from the client */
struct lm_stats {
	int32_t error; /* 0 or -errno */
	uint64_t bytes_in, bytes_out;
	uint64_t packets_in, packets_out;
};

struct lm_held {
	uint64_t r;
	uint32_t slot;
	struct addr local;
	uint16_t tunnel_id, peer_tunnel_id;   /* 0: this is R */
	uint16_t session_id, peer_session_id; /* 0: R or a tunnel */
	struct addr peer;		      /* inner, of a tunnel */
	uint8_t is_ending; /* a session: its address is taken until
			      LM_SESSION_EXITED, which comes */
};

struct lm_exited {
	uint64_t r;
	uint16_t tunnel_id, session_id;
	char text[LM_TEXT_MAX];
};

#define LM_FIXED_MAX 1024 /* bytes a message */

/* Users' own addresses (ip=), 4 bytes each; several messages a list. */
struct lm_fixed {
	uint8_t is_first; /* a new list begins */
	MSG_BLOB(LM_FIXED_MAX) ips;
};

struct lm_count {
	uint32_t count;
};

/* Room for any message, for decoding. */
union lm_any {
	struct lm_peer_open peer_open;
	struct lm_tunnel_open tunnel_open;
	struct lm_session_open session_open;
	struct lm_key key;
	struct lm_reply reply;
	struct lm_stats stats;
	struct lm_held held;
	struct lm_exited exited;
	struct lm_count count;
	struct lm_fixed fixed;
	struct aaa_auth auth;
	struct aaa_verdict verdict;
};

extern const struct msg_table lm_table;

/*
 * The argument check of a request, before any state is looked at.  NULL
 * when all is well, otherwise what is wrong (static text); a type that no
 * engine may send is wrong too.
 */
const char *lm_check(
    uint16_t type, const union lm_any *body, uint32_t max_clients);

/* The mark and reqid, and the private port, of a slot. */
uint32_t lm_slot_mark(uint32_t slot);
uint16_t lm_slot_port(uint32_t slot);

#endif
