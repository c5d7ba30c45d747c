/* SPDX-License-Identifier: ISC */
/* What each message of Main Mode does, and the answers of its jobs. */
#include "ikev1/core/main_init.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/payload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_MIN_S 300
#define LIFE_MAX_S (7 * 24 * 3600)
#define LIFE_MARGIN_S 60 /* the client's rekey comes first */

/* Sends r in the clear and keeps it for a repeated request. */
static int send_kept(
    struct ike *ike, struct ike_sa *sa, struct reply *r, uint8_t *iv)
{
	int len = reply_finish(ike, r, sa, iv);

	if (len < 0)
		return len;
	bytes_set(&sa->last_out, r->buf, (size_t)len);
	sa_send(ike, sa, r->buf, (size_t)len);
	return 0;
}

void main_ask_psk(struct ike *ike, struct ike_sa *sa, enum ike_psk_use use)
{
	struct ike_action *a = act(ike, IKE_ACT_PSK);

	a->hash = sa->suite.hash;
	a->psk_use = use;
	a->psk_entry = sa->psk_entry;
	a->local = sa->local;
	a->peer = sa->peer;
	a->data = xmemdup(sa->ni.data, sa->ni.len);
	a->len = sa->ni.len;
	a->data2 = xmemdup(sa->nr.data, sa->nr.len);
	a->len2 = sa->nr.len;
	a->job = ike_job(ike, JOB_PSK, sa->own, 0);
}

static void ask_dh(struct ike *ike, struct ike_sa *sa)
{
	struct ike_action *a = act(ike, IKE_ACT_DH);

	a->group = sa->suite.group;
	a->data = xmemdup(sa->gxi.data, sa->gxi.len);
	a->len = sa->gxi.len;
	a->job = ike_job(ike, JOB_DH, sa->own, 0);
}

int main_step3(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct isakmp_payload *ke =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_KE);
	const struct isakmp_payload *ni =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NONCE);
	uint8_t nr[NONCE_LEN];
	int err = payload_ke_check(ke->body, sa->suite.group, m->reason);

	if (!err)
		err = payload_nonce_check(ni->body, m->reason);
	if (err)
		return err;
	if (!ike_random(ike, nr, sizeof(nr)))
		return isakmp_refuse(m->reason, -EIO, "no random bytes");
	sa->local = m->ev->local;
	sa->peer = m->ev->peer;
	natt_detect(ike, sa, &m->p);
	bytes_set(&sa->gxi, ke->body.data, ke->body.len);
	bytes_set(&sa->ni, ni->body.data, ni->body.len);
	bytes_set(&sa->nr, nr, sizeof(nr));
	ask_dh(ike, sa);
	main_ask_psk(ike, sa, IKE_PSK_ANSWER);
	return 0;
}

static void fail(
    struct ike *ike, struct ike_sa *sa, const char *why, const char *remedy)
{
	struct refused who = refused_sa(sa, remedy);

	act_refuse(ike, &who, "Main Mode ended: %s", why);
	sa_become(ike, sa, SA_DEAD);
}

/* Message 4, once both jobs are done. */
static void send4(struct ike *ike, struct ike_sa *sa)
{
	struct reply r;
	int err;

	if (sa->state != SA_KEYING || !(sa->psk.len || sa->psk_late) ||
	    !sa->gxy.len)
		return;
	reply_begin(&r, sa, ISAKMP_EXCHANGE_MAIN, 0);
	isakmp_build_payload(&r.b, ISAKMP_PAYLOAD_KE, bytes_span(&sa->gxr));
	isakmp_build_payload(&r.b, ISAKMP_PAYLOAD_NONCE, bytes_span(&sa->nr));
	/* Now, so that no message 5 that does not fit changes anything. */
	err = sa->psk_late ? 0 : main_derive(ike, sa);
	if (!err)
		err = natt_put(ike, sa, &r);
	if (!err)
		err = send_kept(ike, sa, &r, NULL);
	if (err) {
		fail(ike, sa,
		    err == -EKEYREJECTED
			? "a weak key came out; the next attempt gets another"
			: "message 4 could not be built",
		    NULL);
		return;
	}
	sa_become(ike, sa, SA_SENT4);
}

