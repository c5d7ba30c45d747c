/* SPDX-License-Identifier: ISC */
/*
 * Quick Mode as initiator (RFC 2409 section 5.5): the first pair of a
 * connection of ours, as its persona does it, or a new pair for a peer that
 * has one, with the terms of that.  Message 1, and what happens by time; the
 * answer is in quick_answer.c.
 */
#include "ikev1/core/quick_init.h"

#include "common/alloc.h"
#include "ikev1/core/main_init.h"
#include "ikev1/core/payload.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS_AT 19		  /* in the header: RFC 2408 section 3.1 */
#define EPHEMERAL_FIRST 49152	  /* to 65535 */
#define PERSONA_GIVE_UP_MS 300000 /* its own tries end earlier */

static const char not_begun[] =
    "Quick Mode could not be begun: no random bytes, or no number for it";

/* A renewal says what the pair before it had. */
static const uint8_t renewal_attrs[] = {PERSONA_ATTR_ENCAP,
    PERSONA_ATTR_KEY_LENGTH, PERSONA_ATTR_HASH, PERSONA_ATTR_GROUP,
    PERSONA_ATTR_SECONDS, PERSONA_ATTR_KILOBYTES, PERSONA_ATTR_END};

static const struct persona *persona_of(const struct ike_sa *sa)
{
	return sa->persona ? sa->persona : &persona_default;
}

static uint32_t as_u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

struct persona_offer quick_offer(const struct quick *q)
{
	struct persona_offer offer = persona_of(q->sa)->esp;

	if (!q->is_renewal)
		return offer;
	offer.suites = &q->choice.suite;
	offer.suite_count = 1;
	offer.attrs = renewal_attrs;
	offer.seconds = as_u32(q->choice.life_seconds);
	offer.kilobytes = as_u32(q->choice.life_kilobytes);
	return offer;
}

static uint32_t next_id(
    struct ike *ike, struct ike_sa *sa, const struct persona *persona)
{
	if (!sa->persona || persona->msgid == PERSONA_MSGID_RANDOM)
		return exchange_new_id(ike, sa);
	for (int tries = 0; tries < IKE_RANDOM_TRIES; tries++) {
		/* 1, 2, 3, least byte first. */
		uint32_t id = __builtin_bswap32(++sa->msgid_count);

		if (id && !sa_seen_id(sa, id) && !quick_find(sa, id)) {
			sa_remember_id(sa, id);
			return id;
		}
	}
	return 0;
}

static uint16_t encap_of(const struct ike_sa *sa)
{
	if (!sa->client_nat && !sa->server_nat)
		return IPSEC_ENCAP_TRANSPORT;
	return sa->nat_d_type == ISAKMP_PAYLOAD_NAT_D
		   ? IPSEC_ENCAP_UDP_TRANSPORT
		   : IPSEC_ENCAP_UDP_TRANSPORT_DRAFT;
}

/* --- message 1 ----------------------------------------------------------- */

static void set_id(struct bytes *out, const struct addr *a, uint16_t port)
{
	struct payload_id id = payload_id_of_addr(a, IPPROTO_UDP, port);
	uint8_t body[64];
	struct wire_writer w;

	wire_writer_init(&w, body, sizeof(body));
	payload_id_encode(&w, &id);
	bytes_set(out, body, w.pos);
}

/* A connection of ours: as its persona says. */
static bool plan_new(
    struct ike *ike, struct quick *q, const struct persona *persona)
{
	const struct ike_sa *sa = q->sa;
	bool is_udp = sa->client_nat || sa->server_nat;
	bool is_rfc = sa->nat_d_type == ISAKMP_PAYLOAD_NAT_D;
	uint16_t port;

	q->sel = (struct selectors){
	    IPPROTO_UDP, persona->client_port, persona->server_port};
	if (persona->is_ephemeral) {
		if (!ike_random(ike, &port, sizeof(port)))
			return false;
		q->sel.client_port = port | EPHEMERAL_FIRST;
	}
	set_id(&q->idci, &sa->local, q->sel.client_port);
	set_id(&q->idcr, &sa->peer, q->sel.server_port);
	q->choice.encap = encap_of(sa);
	if (is_udp && persona->nat_oa != PERSONA_OA_NEVER) {
		q->oa_type = is_rfc ? ISAKMP_PAYLOAD_NAT_OA
				    : ISAKMP_PAYLOAD_NAT_OA_DRAFT;
		q->oa_one = !is_rfc && persona->nat_oa == PERSONA_OA_NATT;
	}
	return true;
}

static void plan_renewal(struct ike *ike, struct quick *q, struct peer *p)
{
	const struct terms *t = &p->terms;

	q->is_renewal = true;
	q->peer = p;
	p->users++;
	peer_check(ike, p);
	q->sel = p->sel;
	q->choice.suite = t->suite;
	q->choice.encap = t->encap;
	q->choice.life_seconds = t->seconds;
	q->choice.life_kilobytes = t->kilobytes;
	q->oa_type = t->oa_type;
	q->oa_one = t->oa_one;
	bytes_set(&q->idci, t->ours.data, t->ours.len);
	bytes_set(&q->idcr, t->theirs.data, t->theirs.len);
}

