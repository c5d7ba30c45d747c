/* SPDX-License-Identifier: ISC */
/* The server renews a client's IPsec SAs, and what it replaced goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

#include <stdlib.h>
#include <string.h>

/* A client with a pair that answers the server's Quick Modes. */
static struct ikew *connected(
    struct ike_client **out, uint64_t seed, bool save, const char *esp)
{
	struct ikew *w = ikew_new(seed);
	struct ike_client *c =
	    seed & 1 ? ikew_client(w, "10.0.0.2", "203.0.113.9", 40000)
		     : ikew_client(w, "203.0.113.7", NULL, 0);

	w->save_often = save;
	w->traffic = true;
	c->answers = true;
	c->send_oa = seed & 1;
	if (esp)
		c->esp[0] = ikew_suite(false, esp);
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	*out = c;
	return w;
}

/* The kernel says that an SA of the client's newest pair is at a limit. */
static void limit(struct ikew *w, struct ike_client *c, bool out, bool hard)
{
	struct client_pair *p = ikec_newest_pair(c);

	assert_non_null(p);
	ikew_step(w, &(struct ike_event){.type = IKE_EV_EXPIRE,
			 .r = w->peer[0].r,
			 .spi = out ? p->spi_in : p->spi_out,
			 .hard = hard});
}

static void the_server_renews_at_the_soft_limit(void **state)
{
	static const char *const suites[] = {
	    "aes256-sha256", "aes128-sha1-ecp256", "aes128-sha256-modp2048"};

	(void)state;
	for (uint64_t i = 0; i < 12; i++) {
		struct ike_client *c;
		struct ikew *w = connected(&c, i, i >= 6, suites[i % 3]);
		struct client_pair first = *ikec_newest_pair(c);
		uint64_t r = ikew_r_of(w, c);

		for (int turn = 1; turn <= 3; turn++) {
			limit(w, c, turn == 2, false);
			ikew_run(w, 3000);
			assert_int_equal(c->renewals, turn);
			assert_int_equal(c->hash_failures, 0);
			assert_true(ikew_pair_right(w, c));
			assert_int_equal(ikew_r_of(w, c), r);
			/* The one before is still there. */
			assert_int_equal(ikew_live_sas(w), 4);
			assert_int_equal(c->deletes_esp, turn - 1);
			ikew_run(w, 31000);
			assert_int_equal(ikew_live_sas(w), 2);
			assert_int_equal(c->deletes_esp, turn);
			assert_true(ikew_pair_right(w, c));
		}
		assert_null(ikew_find_sa(w, first.spi_out));
		assert_int_equal(w->peer_count, 1);
		/* The same suite, once; NAT-OA to whom it sent them. */
		assert_int_equal(c->quick[1].offered, 1);
		assert_int_equal(c->quick[1].got_oa, i & 1);
		assert_non_null(strstr(w->peer[0].up.suite, suites[i % 3]));
		ikew_free(w);
	}
}

static void both_directions_limits_renew_once(void **state)
{
	struct ike_client *c;
	struct ikew *w = connected(&c, 1, true, NULL);

	(void)state;
	limit(w, c, false, false);
	limit(w, c, true, false);
	limit(w, c, true, false);
	ikew_run(w, 100000);
	assert_int_equal(c->offers, 1);
	assert_int_equal(c->renewals, 1);
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_free(w);
}

static void a_pair_that_the_client_renewed_is_left_alone(void **state)
{
	struct ike_client *c;
	struct ikew *w = connected(&c, 1, true, NULL);
	struct client_pair old = *ikec_newest_pair(c);

	(void)state;
	assert_true(ikew_quick(w, c));
	ikew_step(w,
	    &(struct ike_event){
		.type = IKE_EV_EXPIRE, .r = w->peer[0].r, .spi = old.spi_out});
	ikew_run(w, 5000);
	assert_int_equal(c->offers, 0);
	assert_int_equal(ikew_live_sas(w), 4);
	ikew_run(w, 30000);
	assert_int_equal(ikew_live_sas(w), 2);
	assert_null(ikew_find_sa(w, old.spi_out));
	ikew_free(w);
}

