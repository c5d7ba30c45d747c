/* SPDX-License-Identifier: ISC */
/* The engine's smaller parts: UDP and Diffie-Hellman jobs. */
#include "common/crypto.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/dh_pool.h"
#include "ikev1/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* --- UDP ----------------------------------------------------------------- */

static enum udp_kind classify(
    uint16_t port, const char *bytes, size_t len, struct wire_span *ike)
{
	return udp_classify(
	    port, (struct wire_span){(const uint8_t *)bytes, len}, ike);
}

static void test_classify(void **state)
{
	struct wire_span ike;

	(void)state;
	assert_int_equal(classify(500, "\0\0\0\0x", 5, &ike), UDP_IKE);
	assert_int_equal(ike.len, 5); /* no marker on 500 */
	assert_int_equal(classify(500, "", 0, &ike), UDP_OTHER);
	/* ESP as drafts 00 and 01 mark it, too short for the kernel. */
	for (size_t n = 8; n <= 24; n++) {
		char esp[25] = {0};

		memset(esp + 8, 0x5a, sizeof(esp) - 8);
		assert_int_equal(classify(500, esp, n, &ike), UDP_OTHER);
		esp[7] = 1;
		assert_int_equal(classify(500, esp, n, &ike), UDP_IKE);
		assert_int_equal(ike.len, n);
	}
	assert_int_equal(classify(500, "\0\0\0\0\0\0\0", 7, &ike), UDP_IKE);
	assert_int_equal(classify(500, "\xff", 1, &ike), UDP_KEEPALIVE);
	assert_int_equal(classify(500, "\xfe", 1, &ike), UDP_IKE);
	assert_int_equal(classify(4500, "\0\0\0\0abc", 7, &ike), UDP_IKE);
	assert_int_equal(ike.len, 3);
	assert_memory_equal(ike.data, "abc", 3);
	assert_int_equal(classify(4500, "\xff", 1, &ike), UDP_KEEPALIVE);
	assert_int_equal(classify(4500, "\0", 1, &ike), UDP_OTHER);
	assert_int_equal(classify(4500, "\0\0\0\1abc", 7, &ike), UDP_OTHER);
	for (size_t n = 0; n <= 4; n++)
		if (n != 1)
			assert_int_equal(
			    classify(4500, "\0\0\0\0", n, &ike), UDP_OTHER);
}

/*
 * Until what was sent on the loopback has arrived: the kernel may leave that
 * to another thread when the machine is busy, in order.
 */
static void settle(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	socklen_t len = sizeof(at);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(sendto(fd, "", 1, 0, (struct sockaddr *)&at, len), 1);
	assert_int_equal(poll(&p, 1, 60000), 1);
	close(fd);
}

/* Two sockets on the loopback; root only, for the bypass policies. */
static void test_socket(void **state)
{
	struct addr a, b, local, peer, any = {.family = ADDR_IPV4};
	uint8_t buf[64];
	int fd, other;

	(void)state;
	if (geteuid())
		skip();
	addr_parse(&a, "127.0.0.2");
	fd = udp_open(&any);
	if (fd == -EPERM || fd == -ENOPROTOOPT || fd == -EOPNOTSUPP)
		skip(); /* a container without the capability, or XFRM */
	assert_true(fd >= 0);
	assert_int_equal(udp_local(fd, &b), 0);
	other = udp_open(&a);
	assert_true(other >= 0);
	assert_int_equal(udp_local(other, &a), 0);
	assert_int_equal(
	    udp_recv(fd, b.port, buf, sizeof(buf), &local, &peer), -EAGAIN);
	addr_parse(&peer, "127.0.0.9");
	peer.port = b.port;
	assert_int_equal(
	    udp_send(other, &a, &peer,
		(struct wire_span){(const uint8_t *)"hi", 2}, true),
	    0);
	settle();
	assert_int_equal(
	    udp_recv(fd, b.port, buf, sizeof(buf), &local, &peer), 6);
	assert_memory_equal(buf, "\0\0\0\0hi", 6);
	assert_true(addr_equal(&peer, &a));
	/* The address that was asked, not the one that is bound. */
	assert_memory_equal(local.ip, "\x7f\0\0\x09", 4);
	assert_int_equal(local.port, b.port);
	/* And the answer leaves from it. */
	b = local;
	assert_int_equal(
	    udp_send(fd, &local, &peer,
		(struct wire_span){(const uint8_t *)"yes", 3}, false),
	    0);
	settle();
	assert_int_equal(
	    udp_recv(other, a.port, buf, sizeof(buf), &local, &peer), 3);
	assert_true(addr_equal(&peer, &b));
	/* Too long for the buffer. */
	assert_int_equal(
	    udp_send(fd, &b, &a,
		(struct wire_span){(const uint8_t *)"12345", 5}, false),
	    0);
	settle();
	assert_int_equal(
	    udp_recv(other, a.port, buf, 4, &local, &peer), -EMSGSIZE);
	assert_int_equal(udp_open(&a), -EADDRINUSE);
	close(fd);
	close(other);
	a = (struct addr){0};
	assert_int_equal(udp_open(&a), -EAFNOSUPPORT);
}

