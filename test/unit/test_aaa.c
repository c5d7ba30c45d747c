/* SPDX-License-Identifier: ISC */
/*
 * The AAA core: whole sessions, wrong orders, refusals, crashes.  Every
 * test runs twice: straight, and with the core saved, freed and restored
 * before each event.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "l2tpd/core/aaa.h"
#include "l2tpd/core/pool.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1700000000u

struct rig {
	struct aaa *aaa;
	bool restores;
	struct aaa_config cfg;
	struct aaa_actions acts;
	uint32_t seq;
	uint64_t now_s;
};

static const struct aaa_key one = {1, 0x4001, 11};
static const struct aaa_key two = {2, 0x4002, 12};
static const struct aaa_key three = {3, 0x4003, 13};

static struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

static struct rig rig_new(bool restores)
{
	struct rig g = {.restores = restores, .now_s = NOW};
	char reason[POOL_REASON_MAX];

	g.cfg.pool = "10.20.0.1-10.20.0.3"; /* .1 is ours */
	g.cfg.local = ip("10.20.0.1");
	g.cfg.dns1 = ip("10.20.0.53");
	g.cfg.mtu = 1400;
	g.aaa = aaa_new(&g.cfg, reason);
	assert_non_null(g.aaa);
	return g;
}

static void rig_free(struct rig *g)
{
	aaa_actions_free(&g->acts);
	aaa_free(g->aaa);
}

static void step(struct rig *g, struct aaa_event ev)
{
	ev.now_s = g->now_s;
	aaa_actions_clear(&g->acts);
	if (g->restores) {
		size_t len, len2;
		uint8_t *data = aaa_save(g->aaa, &len), *data2;

		aaa_free(g->aaa);
		g->aaa = aaa_restore(&g->cfg, data, len);
		assert_non_null(g->aaa);
		data2 = aaa_save(g->aaa, &len2);
		assert_int_equal(len, len2);
		assert_memory_equal(data, data2, len);
		free(data);
		free(data2);
	}
	aaa_step(g->aaa, &ev, &g->acts);
}

static void send_msg(
    struct rig *g, struct aaa_key key, enum aaa_msg type, const void *body)
{
	uint8_t buf[MSG_MAX];
	int len = msg_encode(
	    &aaa_msg_table, (uint16_t)type, ++g->seq, body, buf, sizeof(buf));

	assert_true(len > 0);
	step(g, (struct aaa_event){
		    .type = AAA_EV_MESSAGE,
		    .key = key,
		    .data = {buf, (size_t)len},
		});
}

static const struct aaa_action *find(
    const struct rig *g, enum aaa_action_type type)
{
	for (size_t i = 0; i < g->acts.count; i++)
		if (g->acts.items[i].type == type)
			return &g->acts.items[i];
	return NULL;
}

/* The message of that type that the last step sent; false if none. */
static bool sent(
    const struct rig *g, enum aaa_msg type, uint32_t *seq, union aaa_any *m)
{
	for (size_t i = 0; i < g->acts.count; i++) {
		const struct aaa_action *a = &g->acts.items[i];
		struct msg_header hdr;

		if (a->type != AAA_ACT_SEND)
			continue;
		assert_int_equal(msg_decode(&aaa_msg_table, a->data, a->len,
				     &hdr, m, sizeof(*m)),
		    0);
		*seq = hdr.seq;
		if (hdr.type == (uint16_t)type)
			return true;
	}
	return false;
}

static void logged(
    const struct rig *g, enum aaa_log_level level, const char *text)
{
	const struct aaa_action *a = find(g, AAA_ACT_LOG);

	assert_non_null(a);
	assert_string_equal(a->text, text);
	assert_int_equal(a->level, level);
}

static void start(struct rig *g, struct aaa_key key)
{
	struct addr peer = ip("203.0.113.7");

	peer.port = 4500;
	step(g, (struct aaa_event){
		    .type = AAA_EV_STARTED, .key = key, .peer = peer});
	assert_int_equal(g->acts.count, 0);
}

