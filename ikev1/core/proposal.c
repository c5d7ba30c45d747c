/* SPDX-License-Identifier: ISC */
/* Choice of a proposal, report on a refused offer. */
#include "ikev1/core/proposal.h"

#include "ikev1/core/algs.h"
#include "ikev1/core/profile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define ESP_SPI_LEN 4
#define ESP_SPI_MIN 256 /* RFC 4303 section 2.1: 0 to 255 are reserved */
#define WHY_MAX 96

/* One transform under examination. */
struct candidate {
	const struct sa_offer *offer;
	const struct proposal_policy *policy;
	const struct sa_protocol *protocol;
	const struct sa_transform *transform;
	struct ike_suite suite;
	unsigned int depth; /* checks passed: how near it came */
	char why[WHY_MAX];  /* it is refused */
};

static bool refuse(struct candidate *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct candidate *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return false;
}

static enum isakmp_registry attribute_registry(enum sa_phase phase)
{
	return phase == SA_PHASE1 ? ISAKMP_REG_IKE_ATTRIBUTE
				  : ISAKMP_REG_IPSEC_ATTRIBUTE;
}

/* RFC 2408 section 4.2: proposals of one number are taken together. */
static bool is_alone(const struct sa_offer *o, const struct sa_protocol *p)
{
	for (size_t i = 0; i < o->protocol_count; i++)
		if (&o->protocol[i] != p && o->protocol[i].number == p->number)
			return false;
	return true;
}

static bool has_all(struct candidate *c, const enum sa_present *flags,
    const uint16_t *attrs, size_t count)
{
	char name[ISAKMP_NAME_MAX];

	for (size_t i = 0; i < count; i++) {
		if (c->transform->present & flags[i])
			continue;
		return refuse(c, "%s is missing",
		    isakmp_name_text(
			attribute_registry(c->offer->phase), attrs[i], name));
	}
	return true;
}

static bool check_phase1(struct candidate *c)
{
	static const enum sa_present flags[] = {
	    SA_HAS_CIPHER, SA_HAS_HASH, SA_HAS_METHOD, SA_HAS_GROUP};
	static const uint16_t attrs[] = {IKE_ATTR_CIPHER, IKE_ATTR_HASH,
	    IKE_ATTR_AUTH_METHOD, IKE_ATTR_GROUP};
	const struct sa_transform *t = c->transform;
	char name[ISAKMP_NAME_MAX];

	if (t->id != IKE_TRANSFORM_KEY_IKE)
		return refuse(c, "transform id %u is not KEY_IKE", t->id);
	if (!has_all(c, flags, attrs, sizeof(attrs) / sizeof(attrs[0])))
		return false;
	if (t->method != IKE_AUTH_PSK)
		return refuse(c, "authentication by %s, not pre-shared key",
		    isakmp_name_text(ISAKMP_REG_AUTH_METHOD, t->method, name));
	return true;
}

static bool check_encap(struct candidate *c)
{
	uint16_t encap = c->transform->encap;
	char name[ISAKMP_NAME_MAX];

	isakmp_name_text(ISAKMP_REG_ENCAP, encap, name);
	if (c->policy->has_natt &&
	    (encap == IPSEC_ENCAP_UDP_TRANSPORT ||
		encap == IPSEC_ENCAP_UDP_TRANSPORT_DRAFT))
		return true;
	if (!c->policy->has_natt && encap == IPSEC_ENCAP_TRANSPORT)
		return true;
	return refuse(c, "encapsulation mode %s, not %s", name,
	    c->policy->has_natt ? "UDP transport" : "transport");
}

static bool check_spi(struct candidate *c)
{
	const struct sa_protocol *p = c->protocol;
	struct wire_reader r;
	uint32_t spi;

	wire_reader_init(&r, p->spi, p->spi_len);
	spi = wire_get_u32(&r);
	if (p->spi_len != ESP_SPI_LEN)
		return refuse(c, "SPI of %u bytes", p->spi_len);
	if (spi < ESP_SPI_MIN)
		return refuse(c, "SPI %u is reserved", spi);
	return true;
}

/* RFC 2409 section 5.5: a KE goes with a group in every transform. */
static bool check_pfs(struct candidate *c)
{
	const struct sa_transform *t = c->transform;
	const struct alg_group *group = alg_group(t->group);
	bool has_group = (t->present & SA_HAS_GROUP) && t->group;
	char name[ISAKMP_NAME_MAX];

	if (!has_group && c->policy->ke_len)
		return refuse(c, "group is missing, though there is a KE");
	if (!has_group)
		return true;
	isakmp_name_text(ISAKMP_REG_GROUP, t->group, name);
	if (!group || !group->is_usable)
		return refuse(c, "%s is too weak or not implemented", name);
	if (c->policy->ke_len != group->pub_len)
		return refuse(c, "%s needs a KE of %u bytes, not %zu", name,
		    group->pub_len, c->policy->ke_len);
	return true;
}

