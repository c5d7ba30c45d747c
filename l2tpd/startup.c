/* SPDX-License-Identifier: ISC */
/* Checks and preparations of the monitor. */
#include "l2tpd/startup.h"

#include "common/alloc.h"
#include "common/exitcode.h"
#include "common/kmod.h"
#include "common/privsep.h"
#include "common/rundir.h"
#include "l2tpd/core/pool.h"
#include "l2tpd/core/users.h"
#include "l2tpd/lm_msg.h"
#include "l2tpd/orphan.h"
#include "l2tpd/ppp_options.h"
#include "l2tpd/pppd.h"
#include "l2tpd/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define RESERVED_PATH "/proc/sys/net/ipv4/ip_local_reserved_ports"
#define BACKLOG_PATH "/proc/sys/net/core/netdev_max_backlog"
#define BACKLOG_MIN 1000
/* UDP, tunnel, session, plugin, log pipe; and some for two sessions. */
#define FDS_A_CLIENT 12
#define FDS_BASE 1024

/* --- configuration ---------------------------------------------------- */

static int load_users(struct startup *s)
{
	char error[USERS_ERROR_MAX];
	int err = user_store_open(&s->users, s->log, s->settings.users_path,
	    s->settings.methods, error);

	if (!err)
		return EXITCODE_OK;
	log_error(s->log, "%s", error);
	return err == -EIO ? EXITCODE_FAILURE : EXITCODE_CONFIG;
}

static int check_pool(struct startup *s)
{
	char reason[POOL_REASON_MAX];
	struct pool *pool = pool_new(s->settings.pool, reason);

	if (!pool) {
		log_error(s->log, "pool %s: %s", s->settings.pool, reason);
		return EXITCODE_CONFIG;
	}
	pool_free(pool);
	return EXITCODE_OK;
}

static int check_account(struct startup *s)
{
	char reason[256];

	if (!privsep_check_user(s->settings.conf.user, reason, sizeof(reason)))
		return EXITCODE_OK;
	log_error(s->log, "%s", reason);
	return EXITCODE_CONFIG;
}

int startup_configure(
    struct startup *s, struct log *log, const struct monitor_options *o)
{
	char error[CONF_ERROR_MAX];
	int code;

	memset(s, 0, sizeof(*s));
	s->log = log;
	s->lock_fd = s->peer_fd = s->control_fd = s->mute_fd = -1;
	if (conf_read_file(o->conf_path, CONF_FILE_MAX, &s->conf_text, error) ||
	    settings_parse(&s->settings, s->conf_text, o->conf_path, error)) {
		log_error(log, "%s", error);
		return EXITCODE_CONFIG;
	}
	code = check_pool(s);
	if (!code)
		code = check_account(s);
	if (!code)
		code = load_users(s);
	return code;
}

/* --- programs and modules --------------------------------------------- */

static const char *const pppd_paths[] = {PPPD_PROGRAM, "/sbin/pppd", NULL};
static const char *const nft_paths[] = {
    "/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft", NULL};

static const char *first_program(const char *const *paths)
{
	for (; *paths; paths++)
		if (!access(*paths, X_OK))
			return *paths;
	return NULL;
}

/* Beside this program (a build tree), or where `make install` puts it. */
static bool find_plugin(char out[STARTUP_PATH_MAX])
{
	static const char *const places[] = {
	    "sallyport.so", "../lib/sallyport/sallyport.so"};
	char exe[STARTUP_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return false;
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return false;
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		n = snprintf(out, STARTUP_PATH_MAX, "%s%s", exe, places[i]);
		if (n < STARTUP_PATH_MAX && !access(out, R_OK))
			return true;
	}
	return false;
}

static int find_programs(struct startup *s)
{
	s->pppd = first_program(pppd_paths);
	s->nft = first_program(nft_paths);
	if (!s->pppd) {
		log_error(s->log, "%s is missing: install the package ppp",
		    PPPD_PROGRAM);
		return EXITCODE_KERNEL;
	}
	if (!s->nft) {
		log_error(
		    s->log, "nft is missing: install the package nftables");
		return EXITCODE_KERNEL;
	}
	if (!find_plugin(s->plugin)) {
		log_error(s->log, "sallyport.so is neither beside this program "
				  "nor in ../lib/sallyport: `make install` "
				  "puts it there");
		return EXITCODE_KERNEL;
	}
	return EXITCODE_OK;
}

static int check_ppp_options(struct startup *s)
{
	char reason[PPP_OPTIONS_REASON_MAX];

	if (!ppp_options_check_file(PPP_OPTIONS_PATH, reason))
		return EXITCODE_OK;
	log_error(s->log, "%s", reason);
	return EXITCODE_CONFIG;
}

static int require_modules(struct startup *s)
{
	static const enum kmod_need needs[] = {
	    KMOD_ESP, KMOD_L2TP, KMOD_PPP, KMOD_NFT};
	char reason[KMOD_REASON_MAX];

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (kmod_require(needs[i], reason)) {
			log_error(s->log, "%s", reason);
			return EXITCODE_KERNEL;
		}
	return EXITCODE_OK;
}

/* --- kernel settings -------------------------------------------------- */

/* The file's first line without its newline; -errno or its length. */
static int read_line(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return (int)strlen(out);
}

static bool list_covers(const char *list, unsigned int low, unsigned int high)
{
	const char *p = list;

	while (*p) {
		char *end;
		unsigned long first = strtoul(p, &end, 10);
		unsigned long last = first;

		if (end == p)
			return false;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (first <= low && high <= last)
			return true;
		p = *end == ',' ? end + 1 : end;
	}
	return false;
}

