/* SPDX-License-Identifier: ISC */
/* `sallyport show`: JSON in, a table of clients out. */
#include "ctl/show.h"

#include "common/exitcode.h"
#include "ctl/cmd.h"
#include "ctl/table.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX 32

enum show_kind {
	SHOW_NUMBER,
	SHOW_TEXT,
	SHOW_YES_NO,
	SHOW_TIME,
	SHOW_BYTES,
};

struct show_column {
	const char *field;
	enum show_kind kind;
};

/* In the same order as the titles below. */
static const struct show_column fields[] = {
    {"r", SHOW_NUMBER},
    {"user", SHOW_TEXT},
    {"peer", SHOW_TEXT},
    {"nat", SHOW_YES_NO},
    {"suite", SHOW_TEXT},
    {"address", SHOW_TEXT},
    {"since", SHOW_TIME},
    {"bytes_in", SHOW_BYTES},
    {"bytes_out", SHOW_BYTES},
    {"state", SHOW_TEXT},
};

static const struct table_column titles[] = {
    {"R", true},
    {"USER", false},
    {"PEER", false},
    {"NAT", false},
    {"SUITE", false},
    {"ADDRESS", false},
    {"SINCE", false},
    {"IN", true},
    {"OUT", true},
    {"STATE", false},
};

#define COLUMNS (sizeof(fields) / sizeof(fields[0]))

static const char *time_text(json_int_t seconds, char out[TEXT_MAX])
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (seconds < 0 || !localtime_r(&when, &tm) ||
	    !strftime(out, TEXT_MAX, "%Y-%m-%d %H:%M", &tm))
		return NULL;
	return out;
}

/* NULL for what is not there or not what it should be. */
static const char *cell_text(
    const json_t *value, enum show_kind kind, char out[TEXT_MAX])
{
	json_int_t number = json_integer_value(value);

	switch (kind) {
	case SHOW_TEXT:
		return json_string_value(value);
	case SHOW_YES_NO:
		if (!json_is_boolean(value))
			return NULL;
		return json_is_true(value) ? "yes" : "no";
	case SHOW_NUMBER:
		snprintf(out, TEXT_MAX, "%" JSON_INTEGER_FORMAT, number);
		break;
	case SHOW_TIME:
		return json_is_integer(value) ? time_text(number, out) : NULL;
	case SHOW_BYTES:
		table_bytes(number < 0 ? 0 : (uint64_t)number, out);
		break;
	}
	return json_is_integer(value) ? out : NULL;
}

static const json_t *client_list(const json_t *doc)
{
	const json_t *list = json_object_get(doc, "clients");

	return json_is_array(list) ? list : NULL;
}

int show_print(const json_t *doc, FILE *out)
{
	const json_t *list = client_list(doc);
	char text[TEXT_MAX];
	struct table *t;

	if (!list)
		return -EPROTO;
	t = table_new(titles, COLUMNS);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *client = json_array_get(list, i);

		for (size_t c = 0; c < COLUMNS; c++)
			table_cell(t,
			    cell_text(json_object_get(client, fields[c].field),
				fields[c].kind, text));
	}
	table_print(t, out);
	table_free(t);
	return 0;
}

int show_has_r(const json_t *doc, const char *r)
{
	const json_t *list = client_list(doc);
	char text[TEXT_MAX];

	if (!list)
		return -EPROTO;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *have =
		    cell_text(json_object_get(json_array_get(list, i), "r"),
			SHOW_NUMBER, text);

		if (have && strcmp(have, r) == 0)
			return 1;
	}
	return 0;
}

int cmd_show(const struct cmd_env *env, const struct cmd_args *args)
{
	json_t *doc = cmd_ask(env, (const char *const[]){"show", NULL});
	int err = 0;

	if (!doc)
		return EXITCODE_FAILURE;
	if (args->is_json) {
		json_dumpf(doc, env->out, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', env->out);
	} else {
		err = show_print(doc, env->out);
	}
	json_decref(doc);
	if (err)
		return cmd_fail(env, "l2tpd's answer has no list of clients");
	return EXITCODE_OK;
}
