/* SPDX-License-Identifier: ISC */
/*
 * What went wrong elsewhere with IKE fragments: through the machine, from
 * somebody who sees a client's cookies and address.  test_ike_cve.c has the
 * table of what has its test where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/ike_forge.h"

#include <stdlib.h>
#include <string.h>

#define PART 40 /* bytes of the message in a fragment */

static struct ike_client *native(struct ikew *w)
{
	return ikew_client(w, "203.0.113.7", NULL, 0);
}

/* A world in which c's n-th message of Main Mode is in m, undelivered. */
static struct ikew *stopped(int n, struct ike_client **c, struct forge_copy *m)
{
	struct ikew *w = ikew_new(1);

	*m = (struct forge_copy){.exchange = 2, .skip = n, .stop = true};
	w->filter = forge_copy;
	w->filter_ctx = m;
	*c = native(w);
	ikec_start_main(*c);
	while (!m->len)
		ikew_run(w, 1);
	return w;
}

static size_t saved_size(const struct ikew *w)
{
	size_t len;
	uint8_t *data = ike_save(w->ike, w->now, &len);

	free(data);
	return len;
}

static void inject(struct ikew *w, uint16_t port, const uint8_t *m, size_t len)
{
	struct addr from = w->client[0]->outer[0];

	ikew_log_clear(w);
	from.port = port;
	ikew_inject(w, &from, 500, m, len);
}

/* The number-th part of m; false when there is none. */
static bool part(
    struct ikew *w, const struct forge_copy *m, unsigned int number)
{
	uint8_t out[256];
	int len = frag_part((struct wire_span){m->data, m->len}, number, out,
	    FRAG_HEADER_LEN + PART);

	if (len > 0)
		inject(w, 500, out, (size_t)len);
	return len > 0;
}

static unsigned int parts_of(const struct forge_copy *m)
{
	return (unsigned int)((m->len + PART - 1) / PART);
}

/* A fragment with this in place of a part. */
static size_t odd(uint8_t out[CLIENT_PACKET_MAX], const struct forge_copy *m,
    uint8_t number, uint8_t flags, size_t data_len)
{
	uint8_t body[4 + 1024] = {0, 1, number, flags};
	struct forge_item item = {ISAKMP_PAYLOAD_FRAGMENT, body, 4 + data_len};

	return forge_message(
	    out, 2, m->data, m->data + ISAKMP_COOKIE_LEN, &item, 1);
}

/* The attacker chooses the order and how often: the message gets through,
 * and what is kept stays small. */
static void cve_2016_10396_any_order_any_number(void **state)
{
	(void)state;
	for (unsigned int order = 0; order < 4; order++) {
		struct ike_client *c;
		struct forge_copy m;
		struct ikew *w = stopped(1, &c, &m);
		unsigned int count = parts_of(&m);
		size_t size = saved_size(w);
		uint8_t out[CLIENT_PACKET_MAX];

		assert_in_range(count, 3, FRAG_PARTS_MAX);
		/* Numbers that no message has. */
		for (unsigned int n = FRAG_PARTS_MAX + 1; n < 256; n++)
			inject(
			    w, 500, out, odd(out, &m, (uint8_t)n, n & 1, 512));
		assert_int_equal(saved_size(w), size);
		/* All but one, again and again: 1000 times 8 kB and more. */
		for (unsigned int i = 0; i < 1000 * count; i++) {
			unsigned int n =
			    order & 1 ? count - i % count : i % count + 1;

			if (n != (order & 2 ? 1 : count))
				part(w, &m, n);
		}
		assert_in_range(saved_size(w), size, size + m.len + 512);
		assert_int_equal(ikew_counts(w).sas, 0);
		part(w, &m, order & 2 ? 1 : count);
		assert_int_equal(ikew_counts(w).sas, 1);
		/* Racoon 42c06c2: the last part again, and then the client's
		 * next message, in parts with the same id. */
		part(w, &m, count);
		c->fragment = FRAG_HEADER_LEN + PART;
		ikew_run(w, 1000);
		assert_int_equal(c->cur->state, CLIENT_UP);
		ikew_free(w);
	}
}

