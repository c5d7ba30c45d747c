/* SPDX-License-Identifier: ISC */
/* Freezes the machine in each state and forges messages to it. */
#include "test/lib/ike_cells.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/vendor.h"
#include "test/lib/ike_client_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int even(void *ctx, void *out, size_t len)
{
	uint8_t *p = out, *n = ctx;

	while (len--)
		*p++ = (*n)++;
	return 0;
}

/* Until the client has sent so much. */
static void main_until(struct cell_world *cw, enum client_sa_state state)
{
	for (int ms = 0; ms < 1000 && cw->c->cur->state != state; ms++)
		ikew_run(cw->w, 1);
	if (cw->c->cur->state != state)
		abort();
}

/* Drops what the client sends. */
static bool deaf(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	(void)w;
	(void)data;
	(void)len;
	return !to_server;
}

static void begin_quick(struct cell_world *cw)
{
	struct client_quick *q = ikec_start_quick(cw->c);

	cw->current = q->msgid;
}

/* Until message 3 has arrived and its Diffie-Hellman is ordered. */
static void to_keying(struct cell_world *cw)
{
	struct ike_counts n;

	main_until(cw, CLIENT_SENT3);
	ikew_run(cw->w, 5);
	n = ikew_counts(cw->w);
	if (!n.sas && !n.half_open)
		abort();
}

/* One that is not the message of any cell. */
static void inject_wrong_five(struct cell_world *cw)
{
	uint8_t data[ISAKMP_HEADER_LEN + CRYPTO_BLOCK_MAX];
	struct isakmp_header h = {.version = ISAKMP_VERSION,
	    .exchange = ISAKMP_EXCHANGE_MAIN,
	    .flags = ISAKMP_FLAG_ENCRYPTED};
	struct isakmp_builder b;

	memcpy(h.cky_i, cw->c->cur->cky_i, sizeof(h.cky_i));
	memcpy(h.cky_r, cw->c->cur->cky_r, sizeof(h.cky_r));
	isakmp_build_begin(&b, data, sizeof(data), &h);
	isakmp_build_open(&b, ISAKMP_PAYLOAD_ID);
	isakmp_build_close(&b);
	if (isakmp_build_finish(&b, CRYPTO_BLOCK_MAX) != sizeof(data))
		abort();
	ikew_inject(cw->w, &cw->c->outer[0], 500, data, sizeof(data));
}

static void reach(struct cell_world *cw, enum cell_state state)
{
	if (state == CELL_NOTHING)
		return;
	ikec_start_main(cw->c);
	if (state == CELL_WAIT3) {
		ikew_run(cw->w, 6);
		main_until(cw, CLIENT_SENT1);
		/* On its way: the client does not know CKY-R yet. */
		memcpy(cw->c->cur->cky_r, cw->w->last_out + 8, 8);
		return;
	}
	if (state == CELL_KEYING) {
		to_keying(cw);
		return;
	}
	main_until(cw, CLIENT_SENT3);
	if (state <= CELL_TRYING) {
		ikew_run(cw->w, 5);
		cw->w->filter = deaf;
		main_until(cw, CLIENT_SENT5);
		if (state == CELL_TRYING)
			inject_wrong_five(cw);
		return;
	}
	main_until(cw, CLIENT_UP);
	if (state == CELL_UP)
		return;
	cw->w->hold_ready = state == CELL_Q_PEER;
	begin_quick(cw);
	if (state == CELL_Q_KEYING) {
		ikew_run(cw->w, 5);
		return;
	}
	ikew_run(cw->w, 5);
	if (state == CELL_Q_SENT)
		cw->w->filter = deaf;
	ikew_run(cw->w, 100);
	/* What the server sent last is Quick Mode message 2. */
	memcpy(cw->iv3,
	    cw->w->last_out + cw->w->last_out_len - CRYPTO_BLOCK_MAX,
	    CRYPTO_BLOCK_MAX);
	if (state == CELL_CHILD && !ikew_pair_right(cw->w, cw->c))
		abort();
}

