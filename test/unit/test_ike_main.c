/* SPDX-License-Identifier: ISC */
/* Main Mode against the machine: suites, NAT, loss, keys, limits. */
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

static struct ike_client *native(struct ikew *w)
{
	return ikew_client(w, "203.0.113.7", NULL, 0);
}

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

static void each_suite_connects_with_and_without_nat(void **state)
{
	static const char *const suites[] = {"aes128-sha1-modp2048",
	    "aes256-sha1-ecp256", "aes256-sha256-modp2048",
	    "3des-sha1-modp2048", "3des-sha256-ecp384", "des-md5-modp1024",
	    "aes192-sha384-modp1536", "aes256-sha512-ecp521"};
	enum { SUITES = sizeof(suites) / sizeof(suites[0]) };

	(void)state;
	for (size_t i = 0; i < 4 * SUITES; i++) {
		bool is_nat = i & 1;
		struct ikew *w = ikew_new(i);
		struct ike_client *c = is_nat ? natted(w) : native(w);

		w->save_often = i >= 2 * SUITES;
		c->ike[0] = ikew_suite(true, suites[i / 2 % SUITES]);
		ikew_accept(w, suites[i / 2 % SUITES], NULL);
		assert_true(ikew_connect(w, c));
		ikew_run(w, 100);
		assert_int_equal(c->sa[0].floated, is_nat);
		assert_true(ikew_logged(w, suites[i / 2 % SUITES]));
		assert_int_equal(ikew_logged(w, "client behind NAT"), is_nat);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		assert_int_equal(w->peer[0].up.natt, is_nat);
		assert_true(addr_equal(&w->peer[0].up.peer, &c->outer[is_nat]));
		assert_string_equal(w->peer[0].up.identity,
		    is_nat ? "10.0.0.2" : "203.0.113.7");
		assert_int_equal(c->hash_failures, 0);
		ikew_free(w);
	}
}

static void any_one_message_may_be_lost(void **state)
{
	(void)state;
	for (int n = 1; n <= 9; n++) {
		struct ikew *w = ikew_new((uint64_t)n);
		struct ike_client *c = n & 1 ? natted(w) : native(w);

		w->drop_nth = n;
		w->save_often = n & 2;
		assert_true(ikew_connect(w, c));
		ikew_run(w, 60000);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(w->peer_count, 1);
		assert_int_equal(ikew_counts(w).half_open, 0);
		ikew_free(w);
	}
}

/* A client whose attempt fails tries again, as people do. */
static void a_bad_link_delays_but_does_not_stop(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 24; seed++) {
		struct ikew *w = ikew_new(seed);
		struct ike_client *c = seed & 1 ? natted(w) : native(w);
		int tries = 4;

		w->loss = 30;
		w->dup = 20;
		w->jitter_ms = 400;
		w->save_often = seed & 2;
		while (!ikew_main(w, c) && --tries)
			;
		assert_true(tries > 0);
		tries = 4;
		while (!ikew_quick(w, c) && --tries)
			;
		assert_true(tries > 0);
		w->loss = 0;
		ikew_run(w, 200000);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_counts(w).half_open, 0);
		assert_int_equal(ikew_counts(w).pairs * 2, ikew_live_sas(w));
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		ikew_free(w);
	}
}

/* A restored machine does not know that it has said so. */
static int mismatches(const struct ikew *w)
{
	int n = ikew_log_count(w, "likely pre-shared key mismatch");

	return w->save_often ? n > 0 : n;
}

static void a_wrong_key_is_logged_once_and_not_answered(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);
		int sends;

		w->save_often = save;
		c->psk = "not the same secret";
		ikec_start_main(c);
		ikew_run(w, 60);
		assert_int_equal(c->cur->state, CLIENT_SENT5);
		sends = w->sends;
		ikew_run(w, 20000);
		assert_int_equal(w->sends, sends);
		assert_int_equal(mismatches(w), 1);
		assert_true(ikew_logged(w, "203.0.113.9:40001"));
		assert_true(ikew_logged(w, "198.51.100.1:4500"));
		ikew_run(w, 20000);
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_int_equal(w->peer_count, 0);
		ikew_free(w);
	}
}

