/* SPDX-License-Identifier: ISC */
/*
 * A world around the IKE machine for tests: a clock that only the world
 * moves, a kernel that records SAs, an l2tpd, a monitor that gives out R,
 * NATs, and a link that can lose, reorder and duplicate.  The same seed
 * gives the same run.  With save_often the machine is saved, freed and
 * restored between every two events.
 */
#ifndef TEST_LIB_IKE_WORLD_H
#define TEST_LIB_IKE_WORLD_H

#include "ikev1/core/candidate.h"
#include "test/lib/ike_client.h"

#define WORLD_CLIENTS 16
#define WORLD_SAS 256
#define WORLD_PEERS 64
#define WORLD_QUEUE 512
#define WORLD_RECORDS 128
#define WORLD_LOG_MAX 65536
#define WORLD_SERVER "198.51.100.1"
#define WORLD_SERVER6 "2001:db8::1" /* of clients with such an address */

struct ikew;

enum ikew_peer_state {
	WORLD_NO_PEER,
	WORLD_PEER_OPENED, /* R given */
	WORLD_PEER_UP,	   /* l2tpd was told */
	WORLD_PEER_DOWN,
	WORLD_PEER_ENDED,
};

struct ikew_peer {
	enum ikew_peer_state state;
	uint64_t r;
	uint32_t slot;
	struct peer_up up; /* the newest */
	int updates;
	char reason[160];
};

struct ikew_sa {
	bool is_live;
	struct ike_kernel_sa sa;
	uint64_t packets; /* set by a test: it was used */
};

/* What the machine wants to be remembered. */
struct ikew_record {
	uint64_t kind, id;
	uint8_t *data; /* NULL: this place is free */
	size_t len;
};

/* Something that happens at a time: a datagram or an answer. */
struct ikew_item {
	bool is_used, to_server;
	uint64_t at, order;
	struct ike_event ev;
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
	uint8_t pub[IKE_DH_MAX], shared[IKE_DH_MAX];
	uint8_t lines[CANDIDATES_MAX * 4]; /* TRIAL_DONE */
};

/* Looks at each datagram, may change it, may drop it (false); or NULL. */
typedef bool (*ikew_filter_fn)(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len);

struct ikew {
	struct crypto crypto;
	struct ike_config cfg;
	struct ike *ike;
	uint64_t now, seed, next_order;
	bool save_often;
	bool is_resuming; /* the monitor cannot be asked yet */
	struct ikew_record record[WORLD_RECORDS];
	/* What fails, counted from 1; 0: nothing.  In a step without crypto
	 * no algorithm is there. */
	int randoms, bad_random;	 /* calls of the source of randomness */
	bool zero_random;		 /* it gives nothing but zeros */
	int steps, bad_step;		 /* steps: one without crypto */
	const char *psk[CANDIDATES_MAX]; /* the count is the first NULL */
	const char *psk_fqdn[CANDIDATES_MAX]; /* that each is bound to */
	int psk_slots;			      /* at least; 0: their count */
	int psk_error, psk_asked;
	int trial_error, trials;
	int loss, dup;	    /* percent */
	uint32_t jitter_ms; /* reorders */
	ikew_filter_fn filter;
	void *filter_ctx;
	bool traffic;	/* clients send with their newest pair */
	bool mirror_dh; /* the answer is the client's own value */
	int drop_nth;	/* drops the n-th datagram (from 1); 0: none */
	/* Instead of clients: a world that hears what this one sends.  carry
	 * turns the sender's view of ev into the receiver's (addresses swap,
	 * a NAT translates); false: nobody there. */
	struct ikew *other;
	bool (*carry)(struct ikew *from, struct ike_event *ev);
	void *carry_ctx;
	int conn_ups, conn_failures;
	int keepalives;
	struct addr keepalive_to; /* the newest */
	char conn_text[300];	  /* of the newest failure */
	int datagrams;
	/* l2tpd and the kernel */
	bool hold_ready, hold_gone, refuse_peers;
	int open_error, add_error;
	struct ikew_peer peer[WORLD_PEERS];
	size_t peer_count;
	uint64_t next_r;
	struct ikew_sa sa[WORLD_SAS];
	size_t sa_count;
	int encap_changes;
	struct ike_client *client[WORLD_CLIENTS];
	size_t client_count;
	struct ikew_item queue[WORLD_QUEUE];
	char log[WORLD_LOG_MAX];
	size_t log_len;
	int refusals;	    /* all, logged or not */
	char refusal[2048]; /* the newest's what */
	bool refusal_proven;
	struct addr refusal_peer;
	/* every datagram of the server, newest last */
	uint8_t last_out[CLIENT_PACKET_MAX];
	size_t last_out_len;
	uint64_t bytes_in, bytes_out;
	int sends;
};

