/* SPDX-License-Identifier: ISC */
/* The users file: what is taken, what is refused and how it is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "l2tpd/core/users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX "44ebba8d5312b8d611474411f56989ae"
static const uint8_t hash[USERS_NT_LEN] = {0x44, 0xeb, 0xba, 0x8d, 0x53, 0x12,
    0xb8, 0xd6, 0x11, 0x47, 0x44, 0x11, 0xf5, 0x69, 0x89, 0xae};

static struct users *parse(const char *text)
{
	char error[USERS_ERROR_MAX] = "";
	struct users *users = NULL;

	if (users_parse("users", text, strlen(text), &users, error))
		fail_msg("%s", error);
	return users;
}

static void takes_both_kinds_and_comments(void **state)
{
	struct users *u = parse("# people\n"
				"\n"
				"  # more\n"
				"alice:$nt$" HEX "\n"
				"bob:$plain$s3cret  ip=10.20.0.9\t\n"
				" \t\n"
				"carol:$nt$" HEX " ip=10.1.2.3");
	const struct user *a;

	(void)state;
	assert_int_equal(users_count(u), 3);
	a = users_find(u, "alice");
	assert_non_null(a);
	assert_int_equal(a->kind, USER_NT);
	assert_int_equal(a->secret_len, USERS_NT_LEN);
	assert_memory_equal(a->secret, hash, USERS_NT_LEN);
	assert_int_equal(a->ip.family, ADDR_NONE);
	assert_int_equal(a->attr_count, 0);
	assert_null(user_attr(a, "ip"));
	a = users_find(u, "bob");
	assert_non_null(a);
	assert_int_equal(a->kind, USER_PLAIN);
	assert_int_equal(a->secret_len, 6);
	assert_memory_equal(a->secret, "s3cret", 7);
	assert_string_equal(user_attr(a, "ip"), "10.20.0.9");
	assert_int_equal(a->ip.family, ADDR_IPV4);
	assert_memory_equal(a->ip.ip, "\x0a\x14\x00\x09", 4);
	assert_non_null(users_find(u, "carol"));
	assert_null(users_find(u, "Alice"));
	assert_null(users_find(u, ""));
	users_free(u);
}

static void an_empty_file_has_nobody(void **state)
{
	struct users *u = parse("");

	(void)state;
	assert_int_equal(users_count(u), 0);
	assert_null(users_find(u, "alice"));
	users_free(u);
	users_free(NULL);
}

static void escapes_are_decoded(void **state)
{
	struct users *u = parse("Ann%20Lee:$plain$a%20b%25%23:c\n"
				"x%3ay:$plain$#1\n"
				"%23z:$plain$\xc3\xbc\n");
	const struct user *a = users_find(u, "Ann Lee");

	(void)state;
	assert_non_null(a);
	assert_string_equal((const char *)a->secret, "a b%#:c");
	assert_non_null(users_find(u, "x:y"));
	assert_non_null(users_find(u, "#z"));
	assert_int_equal(users_find(u, "#z")->secret_len, 2);
	users_free(u);
}

static void a_domain_is_left_out_second(void **state)
{
	struct users *u = parse("bob:$plain$1\nCORP\\bob:$plain$2\n");

	(void)state;
	assert_memory_equal(users_find(u, "CORP\\bob")->secret, "2", 1);
	assert_memory_equal(users_find(u, "HOME\\bob")->secret, "1", 1);
	assert_memory_equal(users_find(u, "bob")->secret, "1", 1);
	assert_null(users_find(u, "CORP\\"));
	assert_null(users_find(u, "CORP\\eve"));
	assert_string_equal(users_bare_name("A\\B\\c"), "c");
	assert_string_equal(users_bare_name("c"), "c");
	users_free(u);
}

static void wrong_lines_are_named(void **state)
{
	static const struct {
		const char *line, *why;
	} bad[] = {
	    {"alice", "there is no ':' behind the name"},
	    {"alice $nt$" HEX, "there is no ':' behind the name"},
	    {"al ice:$nt$" HEX, "there is no ':' behind the name"},
	    {":$nt$" HEX, "the name is empty"},
	    {"alice:", "after the name comes $nt$ or $plain$"},
	    {"alice:$md5$x", "after the name comes $nt$ or $plain$"},
	    {"alice:$NT$" HEX, "after the name comes $nt$ or $plain$"},
	    {"alice:$nt$", "$nt$ needs 32 hexadecimal digits"},
	    {"alice:$nt$" HEX "0", "$nt$ needs 32 hexadecimal digits"},
	    {"alice:$nt$4ebba8d5312b8d611474411f56989ae",
		"$nt$ needs 32 hexadecimal digits"},
	    {"alice:$nt$g4ebba8d5312b8d611474411f56989ae",
		"$nt$ needs 32 hexadecimal digits"},
	    {"alice:$plain$", "the secret is empty"},
	    {"alice:$plain$100%", "bad %XX in the secret (a % is %25)"},
	    {"alice:$plain$%0", "bad %XX in the secret (a % is %25)"},
	    {"alice:$plain$%zz", "bad %XX in the secret (a % is %25)"},
	    {"alice:$plain$a%00b", "bad %XX in the secret (a % is %25)"},
	    {"alice:$plain$a%0ab", "control character 0x0a in the secret"},
	    {"alice:$plain$a%7f", "control character 0x7f in the secret"},
	    {"alice:$plain$\xff", "the secret is not UTF-8"},
	    {"al%:$plain$x", "bad %XX in the name (a blank is %20)"},
	    {"al%01:$plain$x", "control character 0x01 in the name"},
	    {"al\xe9:$plain$x", "the name is not UTF-8"},
	    {"alice:$plain$x\r", "control character 0x0d (DOS line ending)"},
	    {"al\x01ice:$plain$x", "control character 0x01"},
	    {"alice:$plain$x ip", "'ip' is not KEY=VALUE"},
	    {"alice:$plain$x ip=", "ip= is not an IPv4 address"},
	    {"alice:$plain$x ip=10.20.0", "ip=10.20.0 is not an IPv4 address"},
	    {"alice:$plain$x ip=fe80::1", "ip=fe80::1 is not an IPv4 address"},
	    {"alice:$plain$x ip=0.1.2.3",
		"ip=0.1.2.3 can't be a client's address"},
	    {"alice:$plain$x ip=127.0.0.1",
		"ip=127.0.0.1 can't be a client's address"},
	    {"alice:$plain$x ip=224.0.0.1",
		"ip=224.0.0.1 can't be a client's address"},
	    {"alice:$plain$x ip=10.0.0.1 ip=10.0.0.2", "ip= is there twice"},
	    {"alice:$plain$x mtu=1400", "unknown key 'mtu' (known: ip)"},
	    {"alice:$plain$x =1", "unknown key '' (known: ip)"},
	    {"bob:$plain$x", "user 'bob' is there twice"},
	    {"b%6fb:$plain$x", "user 'bob' is there twice"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[300], want[USERS_ERROR_MAX];
		char error[USERS_ERROR_MAX] = "";
		struct users *u = NULL;

		snprintf(text, sizeof(text),
		    "# first\nbob:$plain$b\n%s\neve:$plain$e\n", bad[i].line);
		snprintf(want, sizeof(want), "/etc/x:3: %s", bad[i].why);
		assert_int_equal(
		    users_parse("/etc/x", text, strlen(text), &u, error),
		    -EINVAL);
		assert_string_equal(error, want);
		assert_null(u);
	}
}

static void a_nul_byte_is_a_control_character(void **state)
{
	static const char text[] = "al\0ice:$plain$x\n";
	char error[USERS_ERROR_MAX];
	struct users *u = NULL;

	(void)state;
	assert_int_equal(
	    users_parse("f", text, sizeof(text) - 1, &u, error), -EINVAL);
	assert_string_equal(error, "f:1: control character 0x00");
}

/* name and secret of n bytes each */
static int parse_sized(size_t name_len, size_t secret_len, char *error)
{
	char text[2 * USERS_LINE_MAX];
	struct users *u = NULL;
	size_t n = 0;
	int err;

	memset(text, 'n', name_len);
	n += name_len;
	memcpy(text + n, ":$plain$", 8);
	n += 8;
	memset(text + n, 's', secret_len);
	n += secret_len;
	err = users_parse("f", text, n, &u, error);
	users_free(u);
	return err;
}

