/* SPDX-License-Identifier: ISC */
/* The table of subcommands, and how the command line picks one. */
#include "ctl/cmd.h"

#include "common/ctl.h"
#include "common/exitcode.h"
#include "common/rundir.h"
#include "common/version.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct cmd cmd_table[] = {
    {.name = "show",
	.usage = "[-j]",
	.summary = "who is connected (the default)",
	.help = "One line for each client: R (its number, never used "
		"twice), user, outer\naddress, whether it is behind NAT, "
		"cipher suites (phase 1/phase 2), address\ngiven, since "
		"when, bytes received from and sent to it, state.\n"
		"  -j, --json  the daemon's JSON instead; its fields are in "
		"sallyport(8)\n",
	.has_json = true,
	.run = cmd_show},
    {.name = "show sas",
	.usage = "[-j]",
	.summary = "the IKE SAs and their pairs of IPsec SAs",
	.help = "First the IKE SAs (phase 1), then the pairs of IPsec SAs "
		"(phase 2) with the R of\ntheir client.  AGE, REKEY and "
		"EXPIRES are h:mm:ss; HEARD is how long the client\nhas been "
		"silent; LINE is that of the psk file.\n"
		"  -j, --json  the daemon's JSON instead; its fields are in "
		"sallyport(8)\n",
	.has_json = true,
	.run = cmd_show_sas},
    {.name = "user add",
	.usage = "[--plain] NAME [ip=A.B.C.D]",
	.summary = "add a user, or change the password of one",
	.help = "Reads the password from the terminal, twice, or one line "
		"of standard input\nwhen that is no terminal.  What is kept "
		"is the NT hash, enough for MS-CHAPv2.\n"
		"  --plain     keep the password itself: chap-md5 needs it\n"
		"  ip=A.B.C.D  the address that this user always gets\n",
	.operands_min = 1,
	.operands_max = 8,
	.has_plain = true,
	.run = cmd_user_add},
    {.name = "user del",
	.usage = "NAME",
	.summary = "remove a user",
	.help = "A connected user stays connected: see disconnect.\n",
	.operands_min = 1,
	.operands_max = 1,
	.run = cmd_user_del},
    {.name = "user list",
	.usage = "",
	.summary = "list the users, without secrets",
	.help = "",
	.run = cmd_user_list},
    {.name = "disconnect",
	.usage = "USER|R",
	.summary = "end a client's connection",
	.help = "A number that show lists is an R; anything else is a user. "
		"r=17 and user=17\nsay which.\n",
	.operands_min = 1,
	.operands_max = 1,
	.run = cmd_disconnect},
    {.name = "why",
	.usage = "[-j] ADDRESS",
	.summary = "why the client at an address was refused",
	.help = "The last refusals of that outer address, sixteen a daemon, "
		"newest first: when,\nwhich daemon, what happened, what to "
		"do.  A daemon that restarts forgets its own.\n"
		"  -j, --json  JSON instead; its fields are in "
		"sallyport(8)\n",
	.operands_min = 1,
	.operands_max = 1,
	.has_json = true,
	.run = cmd_why},
    {.name = "check",
	.usage = "",
	.summary = "look for what keeps clients from connecting",
	.help = "Configuration, secrets, kernel, ports, pppd, firewall, "
		"daemons.  Each finding\ncomes with its remedy; nothing is "
		"changed.  Exit code 0: nothing is wrong,\n1: there are "
		"findings.\n",
	.run = cmd_check},
    {.name = "version",
	.usage = "",
	.summary = "print the version",
	.help = "",
	.run = cmd_version},
    {.name = NULL},
};

int cmd_fail(const struct cmd_env *env, const char *format, ...)
{
	va_list ap;

	fputs("sallyport: ", env->err);
	va_start(ap, format);
	vfprintf(env->err, format, ap);
	va_end(ap);
	fputc('\n', env->err);
	return EXITCODE_FAILURE;
}

const char *cmd_file(
    const struct cmd_env *env, const char *name, char out[CMD_PATH_MAX])
{
	snprintf(out, CMD_PATH_MAX, "%s/%s", env->dir, name);
	return out;
}

json_t *cmd_ask(const struct cmd_env *env, const char *const *words)
{
	return cmd_ask_daemon(env, "l2tpd", words);
}

json_t *cmd_ask_daemon(
    const struct cmd_env *env, const char *daemon, const char *const *words)
{
	char path[RUNDIR_PATH_MAX], error[CTL_ERROR_MAX], name[32];
	json_t *doc = NULL;
	size_t count = 0;

	while (words[count])
		count++;
	snprintf(name, sizeof(name), "%s.sock", daemon);
	if (rundir_path(path, name)) {
		cmd_fail(env, "%s is too long", rundir());
		return NULL;
	}
	if (ctl_request(path, daemon, words, count, &doc, error)) {
		cmd_fail(env, "%s", error);
		return NULL;
	}
	return doc;
}

int cmd_version(const struct cmd_env *env, const struct cmd_args *args)
{
	(void)args;
	fprintf(env->out, "sallyport %s\n", SALLYPORT_VERSION);
	return EXITCODE_OK;
}

/* --- the command line ----------------------------------------------------- */

