/* SPDX-License-Identifier: ISC */
/* The initiator for tests: its phase 1 and its demultiplexer. */
#include "test/lib/ike_client_priv.h"

#include "common/secret.h"
#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/vendor.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 700
#define TRIES 12

uint64_t ikec_random64(struct ike_client *c)
{
	uint64_t z = c->seed += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

void ikec_random(struct ike_client *c, void *out, size_t len)
{
	uint8_t *p = out;

	while (len--)
		*p++ = (uint8_t)ikec_random64(c);
}

void ikec_init(struct ike_client *c)
{
	c->psk = c->psk ? c->psk : "a shared secret of the test";
	c->retry_ms = RETRY_MS;
	c->tries = TRIES;
	c->id_protocol = 17;
	c->client_port = c->server_port = 1701;
	c->has_natt = c->has_dpd = true;
	c->next_msgid = 1;
	c->own_port = c->own_port ? c->own_port : 500;
	c->ike_port = c->ike_port ? c->ike_port : 500;
	c->life_s = 28800;
	c->esp_life_s = 3600;
	c->esp_life_kb = 250000;
	for (size_t i = 0; i < CLIENT_SAS; i++)
		c->sa[i].timer.due_ms = UINT64_MAX;
	for (size_t i = 0; i < CLIENT_QUICKS; i++)
		c->quick[i].timer.due_ms = UINT64_MAX;
}

void ikec_done(struct ike_client *c)
{
	frag_clear(&c->frags);
}

void ikec_arm(struct ike_client *c, struct client_timer *t, const uint8_t *data,
    size_t len)
{
	memcpy(t->data, data, len);
	t->len = len;
	t->tries = c->tries;
	t->due_ms = *c->now + c->retry_ms;
}

void ikec_disarm(struct client_timer *t)
{
	t->due_ms = UINT64_MAX;
}

static void retry(struct ike_client *c, struct client_timer *t, bool floated)
{
	if (*c->now < t->due_ms || c->is_mute)
		return;
	if (!t->tries--) {
		ikec_disarm(t);
		return;
	}
	t->due_ms = *c->now + c->retry_ms;
	c->send(c, floated, t->data, t->len);
}

void ikec_timers(struct ike_client *c)
{
	for (size_t i = 0; i < CLIENT_SAS; i++)
		retry(c, &c->sa[i].timer, c->sa[i].floated);
	for (size_t i = 0; i < CLIENT_QUICKS; i++) {
		if (c->quick[i].is_used)
			retry(c, &c->quick[i].timer, c->quick[i].sa->floated);
	}
}

uint64_t ikec_deadline(const struct ike_client *c)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < CLIENT_SAS && !c->is_mute; i++)
		due = c->sa[i].timer.due_ms < due ? c->sa[i].timer.due_ms : due;
	for (size_t i = 0; i < CLIENT_QUICKS && !c->is_mute; i++)
		due = c->quick[i].timer.due_ms < due ? c->quick[i].timer.due_ms
						     : due;
	return due;
}

void ikec_begin(struct isakmp_builder *b, uint8_t *buf,
    const struct client_sa *sa, uint8_t exchange, uint32_t msgid)
{
	struct isakmp_header h = {
	    .version = ISAKMP_VERSION,
	    .exchange = exchange,
	    .message_id = msgid,
	};

	memcpy(h.cky_i, sa->cky_i, 8);
	memcpy(h.cky_r, sa->cky_r, 8);
	if (sa->state >= CLIENT_SENT5)
		h.flags = ISAKMP_FLAG_ENCRYPTED;
	isakmp_build_begin(b, buf, CLIENT_PACKET_MAX, &h);
}

size_t ikec_seal(struct ike_client *c, struct isakmp_builder *b, uint8_t *buf,
    struct client_sa *sa, uint8_t *iv)
{
	int len = isakmp_build_finish(b, iv ? sa->keys.block_len : 0);

	if (len < 0)
		abort();
	if (iv &&
	    keymat_encrypt(c->crypto, &sa->keys, iv, buf + ISAKMP_HEADER_LEN,
		(size_t)len - ISAKMP_HEADER_LEN) < 0)
		abort();
	c->send(c, sa->floated, buf, (size_t)len);
	return (size_t)len;
}

int ikec_open(struct ike_client *c, const struct client_sa *sa,
    struct client_message *m, const uint8_t *iv)
{
	struct wire_span in = m->body;

	if (iv) {
		memcpy(m->plain, in.data, in.len);
		memcpy(m->iv, iv, sizeof(m->iv));
		if (!(m->h.flags & ISAKMP_FLAG_ENCRYPTED) ||
		    keymat_decrypt(
			c->crypto, &sa->keys, m->iv, m->plain, in.len) < 0)
			return -1;
		in.data = m->plain;
	}
	return isakmp_payloads_decode(m->h.next_payload, in, &m->p, NULL);
}

