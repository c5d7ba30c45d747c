/* SPDX-License-Identifier: ISC */
/* The other end for a fuzzer. */
#include "test/lib/ike_mate.h"

#include "ikev1/core/algs.h"
#include "ikev1/core/main_steps.h"

#include <stdlib.h>
#include <string.h>

#define NONCE_MIN 8 /* RFC 2409 section 5 */

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static bool same_cookies(
    const struct mate_place *p, const uint8_t *cky_i, const uint8_t *cky_r)
{
	return !memcmp(p->cky_i, cky_i, sizeof(p->cky_i)) &&
	       !memcmp(p->cky_r, cky_r, sizeof(p->cky_r));
}

/* The newest Main Mode may have become an IKE SA that is up. */
static void use_newest(struct mate *m, struct ike *ike)
{
	struct ike_sa *sa = sa_of_cookies(ike, m->main.cky_i, m->main.cky_r);

	if (!sa || sa->state != SA_UP ||
	    same_cookies(&m->at, sa->cky_i, sa->cky_r))
		return;
	m->at = m->main;
	m->at.local = sa->local;
	m->at.peer = sa->peer;
	m->keys = sa->keys;
	memcpy(m->iv, sa->iv, sizeof(m->iv));
	m->quick.id = m->own.id = 0;
}

static void nonce_take(
    struct mate_nonce *n, uint8_t first, struct wire_span chain)
{
	const struct isakmp_payload *p = NULL;
	struct isakmp_payloads all;

	n->len = 0;
	if (!isakmp_payloads_decode(first, chain, &all, NULL))
		p = isakmp_payload_find(&all, ISAKMP_PAYLOAD_NONCE);
	if (!p || p->body.len > sizeof(n->data) || p->body.len < NONCE_MIN)
		return;
	memcpy(n->data, p->body.data, p->body.len);
	n->len = p->body.len;
}

/* A Quick Mode message under our IKE SA. */
static void watch_quick(struct mate *m, const struct isakmp_header *h,
    uint8_t *body, struct wire_span span)
{
	bool is_ours = h->message_id >> 8 == MATE_IDS >> 8;
	struct mate_quick *q = is_ours ? &m->quick : &m->own;

	if (is_ours ? q->id != h->message_id || q->nr.len
		    : q->id == h->message_id)
		return;
	if (!is_ours) {
		q->id = h->message_id;
		must(!keymat_iv_phase2(
		    m->crypto, &m->keys, m->iv, q->id, q->iv));
	}
	must(!keymat_decrypt(m->crypto, &m->keys, q->iv, body, span.len));
	nonce_take(is_ours ? &q->nr : &q->ni, h->next_payload, span);
}

void mate_watch(struct mate *m, struct ike *ike, const struct ike_action *a)
{
	struct wire_span body;
	struct isakmp_header h;

	must(!isakmp_header_decode(
	    wire_span_of(a->data, a->len), &h, &body, NULL));
	if (h.exchange == ISAKMP_EXCHANGE_MAIN) {
		memcpy(m->main.cky_i, h.cky_i, sizeof(h.cky_i));
		memcpy(m->main.cky_r, h.cky_r, sizeof(h.cky_r));
		m->main.local = a->local;
		m->main.peer = a->peer;
	}
	use_newest(m, ike);
	if (h.exchange == ISAKMP_EXCHANGE_QUICK &&
	    h.next_payload != ISAKMP_PAYLOAD_FRAGMENT &&
	    same_cookies(&m->at, h.cky_i, h.cky_r))
		watch_quick(m, &h, a->data + ISAKMP_HEADER_LEN, body);
}

static void begin(const struct mate_place *at, uint8_t exchange,
    uint32_t message_id, bool is_encrypted, struct mate_message *out,
    struct isakmp_builder *b)
{
	struct isakmp_header h = {.version = ISAKMP_VERSION,
	    .exchange = exchange,
	    .flags = is_encrypted ? ISAKMP_FLAG_ENCRYPTED : 0,
	    .message_id = message_id};

	memcpy(h.cky_i, at->cky_i, sizeof(h.cky_i));
	memcpy(h.cky_r, at->cky_r, sizeof(h.cky_r));
	out->local = at->local;
	out->peer = at->peer;
	isakmp_build_begin(b, out->data, sizeof(out->data), &h);
}

