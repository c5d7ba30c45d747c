/* SPDX-License-Identifier: ISC */
/* The connection from ikev1d: lists of R, then changes. */
#include "l2tpd/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void engine_ike_send(struct engine *e, uint16_t type, uint64_t r, uint32_t slot,
    const char *reason)
{
	struct peer_note note = {.r = r, .slot = slot};
	int err;

	if (!e->ike)
		return;
	snprintf(note.reason, sizeof(note.reason), "%s", reason ? reason : "");
	err = chan_send(e->ike, type, 0, &note, -1);
	if (err && err != -EPIPE)
		log_error(&e->log, "%s to ikev1d: %s",
		    msg_name(&peer_link_table, type), strerror(-err));
}

/* --- what ikev1d says ------------------------------------------------- */

static void on_up(struct engine *e, const struct peer_up *up)
{
	struct lns_event ev = {.type = LNS_EV_PEER_UP, .r = up->r, .up = up};
	struct engine_peer *p;

	if (!up->r || !up->slot ||
	    up->slot > e->settings.conf.l2tp.max_clients) {
		engine_ike_send(e, PEER_REFUSED, up->r, up->slot,
		    "R or slot out of range (is max-clients the same?)");
		return;
	}
	if (e->stray_count && !engine_peer_find(e, up->r)) {
		engine_ike_send(e, PEER_REFUSED, up->r, up->slot,
		    "l2tpd still ends sessions of before its restart");
		return;
	}
	p = engine_peer_set(e, up);
	p->is_listed = true;
	engine_lns(e, &ev);
}

static void on_update(struct engine *e, const struct peer_up *up)
{
	struct lns_event ev = {
	    .type = LNS_EV_PEER_UPDATE, .r = up->r, .up = up};
	struct engine_peer *p = engine_peer_find(e, up->r);

	if (!p || p->up.slot != up->slot)
		return;
	engine_peer_set(e, up);
	engine_lns(e, &ev);
}

static void on_down(struct engine *e, const struct peer_note *note)
{
	struct lns_event ev = {
	    .type = LNS_EV_PEER_DOWN, .r = note->r, .text = note->reason};

	engine_lns(e, &ev);
}

/* What ikev1d does not name has no SAs: it ends. */
static void on_list_end(struct engine *e)
{
	struct engine_peer *p, *next;

	HASH_ITER(hh, e->peers, p, next)
	{
		struct lns_event ev = {
		    .type = LNS_EV_PEER_DOWN,
		    .r = p->r,
		    .text = "ikev1d does not know it any more",
		};

		if (!p->is_listed)
			engine_lns(e, &ev);
	}
}

/* While the SAs live each client can hear of its end. */
static void on_leaving(struct engine *e)
{
	struct engine_peer *p, *next;

	log_info(&e->log, "ikev1d ends: so do its clients");
	HASH_ITER(hh, e->peers, p, next)
	{
		struct lns_event ev = {
		    .type = LNS_EV_DISCONNECT,
		    .r = p->r,
		    .text = "ikev1d ends",
		};

		engine_lns(e, &ev);
	}
}

static void on_message(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct engine *e = ctx;

	(void)chan;
	if (fd >= 0)
		close(fd);
	switch ((enum peer_msg)hdr->type) {
	case PEER_UP:
		on_up(e, body);
		return;
	case PEER_UPDATE:
		on_update(e, body);
		return;
	case PEER_DOWN:
		on_down(e, body);
		return;
	case PEER_LIST_END:
		on_list_end(e);
		return;
	case PEER_LEAVING:
		on_leaving(e);
		return;
	case PEER_READY:
	case PEER_REFUSED:
	case PEER_GONE:
	case PEER_CLOSE:
		log_error(&e->log, "ikev1d sent %s",
		    msg_name(&peer_link_table, hdr->type));
		return;
	}
}

/* Sessions go on without it; it will come back. */
static void on_end(void *ctx, struct chan *chan, int error)
{
	struct engine *e = ctx;

	log_warn(&e->log, "ikev1d is away%s%s", error ? ": " : "",
	    error ? strerror(-error) : "");
	chan_close(chan);
	if (e->ike == chan)
		e->ike = NULL;
}

/* --- its connection --------------------------------------------------- */

static void send_list(struct engine *e)
{
	struct peer_list_end end = {0};
	struct engine_peer *p, *next;

	HASH_ITER(hh, e->peers, p, next)
	{
		p->is_listed = false;
		if (!p->is_ready)
			continue;
		engine_ike_send(e, PEER_READY, p->r, p->up.slot, NULL);
		end.count++;
	}
	chan_send(e->ike, PEER_LIST_END, 0, &end, -1);
}

/* Only root's monitor connects, on behalf of its engine. */
static bool is_trusted(struct engine *e, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return false;
	if (cred.uid == 0 || cred.uid == geteuid())
		return true;
	log_warn(&e->log, "user %u knocked at peer.sock: refused",
	    (unsigned int)cred.uid);
	return false;
}

void engine_ike_attach(struct engine *e, int fd)
{
	const struct chan_handlers handlers = {
	    .message = on_message,
	    .end = on_end,
	    .ctx = e,
	};

	/* A restarted ikev1d may be here before the old one's end. */
	if (e->ike)
		chan_close(e->ike);
	log_info(&e->log, "ikev1d is here");
	e->ike = chan_open(&e->loop, fd, &peer_link_table, &handlers);
	chan_gather(e->ike);
	send_list(e);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct engine *e = poll->data;
	int fd;

	(void)status;
	(void)events;
	fd = accept4(e->peer_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (is_trusted(e, fd))
		engine_ike_attach(e, fd);
	else
		close(fd);
}

void engine_ike_listen(struct engine *e, int fd)
{
	e->peer_listener.data = e;
	if (uv_poll_init(&e->loop, &e->peer_listener, fd) ||
	    uv_poll_start(&e->peer_listener, UV_READABLE, on_connection))
		log_error(&e->log, "cannot listen for ikev1d");
}
