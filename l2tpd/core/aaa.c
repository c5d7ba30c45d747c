/* SPDX-License-Identifier: ISC */
/* The AAA core: sessions, and what each event does to one of them. */
#include "l2tpd/core/aaa_int.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "l2tpd/core/users.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Wrong proofs on one session before it is ended. */
#define FAILURES_MAX 3

static const char *const state_names[AAA_STATE_COUNT] = {
    [AAA_ST_NEW] = "new",
    [AAA_ST_ASKING] = "asking",
    [AAA_ST_AUTHENTICATED] = "authenticated",
    [AAA_ST_ADDRESSED] = "addressed",
    [AAA_ST_UP] = "up",
};

struct aaa *aaa_new(const struct aaa_config *cfg, char *reason)
{
	struct pool *pool = pool_new(cfg->pool, reason);
	struct aaa *aaa;

	if (!pool)
		return NULL;
	aaa = xcalloc(1, sizeof(*aaa));
	aaa->pool = pool;
	aaa->local = cfg->local;
	aaa->dns1 = cfg->dns1;
	aaa->dns2 = cfg->dns2;
	aaa->mtu = cfg->mtu;
	aaa->next_serial = 1;
	aaa->next_job = 1;
	/* Ours is nobody else's, even when the pool's ranges hold it. */
	pool_reserve(pool, AAA_SERIAL_LOCAL, &aaa->local);
	return aaa;
}

void aaa_session_drop(struct aaa *aaa, struct aaa_session *s)
{
	aaa_session_untouch(aaa, s);
	pool_release(aaa->pool, s->serial);
	HASH_DEL(aaa->sessions, s);
	free(s->reply);
	free(s);
}

void aaa_free(struct aaa *aaa)
{
	struct aaa_session *s, *next;

	if (!aaa)
		return;
	HASH_ITER(hh, aaa->sessions, s, next)
	aaa_session_drop(aaa, s);
	pool_free(aaa->pool);
	free(aaa->ended);
	free(aaa);
}

static struct aaa_hash_key hash_key(struct aaa_key key)
{
	return (struct aaa_hash_key){
	    key.r, (uint64_t)key.tunnel_id << 16 | key.session_id};
}

struct aaa_session *aaa_session_find(const struct aaa *aaa, struct aaa_key key)
{
	struct aaa_hash_key k = hash_key(key);
	struct aaa_session *s;

	HASH_FIND(hh, aaa->sessions, &k, sizeof(k), s);
	return s;
}

struct aaa_session *aaa_session_add(struct aaa *aaa, struct aaa_key key)
{
	struct aaa_session *s = xcalloc(1, sizeof(*s));

	s->key = key;
	s->hash_key = hash_key(key);
	s->serial = aaa->next_serial++;
	HASH_ADD(hh, aaa->sessions, hash_key, sizeof(s->hash_key), s);
	return s;
}

void aaa_session_set_state(struct aaa_session *s, enum aaa_state state)
{
	s->state = state;
}

/* The plugin's messages. */

typedef void (*message_fn)(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, uint32_t seq, const union aaa_any *m,
    struct aaa_actions *out);

static void on_auth(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, uint32_t seq, const union aaa_any *m,
    struct aaa_actions *out)
{
	(void)ev;
	(void)seq;
	s->job = aaa->next_job++;
	s->ask_method = m->auth.method;
	memcpy(s->asked, m->auth.user, sizeof(s->asked));
	aaa_session_set_state(s, AAA_ST_ASKING);
	aaa_emit_auth(out, s, &m->auth);
}

static void on_address(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, uint32_t seq, const union aaa_any *m,
    struct aaa_actions *out)
{
	struct aaa_address_reply reply = {0};
	char text[ADDR_TEXT_MAX];
	int err;

