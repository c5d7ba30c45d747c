/* SPDX-License-Identifier: ISC */
/* Decoding of UTF-8. */
#include "l2tpd/core/utf8.h"

uint32_t utf8_get(struct wire_reader *r)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint32_t c = wire_get_u8(r);
	unsigned int more = c < 0x80 ? 0 : c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;

	if (more && (c < 0xc2 || c > 0xf4)) {
		wire_fail(r);
		return 0;
	}
	if (more)
		c &= 0x3fu >> more;
	for (unsigned int i = 0; i < more; i++) {
		uint8_t b = wire_get_u8(r);

		if ((b & 0xc0) != 0x80)
			wire_fail(r);
		c = c << 6 | (b & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		wire_fail(r);
	return c;
}

bool utf8_valid(const void *text, size_t len)
{
	struct wire_reader r;

	wire_reader_init(&r, text, len);
	while (wire_left(&r))
		utf8_get(&r);
	return !wire_error(&r);
}
