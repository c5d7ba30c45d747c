/* SPDX-License-Identifier: ISC */
/* XFRM messages as bytes: built and read without a socket. */
#ifndef IKEV1_XFRM_BUILD_H
#define IKEV1_XFRM_BUILD_H

#include "ikev1/core/ike.h"

#include <stdbool.h>
#include <stdint.h>

struct nl_msg;
struct nlmsghdr;

/* 128 packets may come out of order. */
#define XFRM_REPLAY_WINDOW 128

/*
 * The message that adds (or updates) an SA; the caller wipes it with
 * xfrm_msg_free().  NULL for an algorithm without a kernel name, for keys
 * of an impossible length or an address that is not IPv4.
 *
 * The selector is empty and carries no port: with ports the inbound SA does
 * not match and the outbound one is never chosen.  The mark is set on what
 * the inbound SA decapsulated, and nowhere else.
 */
struct nl_msg *xfrm_build_add(const struct ike_kernel_sa *sa, bool is_update);
/* spi and dst count. */
struct nl_msg *xfrm_build_del(const struct ike_kernel_sa *sa);
/* Asks for one SA: spi and dst count. */
struct nl_msg *xfrm_build_get(const struct ike_kernel_sa *sa);
/* Asks for all SAs. */
struct nl_msg *xfrm_build_dump(void);
/* Overwrites the message (it may hold keys) and frees it. */
void xfrm_msg_free(struct nl_msg *msg);

enum xfrm_event_type {
	XFRM_EVENT_NONE, /* not one of ours, or of no interest */
	XFRM_EVENT_SA,	 /* an answer to a dump or a get */
	XFRM_EVENT_EXPIRE,
	XFRM_EVENT_MAPPING,
	XFRM_EVENT_LOST, /* of a listener: events were dropped unseen */
};

struct xfrm_event {
	enum xfrm_event_type type;
	uint32_t slot; /* from reqid */
	uint32_t spi;  /* host order */
	struct addr dst;
	bool hard;	  /* EXPIRE */
	uint64_t packets; /* SA: that it has carried; bytes too */
	uint64_t bytes;
	struct addr peer; /* MAPPING: the new outer source, with port */
};

/*
 * Reads one message of the kernel; len bytes at h are there.  Anything not
 * understood, too short or with a foreign reqid is XFRM_EVENT_NONE.
 */
void xfrm_read_event(
    const struct nlmsghdr *h, size_t len, struct xfrm_event *out);

#endif
