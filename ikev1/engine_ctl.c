/* SPDX-License-Identifier: ISC */
/* Answers on ikev1d's control socket. */
#include "ikev1/engine_priv.h"

#include "common/ctl.h"
#include "common/version.h"
#include "ikev1/core/view.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *status(struct engine *e)
{
	struct ike_counts c;

	ike_count(e->ike, &c);
	return json_pack("{s:s, s:s, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "program", "ikev1d", "version", SALLYPORT_VERSION, "pid",
	    (int)getpid(), "linked", (int)link_is_up(e->link), "ike_sas",
	    (json_int_t)c.sas, "first_messages", (json_int_t)c.first,
	    "half_open", (json_int_t)c.half_open, "peers", (json_int_t)c.peers,
	    "ipsec_pairs", (json_int_t)c.pairs, "dh_waiting",
	    (json_int_t)dh_pool_waiting(e->dh));
}

/* --- sas ----------------------------------------------------------------- */

struct sas {
	json_t *sas, *pairs;
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

static json_t *sas(struct engine *e)
{
	struct sas s = {json_array(), json_array()};
	const struct view v = {on_sa, on_pair, &s};

	ike_view(e->ike, engine_now_ms(), &v);
	return json_pack("{s:i, s:o, s:o}", "version", 1, "ike_sas", s.sas,
	    "ipsec_pairs", s.pairs);
}

static void why(struct engine *e, struct ctl_reply *reply, const char *address)
{
	json_t *doc = refusals_json(e->refusals, address);

	if (doc)
		ctl_reply_send(reply, doc);
	else
		ctl_reply_error(reply, "%.64s is no IP address", address);
}

static void on_request(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words)
{
	if (count == 1 && !strcmp(words[0], "status"))
		ctl_reply_send(reply, status(ctx));
	else if (count == 2 && !strcmp(words[0], "why"))
		why(ctx, reply, words[1]);
	else if (count == 1 && !strcmp(words[0], "sas"))
		ctl_reply_send(reply, sas(ctx));
	else
		ctl_reply_error(
		    reply, "ikev1d knows only: status, sas, why ADDRESS");
}

int engine_ctl_start(struct engine *e, int fd)
{
	int err = ctl_server_start(&e->ctl, &e->loop, fd, on_request, e);

	if (err)
		log_error(e->log, "no control socket: %s", strerror(-err));
	return err;
}
