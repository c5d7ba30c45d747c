/* SPDX-License-Identifier: ISC */
/* Channels that gather: many messages in one datagram, and when it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/chan_pair.h"

static void gather_number(struct pair *p, uint32_t value)
{
	struct t_number n = {value};

	assert_int_equal(chan_send(p->side.chan, T_NUMBER, value, &n, -1), 0);
}

/* Length of the next datagram at the raw end; -1 for none. */
static int raw(struct pair *p, uint8_t out[MSG_MAX])
{
	return (int)recv(p->fd, out, MSG_MAX, MSG_DONTWAIT);
}

static void test_gathers(void **state)
{
	uint8_t one[MSG_MAX], all[MSG_MAX];
	struct t_blob big = {.data = {.len = 4000}};
	struct t_number n = {7};
	struct pair p;
	int len, fd;

	(void)state;
	open_pair(&p);
	chan_gather(p.side.chan);
	chan_gather(p.side.chan); /* once is enough */
	assert_true(chan_is_flushed(p.side.chan));
	for (uint32_t i = 0; i < 3; i++)
		gather_number(&p, i);
	assert_int_equal(raw(&p, all), -1);
	assert_false(chan_is_flushed(p.side.chan));
	turn(&p);
	assert_true(chan_is_flushed(p.side.chan));
	len = msg_encode(
	    &table, T_NUMBER, 2, &(struct t_number){2}, one, sizeof(one));
	assert_int_equal(raw(&p, all), 2 + 3 * (2 + len));
	assert_memory_equal(all, "\xff\xff\0", 3);
	assert_int_equal(all[3], len);
	assert_memory_equal(all + 2 + 2 * (2 + len) + 2, one, (size_t)len);
	assert_int_equal(raw(&p, all), -1);
	/* At once, when asked; nothing, when there is nothing. */
	gather_number(&p, 9);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 + len);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), -1);
	/* What does not fit starts the next datagram. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    chan_send(p.side.chan, T_BLOB, 0, &big, -1), 0);
	assert_true(raw(&p, all) > 8000);
	assert_int_equal(raw(&p, all), -1);
	/* A descriptor goes alone, behind what was sent before. */
	fd = open("/dev/null", O_RDONLY);
	assert_int_equal(chan_send(p.side.chan, T_NUMBER, 7, &n, fd), 0);
	close(fd);
	assert_true(raw(&p, all) > 4000);
	assert_int_equal(raw(&p, all), len);
	/* Closing loses nothing. */
	gather_number(&p, 1);
	chan_close(p.side.chan);
	p.side.chan = NULL;
	assert_int_equal(raw(&p, all), 2 + 2 + len);
	assert_int_equal(raw(&p, all), 0);
	close_pair(&p);
}

/* Held, it leaves only when the owner says so. */
static void test_held(void **state)
{
	uint8_t all[MSG_MAX];
	struct pair p;

	(void)state;
	open_pair(&p);
	chan_hold(p.side.chan);
	gather_number(&p, 1);
	gather_number(&p, 2);
	turn(&p);
	assert_int_equal(raw(&p, all), -1);
	assert_false(chan_is_flushed(p.side.chan));
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 * (2 + 12));
	assert_true(chan_is_flushed(p.side.chan));
	/* Nobody keeps it from gathering by itself later. */
	chan_gather(p.side.chan);
	gather_number(&p, 3);
	turn(&p);
	assert_int_equal(raw(&p, all), 2 + 2 + 12);
	/* The other end goes with something on its way: one end, no more. */
	close(p.fd);
	p.fd = -1;
	gather_number(&p, 4);
	turn(&p);
	assert_int_equal(p.side.ends, 1);
	assert_null(p.side.chan);
	close_pair(&p);
	chan_flush(NULL);
}

/* A message of len bytes behind a number: the two datagrams' lengths. */
static void check_limit(size_t len, int first, int second)
{
	static struct t_huge huge;
	uint8_t all[MSG_MAX];
	struct pair p;

	open_pair(&p);
	chan_hold(p.side.chan);
	gather_number(&p, 1);
	huge.data.len = (uint16_t)(len - MSG_HEADER_LEN - 2);
	memset(huge.data.data, 0x5a, huge.data.len);
	assert_int_equal(chan_send(p.side.chan, T_HUGE, 0, &huge, -1), 0);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), first);
	assert_int_equal(raw(&p, all), second);
	assert_int_equal(
	    all[(second > 0 ? second : first) - 1], 0x5a); /* whole */
	assert_int_equal(raw(&p, all), -1);
	/* What comes next is in order. */
	gather_number(&p, 2);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 + 12);
	close_pair(&p);
}