static bool check_phase2(struct candidate *c)
{
	static const enum sa_present flags[] = {SA_HAS_ENCAP};
	static const uint16_t attrs[] = {IPSEC_ATTR_ENCAP_MODE};

	if (c->transform->present & SA_HAS_ESN)
		return refuse(c, "extended sequence numbers are not supported");
	return check_spi(c) && has_all(c, flags, attrs, 1) && check_encap(c) &&
	       check_pfs(c);
}

/* RFC 2407 section 4.5: no Key Length where there is but one; RFC 3602
 * section 5.3: it must be there for AES. */
static bool check_key_length(struct candidate *c)
{
	const struct sa_transform *t = c->transform;
	bool has_bits = t->present & SA_HAS_KEY_BITS;
	const struct alg_cipher *row =
	    proposal_cipher_row(c->offer->phase, t->cipher, t->key_bits);

	if (!row || !row->is_usable) {
		char name[ISAKMP_NAME_MAX];

		isakmp_name_text(c->offer->phase == SA_PHASE1
				     ? ISAKMP_REG_IKE_CIPHER
				     : ISAKMP_REG_ESP_CIPHER,
		    t->cipher, name);
		if (!has_bits)
			return refuse(c,
			    "%s without key length is not implemented", name);
		return refuse(
		    c, "%s with %u bits is not implemented", name, t->key_bits);
	}
	if (row->is_fixed && has_bits)
		return refuse(c, "key length with %s", row->name);
	c->suite.key_bits = row->key_bits;
	return true;
}

/* Says which word is the first that is not accepted. */
static bool refuse_suite(struct candidate *c, enum proposal_word word)
{
	char suite[PROPOSAL_SUITE_MAX];
	struct text t = text_begin(suite, sizeof(suite));

	proposal_suite_put(&t, c->offer->phase, &c->suite, word);
	return refuse(c, "%s%s is not accepted",
	    word == PROPOSAL_WORD_GROUP ? "group: " : "", suite);
}

/* RFC 2407 section 4.5: no authentication beside a cipher that does it. */
static bool check_auth(struct candidate *c)
{
	const struct alg_cipher *row =
	    alg_esp_cipher(c->suite.cipher, c->suite.key_bits);
	char name[ISAKMP_NAME_MAX];

	if (c->offer->phase == SA_PHASE1)
		return true;
	if (row->is_aead && c->suite.hash)
		return refuse(c, "%s beside %s",
		    isakmp_name_text(ISAKMP_REG_ESP_AUTH, c->suite.hash, name),
		    row->name);
	if (!row->is_aead && !c->suite.hash)
		return refuse(c, "%s without authentication", row->name);
	return true;
}

static bool is_in_policy(struct candidate *c)
{
	enum proposal_word word =
	    policy_refuses(c->policy->accept, c->offer->phase, &c->suite);

	if (!word)
		return true;
	c->depth += (unsigned int)word;
	if (word == PROPOSAL_WORD_GROUP && !c->suite.group)
		return refuse(c, "group (PFS) is missing");
	return refuse_suite(c, word);
}

static bool check_protocol(struct candidate *c)
{
	uint8_t protocol = c->offer->phase == SA_PHASE1 ? ISAKMP_PROTO_ISAKMP
							: ISAKMP_PROTO_ESP;
	char name[ISAKMP_NAME_MAX];

	isakmp_name_text(ISAKMP_REG_PROTOCOL, c->protocol->protocol, name);
	if (c->protocol->protocol != protocol)
		return refuse(c, "%s, not %s", name,
		    isakmp_name(ISAKMP_REG_PROTOCOL, protocol));
	if (!is_alone(c->offer, c->protocol))
		return refuse(c, "%s together with another protocol", name);
	return true;
}

static bool check_attributes(struct candidate *c)
{
	const struct sa_transform *t = c->transform;
	char name[ISAKMP_NAME_MAX];

	if (t->bad_reason)
		return refuse(c, "%s %s",
		    isakmp_name_text(attribute_registry(c->offer->phase),
			t->bad_attribute, name),
		    t->bad_reason);
	return c->offer->phase == SA_PHASE1 ? check_phase1(c) : check_phase2(c);
}

static bool is_acceptable(struct candidate *c)
{
	static bool (*const checks[])(struct candidate *) = {check_protocol,
	    check_attributes, check_key_length, check_auth, is_in_policy};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		c->depth += 8; /* the last one counts its words too */
		if (!checks[i](c))
			return false;
	}
	return true;
}

/* The lower, the better; see the order in the header. */
static uint32_t rank_of(const struct candidate *c)
{
	const struct alg_cipher *cipher = proposal_cipher_row(
	    c->offer->phase, c->suite.cipher, c->suite.key_bits);
	const struct alg_hash *hash = alg_hash(c->suite.hash);
	const struct alg_auth *auth = alg_auth(c->suite.hash);
	const struct alg_group *group = alg_group(c->suite.group);
	uint32_t second = 0;

	if (c->offer->phase == SA_PHASE1)
		second = hash ? hash->rank : 0;
	else
		second = auth ? auth->rank : 0;
	return (cipher ? cipher->rank : 0u) << 16 | second << 8 |
	       (group ? group->rank : 0u);
}