void main_dh_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev)
{
	if (sa->state != SA_KEYING || sa->gxy.len)
		return;
	if (ev->error || !ev->shared.len) {
		fail(ike, sa,
		    ev->error == -EINVAL ? "invalid Diffie-Hellman value"
					 : "Diffie-Hellman failed",
		    NULL);
		return;
	}
	bytes_set(&sa->gxr, ev->pub.data, ev->pub.len);
	bytes_set(&sa->gxy, ev->shared.data, ev->shared.len);
	/* A mirror: someone sends us back what is ours. */
	if (bytes_equal(&sa->gxr, &sa->gxi) || bytes_equal(&sa->ni, &sa->nr)) {
		fail(ike, sa, "our own key exchange value or nonce came back",
		    NULL);
		return;
	}
	send4(ike, sa);
}

void main_psk_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev)
{
	if (sa->state != SA_KEYING || sa->psk.len || sa->psk_late)
		return;
	if (ev->error || !ev->psk_count ||
	    (ev->shared.len && candidate_count(ev->shared) != 1)) {
		bool is_none = ev->error == -ENOENT;

		fail(ike, sa,
		    is_none
			? "no pre-shared key for this address in the psk file"
			: "the pre-shared key could not be used",
		    is_none ? "write a line for it, or for any, and restart "
			      "ikev1d"
			    : NULL);
		return;
	}
	bytes_set(&sa->psk, ev->shared.data, ev->shared.len);
	sa->psk_late = !ev->shared.len;
	send4(ike, sa);
}

/* The peer's ID as R knows it: type and data; port and protocol are moot. */
int main_take_id(
    struct ike_sa *sa, const struct isakmp_payload *p, struct message *m)
{
	char text[PAYLOAD_ID_TEXT_MAX];
	struct payload_id id;
	uint8_t raw[PEER_IDENTITY_MAX];
	struct wire_writer w;

	if (payload_id_decode(p->body, &id, m->reason))
		return -EACCES;
	/* RFC 2407 section 4.6.2: "MUST be ... UDP port 500" or zero. */
	if (!payload_id_is_phase1(&id))
		return isakmp_refuse(m->reason, -EACCES,
		    "phase 1 ID with protocol %u port %u", id.protocol,
		    id.port);
	wire_writer_init(&w, raw, sizeof(raw));
	wire_put_u8(&w, id.type);
	wire_put_span(&w, id.data);
	if (wire_writer_error(&w))
		return isakmp_refuse(
		    m->reason, -EACCES, "an ID of %zu bytes", id.data.len);
	if (main_id_refused(sa, &id, m->reason))
		return -EACCES;
	bytes_set(&sa->id, raw, w.pos);
	text_set(&sa->identity, payload_id_text(&id, text));
	return 0;
}

struct payload_id main_local_id(const struct ike *ike, const struct ike_sa *sa)
{
	struct payload_id id = payload_id_of_addr(&sa->local, 0, 0);

	if (ike->cfg.local_id_type) {
		id.type = ike->cfg.local_id_type;
		id.data = (struct wire_span){
		    ike->cfg.local_id, ike->cfg.local_id_len};
	}
	return id;
}

/* Message 6: our ID and HASH_R. */
static int send6(struct ike *ike, struct ike_sa *sa, uint8_t *iv)
{
	struct payload_id id = main_local_id(ike, sa);
	uint8_t hash[IKE_KEY_MAX], id_b[4 + IKE_LOCAL_ID_MAX];
	struct ike_phase1 p1;
	struct wire_writer w;
	struct reply r;
	int len;

	wire_writer_init(&w, id_b, sizeof(id_b));
	payload_id_encode(&w, &id);
	main_phase1_of(sa, &p1);
	len = keymat_hash_r(ike->cfg.crypto, &sa->keys, &p1,
	    (struct wire_span){id_b, w.pos}, hash);
	if (len < 0)
		return len;
	reply_begin(&r, sa, ISAKMP_EXCHANGE_MAIN, 0);
	isakmp_build_payload(
	    &r.b, ISAKMP_PAYLOAD_ID, (struct wire_span){id_b, w.pos});
	isakmp_build_payload(
	    &r.b, ISAKMP_PAYLOAD_HASH, (struct wire_span){hash, (size_t)len});
	return send_kept(ike, sa, &r, iv);
}

