/* SPDX-License-Identifier: ISC */
/* Builds and reads XFRM messages; no socket here. */
#include "ikev1/xfrm_build.h"

#include "common/secret.h"
#include "ikev1/core/isakmp.h"

#include <netinet/in.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

#define MAPPING_S 1

struct cipher_row {
	uint16_t number;
	uint16_t key_len;  /* bytes; 0: as AES */
	uint16_t salt_len; /* bytes behind the key */
	uint16_t icv_bits; /* 0: no AEAD */
	const char *kernel;
};

static const struct cipher_row ciphers[] = {
    {ESP_AES, 0, 0, 0, "cbc(aes)"},
    {ESP_AES_GCM_16, 0, 4, 128, "rfc4106(gcm(aes))"},
    {ESP_3DES, 24, 0, 0, "cbc(des3_ede)"},
    {ESP_DES, 8, 0, 0, "cbc(des)"},
};

struct auth_row {
	uint16_t number;
	uint16_t key_len, trunc_bits;
	const char *kernel;
};

/* RFC 2403, 2404; RFC 4868 section 2.6: the kernel's own default for SHA-256
 * is 96 bits, a draft's value, so the length is always said. */
static const struct auth_row auths[] = {
    {ESP_AUTH_MD5, 16, 96, "hmac(md5)"},
    {ESP_AUTH_SHA1, 20, 96, "hmac(sha1)"},
    {ESP_AUTH_SHA256, 32, 128, "hmac(sha256)"},
    {ESP_AUTH_SHA256, 32, 96, "hmac(sha256)"}, /* the draft's */
    {ESP_AUTH_SHA384, 48, 192, "hmac(sha384)"},
    {ESP_AUTH_SHA512, 64, 256, "hmac(sha512)"},
};

static const struct cipher_row *find_cipher(const struct ike_kernel_sa *sa)
{
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		const struct cipher_row *c = &ciphers[i];
		unsigned int len = sa->enc_len - (unsigned int)c->salt_len;

		if (c->number == sa->cipher &&
		    (c->key_len ? len == c->key_len
				: len == 16 || len == 24 || len == 32))
			return c;
	}
	return NULL;
}

static const struct auth_row *find_auth(const struct ike_kernel_sa *sa)
{
	for (size_t i = 0; i < sizeof(auths) / sizeof(auths[0]); i++)
		if (auths[i].number == sa->auth &&
		    auths[i].key_len == sa->auth_len &&
		    auths[i].trunc_bits == sa->trunc_bits)
			return &auths[i];
	return NULL;
}

static uint16_t family_of(const struct addr *a)
{
	return a->family == ADDR_IPV6 ? AF_INET6 : AF_INET;
}

static xfrm_address_t xfrm_addr(const struct addr *a)
{
	xfrm_address_t x = {0};

	memcpy(&x, a->ip, addr_ip_len(a));
	return x;
}

static uint64_t byte_limit(uint64_t bytes)
{
	return bytes ? bytes : XFRM_INF;
}

static struct xfrm_usersa_info sa_info(const struct ike_kernel_sa *sa)
{
	struct xfrm_usersa_info info = {0};

	info.family = family_of(&sa->dst);
	info.sel.family = info.family;
	info.saddr = xfrm_addr(&sa->src);
	info.id.daddr = xfrm_addr(&sa->dst);
	info.id.spi = htonl(sa->spi);
	info.id.proto = IPPROTO_ESP;
	info.mode = XFRM_MODE_TRANSPORT;
	info.reqid = PEER_MARK_BASE | sa->slot;
	info.lft.soft_byte_limit = byte_limit(sa->soft_bytes);
	info.lft.hard_byte_limit = byte_limit(sa->hard_bytes);
	info.lft.soft_packet_limit = XFRM_INF;
	info.lft.hard_packet_limit = XFRM_INF;
	info.lft.soft_add_expires_seconds = sa->soft_s;
	info.lft.hard_add_expires_seconds = sa->hard_s;
	return info;
}

/* A named algorithm and its key; the layout ends in the key's bytes. */
static int put_crypt(struct nl_msg *msg, const struct cipher_row *c,
    const struct ike_kernel_sa *sa)
{
	uint8_t buf[sizeof(struct xfrm_algo) + IKE_KEY_MAX];
	struct xfrm_algo algo = {.alg_key_len = sa->enc_len * 8u};
	size_t len = sizeof(algo) + sa->enc_len;
	int err;

	snprintf(algo.alg_name, sizeof(algo.alg_name), "%s", c->kernel);
	memcpy(buf, &algo, sizeof(algo));
	memcpy(buf + sizeof(algo), sa->enc_key, sa->enc_len);
	err = nla_put(msg, XFRMA_ALG_CRYPT, (int)len, buf);
	secret_wipe(buf, sizeof(buf));
	return err;
}

