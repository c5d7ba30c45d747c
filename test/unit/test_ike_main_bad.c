/* SPDX-License-Identifier: ISC */
/* Main Mode when what comes is bad, cut off, too much or comes again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

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

static bool zero_ke(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	(void)w;
	/* message 3: KE comes first behind the header */
	if (to_server && data[16] == ISAKMP_PAYLOAD_KE)
		memset(data + 32, 0, *len > 96 ? 64 : 0);
	return true;
}

static void bad_key_exchange_values_end_it(void **state)
{
	struct ikew *w = ikew_new(1);

	(void)state;
	w->filter = zero_ke;
	ikec_start_main(native(w));
	ikew_run(w, 100);
	assert_true(ikew_logged(w, "invalid Diffie-Hellman value"));
	assert_int_equal(ikew_counts(w).sas, 0);
	w->filter = NULL;
	w->mirror_dh = true;
	ikec_start_main(natted(w));
	ikew_run(w, 100);
	assert_true(ikew_logged(w, "came back"));
	assert_int_equal(ikew_counts(w).sas, 0);
	ikew_free(w);
}

/* Header of 28 bytes with these version, exchange and flags. */
static void header(uint8_t out[28], uint8_t version, uint8_t exchange)
{
	memset(out, 0, 28);
	out[0] = 1;
	out[16] = 1;
	out[17] = version;
	out[18] = exchange;
	out[27] = 28;
}

static void other_exchanges_and_versions_get_no_answer(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t msg[28];

	(void)state;
	for (unsigned int version = 0; version < 256; version += 16) {
		for (unsigned int exchange = 0; exchange < 256; exchange++) {
			if (version == 0x10 && exchange == 2)
				continue;
			header(msg, (uint8_t)version, (uint8_t)exchange);
			ikew_inject(w, &c->outer[0], 500, msg, sizeof(msg));
			ikew_log_clear(w);
		}
	}
	assert_int_equal(w->sends, 0);
	ikew_run(w, 11000);
	header(msg, 0x10, 4);
	ikew_inject(w, &c->outer[0], 500, msg, sizeof(msg));
	assert_true(ikew_logged(w, "Aggressive Mode refused"));
	assert_int_equal(w->sends, 0);
	assert_int_equal(ikew_counts(w).sas, 0);
	ikew_free(w);
}

static void logs_of_strangers_are_limited(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t msg[28];

	(void)state;
	header(msg, 0x10, 4);
	for (int i = 0; i < 500; i++)
		ikew_inject(w, &c->outer[0], 500, msg, sizeof(msg));
	assert_int_equal(ikew_log_count(w, "Aggressive Mode refused"), 20);
	ikew_run(w, 11000);
	ikew_inject(w, &c->outer[0], 500, msg, sizeof(msg));
	assert_true(ikew_logged(w, "480 more messages"));
	ikew_free(w);
}

/* Catches the n-th message to the server instead of delivering it. */
struct catch
{
	int skip;
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
};

static bool catch_message(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct catch *c = w->filter_ctx;

	if (!to_server || c->len || c->skip-- > 0)
		return true;
	memcpy(c->data, data, c->len = *len);
	return false;
}

/* Sends all prefixes, as they are and with a header that agrees. */
static void inject_prefixes(struct ikew *w, const struct addr *from,
    uint16_t local, const struct catch *m)
{
	for (size_t len = 0; len < m->len; len++) {
		uint8_t cut[CLIENT_PACKET_MAX];

		memcpy(cut, m->data, len);
		ikew_inject(w, from, local, cut, len);
		if (len < 28)
			continue;
		cut[24] = cut[25] = 0;
		cut[26] = (uint8_t)(len >> 8);
		cut[27] = (uint8_t)len;
		ikew_inject(w, from, local, cut, len);
		ikew_log_clear(w);
	}
}

