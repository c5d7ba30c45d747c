/* SPDX-License-Identifier: ISC */
/* Single AVPs, and the table of those we know. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "l2tpd/core/avp.h"
#include "l2tpd/core/msg.h"

#include <errno.h>
#include <string.h>

static void reads_the_header(void **state)
{
	const uint8_t in[] = {
	    0xc0, 0x09, 0x01, 0x37, 0x00, 0x05, 0xaa, 0xbb, 0xcc, 0x77};
	struct wire_reader r;
	struct l2tp_avp avp;

	(void)state;
	wire_reader_init(&r, in, sizeof(in));
	assert_int_equal(l2tp_avp_decode(&r, &avp), 0);
	assert_true(avp.mandatory);
	assert_true(avp.hidden);
	assert_false(avp.reserved);
	assert_int_equal(avp.vendor, 311);
	assert_int_equal(avp.type, 5);
	assert_int_equal(avp.value.len, 3);
	assert_memory_equal(avp.value.data, in + 6, 3);
	assert_int_equal(wire_left(&r), 1);
}

static void every_truncation_fails(void **state)
{
	const uint8_t in[] = {0x80, 0x0a, 0, 0, 0, 3, 0, 0, 0, 1};
	struct wire_reader r;
	struct l2tp_avp avp;

	(void)state;
	for (size_t len = 0; len < sizeof(in); len++) {
		wire_reader_init(&r, in, len);
		assert_int_equal(l2tp_avp_decode(&r, &avp), -EBADMSG);
		assert_int_equal(wire_left(&r), 0);
	}
	wire_reader_init(&r, in, sizeof(in));
	assert_int_equal(l2tp_avp_decode(&r, &avp), 0);
}

/* A length below the header would loop for ever or reach backwards. */
static void lengths_below_the_header_fail(void **state)
{
	uint8_t in[] = {0x80, 0x00, 0, 0, 0, 3, 0, 0, 0, 1};
	struct wire_reader r;
	struct l2tp_avp avp;

	(void)state;
	for (uint8_t len = 0; len <= sizeof(in) + 2; len++) {
		in[1] = len;
		wire_reader_init(&r, in, sizeof(in));
		assert_int_equal(l2tp_avp_decode(&r, &avp),
		    len < 6 || len > sizeof(in) ? -EBADMSG : 0);
	}
	in[0] = 0x83; /* all ten bits of it count */
	in[1] = 0xff;
	wire_reader_init(&r, in, sizeof(in));
	assert_int_equal(l2tp_avp_decode(&r, &avp), -EBADMSG);
}

static void each_reserved_bit_is_seen(void **state)
{
	uint8_t in[] = {0, 6, 0, 0, 0, 39};
	struct wire_reader r;
	struct l2tp_avp avp;

	(void)state;
	for (int bit = 2; bit < 6; bit++) {
		in[0] = (uint8_t)(1 << bit);
		wire_reader_init(&r, in, sizeof(in));
		assert_int_equal(l2tp_avp_decode(&r, &avp), 0);
		assert_true(avp.reserved);
		assert_false(avp.mandatory || avp.hidden);
	}
}

