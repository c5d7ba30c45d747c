/* SPDX-License-Identifier: ISC */
/*
 * Both ends begin at the same time, or nearly: connections, new IKE SAs, new
 * pairs of IPsec SAs.  One use and one R on each side, nothing grows, and
 * nothing that one end has is unknown at the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/profile.h"
#include "test/lib/ike_pair.h"
#include "test/lib/personas.h"

#include <string.h>

#define A_MINUTE 60000

/* The second one begins so many ms after the first; on the link a datagram
 * takes 5. */
static const int offsets[] = {0, 1, 4, 5, 6, 9, 10, 11, 15, 20, 25, 30, 60};
#define OFFSETS (sizeof(offsets) / sizeof(offsets[0]))

static struct ike_pair *both(uint64_t seed, bool save)
{
	struct ike_pair *p = pair_new(seed);

	p->i->cfg.policy = p->r->cfg.policy = *profile_find(PROFILE_DEFAULT);
	ikew_crash(p->i);
	ikew_crash(p->r);
	p->i->save_often = p->r->save_often = save;
	return p;
}

/* One step in each world: i's first, or r's. */
static void step_both(struct ike_pair *p, const struct ike_event *i,
    const struct ike_event *r, bool is_r_first, int ms)
{
	ikew_step(is_r_first ? p->r : p->i, is_r_first ? r : i);
	pair_run(p, (uint64_t)ms);
	ikew_step(is_r_first ? p->i : p->r, is_r_first ? i : r);
}

/* Each SA of one world that is in use is in the other. */
static void expect_same_sas(struct ike_pair *p)
{
	assert_int_equal(ikew_live_sas(p->i), ikew_live_sas(p->r));
	for (size_t n = 0; n < p->i->sa_count; n++) {
		const struct ikew_sa *sa = &p->i->sa[n];
		const struct ikew_sa *there =
		    sa->is_live ? ikew_find_sa(p->r, sa->sa.spi) : NULL;

		assert_true(!sa->is_live || there);
	}
}

static void expect_one_use(struct ike_pair *p, size_t sas_max)
{
	assert_int_equal(ikew_counts(p->i).pairs, 1);
	assert_int_equal(ikew_counts(p->r).pairs, 1);
	assert_int_equal(ikew_live_sas(p->i), 2);
	assert_int_equal(ikew_peers_in(p->i, WORLD_PEER_UP), 1);
	assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
	assert_in_range(ikew_counts(p->i).sas, 1, sas_max);
	assert_int_equal(ikew_counts(p->i).sas, ikew_counts(p->r).sas);
	expect_same_sas(p);
}

/* --- connections --------------------------------------------------------- */

static void both_ends_may_open_at_once(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4 * OFFSETS; n++) {
		struct ike_pair *p = both(n, n & 1);
		struct ike_event i = {.type = IKE_EV_CONNECT,
		    .job = 1,
		    .persona = &persona_default};
		struct ike_event r;

		assert_int_equal(addr_parse(&i.local, PAIR_INNER), 0);
		assert_int_equal(addr_parse(&i.peer, WORLD_SERVER), 0);
		i.local.port = i.peer.port = 500;
		r = i;
		r.local = i.peer;
		r.peer = i.local;
		step_both(p, &i, &r, n & 2, offsets[n / 4]);
		pair_run(p, 2000);
		assert_int_equal(p->i->conn_ups, 1);
		assert_int_equal(p->r->conn_ups, 1);
		assert_true(ikew_live_sas(p->i) >= 2);
		/* What was begun twice is there once, after a while. */
		p->i->traffic = p->r->traffic = true;
		pair_run(p, 5 * A_MINUTE);
		expect_one_use(p, 2);
		pair_free(p);
	}
}

/* --- renewals ------------------------------------------------------------ */

static struct ike_pair *connected(uint64_t seed, bool save)
{
	struct ike_pair *p = both(seed, save);

	pair_connect(p, persona_by_name("networkmanager"));
	assert_true(pair_up(p, A_MINUTE));
	pair_run(p, 2000);
	expect_one_use(p, 1);
	return p;
}

static struct ike_event soft(const struct ikew *w)
{
	struct ike_event ev = {.type = IKE_EV_EXPIRE, .r = w->peer[0].r};
	size_t at = 0;

	while (!w->sa[at].is_live || w->sa[at].sa.dir != IKE_SA_IN)
		at++;
	ev.spi = w->sa[at].sa.spi;
	return ev;
}

