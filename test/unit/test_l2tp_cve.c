/* SPDX-License-Identifier: ISC */
/*
 * What went wrong in other L2TP daemons: one test for each.  Those of pppd
 * are in test_pppd, test_ppp_options and test_plugin.
 *
 * Not our concern, because the code does not exist here:
 *	CVE-2006-5873	l2tpns' cluster
 *	CVE-2015-3310, accel-ppp d4cb8972, e9d369aa, 7bd6843c, 2550fe6c, and
 *		pppd's of July 2026	RADIUS
 *	CVE-2006-2194, CVE-2024-58250, CVE-2026-75883, pppd ce4629f
 *		plugins and EAP methods of pppd that we do not load: "plugin"
 *		in /etc/ppp/options is refused (test_ppp_options)
 *	xl2tpd 4c98ab5 (a route that is gone)	the socket's errors are not
 *		the core's: what is not sent is sent again, few times
 *	xl2tpd 2d1b0c9	being a LAC
 *
 * Has its test elsewhere:
 *	xl2tpd: no look at IPsec; npppd: it fails open	test_nft, test_objects,
 *		test/system: 35-only-l2tp
 *	xl2tpd: a tunnel for each datagram	test_lns_bad
 *		(what_comes_before_sccrq), test_lns_call
 *(three_ports_and_no_more) npppd: a repeated SCCRQ		test_lns_call
 *	npppd: ICCN without a session	test_lns_peer
 *		(a_session_that_does_not_open)
 *	l2tpns: Nr before the window	test_reliable
 *		(false_acknowledgements_are_ignored)
 *	xl2tpd 3de67ef, 1abbab8, ac56cc5 (descriptors of pppd, kill(-1))
 *		test_proc
 *	xl2tpd 94c59a6, 1.3.20 (pppd that does not end, or does)
 *		test_objects, test_lns_call (ppp_ends)
 *	pppd 3de4392 (the third DES key)	test_mschap, under the
 *sanitizers
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "test/lib/l2tp_raw.h"

#include "test/lib/l2tp_end.h"

#include <errno.h>

#define R 7
#define SLOT 3

/* --- messages put together ------------------------------------------------ */

struct text {
	uint8_t data[2048];
	struct wire_writer w;
};

static void text_begin(struct text *t, uint16_t type)
{
	wire_writer_init(&t->w, t->data, sizeof(t->data));
	l2tp_avp_put_u16(&t->w, L2TP_AVP_MESSAGE_TYPE, true, type);
}

/* One AVP whatever its bits, with len bytes of fill as its value. */
static void text_avp(struct text *t, uint16_t bits, uint16_t vendor,
    uint16_t type, size_t len, uint8_t fill_with)
{
	wire_put_u16(&t->w, (uint16_t)(bits | (len + L2TP_AVP_HEADER_LEN)));
	wire_put_u16(&t->w, vendor);
	wire_put_u16(&t->w, type);
	while (len--)
		wire_put_u8(&t->w, fill_with);
}

/* What else an SCCRQ must have; the host name is "raw". */
static void text_sccrq(struct text *t)
{
	l2tp_avp_put_u16(&t->w, L2TP_AVP_PROTOCOL_VERSION, true, 0x0100);
	l2tp_avp_put_u32(&t->w, L2TP_AVP_FRAMING_CAPABILITIES, true, 1);
	l2tp_avp_put(&t->w, L2TP_AVP_HOST_NAME, true,
	    (struct wire_span){(const uint8_t *)"raw", 3});
	l2tp_avp_put_u16(&t->w, L2TP_AVP_ASSIGNED_TUNNEL_ID, true, 11);
}

/* Reads the text from memory of exactly its size. */
static int read_text(
    const struct text *t, struct l2tp_msg *msg, struct l2tp_problem *problem)
{
	uint8_t *copy = malloc(t->w.pos);
	int err;

	assert_int_equal(wire_writer_error(&t->w), 0);
	memcpy(copy, t->data, t->w.pos);
	err = l2tp_msg_decode((struct wire_span){copy, t->w.pos}, msg, problem);
	free(copy);
	return err;
}

/* --- l2tpd 0.67 and xl2tpd --------------------------------------------------
 */

