/* SPDX-License-Identifier: ISC */
/* The configuration in the terms of l2tpd's modules. */
#ifndef L2TPD_SETTINGS_H
#define L2TPD_SETTINGS_H

#include "common/conf.h"
#include "l2tpd/core/aaa.h"
#include "l2tpd/core/lns.h"

#define SETTINGS_PATH_MAX 512

struct settings {
	struct sallyport_conf conf;
	unsigned int methods; /* AAA_METHOD_BIT()s */
	char pool[2 * ADDR_TEXT_MAX];
	char users_path[SETTINGS_PATH_MAX]; /* beside the configuration */
};

/*
 * Parses the text of the file `path`.  0, or -EINVAL with "file:line: what
 * is wrong" in error.
 */
int settings_parse(struct settings *s, const char *text, const char *path,
    char error[CONF_ERROR_MAX]);
/* For the cores; what they point to lives as long as s. */
void settings_lns(const struct settings *s, struct lns_config *out);
void settings_aaa(const struct settings *s, struct aaa_config *out);

#endif
