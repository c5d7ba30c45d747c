/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the whole IKE machine behind its authentication: a client is
 * connected once; each input then is a run of events on a copy of that
 * state.  Protected messages are made with the client's keys, so the
 * fuzzer's payloads pass HASH(1) and reach Quick Mode and Informational.
 *
 * An input is a row of records: operation, argument, length, data.
 */
#include "common/secret.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/keymat.h"
#include "ikev1/core/isakmp_msg.h"
#include "test/fuzz/fuzz_ike.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 24
#define JOBS_MAX 64
#define MESSAGE_IDS 0x1000u /* of our records: 256 of them */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

/* What every run starts from. */
struct base {
	struct ikew *world;
	struct ike_client *client;
	uint8_t *saved;
	size_t saved_len;
	struct addr server, peer; /* both with port 4500 */
	uint64_t r;
	uint32_t spi_in, spi_out;
};

/* A question of the machine that has no answer yet. */
struct job {
	enum ike_action_type type;
	uint32_t job;
	uint16_t group, hash;
	uint64_t r;
};

struct nonce {
	uint8_t data[IKE_NONCE_MAX];
	size_t len;
};

struct run {
	const struct base *base;
	struct ike *ike;
	struct ike_actions acts;
	uint64_t now, seed;
	struct job job[JOBS_MAX];
	size_t first_job, job_count;
	uint64_t next_r;
	/* The newest Quick Mode that was asked for, and its answer. */
	uint32_t message_id;
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct nonce ni, nr;
	/* The newest Quick Mode that the machine began. */
	uint32_t own_id;
	uint8_t own_iv[CRYPTO_BLOCK_MAX];
	struct nonce own_ni;
	uint8_t cky_r[ISAKMP_COOKIE_LEN]; /* of the newest Main Mode */
};

static int count_up(void *ctx, void *out, size_t len)
{
	struct run *run = ctx;
	uint8_t *p = out;

	while (len--)
		*p++ = (uint8_t)(++run->seed * 0x9e3779b97f4a7c15ull >> 32);
	return 0;
}

static struct base *base_get(void)
{
	static struct base base;
	struct client_pair *pair;

	if (base.world)
		return &base;
	base.world = ikew_new(5);
	base.client = ikew_client(base.world, "10.0.0.2", "203.0.113.9", 40000);
	must(ikew_connect(base.world, base.client));
	ikew_run(base.world, 100);
	pair = ikec_newest_pair(base.client);
	base.r = ikew_r_of(base.world, base.client);
	base.spi_in = pair->spi_in;
	base.spi_out = pair->spi_out;
	base.server = base.client->server;
	base.server.port = ISAKMP_PORT_NATT;
	base.peer = base.client->outer[1];
	base.saved =
	    ike_save(base.world->ike, base.world->now, &base.saved_len);
	return &base;
}

static void nonce_take(struct nonce *n, uint8_t first, struct wire_span chain)
{
	const struct isakmp_payload *p = NULL;
	struct isakmp_payloads all;

	n->len = 0;
	if (!isakmp_payloads_decode(first, chain, &all, NULL))
		p = isakmp_payload_find(&all, ISAKMP_PAYLOAD_NONCE);
	if (!p || p->body.len > sizeof(n->data))
		return;
	memcpy(n->data, p->body.data, p->body.len);
	n->len = p->body.len;
}

/* A Quick Mode message with an id that no record asked for: message 1 of
 * the machine's own, or message 3 of that. */
static void watch_own(struct run *run, const struct isakmp_header *h,
    const struct ike_action *a, struct wire_span body)
{
	const struct client_sa *sa = run->base->client->cur;
	const struct crypto *c = &run->base->world->crypto;

	if (h->message_id == run->own_id)
		return;
	run->own_id = h->message_id;
	must(!keymat_iv_phase2(
	    c, &sa->keys, sa->iv, h->message_id, run->own_iv));
	must(!keymat_decrypt(
	    c, &sa->keys, run->own_iv, a->data + ISAKMP_HEADER_LEN, body.len));
	nonce_take(&run->own_ni, h->next_payload, body);
	must(run->own_ni.len >= 8);
}

