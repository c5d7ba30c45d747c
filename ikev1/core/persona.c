/* SPDX-License-Identifier: ISC */
/* Personas: the product's own, and what an offer looks like as bytes. */
#include "ikev1/core/persona.h"

#include "ikev1/core/algs.h"

#include <errno.h>
#include <string.h>

#define ATTR_BASIC 0x8000 /* RFC 2408 section 3.3: the AF bit */

/* --- the product's own ------------------------------------------------- */

#define AES(bits) IKE_CIPHER_AES, bits

static const struct ike_suite default_ike[] = {
    {AES(256), IKE_HASH_SHA256, IKE_GROUP_ECP256},
    {AES(256), IKE_HASH_SHA256, IKE_GROUP_MODP2048},
    {AES(256), IKE_HASH_SHA1, IKE_GROUP_MODP2048},
    {AES(128), IKE_HASH_SHA1, IKE_GROUP_MODP2048},
};

static const struct ike_suite default_esp[] = {
    {ESP_AES, 256, ESP_AUTH_SHA256, IKE_GROUP_NONE},
    {ESP_AES, 128, ESP_AUTH_SHA256, IKE_GROUP_NONE},
    {ESP_AES, 256, ESP_AUTH_SHA1, IKE_GROUP_NONE},
    {ESP_AES, 128, ESP_AUTH_SHA1, IKE_GROUP_NONE},
};

static const uint8_t default_ike_attrs[] = {PERSONA_ATTR_CIPHER,
    PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_HASH, PERSONA_ATTR_GROUP,
    PERSONA_ATTR_METHOD, PERSONA_ATTR_SECONDS, PERSONA_ATTR_END};

static const uint8_t default_esp_attrs[] = {PERSONA_ATTR_ENCAP,
    PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_HASH, PERSONA_ATTR_GROUP,
    PERSONA_ATTR_SECONDS, PERSONA_ATTR_END};

/* RFC 3947 section 3.1 and, for renewals with old clients, drafts 03 and 02,
 * or (in place of these with those that are on port 500) 01 and 00;
 * RFC 3706 section 5.1; FRAGMENTATION as we answer it, and as Windows and
 * others know it without the four bytes of abilities. */
