/* SPDX-License-Identifier: ISC */
/*
 * l2tpd's engine dies between any two of its turns: the monitor's real
 * objects over a fake kernel, a client and its plugin on real sockets, and
 * ikev1d's list of R.  The next engine has the vault.
 */
#include "test/lib/engine_world.h"
#include "test/lib/l2tp_client.h"

#include "l2tpd/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define R 1001
#define SLOT 1
#define TURNS_MAX 20000
#define LATER_MAX 8
#define AGAIN 40 /* turns without an answer: the plugin asks again */

struct later {
	kernel_closed_fn fn;
	void *arg;
};

struct rig {
	struct engine_world w; /* first: on_request() finds us by it */
	struct objects *objects;
	struct addr server; /* R's socket */
	struct later later[LATER_MAX];
	size_t later_count;
	kernel_ppp_end_fn ppp_end;
	void *ppp_arg; /* NULL: no PPP */
	bool ppp_is_stopped;
	unsigned int ppp_starts;
	int plugin; /* its end; -1 */
	uint32_t plugin_seq, plugin_waits;
	bool plugin_is_up, is_address_given;
	int client;
	struct l2tp_client lac;
	uint64_t client_ms;
	bool is_up; /* ikev1d has R */
	size_t closes;
	int turns, die_at;
};

/* --- the kernel -------------------------------------------------------- */

static int udp(struct addr *bound)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(bound, &ss);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	getsockname(fd, (struct sockaddr *)&ss, &len);
	addr_from_sockaddr(bound, (struct sockaddr *)&ss);
	return fd;
}

static int do_peer_socket(void *ctx, uint32_t slot, const struct addr *local)
{
	struct rig *g = ctx;

	assert_int_equal(slot, SLOT);
	g->server = *local;
	g->server.port = 0;
	return udp(&g->server);
}

static int do_tunnel_socket(void *ctx, const struct kernel_tunnel *t)
{
	struct rig *g = ctx;
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&t->peer, &ss);
	int fd = udp(&g->server);

	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static int do_tunnel_open(void *ctx, int fd, const struct kernel_tunnel *t)
{
	(void)ctx;
	(void)t;
	return dup(fd);
}

static int do_session_open(void *ctx, int fd, const struct kernel_session *s)
{
	(void)ctx;
	(void)s;
	return dup(fd);
}

static int do_stats(void *ctx, int fd, uint16_t tunnel_id, uint16_t session_id,
    struct lm_stats *out)
{
	(void)ctx;
	(void)fd;
	(void)tunnel_id;
	(void)session_id;
	memset(out, 0, sizeof(*out));
	return 0;
}

static int do_ppp_start(void *ctx, const struct kernel_session *s, int pppox,
    kernel_ppp_end_fn end, void *arg, int *plugin_fd, struct ppp **out)
{
	struct rig *g = ctx;
	int fds[2];

	(void)s;
	(void)pppox;
	assert_null(g->ppp_arg);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	g->plugin = fds[1];
	g->plugin_seq = 0;
	g->ppp_end = end;
	g->ppp_arg = arg;
	g->ppp_starts++;
	*plugin_fd = fds[0];
	*out = (struct ppp *)g;
	return 0;
}

static void do_ppp_stop(void *ctx, struct ppp *ppp, int is_forced)
{
	(void)ppp;
	(void)is_forced;
	((struct rig *)ctx)->ppp_is_stopped = true;
}

static void do_close(
    void *ctx, const int fds[2], kernel_closed_fn done, void *arg)
{
	struct rig *g = ctx;

	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	assert_true(g->later_count < LATER_MAX);
	g->later[g->later_count++] = (struct later){done, arg};
}

static const struct kernel_ops ops = {
    .peer_socket = do_peer_socket,
    .tunnel_socket = do_tunnel_socket,
    .tunnel_open = do_tunnel_open,
    .session_open = do_session_open,
    .session_stats = do_stats,
    .ppp_start = do_ppp_start,
    .ppp_stop = do_ppp_stop,
    .close = do_close,
};

