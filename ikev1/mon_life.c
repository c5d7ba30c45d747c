/* SPDX-License-Identifier: ISC */
/* What happens to R without an engine asking: engines, the kernel, the end. */
#include "ikev1/mon_int.h"

#include "common/wire.h"

#include <stdlib.h>
#include <string.h>

#define MAPPING_MS 250

static struct mon_peer *peer_of_slot(const struct mon *m, uint32_t slot)
{
	return slot && slot <= m->env.max_clients ? m->by_slot[slot] : NULL;
}

/* --- engines -------------------------------------------------------------- */

/* An expiry that no engine heard is known by what is not in this list. */
static uint16_t list_live(const struct mon_peer *p, uint8_t *out, size_t size)
{
	struct wire_writer w;

	wire_writer_init(&w, out, size);
	for (size_t i = 0; i < p->sa_count; i++) {
		wire_put_u8(&w, p->sas[i].dir);
		wire_put_u32(&w, p->sas[i].spi);
	}
	return (uint16_t)w.pos;
}

void mon_engine_started(struct mon *m)
{
	const struct im_job end = {0};
	struct mon_peer *p, *next;

	HASH_ITER(hh, m->peers, p, next)
	{
		struct im_held held = {.r = p->r, .slot = p->slot};

		held.live.len =
		    list_live(p, held.live.data, sizeof(held.live.data));
		mon_reply(m, IM_HELD, &held);
	}
	mon_reply(m, IM_HELD_END, &end);
}

/* --- the kernel ----------------------------------------------------------- */

/* The kernel has deleted it already.  A client may choose our SPI for its own
 * direction: then nobody says which of the two it was, and both go. */
static void drop_expired(struct mon *m, struct mon_peer *p, uint32_t spi)
{
	bool is_both = mon_find_sa(p, IKE_SA_IN, spi) >= 0 &&
		       mon_find_sa(p, IKE_SA_OUT, spi) >= 0;

	for (uint8_t dir = IKE_SA_IN; dir <= IKE_SA_OUT; dir++) {
		int at = mon_find_sa(p, dir, spi);

		if (at < 0)
			continue;
		if (is_both)
			m->env.sa_ops->del(m->env.sa_ctx, &p->sas[at]);
		mon_drop_sa(p, at);
	}
}

void mon_expire(struct mon *m, uint32_t slot, uint32_t spi, bool hard)
{
	struct mon_peer *p = peer_of_slot(m, slot);
	struct im_sa_event ev = {.spi = spi, .hard = hard};

	if (!p)
		return;
	ev.r = p->r;
	if (hard)
		drop_expired(m, p, spi);
	mon_reply(m, IM_EXPIRE, &ev);
}

static int by_spi(const void *a, const void *b)
{
	const struct ike_kernel_sa *x = a, *y = b;

	if (x->spi != y->spi)
		return x->spi < y->spi ? -1 : 1;
	return memcmp(x->dst.ip, y->dst.ip, sizeof(x->dst.ip));
}

/* The first SA of R that is not among these; NULL. */
static const struct ike_kernel_sa *missing(
    const struct mon_peer *p, const struct ike_kernel_sa *live, size_t count)
{
	for (size_t i = 0; i < p->sa_count; i++)
		if (!count ||
		    !bsearch(&p->sas[i], live, count, sizeof(*live), by_spi))
			return &p->sas[i];
	return NULL;
}

void mon_resync(struct mon *m)
{
	struct ike_kernel_sa *live = NULL;
	const struct ike_kernel_sa *sa;
	struct mon_peer *p, *next;
	size_t count = 0, gone = 0;
	int err = m->env.sa_ops->list(m->env.sa_ctx, &live, &count);

	if (err) {
		log_error(m->env.log,
		    "the kernel dropped XFRM events, and does not list its "
		    "SAs: %s",
		    strerror(-err));
		return;
	}
	if (count)
		qsort(live, count, sizeof(*live), by_spi);
	HASH_ITER(hh, m->peers, p, next)
	while ((sa = missing(p, live, count))) {
		gone++;
		mon_expire(m, p->slot, sa->spi, true);
	}
	free(live);
	log_warn(m->env.log,
	    "the kernel dropped XFRM events: of %zu SAs, %zu have expired "
	    "unseen",
	    mon_sas(m) + gone, gone);
}

void mon_mapping(
    struct mon *m, uint32_t slot, uint32_t spi, const struct addr *peer)
{
	struct mon_peer *p = peer_of_slot(m, slot);
	struct im_sa_event ev = {.spi = spi, .peer = *peer};
	uint64_t now = m->env.now_ms(m->env.ctx);

	/* A client can cause one with each packet; the kernel says again what
	 * is passed over here. */
	if (!p || now < p->mapping_ms)
		return;
	p->mapping_ms = now + MAPPING_MS;
	ev.r = p->r;
	mon_reply(m, IM_MAPPING, &ev);
}

void mon_end_all(struct mon *m)
{
	struct mon_peer *p, *next;
	int err;

	HASH_ITER(hh, m->peers, p, next)
	mon_end_peer(m, p);
	err = m->env.sa_ops->flush(m->env.sa_ctx);
	if (err)
		log_error(m->env.log, "SAs may be left in the kernel: %s",
		    strerror(-err));
}

size_t mon_peers(const struct mon *m)
{
	return HASH_COUNT(m->peers);
}

size_t mon_sas(const struct mon *m)
{
	struct mon_peer *p, *next;
	size_t n = 0;

	HASH_ITER(hh, m->peers, p, next)
	n += p->sa_count;
	return n;
}

void mon_free(struct mon *m)
{
	struct mon_peer *p, *next;

	if (!m)
		return;
	HASH_ITER(hh, m->peers, p, next)
	mon_forget_peer(m, p);
	slots_free(m->slots);
	free(m->by_slot);
	free(m->shown);
	free(m);
}
