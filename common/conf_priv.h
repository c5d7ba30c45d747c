/* SPDX-License-Identifier: ISC */
/* What the parts of the configuration's parser share. */
#ifndef COMMON_CONF_PRIV_H
#define COMMON_CONF_PRIV_H

#include "common/conf.h"

#include <confuse.h>

/*
 * libconfuse gives its callbacks no context, but hands the search path of
 * include files, which we do not have, to every section: it leads here.
 */
struct conf_parse_state {
	const char *name;
	char *error; /* CONF_ERROR_MAX; the first error stays */
	conf_judge_fn judge;
	int pool_line, local_line;
};

static inline struct conf_parse_state *conf_state(cfg_t *cfg)
{
	return (struct conf_parse_state *)(void *)cfg->path;
}

/* conf.c: -1 (said) when opt has more than max values. */
int conf_bad_count(cfg_t *cfg, cfg_opt_t *opt, size_t max);

/* conf_policy.c: -1 (said) when a value has max bytes or more, or is judged
 * wrong, or when there are more than CONF_SUITES_MAX. */
int conf_judge(cfg_t *cfg, cfg_opt_t *opt, enum conf_word what, size_t max);

/* conf_policy.c: profiles, proposals, and sections `peer'. */
/* The options of a policy; out has room for CONF_POLICY_OPTS. */
#define CONF_POLICY_OPTS 5
void conf_policy_opts(cfg_opt_t *out);
/* A section `peer', whose options peer_opts are, ended by CFG_END(). */
cfg_opt_t conf_peer_section(cfg_opt_t *peer_opts);
/* Sets the checks of section `ike' that belong to policies. */
void conf_policy_checks(cfg_t *cfg);
/* Stores the default policy and the peers; all is checked. */
void conf_policy_store(struct conf_ike *out, cfg_t *ike);

#endif
