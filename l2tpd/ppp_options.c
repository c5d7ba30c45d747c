/* SPDX-License-Identifier: ISC */
/* Words in /etc/ppp/options that would spoil every session of ours. */
#include "l2tpd/ppp_options.h"

#include "common/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536u
#define WORD_MAX 1023 /* pppd cuts longer ones */

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
 * One word as pppd's getword() splits them: a blank or a comment ends it,
 * unless quoted or behind a backslash.  Quotes stay in; no option of the
 * list has any.
 */
static size_t word_length(const char *p)
{
	size_t n = 0;
	char quote = '\0';

	while (
	    p[n] && (quote || (!isspace((unsigned char)p[n]) && p[n] != '#'))) {
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

/* What follows a backslash: up to max digits of that base. */
static size_t number(const char *p, unsigned int base, size_t max, char *out)
{
	unsigned int value = 0;
	size_t n = 0;

	for (; n < max; n++) {
		static const char digits[] = "0123456789abcdef";
		int c = tolower((unsigned char)p[n]);
		const char *digit = c ? strchr(digits, c) : NULL;

		if (!digit || digit >= digits + base)
			break;
		value = value * base + (unsigned int)(digit - digits);
	}
	*out = (char)value;
	return n;
}

/* One character of a word, or none (*n is 0), as pppd's getword() reads it:
 * neither quotes nor backslashes hide a name.  What it takes of p. */
static size_t one_char(const char *p, char *out, size_t *n)
{
	*n = 0;
	if (*p == '"' || *p == '\'')
		return 1;
	*n = *p != '\\' || p[1]; /* the file's last byte hides nothing */
	*out = *p;
	if (*p != '\\' || !p[1])
		return 1;
	*out = p[1];
	*n = p[1] != '\n'; /* the line goes on */
	if (p[1] == 'x')
		return 2 + number(p + 2, 16, 2, out);
	if (p[1] >= '0' && p[1] <= '7')
		return 1 + number(p + 1, 8, 3, out);
	return 2;
}

/* The word without its quoting; its length, at most size. */
static size_t plain(const char *word, size_t len, char *out, size_t size)
{
	size_t n = 0, got;

	for (const char *p = word; p < word + len && n < size; n += got)
		p += one_char(p, &out[n], &got);
	return n;
}

/* A text has none but white space. */
static bool is_control(char c)
{
	return iscntrl((unsigned char)c) && !isspace((unsigned char)c);
}

/* What is wrong with this word; 0 or -EINVAL. */
static int check_word(const char *path, unsigned int line, const char *text,
    size_t len, char reason[PPP_OPTIONS_REASON_MAX])
{
	char word[64];
	size_t n = plain(text, len, word, sizeof(word));
	const char *harm;

	/* To pppd a word ends at a zero that an escape has written. */
	n = strnlen(word, n);
	harm = harm_of(word, n);

	for (size_t i = 0; i < len; i++) {
		if (!is_control(text[i]))
			continue;
		snprintf(reason, PPP_OPTIONS_REASON_MAX,
		    "%.120s:%u: a control character (0x%02x)", path, line,
		    (unsigned char)text[i]);
		return -EINVAL;
	}
	if (len > WORD_MAX) {
		snprintf(reason, PPP_OPTIONS_REASON_MAX,
		    "%.120s:%u: a word of %zu characters: pppd cuts it after "
		    "%d",
		    path, line, len, WORD_MAX);
		return -EINVAL;
	}
	if (!harm)
		return 0;
	snprintf(reason, PPP_OPTIONS_REASON_MAX,
	    "%.120s:%u: %.*s: %s; pppd reads this file for our sessions too",
	    path, line, (int)n, word, harm);
	return -EINVAL;
}

int ppp_options_check(
    const char *path, const char *text, char reason[PPP_OPTIONS_REASON_MAX])
{
	unsigned int line = 1;

	while (*text) {
		size_t len;

		if (*text == '#') {
			text += strcspn(text, "\n");
			continue;
		}
		if (isspace((unsigned char)*text)) {
			line += *text++ == '\n';
			continue;
		}
		len = word_length(text);
		if (check_word(path, line, text, len, reason))
			return -EINVAL;
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
