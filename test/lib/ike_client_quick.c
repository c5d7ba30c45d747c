/* SPDX-License-Identifier: ISC */
/* The initiator for tests: Quick Mode and Informational exchanges. */
#include "test/lib/ike_client_priv.h"

#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"

#include <stdlib.h>
#include <string.h>

static uint16_t encap_of(const struct ike_client *c, const struct client_sa *sa)
{
	if (c->encap)
		return c->encap;
	if (!sa->behind_nat)
		return IPSEC_ENCAP_TRANSPORT;
	return c->has_draft ? IPSEC_ENCAP_UDP_TRANSPORT_DRAFT
			    : IPSEC_ENCAP_UDP_TRANSPORT;
}

static void put_ids(
    struct ike_client *c, struct client_quick *q, struct isakmp_builder *b)
{
	struct payload_id id[2] = {
	    payload_id_of_addr(&c->inner, c->id_protocol, c->client_port),
	    payload_id_of_addr(&c->server, c->id_protocol, c->server_port),
	};
	static const uint8_t letters[300] = "an identity";
	struct wire_writer w;
	size_t start = 0;

	for (size_t i = 0; i < 2; i++) {
		if (i ? !c->odd_cr : !c->odd_ci)
			continue;
		id[i].type = c->id_type;
		id[i].data = (struct wire_span){
		    c->id_data ? (const uint8_t *)c->id_data : letters,
		    c->id_len};
	}
	wire_writer_init(&w, q->ids, sizeof(q->ids));
	for (size_t i = 0; i < 2 && !c->no_ids; i++) {
		start = w.pos;
		payload_id_encode(&w, &id[i]);
		q->id_len[i] = w.pos - start;
		isakmp_build_payload(b, ISAKMP_PAYLOAD_ID,
		    (struct wire_span){q->ids + start, q->id_len[i]});
	}
}

static void put_sa(
    struct ike_client *c, struct client_quick *q, struct isakmp_builder *b)
{
	uint8_t spi[4];
	struct wire_writer w;
	struct sa_offer_spec spec = {
	    .phase = SA_PHASE2,
	    .suites = c->esp,
	    .suite_count = c->esp_count,
	    .spi = {spi, sizeof(spi)},
	    .life_seconds = c->esp_life_s,
	    .life_kilobytes = c->esp_life_kb,
	    .encap = encap_of(c, q->sa),
	};

	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, q->spi);
	isakmp_build_open(b, ISAKMP_PAYLOAD_SA);
	sa_encode_offer(&b->w, &spec);
	isakmp_build_close(b);
}

static void put_oa(struct ike_client *c, struct isakmp_builder *b)
{
	const struct addr *both[] = {&c->inner, &c->server};

	for (size_t i = 0; c->send_oa && i < 2; i++) {
		isakmp_build_open(b, ISAKMP_PAYLOAD_NAT_OA);
		payload_nat_oa_encode(&b->w, both[i]);
		isakmp_build_close(b);
	}
}

struct client_quick *ikec_start_quick(struct ike_client *c)
{
	struct client_quick *q = c->quick;
	uint8_t buf[CLIENT_PACKET_MAX], hash[IKE_KEY_MAX];
	struct isakmp_builder b;
	size_t hash_at;
	int len;

	while (q->is_used)
		q++;
	q->is_used = true;
	q->sa = c->cur;
	q->msgid = c->next_msgid++;
	ikec_random(c, q->ni, sizeof(q->ni));
	ikec_random(c, &q->spi, sizeof(q->spi));
	q->spi |= 0x1000;
	if (keymat_iv_phase2(
		c->crypto, &q->sa->keys, q->sa->iv, q->msgid, q->iv) < 0)
		abort();
	ikec_begin(&b, buf, q->sa, ISAKMP_EXCHANGE_QUICK, q->msgid);
	if (c->commit)
		buf[19] |= ISAKMP_FLAG_COMMIT;
	hash_at =
	    isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, q->sa->keys.prf_len);
	put_sa(c, q, &b);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_NONCE, (struct wire_span){q->ni, sizeof(q->ni)});
	if (c->esp[0].group) {
		if (dh_keygen(NULL, c->esp[0].group, &q->own))
			abort();
		q->dh = q->own;
		isakmp_build_payload(&b, ISAKMP_PAYLOAD_KE,
		    (struct wire_span){q->dh.pub, q->dh.pub_len});
	}
	put_ids(c, q, &b);
	put_oa(c, &b);
	len = keymat_hash1(c->crypto, &q->sa->keys, q->msgid,
	    isakmp_build_since(&b, hash_at + q->sa->keys.prf_len), hash);
	wire_set_bytes(&b.w, hash_at, hash, (size_t)len);
	ikec_arm(c, &q->timer, buf, ikec_seal(c, &b, buf, q->sa, q->iv));
	return q;
}

