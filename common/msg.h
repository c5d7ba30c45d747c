/* SPDX-License-Identifier: ISC */
/*
 * The one codec for messages between our own processes (SOCK_SEQPACKET, a
 * datagram a message): an eight-byte header and the fields of a plain C
 * struct in the order of a table.  The table drives encoder, decoder,
 * trace names and the fuzzer; struct layout never crosses a socket.
 */
#ifndef COMMON_MSG_H
#define COMMON_MSG_H

#include <stddef.h>
#include <stdint.h>

#define MSG_VERSION 1
#define MSG_HEADER_LEN 8
/* No message is longer than this, header included. */
#define MSG_MAX 8192

/* A counted run of bytes of at most n bytes, for use in message structs. */
#define MSG_BLOB(n)                                                            \
	struct {                                                               \
		uint16_t len;                                                  \
		uint8_t data[n];                                               \
	}

enum msg_kind {
	MSG_U8,	   /* uint8_t */
	MSG_U16,   /* uint16_t */
	MSG_U32,   /* uint32_t */
	MSG_U64,   /* uint64_t */
	MSG_I32,   /* int32_t: errors, 0 or -errno */
	MSG_ADDR,  /* struct addr */
	MSG_BYTES, /* MSG_BLOB(size): two bytes length, then the bytes */
	MSG_TEXT,  /* char[size]: like MSG_BYTES; no NUL inside, terminated */
};

struct msg_field {
	enum msg_kind kind;
	size_t offset; /* in the message's struct */
	size_t size;   /* capacity of MSG_BYTES, array size of MSG_TEXT */
};

struct msg_desc {
	uint16_t type;
	const char *name;
	size_t size; /* of the struct */
	const struct msg_field *fields;
	size_t field_count;
};

struct msg_table {
	const struct msg_desc *descs;
	size_t count;
};

struct msg_header {
	uint16_t type;
	uint32_t seq;
};

/* Rows for field tables. */
#define MSG_NUM(kind, type, member)                                            \
	{                                                                      \
		kind, offsetof(type, member), 0                                \
	}
#define MSG_BYTES_OF(type, member)                                             \
	{                                                                      \
		MSG_BYTES, offsetof(type, member),                             \
		    sizeof(((type *)0)->member.data)                           \
	}
#define MSG_TEXT_OF(type, member)                                              \
	{                                                                      \
		MSG_TEXT, offsetof(type, member), sizeof(((type *)0)->member)  \
	}
#define MSG_DESC(type, strct, fields)                                          \
	{                                                                      \
		type, #type, sizeof(strct), fields,                            \
		    sizeof(fields) / sizeof(fields[0])                         \
	}

/* The row of a type; NULL when the table has none. */
const struct msg_desc *msg_find(const struct msg_table *t, uint16_t type);
/* "IM_SA_ADD", or "unknown". */
const char *msg_name(const struct msg_table *t, uint16_t type);

/*
 * Encodes body (the struct of that type) to out.  Returns the length, or
 * -ENOENT for an unknown type, -ENOSPC when out is too small, -EINVAL when
 * a blob claims more bytes than its capacity.
 */
int msg_encode(const struct msg_table *t, uint16_t type, uint32_t seq,
    const void *body, void *out, size_t size);

/*
 * Decodes one datagram.  body has room for size bytes; the struct of the
 * message's type is zeroed first, all of body when there is none.
 * Returns 0, -EPROTO (another version), -ENOENT (unknown type), -ENOSPC
 * (body too small) or -EBADMSG (short, long, over a capacity, NUL in text).
 */
int msg_decode(const struct msg_table *t, const void *in, size_t len,
    struct msg_header *hdr, void *body, size_t size);

#endif
