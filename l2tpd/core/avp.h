/* SPDX-License-Identifier: ISC */
/*
 * Attribute value pairs (RFC 2661 section 4): one at a time from and to
 * the wire, and the table of those we know.
 */
#ifndef L2TPD_CORE_AVP_H
#define L2TPD_CORE_AVP_H

#include "common/wire.h"
#include "l2tpd/core/l2tp.h"

#include <stdbool.h>

#define L2TP_AVP_HEADER_LEN 6
#define L2TP_AVP_MAX 1023 /* header included: ten bits of length */
#define L2TP_AVP_VALUE_MAX (L2TP_AVP_MAX - L2TP_AVP_HEADER_LEN)

struct l2tp_avp {
	bool mandatory; /* M */
	bool hidden;	/* H */
	bool reserved;	/* a reserved bit was set: treat as unrecognised */
	uint16_t vendor;
	uint16_t type;
	struct wire_span value; /* borrowed from the datagram */
};

/*
 * Takes one AVP off r.  0, or -EBADMSG when its length is below the header
 * or beyond the message: then nothing after it can be read either.
 */
int l2tp_avp_decode(struct wire_reader *r, struct l2tp_avp *avp);

/* Appends an AVP of the IETF (vendor 0), never hidden. */
void l2tp_avp_put(
    struct wire_writer *w, uint16_t type, bool mandatory, struct wire_span v);
void l2tp_avp_put_u16(
    struct wire_writer *w, uint16_t type, bool mandatory, uint16_t v);
void l2tp_avp_put_u32(
    struct wire_writer *w, uint16_t type, bool mandatory, uint32_t v);

/* How a value is stored in struct l2tp_msg. */
enum l2tp_avp_kind {
	L2TP_KIND_EMPTY,  /* presence is all */
	L2TP_KIND_U16,	  /* uint16_t */
	L2TP_KIND_U32,	  /* uint32_t */
	L2TP_KIND_BYTES,  /* struct wire_span */
	L2TP_KIND_TEXT,	  /* struct wire_span without trailing NULs */
	L2TP_KIND_RESULT, /* struct l2tp_result */
};

struct l2tp_avp_row {
	uint16_t type; /* its name: l2tp_avp_name() */
	enum l2tp_avp_kind kind;
	uint16_t min, max; /* of the value, bytes */
	bool mandatory;	   /* the M bit that we send */
	bool may_hide;	   /* the RFC allows H */
	size_t offset;	   /* in struct l2tp_msg */
	/* Bits by message type: where it may and where it must appear. */
	uint32_t allowed, required;
};

extern const struct l2tp_avp_row l2tp_avp_table[];
extern const size_t l2tp_avp_count;

/* NULL for a type that the RFC does not have. */
const struct l2tp_avp_row *l2tp_avp_find(uint16_t type);

#endif
