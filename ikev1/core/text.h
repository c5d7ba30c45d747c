/* SPDX-License-Identifier: ISC */
/*
 * Text that grows in a buffer and never overflows it: what does not fit is
 * left out, and "..." says so.
 */
#ifndef IKEV1_CORE_TEXT_H
#define IKEV1_CORE_TEXT_H

#include "common/wire.h"

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *out;
	size_t size, pos;
	bool is_cut; /* from here on nothing more is appended */
};

/* size is at least 4; out is terminated from now on, whatever follows. */
struct text text_begin(char *out, size_t size);
/* Appends all of it or, when there is no room, the dots. */
void text_put(struct text *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Bytes outside printable ASCII, quotes and backslash come out as \xNN. */
void text_put_printable(struct text *t, struct wire_span s);
void text_put_hex(struct text *t, struct wire_span s);

#endif
