/* SPDX-License-Identifier: ISC */
/* R: who keeps it, who gets a new one, how it begins and ends. */
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

static struct ike_client *natted(struct ikew *w, uint16_t port)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", port);
}

static void event(struct ikew *w, enum ike_event_type type, uint64_t r)
{
	ikew_step(w, &(struct ike_event){.type = type, .r = r});
}

static void clients_behind_nats_have_their_own_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c[4] = {
		    ikew_client(w, "10.0.0.2", "203.0.113.9", 40000),
		    ikew_client(w, "10.0.0.3", "203.0.113.9", 41000),
		    /* the first one's private address behind another NAT */
		    ikew_client(w, "10.0.0.2", "203.0.113.10", 40000),
		    ikew_client(w, "203.0.113.7", NULL, 0),
		};

		w->save_often = save;
		for (int i = 0; i < 4; i++)
			assert_true(ikew_connect(w, c[i]));
		ikew_run(w, 100000);
		assert_int_equal(w->peer_count, 4);
		assert_int_equal(ikew_live_sas(w), 8);
		for (int i = 0; i < 4; i++) {
			assert_true(ikew_pair_right(w, c[i]));
			for (int k = 0; k < i; k++)
				assert_true(
				    ikew_r_of(w, c[i]) != ikew_r_of(w, c[k]));
		}
		ikew_free(w);
	}
}

static void rekeys_of_both_phases_keep_r(void **state)
{
	(void)state;
	for (int save = 0; save < 3; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save == 1);
		uint64_t r = ikew_r_of(w, c);

		/* Saved only from now on: R was made before. */
		w->save_often = save > 0;
		for (int i = 0; i < 3; i++) {
			struct client_pair *old = ikec_newest_pair(c);
			struct client_sa *sa = c->cur;

			assert_true(ikew_quick(w, c));
			assert_int_equal(ikew_r_of(w, c), r);
			/* Both pairs live until the client deletes one. */
			assert_int_equal(ikew_live_sas(w), 4);
			ikec_delete_esp(c, old->spi_in);
			ikec_forget_pair(c, old->spi_in);
			ikew_run(w, 50000);
			assert_int_equal(ikew_live_sas(w), 2);
			assert_true(ikew_main(w, c));
			ikec_delete_sa(c, sa);
			sa->state = CLIENT_GONE;
			ikew_run(w, 50000);
			assert_int_equal(ikew_counts(w).sas, 1);
			assert_true(ikew_pair_right(w, c));
		}
		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		assert_int_equal(w->peer_count, 1);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		ikew_free(w);
	}
}

static void another_id_at_the_place_ends_the_old_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c, *next;
		struct ikew *w = ikew_connected(&c, save);
		uint64_t r = ikew_r_of(w, c);

		c->is_mute = true;
		next = natted(w, 40000);
		next->fqdn = "the.next.one";
		assert_true(ikew_connect(w, next));
		ikew_run(w, 100);
		assert_int_equal(ikew_find_peer(w, r)->state, WORLD_PEER_ENDED);
		assert_true(ikew_r_of(w, next) != r);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_string_equal(w->peer[1].up.identity, "the.next.one");
		ikew_free(w);
	}
}

/* A client that begins again and again, and never deletes, fills no table. */
static void forgotten_ike_sas_go(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c, *other;
		struct ikew *w = ikew_connected(&c, save);
		uint64_t r = ikew_r_of(w, c);

		other = natted(w, 42000);
		assert_true(ikew_connect(w, other));
		for (int i = 0; i < 7; i++) {
			assert_true(ikew_main(w, c));
			ikew_run(w, 100);
		}
		assert_int_equal(ikew_counts(w).sas, 4 + 1);
		assert_int_equal(c->deletes_sa, 4);
		assert_int_equal(other->deletes_sa, 0);
		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		assert_true(ikew_pair_right(w, other));
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 2);
		ikew_free(w);
	}
}

static void another_psk_entry_is_another_client(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);
	uint64_t r = ikew_r_of(w, c);

	(void)state;
	w->psk[0] = "changed";
	w->psk[1] = c->psk;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 100);
	assert_true(ikew_r_of(w, c) != r);
	assert_int_equal(ikew_find_peer(w, r)->state, WORLD_PEER_ENDED);
	ikew_free(w);
}

static void other_selectors_get_another_r_up_to_four(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);

		for (uint16_t i = 1; i < 4; i++) {
			c->client_port = (uint16_t)(50000 + i);
			assert_true(ikew_quick(w, c));
			assert_int_equal(w->peer_count, i + 1);
		}
		c->client_port = 50004;
		ikec_start_quick(c);
		ikew_run(w, 100);
		assert_int_equal(w->peer_count, 4);
		assert_int_equal(c->last_notify, ISAKMP_N_NO_PROPOSAL_CHOSEN);
		assert_true(ikew_logged(w, "4 connections"));
		/* Equal selectors still keep theirs. */
		c->client_port = 50002;
		assert_true(ikew_quick(w, c));
		assert_int_equal(w->peer_count, 4);
		assert_int_equal(ikew_r_of(w, c), w->peer[2].r);
		ikew_free(w);
	}
}

