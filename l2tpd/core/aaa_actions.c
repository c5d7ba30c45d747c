/* SPDX-License-Identifier: ISC */
/* The AAA core's actions: the list, log lines, accounting records. */
#include "l2tpd/core/aaa_int.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "l2tpd/core/utf8.h"

#include <jansson.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void aaa_actions_clear(struct aaa_actions *a)
{
	for (size_t i = 0; i < a->count; i++) {
		free(a->items[i].data);
		free(a->items[i].text);
		if (a->items[i].auth)
			secret_free(
			    a->items[i].auth, sizeof(*a->items[i].auth));
	}
	a->count = 0;
}

void aaa_actions_free(struct aaa_actions *a)
{
	aaa_actions_clear(a);
	free(a->items);
	memset(a, 0, sizeof(*a));
}

static struct aaa_action *emit(struct aaa_actions *out,
    enum aaa_action_type type, const struct aaa_session *s)
{
	struct aaa_action *act;

	if (out->count == out->capacity) {
		out->capacity = out->capacity ? 2 * out->capacity : 8;
		out->items = xreallocarray(
		    out->items, out->capacity, sizeof(*out->items));
	}
	act = &out->items[out->count++];
	memset(act, 0, sizeof(*act));
	act->type = type;
	act->key = s->key;
	return act;
}

void aaa_emit_send(struct aaa_actions *out, const struct aaa_session *s,
    enum aaa_msg type, uint32_t seq, const void *body)
{
	uint8_t buf[MSG_MAX];
	int len = msg_encode(
	    &aaa_msg_table, (uint16_t)type, seq, body, buf, sizeof(buf));
	struct aaa_action *act;

	/* Only a struct of ours that breaks its own limits fails. */
	if (len < 0)
		abort();
	act = emit(out, AAA_ACT_SEND, s);
	act->data = xmemdup(buf, (size_t)len);
	act->len = (size_t)len;
}

void aaa_emit_reply(struct aaa_actions *out, struct aaa_session *s,
    enum aaa_msg type, uint32_t seq, const void *body)
{
	const struct aaa_action *act;

	aaa_emit_send(out, s, type, seq, body);
	act = &out->items[out->count - 1];
	if (seq != s->seq)
		return;
	free(s->reply);
	s->reply = xmemdup(act->data, act->len);
	s->reply_len = act->len;
}

void aaa_emit_again(struct aaa_actions *out, const struct aaa_session *s)
{
	struct aaa_action *act;

	if (!s->reply)
		return;
	act = emit(out, AAA_ACT_SEND, s);
	act->data = xmemdup(s->reply, s->reply_len);
	act->len = s->reply_len;
}

void aaa_emit_term(
    struct aaa_actions *out, const struct aaa_session *s, const char *reason)
{
	struct aaa_term term = {0};

	snprintf(term.reason, sizeof(term.reason), "%s", reason);
	aaa_emit_send(out, s, AAA_TERM, 0, &term);
}

void aaa_emit_auth(struct aaa_actions *out, const struct aaa_session *s,
    const struct aaa_auth *auth)
{
	struct aaa_action *act = emit(out, AAA_ACT_AUTH, s);

	act->job = s->job;
	act->auth = xmemdup(auth, sizeof(*auth));
}

const char *aaa_printable(const char *text, char *out, size_t size)
{
	bool is_utf8;

	snprintf(out, size, "%s", text);
	is_utf8 = utf8_valid(out, strlen(out));
	for (char *p = out; *p; p++) {
		uint8_t c = (uint8_t)*p;

		if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8))
			*p = '?';
	}
	return out;
}

static struct aaa_action *log_line(struct aaa_actions *out,
    const struct aaa_session *s, enum aaa_log_level level, const char *format,
    va_list args)
{
	char text[512], clean[512], peer[ADDR_TEXT_MAX];
	struct aaa_action *act = emit(out, AAA_ACT_LOG, s);

	vsnprintf(text, sizeof(text), format, args);
	act->level = level;
	act->text = xasprintf("R %llu (%s): %s", (unsigned long long)s->key.r,
	    s->peer.family ? addr_text(&s->peer, peer) : "peer unknown",
	    aaa_printable(text, clean, sizeof(clean)));
	return act;
}

