/* SPDX-License-Identifier: ISC */
/* What the monitor reads and opens before it gives up its capabilities. */
#ifndef IKEV1_MONITOR_START_H
#define IKEV1_MONITOR_START_H

#include "common/conf.h"
#include "common/crypto.h"
#include "ikev1/monitor.h"
#include "ikev1/psk.h"
#include "common/vault.h"
#include "ikev1/rnum.h"
#include "ikev1/xfrm.h"

#define MONITOR_PID_FILE "ikev1d.pid"
#define MONITOR_CTL_SOCKET "ikev1d.sock"
#define MONITOR_PEER_SOCKET "peer.sock" /* l2tpd's */
#define MONITOR_FDS_MAX (2 + 2 * CONF_LISTEN_MAX)

struct monitor_parts {
	char *conf_text;
	struct sallyport_conf conf;
	struct psk *psk;
	struct crypto crypto;
	struct rnum *rnum;
	struct xfrm *xfrm;
	int lock_fd;
	struct vault_hold *vault;
	int fds[MONITOR_FDS_MAX]; /* for the engine: engine.h has the order */
	size_t fd_count;
};

/* Each returns an exit code, and has logged what is wrong. */

/* The configuration and, beside it, the keys. */
int monitor_read_files(struct log *log, const struct monitor_options *opt,
    struct monitor_parts *parts);
/* Lock, kernel, sockets, R's numbers. Left-over SAs of ours go. */
int monitor_open_all(struct log *log, struct monitor_parts *parts);
/* Closes, wipes and frees all of it; zeroed parts are allowed. */
void monitor_close_all(struct monitor_parts *parts);

#endif
