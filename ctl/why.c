/* SPDX-License-Identifier: ISC */
/* `sallyport why ADDRESS`: the last refusals of a client. */
#include "common/addr.h"
#include "common/exitcode.h"
#include "ctl/cmd.h"

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
	const char *daemon = json_string_value(json_object_get(one, "daemon"));
	char when[WHEN_MAX];

	fprintf(out, "%s  %s  ", when_text(json_object_get(one, "time"), when),
	    daemon ? daemon : "-");
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

static void print(const json_t *doc, const char *address, FILE *out)
{
	const json_t *list = json_object_get(doc, "refusals");

	if (!json_array_size(list))
		print_none(doc, address, out);
	for (size_t i = 0; i < json_array_size(list); i++)
		print_one(json_array_get(list, i), out);
}

static json_int_t time_of(const json_t *list, size_t at)
{
	return json_integer_value(
	    json_object_get(json_array_get(list, at), "time"));
}

/* Newest first; of the same second, whoever was put in first. */
static void put_in(json_t *list, json_t *one)
{
	json_int_t when = json_integer_value(json_object_get(one, "time"));
	size_t at = 0;

	while (at < json_array_size(list) && time_of(list, at) >= when)
		at++;
	json_array_insert(list, at, one);
}

/* One daemon's answer into the common one; false: it has none. */
static bool ask(const struct cmd_env *env, const char *daemon,
    const char *address, json_t *all)
{
	json_t *doc = cmd_ask_daemon(
	    env, daemon, (const char *const[]){"why", address, NULL});
	json_t *list = json_object_get(doc, "refusals"), *one;
	json_t *since = json_object_get(doc, "since");
	bool is_good = json_is_array(list);
	size_t i;

	if (doc && !is_good)
		cmd_fail(env, "%s's answer has no list of refusals", daemon);
	json_array_foreach(list, i, one)
	{
		json_object_set_new(one, "daemon", json_string(daemon));
		put_in(json_object_get(all, "refusals"), one);
	}
	/* Both remember since the later of the two. */
	if (is_good && json_integer_value(since) >=
			   json_integer_value(json_object_get(all, "since")))
		json_object_set(all, "since", since);
	json_array_append_new(
	    json_object_get(all, is_good ? "daemons" : "silent"),
	    json_string(daemon));
	json_decref(doc);
	return is_good;
}

int cmd_why(const struct cmd_env *env, const struct cmd_args *args)
{
	const char *address = args->operand[0];
	struct addr parsed;
	bool has_l2tpd, has_ikev1d;
	json_t *all;

	if (addr_parse(&parsed, address))
		return cmd_fail(env, "%s is no IP address", address);
	all = json_pack("{s:i, s:s, s:i, s:[], s:[], s:[]}", "version", 1,
	    "address", address, "since", 0, "daemons", "silent", "refusals");
	/* L2TP comes after IKE: of the same second it is the newer one. */
	has_l2tpd = ask(env, "l2tpd", address, all);
	has_ikev1d = ask(env, "ikev1d", address, all);
	if (has_l2tpd || has_ikev1d) {
		if (args->is_json) {
			json_dumpf(
			    all, env->out, JSON_COMPACT | JSON_ENSURE_ASCII);
			fputc('\n', env->out);
		} else {
			print(all, address, env->out);
		}
	}
	json_decref(all);
	return has_l2tpd || has_ikev1d ? EXITCODE_OK : EXITCODE_FAILURE;
}
