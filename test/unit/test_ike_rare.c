/* SPDX-License-Identifier: ISC */
/*
 * What seldom happens, but can: answers that come too late or never,
 * clients that do one thing too many, a source of randomness without
 * randomness.  Nothing half made stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "ikev1/core/view.h"
#include "test/lib/ike_pair.h"

#include <errno.h>
#include <string.h>

static struct ike_client *natted(struct ikew *w, uint16_t port)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", port);
}

/* Takes the answer of this type from the way; runs up to it. */
static struct ike_event intercept(struct ikew *w, enum ike_event_type type)
{
	for (int tries = 0; tries < 1000; tries++) {
		for (size_t i = 0; i < WORLD_QUEUE; i++) {
			struct ikew_item *it = &w->queue[i];

			if (it->is_used && it->ev.type == type) {
				it->is_used = false;
				return it->ev;
			}
		}
		assert_true(ikew_once(w, w->now + 5000));
	}
	fail_msg("no event of type %d", (int)type);
	return (struct ike_event){0};
}

/* --- the monitor and l2tpd ----------------------------------------------- */

static void an_r_that_never_comes_ends_the_quick_mode(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w, 40000);
		struct ike_event late;

		w->save_often = way & 1;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		late = intercept(w, IKE_EV_PEER_OPENED);
		ikew_run(w, 9000);
		assert_int_equal(ikew_counts(w).peers, 1);
		assert_int_equal(w->refusals, 0);
		ikew_run(w, 2000);
		assert_string_equal(
		    w->refusal, "no number (R) was given in time");
		assert_int_equal(ikew_counts(w).peers, 0);
		assert_int_equal(ikew_live_sas(w), 0);
		/* It comes after all: R goes back; an error needs nothing. */
		late.error = way & 2 ? -EIO : 0;
		ikew_log_clear(w);
		ikew_step(w, &late);
		assert_int_equal(w->log_len, 0);
		assert_int_equal(
		    ikew_peers_in(w, WORLD_PEER_ENDED), way & 2 ? 0 : 1);
		ikew_free(w);
	}
}

/* l2tpd lost R at once, without having been asked: the SAs go with it. */
static void l2tpd_has_nothing_of_a_live_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		uint64_t r = ikew_r_of(w, c);

		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_live_sas(w), 4);
		ikew_step(
		    w, &(struct ike_event){.type = IKE_EV_PEER_GONE, .r = r});
		ikew_run(w, 100);
		assert_int_equal(ikew_live_sas(w), 0);
		assert_int_equal(c->deletes_esp, 2);
		assert_int_equal(ikew_find_peer(w, r)->state, WORLD_PEER_ENDED);
		assert_int_equal(ikew_counts(w).peers, 0);
		/* The IKE SA stays; the client dials again under it. */
		assert_true(ikew_quick(w, c));
		assert_true(ikew_r_of(w, c) != r);
		ikew_free(w);
	}
}

/* In whatever order they end: the others stay whole. */
static void clients_end_in_any_order(void **state)
{
	static const int orders[][3] = {
	    {0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}};

	(void)state;
	for (size_t o = 0; o < 8; o++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c[3];

		for (uint16_t i = 0; i < 3; i++) {
			c[i] = natted(w, (uint16_t)(40000 + 10 * i));
			assert_true(ikew_connect(w, c[i]));
		}
		ikew_run(w, 100);
		w->save_often = o & 1;
		for (int i = 0; i < 3; i++) {
			struct ike_client *gone = c[orders[o / 2][i]];
			uint64_t r = ikew_r_of(w, gone);

			ikew_step(w, &(struct ike_event){
					 .type = IKE_EV_PEER_CLOSE, .r = r});
			ikew_run(w, 100);
			assert_int_equal(
			    ikew_find_peer(w, r)->state, WORLD_PEER_ENDED);
			assert_int_equal(ikew_live_sas(w), 4 - 2 * i);
			for (int k = i + 1; k < 3; k++)
				assert_true(
				    ikew_pair_right(w, c[orders[o / 2][k]]));
		}
		assert_int_equal(ikew_counts(w).peers, 0);
		ikew_free(w);
	}
}

