/* SPDX-License-Identifier: ISC */
/* The pppd plugin: addresses, the end of a link, its socket to l2tpd. */
#include "test/unit/plugin_rig.h"

#include "common/chan.h"

#include <pthread.h>

static void the_address_is_l2tpds(void **state)
{
	u_int32_t his = 1;
	union aaa_any m;
	uint32_t seq;

	(void)state;
	login();
	assert_int_equal(allowed_address_hook(net(9)), 0);
	say_address(true);
	ip_choose_hook(&his);
	assert_int_equal(his, net(9));
	assert_int_equal(hear(&m, &seq), AAA_ADDRESS);
	assert_string_equal(m.address.user, "DOM\\alice");
	assert_int_equal(ipcp_wantoptions[0].ouraddr, net(1));
	assert_int_equal(ipcp_gotoptions[0].ouraddr, net(1));
	assert_int_equal(ipcp_allowoptions[0].dnsaddr[0], net(53));
	assert_int_equal(ipcp_allowoptions[0].dnsaddr[1], net(53));
	assert_int_equal(pppd.mtu_set, 1400);
	assert_int_equal(allowed_address_hook(net(9)), 1);
	assert_int_equal(allowed_address_hook(net(8)), 0);
	assert_int_equal(allowed_address_hook(0), 0);
	/* IPCP again: the same address, without a question. */
	ip_choose_hook(&his);
	assert_int_equal(his, net(9));
	assert_int_equal(hear(&m, &seq), 0);
	assert_null(pppd.closed);
	/* LCP again: everything anew. */
	run_notifiers(link_down_notifier, 0);
	assert_int_equal(allowed_address_hook(net(9)), 0);
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
}

static void run_close(void)
{
	assert_int_equal(pppd.timer_count, 2);
	assert_int_equal(pppd.timers[1].seconds, 0);
	pppd.timers[1].func(pppd.timers[1].arg);
}

static void no_address_ends_the_link(void **state)
{
	u_int32_t his = 1;

	(void)state;
	login();
	say_address(false);
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
	assert_int_equal(allowed_address_hook(net(9)), 0);
	assert_null(pppd.closed);
	run_close();
	assert_string_equal(pppd.closed, "No address");
}

static void no_address_without_a_proof(void **state)
{
	u_int32_t his = net(9);
	union aaa_any m;
	uint32_t seq;

	(void)state;
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
	assert_int_equal(hear(&m, &seq), 0);
	run_close();
	assert_string_equal(pppd.closed, "Not authenticated");
}

static void an_address_that_is_none_ends_the_link(void **state)
{
	struct aaa_address_reply r = {.ok = 1};
	u_int32_t his = 1;

	(void)state;
	login();
	say(AAA_ADDRESS_REPLY, session.client.seq + 1, &r);
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
	assert_int_equal(allowed_address_hook(0), 0);
	run_close();
	assert_string_equal(pppd.closed, "No address");
}

static void the_mtu_only_shrinks(void **state)
{
	u_int32_t his;

	(void)state;
	login();
	pppd.mtu = 1280;
	say_address(true);
	ip_choose_hook(&his);
	assert_int_equal(pppd.mtu_set, 0);
}

static void up_and_down_are_told(void **state)
{
	union aaa_any m;
	uint32_t seq;
	u_int32_t his;

	(void)state;
	login();
	say_address(true);
	ip_choose_hook(&his);
	assert_int_equal(hear(&m, &seq), AAA_ADDRESS);
	ipcp_hisoptions[0].hisaddr = his;
	run_notifiers(ip_up_notifier, 0);
	assert_int_equal(hear(&m, &seq), AAA_UP);
	assert_string_equal(m.up.ifname, "no-such-if");
	assert_int_equal(m.up.unit, 3);
	assert_int_equal(m.up.remote.ip[3], 9);
	assert_int_equal(m.up.local.ip[3], 1);
	/* Five ticks for one report; nothing new, no second one. */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(hear(&m, &seq), 0);
		stats_tick();
	}
	assert_int_equal(hear(&m, &seq), AAA_STATS);
	assert_int_equal(m.stats.bytes_in, 11);
	assert_int_equal(m.stats.packets_out, 4);
	for (int i = 0; i < 5; i++)
		stats_tick();
	assert_int_equal(hear(&m, &seq), 0);
	run_notifiers(ip_down_notifier, 0);
	run_notifiers(exitnotify, EXIT_PEER_DEAD);
	assert_int_equal(hear(&m, &seq), AAA_DOWN);
	assert_int_equal(m.stats.bytes_out, 22);
	assert_string_equal(m.stats.reason, "the client does not answer");
}

