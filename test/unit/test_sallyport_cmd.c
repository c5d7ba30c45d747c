/* SPDX-License-Identifier: ISC */
/*
 * The operator's command through cmd_main(), on files in a temporary
 * directory: help, users, show and disconnect without a daemon, check
 * below a made-up root.
 */
#include "ctl/cmd.h"

#include "common/alloc.h"
#include "common/rundir.h"
#include "common/version.h"
#include "ctl/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGS_MAX 12

struct fixture {
	char dir[64];
	char path[128];
	char *out, *err; /* of the last run */
	const char *input;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/sallyport-cmd.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	setenv(RUNDIR_ENV, f->dir, 1);
	*state = f;
	return 0;
}

static int remove_one(
    const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f->out);
	free(f->err);
	free(f);
	return 0;
}

static const char *file(struct fixture *f, const char *name)
{
	snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
	return f->path;
}

static void put(struct fixture *f, const char *name, const char *text, int mode)
{
	FILE *to = fopen(file(f, name), "w");

	assert_non_null(to);
	fputs(text, to);
	fclose(to);
	assert_return_code(chmod(f->path, (mode_t)mode), errno);
}

static char *get(struct fixture *f, const char *name)
{
	char *text = xcalloc(1, 4096);
	FILE *from = fopen(file(f, name), "r");

	assert_non_null(from);
	assert_true(fread(text, 1, 4095, from) < 4095);
	fclose(from);
	return text;
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
	char *argv[ARGS_MAX + 4] = {"sallyport", "-C", f->dir};
	struct cmd_env env = {.dir = "/nonexistent", .root = f->dir};
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
	assert_return_code(stat(file(f, "users"), &st), errno);
	assert_int_equal(st.st_mode & 07777, 0600);
	text = get(f, "users");
	/* The NT hash of "password". */
	assert_int_equal(
	    strncasecmp(text, "anna:$nt$8846f7eaee8fb117ad06bdd830b7586c", 41),
	    0);
	says(text, " ip=10.20.0.11\n");
	free(text);
	assert_int_equal(run(f, "user", "add", "--plain", "b b", NULL), 0);
	text = get(f, "users");
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
	assert_int_equal(access(file(f, "users.new"), F_OK), -1);
}

static void a_change_keeps_the_rest(void **state)
{
	struct fixture *f = *state;
	char *text;

	put(f, "users",
	    "# mine\n\nanna:$plain$old ip=10.20.0.11\nbob:$plain$b\n", 0600);
	f->input = "new\r\nmore";
	assert_int_equal(run(f, "user", "add", "anna", "--plain", NULL), 0);
	assert_string_equal(f->out, "user anna changed\n");
	text = get(f, "users");
	assert_string_equal(
	    text, "# mine\n\nanna:$plain$new ip=10.20.0.11\nbob:$plain$b\n");
	free(text);
	/* After --, a name may look like an option. */
	assert_int_equal(run(f, "user", "add", "--", "-x", NULL), 0);
	assert_int_equal(run(f, "user", "del", "--", "-x", NULL), 0);
	text = get(f, "users");
	says(text, "# mine\n\nanna:$plain$new");
	free(text);
}

static void refuses_bad_users(void **state)
{
	static const char before[] = "anna:$plain$a ip=10.20.0.11\n";
	struct fixture *f = *state;
	char *text, big[700];

	put(f, "users", before, 0600);
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
	text = get(f, "users");
	assert_string_equal(text, before);
	free(text);
}

static void a_broken_file_is_not_touched(void **state)
{
	static const char broken[] = "anna:$plain$a\nwhat is this\n";
	struct fixture *f = *state;
	char *text;

	put(f, "users", broken, 0600);
	f->input = "password\n";
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	says(f->err, "users:2:");
	assert_int_equal(run(f, "user", "del", "anna", NULL), 1);
	assert_int_equal(run(f, "user", "list", NULL), 1);
	text = get(f, "users");
	assert_string_equal(text, broken);
	free(text);
}

