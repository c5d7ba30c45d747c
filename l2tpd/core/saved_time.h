/* SPDX-License-Identifier: ISC */
/*
 * Deadlines in saved state: remaining milliseconds, all ones for never.
 * In records, whose bytes must not change with time, they remain from
 * SAVED_ABSOLUTE.
 */
#ifndef L2TPD_CORE_SAVED_TIME_H
#define L2TPD_CORE_SAVED_TIME_H

#include "common/wire.h"

#include <stdint.h>

#define SAVED_ABSOLUTE 0

static inline void saved_time_put(
    struct wire_writer *w, uint64_t deadline, uint64_t now_ms)
{
	if (deadline == UINT64_MAX)
		wire_put_u64(w, UINT64_MAX);
	else
		wire_put_u64(w, deadline > now_ms ? deadline - now_ms : 0);
}

/* No deadline of ours is further than 2^40 ms away: fails r then. */
static inline uint64_t saved_time_get(struct wire_reader *r, uint64_t now_ms)
{
	uint64_t left = wire_get_u64(r);

	if (wire_error(r) || left == UINT64_MAX)
		return UINT64_MAX;
	if (left >> 40)
		wire_fail(r);
	return now_ms + left;
}

#endif