/* The suite as it was offered, before its key length is checked. */
static struct candidate candidate_of(const struct sa_offer *offer,
    const struct proposal_policy *policy, const struct sa_protocol *p,
    const struct sa_transform *t)
{
	return (struct candidate){.offer = offer,
	    .policy = policy,
	    .protocol = p,
	    .transform = t,
	    .suite = {.cipher = t->cipher,
		.key_bits = t->key_bits,
		.hash = offer->phase == SA_PHASE1 ? t->hash : t->auth,
		.group = t->group}};
}

static void choice_set(struct proposal_choice *out, const struct candidate *c,
    size_t protocol, size_t transform)
{
	const struct sa_transform *t = c->transform;

	*out = (struct proposal_choice){.protocol = protocol,
	    .transform = transform,
	    .suite = c->suite,
	    .encap = t->encap,
	    .life_seconds =
		t->life_seconds ? t->life_seconds : IPSEC_LIFE_DEFAULT_S,
	    .life_kilobytes = t->life_kilobytes};
}

/* Goes through the transforms one after another. */
struct walk {
	const struct sa_offer *offer;
	size_t protocol, transform; /* of the one that came last */
	size_t next;		    /* in its protocol */
};

static bool walk_on(struct walk *w)
{
	const struct sa_offer *o = w->offer;

	while (w->protocol < o->protocol_count &&
	       w->next >= o->protocol[w->protocol].count) {
		w->protocol++;
		w->next = 0;
	}
	if (w->protocol >= o->protocol_count)
		return false;
	w->transform = o->protocol[w->protocol].first + w->next++;
	return true;
}

/* The best of what is acceptable; nearest: the best of what is not. */
static bool choose(const struct sa_offer *offer,
    const struct proposal_policy *policy, struct proposal_choice *out,
    struct candidate *nearest)
{
	struct walk w = {.offer = offer};
	uint32_t best = UINT32_MAX;

	while (walk_on(&w)) {
		struct candidate c =
		    candidate_of(offer, policy, &offer->protocol[w.protocol],
			&offer->transform[w.transform]);

		if (!is_acceptable(&c)) {
			if (!nearest->protocol || c.depth > nearest->depth)
				*nearest = c;
		} else if (rank_of(&c) < best) {
			best = rank_of(&c);
			choice_set(out, &c, w.protocol, w.transform);
		}
	}
	return best != UINT32_MAX;
}

/* --- report -------------------------------------------------------------- */

static void put_candidate(struct text *t, const struct candidate *c)
{
	char suite[PROPOSAL_SUITE_MAX];

	text_put(t, "%u.%u %s", c->protocol->number, c->transform->number,
	    proposal_suite_text(c->offer->phase, &c->suite, suite));
}

/* The strictest profile that takes something of the offer. */
static void put_remedy(struct text *t, const struct sa_offer *offer,
    const struct proposal_policy *policy)
{
	struct proposal_policy other = *policy;
	struct proposal_choice choice;
	char suite[PROPOSAL_SUITE_MAX];

	for (size_t i = 0; (other.accept = profile_at(i)); i++) {
		struct candidate nearest = {.protocol = NULL};

		if (!choose(offer, &other, &choice, &nearest))
			continue;
		text_put(t, ". Profile %s would allow %s",
		    other.accept->profile,
		    proposal_suite_text(offer->phase, &choice.suite, suite));
		return;
	}
	text_put(t, ". No profile would allow any of it");
}

static void put_offer(struct text *t, const struct sa_offer *offer,
    const struct proposal_policy *policy)
{
	struct walk w = {.offer = offer};
	const char *between = ". Offered: ";

	while (walk_on(&w)) {
		struct candidate c =
		    candidate_of(offer, policy, &offer->protocol[w.protocol],
			&offer->transform[w.transform]);

		text_put(t, "%s", between);
		put_candidate(t, &c);
		between = ", ";
	}
	if (offer->dropped)
		text_put(t, "; %zu more were not looked at", offer->dropped);
}

static void report_refusal(struct text *t, const struct sa_offer *offer,
    const struct proposal_policy *policy, const struct candidate *nearest)
{
	const struct ike_policy *p = policy->accept;
	bool has_list = offer->phase == SA_PHASE1 ? p->ike_count : p->esp_count;

	if (nearest->protocol) {
		put_candidate(t, nearest);
		text_put(t, ": %s", nearest->why);
	} else {
		text_put(t, "nothing is offered");
	}
	put_remedy(t, offer, policy);
	if (has_list || !p->profile)
		text_put(t, ". Accepted: ");
	else
		text_put(t, ". Profile %s accepts: ", p->profile);
	policy_put(t, p, offer->phase);
	put_offer(t, offer, policy);
}

int proposal_choose(const struct sa_offer *offer,
    const struct proposal_policy *policy, struct proposal_choice *out,
    char report[PROPOSAL_REPORT_MAX])
{
	struct text text = text_begin(report, PROPOSAL_REPORT_MAX);
	struct candidate nearest = {.protocol = NULL};

	if (choose(offer, policy, out, &nearest))
		return 0;
	report_refusal(&text, offer, policy, &nearest);
	return -ENOENT;
}
