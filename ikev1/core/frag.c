/* SPDX-License-Identifier: ISC */
/* Fragments: putting messages together, taking them apart. */
#include "ikev1/core/frag.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LAST_FLAG 1
#define SEND_ID 1 /* one message is on its way at a time */
#define COOKIES_LEN ((size_t)2 * ISAKMP_COOKIE_LEN)

struct frag_set {
	/* what all parts must have in common */
	struct addr peer;
	uint8_t cookies[COOKIES_LEN];
	uint8_t exchange, flags;
	uint32_t message_id;
	uint16_t id;
	/* what is here */
	uint8_t last;  /* number of the last part; 0: not known */
	uint32_t have; /* bit n - 1: part n */
	uint32_t bytes;
	uint64_t due_ms;
	struct bytes part[FRAG_PARTS_MAX];
};

/* One fragment, decoded. */
struct part {
	uint16_t id;
	uint8_t number; /* 1 to FRAG_PARTS_MAX */
	bool is_last;
	struct wire_span data; /* not empty */
};

static void set_free(struct frag_table *t, size_t at)
{
	struct frag_set *s = t->set[at];

	if (!s)
		return;
	t->set[at] = NULL;
	t->count--;
	for (size_t i = 0; i < FRAG_PARTS_MAX; i++)
		bytes_free(&s->part[i]);
	secret_free(s, sizeof(*s));
}

static struct frag_set *set_new(struct frag_table *t, size_t at)
{
	t->count++;
	return t->set[at] = xcalloc(1, sizeof(*t->set[at]));
}

void frag_clear(struct frag_table *t)
{
	for (size_t i = 0; i < FRAG_SETS_MAX; i++)
		set_free(t, i);
}

void frag_expire(struct frag_table *t, uint64_t now_ms)
{
	/* Each step asks, and hardly any client sends fragments. */
	for (size_t i = 0; t->count && i < FRAG_SETS_MAX; i++)
		if (t->set[i] && t->set[i]->due_ms <= now_ms)
			set_free(t, i);
}

uint64_t frag_deadline(const struct frag_table *t)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; t->count && i < FRAG_SETS_MAX; i++)
		if (t->set[i] && t->set[i]->due_ms < due)
			due = t->set[i]->due_ms;
	return due;
}

size_t frag_count(const struct frag_table *t)
{
	return t->count;
}

size_t frag_bytes(const struct frag_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < FRAG_SETS_MAX; i++)
		n += t->set[i] ? t->set[i]->bytes : 0;
	return n;
}

static int part_decode(
    struct wire_span body, struct part *p, char reason[ISAKMP_REASON_MAX])
{
	struct isakmp_payloads chain;
	struct wire_reader r;
	uint8_t flags;

	if (isakmp_payloads_decode(
		ISAKMP_PAYLOAD_FRAGMENT, body, &chain, reason))
		return -EBADMSG;
	if (chain.count != 1 || chain.consumed != body.len)
		return isakmp_refuse(
		    reason, -EBADMSG, "a fragment with something behind it");
	wire_reader_init(&r, chain.item[0].body.data, chain.item[0].body.len);
	p->id = wire_get_u16(&r);
	p->number = wire_get_u8(&r);
	flags = wire_get_u8(&r);
	p->data = wire_get_span(&r, wire_left(&r));
	if (wire_error(&r) || !p->data.len)
		return isakmp_refuse(reason, -EBADMSG, "an empty fragment");
	p->is_last = flags & LAST_FLAG;
	if (!p->number)
		return isakmp_refuse(
		    reason, -EBADMSG, "a fragment with number 0");
	if (p->number > FRAG_PARTS_MAX)
		return isakmp_refuse(reason, -E2BIG,
		    "fragment %u: a message may have %d", p->number,
		    FRAG_PARTS_MAX);
	return 0;
}

static void cookies_of(const struct isakmp_header *h, uint8_t out[COOKIES_LEN])
{
	memcpy(out, h->cky_i, ISAKMP_COOKIE_LEN);
	memcpy(out + ISAKMP_COOKIE_LEN, h->cky_r, ISAKMP_COOKIE_LEN);
}

