/* SPDX-License-Identifier: ISC */
/* Which SAs a sweep takes; the real kernel where there is one with ESP. */
#include "common/esp_sweep.h"

#include "common/kmod.h"
#include "common/peer_link.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/xfrm.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

struct answer {
	struct nlmsghdr h;
	struct xfrm_usersa_info sa;
};

static struct answer sample(uint32_t reqid)
{
	struct answer a;

	memset(&a, 0, sizeof(a));
	a.h.nlmsg_len = NLMSG_LENGTH(sizeof(a.sa));
	a.h.nlmsg_type = XFRM_MSG_NEWSA;
	a.sa.family = AF_INET;
	a.sa.reqid = reqid;
	a.sa.id.proto = IPPROTO_ESP;
	a.sa.id.spi = htonl(0x12345678);
	a.sa.id.daddr.a4 = htonl(0xc0000201);
	return a;
}

static int request(const struct answer *a, size_t len, void *out)
{
	return esp_sweep_request(&a->h, len, 9, out);
}

static void test_request(void **state)
{
	struct answer a = sample(PEER_MARK_BASE | 7);
	struct {
		struct nlmsghdr h;
		struct xfrm_usersa_id id;
	} out;

	(void)state;
	assert_int_equal(request(&a, sizeof(a), &out), 0);
	assert_int_equal(out.h.nlmsg_len, sizeof(out));
	assert_int_equal(out.h.nlmsg_type, XFRM_MSG_DELSA);
	assert_int_equal(out.h.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(out.h.nlmsg_seq, 9);
	assert_int_equal(out.id.spi, htonl(0x12345678));
	assert_int_equal(out.id.daddr.a4, htonl(0xc0000201));
	assert_int_equal(out.id.family, AF_INET);
	assert_int_equal(out.id.proto, IPPROTO_ESP);
}

static void test_foreign(void **state)
{
	static const uint32_t foreign[] = {0, 7, PEER_MARK_BASE,
	    PEER_MARK_BASE | (PEER_SLOT_MAX + 1), PEER_MARK_BASE + 0x1000000u};
	static const uint32_t ours[] = {
	    PEER_MARK_BASE | 1, PEER_MARK_BASE | PEER_SLOT_MAX};
	char out[ESP_SWEEP_REQUEST_MAX];
	struct answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		a = sample(foreign[i]);
		assert_int_equal(request(&a, sizeof(a), out), -ENOENT);
	}
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		a = sample(ours[i]);
		assert_int_equal(request(&a, sizeof(a), out), 0);
	}
	a = sample(PEER_MARK_BASE | 7);
	a.sa.id.proto = IPPROTO_AH;
	assert_int_equal(request(&a, sizeof(a), out), -ENOENT);
	a = sample(PEER_MARK_BASE | 7);
	a.h.nlmsg_type = XFRM_MSG_EXPIRE;
	assert_int_equal(request(&a, sizeof(a), out), -ENOENT);
}

static void test_truncated(void **state)
{
	struct answer a = sample(PEER_MARK_BASE | 7);
	char out[ESP_SWEEP_REQUEST_MAX];

	(void)state;
	for (size_t len = 0; len < a.h.nlmsg_len; len++)
		assert_int_equal(request(&a, len, out), -ENOENT);
	for (uint32_t len = 0; len < NLMSG_LENGTH(sizeof(a.sa)); len++) {
		a.h.nlmsg_len = len;
		assert_int_equal(request(&a, sizeof(a), out), -ENOENT);
	}
}

static struct ike_kernel_sa kernel_sa(uint32_t slot, uint32_t spi)
{
	struct ike_kernel_sa sa = {.slot = slot,
	    .spi = spi,
	    .cipher = ESP_AES,
	    .auth = ESP_AUTH_SHA1,
	    .trunc_bits = 96,
	    .enc_len = 16,
	    .auth_len = 20};

	addr_parse(&sa.src, "203.0.113.7");
	addr_parse(&sa.dst, "192.0.2.1");
	return sa;
}

/* An SA of somebody else's; its reqid is out of our range. */
static void add_foreign(const struct ike_kernel_sa *sa)
{
	struct nl_msg *msg = xfrm_build_add(sa, false);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	struct xfrm_usersa_info *info;
	char reply[512];

	assert_non_null(msg);
	info = nlmsg_data(nlmsg_hdr(msg));
	info->reqid = 17;
	assert_true(send(fd, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 0) > 0);
	assert_true(recv(fd, reply, sizeof(reply), 0) > 0);
	xfrm_msg_free(msg);
	close(fd);
}

static void test_kernel(void **state)
{
	const struct ike_kernel_sa foreign = kernel_sa(9, 0x9999);
	char reason[KMOD_REASON_MAX];
	struct log log;
	struct xfrm *x;
	size_t deleted;

	(void)state;
	if (geteuid() || unshare(CLONE_NEWNET) ||
	    kmod_require(KMOD_ESP, reason))
		skip();
	log_init(&log, "test", LOG_SEV_ERROR);
	assert_int_equal(xfrm_open(&log, &x), 0);
	assert_int_equal(esp_sweep(&deleted), 0);
	assert_int_equal(deleted, 0);
	for (uint32_t slot = 1; slot <= 700; slot++) {
		struct ike_kernel_sa sa = kernel_sa(slot, 0x10000 + slot);

		assert_int_equal(xfrm_sa_ops.add(x, &sa), 0);
	}
	add_foreign(&foreign);
	assert_int_equal(esp_sweep(&deleted), 0);
	assert_int_equal(deleted, 700);
	assert_int_equal(esp_sweep(&deleted), 0);
	assert_int_equal(deleted, 0);
	assert_int_equal(xfrm_sa_ops.del(x, &foreign), 0);
	xfrm_close(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_request),
	    cmocka_unit_test(test_foreign),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