static void freeze(struct cell_world *cw)
{
	uint8_t seed = 1;
	size_t len;
	uint8_t *once = ike_save(cw->w->ike, cw->w->now, &len);
	struct ike *again =
	    ike_restore(&cw->w->cfg, even, &seed, cw->w->now, once, len);

	if (!again)
		abort();
	cw->saved = ike_save(again, cw->w->now, &cw->saved_len);
	ike_free(again);
	secret_free(once, len);
}

void cell_world_init(struct cell_world *cw, enum cell_state state)
{
	struct client_sa *sa;

	memset(cw, 0, sizeof(*cw));
	if (state >= CELL_I_SENT1) {
		cell_world_init_ours(cw, state);
		freeze(cw);
		return;
	}
	cw->w = ikew_new(11);
	cw->c = ikew_client(cw->w, "203.0.113.7", NULL, 0);
	if (state == CELL_Q_KEYING)
		cw->c->esp[0].group = IKE_GROUP_ECP256;
	if (state == CELL_WAIT5_SEVERAL || state == CELL_TRYING)
		cw->w->psk[1] = "another key";
	reach(cw, state);
	sa = cw->c->cur;
	cw->local = cw->c->server;
	cw->local.port = 500;
	cw->peer = cw->c->outer[0];
	cw->has_keys = state >= CELL_WAIT5;
	if (cw->has_keys &&
	    keymat_iv_phase1(&cw->w->crypto, &sa->keys,
		(struct wire_span){sa->dh.pub, sa->dh.pub_len},
		(struct wire_span){sa->gxr, sa->gxr_len}, cw->iv5) < 0)
		abort();
	freeze(cw);
}

void cell_world_done(struct cell_world *cw)
{
	secret_free(cw->saved, cw->saved_len);
	if (cw->is_ours)
		cell_world_done_ours(cw);
	else
		ikew_free(cw->w);
}

bool cell_possible(const struct cell_world *cw, const struct cell *cell)
{
	bool is_sealed =
	    cell->protection == CELL_SEALED || cell->protection == CELL_FORGED;

	if (is_sealed && !cw->has_keys)
		return false;
	if (cell->protection == CELL_FORGED && !strchr(cell->payloads, 'H'))
		return false;
	if (cell->protection == CELL_NOISE && !cell->payloads[0])
		return false;
	if (cell->id == CELL_ID_CURRENT && !cw->current)
		return false;
	return !(cell->cookies == CELL_COOKIES_OWN && !cw->c->cur);
}

/* What a forged message is made with. */
struct forge {
	struct cell_world *cw;
	const struct cell *cell;
	struct client_sa sa; /* cookies and keys */
	uint32_t msgid;
	struct isakmp_builder b;
	size_t hash_at, hash_end;
	size_t id_at, id_end;
};

static void fill(struct wire_writer *w, size_t len, uint8_t byte)
{
	while (len--)
		wire_put_u8(w, byte);
}

static void put_sa(struct forge *f)
{
	static const uint8_t spi[4] = {0x7a, 0x11, 0x22, 0x33};
	bool is_quick = f->cell->exchange == ISAKMP_EXCHANGE_QUICK;
	struct sa_offer_spec spec = {
	    .phase = is_quick ? SA_PHASE2 : SA_PHASE1,
	    .suites = is_quick ? f->cw->c->esp : f->cw->c->ike,
	    .suite_count = 1,
	    .spi = {spi, is_quick ? sizeof(spi) : 0},
	    .life_seconds = 3600,
	    .encap = is_quick ? IPSEC_ENCAP_TRANSPORT : 0,
	};

	sa_encode_offer(&f->b.w, &spec);
}

static void put_ke(struct forge *f)
{
	struct dh_result r;

	if (dh_keygen(NULL, IKE_GROUP_ECP256, &r))
		abort();
	wire_put_bytes(&f->b.w, r.pub, r.pub_len);
}