int ikec_derive(struct ike_client *c, const struct client_quick *q,
    struct client_pair *p, const struct sa_transform *t)
{
	struct keymat_esp in = {
	    .suite = {t->cipher, t->key_bits, t->auth, t->group},
	    .gxy = {q->dh.shared, q->dh.shared_len},
	    .ni_b = {q->ni, sizeof(q->ni)},
	    .nr_b = {q->nr, q->nr_len},
	};

	p->suite = in.suite;
	p->encap = t->encap;
	in.spi = p->spi_in;
	if (keymat_esp_derive(c->crypto, &q->sa->keys, &in, &p->in) < 0)
		return -1;
	in.spi = p->spi_out;
	if (keymat_esp_derive(c->crypto, &q->sa->keys, &in, &p->out) < 0)
		return -1;
	if (c->sha2_96 && t->auth == ESP_AUTH_SHA256)
		p->in.trunc_bits = p->out.trunc_bits = 96;
	return 0;
}

static void send3(struct ike_client *c, struct client_quick *q)
{
	uint8_t buf[CLIENT_PACKET_MAX], hash[IKE_KEY_MAX];
	struct isakmp_builder b;
	int len = keymat_hash3(c->crypto, &q->sa->keys, q->msgid,
	    (struct wire_span){q->ni, sizeof(q->ni)},
	    (struct wire_span){q->nr, q->nr_len}, hash);

	ikec_begin(&b, buf, q->sa, ISAKMP_EXCHANGE_QUICK, q->msgid);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_HASH, (struct wire_span){hash, (size_t)len});
	q->last3_len = ikec_seal(c, &b, buf, q->sa, q->iv);
	memcpy(q->last3, buf, q->last3_len);
}

static bool hash2_right(struct ike_client *c, const struct client_quick *q,
    const struct client_message *m)
{
	uint8_t right[IKE_KEY_MAX];
	const struct isakmp_payload *h = &m->p.item[0];
	int len;

	if (!m->p.count || h->type != ISAKMP_PAYLOAD_HASH)
		return false;
	len = keymat_hash2(c->crypto, &q->sa->keys, q->msgid,
	    (struct wire_span){q->ni, sizeof(q->ni)},
	    isakmp_payloads_rest(&m->p, h), right);
	return wire_span_equal(h->body, (struct wire_span){right, (size_t)len});
}

static bool ids_same(
    const struct client_quick *q, const struct isakmp_payloads *p)
{
	size_t start = 0;

	for (size_t i = 0; i < 2; i++) {
		const struct isakmp_payload *id =
		    isakmp_payload_find_nth(p, ISAKMP_PAYLOAD_ID, i);

		if (!id != !q->id_len[i])
			return false;
		if (id && !wire_span_equal(id->body,
			      (struct wire_span){q->ids + start, q->id_len[i]}))
			return false;
		start += q->id_len[i];
	}
	return true;
}

static void note_lifetime(
    struct client_quick *q, const struct isakmp_payloads *p)
{
	const struct isakmp_payload *body =
	    isakmp_payload_find(p, ISAKMP_PAYLOAD_NOTIFY);
	struct payload_notify n;

	if (!body || payload_notify_decode(body->body, &n, NULL) ||
	    n.type != ISAKMP_N_RESPONDER_LIFETIME ||
	    n.protocol != ISAKMP_PROTO_ESP || n.spi.len != 4 ||
	    n.data.len > sizeof(q->told_life))
		return;
	memcpy(q->told_life, n.data.data, q->told_life_len = n.data.len);
}

static bool got2(
    struct ike_client *c, struct client_quick *q, struct client_message *m)
{
	const struct isakmp_payload *sa, *nr, *ke;
	struct client_pair *p = c->pair;
	struct sa_offer offer;
	struct wire_reader r;

	if (ikec_open(c, q->sa, m, q->iv) || !hash2_right(c, q, m)) {
		c->hash_failures++;
		return false;
	}
	sa = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_SA);
	nr = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NONCE);
	ke = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_KE);
	if (!sa || !nr || !ids_same(q, &m->p) ||
	    sa_decode(SA_PHASE2, sa->body, &offer, NULL) ||
	    offer.transform_count != 1 || offer.protocol[0].spi_len != 4)
		return false;
	memcpy(q->nr, nr->body.data, q->nr_len = nr->body.len);
	if (ke && dh_finish(NULL, c->esp[0].group,
		      wire_span_of(q->own.shared, q->own.shared_len), ke->body,
		      &q->dh))
		return false;
	q->got_oa = isakmp_payload_count(&m->p, ISAKMP_PAYLOAD_NAT_OA) == 2;
	note_lifetime(q, &m->p);
	while (p->is_used)
		p++;
	wire_reader_init(&r, offer.protocol[0].spi, 4);
	p->is_used = true;
	p->spi_in = q->spi;
	p->spi_out = wire_get_u32(&r);
	if (ikec_derive(c, q, p, &offer.transform[0]) < 0)
		abort();
	c->pair_count++;
	memcpy(q->iv, m->iv, sizeof(q->iv));
	q->is_done = true;
	ikec_disarm(&q->timer);
	memcpy(q->last2, m->raw.data, q->last2_len = m->raw.len);
	send3(c, q);
	return true;
}