static void no_directory(void **state)
{
	struct fixture *f = *state;

	f->input = "password\n";
	assert_int_equal(rmdir(f->dir), 0);
	assert_int_equal(run(f, "user", "add", "bob", NULL), 1);
	says(f->err, f->dir);
	assert_int_equal(run(f, "user", "list", NULL), 0); /* nobody yet */
	assert_return_code(mkdir(f->dir, 0700), errno);
	assert_return_code(mkdir(file(f, "users"), 0700), errno);
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

/* --- check ---------------------------------------------------------------- */

struct checked {
	struct cmd_env env;
	struct check c;
	char *text;
};

static void one_check(
    struct fixture *f, struct checked *k, void (*check)(struct check *))
{
	size_t len;

	free(k->text);
	k->text = NULL;
	k->env = (struct cmd_env){.dir = f->dir, .root = f->dir};
	k->env.out = open_memstream(&k->text, &len);
	k->c.env = &k->env;
	k->c.problems = 0;
	check(&k->c);
	fclose(k->env.out);
}

static void make_dirs(struct fixture *f, const char *path)
{
	char *at = xasprintf("%s/%s/", f->dir, path);

	for (char *p = at + strlen(f->dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(at, 0755) == 0 || errno == EEXIST);
		*p = '/';
	}
	free(at);
}

static void check_reads_the_configuration(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 1);
	assert_false(k.c.has_conf);
	put(f, "sallyport.conf", "l2tp {\n\tmtu = 1\n}\n", 0644);
	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "sallyport.conf:2:");
	put(f, "sallyport.conf", "ike {\n esp = {\"rot13-sha1\"}\n}\n", 0644);
	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "rot13");
	put(f, "sallyport.conf", "l2tp {\n\tmtu = 1300\n}\n", 0644);
	one_check(f, &k, check_configuration);
	assert_int_equal(k.c.problems, 0);
	assert_true(k.c.has_conf);
	free(k.text);
}

static void check_looks_at_users(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "sallyport user add");
	put(f, "users", "# nobody\n", 0600);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	put(f, "users", "anna:$plain$a\n", 0644);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "0644");
	says(k.text, "chmod 600");
	put(f, "users", "anna:$plain$a\nbob\n", 0600);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "users:2:");
	put(f, "users", "anna:$plain$a\n", 0600);
	one_check(f, &k, check_users);
	assert_int_equal(k.c.problems, 0);
	says(k.text, "1 in ");
	free(k.text);
}

static void check_reads_sysctls(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_forwarding);
	assert_int_equal(k.c.problems, 1);
	make_dirs(f, "proc/sys/net/ipv4");
	put(f, "proc/sys/net/ipv4/ip_forward", "0\n", 0644);
	one_check(f, &k, check_forwarding);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "sysctl -w net.ipv4.ip_forward=1");
	put(f, "proc/sys/net/ipv4/ip_forward", "1\n", 0644);
	one_check(f, &k, check_forwarding);
	assert_int_equal(k.c.problems, 0);
	free(k.text);
}

static void check_knows_private_ports(void **state)
{
	static const struct {
		const char *range, *reserved;
		unsigned int max_clients, problems;
	} rows[] = {
	    {"32768\t60999\n", "\n", 16383, 0},
	    {"32767\t60999\n", "\n", 16383, 1},
	    {"32767\t60999\n", "\n", 1000, 0},
	    {"1024\t65535\n", "\n", 1000, 1},
	    {"1024\t65535\n", "16385-17384\n", 1000, 0},
	    {"1024\t65535\n", "80,5000-5010,16000-40000,50000\n", 1000, 0},
	    {"1024\t65535\n", "16385-17383\n", 1000, 1},
	    {"1024\t65535\n", "16386-17384,20000\n", 1000, 1},
	    {"1024\t65535\n", "16385\n", 1, 0},
	    {"1024\t16384\n", "\n", 1000, 0},
	    {"nonsense", "", 1000, 1},
	};
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_port_range);
	assert_int_equal(k.c.problems, 1);
	make_dirs(f, "proc/sys/net/ipv4");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(f, "proc/sys/net/ipv4/ip_local_port_range", rows[i].range,
		    0644);
		put(f, "proc/sys/net/ipv4/ip_local_reserved_ports",
		    rows[i].reserved, 0644);
		k.c.has_conf = true;
		k.c.conf.l2tp.max_clients = rows[i].max_clients;
		one_check(f, &k, check_port_range);
		if (k.c.problems != rows[i].problems)
			fail_msg("row %zu: %s", i, k.text);
	}
	free(k.text);
}

#define UDP_TITLE                                                              \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "  \
	"retrnsmt   uid  timeout inode ref pointer drops\n"