static void writes_what_it_reads(void **state)
{
	uint8_t buf[64], big[L2TP_AVP_VALUE_MAX + 1] = {0};
	uint8_t room[2 * L2TP_AVP_MAX];
	struct wire_writer w;
	struct wire_reader r;
	struct l2tp_avp avp;

	(void)state;
	wire_writer_init(&w, buf, sizeof(buf));
	l2tp_avp_put_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, true, 0x1234);
	l2tp_avp_put_u32(&w, L2TP_AVP_RX_CONNECT_SPEED, false, 0xdeadbeef);
	l2tp_avp_put(&w, L2TP_AVP_SEQUENCING_REQUIRED, true,
	    (struct wire_span){NULL, 0});
	assert_int_equal(wire_writer_error(&w), 0);
	assert_int_equal(w.pos, 8 + 10 + 6);
	wire_reader_init(&r, buf, w.pos);
	assert_int_equal(l2tp_avp_decode(&r, &avp), 0);
	assert_true(avp.mandatory);
	assert_int_equal(avp.type, 9);
	assert_memory_equal(avp.value.data, "\x12\x34", 2);
	assert_int_equal(l2tp_avp_decode(&r, &avp), 0);
	assert_false(avp.mandatory);
	assert_int_equal(avp.value.len, 4);
	assert_int_equal(l2tp_avp_decode(&r, &avp), 0);
	assert_int_equal(avp.value.len, 0);
	assert_int_equal(wire_left(&r), 0);
	/* The longest value, and one byte more. */
	wire_writer_init(&w, room, sizeof(room));
	l2tp_avp_put(&w, 7, true, (struct wire_span){big, sizeof(big) - 1});
	assert_int_equal(wire_writer_error(&w), 0);
	assert_int_equal(w.pos, L2TP_AVP_MAX);
	l2tp_avp_put(&w, 7, true, (struct wire_span){big, sizeof(big)});
	assert_int_equal(wire_writer_error(&w), -ENOSPC);
}

static void the_table_is_sound(void **state)
{
	uint64_t seen = 0;

	(void)state;
	assert_int_equal(l2tp_avp_table[0].type, L2TP_AVP_MESSAGE_TYPE);
	for (size_t i = 0; i < l2tp_avp_count; i++) {
		const struct l2tp_avp_row *row = &l2tp_avp_table[i];

		assert_in_range(row->type, 0, 63);
		assert_false(seen >> row->type & 1);
		seen |= UINT64_C(1) << row->type;
		assert_true(row->min <= row->max);
		assert_true(row->max <= L2TP_AVP_VALUE_MAX);
		assert_int_equal(row->required & ~row->allowed, 0);
		assert_ptr_equal(l2tp_avp_find(row->type), row);
		assert_string_not_equal(l2tp_avp_name(row->type), "unknown");
		assert_true(row->offset < sizeof(struct l2tp_msg));
		if (row->kind == L2TP_KIND_U16)
			assert_true(row->min == 2 && row->max == 2);
		if (row->kind == L2TP_KIND_U32)
			assert_true(row->min == 4 && row->max == 4);
	}
	/* RFC 2661 has 0 to 39 without 20. */
	assert_true(seen == 0xffffefffffull);
	assert_null(l2tp_avp_find(20));
	assert_null(l2tp_avp_find(40));
}

/* Section 4.4: these MUST NOT be hidden. */
static void what_may_not_be_hidden(void **state)
{
	const uint16_t plain[] = {0, 1, 2, 5, 7, 10, 12, 36, 39};
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < l2tp_avp_count; i++)
		n += !l2tp_avp_table[i].may_hide;
	assert_int_equal(n, sizeof(plain) / sizeof(plain[0]));
	for (size_t i = 0; i < n; i++)
		assert_false(l2tp_avp_find(plain[i])->may_hide);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(l2tp_message_name(L2TP_STOPCCN), "StopCCN");
	assert_string_equal(l2tp_message_name(5), "unknown");
	assert_string_equal(l2tp_avp_name(7), "Host Name");
	assert_string_equal(l2tp_avp_name(20), "unknown");
	assert_string_equal(l2tp_stop_result_name(6), "being shut down");
	assert_string_equal(l2tp_stop_result_name(8), "unknown");
	assert_string_equal(l2tp_cdn_result_name(1), "loss of carrier");
	assert_string_equal(l2tp_cdn_result_name(12), "unknown");
	assert_string_equal(l2tp_error_name(8), "unknown mandatory AVP");
	assert_string_equal(l2tp_error_name(9), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_the_header),
	    cmocka_unit_test(every_truncation_fails),
	    cmocka_unit_test(lengths_below_the_header_fail),
	    cmocka_unit_test(each_reserved_bit_is_seen),
	    cmocka_unit_test(writes_what_it_reads),
	    cmocka_unit_test(the_table_is_sound),
	    cmocka_unit_test(what_may_not_be_hidden),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
