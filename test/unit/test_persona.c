/* SPDX-License-Identifier: ISC */
/* Personas as data: offers as bytes, and what counts as an answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/persona.h"
#include "test/lib/hex.h"

#include <string.h>

static const uint8_t attrs1[] = {PERSONA_ATTR_CIPHER, PERSONA_ATTR_KEY_LENGTH,
    PERSONA_ATTR_HASH, PERSONA_ATTR_GROUP, PERSONA_ATTR_METHOD,
    PERSONA_ATTR_SECONDS, PERSONA_ATTR_END};
static const uint8_t attrs2[] = {PERSONA_ATTR_SECONDS, PERSONA_ATTR_KILOBYTES,
    PERSONA_ATTR_ENCAP, PERSONA_ATTR_HASH, PERSONA_ATTR_KEY_LENGTH,
    PERSONA_ATTR_GROUP, PERSONA_ATTR_END};

static const struct ike_suite ike_suites[] = {
    {IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_MODP2048},
    {IKE_CIPHER_3DES, 192, IKE_HASH_SHA1, IKE_GROUP_MODP1024},
};
static const struct ike_suite esp_suites[] = {
    {ESP_AES, 256, ESP_AUTH_SHA1, IKE_GROUP_NONE},
    {ESP_3DES, 192, ESP_AUTH_SHA1, IKE_GROUP_NONE},
    {ESP_AES_GCM_16, 128, ESP_AUTH_NONE, IKE_GROUP_MODP1024},
};

static const struct persona_offer ike_offer = {
    .suites = ike_suites, .suite_count = 2, .attrs = attrs1, .seconds = 28800};
static const struct persona_offer esp_offer = {.suites = esp_suites,
    .suite_count = 3,
    .attrs = attrs2,
    .seconds = 3600,
    .kilobytes = 250000};
static const uint8_t spi[] = {0xc0, 0xff, 0xee, 0x01};

struct built {
	uint8_t data[1024];
	struct wire_span body;
};

static void build(struct built *b, enum sa_phase phase,
    const struct persona_offer *o, uint16_t encap)
{
	struct wire_span none = {NULL, 0}, own = {spi, sizeof(spi)};
	struct wire_writer w;

	wire_writer_init(&w, b->data, sizeof(b->data));
	persona_offer_encode(
	    &w, phase, o, phase == SA_PHASE1 ? none : own, encap);
	assert_int_equal(wire_writer_error(&w), 0);
	b->body = (struct wire_span){b->data, w.pos};
}

static void expect(const struct built *b, const char *hex)
{
	assert_true(hex_equal(b->data, b->body.len, hex));
}

/* RFC 2408 sections 3.4 to 3.6 by hand. */
static void one_proposal_with_many_transforms(void **state)
{
	struct built b;

	(void)state;
	build(&b, SA_PHASE1, &ike_offer, 0);
	expect(&b, "00000001 00000001"
		   "0000004c 01010002"
		   "03000024 01010000"
		   "80010007 800e0100 80020002 8004000e 80030001"
		   "800b0001 800c7080"
		   "00000020 02010000"
		   "80010005 80020002 80040002 80030001"
		   "800b0001 800c7080");
}

static void many_proposals_with_one_transform(void **state)
{
	struct persona_offer o = ike_offer;
	struct built b;

	(void)state;
	o.is_many_proposals = true;
	o.has_long_life = true;
	build(&b, SA_PHASE1, &o, 0);
	expect(&b, "00000001 00000001"
		   "02000030 01010001"
		   "00000028 01010000"
		   "80010007 800e0100 80020002 8004000e 80030001"
		   "800b0001 000c0004 00007080"
		   "0000002c 02010001"
		   "00000024 01010000"
		   "80010005 80020002 80040002 80030001"
		   "800b0001 000c0004 00007080");
}

