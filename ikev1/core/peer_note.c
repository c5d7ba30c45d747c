/* SPDX-License-Identifier: ISC */
/*
 * What is told about a peer: PEER_UP and PEER_UPDATE to l2tpd, and the
 * note that the monitor keeps.  After a crash the note makes a held peer of
 * it: its SAs go on in the kernel and its client's next IKE SA takes it
 * over.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_VERSION 3
#define NOTE_PAIRS_MAX 12

void peer_tell(struct ike *ike, struct peer *p, enum ike_action_type type)
{
	struct ike_action *a = act(ike, type);
	struct peer_up *up = xcalloc(1, sizeof(*up));

	a->r = p->r;
	a->up = up;
	up->r = p->r;
	up->slot = p->slot;
	up->local = p->local;
	up->peer = p->peer;
	up->natt = p->natt;
	up->held = p->held;
	snprintf(
	    up->identity, sizeof(up->identity), "%s", text_shown(p->identity));
	snprintf(up->suite, sizeof(up->suite), "%s", text_shown(p->suite));
}

void peer_suite(struct ike *ike, struct peer *p, const char *suite)
{
	if (!strcmp(text_shown(p->suite), suite))
		return;
	text_set(&p->suite, suite);
	if (p->state == PEER_RAISING || p->state == PEER_LIVE) {
		peer_tell(ike, p, IKE_ACT_PEER_UPDATE);
		peer_note(ike, p);
	}
}

static void store_terms(struct store *s, struct terms *t)
{
	store_u16(s, &t->suite.cipher);
	store_u16(s, &t->suite.key_bits);
	store_u16(s, &t->suite.hash);
	store_u16(s, &t->suite.group);
	store_u16(s, &t->encap);
	store_u8(s, &t->oa_type);
	store_bool(s, &t->oa_one);
	store_u64(s, &t->seconds);
	store_u64(s, &t->kilobytes);
	store_bytes(s, &t->ours);
	store_bytes(s, &t->theirs);
}

void peer_store(struct store *s, struct peer *p)
{
	store_bool(s, &p->natt);
	store_addr(s, &p->local);
	store_addr(s, &p->peer);
	store_u16(s, &p->psk_entry);
	store_bytes(s, &p->id);
	store_own_text(s, &p->identity, PEER_IDENTITY_MAX);
	store_own_text(s, &p->suite, PEER_SUITE_MAX);
	store_u8(s, &p->sel.protocol);
	store_u16(s, &p->sel.client_port);
	store_u16(s, &p->sel.server_port);
	store_terms(s, &p->terms);
}

static void store_pair(
    struct store *s, struct ike *ike, struct peer *p, struct child *c)
{
	struct child read = {0};

	if (!c)
		c = &read;
	store_u32(s, &c->spi_in);
	store_u32(s, &c->spi_out);
	store_bool(s, &c->encap);
	store_bool(s, &c->has_out);
	if (!s->loading || store_error(s) || child_find(ike, c->spi_in))
		return;
	c = child_of(ike, p, read.spi_in);
	c->spi_out = read.spi_out;
	c->encap = read.encap;
	c->has_out = read.has_out;
	child_become(ike, c, read.has_out ? CHILD_UP : CHILD_HALF);
}

/* Newest last, so that loading, which puts each in front, keeps order. */
static uint32_t list_pairs(struct peer *p, struct child **list)
{
	struct child *c;
	uint32_t n = 0;

	for (c = p->children; c && n < NOTE_PAIRS_MAX; c = c->next)
		list[n++] = c;
	for (uint32_t i = 0; i < n / 2; i++) {
		c = list[i];
		list[i] = list[n - 1 - i];
		list[n - 1 - i] = c;
	}
	return n;
}

