/* SPDX-License-Identifier: ISC */
/*
 * An AAA core with its sessions, for the tests of it.  Every test runs
 * twice: straight, and with the core saved, freed and restored before each
 * event.  Its records are kept, and compared with its state after each.
 */
#ifndef TEST_UNIT_AAA_RIG_H
#define TEST_UNIT_AAA_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/alloc.h"
#include "l2tpd/core/aaa_int.h"

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
	struct rig_record {
		uint64_t id; /* 0: none */
		uint8_t *data;
		size_t len;
	} records[16];
};

__attribute__((unused)) static const struct aaa_key one = {1, 0x4001, 11};
__attribute__((unused)) static const struct aaa_key two = {2, 0x4002, 12};
__attribute__((unused)) static const struct aaa_key three = {3, 0x4003, 13};

static inline struct addr ip(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

static inline struct rig rig_new(bool restores)
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

static inline struct rig_record *rig_record(struct rig *g, uint64_t id)
{
	for (size_t i = 0; i < 16; i++)
		if (g->records[i].id == id)
			return &g->records[i];
	return NULL;
}

static inline void rig_keep(
    void *ctx, uint64_t id, const uint8_t *data, size_t len)
{
	struct rig_record *rec = rig_record(ctx, id);

	if (!rec && !data)
		return;
	if (!rec)
		rec = rig_record(ctx, 0);
	assert_non_null(rec);
	free(rec->data);
	memset(rec, 0, sizeof(*rec));
	if (data)
		*rec = (struct rig_record){id, xmemdup(data, len), len};
}

/* What was told to change is all that changed. */
static inline void rig_checkpoint(struct rig *g)
{
	uint8_t now[AAA_SESSION_SAVE_MAX];
	size_t count = 0;

	aaa_checkpoint(g->aaa, rig_keep, g);
	for (struct aaa_session *s = g->aaa->sessions; s; s = s->hh.next) {
		const struct rig_record *rec = rig_record(g, s->serial);
		struct wire_writer w;

		wire_writer_init(&w, now, sizeof(now));
		aaa_session_save(&w, s);
		assert_int_equal(wire_writer_error(&w), 0);
		assert_non_null(rec);
		assert_int_equal(rec->len, w.pos);
		assert_memory_equal(rec->data, now, w.pos);
	}
	for (size_t i = 0; i < 16; i++)
		count += g->records[i].id != 0;
	assert_int_equal(count, HASH_COUNT(g->aaa->sessions));
}

static inline void rig_free(struct rig *g)
{
	for (size_t i = 0; i < 16; i++)
		free(g->records[i].data);
	aaa_actions_free(&g->acts);
	aaa_free(g->aaa);
}

static inline void step(struct rig *g, struct aaa_event ev)
{
	ev.now_s = g->now_s;
	aaa_actions_clear(&g->acts);
	/* What was found is no part of the state. */
	if (g->restores && ev.type != AAA_EV_FOUND &&
	    ev.type != AAA_EV_FOUND_END) {
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
	rig_checkpoint(g);
}

/* The core dies; the next one has its records. */
static inline void rig_die(struct rig *g)
{
	char reason[POOL_REASON_MAX];

	aaa_free(g->aaa);
	aaa_actions_clear(&g->acts);
	g->aaa = aaa_new(&g->cfg, reason);
	for (size_t i = 0; i < 16; i++)
		if (g->records[i].id)
			assert_int_equal(
			    aaa_resume(g->aaa, g->records[i].id,
				g->records[i].data, g->records[i].len),
			    0);
	rig_checkpoint(g);
}

static inline void send_msg(
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

static inline const struct aaa_action *find(
    const struct rig *g, enum aaa_action_type type)
{
	for (size_t i = 0; i < g->acts.count; i++)
		if (g->acts.items[i].type == type)
			return &g->acts.items[i];
	return NULL;
}

/* The message of that type that the last step sent; false if none. */
static inline bool sent(
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

static inline void logged(
    const struct rig *g, enum aaa_log_level level, const char *text)
{
	const struct aaa_action *a = find(g, AAA_ACT_LOG);

	assert_non_null(a);
	assert_string_equal(a->text, text);
	assert_int_equal(a->level, level);
}

static inline void start(struct rig *g, struct aaa_key key)
{
	struct addr peer = ip("203.0.113.7");

	peer.port = 4500;
	step(g, (struct aaa_event){
		    .type = AAA_EV_STARTED, .key = key, .peer = peer});
	assert_int_equal(g->acts.count, 0);
}

/* Sends AUTH; the job that the monitor is asked, or 0. */
static inline uint32_t ask(struct rig *g, struct aaa_key key, const char *user)
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

static inline void answer(struct rig *g, uint32_t job,
    enum aaa_verdict_code code, const char *user, const char *fixed)
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
static inline bool login(struct rig *g, struct aaa_key key, const char *as,
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

static inline struct aaa_address_reply address(
    struct rig *g, struct aaa_key key)
{
	struct aaa_address body = {0};
	union aaa_any m;
	uint32_t seq;

	send_msg(g, key, AAA_ADDRESS, &body);
	assert_true(sent(g, AAA_ADDRESS_REPLY, &seq, &m));
	assert_int_equal(seq, g->seq);
	return m.address_reply;
}

static inline void up(struct rig *g, struct aaa_key key)
{
	struct aaa_up body = {.unit = 7};

	strcpy(body.ifname, "sp7");
	send_msg(g, key, AAA_UP, &body);
}

static inline void bring_up(struct rig *g, struct aaa_key key, const char *user)
{
	start(g, key);
	assert_true(login(g, key, user, user, NULL));
	assert_true(address(g, key).ok);
	up(g, key);
}

static inline void state_is(struct rig *g, struct aaa_key key, const char *want)
{
	struct aaa_row row;

	assert_true(aaa_get(g->aaa, key, &row));
	assert_string_equal(row.state, want);
}

static inline json_t *record(const struct rig *g)
{
	const struct aaa_action *a = find(g, AAA_ACT_ACCT);
	json_t *j;

	assert_non_null(a);
	assert_null(strchr(a->text, '\n'));
	j = json_loads(a->text, 0, NULL);
	assert_non_null(j);
	return j;
}

static inline void member(json_t *j, const char *key, const char *want)
{
	assert_string_equal(json_string_value(json_object_get(j, key)), want);
}

static inline void number(json_t *j, const char *key, json_int_t want)
{
	assert_int_equal(json_integer_value(json_object_get(j, key)), want);
}

static inline void end(struct rig *g, struct aaa_key key, const char *text)
{
	step(g,
	    (struct aaa_event){.type = AAA_EV_ENDED, .key = key, .text = text});
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

#endif
