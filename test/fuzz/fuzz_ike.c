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
#include "ikev1/core/keymat.h"
#include "ikev1/core/isakmp_msg.h"
#include "test/fuzz/fuzz_ike.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 24
#define JOBS_MAX 64

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

struct run {
	const struct base *base;
	struct ike *ike;
	struct ike_actions acts;
	uint64_t now, seed;
	struct job job[JOBS_MAX];
	size_t first_job, job_count;
	uint64_t next_r;
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

static void note_jobs(struct run *run)
{
	for (size_t i = 0; i < run->acts.count; i++) {
		const struct ike_action *a = &run->acts.items[i];
		size_t at = (run->first_job + run->job_count) % JOBS_MAX;

		must(a->type != IKE_ACT_SEND ||
		     (a->data && a->len >= ISAKMP_HEADER_LEN));
		if (run->job_count == JOBS_MAX ||
		    (a->type != IKE_ACT_DH && a->type != IKE_ACT_PSK &&
			a->type != IKE_ACT_PEER_OPEN &&
			a->type != IKE_ACT_SA_ADD &&
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

/* Exchange, message id, first payload; then the payloads behind HASH. */
static void sealed(struct run *run, uint8_t arg, struct wire_reader *r)
{
	const struct client_sa *sa = run->base->client->cur;
	const struct crypto *c = &run->base->world->crypto;
	struct isakmp_header h = {.version = ISAKMP_VERSION,
	    .exchange = wire_get_u8(r),
	    .flags = ISAKMP_FLAG_ENCRYPTED,
	    .message_id = 0x1000u + arg};
	uint8_t first = wire_get_u8(r), buf[2048], hash[IKE_KEY_MAX];
	struct wire_span rest = wire_get_span(r, wire_left(r));
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct isakmp_builder b;
	size_t pos;
	int len;

	memcpy(h.cky_i, sa->cky_i, sizeof(h.cky_i));
	memcpy(h.cky_r, sa->cky_r, sizeof(h.cky_r));
	isakmp_build_begin(&b, buf, sizeof(buf), &h);
	pos = isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, sa->keys.prf_len);
	wire_set_u8(&b.w, b.next_pos, first);
	wire_put_span(&b.w, rest);
	len = keymat_hash1(c, &sa->keys, h.message_id, rest, hash);
	must(len > 0);
	wire_set_bytes(&b.w, pos, hash, (size_t)len);
	len = isakmp_build_finish(&b, sa->keys.block_len);
	if (len < 0)
		return;
	must(!keymat_iv_phase2(c, &sa->keys, sa->iv, h.message_id, iv));
	must(!keymat_encrypt(c, &sa->keys, iv, buf + ISAKMP_HEADER_LEN,
	    (size_t)len - ISAKMP_HEADER_LEN));
	datagram(run, ISAKMP_PORT_NATT, 0, wire_span_of(buf, (size_t)len));
}

/* Answers the oldest question: well, or with an error when arg is odd. */
static void answer(struct run *run, uint8_t arg)
{
	static const uint8_t bytes[IKE_DH_MAX] = {1, 2, 3};
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
		ev.shared =
		    wire_span_of(bytes, job.hash == IKE_HASH_SHA1 ? 20 : 32);
		ev.psk_count = 2;
	} else if (job.type == IKE_ACT_PEER_OPEN) {
		ev.type = IKE_EV_PEER_OPENED;
		ev.r = ++run->next_r;
		ev.slot = (uint32_t)run->next_r & PEER_SLOT_MAX;
	} else if (job.type == IKE_ACT_PEER_UP) {
		ev.type = arg & 1 ? IKE_EV_PEER_REFUSED : IKE_EV_PEER_READY;
		ev.r = job.r;
		ev.text = "no";
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
