/* SPDX-License-Identifier: ISC */
/*
 * What a Quick Mode leads to: the choice of a proposal, R, the keys of the
 * pair, and message 2, which leaves only when the inbound SA is installed.
 */
#include "ikev1/core/quick_init.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPI_MIN 256
#define SHA2_DRAFT_BITS 96 /* draft-ietf-ipsec-ciph-sha-256-00 */

static bool wants_encap(const struct ike_sa *sa)
{
	return sa->client_nat || sa->server_nat;
}

static int take_choice(struct ike *ike, struct quick *q,
    const struct isakmp_payload *sai, size_t ke_len, struct message *m)
{
	struct proposal_policy policy = {
	    .accept = ike_policy_for(ike, &q->sa->peer),
	    .has_natt = wants_encap(q->sa),
	    .ke_len = ke_len,
	};
	struct refused who = refused_sa(q->sa, NULL);
	char report[PROPOSAL_REPORT_MAX];
	const struct sa_protocol *chosen;
	struct sa_offer offer;
	struct wire_reader r;
	int err = sa_decode(SA_PHASE2, sai->body, &offer, m->reason);

	if (err)
		return err;
	err = proposal_choose(&offer, &policy, &q->choice, report);
	if (err) {
		act_refuse(ike, &who, "no common ESP proposal: %s", report);
		m->is_said = true;
		return isakmp_refuse(
		    m->reason, -ENOENT, "no common ESP proposal");
	}
	chosen = &offer.protocol[q->choice.protocol];
	wire_reader_init(&r, chosen->spi, chosen->spi_len);
	q->spi_out = wire_get_u32(&r);
	if (wire_error(&r) || wire_left(&r) || q->spi_out < SPI_MIN)
		return isakmp_refuse(
		    m->reason, -EBADMSG, "the client's SPI is invalid");
	bytes_set(&q->sai, sai->body.data, sai->body.len);
	return 0;
}

static void ask_dh(struct ike *ike, struct quick *q, struct wire_span ke)
{
	struct ike_action *a = act(ike, IKE_ACT_DH);

	a->group = q->choice.suite.group;
	a->data = xmemdup(ke.data, ke.len);
	a->len = ke.len;
	a->job = ike_job(ike, JOB_QUICK_DH, q->sa->own, q->msgid);
	quick_become(ike, q, QUICK_KEYING);
}

char *quick_suite(const struct quick *q, char out[PEER_SUITE_MAX])
{
	char p1[PROPOSAL_SUITE_MAX], p2[PROPOSAL_SUITE_MAX];

	snprintf(out, PEER_SUITE_MAX, "%s/%s",
	    proposal_suite_text(SA_PHASE1, &q->sa->suite, p1),
	    proposal_suite_text(SA_PHASE2, &q->choice.suite, p2));
	return out;
}

void quick_want_peer(struct ike *ike, struct quick *q)
{
	char suite[PEER_SUITE_MAX];
	struct peer *p = q->peer;

	quick_suite(q, suite);
	if (p) {
		peer_suite(ike, p, suite);
	} else if ((p = peer_for(ike, q->sa, &q->sel, suite))) {
		q->peer = p;
		p->users++;
		peer_check(ike, p);
	} else {
		info_notify(
		    ike, q->sa, ISAKMP_PROTO_ESP, ISAKMP_N_NO_PROPOSAL_CHOSEN);
		quick_fail(ike, q, "no R for it: there are too many");
		return;
	}
	quick_become(ike, q, QUICK_PEER);
	if (p->state == PEER_LIVE)
		quick_order_inbound(ike, q);
}

static void refuse(
    struct ike *ike, struct quick *q, const struct message *m, uint16_t notify)
{
	struct refused who = refused_sa(q->sa, NULL);

	if (!m->is_said)
		act_refuse(ike, &who, "Quick Mode %08x refused: %s", q->msgid,
		    m->reason);
	info_notify(ike, q->sa, ISAKMP_PROTO_ESP, notify);
	quick_become(ike, q, QUICK_DEAD);
}

/* RFC 3947 section 5.2: who sends NAT-OA gets NAT-OA, the initiator's
 * first.  In drafts 02 and 03 each sends its own only. */
static uint8_t oa_type(const struct isakmp_payloads *p)
{
	if (isakmp_payload_find(p, ISAKMP_PAYLOAD_NAT_OA))
		return ISAKMP_PAYLOAD_NAT_OA;
	if (isakmp_payload_find(p, ISAKMP_PAYLOAD_NAT_OA_DRAFT))
		return ISAKMP_PAYLOAD_NAT_OA_DRAFT;
	return 0;
}

