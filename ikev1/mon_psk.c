/* SPDX-License-Identifier: ISC */
/*
 * The monitor's operations with pre-shared keys.  A SKEYID is worth the key
 * for one exchange; an engine gets it of one key at a time, and, when the
 * psk file has several for somebody, only of one that a client has shown to
 * know.
 */
#include "ikev1/mon_int.h"

#include "common/secret.h"
#include "ikev1/core/keymat.h"
#include "ikev1/core/trial.h"

#include <errno.h>
#include <string.h>

#define NONCE_MIN 8 /* RFC 2409 section 5: nonces have 8 to 256 bytes */

#define SPAN_OF(blob) ((struct wire_span){(blob).data, (blob).len})

static struct candidate candidate_of(const struct psk_match *match)
{
	struct candidate c = {
	    .line = match->line,
	    .entry = match->entry,
	    .id_type = match->id.type,
	    .id_len = match->id.len,
	};

	memcpy(c.id, match->id.data, sizeof(c.id));
	return c;
}

static bool is_shown(const struct mon *m, uint16_t entry)
{
	return m->shown[entry / 8] & 1u << entry % 8;
}

/*
 * Of these keys the one to give before anybody has shown to know it: the
 * only one; or, to call a client again, the one that it has shown.  -EACCES
 * when there is none: we never dial out by ourselves.
 */
static int key_for(const struct mon *m, const struct im_psk *req,
    const struct psk_match *match, size_t count)
{
	if (psk_slots(m->env.psk) == 1)
		return 0;
	for (size_t i = 0; req->use == IKE_PSK_RENEW && i < count; i++) {
		if (match[i].entry == req->entry && is_shown(m, req->entry))
			return (int)i;
	}
	return -EACCES;
}

static int put_key(struct mon *m, const struct im_psk *req,
    const struct psk_match *match, struct im_psk_done *done)
{
	struct candidate c = candidate_of(match);
	struct wire_writer w;
	int len = keymat_psk_skeyid(m->env.crypto, req->hash, match->secret,
	    SPAN_OF(req->ni), SPAN_OF(req->nr), c.skeyid);

	wire_writer_init(&w, done->key.data, sizeof(done->key.data));
	if (len > 0) {
		c.skeyid_len = (uint8_t)len;
		candidate_put(&w, &c);
		done->key.len = (uint16_t)w.pos;
	}
	secret_wipe(&c, sizeof(c));
	return len < 0 ? len : 0;
}

int mon_do_psk(struct mon *m, struct mon_peer *none, const void *body)
{
	const struct im_psk *req = body;
	struct im_psk_done done = {.job = req->job};
	struct psk_match match[CANDIDATES_MAX];
	size_t count = psk_find(m->env.psk, &req->local, &req->peer, match);
	bool is_late = req->use == IKE_PSK_ANSWER && psk_slots(m->env.psk) > 1;
	int at;

	(void)none;
	if (!count) {
		done.error = -ENOENT;
	} else if (!is_late) {
		at = key_for(m, req, match, count);
		done.error = at < 0 ? at : put_key(m, req, &match[at], &done);
	}
	if (!done.error)
		done.count = (uint16_t)count;
	mon_reply(m, IM_PSK_DONE, &done);
	secret_wipe(&done, sizeof(done));
	return 0;
}

/* What fits the addresses, filled up with nobody's keys. */
static size_t fill_keys(
    const struct mon *m, const struct im_trial *req, struct trial_key *keys)
{
	struct psk_match match[CANDIDATES_MAX];
	size_t count = psk_find(m->env.psk, &req->local, &req->peer, match);

	for (size_t i = 0; i < psk_slots(m->env.psk); i++) {
		keys[i] = (struct trial_key){
		    .secret = {m->dummy_psk, sizeof(m->dummy_psk)}};
		if (i >= count)
			continue;
		keys[i].is_real = true;
		keys[i].secret = match[i].secret;
		keys[i].who = candidate_of(&match[i]);
	}
	return count;
}

static void put_found(const struct trial_key *keys, int at, size_t count,
    struct im_trial_done *done)
{
	struct wire_writer w;

	if (at >= 0) {
		wire_writer_init(&w, done->key.data, sizeof(done->key.data));
		candidate_put(&w, &keys[at].who);
		done->key.len = (uint16_t)w.pos;
	} else if (at == -ENOENT) {
		wire_writer_init(
		    &w, done->lines.data, sizeof(done->lines.data));
		for (size_t i = 0; i < count; i++)
			wire_put_u32(&w, keys[i].who.line);
		done->lines.len = (uint16_t)w.pos;
	} else {
		done->error = at;
	}
}

int mon_do_trial(struct mon *m, struct mon_peer *none, const void *body)
{
	const struct im_trial *req = body;
	struct im_trial_done done = {.job = req->job};
	struct trial_key keys[CANDIDATES_MAX];
	size_t slots = psk_slots(m->env.psk), count;
	struct ike_trial t;
	int at;

	(void)none;
	done.error = im_trial_to_core(&t, req);
	if (!done.error) {
		count = fill_keys(m, req, keys);
		at = trial_find(m->env.crypto, &t, keys, slots);
		put_found(keys, at, count, &done);
		if (at >= 0)
			m->shown[keys[at].who.entry / 8] |=
			    (uint8_t)(1u << keys[at].who.entry % 8);
		secret_wipe(keys, sizeof(keys));
	}
	mon_reply(m, IM_TRIAL_DONE, &done);
	secret_wipe(&done, sizeof(done));
	return 0;
}

const char *mon_check_psk(const struct mon_peer *p, const void *body)
{
	const struct im_psk *req = body;

	(void)p;
	if (req->ni.len < NONCE_MIN || req->nr.len < NONCE_MIN)
		return "a nonce is shorter than 8 bytes";
	if (req->use > IKE_PSK_CONNECT)
		return "no such use of a key";
	return addr_ip_len(&req->peer) ? NULL : "no peer address";
}

const char *mon_check_trial(const struct mon_peer *p, const void *body)
{
	const struct im_trial *req = body;
	struct ike_trial t;

	(void)p;
	if (req->ni.len < NONCE_MIN || req->nr.len < NONCE_MIN)
		return "a nonce is shorter than 8 bytes";
	if (!addr_ip_len(&req->peer))
		return "no peer address";
	return im_trial_to_core(&t, req) ? "a part of it has a wrong length"
					 : NULL;
}
