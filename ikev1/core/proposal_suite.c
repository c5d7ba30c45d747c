/* SPDX-License-Identifier: ISC */
/* Suites to text and back. */
#include "ikev1/core/proposal_suite.h"

#include <errno.h>
#include <string.h>

const struct alg_cipher *proposal_cipher_row(
    enum sa_phase phase, uint16_t number, uint16_t key_bits)
{
	return phase == SA_PHASE1 ? alg_ike_cipher(number, key_bits)
				  : alg_esp_cipher(number, key_bits);
}

static void put_cipher(
    struct text *t, enum sa_phase phase, uint16_t number, uint16_t key_bits)
{
	const struct alg_cipher *row =
	    proposal_cipher_row(phase, number, key_bits);
	char name[ISAKMP_NAME_MAX];

	if (row) {
		text_put(t, "%s", row->name);
		return;
	}
	isakmp_name_text(
	    phase == SA_PHASE1 ? ISAKMP_REG_IKE_CIPHER : ISAKMP_REG_ESP_CIPHER,
	    number, name);
	text_put(t, "%s", name);
	if (key_bits)
		text_put(t, "/%u", key_bits);
}

static void put_hash(struct text *t, enum sa_phase phase, uint16_t number)
{
	const struct alg_hash *hash = alg_hash(number);
	const struct alg_auth *auth = alg_auth(number);
	char name[ISAKMP_NAME_MAX];

	if (phase == SA_PHASE1)
		text_put(t, "-%s",
		    hash ? hash->name
			 : isakmp_name_text(ISAKMP_REG_IKE_HASH, number, name));
	else
		text_put(t, "-%s",
		    auth ? auth->name
			 : isakmp_name_text(ISAKMP_REG_ESP_AUTH, number, name));
}

static void put_group(struct text *t, uint16_t number)
{
	char name[ISAKMP_NAME_MAX];

	text_put(t, "-%s", isakmp_name_text(ISAKMP_REG_GROUP, number, name));
}

void proposal_suite_put(struct text *t, enum sa_phase phase,
    const struct ike_suite *suite, enum proposal_word last)
{
	const struct alg_cipher *row =
	    proposal_cipher_row(phase, suite->cipher, suite->key_bits);

	put_cipher(t, phase, suite->cipher, suite->key_bits);
	if (last >= PROPOSAL_WORD_HASH &&
	    (!row || !row->is_aead || suite->hash))
		put_hash(t, phase, suite->hash);
	if (last >= PROPOSAL_WORD_GROUP)
		put_group(t, suite->group);
}

const char *proposal_suite_text(enum sa_phase phase,
    const struct ike_suite *suite, char out[PROPOSAL_SUITE_MAX])
{
	struct text t = text_begin(out, PROPOSAL_SUITE_MAX);
	bool has_group = phase == SA_PHASE1 || suite->group;

	proposal_suite_put(&t, phase, suite,
	    has_group ? PROPOSAL_WORD_GROUP : PROPOSAL_WORD_HASH);
	return out;
}

/* One word of a suite; *text moves behind it and its hyphen. */
static struct wire_span take_word(const char **text)
{
	size_t len = strcspn(*text, "-");
	struct wire_span word = wire_span_of(*text, len);

	*text += len + ((*text)[len] == '-');
	return word;
}

/* What became of one word. */
struct word_result {
	bool is_known, is_usable, is_aead;
	uint16_t number, key_bits;
};

static struct word_result find_cipher(enum sa_phase phase, struct wire_span w)
{
	const char *name = (const char *)w.data;
	const struct alg_cipher *row =
	    phase == SA_PHASE1 ? alg_ike_cipher_by_name(name, w.len)
			       : alg_esp_cipher_by_name(name, w.len);

	if (!row)
		return (struct word_result){0};
	return (struct word_result){
	    true, row->is_usable, row->is_aead, row->number, row->key_bits};
}

static struct word_result find_hash(enum sa_phase phase, struct wire_span w)
{
	const char *name = (const char *)w.data;
	const struct alg_hash *hash = alg_hash_by_name(name, w.len);
	const struct alg_auth *auth = alg_auth_by_name(name, w.len);

	if (phase == SA_PHASE1 && hash)
		return (struct word_result){
		    true, hash->is_usable, false, hash->number, 0};
	if (phase == SA_PHASE2 && auth)
		return (struct word_result){
		    true, auth->is_usable, false, auth->number, 0};
	return (struct word_result){0};
}

static struct word_result find_group(enum sa_phase phase, struct wire_span w)
{
	const struct alg_group *row =
	    alg_group_by_name((const char *)w.data, w.len);

	(void)phase;
	if (!row)
		return (struct word_result){0};
	return (struct word_result){
	    true, row->is_usable, false, row->number, 0};
}

typedef struct word_result (*find_word_fn)(enum sa_phase, struct wire_span);

/* The words of a suite in their order. */
static const struct {
	const char *what;
	find_word_fn find;
} suite_words[] = {
    {"cipher", find_cipher},
    {"hash", find_hash},
    {"group", find_group},
};

#define SUITE_WORDS (sizeof(suite_words) / sizeof(suite_words[0]))

/* Takes the next word, which must be of that kind. */
static int parse_word(enum sa_phase phase, const char *text, const char **rest,
    size_t kind, struct word_result *out, char reason[ISAKMP_REASON_MAX])
{
	struct wire_span word = take_word(rest);
	int shown = word.len > 30 ? 30 : (int)word.len;

	*out = suite_words[kind].find(phase, word);
	if (!out->is_known)
		return isakmp_refuse(reason, -EINVAL,
		    "\"%.60s\": \"%.*s\" is no %s of %s", text, shown,
		    (const char *)word.data, suite_words[kind].what,
		    phase == SA_PHASE1 ? "phase 1" : "ESP");
	if (!out->is_usable)
		return isakmp_refuse(reason, -ENOTSUP,
		    "\"%.60s\": \"%.*s\" is too weak or not implemented", text,
		    shown, (const char *)word.data);
	return 0;
}

static const char *suite_form(enum sa_phase phase, bool is_aead)
{
	if (phase == SA_PHASE1)
		return "cipher-hash-group";
	return is_aead ? "cipher[-group]" : "cipher-hash[-group]";
}

int proposal_suite_parse(enum sa_phase phase, const char *text,
    struct ike_suite *out, char reason[ISAKMP_REASON_MAX])
{
	struct word_result found[SUITE_WORDS] = {{0}};
	size_t required = phase == SA_PHASE1 ? SUITE_WORDS : SUITE_WORDS - 1;
	const char *rest = text;
	size_t n = 0;

	while (n < SUITE_WORDS && *rest) {
		int err = parse_word(phase, text, &rest, n, &found[n], reason);

		if (err)
			return err;
		/* An AEAD cipher has no hash beside it. */
		n += found[n].is_aead ? 2 : 1;
	}
	if (n < required || *rest || text[strlen(text) - 1] == '-')
		return isakmp_refuse(reason, -EINVAL,
		    "\"%.60s\" is not of the form %s", text,
		    suite_form(phase, found[0].is_aead));
	*out = (struct ike_suite){.cipher = found[0].number,
	    .key_bits = found[0].key_bits,
	    .hash = found[1].number,
	    .group = found[2].number};
	return 0;
}