static const struct persona_vid default_vids[] = {
    {16, {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28,
	     0xf2, 0x0e, 0x95, 0x45, 0x2f}},
    {16, {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d,
	     0x92, 0x15, 0x52, 0x9d, 0x56}},
    {16, {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81,
	     0xb5, 0xec, 0x42, 0x7b, 0x1f}},
    {16, {0x16, 0xf6, 0xca, 0x16, 0xe4, 0xa4, 0x06, 0x6d, 0x83, 0x82, 0x1a,
	     0x0f, 0x0a, 0xea, 0xa8, 0x62}},
    {16, {0x44, 0x85, 0x15, 0x2d, 0x18, 0xb6, 0xbb, 0xcd, 0x0b, 0xe8, 0xa8,
	     0x46, 0x95, 0x79, 0xdd, 0xcc}},
    {16, {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96,
	     0xfc, 0x77, 0x57, 0x01, 0x00}},
    {20, {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde,
	     0x7f, 0x00, 0xd6, 0xc2, 0xd3, 0x80, 0x00, 0x00, 0x00}},
    {16, {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde,
	     0x7f, 0x00, 0xd6, 0xc2, 0xd3}},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const struct persona persona_default = {
    .name = "default",
    .mm1 = {ISAKMP_PAYLOAD_SA, ISAKMP_PAYLOAD_VID},
    .mm3 = {ISAKMP_PAYLOAD_KE, ISAKMP_PAYLOAD_NONCE, ISAKMP_PAYLOAD_NAT_D},
    .mm5 = {ISAKMP_PAYLOAD_ID, ISAKMP_PAYLOAD_HASH},
    .qm1 = {ISAKMP_PAYLOAD_SA, ISAKMP_PAYLOAD_NONCE, ISAKMP_PAYLOAD_KE,
	ISAKMP_PAYLOAD_ID, ISAKMP_PAYLOAD_NAT_OA},
    .vids = default_vids,
    .vid_count = COUNT(default_vids),
    .ike = {.suites = default_ike,
	.suite_count = COUNT(default_ike),
	.attrs = default_ike_attrs,
	.seconds = 28800},
    .esp = {.suites = default_esp,
	.suite_count = COUNT(default_esp),
	.attrs = default_esp_attrs,
	.seconds = 3600},
    .nat_oa = PERSONA_OA_NATT,
    .client_port = 1701,
    .server_port = 1701,
    .dpd_ms = 30000,
    .end = PERSONA_END_DELETE,
    .retry = {.first_ms = 1000, .percent = 200, .max_ms = 16000, .tries = 7},
    .rekey_ike_percent = 85,
    .rekey_esp_percent = 85,
};

const struct persona *persona_find(
    const struct ike_config *cfg, const char *name)
{
	if (!strcmp(name, persona_default.name))
		return &persona_default;
	for (size_t i = 0; i < cfg->persona_count; i++) {
		if (!strcmp(name, cfg->personas[i]->name))
			return cfg->personas[i];
	}
	return NULL;
}

bool persona_has(const uint8_t order[PERSONA_ORDER_MAX], uint8_t type)
{
	for (size_t i = 0; i < PERSONA_ORDER_MAX && order[i]; i++) {
		if (order[i] == type)
			return true;
	}
	return false;
}

/* --- the offer ----------------------------------------------------------- */

/* A phase's numbers of the attributes; 0: it has no such attribute. */
static const uint16_t numbers[][2] = {
    [PERSONA_ATTR_CIPHER] = {IKE_ATTR_CIPHER, 0},
    [PERSONA_ATTR_KEY_LENGTH] = {IKE_ATTR_KEY_LENGTH, IPSEC_ATTR_KEY_LENGTH},
    [PERSONA_ATTR_HASH] = {IKE_ATTR_HASH, IPSEC_ATTR_AUTH_ALG},
    [PERSONA_ATTR_GROUP] = {IKE_ATTR_GROUP, IPSEC_ATTR_GROUP},
    [PERSONA_ATTR_METHOD] = {IKE_ATTR_AUTH_METHOD, 0},
    [PERSONA_ATTR_ENCAP] = {0, IPSEC_ATTR_ENCAP_MODE},
    [PERSONA_ATTR_SECONDS] = {IKE_ATTR_LIFE_TYPE, IPSEC_ATTR_LIFE_TYPE},
    [PERSONA_ATTR_KILOBYTES] = {IKE_ATTR_LIFE_TYPE, IPSEC_ATTR_LIFE_TYPE},
};

static void put_basic(struct wire_writer *w, uint16_t type, uint16_t value)
{
	wire_put_u16(w, (uint16_t)(ATTR_BASIC | type));
	wire_put_u16(w, value);
}

/* The duration's attribute number is its type's plus one, in both phases. */
static void put_life(struct wire_writer *w, uint16_t type_number, uint16_t type,
    uint32_t value, bool is_long)
{
	uint16_t duration = (uint16_t)(type_number + 1);

	if (!value)
		return;
	put_basic(w, type_number, type);
	if (!is_long && value <= UINT16_MAX) {
		put_basic(w, duration, (uint16_t)value);
		return;
	}
	wire_put_u16(w, duration);
	wire_put_u16(w, sizeof(value));
	wire_put_u32(w, value);
}

static bool has_key_length(enum sa_phase phase, const struct ike_suite *s)
{
	const struct alg_cipher *c =
	    phase == SA_PHASE1 ? alg_ike_cipher(s->cipher, s->key_bits)
			       : alg_esp_cipher(s->cipher, s->key_bits);

	return c ? !c->is_fixed : s->key_bits != 0;
}

static void put_attr(struct wire_writer *w, enum sa_phase phase,
    const struct persona_offer *o, const struct ike_suite *s, uint8_t attr,
    uint16_t encap)
{
	uint16_t number = numbers[attr][phase == SA_PHASE2];

	if (!number)
		return;
	switch ((enum persona_attr)attr) {
	case PERSONA_ATTR_END:
		return;
	case PERSONA_ATTR_CIPHER:
		put_basic(w, number, s->cipher);
		return;
	case PERSONA_ATTR_KEY_LENGTH:
		if (has_key_length(phase, s))
			put_basic(w, number, s->key_bits);
		return;
	case PERSONA_ATTR_HASH:
		if (s->hash)
			put_basic(w, number, s->hash);
		return;
	case PERSONA_ATTR_GROUP:
		if (s->group)
			put_basic(w, number, s->group);
		return;
	case PERSONA_ATTR_METHOD:
		put_basic(w, number, IKE_AUTH_PSK);
		return;
	case PERSONA_ATTR_ENCAP:
		put_basic(w, number, encap);
		return;
	case PERSONA_ATTR_SECONDS:
		put_life(
		    w, number, IKE_LIFE_SECONDS, o->seconds, o->has_long_life);
		return;
	case PERSONA_ATTR_KILOBYTES:
		put_life(w, number, IKE_LIFE_KILOBYTES, o->kilobytes,
		    o->has_long_life);
		return;
	}
}

static void put_transform(struct wire_writer *w, enum sa_phase phase,
    const struct persona_offer *o, size_t index, uint16_t encap)
{
	const struct ike_suite *s = &o->suites[index];
	bool is_last = o->is_many_proposals || index + 1 == o->suite_count;
	size_t start = w->pos;

	wire_put_u8(
	    w, is_last ? ISAKMP_PAYLOAD_NONE : ISAKMP_PAYLOAD_TRANSFORM);
	wire_put_zero(w, 3);
	wire_put_u8(w, (uint8_t)(o->is_many_proposals ? 1 : index + 1));
	wire_put_u8(
	    w, phase == SA_PHASE1 ? IKE_TRANSFORM_KEY_IKE : (uint8_t)s->cipher);
	wire_put_u16(w, 0);
	for (const uint8_t *a = o->attrs; *a; a++)
		put_attr(w, phase, o, s, *a, encap);
	wire_set_u16(w, start + 2, (uint16_t)(w->pos - start));
}

/* One proposal payload with count transforms from index first on. */
static void put_proposal(struct wire_writer *w, enum sa_phase phase,
    const struct persona_offer *o, struct wire_span spi, uint16_t encap,
    size_t first)
{
	size_t count = o->is_many_proposals ? 1 : o->suite_count;
	bool is_last = first + count == o->suite_count;
	size_t start = w->pos;

	wire_put_u8(w, is_last ? ISAKMP_PAYLOAD_NONE : ISAKMP_PAYLOAD_PROPOSAL);
	wire_put_zero(w, 3);
	wire_put_u8(w, (uint8_t)(first + 1));
	wire_put_u8(
	    w, phase == SA_PHASE1 ? ISAKMP_PROTO_ISAKMP : ISAKMP_PROTO_ESP);
	wire_put_u8(w, (uint8_t)spi.len);
	wire_put_u8(w, (uint8_t)count);
	wire_put_span(w, spi);
	for (size_t i = first; i < first + count; i++)
		put_transform(w, phase, o, i, encap);
	wire_set_u16(w, start + 2, (uint16_t)(w->pos - start));
}

void persona_offer_encode(struct wire_writer *w, enum sa_phase phase,
    const struct persona_offer *offer, struct wire_span spi, uint16_t encap)
{
	size_t step = offer->is_many_proposals ? 1 : offer->suite_count;

	wire_put_u32(w, ISAKMP_DOI_IPSEC);
	wire_put_u32(w, ISAKMP_SIT_IDENTITY_ONLY);
	for (size_t i = 0; i < offer->suite_count; i += step)
		put_proposal(w, phase, offer, spi, encap, i);
}

/* --- the answer ---------------------------------------------------------- */

static bool suite_matches(enum sa_phase phase, const struct ike_suite *s,
    const struct sa_transform *t)
{
	uint16_t hash = phase == SA_PHASE1 ? t->hash : t->auth;
	bool has_bits = t->present & SA_HAS_KEY_BITS;

	/* A fixed key's length may be said or not. */
	return s->cipher == t->cipher && s->hash == hash &&
	       s->group == t->group &&
	       (has_bits ? s->key_bits == t->key_bits
			 : !has_key_length(phase, s));
}

/* It may be shorter or absent, but not what we said nothing about. */
static int check_life(uint32_t offered, const struct sa_transform *t,
    uint32_t flag, uint64_t life, char reason[ISAKMP_REASON_MAX])
{
	if (!(t->present & flag) || (offered && life <= offered))
		return 0;
	return isakmp_refuse(reason, -EPROTO, "the answer's lifetime %s",
	    offered ? "is longer" : "is one that we did not offer");
}

int persona_offer_match(const struct persona_offer *offer, uint16_t encap,
    const struct sa_offer *answer, size_t *index,
    char reason[ISAKMP_REASON_MAX])
{
	const struct sa_transform *t = answer->transform;
	bool is_phase1 = answer->phase == SA_PHASE1;

	if (answer->protocol_count != 1 || answer->transform_count != 1 ||
	    answer->dropped)
		return isakmp_refuse(reason, -EPROTO,
		    "the answer has %zu proposals and %zu transforms, not one",
		    answer->protocol_count, answer->transform_count);
	if (answer->protocol[0].protocol !=
	    (is_phase1 ? ISAKMP_PROTO_ISAKMP : ISAKMP_PROTO_ESP))
		return isakmp_refuse(reason, -EPROTO,
		    "the answer is for protocol %u",
		    answer->protocol[0].protocol);
	if (t->bad_reason ||
	    (is_phase1 ? t->method != IKE_AUTH_PSK : t->encap != encap))
		return isakmp_refuse(reason, -EPROTO,
		    "the answer's %s is not what we offered",
		    is_phase1 ? "authentication method" : "mode");
	if (check_life(
		offer->seconds, t, SA_HAS_SECONDS, t->life_seconds, reason) ||
	    check_life(offer->kilobytes, t, SA_HAS_KILOBYTES, t->life_kilobytes,
		reason))
		return -EPROTO;
	for (size_t i = 0; i < offer->suite_count; i++) {
		if (suite_matches(answer->phase, &offer->suites[i], t)) {
			*index = i;
			return 0;
		}
	}
	return isakmp_refuse(
	    reason, -EPROTO, "the answer is none of the suites we offered");
}
