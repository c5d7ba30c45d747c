/* SPDX-License-Identifier: ISC */
/* What `sallyport check` finds below a made-up root. */
#include "ctl/check.h"

#include "common/alloc.h"
#include "test/lib/tmptree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct tmptree tree;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	tmptree_make(&f->tree);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tmptree_remove(&f->tree);
	free(f);
	return 0;
}

static void says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

struct checked {
	struct cmd_env env;
	struct check c;
	char *text;
};

static void one_check(
    struct fixture *f, struct checked *k, void (*check)(struct check *))
{
	size_t len;

	free(k->text);
	k->text = NULL;
	k->env = (struct cmd_env){.dir = f->tree.dir, .root = f->tree.dir};
	k->env.out = open_memstream(&k->text, &len);
	k->c.env = &k->env;
	k->c.problems = 0;
	check(&k->c);
	fclose(k->env.out);
}

static void check_reads_the_configuration(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 1);
	assert_false(k.c.has_conf);
	tmptree_put(&f->tree, "sallyport.conf", "l2tp {\n\tmtu = 1\n}\n", 0644);
	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "sallyport.conf:2:");
	tmptree_put(&f->tree, "sallyport.conf",
	    "ike {\n esp = {\"rot13-sha1\"}\n}\n", 0644);
	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "rot13");
	tmptree_put(
	    &f->tree, "sallyport.conf", "l2tp {\n\tmtu = 1300\n}\n", 0644);
	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 0);
	assert_true(k.c.has_conf);
	free(k.text);
}

static void check_looks_at_users(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "sallyport user add");
	tmptree_put(&f->tree, "users", "# nobody\n", 0600);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	tmptree_put(&f->tree, "users", "anna:$plain$a\n", 0644);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "0644");
	says(k.text, "chmod 600");
	tmptree_put(&f->tree, "users", "anna:$plain$a\nbob\n", 0600);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "users:2:");
	tmptree_put(&f->tree, "users", "anna:$plain$a\n", 0600);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 0);
	says(k.text, "1 in ");
	free(k.text);
}

static void check_judges_keys(void **state)
{
	static const struct {
		const char *text;
		unsigned int problems;
		const char *part;
	} rows[] = {
	    {"any 3jcWkq0tYpq7HX2Jd0Pa\n", 0, "1 in "},
	    {"# x\nany short\n", 1,
		"psk:2: the key is shorter than 20 characters"},
	    {"any 1212121912121212591212\n", 1, "repeats few characters"},
	    {"any vpn\n", 1, "ikev1d does not start"},
	    {"any \"\"\n", 1, "psk:1:"},
	    {"# one\nany\n", 1, "psk:2:"},
	    {"# none\n", 1, "holds no key"},
	    {"198.51.100.7 short\n", 1, "psk:1:"},
	    {"any 3jcWkq0tYpq7HX2Jd0Pa\nany password\n", 1, "openssl rand"},
	};
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_psk);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "openssl rand");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tmptree_put(&f->tree, "psk", rows[i].text, 0600);
		one_check(f, &k, check_psk);
		if (k.c.problems != rows[i].problems)
			fail_msg("row %zu: %s", i, k.text);
		says(k.text, rows[i].part);
		assert_null(strstr(k.text, "3jcW")); /* never shown */
	}
	/* Allowed, it is no problem, but still said. */
	k.c.has_conf = k.c.conf.ike.allow_weak_psk = true;
	tmptree_put(&f->tree, "psk", "any password\n", 0600);
	one_check(f, &k, check_psk);
	assert_int_equal(k.c.problems, 0);
	says(k.text, "psk:1: the key is one of those that are tried first: "
		     "allow-weak-psk accepts it");
	tmptree_put(&f->tree, "psk", rows[0].text, 0640);
	one_check(f, &k, check_psk);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "0640");
	free(k.text);
}

static void check_reads_sysctls(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_forwarding);
	assert_int_equal(k.c.problems, 1);
	tmptree_mkdir(&f->tree, "proc/sys/net/ipv4");
	tmptree_put(&f->tree, "proc/sys/net/ipv4/ip_forward", "0\n", 0644);
	one_check(f, &k, check_forwarding);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "sysctl -w net.ipv4.ip_forward=1");
	tmptree_put(&f->tree, "proc/sys/net/ipv4/ip_forward", "1\n", 0644);
	one_check(f, &k, check_forwarding);
	assert_int_equal(k.c.problems, 0);
	free(k.text);
}

