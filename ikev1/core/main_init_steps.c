/* SPDX-License-Identifier: ISC */
/* What each message of Main Mode does when we are the initiator. */
#include "ikev1/core/main_init.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/payload.h"

#include <errno.h>
#include <string.h>

/* --- building ------------------------------------------------------------ */

/* What a persona's order may name, and who writes it. */
typedef int (*put_fn)(struct ike *ike, struct ike_sa *sa, struct reply *r);

void init_offer(const struct ike_sa *sa, struct persona_offer *out)
{
	*out = sa->persona->ike;
	if (!sa->is_rekey || sa->persona != &persona_default)
		return;
	out->suites = &sa->suite;
	out->suite_count = 1;
}

static int put_sa(struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	struct wire_span none = {NULL, 0}, body;
	struct persona_offer offer;
	size_t start;

	(void)ike;
	init_offer(sa, &offer);
	isakmp_build_open(&r->b, ISAKMP_PAYLOAD_SA);
	start = r->b.w.pos;
	persona_offer_encode(&r->b.w, SA_PHASE1, &offer, none, 0);
	isakmp_build_close(&r->b);
	if (wire_writer_error(&r->b.w))
		return -ENOSPC;
	body = isakmp_build_since(&r->b, start);
	bytes_set(&sa->sai, body.data, body.len);
	return 0;
}

/* A client is as it is; what we leave off holds for both our roles. */
static bool is_announced(
    const struct ike *ike, const struct ike_sa *sa, struct wire_span vid)
{
	uint32_t bit = VENDOR_BIT(vendor_recognise(vid));

	if (sa->persona != &persona_default)
		return true;
	/* With whom has come by an old draft: no other, or all would move. */
	if (bit & VENDOR_NATT_ANY && sa->on_500 != !!(bit & VENDOR_NATT_OLD))
		return false;
	return !(bit & ike->cfg.vendors_off);
}

static int put_vids(struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	const struct persona *p = sa->persona;

	for (size_t i = 0; i < p->vid_count; i++) {
		struct wire_span v = {p->vids[i].value, p->vids[i].len};

		if (is_announced(ike, sa, v))
			isakmp_build_payload(&r->b, ISAKMP_PAYLOAD_VID, v);
	}
	return 0;
}

static int put_ke(struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	(void)ike;
	isakmp_build_payload(&r->b, ISAKMP_PAYLOAD_KE, bytes_span(&sa->gxi));
	return 0;
}

static int put_nonce(struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	uint8_t ni[NONCE_LEN];

	if (!ike_random(ike, ni, sizeof(ni)))
		return -EIO;
	bytes_set(&sa->ni, ni, sizeof(ni));
	isakmp_build_payload(&r->b, ISAKMP_PAYLOAD_NONCE, bytes_span(&sa->ni));
	return 0;
}

static int put_nat_d(struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	return natt_put(ike, sa, r);
}

/* The body of IDii.  A client's renewal finds the ID that it knows. */
static size_t own_id(
    const struct ike *ike, const struct ike_sa *sa, uint8_t *out, size_t size)
{
	const struct persona *p = sa->persona;
	static const uint8_t types[] = {
	    [PERSONA_ID_FQDN] = IPSEC_ID_FQDN,
	    [PERSONA_ID_USER] = IPSEC_ID_USER_FQDN,
	    [PERSONA_ID_KEY] = IPSEC_ID_KEY_ID,
	};
	struct payload_id id =
	    payload_id_of_addr(&sa->local, p->id_protocol, p->id_port);
	struct wire_writer w;

	if (p == &persona_default) {
		id = main_local_id(ike, sa);
	} else if (p->id_form != PERSONA_ID_LOCAL) {
		id.type = types[p->id_form];
		id.data = (struct wire_span){
		    (const uint8_t *)p->id_text, strlen(p->id_text)};
	}
	wire_writer_init(&w, out, size);
	payload_id_encode(&w, &id);
	return wire_writer_error(&w) ? 0 : w.pos;
}

static int put_id(struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	uint8_t id[PEER_IDENTITY_MAX];
	size_t len = own_id(ike, sa, id, sizeof(id));

	isakmp_build_payload(
	    &r->b, ISAKMP_PAYLOAD_ID, (struct wire_span){id, len});
	return len ? 0 : -ENOSPC;
}

