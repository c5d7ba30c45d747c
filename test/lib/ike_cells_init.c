/* SPDX-License-Identifier: ISC */
/*
 * The initiator's states for the table of cells: our own initiator is
 * brought there by our own responder.  What the responder knows by then is
 * read from the initiator's state; with it the forger plays the server.
 */
#include "test/lib/ike_cells.h"

#include "common/alloc.h"
#include "ikev1/core/ike_priv.h"
#include "test/lib/ike_pair.h"

#include <stdlib.h>
#include <string.h>

#define AES256 IKE_CIPHER_AES, 256

static const struct ike_suite ike_suites[] = {
    {AES256, IKE_HASH_SHA1, IKE_GROUP_ECP256},
};
static const struct ike_suite esp_suites[] = {
    {ESP_AES, 256, ESP_AUTH_SHA1, IKE_GROUP_NONE},
};

/* As persona_default, with the groups that the forger has. */
static const struct persona *caller(void)
{
	static struct persona p;

	p = persona_default;
	p.name = "caller";
	p.ike.suites = ike_suites;
	p.ike.suite_count = 1;
	p.esp.suites = esp_suites;
	p.esp.suite_count = 1;
	p.dpd_ms = 0;
	return &p;
}

static const struct persona *list[1];

static struct ike_sa *newest(const struct ike_pair *p)
{
	struct ike_sa *sa = p->i->ike->sas;

	if (!sa)
		abort();
	return sa;
}

static void until_sa(struct ike_pair *p, enum sa_state state)
{
	for (int ms = 0; ms < 1000 && newest(p)->state != state; ms++)
		pair_run(p, 1);
	if (newest(p)->state != state)
		abort();
}

static struct quick *until_offered(struct ike_pair *p)
{
	const struct quick *q;

	until_sa(p, SA_UP);
	for (int ms = 0; ms < 1000; ms++) {
		q = newest(p)->quicks;
		if (q && q->state == QUICK_OFFERED)
			return newest(p)->quicks;
		pair_run(p, 1);
	}
	abort();
}

static struct quick *reach(struct ike_pair *p, enum cell_state state)
{
	struct ike_event ev = {.type = IKE_EV_CONN_REKEY_ESP, .job = 1};

	pair_connect(p, list[0]);
	if (state == CELL_I_SENT1)
		return NULL;
	if (state == CELL_I_SENT3) {
		until_sa(p, SA_SENT3);
		return NULL;
	}
	if (state == CELL_I_SENT5) {
		until_sa(p, SA_SENT5);
		return NULL;
	}
	if (state == CELL_I_QUICK)
		return until_offered(p);
	pair_run(p, 3000);
	if (ikew_live_sas(p->i) != 2)
		abort();
	ikew_step(p->i, &ev);
	return until_offered(p);
}

/* There may be nothing yet. */
static size_t copy_of(uint8_t *to, const void *data, size_t len)
{
	if (len)
		memcpy(to, data, len);
	return len;
}

/* What the server knows, where the forger looks for it. */
static void tell(struct cell_world *cw, const struct ike_sa *sa)
{
	struct ike_client *c = cw->c;
	struct client_sa *to = &c->sa[0];
	static const uint8_t zero[8];

	c->cur = to;
	c->inner = sa->local;
	c->server = sa->peer;
	c->ike[0] = ike_suites[0];
	c->esp[0] = esp_suites[0];
	memcpy(to->cky_i, sa->cky_i, 8);
	memcpy(to->cky_r, sa->cky_r, 8);
	/* Message 2 will choose it. */
	if (!memcmp(to->cky_r, zero, 8))
		memset(to->cky_r, 0x77, 8);
	to->sai_len = copy_of(to->sai, sa->sai.data, sa->sai.len);
	to->dh.pub_len = copy_of(to->dh.pub, sa->gxi.data, sa->gxi.len);
	to->gxr_len = copy_of(to->gxr, sa->gxr.data, sa->gxr.len);
	to->keys = sa->keys;
	memcpy(to->iv, sa->iv, sizeof(to->iv));
	memcpy(cw->iv5, sa->iv, sizeof(cw->iv5));
}

void cell_world_init_ours(struct cell_world *cw, enum cell_state state)
{
	struct ike_pair *p = pair_new(12);
	const struct quick *q;

	list[0] = caller();
	p->i->cfg.personas = list;
	p->i->cfg.persona_count = 1;
	ikew_crash(p->i);
	cw->pair = p;
	cw->w = p->i;
	cw->c = cw->own = xcalloc(1, sizeof(*cw->own));
	cw->is_ours = true;
	q = reach(p, state);
	tell(cw, newest(p));
	cw->local = newest(p)->local;
	cw->peer = newest(p)->peer;
	cw->has_keys = state >= CELL_I_SENT5;
	if (!q)
		return;
	cw->current = q->msgid;
	memcpy(cw->iv3, q->iv, sizeof(cw->iv3));
	memcpy(cw->c->quick[0].ni, q->ni.data, q->ni.len);
}

void cell_world_done_ours(struct cell_world *cw)
{
	pair_free(cw->pair);
	free(cw->own);
}
