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

#endif