static void limits_hold(void **state)
{
	char error[USERS_ERROR_MAX];

	(void)state;
	assert_int_equal(parse_sized(128, 128, error), 0);
	assert_int_equal(parse_sized(129, 128, error), -EINVAL);
	assert_string_equal(error, "f:1: the name is longer than 128 bytes");
	assert_int_equal(parse_sized(128, 129, error), -EINVAL);
	assert_string_equal(error, "f:1: the secret is longer than 128 bytes");
	assert_int_equal(parse_sized(1, USERS_LINE_MAX, error), -EINVAL);
	assert_string_equal(error, "f:1: the line is longer than 1023 bytes");
}

static void collect(void *ctx, const struct user *user)
{
	strcat(ctx, user->name);
	strcat(ctx, ",");
}

static void the_order_is_the_files(void **state)
{
	struct users *u = parse("z:$plain$1\na:$plain$1\nm:$plain$1\n");
	char names[64] = "";

	(void)state;
	users_each(u, collect, names);
	assert_string_equal(names, "z,a,m,");
	users_free(u);
}

static struct user make(const char *name, const char *secret)
{
	char error[USERS_ERROR_MAX];
	struct user u = {0};

	assert_int_equal(user_set_name(&u, name, error), 0);
	if (secret)
		assert_int_equal(user_set_plain(&u, secret, error), 0);
	else
		user_set_nt(&u, hash);
	return u;
}

