/* SPDX-License-Identifier: ISC */
/* The monitor's start: files, lock, kernel, sockets; each with its reason. */
#include "ikev1/monitor_start.h"

#include "common/alloc.h"
#include "common/exitcode.h"
#include "common/kmod.h"
#include "common/privsep.h"
#include "common/rundir.h"
#include "ikev1/settings.h"
#include "ikev1/udp.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CTL_MODE 0600

struct psk_report {
	struct log *log;
	const char *path;
	bool is_weak_allowed;
};

static void on_psk_finding(void *ctx, const struct psk_finding *f)
{
	const struct psk_report *r = ctx;

	if (f->is_weak && r->is_weak_allowed)
		log_warn(r->log,
		    "%s:%u: %s: allow-weak-psk accepts it, but who can pretend "
		    "to be this server can guess it",
		    r->path, (unsigned int)f->line, f->text);
	else
		log_write(r->log, f->is_weak ? LOG_SEV_ERROR : LOG_SEV_WARN,
		    "%s:%u: %s: %s", r->path, (unsigned int)f->line, f->text,
		    f->remedy);
}

/* What is in a valid file; an exit code. */
static int judge_psk(struct log *log, const char *path,
    const struct monitor_parts *parts, bool is_open)
{
	struct psk_report report = {log, path, parts->conf.ike.allow_weak_psk};

	if (is_open)
		log_warn(
		    log, "%s: others can read the keys: chmod 600 it", path);
	if (!psk_count(parts->psk))
		log_warn(log, "%s holds no key: nobody can connect", path);
	return psk_check(parts->psk, on_psk_finding, &report) &&
		       !report.is_weak_allowed
		   ? EXITCODE_CONFIG
		   : 0;
}

static int read_psk(
    struct log *log, const char *conf_path, struct monitor_parts *parts)
{
	char *copy = xstrdup(conf_path), error[CONF_ERROR_MAX];
	char *path = xasprintf("%s/%s", dirname(copy), PSK_PATH_NAME);
	bool is_open = false;
	int code = EXITCODE_CONFIG;

	if (psk_load(path, &parts->psk, &is_open, error))
		log_error(log, "%s", error);
	else
		code = judge_psk(log, path, parts, is_open);
	free(path);
	free(copy);
	return code;
}

int monitor_read_files(struct log *log, const struct monitor_options *opt,
    struct monitor_parts *parts)
{
	char error[CONF_ERROR_MAX];
	int err = conf_read_file(
	    opt->conf_path, CONF_FILE_MAX, &parts->conf_text, error);

	if (!err)
		err = conf_parse(&parts->conf, parts->conf_text, opt->conf_path,
		    settings_judge, error);
	if (err) {
		log_error(log, "%s", error);
		return EXITCODE_CONFIG;
	}
	return read_psk(log, opt->conf_path, parts);
}

static int take_lock(struct log *log, struct monitor_parts *parts)
{
	pid_t other = 0;
	int err = rundir_make();

	if (!err)
		err = parts->lock_fd = rundir_lock(MONITOR_PID_FILE, &other);
	if (err >= 0)
		return 0;
	if (err == -EAGAIN) {
		log_error(log, "already running: process %d", (int)other);
		return EXITCODE_RUNNING;
	}
	log_error(log, "%s: %s", rundir(), strerror(-err));
	return EXITCODE_FAILURE;
}

static int check_kernel(struct log *log, struct monitor_parts *parts)
{
	char reason[KMOD_REASON_MAX];

	if (kmod_require(KMOD_ESP, reason)) {
		log_error(log, "%s", reason);
		return EXITCODE_KERNEL;
	}
	if (xfrm_open(log, &parts->xfrm))
		return EXITCODE_KERNEL;
	return 0;
}