static void print_list(FILE *to)
{
	fputs("usage: sallyport [-C DIR] [COMMAND] [ARGUMENT...]\n\n", to);
	for (const struct cmd *c = cmd_table; c->name; c++)
		fprintf(
		    to, "  %-11s %-28s %s\n", c->name, c->usage, c->summary);
	fprintf(to,
	    "\n  -C DIR      configuration directory, instead of %s\n"
	    "  -h, --help  this list; after a command, its explanation\n\n"
	    "Exit code: 0 done, 1 failed, 2 wrong usage.\n",
	    CMD_DIR);
}

static void print_usage(const struct cmd *c, FILE *to)
{
	fprintf(to, "usage: sallyport %s%s%s\n", c->name,
	    c->usage[0] ? " " : "", c->usage);
}

static void print_help(const struct cmd *c, FILE *to)
{
	print_usage(c, to);
	fprintf(to, "\n%c%s.\n%s", c->summary[0] - 'a' + 'A', c->summary + 1,
	    c->help);
}

/*
 * The command that argv names, and in *used of how many words; NULL when
 * there is none.
 */
static const struct cmd *find_command(int argc, char **argv, int *used)
{
	const struct cmd *found = NULL;

	for (const struct cmd *c = cmd_table; c->name; c++) {
		const char *blank = strchr(c->name, ' ');
		size_t len = blank ? (size_t)(blank - c->name) : 0;

		if (!blank && strcmp(argv[0], c->name) == 0) {
			found = c;
			*used = 1;
		}
		/* "show sas" is not "show" of something. */
		if (blank && argc > 1 && strlen(argv[0]) == len &&
		    strncmp(argv[0], c->name, len) == 0 &&
		    strcmp(argv[1], blank + 1) == 0) {
			*used = 2;
			return c;
		}
	}
	return found;
}

static bool is_word(const char *arg, const char *brief, const char *full)
{
	return strcmp(arg, brief) == 0 || strcmp(arg, full) == 0;
}

/*
 * Options of one command; operands stay in order in argv[0...].  Returns
 * -1 to go on, or an exit code.
 */
static int parse_args(const struct cmd_env *env, const struct cmd *c, int argc,
    char **argv, struct cmd_args *out)
{
	bool is_over = false;
	int count = 0;

	for (int i = 0; i < argc; i++) {
		char *arg = argv[i];

		if (is_over || arg[0] != '-' || !arg[1]) {
			argv[count++] = arg;
		} else if (strcmp(arg, "--") == 0) {
			is_over = true;
		} else if (is_word(arg, "-h", "--help")) {
			print_help(c, env->out);
			return EXITCODE_OK;
		} else if (c->has_json && is_word(arg, "-j", "--json")) {
			out->is_json = true;
		} else if (c->has_plain && is_word(arg, "-p", "--plain")) {
			out->is_plain = true;
		} else {
			cmd_fail(env, "%s: unknown option %s", c->name, arg);
			print_usage(c, env->err);
			return EXITCODE_USAGE;
		}
	}
	out->count = count;
	out->operand = argv;
	if (count >= c->operands_min && count <= c->operands_max)
		return -1;
	print_usage(c, env->err);
	return EXITCODE_USAGE;
}

static int run_command(
    const struct cmd_env *env, const struct cmd *c, int argc, char **argv)
{
	struct cmd_args args = {0};
	int code = parse_args(env, c, argc, argv, &args);

	return code >= 0 ? code : c->run(env, &args);
}

/* Is it the first word of commands, as "user" is? */
static bool is_prefix(const char *word)
{
	size_t len = strlen(word);

	for (const struct cmd *c = cmd_table; c->name; c++) {
		if (strncmp(c->name, word, len) == 0 && c->name[len] == ' ')
			return true;
	}
	return false;
}

static int no_such_command(const struct cmd_env *env, int argc, char **argv)
{
	bool wants_help = argc > 1 && is_word(argv[1], "-h", "--help");

	if (!is_prefix(argv[0])) {
		cmd_fail(env, "no command is called %s; see sallyport --help",
		    argv[0]);
		return EXITCODE_USAGE;
	}
	for (const struct cmd *c = cmd_table; c->name; c++) {
		size_t len = strlen(argv[0]);

		if (strncmp(c->name, argv[0], len) == 0 && c->name[len] == ' ')
			print_usage(c, wants_help ? env->out : env->err);
	}
	return wants_help ? EXITCODE_OK : EXITCODE_USAGE;
}

int cmd_main(const struct cmd_env *env, int argc, char **argv)
{
	struct cmd_env here = *env;
	const struct cmd *c;
	int i = 1, used = 0;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (is_word(argv[i], "-h", "--help")) {
			print_list(env->out);
			return EXITCODE_OK;
		}
		if (strcmp(argv[i], "--version") == 0)
			return cmd_version(&here, NULL);
		if (strcmp(argv[i], "-C") != 0)
			break;
		if (++i == argc) {
			print_list(env->err);
			return EXITCODE_USAGE;
		}
		here.dir = argv[i];
	}
	/* `sallyport` and `sallyport -j` are `show`. */
	if (i == argc || argv[i][0] == '-')
		return run_command(&here, &cmd_table[0], argc - i, argv + i);
	c = find_command(argc - i, argv + i, &used);
	if (!c)
		return no_such_command(&here, argc - i, argv + i);
	return run_command(&here, c, argc - i - used, argv + i + used);
}