static void the_second_candidate_key_is_tried(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w), *bad = native(w);

		w->save_often = save;
		w->psk[0] = "the key of someone else";
		w->psk[1] = "the key of a third one";
		w->psk[2] = c->psk;
		assert_true(ikew_connect(w, c));
		assert_int_equal(ikew_log_count(w, "mismatch"), 0);
		bad->psk = "none of them";
		assert_false(ikew_main(w, bad));
		assert_int_equal(mismatches(w), 1);
		ikew_free(w);
	}
}

/* Whichever fits: one question, and as many slots as the file needs. */
static void any_of_eight_keys_fits(void **state)
{
	static const char *const keys[CANDIDATES_MAX] = {"key 0", "key 1",
	    "key 2", "key 3", "key 4", "key 5", "key 6", "key 7"};

	(void)state;
	for (size_t i = 0; i < CANDIDATES_MAX; i++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);

		memcpy(w->psk, keys, sizeof(keys));
		w->save_often = i & 1;
		c->psk = keys[i];
		assert_true(ikew_connect(w, c));
		assert_int_equal(w->psk_asked, 1);
		assert_int_equal(ikew_log_count(w, "mismatch"), 0);
		ikew_free(w);
	}
}

/* The monitor fills up with keys that are nobody's. */
static void a_slot_behind_the_count_opens_nothing(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	w->psk_slots = 4;
	assert_true(ikew_connect(w, c));
	c->psk = "nobody's";
	assert_false(ikew_main(w, c));
	assert_int_equal(ikew_log_count(w, "mismatch"), 1);
	ikew_free(w);
}

static void a_key_bound_to_an_id_is_for_that_id(void **state)
{
	(void)state;
	for (int several = 0; several < 2; several++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);

		w->psk_fqdn[0] = "Gw.Example";
		if (several)
			w->psk[1] = "another key";
		c->fqdn = "gw.example";
		assert_true(ikew_connect(w, c));
		ikew_log_clear(w);
		c->fqdn = "gw.example.org";
		assert_false(ikew_main(w, c));
		assert_true(ikew_logged(w,
		    "psk line 1 is for the ID Gw.Example, but the client "
		    "calls itself gw.example.org: change id= there"));
		assert_int_equal(ikew_log_count(w, "mismatch"), 0);
		c->fqdn = NULL; /* its address instead of a name */
		assert_false(ikew_main(w, c));
		assert_int_equal(ikew_log_count(w, "psk line 1"), 2);
		assert_int_equal(ikew_counts(w).half_open, 0);
		ikew_free(w);
	}
}

/* One key on two lines: the ID decides whose it is. */
static void the_id_decides_between_equal_keys(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *a = natted(w), *b = native(w);

	(void)state;
	w->psk[1] = w->psk[2] = w->psk[0];
	w->psk_fqdn[0] = "a.example";
	w->psk_fqdn[1] = "b.example";
	w->save_often = true;
	a->fqdn = "b.example";
	assert_true(ikew_connect(w, a));
	assert_true(ikew_logged(w, "psk line 2"));
	assert_true(ikew_connect(w, b));
	assert_true(ikew_logged(w, "psk line 3")); /* bound to no ID */
	assert_false(ikew_logged(w, "psk line 1"));
	ikew_free(w);
}

struct caught {
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
};

/* Keeps message 5 and drops it. */
static bool catch_5(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct caught *c = w->filter_ctx;

	if (!to_server || data[18] != 2 || !(data[19] & 1))
		return true;
	memcpy(c->data, data, c->len = *len);
	return false;
}

