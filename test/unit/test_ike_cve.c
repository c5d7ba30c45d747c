/* SPDX-License-Identifier: ISC */
/*
 * What went wrong elsewhere, before anybody was authenticated, with messages
 * that were wrong in themselves: one test for each.  test_ike_cve_state.c
 * has right ones at the wrong time, test_ike_cve_auth.c what an
 * authenticated client can send.
 *
 * Not our concern, because the code does not exist here:
 *	CVE-2026-50721, CVE-2018-15836	RSA signatures: only PSK is taken
 *	CVE-2013-2052, -2053, -2054	DNS: nothing a peer says is resolved
 *	CVE-2010-3302, -3308, -3752, -3753, CVE-2013-5018, CVE-2013-6466,
 *	CVE-2016-5361, CVE-2021-45079, CVE-2015-8023, CVE-2025-62291	XAuth,
 *		Mode Config, EAP, IKEv2, and being a client of them
 *	CVE-2009-2185			ASN.1: never parsed, only printed
 *	CVE-2026-35333			RADIUS
 *	CVE-2026-43284 and the kernel's	what ikev1d does without ESP:
 *					test/system
 *	CVE-2008-3651, CVE-2009-1632, racoon 42c06c2, f668d9c
 *					memory that leaks: every test, under
 *					the sanitizers
 *	racoon #41, CVE-2005-0398	Mode Config; racoon's own lists
 *	racoon 3210e31			structures are never sent as they are
 *	CVE-2004-0155, CVE-2004-0403, CVE-2004-0607	certificates
 *	iked errata			IKEv2
 *	strongSwan a7172ddaff		a client of isakmpd's habits: see the
 *					test of that name
 *	L2TP daemons and pppd		test_l2tp_cve, which says where
 *	section 1.9			the kernel: test/system under QEMU
 *	of section 1.10: RADIUS, PPP, MSCHAPv2, the rules against clear
 *	text, leaks at expiry, port shadowing
 *					the tests of l2tpd, aaad, nft;
 *test/system
 *
 * Has its test elsewhere:
 *	strongSwan d8f0d9c284 (NAT-OA)	test_ike_quick
 *	strongSwan a889cfe5e1 (Windows' private address as IDci)
 *					test_ike_quick: every client behind NAT
 *	strongSwan cdf75a39e3 (message 5 again)	test_ike_main
 *	strongSwan 9de3140dbf (DPD sequence)	test_ike_info
 *	strongSwan 3b742c75ab (old pairs)	test_ike_rekey
 *	floods, reflection, amplification	test_ike_attack, test_mm1
 *	CVE-2016-10396, CVE-2009-1574, CVE-2013-6076, racoon #40 (fragments)
 *					test_ike_cve_frag
 *	CVE-2013-6075 (IDs in message 5), every key tried, ports, IVs
 *					test_ike_guard, test_ike_main
 *	CVE-2006-4436 (replay window)	test_xfrm
 *	NAT-T port hijack		test_ike_peer, test_ike_guard
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/ike_cve.h"

#include <string.h>

/* One attribute (type and value, or a V form) in place of the others. */
struct attribute {
	uint16_t type, value;
};

/* An SA payload with one transform of these attributes. */
static size_t sa_of(uint8_t *out, const struct attribute *a, size_t count)
{
	size_t attrs = 4 * count;
	uint8_t head[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
	    (uint8_t)(16 + attrs), 1, 1, 0, 1, 0, 0, 0, (uint8_t)(8 + attrs), 1,
	    1, 0, 0};
	struct wire_writer w;

	wire_writer_init(&w, out, 1024);
	wire_put_bytes(&w, head, sizeof(head));
	for (size_t i = 0; i < count; i++) {
		wire_put_u16(&w, a[i].type | 0x8000);
		wire_put_u16(&w, a[i].value);
	}
	return w.pos;
}

/* Cipher, hash, method, group, key length, life type and duration. */
static const struct attribute good[] = {
    {1, 7}, {2, 2}, {3, 1}, {4, 19}, {14, 256}, {11, 1}, {12, 28800}};