static void end_ppp(struct rig *g, const char *why)
{
	void *arg = g->ppp_arg;

	g->ppp_arg = NULL;
	g->ppp_is_stopped = false;
	close(g->plugin);
	g->plugin = -1;
	g->ppp_end(arg, why);
}

/* --- the monitor ------------------------------------------------------- */

static void on_reply(
    void *ctx, uint32_t seq, int error, const char *text, int fd)
{
	struct rig *g = ctx;
	struct lm_reply reply = {.error = error};

	snprintf(reply.text, sizeof(reply.text), "%s", text);
	chan_send(g->w.monitor, LM_REPLY, seq, &reply, fd);
}

static void on_stats(void *ctx, uint32_t seq, const struct lm_stats *stats)
{
	chan_send(
	    ((struct rig *)ctx)->w.monitor, LM_STATS_REPLY, seq, stats, -1);
}

static void on_exited(void *ctx, const struct lm_exited *exited)
{
	chan_send(
	    ((struct rig *)ctx)->w.monitor, LM_SESSION_EXITED, 0, exited, -1);
}

static void on_request(struct engine_world *w, const struct msg_header *hdr,
    const union lm_any *body)
{
	const struct aaa_verdict ok = {.code = AAA_OK, .user = "anna"};
	struct rig *g = (struct rig *)w;

	if (hdr->type == LM_AUTH)
		chan_send(w->monitor, LM_VERDICT, hdr->seq, &ok, -1);
	else
		assert_true(
		    objects_request(g->objects, hdr->type, hdr->seq, body));
}

static void send_held(void *ctx, const struct lm_held *held, int fd)
{
	struct rig *g = ctx;

	g->closes++; /* counts them */
	chan_send(g->w.monitor, LM_HELD, 0, held, fd);
}

/* --- ikev1d ------------------------------------------------------------ */

static void say_up(struct rig *g)
{
	struct peer_up up = {.r = R, .slot = SLOT};

	addr_parse(&up.local, "127.0.0.1");
	addr_parse(&up.peer, "203.0.113.9");
	assert_int_equal(chan_send(g->w.ike, PEER_UP, 0, &up, -1), 0);
}

static void link_up(struct rig *g)
{
	struct peer_list_end end = {.count = g->is_up};

	engine_world_link(&g->w);
	if (g->is_up)
		say_up(g);
	chan_send(g->w.ike, PEER_LIST_END, 0, &end, -1);
}

static void heed_ike(struct rig *g)
{
	const struct peer_note down = {.r = R, .slot = SLOT};

	if (!g->is_up || !g->w.linked[PEER_CLOSE])
		return;
	g->is_up = false;
	chan_send(g->w.ike, PEER_DOWN, 0, &down, -1);
}

/* --- the client and its plugin ------------------------------------------- */

static void emit(void *ctx, const uint8_t *data, size_t len)
{
	struct rig *g = ctx;
	struct sockaddr_storage ss;
	socklen_t ss_len = addr_to_sockaddr(&g->server, &ss);

	/* R's socket may be gone. */
	sendto(g->client, data, len, 0, (struct sockaddr *)&ss, ss_len);
}

static void heed_client(struct rig *g)
{
	uint8_t buf[2048];
	ssize_t n = recv(g->client, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0)
		l2tp_client_receive(
		    &g->lac, (struct wire_span){buf, (size_t)n}, g->client_ms);
	g->client_ms += 5;
	l2tp_client_tick(&g->lac, g->client_ms);
}

static void plugin_says(struct rig *g, uint16_t type, const void *body)
{
	g->plugin_waits = 0;
	chan_sync_send(
	    g->plugin, &aaa_msg_table, type, g->plugin_seq, body, -1);
}

