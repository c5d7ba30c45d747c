/* SPDX-License-Identifier: ISC */
/* Addresses: text, sockets, prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/addr.h"

#include <errno.h>
#include <arpa/inet.h>
#include <string.h>

static struct addr parsed(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

static void addresses_parse_and_print(void **state)
{
	static const struct {
		const char *in;
		uint16_t port;
		const char *text, *ip;
		uint8_t family;
		size_t len;
	} rows[] = {
	    {"203.0.113.7", 0, "203.0.113.7", "203.0.113.7", ADDR_IPV4, 4},
	    {"203.0.113.7", 500, "203.0.113.7:500", "203.0.113.7", ADDR_IPV4,
		4},
	    {"255.255.255.255", 65535, "255.255.255.255:65535",
		"255.255.255.255", ADDR_IPV4, 4},
	    {"0.0.0.0", 1, "0.0.0.0:1", "0.0.0.0", ADDR_IPV4, 4},
	    {"10.0.100.9", 4500, "10.0.100.9:4500", "10.0.100.9", ADDR_IPV4, 4},
	    {"2001:DB8:0::1", 0, "2001:db8::1", "2001:db8::1", ADDR_IPV6, 16},
	    {"2001:db8::1", 4500, "[2001:db8::1]:4500", "2001:db8::1",
		ADDR_IPV6, 16},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDR_IPV6, 16},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = parsed(rows[i].in);
		char out[ADDR_TEXT_MAX];

		assert_int_equal(a.port, 0);
		a.port = rows[i].port;
		assert_int_equal(a.family, rows[i].family);
		assert_int_equal(addr_ip_len(&a), rows[i].len);
		assert_string_equal(addr_text(&a, out), rows[i].text);
		assert_string_equal(addr_ip_text(&a, out), rows[i].ip);
	}
}

static void every_byte_prints_as_the_library_does(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		const struct addr a = {.family = ADDR_IPV4,
		    .ip = {(uint8_t)i, (uint8_t)(i + 99), 7, (uint8_t)~i}};
		char out[ADDR_TEXT_MAX], expected[ADDR_TEXT_MAX];

		inet_ntop(AF_INET, a.ip, expected, sizeof(expected));
		assert_string_equal(addr_ip_text(&a, out), expected);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const rows[] = {"", "localhost", "1.2.3",
	    "1.2.3.4.5", "1.2.3.256", "1.2.3.4:5", " 1.2.3.4", "1.2.3.4 ",
	    "[::1]", "::1%lo", "1::2::3", "12345::"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a;

		assert_int_equal(addr_parse(&a, rows[i]), -EINVAL);
		assert_int_equal(a.family, ADDR_NONE);
	}
}

static void no_address_prints_as_none(void **state)
{
	struct addr none = {0}, odd = {.family = 9};
	char out[ADDR_TEXT_MAX];

	(void)state;
	assert_string_equal(addr_text(&none, out), "(none)");
	assert_string_equal(addr_ip_text(&odd, out), "(none)");
	assert_int_equal(addr_ip_len(&odd), 0);
}

static void addresses_compare(void **state)
{
	struct addr a = parsed("10.0.0.1"), b = parsed("10.0.0.1");
	struct addr c = parsed("10.0.0.2"), v6 = parsed("a00:1::");

	(void)state;
	assert_true(addr_equal(&a, &b));
	b.port = 1;
	assert_false(addr_equal(&a, &b));
	assert_true(addr_ip_equal(&a, &b));
	assert_false(addr_ip_equal(&a, &c));
	/* The same first bytes in another family are another address. */
	assert_memory_equal(a.ip, v6.ip, 4);
	assert_false(addr_ip_equal(&a, &v6));
	/* Bytes beyond an IPv4 address do not count. */
	b = a;
	b.ip[4] = 9;
	assert_true(addr_equal(&a, &b));
}

static void sockaddrs_come_back(void **state)
{
	static const char *const rows[] = {"203.0.113.7", "2001:db8::7"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct addr a = parsed(rows[i]), b;
		struct sockaddr_storage ss;
		socklen_t len;

		a.port = 4500;
		len = addr_to_sockaddr(&a, &ss);
		assert_int_equal(ss.ss_family, i ? AF_INET6 : AF_INET);
		assert_in_range(len, 16, sizeof(ss));
		assert_int_equal(
		    addr_from_sockaddr(&b, (struct sockaddr *)&ss), 0);
		assert_true(addr_equal(&a, &b));
	}
}

static void other_socket_families_are_refused(void **state)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};
	struct addr a = parsed("10.0.0.1");

	(void)state;
	assert_int_equal(
	    addr_from_sockaddr(&a, (struct sockaddr *)&ss), -EAFNOSUPPORT);
	assert_int_equal(a.family, ADDR_NONE);
}

static void prefixes(void **state)
{
	static const struct {
		const char *a, *net;
		unsigned int bits;
		bool is_in;
	} rows[] = {
	    {"10.1.2.3", "0.0.0.0", 0, true},
	    {"10.1.2.3", "10.0.0.0", 8, true},
	    {"11.1.2.3", "10.0.0.0", 8, false},
	    {"10.1.2.3", "10.1.2.0", 24, true},
	    {"10.1.3.3", "10.1.2.0", 24, false},
	    {"10.1.3.3", "10.1.2.0", 23, true},
	    {"10.1.4.3", "10.1.2.0", 23, false},
	    {"10.1.2.3", "10.1.2.2", 31, true},
	    {"10.1.2.3", "10.1.2.3", 32, true},
	    {"10.1.2.3", "10.1.2.2", 32, false},
	    {"10.1.2.3", "10.1.2.3", 33, false},
	    {"128.0.0.0", "0.0.0.0", 1, false},
	    {"127.0.0.0", "0.0.0.0", 1, true},
	    {"2001:db8::1", "2001:db8::", 32, true},
	    {"2001:db9::1", "2001:db8::", 32, false},
	    {"2001:db9::1", "2001:db8::", 31, true},
	    {"2001:db8::1", "2001:db8::1", 128, true},
	    {"2001:db8::1", "2001:db8::", 128, false},
	    {"2001:db8::1", "2001:db8::1", 129, false},
	    {"a00::1", "10.0.0.0", 8, false},
	    {"10.0.0.1", "::", 0, false},
	};
	struct addr none = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct addr a = parsed(rows[i].a), net = parsed(rows[i].net);

		assert_int_equal(
		    addr_in_prefix(&a, &net, rows[i].bits), rows[i].is_in);
	}
	assert_false(addr_in_prefix(&none, &none, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_parse_and_print),
	    cmocka_unit_test(every_byte_prints_as_the_library_does),
	    cmocka_unit_test(what_is_no_address_is_refused),
	    cmocka_unit_test(no_address_prints_as_none),
	    cmocka_unit_test(addresses_compare),
	    cmocka_unit_test(sockaddrs_come_back),
	    cmocka_unit_test(other_socket_families_are_refused),
	    cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
