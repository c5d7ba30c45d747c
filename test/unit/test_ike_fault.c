/* SPDX-License-Identifier: ISC */
/*
 * What a fault at any one place costs: the source of randomness fails once,
 * the library has no algorithms during one event, the kernel or l2tpd says
 * no.  An exchange may be lost; nothing half made stays, and the next try
 * gets through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_pair.h"
#include "test/lib/personas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUITE_LONG 150000 /* half-open, linger and retries are over */

struct fault {
	int random, step;
};

/* Main Mode, two Quick Modes, a renewal by the server, DPD, the end. */
static struct ikew *dial(const char *esp, const struct fault *fault)
{
	struct ikew *w = ikew_new(11);
	struct ike_client *c = ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);

	w->traffic = true;
	w->randoms = w->steps = 0;
	w->bad_random = fault->random;
	w->bad_step = fault->step;
	c->answers = c->send_oa = c->has_dpd = true;
	c->esp[0] = ikew_suite(false, esp);
	if (ikew_connect(w, c)) {
		ikew_run(w, 50);
		ikew_quick(w, c);
		ikew_step(w, &(struct ike_event){.type = IKE_EV_EXPIRE,
				 .r = w->peer[0].r,
				 .spi = ikec_newest_pair(c)->spi_out});
		ikew_run(w, 40000);
	}
	c->is_mute = true;
	ikew_run(w, 4 * QUITE_LONG);
	return w;
}

/* The one that had to suffer is gone or whole; another one gets in. */
static void expect_recovery(struct ikew *w)
{
	struct ike_counts n = ikew_counts(w);
	struct ike_client *other =
	    ikew_client(w, "10.0.0.3", "203.0.113.9", 50000);

	assert_int_equal(n.first, 0);
	assert_int_equal(n.half_open, 0);
	assert_int_equal(n.peers, 0);
	assert_int_equal(n.pairs, 0);
	assert_int_equal(ikew_live_sas(w), 0);
	assert_int_equal(
	    ikew_peers_in(w, WORLD_PEER_ENDED), (int)w->peer_count);
	assert_true(ikew_connect(w, other));
}

static const char *const esps[] = {"aes256-sha256", "aes128-sha1-ecp256"};

static void randomness_may_fail_once_anywhere(void **state)
{
	(void)state;
	for (size_t e = 0; e < 2; e++) {
		int calls = 1;

		for (int at = 0; at <= calls; at++) {
			struct fault fault = {.random = at};
			struct ikew *w = dial(esps[e], &fault);

			if (!at) {
				calls = w->randoms;
				assert_in_range(calls, 8, 200);
			} else {
				assert_true(w->randoms >= at);
			}
			expect_recovery(w);
			ikew_free(w);
		}
	}
}

static void algorithms_may_be_gone_at_any_step(void **state)
{
	(void)state;
	for (size_t e = 0; e < 2; e++) {
		int steps = 1;

		for (int at = 0; at <= steps; at++) {
			struct fault fault = {.step = at};
			struct ikew *w = dial(esps[e], &fault);

			if (!at) {
				steps = w->steps;
				assert_in_range(steps, 20, 400);
			}
			expect_recovery(w);
			ikew_free(w);
		}
	}
}

/* The same for what we start ourselves. */
static struct ike_pair *connect_out(const char *name, const struct fault *fault)
{
	struct ike_pair *p = pair_new(21);
	const enum ike_event_type asks[] = {IKE_EV_CONN_REKEY_ESP,
	    IKE_EV_CONN_REKEY, IKE_EV_CONN_REKEY_ESP, IKE_EV_CONN_CLOSE};

	p->nat_port = 40000;
	p->i->traffic = p->r->traffic = true;
	p->i->randoms = p->i->steps = 0;
	p->i->bad_random = fault->random;
	p->i->bad_step = fault->step;
	pair_connect(p, persona_by_name(name));
	pair_run(p, 5000);
	for (size_t i = 0; i < 4; i++) {
		ikew_step(p->i, &(struct ike_event){.type = asks[i], .job = 1});
		pair_run(p, 4000);
	}
	pair_run(p, 4 * QUITE_LONG);
	return p;
}

