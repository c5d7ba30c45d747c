/* SPDX-License-Identifier: ISC */
/*
 * `sallyport check`: what keeps clients from connecting.  Each function
 * looks at one thing, below env->root where that is possible, and reports;
 * nothing is changed.
 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include "common/conf.h"
#include "ctl/cmd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct check {
	const struct cmd_env *env;
	unsigned int problems;
	bool has_conf; /* conf is valid */
	struct sallyport_conf conf;
};

/* One line each: "ok  TOPIC  text". */
void check_ok(struct check *c, const char *topic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A problem, counted, and what to do about it. */
void check_problem(struct check *c, const char *topic, const char *remedy,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
/* May be right as it is: not counted. */
void check_hint(struct check *c, const char *topic, const char *remedy,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* env->root/path; cut when longer than a path may be. Returns out. */
const char *check_path(
    const struct check *c, const char *path, char out[CMD_PATH_MAX]);
/*
 * The first size - 1 bytes of a file below root, terminated; false when it
 * can't be read.
 */
bool check_read(
    const struct check *c, const char *path, char *out, size_t size);

/* ctl/check_files.c: owner, mode, syntax; weak secrets */
void check_configuration(struct check *c);
void check_psk(struct check *c);
void check_users(struct check *c);
/* ctl/check_kernel.c */
void check_modules(struct check *c);
void check_forwarding(struct check *c);
void check_port_range(struct check *c);
/* ctl/check_ports.c: who has UDP 500, 4500, 1701 */
void check_ports(struct check *c);
/* ctl/check_programs.c */
void check_pppd(struct check *c);
void check_ppp_options(struct check *c);
void check_firewall(struct check *c);
void check_daemons(struct check *c);

/*
 * Does the output of `nft -j list ruleset` translate source addresses
 * somewhere?
 */
bool check_has_masquerade(const json_t *ruleset);

#endif
