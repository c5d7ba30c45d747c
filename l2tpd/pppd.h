/* SPDX-License-Identifier: ISC */
/*
 * How pppd is started and what its end means.  Every option that matters
 * is on the command line, which beats /etc/ppp/options; nothing that came
 * from a client ever is (names and addresses go through the plugin).
 */
#ifndef L2TPD_PPPD_H
#define L2TPD_PPPD_H

#include "l2tpd/kernel.h"

#include <net/if.h>
#include <stddef.h>
#include <stdint.h>

#define PPPD_PROGRAM "/usr/sbin/pppd"
#define PPPD_ARGS_MAX 96
/* The descriptors of pppd: what common/proc.h makes of fds[0] and [1]. */
#define PPPD_PLUGIN_FD 3
#define PPPD_PPPOX_FD 4

struct pppd_spec {
	const char *program; /* PPPD_PROGRAM */
	const char *plugin;  /* path of sallyport.so */
	uint64_t r;
	uint32_t slot;
	uint32_t index;	      /* which session of R, from 0 */
	unsigned int methods; /* AAA_METHOD_BIT()s of the configuration */
	uint16_t mtu;
};

/* argv for execve(); the strings live as long as the struct. */
struct pppd_args {
	const char *argv[PPPD_ARGS_MAX];
	size_t count;
	char fd[8], pppox[8], mtu[8];
	char auth[48]; /* the methods' names */
	char ifname[IFNAMSIZ], ipparam[24];
};

/* 0, or -EINVAL: no method, a path that is not absolute, a slot of none. */
int pppd_args(const struct pppd_spec *spec, struct pppd_args *out);

/* "sp12", for a second session of the same R "sp12.1"; 0 or -EINVAL. */
int pppd_ifname(uint32_t slot, uint32_t index, char out[IFNAMSIZ]);

/* What pppd's wait status says, as a sentence; static text. */
const char *pppd_exit_text(int wait_status);

#endif
