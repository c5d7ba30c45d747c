/* SPDX-License-Identifier: ISC */
/* NAT keep-alives of our initiator: RFC 3948 sections 2.3 and 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/profile.h"
#include "test/lib/ike_pair.h"
#include "test/lib/personas.h"

#define EVERY_MS 20000
#define A_MINUTE 60000
#define LIFE_PERCENT 288000ull /* of the IKE SA's 8 hours */

/* Windows: without DPD, so that nothing else is sent. */
static struct ike_pair *connected(
    const struct persona *persona, uint16_t nat_port, bool save)
{
	struct ike_pair *p = pair_new(1);

	p->r->cfg.policy = p->i->cfg.policy = *profile_find(PROFILE_DEFAULT);
	ikew_crash(p->r);
	ikew_crash(p->i);
	p->nat_port = nat_port;
	p->i->save_often = p->r->save_often = save;
	pair_connect(p, persona);
	assert_true(pair_up(p, A_MINUTE));
	pair_run(p, 2000);
	assert_int_equal(ikew_live_sas(p->i), 2);
	return p;
}

/* Until the next one; how long that took. */
static uint64_t next_one(struct ike_pair *p)
{
	int before = p->i->keepalives;
	uint64_t start = p->i->now;

	while (p->i->keepalives == before && p->i->now < start + A_MINUTE)
		pair_run(p, 1);
	return p->i->now - start;
}

static void behind_a_nat_one_every_20_seconds(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p =
		    connected(persona_by_name("windows10"), 40000, save);
		int sends = p->i->sends;

		assert_int_equal(p->i->keepalives, 0);
		assert_in_range(next_one(p), EVERY_MS - 2000, EVERY_MS);
		assert_int_equal(p->i->keepalive_to.port, 4500);
		for (int n = 0; n < 5; n++)
			assert_int_equal(next_one(p), EVERY_MS);
		assert_int_equal(p->i->sends, sends);
		assert_int_equal(p->r->keepalives, 0);
		pair_free(p);
	}
}

static void without_a_nat_there_are_none(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p =
		    connected(persona_by_name("windows10"), 0, save);

		pair_run(p, 10 * A_MINUTE);
		assert_int_equal(p->i->keepalives, 0);
		assert_int_equal(p->r->keepalives, 0);
		pair_free(p);
	}
}

/* The policy that forces UDP encapsulation is no NAT. */
static void our_own_pretence_is_no_nat(void **state)
{
	struct ike_pair *p = pair_new(1);

	(void)state;
	p->i->cfg.policy.force_encap = true;
	ikew_crash(p->i);
	pair_connect(p, &persona_default);
	assert_true(pair_up(p, A_MINUTE));
	assert_true(ikew_logged(p->i, "UDP encapsulation forced"));
	pair_run(p, 10 * A_MINUTE);
	assert_int_equal(p->i->keepalives, 0);
	pair_free(p);
}

/* Any message keeps the mapping. */
static void what_is_sent_puts_it_off(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p =
		    connected(persona_by_name("windows10"), 40000, save);
		struct ike_event ev = {.type = IKE_EV_CONN_REKEY_ESP, .job = 1};

		next_one(p);
		for (int n = 0; n < 4; n++) {
			pair_run(p, EVERY_MS - 1000);
			assert_int_equal(p->i->keepalives, 1);
			ikew_step(p->i, &ev);
			pair_run(p, 900);
		}
		assert_in_range(next_one(p), EVERY_MS - 1000, EVERY_MS);
		pair_free(p);
	}
}

/* Two IKE SAs of a connection share its mapping. */
static void one_ike_sa_is_enough(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p =
		    connected(persona_by_name("windows10"), 40000, save);
		struct ike_event ev = {.type = IKE_EV_CONN_REKEY, .job = 1};

		ikew_step(p->i, &ev);
		pair_run(p, 1000);
		assert_int_equal(ikew_counts(p->i).sas, 2);
		assert_in_range(next_one(p), EVERY_MS - 1000, EVERY_MS);
		for (int n = 0; n < 5; n++)
			assert_int_equal(next_one(p), EVERY_MS);
		pair_free(p);
	}
}

/* The server begins the next IKE SA: the connection goes on in it. */
static void a_renewal_of_the_servers_keeps_it_up(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = *persona_by_name("windows10");
		const struct persona *list[] = {&lazy};
		struct ike_pair *p;
		struct ike_event ev = {.type = IKE_EV_CONN_CLOSE, .job = 1};

		lazy.name = "lazy";
		lazy.rekey_ike_percent = 0;
		lazy.rekey_esp_percent = 0;
		p = connected(&lazy, 40000, false);
		p->i->cfg.personas = list;
		p->i->cfg.persona_count = 1;
		pair_run(p, 96 * LIFE_PERCENT);
		assert_true(ikew_logged(p->r, "renewing its IKE SA"));
		/* Past the end of the first one. */
		pair_run(p, 10 * LIFE_PERCENT);
		assert_int_equal(ikew_counts(p->i).sas, 1);
		p->i->save_often = save; /* it knows the list now */
		next_one(p);
		/* The server's IKE SA has DPD, which is sent in between. */
		assert_in_range(next_one(p), EVERY_MS, 2 * EVERY_MS);
		assert_int_equal(p->r->keepalives, 0);
		/* And it is the one that the shell may close. */
		ikew_step(p->i, &ev);
		pair_run(p, 1000);
		assert_int_equal(ikew_counts(p->i).sas, 0);
		assert_int_equal(ikew_live_sas(p->i), 0);
		assert_int_equal(ikew_live_sas(p->r), 0);
		assert_int_equal(ikew_counts(p->r).sas, 0);
		pair_free(p);
	}
}

static void nothing_comes_after_the_end(void **state)
{
	struct ike_pair *p = connected(persona_by_name("ios"), 40000, true);
	struct ike_event ev = {.type = IKE_EV_CONN_CLOSE, .job = 1};

	(void)state;
	next_one(p);
	ikew_step(p->i, &ev);
	pair_run(p, 10 * A_MINUTE);
	assert_int_equal(p->i->keepalives, 1);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(behind_a_nat_one_every_20_seconds),
	    cmocka_unit_test(without_a_nat_there_are_none),
	    cmocka_unit_test(our_own_pretence_is_no_nat),
	    cmocka_unit_test(what_is_sent_puts_it_off),
	    cmocka_unit_test(one_ike_sa_is_enough),
	    cmocka_unit_test(a_renewal_of_the_servers_keeps_it_up),
	    cmocka_unit_test(nothing_comes_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
