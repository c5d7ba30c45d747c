/* SPDX-License-Identifier: ISC */
/* The AAA core dies at any moment: records, questions, what ended since. */
#include "test/unit/aaa_rig.h"

#include <errno.h>

/* Sends AUTH or ADDRESS again, as a plugin without an answer does. */
static void again(
    struct rig *g, struct aaa_key key, enum aaa_msg type, const void *body)
{
	g->seq--;
	send_msg(g, key, type, body);
}

static void found(struct rig *g, struct aaa_key key)
{
	step(g, (struct aaa_event){.type = AAA_EV_FOUND, .key = key});
}

static void found_end(struct rig *g)
{
	step(g, (struct aaa_event){.type = AAA_EV_FOUND_END});
}

static void sessions_go_on(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_stats st = {.bytes_in = 123, .seconds = 99};
	struct aaa_row row;
	json_t *j;

	bring_up(&g, one, "alice");
	send_msg(&g, one, AAA_STATS, &st);
	rig_die(&g);
	g.now_s += 50;
	found(&g, one);
	found_end(&g);
	assert_int_equal(g.acts.count, 0);
	assert_true(aaa_get(g.aaa, one, &row));
	assert_string_equal(row.state, "up");
	assert_string_equal(row.user, "alice");
	assert_true(row.since_s == NOW);
	assert_int_equal(row.ip.ip[3], 2);
	assert_int_equal(row.peer.port, 4500);
	assert_true(row.stats.bytes_in == 123);
	/* Nobody gets its address; a new session has a record of its own. */
	bring_up(&g, two, "bob");
	assert_true(aaa_get(g.aaa, two, &row));
	assert_int_equal(row.ip.ip[3], 3);
	end(&g, one, "dead");
	j = record(&g);
	number(j, "bytes_in", 123);
	number(j, "seconds", 99);
	member(j, "user", "alice");
	json_decref(j);
	rig_free(&g);
}

/* What the monitor was asked is lost; what the plugin asks is not. */
static void questions_are_put_again(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_auth auth = {.method = AAA_MSCHAPV2, .user = "alice"};
	struct aaa_address where = {0};
	const struct aaa_action *a;
	union aaa_any m;
	uint32_t seq;

	start(&g, one);
	send_msg(&g, one, AAA_AUTH, &auth);
	assert_non_null(find(&g, AAA_ACT_AUTH));
	/* Meanwhile it is on its way: once is enough. */
	again(&g, one, AAA_AUTH, &auth);
	assert_int_equal(g.acts.count, 0);
	rig_die(&g);
	found(&g, one);
	found_end(&g);
	state_is(&g, one, "new");
	again(&g, one, AAA_AUTH, &auth);
	a = find(&g, AAA_ACT_AUTH);
	assert_non_null(a);
	answer(&g, a->job, AAA_OK, "alice", NULL);
	assert_true(sent(&g, AAA_AUTH_REPLY, &seq, &m));
	assert_int_equal(seq, g.seq);
	/* The answer was lost: the same again, and nobody is asked. */
	rig_die(&g);
	again(&g, one, AAA_AUTH, &auth);
	assert_int_equal(g.acts.count, 1);
	memset(&m, 0, sizeof(m));
	assert_true(sent(&g, AAA_AUTH_REPLY, &seq, &m));
	assert_int_equal(seq, g.seq);
	assert_int_equal(m.auth_reply.ok, 1);
	assert_string_equal(m.auth_reply.text, "S=1234");
	assert_true(address(&g, one).ok);
	rig_die(&g);
	again(&g, one, AAA_ADDRESS, &where);
	assert_true(sent(&g, AAA_ADDRESS_REPLY, &seq, &m));
	assert_int_equal(m.address_reply.remote.ip[3], 2);
	state_is(&g, one, "addressed");
	rig_free(&g);
}

/* A refusal counts once, however often it is asked for. */
static void refusals_count_once(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_auth auth = {.method = AAA_PAP, .user = "alice"};
	struct aaa_address where = {0};
	union aaa_any m;
	uint32_t seq;

	start(&g, one);
	send_msg(&g, one, AAA_AUTH, &auth);
	answer(&g, find(&g, AAA_ACT_AUTH)->job, AAA_WRONG_PASSWORD, "", NULL);
	for (int i = 0; i < 5; i++) {
		rig_die(&g);
		again(&g, one, AAA_AUTH, &auth);
		assert_true(sent(&g, AAA_AUTH_REPLY, &seq, &m));
		assert_false(m.auth_reply.ok);
		assert_false(sent(&g, AAA_TERM, &seq, &m));
	}
	send_msg(&g, one, AAA_ADDRESS, &where);
	assert_true(sent(&g, AAA_ADDRESS_REPLY, &seq, &m));
	rig_die(&g);
	again(&g, one, AAA_ADDRESS, &where);
	assert_true(sent(&g, AAA_ADDRESS_REPLY, &seq, &m));
	assert_false(m.address_reply.ok);
	rig_free(&g);
}