static void check_names_who_has_a_port(void **state)
{
	struct fixture *f = *state;
	struct checked k = {0};
	char *fd;

	make_dirs(f, "proc/net");
	make_dirs(f, "proc/812/fd");
	make_dirs(f, "proc/813/fd");
	put(f, "proc/net/udp",
	    UDP_TITLE
	    "  120: 00000000:01F4 00000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4711 2 0000000000000000 0\n"
	    "  121: 0100007F:1194 00000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4712 2 0000000000000000 0\n"
	    "  122: 0100007F:0035 00000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4713 2 0000000000000000 0\n",
	    0644);
	put(f, "proc/812/comm", "charon\n", 0644);
	put(f, "proc/813/comm", "ikev1d\n", 0644);
	fd = xasprintf("%s/proc/812/fd/7", f->dir);
	assert_return_code(symlink("socket:[4711]", fd), errno);
	free(fd);
	fd = xasprintf("%s/proc/813/fd/9", f->dir);
	assert_return_code(symlink("socket:[4712]", fd), errno);
	one_check(f, &k, check_ports);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "UDP 500 (IKE) is in use by charon (pid 812)");
	says(k.text, "UDP 4500 (IKE behind NAT) belongs to ikev1d");
	says(k.text, "UDP 1701 (L2TP) is free");
	unlink(fd);
	free(fd);
	one_check(f, &k, check_ports);
	assert_int_equal(k.c.problems, 2);
	says(k.text, "by a program that can't be seen");
	/* IPv6 sockets count too. */
	put(f, "proc/net/udp", UDP_TITLE, 0644);
	put(f, "proc/net/udp6",
	    UDP_TITLE
	    "  9: 00000000000000000000000000000000:06A5 "
	    "00000000000000000000000000000000:0000 07 00000000:00000000 "
	    "00:00000000 00000000     0        0 4711 2 0000000000000000 0\n",
	    0644);
	one_check(f, &k, check_ports);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "UDP 1701 (L2TP) is in use by charon");
	says(k.text, "xl2tpd");
	free(k.text);
}

static void check_asks_pppd(void **state)
{
	static const struct {
		const char *script;
		unsigned int problems;
		const char *text;
	} rows[] = {
	    {"#!/bin/sh\necho pppd version 2.4.9 >&2\n", 0, "2.4.9"},
	    {"#!/bin/sh\necho pppd version 2.5.2\n", 1, "2.5.2"},
	    {"#!/bin/sh\necho pppd version 2.4.7\n", 1, "2.4.7"},
	    {"#!/bin/sh\necho hello\n", 1, "does not say"},
	    {"#!/bin/sh\nexit 1\n", 1, "does not say"},
	};
	struct fixture *f = *state;
	struct checked k = {0};

	one_check(f, &k, check_pppd);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "apt install ppp");
	make_dirs(f, "usr/sbin");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(f, "usr/sbin/pppd", rows[i].script, 0755);
		one_check(f, &k, check_pppd);
		assert_int_equal(k.c.problems, rows[i].problems);
		says(k.text, rows[i].text);
	}
	free(k.text);
}

static void check_finds_masquerade(void **state)
{
	static const struct {
		const char *expr;
		bool is_there;
	} rows[] = {
	    {"[{\"masquerade\":null}]", true},
	    {"[{\"match\":{}},{\"snat\":{\"addr\":\"192.0.2.1\"}}]", true},
	    {"[{\"xt\":{\"type\":\"target\",\"name\":\"MASQUERADE\"}}]", true},
	    {"[{\"vmap\":{\"data\":[[1,{\"masquerade\":null}]]}}]", true},
	    {"[{\"xt\":{\"type\":\"match\",\"name\":\"conntrack\"}}]", false},
	    {"[{\"dnat\":{\"addr\":\"192.0.2.1\"}}]", false},
	    {"[]", false},
	    {"{}", false},
	    {"null", false},
	};
	struct fixture *f = *state;
	struct checked k = {0};
	json_t *none = json_object();

	assert_false(check_has_masquerade(none));
	json_decref(none);
	make_dirs(f, "usr/sbin");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *script = xasprintf(
		    "#!/bin/sh\necho noise >&2\n"
		    "echo '{\"nftables\":[{\"metainfo\":{}},{\"table\":{}},"
		    "{\"rule\":{\"family\":\"ip\",\"expr\":%s}}]}'\n",
		    rows[i].expr);

		put(f, "usr/sbin/nft", script, 0755);
		free(script);
		one_check(f, &k, check_firewall);
		assert_int_equal(k.c.problems, 0);
		says(k.text, rows[i].is_there ? "ok       masquerade"
					      : "hint     masquerade");
	}
	put(f, "usr/sbin/nft", "#!/bin/sh\necho no; exit 1\n", 0755);
	one_check(f, &k, check_firewall);
	assert_int_equal(k.c.problems, 1);
	unlink(file(f, "usr/sbin/nft"));
	one_check(f, &k, check_firewall);
	assert_int_equal(k.c.problems, 1);
	says(k.text, "apt install nftables");
	free(k.text);
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
	    CMD_TEST(check_reads_the_configuration),
	    CMD_TEST(check_looks_at_users),
	    CMD_TEST(check_reads_sysctls),
	    CMD_TEST(check_knows_private_ports),
	    CMD_TEST(check_names_who_has_a_port),
	    CMD_TEST(check_asks_pppd),
	    CMD_TEST(check_finds_masquerade),
	    CMD_TEST(check_sums_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
