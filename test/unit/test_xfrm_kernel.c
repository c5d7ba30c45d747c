/* SPDX-License-Identifier: ISC */
/*
 * XFRM netlink against a real kernel, in a network namespace of its own.
 * Skipped without root or without ESP; the test guest has both.
 */
#include "ikev1/xfrm.h"

#include "common/kmod.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct world {
	uv_loop_t loop;
	struct log log;
	struct xfrm *x;
	int events;
	struct xfrm_event last;
};

static bool can_run(void)
{
	char reason[KMOD_REASON_MAX];

	return !geteuid() && !unshare(CLONE_NEWNET) &&
	       !kmod_require(KMOD_ESP, reason);
}

static void on_event(void *ctx, const struct xfrm_event *ev)
{
	struct world *w = ctx;

	w->events++;
	w->last = *ev;
	uv_stop(&w->loop);
}

static void open_world(struct world *w)
{
	*w = (struct world){.events = 0};
	log_init(&w->log, "test", LOG_SEV_ERROR);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	assert_int_equal(xfrm_open(&w->log, &w->x), 0);
	assert_int_equal(xfrm_listen(w->x, &w->loop, on_event, w), 0);
}

static void close_world(struct world *w)
{
	xfrm_close(w->x);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
}

static struct ike_kernel_sa sample(uint32_t slot, uint8_t dir, uint32_t spi)
{
	struct ike_kernel_sa sa = {.r = slot,
	    .slot = slot,
	    .dir = dir,
	    .spi = spi,
	    .encap = true,
	    .cipher = ESP_AES,
	    .auth = ESP_AUTH_SHA256,
	    .trunc_bits = 128,
	    .enc_len = 32,
	    .auth_len = 32,
	    .hard_s = 3600};

	addr_parse(&sa.src, dir == IKE_SA_IN ? "203.0.113.7" : "192.0.2.1");
	addr_parse(&sa.dst, dir == IKE_SA_IN ? "192.0.2.1" : "203.0.113.7");
	sa.src.port = dir == IKE_SA_IN ? 40000 : 4500;
	sa.dst.port = dir == IKE_SA_IN ? 4500 : 40000;
	return sa;
}

static int add(struct world *w, const struct ike_kernel_sa *sa)
{
	return xfrm_sa_ops.add(w->x, sa);
}

static int del(struct world *w, const struct ike_kernel_sa *sa)
{
	return xfrm_sa_ops.del(w->x, sa);
}

static void test_add_and_delete(void **state)
{
	static const struct {
		uint16_t cipher, enc_len, auth, auth_len, trunc;
	} suites[] = {
	    {ESP_AES, 16, ESP_AUTH_SHA1, 20, 96},
	    {ESP_AES, 24, ESP_AUTH_SHA1, 20, 96},
	    {ESP_AES, 32, ESP_AUTH_SHA256, 32, 128},
	    {ESP_AES, 16, ESP_AUTH_SHA384, 48, 192},
	    {ESP_AES, 32, ESP_AUTH_SHA512, 64, 256},
	};
	struct world w;

	if (!can_run())
		skip();
	(void)state;
	open_world(&w);
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		for (uint8_t dir = IKE_SA_IN; dir <= IKE_SA_OUT; dir++) {
			struct ike_kernel_sa sa = sample(1, dir, 0x1000);

			sa.cipher = suites[i].cipher;
			sa.enc_len = suites[i].enc_len;
			sa.auth = suites[i].auth;
			sa.auth_len = suites[i].auth_len;
			sa.trunc_bits = suites[i].trunc;
			sa.encap = i % 2;
			assert_int_equal(add(&w, &sa), 0);
			assert_int_equal(add(&w, &sa), -EEXIST);
			assert_int_equal(del(&w, &sa), 0);
			assert_int_equal(del(&w, &sa), -ESRCH);
		}
	close_world(&w);
}

static void test_query(void **state)
{
	struct ike_kernel_sa in = sample(3, IKE_SA_IN, 0x2000);
	struct sa_usage used = {7, 7};
	struct world w;

	(void)state;
	if (!can_run())
		skip();
	open_world(&w);
	assert_int_equal(xfrm_sa_ops.query(w.x, &in, &used), -ESRCH);
	assert_int_equal(add(&w, &in), 0);
	assert_int_equal(xfrm_sa_ops.query(w.x, &in, &used), 0);
	assert_int_equal(used.packets, 0);
	assert_int_equal(used.bytes, 0);
	assert_int_equal(del(&w, &in), 0);
	assert_int_equal(xfrm_sa_ops.query(w.x, &in, &used), -ESRCH);
	close_world(&w);
}

