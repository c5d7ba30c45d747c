/* SPDX-License-Identifier: ISC */
/*
 * The answer to the control request sas: what the core holds, at once, and
 * then the kernel's counters of each pair, through the monitor.
 */
#include "ikev1/engine_priv.h"

#include "common/alloc.h"
#include "common/ctl.h"
#include "ikev1/core/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Questions to the monitor at once: its other work has its turn. */
#define WINDOW 64

/* An answer that is being put together. */
struct sas {
	struct sas *next;
	struct engine *engine;
	struct ctl_reply *reply;
	uint32_t request;
	json_t *sas, *pairs;
	struct im_sa_stats *asks; /* of each row of pairs */
	size_t asked, unanswered;
};

/* Seconds; null when there is none. */
static json_t *seconds(uint64_t ms)
{
	return ms == VIEW_NONE ? json_null()
			       : json_integer((json_int_t)(ms / 1000));
}

static json_t *hex(const uint8_t *data, size_t len)
{
	char text[2 * ISAKMP_COOKIE_LEN + 1] = "";

	for (size_t i = 0; i < len && i < ISAKMP_COOKIE_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return json_string(text);
}

static json_t *spi_text(uint32_t spi)
{
	char text[9];

	snprintf(text, sizeof(text), "%08x", spi);
	return json_string(text);
}

static json_t *addr_json(const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	return json_string(addr_text(a, text));
}

static void on_sa(void *ctx, const struct view_sa *v)
{
	struct sas *s = ctx;

	json_array_append_new(s->sas,
	    json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:b, s:s, s:o, s:o, s:I, "
		      "s:o, s:o, s:o, s:b, s:i}",
		"peer", addr_json(&v->peer), "local", addr_json(&v->local),
		"identity", v->identity, "state", v->state, "initiator",
		(int)v->is_initiator, "client_nat", (int)v->client_nat,
		"server_nat", (int)v->server_nat, "suite", v->suite, "cookie_i",
		hex(v->cky_i, sizeof(v->cky_i)), "cookie_r",
		hex(v->cky_r, sizeof(v->cky_r)), "psk_line",
		(json_int_t)v->psk_line, "age", seconds(v->age), "expires",
		seconds(v->expires), "heard", seconds(v->heard), "dpd",
		(int)v->has_dpd, "dpd_unanswered", (int)v->dpd_tries));
}

static void on_pair(void *ctx, const struct view_pair *v)
{
	struct sas *s = ctx;
	size_t row = json_array_size(s->pairs);

	s->asks = xreallocarray(s->asks, row + 1, sizeof(*s->asks));
	s->asks[row] = (struct im_sa_stats){
	    s->request, (uint32_t)row, v->r, v->spi_in, v->spi_out};
	json_array_append_new(s->pairs,
	    json_pack("{s:I, s:i, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:b, s:o, "
		      "s:o, s:o, s:I, s:I}",
		"r", (json_int_t)v->r, "slot", (int)v->slot, "peer",
		addr_json(&v->peer), "local", addr_json(&v->local), "identity",
		v->identity, "suite", v->suite, "state", v->state, "spi_in",
		spi_text(v->spi_in), "spi_out", spi_text(v->spi_out), "nat",
		(int)v->is_encap, "age", seconds(v->age), "rekeys",
		seconds(v->rekeys), "expires", seconds(v->expires),
		"soft_bytes", (json_int_t)v->soft_bytes, "hard_bytes",
		(json_int_t)v->hard_bytes));
}

static void finish(struct sas *s)
{
	struct sas **at = &s->engine->sas;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	ctl_reply_send(
	    s->reply, json_pack("{s:i, s:o, s:o}", "version", 1, "ike_sas",
			  s->sas, "ipsec_pairs", s->pairs));
	free(s->asks);
	free(s);
}

/* Asks on, or is through. */
static void proceed(struct sas *s)
{
	size_t count = json_array_size(s->pairs);

	while (s->asked < count && s->unanswered < WINDOW) {
		/* A monitor that is gone takes the engine with it. */
		chan_send(s->engine->monitor, IM_SA_STATS, 0,
		    &s->asks[s->asked++], -1);
		s->unanswered++;
	}
	if (!s->unanswered)
		finish(s);
}

void engine_sas(struct engine *e, struct ctl_reply *reply)
{
	struct sas *s = xcalloc(1, sizeof(*s));
	const struct view v = {on_sa, on_pair, s};

	s->engine = e;
	s->reply = reply;
	s->request = ++e->last_sas;
	s->sas = json_array();
	s->pairs = json_array();
	s->next = e->sas;
	e->sas = s;
	ike_view(e->ike, engine_now_ms(), &v);
	proceed(s);
}

/* A pair without counters has ended meanwhile, or is not in the kernel. */
void engine_sas_stats(struct engine *e, const struct im_sa_stats_done *m)
{
	struct sas *s = e->sas;
	json_t *row;

	while (s && s->request != m->request)
		s = s->next;
	row = s ? json_array_get(s->pairs, m->row) : NULL;
	if (!row || !s->unanswered)
		return;
	if (!m->error) {
		json_object_set_new(
		    row, "bytes_in", json_integer((json_int_t)m->bytes_in));
		json_object_set_new(
		    row, "packets_in", json_integer((json_int_t)m->packets_in));
		json_object_set_new(
		    row, "bytes_out", json_integer((json_int_t)m->bytes_out));
		json_object_set_new(row, "packets_out",
		    json_integer((json_int_t)m->packets_out));
	}
	s->unanswered--;
	proceed(s);
}
