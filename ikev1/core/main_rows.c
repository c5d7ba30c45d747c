/* SPDX-License-Identifier: ISC */
/*
 * Main Mode's messages behind the first, as a table for both roles: what
 * each may hold, which step takes it, where it leads (RFC 2409 section
 * 5.4).
 */
#include "ikev1/core/main_init.h"
#include "ikev1/core/main_steps.h"

#include <errno.h>

static const struct isakmp_rule choice[] = {
    {ISAKMP_PAYLOAD_SA, 1, 1},
    {ISAKMP_PAYLOAD_VID, 0, 30},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 2},
};
static const struct isakmp_rule keys[] = {
    {ISAKMP_PAYLOAD_KE, 1, 1},
    {ISAKMP_PAYLOAD_NONCE, 1, 1},
    {ISAKMP_PAYLOAD_NAT_D, 0, 16},
    {ISAKMP_PAYLOAD_NAT_D_DRAFT, 0, 16},
    {ISAKMP_PAYLOAD_VID, 0, 16},
    {ISAKMP_PAYLOAD_CERTREQ, 0, 4},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 2},
};
static const struct isakmp_rule proof[] = {
    {ISAKMP_PAYLOAD_ID, 1, 1},
    {ISAKMP_PAYLOAD_HASH, 1, 1},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 4},
    {ISAKMP_PAYLOAD_VID, 0, 16},
};

#define RULES(r) r, sizeof(r) / sizeof((r)[0])

static const struct main_row rows[] = {
    /* as responder */
    {SA_START, false, {"Main Mode message 3", ISAKMP_PAYLOAD_NONE, RULES(keys)},
	main_step3, SA_KEYING, NULL},
    {SA_SENT4, true, {"Main Mode message 5", ISAKMP_PAYLOAD_ID, RULES(proof)},
	main_step5, SA_UP, NULL},
    /* as initiator */
    {SA_SENT1, false, {"Main Mode message 2", ISAKMP_PAYLOAD_SA, RULES(choice)},
	init_take2, SA_GENERATING, "no answer to message 1"},
    {SA_SENT3, false, {"Main Mode message 4", ISAKMP_PAYLOAD_NONE, RULES(keys)},
	init_take4, SA_DERIVING, "no answer to message 3"},
    {SA_SENT5, true, {"Main Mode message 6", ISAKMP_PAYLOAD_ID, RULES(proof)},
	init_take6, SA_UP,
	"no answer to message 5: the pre-shared keys differ, or UDP 4500 "
	"does not get through"},
};

const struct main_row *main_row(enum sa_state state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].state == state)
			return &rows[i];
	}
	return NULL;
}

int main_run_row(struct ike *ike, struct ike_sa *sa, const struct main_row *row,
    struct message *m)
{
	bool is_encrypted = m->h.flags & ISAKMP_FLAG_ENCRYPTED;
	int err;

	if (is_encrypted != row->is_encrypted || m->h.message_id)
		return isakmp_refuse(m->reason, -EPROTO,
		    "%s has the wrong flags or message id", row->script.name);
	err = message_open(ike, sa, m, sa->iv);
	if (!err)
		err = isakmp_script_check(&m->p, &row->script, m->reason);
	if (!err)
		err = row->step(ike, sa, m);
	if (!err)
		sa_become(ike, sa, row->next);
	return err;
}
