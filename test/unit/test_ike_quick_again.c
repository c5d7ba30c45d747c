/* SPDX-License-Identifier: ISC */
/* Quick Modes beside each other, again, forged, before their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

#include <stdlib.h>
#include <string.h>

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

static void parallel_quick_modes_share_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);

		w->save_often = save;
		w->jitter_ms = 50;
		assert_true(ikew_main(w, c));
		for (int i = 0; i < 4; i++)
			ikec_start_quick(c);
		ikew_run(w, 3000);
		assert_int_equal(c->pair_count, 4);
		assert_int_equal(w->peer_count, 1);
		/* Only the newest three pairs stay; the client was told. */
		assert_int_equal(ikew_live_sas(w), 6);
		assert_int_equal(c->deletes_esp, 1);
		assert_int_equal(ikew_counts(w).pairs, 3);
		ikew_free(w);
	}
}

static void too_many_quick_modes_wait(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	w->hold_ready = true;
	assert_true(ikew_main(w, c));
	for (int i = 0; i < 12; i++)
		ikec_start_quick(c);
	ikew_run(w, 300);
	assert_int_equal(w->peer_count, 1);
	ikew_step(w,
	    &(struct ike_event){.type = IKE_EV_PEER_READY, .r = w->peer[0].r});
	ikew_run(w, 1);
	assert_int_equal(w->sa_count, 8);
	ikew_free(w);
}

struct catch
{
	int skip;
	uint8_t exchange;
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
};

static bool copy_message(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct catch *c = w->filter_ctx;

	if (to_server && data[18] == c->exchange && !c->len && c->skip-- <= 0)
		memcpy(c->data, data, c->len = *len);
	return true;
}

static bool catch_message(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct catch *c = w->filter_ctx;

	if (!to_server || data[18] != c->exchange || c->len || c->skip-- > 0)
		return true;
	memcpy(c->data, data, c->len = *len);
	return false;
}

static void a_repeated_message_1_gets_the_same_message_2(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	struct catch m = {.exchange = 32};
	uint8_t reply[CLIENT_PACKET_MAX];
	size_t len;
	int sends;

	(void)state;
	assert_true(ikew_main(w, c));
	w->filter = copy_message;
	w->filter_ctx = &m;
	ikec_start_quick(c);
	c->is_mute = true;
	ikew_run(w, 40);
	memcpy(reply, w->last_out, len = w->last_out_len);
	assert_int_equal(reply[18], 32);
	sends = w->sends;
	ikew_inject(w, &c->outer[1], 4500, m.data, m.len);
	assert_int_equal(w->sends, sends + 1);
	assert_int_equal(w->last_out_len, len);
	assert_memory_equal(w->last_out, reply, len);
	for (int i = 0; i < 100; i++)
		ikew_inject(w, &c->outer[1], 4500, m.data, m.len);
	assert_int_equal(w->sends, sends + 60);
	assert_int_equal(w->sa_count, 1);
	ikew_free(w);
}

static void replays_do_nothing(void **state)
{
	(void)state;
	for (int skip = 0; skip < 2; skip++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);
		struct catch m = {.exchange = 32, .skip = skip};
		int sends;

		assert_true(ikew_main(w, c));
		w->filter = copy_message;
		w->filter_ctx = &m;
		assert_true(ikew_quick(w, c));
		ikew_run(w, 100);
		sends = w->sends;
		w->save_often = true;
		for (int i = 0; i < 5; i++)
			ikew_inject(w, &c->outer[1], 4500, m.data, m.len);
		ikew_run(w, 1000);
		assert_int_equal(w->sends, sends);
		assert_int_equal(w->sa_count, 2);
		assert_int_equal(ikew_counts(w).pairs, 1);
		/* And an id that is used again with other content. */
		c->next_msgid = 1;
		ikec_start_quick(c);
		ikew_run(w, 500);
		assert_int_equal(w->sa_count, 2);
		ikew_free(w);
	}
}