static void note(struct store *s, struct ike *ike, struct peer *p)
{
	struct child *list[NOTE_PAIRS_MAX] = {NULL};
	uint16_t version = NOTE_VERSION;
	uint32_t pairs = s->loading ? 0 : list_pairs(p, list);

	store_u16(s, &version);
	if (version != NOTE_VERSION)
		store_fail(s);
	peer_store(s, p);
	store_max(s, &pairs, NOTE_PAIRS_MAX);
	for (uint32_t i = 0; i < pairs; i++)
		store_pair(s, ike, p, list[i]);
}

void peer_note(struct ike *ike, struct peer *p)
{
	struct ike_action *a;
	struct store s;

	if (p->state != PEER_RAISING && p->state != PEER_LIVE)
		return;
	store_save_init(&s, ike->now);
	note(&s, ike, p);
	a = act(ike, IKE_ACT_PEER_NOTE);
	a->r = p->r;
	a->data = xmemdup(s.w.data, s.w.pos);
	a->len = s.w.pos;
	store_free(&s);
}

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

/* Ends pairs that the kernel has no more: they expired unheard. */
static void end_expired(struct ike *ike, struct peer *p, struct wire_span live)
{
	struct child *c = p->children, *next;

	for (; c; c = next) {
		next = c->next;
		if (is_live(live, IKE_SA_IN, c->spi_in) &&
		    (!c->has_out || is_live(live, IKE_SA_OUT, c->spi_out)))
			continue;
		act_log(ike, IKE_LOG_INFO,
		    "R %llu: IPsec SAs in %08x out %08x expired meanwhile",
		    (unsigned long long)p->r, c->spi_in, c->spi_out);
		child_end(ike, c, false);
	}
}

static bool is_noted(const struct peer *p, enum ike_sa_dir dir, uint32_t spi)
{
	const struct child *c = p->children;

	while (c && !(dir == IKE_SA_IN ? c->spi_in == spi
				       : c->has_out && c->spi_out == spi))
		c = c->next;
	return c;
}

/*
 * Ends SAs that no note tells of: the last engine had ordered them and came
 * no further.  Nobody would ever renew or delete them, and R would not end
 * as long as they are counted as the client's.
 */
static void end_strays(struct ike *ike, struct peer *p, struct wire_span live)
{
	struct wire_reader r;

	wire_reader_init(&r, live.data, live.len);
	while (wire_left(&r)) {
		uint8_t dir = wire_get_u8(&r);
		uint32_t spi = wire_get_u32(&r);

		if (wire_error(&r) || dir > IKE_SA_OUT ||
		    is_noted(p, (enum ike_sa_dir)dir, spi))
			continue;
		act_log(ike, IKE_LOG_INFO,
		    "R %llu: IPsec SA %08x was not finished before the "
		    "restart: it goes",
		    (unsigned long long)p->r, spi);
		child_delete_stray(ike, p, (enum ike_sa_dir)dir, spi);
	}
}

void peer_held(struct ike *ike, const struct ike_event *ev)
{
	struct store s;
	struct peer *p;

	if (peer_by_r(ike, ev->r))
		return;
	p = peer_new(ike);
	p->r = ev->r;
	p->slot = ev->slot;
	p->held = true;
	store_load_init(&s, ike->now, ev->data.data, ev->data.len);
	note(&s, ike, p);
	peer_index(ike, p);
	peer_become(ike, p, PEER_RAISING);
	if (store_error(&s) || wire_left(&s.r)) {
		act_log(ike, IKE_LOG_WARN,
		    "R %llu: what was noted about it can't be read",
		    (unsigned long long)p->r);
		peer_end(ike, p, "its state is lost");
		return;
	}
	p->sa = NULL;
	peer_tell(ike, p, IKE_ACT_PEER_UP);
	act_log(ike, IKE_LOG_INFO, "R %llu: %s is held over a restart",
	    (unsigned long long)p->r, text_shown(p->identity));
	end_strays(ike, p, ev->live);
	end_expired(ike, p, ev->live);
	peer_check(ike, p);
}