static enum vendor natt_vendor(const struct ike_client *c)
{
	if (c->natt)
		return c->natt;
	return c->has_draft ? VENDOR_NATT_03 : VENDOR_NATT_RFC3947;
}

bool ikec_on_500(const struct ike_client *c)
{
	return VENDOR_BIT(c->natt) & VENDOR_NATT_OLD;
}

static uint8_t nat_d_type(const struct ike_client *c)
{
	return c->has_draft ? ISAKMP_PAYLOAD_NAT_D_DRAFT : ISAKMP_PAYLOAD_NAT_D;
}

static void send1(struct ike_client *c, struct client_sa *sa)
{
	struct sa_offer_spec spec = {
	    .phase = SA_PHASE1,
	    .suites = c->ike,
	    .suite_count = c->ike_count,
	    .life_seconds = c->life_s,
	};
	struct isakmp_builder b;
	uint8_t buf[CLIENT_PACKET_MAX];
	struct wire_writer w;

	wire_writer_init(&w, sa->sai, sizeof(sa->sai));
	sa_encode_offer(&w, &spec);
	sa->sai_len = w.pos;
	ikec_begin(&b, buf, sa, ISAKMP_EXCHANGE_MAIN, 0);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_SA, (struct wire_span){sa->sai, sa->sai_len});
	if (c->has_natt)
		isakmp_build_payload(
		    &b, ISAKMP_PAYLOAD_VID, vendor_value(natt_vendor(c)));
	if (c->has_dpd)
		isakmp_build_payload(
		    &b, ISAKMP_PAYLOAD_VID, vendor_value(VENDOR_DPD));
	if (!c->no_frag)
		isakmp_build_payload(
		    &b, ISAKMP_PAYLOAD_VID, vendor_value(VENDOR_FRAGMENTATION));
	ikec_arm(c, &sa->timer, buf, ikec_seal(c, &b, buf, sa, NULL));
}

struct client_sa *ikec_start_main(struct ike_client *c)
{
	struct client_sa *sa = c->sa;

	while (sa->state != CLIENT_FREE)
		sa++;
	ikec_random(c, sa->cky_i, 8);
	sa->state = CLIENT_SENT1;
	c->cur = sa;
	send1(c, sa);
	return sa;
}

static void put_nat_d(struct ike_client *c, struct client_sa *sa,
    struct isakmp_builder *b, const struct addr *a, uint16_t port)
{
	struct addr about = *a;
	uint8_t hash[IKE_KEY_MAX];
	int len;

	about.port = port;
	len = keymat_nat_d(c->crypto, sa->suite.hash,
	    (struct wire_span){sa->cky_i, 8}, (struct wire_span){sa->cky_r, 8},
	    &about, hash);
	isakmp_build_payload(
	    b, nat_d_type(c), (struct wire_span){hash, (size_t)len});
}

static bool got2(
    struct ike_client *c, struct client_sa *sa, struct client_message *m)
{
	const struct isakmp_payload *p, *v;
	struct sa_offer offer;
	uint8_t buf[CLIENT_PACKET_MAX];
	struct isakmp_builder b;
	size_t n = 0;

	if (ikec_open(c, sa, m, NULL))
		return false;
	p = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_SA);
	if (!p || sa_decode(SA_PHASE1, p->body, &offer, NULL) ||
	    offer.transform_count != 1)
		return false;
	sa->suite = (struct ike_suite){offer.transform[0].cipher,
	    offer.transform[0].key_bits, offer.transform[0].hash,
	    offer.transform[0].group};
	while ((v = isakmp_payload_find_nth(&m->p, ISAKMP_PAYLOAD_VID, n++))) {
		c->vendors |= VENDOR_BIT(vendor_recognise(v->body));
		if (vendor_recognise(v->body) == natt_vendor(c))
			sa->natt = true;
		if (vendor_recognise(v->body) == VENDOR_DPD)
			sa->dpd = true;
	}
	memcpy(sa->cky_r, m->h.cky_r, 8);
	if (dh_keygen(NULL, sa->suite.group, &sa->own))
		abort();
	sa->dh = sa->own;
	ikec_random(c, sa->ni, sizeof(sa->ni));
	sa->state = CLIENT_SENT3;
	ikec_begin(&b, buf, sa, ISAKMP_EXCHANGE_MAIN, 0);
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_KE,
	    (struct wire_span){sa->dh.pub, sa->dh.pub_len});
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NONCE,
	    (struct wire_span){sa->ni, sizeof(sa->ni)});
	if (sa->natt) {
		put_nat_d(c, sa, &b, &c->server, c->ike_port);
		put_nat_d(c, sa, &b, &c->inner, c->own_port);
	}
	ikec_arm(c, &sa->timer, buf, ikec_seal(c, &b, buf, sa, NULL));
	return true;
}

