/* SPDX-License-Identifier: ISC */
/* Lifetimes of IPsec SAs: RESPONDER-LIFETIME, and the kernel's limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/payload.h"
#include "ikev1/core/quick_steps.h"

#include <string.h>

#define BYTES(s) ((struct wire_span){(const uint8_t *)(s), sizeof(s) - 1})

/* What is left of 3600 s and 250000 KB when a Notification has this. */
static struct proposal_choice after(
    uint8_t protocol, uint16_t type, struct wire_span data)
{
	struct proposal_choice choice = {
	    .life_seconds = 3600, .life_kilobytes = 250000};
	struct payload_notify n = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = protocol,
	    .type = type,
	    .spi = BYTES("\1\2\3\4"),
	    .data = data};
	const struct isakmp_header h = {.version = ISAKMP_VERSION};
	struct isakmp_payloads p;
	struct isakmp_builder b;
	uint8_t buf[256];

	isakmp_build_begin(&b, buf, sizeof(buf), &h);
	/* Others among them are passed over. */
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NONCE, BYTES("eight or more"));
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NOTIFY, BYTES("short"));
	isakmp_build_open(&b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&b.w, &n);
	isakmp_build_close(&b);
	assert_true(isakmp_build_finish(&b, 0) > 0);
	assert_int_equal(
	    isakmp_payloads_decode(ISAKMP_PAYLOAD_NONCE,
		isakmp_build_since(&b, ISAKMP_HEADER_LEN), &p, NULL),
	    0);
	quick_responder_lifetime(&choice, &p);
	return choice;
}

static struct proposal_choice after_lifetime(struct wire_span data)
{
	return after(ISAKMP_PROTO_ESP, ISAKMP_N_RESPONDER_LIFETIME, data);
}

