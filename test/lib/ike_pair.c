/* SPDX-License-Identifier: ISC */
/* Two worlds, one clock. */
#include "test/lib/ike_pair.h"

#include "common/alloc.h"
#include "test/lib/personas.h"

#include <stdlib.h>

static struct addr addr_of(const char *text, uint16_t port)
{
	struct addr a;

	if (addr_parse(&a, text))
		abort();
	a.port = port;
	return a;
}

/* What the initiator sends, as the responder sees it. */
static bool to_responder(struct ikew *from, struct ike_event *ev)
{
	const struct ike_pair *p = from->carry_ctx;
	struct addr server = ev->peer;

	if (p->is_cut)
		return false;
	ev->peer = ev->local;
	ev->local = server;
	if (p->nat_port)
		ev->peer = addr_of(PAIR_NAT,
		    (uint16_t)(p->nat_port + (ev->peer.port == 4500)));
	return true;
}

static bool to_initiator(struct ikew *from, struct ike_event *ev)
{
	const struct ike_pair *p = from->carry_ctx;
	struct addr client = ev->peer, outer = addr_of(PAIR_NAT, p->nat_port);

	if (p->is_cut)
		return false;
	ev->peer = ev->local;
	ev->local = client;
	if (!p->nat_port)
		return true;
	if (!addr_ip_equal(&client, &outer) || client.port < p->nat_port ||
	    client.port > p->nat_port + 1)
		return false;
	ev->local =
	    addr_of(PAIR_INNER, client.port == p->nat_port ? 500 : 4500);
	return true;
}

struct ike_pair *pair_new(uint64_t seed)
{
	struct ike_pair *p = xcalloc(1, sizeof(*p));

	p->i = ikew_new(seed);
	p->r = ikew_new(seed + 1000);
	p->i->cfg.personas = personas;
	p->i->cfg.persona_count = persona_total;
	p->i->cfg.has_esp_500 = p->r->cfg.has_esp_500 = true;
	ikew_crash(p->i);
	ikew_crash(p->r);
	p->i->other = p->r;
	p->i->carry = to_responder;
	p->i->carry_ctx = p;
	p->r->other = p->i;
	p->r->carry = to_initiator;
	p->r->carry_ctx = p;
	return p;
}

void pair_free(struct ike_pair *p)
{
	ikew_free(p->i);
	ikew_free(p->r);
	free(p);
}

void pair_link(struct ike_pair *p, int loss, int dup, uint32_t jitter_ms)
{
	struct ikew *both[] = {p->i, p->r};

	for (int n = 0; n < 2; n++) {
		both[n]->loss = loss;
		both[n]->dup = dup;
		both[n]->jitter_ms = jitter_ms;
	}
}

void pair_connect(struct ike_pair *p, const struct persona *persona)
{
	struct ike_event ev = {
	    .type = IKE_EV_CONNECT,
	    .job = 1,
	    .local = addr_of(PAIR_INNER, 500),
	    .peer = addr_of(WORLD_SERVER, 500),
	    .persona = persona,
	};

	ikew_step(p->i, &ev);
}

/* The next thing in either world. */
static bool once(struct ike_pair *p, uint64_t end)
{
	uint64_t at_i = ikew_next_at(p->i), at_r = ikew_next_at(p->r);
	struct ikew *next = at_i <= at_r ? p->i : p->r;
	bool is_more = ikew_once(next, end);

	p->i->now = p->r->now = next->now;
	return is_more;
}

void pair_run(struct ike_pair *p, uint64_t ms)
{
	uint64_t end = p->i->now + ms;

	while (once(p, end))
		;
	p->i->now = p->r->now = end;
}

bool pair_up(struct ike_pair *p, uint64_t ms)
{
	uint64_t end = p->i->now + ms;
	int ups = p->i->conn_ups, failures = p->i->conn_failures;

	while (p->i->conn_ups == ups && p->i->conn_failures == failures &&
	       once(p, end))
		;
	return p->i->conn_ups > ups;
}