/* Message 1, 2 or 3 is lost; or all of them come in disorder, twice. */
static void renewals_survive_a_bad_link(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 16; i++) {
		struct ike_client *c;
		struct ikew *w = connected(&c, i, i & 2, NULL);
		uint64_t r = ikew_r_of(w, c);

		if (i < 6) {
			w->drop_nth = w->datagrams + 1 + (int)i / 2;
		} else {
			w->loss = 30;
			w->dup = 30;
			w->jitter_ms = 400;
		}
		limit(w, c, false, false);
		ikew_run(w, 28000);
		w->loss = w->dup = 0;
		ikew_run(w, 2000);
		assert_int_equal(c->renewals, 1);
		assert_true(ikew_pair_right(w, c));
		ikew_run(w, 120000);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikew_r_of(w, c), r);
		assert_int_equal(c->offers, 1);
		ikew_free(w);
	}
}

/* Until the client shows that it has the new pair, ours stays the old. */
static void the_outbound_sa_waits_for_the_client(void **state)
{
	struct ike_client *c;
	struct ikew *w = connected(&c, 1, true, NULL);

	(void)state;
	w->traffic = false;
	limit(w, c, false, false);
	ikew_run(w, 200);
	assert_int_equal(c->renewals, 1);
	assert_int_equal(ikew_live_sas(w), 3);
	ikew_find_sa(w, ikec_newest_pair(c)->spi_out)->packets = 1;
	ikew_run(w, 300);
	assert_int_equal(ikew_live_sas(w), 4);
	/* An idle client: after two seconds all the same. */
	limit(w, c, false, false);
	ikew_run(w, 1500);
	assert_int_equal(ikew_live_sas(w), 5);
	ikew_run(w, 1000);
	assert_int_equal(ikew_live_sas(w), 6);
	assert_true(ikew_pair_right(w, c));
	/* And the old ones go though nothing proves the new one. */
	ikew_run(w, 92000);
	assert_int_equal(ikew_live_sas(w), 2);
	assert_true(ikew_pair_right(w, c));
	ikew_free(w);
}

static void both_sides_renew_at_once(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		struct ike_client *c;
		struct ikew *w = connected(&c, i, i & 1, NULL);
		uint64_t r = ikew_r_of(w, c);

		w->jitter_ms = 20;
		if (i & 2)
			ikec_start_quick(c);
		limit(w, c, false, false);
		if (!(i & 2))
			ikec_start_quick(c);
		ikew_run(w, 3000);
		assert_int_equal(c->pair_count, 3);
		assert_int_equal(ikew_live_sas(w), 6);
		ikew_run(w, 200000);
		/* One of them, with everything of it. */
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikec_pairs(c), 1);
		assert_int_equal(w->peer_count, 1);
		assert_int_equal(w->sa[0].sa.r, r);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		ikew_free(w);
	}
}

/* Ours was begun first, and was slower: it is the older one. */
static void the_slower_of_two_renewals_goes(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = connected(&c, 1, save, NULL);

		w->traffic = false; /* ours is up after two seconds */
		limit(w, c, false, false);
		ikew_run(w, 200);
		assert_int_equal(c->renewals, 1);
		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_live_sas(w), 5);
		ikew_run(w, 3000);
		assert_int_equal(ikew_live_sas(w), 6);
		w->traffic = true;
		ikew_run(w, 150000);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_true(ikew_pair_right(w, c));
		ikew_free(w);
	}
}

/* The client renewed and then deletes the new pair: the old one, past its
 * soft limit, is renewed after all. */
static void an_old_pair_that_is_the_newest_again_is_renewed(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = connected(&c, 1, save, NULL);
		uint32_t old = ikec_newest_pair(c)->spi_out, new;

		assert_true(ikew_quick(w, c));
		new = ikec_newest_pair(c)->spi_in;
		ikew_step(w,
		    &(struct ike_event){
			.type = IKE_EV_EXPIRE, .r = w->peer[0].r, .spi = old});
		ikew_run(w, 5000);
		assert_int_equal(c->offers, 0);
		ikec_forget_pair(c, new);
		ikec_delete_esp(c, new);
		ikew_run(w, 10000);
		assert_int_equal(c->renewals, 1);
		assert_true(ikew_pair_right(w, c));
		ikew_run(w, 60000);
		assert_int_equal(ikew_live_sas(w), 2);
		ikew_free(w);
	}
}