/* Sends AUTH; the job that the monitor is asked, or 0. */
static uint32_t ask(struct rig *g, struct aaa_key key, const char *user)
{
	struct aaa_auth auth = {.method = AAA_MSCHAPV2, .id = 3};
	const struct aaa_action *a;

	snprintf(auth.user, sizeof(auth.user), "%s", user);
	auth.challenge.len = 16;
	auth.response.len = 49;
	memset(auth.response.data, 0x5a, 49);
	send_msg(g, key, AAA_AUTH, &auth);
	a = find(g, AAA_ACT_AUTH);
	if (!a)
		return 0;
	assert_memory_equal(a->auth, &auth, sizeof(auth));
	assert_true(a->key.r == key.r);
	return a->job;
}

static void answer(struct rig *g, uint32_t job, enum aaa_verdict_code code,
    const char *user, const char *fixed)
{
	struct aaa_verdict v = {.code = (uint8_t)code};

	strcpy(v.text, code == AAA_OK ? "S=1234" : "E=691");
	strcpy(v.reason, code == AAA_OK ? "" : "wrong password");
	strcpy(v.user, code == AAA_OK ? user : "");
	if (fixed)
		v.ip = ip(fixed);
	step(g, (struct aaa_event){
		    .type = AAA_EV_VERDICT, .job = job, .verdict = &v});
}

/* Authenticates; true when the plugin is told so. */
static bool login(struct rig *g, struct aaa_key key, const char *as,
    const char *user, const char *fixed)
{
	uint32_t job = ask(g, key, as), seq;
	union aaa_any m;

	assert_int_not_equal(job, 0);
	answer(g, job, AAA_OK, user, fixed);
	assert_true(sent(g, AAA_AUTH_REPLY, &seq, &m));
	assert_int_equal(seq, g->seq);
	return m.auth_reply.ok;
}

static struct aaa_address_reply address(struct rig *g, struct aaa_key key)
{
	struct aaa_address body = {0};
	union aaa_any m;
	uint32_t seq;

	send_msg(g, key, AAA_ADDRESS, &body);
	assert_true(sent(g, AAA_ADDRESS_REPLY, &seq, &m));
	assert_int_equal(seq, g->seq);
	return m.address_reply;
}

static void up(struct rig *g, struct aaa_key key)
{
	struct aaa_up body = {.unit = 7};

	strcpy(body.ifname, "sp7");
	send_msg(g, key, AAA_UP, &body);
}

static void bring_up(struct rig *g, struct aaa_key key, const char *user)
{
	start(g, key);
	assert_true(login(g, key, user, user, NULL));
	assert_true(address(g, key).ok);
	up(g, key);
}

static void state_is(struct rig *g, struct aaa_key key, const char *want)
{
	struct aaa_row row;

	assert_true(aaa_get(g->aaa, key, &row));
	assert_string_equal(row.state, want);
}

static json_t *record(const struct rig *g)
{
	const struct aaa_action *a = find(g, AAA_ACT_ACCT);
	json_t *j;

	assert_non_null(a);
	assert_null(strchr(a->text, '\n'));
	j = json_loads(a->text, 0, NULL);
	assert_non_null(j);
	return j;
}

static void member(json_t *j, const char *key, const char *want)
{
	assert_string_equal(json_string_value(json_object_get(j, key)), want);
}

static void number(json_t *j, const char *key, json_int_t want)
{
	assert_int_equal(json_integer_value(json_object_get(j, key)), want);
}

static void end(struct rig *g, struct aaa_key key, const char *text)
{
	step(g,
	    (struct aaa_event){.type = AAA_EV_ENDED, .key = key, .text = text});
}

