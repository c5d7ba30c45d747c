/* SPDX-License-Identifier: ISC */
/* Main Mode while the keys of a message 5 are being tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct caught {
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
};

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

static int mismatches(const struct ikew *w)
{
	int n = ikew_log_count(w, "likely pre-shared key mismatch");

	return w->save_often ? n > 0 : n;
}

/* Keeps message 5 and drops it. */
static bool catch_5(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct caught *c = w->filter_ctx;

	if (!to_server || data[18] != 2 || !(data[19] & 1))
		return true;
	memcpy(c->data, data, c->len = *len);
	return false;
}

static const struct ikew_item *waiting(
    const struct ikew *w, enum ike_event_type type)
{
	for (size_t i = 0; i < WORLD_QUEUE; i++) {
		if (w->queue[i].is_used && w->queue[i].ev.type == type)
			return &w->queue[i];
	}
	return NULL;
}

/* Until its message 5 was caught and, with several keys, is being tried. */
static struct ikew *trying(struct caught *five, struct ike_client **c)
{
	struct ikew *w = ikew_new(3);

	*c = natted(w);
	w->filter = catch_5;
	w->filter_ctx = five;
	w->psk[1] = w->psk[0];
	w->psk[0] = "another key";
	ikec_start_main(*c);
	while (!five->len)
		ikew_run(w, 1);
	ikew_inject(w, &(*c)->outer[1], 4500, five->data, five->len);
	assert_int_equal(w->trials, 1);
	assert_non_null(waiting(w, IKE_EV_TRIAL_DONE));
	return w;
}

/* It comes again while its keys are tried: one trial, one message 6. */
static void a_message_5_that_is_tried_is_answered_once(void **state)
{
	struct caught five = {.len = 0};
	struct ike_client *c;
	struct ikew *w = trying(&five, &c);
	int sends = w->sends;

	(void)state;
	for (int i = 0; i < 3; i++)
		ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
	assert_int_equal(w->trials, 1);
	assert_int_equal(w->sends, sends);
	ikew_run(w, 2);
	assert_int_equal(w->sends, sends + 1);
	assert_true(ikew_logged(w, "established"));
	/* Later the answer is repeated, without another trial. */
	ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
	assert_int_equal(w->sends, sends + 2);
	assert_int_equal(w->trials, 1);
	ikew_free(w);
}

/* Nor does another one take its place, whatever it is. */
/* Anyone who saw the cookies can send what is no whole number of blocks. */
static void what_is_no_message_5_ends_nothing(void **state)
{
	struct caught five = {.len = 0}, odd;
	struct ikew *w = ikew_new(3);
	struct ike_client *c = natted(w);

	(void)state;
	w->psk[1] = "another shared secret of the test";
	w->filter = catch_5;
	w->filter_ctx = &five;
	ikec_start_main(c);
	while (!five.len)
		assert_true(ikew_once(w, w->now + 1000));
	odd = five;
	odd.len -= 8;
	odd.data[27] = (uint8_t)odd.len; /* the header's length */
	odd.data[26] = (uint8_t)(odd.len >> 8);
	ikew_inject(w, &c->outer[1], 4500, odd.data, odd.len);
	assert_null(waiting(w, IKE_EV_TRIAL_DONE));
	ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
	assert_non_null(waiting(w, IKE_EV_TRIAL_DONE));
	w->filter = NULL;
	ikew_run(w, 100);
	assert_int_equal(c->cur->state, CLIENT_UP);
	ikew_free(w);
}

static void nothing_disturbs_a_trial(void **state)
{
	struct caught five = {.len = 0};
	struct ike_client *c;
	struct ikew *w = trying(&five, &c);
	size_t before_len, after_len;
	uint8_t *before = ike_save(w->ike, w->now, &before_len), *after;
	int sends = w->sends;

	(void)state;
	for (size_t at = 17; at < five.len; at++) {
		five.data[at] ^= 1;
		ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
		five.data[at] ^= 1;
	}
	after = ike_save(w->ike, w->now, &after_len);
	assert_int_equal(after_len, before_len);
	assert_memory_equal(after, before, before_len);
	assert_int_equal(w->sends, sends);
	assert_int_equal(w->trials, 1);
	free(before);
	free(after);
	ikew_run(w, 2);
	assert_true(ikew_logged(w, "established"));
	ikew_free(w);
}

/* What no key fits leaves no more behind than a job's number. */
static void a_failed_trial_changes_nothing(void **state)
{
	struct caught five = {.len = 0};
	struct ike_client *c;
	struct ikew *w = trying(&five, &c);

	(void)state;
	ikew_run(w, 2); /* that one is right: another client */
	assert_true(ikew_logged(w, "established"));
	for (int i = 0; i < 2; i++) {
		struct ike_counts n;

		five.len = 0;
		ikec_start_main(c);
		while (!five.len)
			ikew_run(w, 1);
		five.data[40] ^= 1;
		n = ikew_counts(w);
		ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
		ikew_run(w, 2);
		assert_int_equal(ikew_counts(w).half_open, n.half_open);
		assert_int_equal(mismatches(w), i + 1);
		five.data[40] ^= 1;
		ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
		ikew_run(w, 2);
		assert_int_equal(ikew_counts(w).half_open, n.half_open - 1);
	}
	ikew_free(w);
}

static void a_monitor_that_cannot_try_ends_it(void **state)
{
	struct ikew *w = ikew_new(3);
	struct ike_client *c = natted(w);

	(void)state;
	w->psk[1] = "another key";
	w->trial_error = -EIO;
	assert_false(ikew_main(w, c));
	assert_true(ikew_logged(w, "the pre-shared keys could not be tried"));
	assert_int_equal(ikew_counts(w).sas, 0);
	assert_int_equal(mismatches(w), 0);
	ikew_free(w);
}

/* A trial outlives nothing: who gives up before is gone. */
static void an_answer_for_a_trial_that_is_over_does_nothing(void **state)
{
	struct caught five = {.len = 0};
	struct ike_client *c;
	struct ikew *w = trying(&five, &c);
	struct ikew_item late = *waiting(w, IKE_EV_TRIAL_DONE);
	size_t sas;

	(void)state;
	ikew_run(w, 2);
	assert_true(ikew_logged(w, "established"));
	sas = ikew_counts(w).sas;
	late.ev.shared.data = late.shared;
	ikew_step(w, &late.ev);
	assert_int_equal(ikew_counts(w).sas, sas);
	assert_int_equal(ikew_log_count(w, "established"), 1);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message_5_that_is_tried_is_answered_once),
	    cmocka_unit_test(what_is_no_message_5_ends_nothing),
	    cmocka_unit_test(nothing_disturbs_a_trial),
	    cmocka_unit_test(a_failed_trial_changes_nothing),
	    cmocka_unit_test(a_monitor_that_cannot_try_ends_it),
	    cmocka_unit_test(an_answer_for_a_trial_that_is_over_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
