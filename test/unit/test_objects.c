/* SPDX-License-Identifier: ISC */
/* The monitor's objects against a fake kernel: preconditions, order. */
#include "l2tpd/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_CLIENTS 20
#define PENDING_MAX 32

static const struct addr local = {.family = ADDR_IPV4, .ip = {192, 0, 2, 1}};
static const struct addr client = {
    .family = ADDR_IPV4, .ip = {198, 51, 100, 7}, .port = 1701};

/* --- the fake kernel -------------------------------------------------- */

struct ppp {
	kernel_ppp_end_fn end;
	void *arg;
	int polite, forced;
};

struct pending {
	kernel_closed_fn done;
	void *arg;
	int fds[2];
};

struct fake {
	int fail_next; /* -errno for the next opening call */
	struct ppp ppp[PENDING_MAX];
	size_t ppp_count;
	struct pending closes[PENDING_MAX];
	size_t close_count;
	struct kernel_session last_session;
	struct kernel_tunnel last_tunnel;
	/* what the engine heard */
	uint32_t seq;
	int error, replies, exits, held, held_fds;
	char text[LM_TEXT_MAX], held_text[512];
	struct lm_stats stats;
	struct lm_exited exited;
	int fds_open;
};

static int open_fd(struct fake *f)
{
	int fd;

	if (f->fail_next) {
		int err = f->fail_next;

		f->fail_next = 0;
		return err;
	}
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int peer_socket(void *ctx, uint32_t slot, const struct addr *at)
{
	assert_true(slot >= 1 && slot <= MAX_CLIENTS);
	assert_true(addr_ip_equal(at, &local));
	return open_fd(ctx);
}

static int tunnel_socket(void *ctx, const struct kernel_tunnel *t)
{
	struct fake *f = ctx;

	f->last_tunnel = *t;
	return open_fd(f);
}

static int tunnel_open(void *ctx, int udp_fd, const struct kernel_tunnel *t)
{
	assert_true(udp_fd >= 0);
	assert_true(t->tunnel_id != 0);
	return open_fd(ctx);
}

static int session_open(void *ctx, int udp_fd, const struct kernel_session *s)
{
	struct fake *f = ctx;

	assert_true(udp_fd >= 0);
	f->last_session = *s;
	return open_fd(f);
}

static int session_stats(void *ctx, int pppox_fd, uint16_t tunnel_id,
    uint16_t session_id, struct lm_stats *out)
{
	(void)ctx;
	assert_true(pppox_fd >= 0);
	memset(out, 0, sizeof(*out));
	out->bytes_in = tunnel_id;
	out->bytes_out = session_id;
	return 0;
}

static int ppp_start(void *ctx, const struct kernel_session *s, int pppox_fd,
    kernel_ppp_end_fn end, void *arg, int *plugin_fd, struct ppp **out)
{
	struct fake *f = ctx;
	int fd = open_fd(f);

	(void)s;
	assert_true(pppox_fd >= 0);
	if (fd < 0)
		return fd;
	*plugin_fd = fd;
	*out = &f->ppp[f->ppp_count++];
	(*out)->end = end;
	(*out)->arg = arg;
	return 0;
}

static void ppp_stop(void *ctx, struct ppp *ppp, int is_forced)
{
	(void)ctx;
	if (is_forced)
		ppp->forced++;
	else
		ppp->polite++;
}

static void close_later(
    void *ctx, const int fds[2], kernel_closed_fn done, void *arg)
{
	struct fake *f = ctx;
	struct pending *p = &f->closes[f->close_count++];

	assert_true(f->close_count <= PENDING_MAX);
	*p = (struct pending){done, arg, {fds[0], fds[1]}};
}

static const struct kernel_ops fake_ops = {
    .peer_socket = peer_socket,
    .tunnel_socket = tunnel_socket,
    .tunnel_open = tunnel_open,
    .session_open = session_open,
    .session_stats = session_stats,
    .ppp_start = ppp_start,
    .ppp_stop = ppp_stop,
    .close = close_later,
};

static void on_reply(
    void *ctx, uint32_t seq, int error, const char *text, int fd)
{
	struct fake *f = ctx;

	f->seq = seq;
	f->error = error;
	f->replies++;
	snprintf(f->text, sizeof(f->text), "%s", text);
	if (fd >= 0)
		assert_true(fcntl(fd, F_GETFD) >= 0);
}

static void on_stats(void *ctx, uint32_t seq, const struct lm_stats *stats)
{
	struct fake *f = ctx;

	f->seq = seq;
	f->stats = *stats;
	f->replies++;
}

static void on_exited(void *ctx, const struct lm_exited *exited)
{
	struct fake *f = ctx;

	f->exited = *exited;
	f->exits++;
}

/* --- helpers ---------------------------------------------------------- */

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	return n;
}

