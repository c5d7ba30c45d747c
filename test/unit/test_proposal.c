/* SPDX-License-Identifier: ISC */
/* Choice among offers, reports on refused ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/profile.h"
#include "ikev1/core/proposal.h"
#include "test/lib/hex.h"

#include <errno.h>
#include <string.h>

#define SUITES_MAX 8

/* A list of suites as the configuration writes it. */
struct suites {
	struct ike_suite suite[SUITES_MAX];
	size_t count;
};

static struct suites parse(enum sa_phase phase, const char *text)
{
	struct suites s = {.count = 0};
	char copy[256], *save = NULL;

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	for (char *word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		char reason[ISAKMP_REASON_MAX];

		assert_true(s.count < SUITES_MAX);
		assert_int_equal(proposal_suite_parse(
				     phase, word, &s.suite[s.count], reason),
		    0);
		s.count++;
	}
	return s;
}

/* A policy with this list in one phase; any strong group as PFS. */
static struct ike_policy listing(enum sa_phase phase, const char *text)
{
	struct suites s = parse(phase, text);
	struct ike_policy p = {
	    .pfs_groups = profile_find("modern")->pfs_groups};

	memcpy(p.ike, s.suite, sizeof(s.suite));
	memcpy(p.esp, s.suite, sizeof(s.suite));
	p.ike_count = p.esp_count = s.count;
	return p;
}

/* An offer made by our own encoder and read back. */
struct offered {
	struct sa_offer offer;
	uint8_t body[1024];
};

static void offer_suites(struct offered *o, enum sa_phase phase,
    const struct suites *s, uint16_t encap)
{
	struct sa_offer_spec spec = {.phase = phase,
	    .suites = s->suite,
	    .suite_count = s->count,
	    .life_seconds = 3600,
	    .encap = encap};
	struct wire_writer w;

	if (phase == SA_PHASE2)
		spec.spi = wire_span_of("\xc0\xff\xee\x01", 4);
	wire_writer_init(&w, o->body, sizeof(o->body));
	sa_encode_offer(&w, &spec);
	assert_int_equal(wire_writer_error(&w), 0);
	assert_int_equal(
	    sa_decode(phase, wire_span_of(o->body, w.pos), &o->offer, NULL), 0);
}

/* The nearest transform and its fault come first in a report. */
static void assert_nearest(const char *report, const char *want)
{
	size_t len = strlen(want);

	if (strncmp(report, want, len) || strncmp(report + len, ". ", 2))
		fail_msg("\"%s\" does not start with \"%s\"", report, want);
}

/* Which of the offered transforms is taken: its index, or -ENOENT. */
static int choose1(const char *offered, const char *configured, char *report)
{
	struct ike_policy mine = listing(SA_PHASE1, configured);
	struct suites theirs = parse(SA_PHASE1, offered);
	struct proposal_policy policy = {.accept = &mine};
	struct proposal_choice choice;
	static struct offered o;
	char text[PROPOSAL_SUITE_MAX], want[PROPOSAL_SUITE_MAX];
	int err;

	offer_suites(&o, SA_PHASE1, &theirs, 0);
	err = proposal_choose(&o.offer, &policy, &choice, report);
	if (err)
		return err;
	assert_int_equal(choice.protocol, 0);
	assert_int_equal(choice.life_seconds, 3600);
	assert_int_equal(choice.life_kilobytes, 0);
	assert_string_equal(proposal_suite_text(SA_PHASE1, &choice.suite, text),
	    proposal_suite_text(
		SA_PHASE1, &theirs.suite[choice.transform], want));
	return (int)choice.transform;
}

