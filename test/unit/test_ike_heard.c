/* SPDX-License-Identifier: ISC */
/*
 * Whoever comes with another's ID and key to another's place, but does not
 * hear what is sent there: with a shared key and an ID that many have (all
 * that are 10.0.0.2 at home), behind one NAT, a source port is all that is
 * left to be forged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/ike_world.h"

#include <string.h>

#define MINUTES 60000

/* From its own port first, later from the victim's, the first client's. */
static void forge(
    struct ike_client *c, bool floated, const uint8_t *data, size_t len)
{
	struct ikew *w = c->ctx;

	ikew_inject(w, floated ? &w->client[0]->outer[1] : &c->outer[0],
	    floated ? 4500 : 500, data, len);
}

/*
 * Up to an IKE SA at the victim's place.  Message 6 holds nothing that it
 * could not compute; of what comes later it hears nothing.
 */
static struct ike_client *intruder(struct ikew *w, bool contact)
{
	struct ike_client *c = ikew_client(w, "10.0.0.2", "203.0.113.9", 41000);
	struct addr own = c->outer[1];

	c->send = forge;
	c->initial_contact = contact;
	c->outer[1] = w->client[0]->outer[1];
	assert_true(ikew_main(w, c));
	c->outer[1] = own;
	return c;
}

static struct ikew *victim(struct ike_client **c, bool save)
{
	struct ikew *w = ikew_connected(c, save);

	w->traffic = true;
	ikew_run(w, 5000);
	return w;
}

/* The victim notices nothing, and goes on as it likes. */
static void expect_unharmed(struct ikew *w, struct ike_client *c, uint64_t r)
{
	assert_int_equal(ikew_r_of(w, c), r);
	assert_true(ikew_pair_right(w, c));
	assert_int_equal(c->deletes_esp + c->deletes_sa, 0);
	assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
	assert_int_equal(w->peer[0].updates, 0);
	assert_true(ikew_quick(w, c));
	ikew_run(w, 50);
	assert_int_equal(ikew_r_of(w, c), r);
}

static void who_does_not_hear_us_is_no_heir(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct ike_client *c, *bad;
		struct ikew *w = victim(&c, i & 1);
		uint64_t r = ikew_r_of(w, c);

		bad = intruder(w, i & 2);
		if (i & 4)
			ikec_start_quick(bad);
		/* Its IKE SA is probed and found dead meanwhile. */
		ikew_run(w, 10 * MINUTES);
		assert_true(c->dpd_asked > 0);
		expect_unharmed(w, c, r);
		ikew_free(w);
	}
}

/* None of the victim's IKE SAs makes way for many of the intruder's. */
static void many_of_them_push_nobody_out(void **state)
{
	struct ike_client *c, *bad;
	struct ikew *w = victim(&c, true);
	uint64_t r = ikew_r_of(w, c);

	(void)state;
	for (int i = 0; i < 6; i++) {
		bad = intruder(w, true);
		ikec_start_quick(bad);
		ikew_run(w, 200);
		assert_int_equal(c->deletes_sa, 0);
	}
	expect_unharmed(w, c, r);
	ikew_free(w);
}

/* What an intruder says under its own IKE SA is about its own. */
static void its_words_are_about_its_own(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c, *bad;
		struct ikew *w = victim(&c, save);
		uint64_t r = ikew_r_of(w, c);

		bad = intruder(w, false);
		ikec_notify(bad, ISAKMP_N_INITIAL_CONTACT);
		ikec_delete_esp(bad, ikec_newest_pair(c)->spi_in);
		ikew_run(w, 100);
		expect_unharmed(w, c, r);
		/* The client that does hear us may say both. */
		ikec_delete_esp(c, c->pair[0].spi_in);
		ikew_run(w, 100);
		assert_int_equal(ikew_counts(w).pairs, 1);
		ikew_free(w);
	}
}