static void bad_answers_are_refused(void **state)
{
	static const char *const reason[] = {
	    [CLIENT_BAD_TRANSFORM] = "answer is refused",
	    [CLIENT_BAD_ID] = "IDcr is not what we sent",
	    [CLIENT_BAD_NONCE] = "Nr is our own Ni",
	    [CLIENT_BAD_HASH] = "HASH is wrong",
	    [CLIENT_BAD_KE] = "PFS without KE",
	    [CLIENT_BAD_PROTOCOL] = "answer is for protocol 2",
	    [CLIENT_BAD_SPI] = "SPI is invalid",
	    [CLIENT_BAD_NONCE_LENGTH] = "nonce has 7 bytes",
	    [CLIENT_BAD_KE_MIRROR] = "KE is wrong",
	};

	(void)state;
	for (int bad = CLIENT_BAD_TRANSFORM; bad < CLIENT_BAD_ALL; bad++) {
		struct ike_client *c;
		struct ikew *w = connected(&c, 1, true, "aes256-sha256-ecp256");

		c->answer_bad = (enum client_bad)bad;
		limit(w, c, false, false);
		ikew_run(w, 2000);
		assert_true(ikew_logged(w, reason[bad]));
		/* Nothing was installed, nothing lost. */
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikew_counts(w).pairs, 1);
		assert_int_equal(c->last_notify,
		    bad == CLIENT_BAD_HASH ? 0 : ISAKMP_N_NO_PROPOSAL_CHOSEN);
		/* The next try finds a client that does right. */
		c->answer_bad = CLIENT_GOOD;
		ikew_run(w, 80000);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_live_sas(w), 2);
		assert_true(c->renewals > 0);
		ikew_free(w);
	}
}

static void the_client_may_ask_for_a_shorter_life(void **state)
{
	struct ike_client *c;
	struct ikew *w = connected(&c, 1, true, NULL);
	struct ikew_sa *in;

	(void)state;
	c->answer_life_s = 600;
	limit(w, c, false, false);
	ikew_run(w, 3000);
	in = ikew_find_sa(w, ikec_newest_pair(c)->spi_out);
	assert_non_null(in);
	assert_int_equal(in->sa.hard_s, 600 + 60 + 60);
	assert_in_range(in->sa.soft_s, 550, 590);
	/* Longer than ours is not taken. */
	c->answer_life_s = 86400;
	limit(w, c, false, false);
	ikew_run(w, 3000);
	in = ikew_find_sa(w, ikec_newest_pair(c)->spi_out);
	assert_int_equal(in->sa.hard_s, 600 + 60 + 60);
	ikew_free(w);
}

static void a_refusing_client_is_asked_again(void **state)
{
	struct ike_client *c;
	struct ikew *w = connected(&c, 1, true, NULL);

	(void)state;
	c->answers = false;
	limit(w, c, false, false);
	ikew_run(w, 100);
	ikec_notify(c, ISAKMP_N_NO_PROPOSAL_CHOSEN);
	ikew_run(w, 100);
	assert_true(ikew_logged(w, "is refused: NO-PROPOSAL-CHOSEN"));
	assert_int_equal(ikew_live_sas(w), 2);
	/* It lives and answers R-U-THERE: only its limit ends the pair. */
	ikew_run(w, 120000);
	assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
	assert_true(c->offers > 2);
	limit(w, c, false, true);
	ikew_run(w, 50);
	assert_int_equal(ikew_live_sas(w), 0);
	assert_int_equal(c->deletes_esp, 1);
	ikew_run(w, 29000);
	assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
	/* The try that was under way may last 15 s, then R lingers. */
	ikew_run(w, 17000);
	assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
	assert_string_equal(w->peer[0].reason, "no IPsec SA is left");
	ikew_free(w);
}

/* The client deletes its IKE SA while we ask, and comes with a new one. */
static void a_new_ike_sa_is_used_at_once(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = connected(&c, 1, save, NULL);
		uint64_t r = ikew_r_of(w, c);

		c->answers = false;
		limit(w, c, false, false);
		ikew_run(w, 100);
		ikec_delete_sa(c, c->cur);
		ikew_run(w, 1000);
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_int_equal(ikew_live_sas(w), 2);
		c->answers = true;
		assert_true(ikew_main(w, c));
		ikew_run(w, 8000);
		assert_int_equal(c->renewals, 1);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		ikew_free(w);
	}
}

