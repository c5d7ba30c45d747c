/* SPDX-License-Identifier: ISC */
/* Keeps the table: hears of foreign changes and loads it again. */
#include "l2tpd/nft.h"

#include "common/alloc.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#define RCVBUF (1 << 20)
/* A reload that fails (nft gone, out of memory) is tried again. */
#define RETRY_MS 1000

struct nft {
	struct log *log;
	uv_loop_t *loop;
	char *program;
	char *text;
	struct nl_sock *sk;
	uv_poll_t poll;
	uv_timer_t retry;
	bool is_damaged; /* by what the events said last */
	int open_handles;
};

static void reload(struct nft *nft)
{
	int err = nft_run(nft->log, nft->program, nft->text);

	if (!err) {
		nft->is_damaged = false;
		log_warn(nft->log,
		    "nft: somebody changed the table inet " NFT_TABLE
		    "; it is loaded again");
		return;
	}
	log_error(nft->log, "nft: the table inet " NFT_TABLE
			    " is damaged; clients cannot talk until it "
			    "can be loaded");
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nft *nft = arg;

	switch (nft_classify(nlmsg_hdr(msg))) {
	case NFT_CHANGE_NONE:
		break;
	case NFT_CHANGE_MADE:
		nft->is_damaged = false;
		break;
	case NFT_CHANGE_REMOVED:
		nft->is_damaged = true;
		break;
	}
	return NL_OK;
}

/*
 * Our own load deletes the old table and then makes the new one, so the
 * last word of its events is MADE.  When events were lost only the kernel
 * knows whether the table is there.
 */
static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct nft *nft = poll->data;
	int err;

	(void)status;
	(void)events;
	do
		err = nl_recvmsgs_default(nft->sk);
	while (!err);
	if (err != -NLE_AGAIN && nft_table_exists() != 1)
		nft->is_damaged = true;
	if (nft->is_damaged)
		reload(nft);
}

static void on_retry(uv_timer_t *timer)
{
	struct nft *nft = timer->data;

	if (nft->is_damaged)
		reload(nft);
}

static int watch(struct nft *nft)
{
	int err = nl_connect(nft->sk, NETLINK_NETFILTER);

	nl_socket_disable_seq_check(nft->sk);
	nl_socket_modify_cb(
	    nft->sk, NL_CB_VALID, NL_CB_CUSTOM, on_message, nft);
	if (!err)
		err = nl_socket_set_buffer_size(nft->sk, RCVBUF, 0);
	if (!err)
		err = nl_socket_add_membership(nft->sk, NFNLGRP_NFTABLES);
	if (!err)
		err = nl_socket_set_nonblocking(nft->sk);
	if (err) {
		log_error(nft->log, "nft: cannot watch nftables: %s",
		    nl_geterror(err));
		return -EIO;
	}
	return 0;
}

static void release(struct nft *nft)
{
	nl_socket_free(nft->sk);
	free(nft->program);
	free(nft->text);
	free(nft);
}

static void on_closed(uv_handle_t *handle)
{
	struct nft *nft = handle->data;

	if (!--nft->open_handles)
		release(nft);
}

int nft_start(struct nft **out, uv_loop_t *loop, struct log *log,
    const char *program, uint32_t max_clients)
{
	struct nft *nft = xcalloc(1, sizeof(*nft));
	int err;

	nft->log = log;
	nft->loop = loop;
	nft->program = xstrdup(program);
	nft->text = nft_render(max_clients);
	nft->sk = nl_socket_alloc();
	err = nft->sk ? nft_run(log, program, nft->text) : -ENOMEM;
	if (!err)
		err = watch(nft);
	if (err) {
		release(nft);
		return err;
	}
	uv_poll_init(loop, &nft->poll, nl_socket_get_fd(nft->sk));
	uv_timer_init(loop, &nft->retry);
	nft->poll.data = nft;
	nft->retry.data = nft;
	nft->open_handles = 2;
	uv_poll_start(&nft->poll, UV_READABLE, on_readable);
	uv_timer_start(&nft->retry, on_retry, RETRY_MS, RETRY_MS);
	/* Between the load and the watch somebody may have been quicker. */
	nft->is_damaged = nft_table_exists() != 1;
	*out = nft;
	return 0;
}

#define REMOVE "add table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE "\n"

static void stop_watching(struct nft *nft)
{
	uv_close((uv_handle_t *)&nft->poll, on_closed);
	uv_close((uv_handle_t *)&nft->retry, on_closed);
}

void nft_stop(struct nft *nft)
{
	if (!nft)
		return;
	stop_watching(nft);
	nft_run(nft->log, nft->program, REMOVE);
}

int nft_seal(struct nft *nft)
{
	char *text = nft_render_sealed();
	int err;

	stop_watching(nft);
	err = nft_run(nft->log, nft->program, text);
	free(text);
	return err;
}