	(void)ev;
	(void)m;
	err = pool_lease(aaa->pool, s->serial, &s->fixed, &s->ip, reply.reason);
	if (err) {
		aaa_emit_refusal(out, s,
		    "enlarge l2tp { pool }, or end a session (`sallyport "
		    "disconnect`)",
		    "no address for user %s: %s", s->user, reply.reason);
		aaa_emit_reply(out, s, AAA_ADDRESS_REPLY, seq, &reply);
		return;
	}
	reply.ok = 1;
	reply.local = aaa->local;
	reply.remote = s->ip;
	reply.dns1 = aaa->dns1;
	reply.dns2 = aaa->dns2;
	reply.mtu = aaa->mtu;
	if (s->state == AAA_ST_AUTHENTICATED) {
		aaa_session_set_state(s, AAA_ST_ADDRESSED);
		aaa_emit_log(out, s, AAA_LOG_INFO, "user %s gets address %s",
		    s->user, addr_ip_text(&s->ip, text));
	}
	aaa_emit_reply(out, s, AAA_ADDRESS_REPLY, seq, &reply);
}

static void on_up(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, uint32_t seq, const union aaa_any *m,
    struct aaa_actions *out)
{
	(void)aaa;
	(void)seq;
	memcpy(s->ifname, m->up.ifname, sizeof(s->ifname));
	aaa_session_set_state(s, AAA_ST_UP);
	if (!s->since_s) {
		s->since_s = ev->now_s ? ev->now_s : 1;
		aaa_emit_start(out, s);
		aaa_emit_log(out, s, AAA_LOG_INFO, "user %s is up on %s",
		    s->user, s->ifname);
	}
}

static void on_stats(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, uint32_t seq, const union aaa_any *m,
    struct aaa_actions *out)
{
	(void)aaa;
	(void)ev;
	(void)seq;
	(void)out;
	s->stats = m->stats;
}

/* How a message in the wrong state is answered. */
static void refuse_auth(struct aaa_session *s, uint32_t seq, const char *why,
    struct aaa_actions *out)
{
	struct aaa_auth_reply reply = {0};

	(void)why;
	snprintf(reply.text, sizeof(reply.text), "Refused");
	aaa_emit_reply(out, s, AAA_AUTH_REPLY, seq, &reply);
}

static void refuse_address(struct aaa_session *s, uint32_t seq, const char *why,
    struct aaa_actions *out)
{
	struct aaa_address_reply reply = {0};

	snprintf(reply.reason, sizeof(reply.reason), "%s", why);
	aaa_emit_reply(out, s, AAA_ADDRESS_REPLY, seq, &reply);
}

#define IN(state) (1u << (state))

static const struct message_row {
	enum aaa_msg type;
	unsigned int states; /* in which it is taken */
	message_fn act;
	void (*refuse)(struct aaa_session *s, uint32_t seq, const char *why,
	    struct aaa_actions *out);
} message_rows[] = {
    /* LCP may start again at any time, and with it everything else. */
    {AAA_AUTH,
	IN(AAA_ST_NEW) | IN(AAA_ST_AUTHENTICATED) | IN(AAA_ST_ADDRESSED) |
	    IN(AAA_ST_UP),
	on_auth, refuse_auth},
    {AAA_ADDRESS,
	IN(AAA_ST_AUTHENTICATED) | IN(AAA_ST_ADDRESSED) | IN(AAA_ST_UP),
	on_address, refuse_address},
    {AAA_UP, IN(AAA_ST_ADDRESSED) | IN(AAA_ST_UP), on_up, NULL},
    {AAA_STATS, IN(AAA_ST_UP), on_stats, NULL},
    {AAA_DOWN,
	IN(AAA_ST_NEW) | IN(AAA_ST_ASKING) | IN(AAA_ST_AUTHENTICATED) |
	    IN(AAA_ST_ADDRESSED) | IN(AAA_ST_UP),
	on_stats, NULL},
};

static const struct message_row *find_row(uint16_t type)
{
	size_t count = sizeof(message_rows) / sizeof(message_rows[0]);

	for (size_t i = 0; i < count; i++)
		if (message_rows[i].type == type)
			return &message_rows[i];
	return NULL;
}