#define GOOD (sizeof(good) / sizeof(good[0]))

static bool is_taken(struct ikew *w, const struct ike_client *c,
    const struct attribute *a, size_t count)
{
	size_t before = ikew_counts(w).first;
	uint8_t sa[1024];

	inject_sa(w, c, sa, sa_of(sa, a, count));
	return ikew_counts(w).first > before;
}

/* 65,536 values of one attribute; only one of them is taken. */
static void only_value(size_t index, uint16_t value)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct attribute a[GOOD];
	int taken = 0;

	w->filter = forge_copy; /* replies go nowhere */
	w->filter_ctx = &(struct forge_copy){
	    .from_server = true, .stop = true, .len = 0, .exchange = 0};
	for (uint32_t v = 0; v < 65536; v++) {
		((struct forge_copy *)w->filter_ctx)->len = 0;
		memcpy(a, good, sizeof(a));
		a[index].value = (uint16_t)v;
		if (!is_taken(w, c, a, GOOD))
			continue;
		taken++;
		assert_true(v == value);
	}
	assert_int_equal(taken, 1);
	ikew_free(w);
}

static void cve_2018_0131_no_method_but_psk(void **state)
{
	(void)state;
	only_value(2, IKE_AUTH_PSK);
}

static void cve_2014_9221_private_group_numbers_reach_no_table(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct attribute a[GOOD];

	(void)state;
	memcpy(a, good, sizeof(a));
	for (uint32_t v = 0; v < 65536; v += v < 64 || v > 65500 ? 1 : 97) {
		uint8_t sa[1024];

		a[3].value = (uint16_t)(v == 1024 ? 1025 : v);
		w->last_out_len = 0;
		inject_sa(w, c, sa, sa_of(sa, a, GOOD));
		/* 14 and 19 are configured, though 14 with other ciphers. */
		assert_int_equal(
		    w->last_out_len > 28 && w->last_out[18] == 2, v == 19);
		memset(w->queue, 0, sizeof(w->queue));
	}
	ikew_free(w);
}

static void cve_2011_3380_key_lengths(void **state)
{
	static const uint16_t bad[] = {
	    0, 1, 7, 8, 64, 120, 127, 129, 255, 257, 512, 32768, 65535};
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct attribute a[GOOD + 1];
	uint8_t sa[1024];
	size_t len;

	(void)state;
	memcpy(a, good, sizeof(good));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a[4].value = bad[i];
		assert_false(is_taken(w, c, a, GOOD));
	}
	a[4] = (struct attribute){12, 28800}; /* missing */
	assert_false(is_taken(w, c, a, GOOD));
	memcpy(a, good, sizeof(good)); /* twice, and not the same */
	a[GOOD] = (struct attribute){14, 128};
	assert_false(is_taken(w, c, a, GOOD + 1));
	a[4].value = 128; /* the last one would do */
	a[GOOD].value = 256;
	assert_false(is_taken(w, c, a, GOOD + 1));
	/* In V form, with every length that its header can claim. */
	len = sa_of(sa, good, GOOD);
	sa[24 + 16] &= 0x7f;
	for (uint32_t claim = 0; claim < 65536; claim += claim < 64 ? 1 : 251) {
		size_t before = ikew_counts(w).first;

		sa[24 + 18] = (uint8_t)(claim >> 8);
		sa[24 + 19] = (uint8_t)claim;
		inject_sa(w, c, sa, len);
		assert_int_equal(ikew_counts(w).first, before);
		memset(w->queue, 0, sizeof(w->queue));
	}
	ikew_free(w);
}

static void cve_2015_4047_gssapi_attributes(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct attribute a[GOOD + 1];

	(void)state;
	memcpy(a, good, sizeof(good));
	assert_true(is_taken(w, c, a, GOOD));
	a[GOOD] = (struct attribute){16384, 4};
	for (int i = 0; i < 3; i++)
		assert_false(is_taken(w, c, a, GOOD + 1));
	ikew_free(w);
}

