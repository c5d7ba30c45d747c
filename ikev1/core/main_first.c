/* SPDX-License-Identifier: ISC */
/*
 * The first message of Main Mode, from whoever sends it: what is chosen and
 * answered goes to the table of first messages (mm1.h), nothing else.  The
 * answer is made from the message, as often as the message comes, and is
 * never longer than it.
 */
#include "ikev1/core/main_steps.h"

#include "ikev1/core/payload.h"

#include <errno.h>
#include <string.h>

static const struct isakmp_rule rules1[] = {
    {ISAKMP_PAYLOAD_SA, 1, 1},
    {ISAKMP_PAYLOAD_VID, 0, 31},
    {ISAKMP_PAYLOAD_NOTIFY, 0, 2},
};
static const struct isakmp_script script1 = {"Main Mode message 1",
    ISAKMP_PAYLOAD_SA, rules1, sizeof(rules1) / sizeof(rules1[0])};

/*
 * A clear Notification for a message 1 that has no SA to go under: with a
 * zero responder cookie, never longer than what it answers, never repeated.
 */
static void refuse_clear(
    struct ike *ike, const struct message *m, uint16_t type)
{
	struct payload_notify n = {
	    .doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ISAKMP,
	    .type = type,
	};
	struct isakmp_header h = {
	    .version = ISAKMP_VERSION,
	    .exchange = ISAKMP_EXCHANGE_INFO,
	};
	struct isakmp_builder b;
	uint8_t buf[ISAKMP_HEADER_LEN + 64];
	int len;

	memcpy(h.cky_i, m->h.cky_i, COOKIE_LEN);
	if (!ike_random(ike, &h.message_id, sizeof(h.message_id)))
		return;
	isakmp_build_begin(&b, buf, sizeof(buf), &h);
	isakmp_build_open(&b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&b.w, &n);
	isakmp_build_close(&b);
	len = isakmp_build_finish(&b, 0);
	if (len > 0 && (size_t)len <= m->ev->data.len)
		act_send(ike, &m->ev->local, &m->ev->peer, buf, (size_t)len);
}

/* Chooses among what the SA payload offers; sends the refusal itself. */
static int choose(struct ike *ike, struct message *m,
    const struct isakmp_payload *p, struct sa_offer *offer,
    struct proposal_choice *choice)
{
	struct proposal_policy policy = {
	    .accept = ike_policy_for(ike, &m->ev->peer),
	};
	struct refused who = refused_datagram(m->ev, NULL);
	char report[PROPOSAL_REPORT_MAX];
	int err = sa_decode(SA_PHASE1, p->body, offer, m->reason);

	if (err == -ENOTSUP || err == -ENOTUNIQ)
		refuse_clear(ike, m,
		    err == -ENOTSUP ? ISAKMP_N_DOI_NOT_SUPPORTED
				    : ISAKMP_N_SITUATION_NOT_SUPPORTED);
	if (err)
		return err;
	err = proposal_choose(offer, &policy, choice, report);
	if (!err)
		return 0;
	refuse_clear(ike, m, ISAKMP_N_NO_PROPOSAL_CHOSEN);
	act_refuse(ike, &who, "no common IKE proposal: %s", report);
	m->is_said = true;
	return isakmp_refuse(m->reason, err, "no common IKE proposal");
}

uint32_t main_vendors(const struct isakmp_payloads *p)
{
	const struct isakmp_payload *v;
	uint32_t seen = 0;
	size_t n = 0;

	while ((v = isakmp_payload_find_nth(p, ISAKMP_PAYLOAD_VID, n++)))
		seen |= VENDOR_BIT(vendor_recognise(v->body));
	return seen;
}

static const enum vendor plain_vendors[] = {
    VENDOR_DPD, VENDOR_FRAGMENTATION_16, VENDOR_FRAGMENTATION};

/* Vendor IDs of ours: only what was offered. */
static void put_vendors(struct isakmp_builder *b, uint32_t vendors)
{
	enum vendor natt = vendor_best_natt(vendors);

	if (natt != VENDOR_UNKNOWN)
		isakmp_build_payload(b, ISAKMP_PAYLOAD_VID, vendor_value(natt));
	for (size_t i = 0; i < sizeof(plain_vendors) / sizeof(plain_vendors[0]);
	     i++)
		if (vendors & VENDOR_BIT(plain_vendors[i]))
			isakmp_build_payload(b, ISAKMP_PAYLOAD_VID,
			    vendor_value(plain_vendors[i]));
}

/* Message 2: the chosen transform alone.  Its length, or -errno. */
static int build2(const struct mm1_entry *e, const struct sa_offer *offer,
    const struct proposal_choice *choice, struct reply *r)
{
	struct isakmp_header h = {
	    .version = ISAKMP_VERSION,
	    .exchange = ISAKMP_EXCHANGE_MAIN,
	};

	memcpy(h.cky_i, e->cky_i, COOKIE_LEN);
	memcpy(h.cky_r, e->cky_r, COOKIE_LEN);
	isakmp_build_begin(&r->b, r->buf, sizeof(r->buf), &h);
	isakmp_build_open(&r->b, ISAKMP_PAYLOAD_SA);
	sa_encode_reply(&r->b.w, offer, &offer->protocol[choice->protocol],
	    &offer->transform[choice->transform], (struct wire_span){NULL, 0});
	isakmp_build_close(&r->b);
	put_vendors(&r->b, e->vendors);
	return isakmp_build_finish(&r->b, 0);
}

