/* SPDX-License-Identifier: ISC */
/*
 * The whole state as bytes and back.  Each object has one description that
 * serves both directions (store.h); references between objects go as tags,
 * cookies and SPIs.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_MAGIC 0x53504b31u /* "SPK1" */
#define SAVE_VERSION 18
#define COUNT_MAX 1000000 /* of anything: more is damage */

/* Enumerations are a byte; loading refuses values above the last one. */
static void store_enum(struct store *s, int value, uint8_t last, int *out)
{
	uint8_t v = (uint8_t)value;

	store_u8(s, &v);
	if (v > last) {
		store_fail(s);
		v = 0;
	}
	*out = v;
}

#define STORE_ENUM(s, type, field, last)                                       \
	do {                                                                   \
		int value_;                                                    \
                                                                               \
		store_enum(s, (int)(field), (uint8_t)(last), &value_);         \
		(field) = (type)value_;                                        \
	} while (0)

static void suite(struct store *s, struct ike_suite *v)
{
	store_u16(s, &v->cipher);
	store_u16(s, &v->key_bits);
	store_u16(s, &v->hash);
	store_u16(s, &v->group);
}

static void keys(struct store *s, struct ike_keys *k)
{
	uint16_t *numbers[] = {&k->hash, &k->cipher, &k->key_bits, &k->prf_len,
	    &k->key_len, &k->block_len};
	uint8_t *secrets[] = {
	    k->skeyid, k->skeyid_d, k->skeyid_a, k->skeyid_e, k->key};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		store_u16(s, numbers[i]);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		store_array(s, secrets[i], IKE_KEY_MAX);
	if (k->prf_len > IKE_KEY_MAX || k->key_len > IKE_KEY_MAX ||
	    k->block_len > CRYPTO_BLOCK_MAX)
		store_fail(s);
}

static void kernel_keys(struct store *s, struct ike_kernel_sa **keys)
{
	bool is_there = *keys;
	struct ike_kernel_sa *k;

	store_bool(s, &is_there);
	if (!is_there)
		return;
	if (s->loading)
		*keys = xcalloc(1, sizeof(**keys));
	k = *keys;
	store_u16(s, &k->cipher);
	store_u16(s, &k->auth);
	store_u16(s, &k->trunc_bits);
	store_array(s, k->enc_key, sizeof(k->enc_key));
	store_u16(s, &k->enc_len);
	store_array(s, k->auth_key, sizeof(k->auth_key));
	store_u16(s, &k->auth_len);
	store_u32(s, &k->soft_s);
	store_u32(s, &k->hard_s);
	store_u64(s, &k->soft_bytes);
	store_u64(s, &k->hard_bytes);
	if (k->enc_len > IKE_KEY_MAX || k->auth_len > IKE_KEY_MAX)
		store_fail(s);
}

void child_store(struct store *s, struct child *c)
{
	STORE_ENUM(s, enum child_state, c->state, CHILD_UP);
	store_u32(s, &c->spi_out);
	store_array(s, c->own, COOKIE_LEN);
	store_u32(s, &c->msgid);
	store_u32(s, &c->sa_age);
	store_deadline(s, &c->retire_ms);
	store_deadline(s, &c->soft_ms);
	store_deadline(s, &c->hard_ms);
	store_u8(s, &c->retire_tries);
	store_u64(s, &c->packets);
	store_bool(s, &c->is_busy);
	store_past(s, &c->up_ms);
	store_bool(s, &c->is_worn);
	store_bool(s, &c->is_ours);
	store_bool(s, &c->encap);
	store_bool(s, &c->has_out);
	store_u32(s, &c->limits.soft_s);
	store_u32(s, &c->limits.hard_s);
	store_u64(s, &c->limits.soft_bytes);
	store_u64(s, &c->limits.hard_bytes);
	kernel_keys(s, &c->in);
	kernel_keys(s, &c->out);
}

/* Loading puts each pair in front: they go oldest first. */
static void children(struct store *s, struct ike *ike, struct peer *p)
{
	struct child **list = NULL, *c;
	uint32_t count = 0;

	for (c = p->children; c; c = c->next) {
		list = xreallocarray(list, ++count, sizeof(struct child *));
		list[count - 1] = c;
	}
	store_max(s, &count, COUNT_MAX);
	while (count-- && !store_error(s)) {
		uint32_t spi = list ? list[count]->spi_in : 0;

		store_u32(s, &spi);
		if (s->loading && child_find(ike, spi)) {
			store_fail(s);
			break;
		}
		child_store(s, list ? list[count] : child_of(ike, p, spi));
	}
	free(list);
}

