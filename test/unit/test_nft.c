/* SPDX-License-Identifier: ISC */
/* The nftables ruleset: its text, what nft(8) says to it, the watcher. */
#include "l2tpd/nft.h"

#include "l2tpd/lm_msg.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NFT_PROGRAM "/usr/sbin/nft"

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = strstr(text, what); p; p = strstr(p + 1, what))
		n++;
	return n;
}

static size_t at(const char *text, const char *what)
{
	const char *p = strstr(text, what);

	if (!p)
		fail_msg("no '%s' in the ruleset", what);
	return (size_t)(p - text);
}

static void test_render_slots(void **state)
{
	char *text = nft_render(3);

	(void)state;
	assert_int_equal(count(text, "0x53000003 : 16387"), 1);
	assert_int_equal(count(text, "0x53000003 . 0x0003"), 2);
	assert_int_equal(count(text, "0x53000003 . 0x4003"), 2);
	assert_int_equal(count(text, "0x53000003 . 0x8003"), 2);
	assert_int_equal(count(text, "0x53000004"), 0);
	assert_int_equal(count(text, "0x53000000 :"), 0);
	assert_int_equal(count(text, ". 0xc003"), 0);
	assert_int_equal(count(text, " : 1638"), 3);
	assert_int_equal(count(text, "16385-16387"), 3);
	free(text);
	text = nft_render(PEER_SLOT_MAX);
	assert_int_equal(count(text, "0x53003fff : 32767"), 1);
	assert_int_equal(count(text, "16385-32767"), 3);
	free(text);
}

/* The order is the meaning: first clear text goes, then forged ids. */
/* What is left behind drops marked packets of every slot, and no others. */
static void test_render_sealed(void **state)
{
	char *text = nft_render_sealed();

	(void)state;
	assert_non_null(strstr(text, "delete table inet sallyport\n"));
	assert_non_null(strstr(text, "meta mark and 0xff000000 == 0x53000000 "
				     "meta mark and 0x00003fff != 0 drop\n"));
	assert_null(strstr(text, "accept"));
	free(text);
}

static void test_render_order(void **state)
{
	char *text = nft_render(1);
	size_t clear = at(text, "dport 1701 meta ipsec missing counter drop");
	size_t guard = at(text, "@th,80,16 != @mt counter drop");
	size_t guard_l = at(text, "@th,96,16 != @mtl counter drop");
	size_t unsummed = at(text, "dport 1701 udp checksum 0 notrack udp "
				   "dport set meta mark & 0xff003fff map "
				   "@m2p udp checksum set 0 accept");
	size_t rewrite = at(text, "dport 1701 notrack udp dport set meta mark "
				  "& 0xff003fff map @m2p accept");
	size_t rest = at(text, "dport 1701 counter drop");
	size_t other = at(text, "meta mark & 0xff000000 == 0x53000000 "
				"meta ipsec exists counter drop");
	size_t wash = at(text, "iifname \"sp*\" meta mark & 0xff000000 == "
			       "0x53000000 meta mark set meta mark & "
			       "0x00ffc000");

	(void)state;
	assert_true(rest < other);
	assert_true(wash < clear);
	assert_true(clear < guard);
	assert_true(guard < guard_l);
	assert_true(guard_l < unsummed);
	assert_true(unsummed < rewrite);
	assert_true(rewrite < rest);
	assert_int_equal(at(text, "add table inet sallyport\n"
				  "delete table inet sallyport\n"
				  "table inet sallyport {"),
	    0);
	assert_int_equal(count(text, "ppp"), 0);
	at(text, "meta mark & 0xff000000 == 0x53000000 udp sport 1701 "
		 "rt ipsec missing counter drop");
	at(text, "icmp type destination-unreachable @th,240,16 16385-16385");
	at(text, "icmpv6 type destination-unreachable @th,400,16 16385-16385");
	free(text);
}

/* --- nft(8), in a network namespace of a child ------------------------ */

