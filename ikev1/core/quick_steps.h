/* SPDX-License-Identifier: ISC */
/* Between quick_mode.c (messages) and quick_steps.c (what they lead to). */
#ifndef IKEV1_CORE_QUICK_STEPS_H
#define IKEV1_CORE_QUICK_STEPS_H

#include "ikev1/core/ike_priv.h"

/* Message 1, opened, authenticated and script-checked. */
void quick_accept(struct ike *ike, struct quick *q, struct message *m);
/* Builds and sends message 2; false (logged) when it can't be built. */
bool quick_send2(struct ike *ike, struct quick *q, const struct child *c);

/* quick_ids.c: IDci and IDcr of message 1 into q->sel; 0 or -errno. */
int quick_take_ids(const struct ike_sa *sa, struct quick *q, struct message *m);

#endif