/* --- places -------------------------------------------------------------- */

/* The client's newer IKE SA goes: R falls back to the older one. */
static void the_older_ike_sa_serves_again(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		struct client_sa *first = c->cur, *second;

		c->answers = true;
		assert_true(ikew_main(w, c));
		second = c->cur;
		assert_true(ikew_main(w, c));
		assert_int_equal(ikew_counts(w).sas, 3);
		ikec_delete_sa(c, c->cur);
		c->cur->state = CLIENT_GONE;
		c->cur = second;
		ikew_run(w, 100);
		assert_int_equal(ikew_counts(w).sas, 2);
		/* The renewal finds the newest that is left. */
		ikew_step(w, &(struct ike_event){.type = IKE_EV_EXPIRE,
				 .r = w->peer[0].r,
				 .spi = ikec_newest_pair(c)->spi_out});
		ikew_run(w, 3000);
		assert_int_equal(c->renewals, 1);
		assert_ptr_equal(c->quick[1].sa, second);
		assert_int_equal(first->state, CLIENT_UP);
		ikew_free(w);
	}
}

/* An R on its way out follows its client silently. */
static void a_closing_r_tells_nobody_that_it_moved(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);
	int updates = w->peer[0].updates;

	(void)state;
	w->hold_gone = true;
	ikew_step(w, &(struct ike_event){
			 .type = IKE_EV_PEER_CLOSE, .r = ikew_r_of(w, c)});
	ikew_run(w, 50);
	c->outer[1].port = 45000;
	ikec_r_u_there(c, 1);
	ikew_run(w, 50);
	/* The IKE SA did follow. */
	assert_int_equal(c->dpd_acked, 1);
	assert_int_equal(w->peer[0].updates, updates);
	assert_int_equal(w->peer[0].state, WORLD_PEER_DOWN);
	ikew_step(w,
	    &(struct ike_event){.type = IKE_EV_PEER_GONE, .r = w->peer[0].r});
	assert_int_equal(w->peer[0].state, WORLD_PEER_ENDED);
	ikew_free(w);
}

/* RFC 3947 section 4: once on 4500, what comes to 500 is old. */
static void port_500_is_the_past(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);
	int updates = w->peer[0].updates;

	(void)state;
	c->cur->floated = false;
	c->outer[0].port = 45000;
	ikec_r_u_there(c, 1);
	ikew_run(w, 50);
	assert_int_equal(w->peer[0].updates, updates);
	assert_int_equal(w->peer[0].up.peer.port, 40001);
	/* Nor is port 0 a place, though it is authentic. */
	c->cur->floated = true;
	c->outer[1].port = 0;
	ikec_r_u_there(c, 2);
	ikew_run(w, 50);
	assert_int_equal(w->peer[0].updates, updates);
	assert_false(ikew_logged(w, "mapping changed"));
	c->outer[1].port = 45001;
	ikec_r_u_there(c, 3);
	ikew_run(w, 50);
	assert_int_equal(w->peer[0].updates, updates + 1);
	assert_int_equal(w->peer[0].up.peer.port, 45001);
	ikew_free(w);
}

/* --- Informational ------------------------------------------------------- */

