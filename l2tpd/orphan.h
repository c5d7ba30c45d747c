/* SPDX-License-Identifier: ISC */
/* pppd processes that a monitor left behind when it was killed. */
#ifndef L2TPD_ORPHAN_H
#define L2TPD_ORPHAN_H

#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Kills every pppd of this network namespace whose command line says that
 * a monitor with this plugin started it, and waits until they are gone.
 * Call it with the lock held: then no such pppd has a living monitor.
 * Returns how many there were.
 */
int orphan_clear(struct log *log, const char *plugin);

/*
 * True when cmdline (len bytes, as in /proc/PID/cmdline) is "PROGRAM plugin
 * PLUGIN sallyport-fd ...".
 */
bool orphan_is_ours(const char *cmdline, size_t len, const char *plugin);

#endif