char *startup_reserved_ports(
    const char *list, unsigned int low, unsigned int high)
{
	if (list_covers(list, low, high))
		return NULL;
	return xasprintf("%s%s%u-%u", list, *list ? "," : "", low, high);
}

static bool write_line(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	bool is_ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		close(fd);
	return is_ok;
}

/* Neither is worth refusing to start. */
static void tune(struct startup *s)
{
	unsigned int low = lm_slot_port(1);
	unsigned int high = lm_slot_port(s->settings.conf.l2tp.max_clients);
	char line[8192];
	char *list = NULL;

	if (read_line(RESERVED_PATH, line, sizeof(line)) >= 0)
		list = startup_reserved_ports(line, low, high);
	if (list && write_line(RESERVED_PATH, list))
		log_info(s->log,
		    "ports %u-%u are reserved now "
		    "(net.ipv4.ip_local_reserved_ports)",
		    low, high);
	else if (list)
		log_warn(s->log,
		    "cannot reserve the ports %u-%u "
		    "(net.ipv4.ip_local_reserved_ports): other programs may "
		    "take them",
		    low, high);
	free(list);
	if (read_line(BACKLOG_PATH, line, sizeof(line)) > 0 &&
	    strtol(line, NULL, 10) < BACKLOG_MIN)
		log_warn(s->log,
		    "net.core.netdev_max_backlog is %s: packets of many "
		    "clients will be lost; set it to %d or more",
		    line, BACKLOG_MIN);
}

static void raise_fd_limit(struct startup *s)
{
	struct rlimit lim;
	rlim_t want =
	    FDS_BASE + (rlim_t)FDS_A_CLIENT * s->settings.conf.l2tp.max_clients;

	if (getrlimit(RLIMIT_NOFILE, &lim) || lim.rlim_cur >= want)
		return;
	lim.rlim_cur = want;
	if (lim.rlim_max < want)
		lim.rlim_max = want;
	if (setrlimit(RLIMIT_NOFILE, &lim))
		log_warn(s->log,
		    "cannot have %llu open files: fewer clients than "
		    "max-clients will find room",
		    (unsigned long long)want);
}

/* --- /run/sallyport --------------------------------------------------- */

static int take_lock(struct startup *s)
{
	pid_t other = 0;
	int err = rundir_make();

	if (!err) {
		s->lock_fd = rundir_lock(STARTUP_PID_NAME, &other);
		err = s->lock_fd < 0 ? s->lock_fd : 0;
	}
	if (err == -EAGAIN) {
		log_error(
		    s->log, "l2tpd is already running (pid %d)", (int)other);
		return EXITCODE_RUNNING;
	}
	if (err) {
		log_error(s->log, "%s: %s", rundir(), strerror(-err));
		return EXITCODE_FAILURE;
	}
	return EXITCODE_OK;
}

static int listen_on(struct startup *s, const char *name, int type, int *out)
{
	*out = rundir_listen(name, type, 0600);
	if (*out >= 0)
		return EXITCODE_OK;
	log_error(s->log, "%s/%s: %s", rundir(), name, strerror(-*out));
	return *out == -EADDRINUSE ? EXITCODE_BUSY : EXITCODE_FAILURE;
}

static int take_port(struct startup *s)
{
	s->mute_fd = sock_open_mute();
	if (s->mute_fd >= 0)
		return EXITCODE_OK;
	if (s->mute_fd == -EADDRINUSE) {
		log_error(s->log, "UDP port 1701 is taken by another program: "
				  "is another L2TP daemon running "
				  "(ss -lunp 'sport = 1701')?");
		return EXITCODE_BUSY;
	}
	log_error(s->log, "UDP port 1701: %s", strerror(-s->mute_fd));
	return EXITCODE_FAILURE;
}

int startup_prepare(struct startup *s)
{
	int code;

	if (geteuid()) {
		log_error(s->log, "l2tpd must be started by root");
		return EXITCODE_DENIED;
	}
	code = take_lock(s);
	if (!code)
		code = find_programs(s);
	if (!code)
		code = check_ppp_options(s);
	if (!code)
		code = require_modules(s);
	if (!code)
		code = take_port(s);
	if (code)
		return code;
	orphan_clear(s->log, s->plugin);
	raise_fd_limit(s);
	tune(s);
	if (keeper_make(&s->keeper, s->log, s->settings.conf.l2tp.max_clients))
		return EXITCODE_FAILURE;
	code = listen_on(s, STARTUP_PEER_NAME, SOCK_SEQPACKET, &s->peer_fd);
	if (!code)
		code = listen_on(
		    s, STARTUP_CONTROL_NAME, SOCK_STREAM, &s->control_fd);
	return code;
}

static void drop(int *fd, const char *name)
{
	if (*fd < 0)
		return;
	if (name)
		rundir_remove(name);
	close(*fd);
	*fd = -1;
}

void startup_free(struct startup *s)
{
	drop(&s->peer_fd, STARTUP_PEER_NAME);
	drop(&s->control_fd, STARTUP_CONTROL_NAME);
	drop(&s->mute_fd, NULL);
	/* The lock's file goes while it is still ours. */
	drop(&s->lock_fd, STARTUP_PID_NAME);
	keeper_free(&s->keeper);
	user_store_free(s->users);
	free(s->conf_text);
}
