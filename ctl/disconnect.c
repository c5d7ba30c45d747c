/* SPDX-License-Identifier: ISC */
/* `sallyport disconnect`: by R or by user. */
#include "common/exitcode.h"
#include "ctl/cmd.h"
#include "ctl/show.h"

#include <string.h>

static bool is_number(const char *text)
{
	return text[0] && strspn(text, "0123456789") == strlen(text);
}

/* "r" or "user": what *name is; NULL after a failure, which was printed. */
static const char *kind_of(const struct cmd_env *env, const char **name)
{
	json_t *doc;
	int found;

	if (strncmp(*name, "r=", 2) == 0 && is_number(*name + 2)) {
		*name += 2;
		return "r";
	}
	if (strncmp(*name, "user=", 5) == 0) {
		*name += 5;
		return "user";
	}
	if (!is_number(*name))
		return "user";
	doc = cmd_ask(env, (const char *const[]){"show", NULL});
	if (!doc)
		return NULL;
	found = show_has_r(doc, *name);
	json_decref(doc);
	return found > 0 ? "r" : "user";
}

int cmd_disconnect(const struct cmd_env *env, const struct cmd_args *args)
{
	const char *name = args->operand[0];
	const char *kind = kind_of(env, &name);
	json_int_t count;
	json_t *doc;

	if (!kind)
		return EXITCODE_FAILURE;
	doc =
	    cmd_ask(env, (const char *const[]){"disconnect", kind, name, NULL});
	if (!doc)
		return EXITCODE_FAILURE;
	count = json_integer_value(json_object_get(doc, "disconnected"));
	json_decref(doc);
	if (count <= 0)
		return cmd_fail(env, "no connected client is %s %s",
		    kind[0] == 'r' ? "R" : "user", name);
	fprintf(env->out, "%d client%s disconnected\n", (int)count,
	    count == 1 ? "" : "s");
	return EXITCODE_OK;
}
