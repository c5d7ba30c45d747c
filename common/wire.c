/* SPDX-License-Identifier: ISC */
/* Bounds-checked cursors; the contract is in the header. */
#include "common/wire.h"

#include <errno.h>
#include <string.h>

void wire_reader_init(struct wire_reader *r, const void *data, size_t len)
{
	*r = (struct wire_reader){.data = data, .len = len};
}

size_t wire_left(const struct wire_reader *r)
{
	return r->error ? 0 : r->len - r->pos;
}

int wire_error(const struct wire_reader *r)
{
	return r->error;
}

void wire_fail(struct wire_reader *r)
{
	r->error = -EBADMSG;
}

/* Takes len bytes off the reader; NULL when they are not there. */
static const uint8_t *take(struct wire_reader *r, size_t len)
{
	const uint8_t *p;

	if (r->error || len > r->len - r->pos) {
		wire_fail(r);
		return NULL;
	}
	p = r->data + r->pos;
	r->pos += len;
	return p;
}

static uint64_t get_be(struct wire_reader *r, size_t len)
{
	const uint8_t *p = take(r, len);
	uint64_t v = 0;

	if (!p)
		return 0;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t wire_get_u8(struct wire_reader *r)
{
	return (uint8_t)get_be(r, 1);
}

uint16_t wire_get_u16(struct wire_reader *r)
{
	return (uint16_t)get_be(r, 2);
}

uint32_t wire_get_u32(struct wire_reader *r)
{
	return (uint32_t)get_be(r, 4);
}

uint64_t wire_get_u64(struct wire_reader *r)
{
	return get_be(r, 8);
}

struct wire_span wire_get_span(struct wire_reader *r, size_t len)
{
	const uint8_t *p = take(r, len);

	if (!p)
		return (struct wire_span){NULL, 0};
	return (struct wire_span){p, len};
}

void wire_get_bytes(struct wire_reader *r, void *out, size_t len)
{
	const uint8_t *p = take(r, len);

	if (!len)
		return;
	if (p)
		memcpy(out, p, len);
	else
		memset(out, 0, len);
}

struct wire_reader wire_get_sub(struct wire_reader *r, size_t len)
{
	struct wire_span s = wire_get_span(r, len);
	struct wire_reader sub = {.data = s.data, .len = s.len};

	sub.error = r->error;
	return sub;
}

void wire_skip(struct wire_reader *r, size_t len)
{
	take(r, len);
}

void wire_writer_init(struct wire_writer *w, void *data, size_t size)
{
	*w = (struct wire_writer){.data = data, .size = size};
}

int wire_writer_error(const struct wire_writer *w)
{
	return w->error;
}

/* Room for len bytes; NULL when there is none. */
static uint8_t *room(struct wire_writer *w, size_t len)
{
	uint8_t *p;

	if (w->error || len > w->size - w->pos) {
		w->error = -ENOSPC;
		return NULL;
	}
	p = w->data + w->pos;
	w->pos += len;
	return p;
}

static void store_be(uint8_t *p, uint64_t v, size_t len)
{
	while (len--) {
		p[len] = (uint8_t)v;
		v >>= 8;
	}
}

static void put_be(struct wire_writer *w, uint64_t v, size_t len)
{
	uint8_t *p = room(w, len);

	if (p)
		store_be(p, v, len);
}

void wire_put_u8(struct wire_writer *w, uint8_t v)
{
	put_be(w, v, 1);
}

void wire_put_u16(struct wire_writer *w, uint16_t v)
{
	put_be(w, v, 2);
}

void wire_put_u32(struct wire_writer *w, uint32_t v)
{
	put_be(w, v, 4);
}

void wire_put_u64(struct wire_writer *w, uint64_t v)
{
	put_be(w, v, 8);
}

void wire_put_bytes(struct wire_writer *w, const void *data, size_t len)
{
	uint8_t *p = room(w, len);

	if (p && len)
		memcpy(p, data, len);
}

void wire_put_span(struct wire_writer *w, struct wire_span s)
{
	wire_put_bytes(w, s.data, s.len);
}

void wire_put_zero(struct wire_writer *w, size_t len)
{
	uint8_t *p = room(w, len);

	if (p && len)
		memset(p, 0, len);
}

static void set_be(struct wire_writer *w, size_t pos, uint64_t v, size_t len)
{
	if (w->error)
		return;
	if (pos > w->pos || len > w->pos - pos)
		w->error = -ENOSPC;
	else
		store_be(w->data + pos, v, len);
}

void wire_set_u16(struct wire_writer *w, size_t pos, uint16_t v)
{
	set_be(w, pos, v, 2);
}

void wire_set_u32(struct wire_writer *w, size_t pos, uint32_t v)
{
	set_be(w, pos, v, 4);
}

void wire_set_u8(struct wire_writer *w, size_t pos, uint8_t v)
{
	set_be(w, pos, v, 1);
}

void wire_set_bytes(
    struct wire_writer *w, size_t pos, const void *data, size_t len)
{
	if (w->error)
		return;
	if (pos > w->pos || len > w->pos - pos)
		w->error = -ENOSPC;
	else if (len)
		memcpy(w->data + pos, data, len);
}

struct wire_span wire_written(const struct wire_writer *w, size_t pos)
{
	if (w->error || pos > w->pos)
		return (struct wire_span){NULL, 0};
	return (struct wire_span){w->data + pos, w->pos - pos};
}

struct wire_span wire_span_of(const void *data, size_t len)
{
	return (struct wire_span){data, len};
}

bool wire_span_equal(struct wire_span a, struct wire_span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}
