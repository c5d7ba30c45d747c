/* SPDX-License-Identifier: ISC */
/* The codec between our processes: every kind, every truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/addr.h"
#include "common/msg.h"
#include "common/peer_link.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <string.h>

enum { TEST_ALL = 7, TEST_EMPTY = 8, TEST_UNKNOWN = 9 };

/* One field of every kind. */
struct all {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int32_t i32;
	struct addr addr;
	MSG_BLOB(5) blob;
	char text[6];
};

struct empty {
	uint8_t unused;
};

static const struct msg_field all_fields[] = {
    MSG_NUM(MSG_U8, struct all, u8),
    MSG_NUM(MSG_U16, struct all, u16),
    MSG_NUM(MSG_U32, struct all, u32),
    MSG_NUM(MSG_U64, struct all, u64),
    MSG_NUM(MSG_I32, struct all, i32),
    MSG_NUM(MSG_ADDR, struct all, addr),
    MSG_BYTES_OF(struct all, blob),
    MSG_TEXT_OF(struct all, text),
};

static const struct msg_desc descs[] = {
    MSG_DESC(TEST_ALL, struct all, all_fields),
    {TEST_EMPTY, "TEST_EMPTY", sizeof(struct empty), NULL, 0},
};

static const struct msg_table table = {descs, 2};

static const struct all sample = {
    .u8 = 0x11,
    .u16 = 0x2122,
    .u32 = 0x31323334,
    .u64 = 0x4142434445464748,
    .i32 = -EPROTO,
    .addr = {ADDR_IPV4, {203, 0, 113, 7}, 500},
    .blob = {3, {0xb1, 0xb2, 0xb3}},
    .text = "hello",
};

/* Version, type, sequence number; then the fields in their order. */
#define SAMPLE                                                                 \
	"0001 0007 00000005 11 2122 31323334 4142434445464748 ffffffb9 "       \
	"04cb00710701f4 0003b1b2b3 000568656c6c6f"

static void every_kind_encodes(void **state)
{
	uint8_t out[128];
	int len = msg_encode(&table, TEST_ALL, 5, &sample, out, sizeof(out));

	(void)state;
	assert_true(len > 0);
	assert_true(hex_equal(out, (size_t)len, SAMPLE));
}

static int decode(const struct hex *h, struct msg_header *hdr, struct all *out)
{
	return msg_decode(&table, h->data, h->len, hdr, out, sizeof(*out));
}

static void every_kind_decodes(void **state)
{
	struct msg_header hdr;
	struct all out;
	struct hex h;

	(void)state;
	hex_decode(&h, SAMPLE);
	assert_int_equal(decode(&h, &hdr, &out), 0);
	assert_int_equal(hdr.type, TEST_ALL);
	assert_int_equal(hdr.seq, 5);
	assert_int_equal(out.u8, sample.u8);
	assert_int_equal(out.u16, sample.u16);
	assert_int_equal(out.u32, sample.u32);
	assert_true(out.u64 == sample.u64);
	assert_int_equal(out.i32, -EPROTO);
	assert_true(addr_equal(&out.addr, &sample.addr));
	assert_int_equal(out.blob.len, 3);
	assert_memory_equal(out.blob.data, sample.blob.data, 3);
	assert_string_equal(out.text, "hello");
}

/* Nothing of an earlier message is in the struct of a later one; without a
 * type that is known, nowhere. */
static void old_contents_are_gone(void **state)
{
	struct {
		struct all all;
		uint8_t room[64];
	} body;
	const uint8_t none[sizeof(body)] = {0};
	struct msg_header hdr;
	struct hex h;

	(void)state;
	memset(&body, 0xee, sizeof(body));
	hex_decode(&h, SAMPLE);
	assert_int_equal(
	    msg_decode(&table, h.data, h.len, &hdr, &body, sizeof(body)), 0);
	assert_int_equal(body.all.blob.data[3] | body.all.blob.data[4], 0);
	memset(&body, 0xee, sizeof(body));
	assert_int_equal(
	    msg_decode(&table, h.data, 9, &hdr, &body, sizeof(body)), -EBADMSG);
	assert_int_equal(body.all.u8, 0x11);
	assert_int_equal(body.all.text[5], 0);
	memset(&body, 0xee, sizeof(body));
	assert_int_equal(
	    msg_decode(&table, h.data, 7, &hdr, &body, sizeof(body)), -EBADMSG);
	assert_memory_equal(&body, none, sizeof(body));
	memset(&body, 0xee, sizeof(body));
	h.data[3] = TEST_UNKNOWN;
	assert_int_equal(
	    msg_decode(&table, h.data, h.len, &hdr, &body, sizeof(body)),
	    -ENOENT);
	assert_memory_equal(&body, none, sizeof(body));
}