static bool find(const struct frag_table *t, const struct addr *peer,
    const uint8_t *cookies, size_t *at)
{
	for (size_t i = 0; i < FRAG_SETS_MAX; i++) {
		const struct frag_set *s = t->set[i];

		if (s && addr_equal(&s->peer, peer) &&
		    !memcmp(s->cookies, cookies, COOKIES_LEN)) {
			*at = i;
			return true;
		}
	}
	return false;
}

/* A free place; when there is none the oldest set makes room. */
static size_t make_room(struct frag_table *t, const struct addr *peer)
{
	size_t place = FRAG_SETS_MAX, oldest = 0, oldest_here = 0, here = 0;

	for (size_t i = 0; i < FRAG_SETS_MAX; i++) {
		const struct frag_set *s = t->set[i];

		if (!s) {
			place = i;
			continue;
		}
		if (!t->set[oldest] || s->due_ms < t->set[oldest]->due_ms)
			oldest = i;
		if (!addr_ip_equal(&s->peer, peer))
			continue;
		if (!here++ || s->due_ms < t->set[oldest_here]->due_ms)
			oldest_here = i;
	}
	if (here >= FRAG_ADDRESS_SETS)
		place = oldest_here;
	else if (place == FRAG_SETS_MAX)
		place = oldest;
	set_free(t, place);
	return place;
}

/* True when p may be a part of the same message as what s has. */
static bool fits(const struct frag_set *s, const struct isakmp_header *h,
    const struct part *p)
{
	uint32_t later = (uint32_t)((uint64_t)UINT32_MAX << p->number);
	const struct bytes *old = &s->part[p->number - 1];

	if (s->exchange != h->exchange || s->flags != h->flags ||
	    s->message_id != h->message_id || s->id != p->id)
		return false;
	if (old->len && !wire_span_equal(bytes_span(old), p->data))
		return false;
	if (p->is_last)
		return (!s->last || s->last == p->number) && !(s->have & later);
	return !s->last || p->number < s->last;
}

static void begin(struct frag_table *t, size_t at, uint64_t now_ms,
    const struct addr *peer, const struct isakmp_header *h, uint16_t id)
{
	struct frag_set *s = set_new(t, at);

	s->peer = *peer;
	cookies_of(h, s->cookies);
	s->exchange = h->exchange;
	s->flags = h->flags;
	s->message_id = h->message_id;
	s->id = id;
	s->due_ms = now_ms + FRAG_LIFE_MS;
}

static bool is_complete(const struct frag_set *s)
{
	uint32_t all = (uint32_t)(((uint64_t)1 << s->last) - 1);

	return s->last && (s->have & all) == all;
}

/* Takes the message out of its set. */
static int finish(struct frag_table *t, size_t at, struct bytes *whole,
    char reason[ISAKMP_REASON_MAX])
{
	struct frag_set *s = t->set[at];
	uint8_t buf[FRAG_MESSAGE_MAX];
	struct isakmp_header h;
	struct wire_span body;
	struct wire_writer w;
	int err;

	wire_writer_init(&w, buf, sizeof(buf));
	for (size_t i = 0; i < s->last; i++)
		wire_put_span(&w, bytes_span(&s->part[i]));
	err = isakmp_header_decode(wire_written(&w, 0), &h, &body, reason);
	if (!err && h.next_payload == ISAKMP_PAYLOAD_FRAGMENT)
		err =
		    isakmp_refuse(reason, -EBADMSG, "fragments of a fragment");
	if (!err && (memcmp(h.cky_i, s->cookies, ISAKMP_COOKIE_LEN) ||
			memcmp(h.cky_r, s->cookies + ISAKMP_COOKIE_LEN,
			    ISAKMP_COOKIE_LEN)))
		err = isakmp_refuse(
		    reason, -EBADMSG, "fragments of another IKE SA's message");
	set_free(t, at);
	if (err)
		return -EBADMSG;
	bytes_set(whole, buf, w.pos);
	return 1;
}