static int put_hash(struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	uint8_t id[PEER_IDENTITY_MAX], hash[IKE_KEY_MAX];
	struct wire_span id_b = {id, own_id(ike, sa, id, sizeof(id))};
	struct ike_phase1 p1;
	int len;

	main_phase1_of(sa, &p1);
	len = keymat_hash_i(ike->cfg.crypto, &sa->keys, &p1, id_b, hash);
	if (len < 0)
		return len;
	isakmp_build_payload(
	    &r->b, ISAKMP_PAYLOAD_HASH, (struct wire_span){hash, (size_t)len});
	return 0;
}

/* INITIAL-CONTACT, RFC 2407 section 4.6.3.3; never in a rekey. */
static int put_initial_contact(
    struct ike *ike, struct ike_sa *sa, struct reply *r)
{
	uint8_t spi[2 * COOKIE_LEN];
	struct payload_notify n = {
	    .doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ISAKMP,
	    .type = ISAKMP_N_INITIAL_CONTACT,
	    .spi = {spi, sizeof(spi)},
	};

	(void)ike;
	if (sa->is_rekey)
		return 0;
	memcpy(spi, sa->cky_i, COOKIE_LEN);
	memcpy(spi + COOKIE_LEN, sa->cky_r, COOKIE_LEN);
	isakmp_build_open(&r->b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&r->b.w, &n);
	isakmp_build_close(&r->b);
	return 0;
}

static const struct {
	uint8_t type;
	put_fn put;
} writers[] = {
    {ISAKMP_PAYLOAD_SA, put_sa},
    {ISAKMP_PAYLOAD_VID, put_vids},
    {ISAKMP_PAYLOAD_KE, put_ke},
    {ISAKMP_PAYLOAD_NONCE, put_nonce},
    {ISAKMP_PAYLOAD_NAT_D, put_nat_d},
    {ISAKMP_PAYLOAD_ID, put_id},
    {ISAKMP_PAYLOAD_HASH, put_hash},
    {ISAKMP_PAYLOAD_NOTIFY, put_initial_contact},
};

static int put_one(
    struct ike *ike, struct ike_sa *sa, struct reply *r, uint8_t type)
{
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (writers[i].type == type)
			return writers[i].put(ike, sa, r);
	}
	return -ENOTSUP;
}

/* One message in the persona's order: kept, sent. */
static int send_order(struct ike *ike, struct ike_sa *sa,
    const uint8_t order[PERSONA_ORDER_MAX], uint8_t *iv)
{
	struct reply r;
	int err = 0, len;

	reply_begin(&r, sa, ISAKMP_EXCHANGE_MAIN, 0);
	for (size_t i = 0; !err && i < PERSONA_ORDER_MAX && order[i]; i++)
		err = put_one(ike, sa, &r, order[i]);
	if (err)
		return err;
	len = reply_finish(ike, &r, sa, iv);
	if (len < 0)
		return len;
	bytes_set(&sa->last_out, r.buf, (size_t)len);
	sa_send(ike, sa, r.buf, (size_t)len);
	return 0;
}

int init_send1(struct ike *ike, struct ike_sa *sa)
{
	return send_order(ike, sa, sa->persona->mm1, NULL);
}

int init_send3(struct ike *ike, struct ike_sa *sa)
{
	return send_order(ike, sa, sa->persona->mm3, NULL);
}

int init_send5(struct ike *ike, struct ike_sa *sa)
{
	/* RFC 3947 section 4: behind a NAT the initiator moves now. */
	if ((sa->client_nat || sa->server_nat) && !sa->on_500) {
		sa->local.port = ISAKMP_PORT_NATT;
		if (sa->peer.port == ISAKMP_PORT)
			sa->peer.port = ISAKMP_PORT_NATT;
	}
	return send_order(ike, sa, sa->persona->mm5, sa->iv);
}

/* --- taking -------------------------------------------------------------- */

