/* SPDX-License-Identifier: ISC */
/* The link to l2tpd: lists, changes, loss, and what one side lacks. */
#include "ikev1/link.h"

#include "common/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#define EVENTS_MAX 16

union any {
	struct peer_up up;
	struct peer_note note;
	struct peer_list_end end;
};

struct world {
	uv_loop_t loop;
	struct log log;
	struct link *link;
	int fd; /* l2tpd's end */
	uint8_t datagram[MSG_MAX];
	struct chan_parts parts; /* what is left of it */
	int wanted;
	enum link_event events[EVENTS_MAX];
	uint64_t rs[EVENTS_MAX];
	char texts[EVENTS_MAX][PEER_REASON_MAX];
	int count;
};

static void on_event(
    void *ctx, enum link_event what, uint64_t r, const char *text)
{
	struct world *w = ctx;

	assert_true(w->count < EVENTS_MAX);
	w->events[w->count] = what;
	w->rs[w->count] = r;
	snprintf(w->texts[w->count], PEER_REASON_MAX, "%s", text ? text : "");
	w->count++;
	/* What the core does: a closed R goes down, a gone one ends. */
	if (what == LINK_CLOSE)
		link_peer_down(w->link, r, "closed");
	if (what == LINK_GONE)
		link_peer_end(w->link, r);
}

static void on_wanted(void *ctx)
{
	((struct world *)ctx)->wanted++;
}

static void open_timed_world(struct world *w, uint32_t ready_ms)
{
	const struct link_handlers h = {on_event, on_wanted, w, ready_ms};

	*w = (struct world){.fd = -1};
	chan_parts_init(&w->parts, w->datagram, 0);
	log_init(&w->log, "test", LOG_SEV_ERROR);
	w->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->link = link_new(&w->loop, &w->log, &h);
}

static void open_world(struct world *w)
{
	open_timed_world(w, 0);
}

static void turn(struct world *w)
{
	for (int i = 0; i < 3; i++)
		uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void close_world(struct world *w)
{
	if (w->fd >= 0)
		close(w->fd);
	link_free(w->link);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	close(w->log.fd);
}

static void connect_world(struct world *w)
{
	int sv[2];

	if (w->fd >= 0)
		close(w->fd);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(fcntl(sv[1], F_SETFL, O_NONBLOCK), 0);
	w->fd = sv[1];
	chan_parts_init(&w->parts, w->datagram, 0);
	link_attach(w->link, sv[0]);
}

/* The next message at l2tpd's end; its type, or 0 for none. */
static int next(struct world *w, union any *out)
{
	struct wire_span message;
	struct msg_header hdr;
	ssize_t n;

	link_flush(w->link);
	while (!chan_parts_next(&w->parts, &message)) {
		n = recv(w->fd, w->datagram, sizeof(w->datagram), 0);
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			return 0;
		}
		chan_parts_init(&w->parts, w->datagram, (size_t)n);
	}
	assert_int_equal(msg_decode(&peer_link_table, message.data, message.len,
			     &hdr, out, sizeof(*out)),
	    0);
	return hdr.type;
}

static void say(struct world *w, uint16_t type, uint64_t r, const char *reason)
{
	union any body = {.note = {.r = r, .slot = (uint32_t)r}};

	snprintf(body.note.reason, sizeof(body.note.reason), "%s", reason);
	if (type == PEER_LIST_END || type == PEER_LEAVING)
		body.end.count = 0;
	assert_int_equal(
	    chan_sync_send(w->fd, &peer_link_table, type, 0, &body, -1), 0);
	turn(w);
}

static void up(struct world *w, uint64_t r)
{
	const struct peer_up body = {.r = r, .slot = (uint32_t)r};

	link_peer_up(w->link, &body);
}