static void a_whole_session(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_stats last = {.bytes_in = 5000000000u,
	    .bytes_out = 2,
	    .packets_in = 3,
	    .packets_out = 4,
	    .seconds = 60};
	struct aaa_address_reply a;
	char text[ADDR_TEXT_MAX];
	struct aaa_row row;
	json_t *j;

	start(&g, one);
	state_is(&g, one, "new");
	assert_true(login(&g, one, "CORP\\alice", "alice", NULL));
	logged(&g, AAA_LOG_INFO,
	    "R 1 (203.0.113.7:4500): user alice authenticated by mschap-v2");
	state_is(&g, one, "authenticated");
	a = address(&g, one);
	assert_true(a.ok);
	assert_string_equal(addr_text(&a.local, text), "10.20.0.1");
	assert_string_equal(addr_text(&a.remote, text), "10.20.0.2");
	assert_string_equal(addr_text(&a.dns1, text), "10.20.0.53");
	assert_int_equal(a.dns2.family, ADDR_NONE);
	assert_int_equal(a.mtu, 1400);
	state_is(&g, one, "addressed");
	assert_null(find(&g, AAA_ACT_ACCT));
	up(&g, one);
	state_is(&g, one, "up");
	j = record(&g);
	member(j, "event", "start");
	member(j, "user", "alice");
	member(j, "peer", "203.0.113.7:4500");
	member(j, "ip", "10.20.0.2");
	member(j, "interface", "sp7");
	number(j, "r", 1);
	number(j, "tunnel", 0x4001);
	number(j, "session", 11);
	number(j, "time", NOW);
	json_decref(j);
	g.now_s += 90;
	send_msg(&g, one, AAA_STATS, &last);
	assert_true(aaa_get(g.aaa, one, &row));
	assert_string_equal(row.user, "alice");
	assert_string_equal(row.ifname, "sp7");
	assert_false(row.held);
	assert_true(row.since_s == NOW);
	assert_true(row.stats.bytes_in == 5000000000u);
	strcpy(last.reason, "peer hung up");
	send_msg(&g, one, AAA_DOWN, &last);
	end(&g, one, "pppd exited with 16");
	j = record(&g);
	member(j, "event", "stop");
	member(j, "reason", "peer hung up");
	number(j, "bytes_in", 5000000000);
	number(j, "bytes_out", 2);
	number(j, "packets_in", 3);
	number(j, "packets_out", 4);
	number(j, "seconds", 60);
	number(j, "time", NOW + 90);
	json_decref(j);
	assert_false(aaa_get(g.aaa, one, &row));
	rig_free(&g);
}

static void nothing_without_auth(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_address_reply a;
	struct aaa_stats st = {.bytes_in = 9};
	struct aaa_row row;
	uint32_t job;

	start(&g, one);
	a = address(&g, one);
	assert_false(a.ok);
	assert_string_equal(a.reason, "not authenticated");
	assert_int_equal(a.remote.family, ADDR_NONE);
	logged(&g, AAA_LOG_WARN,
	    "R 1 (203.0.113.7:4500): AAA_ADDRESS of pppd refused in state "
	    "new");
	up(&g, one);
	assert_null(find(&g, AAA_ACT_ACCT));
	state_is(&g, one, "new");
	send_msg(&g, one, AAA_STATS, &st);
	assert_true(aaa_get(g.aaa, one, &row));
	assert_true(row.stats.bytes_in == 0);
	/* While the monitor thinks it is no better. */
	job = ask(&g, one, "alice");
	assert_false(address(&g, one).ok);
	up(&g, one);
	state_is(&g, one, "asking");
	answer(&g, job, AAA_WRONG_PASSWORD, "", NULL);
	assert_false(address(&g, one).ok);
	/* An address is needed before UP. */
	assert_true(login(&g, one, "alice", "alice", NULL));
	up(&g, one);
	state_is(&g, one, "authenticated");
	end(&g, one, NULL);
	assert_null(find(&g, AAA_ACT_ACCT));
	rig_free(&g);
}

static void wrong_passwords_end_the_session(bool restores)
{
	struct rig g = rig_new(restores);
	union aaa_any m;
	uint32_t seq;

	start(&g, one);
	for (int i = 1; i <= 3; i++) {
		uint32_t job = ask(&g, one, "al\x1bice");

		answer(&g, job, AAA_WRONG_PASSWORD, "", NULL);
		assert_true(sent(&g, AAA_AUTH_REPLY, &seq, &m));
		assert_false(m.auth_reply.ok);
		assert_string_equal(m.auth_reply.text, "E=691");
		logged(&g, AAA_LOG_WARN,
		    "R 1 (203.0.113.7:4500): user 'al?ice' refused "
		    "(mschap-v2): wrong password");
		assert_int_equal(sent(&g, AAA_TERM, &seq, &m), i == 3);
		assert_null(find(&g, AAA_ACT_NOTE));
	}
	rig_free(&g);
}

