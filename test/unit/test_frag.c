/* SPDX-License-Identifier: ISC */
/* Fragments: vectors, every order, repeats, contradictions, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/frag.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 16384
#define NOW 5000

/* A message with these cookies and len bytes in all. */
static struct wire_span message(uint8_t *buf, size_t len, uint8_t cookie)
{
	struct isakmp_header h = {.next_payload = ISAKMP_PAYLOAD_HASH,
	    .version = ISAKMP_VERSION,
	    .exchange = ISAKMP_EXCHANGE_QUICK,
	    .flags = ISAKMP_FLAG_ENCRYPTED,
	    .message_id = 1,
	    .length = (uint32_t)len};
	struct wire_writer w;

	memset(h.cky_i, cookie, sizeof(h.cky_i));
	memset(h.cky_r, 0x80 | cookie, sizeof(h.cky_r));
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(i * 7 + cookie + i / 256);
	wire_writer_init(&w, buf, MESSAGE_MAX);
	isakmp_header_encode(&w, &h);
	return (struct wire_span){buf, len};
}

static struct addr from(uint8_t host, uint16_t port)
{
	return (struct addr){ADDR_IPV4, {203, 0, 113, host}, port};
}

/* One datagram as the machine takes it: -EPROTO when it is no fragment. */
static int take_raw(struct frag_table *t, uint64_t now, const struct addr *peer,
    struct wire_span raw, struct bytes *whole, char *reason)
{
	struct isakmp_header h;
	struct wire_span body;

	if (isakmp_header_decode(raw, &h, &body, reason) ||
	    h.next_payload != ISAKMP_PAYLOAD_FRAGMENT)
		return -EPROTO;
	return frag_take(t, now, peer, &h, body, whole, reason);
}

/* The number-th part of at most size bytes. */
static int take(struct frag_table *t, uint64_t now, const struct addr *peer,
    struct wire_span m, unsigned int number, size_t size, struct bytes *whole)
{
	uint8_t part[MESSAGE_MAX];
	char reason[ISAKMP_REASON_MAX] = "";
	int len = frag_part(m, number, part, size);

	assert_true(len > 0);
	assert_true((size_t)len <= size);
	return take_raw(
	    t, now, peer, (struct wire_span){part, (size_t)len}, whole, reason);
}

static void a_known_fragment_is_read_and_written(void **state)
{
	/* Part 2 of 2, as it goes over the wire. */
	static const char text[] =
	    "1111111111111111 9191919191919191 84 10 02 00 00000000 00000027"
	    "00 00 000b 0001 02 01 aabbcc";
	uint8_t buf[MESSAGE_MAX], part[64];
	struct wire_span m = message(buf, 31, 0x11);
	struct frag_table t = {0};
	struct addr peer = from(1, 500);
	struct bytes whole = {NULL, 0};
	struct hex h;
	int len;

	(void)state;
	memcpy(buf + 28, "\xaa\xbb\xcc", 3);
	len = frag_part(m, 2, part, FRAG_HEADER_LEN + 28);
	assert_int_equal(len, 39);
	assert_true(hex_equal(part, (size_t)len, text));
	assert_int_equal(
	    take_raw(&t, NOW, &peer, hex_decode(&h, text), &whole, NULL), 0);
	assert_int_equal(
	    take(&t, NOW, &peer, m, 1, FRAG_HEADER_LEN + 28, &whole), 1);
	assert_true(wire_span_equal(bytes_span(&whole), m));
	assert_int_equal(frag_count(&t), 0);
	bytes_free(&whole);
}

