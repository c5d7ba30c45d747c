/* SPDX-License-Identifier: ISC */
/*
 * The machine's door: events in, demultiplexed to the exchanges and the
 * peers; jobs, timers, and the freeing of what ended in a step.
 */
#include "ikev1/core/main_init.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ike *ike_new(
    const struct ike_config *cfg, ike_random_fn random, void *ctx)
{
	struct ike *ike = xcalloc(1, sizeof(*ike));

	ike->cfg = *cfg;
	ike->random = random;
	ike->random_ctx = ctx;
	ike->mm1 = mm1_new(cfg->max_half_open, cfg->half_open_ms, random, ctx);
	return ike;
}

void ike_make_present(struct ike *ike)
{
	mm1_make_present(ike->mm1);
}

/* Frees what became DEAD; the tables know nothing of it any more. */
static void ike_reap(struct ike *ike)
{
	while (ike->dead_quicks) {
		struct quick *q = ike->dead_quicks;

		ike->dead_quicks = q->next_dead;
		quick_free(q);
	}
	while (ike->dead_children) {
		struct child *c = ike->dead_children;

		ike->dead_children = c->next_dead;
		child_free(c);
	}
	while (ike->dead_peers) {
		struct peer *p = ike->dead_peers;

		ike->dead_peers = p->next_dead;
		peer_free(p);
	}
	while (ike->dead_sas) {
		struct ike_sa *sa = ike->dead_sas;

		ike->dead_sas = sa->next_dead;
		sa_free(sa);
	}
}

void ike_free(struct ike *ike)
{
	struct ike_sa *sa, *next_sa;
	struct child *c, *next_c;
	struct job *j, *next_j;

	if (!ike)
		return;
	ike_reap(ike);
	HASH_ITER(hh, ike->sas, sa, next_sa)
	{
		HASH_DELETE(hh, ike->sas, sa);
		sa_free(sa);
	}
	HASH_CLEAR(by_tag, ike->peers_by_tag);
	HASH_CLEAR(by_r, ike->peers_by_r);
	while (ike->peers) {
		struct peer *p = ike->peers;

		ike->peers = p->next;
		peer_free(p);
	}
	HASH_ITER(hh, ike->children, c, next_c)
	{
		HASH_DELETE(hh, ike->children, c);
		child_free(c);
	}
	HASH_ITER(hh, ike->jobs, j, next_j)
	{
		HASH_DELETE(hh, ike->jobs, j);
		free(j);
	}
	mm1_free(ike->mm1);
	frag_clear(&ike->frags);
	path_free_all(ike);
	timers_free(&ike->timers);
	records_free(&ike->records);
	free(ike->half_open);
	secret_free(ike, sizeof(*ike));
}

#define ORDER_PEER (1ull << 32) /* peers come behind IKE SAs */
/* What a timer is part of. */
#define OWNER(t, type) ((type *)((char *)(t)-offsetof(type, timer)))

void sa_wake(struct ike *ike, struct ike_sa *sa, uint64_t ms)
{
	/* One that is in no table may be gone before. */
	if (sa->state == SA_START || sa->state == SA_DEAD)
		return;
	sa->timer.order = sa->age;
	timers_wake(&ike->timers, &sa->timer, ms);
}

void peer_wake(struct ike *ike, struct peer *p, uint64_t ms)
{
	if (!p->path)
		return;
	p->timer.order = ORDER_PEER | p->tag;
	timers_wake(&ike->timers, &p->timer, ms);
}

uint64_t ike_next_deadline(const struct ike *ike)
{
	uint64_t timers = timers_due(&ike->timers);
	uint64_t frags = frag_deadline(&ike->frags);

	if (ike->is_resuming)
		timers = NEVER;
	return frags < timers ? frags : timers;
}

bool ike_random(struct ike *ike, void *out, size_t len)
{
	int err = ike->random(ike->random_ctx, out, len);

	if (err)
		act_log(
		    ike, IKE_LOG_WARN, "no random bytes: %s", strerror(-err));
	return !err;
}