/*
 * Session ids came from rand() without a seed.  Ours are drawn, each by
 * itself; without randomness there is no call.  (Tunnel ids need not be
 * secret here: a tunnel is found by its SA.)
 */
static void cve_2002_0872_session_ids_are_drawn(struct world *w)
{
	unsigned int near = 0;
	uint16_t last = 0;
	struct raw raw;

	for (uint32_t i = 0; i < 32; i++) {
		uint16_t id;

		raw = raw_begin(w, R + i, SLOT + i);
		raw_establish(&raw);
		id = raw_call(&raw);
		assert_int_not_equal(id, 0);
		near += (uint16_t)(id - last + 256) <= 512;
		last = id;
		raw_say(&raw, L2TP_CDN, id); /* or ICRP is sent again */
	}
	assert_in_range(near, 0, 4);
	w->random_fails = true;
	raw = raw_begin(w, R + 40, SLOT + 40);
	raw_establish(&raw);
	raw_say(&raw, L2TP_ICRQ, 0);
	assert_cdn(w, L2TP_CDN_BUSY_NOW, 0);
}

/* A vendor's AVP is nobody's, however long and whatever its number. */
static void cve_2002_0873_avps_of_vendors(void **state)
{
	struct l2tp_problem problem;
	struct l2tp_msg msg;
	struct text t;

	(void)state;
	for (size_t len = 0; len <= L2TP_AVP_VALUE_MAX; len++) {
		text_begin(&t, L2TP_SCCRQ);
		text_avp(&t, 0, 9, L2TP_AVP_HOST_NAME, len, 'v');
		text_sccrq(&t);
		assert_int_equal(read_text(&t, &msg, &problem), 0);
		assert_int_equal(msg.host_name.len, 3);
		text_begin(&t, L2TP_SCCRQ);
		text_avp(&t, 0x8000, 9, (uint16_t)len, len, 'v');
		text_sccrq(&t);
		assert_int_equal(read_text(&t, &msg, &problem), -EBADMSG);
		assert_int_equal(problem.error, L2TP_ERROR_UNKNOWN_AVP);
		assert_false(problem.is_fatal);
	}
}

/* The longest message, into rooms of every size: nothing behind them. */
static void cve_2004_0649_a_message_stays_in_its_room(void **state)
{
	static uint8_t room[2 * L2TP_AVP_MAX + 64], value[L2TP_AVP_VALUE_MAX];
	struct l2tp_msg msg = fill(L2TP_SCCRQ);
	int need;

	(void)state;
	memset(value, 'x', sizeof(value));
	msg.host_name = (struct wire_span){value, sizeof(value)};
	need = l2tp_msg_encode(&msg, 1, 0, room, sizeof(room));
	assert_true(need > L2TP_AVP_MAX);
	for (size_t size = 0; size < (size_t)need; size++) {
		memset(room, 0xa5, sizeof(room));
		assert_int_equal(
		    l2tp_msg_encode(&msg, 1, 0, room, size), -ENOSPC);
		for (size_t i = size; i < sizeof(room); i++)
			assert_int_equal(room[i], 0xa5);
	}
}

/* An AVP of length 0 was read again and again, for ever. */
static void xl2tpd_a1e9e82_lengths_below_the_header(void **state)
{
	struct l2tp_problem problem;
	struct l2tp_msg msg;
	struct text t;

	(void)state;
	for (uint16_t len = 0; len < L2TP_AVP_HEADER_LEN; len++) {
		for (int bits = 0; bits < 4; bits++) {
			text_begin(&t, L2TP_SCCRQ);
			text_sccrq(&t);
			wire_put_u16(&t.w, (uint16_t)(bits << 14 | len));
			wire_put_u32(&t.w, L2TP_AVP_FIRMWARE_REVISION);
			assert_int_equal(
			    read_text(&t, &msg, &problem), -EBADMSG);
			assert_true(problem.is_fatal);
		}
	}
}

/* Two ends answered each other's acknowledgements for ever. */
static void xl2tpd_763d863_acknowledgements_are_not_acknowledged(
    struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);
	size_t said;

	raw_establish(&raw);
	world_run(w, 100);
	said = w->transcript_len;
	for (uint32_t ns = 0; ns <= UINT16_MAX; ns += 257) {
		uint8_t zlb[L2TP_HEADER_LEN];

		l2tp_zlb_encode(
		    raw.tunnel_id, (uint16_t)ns, (uint16_t)(ns * 3), zlb);
		world_inject(w, R, &raw.addr, zlb, sizeof(zlb));
	}
	world_run(w, 100);
	assert_int_equal(w->transcript_len, said);
	raw_call(&raw);
}

