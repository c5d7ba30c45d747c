/* SPDX-License-Identifier: ISC */
/* One pppd: started, heard (its messages go to our log), ended. */
#ifndef L2TPD_PPP_PROCESS_H
#define L2TPD_PPP_PROCESS_H

#include "l2tpd/kernel_linux.h"

struct ppp_end {
	kernel_ppp_end_fn fn;
	void *arg;
};

/* As kernel_ops.ppp_start. */
int ppp_process_start(struct kernel_linux *k, const struct kernel_session *s,
    int pppox_fd, const struct ppp_end *end, int *plugin_fd, struct ppp **out);
/* As kernel_ops.ppp_stop. */
void ppp_process_stop(struct ppp *ppp, int is_forced);

#endif
