/* SPDX-License-Identifier: ISC */
/*
 * pppd reads /etc/ppp/options before its command line, always.  Most of
 * what may stand there our command line and the plugin undo; this finds the
 * words that nothing undoes.
 */
#ifndef L2TPD_PPP_OPTIONS_H
#define L2TPD_PPP_OPTIONS_H

#define PPP_OPTIONS_PATH "/etc/ppp/options"
#define PPP_OPTIONS_REASON_MAX 320

/*
 * 0, or -EINVAL and reason: "FILE:LINE: WORD: what it would do".  text is
 * the file's; path is named in reason only.
 */
int ppp_options_check(
    const char *path, const char *text, char reason[PPP_OPTIONS_REASON_MAX]);
/* The same of a file; one that is not there is right. */
int ppp_options_check_file(
    const char *path, char reason[PPP_OPTIONS_REASON_MAX]);

#endif