static void check_knows_private_ports(void **state)
{
	static const struct {
		const char *range, *reserved;
		unsigned int max_clients, problems;
	} rows[] = {
	    {"32768\t60999\n", "\n", 16383, 0},
	    {"32767\t60999\n", "\n", 16383, 1},
	    {"32767\t60999\n", "\n", 1000, 0},
	    {"1024\t65535\n", "\n", 1000, 1},
	    {"1024\t65535\n", "16385-17384\n", 1000, 0},
	    {"1024\t65535\n", "80,5000-5010,16000-40000,50000\n", 1000, 0},
	    {"1024\t65535\n", "16385-17383\n", 1000, 1},
	    {"1024\t65535\n", "16386-17384,20000\n", 1000, 1},
	    {"1024\t65535\n", "16385\n", 1, 0},
	    {"1024\t16384\n", "\n", 1000, 0},
	    {"nonsense", "", 1000, 1},
	};
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_port_range);
	assert_int_equal(k.c.problems, 1);
	tmptree_mkdir(&f->tree, "proc/sys/net/ipv4");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tmptree_put(&f->tree, "proc/sys/net/ipv4/ip_local_port_range",
		    rows[i].range, 0644);
		tmptree_put(&f->tree,
		    "proc/sys/net/ipv4/ip_local_reserved_ports",
		    rows[i].reserved, 0644);
		k.c.has_conf = true;
		k.c.conf.l2tp.max_clients = rows[i].max_clients;
		one_check(f, &k, check_port_range);
		if (k.c.problems != rows[i].problems)
			fail_msg("row %zu: %s", i, k.text);
	}
	free(k.text);
}

#define UDP_TITLE                                                              \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "  \
	"retrnsmt   uid  timeout inode ref pointer drops\n"

static void check_names_who_has_a_port(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};
	char *fd, *exe;

	tmptree_mkdir(&f->tree, "proc/net");
	tmptree_mkdir(&f->tree, "proc/812/fd");
	tmptree_mkdir(&f->tree, "proc/813/fd");
	tmptree_put(&f->tree, "proc/net/udp",
	    UDP_TITLE
	    "  120: 00000000:01F4 00000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4711 2 0000000000000000 0\n"
	    "  121: 0100007F:1194 00000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4712 2 0000000000000000 0\n"
	    "  122: 0100007F:0035 00000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4713 2 0000000000000000 0\n",
	    0644);
	tmptree_put(&f->tree, "proc/812/comm", "charon\n", 0644);
	tmptree_put(&f->tree, "proc/813/comm", "exe\n", 0644);
	fd = xasprintf("%s/proc/812/fd/7", f->tree.dir);
	assert_return_code(symlink("socket:[4711]", fd), errno);
	free(fd);
	fd = xasprintf("%s/proc/813/fd/9", f->tree.dir);
	assert_return_code(symlink("socket:[4712]", fd), errno);
	exe = xasprintf("%s/proc/813/exe", f->tree.dir);
	assert_return_code(symlink("/sbin/ikev1d (deleted)", exe), errno);
	free(exe);
	one_check(f, &k, check_ports);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "UDP 500 (IKE) is in use by charon (pid 812)");
	says(k.text, "UDP 4500 (IKE behind NAT) belongs to ikev1d");
	says(k.text, "UDP 1701 (L2TP) is free");
	unlink(fd);
	free(fd);
	one_check(f, &k, check_ports);
	assert_int_equal(k.c.problems, 2);
	says(k.text, "by a program that can't be seen");
	/* IPv6 sockets count too. */
	tmptree_put(&f->tree, "proc/net/udp", UDP_TITLE, 0644);
	tmptree_put(&f->tree, "proc/net/udp6",
	    UDP_TITLE
	    "  9: 00000000000000000000000000000000:06A5 "
	    "00000000000000000000000000000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4711 2 0000000000000000 0\n",
	    0644);
	one_check(f, &k, check_ports);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "UDP 1701 (L2TP) is in use by charon");
	says(k.text, "xl2tpd");
	/* l2tpd itself holds it. */
	tmptree_put(&f->tree, "proc/812/comm", "l2tpd\n", 0644);
	one_check(f, &k, check_ports);
	assert_int_equal(k.c.problems, 0);
	says(k.text, "UDP 1701 (L2TP) belongs to l2tpd");
	free(k.text);
}

