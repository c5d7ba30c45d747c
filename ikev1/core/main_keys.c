/* SPDX-License-Identifier: ISC */
/*
 * Which pre-shared key?  Main Mode shows the client's ID only inside message
 * 5, which is encrypted with keys that depend on it (RFC 2409 section 5.4).
 * When the psk file has one key for everybody its SKEYID is here by message
 * 4; otherwise the monitor tries all that the client's address allows.
 */
#include "ikev1/core/main_steps.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/algs.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void main_phase1_of(const struct ike_sa *sa, struct ike_phase1 *out)
{
	*out = (struct ike_phase1){
	    .gxi = bytes_span(&sa->gxi),
	    .gxr = bytes_span(&sa->gxr),
	    .cky_i = {sa->cky_i, COOKIE_LEN},
	    .cky_r = {sa->cky_r, COOKIE_LEN},
	    .sai_b = bytes_span(&sa->sai),
	};
}

int main_derive(struct ike *ike, struct ike_sa *sa)
{
	struct wire_span cky_i = {sa->cky_i, COOKIE_LEN};
	struct wire_span cky_r = {sa->cky_r, COOKIE_LEN};
	struct candidate c;
	int err = candidate_get(bytes_span(&sa->psk), 0, &c);

	if (!err)
		err = keymat_derive(ike->cfg.crypto, &sa->suite,
		    (struct wire_span){c.skeyid, c.skeyid_len},
		    bytes_span(&sa->gxy), cky_i, cky_r, &sa->keys);
	if (err >= 0)
		err = keymat_iv_phase1(ike->cfg.crypto, &sa->keys,
		    bytes_span(&sa->gxi), bytes_span(&sa->gxr), sa->iv);
	sa->psk_entry = c.entry;
	sa->psk_line = c.line;
	secret_wipe(&c, sizeof(c));
	return err < 0 ? err : 0;
}

void main_forget_key(struct ike_sa *sa)
{
	bytes_free(&sa->psk);
	secret_wipe(&sa->keys, sizeof(sa->keys));
	secret_wipe(sa->iv, sizeof(sa->iv));
	sa->psk_entry = 0;
	sa->psk_line = 0;
}

void main_five_free(struct main_five *five)
{
	if (!five)
		return;
	bytes_free(&five->data);
	free(five);
}

/* Copies what an SA of this state has for a trial to one run of memory. */
static void fill_trial(
    const struct ike_sa *sa, struct wire_span five, struct ike_action *a)
{
	struct ike_trial *t = xcalloc(1, sizeof(*t));
	const struct {
		struct wire_span from, *to;
	} parts[] = {
	    {bytes_span(&sa->ni), &t->ni},
	    {bytes_span(&sa->nr), &t->nr},
	    {bytes_span(&sa->gxy), &t->gxy},
	    {bytes_span(&sa->gxi), &t->gxi},
	    {bytes_span(&sa->gxr), &t->gxr},
	    {bytes_span(&sa->sai), &t->sai},
	    {five, &t->five},
	};
	const size_t count = sizeof(parts) / sizeof(parts[0]);

	for (size_t i = 0; i < count; i++)
		a->len += parts[i].from.len;
	a->data = xmalloc(a->len);
	a->len = 0;
	for (size_t i = 0; i < count; i++) {
		*parts[i].to =
		    (struct wire_span){a->data + a->len, parts[i].from.len};
		memcpy(a->data + a->len, parts[i].from.data, parts[i].from.len);
		a->len += parts[i].from.len;
	}
	t->suite = sa->suite;
	memcpy(t->cky_i, sa->cky_i, COOKIE_LEN);
	memcpy(t->cky_r, sa->cky_r, COOKIE_LEN);
	a->trial = t;
}

bool main_ask_trial(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct alg_cipher *alg =
	    alg_ike_cipher(sa->suite.cipher, sa->suite.key_bits);
	struct ike_action *a;

	/* Nobody's message 5: the monitor need not see it. */
	if (!alg || m->body.len % crypto_block_len(alg->cipher))
		return false;
	if (!(m->h.flags & ISAKMP_FLAG_ENCRYPTED) || m->h.message_id ||
	    m->h.next_payload != ISAKMP_PAYLOAD_ID || !m->body.len ||
	    m->body.len > IKE_TRIAL_FIVE_MAX)
		return false;
	a = act(ike, IKE_ACT_TRIAL);
	a->local = sa->local;
	a->peer = sa->peer;
	fill_trial(sa, m->body, a);
	sa->five = xcalloc(1, sizeof(*sa->five));
	bytes_set(&sa->five->data, m->ev->data.data, m->ev->data.len);
	sa->five->local = m->ev->local;
	sa->five->peer = m->ev->peer;
	a->job = ike_job(ike, JOB_TRIAL, sa->own, 0);
	sa_become(ike, sa, SA_TRYING);
	return true;
}

const char *main_key_lines(
    const struct ike_sa *sa, struct wire_span tried, char out[MAIN_LINES_MAX])
{
	struct text t = text_begin(out, MAIN_LINES_MAX);
	struct wire_reader r;

	wire_reader_init(&r, tried.data, tried.len);
	for (size_t i = 0; i < tried.len / 4; i++)
		text_put(&t, "%s%u", i ? ", " : "", wire_get_u32(&r));
	if (!tried.len)
		text_put(&t, "%u", sa->psk_line);
	return out;
}

bool main_hash_i_ok(
    struct ike *ike, const struct ike_sa *sa, const struct message *m)
{
	const struct isakmp_payload *id =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_ID);
	uint8_t right[IKE_KEY_MAX];
	struct ike_phase1 p1;
	int len;

	main_phase1_of(sa, &p1);
	len = keymat_hash_i(ike->cfg.crypto, &sa->keys, &p1, id->body, right);
	return exchange_hash_ok(
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_HASH), right, len);
}

bool main_id_refused(const struct ike_sa *sa, const struct payload_id *id,
    char reason[ISAKMP_REASON_MAX])
{
	char have[PAYLOAD_ID_TEXT_MAX], want[PAYLOAD_ID_TEXT_MAX];
	struct payload_id bound = {0};
	struct candidate c;
	bool is_refused;

	if (candidate_get(bytes_span(&sa->psk), 0, &c)) {
		isakmp_refuse(reason, -EACCES,
		    "whom its key is for can't be read any more");
		return true;
	}
	is_refused = !candidate_allows(&c, id->type, id->data);
	if (is_refused) {
		bound.type = c.id_type;
		bound.data = (struct wire_span){c.id, c.id_len};
		isakmp_refuse(reason, -EACCES,
		    "psk line %u is for the ID %.36s, but the client calls "
		    "itself %.36s: change id= there or the client's ID",
		    c.line, payload_id_text(&bound, want),
		    payload_id_text(id, have));
	}
	secret_wipe(&c, sizeof(c));
	return is_refused;
}
