/* SPDX-License-Identifier: ISC */
/* The link to l2tpd: lists after a connection, then changes. */
#include "ikev1/link.h"

#include "common/alloc.h"
#include "common/chan.h"
#include "common/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#define TICK_MS 500

enum link_peer_state {
	LINK_PEER_RAISING, /* announced; READY or REFUSED must come */
	LINK_PEER_READY,
	LINK_PEER_DOWN, /* GONE must come */
};

/* What is told of it: struct peer_up has much room for short texts. */
struct link_peer {
	UT_hash_handle hh; /* by r */
	uint64_t r;
	uint32_t slot;
	struct addr local, peer;
	uint8_t natt, held;
	char *identity, *suite;
	enum link_peer_state state;
	struct link_peer *prev, *next; /* in the list of those who wait */
	uint64_t due_ms; /* RAISING: refused then; 0: it does not wait */
	bool is_listed;	 /* in the list of this connection's other end */
	char *reason;	 /* DOWN: for an l2tpd that comes back */
};

struct link {
	uv_loop_t *loop;
	struct log *log;
	struct link_handlers handlers;
	struct chan *chan;
	struct link_peer *peers;
	uv_timer_t timer;
	struct link_peer *waiting; /* for READY, the first due first */
	bool is_listing;	   /* l2tpd's list is not complete yet */
};

static struct link_peer *find(struct link *l, uint64_t r)
{
	struct link_peer *p;

	HASH_FIND(hh, l->peers, &r, sizeof(r), p);
	return p;
}

static void stop_waiting(struct link *l, struct link_peer *p)
{
	if (p->due_ms)
		DL_DELETE(l->waiting, p);
	p->due_ms = 0;
}

/* All wait as long: who begins to is the last. */
static void wait_anew(struct link *l, struct link_peer *p)
{
	stop_waiting(l, p);
	p->due_ms = uv_now(l->loop) + l->handlers.ready_ms;
	DL_APPEND(l->waiting, p);
}

static void become(
    struct link *l, struct link_peer *p, enum link_peer_state state)
{
	p->state = state;
	if (state == LINK_PEER_RAISING)
		wait_anew(l, p);
	else
		stop_waiting(l, p);
}

static void tell(
    struct link *l, enum link_event what, uint64_t r, const char *text)
{
	l->handlers.event(l->handlers.ctx, what, r, text);
}

static void keep(struct link_peer *p, const struct peer_up *up)
{
	p->r = up->r;
	p->slot = up->slot;
	p->local = up->local;
	p->peer = up->peer;
	p->natt = up->natt;
	p->held = up->held;
	free(p->identity);
	free(p->suite);
	p->identity = xstrdup(up->identity);
	p->suite = xstrdup(up->suite);
}

static void send_up(struct link *l, enum peer_msg type, struct link_peer *p)
{
	struct peer_up up = {.r = p->r,
	    .slot = p->slot,
	    .local = p->local,
	    .peer = p->peer,
	    .natt = p->natt,
	    .held = p->held};

	snprintf(up.identity, sizeof(up.identity), "%s", p->identity);
	snprintf(up.suite, sizeof(up.suite), "%s", p->suite);
	if (l->chan)
		chan_send(l->chan, (uint16_t)type, 0, &up, -1);
}

static void send_down(
    struct link *l, uint64_t r, uint32_t slot, const char *reason)
{
	struct peer_note note = {.r = r, .slot = slot};

	snprintf(note.reason, sizeof(note.reason), "%s", reason);
	if (l->chan)
		chan_send(l->chan, PEER_DOWN, 0, &note, -1);
}

static const char *why_not_ready(const struct link *l)
{
	return l->chan ? "l2tpd does not answer" : "l2tpd is not running";
}

/*
 * A callback may end any R: the walk starts anew after each.  Refused ones
 * do not wait any more, so it ends.  A held R has live SAs: it waits until
 * l2tpd is there to be asked.
 */
static struct link_peer *overdue(struct link *l, uint64_t now)
{
	struct link_peer *p = l->waiting;

	while (p && p->due_ms <= now && p->held && !l->chan)
		p = p->next;
	return p && p->due_ms <= now ? p : NULL;
}

static void on_timer(uv_timer_t *timer)
{
	struct link *l = timer->data;
	struct link_peer *p;

	while ((p = overdue(l, uv_now(l->loop)))) {
		stop_waiting(l, p);
		tell(l, LINK_REFUSED, p->r, why_not_ready(l));
	}
}

struct link *link_new(
    uv_loop_t *loop, struct log *log, const struct link_handlers *handlers)
{
	struct link *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->log = log;
	l->handlers = *handlers;
	if (!l->handlers.ready_ms)
		l->handlers.ready_ms = LINK_READY_MS;
	uv_timer_init(loop, &l->timer);
	l->timer.data = l;
	uv_timer_start(&l->timer, on_timer, TICK_MS, TICK_MS);
	return l;
}

static void ready(struct link *l, const struct peer_note *note)
{
	struct link_peer *p = find(l, note->r);

	if (!p) {
		send_down(l, note->r, note->slot, "ikev1d does not know it");
		return;
	}
	p->is_listed = true;
	switch (p->state) {
	case LINK_PEER_RAISING:
		become(l, p, LINK_PEER_READY);
		tell(l, LINK_READY, note->r, NULL);
		return;
	case LINK_PEER_READY:
		return;
	case LINK_PEER_DOWN:
		/* Ended while there was no link. */
		send_down(l, note->r, note->slot, p->reason);
		return;
	}
}

