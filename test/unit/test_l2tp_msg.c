/* SPDX-License-Identifier: ISC */
/* L2TP control messages: known clients' bytes, truncations, wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "l2tpd/core/msg.h"
#include "test/lib/l2tp_vectors.h"

#include <errno.h>
#include <string.h>

static struct l2tp_header hdr;
static struct l2tp_problem problem;
static uint8_t scratch[2048];

static int decode_bytes(const void *data, size_t len, struct l2tp_msg *msg)
{
	struct wire_span body;
	int err =
	    l2tp_header_decode((struct wire_span){data, len}, &hdr, &body);

	if (err)
		return err;
	return l2tp_msg_decode(body, msg, &problem);
}

static int decode(const struct l2tp_vector *v, struct l2tp_msg *msg)
{
	return decode_bytes(v->data, v->len, msg);
}

static void assert_text(struct wire_span s, const char *text)
{
	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.data, text, s.len);
}

/* --- known clients ---------------------------------------------------- */

static void windows(void **state)
{
	struct l2tp_msg msg;

	(void)state;
	assert_int_equal(l2tp_windows_sccrq.len, 108);
	assert_int_equal(decode(&l2tp_windows_sccrq, &msg), 0);
	assert_int_equal(msg.type, L2TP_SCCRQ);
	assert_true(msg.is_mandatory);
	assert_int_equal(hdr.tunnel_id, 0);
	assert_int_equal(msg.protocol_version, 0x0100);
	assert_int_equal(msg.framing_capabilities, L2TP_FRAMING_SYNC);
	assert_true(L2TP_HAS(&msg, BEARER_CAPABILITIES));
	assert_int_equal(msg.bearer_capabilities, 0);
	assert_int_equal(msg.firmware, 0x0a00);
	assert_text(msg.host_name, "DESKTOP-ABCDEF1");
	assert_text(msg.vendor_name, "Microsoft");
	assert_int_equal(msg.assigned_tunnel_id, 1);
	assert_int_equal(msg.receive_window, 8);
	assert_false(L2TP_HAS(&msg, CHALLENGE));
	assert_false(L2TP_HAS(&msg, TIE_BREAKER));
	/* A vendor's AVPs without M are skipped. */
	assert_int_equal(decode(&l2tp_windows_icrq, &msg), 0);
	assert_int_equal(msg.type, L2TP_ICRQ);
	assert_int_equal(hdr.tunnel_id, 3);
	assert_int_equal(hdr.ns, 2);
	assert_int_equal(hdr.nr, 1);
	assert_int_equal(msg.assigned_session_id, 1);
	assert_int_equal(msg.bearer_type, 2);
}

static void apple(void **state)
{
	struct l2tp_msg msg;

	(void)state;
	assert_int_equal(decode(&l2tp_apple_sccrq, &msg), 0);
	assert_text(msg.host_name, "mb.local");
	assert_int_equal(msg.framing_capabilities, 3);
	assert_int_equal(msg.assigned_tunnel_id, 42);
	assert_int_equal(msg.receive_window, 4);
	assert_int_equal(decode(&l2tp_apple_cdn, &msg), 0);
	assert_int_equal(msg.result.code, L2TP_CDN_ERROR);
	assert_true(msg.result.has_error);
	assert_int_equal(msg.result.error, L2TP_ERROR_VENDOR);
	assert_int_equal(msg.assigned_session_id, 7);
	assert_int_equal(hdr.session_id, 0x1234);
}

static void mtpd(void **state)
{
	struct l2tp_msg msg;

	(void)state;
	assert_int_equal(decode(&l2tp_mtpd_sccrq, &msg), 0);
	assert_text(msg.host_name, "anonymous");
	assert_int_equal(msg.receive_window, 1);
	assert_int_equal(decode(&l2tp_mtpd_iccn, &msg), 0);
	assert_int_equal(msg.connect_speed, 100000000);
	assert_int_equal(msg.framing_type, 3);
	assert_false(L2TP_HAS(&msg, SEQUENCING_REQUIRED));
}