/* Runs fn there; its exit code, or 77 where that is not possible. */
static int in_namespace(int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (access(NFT_PROGRAM, X_OK) || unshare(CLONE_NEWNET))
			_exit(77);
		if (nft_table_exists() < 0)
			_exit(77);
		_exit(fn());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void expect(int code)
{
	if (code == 77)
		skip();
	assert_int_equal(code, 0);
}

static int load_and_remove(void)
{
	struct log log;
	char *text = nft_render(100);

	log_init(&log, "test", LOG_SEV_ERROR);
	if (nft_table_exists() != 0)
		return 1;
	if (nft_run(&log, NFT_PROGRAM, text))
		return 2;
	if (nft_table_exists() != 1)
		return 3;
	if (nft_run(&log, NFT_PROGRAM, text))
		return 4;
	if (nft_run(&log, NFT_PROGRAM, "delete table inet sallyport\n"))
		return 5;
	free(text);
	return nft_table_exists() ? 6 : 0;
}

static void test_nft_takes_it(void **state)
{
	(void)state;
	expect(in_namespace(load_and_remove));
}

static int refusal(void)
{
	struct log log;

	log_init(&log, "test", LOG_SEV_ERROR);
	if (nft_run(&log, NFT_PROGRAM, "table inet sallyport {") != -EIO)
		return 1;
	if (nft_run(&log, "/nonexistent/nft", "") != -EIO)
		return 2;
	return nft_table_exists() ? 3 : 0;
}

/* The sealed table takes the place of the full one. */
static int seal(void)
{
	struct log log;
	char *text = nft_render(100), *sealed = nft_render_sealed();

	log_init(&log, "test", LOG_SEV_ERROR);
	if (nft_run(&log, NFT_PROGRAM, text) ||
	    nft_run(&log, NFT_PROGRAM, sealed))
		return 1;
	if (system(NFT_PROGRAM " list chain inet sallyport sealed 2>/dev/null "
			       "| grep -q drop"))
		return 2;
	if (!system(NFT_PROGRAM " list chain inet sallyport prerouting "
				">/dev/null 2>&1"))
		return 3;
	free(text);
	free(sealed);
	return 0;
}

static void test_nft_takes_the_seal(void **state)
{
	(void)state;
	expect(in_namespace(seal));
}

static void test_nft_refuses(void **state)
{
	(void)state;
	expect(in_namespace(refusal));
}

struct flush {
	uv_loop_t loop;
	uv_timer_t timer;
	struct log log;
	int steps;
	int result;
};

/* Every 20 ms: damage it in another way, and wait until it is whole. */
static const char *const damages[] = {
    "flush ruleset\n",
    "delete table inet sallyport\n",
    "flush chain inet sallyport prerouting\n",
    "flush map inet sallyport m2p\n",
    "flush ruleset\nadd table ip other\n",
};

static int rules_present(void)
{
	return system(NFT_PROGRAM " list table inet sallyport 2>/dev/null | "
				  "grep -q 'udp dport set' && " NFT_PROGRAM
				  " get element inet sallyport m2p "
				  "'{ 0x53000005 }' >/dev/null 2>&1") == 0;
}

static void on_step(uv_timer_t *timer)
{
	struct flush *f = timer->data;
	int count_damages = (int)(sizeof(damages) / sizeof(damages[0]));

	if (!rules_present() && ++f->steps < 100000)
		return;
	if (f->result == count_damages) {
		uv_stop(&f->loop);
		return;
	}
	if (nft_run(&f->log, NFT_PROGRAM, damages[f->result]))
		uv_stop(&f->loop);
	if (rules_present())
		uv_stop(&f->loop); /* it did not do any damage */
	f->result++;
}

static int watch_and_reload(void)
{
	static struct flush f;
	struct nft *nft;

	log_init(&f.log, "test", LOG_SEV_ERROR);
	uv_loop_init(&f.loop);
	if (nft_start(&nft, &f.loop, &f.log, NFT_PROGRAM, 10))
		return 1;
	uv_timer_init(&f.loop, &f.timer);
	f.timer.data = &f;
	uv_timer_start(&f.timer, on_step, 20, 20);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	if (f.result != (int)(sizeof(damages) / sizeof(damages[0])))
		return 10 + f.result;
	if (!rules_present())
		return 2;
	nft_stop(nft);
	uv_close((uv_handle_t *)&f.timer, NULL);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&f.loop))
		return 3;
	return nft_table_exists() ? 4 : 0;
}

static void test_watch(void **state)
{
	(void)state;
	expect(in_namespace(watch_and_reload));
}

/* --- notifications ---------------------------------------------------- */

static enum nft_change classify(uint8_t type, uint8_t family, const char *table)
{
	struct nfgenmsg nfg = {.nfgen_family = family};
	struct nl_msg *msg =
	    nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | type, 0);
	enum nft_change change;

	assert_int_equal(
	    nlmsg_append(msg, &nfg, sizeof(nfg), NLMSG_ALIGNTO), 0);
	if (table)
		assert_int_equal(
		    nla_put_string(msg, NFTA_TABLE_NAME, table), 0);
	change = nft_classify(nlmsg_hdr(msg));
	nlmsg_free(msg);
	return change;
}

static void test_classify_notes(void **state)
{
	(void)state;
	assert_int_equal(classify(NFT_MSG_NEWTABLE, NFPROTO_INET, "sallyport"),
	    NFT_CHANGE_MADE);
	assert_int_equal(classify(NFT_MSG_DELTABLE, NFPROTO_INET, "sallyport"),
	    NFT_CHANGE_REMOVED);
	assert_int_equal(classify(NFT_MSG_DELRULE, NFPROTO_INET, "sallyport"),
	    NFT_CHANGE_REMOVED);
	assert_int_equal(
	    classify(NFT_MSG_DELSETELEM, NFPROTO_INET, "sallyport"),
	    NFT_CHANGE_REMOVED);
	assert_int_equal(classify(NFT_MSG_NEWRULE, NFPROTO_INET, "sallyport"),
	    NFT_CHANGE_NONE);
	assert_int_equal(classify(NFT_MSG_DELTABLE, NFPROTO_INET, "sallyports"),
	    NFT_CHANGE_NONE);
	assert_int_equal(classify(NFT_MSG_DELTABLE, NFPROTO_IPV4, "sallyport"),
	    NFT_CHANGE_NONE);
	assert_int_equal(
	    classify(NFT_MSG_NEWGEN, NFPROTO_INET, NULL), NFT_CHANGE_NONE);
}

static void test_classify_short(void **state)
{
	struct nlmsghdr h = {
	    .nlmsg_len = sizeof(h),
	    .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE,
	};

	(void)state;
	assert_int_equal(nft_classify(&h), NFT_CHANGE_NONE);
	h.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | NFT_MSG_DELTABLE;
	assert_int_equal(nft_classify(&h), NFT_CHANGE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_render_slots),
	    cmocka_unit_test(test_render_sealed),
	    cmocka_unit_test(test_render_order),
	    cmocka_unit_test(test_nft_takes_it),
	    cmocka_unit_test(test_nft_takes_the_seal),
	    cmocka_unit_test(test_nft_refuses),
	    cmocka_unit_test(test_watch),
	    cmocka_unit_test(test_classify_notes),
	    cmocka_unit_test(test_classify_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
