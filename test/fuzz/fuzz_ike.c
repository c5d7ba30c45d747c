/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the whole IKE machine behind its authentication: a client is
 * connected once; each input then is a run of events on a copy of that
 * state.  The other end has the keys (test/lib/ike_mate.h), so the fuzzer's
 * payloads pass the hashes and reach Main Mode's ends, Quick Mode and
 * Informational in both roles.
 *
 * An input is a row of records: operation, argument, length, data.
 */
#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/algs.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/frag.h"
#include "test/fuzz/fuzz_ike.h"
#include "test/lib/ike_mate.h"
#include "test/lib/ike_world.h"
#include "test/lib/personas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 40
#define JOBS_MAX 64
#define CONN 1

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
	enum ike_psk_use psk_use;
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
	struct mate mate;
	struct mate_message newest; /* of ours */
	uint64_t r;		    /* of the newest IPsec SAs */
	uint32_t spi_in, spi_out;
	size_t part;
	uint8_t moved;
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
	struct ikew *w;

	if (base.world)
		return &base;
	base.world = w = ikew_new(5);
	w->cfg.personas = personas;
	w->cfg.persona_count = persona_total;
	w->cfg.policy.pfs_groups = ~0u;
	/* Few, so that the tables fill and a run costs little. */
	w->cfg.max_half_open = 4;
	w->cfg.max_sas = 8;
	ikew_crash(w);
	base.client = ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
	must(ikew_connect(w, base.client));
	ikew_run(w, 100);
	pair = ikec_newest_pair(base.client);
	base.r = ikew_r_of(w, base.client);
	base.spi_in = pair->spi_in;
	base.spi_out = pair->spi_out;
	base.server = base.client->server;
	base.server.port = ISAKMP_PORT_NATT;
	base.peer = base.client->outer[1];
	base.saved = ike_save(w->ike, w->now, &base.saved_len);
	return &base;
}

static void mate_begin(struct run *run)
{
	const struct client_sa *sa = run->base->client->cur;
	struct mate *m = &run->mate;

	m->crypto = &run->base->world->crypto;
	memcpy(m->at.cky_i, sa->cky_i, sizeof(m->at.cky_i));
	memcpy(m->at.cky_r, sa->cky_r, sizeof(m->at.cky_r));
	m->at.local = run->base->server;
	m->at.peer = run->base->peer;
	m->keys = sa->keys;
	memcpy(m->iv, sa->iv, sizeof(m->iv));
	run->r = run->base->r;
	run->spi_in = run->base->spi_in;
	run->spi_out = run->base->spi_out;
}

/* --- what the machine wants ---------------------------------------------- */

static bool is_question(enum ike_action_type type)
{
	return type == IKE_ACT_DH || type == IKE_ACT_DH_KEYGEN ||
	       type == IKE_ACT_DH_DERIVE || type == IKE_ACT_PSK ||
	       type == IKE_ACT_TRIAL || type == IKE_ACT_PEER_OPEN ||
	       type == IKE_ACT_PEER_UP || type == IKE_ACT_SA_ADD ||
	       type == IKE_ACT_SA_QUERY;
}

static void note_job(struct run *run, const struct ike_action *a)
{
	size_t at = (run->first_job + run->job_count) % JOBS_MAX;

	if (run->job_count == JOBS_MAX)
		return;
	run->job[at] = (struct job){.type = a->type,
	    .job = a->job,
	    .group = a->group,
	    .hash = a->trial ? a->trial->suite.hash : a->hash,
	    .psk_use = a->psk_use,
	    .r = a->up ? a->up->r : a->r};
	run->job_count++;
}

static void note_acts(struct run *run)
{
	for (size_t i = 0; i < run->acts.count; i++) {
		const struct ike_action *a = &run->acts.items[i];

		if (a->type == IKE_ACT_SEND)
			mate_watch(&run->mate, run->ike, a);
		if (is_question(a->type))
			note_job(run, a);
		if (a->type == IKE_ACT_SA_ADD) {
			run->r = a->sa->r;
			*(a->sa->dir ? &run->spi_in : &run->spi_out) =
			    a->sa->spi;
		}
	}
	ike_actions_clear(&run->acts);
}

