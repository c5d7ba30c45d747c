/* SPDX-License-Identifier: ISC */
/* The operator's requests: show, disconnect, status, why. */
#include "l2tpd/engine.h"

#include "common/alloc.h"
#include "common/version.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the answer to show: goes up when a field changes its meaning. */
#define SHOW_VERSION 1

/* Requests to the monitor at once: other work has its turn between them. */
#define STATS_WINDOW 64

/* An answer that is being put together. */
struct show {
	struct engine *engine;
	struct ctl_reply *reply;
	json_t *clients;   /* array */
	size_t next;	   /* the first row whose counters were not asked for */
	size_t unanswered; /* LM_STATS */
};

/* --- rows ------------------------------------------------------------- */

static void set_text(json_t *row, const char *name, const char *text)
{
	json_t *value = text && *text ? json_string(text) : json_null();

	/* What is not UTF-8 comes out as bytes, escaped. */
	if (!value) {
		char escaped[512];

		log_escape(escaped, sizeof(escaped), text, strlen(text));
		value = json_string(escaped);
	}
	json_object_set_new(row, name, value);
}

static void set_addr(json_t *row, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	set_text(row, name, addr_ip_len(a) ? addr_text(a, text) : NULL);
}

static void set_session(json_t *row, const struct aaa_row *session)
{
	struct addr ip = session->ip;

	ip.port = 0;
	set_text(row, "user", session->user);
	set_addr(row, "address", &ip);
	set_text(row, "interface", session->ifname);
	set_text(row, "ppp_state", session->state);
	if (session->since_s)
		json_object_set_new(
		    row, "since", json_integer((json_int_t)session->since_s));
}

static void on_row(void *ctx, const struct lns_row *l2tp)
{
	struct show *show = ctx;
	const struct aaa_key key = {l2tp->r, l2tp->tunnel_id, l2tp->session_id};
	struct aaa_row session;
	json_t *row = json_object();

	json_object_set_new(row, "r", json_integer((json_int_t)l2tp->r));
	json_object_set_new(row, "slot", json_integer(l2tp->slot));
	set_addr(row, "peer", &l2tp->peer);
	set_addr(row, "local", &l2tp->local);
	json_object_set_new(row, "nat", json_boolean(l2tp->natt));
	set_text(row, "suite", l2tp->suite);
	set_text(row, "identity", l2tp->identity);
	set_text(row, "host", l2tp->peer_host);
	json_object_set_new(row, "tunnel", json_integer(l2tp->tunnel_id));
	json_object_set_new(row, "session", json_integer(l2tp->session_id));
	set_text(row, "state", l2tp->held ? "held" : l2tp->state);
	if (l2tp->session_id && aaa_get(show->engine->aaa, key, &session))
		set_session(row, &session);
	json_array_append_new(show->clients, row);
}

static void finish(struct show *show)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "version", json_integer(SHOW_VERSION));
	json_object_set_new(doc, "clients", show->clients);
	ctl_reply_send(show->reply, doc);
	free(show);
}

static json_int_t number(const json_t *row, const char *name)
{
	return json_integer_value(json_object_get(row, name));
}

/* A row without a session has no counters. */
static void ask_stats(struct show *show, size_t index)
{
	const json_t *row = json_array_get(show->clients, index);
	const struct aaa_key key = {
	    .r = (uint64_t)number(row, "r"),
	    .tunnel_id = (uint16_t)number(row, "tunnel"),
	    .session_id = (uint16_t)number(row, "session"),
	};
	const struct lm_key body = {key.r, key.tunnel_id, key.session_id};
	struct engine_request *req;

	if (!key.session_id)
		return;
	req = engine_ask(show->engine, LM_STATS, key, &body);
	req->show = show;
	req->row = index;
	show->unanswered++;
}

/* Asks on, or is through. */
static void proceed(struct show *show)
{
	size_t count = json_array_size(show->clients);

	while (show->next < count && show->unanswered < STATS_WINDOW)
		ask_stats(show, show->next++);
	if (!show->unanswered)
		finish(show);
}