/* Suites by name, as in the configuration. */
struct ike_suite ikew_suite(bool is_phase1, const char *text);
/* Starts afresh with one accepted suite in a phase; NULL: as before. */
void ikew_accept(struct ikew *w, const char *ike, const char *esp);

/* A machine with the three suites of the product; NULL never. */
struct ikew *ikew_new(uint64_t seed);
void ikew_free(struct ikew *w);
/* A client behind no NAT (nat NULL), or behind that address: its outer
 * ports are port and port + 1. */
struct ike_client *ikew_client(
    struct ikew *w, const char *inner, const char *nat, uint16_t port);
/* A machine with one client, behind NAT, that is connected; save: as
 * save_often. */
struct ikew *ikew_connected(struct ike_client **c, bool save);
/* Lets ms pass. */
void ikew_run(struct ikew *w, uint64_t ms);
/* When something is next; UINT64_MAX: never. */
uint64_t ikew_next_at(const struct ikew *w);
/* The next thing up to end; false when there is none. */
bool ikew_once(struct ikew *w, uint64_t end);
/* Until the client's cur is up (or ms are over). */
bool ikew_main(struct ikew *w, struct ike_client *c);
/* Main Mode and one Quick Mode, both finished. */
bool ikew_connect(struct ikew *w, struct ike_client *c);
/* One more Quick Mode, finished. */
bool ikew_quick(struct ikew *w, struct ike_client *c);
/* One event straight into the machine. */
void ikew_step(struct ikew *w, const struct ike_event *ev);
/* A datagram as if from there. */
void ikew_inject(struct ikew *w, const struct addr *from, uint16_t local,
    const uint8_t *data, size_t len);
/* A new, empty machine in place of the old one, which knows nothing. */
void ikew_crash(struct ikew *w);
/*
 * The engine dies and the next one takes over: what was on its way from the
 * monitor, l2tpd and the threads is lost.  First only the records; then the
 * monitor's list, and l2tpd's answers.
 */
void ikew_resume_begin(struct ikew *w);
void ikew_resume(struct ikew *w);
/* The newest record of that kind; NULL. */
struct ikew_record *ikew_record(struct ikew *w, enum ike_record kind);
/* Saves, frees, restores. */
void ikew_save(struct ikew *w);

bool ikew_logged(const struct ikew *w, const char *text);
int ikew_log_count(const struct ikew *w, const char *text);
void ikew_log_clear(struct ikew *w);
size_t ikew_live_sas(const struct ikew *w);
/* Those of R as IKE_EV_HELD has them; out holds WORLD_SAS.  Its length. */
size_t ikew_live(const struct ikew *w, uint64_t r, uint8_t *out);
struct ikew_sa *ikew_find_sa(struct ikew *w, uint32_t spi);
struct ikew_peer *ikew_find_peer(struct ikew *w, uint64_t r);
size_t ikew_peers_in(const struct ikew *w, enum ikew_peer_state state);
/* True when the client's newest pair is in the kernel with its keys. */
bool ikew_pair_right(struct ikew *w, struct ike_client *c);
/* R of the client's newest pair; 0. */
uint64_t ikew_r_of(struct ikew *w, struct ike_client *c);
struct ike_counts ikew_counts(const struct ikew *w);

#endif
