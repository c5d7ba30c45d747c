/* SPDX-License-Identifier: ISC */
/*
 * A new engine takes up what the last one wrote (records.c).  First the
 * records; then the monitor says which R there are and which of their SAs
 * the kernel has (IKE_EV_HELD for each), and that this was all.  What only
 * one of them knows ends.
 */
#include "ikev1/core/main_init.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- records ------------------------------------------------------------- */

/* As if it had never been loaded. */
static void discard_peer(struct ike *ike, struct peer *p)
{
	while (p->children) {
		struct child *c = p->children;

		p->children = c->next;
		HASH_DELETE(hh, ike->children, c);
		child_free(c);
	}
	ike->peers = p->next;
	if (p->next)
		p->next->prev = NULL;
	peer_free(p);
}

static int resume_peer(struct ike *ike, struct store *s, uint64_t r)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	peer_link(ike, p);
	peer_store_all(s, ike, p);
	if (store_error(s) || wire_left(&s->r) || p->r != r || !r ||
	    p->state == PEER_OPENING || peer_by_r(ike, r) ||
	    peer_by_tag(ike, p->tag)) {
		discard_peer(ike, p);
		return -EBADMSG;
	}
	p->is_recorded = true;
	p->is_resumed = true;
	peer_index(ike, p);
	if (p->tag > ike->next_tag)
		ike->next_tag = p->tag;
	return 0;
}

static void discard_sa(struct ike_sa *sa)
{
	for (struct quick *q = sa->quicks; q; q = q->next)
		if (q->peer)
			q->peer->users--;
	sa_free(sa);
}

static int resume_sa(struct ike *ike, struct store *s, uint64_t id)
{
	struct ike_sa *sa = xcalloc(1, sizeof(*sa));

	sa->half_open_at = SIZE_MAX;
	sa_store(s, ike, sa);
	if (store_error(s) || wire_left(&s->r) || sa->state != SA_UP ||
	    memcmp(sa->own, &id, sizeof(id)) != 0 || sa_find(ike, sa->own)) {
		discard_sa(sa);
		return -EBADMSG;
	}
	sa_link(ike, sa);
	if (sa->age > ike->next_age)
		ike->next_age = sa->age;
	if (sa->up_age > ike->next_age)
		ike->next_age = sa->up_age;
	return 0;
}

int ike_resume(
    struct ike *ike, uint64_t kind, uint64_t id, struct wire_span data)
{
	struct store s;

	store_record_load(&s, data.data, data.len);
	return (kind == IKE_RECORD_SA ? resume_sa : resume_peer)(ike, &s, id);
}

/* l2tpd is asked again; what was on its way out is on its way again. */
static void raise_again(struct ike *ike, struct peer *p)
{
	struct ike_action *a;

	if (p->state == PEER_CLOSING) {
		a = act(ike, IKE_ACT_PEER_DOWN);
		a->r = p->r;
		a->text = xstrdup("it was ending when ikev1d's engine died");
		peer_wake(ike, p, p->due_ms);
		return;
	}
	p->held = true;
	peer_become(ike, p, PEER_RAISING);
	p->due_ms = NEVER;
	peer_tell(ike, p, IKE_ACT_PEER_UP);
}

/* In the order in which they began, as they were told the first time. */
static int by_tag(const void *a, const void *b)
{
	const struct peer *const *x = a, *const *y = b;

	return (*x)->tag < (*y)->tag ? -1 : 1;
}

void resume_begin(struct ike *ike)
{
	struct peer *p, **list = NULL;
	struct ike_sa *sa, *next;
	size_t count = 0;

	ike->is_resuming = true;
	ike_join_peers(ike);
	ike_set_deadlines(ike);
	HASH_ITER(hh, ike->sas, sa, next)
	sa_rekey_resumed(ike, sa);
	for (p = ike->peers; p; p = p->next) {
		list = xreallocarray(list, count + 1, sizeof(struct peer *));
		list[count++] = p;
	}
	if (count)
		qsort(list, count, sizeof(struct peer *), by_tag);
	for (size_t i = 0; i < count; i++)
		raise_again(ike, list[i]);
	free(list);
	if (count || HASH_COUNT(ike->sas))
		act_log(ike, IKE_LOG_INFO,
		    "taken over from the last engine: %zu clients, %u IKE SAs",
		    count, HASH_COUNT(ike->sas));
}

/* --- the kernel's side --------------------------------------------------- */

