/* SPDX-License-Identifier: ISC */
/*
 * pppd's headers and what differs between its versions.  Include it first:
 * pppd 2.4 has a `bool` of its own, which <stdbool.h> would break.
 */
#ifndef PPPD_PLUGIN_COMPAT_H
#define PPPD_PLUGIN_COMPAT_H

#include <sys/types.h>

#include <pppd/pppd.h>

#include <pppd/fsm.h>
#include <pppd/ipcp.h>
#include <pppd/lcp.h>
#include <pppd/upap.h>

#if __has_include(<pppd/chap-new.h>)
#include <pppd/chap-new.h> /* 2.4 */
#define COMPAT_PPPD_VERSION VERSION
#else
#error "ppp 2.5 renamed its API; its names belong into this file"
#endif

/* In pppd, but in none of its headers. */
extern int (*null_auth_hook)(struct wordlist **addrs, struct wordlist **opts);
extern bool disable_defaultip;

#endif
