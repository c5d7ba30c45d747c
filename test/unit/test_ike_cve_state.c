/* SPDX-License-Identifier: ISC */
/*
 * What went wrong elsewhere with the state behind a message, before anybody
 * was authenticated: SAs that do not exist, or not yet, or no more.
 * test_ike_cve.c has what is wrong with the message itself, and the table
 * of what does not concern us.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/ike_cve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void cve_2023_30570_an_error_shows_no_cookie(void **state)
{
	static const uint8_t zero[8];
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_state before;
	uint8_t sa[256], ke[64] = {1}, m[CLIENT_PACKET_MAX];
	struct forge_item items[] = {
	    {ISAKMP_PAYLOAD_KE, ke, 64},
	    {ISAKMP_PAYLOAD_NONCE, ke, 20},
	};

	(void)state;
	inject_sa(w, c, sa, forge_sa(sa, "aes256-sha512-modp4096"));
	assert_int_equal(w->sends, 1);
	assert_int_equal(w->last_out[18], 5);
	assert_memory_equal(w->last_out + 8, zero, 8);
	/* What follows with the cookies of that answer finds nothing. */
	forge_remember(w, &before);
	inject(w, c, m,
	    forge_message(m, 2, w->last_out, w->last_out + 8, items, 2));
	for (unsigned int x = 0; x < 256; x++) {
		if (x == ISAKMP_EXCHANGE_MAIN)
			continue;
		inject(w, c, m,
		    forge_message(
			m, (uint8_t)x, w->last_out, w->last_out + 8, items, 2));
	}
	assert_true(forge_unchanged(w, &before));
	assert_int_equal(w->sends, 1);
	ikew_free(w);
}

/* Also CVE-2020-1763, CVE-2009-0790: Informational without a state. */
static void cve_2022_23094_informational_without_an_sa(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_state before;
	uint8_t body[32] = {0, 0, 0, 1, 1, 16, 0x8d, 0x28};
	uint8_t m[CLIENT_PACKET_MAX], cookies[16] = {1, 2, 3};
	struct forge_item item = {ISAKMP_PAYLOAD_NOTIFY, body, sizeof(body)};

	(void)state;
	assert_true(ikew_connect(w, c));
	forge_remember(w, &before);
	w->sends = 0;
	for (int how = 0; how < 64; how++) {
		size_t len;

		memset(cookies + 8, how & 1 ? 0x55 : 0, 8);
		if (how & 8)
			memcpy(cookies, c->cur->cky_i, 8);
		if (how & 16)
			memcpy(cookies + 8, c->cur->cky_r, 8);
		item.type =
		    how & 32 ? ISAKMP_PAYLOAD_DELETE : ISAKMP_PAYLOAD_NOTIFY;
		len = forge_message(m, 5, cookies, cookies + 8, &item, 1);
		m[19] = how & 2 ? ISAKMP_FLAG_ENCRYPTED : 0;
		m[23] = how & 4 ? 7 : 0;
		inject(w, c, m, len);
	}
	assert_int_equal(w->sends, 0);
	assert_true(forge_unchanged(w, &before));
	ikew_free(w);
}

static void unauthenticated_delete_and_invalid_cookie_do_nothing(void **state)
{
	static const uint16_t types[] = {4, 11, 14, 24578, 36136, 36137};
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_state before;
	uint8_t body[40] = {0, 0, 0, 1, 1, 16}, m[CLIENT_PACKET_MAX];
	struct forge_item item = {ISAKMP_PAYLOAD_NOTIFY, body, 24};

	(void)state;
	assert_true(ikew_connect(w, c));
	memcpy(body + 8, c->cur->cky_i, 8);
	memcpy(body + 16, c->cur->cky_r, 8);
	forge_remember(w, &before);
	w->sends = 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		body[6] = (uint8_t)(types[i] >> 8);
		body[7] = (uint8_t)types[i];
		inject(w, c, m,
		    forge_message(
			m, 5, c->cur->cky_i, c->cur->cky_r, &item, 1));
	}
	item.type = ISAKMP_PAYLOAD_DELETE;
	body[6] = 0;
	body[7] = 1;
	inject(w, c, m,
	    forge_message(m, 5, c->cur->cky_i, c->cur->cky_r, &item, 1));
	assert_int_equal(w->sends, 0);
	assert_true(forge_unchanged(w, &before));
	ikew_free(w);
}

/* Before message 5, with the keys that message 4 made possible. */
static void phase_2_with_right_keys(struct ikew *w, struct ike_client *c)
{
	struct forge_copy m[3] = {
	    {.stop = true}, {.stop = true}, {.stop = true}};
	struct client_sa *sa = c->cur;

	if (keymat_iv_phase1(&w->crypto, &sa->keys,
		wire_span_of(sa->dh.pub, sa->dh.pub_len),
		wire_span_of(sa->gxr, sa->gxr_len), sa->iv) < 0)
		abort();
	w->filter_ctx = &m[0];
	ikec_r_u_there(c, 7);
	w->filter_ctx = &m[1];
	ikec_delete_sa(c, sa);
	w->filter_ctx = &m[2];
	ikec_protected(c, ISAKMP_EXCHANGE_QUICK, 9, NULL, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_true(m[i].len > 0);
		inject(w, c, m[i].data, m[i].len);
	}
}