static void stale_verdicts_do_nothing(bool restores)
{
	struct rig g = rig_new(restores);
	uint32_t first, second;

	start(&g, one);
	first = ask(&g, one, "alice");
	/* A second proof while the first is asked about. */
	assert_int_equal(ask(&g, one, "alice"), 0);
	answer(&g, first + 1, AAA_OK, "alice", NULL);
	assert_int_equal(g.acts.count, 0);
	state_is(&g, one, "asking");
	end(&g, one, NULL);
	answer(&g, first, AAA_OK, "alice", NULL);
	assert_int_equal(g.acts.count, 0);
	start(&g, one);
	second = ask(&g, one, "alice");
	assert_int_not_equal(first, second);
	answer(&g, first, AAA_OK, "alice", NULL);
	assert_int_equal(g.acts.count, 0);
	answer(&g, second, AAA_OK, "alice", NULL);
	state_is(&g, one, "authenticated");
	answer(&g, second, AAA_OK, "alice", NULL);
	assert_int_equal(g.acts.count, 0);
	rig_free(&g);
}

static void the_pool_runs_dry(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_address_reply a;

	bring_up(&g, one, "alice");
	bring_up(&g, two, "bob");
	start(&g, three);
	assert_true(login(&g, three, "carol", "carol", NULL));
	a = address(&g, three);
	assert_false(a.ok);
	assert_string_equal(
	    a.reason, "pool exhausted: all 3 addresses are in use");
	logged(&g, AAA_LOG_WARN,
	    "R 3 (203.0.113.7:4500): no address for user carol: pool "
	    "exhausted: all 3 addresses are in use");
	end(&g, one, "hangup");
	a = address(&g, three);
	assert_true(a.ok);
	assert_int_equal(a.remote.ip[3], 2);
	rig_free(&g);
}

static void fixed_addresses(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_address_reply a;

	start(&g, one);
	assert_true(login(&g, one, "alice", "alice", "192.0.2.5"));
	a = address(&g, one);
	assert_true(a.ok);
	assert_memory_equal(a.remote.ip, "\xc0\x00\x02\x05", 4);
	start(&g, two);
	assert_true(login(&g, two, "alice", "alice", "192.0.2.5"));
	a = address(&g, two);
	assert_false(a.ok);
	assert_string_equal(a.reason,
	    "the user's address 192.0.2.5 is in use by another session");
	/* Our own address is nobody's. */
	start(&g, three);
	assert_true(login(&g, three, "eve", "eve", "10.20.0.1"));
	assert_false(address(&g, three).ok);
	rig_free(&g);
}

static void lcp_may_start_again(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_row row;
	uint32_t job;

	bring_up(&g, one, "alice");
	g.now_s += 10;
	assert_true(login(&g, one, "alice", "alice", NULL));
	state_is(&g, one, "addressed");
	assert_int_equal(address(&g, one).remote.ip[3], 2);
	up(&g, one);
	assert_null(find(&g, AAA_ACT_ACCT));
	assert_true(aaa_get(g.aaa, one, &row));
	assert_true(row.since_s == NOW);
	/* But not as somebody else, and not without a password. */
	assert_false(login(&g, one, "bob", "bob", NULL));
	state_is(&g, one, "new");
	assert_false(address(&g, one).ok);
	job = ask(&g, one, "alice");
	answer(&g, job, AAA_WRONG_PASSWORD, "", NULL);
	assert_false(address(&g, one).ok);
	end(&g, one, "x");
	assert_non_null(find(&g, AAA_ACT_ACCT));
	rig_free(&g);
}