static void every_order_and_every_repeat_of_four_parts(void **state)
{
	uint8_t buf[MESSAGE_MAX];
	struct wire_span m = message(buf, 400, 3);
	struct addr peer = from(1, 4500);

	(void)state;
	/* Any sequence of eight: those with all four parts must end whole. */
	for (unsigned int seq = 0; seq < 65536; seq++) {
		struct frag_table t = {0};
		struct bytes whole = {NULL, 0};
		unsigned int seen = 0, done = 0;

		for (unsigned int i = 0; i < 8 && !done; i++) {
			unsigned int n = (seq >> (2 * i) & 3) + 1;
			int got = take(&t, NOW, &peer, m, n,
			    FRAG_HEADER_LEN + 100, &whole);

			seen |= 1u << n;
			done = seen == 30;
			assert_int_equal(got, done);
		}
		assert_int_equal(whole.len, done ? 400 : 0);
		if (done)
			assert_memory_equal(whole.data, buf, 400);
		assert_int_equal(frag_count(&t), !done);
		bytes_free(&whole);
		frag_clear(&t);
	}
}

static void the_longest_message_in_the_most_parts(void **state)
{
	uint8_t buf[MESSAGE_MAX], part[MESSAGE_MAX];
	struct wire_span m = message(buf, FRAG_MESSAGE_MAX, 3);
	struct addr peer = from(1, 500);
	struct frag_table t = {0};
	struct bytes whole = {NULL, 0};

	(void)state;
	for (unsigned int n = FRAG_PARTS_MAX; n > 0; n--)
		assert_int_equal(
		    take(&t, NOW, &peer, m, n, FRAG_HEADER_LEN + 256, &whole),
		    n == 1);
	assert_true(wire_span_equal(bytes_span(&whole), m));
	bytes_free(&whole);
	assert_int_equal(frag_part(m, 33, part, FRAG_HEADER_LEN + 256), 0);
	/* One byte less in a part and it needs 33. */
	assert_int_equal(frag_part(m, 1, part, FRAG_HEADER_LEN + 255), -EINVAL);
	assert_int_equal(frag_part(m, 1, part, FRAG_HEADER_LEN), -EINVAL);
	assert_int_equal(frag_part(m, 0, part, 1000), -EINVAL);
	m.len = ISAKMP_HEADER_LEN - 13;
	assert_int_equal(frag_part(m, 1, part, 1000), -EINVAL);
}

/* Truncated, with lengths changed, with every byte of its header changed:
 * refused or kept, never more, and no message comes of it. */
static void malformed_fragments_are_refused(void **state)
{
	static const char *const bad[] = {
	    /* nothing, half a header, no number, no data */
	    "", "000000", "00000004", "00000006 0001", "00000007 0001 01",
	    "00000008 0001 0101",
	    /* longer, shorter than it says; reserved byte; one behind it */
	    "0000000a 0001 0101 aa", "00000008 0001 0101 aa",
	    "00010009 0001 0101 aa", "84000009 0001 0101 aa 00000004",
	    /* number 0 */
	    "00000009 0001 0001 aa"};
	struct isakmp_header h = {.next_payload = ISAKMP_PAYLOAD_FRAGMENT};
	struct frag_table t = {0};
	struct addr peer = from(1, 500);
	struct bytes whole = {NULL, 0};
	char reason[ISAKMP_REASON_MAX];
	struct hex x;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		reason[0] = 0;
		assert_int_equal(frag_take(&t, NOW, &peer, &h,
				     hex_decode(&x, bad[i]), &whole, reason),
		    -EBADMSG);
		assert_true(reason[0]);
	}
	for (unsigned int n = 1; n < 256; n++) {
		uint8_t body[] = {0, 0, 0, 9, 0, 1, (uint8_t)n, 0, 0xaa};
		int got = frag_take(&t, NOW, &peer, &h,
		    wire_span_of(body, sizeof(body)), &whole, reason);

		assert_int_equal(got, n <= FRAG_PARTS_MAX ? 0 : -E2BIG);
	}
	assert_int_equal(frag_count(&t), 1);
	assert_int_equal(frag_bytes(&t), FRAG_PARTS_MAX);
	assert_null(whole.data);
	frag_clear(&t);
}