static void set_stats(json_t *row, const struct lm_stats *stats)
{
	const struct {
		const char *name;
		uint64_t value;
	} list[] = {
	    {"bytes_in", stats->bytes_in},
	    {"bytes_out", stats->bytes_out},
	    {"packets_in", stats->packets_in},
	    {"packets_out", stats->packets_out},
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		json_object_set_new(
		    row, list[i].name, json_integer((json_int_t)list[i].value));
}

void show_stats(struct show *show, size_t row, const struct lm_stats *stats)
{
	if (stats)
		set_stats(json_array_get(show->clients, row), stats);
	show->unanswered--;
	proceed(show);
}

static void do_show(struct engine *e, struct ctl_reply *reply)
{
	struct show *show = xcalloc(1, sizeof(*show));

	show->engine = e;
	show->reply = reply;
	show->clients = json_array();
	lns_each(e->lns, on_row, show);
	proceed(show);
}

/* --- disconnect ------------------------------------------------------- */

/* R of the rows that fit, collected before anything changes. */
struct victims {
	uint64_t *r;
	size_t count;
};

static void add_victim(struct victims *v, uint64_t r)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->r[i] == r)
			return;
	v->r = xreallocarray(v->r, v->count + 1, sizeof(*v->r));
	v->r[v->count++] = r;
}

static void on_user_row(void *ctx, const struct aaa_row *row)
{
	add_victim(ctx, row->key.r);
}

static void find_victims(
    struct engine *e, const char *kind, const char *name, struct victims *v)
{
	char *end;
	uint64_t r;

	if (!strcmp(kind, "user")) {
		aaa_each_of_user(e->aaa, name, on_user_row, v);
		return;
	}
	errno = 0;
	r = strtoull(name, &end, 10);
	if (!errno && !*end && engine_peer_find(e, r))
		add_victim(v, r);
}

static void do_disconnect(struct engine *e, struct ctl_reply *reply,
    const char *kind, const char *name)
{
	struct victims v = {0};

	find_victims(e, kind, name, &v);
	for (size_t i = 0; i < v.count; i++) {
		struct lns_event ev = {
		    .type = LNS_EV_DISCONNECT,
		    .r = v.r[i],
		    .text = "disconnected by the operator",
		};

		log_info(
		    &e->log, "R %" PRIu64 ": the operator ends it", v.r[i]);
		engine_lns(e, &ev);
	}
	ctl_reply_send(
	    reply, json_pack("{s:I}", "disconnected", (json_int_t)v.count));
	free(v.r);
}

/* --- status ----------------------------------------------------------- */

static void count_row(void *ctx, const struct lns_row *row)
{
	json_int_t *count = ctx;

	(void)row;
	++*count;
}

static void do_status(struct engine *e, struct ctl_reply *reply)
{
	json_int_t clients = 0;

	lns_each(e->lns, count_row, &clients);
	ctl_reply_send(
	    reply, json_pack("{s:s, s:s, s:i, s:b, s:I}", "program", "l2tpd",
		       "version", SALLYPORT_VERSION, "pid", (int)getpid(),
		       "linked", e->ike != NULL, "clients", clients));
}

/* --- why -------------------------------------------------------------- */

static void do_why(
    struct engine *e, struct ctl_reply *reply, const char *address)
{
	json_t *doc = refusals_json(e->refusals, address);

	if (doc)
		ctl_reply_send(reply, doc);
	else
		ctl_reply_error(reply, "%.64s is no IP address", address);
}

void show_request(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words)
{
	struct engine *e = ctx;

	if (count == 2 && !strcmp(words[0], "why"))
		do_why(e, reply, words[1]);
	else if (!e->is_serving)
		ctl_reply_error(reply, "l2tpd is starting");
	else if (count == 1 && !strcmp(words[0], "show"))
		do_show(e, reply);
	else if (count == 1 && !strcmp(words[0], "status"))
		do_status(e, reply);
	else if (count == 3 && !strcmp(words[0], "disconnect") &&
		 (!strcmp(words[1], "r") || !strcmp(words[1], "user")))
		do_disconnect(e, reply, words[1], words[2]);
	else
		ctl_reply_error(reply,
		    "l2tpd knows: show; status; why ADDRESS; "
		    "disconnect r NUMBER; disconnect user "
		    "NAME");
}
