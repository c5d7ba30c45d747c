/* SPDX-License-Identifier: ISC */
/*
 * The whole state as bytes and back.  Each object has one description that
 * serves both directions (store.h, save_sa.c, save_peer.c); references
 * between objects go as tags, cookies and SPIs.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <stdlib.h>

#define SAVE_MAGIC 0x53504b31u /* "SPK1" */
#define COUNT_MAX 1000000      /* of anything: more is damage */

/* Oldest peer first: loading puts each in front. */
static void peers(struct store *s, struct ike *ike)
{
	struct peer *p = ike->peers;
	uint32_t count = p ? 1 : 0;

	for (; p && p->next; p = p->next)
		count++;
	store_max(s, &count, COUNT_MAX);
	while (count-- && !store_error(s)) {
		if (s->loading) {
			p = xcalloc(1, sizeof(*p));
			peer_link(ike, p);
		}
		peer_store_all(s, ike, p);
		if (s->loading)
			peer_index(ike, p);
		p = p->prev;
	}
}

static void load_sa(struct store *s, struct ike *ike)
{
	struct ike_sa *sa = xcalloc(1, sizeof(*sa));

	sa->half_open_at = SIZE_MAX;
	sa_store(s, ike, sa);
	if (store_error(s) || sa->state == SA_START || sa_find(ike, sa->own)) {
		store_fail(s);
		sa_free(sa);
		return;
	}
	sa_link(ike, sa);
}

static void sas(struct store *s, struct ike *ike)
{
	uint32_t count = HASH_COUNT(ike->sas);
	struct ike_sa *sa, *next;

	store_max(s, &count, COUNT_MAX);
	if (!s->loading) {
		HASH_ITER(hh, ike->sas, sa, next)
		sa_store(s, ike, sa);
		return;
	}
	while (count-- && !store_error(s))
		load_sa(s, ike);
}

static void job(struct store *s, struct job *j)
{
	STORE_ENUM(s, enum job_kind, j->kind, JOB_LOOK);
	store_u32(s, &j->id);
	store_array(s, j->own, COOKIE_LEN);
	store_u32(s, &j->key);
}

static void jobs(struct store *s, struct ike *ike)
{
	uint32_t count = HASH_COUNT(ike->jobs);
	struct job *j, *next, *old;

	store_max(s, &count, COUNT_MAX);
	if (!s->loading) {
		HASH_ITER(hh, ike->jobs, j, next)
		job(s, j);
		return;
	}
	while (count-- && !store_error(s)) {
		j = xcalloc(1, sizeof(*j));
		job(s, j);
		HASH_FIND(hh, ike->jobs, &j->id, sizeof(j->id), old);
		if (store_error(s) || old) {
			store_fail(s);
			free(j);
			return;
		}
		job_link(ike, j);
	}
}

static void machine(struct store *s, struct ike *ike)
{
	uint32_t magic = SAVE_MAGIC;
	uint16_t version = IKE_SAVE_VERSION;

	store_u32(s, &magic);
	store_u16(s, &version);
	if (magic != SAVE_MAGIC || version != IKE_SAVE_VERSION)
		store_fail(s);
	store_u32(s, &ike->next_job);
	store_u32(s, &ike->next_tag);
	store_u32(s, &ike->next_age);
	store_bool(s, &ike->closing);
	store_bool(s, &ike->is_resuming);
	/* Not the budget of log lines: a refused packet changes nothing
	 * that is saved. */
	mm1_store(s, ike->mm1);
	frag_store(s, &ike->frags);
	peers(s, ike);
	sas(s, ike);
	jobs(s, ike);
}

uint8_t *ike_save(const struct ike *ike, uint64_t now_ms, size_t *len)
{
	struct store s;
	uint8_t *out;

	store_save_init(&s, now_ms);
	/* Saving changes nothing: one description serves both directions. */
	machine(&s, (struct ike *)ike);
	out = xmemdup(s.w.data, s.w.pos);
	*len = s.w.pos;
	store_free(&s);
	return out;
}

/* Each peer belongs to its IKE SA again. */
void ike_join_peers(struct ike *ike)
{
	struct peer *p;

	for (p = ike->peers; p; p = p->next) {
		struct ike_sa *sa = sa_find(ike, p->sa_own);

		if (sa && sa->state == SA_UP && peer_matches(p, sa))
			p->sa = sa;
	}
}

void ike_set_deadlines(struct ike *ike)
{
	struct ike_sa *sa, *next;
	struct peer *p;
	struct child *c;
	struct quick *q;

	for (p = ike->peers; p; p = p->next) {
		peer_wake(ike, p, p->due_ms);
		peer_wake(ike, p, p->rekey_ms);
		for (c = p->children; c; c = c->next) {
			peer_wake(ike, p, c->retire_ms);
			peer_wake(ike, p, c->soft_ms);
			peer_wake(ike, p, c->hard_ms);
		}
	}
	HASH_ITER(hh, ike->sas, sa, next)
	{
		sa_wake(ike, sa, sa->due_ms);
		sa_wake(ike, sa, sa->dpd_due_ms);
		sa_wake(ike, sa, sa->alive_ms);
		sa_wake(ike, sa, sa->resend_ms);
		sa_wake(ike, sa, sa->rekey_ms);
		for (q = sa->quicks; q; q = q->next) {
			sa_wake(ike, sa, q->due_ms);
			sa_wake(ike, sa, q->give_up_ms);
		}
	}
}

struct ike *ike_restore(const struct ike_config *cfg, ike_random_fn random,
    void *ctx, uint64_t now_ms, const uint8_t *data, size_t len)
{
	struct ike *ike = ike_new(cfg, random, ctx);
	struct store s;

	ike->now = now_ms;
	store_load_init(&s, now_ms, data, len);
	machine(&s, ike);
	if (store_error(&s) || wire_left(&s.r)) {
		ike_free(ike);
		return NULL;
	}
	ike_join_peers(ike);
	ike_set_deadlines(ike);
	return ike;
}