static void take_message(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, const struct msg_header *hdr,
    const union aaa_any *m, struct aaa_actions *out)
{
	const struct message_row *row = find_row(hdr->type);

	/* Who waits for an answer asks again; it may be on its way. */
	if (hdr->seq && hdr->seq == s->seq) {
		aaa_emit_again(out, s);
		return;
	}
	if (hdr->seq) {
		s->seq = hdr->seq;
		free(s->reply);
		s->reply = NULL;
		s->reply_len = 0;
	}
	if (row && (row->states & IN(s->state))) {
		row->act(aaa, s, ev, hdr->seq, m, out);
		return;
	}
	aaa_emit_log(out, s, AAA_LOG_WARN, "%s of pppd refused in state %s",
	    msg_name(&aaa_msg_table, hdr->type), state_names[s->state]);
	if (row && row->refuse)
		row->refuse(s, hdr->seq, "not authenticated", out);
}

/* The events. */

typedef void (*event_fn)(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out);

static void on_started(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	(void)out;
	if (!s)
		s = aaa_session_add(aaa, ev->key);
	s->peer = ev->peer;
}

static void on_message(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	struct msg_header hdr;
	union aaa_any m;

	if (!s)
		return;
	if (msg_decode(&aaa_msg_table, ev->data.data, ev->data.len, &hdr, &m,
		sizeof(m))) {
		aaa_emit_log(out, s, AAA_LOG_WARN,
		    "pppd sent %zu bytes that are no message; ending it",
		    ev->data.len);
		aaa_emit_term(out, s, "protocol error");
	} else {
		take_message(aaa, s, ev, &hdr, &m, out);
	}
	secret_wipe(&m, sizeof(m));
}

static void accept_user(
    struct aaa_session *s, const struct aaa_verdict *v, struct aaa_actions *out)
{
	memcpy(s->user, v->user, sizeof(s->user));
	s->fixed = v->ip;
	s->failures = 0;
	aaa_session_set_state(
	    s, s->ip.family ? AAA_ST_ADDRESSED : AAA_ST_AUTHENTICATED);
	aaa_emit_log(out, s, AAA_LOG_INFO, "user %s authenticated by %s",
	    s->user, aaa_method_name(s->ask_method));
}

static void reject_user(struct aaa_session *s, enum aaa_verdict_code code,
    const char *why, struct aaa_actions *out)
{
	s->failures++;
	aaa_session_set_state(s, AAA_ST_NEW);
	aaa_emit_refusal(out, s, aaa_remedy(code), "user '%s' refused (%s): %s",
	    s->asked, aaa_method_name(s->ask_method), why);
}

static void apply_verdict(
    struct aaa_session *s, const struct aaa_verdict *v, struct aaa_actions *out)
{
	struct aaa_auth_reply reply = {0};
	bool is_same = !s->user[0] || !strcmp(s->user, v->user);

	snprintf(reply.text, sizeof(reply.text), "%s", v->text);
	if (v->code == AAA_OK && is_same) {
		reply.ok = 1;
		accept_user(s, v, out);
	} else if (v->code == AAA_OK) {
		snprintf(reply.text, sizeof(reply.text), "Refused");
		reject_user(s, AAA_OK, "the session is another user's", out);
	} else {
		reject_user(s, v->code, v->reason, out);
	}
	s->job = 0;
	memset(s->asked, 0, sizeof(s->asked));
	aaa_emit_reply(out, s, AAA_AUTH_REPLY, s->seq, &reply);
	if (s->failures >= FAILURES_MAX)
		aaa_emit_term(out, s, "too many wrong passwords");
}

static void on_verdict(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	(void)aaa;
	if (s)
		apply_verdict(s, ev->verdict, out);
}

static void on_counters(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	(void)aaa;
	(void)out;
	if (s && s->state == AAA_ST_UP)
		s->stats = *ev->stats;
}

static void on_disconnect(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	(void)aaa;
	if (s)
		aaa_emit_term(out, s, ev->text ? ev->text : "disconnected");
}

static void on_ended(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	const char *reason = ev->text ? ev->text : "pppd ended";

	if (!s)
		return;
	if (s->stats.reason[0])
		reason = s->stats.reason;
	if (s->since_s)
		aaa_emit_stop(out, s, ev->now_s, reason);
	if (!s->user[0] && !s->failures)
		aaa_emit_refusal(out, s, "see the lines of pppd in the log",
		    "PPP ended before a user was authenticated: %s", reason);
	aaa_emit_log(out, s, AAA_LOG_INFO, "session of user %s ended: %s",
	    s->user[0] ? s->user : "(none)", reason);
	aaa_session_drop(aaa, s);
}

