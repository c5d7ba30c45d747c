/* SPDX-License-Identifier: ISC */
/*
 * Main Mode with a pre-shared key, as responder (RFC 2409 section 5.4): the
 * scripts of its three messages, duplicates, and who may start.  What each
 * message does is in main_steps.c.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/main_steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How often a reply is repeated for a repeated request. */
#define REPEATS_UNKNOWN 3 /* anyone can send a message 1 */
#define REPEATS_KNOWN 10  /* the address has answered us */

static const struct isakmp_rule rules1[] = {
    {ISAKMP_PAYLOAD_SA, 1, 1},
    {ISAKMP_PAYLOAD_VID, 0, 31},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 2},
};
static const struct isakmp_rule rules3[] = {
    {ISAKMP_PAYLOAD_KE, 1, 1},
    {ISAKMP_PAYLOAD_NONCE, 1, 1},
    {ISAKMP_PAYLOAD_NAT_D, 0, 16},
    {ISAKMP_PAYLOAD_NAT_D_DRAFT, 0, 16},
    {ISAKMP_PAYLOAD_VID, 0, 16},
    {ISAKMP_PAYLOAD_CERTREQ, 0, 4},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 2},
};
static const struct isakmp_rule rules5[] = {
    {ISAKMP_PAYLOAD_ID, 1, 1},
    {ISAKMP_PAYLOAD_HASH, 1, 1},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 4},
    {ISAKMP_PAYLOAD_VID, 0, 16},
};

#define RULES(r) r, sizeof(r) / sizeof((r)[0])

/* One row for each message that a state can take. */
static const struct main_row {
	enum sa_state state;
	bool is_encrypted;
	struct isakmp_script script;
	main_step_fn step;
	enum sa_state next;
} rows[] = {
    {SA_START, false, {"Main Mode message 1", ISAKMP_PAYLOAD_SA, RULES(rules1)},
	main_step1, SA_SENT2},
    {SA_SENT2, false,
	{"Main Mode message 3", ISAKMP_PAYLOAD_NONE, RULES(rules3)}, main_step3,
	SA_KEYING},
    {SA_SENT4, true, {"Main Mode message 5", ISAKMP_PAYLOAD_ID, RULES(rules5)},
	main_step5, SA_UP},
};

static const struct main_row *find_row(enum sa_state state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].state == state)
			return &rows[i];
	}
	return NULL;
}

static void say_refused(struct ike *ike, const struct message *m)
{
	char peer[ADDR_TEXT_MAX];

	if (act_log_allowed(ike))
		act_log(ike, IKE_LOG_INFO, "%s: refused: %s",
		    addr_text(&m->ev->peer, peer), m->reason);
}

/* A message 5 that does not open means another key, most likely. */
static void say_mismatch(
    struct ike *ike, struct ike_sa *sa, const struct message *m)
{
	char peer[ADDR_TEXT_MAX], local[ADDR_TEXT_MAX];

	if (sa->mismatch_said || !act_log_allowed(ike))
		return;
	sa->mismatch_said = true;
	act_log(ike, IKE_LOG_WARN,
	    "%s -> %s: message 5 does not decrypt or verify: likely "
	    "pre-shared key mismatch (check the psk file's line for this "
	    "client)",
	    addr_text(&m->ev->peer, peer), addr_text(&m->ev->local, local));
}

/* Opens and checks one message, then lets its step act. */
static int run_row(struct ike *ike, struct ike_sa *sa,
    const struct main_row *row, struct message *m)
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

static void repeat_reply(
    struct ike *ike, struct ike_sa *sa, const struct message *m)
{
	uint8_t most = sa->state == SA_SENT2 ? REPEATS_UNKNOWN : REPEATS_KNOWN;

	if (!sa->last_out.len || sa->replies >= most)
		return;
	sa->replies++;
	act_send(ike, &m->ev->local, &m->ev->peer, sa->last_out.data,
	    sa->last_out.len);
}

static void origin_key(uint8_t out[ORIGIN_LEN], const struct message *m)
{
	struct wire_writer w;

	wire_writer_init(&w, out, ORIGIN_LEN);
	wire_put_bytes(&w, m->h.cky_i, COOKIE_LEN);
	wire_put_u8(&w, m->ev->peer.family);
	wire_put_bytes(&w, m->ev->peer.ip, sizeof(m->ev->peer.ip));
	wire_put_u16(&w, m->ev->peer.port);
}

static void first_message(struct ike *ike, struct message *m)
{
	uint8_t origin[ORIGIN_LEN];
	struct ike_sa *sa;

	origin_key(origin, m);
	HASH_FIND(by_origin, ike->origins, origin, ORIGIN_LEN, sa);
	if (sa) {
		if (sa->state == SA_SENT2 &&
		    wire_span_equal(bytes_span(&sa->last_in), m->ev->data))
			repeat_reply(ike, sa, m);
		return;
	}
	if (HASH_COUNT(ike->sas) - ike->half_open_count >= ike->cfg.max_sas) {
		isakmp_refuse(
		    m->reason, 0, "all %u IKE SAs are taken", ike->cfg.max_sas);
		say_refused(ike, m);
		return;
	}
	sa = sa_new(ike, false);
	if (!sa)
		return;
	memcpy(sa->origin, origin, ORIGIN_LEN);
	memcpy(sa->cky_i, m->h.cky_i, COOKIE_LEN);
	sa->local = m->ev->local;
	sa->peer = m->ev->peer;
	if (run_row(ike, sa, find_row(SA_START), m)) {
		say_refused(ike, m);
		sa_free(sa);
		return;
	}
	sa->due_ms = ike->now + ike->cfg.half_open_ms;
	ike_wake(ike, sa->due_ms);
	bytes_set(&sa->last_in, m->ev->data.data, m->ev->data.len);
}

void main_message5(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	int err = run_row(ike, sa, find_row(SA_SENT4), m);

	if (!err) {
		main_established(ike, sa, m);
		return;
	}
	if (err == -EACCES) { /* authenticated, but refused for good */
		say_refused(ike, m);
		sa_become(ike, sa, SA_DEAD);
		return;
	}
	if (main_next_psk(ike, sa, m))
		return;
	say_mismatch(ike, sa, m);
}

void main_input(struct ike *ike, struct message *m)
{
	static const uint8_t zero[COOKIE_LEN];
	const struct main_row *row;
	struct ike_sa *sa;

	if (!memcmp(m->h.cky_r, zero, COOKIE_LEN)) {
		first_message(ike, m);
		return;
	}
	sa = sa_of_cookies(ike, m->h.cky_i, m->h.cky_r);
	if (!sa || !addr_ip_equal(&sa->peer, &m->ev->peer))
		return;
	if (wire_span_equal(bytes_span(&sa->last_in), m->ev->data)) {
		repeat_reply(ike, sa, m);
		return;
	}
	row = find_row(sa->state);
	if (!row)
		return;
	if (sa->state == SA_SENT4) {
		if (!sa->pending.len)
			main_message5(ike, sa, m);
		return;
	}
	if (run_row(ike, sa, row, m)) {
		say_refused(ike, m);
		return;
	}
	sa->replies = 0;
	bytes_free(&sa->last_out);
	bytes_set(&sa->last_in, m->ev->data.data, m->ev->data.len);
}
