/* SPDX-License-Identifier: ISC */
/* Between quick_mode.c (messages) and quick_steps.c (what they lead to). */
#ifndef IKEV1_CORE_QUICK_STEPS_H
#define IKEV1_CORE_QUICK_STEPS_H

#include "ikev1/core/ike_priv.h"

/* Message 1, opened, authenticated and script-checked. */
void quick_accept(struct ike *ike, struct quick *q, struct message *m);
/* Builds and sends message 2; false (logged) when it can't be built. */
bool quick_send2(struct ike *ike, struct quick *q, const struct child *c);

/* The Quick Mode needs its R next: makes one, unless it has it. */
void quick_want_peer(struct ike *ike, struct quick *q);
/* What was chosen in both phases, as people read it. */
char *quick_suite(const struct quick *q, char out[PEER_SUITE_MAX]);

/* quick_mode.c */
struct quick *quick_new(struct ike *ike, struct ike_sa *sa, uint32_t msgid);
/* Its peer need not wait for it any more. */
void quick_leave_peer(struct ike *ike, struct quick *q);
size_t quick_count(const struct ike_sa *sa);

/* quick_life.c */
/* Takes other when it is a limit and shorter. */
void quick_life_shorter(uint64_t *life, uint64_t other);
/* RESPONDER-LIFETIME among the payloads of message 2. */
void quick_responder_lifetime(
    struct proposal_choice *choice, const struct isakmp_payloads *p);
/*
 * Brings the lifetimes that were agreed on to what we keep: a client that
 * asks for a kilobyte would have us renew with every packet.  True when
 * that changed something.
 */
bool quick_life_fit(struct proposal_choice *c);
/* RESPONDER-LIFETIME for message 2, when c is not what we keep. */
void quick_put_lifetime(
    struct isakmp_builder *b, const struct proposal_choice *c, uint32_t spi_in);
/* The kernel's soft and hard limits; by: any number, by chance. */
void quick_limits(
    struct ike_kernel_sa *sa, const struct proposal_choice *c, uint32_t by);
/* The soft limits of one who renews at that share of the lifetimes; 0: he
 * never does.  After quick_limits(). */
void quick_soft_at(
    struct ike_kernel_sa *sa, const struct proposal_choice *c, uint8_t percent);

/* quick_ids.c: IDci and IDcr of message 1 into q->sel; 0 or -errno. */
int quick_take_ids(const struct ike_sa *sa, struct quick *q, struct message *m);

#endif
