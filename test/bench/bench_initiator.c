/* SPDX-License-Identifier: ISC */
/* Many clients, each with an address of its own in 127/8, at a time. */
#include "test/bench/bench.h"

#include "common/alloc.h"
#include "ikev1/udp.h"
#include "test/lib/ike_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STUCK_MS 20000

struct flight {
	struct ike_client c;
	struct bench_initiator *of;
	struct client_quick *quick;
	bool busy;
};

/* A system call for many, as the responder has. */
struct burst {
	struct udp_packet packets[UDP_MANY];
	uint8_t bytes[UDP_MANY][IKE_DATAGRAM_MAX];
	size_t count;
};

struct bench_initiator {
	const struct crypto *crypto;
	struct addr responder;
	uint16_t group, port;
	int fd;
	uint64_t now;
	uint32_t next; /* client */
	unsigned int started, done, goal;
	struct burst in, out;
	uint32_t flight_count;
	struct flight flights[];
};

static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct bench_initiator *bench_initiator_new(const struct crypto *crypto,
    const struct addr *responder, uint16_t group, uint32_t in_flight)
{
	struct bench_initiator *b =
	    xcalloc(1, sizeof(*b) + in_flight * sizeof(b->flights[0]));
	struct addr any = {.family = ADDR_IPV4};
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&any, &ss);
	int on = 1;

	b->crypto = crypto;
	b->responder = *responder;
	b->group = group;
	b->flight_count = in_flight;
	b->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (b->fd < 0 || bind(b->fd, (struct sockaddr *)&ss, len) ||
	    setsockopt(b->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
	    udp_local(b->fd, &any))
		bench_die("the initiator's socket");
	b->port = any.port;
	return b;
}

void bench_initiator_free(struct bench_initiator *b)
{
	for (size_t i = 0; i < b->flight_count; i++)
		ikec_done(&b->flights[i].c);
	close(b->fd);
	free(b);
}

/* Neighbours in time are none in the network. */
static struct addr address_of(uint32_t n, uint16_t port)
{
	return (struct addr){.family = ADDR_IPV4,
	    .ip = {127, (uint8_t)(1 + (n & 0x7f)), (uint8_t)(n >> 7),
		(uint8_t)(1 + (n >> 15 & 0x7f))},
	    .port = port};
}

static uint32_t number_of(const struct addr *a)
{
	return (uint32_t)(a->ip[1] - 1) | (uint32_t)a->ip[2] << 7 |
	       (uint32_t)(a->ip[3] - 1) << 15;
}

static void flush(struct bench_initiator *b)
{
	size_t at = 0;
	int err;

	while (at < b->out.count) {
		at += udp_send_many(
		    b->fd, b->out.packets + at, b->out.count - at, &err);
		if (err && err != -EAGAIN && err != -ECONNREFUSED)
			bench_die(strerror(-err));
	}
	b->out.count = 0;
}

static void send_one(
    struct ike_client *c, bool floated, const uint8_t *data, size_t len)
{
	struct flight *f = c->ctx;
	struct burst *out = &f->of->out;

	if (floated || len > sizeof(out->bytes[0]))
		bench_die("a NAT was seen where none is");
	if (out->count == UDP_MANY)
		flush(f->of);
	memcpy(out->bytes[out->count], data, len);
	out->packets[out->count] = (struct udp_packet){.local = c->outer[0],
	    .peer = f->of->responder,
	    .data = out->bytes[out->count],
	    .len = (ssize_t)len};
	out->count++;
}

static void start(struct bench_initiator *b, uint32_t at)
{
	struct flight *f = &b->flights[at];
	struct ike_client *c = &f->c;

	ikec_done(c);
	memset(f, 0, sizeof(*f));
	f->of = b;
	f->busy = true;
	c->crypto = b->crypto;
	c->send = send_one;
	c->ctx = f;
	c->now = &b->now;
	crypto_random(&c->seed, sizeof(c->seed));
	c->psk = BENCH_PSK;
	c->outer[0] = address_of(
	    b->next++ / b->flight_count * b->flight_count + at, b->port);
	c->inner = c->outer[0];
	c->server = b->responder;
	c->inner.port = c->server.port = 0;
	c->own_port = b->port;
	c->ike_port = b->responder.port;
	c->ike[0] =
	    (struct ike_suite){IKE_CIPHER_AES, 256, IKE_HASH_SHA256, b->group};
	c->esp[0] = (struct ike_suite){ESP_AES, 256, ESP_AUTH_SHA256, 0};
	c->ike_count = c->esp_count = 1;
	ikec_init(c);
	ikec_start_main(c);
	b->started++;
}

static void progress(struct bench_initiator *b, uint32_t at)
{
	struct flight *f = &b->flights[at];

	if (f->c.hash_failures)
		bench_die("a hash was wrong");
	if (!f->quick && f->c.cur->state == CLIENT_UP)
		f->quick = ikec_start_quick(&f->c);
	if (!f->quick || !f->quick->is_done)
		return;
	f->busy = false;
	b->done++;
	if (b->started < b->goal)
		start(b, at);
}

static void take(struct bench_initiator *b, const struct udp_packet *p)
{
	uint32_t at = number_of(&p->local) % b->flight_count;
	struct flight *f = &b->flights[at];

	/* Not for one that has ended. */
	if (p->len <= 0 || !f->busy || !addr_equal(&f->c.outer[0], &p->local))
		return;
	ikec_input(&f->c, false, p->data, (size_t)p->len);
	progress(b, at);
}

static void receive(struct bench_initiator *b)
{
	int count;

	for (size_t i = 0; i < UDP_MANY; i++) {
		b->in.packets[i].data = b->in.bytes[i];
		b->in.packets[i].size = sizeof(b->in.bytes[i]);
	}
	count = udp_recv_many(b->fd, b->port, b->in.packets, UDP_MANY);
	for (int i = 0; i < count; i++)
		take(b, &b->in.packets[i]);
}

void bench_initiator_run(struct bench_initiator *b, unsigned int count)
{
	uint64_t timers = clock_ms() + 100, last = clock_ms();
	unsigned int seen = b->done;

	b->now = clock_ms();
	b->goal += count;
	for (uint32_t i = 0; i < b->flight_count && b->started < b->goal; i++)
		start(b, i);
	while (b->done < b->goal) {
		struct pollfd p = {.fd = b->fd, .events = POLLIN};

		flush(b);
		poll(&p, 1, 50);
		b->now = clock_ms();
		receive(b);
		if (b->done != seen) {
			seen = b->done;
			last = b->now;
		}
		if (b->now > last + STUCK_MS)
			bench_die("no handshake ended");
		if (b->now < timers)
			continue;
		timers = b->now + 100;
		for (uint32_t i = 0; i < b->flight_count; i++)
			if (b->flights[i].busy)
				ikec_timers(&b->flights[i].c);
	}
	flush(b);
}