static void xl2tpd(void **state)
{
	struct l2tp_msg msg;

	(void)state;
	assert_int_equal(decode(&l2tp_xl2tpd_sccrq, &msg), 0);
	assert_int_equal(msg.firmware, 0x0690);
	assert_text(msg.vendor_name, "xelerance.com");
	assert_int_equal(msg.receive_window, 4);
	assert_int_equal(msg.assigned_tunnel_id, 0xb31c);
}

static void stop_and_hello(void **state)
{
	struct l2tp_msg msg;

	(void)state;
	assert_int_equal(decode(&l2tp_hello, &msg), 0);
	assert_int_equal(msg.type, L2TP_HELLO);
	assert_int_equal(decode(&l2tp_stopccn, &msg), 0);
	assert_int_equal(msg.result.code, 1);
	assert_int_equal(msg.result.error, 0);
	assert_text(msg.result.text, "bye");
	assert_int_equal(msg.assigned_tunnel_id, 11);
}

/* --- the header -------------------------------------------------------- */

static int header(const void *data, size_t len, struct wire_span *body)
{
	return l2tp_header_decode((struct wire_span){data, len}, &hdr, body);
}

static void truncated_datagrams(void **state)
{
	struct wire_span body;

	(void)state;
	for (size_t v = 0; v < l2tp_vector_count; v++) {
		for (size_t len = 0; len < l2tp_vectors[v]->len; len++)
			assert_int_equal(
			    header(l2tp_vectors[v]->data, len, &body),
			    -EBADMSG);
		assert_int_equal(
		    header(l2tp_vectors[v]->data, l2tp_vectors[v]->len, &body),
		    0);
		assert_int_equal(
		    body.len, l2tp_vectors[v]->len - L2TP_HEADER_LEN);
	}
}

static void the_length_field(void **state)
{
	uint8_t in[20];
	struct wire_span body;

	(void)state;
	memcpy(in, l2tp_hello.data, sizeof(in));
	for (unsigned int len = 0; len < 256; len++) {
		in[3] = (uint8_t)len;
		assert_int_equal(header(in, sizeof(in), &body),
		    len < 12 || len > 20 ? -EBADMSG : 0);
	}
	/* Bytes behind it are not part of the message. */
	in[3] = 12;
	assert_int_equal(header(in, sizeof(in), &body), 0);
	assert_int_equal(body.len, 0);
}

static void the_bits(void **state)
{
	static const struct {
		uint8_t first, second;
		int result;
	} cases[] = {
	    {0xc8, 0x02, 0},
	    {0xc9, 0x02, 0},	    /* P: ignored */
	    {0xfc, 0xf2, 0},	    /* reserved bits: ignored */
	    {0x88, 0x02, -EBADMSG}, /* no length */
	    {0xc0, 0x02, -EBADMSG}, /* no sequence */
	    {0xca, 0x02, -EBADMSG}, /* an offset */
	    {0xc8, 0x03, -EPROTO},  /* L2TPv3 */
	    {0xc8, 0x01, -EPROTO},  /* L2F */
	    {0x00, 0x02, -ENOMSG},  /* data, nothing optional */
	    {0x40, 0x02, -ENOMSG},  /* data with length, as Apple */
	    {0x4b, 0x02, -ENOMSG},  /* all there is */
	    {0x00, 0x01, -EPROTO},
	};
	uint8_t in[20];
	struct wire_span body;

	(void)state;
	memcpy(in, l2tp_hello.data, sizeof(in));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		in[0] = cases[i].first;
		in[1] = cases[i].second;
		assert_int_equal(
		    header(in, sizeof(in), &body), cases[i].result);
	}
}

/* --- bodies ------------------------------------------------------------ */

/* An SCCRQ that is good, and one more AVP of these bytes. */
static int with_avp(const void *avp, size_t len, struct l2tp_msg *msg)
{
	const struct l2tp_vector *v = &l2tp_mtpd_sccrq;

	memcpy(scratch, v->data, v->len);
	memcpy(scratch + v->len, avp, len);
	scratch[2] = (uint8_t)((v->len + len) >> 8);
	scratch[3] = (uint8_t)(v->len + len);
	return decode_bytes(scratch, v->len + len, msg);
}