static void peer_all(struct store *s, struct ike *ike, struct peer *p)
{
	store_u32(s, &p->tag);
	STORE_ENUM(s, enum peer_state, p->state, PEER_CLOSING);
	store_u64(s, &p->r);
	store_u32(s, &p->slot);
	store_bool(s, &p->held);
	peer_store(s, p);
	store_deadline(s, &p->due_ms);
	store_deadline(s, &p->rekey_ms);
	store_past(s, &p->moved_ms);
	if (p->sa)
		memcpy(p->sa_own, p->sa->own, COOKIE_LEN);
	else if (!s->loading)
		memset(p->sa_own, 0, COOKIE_LEN);
	store_array(s, p->sa_own, COOKIE_LEN);
	children(s, ike, p);
}

static void choice(struct store *s, struct proposal_choice *c)
{
	uint32_t protocol = (uint32_t)c->protocol;
	uint32_t transform = (uint32_t)c->transform;

	store_max(s, &protocol, SA_MAX_PROTOCOLS - 1);
	store_max(s, &transform, SA_MAX_TRANSFORMS - 1);
	c->protocol = protocol;
	c->transform = transform;
	suite(s, &c->suite);
	store_u16(s, &c->encap);
	store_u64(s, &c->life_seconds);
	store_u64(s, &c->life_kilobytes);
}

static void quick(struct store *s, struct ike *ike, struct quick *q)
{
	struct bytes *all[] = {&q->first, &q->sai, &q->ni, &q->nr, &q->idci,
	    &q->idcr, &q->ke, &q->shared, &q->reply};
	uint32_t tag = q->peer ? q->peer->tag : 0;

	STORE_ENUM(s, enum quick_state, q->state, QUICK_CONFIRMED);
	store_u32(s, &q->msgid);
	store_bool(s, &q->is_ours);
	store_bool(s, &q->is_renewal);
	store_u32(s, &tag);
	store_u32(s, &q->spi_in);
	store_u32(s, &q->spi_out);
	choice(s, &q->choice);
	store_u8(s, &q->sel.protocol);
	store_u16(s, &q->sel.client_port);
	store_u16(s, &q->sel.server_port);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		store_bytes(s, all[i]);
	store_u8(s, &q->oa_type);
	store_bool(s, &q->oa_one);
	store_array(s, q->iv, sizeof(q->iv));
	store_u8(s, &q->sent);
	store_u8(s, &q->repeats);
	store_bool(s, &q->is_proof);
	store_deadline(s, &q->due_ms);
	store_deadline(s, &q->give_up_ms);
	if (!s->loading || !tag)
		return;
	q->peer = peer_by_tag(ike, tag);
	if (q->peer)
		q->peer->users++;
	else
		store_fail(s);
}

static void quicks(struct store *s, struct ike *ike, struct ike_sa *sa)
{
	struct quick *q, **at = &sa->quicks;
	uint32_t count = 0;

	for (q = sa->quicks; q; q = q->next)
		count++;
	store_max(s, &count, QUICKS_MAX);
	while (count-- && !store_error(s)) {
		if (s->loading)
			*at = xcalloc(1, sizeof(**at));
		(*at)->sa = sa;
		quick(s, ike, *at);
		at = &(*at)->next;
	}
}

static void message_ids(struct store *s, struct ike_sa *sa)
{
	store_max(s, &sa->ids_count, MESSAGE_IDS_MAX);
	if (s->loading)
		sa->ids = xreallocarray(
		    NULL, sa->ids_room = sa->ids_count + 16, sizeof(*sa->ids));
	for (uint32_t i = 0; i < sa->ids_count; i++)
		store_u32(s, &sa->ids[i]);
}

static void sa_flags(struct store *s, struct ike_sa *sa)
{
	/* Not mismatch_said: a packet that proves nothing changes nothing. */
	bool *flags[] = {&sa->dpd, &sa->client_nat, &sa->server_nat, &sa->frags,
	    &sa->forced, &sa->on_500, &sa->dpd_in_known, &sa->hears_us,
	    &sa->contact, &sa->dpd_asked};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		store_bool(s, flags[i]);
}

