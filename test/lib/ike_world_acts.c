/* SPDX-License-Identifier: ISC */
/* The world's kernel, monitor and l2tpd: what they do with actions. */
#include "test/lib/ike_world_priv.h"

#include "common/secret.h"
#include "ikev1/core/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void carry_out(struct ikew *w, const struct ike_action *a)
{
	struct ike_event ev = {
	    .type = IKE_EV_DATAGRAM,
	    .local = a->local,
	    .peer = a->peer,
	};

	if (a->len > CLIENT_PACKET_MAX)
		abort();
	w->sends++;
	w->bytes_out += a->len;
	memcpy(w->last_out, a->data, w->last_out_len = a->len);
	ikew_carry(w, false, &ev, a->data, a->len);
}

static void keepalive(struct ikew *w, const struct ike_action *a)
{
	if ((a->local.port != 4500 && !w->cfg.has_esp_500) || a->len)
		abort();
	w->keepalives++;
	w->keepalive_to = a->peer;
}

static void dh(struct ikew *w, const struct ike_action *a)
{
	struct ikew_item *it = ikew_queue(w, 3);
	struct wire_span peer = {a->data, a->len}, priv = {a->data2, a->len2};
	struct dh_result r = {.pub_len = 0};
	int err;

	if (a->type == IKE_ACT_DH_KEYGEN)
		err = dh_keygen(NULL, a->group, &r);
	else if (a->type == IKE_ACT_DH_DERIVE)
		err = dh_finish(NULL, a->group, priv, peer, &r);
	else
		err = dh_exchange(NULL, a->group, peer, &r);

	it->ev.type = IKE_EV_DH_DONE;
	it->ev.job = a->job;
	it->ev.error = err;
	if (err)
		return;
	memcpy(it->pub, w->mirror_dh ? a->data : r.pub,
	    it->ev.pub.len = r.pub_len);
	memcpy(it->shared, r.shared, it->ev.shared.len = r.shared_len);
	secret_wipe(&r, sizeof(r));
}

/* The i-th key; nobody's behind the count. */
static struct trial_key key_at(const struct ikew *w, size_t i)
{
	const char *key = w->psk[i] ? w->psk[i] : "nobody's";
	const char *fqdn = w->psk[i] ? w->psk_fqdn[i] : NULL;
	struct trial_key k = {
	    .secret = {(const uint8_t *)key, strlen(key)},
	    .is_real = w->psk[i] != NULL,
	    .who = {.line = (uint32_t)i + 1,
		.entry = (uint16_t)(i + 7),
		.id_type = fqdn ? IPSEC_ID_FQDN : 0,
		.id_len = fqdn ? (uint8_t)strlen(fqdn) : 0},
	};

	memcpy(k.who.id, fqdn ? fqdn : "", k.who.id_len);
	return k;
}

static size_t key_count(const struct ikew *w)
{
	size_t count = 0;

	while (count < CANDIDATES_MAX && w->psk[count])
		count++;
	return count;
}

/* As the psk file's slots. */
static size_t slot_count(const struct ikew *w)
{
	size_t count = key_count(w), least = (size_t)w->psk_slots;

	return count > least ? count : least;
}

static void answer_key(struct ikew_item *it, const struct candidate *who)
{
	struct wire_writer out;

	wire_writer_init(&out, it->shared, sizeof(it->shared));
	candidate_put(&out, who);
	it->ev.shared.len = out.pos;
}

static void psk(struct ikew *w, const struct ike_action *a)
{
	struct ikew_item *it = ikew_queue(w, 1);
	struct trial_key k;
	size_t at = 0;
	int len;

	it->ev.type = IKE_EV_PSK_DONE;
	it->ev.job = a->job;
	it->ev.error = w->psk_error;
	w->psk_asked++;
	if (w->psk_error)
		return;
	it->ev.psk_count = (uint16_t)key_count(w);
	if (a->psk_use == IKE_PSK_ANSWER && slot_count(w) > 1)
		return;
	if (a->psk_use == IKE_PSK_RENEW && a->psk_entry >= 7 &&
	    a->psk_entry - 7u < key_count(w))
		at = a->psk_entry - 7u;
	k = key_at(w, at);
	len = keymat_psk_skeyid(&w->crypto, a->hash, k.secret,
	    (struct wire_span){a->data, a->len},
	    (struct wire_span){a->data2, a->len2}, k.who.skeyid);
	if (len < 0)
		abort();
	k.who.skeyid_len = (uint8_t)len;
	answer_key(it, &k.who);
}

