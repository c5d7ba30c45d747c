/* SPDX-License-Identifier: ISC */
/* The client for tests as Quick Mode's responder: the server renews. */
#include "test/lib/ike_client_priv.h"

#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"

#include <stdlib.h>
#include <string.h>

static struct wire_span body_of(const struct client_message *m, uint8_t type)
{
	const struct isakmp_payload *p = isakmp_payload_find(&m->p, type);

	return p ? p->body : (struct wire_span){NULL, 0};
}

static struct client_quick *new_quick(
    struct ike_client *c, struct client_sa *sa, const struct client_message *m)
{
	struct client_quick *q = c->quick;

	while (q < c->quick + CLIENT_QUICKS && q->is_used)
		q++;
	if (q == c->quick + CLIENT_QUICKS)
		abort();
	*q = (struct client_quick){.is_used = true, .is_server = true};
	q->sa = sa;
	q->msgid = m->h.message_id;
	ikec_disarm(&q->timer);
	return q;
}

static bool hash1_right(struct ike_client *c, const struct client_quick *q,
    const struct client_message *m)
{
	uint8_t right[IKE_KEY_MAX];
	int len = keymat_hash1(c->crypto, &q->sa->keys, q->msgid,
	    isakmp_payloads_rest(&m->p, &m->p.item[0]), right);

	return m->p.item[0].type == ISAKMP_PAYLOAD_HASH &&
	       wire_span_equal(
		   m->p.item[0].body, (struct wire_span){right, (size_t)len});
}

static void put_lifetime(struct ike_client *c, const struct client_quick *q,
    struct isakmp_builder *b)
{
	uint8_t data[12], spi[4];
	struct payload_notify n = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ESP,
	    .type = ISAKMP_N_RESPONDER_LIFETIME,
	    .spi = {spi, 4},
	    .data = {data, 12}};
	struct wire_writer w;

	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, q->spi);
	wire_writer_init(&w, data, sizeof(data));
	wire_put_u16(&w, 0x8000 | IPSEC_ATTR_LIFE_TYPE);
	wire_put_u16(&w, IKE_LIFE_SECONDS);
	wire_put_u16(&w, IPSEC_ATTR_LIFE_DURATION);
	wire_put_u16(&w, 4);
	wire_put_u32(&w, c->answer_life_s);
	isakmp_build_open(b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&b->w, &n);
	isakmp_build_close(b);
}

/* The chosen transform; with a defect when the test wants one. */
static void put_sa(const struct ike_client *c, const struct client_quick *q,
    const struct sa_offer *offer, struct isakmp_builder *b)
{
	struct wire_span raw = offer->transform[0].raw;
	uint8_t spi[4];
	struct wire_writer w;

	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, c->answer_bad == CLIENT_BAD_SPI ? 255 : q->spi);
	isakmp_build_open(b, ISAKMP_PAYLOAD_SA);
	sa_encode_reply(&b->w, offer, &offer->protocol[0], &offer->transform[0],
	    (struct wire_span){spi, sizeof(spi)});
	/* The value of the transform's first attribute: the mode. */
	if (c->answer_bad == CLIENT_BAD_TRANSFORM)
		b->w.data[b->w.pos - raw.len + 11] ^= 1;
	/* The proposal ends with its protocol, sizes, and the SPI. */
	if (c->answer_bad == CLIENT_BAD_PROTOCOL)
		b->w.data[b->w.pos - raw.len - sizeof(spi) - 3] =
		    ISAKMP_PROTO_AH;
	isakmp_build_close(b);
}

static void put_ids(struct ike_client *c, const struct client_message *m,
    struct isakmp_builder *b)
{
	uint8_t changed[64];

	for (size_t i = 0; i < 2; i++) {
		const struct isakmp_payload *id =
		    isakmp_payload_find_nth(&m->p, ISAKMP_PAYLOAD_ID, i);

		if (!id)
			return;
		memcpy(changed, id->body.data, id->body.len);
		changed[3] ^= c->answer_bad == CLIENT_BAD_ID && i == 1;
		isakmp_build_payload(b, ISAKMP_PAYLOAD_ID,
		    (struct wire_span){changed, id->body.len});
	}
}