/* Each prefix of a body either lacks something or does not parse. */
static void truncated_bodies(void **state)
{
	struct l2tp_msg msg;

	(void)state;
	for (size_t v = 0; v < l2tp_vector_count; v++) {
		size_t last = 0, all = l2tp_vectors[v]->len - L2TP_HEADER_LEN;
		const uint8_t *data = l2tp_vectors[v]->data + L2TP_HEADER_LEN;

		for (size_t len = 1; len < all; len++) {
			struct wire_span body = {data, len};

			if (l2tp_msg_decode(body, &msg, &problem)) {
				assert_int_not_equal(problem.error, 0);
				assert_string_not_equal(problem.text, "");
			} else {
				last = len;
			}
		}
		/* Only what lacks optional AVPs alone decodes. */
		assert_true(last == 0 || last >= 8);
	}
}

static void a_message_needs_its_avps(void **state)
{
	static const struct {
		uint16_t type;
		uint64_t needs;
	} cases[] = {
	    {L2TP_SCCRQ, 1 << 2 | 1 << 3 | 1 << 7 | 1 << 9},
	    {L2TP_SCCRP, 1 << 2 | 1 << 3 | 1 << 7 | 1 << 9},
	    {L2TP_SCCCN, 0},
	    {L2TP_STOPCCN, 1 << 1 | 1 << 9},
	    {L2TP_HELLO, 0},
	    {L2TP_ICRQ, 1 << 14 | 1 << 15},
	    {L2TP_ICRP, 1 << 14},
	    {L2TP_ICCN, 1 << 19 | 1 << 24},
	    {L2TP_OCRQ, 1 << 14 | 1 << 15 | 1 << 16 | 1 << 17 | 1 << 18 |
			    1 << 19 | 1 << 21},
	    {L2TP_OCRP, 1 << 14},
	    {L2TP_OCCN, 1 << 19 | 1 << 24},
	    {L2TP_CDN, 1 << 1 | 1 << 14},
	};
	const struct wire_span text = {(const uint8_t *)"x", 1};
	struct l2tp_msg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int drop = 0; drop < 26; drop++) {
			bool lacks = cases[i].needs >> drop & 1;
			int len;

			msg = (struct l2tp_msg){.type = cases[i].type};
			msg.host_name = text;
			msg.present = cases[i].needs & ~(UINT64_C(1) << drop);
			len = l2tp_msg_encode(
			    &msg, 1, 2, scratch, sizeof(scratch));
			assert_true(len > 0);
			assert_int_equal(
			    decode_bytes(scratch, (size_t)len, &msg),
			    lacks ? -EBADMSG : 0);
			if (!lacks)
				continue;
			assert_int_equal(problem.error, L2TP_ERROR_VALUE);
			assert_false(problem.is_fatal);
			assert_non_null(strstr(
			    problem.text, l2tp_avp_name((uint16_t)drop)));
		}
	}
}

static void unknown_avps(void **state)
{
	/* Type 60; vendor 9's; type 39 with a reserved bit; a hidden 13. */
	static const uint8_t avps[][8] = {
	    {0x00, 8, 0, 0, 0, 60, 1, 2},
	    {0x00, 8, 0, 9, 0, 7, 1, 2},
	    {0x04, 8, 0, 0, 0, 10, 1, 2},
	    {0x40, 8, 0, 0, 0, 13, 1, 2},
	};
	struct l2tp_msg msg;
	uint8_t avp[8];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		memcpy(avp, avps[i], 8);
		assert_int_equal(with_avp(avp, 8, &msg), 0);
		assert_int_equal(msg.receive_window, 1);
		avp[0] |= 0x80;
		assert_int_equal(with_avp(avp, 8, &msg), -EBADMSG);
		assert_int_equal(problem.error, L2TP_ERROR_UNKNOWN_AVP);
		assert_false(problem.is_fatal);
		/* The rest is there, for the answer. */
		assert_int_equal(msg.assigned_tunnel_id, 0x5a77);
	}
}

