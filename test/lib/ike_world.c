/* SPDX-License-Identifier: ISC */
/* The world around the IKE machine: clock, link, queue. */
#include "test/lib/ike_world.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/profile.h"
#include "test/lib/ike_world_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rnd(struct ikew *w)
{
	uint64_t z = w->seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

int ikew_random(void *ctx, void *out, size_t len)
{
	struct ikew *w = ctx;
	uint8_t *p = out;

	if (++w->randoms == w->bad_random)
		return -EIO;
	while (len--)
		*p++ = w->zero_random ? 0 : (uint8_t)rnd(w);
	return 0;
}

struct ike_suite ikew_suite(bool is_phase1, const char *text)
{
	struct ike_suite s;

	if (proposal_suite_parse(
		is_phase1 ? SA_PHASE1 : SA_PHASE2, text, &s, NULL)) {
		fprintf(stderr, "no suite %s\n", text);
		abort();
	}
	return s;
}

struct ikew *ikew_new(uint64_t seed)
{
	static const char *const ike[] = {"aes256-sha256-modp2048",
	    "aes256-sha1-ecp256", "aes128-sha1-modp2048"};
	static const char *const esp[] = {
	    "aes256-sha256", "aes128-sha256", "aes256-sha1", "aes128-sha1"};
	struct ikew *w = xcalloc(1, sizeof(*w));

	if (crypto_init(&w->crypto))
		abort();
	w->now = 1000000;
	w->seed = seed;
	w->next_r = 100;
	w->psk[0] = "a shared secret of the test";
	w->cfg = (struct ike_config){
	    .crypto = &w->crypto,
	    .policy = *profile_find(PROFILE_DEFAULT),
	    .half_open_ms = 30000,
	    .retransmit_ms = 500,
	    .dpd_ms = 30000,
	    .max_half_open = 100,
	    .max_sas = 1000,
	    .linger_ms = 30000,
	};
	w->cfg.policy.ike_count = 3;
	w->cfg.policy.esp_count = 4;
	for (size_t i = 0; i < 3; i++)
		w->cfg.policy.ike[i] = ikew_suite(true, ike[i]);
	for (size_t i = 0; i < 4; i++)
		w->cfg.policy.esp[i] = ikew_suite(false, esp[i]);
	ikew_crash(w);
	return w;
}

void ikew_accept(struct ikew *w, const char *ike, const char *esp)
{
	struct ike_policy *p = &w->cfg.policy;

	if (ike) {
		p->ike[0] = ikew_suite(true, ike);
		p->ike_count = 1;
	}
	if (esp) {
		p->esp[0] = ikew_suite(false, esp);
		p->esp_count = 1;
	}
	ikew_crash(w);
}

void ikew_free(struct ikew *w)
{
	for (size_t i = 0; i < w->client_count; i++) {
		ikec_done(w->client[i]);
		free(w->client[i]);
	}
	ike_free(w->ike);
	ikew_forget_records(w);
	crypto_done(&w->crypto);
	free(w);
}

static struct addr addr_of(const char *text, uint16_t port)
{
	struct addr a;

	if (addr_parse(&a, text))
		abort();
	a.port = port;
	return a;
}

struct ikew_item *ikew_queue(struct ikew *w, uint64_t delay)
{
	struct ikew_item *it = w->queue;

	while (it < w->queue + WORLD_QUEUE && it->is_used)
		it++;
	if (it == w->queue + WORLD_QUEUE)
		abort();
	memset(it, 0, sizeof(*it));
	it->is_used = true;
	it->at = w->now + delay;
	it->order = w->next_order++;
	return it;
}

void ikew_carry(struct ikew *w, bool to_server, const struct ike_event *ev,
    const uint8_t *data, size_t len)
{
	struct ikew *to = w->other ? w->other : w;
	struct ike_event seen = *ev;
	uint8_t copy[CLIENT_PACKET_MAX];
	int copies = 1;

	memcpy(copy, data, len);
	w->datagrams++;
	if (w->datagrams == w->drop_nth ||
	    (w->filter && !w->filter(w, to_server, copy, &len)) ||
	    (w->loss && rnd(w) % 100 < (uint64_t)w->loss))
		return;
	if (w->other && !w->carry(w, &seen))
		return;
	if (w->dup && rnd(w) % 100 < (uint64_t)w->dup)
		copies = 2;
	while (copies--) {
		uint64_t wait = 5;
		struct ikew_item *it;

		if (w->jitter_ms)
			wait += rnd(w) % w->jitter_ms;
		it = ikew_queue(to, 0);
		it->at = w->now + wait;
		it->to_server = to_server || w->other;
		it->ev = seen;
		memcpy(it->data, copy, len);
		it->len = len;
	}
}

static void client_sends(
    struct ike_client *c, bool floated, const uint8_t *data, size_t len)
{
	struct ike_event ev = {.type = IKE_EV_DATAGRAM};
	static const uint8_t zero[8];

	ev.peer = c->outer[floated];
	ev.local = c->server;
	ev.local.port = floated ? 4500 : 500;
	/* Before message 2 nobody knows that the server takes fragments. */
	if (!c->fragment || len <= c->fragment || !memcmp(data + 8, zero, 8)) {
		ikew_carry(c->ctx, true, &ev, data, len);
		return;
	}
	for (unsigned int i = 1;; i++) {
		uint8_t part[CLIENT_PACKET_MAX];
		int n = frag_part(
		    (struct wire_span){data, len}, i, part, c->fragment);

		if (n <= 0)
			return;
		ikew_carry(c->ctx, true, &ev, part, (size_t)n);
	}
}

struct ike_client *ikew_client(
    struct ikew *w, const char *inner, const char *nat, uint16_t port)
{
	struct ike_client *c = xcalloc(1, sizeof(*c));

	c->crypto = &w->crypto;
	c->send = client_sends;
	c->ctx = w;
	c->now = &w->now;
	c->seed = rnd(w);
	c->inner = addr_of(inner, 0);
	c->server = addr_of(
	    c->inner.family == ADDR_IPV6 ? WORLD_SERVER6 : WORLD_SERVER, 0);
	c->outer[0] = addr_of(nat ? nat : inner, nat ? port : 500);
	c->outer[1] =
	    addr_of(nat ? nat : inner, nat ? (uint16_t)(port + 1) : 4500);
	c->ike[0] = ikew_suite(true, "aes256-sha1-ecp256");
	c->ike_count = 1;
	c->esp[0] = ikew_suite(false, "aes256-sha256");
	c->esp_count = 1;
	ikec_init(c);
	w->client[w->client_count++] = c;
	return c;
}

void ikew_crash(struct ikew *w)
{
	ike_free(w->ike);
	w->ike = ike_new(&w->cfg, ikew_random, w);
	ike_keep_records(w->ike, NULL, NULL);
	ikew_forget_records(w);
}

void ikew_save(struct ikew *w)
{
	size_t len, len2;
	uint8_t *data = ike_save(w->ike, w->now, &len), *again;

	ike_free(w->ike);
	w->ike = ike_restore(&w->cfg, ikew_random, w, w->now, data, len);
	if (!w->ike)
		abort();
	ike_keep_records(w->ike, NULL, NULL);
	again = ike_save(w->ike, w->now, &len2);
	if (len != len2)
		abort();
	secret_free(again, len2);
	secret_free(data, len);
}

void ikew_step(struct ikew *w, const struct ike_event *ev)
{
	struct ike_actions acts = {0};
	struct ike_event now = *ev;
	struct crypto crypto = w->crypto;

	now.now_ms = w->now;
	if (now.type == IKE_EV_DATAGRAM)
		w->bytes_in += now.data.len;
	if (++w->steps == w->bad_step)
		memset(&w->crypto, 0, sizeof(w->crypto));
	ike_step(w->ike, &now, &acts);
	w->crypto = crypto;
	ikew_keep_records(w, !w->save_often);
	if (w->save_often)
		ikew_save(w);
	for (size_t i = 0; i < acts.count; i++)
		ikew_act(w, &acts.items[i]);
	ike_actions_free(&acts);
}

void ikew_inject(struct ikew *w, const struct addr *from, uint16_t local,
    const uint8_t *data, size_t len)
{
	struct ike_event ev = {
	    .type = IKE_EV_DATAGRAM,
	    .local = addr_of(WORLD_SERVER, local),
	    .peer = *from,
	    .data = {data, len},
	};

	ikew_step(w, &ev);
}

static void deliver_to_client(struct ikew *w, struct ikew_item *it)
{
	for (size_t i = 0; i < w->client_count; i++) {
		struct ike_client *c = w->client[i];

		for (int port = 0; port < 2; port++) {
			if (addr_equal(&c->outer[port], &it->ev.peer) &&
			    it->ev.local.port == (port ? 4500 : 500))
				ikec_input(c, port == 1, it->data, it->len);
		}
	}
}

static void deliver(struct ikew *w, struct ikew_item *it)
{
	struct ikew_item now = *it;

	it->is_used = false;
	now.ev.pub.data = now.pub;
	now.ev.shared.data = now.shared;
	if (now.ev.type == IKE_EV_DATAGRAM)
		now.ev.data = (struct wire_span){now.data, now.len};
	if (now.ev.type == IKE_EV_TRIAL_DONE)
		now.ev.data.data = now.lines;
	if (now.ev.type == IKE_EV_DATAGRAM && !now.to_server)
		deliver_to_client(w, &now);
	else
		ikew_step(w, &now.ev);
}

static const struct ikew_item *next_item(const struct ikew *w)
{
	const struct ikew_item *best = NULL;

	for (size_t i = 0; i < WORLD_QUEUE; i++) {
		const struct ikew_item *it = &w->queue[i];

		if (it->is_used &&
		    (!best || it->at < best->at ||
			(it->at == best->at && it->order < best->order)))
			best = it;
	}
	return best;
}

static uint64_t next_timer(const struct ikew *w)
{
	uint64_t due = ike_next_deadline(w->ike);

	for (size_t i = 0; i < w->client_count; i++) {
		uint64_t d = ikec_deadline(w->client[i]);

		due = d < due ? d : due;
	}
	return due;
}

uint64_t ikew_next_at(const struct ikew *w)
{
	const struct ikew_item *it = next_item(w);
	uint64_t due = next_timer(w);

	return it && it->at < due ? it->at : due;
}

bool ikew_once(struct ikew *w, uint64_t end)
{
	struct ikew_item *it = (struct ikew_item *)next_item(w);
	uint64_t due = next_timer(w);

	if (it && it->at <= due && it->at <= end) {
		w->now = it->at > w->now ? it->at : w->now;
		deliver(w, it);
		return true;
	}
	if (due > end)
		return false;
	w->now = due > w->now ? due : w->now;
	for (size_t i = 0; i < w->client_count; i++)
		ikec_timers(w->client[i]);
	if (ike_next_deadline(w->ike) <= w->now)
		ikew_step(w, &(struct ike_event){.type = IKE_EV_TICK});
	return true;
}

void ikew_run(struct ikew *w, uint64_t ms)
{
	uint64_t end = w->now + ms;

	while (ikew_once(w, end))
		;
	w->now = end;
}

bool ikew_main(struct ikew *w, struct ike_client *c)
{
	uint64_t end = w->now + 30000;
	struct client_sa *sa = ikec_start_main(c);

	while (sa->state != CLIENT_UP && ikew_once(w, end))
		;
	return sa->state == CLIENT_UP;
}

bool ikew_quick(struct ikew *w, struct ike_client *c)
{
	uint64_t end = w->now + 30000;
	struct client_quick *q = ikec_start_quick(c);

	while (!q->is_done && ikew_once(w, end))
		;
	if (!q->is_done)
		return false;
	/* Until message 3 has arrived: its outbound SA is there. */
	while (!ikew_pair_right(w, c) && ikew_once(w, end))
		;
	return ikew_pair_right(w, c);
}

bool ikew_connect(struct ikew *w, struct ike_client *c)
{
	return ikew_main(w, c) && ikew_quick(w, c);
}

struct ikew *ikew_connected(struct ike_client **c, bool save)
{
	struct ikew *w = ikew_new(7);

	*c = ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
	w->save_often = save;
	if (!ikew_connect(w, *c))
		abort();
	ikew_run(w, 100);
	return w;
}
