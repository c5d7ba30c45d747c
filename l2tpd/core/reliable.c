/* SPDX-License-Identifier: ISC */
/* Reliable delivery; the contract is in the header. */
#include "l2tpd/core/reliable.h"

#include "common/alloc.h"
#include "l2tpd/core/saved_time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct l2tp_tx {
	struct l2tp_tx *next;
	uint8_t *data;
	size_t len;
};

struct l2tp_rx {
	struct l2tp_rx *next;
	struct l2tp_received msg;
};

/* Section 5.8: numbers are compared modulo 65536. */
static int distance(uint16_t a, uint16_t b)
{
	return (int16_t)(uint16_t)(a - b);
}

static uint16_t span_of(uint16_t from, uint16_t to)
{
	return (uint16_t)(to - from);
}

void l2tp_reliable_init(
    struct l2tp_reliable *rel, const struct l2tp_reliable_config *cfg)
{
	*rel = (struct l2tp_reliable){
	    .cfg = *cfg,
	    .peer_window = 1,
	    .cwnd = 1,
	    .ssthresh = 1,
	    .deadline = L2TP_NEVER,
	};
}

static void tx_drop_first(struct l2tp_reliable *rel)
{
	struct l2tp_tx *tx = rel->tx;

	LL_DELETE(rel->tx, tx);
	free(tx->data);
	free(tx);
}

void l2tp_reliable_free(struct l2tp_reliable *rel)
{
	struct l2tp_received msg;
	struct l2tp_rx *rx;

	while (rel->tx)
		tx_drop_first(rel);
	while (rel->rx) {
		rx = rel->rx;
		LL_DELETE(rel->rx, rx);
		msg = rx->msg;
		free(msg.data);
		free(rx);
	}
}

void l2tp_reliable_set_peer(
    struct l2tp_reliable *rel, uint16_t tunnel_id, uint16_t window)
{
	rel->peer_tunnel_id = tunnel_id;
	rel->peer_window = window ? window : 1;
	/* Appendix A: SSTHRESH starts at the advertised window. */
	rel->ssthresh = rel->peer_window;
}

int l2tp_reliable_queue(
    struct l2tp_reliable *rel, const uint8_t *data, size_t len)
{
	struct l2tp_tx *tx;

	if (span_of(rel->una, rel->end) >= L2TP_TX_QUEUE_MAX)
		return -ENOBUFS;
	tx = xcalloc(1, sizeof(*tx));
	tx->data = xmemdup(data, len);
	tx->len = len;
	LL_APPEND(rel->tx, tx);
	rel->end++;
	return 0;
}

/* Appendix A: slow start below SSTHRESH, then one more a whole window. */
static void grow(struct l2tp_reliable *rel)
{
	if (rel->cwnd >= rel->peer_window)
		return;
	if (rel->cwnd < rel->ssthresh) {
		rel->cwnd++;
		return;
	}
	if (++rel->cwnd_count >= rel->cwnd) {
		rel->cwnd++;
		rel->cwnd_count = 0;
	}
}

static uint64_t interval(const struct l2tp_reliable *rel)
{
	uint64_t ms = rel->cfg.retransmit_ms;

	for (uint32_t i = 0; i < rel->tries && ms < rel->cfg.cap_ms; i++)
		ms *= 2;
	return ms < rel->cfg.cap_ms ? ms : rel->cfg.cap_ms;
}

static void take_ack(struct l2tp_reliable *rel, uint16_t nr, uint64_t now_ms)
{
	uint16_t acked = span_of(rel->una, nr);

	/* Old news, or an Nr for what was never sent. */
	if (!acked || acked > span_of(rel->una, rel->max_sent))
		return;
	while (rel->una != nr) {
		tx_drop_first(rel);
		rel->una++;
		grow(rel);
	}
	if (distance(rel->nxt, rel->una) < 0)
		rel->nxt = rel->una;
	rel->tries = 0;
	rel->deadline =
	    rel->una == rel->max_sent ? L2TP_NEVER : now_ms + interval(rel);
}

static int by_ns(const struct l2tp_rx *a, const struct l2tp_rx *b)
{
	return distance(a->msg.ns, b->msg.ns);
}

static bool rx_keep(struct l2tp_reliable *rel, const struct l2tp_header *hdr,
    struct wire_span body)
{
	struct l2tp_rx *rx;