static int open_udp(
    struct log *log, struct monitor_parts *parts, const struct addr *ip)
{
	static const uint16_t ports[] = {UDP_PORT_IKE, UDP_PORT_NATT};
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < 2; i++) {
		struct addr a = *ip;
		int fd;

		a.port = ports[i];
		fd = udp_open(&a);
		if (fd >= 0) {
			parts->fds[parts->fd_count++] = fd;
			continue;
		}
		addr_text(&a, text);
		if (fd == -EADDRINUSE)
			log_error(log,
			    "UDP %s is taken by another program: is another "
			    "IKE daemon running (ss -lunp 'sport = %u')?",
			    text, a.port);
		else if (fd == -EADDRNOTAVAIL)
			log_error(log,
			    "UDP %s: this machine has no such address (ike "
			    "listen)",
			    text);
		else
			log_error(log, "UDP %s: %s", text, strerror(-fd));
		return fd == -EADDRINUSE || fd == -EADDRNOTAVAIL
			   ? EXITCODE_BUSY
			   : EXITCODE_FAILURE;
	}
	return 0;
}

/* Records of a client take about 2 KB, more when its IKE SA is old. */
#define VAULT_PER_CLIENT 16384u

static int make_vault(struct log *log, struct monitor_parts *parts)
{
	int err = vault_hold_new(
	    parts->conf.l2tp.max_clients * (size_t)VAULT_PER_CLIENT,
	    &parts->vault);
	int fd =
	    err ? -1 : fcntl(vault_hold_fd(parts->vault), F_DUPFD_CLOEXEC, 0);

	if (fd < 0) {
		log_error(log, "no memory for what engines must not forget: %s",
		    strerror(err ? -err : errno));
		return EXITCODE_FAILURE;
	}
	parts->fds[parts->fd_count++] = fd;
	return 0;
}

static int open_sockets(struct log *log, struct monitor_parts *parts)
{
	int fd = rundir_listen(MONITOR_CTL_SOCKET, SOCK_STREAM, CTL_MODE);

	if (fd < 0) {
		log_error(log, "%s/%s: %s", rundir(), MONITOR_CTL_SOCKET,
		    strerror(-fd));
		return EXITCODE_FAILURE;
	}
	parts->fds[parts->fd_count++] = fd;
	if (make_vault(log, parts))
		return EXITCODE_FAILURE;
	for (size_t i = 0; i < parts->conf.ike.listen_count; i++) {
		int code = open_udp(log, parts, &parts->conf.ike.listen[i]);

		if (code)
			return code;
	}
	return 0;
}

static int open_state(struct log *log, struct monitor_parts *parts)
{
	int err = rnum_open(RNUM_PATH, &parts->rnum);

	if (err) {
		log_error(log, "%s: %s", RNUM_PATH,
		    err == -EBADMSG ? "holds no number: restore or remove it"
				    : strerror(-err));
		return EXITCODE_FAILURE;
	}
	err = crypto_init(&parts->crypto);
	if (err) {
		log_error(log, "OpenSSL lacks what IKE needs");
		return EXITCODE_FAILURE;
	}
	/* Those of a monitor that was killed. */
	err = xfrm_sa_ops.flush(parts->xfrm);
	if (err)
		log_error(log, "cannot delete old SAs: %s", strerror(-err));
	return err ? EXITCODE_FAILURE : 0;
}

int monitor_open_all(struct log *log, struct monitor_parts *parts)
{
	char reason[160];
	int code;

	if (geteuid()) {
		log_error(log, "not root: ikev1d needs it to start");
		return EXITCODE_DENIED;
	}
	if (privsep_check_user(parts->conf.user, reason, sizeof(reason))) {
		log_error(log, "%s", reason);
		return EXITCODE_CONFIG;
	}
	code = take_lock(log, parts);
	if (!code)
		code = check_kernel(log, parts);
	if (!code)
		code = open_sockets(log, parts);
	return code ? code : open_state(log, parts);
}

void monitor_close_all(struct monitor_parts *parts)
{
	/* The file stays: who holds its lock owns the name. */
	if (parts->fd_count)
		rundir_remove(MONITOR_CTL_SOCKET);
	for (size_t i = 0; i < parts->fd_count; i++)
		close(parts->fds[i]);
	vault_hold_free(parts->vault);
	xfrm_close(parts->xfrm);
	rnum_close(parts->rnum);
	psk_free(parts->psk);
	crypto_done(&parts->crypto);
	free(parts->conf_text);
	if (parts->lock_fd > 0)
		close(parts->lock_fd);
	*parts = (struct monitor_parts){0};
}