/* Sockets as udp_open() makes them, but for what takes root. */
static int plain_socket(struct addr *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), on = 1;
	struct sockaddr_storage ss;
	socklen_t len;

	addr_parse(at, "127.0.0.3");
	at->port = 0;
	len = addr_to_sockaddr(at, &ss);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)), 0);
	assert_int_equal(udp_local(fd, at), 0);
	return fd;
}

#define MANY (UDP_MANY + 3)

static void test_many(void **state)
{
	struct udp_packet out[MANY], in[MANY];
	uint8_t bytes[MANY], room[MANY][8];
	struct addr a, b;
	int fd = plain_socket(&a), other = plain_socket(&b), err;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		bytes[i] = (uint8_t)i;
		out[i] = (struct udp_packet){.local = a,
		    .peer = b,
		    .data = &bytes[i],
		    .len = 1,
		    .has_marker = i % 2};
		in[i] = (struct udp_packet){
		    .data = room[i], .size = sizeof(room[i])};
	}
	assert_int_equal(udp_recv_many(other, b.port, in, MANY), -EAGAIN);
	/* No more than a call's worth at a time; then the rest. */
	assert_int_equal(udp_send_many(fd, out, MANY, &err), UDP_MANY);
	assert_int_equal(err, 0);
	assert_int_equal(
	    udp_send_many(fd, out + UDP_MANY, MANY - UDP_MANY, &err), 3);
	assert_int_equal(err, 0);
	settle();
	assert_int_equal(udp_recv_many(other, b.port, in, MANY), UDP_MANY);
	assert_int_equal(
	    udp_recv_many(other, b.port, in + UDP_MANY, MANY - UDP_MANY), 3);
	for (size_t i = 0; i < MANY; i++) {
		size_t marker = i % 2 ? 4 : 0;

		assert_int_equal(in[i].len, marker + 1);
		assert_memory_equal(room[i], "\0\0\0\0", marker);
		assert_int_equal(room[i][marker], i);
		assert_true(addr_equal(&in[i].local, &b));
		assert_true(addr_equal(&in[i].peer, &a));
	}
	/* One that can't be sent is one that is dealt with; so is one that
	 * does not fit where it arrives. */
	out[0].peer.port = 0;
	out[2].len = 0;
	assert_int_equal(udp_send_many(fd, out, 3, &err), 1);
	assert_true(err < 0);
	in[0].size = 4;
	assert_int_equal(udp_send_many(fd, out + 1, 2, &err), 2);
	settle();
	assert_int_equal(udp_recv_many(other, b.port, in, MANY), 2);
	assert_int_equal(in[0].len, -EMSGSIZE);
	assert_int_equal(in[1].len, 0);
	close(fd);
}

/* Until something has: settle() is about IPv4. */
static void arrive(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 60000), 1);
}

/* IPv6 beside IPv4 on one port, each hearing its own. */
static void test_socket_v6(void **state)
{
	struct addr any = {.family = ADDR_IPV6}, any4 = {.family = ADDR_IPV4};
	struct addr a, b, local, peer;
	uint8_t buf[64];
	int fd, fd4, other;

	(void)state;
	if (geteuid())
		skip();
	addr_parse(&a, "::1");
	other = udp_open(&a);
	if (other == -EPERM || other == -ENOPROTOOPT || other == -EOPNOTSUPP ||
	    other == -EAFNOSUPPORT || other == -EADDRNOTAVAIL)
		skip(); /* without the capability, XFRM, IPv6 */
	assert_true(other >= 0);
	assert_int_equal(udp_local(other, &a), 0);
	fd = udp_open(&any);
	assert_true(fd >= 0);
	assert_int_equal(udp_local(fd, &b), 0);
	assert_int_equal(b.family, ADDR_IPV6);
	any4.port = b.port;
	fd4 = udp_open(&any4);
	assert_true(fd4 >= 0);
	peer = a;
	peer.port = b.port;
	assert_int_equal(
	    udp_send(other, &a, &peer,
		(struct wire_span){(const uint8_t *)"hi", 2}, true),
	    0);
	arrive(fd);
	assert_int_equal(
	    udp_recv(fd, b.port, buf, sizeof(buf), &local, &peer), 6);
	assert_memory_equal(buf, "\0\0\0\0hi", 6);
	assert_true(addr_equal(&peer, &a));
	assert_true(addr_ip_equal(&local, &a));
	assert_int_equal(local.port, b.port);
	b = local;
	assert_int_equal(
	    udp_send(fd, &local, &peer,
		(struct wire_span){(const uint8_t *)"yes", 3}, false),
	    0);
	arrive(other);
	assert_int_equal(
	    udp_recv(other, a.port, buf, sizeof(buf), &local, &peer), 3);
	assert_true(addr_equal(&peer, &b));
	assert_true(addr_equal(&local, &a));
	assert_int_equal(
	    udp_recv(fd4, b.port, buf, sizeof(buf), &local, &peer), -EAGAIN);
	close(fd);
	close(fd4);
	close(other);
}