static void put_id(struct forge *f, bool is_swapped)
{
	bool is_quick = f->cell->exchange == ISAKMP_EXCHANGE_QUICK;
	/* The first ID of Quick Mode is the client, the second the server;
	 * Main Mode's is whoever sends it. */
	bool is_server = is_quick ? (f->id_at != 0) != is_swapped
				  : f->id_at || f->cw->is_ours;
	const struct addr *a = is_server ? &f->cw->c->server : &f->cw->c->inner;
	struct payload_id id =
	    payload_id_of_addr(a, is_quick ? 17 : 0, is_quick ? 1701 : 0);

	f->id_at = f->b.w.pos;
	payload_id_encode(&f->b.w, &id);
	f->id_end = f->b.w.pos;
}

static void put_notify(struct forge *f, uint16_t type, bool is_dpd)
{
	uint8_t spi[16], seq[4] = {0, 0, 0, 9};
	struct payload_notify n = {
	    .doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ISAKMP,
	    .type = type,
	};

	memcpy(spi, f->sa.cky_i, 8);
	memcpy(spi + 8, f->sa.cky_r, 8);
	n.spi = (struct wire_span){spi, sizeof(spi)};
	if (is_dpd)
		n.data = (struct wire_span){seq, sizeof(seq)};
	payload_notify_encode(&f->b.w, &n);
}

static void put_delete(struct forge *f, bool is_ike)
{
	uint8_t spi[16] = {0x01, 0x02, 0x03, 0x04};
	struct payload_delete d = {
	    .doi = ISAKMP_DOI_IPSEC,
	    .protocol = is_ike ? ISAKMP_PROTO_ISAKMP : ISAKMP_PROTO_ESP,
	    .spi_len = is_ike ? 16 : 4,
	    .count = 1,
	    .spis = {spi, is_ike ? 16 : 4},
	};

	if (is_ike) {
		memcpy(spi, f->sa.cky_i, 8);
		memcpy(spi + 8, f->sa.cky_r, 8);
	}
	payload_delete_encode(&f->b.w, &d);
}

static void put_vid(struct forge *f)
{
	struct wire_span v = vendor_value(VENDOR_DPD);

	wire_put_bytes(&f->b.w, v.data, v.len);
}

static const struct letter {
	char letter;
	uint8_t type;
} letters[] = {
    {'S', ISAKMP_PAYLOAD_SA},
    {'K', ISAKMP_PAYLOAD_KE},
    {'n', ISAKMP_PAYLOAD_NONCE},
    {'i', ISAKMP_PAYLOAD_ID},
    {'j', ISAKMP_PAYLOAD_ID},
    {'H', ISAKMP_PAYLOAD_HASH},
    {'V', ISAKMP_PAYLOAD_VID},
    {'d', ISAKMP_PAYLOAD_NAT_D},
    {'C', ISAKMP_PAYLOAD_CERT},
    {'c', ISAKMP_PAYLOAD_CERTREQ},
    {'G', ISAKMP_PAYLOAD_SIG},
    {'A', ISAKMP_PAYLOAD_ATTRIBUTES},
    {'o', ISAKMP_PAYLOAD_NAT_OA},
    {'R', ISAKMP_PAYLOAD_NOTIFY},
    {'I', ISAKMP_PAYLOAD_NOTIFY},
    {'E', ISAKMP_PAYLOAD_NOTIFY},
    {'X', ISAKMP_PAYLOAD_DELETE},
    {'x', ISAKMP_PAYLOAD_DELETE},
    {'2', 33},
    {'u', 99},
};

static void put_body(struct forge *f, char letter)
{
	size_t prf = f->cw->has_keys ? f->sa.keys.prf_len : 20;

	switch (letter) {
	case 'S':
		put_sa(f);
		return;
	case 'K':
		put_ke(f);
		return;
	case 'i':
	case 'j':
		put_id(f, letter == 'j');
		return;
	case 'H':
		f->hash_at = f->b.w.pos;
		fill(&f->b.w, prf, 0);
		f->hash_end = f->b.w.pos;
		return;
	case 'V':
		put_vid(f);
		return;
	case 'R':
		put_notify(f, ISAKMP_N_R_U_THERE, true);
		return;
	case 'I':
		put_notify(f, ISAKMP_N_INITIAL_CONTACT, false);
		return;
	case 'E':
		put_notify(f, ISAKMP_N_INVALID_COOKIE, false);
		return;
	case 'X':
		put_delete(f, true);
		return;
	case 'x':
		put_delete(f, false);
		return;
	case 'o':
		payload_nat_oa_encode(&f->b.w, &f->cw->c->inner);
		return;
	default:
		fill(&f->b.w, 20, (uint8_t)letter);
	}
}

