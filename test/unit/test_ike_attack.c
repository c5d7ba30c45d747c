/* SPDX-License-Identifier: ISC */
/* Floods, mirrors, replays and forgeries against the whole machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "ikev1/core/payload_sa.h"
#include "test/lib/ike_forge.h"
#include "test/lib/ike_pair.h"
#include "test/lib/ike_world_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ike_client *native(struct ikew *w)
{
	return ikew_client(w, "203.0.113.7", NULL, 0);
}

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

static struct addr spoofed(uint32_t n)
{
	uint32_t ip = n * 2654435761u;

	return (struct addr){.family = ADDR_IPV4,
	    .ip = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8),
		(uint8_t)ip},
	    .port = 500};
}

static bool lose_replies(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	(void)w;
	(void)data;
	(void)len;
	return to_server;
}

/* count messages 1 from everywhere, the n-th from number at + n. */
static void flood(struct ikew *w, uint32_t at, uint32_t count)
{
	uint8_t first[CLIENT_PACKET_MAX];
	ikew_filter_fn filter = w->filter;

	w->filter = lose_replies;
	for (uint32_t n = at; n < at + count; n++) {
		struct addr from = spoofed(n);
		size_t len = forge_first(first, n + 1);

		ikew_inject(w, &from, 500, first, len);
	}
	w->filter = filter;
}

static void a_flood_costs_a_fixed_table_and_no_key_exchange(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_counts n;

	(void)state;
	w->cfg.max_half_open = 1024;
	ikew_save(w);
	for (uint32_t at = 0; at < 100000; at += 1000) {
		w->now += 10;
		flood(w, at, 1000);
		n = ikew_counts(w);
		assert_true(n.first <= 1024);
		assert_int_equal(n.sas, 0);
		ikew_log_clear(w);
	}
	/* Each is answered once, with no more bytes than it had, and
	 * nothing is left that a timer would send. */
	assert_int_equal(w->sends, 100000);
	assert_true(w->bytes_out <= w->bytes_in);
	assert_int_equal(ike_next_deadline(w->ike), UINT64_MAX);
	ikew_free(w);
}

/* Between an honest client's messages 1 and 3 a part of the table's turn. */
static void honest_clients_get_through_a_flood(void **state)
{
	int through = 0;

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		struct ikew *w = ikew_new(i);
		struct ike_client *c = i & 1 ? natted(w) : native(w);

		w->cfg.max_half_open = 1024;
		w->save_often = false;
		ikew_save(w);
		flood(w, i * 5000, 2000);
		ikec_start_main(c);
		ikew_run(w, 6); /* message 1 arrived */
		flood(w, i * 5000 + 2000, 5);
		ikew_run(w, 20000);
		through += c->cur->state == CLIENT_UP;
		ikew_free(w);
	}
	assert_true(through >= 38);
}

/* Who only sends first messages cannot touch those who are past it. */
static void a_flood_ends_nobody_past_message_3(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *a = native(w), *b = natted(w);

	(void)state;
	w->cfg.max_half_open = 64;
	ikew_save(w);
	assert_true(ikew_connect(w, a));
	ikec_start_main(b);
	while (b->cur->state != CLIENT_SENT5)
		ikew_run(w, 1);
	b->is_mute = true;
	assert_int_equal(ikew_counts(w).half_open, 1);
	for (uint32_t at = 0; at < 20000; at += 100) {
		flood(w, at, 100);
		ikew_log_clear(w);
	}
	assert_int_equal(ikew_counts(w).half_open, 1);
	b->is_mute = false;
	ikew_run(w, 2000);
	assert_int_equal(b->cur->state, CLIENT_UP);
	assert_true(ikew_quick(w, a));
	ikew_free(w);
}

/* A copied message 3 after its entry went: nothing, not even a log of an
 * SA; after the client began again: still nothing. */
static void an_old_cookie_is_worth_nothing(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_copy m = {.exchange = 2, .skip = 1, .stop = true};
	struct forge_state before;
	int sends;

	(void)state;
	w->cfg.max_half_open = 64;
	ikew_save(w);
	w->filter = forge_copy;
	w->filter_ctx = &m;
	ikec_start_main(c);
	while (!m.len)
		ikew_run(w, 1);
	c->is_mute = true;
	flood(w, 0, 2000);
	sends = w->sends;
	forge_remember(w, &before);
	ikew_inject(w, &c->outer[0], 500, m.data, m.len);
	assert_true(forge_unchanged(w, &before));
	assert_int_equal(w->sends, sends);
	ikew_free(w);
}