static void ipv6_and_no_address_pass(void **state)
{
	struct all in = sample, out;
	struct msg_header hdr;
	uint8_t buf[128];
	int len;

	(void)state;
	assert_int_equal(addr_parse(&in.addr, "2001:db8::1"), 0);
	in.addr.port = 4500;
	len = msg_encode(&table, TEST_ALL, 1, &in, buf, sizeof(buf));
	assert_int_equal(
	    msg_decode(&table, buf, (size_t)len, &hdr, &out, sizeof(out)), 0);
	assert_true(addr_equal(&in.addr, &out.addr));
	in.addr = (struct addr){0};
	len = msg_encode(&table, TEST_ALL, 1, &in, buf, sizeof(buf));
	assert_int_equal(
	    msg_decode(&table, buf, (size_t)len, &hdr, &out, sizeof(out)), 0);
	assert_int_equal(out.addr.family, ADDR_NONE);
}

static void every_truncation_is_refused(void **state)
{
	struct msg_header hdr;
	struct all out;
	struct hex h;
	size_t len;

	(void)state;
	len = hex_decode(&h, SAMPLE).len;
	for (h.len = 0; h.len < len; h.len++)
		assert_int_equal(decode(&h, &hdr, &out), -EBADMSG);
	h.len = len + 1;
	h.data[len] = 0;
	assert_int_equal(decode(&h, &hdr, &out), -EBADMSG);
}