/* l2tpd is told once that the end is near, when it is there. */
static void test_leave(void **state)
{
	struct world w;
	union any m;

	(void)state;
	open_world(&w);
	up(&w, 5);
	assert_false(link_leave(w.link));
	connect_world(&w);
	assert_int_equal(next(&w, &m), PEER_UP);
	assert_int_equal(next(&w, &m), PEER_LIST_END);
	assert_true(link_leave(w.link));
	assert_int_equal(next(&w, &m), PEER_LEAVING);
	assert_int_equal(m.end.count, 1);
	assert_int_equal(next(&w, &m), 0);
	/* It is not l2tpd's to say. */
	say(&w, PEER_LEAVING, 0, "");
	assert_int_equal(w.wanted, 1);
	close_world(&w);
}

static void test_normal_life(void **state)
{
	struct peer_up update = {.r = 5, .slot = 5, .suite = "new"};
	struct world w;
	union any m;

	(void)state;
	open_world(&w);
	connect_world(&w);
	assert_int_equal(next(&w, &m), PEER_LIST_END);
	assert_int_equal(m.end.count, 0);
	assert_false(link_is_up(w.link));
	say(&w, PEER_LIST_END, 0, "");
	assert_true(link_is_up(w.link));
	up(&w, 5);
	assert_int_equal(next(&w, &m), PEER_UP);
	assert_int_equal(m.up.r, 5);
	say(&w, PEER_READY, 5, "");
	assert_int_equal(w.count, 1);
	assert_int_equal(w.events[0], LINK_READY);
	say(&w, PEER_READY, 5, ""); /* once is enough */
	assert_int_equal(w.count, 1);
	link_peer_update(w.link, &update);
	assert_int_equal(next(&w, &m), PEER_UPDATE);
	assert_string_equal(m.up.suite, "new");
	link_peer_down(w.link, 5, "it left");
	assert_int_equal(next(&w, &m), PEER_DOWN);
	assert_int_equal(m.note.slot, 5);
	assert_string_equal(m.note.reason, "it left");
	link_peer_down(w.link, 5, "again");
	link_peer_update(w.link, &update);
	assert_int_equal(next(&w, &m), 0);
	say(&w, PEER_GONE, 5, "");
	assert_int_equal(w.events[1], LINK_GONE);
	/* Unknown here: of the last engine's, perhaps. */
	link_peer_down(w.link, 6, "it was ending");
	assert_int_equal(next(&w, &m), PEER_DOWN);
	assert_int_equal(m.note.r, 6);
	assert_int_equal(next(&w, &m), 0);
	assert_int_equal(w.wanted, 0);
	close_world(&w);
}

static void test_refused_and_closed(void **state)
{
	struct world w;
	union any m;

	(void)state;
	open_world(&w);
	connect_world(&w);
	say(&w, PEER_LIST_END, 0, "");
	up(&w, 1);
	up(&w, 2);
	say(&w, PEER_REFUSED, 1, "no socket");
	assert_int_equal(w.events[0], LINK_REFUSED);
	assert_string_equal(w.texts[0], "no socket");
	say(&w, PEER_REFUSED, 9, "nobody's");
	say(&w, PEER_READY, 2, "");
	say(&w, PEER_REFUSED, 2, "too late");
	assert_int_equal(w.count, 2);
	say(&w, PEER_CLOSE, 2, "operator");
	assert_int_equal(w.events[2], LINK_CLOSE);
	assert_string_equal(w.texts[2], "operator");
	while (next(&w, &m) && m.note.r != 0)
		if (m.note.r == 2 && !strcmp(m.note.reason, "closed"))
			break;
	close_world(&w);
}

static void test_announced_before_the_link(void **state)
{
	struct world w;
	union any m;

	(void)state;
	open_world(&w);
	up(&w, 1);
	up(&w, 2);
	link_peer_down(w.link, 2, "gone meanwhile");
	connect_world(&w);
	assert_int_equal(next(&w, &m), PEER_UP);
	assert_int_equal(m.up.r, 1);
	assert_int_equal(next(&w, &m), PEER_LIST_END);
	assert_int_equal(m.end.count, 1);
	say(&w, PEER_LIST_END, 0, "");
	/* l2tpd never heard of 2: nothing of it can be left. */
	assert_int_equal(w.count, 1);
	assert_int_equal(w.events[0], LINK_GONE);
	assert_int_equal(w.rs[0], 2);
	say(&w, PEER_READY, 1, "");
	assert_int_equal(w.events[1], LINK_READY);
	close_world(&w);
}