static void l2tpd_may_close_a_peer(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		uint64_t r = ikew_r_of(w, c);

		w->hold_gone = true;
		ikew_step(w, &(struct ike_event){.type = IKE_EV_PEER_CLOSE,
				 .r = r,
				 .text = "by the operator"});
		assert_int_equal(w->peer[0].state, WORLD_PEER_DOWN);
		assert_string_equal(w->peer[0].reason, "by the operator");
		assert_int_equal(ikew_live_sas(w), 0);
		ikew_run(w, 50);
		assert_int_equal(c->deletes_esp, 1);
		event(w, IKE_EV_PEER_CLOSE, r);
		event(w, IKE_EV_PEER_GONE, r);
		assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
		event(w, IKE_EV_PEER_GONE, r);
		/* The IKE SA is the client's: it may dial again under it. */
		w->hold_gone = false;
		assert_true(ikew_quick(w, c));
		assert_true(ikew_r_of(w, c) != r);
		ikew_free(w);
	}
}

static void a_deaf_l2tpd_holds_nothing_up(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w, 40000);

		w->save_often = save;
		w->hold_ready = w->hold_gone = true;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, 9900);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		ikew_run(w, 300);
		assert_int_equal(w->peer[0].state, WORLD_PEER_DOWN);
		assert_int_equal(w->sa_count, 0);
		ikew_run(w, 10000);
		assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
		/* Its READY comes too late for anything. */
		event(w, IKE_EV_PEER_READY, w->peer[0].r);
		assert_int_equal(w->sa_count, 0);
		ikew_free(w);
	}
}

static void a_refused_peer_ends(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w, 40000);

	(void)state;
	w->refuse_peers = true;
	assert_true(ikew_main(w, c));
	ikec_start_quick(c);
	ikew_run(w, 100);
	assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
	assert_int_equal(w->sa_count, 0);
	assert_true(ikew_logged(w, "l2tpd refused"));
	assert_int_equal(ikew_counts(w).peers, 0);
	ikew_free(w);
}

static void no_slot_is_left(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w, 40000);

	(void)state;
	w->open_error = -ENOSPC;
	assert_true(ikew_main(w, c));
	ikec_start_quick(c);
	ikew_run(w, 100);
	assert_true(ikew_logged(w, "no place for another client"));
	assert_int_equal(ikew_counts(w).peers, 0);
	w->open_error = 0;
	assert_true(ikew_quick(w, c));
	ikew_free(w);
}

/* The client vanishes while R is on its way: R must not leak. */
static void an_r_that_nobody_wants_is_given_back(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w, 40000);

	(void)state;
	assert_true(ikew_main(w, c));
	ikec_start_quick(c);
	ikew_run(w, 5);
	assert_int_equal(w->peer_count, 1);
	assert_int_equal(w->peer[0].state, WORLD_PEER_OPENED);
	event(w, IKE_EV_SHUTDOWN, 0);
	ikew_run(w, 10);
	assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
	ikew_free(w);
}

static void the_kernel_sees_another_port(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		uint64_t r = ikew_r_of(w, c);
		struct addr to = c->outer[1];

		assert_true(ikew_quick(w, c));
		ikew_run(w, 50);
		to.port = 45000;
		c->outer[1] = to;
		ikew_step(w, &(struct ike_event){.type = IKE_EV_MAPPING,
				 .r = w->peer[0].r,
				 .spi = ikec_newest_pair(c)->spi_out,
				 .peer = to});
		assert_int_equal(w->encap_changes, 4);
		assert_true(ikew_pair_right(w, c));
		assert_true(addr_equal(&w->peer[0].up.peer, &to));
		assert_true(ikew_logged(w, "203.0.113.9:45000 now"));
		/* The second SA's event of the same change is no news. */
		ikew_step(w, &(struct ike_event){.type = IKE_EV_MAPPING,
				 .r = w->peer[0].r,
				 .spi = ikec_newest_pair(c)->spi_out,
				 .peer = to});
		assert_int_equal(w->encap_changes, 4);
		assert_int_equal(w->peer[0].updates, 1);
		/* IKE goes to the new port as well. */
		ikew_run(w, 40000);
		assert_true(c->dpd_asked > 0);
		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		ikew_free(w);
	}
}