/* pppd that ended while no engine lived is accounted for. */
static void what_ended_is_accounted_for(bool restores)
{
	struct rig g = rig_new(restores);
	struct aaa_stats st = {.bytes_out = 77, .seconds = 5};
	struct aaa_row row;
	json_t *j;

	bring_up(&g, one, "alice");
	bring_up(&g, two, "bob");
	send_msg(&g, one, AAA_STATS, &st);
	rig_die(&g);
	found(&g, two);
	found(&g, three);
	state_is(&g, three, "new");
	found_end(&g);
	j = record(&g);
	member(j, "event", "stop");
	member(j, "user", "alice");
	member(j, "reason", "PPP ended while l2tpd's engine was away");
	number(j, "bytes_out", 77);
	json_decref(j);
	assert_false(aaa_get(g.aaa, one, &row));
	state_is(&g, two, "up");
	/* Its address is free again. */
	assert_true(login(&g, three, "carol", "carol", NULL));
	assert_int_equal(address(&g, three).remote.ip[3], 2);
	rig_free(&g);
}

static void nothing(void *ctx, uint64_t id, const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	/* Only what was never a session's. */
	assert_int_equal(id, 0);
	++*(int *)ctx;
}

static void damaged_records_are_refused(void **state)
{
	struct rig g = rig_new(false), h = rig_new(false);
	const struct rig_record *rec;
	struct aaa_row row;
	int count = 0;
	uint8_t *copy;

	(void)state;
	bring_up(&g, one, "alice");
	rec = rig_record(&g, 1);
	for (size_t n = 0; n <= rec->len + 1; n++) {
		if (n == rec->len)
			continue;
		copy = calloc(1, n + 1);
		memcpy(copy, rec->data, n < rec->len ? n : rec->len);
		assert_int_equal(aaa_resume(h.aaa, 1, copy, n), -EBADMSG);
		free(copy);
	}
	assert_int_equal(aaa_resume(h.aaa, 2, rec->data, rec->len), -EBADMSG);
	assert_int_equal(aaa_resume(h.aaa, 0, rec->data, rec->len), -EBADMSG);
	assert_false(aaa_get(h.aaa, one, &row));
	aaa_checkpoint(h.aaa, nothing, &count);
	assert_int_equal(aaa_resume(h.aaa, 1, rec->data, rec->len), 0);
	rig_keep(&h, 1, rec->data, rec->len);
	/* Its lease and its record outlive another's damage. */
	assert_int_equal(aaa_resume(h.aaa, 1, rec->data, rec->len), -EBADMSG);
	assert_true(aaa_get(h.aaa, one, &row));
	count = 0;
	aaa_checkpoint(h.aaa, nothing, &count);
	bring_up(&h, two, "bob");
	assert_true(aaa_get(h.aaa, two, &row));
	assert_int_equal(row.ip.ip[3], 3);
	rig_free(&g);
	rig_free(&h);
}

static void any_byte_may_be_wrong(void **state)
{
	struct rig g = rig_new(false);
	const struct rig_record *rec;
	struct aaa_actions out = {0};

	(void)state;
	bring_up(&g, one, "alice");
	rec = rig_record(&g, 1);
	for (size_t i = 0; i < rec->len * 2; i++) {
		struct rig h = rig_new(false);
		struct aaa_event ev = {.type = AAA_EV_FOUND_END, .now_s = NOW};
		uint8_t mask = i & 1 ? 0x80 : 0x01;

		rec->data[i / 2] ^= mask;
		aaa_resume(h.aaa, 1, rec->data, rec->len);
		rec->data[i / 2] ^= mask;
		aaa_step(h.aaa, &ev, &out);
		aaa_actions_clear(&out);
		rig_free(&h);
	}
	aaa_actions_free(&out);
	rig_free(&g);
}

BOTH(sessions_go_on)
BOTH(questions_are_put_again)
BOTH(refusals_count_once)
BOTH(what_ended_is_accounted_for)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RUN(sessions_go_on),
	    RUN(questions_are_put_again),
	    RUN(refusals_count_once),
	    RUN(what_ended_is_accounted_for),
	    cmocka_unit_test(damaged_records_are_refused),
	    cmocka_unit_test(any_byte_may_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
