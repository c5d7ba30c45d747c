/* SPDX-License-Identifier: ISC */
/*
 * The operator's command: one table of subcommands, each a function that
 * gets its surroundings as data, so that tests run it on temporary files.
 *
 * Exit codes: 0 done, 1 failed (or findings, for check), 2 usage.
 */
#ifndef CTL_CMD_H
#define CTL_CMD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define CMD_DIR "/etc/sallyport"
#define CMD_PATH_MAX 512

/* Where a command runs. */
struct cmd_env {
	const char *dir;  /* of sallyport.conf, psk and users */
	const char *root; /* "", or where check finds /proc and /dev */
	int in_fd;	  /* a password is read from it */
	FILE *out;	  /* results */
	FILE *err;	  /* one line a failure; prompts */
};

/* What was given to a command. */
struct cmd_args {
	bool is_json;	      /* -j */
	bool is_plain;	      /* --plain */
	int count;	      /* operands */
	char *const *operand; /* count of them, then NULL */
};

struct cmd {
	const char *name;    /* "show", "user add" */
	const char *usage;   /* options and operands, for the usage line */
	const char *summary; /* one line, for the list of commands */
	const char *help;    /* what --help adds: sentences, or "" */
	int operands_min, operands_max;
	bool has_json;	/* takes -j */
	bool has_plain; /* takes --plain */
	int (*run)(const struct cmd_env *env, const struct cmd_args *args);
};

/* Every command, ended by a row whose name is NULL. */
extern const struct cmd cmd_table[];

/*
 * Runs `sallyport argv[1]...`; without a command, `show`.  -C DIR replaces
 * env->dir.  Returns the exit code.
 */
int cmd_main(const struct cmd_env *env, int argc, char **argv);

/* "sallyport: text" and a newline to env->err. Returns EXITCODE_FAILURE. */
int cmd_fail(const struct cmd_env *env, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* env->dir/name; cut when longer than a path may be. Returns out. */
const char *cmd_file(
    const struct cmd_env *env, const char *name, char out[CMD_PATH_MAX]);
/*
 * Asks l2tpd.  NULL after a failure, which has been printed.  The words end
 * with NULL.
 */
json_t *cmd_ask(const struct cmd_env *env, const char *const *words);
/* The same of either daemon, l2tpd or ikev1d. */
json_t *cmd_ask_daemon(
    const struct cmd_env *env, const char *daemon, const char *const *words);

/* The commands (ctl/NAME.c). */
int cmd_show(const struct cmd_env *env, const struct cmd_args *args);
int cmd_show_sas(const struct cmd_env *env, const struct cmd_args *args);
int cmd_user_add(const struct cmd_env *env, const struct cmd_args *args);
int cmd_user_del(const struct cmd_env *env, const struct cmd_args *args);
int cmd_user_list(const struct cmd_env *env, const struct cmd_args *args);
int cmd_disconnect(const struct cmd_env *env, const struct cmd_args *args);
int cmd_why(const struct cmd_env *env, const struct cmd_args *args);
int cmd_check(const struct cmd_env *env, const struct cmd_args *args);
int cmd_version(const struct cmd_env *env, const struct cmd_args *args);

#endif
