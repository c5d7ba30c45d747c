/* SPDX-License-Identifier: ISC */
/* Hexadecimal text to bytes. */
#include "test/lib/hex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	if (!p) {
		fprintf(stderr, "'%c' is no hexadecimal digit\n", c);
		abort();
	}
	return (unsigned int)(p - digits);
}

struct wire_span hex_decode(struct hex *h, const char *text)
{
	h->len = 0;
	while (*text) {
		if (isspace((unsigned char)*text)) {
			text++;
			continue;
		}
		if (h->len == sizeof(h->data))
			abort();
		h->data[h->len++] =
		    (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
	return wire_span_of(h->data, h->len);
}

bool hex_equal(const void *data, size_t len, const char *text)
{
	const uint8_t *p = data;
	struct hex h;

	if (wire_span_equal(hex_decode(&h, text), wire_span_of(data, len)))
		return true;
	fprintf(stderr, "expected %s\n     got ", text);
	for (size_t i = 0; i < len; i++)
		fprintf(stderr, "%02x", p[i]);
	fputc('\n', stderr);
	return false;
}
