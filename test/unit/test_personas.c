/* SPDX-License-Identifier: ISC */
/*
 * The table of clients: what each offers, as bytes that were written by
 * hand from captures, logs and sources; what each profile makes of it; the
 * habits that a responder notices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/profile.h"
#include "ikev1/core/proposal.h"
#include "test/lib/hex.h"
#include "test/lib/personas.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BODY_MAX 2048

struct client {
	const char *name;
	/* The first transform of each phase, transport mode. */
	const char *ike, *esp;
	size_t ike_count, esp_count; /* transforms */
	size_t esp_proposals;
	/* Chosen by modern, compatible, legacy; NULL: refused. */
	const char *ike_want[3], *esp_want[3];
};

static const struct client clients[] = {
    {"windows10",
	"0300002801010000 80010007800e0100 8002000280040014 80030001"
	"800b0001 000c000400007080",
	"0000002c010c0000 8004000280060100 80050002 80010001"
	"0002000400000e10 80010002 000200040003d090",
	5, 5, 5, {NULL, "aes128-sha1-ecp256", "aes128-sha1-ecp256"},
	{NULL, "aes256-sha1", "aes256-sha1"}},
    {"ios",
	"0300002401010000 800b0001800c0e10 80010007800e0100 80030001"
	"80020004 8004000e",
	"0300001c010c0000 8001000180020e10 80040002 80060100 80050005", 14, 9,
	1,
	{"aes256-sha256-modp2048", "aes256-sha256-modp2048",
	    "aes256-sha256-modp2048"},
	{"aes256-sha256", "aes256-sha256", "aes256-sha256"}},
    {"android11",
	"0300002401010000 800b0001800c7080 80010007800e0100 80030001"
	"80020005 80040002",
	"0300001c010c0000 8001000180027080 80040002 80060100 80050007", 16, 20,
	1, {NULL, NULL, "aes256-sha384-modp1024"},
	{"aes256-sha512", "aes256-sha512", "aes256-sha512"}},
    {"chromeos",
	"0300002401010000 80010007800e0080 80020004 8004000f 80030001"
	"800b0001800c2a30",
	"0300001801140000 80060080 80040002 8001000180020e10", 4, 5, 1,
	{"aes128-sha256-modp3072", "aes128-sha256-modp3072",
	    "aes128-sha256-modp3072"},
	{"aes128gcm16", "aes128gcm16", "aes128gcm16"}},
    {"networkmanager",
	"0300002401010000 80010007800e0100 80020004 8004000e 80030001"
	"800b0001800c2a30",
	"0300001c010c0000 80060100 80050002 80040002 8001000180020e10", 11, 3,
	1,
	{"aes256-sha256-modp2048", "aes256-sha256-modp2048",
	    "aes256-sha256-modp2048"},
	{NULL, "aes256-sha1", "aes256-sha1"}},
    {"xl2tpd",
	"0000002401010000 80010007800e0080 80020002 8004000e 80030001"
	"800b0001800c2a30",
	"0000001c010c0000 80060080 80050002 80040002 8001000180020e10", 1, 1, 1,
	{NULL, "aes128-sha1-modp2048", "aes128-sha1-modp2048"},
	{NULL, "aes128-sha1", "aes128-sha1"}},
    {"routeros",
	"0300002801010000 800b0001 000c000400015180 80010007800e0080"
	"80030001 80020002 8004000e",
	"03000020010c0000 8001000180020708 80040002 80060100 80050002"
	"80030002",
	4, 3, 1, {NULL, "aes128-sha1-modp2048", "aes128-sha1-modp2048"},
	{NULL, "aes256-sha1-modp1024", "aes256-sha1-modp1024"}},
    {"natt00",
	"0000002401010000 800b0001800c7080 80010007800e0080 80030001"
	"80020002 8004000e",
	"0000001c010c0000 8001000180020e10 80040002 80060080 80050002", 1, 1, 1,
	{NULL, "aes128-sha1-modp2048", "aes128-sha1-modp2048"},
	{NULL, "aes128-sha1", "aes128-sha1"}},
};

/* Its offer of a phase as bytes. */
static struct wire_span encode(const struct persona_offer *offer,
    enum sa_phase phase, uint8_t body[BODY_MAX])
{
	struct wire_span spi =
	    wire_span_of("\xc0\xff\xee\x01", phase == SA_PHASE1 ? 0 : 4);
	struct wire_writer w;