static void step(struct run *run, struct ike_event ev)
{
	ev.now_ms = run->now;
	ike_step(run->ike, &ev, &run->acts);
	note_acts(run);
}

/* --- messages ------------------------------------------------------------ */

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

static void deliver(struct run *run, const struct mate_message *m)
{
	struct ike_event ev = {.type = IKE_EV_DATAGRAM,
	    .local = m->local,
	    .peer = m->peer,
	    .data = {m->data, m->len}};
	uint8_t part[2048];

	if (!m->len)
		return;
	ev.peer.port = (uint16_t)(ev.peer.port + run->moved);
	if (!run->part || m->len <= run->part) {
		step(run, ev);
		return;
	}
	for (unsigned int i = 1;; i++) {
		int len = frag_part(
		    wire_span_of(m->data, m->len), i, part, run->part);

		if (len <= 0)
			return;
		ev.data = wire_span_of(part, (size_t)len);
		step(run, ev);
	}
}

/* Puts value in the place of each mark of the same length. */
static void fill_in(
    uint8_t *data, size_t len, const char *mark, const uint8_t *value)
{
	size_t size = strlen(mark);

	for (size_t i = 0; i + size <= len; i++) {
		if (!memcmp(data + i, mark, size))
			memcpy(data + i, value, size);
	}
}

static struct wire_span filled_in(
    const struct run *run, struct wire_span data, uint8_t *out, size_t size)
{
	uint8_t spi[4], cookies[2 * ISAKMP_COOKIE_LEN];
	size_t len = data.len < size ? data.len : size;
	struct wire_writer w;

	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, run->spi_in);
	memcpy(cookies, run->mate.at.cky_i, ISAKMP_COOKIE_LEN);
	memcpy(
	    cookies + ISAKMP_COOKIE_LEN, run->mate.at.cky_r, ISAKMP_COOKIE_LEN);
	if (len)
		memcpy(out, data.data, len);
	fill_in(out, len, FUZZ_IKE_SPI, spi);
	fill_in(out, len, FUZZ_IKE_COOKIES, cookies);
	return wire_span_of(out, len);
}

static void message(
    struct run *run, enum fuzz_ike_op op, uint8_t arg, struct wire_span data)
{
	struct mate_message m = {.len = 0};
	uint8_t buf[MATE_MESSAGE_MAX];

	data = filled_in(run, data, buf, sizeof(buf));

	if (op == FUZZ_IKE_SEALED)
		mate_protected(&run->mate, arg, data, &m);
	else if (op == FUZZ_IKE_QUICK2)
		mate_quick2(&run->mate, data, &m);
	else if (op == FUZZ_IKE_QUICK3)
		mate_quick3(&run->mate, &m);
	else
		mate_main(&run->mate, run->ike, arg, data, &m);
	if (m.len)
		run->newest = m;
	deliver(run, &m);
}

/* --- answers ------------------------------------------------------------- */

/* The key, for every ID or for one. */
static struct wire_span key_of(
    uint16_t hash, bool is_bound, uint8_t *out, size_t size)
{
	const struct alg_hash *h = alg_hash(hash);
	struct candidate c = {.skeyid_len = (uint8_t)crypto_hash_len(h->hash)};
	struct wire_writer w;

	wire_writer_init(&w, out, size);
	if (is_bound) {
		c.id_type = IPSEC_ID_FQDN;
		c.id[c.id_len++] = 'x';
	}
	candidate_put(&w, &c);
	return wire_written(&w, 0);
}

