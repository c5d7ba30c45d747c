/* SPDX-License-Identifier: ISC */
/*
 * Bounds-checked cursors: the only way in which this project reads bytes
 * that came from outside and writes bytes that go out.
 *
 * Both cursors have a sticky error: after the first access that does not
 * fit every getter returns 0 (or an empty span), every putter does nothing,
 * and wire_error()/wire_writer_error() says -EBADMSG or -ENOSPC.  A caller
 * checks once, at the end.  Numbers are in network byte order.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A borrowed run of bytes; the owner of the datagram owns them. */
struct wire_span {
	const uint8_t *data;
	size_t len;
};

struct wire_reader {
	const uint8_t *data;
	size_t len; /* of data */
	size_t pos; /* <= len */
	int error;  /* 0 or -EBADMSG */
};

struct wire_writer {
	uint8_t *data;
	size_t size; /* of data */
	size_t pos;  /* <= size */
	int error;   /* 0 or -ENOSPC */
};

void wire_reader_init(struct wire_reader *r, const void *data, size_t len);
/* Bytes not read yet; 0 after an error. */
size_t wire_left(const struct wire_reader *r);
/* 0, or -EBADMSG when any access went past the end. */
int wire_error(const struct wire_reader *r);
/* Marks the reader as failed: for a decoder that found a wrong value. */
void wire_fail(struct wire_reader *r);

uint8_t wire_get_u8(struct wire_reader *r);
uint16_t wire_get_u16(struct wire_reader *r);
uint32_t wire_get_u32(struct wire_reader *r);
uint64_t wire_get_u64(struct wire_reader *r);
/* The next len bytes as a span into the input ({NULL, 0} on error). */
struct wire_span wire_get_span(struct wire_reader *r, size_t len);
/* Copies the next len bytes to out; zeroes out on error. */
void wire_get_bytes(struct wire_reader *r, void *out, size_t len);
/* A reader for the next len bytes; it carries the error on. */
struct wire_reader wire_get_sub(struct wire_reader *r, size_t len);
void wire_skip(struct wire_reader *r, size_t len);

void wire_writer_init(struct wire_writer *w, void *data, size_t size);
int wire_writer_error(const struct wire_writer *w);
void wire_put_u8(struct wire_writer *w, uint8_t v);
void wire_put_u16(struct wire_writer *w, uint16_t v);
void wire_put_u32(struct wire_writer *w, uint32_t v);
void wire_put_u64(struct wire_writer *w, uint64_t v);
void wire_put_bytes(struct wire_writer *w, const void *data, size_t len);
void wire_put_span(struct wire_writer *w, struct wire_span s);
void wire_put_zero(struct wire_writer *w, size_t len);
/* Writes v over the bytes at offset pos, already written. */
void wire_set_u16(struct wire_writer *w, size_t pos, uint16_t v);
void wire_set_u32(struct wire_writer *w, size_t pos, uint32_t v);
void wire_set_u8(struct wire_writer *w, size_t pos, uint8_t v);
void wire_set_bytes(
    struct wire_writer *w, size_t pos, const void *data, size_t len);
/* What has been written from offset pos on; empty after an error. */
struct wire_span wire_written(const struct wire_writer *w, size_t pos);

struct wire_span wire_span_of(const void *data, size_t len);
/* True when both spans hold the same bytes; not for secrets. */
bool wire_span_equal(struct wire_span a, struct wire_span b);

#endif
