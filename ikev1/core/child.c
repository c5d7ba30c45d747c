/* SPDX-License-Identifier: ISC */
/* Pairs of IPsec SAs: their SPIs, their life in the kernel, their end. */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_MS 15000 /* after the kernel's own limit */
#define SPI_MIN 256   /* RFC 2406 section 2.1: 1 to 255 are reserved */

bool child_spi(struct ike *ike, uint32_t *spi)
{
	for (int tries = 0; tries < IKE_RANDOM_TRIES; tries++) {
		if (!ike_random(ike, spi, sizeof(*spi)))
			return false;
		if (*spi >= SPI_MIN && !child_find(ike, *spi))
			return true;
	}
	return false;
}

struct child *child_of(struct ike *ike, struct peer *peer, uint32_t spi_in)
{
	struct child *c = xcalloc(1, sizeof(*c));

	c->spi_in = spi_in;
	c->peer = peer;
	c->retire_ms = NEVER;
	c->soft_ms = NEVER;
	c->hard_ms = NEVER;
	c->next = peer->children;
	peer->children = c;
	HASH_ADD(hh, ike->children, spi_in, sizeof(c->spi_in), c);
	return c;
}

struct child *child_new(struct ike *ike, struct peer *peer)
{
	uint32_t spi;

	return child_spi(ike, &spi) ? child_of(ike, peer, spi) : NULL;
}

struct child *child_find(struct ike *ike, uint32_t spi_in)
{
	struct child *c;

	HASH_FIND(hh, ike->children, &spi_in, sizeof(spi_in), c);
	return c;
}

static void unlink_child(struct ike *ike, struct child *c)
{
	struct child **at = &c->peer->children;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	HASH_DELETE(hh, ike->children, c);
	c->next_dead = ike->dead_children;
	ike->dead_children = c;
}

void child_become(struct ike *ike, struct child *c, enum child_state state)
{
	if (c->state == CHILD_DEAD || c->state == state)
		return;
	c->state = state;
	if (state == CHILD_ADDING_OUT)
		peer_touch_later(ike, c->peer);
	else
		peer_touch(ike, c->peer);
	if (state == CHILD_UP)
		c->up_ms = ike->now;
	if (state == CHILD_DEAD)
		unlink_child(ike, c);
}

/* Also when the kernel has them: we need them no more. */
static void forget_keys(struct ike_kernel_sa **keys)
{
	secret_free(*keys, sizeof(**keys));
	*keys = NULL;
}

void child_free(struct child *c)
{
	forget_keys(&c->in);
	forget_keys(&c->out);
	free(c);
}

/* The fields that name an SA in the kernel. */
static struct ike_action *name_sa(struct ike *ike, enum ike_action_type type,
    const struct peer *p, enum ike_sa_dir dir, uint32_t spi)
{
	struct ike_action *a = act(ike, type);

	a->r = p->r;
	a->sa = xcalloc(1, sizeof(*a->sa));
	a->sa->r = p->r;
	a->sa->slot = p->slot;
	a->sa->dir = (uint8_t)dir;
	a->sa->spi = spi;
	a->sa->src = dir == IKE_SA_IN ? p->peer : p->local;
	a->sa->dst = dir == IKE_SA_IN ? p->local : p->peer;
	return a;
}

static struct ike_action *sa_action(struct ike *ike, enum ike_action_type type,
    const struct child *c, enum ike_sa_dir dir)
{
	struct ike_action *a = name_sa(
	    ike, type, c->peer, dir, dir == IKE_SA_IN ? c->spi_in : c->spi_out);

	a->sa->encap = c->encap;
	return a;
}

void child_delete_stray(
    struct ike *ike, const struct peer *p, enum ike_sa_dir dir, uint32_t spi)
{
	name_sa(ike, IKE_ACT_SA_DEL, p, dir, spi);
}

static uint64_t late(const struct ike *ike, uint32_t seconds)
{
	return seconds ? ike->now + seconds * 1000ull + LATE_MS : NEVER;
}

