/* SPDX-License-Identifier: ISC */
/* Which of several keys made a message 5? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/trial.h"
#include "test/lib/trial_msg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct ike_suite aes = {
    .cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = IKE_HASH_SHA1};

static struct crypto crypto;

static int set_up(void **state)
{
	(void)state;
	return crypto_init(&crypto);
}

static int tear_down(void **state)
{
	(void)state;
	crypto_done(&crypto);
	return 0;
}

static struct wire_span text(const char *s)
{
	return (struct wire_span){(const uint8_t *)s, strlen(s)};
}

static const char *const names[CANDIDATES_MAX] = {
    "key 0", "key 1", "key 2", "key 3", "key 4", "key 5", "key 6", "key 7"};

static void fill(struct trial_key *keys)
{
	for (size_t i = 0; i < CANDIDATES_MAX; i++)
		keys[i] = (struct trial_key){.secret = text(names[i]),
		    .is_real = true,
		    .who = {.line = (uint32_t)i + 1, .entry = (uint16_t)i}};
}

static void bind_to(struct trial_key *k, const char *fqdn)
{
	k->who.id_type = IPSEC_ID_FQDN;
	k->who.id_len = (uint8_t)strlen(fqdn);
	memcpy(k->who.id, fqdn, strlen(fqdn));
}

/* In every suite, whichever it is. */
static void the_key_that_fits_is_found(void **state)
{
	static const struct ike_suite suites[] = {
	    {.cipher = IKE_CIPHER_AES, .key_bits = 128, .hash = 1},
	    {.cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = 2},
	    {.cipher = IKE_CIPHER_AES, .key_bits = 192, .hash = 4},
	    {.cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = 5},
	    {.cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = 6},
	    {.cipher = IKE_CIPHER_3DES, .hash = 2},
	};

	(void)state;
	for (size_t s = 0; s < sizeof(suites) / sizeof(suites[0]); s++) {
		for (int i = 0; i < CANDIDATES_MAX; i++) {
			struct trial_key keys[CANDIDATES_MAX];
			uint8_t skeyid[IKE_KEY_MAX];
			struct trial_msg m;
			int len;

			trial_msg_init(&m, &crypto, &suites[s]);
			trial_msg_usual(&m, names[i], IPSEC_ID_FQDN, "gw");
			fill(keys);
			assert_int_equal(
			    trial_find(&crypto, &m.t, keys, CANDIDATES_MAX), i);
			len = keymat_psk_skeyid(&crypto, suites[s].hash,
			    text(names[i]), m.t.ni, m.t.nr, skeyid);
			assert_int_equal(keys[i].who.skeyid_len, len);
			assert_memory_equal(
			    keys[i].who.skeyid, skeyid, (size_t)len);
			assert_int_equal(keys[i].who.line, i + 1);
			/* Of fewer it is none. */
			assert_int_equal(
			    trial_find(&crypto, &m.t, keys, (size_t)i),
			    -ENOENT);
		}
	}
}

