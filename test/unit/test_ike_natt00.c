/* SPDX-License-Identifier: ISC */
/*
 * NAT traversal as its drafts 00 and 01 have it: nothing moves to port 4500,
 * ESP in UDP goes between the ports that IKE has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/profile.h"
#include "test/lib/ike_pair.h"
#include "test/lib/personas.h"

#define A_MINUTE 60000
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const enum vendor olds[] = {VENDOR_NATT_00, VENDOR_NATT_01};

static struct ikew *world(bool can, bool save)
{
	struct ikew *w = ikew_new(5);

	w->cfg.has_esp_500 = can;
	w->cfg.kernel = "Linux 6.12";
	ikew_crash(w);
	w->save_often = save;
	return w;
}

/* One that offers nothing newer. */
static struct ike_client *old(
    struct ikew *w, const char *inner, const char *nat, enum vendor vendor)
{
	struct ike_client *c = ikew_client(w, inner, nat, 40000);

	c->natt = vendor;
	c->has_draft = true;
	c->send_oa = nat;
	return c;
}

static struct ike_client *natted(struct ikew *w, enum vendor vendor)
{
	return old(w, "10.0.0.2", "203.0.113.9", vendor);
}

/* All SAs: between our port 500 and the client's. */
static void expect_on_500(const struct ikew *w, uint16_t port)
{
	for (size_t i = 0; i < w->sa_count; i++) {
		const struct ike_kernel_sa *sa = &w->sa[i].sa;
		bool is_in = sa->dir == IKE_SA_IN;

		if (!w->sa[i].is_live)
			continue;
		assert_true(sa->encap);
		assert_int_equal((is_in ? &sa->dst : &sa->src)->port, 500);
		assert_int_equal((is_in ? &sa->src : &sa->dst)->port, port);
	}
}

static void behind_nat_all_stays_on_500(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * COUNT(olds); i++) {
		struct ikew *w = world(true, i & 1);
		struct ike_client *c = natted(w, olds[i / 2]);

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		assert_int_equal(
		    c->vendors & VENDOR_NATT_ANY, VENDOR_BIT(olds[i / 2]));
		assert_true(c->cur->behind_nat);
		assert_false(c->cur->floated);
		assert_int_equal(
		    c->pair[0].encap, IPSEC_ENCAP_UDP_TRANSPORT_DRAFT);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(w->peer[0].up.natt, 1);
		assert_int_equal(w->peer[0].up.peer.port, 40000);
		assert_int_equal(w->peer[0].up.local.port, 500);
		expect_on_500(w, 40000);
		assert_true(ikew_logged(w, "client behind NAT"));
		assert_false(ikew_logged(w, "offers NAT traversal only as"));
		ikew_free(w);
	}
}

/* On every kernel. */
static void without_nat_esp_is_native(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct ikew *w = world(i & 2, i & 1);
		struct ike_client *c = old(w, "203.0.113.7", NULL, olds[i / 4]);

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		assert_int_equal(c->pair[0].encap, IPSEC_ENCAP_TRANSPORT);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(w->peer[0].up.natt, 0);
		/* Only where it could not be had the log says so. */
		assert_int_equal(c->vendors & VENDOR_NATT_ANY,
		    i & 2 ? VENDOR_BIT(olds[i / 4]) : 0);
		assert_int_equal(
		    ikew_logged(w, "this kernel (Linux 6.12)"), !(i & 2));
		ikew_free(w);
	}
}

static void a_kernel_without_it_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(olds); i++) {
		struct ikew *w = world(false, true);
		struct ike_client *c = natted(w, olds[i]);

		assert_false(ikew_connect(w, c));
		assert_int_equal(c->vendors & VENDOR_NATT_ANY, 0);
		assert_true(ikew_logged(w, "this kernel (Linux 6.12)"));
		assert_int_equal(ikew_live_sas(w), 0);
		ikew_free(w);
	}
}

