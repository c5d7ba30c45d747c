/* SPDX-License-Identifier: ISC */
/* The monitor's operations with a fake kernel: what an engine may do. */
#include "ikev1/mon_ops.h"

#include "ikev1/core/isakmp.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define SENT_MAX 32

struct world {
	struct mon *mon;
	struct log log;
	struct crypto crypto;
	struct psk *psk;
	struct rnum *rnum;
	char dir[32];
	uint64_t now;
	/* the fake kernel */
	struct ike_kernel_sa sas[64];
	size_t sa_count;
	int add_error, list_error, del_calls, encap_calls, flush_calls;
	struct ike_kernel_sa encapped;
	uint64_t packets; /* that each SA has carried */
	/* what went to the engine */
	uint16_t types[SENT_MAX];
	union im_any bodies[SENT_MAX];
	size_t sent;
	int links;
};

static int fake_add(void *ctx, const struct ike_kernel_sa *sa)
{
	struct world *w = ctx;

	if (w->add_error)
		return w->add_error;
	w->sas[w->sa_count++] = *sa;
	return 0;
}

static int fake_del(void *ctx, const struct ike_kernel_sa *sa)
{
	struct world *w = ctx;

	w->del_calls++;
	for (size_t i = 0; i < w->sa_count; i++)
		if (w->sas[i].spi == sa->spi &&
		    addr_ip_equal(&w->sas[i].dst, &sa->dst)) {
			w->sas[i] = w->sas[--w->sa_count];
			return 0;
		}
	return -ESRCH;
}

static int fake_encap(void *ctx, const struct ike_kernel_sa *sa)
{
	struct world *w = ctx;

	w->encap_calls++;
	w->encapped = *sa;
	return 0;
}

static int fake_query(
    void *ctx, const struct ike_kernel_sa *sa, struct sa_usage *out)
{
	struct world *w = ctx;

	for (size_t i = 0; i < w->sa_count; i++)
		if (w->sas[i].spi == sa->spi &&
		    addr_ip_equal(&w->sas[i].dst, &sa->dst)) {
			*out = (struct sa_usage){
			    w->packets, w->packets * 100 + sa->dir};
			return 0;
		}
	return -ESRCH;
}

static int fake_flush(void *ctx)
{
	struct world *w = ctx;

	w->flush_calls++;
	w->sa_count = 0;
	return 0;
}

static int fake_list(void *ctx, struct ike_kernel_sa **out, size_t *count)
{
	struct world *w = ctx;

	if (w->list_error)
		return w->list_error;
	*count = w->sa_count;
	*out = calloc(w->sa_count + 1, sizeof(**out));
	for (size_t i = 0; i < w->sa_count; i++) {
		(*out)[i].slot = w->sas[i].slot;
		(*out)[i].spi = w->sas[i].spi;
		(*out)[i].dst = w->sas[i].dst;
		(*out)[i].dst.port = 0; /* a dump has no ports */
	}
	return 0;
}

static const struct sa_ops fake_ops = {
    fake_add, fake_del, fake_encap, fake_query, fake_list, fake_flush};

static void on_send(void *ctx, uint16_t type, const void *body)
{
	struct world *w = ctx;
	const struct msg_desc *d = msg_find(&im_table, type);

	assert_non_null(d);
	assert_true(w->sent < SENT_MAX);
	w->types[w->sent] = type;
	memcpy(&w->bodies[w->sent], body, d->size);
	w->sent++;
}

static void on_link(void *ctx)
{
	((struct world *)ctx)->links++;
}