static void rubbish_ends_pppd(bool restores)
{
	struct rig g = rig_new(restores);
	union aaa_any m;
	uint32_t seq;

	start(&g, one);
	step(&g, (struct aaa_event){.type = AAA_EV_MESSAGE,
		     .key = one,
		     .data = {(const uint8_t *)"rubbish", 7}});
	logged(&g, AAA_LOG_WARN,
	    "R 1 (203.0.113.7:4500): pppd sent 7 bytes that are no message; "
	    "ending it");
	assert_true(sent(&g, AAA_TERM, &seq, &m));
	assert_string_equal(m.term.reason, "protocol error");
	/* A message that only we send. */
	memset(&m, 0, sizeof(m));
	send_msg(&g, one, AAA_AUTH_REPLY, &m);
	logged(&g, AAA_LOG_WARN,
	    "R 1 (203.0.113.7:4500): AAA_AUTH_REPLY of pppd refused in state "
	    "new");
	assert_int_equal(g.acts.count, 1);
	rig_free(&g);
}

static void unknown_sessions_are_ignored(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_stats st = {.bytes_in = 1};
	struct aaa_address body = {0};
	struct aaa_row row;

	send_msg(&g, one, AAA_ADDRESS, &body);
	assert_int_equal(g.acts.count, 0);
	end(&g, one, "x");
	step(&g, (struct aaa_event){.type = AAA_EV_DISCONNECT, .key = one});
	step(&g,
	    (struct aaa_event){.type = AAA_EV_STATS, .key = one, .stats = &st});
	assert_int_equal(g.acts.count, 0);
	assert_false(aaa_get(g.aaa, one, &row));
	rig_free(&g);
}

static void the_operator_disconnects(bool restores)
{
	struct rig g = rig_new(restores);
	union aaa_any m;
	uint32_t seq;

	bring_up(&g, one, "alice");
	step(&g, (struct aaa_event){.type = AAA_EV_DISCONNECT,
		     .key = one,
		     .text = "disconnected by the operator"});
	assert_true(sent(&g, AAA_TERM, &seq, &m));
	assert_string_equal(m.term.reason, "disconnected by the operator");
	state_is(&g, one, "up");
	rig_free(&g);
}

static void the_shells_counters_count(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_stats st = {.bytes_in = 77};
	json_t *j;

	bring_up(&g, one, "alice");
	step(&g,
	    (struct aaa_event){.type = AAA_EV_STATS, .key = one, .stats = &st});
	g.now_s += 33;
	end(&g, one, "killed");
	j = record(&g);
	number(j, "bytes_in", 77);
	number(j, "seconds", 33);
	member(j, "reason", "killed");
	json_decref(j);
	rig_free(&g);
}

static void count_row(void *ctx, const struct aaa_row *row)
{
	*(uint64_t *)ctx += row->key.r;
}

static void sessions_are_found_by_user(bool restores)
{
	struct rig g = rig_new(restores);
	uint64_t sum = 0;

	bring_up(&g, one, "alice");
	bring_up(&g, two, "alice");
	start(&g, three);
	assert_int_equal(aaa_each_of_user(g.aaa, "alice", count_row, &sum), 2);
	assert_int_equal(sum, 3);
	assert_int_equal(
	    aaa_each_of_user(g.aaa, "CORP\\alice", count_row, &sum), 2);
	assert_int_equal(aaa_each_of_user(g.aaa, "", count_row, &sum), 0);
	assert_int_equal(aaa_each_of_user(g.aaa, "al", count_row, &sum), 0);
	sum = 0;
	aaa_each(g.aaa, count_row, &sum);
	assert_int_equal(sum, 6);
	rig_free(&g);
}

/* The last note of a session, copied. */
static size_t take_note(struct rig *g, uint8_t note[AAA_NOTE_MAX])
{
	const struct aaa_action *a = find(g, AAA_ACT_NOTE);

	assert_non_null(a);
	assert_in_range(a->len, 1, AAA_NOTE_MAX);
	memcpy(note, a->data, a->len);
	return a->len;
}

static void hold(
    struct rig *g, struct aaa_key key, const uint8_t *note, size_t len)
{
	step(g, (struct aaa_event){
		    .type = AAA_EV_HELD, .key = key, .data = {note, len}});
}

