/* SPDX-License-Identifier: ISC */
/*
 * Renewing a peer's pair of IPsec SAs when its client does not, and the end
 * of the pairs that were renewed, by whichever side.
 *
 * The kernel's soft limit starts it.  The old pair stays until something
 * came through the new one, or a while; then it is deleted and the client
 * told; but not as long as the client sends on it, to its hard limit.  When
 * both sides renew at the same time both new pairs live and one
 * of them, the same for both sides, goes in the same way.
 */
#include "ikev1/core/main_init.h"
#include "ikev1/core/quick_steps.h"

#define RETRY_MS 15000	/* after a try that came to nothing */
#define BUSY_MS 5000	/* another Quick Mode of this peer is under way */
#define RETIRE_MS 30000 /* of an old pair, once there is a new one */
#define CROSS_MS 10000	/* pairs of both sides' renewals come up within it */
#define RETIRE_TRIES 3	/* then it goes even if the new one is unused */

static struct child *newest_up(const struct peer *p)
{
	struct child *c = p->children;

	while (c && c->state != CHILD_UP)
		c = c->next;
	return c;
}

/* The same number on both sides, and no other pair's. */
static uint64_t rank(const struct child *c)
{
	uint64_t a = c->spi_in, b = c->spi_out;

	return a < b ? a << 32 | b : b << 32 | a;
}

/* Each side began one of them, and neither when the other one was there. */
static bool have_crossed(const struct child *a, const struct child *b)
{
	return a->is_ours != b->is_ours && !a->is_worn && !b->is_worn &&
	       a->up_ms < b->up_ms + CROSS_MS && b->up_ms < a->up_ms + CROSS_MS;
}

/*
 * The pair that stays when there are several: the newest.  Two that have
 * crossed may be in another order for the client; each side would delete
 * what the other keeps.  Of those it is the one with the larger SPIs, on
 * both sides.
 */
static struct child *lasting(const struct peer *p)
{
	struct child *newest = newest_up(p), *best = newest, *c;

	for (c = newest; c; c = c->next) {
		if (c->state == CHILD_UP && have_crossed(c, newest) &&
		    rank(c) > rank(best))
			best = c;
	}
	return best;
}

static void rekey_at(struct ike *ike, struct peer *p, uint64_t ms)
{
	p->rekey_ms = ms;
	peer_touch(ike, p);
	peer_wake(ike, p, ms);
}

/* One Main Mode of ours with that place is enough. */
static bool is_asking(const struct peer *p)
{
	const struct ike_sa *sa = p->path ? p->path->sas : NULL;

	while (sa && !(sa->initiator && sa->state != SA_UP &&
			 addr_equal(&sa->peer, &p->peer)))
		sa = sa->path_next;
	return sa;
}

/* No IKE SA is left, or none since a crash: rekey_sa_up() goes on. */
static void begin_main(struct ike *ike, struct peer *p)
{
	struct ike_sa *sa = is_asking(p) ? NULL : sa_new(ike);

	if (!sa)
		return;
	sa->persona = &persona_default;
	sa->psk_entry = p->psk_entry;
	sa->local = p->local;
	sa->peer = p->peer;
	sa->on_500 = p->natt && p->local.port == ISAKMP_PORT;
	init_begin(ike, sa);
}

static void try_now(struct ike *ike, struct peer *p)
{
	if ((p->state != PEER_LIVE && p->state != PEER_RAISING) ||
	    !newest_up(p)) {
		p->rekey_ms = NEVER;
		return;
	}
	if (p->users || p->state == PEER_RAISING) {
		rekey_at(ike, p, ike->now + BUSY_MS);
		return;
	}
	rekey_at(ike, p, ike->now + ike->cfg.half_open_ms + RETRY_MS);
	if (!p->terms.suite.cipher)
		return;
	if (p->sa)
		quick_start(ike, p->sa, p);
	else
		begin_main(ike, p);
}

void rekey_soft(struct ike *ike, struct child *c)
{
	struct peer *p = c->peer;

	c->is_worn = true;
	/* The client was faster, or the other direction's limit was. */
	if (c != lasting(p) || p->rekey_ms != NEVER)
		return;
	try_now(ike, p);
}

