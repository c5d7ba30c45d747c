/* SPDX-License-Identifier: ISC */
/* Turns what reaches the engine into events of the core. */
#include "ikev1/engine_priv.h"

#include "ikev1/udp.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* --- from the monitor ---------------------------------------------------- */

static void peer_opened(struct engine *e, const struct im_peer_new_done *m)
{
	const struct ike_event ev = {.type = IKE_EV_PEER_OPENED,
	    .job = m->job,
	    .error = m->error,
	    .r = m->r,
	    .slot = m->slot};

	engine_event(e, &ev);
}

static void psk_done(struct engine *e, const struct im_psk_done *m)
{
	const struct ike_event ev = {.type = IKE_EV_PSK_DONE,
	    .job = m->job,
	    .error = m->error,
	    .psk_count = m->count,
	    .shared = {m->key.data, m->key.len}};

	engine_event(e, &ev);
}

static void trial_done(struct engine *e, const struct im_trial_done *m)
{
	const struct ike_event ev = {.type = IKE_EV_TRIAL_DONE,
	    .job = m->job,
	    .error = m->error,
	    .data = {m->lines.data, m->lines.len},
	    .shared = {m->key.data, m->key.len}};

	engine_event(e, &ev);
}

static void sa_done(struct engine *e, const struct im_sa_add_done *m)
{
	const struct ike_event ev = {.type = IKE_EV_SA_DONE,
	    .job = m->job,
	    .error = m->error,
	    .r = m->r,
	    .spi = m->spi};

	engine_event(e, &ev);
}

static void sa_used(struct engine *e, const struct im_sa_used *m)
{
	const struct ike_event ev = {.type = IKE_EV_SA_USED,
	    .job = m->job,
	    .error = m->error,
	    .r = m->r,
	    .spi = m->spi,
	    .packets = m->packets};

	engine_event(e, &ev);
}

static void held(struct engine *e, const struct im_held *m)
{
	const struct ike_event ev = {.type = IKE_EV_HELD,
	    .r = m->r,
	    .slot = m->slot,
	    .live = {m->live.data, m->live.len}};

	engine_event(e, &ev);
}

/* The list for l2tpd is whole. */
static void held_end(struct engine *e)
{
	const struct ike_event ev = {.type = IKE_EV_HELD_END};

	engine_event(e, &ev);
	engine_on_link_wanted(e);
}

static void sa_event(
    struct engine *e, enum ike_event_type type, const struct im_sa_event *m)
{
	const struct ike_event ev = {.type = type,
	    .r = m->r,
	    .spi = m->spi,
	    .hard = m->hard != 0,
	    .peer = m->peer};

	engine_event(e, &ev);
}

void engine_from_monitor(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd)
{
	struct engine *e = ctx;

	(void)chan;
	if (hdr->type == IM_LINK && fd >= 0) {
		link_attach(e->link, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (hdr->type == IM_PEER_NEW_DONE)
		peer_opened(e, body);
	else if (hdr->type == IM_PSK_DONE)
		psk_done(e, body);
	else if (hdr->type == IM_TRIAL_DONE)
		trial_done(e, body);
	else if (hdr->type == IM_SA_ADD_DONE)
		sa_done(e, body);
	else if (hdr->type == IM_SA_USED)
		sa_used(e, body);
	else if (hdr->type == IM_SA_STATS_DONE)
		engine_sas_stats(e, body);
	else if (hdr->type == IM_HELD)
		held(e, body);
	else if (hdr->type == IM_HELD_END)
		held_end(e);
	else if (hdr->type == IM_EXPIRE)
		sa_event(e, IKE_EV_EXPIRE, body);
	else if (hdr->type == IM_MAPPING)
		sa_event(e, IKE_EV_MAPPING, body);
	else if (hdr->type == IM_SHUTDOWN)
		engine_shut_down(e);
	else
		log_error(e->log, "the monitor sent %s",
		    msg_name(&im_table, hdr->type));
}

/* Without its monitor an engine has no business. */
void engine_on_monitor_end(void *ctx, struct chan *chan, int error)
{
	struct engine *e = ctx;

	(void)chan;
	if (!e->is_leaving)
		log_error(e->log, "the monitor is gone%s%s", error ? ": " : "",
		    error ? strerror(-error) : "");
	e->exit_code = e->is_leaving ? 0 : 1;
	uv_stop(&e->loop);
}

/* --- from l2tpd ---------------------------------------------------------- */

void engine_on_link(
    void *ctx, enum link_event what, uint64_t r, const char *text)
{
	static const enum ike_event_type types[] = {
	    [LINK_READY] = IKE_EV_PEER_READY,
	    [LINK_REFUSED] = IKE_EV_PEER_REFUSED,
	    [LINK_CLOSE] = IKE_EV_PEER_CLOSE,
	    [LINK_GONE] = IKE_EV_PEER_GONE,
	};
	const struct ike_event ev = {.type = types[what], .r = r, .text = text};

	engine_event(ctx, &ev);
}

void engine_on_link_wanted(void *ctx)
{
	struct engine *e = ctx;
	const struct im_job req = {0};

	chan_send(e->monitor, IM_LINK_WANTED, 0, &req, -1);
}

/* --- from the threads ---------------------------------------------------- */

void engine_on_dh(void *ctx, uint32_t job, int err, const struct dh_result *res)
{
	const struct ike_event ev = {.type = IKE_EV_DH_DONE,
	    .job = job,
	    .error = err,
	    .pub = {res->pub, res->pub_len},
	    .shared = {res->shared, res->shared_len}};

	engine_event(ctx, &ev);
}

/* --- from the network ---------------------------------------------------- */

static void one_datagram(struct engine_socket *s, struct wire_span data,
    const struct addr *local, const struct addr *peer)
{
	struct ike_event ev = {
	    .type = IKE_EV_DATAGRAM, .local = *local, .peer = *peer};

	switch (udp_classify(s->local.port, data, &ev.data)) {
	case UDP_IKE:
		engine_event(s->engine, &ev);
		return;
	case UDP_KEEPALIVE:
	case UDP_OTHER:
		return;
	}
}

void engine_on_datagrams(uv_poll_t *poll, int status, int events)
{
	struct engine_socket *s = poll->data;
	struct engine_in *in = s->engine->in;
	int count;

	(void)status;
	(void)events;
	for (size_t i = 0; i < UDP_MANY; i++) {
		in->packets[i].data = in->bytes[i];
		in->packets[i].size = sizeof(in->bytes[i]);
	}
	/* One batch; then the loop's other work has its turn. */
	count = udp_recv_many(s->fd, s->local.port, in->packets, UDP_MANY);
	for (int i = 0; i < count; i++) {
		const struct udp_packet *p = &in->packets[i];

		/* Errors of the past (ICMP) and what is too long: next. */
		if (p->len >= 0)
			one_datagram(s,
			    (struct wire_span){p->data, (size_t)p->len},
			    &p->local, &p->peer);
	}
}