/* Key or no key, whatever message 5 was: the machine looks again. */
static void answer_key(const struct job *job, uint8_t arg, uint8_t *buf,
    size_t size, struct ike_event *ev)
{
	static const uint8_t lines[] = {0, 0, 0, 1, 0, 0, 0, 7};
	bool is_trial = job->type == IKE_ACT_TRIAL, more = arg & FUZZ_IKE_MORE;

	ev->type = is_trial ? IKE_EV_TRIAL_DONE : IKE_EV_PSK_DONE;
	ev->psk_count = more ? 2 : 1;
	if (is_trial && arg & FUZZ_IKE_INVALID)
		ev->data = wire_span_of(lines, sizeof(lines));
	else if (is_trial || !more || job->psk_use != IKE_PSK_ANSWER)
		ev->shared = key_of(job->hash, is_trial && more, buf, size);
}

static void answer_dh(const struct job *job, struct ike_event *ev)
{
	static const uint8_t bytes[IKE_DH_MAX] = {1, 2, 3};
	const struct alg_group *group = alg_group(job->group);

	must(group && group->pub_len <= sizeof(bytes));
	ev->type = IKE_EV_DH_DONE;
	ev->pub = wire_span_of(bytes, group->pub_len);
	ev->shared = wire_span_of(bytes, group->shared_len);
}

/* Answers the oldest question: well, or with an error. */
static void answer(struct run *run, uint8_t arg)
{
	uint8_t key[CANDIDATE_LEN];
	struct ike_event ev = {.error = 0};
	struct job job = run->job[run->first_job];

	run->first_job = (run->first_job + 1) % JOBS_MAX;
	run->job_count--;
	if (arg & FUZZ_IKE_ERROR)
		ev.error = arg & FUZZ_IKE_INVALID ? -EINVAL : -EIO;
	ev.job = job.job;
	if (job.type == IKE_ACT_PSK || job.type == IKE_ACT_TRIAL) {
		answer_key(&job, arg, key, sizeof(key), &ev);
	} else if (job.type == IKE_ACT_PEER_OPEN) {
		ev.type = IKE_EV_PEER_OPENED;
		ev.r = ++run->next_r;
		ev.slot = (uint32_t)run->next_r & PEER_SLOT_MAX;
	} else if (job.type == IKE_ACT_PEER_UP) {
		ev.type = ev.error ? IKE_EV_PEER_REFUSED : IKE_EV_PEER_READY;
		ev.r = job.r;
		ev.text = "no";
	} else if (job.type == IKE_ACT_SA_QUERY) {
		ev.type = IKE_EV_SA_USED;
		ev.packets = arg & FUZZ_IKE_MORE;
	} else if (job.type == IKE_ACT_SA_ADD) {
		ev.type = IKE_EV_SA_DONE;
	} else {
		answer_dh(&job, &ev);
	}
	step(run, ev);
}

static void answers(struct run *run, uint8_t arg)
{
	int most = arg & FUZZ_IKE_ALL ? JOBS_MAX : 1;

	while (run->job_count && most--)
		answer(run, arg);
}

/* --- other events -------------------------------------------------------- */

static void tick(struct run *run, uint8_t arg)
{
	run->now += arg < 128 ? arg * 500ull : (arg - 127) * 100000ull;
	step(run, (struct ike_event){.type = IKE_EV_TICK});
}

static void kernel_event(struct run *run, uint8_t arg)
{
	struct ike_event ev = {.type = arg & 1 ? IKE_EV_MAPPING : IKE_EV_EXPIRE,
	    .spi = arg & 2 ? run->spi_in : run->spi_out,
	    .hard = arg & 4,
	    .r = run->r,
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
	    .r = run->r + (arg >> 6),
	    .text = "because"};

	step(run, ev);
}

