/* SPDX-License-Identifier: ISC */
/* What one address, whoever has a valid key there, can take from all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

#include <stdio.h>
#include <string.h>

#define NAT "203.0.113.9"

static struct ikew *world(uint32_t most, bool save)
{
	struct ikew *w = ikew_new(5);

	w->cfg.max_per_address = most;
	ikew_save(w);
	w->save_often = save;
	return w;
}

static struct ike_client *natted(struct ikew *w, int nth)
{
	char inner[32];

	snprintf(inner, sizeof(inner), "10.0.0.%d", nth + 2);
	return ikew_client(w, inner, NAT, (uint16_t)(40000 + 100 * nth));
}

/* The newcomer is refused, and told why; nobody else notices. */
static void one_address_has_a_limited_number_of_clients(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = world(3, save);
		struct ike_client *c[4], *elsewhere;

		for (int i = 0; i < 4; i++)
			c[i] = natted(w, i);
		for (int i = 0; i < 3; i++)
			assert_true(ikew_connect(w, c[i]));
		assert_false(ikew_main(w, c[3]));
		assert_true(ikew_logged(w, "max-per-address"));
		assert_true(ikew_logged(w, "10.0.0.5"));
		assert_int_equal(ikew_counts(w).sas, 3);
		elsewhere = ikew_client(w, "10.0.0.2", "203.0.113.10", 40000);
		assert_true(ikew_connect(w, elsewhere));
		for (int i = 0; i < 3; i++)
			assert_true(ikew_pair_right(w, c[i]));
		/* A place is free again. */
		ikec_delete_esp(c[1], ikec_newest_pair(c[1])->spi_in);
		ikec_delete_sa(c[1], c[1]->cur);
		c[1]->cur->state = CLIENT_GONE;
		ikew_run(w, 60000);
		assert_true(ikew_connect(w, c[3]));
		ikew_free(w);
	}
}

/*
 * Who has a key and never goes on, or vanished without a word: no DPD, and a
 * lifetime of days.  He makes way, the longest idle one first; who has an R,
 * or has only just come, does not.
 */
static void idle_ike_sas_make_way(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = world(3, save);
		struct ike_client *c[5];

		for (int i = 0; i < 5; i++) {
			c[i] = natted(w, i);
			c[i]->has_dpd = false;
		}
		assert_true(ikew_connect(w, c[0]));
		assert_true(ikew_main(w, c[1]));
		assert_true(ikew_main(w, c[1])); /* two of one client */
		ikew_run(w, 1000);
		assert_true(ikew_main(w, c[2]));
		assert_false(ikew_main(w, c[3]));
		assert_true(ikew_logged(w, "max-per-address"));
		ikew_run(w, w->cfg.linger_ms);
		assert_true(ikew_connect(w, c[3]));
		assert_int_equal(ikew_counts(w).sas, 3);
		assert_int_equal(c[1]->cur->state, CLIENT_GONE);
		assert_int_not_equal(c[2]->cur->state, CLIENT_GONE);
		assert_true(ikew_logged(w, "wants the place"));
		assert_true(ikew_connect(w, c[4]));
		assert_int_equal(c[2]->cur->state, CLIENT_GONE);
		/* All have R now. */
		ikew_run(w, w->cfg.linger_ms);
		assert_false(ikew_main(w, c[2]));
		assert_true(ikew_pair_right(w, c[0]));
		assert_true(ikew_pair_right(w, c[3]));
		assert_true(ikew_pair_right(w, c[4]));
		ikew_free(w);
	}
}