/* Racoon #37: a transform whose attribute runs past its end. */
static void racoon_37_attributes_stay_in_their_transform(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[1024];
	size_t len = sa_of(sa, good, GOOD);

	(void)state;
	for (size_t at = 8; at < len; at++) {
		uint8_t old = sa[at];

		for (int v = 0; v < 256; v += 5) {
			sa[at] = (uint8_t)v;
			inject_sa(w, c, sa, len);
			memset(w->queue, 0, sizeof(w->queue));
		}
		sa[at] = old;
	}
	for (size_t cut = 0; cut < len; cut++) {
		size_t before = ikew_counts(w).first;

		inject_sa(w, c, sa, cut);
		assert_int_equal(ikew_counts(w).first, before);
		memset(w->queue, 0, sizeof(w->queue));
	}
	assert_int_equal(ikew_counts(w).sas, 0);
	/* The last one, in V form: whatever length it claims, none is here. */
	sa[len - 4] &= 0x7f;
	for (uint32_t claim = 0; claim < 65536; claim += claim < 64 ? 1 : 251) {
		sa[len - 2] = (uint8_t)(claim >> 8);
		sa[len - 1] = (uint8_t)claim;
		w->last_out_len = 0;
		inject_sa(w, c, sa, len);
		assert_true(!w->last_out_len || w->last_out[18] == 5);
		memset(w->queue, 0, sizeof(w->queue));
	}
	ikew_free(w);
}

/* Racoon #38, #39; Windows sends FRAGMENTATION without the ability word. */
static void racoon_39_vendor_ids_of_every_length(void **state)
{
	static const uint8_t frag[] = {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8,
	    0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3, 0x80, 0, 0, 0,
	    0, 0, 0, 0};
	static const uint8_t ms[] = {0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c,
	    0x7d, 0x7c, 0x96, 0xfc, 0xbf, 0xb5, 0x87, 0xe4, 0x61, 0, 0, 0, 9, 0,
	    0, 0, 0};
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[256], m[CLIENT_PACKET_MAX], cookie[8] = {1};

	(void)state;
	for (size_t len = 0; len <= sizeof(frag); len++) {
		struct forge_item items[] = {
		    {ISAKMP_PAYLOAD_SA, sa, forge_sa(sa, "aes256-sha1-ecp256")},
		    {ISAKMP_PAYLOAD_VID, frag, len},
		    {ISAKMP_PAYLOAD_VID, ms, len},
		};

		cookie[0]++;
		w->last_out_len = 0;
		inject(w, c, m, forge_message(m, 2, cookie, NULL, items, 3));
		assert_true(w->last_out_len > 28 && w->last_out[18] == 2);
		/* It is known, and answered, with its length only. */
		assert_int_equal(
		    memmem(w->last_out, w->last_out_len, frag, 16) != NULL,
		    len >= 16 && len <= 20);
	}
	ikew_free(w);
}

static void cve_2013_4564_short_datagrams_and_versions(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_state before;
	uint8_t m[CLIENT_PACKET_MAX];
	size_t len = forge_first(m, 5);

	(void)state;
	forge_remember(w, &before);
	for (size_t n = 0; n <= 28; n++)
		inject(w, c, m, n);
	for (unsigned int v = 0; v < 256; v++) {
		if (v == 0x10)
			continue;
		m[17] = (uint8_t)v;
		inject(w, c, m, len);
	}
	m[17] = 0x10;
	/* A length that is not the datagram's, also by one byte. */
	for (size_t n = 0; n < 70000; n += n < 300 ? 1 : 977) {
		if (n == len)
			continue;
		forge_length(m, n);
		inject(w, c, m, len);
	}
	assert_true(forge_unchanged(w, &before));
	assert_int_equal(w->sends, 0);
	forge_length(m, len);
	inject(w, c, m, len);
	assert_int_equal(w->sends, 1);
	ikew_free(w);
}