/* RFC 2407 section 4.6.3.1: attributes as in a transform. */
static void shorter_lifetimes_are_taken(void **state)
{
	static const struct {
		struct wire_span data;
		uint64_t seconds, kilobytes;
	} rows[] = {
	    /* type 1: seconds, B; 120 as B, as V of 4 and of 1 byte */
	    {BYTES("\x80\1\0\1\x80\2\0\x78"), 120, 250000},
	    {BYTES("\x80\1\0\1\0\2\0\4\0\0\0\x78"), 120, 250000},
	    {BYTES("\x80\1\0\1\0\2\0\1\x78"), 120, 250000},
	    /* the type as V */
	    {BYTES("\0\1\0\2\0\1\x80\2\0\x78"), 120, 250000},
	    /* type 2: kilobytes */
	    {BYTES("\x80\1\0\2\x80\2\x10\0"), 3600, 4096},
	    {BYTES("\x80\1\0\2\0\2\0\3\1\0\0"), 3600, 65536},
	    /* both */
	    {BYTES("\x80\1\0\1\x80\2\0\x78\x80\1\0\2\x80\2\x10\0"), 120, 4096},
	    /* longer ones, and none at all */
	    {BYTES("\x80\1\0\1\x80\2\x70\x80"), 3600, 250000},
	    {BYTES("\x80\1\0\2\0\2\0\4\1\0\0\0"), 3600, 250000},
	    {BYTES("\x80\1\0\1\x80\2\0\0"), 3600, 250000},
	    {BYTES("\x80\1\0\1\0\2\0\0"), 3600, 250000},
	    /* a number that fits, in 8 bytes, and one that is too long */
	    {BYTES("\x80\1\0\1\0\2\0\10\0\0\0\0\0\0\0\x78"), 120, 250000},
	    {BYTES("\x80\1\0\1\0\2\0\11\0\0\0\0\0\0\0\0\x78"), 3600, 250000},
	    /* a duration without a type, of an unknown type, another attribute
	     * in between */
	    {BYTES("\x80\2\0\x78"), 3600, 250000},
	    {BYTES("\x80\1\0\3\x80\2\0\x78"), 3600, 250000},
	    {BYTES("\x80\1\0\1\x80\4\0\1\x80\2\0\x78"), 120, 250000},
	    {BYTES(""), 3600, 250000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct proposal_choice c = after_lifetime(rows[i].data);

		assert_int_equal(c.life_seconds, rows[i].seconds);
		assert_int_equal(c.life_kilobytes, rows[i].kilobytes);
	}
}

/* What is whole in front of the cut counts, nothing else does. */
static void cut_lifetimes_count_as_far_as_they_go(void **state)
{
	static const uint8_t whole[] =
	    "\x80\1\0\1\0\2\0\4\0\0\0\x78\x80\1\0\2\0\2\0\4\0\0\x10";

	(void)state;
	assert_int_equal(sizeof(whole), 24);
	for (size_t len = 0; len <= sizeof(whole); len++) {
		struct proposal_choice c =
		    after_lifetime((struct wire_span){whole, len});

		assert_int_equal(c.life_seconds, len < 12 ? 3600 : 120);
		assert_int_equal(c.life_kilobytes, len < 24 ? 250000 : 4096);
	}
}

/* Neither another Notification nor one about another protocol. */
static void other_notifications_say_nothing(void **state)
{
	const struct wire_span two_minutes = BYTES("\x80\1\0\1\x80\2\0\x78");

	(void)state;
	for (uint32_t protocol = 0; protocol < 256; protocol++) {
		struct proposal_choice c = after((uint8_t)protocol,
		    ISAKMP_N_RESPONDER_LIFETIME, two_minutes);

		assert_int_equal(
		    c.life_seconds, protocol == ISAKMP_PROTO_ESP ? 120 : 3600);
	}
	for (uint32_t type = 0; type < 65536; type++) {
		struct proposal_choice c =
		    after(ISAKMP_PROTO_ESP, (uint16_t)type, two_minutes);

		assert_int_equal(c.life_seconds,
		    type == ISAKMP_N_RESPONDER_LIFETIME ? 120 : 3600);
	}
}

static struct ike_kernel_sa limits(
    uint64_t seconds, uint64_t kilobytes, uint32_t by, enum ike_sa_dir dir)
{
	struct ike_kernel_sa sa = {.dir = (uint8_t)dir};
	const struct proposal_choice c = {
	    .life_seconds = seconds, .life_kilobytes = kilobytes};

	quick_limits(&sa, &c, by);
	return sa;
}

static void seconds_are_bounded_and_spread(void **state)
{
	static const uint64_t asked[] = {0, 1, 59, 60, 61, 3600, 28800,
	    7 * 24 * 3600, 7 * 24 * 3600 + 1, UINT32_MAX, UINT64_MAX};
	static const uint32_t chances[] = {0, 1, 7, 1000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		uint64_t s = asked[i] < 60 ? 60 : asked[i];

		s = s > 7 * 24 * 3600 ? 7 * 24 * 3600 : s;
		for (size_t k = 0; k < 5; k++) {
			struct ike_kernel_sa in =
			    limits(asked[i], 0, chances[k], IKE_SA_IN);
			struct ike_kernel_sa out =
			    limits(asked[i], 0, chances[k], IKE_SA_OUT);

			/* After the client's 91 %, before its end. */
			assert_in_range(in.soft_s, s * 5 / 6, s - 10);
			assert_true(s < 1000 || in.soft_s > s * 91 / 100);
			assert_int_equal(in.hard_s, s + s / 10 + 60);
			assert_int_equal(out.soft_s, 0);
			assert_int_equal(out.hard_s, in.hard_s);
			assert_int_equal(in.soft_bytes | in.hard_bytes, 0);
		}
	}
	assert_true(limits(28800, 0, 0, IKE_SA_IN).soft_s !=
		    limits(28800, 0, 400, IKE_SA_IN).soft_s);
}

static void volumes_are_bounded_and_spread(void **state)
{
	static const uint64_t asked[] = {
	    1, 102399, 102400, 102401, 250000, UINT32_MAX};
	static const uint32_t chances[] = {0, 1, 7, 1000, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		uint64_t bytes = (asked[i] < 102400 ? 102400 : asked[i]) * 1024;

		for (size_t k = 0; k < 5; k++) {
			struct ike_kernel_sa sa =
			    limits(3600, asked[i], chances[k], k & 1);

			assert_in_range(
			    sa.soft_bytes, bytes / 10 * 9, bytes - bytes / 20);
			assert_int_equal(sa.hard_bytes, bytes + bytes / 4);
		}
	}
	/* What can't be counted in bytes is no limit. */
	assert_int_equal(limits(3600, UINT64_MAX, 1, IKE_SA_IN).hard_bytes, 0);
	assert_int_equal(
	    limits(3600, UINT64_MAX / 2048, 1, IKE_SA_IN).soft_bytes, 0);
	assert_true(
	    limits(3600, UINT64_MAX / 2048 - 1, 1, IKE_SA_IN).hard_bytes >
	    UINT64_MAX / 2);
}

/* One who renews at a share of the lifetimes; 0: never. */
static void shares_stand_in_place_of_ours(void **state)
{
	static const struct {
		uint64_t seconds, kilobytes;
		uint8_t percent;
		uint32_t soft_s;
		uint64_t soft_bytes;
	} rows[] = {
	    {3600, 250000, 90, 3240, 230400000},
	    {3600, 0, 85, 3060, 0},
	    {1800, 0, 80, 1440, 0},
	    {1, 0, 50, 30, 0},
	    {3600, 250000, 0, 0, 0},
	    {UINT64_MAX, 0, 100, 7 * 24 * 3600, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int dir = 0; dir < 2; dir++) {
			const struct proposal_choice c = {
			    .life_seconds = rows[i].seconds,
			    .life_kilobytes = rows[i].kilobytes};
			struct ike_kernel_sa sa = {.dir = (uint8_t)dir}, before;

			quick_limits(&sa, &c, 5);
			before = sa;
			quick_soft_at(&sa, &c, rows[i].percent);
			assert_int_equal(
			    sa.soft_s, dir == IKE_SA_IN ? rows[i].soft_s : 0);
			assert_int_equal(sa.soft_bytes, rows[i].soft_bytes);
			assert_int_equal(sa.hard_s, before.hard_s);
			assert_int_equal(sa.hard_bytes, before.hard_bytes);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(shorter_lifetimes_are_taken),
	    cmocka_unit_test(cut_lifetimes_count_as_far_as_they_go),
	    cmocka_unit_test(other_notifications_say_nothing),
	    cmocka_unit_test(seconds_are_bounded_and_spread),
	    cmocka_unit_test(volumes_are_bounded_and_spread),
	    cmocka_unit_test(shares_stand_in_place_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
