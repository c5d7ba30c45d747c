/* SPDX-License-Identifier: ISC */
/*
 * l2tpd's engine: parses what comes from the network with the cores, in a
 * process without rights.  It works on duplicates of the monitor's sockets
 * and asks the monitor (lm_msg.h) for what it may not do itself.
 */
#ifndef L2TPD_ENGINE_H
#define L2TPD_ENGINE_H

#include "common/chan.h"
#include "common/ctl.h"
#include "common/log.h"
#include "common/refusals.h"
#include "common/vault.h"
#include "l2tpd/core/aaa.h"
#include "l2tpd/core/lns.h"
#include "l2tpd/lm_msg.h"
#include "l2tpd/ports.h"
#include "l2tpd/settings.h"

#include <stdbool.h>
#include <uthash.h>
#include <uv.h>

/* args: the configuration's name, and "-d".  An exit code. */
int engine_main(int argc, char **argv);

/* --- shared by the engine's files ------------------------------------- */

/* An R as ikev1d told it; known until the core says that it is gone. */
struct engine_peer {
	uint64_t r;
	struct peer_up up;
	bool is_ready;	/* PEER_READY was said */
	bool is_listed; /* ikev1d named it since it connected */
	UT_hash_handle hh;
};

/* A request to the monitor that waits for its answer. */
struct engine_request {
	uint32_t seq;
	uint16_t type;
	struct aaa_key key;
	uint32_t job;	   /* LM_AUTH */
	struct show *show; /* LM_STATS: for whom, and which row of it */
	size_t row;
	bool is_cancelled; /* the object is not wanted any more */
	UT_hash_handle hh;
};

struct engine {
	struct log log;
	uv_loop_t loop;
	struct settings settings;
	struct chan *monitor;
	struct lns *lns;
	struct aaa *aaa;
	struct lns_actions lns_actions;
	struct aaa_actions aaa_actions;
	uv_timer_t timer;      /* the core's next deadline */
	struct ports *tunnels; /* R's and the tunnels' UDP sockets */
	struct ports *plugins; /* the sessions' plugin sockets */
	struct engine_peer *peers;
	struct engine_request *requests;
	uint32_t last_seq;
	uint32_t held_count;
	uv_poll_t peer_listener;
	int peer_fd;	  /* ikev1d connects there; -1: nobody will */
	struct chan *ike; /* NULL: ikev1d is not connected */
	struct ctl_server *control;
	struct refusals *refusals;
	struct vault *vault; /* NULL: nothing for the next engine */
	enum vault_found found;
	bool is_full_said;
	const char *lost_reason; /* why an R without a record ends */
	uv_timer_t steady;
	uv_prepare_t before_wait;
	struct aaa_key *strays; /* sessions that may have any address */
	size_t stray_count;
	bool is_serving; /* LM_HELD_END was here */
	bool is_ending;
	bool is_done; /* LM_SHUTDOWN_DONE was said */
	int exit_code;
};

struct engine_peer *engine_peer_find(struct engine *e, uint64_t r);
/* Adds it, or updates what is known of it. */
struct engine_peer *engine_peer_set(struct engine *e, const struct peer_up *up);
void engine_peer_forget(struct engine *e, uint64_t r);

/* Sends a request; NULL when the monitor is gone. */
struct engine_request *engine_ask(
    struct engine *e, uint16_t type, struct aaa_key key, const void *body);
/* Open requests of that object (session_id 0: of the tunnel and all in it;
 * tunnel_id 0: of R) will not be used. */
void engine_cancel(struct engine *e, struct aaa_key key);
/* No answer is waited for. */
void engine_tell(struct engine *e, uint16_t type, const void *body);

/*
 * engine_vault.c: what the next engine must know.  Each event's changes are
 * in the vault before one of its actions is done.
 */
void engine_vault_open(struct engine *e, int fd);
void engine_vault_resume(struct engine *e);
void engine_vault_save(struct engine *e);
/* Who is to blame if this engine dies now. */
void engine_vault_at_work(struct engine *e, uint64_t r);

/* engine_lns.c: one event to the L2TP core; its actions are done. */
void engine_lns(struct engine *e, struct lns_event *ev);
/* engine_aaa.c: one event to AAA; its actions are done. */
void engine_aaa(struct engine *e, struct aaa_event *ev);
/* A datagram of R's or a tunnel's socket, of a plugin's socket. */
void engine_on_datagram(void *ctx, struct aaa_key key, const struct addr *from,
    struct wire_span data);
void engine_on_plugin(void *ctx, struct aaa_key key, const struct addr *from,
    struct wire_span data);

/* engine_monitor.c: what the monitor says. */
void engine_on_monitor(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd);

/* engine_ike.c: the connection from ikev1d. */
void engine_ike_listen(struct engine *e, int fd);
/* It is connected; fd becomes the engine's. */
void engine_ike_attach(struct engine *e, int fd);
void engine_ike_send(struct engine *e, uint16_t type, uint64_t r, uint32_t slot,
    const char *reason);

/* engine.c: remembers for `sallyport why` what R's client does not get. */
void engine_refused(
    struct engine *e, uint64_t r, const char *what, const char *remedy);

/* show.c: the operator's requests. */
void show_request(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words);
/* The counters of one row; NULL when the monitor has none. */
void show_stats(struct show *show, size_t row, const struct lm_stats *stats);

#endif