static void send2(struct ike_client *c, struct client_quick *q,
    const struct client_message *m, const struct sa_offer *offer)
{
	uint8_t buf[CLIENT_PACKET_MAX], hash[IKE_KEY_MAX];
	size_t prf_len = q->sa->keys.prf_len, hash_at;
	struct isakmp_builder b;
	int len;

	ikec_begin(&b, buf, q->sa, ISAKMP_EXCHANGE_QUICK, q->msgid);
	hash_at = isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, prf_len);
	put_sa(c, q, offer, &b);
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NONCE,
	    (struct wire_span){
		c->answer_bad == CLIENT_BAD_NONCE ? q->ni : q->nr,
		c->answer_bad == CLIENT_BAD_NONCE_LENGTH ? 7 : q->nr_len});
	if (c->answer_bad == CLIENT_BAD_KE_MIRROR)
		isakmp_build_payload(
		    &b, ISAKMP_PAYLOAD_KE, body_of(m, ISAKMP_PAYLOAD_KE));
	else if (q->dh.pub_len && c->answer_bad != CLIENT_BAD_KE)
		isakmp_build_payload(&b, ISAKMP_PAYLOAD_KE,
		    (struct wire_span){q->dh.pub, q->dh.pub_len});
	put_ids(c, m, &b);
	if (c->answer_life_s)
		put_lifetime(c, q, &b);
	len = keymat_hash2(c->crypto, &q->sa->keys, q->msgid,
	    (struct wire_span){q->ni, sizeof(q->ni)},
	    isakmp_build_since(&b, hash_at + prf_len), hash);
	hash[0] ^= c->answer_bad == CLIENT_BAD_HASH;
	wire_set_bytes(&b.w, hash_at, hash, (size_t)len);
	q->last2_len = ikec_seal(c, &b, buf, q->sa, q->iv);
	memcpy(q->last2, buf, q->last2_len);
	ikec_arm(c, &q->timer, q->last2, q->last2_len);
}

static void make_pair(
    struct ike_client *c, struct client_quick *q, const struct sa_offer *offer)
{
	struct client_pair *p = c->pair;
	struct wire_reader r;

	while (p < c->pair + CLIENT_PAIRS && p->is_used)
		p++;
	if (p == c->pair + CLIENT_PAIRS)
		abort();
	wire_reader_init(&r, offer->protocol[0].spi, 4);
	*p = (struct client_pair){.is_used = true, .spi_in = q->spi};
	p->spi_out = wire_get_u32(&r);
	p->encap = offer->transform[0].encap;
	if (ikec_derive(c, q, p, &offer->transform[0]) < 0)
		abort();
}

static void answer(
    struct ike_client *c, struct client_quick *q, struct client_message *m)
{
	struct wire_span ke = body_of(m, ISAKMP_PAYLOAD_KE);
	struct wire_span ni = body_of(m, ISAKMP_PAYLOAD_NONCE);
	struct sa_offer offer;

	if (sa_decode(SA_PHASE2, body_of(m, ISAKMP_PAYLOAD_SA), &offer, NULL) ||
	    ni.len != sizeof(q->ni) ||
	    (ke.len && dh_exchange(NULL, offer.transform[0].group, ke, &q->dh)))
		abort();
	memcpy(q->ni, ni.data, ni.len);
	ikec_random(c, q->nr, q->nr_len = 32);
	ikec_random(c, &q->spi, sizeof(q->spi));
	q->spi |= 0x1000;
	q->offered = offer.transform_count;
	q->got_oa = isakmp_payload_count(&m->p, ISAKMP_PAYLOAD_NAT_OA) == 2;
	memcpy(q->iv, m->iv, sizeof(q->iv));
	make_pair(c, q, &offer);
	send2(c, q, m, &offer);
}

/* Message 3: now it sends with the new pair. */
static void got3(
    struct ike_client *c, struct client_quick *q, struct client_message *m)
{
	uint8_t right[IKE_KEY_MAX];
	int len = keymat_hash3(c->crypto, &q->sa->keys, q->msgid,
	    (struct wire_span){q->ni, sizeof(q->ni)},
	    (struct wire_span){q->nr, q->nr_len}, right);

	if (ikec_open(c, q->sa, m, q->iv) || !m->p.count ||
	    !wire_span_equal(
		m->p.item[0].body, (struct wire_span){right, (size_t)len})) {
		c->hash_failures++;
		return;
	}
	q->is_done = true;
	c->pair_count++;
	c->renewals++;
	ikec_disarm(&q->timer);
}

void ikec_answer_quick(struct ike_client *c, struct client_sa *sa,
    struct client_quick *q, struct client_message *m)
{
	uint8_t iv[CRYPTO_BLOCK_MAX];
	bool repeated = q && m->raw.len == q->last1_len &&
			!memcmp(m->raw.data, q->last1, q->last1_len);

	c->offers += !q;
	if (!c->answers || repeated) {
		if (repeated && !q->is_done)
			c->send(c, sa->floated, q->last2, q->last2_len);
		return;
	}
	if (q) {
		if (!q->is_done)
			got3(c, q, m);
		return;
	}
	q = new_quick(c, sa, m);
	memcpy(q->last1, m->raw.data, q->last1_len = m->raw.len);
	if (keymat_iv_phase2(c->crypto, &sa->keys, sa->iv, q->msgid, iv) < 0 ||
	    ikec_open(c, sa, m, iv) || !m->p.count || !hash1_right(c, q, m)) {
		c->hash_failures++;
		q->is_used = false;
		return;
	}
	answer(c, q, m);
}
