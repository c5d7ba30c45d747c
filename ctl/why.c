/* SPDX-License-Identifier: ISC */
/* `sallyport why ADDRESS`: the last refusals of a client. */
#include "common/addr.h"
#include "common/exitcode.h"
#include "ctl/cmd.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define WHEN_MAX 32

static const char *when_text(const json_t *seconds, char out[WHEN_MAX])
{
	time_t when = (time_t)json_integer_value(seconds);
	struct tm tm;

	if (!localtime_r(&when, &tm) ||
	    !strftime(out, WHEN_MAX, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(out, WHEN_MAX, "-");
	return out;
}

/* Texts hold what clients sent: nothing but printable ASCII comes out. */
static void print_safe(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c <= 0x7e)
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
}

static void print_one(const json_t *one, FILE *out)
{
	json_int_t count = json_integer_value(json_object_get(one, "count"));
	const char *what = json_string_value(json_object_get(one, "what"));
	const char *remedy = json_string_value(json_object_get(one, "remedy"));
	const char *peer = json_string_value(json_object_get(one, "peer"));
	const char *local = json_string_value(json_object_get(one, "local"));
	char when[WHEN_MAX];

	fprintf(out, "%s  ", when_text(json_object_get(one, "time"), when));
	print_safe(out, peer ? peer : "-");
	if (local) {
		fputs(" -> ", out);
		print_safe(out, local);
	}
	if (count > 1)
		fprintf(out, ", %" JSON_INTEGER_FORMAT " times", count);
	fputs("\n    ", out);
	print_safe(out, what ? what : "-");
	if (remedy) {
		fputs("\n    What to do: ", out);
		print_safe(out, remedy);
	}
	fputc('\n', out);
}

/* Nothing was refused: that is an answer, too. */
static void print_none(const json_t *doc, const char *address, FILE *out)
{
	char since[WHEN_MAX];

	fprintf(out,
	    "Nothing of %s was refused since %s.\n"
	    "If it cannot connect, do its packets arrive?  tcpdump -ni any "
	    "host %s and udp\n",
	    address, when_text(json_object_get(doc, "since"), since), address);
}

static int print(const json_t *doc, const char *address, FILE *out)
{
	const json_t *list = json_object_get(doc, "refusals");

	if (!json_is_array(list))
		return -EPROTO;
	if (!json_array_size(list))
		print_none(doc, address, out);
	for (size_t i = 0; i < json_array_size(list); i++)
		print_one(json_array_get(list, i), out);
	return 0;
}

int cmd_why(const struct cmd_env *env, const struct cmd_args *args)
{
	const char *address = args->operand[0];
	struct addr parsed;
	json_t *doc;
	int err = 0;

	if (addr_parse(&parsed, address))
		return cmd_fail(env, "%s is no IP address", address);
	doc = cmd_ask_daemon(
	    env, "ikev1d", (const char *const[]){"why", address, NULL});
	if (!doc)
		return EXITCODE_FAILURE;
	if (args->is_json) {
		json_dumpf(doc, env->out, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputc('\n', env->out);
	} else {
		err = print(doc, address, env->out);
	}
	json_decref(doc);
	return err ? cmd_fail(env, "ikev1d's answer has no list of refusals")
		   : EXITCODE_OK;
}
