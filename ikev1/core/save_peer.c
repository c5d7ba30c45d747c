/* SPDX-License-Identifier: ISC */
/* How a peer and its pairs of IPsec SAs are saved and loaded. */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 4096 /* more is damage */

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

static void child_store(struct store *s, struct child *c)
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
		if (s->is_record && !child_is_recorded(c))
			continue;
		list = xreallocarray(list, ++count, sizeof(struct child *));
		list[count - 1] = c;
	}
	store_max(s, &count, PAIRS_MAX);
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

static void store_terms(struct store *s, struct terms *t)
{
	store_u16(s, &t->suite.cipher);
	store_u16(s, &t->suite.key_bits);
	store_u16(s, &t->suite.hash);
	store_u16(s, &t->suite.group);
	store_u16(s, &t->encap);
	store_u8(s, &t->oa_type);
	store_bool(s, &t->oa_one);
	store_u64(s, &t->seconds);
	store_u64(s, &t->kilobytes);
	store_bytes(s, &t->ours);
	store_bytes(s, &t->theirs);
}

static void peer_identity(struct store *s, struct peer *p)
{
	store_bool(s, &p->natt);
	store_addr(s, &p->local);
	store_addr(s, &p->peer);
	store_u16(s, &p->psk_entry);
	store_bytes(s, &p->id);
	store_own_text(s, &p->identity, PEER_IDENTITY_MAX);
	store_own_text(s, &p->suite, PEER_SUITE_MAX);
	store_u8(s, &p->sel.protocol);
	store_u16(s, &p->sel.client_port);
	store_u16(s, &p->sel.server_port);
	store_terms(s, &p->terms);
}

void peer_store_all(struct store *s, struct ike *ike, struct peer *p)
{
	store_u32(s, &p->tag);
	STORE_ENUM(s, enum peer_state, p->state, PEER_CLOSING);
	store_u64(s, &p->r);
	store_u32(s, &p->slot);
	store_bool(s, &p->held);
	store_bool(s, &p->is_recorded);
	if (!s->is_record)
		store_bool(s, &p->is_resumed);
	peer_identity(s, p);
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
