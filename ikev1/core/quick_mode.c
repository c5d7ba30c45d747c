/* SPDX-License-Identifier: ISC */
/*
 * Quick Mode as responder (RFC 2409 section 5.5): its messages, duplicates
 * and retransmissions.  Nothing in a message counts before its HASH is
 * right.
 */
#include "ikev1/core/quick_init.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/main_init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS_MAX 60	  /* of message 2 or 3, when asked for */
#define WAIT3_MAX_MS 4000 /* or some losses take half a minute */

static const struct isakmp_rule rules1[] = {
    {ISAKMP_PAYLOAD_HASH, 1, 1},
    {ISAKMP_PAYLOAD_SA, 1, 1},
    {ISAKMP_PAYLOAD_NONCE, 1, 1},
    {ISAKMP_PAYLOAD_KE, 0, 1},
    {ISAKMP_PAYLOAD_ID, 0, 2},
    {ISAKMP_PAYLOAD_NAT_OA, 0, 2},
    {ISAKMP_PAYLOAD_NAT_OA_DRAFT, 0, 2},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 4},
    {ISAKMP_PAYLOAD_VID, 0, 4},
};
static const struct isakmp_rule rules3[] = {
    {ISAKMP_PAYLOAD_HASH, 1, 1},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 4},
};

#define RULES(r) r, sizeof(r) / sizeof((r)[0])

static int hash1(struct ike *ike, const struct quick *q,
    const struct message *m, uint8_t *out)
{
	return keymat_hash1(ike->cfg.crypto, &q->sa->keys, q->msgid,
	    isakmp_payloads_rest(&m->p, &m->p.item[0]), out);
}

static int hash2(struct ike *ike, const struct quick *q,
    const struct message *m, uint8_t *out)
{
	return keymat_hash2(ike->cfg.crypto, &q->sa->keys, q->msgid,
	    bytes_span(&q->ni), isakmp_payloads_rest(&m->p, &m->p.item[0]),
	    out);
}

static int hash3(struct ike *ike, const struct quick *q,
    const struct message *m, uint8_t *out)
{
	(void)m;
	return keymat_hash3(ike->cfg.crypto, &q->sa->keys, q->msgid,
	    bytes_span(&q->ni), bytes_span(&q->nr), out);
}

static void step3(struct ike *ike, struct quick *q, struct message *m);

/* One row for each message that a state can take. */
static const struct quick_row {
	enum quick_state state;
	struct isakmp_script script;
	int (*hash)(struct ike *ike, const struct quick *q,
	    const struct message *m, uint8_t *out);
	void (*step)(struct ike *ike, struct quick *q, struct message *m);
} rows[] = {
    {QUICK_START, {"Quick Mode message 1", ISAKMP_PAYLOAD_HASH, RULES(rules1)},
	hash1, quick_accept},
    {QUICK_SENT, {"Quick Mode message 3", ISAKMP_PAYLOAD_HASH, RULES(rules3)},
	hash3, step3},
    {QUICK_OFFERED,
	{"Quick Mode message 2", ISAKMP_PAYLOAD_HASH, RULES(rules1)}, hash2,
	quick_init_answer},
};

static const struct quick_row *find_row(enum quick_state state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].state == state)
			return &rows[i];
	}
	return NULL;
}

struct quick *quick_find(struct ike_sa *sa, uint32_t msgid)
{
	struct quick *q = sa->quicks;

	while (q && q->msgid != msgid)
		q = q->next;
	return q;
}

void quick_leave_peer(struct ike *ike, struct quick *q)
{
	struct peer *p = q->peer;

	q->peer = NULL;
	if (!p)
		return;
	p->users--;
	peer_check(ike, p);
}

/* Leaves its IKE SA and its peer; an unfinished pair of SAs goes too. */
static void unlink_quick(struct ike *ike, struct quick *q, enum quick_state was)
{
	struct quick **at = &q->sa->quicks;
	struct child *c = q->spi_in ? child_find(ike, q->spi_in) : NULL;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->next_dead = ike->dead_quicks;
	ike->dead_quicks = q;
	sa_touch(ike, q->sa);
	if (c && (c->state == CHILD_NEW || c->state == CHILD_HALF))
		child_end(ike, c, q->sa->state == SA_UP);
	if (q->is_renewal && q->peer)
		rekey_failed(ike, q->peer);
	quick_leave_peer(ike, q);
	if (q->is_ours && !q->is_renewal && !ike->closing &&
	    (q->why || was != QUICK_CONFIRMED))
		init_report(ike, q->sa, IKE_ACT_CONN_FAILED,
		    q->why ? q->why : "its IKE SA ended before Quick Mode");
}