static void cve_2026_12413_any_number_of_payloads(void **state)
{
	static const size_t counts[] = {
	    2, 29, 30, 31, 32, 33, 34, 63, 64, 65, 255, 256, 300};
	static struct forge_item items[300];
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[256], m[CLIENT_PACKET_MAX], cookie[8] = {1};
	size_t sa_len = forge_sa(sa, "aes256-sha1-ecp256");

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int sends = w->sends;

		items[0] = (struct forge_item){ISAKMP_PAYLOAD_SA, sa, sa_len};
		for (size_t k = 1; k < counts[i]; k++)
			items[k] =
			    (struct forge_item){ISAKMP_PAYLOAD_VID, sa, 1};
		cookie[0]++;
		inject(w, c, m,
		    forge_message(m, 2, cookie, NULL, items, counts[i]));
		assert_int_equal(w->sends > sends, counts[i] <= 32);
	}
	ikew_free(w);
}

/* CVE-2004-0218 to -0222: chains that do not move on. */
static void cve_2004_0218_payloads_of_length_0(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t m[CLIENT_PACKET_MAX];
	size_t len = forge_first(m, 5);
	struct forge_state before;

	(void)state;
	forge_remember(w, &before);
	for (unsigned int payload = 0; payload < 4; payload++) {
		m[28 + 2] = 0;
		m[28 + 3] = (uint8_t)payload;
		for (unsigned int next = 0; next < 256; next++) {
			m[28] = (uint8_t)next;
			inject(w, c, m, len);
		}
	}
	/* The last payload too: DPD's vendor id. */
	len = forge_first(m, 5);
	for (unsigned int payload = 0; payload < 4; payload++) {
		m[len - 17] = (uint8_t)payload;
		inject(w, c, m, len);
	}
	assert_true(forge_unchanged(w, &before));
	assert_int_equal(w->sends, 0);
	ikew_free(w);
}

/* Also CVE-2015-3991: IKEv2's payload types 33 to 53 in IKEv1. */
static void cve_2015_3204_payload_types_that_do_not_belong(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[256], m[CLIENT_PACKET_MAX], cookie[8] = {1};
	size_t sa_len = forge_sa(sa, "aes256-sha1-ecp256");

	(void)state;
	for (unsigned int type = 1; type < 128; type++) {
		struct forge_item items[] = {
		    {ISAKMP_PAYLOAD_SA, sa, sa_len},
		    {(uint8_t)type, sa, 12},
		};
		int sends = w->sends;

		if (type == ISAKMP_PAYLOAD_VID || type == ISAKMP_PAYLOAD_NOTIFY)
			continue;
		cookie[0]++;
		inject(w, c, m, forge_message(m, 2, cookie, NULL, items, 2));
		assert_int_equal(w->sends, sends);
	}
	assert_int_equal(ikew_counts(w).first, 0);
	ikew_free(w);
}

static void cve_2015_3204_doi_and_situation_bits(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[256];
	size_t len = forge_sa(sa, "aes256-sha1-ecp256");

	(void)state;
	for (int bit = 0; bit < 64; bit++) {
		sa[bit / 8] ^= (uint8_t)(1 << bit % 8);
		inject_sa(w, c, sa, len);
		sa[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(ikew_counts(w).first, 0);
		/* An error, if any, goes with a zero CKY-R. */
		assert_true(!w->last_out_len || w->last_out[18] == 5);
		memset(w->queue, 0, sizeof(w->queue));
	}
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cve_2018_0131_no_method_but_psk),
	    cmocka_unit_test(
		cve_2014_9221_private_group_numbers_reach_no_table),
	    cmocka_unit_test(cve_2011_3380_key_lengths),
	    cmocka_unit_test(cve_2015_4047_gssapi_attributes),
	    cmocka_unit_test(racoon_37_attributes_stay_in_their_transform),
	    cmocka_unit_test(racoon_39_vendor_ids_of_every_length),
	    cmocka_unit_test(cve_2013_4564_short_datagrams_and_versions),
	    cmocka_unit_test(cve_2026_12413_any_number_of_payloads),
	    cmocka_unit_test(cve_2004_0218_payloads_of_length_0),
	    cmocka_unit_test(cve_2015_3204_payload_types_that_do_not_belong),
	    cmocka_unit_test(cve_2015_3204_doi_and_situation_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
