/* SPDX-License-Identifier: ISC */
/* The AAA core's state as bytes: of one session, and all of it. */
#include "l2tpd/core/aaa_int.h"

#include "common/alloc.h"

#include <stdlib.h>
#include <string.h>

#define SAVE_VERSION 3

static void put_addr(struct wire_writer *w, const struct addr *a)
{
	wire_put_u8(w, a->family);
	wire_put_bytes(w, a->ip, addr_ip_len(a));
	wire_put_u16(w, a->port);
}

static void get_addr(struct wire_reader *r, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->family = wire_get_u8(r);
	if (a->family != ADDR_NONE && !addr_ip_len(a))
		wire_fail(r);
	wire_get_bytes(r, a->ip, addr_ip_len(a));
	a->port = wire_get_u16(r);
}

static void put_text(struct wire_writer *w, const char *text)
{
	size_t len = strlen(text);

	wire_put_u8(w, (uint8_t)len);
	wire_put_bytes(w, text, len);
}

static void get_text(struct wire_reader *r, char *text, size_t size)
{
	size_t len = wire_get_u8(r);

	memset(text, 0, size);
	if (len >= size) {
		wire_fail(r);
		return;
	}
	wire_get_bytes(r, text, len);
	if (strlen(text) != len)
		wire_fail(r);
}

static void put_stats(struct wire_writer *w, const struct aaa_stats *st)
{
	wire_put_u64(w, st->bytes_in);
	wire_put_u64(w, st->bytes_out);
	wire_put_u64(w, st->packets_in);
	wire_put_u64(w, st->packets_out);
	wire_put_u32(w, st->seconds);
	put_text(w, st->reason);
}

static void get_stats(struct wire_reader *r, struct aaa_stats *st)
{
	st->bytes_in = wire_get_u64(r);
	st->bytes_out = wire_get_u64(r);
	st->packets_in = wire_get_u64(r);
	st->packets_out = wire_get_u64(r);
	st->seconds = wire_get_u32(r);
	get_text(r, st->reason, sizeof(st->reason));
}

static void put_user(struct wire_writer *w, const struct aaa_session *s)
{
	wire_put_u8(w, (uint8_t)s->state);
	put_text(w, s->user);
	put_addr(w, &s->peer);
	put_addr(w, &s->fixed);
	put_addr(w, &s->ip);
	put_text(w, s->ifname);
	wire_put_u64(w, s->since_s);
	put_stats(w, &s->stats);
}

/* What each state needs; a state without it was not written by us. */
static bool is_consistent(const struct aaa_session *s, enum aaa_state state)
{
	bool has_user = s->user[0] != '\0', has_ip = s->ip.family != ADDR_NONE;

	if (has_ip && (!has_user || s->ip.family != ADDR_IPV4))
		return false;
	switch (state) {
	case AAA_ST_NEW:
	case AAA_ST_ASKING:
		return true;
	case AAA_ST_AUTHENTICATED:
		return has_user;
	case AAA_ST_ADDRESSED:
		return has_ip;
	case AAA_ST_UP:
		return has_ip && s->since_s;
	}
	return false;
}

static void get_user(
    struct wire_reader *r, struct aaa_session *s, enum aaa_state *state)
{
	uint8_t number;

	number = wire_get_u8(r);
	get_text(r, s->user, sizeof(s->user));
	get_addr(r, &s->peer);
	get_addr(r, &s->fixed);
	get_addr(r, &s->ip);
	get_text(r, s->ifname, sizeof(s->ifname));
	s->since_s = wire_get_u64(r);
	get_stats(r, &s->stats);
	*state = number < AAA_STATE_COUNT ? (enum aaa_state)number : AAA_ST_NEW;
	if (number >= AAA_STATE_COUNT || !is_consistent(s, *state))
		wire_fail(r);
}