/* Another suite in the intruder's Quick Mode is not told as the victim's. */
static void the_suite_is_not_touched(void **state)
{
	struct ike_client *c, *bad;
	struct ikew *w = victim(&c, false);
	char before[sizeof(w->peer[0].up.suite)];

	(void)state;
	memcpy(before, w->peer[0].up.suite, sizeof(before));
	bad = intruder(w, false);
	bad->esp[0] = ikew_suite(false, "aes128-sha1");
	ikec_start_quick(bad);
	ikew_run(w, 1000);
	assert_string_equal(w->peer[0].up.suite, before);
	expect_unharmed(w, c, ikew_r_of(w, c));
	ikew_free(w);
}

/* Dead IKE SAs of the victim leave nothing to the intruder. */
static void no_inheritance_later(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = victim(&c, save);
		uint64_t r = ikew_r_of(w, c);

		intruder(w, false);
		ikec_delete_sa(c, c->cur);
		ikew_run(w, 10 * MINUTES);
		assert_int_equal(ikew_r_of(w, c), r);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		assert_true(ikew_pair_right(w, c));
		ikew_free(w);
	}
}

/* --- who does hear us ---------------------------------------------------- */

/* The same client begins again at its place: message 3 of Quick Mode. */
static void quick_mode_proves_it(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct ike_client *c;
		struct ikew *w = victim(&c, i & 1);
		uint64_t r = ikew_r_of(w, c);
		uint32_t old = ikec_newest_pair(c)->spi_out;

		c->initial_contact = i & 2;
		c->has_dpd = false;
		assert_true(ikew_main(w, c));
		/* Not yet. */
		assert_non_null(ikew_find_sa(w, old));
		assert_true(ikew_quick(w, c));
		ikew_run(w, 50);
		assert_int_equal(ikew_r_of(w, c), r);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_find_sa(w, old) != NULL, !(i & 2));
		assert_int_equal(ikew_counts(w).pairs, i & 2 ? 1 : 2);
		/* The other IKE SA was older, too. */
		assert_int_equal(ikew_counts(w).sas, i & 2 ? 1 : 2);
		ikew_free(w);
	}
}

/* Without NAT message 5 comes from where message 4 went: that is proof. */
static void message_5_is_proof_where_nothing_moves(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c = ikew_client(w, "203.0.113.7", NULL, 0);

		w->save_often = save;
		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		c->initial_contact = true;
		assert_true(ikew_main(w, c));
		assert_int_equal(ikew_live_sas(w), 0);
		assert_int_equal(ikew_counts(w).sas, 1);
		ikew_free(w);
	}
}

/* And so is the number in an answer to our R-U-THERE. */
static void an_answer_to_dpd_is_proof(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = victim(&c, save);

		c->initial_contact = true;
		assert_true(ikew_main(w, c));
		/* It is asked at once. */
		assert_int_equal(ikew_live_sas(w), 2);
		ikew_run(w, 50);
		assert_int_equal(c->dpd_asked, 1);
		assert_int_equal(ikew_live_sas(w), 0);
		ikew_free(w);
	}
}

/* A number that was never sent is none. */
static void a_guess_at_dpd_is_not(void **state)
{
	struct ike_client *c, *bad;
	struct ikew *w = victim(&c, true);
	uint64_t r = ikew_r_of(w, c);

	(void)state;
	bad = intruder(w, true);
	for (int i = 0; i < 8; i++) {
		ikec_ack(bad, (uint32_t)ikec_random64(bad) & 0x7fffffff);
		ikew_run(w, 5000);
	}
	expect_unharmed(w, c, r);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(who_does_not_hear_us_is_no_heir),
	    cmocka_unit_test(many_of_them_push_nobody_out),
	    cmocka_unit_test(its_words_are_about_its_own),
	    cmocka_unit_test(the_suite_is_not_touched),
	    cmocka_unit_test(no_inheritance_later),
	    cmocka_unit_test(quick_mode_proves_it),
	    cmocka_unit_test(message_5_is_proof_where_nothing_moves),
	    cmocka_unit_test(an_answer_to_dpd_is_proof),
	    cmocka_unit_test(a_guess_at_dpd_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