/* By name: a machine that does not know it can't go on with the SA. */
static void persona(struct store *s, const struct ike *ike, struct ike_sa *sa)
{
	char name[PERSONA_NAME_MAX] = "";

	if (sa->persona)
		snprintf(name, sizeof(name), "%s", sa->persona->name);
	store_text(s, name, sizeof(name));
	if (!s->loading || !name[0])
		return;
	sa->persona = persona_find(&ike->cfg, name);
	if (!sa->persona)
		store_fail(s);
}

static void initiator(struct store *s, const struct ike *ike, struct ike_sa *sa)
{
	persona(s, ike, sa);
	store_u32(s, &sa->msgid_count);
	store_u32(s, &sa->conn);
	store_u32(s, &sa->up_age);
	store_deadline(s, &sa->rekey_ms);
	store_bool(s, &sa->is_replaced);
	store_bool(s, &sa->is_rekey);
	store_u8(s, &sa->sent);
	store_u32(s, &sa->wait_ms);
	store_deadline(s, &sa->resend_ms);
	store_bytes(s, &sa->priv);
	if ((sa->initiator || sa->conn) != (sa->persona != NULL))
		store_fail(s);
}

/* There while one is tried, and only then. */
static void five(struct store *s, struct ike_sa *sa)
{
	if (sa->state != SA_TRYING)
		return;
	if (s->loading)
		sa->five = xcalloc(1, sizeof(*sa->five));
	store_bytes(s, &sa->five->data);
	store_addr(s, &sa->five->local);
	store_addr(s, &sa->five->peer);
}

static void sa_all(struct store *s, struct ike *ike, struct ike_sa *sa)
{
	struct bytes *all[] = {&sa->sai, &sa->gxi, &sa->gxr, &sa->gxy, &sa->ni,
	    &sa->nr, &sa->psk, &sa->id, &sa->last_in, &sa->last_out};

	STORE_ENUM(s, enum sa_state, sa->state, SA_UP);
	store_u32(s, &sa->age);
	store_array(s, sa->cky_i, COOKIE_LEN);
	store_array(s, sa->cky_r, COOKIE_LEN);
	store_bool(s, &sa->initiator);
	initiator(s, ike, sa);
	memcpy(sa->own, sa->initiator ? sa->cky_i : sa->cky_r, COOKIE_LEN);
	store_addr(s, &sa->local);
	store_addr(s, &sa->peer);
	suite(s, &sa->suite);
	store_u64(s, &sa->life_s);
	store_u8(s, &sa->nat_d_type);
	sa_flags(s, sa);
	store_u16(s, &sa->psk_entry);
	store_bool(s, &sa->psk_late);
	store_u32(s, &sa->psk_line);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		store_bytes(s, all[i]);
	five(s, sa);
	keys(s, &sa->keys);
	store_array(s, sa->iv, sizeof(sa->iv));
	store_own_text(s, &sa->identity, PEER_IDENTITY_MAX);
	store_u8(s, &sa->replies);
	store_past(s, &sa->up_ms);
	store_past(s, &sa->heard_ms);
	store_u32(s, &sa->dpd_out);
	store_u32(s, &sa->dpd_in);
	store_u8(s, &sa->dpd_tries);
	store_deadline(s, &sa->dpd_due_ms);
	store_deadline(s, &sa->alive_ms);
	store_deadline(s, &sa->due_ms);
	message_ids(s, sa);
	quicks(s, ike, sa);
}

/* Oldest peer first: loading puts each in front. */
static void peers(struct store *s, struct ike *ike)
{
	struct peer *p = ike->peers;
	uint32_t count = p ? 1 : 0;

	for (; p && p->next; p = p->next)
		count++;
	store_max(s, &count, COUNT_MAX);
	while (count-- && !store_error(s)) {
		if (s->loading) {
			p = xcalloc(1, sizeof(*p));
			peer_link(ike, p);
		}
		peer_all(s, ike, p);
		if (s->loading)
			peer_index(ike, p);
		p = p->prev;
	}
}

static void load_sa(struct store *s, struct ike *ike)
{
	struct ike_sa *sa = xcalloc(1, sizeof(*sa));

	sa->half_open_at = SIZE_MAX;
	sa_all(s, ike, sa);
	if (store_error(s) || sa->state == SA_START || sa_find(ike, sa->own)) {
		store_fail(s);
		sa_free(sa);
		return;
	}
	sa_link(ike, sa);
}

