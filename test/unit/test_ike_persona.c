/* SPDX-License-Identifier: ISC */
/*
 * Each client of the matrix, played by our initiator, against our
 * responder; how connections end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/persona_pair.h"

static void each_persona_connects(void **state)
{
	(void)state;
	assert_int_equal(CHOSEN, persona_total);
	for (size_t i = 0; i < CHOSEN; i++) {
		for (int way = 0; way < 4; way++) {
			struct ike_pair *p =
			    pair_with(chosen[i].profile, 1 + i);

			p->nat_port = way & 1 ? 40000 : 0;
			p->i->save_often = p->r->save_often = way & 2;
			assert_true(
			    connects(p, persona_by_name(chosen[i].name)));
			assert_true(ikew_logged(p->r, chosen[i].ike));
			assert_true(ikew_logged(p->i, chosen[i].ike));
			assert_string_equal(
			    p->r->peer[0].up.suite, chosen[i].suites);
			pair_free(p);
		}
	}
}

/* IPsec, IKE, IPsec under the new IKE SA; then it leaves. */
static void renews_and_leaves(const struct row *row, int way)
{
	const struct persona *persona = persona_by_name(row->name);
	struct ike_pair *p = pair_with(row->profile, 15);
	uint64_t r;

	p->nat_port = way & 1 ? 40000 : 0;
	p->i->save_often = p->r->save_often = way & 2;
	assert_true(connects(p, persona));
	r = p->r->peer[0].r;
	conn(p, IKE_EV_CONN_REKEY_ESP, 1);
	pair_run(p, 3000);
	assert_true(has_pairs(p, 2));
	conn(p, IKE_EV_CONN_REKEY, 1);
	pair_run(p, 3000);
	assert_int_equal(p->i->conn_ups, 2);
	conn(p, IKE_EV_CONN_REKEY_ESP, 1);
	pair_run(p, 3000);
	assert_true(has_pairs(p, 3));
	assert_int_equal(p->r->peer_count, 1);
	assert_int_equal(p->r->peer[0].r, r);
	assert_string_equal(p->r->peer[0].up.suite, row->suites);
	conn(p, IKE_EV_CONN_CLOSE, 1);
	pair_run(p, 1000);
	assert_int_equal(ikew_live_sas(p->i), 0);
	assert_int_equal(ikew_counts(p->i).sas, 0);
	assert_int_equal(
	    ikew_live_sas(p->r), persona->end == PERSONA_END_DELETE ? 0 : 6);
	pair_free(p);
}

static void each_persona_renews_and_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHOSEN; i++)
		for (int way = 0; way < 4; way++)
			renews_and_leaves(&chosen[i], way);
}

/* Clients that only know what a current responder refuses. */
static void old_groups_are_refused(void **state)
{
	struct ike_pair *p = pair_for_all(20);

	(void)state;
	pair_connect(p, persona_by_name("android11"));
	assert_false(pair_up(p, AN_HOUR));
	assert_true(ikew_logged(p->r, "modp1024"));
	assert_non_null(strstr(p->i->conn_text, "NO-PROPOSAL-CHOSEN"));
	pair_free(p);
}

/* Message 1 of Windows 10 has 408 bytes in the captures; header, SA with 3
 * transforms of 40 and 2 of 36 bytes, 8 Vendor IDs. */
static void windows_is_as_long_as_seen(void **state)
{
	struct ike_pair *p = pair_for_all(21);

	(void)state;
	p->is_cut = true;
	pair_connect(p, persona_by_name("windows10"));
	assert_int_equal(p->i->last_out_len, 408);
	pair_free(p);
}

static void names_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < persona_total; i++) {
		assert_ptr_equal(
		    persona_by_name(personas[i]->name), personas[i]);
		assert_true(strlen(personas[i]->name) < PERSONA_NAME_MAX);
		assert_true(personas[i]->retry.tries > 1);
	}
	assert_null(persona_by_name("nobody"));
}

/* Windows: ESP, then IKE, each in its own message; iOS: not a word. */
static void connections_end_as_their_personas_do(void **state)
{
	static const struct {
		const char *name;
		int messages;
		size_t left;
	} rows[] = {{"windows10", 2, 0}, {"ios", 0, 2}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ike_pair *p = pair_for_all(60 + i);
		int sends;

		assert_true(connects(p, persona_by_name(rows[i].name)));
		sends = p->i->sends;
		conn(p, IKE_EV_CONN_CLOSE, 1);
		pair_run(p, 1000);
		assert_int_equal(p->i->sends - sends, rows[i].messages);
		assert_int_equal(ikew_live_sas(p->i), 0);
		assert_int_equal(ikew_counts(p->i).sas, 0);
		assert_int_equal(ikew_live_sas(p->r), rows[i].left);
		pair_free(p);
	}
}

/* In the middle of a handshake as well. */
static void it_can_be_closed_at_any_time(void **state)
{
	(void)state;
	for (uint64_t ms = 0; ms < 60; ms += 2) {
		struct ike_pair *p = pair_for_all(70);

		p->i->save_often = true;
		pair_connect(p, &persona_default);
		pair_run(p, ms);
		conn(p, IKE_EV_CONN_CLOSE, 1);
		assert_int_equal(ikew_counts(p->i).sas, 0);
		pair_run(p, A_MINUTE);
		assert_int_equal(ikew_live_sas(p->i), 0);
		assert_int_equal(ikew_counts(p->i).peers, 0);
		pair_free(p);
	}
}

/* The whole way over a bad link. */
static void a_bad_link_only_costs_time(void **state)
{
	int up = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct ike_pair *p = pair_for_all(100 + seed);

		p->nat_port = seed & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = seed & 2;
		pair_link(p, 20, 10, 200);
		pair_connect(p, personas[seed % 2 ? 0 : 4]);
		pair_run(p, 5 * A_MINUTE);
		up += ikew_counts(p->i).pairs >= 1 &&
		      ikew_counts(p->r).pairs >= 1;
		pair_free(p);
	}
	assert_true(up >= 18);
}

/* Its own share of the lifetimes; ours comes later. */
static void each_persona_has_its_own_soft_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHOSEN; i++) {
		const struct persona *persona = persona_by_name(chosen[i].name);
		struct ike_pair *p = pair_with(chosen[i].profile, 80);
		uint64_t bytes = persona->esp.kilobytes * 1024ull;

		assert_true(connects(p, persona));
		for (size_t n = 0; n < 2; n++) {
			const struct ike_kernel_sa *sa = &p->i->sa[n].sa;
			const struct ike_kernel_sa *ours = &p->r->sa[n].sa;
			bool is_in = sa->dir == IKE_SA_IN;

			assert_int_equal(sa->soft_s,
			    is_in ? persona->esp.seconds *
					persona->rekey_esp_percent / 100
				  : 0);
			assert_int_equal(sa->soft_bytes,
			    bytes / 100 * persona->rekey_esp_percent);
			if (ours->dir == IKE_SA_IN)
				assert_true(ours->soft_s >
					    persona->esp.seconds * 91 / 100);
			assert_true(sa->hard_s > persona->esp.seconds);
		}
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_persona_connects),
	    cmocka_unit_test(each_persona_renews_and_leaves),
	    cmocka_unit_test(old_groups_are_refused),
	    cmocka_unit_test(windows_is_as_long_as_seen),
	    cmocka_unit_test(names_are_unique),
	    cmocka_unit_test(connections_end_as_their_personas_do),
	    cmocka_unit_test(it_can_be_closed_at_any_time),
	    cmocka_unit_test(a_bad_link_only_costs_time),
	    cmocka_unit_test(each_persona_has_its_own_soft_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