/* A message 3 from elsewhere, with another's cookie. */
static void a_cookie_is_good_at_its_own_address_only(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_copy m = {.exchange = 2, .skip = 1, .stop = true};
	struct forge_state before;
	struct addr other = spoofed(7);
	int sends;

	(void)state;
	w->filter = forge_copy;
	w->filter_ctx = &m;
	ikec_start_main(c);
	while (!m.len)
		ikew_run(w, 1);
	sends = w->sends;
	forge_remember(w, &before);
	ikew_inject(w, &other, 500, m.data, m.len);
	m.data[0] ^= 1; /* another CKY-I */
	ikew_inject(w, &c->outer[0], 500, m.data, m.len);
	m.data[0] ^= 1;
	m.data[8] ^= 1; /* another CKY-R */
	ikew_inject(w, &c->outer[0], 500, m.data, m.len);
	m.data[8] ^= 1;
	assert_true(forge_unchanged(w, &before));
	ikew_inject(w, &c->outer[0], 500, m.data, m.len);
	assert_int_equal(ikew_counts(w).sas, 1);
	assert_int_equal(ikew_counts(w).first, 0);
	assert_int_equal(w->sends, sends);
	ikew_free(w);
}

/* Answers are made from the message: no knob makes one longer. */
static void no_answer_is_longer_than_its_request(void **state)
{
	static const uint8_t dpd[] = {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1,
	    0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57};
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[256], m[CLIENT_PACKET_MAX], cookie[8] = {9};
	struct forge_item items[] = {
	    {ISAKMP_PAYLOAD_SA, sa, forge_sa(sa, "aes256-sha1-ecp256")},
	    {ISAKMP_PAYLOAD_VID, dpd, sizeof(dpd)},
	};
	size_t len;

	(void)state;
	/* Our DPD vendor id has two bytes more than what was recognised. */
	len = forge_message(m, 2, cookie, NULL, items, 2);
	ikew_inject(w, &c->outer[0], 500, m, len);
	assert_int_equal(w->sends, 0);
	assert_true(ikew_logged(w, "the answer would be longer"));
	assert_int_equal(ikew_counts(w).first, 0);
	cookie[0]++;
	len = forge_message(m, 2, cookie, NULL, items, 1);
	ikew_inject(w, &c->outer[0], 500, m, len);
	assert_int_equal(w->sends, 1);
	assert_int_equal(w->last_out_len, len);
	/* A refusal: every size from the shortest message on. */
	sa[3] = 9; /* DOI */
	for (size_t i = 8; i <= items[0].len; i++) {
		items[0].len = i;
		cookie[0]++;
		len = forge_message(m, 2, cookie, NULL, items, 1);
		w->last_out_len = 0;
		ikew_inject(w, &c->outer[0], 500, m, len);
		assert_true(w->last_out_len <= len);
	}
	ikew_free(w);
}

static void an_sa_payload_of_2_kb_is_the_limit(void **state)
{
	static uint8_t sa[3000];
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t m[CLIENT_PACKET_MAX];
	size_t len;

	(void)state;
	for (int big = 0; big < 2; big++) {
		uint8_t out[4096], cookie[8] = {(uint8_t)(big + 1)};
		struct isakmp_header h = {
		    .version = ISAKMP_VERSION, .exchange = 2};
		struct isakmp_builder b;
		struct wire_writer wr;
		struct ike_suite suites[100];
		struct sa_offer_spec spec = {.phase = SA_PHASE1,
		    .suites = suites,
		    .suite_count = big ? 57 : 50,
		    .life_seconds = 28800};

		for (size_t i = 0; i < 100; i++)
			suites[i] = ikew_suite(true, "aes256-sha1-ecp256");
		wire_writer_init(&wr, sa, sizeof(sa));
		sa_encode_offer(&wr, &spec);
		assert_int_equal(wr.pos > 2048, big);
		memcpy(h.cky_i, cookie, 8);
		isakmp_build_begin(&b, out, sizeof(out), &h);
		isakmp_build_payload(
		    &b, ISAKMP_PAYLOAD_SA, (struct wire_span){sa, wr.pos});
		ikew_inject(w, &c->outer[0], 500, out,
		    (size_t)isakmp_build_finish(&b, 0));
		assert_int_equal(ikew_counts(w).first, 1);
	}
	assert_true(ikew_logged(w, "at most 2048 are kept"));
	assert_int_equal(w->sends, 1);
	len = forge_first(m, 77);
	ikew_inject(w, &c->outer[0], 500, m, len);
	assert_int_equal(ikew_counts(w).first, 2);
	ikew_free(w);
}