/* Its requests 1 and 2, each again until it is answered; then UP. */
static void ask(struct rig *g)
{
	const struct aaa_auth auth = {.method = AAA_PAP, .user = "anna"};
	const struct aaa_address address = {.user = "anna"};

	if (g->plugin_seq == 1)
		plugin_says(g, AAA_AUTH, &auth);
	else
		plugin_says(g, AAA_ADDRESS, &address);
}

static void plugin_goes_on(struct rig *g)
{
	const struct aaa_up up = {.ifname = "sp1", .user = "anna"};

	if (++g->plugin_seq <= 2) {
		ask(g);
		return;
	}
	g->plugin_seq = 0;
	plugin_says(g, AAA_UP, &up);
	g->plugin_is_up = true;
}

static void heed_plugin(struct rig *g)
{
	uint8_t buf[MSG_MAX];
	struct msg_header hdr;
	union aaa_any m;
	ssize_t n;

	if (g->plugin < 0 || g->plugin_is_up)
		return;
	if (!g->plugin_seq) {
		plugin_goes_on(g);
		return;
	}
	n = recv(g->plugin, buf, sizeof(buf), MSG_DONTWAIT);
	if (n > 0 &&
	    !msg_decode(&aaa_msg_table, buf, (size_t)n, &hdr, &m, sizeof(m)) &&
	    hdr.seq == g->plugin_seq) {
		/* ok is the first member of both replies */
		assert_int_equal(m.auth_reply.ok, 1);
		plugin_goes_on(g);
	} else if (++g->plugin_waits > AGAIN) {
		ask(g);
	}
}

/* --- time ---------------------------------------------------------------- */

static void die(struct rig *g)
{
	struct lm_count end = {0};

	engine_world_die(&g->w);
	objects_engine_gone(g->objects);
	g->closes = 0;
	objects_each(g->objects, send_held, g);
	end.count = (uint32_t)g->closes;
	chan_send(g->w.monitor, LM_HELD_END, 0, &end, -1);
	objects_engine_here(g->objects);
	engine_world_run(&g->w);
	assert_true(g->w.e.is_serving);
	link_up(g);
}

static void run_later(struct rig *g, size_t count)
{
	for (size_t i = 0; i < count; i++)
		g->later[i].fn(g->later[i].arg);
	g->later_count -= count;
	memmove(
	    g->later, g->later + count, g->later_count * sizeof(g->later[0]));
}

static void turn(struct rig *g)
{
	size_t count = g->later_count;

	if (g->turns++ == g->die_at)
		die(g);
	uv_run(&g->w.e.loop, UV_RUN_NOWAIT);
	run_later(g, count);
	if (g->ppp_is_stopped)
		end_ppp(g, "ended by the server");
	heed_ike(g);
	heed_client(g);
	heed_plugin(g);
	usleep(100);
}

typedef bool (*until_fn)(struct rig *g);

static void run_until(struct rig *g, const char *what, until_fn until)
{
	const int end = g->turns + TURNS_MAX;

	while (!until(g)) {
		if (g->turns > end)
			fail_msg("%s: in vain, death at %d", what, g->die_at);
		turn(g);
	}
}

/* --- the story ----------------------------------------------------------- */

static void begin(struct rig *g, int die_at)
{
	const struct l2tp_client_config cfg = {
	    .tunnel_id = 11, .session_id = 21, .window = 4};
	const struct objects_out out = {on_reply, on_stats, on_exited, g};
	struct addr addr;

	memset(g, 0, sizeof(*g));
	engine_world_make(&g->w);
	g->w.on_request = on_request;
	g->objects = objects_new(&ops, g, &out, 32);
	objects_engine_here(g->objects);
	g->plugin = -1;
	g->die_at = die_at;
	addr_parse(&addr, "127.0.0.1");
	g->client = udp(&addr);
	l2tp_client_init(&g->lac, &cfg, emit, g);
	link_up(g);
	g->is_up = true;
	say_up(g);
}

