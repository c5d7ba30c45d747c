/* SPDX-License-Identifier: ISC */
/*
 * The messages between ikev1d's engine and its monitor.  The monitor holds
 * what outlives an engine (R, slots, SAs) and every long-term
 * secret; mon_ops.c has the table of what an engine may ask for.
 */
#ifndef IKEV1_IM_MSG_H
#define IKEV1_IM_MSG_H

#include "common/addr.h"
#include "common/msg.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/ike.h"

#define IM_SAS_PER_PEER 16 /* rekeys overlap; more is a broken engine */

enum im_msg {
	/* engine to monitor */
	IM_PEER_NEW = 1, /* allocate R and a slot: im_job */
	IM_PSK,		 /* a SKEYID, when it is clear of which key: im_psk */
	IM_TRIAL,	 /* which key made this message 5?  im_trial */
	IM_SA_ADD,	 /* im_sa */
	IM_SA_DEL,	 /* im_sa_ref; no answer */
	IM_SA_ENCAP,	 /* new ports or addresses: im_sa_ref; no answer */
	IM_SA_QUERY,	 /* has it been used?  im_sa_query */
	IM_PEER_END,	 /* free R: im_peer; no answer */
	IM_SA_STATS,	 /* counters of a pair: im_sa_stats */
	IM_LINK_WANTED,	 /* connect to l2tpd, again and again: im_job */
	/* monitor to engine */
	IM_PEER_NEW_DONE, /* im_peer_new_done */
	IM_PSK_DONE,	  /* im_psk_done */
	IM_TRIAL_DONE,	  /* im_trial_done */
	IM_SA_ADD_DONE,	  /* im_sa_add_done */
	IM_SA_USED,	  /* im_sa_used */
	IM_SA_STATS_DONE, /* im_sa_stats_done */
	IM_HELD,	  /* an R from before: im_held */
	IM_HELD_END,	  /* all of them: im_job */
	IM_EXPIRE,	  /* the kernel: im_sa_event */
	IM_MAPPING,	  /* the kernel: im_sa_event */
	IM_LINK,	  /* im_job, with the connection to l2tpd */
	IM_SHUTDOWN,	  /* end politely: im_job */
};

struct im_job {
	uint32_t job; /* 0 where none is needed */
};

struct im_peer {
	uint64_t r;
};

struct im_held {
	uint64_t r;
	uint32_t slot;
	MSG_BLOB(IM_SAS_PER_PEER *IKE_LIVE_SIZE) live; /* as in ike_event */
};

struct im_peer_new_done {
	uint32_t job;
	int32_t error;
	uint64_t r;
	uint32_t slot;
};

struct im_psk {
	uint32_t job;
	struct addr local, peer;
	uint8_t use;	/* enum ike_psk_use */
	uint16_t entry; /* IKE_PSK_RENEW: of the psk file */
	uint16_t hash;	/* IKE_HASH_* */
	MSG_BLOB(IKE_NONCE_MAX) ni, nr;
};

struct im_psk_done {
	uint32_t job;
	int32_t error;	/* -ENOENT: no key for that address */
	uint16_t count; /* of keys that may fit */
	/* candidate.h; empty when more than one may fit somebody. */
	MSG_BLOB(CANDIDATE_LEN) key;
};

/* struct ike_trial with addresses that say which keys may fit. */
struct im_trial {
	uint32_t job;
	struct addr local, peer;
	uint16_t cipher, key_bits, hash; /* phase 1 */
	MSG_BLOB(8) cky_i, cky_r;
	MSG_BLOB(IKE_NONCE_MAX) ni, nr;
	MSG_BLOB(IKE_DH_MAX) gxy, gxi, gxr;
	MSG_BLOB(IKE_TRIAL_SAI_MAX) sai;
	MSG_BLOB(IKE_TRIAL_FIVE_MAX) five;
};

struct im_trial_done {
	uint32_t job;
	int32_t error;
	MSG_BLOB(CANDIDATE_LEN) key;	    /* empty: none fits */
	MSG_BLOB(CANDIDATES_MAX * 4) lines; /* that were tried, u32 each */
};

/* struct ike_kernel_sa with counted keys. */
struct im_sa {
	uint32_t job;
	uint64_t r;
	uint32_t slot;
	uint8_t dir;
	uint32_t spi;
	struct addr src, dst;
	uint8_t encap;
	uint16_t cipher, auth, trunc_bits;
	MSG_BLOB(IKE_KEY_MAX) enc_key, auth_key;
	uint32_t soft_s, hard_s;
	uint64_t soft_bytes, hard_bytes;
};

struct im_sa_add_done {
	uint32_t job;
	int32_t error;
	uint64_t r;
	uint32_t spi;
};

struct im_sa_ref {
	uint64_t r;
	uint8_t dir;
	uint32_t spi;
	struct addr src, dst; /* IM_SA_DEL: dst alone counts */
};

struct im_sa_query {
	uint32_t job;
	uint64_t r;
	uint8_t dir;
	uint32_t spi;
};

struct im_sa_used {
	uint32_t job;
	int32_t error; /* -ESRCH: there is no such SA */
	uint64_t r;
	uint32_t spi;
	uint64_t packets;
};

/* For the operator; R and its SAs may be gone meanwhile. */
struct im_sa_stats {
	uint32_t request, row; /* come back with the answer */
	uint64_t r;
	uint32_t spi_in, spi_out;
};

struct im_sa_stats_done {
	uint32_t request, row;
	int32_t error; /* -ESRCH: there is no such pair (any more) */
	uint64_t packets_in, bytes_in, packets_out, bytes_out;
};

struct im_sa_event {
	uint64_t r;
	uint32_t spi;
	uint8_t hard;	  /* IM_EXPIRE */
	struct addr peer; /* IM_MAPPING: the new outer source */
};

/* Room for any of them. */
union im_any {
	struct im_job job;
	struct im_peer peer;
	struct im_held held;
	struct im_psk psk;
	struct im_psk_done psk_done;
	struct im_trial trial;
	struct im_trial_done trial_done;
	struct im_sa sa;
	struct im_sa_ref ref;
	struct im_sa_query query;
	struct im_sa_used used;
	struct im_sa_stats stats;
	struct im_sa_stats_done stats_done;
	struct im_sa_event event;
};

extern const struct msg_table im_table;

/* -EINVAL when a part is too long.  out holds g^xy: wipe it. */
int im_trial_from_core(
    struct im_trial *out, uint32_t job, const struct ike_trial *t);
/* out borrows in; -EINVAL when a part has no possible length. */
int im_trial_to_core(struct ike_trial *out, const struct im_trial *in);

/* To and from the core's form; the receiver wipes.  0 or -EINVAL. */
void im_sa_from_kernel(
    struct im_sa *out, uint32_t job, const struct ike_kernel_sa *sa);
void im_sa_to_kernel(struct ike_kernel_sa *out, const struct im_sa *sa);

#endif
