/* SPDX-License-Identifier: ISC */
/* The control socket's request line: words to bytes and back. */
#include "common/ctl.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char hex_digits[] = "0123456789ABCDEF";

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool is_plain(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && c != '%';
}

/* Decodes one word in place up to a blank; returns bytes read or -EINVAL. */
static int decode_word(char *word, const char *end)
{
	const char *in = word;
	char *out = word;
	char c;

	while (in < end && *in != ' ') {
		c = *in++;
		if (c == '%') {
			int high = end - in >= 2 ? hex_value(in[0]) : -1;
			int low = end - in >= 2 ? hex_value(in[1]) : -1;

			c = (char)(high * 16 + low);
			if (high < 0 || low < 0 || c == '\0')
				return -EINVAL;
			in += 2;
		} else if (!is_plain(c)) {
			return -EINVAL;
		}
		*out++ = c;
	}
	if (out < in || in == end)
		*out = '\0';
	return (int)(in - word);
}

int ctl_split(char *line, size_t len, char *words[CTL_WORDS_MAX])
{
	char *pos = line, *end = line + len;
	int count = 0, used;

	while (pos < end) {
		if (*pos == ' ') {
			*pos++ = '\0';
			continue;
		}
		if (count == CTL_WORDS_MAX)
			return -EINVAL;
		used = decode_word(pos, end);
		if (used < 0)
			return used;
		words[count++] = pos;
		pos += used;
	}
	return count ? count : -EINVAL;
}

int ctl_join(const char *const *words, size_t count, char out[CTL_LINE_MAX + 2])
{
	size_t len = 0;

	if (count == 0 || count > CTL_WORDS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!words[i][0])
			return -EINVAL;
		if (i)
			out[len++] = ' ';
		for (const char *p = words[i]; *p; p++) {
			/* Room for %XX, then a blank or the newline. */
			if (len + 3 > CTL_LINE_MAX)
				return -E2BIG;
			if (is_plain(*p)) {
				out[len++] = *p;
				continue;
			}
			out[len++] = '%';
			out[len++] = hex_digits[(unsigned char)*p >> 4];
			out[len++] = hex_digits[(unsigned char)*p & 15];
		}
	}
	out[len++] = '\n';
	out[len] = '\0';
	return (int)len;
}
