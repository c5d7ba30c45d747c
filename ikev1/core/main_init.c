/* SPDX-License-Identifier: ISC */
/*
 * Main Mode with a pre-shared key as initiator (RFC 2409 section 5.4): who
 * starts it, the scripts of its answers, retransmission.  How messages look
 * is the persona's; what each one does is in main_init_steps.c.
 *
 * Until message 6 is right nothing that comes proves anything: a wrong
 * answer is passed over and the right one awaited until the retries are
 * used up.  What was seen meanwhile explains the failure then.
 */
#include "ikev1/core/main_init.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/payload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* However often it is sent: no handshake takes longer. */
#define HANDSHAKE_MAX_MS 600000

static const struct isakmp_rule rules2[] = {
    {ISAKMP_PAYLOAD_SA, 1, 1},
    {ISAKMP_PAYLOAD_VID, 0, 30},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 2},
};
static const struct isakmp_rule rules4[] = {
    {ISAKMP_PAYLOAD_KE, 1, 1},
    {ISAKMP_PAYLOAD_NONCE, 1, 1},
    {ISAKMP_PAYLOAD_NAT_D, 0, 16},
    {ISAKMP_PAYLOAD_NAT_D_DRAFT, 0, 16},
    {ISAKMP_PAYLOAD_VID, 0, 16},
    {ISAKMP_PAYLOAD_CERTREQ, 0, 4},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 2},
};
static const struct isakmp_rule rules6[] = {
    {ISAKMP_PAYLOAD_ID, 1, 1},
    {ISAKMP_PAYLOAD_HASH, 1, 1},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 4},
    {ISAKMP_PAYLOAD_VID, 0, 16},
};

#define RULES(r) r, sizeof(r) / sizeof((r)[0])

/* One row for each answer that is awaited. */
static const struct init_row {
	enum sa_state state;
	bool is_encrypted;
	struct isakmp_script script;
	main_step_fn step;
	enum sa_state next;
	const char *silence; /* what no answer means, most likely */
} rows[] = {
    {SA_SENT1, false, {"Main Mode message 2", ISAKMP_PAYLOAD_SA, RULES(rules2)},
	init_take2, SA_GENERATING, "no answer to message 1"},
    {SA_SENT3, false,
	{"Main Mode message 4", ISAKMP_PAYLOAD_NONE, RULES(rules4)}, init_take4,
	SA_DERIVING, "no answer to message 3"},
    {SA_SENT5, true, {"Main Mode message 6", ISAKMP_PAYLOAD_ID, RULES(rules6)},
	init_take6, SA_UP,
	"no answer to message 5: the pre-shared keys differ, or UDP 4500 "
	"does not get through"},
};

static const struct init_row *find_row(enum sa_state state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].state == state)
			return &rows[i];
	}
	return NULL;
}

static void report(struct ike *ike, const struct ike_sa *sa,
    enum ike_action_type type, const char *text)
{
	struct ike_action *a;

	if (!sa->conn)
		return;
	a = act(ike, type);
	a->job = sa->conn;
	a->local = sa->local;
	a->peer = sa->peer;
	a->text = xstrdup(text);
}

void init_fail(struct ike *ike, struct ike_sa *sa, const char *why)
{
	char text[SA_TEXT_MAX], hint[ISAKMP_NAME_MAX], full[256];

	if (sa->hint)
		snprintf(full, sizeof(full),
		    "%s; somebody said %s in its name, without proof", why,
		    isakmp_name_text(ISAKMP_REG_NOTIFY, sa->hint, hint));
	else
		snprintf(full, sizeof(full), "%s", why);
	act_log(ike, IKE_LOG_WARN, "%s: no IKE SA%s: %s", sa_text(sa, text),
	    sa->is_rekey ? " in place of the old one" : "", full);
	if (sa->is_rekey)
		sa_rekey_failed(ike, sa);
	else
		report(ike, sa, IKE_ACT_CONN_FAILED, full);
	sa_become(ike, sa, SA_DEAD);
}