static void an_authenticated_message_from_another_port_moves_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		uint64_t r = ikew_r_of(w, c);

		c->outer[1].port = 45000;
		ikec_r_u_there(c, 5);
		ikew_run(w, 50);
		assert_int_equal(c->dpd_acked, 1);
		assert_int_equal(w->encap_changes, 2);
		assert_true(ikew_pair_right(w, c));
		c->outer[1].port = 46000;
		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		assert_int_equal(w->encap_changes, 4);
		ikew_free(w);
	}
}

static bool spoil_last_byte(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	(void)w;
	data[*len - 1] ^= to_server;
	return true;
}

/* A copy of a client's message, or a forged one, moves nobody. */
static void only_an_authenticated_message_moves_r(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);
	struct addr home = c->outer[1];

	(void)state;
	c->outer[1].port = 45000;
	w->filter = spoil_last_byte;
	ikec_r_u_there(c, 5);
	ikec_start_quick(c);
	ikew_run(w, 50);
	assert_int_equal(w->encap_changes, 0);
	assert_true(addr_equal(&w->peer[0].up.peer, &home));
	assert_int_equal(c->dpd_acked, 0);
	ikew_free(w);
}

/* A NAT that changes its mind with each packet costs one change a second. */
static void changes_of_port_are_throttled(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		struct ike_event ev = {.type = IKE_EV_MAPPING,
		    .r = w->peer[0].r,
		    .spi = ikec_newest_pair(c)->spi_out,
		    .peer = c->outer[1]};

		for (int i = 0; i < 100; i++) {
			ev.peer.port = (uint16_t)(45000 + i);
			ikew_step(w, &ev);
			ikew_run(w, 50);
		}
		assert_in_range(w->peer[0].updates, 4, 6);
		assert_int_equal(w->encap_changes, 2 * w->peer[0].updates);
		/* When it has settled, that is where the client is. */
		ikew_run(w, 1000);
		ikew_step(w, &ev);
		assert_true(addr_equal(&w->peer[0].up.peer, &ev.peer));
		/* Another R's event says nothing about this SA. */
		ikew_run(w, 2000);
		ev.r++;
		ev.peer.port = 50000;
		ikew_step(w, &ev);
		assert_int_equal(w->peer[0].up.peer.port, 45099);
		ikew_free(w);
	}
}

static void another_outer_address_ends_r(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);
	struct addr to = c->outer[1];

	(void)state;
	to.ip[3]++;
	ikew_step(w, &(struct ike_event){.type = IKE_EV_MAPPING,
			 .r = w->peer[0].r,
			 .spi = ikec_newest_pair(c)->spi_out,
			 .peer = to});
	ikew_run(w, 50);
	assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
	assert_string_equal(w->peer[0].reason, "its outer address changed");
	assert_int_equal(ikew_live_sas(w), 0);
	ikew_free(w);
}

/* The NAT gives one client the port that another one had. */
static void a_port_that_changes_hands_ends_the_former_owner(void **state)
{
	struct ike_client *c, *other;
	struct ikew *w = ikew_connected(&c, true);
	uint64_t r = ikew_r_of(w, c), lost;

	(void)state;
	other = ikew_client(w, "10.0.0.3", "203.0.113.9", 41000);
	assert_true(ikew_connect(w, other));
	lost = ikew_r_of(w, other);
	other->is_mute = true;
	c->outer[1] = other->outer[1];
	ikec_r_u_there(c, 1);
	ikew_run(w, 100);
	assert_int_equal(ikew_find_peer(w, lost)->state, WORLD_PEER_ENDED);
	assert_int_equal(ikew_find_peer(w, r)->state, WORLD_PEER_UP);
	assert_int_equal(ikew_live_sas(w), 2);
	assert_true(ikew_pair_right(w, c));
	ikew_free(w);
}

static void limits_of_the_kernel(void **state)
{
	(void)state;
	for (int out = 0; out < 2; out++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, true);
		struct client_pair *p = ikec_newest_pair(c);
		struct ike_event ev = {.type = IKE_EV_EXPIRE,
		    .r = w->peer[0].up.r,
		    .spi = out ? p->spi_in : p->spi_out};

		ikew_step(w, &ev);
		assert_int_equal(ikew_live_sas(w), 2);
		ev.hard = true;
		ikew_step(w, &ev);
		assert_int_equal(ikew_live_sas(w), 0);
		ikew_run(w, 50);
		assert_int_equal(c->deletes_esp, 1);
		ikew_step(w, &ev);
		/* A new Quick Mode within 30 s keeps R. */
		ikew_run(w, 20000);
		assert_true(ikew_quick(w, c));
		assert_int_equal(w->peer_count, 1);
		ikew_run(w, 60000);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		ikew_free(w);
	}
}

