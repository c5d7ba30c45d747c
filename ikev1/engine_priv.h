/* SPDX-License-Identifier: ISC */
/* What the files of the engine share. */
#ifndef IKEV1_ENGINE_PRIV_H
#define IKEV1_ENGINE_PRIV_H

#include "common/chan.h"
#include "common/conf.h"
#include "common/crypto.h"
#include "common/heap.h"
#include "common/log.h"
#include "common/refusals.h"
#include "common/vault.h"
#include "ikev1/core/ike.h"
#include "ikev1/dh_pool.h"
#include "ikev1/im_msg.h"
#include "ikev1/link.h"
#include "ikev1/udp.h"

#include <uv.h>

#define ENGINE_SOCKETS_MAX (2 * CONF_LISTEN_MAX)

struct engine;
struct ctl_reply;
struct ctl_server;
struct sas;

struct engine_socket {
	uv_poll_t poll;
	struct engine *engine;
	int fd;
	struct addr local; /* as bound */
};

/* Datagrams that leave when the turn is over, or when no more fit. */
#define ENGINE_OUT_BYTES 65536
struct engine_out {
	struct udp_packet packets[UDP_MANY];
	int fds[UDP_MANY];
	size_t count, used; /* used: of bytes */
	uint8_t bytes[ENGINE_OUT_BYTES];
};

/* Where a batch of datagrams arrives. */
struct engine_in {
	struct udp_packet packets[UDP_MANY];
	uint8_t bytes[UDP_MANY][IKE_DATAGRAM_MAX];
};

/* An event that came while the core was stepping; owns its bytes. */
struct engine_queued {
	struct engine_queued *next;
	struct ike_event ev;
	size_t size; /* of bytes */
	uint8_t bytes[];
};

struct engine {
	struct log *log;
	uv_loop_t loop;
	struct heap heap;
	struct sallyport_conf conf;
	struct crypto crypto;
	uint8_t random[512]; /* its last random_left bytes are fresh */
	size_t random_left;
	struct ike *ike;
	struct vault *vault; /* what the next engine must know */
	enum vault_found found;
	uv_timer_t steady_timer;
	bool is_full_said;
	struct ike_actions actions;
	struct engine_queued *first, **last;
	bool is_stepping;
	bool is_leaving; /* told to end: l2tpd says its goodbyes */
	bool is_ending;	 /* IKE_EV_SHUTDOWN was given */
	uint64_t end_ms; /* then the next of these begins in any case */
	uv_timer_t timer;
	uint64_t timer_ms;	  /* the deadline that it is set for */
	uv_prepare_t before_wait; /* sends what is in out */
	struct engine_in *in;
	struct engine_out *out;
	struct chan *monitor;
	struct link *link;
	struct dh_pool *dh;
	struct ctl_server *ctl;
	struct refusals *refusals;
	struct sas *sas; /* answers that wait for counters */
	uint32_t last_sas;
	struct engine_socket sockets[ENGINE_SOCKETS_MAX];
	size_t socket_count;
	bool has_esp_500; /* the kernel takes ESP on UDP 500 */
	char kernel[140]; /* its name and release */
	int exit_code;
};

/* engine.c */
uint64_t engine_now_ms(void);
/* Gives the core an event (now_ms is filled in) and carries out what it
 * wants; from inside an action the event waits for its turn. */
void engine_event(struct engine *e, const struct ike_event *ev);
/* Begins the orderly end. */
void engine_shut_down(struct engine *e);

/* engine_act.c */
void engine_carry_out(struct engine *e, const struct ike_action *a);
/* What waits to be sent leaves now. */
void engine_flush(struct engine *e);

/* engine_in.c */
/* The handlers of the monitor's channel. */
void engine_from_monitor(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd);
void engine_on_monitor_end(void *ctx, struct chan *chan, int error);
void engine_on_link(
    void *ctx, enum link_event what, uint64_t r, const char *text);
void engine_on_link_wanted(void *ctx);
void engine_on_dh(
    void *ctx, uint32_t job, int err, const struct dh_result *res);
/* A uv_poll_cb of a struct engine_socket. */
void engine_on_datagrams(uv_poll_t *poll, int status, int events);

/* engine_records.c */
/* Opens the vault of the monitor; 0 or -errno, logged. */
int engine_records_open(struct engine *e, int fd);
/* Gives the new core what the last engine left. */
void engine_records_resume(struct engine *e);
/* What changed becomes true; before any of it is seen outside. */
void engine_records_save(struct engine *e);

/* engine_ctl.c */
int engine_ctl_start(struct engine *e, int fd);

/* engine_sas.c */
/* Answers the request sas, as soon as the monitor has told the counters. */
void engine_sas(struct engine *e, struct ctl_reply *reply);
void engine_sas_stats(struct engine *e, const struct im_sa_stats_done *m);

#endif
