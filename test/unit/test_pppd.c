/* SPDX-License-Identifier: ISC */
/* pppd's command line and exit codes. */
#include "l2tpd/pppd.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct pppd_spec good = {
    .program = PPPD_PROGRAM,
    .plugin = "/usr/local/lib/sallyport/sallyport.so",
    .r = UINT64_MAX,
    .slot = 12,
    .methods = AAA_METHOD_BIT(AAA_MSCHAPV2),
    .mtu = 1400,
};

/* Where the word is, from 0; -1 if it is not or not exactly once. */
static int find(const struct pppd_args *a, const char *word)
{
	int at = -1;

	for (size_t i = 0; i < a->count; i++)
		if (!strcmp(a->argv[i], word))
			at = at < 0 ? (int)i : -2;
	return at;
}

static const char *value(const struct pppd_args *a, const char *option)
{
	int at = find(a, option);

	assert_true(at > 0);
	return a->argv[at + 1];
}

static void test_good(void **state)
{
	struct pppd_args a;

	(void)state;
	assert_int_equal(pppd_args(&good, &a), 0);
	assert_null(a.argv[a.count]);
	assert_true(a.count + 10 < PPPD_ARGS_MAX);
	assert_string_equal(a.argv[0], PPPD_PROGRAM);
	assert_string_equal(a.argv[1], "plugin");
	assert_string_equal(value(&a, "plugin"), good.plugin);
	assert_true(find(&a, "sallyport-fd") > find(&a, "plugin"));
	assert_string_equal(value(&a, "sallyport-fd"), "3");
	assert_string_equal(value(&a, "sallyport-pppox"), "4");
	assert_string_equal(value(&a, "ifname"), "sp12");
	assert_string_equal(value(&a, "ipparam"), "18446744073709551615");
	assert_string_equal(value(&a, "mtu"), "1400");
	assert_string_equal(value(&a, "mru"), "1400");
	assert_string_equal(value(&a, "logfd"), "2");
	assert_string_equal(value(&a, "name"), "sallyport");
}

/* Whatever /etc/ppp/options says about these, the command line says no. */
static void test_explicit(void **state)
{
	static const char *const must[] = {"nodetach", "auth", "noccp", "novj",
	    "novjccomp", "noipv6", "noproxyarp", "nodefaultroute",
	    "noreplacedefaultroute", "nobsdcomp", "nodeflate", "nopersist",
	    "refuse-pap", "refuse-eap", "refuse-chap", "refuse-mschap",
	    "refuse-mschap-v2", "noipdefault", "hide-password", "nomultilink",
	    "maxfail", "holdoff", "idle", "maxconnect", "connect-delay",
	    "lcp-echo-interval", "lcp-echo-failure", "lcp-max-configure"};
	static const char *const never[] = {"noauth", "debug", "demand", "call",
	    "file", "user", "password", "remotename", "login", "usepeerdns",
	    "ipcp-accept-remote", "ipcp-accept-local", "ms-dns", "unit",
	    "record", "updetach", "nolog", "nologfd", "proxyarp"};
	struct pppd_args a;

	(void)state;
	assert_int_equal(pppd_args(&good, &a), 0);
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		if (find(&a, must[i]) < 0)
			fail_msg("%s is not there exactly once", must[i]);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (find(&a, never[i]) != -1)
			fail_msg("%s is there", never[i]);
}

static void test_methods(void **state)
{
	struct pppd_spec s = good;
	struct pppd_args a;

	(void)state;
	assert_int_equal(pppd_args(&s, &a), 0);
	assert_true(find(&a, "require-mschap-v2") > 0);
	assert_int_equal(find(&a, "require-chap"), -1);
	assert_int_equal(find(&a, "require-pap"), -1);
	assert_string_equal(value(&a, "sallyport-auth"), "mschap-v2");
	assert_true(find(&a, "sallyport-auth") > find(&a, "plugin"));
	s.methods = AAA_METHOD_BIT(AAA_CHAP_MD5) | AAA_METHOD_BIT(AAA_PAP);
	assert_int_equal(pppd_args(&s, &a), 0);
	assert_int_equal(find(&a, "require-mschap-v2"), -1);
	assert_true(find(&a, "require-chap") > 0);
	assert_true(find(&a, "require-pap") > 0);
	assert_string_equal(value(&a, "sallyport-auth"), "chap-md5,pap");
	assert_int_equal(find(&a, "require-mschap"), -1);
	assert_int_equal(find(&a, "require-eap"), -1);
}

