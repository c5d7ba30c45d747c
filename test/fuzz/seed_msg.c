/* SPDX-License-Identifier: ISC */
/*
 * Writes the seeds of fuzz_msg to the directory that it is given: every
 * message of every table with every field zero.
 */
#include "common/aaa_msg.h"
#include "common/peer_link.h"
#include "ikev1/im_msg.h"
#include "l2tpd/lm_msg.h"
#include "test/fuzz/seed.h"

#define BODY_MAX 16384

int main(int argc, char **argv)
{
	static const struct msg_table *const tables[] = {
	    &peer_link_table, &aaa_msg_table, &im_table, &lm_table};
	static union {
		uint64_t align;
		uint8_t bytes[BODY_MAX];
	} body;
	uint8_t out[1 + MSG_MAX];

	if (argc != 2)
		return 2;
	for (uint8_t t = 0; t < 4; t++) {
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct msg_desc *d = &tables[t]->descs[i];
			char name[64];
			int len = msg_encode(
			    tables[t], d->type, 7, &body, out + 1, MSG_MAX);

			if (len < 0)
				return 1;
			out[0] = t;
			snprintf(name, sizeof(name), "%u_%s", t, d->name);
			seed_write(
			    argv[1], name, wire_span_of(out, (size_t)len + 1));
		}
	}
	return 0;
}