	wire_writer_init(&w, body, BODY_MAX);
	persona_offer_encode(&w, phase, offer, spi, IPSEC_ENCAP_TRANSPORT);
	assert_int_equal(wire_writer_error(&w), 0);
	return wire_span_of(body, w.pos);
}

static const struct persona_offer *offer_of(
    const struct client *c, enum sa_phase phase)
{
	const struct persona *p = persona_by_name(c->name);

	assert_non_null(p);
	return phase == SA_PHASE1 ? &p->ike : &p->esp;
}

static void every_client_is_in_the_table(void **state)
{
	(void)state;
	assert_int_equal(persona_total, COUNT(clients));
}

static void check_decoded(const struct client *c, enum sa_phase phase)
{
	const struct persona_offer *offer = offer_of(c, phase);
	size_t count = phase == SA_PHASE1 ? c->ike_count : c->esp_count;
	static struct sa_offer got;
	uint8_t body[BODY_MAX];
	struct wire_span all = encode(offer, phase, body);

	assert_int_equal(sa_decode(phase, all, &got, NULL), 0);
	assert_int_equal(got.dropped, 0);
	assert_int_equal(got.transform_count, count);
	assert_int_equal(
	    got.protocol_count, phase == SA_PHASE1 ? 1 : c->esp_proposals);
	for (size_t i = 0; i < count; i++) {
		const struct sa_transform *t = &got.transform[i];
		const struct ike_suite *s = &offer->suites[i];

		assert_null(t->bad_reason);
		assert_int_equal(t->cipher, s->cipher);
		assert_int_equal(
		    phase == SA_PHASE1 ? t->hash : t->auth, s->hash);
		assert_int_equal(t->group, s->group);
		if (t->present & SA_HAS_KEY_BITS)
			assert_int_equal(t->key_bits, s->key_bits);
		assert_int_equal(t->life_seconds, offer->seconds);
		assert_int_equal(t->life_kilobytes, offer->kilobytes);
	}
	assert_true(hex_equal(got.transform[0].raw.data,
	    got.transform[0].raw.len, phase == SA_PHASE1 ? c->ike : c->esp));
}

static void offers_are_what_was_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		check_decoded(&clients[i], SA_PHASE1);
		check_decoded(&clients[i], SA_PHASE2);
	}
}

static void offers_cut_short_are_refused(void **state)
{
	static struct sa_offer got;

	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		for (int phase = SA_PHASE1; phase <= SA_PHASE2; phase++) {
			uint8_t body[BODY_MAX];
			struct wire_span all =
			    encode(offer_of(&clients[i], phase), phase, body);

			for (size_t len = 0; len < all.len; len++)
				assert_int_not_equal(
				    sa_decode(phase, wire_span_of(body, len),
					&got, NULL),
				    0);
		}
	}
}

static void check_choice(
    const struct client *c, enum sa_phase phase, size_t profile)
{
	const struct persona_offer *offer = offer_of(c, phase);
	struct proposal_policy policy = {.accept = profile_at(profile)};
	const char *want =
	    (phase == SA_PHASE1 ? c->ike_want : c->esp_want)[profile];
	char report[PROPOSAL_REPORT_MAX], text[PROPOSAL_SUITE_MAX];
	const char *chosen = NULL;
	static struct sa_offer got;
	struct proposal_choice choice;
	uint8_t body[BODY_MAX];

	/* RouterOS: PFS with group 2, 1024 bits. */
	policy.ke_len = phase == SA_PHASE2 && offer->suites->group ? 128 : 0;
	assert_int_equal(
	    sa_decode(phase, encode(offer, phase, body), &got, NULL), 0);
	if (!proposal_choose(&got, &policy, &choice, report)) {
		chosen = proposal_suite_text(phase, &choice.suite, text);
		assert_int_equal(choice.life_seconds, offer->seconds);
		assert_int_equal(choice.life_kilobytes, offer->kilobytes);
	}
	if (!want != !chosen || (want && strcmp(want, chosen)))
		fail_msg("%s, phase %d, %s: %s instead of %s", c->name,
		    (int)phase, policy.accept->profile,
		    chosen ? chosen : report, want ? want : "none");
}

static void each_profile_chooses_as_documented(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		for (size_t k = 0; k < 3; k++) {
			check_choice(&clients[i], SA_PHASE1, k);
			check_choice(&clients[i], SA_PHASE2, k);
		}
	}
}