static void a_rendered_line_parses_to_the_same(void **state)
{
	static const char *const words[] = {"alice", "Ann Lee", "#x", "a:b",
	    "100%", "%41", "CORP\\bob", "\xc3\xbcmlaut", "a#b", "$nt$", " "};
	size_t count = sizeof(words) / sizeof(words[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct user in = make(words[i], words[count - 1 - i]);
		char line[USERS_LINE_MAX], error[USERS_ERROR_MAX];
		const struct user *out;
		struct users *u;
		int len;

		assert_int_equal(
		    user_attr_set(&in, "ip", "10.0.0.1", error), 0);
		len = user_render(&in, line, sizeof(line));
		assert_int_equal(len, strlen(line));
		u = parse(line);
		out = users_find(u, words[i]);
		assert_non_null(out);
		assert_memory_equal(out, &in, sizeof(in));
		users_free(u);
	}
}

static void a_line_that_does_not_fit_is_refused(void **state)
{
	struct user u = make("alice", NULL);
	char line[64];
	int len = user_render(&u, line, sizeof(line));

	(void)state;
	assert_string_equal(line, "alice:$nt$" HEX);
	assert_int_equal(user_render(&u, line, (size_t)len + 1), len);
	for (size_t size = 0; size <= (size_t)len; size++)
		assert_int_equal(user_render(&u, line, size), -ENOSPC);
}

static void setters_check_their_values(void **state)
{
	struct user u = make("alice", "x");
	char error[USERS_ERROR_MAX];
	char value[80];

	(void)state;
	assert_int_equal(user_set_name(&u, "", error), -EINVAL);
	assert_int_equal(user_set_name(&u, "a\nb", error), -EINVAL);
	assert_int_equal(user_set_plain(&u, "", error), -EINVAL);
	assert_string_equal(u.name, "alice");
	assert_memory_equal(u.secret, "x", 2);
	assert_int_equal(user_attr_set(&u, "vlan", "1", error), -EINVAL);
	memset(value, '1', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(user_attr_set(&u, "ip", value, error), -EINVAL);
	assert_string_equal(error, "the value of ip= is too long");
	assert_int_equal(user_attr_set(&u, "ip", "10.0.0.1", error), 0);
	assert_int_equal(user_attr_set(&u, "ip", "10.0.0.2", error), 0);
	assert_int_equal(u.attr_count, 1);
	assert_string_equal(user_attr(&u, "ip"), "10.0.0.2");
}

static void check_put(const char *text, const struct user *user,
    const char *want, bool want_replaced)
{
	bool replaced;
	size_t len;
	char *out = users_text_put(text, strlen(text), user, &len, &replaced);

	assert_non_null(out);
	assert_string_equal(out, want);
	assert_int_equal(len, strlen(want));
	assert_int_equal(replaced, want_replaced);
	secret_free(out, len + 1);
}

static void putting_keeps_all_other_lines(void **state)
{
	struct user bob = make("bob", "new");

	(void)state;
	check_put("", &bob, "bob:$plain$new\n", false);
	check_put("# c\n\na:$plain$1", &bob,
	    "# c\n\na:$plain$1\nbob:$plain$new\n", false);
	check_put("# bob:\n bob:$plain$old ip=10.0.0.1\n# c\nz:$plain$1\n",
	    &bob, "# bob:\nbob:$plain$new\n# c\nz:$plain$1\n", true);
	/* A doubled name, as somebody's editor left it. */
	check_put(
	    "b%6fb:$plain$1\nbob:$plain$2\n", &bob, "bob:$plain$new\n", true);
	check_put("bobby:$plain$1\nbroken line\n", &bob,
	    "bobby:$plain$1\nbroken line\nbob:$plain$new\n", false);
}

static void a_user_too_long_for_a_line_is_not_put(void **state)
{
	struct user u = {.kind = USER_PLAIN};
	size_t len;

	(void)state;
	memset(u.name, ' ', sizeof(u.name) - 1);
	memset(u.secret, ' ', sizeof(u.secret) - 1);
	u.secret_len = sizeof(u.secret) - 1;
	for (size_t i = 0; i < USERS_ATTR_MAX; i++) {
		memset(u.attrs[i].key, 'k', sizeof(u.attrs[i].key) - 1);
		memset(u.attrs[i].value, 'v', sizeof(u.attrs[i].value) - 1);
	}
	u.attr_count = USERS_ATTR_MAX;
	assert_null(users_text_put("", 0, &u, &len, NULL));
}

static void removing_takes_one_user_only(void **state)
{
	static const char text[] = "# c\nbob:$plain$1\nbobby:$plain$2\n";
	size_t len;
	char *out = users_text_remove(text, sizeof(text) - 1, "bob", &len);

	(void)state;
	assert_non_null(out);
	assert_string_equal(out, "# c\nbobby:$plain$2\n");
	assert_int_equal(len, strlen(out));
	secret_free(out, len + 1);
	assert_null(users_text_remove(text, sizeof(text) - 1, "eve", &len));
	assert_null(users_text_remove(text, sizeof(text) - 1, "# c", &len));
	assert_null(users_text_remove("", 0, "bob", &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_both_kinds_and_comments),
	    cmocka_unit_test(an_empty_file_has_nobody),
	    cmocka_unit_test(escapes_are_decoded),
	    cmocka_unit_test(a_domain_is_left_out_second),
	    cmocka_unit_test(wrong_lines_are_named),
	    cmocka_unit_test(a_nul_byte_is_a_control_character),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(the_order_is_the_files),
	    cmocka_unit_test(a_rendered_line_parses_to_the_same),
	    cmocka_unit_test(a_line_that_does_not_fit_is_refused),
	    cmocka_unit_test(setters_check_their_values),
	    cmocka_unit_test(putting_keeps_all_other_lines),
	    cmocka_unit_test(a_user_too_long_for_a_line_is_not_put),
	    cmocka_unit_test(removing_takes_one_user_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
