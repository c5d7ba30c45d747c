/* SPDX-License-Identifier: ISC */
/* Exit codes of every program: documented, never renumbered. */
#ifndef COMMON_EXITCODE_H
#define COMMON_EXITCODE_H

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_FAILURE = 1, /* at run time */
	EXITCODE_USAGE = 2,   /* command line */
	EXITCODE_CONFIG = 3,  /* configuration: file:line: what is wrong */
	EXITCODE_KERNEL = 4,  /* a kernel module or /dev/ppp is missing */
	EXITCODE_RUNNING = 5, /* another one is running already */
	EXITCODE_BUSY = 6,    /* an address or port is taken */
	EXITCODE_DENIED = 7,  /* not permitted: not root */
};

#endif
