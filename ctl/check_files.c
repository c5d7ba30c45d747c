/* SPDX-License-Identifier: ISC */
/* check: the files in /etc/sallyport. */
#include "ctl/check.h"

#include "common/secret.h"
#include "ctl/users_file.h"
#include "ikev1/core/proposal.h"
#include "ikev1/psk.h"
#include "l2tpd/core/users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PSK_GOOD_LEN 12
#define PSK_GOOD_VARIETY 5

static int check_suite(const char *text, bool is_esp, char *reason, size_t size)
{
	char why[ISAKMP_REASON_MAX] = "";
	struct ike_suite suite;
	int err = proposal_suite_parse(
	    is_esp ? SA_PHASE2 : SA_PHASE1, text, &suite, why);

	snprintf(reason, size, "%s", why);
	return err ? -EINVAL : 0;
}

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
	if (conf_parse(&c->conf, text, path, check_suite, error)) {
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

/* Why somebody could guess it; NULL when it looks good. */
static const char *weakness(struct wire_span secret)
{
	bool seen[256] = {false};
	size_t different = 0;

	if (secret.len < PSK_GOOD_LEN)
		return "is shorter than 12 bytes";
	for (size_t i = 0; i < secret.len; i++) {
		different += !seen[secret.data[i]];
		seen[secret.data[i]] = true;
	}
	return different < PSK_GOOD_VARIETY ? "repeats few characters" : NULL;
}

/* Only keys that a peer of any address may use: others are a matter of
 * those who chose them. */
static void check_strength(struct check *c, const struct psk *psk)
{
	const struct addr anybody = {.family = ADDR_IPV4};
	uint16_t entry, count = 1;

	for (uint16_t i = 0; i < count; i++) {
		struct wire_span secret =
		    psk_candidate(psk, &anybody, i, &entry, &count);
		const char *why = secret.len ? weakness(secret) : NULL;

		if (why)
			check_problem(c, "psk", psk_remedy,
			    "a key for any peer %s: it can be guessed", why);
	}
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
	check_strength(c, psk);
	psk_free(psk);
}
