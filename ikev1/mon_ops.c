/* SPDX-License-Identifier: ISC */
/* The monitor's operations, each with its checks in one table. */
#include "ikev1/mon_int.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SAS_STEP 2	/* a pair */
#define PEER_BYTES 1536 /* an R with a pair and a note */
#define SPI_MIN 256	/* RFC 2406 section 2.1: 1 to 255 are reserved */

struct mon *mon_new(const struct mon_env *env)
{
	struct mon *m = xcalloc(1, sizeof(*m));

	m->env = *env;
	heap_init(&m->heap);
	heap_reserve(&m->heap, (size_t)env->max_clients * PEER_BYTES);
	m->slots = slots_new(env->max_clients, MON_SLOT_REST_MS);
	m->by_slot = xcalloc(env->max_clients + 1u, sizeof(*m->by_slot));
	m->shown = xcalloc(psk_count(env->psk) / 8 + 1, 1);
	/* Never accepted, known or not: slots count. */
	if (crypto_random(m->dummy_psk, sizeof(m->dummy_psk)))
		log_warn(env->log, "no random bytes for unused keys");
	return m;
}

void mon_reply(struct mon *m, uint16_t type, const void *body)
{
	m->env.send(m->env.ctx, type, body);
}

static struct mon_peer *peer_of_r(const struct mon *m, uint64_t r)
{
	struct mon_peer *p;

	HASH_FIND(hh, m->peers, &r, sizeof(r), p);
	return p;
}

int mon_find_sa(const struct mon_peer *p, uint8_t dir, uint32_t spi)
{
	for (size_t i = 0; i < p->sa_count; i++)
		if (p->sas[i].dir == dir && p->sas[i].spi == spi)
			return (int)i;
	return -1;
}

void mon_drop_sa(struct mon_peer *p, int at)
{
	p->sas[at] = p->sas[--p->sa_count];
}

void mon_forget_peer(struct mon *m, struct mon_peer *p)
{
	HASH_DELETE(hh, m->peers, p);
	free(p->sas);
	free(p);
}

void mon_end_peer(struct mon *m, struct mon_peer *p)
{
	for (size_t i = 0; i < p->sa_count; i++)
		m->env.sa_ops->del(m->env.sa_ctx, &p->sas[i]);
	slots_release(m->slots, p->slot, m->env.now_ms(m->env.ctx));
	m->by_slot[p->slot] = NULL;
	mon_forget_peer(m, p);
}

/* --- the operations ------------------------------------------------------ */

static int do_peer_new(struct mon *m, struct mon_peer *none, const void *body)
{
	const struct im_job *req = body;
	struct im_peer_new_done done = {.job = req->job};
	struct mon_peer *p;

	(void)none;
	done.slot = slots_take(m->slots, m->env.now_ms(m->env.ctx));
	if (!done.slot)
		done.error = -ENOSPC;
	else
		done.error = rnum_next(m->env.rnum, &done.r);
	if (done.error) {
		log_warn(m->env.log, "no new client: %s",
		    done.slot ? strerror(-done.error)
			      : "all slots are taken (l2tp max-clients)");
		slots_release(m->slots, done.slot, 0);
		done.slot = 0;
		mon_reply(m, IM_PEER_NEW_DONE, &done);
		return 0;
	}
	p = xcalloc(1, sizeof(*p));
	p->r = done.r;
	p->slot = done.slot;
	m->by_slot[p->slot] = p;
	HASH_ADD(hh, m->peers, r, sizeof(p->r), p);
	mon_reply(m, IM_PEER_NEW_DONE, &done);
	heap_ahead(&m->heap);
	return 0;
}

static int add_sa(
    struct mon *m, struct mon_peer *p, const struct ike_kernel_sa *sa)
{
	struct ike_kernel_sa *kept;
	int err;

	if (p->sa_count >= MON_SAS_PER_PEER)
		return -ENOSPC;
	if (mon_find_sa(p, sa->dir, sa->spi) >= 0)
		return -EEXIST;
	err = m->env.sa_ops->add(m->env.sa_ctx, sa);
	if (err)
		return err;
	if (p->sa_count == p->sa_room) {
		p->sa_room += SAS_STEP;
		p->sas = xreallocarray(p->sas, p->sa_room, sizeof(*p->sas));
	}
	kept = &p->sas[p->sa_count++];
	*kept = *sa;
	secret_wipe(kept->enc_key, sizeof(kept->enc_key));
	secret_wipe(kept->auth_key, sizeof(kept->auth_key));
	return 0;
}