/* Both phases, with more than one IKE SA, or with none but an R. */
static void renewing_needs_no_free_place(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = world(2, save);
		struct ike_client *c[2] = {natted(w, 0), natted(w, 1)};
		struct client_sa *old;
		uint64_t r;

		for (int i = 0; i < 2; i++)
			assert_true(ikew_connect(w, c[i]));
		r = ikew_r_of(w, c[0]);
		for (int i = 0; i < 3; i++) {
			old = c[0]->cur;
			assert_true(ikew_main(w, c[0]));
			assert_true(ikew_quick(w, c[0]));
			ikec_delete_sa(c[0], old);
			old->state = CLIENT_GONE;
			ikew_run(w, 100);
		}
		/* Phase 1 expired; somebody else took the place. */
		ikec_delete_sa(c[0], c[0]->cur);
		c[0]->cur->state = CLIENT_GONE;
		ikew_run(w, 100);
		assert_int_equal(ikew_counts(w).sas, 1);
		assert_true(ikew_main(w, natted(w, 2)));
		assert_true(ikew_main(w, c[0]));
		assert_int_equal(ikew_r_of(w, c[0]), r);
		assert_true(ikew_quick(w, c[0]));
		assert_int_equal(ikew_r_of(w, c[0]), r);
		ikew_free(w);
	}
}

/* Ever new IDs, each with an R that outlives its IKE SA. */
static void r_without_ike_sas_are_limited_too(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = world(3, save);

		for (int i = 0; i < 5; i++) {
			struct ike_client *c = natted(w, i);

			c->has_dpd = false;
			assert_true(ikew_main(w, c));
			if (i < 3)
				assert_true(ikew_quick(w, c));
			else
				ikec_start_quick(c);
			ikec_delete_sa(c, c->cur);
			ikew_run(w, 100);
			c->is_mute = true;
		}
		assert_int_equal(ikew_counts(w).peers, 3);
		assert_int_equal(ikew_live_sas(w), 6);
		assert_true(ikew_logged(w,
		    "3 clients are connected from this address, as many as "
		    "may be; raise max-per-address in section ike"));
		ikew_free(w);
	}
}

/* Other selectors take another R: they count. */
static void every_r_of_a_client_counts(void **state)
{
	struct ikew *w = world(2, true);
	struct ike_client *c = natted(w, 0);

	(void)state;
	assert_true(ikew_connect(w, c));
	c->client_port = 1702;
	assert_true(ikew_quick(w, c));
	c->client_port = 1703;
	ikec_start_quick(c);
	ikew_run(w, 1000);
	assert_int_equal(c->last_notify, ISAKMP_N_NO_PROPOSAL_CHOSEN);
	assert_int_equal(ikew_counts(w).peers, 2);
	ikew_free(w);
}

/* Who has one address of a /64 has all of them. */
static void one_ipv6_network_is_one_address(void **state)
{
	struct ikew *w = world(2, true);

	(void)state;
	assert_true(ikew_main(w, ikew_client(w, "2001:db8:7:1::2", NULL, 0)));
	assert_true(
	    ikew_main(w, ikew_client(w, "2001:db8:7:1:ffff::3", NULL, 0)));
	assert_false(ikew_main(w, ikew_client(w, "2001:db8:7:1::4", NULL, 0)));
	assert_true(ikew_main(w, ikew_client(w, "2001:db8:7:2::2", NULL, 0)));
	ikew_free(w);
}

#define NEIGHBOURS 6

/* How many of them have lost their R. */
static int lost(struct ikew *w)
{
	return (int)ikew_peers_in(w, WORLD_PEER_ENDED);
}

static struct ikew *neighbours(
    struct ike_client *c[NEIGHBOURS + 1], bool save, bool is_same_id)
{
	struct ikew *w = world(0, save);

	for (int i = 0; i <= NEIGHBOURS; i++) {
		c[i] = natted(w, i);
		if (is_same_id)
			c[i]->fqdn = "everybody";
		assert_true(ikew_connect(w, c[i]));
	}
	return w;
}

/* With ESP, or with IKE, from the port of one neighbour after the other.  A
 * budget is not saved. */