void quick_accept(struct ike *ike, struct quick *q, struct message *m)
{
	const struct isakmp_payload *sai =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_SA);
	const struct isakmp_payload *ni =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NONCE);
	const struct isakmp_payload *ke =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_KE);
	uint8_t nr[NONCE_LEN];

	if (payload_nonce_check(ni->body, m->reason)) {
		refuse(ike, q, m, ISAKMP_N_PAYLOAD_MALFORMED);
		return;
	}
	if (take_choice(ike, q, sai, ke ? ke->body.len : 0, m)) {
		refuse(ike, q, m, ISAKMP_N_NO_PROPOSAL_CHOSEN);
		return;
	}
	if (quick_take_ids(q->sa, q, m)) {
		refuse(ike, q, m, ISAKMP_N_INVALID_ID_INFORMATION);
		return;
	}
	if (!ike_random(ike, nr, sizeof(nr))) {
		quick_become(ike, q, QUICK_DEAD);
		return;
	}
	bytes_set(&q->ni, ni->body.data, ni->body.len);
	bytes_set(&q->nr, nr, sizeof(nr));
	q->oa_type = oa_type(&m->p);
	q->oa_one = isakmp_payload_count(&m->p, q->oa_type) == 1;
	if (ke)
		ask_dh(ike, q, ke->body);
	else
		quick_want_peer(ike, q);
}

void quick_dh_done(struct ike *ike, struct quick *q, const struct ike_event *ev)
{
	char text[SA_TEXT_MAX];

	if (q->state != QUICK_KEYING && q->state != QUICK_GENERATING &&
	    q->state != QUICK_DERIVING)
		return;
	if (ev->error || !ev->shared.len) {
		act_log_client(ike, &q->sa->peer, IKE_LOG_WARN,
		    "%s: Quick Mode %08x: Diffie-Hellman failed",
		    sa_text(q->sa, text), q->msgid);
		quick_fail(ike, q, "Diffie-Hellman of Quick Mode failed");
		return;
	}
	if (q->is_ours) {
		quick_init_dh_done(ike, q, ev);
		return;
	}
	bytes_set(&q->ke, ev->pub.data, ev->pub.len);
	bytes_set(&q->shared, ev->shared.data, ev->shared.len);
	quick_want_peer(ike, q);
}

/* What the policy wants otherwise than the RFCs. */
static void set_truncation(
    struct ike_kernel_sa *sa, const struct ike_policy *policy)
{
	if (policy->sha2_trunc96 && sa->auth == ESP_AUTH_SHA256)
		sa->trunc_bits = SHA2_DRAFT_BITS;
}

/* A connection of ours renews as its persona does. */
static void set_limits(
    const struct quick *q, struct ike_kernel_sa *sa, uint32_t by)
{
	quick_limits(sa, &q->choice, by);
	if (q->sa->conn)
		quick_soft_at(
		    sa, &q->choice, q->sa->persona->rekey_esp_percent);
}

/* The keys of one direction, and how long they are good.  0 or -errno. */
static int derive_one(struct ike *ike, const struct quick *q,
    const struct keymat_esp *in, enum ike_sa_dir dir, uint32_t by,
    struct ike_kernel_sa **out)
{
	struct ike_kernel_sa *sa = xcalloc(1, sizeof(*sa));
	int err = keymat_esp_derive(ike->cfg.crypto, &q->sa->keys, in, sa);

	if (err < 0) {
		secret_free(sa, sizeof(*sa));
		return err;
	}
	sa->dir = (uint8_t)dir;
	set_limits(q, sa, by);
	set_truncation(sa, ike_policy_for(ike, &q->sa->peer));
	*out = sa;
	return 0;
}

static int derive(struct ike *ike, const struct quick *q, struct child *c)
{
	struct keymat_esp in = {
	    .suite = q->choice.suite,
	    .gxy = bytes_span(&q->shared),
	    .ni_b = bytes_span(&q->ni),
	    .nr_b = bytes_span(&q->nr),
	};
	uint32_t by;
	int err;

	if (!ike_random(ike, &by, sizeof(by)))
		return -EIO;
	in.spi = c->spi_in;
	err = derive_one(ike, q, &in, IKE_SA_IN, by, &c->in);
	if (err)
		return err;
	in.spi = c->spi_out;
	return derive_one(ike, q, &in, IKE_SA_OUT, by, &c->out);
}

