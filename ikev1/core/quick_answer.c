/* SPDX-License-Identifier: ISC */
/*
 * Quick Mode as initiator: the responder's message 2, whatever it holds, and
 * our message 3.
 *
 * The inbound SA is installed before message 3 leaves.  A peer that has a
 * pair already goes on sending and receiving with it until something came
 * through the new one, or a short while: some clients install theirs when
 * message 3 arrives, and it may be lost.
 */
#include "ikev1/core/quick_init.h"

#include "common/alloc.h"

#include <errno.h>

#define SPI_MIN 256
#define POLL_MS 250 /* is the new inbound SA in use? */
#define POLLS 8
#define DEFAULT_LIFE_S 28800 /* RFC 2407 section 4.5 */

/* --- message 2 ----------------------------------------------------------- */

/* Its one transform, unmodified, and its SPI. */
static int take_sa(struct quick *q, struct message *m)
{
	const struct isakmp_payload *sar =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_SA);
	struct persona_offer offer = quick_offer(q);
	struct sa_offer answer;
	struct wire_reader r;
	size_t index;
	int err = sa_decode(SA_PHASE2, sar->body, &answer, m->reason);

	if (!err)
		err = persona_offer_match(
		    &offer, q->choice.encap, &answer, &index, m->reason);
	if (err)
		return err;
	wire_reader_init(
	    &r, answer.protocol[0].spi, answer.protocol[0].spi_len);
	q->spi_out = wire_get_u32(&r);
	if (wire_error(&r) || wire_left(&r) || q->spi_out < SPI_MIN)
		return isakmp_refuse(m->reason, -EBADMSG, "its SPI is invalid");
	q->choice.suite = offer.suites[index];
	q->choice.life_seconds = offer.seconds ? offer.seconds : DEFAULT_LIFE_S;
	q->choice.life_kilobytes = offer.kilobytes;
	if (answer.transform[0].present & SA_HAS_SECONDS)
		quick_life_shorter(
		    &q->choice.life_seconds, answer.transform[0].life_seconds);
	if (answer.transform[0].present & SA_HAS_KILOBYTES)
		quick_life_shorter(&q->choice.life_kilobytes,
		    answer.transform[0].life_kilobytes);
	return 0;
}

static int check_id(const struct message *m, size_t nth,
    const struct bytes *sent, char reason[ISAKMP_REASON_MAX])
{
	const struct isakmp_payload *id =
	    isakmp_payload_find_nth(&m->p, ISAKMP_PAYLOAD_ID, nth);

	if (!id && !sent->len)
		return 0;
	if (id && wire_span_equal(id->body, bytes_span(sent)))
		return 0;
	return isakmp_refuse(
	    reason, -EPROTO, "%s is not what we sent", nth ? "IDcr" : "IDci");
}

static int take_values(struct quick *q, struct message *m)
{
	const struct isakmp_payload *nr =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_NONCE);
	const struct isakmp_payload *ke =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_KE);
	int err = payload_nonce_check(nr->body, m->reason);

	if (err)
		return err;
	if (wire_span_equal(nr->body, bytes_span(&q->ni)))
		return isakmp_refuse(m->reason, -EPROTO, "Nr is our own Ni");
	if (!ke != !q->ke.len)
		return isakmp_refuse(m->reason, -EPROTO,
		    ke ? "KE without PFS" : "PFS without KE");
	if (ke && (ke->body.len != q->ke.len ||
		      wire_span_equal(ke->body, bytes_span(&q->ke))))
		return isakmp_refuse(m->reason, -EPROTO, "KE is wrong");
	bytes_set(&q->nr, nr->body.data, nr->body.len);
	return 0;
}

static void ask_derive(struct ike *ike, struct quick *q, struct wire_span ke)
{
	struct ike_action *a = act(ike, IKE_ACT_DH_DERIVE);

	a->group = q->choice.suite.group;
	a->data = xmemdup(ke.data, ke.len);
	a->len = ke.len;
	a->data2 = xmemdup(q->shared.data, q->shared.len);
	a->len2 = q->shared.len;
	a->job = ike_job(ike, JOB_QUICK_DH, q->sa->own, q->msgid);
	bytes_free(&q->shared);
	quick_become(ike, q, QUICK_DERIVING);
}

void quick_init_answer(struct ike *ike, struct quick *q, struct message *m)
{
	const struct isakmp_payload *ke =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_KE);
	char text[SA_TEXT_MAX];

	if (take_sa(q, m) || check_id(m, 0, &q->idci, m->reason) ||
	    check_id(m, 1, &q->idcr, m->reason) || take_values(q, m)) {
		act_log_client(ike, &q->sa->peer, IKE_LOG_WARN,
		    "%s: Quick Mode %08x: its answer is refused: %s",
		    sa_text(q->sa, text), q->msgid, m->reason);
		info_notify(
		    ike, q->sa, ISAKMP_PROTO_ESP, ISAKMP_N_NO_PROPOSAL_CHOSEN);
		quick_fail(ike, q, m->reason);
		return;
	}
	quick_responder_lifetime(&q->choice, &m->p);
	bytes_set(&q->first, m->ev->data.data, m->ev->data.len);
	q->due_ms = NEVER;
	if (ke)
		ask_derive(ike, q, ke->body);
	else
		quick_want_peer(ike, q);
}

/* --- message 3 and after ------------------------------------------------- */

static int build3(struct ike *ike, struct quick *q, struct reply *r)
{
	uint8_t hash[IKE_KEY_MAX];
	int len = keymat_hash3(ike->cfg.crypto, &q->sa->keys, q->msgid,
	    bytes_span(&q->ni), bytes_span(&q->nr), hash);

	if (len < 0)
		return len;
	reply_begin(r, q->sa, ISAKMP_EXCHANGE_QUICK, q->msgid);
	isakmp_build_payload(
	    &r->b, ISAKMP_PAYLOAD_HASH, (struct wire_span){hash, (size_t)len});
	return reply_finish(ike, r, q->sa, q->iv);
}

static bool has_older_pair(const struct child *c)
{
	const struct child *other = c->peer->children;

	while (other && (other == c || other->state != CHILD_UP))
		other = other->next;
	return other;
}

/* What is left is to repeat message 3 when asked for. */
static void order_outbound(struct ike *ike, struct quick *q, struct child *c)
{
	q->due_ms = NEVER;
	child_install(ike, c, IKE_SA_OUT);
	quick_leave_peer(ike, q);
}

void quick_init_installed(struct ike *ike, struct quick *q, struct child *c)
{
	if (!quick_init_send(ike, q, 3, build3))
		return;
	quick_become(ike, q, QUICK_CONFIRMED);
	q->sent = 0;
	q->give_up_ms = ike->now + ike->cfg.half_open_ms;
	q->due_ms = NEVER;
	if (has_older_pair(c))
		q->due_ms = ike->now + POLL_MS;
	else
		order_outbound(ike, q, c);
	sa_wake(ike, q->sa, q->due_ms);
	sa_wake(ike, q->sa, q->give_up_ms);
}

void quick_init_used(
    struct ike *ike, struct quick *q, struct child *c, bool used)
{
	if (!used && q->sent < POLLS)
		return;
	order_outbound(ike, q, c);
}

void quick_init_poll(struct ike *ike, struct quick *q)
{
	struct child *c = child_find(ike, q->spi_in);

	q->due_ms = ike->now + POLL_MS;
	q->sent++;
	if (c && c->state == CHILD_HALF)
		child_query(ike, c, JOB_SA_USED, c->spi_in);
	else
		q->due_ms = NEVER;
}