/* Each costs an attempt with every candidate. */
static void wrong_fives_are_not_tried_for_ever(void **state)
{
	(void)state;
	for (int wrong = 31; wrong < 33; wrong++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c = natted(w);
		struct caught five = {.len = 0};

		w->filter = catch_5;
		w->filter_ctx = &five;
		w->psk[1] = "another key";
		ikec_start_main(c);
		ikew_run(w, 60);
		assert_true(five.len > 0);
		for (int i = 0; i < wrong; i++) {
			five.data[five.len - 1] ^= 1;
			five.data[40] ^= (uint8_t)(i + 1);
			ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
			ikew_run(w, 2);
			five.data[five.len - 1] ^= 1;
			five.data[40] ^= (uint8_t)(i + 1);
		}
		assert_int_equal(ikew_log_count(w, "mismatch"), 1);
		ikew_inject(w, &c->outer[1], 4500, five.data, five.len);
		ikew_run(w, 2);
		assert_int_equal(w->trials, 32);
		assert_int_equal(ikew_logged(w, "established"), wrong < 32);
		ikew_free(w);
	}
}

static bool spoil_first_5(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	int *left = w->filter_ctx;

	/* encrypted Main Mode, to the server */
	if (to_server && data[18] == 2 && data[19] & 1 && *left) {
		--*left;
		data[*len - 1] ^= (uint8_t)(1 << *left % 8);
		data[28 + *left] ^= 0x40;
	}
	return true;
}

static void forged_messages_move_no_iv(void **state)
{
	(void)state;
	for (int candidates = 1; candidates < 3; candidates++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c = natted(w);
		int left = 5;

		w->filter = spoil_first_5;
		w->filter_ctx = &left;
		if (candidates == 2)
			w->psk[1] = "another key";
		w->save_often = true;
		assert_true(ikew_connect(w, c));
		assert_int_equal(left, 0);
		assert_int_equal(mismatches(w), 1);
		ikew_free(w);
	}
}

static void no_common_proposal_is_said_and_logged(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);

	(void)state;
	c->ike[0] = ikew_suite(true, "aes256-sha512-modp2048");
	c->ike[1] = ikew_suite(true, "aes128-sha256-ecp256");
	c->ike_count = 2;
	ikec_start_main(c);
	ikew_run(w, 100);
	assert_int_equal(c->clear_notify, ISAKMP_N_NO_PROPOSAL_CHOSEN);
	assert_true(ikew_logged(w, "203.0.113.7:500: no common IKE proposal"));
	assert_true(ikew_logged(w, "aes256-sha512-modp2048"));
	assert_true(ikew_logged(w, "aes128-sha256-ecp256"));
	assert_true(w->bytes_out <= w->bytes_in);
	assert_int_equal(w->sends, 1);
	assert_int_equal(ikew_counts(w).sas, 0);
	/* The refusal has no responder cookie and is in the clear. */
	for (int i = 8; i < 16; i++)
		assert_int_equal(w->last_out[i], 0);
	assert_int_equal(w->last_out[19], 0);
	ikew_free(w);
}

static void no_key_for_the_address(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);

	(void)state;
	w->psk_error = -ENOENT;
	ikec_start_main(c);
	ikew_run(w, 100);
	assert_true(ikew_logged(w, "no pre-shared key for this address"));
	assert_int_equal(ikew_counts(w).sas, 0);
	assert_int_equal(w->sends, 1);
	ikew_free(w);
}

static void two_handshakes_of_one_address_live_together(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = natted(w);
	struct client_sa *first = ikec_start_main(c);
	struct client_sa *second = ikec_start_main(c);

	(void)state;
	ikew_run(w, 200);
	assert_int_equal(first->state, CLIENT_UP);
	assert_int_equal(second->state, CLIENT_UP);
	assert_int_equal(ikew_counts(w).sas, 2);
	ikew_free(w);
}

static void phase_1_ids_may_name_the_ike_port(void **state)
{
	static const struct {
		uint16_t port;
		bool is_good;
	} row[] = {{0, true}, {500, true}, {4500, true}, {1701, false}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct ikew *w = ikew_new(9);
		struct ike_client *c = natted(w);

		c->id_port = row[i].port;
		assert_int_equal(ikew_main(w, c), row[i].is_good);
		assert_int_equal(
		    ikew_logged(w, "phase 1 ID with protocol 17 port 1701"),
		    !row[i].is_good);
		assert_int_equal(ikew_counts(w).sas, row[i].is_good);
		ikew_free(w);
	}
}