/* Of what is not answered: without NAT it works all the same. */
static void say_old_natt(
    struct ike *ike, const struct message *m, uint32_t vendors)
{
	const char *kernel = ike->cfg.kernel ? ike->cfg.kernel : "Linux";
	char peer[ADDR_TEXT_MAX];
	bool is_old = vendors & VENDOR_NATT_OLD && !ike->cfg.has_esp_500;

	if (vendor_best_natt(vendors & ~VENDOR_NATT_OLD) != VENDOR_UNKNOWN ||
	    !(is_old || vendors == VENDOR_BIT(VENDOR_NATT_DRAFT)) ||
	    !act_log_allowed(ike))
		return;
	addr_text(&m->ev->peer, peer);
	if (is_old)
		act_log(ike, IKE_LOG_INFO,
		    "%s: offers NAT traversal only as drafts 00 and 01 had it, "
		    "with ESP on UDP 500, which this kernel (%s) does not "
		    "serve: behind NAT this client cannot connect",
		    peer, kernel);
	else
		act_log(ike, IKE_LOG_INFO,
		    "%s: offers NAT traversal only as a draft without a "
		    "number, which is not served: behind NAT this client "
		    "cannot connect",
		    peer);
}

/* Chooses, keeps, answers. */
static int answer(struct ike *ike, struct message *m, struct mm1_entry *e)
{
	const struct isakmp_payload *p =
	    isakmp_payload_find(&m->p, ISAKMP_PAYLOAD_SA);
	struct proposal_choice choice;
	struct sa_offer offer;
	struct reply r;
	int len, err;

	if (p->body.len > MM1_SAI_MAX)
		return isakmp_refuse(m->reason, -EMSGSIZE,
		    "an SA payload of %zu bytes; at most %d are kept",
		    p->body.len, MM1_SAI_MAX);
	err = choose(ike, m, p, &offer, &choice);
	if (err)
		return err;
	e->suite = choice.suite;
	e->life_s = choice.life_seconds;
	e->vendors = main_vendors(&m->p) & ~ike->cfg.vendors_off;
	say_old_natt(ike, m, e->vendors & VENDOR_NATT_ANY);
	e->vendors = natt_usable(ike, &e->local, e->vendors);
	len = build2(e, &offer, &choice, &r);
	if (len < 0 || (size_t)len > m->ev->data.len)
		return isakmp_refuse(m->reason, -EMSGSIZE,
		    "the answer would be longer than the message");
	if (!mm1_find(ike->mm1, e->cky_r))
		mm1_add(ike->mm1, ike->now, e, p->body);
	act_send(ike, &e->local, &e->peer, r.buf, (size_t)len);
	return 0;
}

/* Who takes our cookie for his is a mirror (or is one's victim). */
static bool is_ours(struct ike *ike, const uint8_t *cky_i)
{
	return sa_find(ike, cky_i) || mm1_find(ike->mm1, cky_i);
}

static int say_full(struct ike *ike, struct message *m)
{
	struct refused who =
	    refused_datagram(m->ev, "raise max-clients in section l2tp");

	act_refuse(
	    ike, &who, "refused: all %u IKE SAs are taken", ike->cfg.max_sas);
	m->is_said = true;
	return -ENOSPC;
}

static int take_first(struct ike *ike, struct message *m)
{
	struct mm1_entry e = {.local = m->ev->local, .peer = m->ev->peer};
	int err;

	if (m->h.flags & ISAKMP_FLAG_ENCRYPTED || m->h.message_id)
		return isakmp_refuse(m->reason, -EPROTO,
		    "%s has the wrong flags or message id", script1.name);
	if (is_ours(ike, m->h.cky_i))
		return isakmp_refuse(
		    m->reason, -EPROTO, "our own cookie came back");
	if (HASH_COUNT(ike->sas) - ike->half_open_count >= ike->cfg.max_sas)
		return say_full(ike, m);
	err = message_open(ike, NULL, m, NULL);
	if (!err)
		err = isakmp_script_check(&m->p, &script1, m->reason);
	if (err)
		return err;
	memcpy(e.cky_i, m->h.cky_i, COOKIE_LEN);
	err = mm1_cookie(ike->mm1, ike->cfg.crypto, ike->now, &e.local, &e.peer,
	    m->ev->data, e.cky_r);
	if (err)
		return isakmp_refuse(
		    m->reason, err, "no random bytes: %s", strerror(-err));
	/* Whoever sent this has gone on to message 3 since. */
	return sa_find(ike, e.cky_r) ? 0 : answer(ike, m, &e);
}

void main_first(struct ike *ike, struct message *m)
{
	if (take_first(ike, m))
		main_say_refused(ike, m);
}

/* The IKE SA that an entry becomes, not in the tables yet. */
struct ike_sa *main_sa_of_first(struct ike *ike, const struct mm1_entry *e)
{
	struct ike_sa *sa = sa_respond(e->cky_i, e->cky_r);
	struct wire_span sai = mm1_sai(ike->mm1, e);

	sa->local = e->local;
	sa->peer = e->peer;
	sa->suite = e->suite;
	sa->life_s = e->life_s;
	natt_choose(sa, e->vendors);
	sa->dpd = e->vendors & VENDOR_BIT(VENDOR_DPD);
	sa->frags = e->vendors & VENDOR_FRAGMENTATION_ANY;
	bytes_set(&sa->sai, sai.data, sai.len);
	return sa;
}