/* The wait after a message that has left tries times. */
static void arm(struct ike *ike, struct ike_sa *sa)
{
	const struct persona_retry *r = &sa->persona->retry;
	uint64_t wait =
	    sa->sent ? (uint64_t)sa->wait_ms * r->percent / 100 : r->first_ms;

	sa->wait_ms = (uint32_t)(wait < r->max_ms ? wait : r->max_ms);
	sa->sent++;
	sa->resend_ms = ike->now + sa->wait_ms;
	sa_wake(ike, sa, sa->resend_ms);
}

static void disarm(struct ike_sa *sa)
{
	sa->sent = 0;
	sa->resend_ms = NEVER;
}

void init_timer(struct ike *ike, struct ike_sa *sa)
{
	const struct init_row *row = find_row(sa->state);

	if (!row || sa->resend_ms == NEVER)
		return;
	if (ike->now >= sa->resend_ms) {
		if (sa->sent >= sa->persona->retry.tries) {
			init_fail(ike, sa, row->silence);
			return;
		}
		act_send(ike, &sa->local, &sa->peer, sa->last_out.data,
		    sa->last_out.len);
		arm(ike, sa);
	}
	sa_wake(ike, sa, sa->resend_ms);
}

void init_connect(struct ike *ike, const struct ike_event *ev)
{
	struct ike_sa *sa = sa_new(ike);

	if (!sa) {
		struct ike_action *a = act(ike, IKE_ACT_CONN_FAILED);

		a->job = ev->job;
		a->text = xstrdup("no random bytes");
		return;
	}
	sa->persona = ev->persona;
	sa->conn = ev->job;
	sa->local = ev->local;
	sa->peer = ev->peer;
	init_begin(ike, sa);
}

bool init_is_renewal(const struct ike_sa *sa)
{
	return sa->is_rekey || (sa->initiator && !sa->conn);
}

void init_begin(struct ike *ike, struct ike_sa *sa)
{
	sa->forced = ike_policy_for(ike, &sa->peer)->force_encap;
	sa_become(ike, sa, SA_SENT1);
	sa->due_ms = ike->now + HANDSHAKE_MAX_MS;
	sa_wake(ike, sa, sa->due_ms);
	if (init_send1(ike, sa))
		init_fail(ike, sa, "message 1 could not be built");
	else
		arm(ike, sa);
}

struct ike_sa *init_waiting(struct ike *ike, const struct message *m)
{
	struct ike_sa *sa = sa_find(ike, m->h.cky_i);

	return sa && sa->initiator && sa->state == SA_SENT1 ? sa : NULL;
}

bool init_hint(struct ike *ike, struct message *m)
{
	struct ike_sa *sa = sa_find(ike, m->h.cky_i);
	const struct isakmp_payload *p;
	struct payload_notify n;
	char name[ISAKMP_NAME_MAX], text[SA_TEXT_MAX];

	if (m->h.flags & ISAKMP_FLAG_ENCRYPTED || !sa || !sa->initiator ||
	    !find_row(sa->state) || !addr_ip_equal(&sa->peer, &m->ev->peer))
		return false;
	if (message_open(ike, sa, m, NULL) ||
	    !(p = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NOTIFY)) ||
	    payload_notify_decode(p->body, &n, m->reason) || sa->hint == n.type)
		return true;
	sa->hint = n.type;
	if (act_log_allowed(ike))
		act_log(ike, IKE_LOG_INFO,
		    "%s: %s, which anyone could have sent: still waiting",
		    sa_text(sa, text),
		    isakmp_name_text(ISAKMP_REG_NOTIFY, n.type, name));
	return true;
}

static void say_passed_over(
    struct ike *ike, const struct ike_sa *sa, const struct message *m)
{
	char text[SA_TEXT_MAX];

	if (act_log_allowed(ike))
		act_log(ike, IKE_LOG_INFO, "%s: passed over: %s",
		    sa_text(sa, text), m->reason);
}