struct fix {
	struct fake f;
	struct objects *o;
	uint32_t seq;
};

static int setup(void **state)
{
	struct fix *x = calloc(1, sizeof(*x));
	const struct objects_out out = {on_reply, on_stats, on_exited, &x->f};

	x->f.fds_open = count_fds();
	x->o = objects_new(&fake_ops, &x->f, &out, MAX_CLIENTS);
	objects_engine_here(x->o);
	*state = x;
	return 0;
}

/* The pending closes, oldest first; more may come while they run. */
static void run_closes(struct fix *x)
{
	for (size_t i = 0; i < x->f.close_count; i++) {
		struct pending p = x->f.closes[i];

		for (int k = 0; k < 2; k++)
			if (p.fds[k] >= 0)
				assert_int_equal(close(p.fds[k]), 0);
		p.done(p.arg);
	}
	x->f.close_count = 0;
}

static void end_all_ppp(struct fix *x)
{
	for (size_t i = 0; i < x->f.ppp_count; i++) {
		struct ppp *p = &x->f.ppp[i];

		if (p->end && (p->polite || p->forced)) {
			kernel_ppp_end_fn end = p->end;

			p->end = NULL;
			end(p->arg, "ended by the server");
		}
	}
}

static int teardown(void **state)
{
	struct fix *x = *state;

	objects_stop(x->o, true);
	end_all_ppp(x);
	run_closes(x);
	assert_true(objects_is_empty(x->o));
	objects_free(x->o);
	assert_int_equal(count_fds(), x->f.fds_open);
	free(x);
	return 0;
}

static int ask(struct fix *x, uint16_t type, const union lm_any *b)
{
	int before = x->f.replies;

	assert_null(lm_check(type, b, MAX_CLIENTS));
	assert_true(objects_request(x->o, type, ++x->seq, b));
	if (x->f.replies == before)
		return 1; /* it comes later */
	assert_int_equal(x->f.replies, before + 1);
	assert_int_equal(x->f.seq, x->seq);
	return x->f.error;
}

static int peer_open(struct fix *x, uint64_t r, uint32_t slot)
{
	const union lm_any b = {
	    .peer_open = {.r = r, .slot = slot, .local = local}};

	return ask(x, LM_PEER_OPEN, &b);
}

static int tunnel_open_id(struct fix *x, uint64_t r, uint16_t id)
{
	const union lm_any b = {
	    .tunnel_open = {
		.r = r, .tunnel_id = id, .peer_tunnel_id = 11, .peer = client}};

	return ask(x, LM_TUNNEL_OPEN, &b);
}

static int session_open_id(struct fix *x, uint64_t r, uint16_t t, uint16_t s)
{
	const union lm_any b = {.session_open = {.r = r,
				    .tunnel_id = t,
				    .session_id = s,
				    .peer_session_id = 12}};

	return ask(x, LM_SESSION_OPEN, &b);
}

static int by_key(
    struct fix *x, uint16_t type, uint64_t r, uint16_t t, uint16_t s)
{
	const union lm_any b = {
	    .key = {.r = r, .tunnel_id = t, .session_id = s}};

	return ask(x, type, &b);
}

static void dial(struct fix *x, uint64_t r, uint16_t slot)
{
	assert_int_equal(peer_open(x, r, slot), 0);
	assert_int_equal(tunnel_open_id(x, r, slot), 0);
	assert_int_equal(session_open_id(x, r, slot, 5), 0);
}

/* --- tests ------------------------------------------------------------ */

static void test_preconditions(void **state)
{
	struct fix *x = *state;

	assert_int_equal(tunnel_open_id(x, 1, 3), -ENOENT);
	assert_int_equal(peer_open(x, 1, 3), 0);
	assert_int_equal(peer_open(x, 1, 4), -EEXIST);
	assert_int_equal(peer_open(x, 2, 3), -EBUSY);
	assert_int_equal(tunnel_open_id(x, 1, 4), -EPERM);
	assert_int_equal(session_open_id(x, 1, 3, 5), -ENOENT);
	assert_int_equal(tunnel_open_id(x, 1, 3), 0);
	assert_int_equal(tunnel_open_id(x, 1, 3), -EEXIST);
	assert_int_equal(tunnel_open_id(x, 1, 0x4003), 0);
	assert_int_equal(session_open_id(x, 1, 3, 5), 0);
	assert_int_equal(session_open_id(x, 1, 3, 5), -EEXIST);
	assert_int_equal(session_open_id(x, 2, 3, 5), -ENOENT);
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 3, 6), -ENOENT);
	assert_int_equal(by_key(x, LM_TUNNEL_CLOSE, 1, 0x8003, 0), -ENOENT);
	assert_int_equal(by_key(x, LM_PEER_FREE, 2, 0, 0), -ENOENT);
}