/* Pads and encrypts when there are keys. */
static void finish(const struct mate *m, struct isakmp_builder *b,
    const struct ike_keys *keys, uint8_t *iv, struct mate_message *out)
{
	int len = isakmp_build_finish(b, keys ? keys->block_len : 0);

	out->len = len < 0 ? 0 : (size_t)len;
	/* An empty message can't be encrypted. */
	if (keys && out->len <= ISAKMP_HEADER_LEN)
		out->len = 0;
	if (keys && out->len)
		must(!keymat_encrypt(m->crypto, keys, iv,
		    out->data + ISAKMP_HEADER_LEN,
		    out->len - ISAKMP_HEADER_LEN));
}

/* --- Main Mode ----------------------------------------------------------- */

/* Where the "next payload" of the last one in the chain is; 0: the chain
 * does not end where the message does. */
static size_t last_next(const struct isakmp_builder *b)
{
	struct wire_span all = wire_written(&b->w, 0);
	size_t next = b->next_pos, at = ISAKMP_HEADER_LEN;

	while (all.data[next]) {
		size_t len;

		if (all.len - at < ISAKMP_PAYLOAD_HEADER_LEN)
			return 0;
		len = (size_t)all.data[at + 2] << 8 | all.data[at + 3];
		if (len < ISAKMP_PAYLOAD_HEADER_LEN || len > all.len - at)
			return 0;
		next = at;
		at += len;
	}
	return at == all.len ? next : 0;
}

/* Over what the first ID says. */
static void append_hash(const struct mate *m, const struct ike_sa *sa,
    const struct ike_keys *keys, uint8_t first, struct wire_span chain,
    struct isakmp_builder *b)
{
	const struct isakmp_payload *id = NULL;
	struct wire_span id_b = {NULL, 0};
	struct isakmp_payloads all;
	struct ike_phase1 p1;
	uint8_t hash[IKE_KEY_MAX];
	size_t next = last_next(b);
	int len;

	if (!next || wire_writer_error(&b->w))
		return;
	if (!isakmp_payloads_decode(first, chain, &all, NULL))
		id = isakmp_payload_find(&all, ISAKMP_PAYLOAD_ID);
	if (id)
		id_b = id->body;
	main_phase1_of(sa, &p1);
	len = (sa->initiator ? keymat_hash_r : keymat_hash_i)(
	    m->crypto, keys, &p1, id_b, hash);
	must(len > 0);
	b->next_pos = next;
	isakmp_build_payload(
	    b, ISAKMP_PAYLOAD_HASH, wire_span_of(hash, (size_t)len));
}

/* The keys of Main Mode; of several keys ours is a SKEYID of zeros. */
static void main_keys(const struct mate *m, const struct ike_sa *sa,
    struct ike_keys *keys, uint8_t *iv)
{
	static const uint8_t zero[IKE_KEY_MAX];
	const struct alg_hash *hash = alg_hash(sa->suite.hash);

	*keys = sa->keys;
	memcpy(iv, sa->iv, sizeof(sa->iv));
	if (keys->block_len || !sa->psk_late || !sa->gxy.len)
		return;
	/* A weak one is no key. */
	if (!keymat_derive(m->crypto, &sa->suite,
		wire_span_of(zero, crypto_hash_len(hash->hash)),
		bytes_span(&sa->gxy), wire_span_of(sa->cky_i, COOKIE_LEN),
		wire_span_of(sa->cky_r, COOKIE_LEN), keys))
		must(!keymat_iv_phase1(m->crypto, keys, bytes_span(&sa->gxi),
		    bytes_span(&sa->gxr), iv));
}

void mate_main(struct mate *m, struct ike *ike, uint8_t how,
    struct wire_span data, struct mate_message *out)
{
	struct ike_sa *sa = sa_of_cookies(ike, m->main.cky_i, m->main.cky_r);
	struct ike_keys keys = {.block_len = 0};
	bool is_sealed;
	static const uint8_t zero[ISAKMP_COOKIE_LEN];
	struct mate_place at = m->main;
	uint8_t iv[CRYPTO_BLOCK_MAX], first;
	struct isakmp_builder b;
	struct wire_reader r;