static void done(struct rig *g)
{
	l2tp_client_free(&g->lac);
	close(g->client);
	assert_true(objects_is_empty(g->objects));
	objects_free(g->objects);
	engine_world_free(&g->w);
}

static bool is_ready(struct rig *g)
{
	return g->w.linked[PEER_READY] > 0;
}

static bool get_row(struct rig *g, struct aaa_row *found);

static bool is_session_up(struct rig *g)
{
	struct aaa_row row;

	return g->lac.state == L2TP_CLIENT_UP && get_row(g, &row) &&
	       !strcmp(row.state, "up");
}

static void copy_row(void *ctx, const struct aaa_row *row)
{
	*(struct aaa_row *)ctx = *row;
}

static bool get_row(struct rig *g, struct aaa_row *found)
{
	memset(found, 0, sizeof(*found));
	aaa_each(g->w.e.aaa, copy_row, found);
	return found->key.r != 0;
}

static bool is_told(struct rig *g)
{
	return g->lac.stops > 0;
}

static bool is_gone(struct rig *g)
{
	return !g->is_up && !engine_peer_find(&g->w.e, R) &&
	       objects_is_empty(g->objects) && !g->later_count;
}

static bool call_is_cleared(struct rig *g)
{
	struct aaa_row row;

	return g->lac.cdns > 0 && !get_row(g, &row);
}

static void check_state(void *ctx, const struct lns_row *row)
{
	assert_int_equal(row->r, R);
	assert_false(row->held);
	assert_string_equal(row->state, ctx);
}

static void dial(struct rig *g)
{
	run_until(g, "PEER_READY", is_ready);
	l2tp_client_dial(&g->lac, g->client_ms);
	run_until(g, "the session", is_session_up);
	lns_each(g->w.e.lns, check_state, (void *)"established");
	assert_int_equal(ports_count(g->w.e.tunnels), 2);
	assert_int_equal(ports_count(g->w.e.plugins), 1);
	/* No dial-in was made twice. */
	assert_int_equal(g->ppp_starts, 1);
}

static void disconnect(struct rig *g)
{
	struct lns_event ev = {.type = LNS_EV_DISCONNECT, .r = R};
	struct aaa_row row;

	engine_lns(&g->w.e, &ev);
	run_until(g, "StopCCN", is_told);
	run_until(g, "the end", is_gone);
	assert_false(get_row(g, &row));
	assert_int_equal(ports_count(g->w.e.tunnels), 0);
	assert_int_equal(ports_count(g->w.e.plugins), 0);
	assert_int_equal(vault_count(g->w.e.vault), 0);
}

/* Dead between each two turns of a whole session. */
static void test_any_turn(void **state)
{
	int turns = 1;

	(void)state;
	for (int n = 0; n < turns; n++) {
		static struct rig g;

		begin(&g, n);
		dial(&g);
		disconnect(&g);
		if (!n)
			turns = g.turns + 10;
		assert_in_range(turns, 20, 400);
		done(&g);
	}
}

/* At rest: nothing that is known changes, however often. */
static void test_at_rest(void **state)
{
	struct aaa_row before, after;
	static struct rig g;

	(void)state;
	begin(&g, -1);
	dial(&g);
	assert_true(get_row(&g, &before));
	assert_int_equal(vault_count(g.w.e.vault), 2);
	for (int i = 0; i < 5; i++) {
		die(&g);
		assert_true(get_row(&g, &after));
		assert_true(before.since_s == after.since_s);
		assert_true(addr_equal(&before.ip, &after.ip));
		assert_string_equal(after.user, "anna");
		assert_string_equal(after.ifname, "sp1");
		assert_string_equal(after.state, "up");
		lns_each(g.w.e.lns, check_state, (void *)"established");
		run_until(&g, "PEER_READY", is_ready);
	}
	assert_int_equal(g.ppp_starts, 1);
	disconnect(&g);
	done(&g);
}

