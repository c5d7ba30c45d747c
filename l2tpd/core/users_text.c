/* SPDX-License-Identifier: ISC */
/* The users file as text: reading its pieces, changing one line of it. */
#include "l2tpd/core/users_text.h"
#include "l2tpd/core/users.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool users_span_starts(struct wire_span s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && !memcmp(s.data, prefix, len);
}

struct wire_span users_span_skip(struct wire_span s, size_t n)
{
	return (struct wire_span){s.data + n, s.len - n};
}

/* Bytes up to the first that is in set; s.len if none is. */
static size_t span_until(struct wire_span s, const char *set)
{
	size_t n = 0;

	while (n < s.len && (!s.data[n] || !strchr(set, s.data[n])))
		n++;
	return n;
}

static struct wire_span skip_blanks(struct wire_span s)
{
	while (s.len && (*s.data == ' ' || *s.data == '\t'))
		s = users_span_skip(s, 1);
	return s;
}

bool users_take_line(struct wire_span *rest, struct wire_span *line)
{
	size_t n = span_until(*rest, "\n");

	if (!rest->len)
		return false;
	*line = (struct wire_span){rest->data, n};
	*rest = users_span_skip(*rest, n < rest->len ? n + 1 : n);
	return true;
}

bool users_take_word(struct wire_span *rest, struct wire_span *word)
{
	struct wire_span s = skip_blanks(*rest);
	size_t n = span_until(s, " \t");

	*word = (struct wire_span){s.data, n};
	*rest = users_span_skip(s, n);
	return n > 0;
}

bool users_take_name(struct wire_span *rest, struct wire_span *name)
{
	struct wire_span s = skip_blanks(*rest);
	size_t n = span_until(s, ": \t");

	*name = (struct wire_span){s.data, n};
	if (n == s.len || s.data[n] != ':')
		return false;
	*rest = users_span_skip(s, n + 1);
	return true;
}

bool users_is_comment(struct wire_span line)
{
	line = skip_blanks(line);
	return !line.len || *line.data == '#';
}

/* -1 when c is no hexadecimal digit. */
static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool users_hex(struct wire_span in, uint8_t *out)
{
	for (size_t i = 0; i + 1 < in.len; i += 2) {
		int high = digit(in.data[i]), low = digit(in.data[i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int users_unescape(struct wire_span in, char *out, size_t size)
{
	size_t n = 0;

	while (in.len) {
		uint8_t c = *in.data;
		size_t used = 1;

		if (c == '%') {
			struct wire_span hex = {in.data + 1, 2};

			if (in.len < 3 || !users_hex(hex, &c))
				return -EINVAL;
			used = 3;
		}
		if (!c || n + 1 >= size)
			return -EINVAL;
		out[n++] = (char)c;
		in = users_span_skip(in, used);
	}
	out[n] = '\0';
	return 0;
}

static void put_text(struct wire_writer *w, const char *text)
{
	wire_put_bytes(w, text, strlen(text));
}

static void put_hex(struct wire_writer *w, uint8_t byte)
{
	static const char digits[] = "0123456789abcdef";

	wire_put_u8(w, (uint8_t)digits[byte >> 4]);
	wire_put_u8(w, (uint8_t)digits[byte & 15]);
}

/* also: one more character that needs an escape. */
static void put_escaped(
    struct wire_writer *w, const void *data, size_t len, uint8_t also)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = bytes[i];

		if (c > ' ' && c != 0x7f && c != '%' && c != also &&
		    (i || c != '#')) {
			wire_put_u8(w, c);
			continue;
		}
		wire_put_u8(w, '%');
		put_hex(w, c);
	}
}

int user_render(const struct user *user, char *out, size_t size)
{
	struct wire_writer w;

	if (!size)
		return -ENOSPC;
	wire_writer_init(&w, out, size - 1);
	put_escaped(&w, user->name, strlen(user->name), ':');
	put_text(&w, user->kind == USER_NT ? ":$nt$" : ":$plain$");
	if (user->kind == USER_NT)
		for (size_t i = 0; i < user->secret_len; i++)
			put_hex(&w, user->secret[i]);
	else
		put_escaped(&w, user->secret, user->secret_len, ' ');
	for (size_t i = 0; i < user->attr_count; i++) {
		put_text(&w, " ");
		put_text(&w, user->attrs[i].key);
		put_text(&w, "=");
		put_text(&w, user->attrs[i].value);
	}
	out[w.pos] = '\0';
	return wire_writer_error(&w) ? -ENOSPC : (int)w.pos;
}

static bool line_is_of(struct wire_span line, const char *name)
{
	char text[USERS_NAME_MAX];
	struct wire_span token;

	return !users_is_comment(line) && users_take_name(&line, &token) &&
	       !users_unescape(token, text, sizeof(text)) &&
	       !strcmp(text, name);
}

/*
 * Copies the text but for name's lines; the first of them becomes line (if
 * not NULL).  Room for one line more than the text, so that no copy of the
 * secrets stays behind in a buffer that had to grow.
 */
static char *edit(struct wire_span rest, const char *name,
    const char *replacement, size_t *out_len, size_t *found)
{
	size_t size = rest.len + USERS_LINE_MAX + 2;
	char *out = xmalloc(size);
	struct wire_span line;
	struct wire_writer w;

	*found = 0;
	wire_writer_init(&w, out, size - 1);
	while (users_take_line(&rest, &line)) {
		bool is_his = line_is_of(line, name);

		*found += is_his;
		if (is_his && (!replacement || *found > 1))
			continue;
		if (is_his)
			put_text(&w, replacement);
		else
			wire_put_span(&w, line);
		put_text(&w, "\n");
	}
	if (replacement && !*found) {
		put_text(&w, replacement);
		put_text(&w, "\n");
	}
	out[w.pos] = '\0';
	*out_len = w.pos;
	return out;
}

char *users_text_put(const char *text, size_t len, const struct user *user,
    size_t *out_len, bool *replaced)
{
	struct wire_span in = {(const uint8_t *)text, len};
	char line[USERS_LINE_MAX];
	size_t found;
	char *out;

	if (user_render(user, line, sizeof(line)) < 0) {
		secret_wipe(line, sizeof(line));
		return NULL;
	}
	out = edit(in, user->name, line, out_len, &found);
	secret_wipe(line, sizeof(line));
	if (replaced)
		*replaced = found > 0;
	return out;
}

char *users_text_remove(
    const char *text, size_t len, const char *name, size_t *out_len)
{
	struct wire_span in = {(const uint8_t *)text, len};
	size_t found;
	char *out = edit(in, name, NULL, out_len, &found);

	if (found)
		return out;
	secret_free(out, *out_len + 1);
	return NULL;
}