	LL_FOREACH(rel->rx, rx)
	{
		if (rx->msg.ns == hdr->ns)
			return false;
	}
	rx = xcalloc(1, sizeof(*rx));
	rx->msg = (struct l2tp_received){
	    .ns = hdr->ns,
	    .session_id = hdr->session_id,
	    .data = xmemdup(body.data, body.len),
	    .len = body.len,
	};
	LL_INSERT_INORDER(rel->rx, rx, by_ns);
	return true;
}

enum l2tp_verdict l2tp_reliable_receive(struct l2tp_reliable *rel,
    const struct l2tp_header *hdr, struct wire_span body, uint64_t now_ms)
{
	int ahead = distance(hdr->ns, rel->nr);

	take_ack(rel, hdr->nr, now_ms);
	/* Section 5.8: a ZLB uses no Ns and is never acknowledged. */
	if (!body.len)
		return L2TP_RX_ACK;
	if (ahead >= rel->cfg.window)
		return L2TP_RX_BEYOND;
	if (ahead < 0 || !rx_keep(rel, hdr, body)) {
		rel->ack_wanted = true;
		return L2TP_RX_DUPLICATE;
	}
	return L2TP_RX_NEW;
}

bool l2tp_reliable_next(struct l2tp_reliable *rel, struct l2tp_received *out)
{
	struct l2tp_rx *rx = rel->rx;

	if (!rx || rx->msg.ns != rel->nr)
		return false;
	*out = rx->msg;
	LL_DELETE(rel->rx, rx);
	free(rx);
	rel->nr++;
	rel->ack_wanted = true;
	return true;
}

static struct l2tp_tx *tx_at(struct l2tp_reliable *rel, uint16_t ns)
{
	struct l2tp_tx *tx = rel->tx;

	for (uint16_t n = span_of(rel->una, ns); n; n--)
		tx = tx->next;
	return tx;
}

static void transmit(
    struct l2tp_reliable *rel, uint16_t ns, l2tp_emit_fn emit, void *ctx)
{
	struct l2tp_tx *tx = tx_at(rel, ns);

	/* Section 5.8: a retransmission keeps its Ns, its Nr is updated. */
	l2tp_msg_set_sequence(tx->data, tx->len, ns, rel->nr);
	emit(ctx, tx->data, tx->len);
	rel->ack_wanted = false;
}

void l2tp_reliable_output(
    struct l2tp_reliable *rel, uint64_t now_ms, l2tp_emit_fn emit, void *ctx)
{
	uint8_t zlb[L2TP_HEADER_LEN];

	while (
	    rel->nxt != rel->end && span_of(rel->una, rel->nxt) < rel->cwnd) {
		transmit(rel, rel->nxt++, emit, ctx);
		if (distance(rel->nxt, rel->max_sent) > 0)
			rel->max_sent = rel->nxt;
		if (rel->deadline == L2TP_NEVER)
			rel->deadline = now_ms + interval(rel);
	}
	if (!rel->ack_wanted)
		return;
	l2tp_zlb_encode(rel->peer_tunnel_id, rel->max_sent, rel->nr, zlb);
	emit(ctx, zlb, sizeof(zlb));
	rel->ack_wanted = false;
}

void l2tp_reliable_resend(
    struct l2tp_reliable *rel, l2tp_emit_fn emit, void *ctx)
{
	if (rel->una != rel->max_sent)
		transmit(rel, rel->una, emit, ctx);
}

int l2tp_reliable_tick(struct l2tp_reliable *rel, uint64_t now_ms)
{
	if (now_ms < rel->deadline)
		return 0;
	if (rel->tries >= rel->cfg.retries)
		return -ETIMEDOUT;
	rel->tries++;
	/* Appendix A: half the window is the new SSTHRESH, start at one. */
	rel->ssthresh = rel->cwnd > 1 ? rel->cwnd / 2 : 1;
	rel->cwnd = 1;
	rel->cwnd_count = 0;
	rel->nxt = rel->una;
	rel->deadline = now_ms + interval(rel);
	return 0;
}

void l2tp_reliable_abandon(struct l2tp_reliable *rel)
{
	while (rel->tx)
		tx_drop_first(rel);
	rel->una = rel->nxt = rel->end = rel->max_sent;
	rel->tries = 0;
	rel->deadline = L2TP_NEVER;
}

bool l2tp_reliable_is_idle(const struct l2tp_reliable *rel)
{
	return rel->una == rel->end;
}

