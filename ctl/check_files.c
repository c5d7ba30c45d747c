/* SPDX-License-Identifier: ISC */
/* check: the files in /etc/sallyport. */
#include "ctl/check.h"

#include "common/secret.h"
#include "ctl/users_file.h"
#include "ikev1/psk.h"
#include "ikev1/settings.h"
#include "l2tpd/core/users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void check_configuration(struct check *c)
{
	char path[CMD_PATH_MAX], error[CONF_ERROR_MAX];
	char *text = NULL;

	cmd_file(c->env, "sallyport.conf", path);
	if (conf_read_file(path, CONF_FILE_MAX, &text, error)) {
		check_problem(c, "configuration",
		    "copy share/doc/sallyport/sallyport.conf there", "%s",
		    error);
		return;
	}
	if (conf_parse(&c->conf, text, path, settings_judge, error)) {
		check_problem(c, "configuration",
		    "correct that line; see sallyport.conf(5)", "%s", error);
	} else {
		c->has_conf = true;
		check_ok(c, "configuration", "%s", path);
	}
	free(text);
}

/* Owner and mode of a file that holds secrets; false when it's not there. */
static bool check_mode(struct check *c, const char *topic, const char *path,
    const char *how_to_make_it)
{
	char remedy[CMD_PATH_MAX + 64];
	struct stat st;

	if (stat(path, &st) < 0) {
		check_problem(
		    c, topic, how_to_make_it, "%s: %s", path, strerror(errno));
		return false;
	}
	snprintf(
	    remedy, sizeof(remedy), "chown root %s; chmod 600 %s", path, path);
	if (!S_ISREG(st.st_mode))
		check_problem(
		    c, topic, how_to_make_it, "%s is not a plain file", path);
	else if (st.st_mode & (S_IRWXG | S_IRWXO))
		check_problem(c, topic, remedy,
		    "%s holds secrets, but others may use it (mode %04o)", path,
		    (unsigned int)st.st_mode & 07777);
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		check_problem(c, topic, remedy, "%s belongs to user %u", path,
		    (unsigned int)st.st_uid);
	return S_ISREG(st.st_mode);
}

void check_users(struct check *c)
{
	char path[CMD_PATH_MAX], error[USERS_FILE_ERROR_MAX];
	struct users_file file;
	struct users *users = NULL;
	size_t count;

	cmd_file(c->env, "users", path);
	if (!check_mode(c, "users", path, "sallyport user add NAME"))
		return;
	if (users_file_open(&file, c->env->dir, 0, error) ||
	    users_parse(path, file.text, file.len, &users, error)) {
		check_problem(c, "users",
		    "correct that line, or remove it and add the user again",
		    "%s", error);
		users_file_close(&file);
		return;
	}
	count = users_count(users);
	if (count == 0)
		check_problem(c, "users", "sallyport user add NAME",
		    "%s holds no user: nobody can connect", path);
	else
		check_ok(c, "users", "%zu in %s", count, path);
	users_free(users);
	users_file_close(&file);
}

static const char psk_remedy[] =
    "(umask 077; echo any $(openssl rand -base64 24) > "
    "/etc/sallyport/psk), and give that key to the clients";

struct psk_report {
	struct check *c;
	const char *path;
};

static void on_finding(void *ctx, const struct psk_finding *f)
{
	const struct psk_report *r = ctx;
	const struct check *c = r->c;

	if (f->is_weak && c->has_conf && c->conf.ike.allow_weak_psk)
		check_hint(r->c, "psk",
		    "make one with `openssl rand -base64 24` and give it to "
		    "the clients",
		    "%s:%u: %s: allow-weak-psk accepts it, but who can pretend "
		    "to be this server can guess it",
		    r->path, (unsigned int)f->line, f->text);
	else
		check_problem(r->c, "psk", f->remedy, "%s:%u: %s%s", r->path,
		    (unsigned int)f->line, f->text,
		    f->is_weak ? ": ikev1d does not start" : "");
}

void check_psk(struct check *c)
{
	char path[CMD_PATH_MAX], error[CONF_ERROR_MAX];
	struct psk *psk = NULL;
	bool is_open;

	cmd_file(c->env, PSK_PATH_NAME, path);
	if (!check_mode(c, "psk", path, psk_remedy))
		return;
	if (psk_load(path, &psk, &is_open, error)) {
		check_problem(c, "psk",
		    "correct that line; see psk in "
		    "sallyport.conf(5)",
		    "%s", error);
		return;
	}
	if (psk_count(psk) == 0)
		check_problem(c, "psk", psk_remedy,
		    "%s holds no key: nobody can connect", path);
	else
		check_ok(c, "psk", "%zu in %s", psk_count(psk), path);
	psk_check(psk, on_finding, &(struct psk_report){c, path});
	psk_free(psk);
}