static uint64_t on_now(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static struct world *open_world(uint32_t max_clients)
{
	struct world *w = calloc(1, sizeof(*w));
	char path[64], error[CONF_ERROR_MAX];
	struct mon_env env = {.sa_ops = &fake_ops,
	    .send = on_send,
	    .link_wanted = on_link,
	    .now_ms = on_now,
	    .max_clients = max_clients};

	assert_non_null(w);
	strcpy(w->dir, "/tmp/sallyport-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(path, sizeof(path), "%s/r", w->dir);
	assert_int_equal(rnum_open(path, &w->rnum), 0);
	assert_int_equal(crypto_init(&w->crypto), 0);
	assert_int_equal(
	    psk_parse("any one\n203.0.113.7,id=gw.example secret\n", "psk",
		&w->psk, error),
	    0);
	log_init(&w->log, "test", LOG_SEV_ERROR);
	w->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	env.log = &w->log;
	env.crypto = &w->crypto;
	env.psk = w->psk;
	env.rnum = w->rnum;
	env.sa_ctx = w;
	env.ctx = w;
	w->mon = mon_new(&env);
	return w;
}

static void close_world(struct world *w)
{
	char path[64];

	mon_free(w->mon);
	rnum_close(w->rnum);
	psk_free(w->psk);
	crypto_done(&w->crypto);
	close(w->log.fd);
	snprintf(path, sizeof(path), "%s/r", w->dir);
	unlink(path);
	rmdir(w->dir);
	free(w);
}

static int ask(struct world *w, uint16_t type, const void *body)
{
	const struct msg_header hdr = {.type = type};

	w->sent = 0;
	return mon_handle(w->mon, &hdr, body);
}

/* A new R; its slot too. */
static uint64_t new_peer(struct world *w, uint32_t *slot)
{
	const struct im_job req = {.job = 5};
	const struct im_peer_new_done *done = (void *)&w->bodies[0];

	assert_int_equal(ask(w, IM_PEER_NEW, &req), 0);
	assert_int_equal(w->sent, 1);
	assert_int_equal(w->types[0], IM_PEER_NEW_DONE);
	assert_int_equal(done->job, 5);
	if (slot)
		*slot = done->slot;
	return done->error ? 0 : done->r;
}

static struct im_sa sample(uint64_t r, uint32_t slot, uint32_t spi)
{
	struct im_sa sa = {.job = 9,
	    .r = r,
	    .slot = slot,
	    .dir = IKE_SA_IN,
	    .spi = spi,
	    .encap = 1,
	    .cipher = ESP_AES,
	    .auth = ESP_AUTH_SHA1,
	    .trunc_bits = 96,
	    .soft_s = 100,
	    .hard_s = 200};

	addr_parse(&sa.src, "203.0.113.7");
	addr_parse(&sa.dst, "192.0.2.1");
	sa.src.port = 40000;
	sa.dst.port = 4500;
	sa.enc_key.len = 16;
	memset(sa.enc_key.data, 0xee, 16);
	sa.auth_key.len = 20;
	memset(sa.auth_key.data, 0xaa, 20);
	return sa;
}

static int add(struct world *w, const struct im_sa *sa)
{
	const struct im_sa_add_done *done = (void *)&w->bodies[0];
	int err = ask(w, IM_SA_ADD, sa);

	if (err)
		return err;
	assert_int_equal(w->sent, 1);
	assert_int_equal(w->types[0], IM_SA_ADD_DONE);
	assert_int_equal(done->job, 9);
	assert_int_equal(done->spi, sa->spi);
	return done->error;
}

static struct im_sa_ref ref(const struct im_sa *sa)
{
	return (struct im_sa_ref){.r = sa->r,
	    .dir = sa->dir,
	    .spi = sa->spi,
	    .src = sa->src,
	    .dst = sa->dst};
}

static void test_peer_numbers(void **state)
{
	struct world *w = open_world(2);
	struct im_peer end = {0};
	uint32_t slot;

	(void)state;
	assert_int_equal(new_peer(w, &slot), 1);
	assert_int_equal(slot, 1);
	assert_int_equal(new_peer(w, &slot), 2);
	assert_int_equal(slot, 2);
	assert_int_equal(new_peer(w, &slot), 0); /* full */
	assert_int_equal(slot, 0);
	assert_int_equal(mon_peers(w->mon), 2);
	end.r = 1;
	assert_int_equal(ask(w, IM_PEER_END, &end), 0);
	w->now = MON_SLOT_REST_MS - 1;
	assert_int_equal(new_peer(w, &slot), 0); /* it rests */
	w->now = MON_SLOT_REST_MS;
	assert_int_equal(new_peer(w, &slot), 3); /* a new R, the old slot */
	assert_int_equal(slot, 1);
	/* The old R is not known any more. */
	assert_int_equal(ask(w, IM_PEER_END, &end), -EPROTO);
	close_world(w);
}

static void test_sa_life(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa in = sample(r, slot, 0x1000), out = in;
	struct im_sa_ref gone;

	(void)state;
	out.dir = IKE_SA_OUT;
	out.src = in.dst;
	out.dst = in.src;
	assert_int_equal(add(w, &in), 0);
	assert_int_equal(add(w, &out), 0); /* same SPI, other direction */
	assert_int_equal(w->sa_count, 2);
	assert_int_equal(w->sas[0].enc_key[15], 0xee);
	assert_int_equal(w->sas[0].hard_s, 200);
	assert_int_equal(add(w, &in), -EEXIST);
	gone = ref(&in);
	assert_int_equal(ask(w, IM_SA_DEL, &gone), 0);
	assert_int_equal(w->sa_count, 1);
	assert_int_equal(w->sas[0].dir, IKE_SA_OUT);
	/* Twice is harmless: the kernel may have been faster. */
	assert_int_equal(ask(w, IM_SA_DEL, &gone), 0);
	assert_int_equal(w->del_calls, 1);
	assert_int_equal(mon_sas(w->mon), 1);
	close_world(w);
}

static void test_sa_query(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa in = sample(r, slot, 0x1000);
	struct im_sa_query q = {9, r, IKE_SA_IN, 0x1000};
	const struct im_sa_used *used = (void *)&w->bodies[0];

	(void)state;
	assert_int_equal(add(w, &in), 0);
	w->packets = 5;
	assert_int_equal(ask(w, IM_SA_QUERY, &q), 0);
	assert_int_equal(w->sent, 1);
	assert_int_equal(w->types[0], IM_SA_USED);
	assert_int_equal(used->job, 9);
	assert_int_equal(used->error, 0);
	assert_int_equal(used->packets, 5);
	/* The other direction, another SPI, another R. */
	q.dir = IKE_SA_OUT;
	assert_int_equal(ask(w, IM_SA_QUERY, &q), 0);
	assert_int_equal(used->error, -ESRCH);
	assert_int_equal(used->packets, 0);
	q.dir = IKE_SA_IN;
	q.spi = 0x1001;
	assert_int_equal(ask(w, IM_SA_QUERY, &q), 0);
	assert_int_equal(used->error, -ESRCH);
	q.r = r + 1;
	assert_int_equal(ask(w, IM_SA_QUERY, &q), -EPROTO);
	/* The kernel lost it. */
	q = (struct im_sa_query){10, r, IKE_SA_IN, 0x1000};
	w->sa_count = 0;
	assert_int_equal(ask(w, IM_SA_QUERY, &q), 0);
	assert_int_equal(used->job, 10);
	assert_int_equal(used->error, -ESRCH);
	close_world(w);
}

/* Both directions in one answer; what is not there (any more) says so, and
 * an R that ended while the operator's list was made is no broken rule. */
static void test_sa_stats(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa in = sample(r, slot, 0x1000), out;
	struct im_sa_stats q = {3, 17, r, 0x1000, 0x2000};
	const struct im_sa_stats_done *done = (void *)&w->bodies[0];

	(void)state;
	out = sample(r, slot, 0x2000);
	out.dir = IKE_SA_OUT;
	out.src = in.dst;
	out.dst = in.src;
	assert_int_equal(add(w, &in), 0);
	assert_int_equal(ask(w, IM_SA_STATS, &q), 0);
	assert_int_equal(w->types[0], IM_SA_STATS_DONE);
	assert_int_equal(done->error, -ESRCH);
	assert_int_equal(done->bytes_in, 0);
	assert_int_equal(add(w, &out), 0);
	w->packets = 5;
	assert_int_equal(ask(w, IM_SA_STATS, &q), 0);
	assert_int_equal(w->sent, 1);
	assert_int_equal(done->request, 3);
	assert_int_equal(done->row, 17);
	assert_int_equal(done->error, 0);
	assert_int_equal(done->packets_in, 5);
	assert_int_equal(done->packets_out, 5);
	assert_int_equal(done->bytes_in, 500 + IKE_SA_IN);
	assert_int_equal(done->bytes_out, 500 + IKE_SA_OUT);
	q.spi_out = 0x1000;
	assert_int_equal(ask(w, IM_SA_STATS, &q), 0);
	assert_int_equal(done->error, -ESRCH);
	q = (struct im_sa_stats){4, 18, r + 1, 0x1000, 0x2000};
	assert_int_equal(ask(w, IM_SA_STATS, &q), 0);
	assert_int_equal(done->request, 4);
	assert_int_equal(done->row, 18);
	assert_int_equal(done->error, -ESRCH);
	close_world(w);
}

static void test_peer_end_takes_sas(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot, other_slot;
	uint64_t r = new_peer(w, &slot), other = new_peer(w, &other_slot);
	struct im_sa a = sample(r, slot, 0x1000);
	struct im_sa b = sample(other, other_slot, 0x2000);
	const struct im_peer end = {.r = r};

	(void)state;
	assert_int_equal(add(w, &a), 0);
	assert_int_equal(add(w, &b), 0);
	assert_int_equal(ask(w, IM_PEER_END, &end), 0);
	assert_int_equal(w->sa_count, 1);
	assert_int_equal(w->sas[0].spi, 0x2000);
	close_world(w);
}

static void test_kernel_refuses(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa sa = sample(r, slot, 0x1000);

	(void)state;
	w->add_error = -ENOSYS;
	assert_int_equal(add(w, &sa), -ENOSYS);
	assert_int_equal(mon_sas(w->mon), 0);
	w->add_error = 0;
	for (uint32_t i = 0; i < MON_SAS_PER_PEER; i++) {
		sa.spi = 0x1000 + i;
		assert_int_equal(add(w, &sa), 0);
	}
	sa.spi = 0x2000;
	assert_int_equal(add(w, &sa), -ENOSPC);
	close_world(w);
}

static void test_forbidden(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot, other_slot;
	uint64_t r = new_peer(w, &slot), other = new_peer(w, &other_slot);
	struct im_sa good = sample(r, slot, 0x1000), sa;
	struct im_sa_ref enc;
	struct im_peer peer = {.r = 77};
	struct im_peer_new_done done = {0};

	(void)state;
	sa = good;
	sa.slot = other_slot; /* another's slot: its mark, its traffic */
	assert_int_equal(add(w, &sa), -EPROTO);
	sa = good;
	sa.r = other;
	assert_int_equal(add(w, &sa), -EPROTO);
	sa = good;
	sa.r = 77;
	assert_int_equal(add(w, &sa), -EPROTO);
	sa = good;
	sa.spi = 255;
	assert_int_equal(add(w, &sa), -EPROTO);
	sa = good;
	sa.dir = 2;
	assert_int_equal(add(w, &sa), -EPROTO);
	sa = good;
	sa.dst.family = ADDR_NONE;
	assert_int_equal(add(w, &sa), -EPROTO);
	sa = good;
	addr_parse(&sa.dst, "2001:db8::1");
	assert_int_equal(add(w, &sa), -EPROTO);
	sa = good;
	sa.src.port = 0;
	assert_int_equal(add(w, &sa), -EPROTO);
	assert_int_equal(w->sa_count, 0);
	enc = ref(&good);
	enc.r = 77;
	assert_int_equal(ask(w, IM_SA_DEL, &enc), -EPROTO);
	assert_int_equal(ask(w, IM_PEER_END, &peer), -EPROTO);
	/* The monitor's own messages are not an engine's to send. */
	assert_int_equal(ask(w, IM_PEER_NEW_DONE, &done), -EPROTO);
	assert_int_equal(ask(w, IM_HELD, &peer), -EPROTO);
	/* Another's SA is out of reach: nothing happens to it. */
	assert_int_equal(add(w, &good), 0);
	enc = ref(&good);
	enc.r = other;
	assert_int_equal(ask(w, IM_SA_DEL, &enc), 0);
	assert_int_equal(w->sa_count, 1);
	close_world(w);
}

static void test_encap(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa sa = sample(r, slot, 0x1000);
	struct im_sa native = sample(r, slot, 0x2000);
	struct im_sa_ref change = ref(&sa);

	(void)state;
	native.encap = 0;
	assert_int_equal(add(w, &sa), 0);
	assert_int_equal(add(w, &native), 0);
	change.src.port = 40001;
	assert_int_equal(ask(w, IM_SA_ENCAP, &change), 0);
	assert_int_equal(w->encap_calls, 1);
	assert_int_equal(w->encapped.src.port, 40001);
	/* What an update needs is remembered; keys are not. */
	assert_int_equal(w->encapped.enc_len, 16);
	assert_int_equal(w->encapped.auth_len, 20);
	assert_int_equal(w->encapped.hard_s, 200);
	assert_int_equal(w->encapped.enc_key[0], 0);
	assert_int_equal(w->encapped.auth_key[0], 0);
	addr_parse(&change.src, "203.0.113.8");
	change.src.port = 40002;
	assert_int_equal(ask(w, IM_SA_ENCAP, &change), 0);
	assert_int_equal(w->encap_calls, 1); /* an address cannot change */
	change = ref(&native);
	assert_int_equal(ask(w, IM_SA_ENCAP, &change), -EPROTO);
	change = ref(&sa);
	change.dst.port = 0;
	assert_int_equal(ask(w, IM_SA_ENCAP, &change), -EPROTO);
	close_world(w);
}

static void test_next_engine(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot[3];
	uint64_t r[3];
	struct im_sa sa;

	(void)state;
	for (int i = 0; i < 3; i++)
		r[i] = new_peer(w, &slot[i]);
	sa = sample(r[0], slot[0], 0x1000);
	assert_int_equal(add(w, &sa), 0);
	w->sent = 0;
	mon_engine_started(w->mon);
	assert_int_equal(w->sent, 4);
	assert_int_equal(w->types[0], IM_HELD);
	assert_int_equal(w->bodies[0].held.r, r[0]);
	assert_int_equal(w->bodies[0].held.slot, slot[0]);
	assert_int_equal(w->bodies[0].held.live.len, IKE_LIVE_SIZE);
	assert_memory_equal(
	    w->bodies[0].held.live.data, "\0\0\0\x10\0", IKE_LIVE_SIZE);
	assert_int_equal(w->types[1], IM_HELD);
	assert_int_equal(w->bodies[1].held.r, r[1]);
	assert_int_equal(w->bodies[1].held.live.len, 0);
	/* The third had nothing yet: the next engine ends it. */
	assert_int_equal(w->types[2], IM_HELD);
	assert_int_equal(w->bodies[2].held.r, r[2]);
	assert_int_equal(w->types[3], IM_HELD_END);
	/* No live slot is given again. */
	assert_true(new_peer(w, &slot[2]) > r[2]);
	assert_int_not_equal(slot[2], slot[0]);
	assert_int_not_equal(slot[2], slot[1]);
	close_world(w);
}

/* An SA that expired while no engine ran is not among the live ones. */
static void test_expired_between_engines(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa sa = sample(r, slot, 0x1000);

	(void)state;
	for (uint32_t i = 0; i < MON_SAS_PER_PEER; i++) {
		sa.spi = 0x1000 + i;
		sa.dir = i % 2 ? IKE_SA_OUT : IKE_SA_IN;
		assert_int_equal(add(w, &sa), 0);
	}
	mon_expire(w->mon, slot, 0x1000, true);
	w->sent = 0;
	mon_engine_started(w->mon);
	assert_int_equal(w->types[0], IM_HELD);
	assert_int_equal(
	    w->bodies[0].held.live.len, (MON_SAS_PER_PEER - 1) * IKE_LIVE_SIZE);
	for (size_t i = 0; i < MON_SAS_PER_PEER - 1; i++)
		assert_int_not_equal(
		    w->bodies[0].held.live.data[i * IKE_LIVE_SIZE + 4], 0);
	close_world(w);
}

/* Events were lost: what the kernel does not have has expired. */
static void test_resync(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot[2];
	uint64_t r[2] = {new_peer(w, &slot[0]), new_peer(w, &slot[1])};
	struct im_sa sa;

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		sa = sample(r[i / 2], slot[i / 2], 0x1000 + i);
		assert_int_equal(add(w, &sa), 0);
	}
	w->sent = 0;
	mon_resync(w->mon);
	assert_int_equal(w->sent, 0);
	assert_int_equal(mon_sas(w->mon), 4);
	/* 0x1001 went; another SA has its SPI, for another address. */
	addr_parse(&w->sas[1].dst, "192.0.2.2");
	mon_resync(w->mon);
	assert_int_equal(w->sent, 1);
	assert_int_equal(w->types[0], IM_EXPIRE);
	assert_int_equal(w->bodies[0].event.r, r[0]);
	assert_int_equal(w->bodies[0].event.spi, 0x1001);
	assert_int_equal(w->bodies[0].event.hard, 1);
	assert_int_equal(mon_sas(w->mon), 3);
	/* A kernel that does not answer says nothing about any SA. */
	w->list_error = -EAGAIN;
	w->sa_count = 0;
	mon_resync(w->mon);
	assert_int_equal(w->sent, 1);
	w->list_error = 0;
	mon_resync(w->mon);
	assert_int_equal(w->sent, 4);
	assert_int_equal(mon_sas(w->mon), 0);
	close_world(w);
}

static void test_kernel_events(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa sa = sample(r, slot, 0x1000);
	struct addr peer;

	(void)state;
	assert_int_equal(add(w, &sa), 0);
	w->sent = 0;
	mon_expire(w->mon, slot, 0x1000, false);
	assert_int_equal(w->types[0], IM_EXPIRE);
	assert_int_equal(w->bodies[0].event.r, r);
	assert_int_equal(w->bodies[0].event.spi, 0x1000);
	assert_int_equal(w->bodies[0].event.hard, 0);
	assert_int_equal(mon_sas(w->mon), 1);
	addr_parse(&peer, "203.0.113.7");
	peer.port = 41000;
	mon_mapping(w->mon, slot, 0x1000, &peer);
	assert_int_equal(w->types[1], IM_MAPPING);
	assert_int_equal(w->bodies[1].event.peer.port, 41000);
	mon_expire(w->mon, slot, 0x1000, true);
	assert_int_equal(w->bodies[2].event.hard, 1);
	assert_int_equal(mon_sas(w->mon), 0);
	assert_int_equal(w->del_calls, 0); /* the kernel did it */
	/* Nobody's slot, and none at all. */
	mon_expire(w->mon, 2, 0x1000, true);
	mon_expire(w->mon, 0, 0x1000, true);
	mon_mapping(w->mon, 5000, 0x1000, &peer);
	assert_int_equal(w->sent, 3);
	close_world(w);
}

/* A client that sends from another port each time: the engine, which passes
 * over what comes within a second, need not hear of each packet. */
static void test_mappings_are_few(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot[2];
	struct addr peer;

	(void)state;
	new_peer(w, &slot[0]);
	new_peer(w, &slot[1]);
	addr_parse(&peer, "203.0.113.7");
	w->sent = 0;
	for (uint16_t port = 1; port < 50; port++) {
		peer.port = port;
		mon_mapping(w->mon, slot[0], 0x1000, &peer);
	}
	assert_int_equal(w->sent, 1);
	assert_int_equal(w->bodies[0].event.peer.port, 1);
	mon_mapping(w->mon, slot[1], 0x1000, &peer);
	assert_int_equal(w->sent, 2);
	w->now += 250;
	mon_mapping(w->mon, slot[0], 0x1000, &peer);
	assert_int_equal(w->sent, 3);
	assert_int_equal(w->bodies[2].event.peer.port, 49);
	close_world(w);
}

/* A client that chose our SPI for its own: nothing stays in the kernel, where
 * the slot's next client would find it. */
static void test_expire_of_one_spi_twice(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa in = sample(r, slot, 0x1000), out = in;

	(void)state;
	out.dir = IKE_SA_OUT;
	out.src = in.dst;
	out.dst = in.src;
	assert_int_equal(add(w, &in), 0);
	assert_int_equal(add(w, &out), 0);
	assert_int_equal(w->sa_count, 2);
	mon_expire(w->mon, slot, 0x1000, false);
	assert_int_equal(w->sa_count, 2);
	mon_expire(w->mon, slot, 0x1000, true);
	assert_int_equal(mon_sas(w->mon), 0);
	assert_int_equal(w->sa_count, 0);
	close_world(w);
}

static void test_end_all(void **state)
{
	struct world *w = open_world(4);
	uint32_t slot;
	uint64_t r = new_peer(w, &slot);
	struct im_sa sa = sample(r, slot, 0x1000);
	const struct im_job job = {0};

	(void)state;
	assert_int_equal(add(w, &sa), 0);
	assert_int_equal(ask(w, IM_LINK_WANTED, &job), 0);
	assert_int_equal(w->links, 1);
	mon_end_all(w->mon);
	assert_int_equal(w->sa_count, 0);
	assert_int_equal(w->flush_calls, 1);
	assert_int_equal(mon_peers(w->mon), 0);
	close_world(w);
}

/* --- the numbers on disk ------------------------------------------------- */

static void test_numbers_are_never_reused(void **state)
{
	char dir[] = "/tmp/sallyport-XXXXXX", path[64];
	struct rnum *n;
	uint64_t r, last = 0;
	FILE *fp;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/new/r", dir);
	for (int run = 0; run < 3; run++) {
		assert_int_equal(rnum_open(path, &n), 0);
		for (int i = 0; i < RNUM_BLOCK + 5; i++) {
			assert_int_equal(rnum_next(n, &r), 0);
			assert_true(r > last);
			last = r;
		}
		rnum_close(n); /* as after a crash: nothing is written */
	}
	fp = fopen(path, "we");
	assert_non_null(fp);
	fputs("nonsense\n", fp);
	fclose(fp);
	assert_int_equal(rnum_open(path, &n), -EBADMSG);
	fp = fopen(path, "we");
	assert_non_null(fp);
	fputs("12", fp); /* cut off: no newline */
	fclose(fp);
	assert_int_equal(rnum_open(path, &n), -EBADMSG);
	unlink(path);
	snprintf(path, sizeof(path), "%s/new", dir);
	rmdir(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_peer_numbers),
	    cmocka_unit_test(test_sa_life),
	    cmocka_unit_test(test_sa_query),
	    cmocka_unit_test(test_sa_stats),
	    cmocka_unit_test(test_peer_end_takes_sas),
	    cmocka_unit_test(test_kernel_refuses),
	    cmocka_unit_test(test_forbidden),
	    cmocka_unit_test(test_encap),
	    cmocka_unit_test(test_next_engine),
	    cmocka_unit_test(test_expired_between_engines),
	    cmocka_unit_test(test_resync),
	    cmocka_unit_test(test_kernel_events),
	    cmocka_unit_test(test_mappings_are_few),
	    cmocka_unit_test(test_expire_of_one_spi_twice),
	    cmocka_unit_test(test_end_all),
	    cmocka_unit_test(test_numbers_are_never_reused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
