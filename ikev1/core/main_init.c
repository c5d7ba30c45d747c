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

/* The answer that this state waits for; NULL. */
static const struct main_row *awaited(const struct ike_sa *sa)
{
	return sa->initiator ? main_row(sa->state) : NULL;
}

void init_report(struct ike *ike, const struct ike_sa *sa,
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
		init_report(ike, sa, IKE_ACT_CONN_FAILED, full);
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
	const struct main_row *row = awaited(sa);

	if (!row || sa->resend_ms == NEVER)
		return;
	if (ike->now >= sa->resend_ms) {
		if (sa->sent >= sa->persona->retry.tries) {
			init_fail(ike, sa, row->silence);
			return;
		}
		sa_send(ike, sa, sa->last_out.data, sa->last_out.len);
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
	    !awaited(sa) || !addr_ip_equal(&sa->peer, &m->ev->peer))
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

void init_input(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct main_row *row = awaited(sa);
	char text[PROPOSAL_SUITE_MAX];
	int err;

	if (!row)
		return;
	err = main_run_row(ike, sa, row, m);
	if (err == -EACCES) { /* authenticated, and not whom we want */
		init_fail(ike, sa, m->reason);
		return;
	}
	if (err) {
		say_passed_over(ike, sa, m);
		return;
	}
	disarm(sa);
	if (row->next != SA_UP)
		return;
	main_established(ike, sa, m);
	init_report(ike, sa, IKE_ACT_CONN_UP,
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

/* Both jobs of message 4 are done: message 5. */
static void derive_when_ready(struct ike *ike, struct ike_sa *sa)
{
	if (!sa->psk.len || !sa->gxy.len)
		return;
	if (main_derive(ike, sa))
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
	if (sa->state != SA_DERIVING || sa->psk.len)
		return;
	if (ev->error || candidate_count(ev->shared) != 1) {
		init_fail(ike, sa,
		    ev->error == -ENOENT
			? "no pre-shared key for this address in the psk file"
			: "the pre-shared key could not be used");
		return;
	}
	bytes_set(&sa->psk, ev->shared.data, ev->shared.len);
	derive_when_ready(ike, sa);
}
