/* SPDX-License-Identifier: ISC */
/*
 * A world around the L2TP core for tests: fake clock, fake monitor and
 * kernel, a fake ikev1d, clients, and a link that loses, doubles and
 * reorders by a seed.  It checks every action against what the fake kernel
 * has; the first one that does not fit is in `fault`.
 */
#ifndef TEST_LIB_L2TP_WORLD_H
#define TEST_LIB_L2TP_WORLD_H

#include "l2tpd/core/lns.h"
#include "test/lib/l2tp_client.h"

#define WORLD_OBJECTS 64
#define WORLD_CLIENTS 16

struct world_item;

struct world_peer {
	uint64_t r;
	uint32_t slot;
	bool socket, ready, refused, close_asked, freed, gone;
	bool is_up; /* ikev1d has it */
	struct peer_up up;
	char reason[160];
};

struct world_tunnel {
	uint64_t r;
	uint16_t id, peer_id;
	struct addr peer;
	bool open;
};

struct world_session {
	uint64_t r;
	uint16_t tunnel_id, id, peer_id;
	bool open, sequencing;
};

/* What a core left behind of an R. */
struct world_record {
	uint64_t r;
	uint8_t *data;
	size_t len;
};

struct world_client {
	struct world *world;
	struct l2tp_client lac;
	uint64_t r;
	struct addr addr;
	bool is_used;
};

struct world {
	bool is_ipv6; /* world_up() has clients of IPv6 */
	struct lns_config cfg;
	struct lns *lns;
	struct lns_actions actions;
	uint64_t now;
	bool save_each; /* save, free, restore before every event */
	bool die_each;	/* world_die() before every event */
	int die_at;	/* inside the event of this index; -1: never */
	int events;	/* so far */
	bool is_resuming;
	struct world_record records[WORLD_OBJECTS];
	uint64_t link_random; /* state of the link's generator */
	uint64_t lns_random;  /* of the core's */
	bool random_fails;    /* the core gets no randomness */
	unsigned int loss;    /* percent */
	unsigned int twice;   /* percent doubled */
	unsigned int jitter;  /* ms, reorders */
	int drop_at;	      /* index of one datagram to lose; -1: none */
	int sent;	      /* datagrams, both directions */
	int socket_error, tunnel_error, session_error; /* of opens */
	bool kernel_is_stuck;	  /* opens are never answered */
	bool ike_is_deaf;	  /* PEER_CLOSE is not heard */
	struct world_item *items; /* what will happen, by time */
	struct world_peer peers[WORLD_OBJECTS];
	struct world_tunnel tunnels[WORLD_OBJECTS];
	struct world_session sessions[WORLD_OBJECTS];
	struct world_client clients[WORLD_CLIENTS];
	uint8_t last[LNS_DATAGRAM_MAX]; /* the newest SEND but for ZLBs */
	size_t last_len;
	unsigned int session_opens, session_closes, tunnel_opens;
	char *transcript; /* every action but logs */
	size_t transcript_len, transcript_size;
	char *log;
	size_t log_len, log_size;
	char fault[160];
};

void world_init(struct world *w, uint64_t seed);
void world_free(struct world *w);
/* The core's lns_random_fn; ctx is the world. */
int world_random(void *ctx, void *out, size_t len);
/* The inner address of client n: 10.9.0.n:port. */
struct addr world_addr(uint8_t n, uint16_t port);

/* An event of this type for r now, with the actions it brings. */
void world_event(struct world *w, const struct lns_event *ev);
void world_simple(struct world *w, enum lns_event_type type, uint64_t r);
void world_up(struct world *w, uint64_t r, uint32_t slot);
/*
 * The core dies; the next one has its records and what the kernel holds.
 * All answers that were on their way to it are lost.
 */
void world_die(struct world *w);
/* Raw bytes from an inner address of R to R's server. */
void world_inject(struct world *w, uint64_t r, const struct addr *from,
    const void *data, size_t len);

/* A client behind R; dial it with l2tp_client_dial(). */
struct l2tp_client *world_client(struct world *w, uint64_t r,
    const struct addr *addr, const struct l2tp_client_config *cfg);
void world_client_end(struct world *w, struct l2tp_client *c);

/* Lets ms pass. */
void world_run(struct world *w, uint64_t ms);

size_t world_tunnel_count(const struct world *w);
size_t world_session_count(const struct world *w);
struct world_peer *world_peer(struct world *w, uint64_t r);
struct world_session *world_session(struct world *w, uint64_t r);
/* Rows that lns_each() gives. */
size_t world_rows(const struct world *w);
bool world_logged(const struct world *w, const char *text);

#endif