uint32_t ike_job(
    struct ike *ike, enum job_kind kind, const uint8_t *own, uint32_t key)
{
	struct job *j = xcalloc(1, sizeof(*j));

	/* 0 stays "no job". */
	if (!++ike->next_job)
		++ike->next_job;
	j->id = ike->next_job;
	j->kind = kind;
	j->key = key;
	if (own)
		memcpy(j->own, own, COOKIE_LEN);
	job_link(ike, j);
	return j->id;
}

static bool is_dh(enum job_kind kind)
{
	return kind == JOB_DH || kind == JOB_QUICK_DH;
}

bool ike_dh_room(const struct ike *ike, size_t most)
{
	return ike->dh_jobs < most;
}

void job_link(struct ike *ike, struct job *j)
{
	ike->dh_jobs += is_dh(j->kind);
	HASH_ADD(hh, ike->jobs, id, sizeof(j->id), j);
}

static void dispatch_job(
    struct ike *ike, const struct job *j, const struct ike_event *ev)
{
	struct ike_sa *sa = sa_find(ike, j->own);
	struct quick *q;

	if (sa) {
		sa_work(ike, sa);
		sa_touch_later(ike, sa);
	}
	switch (j->kind) {
	case JOB_DH:
		if (sa)
			(sa->initiator ? init_dh_done : main_dh_done)(
			    ike, sa, ev);
		return;
	case JOB_PSK:
		if (sa)
			(sa->initiator ? init_psk_done : main_psk_done)(
			    ike, sa, ev);
		return;
	case JOB_TRIAL:
		if (sa)
			main_trial_done(ike, sa, ev);
		return;
	case JOB_QUICK_DH:
		q = sa ? quick_find(sa, j->key) : NULL;
		if (q)
			quick_dh_done(ike, q, ev);
		return;
	case JOB_PEER_OPEN:
		/* Also when the peer is gone: the new R must go then. */
		peer_opened(ike, j->key, ev);
		return;
	case JOB_SA_IN:
	case JOB_SA_OUT:
		child_done(ike, j->key, j->kind == JOB_SA_OUT, ev->error);
		return;
	case JOB_SA_USED:
	case JOB_RETIRE:
	case JOB_LOOK:
		child_used(ike, j->kind, j->key, ev);
		return;
	}
}

/* Which event answers which job. */
static bool job_fits(enum job_kind kind, enum ike_event_type type)
{
	switch (kind) {
	case JOB_DH:
	case JOB_QUICK_DH:
		return type == IKE_EV_DH_DONE;
	case JOB_PSK:
		return type == IKE_EV_PSK_DONE;
	case JOB_TRIAL:
		return type == IKE_EV_TRIAL_DONE;
	case JOB_PEER_OPEN:
		return type == IKE_EV_PEER_OPENED;
	case JOB_SA_IN:
	case JOB_SA_OUT:
		return type == IKE_EV_SA_DONE;
	case JOB_SA_USED:
	case JOB_RETIRE:
	case JOB_LOOK:
		return type == IKE_EV_SA_USED;
	}
	return false;
}

static void job_done(struct ike *ike, const struct ike_event *ev)
{
	struct job *j;

	HASH_FIND(hh, ike->jobs, &ev->job, sizeof(ev->job), j);
	if (!j || !job_fits(j->kind, ev->type))
		return;
	HASH_DELETE(hh, ike->jobs, j);
	ike->dh_jobs -= is_dh(j->kind);
	dispatch_job(ike, j, ev);
	free(j);
}

/* RFC 2408 section 5.2: what is wrong with the header ends it, silently. */
static void refused(struct ike *ike, const struct message *m)
{
	char peer[ADDR_TEXT_MAX];

	if (m->h.version >> 4 == 2 && m->ev->data.len >= ISAKMP_HEADER_LEN) {
		struct refused who = refused_datagram(
		    m->ev, "choose L2TP/IPsec with a pre-shared key there");

		act_refuse(ike, &who, "the client speaks IKEv2");
		return;
	}
	if (act_log_allowed(ike))
		act_log(ike, IKE_LOG_DEBUG, "%s: ignored: %s",
		    addr_text(&m->ev->peer, peer), m->reason);
}

