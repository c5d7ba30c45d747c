/* SPDX-License-Identifier: ISC */
/*
 * Which pre-shared key?  Main Mode shows the client's ID only inside message
 * 5, which is encrypted with keys that depend on it (RFC 2409 section 5.4):
 * all the keys that its address allows are tried.
 */
#include "ikev1/core/main_steps.h"

#include "common/secret.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/text.h"

#include <errno.h>

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

int main_derive(struct ike *ike, struct ike_sa *sa, size_t slot)
{
	struct wire_span cky_i = {sa->cky_i, COOKIE_LEN};
	struct wire_span cky_r = {sa->cky_r, COOKIE_LEN};
	struct candidate c;
	int err = candidate_get(bytes_span(&sa->psks), slot, &c);

	if (!err)
		err = keymat_derive(ike->cfg.crypto, &sa->suite,
		    (struct wire_span){c.skeyid, c.skeyid_len},
		    bytes_span(&sa->gxy), cky_i, cky_r, &sa->keys);
	if (err >= 0)
		err = keymat_iv_phase1(ike->cfg.crypto, &sa->keys,
		    bytes_span(&sa->gxi), bytes_span(&sa->gxr), sa->iv);
	sa->psk_slot = (uint16_t)slot;
	sa->psk_entry = c.entry;
	sa->psk_line = c.line;
	secret_wipe(&c, sizeof(c));
	return err < 0 ? err : 0;
}

const char *main_key_lines(const struct ike_sa *sa, char out[MAIN_LINES_MAX])
{
	struct text t = text_begin(out, MAIN_LINES_MAX);
	struct candidate c;

	for (size_t i = 0; i < sa->psk_count; i++) {
		if (!candidate_get(bytes_span(&sa->psks), i, &c))
			text_put(&t, "%s%u", i ? ", " : "", c.line);
		secret_wipe(&c, sizeof(c));
	}
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

	if (candidate_get(bytes_span(&sa->psks), sa->psk_slot, &c)) {
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

/* 0: does not fit; 1: fits, but is bound to another ID; 2: is the one. */
static int rank_of(struct ike *ike, const struct ike_sa *sa, struct message *m,
    const struct isakmp_script *script)
{
	struct payload_id id;

	if (message_open(ike, sa, m, sa->iv) ||
	    isakmp_script_check(&m->p, script, m->reason) ||
	    !main_hash_i_ok(ike, sa, m) || sa->psk_slot >= sa->psk_count)
		return 0;
	if (payload_id_decode(
		isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_ID)->body, &id,
		m->reason))
		return 1;
	return main_id_refused(sa, &id, m->reason) ? 1 : 2;
}

int main_find_key(struct ike *ike, struct ike_sa *sa, struct message *m,
    const struct isakmp_script *script)
{
	size_t slots = candidate_count(bytes_span(&sa->psks)), best = 0;
	int best_rank = 0;

	/* Nothing to choose: the keys are those of slot 0 already. */
	if (slots == 1)
		return 0;
	for (size_t i = 0; i < slots; i++) {
		int rank, err = main_derive(ike, sa, i);

		/* A weak one is nobody's. */
		if (err == -EKEYREJECTED)
			continue;
		if (err)
			return err;
		rank = rank_of(ike, sa, m, script);
		if (rank > best_rank) {
			best = i;
			best_rank = rank;
		}
	}
	return main_derive(ike, sa, best);
}
