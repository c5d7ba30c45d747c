/* SPDX-License-Identifier: ISC */
/* Main Mode as initiator, and renewing IKE SAs. */
#ifndef IKEV1_CORE_MAIN_INIT_H
#define IKEV1_CORE_MAIN_INIT_H

#include "ikev1/core/main_steps.h"

/* sa_rekey.c */
/* An IKE SA with that life is up: when to renew it, and whose place it
 * takes. */
void sa_rekey_plan(struct ike *ike, struct ike_sa *sa, uint64_t life_s);
/* At once, unless that is under way or was tried a moment ago. */
void sa_rekey_soon(struct ike *ike, struct ike_sa *sa);
/* From the last engine: if it was renewing sa, it is tried again. */
void sa_rekey_resumed(struct ike *ike, struct ike_sa *sa);
void sa_rekey_timer(struct ike *ike, struct ike_sa *sa);
/* A renewal of ours failed: once more, later. */
void sa_rekey_failed(struct ike *ike, const struct ike_sa *sa);
/* IKE_EV_CONN_REKEY, _REKEY_ESP, _CLOSE */
void sa_conn_event(struct ike *ike, const struct ike_event *ev);

/* main_init.c: Main Mode as initiator */
/* IKE_EV_CONNECT */
void init_connect(struct ike *ike, const struct ike_event *ev);
/* Any message of Main Mode for an SA that we started; it may be false. */
void init_input(struct ike *ike, struct ike_sa *sa, struct message *m);
/* The SA of ours that a message 2 may answer; NULL. */
struct ike_sa *init_waiting(struct ike *ike, const struct message *m);
/* A clear Informational: true when it was for an SA of ours; only a hint. */
bool init_hint(struct ike *ike, struct message *m);
void init_dh_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev);
void init_psk_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev);
void init_timer(struct ike *ike, struct ike_sa *sa);
/* Sends message 1 of a new SA that has its persona and addresses. */
void init_begin(struct ike *ike, struct ike_sa *sa);
/* For a client that has an R: its PSK entry and ID are known. */
bool init_is_renewal(const struct ike_sa *sa);
/* Tells the shell of the connection that sa serves, if any. */
void init_report(struct ike *ike, const struct ike_sa *sa,
    enum ike_action_type type, const char *text);
/* Ends an unfinished Main Mode of ours and says why. */
void init_fail(struct ike *ike, struct ike_sa *sa, const char *why);

/* --- between main_init.c and main_init_steps.c ---------------------------- */

/* Build and send a message; the persona says how.  0 or -errno. */
int init_send1(struct ike *ike, struct ike_sa *sa);
int init_send3(struct ike *ike, struct ike_sa *sa);
int init_send5(struct ike *ike, struct ike_sa *sa);

/* Take one; as main_step_fn. */
int init_take2(struct ike *ike, struct ike_sa *sa, struct message *m);
int init_take4(struct ike *ike, struct ike_sa *sa, struct message *m);
int init_take6(struct ike *ike, struct ike_sa *sa, struct message *m);

/* What phase 1 offers: the persona's, or for a rekey without a persona's
 * wishes the suite in use alone.  out borrows sa. */
void init_offer(const struct ike_sa *sa, struct persona_offer *out);

#endif