void ikec_quick_input(
    struct ike_client *c, struct client_sa *sa, struct client_message *m)
{
	struct client_quick *q = NULL;

	for (size_t i = 0; i < CLIENT_QUICKS; i++) {
		if (c->quick[i].is_used && c->quick[i].sa == sa &&
		    c->quick[i].msgid == m->h.message_id)
			q = &c->quick[i];
	}
	if (!q || q->is_server) {
		ikec_answer_quick(c, sa, q, m);
		return;
	}
	if (!q->is_done) {
		got2(c, q, m);
		return;
	}
	/* The server did not get message 3. */
	if (m->raw.len == q->last2_len &&
	    !memcmp(m->raw.data, q->last2, q->last2_len))
		c->send(c, sa->floated, q->last3, q->last3_len);
}

/* --- Informational ------------------------------------------------------- */

void ikec_info(struct ike_client *c, uint32_t msgid,
    const struct client_info *items, size_t count)
{
	ikec_protected(c, ISAKMP_EXCHANGE_INFO, msgid, items, count);
}

void ikec_protected(struct ike_client *c, uint8_t exchange, uint32_t msgid,
    const struct client_info *items, size_t count)
{
	struct client_sa *sa = c->cur;
	uint8_t buf[CLIENT_PACKET_MAX], hash[IKE_KEY_MAX];
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct isakmp_builder b;
	size_t hash_at;
	int len;

	if (!msgid)
		msgid = (uint32_t)ikec_random64(c) | 0x80000000u;
	if (keymat_iv_phase2(c->crypto, &sa->keys, sa->iv, msgid, iv) < 0)
		abort();
	ikec_begin(&b, buf, sa, exchange, msgid);
	hash_at =
	    isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, sa->keys.prf_len);
	for (size_t i = 0; i < count; i++)
		isakmp_build_payload(&b, items[i].type,
		    (struct wire_span){items[i].body, items[i].len});
	len = keymat_hash1(c->crypto, &sa->keys, msgid,
	    isakmp_build_since(&b, hash_at + sa->keys.prf_len), hash);
	wire_set_bytes(&b.w, hash_at, hash, (size_t)len);
	ikec_seal(c, &b, buf, sa, iv);
}

static void send_delete(
    struct ike_client *c, uint8_t protocol, const uint8_t *spi, size_t len)
{
	struct payload_delete d = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = protocol,
	    .spi_len = (uint8_t)len,
	    .count = 1,
	    .spis = {spi, len}};
	uint8_t body[64];
	struct wire_writer w;

	wire_writer_init(&w, body, sizeof(body));
	payload_delete_encode(&w, &d);
	ikec_info(
	    c, 0, &(struct client_info){ISAKMP_PAYLOAD_DELETE, body, w.pos}, 1);
}

void ikec_delete_esp(struct ike_client *c, uint32_t spi)
{
	uint8_t bytes[4];
	struct wire_writer w;

	wire_writer_init(&w, bytes, sizeof(bytes));
	wire_put_u32(&w, spi);
	send_delete(c, ISAKMP_PROTO_ESP, bytes, sizeof(bytes));
}

void ikec_delete_sa(struct ike_client *c, struct client_sa *sa)
{
	struct client_sa *cur = c->cur;

	c->cur = sa;
	ikec_delete_other_sa(c, sa);
	c->cur = cur;
}

void ikec_delete_other_sa(struct ike_client *c, const struct client_sa *sa)
{
	uint8_t spi[16];

	memcpy(spi, sa->cky_i, 8);
	memcpy(spi + 8, sa->cky_r, 8);
	send_delete(c, ISAKMP_PROTO_ISAKMP, spi, sizeof(spi));
}

static void send_notify(struct ike_client *c, const struct payload_notify *n)
{
	uint8_t body[64];
	struct wire_writer w;

	wire_writer_init(&w, body, sizeof(body));
	payload_notify_encode(&w, n);
	ikec_info(
	    c, 0, &(struct client_info){ISAKMP_PAYLOAD_NOTIFY, body, w.pos}, 1);
}

void ikec_notify(struct ike_client *c, uint16_t type)
{
	send_notify(c, &(struct payload_notify){.doi = ISAKMP_DOI_IPSEC,
			   .protocol = ISAKMP_PROTO_ISAKMP,
			   .type = type});
}

