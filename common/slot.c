/* SPDX-License-Identifier: ISC */
/* The slot allocator: round robin with a rest after each release. */
#include "common/slot.h"

#include "common/alloc.h"

#include <stdlib.h>

struct slot {
	bool is_taken;
	uint64_t rested_ms; /* free from then on */
};

struct slots {
	uint32_t count, used;
	uint32_t next; /* where the search begins, from 0 */
	uint64_t rest_ms;
	struct slot *items; /* items[0] is slot 1 */
};

struct slots *slots_new(uint32_t count, uint64_t rest_ms)
{
	struct slots *s = xcalloc(1, sizeof(*s));

	s->count = count;
	s->rest_ms = rest_ms;
	s->items = xcalloc(count, sizeof(*s->items));
	return s;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	free(s->items);
	free(s);
}

uint32_t slots_take(struct slots *s, uint64_t now_ms)
{
	for (uint32_t i = 0; i < s->count; i++) {
		uint32_t at = (s->next + i) % s->count;
		struct slot *slot = &s->items[at];

		if (slot->is_taken || slot->rested_ms > now_ms)
			continue;
		slot->is_taken = true;
		s->used++;
		s->next = (at + 1) % s->count;
		return at + 1;
	}
	return 0;
}

static bool in_range(const struct slots *s, uint32_t slot)
{
	return slot >= 1 && slot <= s->count;
}

bool slots_claim(struct slots *s, uint32_t slot)
{
	if (!in_range(s, slot) || s->items[slot - 1].is_taken)
		return false;
	s->items[slot - 1].is_taken = true;
	s->used++;
	return true;
}

void slots_release(struct slots *s, uint32_t slot, uint64_t now_ms)
{
	if (!slots_is_taken(s, slot))
		return;
	s->items[slot - 1] = (struct slot){false, now_ms + s->rest_ms};
	s->used--;
}

bool slots_is_taken(const struct slots *s, uint32_t slot)
{
	return in_range(s, slot) && s->items[slot - 1].is_taken;
}

uint32_t slots_used(const struct slots *s)
{
	return s->used;
}

uint32_t slots_count(const struct slots *s)
{
	return s->count;
}
