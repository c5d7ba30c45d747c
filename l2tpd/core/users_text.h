/* SPDX-License-Identifier: ISC */
/* The users file as text: lines, words and escapes.  Spans are borrowed. */
#ifndef L2TPD_CORE_USERS_TEXT_H
#define L2TPD_CORE_USERS_TEXT_H

#include "common/wire.h"

bool users_span_starts(struct wire_span s, const char *prefix);
/* s without its first n bytes (n <= s.len). */
struct wire_span users_span_skip(struct wire_span s, size_t n);
/* Cuts the next line, without newline; false at the end of the text. */
bool users_take_line(struct wire_span *rest, struct wire_span *line);
/* Cuts the next word (blanks and tabs part); false if there is none. */
bool users_take_word(struct wire_span *rest, struct wire_span *word);
/* Cuts the name and its colon; false without a colon or with a blank. */
bool users_take_name(struct wire_span *rest, struct wire_span *name);
/* Nothing but blanks, or a # first. */
bool users_is_comment(struct wire_span line);
/*
 * Replaces %XX; the result is NUL terminated.  0 or -EINVAL: bad digits, a
 * NUL, no room.
 */
int users_unescape(struct wire_span in, char *out, size_t size);
/* Decodes in.len / 2 bytes to out; false when a digit is none. */
bool users_hex(struct wire_span in, uint8_t *out);

#endif
