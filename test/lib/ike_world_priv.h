/* SPDX-License-Identifier: ISC */
/* Between the files of the world around the IKE machine. */
#ifndef TEST_LIB_IKE_WORLD_PRIV_H
#define TEST_LIB_IKE_WORLD_PRIV_H

#include "test/lib/ike_world.h"

struct ikew_item *ikew_queue(struct ikew *w, uint64_t delay);
/* A datagram onto the link. */
void ikew_carry(struct ikew *w, bool to_server, const struct ike_event *ev,
    const uint8_t *data, size_t len);
/* Carries one action out. */
void ikew_act(struct ikew *w, const struct ike_action *a);

/* The machine's source of randomness. */
int ikew_random(void *ctx, void *out, size_t len);
/* ike_world_resume.c */
/* Takes what the step has changed; check: all else is as it was recorded. */
void ikew_keep_records(struct ikew *w, bool check);
void ikew_forget_records(struct ikew *w);

#endif