void quick_become(struct ike *ike, struct quick *q, enum quick_state state)
{
	enum quick_state was = q->state;

	if (was == QUICK_DEAD || was == state)
		return;
	q->state = state;
	if (quick_is_recorded(q) && state != QUICK_DONE)
		sa_touch(ike, q->sa);
	else
		sa_touch_later(ike, q->sa);
	if (state == QUICK_DEAD)
		unlink_quick(ike, q, was);
}

void quick_fail(struct ike *ike, struct quick *q, const char *why)
{
	if (q->state != QUICK_DEAD)
		text_set(&q->why, why);
	quick_become(ike, q, QUICK_DEAD);
}

void quick_free(struct quick *q)
{
	struct bytes *all[] = {&q->first, &q->sai, &q->ni, &q->nr, &q->idci,
	    &q->idcr, &q->ke, &q->shared, &q->reply};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		bytes_free(all[i]);
	free(q->why);
	secret_free(q, sizeof(*q));
}

static void say_refused(
    struct ike *ike, const struct ike_sa *sa, const struct message *m)
{
	struct refused who = refused_sa(sa, NULL);

	/* Anyone who saw the cookies can send these. */
	who.is_limited = true;
	act_refuse(ike, &who, "Quick Mode %08x refused: %s", m->h.message_id,
	    m->reason);
}

/* Opens, authenticates, checks.  0, or -errno with a reason. */
static int take(struct ike *ike, struct quick *q, const struct quick_row *row,
    const uint8_t *iv, struct message *m)
{
	uint8_t right[IKE_KEY_MAX];
	int err = message_open(ike, q->sa, m, iv);
	int len;

	if (err)
		return err;
	if (!m->p.count || m->p.item[0].type != ISAKMP_PAYLOAD_HASH)
		return isakmp_refuse(
		    m->reason, -EBADMSG, "HASH does not come first");
	len = row->hash(ike, q, m, right);
	if (!exchange_hash_ok(&m->p.item[0], right, len))
		return isakmp_refuse(m->reason, -EBADMSG, "HASH is wrong");
	memcpy(q->iv, m->iv, sizeof(q->iv));
	info_heard(ike, q->sa);
	peer_sa_moved(ike, q->sa, m->ev);
	return 0;
}

size_t quick_count(const struct ike_sa *sa)
{
	const struct quick *q;
	size_t n = 0;

	for (q = sa->quicks; q; q = q->next)
		n++;
	return n;
}

struct quick *quick_new(struct ike *ike, struct ike_sa *sa, uint32_t msgid)
{
	struct quick *q = xcalloc(1, sizeof(*q));

	q->sa = sa;
	q->msgid = msgid;
	q->due_ms = NEVER;
	q->give_up_ms = ike->now + ike->cfg.half_open_ms;
	q->next = sa->quicks;
	sa->quicks = q;
	sa_wake(ike, q->sa, q->give_up_ms);
	return q;
}

static void first_message(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct quick_row *row = find_row(QUICK_START);
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct quick *q;
	int err;

	/* A replay, or the CONNECTED that follows a commit bit. */
	if (sa_seen_id(sa, m->h.message_id))
		return;
	if (quick_count(sa) >= QUICKS_MAX ||
	    !ike_dh_room(ike, IKE_DH_JOBS_MAX) ||
	    exchange_iv(ike, sa, m->h.message_id, iv) < 0)
		return;
	q = quick_new(ike, sa, m->h.message_id);
	err = take(ike, q, row, iv, m);
	if (err) {
		say_refused(ike, sa, m);
		quick_become(ike, q, QUICK_DEAD);
		return;
	}
	if (sa->state != SA_UP)
		return;
	sa_remember_id(sa, q->msgid);
	sa_touch_later(ike, sa);
	bytes_set(&q->first, m->ev->data.data, m->ev->data.len);
	err = isakmp_script_check(&m->p, &row->script, m->reason);
	if (err) {
		say_refused(ike, sa, m);
		quick_become(ike, q, QUICK_DEAD);
		return;
	}
	row->step(ike, q, m);
}

/* The same again: the answer was lost. */
static void repeat(struct ike *ike, struct quick *q)
{
	if ((q->state != QUICK_SENT && q->state != QUICK_CONFIRMED) ||
	    q->repeats >= REPEATS_MAX)
		return;
	q->repeats++;
	sa_send(ike, q->sa, q->reply.data, q->reply.len);
}

void quick_input(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	struct quick *q = quick_find(sa, m->h.message_id);
	const struct quick_row *row;
	uint8_t iv[CRYPTO_BLOCK_MAX];

	if (!q) {
		first_message(ike, sa, m);
		return;
	}
	if (wire_span_equal(bytes_span(&q->first), m->ev->data)) {
		repeat(ike, q);
		return;
	}
	row = find_row(q->state);
	if (!row)
		return;
	memcpy(iv, q->iv, sizeof(iv));
	if (take(ike, q, row, iv, m) ||
	    isakmp_script_check(&m->p, &row->script, m->reason)) {
		say_refused(ike, sa, m);
		return;
	}
	if (q->state != QUICK_DEAD)
		row->step(ike, q, m);
}