/* What we announced ourselves. */
static uint32_t own_vendors(const struct ike *ike, const struct ike_sa *sa)
{
	const struct persona *p = sa->persona;
	uint32_t seen = 0;

	for (size_t i = 0; i < p->vid_count; i++) {
		struct wire_span v = {p->vids[i].value, p->vids[i].len};

		if (is_announced(ike, sa, v))
			seen |= VENDOR_BIT(vendor_recognise(v));
	}
	return seen;
}

static void ask_keygen(struct ike *ike, const struct ike_sa *sa)
{
	struct ike_action *a = act(ike, IKE_ACT_DH_KEYGEN);

	a->group = sa->suite.group;
	a->job = ike_job(ike, JOB_DH, sa->own, 0);
}

int init_take2(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct isakmp_payload *p =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_SA);
	uint32_t vendors = main_vendors(&m->p) & own_vendors(ike, sa);
	struct persona_offer ours;
	struct sa_offer answer;
	size_t index;
	int err;

	init_offer(sa, &ours);
	err = sa_decode(SA_PHASE1, p->body, &answer, m->reason);
	if (!err)
		err = persona_offer_match(&ours, 0, &answer, &index, m->reason);
	if (err)
		return err;
	memcpy(sa->cky_r, m->h.cky_r, COOKIE_LEN);
	sa->suite = ours.suites[index];
	sa->life_s = ours.seconds ? ours.seconds : IPSEC_LIFE_DEFAULT_S;
	if (answer.transform[0].present & SA_HAS_SECONDS)
		sa->life_s = answer.transform[0].life_seconds;
	natt_choose(sa, natt_usable(ike, &sa->local, vendors));
	sa->dpd = vendors & VENDOR_BIT(VENDOR_DPD);
	sa->frags = vendors & VENDOR_FRAGMENTATION_ANY;
	ask_keygen(ike, sa);
	return 0;
}

static void ask_derive(struct ike *ike, const struct ike_sa *sa)
{
	struct ike_action *a = act(ike, IKE_ACT_DH_DERIVE);

	a->group = sa->suite.group;
	a->data = xmemdup(sa->gxr.data, sa->gxr.len);
	a->len = sa->gxr.len;
	a->data2 = xmemdup(sa->priv.data, sa->priv.len);
	a->len2 = sa->priv.len;
	a->job = ike_job(ike, JOB_DH, sa->own, 0);
}

int init_take4(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct isakmp_payload *ke =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_KE);
	const struct isakmp_payload *nr =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NONCE);
	int err = payload_ke_check(ke->body, sa->suite.group, m->reason);

	if (!err)
		err = payload_nonce_check(nr->body, m->reason);
	if (err)
		return err;
	/* A mirror: someone sends us back what is ours. */
	if (wire_span_equal(ke->body, bytes_span(&sa->gxi)) ||
	    wire_span_equal(nr->body, bytes_span(&sa->ni)))
		return isakmp_refuse(m->reason, -EPROTO,
		    "our own key exchange value or nonce came back");
	natt_detect(ike, sa, &m->p);
	bytes_set(&sa->gxr, ke->body.data, ke->body.len);
	bytes_set(&sa->nr, nr->body.data, nr->body.len);
	ask_derive(ike, sa);
	main_ask_psk(
	    ike, sa, init_is_renewal(sa) ? IKE_PSK_RENEW : IKE_PSK_CONNECT);
	return 0;
}

int init_take6(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct isakmp_payload *id =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_ID);
	uint8_t right[IKE_KEY_MAX];
	struct ike_phase1 p1;
	int len, err;

	main_phase1_of(sa, &p1);
	len = keymat_hash_r(ike->cfg.crypto, &sa->keys, &p1, id->body, right);
	if (!exchange_hash_ok(
		isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_HASH), right, len))
		return isakmp_refuse(m->reason, -EBADMSG, "HASH_R is wrong");
	err = main_take_id(sa, id, m);
	if (err)
		return err;
	/* Message 5 went there. */
	sa->hears_us = addr_equal(&sa->peer, &m->ev->peer);
	sa->local = m->ev->local;
	sa->peer = m->ev->peer;
	/* Phase 2's IVs start from the last block of message 6. */
	memcpy(sa->iv, m->iv, sizeof(sa->iv));
	return 0;
}