/* The link breaks and comes again: the lists are compared. */
static void test_reconnection(void **state)
{
	struct world w;
	union any m;
	int type, downs = 0, ups = 0;

	(void)state;
	open_world(&w);
	connect_world(&w);
	say(&w, PEER_LIST_END, 0, "");
	for (uint64_t r = 1; r <= 4; r++)
		up(&w, r);
	for (uint64_t r = 1; r <= 3; r++)
		say(&w, PEER_READY, r, "");
	assert_int_equal(w.count, 3);
	close(w.fd);
	w.fd = -1;
	turn(&w);
	assert_int_equal(w.wanted, 1);
	assert_false(link_is_up(w.link));
	link_peer_down(w.link, 3, "ended while apart");

	connect_world(&w);
	say(&w, PEER_READY, 1, "");
	say(&w, PEER_READY, 3, ""); /* l2tpd has not heard of its end */
	say(&w, PEER_READY, 77, "");
	say(&w, PEER_LIST_END, 0, "");
	/* 1 goes on, 2 was lost, 4 is still awaited. */
	assert_int_equal(w.count, 4);
	assert_int_equal(w.events[3], LINK_CLOSE);
	assert_int_equal(w.rs[3], 2);
	assert_string_equal(w.texts[3], "l2tpd lost it");
	while ((type = next(&w, &m))) {
		if (type == PEER_UP) {
			assert_int_not_equal(m.up.r, 3);
			ups++;
		}
		if (type == PEER_DOWN) {
			assert_true(
			    m.note.r == 3 || m.note.r == 77 || m.note.r == 2);
			downs++;
		}
	}
	assert_int_equal(ups, 3);
	assert_int_equal(downs, 3);
	say(&w, PEER_READY, 4, "");
	assert_int_equal(w.events[4], LINK_READY);
	say(&w, PEER_GONE, 3, "");
	assert_int_equal(w.events[5], LINK_GONE);
	close_world(&w);
}

static void test_l2tpd_breaks_the_rules(void **state)
{
	static const uint16_t types[] = {PEER_UP, PEER_UPDATE, PEER_DOWN};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		union any body = {.up = {.r = 1}};
		struct world w;

		open_world(&w);
		connect_world(&w);
		assert_int_equal(chan_sync_send(w.fd, &peer_link_table,
				     types[i], 0, &body, -1),
		    0);
		turn(&w);
		assert_int_equal(w.wanted, 1);
		assert_int_equal(w.count, 0);
		close_world(&w);
	}
}

/* Time passes in the loop's own terms only. */
static void test_nobody_answers(void **state)
{
	struct world w;

	(void)state;
	open_timed_world(&w, 1);
	up(&w, 1);
	while (!w.count)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.events[0], LINK_REFUSED);
	assert_string_equal(w.texts[0], "l2tpd is not running");
	uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.count, 1);
	close_world(&w);
}

static void test_held_wait_for_l2tpd(void **state)
{
	struct peer_up held = {.r = 5, .slot = 5, .held = 1};
	struct world w;

	(void)state;
	open_timed_world(&w, 1);
	link_peer_up(w.link, &held);
	up(&w, 1);
	while (!w.count)
		uv_run(&w.loop, UV_RUN_ONCE);
	for (int i = 0; i < 3; i++)
		uv_run(&w.loop, UV_RUN_ONCE);
	/* Only the new one was refused. */
	assert_int_equal(w.count, 1);
	/* With l2tpd there, and silent, it is the held one's turn. */
	connect_world(&w);
	while (w.count < 2)
		uv_run(&w.loop, UV_RUN_ONCE);
	assert_int_equal(w.events[1], LINK_REFUSED);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_normal_life),
	    cmocka_unit_test(test_leave),
	    cmocka_unit_test(test_refused_and_closed),
	    cmocka_unit_test(test_announced_before_the_link),
	    cmocka_unit_test(test_reconnection),
	    cmocka_unit_test(test_l2tpd_breaks_the_rules),
	    cmocka_unit_test(test_nobody_answers),
	    cmocka_unit_test(test_held_wait_for_l2tpd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
