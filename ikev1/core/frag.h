/* SPDX-License-Identifier: ISC */
/*
 * IKE fragments as Microsoft and Cisco made them (no RFC): an ISAKMP header
 * with the cookies of its IKE SA and "next payload" 132, then one payload:
 *
 *	0         8         16                  32
 *	|    0    |    0    |  payload length   |
 *	|       id          | number  |  flags  |   number from 1, flag 1: last
 *	|  a part of the message, header and all, as it would have been sent
 *
 * Fragments are never encrypted themselves and prove nothing: whoever sees
 * a handshake can forge them.  So what they may cost is bounded (below), a
 * message put together goes through the same door as any datagram, and
 * nothing is ever answered to a fragment.  The header's exchange type,
 * flags and message id are the sender's habit (strongSwan: Main Mode and
 * 0 always; racoon: those of the message); they only have to be the same in
 * all parts.
 *
 * No I/O and no clock: times are milliseconds, given by the caller.
 */
#ifndef IKEV1_CORE_FRAG_H
#define IKEV1_CORE_FRAG_H

#include "common/addr.h"
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/store.h"

#include <stdint.h>

#define FRAG_SETS_MAX 64 /* messages that are incomplete at a time */
#define FRAG_ADDRESS_SETS                                                      \
	8		      /* of them from one address: many clients        \
			       * behind one NAT dial again at a time */
#define FRAG_PARTS_MAX 32     /* of a message; Windows has sent 29 */
#define FRAG_MESSAGE_MAX 8192 /* bytes of a message */
#define FRAG_LIFE_MS 10000    /* from the first part that came */
#define FRAG_HEADER_LEN (ISAKMP_HEADER_LEN + ISAKMP_PAYLOAD_HEADER_LEN + 4)

struct frag_set;

/* All zero is empty. */
struct frag_table {
	struct frag_set *set[FRAG_SETS_MAX];
	size_t count; /* of them in use */
};

/*
 * One datagram whose header h has ISAKMP_PAYLOAD_FRAGMENT as next payload;
 * body is what follows the header.  Returns
 *
 *	1	the message is complete and in *whole (the caller's now); it
 *		is no fragment, and its cookies are those of its parts
 *	0	kept, or a part that is here already
 *	-EBADMSG  the payload is malformed, or the message inside is not
 *		what its fragments say
 *	-E2BIG	the message would be too long or have too many parts
 *
 * with a reason when negative.  A part that contradicts what is kept of its
 * message begins the set anew.  When a limit is reached the oldest set goes:
 * of the same address, else of all.
 */
int frag_take(struct frag_table *t, uint64_t now_ms, const struct addr *peer,
    const struct isakmp_header *h, struct wire_span body, struct bytes *whole,
    char reason[ISAKMP_REASON_MAX]);

/* Forgets what is too old. */
void frag_expire(struct frag_table *t, uint64_t now_ms);
/* When frag_expire() has something to do next; UINT64_MAX: never. */
uint64_t frag_deadline(const struct frag_table *t);
void frag_clear(struct frag_table *t);
/* Sets that are incomplete, and the bytes they hold. */
size_t frag_count(const struct frag_table *t);
size_t frag_bytes(const struct frag_table *t);
/* Saves the table, or fills an empty one. */
void frag_store(struct store *s, struct frag_table *t);

/*
 * Sending: writes the number-th part (from 1) of message, which has at
 * least a header, to out; a part with its headers has at most size bytes.
 * Returns its length; 0 when the message has no such part, -EINVAL when
 * size is too small for it (FRAG_PARTS_MAX parts must do).
 */
int frag_part(
    struct wire_span message, unsigned int number, uint8_t *out, size_t size);

#endif
