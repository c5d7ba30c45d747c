/* SPDX-License-Identifier: ISC */
/* Between quick_mode.c and quick_init.c, Quick Mode as initiator. */
#ifndef IKEV1_CORE_QUICK_INIT_H
#define IKEV1_CORE_QUICK_INIT_H

#include "ikev1/core/payload.h"
#include "ikev1/core/quick_steps.h"

/* Message 2, opened, authenticated and script-checked. */
void quick_init_answer(struct ike *ike, struct quick *q, struct message *m);
/* Our value, or g^xy. */
void quick_init_dh_done(
    struct ike *ike, struct quick *q, const struct ike_event *ev);
/* The inbound SA is there: message 3 leaves. */
void quick_init_installed(struct ike *ike, struct quick *q, struct child *c);
/* What the kernel says about it. */
void quick_init_used(
    struct ike *ike, struct quick *q, struct child *c, bool used);
/* q->due_ms has come. */
void quick_init_due(struct ike *ike, struct quick *q);
/* q->give_up_ms has come: true when that was all there is to do. */
bool quick_init_over(struct ike *ike, struct quick *q);
/* An authenticated error notification under sa. */
void quick_init_refused(
    struct ike *ike, struct ike_sa *sa, const struct payload_notify *n);

#endif