static void trial(struct ikew *w, const struct ike_action *a)
{
	struct ikew_item *it = ikew_queue(w, 1);
	struct trial_key keys[CANDIDATES_MAX];
	struct wire_writer out;
	int found;

	it->ev.type = IKE_EV_TRIAL_DONE;
	it->ev.job = a->job;
	w->trials++;
	for (size_t i = 0; i < slot_count(w); i++)
		keys[i] = key_at(w, i);
	found = trial_find(&w->crypto, a->trial, keys, slot_count(w));
	it->ev.error = w->trial_error			? w->trial_error
		       : found == -ENOENT || found >= 0 ? 0
							: found;
	wire_writer_init(&out, it->lines, sizeof(it->lines));
	for (size_t i = 0; found < 0 && i < key_count(w); i++)
		wire_put_u32(&out, keys[i].who.line);
	it->ev.data.len = out.pos;
	if (found >= 0)
		answer_key(it, &keys[found].who);
}

static void peer_open(struct ikew *w, const struct ike_action *a)
{
	struct ikew_item *it = ikew_queue(w, 1);
	struct ikew_peer *p;

	it->ev.type = IKE_EV_PEER_OPENED;
	it->ev.job = a->job;
	it->ev.error = w->open_error;
	if (w->open_error)
		return;
	if (w->peer_count == WORLD_PEERS)
		abort();
	p = &w->peer[w->peer_count++];
	p->state = WORLD_PEER_OPENED;
	p->r = w->next_r++;
	p->slot = (uint32_t)w->peer_count;
	it->ev.r = p->r;
	it->ev.slot = p->slot;
}

static void answer(struct ikew *w, enum ike_event_type type, uint64_t r)
{
	struct ikew_item *it = ikew_queue(w, 2);

	it->ev.type = type;
	it->ev.r = r;
}

static void peer_up(struct ikew *w, const struct ike_action *a)
{
	struct ikew_peer *p = ikew_find_peer(w, a->r);

	if (!p || p->state != WORLD_PEER_OPENED)
		abort();
	if (a->up->r != p->r || a->up->slot != p->slot)
		abort();
	p->state = WORLD_PEER_UP;
	p->up = *a->up;
	if (w->refuse_peers)
		answer(w, IKE_EV_PEER_REFUSED, p->r);
	else if (!w->hold_ready)
		answer(w, IKE_EV_PEER_READY, p->r);
}

static void peer_down(struct ikew *w, const struct ike_action *a)
{
	struct ikew_peer *p = ikew_find_peer(w, a->r);

	if (!p || p->state == WORLD_NO_PEER || p->state == WORLD_PEER_ENDED)
		abort();
	/* SAs go first, sockets last. */
	for (size_t i = 0; i < w->sa_count; i++) {
		if (w->sa[i].is_live && w->sa[i].sa.r == p->r)
			abort();
	}
	p->state = WORLD_PEER_DOWN;
	snprintf(p->reason, sizeof(p->reason), "%s", a->text);
	if (!w->hold_gone)
		answer(w, IKE_EV_PEER_GONE, p->r);
}

static void sa_add(struct ikew *w, const struct ike_action *a)
{
	struct ikew_item *it = ikew_queue(w, 1);
	const struct ikew_peer *p = ikew_find_peer(w, a->sa->r);

	it->ev.type = IKE_EV_SA_DONE;
	it->ev.job = a->job;
	it->ev.spi = a->sa->spi;
	it->ev.error = w->add_error;
	/* A key without a socket to deliver to is a leak. */
	if (!p || p->state != WORLD_PEER_UP || p->slot != a->sa->slot)
		abort();
	if (w->add_error)
		return;
	if (w->sa_count == WORLD_SAS)
		abort();
	w->sa[w->sa_count].is_live = true;
	w->sa[w->sa_count++].sa = *a->sa;
}

static struct ikew_sa *same_sa(struct ikew *w, const struct ike_kernel_sa *sa)
{
	struct ikew_sa *s = ikew_find_sa(w, sa->spi);

