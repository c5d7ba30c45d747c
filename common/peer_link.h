/* SPDX-License-Identifier: ISC */
/*
 * The messages between ikev1d's engine and l2tpd's engine about peers.
 *
 * A peer is one IPsec client, named by R: 64 bit, never reused.  Its slot
 * (1 to 16383) names kernel objects.  After every (re)connection each side
 * sends all its R (ikev1d PEER_UP, l2tpd PEER_READY), then PEER_LIST_END;
 * from then on changes.  What one side lacks, ends.
 */
#ifndef COMMON_PEER_LINK_H
#define COMMON_PEER_LINK_H

#include "common/addr.h"
#include "common/msg.h"

#define PEER_SLOT_MAX 16383
#define PEER_MARK_BASE 0x53000000u
#define PEER_PORT_BASE 16384
#define PEER_IDENTITY_MAX 256
#define PEER_SUITE_MAX 96
#define PEER_REASON_MAX 160

enum peer_msg {
	PEER_UP = 1,   /* ikev1d: make R's socket, then answer READY */
	PEER_READY,    /* l2tpd: R's socket is open */
	PEER_REFUSED,  /* l2tpd: it can't be opened; reason */
	PEER_UPDATE,   /* ikev1d: new outer port or suite of a known R */
	PEER_DOWN,     /* ikev1d: R ends; its SAs are gone */
	PEER_GONE,     /* l2tpd: every object of R is gone */
	PEER_CLOSE,    /* l2tpd: end R please (operator, idle, dead) */
	PEER_LIST_END, /* either: the whole list has been sent */
	PEER_LEAVING,  /* ikev1d: it ends soon; say goodbye to every R */
};

/* PEER_UP, PEER_UPDATE */
struct peer_up {
	uint64_t r;
	uint32_t slot;
	struct addr local; /* outer local address, IKE port */
	struct addr peer;  /* outer peer address and port */
	uint8_t natt;	   /* ESP in UDP */
	uint8_t held;	   /* known from before a restart of ikev1d */
	char identity[PEER_IDENTITY_MAX]; /* printable IDii */
	char suite[PEER_SUITE_MAX];	  /* "aes256-sha1-modp2048/aes..." */
};

/* PEER_READY, PEER_REFUSED, PEER_DOWN, PEER_GONE, PEER_CLOSE */
struct peer_note {
	uint64_t r;
	uint32_t slot;
	char reason[PEER_REASON_MAX];
};

/* PEER_LIST_END, PEER_LEAVING */
struct peer_list_end {
	uint32_t count;
};

extern const struct msg_table peer_link_table;

#endif