/* pppd ends while there is no engine: the client and AAA hear it. */
static void test_ppp_ends_meanwhile(void **state)
{
	static struct rig g;

	(void)state;
	begin(&g, -1);
	dial(&g);
	objects_engine_gone(g.objects);
	end_ppp(&g, "LCP is down");
	run_later(&g, g.later_count);
	assert_false(objects_is_empty(g.objects));
	die(&g);
	run_until(&g, "CDN", call_is_cleared);
	assert_int_equal(g.lac.cdn.code, L2TP_CDN_CARRIER);
	disconnect(&g);
	done(&g);
}

static bool is_asked(struct rig *g)
{
	return !g->is_up;
}

/* What cannot be resumed ends, with all that the monitor has of it. */
static void lose(bool of_peer)
{
	static struct rig g;
	struct vault_key key = {of_peer ? 1 : 2, of_peer ? R : 1};

	begin(&g, -1);
	dial(&g);
	vault_drop(g.w.e.vault, key);
	vault_commit(g.w.e.vault);
	die(&g);
	if (of_peer) {
		run_until(&g, "PEER_CLOSE", is_asked);
		run_until(&g, "the end", is_gone);
	} else {
		assert_int_equal(g.w.e.stray_count, 1);
		run_until(&g, "CDN", call_is_cleared);
		assert_int_equal(g.w.e.stray_count, 0);
		disconnect(&g);
	}
	done(&g);
}

static void test_lost_peer(void **state)
{
	(void)state;
	lose(true);
}

static void test_lost_session(void **state)
{
	(void)state;
	lose(false);
}

/* It killed three engines: set aside. */
static void test_strikes(void **state)
{
	static struct rig g;

	(void)state;
	begin(&g, -1);
	dial(&g);
	for (int i = 0; i < VAULT_STRIKES - 1; i++) {
		engine_vault_at_work(&g.w.e, R);
		die(&g);
		lns_each(g.w.e.lns, check_state, (void *)"established");
	}
	engine_vault_at_work(&g.w.e, R);
	log_init(&g.w.e.log, "l2tpd", LOG_SEV_ERROR);
	die(&g);
	run_until(&g, "PEER_CLOSE", is_asked);
	run_until(&g, "the end", is_gone);
	done(&g);
}

/* Records of another version: all R end, and nobody gets an address that may
 * still be somebody's. */
static void test_another_version(void **state)
{
	struct peer_up late = {.r = R + 1, .slot = SLOT + 1};
	static struct rig g;
	enum vault_found found;
	struct vault *v;

	(void)state;
	begin(&g, -1);
	dial(&g);
	assert_int_equal(
	    vault_open(vault_hold_fd(g.w.hold), 99, &v, &found), 0);
	assert_int_equal(found, VAULT_FOREIGN);
	vault_close(v);
	die(&g);
	assert_int_equal(g.w.e.found, VAULT_FOREIGN);
	assert_int_equal(g.w.e.stray_count, 1);
	assert_int_equal(chan_send(g.w.ike, PEER_UP, 0, &late, -1), 0);
	/* The lists come first; PPP is still on its way down. */
	for (int i = 0; i < 10; i++)
		uv_run(&g.w.e.loop, UV_RUN_NOWAIT);
	assert_int_equal(g.w.linked[PEER_REFUSED], 1);
	run_until(&g, "PEER_CLOSE", is_asked);
	run_until(&g, "the end", is_gone);
	assert_int_equal(g.w.e.stray_count, 0);
	done(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_any_turn),
	    cmocka_unit_test(test_at_rest),
	    cmocka_unit_test(test_ppp_ends_meanwhile),
	    cmocka_unit_test(test_lost_peer),
	    cmocka_unit_test(test_lost_session),
	    cmocka_unit_test(test_strikes),
	    cmocka_unit_test(test_another_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
