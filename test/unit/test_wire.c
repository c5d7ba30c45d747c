/* SPDX-License-Identifier: ISC */
/* The cursors: values, ends, sticky errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "common/wire.h"

#include <errno.h>
#include <string.h>

static void reads_numbers_in_network_order(void **state)
{
	const uint8_t in[] = {
	    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct wire_reader r;

	(void)state;
	wire_reader_init(&r, in, sizeof(in));
	assert_int_equal(wire_get_u8(&r), 1);
	assert_int_equal(wire_get_u16(&r), 0x0203);
	assert_int_equal(wire_get_u32(&r), 0x04050607);
	assert_true(wire_get_u64(&r) == 0x08090a0b0c0d0e0full);
	assert_int_equal(wire_left(&r), 0);
	assert_int_equal(wire_error(&r), 0);
	assert_int_equal(wire_get_u8(&r), 0);
	assert_int_equal(wire_error(&r), -EBADMSG);
}

static void every_truncation_fails_and_sticks(void **state)
{
	const uint8_t in[15] = {0};

	(void)state;
	for (size_t len = 0; len < sizeof(in); len++) {
		struct wire_reader r;

		wire_reader_init(&r, in, len);
		wire_get_u8(&r);
		wire_get_u16(&r);
		wire_get_u32(&r);
		wire_get_u64(&r);
		assert_int_equal(wire_error(&r), -EBADMSG);
		assert_int_equal(wire_left(&r), 0);
		assert_null(wire_get_span(&r, 0).data);
	}
}

static void sub_reader_is_bounded(void **state)
{
	const uint8_t in[] = {0, 1, 2, 3};
	struct wire_reader r, sub;
	uint8_t copy[3] = {9, 9, 9};

	(void)state;
	wire_reader_init(&r, in, sizeof(in));
	sub = wire_get_sub(&r, 2);
	assert_int_equal(wire_get_u16(&sub), 1);
	assert_int_equal(wire_get_u8(&sub), 0);
	assert_int_equal(wire_error(&sub), -EBADMSG);
	assert_int_equal(wire_error(&r), 0);
	sub = wire_get_sub(&r, 3);
	assert_int_equal(wire_error(&sub), -EBADMSG);
	wire_get_bytes(&r, copy, 3);
	assert_int_equal(copy[0] | copy[1] | copy[2], 0);
	wire_skip(&r, SIZE_MAX);
	assert_int_equal(wire_error(&r), -EBADMSG);
}

static void writes_what_the_reader_reads(void **state)
{
	uint8_t buf[32];
	struct wire_writer w;
	struct wire_reader r;

	(void)state;
	wire_writer_init(&w, buf, sizeof(buf));
	wire_put_u8(&w, 7);
	wire_put_u16(&w, 0xbeef);
	wire_put_u32(&w, 0xdeadbeef);
	wire_put_u64(&w, 0x1122334455667788ull);
	wire_put_zero(&w, 3);
	wire_put_bytes(&w, "ab", 2);
	wire_put_span(&w, (struct wire_span){NULL, 0});
	wire_set_u16(&w, 1, 0x0102);
	wire_set_u8(&w, 0, 8);
	wire_set_u32(&w, 3, 5);
	assert_int_equal(wire_writer_error(&w), 0);
	assert_int_equal(w.pos, 20);
	wire_reader_init(&r, buf, w.pos);
	assert_int_equal(wire_get_u8(&r), 8);
	assert_int_equal(wire_get_u16(&r), 0x0102);
	assert_int_equal(wire_get_u32(&r), 5);
	assert_true(wire_get_u64(&r) == 0x1122334455667788ull);
	wire_skip(&r, 3);
	assert_memory_equal(wire_get_span(&r, 2).data, "ab", 2);
}

static void writer_stops_at_its_end(void **state)
{
	uint8_t buf[4] = {1, 2, 3, 4};
	struct wire_writer w;

	(void)state;
	wire_writer_init(&w, buf, 3);
	wire_put_u32(&w, 0);
	assert_int_equal(wire_writer_error(&w), -ENOSPC);
	wire_put_u8(&w, 0);
	assert_int_equal(w.pos, 0);
	assert_int_equal(buf[0], 1);
	wire_writer_init(&w, buf, 3);
	wire_put_u16(&w, 0);
	wire_set_u16(&w, 1, 0);
	assert_int_equal(wire_writer_error(&w), -ENOSPC);
}

static void secrets_compare_and_wipe(void **state)
{
	char a[] = "secret", b[] = "secreT";

	(void)state;
	assert_true(secret_equal(a, "secret", 6));
	assert_false(secret_equal(a, b, 6));
	assert_true(secret_equal(a, b, 0));
	secret_wipe(a, 6);
	assert_memory_equal(a, "\0\0\0\0\0\0", 6);
	secret_wipe(NULL, 5);
	secret_free(strdup("x"), 1);
	secret_free(NULL, 0);
}

static void spans_compare(void **state)
{
	struct wire_span a = {(const uint8_t *)"ab", 2};
	struct wire_span b = {(const uint8_t *)"ac", 2};
	struct wire_span none = {NULL, 0};

	(void)state;
	assert_true(wire_span_equal(a, a));
	assert_false(wire_span_equal(a, b));
	assert_false(wire_span_equal(a, none));
	assert_true(wire_span_equal(none, none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_numbers_in_network_order),
	    cmocka_unit_test(every_truncation_fails_and_sticks),
	    cmocka_unit_test(sub_reader_is_bounded),
	    cmocka_unit_test(writes_what_the_reader_reads),
	    cmocka_unit_test(writer_stops_at_its_end),
	    cmocka_unit_test(secrets_compare_and_wipe),
	    cmocka_unit_test(spans_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