static bool is_live(struct wire_span live, enum ike_sa_dir dir, uint32_t spi)
{
	struct wire_reader r;

	wire_reader_init(&r, live.data, live.len);
	while (wire_left(&r)) {
		uint8_t its_dir = wire_get_u8(&r);
		uint32_t its_spi = wire_get_u32(&r);

		if (!wire_error(&r) && its_dir == dir && its_spi == spi)
			return true;
	}
	return false;
}

static bool is_of(const struct peer *p, enum ike_sa_dir dir, uint32_t spi)
{
	const struct child *c = p->children;

	while (c && spi != (dir == IKE_SA_IN ? c->spi_in : c->spi_out))
		c = c->next;
	return c;
}

static void say_unfinished(struct ike *ike, const struct peer *p, uint32_t spi)
{
	act_log(ike, IKE_LOG_INFO,
	    "R %llu: IPsec SA %08x was not finished before the restart: it "
	    "goes",
	    (unsigned long long)p->r, spi);
}

/* The last engine had ordered them and came no further: nobody would ever
 * renew or delete them. */
static void end_strays(struct ike *ike, struct peer *p, struct wire_span live)
{
	struct wire_reader r;

	wire_reader_init(&r, live.data, live.len);
	while (wire_left(&r)) {
		uint8_t dir = wire_get_u8(&r);
		uint32_t spi = wire_get_u32(&r);

		if (wire_error(&r) || dir > IKE_SA_OUT ||
		    is_of(p, (enum ike_sa_dir)dir, spi))
			continue;
		say_unfinished(ike, p, spi);
		child_delete_stray(ike, p, (enum ike_sa_dir)dir, spi);
	}
}

/* The Quick Mode that makes it; NULL when it was not recorded. */
static struct quick *quick_of(struct ike *ike, const struct child *c)
{
	struct ike_sa *sa = sa_find(ike, c->own);

	return sa ? quick_find(sa, c->msgid) : NULL;
}

/* A pair that the kernel has no more has expired unheard; an outbound SA
 * that was ordered is there, or is ordered again. */
static void match_pair(struct ike *ike, struct child *c, struct wire_span live)
{
	bool out = c->spi_out && is_live(live, IKE_SA_OUT, c->spi_out);

	if (!is_live(live, IKE_SA_IN, c->spi_in) ||
	    (c->state == CHILD_UP && !out)) {
		act_log(ike, IKE_LOG_INFO,
		    "R %llu: IPsec SAs in %08x out %08x expired meanwhile",
		    (unsigned long long)c->peer->r, c->spi_in, c->spi_out);
		child_end(ike, c, false);
	} else if (c->state != CHILD_UP && out) {
		c->has_out = true;
		child_become(ike, c, CHILD_ADDING_OUT);
		child_done(ike, c->spi_in, true, 0);
	} else if (c->state == CHILD_ADDING_OUT) {
		child_install(ike, c, IKE_SA_OUT);
	} else if (c->state == CHILD_HALF && !quick_of(ike, c)) {
		say_unfinished(ike, c->peer, c->spi_in);
		child_end(ike, c, false);
	}
}

/* No record tells of it: what there is of it ends. */
static void end_unknown(struct ike *ike, const struct ike_event *ev)
{
	struct peer *p = peer_new(ike);

	p->r = ev->r;
	p->slot = ev->slot;
	p->held = true;
	peer_index(ike, p);
	peer_become(ike, p, PEER_RAISING);
	end_strays(ike, p, ev->live);
	peer_end(ike, p,
	    "it was not finished when ikev1d's engine died, or its state is "
	    "lost");
}

void resume_held(struct ike *ike, const struct ike_event *ev)
{
	struct peer *p = peer_by_r(ike, ev->r);
	struct child *c, *next;

	if (!p) {
		end_unknown(ike, ev);
		return;
	}
	if (!p->is_resumed)
		return;
	p->is_resumed = false;
	p->slot = ev->slot;
	end_strays(ike, p, ev->live);
	for (c = p->children; c; c = next) {
		next = c->next;
		match_pair(ike, c, ev->live);
	}
	peer_check(ike, p);
}

/* The monitor knows nothing of these: neither does the kernel. */
void resume_end(struct ike *ike)
{
	struct peer *p, *next;

	ike->is_resuming = false;
	for (p = ike->peers; p; p = next) {
		next = p->next;
		if (!p->is_resumed)
			continue;
		act_log(ike, IKE_LOG_WARN,
		    "R %llu: the monitor does not know it: it ends",
		    (unsigned long long)p->r);
		while (p->children)
			child_become(ike, p->children, CHILD_DEAD);
		quick_peer_failed(ike, p, "R is lost");
		act(ike, IKE_ACT_PEER_DOWN)->r = p->r;
		peer_become(ike, p, PEER_DEAD);
	}
}
