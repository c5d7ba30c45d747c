/* SPDX-License-Identifier: ISC */
/* What is remembered of refused clients, and what pushes what out. */
#include "common/refusals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct refusal like(const char *ip, uint16_t port, int64_t when)
{
	struct refusal l = {.when = when};

	assert_int_equal(addr_parse(&l.peer, ip), 0);
	l.peer.port = port;
	assert_int_equal(addr_parse(&l.local, "198.51.100.1"), 0);
	return l;
}

static void add(struct refusals *r, bool is_proven, const char *ip,
    int64_t when, const char *what)
{
	struct refusal l = like(ip, 500, when);

	refusals_add(r, is_proven, &l, what, strlen(what), "do this");
}

static size_t find(const struct refusals *r, const char *ip,
    const struct refusal *out[REFUSALS_PER_ADDRESS])
{
	struct addr a;

	assert_int_equal(addr_parse(&a, ip), 0);
	return refusals_find(r, &a, out);
}

static void newest_first(void **state)
{
	const struct refusal *out[REFUSALS_PER_ADDRESS];
	struct refusals *r = refusals_new(5);

	(void)state;
	assert_int_equal(find(r, "203.0.113.7", out), 0);
	add(r, false, "203.0.113.7", 10, "one");
	add(r, true, "203.0.113.7", 11, "two");
	add(r, false, "203.0.113.8", 12, "another's");
	add(r, false, "203.0.113.7", 13, "three");
	assert_int_equal(find(r, "203.0.113.7", out), 3);
	assert_string_equal(out[0]->what, "three");
	assert_string_equal(out[1]->what, "two");
	assert_string_equal(out[2]->what, "one");
	assert_string_equal(out[2]->remedy, "do this");
	assert_int_equal(out[2]->when, 10);
	assert_int_equal(out[2]->count, 1);
	assert_int_equal(find(r, "203.0.113.8", out), 1);
	assert_int_equal(find(r, "203.0.113.9", out), 0);
	assert_int_equal(find(r, "2001:db8::7", out), 0);
	refusals_free(r);
}

static void the_same_again_counts(void **state)
{
	const struct refusal *out[REFUSALS_PER_ADDRESS];
	struct refusals *r = refusals_new(5);
	struct refusal l = like("203.0.113.7", 4501, 30);

	(void)state;
	add(r, true, "203.0.113.7", 10, "one");
	add(r, true, "203.0.113.7", 20, "two");
	refusals_add(r, true, &l, "one and what is cut off", 3, NULL);
	assert_int_equal(find(r, "203.0.113.7", out), 2);
	assert_string_equal(out[0]->what, "one");
	assert_int_equal(out[0]->count, 2);
	assert_int_equal(out[0]->when, 30);
	assert_int_equal(out[0]->peer.port, 4501);
	assert_string_equal(out[0]->remedy, "");
	/* At another address of ours it is another one. */
	l.local.ip[3] = 9;
	refusals_add(r, true, &l, "one", 3, NULL);
	assert_int_equal(find(r, "203.0.113.7", out), 3);
	refusals_free(r);
}

static void sixteen_of_an_address(void **state)
{
	const struct refusal *out[REFUSALS_PER_ADDRESS];
	struct refusals *r = refusals_new(5);
	char text[32];

	(void)state;
	add(r, false, "203.0.113.8", 1, "stays");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		add(r, false, "203.0.113.7", i, text);
	}
	assert_int_equal(find(r, "203.0.113.7", out), REFUSALS_PER_ADDRESS);
	assert_string_equal(out[0]->what, "number 99");
	assert_string_equal(out[15]->what, "number 84");
	assert_int_equal(find(r, "203.0.113.8", out), 1);
	refusals_free(r);
}

static void a_flood_pushes_out_strangers_only(void **state)
{
	const struct refusal *out[REFUSALS_PER_ADDRESS];
	struct refusals *r = refusals_new(5);
	char ip[32];

	(void)state;
	add(r, true, "203.0.113.7", 1, "proven");
	add(r, false, "203.0.113.8", 1, "not proven");
	for (int i = 0; i < REFUSALS_MAX - 1; i++) {
		snprintf(ip, sizeof(ip), "10.0.%d.%d", i >> 8, i & 255);
		add(r, false, ip, 2, "flood");
	}
	assert_int_equal(find(r, "203.0.113.8", out), 1);
	add(r, false, "10.1.0.0", 2, "flood");
	assert_int_equal(find(r, "203.0.113.8", out), 0);
	assert_int_equal(find(r, "10.0.0.0", out), 1);
	for (int i = 0; i < 3 * REFUSALS_MAX; i++) {
		snprintf(ip, sizeof(ip), "10.2.%d.%d", i >> 8, i & 255);
		add(r, false, ip, 3, "flood");
	}
	assert_int_equal(find(r, "10.0.0.0", out), 0);
	assert_int_equal(find(r, "203.0.113.7", out), 1);
	assert_string_equal(out[0]->what, "proven");
	refusals_free(r);
}

static void long_texts_are_cut(void **state)
{
	const struct refusal *out[REFUSALS_PER_ADDRESS];
	struct refusals *r = refusals_new(5);
	struct refusal l = like("2001:db8::7", 500, 1);
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 2; i++)
		refusals_add(r, false, &l, text, strlen(text), text);
	assert_int_equal(find(r, "2001:db8::7", out), 1);
	assert_int_equal(strlen(out[0]->what), REFUSAL_WHAT_MAX - 1);
	assert_int_equal(strlen(out[0]->remedy), REFUSAL_REMEDY_MAX - 1);
	assert_int_equal(out[0]->count, 2);
	refusals_free(r);
}

static void as_json(void **state)
{
	struct refusals *r = refusals_new(5);
	struct refusal l = like("203.0.113.7", 500, 9);
	json_t *doc, *one;

	(void)state;
	assert_null(refusals_json(r, "vpn.example"));
	assert_null(refusals_json(r, "203.0.113.7:500"));
	add(r, false, "203.0.113.7", 7, "what it was");
	l.local.family = ADDR_NONE;
	refusals_add(r, false, &l, "other", 5, NULL);
	doc = refusals_json(r, "203.0.113.7");
	assert_string_equal(
	    json_string_value(json_object_get(doc, "address")), "203.0.113.7");
	assert_int_equal(json_integer_value(json_object_get(doc, "since")), 5);
	assert_int_equal(json_array_size(json_object_get(doc, "refusals")), 2);
	one = json_array_get(json_object_get(doc, "refusals"), 1);
	assert_int_equal(json_integer_value(json_object_get(one, "time")), 7);
	assert_int_equal(json_integer_value(json_object_get(one, "count")), 1);
	assert_string_equal(
	    json_string_value(json_object_get(one, "what")), "what it was");
	assert_string_equal(
	    json_string_value(json_object_get(one, "remedy")), "do this");
	assert_string_equal(
	    json_string_value(json_object_get(one, "peer")), "203.0.113.7:500");
	assert_string_equal(
	    json_string_value(json_object_get(one, "local")), "198.51.100.1");
	one = json_array_get(json_object_get(doc, "refusals"), 0);
	assert_true(json_is_null(json_object_get(one, "remedy")));
	assert_true(json_is_null(json_object_get(one, "local")));
	json_decref(doc);
	refusals_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(newest_first),
	    cmocka_unit_test(the_same_again_counts),
	    cmocka_unit_test(sixteen_of_an_address),
	    cmocka_unit_test(a_flood_pushes_out_strangers_only),
	    cmocka_unit_test(long_texts_are_cut),
	    cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
