/* SPDX-License-Identifier: ISC */
/* The engine's requests: the codec of each, and every argument check. */
#include "l2tpd/lm_msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_CLIENTS 100

static const struct addr v4 = {.family = ADDR_IPV4, .ip = {192, 0, 2, 1}};

static struct addr with_port(uint16_t port)
{
	struct addr a = v4;

	a.port = port;
	return a;
}

/* Encodes, decodes at every length, and compares. */
static void round_trip(uint16_t type, const union lm_any *body, size_t size)
{
	static union lm_any out;
	uint8_t buf[MSG_MAX];
	struct msg_header hdr;
	int n = msg_encode(&lm_table, type, 77, body, buf, sizeof(buf));

	assert_true(n > MSG_HEADER_LEN);
	for (int len = 0; len < n; len++)
		assert_int_not_equal(msg_decode(&lm_table, buf, (size_t)len,
					 &hdr, &out, sizeof(out)),
		    0);
	assert_int_equal(
	    msg_decode(&lm_table, buf, (size_t)n, &hdr, &out, sizeof(out)), 0);
	assert_int_equal(hdr.type, type);
	assert_int_equal(hdr.seq, 77);
	assert_memory_equal(&out, body, size);
	buf[n] = 0;
	assert_int_equal(
	    msg_decode(&lm_table, buf, (size_t)n + 1, &hdr, &out, sizeof(out)),
	    -EBADMSG);
}

static void test_round_trips(void **state)
{
	static union lm_any b;

	(void)state;
	b.peer_open.r = UINT64_MAX;
	b.peer_open.slot = 16383;
	b.peer_open.local = v4;
	round_trip(LM_PEER_OPEN, &b, sizeof(b.peer_open));
	memset(&b, 0, sizeof(b));
	b.tunnel_open.r = 1;
	b.tunnel_open.tunnel_id = 0x8001;
	b.tunnel_open.peer_tunnel_id = 65535;
	b.tunnel_open.peer = with_port(1701);
	round_trip(LM_TUNNEL_OPEN, &b, sizeof(b.tunnel_open));
	memset(&b, 0, sizeof(b));
	b.session_open.r = 2;
	b.session_open.tunnel_id = 1;
	b.session_open.session_id = 7;
	b.session_open.peer_session_id = 8;
	b.session_open.sequencing = 1;
	round_trip(LM_SESSION_OPEN, &b, sizeof(b.session_open));
	memset(&b, 0, sizeof(b));
	b.held.r = 3;
	b.held.slot = 4;
	b.held.local = v4;
	b.held.tunnel_id = 5;
	b.held.session_id = 6;
	b.held.peer = with_port(1);
	b.held.is_ending = 1;
	round_trip(LM_HELD, &b, sizeof(b.held));
	memset(&b, 0, sizeof(b));
	b.stats.error = -ENOENT;
	b.stats.bytes_in = UINT64_MAX;
	round_trip(LM_STATS_REPLY, &b, sizeof(b.stats));
	memset(&b, 0, sizeof(b));
	b.exited.r = 9;
	strcpy(b.exited.text, "the link hung up");
	round_trip(LM_SESSION_EXITED, &b, sizeof(b.exited));
}

/* Every row of the table has a name and a struct that fits the union. */
static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < lm_table.count; i++) {
		const struct msg_desc *d = &lm_table.descs[i];

		assert_int_equal(strncmp(d->name, "LM_", 3), 0);
		assert_true(d->size <= sizeof(union lm_any));
		assert_ptr_equal(msg_find(&lm_table, d->type), d);
	}
}

static void accepts(uint16_t type, const union lm_any *b)
{
	const char *why = lm_check(type, b, MAX_CLIENTS);

	if (why)
		fail_msg("%s: %s", msg_name(&lm_table, type), why);
}

static void refuses(uint16_t type, const union lm_any *b, const char *part)
{
	const char *why = lm_check(type, b, MAX_CLIENTS);

	if (!why || !strstr(why, part))
		fail_msg("%s: '%s', not '%s'", msg_name(&lm_table, type),
		    why ? why : "accepted", part);
}

static void test_peer_open(void **state)
{
	union lm_any b = {.peer_open = {.r = 1, .slot = 1, .local = v4}};

	(void)state;
	accepts(LM_PEER_OPEN, &b);
	b.peer_open.slot = MAX_CLIENTS;
	accepts(LM_PEER_OPEN, &b);
	b.peer_open.slot = MAX_CLIENTS + 1;
	refuses(LM_PEER_OPEN, &b, "slot");
	b.peer_open.slot = 0;
	refuses(LM_PEER_OPEN, &b, "slot");
	b.peer_open.slot = 1;
	b.peer_open.r = 0;
	refuses(LM_PEER_OPEN, &b, "R is 0");
	b.peer_open.r = 1;
	b.peer_open.local.family = ADDR_NONE;
	refuses(LM_PEER_OPEN, &b, "local");
}