/* What does not belong together is never put together. */
static void a_contradiction_begins_anew(void **state)
{
	uint8_t one[MESSAGE_MAX], two[MESSAGE_MAX], part[MESSAGE_MAX];
	struct wire_span a = message(one, 300, 3), b = message(two, 400, 3);
	size_t size = FRAG_HEADER_LEN + 100;
	struct addr peer = from(1, 500);
	struct frag_table t = {0};
	struct bytes whole = {NULL, 0};

	(void)state;
	memset(two + 100, 0x55, 300);
	/* Another second part: the first has to come again. */
	assert_int_equal(take(&t, NOW, &peer, a, 1, size, &whole), 0);
	assert_int_equal(take(&t, NOW, &peer, a, 2, size, &whole), 0);
	assert_int_equal(take(&t, NOW, &peer, b, 2, size, &whole), 0);
	assert_int_equal(frag_bytes(&t), 100);
	assert_int_equal(take(&t, NOW, &peer, b, 4, size, &whole), 0);
	/* A last one that is not the last of what is here. */
	assert_int_equal(take(&t, NOW, &peer, a, 3, size, &whole), 0);
	assert_int_equal(frag_bytes(&t), 100);
	/* One behind the last. */
	assert_int_equal(take(&t, NOW, &peer, b, 4, size, &whole), 0);
	assert_int_equal(frag_bytes(&t), 100);
	assert_int_equal(take(&t, NOW, &peer, b, 3, size, &whole), 0);
	assert_int_equal(take(&t, NOW, &peer, b, 2, size, &whole), 0);
	assert_int_equal(take(&t, NOW, &peer, b, 1, size, &whole), 1);
	assert_true(wire_span_equal(bytes_span(&whole), b));
	bytes_free(&whole);
	/* Exchange, flags, message id and fragment id count too. */
	for (size_t at = 18; at < 34; at++) {
		int len = frag_part(a, 2, part, size);
		struct wire_span raw = {part, (size_t)len};
		bool counts = at == 18 || at == 19 || (at >= 20 && at < 24) ||
			      at == 32 || at == 33;

		if (!counts)
			continue;
		frag_clear(&t);
		assert_int_equal(take(&t, NOW, &peer, a, 1, size, &whole), 0);
		part[at] ^= 1;
		assert_int_equal(
		    take_raw(&t, NOW, &peer, raw, &whole, NULL), 0);
		assert_int_equal(take(&t, NOW, &peer, a, 3, size, &whole), 0);
		assert_int_equal(frag_bytes(&t), 100);
	}
	frag_clear(&t);
}

/* The message inside must be one, and of the same IKE SA. */
static void what_is_inside_is_looked_at(void **state)
{
	uint8_t buf[MESSAGE_MAX], part[MESSAGE_MAX], wrapped[MESSAGE_MAX];
	struct wire_span m = message(buf, 200, 3);
	size_t size = FRAG_HEADER_LEN + 150;
	struct addr peer = from(1, 500);
	struct frag_table t = {0};
	struct bytes whole = {NULL, 0};
	struct isakmp_header h;
	struct wire_span body;
	int len;

	(void)state;
	/* Cookies, version, length. */
	for (size_t at = 0; at < 28; at++) {
		bool counts = at < 18 || at == 19 || at >= 24;

		len = frag_part(m, 1, part, size);
		part[FRAG_HEADER_LEN + at] ^= 0x40;
		assert_int_equal(
		    take_raw(&t, NOW, &peer,
			(struct wire_span){part, (size_t)len}, &whole, NULL),
		    0);
		assert_int_equal(take(&t, NOW, &peer, m, 2, size, &whole),
		    counts && at != 16 ? -EBADMSG : 1);
		assert_int_equal(frag_count(&t), 0);
		bytes_free(&whole);
	}
	/* A fragment of a fragment. */
	len = frag_part(m, 1, part, size);
	for (unsigned int i = 1; i < 3; i++) {
		int n = frag_part((struct wire_span){part, (size_t)len}, i,
		    wrapped, FRAG_HEADER_LEN + 100);

		assert_int_equal(
		    isakmp_header_decode((struct wire_span){wrapped, (size_t)n},
			&h, &body, NULL),
		    0);
		assert_int_equal(
		    frag_take(&t, NOW, &peer, &h, body, &whole, NULL),
		    i == 1 ? 0 : -EBADMSG);
	}
	assert_null(whole.data);
	assert_int_equal(frag_count(&t), 0);
}

