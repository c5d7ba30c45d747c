/* SPDX-License-Identifier: ISC */
/* Which lines of /etc/ppp/options we cannot live with. */
#include "l2tpd/ppp_options.h"

#include "test/lib/tmptree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

/* pppd reads escapes as C does. */
static void test_escapes_hide_nothing(void **state)
{
	(void)state;
	wrong("plu\\147in x", "f:1: plugin: ");
	wrong("plu\\x67in x", "f:1: plugin: ");
	wrong("plu\\x67\\151n x", "f:1: plugin: ");
	wrong("\"\\160lugin\" x", "f:1: plugin: ");
	wrong("plug\\\nin x", "f:1: plugin: ");
	right("plu\\0147in");
	right("plu\\x067in");
	right("plu\\8in plu\\xgin");
	right("plu\\0gin plu\\xy");
	/* Its strings end at a zero. */
	wrong("plugin\\x", "f:1: plugin: ");
	wrong("plugin\\0zzz x.so", "f:1: plugin: ");
	wrong("plugin\\400zzz", "f:1: plugin: ");
	wrong("auth\nnoip\\0", "f:2: noip: ");
	/* The last byte of a file. */
	wrong("dryrun\\", "f:1: dryrun: ");
	right("dryru\\");
}

/* Without a blank before it, too. */
static void test_comments_end_words(void **state)
{
	(void)state;
	wrong("noip#for now", "f:1: noip: ");
	wrong("auth#x\nplugin#c", "f:2: plugin: ");
	right("auth#plugin x.so\nauth #dryrun\n");
	right("plugin\\#c \"plugin#c\"");
}

static void test_no_text(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		char text[] = "auth\nlo?ck\n", want[64];

		text[7] = (char)c;
		snprintf(want, sizeof(want),
		    "f:2: a control character (0x%02x)", (unsigned int)c);
		if ((c < 32 && (c < 9 || c > 13)) || c == 127)
			wrong(text, want);
		else
			right(text);
	}
	/* A comment may hold what it likes. */
	right("# \1\2\177\n");
}

/*
 * CVE-2014-3158: a long word went past pppd's buffer; today it is cut, and
 * what is left may be another option.
 */
static void cve_2014_3158_no_word_is_longer_than_pppds(void **state)
{
	static const char *const where[] = {"%s", "auth\n%s\nlock\n", "'%s'",
	    "set x=\"%s\"\n", "# a comment\n\n%s # another\n"};
	char word[2100], text[2200], reason[PPP_OPTIONS_REASON_MAX];

	(void)state;
	for (size_t len = 1; len < sizeof(word) - 1; len++) {
		memset(word, 'a', len);
		word[len] = '\0';
		for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
			/* Quotes, and "x=" before them, are of the word. */
			size_t whole =
			    len + (i == 2 ? 2 : 0) + (i == 3 ? 4 : 0);

			snprintf(text, sizeof(text), where[i], word);
			assert_int_equal(ppp_options_check("f", text, reason),
			    whole > 1023 ? -EINVAL : 0);
		}
	}
	memset(word, 'a', sizeof(word));
	word[1024] = '\0';
	wrong(word, "f:1: a word of 1024 characters: pppd cuts it after 1023");
}

static void put_bytes(const char *path, const char *data, size_t len)
{
	FILE *to = fopen(path, "w");

	assert_non_null(to);
	assert_int_equal(fwrite(data, 1, len, to), len);
	assert_int_equal(fclose(to), 0);
}

static void test_files(void **state)
{
	static char large[65537];
	char reason[PPP_OPTIONS_REASON_MAX] = "";
	struct tmptree t;
	const char *path;

	(void)state;
	memset(large, '\n', sizeof(large));
	tmptree_make(&t);
	path = tmptree_file(&t, "options");
	assert_int_equal(ppp_options_check_file(path, reason), 0);
	tmptree_put(&t, "options", "call isp\n", 0644);
	path = tmptree_file(&t, "options");
	assert_int_equal(ppp_options_check_file(path, reason), -EINVAL);
	assert_non_null(strstr(reason, "options:1: call: "));
	put_bytes(path, "auth\0plugin x\n", 14);
	assert_int_equal(ppp_options_check_file(path, reason), -EINVAL);
	assert_non_null(strstr(reason, "not a text file"));
	put_bytes(path, large, sizeof(large));
	assert_int_equal(ppp_options_check_file(path, reason), -EINVAL);
	assert_non_null(strstr(reason, "File too large"));
	tmptree_remove(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_we_undo),
	    cmocka_unit_test(test_what_we_do_not),
	    cmocka_unit_test(test_escapes_hide_nothing),
	    cmocka_unit_test(test_comments_end_words),
	    cmocka_unit_test(test_no_text),
	    cmocka_unit_test(cve_2014_3158_no_word_is_longer_than_pppds),
	    cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