/* The inbound SA's: the outbound one comes later, never much. */
static void set_limits(
    struct ike *ike, struct child *c, const struct ike_kernel_sa *in)
{
	c->limits = (struct child_limits){.soft_s = in->soft_s,
	    .hard_s = in->hard_s,
	    .soft_bytes = in->soft_bytes,
	    .hard_bytes = in->hard_bytes};
	c->soft_ms = late(ike, in->soft_s);
	c->hard_ms = late(ike, in->hard_s);
	peer_wake(ike, c->peer, c->soft_ms);
	peer_wake(ike, c->peer, c->hard_ms);
}

/* All of from but what names an SA. */
static void put_keys(struct ike_kernel_sa *sa, const struct ike_kernel_sa *from)
{
	struct ike_kernel_sa named = *sa;

	*sa = *from;
	sa->r = named.r;
	sa->slot = named.slot;
	sa->dir = named.dir;
	sa->spi = named.spi;
	sa->src = named.src;
	sa->dst = named.dst;
	sa->encap = named.encap;
}

void child_install(struct ike *ike, struct child *c, enum ike_sa_dir dir)
{
	bool out = dir == IKE_SA_OUT;
	struct ike_kernel_sa **keys = out ? &c->out : &c->in;
	struct ike_action *a = sa_action(ike, IKE_ACT_SA_ADD, c, dir);

	if (*keys)
		put_keys(a->sa, *keys);
	a->job = ike_job(ike, out ? JOB_SA_OUT : JOB_SA_IN, c->own, c->spi_in);
	if (out) {
		c->has_out = true;
		child_become(ike, c, CHILD_ADDING_OUT);
	} else {
		set_limits(ike, c, a->sa);
		forget_keys(keys);
	}
}

void child_end(struct ike *ike, struct child *c, bool tell)
{
	struct peer *p = c->peer;

	if (c->state == CHILD_DEAD)
		return;
	sa_action(ike, IKE_ACT_SA_DEL, c, IKE_SA_IN);
	if (c->has_out)
		sa_action(ike, IKE_ACT_SA_DEL, c, IKE_SA_OUT);
	if (tell && p->sa)
		info_delete_esp(ike, p->sa, c->spi_in);
	child_become(ike, c, CHILD_DEAD);
	rekey_pair_gone(ike, p);
	peer_check(ike, p);
}

void child_moved(struct ike *ike, struct child *c)
{
	if (!c->encap)
		return;
	sa_action(ike, IKE_ACT_SA_ENCAP, c, IKE_SA_IN);
	if (c->has_out)
		sa_action(ike, IKE_ACT_SA_ENCAP, c, IKE_SA_OUT);
}

/* "older than the newest few": the list is newest first. */
static void end_oldest(struct ike *ike, struct peer *p)
{
	struct child *c = p->children, *next;
	int up = 0;

	for (; c; c = next) {
		next = c->next;
		if (c->state == CHILD_UP && ++up > PEER_PAIRS_MAX)
			child_end(ike, c, true);
	}
}

static void pair_up(struct ike *ike, struct child *c, const struct quick *q)
{
	struct peer *p = c->peer;
	char text[ADDR_TEXT_MAX];

	child_become(ike, c, CHILD_UP);
	forget_keys(&c->out);
	act_log_client(ike, &p->peer, IKE_LOG_INFO,
	    "R %llu: IPsec SAs in %08x out %08x with %s, %s",
	    (unsigned long long)p->r, c->spi_in, c->spi_out,
	    addr_text(&p->peer, text), text_shown(p->suite));
	if (q)
		rekey_terms(p, q);
	rekey_pair_up(ike, c);
	end_oldest(ike, p);
	peer_check(ike, p);
}