/* RFC 3706 section 5.3: SPI is the cookies, data one number. */
static void odd_r_u_there_is_not_answered(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);
	uint8_t body[64];

	(void)state;
	/* DOI, protocol, SPI size, type, SPI, data */
	memcpy(body, "\0\0\0\1\1\20\x8d\x28", 8);
	memcpy(body + 8, c->cur->cky_i, 8);
	memcpy(body + 16, c->cur->cky_r, 8);
	memcpy(body + 24, "\0\0\0\1\0\0\0", 7);
	for (size_t len = 24; len <= 31; len++) {
		uint32_t before = c->dpd_acked;

		ikec_info(c, 0,
		    &(struct client_info){ISAKMP_PAYLOAD_NOTIFY, body, len}, 1);
		ikew_run(w, 50);
		assert_int_equal(c->dpd_acked, before + (len == 28));
	}
	/* Each byte of the cookies, wrong. */
	memcpy(body + 24, "\0\0\0\2", 4);
	for (size_t at = 8; at < 24; at++) {
		body[at] ^= 1;
		ikec_info(c, 0,
		    &(struct client_info){ISAKMP_PAYLOAD_NOTIFY, body, 28}, 1);
		ikew_run(w, 50);
		assert_int_equal(c->dpd_acked, 1);
		body[at] ^= 1;
	}
	ikec_info(
	    c, 0, &(struct client_info){ISAKMP_PAYLOAD_NOTIFY, body, 28}, 1);
	ikew_run(w, 50);
	assert_int_equal(c->dpd_acked, 2);
	ikew_free(w);
}

/* --- Main Mode ----------------------------------------------------------- */

/* Somebody else's IP address with right cookies: not even looked at. */
static void message_5_from_elsewhere_is_nothing(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w, 40000);
	struct ikew_item copy = {0};
	struct addr elsewhere;
	int sends;

	(void)state;
	ikec_start_main(c);
	while (c->cur->state != CLIENT_SENT5)
		assert_true(ikew_once(w, w->now + 5000));
	for (size_t i = 0; i < WORLD_QUEUE; i++) {
		if (w->queue[i].is_used && w->queue[i].to_server) {
			copy = w->queue[i];
			w->queue[i].is_used = false;
		}
	}
	assert_true(copy.is_used);
	assert_int_equal(addr_parse(&elsewhere, "203.0.113.99"), 0);
	elsewhere.port = 40001;
	sends = w->sends;
	ikew_inject(w, &elsewhere, 4500, copy.data, copy.len);
	assert_int_equal(w->sends, sends);
	assert_int_equal(ikew_counts(w).half_open, 1);
	ikew_inject(w, &copy.ev.peer, 4500, copy.data, copy.len);
	ikew_run(w, 50);
	assert_int_equal(c->cur->state, CLIENT_UP);
	ikew_free(w);
}

/* Its ID can't be read, with several keys one of which is right. */
static void a_bad_id_with_several_keys_is_refused(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w, 40000);

		w->save_often = save;
		w->psk[1] = w->psk[0];
		w->psk[0] = "of somebody else";
		c->odd_id = true;
		c->id_type = IPSEC_ID_IPV4;
		c->id_len = 3;
		assert_false(ikew_main(w, c));
		assert_true(ikew_logged(w, "psk line 2") || w->refusals > 0);
		assert_int_equal(ikew_counts(w).sas, 0);
		c->odd_id = false;
		assert_true(ikew_connect(w, c));
		ikew_free(w);
	}
}

/* However patient its persona is. */
static void no_handshake_of_ours_takes_for_ever(void **state)
{
	struct ike_pair *p = pair_new(7);
	struct persona patient = persona_default;

	(void)state;
	patient.retry.first_ms = patient.retry.max_ms = 50000;
	patient.retry.percent = 100;
	patient.retry.tries = 200;
	p->is_cut = true;
	pair_connect(p, &patient);
	pair_run(p, 599000);
	assert_int_equal(p->i->conn_failures, 0);
	assert_int_equal(ikew_counts(p->i).sas, 1);
	pair_run(p, 2000);
	assert_int_equal(p->i->conn_failures, 1);
	assert_string_equal(p->i->conn_text, "it took too long");
	assert_int_equal(ikew_counts(p->i).sas, 0);
	pair_free(p);
}

/* --- randomness ---------------------------------------------------------- */

