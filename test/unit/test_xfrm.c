/* SPDX-License-Identifier: ISC */
/* XFRM messages, byte for byte, and the kernel's events. */
#include "ikev1/xfrm_build.h"

#include "ikev1/core/isakmp.h"

#include <netinet/in.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static struct ike_kernel_sa sample(uint8_t dir)
{
	struct ike_kernel_sa sa = {.r = 7,
	    .slot = 3,
	    .dir = dir,
	    .spi = 0xc0ffee01,
	    .encap = true,
	    .cipher = ESP_AES,
	    .auth = ESP_AUTH_SHA256,
	    .trunc_bits = 128,
	    .enc_len = 32,
	    .auth_len = 32,
	    .soft_s = 3000,
	    .hard_s = 3600,
	    .hard_bytes = 1 << 30};

	addr_parse(&sa.src, "203.0.113.7");
	addr_parse(&sa.dst, "192.0.2.1");
	sa.src.port = 61234;
	sa.dst.port = 4500;
	for (size_t i = 0; i < 32; i++) {
		sa.enc_key[i] = (uint8_t)(0x10 + i);
		sa.auth_key[i] = (uint8_t)(0x80 + i);
	}
	return sa;
}

static const void *attr(struct nl_msg *msg, int type, size_t len)
{
	struct nlattr *a = nlmsg_find_attr(
	    nlmsg_hdr(msg), sizeof(struct xfrm_usersa_info), type);

	if (!a)
		return NULL;
	assert_int_equal(nla_len(a), len);
	return nla_data(a);
}

