/* SPDX-License-Identifier: ISC */
/* The kernel operations of the running monitor. */
#include "l2tpd/kernel_linux.h"

#include "common/alloc.h"
#include "l2tpd/ppp_process.h"
#include "l2tpd/pppox.h"
#include "l2tpd/sock.h"

#include <stdlib.h>
#include <unistd.h>

static int peer_socket(void *ctx, uint32_t slot, const struct addr *local)
{
	(void)ctx;
	return sock_open(slot, local);
}

static int tunnel_socket(void *ctx, const struct kernel_tunnel *t)
{
	(void)ctx;
	return sock_open_connected(t->slot, &t->local, &t->peer);
}

static int tunnel_open(void *ctx, int udp_fd, const struct kernel_tunnel *t)
{
	(void)ctx;
	return pppox_tunnel_open(udp_fd, t);
}

static int session_open(void *ctx, int udp_fd, const struct kernel_session *s)
{
	(void)ctx;
	return pppox_session_open(udp_fd, s);
}

static int session_stats(void *ctx, int pppox_fd, uint16_t tunnel_id,
    uint16_t session_id, struct lm_stats *out)
{
	(void)ctx;
	return pppox_session_stats(pppox_fd, tunnel_id, session_id, out);
}

static int ppp_start(void *ctx, const struct kernel_session *s, int pppox_fd,
    kernel_ppp_end_fn end, void *arg, int *plugin_fd, struct ppp **out)
{
	const struct ppp_end on_end = {end, arg};

	return ppp_process_start(ctx, s, pppox_fd, &on_end, plugin_fd, out);
}

static void ppp_stop(void *ctx, struct ppp *ppp, int is_forced)
{
	(void)ctx;
	ppp_process_stop(ppp, is_forced);
}

/* --- closing ---------------------------------------------------------- */

struct closing {
	uv_work_t work;
	int fds[2];
	kernel_closed_fn done;
	void *arg;
};

static void close_work(uv_work_t *work)
{
	struct closing *c = work->data;

	for (int i = 0; i < 2; i++)
		if (c->fds[i] >= 0)
			close(c->fds[i]);
}

static void after_close(uv_work_t *work, int status)
{
	struct closing *c = work->data;

	(void)status;
	c->done(c->arg);
	free(c);
}

static void close_fds(
    void *ctx, const int fds[2], kernel_closed_fn done, void *arg)
{
	struct kernel_linux *k = ctx;
	struct closing *c = xcalloc(1, sizeof(*c));

	c->work.data = c;
	c->fds[0] = fds[0];
	c->fds[1] = fds[1];
	c->done = done;
	c->arg = arg;
	if (uv_queue_work(k->loop, &c->work, close_work, after_close))
		abort();
}

const struct kernel_ops kernel_linux_ops = {
    .peer_socket = peer_socket,
    .tunnel_socket = tunnel_socket,
    .tunnel_open = tunnel_open,
    .session_open = session_open,
    .session_stats = session_stats,
    .ppp_start = ppp_start,
    .ppp_stop = ppp_stop,
    .close = close_fds,
};