/* Reads what the machine sends, as far as later records need it. */
static void watch(struct run *run, const struct ike_action *a)
{
	const struct ike_keys *keys = &run->base->client->cur->keys;
	struct wire_span body;
	struct isakmp_header h;

	must(!isakmp_header_decode(
	    wire_span_of(a->data, a->len), &h, &body, NULL));
	if (h.exchange == ISAKMP_EXCHANGE_MAIN)
		memcpy(run->cky_r, h.cky_r, sizeof(run->cky_r));
	if (h.exchange == ISAKMP_EXCHANGE_QUICK &&
	    h.message_id >> 8 != MESSAGE_IDS >> 8)
		watch_own(run, &h, a, body);
	if (h.exchange != ISAKMP_EXCHANGE_QUICK ||
	    h.message_id != run->message_id || run->nr.len)
		return;
	must(!keymat_decrypt(&run->base->world->crypto, keys, run->iv,
	    a->data + ISAKMP_HEADER_LEN, body.len));
	nonce_take(&run->nr, h.next_payload, body);
	must(run->nr.len >= 8);
}

static void note_jobs(struct run *run)
{
	for (size_t i = 0; i < run->acts.count; i++) {
		const struct ike_action *a = &run->acts.items[i];
		size_t at = (run->first_job + run->job_count) % JOBS_MAX;

		if (a->type == IKE_ACT_SEND)
			watch(run, a);
		if (run->job_count == JOBS_MAX ||
		    (a->type != IKE_ACT_DH && a->type != IKE_ACT_PSK &&
			a->type != IKE_ACT_PEER_OPEN &&
			a->type != IKE_ACT_SA_ADD &&
			a->type != IKE_ACT_SA_QUERY &&
			a->type != IKE_ACT_PEER_UP))
			continue;
		run->job[at] = (struct job){.type = a->type,
		    .job = a->job,
		    .group = a->group,
		    .hash = a->hash,
		    .r = a->up ? a->up->r : a->r};
		run->job_count++;
	}
	ike_actions_clear(&run->acts);
}

static void step(struct run *run, struct ike_event ev)
{
	ev.now_ms = run->now;
	ike_step(run->ike, &ev, &run->acts);
	note_jobs(run);
}

static void datagram(
    struct run *run, uint16_t port, uint8_t host, struct wire_span data)
{
	struct ike_event ev = {.type = IKE_EV_DATAGRAM,
	    .local = run->base->server,
	    .peer = run->base->peer,
	    .data = data};

	ev.local.port = port;
	if (host) {
		ev.peer.ip[3] = host;
		ev.peer.port = port;
	}
	step(run, ev);
}

/* Encrypts what is built and sends it; iv moves on. */
static void seal(struct run *run, struct isakmp_builder *b, uint8_t *iv)
{
	const struct ike_keys *keys = &run->base->client->cur->keys;
	int len = isakmp_build_finish(b, keys->block_len);

	if (len < 0)
		return;
	must(!keymat_encrypt(&run->base->world->crypto, keys, iv,
	    b->w.data + ISAKMP_HEADER_LEN, (size_t)len - ISAKMP_HEADER_LEN));
	datagram(
	    run, ISAKMP_PORT_NATT, 0, wire_span_of(b->w.data, (size_t)len));
}

static struct isakmp_header sealed_header(
    const struct client_sa *sa, uint8_t exchange, uint32_t message_id)
{
	struct isakmp_header h = {.version = ISAKMP_VERSION,
	    .exchange = exchange,
	    .flags = ISAKMP_FLAG_ENCRYPTED,
	    .message_id = message_id};

	memcpy(h.cky_i, sa->cky_i, sizeof(h.cky_i));
	memcpy(h.cky_r, sa->cky_r, sizeof(h.cky_r));
	return h;
}

/* Exchange, first payload; then the payloads behind HASH(1). */
static void sealed(struct run *run, uint8_t arg, struct wire_reader *r)
{
	const struct client_sa *sa = run->base->client->cur;
	const struct crypto *c = &run->base->world->crypto;
	struct isakmp_header h =
	    sealed_header(sa, wire_get_u8(r), MESSAGE_IDS + arg);
	uint8_t first = wire_get_u8(r), buf[2048], hash[IKE_KEY_MAX];
	struct wire_span rest = wire_get_span(r, wire_left(r));
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct isakmp_builder b;
	size_t pos;

	isakmp_build_begin(&b, buf, sizeof(buf), &h);
	pos = isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, sa->keys.prf_len);
	wire_set_u8(&b.w, b.next_pos, first);
	wire_put_span(&b.w, rest);
	must(keymat_hash1(c, &sa->keys, h.message_id, rest, hash) > 0);
	wire_set_bytes(&b.w, pos, hash, sa->keys.prf_len);
	must(!keymat_iv_phase2(c, &sa->keys, sa->iv, h.message_id, iv));
	if (h.exchange != ISAKMP_EXCHANGE_QUICK) {
		seal(run, &b, iv);
		return;
	}
	run->message_id = h.message_id;
	run->nr.len = 0;
	nonce_take(&run->ni, first, rest);
	memcpy(run->iv, iv, sizeof(run->iv));
	seal(run, &b, run->iv);
}

