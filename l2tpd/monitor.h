/* SPDX-License-Identifier: ISC */
/*
 * l2tpd's monitor: root with few capabilities; holds the kernel objects,
 * starts pppd and the engine, and does what the engine asks (lm_msg.h).
 */
#ifndef L2TPD_MONITOR_H
#define L2TPD_MONITOR_H

#include <stdbool.h>

struct monitor_options {
	const char *conf_path;
	bool is_check, is_debug, is_help;
};

/* Runs until SIGTERM or SIGINT; an exit code (common/exitcode.h). */
int monitor_main(const struct monitor_options *options);

#endif