/* Aggressive Mode would show a hash of the PSK to whoever asks. */
static void aggressive(struct ike *ike, const struct message *m)
{
	struct refused who = refused_datagram(
	    m->ev, "set the client to Main Mode (no group name)");

	act_refuse(ike, &who,
	    "Aggressive Mode refused: it would let anyone test guesses of "
	    "the pre-shared key");
}

static void under_sa(struct ike *ike, struct message *m)
{
	struct ike_sa *sa = sa_of_cookies(ike, m->h.cky_i, m->h.cky_r);

	if (m->h.exchange == ISAKMP_EXCHANGE_INFO && init_hint(ike, m))
		return;
	/* From another address it is someone else's copy, or a client that
	 * moved and must dial again. */
	if (!sa || !addr_ip_equal(&sa->peer, &m->ev->peer) ||
	    sa->state != SA_UP || !m->h.message_id ||
	    !(m->h.flags & ISAKMP_FLAG_ENCRYPTED)) {
		isakmp_refuse(
		    m->reason, 0, "no IKE SA for this protected message");
		refused(ike, m);
		return;
	}
	sa_work(ike, sa);
	if (m->h.exchange == ISAKMP_EXCHANGE_QUICK) {
		sa_touch_later(ike, sa);
		quick_input(ike, sa, m);
	} else {
		info_input(ike, sa, m);
	}
	sa_wear(ike, sa);
}

static void datagram(struct ike *ike, const struct ike_event *ev);

/* Cookies that were given out to this address: whoever has them hears us. */
static bool knows_cookies(struct ike *ike, const struct message *m)
{
	const struct ike_sa *sa = sa_of_cookies(ike, m->h.cky_i, m->h.cky_r);
	const struct mm1_entry *e = mm1_find(ike->mm1, m->h.cky_r);

	if (sa)
		return addr_ip_equal(&sa->peer, &m->ev->peer);
	return e && !memcmp(e->cky_i, m->h.cky_i, COOKIE_LEN) &&
	       addr_ip_equal(&e->peer, &m->ev->peer);
}

/* What its parts make comes in at the same door, once. */
static void fragment(struct ike *ike, struct message *m)
{
	struct ike_event ev = *m->ev;
	struct bytes whole = {NULL, 0};
	int got;

	if (!knows_cookies(ike, m)) {
		isakmp_refuse(m->reason, 0, "no IKE SA for this fragment");
		refused(ike, m);
		return;
	}
	got = frag_take(
	    &ike->frags, ike->now, &ev.peer, &m->h, m->body, &whole, m->reason);
	if (got < 0)
		refused(ike, m);
	ev.data = bytes_span(&whole);
	if (got > 0)
		datagram(ike, &ev);
	bytes_free(&whole);
}

static void datagram(struct ike *ike, const struct ike_event *ev)
{
	struct message m;

	m.ev = ev;
	m.h = (struct isakmp_header){0};
	m.p.count = 0;
	m.is_said = false;
	if (isakmp_header_decode(ev->data, &m.h, &m.body, m.reason) ||
	    ev->data.len > IKE_DATAGRAM_MAX) {
		refused(ike, &m);
		return;
	}
	if (!memcmp(m.h.cky_i, m.h.cky_r, COOKIE_LEN)) {
		isakmp_refuse(m.reason, 0, "both cookies are the same");
		refused(ike, &m);
		return;
	}
	if (m.h.next_payload == ISAKMP_PAYLOAD_FRAGMENT) {
		fragment(ike, &m);
		return;
	}
	switch (m.h.exchange) {
	case ISAKMP_EXCHANGE_MAIN:
		main_input(ike, &m);
		return;
	case ISAKMP_EXCHANGE_AGGRESSIVE:
		aggressive(ike, &m);
		return;
	case ISAKMP_EXCHANGE_QUICK:
	case ISAKMP_EXCHANGE_INFO:
		under_sa(ike, &m);
		return;
	default:
		isakmp_refuse(m.reason, 0, "exchange type %u is not served",
		    m.h.exchange);
		refused(ike, &m);
	}
}