/* Between IPv6 addresses, plain and in UDP, and both at once beside IPv4. */
static void test_v6(void **state)
{
	struct ike_kernel_sa v4 = sample(5, IKE_SA_IN, 0x2000), *list;
	struct sa_usage used = {7, 7};
	struct world w;
	size_t count;

	(void)state;
	if (!can_run())
		skip();
	open_world(&w);
	assert_int_equal(add(&w, &v4), 0);
	for (int encap = 0; encap <= 1; encap++)
		for (uint8_t dir = IKE_SA_IN; dir <= IKE_SA_OUT; dir++) {
			struct ike_kernel_sa sa = sample(6, dir, 0x2000);
			uint16_t ports[] = {sa.src.port, sa.dst.port};
			bool in = dir == IKE_SA_IN;

			addr_parse(&sa.src, in ? "2001:db8::7" : "2001:db8::1");
			addr_parse(&sa.dst, in ? "2001:db8::1" : "2001:db8::7");
			sa.src.port = ports[0];
			sa.dst.port = ports[1];
			sa.encap = encap;
			assert_int_equal(del(&w, &sa), -ESRCH);
			assert_int_equal(add(&w, &sa), 0);
			assert_int_equal(add(&w, &sa), -EEXIST);
			assert_int_equal(xfrm_sa_ops.query(w.x, &sa, &used), 0);
			assert_int_equal(used.packets, 0);
			assert_int_equal(
			    xfrm_sa_ops.list(w.x, &list, &count), 0);
			assert_int_equal(count, 2);
			free(list);
			assert_int_equal(del(&w, &sa), 0);
		}
	assert_int_equal(xfrm_sa_ops.query(w.x, &v4, &used), 0);
	assert_int_equal(del(&w, &v4), 0);
	close_world(&w);
}

/* What `ip xfrm state` says; "" without iproute2. */
static void states(char *out, size_t size)
{
	FILE *p = popen("ip xfrm state 2>/dev/null", "re");
	size_t n;

	assert_non_null(p);
	n = fread(out, 1, size - 1, p);
	out[n] = '\0';
	pclose(p);
}

static void test_new_port(void **state)
{
	struct ike_kernel_sa in = sample(3, IKE_SA_IN, 0x2000);
	struct ike_kernel_sa out = sample(3, IKE_SA_OUT, 0x3000);
	char text[8192];
	struct world w;

	(void)state;
	if (!can_run())
		skip();
	open_world(&w);
	assert_int_equal(xfrm_sa_ops.encap(w.x, &in), -ESRCH);
	assert_int_equal(add(&w, &in), 0);
	assert_int_equal(add(&w, &out), 0);
	in.src.port = 40001;
	out.dst.port = 40001;
	assert_int_equal(xfrm_sa_ops.encap(w.x, &in), 0);
	assert_int_equal(xfrm_sa_ops.encap(w.x, &out), 0);
	states(text, sizeof(text));
	if (*text) {
		assert_non_null(strstr(text, "sport 40001 dport 4500"));
		assert_non_null(strstr(text, "sport 4500 dport 40001"));
		assert_null(strstr(text, "40000"));
		assert_non_null(
		    strstr(text, "output-mark 0x53000003/0xffffffff"));
		assert_non_null(strstr(text, "replay_window 128"));
	}
	close_world(&w);
}

static void send_to_500(int fd, const void *data, size_t len)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(UDP_PORT_IKE),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};

	assert_int_equal(
	    sendto(fd, data, len, 0, (struct sockaddr *)&to, sizeof(to)), len);
}

/* What the socket gets of an ESP packet and of IKE that follows it. */
static ssize_t first_that_comes(int fd, const void *esp, size_t len)
{
	static const uint8_t ike[28] = {1};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint8_t buf[64];
	struct addr local, peer;
	ssize_t n;

	assert_true(from >= 0);
	send_to_500(from, esp, len);
	send_to_500(from, ike, sizeof(ike));
	close(from);
	assert_int_equal(poll(&p, 1, 60000), 1);
	n = udp_recv(fd, UDP_PORT_IKE, buf, sizeof(buf), &local, &peer);
	if (n == (ssize_t)len)
		poll(&p, 1, 60000);
	while (udp_recv(fd, UDP_PORT_IKE, buf, sizeof(buf), &local, &peer) >= 0)
		;
	return n;
}

static void loopback_up(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &r), 0);
	r.ifr_flags |= IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &r), 0);
	close(fd);
}

/*
 * NAT traversal's drafts 00 and 01: a kernel has both the socket's option
 * and the SA's encapsulation, or neither; IKE comes up in any case.
 */