static int put_aead(struct nl_msg *msg, const struct cipher_row *c,
    const struct ike_kernel_sa *sa)
{
	uint8_t buf[sizeof(struct xfrm_algo_aead) + IKE_KEY_MAX];
	struct xfrm_algo_aead algo = {
	    .alg_key_len = sa->enc_len * 8u, .alg_icv_len = c->icv_bits};
	size_t len = sizeof(algo) + sa->enc_len;
	int err;

	snprintf(algo.alg_name, sizeof(algo.alg_name), "%s", c->kernel);
	memcpy(buf, &algo, sizeof(algo));
	memcpy(buf + sizeof(algo), sa->enc_key, sa->enc_len);
	err = nla_put(msg, XFRMA_ALG_AEAD, (int)len, buf);
	secret_wipe(buf, sizeof(buf));
	return err;
}

static int put_auth(struct nl_msg *msg, const struct auth_row *a,
    const struct ike_kernel_sa *sa)
{
	uint8_t buf[sizeof(struct xfrm_algo_auth) + IKE_KEY_MAX];
	struct xfrm_algo_auth algo = {
	    .alg_key_len = sa->auth_len * 8u, .alg_trunc_len = a->trunc_bits};
	size_t len = sizeof(algo) + sa->auth_len;
	int err;

	snprintf(algo.alg_name, sizeof(algo.alg_name), "%s", a->kernel);
	memcpy(buf, &algo, sizeof(algo));
	memcpy(buf + sizeof(algo), sa->auth_key, sa->auth_len);
	err = nla_put(msg, XFRMA_ALG_AUTH_TRUNC, (int)len, buf);
	secret_wipe(buf, sizeof(buf));
	return err;
}

static int put_algorithms(struct nl_msg *msg, const struct ike_kernel_sa *sa)
{
	const struct cipher_row *c = find_cipher(sa);
	int err;

	if (c->icv_bits)
		return put_aead(msg, c, sa);
	err = put_crypt(msg, c, sa);
	return err ? err : put_auth(msg, find_auth(sa), sa);
}

/* The window as a bit map without extended sequence numbers. */
static int put_replay(struct nl_msg *msg)
{
	const uint32_t words = XFRM_REPLAY_WINDOW / 32;
	uint8_t buf[sizeof(struct xfrm_replay_state_esn) +
		    XFRM_REPLAY_WINDOW / 8] = {0};
	struct xfrm_replay_state_esn esn = {
	    .bmp_len = words, .replay_window = XFRM_REPLAY_WINDOW};

	memcpy(buf, &esn, sizeof(esn));
	return nla_put(msg, XFRMA_REPLAY_ESN_VAL, (int)sizeof(buf), buf);
}

/* IKE has no marker on port 500, so ESP has one there: drafts 00 and 01. */
static uint16_t encap_type(const struct ike_kernel_sa *sa)
{
	const struct addr *ours = sa->dir == IKE_SA_IN ? &sa->dst : &sa->src;

	return ours->port == ISAKMP_PORT ? UDP_ENCAP_ESPINUDP_NON_IKE
					 : UDP_ENCAP_ESPINUDP;
}

static int put_encap(struct nl_msg *msg, const struct ike_kernel_sa *sa)
{
	const struct xfrm_encap_tmpl t = {.encap_type = encap_type(sa),
	    .encap_sport = htons(sa->src.port),
	    .encap_dport = htons(sa->dst.port)};

	if (nla_put(msg, XFRMA_ENCAP, sizeof(t), &t))
		return -1;
	/* One MAPPING a second and port, not one a packet (from 5.17 on;
	 * older kernels pass over it). */
	return sa->dir == IKE_SA_IN
		   ? nla_put_u32(msg, XFRMA_MTIMER_THRESH, MAPPING_S)
		   : 0;
}

static int put_mark(struct nl_msg *msg, uint32_t slot)
{
	if (nla_put_u32(msg, XFRMA_SET_MARK, PEER_MARK_BASE | slot))
		return -1;
	return nla_put_u32(msg, XFRMA_SET_MARK_MASK, UINT32_MAX);
}

/* An AEAD cipher alone, or another with an auth algorithm. */
static bool has_algorithms(const struct ike_kernel_sa *sa)
{
	const struct cipher_row *c = find_cipher(sa);

	if (c && c->icv_bits)
		return !sa->auth && !sa->auth_len;
	return c && find_auth(sa);
}

static bool is_valid(const struct ike_kernel_sa *sa)
{
	return addr_ip_len(&sa->src) && sa->src.family == sa->dst.family &&
	       sa->slot >= 1 && sa->slot <= PEER_SLOT_MAX && has_algorithms(sa);
}

struct nl_msg *xfrm_build_add(const struct ike_kernel_sa *sa, bool is_update)
{
	struct xfrm_usersa_info info;
	struct nl_msg *msg;
	int err;

