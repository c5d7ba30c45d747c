/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the codec between our processes over every table that there is.
 * The first byte chooses the table.  What decodes must encode to the same
 * bytes.
 */
#include "common/aaa_msg.h"
#include "common/peer_link.h"
#include "ikev1/im_msg.h"
#include "l2tpd/lm_msg.h"

#include <stdlib.h>
#include <string.h>

#define BODY_MAX 16384

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct msg_table *const tables[] = {
	    &peer_link_table, &aaa_msg_table, &im_table, &lm_table};
	/* Aligned for every struct of the tables. */
	static union {
		uint64_t align;
		uint8_t bytes[BODY_MAX];
	} body;
	const struct msg_table *table;
	uint8_t out[MSG_MAX];
	struct msg_header h;
	int len;

	if (!size || size - 1 > MSG_MAX)
		return 0;
	table = tables[data[0] % 4];
	if (msg_decode(
		table, data + 1, size - 1, &h, &body, sizeof(body.bytes)))
		return 0;
	must(msg_find(table, h.type)->size <= sizeof(body.bytes));
	len = msg_encode(table, h.type, h.seq, &body, out, sizeof(out));
	must(len == (int)size - 1);
	must(!memcmp(out, data + 1, size - 1));
	return 0;
}
