/* SPDX-License-Identifier: ISC */
/* `sallyport show sas`: JSON in, two tables out. */
#include "common/exitcode.h"
#include "ctl/cmd.h"
#include "ctl/table.h"

#include <errno.h>
#include <string.h>

#define TEXT_MAX 64

struct column {
	/* NULL when there is nothing to show. */
	const char *(*text)(
	    const json_t *row, const char *field, char out[TEXT_MAX]);
	const char *field;
};

static const char *string_text(
    const json_t *row, const char *field, char out[TEXT_MAX])
{
	(void)out;
	return json_string_value(json_object_get(row, field));
}

static const char *number_text(
    const json_t *row, const char *field, char out[TEXT_MAX])
{
	const json_t *v = json_object_get(row, field);

	snprintf(out, TEXT_MAX, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	return json_is_integer(v) ? out : NULL;
}

/* h:mm:ss */
static const char *span_text(
    const json_t *row, const char *field, char out[TEXT_MAX])
{
	const json_t *v = json_object_get(row, field);
	json_int_t s = json_integer_value(v);

	snprintf(out, TEXT_MAX, "%" JSON_INTEGER_FORMAT ":%02d:%02d", s / 3600,
	    (int)(s / 60 % 60), (int)(s % 60));
	return json_is_integer(v) && s >= 0 ? out : NULL;
}

static const char *bytes_text(
    const json_t *row, const char *field, char out[TEXT_MAX])
{
	const json_t *v = json_object_get(row, field);
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < 0)
		return NULL;
	return table_bytes((uint64_t)n, out);
}

static const char *nat_text(
    const json_t *row, const char *field, char out[TEXT_MAX])
{
	bool client = json_is_true(json_object_get(row, "client_nat"));
	bool server = json_is_true(json_object_get(row, "server_nat"));

	(void)field;
	(void)out;
	if (client)
		return server ? "both" : "client";
	return server ? "server" : "no";
}

static const char *cookies_text(
    const json_t *row, const char *field, char out[TEXT_MAX])
{
	const char *i = json_string_value(json_object_get(row, "cookie_i"));
	const char *r = json_string_value(json_object_get(row, "cookie_r"));

	(void)field;
	snprintf(out, TEXT_MAX, "%.16s:%.16s", i ? i : "", r ? r : "");
	return i && r ? out : NULL;
}

static const char *dpd_text(
    const json_t *row, const char *field, char out[TEXT_MAX])
{
	json_int_t tries =
	    json_integer_value(json_object_get(row, "dpd_unanswered"));

	if (!json_is_true(json_object_get(row, field)))
		return "no";
	snprintf(out, TEXT_MAX, "%" JSON_INTEGER_FORMAT " unanswered", tries);
	return tries ? out : "ok";
}

static const struct column sa_columns[] = {
    {string_text, "peer"},
    {string_text, "identity"},
    {nat_text, NULL},
    {string_text, "suite"},
    {cookies_text, NULL},
    {number_text, "psk_line"},
    {span_text, "age"},
    {span_text, "expires"},
    {span_text, "heard"},
    {dpd_text, "dpd"},
    {string_text, "state"},
};
static const struct table_column sa_titles[] = {
    {"PEER", false},
    {"IDENTITY", false},
    {"NAT", false},
    {"SUITE", false},
    {"COOKIES", false},
    {"LINE", true},
    {"AGE", true},
    {"EXPIRES", true},
    {"HEARD", true},
    {"DPD", false},
    {"STATE", false},
};

static const struct column pair_columns[] = {
    {number_text, "r"},
    {string_text, "peer"},
    {string_text, "suite"},
    {string_text, "spi_in"},
    {string_text, "spi_out"},
    {span_text, "age"},
    {span_text, "rekeys"},
    {span_text, "expires"},
    {bytes_text, "bytes_in"},
    {bytes_text, "bytes_out"},
    {string_text, "state"},
};
static const struct table_column pair_titles[] = {
    {"R", true},
    {"PEER", false},
    {"SUITE", false},
    {"SPI IN", false},
    {"SPI OUT", false},
    {"AGE", true},
    {"REKEY", true},
    {"EXPIRES", true},
    {"IN", true},
    {"OUT", true},
    {"STATE", false},
};

static int print_list(const json_t *list, const struct column *columns,
    const struct table_column *titles, size_t count, FILE *out)
{
	char text[TEXT_MAX];
	struct table *t;

	if (!json_is_array(list))
		return -EPROTO;
	t = table_new(titles, count);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		for (size_t c = 0; c < count; c++)
			table_cell(
			    t, columns[c].text(row, columns[c].field, text));
	}
	table_print(t, out);
	table_free(t);
	return 0;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int print(const json_t *doc, FILE *out)
{
	int err = print_list(json_object_get(doc, "ike_sas"), sa_columns,
	    sa_titles, COUNT(sa_columns), out);

	if (err)
		return err;
	fputc('\n', out);
	return print_list(json_object_get(doc, "ipsec_pairs"), pair_columns,
	    pair_titles, COUNT(pair_columns), out);
}

int cmd_show_sas(const struct cmd_env *env, const struct cmd_args *args)
{
	json_t *doc =
	    cmd_ask_daemon(env, "ikev1d", (const char *const[]){"sas", NULL});
	int err = 0;

	if (!doc)
		return EXITCODE_FAILURE;
	if (args->is_json) {
		json_dumpf(doc, env->out, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', env->out);
	} else {
		err = print(doc, env->out);
	}
	json_decref(doc);
	return err ? cmd_fail(env, "ikev1d's answer has no lists of SAs")
		   : EXITCODE_OK;
}
