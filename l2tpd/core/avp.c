/* SPDX-License-Identifier: ISC */
/* One AVP from and to the wire; the contract is in the header. */
#include "l2tpd/core/avp.h"

#include <errno.h>

#define AVP_MANDATORY 0x8000
#define AVP_HIDDEN 0x4000
#define AVP_RESERVED 0x3c00
#define AVP_LEN_MASK 0x03ff

int l2tp_avp_decode(struct wire_reader *r, struct l2tp_avp *avp)
{
	uint16_t bits = wire_get_u16(r);
	size_t len = bits & AVP_LEN_MASK;

	*avp = (struct l2tp_avp){
	    .mandatory = bits & AVP_MANDATORY,
	    .hidden = bits & AVP_HIDDEN,
	    .reserved = bits & AVP_RESERVED,
	};
	if (len < L2TP_AVP_HEADER_LEN) {
		wire_fail(r);
		return -EBADMSG;
	}
	avp->vendor = wire_get_u16(r);
	avp->type = wire_get_u16(r);
	avp->value = wire_get_span(r, len - L2TP_AVP_HEADER_LEN);
	return wire_error(r);
}

static void put_header(
    struct wire_writer *w, uint16_t type, bool mandatory, size_t len)
{
	uint16_t bits = mandatory ? AVP_MANDATORY : 0;

	if (len > L2TP_AVP_VALUE_MAX) {
		w->error = -ENOSPC;
		return;
	}
	wire_put_u16(w, (uint16_t)(bits | (len + L2TP_AVP_HEADER_LEN)));
	wire_put_u16(w, 0);
	wire_put_u16(w, type);
}

void l2tp_avp_put(
    struct wire_writer *w, uint16_t type, bool mandatory, struct wire_span v)
{
	put_header(w, type, mandatory, v.len);
	wire_put_span(w, v);
}

void l2tp_avp_put_u16(
    struct wire_writer *w, uint16_t type, bool mandatory, uint16_t v)
{
	put_header(w, type, mandatory, 2);
	wire_put_u16(w, v);
}

void l2tp_avp_put_u32(
    struct wire_writer *w, uint16_t type, bool mandatory, uint32_t v)
{
	put_header(w, type, mandatory, 4);
	wire_put_u32(w, v);
}
