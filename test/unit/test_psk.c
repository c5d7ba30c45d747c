/* SPDX-License-Identifier: ISC */
/* The file of pre-shared keys: forms, order of candidates, refusals. */
#include "ikev1/psk.h"
#include "ikev1/core/isakmp.h"

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

/* The index-th key for a client at peer that dials local. */
static void expect_at(const struct psk *p, const char *local, const char *peer,
    size_t index, const char *secret, int entry, size_t count)
{
	struct psk_match m[CANDIDATES_MAX];
	struct addr from, to;

	assert_int_equal(addr_parse(&from, peer), 0);
	assert_int_equal(addr_parse(&to, local), 0);
	assert_int_equal(psk_find(p, &to, &from, m), count);
	if (!secret) {
		assert_true(index >= count);
		return;
	}
	assert_true(index < count);
	assert_int_equal(m[index].secret.len, strlen(secret));
	assert_memory_equal(m[index].secret.data, secret, strlen(secret));
	assert_int_equal(m[index].entry, entry);
}

static void expect(const struct psk *p, const char *peer, size_t index,
    const char *secret, int entry, size_t count)
{
	expect_at(p, "192.0.2.200", peer, index, secret, entry, count);
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

/* As editors of other systems leave it. */
static void test_foreign_ends_of_lines(void **state)
{
	struct psk *p = parse("\xef\xbb\xbf# comment\r\n\r\n"
			      "192.0.2.1 one\r\n192.0.2.2 \" two \"\r\r\n"
			      "192.0.2.3 0x4142\r\n192.0.2.4 four\r");
	struct psk_match m[CANDIDATES_MAX];
	struct addr a;

	(void)state;
	assert_int_equal(psk_count(p), 4);
	expect(p, "192.0.2.1", 0, "one", 0, 1);
	expect(p, "192.0.2.2", 0, " two ", 1, 1);
	expect(p, "192.0.2.3", 0, "AB", 2, 1);
	expect(p, "192.0.2.4", 0, "four", 3, 1);
	addr_parse(&a, "192.0.2.1");
	assert_int_equal(psk_find(p, &a, &a, m), 1);
	assert_int_equal(m[0].line, 3);
	psk_free(p);
	p = parse("\xef\xbb\xbf"
		  "any at once");
	expect(p, "192.0.2.1", 0, "at once", 0, 1);
	psk_free(p);
	p = parse("\xef\xbb\xbf");
	assert_int_equal(psk_count(p), 0);
	psk_free(p);
}

static void test_very_long_lines(void **state)
{
	const size_t len = 900000;
	char *text = malloc(len + 16), error[CONF_ERROR_MAX];
	struct psk *p = NULL;

	(void)state;
	memset(text, '#', len);
	strcpy(text + len, "\nany x");
	p = parse(text);
	expect(p, "192.0.2.1", 0, "x", 0, 1);
	psk_free(p);
	memset(text, ' ', len);
	p = parse(text);
	expect(p, "192.0.2.1", 0, "x", 0, 1);
	psk_free(p);
	memset(text, 'a', len);
	memcpy(text, "any ", 4);
	assert_int_equal(psk_parse(text, "psk", &p, error), -EINVAL);
	assert_string_equal(error, "psk:1: the key is longer than 512 bytes");
	memset(text, '1', len);
	assert_int_equal(psk_parse(text, "psk", &p, error), -EINVAL);
	assert_non_null(strstr(error, "longer than 511 bytes"));
	free(text);
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

static void test_host_bits_do_not_matter(void **state)
{
	struct psk *p = parse("10.1.2.3/8 one\n10.9.9.9/31 two\n"
			      "2001:db8::ffff/33 three\n");

	(void)state;
	expect(p, "10.200.0.1", 0, "one", 0, 1);
	expect(p, "10.9.9.8", 0, "two", 1, 2);
	expect(p, "10.9.9.10", 0, "one", 0, 1);
	expect(p, "2001:db8:7fff::1", 0, "three", 2, 1);
	expect(p, "2001:db8:8000::1", 0, NULL, 0, 0);
	psk_free(p);
}

static void test_local(void **state)
{
	struct psk *p = parse("any everywhere\n"
			      "any,local=192.0.2.1 first\n"
			      "any,local=192.0.2.2 second\n"
			      "any,local=2001:db8::1 sixth\n"
			      "10.0.0.0/8,local=192.0.2.2 ten\n");

	(void)state;
	expect_at(p, "192.0.2.1", "10.0.0.1", 0, "first", 1, 2);
	expect_at(p, "192.0.2.1", "10.0.0.1", 1, "everywhere", 0, 2);
	expect_at(p, "192.0.2.2", "10.0.0.1", 0, "ten", 4, 3);
	expect_at(p, "192.0.2.2", "10.0.0.1", 1, "second", 2, 3);
	expect_at(p, "192.0.2.3", "10.0.0.1", 0, "everywhere", 0, 1);
	expect_at(p, "2001:db8::1", "2001:db8::9", 0, "sixth", 3, 2);
	assert_int_equal(psk_slots(p), 3);
	psk_free(p);
}

static const struct {
	const char *text;
	uint8_t type;
	const char *data;
	size_t len;
} ids[] = {
    {"gw.example", IPSEC_ID_FQDN, "gw.example", 10},
    {"Gw_1", IPSEC_ID_FQDN, "Gw_1", 4},
    {"user@example", IPSEC_ID_USER_FQDN, "user@example", 12},
    {"a+b@example", IPSEC_ID_USER_FQDN, "a+b@example", 11},
    {"192.168.1.7", IPSEC_ID_IPV4, "\xc0\xa8\x01\x07", 4},
    {"2001:db8::1", IPSEC_ID_IPV6, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01",
	16},
    {"keyid:0x00ffAb", IPSEC_ID_KEY_ID, "\x00\xff\xab", 3},
};

static void test_ids(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct psk_match m[CANDIDATES_MAX];
		struct addr a;
		char text[128];
		struct psk *p;

		snprintf(text, sizeof(text),
		    "\nany no\nany,id=%s yes\nany,id=%s,local=192.0.2.1 l\n",
		    ids[i].text, ids[i].text);
		p = parse(text);
		addr_parse(&a, "192.0.2.1");
		assert_int_equal(psk_find(p, &a, &a, m), 3);
		assert_int_equal(m[0].line, 4);
		assert_int_equal(m[1].line, 3);
		assert_int_equal(m[2].line, 2);
		assert_int_equal(m[2].id.type, 0);
		assert_int_equal(m[1].id.type, ids[i].type);
		assert_int_equal(m[1].id.len, ids[i].len);
		assert_memory_equal(m[1].id.data, ids[i].data, ids[i].len);
		psk_free(p);
	}
}

static void test_slots(void **state)
{
	static const struct {
		const char *text;
		size_t slots;
	} rows[] = {
	    {"", 1},
	    {"any one\n", 1},
	    {"10.0.0.1 a\n10.0.0.2 b\n10.0.0.3 c\n", 1},
	    {"10.0.0.1 a\n10.0.0.2 b\nany c\n", 2},
	    {"10.0.0.0/8 a\n10.1.0.0/16 b\n10.1.0.0/16 c\n10.2.0.0/16 d\n", 3},
	    {"2001:db8::/32 a\n0.0.0.0/0 b\n::/0 c\nany d\n", 3},
	    {"any,local=192.0.2.1 a\nany,local=192.0.2.2 b\n", 1},
	    {"any,id=a a\nany,id=b b\nany,id=c c\n", 3},
	    {"any 1\nany 2\nany 3\nany 4\nany 5\nany 6\nany 7\nany 8\n"
	     "any 9\n10.0.0.1 10\n",
		8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct psk *p = parse(rows[i].text);

		if (psk_slots(p) != rows[i].slots)
			fail_msg("row %zu: %zu", i, psk_slots(p));
		psk_free(p);
	}
}

/* psk_slots() is never less than what some client gets. */
static void test_slots_are_enough(void **state)
{
	uint32_t z = 1;

	(void)state;
	for (int round = 0; round < 200; round++) {
		char text[2048] = "";
		size_t at = 0, most = 0;
		struct psk *p;

		for (int i = 0; i < 12; i++) {
			z = z * 1664525 + 1013904223;
			at += (size_t)snprintf(text + at, sizeof(text) - at,
			    "10.%u.%u.%u/%u%s k%d\n", z >> 31, z >> 30 & 1,
			    z >> 29 & 1, 6 + (z >> 20) % 27,
			    z >> 18 & 1 ? ",local=192.0.2.1" : "", i);
		}
		p = parse(text);
		for (unsigned int host = 0; host < 16; host++) {
			struct psk_match m[CANDIDATES_MAX];
			struct addr peer, local;
			char ip[32];
			size_t n;

			snprintf(ip, sizeof(ip), "10.%u.%u.%u", host >> 2 & 1,
			    host >> 1 & 1, host & 1);
			addr_parse(&peer, ip);
			addr_parse(
			    &local, host & 8 ? "192.0.2.1" : "192.0.2.2");
			n = psk_find(p, &local, &peer, m);
			most = n > most ? n : most;
		}
		if (psk_slots(p) < most)
			fail_msg("%s: %zu < %zu", text, psk_slots(p), most);
		psk_free(p);
	}
}

struct found {
	size_t count, weak;
	uint32_t line;
	char text[512];
};

static void on_finding(void *ctx, const struct psk_finding *f)
{
	struct found *all = ctx;

	all->count++;
	all->weak += f->is_weak;
	all->line = f->line;
	assert_true(strlen(f->remedy) > 10);
	snprintf(all->text, sizeof(all->text), "%s", f->text);
}

static void test_strength(void **state)
{
	static const struct {
		const char *key, *why;
	} rows[] = {
	    {"vpn", "tried first"},
	    {"VPN", "tried first"},
	    {"secret", "tried first"},
	    {"Password123!", "tried first"},
	    {"test2024", "tried first"},
	    {"vpn12345678901234567890", "tried first"},
	    {"12345678", "sequence"},
	    {"abcdefghijklmnopqrstuvwxyz", "sequence"},
	    {"zyxwvutsrqponmlkjihgfedcba", "sequence"},
	    {"aaaaaaaaaaaaaaaaaaaaaaaa", "sequence"},
	    {"0x0101010101010101010101010101010101", "sequence"},
	    {"x7!kQ2z", "shorter than 20"},
	    {"Tr0ub4dor&3", "shorter than 20"},
	    {"3jcWkq0tYpq7HX2Jd0P", "shorter than 20"},
	    {"0x41424b4c4d4e4f50", "shorter than 20"},
	    {"121212191212121259", "shorter than 20"},
	    {"1212121912121212591212121912121212", "repeats few"},
	    {"ujzhqpwmvkxtrbnaelcg", "short for what"},
	    {"ujzhqpwmvkxtrbnaelcgdyi", "short for what"},
	    {"835027194683502719463850271946385", "short for what"},
	    {"8350271946835027194683502719468350271946", "short for what"},
	    {"6b9f03c81e77d2a46b9f03c81e7", "short for what"},
	    {"passport9passport9passport9passport9", "short for what"},
	    {"0x6b9f03c81e77d2a46b9f03c81e", "short for what"},
	    {"0x00112233", "repeats few"},
	    {"0x6b9f03c81e", "short for what"},
	    {"3jcWkq0tYpq7HX2Jd0Pa", NULL},
	    {"ujzhqpwmvkxtrbnaelcgdyif", NULL},
	    {"8350271946385027194627384950617283", NULL},
	    {"6b9f03c81e77d2a46b9f03c81e70", NULL},
	    {"0x6b9f03c81e77d2a46b9f03c81e70", NULL},
	    {"a pre-shared key for the demonstration", NULL},
	    {"correct horse battery staple", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct found all = {0};
		char text[128];
		struct psk *p;

		snprintf(text, sizeof(text), "# one\nany %s\n", rows[i].key);
		p = parse(text);
		assert_int_equal(
		    psk_check(p, on_finding, &all), rows[i].why != NULL);
		if (all.count != (rows[i].why != NULL) ||
		    (rows[i].why && !strstr(all.text, rows[i].why)))
			fail_msg("%s: \"%s\"", rows[i].key, all.text);
		assert_int_equal(all.weak, all.count);
		if (all.count)
			assert_int_equal(all.line, 2);
		/* Never the key itself. */
		assert_null(strstr(all.text, rows[i].key));
		psk_free(p);
	}
}

/* What `openssl rand -base64` makes is never weak, from 15 bytes on. */
static void test_random_keys_are_strong(void **state)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				     "opqrstuvwxyz0123456789+/";
	uint64_t z = 7;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct found all = {0};
		/* In quotes: by chance 0x may come in front. */
		char text[32] = "any \"....................\"";
		struct psk *p;

		for (int i = 0; i < 20; i++) {
			z ^= z << 13;
			z ^= z >> 7;
			z ^= z << 17;
			text[5 + i] = digits[z * 0x9e3779b97f4a7c15u >> 58];
		}
		p = parse(text);
		if (psk_check(p, on_finding, &all))
			fail_msg("%s: %s", text, all.text);
		psk_free(p);
	}
}

static void test_the_same_twice(void **state)
{
	static const struct {
		const char *text;
		uint32_t line; /* of the finding; 0: none */
		const char *as;
	} rows[] = {
	    {"any %s\nany %s\n", 2, "line 1"},
	    {"any %s\n# x\nany   \"%s\"\r\n", 3, "line 1"},
	    {"10.0.0.1 %s\n10.0.0.1/32 %s\n", 2, "line 1"},
	    {"10.0.0.0/8 %s\n10.1.2.3/8 %s\n", 2, "line 1"},
	    {"any,id=a,local=::1 %s\nany,local=::1,id=a %s\n", 2, "line 1"},
	    {"any %s\nany %sx\n", 0, NULL},
	    {"any %s\n0.0.0.0/0 %s\n", 0, NULL},
	    {"10.0.0.0/8 %s\n10.0.0.0/9 %s\n", 0, NULL},
	    {"0.0.0.0/0 %s\n::/0 %s\n", 0, NULL},
	    {"any,id=a %s\nany,id=b %s\n", 0, NULL},
	    {"any,local=::1 %s\nany %s\n", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *key = "3jcWkq0tYpq7HX2Jd0Pa";
		struct found all = {0};
		char text[256];
		struct psk *p;

		snprintf(text, sizeof(text), rows[i].text, key, key);
		p = parse(text);
		assert_int_equal(psk_check(p, on_finding, &all), 0);
		if (all.line != rows[i].line)
			fail_msg("%s: %u", text, all.line);
		if (rows[i].as)
			assert_non_null(strstr(all.text, rows[i].as));
		assert_int_equal(all.count, rows[i].line != 0);
		psk_free(p);
	}
}

static void test_too_many_for_one(void **state)
{
	char text[1024] = "";
	struct found all = {0};
	struct psk *p;

	(void)state;
	for (int i = 0; i < 7; i++)
		sprintf(text + strlen(text),
		    "any,id=gw%d 3jcWkq0tYpq7HX2Jd0P%d\n", i, i);
	strcat(text, "10.0.0.0/8 3jcWkq0tYpq7HX2Jd0P7\n");
	p = parse(text);
	assert_int_equal(psk_check(p, on_finding, &all), 0);
	assert_int_equal(all.count, 0);
	psk_free(p);
	strcat(text, "10.1.0.0/16 3jcWkq0tYpq7HX2Jd0P8\n"
		     "10.1.1.1 3jcWkq0tYpq7HX2Jd0P9\n");
	p = parse(text);
	assert_int_equal(psk_check(p, on_finding, &all), 0);
	assert_int_equal(all.count, 1);
	assert_int_equal(all.weak, 0);
	/* Those with an ID come first, and `any` comes last. */
	assert_string_equal(all.text,
	    "10 keys fit the peer 10.1.1.1, but only 8 are tried: not those "
	    "of line 6, 7");
	assert_int_equal(all.line, 6);
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
    {"any,id=x,id=y secret\n", "psk:1: id= is there twice"},
    {"any,id= secret\n", "psk:1: id= is no address"},
    {"any,id=@x secret\n", "psk:1: id= is no address"},
    {"any,id=x@ secret\n", "psk:1: id= is no address"},
    {"any,id=x*y secret\n", "psk:1: id= is no address"},
    {"any,id=keyid:0x secret\n", "psk:1: keyid:0x needs"},
    {"any,id=keyid:0x123 secret\n", "psk:1: keyid:0x needs"},
    {"any,id=keyid:0x1g secret\n", "psk:1: keyid:0x is followed"},
    {"any,id=keyid:abc secret\n", "psk:1: id= is no address"},
    {"any,local=x secret\n", "psk:1: local= is no address"},
    {"any,local=192.0.2.0/24 secret\n", "psk:1: local= is no address"},
    {"any,local=192.0.2.1,local=192.0.2.2 secret\n",
	"psk:1: local= is there twice"},
    {"any, secret\n", "psk:1: only local= and id="},
    {"any,peer=10.0.0.1 secret\n", "psk:1: only local= and id="},
    {",id=x secret\n", "psk:1: the peer is no address"},
    {"0.0.0.0 secret\n", "psk:1: no client has the address 0.0.0.0; write"},
    {"0.0.0.0/32 secret\n", "psk:1: no client has the address 0.0.0.0"},
    {":: secret\n", "psk:1: no client has the address ::; write ::/0"},
    {"::ffff:10.1.2.3 secret\n", "psk:1: IPv4 clients are found by their"},
    {"::ffff:0:0/96 secret\n", "psk:1: IPv4 clients are found by their"},
    {"fe80::1%eth0 secret\n", "psk:1: the peer is no address"},
    {"10.1.2.3:500 secret\n", "psk:1: the peer is no address"},
    {"10.01.2.3 secret\n", "psk:1: the peer is no address"},
    {"Any secret\n", "psk:1: the peer is no address"},
    {"any,ID=x secret\n", "psk:1: only local= and id="},
    {"10.0.0.0/99999999999999999999 secret\n", "psk:1: the prefix length"},
    /* Lines that end in CR alone are one line with a key in it. */
    {"any secret\rany another\r", "psk:1: the key holds a tab or another"},
    {"any secret\t# comment\n", "psk:1: the key holds a tab or another"},
    {"any \"secret\t\"\n", "psk:1: the key holds a tab or another"},
    {"any secret\f\n", "psk:1: the key holds a tab or another"},
    {"any secret\x7f\n", "psk:1: the key holds a tab or another"},
    {"any \r\n", "psk:1: the pre-shared key is empty"},
    {"\xff\xfe\nany secret\n", "psk:1: the peer is no address"},
    {"any \xef\xbb\xbf\n\xef\xbb\xbf"
     "any secret\n",
	"psk:2: the peer is no address"},
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

static void test_long_conditions(void **state)
{
	char text[1024], error[CONF_ERROR_MAX];
	struct psk *p = NULL;

	(void)state;
	snprintf(text, sizeof(text), "any,id=%0*d secret\n", 128, 7);
	psk_free(parse(text));
	snprintf(text, sizeof(text), "any,id=%0*d secret\n", 129, 7);
	assert_int_equal(psk_parse(text, "psk", &p, error), -EINVAL);
	assert_string_equal(error, "psk:1: id= is longer than 128 bytes");
	snprintf(text, sizeof(text), "any,id=%0*d secret\n", 600, 7);
	assert_int_equal(psk_parse(text, "psk", &p, error), -EINVAL);
	assert_non_null(strstr(error, "longer than 511 bytes"));
	snprintf(text, sizeof(text), "any,id=keyid:0x%0*d secret\n", 256, 7);
	psk_free(parse(text));
	snprintf(text, sizeof(text), "any,id=keyid:0x%0*d secret\n", 258, 7);
	assert_int_equal(psk_parse(text, "psk", &p, error), -EINVAL);
}

static void test_many_locals(void **state)
{
	char text[65 * 40] = "", error[CONF_ERROR_MAX];
	struct psk *p = NULL;

	(void)state;
	for (int i = 0; i < 64; i++)
		sprintf(text + strlen(text), "any,local=192.0.2.%d k\n", i + 1);
	psk_free(parse(text));
	strcat(text, "any,local=192.0.2.1 k\n");
	psk_free(parse(text));
	strcat(text, "any,local=192.0.2.65 k\n");
	assert_int_equal(psk_parse(text, "psk", &p, error), -EINVAL);
	assert_string_equal(
	    error, "psk:66: more than 64 different addresses behind local=");
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
	    cmocka_unit_test(test_host_bits_do_not_matter),
	    cmocka_unit_test(test_local),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_slots),
	    cmocka_unit_test(test_slots_are_enough),
	    cmocka_unit_test(test_strength),
	    cmocka_unit_test(test_random_keys_are_strong),
	    cmocka_unit_test(test_the_same_twice),
	    cmocka_unit_test(test_foreign_ends_of_lines),
	    cmocka_unit_test(test_very_long_lines),
	    cmocka_unit_test(test_too_many_for_one),
	    cmocka_unit_test(test_long_conditions),
	    cmocka_unit_test(test_many_locals),
	    cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