/* Takes all Diffie-Hellman jobs away: they stay under way. */
static size_t steal_dh(struct ikew *w)
{
	size_t n = 0;

	for (size_t i = 0; i < WORLD_QUEUE; i++) {
		struct ikew_item *it = &w->queue[i];

		if (it->is_used && it->ev.type == IKE_EV_DH_DONE) {
			it->is_used = false;
			n++;
		}
	}
	return n;
}

/* Messages 1 and 3 from there. */
static void open_half(struct ikew *w, struct addr from, uint64_t cky_i)
{
	uint8_t m[CLIENT_PACKET_MAX], ni[20] = {1}, cookies[16];
	struct dh_result dh;
	struct forge_item items[] = {
	    {ISAKMP_PAYLOAD_KE, dh.pub, 64},
	    {ISAKMP_PAYLOAD_NONCE, ni, sizeof(ni)},
	};
	size_t len = forge_first(m, cky_i);

	assert_int_equal(dh_keygen(NULL, IKE_GROUP_ECP256, &dh), 0);
	w->last_out_len = 0;
	ikew_inject(w, &from, 500, m, len);
	assert_true(w->last_out_len > 28);
	memcpy(cookies, w->last_out, 16);
	len = forge_message(m, 2, cookies, cookies + 8, items, 2);
	ikew_inject(w, &from, 500, m, len);
}

static void at_most_64_key_exchanges_wait(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	size_t jobs = 0;

	(void)state;
	w->cfg.max_half_open = 4096;
	ikew_save(w);
	for (uint32_t n = 0; n < 100; n++) {
		open_half(w, spoofed(n), n + 1);
		jobs += steal_dh(w);
		if (n == 80)
			ikew_save(w); /* the count survives */
		for (size_t i = 0; i < WORLD_QUEUE; i++)
			w->queue[i].is_used = false;
	}
	assert_int_equal(jobs, 64);
	assert_int_equal(ikew_counts(w).half_open, 64);
	/* The rest has its entries and may try again. */
	assert_int_equal(ikew_counts(w).first, 36);
	assert_true(ikew_logged(w, "64 Diffie-Hellman exchanges are waiting"));
	/* A client that repeats gets in once one is done. */
	ikec_start_main(c);
	ikew_run(w, 3000);
	assert_int_equal(c->cur->state, CLIENT_SENT3);
	ikew_step(w, &(struct ike_event){
			 .type = IKE_EV_DH_DONE, .job = 1, .error = -EINVAL});
	ikew_run(w, 3000);
	assert_int_equal(c->cur->state, CLIENT_UP);
	ikew_free(w);
}

static void half_open_ones_live_shorter_when_there_are_many(void **state)
{
	(void)state;
	for (int many = 0; many < 2; many++) {
		struct ikew *w = ikew_new(1);
		uint32_t count = many ? 40 : 10;

		w->cfg.max_half_open = 64;
		w->cfg.half_open_ms = 60000;
		ikew_save(w);
		for (uint32_t n = 0; n < count; n++) {
			open_half(w, spoofed(n), n + 1);
			ikew_log_clear(w);
			/* no answer to the key exchange */
			memset(w->queue, 0, sizeof(w->queue));
		}
		assert_int_equal(ikew_counts(w).half_open, count);
		ikew_run(w, 4900);
		assert_int_equal(ikew_counts(w).half_open, count);
		ikew_run(w, 200);
		/* Half of what there may be goes no further down. */
		assert_int_equal(ikew_counts(w).half_open, many ? 32 : 10);
		ikew_run(w, 10000);
		assert_int_equal(ikew_counts(w).half_open, many ? 16 : 10);
		ikew_run(w, 44000);
		assert_int_equal(ikew_counts(w).half_open, many ? 16 : 10);
		ikew_run(w, 2000);
		assert_int_equal(ikew_counts(w).half_open, 0);
		ikew_free(w);
	}
}

