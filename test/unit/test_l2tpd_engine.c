/* SPDX-License-Identifier: ISC */
/* l2tpd's engine between its monitor, the plugins and the operator. */
#include "test/lib/engine_world.h"
#include "test/lib/tmptree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the operator -------------------------------------------------------- */

struct operator
{
	struct tmptree tree;
	int fd;
	char *text;
	size_t len;
};

static void serve(struct engine_world *w, struct operator* o)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(o, 0, sizeof(*o));
	tmptree_make(&o->tree);
	strcpy(sa.sun_path, tmptree_file(&o->tree, "s"));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(ctl_server_start(&w->e.control, &w->e.loop, fd,
			     show_request, &w->e),
	    0);
	o->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(o->fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	fcntl(o->fd, F_SETFL, O_NONBLOCK);
}

/* The answer; NULL: it is not complete, and nothing more comes. */
static json_t *answer(struct engine_world *w, struct operator* o)
{
	int quiet = 0;

	while (quiet < 2) {
		ssize_t n;

		o->text = realloc(o->text, o->len + 65536);
		n = read(o->fd, o->text + o->len, 65536);
		if (n > 0)
			o->len += (size_t)n;
		quiet = n > 0 ? 0 : quiet + 1;
		if (o->len && o->text[o->len - 1] == '\n')
			return json_loadb(o->text, o->len, 0, NULL);
		engine_world_run(w);
	}
	return NULL;
}

static void done(struct operator* o)
{
	close(o->fd);
	free(o->text);
	tmptree_remove(&o->tree);
}

static void ask(struct engine_world *w, struct operator* o, const char *line)
{
	assert_int_equal(write(o->fd, line, strlen(line)), strlen(line));
	engine_world_run(w);
}

static const json_t *client(const json_t *doc, size_t i)
{
	return json_array_get(json_object_get(doc, "clients"), i);
}

/* The monitor has no counters, and says so with a plain reply. */
static void test_stats_refused(void **state)
{
	const struct lm_reply no = {.error = -EINVAL, .text = "no"};
	struct engine_world w;
	struct operator o;
	json_t *doc;

	(void)state;
	engine_world_make(&w);
	serve(&w, &o);
	engine_world_call(&w, 1);
	ask(&w, &o, "show\n");
	assert_int_equal(w.asked[LM_STATS], 1);
	assert_null(answer(&w, &o));
	engine_world_say(&w, LM_REPLY, w.last.seq, &no, -1);
	doc = answer(&w, &o);
	assert_non_null(doc);
	assert_int_equal(
	    json_integer_value(json_object_get(client(doc, 0), "r")), 1001);
	assert_null(json_object_get(client(doc, 0), "bytes_in"));
	json_decref(doc);
	done(&o);
	engine_world_free(&w);
}

/* --- a full house -------------------------------------------------------- */

#define HOUSE 16000
#define WINDOW_MAX 256

static size_t waiting_max;

static void answer_stats(struct engine_world *w, const struct msg_header *hdr,
    const union lm_any *body)
{
	const struct lm_stats stats = {.bytes_in = body->key.r};
	size_t waiting = HASH_COUNT(w->e.requests);

	if (hdr->type != LM_STATS)
		return;
	if (waiting > waiting_max)
		waiting_max = waiting;
	chan_send(w->monitor, LM_STATS_REPLY, hdr->seq, &stats, -1);
}

/* Each row has its own counters, and they were asked for a few at a time. */
static void test_full_house(void **state)
{
	struct engine_world w;
	struct operator o;
	json_t *doc;

	(void)state;
	engine_world_make(&w);
	for (uint32_t slot = 1; slot <= HOUSE; slot++)
		engine_world_call(&w, slot);
	serve(&w, &o);
	waiting_max = 0;
	w.on_request = answer_stats;
	ask(&w, &o, "show\n");
	doc = answer(&w, &o);
	assert_non_null(doc);
	assert_int_equal(w.asked[LM_STATS], HOUSE);
	assert_in_range(waiting_max, 1, WINDOW_MAX);
	assert_int_equal(
	    json_array_size(json_object_get(doc, "clients")), HOUSE);
	for (size_t i = 0; i < HOUSE; i++)
		assert_int_equal(json_integer_value(json_object_get(
				     client(doc, i), "bytes_in")),
		    json_integer_value(json_object_get(client(doc, i), "r")));
	json_decref(doc);
	done(&o);
	engine_world_free(&w);
}

/* --- authentication ------------------------------------------------------ */

