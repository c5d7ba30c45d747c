/* SPDX-License-Identifier: ISC */
/* The messages between ikev1d's engine and its monitor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/msg.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/im_msg.h"

#include <string.h>

static void test_messages(void **state)
{
	uint8_t out[MSG_MAX];
	union im_any body, back;

	(void)state;
	for (size_t i = 0; i < im_table.count; i++) {
		const struct msg_desc *d = &im_table.descs[i];
		struct msg_header hdr;
		int n;

		memset(&body, 0, sizeof(body));
		assert_true(d->size <= sizeof(body));
		n = msg_encode(&im_table, d->type, 7, &body, out, sizeof(out));
		assert_true(n >= MSG_HEADER_LEN);
		assert_int_equal(msg_decode(&im_table, out, (size_t)n, &hdr,
				     &back, sizeof(back)),
		    0);
		assert_int_equal(hdr.type, d->type);
		assert_memory_equal(&body, &back, d->size);
		for (int cut = 0; cut < n; cut++)
			assert_int_not_equal(
			    msg_decode(&im_table, out, (size_t)cut, &hdr, &back,
				sizeof(back)),
			    0);
		assert_ptr_equal(msg_find(&im_table, d->type), d);
	}
}

static void test_sa_message(void **state)
{
	struct ike_kernel_sa sa = {.r = 1ull << 40,
	    .slot = 9,
	    .dir = IKE_SA_OUT,
	    .spi = 0xdeadbeef,
	    .encap = true,
	    .cipher = ESP_AES,
	    .auth = ESP_AUTH_SHA512,
	    .trunc_bits = 256,
	    .enc_len = 32,
	    .auth_len = 64,
	    .soft_s = 1,
	    .hard_s = 2,
	    .soft_bytes = 1ull << 33,
	    .hard_bytes = 1ull << 34};
	struct ike_kernel_sa back;
	struct msg_header hdr;
	struct im_sa m, got;
	uint8_t out[MSG_MAX];
	int n;

	(void)state;
	addr_parse(&sa.src, "192.0.2.1");
	addr_parse(&sa.dst, "203.0.113.7");
	sa.src.port = 4500;
	sa.dst.port = 40000;
	memset(sa.enc_key, 0x11, 32);
	memset(sa.auth_key, 0x22, 64);
	im_sa_from_kernel(&m, 77, &sa);
	n = msg_encode(&im_table, IM_SA_ADD, 0, &m, out, sizeof(out));
	assert_true(n > 0);
	assert_int_equal(
	    msg_decode(&im_table, out, (size_t)n, &hdr, &got, sizeof(got)), 0);
	assert_int_equal(got.job, 77);
	im_sa_to_kernel(&back, &got);
	assert_int_equal(back.r, sa.r);
	assert_int_equal(back.slot, 9);
	assert_int_equal(back.dir, IKE_SA_OUT);
	assert_int_equal(back.spi, 0xdeadbeef);
	assert_true(back.encap);
	assert_true(addr_equal(&back.src, &sa.src));
	assert_true(addr_equal(&back.dst, &sa.dst));
	assert_int_equal(back.cipher, ESP_AES);
	assert_int_equal(back.auth, ESP_AUTH_SHA512);
	assert_int_equal(back.trunc_bits, 256);
	assert_int_equal(back.enc_len, 32);
	assert_int_equal(back.auth_len, 64);
	assert_memory_equal(back.enc_key, sa.enc_key, IKE_KEY_MAX);
	assert_memory_equal(back.auth_key, sa.auth_key, IKE_KEY_MAX);
	assert_int_equal(back.soft_s, 1);
	assert_int_equal(back.hard_s, 2);
	assert_true(back.soft_bytes == sa.soft_bytes);
	assert_true(back.hard_bytes == sa.hard_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_messages),
	    cmocka_unit_test(test_sa_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