static void put_offer(const struct quick *q, struct reply *r)
{
	struct persona_offer offer = quick_offer(q);
	uint8_t spi[4];
	struct wire_writer w;

	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, q->spi_in);
	isakmp_build_open(&r->b, ISAKMP_PAYLOAD_SA);
	persona_offer_encode(&r->b.w, SA_PHASE2, &offer,
	    (struct wire_span){spi, sizeof(spi)}, q->choice.encap);
	isakmp_build_close(&r->b);
}

/* RFC 3947 section 5.2: the initiator's first, as each side sees them. */
static void put_oa(const struct quick *q, struct reply *r)
{
	const struct addr *both[] = {&q->sa->local, &q->sa->peer};
	size_t count = q->oa_one ? 1 : 2;

	for (size_t i = 0; q->oa_type && i < count; i++) {
		isakmp_build_open(&r->b, q->oa_type);
		payload_nat_oa_encode(&r->b.w, both[i]);
		isakmp_build_close(&r->b);
	}
}

static void put(const struct quick *q, struct reply *r, uint8_t type)
{
	if (type == ISAKMP_PAYLOAD_SA)
		put_offer(q, r);
	else if (type == ISAKMP_PAYLOAD_NONCE)
		isakmp_build_payload(&r->b, type, bytes_span(&q->ni));
	else if (type == ISAKMP_PAYLOAD_KE && q->ke.len)
		isakmp_build_payload(&r->b, type, bytes_span(&q->ke));
	else if (type == ISAKMP_PAYLOAD_NAT_OA)
		put_oa(q, r);
	if (type != ISAKMP_PAYLOAD_ID || !q->idci.len)
		return;
	isakmp_build_payload(&r->b, type, bytes_span(&q->idci));
	isakmp_build_payload(&r->b, type, bytes_span(&q->idcr));
}

static int build1(struct ike *ike, struct quick *q, struct reply *r)
{
	const struct persona *persona = persona_of(q->sa);
	const struct ike_keys *keys = &q->sa->keys;
	uint8_t hash[IKE_KEY_MAX];
	size_t hash_at;
	int len;

	reply_begin(r, q->sa, ISAKMP_EXCHANGE_QUICK, q->msgid);
	if (q->sa->persona && persona->has_commit)
		r->buf[FLAGS_AT] |= ISAKMP_FLAG_COMMIT;
	hash_at =
	    isakmp_build_reserve(&r->b, ISAKMP_PAYLOAD_HASH, keys->prf_len);
	for (size_t i = 0; i < PERSONA_ORDER_MAX && persona->qm1[i]; i++)
		put(q, r, persona->qm1[i]);
	len = keymat_hash1(ike->cfg.crypto, keys, q->msgid,
	    isakmp_build_since(&r->b, hash_at + keys->prf_len), hash);
	if (len < 0)
		return len;
	wire_set_bytes(&r->b.w, hash_at, hash, (size_t)len);
	return reply_finish(ike, r, q->sa, q->iv);
}

static void send_newest(struct ike *ike, const struct quick *q)
{
	sa_send(ike, q->sa, q->reply.data, q->reply.len);
}

bool quick_init_send(struct ike *ike, struct quick *q, int number,
    int (*build)(struct ike *ike, struct quick *q, struct reply *r))
{
	char text[SA_TEXT_MAX];
	struct reply r;
	int len = build(ike, q, &r);

	if (len < 0) {
		act_log(ike, IKE_LOG_WARN,
		    "%s: Quick Mode message %d can't be built: %s",
		    sa_text(q->sa, text), number, strerror(-len));
		quick_fail(ike, q, "a message of Quick Mode can't be built");
		return false;
	}
	bytes_set(&q->reply, r.buf, (size_t)len);
	send_newest(ike, q);
	return true;
}

/* RFC 2408 section 5.1: retransmission timers back off. */
static uint64_t next_wait(const struct ike *ike, const struct quick *q)
{
	struct persona_retry retry = {
	    .first_ms = ike->cfg.retransmit_ms, .percent = 200};
	uint64_t wait;

	if (q->sa->persona)
		retry = q->sa->persona->retry;
	wait = retry.first_ms;
	for (int i = 1; i < q->sent && wait < ike->cfg.half_open_ms; i++)
		wait = wait * retry.percent / 100;
	return retry.max_ms && wait > retry.max_ms ? retry.max_ms : wait;
}

