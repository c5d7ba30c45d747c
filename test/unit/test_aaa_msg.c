/* SPDX-License-Identifier: ISC */
/* AAA's messages: round trips, every truncation, values over the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/aaa_msg.h"

#include <errno.h>
#include <string.h>

static struct addr ip4(uint8_t last)
{
	return (struct addr){.family = ADDR_IPV4, .ip = {10, 20, 0, last}};
}

/* Fills the struct of a type with values that differ field by field. */
static void fill(uint16_t type, union aaa_any *m)
{
	memset(m, 0, sizeof(*m));
	switch ((enum aaa_msg)type) {
	case AAA_AUTH:
		m->auth.method = AAA_MSCHAPV2;
		m->auth.id = 7;
		strcpy(m->auth.user, "DOMAIN\\alice");
		m->auth.challenge.len = 16;
		memset(m->auth.challenge.data, 0xc1, 16);
		m->auth.response.len = 49;
		memset(m->auth.response.data, 0xe5, 49);
		break;
	case AAA_AUTH_REPLY:
		m->auth_reply.ok = 1;
		strcpy(m->auth_reply.text, "S=00 M=ok");
		break;
	case AAA_ADDRESS:
		strcpy(m->address.user, "alice");
		break;
	case AAA_ADDRESS_REPLY:
		m->address_reply.ok = 1;
		m->address_reply.local = ip4(1);
		m->address_reply.remote = ip4(2);
		m->address_reply.dns1 = ip4(3);
		m->address_reply.mtu = 1400;
		strcpy(m->address_reply.reason, "none");
		break;
	case AAA_UP:
		strcpy(m->up.ifname, "sp17");
		m->up.unit = 17;
		m->up.local = ip4(1);
		m->up.remote = ip4(2);
		strcpy(m->up.user, "alice");
		break;
	case AAA_STATS:
	case AAA_DOWN:
		m->stats.bytes_in = 1ull << 40;
		m->stats.bytes_out = 2;
		m->stats.packets_in = 3;
		m->stats.packets_out = 4;
		m->stats.seconds = 5;
		strcpy(m->stats.reason, "peer hung up");
		break;
	case AAA_TERM:
		strcpy(m->term.reason, "operator");
		break;
	case AAA_VERDICT:
		m->verdict.code = AAA_OK;
		strcpy(m->verdict.text, "S=00");
		strcpy(m->verdict.reason, "r");
		strcpy(m->verdict.user, "alice");
		m->verdict.ip = ip4(9);
		break;
	}
}

static void every_type_goes_round(void **state)
{
	(void)state;
	for (uint16_t type = AAA_AUTH; type <= AAA_VERDICT; type++) {
		const struct msg_desc *d = msg_find(&aaa_msg_table, type);
		union aaa_any in, out;
		struct msg_header hdr;
		uint8_t buf[MSG_MAX];
		int len;

		assert_non_null(d);
		assert_true(d->size <= sizeof(out));
		fill(type, &in);
		len =
		    msg_encode(&aaa_msg_table, type, 99, &in, buf, sizeof(buf));
		assert_true(len > MSG_HEADER_LEN);
		assert_int_equal(msg_decode(&aaa_msg_table, buf, (size_t)len,
				     &hdr, &out, sizeof(out)),
		    0);
		assert_int_equal(hdr.type, type);
		assert_int_equal(hdr.seq, 99);
		assert_memory_equal(&in, &out, d->size);
	}
}

static void no_truncation_and_no_tail_is_taken(void **state)
{
	(void)state;
	for (uint16_t type = AAA_AUTH; type <= AAA_VERDICT; type++) {
		union aaa_any in, out;
		struct msg_header hdr;
		uint8_t buf[MSG_MAX] = {0};
		int len;

		fill(type, &in);
		len =
		    msg_encode(&aaa_msg_table, type, 1, &in, buf, sizeof(buf));
		assert_true(len > 0);
		for (int cut = 0; cut < len; cut++)
			assert_int_equal(
			    msg_decode(&aaa_msg_table, buf, (size_t)cut, &hdr,
				&out, sizeof(out)),
			    -EBADMSG);
		assert_int_equal(msg_decode(&aaa_msg_table, buf,
				     (size_t)len + 1, &hdr, &out, sizeof(out)),
		    -EBADMSG);
	}
}

static void a_text_over_its_limit_is_refused(void **state)
{
	struct msg_header hdr;
	union aaa_any in, out;
	uint8_t buf[MSG_MAX];
	int len;

	(void)state;
	memset(&in, 0, sizeof(in));
	memset(in.address.user, 'a', AAA_USER_MAX);
	assert_int_equal(
	    msg_encode(&aaa_msg_table, AAA_ADDRESS, 1, &in, buf, sizeof(buf)),
	    -EINVAL);
	in.address.user[AAA_USER_MAX - 1] = '\0';
	len = msg_encode(&aaa_msg_table, AAA_ADDRESS, 1, &in, buf, sizeof(buf));
	assert_int_equal(len, MSG_HEADER_LEN + 2 + AAA_USER_MAX - 1);
	/* One byte longer on the wire than the struct can hold. */
	buf[MSG_HEADER_LEN + 1]++;
	buf[len] = 'a';
	assert_int_equal(msg_decode(&aaa_msg_table, buf, (size_t)len + 1, &hdr,
			     &out, sizeof(out)),
	    -EBADMSG);
	buf[MSG_HEADER_LEN + 1]--;
	buf[len - 1] = '\0';
	assert_int_equal(msg_decode(&aaa_msg_table, buf, (size_t)len, &hdr,
			     &out, sizeof(out)),
	    -EBADMSG);
}

static void unknown_types_are_refused(void **state)
{
	uint8_t buf[64] = {0, MSG_VERSION, 0, 0, 0, 0, 0, 1};
	struct msg_header hdr;
	union aaa_any out;

	(void)state;
	assert_int_equal(
	    msg_decode(&aaa_msg_table, buf, 8, &hdr, &out, sizeof(out)),
	    -ENOENT);
	buf[3] = AAA_VERDICT + 1;
	assert_int_equal(
	    msg_decode(&aaa_msg_table, buf, 8, &hdr, &out, sizeof(out)),
	    -ENOENT);
}

static void methods_have_names(void **state)
{
	(void)state;
	assert_int_equal(aaa_method_parse("mschap-v2"), AAA_MSCHAPV2);
	assert_int_equal(aaa_method_parse("chap-md5"), AAA_CHAP_MD5);
	assert_int_equal(aaa_method_parse("pap"), AAA_PAP);
	assert_int_equal(aaa_method_parse("PAP"), 0);
	assert_int_equal(aaa_method_parse(""), 0);
	for (unsigned int m = AAA_MSCHAPV2; m <= AAA_PAP; m++)
		assert_int_equal(aaa_method_parse(aaa_method_name(m)), m);
	assert_string_equal(aaa_method_name(0), "unknown");
	assert_string_equal(aaa_method_name(AAA_PAP + 1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_goes_round),
	    cmocka_unit_test(no_truncation_and_no_tail_is_taken),
	    cmocka_unit_test(a_text_over_its_limit_is_refused),
	    cmocka_unit_test(unknown_types_are_refused),
	    cmocka_unit_test(methods_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