/* The client has its SAs, so it has heard us; now ours to it. */
static void order_outbound(struct ike *ike, struct quick *q, struct child *c)
{
	char suite[PEER_SUITE_MAX];

	if (q->is_proof)
		peer_sa_heard(ike, q->sa);
	peer_suite(ike, c->peer, quick_suite(q, suite));
	quick_become(ike, q, QUICK_DONE);
	q->due_ms = NEVER;
	child_install(ike, c, IKE_SA_OUT);
}

static void step3(struct ike *ike, struct quick *q, struct message *m)
{
	struct child *c = child_find(ike, q->spi_in);

	(void)m;
	if (c)
		order_outbound(ike, q, c);
	else
		quick_become(ike, q, QUICK_DEAD);
}

void quick_inbound_done(struct ike *ike, struct quick *q, struct child *c)
{
	if (q->is_ours) {
		quick_init_installed(ike, q, c);
		return;
	}
	if (!quick_send2(ike, q, c)) {
		quick_become(ike, q, QUICK_DEAD);
		return;
	}
	q->is_proof = true;
	q->sent = 1;
	q->due_ms = ike->now + ike->cfg.retransmit_ms;
	q->give_up_ms = ike->now + ike->cfg.half_open_ms;
	sa_wake(ike, q->sa, q->due_ms);
	quick_become(ike, q, QUICK_SENT);
}

/*
 * Message 3 is late.  When it was lost the client is already using the SA
 * and is not going to send it again: so the kernel is asked first.
 * RFC 2408 section 5.1: retransmission timers back off.
 */
static void wants3(struct ike *ike, struct quick *q)
{
	uint64_t wait = (uint64_t)ike->cfg.retransmit_ms << q->sent;
	struct child *c = child_find(ike, q->spi_in);

	if (wait > WAIT3_MAX_MS)
		wait = WAIT3_MAX_MS;
	if (c)
		child_query(ike, c, JOB_SA_USED, c->spi_in);
	if (q->sent < 16)
		q->sent++;
	q->due_ms = ike->now + wait;
}

void quick_used(struct ike *ike, struct quick *q, struct child *c, bool used)
{
	char text[SA_TEXT_MAX];

	if (q->state == QUICK_CONFIRMED)
		quick_init_used(ike, q, c, used);
	if (q->state != QUICK_SENT)
		return;
	if (!used) {
		sa_send(ike, q->sa, q->reply.data, q->reply.len);
		return;
	}
	act_log(ike, IKE_LOG_DEBUG,
	    "%s: Quick Mode %08x: ESP came instead of message 3",
	    sa_text(q->sa, text), q->msgid);
	order_outbound(ike, q, c);
}

void quick_timer(struct ike *ike, struct quick *q)
{
	struct refused who;

	if (q->state == QUICK_DEAD)
		return;
	if (ike->now >= q->give_up_ms && q->is_ours && quick_init_over(ike, q))
		return;
	if (ike->now >= q->give_up_ms) {
		who = refused_sa(q->sa,
		    "if it happens again: its answers do not arrive (packet "
		    "loss, or a firewall in between)");
		act_refuse(
		    ike, &who, "Quick Mode %08x was not finished", q->msgid);
		quick_become(ike, q, QUICK_DEAD);
		return;
	}
	if (q->state == QUICK_SENT && ike->now >= q->due_ms)
		wants3(ike, q);
	else if (q->is_ours && ike->now >= q->due_ms)
		quick_init_due(ike, q);
	if (q->state == QUICK_DEAD)
		return;
	sa_wake(
	    ike, q->sa, q->due_ms < q->give_up_ms ? q->due_ms : q->give_up_ms);
}

/* The next of the Quick Modes that wait for this peer; NULL. */
static struct quick *waiting_for(const struct peer *p)
{
	struct ike_sa *sa;
	struct quick *q;

	for (sa = p->path->sas; sa; sa = sa->path_next) {
		for (q = sa->quicks; q; q = q->next) {
			if (q->peer == p && q->state == QUICK_PEER)
				return q;
		}
	}
	return NULL;
}

void quick_peer_ready(struct ike *ike, struct peer *p)
{
	struct quick *q;

	while ((q = waiting_for(p)))
		quick_order_inbound(ike, q);
}

void quick_peer_failed(struct ike *ike, struct peer *p, const char *why)
{
	struct ike_sa *sa;
	struct quick *q, *next_q;

	/* Their IKE SAs stay: nothing here leaves the list. */
	for (sa = p->path ? p->path->sas : NULL; sa; sa = sa->path_next) {
		for (q = sa->quicks; q; q = next_q) {
			next_q = q->next;
			if (q->peer == p)
				quick_fail(ike, q, why);
		}
	}
}