/* What the kernel gets to see is derived from R, not from the request. */
static void test_ids(void **state)
{
	struct fix *x = *state;

	dial(x, 9, 3);
	assert_int_equal(x->f.last_tunnel.slot, 3);
	assert_true(addr_ip_equal(&x->f.last_tunnel.local, &local));
	assert_true(addr_equal(&x->f.last_tunnel.peer, &client));
	assert_int_equal(x->f.last_session.slot, 3);
	assert_int_equal(x->f.last_session.r, 9);
	assert_int_equal(x->f.last_session.peer_tunnel_id, 11);
	assert_int_equal(x->f.last_session.peer_session_id, 12);
	assert_int_equal(x->f.last_session.index, 0);
	assert_int_equal(session_open_id(x, 9, 3, 6), 0);
	assert_int_equal(x->f.last_session.index, 1);
}

static void test_too_many_sessions(void **state)
{
	struct fix *x = *state;

	assert_int_equal(peer_open(x, 1, 1), 0);
	assert_int_equal(tunnel_open_id(x, 1, 1), 0);
	for (uint16_t s = 1; s <= OBJECTS_SESSIONS_MAX; s++)
		assert_int_equal(session_open_id(x, 1, 1, s), 0);
	assert_int_equal(session_open_id(x, 1, 1, 100), -ENOSPC);
	/* An index is free again only when the session is gone. */
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 1, 4), 0);
	assert_int_equal(session_open_id(x, 1, 1, 100), -ENOSPC);
	end_all_ppp(x);
	run_closes(x);
	assert_int_equal(session_open_id(x, 1, 1, 100), 0);
	assert_int_equal(x->f.last_session.index, 3);
}

static void test_failing_kernel(void **state)
{
	struct fix *x = *state;

	x->f.fail_next = -EACCES;
	assert_int_equal(peer_open(x, 1, 1), -EACCES);
	assert_non_null(strstr(x->f.text, "socket"));
	assert_int_equal(peer_open(x, 1, 1), 0);
	x->f.fail_next = -EADDRINUSE;
	assert_int_equal(tunnel_open_id(x, 1, 1), -EADDRINUSE);
	assert_int_equal(tunnel_open_id(x, 1, 1), 0);
	x->f.fail_next = -ENOPROTOOPT;
	assert_int_equal(session_open_id(x, 1, 1, 1), -ENOPROTOOPT);
	assert_int_equal(session_open_id(x, 1, 1, 1), 0);
}

/* From the inside out: PPP, session, tunnel, R; each when the last is gone. */
static void test_end_order(void **state)
{
	struct fix *x = *state;

	dial(x, 1, 1);
	assert_int_equal(by_key(x, LM_PEER_FREE, 1, 0, 0), 1);
	assert_int_equal(x->f.ppp[0].polite, 1);
	assert_int_equal(x->f.close_count, 0);
	assert_int_equal(by_key(x, LM_PEER_FREE, 1, 0, 0), -EALREADY);
	assert_int_equal(tunnel_open_id(x, 1, 0x4001), -ENOENT);
	assert_int_equal(peer_open(x, 2, 1), -EBUSY);
	end_all_ppp(x);
	assert_int_equal(x->f.exits, 1);
	assert_int_equal(x->f.exited.r, 1);
	assert_int_equal(x->f.exited.session_id, 5);
	assert_string_equal(x->f.exited.text, "ended by the server");
	assert_int_equal(x->f.close_count, 1);
	assert_int_equal(x->f.closes[0].fds[1], -1);
	x->f.replies = 0;
	run_closes(x);
	assert_int_equal(x->f.replies, 1);
	assert_int_equal(x->f.error, 0);
	assert_true(objects_is_empty(x->o));
	assert_int_equal(peer_open(x, 2, 1), 0);
}

/* PPP that ends by itself takes its session along and nothing else. */
static void test_ppp_ends(void **state)
{
	struct fix *x = *state;
	struct ppp *p = &x->f.ppp[0];

	dial(x, 1, 1);
	p->end(p->arg, "the client no longer answers echo requests");
	p->end = NULL;
	assert_int_equal(x->f.exits, 1);
	assert_int_equal(by_key(x, LM_STATS, 1, 1, 5), 0);
	assert_int_equal(x->f.stats.error, -ENOENT);
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 1, 5), 0);
	assert_int_equal(p->polite, 0);
	run_closes(x);
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 1, 5), -ENOENT);
	assert_int_equal(session_open_id(x, 1, 1, 5), 0);
}

