/* SPDX-License-Identifier: ISC */
/* The profiles as data; the contract is in the header. */
#include "ikev1/core/profile.h"

#include "ikev1/core/ike_priv.h"

#include <string.h>

#define CBC (ALG_AES256 | ALG_AES192 | ALG_AES128)
#define GCM (ALG_AES256_GCM | ALG_AES192_GCM | ALG_AES128_GCM)
#define SHA2                                                                   \
	(ALG_BIT(IKE_HASH_SHA256) | ALG_BIT(IKE_HASH_SHA384) |                 \
	    ALG_BIT(IKE_HASH_SHA512))
#define AUTH_SHA2                                                              \
	(ALG_BIT(ESP_AUTH_SHA256) | ALG_BIT(ESP_AUTH_SHA384) |                 \
	    ALG_BIT(ESP_AUTH_SHA512))
#define STRONG                                                                 \
	(ALG_BIT(IKE_GROUP_MODP2048) | ALG_BIT(IKE_GROUP_MODP3072) |           \
	    ALG_BIT(IKE_GROUP_MODP4096) | ALG_BIT(IKE_GROUP_ECP256) |          \
	    ALG_BIT(IKE_GROUP_ECP384) | ALG_BIT(IKE_GROUP_ECP521))
#define WEAK (ALG_BIT(IKE_GROUP_MODP1024) | ALG_BIT(IKE_GROUP_MODP1536))