	if (sa)
		main_keys(m, sa, &keys, iv);
	is_sealed = how & MATE_SEALED && keys.block_len;
	wire_reader_init(&r, data.data, data.len);
	first = wire_get_u8(&r);
	data = wire_get_span(&r, wire_left(&r));
	/* The machine began: the cookie is ours to choose. */
	if (!memcmp(at.cky_r, zero, sizeof(zero)))
		memset(at.cky_r, 9, sizeof(at.cky_r));
	begin(&at,
	    how & MATE_INFO ? ISAKMP_EXCHANGE_INFO : ISAKMP_EXCHANGE_MAIN, 0,
	    is_sealed, out, &b);
	if (how & MATE_FLOAT)
		out->local.port = out->peer.port = ISAKMP_PORT_NATT;
	wire_set_u8(&b.w, b.next_pos, first);
	wire_put_span(&b.w, data);
	if (!is_sealed) {
		finish(m, &b, NULL, NULL, out);
		return;
	}
	if (!(how & MATE_NO_HASH))
		append_hash(m, sa, &keys, first, data, &b);
	finish(m, &b, &keys, iv, out);
}

/* --- under an IKE SA ----------------------------------------------------- */

void mate_protected(
    struct mate *m, uint8_t id, struct wire_span data, struct mate_message *out)
{
	uint8_t hash[IKE_KEY_MAX], iv[CRYPTO_BLOCK_MAX], exchange, first;
	uint32_t message_id = MATE_IDS + id;
	struct isakmp_builder b;
	struct wire_reader r;
	size_t pos;

	wire_reader_init(&r, data.data, data.len);
	exchange = wire_get_u8(&r);
	first = wire_get_u8(&r);
	data = wire_get_span(&r, wire_left(&r));
	begin(&m->at, exchange, message_id, true, out, &b);
	pos = isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, m->keys.prf_len);
	wire_set_u8(&b.w, b.next_pos, first);
	wire_put_span(&b.w, data);
	must(keymat_hash1(m->crypto, &m->keys, message_id, data, hash) > 0);
	wire_set_bytes(&b.w, pos, hash, m->keys.prf_len);
	must(!keymat_iv_phase2(m->crypto, &m->keys, m->iv, message_id, iv));
	finish(m, &b, &m->keys, iv, out);
	if (exchange != ISAKMP_EXCHANGE_QUICK)
		return;
	m->quick.id = message_id;
	m->quick.nr.len = 0;
	nonce_take(&m->quick.ni, first, data);
	memcpy(m->quick.iv, iv, sizeof(iv));
}

void mate_quick2(
    const struct mate *m, struct wire_span data, struct mate_message *out)
{
	const struct mate_quick *q = &m->own;
	uint8_t hash[IKE_KEY_MAX], iv[CRYPTO_BLOCK_MAX], first;
	struct isakmp_builder b;
	struct wire_reader r;
	size_t pos;

	out->len = 0;
	if (!q->id)
		return;
	wire_reader_init(&r, data.data, data.len);
	first = wire_get_u8(&r);
	data = wire_get_span(&r, wire_left(&r));
	begin(&m->at, ISAKMP_EXCHANGE_QUICK, q->id, true, out, &b);
	pos = isakmp_build_reserve(&b, ISAKMP_PAYLOAD_HASH, m->keys.prf_len);
	wire_set_u8(&b.w, b.next_pos, first);
	wire_put_span(&b.w, data);
	must(keymat_hash2(m->crypto, &m->keys, q->id,
		 wire_span_of(q->ni.data, q->ni.len), data, hash) > 0);
	wire_set_bytes(&b.w, pos, hash, m->keys.prf_len);
	memcpy(iv, q->iv, sizeof(iv));
	finish(m, &b, &m->keys, iv, out);
}

void mate_quick3(struct mate *m, struct mate_message *out)
{
	struct mate_quick *q = &m->quick;
	uint8_t hash[IKE_KEY_MAX];
	struct isakmp_builder b;

	out->len = 0;
	if (!q->id || !q->nr.len)
		return;
	must(keymat_hash3(m->crypto, &m->keys, q->id,
		 wire_span_of(q->ni.data, q->ni.len),
		 wire_span_of(q->nr.data, q->nr.len), hash) > 0);
	begin(&m->at, ISAKMP_EXCHANGE_QUICK, q->id, true, out, &b);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_HASH, wire_span_of(hash, m->keys.prf_len));
	finish(m, &b, &m->keys, q->iv, out);
}