static void put_payload(struct forge *f, char letter)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (letters[i].letter != letter)
			continue;
		isakmp_build_open(&f->b, letters[i].type);
		put_body(f, letter);
		isakmp_build_close(&f->b);
		return;
	}
	abort();
}

/* The right hash for where this message would stand. */
static void put_hash(struct forge *f, uint8_t *buf)
{
	const struct client_quick *q = &f->cw->c->quick[0];
	const struct crypto *crypto = &f->cw->w->crypto;
	uint8_t hash[IKE_KEY_MAX];
	struct ike_phase1 p1 = {
	    .gxi = {f->sa.dh.pub, f->sa.dh.pub_len},
	    .gxr = {f->sa.gxr, f->sa.gxr_len},
	    .cky_i = {f->sa.cky_i, 8},
	    .cky_r = {f->sa.cky_r, 8},
	    .sai_b = {f->sa.sai, f->sa.sai_len},
	};
	int len;

	if (f->cell->exchange == ISAKMP_EXCHANGE_MAIN)
		len = (f->cw->is_ours ? keymat_hash_r : keymat_hash_i)(crypto,
		    &f->sa.keys, &p1,
		    (struct wire_span){buf + f->id_at, f->id_end - f->id_at},
		    hash);
	else if (f->cell->id == CELL_ID_CURRENT && f->cw->is_ours)
		len = keymat_hash2(crypto, &f->sa.keys, f->msgid,
		    (struct wire_span){q->ni, sizeof(q->ni)},
		    isakmp_build_since(&f->b, f->hash_end), hash);
	else if (f->cell->id == CELL_ID_CURRENT)
		len = keymat_hash3(crypto, &f->sa.keys, f->msgid,
		    (struct wire_span){q->ni, sizeof(q->ni)},
		    (struct wire_span){q->nr, q->nr_len}, hash);
	else
		len = keymat_hash1(crypto, &f->sa.keys, f->msgid,
		    isakmp_build_since(&f->b, f->hash_end), hash);
	if (len < 0)
		abort();
	if (f->cell->protection == CELL_FORGED)
		hash[len - 1] ^= 1;
	wire_set_bytes(&f->b.w, f->hash_at, hash, (size_t)len);
}

static void cookies(struct forge *f)
{
	struct ike_client *c = f->cw->c;

	if (c->cur)
		f->sa = *c->cur;
	if (f->cell->cookies != CELL_COOKIES_OWN) {
		memset(f->sa.cky_i, 0xa5, 8);
		memset(f->sa.cky_r,
		    f->cell->cookies == CELL_COOKIES_UNKNOWN ? 0x5a : 0, 8);
	}
}

static uint32_t msgid_of(const struct cell_world *cw, enum cell_id id)
{
	switch (id) {
	case CELL_ID_FRESH:
		return 0x12345678;
	case CELL_ID_CURRENT:
		return cw->current;
	case CELL_ID_ZERO:
	case CELL_IDS:
		return 0;
	}
	return 0;
}

static void iv_for(struct forge *f, uint8_t iv[CRYPTO_BLOCK_MAX])
{
	if (f->cell->exchange == ISAKMP_EXCHANGE_MAIN)
		memcpy(iv, f->cw->iv5, CRYPTO_BLOCK_MAX);
	else if (f->cell->id == CELL_ID_CURRENT)
		memcpy(iv, f->cw->iv3, CRYPTO_BLOCK_MAX);
	else if (keymat_iv_phase2(&f->cw->w->crypto, &f->sa.keys, f->sa.iv,
		     f->msgid, iv) < 0)
		abort();
}

