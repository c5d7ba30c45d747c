/* SPDX-License-Identifier: ISC */
/*
 * The operator's command through cmd_main(), on files in a temporary
 * directory: help, users, and what happens without a daemon.
 */
#include "ctl/cmd.h"

#include "common/alloc.h"
#include "common/rundir.h"
#include "common/version.h"
#include "test/lib/tmptree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 12

struct fixture {
	struct tmptree tree;
	char *out, *err; /* of the last run */
	const char *input;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	tmptree_make(&f->tree);
	setenv(RUNDIR_ENV, f->tree.dir, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tmptree_remove(&f->tree);
	free(f->out);
	free(f->err);
	free(f);
	return 0;
}

/* A descriptor from which text can be read once. */
static int input_of(const char *text)
{
	int fds[2];

	assert_return_code(pipe(fds), errno);
	assert_int_equal(
	    write(fds[1], text, strlen(text)), (ssize_t)strlen(text));
	close(fds[1]);
	return fds[0];
}

/* Runs the words after "sallyport -C DIR"; the last argument is NULL. */
static int run(struct fixture *f, ...)
{
	char *argv[ARGS_MAX + 4] = {"sallyport", "-C", f->tree.dir};
	struct cmd_env env = {.dir = "/nonexistent", .root = f->tree.dir};
	size_t out_len, err_len;
	int argc = 3, code;
	va_list ap;

	va_start(ap, f);
	while (argc < ARGS_MAX + 3 && (argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	free(f->out);
	free(f->err);
	env.out = open_memstream(&f->out, &out_len);
	env.err = open_memstream(&f->err, &err_len);
	env.in_fd = input_of(f->input ? f->input : "");
	code = cmd_main(&env, argc, argv);
	fclose(env.out);
	fclose(env.err);
	close(env.in_fd);
	return code;
}

static void says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

/* --- the command line ----------------------------------------------------- */

static void every_command_has_help(void **state)
{
	struct fixture *f = *state;
	char name[64], *blank;

	assert_int_equal(run(f, "--help", NULL), 0);
	for (const struct cmd *c = cmd_table; c->name; c++)
		says(f->out, c->summary);
	for (const struct cmd *c = cmd_table; c->name; c++) {
		snprintf(name, sizeof(name), "%s", c->name);
		blank = strchr(name, ' ');
		if (blank)
			*blank++ = '\0';
		for (size_t i = 0; i < 2; i++) {
			char *help = i ? "-h" : "--help";

			assert_int_equal(blank ? run(f, name, blank, help, NULL)
					       : run(f, name, help, NULL),
			    0);
			says(f->out, "usage: sallyport ");
			says(f->out, c->usage);
			says(f->out, c->summary + 1);
			assert_string_equal(f->err, "");
		}
	}
	assert_int_equal(run(f, "user", "--help", NULL), 0);
	says(f->out, "user add");
	says(f->out, "user del");
}

static void wrong_usage_is_2(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "nonsense", NULL), 2);
	says(f->err, "nonsense");
	assert_int_equal(run(f, "user", NULL), 2);
	says(f->err, "user list");
	assert_int_equal(run(f, "user", "rename", NULL), 2);
	assert_int_equal(run(f, "users", "add", NULL), 2);
	assert_int_equal(run(f, "user", "del", NULL), 2);
	assert_int_equal(run(f, "user", "del", "a", "b", NULL), 2);
	assert_int_equal(run(f, "user", "list", "a", NULL), 2);
	assert_int_equal(run(f, "disconnect", NULL), 2);
	assert_int_equal(run(f, "why", NULL), 2);
	assert_int_equal(run(f, "why", "::1", "::2", NULL), 2);
	assert_int_equal(run(f, "show", "-x", NULL), 2);
	says(f->err, "-x");
	assert_int_equal(run(f, "check", "--plain", NULL), 2);
	assert_int_equal(run(f, "user", "add", "-j", "anna", NULL), 2);
	assert_int_equal(run(f, "-C", NULL), 2);
	assert_int_equal(run(f, "--wrong", NULL), 2);
	assert_string_equal(f->out, "");
}

static void prints_its_version(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "version", NULL), 0);
	assert_string_equal(f->out, "sallyport " SALLYPORT_VERSION "\n");
	assert_int_equal(run(f, "--version", NULL), 0);
	assert_string_equal(f->out, "sallyport " SALLYPORT_VERSION "\n");
}