static void a_message_that_is_too_long_goes(void **state)
{
	uint8_t buf[MESSAGE_MAX];
	struct wire_span m = message(buf, FRAG_MESSAGE_MAX + 1, 3);
	struct addr peer = from(1, 500);
	struct frag_table t = {0};
	struct bytes whole = {NULL, 0};

	(void)state;
	for (unsigned int n = 1; n < 9; n++)
		assert_int_equal(
		    take(&t, NOW, &peer, m, n, FRAG_HEADER_LEN + 1024, &whole),
		    0);
	assert_int_equal(frag_bytes(&t), FRAG_MESSAGE_MAX);
	assert_int_equal(
	    take(&t, NOW, &peer, m, 9, FRAG_HEADER_LEN + 1024, &whole), -E2BIG);
	assert_int_equal(frag_count(&t), 0);
}

static void sets_are_apart_by_address_port_and_cookies(void **state)
{
	uint8_t one[MESSAGE_MAX], two[MESSAGE_MAX];
	struct wire_span a = message(one, 200, 3), b = message(two, 200, 4);
	struct addr peer[3] = {from(1, 500), from(1, 501), from(2, 500)};
	size_t size = FRAG_HEADER_LEN + 100;
	struct frag_table t = {0};
	struct bytes whole = {NULL, 0};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
		    take(&t, NOW, &peer[i], a, 1, size, &whole), 0);
	assert_int_equal(take(&t, NOW, &peer[0], b, 1, size, &whole), 0);
	assert_int_equal(frag_count(&t), 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
		    take(&t, NOW, &peer[i], a, 2, size, &whole), 1);
		assert_true(wire_span_equal(bytes_span(&whole), a));
		bytes_free(&whole);
	}
	assert_int_equal(take(&t, NOW, &peer[0], b, 2, size, &whole), 1);
	assert_true(wire_span_equal(bytes_span(&whole), b));
	bytes_free(&whole);
}

static void time_and_room_are_bounded(void **state)
{
	uint8_t buf[MESSAGE_MAX];
	struct wire_span m = message(buf, 7000, 3);
	size_t size = FRAG_HEADER_LEN + 1000;
	struct frag_table t = {0};
	struct bytes whole = {NULL, 0};
	struct addr peer;

	(void)state;
	assert_true(frag_deadline(&t) == UINT64_MAX);
	/* One address has only so many; its oldest goes. */
	for (uint16_t i = 0; i < 3 * FRAG_ADDRESS_SETS; i++) {
		peer = from(1, (uint16_t)(1000 + i));
		assert_int_equal(
		    take(&t, (uint64_t)NOW + i, &peer, m, 1, size, &whole), 0);
	}
	assert_int_equal(frag_count(&t), FRAG_ADDRESS_SETS);
	assert_int_equal(
	    frag_deadline(&t), NOW + 2 * FRAG_ADDRESS_SETS + FRAG_LIFE_MS);
	/* Of all there are only so many, in bytes too. */
	for (unsigned int i = 0; i < 1000; i++) {
		peer = (struct addr){
		    ADDR_IPV4, {198, 51, (uint8_t)(i / 256), (uint8_t)i}, 500};
		for (unsigned int n = 1; n < 7; n++)
			assert_int_equal(take(&t, (uint64_t)NOW + 100 + i,
					     &peer, m, n, size, &whole),
			    0);
		assert_true(frag_count(&t) <= FRAG_SETS_MAX);
		assert_true(
		    frag_bytes(&t) <= (size_t)FRAG_SETS_MAX * FRAG_MESSAGE_MAX);
	}
	/* The newest are the ones that stayed. */
	assert_int_equal(
	    frag_deadline(&t), NOW + 100 + 1000 - FRAG_SETS_MAX + FRAG_LIFE_MS);
	assert_int_equal(take(&t, NOW + 1200, &peer, m, 7, size, &whole), 1);
	bytes_free(&whole);
	frag_expire(&t, NOW + 1098 + FRAG_LIFE_MS);
	assert_int_equal(frag_count(&t), 0);
	/* What comes late finds nothing of before. */
	assert_int_equal(take(&t, NOW, &peer, m, 7, size, &whole), 0);
	for (unsigned int n = 1; n < 7; n++)
		assert_int_equal(
		    take(&t, NOW + FRAG_LIFE_MS, &peer, m, n, size, &whole), 0);
	frag_clear(&t);
}

