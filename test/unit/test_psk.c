/* SPDX-License-Identifier: ISC */
/* The file of pre-shared keys: forms, order of candidates, refusals. */
#include "ikev1/psk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct psk *parse(const char *text)
{
	char error[CONF_ERROR_MAX] = "";
	struct psk *p = NULL;

	if (psk_parse(text, "psk", &p, error))
		fail_msg("%s", error);
	return p;
}

static void expect(const struct psk *p, const char *peer, uint16_t index,
    const char *secret, int entry, int count)
{
	struct wire_span s;
	struct addr a;
	uint16_t got_entry, got_count;

	assert_int_equal(addr_parse(&a, peer), 0);
	s = psk_candidate(p, &a, index, &got_entry, &got_count);
	assert_int_equal(got_count, count);
	if (!secret) {
		assert_null(s.data);
		assert_int_equal(s.len, 0);
		return;
	}
	assert_int_equal(s.len, strlen(secret));
	assert_memory_equal(s.data, secret, s.len);
	assert_int_equal(got_entry, entry);
}

static void test_forms(void **state)
{
	struct psk *p = parse("# comment\n\n  \t\n"
			      "192.0.2.1 plain words  \t\r\n"
			      "\t192.0.2.2\t\"  quoted \"\n"
			      "192.0.2.3 0x414243\n"
			      "192.0.2.4 0X6a6B\n"
			      "192.0.2.5 \"\"\"\n"
			      "192.0.2.6 #no comment\n"
			      "2001:db8::7 six\n"
			      "192.0.2.8 last line");

	(void)state;
	assert_int_equal(psk_count(p), 8);
	expect(p, "192.0.2.1", 0, "plain words", 0, 1);
	expect(p, "192.0.2.2", 0, "  quoted ", 1, 1);
	expect(p, "192.0.2.3", 0, "ABC", 2, 1);
	expect(p, "192.0.2.4", 0, "jk", 3, 1);
	expect(p, "192.0.2.5", 0, "\"", 4, 1);
	expect(p, "192.0.2.6", 0, "#no comment", 5, 1);
	expect(p, "2001:db8::7", 0, "six", 6, 1);
	expect(p, "192.0.2.8", 0, "last line", 7, 1);
	expect(p, "192.0.2.9", 0, NULL, 0, 0);
	psk_free(p);
}

static void test_most_specific_first(void **state)
{
	struct psk *p = parse("any everyone\n"
			      "10.0.0.0/8 eight\n"
			      "10.1.2.3 host\n"
			      "10.1.0.0/16 sixteen\n"
			      "10.1.0.0/16 sixteen again\n"
			      "0.0.0.0/0 all of v4\n");

	(void)state;
	expect(p, "10.1.2.3", 0, "host", 2, 6);
	expect(p, "10.1.2.3", 1, "sixteen", 3, 6);
	expect(p, "10.1.2.3", 2, "sixteen again", 4, 6);
	expect(p, "10.1.2.3", 3, "eight", 1, 6);
	expect(p, "10.1.2.3", 4, "all of v4", 5, 6);
	expect(p, "10.1.2.3", 5, "everyone", 0, 6);
	expect(p, "10.1.2.3", 6, NULL, 0, 6);
	expect(p, "10.9.9.9", 0, "eight", 1, 3);
	expect(p, "11.0.0.1", 0, "all of v4", 5, 2);
	/* An IPv4 prefix says nothing about IPv6. */
	expect(p, "2001:db8::1", 0, "everyone", 0, 1);
	psk_free(p);
}

static void test_empty_file(void **state)
{
	struct psk *p = parse("");

	(void)state;
	assert_int_equal(psk_count(p), 0);
	expect(p, "192.0.2.1", 0, NULL, 0, 0);
	psk_free(p);
}

static const struct {
	const char *text, *error;
} wrongs[] = {
    {"any\n", "psk:1: the pre-shared key is empty"},
    {"\nany   \n", "psk:2: the pre-shared key is empty"},
    {"any \"\"\n", "psk:1: the pre-shared key is empty"},
    {"any 0x\n", "psk:1: the pre-shared key is empty"},
    {"any\nnext secret\n", "psk:1: the pre-shared key is empty"},
    {"any 0x123\n", "psk:1: 0x needs an even number"},
    {"any 0xgg\n", "psk:1: 0x is followed by something"},
    {"any \"open\n", "psk:1: the closing quote is missing"},
    {"any \"\n", "psk:1: the closing quote is missing"},
    {"vpn.example secret\n", "psk:1: the peer is no address"},
    {"# x\n10.0.0.0/33 secret\n", "psk:2: the prefix length"},
    {"10.0.0.0/ secret\n", "psk:1: the prefix length"},
    {"10.0.0.0/-1 secret\n", "psk:1: the prefix length"},
    {"10.0.0.0/8x secret\n", "psk:1: the prefix length"},
    {"2001:db8::/129 secret\n", "psk:1: the prefix length"},
    {"1111111111111111111111111111111111111111111111111111111111111111 x\n",
	"psk:1: the peer is no address"},
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		char error[CONF_ERROR_MAX] = "";
		struct psk *p = NULL;

		assert_int_equal(
		    psk_parse(wrongs[i].text, "psk", &p, error), -EINVAL);
		assert_null(p);
		if (strncmp(error, wrongs[i].error, strlen(wrongs[i].error)))
			fail_msg("\"%s\": \"%s\"", wrongs[i].text, error);
		assert_null(strstr(error, "secret"));
	}
}

static void test_longest(void **state)
{
	char text[PSK_SECRET_MAX + 16], error[CONF_ERROR_MAX];
	struct psk *p = NULL;

	(void)state;
	strcpy(text, "any ");
	memset(text + 4, 's', PSK_SECRET_MAX);
	text[4 + PSK_SECRET_MAX] = '\0';
	psk_free(parse(text));
	strcat(text, "s");
	assert_int_equal(psk_parse(text, "psk", &p, error), -EINVAL);
	assert_string_equal(error, "psk:1: the key is longer than 512 bytes");
}

static void test_load(void **state)
{
	char path[] = "/tmp/sallyport-psk-XXXXXX", error[CONF_ERROR_MAX];
	int fd = mkstemp(path);
	struct psk *p = NULL;
	bool is_open = true;

	(void)state;
	assert_int_equal(write(fd, "any secret\n", 11), 11);
	assert_int_equal(psk_load(path, &p, &is_open, error), 0);
	assert_false(is_open);
	psk_free(p);
	assert_int_equal(fchmod(fd, 0640), 0);
	assert_int_equal(psk_load(path, &p, &is_open, error), 0);
	assert_true(is_open);
	psk_free(p);
	assert_int_equal(write(fd, "any\n", 4), 4);
	assert_int_equal(psk_load(path, &p, &is_open, error), -EINVAL);
	assert_non_null(strstr(error, ":2: the pre-shared key is empty"));
	close(fd);
	unlink(path);
	assert_int_equal(psk_load(path, &p, &is_open, error), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_most_specific_first),
	    cmocka_unit_test(test_empty_file),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_longest),
	    cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