int frag_take(struct frag_table *t, uint64_t now_ms, const struct addr *peer,
    const struct isakmp_header *h, struct wire_span body, struct bytes *whole,
    char reason[ISAKMP_REASON_MAX])
{
	uint8_t cookies[COOKIES_LEN];
	struct frag_set *s;
	struct part p;
	size_t at;
	int err = part_decode(body, &p, reason);

	if (err)
		return err;
	frag_expire(t, now_ms);
	cookies_of(h, cookies);
	if (!find(t, peer, cookies, &at)) {
		at = make_room(t, peer);
		begin(t, at, now_ms, peer, h, p.id);
	} else if (!fits(t->set[at], h, &p)) {
		set_free(t, at);
		begin(t, at, now_ms, peer, h, p.id);
	}
	s = t->set[at];
	if (s->part[p.number - 1].len)
		return 0;
	if (s->bytes + p.data.len > FRAG_MESSAGE_MAX) {
		set_free(t, at);
		return isakmp_refuse(reason, -E2BIG,
		    "fragments of a message above %d bytes", FRAG_MESSAGE_MAX);
	}
	bytes_set(&s->part[p.number - 1], p.data.data, p.data.len);
	s->bytes += (uint32_t)p.data.len;
	s->have |= UINT32_C(1) << (p.number - 1);
	if (p.is_last)
		s->last = p.number;
	return is_complete(s) ? finish(t, at, whole, reason) : 0;
}

/* --- saving -------------------------------------------------------------- */

static void store_set(struct store *s, struct frag_set *f)
{
	uint32_t have = 0;

	store_addr(s, &f->peer);
	store_array(s, f->cookies, sizeof(f->cookies));
	store_u8(s, &f->exchange);
	store_u8(s, &f->flags);
	store_u32(s, &f->message_id);
	store_u16(s, &f->id);
	store_u8(s, &f->last);
	store_deadline(s, &f->due_ms);
	f->bytes = 0;
	for (size_t i = 0; i < FRAG_PARTS_MAX; i++) {
		store_bytes(s, &f->part[i]);
		f->bytes += (uint32_t)f->part[i].len;
		if (f->part[i].len)
			have |= UINT32_C(1) << i;
	}
	f->have = have;
	/* Nothing that frag_take() would not have made. */
	if (f->last > FRAG_PARTS_MAX || f->bytes > FRAG_MESSAGE_MAX || !have ||
	    is_complete(f) || (f->last && have >> (f->last - 1) != 1))
		store_fail(s);
}

void frag_store(struct store *s, struct frag_table *t)
{
	uint32_t count = (uint32_t)frag_count(t);
	size_t at = 0;

	store_max(s, &count, FRAG_SETS_MAX);
	for (; count && !store_error(s); count--, at++) {
		while (!s->loading && !t->set[at])
			at++;
		if (s->loading)
			set_new(t, at);
		store_set(s, t->set[at]);
	}
}

/* --- sending ------------------------------------------------------------- */

int frag_part(
    struct wire_span message, unsigned int number, uint8_t *out, size_t size)
{
	size_t room = size > FRAG_HEADER_LEN ? size - FRAG_HEADER_LEN : 0;
	/* Of Main Mode without message id, whatever is inside: as clients
	 * expect it. */
	struct isakmp_header h = {
	    .next_payload = ISAKMP_PAYLOAD_FRAGMENT,
	    .version = ISAKMP_VERSION,
	    .exchange = ISAKMP_EXCHANGE_MAIN,
	};
	struct wire_reader r;
	struct wire_writer w;
	size_t left;

	wire_reader_init(&r, message.data, message.len);
	wire_get_bytes(&r, h.cky_i, sizeof(h.cky_i));
	wire_get_bytes(&r, h.cky_r, sizeof(h.cky_r));
	if (wire_error(&r) || !number || !room ||
	    message.len > room * FRAG_PARTS_MAX)
		return -EINVAL;
	if (message.len <= (number - 1) * room)
		return 0;
	wire_reader_init(&r, message.data, message.len);
	wire_get_span(&r, (number - 1) * room);
	left = wire_left(&r);
	room = left < room ? left : room;
	h.length = (uint32_t)(FRAG_HEADER_LEN + room);
	wire_writer_init(&w, out, size);
	isakmp_header_encode(&w, &h);
	wire_put_u16(&w, 0);
	wire_put_u16(
	    &w, (uint16_t)(FRAG_HEADER_LEN - ISAKMP_HEADER_LEN + room));
	wire_put_u16(&w, SEND_ID);
	wire_put_u8(&w, (uint8_t)number);
	wire_put_u8(&w, left == room ? LAST_FLAG : 0);
	wire_put_span(&w, wire_get_span(&r, room));
	return (int)w.pos;
}