static void expect_refused(const struct pppd_spec *s)
{
	struct pppd_args a;

	assert_int_equal(pppd_args(s, &a), -EINVAL);
}

static void test_refused(void **state)
{
	struct pppd_spec s = good;

	(void)state;
	s.methods = 0; /* would mean: nobody proves anything */
	expect_refused(&s);
	s.methods = 1;
	expect_refused(&s);
	s = good;
	s.plugin = "sallyport.so"; /* pppd would search for it */
	expect_refused(&s);
	s = good;
	s.program = "pppd";
	expect_refused(&s);
	s = good;
	s.slot = 0;
	expect_refused(&s);
	s.slot = PEER_SLOT_MAX + 1;
	expect_refused(&s);
	s = good;
	s.mtu = 575;
	expect_refused(&s);
	s.mtu = 1501;
	expect_refused(&s);
}

/*
 * CVE-2020-8597: a peer's EAP, even where nobody asked for it, went past a
 * buffer.  We can neither mend pppd nor stop the packets; but EAP is never
 * what the client is asked for, nor what we would prove ourselves by.
 */
static void cve_2020_8597_eap_is_switched_off(void **state)
{
	struct pppd_spec s = good;
	struct pppd_args a;

	(void)state;
	for (s.methods = 0; s.methods < 256; s.methods++) {
		if (pppd_args(&s, &a))
			continue;
		assert_true(find(&a, "refuse-eap") > 0);
		assert_true(find(&a, "auth") > 0);
		for (size_t i = 0; i < a.count; i++)
			if (strcmp(a.argv[i], "refuse-eap"))
				assert_null(strstr(a.argv[i], "eap"));
	}
}

/*
 * pppd c82ddc5: with an MRU above 1500 what pppd sends went past its
 * buffer.  Both are always named, so that /etc/ppp/options names none.
 */
static void pppd_c82ddc5_mtu_and_mru_of_1500_at_most(void **state)
{
	struct pppd_spec s = good;
	struct pppd_args a;

	(void)state;
	for (uint32_t mtu = 0; mtu <= UINT16_MAX; mtu++) {
		s.mtu = (uint16_t)mtu;
		if (mtu < 576 || mtu > 1500) {
			expect_refused(&s);
			continue;
		}
		assert_int_equal(pppd_args(&s, &a), 0);
		assert_int_equal(atoi(value(&a, "mtu")), mtu);
		assert_int_equal(atoi(value(&a, "mru")), mtu);
	}
}

static void test_ifname(void **state)
{
	char name[IFNAMSIZ];

	(void)state;
	assert_int_equal(pppd_ifname(1, 0, name), 0);
	assert_string_equal(name, "sp1");
	assert_int_equal(pppd_ifname(PEER_SLOT_MAX, 99, name), 0);
	assert_string_equal(name, "sp16383.99");
	assert_int_equal(pppd_ifname(1, 100, name), -EINVAL);
	assert_int_equal(pppd_ifname(0, 0, name), -EINVAL);
}

static void test_exit(void **state)
{
	(void)state;
	for (int code = 0; code <= 21; code++) {
		const char *text = pppd_exit_text(code << 8);

		assert_non_null(text);
		assert_null(strstr(text, "unknown"));
	}
	assert_string_equal(pppd_exit_text(11 << 8),
	    "the client failed to authenticate itself");
	assert_string_equal(pppd_exit_text(15 << 8),
	    "the client no longer answers echo requests");
	assert_non_null(strstr(pppd_exit_text(22 << 8), "unknown"));
	assert_non_null(strstr(pppd_exit_text(255 << 8), "unknown"));
	assert_string_equal(pppd_exit_text(SIGKILL), "pppd was killed");
	assert_string_equal(pppd_exit_text(SIGSEGV), "pppd crashed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_explicit),
	    cmocka_unit_test(test_methods),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(cve_2020_8597_eap_is_switched_off),
	    cmocka_unit_test(pppd_c82ddc5_mtu_and_mru_of_1500_at_most),
	    cmocka_unit_test(test_ifname),
	    cmocka_unit_test(test_exit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