static void without_a_daemon(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, NULL), 1);
	says(f->err, "l2tpd is not running");
	assert_int_equal(run(f, "-j", NULL), 1);
	assert_int_equal(run(f, "show", NULL), 1);
	assert_int_equal(run(f, "disconnect", "anna", NULL), 1);
	assert_int_equal(run(f, "disconnect", "17", NULL), 1);
	says(f->err, "systemctl start l2tpd");
	assert_int_equal(run(f, "why", "203.0.113.7", NULL), 1);
	says(f->err, "systemctl start ikev1d");
	assert_string_equal(f->out, "");
}

/* --- users ---------------------------------------------------------------- */

static void adds_lists_and_removes(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char *text;

	f->input = "password\n";
	assert_int_equal(
	    run(f, "user", "add", "anna", "ip=10.20.0.11", NULL), 0);
	assert_string_equal(f->out, "user anna added\n");
	assert_return_code(stat(tmptree_file(&f->tree, "users"), &st), errno);
	assert_int_equal(st.st_mode & 07777, 0600);
	text = tmptree_get(&f->tree, "users");
	/* The NT hash of "password". */
	assert_int_equal(
	    strncasecmp(text, "anna:$nt$8846f7eaee8fb117ad06bdd830b7586c", 41),
	    0);
	says(text, " ip=10.20.0.11\n");
	free(text);
	assert_int_equal(run(f, "user", "add", "--plain", "b b", NULL), 0);
	text = tmptree_get(&f->tree, "users");
	says(text, "\nb%20b:$plain$password\n");
	free(text);
	assert_int_equal(run(f, "user", "list", NULL), 0);
	assert_string_equal(f->out, "USER  SECRET  ADDRESS\n"
				    "anna  nt      10.20.0.11\n"
				    "b b   plain   -\n");
	assert_int_equal(run(f, "user", "del", "anna", NULL), 0);
	assert_int_equal(run(f, "user", "del", "anna", NULL), 1);
	says(f->err, "no user is called anna");
	assert_int_equal(run(f, "user", "list", NULL), 0);
	assert_null(strstr(f->out, "anna"));
	assert_int_equal(access(tmptree_file(&f->tree, "users.new"), F_OK), -1);
}

static void a_change_keeps_the_rest(void **state)
{
	struct fixture *f = *state;
	char *text;

	tmptree_put(&f->tree, "users",
	    "# mine\n\nanna:$plain$old ip=10.20.0.11\nbob:$plain$b\n", 0600);
	f->input = "new\r\nmore";
	assert_int_equal(run(f, "user", "add", "anna", "--plain", NULL), 0);
	assert_string_equal(f->out, "user anna changed\n");
	text = tmptree_get(&f->tree, "users");
	assert_string_equal(
	    text, "# mine\n\nanna:$plain$new ip=10.20.0.11\nbob:$plain$b\n");
	free(text);
	/* After --, a name may look like an option. */
	assert_int_equal(run(f, "user", "add", "--", "-x", NULL), 0);
	assert_int_equal(run(f, "user", "del", "--", "-x", NULL), 0);
	text = tmptree_get(&f->tree, "users");
	says(text, "# mine\n\nanna:$plain$new");
	free(text);
}