static void plugin_says(
    struct engine_world *w, struct aaa_key key, uint16_t type, const void *body)
{
	uint8_t buf[MSG_MAX];
	const struct addr nobody = {0};
	int n = msg_encode(
	    &aaa_msg_table, type, ++w->plugin_seq, body, buf, sizeof(buf));

	assert_true(n > 0);
	engine_on_plugin(
	    &w->e, key, &nobody, (struct wire_span){buf, (size_t)n});
	engine_world_run(w);
}

/* A refused LM_AUTH is a refusal of the user, not silence. */
static void test_auth_refused(void **state)
{
	const struct lm_reply no = {.error = -EINVAL, .text = "wrong method"};
	const struct aaa_auth auth = {.method = AAA_PAP, .user = "anna"};
	struct aaa_auth_reply reply;
	struct msg_header hdr;
	struct engine_world w;
	struct aaa_key key;
	struct aaa_row row;
	int fds[2], fd;

	(void)state;
	engine_world_make(&w);
	key = engine_world_call(&w, 1);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(ports_add(w.e.plugins, key, fds[0]), 0);
	plugin_says(&w, key, AAA_AUTH, &auth);
	assert_int_equal(w.asked[LM_AUTH], 1);
	assert_true(aaa_get(w.e.aaa, key, &row));
	assert_string_equal(row.state, "asking");
	engine_world_say(&w, LM_REPLY, w.last.seq, &no, -1);
	assert_true(aaa_get(w.e.aaa, key, &row));
	assert_string_equal(row.state, "new");
	assert_int_equal(chan_sync_recv(fds[1], &aaa_msg_table, &hdr, &reply,
			     sizeof(reply), &fd),
	    0);
	assert_int_equal(hdr.type, AAA_AUTH_REPLY);
	assert_int_equal(hdr.seq, 1);
	assert_int_equal(reply.ok, 0);
	close(fds[1]);
	engine_world_free(&w);
}

/* --- addresses -------------------------------------------------------------
 */

/* The monitor accepts anna; with an address. */
static void log_in(struct engine_world *w, struct aaa_key key)
{
	const struct aaa_verdict ok = {.code = AAA_OK, .user = "anna"};
	const struct aaa_auth auth = {.method = AAA_PAP, .user = "anna"};
	const struct aaa_address address = {.user = "anna"};

	plugin_says(w, key, AAA_AUTH, &auth);
	engine_world_say(w, LM_VERDICT, w->last.seq, &ok, -1);
	plugin_says(w, key, AAA_ADDRESS, &address);
}

static uint8_t address_of(struct engine_world *w, struct aaa_key key)
{
	struct aaa_row row;

	assert_true(aaa_get(w->e.aaa, key, &row));
	assert_int_equal(row.ip.family, ADDR_IPV4);
	return row.ip.ip[3];
}

/* PPP of a session that ends still has its address when an engine starts. */
static void test_address_of_an_ending_session(void **state)
{
	struct engine_world w;
	struct lm_held ending = {.slot = 1, .is_ending = 1};
	struct lm_exited exited = {0};
	const struct lm_count one = {.count = 1};
	struct aaa_key key, next;
	struct aaa_row row;

	(void)state;
	engine_world_make(&w);
	key = engine_world_call(&w, 1);
	log_in(&w, key);
	assert_int_equal(address_of(&w, key), 2);
	engine_world_die(&w);

	ending.r = exited.r = key.r;
	ending.tunnel_id = exited.tunnel_id = key.tunnel_id;
	ending.session_id = exited.session_id = key.session_id;
	engine_world_say(&w, LM_HELD, 0, &ending, -1);
	engine_world_say(&w, LM_HELD_END, 0, &one, -1);
	assert_int_equal(w.e.held_count, 1);
	assert_int_equal(w.e.stray_count, 0);
	next = engine_world_call(&w, 2);
	log_in(&w, next);
	assert_int_equal(address_of(&w, next), 3);
	engine_world_say(&w, LM_SESSION_EXITED, 0, &exited, -1);
	assert_false(aaa_get(w.e.aaa, key, &row));
	engine_world_free(&w);
}