size_t cell_forge(struct cell_world *cw, const struct cell *cell,
    uint8_t out[CLIENT_PACKET_MAX])
{
	struct forge f = {.cw = cw, .cell = cell};
	bool is_sealed =
	    cell->protection == CELL_SEALED || cell->protection == CELL_FORGED;
	struct isakmp_header h = {
	    .version = ISAKMP_VERSION,
	    .exchange = cell->exchange,
	    .flags = cell->protection == CELL_CLEAR ? 0 : ISAKMP_FLAG_ENCRYPTED,
	};
	uint8_t iv[CRYPTO_BLOCK_MAX];
	int len;

	cookies(&f);
	f.msgid = h.message_id = msgid_of(cw, cell->id);
	memcpy(h.cky_i, f.sa.cky_i, 8);
	memcpy(h.cky_r, f.sa.cky_r, 8);
	isakmp_build_begin(&f.b, out, CLIENT_PACKET_MAX, &h);
	for (const char *p = cell->payloads; *p; p++)
		put_payload(&f, *p);
	if (f.hash_at && cw->has_keys)
		put_hash(&f, out);
	len = isakmp_build_finish(
	    &f.b, cell->protection == CELL_CLEAR ? 0 : CRYPTO_BLOCK_MAX);
	if (len < 0)
		abort();
	if (cell->protection == CELL_NOISE)
		memset(out + ISAKMP_HEADER_LEN, 0x3c,
		    (size_t)len - ISAKMP_HEADER_LEN);
	if (is_sealed && len > ISAKMP_HEADER_LEN) {
		iv_for(&f, iv);
		if (keymat_encrypt(&cw->w->crypto, &f.sa.keys, iv,
			out + ISAKMP_HEADER_LEN,
			(size_t)len - ISAKMP_HEADER_LEN) < 0)
			abort();
	}
	return (size_t)len;
}

static void count_action(struct cell_result *r, const struct ike_action *a)
{
	enum ike_action_type type = a->type;

	r->sends += type == IKE_ACT_SEND;
	r->jobs_dh += type == IKE_ACT_DH || type == IKE_ACT_DH_KEYGEN ||
		      type == IKE_ACT_DH_DERIVE;
	r->jobs_psk += type == IKE_ACT_PSK;
	r->jobs_trial += type == IKE_ACT_TRIAL;
	r->opens += type == IKE_ACT_PEER_OPEN;
	r->adds += type == IKE_ACT_SA_ADD;
	r->dels += type == IKE_ACT_SA_DEL;
	r->ups += type == IKE_ACT_PEER_UP;
	r->downs += type == IKE_ACT_PEER_DOWN;
	if (a->type == IKE_ACT_LOG)
		snprintf(r->said, sizeof(r->said), "%s", a->text);
	r->reports += type == IKE_ACT_CONN_UP || type == IKE_ACT_CONN_FAILED;
}

struct cell_result cell_run(
    struct cell_world *cw, const uint8_t *data, size_t len)
{
	struct cell_result r = {0};
	struct ike_actions acts = {0};
	uint8_t seed = 77;
	struct ike *ike = ike_restore(
	    &cw->w->cfg, even, &seed, cw->w->now, cw->saved, cw->saved_len);
	struct ike_event ev = {
	    .type = IKE_EV_DATAGRAM,
	    .now_ms = cw->w->now,
	    .local = cw->local,
	    .peer = cw->peer,
	    .data = {data, len},
	};
	struct ike_counts n;
	size_t after_len;
	uint8_t *after;

	if (!ike)
		abort();
	ike_step(ike, &ev, &acts);
	for (size_t i = 0; i < acts.count; i++)
		count_action(&r, &acts.items[i]);
	after = ike_save(ike, cw->w->now, &after_len);
	r.is_changed = after_len != cw->saved_len ||
		       memcmp(after, cw->saved, after_len) != 0;
	ike_count(ike, &n);
	r.sas = n.sas;
	r.half_open = n.half_open;
	r.pairs = n.pairs;
	r.peers = n.peers;
	secret_free(after, after_len);
	ike_actions_free(&acts);
	ike_free(ike);
	return r;
}
