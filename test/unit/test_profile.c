/* SPDX-License-Identifier: ISC */
/* What each profile accepts, and which policy a peer gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/ike_priv.h"
#include "ikev1/core/profile.h"

#include <stdlib.h>
#include <string.h>

static void profiles_have_names(void **state)
{
	size_t n = 0;

	(void)state;
	for (; profile_at(n); n++)
		assert_ptr_equal(
		    profile_find(profile_at(n)->profile), profile_at(n));
	assert_int_equal(n, 3);
	assert_non_null(profile_find(PROFILE_DEFAULT));
	assert_null(profile_find(""));
	assert_null(profile_find("Modern"));
	assert_null(profile_at(SIZE_MAX));
}

struct row {
	struct ike_suite suite;
	/* For modern, compatible, legacy: 0, or the first word refused. */
	int want[3];
};

#define C PROPOSAL_WORD_CIPHER
#define H PROPOSAL_WORD_HASH
#define G PROPOSAL_WORD_GROUP

static void check_rows(enum sa_phase phase, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < 3; k++) {
			int got = (int)policy_refuses(
			    profile_at(k), phase, &rows[i].suite);
			char text[PROPOSAL_SUITE_MAX];

			if (got != rows[i].want[k])
				fail_msg("%s by %s: %d instead of %d",
				    proposal_suite_text(
					phase, &rows[i].suite, text),
				    profile_at(k)->profile, got,
				    rows[i].want[k]);
		}
}

static void profiles_in_phase_1(void **state)
{
	/* cipher, key bits, hash, group as the RFCs number them */
	static const struct row rows[] = {
	    {{7, 256, 4, 14}, {0, 0, 0}},
	    {{7, 192, 5, 15}, {0, 0, 0}},
	    {{7, 128, 6, 16}, {0, 0, 0}},
	    {{7, 128, 4, 19}, {0, 0, 0}},
	    {{7, 128, 4, 20}, {0, 0, 0}},
	    {{7, 128, 4, 21}, {0, 0, 0}},
	    {{7, 256, 2, 14}, {H, 0, 0}},
	    {{5, 192, 2, 14}, {C, 0, 0}},
	    {{5, 192, 4, 19}, {C, 0, 0}},
	    {{7, 256, 1, 14}, {H, H, 0}},
	    {{7, 256, 4, 5}, {G, G, 0}},
	    {{7, 256, 4, 2}, {G, G, 0}},
	    {{5, 192, 1, 2}, {C, H, 0}},
	    {{7, 256, 4, 1}, {G, G, G}},
	    {{7, 256, 4, 0}, {G, G, G}},
	    {{7, 256, 4, 17}, {G, G, G}},
	    {{7, 256, 4, 22}, {G, G, G}},
	    {{7, 256, 4, 51}, {G, G, G}},
	    {{7, 256, 3, 14}, {H, H, H}},
	    {{7, 256, 0, 14}, {H, H, H}},
	    {{7, 256, 34, 14}, {H, H, H}},
	    {{1, 64, 4, 14}, {C, C, C}},
	    {{7, 257, 4, 14}, {C, C, C}},
	    {{0, 0, 4, 14}, {C, C, C}},
	};

	(void)state;
	check_rows(SA_PHASE1, rows, sizeof(rows) / sizeof(rows[0]));
}

static void profiles_in_phase_2(void **state)
{
	static const struct row rows[] = {
	    {{20, 128, 0, 0}, {0, 0, 0}},
	    {{20, 192, 0, 0}, {0, 0, 0}},
	    {{20, 256, 0, 19}, {0, 0, 0}},
	    {{12, 256, 5, 0}, {0, 0, 0}},
	    {{12, 192, 6, 14}, {0, 0, 0}},
	    {{12, 128, 7, 21}, {0, 0, 0}},
	    {{12, 128, 2, 0}, {H, 0, 0}},
	    {{3, 192, 2, 0}, {C, 0, 0}},
	    {{12, 256, 5, 2}, {G, 0, 0}},
	    {{12, 256, 5, 5}, {G, 0, 0}},
	    {{12, 256, 5, 1}, {G, G, G}},
	    {{12, 256, 1, 0}, {H, H, 0}},
	    {{12, 256, 0, 0}, {H, H, H}},
	    {{12, 256, 9, 0}, {H, H, H}},
	    {{2, 64, 2, 0}, {C, C, C}},
	    {{11, 0, 2, 0}, {C, C, C}},
	    {{18, 128, 0, 0}, {C, C, C}},
	    {{23, 128, 0, 0}, {C, C, C}},
	};

	(void)state;
	check_rows(SA_PHASE2, rows, sizeof(rows) / sizeof(rows[0]));
}

