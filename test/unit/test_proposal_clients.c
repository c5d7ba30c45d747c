/* SPDX-License-Identifier: ISC */
/*
 * What real clients offer, in their order, against each profile: the suite
 * that is chosen.  The lists are theirs; the choices were worked out by
 * hand from the ranking that sallyport.conf(5) documents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/profile.h"
#include "ikev1/core/proposal.h"

#include <errno.h>
#include <string.h>

struct row {
	const char *client;
	enum sa_phase phase;
	const char *offered;
	/* By modern, compatible, legacy; NULL: refused. */
	const char *want[3];
};

static const struct row rows[] = {
    {"Windows 10, 11", SA_PHASE1,
	"aes256-sha1-ecp384 aes128-sha1-ecp256 aes256-sha1-modp2048 "
	"3des-sha1-modp2048 3des-sha1-modp1024",
	{NULL, "aes128-sha1-ecp256", "aes128-sha1-ecp256"}},
    {"Windows 10, 11", SA_PHASE2, "aes256-sha1 aes128-sha1 3des-sha1",
	{NULL, "aes256-sha1", "aes256-sha1"}},
    {"Windows, encryption optional", SA_PHASE2,
	"aes256-sha1 aes128-sha1 3des-sha1 des-sha1",
	{NULL, "aes256-sha1", "aes256-sha1"}},
    {"Windows before 8", SA_PHASE2, "aes128-sha1 3des-sha1 des-sha1",
	{NULL, "aes128-sha1", "aes128-sha1"}},
    {"macOS, iOS", SA_PHASE1,
	"aes256-sha256-modp2048 aes256-sha1-modp2048 aes256-md5-modp2048 "
	"aes256-sha512-modp2048 aes256-sha256-modp1536 aes256-sha1-modp1536 "
	"aes256-md5-modp1536 aes256-sha256-modp1024 aes256-sha1-modp1024 "
	"aes256-md5-modp1024 aes128-sha1-modp1024 aes128-md5-modp1024 "
	"3des-sha1-modp1024 3des-md5-modp1024",
	{"aes256-sha256-modp2048", "aes256-sha256-modp2048",
	    "aes256-sha256-modp2048"}},
    {"macOS, iOS", SA_PHASE2,
	"aes256-sha256 aes256-sha1 aes256-md5 aes128-sha256 aes128-sha1 "
	"aes128-md5 3des-sha256 3des-sha1 3des-md5",
	{"aes256-sha256", "aes256-sha256", "aes256-sha256"}},
    {"iOS up to 9", SA_PHASE1, "aes256-sha1-modp1536 aes256-md5-modp1024",
	{NULL, NULL, "aes256-sha1-modp1536"}},
    {"iOS, older", SA_PHASE2,
	"aes256-sha1 aes256-md5 aes128-sha1 aes128-md5 3des-sha1 3des-md5",
	{NULL, "aes256-sha1", "aes256-sha1"}},
    {"Android 7", SA_PHASE1,
	"aes256-sha384-modp1024 aes256-sha256-modp1024 "
	"aes256-sha512-modp1024 aes256-sha1-modp1024 aes256-md5-modp1024 "
	"aes128-sha512-modp1024 aes128-sha384-modp1024 "
	"aes128-sha256-modp1024 aes128-sha1-modp1024 aes128-md5-modp1024 "
	"3des-sha256-modp1024 3des-sha1-modp1024 3des-md5-modp1024 "
	"des-sha256-modp1024 des-sha1-modp1024 des-md5-modp1024",
	{NULL, NULL, "aes256-sha384-modp1024"}},
    {"Android 4", SA_PHASE1,
	"3des-sha1-modp1024 3des-md5-modp1024 des-sha1-modp1024 "
	"des-md5-modp1024 aes128-sha1-modp1024 aes128-md5-modp1024",
	{NULL, NULL, "aes128-sha1-modp1024"}},
    /* SHA2-256 comes late: such a kernel cuts it to 96 bits. */
    {"Android 7", SA_PHASE2,
	"aes256-sha512 aes256-sha384 aes256-sha1 aes256-sha256 aes256-md5 "
	"aes128-sha512 aes128-sha384 aes128-sha1 aes128-sha256 aes128-md5 "
	"3des-sha512 3des-sha384 3des-sha1 3des-sha256 3des-md5 des-sha512 "
	"des-sha384 des-sha1 des-sha256 des-md5",
	{"aes256-sha512", "aes256-sha512", "aes256-sha512"}},
    {"ChromeOS", SA_PHASE1,
	"aes128-sha256-modp3072 aes128-sha1-modp2048 3des-sha1-modp1536 "
	"3des-sha1-modp1024",
	{"aes128-sha256-modp3072", "aes128-sha256-modp3072",
	    "aes128-sha256-modp3072"}},
    {"ChromeOS", SA_PHASE2,
	"aes128gcm16 aes128-sha256 aes128-sha1 3des-sha1 3des-md5",
	{"aes128gcm16", "aes128gcm16", "aes128gcm16"}},
    {"NetworkManager", SA_PHASE1,
	"aes256-sha256-modp2048 aes256-sha256-modp1536 "
	"aes256-sha256-modp1024 aes256-sha1-modp2048 aes256-sha1-modp1536 "
	"aes256-sha1-modp1024 aes256-sha1-ecp384 aes128-sha1-modp1024 "
	"aes128-sha1-ecp256 3des-sha1-modp2048 3des-sha1-modp1024",
	{"aes256-sha256-modp2048", "aes256-sha256-modp2048",
	    "aes256-sha256-modp2048"}},
    {"NetworkManager", SA_PHASE2, "aes256-sha1 aes128-sha1 3des-sha1",
	{NULL, "aes256-sha1", "aes256-sha1"}},
    {"RouterOS", SA_PHASE1,
	"aes128-sha1-modp2048 aes128-sha1-modp1024 3des-sha1-modp2048 "
	"3des-sha1-modp1024",
	{NULL, "aes128-sha1-modp2048", "aes128-sha1-modp2048"}},
    {"RouterOS, PFS", SA_PHASE2,
	"aes256-sha1-modp1024 aes192-sha1-modp1024 aes128-sha1-modp1024",
	{NULL, "aes256-sha1-modp1024", "aes256-sha1-modp1024"}},
    {"xl2tpd with strongSwan", SA_PHASE1, "aes128-sha1-modp2048",
	{NULL, "aes128-sha1-modp2048", "aes128-sha1-modp2048"}},
    {"xl2tpd with strongSwan", SA_PHASE2, "aes128-sha1",
	{NULL, "aes128-sha1", "aes128-sha1"}},
    {"TP-Link", SA_PHASE1, "3des-md5-modp1024 3des-sha1-modp1024",
	{NULL, NULL, "3des-sha1-modp1024"}},
    {"DES alone", SA_PHASE1, "des-md5-modp1024", {NULL, NULL, NULL}},
    {"DES alone", SA_PHASE2, "des-md5", {NULL, NULL, NULL}},
};

