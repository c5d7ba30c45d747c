/* SPDX-License-Identifier: ISC */
/* Slots of candidate keys: round trip, damage, whose ID may use one. */
#include "ikev1/core/candidate.h"
#include "ikev1/core/isakmp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct candidate sample(uint16_t entry)
{
	struct candidate c = {
	    .line = 70000u + entry,
	    .entry = entry,
	    .id_type = IPSEC_ID_FQDN,
	    .id_len = 10,
	    .skeyid_len = 32,
	};

	memcpy(c.id, "gw.example", 10);
	memset(c.skeyid, entry + 1, 32);
	return c;
}

static void slots_come_back(void **state)
{
	uint8_t buf[CANDIDATES_MAX * CANDIDATE_LEN];
	struct wire_writer w;
	struct wire_span all;

	(void)state;
	wire_writer_init(&w, buf, sizeof(buf));
	for (uint16_t i = 0; i < CANDIDATES_MAX; i++) {
		struct candidate c = sample(i);

		candidate_put(&w, &c);
	}
	assert_int_equal(wire_writer_error(&w), 0);
	all = wire_written(&w, 0);
	assert_int_equal(candidate_count(all), CANDIDATES_MAX);
	for (uint16_t i = 0; i < CANDIDATES_MAX; i++) {
		struct candidate want = sample(i), got;

		assert_int_equal(candidate_get(all, i, &got), 0);
		assert_int_equal(got.line, want.line);
		assert_int_equal(got.entry, i);
		assert_int_equal(got.id_type, want.id_type);
		assert_int_equal(got.id_len, 10);
		assert_memory_equal(got.id, want.id, sizeof(want.id));
		assert_int_equal(got.skeyid_len, 32);
		assert_memory_equal(
		    got.skeyid, want.skeyid, sizeof(want.skeyid));
	}
}

static void damage_is_refused(void **state)
{
	uint8_t buf[(CANDIDATES_MAX + 1) * CANDIDATE_LEN] = {0};
	struct candidate c = sample(1), got;
	struct wire_writer w;

	(void)state;
	wire_writer_init(&w, buf, sizeof(buf));
	candidate_put(&w, &c);
	for (size_t len = 0; len < CANDIDATE_LEN; len++) {
		struct wire_span cut = {buf, len};

		assert_int_equal(candidate_count(cut), 0);
		assert_int_equal(candidate_get(cut, 0, &got), -EBADMSG);
	}
	assert_int_equal(candidate_count(wire_span_of(buf, sizeof(buf))), 0);
	assert_int_equal(
	    candidate_get(wire_span_of(buf, CANDIDATE_LEN), 1, &got), -EBADMSG);
	for (int what = 0; what < 3; what++) {
		c = sample(1);
		if (what == 0)
			c.id_len = CANDIDATE_ID_MAX + 1;
		else
			c.skeyid_len = what == 1 ? 0 : IKE_KEY_MAX + 1;
		wire_writer_init(&w, buf, sizeof(buf));
		candidate_put(&w, &c);
		assert_int_equal(
		    candidate_get(wire_span_of(buf, CANDIDATE_LEN), 0, &got),
		    -EBADMSG);
	}
}

static void ids_compare(void **state)
{
	static const struct {
		uint8_t bound, type;
		const char *id, *given;
		bool is_right;
	} rows[] = {
	    {0, IPSEC_ID_FQDN, "", "anything", true},
	    {0, IPSEC_ID_KEY_ID, "", "", true},
	    {IPSEC_ID_FQDN, IPSEC_ID_FQDN, "gw.example", "gw.example", true},
	    {IPSEC_ID_FQDN, IPSEC_ID_FQDN, "gw.example", "GW.Example", true},
	    {IPSEC_ID_FQDN, IPSEC_ID_FQDN, "gw.example", "gw.exampl", false},
	    {IPSEC_ID_FQDN, IPSEC_ID_FQDN, "gw.example", "gw.examples", false},
	    {IPSEC_ID_FQDN, IPSEC_ID_FQDN, "gw.example", "gx.example", false},
	    {IPSEC_ID_FQDN, IPSEC_ID_KEY_ID, "gw.example", "gw.example", false},
	    {IPSEC_ID_USER_FQDN, IPSEC_ID_USER_FQDN, "A@b.c", "a@B.C", true},
	    {IPSEC_ID_USER_FQDN, IPSEC_ID_FQDN, "a@b.c", "a@b.c", false},
	    {IPSEC_ID_KEY_ID, IPSEC_ID_KEY_ID, "abc", "abc", true},
	    {IPSEC_ID_KEY_ID, IPSEC_ID_KEY_ID, "abc", "ABC", false},
	    {IPSEC_ID_IPV4, IPSEC_ID_IPV4, "AAAA", "AAAA", true},
	    {IPSEC_ID_IPV4, IPSEC_ID_IPV4, "AAAA", "aaaa", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct candidate c = {.id_type = rows[i].bound,
		    .id_len = (uint8_t)strlen(rows[i].id)};

		memcpy(c.id, rows[i].id, c.id_len);
		if (candidate_allows(&c, rows[i].type,
			wire_span_of(rows[i].given, strlen(rows[i].given))) !=
		    rows[i].is_right)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(slots_come_back),
	    cmocka_unit_test(damage_is_refused),
	    cmocka_unit_test(ids_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