void child_done(struct ike *ike, uint32_t spi_in, bool out, int error)
{
	struct child *c = child_find(ike, spi_in);
	struct ike_sa *sa;
	struct quick *q;

	if (!c)
		return;
	sa = sa_find(ike, c->own);
	q = sa ? quick_find(sa, c->msgid) : NULL;
	if (error) {
		struct refused who = refused_peer(
		    c->peer, "see the kernel's log and `sallyport check`");
		char why[160];

		snprintf(why, sizeof(why),
		    "the kernel refused the %s IPsec SA: %s",
		    out ? "outbound" : "inbound", strerror(-error));
		act_refuse(ike, &who, "%s", why);
		if (q)
			quick_fail(ike, q, why);
		child_end(ike, c, true);
		return;
	}
	if (out && c->state == CHILD_ADDING_OUT) {
		pair_up(ike, c, q);
		if (q && !q->is_ours)
			quick_become(ike, q, QUICK_DEAD);
		return;
	}
	if (out || c->state != CHILD_NEW)
		return;
	if (!q) {
		child_end(ike, c, false);
		return;
	}
	child_become(ike, c, CHILD_HALF);
	quick_inbound_done(ike, q, c);
}

void child_query(
    struct ike *ike, struct child *c, enum job_kind kind, uint32_t spi_in)
{
	struct ike_action *a = sa_action(ike, IKE_ACT_SA_QUERY, c, IKE_SA_IN);

	a->job = ike_job(ike, kind, c->own, spi_in);
}

void child_used(struct ike *ike, enum job_kind kind, uint32_t spi_in,
    const struct ike_event *ev)
{
	struct child *c = child_find(ike, spi_in);
	struct ike_sa *sa = c ? sa_find(ike, c->own) : NULL;
	struct quick *q = sa ? quick_find(sa, c->msgid) : NULL;
	bool used = !ev->error && ev->packets;

	if (c)
		peer_touch(ike, c->peer);
	if (c && kind == JOB_RETIRE)
		rekey_used(ike, c, used);
	else if (c && kind == JOB_LOOK)
		rekey_looked(c, ev->error ? 0 : ev->packets);
	else if (q && c->state == CHILD_HALF)
		quick_used(ike, q, c, used);
}

/* Only among the SAs of R: a client may choose another's SPI for its own. */
static struct child *by_either_spi(struct ike *ike, uint64_t r, uint32_t spi)
{
	struct peer *p = peer_by_r(ike, r);
	struct child *c = p ? p->children : NULL;

	while (c && c->spi_in != spi && !(c->has_out && c->spi_out == spi))
		c = c->next;
	return c;
}

void child_expire(struct ike *ike, const struct ike_event *ev)
{
	struct child *c = by_either_spi(ike, ev->r, ev->spi);

	if (!c)
		return;
	peer_work(ike, c->peer);
	peer_touch(ike, c->peer);
	act_log_client(ike, &c->peer->peer,
	    ev->hard ? IKE_LOG_INFO : IKE_LOG_DEBUG,
	    "R %llu: IPsec SA %08x reached its %s limit",
	    (unsigned long long)c->peer->r, ev->spi,
	    ev->hard ? "hard" : "soft");
	if (ev->hard)
		child_end(ike, c, true);
	else
		rekey_soft(ike, c);
}

void child_timer(struct ike *ike, struct child *c)
{
	bool is_soft = ike->now >= c->soft_ms, is_hard = ike->now >= c->hard_ms;

	if (is_soft)
		c->soft_ms = NEVER;
	peer_wake(ike, c->peer, c->soft_ms);
	peer_wake(ike, c->peer, c->hard_ms);
	if (is_hard) {
		act_log(ike, IKE_LOG_WARN,
		    "R %llu: IPsec SA %08x is past its lifetime, and the "
		    "kernel did not say so",
		    (unsigned long long)c->peer->r, c->spi_in);
		child_end(ike, c, true);
	} else if (is_soft && !c->is_worn) {
		rekey_soft(ike, c);
	}
}

bool child_deleted(
    struct ike *ike, struct peer *p, const struct ike_sa *sa, uint32_t spi_out)
{
	struct child *c = p->children;

	while (c && (c->spi_out != spi_out ||
			!(sa->hears_us || c->sa_age == sa->age)))
		c = c->next;
	if (!c)
		return false;
	act_log_client(ike, &p->peer, IKE_LOG_INFO,
	    "R %llu: the client deleted IPsec SA %08x",
	    (unsigned long long)p->r, spi_out);
	child_end(ike, c, false);
	return true;
}