/* A client may choose another's SPI for its own inbound SA. */
static void limits_hit_their_own_peer_only(void **state)
{
	struct ike_client *c, *b;
	struct ikew *w = ikew_connected(&c, false);
	struct ike_event ev = {.type = IKE_EV_EXPIRE, .hard = true};

	(void)state;
	b = ikew_client(w, "203.0.113.7", NULL, 0);
	assert_true(ikew_connect(w, b));
	assert_int_equal(ikew_live_sas(w), 4);
	ev.spi = ikec_newest_pair(c)->spi_out;
	ev.r = w->peer[1].up.r;
	ikew_step(w, &ev);
	assert_int_equal(ikew_live_sas(w), 4);
	ev.r = w->peer[0].up.r;
	ikew_step(w, &ev);
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_free(w);
}

/* Nothing can be sent to port 0, so nobody moves there. */
static void port_zero_is_no_new_place(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);
	struct addr to = w->peer[0].up.peer;

	(void)state;
	to.port = 0;
	ikew_step(w, &(struct ike_event){.type = IKE_EV_MAPPING,
			 .r = w->peer[0].up.r,
			 .spi = ikec_newest_pair(c)->spi_out,
			 .peer = to});
	assert_int_equal(w->encap_changes, 0);
	assert_int_equal(w->peer[0].updates, 0);
	ikew_free(w);
}

static void shutdown_leaves_nothing(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c, *b, *half;
		struct ikew *w = ikew_connected(&c, save);
		int sends;

		b = ikew_client(w, "203.0.113.7", NULL, 0);
		assert_true(ikew_connect(w, b));
		half = ikew_client(w, "203.0.113.8", NULL, 0);
		ikec_start_main(half);
		half->is_mute = true;
		ikew_run(w, 20);
		event(w, IKE_EV_SHUTDOWN, 0);
		assert_int_equal(ikew_live_sas(w), 0);
		ikew_run(w, 100);
		assert_int_equal(c->deletes_esp + b->deletes_esp, 2);
		assert_int_equal(c->deletes_sa + b->deletes_sa, 2);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_ENDED), 2);
		assert_int_equal(ikew_counts(w).peers, 0);
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_int_equal(ikew_counts(w).pairs, 0);
		/* And nobody comes in any more. */
		sends = w->sends;
		ikec_start_main(b);
		ikew_run(w, 1000);
		assert_int_equal(w->sends, sends);
		event(w, IKE_EV_SHUTDOWN, 0);
		assert_true(ike_next_deadline(w->ike) == UINT64_MAX);
		ikew_free(w);
	}
}

static void unknown_answers_are_ignored(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);
	struct ike_actions acts = {0};

	(void)state;
	for (int type = 0; type < IKE_EV_RESUME; type++) {
		for (uint32_t job = 0; job < 20; job++) {
			struct ike_event ev = {
			    .type = (enum ike_event_type)type,
			    .now_ms = w->now,
			    .job = job,
			    .r = 4711,
			    .spi = 4711,
			    .hard = true,
			};

			ike_step(w->ike, &ev, &acts);
		}
	}
	for (size_t i = 0; i < acts.count; i++)
		assert_int_equal(acts.items[i].type, IKE_ACT_LOG);
	ike_actions_free(&acts);
	assert_int_equal(ikew_counts(w).pairs, 1);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clients_behind_nats_have_their_own_r),
	    cmocka_unit_test(rekeys_of_both_phases_keep_r),
	    cmocka_unit_test(another_id_at_the_place_ends_the_old_r),
	    cmocka_unit_test(forgotten_ike_sas_go),
	    cmocka_unit_test(another_psk_entry_is_another_client),
	    cmocka_unit_test(other_selectors_get_another_r_up_to_four),
	    cmocka_unit_test(l2tpd_may_close_a_peer),
	    cmocka_unit_test(a_deaf_l2tpd_holds_nothing_up),
	    cmocka_unit_test(a_refused_peer_ends),
	    cmocka_unit_test(no_slot_is_left),
	    cmocka_unit_test(an_r_that_nobody_wants_is_given_back),
	    cmocka_unit_test(the_kernel_sees_another_port),
	    cmocka_unit_test(
		an_authenticated_message_from_another_port_moves_r),
	    cmocka_unit_test(only_an_authenticated_message_moves_r),
	    cmocka_unit_test(changes_of_port_are_throttled),
	    cmocka_unit_test(another_outer_address_ends_r),
	    cmocka_unit_test(a_port_that_changes_hands_ends_the_former_owner),
	    cmocka_unit_test(limits_of_the_kernel),
	    cmocka_unit_test(limits_hit_their_own_peer_only),
	    cmocka_unit_test(port_zero_is_no_new_place),
	    cmocka_unit_test(shutdown_leaves_nothing),
	    cmocka_unit_test(unknown_answers_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