static void lengths_of_values(void **state)
{
	uint8_t avp[64] = {0x80};
	struct l2tp_msg msg;

	(void)state;
	for (size_t i = 1; i < l2tp_avp_count; i++) {
		const struct l2tp_avp_row *row = &l2tp_avp_table[i];

		for (uint8_t len = 0; len < 40; len++) {
			bool good = len >= row->min && len <= row->max;

			avp[0] = 0x80;
			avp[1] = (uint8_t)(6 + len);
			avp[5] = (uint8_t)row->type;
			assert_int_equal(
			    with_avp(avp, 6u + len, &msg), good ? 0 : -EBADMSG);
			if (!good)
				assert_int_equal(
				    problem.error, L2TP_ERROR_LENGTH);
			avp[0] = 0; /* without M it is skipped */
			assert_int_equal(with_avp(avp, 6u + len, &msg), 0);
		}
	}
}

static void an_avp_beyond_the_message_is_fatal(void **state)
{
	static const uint8_t avps[][6] = {
	    {0x80, 7, 0, 0, 0, 10},
	    {0x80, 5, 0, 0, 0, 10},
	    {0x00, 0, 0, 0, 0, 10},
	    {0x03, 0xff, 0, 0, 0, 60},
	};
	struct l2tp_msg msg;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(with_avp(avps[i], 6, &msg), -EBADMSG);
		assert_true(problem.is_fatal);
		assert_int_equal(problem.error, L2TP_ERROR_LENGTH);
	}
	assert_int_equal(with_avp(avps[0], 3, &msg), -EBADMSG);
	assert_true(problem.is_fatal);
}

static void the_first_of_two_counts(void **state)
{
	const uint8_t avp[] = {0x80, 8, 0, 0, 0, 9, 0x77, 0x77};
	struct l2tp_msg msg;

	(void)state;
	assert_int_equal(with_avp(avp, 8, &msg), 0);
	assert_int_equal(msg.assigned_tunnel_id, 0x5a77);
	/* An AVP of another message says nothing. */
	assert_int_equal(with_avp("\x80\x08\0\0\0\x0e\0\x05", 8, &msg), 0);
	assert_false(L2TP_HAS(&msg, ASSIGNED_SESSION_ID));
	assert_int_equal(msg.assigned_session_id, 0);
}

static void message_types(void **state)
{
	uint8_t in[20];
	struct l2tp_msg msg;

	(void)state;
	memcpy(in, l2tp_hello.data, sizeof(in));
	in[19] = 5; /* no such type, M bit */
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), -EBADMSG);
	assert_true(problem.is_fatal);
	in[12] = 0; /* the same without M */
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), 0);
	assert_int_equal(msg.type, 5);
	assert_false(msg.is_mandatory);
	in[18] = 0x01; /* 0x0106, not 6: no truncation to a byte */
	in[19] = 0x06;
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), 0);
	assert_int_equal(msg.type, 0x0106);
	/* Not first, hidden, reserved bits, a vendor's, another length. */
	memcpy(in, l2tp_hello.data, sizeof(in));
	in[17] = 1;
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), -EBADMSG);
	assert_true(problem.is_fatal);
	assert_int_equal(msg.type, 0);
	in[17] = 0;
	in[12] = 0xc0;
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), -EBADMSG);
	in[12] = 0x84;
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), -EBADMSG);
	in[12] = 0x80;
	in[15] = 1;
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), -EBADMSG);
	in[15] = 0;
	in[13] = 7;
	assert_int_equal(decode_bytes(in, sizeof(in), &msg), -EBADMSG);
}

static void result_codes(void **state)
{
	static const struct {
		uint8_t len;
		uint8_t value[5];
		uint16_t code;
		bool has_error;
		uint16_t error;
	} cases[] = {
	    {2, {0, 1}, 1, false, 0},
	    {3, {0, 2, 9}, 2, false, 0}, /* half an error code */
	    {4, {0, 2, 0, 6}, 2, true, 6},
	    {4, {2, 0, 6, 0}, 2, true, 6}, /* byte-swapped */
	    {5, {0, 2, 0, 0, 'x'}, 2, true, 0},
	};
	uint8_t in[64];
	struct l2tp_msg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = 34u + cases[i].len;

		memcpy(in, l2tp_stopccn.data, 20);
		memcpy(in + 20, "\x80\x08\0\0\0\x09\0\x0b\x80\0\0\0\0\x01", 14);
		in[29] = (uint8_t)(6 + cases[i].len);
		memcpy(in + 34, cases[i].value, cases[i].len);
		in[3] = (uint8_t)len;
		assert_int_equal(decode_bytes(in, len, &msg), 0);
		assert_int_equal(msg.result.code, cases[i].code);
		assert_int_equal(msg.result.has_error, cases[i].has_error);
		assert_int_equal(msg.result.error, cases[i].error);
		assert_int_equal(msg.result.text.len, cases[i].len == 5);
	}
}

