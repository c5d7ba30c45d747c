/* SPDX-License-Identifier: ISC */
/* The machine's IKE SAs and pairs of IPsec SAs, to look at. */
#include "ikev1/core/view.h"

#include "ikev1/core/ike_priv.h"

#include <string.h>

static const char *const sa_states[] = {
    [SA_START] = "starting",
    [SA_KEYING] = "computing keys",
    [SA_SENT4] = "message 4 sent",
    [SA_TRYING] = "trying keys",
    [SA_SENT1] = "message 1 sent",
    [SA_GENERATING] = "computing keys",
    [SA_SENT3] = "message 3 sent",
    [SA_DERIVING] = "computing keys",
    [SA_SENT5] = "message 5 sent",
    [SA_DEAD] = "dead",
    [SA_UP] = "established",
};

static const char *const child_states[] = {
    [CHILD_NEW] = "being added",
    [CHILD_HALF] = "message 3 awaited",
    [CHILD_ADDING_OUT] = "being added",
    [CHILD_UP] = "established",
    [CHILD_DEAD] = "dead",
};

static uint64_t ago(uint64_t now, uint64_t when)
{
	return when ? now - when : VIEW_NONE;
}

static uint64_t in(uint64_t now, uint64_t when)
{
	if (when == NEVER)
		return VIEW_NONE;
	return when > now ? when - now : 0;
}

static void view_sa(const struct ike_sa *sa, uint64_t now, const struct view *v)
{
	struct view_sa out = {
	    .local = sa->local,
	    .peer = sa->peer,
	    .identity = text_shown(sa->identity),
	    .state = sa_states[sa->state],
	    .is_initiator = sa->initiator,
	    .client_nat = sa->client_nat,
	    .server_nat = sa->server_nat,
	    .psk_line = sa->psk_line,
	    .age = ago(now, sa->up_ms),
	    .expires = in(now, sa->due_ms),
	    .heard = ago(now, sa->heard_ms),
	    .has_dpd = sa->dpd,
	    .dpd_tries = sa->dpd_tries,
	};

	memcpy(out.cky_i, sa->cky_i, COOKIE_LEN);
	memcpy(out.cky_r, sa->cky_r, COOKIE_LEN);
	proposal_suite_text(SA_PHASE1, &sa->suite, out.suite);
	v->sa(v->ctx, &out);
}

/* Of a limit that counts from when the pair was made. */
static uint64_t left(uint64_t age, uint32_t seconds)
{
	uint64_t all = (uint64_t)seconds * 1000;

	if (!seconds || age == VIEW_NONE)
		return VIEW_NONE;
	return all > age ? all - age : 0;
}

static void view_pair(const struct peer *p, const struct child *c, uint64_t now,
    const struct view *v)
{
	uint64_t age = ago(now, c->up_ms);
	const struct view_pair out = {
	    .r = p->r,
	    .slot = p->slot,
	    .local = p->local,
	    .peer = p->peer,
	    .identity = text_shown(p->identity),
	    .suite = text_shown(p->suite),
	    .state = child_states[c->state],
	    .spi_in = c->spi_in,
	    .spi_out = c->spi_out,
	    .is_encap = c->encap,
	    .age = age,
	    .rekeys = left(age, c->limits.soft_s),
	    .expires = left(age, c->limits.hard_s),
	    .soft_bytes = c->limits.soft_bytes,
	    .hard_bytes = c->limits.hard_bytes,
	};

	v->pair(v->ctx, &out);
}

void ike_view(const struct ike *ike, uint64_t now_ms, const struct view *v)
{
	const struct ike_sa *sa;

	for (sa = ike->sas; sa; sa = sa->hh.next)
		view_sa(sa, now_ms, v);
	for (const struct peer *p = ike->peers; p; p = p->next)
		for (const struct child *c = p->children; c; c = c->next)
			view_pair(p, c, now_ms, v);
}