/* Message 3 of the newest Quick Mode, once its answer was read. */
static void quick3(struct run *run)
{
	const struct client_sa *sa = run->base->client->cur;
	struct isakmp_header h =
	    sealed_header(sa, ISAKMP_EXCHANGE_QUICK, run->message_id);
	uint8_t buf[256], hash[IKE_KEY_MAX];
	struct isakmp_builder b;

	if (!run->nr.len)
		return;
	must(keymat_hash3(&run->base->world->crypto, &sa->keys, run->message_id,
		 wire_span_of(run->ni.data, run->ni.len),
		 wire_span_of(run->nr.data, run->nr.len), hash) > 0);
	isakmp_build_begin(&b, buf, sizeof(buf), &h);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_HASH, wire_span_of(hash, sa->keys.prf_len));
	seal(run, &b, run->iv);
}

/* First payload; then the payloads behind HASH(2). */
static void quick2(struct run *run, struct wire_reader *r)
{
	const struct client_sa *sa = run->base->client->cur;
	struct isakmp_header h =
	    sealed_header(sa, ISAKMP_EXCHANGE_QUICK, run->own_id);
	uint8_t first = wire_get_u8(r), buf[2048], hash[IKE_KEY_MAX];
	struct wire_span rest = wire_get_span(r, wire_left(r));
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct isakmp_builder b;
	size_t pos;

	if (!run->own_id)
		return;
	isakmp_build_begin(&b, buf, sizeof(buf), &h);
	pos = isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, sa->keys.prf_len);
	wire_set_u8(&b.w, b.next_pos, first);
	wire_put_span(&b.w, rest);
	must(keymat_hash2(&run->base->world->crypto, &sa->keys, run->own_id,
		 wire_span_of(run->own_ni.data, run->own_ni.len), rest,
		 hash) > 0);
	wire_set_bytes(&b.w, pos, hash, sa->keys.prf_len);
	memcpy(iv, run->own_iv, sizeof(iv));
	seal(run, &b, iv);
}

/* A datagram of Main Mode with the cookie that the machine gave. */
static void main_next(struct run *run, uint8_t arg, struct wire_span data)
{
	uint8_t buf[2048];
	struct wire_writer w;

	wire_writer_init(&w, buf, sizeof(buf));
	wire_put_span(&w, data);
	wire_set_bytes(&w, 8, run->cky_r, sizeof(run->cky_r));
	wire_set_u32(&w, 24, (uint32_t)data.len);
	datagram(run, arg & 1 ? ISAKMP_PORT_NATT : ISAKMP_PORT, arg >> 1,
	    wire_written(&w, 0));
}

/* Two candidate keys. */
static struct wire_span psk_slots_of(uint16_t hash, uint8_t *out, size_t size)
{
	struct candidate c = {.skeyid_len = hash == IKE_HASH_SHA1 ? 20 : 32};
	struct wire_writer w;

	wire_writer_init(&w, out, size);
	candidate_put(&w, &c);
	c.skeyid[0] = c.entry = 1;
	candidate_put(&w, &c);
	return wire_written(&w, 0);
}

/* Answers the oldest question: well, or with an error when arg is odd. */
static void answer(struct run *run, uint8_t arg)
{
	static const uint8_t bytes[IKE_DH_MAX] = {1, 2, 3};
	uint8_t slots[2 * CANDIDATE_LEN];
	struct ike_event ev = {.error = arg & 1 ? -EIO : 0};
	struct job job;

	if (!run->job_count)
		return;
	job = run->job[run->first_job];
	run->first_job = (run->first_job + 1) % JOBS_MAX;
	run->job_count--;
	ev.job = job.job;
	if (job.type == IKE_ACT_DH) {
		bool is_ecp = job.group == IKE_GROUP_ECP256;

		ev.type = IKE_EV_DH_DONE;
		ev.pub = wire_span_of(bytes, is_ecp ? 64 : 256);
		ev.shared = wire_span_of(bytes, is_ecp ? 32 : 256);
	} else if (job.type == IKE_ACT_PSK) {
		ev.type = IKE_EV_PSK_DONE;
		ev.shared = psk_slots_of(job.hash, slots, sizeof(slots));
		ev.psk_count = 1 + (arg >> 1 & 1);
	} else if (job.type == IKE_ACT_PEER_OPEN) {
		ev.type = IKE_EV_PEER_OPENED;
		ev.r = ++run->next_r;
		ev.slot = (uint32_t)run->next_r & PEER_SLOT_MAX;
	} else if (job.type == IKE_ACT_PEER_UP) {
		ev.type = arg & 1 ? IKE_EV_PEER_REFUSED : IKE_EV_PEER_READY;
		ev.r = job.r;
		ev.text = "no";
	} else if (job.type == IKE_ACT_SA_QUERY) {
		ev.type = IKE_EV_SA_USED;
		ev.packets = arg >> 1 & 1;
	} else {
		ev.type = IKE_EV_SA_DONE;
	}
	step(run, ev);
}