/* "Ns is old" never held for 65535 when 0 was expected. */
static void xl2tpd_65535_again_is_acknowledged(void **state)
{
	struct end e;

	(void)state;
	end_init(&e, 4);
	end_start_at(&e, 3, 65535);
	assert_int_equal(end_hear(&e, 65535, 3), L2TP_RX_NEW);
	assert_int_equal(end_take_all(&e), 1);
	end_flush(&e);
	end_assert_sent(&e, 0, true, 3, 0);
	for (uint16_t old = 65535; old > 65535 - 8; old--) {
		size_t before = e.count;

		assert_int_equal(end_hear(&e, old, 3), L2TP_RX_DUPLICATE);
		assert_int_equal(end_take_all(&e), 0);
		end_flush(&e);
		assert_int_equal(e.count, before + 1);
		end_assert_sent(&e, before, true, 3, 0);
	}
	l2tp_reliable_free(&e.rel);
}

/* Whoever guessed a tunnel's id could act on it. */
static void xl2tpd_a_tunnel_is_its_clients(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT), other;
	const uint16_t types[] = {L2TP_STOPCCN, L2TP_ICRQ, L2TP_HELLO};

	raw_establish(&raw);
	for (size_t i = 0; i < 3; i++) {
		other = raw;
		other.addr.port++;
		raw_say(&other, types[i], 0);
		assert_int_equal(answer(w).type, 0);
		other = raw;
		other.addr = world_addr(SLOT + 1, 1701);
		raw_say(&other, types[i], 0);
		assert_int_equal(answer(w).type, 0);
	}
	assert_int_equal(world_tunnel_count(w), 1);
	raw_call(&raw);
}

/* --- accel-ppp --------------------------------------------------------------
 */

/* The header's Length and an AVP's were believed. */
static void cve_2020_15173_what_is_behind_the_length_does_not_count(
    void **state)
{
	const struct l2tp_vector *v = &l2tp_xl2tpd_sccrq;
	struct l2tp_header hdr;
	struct wire_span body;
	uint8_t *copy = malloc(v->len);

	(void)state;
	memcpy(copy, v->data, v->len);
	for (uint32_t len = 0; len <= UINT16_MAX; len++) {
		int err;

		copy[2] = (uint8_t)(len >> 8);
		copy[3] = (uint8_t)len;
		err = l2tp_header_decode(
		    (struct wire_span){copy, v->len}, &hdr, &body);
		if (len < L2TP_HEADER_LEN || len > v->len) {
			assert_int_equal(err, -EBADMSG);
			continue;
		}
		assert_int_equal(err, 0);
		assert_ptr_equal(body.data, copy + L2TP_HEADER_LEN);
		assert_int_equal(body.len, len - L2TP_HEADER_LEN);
	}
	free(copy);
}

/* Each AVP of an SCCRQ says that it is as long as can be, or not at all. */
static void cve_2020_15173_lengths_of_avps(void **state)
{
	struct l2tp_problem problem;
	struct l2tp_msg msg;
	struct text good, t;

	(void)state;
	text_begin(&good, L2TP_SCCRQ);
	text_sccrq(&good);
	for (size_t at = 0; at < good.w.pos;) {
		size_t own = (good.data[at] & 3u) << 8 | good.data[at + 1];

		for (size_t len = 0; len < 1024; len++) {
			t = good;
			t.w.data = t.data;
			t.data[at] = (uint8_t)(0x80 | len >> 8);
			t.data[at + 1] = (uint8_t)len;
			if (len == own)
				assert_int_equal(
				    read_text(&t, &msg, &problem), 0);
			else
				assert_int_equal(
				    read_text(&t, &msg, &problem), -EBADMSG);
		}
		at += own;
	}
}

/*
 * Hidden AVPs were deciphered before anybody looked at their length.  Ours
 * are not deciphered at all: no secret is configured.
 */
