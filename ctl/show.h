/* SPDX-License-Identifier: ISC */
/* l2tpd's answer to `show`, as people read it. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>
#include <stdio.h>

/*
 * Prints the table.  A field that is null, missing or of another type
 * shows as "-".  -EPROTO when doc is not an answer to `show`.
 */
int show_print(const json_t *doc, FILE *out);

/*
 * Is there a client with this R in the answer?  1, 0, or -EPROTO.  r is
 * decimal text; text that is no number is no R.
 */
int show_has_r(const json_t *doc, const char *r);

#endif