static void conn_event(struct run *run, uint8_t arg)
{
	static const enum ike_event_type types[] = {IKE_EV_CONNECT,
	    IKE_EV_CONN_REKEY, IKE_EV_CONN_REKEY_ESP, IKE_EV_CONN_CLOSE};
	size_t which = (size_t)(arg >> 2) % (persona_total + 1);
	struct ike_event ev = {.type = types[arg & 3],
	    .job = CONN,
	    .local = run->base->server,
	    .peer = run->base->peer,
	    .persona = which ? personas[which - 1] : &persona_default};

	ev.peer.ip[3] = 77;
	ev.local.port = ev.peer.port = ISAKMP_PORT;
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

/* What the last engine has written, and what the fuzzer makes of it. */
struct heirloom {
	struct run *run;
	struct ike *next;
	uint64_t kind; /* of the records that are taken up now */
	uint8_t arg;
	struct wire_span data; /* instead of R's; or empty */
};

static void inherit(
    void *ctx, uint64_t kind, uint64_t id, const uint8_t *data, size_t len)
{
	struct heirloom *h = ctx;
	uint8_t *copy;

	if (kind != h->kind)
		return;
	copy = xmemdup(data, len);
	if (h->arg)
		copy[(size_t)h->arg * 7 % len] ^= h->arg;
	if (h->data.len && kind == IKE_RECORD_PEER)
		ike_resume(h->next, kind, id, h->data);
	ike_resume(h->next, kind, id, (struct wire_span){copy, len});
	secret_free(copy, len);
}

/* The engine dies; the next one takes its records up. */
static void held(struct run *run, uint8_t arg, struct wire_span data)
{
	struct heirloom h = {.run = run, .arg = arg, .data = data};
	uint8_t live[2 * IKE_LIVE_SIZE];
	struct ike_event ev = {.type = IKE_EV_HELD,
	    .r = run->r,
	    .slot = (uint32_t)run->r & PEER_SLOT_MAX};
	struct wire_writer w;

	wire_writer_init(&w, live, sizeof(live));
	wire_put_u8(&w, IKE_SA_IN);
	wire_put_u32(&w, run->spi_out);
	wire_put_u8(&w, IKE_SA_OUT);
	wire_put_u32(&w, run->spi_in);
	ev.live = wire_written(&w, 0);
	h.next = ike_new(&run->base->world->cfg, count_up, run);
	ike_keep_records(h.next, NULL, NULL);
	h.kind = IKE_RECORD_PEER;
	ike_records_clean(run->ike, inherit, &h);
	h.kind = IKE_RECORD_SA;
	ike_records_clean(run->ike, inherit, &h);
	ike_free(run->ike);
	run->ike = h.next;
	run->job_count = 0;
	step(run, (struct ike_event){.type = IKE_EV_RESUME});
	step(run, ev);
	step(run, (struct ike_event){.type = IKE_EV_HELD_END});
}

static void record(
    struct run *run, uint8_t op, uint8_t arg, struct wire_span data)
{
	switch ((enum fuzz_ike_op)(op % FUZZ_IKE_OPS)) {
	case FUZZ_IKE_SEALED:
	case FUZZ_IKE_QUICK2:
	case FUZZ_IKE_QUICK3:
	case FUZZ_IKE_MAIN:
		message(run, (enum fuzz_ike_op)(op % FUZZ_IKE_OPS), arg, data);
		return;
	case FUZZ_IKE_DATAGRAM:
		datagram(run, arg & 1 ? ISAKMP_PORT_NATT : ISAKMP_PORT,
		    arg >> 1, data);
		return;
	case FUZZ_IKE_ANSWER:
		answers(run, arg);
		return;
	case FUZZ_IKE_TICK:
		tick(run, arg);
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
	case FUZZ_IKE_CONN:
		conn_event(run, arg);
		return;
	case FUZZ_IKE_HELD:
		held(run, arg, data);
		return;
	case FUZZ_IKE_PART:
		run->part = 8 * (size_t)arg;
		return;
	case FUZZ_IKE_MOVE:
		run->moved = arg;
		return;
	case FUZZ_IKE_AGAIN:
		deliver(run, &run->newest);
		return;
	case FUZZ_IKE_OPS:
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct base *base = base_get();
	struct run run = {
	    .base = base, .now = base->world->now, .next_r = base->r};
	struct wire_reader r;

	mate_begin(&run);
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