static void accel_9554ce05_hidden_avps(void **state)
{
	struct l2tp_problem problem;
	struct l2tp_msg msg;
	struct text t;

	(void)state;
	for (size_t len = 0; len <= L2TP_AVP_VALUE_MAX; len++) {
		for (uint16_t type = 1; type < 42; type++) {
			bool known = l2tp_avp_find(type) != NULL;

			/* Every length for some, few lengths for all. */
			if (len > 20 && type != L2TP_AVP_VENDOR_NAME &&
			    type != L2TP_AVP_CHALLENGE)
				continue;
			text_begin(&t, L2TP_SCCRQ);
			text_avp(&t, 0x8000, 0, L2TP_AVP_RANDOM_VECTOR, 16, 1);
			text_avp(&t, 0x4000, 0, type, len, 0xff);
			text_sccrq(&t);
			assert_int_equal(read_text(&t, &msg, &problem), 0);
			assert_int_equal(msg.vendor_name.len, 0);
			assert_int_equal(msg.challenge.len, 0);
			assert_int_equal(msg.host_name.len, 3);
			assert_int_equal(msg.assigned_tunnel_id, 11);
			text_begin(&t, L2TP_SCCRQ);
			text_avp(&t, 0xc000, 0, type, len, 0xff);
			text_sccrq(&t);
			assert_int_equal(
			    read_text(&t, &msg, &problem), -EBADMSG);
			assert_int_equal(problem.error, L2TP_ERROR_UNKNOWN_AVP);
			assert_non_null(strstr(problem.text,
			    known ? "is hidden" : "is not known"));
		}
	}
}

/* Numbers of calls went into 254 bytes on the stack. */
static void accel_2bbf451b_numbers_of_calls(struct world *w)
{
	static const uint16_t types[] = {L2TP_AVP_CALLED_NUMBER,
	    L2TP_AVP_CALLING_NUMBER, L2TP_AVP_SUB_ADDRESS};
	static const size_t lens[] = {
	    0, 1, 63, 64, 65, 252, 253, 254, 255, 256, 257, 511, 1016, 1017};
	struct raw raw = raw_begin(w, R, SLOT);
	struct text t;

	raw_establish(&raw);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		for (size_t k = 0; k < 3; k++) {
			text_begin(&t, L2TP_ICRQ);
			text_avp(&t, 0x8000, 0, types[k], lens[i], '9');
			l2tp_avp_put_u16(
			    &t.w, L2TP_AVP_ASSIGNED_SESSION_ID, true, 21);
			l2tp_avp_put_u32(
			    &t.w, L2TP_AVP_CALL_SERIAL_NUMBER, true, 1);
			raw_body(&raw, 0, t.data, t.w.pos);
			assert_int_equal(answer(w).type, L2TP_ICRP);
			raw.nr++;
		}
	}
	assert_int_equal(world_tunnel_count(w), 1);
}

/* Numbers were loaded from wherever the sender had put them. */
static void accel_36c44075_any_alignment(void **state)
{
	const struct l2tp_vector *v = &l2tp_windows_sccrq;
	uint8_t room[256];

	(void)state;
	assert_true(v->len + 8 < sizeof(room));
	for (size_t at = 0; at < 8; at++) {
		struct l2tp_problem problem;
		struct l2tp_header hdr;
		struct wire_span body;
		struct l2tp_msg msg;

		memcpy(room + at, v->data, v->len);
		assert_int_equal(
		    l2tp_header_decode(
			(struct wire_span){room + at, v->len}, &hdr, &body),
		    0);
		assert_int_equal(l2tp_msg_decode(body, &msg, &problem), 0);
		assert_int_equal(msg.framing_capabilities, L2TP_FRAMING_SYNC);
		assert_int_equal(msg.protocol_version, 0x0100);
		assert_int_equal(msg.host_name.len, 15);
	}
}

/*
 * A tunnel that ended in the midst of its own messages was used again: here
 * a StopCCN comes last, and what had to wait for it is still there.
 */