static void kernel_event(struct run *run, uint8_t arg)
{
	struct ike_event ev = {.type = arg & 1 ? IKE_EV_MAPPING : IKE_EV_EXPIRE,
	    .spi = arg & 2 ? run->base->spi_in : run->base->spi_out,
	    .hard = arg & 4,
	    .r = run->base->r,
	    .peer = run->base->peer};

	ev.peer.port = (uint16_t)(ev.peer.port + (arg >> 3));
	step(run, ev);
}

static void peer_event(struct run *run, uint8_t arg)
{
	static const enum ike_event_type types[] = {IKE_EV_PEER_CLOSE,
	    IKE_EV_PEER_GONE, IKE_EV_PEER_READY, IKE_EV_PEER_REFUSED,
	    IKE_EV_SHUTDOWN};
	struct ike_event ev = {.type = types[arg % 5],
	    .r = run->base->r + (arg >> 6),
	    .text = "because"};

	step(run, ev);
}

/* The machine goes on from its own bytes; from changed ones it may not
 * crash.  Whatever comes back must save again. */
static void save_restore(struct run *run, uint8_t arg)
{
	size_t len;
	uint8_t *saved = ike_save(run->ike, run->now, &len);
	struct ike *back;

	if (arg) {
		size_t at = (size_t)arg * 37 % len;

		saved[at] ^= arg;
	}
	back = ike_restore(&run->base->world->cfg, count_up, run, run->now,
	    saved, arg & 0x80 ? len - arg % len : len);
	must(back || arg);
	if (arg) {
		ike_free(back);
	} else {
		ike_free(run->ike);
		run->ike = back;
	}
	secret_free(saved, len);
}

static void record(
    struct run *run, uint8_t op, uint8_t arg, struct wire_span data)
{
	struct wire_reader r;

	wire_reader_init(&r, data.data, data.len);
	switch (op % FUZZ_IKE_OPS) {
	case FUZZ_IKE_SEALED:
		sealed(run, arg, &r);
		return;
	case FUZZ_IKE_DATAGRAM:
		datagram(run, arg & 1 ? ISAKMP_PORT_NATT : ISAKMP_PORT,
		    arg >> 1, data);
		return;
	case FUZZ_IKE_QUICK3:
		quick3(run);
		return;
	case FUZZ_IKE_QUICK2:
		quick2(run, &r);
		return;
	case FUZZ_IKE_MAIN_NEXT:
		main_next(run, arg, data);
		return;
	case FUZZ_IKE_ANSWER:
		answer(run, arg);
		return;
	case FUZZ_IKE_TICK:
		run->now += arg * 500ull;
		step(run, (struct ike_event){.type = IKE_EV_TICK});
		return;
	case FUZZ_IKE_KERNEL:
		kernel_event(run, arg);
		return;
	case FUZZ_IKE_PEER:
		peer_event(run, arg);
		return;
	case FUZZ_IKE_SAVE:
		save_restore(run, arg);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base *base = base_get();
	struct run run = {
	    .base = base, .now = base->world->now, .next_r = base->r};
	struct wire_reader r;

	run.ike = ike_restore(&base->world->cfg, count_up, &run, run.now,
	    base->saved, base->saved_len);
	must(run.ike != NULL);
	wire_reader_init(&r, data, size);
	for (int i = 0; i < RECORDS_MAX && wire_left(&r) >= 4; i++) {
		uint8_t op = wire_get_u8(&r), arg = wire_get_u8(&r);
		size_t len = wire_get_u16(&r);

		if (len > wire_left(&r))
			len = wire_left(&r);
		record(&run, op, arg, wire_get_span(&r, len));
		ike_next_deadline(run.ike);
	}
	ike_free(run.ike);
	ike_actions_free(&run.acts);
	return 0;
}
