/* SPDX-License-Identifier: ISC */
/*
 * The core alone, without processes and sockets, under clients that come
 * one after another: what an SA weighs, and what steps cost with few and
 * with many SAs.
 */
#include "test/bench/bench.h"

#include "common/alloc.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/mm1.h"
#include "ikev1/core/profile.h"
#include "ikev1/dh.h"
#include "test/lib/ike_client.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 10000
#define PROBE 200 /* handshakes and ticks that are timed together */
#define FEW 100
#define WEIGHED 400
#define HALF_OPEN_MAX 2000

/* An event on its way to the core; owns what it points to. */
struct pending {
	struct pending *next;
	struct ike_event ev;
	struct wire_span *span; /* in ev; NULL: none */
};

struct world {
	const struct crypto *crypto;
	struct ike *ike;
	struct ike_actions actions;
	struct ike_client *client;
	struct pending *first, **last;
	uint64_t now, r;
	bool is_half, is_timed;
	double core_us; /* in ike_step(), while is_timed */
};

static int random_bytes(void *ctx, void *out, size_t len)
{
	(void)ctx;
	return crypto_random(out, len);
}

static struct pending *push(
    struct world *w, const struct ike_event *ev, const void *data, size_t len)
{
	struct pending *p = xcalloc(1, sizeof(*p));

	p->ev = *ev;
	if (len) {
		p->span =
		    ev->type == IKE_EV_DATAGRAM ? &p->ev.data : &p->ev.shared;
		*p->span = (struct wire_span){xmemdup(data, len), len};
	}
	*w->last = p;
	w->last = &p->next;
	return p;
}

/* --- what the shell does ------------------------------------------------- */

static void do_psk(struct world *w, const struct ike_action *a)
{
	struct ike_event ev = {
	    .type = IKE_EV_PSK_DONE, .job = a->job, .psk_count = 1};
	struct candidate c = {.line = 1};
	struct wire_writer out;
	uint8_t slot[CANDIDATE_LEN];

	c.skeyid_len = (uint8_t)keymat_psk_skeyid(w->crypto, a->hash,
	    wire_span_of((const uint8_t *)BENCH_PSK, strlen(BENCH_PSK)),
	    wire_span_of(a->data, a->len), wire_span_of(a->data2, a->len2),
	    c.skeyid);
	wire_writer_init(&out, slot, sizeof(slot));
	candidate_put(&out, &c);
	push(w, &ev, slot, out.pos);
}

static void do_dh(struct world *w, const struct ike_action *a)
{
	struct dh_result res;
	struct ike_event ev = {.type = IKE_EV_DH_DONE, .job = a->job};
	struct pending *p;

	ev.error =
	    dh_exchange(NULL, a->group, wire_span_of(a->data, a->len), &res);
	p = push(w, &ev, res.shared, res.shared_len);
	p->ev.pub.data = xmemdup(res.pub, res.pub_len);
	p->ev.pub.len = res.pub_len;
}

static void carry_out(struct world *w, const struct ike_action *a)
{
	struct ike_event ev = {.job = a->job, .r = a->r};

	switch ((int)a->type) { /* the others cost nothing here */
	case IKE_ACT_SEND:
		/* Message 4 is lost, or it goes on. */
		if (w->is_half && w->client->cur->state == CLIENT_SENT3)
			return;
		ikec_input(w->client, false, a->data, a->len);
		return;
	case IKE_ACT_DH:
		do_dh(w, a);
		return;
	case IKE_ACT_PSK:
		do_psk(w, a);
		return;
	case IKE_ACT_PEER_OPEN:
		ev.type = IKE_EV_PEER_OPENED;
		ev.r = ++w->r;
		ev.slot = (uint32_t)ev.r;
		push(w, &ev, NULL, 0);
		return;
	case IKE_ACT_PEER_UP:
		ev.type = IKE_EV_PEER_READY;
		ev.r = a->up->r;
		push(w, &ev, NULL, 0);
		return;
	case IKE_ACT_SA_ADD:
		ev.type = IKE_EV_SA_DONE;
		ev.r = a->sa->r;
		ev.spi = a->sa->spi;
		push(w, &ev, NULL, 0);
		return;
	default:
		return;
	}
}

static void step(struct world *w, struct ike_event *ev)
{
	double start;

	ev->now_ms = w->now;
	start = w->is_timed ? bench_cpu_us() : 0;
	ike_step(w->ike, ev, &w->actions);
	if (w->is_timed)
		w->core_us += bench_cpu_us() - start;
	for (size_t i = 0; w->client && i < w->actions.count; i++)
		carry_out(w, &w->actions.items[i]);
	ike_actions_clear(&w->actions);
}

static void drain(struct world *w)
{
	while (w->first) {
		struct pending *p = w->first;

		w->first = p->next;
		if (!w->first)
			w->last = &w->first;
		step(w, &p->ev);
		if (p->span)
			free((void *)p->span->data);
		free((void *)p->ev.pub.data);
		free(p);
	}
}

/* --- clients ------------------------------------------------------------- */

static void from_client(
    struct ike_client *c, bool floated, const uint8_t *data, size_t len)
{
	const struct ike_event ev = {.type = IKE_EV_DATAGRAM,
	    .local = c->server,
	    .peer = c->outer[floated]};

