/* SPDX-License-Identifier: ISC */
/* Is what we need in the kernel, and if not, which package brings it? */
#ifndef COMMON_KMOD_H
#define COMMON_KMOD_H

#include <stdbool.h>
#include <stddef.h>

enum kmod_need {
	KMOD_ESP,  /* xfrm, esp4 */
	KMOD_L2TP, /* l2tp_ppp */
	KMOD_PPP,  /* ppp_generic and /dev/ppp */
	KMOD_NFT,  /* nf_tables */
};

#define KMOD_REASON_MAX 320

/*
 * Tries it, loads the module once if needed (modprobe), tries again.  0, or
 * -ENOENT with what is missing and what to install in reason.
 */
int kmod_require(enum kmod_need need, char reason[KMOD_REASON_MAX]);
/* The same without loading anything: for `sallyport check`. */
int kmod_probe(enum kmod_need need, char reason[KMOD_REASON_MAX]);

#endif