/* Someone with a whole /24 fills his quota and no more. */
static void past_message_3_there_are_quotas_too(void **state)
{
	struct ikew *w = ikew_new(1);

	(void)state;
	w->cfg.max_half_open = 1024; /* quota 64 */
	ikew_save(w);
	for (uint32_t n = 0; n < 300; n++) {
		struct addr near = {.family = ADDR_IPV4,
		    .ip = {192, 0, 2, (uint8_t)n},
		    .port = (uint16_t)(500 + n)};

		open_half(w, n % 10 ? near : spoofed(n), n + 1);
		ikew_run(w, 20);
		ikew_log_clear(w);
	}
	assert_int_equal(ikew_counts(w).half_open, 64 + 30);
	ikew_free(w);
}

static void at_the_limit_one_goes_by_chance(void **state)
{
	struct ikew *w = ikew_new(1);

	(void)state;
	w->cfg.max_half_open = 16;
	ikew_save(w);
	for (uint32_t n = 0; n < 60; n++) {
		open_half(w, spoofed(n), n + 1);
		ikew_run(w, 20);
		assert_true(ikew_counts(w).half_open <= 16);
	}
	assert_true(ikew_logged(w, "dropping one by chance"));
	assert_int_equal(ikew_counts(w).half_open, 16);
	ikew_free(w);
}

/* Our own messages come back to us, from the client's address. */
static bool mirror(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	int *count = w->filter_ctx;

	if (!to_server) {
		struct ikew_item *it = ikew_queue(w, 1);

		it->to_server = true;
		it->ev.type = IKE_EV_DATAGRAM;
		it->ev.peer = w->client[0]->outer[0];
		it->ev.local = w->client[0]->server;
		it->ev.local.port = 500;
		memcpy(it->data, data, it->len = *len);
		++*count;
	}
	return true;
}

static void a_mirror_changes_nothing(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	int count = 0;

	(void)state;
	w->filter = mirror;
	w->filter_ctx = &count;
	assert_true(ikew_connect(w, c));
	ikec_r_u_there(c, 5);
	ikew_run(w, 100);
	assert_true(count >= 5);
	assert_int_equal(w->sends, count);
	assert_int_equal(c->hash_failures, 0);
	assert_int_equal(ikew_counts(w).sas, 1);
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_free(w);
}

static void our_cookies_are_not_taken_for_theirs(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w), *b = natted(w);
	struct addr other = spoofed(3);
	uint8_t m[CLIENT_PACKET_MAX];
	struct forge_state before;
	size_t len;
	int sends;

	(void)state;
	assert_true(ikew_main(w, c));
	/* Message 1 of b is answered, its message 3 does not come. */
	len = forge_first(m, 5);
	ikew_inject(w, &b->outer[0], 500, m, len);
	sends = w->sends;
	forge_remember(w, &before);
	memcpy(m, w->last_out + 8, 8); /* an entry's CKY-R as CKY-I */
	ikew_inject(w, &other, 500, m, len);
	memcpy(m, c->cur->cky_r, 8); /* an SA's */
	ikew_inject(w, &other, 500, m, len);
	memcpy(m + 8, m, 8); /* CKY-I == CKY-R */
	ikew_inject(w, &other, 500, m, len);
	assert_int_equal(w->sends, sends);
	assert_int_equal(ikew_log_count(w, "our own cookie came back"), 2);
	assert_true(ikew_logged(w, "both cookies are the same"));
	assert_true(forge_unchanged(w, &before));
	ikew_free(w);
}

/* 1 s apart, every third lost each way: everyone gets through at once. */
static void thirty_percent_loss_is_survived(void **state)
{
	int failed = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct ikew *w = ikew_new(seed);
		struct ike_client *c = seed & 1 ? natted(w) : native(w);
		struct client_quick *q;
		uint64_t end = w->now + 60000;

		w->cfg.half_open_ms = 60000;
		ikew_save(w);
		w->loss = 30;
		w->dup = 10;
		w->jitter_ms = 300;
		w->save_often = seed < 10;
		c->retry_ms = 1000;
		c->tries = 30;
		ikec_start_main(c);
		while (c->cur->state != CLIENT_UP && w->now < end)
			ikew_run(w, 50);
		q = c->cur->state == CLIENT_UP ? ikec_start_quick(c) : NULL;
		while (q && !ikew_pair_right(w, c) && w->now < end)
			ikew_run(w, 50);
		failed += !ikew_pair_right(w, c);
		ikew_free(w);
	}
	assert_true(failed <= 1);
}