static void test_inbound(void **state)
{
	struct ike_kernel_sa sa = sample(IKE_SA_IN);
	struct nl_msg *msg = xfrm_build_add(&sa, false);
	const struct xfrm_usersa_info *info;
	const struct xfrm_algo *crypt;
	const struct xfrm_algo_auth *auth;
	const struct xfrm_encap_tmpl *encap;
	const struct xfrm_replay_state_esn *replay;
	const uint32_t *mark;

	(void)state;
	assert_non_null(msg);
	assert_int_equal(nlmsg_hdr(msg)->nlmsg_type, XFRM_MSG_NEWSA);
	assert_int_equal(
	    nlmsg_hdr(msg)->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	info = nlmsg_data(nlmsg_hdr(msg));
	assert_int_equal(info->family, AF_INET);
	assert_int_equal(info->id.proto, IPPROTO_ESP);
	assert_int_equal(info->id.spi, htonl(0xc0ffee01));
	assert_memory_equal(&info->id.daddr, "\xc0\0\2\1\0\0\0\0", 8);
	assert_memory_equal(&info->saddr, "\xcb\0\x71\7\0\0\0\0", 8);
	assert_int_equal(info->mode, XFRM_MODE_TRANSPORT);
	assert_int_equal(info->reqid, 0x53000003);
	assert_int_equal(info->replay_window, 0); /* it is in the bit map */
	assert_int_equal(info->flags, 0);
	/* Ports in the selector would break both directions. */
	assert_int_equal(info->sel.family, AF_INET);
	assert_int_equal(info->sel.sport, 0);
	assert_int_equal(info->sel.dport, 0);
	assert_int_equal(info->sel.proto, 0);
	assert_int_equal(info->sel.prefixlen_s, 0);
	assert_int_equal(info->lft.soft_add_expires_seconds, 3000);
	assert_int_equal(info->lft.hard_add_expires_seconds, 3600);
	assert_true(info->lft.soft_byte_limit == XFRM_INF);
	assert_int_equal(info->lft.hard_byte_limit, 1 << 30);
	assert_true(info->lft.hard_packet_limit == XFRM_INF);

	crypt = attr(msg, XFRMA_ALG_CRYPT, sizeof(*crypt) + 32);
	assert_non_null(crypt);
	assert_string_equal(crypt->alg_name, "cbc(aes)");
	assert_int_equal(crypt->alg_key_len, 256);
	assert_memory_equal(crypt->alg_key, sa.enc_key, 32);
	auth = attr(msg, XFRMA_ALG_AUTH_TRUNC, sizeof(*auth) + 32);
	assert_non_null(auth);
	assert_string_equal(auth->alg_name, "hmac(sha256)");
	assert_int_equal(auth->alg_key_len, 256);
	assert_int_equal(auth->alg_trunc_len, 128);
	assert_memory_equal(auth->alg_key, sa.auth_key, 32);
	encap = attr(msg, XFRMA_ENCAP, sizeof(*encap));
	assert_non_null(encap);
	assert_int_equal(encap->encap_type, UDP_ENCAP_ESPINUDP);
	assert_int_equal(encap->encap_sport, htons(61234));
	assert_int_equal(encap->encap_dport, htons(4500));
	mark = attr(msg, XFRMA_MTIMER_THRESH, 4);
	assert_non_null(mark);
	assert_int_equal(*mark, 1);
	replay = attr(msg, XFRMA_REPLAY_ESN_VAL, sizeof(*replay) + 16);
	assert_non_null(replay);
	assert_int_equal(replay->bmp_len, 4);
	assert_int_equal(replay->replay_window, 128);
	mark = attr(msg, XFRMA_SET_MARK, 4);
	assert_non_null(mark);
	assert_int_equal(*mark, 0x53000003);
	mark = attr(msg, XFRMA_SET_MARK_MASK, 4);
	assert_non_null(mark);
	assert_int_equal(*mark, 0xffffffff);
	/* A lookup mark would hide the SA from its own packets. */
	assert_null(attr(msg, XFRMA_MARK, sizeof(struct xfrm_mark)));
	xfrm_msg_free(msg);
}

static void test_outbound(void **state)
{
	struct ike_kernel_sa sa = sample(IKE_SA_OUT);
	struct nl_msg *msg;
	const struct xfrm_usersa_info *info;
	const struct xfrm_algo_auth *auth;

	(void)state;
	sa.encap = false;
	sa.auth = ESP_AUTH_SHA1;
	sa.auth_len = 20;
	sa.trunc_bits = 96;
	sa.enc_len = 16;
	sa.soft_s = sa.hard_s = 0;
	sa.hard_bytes = 0;
	msg = xfrm_build_add(&sa, false);
	assert_non_null(msg);
	info = nlmsg_data(nlmsg_hdr(msg));
	assert_int_equal(info->lft.hard_add_expires_seconds, 0);
	assert_true(info->lft.hard_byte_limit == XFRM_INF);
	auth = attr(msg, XFRMA_ALG_AUTH_TRUNC, sizeof(*auth) + 20);
	assert_non_null(auth);
	assert_string_equal(auth->alg_name, "hmac(sha1)");
	assert_int_equal(auth->alg_trunc_len, 96);
	assert_null(attr(msg, XFRMA_ENCAP, sizeof(struct xfrm_encap_tmpl)));
	assert_null(attr(msg, XFRMA_SET_MARK, 4));
	assert_null(attr(msg, XFRMA_REPLAY_ESN_VAL, 0));
	xfrm_msg_free(msg);
}

/* IKE's own port has the marker of NAT traversal's first drafts; it is our
 * port that counts. */
static void esp_on_port_500_has_its_marker(void **state)
{
	(void)state;
	for (int how = 0; how < 16; how++) {
		uint8_t dir = how & 1 ? IKE_SA_IN : IKE_SA_OUT;
		uint16_t ours = how & 2 ? 500 : 4500;
		uint16_t theirs = how & 4 ? 500 : 40000;
		struct ike_kernel_sa sa = sample(dir);
		const struct xfrm_encap_tmpl *encap;
		struct nl_msg *msg;

		sa.src.port = dir == IKE_SA_IN ? theirs : ours;
		sa.dst.port = dir == IKE_SA_IN ? ours : theirs;
		msg = xfrm_build_add(&sa, how & 8);
		assert_non_null(msg);
		encap = attr(msg, XFRMA_ENCAP, sizeof(*encap));
		assert_non_null(encap);
		assert_int_equal(
		    encap->encap_type, ours == 500 ? UDP_ENCAP_ESPINUDP_NON_IKE
						   : UDP_ENCAP_ESPINUDP);
		assert_int_equal(encap->encap_sport, htons(sa.src.port));
		assert_int_equal(encap->encap_dport, htons(sa.dst.port));
		xfrm_msg_free(msg);
	}
}

/* Whatever the algorithms: a window of at least 32, and room for it. */
static void cve_2006_4436_every_inbound_sa_has_a_replay_window(void **state)
{
	(void)state;
	for (int how = 0; how < 8; how++) {
		struct ike_kernel_sa sa = sample(IKE_SA_IN);
		const struct xfrm_replay_state_esn *replay;
		struct nl_msg *msg;

		sa.encap = how & 1;
		if (how & 2) { /* AES-GCM */
			sa.cipher = ESP_AES_GCM_16;
			sa.enc_len = 36;
			sa.auth = sa.auth_len = sa.trunc_bits = 0;
		}
		msg = xfrm_build_add(&sa, how & 4);
		assert_non_null(msg);
		replay = attr(msg, XFRMA_REPLAY_ESN_VAL, sizeof(*replay) + 16);
		assert_non_null(replay);
		assert_true(replay->replay_window >= 32);
		assert_true(replay->bmp_len * 32 >= replay->replay_window);
		xfrm_msg_free(msg);
	}
}

static void test_update_and_delete(void **state)
{
	struct ike_kernel_sa sa = sample(IKE_SA_IN);
	struct nl_msg *msg = xfrm_build_add(&sa, true);
	const struct xfrm_usersa_id *id;

	(void)state;
	assert_non_null(msg);
	assert_int_equal(nlmsg_hdr(msg)->nlmsg_type, XFRM_MSG_UPDSA);
	/* The kernel wants the algorithms and the mark again. */
	assert_non_null(
	    attr(msg, XFRMA_ALG_CRYPT, sizeof(struct xfrm_algo) + 32));
	assert_non_null(attr(msg, XFRMA_SET_MARK, 4));
	xfrm_msg_free(msg);
	msg = xfrm_build_del(&sa);
	assert_non_null(msg);
	assert_int_equal(nlmsg_hdr(msg)->nlmsg_type, XFRM_MSG_DELSA);
	id = nlmsg_data(nlmsg_hdr(msg));
	assert_int_equal(id->spi, htonl(0xc0ffee01));
	assert_memory_equal(&id->daddr, "\xc0\0\2\1", 4);
	assert_int_equal(id->family, AF_INET);
	assert_int_equal(id->proto, IPPROTO_ESP);
	xfrm_msg_free(msg);
	msg = xfrm_build_dump();
	assert_int_equal(nlmsg_hdr(msg)->nlmsg_type, XFRM_MSG_GETSA);
	assert_int_equal(
	    nlmsg_hdr(msg)->nlmsg_flags, NLM_F_REQUEST | NLM_F_DUMP);
	xfrm_msg_free(msg);
	xfrm_msg_free(NULL);
}

static void refuse(const struct ike_kernel_sa *sa)
{
	assert_null(xfrm_build_add(sa, false));
}

static void test_refusals(void **state)
{
	struct ike_kernel_sa good = sample(IKE_SA_IN), sa;

	(void)state;
	sa = good;
	sa.cipher = ESP_DES;
	refuse(&sa);
	sa = good;
	sa.auth = ESP_AUTH_MD5;
	refuse(&sa);
	sa = good;
	sa.trunc_bits = 256;
	refuse(&sa);
	sa = good;
	sa.auth = sa.auth_len = sa.trunc_bits = 0;
	refuse(&sa);
	sa = good;
	sa.auth_len = 20;
	refuse(&sa);
	for (uint16_t len = 0; len <= IKE_KEY_MAX; len++) {
		sa = good;
		sa.enc_len = len;
		if (len != 16 && len != 24 && len != 32)
			refuse(&sa);
	}
	sa = good;
	sa.cipher = ESP_3DES;
	refuse(&sa);
	sa = good;
	sa.slot = 0;
	refuse(&sa);
	sa = good;
	sa.slot = 16384;
	refuse(&sa);
	sa = good;
	addr_parse(&sa.dst, "2001:db8::1");
	refuse(&sa);
}

/* Each pair of algorithms as the kernel calls it. */
static void test_algorithms(void **state)
{
	static const struct {
		uint16_t cipher, auth, enc_len, auth_len, trunc_bits;
		const char *crypt, *hmac;
	} rows[] = {
	    {ESP_AES, ESP_AUTH_SHA256, 16, 32, 128, "cbc(aes)", "hmac(sha256)"},
	    {ESP_AES, ESP_AUTH_SHA256, 24, 32, 96, "cbc(aes)", "hmac(sha256)"},
	    {ESP_AES, ESP_AUTH_SHA384, 32, 48, 192, "cbc(aes)", "hmac(sha384)"},
	    {ESP_AES, ESP_AUTH_SHA512, 32, 64, 256, "cbc(aes)", "hmac(sha512)"},
	    {ESP_3DES, ESP_AUTH_SHA1, 24, 20, 96, "cbc(des3_ede)",
		"hmac(sha1)"},
	    {ESP_DES, ESP_AUTH_MD5, 8, 16, 96, "cbc(des)", "hmac(md5)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_kernel_sa sa = sample(IKE_SA_OUT);
		const struct xfrm_algo_auth *auth;
		const struct xfrm_algo *crypt;
		struct nl_msg *msg;

		sa.cipher = rows[i].cipher;
		sa.auth = rows[i].auth;
		sa.enc_len = rows[i].enc_len;
		sa.auth_len = rows[i].auth_len;
		sa.trunc_bits = rows[i].trunc_bits;
		msg = xfrm_build_add(&sa, false);
		assert_non_null(msg);
		crypt = attr(
		    msg, XFRMA_ALG_CRYPT, sizeof(*crypt) + rows[i].enc_len);
		assert_string_equal(crypt->alg_name, rows[i].crypt);
		auth = attr(msg, XFRMA_ALG_AUTH_TRUNC,
		    sizeof(*auth) + rows[i].auth_len);
		assert_string_equal(auth->alg_name, rows[i].hmac);
		assert_int_equal(auth->alg_trunc_len, rows[i].trunc_bits);
		xfrm_msg_free(msg);
		sa.trunc_bits += 8;
		assert_null(xfrm_build_add(&sa, false));
	}
}

/* AES-GCM: key and salt in one, and nothing for authentication. */
static void test_aead(void **state)
{
	(void)state;
	for (uint16_t len = 0; len <= IKE_KEY_MAX; len++) {
		struct ike_kernel_sa sa = sample(IKE_SA_IN);
		const struct xfrm_algo_aead *aead;
		struct nl_msg *msg;

		sa.cipher = ESP_AES_GCM_16;
		sa.enc_len = len;
		sa.auth = sa.auth_len = sa.trunc_bits = 0;
		msg = xfrm_build_add(&sa, false);
		assert_int_equal(
		    msg != NULL, len == 20 || len == 28 || len == 36);
		if (!msg)
			continue;
		aead = attr(msg, XFRMA_ALG_AEAD, sizeof(*aead) + len);
		assert_non_null(aead);
		assert_string_equal(aead->alg_name, "rfc4106(gcm(aes))");
		assert_int_equal(aead->alg_key_len, len * 8);
		assert_int_equal(aead->alg_icv_len, 128);
		assert_memory_equal(aead->alg_key, sa.enc_key, len);
		assert_null(attr(msg, XFRMA_ALG_CRYPT, 0));
		assert_null(attr(msg, XFRMA_ALG_AUTH_TRUNC, 0));
		xfrm_msg_free(msg);
		sa.auth = ESP_AUTH_SHA1;
		refuse(&sa);
		sa.auth = 0;
		sa.auth_len = 20;
		refuse(&sa);
	}
}

/* --- events ------------------------------------------------------------- */

union event_buffer {
	struct nlmsghdr h;
	uint8_t bytes[1024];
};

static size_t make_event(
    union event_buffer *b, uint16_t type, const void *part, size_t len)
{
	memset(b, 0, sizeof(*b));
	b->h.nlmsg_type = type;
	b->h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&b->h), part, len);
	return NLMSG_LENGTH(len);
}