static void test_gathers_up_to_the_limit(void **state)
{
	const int alone = 2 + 2 + 12;

	(void)state;
	check_limit(MSG_MAX - alone - 2, MSG_MAX, -1);
	check_limit(MSG_MAX - alone - 1, alone, MSG_MAX - alone + 3);
	check_limit(MSG_MAX - 4, alone, MSG_MAX);
	/* Too long for any company. */
	check_limit(MSG_MAX - 3, alone, MSG_MAX - 3);
	check_limit(MSG_MAX, alone, MSG_MAX);
}

/* What does not encode leaves no trace in the datagram. */
static void test_gathers_no_nonsense(void **state)
{
	struct t_blob bad = {.data = {.len = 4001}};
	uint8_t all[MSG_MAX];
	struct pair p;

	(void)state;
	open_pair(&p);
	chan_hold(p.side.chan);
	gather_number(&p, 1);
	assert_int_equal(chan_send(p.side.chan, T_BLOB, 0, &bad, -1), -EINVAL);
	assert_int_equal(
	    chan_send(p.side.chan, T_UNKNOWN, 0, &bad, -1), -ENOENT);
	gather_number(&p, 2);
	chan_flush(p.side.chan);
	assert_int_equal(raw(&p, all), 2 + 2 * (2 + 12));
	close_pair(&p);
}

/* count messages with their lengths behind the mark. */
static size_t company(uint8_t *out, int count)
{
	size_t len = 2;

	memset(out, 0xff, 2);
	for (int i = 0; i < count; i++) {
		struct t_number n = {(uint32_t)i + 10};
		int one = msg_encode(
		    &table, T_NUMBER, 0, &n, out + len + 2, MSG_MAX - len - 2);

		out[len] = 0;
		out[len + 1] = (uint8_t)one;
		len += 2 + (size_t)one;
	}
	return len;
}

static void test_takes_company(void **state)
{
	uint8_t buf[MSG_MAX];
	size_t len = company(buf, 3);

	(void)state;
	/* Cut anywhere it ends the channel, after what was whole. */
	for (size_t cut = 2; cut <= len; cut++) {
		struct pair p;
		bool is_whole = !((cut - 2) % ((len - 2) / 3));

		open_pair(&p);
		assert_int_equal(send(p.fd, buf, cut, 0), (ssize_t)cut);
		turn(&p);
		assert_int_equal(
		    p.side.messages, (int)((cut - 2) / ((len - 2) / 3)));
		assert_int_equal(p.side.ends, is_whole ? 0 : 1);
		if (!is_whole)
			assert_int_equal(p.side.end_error, -EBADMSG);
		if (p.side.messages)
			assert_int_equal(
			    p.side.last, 9 + (uint32_t)p.side.messages);
		close_pair(&p);
	}
}

static void test_company_ends(void **state)
{
	uint8_t buf[MSG_MAX];
	size_t len = company(buf, 3);
	struct pair p;

	(void)state;
	/* The handler closes at the second: the third is not for it. */
	open_pair(&p);
	p.side.close_at = 2;
	assert_int_equal(send(p.fd, buf, len, 0), (ssize_t)len);
	turn(&p);
	assert_int_equal(p.side.messages, 2);
	close_pair(&p);
	/* One of them is no message: the end, once. */
	open_pair(&p);
	buf[2 + (len - 2) / 3 + 2]++; /* the second's version */
	assert_int_equal(send(p.fd, buf, len, 0), (ssize_t)len);
	turn(&p);
	assert_int_equal(p.side.messages, 1);
	assert_int_equal(p.side.ends, 1);
	assert_int_equal(p.side.end_error, -EPROTO);
	close_pair(&p);
	/* A mark inside is none. */
	open_pair(&p);
	len = company(buf, 1);
	memset(buf + 4, 0xff, 2);
	assert_int_equal(send(p.fd, buf, len, 0), (ssize_t)len);
	turn(&p);
	assert_int_equal(p.side.messages, 0);
	assert_int_equal(p.side.end_error, -EPROTO);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gathers),
	    cmocka_unit_test(test_held),
	    cmocka_unit_test(test_gathers_up_to_the_limit),
	    cmocka_unit_test(test_gathers_no_nonsense),
	    cmocka_unit_test(test_takes_company),
	    cmocka_unit_test(test_company_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