static void phase_2_in_racoon_order(void **state)
{
	struct built b;

	(void)state;
	build(&b, SA_PHASE2, &esp_offer, IPSEC_ENCAP_UDP_TRANSPORT);
	expect(&b, "00000001 00000001"
		   "00000080 01030403 c0ffee01"
		   "03000028 010c0000"
		   "80010001 80020e10 80010002 00020004 0003d090"
		   "80040004 80050002 80060100"
		   "03000024 02030000"
		   "80010001 80020e10 80010002 00020004 0003d090"
		   "80040004 80050002"
		   "00000028 03140000"
		   "80010001 80020e10 80010002 00020004 0003d090"
		   "80040004 80060080 80030002");
}

/* What the responder says when it takes one of ours. */
static void answer_with(struct built *out, enum sa_phase phase,
    const struct persona_offer *o, uint16_t encap, size_t suite)
{
	struct persona_offer one = *o;

	one.suites += suite;
	one.suite_count = 1;
	build(out, phase, &one, encap);
}

static int match(const struct built *b, enum sa_phase phase,
    const struct persona_offer *o, uint16_t encap, size_t *index, char *reason)
{
	struct sa_offer answer;

	reason[0] = '\0';
	assert_int_equal(sa_decode(phase, b->body, &answer, reason), 0);
	return persona_offer_match(o, encap, &answer, index, reason);
}

static void each_of_ours_is_recognised(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct built b;
	size_t index;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		answer_with(&b, SA_PHASE1, &ike_offer, 0, i);
		assert_int_equal(
		    match(&b, SA_PHASE1, &ike_offer, 0, &index, reason), 0);
		assert_int_equal(index, i);
	}
	for (size_t i = 0; i < 3; i++) {
		answer_with(
		    &b, SA_PHASE2, &esp_offer, IPSEC_ENCAP_TRANSPORT, i);
		assert_int_equal(match(&b, SA_PHASE2, &esp_offer,
				     IPSEC_ENCAP_TRANSPORT, &index, reason),
		    0);
		assert_int_equal(index, i);
	}
}

/* Each row changes one thing of what we offered. */
static void modified_answers_are_refused(void **state)
{
	static const struct {
		struct ike_suite suite;
		uint32_t seconds;
		const char *reason;
	} rows[] = {
	    {{IKE_CIPHER_AES, 128, IKE_HASH_SHA1, IKE_GROUP_MODP2048}, 28800,
		"none of the suites"},
	    {{IKE_CIPHER_AES, 256, IKE_HASH_MD5, IKE_GROUP_MODP2048}, 28800,
		"none of the suites"},
	    {{IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_MODP1024}, 28800,
		"none of the suites"},
	    {{IKE_CIPHER_DES, 64, IKE_HASH_SHA1, IKE_GROUP_MODP1024}, 28800,
		"none of the suites"},
	    {{IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_MODP2048}, 28801,
		"lifetime is longer"},
	};
	char reason[ISAKMP_REASON_MAX];
	struct persona_offer o;
	struct built b;
	size_t index;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		o = ike_offer;
		o.suites = &rows[i].suite;
		o.suite_count = 1;
		o.seconds = rows[i].seconds;
		build(&b, SA_PHASE1, &o, 0);
		assert_int_not_equal(
		    match(&b, SA_PHASE1, &ike_offer, 0, &index, reason), 0);
		assert_non_null(strstr(reason, rows[i].reason));
	}
	/* Two of ours at once are none. */
	build(&b, SA_PHASE1, &ike_offer, 0);
	assert_int_not_equal(
	    match(&b, SA_PHASE1, &ike_offer, 0, &index, reason), 0);
	assert_non_null(strstr(reason, "not one"));
	/* Tunnel mode. */
	answer_with(&b, SA_PHASE2, &esp_offer, IPSEC_ENCAP_TUNNEL, 0);
	assert_int_not_equal(match(&b, SA_PHASE2, &esp_offer,
				 IPSEC_ENCAP_TRANSPORT, &index, reason),
	    0);
	assert_non_null(strstr(reason, "mode"));
}

