/* SPDX-License-Identifier: ISC */
/* The AAA core: whole sessions, wrong orders, refusals. */
#include "test/unit/aaa_rig.h"

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

static void a_wrong_pool_is_told(void **state)
{
	struct aaa_config cfg = {.pool = "x"};
	char reason[POOL_REASON_MAX] = "";

	(void)state;
	assert_null(aaa_new(&cfg, reason));
	assert_string_equal(
	    reason, "pool: 'x' is not an IPv4 address or FIRST-LAST");
}

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
	    cmocka_unit_test(a_wrong_pool_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