	push(c->ctx, &ev, data, len);
}

static void open_world(
    struct world *w, const struct crypto *crypto, uint32_t max_sas)
{
	struct ike_config cfg = {.crypto = crypto,
	    .policy = *profile_find(PROFILE_DEFAULT),
	    .half_open_ms = 30000,
	    .retransmit_ms = 2000,
	    .dpd_ms = 30000,
	    .max_half_open = HALF_OPEN_MAX,
	    .max_sas = max_sas,
	    .linger_ms = 30000};

	*w = (struct world){.crypto = crypto, .now = 1000000};
	w->last = &w->first;
	w->ike = ike_new(&cfg, random_bytes, NULL);
}

static void close_world(struct world *w)
{
	ike_actions_free(&w->actions);
	ike_free(w->ike);
}

static void new_client(struct world *w, uint32_t n)
{
	struct ike_client *c = xcalloc(1, sizeof(*c));

	w->client = c;
	c->crypto = w->crypto;
	c->send = from_client;
	c->ctx = w;
	c->now = &w->now;
	c->psk = BENCH_PSK;
	crypto_random(&c->seed, sizeof(c->seed));
	addr_parse(&c->server, "192.0.2.1");
	c->inner = (struct addr){
	    .family = ADDR_IPV4, .ip = {10, (uint8_t)n, (uint8_t)(n >> 8), 1}};
	c->outer[0] = c->outer[1] = c->inner;
	c->server.port = c->outer[0].port = 500;
	c->ike[0] = (struct ike_suite){
	    IKE_CIPHER_AES, 256, IKE_HASH_SHA256, IKE_GROUP_ECP256};
	c->esp[0] = (struct ike_suite){ESP_AES, 256, ESP_AUTH_SHA256, 0};
	c->ike_count = c->esp_count = 1;
	ikec_init(c);
	ikec_start_main(c);
}

static void end_client(struct world *w)
{
	ikec_done(w->client);
	free(w->client);
	w->client = NULL;
}

static void handshake(struct world *w, uint32_t n)
{
	w->now++;
	new_client(w, n);
	drain(w);
	if (w->is_half) {
		end_client(w);
		return;
	}
	if (w->client->cur->state != CLIENT_UP)
		bench_die("no IKE SA");
	ikec_start_quick(w->client);
	drain(w);
	if (!ikec_pairs(w->client))
		bench_die("no IPsec SAs");
	end_client(w);
}

/* --- figures ------------------------------------------------------------- */

static size_t allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static size_t weight_of_sas(const struct crypto *crypto, bool is_half)
{
	struct ike_counts counts;
	size_t before, after;
	struct world w;

	open_world(&w, crypto, MANY);
	w.is_half = is_half;
	handshake(&w, 0);
	before = allocated();
	for (uint32_t n = 1; n <= WEIGHED; n++)
		handshake(&w, n);
	after = allocated();
	ike_count(w.ike, &counts);
	if (counts.sas != WEIGHED + 1 ||
	    counts.half_open != (is_half ? WEIGHED + 1 : 0))
		bench_die("not as many SAs as handshakes");
	close_world(&w);
	return (after - before) / WEIGHED;
}

static size_t weight_of_first(void)
{
	size_t before = allocated(), after;
	struct mm1 *t = mm1_new(HALF_OPEN_MAX, 30000, random_bytes, NULL);

	after = allocated();
	mm1_free(t);
	return (after - before) / HALF_OPEN_MAX;
}

void bench_core_memory(const struct crypto *crypto)
{
	printf("half-open: %zu bytes after message 1 (allocated at start), ",
	    weight_of_first());
	printf("%zu after message 3\n", weight_of_sas(crypto, true));
	printf("established: %zu bytes (IKE SA, R, pair of IPsec SAs)\n",
	    weight_of_sas(crypto, false));
	fflush(stdout);
}

/* The core's time for a handshake, mean of the next PROBE. */
static double handshake_us(struct world *w, uint32_t *n)
{
	w->core_us = 0;
	w->is_timed = true;
	for (int i = 0; i < PROBE; i++)
		handshake(w, (*n)++);
	w->is_timed = false;
	return w->core_us / PROBE;
}

/* The same for a tick that has something to do: R-U-THERE. */
static double tick_us(struct world *w)
{
	struct ike_event tick = {.type = IKE_EV_TICK};

	w->core_us = 0;
	w->is_timed = true;
	for (int i = 0; i < PROBE; i++) {
		w->now = ike_next_deadline(w->ike);
		step(w, &tick);
	}
	w->is_timed = false;
	return w->core_us / PROBE;
}

/* Both with so many SAs. */
static void cost_with(const struct crypto *crypto, uint32_t count)
{
	double handshake_cost;
	struct world w;
	uint32_t n = 0;

	open_world(&w, crypto, 2 * MANY);
	while (n < count)
		handshake(&w, n++);
	handshake_cost = handshake_us(&w, &n);
	printf("%u SAs: handshake costs %.0f us, tick %.1f us\n", count,
	    handshake_cost, tick_us(&w));
	fflush(stdout);
	close_world(&w);
}

void bench_core_scaling(const struct crypto *crypto)
{
	cost_with(crypto, FEW);
	cost_with(crypto, MANY);
}