static void refuses_bad_users(void **state)
{
	static const char before[] = "anna:$plain$a ip=10.20.0.11\n";
	struct fixture *f = *state;
	char *text, big[700];

	tmptree_put(&f->tree, "users", before, 0600);
	f->input = "";
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	says(f->err, "empty");
	f->input = "\n";
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	memset(big, 'p', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	f->input = big;
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	says(f->err, "too long");
	f->input = "pa\xff\xfess\n";
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	f->input = "password\n";
	assert_int_equal(
	    run(f, "user", "add", "bob", "ip=10.20.0.11", NULL), 1);
	says(f->err, "anna has that address");
	assert_int_equal(run(f, "user", "add", "bob", "ip=10.20.0", NULL), 2);
	assert_int_equal(run(f, "user", "add", "bob", "ip", NULL), 2);
	says(f->err, "KEY=VALUE");
	assert_int_equal(run(f, "user", "add", "bob", "=1", NULL), 2);
	assert_int_equal(run(f, "user", "add", "bob", "color=red", NULL), 2);
	assert_int_equal(
	    run(f, "user", "add", "bob", "akeythatistoolong=1", NULL), 2);
	assert_int_equal(run(f, "user", "add", "", NULL), 2);
	assert_int_equal(run(f, "user", "add", "a\nb", NULL), 2);
	text = tmptree_get(&f->tree, "users");
	assert_string_equal(text, before);
	free(text);
}

static void a_broken_file_is_not_touched(void **state)
{
	static const char broken[] = "anna:$plain$a\nwhat is this\n";
	struct fixture *f = *state;
	char *text;

	tmptree_put(&f->tree, "users", broken, 0600);
	f->input = "password\n";
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	says(f->err, "users:2:");
	assert_int_equal(run(f, "user", "del", "anna", NULL), 1);
	assert_int_equal(run(f, "user", "list", NULL), 1);
	text = tmptree_get(&f->tree, "users");
	assert_string_equal(text, broken);
	free(text);
}

static void no_directory(void **state)
{
	struct fixture *f = *state;

	f->input = "password\n";
	assert_int_equal(rmdir(f->tree.dir), 0);
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	says(f->err, f->tree.dir);
	assert_int_equal(run(f, "user", "list", NULL), 0); /* nobody yet */
	assert_return_code(mkdir(f->tree.dir, 0700), errno);
	assert_return_code(mkdir(tmptree_file(&f->tree, "users"), 0700), errno);
	assert_int_equal(run(f, "user", "list", NULL), 1);
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
}

/* Changes at the same time wait for each other: none is lost. */
static void changes_at_the_same_time(void **state)
{
	enum { WRITERS = 4, EACH = 3 };
	struct fixture *f = *state;
	pid_t pids[WRITERS];
	char name[16];

	f->input = "password\n";
	for (int w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		if (pids[w] != 0)
			continue;
		for (int i = 0; i < EACH; i++) {
			snprintf(name, sizeof(name), "u%d.%d", w, i);
			if (run(f, "user", "add", "--plain", name, NULL))
				_exit(1);
		}
		_exit(0);
	}
	for (int w = 0; w < WRITERS; w++) {
		int status = -1;

		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(run(f, "user", "list", NULL), 0);
	for (int w = 0; w < WRITERS; w++) {
		for (int i = 0; i < EACH; i++) {
			snprintf(name, sizeof(name), "u%d.%d", w, i);
			says(f->out, name);
		}
	}
}

static void check_sums_up(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(run(f, "check", NULL), 1);
	says(f->out, "PROBLEM");
	says(f->out, "ikev1d is not running\n");
	says(f->out, "systemctl enable --now l2tpd");
	says(f->out, " problems\n");
	assert_string_equal(f->err, "");
}

#define CMD_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CMD_TEST(every_command_has_help),
	    CMD_TEST(wrong_usage_is_2),
	    CMD_TEST(prints_its_version),
	    CMD_TEST(without_a_daemon),
	    CMD_TEST(adds_lists_and_removes),
	    CMD_TEST(a_change_keeps_the_rest),
	    CMD_TEST(refuses_bad_users),
	    CMD_TEST(a_broken_file_is_not_touched),
	    CMD_TEST(no_directory),
	    CMD_TEST(changes_at_the_same_time),
	    CMD_TEST(check_sums_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
