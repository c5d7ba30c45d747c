/* SPDX-License-Identifier: ISC */
/*
 * What the tests of other daemons' bugs share: a client, and how to put in
 * messages from its address.  For cmocka tests only: include after cmocka.h.
 */
#ifndef TEST_LIB_IKE_CVE_H
#define TEST_LIB_IKE_CVE_H

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_forge.h"

#include <string.h>

static inline struct ike_client *native(struct ikew *w)
{
	return ikew_client(w, "203.0.113.7", NULL, 0);
}

/* From c's address; the log is bounded. */
static inline void inject(
    struct ikew *w, const struct ike_client *c, const uint8_t *m, size_t len)
{
	ikew_log_clear(w);
	ikew_inject(w, &c->outer[0], 500, m, len);
}

/* A message 1 with an SA payload of these bytes. */
static inline void inject_sa(
    struct ikew *w, const struct ike_client *c, const uint8_t *sa, size_t len)
{
	static uint64_t count;
	uint8_t m[CLIENT_PACKET_MAX], cookie[8] = {1};
	struct forge_item item = {ISAKMP_PAYLOAD_SA, sa, len};

	count++;
	memcpy(cookie, &count, sizeof(count));
	cookie[7] = 1;
	inject(w, c, m, forge_message(m, 2, cookie, NULL, &item, 1));
}

/* Stops a handshake before its n-th message (1, 3, 5 are 0, 1, 2). */
static inline struct ikew *stopped(
    int n, struct ike_client **c, struct forge_copy *m)
{
	struct ikew *w = ikew_new(1);

	*m = (struct forge_copy){.exchange = 2, .skip = n, .stop = true};
	w->filter = forge_copy;
	w->filter_ctx = m;
	*c = native(w);
	ikec_start_main(*c);
	while (!m->len)
		ikew_run(w, 1);
	(*c)->is_mute = true;
	ikew_log_clear(w);
	return w;
}

#endif
