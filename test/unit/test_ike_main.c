/* SPDX-License-Identifier: ISC */
/* Main Mode against the machine: suites, NAT, loss, hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/vendor.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const suites[] = {
    "aes128-sha1-modp2048", "aes256-sha1-ecp256", "aes256-sha256-modp2048"};

static void each_suite_connects_with_and_without_nat(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		bool is_nat = i & 1;
		struct ikew *w = ikew_new(i);
		struct ike_client *c;

		w->save_often = i > 2;
		c = ikew_client(w, is_nat ? "10.0.0.2" : "203.0.113.7",
		    is_nat ? "203.0.113.9" : NULL, 40000);
		c->ike[0] = ikew_suite(true, suites[i / 2]);
		assert_true(ikew_connect(w, c));
		assert_int_equal(c->sa[0].floated, is_nat);
		assert_true(ikew_logged(w, suites[i / 2]));
		assert_int_equal(ikew_logged(w, "client behind NAT"), is_nat);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		assert_int_equal(w->peer[0].up.natt, is_nat);
		assert_true(addr_equal(&w->peer[0].up.peer, &c->outer[is_nat]));
		assert_int_equal(c->hash_failures, 0);
		ikew_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_suite_connects_with_and_without_nat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