static struct xfrm_user_expire sample_expire(void)
{
	struct xfrm_user_expire e = {.hard = 1};

	e.state.family = AF_INET;
	e.state.id.proto = IPPROTO_ESP;
	e.state.id.spi = htonl(0x11223344);
	memcpy(&e.state.id.daddr, "\xc0\0\2\1", 4);
	e.state.reqid = 0x53000000 | 16383;
	return e;
}

static void test_expire(void **state)
{
	struct xfrm_user_expire e = sample_expire();
	union event_buffer b;
	struct xfrm_event ev;
	char text[ADDR_TEXT_MAX];
	size_t len = make_event(&b, XFRM_MSG_EXPIRE, &e, sizeof(e));

	(void)state;
	xfrm_read_event(&b.h, len, &ev);
	assert_int_equal(ev.type, XFRM_EVENT_EXPIRE);
	assert_int_equal(ev.slot, 16383);
	assert_int_equal(ev.spi, 0x11223344);
	assert_true(ev.hard);
	assert_string_equal(addr_text(&ev.dst, text), "192.0.2.1");
	for (size_t n = 0; n < len; n++) {
		xfrm_read_event(&b.h, n, &ev);
		assert_int_equal(ev.type, XFRM_EVENT_NONE);
	}
	b.h.nlmsg_len = (uint32_t)len - 1;
	xfrm_read_event(&b.h, len, &ev);
	assert_int_equal(ev.type, XFRM_EVENT_NONE);
}