/* Sets of many ports at the client's address: only so many are kept. */
static void cve_2016_10396_sets_are_few(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);
	size_t size = saved_size(w);
	uint8_t out[CLIENT_PACKET_MAX];

	(void)state;
	for (uint16_t port = 1000; port < 2000; port++)
		for (uint8_t n = 1; n < 9; n++)
			inject(w, port, out, odd(out, &m, n, 0, 1000));
	assert_in_range(saved_size(w), size,
	    size + (size_t)FRAG_ADDRESS_SETS * (FRAG_MESSAGE_MAX + 512));
	/* The client's own still gets through. */
	for (unsigned int n = 1; part(w, &m, n); n++)
		;
	assert_int_equal(ikew_counts(w).sas, 1);
	ikew_free(w);
}

/* Also a fragment that is followed by something, or is not alone. */
static void cve_2009_1574_a_fragment_without_a_payload(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);
	uint8_t body[CLIENT_PACKET_MAX] = {0, 1, 1, 1}, out[CLIENT_PACKET_MAX];
	struct forge_item items[] = {
	    {ISAKMP_PAYLOAD_FRAGMENT, body, 4 + m.len},
	    {ISAKMP_PAYLOAD_VID, "sixteen bytes...", 16},
	};
	struct forge_state before;
	size_t len;

	(void)state;
	forge_remember(w, &before);
	/* The header alone, and every part of the payload's header. */
	len = odd(out, &m, 1, 1, 8);
	for (size_t cut = ISAKMP_HEADER_LEN; cut < FRAG_HEADER_LEN; cut++) {
		forge_length(out, cut);
		inject(w, 500, out, cut);
	}
	/* The whole message 3 in one part, but not alone. */
	memcpy(body + 4, m.data, m.len);
	for (size_t count = 2; count > 0; count--) {
		len = forge_message(
		    out, 2, m.data, m.data + ISAKMP_COOKIE_LEN, items, count);
		if (count == 1)
			assert_true(forge_unchanged(w, &before));
		inject(w, 500, out, len);
	}
	assert_int_equal(ikew_counts(w).sas, 1);
	ikew_free(w);
}

/* Empty ones, with every number; a set must not begin with one. */
static void cve_2013_6076_empty_fragments(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);
	struct forge_state before;
	uint8_t out[CLIENT_PACKET_MAX];

	(void)state;
	forge_remember(w, &before);
	for (unsigned int n = 0; n < 512; n++)
		inject(w, 500, out,
		    odd(out, &m, (uint8_t)n, (uint8_t)(n >> 8), 0));
	inject(w, 500, out, odd(out, &m, 0, 1, 100));
	assert_true(forge_unchanged(w, &before));
	ikew_free(w);
}

/* Sets that never fill go by themselves, with and without their SA, and
 * with the machine: with any one part there, and the others missing. */
static void racoon_40_sets_that_never_fill_go(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= 4; n++) {
		struct ike_client *c;
		struct forge_copy m;
		struct ikew *w = stopped(1, &c, &m);
		size_t size = saved_size(w);

		c->is_mute = true;
		w->save_often = n & 1;
		part(w, &m, n);
		assert_true(saved_size(w) > size);
		ikew_run(w, FRAG_LIFE_MS - 100);
		assert_true(saved_size(w) > size);
		ikew_run(w, 200);
		assert_int_equal(saved_size(w), size);
		part(w, &m, n);
		ikew_free(w);
	}
}

/* One buffer stayed for each connection. */
static void racoon_f668d9c_nothing_stays_of_a_connection(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	size_t size = 0;

	(void)state;
	c->fragment = 130;
	for (int i = 0; i < CLIENT_SAS; i++) {
		size_t now;

		assert_true(ikew_main(w, c));
		ikec_delete_sa(c, c->cur);
		ikew_run(w, 20);
		assert_int_equal(ikew_counts(w).sas, 0);
		now = saved_size(w);
		assert_true(!size || now == size);
		size = now;
	}
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cve_2016_10396_any_order_any_number),
	    cmocka_unit_test(cve_2016_10396_sets_are_few),
	    cmocka_unit_test(cve_2009_1574_a_fragment_without_a_payload),
	    cmocka_unit_test(cve_2013_6076_empty_fragments),
	    cmocka_unit_test(racoon_40_sets_that_never_fill_go),
	    cmocka_unit_test(racoon_f668d9c_nothing_stays_of_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