static void a_client_without_nat_traversal_stays_native(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = native(w);

	(void)state;
	c->has_natt = false;
	assert_true(ikew_connect(w, c));
	assert_false(c->sa[0].natt);
	assert_int_equal(w->peer[0].up.natt, 0);
	ikew_free(w);
}

static void the_draft_of_nat_traversal_works_too(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = natted(w);

	(void)state;
	c->has_draft = true;
	assert_true(ikew_connect(w, c));
	assert_true(c->sa[0].floated);
	assert_int_equal(c->pair[0].encap, IPSEC_ENCAP_UDP_TRANSPORT_DRAFT);
	assert_int_equal(w->peer[0].up.natt, 1);
	ikew_free(w);
}

static void a_full_machine_says_so(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *a = native(w), *b = natted(w);

	(void)state;
	w->cfg.max_sas = 1;
	ikew_save(w);
	assert_true(ikew_connect(w, a));
	ikec_start_main(b);
	ikew_run(w, 300);
	assert_true(ikew_logged(
	    w, "all 1 IKE SAs are taken; raise max-clients in section l2tp"));
	assert_int_equal(b->cur->state, CLIENT_SENT1);
	ikew_free(w);
}

static void the_ike_sa_expires_quietly_and_r_stays(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = native(w);
	uint64_t r;

	(void)state;
	c->life_s = 600;
	assert_true(ikew_connect(w, c));
	r = ikew_r_of(w, c);
	assert_true(r != 0);
	ikew_run(w, 650000);
	assert_int_equal(ikew_counts(w).sas, 1);
	ikew_run(w, 20000);
	assert_int_equal(ikew_counts(w).sas, 0);
	assert_int_equal(c->deletes_sa, 0);
	assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
	assert_int_equal(ikew_live_sas(w), 2);
	assert_true(ikew_main(w, c) && ikew_quick(w, c));
	assert_int_equal(ikew_r_of(w, c), r);
	ikew_free(w);
}

static int broken_random(void *ctx, void *out, size_t len)
{
	(void)ctx;
	memset(out, 0, len);
	return -EIO;
}

static void no_random_bytes_means_no_answer(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = native(w);

	(void)state;
	ike_free(w->ike);
	w->ike = ike_new(&w->cfg, broken_random, NULL);
	ikec_start_main(c);
	ikew_run(w, 100);
	assert_int_equal(w->sends, 0);
	assert_true(ikew_logged(w, "no random bytes"));
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_suite_connects_with_and_without_nat),
	    cmocka_unit_test(any_one_message_may_be_lost),
	    cmocka_unit_test(a_bad_link_delays_but_does_not_stop),
	    cmocka_unit_test(a_wrong_key_is_logged_once_and_not_answered),
	    cmocka_unit_test(the_second_candidate_key_is_tried),
	    cmocka_unit_test(any_of_eight_keys_fits),
	    cmocka_unit_test(a_slot_behind_the_count_opens_nothing),
	    cmocka_unit_test(a_key_bound_to_an_id_is_for_that_id),
	    cmocka_unit_test(the_id_decides_between_equal_keys),
	    cmocka_unit_test(wrong_fives_are_not_tried_for_ever),
	    cmocka_unit_test(forged_messages_move_no_iv),
	    cmocka_unit_test(no_common_proposal_is_said_and_logged),
	    cmocka_unit_test(no_key_for_the_address),
	    cmocka_unit_test(two_handshakes_of_one_address_live_together),
	    cmocka_unit_test(phase_1_ids_may_name_the_ike_port),
	    cmocka_unit_test(a_client_without_nat_traversal_stays_native),
	    cmocka_unit_test(the_draft_of_nat_traversal_works_too),
	    cmocka_unit_test(a_full_machine_says_so),
	    cmocka_unit_test(the_ike_sa_expires_quietly_and_r_stays),
	    cmocka_unit_test(no_random_bytes_means_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