static void test_foreign_events(void **state)
{
	static const uint32_t reqids[] = {
	    0, 1, 0x53000000, 0x53004000, 0x52000001, 0xd3000001};
	union event_buffer b;
	struct xfrm_event ev;

	(void)state;
	for (size_t i = 0; i < sizeof(reqids) / sizeof(reqids[0]); i++) {
		struct xfrm_user_expire e = sample_expire();

		e.state.reqid = reqids[i];
		xfrm_read_event(
		    &b.h, make_event(&b, XFRM_MSG_EXPIRE, &e, sizeof(e)), &ev);
		assert_int_equal(ev.type, XFRM_EVENT_NONE);
	}
	for (uint16_t type = 0; type < 64; type++) {
		struct xfrm_user_expire e = sample_expire();

		if (type == XFRM_MSG_EXPIRE || type == XFRM_MSG_NEWSA ||
		    type == XFRM_MSG_MAPPING)
			continue;
		xfrm_read_event(&b.h, make_event(&b, type, &e, sizeof(e)), &ev);
		assert_int_equal(ev.type, XFRM_EVENT_NONE);
	}
}

static void test_mapping(void **state)
{
	struct xfrm_user_mapping m = {.reqid = 0x53000005};
	union event_buffer b;
	struct xfrm_event ev;
	char text[ADDR_TEXT_MAX];
	size_t len;

	(void)state;
	m.id.family = AF_INET;
	m.id.proto = IPPROTO_ESP;
	m.id.spi = htonl(0xabcdef01);
	memcpy(&m.new_saddr, "\xcb\0\x71\7", 4);
	m.new_sport = htons(40001);
	m.old_sport = htons(40000);
	len = make_event(&b, XFRM_MSG_MAPPING, &m, sizeof(m));
	xfrm_read_event(&b.h, len, &ev);
	assert_int_equal(ev.type, XFRM_EVENT_MAPPING);
	assert_int_equal(ev.slot, 5);
	assert_int_equal(ev.spi, 0xabcdef01);
	assert_string_equal(addr_text(&ev.peer, text), "203.0.113.7:40001");
	for (size_t n = 0; n < len; n++) {
		xfrm_read_event(&b.h, n, &ev);
		assert_int_equal(ev.type, XFRM_EVENT_NONE);
	}
	m.id.proto = IPPROTO_AH;
	len = make_event(&b, XFRM_MSG_MAPPING, &m, sizeof(m));
	xfrm_read_event(&b.h, len, &ev);
	assert_int_equal(ev.type, XFRM_EVENT_NONE);
}