static void a_client_displaces_few_neighbours(void **state)
{
	(void)state;
	for (int is_esp = 0; is_esp < 2; is_esp++) {
		struct ike_client *c[NEIGHBOURS + 1];
		struct ikew *w = neighbours(c, false, false);
		uint64_t r = ikew_r_of(w, c[0]);
		uint32_t spi = ikec_newest_pair(c[0])->spi_out;

		for (int i = 1; i <= NEIGHBOURS; i++) {
			struct addr port = c[i]->outer[1];

			c[i]->is_mute = true;
			for (int k = 0; k < 3; k++) {
				if (is_esp) {
					ikew_step(w, &(struct ike_event){
							 .type = IKE_EV_MAPPING,
							 .r = r,
							 .spi = spi,
							 .peer = port});
				} else {
					c[0]->outer[1] = port;
					ikec_r_u_there(
					    c[0], (uint32_t)(10 * i + k));
				}
				ikew_run(w, 1100);
			}
		}
		assert_int_equal(lost(w), 4);
		assert_int_equal(ikew_log_count(w, "the place of another"), 1);
		assert_true(addr_equal(&ikew_find_peer(w, r)->up.peer,
		    &(struct addr){.family = ADDR_IPV4,
			.ip = {203, 0, 113, 9},
			.port = c[4]->outer[1].port}));
		/* Then one more. */
		ikew_run(w, 20000);
		ikew_step(w, &(struct ike_event){.type = IKE_EV_MAPPING,
				 .r = r,
				 .spi = spi,
				 .peer = c[5]->outer[1]});
		ikew_run(w, 1100);
		assert_int_equal(lost(w), 5);
		ikew_free(w);
	}
}

/* Its message 5 comes from there. */
static void a_new_ike_sa_displaces_few_neighbours(void **state)
{
	struct ike_client *c[NEIGHBOURS + 1];
	struct ikew *w = neighbours(c, false, false);
	int up = 0;

	(void)state;
	for (int i = 1; i <= NEIGHBOURS; i++) {
		c[i]->is_mute = true;
		c[0]->outer[1] = c[i]->outer[1];
		ikec_start_main(c[0]);
		ikew_run(w, 200);
		up += c[0]->cur->state == CLIENT_UP;
	}
	assert_int_equal(up, 4);
	assert_int_equal(lost(w), 4);
	assert_true(ikew_logged(w, "too many have lost their place"));
	ikew_free(w);
}

/* Whoever is only just dialling in has a place to lose as well. */
static void nor_those_who_are_dialling_in(void **state)
{
	struct ike_client *c[NEIGHBOURS + 1];
	struct ikew *w = world(0, false);

	(void)state;
	w->hold_ready = true;
	for (int i = 0; i <= NEIGHBOURS; i++) {
		c[i] = natted(w, i);
		assert_true(ikew_main(w, c[i]));
		if (i)
			ikec_start_quick(c[i]);
	}
	ikew_run(w, 200);
	assert_int_equal(ikew_counts(w).peers, NEIGHBOURS);
	for (int i = 1; i <= NEIGHBOURS; i++) {
		c[i]->is_mute = true;
		c[0]->outer[1] = c[i]->outer[1];
		ikec_start_main(c[0]);
		ikew_run(w, 200);
	}
	assert_int_equal(lost(w), 4);
	ikew_free(w);
}

/* Ever others dial from one place, and say goodbye: a line of PCs being
 * installed, or our own tests. */
static void who_says_goodbye_is_not_displaced(void **state)
{
	struct ikew *w = world(0, false);

	(void)state;
	for (int i = 0; i < 12; i++) {
		struct ike_client *c = natted(w, i);

		c->outer[0].port = 40000;
		c->outer[1].port = 40001;
		assert_true(ikew_connect(w, c));
		ikec_delete_esp(c, ikec_newest_pair(c)->spi_in);
		ikec_delete_sa(c, c->cur);
		ikew_run(w, 500);
		c->is_mute = true;
	}
	assert_int_equal(lost(w), 11);
	ikew_free(w);
}