/* What a responder notices beside the lists. */
static void habits_are_what_was_seen(void **state)
{
	static const struct {
		const char *name;
		uint32_t ike_s, esp_s, esp_kb;
		uint16_t port, id_port;
		bool is_ephemeral, counts, says_contact, says_bye, asks_dpd;
	} rows[] = {
	    {"windows10", 28800, 3600, 250000, 1701, 0, false, true, false,
		true, false},
	    {"ios", 3600, 3600, 0, 0, 500, true, false, true, false, false},
	    {"android11", 28800, 28800, 0, 0, 500, false, false, true, true,
		false},
	    {"chromeos", 10800, 3600, 0, 1701, 0, false, false, false, true,
		false},
	    {"networkmanager", 10800, 3600, 0, 1701, 0, false, false, false,
		true, false},
	    {"xl2tpd", 10800, 3600, 0, 1701, 0, false, false, false, true,
		false},
	    {"routeros", 86400, 1800, 0, 1701, 0, false, false, true, true,
		true},
	    {"natt00", 28800, 3600, 0, 1701, 0, false, false, true, true,
		false},
	};

	(void)state;
	assert_int_equal(COUNT(rows), COUNT(clients));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct persona *p = persona_by_name(rows[i].name);

		assert_non_null(p);
		assert_int_equal(p->ike.seconds, rows[i].ike_s);
		assert_int_equal(p->ike.kilobytes, 0);
		assert_int_equal(p->esp.seconds, rows[i].esp_s);
		assert_int_equal(p->esp.kilobytes, rows[i].esp_kb);
		assert_int_equal(p->client_port, rows[i].port);
		assert_int_equal(p->server_port, 1701);
		assert_int_equal(p->is_ephemeral, rows[i].is_ephemeral);
		assert_int_equal(p->id_form, PERSONA_ID_LOCAL);
		assert_int_equal(p->id_port, rows[i].id_port);
		assert_int_equal(p->id_protocol, rows[i].id_port ? 17 : 0);
		assert_int_equal(
		    p->msgid == PERSONA_MSGID_COUNT, rows[i].counts);
		assert_int_equal(persona_has(p->mm5, ISAKMP_PAYLOAD_NOTIFY),
		    rows[i].says_contact);
		assert_int_equal(
		    p->end == PERSONA_END_DELETE, rows[i].says_bye);
		assert_int_equal(p->dpd_ms != 0, rows[i].asks_dpd);
		assert_int_equal(p->nat_oa,
		    strcmp(p->name, "windows10") && strcmp(p->name, "natt00")
			? PERSONA_OA_PAIR
			: PERSONA_OA_NATT);
	}
}

static bool has_vid(const struct persona *p, const char *hex)
{
	struct hex h;
	struct wire_span want = hex_decode(&h, hex);

	for (size_t i = 0; i < p->vid_count; i++) {
		if (p->vids[i].len >= want.len &&
		    !memcmp(p->vids[i].value, want.data, want.len))
			return true;
	}
	return false;
}

/* RFC 3947 section 3.1, RFC 3706 section 5.1, and what Cisco, Microsoft
 * and racoon call FRAGMENTATION. */
static void they_announce_what_they_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clients); i++) {
		const struct persona *p = persona_by_name(clients[i].name);

		assert_non_null(p);
		assert_true(
		    has_vid(p, strcmp(p->name, "natt00")
				   ? "4a131c81070358455c5728f20e95452f"
				   : "4485152d18b6bbcd0be8a8469579ddcc"));
		if (p->fragment_over)
			assert_true(
			    has_vid(p, "4048b7d56ebce88525e7de7f00d6c2d3"));
		/* All but Windows answer DPD. */
		assert_int_equal(has_vid(p, "afcad71368a1f1c96b8696fc77570100"),
		    strcmp(p->name, "windows10") != 0);
	}
	assert_false(has_vid(persona_by_name("ios"), "0152"));
	assert_true(has_vid(persona_by_name("windows10"),
	    "01528bbbc00696121849ab9a1c5b2a5100000001"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_client_is_in_the_table),
	    cmocka_unit_test(offers_are_what_was_seen),
	    cmocka_unit_test(offers_cut_short_are_refused),
	    cmocka_unit_test(each_profile_chooses_as_documented),
	    cmocka_unit_test(habits_are_what_was_seen),
	    cmocka_unit_test(they_announce_what_they_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
