/* SPDX-License-Identifier: ISC */
/* Carries the core's actions out, one function for each kind. */
#include "ikev1/engine_priv.h"

#include "common/secret.h"
#include "ikev1/udp.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void to_monitor(struct engine *e, uint16_t type, const void *body)
{
	int err = chan_send(e->monitor, type, 0, body, -1);

	/* -EPIPE: its end is noticed from the loop. */
	if (err && err != -EPIPE)
		log_error(e->log, "%s is not sent: %s",
		    msg_name(&im_table, type), strerror(-err));
}

/* The socket that is bound to local, or to any address of its family at
 * its port. */
static struct engine_socket *socket_for(
    struct engine *e, const struct addr *local)
{
	const struct addr any = {.family = local->family};

	for (size_t i = 0; i < e->socket_count; i++) {
		struct engine_socket *s = &e->sockets[i];

		if (s->local.port == local->port &&
		    (addr_ip_equal(&s->local, local) ||
			addr_ip_equal(&s->local, &any)))
			return s;
	}
	return NULL;
}

/* IKE sends again by itself. */
static void not_sent(struct engine *e, const struct addr *to, int err)
{
	char peer[ADDR_TEXT_MAX];

	log_debug(
	    e->log, "%s: not sent: %s", addr_text(to, peer), strerror(-err));
}

/* How many from at on go to the same socket. */
static size_t run_of(const struct engine_out *out, size_t at)
{
	size_t n = 1;

	while (at + n < out->count && out->fds[at + n] == out->fds[at])
		n++;
	return n;
}

void engine_flush(struct engine *e)
{
	struct engine_out *out = e->out;
	size_t at = 0;

	if (out->count)
		engine_records_save(e);
	while (at < out->count) {
		const struct udp_packet *first = &out->packets[at];
		int err;

		at += udp_send_many(out->fds[at], first, run_of(out, at), &err);
		if (err)
			not_sent(e, &first->peer, err);
	}
	out->count = out->used = 0;
}

static void put_out(struct engine *e, const struct ike_action *a,
    struct wire_span data, bool has_marker)
{
	struct engine_socket *s = socket_for(e, &a->local);
	struct engine_out *out = e->out;

	if (!s || data.len > sizeof(out->bytes)) {
		not_sent(e, &a->peer, s ? -EMSGSIZE : -EADDRNOTAVAIL);
		return;
	}
	if (out->count == UDP_MANY || out->used + data.len > sizeof(out->bytes))
		engine_flush(e);
	out->fds[out->count] = s->fd;
	out->packets[out->count++] = (struct udp_packet){.local = a->local,
	    .peer = a->peer,
	    .data = out->bytes + out->used,
	    .len = (ssize_t)data.len,
	    .has_marker = has_marker};
	memcpy(out->bytes + out->used, data.data, data.len);
	out->used += data.len;
}

static void act_send(struct engine *e, const struct ike_action *a)
{
	put_out(e, a, (struct wire_span){a->data, a->len},
	    a->local.port == UDP_PORT_NATT);
}

static void act_keepalive(struct engine *e, const struct ike_action *a)
{
	static const uint8_t octet[] = {0xff};

	put_out(e, a, (struct wire_span){octet, sizeof(octet)}, false);
}

static void act_dh(struct engine *e, const struct ike_action *a)
{
	const struct dh_request req = {
	    .op = DH_OP_EXCHANGE,
	    .group = a->group,
	    .peer_pub = {a->data, a->len},
	};

	dh_pool_submit(e->dh, a->job, &req);
}

static void act_dh_keygen(struct engine *e, const struct ike_action *a)
{
	const struct dh_request req = {.op = DH_OP_KEYGEN, .group = a->group};

	dh_pool_submit(e->dh, a->job, &req);
}

static void act_dh_derive(struct engine *e, const struct ike_action *a)
{
	const struct dh_request req = {
	    .op = DH_OP_FINISH,
	    .group = a->group,
	    .peer_pub = {a->data, a->len},
	    .priv = {a->data2, a->len2},
	};

	dh_pool_submit(e->dh, a->job, &req);
}

static void act_psk(struct engine *e, const struct ike_action *a)
{
	struct im_psk req = {.job = a->job,
	    .local = a->local,
	    .peer = a->peer,
	    .hash = a->hash,
	    .use = (uint8_t)a->psk_use,
	    .entry = a->psk_entry};

	if (a->len > sizeof(req.ni.data) || a->len2 > sizeof(req.nr.data)) {
		const struct ike_event ev = {
		    .type = IKE_EV_PSK_DONE, .job = a->job, .error = -EINVAL};

		engine_event(e, &ev);
		return;
	}
	req.ni.len = (uint16_t)a->len;
	memcpy(req.ni.data, a->data, a->len);
	req.nr.len = (uint16_t)a->len2;
	memcpy(req.nr.data, a->data2, a->len2);
	to_monitor(e, IM_PSK, &req);
}

