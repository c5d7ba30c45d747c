/* SPDX-License-Identifier: ISC */
/*
 * Two worlds with one clock, one link and, if wanted, a NAT in front of the
 * initiator: our initiator against our responder.
 */
#ifndef TEST_LIB_IKE_PAIR_H
#define TEST_LIB_IKE_PAIR_H

#include "ikev1/core/persona.h"
#include "test/lib/ike_world.h"

#define PAIR_INNER "10.0.0.2"
#define PAIR_NAT "203.0.113.9"

struct ike_pair {
	struct ikew *i, *r;
	/* 0: no NAT; the outer port of 500, of 4500 the next. */
	uint16_t nat_port;
	bool is_cut; /* nothing gets through */
};

/* Both with the responder's configuration and PSK, on kernels that take ESP
 * on UDP 500; the initiator knows all personas of the tests. */
struct ike_pair *pair_new(uint64_t seed);
void pair_free(struct ike_pair *p);
/* What the link does to each datagram in both directions. */
void pair_link(struct ike_pair *p, int loss, int dup, uint32_t jitter_ms);
/* IKE_EV_CONNECT from the initiator; conn is 1. */
void pair_connect(struct ike_pair *p, const struct persona *persona);
void pair_run(struct ike_pair *p, uint64_t ms);
/* Runs until the initiator reports success or failure, or ms are over. */
bool pair_up(struct ike_pair *p, uint64_t ms);

#endif