#define SUITES_MAX 24

static size_t parse(
    enum sa_phase phase, const char *text, struct ike_suite *out)
{
	char copy[700], *save = NULL;
	size_t n = 0;

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	for (char *word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		assert_true(n < SUITES_MAX);
		assert_int_equal(
		    proposal_suite_parse(phase, word, &out[n++], NULL), 0);
	}
	return n;
}

/* One proposal with all, or (Windows in phase 2) a proposal for each. */
static size_t encode(const struct row *row, bool is_many, uint8_t *body)
{
	struct ike_suite suites[SUITES_MAX];
	size_t count = parse(row->phase, row->offered, suites);
	struct sa_offer_spec spec = {.phase = row->phase,
	    .suites = suites,
	    .suite_count = is_many ? 1 : count,
	    .life_seconds = 3600,
	    .life_kilobytes = 250000,
	    .encap = IPSEC_ENCAP_TRANSPORT};
	struct wire_writer w;
	size_t at;

	if (row->phase == SA_PHASE2)
		spec.spi = wire_span_of("\xc0\xff\xee\x01", 4);
	wire_writer_init(&w, body, 4096);
	sa_encode_offer(&w, &spec);
	at = 8;
	for (size_t i = 1; is_many && i < count; i++) {
		uint8_t one[256];
		struct wire_writer w1;

		spec.suites = &suites[i];
		wire_writer_init(&w1, one, sizeof(one));
		sa_encode_offer(&w1, &spec);
		one[8 + 4] = (uint8_t)(i + 1); /* its number */
		wire_set_u8(&w, at, ISAKMP_PAYLOAD_PROPOSAL);
		at = w.pos;
		wire_put_bytes(&w, one + 8, w1.pos - 8);
	}
	assert_int_equal(wire_writer_error(&w), 0);
	return w.pos;
}

static void check(const struct row *row, size_t profile, bool is_many)
{
	struct proposal_policy policy = {.accept = profile_at(profile)};
	char report[PROPOSAL_REPORT_MAX], text[PROPOSAL_SUITE_MAX];
	static struct sa_offer offer;
	static uint8_t body[4096];
	struct proposal_choice choice;
	const char *want = row->want[profile], *got = NULL;
	const char *group = strstr(row->offered, "-modp1024");

	/* The only group that Quick Modes of this table have. */
	policy.ke_len = row->phase == SA_PHASE2 && group ? 128 : 0;
	assert_int_equal(
	    sa_decode(row->phase,
		wire_span_of(body, encode(row, is_many, body)), &offer, NULL),
	    0);
	assert_int_equal(offer.dropped, is_many ? offer.dropped : 0);
	if (!proposal_choose(&offer, &policy, &choice, report)) {
		got = proposal_suite_text(row->phase, &choice.suite, text);
		assert_int_equal(choice.life_seconds, 3600);
		assert_int_equal(choice.life_kilobytes, 250000);
	}
	if (!want != !got || (want && strcmp(want, got)))
		fail_msg("%s, phase %d, %s: %s instead of %s (%s)", row->client,
		    (int)row->phase, policy.accept->profile, got ? got : "none",
		    want ? want : "none", got ? "" : report);
	if (got)
		return;
	/* The remedy names the profile that this table says. */
	for (size_t k = 0; k < 3; k++)
		if (row->want[k]) {
			assert_non_null(strstr(report, " would allow "));
			assert_non_null(strstr(report, profile_at(k)->profile));
			assert_non_null(strstr(report, row->want[k]));
			return;
		}
	assert_non_null(strstr(report, "No profile would allow"));
}

static void each_client_gets_its_suite(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < 3; k++)
			check(&rows[i], k, false);
}

/* The same as proposals of one transform each: nothing changes. */
static void many_proposals_are_as_good_as_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < 3 && rows[i].phase == SA_PHASE2; k++)
			if (strlen(rows[i].offered) < 100)
				check(&rows[i], k, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_client_gets_its_suite),
	    cmocka_unit_test(many_proposals_are_as_good_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