static int do_sa_add(struct mon *m, struct mon_peer *p, const void *body)
{
	const struct im_sa *req = body;
	struct im_sa_add_done done = {
	    .job = req->job, .r = req->r, .spi = req->spi};
	struct ike_kernel_sa sa;

	im_sa_to_kernel(&sa, req);
	done.error = add_sa(m, p, &sa);
	secret_wipe(&sa, sizeof(sa));
	if (done.error)
		log_warn(m->env.log, "peer %llu: cannot add SA %08x: %s",
		    (unsigned long long)p->r, req->spi, strerror(-done.error));
	mon_reply(m, IM_SA_ADD_DONE, &done);
	return 0;
}

static int do_sa_del(struct mon *m, struct mon_peer *p, const void *body)
{
	const struct im_sa_ref *req = body;
	int at = mon_find_sa(p, req->dir, req->spi), err;

	/* The kernel may have been faster: its hard limit deletes too. */
	if (at < 0)
		return 0;
	err = m->env.sa_ops->del(m->env.sa_ctx, &p->sas[at]);
	if (err && err != -ESRCH)
		log_warn(m->env.log, "peer %llu: cannot delete SA %08x: %s",
		    (unsigned long long)p->r, req->spi, strerror(-err));
	mon_drop_sa(p, at);
	return 0;
}

static int do_sa_encap(struct mon *m, struct mon_peer *p, const void *body)
{
	const struct im_sa_ref *req = body;
	int at = mon_find_sa(p, req->dir, req->spi), err;
	struct ike_kernel_sa sa;

	if (at < 0)
		return 0;
	sa = p->sas[at];
	if (!addr_ip_equal(&sa.src, &req->src) ||
	    !addr_ip_equal(&sa.dst, &req->dst)) {
		log_warn(m->env.log,
		    "peer %llu: SA %08x cannot move to another address",
		    (unsigned long long)p->r, req->spi);
		return 0;
	}
	sa.src.port = req->src.port;
	sa.dst.port = req->dst.port;
	err = m->env.sa_ops->encap(m->env.sa_ctx, &sa);
	if (err)
		log_warn(m->env.log, "peer %llu: cannot update SA %08x: %s",
		    (unsigned long long)p->r, req->spi, strerror(-err));
	else
		p->sas[at] = sa;
	return 0;
}

/* 0, or -errno: -ESRCH when R has no such SA. */
static int usage_of(struct mon *m, const struct mon_peer *p, uint8_t dir,
    uint32_t spi, struct sa_usage *out)
{
	int at = mon_find_sa(p, dir, spi);

	return at < 0 ? -ESRCH
		      : m->env.sa_ops->query(m->env.sa_ctx, &p->sas[at], out);
}

static int do_sa_query(struct mon *m, struct mon_peer *p, const void *body)
{
	const struct im_sa_query *req = body;
	struct im_sa_used used = {
	    .job = req->job, .error = -ESRCH, .r = req->r, .spi = req->spi};
	struct sa_usage usage = {0};

	used.error = usage_of(m, p, req->dir, req->spi, &usage);
	used.packets = usage.packets;
	mon_reply(m, IM_SA_USED, &used);
	return 0;
}

/* An R that has ended since the operator asked is no broken rule. */
static int do_sa_stats(struct mon *m, struct mon_peer *none, const void *body)
{
	const struct im_sa_stats *req = body;
	const struct mon_peer *p = peer_of_r(m, req->r);
	struct im_sa_stats_done done = {
	    .request = req->request, .row = req->row, .error = -ESRCH};
	struct sa_usage in = {0}, out = {0};

	(void)none;
	if (p)
		done.error = usage_of(m, p, IKE_SA_IN, req->spi_in, &in);
	if (!done.error)
		done.error = usage_of(m, p, IKE_SA_OUT, req->spi_out, &out);
	if (!done.error) {
		done.packets_in = in.packets;
		done.bytes_in = in.bytes;
		done.packets_out = out.packets;
		done.bytes_out = out.bytes;
	}
	mon_reply(m, IM_SA_STATS_DONE, &done);
	return 0;
}

