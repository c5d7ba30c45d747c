/* SPDX-License-Identifier: ISC */
/* Renewals between the personas and our responder, whoever begins them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/persona_pair.h"

/* Make before break: the pair of IPsec SAs and R stay. */
static void the_initiator_renews_its_ike_sa(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct ike_pair *p = pair_for_all(30);
		uint64_t r;

		p->nat_port = way & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = way & 2;
		assert_true(connects(p, &persona_default));
		r = p->r->peer[0].r;
		conn(p, IKE_EV_CONN_REKEY, 1);
		pair_run(p, 2000);
		/* The old one is still there for a while. */
		assert_int_equal(ikew_counts(p->i).sas, 2);
		assert_int_equal(ikew_counts(p->r).sas, 2);
		assert_int_equal(p->i->conn_ups, 2);
		pair_run(p, 40000);
		assert_int_equal(ikew_counts(p->i).sas, 1);
		assert_int_equal(ikew_counts(p->r).sas, 1);
		assert_true(has_pairs(p, 1));
		assert_int_equal(p->r->peer_count, 1);
		assert_int_equal(p->r->peer[0].r, r);
		/* The new one carries: an end under it is heard. */
		conn(p, IKE_EV_CONN_CLOSE, 1);
		pair_run(p, 2000);
		assert_int_equal(ikew_live_sas(p->r), 0);
		assert_int_equal(ikew_counts(p->r).sas, 0);
		pair_free(p);
	}
}

/* By time alone: after 85 % of 8 hours, again and again. */
static void time_renews_too(void **state)
{
	struct ike_pair *p = pair_for_all(31);

	(void)state;
	assert_true(connects(p, &persona_default));
	pair_run(p, 28800000ull * 84 / 100);
	assert_int_equal(p->i->conn_ups, 1);
	for (int n = 2; n < 5; n++) {
		pair_run(p, 28800000ull * 85 / 100);
		assert_int_equal(p->i->conn_ups, n);
		assert_true(ikew_counts(p->i).sas <= 2);
		assert_int_equal(p->r->peer_count, 1);
	}
	pair_free(p);
}

/* A client that never does it: the responder begins, towards its NAT. */
static void the_responder_renews_when_the_client_does_not(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct persona lazy = *persona_by_name("windows10");
		const struct persona *list[] = {&lazy};
		struct ike_pair *p = pair_for_all(32);

		lazy.name = "lazy";
		lazy.rekey_ike_percent = 0;
		p->i->cfg.personas = list;
		p->i->cfg.persona_count = 1;
		ikew_crash(p->i);
		p->nat_port = way & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = way & 2;
		assert_true(connects(p, &lazy));
		pair_run(p, 28800000ull * 94 / 100);
		assert_false(ikew_logged(p->r, "renewing its IKE SA"));
		pair_run(p, 28800000ull * 2 / 100);
		assert_true(ikew_logged(p->r, "renewing its IKE SA"));
		/* Past the end of the first one. */
		pair_run(p, 28800000ull * 8 / 100);
		assert_int_equal(ikew_counts(p->r).sas, 1);
		assert_int_equal(ikew_counts(p->i).sas, 1);
		assert_true(has_pairs(p, 1));
		assert_int_equal(p->r->peer_count, 1);
		assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
		pair_free(p);
	}
}

static void expect_encap(const struct ikew *w)
{
	for (size_t i = 0; i < w->sa_count; i++)
		assert_true(!w->sa[i].is_live || w->sa[i].sa.encap);
}

/* The client renews its pair under the newest IKE SA; R stays. */
static void expect_renewal(struct ike_pair *p)
{
	struct ike_event ev = {.type = IKE_EV_EXPIRE, .r = p->i->peer[0].r};
	size_t at = 0;

	while (!p->i->sa[at].is_live)
		at++;
	ev.spi = p->i->sa[at].sa.spi;
	ikew_log_clear(p->r);
	ikew_step(p->i, &ev);
	pair_run(p, 5000);
	assert_true(ikew_logged(p->r, "IPsec SAs in"));
	assert_false(ikew_logged(p->r, "refused"));
	assert_true(has_pairs(p, 2));
	assert_int_equal(p->r->peer_count, 1);
	assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
	expect_encap(p->r);
	expect_encap(p->i);
}

/* Only drafts of NAT traversal: still behind the NAT after the renewal. */
static void a_client_of_drafts_is_renewed(void **state)
{
	static const struct persona_vid vids[] = {
	    {16, {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17,
		     0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56}},
	    {16, {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63,
		     0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f}},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct persona lazy = persona_default;
		struct ike_pair *p = pair_for_all(33);

		lazy.vids = &vids[i / 2];
		lazy.vid_count = 1;
		p->i->cfg.vendors_off =
		    vendor_word("rfc3947") |
		    vendor_word(i / 2 ? "nat-t-03" : "nat-t-02");
		renew(p, &lazy, 40000, i % 2);
		expect_renewal(p);
		pair_free(p);
	}
}

/* Forced UDP encapsulation is forced in the renewed IKE SA too. */
static void a_forced_client_is_renewed(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = persona_default;
		struct ike_pair *p = pair_for_all(33);

		p->r->cfg.policy.force_encap = true;
		renew(p, &lazy, 0, save);
		assert_int_equal(
		    ikew_log_count(p->r, "UDP encapsulation forced"), 2);
		assert_true(ikew_logged(p->i, "behind NAT"));
		expect_renewal(p);
		pair_free(p);
	}
}

