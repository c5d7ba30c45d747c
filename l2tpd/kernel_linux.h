/* SPDX-License-Identifier: ISC */
/*
 * The real kernel operations, on a libuv loop: sockets, PPPoX, pppd.
 * Calls that block (the closing of tunnels and sessions) run on worker
 * threads.
 */
#ifndef L2TPD_KERNEL_LINUX_H
#define L2TPD_KERNEL_LINUX_H

#include "common/log.h"
#include "l2tpd/kernel.h"

#include <uv.h>

#define KERNEL_PPP_KILL_MS 4000 /* after a polite signal */

struct kernel_linux {
	uv_loop_t *loop;
	struct log *log;
	const char *pppd; /* absolute paths, borrowed */
	const char *plugin;
	unsigned int methods; /* AAA_METHOD_BIT()s */
	uint16_t mtu;
};

/* Their ctx is a struct kernel_linux. */
extern const struct kernel_ops kernel_linux_ops;

#endif