uint16_t l2tp_reliable_oldest(const struct l2tp_reliable *rel)
{
	struct l2tp_header hdr;
	struct l2tp_avp avp;
	struct wire_span body;
	struct wire_reader r;

	if (!rel->tx ||
	    l2tp_header_decode(
		(struct wire_span){rel->tx->data, rel->tx->len}, &hdr, &body))
		return 0;
	wire_reader_init(&r, body.data, body.len);
	if (l2tp_avp_decode(&r, &avp) || avp.type != L2TP_AVP_MESSAGE_TYPE)
		return 0;
	wire_reader_init(&r, avp.value.data, avp.value.len);
	return wire_get_u16(&r);
}

void l2tp_reliable_save(
    const struct l2tp_reliable *rel, struct wire_writer *w, uint64_t now_ms)
{
	const struct l2tp_tx *tx;
	const struct l2tp_rx *rx;
	uint16_t kept = 0;

	wire_put_u16(w, rel->peer_tunnel_id);
	wire_put_u16(w, rel->peer_window);
	wire_put_u16(w, rel->una);
	wire_put_u16(w, span_of(rel->una, rel->end));
	wire_put_u16(w, span_of(rel->una, rel->nxt));
	wire_put_u16(w, span_of(rel->una, rel->max_sent));
	wire_put_u16(w, rel->nr);
	wire_put_u16(w, rel->cwnd);
	wire_put_u16(w, rel->ssthresh);
	wire_put_u16(w, rel->cwnd_count);
	wire_put_u32(w, rel->tries);
	wire_put_u8(w, rel->ack_wanted);
	saved_time_put(w, rel->deadline, now_ms);
	LL_FOREACH(rel->tx, tx)
	{
		wire_put_u16(w, (uint16_t)tx->len);
		wire_put_bytes(w, tx->data, tx->len);
	}
	if (now_ms == SAVED_ABSOLUTE) {
		wire_put_u16(w, 0);
		return;
	}
	LL_COUNT(rel->rx, rx, kept);
	wire_put_u16(w, kept);
	LL_FOREACH(rel->rx, rx)
	{
		wire_put_u16(w, rx->msg.ns);
		wire_put_u16(w, rx->msg.session_id);
		wire_put_u16(w, (uint16_t)rx->msg.len);
		wire_put_bytes(w, rx->msg.data, rx->msg.len);
	}
}

static void restore_tx(
    struct l2tp_reliable *rel, struct wire_reader *r, uint16_t count)
{
	struct wire_span s;

	rel->end = rel->una;
	while (count-- && !wire_error(r)) {
		s = wire_get_span(r, wire_get_u16(r));
		if (s.len < L2TP_HEADER_LEN ||
		    l2tp_reliable_queue(rel, s.data, s.len))
			wire_fail(r);
	}
}

static void restore_rx(struct l2tp_reliable *rel, struct wire_reader *r)
{
	struct l2tp_header hdr = {0};
	struct wire_span s;

	for (uint16_t n = wire_get_u16(r); n && !wire_error(r); n--) {
		hdr.ns = wire_get_u16(r);
		hdr.session_id = wire_get_u16(r);
		s = wire_get_span(r, wire_get_u16(r));
		if (!s.len || distance(hdr.ns, rel->nr) < 0 ||
		    distance(hdr.ns, rel->nr) >= rel->cfg.window ||
		    !rx_keep(rel, &hdr, s))
			wire_fail(r);
	}
}

int l2tp_reliable_restore(
    struct l2tp_reliable *rel, struct wire_reader *r, uint64_t now_ms)
{
	uint16_t queued, sent, max_sent;

	rel->peer_tunnel_id = wire_get_u16(r);
	rel->peer_window = wire_get_u16(r);
	rel->una = wire_get_u16(r);
	queued = wire_get_u16(r);
	sent = wire_get_u16(r);
	max_sent = wire_get_u16(r);
	rel->nr = wire_get_u16(r);
	rel->cwnd = wire_get_u16(r);
	rel->ssthresh = wire_get_u16(r);
	rel->cwnd_count = wire_get_u16(r);
	rel->tries = wire_get_u32(r);
	rel->ack_wanted = wire_get_u8(r) != 0;
	rel->deadline = saved_time_get(r, now_ms);
	if (max_sent > queued || sent > max_sent || !rel->cwnd ||
	    !rel->peer_window)
		wire_fail(r);
	rel->nxt = (uint16_t)(rel->una + sent);
	rel->max_sent = (uint16_t)(rel->una + max_sent);
	restore_tx(rel, r, queued);
	restore_rx(rel, r);
	return wire_error(r);
}
