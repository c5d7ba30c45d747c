/* SPDX-License-Identifier: ISC */
/* Slots of candidate keys: writing, reading, and whose ID may use one. */
#include "ikev1/core/candidate.h"

#include "ikev1/core/isakmp.h"

#include <errno.h>
#include <string.h>

void candidate_put(struct wire_writer *w, const struct candidate *c)
{
	wire_put_u32(w, c->line);
	wire_put_u16(w, c->entry);
	wire_put_u8(w, c->id_type);
	wire_put_u8(w, c->id_len);
	wire_put_bytes(w, c->id, sizeof(c->id));
	wire_put_u8(w, c->skeyid_len);
	wire_put_bytes(w, c->skeyid, sizeof(c->skeyid));
}

size_t candidate_count(struct wire_span all)
{
	size_t n = all.len / CANDIDATE_LEN;

	return all.len % CANDIDATE_LEN || n > CANDIDATES_MAX ? 0 : n;
}

int candidate_get(struct wire_span all, size_t index, struct candidate *out)
{
	struct wire_reader r;

	*out = (struct candidate){0};
	if (index >= candidate_count(all))
		return -EBADMSG;
	wire_reader_init(&r, all.data + index * CANDIDATE_LEN, CANDIDATE_LEN);
	out->line = wire_get_u32(&r);
	out->entry = wire_get_u16(&r);
	out->id_type = wire_get_u8(&r);
	out->id_len = wire_get_u8(&r);
	wire_get_bytes(&r, out->id, sizeof(out->id));
	out->skeyid_len = wire_get_u8(&r);
	wire_get_bytes(&r, out->skeyid, sizeof(out->skeyid));
	if (wire_error(&r) || out->id_len > sizeof(out->id) ||
	    !out->skeyid_len || out->skeyid_len > sizeof(out->skeyid))
		return -EBADMSG;
	return 0;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

bool candidate_allows(
    const struct candidate *c, uint8_t id_type, struct wire_span id)
{
	bool is_name =
	    id_type == IPSEC_ID_FQDN || id_type == IPSEC_ID_USER_FQDN;

	if (!c->id_type)
		return true;
	if (c->id_type != id_type || c->id_len != id.len)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		uint8_t a = c->id[i], b = id.data[i];

		if (is_name ? lower(a) != lower(b) : a != b)
			return false;
	}
	return true;
}