static void held_sessions_go_on(bool restores)
{
	struct rig g = rig_new(restores), h = rig_new(restores);
	struct aaa_stats st = {.bytes_in = 123, .seconds = 99};
	uint8_t note[AAA_NOTE_MAX];
	struct aaa_row row;
	size_t len;
	json_t *j;

	bring_up(&g, one, "alice");
	len = take_note(&g, note);
	/* Another engine. */
	hold(&h, one, note, len);
	assert_int_equal(h.acts.count, 0);
	assert_true(aaa_get(h.aaa, one, &row));
	assert_true(row.held);
	assert_string_equal(row.state, "up");
	assert_string_equal(row.user, "alice");
	assert_true(row.since_s == NOW);
	assert_int_equal(row.ip.ip[3], 2);
	assert_int_equal(row.peer.port, 4500);
	hold(&h, one, note, len);
	/* Nobody gets its address. */
	bring_up(&h, two, "bob");
	assert_true(aaa_get(h.aaa, two, &row));
	assert_int_equal(row.ip.ip[3], 3);
	assert_false(row.held);
	send_msg(&h, one, AAA_STATS, &st);
	end(&h, one, "dead");
	j = record(&h);
	number(j, "bytes_in", 123);
	member(j, "user", "alice");
	json_decref(j);
	rig_free(&g);
	rig_free(&h);
}

static void a_held_session_may_still_want_its_address(bool restores)
{
	struct rig g = rig_new(restores), h = rig_new(restores);
	uint8_t note[AAA_NOTE_MAX];
	size_t len;

	start(&g, one);
	assert_true(login(&g, one, "alice", "alice", "192.0.2.5"));
	len = take_note(&g, note);
	hold(&h, one, note, len);
	state_is(&h, one, "authenticated");
	assert_int_equal(address(&h, one).remote.ip[0], 192);
	/* Without a note nobody is on it. */
	hold(&h, two, NULL, 0);
	state_is(&h, two, "new");
	assert_false(address(&h, two).ok);
	rig_free(&g);
	rig_free(&h);
}

static void damaged_notes_give_nothing(bool restores)
{
	struct rig g = rig_new(restores);
	uint8_t note[AAA_NOTE_MAX + 1] = {0};
	struct aaa_row row;
	size_t len;

	bring_up(&g, one, "alice");
	len = take_note(&g, note);
	for (size_t cut = 1; cut <= len + 1; cut++) {
		struct rig h;

		if (cut == len)
			continue;
		h = rig_new(restores);
		hold(&h, one, note, cut);
		assert_non_null(find(&h, AAA_ACT_LOG));
		assert_non_null(
		    strstr(find(&h, AAA_ACT_LOG)->text, "is damaged"));
		state_is(&h, one, "new");
		assert_true(aaa_get(h.aaa, one, &row));
		assert_string_equal(row.user, "");
		assert_int_equal(row.ip.family, ADDR_NONE);
		rig_free(&h);
	}
	/* A state that is none, and ASKING, which no note says. */
	for (int state = 0; state < 256; state++) {
		struct rig h = rig_new(restores);
		bool is_good = state == 0 || (state >= 2 && state <= 4);

		note[1] = (uint8_t)state;
		hold(&h, one, note, len);
		assert_int_equal(find(&h, AAA_ACT_LOG) == NULL, is_good);
		rig_free(&h);
	}
	rig_free(&g);
}

static void two_held_sessions_with_one_address(bool restores)
{
	struct rig g = rig_new(restores), h = rig_new(restores);
	uint8_t note[AAA_NOTE_MAX];
	size_t len;

	bring_up(&g, one, "alice");
	len = take_note(&g, note);
	hold(&h, one, note, len);
	hold(&h, two, note, len);
	logged(&h, AAA_LOG_WARN,
	    "R 2 (203.0.113.7:4500): the address of user alice is another "
	    "session's too");
	rig_free(&g);
	rig_free(&h);
}