/* Who calls itself as its neighbour does not get what is the neighbour's. */
static void two_of_one_id_stay_apart(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c[NEIGHBOURS + 1];
		struct ikew *w = neighbours(c, save, true);
		uint64_t r = ikew_r_of(w, c[0]), its = ikew_r_of(w, c[1]);
		struct addr at = c[0]->outer[1], here = c[1]->outer[1];

		c[0]->outer[1] = here;
		ikec_r_u_there(c[0], 7);
		ikew_run(w, 100);
		c[0]->outer[1] = at;
		ikec_r_u_there(c[0], 8);
		ikew_run(w, 100);
		assert_true(addr_equal(&ikew_find_peer(w, r)->up.peer, &at));
		assert_true(
		    addr_equal(&ikew_find_peer(w, its)->up.peer, &here));
		assert_int_equal(lost(w), 0);
		ikew_free(w);
	}
}

/* Lifetimes that a client asks for, and what becomes of them. */
static const struct {
	uint32_t s, kb;
	uint64_t kept_s, kept_kb;
} lives[] = {
    {3600, 250000, 3600, 250000},
    {3600, 1, 3600, 102400},
    {3600, 102399, 3600, 102400},
    {3600, 102400, 3600, 102400},
    {60, 0, 60, 0},
    {1, 0, 60, 0},
    {59, 7, 60, 102400},
    {604801, 0, 604800, 0},
};

/* A kilobyte would mean a renewal with every packet. */
static void lifetimes_have_a_floor_and_the_client_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		bool is_kept = lives[i].s == lives[i].kept_s &&
			       lives[i].kb == lives[i].kept_kb;
		struct ikew *w = world(0, true);
		struct ike_client *c = natted(w, 0);
		uint8_t want[64];
		struct wire_writer wr;

		c->esp_life_s = lives[i].s;
		c->esp_life_kb = lives[i].kb;
		c->answers = true;
		assert_true(ikew_connect(w, c));
		assert_true(w->sa[0].sa.hard_s ==
			    lives[i].kept_s + lives[i].kept_s / 10 + 60);
		assert_true(w->sa[0].sa.hard_bytes == lives[i].kept_kb * 1280);
		if (lives[i].kept_kb)
			assert_true(
			    w->sa[0].sa.soft_bytes >= lives[i].kept_kb * 900);
		wire_writer_init(&wr, want, sizeof(want));
		wire_put_u16(&wr, 0x8001);
		wire_put_u16(&wr, 1);
		wire_put_u16(&wr, 2);
		wire_put_u16(&wr, 8);
		wire_put_u64(&wr, lives[i].kept_s);
		if (lives[i].kept_kb) {
			wire_put_u16(&wr, 0x8001);
			wire_put_u16(&wr, 2);
			wire_put_u16(&wr, 2);
			wire_put_u16(&wr, 8);
			wire_put_u64(&wr, lives[i].kept_kb);
		}
		assert_int_equal(
		    c->quick[0].told_life_len, is_kept ? 0 : wr.pos);
		if (!is_kept)
			assert_memory_equal(
			    c->quick[0].told_life, want, wr.pos);
		ikew_run(w, 100);
		/* Our own renewal offers what we keep. */
		ikew_step(w, &(struct ike_event){.type = IKE_EV_EXPIRE,
				 .r = w->peer[0].r,
				 .spi = w->sa[0].sa.spi});
		ikew_run(w, 1000);
		assert_int_equal(c->renewals, 1);
		assert_true(w->sa[2].sa.hard_bytes == w->sa[0].sa.hard_bytes);
		assert_true(w->sa[2].sa.hard_s == w->sa[0].sa.hard_s);
		assert_true(w->peer[0].r == ikew_r_of(w, c));
		ikew_free(w);
	}
}

static void forget_quicks(struct ike_client *c)
{
	for (size_t i = 0; i < CLIENT_QUICKS; i++) {
		c->quick[i].is_used = c->quick[i].is_done = false;
		c->quick[i].timer.due_ms = UINT64_MAX;
	}
}

