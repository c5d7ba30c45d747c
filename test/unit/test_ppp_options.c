/* SPDX-License-Identifier: ISC */
/* Which lines of /etc/ppp/options we cannot live with. */
#include "l2tpd/ppp_options.h"

#include "test/lib/tmptree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void right(const char *text)
{
	char reason[PPP_OPTIONS_REASON_MAX] = "";

	if (ppp_options_check("f", text, reason))
		fail_msg("%s", reason);
}

static void wrong(const char *text, const char *want)
{
	char reason[PPP_OPTIONS_REASON_MAX] = "";

	assert_int_equal(ppp_options_check("f", text, reason), -EINVAL);
	if (strncmp(reason, want, strlen(want)))
		fail_msg("%s, not %s", reason, want);
}

static void test_what_we_undo(void **state)
{
	(void)state;
	right("");
	right("\n\n");
	/* What Debian's package installs. */
	right("asyncmap 0\nauth\ncrtscts\nlock\nhide-password\nmodem\n"
	      "proxyarp\nlcp-echo-interval 30\nlcp-echo-failure 4\nnoipx\n");
	right("noauth\ndebug\nproxyarp\nms-dns 6.6.6.6\nmru 100\n"
	      "logfile /tmp/x\nrequire-pap\n");
	right("# plugin /tmp/x.so\n  #plugin x\nauth # dryrun\n");
	right("set x=\"a plugin b\"\nplugins\nmyplugin\n");
}

static void test_what_we_do_not(void **state)
{
	(void)state;
	wrong("plugin /tmp/x.so", "f:1: plugin: ");
	wrong("auth\n\n\tdryrun\n", "f:3: dryrun: ");
	wrong("# x\nauth noip", "f:2: noip: ");
	wrong("'plu'gin /tmp/x.so", "f:1: plugin: ");
	wrong("plu\\gin /tmp/x.so", "f:1: plugin: ");
	wrong("\"plugin\" x", "f:1: plugin: ");
	wrong("set \"a\nb\" unit 3\n", "f:2: unit: ");
	/* What never ends is one word. */
	right("\"plugin /tmp/x.so");
	right("\\");
}

static void test_files(void **state)
{
	char reason[PPP_OPTIONS_REASON_MAX] = "";
	struct tmptree t;
	const char *path;

	(void)state;
	tmptree_make(&t);
	path = tmptree_file(&t, "options");
	assert_int_equal(ppp_options_check_file(path, reason), 0);
	tmptree_put(&t, "options", "call isp\n", 0644);
	path = tmptree_file(&t, "options");
	assert_int_equal(ppp_options_check_file(path, reason), -EINVAL);
	assert_non_null(strstr(reason, "options:1: call: "));
	tmptree_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_we_undo),
	    cmocka_unit_test(test_what_we_do_not),
	    cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