/* Message ids are never forgotten: the IKE SA ends first, and says so.  This
 * client does not answer when it is to be renewed. */
static void a_worn_ike_sa_ends(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_copy m = {.exchange = 5};
	uint32_t seq = 1;

	(void)state;
	assert_true(ikew_connect(w, c));
	w->filter = forge_copy;
	w->filter_ctx = &m;
	while (!ikew_logged(w, "IKE SA ends: after") && seq < 20000) {
		ikec_r_u_there(c, seq++);
		ikew_run(w, 12);
		/* The oldest one is still known. */
		if (seq % 1000 == 0) {
			int sends = w->sends;

			ikew_inject(w, &c->outer[0], 500, m.data, m.len);
			assert_int_equal(w->sends, sends);
		}
		if (seq == 4000)
			ikew_save(w);
	}
	assert_in_range(seq, 8000, 8192);
	ikew_run(w, 50);
	assert_int_equal(c->deletes_sa, 1);
	assert_true(ikew_logged(w, "IKE SA ends: after"));
	/* R and its pair of SAs live on, and the next IKE SA finds them. */
	assert_int_equal(ikew_live_sas(w), 2);
	assert_true(ikew_main(w, c));
	assert_int_equal(w->peer_count, 1);
	ikew_free(w);
}

/* Before that it is renewed, if the client is able to. */
static void a_worn_ike_sa_is_renewed_in_time(void **state)
{
	struct ike_pair *p = pair_new(4);
	static struct persona asks_often;
	uint64_t r;

	(void)state;
	asks_often = persona_default;
	asks_often.dpd_ms = 40;
	asks_often.rekey_ike_percent = 0;
	pair_connect(p, &asks_often);
	assert_true(pair_up(p, 10000));
	pair_run(p, 1000);
	r = p->r->peer[0].r;
	while (p->r->now < 1000000 + 600000 &&
	       !ikew_logged(p->r, "renewing its IKE SA")) {
		assert_int_equal(ikew_counts(p->r).sas, 1);
		pair_run(p, 100);
	}
	assert_true(ikew_logged(p->r, "renewing its IKE SA"));
	pair_run(p, 60000);
	assert_false(ikew_logged(p->r, "IKE SA ends: after"));
	assert_false(ikew_logged(p->i, "IKE SA ends: after"));
	assert_int_equal(ikew_log_count(p->r, "renewing its IKE SA"), 1);
	assert_int_equal(ikew_log_count(p->r, "IKE SA replaced"), 1);
	assert_int_equal(ikew_counts(p->r).sas, 1);
	assert_int_equal(ikew_counts(p->r).peers, 1);
	assert_true(ikew_find_peer(p->r, r)->state == WORLD_PEER_UP);
	assert_int_equal(ikew_live_sas(p->r), 2);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flood_costs_a_fixed_table_and_no_key_exchange),
	    cmocka_unit_test(honest_clients_get_through_a_flood),
	    cmocka_unit_test(a_flood_ends_nobody_past_message_3),
	    cmocka_unit_test(an_old_cookie_is_worth_nothing),
	    cmocka_unit_test(a_cookie_is_good_at_its_own_address_only),
	    cmocka_unit_test(no_answer_is_longer_than_its_request),
	    cmocka_unit_test(an_sa_payload_of_2_kb_is_the_limit),
	    cmocka_unit_test(at_most_64_key_exchanges_wait),
	    cmocka_unit_test(half_open_ones_live_shorter_when_there_are_many),
	    cmocka_unit_test(past_message_3_there_are_quotas_too),
	    cmocka_unit_test(at_the_limit_one_goes_by_chance),
	    cmocka_unit_test(a_mirror_changes_nothing),
	    cmocka_unit_test(our_cookies_are_not_taken_for_theirs),
	    cmocka_unit_test(thirty_percent_loss_is_survived),
	    cmocka_unit_test(a_worn_ike_sa_ends),
	    cmocka_unit_test(a_worn_ike_sa_is_renewed_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