/* Zero is no cookie and no SPI: better nothing than that. */
static void zeros_are_not_random(void **state)
{
	struct ike_pair *p = pair_new(3);
	struct ike_client *c;
	struct ikew *w;
	size_t sas;

	(void)state;
	p->i->zero_random = true;
	pair_connect(p, &persona_default);
	assert_int_equal(p->i->conn_failures, 1);
	assert_int_equal(p->i->sends, 0);
	p->i->zero_random = false;
	pair_connect(p, &persona_default);
	assert_true(pair_up(p, 60000));
	pair_free(p);

	w = ikew_connected(&c, true);
	sas = ikew_live_sas(w);
	w->zero_random = true;
	ikec_start_quick(c);
	ikew_run(w, 40000);
	assert_int_equal(ikew_live_sas(w), sas);
	assert_int_equal(ikew_counts(w).pairs, 1);
	w->zero_random = false;
	c->quick[1].is_ended = true;
	c->quick[1].timer.due_ms = UINT64_MAX;
	assert_true(ikew_quick(w, c));
	ikew_free(w);
}

/* Whom chance should choose among the half-open, the first one is. */
static void room_is_made_without_randomness(void **state)
{
	struct ikew *w = ikew_new(5);
	struct ike_client *c[3];

	(void)state;
	w->cfg.max_half_open = 2;
	ikew_crash(w);
	for (uint16_t i = 0; i < 3; i++) {
		char ip[] = "198.18.0.1";

		ip[7] = (char)('0' + i);
		c[i] = ikew_client(w, ip, NULL, 0);
		c[i]->tries = 1;
	}
	for (int i = 0; i < 2; i++) {
		ikec_start_main(c[i]);
		while (c[i]->cur->state != CLIENT_SENT5)
			assert_true(ikew_once(w, w->now + 1000));
		/* Its message 5 is lost. */
		for (size_t k = 0; k < WORLD_QUEUE; k++)
			w->queue[k].is_used = false;
	}
	assert_int_equal(ikew_counts(w).half_open, 2);
	ikec_start_main(c[2]);
	ikew_run(w, 12);
	w->bad_random = w->randoms + 2; /* the first is Nr */
	ikew_run(w, 500);
	assert_int_equal(c[2]->cur->state, CLIENT_UP);
	assert_true(ikew_logged(w, "dropping one by chance"));
	assert_int_equal(ikew_counts(w).half_open, 1);
	ikew_free(w);
}

/* --- looking ------------------------------------------------------------- */

static void no_sa(void *ctx, const struct view_sa *sa)
{
	(void)ctx;
	(void)sa;
}

static void keep_pair(void *ctx, const struct view_pair *pair)
{
	*(struct view_pair *)ctx = *pair;
}

/* A pair whose message 3 is awaited has no age: nothing to count from. */
static void a_pair_that_is_not_up_has_no_times(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w, 40000);
	struct view_pair pair = {.slot = 0};
	const struct view v = {no_sa, keep_pair, &pair};

	(void)state;
	assert_true(ikew_main(w, c));
	ikec_start_quick(c);
	intercept(w, IKE_EV_SA_DONE);
	ike_view(w->ike, w->now, &v);
	assert_true(pair.slot != 0);
	assert_true(pair.age == VIEW_NONE);
	assert_true(pair.rekeys == VIEW_NONE);
	assert_true(pair.expires == VIEW_NONE);
	assert_string_equal(pair.state, "being added");
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_r_that_never_comes_ends_the_quick_mode),
	    cmocka_unit_test(l2tpd_has_nothing_of_a_live_r),
	    cmocka_unit_test(clients_end_in_any_order),
	    cmocka_unit_test(the_older_ike_sa_serves_again),
	    cmocka_unit_test(a_closing_r_tells_nobody_that_it_moved),
	    cmocka_unit_test(port_500_is_the_past),
	    cmocka_unit_test(odd_r_u_there_is_not_answered),
	    cmocka_unit_test(message_5_from_elsewhere_is_nothing),
	    cmocka_unit_test(a_bad_id_with_several_keys_is_refused),
	    cmocka_unit_test(no_handshake_of_ours_takes_for_ever),
	    cmocka_unit_test(zeros_are_not_random),
	    cmocka_unit_test(room_is_made_without_randomness),
	    cmocka_unit_test(a_pair_that_is_not_up_has_no_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
