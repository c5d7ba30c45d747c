/* SPDX-License-Identifier: ISC */
/* What the two halves of the fake world need of each other. */
#ifndef TEST_LIB_L2TP_WORLD_IN_H
#define TEST_LIB_L2TP_WORLD_IN_H

#include "test/lib/l2tp_world.h"

#define KERNEL_MS 5 /* until the kernel or ikev1d answers */
#define LINK_MS 10  /* one way, without jitter */

/* Something on its way: a datagram or an event. */
struct world_item {
	struct world_item *next;
	uint64_t at;
	struct world_client *to; /* a datagram for this client, or */
	struct lns_event ev;	 /* an event of the core */
	uint8_t *data;
	size_t len;
	char text[160];
};

/* Keeps the first one. */
void world_fault(struct world *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct world_tunnel *world_find_tunnel(
    struct world *w, uint64_t r, uint16_t id);
/* What is due in ms, about the objects of act. */
struct world_item *world_later(
    struct world *w, uint64_t ms, const struct lns_action *act);
/* The kernel's answer to act. */
void world_answer(struct world *w, const struct lns_action *act,
    enum lns_event_type type, int error);
/* One datagram into the link: to a client, or as the event ev. */
void world_link(struct world *w, struct world_client *to,
    const struct lns_event *ev, const uint8_t *data, size_t len);
/* What the core's step changed, and that it is all that changed. */
void world_keep_records(struct world *w);
void world_forget_records(struct world *w);
void world_carry_out(struct world *w, const struct lns_action *act);
/* An open that fails: until now it was one that may succeed. */
void world_forget_failed(struct world *w, const struct lns_event *ev);

#endif