void quick_order_inbound(struct ike *ike, struct quick *q)
{
	struct refused who = refused_sa(q->sa, NULL);
	struct child *c = NULL;
	int err;

	if (!q->is_ours)
		c = child_new(ike, q->peer);
	else if (!child_find(ike, q->spi_in))
		c = child_of(ike, q->peer, q->spi_in);
	if (!c) {
		quick_fail(ike, q, "no SPI for it");
		return;
	}
	q->spi_in = c->spi_in;
	c->sa_age = q->sa->age;
	c->is_ours = q->is_ours;
	c->spi_out = q->spi_out;
	c->encap = wants_encap(q->sa);
	c->msgid = q->msgid;
	memcpy(c->own, q->sa->own, COOKIE_LEN);
	err = derive(ike, q, c);
	if (err) {
		act_refuse(ike, &who, "%s of Quick Mode %08x %s",
		    err == -EKEYREJECTED ? "a weak key" : "the keys", q->msgid,
		    err == -EKEYREJECTED
			? "came out; the next attempt gets another"
			: "can't be computed");
		quick_fail(ike, q, "the keys of Quick Mode can't be computed");
		return;
	}
	quick_become(ike, q, QUICK_INBOUND);
	child_install(ike, c, IKE_SA_IN);
}

/* The chosen proposal with our SPI. */
static int put_sa(struct reply *r, const struct quick *q, const struct child *c)
{
	char reason[ISAKMP_REASON_MAX];
	struct sa_offer offer;
	uint8_t spi[4];
	struct wire_writer w;
	int err = sa_decode(SA_PHASE2, bytes_span(&q->sai), &offer, reason);

	if (err || q->choice.protocol >= offer.protocol_count ||
	    q->choice.transform >= offer.transform_count)
		return -EBADMSG;
	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, c->spi_in);
	isakmp_build_open(&r->b, ISAKMP_PAYLOAD_SA);
	sa_encode_reply(&r->b.w, &offer, &offer.protocol[q->choice.protocol],
	    &offer.transform[q->choice.transform],
	    (struct wire_span){spi, sizeof(spi)});
	isakmp_build_close(&r->b);
	return 0;
}

static void put_nat_oa(struct reply *r, const struct quick *q)
{
	const struct addr *both[] = {&q->sa->peer, &q->sa->local};

	for (size_t i = q->oa_one; q->oa_type && i < 2; i++) {
		isakmp_build_open(&r->b, q->oa_type);
		payload_nat_oa_encode(&r->b.w, both[i]);
		isakmp_build_close(&r->b);
	}
}

static int build2(
    struct ike *ike, struct quick *q, const struct child *c, struct reply *r)
{
	const struct ike_keys *keys = &q->sa->keys;
	uint8_t hash[IKE_KEY_MAX];
	size_t hash_at, rest_at;
	int len;

	reply_begin(r, q->sa, ISAKMP_EXCHANGE_QUICK, q->msgid);
	hash_at =
	    isakmp_build_reserve(&r->b, ISAKMP_PAYLOAD_HASH, keys->prf_len);
	rest_at = hash_at + keys->prf_len;
	if (put_sa(r, q, c))
		return -EBADMSG;
	isakmp_build_payload(&r->b, ISAKMP_PAYLOAD_NONCE, bytes_span(&q->nr));
	if (q->ke.len)
		isakmp_build_payload(
		    &r->b, ISAKMP_PAYLOAD_KE, bytes_span(&q->ke));
	if (q->idci.len) {
		isakmp_build_payload(
		    &r->b, ISAKMP_PAYLOAD_ID, bytes_span(&q->idci));
		isakmp_build_payload(
		    &r->b, ISAKMP_PAYLOAD_ID, bytes_span(&q->idcr));
	}
	put_nat_oa(r, q);
	quick_put_lifetime(&r->b, &q->choice, c->spi_in);
	len = keymat_hash2(ike->cfg.crypto, keys, q->msgid, bytes_span(&q->ni),
	    isakmp_build_since(&r->b, rest_at), hash);
	if (len < 0)
		return len;
	wire_set_bytes(&r->b.w, hash_at, hash, (size_t)len);
	return reply_finish(ike, r, q->sa, q->iv);
}

bool quick_send2(struct ike *ike, struct quick *q, const struct child *c)
{
	char text[SA_TEXT_MAX];
	struct reply r;
	int len = build2(ike, q, c, &r);

	if (len < 0) {
		act_log(ike, IKE_LOG_WARN,
		    "%s: Quick Mode message 2 can't be built: %s",
		    sa_text(q->sa, text), strerror(-len));
		return false;
	}
	bytes_set(&q->reply, r.buf, (size_t)len);
	sa_send(ike, q->sa, q->reply.data, q->reply.len);
	return true;
}