static uint8_t *saved(struct frag_table *t, uint64_t now, size_t *len)
{
	struct store s;
	uint8_t *out;

	store_save_init(&s, now);
	frag_store(&s, t);
	*len = s.w.pos;
	out = malloc(s.w.pos);
	memcpy(out, s.w.data, s.w.pos);
	store_free(&s);
	return out;
}

static int load(
    struct frag_table *t, uint64_t now, const uint8_t *data, size_t len)
{
	struct store s;

	store_load_init(&s, now, data, len);
	frag_store(&s, t);
	return store_error(&s) || wire_left(&s.r) ? -EBADMSG : 0;
}

static void what_is_saved_goes_on(void **state)
{
	uint8_t buf[MESSAGE_MAX], *data;
	struct wire_span m = message(buf, 300, 3);
	struct addr peer[2] = {from(1, 500), from(2, 500)};
	size_t size = FRAG_HEADER_LEN + 100, len;
	struct frag_table t = {0}, u = {0};
	struct bytes whole = {NULL, 0};

	(void)state;
	take(&t, NOW, &peer[0], m, 3, size, &whole);
	take(&t, NOW, &peer[0], m, 1, size, &whole);
	take(&t, NOW + 1000, &peer[1], m, 2, size, &whole);
	data = saved(&t, NOW + 2000, &len);
	frag_clear(&t);
	assert_int_equal(load(&t, 100, data, len), 0);
	assert_int_equal(frag_count(&t), 2);
	assert_int_equal(frag_bytes(&t), 300);
	assert_int_equal(frag_deadline(&t), 100 + FRAG_LIFE_MS - 2000);
	assert_int_equal(take(&t, 200, &peer[0], m, 2, size, &whole), 1);
	assert_true(wire_span_equal(bytes_span(&whole), m));
	bytes_free(&whole);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(load(&u, 0, data, cut), -EBADMSG);
		frag_clear(&u);
	}
	/* Damage loads or not, but never to more than there may be. */
	for (size_t at = 0; at < len; at++) {
		data[at] ^= 0x81;
		load(&u, 0, data, len);
		assert_true(
		    frag_bytes(&u) <= (size_t)FRAG_SETS_MAX * FRAG_MESSAGE_MAX +
					  STORE_BYTES_MAX * FRAG_PARTS_MAX);
		frag_clear(&u);
		data[at] ^= 0x81;
	}
	free(data);
	frag_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_known_fragment_is_read_and_written),
	    cmocka_unit_test(every_order_and_every_repeat_of_four_parts),
	    cmocka_unit_test(the_longest_message_in_the_most_parts),
	    cmocka_unit_test(malformed_fragments_are_refused),
	    cmocka_unit_test(a_contradiction_begins_anew),
	    cmocka_unit_test(what_is_inside_is_looked_at),
	    cmocka_unit_test(a_message_that_is_too_long_goes),
	    cmocka_unit_test(sets_are_apart_by_address_port_and_cookies),
	    cmocka_unit_test(time_and_room_are_bounded),
	    cmocka_unit_test(what_is_saved_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
