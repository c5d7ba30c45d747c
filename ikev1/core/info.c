/* SPDX-License-Identifier: ISC */
/*
 * Informational exchanges under an IKE SA (RFC 2409 section 5.7): Delete,
 * Notifications and dead peer detection (RFC 3706).  Without a right HASH
 * nothing in them counts.
 */
#include "ikev1/core/ike_priv.h"

#include "common/secret.h"
#include "ikev1/core/quick_init.h"

#include <errno.h>
#include <string.h>

#define DPD_TRIES 5
#define DPD_SKIP 65536	   /* so many numbers nobody guesses through */
#define STATUS_FIRST 16384 /* RFC 2408 section 3.14.1: errors are below */

/* One payload, under HASH, encrypted. */
static void send_info(
    struct ike *ike, struct ike_sa *sa, uint8_t type, struct wire_span body)
{
	uint8_t iv[CRYPTO_BLOCK_MAX], hash[IKE_KEY_MAX];
	size_t hash_at, prf_len = sa->keys.prf_len;
	uint32_t id;
	struct reply r;
	int len;

	if (sa->state != SA_UP || !(id = exchange_new_id(ike, sa)) ||
	    exchange_iv(ike, sa, id, iv) < 0)
		return;
	reply_begin(&r, sa, ISAKMP_EXCHANGE_INFO, id);
	hash_at = isakmp_build_reserve(&r.b, ISAKMP_PAYLOAD_HASH, prf_len);
	isakmp_build_payload(&r.b, type, body);
	len = keymat_hash1(ike->cfg.crypto, &sa->keys, id,
	    isakmp_build_since(&r.b, hash_at + prf_len), hash);
	if (len < 0)
		return;
	wire_set_bytes(&r.b.w, hash_at, hash, (size_t)len);
	len = reply_finish(ike, &r, sa, iv);
	if (len > 0)
		sa_send(ike, sa, r.buf, (size_t)len);
}

static void send_delete(
    struct ike *ike, struct ike_sa *sa, uint8_t protocol, struct wire_span spi)
{
	struct payload_delete d = {
	    .doi = ISAKMP_DOI_IPSEC,
	    .protocol = protocol,
	    .spi_len = (uint8_t)spi.len,
	    .count = 1,
	    .spis = spi,
	};
	uint8_t body[64];
	struct wire_writer w;

	wire_writer_init(&w, body, sizeof(body));
	payload_delete_encode(&w, &d);
	send_info(
	    ike, sa, ISAKMP_PAYLOAD_DELETE, (struct wire_span){body, w.pos});
}

void info_delete_esp(struct ike *ike, struct ike_sa *sa, uint32_t spi_in)
{
	uint8_t spi[4];
	struct wire_writer w;

	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, spi_in);
	send_delete(
	    ike, sa, ISAKMP_PROTO_ESP, (struct wire_span){spi, sizeof(spi)});
}

/* RFC 2408 section 3.15: an IKE SA's SPI is its pair of cookies. */
static void cookies(const struct ike_sa *sa, uint8_t out[2 * COOKIE_LEN])
{
	memcpy(out, sa->cky_i, COOKIE_LEN);
	memcpy(out + COOKIE_LEN, sa->cky_r, COOKIE_LEN);
}

void info_delete_sa(struct ike *ike, struct ike_sa *sa)
{
	uint8_t spi[2 * COOKIE_LEN];

	cookies(sa, spi);
	send_delete(
	    ike, sa, ISAKMP_PROTO_ISAKMP, (struct wire_span){spi, sizeof(spi)});
}

static void send_notify(
    struct ike *ike, struct ike_sa *sa, const struct payload_notify *n)
{
	uint8_t body[64];
	struct wire_writer w;

	wire_writer_init(&w, body, sizeof(body));
	payload_notify_encode(&w, n);
	if (!wire_writer_error(&w))
		send_info(ike, sa, ISAKMP_PAYLOAD_NOTIFY,
		    (struct wire_span){body, w.pos});
}

void info_notify(
    struct ike *ike, struct ike_sa *sa, uint8_t protocol, uint16_t type)
{
	struct payload_notify n = {
	    .doi = ISAKMP_DOI_IPSEC,
	    .protocol = protocol,
	    .type = type,
	};

	send_notify(ike, sa, &n);
}

static void send_dpd(
    struct ike *ike, struct ike_sa *sa, uint16_t type, uint32_t seq)
{
	uint8_t spi[2 * COOKIE_LEN], data[4];
	struct payload_notify n = {
	    .doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ISAKMP,
	    .type = type,
	    .spi = {spi, sizeof(spi)},
	    .data = {data, sizeof(data)},
	};
	struct wire_writer w;