static void no_prefix_of_a_message_does_anything(void **state)
{
	(void)state;
	for (int n = 0; n < 3; n++) {
		struct ikew *w = ikew_new(5);
		struct ike_client *c = natted(w);
		struct catch m = {.skip = n};
		size_t sas;
		int sends;

		w->filter = catch_message;
		w->filter_ctx = &m;
		ikec_start_main(c);
		ikew_run(w, 200);
		assert_true(m.len > 0);
		sends = w->sends;
		sas = ikew_counts(w).sas;
		inject_prefixes(w, &c->outer[n == 2], n == 2 ? 4500 : 500, &m);
		assert_int_equal(w->sends, sends);
		assert_int_equal(ikew_counts(w).sas, sas);
		ikew_run(w, 5000);
		assert_int_equal(c->cur->state, CLIENT_UP);
		ikew_free(w);
	}
}

static void first_messages_are_bounded(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = native(w);
	struct catch m = {.skip = 0};

	(void)state;
	w->cfg.max_half_open = 8;
	ikew_save(w);
	w->filter = catch_message;
	w->filter_ctx = &m;
	ikec_start_main(c);
	for (unsigned int i = 0; i < 200; i++) {
		struct addr from = c->outer[0];

		from.ip[3] = (uint8_t)i;
		ikew_inject(w, &from, 500, m.data, m.len);
		assert_true(ikew_counts(w).first <= 8);
	}
	assert_int_equal(w->sends, 200);
	assert_true(w->bytes_out <= w->bytes_in);
	assert_int_equal(ikew_counts(w).first, 8);
	assert_int_equal(ikew_counts(w).sas, 0);
	assert_int_equal(ike_next_deadline(w->ike), UINT64_MAX);
	ikew_run(w, 31000);
	assert_int_equal(w->sends, 200);
	ikew_step(w, &(struct ike_event){.type = IKE_EV_TICK});
	assert_int_equal(ikew_counts(w).first, 0);
	ikew_free(w);
}

static void a_repeated_message_1_is_answered_always(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = native(w);
	struct catch m = {.skip = 0};
	uint8_t reply[CLIENT_PACKET_MAX];
	size_t len;

	(void)state;
	w->filter = catch_message;
	w->filter_ctx = &m;
	ikec_start_main(c);
	c->is_mute = true;
	ikew_inject(w, &c->outer[0], 500, m.data, m.len);
	memcpy(reply, w->last_out, len = w->last_out_len);
	for (int i = 2; i <= 50; i++) {
		ikew_inject(w, &c->outer[0], 500, m.data, m.len);
		assert_int_equal(w->sends, i);
		assert_int_equal(w->last_out_len, len);
		assert_memory_equal(w->last_out, reply, len);
	}
	assert_true(len <= m.len);
	assert_int_equal(ikew_counts(w).first, 1);
	assert_int_equal(ikew_counts(w).sas, 0);
	/* Nothing is repeated by timer to an address that proved nothing. */
	ikew_run(w, 29000);
	assert_int_equal(w->sends, 50);
	ikew_free(w);
}

static void a_repeated_message_5_gets_message_6_again(void **state)
{
	struct ikew *w = ikew_new(9);
	struct ike_client *c = natted(w);
	struct catch m = {.skip = 2};
	int sends;

	(void)state;
	w->filter = catch_message;
	w->filter_ctx = &m;
	assert_true(ikew_main(w, c));
	sends = w->sends;
	ikew_inject(w, &c->outer[1], 4500, m.data, m.len);
	assert_int_equal(w->sends, sends + 1);
	assert_int_equal(w->last_out[18], 2);
	assert_int_equal(ikew_counts(w).sas, 1);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_key_exchange_values_end_it),
	    cmocka_unit_test(other_exchanges_and_versions_get_no_answer),
	    cmocka_unit_test(logs_of_strangers_are_limited),
	    cmocka_unit_test(no_prefix_of_a_message_does_anything),
	    cmocka_unit_test(first_messages_are_bounded),
	    cmocka_unit_test(a_repeated_message_1_is_answered_always),
	    cmocka_unit_test(a_repeated_message_5_gets_message_6_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