/* A list stands in place of its phase's sets, and of these alone. */
static void lists_override(void **state)
{
	struct ike_policy p = *profile_find("modern");
	static const struct ike_suite des = {1, 64, 1, 2};
	static const struct ike_suite strong = {7, 256, 4, 14};
	static const struct ike_suite esp = {12, 256, 5, 0};

	(void)state;
	p.ike[0] = des;
	p.ike[1] = (struct ike_suite){7, 256, 2, 14};
	p.ike_count = 2;
	assert_int_equal(policy_refuses(&p, SA_PHASE1, &des), 0);
	assert_int_equal(policy_refuses(&p, SA_PHASE1, &strong), H);
	assert_int_equal(
	    policy_refuses(&p, SA_PHASE1, &(struct ike_suite){7, 256, 2, 19}),
	    G);
	assert_int_equal(
	    policy_refuses(&p, SA_PHASE1, &(struct ike_suite){7, 128, 2, 14}),
	    C);
	assert_int_equal(policy_refuses(&p, SA_PHASE2, &esp), 0);
	/* Group 0 in a list: what the policy has as PFS, or none. */
	p.esp[0] = (struct ike_suite){12, 128, 2, 0};
	p.esp[1] = (struct ike_suite){12, 256, 2, 14};
	p.esp_count = 2;
	assert_int_equal(policy_refuses(&p, SA_PHASE2, &esp), H);
	assert_int_equal(
	    policy_refuses(&p, SA_PHASE2, &(struct ike_suite){12, 128, 2, 0}),
	    0);
	assert_int_equal(
	    policy_refuses(&p, SA_PHASE2, &(struct ike_suite){12, 128, 2, 19}),
	    0);
	assert_int_equal(
	    policy_refuses(&p, SA_PHASE2, &(struct ike_suite){12, 128, 2, 2}),
	    G);
	assert_int_equal(
	    policy_refuses(&p, SA_PHASE2, &(struct ike_suite){12, 256, 2, 14}),
	    0);
	assert_int_equal(
	    policy_refuses(&p, SA_PHASE2, &(struct ike_suite){12, 256, 2, 0}),
	    G);
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text), 0);
	a.port = 4500;
	return a;
}

static void the_longest_prefix_wins(void **state)
{
	static const struct {
		const char *net;
		uint8_t bits;
	} nets[] = {{"198.51.100.0", 24}, {"198.51.100.128", 25},
	    {"198.51.0.0", 16}, {"198.51.100.7", 32}, {"2001:db8::", 32},
	    {"::", 0}};
	static const struct {
		const char *peer;
		int want; /* index of nets; -1: the default */
	} rows[] = {{"198.51.100.1", 0}, {"198.51.100.200", 1},
	    {"198.51.7.7", 2}, {"198.51.100.7", 3}, {"2001:db8::1", 4},
	    {"2001:db9::1", 5}, {"203.0.113.1", -1}};
	struct ike *ike = calloc(1, sizeof(*ike));

	(void)state;
	assert_non_null(ike);
	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		ike->cfg.peers[i].net = addr_of(nets[i].net);
		ike->cfg.peers[i].bits = nets[i].bits;
	}
	ike->cfg.peer_count = sizeof(nets) / sizeof(nets[0]);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr peer = addr_of(rows[i].peer);

		assert_ptr_equal(ike_policy_for(ike, &peer),
		    rows[i].want < 0 ? &ike->cfg.policy
				     : &ike->cfg.peers[rows[i].want].policy);
	}
	free(ike);
}

static void what_is_accepted_as_text(void **state)
{
	struct ike_policy p = *profile_find("modern");
	char out[300];
	struct text t = text_begin(out, sizeof(out));

	(void)state;
	policy_put(&t, &p, SA_PHASE1);
	assert_string_equal(out,
	    "aes256 aes192 aes128 with sha256 sha384 sha512 and ecp256 "
	    "modp2048 ecp384 modp3072 modp4096 ecp521");
	p.esp[0] = (struct ike_suite){12, 128, 2, 0};
	p.esp[1] = (struct ike_suite){12, 256, 2, 14};
	p.esp_count = 2;
	t = text_begin(out, sizeof(out));
	policy_put(&t, &p, SA_PHASE2);
	assert_string_equal(out, "aes128-sha1, aes256-sha1-modp2048");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(profiles_have_names),
	    cmocka_unit_test(profiles_in_phase_1),
	    cmocka_unit_test(profiles_in_phase_2),
	    cmocka_unit_test(lists_override),
	    cmocka_unit_test(the_longest_prefix_wins),
	    cmocka_unit_test(what_is_accepted_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
