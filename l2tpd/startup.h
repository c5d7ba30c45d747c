/* SPDX-License-Identifier: ISC */
/*
 * What the monitor checks and makes before it starts: configuration,
 * kernel modules, programs, the lock, the sockets in /run/sallyport.
 */
#ifndef L2TPD_STARTUP_H
#define L2TPD_STARTUP_H

#include "l2tpd/keeper.h"
#include "l2tpd/monitor.h"
#include "l2tpd/settings.h"
#include "l2tpd/user_store.h"

#define STARTUP_PATH_MAX 512
#define STARTUP_PID_NAME "l2tpd.pid"
#define STARTUP_PEER_NAME "peer.sock"
#define STARTUP_CONTROL_NAME "l2tpd.sock"

struct startup {
	struct log *log;
	char *conf_text;
	struct settings settings;
	struct user_store *users;
	const char *pppd, *nft;
	char plugin[STARTUP_PATH_MAX];
	int lock_fd, peer_fd, control_fd;
	int mute_fd; /* sock_open_mute() */
	struct keeper keeper;
};

/*
 * Each returns an exit code and has logged why; EXITCODE_OK goes on.
 * startup_free() is right after any of them.
 */
int startup_configure(
    struct startup *s, struct log *log, const struct monitor_options *o);
int startup_prepare(struct startup *s);
void startup_free(struct startup *s);

/*
 * Adds low-high to net.ipv4.ip_local_reserved_ports: the kernel then gives
 * those ports to nobody who asks for any port.  list is the old value;
 * the new one, allocated, or NULL when low-high is in it already.
 */
char *startup_reserved_ports(
    const char *list, unsigned int low, unsigned int high);

#endif
