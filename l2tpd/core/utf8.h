/* SPDX-License-Identifier: ISC */
/* UTF-8 (RFC 3629) by way of a cursor. */
#ifndef L2TPD_CORE_UTF8_H
#define L2TPD_CORE_UTF8_H

#include "common/wire.h"

/*
 * The next code point.  Overlong forms, surrogates, values over U+10FFFF
 * and truncations fail the reader.
 */
uint32_t utf8_get(struct wire_reader *r);
/* True when all len bytes are UTF-8. */
bool utf8_valid(const void *text, size_t len);

#endif