/* The monitor tells users' own addresses in pieces, and again on change. */
static void test_fixed_addresses(void **state)
{
	struct lm_fixed first = {.is_first = 1, .ips = {4, {10, 0, 0, 2}}};
	struct lm_fixed more = {.ips = {8, {10, 0, 0, 3, 10, 0, 0, 4}}};
	struct engine_world w;
	struct aaa_key key[3];

	(void)state;
	engine_world_make(&w);
	for (uint32_t i = 0; i < 3; i++)
		key[i] = engine_world_call(&w, i + 1);
	engine_world_say(&w, LM_FIXED, 0, &first, -1);
	engine_world_say(&w, LM_FIXED, 0, &more, -1);
	log_in(&w, key[0]);
	assert_int_equal(address_of(&w, key[0]), 5);
	first.ips.data[3] = 6;
	engine_world_say(&w, LM_FIXED, 0, &first, -1);
	log_in(&w, key[1]);
	assert_int_equal(address_of(&w, key[1]), 7);
	engine_world_free(&w);
}

/* --- why -----------------------------------------------------------------
 */

static json_t *why(struct engine_world *w, const char *line)
{
	struct operator o;
	json_t *doc;

	serve(w, &o);
	ask(w, &o, line);
	doc = answer(w, &o);
	assert_non_null(doc);
	ctl_server_stop(w->e.control);
	w->e.control = NULL;
	done(&o);
	return doc;
}

/* The i-th refusal of 203.0.113.9 must say all of this. */
static void expect_why(struct engine_world *w, size_t i, const char *what,
    const char *remedy, int count)
{
	json_t *doc = why(w, "why 203.0.113.9\n");
	const json_t *one = json_array_get(json_object_get(doc, "refusals"), i);
	const char *text = json_string_value(json_object_get(one, "what"));

	assert_non_null(text);
	assert_string_equal(text, what);
	text = json_string_value(json_object_get(one, "remedy"));
	assert_int_equal(!text, !remedy);
	if (remedy)
		assert_non_null(strstr(text, remedy));
	assert_int_equal(
	    json_integer_value(json_object_get(one, "count")), count);
	assert_string_equal(json_string_value(json_object_get(one, "peer")),
	    "203.0.113.9:4500");
	assert_string_equal(
	    json_string_value(json_object_get(one, "local")), "192.0.2.1:4500");
	json_decref(doc);
}

/* R 1001 with its outer addresses, which the tests' calls lack. */
static struct aaa_key known_peer(struct engine_world *w)
{
	struct aaa_key key = engine_world_call(w, 1);
	struct peer_up *up = &engine_peer_find(&w->e, key.r)->up;

	addr_parse(&up->peer, "203.0.113.9");
	addr_parse(&up->local, "192.0.2.1");
	up->peer.port = up->local.port = 4500;
	return key;
}

static void verdict_on(struct engine_world *w, struct aaa_key key,
    enum aaa_verdict_code code, const char *reason)
{
	const struct aaa_auth auth = {.method = AAA_PAP, .user = "anna"};
	struct aaa_verdict no = {.code = (uint8_t)code};

	snprintf(no.reason, sizeof(no.reason), "%s", reason);
	plugin_says(w, key, AAA_AUTH, &auth);
	engine_world_say(w, LM_VERDICT, w->last.seq, &no, -1);
}

/* Users: a wrong password, none of that name, no right, no address. */
static void test_why_users(void **state)
{
	const struct aaa_address address = {.user = "anna"};
	struct lm_exited exited = {.text = "PPP negotiation failed"};
	const struct aaa_verdict ok = {.code = AAA_OK,
	    .user = "anna",
	    .ip = {.family = ADDR_IPV4, .ip = {10, 0, 0, 9}}};
	const struct aaa_auth auth = {.method = AAA_PAP, .user = "anna"};
	struct engine_world w;
	struct aaa_key key, other;

	(void)state;
	engine_world_make(&w);
	key = known_peer(&w);
	verdict_on(&w, key, AAA_WRONG_PASSWORD, "wrong password");
	expect_why(
	    &w, 0, "user 'anna' refused (pap): wrong password", "password", 1);
	verdict_on(&w, key, AAA_WRONG_PASSWORD, "wrong password");
	expect_why(
	    &w, 0, "user 'anna' refused (pap): wrong password", "password", 2);
	verdict_on(&w, key, AAA_UNKNOWN_USER, "unknown user");
	expect_why(
	    &w, 0, "user 'anna' refused (pap): unknown user", "user add", 1);
	expect_why(
	    &w, 1, "user 'anna' refused (pap): wrong password", "password", 2);
	verdict_on(&w, key, AAA_METHOD_OFF, "off");
	expect_why(&w, 0, "user 'anna' refused (pap): off", "auth", 1);
	verdict_on(&w, key, AAA_MALFORMED, "short");
	expect_why(&w, 0, "user 'anna' refused (pap): short", NULL, 1);

	/* Another session has her address. */
	other = engine_world_call(&w, 2);
	plugin_says(&w, other, AAA_AUTH, &auth);
	engine_world_say(&w, LM_VERDICT, w.last.seq, &ok, -1);
	plugin_says(&w, other, AAA_ADDRESS, &address);
	plugin_says(&w, key, AAA_AUTH, &auth);
	engine_world_say(&w, LM_VERDICT, w.last.seq, &ok, -1);
	plugin_says(&w, key, AAA_ADDRESS, &address);
	expect_why(&w, 0,
	    "no address for user anna: the user's address 10.0.0.9 is in use "
	    "by another session",
	    "disconnect", 1);
	exited.r = key.r;
	exited.tunnel_id = key.tunnel_id;
	exited.session_id = key.session_id;
	engine_world_say(&w, LM_SESSION_EXITED, 0, &exited, -1);
	/* Her end is none: she was authenticated. */
	expect_why(&w, 0,
	    "no address for user anna: the user's address 10.0.0.9 is in use "
	    "by another session",
	    "disconnect", 1);
	engine_world_free(&w);
}