static void test_stop_twice(void **state)
{
	struct fix *x = *state;

	dial(x, 1, 1);
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 1, 5), 0);
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 1, 5), 0);
	assert_int_equal(by_key(x, LM_TUNNEL_CLOSE, 1, 1, 0), 0);
	assert_int_equal(x->f.ppp[0].polite, 1);
	objects_stop(x->o, true);
	assert_int_equal(x->f.ppp[0].forced, 1);
}

static void test_stats(void **state)
{
	struct fix *x = *state;

	dial(x, 1, 2);
	by_key(x, LM_STATS, 1, 2, 5);
	assert_int_equal(x->f.stats.error, 0);
	assert_int_equal(x->f.stats.bytes_in, 2);
	assert_int_equal(x->f.stats.bytes_out, 5);
	by_key(x, LM_STATS, 1, 2, 6);
	assert_int_equal(x->f.stats.error, -ENOENT);
}

/* --- for the next engine ---------------------------------------------- */

static void on_held(void *ctx, const struct lm_held *h, int fd)
{
	struct fake *f = ctx;
	size_t at = strlen(f->held_text);

	f->held++;
	if (fd >= 0 && fcntl(fd, F_GETFD) >= 0)
		f->held_fds++;
	snprintf(f->held_text + at, sizeof(f->held_text) - at, "%u/%u/%u%s ",
	    (unsigned int)h->r, h->tunnel_id, h->session_id,
	    h->is_ending ? "!" : "");
}

static void test_held(void **state)
{
	struct fix *x = *state;

	dial(x, 1, 1);
	dial(x, 2, 2);
	assert_int_equal(peer_open(x, 3, 3), 0);
	objects_each(x->o, on_held, &x->f);
	assert_int_equal(x->f.held, 7);
	assert_int_equal(x->f.held_fds, 7);
	assert_string_equal(
	    x->f.held_text, "1/0/0 1/1/0 1/1/5 2/0/0 2/2/0 2/2/5 3/0/0 ");
}

/*
 * What is ending is none of the new engine's business, but a session whose
 * PPP lives: its address is on an interface.
 */
static void test_held_not_ending(void **state)
{
	struct fix *x = *state;

	dial(x, 1, 1);
	dial(x, 2, 2);
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 1, 5), 0);
	assert_int_equal(by_key(x, LM_PEER_FREE, 2, 0, 0), 1);
	objects_engine_gone(x->o);
	objects_each(x->o, on_held, &x->f);
	assert_string_equal(x->f.held_text, "1/0/0 1/1/0 1/1/5! 2/2/5! ");
	assert_int_equal(x->f.held_fds, 4);
	x->f.replies = 0;
	/* Nobody is there to hear of their ends: the next one is. */
	end_all_ppp(x);
	run_closes(x);
	assert_int_equal(x->f.exits, 0);
	x->f.held_text[0] = '\0';
	x->f.held_fds = 0;
	objects_each(x->o, on_held, &x->f);
	assert_string_equal(x->f.held_text, "1/0/0 1/1/0 1/1/5! 2/2/5! ");
	assert_int_equal(x->f.held_fds, 4);
	objects_engine_here(x->o);
	assert_int_equal(x->f.exits, 2);
	x->f.held_text[0] = '\0';
	objects_each(x->o, on_held, &x->f);
	assert_string_equal(x->f.held_text, "1/0/0 1/1/0 ");
	run_closes(x);
	assert_int_equal(x->f.replies, 0); /* nobody waits for it */
	assert_int_equal(peer_open(x, 5, 2), 0);
}

/* The end of all: no engine will come to hear of it. */
static void test_stop_without_engine(void **state)
{
	struct fix *x = *state;

	dial(x, 1, 1);
	assert_int_equal(by_key(x, LM_SESSION_CLOSE, 1, 1, 5), 0);
	objects_engine_gone(x->o);
	end_all_ppp(x);
	objects_stop(x->o, false);
	run_closes(x);
	assert_true(objects_is_empty(x->o));
	assert_int_equal(x->f.exits, 0);
}

static void test_unknown_request(void **state)
{
	struct fix *x = *state;
	const union lm_any b = {.key = {.r = 1}};

	assert_false(objects_request(x->o, LM_AUTH, 1, &b));
	assert_false(objects_request(x->o, LM_REPLY, 1, &b));
	assert_int_equal(x->f.replies, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_preconditions),
	    TEST(test_ids),
	    TEST(test_too_many_sessions),
	    TEST(test_failing_kernel),
	    TEST(test_end_order),
	    TEST(test_ppp_ends),
	    TEST(test_stop_twice),
	    TEST(test_stats),
	    TEST(test_held),
	    TEST(test_held_not_ending),
	    TEST(test_stop_without_engine),
	    TEST(test_unknown_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