static void act_trial(struct engine *e, const struct ike_action *a)
{
	struct im_trial req;

	if (im_trial_from_core(&req, a->job, a->trial)) {
		const struct ike_event ev = {
		    .type = IKE_EV_TRIAL_DONE, .job = a->job, .error = -EINVAL};

		engine_event(e, &ev);
	} else {
		req.local = a->local;
		req.peer = a->peer;
		to_monitor(e, IM_TRIAL, &req);
	}
	secret_wipe(&req, sizeof(req));
}

static void act_peer_open(struct engine *e, const struct ike_action *a)
{
	const struct im_job req = {a->job};

	to_monitor(e, IM_PEER_NEW, &req);
}

static void act_peer_up(struct engine *e, const struct ike_action *a)
{
	link_peer_up(e->link, a->up);
}

static void act_peer_update(struct engine *e, const struct ike_action *a)
{
	link_peer_update(e->link, a->up);
}

static void act_peer_down(struct engine *e, const struct ike_action *a)
{
	link_peer_down(e->link, a->r, a->text);
}

static void act_peer_end(struct engine *e, const struct ike_action *a)
{
	const struct im_peer req = {.r = a->r};

	link_peer_end(e->link, a->r);
	to_monitor(e, IM_PEER_END, &req);
}

static void act_sa_add(struct engine *e, const struct ike_action *a)
{
	struct im_sa req;

	im_sa_from_kernel(&req, a->job, a->sa);
	to_monitor(e, IM_SA_ADD, &req);
	secret_wipe(&req, sizeof(req));
}

static struct im_sa_ref sa_ref(const struct ike_kernel_sa *sa)
{
	return (struct im_sa_ref){.r = sa->r,
	    .dir = sa->dir,
	    .spi = sa->spi,
	    .src = sa->src,
	    .dst = sa->dst};
}

static void act_sa_del(struct engine *e, const struct ike_action *a)
{
	const struct im_sa_ref req = sa_ref(a->sa);

	to_monitor(e, IM_SA_DEL, &req);
}

static void act_sa_encap(struct engine *e, const struct ike_action *a)
{
	const struct im_sa_ref req = sa_ref(a->sa);

	to_monitor(e, IM_SA_ENCAP, &req);
}

static void act_sa_query(struct engine *e, const struct ike_action *a)
{
	const struct im_sa_query req = {
	    .job = a->job, .r = a->sa->r, .dir = a->sa->dir, .spi = a->sa->spi};

	to_monitor(e, IM_SA_QUERY, &req);
}

static void act_log(struct engine *e, const struct ike_action *a)
{
	static const enum log_severity severity[] = {
	    [IKE_LOG_DEBUG] = LOG_SEV_DEBUG,
	    [IKE_LOG_INFO] = LOG_SEV_INFO,
	    [IKE_LOG_WARN] = LOG_SEV_WARN,
	};

	if (a->level != IKE_LOG_NONE)
		log_write(e->log, severity[a->level], "%s", a->text);
	if (a->what_len) {
		const struct refusal like = {
		    .when = time(NULL), .peer = a->peer, .local = a->local};

		refusals_add(e->refusals, a->is_proven, &like,
		    a->text + a->what_at, a->what_len, a->remedy);
	}
}

/* Whoever asked for a connection; the core has logged it already. */
static void act_conn(struct engine *e, const struct ike_action *a)
{
	log_debug(e->log, "connection %u: %s", a->job, a->text);
}

static void (*const carry_out[])(
    struct engine *e, const struct ike_action *a) = {
    [IKE_ACT_SEND] = act_send,
    [IKE_ACT_KEEPALIVE] = act_keepalive,
    [IKE_ACT_DH] = act_dh,
    [IKE_ACT_DH_KEYGEN] = act_dh_keygen,
    [IKE_ACT_DH_DERIVE] = act_dh_derive,
    [IKE_ACT_PSK] = act_psk,
    [IKE_ACT_TRIAL] = act_trial,
    [IKE_ACT_PEER_OPEN] = act_peer_open,
    [IKE_ACT_PEER_UP] = act_peer_up,
    [IKE_ACT_PEER_UPDATE] = act_peer_update,
    [IKE_ACT_PEER_DOWN] = act_peer_down,
    [IKE_ACT_PEER_END] = act_peer_end,
    [IKE_ACT_SA_ADD] = act_sa_add,
    [IKE_ACT_SA_DEL] = act_sa_del,
    [IKE_ACT_SA_QUERY] = act_sa_query,
    [IKE_ACT_SA_ENCAP] = act_sa_encap,
    [IKE_ACT_CONN_UP] = act_conn,
    [IKE_ACT_CONN_FAILED] = act_conn,
    [IKE_ACT_LOG] = act_log,
};

void engine_carry_out(struct engine *e, const struct ike_action *a)
{
	carry_out[a->type](e, a);
}