/* An SCCRQ without its Assigned Tunnel ID; then PPP that never got far. */
static void test_why_l2tp(void **state)
{
	static const uint8_t sccrq[] = {0xc8, 2, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0,
	    0x80, 8, 0, 0, 0, 0, 0, 1, 0x80, 10, 0, 0, 0, 3, 0, 0, 0, 3};
	struct lm_exited exited = {.text = "PPP negotiation failed"};
	struct engine_world w;
	struct addr from;
	struct aaa_key key;
	json_t *doc;

	(void)state;
	engine_world_make(&w);
	key = known_peer(&w);
	addr_parse(&from, "198.51.100.1");
	from.port = 1702;
	engine_on_datagram(&w.e, (struct aaa_key){.r = key.r}, &from,
	    (struct wire_span){sccrq, sizeof(sccrq)});
	doc = why(&w, "why 203.0.113.9\n");
	assert_int_equal(json_array_size(json_object_get(doc, "refusals")), 1);
	assert_non_null(strstr(
	    json_string_value(json_object_get(
		json_array_get(json_object_get(doc, "refusals"), 0), "what")),
	    "L2TP: SCCRQ ignored: "));
	json_decref(doc);
	exited.r = key.r;
	exited.tunnel_id = key.tunnel_id;
	exited.session_id = key.session_id;
	engine_world_say(&w, LM_SESSION_EXITED, 0, &exited, -1);
	expect_why(&w, 0,
	    "PPP ended before a user was authenticated: PPP negotiation failed",
	    "pppd", 1);
	/* The inner address is nobody's outer one. */
	doc = why(&w, "why 198.51.100.1\n");
	assert_int_equal(json_array_size(json_object_get(doc, "refusals")), 0);
	json_decref(doc);
	doc = why(&w, "why somebody\n");
	assert_non_null(json_object_get(doc, "error"));
	json_decref(doc);
	engine_world_free(&w);
}

/* --- ikev1d ----------------------------------------------------------------
 */

static void count_closing(void *ctx, const struct lns_row *row)
{
	*(size_t *)ctx += !strcmp(row->state, "closing");
}

/* ikev1d ends first: each client is told while its SAs live. */
static void test_ikev1d_leaves(void **state)
{
	const struct peer_list_end leaving = {.count = 3};
	struct engine_world w;
	size_t closing = 0;

	(void)state;
	engine_world_make(&w);
	for (uint32_t slot = 1; slot <= 3; slot++)
		engine_world_call(&w, slot);
	engine_world_link(&w);
	assert_int_equal(w.linked[PEER_READY], 3);
	assert_int_equal(chan_send(w.ike, PEER_LEAVING, 0, &leaving, -1), 0);
	engine_world_run(&w);
	assert_int_equal(w.asked[LM_SESSION_CLOSE], 3);
	lns_each(w.e.lns, count_closing, &closing);
	assert_int_equal(closing, 3);
	assert_int_equal(w.linked[PEER_GONE], 0);
	engine_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stats_refused),
	    cmocka_unit_test(test_full_house),
	    cmocka_unit_test(test_auth_refused),
	    cmocka_unit_test(test_address_of_an_ending_session),
	    cmocka_unit_test(test_fixed_addresses),
	    cmocka_unit_test(test_why_users),
	    cmocka_unit_test(test_why_l2tp),
	    cmocka_unit_test(test_ikev1d_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