	/* Of an R that the engine does not know there is no address. */
	bool is_there = s && (sa->dst.family == ADDR_NONE ||
				 addr_ip_equal(&s->sa.dst, &sa->dst));

	return is_there && s->sa.r == sa->r && s->sa.dir == sa->dir ? s : NULL;
}

static void sa_del(struct ikew *w, const struct ike_action *a)
{
	struct ikew_sa *s = same_sa(w, a->sa);

	if (s)
		s->is_live = false;
}

/* A client whose Quick Mode is finished sends with its pair. */
static bool client_uses(const struct ikew *w, uint32_t spi)
{
	for (size_t i = 0; i < w->client_count; i++) {
		struct client_pair *p = ikec_newest_pair(w->client[i]);

		if (p && p->spi_out == spi)
			return true;
	}
	return false;
}

static void sa_query(struct ikew *w, const struct ike_action *a)
{
	struct ikew_item *it = ikew_queue(w, 1);
	const struct ikew_sa *s = same_sa(w, a->sa);

	it->ev.type = IKE_EV_SA_USED;
	it->ev.job = a->job;
	it->ev.spi = a->sa->spi;
	it->ev.error = s ? 0 : -ESRCH;
	it->ev.packets = s ? s->packets : 0;
	if (s && w->traffic)
		it->ev.packets += client_uses(w, a->sa->spi);
}

static void sa_encap(struct ikew *w, const struct ike_action *a)
{
	struct ikew_sa *s = same_sa(w, a->sa);

	if (!s || !s->sa.encap)
		abort();
	s->sa.src = a->sa->src;
	s->sa.dst = a->sa->dst;
	w->encap_changes++;
}

static void log_line(struct ikew *w, const struct ike_action *a)
{
	size_t len = strlen(a->text);

	if (a->what_len) {
		w->refusals++;
		memset(w->refusal, 0, sizeof(w->refusal));
		memcpy(w->refusal, a->text + a->what_at, a->what_len);
		w->refusal_proven = a->is_proven;
		w->refusal_peer = a->peer;
	}
	if (a->level == IKE_LOG_NONE)
		return;

	if (getenv("WORLD_LOG"))
		fprintf(stdout, "%llu [%d] %s\n", (unsigned long long)w->now,
		    a->level, a->text);
	if (w->log_len + len + 2 > sizeof(w->log))
		abort();
	memcpy(w->log + w->log_len, a->text, len);
	w->log_len += len;
	w->log[w->log_len++] = '\n';
}

static void peer_update(struct ikew *w, const struct ike_action *a)
{
	struct ikew_peer *p = ikew_find_peer(w, a->r);

	if (!p)
		abort();
	p->up = *a->up;
	p->updates++;
}

static void peer_ended(struct ikew *w, const struct ike_action *a)
{
	struct ikew_peer *p = ikew_find_peer(w, a->r);

	if (!p || p->state == WORLD_PEER_ENDED)
		abort();
	p->state = WORLD_PEER_ENDED;
}

static void conn_up(struct ikew *w, const struct ike_action *a)
{
	(void)a;
	w->conn_ups++;
}

static void conn_failed(struct ikew *w, const struct ike_action *a)
{
	w->conn_failures++;
	snprintf(w->conn_text, sizeof(w->conn_text), "%s", a->text);
}

void ikew_act(struct ikew *w, const struct ike_action *a)
{
	static void (*const carry[])(
	    struct ikew * w, const struct ike_action *a) = {
	    [IKE_ACT_SEND] = carry_out,
	    [IKE_ACT_KEEPALIVE] = keepalive,
	    [IKE_ACT_DH] = dh,
	    [IKE_ACT_DH_KEYGEN] = dh,
	    [IKE_ACT_DH_DERIVE] = dh,
	    [IKE_ACT_PSK] = psk,
	    [IKE_ACT_TRIAL] = trial,
	    [IKE_ACT_PEER_OPEN] = peer_open,
	    [IKE_ACT_PEER_UP] = peer_up,
	    [IKE_ACT_PEER_UPDATE] = peer_update,
	    [IKE_ACT_PEER_DOWN] = peer_down,
	    [IKE_ACT_PEER_END] = peer_ended,
	    [IKE_ACT_SA_ADD] = sa_add,
	    [IKE_ACT_SA_DEL] = sa_del,
	    [IKE_ACT_SA_QUERY] = sa_query,
	    [IKE_ACT_SA_ENCAP] = sa_encap,
	    [IKE_ACT_CONN_UP] = conn_up,
	    [IKE_ACT_CONN_FAILED] = conn_failed,
	    [IKE_ACT_LOG] = log_line,
	};

	if (w->is_resuming && a->type != IKE_ACT_PEER_UP &&
	    a->type != IKE_ACT_PEER_DOWN && a->type != IKE_ACT_LOG)
		abort();
	carry[a->type](w, a);
}