void rekey_pair_gone(struct ike *ike, struct peer *p)
{
	struct child *c = lasting(p);

	/* The client may have a better one on its way. */
	if (c && c->is_worn && p->rekey_ms == NEVER)
		rekey_at(ike, p, ike->now + BUSY_MS);
}

void rekey_failed(struct ike *ike, struct peer *p)
{
	if (p->state == PEER_LIVE && p->rekey_ms > ike->now + RETRY_MS)
		rekey_at(ike, p, ike->now + RETRY_MS);
}

void rekey_sa_up(struct ike *ike, struct peer *p)
{
	if (p->rekey_ms == NEVER)
		return;
	/* A client that came with a new IKE SA may do it itself. */
	rekey_at(ike, p, ike->now + (p->sa->initiator ? 0 : BUSY_MS));
}

void rekey_pair_up(struct ike *ike, struct child *c)
{
	struct peer *p = c->peer;
	const struct child *newest = lasting(p);

	p->rekey_ms = NEVER;
	/* c itself too, when it was slower than one begun after it. */
	for (c = p->children; c; c = c->next) {
		if (c == newest || c->state != CHILD_UP ||
		    c->retire_ms != NEVER)
			continue;
		c->retire_ms = ike->now + RETIRE_MS;
		peer_wake(ike, c->peer, c->retire_ms);
		child_query(ike, c, JOB_LOOK, c->spi_in);
	}
}

/* How the terms of a peer's next renewal come about: its newest pair's. */
void rekey_terms(struct peer *p, const struct quick *q)
{
	const struct bytes *ours = q->is_ours ? &q->idci : &q->idcr;
	const struct bytes *theirs = q->is_ours ? &q->idcr : &q->idci;
	struct proposal_choice choice = q->choice;
	struct terms *t = &p->terms;

	t->suite = q->choice.suite;
	t->encap = q->choice.encap;
	t->oa_type = q->oa_type;
	t->oa_one = q->oa_one;
	quick_life_fit(&choice);
	t->seconds = choice.life_seconds;
	t->kilobytes = choice.life_kilobytes;
	bytes_set(&t->ours, ours->data, ours->len);
	bytes_set(&t->theirs, theirs->data, theirs->len);
}

void rekey_looked(struct child *old, uint64_t packets)
{
	old->is_busy = packets > old->packets;
	old->packets = packets;
	if (old->is_busy)
		old->retire_tries = 0;
}

/* old: who waits to be retired; used: its peer's newest pair carries.  What
 * the client still sends on stays, whatever we think of it. */
void rekey_used(struct ike *ike, struct child *old, bool used)
{
	struct child *newest = lasting(old->peer);

	if (old == newest || old->state != CHILD_UP || old->is_busy ||
	    (!used && old->retire_tries < RETIRE_TRIES))
		return;
	act_log(ike, IKE_LOG_DEBUG, "R %llu: IPsec SA %08x is replaced by %08x",
	    (unsigned long long)old->peer->r, old->spi_in, newest->spi_in);
	child_end(ike, old, true);
}

/* An old pair's time has come: is the new one in use? */
static void retire(struct ike *ike, struct child *c, struct child *newest)
{
	if (c == newest)
		c->retire_ms = NEVER; /* what replaced it is gone */
	if (ike->now < c->retire_ms) {
		peer_wake(ike, c->peer, c->retire_ms);
		return;
	}
	c->retire_ms = ike->now + RETIRE_MS;
	peer_wake(ike, c->peer, c->retire_ms);
	if (c->retire_tries < RETIRE_TRIES)
		c->retire_tries++;
	if (!newest)
		return;
	/* Answered in this order. */
	child_query(ike, c, JOB_LOOK, c->spi_in);
	child_query(ike, newest, JOB_RETIRE, c->spi_in);
}

void rekey_timer(struct ike *ike, struct peer *p)
{
	struct child *newest, *c, *next;

	for (c = p->children; c; c = next) {
		next = c->next;
		child_timer(ike, c);
	}
	newest = lasting(p);
	if (ike->now >= p->rekey_ms)
		try_now(ike, p);
	peer_wake(ike, p, p->rekey_ms);
	for (c = p->children; c; c = c->next)
		retire(ike, c, newest);
}