/* Opens and checks one answer, then lets its step act. */
static int run_row(struct ike *ike, struct ike_sa *sa,
    const struct init_row *row, struct message *m)
{
	bool is_encrypted = m->h.flags & ISAKMP_FLAG_ENCRYPTED;
	int err;

	if (is_encrypted != row->is_encrypted || m->h.message_id)
		return isakmp_refuse(m->reason, -EPROTO,
		    "%s has the wrong flags or message id", row->script.name);
	err = message_open(ike, sa, m, sa->iv);
	if (!err)
		err = isakmp_script_check(&m->p, &row->script, m->reason);
	return err ? err : row->step(ike, sa, m);
}

void init_input(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct init_row *row = find_row(sa->state);
	char text[PROPOSAL_SUITE_MAX];

	if (!row)
		return;
	if (run_row(ike, sa, row, m)) {
		say_passed_over(ike, sa, m);
		return;
	}
	disarm(sa);
	sa_become(ike, sa, row->next);
	if (row->next != SA_UP)
		return;
	main_established(ike, sa, m);
	report(ike, sa, IKE_ACT_CONN_UP,
	    proposal_suite_text(SA_PHASE1, &sa->suite, text));
	/* Without conn it is for a peer that has lost its IKE SA. */
	if (!sa->is_rekey && sa->conn)
		quick_start(ike, sa, NULL);
}

/* Sends with fn, then waits in that state. */
static void go_on(struct ike *ike, struct ike_sa *sa,
    int (*fn)(struct ike *ike, struct ike_sa *sa), enum sa_state next)
{
	if (fn(ike, sa)) {
		init_fail(ike, sa, "the next message could not be built");
		return;
	}
	sa_become(ike, sa, next);
	arm(ike, sa);
}

/* A rekey uses the old one's entry; otherwise the best match comes first. */
static size_t key_slot(const struct ike_sa *sa)
{
	struct candidate c;

	for (size_t i = 0; init_is_renewal(sa) && i < sa->psk_count; i++) {
		bool is_same = !candidate_get(bytes_span(&sa->psks), i, &c) &&
			       c.entry == sa->psk_entry;

		secret_wipe(&c, sizeof(c));
		if (is_same)
			return i;
	}
	return 0;
}

/* Both jobs of message 4 are done: message 5. */
static void derive_when_ready(struct ike *ike, struct ike_sa *sa)
{
	if (!sa->psks.len || !sa->gxy.len)
		return;
	if (main_derive(ike, sa, key_slot(sa)))
		init_fail(ike, sa, "the keys could not be computed");
	else
		go_on(ike, sa, init_send5, SA_SENT5);
}

static bool came_back(struct ike *ike, struct ike_sa *sa, int error, size_t len)
{
	if (!error && len)
		return true;
	init_fail(ike, sa,
	    error == -EINVAL ? "the peer's Diffie-Hellman value is invalid"
			     : "Diffie-Hellman failed");
	return false;
}

void init_dh_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev)
{
	if (sa->state == SA_GENERATING && !sa->priv.len) {
		if (!came_back(ike, sa, ev->error, ev->shared.len))
			return;
		bytes_set(&sa->gxi, ev->pub.data, ev->pub.len);
		bytes_set(&sa->priv, ev->shared.data, ev->shared.len);
		go_on(ike, sa, init_send3, SA_SENT3);
	} else if (sa->state == SA_DERIVING && !sa->gxy.len) {
		if (!came_back(ike, sa, ev->error, ev->shared.len))
			return;
		bytes_set(&sa->gxy, ev->shared.data, ev->shared.len);
		bytes_free(&sa->priv);
		derive_when_ready(ike, sa);
	}
}

void init_psk_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev)
{
	if (sa->state != SA_DERIVING || sa->psks.len)
		return;
	if (ev->error || !ev->psk_count || !candidate_count(ev->shared)) {
		init_fail(ike, sa,
		    ev->error == -ENOENT
			? "no pre-shared key for this address in the psk file"
			: "the pre-shared key could not be used");
		return;
	}
	bytes_set(&sa->psks, ev->shared.data, ev->shared.len);
	sa->psk_count = ev->psk_count;
	derive_when_ready(ike, sa);
}