static int do_peer_end(struct mon *m, struct mon_peer *p, const void *body)
{
	(void)body;
	mon_end_peer(m, p);
	return 0;
}

static int do_link_wanted(
    struct mon *m, struct mon_peer *none, const void *body)
{
	(void)none;
	(void)body;
	m->env.link_wanted(m->env.ctx);
	return 0;
}

/* --- their arguments: NULL, or what is wrong ----------------------------- */

static const char *check_sa_add(const struct mon_peer *p, const void *body)
{
	const struct im_sa *req = body;

	if (req->slot != p->slot)
		return "the slot is another peer's";
	if (req->spi < SPI_MIN)
		return "the SPI is reserved";
	if (req->dir != IKE_SA_IN && req->dir != IKE_SA_OUT)
		return "no such direction";
	if (!addr_ip_len(&req->src) || req->src.family != req->dst.family)
		return "no pair of addresses";
	if (req->encap && (!req->src.port || !req->dst.port))
		return "no ports for the encapsulation";
	return NULL;
}

static const char *check_sa_encap(const struct mon_peer *p, const void *body)
{
	const struct im_sa_ref *req = body;
	int at = mon_find_sa(p, req->dir, req->spi);

	if (!req->src.port || !req->dst.port)
		return "no ports for the encapsulation";
	return at >= 0 && !p->sas[at].encap ? "that SA has no encapsulation"
					    : NULL;
}

/* --- the closed list ----------------------------------------------------- */

static uint64_t r_of_sa(const void *body)
{
	return ((const struct im_sa *)body)->r;
}

static uint64_t r_of_ref(const void *body)
{
	return ((const struct im_sa_ref *)body)->r;
}

static uint64_t r_of_query(const void *body)
{
	return ((const struct im_sa_query *)body)->r;
}

static uint64_t r_of_peer(const void *body)
{
	return ((const struct im_peer *)body)->r;
}

struct mon_op {
	enum im_msg type;
	uint64_t (*r_of)(const void *body); /* NULL: about no R */
	const char *(*check)(const struct mon_peer *p, const void *body);
	int (*run)(struct mon *m, struct mon_peer *p, const void *body);
};

static const struct mon_op ops[] = {
    {IM_PEER_NEW, NULL, NULL, do_peer_new},
    {IM_PSK, NULL, mon_check_psk, mon_do_psk},
    {IM_TRIAL, NULL, mon_check_trial, mon_do_trial},
    {IM_SA_ADD, r_of_sa, check_sa_add, do_sa_add},
    {IM_SA_DEL, r_of_ref, NULL, do_sa_del},
    {IM_SA_ENCAP, r_of_ref, check_sa_encap, do_sa_encap},
    {IM_SA_QUERY, r_of_query, NULL, do_sa_query},
    {IM_SA_STATS, NULL, NULL, do_sa_stats},
    {IM_PEER_END, r_of_peer, NULL, do_peer_end},
    {IM_LINK_WANTED, NULL, NULL, do_link_wanted},
};

static int refuse(struct mon *m, uint16_t type, const char *why)
{
	log_error(m->env.log, "the engine's %s is refused: %s",
	    msg_name(&im_table, type), why);
	return -EPROTO;
}

int mon_handle(struct mon *m, const struct msg_header *hdr, const void *body)
{
	const struct mon_op *op = NULL;
	struct mon_peer *p = NULL;
	const char *bad;

	for (size_t i = 0; !op && i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i].type == hdr->type)
			op = &ops[i];
	if (!op)
		return refuse(m, hdr->type, "not an engine's to send");
	if (op->r_of) {
		p = peer_of_r(m, op->r_of(body));
		if (!p)
			return refuse(m, hdr->type, "no such peer");
	}
	bad = op->check ? op->check(p, body) : NULL;
	return bad ? refuse(m, hdr->type, bad) : op->run(m, p, body);
}