/* The operator's list counts, and is no reason to complain. */
static void what_is_switched_off_is_not_answered(void **state)
{
	struct ikew *w = world(true, false);
	struct ike_client *c = natted(w, VENDOR_NATT_00);

	(void)state;
	w->cfg.vendors_off = vendor_word("nat-t-00");
	ikew_crash(w);
	assert_false(ikew_connect(w, c));
	assert_int_equal(c->vendors & VENDOR_NATT_ANY, 0);
	assert_false(ikew_logged(w, "offers NAT traversal only as"));
	ikew_free(w);
}

/* Linux has it for IPv4; nobody has IPv6 behind an old NAT. */
static void ipv6_does_without(void **state)
{
	struct ikew *w = world(true, false);
	struct ike_client *c = old(w, "2001:db8:7::7", NULL, VENDOR_NATT_00);

	(void)state;
	assert_true(ikew_connect(w, c));
	assert_int_equal(c->vendors & VENDOR_NATT_ANY, 0);
	assert_int_equal(w->peer[0].up.natt, 0);
	ikew_free(w);
}

static void forced_encapsulation_works_as_well(void **state)
{
	struct ikew *w = world(true, true);
	struct ike_client *c = old(w, "203.0.113.7", NULL, VENDOR_NATT_00);

	(void)state;
	w->cfg.policy.force_encap = true;
	ikew_crash(w);
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	assert_true(ikew_logged(w, "UDP encapsulation forced"));
	expect_on_500(w, 500);
	ikew_free(w);
}

static void the_nat_may_change_the_port(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = world(true, save);
		struct ike_client *c = natted(w, VENDOR_NATT_00);
		uint64_t r;

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		r = ikew_r_of(w, c);
		c->outer[0].port = 45000;
		ikew_step(w, &(struct ike_event){.type = IKE_EV_MAPPING,
				 .r = w->peer[0].r,
				 .spi = ikec_newest_pair(c)->spi_out,
				 .peer = c->outer[0]});
		assert_int_equal(w->encap_changes, 2);
		expect_on_500(w, 45000);
		/* And by IKE itself. */
		ikew_run(w, 2000);
		c->outer[0].port = 46000;
		assert_true(ikew_quick(w, c));
		ikew_run(w, 50);
		assert_int_equal(w->encap_changes, 4);
		expect_on_500(w, 46000);
		assert_int_equal(ikew_r_of(w, c), r);
		ikew_free(w);
	}
}

/* The kernel would not take it: an SA's kind of encapsulation is for life. */
static void no_message_moves_it_to_4500(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = world(true, save);
		struct ike_client *c = natted(w, VENDOR_NATT_00);

		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		c->cur->floated = true;
		ikec_r_u_there(c, 17);
		ikew_run(w, 500);
		assert_int_equal(w->encap_changes, 0);
		expect_on_500(w, 40000);
		assert_int_equal(w->peer[0].up.peer.port, 40000);
		ikew_free(w);
	}
}

/* Nor does message 5. */
static bool to_4500(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct ike_client *c = w->client[0];

	(void)data;
	(void)len;
	if (!to_server && c->cur->state == CLIENT_SENT3)
		c->cur->floated = true;
	return true;
}

static void message_5_stays_too(void **state)
{
	struct ikew *w = world(true, false);
	struct ike_client *c = natted(w, VENDOR_NATT_00);

	(void)state;
	w->filter = to_4500;
	assert_false(ikew_main(w, c));
	assert_true(ikew_logged(w, "message 5 came to UDP 4500"));
	assert_int_equal(ikew_live_sas(w), 0);
	ikew_free(w);
}

/* Its packets come back to an engine that has started again. */
static void it_outlives_a_crash(void **state)
{
	struct ikew *w = world(true, false);
	struct ike_client *c = natted(w, VENDOR_NATT_00);

	(void)state;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	ikew_resume(w);
	ikew_run(w, 50);
	assert_int_equal(ikew_live_sas(w), 2);
	c->outer[0].port = 45000;
	ikew_step(w, &(struct ike_event){.type = IKE_EV_MAPPING,
			 .r = w->peer[0].r,
			 .spi = ikec_newest_pair(c)->spi_out,
			 .peer = c->outer[0]});
	assert_int_equal(w->encap_changes, 2);
	expect_on_500(w, 45000);
	ikew_free(w);
}