static void of_equal_keys_the_id_decides(void **state)
{
	static const struct {
		const char *bound[4]; /* "" : every ID; NULL: another key */
		uint8_t type;
		int found;
	} rows[] = {
	    {{"a", "gw", "", NULL}, IPSEC_ID_FQDN, 1},
	    {{"a", "GW", "gw", ""}, IPSEC_ID_FQDN, 1},
	    {{"a", "b", "", "gw"}, IPSEC_ID_FQDN, 2},
	    {{NULL, "b", "a", NULL}, IPSEC_ID_FQDN, 1}, /* refused by name */
	    {{NULL, NULL, "a", NULL}, IPSEC_ID_FQDN, 2},
	    {{NULL, NULL, NULL, NULL}, IPSEC_ID_FQDN, -ENOENT},
	    {{NULL, "gw", "a", ""}, IPSEC_ID_USER_FQDN, 3},
	    {{"gw", "g", "gww", NULL}, IPSEC_ID_FQDN, 0},
	    {{"g", "gww", "gw", NULL}, IPSEC_ID_FQDN, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial_key keys[CANDIDATES_MAX];
		struct trial_msg m;
		int found;

		trial_msg_init(&m, &crypto, &aes);
		trial_msg_usual(&m, "the key", rows[i].type, "gw");
		fill(keys);
		for (size_t k = 0; k < 4; k++) {
			if (rows[i].bound[k])
				keys[k].secret = text("the key");
			if (rows[i].bound[k] && rows[i].bound[k][0])
				bind_to(&keys[k], rows[i].bound[k]);
		}
		found = trial_find(&crypto, &m.t, keys, 4);
		if (found != rows[i].found)
			fail_msg("row %zu: %d", i, found);
	}
}

static void nobodys_key_opens_nothing(void **state)
{
	struct trial_key keys[CANDIDATES_MAX];
	struct trial_msg m;

	(void)state;
	trial_msg_init(&m, &crypto, &aes);
	trial_msg_usual(&m, names[3], IPSEC_ID_FQDN, "gw");
	fill(keys);
	keys[3].is_real = false;
	assert_int_equal(
	    trial_find(&crypto, &m.t, keys, CANDIDATES_MAX), -ENOENT);
}

/*
 * The first key fits; nobody may learn that from how long it takes.  The
 * last one can't be used: who stops at the first that fits does not see it.
 */
static void every_key_is_tried(void **state)
{
	struct trial_key keys[CANDIDATES_MAX];
	struct trial_msg m;

	(void)state;
	trial_msg_init(&m, &crypto, &aes);
	trial_msg_usual(&m, names[0], IPSEC_ID_FQDN, "gw");
	fill(keys);
	assert_int_equal(trial_find(&crypto, &m.t, keys, CANDIDATES_MAX), 0);
	keys[CANDIDATES_MAX - 1].secret.len = 0;
	assert_int_equal(
	    trial_find(&crypto, &m.t, keys, CANDIDATES_MAX), -EINVAL);
	/* Nor does one that is wrong, or nobody's, keep the rest from it. */
	keys[0].is_real = false;
	assert_int_equal(
	    trial_find(&crypto, &m.t, keys, CANDIDATES_MAX), -EINVAL);
}

/* The chain as bytes; the HASH is filled in where it stands. */
static int seal_and_find(const uint8_t *plain, size_t len, bool hash)
{
	struct trial_key keys[CANDIDATES_MAX];
	struct trial_msg m;

	trial_msg_init(&m, &crypto, &aes);
	if (!trial_msg_seal(
		&m, text(names[2]), (struct wire_span){plain, len}, hash))
		return -ENOSPC;
	fill(keys);
	return trial_find(&crypto, &m.t, keys, CANDIDATES_MAX);
}

#define ID_GW 8, 0, 0, 10, 2, 0, 0, 0, 'g', 'w'
#define HASH_0 0, 0, 0, 24
#define ZERO20 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

static void chains_are_read_as_far_as_needed(void **state)
{
	static const struct {
		const char *what;
		uint8_t plain[64];
		size_t len;
		bool fits;
	} rows[] = {
	    {"the least", {ID_GW, HASH_0, ZERO20}, 34, true},
	    {"padding is no payload", {ID_GW, HASH_0, ZERO20, 9, 9, 9}, 37,
		true},
	    {"something between",
		{13, 0, 0, 10, 2, 0, 0, 0, 'g', 'w', 8, 0, 0, 6, 1, 2, HASH_0,
		    ZERO20},
		40, true},
	    {"an empty one between",
		{13, 0, 0, 10, 2, 0, 0, 0, 'g', 'w', 8, 0, 0, 4, HASH_0,
		    ZERO20},
		38, true},
	    {"no HASH", {0, 0, 0, 10, 2, 0, 0, 0, 'g', 'w'}, 10, false},
	    {"a HASH that is said only", {ID_GW}, 10, false},
	    {"a short HASH", {ID_GW, 0, 0, 0, 23, ZERO20}, 33, false},
	    {"a long HASH", {ID_GW, 0, 0, 0, 25, ZERO20, 0}, 35, false},
	    {"an empty HASH", {ID_GW, 0, 0, 0, 4}, 14, false},
	    {"a length below the header", {8, 0, 0, 3, HASH_0, ZERO20}, 28,
		false},
	    {"a length of 0", {8, 0, 0, 0, HASH_0, ZERO20}, 28, false},
	    {"beyond the end", {8, 0, 2, 0, HASH_0, ZERO20}, 28, false},
	    {"64 KB", {8, 0, 255, 255, HASH_0, ZERO20}, 28, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int found = seal_and_find(rows[i].plain, rows[i].len, true);

		if (found != (rows[i].fits ? 2 : -ENOENT))
			fail_msg("%s: %d", rows[i].what, found);
		/* Zeros are no HASH. */
		assert_int_equal(
		    seal_and_find(rows[i].plain, rows[i].len, false), -ENOENT);
	}
}

/* An ID without room for its own header is nobody's, not everybody's. */
static void an_id_that_is_too_short_fits_no_bound_key(void **state)
{
	static const uint8_t plain[] = {8, 0, 0, 7, 2, 0, 0, HASH_0, ZERO20};
	struct trial_key keys[2];
	struct trial_msg m;

	(void)state;
	trial_msg_init(&m, &crypto, &aes);
	assert_true(trial_msg_seal(
	    &m, text("x"), (struct wire_span){plain, sizeof(plain)}, true));
	for (int i = 0; i < 2; i++)
		keys[i] =
		    (struct trial_key){.secret = text("x"), .is_real = true};
	bind_to(&keys[0], "");
	/* It fits, as far as it goes: the engine says what is wrong. */
	assert_int_equal(trial_find(&crypto, &m.t, keys, 2), 0);
	bind_to(&keys[1], "gw");
	assert_int_equal(trial_find(&crypto, &m.t, keys, 2), 0);
}

/* Whatever of message and values is wrong by a bit: no key fits. */
static void every_bit_counts(void **state)
{
	struct trial_msg m;
	uint8_t *const parts[] = {m.ni, m.nr, m.gxy, m.gxi, m.gxr, m.sai,
	    m.t.cky_i, m.t.cky_r, m.five, m.five + 16, m.five + 40};

	(void)state;
	trial_msg_init(&m, &crypto, &aes);
	trial_msg_usual(&m, names[5], IPSEC_ID_FQDN, "gw");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct trial_key keys[CANDIDATES_MAX];

			fill(keys);
			*parts[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(
			    trial_find(&crypto, &m.t, keys, CANDIDATES_MAX),
			    -ENOENT);
			*parts[i] ^= (uint8_t)(1 << bit);
			assert_int_equal(
			    trial_find(&crypto, &m.t, keys, CANDIDATES_MAX), 5);
		}
	}
	/* Every length but its own. */
	for (size_t len = 16; len < m.t.five.len; len += 16) {
		struct trial_key keys[CANDIDATES_MAX];
		struct ike_trial t = m.t;

		fill(keys);
		t.five.len = len;
		assert_int_equal(trial_find(&crypto, &t, keys, CANDIDATES_MAX),
		    len < 48 ? -ENOENT : 5);
	}
}

static void what_is_impossible_is_refused(void **state)
{
	static const struct ike_suite odd[] = {
	    {.cipher = 99, .key_bits = 256, .hash = 2},
	    {.cipher = IKE_CIPHER_AES, .key_bits = 100, .hash = 2},
	    {.cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = 99},
	};
	struct trial_key keys[CANDIDATES_MAX];
	struct trial_msg m;
	struct ike_trial t;
	uint8_t more[IKE_TRIAL_FIVE_MAX + 16] = {0};

	(void)state;
	trial_msg_init(&m, &crypto, &aes);
	trial_msg_usual(&m, names[0], IPSEC_ID_FQDN, "gw");
	fill(keys);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		t = m.t;
		t.suite = odd[i];
		assert_int_equal(
		    trial_find(&crypto, &t, keys, CANDIDATES_MAX), -ENOTSUP);
	}
	t = m.t;
	t.five.len = 0;
	assert_int_equal(trial_find(&crypto, &t, keys, 8), -EINVAL);
	t.five.len = 17;
	assert_int_equal(trial_find(&crypto, &t, keys, 8), -EINVAL);
	t.five = (struct wire_span){more, sizeof(more)};
	assert_int_equal(trial_find(&crypto, &t, keys, 8), -EINVAL);
	t.five.len = IKE_TRIAL_FIVE_MAX;
	assert_int_equal(trial_find(&crypto, &t, keys, 8), -ENOENT);
	t = m.t;
	t.ni.len = 0;
	assert_int_equal(trial_find(&crypto, &t, keys, 8), -EINVAL);
	t = m.t;
	t.gxy.len = 0;
	assert_int_equal(trial_find(&crypto, &t, keys, 8), -EINVAL);
	assert_int_equal(trial_find(&crypto, &m.t, keys, 0), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_key_that_fits_is_found),
	    cmocka_unit_test(of_equal_keys_the_id_decides),
	    cmocka_unit_test(nobodys_key_opens_nothing),
	    cmocka_unit_test(every_key_is_tried),
	    cmocka_unit_test(chains_are_read_as_far_as_needed),
	    cmocka_unit_test(an_id_that_is_too_short_fits_no_bound_key),
	    cmocka_unit_test(every_bit_counts),
	    cmocka_unit_test(what_is_impossible_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