	if (!is_valid(sa))
		return NULL;
	msg = nlmsg_alloc_simple(is_update ? XFRM_MSG_UPDSA : XFRM_MSG_NEWSA,
	    NLM_F_REQUEST | NLM_F_ACK);
	if (!msg)
		return NULL;
	info = sa_info(sa);
	err = nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO);
	if (!err)
		err = put_algorithms(msg, sa);
	if (!err && sa->encap)
		err = put_encap(msg, sa);
	if (!err && sa->dir == IKE_SA_IN)
		err = put_replay(msg);
	if (!err && sa->dir == IKE_SA_IN)
		err = put_mark(msg, sa->slot);
	if (!err)
		return msg;
	xfrm_msg_free(msg);
	return NULL;
}

/* A message that names an SA and says no more. */
static struct nl_msg *build_ref(
    int type, int flags, const struct ike_kernel_sa *sa)
{
	struct xfrm_usersa_id id = {0};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (!msg)
		return NULL;
	id.daddr = xfrm_addr(&sa->dst);
	id.spi = htonl(sa->spi);
	id.family = family_of(&sa->dst);
	id.proto = IPPROTO_ESP;
	if (!nlmsg_append(msg, &id, sizeof(id), NLMSG_ALIGNTO))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

struct nl_msg *xfrm_build_del(const struct ike_kernel_sa *sa)
{
	return build_ref(XFRM_MSG_DELSA, NLM_F_REQUEST | NLM_F_ACK, sa);
}

struct nl_msg *xfrm_build_get(const struct ike_kernel_sa *sa)
{
	return build_ref(XFRM_MSG_GETSA, NLM_F_REQUEST, sa);
}

struct nl_msg *xfrm_build_dump(void)
{
	return nlmsg_alloc_simple(XFRM_MSG_GETSA, NLM_F_REQUEST | NLM_F_DUMP);
}

void xfrm_msg_free(struct nl_msg *msg)
{
	struct nlmsghdr *h;

	if (!msg)
		return;
	h = nlmsg_hdr(msg);
	secret_wipe(h, h->nlmsg_len);
	nlmsg_free(msg);
}

static void addr_of_xfrm(
    struct addr *a, uint16_t family, const xfrm_address_t *x, uint16_t port)
{
	*a = (struct addr){.family = family == AF_INET6 ? ADDR_IPV6 : ADDR_IPV4,
	    .port = ntohs(port)};
	memcpy(a->ip, x, addr_ip_len(a));
}

/* An SA of ESP over one of the two. */
static bool is_ours(uint16_t family, uint8_t protocol)
{
	return (family == AF_INET || family == AF_INET6) &&
	       protocol == IPPROTO_ESP;
}

/* The slot that a reqid of ours names; 0 for a foreign one. */
static uint32_t slot_of_reqid(uint32_t reqid)
{
	uint32_t slot = reqid ^ PEER_MARK_BASE;

	return slot <= PEER_SLOT_MAX ? slot : 0;
}

static void read_sa(const struct xfrm_usersa_info *sa, struct xfrm_event *out)
{
	if (!is_ours(sa->family, sa->id.proto))
		return;
	out->slot = slot_of_reqid(sa->reqid);
	out->spi = ntohl(sa->id.spi);
	out->packets = sa->curlft.packets;
	out->bytes = sa->curlft.bytes;
	addr_of_xfrm(&out->dst, sa->family, &sa->id.daddr, 0);
}

static void read_mapping(
    const struct xfrm_user_mapping *m, struct xfrm_event *out)
{
	if (!is_ours(m->id.family, m->id.proto))
		return;
	out->slot = slot_of_reqid(m->reqid);
	out->spi = ntohl(m->id.spi);
	addr_of_xfrm(&out->dst, m->id.family, &m->id.daddr, 0);
	addr_of_xfrm(&out->peer, m->id.family, &m->new_saddr, m->new_sport);
}

/* The fixed part of a message, copied: attributes follow, maybe. */
#define FIXED_PART(h, object)                                                  \
	((h)->nlmsg_len >= NLMSG_LENGTH(sizeof(object)) &&                     \
	    memcpy(&(object), NLMSG_DATA(h), sizeof(object)))

void xfrm_read_event(
    const struct nlmsghdr *h, size_t len, struct xfrm_event *out)
{
	struct xfrm_usersa_info sa;
	struct xfrm_user_expire expire;
	struct xfrm_user_mapping mapping;

	*out = (struct xfrm_event){.type = XFRM_EVENT_NONE};
	if (len < sizeof(*h) || h->nlmsg_len > len)
		return;
	if (h->nlmsg_type == XFRM_MSG_NEWSA && FIXED_PART(h, sa)) {
		read_sa(&sa, out);
		out->type = XFRM_EVENT_SA;
	} else if (h->nlmsg_type == XFRM_MSG_EXPIRE && FIXED_PART(h, expire)) {
		read_sa(&expire.state, out);
		out->hard = expire.hard != 0;
		out->type = XFRM_EVENT_EXPIRE;
	} else if (h->nlmsg_type == XFRM_MSG_MAPPING &&
		   FIXED_PART(h, mapping)) {
		read_mapping(&mapping, out);
		out->type = XFRM_EVENT_MAPPING;
	}
	if (!out->slot)
		out->type = XFRM_EVENT_NONE;
}
