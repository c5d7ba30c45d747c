/* SPDX-License-Identifier: ISC */
/*
 * The slot allocator: numbers 1 to N, handed out round robin so that one is
 * reused as late as possible, and only after it rested.  No clock: times
 * are milliseconds of a monotonic clock, given by the caller.
 */
#ifndef COMMON_SLOT_H
#define COMMON_SLOT_H

#include <stdbool.h>
#include <stdint.h>

struct slots;

/* count: 1 to PEER_SLOT_MAX.  A released slot rests rest_ms. */
struct slots *slots_new(uint32_t count, uint64_t rest_ms);
void slots_free(struct slots *s);
/* A free, rested slot, now taken; 0 when there is none. */
uint32_t slots_take(struct slots *s, uint64_t now_ms);
/* Takes this one, rested or not; false when out of range or taken. */
bool slots_claim(struct slots *s, uint32_t slot);
/* Frees it; it rests from now_ms on.  One that is not taken: nothing. */
void slots_release(struct slots *s, uint32_t slot, uint64_t now_ms);
bool slots_is_taken(const struct slots *s, uint32_t slot);
/* How many are taken, and how many exist. */
uint32_t slots_used(const struct slots *s);
uint32_t slots_count(const struct slots *s);

#endif
