/* SPDX-License-Identifier: ISC */
/* check: pppd, nft and what its rules do, our daemons. */
#include "ctl/check.h"

#include "common/ctl.h"
#include "common/rundir.h"
#include "common/version.h"
#include "l2tpd/ppp_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PPPD_PATH "/usr/sbin/pppd"
#define NFT_PATH "/usr/sbin/nft"
#define OUTPUT_MAX (8u << 20)

/*
 * What a program prints; NULL when it failed.  path and args are ours, not
 * the user's.
 */
static char *output_of(
    const struct check *c, const char *path, const char *args)
{
	char command[CMD_PATH_MAX + 64];
	char *text = NULL, buf[4096];
	size_t len = 0, total = 0, n;
	FILE *p, *to;

	snprintf(command, sizeof(command), "%s%s %s", c->env->root, path, args);
	p = popen(command, "re");
	if (!p)
		return NULL;
	to = open_memstream(&text, &len);
	while (to && (n = fread(buf, 1, sizeof(buf), p)) > 0) {
		if ((total += n) < OUTPUT_MAX)
			fwrite(buf, 1, n, to);
	}
	if (to)
		fclose(to);
	if (pclose(p) == 0 && text)
		return text;
	free(text);
	return NULL;
}

static bool is_executable(const struct check *c, const char *path)
{
	char full[CMD_PATH_MAX];

	return access(check_path(c, path, full), X_OK) == 0;
}

void check_pppd(struct check *c)
{
	int major, minor, patch;
	const char *number;
	char *text;

	if (!is_executable(c, PPPD_PATH)) {
		check_problem(
		    c, "pppd", "apt install ppp", "%s is missing", PPPD_PATH);
		return;
	}
	text = output_of(c, PPPD_PATH, "--version 2>&1");
	number = text ? strpbrk(text, "0123456789") : NULL;
	if (!number || sscanf(number, "%d.%d.%d", &major, &minor, &patch) != 3)
		check_problem(c, "pppd", "apt install --reinstall ppp",
		    "%s does not say its version", PPPD_PATH);
	else if (major != 2 || minor != 4 || patch < 9)
		check_problem(c, "pppd",
		    "install ppp 2.4.9, for which sallyport.so is built",
		    "pppd is %d.%d.%d", major, minor, patch);
	else
		check_ok(c, "pppd", "version %d.%d.%d", major, minor, patch);
	free(text);
}

void check_ppp_options(struct check *c)
{
	char path[CMD_PATH_MAX], reason[PPP_OPTIONS_REASON_MAX];

	if (ppp_options_check_file(
		check_path(c, PPP_OPTIONS_PATH, path), reason))
		check_problem(c, "pppd options",
		    "move the line to a file of the link that needs it "
		    "(/etc/ppp/peers/NAME, options.TTY): l2tpd does not start "
		    "with it",
		    "%s", reason);
	else
		check_ok(c, "pppd options",
		    "nothing in " PPP_OPTIONS_PATH " that we can't undo");
}

/* --- firewall ------------------------------------------------------------- */

static bool translates(json_t *node);

static bool any_child_translates(json_t *node)
{
	if (json_is_array(node)) {
		for (size_t i = 0; i < json_array_size(node); i++) {
			if (translates(json_array_get(node, i)))
				return true;
		}
		return false;
	}
	for (void *it = json_object_iter(node); it;
	     it = json_object_iter_next(node, it)) {
		if (translates(json_object_iter_value(it)))
			return true;
	}
	return false;
}

/* In an "expr" of a rule; iptables-nft's targets are "xt" statements. */
static bool translates(json_t *node)
{
	const char *name;

	if (!json_is_object(node))
		return json_is_array(node) && any_child_translates(node);
	if (json_object_get(node, "masquerade") ||
	    json_object_get(node, "snat"))
		return true;
	name = json_string_value(json_object_get(node, "name"));
	if (name && json_object_get(node, "type") &&
	    (strcmp(name, "MASQUERADE") == 0 || strcmp(name, "SNAT") == 0))
		return true;
	return any_child_translates(node);
}

bool check_has_masquerade(const json_t *ruleset)
{
	const json_t *list = json_object_get(ruleset, "nftables");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *rule =
		    json_object_get(json_array_get(list, i), "rule");

		if (translates(json_object_get(rule, "expr")))
			return true;
	}
	return false;
}

void check_firewall(struct check *c)
{
	json_error_t where;
	json_t *ruleset;
	char *text;

	if (!is_executable(c, NFT_PATH)) {
		check_problem(c, "nft", "apt install nftables", "%s is missing",
		    NFT_PATH);
		return;
	}
	text = output_of(c, NFT_PATH, "-j list ruleset 2>/dev/null");
	ruleset = text ? json_loads(text, 0, &where) : NULL;
	free(text);
	if (!ruleset) {
		check_problem(c, "nft",
		    "see what `nft -j list ruleset` says; it needs root and "
		    "nf_tables in the kernel",
		    "the rules can't be listed");
		return;
	}
	check_ok(c, "nft", "the rules can be listed");
	if (check_has_masquerade(ruleset))
		check_ok(c, "masquerade", "a rule translates source addresses");
	else
		check_hint(c, "masquerade",
		    "adapt share/doc/sallyport/sallyport.nft and load it with "
		    "nft -f, or give the next router a route to the pool",
		    "no rule translates source addresses: the Internet can't "
		    "answer clients unless it has a route to the pool");
	json_decref(ruleset);
}

/* --- daemons -------------------------------------------------------------- */

static void check_daemon(struct check *c, const char *daemon)
{
	char path[RUNDIR_PATH_MAX], name[32], error[CTL_ERROR_MAX] = "",
					      remedy[64];
	const char *words[] = {"status"};
	const char *version;
	json_t *doc = NULL;
	int err;

	snprintf(name, sizeof(name), "%s.sock", daemon);
	err = rundir_path(path, name);
	if (err == 0)
		err = ctl_request(path, daemon, words, 1, &doc, error);
	if (err == -ECONNREFUSED) {
		snprintf(remedy, sizeof(remedy), "systemctl enable --now %s",
		    daemon);
		check_problem(
		    c, "daemons", remedy, "%s is not running", daemon);
		return;
	}
	snprintf(remedy, sizeof(remedy), "systemctl restart %s", daemon);
	if (err) {
		check_problem(c, "daemons", remedy, "%s", error);
		return;
	}
	version = json_string_value(json_object_get(doc, "version"));
	if (version && strcmp(version, SALLYPORT_VERSION) != 0)
		check_problem(c, "daemons", remedy,
		    "%s runs as version %s, installed is %s", daemon, version,
		    SALLYPORT_VERSION);
	else
		check_ok(c, "daemons", "%s is running", daemon);
	json_decref(doc);
}

void check_daemons(struct check *c)
{
	check_daemon(c, "ikev1d");
	check_daemon(c, "l2tpd");
}
