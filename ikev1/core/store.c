/* SPDX-License-Identifier: ISC */
/* Saving and loading of fields; the contract is in the header. */
#include "ikev1/core/store.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_free(struct bytes *b)
{
	secret_free(b->data, b->len);
	*b = (struct bytes){NULL, 0};
}

void bytes_set(struct bytes *b, const void *data, size_t len)
{
	uint8_t *copy = len ? xmemdup(data, len) : NULL;

	bytes_free(b);
	*b = (struct bytes){copy, len};
}

struct wire_span bytes_span(const struct bytes *b)
{
	return (struct wire_span){b->data, b->len};
}

bool bytes_equal(const struct bytes *a, const struct bytes *b)
{
	return wire_span_equal(bytes_span(a), bytes_span(b));
}

void text_set(char **own, const char *text)
{
	char *copy = text[0] ? xstrdup(text) : NULL;

	free(*own);
	*own = copy;
}

const char *text_shown(const char *own)
{
	return own ? own : "";
}

void store_save_init(struct store *s, uint64_t now_ms)
{
	*s = (struct store){.now_ms = now_ms};
}

void store_load_init(
    struct store *s, uint64_t now_ms, const void *data, size_t len)
{
	*s = (struct store){.loading = true, .now_ms = now_ms};
	wire_reader_init(&s->r, data, len);
}

void store_record_init(struct store *s)
{
	*s = (struct store){.is_record = true};
}

void store_record_load(struct store *s, const void *data, size_t len)
{
	store_load_init(s, 0, data, len);
	s->is_record = true;
}

void store_again(struct store *s)
{
	secret_wipe(s->w.data, s->w.pos);
	s->w.pos = 0;
}

void store_free(struct store *s)
{
	secret_free(s->w.data, s->w.size);
	s->w = (struct wire_writer){0};
}

int store_error(const struct store *s)
{
	return s->loading ? wire_error(&s->r) : wire_writer_error(&s->w);
}

void store_fail(struct store *s)
{
	if (s->loading)
		wire_fail(&s->r);
}

/* Makes room for len more bytes; the old copy is wiped. */
static void grow(struct store *s, size_t len)
{
	size_t size = s->w.size ? s->w.size : 256;
	uint8_t *data;

	if (len <= s->w.size - s->w.pos)
		return;
	while (size - s->w.pos < len)
		size *= 2;
	data = xcalloc(size, 1);
	if (s->w.pos)
		memcpy(data, s->w.data, s->w.pos);
	secret_free(s->w.data, s->w.size);
	s->w.data = data;
	s->w.size = size;
}

void store_array(struct store *s, void *data, size_t len)
{
	if (s->loading) {
		wire_get_bytes(&s->r, data, len);
		return;
	}
	grow(s, len);
	wire_put_bytes(&s->w, data, len);
}

void store_u8(struct store *s, uint8_t *v)
{
	store_array(s, v, 1);
}

void store_enum(struct store *s, int value, uint8_t last, int *out)
{
	uint8_t v = (uint8_t)value;

	store_u8(s, &v);
	if (v > last) {
		store_fail(s);
		v = 0;
	}
	*out = v;
}

void store_bool(struct store *s, bool *v)
{
	uint8_t n = *v;

	store_u8(s, &n);
	if (n > 1)
		store_fail(s);
	*v = n == 1;
}

void store_u64(struct store *s, uint64_t *v)
{
	if (s->loading) {
		*v = wire_get_u64(&s->r);
		return;
	}
	grow(s, 8);
	wire_put_u64(&s->w, *v);
}

void store_u32(struct store *s, uint32_t *v)
{
	if (s->loading) {
		*v = wire_get_u32(&s->r);
		return;
	}
	grow(s, 4);
	wire_put_u32(&s->w, *v);
}

void store_u16(struct store *s, uint16_t *v)
{
	if (s->loading) {
		*v = wire_get_u16(&s->r);
		return;
	}
	grow(s, 2);
	wire_put_u16(&s->w, *v);
}

void store_max(struct store *s, uint32_t *v, uint32_t max)
{
	store_u32(s, v);
	if (s->loading && *v > max) {
		*v = 0;
		store_fail(s);
	}
}

void store_bytes(struct store *s, struct bytes *b)
{
	uint32_t len = (uint32_t)b->len;

	store_max(s, &len, STORE_BYTES_MAX);
	if (s->loading) {
		struct wire_span in = wire_get_span(&s->r, len);

		bytes_set(b, in.data, in.len);
		return;
	}
	store_array(s, b->data, len);
}

void store_addr(struct store *s, struct addr *a)
{
	store_u8(s, &a->family);
	store_array(s, a->ip, sizeof(a->ip));
	store_u16(s, &a->port);
	if (a->family != ADDR_NONE && a->family != ADDR_IPV4 &&
	    a->family != ADDR_IPV6)
		store_fail(s);
}

void store_deadline(struct store *s, uint64_t *ms)
{
	uint64_t left = UINT64_MAX;

	if (!s->loading && *ms != UINT64_MAX)
		left = *ms > s->now_ms ? *ms - s->now_ms : 0;
	store_u64(s, &left);
	if (s->loading)
		*ms = left < UINT64_MAX - s->now_ms ? s->now_ms + left
						    : UINT64_MAX;
}

void store_past(struct store *s, uint64_t *ms)
{
	uint64_t age = s->now_ms > *ms ? s->now_ms - *ms : 0;

	if (s->is_record) {
		store_u64(s, ms);
		return;
	}
	store_u64(s, &age);
	if (s->loading)
		*ms = s->now_ms > age ? s->now_ms - age : 0;
}

void store_text(struct store *s, char *text, size_t size)
{
	struct bytes b = {NULL, 0};

	if (!s->loading)
		bytes_set(&b, text, strnlen(text, size - 1));
	store_bytes(s, &b);
	if (s->loading) {
		if (b.len >= size ||
		    memchr(b.data ? b.data : s->r.data, 0, b.len))
			store_fail(s);
		else if (b.len)
			memcpy(text, b.data, b.len);
		text[b.len < size ? b.len : 0] = '\0';
	}
	bytes_free(&b);
}

void store_own_text(struct store *s, char **text, size_t size)
{
	char room[STORE_TEXT_MAX] = "";

	size = size < sizeof(room) ? size : sizeof(room);
	if (!s->loading)
		snprintf(room, size, "%s", text_shown(*text));
	store_text(s, room, size);
	if (s->loading)
		text_set(text, room);
}