/* Each with its own words for it; what n-th messages do. */
static void shout(struct ikew *w, struct ike_client *c, int how, uint32_t n)
{
	switch (how) {
	case 0:
		ikec_notify(c, ISAKMP_N_NO_PROPOSAL_CHOSEN);
		return;
	case 1:
		ikec_notify(c, 40000);
		return;
	case 2:
		ikec_notify(c, ISAKMP_N_INITIAL_CONTACT);
		return;
	case 3:
		c->esp[0] = ikew_suite(false, "3des-md5");
		forget_quicks(c);
		ikec_start_quick(c);
		return;
	case 4:
		c->outer[1].port = (uint16_t)(50000 + n);
		ikec_r_u_there(c, n);
		return;
	default:
		forget_quicks(c);
		assert_true(ikew_quick(w, c));
		ikec_delete_esp(c, ikec_newest_pair(c)->spi_in);
		ikec_forget_pair(c, ikec_newest_pair(c)->spi_in);
	}
}

static int lines(const struct ikew *w)
{
	return ikew_log_count(w, "\n");
}

/* Who has a key may speak, but not fill the log. */
static void an_authenticated_client_fills_no_log(void **state)
{
	(void)state;
	for (int how = 0; how < 6; how++) {
		struct ikew *w = world(0, false);
		struct ike_client *c = natted(w, 0);
		struct ike_client *other =
		    ikew_client(w, "10.0.0.2", "203.0.113.10", 40000);
		int before, refusals;

		assert_true(ikew_connect(w, c));
		ikew_run(w, 20000);
		before = lines(w);
		refusals = w->refusals;
		/* The last one says two things at a time. */
		for (uint32_t i = 1; i <= (how == 5 ? 75 : 150); i++) {
			shout(w, c, how, i);
			ikew_run(w, 20);
		}
		assert_in_range(lines(w) - before, 40, 42);
		/* `sallyport why' knows them all. */
		if (how == 0 || how == 3)
			assert_in_range(w->refusals - refusals, 150, 151);
		/* Nobody else's lines are missing. */
		assert_true(ikew_connect(w, other));
		ikew_run(w, 50);
		assert_in_range(lines(w) - before, 42, 44);
		ikew_run(w, 20000);
		shout(w, c, how, 200);
		ikew_run(w, 100);
		assert_true(ikew_logged(w,
		    "more messages about clients of this address were not "
		    "logged"));
		ikew_free(w);
	}
}

/* The count is said when the client is gone, too. */
static void what_was_hidden_is_said_at_the_end(void **state)
{
	struct ikew *w = world(0, false);
	struct ike_client *c = natted(w, 0);

	(void)state;
	assert_true(ikew_main(w, c));
	ikew_run(w, 20000);
	for (uint32_t i = 1; i <= 75; i++) {
		shout(w, c, 1, i);
		ikew_run(w, 20);
	}
	assert_false(ikew_logged(w, "more messages"));
	ikec_delete_sa(c, c->cur);
	ikew_run(w, 100);
	assert_true(ikew_logged(w,
	    "203.0.113.9: 36 more messages about clients of this address were "
	    "not logged"));
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_address_has_a_limited_number_of_clients),
	    cmocka_unit_test(idle_ike_sas_make_way),
	    cmocka_unit_test(renewing_needs_no_free_place),
	    cmocka_unit_test(r_without_ike_sas_are_limited_too),
	    cmocka_unit_test(every_r_of_a_client_counts),
	    cmocka_unit_test(one_ipv6_network_is_one_address),
	    cmocka_unit_test(a_client_displaces_few_neighbours),
	    cmocka_unit_test(a_new_ike_sa_displaces_few_neighbours),
	    cmocka_unit_test(nor_those_who_are_dialling_in),
	    cmocka_unit_test(who_says_goodbye_is_not_displaced),
	    cmocka_unit_test(two_of_one_id_stay_apart),
	    cmocka_unit_test(an_authenticated_client_fills_no_log),
	    cmocka_unit_test(what_was_hidden_is_said_at_the_end),
	    cmocka_unit_test(lifetimes_have_a_floor_and_the_client_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
