/* SPDX-License-Identifier: ISC */
/*
 * Peers, R: their life (peer.c), their place (peer_place.c), what is told
 * of them (peer_tell.c) and renewing their pairs of IPsec SAs
 * (rekey.c).  Part of ike_priv.h, which has the structs.
 */
#ifndef IKEV1_CORE_PEER_H
#define IKEV1_CORE_PEER_H

#include "ikev1/core/ike.h"
#include "ikev1/core/store.h"

struct child;
struct ike_sa;
struct peer;
struct quick;
struct selectors;

enum peer_state {
	PEER_OPENING, /* waits for its R */
	PEER_RAISING, /* R known; l2tpd opens its socket */
	PEER_LIVE,
	PEER_CLOSING, /* SAs deleted; l2tpd closes */
	PEER_DEAD,
};

/* peer.c */
/* An empty peer, in the list. */
struct peer *peer_new(struct ike *ike);
void peer_link(struct ike *ike, struct peer *p);
/* Into the tables: once, when its tag and addresses are known. */
void peer_index(struct ike *ike, struct peer *p);
struct peer *peer_by_tag(struct ike *ike, uint32_t tag);
struct peer *peer_by_r(struct ike *ike, uint64_t r);
/* True when identity and place of peer and IKE SA are the same. */
bool peer_matches(const struct peer *p, const struct ike_sa *sa);
/*
 * The peer that a Quick Mode of sa with these selectors belongs to; made
 * when there is none.  NULL (logged) when no more are allowed.
 */
struct peer *peer_for(struct ike *ike, struct ike_sa *sa,
    const struct selectors *sel, const char *suite);
/* The only writer of a peer's state. */
void peer_become(struct ike *ike, struct peer *p, enum peer_state state);
void peer_end(struct ike *ike, struct peer *p, const char *reason);
/* After a change of its pairs or Quick Modes: linger or not. */
void peer_check(struct ike *ike, struct peer *p);
void peer_event(struct ike *ike, const struct ike_event *ev);
void peer_opened(struct ike *ike, uint32_t tag, const struct ike_event *ev);
void peer_timer(struct ike *ike, struct peer *p);
void peer_free(struct peer *p);

/* peer_place.c: who is where */
/* A new IKE SA is up: end whom it displaces; adopt its peers, if it hears
 * us. */
void peer_sa_up(struct ike *ike, struct ike_sa *sa);
/*
 * The client of sa has shown that it hears us where it says it is: that
 * message 5 came from there says nothing.  It is who was there before it,
 * and what it left is its own.
 */
void peer_sa_heard(struct ike *ike, struct ike_sa *sa);
/* Whether somebody waits to know whether sa hears us: an R that it would
 * inherit then. */
bool peer_would_inherit(struct ike *ike, const struct ike_sa *sa);
/* An IKE SA is gone. */
void peer_sa_gone(struct ike *ike, struct ike_sa *sa);
/* Deletes what else the identity of sa has: it started afresh.  When it is
 * not known yet to hear us, as soon as it is. */
void peer_initial_contact(struct ike *ike, struct ike_sa *sa);
/*
 * Whether sa, which is about to be up, may take its place from whoever has
 * it: this is limited, for each address.
 */
bool peer_may_take_place(struct ike *ike, const struct ike_sa *sa);
/* An authenticated message came from another address or port. */
void peer_sa_moved(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev);
/* IKE_EV_MAPPING */
void peer_mapping(struct ike *ike, const struct ike_event *ev);

/* peer_tell.c */
/* PEER_UP or PEER_UPDATE */
void peer_tell(struct ike *ike, struct peer *p, enum ike_action_type type);
/* Sets the suite's text; says so when it changed.  Of a responder's Quick
 * Mode only when that is finished. */
void peer_suite(struct ike *ike, struct peer *p, const char *suite);

/* rekey.c: renewing pairs of IPsec SAs */
/* A soft limit of c. */
void rekey_soft(struct ike *ike, struct child *c);
/* A pair of p is gone. */
void rekey_pair_gone(struct ike *ike, struct peer *p);
/* A Quick Mode of ours came to nothing. */
void rekey_failed(struct ike *ike, struct peer *p);
/* p has a new IKE SA. */
void rekey_sa_up(struct ike *ike, struct peer *p);
/* c is a new pair: the older ones are on their way out. */
void rekey_pair_up(struct ike *ike, struct child *c);
/* Notes what q agreed on. */
void rekey_terms(struct peer *p, const struct quick *q);
void rekey_used(struct ike *ike, struct child *old, bool used);
/* How many packets a pair that was replaced has carried; 0: the kernel does
 * not say. */
void rekey_looked(struct child *old, uint64_t packets);
void rekey_timer(struct ike *ike, struct peer *p);

#endif
