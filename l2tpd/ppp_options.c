/* SPDX-License-Identifier: ISC */
/* Words in /etc/ppp/options that would spoil every session of ours. */
#include "l2tpd/ppp_options.h"

#include "common/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536u

static const struct {
	const char *word, *harm;
} harmful[] = {
    {"plugin", "loads foreign code into the pppd of every client"},
    {"file", "reads more options from where nobody looks"},
    {"call", "reads more options from where nobody looks"},
    {"dryrun", "pppd ends before a session begins"},
    {"noip", "no client would get an address"},
    {"-ip", "no client would get an address"},
    {"unit", "every client would get the same interface"},
    {"linkname", "every client would get the same lock"},
    {"bundle", "clients would share one interface"},
    {"mp", "clients would share one interface"},
    {"multilink", "clients would share one interface"},
    {"pty", "replaces the link of every client"},
    {"socket", "replaces the link of every client"},
    {"notty", "replaces the link of every client"},
    {"updetach", "l2tpd would lose sight of pppd"},
    {"ip-up-script", "another program than /etc/ppp/ip-up runs as root"},
    {"ip-down-script", "another program than /etc/ppp/ip-down runs as root"},
    {"ip-pre-up-script", "another program than ours runs as root"},
};

static const char *harm_of(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
		if (strlen(harmful[i].word) == len &&
		    !memcmp(harmful[i].word, word, len))
			return harmful[i].harm;
	return NULL;
}

/*
 * One word as pppd's getword() splits them: blanks end it, unless quoted or
 * behind a backslash.  Quotes stay in; no option of the list has any.
 */
static size_t word_length(const char *p)
{
	size_t n = 0;
	char quote = '\0';

	while (p[n] && (quote || !isspace((unsigned char)p[n]))) {
		if (p[n] == '\\' && p[n + 1])
			n++;
		else if (quote && p[n] == quote)
			quote = '\0';
		else if (!quote && (p[n] == '"' || p[n] == '\''))
			quote = p[n];
		n++;
	}
	return n;
}

/* Quotes and backslashes inside a name hide nothing. */
static size_t plain(const char *word, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < size; i++)
		if (!strchr("\"'\\", word[i]))
			out[n++] = word[i];
	return n;
}

int ppp_options_check(
    const char *path, const char *text, char reason[PPP_OPTIONS_REASON_MAX])
{
	unsigned int line = 1;

	while (*text) {
		char word[64];
		size_t len, n;
		const char *harm;

		if (*text == '#') {
			text += strcspn(text, "\n");
			continue;
		}
		if (isspace((unsigned char)*text)) {
			line += *text++ == '\n';
			continue;
		}
		len = word_length(text);
		n = plain(text, len, word, sizeof(word));
		harm = harm_of(word, n);
		if (harm) {
			snprintf(reason, PPP_OPTIONS_REASON_MAX,
			    "%.120s:%u: %.*s: %s; pppd reads this file for "
			    "our sessions too",
			    path, line, (int)n, word, harm);
			return -EINVAL;
		}
		for (; len; len--)
			line += *text++ == '\n';
	}
	return 0;
}

int ppp_options_check_file(
    const char *path, char reason[PPP_OPTIONS_REASON_MAX])
{
	char why[CONF_ERROR_MAX];
	char *text;
	int err;

	if (access(path, F_OK))
		return 0;
	if (conf_read_file(path, FILE_MAX, &text, why)) {
		snprintf(reason, PPP_OPTIONS_REASON_MAX, "%.300s", why);
		return -EINVAL;
	}
	err = ppp_options_check(path, text, reason);
	free(text);
	return err;
}