static void shorter_or_absent_lifetimes_pass(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct persona_offer o = ike_offer;
	struct built b;
	size_t index;

	(void)state;
	o.suite_count = 1;
	for (o.seconds = 0; o.seconds <= 28800; o.seconds += 14400) {
		build(&b, SA_PHASE1, &o, 0);
		assert_int_equal(
		    match(&b, SA_PHASE1, &ike_offer, 0, &index, reason), 0);
	}
}

static void the_authentication_method_counts(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct built b;
	size_t index;

	(void)state;
	answer_with(&b, SA_PHASE1, &ike_offer, 0, 0);
	/* The last but two attributes: method; its value's low byte. */
	assert_int_equal(b.data[b.body.len - 9], IKE_AUTH_PSK);
	b.data[b.body.len - 9] = IKE_AUTH_RSA_SIG;
	assert_int_not_equal(
	    match(&b, SA_PHASE1, &ike_offer, 0, &index, reason), 0);
	assert_non_null(strstr(reason, "authentication method"));
}

static void every_answer_cut_short_is_refused(void **state)
{
	char reason[ISAKMP_REASON_MAX];
	struct sa_offer answer;
	struct built b;

	(void)state;
	answer_with(&b, SA_PHASE1, &ike_offer, 0, 0);
	for (size_t len = 0; len < b.body.len; len++)
		assert_int_not_equal(
		    sa_decode(SA_PHASE1, (struct wire_span){b.data, len},
			&answer, reason),
		    0);
}

static void names_find_personas(void **state)
{
	static const struct persona one = {.name = "one"},
				    two = {.name = "two"};
	static const struct persona *const list[] = {&one, &two};
	const struct ike_config none = {.persona_count = 0};
	const struct ike_config some = {.personas = list, .persona_count = 2};

	(void)state;
	assert_ptr_equal(persona_find(&none, "default"), &persona_default);
	assert_null(persona_find(&none, "two"));
	assert_ptr_equal(persona_find(&some, "two"), &two);
	assert_null(persona_find(&some, "three"));
	assert_null(persona_find(&some, ""));
}

static void orders_end_at_none(void **state)
{
	static const uint8_t order[PERSONA_ORDER_MAX] = {
	    ISAKMP_PAYLOAD_ID, ISAKMP_PAYLOAD_NONE, ISAKMP_PAYLOAD_HASH};
	static const uint8_t full[PERSONA_ORDER_MAX] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	assert_true(persona_has(order, ISAKMP_PAYLOAD_ID));
	assert_false(persona_has(order, ISAKMP_PAYLOAD_HASH));
	assert_true(persona_has(full, 8));
	assert_false(persona_has(full, 9));
}

/* The product's own must be something that the product itself accepts. */
static void the_default_is_complete(void **state)
{
	const struct persona *p = &persona_default;

	(void)state;
	assert_true(persona_has(p->mm1, ISAKMP_PAYLOAD_SA));
	assert_true(persona_has(p->mm3, ISAKMP_PAYLOAD_NAT_D));
	assert_true(persona_has(p->mm5, ISAKMP_PAYLOAD_HASH));
	assert_true(persona_has(p->qm1, ISAKMP_PAYLOAD_SA));
	assert_true(p->vid_count > 0 && p->retry.tries > 1);
	assert_true(p->retry.percent >= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_proposal_with_many_transforms),
	    cmocka_unit_test(many_proposals_with_one_transform),
	    cmocka_unit_test(phase_2_in_racoon_order),
	    cmocka_unit_test(each_of_ours_is_recognised),
	    cmocka_unit_test(modified_answers_are_refused),
	    cmocka_unit_test(shorter_or_absent_lifetimes_pass),
	    cmocka_unit_test(the_authentication_method_counts),
	    cmocka_unit_test(every_answer_cut_short_is_refused),
	    cmocka_unit_test(names_find_personas),
	    cmocka_unit_test(orders_end_at_none),
	    cmocka_unit_test(the_default_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
