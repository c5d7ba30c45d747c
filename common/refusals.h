/* SPDX-License-Identifier: ISC */
/*
 * The last refusals of each client, for `sallyport why ADDRESS`.  All
 * memory is taken at the start and never grows.  Those of clients whose
 * address is proven (they answered us) have places of their own: a flood of
 * packets with invented addresses does not push them out.
 */
#ifndef COMMON_REFUSALS_H
#define COMMON_REFUSALS_H

#include "common/addr.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFUSALS_MAX 512 /* of each of the two kinds */
#define REFUSALS_PER_ADDRESS 16
#define REFUSAL_WHAT_MAX 640
#define REFUSAL_REMEDY_MAX 256

struct refusal {
	int64_t when;	   /* Unix time, seconds; of the newest */
	struct addr peer;  /* with the port of the newest */
	struct addr local; /* family ADDR_NONE: not known */
	uint32_t count;	   /* how often, one after another */
	char what[REFUSAL_WHAT_MAX];
	char remedy[REFUSAL_REMEDY_MAX]; /* or "" */
};

struct refusals;

/* now: Unix time, since when there is a memory.  Never NULL. */
struct refusals *refusals_new(int64_t now);
void refusals_free(struct refusals *r);

/*
 * Remembers.  The same again (address and what) counts up; the seventeenth
 * of an address takes the place of its oldest.  when, peer and local are
 * taken from `like`; its texts and its count are not looked at.  what has
 * what_len bytes, remedy is terminated or NULL; too long ones are cut.
 */
void refusals_add(struct refusals *r, bool is_proven,
    const struct refusal *like, const char *what, size_t what_len,
    const char *remedy);
/* Those of an address, newest first; returns how many. */
size_t refusals_find(const struct refusals *r, const struct addr *address,
    const struct refusal *out[REFUSALS_PER_ADDRESS]);
/*
 * The answer to the request `why TEXT`: {"version": 1, "address": ...,
 * "since": ..., "refusals": [{"time", "peer", "local", "count", "what",
 * "remedy"}...]}.  NULL when text is no address.
 */
json_t *refusals_json(const struct refusals *r, const char *text);

#endif