/* --- what tests ask ------------------------------------------------------ */

int ikew_log_count(const struct ikew *w, const char *text)
{
	const char *at = w->log;
	int n = 0;

	while ((at = strstr(at, text))) {
		at += strlen(text);
		n++;
	}
	return n;
}

bool ikew_logged(const struct ikew *w, const char *text)
{
	return ikew_log_count(w, text) > 0;
}

void ikew_log_clear(struct ikew *w)
{
	memset(w->log, 0, sizeof(w->log));
	w->log_len = 0;
}

size_t ikew_live(const struct ikew *w, uint64_t r, uint8_t *out)
{
	struct wire_writer wr;

	wire_writer_init(&wr, out, WORLD_SAS * IKE_LIVE_SIZE);
	for (size_t i = 0; i < w->sa_count; i++)
		if (w->sa[i].is_live && w->sa[i].sa.r == r) {
			wire_put_u8(&wr, w->sa[i].sa.dir);
			wire_put_u32(&wr, w->sa[i].sa.spi);
		}
	return wr.pos;
}

size_t ikew_live_sas(const struct ikew *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->sa_count; i++)
		n += w->sa[i].is_live;
	return n;
}

struct ikew_sa *ikew_find_sa(struct ikew *w, uint32_t spi)
{
	for (size_t i = 0; i < w->sa_count; i++) {
		if (w->sa[i].is_live && w->sa[i].sa.spi == spi)
			return &w->sa[i];
	}
	return NULL;
}

struct ikew_peer *ikew_find_peer(struct ikew *w, uint64_t r)
{
	for (size_t i = 0; i < w->peer_count; i++) {
		if (w->peer[i].r == r)
			return &w->peer[i];
	}
	return NULL;
}

size_t ikew_peers_in(const struct ikew *w, enum ikew_peer_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->peer_count; i++)
		n += w->peer[i].state == state;
	return n;
}

/* Keys equal, directions crossed. */
static bool keys_equal(
    const struct ike_kernel_sa *a, const struct ike_kernel_sa *b)
{
	return a->enc_len == b->enc_len && a->auth_len == b->auth_len &&
	       a->cipher == b->cipher && a->auth == b->auth &&
	       a->trunc_bits == b->trunc_bits && a->enc_len > 0 &&
	       !memcmp(a->enc_key, b->enc_key, a->enc_len) &&
	       !memcmp(a->auth_key, b->auth_key, a->auth_len);
}

bool ikew_pair_right(struct ikew *w, struct ike_client *c)
{
	struct client_pair *p = ikec_newest_pair(c);
	struct ikew_sa *in = p ? ikew_find_sa(w, p->spi_out) : NULL;
	struct ikew_sa *out = p ? ikew_find_sa(w, p->spi_in) : NULL;
	bool is_udp = p && p->encap != IPSEC_ENCAP_TRANSPORT;
	const struct addr *outer = &c->outer[is_udp && !ikec_on_500(c)];

	return in && out && in->sa.dir == IKE_SA_IN &&
	       out->sa.dir == IKE_SA_OUT && in->sa.r == out->sa.r &&
	       keys_equal(&in->sa, &p->out) && keys_equal(&out->sa, &p->in) &&
	       addr_equal(&in->sa.src, outer) &&
	       addr_equal(&out->sa.dst, outer) && in->sa.encap == is_udp;
}

uint64_t ikew_r_of(struct ikew *w, struct ike_client *c)
{
	struct client_pair *p = ikec_newest_pair(c);
	struct ikew_sa *in = p ? ikew_find_sa(w, p->spi_out) : NULL;

	return in ? in->sa.r : 0;
}

struct ike_counts ikew_counts(const struct ikew *w)
{
	struct ike_counts n;

	ike_count(w->ike, &n);
	return n;
}