	cookies(sa, spi);
	wire_writer_init(&w, data, sizeof(data));
	wire_put_u32(&w, seq);
	send_notify(ike, sa, &n);
}

/* A persona has its own habit. */
static uint32_t dpd_ms(const struct ike *ike, const struct ike_sa *sa)
{
	return sa->persona ? sa->persona->dpd_ms : ike->cfg.dpd_ms;
}

static void ask_dpd(struct ike *ike, struct ike_sa *sa)
{
	if (!sa->dpd_tries)
		sa->dpd_out = (sa->dpd_out + 1) & 0x7fffffff;
	sa->dpd_asked = true;
	send_dpd(ike, sa, ISAKMP_N_R_U_THERE, sa->dpd_out);
	sa->dpd_due_ms =
	    ike->now + ((uint64_t)ike->cfg.retransmit_ms << sa->dpd_tries++);
}

void info_dpd_start(struct ike *ike, struct ike_sa *sa)
{
	uint32_t seq;

	if (!sa->dpd || !dpd_ms(ike, sa))
		return;
	/* RFC 3706 section 6.2: random, "the high-bit ... set to zero".  A
	 * number that can be foreseen is better than no probes. */
	if (!ike_random(ike, &seq, sizeof(seq)))
		seq = 0;
	sa->dpd_out = seq & 0x7fffffff;
	sa->dpd_due_ms = ike->now + dpd_ms(ike, sa);
	if (peer_would_inherit(ike, sa))
		ask_dpd(ike, sa);
	sa_wake(ike, sa, sa->dpd_due_ms);
}

void info_dpd_skip(struct ike *ike, struct ike_sa *sa)
{
	uint32_t by;

	sa->dpd_asked = false;
	if (sa->dpd_due_ms != NEVER && ike_random(ike, &by, sizeof(by)))
		sa->dpd_out = (sa->dpd_out + by % DPD_SKIP) & 0x7fffffff;
}

void info_dead(struct ike *ike, struct ike_sa *sa, const char *reason)
{
	struct refused who = refused_sa(sa, NULL);
	struct peer *p, *next;

	act_refuse(ike, &who, "%s: the client is dead", reason);
	/* A replaced IKE SA that the client forgot says nothing about R. */
	for (p = sa->path->peers; p; p = next) {
		next = p->path_next;
		if (p->sa == sa)
			peer_end(ike, p, "the client does not answer");
	}
	sa_become(ike, sa, SA_DEAD);
}

void info_dpd_timer(struct ike *ike, struct ike_sa *sa)
{
	uint64_t idle_at = sa->heard_ms + dpd_ms(ike, sa);

	if (sa->dpd_due_ms == NEVER)
		return;
	if (!sa->dpd_tries && sa->dpd_due_ms < idle_at)
		sa->dpd_due_ms = idle_at;
	if (ike->now >= sa->dpd_due_ms) {
		if (sa->dpd_tries >= DPD_TRIES) {
			info_dead(ike, sa, "no answer to R-U-THERE");
			return;
		}
		ask_dpd(ike, sa);
	}
	sa_wake(ike, sa, sa->dpd_due_ms);
}

void info_heard(struct ike *ike, struct ike_sa *sa)
{
	sa->heard_ms = ike->now;
	sa->dpd_tries = 0;
	if (sa->dpd_due_ms != NEVER)
		sa->dpd_due_ms = ike->now + dpd_ms(ike, sa);
	sa_wake(ike, sa, sa->dpd_due_ms);
}

static void got_dpd(
    struct ike *ike, struct ike_sa *sa, const struct payload_notify *n)
{
	uint8_t spi[2 * COOKIE_LEN];
	struct wire_reader r;
	uint32_t seq;

	cookies(sa, spi);
	wire_reader_init(&r, n->data.data, n->data.len);
	seq = wire_get_u32(&r);
	if (wire_error(&r) || wire_left(&r) ||
	    !wire_span_equal(n->spi, (struct wire_span){spi, sizeof(spi)}))
		return;
	if (n->type == ISAKMP_N_R_U_THERE_ACK) {
		/* Whoever knows the number has heard it. */
		if (sa->dpd_asked && seq == sa->dpd_out)
			peer_sa_heard(ike, sa);
		return; /* info_heard() has done the rest */
	}
	/* RFC 3706 section 6.2: an older number is a replay; the same one
	 * again means that our answer was lost. */
	if (sa->dpd_in_known && seq < sa->dpd_in)
		return;
	sa->dpd_in = seq;
	sa->dpd_in_known = true;
	send_dpd(ike, sa, ISAKMP_N_R_U_THERE_ACK, seq);
}