int main_step5(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	const struct isakmp_payload *id =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_ID);
	int err;

	if (!main_hash_i_ok(ike, sa, m))
		return isakmp_refuse(m->reason, -EBADMSG, "HASH_I is wrong");
	err = main_take_id(sa, id, m);
	if (err)
		return err;
	if (sa->on_500 && m->ev->local.port != ISAKMP_PORT)
		return isakmp_refuse(m->reason, -EACCES,
		    "message 5 came to UDP %u, and NAT traversal as drafts 00 "
		    "and 01 have it stays on UDP 500",
		    m->ev->local.port);
	/* Message 4 went there. */
	sa->hears_us = addr_equal(&sa->peer, &m->ev->peer);
	/* RFC 3947 section 4: from here on where this came from. */
	sa->local = m->ev->local;
	sa->peer = m->ev->peer;
	if (path_is_full(ike, sa) && !path_make_room(ike, sa))
		return isakmp_refuse(m->reason, -EACCES,
		    "as many clients as max-per-address in section ike allows "
		    "(%u) are connected from this address",
		    ike->cfg.max_per_address);
	if (!peer_may_take_place(ike, sa))
		return isakmp_refuse(m->reason, -EACCES,
		    "another client is at its address and port, and too many "
		    "have lost their place to others of this address");
	err = send6(ike, sa, m->iv);
	if (err)
		return isakmp_refuse(
		    m->reason, -EACCES, "message 6 could not be built");
	/* Phase 2's IVs start from the last block of message 6. */
	memcpy(sa->iv, m->iv, sizeof(sa->iv));
	return 0;
}

/* RFC 2407 section 4.6.3.3, in an authenticated message. */
static bool has_initial_contact(const struct isakmp_payloads *p)
{
	const struct isakmp_payload *n;
	struct payload_notify notify;
	size_t i = 0;

	while ((n = isakmp_payload_find_nth(p, ISAKMP_PAYLOAD_NOTIFY, i++))) {
		if (!payload_notify_decode(n->body, &notify, NULL) &&
		    notify.type == ISAKMP_N_INITIAL_CONTACT)
			return true;
	}
	return false;
}

void main_established(
    struct ike *ike, struct ike_sa *sa, const struct message *m)
{
	char text[SA_TEXT_MAX], suite[PROPOSAL_SUITE_MAX];
	struct bytes *done[] = {
	    &sa->sai, &sa->gxi, &sa->gxr, &sa->gxy, &sa->ni, &sa->nr, &sa->psk};
	uint64_t life = sa->life_s;

	life = life < LIFE_MIN_S ? LIFE_MIN_S : life;
	life = life > LIFE_MAX_S ? LIFE_MAX_S : life;
	sa->due_ms = ike->now + (life + LIFE_MARGIN_S) * 1000;
	sa->heard_ms = ike->now;
	sa->replies = 0;
	bytes_set(&sa->last_in, m->ev->data.data, m->ev->data.len);
	sa_rekey_plan(ike, sa, life);
	sa_wake(ike, sa, sa->due_ms);
	/* Only the keys in use stay. */
	for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++)
		bytes_free(done[i]);
	secret_wipe(sa->keys.skeyid, sizeof(sa->keys.skeyid));
	secret_wipe(sa->keys.skeyid_e, sizeof(sa->keys.skeyid_e));
	act_log_client(ike, &sa->peer, IKE_LOG_INFO,
	    "%s: IKE SA established with %s for %llu s%s, psk line %u",
	    sa_text(sa, text),
	    proposal_suite_text(SA_PHASE1, &sa->suite, suite),
	    (unsigned long long)life, natt_text(sa), sa->psk_line);
	if (has_initial_contact(&m->p))
		peer_initial_contact(ike, sa);
	peer_sa_up(ike, sa);
	natt_alive_start(ike, sa);
	info_dpd_start(ike, sa);
}