/* What must not work before phase 1 is done: anything of phase 2. */
static void cve_2014_2338_nothing_of_phase_2_before_phase_1(void **state)
{
	(void)state;
	for (int n = 0; n < 3; n++) {
		struct ike_client *c;
		struct forge_copy m;
		struct ikew *w = stopped(n, &c, &m);
		struct forge_state before;
		uint8_t junk[64] = {0}, out[CLIENT_PACKET_MAX];
		struct forge_item item = {ISAKMP_PAYLOAD_HASH, junk, 20};
		int sends = w->sends;

		forge_remember(w, &before);
		for (unsigned int x = 5; x < 256; x++) {
			for (int flags = 0; flags < 2; flags++) {
				size_t len = forge_message(out, (uint8_t)x,
				    m.data, c->cur->cky_r, &item, 1);

				out[19] = (uint8_t)flags;
				out[23] = 9;
				inject(w, c, out, len);
			}
		}
		if (n == 2)
			phase_2_with_right_keys(w, c);
		assert_int_equal(w->sends, sends);
		assert_true(forge_unchanged(w, &before));
		ikew_free(w);
	}
}

static void cve_2015_3240_key_exchange_values(void **state)
{
	static const char *const suites[] = {
	    "aes128-sha1-modp2048", "aes256-sha1-ecp256"};

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		for (int what = 0; what < 4; what++) {
			struct ikew *w = ikew_new(1);
			struct ike_client *c = native(w);
			struct forge_copy m = {
			    .exchange = 2, .skip = 1, .stop = true};
			size_t ke_len = s ? 64 : 256;

			w->filter = forge_copy;
			w->filter_ctx = &m;
			c->ike[0] = ikew_suite(true, suites[s]);
			ikec_start_main(c);
			while (!m.len)
				ikew_run(w, 1);
			c->is_mute = true;
			/* 0, 1, all ones (above p), a point off the curve. */
			memset(m.data + 32, what == 2 ? 0xff : 0, ke_len);
			if (what == 1 || what == 3)
				m.data[32 + ke_len - 1] = 1;
			if (what == 3)
				m.data[32 + ke_len / 2 - 1] = s ? 1 : 0;
			inject(w, c, m.data, m.len);
			ikew_run(w, 100);
			assert_true(
			    ikew_logged(w, "invalid Diffie-Hellman value"));
			assert_int_equal(ikew_counts(w).sas, 0);
			ikew_free(w);
		}
	}
}

static void cve_2015_3240_key_exchange_lengths(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);
	uint8_t ke[300] = {5}, out[CLIENT_PACKET_MAX];

	(void)state;
	for (size_t len = 0; len < sizeof(ke); len++) {
		struct forge_item items[] = {
		    {ISAKMP_PAYLOAD_KE, ke, len},
		    {ISAKMP_PAYLOAD_NONCE, ke, 20},
		};

		if (len == 64)
			continue;
		inject(w, c, out,
		    forge_message(out, 2, m.data, m.data + 8, items, 2));
		assert_int_equal(ikew_counts(w).sas, 0);
	}
	/* None of them cost the client its entry. */
	inject(w, c, m.data, m.len);
	assert_int_equal(ikew_counts(w).sas, 1);
	ikew_free(w);
}

/* RFC 2409 section 5. */
static void nonces_of_main_mode_have_8_to_256_bytes(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);
	uint8_t ke[300] = {5}, out[CLIENT_PACKET_MAX];

	(void)state;
	for (size_t len = 0; len < sizeof(ke); len++) {
		struct forge_item items[] = {
		    {ISAKMP_PAYLOAD_KE, ke, 64},
		    {ISAKMP_PAYLOAD_NONCE, ke, len},
		};

		if (len >= 8 && len <= 256)
			continue;
		inject(w, c, out,
		    forge_message(out, 2, m.data, m.data + 8, items, 2));
		assert_int_equal(ikew_counts(w).sas, 0);
	}
	inject(w, c, m.data, m.len);
	assert_int_equal(ikew_counts(w).sas, 1);
	ikew_free(w);
}

static void cve_2026_14957_certificates_are_not_read(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);
	uint8_t junk[200] = {4, 0x30, 0x82, 0xff, 0xff}, out[CLIENT_PACKET_MAX];

	(void)state;
	for (size_t len = 0; len < sizeof(junk); len += 7) {
		struct forge_item items[] = {
		    {ISAKMP_PAYLOAD_KE, m.data + 32, 64},
		    {ISAKMP_PAYLOAD_NONCE, junk, 20},
		    {ISAKMP_PAYLOAD_CERT, junk, len},
		};

		inject(w, c, out,
		    forge_message(out, 2, m.data, m.data + 8, items, 3));
		assert_int_equal(ikew_counts(w).sas, 0);
		items[2].type = ISAKMP_PAYLOAD_SIG;
		inject(w, c, out,
		    forge_message(out, 2, m.data, m.data + 8, items, 3));
		assert_int_equal(ikew_counts(w).sas, 0);
	}
	ikew_free(w);
}

