/* SPDX-License-Identifier: ISC */
/*
 * Main Mode with a pre-shared key, as responder (RFC 2409 section 5.4): the
 * scripts of its three messages, duplicates, and who may start.  What each
 * message does is in main_steps.c.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/main_init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * How often message 4 or 6 is repeated for a repeated request: its sender
 * has shown that it is where it says.  A client that repeats every second
 * for a minute, with every third datagram lost, gets through.
 */
#define REPEATS_MAX 60
/* Messages 5 that do not fit, before an exchange hears no more of them:
 * each costs the monitor as many attempts as there are candidate keys. */
#define WRONG_FIVES_MAX 32
#define BLOCK_MIN 8 /* bytes: of every cipher a multiple */

void main_say_refused(struct ike *ike, const struct message *m)
{
	struct refused who = refused_datagram(m->ev,
	    "if this client should work, capture its packets (UDP port 500 "
	    "and 4500) and report them");

	if (!m->is_said)
		act_refuse(ike, &who, "refused: %s", m->reason);
}

/* A message 5 that does not open means another key, most likely.  tried:
 * see main_key_lines(). */
static void wrong_five(struct ike *ike, struct ike_sa *sa,
    const struct ike_event *ev, struct wire_span tried)
{
	struct refused who = refused_sa(sa,
	    "compare the client's key with that line of the psk file, or "
	    "write one for its address");
	char local[ADDR_TEXT_MAX], lines[MAIN_LINES_MAX];

	sa->wrong_fives++;
	if (sa->mismatch_said)
		return;
	sa->mismatch_said = true;
	who.peer = &ev->peer;
	act_refuse(ike, &who,
	    "message 5 to %s does not decrypt or verify: likely pre-shared "
	    "key mismatch (tried: psk line %s)",
	    addr_text(&ev->local, local), main_key_lines(sa, tried, lines));
}

static void repeat_reply(
    struct ike *ike, struct ike_sa *sa, const struct message *m)
{
	if (!sa->last_out.len || sa->replies >= REPEATS_MAX)
		return;
	sa->replies++;
	sa_send_to(ike, sa, &m->ev->local, &m->ev->peer, sa->last_out.data,
	    sa->last_out.len);
}

/* Message 3 shows that the peer heard us: now it may cost something. */
static void third_message(
    struct ike *ike, struct message *m, struct mm1_entry *e)
{
	struct ike_sa *sa;

	/* The peer repeats it; the entry stays. */
	if (!ike_dh_room(ike, IKE_DH_MAIN_MAX)) {
		isakmp_refuse(m->reason, 0,
		    "%d Diffie-Hellman exchanges are waiting", IKE_DH_MAIN_MAX);
		main_say_refused(ike, m);
		return;
	}
	sa = main_sa_of_first(ike, e);
	if (main_run_row(ike, sa, main_row(SA_START), m)) {
		main_say_refused(ike, m);
		sa_free(sa);
		return;
	}
	mm1_remove(ike->mm1, e);
	sa->due_ms = ike->now + ike->cfg.half_open_ms;
	bytes_set(&sa->last_in, m->ev->data.data, m->ev->data.len);
}

/* The first message that m goes on from; NULL. */
static struct mm1_entry *first_of(struct ike *ike, const struct message *m)
{
	struct mm1_entry *e = mm1_find(ike->mm1, m->h.cky_r);

	if (!e || memcmp(e->cky_i, m->h.cky_i, COOKIE_LEN) ||
	    !addr_ip_equal(&e->peer, &m->ev->peer) ||
	    !addr_ip_equal(&e->local, &m->ev->local))
		return NULL;
	return e;
}

/* The key is known: takes the message, or says why not. */
static void take_five(struct ike *ike, struct ike_sa *sa, struct message *m,
    struct wire_span tried)
{
	struct refused who;
	int err = main_run_row(ike, sa, main_row(SA_SENT4), m);

	if (!err) {
		main_established(ike, sa, m);
		return;
	}
	if (err == -EACCES) { /* authenticated, but refused for good */
		who = refused_sa(sa, NULL);
		act_refuse(ike, &who, "refused: %s", m->reason);
		sa_become(ike, sa, SA_DEAD);
		return;
	}
	wrong_five(ike, sa, m->ev, tried);
}

static void message5(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	if (sa->wrong_fives >= WRONG_FIVES_MAX || m->body.len % BLOCK_MIN)
		return;
	if (!sa->psk_late) {
		take_five(ike, sa, m, (struct wire_span){NULL, 0});
	} else if (!main_ask_trial(ike, sa, m)) {
		sa->wrong_fives++;
		isakmp_refuse(m->reason, -EPROTO,
		    "Main Mode message 5 is no encrypted ID payload, or has "
		    "more than %d bytes",
		    IKE_TRIAL_FIVE_MAX);
		main_say_refused(ike, m);
	}
}

/* The monitor gave the key: message 5 is looked at as if it came now. */
static void resume_five(struct ike *ike, struct ike_sa *sa,
    const struct main_five *five, struct wire_span key, struct wire_span tried)
{
	const struct ike_event ev = {
	    .type = IKE_EV_DATAGRAM,
	    .now_ms = ike->now,
	    .local = five->local,
	    .peer = five->peer,
	    .data = bytes_span(&five->data),
	};
	struct message m;

	m.ev = &ev;
	m.p.count = 0;
	m.is_said = false;
	if (isakmp_header_decode(ev.data, &m.h, &m.body, m.reason))
		return;
	bytes_set(&sa->psk, key.data, key.len);
	if (key.len && !main_derive(ike, sa))
		take_five(ike, sa, &m, tried);
	else
		wrong_five(ike, sa, &ev, tried);
	/* One that fits and is wrong in all else leaves nothing behind. */
	if (sa->state == SA_SENT4)
		main_forget_key(sa);
}

void main_trial_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev)
{
	struct refused who = refused_sa(sa, NULL);
	struct main_five *five = sa->five;

	if (sa->state != SA_TRYING)
		return;
	sa->five = NULL;
	sa_become(ike, sa, SA_SENT4);
	if (ev->error || (ev->shared.len && candidate_count(ev->shared) != 1)) {
		act_refuse(ike, &who,
		    "Main Mode ended: the pre-shared keys could not be tried");
		sa_become(ike, sa, SA_DEAD);
	} else {
		resume_five(ike, sa, five, ev->shared, ev->data);
	}
	main_five_free(five);
}

/* A message under an IKE SA that is past message 3. */
static void later_message(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	if (!addr_ip_equal(&sa->peer, &m->ev->peer) ||
	    !addr_ip_equal(&sa->local, &m->ev->local))
		return;
	if (sa->initiator)
		init_input(ike, sa, m);
	else if (sa->state == SA_TRYING)
		return; /* repeated: it is answered in a moment, once */
	else if (wire_span_equal(bytes_span(&sa->last_in), m->ev->data))
		repeat_reply(ike, sa, m);
	else if (sa->state == SA_SENT4)
		message5(ike, sa, m);
}

void main_input(struct ike *ike, struct message *m)
{
	static const uint8_t zero[COOKIE_LEN];
	struct mm1_entry *e;
	struct ike_sa *sa;

	if (!memcmp(m->h.cky_r, zero, COOKIE_LEN)) {
		main_first(ike, m);
		return;
	}
	sa = sa_of_cookies(ike, m->h.cky_i, m->h.cky_r);
	if (!sa)
		sa = init_waiting(ike, m);
	if (sa) {
		later_message(ike, sa, m);
		return;
	}
	e = first_of(ike, m);
	if (e)
		third_message(ike, m, e);
}
