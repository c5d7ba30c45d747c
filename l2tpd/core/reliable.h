/* SPDX-License-Identifier: ISC */
/*
 * Reliable delivery of control messages (RFC 2661 section 5.8, appendix A):
 * sequence numbers, windows, slow start, acknowledgements, retransmission.
 * Pure: bytes and times in, bytes out through a callback.
 */
#ifndef L2TPD_CORE_RELIABLE_H
#define L2TPD_CORE_RELIABLE_H

#include "common/wire.h"
#include "l2tpd/core/msg.h"

#include <stdbool.h>
#include <stdint.h>

#define L2TP_RX_WINDOW_MAX 64
#define L2TP_TX_QUEUE_MAX 128 /* messages waiting or unacknowledged */
#define L2TP_NEVER UINT64_MAX

struct l2tp_reliable_config {
	uint16_t window;	/* what we accept, 1 to L2TP_RX_WINDOW_MAX */
	uint32_t retransmit_ms; /* first interval, doubles */
	uint32_t cap_ms;	/* up to this */
	uint32_t retries;	/* retransmissions, then the peer is dead */
};

/* A message that was received: free data with free(). */
struct l2tp_received {
	uint16_t ns, session_id;
	uint8_t *data;
	size_t len;
};

struct l2tp_tx;
struct l2tp_rx;

struct l2tp_reliable {
	struct l2tp_reliable_config cfg;
	uint16_t peer_tunnel_id; /* for ZLBs */
	uint16_t peer_window;	 /* from Receive Window Size, at least 1 */
	uint16_t end;		 /* Ns of the next new message */
	uint16_t una;		 /* Ns of the oldest unacknowledged one */
	uint16_t nxt;		 /* Ns of the next one to send (again) */
	uint16_t max_sent;	 /* Ns behind the newest one ever sent */
	uint16_t nr;		 /* Ns that we expect */
	uint16_t cwnd, ssthresh, cwnd_count;
	uint32_t tries; /* retransmissions of the oldest */
	bool ack_wanted;
	uint64_t deadline;  /* of a retransmission, or L2TP_NEVER */
	struct l2tp_tx *tx; /* una to end - 1 */
	struct l2tp_rx *rx; /* received, by Ns, not yet taken */
};

typedef void (*l2tp_emit_fn)(void *ctx, const uint8_t *data, size_t len);

void l2tp_reliable_init(
    struct l2tp_reliable *rel, const struct l2tp_reliable_config *cfg);
void l2tp_reliable_free(struct l2tp_reliable *rel);
/* Once the peer is known; window 0 counts as 1. */
void l2tp_reliable_set_peer(
    struct l2tp_reliable *rel, uint16_t tunnel_id, uint16_t window);

/*
 * Queues an encoded message (copied).  -ENOBUFS when the peer left too many
 * unacknowledged.
 */
int l2tp_reliable_queue(
    struct l2tp_reliable *rel, const uint8_t *data, size_t len);

enum l2tp_verdict {
	L2TP_RX_ACK,	   /* a ZLB: only Nr counts */
	L2TP_RX_NEW,	   /* kept; l2tp_reliable_next() has it in order */
	L2TP_RX_DUPLICATE, /* an acknowledgement is due */
	L2TP_RX_BEYOND,	   /* outside our window: dropped */
};

/* Takes in one message: acknowledges ours, keeps the body. */
enum l2tp_verdict l2tp_reliable_receive(struct l2tp_reliable *rel,
    const struct l2tp_header *hdr, struct wire_span body, uint64_t now_ms);
/* The next message in order; false when there is none. */
bool l2tp_reliable_next(struct l2tp_reliable *rel, struct l2tp_received *out);

/* Sends what the windows allow; a ZLB if an acknowledgement is due. */
void l2tp_reliable_output(
    struct l2tp_reliable *rel, uint64_t now_ms, l2tp_emit_fn emit, void *ctx);
/* Sends the oldest unacknowledged message again, without a penalty. */
void l2tp_reliable_resend(
    struct l2tp_reliable *rel, l2tp_emit_fn emit, void *ctx);
/*
 * 0, or -ETIMEDOUT when the oldest message had all its retransmissions.
 * l2tp_reliable_output() after it.
 */
int l2tp_reliable_tick(struct l2tp_reliable *rel, uint64_t now_ms);

/* Forgets what is unacknowledged or unsent: it has lost its meaning. */
void l2tp_reliable_abandon(struct l2tp_reliable *rel);

/* Nothing of ours waits for an acknowledgement. */
bool l2tp_reliable_is_idle(const struct l2tp_reliable *rel);
/* Message type of the oldest unacknowledged one, 0 if none. */
uint16_t l2tp_reliable_oldest(const struct l2tp_reliable *rel);

/*
 * Without cfg; the deadline as remaining time.  A record (saved_time.h)
 * leaves out what came out of order: the peer will send it again.
 */
void l2tp_reliable_save(
    const struct l2tp_reliable *rel, struct wire_writer *w, uint64_t now_ms);
/* rel was initialised.  0 or -EBADMSG; free it in both cases. */
int l2tp_reliable_restore(
    struct l2tp_reliable *rel, struct wire_reader *r, uint64_t now_ms);

#endif
