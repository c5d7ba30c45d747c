/* SPDX-License-Identifier: ISC */
/* Diffie-Hellman jobs in the thread pool. */
#include "ikev1/dh_pool.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/isakmp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct dh_pool {
	uv_loop_t *loop;
	dh_done_fn done;
	void *ctx;
	struct dh *dh;	       /* all threads' */
	struct dh_seeds seeds; /* the loop's own */
	size_t waiting;
	bool is_closing;
};

struct dh_work {
	uv_work_t work;
	struct dh_pool *pool;
	uint32_t job;
	struct dh_request req; /* its spans are the arrays' */
	uint8_t peer_pub[IKE_DH_MAX], priv[IKE_DH_MAX];
	int err;
	struct dh_result res;
};

/* Below 0.3 ms: not worth a thread's latency. */
static bool is_cheap(uint16_t group)
{
	return group == IKE_GROUP_ECP256;
}

struct dh_pool *dh_pool_new(uv_loop_t *loop, dh_done_fn done, void *ctx)
{
	struct dh_pool *p = xcalloc(1, sizeof(*p));

	p->loop = loop;
	p->done = done;
	p->ctx = ctx;
	p->dh = dh_new();
	return p;
}

/* seeds: NULL in a thread. */
static int run(const struct dh *dh, struct dh_seeds *seeds,
    const struct dh_request *req, struct dh_result *res)
{
	switch (req->op) {
	case DH_OP_EXCHANGE:
		return dh_exchange_seeded(
		    dh, seeds, req->group, req->peer_pub, res);
	case DH_OP_KEYGEN:
		return dh_keygen(dh, req->group, res);
	case DH_OP_FINISH:
		return dh_finish(dh, req->group, req->priv, req->peer_pub, res);
	}
	return -EINVAL;
}

static void end(struct dh_pool *p)
{
	dh_free(p->dh);
	secret_free(p, sizeof(*p));
}

static void in_thread(uv_work_t *work)
{
	struct dh_work *w = work->data;

	w->err = run(w->pool->dh, NULL, &w->req, &w->res);
}

static void back_in_loop(uv_work_t *work, int status)
{
	struct dh_work *w = work->data;
	struct dh_pool *p = w->pool;

	p->waiting--;
	if (!p->is_closing)
		p->done(p->ctx, w->job, status ? status : w->err, &w->res);
	secret_free(w, sizeof(*w));
	if (p->is_closing && !p->waiting)
		end(p);
}

static void run_now(
    struct dh_pool *p, uint32_t job, const struct dh_request *req)
{
	struct dh_result res = {.pub_len = 0};
	int err = run(p->dh, &p->seeds, req, &res);

	p->done(p->ctx, job, err, &res);
	secret_wipe(&res, sizeof(res));
}

static void fail_now(struct dh_pool *p, uint32_t job, int err)
{
	const struct dh_result none = {.pub_len = 0};

	p->done(p->ctx, job, err, &none);
}

static void copy_span(struct wire_span *span, uint8_t room[IKE_DH_MAX])
{
	if (span->len)
		memcpy(room, span->data, span->len);
	span->data = room;
}

void dh_pool_submit(
    struct dh_pool *p, uint32_t job, const struct dh_request *req)
{
	struct dh_work *w;

	if (is_cheap(req->group)) {
		run_now(p, job, req);
		return;
	}
	if (p->waiting >= DH_POOL_MAX || req->peer_pub.len > IKE_DH_MAX ||
	    req->priv.len > IKE_DH_MAX) {
		fail_now(p, job, p->waiting >= DH_POOL_MAX ? -EBUSY : -EINVAL);
		return;
	}
	w = xcalloc(1, sizeof(*w));
	w->work.data = w;
	w->pool = p;
	w->job = job;
	w->req = *req;
	copy_span(&w->req.peer_pub, w->peer_pub);
	copy_span(&w->req.priv, w->priv);
	p->waiting++;
	if (uv_queue_work(p->loop, &w->work, in_thread, back_in_loop)) {
		p->waiting--;
		secret_free(w, sizeof(*w));
		fail_now(p, job, -EBUSY);
	}
}

size_t dh_pool_waiting(const struct dh_pool *p)
{
	return p->waiting;
}

void dh_pool_free(struct dh_pool *p)
{
	if (!p)
		return;
	p->is_closing = true;
	if (!p->waiting)
		end(p);
}