static void accel_1744cf7d_what_waits_behind_the_end(struct world *w)
{
	static const uint16_t waiting[] = {
	    L2TP_ICRQ, L2TP_OCRQ, L2TP_HELLO, L2TP_SCCRP, L2TP_STOPCCN};

	for (uint32_t i = 0; i < 5; i++) {
		struct raw raw = raw_begin(w, R + i, SLOT + i);
		uint16_t id, ns;

		raw_establish(&raw);
		id = raw_call(&raw);
		raw_say(&raw, L2TP_ICCN, id);
		assert_int_equal(world_session_count(w), 1);
		ns = raw.ns++;
		raw_say(&raw, waiting[i], 0);
		raw_say(&raw, L2TP_CDN, id);
		assert_int_equal(answer(w).type, 0);
		assert_int_equal(world_session_count(w), 1);
		raw.ns = ns;
		raw_say(&raw, L2TP_STOPCCN, 0);
		assert_int_equal(answer(w).type, 0);
		assert_int_equal(world_session_count(w), 0);
		assert_int_equal(world_tunnel_count(w), 0);
	}
}

/* --- mpd and IOS ------------------------------------------------------------
 */

/* Q.931 Cause Code: its text was copied to where there was less room. */
static void cve_2020_7465_cause_codes(struct world *w)
{
	static const size_t lens[] = {
	    0, 1, 2, 3, 4, 63, 64, 127, 128, 255, 256, 511, 1016, 1017};
	struct raw raw = raw_begin(w, R, SLOT);
	struct text t;

	raw_establish(&raw);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		uint16_t id = raw_call(&raw);

		text_begin(&t, L2TP_CDN);
		text_avp(&t, 0x8000, 0, L2TP_AVP_CAUSE_CODE, lens[i], 'c');
		l2tp_avp_put_u16(&t.w, L2TP_AVP_RESULT_CODE, true, 3);
		l2tp_avp_put_u16(&t.w, L2TP_AVP_ASSIGNED_SESSION_ID, true, 21);
		raw_body(&raw, id, t.data, t.w.pos);
		/* The call ends, however badly that is said. */
		assert_int_equal(answer(w).type, 0);
		raw_say(&raw, L2TP_ICCN, id);
		assert_int_equal(w->session_opens, 0);
	}
	assert_int_equal(world_tunnel_count(w), 1);
}

/* One datagram, from nowhere, with any bits: nothing but SCCRQ begins. */
static void cve_2008_3813_any_first_datagram(struct world *w)
{
	struct raw raw = raw_begin(w, R, SLOT);
	uint8_t m[256];

	assert_true(l2tp_windows_sccrq.len <= sizeof(m));
	memcpy(m, l2tp_windows_sccrq.data, l2tp_windows_sccrq.len);
	for (uint32_t bits = 0; bits <= UINT16_MAX; bits += 3) {
		if ((bits & 0xca0f) == 0xc802)
			continue;
		m[0] = (uint8_t)(bits >> 8);
		m[1] = (uint8_t)bits;
		world_inject(w, R, &raw.addr, m, l2tp_windows_sccrq.len);
	}
	for (uint16_t type = 0; type < 32; type++) {
		for (uint16_t session = 0; session < 2; session++) {
			raw.ns = 0;
			if (type != L2TP_SCCRQ)
				raw_say(&raw, type, session);
		}
	}
	assert_int_equal(w->tunnel_opens, 0);
	assert_int_equal(w->last_len, 0);
	raw.ns = 0;
	raw_establish(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENARIO(cve_2002_0872_session_ids_are_drawn),
	    cmocka_unit_test(cve_2002_0873_avps_of_vendors),
	    cmocka_unit_test(cve_2004_0649_a_message_stays_in_its_room),
	    cmocka_unit_test(xl2tpd_a1e9e82_lengths_below_the_header),
	    SCENARIO_LIVING(
		xl2tpd_763d863_acknowledgements_are_not_acknowledged),
	    cmocka_unit_test(xl2tpd_65535_again_is_acknowledged),
	    SCENARIO(xl2tpd_a_tunnel_is_its_clients),
	    cmocka_unit_test(
		cve_2020_15173_what_is_behind_the_length_does_not_count),
	    cmocka_unit_test(cve_2020_15173_lengths_of_avps),
	    cmocka_unit_test(accel_9554ce05_hidden_avps),
	    SCENARIO(accel_2bbf451b_numbers_of_calls),
	    cmocka_unit_test(accel_36c44075_any_alignment),
	    SCENARIO(accel_1744cf7d_what_waits_behind_the_end),
	    SCENARIO(cve_2020_7465_cause_codes),
	    SCENARIO(cve_2008_3813_any_first_datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
