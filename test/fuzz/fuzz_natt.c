/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes what tells IKE, keep-alives and ESP apart on both ports (RFC 3948
 * section 2; drafts 00 and 01 on port 500).  The first byte chooses the port.
 */
#include "ikev1/udp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_4500(
    struct wire_span in, enum udp_kind kind, struct wire_span ike)
{
	static const uint8_t zero[4];
	bool marked = in.len > 4 && !memcmp(in.data, zero, 4);

	must((kind == UDP_IKE) == marked);
	if (marked)
		must(ike.data == in.data + 4 && ike.len == in.len - 4);
	must((kind == UDP_KEEPALIVE) == (in.len == 1 && in.data[0] == 0xff));
}

static void check_500(struct wire_span in, enum udp_kind kind)
{
	static const uint8_t zero[8];
	bool is_esp = in.len >= 8 && !memcmp(in.data, zero, 8);
	bool is_alive = in.len == 1 && in.data[0] == 0xff;

	must((kind == UDP_KEEPALIVE) == is_alive);
	must((kind == UDP_IKE) == (in.len && !is_esp && !is_alive));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_span in, ike;
	enum udp_kind kind;

	if (!size)
		return 0;
	in = (struct wire_span){data + 1, size - 1};
	kind = udp_classify((data[0] & 1) ? UDP_PORT_NATT : 500, in, &ike);
	if (data[0] & 1) {
		check_4500(in, kind, ike);
		return 0;
	}
	check_500(in, kind);
	must(kind != UDP_IKE || (ike.data == in.data && ike.len == in.len));
	return 0;
}
