/* SPDX-License-Identifier: ISC */
/*
 * Saving and loading with the same code: a description of an object calls
 * store_*() for each of its fields, and the direction decides whether the
 * field is appended or filled in.  Errors stick; the caller looks once.
 */
#ifndef IKEV1_CORE_STORE_H
#define IKEV1_CORE_STORE_H

#include "common/addr.h"
#include "common/wire.h"

/* Owned bytes; wiped when freed. */
struct bytes {
	uint8_t *data;
	size_t len;
};

/* Replaces b by a copy of len bytes. */
void bytes_set(struct bytes *b, const void *data, size_t len);
void bytes_free(struct bytes *b);
bool bytes_equal(const struct bytes *a, const struct bytes *b);
struct wire_span bytes_span(const struct bytes *b);

/* A text of just its length: NULL or allocated; set to a copy, shown. */
void text_set(char **own, const char *text);
const char *text_shown(const char *own); /* "" for NULL */

/* No run of bytes in saved state is longer. */
#define STORE_BYTES_MAX 16384
#define STORE_TEXT_MAX 256 /* with its end */

struct store {
	bool loading;
	/* A record for the next engine: times are those of the clock, and
	 * what is under way is left out where it can be done again. */
	bool is_record;
	uint64_t now_ms;
	struct wire_reader r; /* loading */
	struct wire_writer w; /* saving: owns w.data */
};

void store_save_init(struct store *s, uint64_t now_ms);
void store_load_init(
    struct store *s, uint64_t now_ms, const void *data, size_t len);
/* A record: times of the monotonic clock as they are. */
void store_record_init(struct store *s);
void store_record_load(struct store *s, const void *data, size_t len);
/* Saving: wipes what is there, to begin anew in the same memory. */
void store_again(struct store *s);
/* Frees (and wipes) what saving has allocated. */
void store_free(struct store *s);
/* 0, or -EBADMSG when the input was short or wrong. */
int store_error(const struct store *s);
/* Loading: marks the input as wrong. */
void store_fail(struct store *s);

/* An enumeration is a byte; loading fails for values above the last one. */
void store_enum(struct store *s, int value, uint8_t last, int *out);
#define STORE_ENUM(s, type, field, last)                                       \
	do {                                                                   \
		int value_;                                                    \
                                                                               \
		store_enum(s, (int)(field), (uint8_t)(last), &value_);         \
		(field) = (type)value_;                                        \
	} while (0)

void store_bool(struct store *s, bool *v);
void store_u8(struct store *s, uint8_t *v);
void store_u16(struct store *s, uint16_t *v);
void store_u32(struct store *s, uint32_t *v);
void store_u64(struct store *s, uint64_t *v);
/* Loading fails when the number is above max. */
void store_max(struct store *s, uint32_t *v, uint32_t max);
void store_array(struct store *s, void *data, size_t len);
void store_bytes(struct store *s, struct bytes *b);
void store_addr(struct store *s, struct addr *a);
/* A deadline as the time left; UINT64_MAX stays "none". */
void store_deadline(struct store *s, uint64_t *ms);
/* A moment in the past as its age. */
void store_past(struct store *s, uint64_t *ms);
/* Text in an array of size bytes, terminated. */
void store_text(struct store *s, char *text, size_t size);
/* One of text_set(), shorter than size; at most STORE_TEXT_MAX. */
void store_own_text(struct store *s, char **text, size_t size);

#endif