/* The server is who it was: local-id holds for renewals as well. */
static void a_renewal_has_the_local_id(void **state)
{
	static const char name[] = "vpn.example.net";

	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = *persona_by_name("windows10");
		struct ike_pair *p = pair_for_all(34);

		p->r->cfg.local_id_type = IPSEC_ID_FQDN;
		p->r->cfg.local_id_len = strlen(name);
		memcpy(p->r->cfg.local_id, name, strlen(name));
		renew(p, &lazy, 40000, save);
		assert_string_equal(p->i->peer[0].up.identity, name);
		assert_int_equal(p->i->peer_count, 1);
		assert_int_equal(ikew_peers_in(p->i, WORLD_PEER_UP), 1);
		assert_int_equal(ikew_log_count(p->i, "IKE SA established"), 2);
		expect_renewal(p);
		pair_free(p);
	}
}

/* A client that calls itself otherwise when it answers: its R stays. */
static void an_answer_with_another_id_ends_no_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = persona_default;
		struct ike_pair *p = pair_for_all(33);

		lazy.id_form = PERSONA_ID_FQDN;
		lazy.id_text = "pc.example.net";
		renew(p, &lazy, 40000, save);
		assert_true(ikew_logged(p->r, "another ID"));
		assert_true(has_pairs(p, 1));
		assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
		assert_int_equal(p->r->peer_count, 1);
		/* Nobody keeps the new one. */
		assert_int_equal(ikew_counts(p->r).sas, 1);
		assert_int_equal(ikew_counts(p->i).sas, 1);
		pair_free(p);
	}
}

/* Both at once: neither deletes what the other made; one use, one R. */
static void both_may_renew_at_once(void **state)
{
	(void)state;
	for (uint64_t seed = 40; seed < 48; seed++) {
		struct persona twin = *persona_by_name("windows10");
		const struct persona *list[] = {&twin};
		struct ike_pair *p = pair_for_all(seed);

		twin.name = "twin";
		twin.rekey_ike_percent = 95;
		p->i->cfg.personas = list;
		p->i->cfg.persona_count = 1;
		ikew_crash(p->i);
		p->i->save_often = p->r->save_often = seed & 1;
		assert_true(connects(p, &twin));
		pair_link(p, 0, 0, 30);
		pair_run(p, 28800000ull * 96 / 100);
		assert_true(ikew_logged(p->r, "renewing its IKE SA"));
		assert_true(ikew_logged(p->i, "renewing its IKE SA"));
		assert_true(ikew_counts(p->i).sas >= 1);
		assert_int_equal(ikew_counts(p->i).sas, ikew_counts(p->r).sas);
		assert_true(ikew_counts(p->r).sas <= 2);
		assert_true(has_pairs(p, 1));
		assert_int_equal(p->r->peer_count, 1);
		/* The next time as well: no growth. */
		pair_run(p, 28800000ull * 98 / 100);
		assert_true(ikew_counts(p->r).sas <= 2);
		assert_true(ikew_counts(p->r).sas >= 1);
		pair_free(p);
	}
}

/* Nobody renews what serves nobody. */
static void an_idle_ike_sa_ends(void **state)
{
	struct ike_pair *p = pair_for_all(50);

	(void)state;
	p->r->add_error = -5;
	pair_connect(p, &persona_default);
	assert_true(pair_up(p, A_MINUTE));
	pair_run(p, 10ull * AN_HOUR);
	assert_false(ikew_logged(p->i, "renewing its IKE SA"));
	assert_int_equal(ikew_counts(p->r).sas, 0);
	pair_free(p);
}

/* A renewal that fails leaves the old one, and is tried again. */
static void a_failed_renewal_is_repeated(void **state)
{
	struct ike_pair *p = pair_for_all(51);

	(void)state;
	assert_true(connects(p, persona_by_name("windows10")));
	p->is_cut = true;
	conn(p, IKE_EV_CONN_REKEY, 1);
	pair_run(p, 2 * A_MINUTE);
	assert_int_equal(p->i->conn_failures, 0);
	assert_true(ikew_logged(p->i, "in place of the old one"));
	assert_int_equal(p->i->conn_ups, 1);
	p->is_cut = false;
	pair_run(p, 2 * A_MINUTE);
	assert_int_equal(p->i->conn_ups, 2);
	assert_true(has_pairs(p, 1));
	pair_free(p);
}

static void the_initiator_renews_its_pair(void **state)
{
	struct ike_pair *p = pair_for_all(52);

	(void)state;
	assert_true(connects(p, persona_by_name("windows10")));
	conn(p, IKE_EV_CONN_REKEY_ESP, 1);
	pair_run(p, 3000);
	assert_true(has_pairs(p, 2));
	assert_int_equal(p->r->peer_count, 1);
	/* Of an unknown connection: nothing. */
	conn(p, IKE_EV_CONN_REKEY_ESP, 77);
	conn(p, IKE_EV_CONN_REKEY, 77);
	conn(p, IKE_EV_CONN_CLOSE, 77);
	conn(p, IKE_EV_CONN_CLOSE, 0);
	assert_int_equal(ikew_counts(p->i).sas, 1);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_initiator_renews_its_ike_sa),
	    cmocka_unit_test(time_renews_too),
	    cmocka_unit_test(the_responder_renews_when_the_client_does_not),
	    cmocka_unit_test(a_client_of_drafts_is_renewed),
	    cmocka_unit_test(a_forced_client_is_renewed),
	    cmocka_unit_test(a_renewal_has_the_local_id),
	    cmocka_unit_test(an_answer_with_another_id_ends_no_r),
	    cmocka_unit_test(both_may_renew_at_once),
	    cmocka_unit_test(an_idle_ike_sa_ends),
	    cmocka_unit_test(a_failed_renewal_is_repeated),
	    cmocka_unit_test(the_initiator_renews_its_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
