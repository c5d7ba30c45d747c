/* SPDX-License-Identifier: ISC */
/* The steps of Main Mode, between main_mode.c and main_steps.c. */
#ifndef IKEV1_CORE_MAIN_STEPS_H
#define IKEV1_CORE_MAIN_STEPS_H

#include "ikev1/core/ike_priv.h"
#include "ikev1/core/payload.h"

/*
 * Takes one opened and script-checked message.  0: the exchange goes on.
 * -errno with m->reason: the message is refused and the SA is as before.
 */
typedef int (*main_step_fn)(
    struct ike *ike, struct ike_sa *sa, struct message *m);

/* main_rows.c: one row for each message that a state waits for */
struct main_row {
	enum sa_state state;
	bool is_encrypted;
	struct isakmp_script script;
	main_step_fn step;
	enum sa_state next;
	const char *silence; /* ours: what no answer means, most likely */
};

/* NULL when the state waits for none. */
const struct main_row *main_row(enum sa_state state);
/*
 * Opens and checks one message, lets the row's step act and moves the SA
 * on.  0, or -errno with m->reason; then the SA is as before.
 */
int main_run_row(struct ike *ike, struct ike_sa *sa, const struct main_row *row,
    struct message *m);

/* main_first.c: a message 1 */
void main_first(struct ike *ike, struct message *m);
struct ike_sa *main_sa_of_first(struct ike *ike, const struct mm1_entry *e);

/* main_mode.c: logs m->reason, at most so often */
void main_say_refused(struct ike *ike, const struct message *m);

int main_step3(struct ike *ike, struct ike_sa *sa, struct message *m);
/* -EACCES: authenticated, but its ID is not allowed. */
int main_step5(struct ike *ike, struct ike_sa *sa, struct message *m);
/* After step 5: the IKE SA is up. */
void main_established(
    struct ike *ike, struct ike_sa *sa, const struct message *m);

/* main_keys.c */
void main_phase1_of(const struct ike_sa *sa, struct ike_phase1 *out);
/*
 * Takes the key that the monitor gave (candidate.h): keys and the first IV
 * from it and from what both jobs brought.  0 or -errno.
 */
int main_derive(struct ike *ike, struct ike_sa *sa);
/* As it was before the key of a message 5 was known. */
void main_forget_key(struct ike_sa *sa);
/*
 * Asks the monitor which of several keys made a message 5, and keeps that
 * until the answer comes.  False, nothing is changed: it can be none.
 */
bool main_ask_trial(struct ike *ike, struct ike_sa *sa, struct message *m);
#define MAIN_LINES_MAX 96
/* "3, 7": the lines of the keys that were tried; none: the one of sa. */
const char *main_key_lines(
    const struct ike_sa *sa, struct wire_span tried, char out[MAIN_LINES_MAX]);
/* Whether an opened message 5 has the right HASH_I. */
bool main_hash_i_ok(
    struct ike *ike, const struct ike_sa *sa, const struct message *m);
/* Whether the key in use is bound to another ID; then with a reason. */
bool main_id_refused(const struct ike_sa *sa, const struct payload_id *id,
    char reason[ISAKMP_REASON_MAX]);

/* What both roles use, too. */
uint32_t main_vendors(const struct isakmp_payloads *p);
/* The SKEYID, or whether there are several; answered by IKE_EV_PSK_DONE. */
void main_ask_psk(struct ike *ike, struct ike_sa *sa, enum ike_psk_use use);
/* Who we are: local-id, or our address.  Its data is cfg's or sa's. */
struct payload_id main_local_id(const struct ike *ike, const struct ike_sa *sa);
/* -EACCES: not allowed in phase 1. */
int main_take_id(
    struct ike_sa *sa, const struct isakmp_payload *p, struct message *m);

#endif