static const struct ike_policy profiles[] = {
    {
	.profile = "modern",
	.ike_ciphers = CBC,
	.ike_hashes = SHA2,
	.ike_groups = STRONG,
	.esp_ciphers = GCM | CBC,
	.esp_auths = AUTH_SHA2,
	.pfs_groups = STRONG,
    },
    {
	.profile = "compatible",
	.ike_ciphers = CBC | ALG_3DES,
	.ike_hashes = SHA2 | ALG_BIT(IKE_HASH_SHA1),
	.ike_groups = STRONG,
	.esp_ciphers = GCM | CBC | ALG_3DES,
	.esp_auths = AUTH_SHA2 | ALG_BIT(ESP_AUTH_SHA1),
	.pfs_groups = STRONG | WEAK,
    },
    {
	.profile = "legacy",
	.ike_ciphers = CBC | ALG_3DES,
	.ike_hashes = SHA2 | ALG_BIT(IKE_HASH_SHA1) | ALG_BIT(IKE_HASH_MD5),
	.ike_groups = STRONG | WEAK,
	.esp_ciphers = GCM | CBC | ALG_3DES,
	.esp_auths = AUTH_SHA2 | ALG_BIT(ESP_AUTH_SHA1) | ALG_BIT(ESP_AUTH_MD5),
	.pfs_groups = STRONG | WEAK,
    },
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const struct ike_policy *profile_at(size_t i)
{
	return i < PROFILES ? &profiles[i] : NULL;
}

const struct ike_policy *profile_find(const char *name)
{
	for (size_t i = 0; i < PROFILES; i++)
		if (!strcmp(profiles[i].profile, name))
			return &profiles[i];
	return NULL;
}

const struct ike_policy *ike_policy_for(
    const struct ike *ike, const struct addr *peer)
{
	const struct ike_peer_policy *best = NULL;

	for (size_t i = 0; i < ike->cfg.peer_count; i++) {
		const struct ike_peer_policy *p = &ike->cfg.peers[i];

		if (addr_in_prefix(peer, &p->net, p->bits) &&
		    (!best || p->bits > best->bits))
			best = p;
	}
	return best ? &best->policy : &ike->cfg.policy;
}

/* --- judgement ---------------------------------------------------------- */

/* A phase's part of a policy. */
struct side {
	enum sa_phase phase;
	const struct ike_suite *list;
	size_t count;
	uint32_t ciphers, hashes, groups;
};

static struct side side_of(const struct ike_policy *p, enum sa_phase phase)
{
	if (phase == SA_PHASE1)
		return (struct side){phase, p->ike, p->ike_count,
		    p->ike_ciphers, p->ike_hashes, p->ike_groups};
	return (struct side){phase, p->esp, p->esp_count, p->esp_ciphers,
	    p->esp_auths, p->pfs_groups};
}

/* Phase 2 without PFS is accepted unless a list's suite has a group. */
static bool group_in_set(const struct side *s, uint16_t group)
{
	return (s->phase == SA_PHASE2 && !group) ||
	       alg_in_set(s->groups, group);
}

static enum proposal_word refused_by_sets(
    const struct side *s, const struct ike_suite *suite)
{
	const struct alg_cipher *cipher =
	    proposal_cipher_row(s->phase, suite->cipher, suite->key_bits);

	if (!cipher || !(s->ciphers & cipher->bit))
		return PROPOSAL_WORD_CIPHER;
	if (!cipher->is_aead && !alg_in_set(s->hashes, suite->hash))
		return PROPOSAL_WORD_HASH;
	return group_in_set(s, suite->group) ? 0 : PROPOSAL_WORD_GROUP;
}

static enum proposal_word refused_by_list(
    const struct side *s, const struct ike_suite *suite)
{
	enum proposal_word first = PROPOSAL_WORD_CIPHER;

	for (size_t i = 0; i < s->count; i++) {
		const struct ike_suite *mine = &s->list[i];

		if (mine->cipher != suite->cipher ||
		    mine->key_bits != suite->key_bits)
			continue;
		if (mine->hash != suite->hash) {
			if (first < PROPOSAL_WORD_HASH)
				first = PROPOSAL_WORD_HASH;
			continue;
		}
		if (mine->group ? mine->group == suite->group
				: group_in_set(s, suite->group))
			return 0;
		first = PROPOSAL_WORD_GROUP;
	}
	return first;
}

enum proposal_word policy_refuses(const struct ike_policy *policy,
    enum sa_phase phase, const struct ike_suite *suite)
{
	struct side s = side_of(policy, phase);

	return s.count ? refused_by_list(&s, suite)
		       : refused_by_sets(&s, suite);
}

/* --- text --------------------------------------------------------------- */

static void put_list(struct text *t, const struct side *s)
{
	char name[PROPOSAL_SUITE_MAX];

	for (size_t i = 0; i < s->count; i++)
		text_put(t, "%s%s", i ? ", " : "",
		    proposal_suite_text(s->phase, &s->list[i], name));
}

static void put_ciphers(struct text *t, const struct side *s)
{
	const struct alg_cipher *c;

	for (size_t i = 0; (c = s->phase == SA_PHASE1 ? alg_ike_cipher_at(i)
						      : alg_esp_cipher_at(i));
	     i++) {
		if (!(c->bit & s->ciphers) || !c->is_usable)
			continue;
		text_put(t, "%s ", c->name);
	}
}

static void put_hashes(struct text *t, const struct side *s)
{
	const struct alg_hash *h;
	const struct alg_auth *a;

	for (size_t i = 0; s->phase == SA_PHASE1 && (h = alg_hash_at(i)); i++) {
		if (!alg_in_set(s->hashes, h->number) || !h->is_usable)
			continue;
		text_put(t, " %s", h->name);
	}
	for (size_t i = 0; s->phase == SA_PHASE2 && (a = alg_auth_at(i)); i++) {
		if (!alg_in_set(s->hashes, a->number) || !a->is_usable)
			continue;
		text_put(t, " %s", a->name);
	}
}

static void put_groups(struct text *t, const struct side *s)
{
	const struct alg_group *g;

	for (size_t i = 0; (g = alg_group_at(i)); i++) {
		if (!alg_in_set(s->groups, g->number) || !g->is_usable)
			continue;
		text_put(t, " %s", g->name);
	}
}

void policy_put(
    struct text *t, const struct ike_policy *policy, enum sa_phase phase)
{
	struct side s = side_of(policy, phase);

	if (s.count) {
		put_list(t, &s);
		return;
	}
	put_ciphers(t, &s);
	text_put(t, "with");
	put_hashes(t, &s);
	text_put(t, phase == SA_PHASE1 ? " and" : "; PFS none");
	put_groups(t, &s);
}