/* Nobody else gets an address that a user has for himself. */
static void on_fixed(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	struct wire_reader r;

	(void)s;
	(void)out;
	if (ev->is_first)
		pool_fix_none(aaa->pool);
	wire_reader_init(&r, ev->data.data, ev->data.len);
	while (wire_left(&r) >= 4) {
		struct addr ip = {.family = ADDR_IPV4};

		wire_get_bytes(&r, ip.ip, 4);
		pool_fix(aaa->pool, &ip);
	}
}

static void on_found(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	if (!s || ev->peer.family)
		on_started(aaa, s, ev, out);
	aaa_session_find(aaa, ev->key)->is_found = true;
}

static void on_found_end(struct aaa *aaa, struct aaa_session *s,
    const struct aaa_event *ev, struct aaa_actions *out)
{
	struct aaa_event ended = *ev;
	struct aaa_session *next;

	ended.text = "PPP ended while l2tpd's engine was away";
	HASH_ITER(hh, aaa->sessions, s, next)
	{
		if (s->is_found)
			s->is_found = false;
		else
			on_ended(aaa, s, &ended, out);
	}
}

static const event_fn event_rows[] = {
    [AAA_EV_STARTED] = on_started,
    [AAA_EV_MESSAGE] = on_message,
    [AAA_EV_VERDICT] = on_verdict,
    [AAA_EV_STATS] = on_counters,
    [AAA_EV_DISCONNECT] = on_disconnect,
    [AAA_EV_ENDED] = on_ended,
    [AAA_EV_FOUND] = on_found,
    [AAA_EV_FOUND_END] = on_found_end,
    [AAA_EV_FIXED] = on_fixed,
};

/* The session is found by its job; one that has ended is not. */
static struct aaa_session *find_asking(const struct aaa *aaa, uint32_t job)
{
	struct aaa_session *s;

	for (s = aaa->sessions; s; s = s->hh.next)
		if (s->state == AAA_ST_ASKING && s->job == job)
			break;
	return s;
}

void aaa_step(
    struct aaa *aaa, const struct aaa_event *ev, struct aaa_actions *out)
{
	struct aaa_session *s = ev->type == AAA_EV_VERDICT
				    ? find_asking(aaa, ev->job)
				    : aaa_session_find(aaa, ev->key);
	const struct aaa_key key = s ? s->key : ev->key;

	event_rows[ev->type](aaa, s, ev, out);
	s = aaa_session_find(aaa, key);
	if (s)
		aaa_session_touch(aaa, s);
}

static struct aaa_row row_of(const struct aaa_session *s)
{
	return (struct aaa_row){
	    .key = s->key,
	    .user = s->user,
	    .state = state_names[s->state],
	    .peer = s->peer,
	    .ip = s->ip,
	    .ifname = s->ifname,
	    .since_s = s->since_s,
	    .stats = s->stats,
	};
}

bool aaa_get(const struct aaa *aaa, struct aaa_key key, struct aaa_row *row)
{
	const struct aaa_session *s = aaa_session_find(aaa, key);

	if (s)
		*row = row_of(s);
	return s != NULL;
}

void aaa_each(const struct aaa *aaa, aaa_row_fn fn, void *ctx)
{
	for (const struct aaa_session *s = aaa->sessions; s; s = s->hh.next) {
		struct aaa_row row = row_of(s);

		fn(ctx, &row);
	}
}

size_t aaa_each_of_user(
    const struct aaa *aaa, const char *user, aaa_row_fn fn, void *ctx)
{
	const char *bare = users_bare_name(user);
	size_t found = 0;

	for (const struct aaa_session *s = aaa->sessions; s; s = s->hh.next) {
		struct aaa_row row = row_of(s);

		if (!s->user[0] ||
		    (strcmp(s->user, user) && strcmp(s->user, bare)))
			continue;
		found++;
		fn(ctx, &row);
	}
	return found;
}