static void an_exit_without_words_has_its_number(void **state)
{
	union aaa_any m;
	uint32_t seq;

	(void)state;
	run_notifiers(exitnotify, 42);
	assert_int_equal(hear(&m, &seq), AAA_DOWN);
	assert_string_equal(m.stats.reason, "pppd: exit 42");
	assert_int_equal(m.stats.bytes_in, 0);
}

static void the_watch_sees_eof_and_term(void **state)
{
	struct aaa_term t = {.reason = "bye"};

	(void)state;
	assert_int_equal(pppd.timer_count, 1);
	assert_int_equal(pppd.timers[0].seconds, 2);
	pppd.timer_count = 0;
	watch(NULL);
	assert_null(pppd.closed);
	assert_int_equal(pppd.died, -1);
	assert_int_equal(pppd.timer_count, 1);
	say(AAA_TERM, 0, &t);
	watch(NULL);
	assert_string_equal(pppd.closed, "Disconnected by the server");
	assert_string_equal(session.client.reason, "bye");
	assert_int_equal(pppd.died, -1);
	close(pair[1]);
	pair[1] = -1;
	watch(NULL);
	assert_int_equal(pppd.died, EXIT_HANGUP);
}

static void stale_replies_are_skipped(void **state)
{
	struct aaa_auth_reply no = {.ok = 0}, yes = {.ok = 1};
	struct aaa_auth ask = {.method = AAA_PAP};
	union aaa_any reply;

	(void)state;
	say(AAA_AUTH_REPLY, 41, &no);
	say(AAA_ADDRESS_REPLY, 1, &(struct aaa_address_reply){0});
	say(AAA_AUTH_REPLY, 1, &yes);
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1000),
	    0);
	assert_int_equal(reply.auth_reply.ok, 1);
	/* The late answer to a request that was given up. */
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1),
	    -ETIMEDOUT);
	say(AAA_AUTH_REPLY, 2, &yes);
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1),
	    -ETIMEDOUT);
}

/* The engine died over the first one: the second one is answered. */
static void *answer_the_second(void *arg)
{
	struct aaa_auth_reply yes = {.ok = 1};
	uint32_t *seqs = arg;
	struct msg_header hdr;
	union aaa_any m;
	int fd;

	for (int i = 0; i < 2; i++) {
		if (chan_sync_recv(
			pair[1], &aaa_msg_table, &hdr, &m, sizeof(m), &fd))
			return NULL;
		seqs[i] = hdr.type == AAA_AUTH ? hdr.seq : 0;
	}
	chan_sync_send(
	    pair[1], &aaa_msg_table, AAA_AUTH_REPLY, seqs[1], &yes, -1);
	return NULL;
}

static void requests_are_sent_again(void **state)
{
	struct aaa_auth ask = {.method = AAA_PAP};
	uint32_t seqs[2] = {0};
	union aaa_any reply;
	pthread_t other;

	(void)state;
	session.client.again_ms = 1;
	assert_int_equal(
	    pthread_create(&other, NULL, answer_the_second, seqs), 0);
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 60000),
	    0);
	pthread_join(other, NULL);
	assert_int_equal(seqs[0], session.client.seq);
	assert_int_equal(seqs[1], seqs[0]);
	assert_int_equal(reply.auth_reply.ok, 1);
}

static void rubbish_fails_a_request(void **state)
{
	struct aaa_auth ask = {.method = AAA_PAP};
	union aaa_any reply;

	(void)state;
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1000),
	    -EPROTO);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	client_check(&session.client);
	assert_false(session.client.is_lost);
}

static void a_full_socket_loses_notes_only(void **state)
{
	int err = 0;

	(void)state;
	for (int i = 0; i < 100000 && !err; i++)
		err = client_send(&session.client, AAA_STATS, &session.stats);
	assert_int_equal(err, -EAGAIN);
	assert_false(session.client.is_lost);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(the_address_is_l2tpds),
	    T(no_address_ends_the_link),
	    T(no_address_without_a_proof),
	    T(an_address_that_is_none_ends_the_link),
	    T(the_mtu_only_shrinks),
	    T(up_and_down_are_told),
	    T(an_exit_without_words_has_its_number),
	    T(the_watch_sees_eof_and_term),
	    T(stale_replies_are_skipped),
	    T(requests_are_sent_again),
	    T(rubbish_fails_a_request),
	    T(a_full_socket_loses_notes_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