void aaa_session_save(struct wire_writer *w, const struct aaa_session *s)
{
	wire_put_u64(w, s->key.r);
	wire_put_u16(w, s->key.tunnel_id);
	wire_put_u16(w, s->key.session_id);
	wire_put_u64(w, s->serial);
	wire_put_u8(w, s->failures);
	wire_put_u32(w, s->job);
	wire_put_u32(w, s->seq);
	wire_put_u16(w, (uint16_t)s->reply_len);
	wire_put_bytes(w, s->reply, s->reply_len);
	wire_put_u8(w, s->ask_method);
	put_text(w, s->asked);
	put_user(w, s);
}

static void get_reply(struct wire_reader *r, struct aaa_session *s)
{
	struct wire_span reply = wire_get_span(r, wire_get_u16(r));

	if (!reply.len)
		return;
	s->reply = xmemdup(reply.data, reply.len);
	s->reply_len = reply.len;
}

struct aaa_session *aaa_session_restore(struct wire_reader *r, struct aaa *aaa)
{
	enum aaa_state state = AAA_ST_NEW;
	struct aaa_session *s;
	struct aaa_key key;

	key.r = wire_get_u64(r);
	key.tunnel_id = wire_get_u16(r);
	key.session_id = wire_get_u16(r);
	if (wire_error(r) || aaa_session_find(aaa, key)) {
		wire_fail(r);
		return NULL;
	}
	s = aaa_session_add(aaa, key);
	s->serial = wire_get_u64(r);
	s->failures = wire_get_u8(r);
	s->job = wire_get_u32(r);
	s->seq = wire_get_u32(r);
	get_reply(r, s);
	s->ask_method = wire_get_u8(r);
	get_text(r, s->asked, sizeof(s->asked));
	get_user(r, s, &state);
	aaa_session_set_state(s, state);
	if (!wire_error(r))
		return s;
	s->serial = 0; /* perhaps another's */
	aaa_session_drop(aaa, s);
	return NULL;
}

uint8_t *aaa_save(const struct aaa *aaa, size_t *len)
{
	size_t pool_len, count = HASH_COUNT(aaa->sessions);
	uint8_t *pool = pool_save(aaa->pool, &pool_len);
	size_t size = 64 + pool_len + AAA_SESSION_SAVE_MAX * count;
	uint8_t *data = xmalloc(size);
	struct wire_writer w;

	wire_writer_init(&w, data, size);
	wire_put_u8(&w, SAVE_VERSION);
	wire_put_u64(&w, aaa->next_serial);
	wire_put_u32(&w, aaa->next_job);
	wire_put_u32(&w, (uint32_t)pool_len);
	wire_put_bytes(&w, pool, pool_len);
	wire_put_u32(&w, (uint32_t)count);
	for (const struct aaa_session *s = aaa->sessions; s; s = s->hh.next)
		aaa_session_save(&w, s);
	free(pool);
	if (wire_writer_error(&w))
		abort();
	*len = w.pos;
	return data;
}

struct aaa *aaa_restore(
    const struct aaa_config *cfg, const uint8_t *data, size_t len)
{
	char reason[POOL_REASON_MAX];
	struct aaa *aaa = aaa_new(cfg, reason);
	uint64_t next_serial;
	struct wire_span pool;
	struct wire_reader r;
	uint32_t count;

	if (!aaa)
		return NULL;
	wire_reader_init(&r, data, len);
	if (wire_get_u8(&r) != SAVE_VERSION)
		wire_fail(&r);
	next_serial = wire_get_u64(&r);
	aaa->next_job = wire_get_u32(&r);
	pool = wire_get_span(&r, wire_get_u32(&r));
	if (wire_error(&r) || pool_load(aaa->pool, pool.data, pool.len))
		wire_fail(&r);
	/* Our own address may be another one in the new configuration. */
	if (pool_holder(aaa->pool, &aaa->local) != AAA_SERIAL_LOCAL) {
		pool_release(aaa->pool, AAA_SERIAL_LOCAL);
		pool_reserve(aaa->pool, AAA_SERIAL_LOCAL, &aaa->local);
	}
	count = wire_get_u32(&r);
	while (count-- && !wire_error(&r))
		aaa_session_restore(&r, aaa);
	if (wire_error(&r) || wire_left(&r)) {
		aaa_free(aaa);
		return NULL;
	}
	aaa->next_serial = next_serial;
	return aaa;
}