/* --- encoding ---------------------------------------------------------- */

/* What we decode and encode again decodes to the same. */
static void vectors_survive_a_round_trip(void **state)
{
	struct l2tp_msg a, b;
	uint8_t again[2048];
	int len;

	(void)state;
	for (size_t v = 0; v + 1 < l2tp_vector_count; v++) {
		assert_int_equal(decode(l2tp_vectors[v], &a), 0);
		len = l2tp_msg_encode(
		    &a, hdr.tunnel_id, hdr.session_id, again, sizeof(again));
		assert_true(len > 0);
		l2tp_msg_set_sequence(again, (size_t)len, hdr.ns, hdr.nr);
		assert_int_equal(decode_bytes(again, (size_t)len, &b), 0);
		assert_int_equal(a.type, b.type);
		assert_true(a.present == b.present);
		assert_int_equal(a.receive_window, b.receive_window);
		assert_true(wire_span_equal(a.host_name, b.host_name));
		assert_int_equal(a.result.error, b.result.error);
		assert_true(wire_span_equal(a.result.text, b.result.text));
	}
	/* Nothing to normalise in this one: byte for byte. */
	assert_int_equal(decode(&l2tp_windows_sccrq, &a), 0);
	assert_int_equal(l2tp_msg_encode(&a, 0, 0, again, sizeof(again)), 108);
	assert_memory_equal(again, l2tp_windows_sccrq.data, 108);
}

static void no_room(void **state)
{
	struct l2tp_msg msg;

	(void)state;
	assert_int_equal(decode(&l2tp_windows_sccrq, &msg), 0);
	for (size_t size = 0; size < 108; size++)
		assert_int_equal(
		    l2tp_msg_encode(&msg, 1, 2, scratch, size), -ENOSPC);
	msg.host_name = (struct wire_span){scratch, L2TP_AVP_MAX};
	assert_int_equal(
	    l2tp_msg_encode(&msg, 1, 2, scratch, sizeof(scratch)), -ENOSPC);
}

static void zlbs(void **state)
{
	uint8_t out[L2TP_HEADER_LEN];

	(void)state;
	l2tp_zlb_encode(3, 4, 3, out);
	assert_memory_equal(out, l2tp_zlb.data, sizeof(out));
	l2tp_msg_set_sequence(out, sizeof(out), 0x0102, 0xfffe);
	assert_memory_equal(out + 8, "\x01\x02\xff\xfe", 4);
}

static void printable_text(void **state)
{
	const struct wire_span s = {(const uint8_t *)"a\n\x80%s~", 6};
	char out[16];

	(void)state;
	assert_string_equal(l2tp_printable(s, out, sizeof(out)), "a??%s~");
	assert_string_equal(l2tp_printable(s, out, 3), "a?");
	assert_string_equal(l2tp_printable(s, out, 1), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(windows),
	    cmocka_unit_test(apple),
	    cmocka_unit_test(mtpd),
	    cmocka_unit_test(xl2tpd),
	    cmocka_unit_test(stop_and_hello),
	    cmocka_unit_test(truncated_datagrams),
	    cmocka_unit_test(the_length_field),
	    cmocka_unit_test(the_bits),
	    cmocka_unit_test(truncated_bodies),
	    cmocka_unit_test(a_message_needs_its_avps),
	    cmocka_unit_test(unknown_avps),
	    cmocka_unit_test(lengths_of_values),
	    cmocka_unit_test(an_avp_beyond_the_message_is_fatal),
	    cmocka_unit_test(the_first_of_two_counts),
	    cmocka_unit_test(message_types),
	    cmocka_unit_test(result_codes),
	    cmocka_unit_test(vectors_survive_a_round_trip),
	    cmocka_unit_test(no_room),
	    cmocka_unit_test(zlbs),
	    cmocka_unit_test(printable_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
