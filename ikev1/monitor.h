/* SPDX-License-Identifier: ISC */
/*
 * The monitor of ikev1d: opens everything that takes root, starts the
 * engine, carries its requests out, and cleans up at the end.
 */
#ifndef IKEV1_MONITOR_H
#define IKEV1_MONITOR_H

#include "common/log.h"

#include <stdbool.h>

struct monitor_options {
	const char *conf_path;
	bool is_check_only; /* -n */
	bool is_debug;
};

/* Runs until SIGTERM or SIGINT; an exit code (common/exitcode.h). */
int monitor_run(struct log *log, const struct monitor_options *opt);

#endif
