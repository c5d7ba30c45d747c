/* SPDX-License-Identifier: ISC */
/* The table that show prints: widths, nulls, hostile text, byte counts. */
#include "ctl/show.h"

#include "common/alloc.h"
#include "ctl/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What show prints for that JSON text; NULL when it refuses. */
static char *shown(const char *json)
{
	json_error_t where;
	json_t *doc = json_loads(json, 0, &where);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!doc)
		fail_msg("the test's JSON: %s", where.text);
	err = show_print(doc, out);
	fclose(out);
	json_decref(doc);
	if (err == 0)
		return text;
	assert_int_equal(err, -EPROTO);
	assert_int_equal(len, 0);
	free(text);
	return NULL;
}

static void expect(const char *json, const char *want)
{
	char *text = shown(json);

	assert_non_null(text);
	assert_string_equal(text, want);
	free(text);
}

#define TITLES_EMPTY                                                           \
	"R  USER  PEER  NAT  SUITE  ADDRESS  SINCE  IN  OUT  STATE\n"

static void nobody_is_connected(void **state)
{
	(void)state;
	expect("{\"version\":1,\"clients\":[]}", TITLES_EMPTY);
}

static void columns_are_aligned(void **state)
{
	(void)state;
	expect("{\"clients\":["
	       "{\"r\":17,\"slot\":1,\"user\":\"anna\","
	       "\"peer\":\"203.0.113.7:4500\",\"nat\":true,"
	       "\"suite\":\"aes256-sha1-modp2048/aes256-sha1\","
	       "\"address\":\"10.20.0.11\",\"since\":1790000000,"
	       "\"bytes_in\":1023,\"bytes_out\":1536,"
	       "\"state\":\"established\",\"future\":[1]},"
	       "{\"r\":100018,\"user\":\"b\",\"peer\":\"[2001:db8::1]:500\","
	       "\"nat\":false,\"suite\":\"aes128-sha1-modp2048/aes128-sha1\","
	       "\"address\":\"10.20.0.12\",\"since\":1790000060,"
	       "\"bytes_in\":0,\"bytes_out\":5368709120,"
	       "\"state\":\"held\"}]}",
	    "     R  USER  PEER               NAT  "
	    "SUITE                             ADDRESS     "
	    "SINCE               IN   OUT  STATE\n"
	    "    17  anna  203.0.113.7:4500   yes  "
	    "aes256-sha1-modp2048/aes256-sha1  10.20.0.11  "
	    "2026-09-21 14:13  1023  1.5K  established\n"
	    "100018  b     [2001:db8::1]:500  no   "
	    "aes128-sha1-modp2048/aes128-sha1  10.20.0.12  "
	    "2026-09-21 14:14     0  5.0G  held\n");
}

static void what_is_missing_is_a_dash(void **state)
{
	const char *row =
	    "-  -     -     -    -      -        -       -    -  -\n";
	char *want = xasprintf("%s%s", TITLES_EMPTY, row);

	(void)state;
	expect("{\"clients\":[{}]}", want);
	expect("{\"clients\":[null]}", want);
	expect("{\"clients\":[7]}", want);
	expect("{\"clients\":[{\"r\":null,\"user\":null,\"peer\":null,"
	       "\"nat\":null,\"suite\":null,\"address\":null,\"since\":null,"
	       "\"bytes_in\":null,\"bytes_out\":null,\"state\":null}]}",
	    want);
	/* Another type than it should be. */
	expect("{\"clients\":[{\"r\":\"1\",\"user\":3,\"peer\":[],"
	       "\"nat\":1,\"suite\":{},\"address\":true,\"since\":\"now\","
	       "\"bytes_in\":\"x\",\"bytes_out\":1.5,\"state\":0}]}",
	    want);
	expect("{\"clients\":[{\"user\":\"\",\"since\":-5}]}", want);
	free(want);
}

static void negative_counts_are_zero(void **state)
{
	char *text = shown("{\"clients\":[{\"bytes_in\":-1}]}");

	(void)state;
	assert_non_null(strstr(text, "   0    -  -\n"));
	free(text);
}

static void hostile_text_is_escaped(void **state)
{
	char *text = shown("{\"clients\":[{\"r\":1,"
			   "\"user\":\"a\\u001b[2Jb\\nc\\u00e4\\u202e\","
			   "\"state\":\"x\\ty\"}]}");

	(void)state;
	assert_non_null(
	    strstr(text, "a\\x1b[2Jb\\x0ac\\xc3\\xa4\\xe2\\x80\\xae"));
	assert_non_null(strstr(text, "x\\x09y\n"));
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
	free(text);
}

static void long_text_is_cut(void **state)
{
	char name[2000], *json, *text;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	json = xasprintf("{\"clients\":[{\"user\":\"%s\"}]}", name);
	text = shown(json);
	assert_true(strlen(text) < 2 * TABLE_CELL_MAX + 200);
	assert_non_null(strstr(text, "nnn..."));
	free(text);
	free(json);
}

static void other_documents_are_refused(void **state)
{
	static const char *const bad[] = {"{}", "[]", "{\"clients\":null}",
	    "{\"clients\":{}}", "{\"error\":\"x\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(shown(bad[i]));
}

static void finds_an_r(void **state)
{
	json_t *doc = json_pack(
	    "{s:[{s:i},{s:i},{s:s},{}]}", "clients", "r", 17, "r", 4, "r", "9");
	json_t *none = json_object();

	(void)state;
	assert_int_equal(show_has_r(doc, "17"), 1);
	assert_int_equal(show_has_r(doc, "4"), 1);
	assert_int_equal(show_has_r(doc, "1"), 0);
	assert_int_equal(show_has_r(doc, "017"), 0);
	assert_int_equal(show_has_r(doc, "9"), 0);
	assert_int_equal(show_has_r(doc, ""), 0);
	assert_int_equal(show_has_r(none, "17"), -EPROTO);
	json_decref(doc);
	json_decref(none);
}

static void byte_counts(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
	    {0, "0"},
	    {1, "1"},
	    {1023, "1023"},
	    {1024, "1.0K"},
	    {1075, "1.0K"},
	    {1536, "1.5K"},
	    {10188, "9.9K"},
	    {10189, "10K"},
	    {10240, "10K"},
	    {1048063, "1023K"},
	    {1048064, "1.0M"},
	    {1048576, "1.0M"},
	    {5242880, "5.0M"},
	    {1073741824, "1.0G"},
	    {1099511627776, "1.0T"},
	    {UINT64_MAX, "16E"},
	};
	char out[TABLE_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
		    table_bytes(rows[i].bytes, out), rows[i].text);
}

static void a_row_that_is_not_full_does_not_show(void **state)
{
	static const struct table_column columns[] = {
	    {"A", false}, {"B", true}};
	struct table *t = table_new(columns, 2);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	table_cell(t, "one");
	table_cell(t, "22");
	table_cell(t, "half");
	assert_int_equal(table_rows(t), 1);
	table_print(t, out);
	fclose(out);
	assert_string_equal(text, "A      B\none   22\n");
	free(text);
	table_free(t);
	table_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_is_connected),
	    cmocka_unit_test(columns_are_aligned),
	    cmocka_unit_test(what_is_missing_is_a_dash),
	    cmocka_unit_test(negative_counts_are_zero),
	    cmocka_unit_test(hostile_text_is_escaped),
	    cmocka_unit_test(long_text_is_cut),
	    cmocka_unit_test(other_documents_are_refused),
	    cmocka_unit_test(finds_an_r),
	    cmocka_unit_test(byte_counts),
	    cmocka_unit_test(a_row_that_is_not_full_does_not_show),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