static void sas(struct store *s, struct ike *ike)
{
	uint32_t count = HASH_COUNT(ike->sas);
	struct ike_sa *sa, *next;

	store_max(s, &count, COUNT_MAX);
	if (!s->loading) {
		HASH_ITER(hh, ike->sas, sa, next)
		sa_all(s, ike, sa);
		return;
	}
	while (count-- && !store_error(s))
		load_sa(s, ike);
}

static void job(struct store *s, struct job *j)
{
	STORE_ENUM(s, enum job_kind, j->kind, JOB_LOOK);
	store_u32(s, &j->id);
	store_array(s, j->own, COOKIE_LEN);
	store_u32(s, &j->key);
}

static void jobs(struct store *s, struct ike *ike)
{
	uint32_t count = HASH_COUNT(ike->jobs);
	struct job *j, *next, *old;

	store_max(s, &count, COUNT_MAX);
	if (!s->loading) {
		HASH_ITER(hh, ike->jobs, j, next)
		job(s, j);
		return;
	}
	while (count-- && !store_error(s)) {
		j = xcalloc(1, sizeof(*j));
		job(s, j);
		HASH_FIND(hh, ike->jobs, &j->id, sizeof(j->id), old);
		if (store_error(s) || old) {
			store_fail(s);
			free(j);
			return;
		}
		job_link(ike, j);
	}
}

static void machine(struct store *s, struct ike *ike)
{
	uint32_t magic = SAVE_MAGIC;
	uint16_t version = SAVE_VERSION;

	store_u32(s, &magic);
	store_u16(s, &version);
	if (magic != SAVE_MAGIC || version != SAVE_VERSION)
		store_fail(s);
	store_u32(s, &ike->next_job);
	store_u32(s, &ike->next_tag);
	store_u32(s, &ike->next_age);
	store_bool(s, &ike->closing);
	/* Not the budget of log lines: a refused packet changes nothing
	 * that is saved. */
	mm1_store(s, ike->mm1);
	frag_store(s, &ike->frags);
	peers(s, ike);
	sas(s, ike);
	jobs(s, ike);
}

uint8_t *ike_save(const struct ike *ike, uint64_t now_ms, size_t *len)
{
	struct store s;
	uint8_t *out;

	store_save_init(&s, now_ms);
	/* Saving changes nothing: one description serves both directions. */
	machine(&s, (struct ike *)ike);
	out = xmemdup(s.w.data, s.w.pos);
	*len = s.w.pos;
	store_free(&s);
	return out;
}

/* Each peer belongs to its IKE SA again. */
static void join_peers(struct ike *ike)
{
	struct peer *p;

	for (p = ike->peers; p; p = p->next) {
		struct ike_sa *sa = sa_find(ike, p->sa_own);

		if (sa && sa->state == SA_UP && peer_matches(p, sa))
			p->sa = sa;
	}
}

static void set_deadlines(struct ike *ike)
{
	struct ike_sa *sa, *next;
	struct peer *p;
	struct child *c;
	struct quick *q;

	for (p = ike->peers; p; p = p->next) {
		peer_wake(ike, p, p->due_ms);
		peer_wake(ike, p, p->rekey_ms);
		for (c = p->children; c; c = c->next) {
			peer_wake(ike, p, c->retire_ms);
			peer_wake(ike, p, c->soft_ms);
			peer_wake(ike, p, c->hard_ms);
		}
	}
	HASH_ITER(hh, ike->sas, sa, next)
	{
		sa_wake(ike, sa, sa->due_ms);
		sa_wake(ike, sa, sa->dpd_due_ms);
		sa_wake(ike, sa, sa->alive_ms);
		sa_wake(ike, sa, sa->resend_ms);
		sa_wake(ike, sa, sa->rekey_ms);
		for (q = sa->quicks; q; q = q->next) {
			sa_wake(ike, sa, q->due_ms);
			sa_wake(ike, sa, q->give_up_ms);
		}
	}
}

struct ike *ike_restore(const struct ike_config *cfg, ike_random_fn random,
    void *ctx, uint64_t now_ms, const uint8_t *data, size_t len)
{
	struct ike *ike = ike_new(cfg, random, ctx);
	struct store s;

	ike->now = now_ms;
	store_load_init(&s, now_ms, data, len);
	machine(&s, ike);
	if (store_error(&s) || wire_left(&s.r)) {
		ike_free(ike);
		return NULL;
	}
	join_peers(ike);
	set_deadlines(ike);
	return ike;
}