/* --- Diffie-Hellman jobs ------------------------------------------------- */

struct dh_world {
	int done, busy, failed;
	uint32_t last_job;
	size_t pub_len;
};

static void on_done(
    void *ctx, uint32_t job, int err, const struct dh_result *res)
{
	struct dh_world *w = ctx;

	w->done++;
	w->last_job = job;
	if (err == -EBUSY)
		w->busy++;
	else if (err)
		w->failed++;
	else
		w->pub_len = res->pub_len;
}

static void submit(
    struct dh_pool *p, uint32_t job, uint16_t group, struct wire_span pub)
{
	const struct dh_request req = {
	    .op = DH_OP_EXCHANGE, .group = group, .peer_pub = pub};

	dh_pool_submit(p, job, &req);
}

static void keep_result(
    void *ctx, uint32_t job, int err, const struct dh_result *res)
{
	struct dh_result *out = ctx;

	(void)job;
	assert_int_equal(err, 0);
	*out = *res;
}

/* Both halves through the pool, a cheap group and a dear one; the private
 * value is copied with the request. */
static void test_dh_halves(void **state)
{
	static const uint16_t groups[] = {IKE_GROUP_ECP256, IKE_GROUP_MODP2048};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	for (size_t i = 0; i < 2; i++) {
		struct dh_request req = {
		    .op = DH_OP_KEYGEN, .group = groups[i]};
		struct dh_result half, whole, other;
		struct dh_pool *p = dh_pool_new(&loop, keep_result, &half);

		dh_pool_submit(p, 1, &req);
		uv_run(&loop, UV_RUN_DEFAULT);
		dh_pool_free(p);
		assert_int_equal(
		    dh_exchange(NULL, groups[i],
			(struct wire_span){half.pub, half.pub_len}, &other),
		    0);
		req.op = DH_OP_FINISH;
		req.priv = (struct wire_span){half.shared, half.shared_len};
		req.peer_pub = (struct wire_span){other.pub, other.pub_len};
		p = dh_pool_new(&loop, keep_result, &whole);
		dh_pool_submit(p, 2, &req);
		memset(&half, 0, sizeof(half));
		uv_run(&loop, UV_RUN_DEFAULT);
		dh_pool_free(p);
		assert_int_equal(whole.shared_len, other.shared_len);
		assert_memory_equal(
		    whole.shared, other.shared, other.shared_len);
	}
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_dh_jobs(void **state)
{
	struct dh_world w = {0};
	struct dh_result peer = {.pub_len = 0};
	struct dh_pool *p;
	struct wire_span pub;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	p = dh_pool_new(&loop, on_done, &w);
	assert_int_equal(dh_keygen(NULL, IKE_GROUP_ECP256, &peer), 0);
	pub = (struct wire_span){peer.pub, peer.pub_len};
	submit(p, 1, IKE_GROUP_ECP256, pub);
	assert_int_equal(w.done, 1); /* cheap: at once */
	assert_int_equal(w.pub_len, 64);
	/* A point that is none. */
	peer.pub[0] ^= 1;
	submit(p, 2, IKE_GROUP_ECP256, pub);
	assert_int_equal(w.failed, 1);

	assert_int_equal(dh_keygen(NULL, IKE_GROUP_MODP2048, &peer), 0);
	pub = (struct wire_span){peer.pub, peer.pub_len};
	submit(p, 3, IKE_GROUP_MODP2048, pub);
	assert_int_equal(w.done, 2); /* dear: later */
	assert_int_equal(dh_pool_waiting(p), 1);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(w.done, 3);
	assert_int_equal(w.last_job, 3);
	assert_int_equal(w.pub_len, 256);
	assert_int_equal(dh_pool_waiting(p), 0);
	dh_pool_free(p);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_dh_limits(void **state)
{
	static const uint8_t zero[IKE_DH_MAX + 1];
	struct dh_world w = {0};
	struct dh_pool *p;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	p = dh_pool_new(&loop, on_done, &w);
	submit(
	    p, 1, IKE_GROUP_MODP2048, (struct wire_span){zero, sizeof(zero)});
	assert_int_equal(w.failed, 1);
	/* A public value of 0 is refused at once by each job. */
	for (uint32_t i = 0; i < DH_POOL_MAX + 3; i++)
		submit(p, i, IKE_GROUP_MODP2048, (struct wire_span){zero, 256});
	assert_int_equal(w.busy, 3);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(w.done, 1 + DH_POOL_MAX + 3);
	assert_int_equal(w.failed, 1 + DH_POOL_MAX);
	/* Freed with work under way: no more calls, no leak. */
	w.done = 0;
	submit(p, 9, IKE_GROUP_MODP2048, (struct wire_span){zero, 256});
	dh_pool_free(p);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(w.done, 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_classify),
	    cmocka_unit_test(test_socket),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_socket_v6),
	    cmocka_unit_test(test_dh_jobs),
	    cmocka_unit_test(test_dh_halves),
	    cmocka_unit_test(test_dh_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
