/* SPDX-License-Identifier: ISC */
/*
 * What an attacker needs in tests: messages of his own, copies of those
 * that pass, and a look at whether the machine's state changed.
 */
#ifndef TEST_LIB_IKE_FORGE_H
#define TEST_LIB_IKE_FORGE_H

#include "test/lib/ike_world.h"

/* A filter for struct ikew (filter_ctx is one of these): keeps the first
 * datagram to the server of that exchange (0: any) after skip others. */
struct forge_copy {
	uint8_t exchange;
	int skip;
	bool stop; /* does not deliver it */
	bool from_server;
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
};
bool forge_copy(struct ikew *w, bool to_server, uint8_t *data, size_t *len);

/* One payload. */
struct forge_item {
	uint8_t type;
	const void *body;
	size_t len;
};

/* A clear message with these cookies (NULL: zero); its length. */
size_t forge_message(uint8_t out[CLIENT_PACKET_MAX], uint8_t exchange,
    const uint8_t *cky_i, const uint8_t *cky_r, const struct forge_item *items,
    size_t count);
/* The body of an SA payload that offers this suite in phase 1. */
size_t forge_sa(uint8_t out[256], const char *suite);
/* A message 1 with that SA payload and the vendor ids of a client. */
size_t forge_first(uint8_t out[CLIENT_PACKET_MAX], uint64_t cky_i);
/* Sets the header's length. */
void forge_length(uint8_t *message, size_t len);

/* The saved state, but for the counting of log lines. */
struct forge_state {
	uint8_t *data;
	size_t len;
};
void forge_remember(const struct ikew *w, struct forge_state *s);
/* Whether it is as remembered; frees s. */
bool forge_unchanged(const struct ikew *w, struct forge_state *s);

#endif
