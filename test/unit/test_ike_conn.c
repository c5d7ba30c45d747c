/* SPDX-License-Identifier: ISC */
/*
 * What the shell hears of a connection of ours that has an IKE SA and gets
 * no IPsec SAs: once, with the reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/ike_priv.h"
#include "test/lib/ike_pair.h"

#include <errno.h>
#include <string.h>

#define FOREVER 400000

static struct ike_pair *begin(bool save)
{
	struct ike_pair *p = pair_new(9);

	p->i->save_often = p->r->save_often = save;
	return p;
}

static void up(struct ike_pair *p)
{
	pair_connect(p, &persona_default);
	assert_true(pair_up(p, FOREVER));
}

/* Once, with these words; nothing of IPsec is left. */
static void expect_failure(struct ike_pair *p, const char *why)
{
	pair_run(p, FOREVER);
	assert_int_equal(p->i->conn_ups, 1);
	assert_int_equal(p->i->conn_failures, 1);
	if (!strstr(p->i->conn_text, why))
		fail_msg("it says: %s", p->i->conn_text);
	assert_int_equal(ikew_live_sas(p->i), 0);
	assert_int_equal(ikew_counts(p->i).pairs, 0);
	pair_free(p);
}

static void a_refused_proposal(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);

		ikew_accept(p->r, NULL, "aes256-sha512");
		up(p);
		expect_failure(p, "Quick Mode is refused: NO-PROPOSAL-CHOSEN");
	}
}

static void no_answer(void **state)
{
	struct persona patient = persona_default;
	struct ike_pair *p = begin(false);

	(void)state;
	patient.dpd_ms = 0;
	pair_connect(p, &patient);
	assert_true(pair_up(p, FOREVER));
	p->is_cut = true;
	expect_failure(p, "no answer to message 1 of Quick Mode");
}

/* DPD may be faster. */
static void a_dead_server(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);

		up(p);
		p->is_cut = true;
		expect_failure(p, "its IKE SA ended before Quick Mode");
	}
}

static void l2tpd_does_not_want_it(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);

		p->i->refuse_peers = true;
		up(p);
		expect_failure(p, "l2tpd did not take it");
	}
}

static void there_is_no_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);

		p->i->open_error = -ENOSPC;
		up(p);
		expect_failure(p, "no number (R)");
	}
}

static void the_kernel_refuses(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);

		p->i->add_error = -EINVAL;
		up(p);
		expect_failure(p, "the kernel refused the inbound IPsec SA");
	}
}

/* Message 3 has left by then. */
static void the_kernel_refuses_the_second(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);

		up(p);
		while (!ikew_live_sas(p->i))
			pair_run(p, 1);
		p->i->add_error = -EINVAL;
		expect_failure(p, "the kernel refused the outbound IPsec SA");
	}
}

static void no_random_bytes(void **state)
{
	(void)state;
	for (int n = 1; n < 4; n++) {
		struct ike_pair *p = begin(n & 1);

		pair_connect(p, &persona_default);
		while (p->i->ike->sas && p->i->ike->sas->state != SA_SENT5)
			pair_run(p, 1);
		p->i->bad_random = p->i->randoms + n;
		pair_run(p, FOREVER);
		/* DPD has a random number of its own, after Quick Mode's. */
		assert_true(p->i->conn_failures <= 1);
		assert_int_equal(
		    p->i->conn_failures, ikew_counts(p->i).pairs == 0);
		if (p->i->conn_failures)
			assert_non_null(
			    strstr(p->i->conn_text, "no random bytes"));
		pair_free(p);
	}
}

/* The server takes the IKE SA back. */
static void the_ike_sa_goes_first(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);
		struct ike_event ev = {.type = IKE_EV_SHUTDOWN};

		p->i->hold_ready = true;
		up(p);
		pair_run(p, 500);
		ikew_step(p->r, &ev);
		expect_failure(p, "its IKE SA ended before Quick Mode");
	}
}

/* The shell need not hear of what it has ordered. */
static void who_closes_it_is_told_nothing(void **state)
{
	static const enum ike_event_type types[] = {
	    IKE_EV_CONN_CLOSE, IKE_EV_SHUTDOWN};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct ike_pair *p = begin(i & 1);
		struct ike_event ev = {.type = types[i / 2], .job = 1};

		p->r->hold_ready = true;
		up(p);
		pair_run(p, 500);
		ikew_step(p->i, &ev);
		pair_run(p, FOREVER);
		assert_int_equal(p->i->conn_failures, 0);
		assert_int_equal(ikew_counts(p->i).sas, 0);
		pair_free(p);
	}
}

/* Nor of a renewal that fails: the connection stays. */
static void a_renewal_is_no_beginning(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = begin(save);
		struct ike_event ev = {.type = IKE_EV_CONN_REKEY_ESP, .job = 1};

		up(p);
		pair_run(p, 2000);
		p->is_cut = true;
		ikew_step(p->i, &ev);
		pair_run(p, 20000);
		assert_true(
		    ikew_counts(p->i).pairs == 1 && !p->i->conn_failures);
		p->is_cut = false;
		pair_run(p, FOREVER);
		assert_int_equal(p->i->conn_failures, 0);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_refused_proposal),
	    cmocka_unit_test(no_answer),
	    cmocka_unit_test(a_dead_server),
	    cmocka_unit_test(l2tpd_does_not_want_it),
	    cmocka_unit_test(there_is_no_r),
	    cmocka_unit_test(the_kernel_refuses),
	    cmocka_unit_test(the_kernel_refuses_the_second),
	    cmocka_unit_test(no_random_bytes),
	    cmocka_unit_test(the_ike_sa_goes_first),
	    cmocka_unit_test(who_closes_it_is_told_nothing),
	    cmocka_unit_test(a_renewal_is_no_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