static void phase1_is_ranked(void **state)
{
	static const struct {
		const char *offered, *configured;
		int want;
	} rows[] = {
	    {"aes256-sha256-modp2048", "aes256-sha256-modp2048", 0},
	    /* Key lengths are equal: the peer's order, not the list's. */
	    {"aes128-sha1-modp2048 aes256-sha1-modp2048",
		"aes256-sha1-modp2048 aes128-sha1-modp2048", 0},
	    {"aes256-sha1-modp2048 aes128-sha1-modp2048",
		"aes128-sha1-modp2048 aes256-sha1-modp2048", 0},
	    /* AES before 3DES. */
	    {"3des-sha256-ecp256 aes128-sha1-modp2048",
		"3des-sha256-ecp256 aes128-sha1-modp2048", 1},
	    /* SHA-2 before SHA-1, all lengths of it alike. */
	    {"aes256-sha1-ecp256 aes128-sha512-modp2048 "
	     "aes256-sha256-modp2048",
		"aes256-sha256-modp2048 aes128-sha512-modp2048 "
		"aes256-sha1-ecp256",
		1},
	    /* The hash before the group. */
	    {"aes256-sha1-ecp256 aes256-sha256-modp2048",
		"aes256-sha256-modp2048 aes256-sha1-ecp256", 1},
	    /* Group 19, 14, 20, 15, 16, 21. */
	    {"aes256-sha1-modp2048 aes256-sha1-ecp256",
		"aes256-sha1-modp2048 aes256-sha1-ecp256", 1},
	    {"aes256-sha1-ecp521 aes256-sha1-modp4096 aes256-sha1-modp3072 "
	     "aes256-sha1-ecp384",
		"aes256-sha1-ecp521 aes256-sha1-modp4096 "
		"aes256-sha1-modp3072 aes256-sha1-ecp384",
		3},
	    {"aes256-sha1-ecp521 aes256-sha1-modp4096 aes256-sha1-modp3072",
		"aes256-sha1-ecp521 aes256-sha1-modp4096 "
		"aes256-sha1-modp3072",
		2},
	    {"aes256-sha1-ecp521 aes256-sha1-modp4096",
		"aes256-sha1-ecp521 aes256-sha1-modp4096", 1},
	    /* Equal ones: the peer's first. */
	    {"aes256-sha1-ecp256 aes256-sha1-ecp256", "aes256-sha1-ecp256", 0},
	    /* What Windows offers. */
	    {"aes256-sha1-ecp384 aes128-sha1-ecp256 aes256-sha1-modp2048 "
	     "3des-sha1-modp2048",
		"aes256-sha256-modp2048 aes256-sha1-modp2048 "
		"aes128-sha1-ecp256",
		1},
	    {"aes256-sha1-modp2048", "aes256-sha256-modp2048", -ENOENT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char report[PROPOSAL_REPORT_MAX];

		assert_int_equal(
		    choose1(rows[i].offered, rows[i].configured, report),
		    rows[i].want);
	}
}

/* A phase-1 offer with one transform of the given attributes. */
static int choose1_raw(uint8_t protocol, uint8_t transform_id,
    const char *attrs, const char *configured, char *report)
{
	struct ike_policy mine = listing(SA_PHASE1, configured);
	struct proposal_policy policy = {.accept = &mine};
	struct proposal_choice choice;
	static struct sa_offer offer;
	uint8_t body[256];
	struct wire_writer w;
	struct hex h;

	hex_decode(&h, attrs);
	wire_writer_init(&w, body, sizeof(body));
	wire_put_u32(&w, 1);
	wire_put_u32(&w, 1);
	wire_put_u32(&w, (uint32_t)(16 + h.len));
	wire_put_u32(&w, 0x01000001u | (uint32_t)protocol << 16);
	wire_put_u32(&w, (uint32_t)(8 + h.len));
	wire_put_u32(&w, 0x07000000u | (uint32_t)transform_id << 16);
	wire_put_bytes(&w, h.data, h.len);
	assert_int_equal(
	    sa_decode(SA_PHASE1, wire_span_of(body, w.pos), &offer, NULL), 0);
	return proposal_choose(&offer, &policy, &choice, report);
}

static void phase1_refusals_name_the_attribute(void **state)
{
	static const struct {
		uint8_t protocol, id;
		const char *attrs, *report;
	} rows[] = {
	    {1, 1, "80010007 800e00c0 80020002 80030001 8004000e",
		"1.7 aes192-sha1-modp2048: aes192 is not accepted"},
	    {1, 1, "80010007 800e0100 80020001 80030001 8004000e",
		"1.7 aes256-md5-modp2048: aes256-md5 is not accepted"},
	    {1, 1, "80010007 800e0100 80020002 80030001 80040002",
		"1.7 aes256-sha1-modp1024: group: aes256-sha1-modp1024 is not "
		"accepted"},
	    {1, 1, "80010007 80020002 80030001 8004000e",
		"1.7 AES-sha1-modp2048: AES without key length is not "
		"implemented"},
	    {1, 1, "80010007 800e0101 80020002 80030001 8004000e",
		"1.7 AES/257-sha1-modp2048: AES with 257 bits is not "
		"implemented"},
	    {1, 1, "80010001 80020002 80030001 8004000e",
		"1.7 des-sha1-modp2048: des is not accepted"},
	    {1, 1, "80010001 800e0040 80020002 80030001 8004000e",
		"1.7 des-sha1-modp2048: key length with des"},
	    {1, 1, "80010007 800e0000 80020002 80030001 8004000e",
		"1.7 AES-sha1-modp2048: AES with 0 bits is not implemented"},
	    {1, 1, "80010007 000e00020100 80020002 80030001 8004000e",
		"1.7 AES-sha1-modp2048: key length is not in basic form"},
	    {1, 1, "80010007 800e0100 800e0080 80020002 80030001 8004000e",
		"1.7 aes256-sha1-modp2048: key length occurs twice with two "
		"values"},
	    {1, 1, "80010005 800e00c0 80020002 80030001 8004000e",
		"1.7 3des-sha1-modp2048: key length with 3des"},
	    {1, 1, "80010007 800e0100 80020002 80030003 8004000e",
		"1.7 aes256-sha1-modp2048: authentication by RSA signatures, "
		"not pre-shared key"},
	    {1, 1, "80010007 800e0100 80020002 8003fde9 8004000e",
		"1.7 aes256-sha1-modp2048: authentication by XAUTH with "
		"pre-shared key, not pre-shared key"},
	    {1, 1, "80010007 800e0100 80020002 8004000e",
		"1.7 aes256-sha1-modp2048: authentication method is missing"},
	    {1, 1, "800e0100 80020002 80030001 8004000e",
		"1.7 cipher 0/256-sha1-modp2048: encryption is missing"},
	    {1, 1, "80010007 800e0100 80020002 80030001",
		"1.7 aes256-sha1-none: group is missing"},
	    {1, 1, "80010007 800e0100 80020002 80030001 8004000e 800d0001",
		"1.7 aes256-sha1-modp2048: PRF is not supported"},
	    {1, 2, "80010007 800e0100 80020002 80030001 8004000e",
		"1.7 aes256-sha1-modp2048: transform id 2 is not KEY_IKE"},
	    {3, 1, "80010007 800e0100 80020002 80030001 8004000e",
		"1.7 aes256-sha1-modp2048: ESP, not ISAKMP"},
	    {9, 1, "80010041 80020042 80030001 80040043",
		"1.7 cipher 65-hash 66-group 67: protocol 9, not ISAKMP"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char report[PROPOSAL_REPORT_MAX];

		assert_int_equal(
		    choose1_raw(rows[i].protocol, rows[i].id, rows[i].attrs,
			"aes256-sha1-modp2048 aes128-sha1-ecp256", report),
		    -ENOENT);
		assert_nearest(report, rows[i].report);
	}
}

static void reports_say_what_to_do(void **state)
{
	char report[PROPOSAL_REPORT_MAX];

	(void)state;
	assert_int_equal(
	    choose1("3des-sha1-modp2048 aes256-sha1-ecp384 aes128-md5-modp1024",
		"aes256-sha256-modp2048 aes256-sha1-ecp256", report),
	    -ENOENT);
	assert_string_equal(report,
	    "1.2 aes256-sha1-ecp384: group: aes256-sha1-ecp384 is not "
	    "accepted. Profile compatible would allow aes256-sha1-ecp384. "
	    "Accepted: aes256-sha256-modp2048, aes256-sha1-ecp256. Offered: "
	    "1.1 3des-sha1-modp2048, 1.2 aes256-sha1-ecp384, 1.3 "
	    "aes128-md5-modp1024");
	assert_int_equal(
	    choose1("des-md5-modp1024", "aes256-sha256-modp2048", report),
	    -ENOENT);
	assert_string_equal(report,
	    "1.1 des-md5-modp1024: des is not accepted. No profile would "
	    "allow any of it. Accepted: aes256-sha256-modp2048. Offered: 1.1 "
	    "des-md5-modp1024");
}

static void reports_name_the_profile(void **state)
{
	struct suites theirs =
	    parse(SA_PHASE1, "aes256-sha1-modp1024 3des-sha1-modp1024");
	struct proposal_policy policy = {.accept = profile_find("compatible")};
	char report[PROPOSAL_REPORT_MAX];
	struct proposal_choice choice;
	static struct offered o;

	(void)state;
	offer_suites(&o, SA_PHASE1, &theirs, 0);
	assert_int_equal(
	    proposal_choose(&o.offer, &policy, &choice, report), -ENOENT);
	assert_string_equal(report,
	    "1.1 aes256-sha1-modp1024: group: aes256-sha1-modp1024 is not "
	    "accepted. Profile legacy would allow aes256-sha1-modp1024. "
	    "Profile compatible accepts: aes256 aes192 aes128 3des with "
	    "sha256 sha384 sha512 sha1 and ecp256 modp2048 ecp384 modp3072 "
	    "modp4096 ecp521. Offered: 1.1 aes256-sha1-modp1024, 1.2 "
	    "3des-sha1-modp1024");
}

/* 64 refusals are longer than the report; some more are not decoded. */
static void a_long_report_is_cut(void **state)
{
	struct ike_policy mine = listing(SA_PHASE1, "aes256-sha256-modp2048");
	struct proposal_policy policy = {.accept = &mine};
	struct ike_suite many[70];
	struct sa_offer_spec spec = {
	    .phase = SA_PHASE1, .suites = many, .suite_count = 70};
	char report[PROPOSAL_REPORT_MAX];
	struct proposal_choice choice;
	static struct sa_offer offer;
	static uint8_t body[4096];
	struct wire_writer w;

	(void)state;
	for (size_t i = 0; i < 70; i++)
		many[i] = (struct ike_suite){
		    IKE_CIPHER_AES, 128, IKE_HASH_SHA1, IKE_GROUP_MODP1024};
	wire_writer_init(&w, body, sizeof(body));
	sa_encode_offer(&w, &spec);
	assert_int_equal(
	    sa_decode(SA_PHASE1, wire_span_of(body, w.pos), &offer, NULL), 0);
	assert_int_equal(offer.dropped, 6);
	assert_int_equal(
	    proposal_choose(&offer, &policy, &choice, report), -ENOENT);
	assert_in_range(strlen(report), 800, PROPOSAL_REPORT_MAX - 1);
	assert_string_equal(report + strlen(report) - 3, "...");
	/* Few refusals and many dropped: the count is told. */
	offer.protocol[0].count = 1;
	assert_int_equal(
	    proposal_choose(&offer, &policy, &choice, report), -ENOENT);
	assert_non_null(strstr(report, "; 6 more were not looked at"));
}

/* --- phase 2 ----------------------------------------------------------- */

struct case2 {
	const char *offered, *configured;
	uint16_t encap;
	bool has_natt;
	size_t ke_len;
	int want;
	const char *report; /* start of it */
};

static void check_case2(const struct case2 *c)
{
	struct ike_policy mine = listing(SA_PHASE2, c->configured);
	struct suites theirs = parse(SA_PHASE2, c->offered);
	struct proposal_policy policy = {
	    .accept = &mine, .has_natt = c->has_natt, .ke_len = c->ke_len};
	char report[PROPOSAL_REPORT_MAX];
	struct proposal_choice choice;
	static struct offered o;
	int err;

	offer_suites(&o, SA_PHASE2, &theirs, c->encap);
	err = proposal_choose(&o.offer, &policy, &choice, report);
	if (c->want < 0) {
		assert_int_equal(err, c->want);
		assert_nearest(report, c->report);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(choice.transform, c->want);
	assert_int_equal(choice.encap, c->encap);
	assert_int_equal(choice.suite.group, theirs.suite[c->want].group);
	assert_int_equal(choice.suite.hash, theirs.suite[c->want].hash);
}

static void phase2_is_chosen(void **state)
{
	static const struct case2 rows[] = {
	    {"aes128-sha1 aes256-sha256", "aes256-sha256 aes128-sha1", 2, false,
		0, 1, ""},
	    {"aes256-sha256 aes128-sha512", "aes128-sha512 aes256-sha256", 2,
		false, 0, 0, ""},
	    {"aes256-sha256", "aes256-sha256", 4, true, 0, 0, ""},
	    {"aes256-sha256", "aes256-sha256", 61444, true, 0, 0, ""},
	    {"3des-sha1 aes128-sha1", "3des-sha1 aes128-sha1", 2, false, 0, 1,
		""},
	    /* PFS: any usable group when the configuration names none. */
	    {"aes256-sha256-modp2048", "aes256-sha256", 2, false, 256, 0, ""},
	    {"aes256-sha256-ecp256", "aes256-sha256-ecp256", 2, false, 64, 0,
		""},
	    {"aes256-sha256", "aes256-sha256", 2, true, 0, -ENOENT,
		"1.1 aes256-sha256: encapsulation mode transport, not UDP "
		"transport"},
	    {"aes256-sha256", "aes256-sha256", 4, false, 0, -ENOENT,
		"1.1 aes256-sha256: encapsulation mode UDP transport, not "
		"transport"},
	    {"aes256-sha256", "aes256-sha256", 1, false, 0, -ENOENT,
		"1.1 aes256-sha256: encapsulation mode tunnel, not "
		"transport"},
	    {"aes256-sha256", "aes256-sha256", 3, true, 0, -ENOENT,
		"1.1 aes256-sha256: encapsulation mode UDP tunnel, not UDP "
		"transport"},
	    {"aes256-sha256", "aes256-sha256", 2, false, 256, -ENOENT,
		"1.1 aes256-sha256: group is missing, though there is a KE"},
	    {"aes256-sha256-modp2048", "aes256-sha256", 2, false, 0, -ENOENT,
		"1.1 aes256-sha256-modp2048: modp2048 needs a KE of 256 "
		"bytes, not 0"},
	    {"aes256-sha256-modp2048", "aes256-sha256", 2, false, 64, -ENOENT,
		"1.1 aes256-sha256-modp2048: modp2048 needs a KE of 256 "
		"bytes, not 64"},
	    {"aes256-sha256", "aes256-sha256-modp2048", 2, false, 0, -ENOENT,
		"1.1 aes256-sha256: group (PFS) is missing"},
	    {"aes256-sha256-ecp256", "aes256-sha256-modp2048", 2, false, 64,
		-ENOENT,
		"1.1 aes256-sha256-ecp256: group: aes256-sha256-ecp256 is "
		"not accepted"},
	    {"aes256-sha1", "aes256-sha256", 2, false, 0, -ENOENT,
		"1.1 aes256-sha1: aes256-sha1 is not accepted"},
	    {"aes192-sha1", "aes256-sha256", 2, false, 0, -ENOENT,
		"1.1 aes192-sha1: aes192 is not accepted"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_case2(&rows[i]);
}

/* An ESP offer as bytes; some things our encoder does not make. */
static void choose2_raw(const char *body, const char *want)
{
	struct ike_policy mine =
	    listing(SA_PHASE2, "aes256-sha256 aes128-sha1");
	struct proposal_policy policy = {.accept = &mine};
	char report[PROPOSAL_REPORT_MAX];
	struct proposal_choice choice = {0};
	static struct sa_offer offer;
	struct hex h;
	int err;

	assert_int_equal(
	    sa_decode(SA_PHASE2, hex_decode(&h, body), &offer, NULL), 0);
	err = proposal_choose(&offer, &policy, &choice, report);
	assert_int_equal(err, *want ? -ENOENT : 0);
	if (*want)
		assert_nearest(report, want);
	else
		assert_int_equal(choice.life_seconds, IPSEC_LIFE_DEFAULT_S);
}

#define DOI "00000001 00000001 "
#define AES256_SHA256 "80040002 80060100 80050005"

static void phase2_oddities(void **state)
{
	(void)state;
	choose2_raw(DOI
	    "00000020 01030401 c0ffee01 00000014 010c0000 " AES256_SHA256,
	    "");
	choose2_raw(DOI
	    "00000020 01030401 000000ff 00000014 010c0000 " AES256_SHA256,
	    "1.1 aes256-sha256: SPI 255 is reserved");
	choose2_raw(DOI "0000001c 01030001 00000014 010c0000 " AES256_SHA256,
	    "1.1 aes256-sha256: SPI of 0 bytes");
	choose2_raw(DOI
	    "00000024 01030401 c0ffee01 00000018 010c0000 " AES256_SHA256
	    " 800b0001",
	    "1.1 aes256-sha256: extended sequence numbers are not supported");
	choose2_raw(DOI "0000001c 01030401 c0ffee01 00000010 010c0000 "
			"80060100 80050005",
	    "1.1 aes256-sha256: encapsulation mode is missing");
	choose2_raw(DOI "0000001c 01030401 c0ffee01 00000010 010c0000 "
			"80040002 80050005",
	    "1.1 AES-sha256: AES without key length is not implemented");
	choose2_raw(DOI "0000001c 01030401 c0ffee01 00000010 010c0000 "
			"80040002 80060100",
	    "1.1 aes256-none: aes256 without authentication");
	choose2_raw(DOI "0000001c 01030401 c0ffee01 00000010 01140000 "
			"80040002 80060100",
	    "1.1 aes256gcm16: aes256gcm16 is not accepted");
	choose2_raw(DOI "00000020 01030401 c0ffee01 00000014 01140000 "
			"80040002 80060100 80050002",
	    "1.1 aes256gcm16-sha1: HMAC-SHA1 beside aes256gcm16");
	choose2_raw(DOI "0000001c 01030401 c0ffee01 00000010 01140000 "
			"80040002 800600a0",
	    "1.1 AES-GCM-16/160-none: AES-GCM-16 with 160 bits is not "
	    "implemented");
	/* AES-GMAC has no cipher and is never accepted (CVE-2024-3652). */
	choose2_raw(DOI "0000001c 01030401 c0ffee01 00000010 01170000 "
			"80040002 80060080",
	    "1.1 NULL-AES-GMAC/128-none: NULL-AES-GMAC with 128 bits is not "
	    "implemented");
	choose2_raw(DOI "0000001c 01020401 c0ffee01 00000010 01030000 "
			"80040002 80050002",
	    "1.1 3des-sha1: AH, not ESP");
}

static void bundles_are_refused_as_one(void **state)
{
	(void)state;
	/* Proposal 1 is AH and ESP, proposal 2 is ESP alone: 2 is taken. */
	choose2_raw(DOI
	    "0200001c 01020401 c0ffee01 00000010 01030000 80040002 80050002"
	    "02000020 01030401 c0ffee02 00000014 010c0000 " AES256_SHA256
	    "00000020 02030401 c0ffee03 00000014 010c0000 " AES256_SHA256,
	    "");
	choose2_raw(DOI
	    "0200001c 01020401 c0ffee01 00000010 01030000 80040002 80050002"
	    "00000020 01030401 c0ffee02 00000014 010c0000 " AES256_SHA256,
	    "1.1 3des-sha1: AH, not ESP");
	/* IPCOMP beside ESP, both in one proposal. */
	choose2_raw(DOI
	    "02000020 01030401 c0ffee02 00000014 010c0000 " AES256_SHA256
	    "00000016 01040201 0001 0000000c 01020000 80040002",
	    "1.1 aes256-sha256: ESP together with another protocol");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(phase1_is_ranked),
	    cmocka_unit_test(phase1_refusals_name_the_attribute),
	    cmocka_unit_test(reports_say_what_to_do),
	    cmocka_unit_test(reports_name_the_profile),
	    cmocka_unit_test(a_long_report_is_cut),
	    cmocka_unit_test(phase2_is_chosen),
	    cmocka_unit_test(phase2_oddities),
	    cmocka_unit_test(bundles_are_refused_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
