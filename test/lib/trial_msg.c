/* SPDX-License-Identifier: ISC */
/* Makes messages 5 of Main Mode. */
#include "test/lib/trial_msg.h"

#include "ikev1/core/isakmp_msg.h"

#include <stdlib.h>
#include <string.h>

void trial_msg_init(struct trial_msg *m, const struct crypto *crypto,
    const struct ike_suite *suite)
{
	struct {
		uint8_t *data;
		size_t len;
		struct wire_span *span;
	} parts[] = {
	    {m->ni, sizeof(m->ni), &m->t.ni},
	    {m->nr, sizeof(m->nr), &m->t.nr},
	    {m->gxy, sizeof(m->gxy), &m->t.gxy},
	    {m->gxi, sizeof(m->gxi), &m->t.gxi},
	    {m->gxr, sizeof(m->gxr), &m->t.gxr},
	    {m->sai, sizeof(m->sai), &m->t.sai},
	};

	memset(m, 0, sizeof(*m));
	m->crypto = crypto;
	m->t.suite = *suite;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		memset(parts[i].data, (int)i + 1, parts[i].len);
		*parts[i].span =
		    (struct wire_span){parts[i].data, parts[i].len};
	}
	memset(m->t.cky_i, 0x11, sizeof(m->t.cky_i));
	memset(m->t.cky_r, 0x22, sizeof(m->t.cky_r));
}

static bool keys_of(
    const struct trial_msg *m, struct wire_span psk, struct ike_keys *keys)
{
	const struct ike_trial *t = &m->t;
	uint8_t skeyid[IKE_KEY_MAX];
	int len = keymat_psk_skeyid(
	    m->crypto, t->suite.hash, psk, t->ni, t->nr, skeyid);

	return len > 0 &&
	       !keymat_derive(m->crypto, &t->suite,
		   (struct wire_span){skeyid, (size_t)len}, t->gxy,
		   (struct wire_span){t->cky_i, sizeof(t->cky_i)},
		   (struct wire_span){t->cky_r, sizeof(t->cky_r)}, keys);
}

static void put_hash(struct trial_msg *m, const struct ike_keys *keys)
{
	const struct isakmp_payload *id, *hash;
	const struct ike_phase1 p1 = {m->t.gxi, m->t.gxr,
	    {m->t.cky_i, sizeof(m->t.cky_i)}, {m->t.cky_r, sizeof(m->t.cky_r)},
	    m->t.sai};
	struct isakmp_payloads all;
	uint8_t value[IKE_KEY_MAX];

	if (isakmp_payloads_decode(ISAKMP_PAYLOAD_ID, m->t.five, &all, NULL))
		return;
	id = isakmp_payload_find(&all, ISAKMP_PAYLOAD_ID);
	hash = isakmp_payload_find(&all, ISAKMP_PAYLOAD_HASH);
	if (!id || !hash || hash->body.len != keys->prf_len)
		return;
	if (keymat_hash_i(m->crypto, keys, &p1, id->body, value) < 0)
		abort();
	memcpy(m->five + (hash->body.data - m->five), value, keys->prf_len);
}

bool trial_msg_seal(struct trial_msg *m, struct wire_span psk,
    struct wire_span plain, bool hash)
{
	uint8_t iv[CRYPTO_BLOCK_MAX];
	struct ike_keys keys;
	size_t len;

	if (!plain.len || !keys_of(m, psk, &keys))
		return false;
	len =
	    (plain.len + keys.block_len - 1) / keys.block_len * keys.block_len;
	if (len > sizeof(m->five))
		return false;
	memset(m->five, 0, sizeof(m->five));
	memcpy(m->five, plain.data, plain.len);
	m->t.five = (struct wire_span){m->five, len};
	if (hash)
		put_hash(m, &keys);
	if (keymat_iv_phase1(m->crypto, &keys, m->t.gxi, m->t.gxr, iv) ||
	    keymat_encrypt(m->crypto, &keys, iv, m->five, len))
		abort();
	return true;
}

void trial_msg_usual(
    struct trial_msg *m, const char *psk, uint8_t id_type, const char *id)
{
	const struct wire_span key = {(const uint8_t *)psk, strlen(psk)};
	uint8_t plain[512];
	struct ike_keys keys;
	struct wire_writer w;

	if (!keys_of(m, key, &keys))
		abort();
	wire_writer_init(&w, plain, sizeof(plain));
	wire_put_u8(&w, ISAKMP_PAYLOAD_HASH);
	wire_put_u8(&w, 0);
	wire_put_u16(&w, (uint16_t)(8 + strlen(id)));
	wire_put_u8(&w, id_type);
	wire_put_u8(&w, 17);
	wire_put_u16(&w, 500);
	wire_put_bytes(&w, id, strlen(id));
	wire_put_u8(&w, ISAKMP_PAYLOAD_VID);
	wire_put_u8(&w, 0);
	wire_put_u16(&w, (uint16_t)(4 + keys.prf_len));
	wire_put_zero(&w, keys.prf_len);
	wire_put_u8(&w, 0);
	wire_put_u8(&w, 0);
	wire_put_u16(&w, 12);
	wire_put_zero(&w, 8);
	if (!trial_msg_seal(m, key, wire_written(&w, 0), true))
		abort();
}