/* True when the NAT-D about us is not about our own address. */
static bool nat_d_fits(struct ike_client *c, struct client_sa *sa,
    const struct isakmp_payload *d, struct addr about, uint16_t port)
{
	uint8_t hash[IKE_KEY_MAX];
	int len;

	about.port = port;
	len = keymat_nat_d(c->crypto, sa->suite.hash,
	    (struct wire_span){sa->cky_i, 8}, (struct wire_span){sa->cky_r, 8},
	    &about, hash);
	return wire_span_equal(d->body, (struct wire_span){hash, (size_t)len});
}

/* One of the two is behind NAT. */
static bool behind_nat(
    struct ike_client *c, struct client_sa *sa, const struct isakmp_payloads *p)
{
	const struct isakmp_payload *us =
	    isakmp_payload_find_nth(p, nat_d_type(c), 0);
	const struct isakmp_payload *server =
	    isakmp_payload_find_nth(p, nat_d_type(c), 1);

	return (us && !nat_d_fits(c, sa, us, c->inner, c->own_port)) ||
	       (server && !nat_d_fits(c, sa, server, c->server, c->ike_port));
}

static int derive(struct ike_client *c, struct client_sa *sa)
{
	uint8_t skeyid[IKE_KEY_MAX];
	struct wire_span gxi = {sa->dh.pub, sa->dh.pub_len};
	struct wire_span gxr = {sa->gxr, sa->gxr_len};
	int len = keymat_psk_skeyid(c->crypto, sa->suite.hash,
	    (struct wire_span){(const uint8_t *)c->psk, strlen(c->psk)},
	    (struct wire_span){sa->ni, sizeof(sa->ni)},
	    (struct wire_span){sa->nr, sa->nr_len}, skeyid);

	if (len < 0 ||
	    dh_finish(NULL, sa->suite.group,
		wire_span_of(sa->own.shared, sa->own.shared_len), gxr, &sa->dh))
		return -1;
	if (keymat_derive(c->crypto, &sa->suite,
		(struct wire_span){skeyid, (size_t)len},
		(struct wire_span){sa->dh.shared, sa->dh.shared_len},
		(struct wire_span){sa->cky_i, 8},
		(struct wire_span){sa->cky_r, 8}, &sa->keys) < 0)
		return -1;
	return keymat_iv_phase1(c->crypto, &sa->keys, gxi, gxr, sa->iv);
}

static struct ike_phase1 phase1(const struct client_sa *sa)
{
	return (struct ike_phase1){
	    .gxi = {sa->dh.pub, sa->dh.pub_len},
	    .gxr = {sa->gxr, sa->gxr_len},
	    .cky_i = {sa->cky_i, 8},
	    .cky_r = {sa->cky_r, 8},
	    .sai_b = {sa->sai, sa->sai_len},
	};
}

static void send5(struct ike_client *c, struct client_sa *sa)
{
	struct payload_id id =
	    payload_id_of_addr(&c->inner, c->id_port ? 17 : 0, c->id_port);
	struct payload_notify n = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ISAKMP,
	    .type = ISAKMP_N_INITIAL_CONTACT};
	struct ike_phase1 p1 = phase1(sa);
	static const uint8_t letters[300] = "an identity";
	uint8_t id_b[320], hash[IKE_KEY_MAX], buf[CLIENT_PACKET_MAX];
	struct isakmp_builder b;
	struct wire_writer w;
	int len;

	if (c->fqdn) {
		id.type = IPSEC_ID_FQDN;
		id.data.data = (const uint8_t *)c->fqdn;
		id.data.len = strlen(c->fqdn);
	}
	if (c->odd_id) {
		id.type = c->id_type;
		id.data = (struct wire_span){letters, c->id_len};
	}
	wire_writer_init(&w, id_b, sizeof(id_b));
	payload_id_encode(&w, &id);
	len = keymat_hash_i(
	    c->crypto, &sa->keys, &p1, (struct wire_span){id_b, w.pos}, hash);
	sa->state = CLIENT_SENT5;
	ikec_begin(&b, buf, sa, ISAKMP_EXCHANGE_MAIN, 0);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_ID, (struct wire_span){id_b, w.pos});
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_HASH, (struct wire_span){hash, (size_t)len});
	if (c->initial_contact) {
		isakmp_build_open(&b, ISAKMP_PAYLOAD_NOTIFY);
		payload_notify_encode(&b.w, &n);
		isakmp_build_close(&b);
	}
	ikec_arm(c, &sa->timer, buf, ikec_seal(c, &b, buf, sa, sa->iv));
}