/* The SA goes while its Diffie-Hellman job runs; the answer comes late. */
static void cve_2011_4073_answers_for_an_sa_that_is_gone(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);
	uint8_t pub[64] = {1}, shared[32] = {2};
	struct ike_event ev = {.type = IKE_EV_DH_DONE,
	    .pub = {pub, sizeof(pub)},
	    .shared = {shared, sizeof(shared)}};
	int sends = w->sends;

	(void)state;
	inject(w, c, m.data, m.len);
	assert_int_equal(ikew_counts(w).sas, 1);
	memset(w->queue, 0, sizeof(w->queue));
	ikew_run(w, 31000);
	assert_int_equal(ikew_counts(w).sas, 0);
	for (int save = 0; save < 2; save++) {
		for (ev.job = 0; ev.job < 20; ev.job++)
			ikew_step(w, &ev);
		ev.type = IKE_EV_PSK_DONE;
		ikew_save(w);
	}
	assert_int_equal(w->sends, sends);
	assert_int_equal(ikew_counts(w).sas, 0);
	ikew_free(w);
}

/* CVE-2008-3652: unfinished ones do not stay for ever. */
static void cve_2008_3652_unfinished_ones_go(void **state)
{
	(void)state;
	for (int n = 1; n < 3; n++) {
		struct ike_client *c;
		struct forge_copy m;
		struct ikew *w = stopped(n, &c, &m);

		ikew_run(w, 31000);
		ikew_step(w, &(struct ike_event){.type = IKE_EV_TICK});
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_int_equal(ikew_counts(w).first, 0);
		assert_int_equal(ikew_counts(w).half_open, 0);
		ikew_free(w);
	}
}

static void cve_2024_2357_no_key_and_a_repeated_message(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(1, &c, &m);

	(void)state;
	w->psk_error = -ENOENT;
	for (int i = 0; i < 20; i++) {
		inject(w, c, m.data, m.len);
		if (i & 1)
			ikew_run(w, 20);
	}
	ikew_run(w, 100);
	assert_int_equal(ikew_counts(w).sas, 0);
	assert_int_equal(w->sends, 1);
	ikew_free(w);
}

/* HASH_R only for who has shown HASH_I: no guessing off line. */
static void aggressive_and_main_mode_show_no_hash_to_strangers(void **state)
{
	struct ike_client *c;
	struct forge_copy m;
	struct ikew *w = stopped(2, &c, &m);
	uint8_t out[CLIENT_PACKET_MAX];
	size_t len = forge_first(out, 9);
	int sends = w->sends;

	(void)state;
	/* Every byte of message 5 is under HASH_I or its header. */
	for (size_t i = 28; i + 16 < m.len; i++) {
		m.data[i] ^= 0x20;
		inject(w, c, m.data, m.len);
		ikew_run(w, 5);
		m.data[i] ^= 0x20;
	}
	out[18] = ISAKMP_EXCHANGE_AGGRESSIVE;
	inject(w, c, out, len);
	assert_int_equal(w->sends, sends);
	assert_int_equal(w->peer_count, 0);
	ikew_free(w);
}

/* SLOTH: Nr is fresh, also for the same message 3. */
static void sloth_each_exchange_has_its_own_nonce(void **state)
{
	uint8_t nr[2][32];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = native(w);

		assert_true(ikew_main(w, c));
		if (i)
			assert_true(ikew_main(w, c));
		memcpy(nr[i], c->cur->nr, 32);
		ikew_free(w);
	}
	assert_memory_not_equal(nr[0], nr[1], 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cve_2023_30570_an_error_shows_no_cookie),
	    cmocka_unit_test(cve_2022_23094_informational_without_an_sa),
	    cmocka_unit_test(
		unauthenticated_delete_and_invalid_cookie_do_nothing),
	    cmocka_unit_test(cve_2014_2338_nothing_of_phase_2_before_phase_1),
	    cmocka_unit_test(cve_2015_3240_key_exchange_values),
	    cmocka_unit_test(cve_2015_3240_key_exchange_lengths),
	    cmocka_unit_test(nonces_of_main_mode_have_8_to_256_bytes),
	    cmocka_unit_test(cve_2026_14957_certificates_are_not_read),
	    cmocka_unit_test(cve_2011_4073_answers_for_an_sa_that_is_gone),
	    cmocka_unit_test(cve_2008_3652_unfinished_ones_go),
	    cmocka_unit_test(cve_2024_2357_no_key_and_a_repeated_message),
	    cmocka_unit_test(
		aggressive_and_main_mode_show_no_hash_to_strangers),
	    cmocka_unit_test(sloth_each_exchange_has_its_own_nonce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
