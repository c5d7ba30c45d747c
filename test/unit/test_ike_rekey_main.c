/* SPDX-License-Identifier: ISC */
/*
 * No IKE SA is left when a pair must be renewed: the server begins Main
 * Mode with the client.  A second machine, in a world of its own, is the
 * client's side of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

#include <string.h>

#define BOX_MAX 32

/* Datagrams that one machine has sent. */
struct box {
	uint8_t data[BOX_MAX][CLIENT_PACKET_MAX];
	size_t len[BOX_MAX];
	int count;
};

static bool into_box(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct box *b = w->filter_ctx;

	if (to_server)
		return true;
	assert_true(b->count < BOX_MAX);
	memcpy(b->data[b->count], data, *len);
	b->len[b->count++] = *len;
	return false;
}

static void empty(struct box *b, struct ikew *to, const struct addr *from)
{
	for (int i = 0; i < b->count; i++)
		ikew_inject(to, from, 4500, b->data[i], b->len[i]);
	b->count = 0;
}

/* Both worlds for ms, exchanging what they send. */
static void run_both(struct ikew *w, struct ikew *other,
    const struct addr *client, const struct addr *server, int ms)
{
	while (ms > 0) {
		ikew_run(w, 10);
		empty(w->filter_ctx, other, server);
		ikew_run(other, 10);
		empty(other->filter_ctx, w, client);
		ms -= 10;
	}
}

static struct addr address(const char *text, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text), 0);
	a.port = port;
	return a;
}

/* A client whose ID is the address that the second machine has, too. */
static struct ikew *without_ike_sa(struct ike_client **out, bool save)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c =
	    ikew_client(w, WORLD_SERVER, "203.0.113.9", 40000);

	w->psk[0] = "of somebody else there";
	w->psk[1] = c->psk;
	w->save_often = save;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	ikec_delete_sa(c, c->cur);
	ikew_run(w, 50);
	assert_int_equal(ikew_counts(w).sas, 0);
	assert_int_equal(ikew_live_sas(w), 2);
	*out = c;
	return w;
}

static void soft_limit(struct ikew *w, struct ike_client *c)
{
	ikew_step(w, &(struct ike_event){.type = IKE_EV_EXPIRE,
			 .r = w->peer[0].r,
			 .spi = ikec_newest_pair(c)->spi_out});
}

static void the_server_begins_main_mode(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		static struct box to_client, to_server;
		struct addr server = address("198.51.100.7", 4500);
		struct ikew *other = ikew_new(2);
		struct ike_client *c;
		struct ikew *w = without_ike_sa(&c, save);

		to_client.count = to_server.count = 0;
		other->save_often = save;
		w->filter = other->filter = into_box;
		w->filter_ctx = &to_client;
		other->filter_ctx = &to_server;
		w->traffic = true;
		soft_limit(w, c);
		run_both(w, other, &c->outer[1], &server, 5000);
		assert_int_equal(ikew_counts(w).sas, 1);
		assert_int_equal(ikew_counts(other).sas, 1);
		/* A new pair on both sides, for the same R. */
		assert_int_equal(ikew_counts(w).pairs, 2);
		assert_int_equal(ikew_counts(other).pairs, 1);
		assert_int_equal(ikew_live_sas(w), 4);
		assert_int_equal(ikew_live_sas(other), 2);
		assert_int_equal(w->peer_count, 1);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		assert_non_null(ikew_find_sa(w, other->sa[0].sa.spi));
		ikew_free(other);
		ikew_free(w);
	}
}

/* Who answers calls himself otherwise: no reason to end the client's R. */
static void another_id_ends_no_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		static struct box to_client, to_server;
		struct addr server = address("198.51.100.7", 4500);
		struct ikew *other = ikew_new(2);
		struct ike_client *c;
		struct ikew *w = without_ike_sa(&c, save);

		to_client.count = to_server.count = 0;
		other->cfg.local_id_type = IPSEC_ID_FQDN;
		other->cfg.local_id_len = 2;
		memcpy(other->cfg.local_id, "pc", 2);
		ikew_crash(other);
		w->filter = other->filter = into_box;
		w->filter_ctx = &to_client;
		other->filter_ctx = &to_server;
		soft_limit(w, c);
		run_both(w, other, &c->outer[1], &server, 5000);
		assert_true(ikew_logged(w, "another ID"));
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_int_equal(ikew_counts(other).sas, 0);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		ikew_free(other);
		ikew_free(w);
	}
}

/* Nobody answers: one Main Mode at a time, until the hard limit. */
static void a_client_that_does_not_answer_keeps_its_pair(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		static struct box to_client;
		struct ike_client *c;
		struct ikew *w = without_ike_sa(&c, save);

		to_client.count = 0;
		w->filter = into_box;
		w->filter_ctx = &to_client;
		soft_limit(w, c);
		ikew_run(w, 50);
		assert_int_equal(to_client.count, 1);
		assert_int_equal(to_client.data[0][18], ISAKMP_EXCHANGE_MAIN);
		for (int i = 0; i < 20; i++) {
			ikew_run(w, 10000);
			assert_true(ikew_counts(w).sas <= 1);
			to_client.count = 0;
		}
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		ikew_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_server_begins_main_mode),
	    cmocka_unit_test(another_id_ends_no_r),
	    cmocka_unit_test(a_client_that_does_not_answer_keeps_its_pair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