static void shut_down(struct ike *ike)
{
	struct peer *p, *next_p;
	struct ike_sa *sa, *next_sa;

	ike->closing = true;
	for (p = ike->peers; p; p = next_p) {
		next_p = p->next;
		peer_end(ike, p, "the concentrator shuts down");
	}
	HASH_ITER(hh, ike->sas, sa, next_sa)
	{
		if (sa->state == SA_UP)
			info_delete_sa(ike, sa);
		sa_become(ike, sa, SA_DEAD);
	}
}

static void run_peer_timer(struct ike *ike, struct peer *p)
{
	peer_work(ike, p);
	peer_touch(ike, p);
	peer_timer(ike, p);
}

static void run_sa_timer(struct ike *ike, struct ike_sa *sa)
{
	sa_work(ike, sa);
	sa_touch(ike, sa);
	sa_timer(ike, sa);
}

/* Whose time has come, once each; one that asks for now waits a step. */
static void run_timers(struct ike *ike)
{
	struct timer *t;

	for (size_t n = ike->timers.count; n; n--) {
		t = timers_pop(&ike->timers, ike->now);
		if (!t)
			return;
		if (t->order & ORDER_PEER)
			run_peer_timer(ike, OWNER(t, struct peer));
		else
			run_sa_timer(ike, OWNER(t, struct ike_sa));
	}
}

static void dispatch(struct ike *ike, const struct ike_event *ev)
{
	switch (ev->type) {
	case IKE_EV_TICK:
		return;
	case IKE_EV_DATAGRAM:
		if (!ike->closing)
			datagram(ike, ev);
		return;
	case IKE_EV_DH_DONE:
	case IKE_EV_PSK_DONE:
	case IKE_EV_TRIAL_DONE:
	case IKE_EV_PEER_OPENED:
	case IKE_EV_SA_DONE:
	case IKE_EV_SA_USED:
		job_done(ike, ev);
		return;
	case IKE_EV_PEER_READY:
	case IKE_EV_PEER_REFUSED:
	case IKE_EV_PEER_CLOSE:
	case IKE_EV_PEER_GONE:
		peer_event(ike, ev);
		return;
	case IKE_EV_EXPIRE:
		child_expire(ike, ev);
		return;
	case IKE_EV_MAPPING:
		peer_mapping(ike, ev);
		return;
	case IKE_EV_RESUME:
		resume_begin(ike);
		return;
	case IKE_EV_HELD:
		resume_held(ike, ev);
		return;
	case IKE_EV_HELD_END:
		resume_end(ike);
		return;
	case IKE_EV_CONNECT:
		if (!ike->closing)
			init_connect(ike, ev);
		return;
	case IKE_EV_CONN_REKEY:
	case IKE_EV_CONN_REKEY_ESP:
	case IKE_EV_CONN_CLOSE:
		sa_conn_event(ike, ev);
		return;
	case IKE_EV_SHUTDOWN:
		shut_down(ike);
		return;
	}
}

void ike_step(
    struct ike *ike, const struct ike_event *ev, struct ike_actions *out)
{
	ike->now = ev->now_ms;
	ike->out = out;
	mm1_expire(ike->mm1, ike->now);
	frag_expire(&ike->frags, ike->now);
	dispatch(ike, ev);
	/* Before it is known what there is, nothing ends or begins. */
	if (!ike->is_resuming)
		run_timers(ike);
	ike_reap(ike);
	ike->out = NULL;
}

void ike_count(const struct ike *ike, struct ike_counts *out)
{
	const struct peer *p;

	*out = (struct ike_counts){
	    .sas = HASH_COUNT(ike->sas),
	    .first = mm1_count(ike->mm1),
	    .half_open = ike->half_open_count,
	    .pairs = HASH_COUNT(ike->children),
	};
	for (p = ike->peers; p; p = p->next)
		out->peers++;
}