static void refused(struct link *l, const struct peer_note *note)
{
	struct link_peer *p = find(l, note->r);

	if (!p || p->state != LINK_PEER_RAISING)
		return;
	stop_waiting(l, p);
	tell(l, LINK_REFUSED, note->r, note->reason);
}

/* l2tpd's list is complete; what is not in it, l2tpd does not have. */
static struct link_peer *unlisted(struct link *l)
{
	struct link_peer *p, *next;

	HASH_ITER(hh, l->peers, p, next)
	if (!p->is_listed && p->state != LINK_PEER_RAISING)
		return p;
	return NULL;
}

static void list_end(struct link *l)
{
	struct link_peer *p;

	if (!l->is_listing)
		return;
	l->is_listing = false;
	while ((p = unlisted(l))) {
		p->is_listed = true;
		if (p->state == LINK_PEER_DOWN)
			tell(l, LINK_GONE, p->r, NULL);
		else
			tell(l, LINK_CLOSE, p->r, "l2tpd lost it");
	}
	log_info(l->log, "linked with l2tpd");
}

static void drop(struct link *l, const char *why)
{
	log_warn(l->log, "the link to l2tpd is lost: %s", why);
	chan_close(l->chan);
	l->chan = NULL;
	l->handlers.wanted(l->handlers.ctx);
}

static void on_message(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	const struct peer_note *note = body;
	struct link *l = ctx;

	(void)chan;
	if (fd >= 0)
		close(fd);
	switch ((enum peer_msg)hdr->type) {
	case PEER_READY:
		ready(l, note);
		return;
	case PEER_REFUSED:
		refused(l, note);
		return;
	case PEER_GONE:
		tell(l, LINK_GONE, note->r, NULL);
		return;
	case PEER_CLOSE:
		tell(l, LINK_CLOSE, note->r, note->reason);
		return;
	case PEER_LIST_END:
		list_end(l);
		return;
	case PEER_UP:
	case PEER_UPDATE:
	case PEER_DOWN:
	case PEER_LEAVING:
		break;
	}
	drop(l, "l2tpd sent what only ikev1d may send");
}

static void on_end(void *ctx, struct chan *chan, int error)
{
	struct link *l = ctx;

	(void)chan;
	drop(l, error ? strerror(-error) : "l2tpd closed it");
}

void link_attach(struct link *l, int fd)
{
	const struct chan_handlers handlers = {on_message, on_end, l};
	struct peer_list_end end = {0};
	struct link_peer *p, *next;

	if (l->chan)
		chan_close(l->chan);
	l->chan = chan_open(l->loop, fd, &peer_link_table, &handlers);
	chan_hold(l->chan);
	l->is_listing = true;
	HASH_ITER(hh, l->peers, p, next)
	{
		p->is_listed = false;
		if (p->state == LINK_PEER_DOWN)
			continue;
		if (p->state == LINK_PEER_RAISING)
			wait_anew(l, p);
		send_up(l, PEER_UP, p);
		end.count++;
	}
	chan_send(l->chan, PEER_LIST_END, 0, &end, -1);
}

void link_flush(struct link *l)
{
	chan_flush(l->chan);
}

bool link_is_up(const struct link *l)
{
	return l->chan && !l->is_listing;
}

bool link_leave(struct link *l)
{
	const struct peer_list_end msg = {.count = HASH_COUNT(l->peers)};

	return l->chan && !chan_send(l->chan, PEER_LEAVING, 0, &msg, -1);
}

void link_peer_up(struct link *l, const struct peer_up *up)
{
	struct link_peer *p = find(l, up->r);

	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->r = up->r;
		HASH_ADD(hh, l->peers, r, sizeof(p->r), p);
	}
	keep(p, up);
	become(l, p, LINK_PEER_RAISING);
	send_up(l, PEER_UP, p);
}

void link_peer_update(struct link *l, const struct peer_up *up)
{
	struct link_peer *p = find(l, up->r);

	if (!p || p->state == LINK_PEER_DOWN)
		return;
	keep(p, up);
	send_up(l, PEER_UPDATE, p);
}

void link_peer_down(struct link *l, uint64_t r, const char *reason)
{
	struct link_peer *p = find(l, r);

	if (p && p->state == LINK_PEER_DOWN)
		return;
	/* From the last engine: l2tpd may know it. */
	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->r = r;
		p->state = LINK_PEER_DOWN;
		HASH_ADD(hh, l->peers, r, sizeof(p->r), p);
	}
	become(l, p, LINK_PEER_DOWN);
	free(p->reason);
	p->reason = xstrdup(reason ? reason : "");
	send_down(l, r, p->slot, p->reason);
}

static void forget(struct link *l, struct link_peer *p)
{
	stop_waiting(l, p);
	HASH_DELETE(hh, l->peers, p);
	free(p->identity);
	free(p->suite);
	free(p->reason);
	free(p);
}

void link_peer_end(struct link *l, uint64_t r)
{
	struct link_peer *p = find(l, r);

	if (p)
		forget(l, p);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void link_free(struct link *l)
{
	struct link_peer *p, *next;

	if (!l)
		return;
	HASH_ITER(hh, l->peers, p, next)
	forget(l, p);
	chan_close(l->chan);
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}