static void send1(struct ike *ike, struct quick *q)
{
	if (!quick_init_send(ike, q, 1, build1))
		return;
	q->sent = 1;
	q->give_up_ms = ike->now + (q->sa->persona ? PERSONA_GIVE_UP_MS
						   : ike->cfg.half_open_ms);
	q->due_ms = ike->now + next_wait(ike, q);
	sa_wake(ike, q->sa, q->due_ms);
	quick_become(ike, q, QUICK_OFFERED);
}

static void ask_keygen(struct ike *ike, struct quick *q, uint16_t group)
{
	struct ike_action *a = act(ike, IKE_ACT_DH_KEYGEN);

	a->group = group;
	a->job = ike_job(ike, JOB_QUICK_DH, q->sa->own, q->msgid);
	quick_become(ike, q, QUICK_GENERATING);
}

void quick_start(struct ike *ike, struct ike_sa *sa, struct peer *peer)
{
	const struct persona *persona = persona_of(sa);
	uint8_t ni[NONCE_LEN];
	struct quick *q;
	uint32_t id;

	if (sa->state != SA_UP || (!peer && !sa->persona) ||
	    quick_count(sa) >= QUICKS_MAX)
		return;
	if (!ike_random(ike, ni, sizeof(ni)) ||
	    !(id = next_id(ike, sa, persona))) {
		if (!peer)
			init_report(ike, sa, IKE_ACT_CONN_FAILED, not_begun);
		return;
	}
	q = quick_new(ike, sa, id);
	q->is_ours = true;
	bytes_set(&q->ni, ni, sizeof(ni));
	if (peer)
		plan_renewal(ike, q, peer);
	if ((!peer && !plan_new(ike, q, persona)) ||
	    !child_spi(ike, &q->spi_in) ||
	    exchange_iv(ike, sa, q->msgid, q->iv) < 0) {
		quick_fail(ike, q, not_begun);
		return;
	}
	if (quick_offer(q).suites[0].group)
		ask_keygen(ike, q, quick_offer(q).suites[0].group);
	else
		send1(ike, q);
}

/* --- Diffie-Hellman and time --------------------------------------------- */

void quick_init_dh_done(
    struct ike *ike, struct quick *q, const struct ike_event *ev)
{
	bytes_set(&q->shared, ev->shared.data, ev->shared.len);
	if (q->state == QUICK_DERIVING) {
		quick_want_peer(ike, q);
		return;
	}
	bytes_set(&q->ke, ev->pub.data, ev->pub.len);
	send1(ike, q);
}

/*
 * No proof that the client is dead: it may renew when it likes, and its ESP
 * may flow.  DPD, if it has that, finds out; or else the pair's hard limit.
 */
static void unanswered(struct ike *ike, struct quick *q)
{
	char text[SA_TEXT_MAX];

	act_log_client(ike, &q->sa->peer, IKE_LOG_INFO,
	    "%s: no answer to our Quick Mode %08x", sa_text(q->sa, text),
	    q->msgid);
	quick_fail(ike, q, "no answer to message 1 of Quick Mode");
}

/* The time of message 1 or of a question to the kernel has come. */
void quick_init_due(struct ike *ike, struct quick *q)
{
	if (q->state == QUICK_OFFERED && q->sa->persona &&
	    q->sent >= q->sa->persona->retry.tries) {
		unanswered(ike, q);
	} else if (q->state == QUICK_OFFERED) {
		send_newest(ike, q);
		if (q->sent < UINT8_MAX)
			q->sent++;
		q->due_ms = ike->now + next_wait(ike, q);
	} else if (q->state == QUICK_CONFIRMED) {
		quick_init_poll(ike, q);
	}
}

bool quick_init_over(struct ike *ike, struct quick *q)
{
	if (q->state == QUICK_OFFERED)
		unanswered(ike, q);
	else if (q->state == QUICK_CONFIRMED)
		quick_become(ike, q, QUICK_DEAD);
	return q->state == QUICK_DEAD;
}

void quick_init_refused(
    struct ike *ike, struct ike_sa *sa, const struct payload_notify *n)
{
	struct quick *q, *next;
	char text[SA_TEXT_MAX], name[ISAKMP_NAME_MAX];
	char why[ISAKMP_NAME_MAX + 32];
	struct wire_reader r;
	uint32_t spi;

	wire_reader_init(&r, n->spi.data, n->spi.len);
	spi = wire_get_u32(&r);
	if (wire_error(&r) || wire_left(&r))
		spi = 0; /* about no SPI: about whatever is open */
	for (q = sa->quicks; q; q = next) {
		next = q->next;
		if (q->state != QUICK_OFFERED || (spi && spi != q->spi_in))
			continue;
		snprintf(why, sizeof(why), "Quick Mode is refused: %s",
		    isakmp_name_text(ISAKMP_REG_NOTIFY, n->type, name));
		act_log_client(ike, &sa->peer, IKE_LOG_WARN,
		    "%s: our Quick Mode %08x: %s", sa_text(sa, text), q->msgid,
		    why);
		quick_fail(ike, q, why);
	}
}
