/* SPDX-License-Identifier: ISC */
/* The table-driven codec for messages between our processes. */
#include "common/msg.h"

#include "common/addr.h"
#include "common/wire.h"

#include <errno.h>
#include <string.h>

const struct msg_desc *msg_find(const struct msg_table *t, uint16_t type)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->descs[i].type == type)
			return &t->descs[i];
	return NULL;
}

const char *msg_name(const struct msg_table *t, uint16_t type)
{
	const struct msg_desc *d = msg_find(t, type);

	return d ? d->name : "unknown";
}

static void put_addr(struct wire_writer *w, const struct addr *a)
{
	wire_put_u8(w, a->family);
	wire_put_bytes(w, a->ip, addr_ip_len(a));
	wire_put_u16(w, a->port);
}

static void get_addr(struct wire_reader *r, struct addr *a)
{
	a->family = wire_get_u8(r);
	if (a->family != ADDR_NONE && !addr_ip_len(a))
		wire_fail(r);
	wire_get_bytes(r, a->ip, addr_ip_len(a));
	a->port = wire_get_u16(r);
}

/* Blobs share their layout: a uint16_t length, then the bytes. */
static int put_blob(struct wire_writer *w, const void *p, size_t capacity)
{
	uint16_t len;

	memcpy(&len, p, sizeof(len));
	if (len > capacity)
		return -EINVAL;
	wire_put_u16(w, len);
	wire_put_bytes(w, (const uint8_t *)p + sizeof(len), len);
	return 0;
}

static int put_text(struct wire_writer *w, const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	if (len == size)
		return -EINVAL;
	wire_put_u16(w, (uint16_t)len);
	wire_put_bytes(w, s, len);
	return 0;
}

static int put_field(
    struct wire_writer *w, const struct msg_field *f, const void *p)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case MSG_U8:
		wire_put_u8(w, *(const uint8_t *)p);
		return 0;
	case MSG_U16:
		memcpy(&u16, p, sizeof(u16));
		wire_put_u16(w, u16);
		return 0;
	case MSG_U32:
	case MSG_I32:
		memcpy(&u32, p, sizeof(u32));
		wire_put_u32(w, u32);
		return 0;
	case MSG_U64:
		memcpy(&u64, p, sizeof(u64));
		wire_put_u64(w, u64);
		return 0;
	case MSG_ADDR:
		put_addr(w, p);
		return 0;
	case MSG_BYTES:
		return put_blob(w, p, f->size);
	case MSG_TEXT:
		return put_text(w, p, f->size);
	}
	return -EINVAL;
}

int msg_encode(const struct msg_table *t, uint16_t type, uint32_t seq,
    const void *body, void *out, size_t size)
{
	const struct msg_desc *d = msg_find(t, type);
	struct wire_writer w;
	int err;

	if (!d)
		return -ENOENT;
	wire_writer_init(&w, out, size);
	wire_put_u16(&w, MSG_VERSION);
	wire_put_u16(&w, type);
	wire_put_u32(&w, seq);
	for (size_t i = 0; i < d->field_count; i++) {
		const struct msg_field *f = &d->fields[i];

		err = put_field(&w, f, (const uint8_t *)body + f->offset);
		if (err)
			return err;
	}
	err = wire_writer_error(&w);
	return err ? err : (int)w.pos;
}

static void get_blob(struct wire_reader *r, void *p, size_t capacity)
{
	uint16_t len = wire_get_u16(r);

	if (len > capacity) {
		wire_fail(r);
		return;
	}
	memcpy(p, &len, sizeof(len));
	wire_get_bytes(r, (uint8_t *)p + sizeof(len), len);
}

static void get_text(struct wire_reader *r, char *p, size_t size)
{
	uint16_t len = wire_get_u16(r);

	if (len >= size) {
		wire_fail(r);
		return;
	}
	wire_get_bytes(r, p, len);
	p[len] = '\0';
	if (memchr(p, 0, len))
		wire_fail(r);
}

static void get_field(struct wire_reader *r, const struct msg_field *f, void *p)
{
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;

	switch (f->kind) {
	case MSG_U8:
		*(uint8_t *)p = wire_get_u8(r);
		return;
	case MSG_U16:
		u16 = wire_get_u16(r);
		memcpy(p, &u16, sizeof(u16));
		return;
	case MSG_U32:
	case MSG_I32:
		u32 = wire_get_u32(r);
		memcpy(p, &u32, sizeof(u32));
		return;
	case MSG_U64:
		u64 = wire_get_u64(r);
		memcpy(p, &u64, sizeof(u64));
		return;
	case MSG_ADDR:
		get_addr(r, p);
		return;
	case MSG_BYTES:
		get_blob(r, p, f->size);
		return;
	case MSG_TEXT:
		get_text(r, p, f->size);
		return;
	}
}

int msg_decode(const struct msg_table *t, const void *in, size_t len,
    struct msg_header *hdr, void *body, size_t size)
{
	const struct msg_desc *d;
	struct wire_reader r;
	uint16_t version;

	wire_reader_init(&r, in, len);
	version = wire_get_u16(&r);
	hdr->type = wire_get_u16(&r);
	hdr->seq = wire_get_u32(&r);
	d = wire_error(&r) ? NULL : msg_find(t, hdr->type);
	/* There is room for the largest, and most are small. */
	memset(body, 0, d && d->size < size ? d->size : size);
	if (wire_error(&r))
		return -EBADMSG;
	if (version != MSG_VERSION)
		return -EPROTO;
	if (!d)
		return -ENOENT;
	if (d->size > size)
		return -ENOSPC;
	for (size_t i = 0; i < d->field_count; i++) {
		const struct msg_field *f = &d->fields[i];

		get_field(&r, f, (uint8_t *)body + f->offset);
	}
	return wire_error(&r) || wire_left(&r) ? -EBADMSG : 0;
}