/* --- our initiator ------------------------------------------------------- */

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
	assert_int_equal(ikew_live_sas(p->r), 2);
	return p;
}

static void its_keepalives_leave_from_500(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p =
		    connected(persona_by_name("natt00"), 40000, save);

		expect_on_500(p->r, 40000);
		expect_on_500(p->i, 500);
		pair_run(p, 30000);
		assert_int_equal(p->i->keepalives, 1);
		assert_int_equal(p->i->keepalive_to.port, 500);
		pair_free(p);
	}
}

/* The client lets its IKE SA end: ours asks for the same draft again. */
static void the_server_renews_on_500(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = *persona_by_name("natt00");
		const struct persona *list[] = {&lazy};
		struct ike_event ev = {.type = IKE_EV_EXPIRE};
		struct ike_pair *p = pair_new(1);

		lazy.name = "lazy";
		lazy.rekey_ike_percent = 0;
		p->r->cfg.policy = p->i->cfg.policy =
		    *profile_find(PROFILE_DEFAULT);
		p->i->cfg.personas = list;
		p->i->cfg.persona_count = 1;
		ikew_crash(p->r);
		ikew_crash(p->i);
		p->nat_port = 40000;
		p->i->save_often = p->r->save_often = save;
		pair_connect(p, &lazy);
		assert_true(pair_up(p, A_MINUTE));
		pair_run(p, 28800000ull * 96 / 100);
		assert_true(ikew_logged(p->r, "renewing its IKE SA"));
		assert_int_equal(ikew_log_count(p->r, "IKE SA established"), 2);
		/* And its pair under that one. */
		ev.r = p->r->peer[0].r;
		for (size_t i = 0; i < p->r->sa_count; i++)
			if (p->r->sa[i].is_live)
				ev.spi = p->r->sa[i].sa.spi;
		ikew_log_clear(p->r);
		ikew_step(p->r, &ev);
		pair_run(p, 5000);
		assert_true(ikew_logged(p->r, "IPsec SAs in"));
		expect_on_500(p->r, 40000);
		expect_on_500(p->i, 500);
		assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
		p->i->save_often = false; /* the list ends here */
		pair_free(p);
	}
}

/* Whoever has something newer gets that; we offer the old ones to nobody. */
static void it_is_the_last_choice(void **state)
{
	static const char *const names[] = {"android11", "routeros", "default"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct ike_pair *p = pair_new(1);

		p->r->cfg.policy = p->i->cfg.policy = *profile_find("legacy");
		p->r->cfg.vendors_off = vendor_word(NULL) &
					~vendor_word("nat-t-00") &
					~vendor_word(i == 1 ? "nat-t-02" : "");
		ikew_crash(p->r);
		ikew_crash(p->i);
		p->nat_port = 40000;
		pair_connect(p, persona_by_name(names[i]));
		pair_run(p, A_MINUTE);
		/* android11 has 00 itself, routeros 02 as well. */
		assert_int_equal(ikew_counts(p->r).pairs, i < 2);
		assert_int_equal(p->r->peer_count, i < 2);
		if (i < 2)
			assert_int_equal(
			    p->r->peer[0].up.local.port, i ? 4500 : 500);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(behind_nat_all_stays_on_500),
	    cmocka_unit_test(without_nat_esp_is_native),
	    cmocka_unit_test(a_kernel_without_it_is_named),
	    cmocka_unit_test(what_is_switched_off_is_not_answered),
	    cmocka_unit_test(ipv6_does_without),
	    cmocka_unit_test(forced_encapsulation_works_as_well),
	    cmocka_unit_test(the_nat_may_change_the_port),
	    cmocka_unit_test(no_message_moves_it_to_4500),
	    cmocka_unit_test(message_5_stays_too),
	    cmocka_unit_test(it_outlives_a_crash),
	    cmocka_unit_test(its_keepalives_leave_from_500),
	    cmocka_unit_test(the_server_renews_on_500),
	    cmocka_unit_test(it_is_the_last_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
