/* SPDX-License-Identifier: ISC */
/* The steps of Main Mode, between main_mode.c and main_steps.c. */
#ifndef IKEV1_CORE_MAIN_STEPS_H
#define IKEV1_CORE_MAIN_STEPS_H

#include "ikev1/core/ike_priv.h"

/*
 * Takes one opened and script-checked message.  0: the exchange goes on.
 * -errno with m->reason: the message is refused and the SA is as before.
 */
typedef int (*main_step_fn)(
    struct ike *ike, struct ike_sa *sa, struct message *m);

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
/* Keeps a message 5 and asks for the next candidate PSK; false: none. */
bool main_next_psk(struct ike *ike, struct ike_sa *sa, const struct message *m);
void main_retry5(struct ike *ike, struct ike_sa *sa);
/* Message 5, the first time or with the next candidate's keys. */
void main_message5(struct ike *ike, struct ike_sa *sa, struct message *m);

#endif
