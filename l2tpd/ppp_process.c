/* SPDX-License-Identifier: ISC */
/* One pppd as a child process of the monitor. */
#include "l2tpd/ppp_process.h"

#include "common/alloc.h"
#include "common/proc.h"
#include "l2tpd/pppd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_LEN 400
/* One read in a round of the loop: a chatty pppd does not stop the rest. */
#define READ_LEN 2048

struct ppp {
	struct kernel_linux *k;
	uint64_t r;
	struct proc *proc;
	struct ppp_end end;
	uv_poll_t hear;
	uv_timer_t kill;
	int log_fd;
	int open_handles;
	size_t line_len;
	char line[LINE_MAX_LEN];
};

/* --- its messages ----------------------------------------------------- */

static void write_line(struct ppp *ppp)
{
	if (ppp->line_len)
		log_info(ppp->k->log, "R %" PRIu64 ": pppd: %.*s", ppp->r,
		    (int)ppp->line_len, ppp->line);
	ppp->line_len = 0;
}

static void hear(struct ppp *ppp, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' || ppp->line_len == sizeof(ppp->line))
			write_line(ppp);
		if (text[i] != '\n')
			ppp->line[ppp->line_len++] = text[i];
	}
}

/* False when nothing is left, now or for ever. */
static bool hear_once(struct ppp *ppp)
{
	char text[READ_LEN];
	ssize_t n = read(ppp->log_fd, text, sizeof(text));

	if (n > 0)
		hear(ppp, text, (size_t)n);
	else if (n == 0)
		uv_poll_stop(&ppp->hear);
	return n > 0;
}

static void on_hear(uv_poll_t *poll, int status, int events)
{
	struct ppp *ppp = poll->data;

	(void)events;
	if (status < 0)
		uv_poll_stop(poll);
	else
		hear_once(ppp);
}

/* --- its end ---------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct ppp *ppp = handle->data;

	if (--ppp->open_handles)
		return;
	close(ppp->log_fd);
	free(ppp);
}

static void on_end(void *ctx, struct proc *proc, int status)
{
	struct ppp *ppp = ctx;
	int rounds = 16;

	while (rounds-- && hear_once(ppp))
		;
	write_line(ppp);
	proc_free(proc);
	ppp->proc = NULL;
	uv_close((uv_handle_t *)&ppp->hear, on_handle_closed);
	uv_close((uv_handle_t *)&ppp->kill, on_handle_closed);
	ppp->end.fn(ppp->end.arg, pppd_exit_text(status));
}

static void on_kill(uv_timer_t *timer)
{
	struct ppp *ppp = timer->data;

	log_warn(ppp->k->log, "R %" PRIu64 ": pppd does not end; it is killed",
	    ppp->r);
	proc_kill(ppp->proc, SIGKILL);
}

void ppp_process_stop(struct ppp *ppp, int is_forced)
{
	if (is_forced) {
		proc_kill(ppp->proc, SIGKILL);
		return;
	}
	proc_kill(ppp->proc, SIGTERM);
	uv_timer_start(&ppp->kill, on_kill, KERNEL_PPP_KILL_MS, 0);
}

/* --- its start -------------------------------------------------------- */

/* What the two ends of a session share: a socket pair and a pipe. */
struct ends {
	int plugin[2]; /* ours, pppd's */
	int log[2];    /* ours, pppd's */
};

static void close_ends(struct ends *e)
{
	for (int i = 0; i < 2; i++) {
		if (e->plugin[i] >= 0)
			close(e->plugin[i]);
		if (e->log[i] >= 0)
			close(e->log[i]);
	}
}

static int open_ends(struct ends *e)
{
	*e = (struct ends){{-1, -1}, {-1, -1}};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, e->plugin) ||
	    pipe2(e->log, O_CLOEXEC) ||
	    fcntl(e->plugin[0], F_SETFL, O_NONBLOCK) ||
	    fcntl(e->log[0], F_SETFL, O_NONBLOCK))
		return -errno;
	return 0;
}

static int spawn(struct ppp *ppp, const struct kernel_session *s, int pppox_fd,
    const struct ends *e)
{
	static const char *const env[] = {
	    "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	const int fds[] = {e->plugin[1], pppox_fd};
	const struct pppd_spec spec = {
	    .program = ppp->k->pppd,
	    .plugin = ppp->k->plugin,
	    .r = s->r,
	    .slot = s->slot,
	    .index = s->index,
	    .methods = ppp->k->methods,
	    .mtu = ppp->k->mtu,
	};
	struct pppd_args args;
	const struct proc_spec child = {
	    .path = spec.program,
	    .argv = args.argv,
	    .envp = env,
	    .fds = fds,
	    .fd_count = sizeof(fds) / sizeof(fds[0]),
	    .std_in = -1,
	    .std_out = -1,
	    .std_err = e->log[1],
	    .bounding = 1ull << CAP_NET_ADMIN,
	    .is_own_session = 1,
	};
	int err = pppd_args(&spec, &args);

	if (err)
		return err;
	return proc_spawn(ppp->k->loop, &child, on_end, ppp, &ppp->proc);
}

int ppp_process_start(struct kernel_linux *k, const struct kernel_session *s,
    int pppox_fd, const struct ppp_end *end, int *plugin_fd, struct ppp **out)
{
	struct ppp *ppp = xcalloc(1, sizeof(*ppp));
	struct ends e;
	int err = open_ends(&e);

	ppp->k = k;
	ppp->r = s->r;
	ppp->end = *end;
	if (!err)
		err = spawn(ppp, s, pppox_fd, &e);
	if (err) {
		log_error(k->log, "R %" PRIu64 ": cannot start %s: %s", s->r,
		    k->pppd, strerror(-err));
		close_ends(&e);
		free(ppp);
		return err;
	}
	close(e.plugin[1]);
	close(e.log[1]);
	ppp->log_fd = e.log[0];
	uv_poll_init(k->loop, &ppp->hear, ppp->log_fd);
	uv_timer_init(k->loop, &ppp->kill);
	ppp->hear.data = ppp;
	ppp->kill.data = ppp;
	ppp->open_handles = 2;
	uv_poll_start(&ppp->hear, UV_READABLE, on_hear);
	*plugin_fd = e.plugin[0];
	*out = ppp;
	return 0;
}