static void both_ends_may_renew_a_pair_at_once(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4 * OFFSETS; n++) {
		struct ike_pair *p = connected(100 + n, n & 1);
		struct ike_event i = soft(p->i), r = soft(p->r);

		step_both(p, &i, &r, n & 2, offsets[n / 4]);
		pair_run(p, 3000);
		assert_in_range(ikew_counts(p->i).pairs, 2, 3);
		expect_same_sas(p);
		pair_run(p, 5 * A_MINUTE);
		expect_one_use(p, 1);
		pair_free(p);
	}
}

static void use_all(struct ikew *w)
{
	for (size_t n = 0; n < w->sa_count; n++)
		w->sa[n].packets++;
}

/* A foreign client may send on the pair that we would give up. */
static void what_is_in_use_stays_to_its_hard_limit(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4; n++) {
		struct ike_pair *p = connected(100 + n, n & 1);
		struct ike_event i = soft(p->i), r = soft(p->r);
		struct ike_event hard = r;
		size_t pairs;

		use_all(p->i);
		use_all(p->r);
		step_both(p, &i, &r, n & 2, 4);
		pair_run(p, 3000);
		pairs = ikew_counts(p->r).pairs;
		assert_in_range(pairs, 2, 3);
		for (int s = 0; s < 600; s++) {
			use_all(p->i);
			use_all(p->r);
			pair_run(p, 1000);
		}
		assert_int_equal(ikew_counts(p->r).pairs, pairs);
		assert_int_equal(ikew_counts(p->i).pairs, pairs);
		hard.hard = true;
		ikew_step(p->r, &hard);
		pair_run(p, 1000);
		assert_int_equal(ikew_counts(p->r).pairs, pairs - 1);
		/* And when nothing comes any more they go as ever. */
		pair_run(p, 3 * A_MINUTE);
		expect_one_use(p, 1);
		pair_free(p);
	}
}

static void a_new_ike_sa_and_a_new_pair_may_cross(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4 * OFFSETS; n++) {
		struct ike_pair *p = connected(200 + n, n & 1);
		struct ike_event i = {.type = IKE_EV_CONN_REKEY, .job = 1};
		struct ike_event r = soft(p->r);

		step_both(p, &i, &r, n & 2, offsets[n / 4]);
		pair_run(p, 3000);
		assert_int_equal(p->i->conn_ups, 2);
		pair_run(p, 5 * A_MINUTE);
		expect_one_use(p, 1);
		pair_free(p);
	}
}

/* The client's new Main Mode, begun some ms before or after the server's. */
static void new_ike_sas_may_cross(void **state)
{
	(void)state;
	for (size_t n = 0; n < 4 * OFFSETS; n++) {
		struct persona twin = *persona_by_name("windows10");
		const struct persona *list[] = {&twin};
		struct ike_pair *p = both(300 + n, false);
		struct ike_event i = {.type = IKE_EV_CONN_REKEY, .job = 1};
		uint64_t at = 28800000ull * 95 / 100;

		twin.name = "twin";
		twin.rekey_ike_percent = 0;
		p->i->cfg.personas = list;
		p->i->cfg.persona_count = 1;
		ikew_crash(p->i);
		pair_connect(p, &twin);
		assert_true(pair_up(p, A_MINUTE));
		/* The server begins at 95 % of what began when it was up. */
		pair_run(p, at - 30000);
		p->i->save_often = p->r->save_often = n & 1;
		while (!ikew_logged(p->r, "renewing its IKE SA")) {
			if (n & 2 && ikew_next_at(p->r) <= p->r->now + 1)
				break;
			pair_run(p, 1);
		}
		pair_run(p, (uint64_t)offsets[n / 4]);
		ikew_step(p->i, &i);
		pair_run(p, 5000);
		assert_true(ikew_counts(p->r).sas >= 2);
		pair_run(p, A_MINUTE);
		expect_one_use(p, 2);
		assert_int_equal(p->r->peer_count, 1);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_ends_may_open_at_once),
	    cmocka_unit_test(both_ends_may_renew_a_pair_at_once),
	    cmocka_unit_test(what_is_in_use_stays_to_its_hard_limit),
	    cmocka_unit_test(a_new_ike_sa_and_a_new_pair_may_cross),
	    cmocka_unit_test(new_ike_sas_may_cross),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
