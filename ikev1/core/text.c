/* SPDX-License-Identifier: ISC */
/* Text that never overflows its buffer. */
#include "ikev1/core/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct text text_begin(char *out, size_t size)
{
	out[0] = '\0';
	return (struct text){.out = out, .size = size};
}

void text_put(struct text *t, const char *fmt, ...)
{
	size_t left = t->size - t->pos;
	va_list ap;
	int len;

	if (t->is_cut)
		return;
	va_start(ap, fmt);
	len = vsnprintf(t->out + t->pos, left, fmt, ap);
	va_end(ap);
	/* There is always room for the dots. */
	if (len >= 0 && (size_t)len + sizeof("...") <= left) {
		t->pos += (size_t)len;
		return;
	}
	memcpy(t->out + t->pos, "...", sizeof("..."));
	t->is_cut = true;
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\'' && c != '\\';
}

void text_put_printable(struct text *t, struct wire_span s)
{
	for (size_t i = 0; i < s.len && !t->is_cut; i++)
		text_put(t, is_plain(s.data[i]) ? "%c" : "\\x%02x", s.data[i]);
}

void text_put_hex(struct text *t, struct wire_span s)
{
	for (size_t i = 0; i < s.len && !t->is_cut; i++)
		text_put(t, "%02x", s.data[i]);
}
