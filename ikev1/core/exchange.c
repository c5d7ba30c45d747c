/* SPDX-License-Identifier: ISC */
/* What all exchanges share: opening messages, building and sealing them. */
#include "ikev1/core/ike_priv.h"

#include "common/secret.h"

#include <errno.h>
#include <string.h>

int message_open(struct ike *ike, const struct ike_sa *sa, struct message *m,
    const uint8_t *iv)
{
	struct wire_span in = m->body;
	int err;

	if (m->h.flags & ISAKMP_FLAG_ENCRYPTED) {
		if (!iv || in.len > sizeof(m->plain))
			return isakmp_refuse(
			    m->reason, -EBADMSG, "encrypted out of turn");
		memcpy(m->plain, in.data, in.len);
		memcpy(m->iv, iv, sizeof(m->iv));
		err = keymat_decrypt(
		    ike->cfg.crypto, &sa->keys, m->iv, m->plain, in.len);
		if (err < 0)
			return isakmp_refuse(m->reason, -EBADMSG,
			    "%zu encrypted bytes are no whole blocks", in.len);
		in = (struct wire_span){m->plain, in.len};
	}
	return isakmp_payloads_decode(m->h.next_payload, in, &m->p, m->reason);
}

int exchange_iv(
    struct ike *ike, const struct ike_sa *sa, uint32_t msgid, uint8_t *iv)
{
	return keymat_iv_phase2(ike->cfg.crypto, &sa->keys, sa->iv, msgid, iv);
}

uint32_t exchange_new_id(struct ike *ike, struct ike_sa *sa)
{
	uint32_t id;

	for (int tries = 0; tries < IKE_RANDOM_TRIES; tries++) {
		if (!ike_random(ike, &id, sizeof(id)))
			return 0;
		if (id && !sa_seen_id(sa, id) && !quick_find(sa, id)) {
			sa_remember_id(sa, id);
			return id;
		}
	}
	return 0;
}

bool exchange_hash_ok(
    const struct isakmp_payload *hash, const uint8_t *right, int len)
{
	return hash && len > 0 && hash->body.len == (size_t)len &&
	       secret_equal(hash->body.data, right, (size_t)len);
}

/* Whether what leaves in this state is encrypted. */
static bool has_keys(enum sa_state state)
{
	return state == SA_UP || state == SA_SENT4 || state == SA_DERIVING ||
	       state == SA_SENT5;
}

void reply_begin(
    struct reply *r, const struct ike_sa *sa, uint8_t exchange, uint32_t msgid)
{
	struct isakmp_header h = {
	    .version = ISAKMP_VERSION,
	    .exchange = exchange,
	    .message_id = msgid,
	};

	memcpy(h.cky_i, sa->cky_i, COOKIE_LEN);
	memcpy(h.cky_r, sa->cky_r, COOKIE_LEN);
	if (has_keys(sa->state))
		h.flags = ISAKMP_FLAG_ENCRYPTED;
	isakmp_build_begin(&r->b, r->buf, sizeof(r->buf), &h);
}

int reply_finish(
    struct ike *ike, struct reply *r, const struct ike_sa *sa, uint8_t *iv)
{
	int len = isakmp_build_finish(&r->b, iv ? sa->keys.block_len : 0);
	int err;

	if (len < 0 || !iv)
		return len;
	err = keymat_encrypt(ike->cfg.crypto, &sa->keys, iv,
	    r->buf + ISAKMP_HEADER_LEN, (size_t)len - ISAKMP_HEADER_LEN);
	return err < 0 ? err : len;
}

/* What an IP packet has besides the message. */
static size_t packet_overhead(const struct addr *local)
{
	size_t ip = local->family == ADDR_IPV6 ? 40 : 20;
	size_t marker = local->port == ISAKMP_PORT_NATT ? 4 : 0;

	return ip + 8 + marker;
}

/* How long a message may be before it goes in fragments: bytes behind UDP's
 * header and the marker.  0: as long as it likes. */
static size_t longest(
    const struct ike *ike, const struct ike_sa *sa, const struct addr *local)
{
	size_t size = ike->cfg.fragment_bytes, over = packet_overhead(local);

	if (!sa->frags)
		return 0;
	if (sa->persona && sa->persona != &persona_default)
		return sa->persona->fragment_over;
	return size > over ? size - over : 0;
}

void sa_send_to(struct ike *ike, struct ike_sa *sa, const struct addr *local,
    const struct addr *peer, const void *data, size_t len)
{
	size_t size = longest(ike, sa, local);
	struct wire_span message = {data, len};
	uint8_t part[IKE_DATAGRAM_MAX];
	int n;

	sa_touch(ike, sa);
	natt_alive_sent(ike, sa);
	size = size > sizeof(part) ? sizeof(part) : size;
	/* What does not go in few enough parts is for IP to fragment. */
	if (!size || len <= size || frag_part(message, 1, part, size) < 0) {
		act_send(ike, local, peer, data, len);
		return;
	}
	for (unsigned int i = 1; (n = frag_part(message, i, part, size)) > 0;
	     i++)
		act_send(ike, local, peer, part, (size_t)n);
}

void sa_send(struct ike *ike, struct ike_sa *sa, const void *data, size_t len)
{
	sa_send_to(ike, sa, &sa->local, &sa->peer, data, len);
}