static void send_dpd(struct ike_client *c, uint16_t type, uint32_t seq)
{
	uint8_t spi[16], data[4];
	struct wire_writer w;

	memcpy(spi, c->cur->cky_i, 8);
	memcpy(spi + 8, c->cur->cky_r, 8);
	wire_writer_init(&w, data, sizeof(data));
	wire_put_u32(&w, seq);
	send_notify(c, &(struct payload_notify){.doi = ISAKMP_DOI_IPSEC,
			   .protocol = ISAKMP_PROTO_ISAKMP,
			   .type = type,
			   .spi = {spi, sizeof(spi)},
			   .data = {data, sizeof(data)}});
}

void ikec_ack(struct ike_client *c, uint32_t seq)
{
	send_dpd(c, ISAKMP_N_R_U_THERE_ACK, seq);
}

void ikec_r_u_there(struct ike_client *c, uint32_t seq)
{
	send_dpd(c, ISAKMP_N_R_U_THERE, seq);
}

static void got_notify(
    struct ike_client *c, struct client_sa *sa, const struct isakmp_payload *p)
{
	struct client_sa *cur = c->cur;
	struct payload_notify n;
	struct wire_reader r;

	if (payload_notify_decode(p->body, &n, NULL))
		return;
	wire_reader_init(&r, n.data.data, n.data.len);
	if (n.type == ISAKMP_N_R_U_THERE) {
		c->dpd_asked++;
		c->dpd_seq = wire_get_u32(&r);
		c->cur = sa; /* the answer goes under the same IKE SA */
		send_dpd(c, ISAKMP_N_R_U_THERE_ACK, c->dpd_seq);
		c->cur = cur;
	} else if (n.type == ISAKMP_N_R_U_THERE_ACK) {
		c->dpd_acked++;
		c->last_ack = wire_get_u32(&r);
	} else {
		c->last_notify = n.type;
	}
}

/* The server deletes its inbound SPI, which is our outbound one. */
static void got_delete(
    struct ike_client *c, struct client_sa *sa, const struct isakmp_payload *p)
{
	struct payload_delete d;

	if (payload_delete_decode(p->body, &d, NULL))
		return;
	if (d.protocol == ISAKMP_PROTO_ISAKMP) {
		c->deletes_sa++;
		sa->state = CLIENT_GONE;
		return;
	}
	for (size_t i = 0; i < CLIENT_PAIRS; i++) {
		if (c->pair[i].is_used &&
		    c->pair[i].spi_out == payload_delete_spi32(&d, 0)) {
			c->pair[i].is_used = false;
			c->deletes_esp++;
		}
	}
}

void ikec_info_input(
    struct ike_client *c, struct client_sa *sa, struct client_message *m)
{
	uint8_t iv[CRYPTO_BLOCK_MAX], right[IKE_KEY_MAX];
	int len;

	if (keymat_iv_phase2(
		c->crypto, &sa->keys, sa->iv, m->h.message_id, iv) < 0 ||
	    ikec_open(c, sa, m, iv) || !m->p.count)
		return;
	len = keymat_hash1(c->crypto, &sa->keys, m->h.message_id,
	    isakmp_payloads_rest(&m->p, &m->p.item[0]), right);
	if (!wire_span_equal(
		m->p.item[0].body, (struct wire_span){right, (size_t)len})) {
		c->hash_failures++;
		return;
	}
	for (size_t i = 1; i < m->p.count; i++) {
		if (m->p.item[i].type == ISAKMP_PAYLOAD_NOTIFY)
			got_notify(c, sa, &m->p.item[i]);
		else if (m->p.item[i].type == ISAKMP_PAYLOAD_DELETE)
			got_delete(c, sa, &m->p.item[i]);
	}
}

void ikec_forget_pair(struct ike_client *c, uint32_t spi_in)
{
	for (size_t i = 0; i < CLIENT_PAIRS; i++) {
		if (c->pair[i].spi_in == spi_in)
			c->pair[i].is_used = false;
	}
}

size_t ikec_pairs(const struct ike_client *c)
{
	size_t n = 0;

	for (size_t i = 0; i < CLIENT_PAIRS; i++)
		n += c->pair[i].is_used;
	return n;
}

struct client_pair *ikec_newest_pair(struct ike_client *c)
{
	struct client_quick *newest = NULL;

	for (size_t i = 0; i < CLIENT_QUICKS; i++) {
		if (c->quick[i].is_done)
			newest = &c->quick[i];
	}
	for (size_t i = 0; newest && i < CLIENT_PAIRS; i++) {
		if (c->pair[i].is_used && c->pair[i].spi_in == newest->spi)
			return &c->pair[i];
	}
	return NULL;
}