static void test_dumped_sa(void **state)
{
	struct xfrm_user_expire e = sample_expire();
	union event_buffer b;
	struct xfrm_event ev;
	char text[ADDR_TEXT_MAX];

	(void)state;
	xfrm_read_event(&b.h,
	    make_event(&b, XFRM_MSG_NEWSA, &e.state, sizeof(e.state)), &ev);
	assert_int_equal(ev.type, XFRM_EVENT_SA);
	assert_int_equal(ev.slot, 16383);
	assert_int_equal(ev.packets, 0);
	e.state.curlft.packets = 3;
	xfrm_read_event(&b.h,
	    make_event(&b, XFRM_MSG_NEWSA, &e.state, sizeof(e.state)), &ev);
	assert_int_equal(ev.packets, 3);
	e.state.family = AF_INET6;
	memcpy(&e.state.id.daddr, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	xfrm_read_event(&b.h,
	    make_event(&b, XFRM_MSG_NEWSA, &e.state, sizeof(e.state)), &ev);
	assert_int_equal(ev.type, XFRM_EVENT_SA);
	assert_string_equal(addr_text(&ev.dst, text), "2001:db8::1");
	e.state.family = AF_PACKET;
	xfrm_read_event(&b.h,
	    make_event(&b, XFRM_MSG_NEWSA, &e.state, sizeof(e.state)), &ev);
	assert_int_equal(ev.type, XFRM_EVENT_NONE);
}

/* The same SA between IPv6 addresses; never between two families. */
static void test_v6(void **state)
{
	struct ike_kernel_sa sa = sample(IKE_SA_OUT);
	struct nl_msg *msg;
	const struct xfrm_usersa_info *info;
	const struct xfrm_usersa_id *id;

	(void)state;
	addr_parse(&sa.src, "2001:db8::7");
	assert_null(xfrm_build_add(&sa, false));
	addr_parse(&sa.dst, "2001:db8::1");
	msg = xfrm_build_add(&sa, false);
	assert_non_null(msg);
	info = nlmsg_data(nlmsg_hdr(msg));
	assert_int_equal(info->family, AF_INET6);
	assert_int_equal(info->sel.family, AF_INET6);
	assert_memory_equal(&info->id.daddr, sa.dst.ip, 16);
	assert_memory_equal(&info->saddr, sa.src.ip, 16);
	xfrm_msg_free(msg);
	msg = xfrm_build_del(&sa);
	id = nlmsg_data(nlmsg_hdr(msg));
	assert_int_equal(id->family, AF_INET6);
	assert_memory_equal(&id->daddr, sa.dst.ip, 16);
	xfrm_msg_free(msg);
	sa.src = sa.dst = (struct addr){0};
	assert_null(xfrm_build_add(&sa, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_inbound),
	    cmocka_unit_test(test_outbound),
	    cmocka_unit_test(esp_on_port_500_has_its_marker),
	    cmocka_unit_test(
		cve_2006_4436_every_inbound_sa_has_a_replay_window),
	    cmocka_unit_test(test_update_and_delete),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_algorithms),
	    cmocka_unit_test(test_aead),
	    cmocka_unit_test(test_expire),
	    cmocka_unit_test(test_foreign_events),
	    cmocka_unit_test(test_mapping),
	    cmocka_unit_test(test_dumped_sa),
	    cmocka_unit_test(test_v6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