static void expect_both_recover(struct ike_pair *p)
{
	struct ike_counts n = ikew_counts(p->i);
	int ups;

	assert_int_equal(n.sas, 0);
	assert_int_equal(n.peers, 0);
	assert_int_equal(n.pairs, 0);
	assert_int_equal(ikew_live_sas(p->i), 0);
	ups = p->i->conn_ups;
	pair_connect(p, &persona_default);
	pair_run(p, 10000);
	assert_int_equal(p->i->conn_ups, ups + 1);
	assert_int_equal(ikew_counts(p->i).pairs, 1);
}

static void our_own_connections_survive_faults(void **state)
{
	static const char *const names[] = {"default", "windows10", "ios"};

	(void)state;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
		struct fault none = {0};
		struct ike_pair *p;
		int calls, steps;

		p = connect_out(names[n], &none);
		calls = p->i->randoms;
		steps = p->i->steps;
		assert_int_equal(p->i->conn_failures, 0);
		expect_both_recover(p);
		pair_free(p);
		for (int at = 1; at <= calls; at++) {
			struct fault fault = {.random = at};

			p = connect_out(names[n], &fault);
			expect_both_recover(p);
			pair_free(p);
		}
		for (int at = 1; at <= steps; at++) {
			struct fault fault = {.step = at};

			p = connect_out(names[n], &fault);
			expect_both_recover(p);
			pair_free(p);
		}
	}
}

/* A value on no curve: the Quick Mode ends, the next one is made. */
static void diffie_hellman_may_fail_in_quick_mode(void **state)
{
	(void)state;
	for (int is_error = 0; is_error < 2; is_error++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c =
		    ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
		uint32_t job = 0;
		size_t sas;

		c->esp[0] = ikew_suite(false, "aes128-sha1-ecp256");
		assert_true(ikew_connect(w, c));
		sas = ikew_live_sas(w);
		ikec_start_quick(c);
		ikew_run(w, 6); /* its message 1 has come, no answer yet */
		for (size_t i = 0; i < WORLD_QUEUE; i++) {
			struct ikew_item *it = &w->queue[i];

			if (!it->is_used || it->ev.type != IKE_EV_DH_DONE)
				continue;
			job = it->ev.job;
			it->ev.error = is_error ? -EINVAL : 0;
			it->ev.shared.len = 0;
		}
		assert_true(job);
		ikew_run(w, 500);
		assert_true(ikew_logged(w, "Diffie-Hellman failed"));
		assert_int_equal(ikew_live_sas(w), sas);
		c->quick[1].is_ended = true;
		c->quick[1].timer.due_ms = UINT64_MAX;
		assert_true(ikew_quick(w, c));
		ikew_free(w);
	}
}

/* The kernel refuses the pair that shall take an older one's place. */
static void a_refusing_kernel_costs_only_the_renewal(void **state)
{
	struct ikew *w = ikew_new(11);
	struct ike_client *c = ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
	uint64_t r;

	(void)state;
	w->traffic = c->answers = true;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	r = ikew_r_of(w, c);
	w->add_error = -ENOMEM;
	ikew_step(w, &(struct ike_event){.type = IKE_EV_EXPIRE,
			 .r = r,
			 .spi = ikec_newest_pair(c)->spi_out});
	ikew_run(w, 3000);
	assert_int_equal(c->renewals, 0);
	assert_int_equal(ikew_live_sas(w), 2);
	assert_int_equal(ikew_counts(w).peers, 1);
	w->add_error = 0;
	ikew_run(w, 60000);
	assert_true(c->renewals >= 1);
	assert_true(ikew_pair_right(w, c));
	assert_int_equal(ikew_r_of(w, c), r);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(randomness_may_fail_once_anywhere),
	    cmocka_unit_test(algorithms_may_be_gone_at_any_step),
	    cmocka_unit_test(diffie_hellman_may_fail_in_quick_mode),
	    cmocka_unit_test(a_refusing_kernel_costs_only_the_renewal),
	    cmocka_unit_test(our_own_connections_survive_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
