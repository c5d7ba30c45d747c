/* SPDX-License-Identifier: ISC */
/* Between quick_mode.c, quick_init.c and quick_answer.c: Quick Mode as
 * initiator. */
#ifndef IKEV1_CORE_QUICK_INIT_H
#define IKEV1_CORE_QUICK_INIT_H

#include "ikev1/core/payload.h"
#include "ikev1/core/quick_steps.h"

/* quick_init.c */
/* Our value, or g^xy. */
void quick_init_dh_done(
    struct ike *ike, struct quick *q, const struct ike_event *ev);
/* q->due_ms has come. */
void quick_init_due(struct ike *ike, struct quick *q);
/* q->give_up_ms has come: true when that was all there is to do. */
bool quick_init_over(struct ike *ike, struct quick *q);
/* An authenticated error notification under sa. */
void quick_init_refused(
    struct ike *ike, struct ike_sa *sa, const struct payload_notify *n);
/* What q offers; borrows from q. */
struct persona_offer quick_offer(const struct quick *q);
/* Builds, keeps and sends; false (logged, dead) when it can't be built. */
bool quick_init_send(struct ike *ike, struct quick *q, int number,
    int (*build)(struct ike *ike, struct quick *q, struct reply *r));

/* quick_answer.c */
/* Message 2, opened, authenticated and script-checked. */
void quick_init_answer(struct ike *ike, struct quick *q, struct message *m);
/* The inbound SA is there: message 3 leaves. */
void quick_init_installed(struct ike *ike, struct quick *q, struct child *c);
/* What the kernel says about it. */
void quick_init_used(
    struct ike *ike, struct quick *q, struct child *c, bool used);
/* Message 3 was sent: time to ask the kernel. */
void quick_init_poll(struct ike *ike, struct quick *q);

#endif
