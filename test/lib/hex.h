/* SPDX-License-Identifier: ISC */
/* Bytes written as hexadecimal text, for vectors in tests. */
#ifndef TEST_LIB_HEX_H
#define TEST_LIB_HEX_H

#include "common/wire.h"

#include <stdbool.h>

struct hex {
	uint8_t data[1024];
	size_t len;
};

/* Decodes text; spaces and line feeds are passed over.  Aborts when the
 * text is wrong.  The span borrows h. */
struct wire_span hex_decode(struct hex *h, const char *text);
/* Whether data is what text says; prints both when it is not. */
bool hex_equal(const void *data, size_t len, const char *text);

#endif