/* It has no DPD, and may never have learnt to answer Quick Mode: its ESP is
 * what counts, until the hard limit. */
static void a_client_that_ignores_us_keeps_its_pair(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct ike_client *c;
		struct ikew *w = ikew_new(1);
		uint64_t r;

		w->save_often = how & 1;
		c = ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
		c->has_dpd = false;
		assert_true(ikew_connect(w, c));
		r = ikew_r_of(w, c);
		ikew_run(w, 50);
		c->is_mute = true;
		limit(w, c, false, false);
		ikew_run(w, 200000);
		assert_in_range(
		    ikew_log_count(w, "no answer to our Quick Mode"), 2, 8);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikew_counts(w).sas, 1);
		if (how & 2) {
			c->is_mute = false;
			assert_true(ikew_quick(w, c));
			assert_int_equal(ikew_r_of(w, c), r);
			ikew_run(w, 200000);
			assert_int_equal(ikew_live_sas(w), 2);
			assert_true(ikew_pair_right(w, c));
		} else {
			/* And as long as a Quick Mode may be under way. */
			limit(w, c, false, true);
			ikew_run(w, 65000);
			assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
			assert_int_equal(ikew_live_sas(w), 0);
		}
		ikew_free(w);
	}
}

/* The kernel said it, but nobody was there to hear: ENOBUFS. */
static void limits_in_time_are_kept_without_the_kernel(void **state)
{
	(void)state;
	for (int how = 0; how < 6; how++) {
		bool answers = how < 2, is_told = how >= 4;
		struct ike_client *c;
		struct ikew *w = ikew_new(1);
		uint64_t r, from;

		w->save_often = how & 1;
		c = ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
		c->has_dpd = false;
		c->esp_life_s = 3600;
		c->answers = true;
		assert_true(ikew_connect(w, c));
		r = ikew_r_of(w, c);
		ikew_run(w, 100);
		from = w->now;
		c->is_mute = !answers;
		/* Soft: at the earliest at 93 % and a bit. */
		ikew_run(w, 3600 * 930);
		assert_int_equal(c->renewals, 0);
		if (is_told)
			limit(w, c, false, false);
		ikew_run(w, 3600 * 70 + 20000);
		if (answers) {
			assert_int_equal(c->renewals, 1);
			assert_int_equal(ikew_r_of(w, c), r);
			ikew_run(w, 100000);
			assert_int_equal(ikew_live_sas(w), 2);
			ikew_free(w);
			continue;
		}
		/* Hard: 3600 + 360 + 60 s. */
		ikew_run(w, from + 4020000 - w->now);
		assert_int_equal(ikew_live_sas(w), 2);
		ikew_run(w, 20000);
		assert_int_equal(ikew_live_sas(w), 0);
		assert_true(ikew_logged(w, "is past its lifetime"));
		ikew_run(w, 65000);
		assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
		ikew_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_server_renews_at_the_soft_limit),
	    cmocka_unit_test(both_directions_limits_renew_once),
	    cmocka_unit_test(a_pair_that_the_client_renewed_is_left_alone),
	    cmocka_unit_test(renewals_survive_a_bad_link),
	    cmocka_unit_test(the_outbound_sa_waits_for_the_client),
	    cmocka_unit_test(both_sides_renew_at_once),
	    cmocka_unit_test(the_slower_of_two_renewals_goes),
	    cmocka_unit_test(an_old_pair_that_is_the_newest_again_is_renewed),
	    cmocka_unit_test(bad_answers_are_refused),
	    cmocka_unit_test(the_client_may_ask_for_a_shorter_life),
	    cmocka_unit_test(a_refusing_client_is_asked_again),
	    cmocka_unit_test(a_new_ike_sa_is_used_at_once),
	    cmocka_unit_test(a_client_that_ignores_us_keeps_its_pair),
	    cmocka_unit_test(limits_in_time_are_kept_without_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