static bool got4(
    struct ike_client *c, struct client_sa *sa, struct client_message *m)
{
	const struct isakmp_payload *ke, *nr;

	if (ikec_open(c, sa, m, NULL))
		return false;
	ke = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_KE);
	nr = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NONCE);
	if (!ke || !nr || ke->body.len > sizeof(sa->gxr) ||
	    nr->body.len > sizeof(sa->nr))
		return false;
	memcpy(sa->gxr, ke->body.data, sa->gxr_len = ke->body.len);
	memcpy(sa->nr, nr->body.data, sa->nr_len = nr->body.len);
	if (derive(c, sa) < 0)
		abort();
	if (sa->natt && behind_nat(c, sa, &m->p)) {
		sa->behind_nat = true;
		sa->floated |= !ikec_on_500(c);
	}
	send5(c, sa);
	return true;
}

static bool got6(
    struct ike_client *c, struct client_sa *sa, struct client_message *m)
{
	const struct isakmp_payload *id, *hash;
	struct ike_phase1 p1 = phase1(sa);
	uint8_t right[IKE_KEY_MAX];
	int len;

	if (ikec_open(c, sa, m, sa->iv)) {
		c->hash_failures++;
		return false;
	}
	id = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_ID);
	hash = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_HASH);
	len =
	    id ? keymat_hash_r(c->crypto, &sa->keys, &p1, id->body, right) : -1;
	if (len < 0 || !hash ||
	    !wire_span_equal(
		hash->body, (struct wire_span){right, (size_t)len})) {
		c->hash_failures++;
		return false;
	}
	if (id->body.len <= sizeof(c->server_id)) {
		memcpy(c->server_id, id->body.data, id->body.len);
		c->server_id_len = id->body.len;
	}
	memcpy(sa->iv, m->iv, sizeof(sa->iv));
	sa->state = CLIENT_UP;
	ikec_disarm(&sa->timer);
	return true;
}

static void main_input(
    struct ike_client *c, struct client_sa *sa, struct client_message *m)
{
	switch (sa->state) {
	case CLIENT_SENT1:
		got2(c, sa, m);
		return;
	case CLIENT_SENT3:
		if (!memcmp(sa->cky_r, m->h.cky_r, 8))
			got4(c, sa, m);
		return;
	case CLIENT_SENT5:
		if ((m->h.flags & ISAKMP_FLAG_ENCRYPTED) &&
		    !memcmp(sa->cky_r, m->h.cky_r, 8))
			got6(c, sa, m);
		return;
	case CLIENT_FREE:
	case CLIENT_UP:
	case CLIENT_GONE:
		return;
	}
}

static void clear_info(
    struct ike_client *c, struct client_sa *sa, struct client_message *m)
{
	const struct isakmp_payload *p;
	struct payload_notify n;

	if (ikec_open(c, sa, m, NULL))
		return;
	p = isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NOTIFY);
	if (p && !payload_notify_decode(p->body, &n, NULL))
		c->clear_notify = n.type;
}

static void take_fragment(
    struct ike_client *c, bool floated, const struct client_message *m)
{
	struct bytes whole = {NULL, 0};

	c->fragments++;
	if (frag_take(&c->frags, *c->now, &c->server, &m->h, m->body, &whole,
		NULL) > 0)
		ikec_input(c, floated, whole.data, whole.len);
	bytes_free(&whole);
}

void ikec_input(
    struct ike_client *c, bool floated, const uint8_t *data, size_t len)
{
	struct client_message m = {.raw = {data, len}};
	struct client_sa *sa = NULL;

	if (c->is_mute || isakmp_header_decode(m.raw, &m.h, &m.body, NULL))
		return;
	if (m.h.next_payload == ISAKMP_PAYLOAD_FRAGMENT) {
		take_fragment(c, floated, &m);
		return;
	}
	for (size_t i = 0; i < CLIENT_SAS; i++) {
		if (c->sa[i].state != CLIENT_FREE &&
		    !memcmp(c->sa[i].cky_i, m.h.cky_i, 8))
			sa = &c->sa[i];
	}
	if (!sa)
		return;
	if (m.h.exchange == ISAKMP_EXCHANGE_MAIN)
		main_input(c, sa, &m);
	else if (sa->state == CLIENT_SENT1)
		clear_info(c, sa, &m);
	else if (sa->state != CLIENT_UP)
		return;
	else if (m.h.exchange == ISAKMP_EXCHANGE_QUICK)
		ikec_quick_input(c, sa, &m);
	else if (m.h.exchange == ISAKMP_EXCHANGE_INFO)
		ikec_info_input(c, sa, &m);
}
