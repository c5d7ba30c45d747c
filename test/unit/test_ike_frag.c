/* SPDX-License-Identifier: ISC */
/* Fragments through the machine: both ways, on bad links, from strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/vendor.h"
#include "test/lib/ike_world.h"

#include <stdlib.h>
#include <string.h>

/* A world whose server sends packets of at most bytes (0: any). */
static struct ikew *world(uint64_t seed, uint32_t bytes)
{
	struct ikew *w = ikew_new(seed);

	w->cfg.fragment_bytes = bytes;
	ikew_crash(w);
	return w;
}

static struct ike_client *client(struct ikew *w, bool is_nat, size_t fragment)
{
	struct ike_client *c =
	    is_nat ? ikew_client(w, "10.0.0.2", "203.0.113.9", 40000)
		   : ikew_client(w, "203.0.113.7", NULL, 0);

	c->fragment = fragment;
	c->ike[0] = ikew_suite(true, "aes256-sha256-modp2048");
	return c;
}

static bool longest(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	size_t *most = w->filter_ctx;

	(void)data;
	if (*len > most[to_server])
		most[to_server] = *len;
	return true;
}

static void both_sides_send_fragments(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		struct ikew *w = world(i, i & 1 ? 256 : 0);
		struct ike_client *c = client(w, i & 2, i & 4 ? 130 : 0);
		size_t most[2] = {0, 0};

		w->save_often = true;
		w->filter = longest;
		w->filter_ctx = most;
		c->initial_contact = true;
		assert_true(ikew_connect(w, c));
		ikew_run(w, 100);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(c->fragments > 0, i & 1);
		/* Behind NAT a packet has four bytes more of its own. */
		if (i & 1)
			assert_true(most[0] <= 256 - 28);
		else
			assert_true(most[0] > 256);
		ikew_free(w);
	}
}

static void on_a_bad_link_too(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		struct ikew *w = world(seed, 300);
		struct ike_client *c = client(w, seed & 1, 200);
		int tries = 20;

		w->save_often = seed & 2;
		w->loss = 10;
		w->dup = 20;
		w->jitter_ms = 100;
		while (!ikew_main(w, c) && --tries)
			;
		while (!ikew_quick(w, c) && --tries)
			;
		assert_true(tries > 0);
		w->loss = 0;
		ikew_run(w, 30000);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		ikew_free(w);
	}
}

/* A client without FRAGMENTATION, and one that may not have it. */
static void who_did_not_agree_gets_none(void **state)
{
	(void)state;
	for (int off = 0; off < 2; off++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c;

		w->cfg.fragment_bytes = 256;
		w->cfg.vendors_off = off ? VENDOR_FRAGMENTATION_ANY : 0;
		ikew_crash(w);
		c = client(w, false, 0);
		assert_true(ikew_connect(w, c));
		assert_int_equal(c->fragments == 0, off);
		assert_int_equal(
		    (c->vendors & VENDOR_FRAGMENTATION_ANY) == 0, off);
		assert_true(c->vendors & VENDOR_BIT(VENDOR_DPD));
		ikew_free(w);
	}
}

/* Part 1 of 2 of something under these cookies. */
static size_t first_part(
    uint8_t *out, const uint8_t *cky_i, const uint8_t *cky_r, uint8_t number)
{
	uint8_t m[400] = {0};

	memcpy(m, cky_i, 8);
	memcpy(m + 8, cky_r, 8);
	m[30] = number;
	return (size_t)frag_part(
	    (struct wire_span){m, sizeof(m)}, 1, out, FRAG_HEADER_LEN + 300);
}

static size_t saved_size(struct ikew *w)
{
	size_t len;
	uint8_t *data = ike_save(w->ike, w->now, &len);

	free(data);
	return len;
}

static void strangers_fragments_cost_nothing(void **state)
{
	struct ikew *w = world(1, 0);
	struct ike_client *c = client(w, false, 0);
	struct addr other = {ADDR_IPV4, {203, 0, 113, 99}, 500};
	static const uint8_t zero[8];
	uint8_t part[400], made_up[8] = {1};
	size_t len, size;
	int sends;

	(void)state;
	assert_true(ikew_main(w, c));
	ikew_run(w, 100);
	size = saved_size(w);
	sends = w->sends;
	/* The right cookies from elsewhere, wrong ones, and a first message. */
	len = first_part(part, c->cur->cky_i, c->cur->cky_r, 0);
	ikew_inject(w, &other, 500, part, len);
	len = first_part(part, c->cur->cky_i, made_up, 0);
	ikew_inject(w, &c->outer[0], 500, part, len);
	len = first_part(part, made_up, c->cur->cky_r, 0);
	ikew_inject(w, &c->outer[0], 500, part, len);
	len = first_part(part, made_up, zero, 0);
	ikew_inject(w, &c->outer[0], 500, part, len);
	assert_int_equal(saved_size(w), size);
	/* From the client itself they are kept, for ten seconds. */
	len = first_part(part, c->cur->cky_i, c->cur->cky_r, 0);
	ikew_inject(w, &c->outer[0], 500, part, len);
	assert_true(saved_size(w) >= size + 300);
	ikew_run(w, FRAG_LIFE_MS);
	assert_int_equal(saved_size(w), size);
	assert_int_equal(w->sends, sends);
	assert_true(ikew_quick(w, c));
	ikew_free(w);
}

/* Somebody who sees the client's packets mixes his own in between. */
static bool forge(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct ike_client *c = w->filter_ctx;
	uint8_t part[400];
	size_t n;

	(void)data;
	(void)len;
	if (to_server && c->cur->state == CLIENT_UP && w->datagrams % 3 == 0) {
		n = first_part(
		    part, c->cur->cky_i, c->cur->cky_r, (uint8_t)w->datagrams);
		ikew_inject(w, &c->outer[0], 500, part, n);
	}
	return true;
}

static void forged_fragments_only_delay(void **state)
{
	struct ikew *w = world(3, 0);
	struct ike_client *c = client(w, false, 200);
	int tries = 20;

	(void)state;
	w->save_often = true;
	w->filter = forge;
	w->filter_ctx = c;
	assert_true(ikew_main(w, c));
	while (!ikew_quick(w, c) && --tries)
		;
	assert_true(tries > 0);
	ikew_run(w, 1000);
	assert_true(ikew_pair_right(w, c));
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_sides_send_fragments),
	    cmocka_unit_test(on_a_bad_link_too),
	    cmocka_unit_test(who_did_not_agree_gets_none),
	    cmocka_unit_test(strangers_fragments_cost_nothing),
	    cmocka_unit_test(forged_fragments_only_delay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
