/* SPDX-License-Identifier: ISC */
/* How an IKE SA and its Quick Modes are saved and loaded. */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"

#include <stdio.h>
#include <string.h>

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
	if (k->prf_len > IKE_KEY_MAX || k->key_len > IKE_KEY_MAX ||
	    k->block_len > CRYPTO_BLOCK_MAX) {
		store_fail(s);
		return;
	}
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		store_array(s, secrets[i],
		    secrets[i] == k->key ? k->key_len : k->prf_len);
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
	else if (!s->is_record)
		store_fail(s);
}

/* Which of the Quick Modes and message ids go into a record: what is not
 * answered yet can come again, and must not be known then. */
static bool is_left_out(const struct store *s, const struct quick *q)
{
	return s->is_record && !s->loading && !quick_is_recorded(q);
}

static void quicks(struct store *s, struct ike *ike, struct ike_sa *sa)
{
	struct quick *q, **at = &sa->quicks;
	uint32_t count = 0;

	for (q = sa->quicks; q; q = q->next)
		count += !is_left_out(s, q);
	store_max(s, &count, QUICKS_MAX);
	while (count && !store_error(s)) {
		if (s->loading)
			*at = xcalloc(1, sizeof(**at));
		if (!is_left_out(s, *at)) {
			(*at)->sa = sa;
			quick(s, ike, *at);
			count--;
		}
		at = &(*at)->next;
	}
}

static bool id_is_left_out(
    const struct store *s, const struct ike_sa *sa, uint32_t id)
{
	const struct quick *q = sa->quicks;

	while (q && !(q->msgid == id && !q->is_ours && is_left_out(s, q)))
		q = q->next;
	return q;
}

static void message_ids(struct store *s, struct ike_sa *sa)
{
	uint32_t count = sa->ids_count, all = sa->ids_count;

	for (struct quick *q = s->loading ? NULL : sa->quicks; q; q = q->next)
		count -=
		    id_is_left_out(s, sa, q->msgid) && sa_seen_id(sa, q->msgid);
	store_max(s, &count, MESSAGE_IDS_MAX);
	if (s->loading) {
		all = sa->ids_count = count;
		sa->ids = xreallocarray(
		    NULL, sa->ids_room = count + 16, sizeof(*sa->ids));
	}
	for (uint32_t i = 0; i < all; i++)
		if (s->loading || !id_is_left_out(s, sa, sa->ids[i]))
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

void sa_store(struct store *s, struct ike *ike, struct ike_sa *sa)
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