void aaa_emit_log(struct aaa_actions *out, const struct aaa_session *s,
    enum aaa_log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(out, s, level, format, args);
	va_end(args);
}

void aaa_emit_refusal(struct aaa_actions *out, const struct aaa_session *s,
    const char *remedy, const char *format, ...)
{
	struct aaa_action *act;
	va_list args;

	va_start(args, format);
	act = log_line(out, s, AAA_LOG_WARN, format, args);
	va_end(args);
	act->what = strstr(act->text, "): ") + 3;
	act->remedy = remedy;
}

const char *aaa_remedy(enum aaa_verdict_code code)
{
	static const char *const remedies[] = {
	    [AAA_UNKNOWN_USER] = "correct the name at the client, or add the "
				 "user (`sallyport user add NAME`)",
	    [AAA_WRONG_PASSWORD] = "correct the password at the client, or set "
				   "it (`sallyport user add NAME`)",
	    [AAA_NO_SECRET] = "let the client use mschap-v2, or set the "
			      "password with `sallyport user add --plain NAME`",
	    [AAA_METHOD_OFF] = "let the client use a method that l2tp { auth } "
			       "names, or name its method there",
	    [AAA_BROKEN] = "see the log of l2tpd",
	};

	return code < sizeof(remedies) / sizeof(remedies[0]) ? remedies[code]
							     : NULL;
}

/* The members that every record has. */
static json_t *record(
    const struct aaa_session *s, const char *event, uint64_t time_s)
{
	char user[AAA_USER_MAX], ifname[AAA_IFNAME_MAX];
	char peer[ADDR_TEXT_MAX], ip[ADDR_TEXT_MAX];
	json_t *j = json_pack("{s:s, s:I, s:I, s:i, s:i, s:s, s:s, s:s, s:s}",
	    "event", event, "time", (json_int_t)time_s, "r",
	    (json_int_t)s->key.r, "tunnel", (int)s->key.tunnel_id, "session",
	    (int)s->key.session_id, "user",
	    aaa_printable(s->user, user, sizeof(user)), "peer",
	    s->peer.family ? addr_text(&s->peer, peer) : "", "ip",
	    s->ip.family ? addr_ip_text(&s->ip, ip) : "", "interface",
	    aaa_printable(s->ifname, ifname, sizeof(ifname)));

	if (!j)
		abort();
	return j;
}

static void emit_record(
    struct aaa_actions *out, const struct aaa_session *s, json_t *j)
{
	struct aaa_action *act = emit(out, AAA_ACT_ACCT, s);

	act->text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	if (!act->text)
		abort();
}

void aaa_emit_start(struct aaa_actions *out, const struct aaa_session *s)
{
	emit_record(out, s, record(s, "start", s->since_s));
}

void aaa_emit_stop(struct aaa_actions *out, const struct aaa_session *s,
    uint64_t now_s, const char *reason)
{
	char clean[AAA_REASON_MAX];
	uint64_t seconds = now_s > s->since_s ? now_s - s->since_s : 0;
	json_t *j = record(s, "stop", now_s);

	/* The plugin's monotonic clock is better than the wall's. */
	if (s->stats.seconds)
		seconds = s->stats.seconds;
	if (json_object_set_new(
		j, "seconds", json_integer((json_int_t)seconds)) ||
	    json_object_set_new(
		j, "bytes_in", json_integer((json_int_t)s->stats.bytes_in)) ||
	    json_object_set_new(
		j, "bytes_out", json_integer((json_int_t)s->stats.bytes_out)) ||
	    json_object_set_new(j, "packets_in",
		json_integer((json_int_t)s->stats.packets_in)) ||
	    json_object_set_new(j, "packets_out",
		json_integer((json_int_t)s->stats.packets_out)) ||
	    json_object_set_new(j, "reason",
		json_string(aaa_printable(reason, clean, sizeof(clean)))))
		abort();
	emit_record(out, s, j);
}