static void prefixes_and_forgeries_do_nothing(void **state)
{
	(void)state;
	for (int skip = 0; skip < 2; skip++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);
		struct catch m = {.exchange = 32, .skip = skip};
		struct ike_counts before;
		int sends;

		assert_true(ikew_main(w, c));
		w->filter = catch_message;
		w->filter_ctx = &m;
		ikec_start_quick(c);
		ikew_run(w, 100);
		assert_true(m.len > 0);
		sends = w->sends;
		before = ikew_counts(w);
		for (size_t len = 0; len < m.len; len++) {
			uint8_t cut[CLIENT_PACKET_MAX];

			memcpy(cut, m.data, m.len);
			ikew_inject(w, &c->outer[1], 4500, cut, len);
			if (len < 28)
				continue;
			cut[len] ^= 0x10;
			ikew_inject(w, &c->outer[1], 4500, cut, m.len);
			cut[26] = (uint8_t)(len >> 8);
			cut[27] = (uint8_t)len;
			ikew_inject(w, &c->outer[1], 4500, cut, len);
			ikew_log_clear(w);
		}
		assert_int_equal(w->sends, sends);
		assert_int_equal(ikew_counts(w).pairs, before.pairs);
		assert_int_equal(ikew_counts(w).peers, before.peers);
		/* The genuine one still counts: no IV moved. */
		ikew_inject(w, &c->outer[1], 4500, m.data, m.len);
		ikew_run(w, 100);
		assert_true(ikew_pair_right(w, c));
		ikew_free(w);
	}
}

static void commit_bit_and_connected_are_tolerated(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	struct ike_client twin;
	int sends;

	(void)state;
	c->commit = true;
	assert_true(ikew_connect(w, c));
	ikew_run(w, 50);
	/* A fourth message under the same id: as an Informational would be. */
	sends = w->sends;
	twin = *c;
	ikec_info(&twin, 1,
	    &(struct client_info){ISAKMP_PAYLOAD_NOTIFY,
		(const uint8_t *)"\0\0\0\1\3\4\x40\0\1\2\3\4", 12},
	    1);
	ikew_run(w, 500);
	assert_int_equal(w->sends, sends);
	assert_true(ikew_pair_right(w, c));
	ikew_free(w);
}

static void quick_mode_before_phase_1_is_ignored(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	struct catch m = {.exchange = 32};

	(void)state;
	assert_true(ikew_main(w, c));
	w->filter = catch_message;
	w->filter_ctx = &m;
	ikec_start_quick(c);
	c->is_mute = true;
	/* Under cookies of an SA that is half open only. */
	ikew_run(w, 10);
	c->is_mute = false;
	ikec_start_main(c);
	ikew_run(w, 11);
	assert_int_equal(c->cur->state, CLIENT_SENT3);
	memcpy(m.data, c->cur->cky_i, 8);
	memcpy(m.data + 8, c->cur->cky_r, 8);
	ikew_inject(w, &c->outer[0], 500, m.data, m.len);
	assert_int_equal(w->peer_count, 0);
	ikew_run(w, 100);
	assert_int_equal(c->cur->state, CLIENT_UP);
	ikew_free(w);
}

static void spis_are_never_the_same(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	assert_true(ikew_main(w, c));
	for (int i = 0; i < 10; i++)
		assert_true(ikew_quick(w, c));
	ikew_run(w, 100);
	for (size_t i = 0; i < w->sa_count; i++) {
		for (size_t k = 0; k < i; k++)
			assert_true(w->sa[i].sa.spi != w->sa[k].sa.spi);
	}
	assert_int_equal(w->sa_count, 20);
	assert_int_equal(ikew_live_sas(w), 6);
	assert_int_equal(w->peer_count, 1);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parallel_quick_modes_share_r),
	    cmocka_unit_test(too_many_quick_modes_wait),
	    cmocka_unit_test(a_repeated_message_1_gets_the_same_message_2),
	    cmocka_unit_test(replays_do_nothing),
	    cmocka_unit_test(prefixes_and_forgeries_do_nothing),
	    cmocka_unit_test(commit_bit_and_connected_are_tolerated),
	    cmocka_unit_test(quick_mode_before_phase_1_is_ignored),
	    cmocka_unit_test(spis_are_never_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