static void damaged_states_are_refused(void **state)
{
	struct rig g = rig_new(false);
	uint8_t *data, *copy;
	size_t len;

	(void)state;
	bring_up(&g, one, "alice");
	start(&g, two);
	ask(&g, two, "bob");
	data = aaa_save(g.aaa, &len);
	copy = malloc(len + 1);
	for (size_t cut = 0; cut < len; cut++) {
		struct aaa *a;

		/* A copy of its own length, for the sanitizer. */
		copy = realloc(copy, cut + 1);
		memcpy(copy, data, cut);
		a = aaa_restore(&g.cfg, copy, cut);
		assert_null(a);
	}
	copy = realloc(copy, len + 1);
	memcpy(copy, data, len);
	copy[len] = 0;
	assert_null(aaa_restore(&g.cfg, copy, len + 1));
	copy[0]++;
	assert_null(aaa_restore(&g.cfg, copy, len));
	g.cfg.pool = "nonsense";
	assert_null(aaa_restore(&g.cfg, data, len));
	free(copy);
	free(data);
	rig_free(&g);
}

static void a_new_configuration_keeps_the_sessions(void **state)
{
	struct rig g = rig_new(false);
	struct aaa_address_reply a;
	uint8_t *data;
	size_t len;

	(void)state;
	bring_up(&g, one, "alice");
	data = aaa_save(g.aaa, &len);
	aaa_free(g.aaa);
	g.cfg.pool = "10.30.0.1-10.30.0.9";
	g.cfg.local = ip("10.30.0.1");
	g.aaa = aaa_restore(&g.cfg, data, len);
	assert_non_null(g.aaa);
	assert_int_equal(address(&g, one).remote.ip[1], 20);
	start(&g, two);
	assert_true(login(&g, two, "bob", "bob", NULL));
	a = address(&g, two);
	assert_memory_equal(a.remote.ip, "\x0a\x1e\x00\x02", 4);
	assert_memory_equal(a.local.ip, "\x0a\x1e\x00\x01", 4);
	free(data);
	rig_free(&g);
}

static void a_wrong_pool_is_told(void **state)
{
	struct aaa_config cfg = {.pool = "x"};
	char reason[POOL_REASON_MAX] = "";

	(void)state;
	assert_null(aaa_new(&cfg, reason));
	assert_string_equal(
	    reason, "pool: 'x' is not an IPv4 address or FIRST-LAST");
}

/* Both ways of running a test. */
#define BOTH(name)                                                             \
	static void name##_straight(void **state)                              \
	{                                                                      \
		(void)state;                                                   \
		name(false);                                                   \
	}                                                                      \
	static void name##_restored(void **state)                              \
	{                                                                      \
		(void)state;                                                   \
		name(true);                                                    \
	}
#define RUN(name)                                                              \
	cmocka_unit_test(name##_straight), cmocka_unit_test(name##_restored)

BOTH(a_whole_session)
BOTH(nothing_without_auth)
BOTH(wrong_passwords_end_the_session)
BOTH(stale_verdicts_do_nothing)
BOTH(the_pool_runs_dry)
BOTH(fixed_addresses)
BOTH(lcp_may_start_again)
BOTH(rubbish_ends_pppd)
BOTH(unknown_sessions_are_ignored)
BOTH(the_operator_disconnects)
BOTH(the_shells_counters_count)
BOTH(sessions_are_found_by_user)
BOTH(held_sessions_go_on)
BOTH(a_held_session_may_still_want_its_address)
BOTH(damaged_notes_give_nothing)
BOTH(two_held_sessions_with_one_address)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RUN(a_whole_session),
	    RUN(nothing_without_auth),
	    RUN(wrong_passwords_end_the_session),
	    RUN(stale_verdicts_do_nothing),
	    RUN(the_pool_runs_dry),
	    RUN(fixed_addresses),
	    RUN(lcp_may_start_again),
	    RUN(rubbish_ends_pppd),
	    RUN(unknown_sessions_are_ignored),
	    RUN(the_operator_disconnects),
	    RUN(the_shells_counters_count),
	    RUN(sessions_are_found_by_user),
	    RUN(held_sessions_go_on),
	    RUN(a_held_session_may_still_want_its_address),
	    RUN(damaged_notes_give_nothing),
	    RUN(two_held_sessions_with_one_address),
	    cmocka_unit_test(damaged_states_are_refused),
	    cmocka_unit_test(a_new_configuration_keeps_the_sessions),
	    cmocka_unit_test(a_wrong_pool_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