static void test_esp_on_500(void **state)
{
	static const uint8_t esp[40] = {0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22};
	struct ike_kernel_sa in = sample(3, IKE_SA_IN, 0x2000);
	struct ike_kernel_sa out = sample(3, IKE_SA_OUT, 0x3000);
	struct addr any = {.family = ADDR_IPV4, .port = UDP_PORT_IKE};
	struct addr natt = {.family = ADDR_IPV4, .port = UDP_PORT_NATT};
	char text[8192];
	struct world w;
	int fd, fd_natt;
	bool can;

	(void)state;
	if (!can_run())
		skip();
	open_world(&w);
	loopback_up();
	fd = udp_open(&any);
	fd_natt = udp_open(&natt);
	assert_true(fd >= 0 && fd_natt >= 0);
	assert_true(udp_takes_esp(fd_natt));
	can = udp_takes_esp(fd);
	in.dst.port = out.src.port = UDP_PORT_IKE;
	assert_int_equal(add(&w, &in), can ? 0 : -EINVAL);
	assert_int_equal(add(&w, &out), can ? 0 : -EINVAL);
	in.src.port = out.dst.port = 40001;
	assert_int_equal(xfrm_sa_ops.encap(w.x, &in), can ? 0 : -EINVAL);
	states(text, sizeof(text));
	if (can && *text)
		assert_non_null(
		    strstr(text, "type espinudp-nonike sport 40001 dport 500"));
	/* ESP is the kernel's; the engine drops it where it is not. */
	assert_int_equal(first_that_comes(fd, esp, sizeof(esp)),
	    can ? 28 : (int)sizeof(esp));
	/* Too short to be ESP: it comes up everywhere. */
	assert_int_equal(first_that_comes(fd, esp, 12), 12);
	close(fd);
	close(fd_natt);
	close_world(&w);
}

/* An SA of another program: the same, but for its reqid. */
static void add_foreign(const struct ike_kernel_sa *sa)
{
	struct nl_msg *msg = xfrm_build_add(sa, false);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	struct xfrm_usersa_info *info;
	char reply[512];

	assert_non_null(msg);
	assert_true(fd >= 0);
	info = nlmsg_data(nlmsg_hdr(msg));
	info->reqid = 17;
	assert_true(send(fd, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 0) > 0);
	assert_true(recv(fd, reply, sizeof(reply), 0) > 0);
	xfrm_msg_free(msg);
	close(fd);
}

static void test_flush_takes_ours_only(void **state)
{
	struct ike_kernel_sa foreign = sample(9, IKE_SA_IN, 0x9999), *list;
	struct world w;
	size_t count;

	(void)state;
	if (!can_run())
		skip();
	open_world(&w);
	assert_int_equal(xfrm_sa_ops.flush(w.x), 0);
	for (uint32_t slot = 1; slot <= 300; slot++) {
		struct ike_kernel_sa in =
		    sample(slot, IKE_SA_IN, 0x10000 + slot);
		struct ike_kernel_sa out =
		    sample(slot, IKE_SA_OUT, 0x20000 + slot);

		assert_int_equal(add(&w, &in), 0);
		assert_int_equal(add(&w, &out), 0);
	}
	add_foreign(&foreign);
	assert_int_equal(xfrm_sa_ops.list(w.x, &list, &count), 0);
	assert_int_equal(count, 600);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(list[i].spi & 0xffff, list[i].slot);
	free(list);
	assert_int_equal(xfrm_sa_ops.flush(w.x), 0);
	assert_int_equal(xfrm_sa_ops.list(w.x, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	for (uint32_t slot = 1; slot <= 300; slot++) {
		struct ike_kernel_sa in =
		    sample(slot, IKE_SA_IN, 0x10000 + slot);

		assert_int_equal(del(&w, &in), -ESRCH);
	}
	assert_int_equal(del(&w, &foreign), 0);
	close_world(&w);
}

static void test_expiry_is_told(void **state)
{
	struct ike_kernel_sa sa = sample(77, IKE_SA_IN, 0x4000);
	struct world w;

	(void)state;
	if (!can_run())
		skip();
	open_world(&w);
	sa.hard_s = 1;
	assert_int_equal(add(&w, &sa), 0);
	uv_run(&w.loop, UV_RUN_DEFAULT);
	assert_int_equal(w.events, 1);
	assert_int_equal(w.last.type, XFRM_EVENT_EXPIRE);
	assert_true(w.last.hard);
	assert_int_equal(w.last.slot, 77);
	assert_int_equal(w.last.spi, 0x4000);
	assert_int_equal(del(&w, &sa), -ESRCH);
	close_world(&w);
}

/* Needs no kernel: what cannot be built is refused before it is sent. */
static void test_refused_before_sending(void **state)
{
	struct ike_kernel_sa sa = sample(1, IKE_SA_IN, 0x1000);
	struct log log;
	struct xfrm *x;

	(void)state;
	assert_non_null(xfrm_sa_ops.del);
	assert_non_null(xfrm_sa_ops.flush);
	xfrm_close(NULL);
	log_init(&log, "test", LOG_SEV_ERROR);
	log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!xfrm_open(&log, &x)) {
		sa.enc_len = 7;
		assert_int_equal(xfrm_sa_ops.add(x, &sa), -EINVAL);
		assert_int_equal(xfrm_sa_ops.encap(x, &sa), -EINVAL);
		xfrm_close(x);
	}
	close(log.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused_before_sending),
	    cmocka_unit_test(test_add_and_delete),
	    cmocka_unit_test(test_query),
	    cmocka_unit_test(test_v6),
	    cmocka_unit_test(test_new_port),
	    cmocka_unit_test(test_esp_on_500),
	    cmocka_unit_test(test_flush_takes_ours_only),
	    cmocka_unit_test(test_expiry_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