static void test_tunnel_open(void **state)
{
	const struct lm_tunnel_open good = {.r = 1,
	    .tunnel_id = 0x8000 | MAX_CLIENTS,
	    .peer_tunnel_id = 9,
	    .peer = with_port(1701)};
	union lm_any b = {.tunnel_open = good};

	(void)state;
	accepts(LM_TUNNEL_OPEN, &b);
	b.tunnel_open.tunnel_id = 0xc001; /* for tunnels outside IPsec */
	refuses(LM_TUNNEL_OPEN, &b, "generation");
	b.tunnel_open.tunnel_id = 0x4000;
	refuses(LM_TUNNEL_OPEN, &b, "slot");
	b.tunnel_open.tunnel_id = 0x4000 | (MAX_CLIENTS + 1);
	refuses(LM_TUNNEL_OPEN, &b, "slot");
	b.tunnel_open = good;
	b.tunnel_open.peer_tunnel_id = 0;
	refuses(LM_TUNNEL_OPEN, &b, "peer's tunnel id");
	b.tunnel_open = good;
	b.tunnel_open.peer.port = 0;
	refuses(LM_TUNNEL_OPEN, &b, "port");
	b.tunnel_open = good;
	b.tunnel_open.r = 0;
	refuses(LM_TUNNEL_OPEN, &b, "R is 0");
}

static void test_session_open(void **state)
{
	const struct lm_session_open good = {
	    .r = 1, .tunnel_id = 1, .session_id = 1, .peer_session_id = 1};
	union lm_any b = {.session_open = good};

	(void)state;
	accepts(LM_SESSION_OPEN, &b);
	b.session_open.session_id = 0;
	refuses(LM_SESSION_OPEN, &b, "session id");
	b.session_open = good;
	b.session_open.peer_session_id = 0;
	refuses(LM_SESSION_OPEN, &b, "session id");
	b.session_open = good;
	b.session_open.sequencing = 2;
	refuses(LM_SESSION_OPEN, &b, "sequencing");
	b.session_open = good;
	b.session_open.tunnel_id = 0;
	refuses(LM_SESSION_OPEN, &b, "slot");
	b.session_open = good;
	b.session_open.r = 0;
	refuses(LM_SESSION_OPEN, &b, "R is 0");
}

static void test_keys(void **state)
{
	union lm_any peer = {.key = {.r = 1}};
	union lm_any tunnel = {.key = {.r = 1, .tunnel_id = 1}};
	union lm_any session = {
	    .key = {.r = 1, .tunnel_id = 1, .session_id = 1}};

	(void)state;
	accepts(LM_PEER_FREE, &peer);
	accepts(LM_TUNNEL_CLOSE, &tunnel);
	accepts(LM_SESSION_CLOSE, &session);
	accepts(LM_STATS, &session);
	refuses(LM_PEER_FREE, &tunnel, "tunnel");
	refuses(LM_TUNNEL_CLOSE, &peer, "slot");
	refuses(LM_TUNNEL_CLOSE, &session, "session id");
	refuses(LM_SESSION_CLOSE, &tunnel, "session id is 0");
	refuses(LM_STATS, &peer, "session id is 0");
	peer.key.r = tunnel.key.r = session.key.r = 0;
	refuses(LM_PEER_FREE, &peer, "R is 0");
	refuses(LM_TUNNEL_CLOSE, &tunnel, "R is 0");
	refuses(LM_SESSION_CLOSE, &session, "R is 0");
}

static void test_auth(void **state)
{
	union lm_any b;

	(void)state;
	memset(&b, 0, sizeof(b));
	refuses(LM_AUTH, &b, "method");
	b.auth.method = AAA_PAP + 1;
	refuses(LM_AUTH, &b, "method");
	b.auth.method = AAA_MSCHAPV2;
	accepts(LM_AUTH, &b);
}

/* The monitor's own words are not requests, nor is anything unknown. */
static void test_not_requests(void **state)
{
	const union lm_any b = {.key = {.r = 1}};

	(void)state;
	refuses(LM_REPLY, &b, "not a request");
	refuses(LM_HELD, &b, "not a request");
	refuses(LM_VERDICT, &b, "not a request");
	refuses(LM_SHUTDOWN, &b, "not a request");
	refuses(LM_SESSION_EXITED, &b, "not a request");
	refuses(0, &b, "not a request");
	refuses(65535, &b, "not a request");
	accepts(LM_SHUTDOWN_DONE, &b);
}

static void test_slot_names(void **state)
{
	(void)state;
	assert_int_equal(lm_slot_mark(1), 0x53000001);
	assert_int_equal(lm_slot_mark(16383), 0x53003fff);
	assert_int_equal(lm_slot_port(1), 16385);
	assert_int_equal(lm_slot_port(16383), 32767);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trips),
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_peer_open),
	    cmocka_unit_test(test_tunnel_open),
	    cmocka_unit_test(test_session_open),
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_auth),
	    cmocka_unit_test(test_not_requests),
	    cmocka_unit_test(test_slot_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