static void check_asks_pppd(void **state)
{
	static const struct {
		const char *script;
		unsigned int problems;
		const char *text;
	} rows[] = {
	    {"#!/bin/sh\necho pppd version 2.4.9 >&2\n", 0, "2.4.9"},
	    {"#!/bin/sh\necho pppd version 2.5.2\n", 1, "2.5.2"},
	    {"#!/bin/sh\necho pppd version 2.4.7\n", 1, "2.4.7"},
	    {"#!/bin/sh\necho hello\n", 1, "does not say"},
	    {"#!/bin/sh\nexit 1\n", 1, "does not say"},
	};
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_pppd);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "apt install ppp");
	tmptree_mkdir(&f->tree, "usr/sbin");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tmptree_put(&f->tree, "usr/sbin/pppd", rows[i].script, 0755);
		one_check(f, &k, check_pppd);
		assert_int_equal(k.c.problems, rows[i].problems);
		says(k.text, rows[i].text);
	}
	free(k.text);
}

static void check_finds_masquerade(void **state)
{
	static const struct {
		const char *expr;
		bool is_there;
	} rows[] = {
	    {"[{\"masquerade\":null}]", true},
	    {"[{\"match\":{}},{\"snat\":{\"addr\":\"192.0.2.1\"}}]", true},
	    {"[{\"xt\":{\"type\":\"target\",\"name\":\"MASQUERADE\"}}]", true},
	    {"[{\"vmap\":{\"data\":[[1,{\"masquerade\":null}]]}}]", true},
	    {"[{\"xt\":{\"type\":\"match\",\"name\":\"conntrack\"}}]", false},
	    {"[{\"dnat\":{\"addr\":\"192.0.2.1\"}}]", false},
	    {"[]", false},
	    {"{}", false},
	    {"null", false},
	};
	struct fixture *f = *state;
	struct checked k = {0};
	json_t *none = json_object();

	assert_false(check_has_masquerade(none));
	json_decref(none);
	tmptree_mkdir(&f->tree, "usr/sbin");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *script = xasprintf(
		    "#!/bin/sh\necho noise >&2\n"
		    "echo '{\"nftables\":[{\"metainfo\":{}},{\"table\":{}},"
		    "{\"rule\":{\"family\":\"ip\",\"expr\":%s}}]}'\n",
		    rows[i].expr);

		tmptree_put(&f->tree, "usr/sbin/nft", script, 0755);
		free(script);
		one_check(f, &k, check_firewall);
		assert_int_equal(k.c.problems, 0);
		says(k.text, rows[i].is_there ? "ok       masquerade"
					      : "hint     masquerade");
	}
	tmptree_put(
	    &f->tree, "usr/sbin/nft", "#!/bin/sh\necho no; exit 1\n", 0755);
	one_check(f, &k, check_firewall);
	assert_int_equal(k.c.problems, 1);
	unlink(tmptree_file(&f->tree, "usr/sbin/nft"));
	one_check(f, &k, check_firewall);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "apt install nftables");
	free(k.text);
}

static void check_reads_pppds_options(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_ppp_options);
	assert_int_equal(k.c.problems, 0);
	tmptree_mkdir(&f->tree, "etc/ppp");
	tmptree_put(&f->tree, "etc/ppp/options", "auth\nplugin x.so\n", 0644);
	one_check(f, &k, check_ppp_options);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "etc/ppp/options:2: plugin: ");
	free(k.text);
}

#define CHECK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CHECK_TEST(check_reads_pppds_options),
	    CHECK_TEST(check_reads_the_configuration),
	    CHECK_TEST(check_looks_at_users),
	    CHECK_TEST(check_judges_keys),
	    CHECK_TEST(check_reads_sysctls),
	    CHECK_TEST(check_knows_private_ports),
	    CHECK_TEST(check_names_who_has_a_port),
	    CHECK_TEST(check_asks_pppd),
	    CHECK_TEST(check_finds_masquerade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