/* One byte of SAMPLE changed. */
static void faults_are_refused(void **state)
{
	static const struct {
		size_t pos;
		uint8_t value;
		int err;
	} rows[] = {
	    {1, 2, -EPROTO},   /* version */
	    {0, 1, -EPROTO},   /* version */
	    {3, 9, -ENOENT},   /* type */
	    {3, 8, -EBADMSG},  /* a type without fields, but bytes */
	    {27, 6, -EBADMSG}, /* address family: longer than it is */
	    {27, 5, -EBADMSG}, /* unknown address family */
	    {35, 6, -EBADMSG}, /* blob beyond its capacity */
	    {34, 1, -EBADMSG}, /* the same */
	    {40, 6, -EBADMSG}, /* text without room for its NUL */
	    {40, 4, -EBADMSG}, /* a byte left over */
	    {42, 0, -EBADMSG}, /* NUL inside a text */
	    {45, 0, -EBADMSG}, /* NUL at its end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct msg_header hdr;
		struct all out;
		struct hex h;

		hex_decode(&h, SAMPLE);
		h.data[rows[i].pos] = rows[i].value;
		assert_int_equal(decode(&h, &hdr, &out), rows[i].err);
	}
}

static void capacities_are_taken_to_the_full(void **state)
{
	struct all in = sample, out;
	struct msg_header hdr;
	uint8_t buf[128];
	int len;

	(void)state;
	in.blob.len = sizeof(in.blob.data);
	memset(in.blob.data, 0x77, sizeof(in.blob.data));
	len = msg_encode(&table, TEST_ALL, 1, &in, buf, sizeof(buf));
	assert_int_equal(
	    msg_decode(&table, buf, (size_t)len, &hdr, &out, sizeof(out)), 0);
	assert_int_equal(out.blob.len, 5);
	in.blob.len = 6;
	assert_int_equal(
	    msg_encode(&table, TEST_ALL, 1, &in, buf, sizeof(buf)), -EINVAL);
	in.blob.len = 0;
	memset(in.text, 'x', sizeof(in.text)); /* not terminated */
	assert_int_equal(
	    msg_encode(&table, TEST_ALL, 1, &in, buf, sizeof(buf)), -EINVAL);
	in.text[0] = '\0';
	len = msg_encode(&table, TEST_ALL, 1, &in, buf, sizeof(buf));
	assert_int_equal(
	    msg_decode(&table, buf, (size_t)len, &hdr, &out, sizeof(out)), 0);
	assert_string_equal(out.text, "");
	assert_int_equal(out.blob.len, 0);
}

static void short_buffers_are_noticed(void **state)
{
	uint8_t buf[128];
	struct msg_header hdr;
	struct empty small;
	struct hex h;
	size_t len = hex_decode(&h, SAMPLE).len;

	(void)state;
	for (size_t size = 0; size < len; size++) {
		memset(buf, 0xee, sizeof(buf));
		assert_int_equal(
		    msg_encode(&table, TEST_ALL, 5, &sample, buf, size),
		    -ENOSPC);
		assert_int_equal(buf[size], 0xee);
	}
	assert_int_equal(
	    msg_decode(&table, h.data, h.len, &hdr, &small, sizeof(small)),
	    -ENOSPC);
	assert_int_equal(
	    msg_encode(&table, TEST_UNKNOWN, 1, &sample, buf, sizeof(buf)),
	    -ENOENT);
}

static void a_message_without_fields_is_its_header(void **state)
{
	struct empty in = {1}, out;
	struct msg_header hdr;
	uint8_t buf[16];

	(void)state;
	assert_int_equal(
	    msg_encode(&table, TEST_EMPTY, 9, &in, buf, sizeof(buf)),
	    MSG_HEADER_LEN);
	assert_int_equal(
	    msg_decode(&table, buf, MSG_HEADER_LEN, &hdr, &out, sizeof(out)),
	    0);
	assert_int_equal(hdr.seq, 9);
	assert_int_equal(out.unused, 0);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(msg_name(&table, TEST_ALL), "TEST_ALL");
	assert_string_equal(msg_name(&table, 99), "unknown");
	assert_null(msg_find(&table, 99));
	for (uint16_t type = PEER_UP; type <= PEER_LIST_END; type++)
		assert_string_not_equal(
		    msg_name(&peer_link_table, type), "unknown");
}

/* Every message of a real table, filled with one byte, comes back. */
static void the_peer_link_comes_back(void **state)
{
	struct peer_up up = {.r = 0x0102030405060708,
	    .slot = 16383,
	    .local = {ADDR_IPV4, {192, 0, 2, 1}, 4500},
	    .peer = {ADDR_IPV4, {203, 0, 113, 7}, 61234},
	    .natt = 1,
	    .identity = "10.0.0.2",
	    .suite = "aes256-sha256-modp2048/aes256-sha256"};
	struct peer_up out;
	struct msg_header hdr;
	uint8_t buf[MSG_MAX];
	int len =
	    msg_encode(&peer_link_table, PEER_UP, 1, &up, buf, sizeof(buf));

	(void)state;
	assert_true(len > 0);
	assert_int_equal(msg_decode(&peer_link_table, buf, (size_t)len, &hdr,
			     &out, sizeof(out)),
	    0);
	assert_true(out.r == up.r);
	assert_int_equal(out.slot, 16383);
	assert_true(addr_equal(&out.peer, &up.peer));
	assert_string_equal(out.suite, up.suite);
	for (int i = 0; i < len; i++)
		assert_int_not_equal(msg_decode(&peer_link_table, buf,
					 (size_t)i, &hdr, &out, sizeof(out)),
		    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_encodes),
	    cmocka_unit_test(every_kind_decodes),
	    cmocka_unit_test(old_contents_are_gone),
	    cmocka_unit_test(ipv6_and_no_address_pass),
	    cmocka_unit_test(every_truncation_is_refused),
	    cmocka_unit_test(faults_are_refused),
	    cmocka_unit_test(capacities_are_taken_to_the_full),
	    cmocka_unit_test(short_buffers_are_noticed),
	    cmocka_unit_test(a_message_without_fields_is_its_header),
	    cmocka_unit_test(names),
	    cmocka_unit_test(the_peer_link_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