static void got_notify(
    struct ike *ike, struct ike_sa *sa, const struct isakmp_payload *p)
{
	struct refused who = refused_sa(sa,
	    "the client's own log says why; compare esp and the client's "
	    "settings");
	struct payload_notify n;
	char name[ISAKMP_NAME_MAX], text[SA_TEXT_MAX];
	char reason[ISAKMP_REASON_MAX];

	if (payload_notify_decode(p->body, &n, reason))
		return;
	if (n.type == ISAKMP_N_R_U_THERE || n.type == ISAKMP_N_R_U_THERE_ACK)
		got_dpd(ike, sa, &n);
	else if (n.type == ISAKMP_N_INITIAL_CONTACT)
		peer_initial_contact(ike, sa);
	else if (n.type < STATUS_FIRST)
		act_refuse(ike, &who, "the client says %s",
		    isakmp_name_text(ISAKMP_REG_NOTIFY, n.type, name));
	else
		act_log_client(ike, &sa->peer, IKE_LOG_INFO,
		    "%s: the client says %s", sa_text(sa, text),
		    isakmp_name_text(ISAKMP_REG_NOTIFY, n.type, name));
	if (n.type < STATUS_FIRST)
		quick_init_refused(ike, sa, &n);
}

static void delete_esp(struct ike *ike, struct ike_sa *sa, uint32_t spi)
{
	struct peer *p, *next;

	for (p = sa->path->peers; p; p = next) {
		next = p->path_next;
		if (peer_matches(p, sa) && child_deleted(ike, p, sa, spi))
			return;
	}
}

/*
 * Itself only: cookies are sent in clear, and that another IKE SA has the
 * same ID and place does not prove that it is the same client's.
 */
static void delete_sa(struct ike *ike, struct ike_sa *sa, struct wire_span spi)
{
	uint8_t own[2 * COOKIE_LEN];
	char text[SA_TEXT_MAX];

	cookies(sa, own);
	if (!wire_span_equal(spi, (struct wire_span){own, sizeof(own)}))
		return;
	act_log_client(ike, &sa->peer, IKE_LOG_INFO,
	    "%s: the client deleted its IKE SA", sa_text(sa, text));
	sa_become(ike, sa, SA_DEAD);
}

static void got_delete(
    struct ike *ike, struct ike_sa *sa, const struct isakmp_payload *p)
{
	struct payload_delete d;
	char reason[ISAKMP_REASON_MAX];

	if (payload_delete_decode(p->body, &d, reason))
		return;
	for (size_t i = 0; i < d.count && sa->state == SA_UP; i++) {
		if (d.protocol == ISAKMP_PROTO_ESP)
			delete_esp(ike, sa, payload_delete_spi32(&d, i));
		else if (d.protocol == ISAKMP_PROTO_ISAKMP)
			delete_sa(ike, sa, payload_delete_spi(&d, i));
	}
}

static bool authentic(
    struct ike *ike, const struct ike_sa *sa, struct message *m)
{
	uint8_t iv[CRYPTO_BLOCK_MAX], right[IKE_KEY_MAX];
	int len;

	if (exchange_iv(ike, sa, m->h.message_id, iv) < 0 ||
	    message_open(ike, sa, m, iv) || !m->p.count ||
	    m->p.item[0].type != ISAKMP_PAYLOAD_HASH)
		return false;
	len = keymat_hash1(ike->cfg.crypto, &sa->keys, m->h.message_id,
	    isakmp_payloads_rest(&m->p, &m->p.item[0]), right);
	return exchange_hash_ok(&m->p.item[0], right, len);
}

void info_input(struct ike *ike, struct ike_sa *sa, struct message *m)
{
	char text[SA_TEXT_MAX];

	if (sa_seen_id(sa, m->h.message_id) || quick_find(sa, m->h.message_id))
		return;
	if (!authentic(ike, sa, m)) {
		if (act_log_allowed(ike))
			act_log(ike, IKE_LOG_INFO,
			    "%s: Informational %08x without a right HASH",
			    sa_text(sa, text), m->h.message_id);
		return;
	}
	sa_touch(ike, sa);
	sa_remember_id(sa, m->h.message_id);
	info_heard(ike, sa);
	peer_sa_moved(ike, sa, m->ev);
	/* A Delete among them may end sa: then the rest is void. */
	for (size_t i = 1; i < m->p.count && sa->state == SA_UP; i++) {
		if (m->p.item[i].type == ISAKMP_PAYLOAD_NOTIFY)
			got_notify(ike, sa, &m->p.item[i]);
		else if (m->p.item[i].type == ISAKMP_PAYLOAD_DELETE)
			got_delete(ike, sa, &m->p.item[i]);
	}
}
