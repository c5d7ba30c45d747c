/* SPDX-License-Identifier: ISC */
/*
 * Who shares addresses: everything between two of them, and everything that
 * comes from one, with what that one may take.  Part of ike_priv.h.
 */
#ifndef IKEV1_CORE_PATH_H
#define IKEV1_CORE_PATH_H

#include "common/addr.h"
#include "common/hash.h"

#include <stdbool.h>
#include <stdint.h>

struct ike;
struct ike_sa;
struct peer;

/* A budget of log lines: so many in a period, the rest is counted. */
struct log_limit {
	uint64_t since_ms;
	uint32_t lines, hidden;
	uint8_t started;
};

/* Whoever comes from one address (IPv6: one /64), to any of ours. */
struct source {
	UT_hash_handle hh;
	uint8_t key[1 + 16];
	size_t paths;	/* of it */
	size_t clients; /* that have an IKE SA which is up */
	size_t peers;	/* R */
	/* Not saved: whose place went to another one. */
	uint64_t displace_ms; /* what went is made up for by then */
	bool displace_said;
	struct log_limit limit; /* of what they cause; not saved */
};

/* What is between one address of ours and one of a client's, newest
 * first. */
struct path {
	UT_hash_handle hh;
	struct source *source;
	uint8_t key[1 + 16 + 16]; /* family, ours, the client's */
	struct ike_sa *sas;
	struct peer *peers;
};

/* NULL when nothing is between these addresses; ports do not count. */
struct path *path_of(
    const struct ike *ike, const struct addr *local, const struct addr *peer);
/* NULL when nobody comes from that address. */
struct source *path_source(const struct ike *ike, const struct addr *peer);
/* Their addresses stay what they are until they are removed. */
void path_add_sa(struct ike *ike, struct ike_sa *sa);
void path_remove_sa(struct ike *ike, struct ike_sa *sa);
void path_add_peer(struct ike *ike, struct peer *p);
void path_remove_peer(struct ike *ike, struct peer *p);
void path_free_all(struct ike *ike);
/* sa is up: its client counts, once, as long as it has one that is. */
void path_sa_up(struct ike_sa *sa);
/*
 * Whether sa, which is about to be up, is one client more than may come
 * from its address; one that has an IKE SA or an R already is not new.
 */
bool path_is_full(const struct ike *ike, const struct ike_sa *sa);
/*
 * For sa, which found its address full: the client of that address goes that
 * has had IKE SAs and no R for the longest time, beyond linger_ms.  Nothing
 * but their lifetime would end them, a week if the client says so.  False
 * when there is none.
 */
bool path_make_room(struct ike *ike, const struct ike_sa *sa);
/* Whether its address has as many R as it may. */
bool path_has_all_peers(const struct ike *ike, const struct path *path);

#endif
