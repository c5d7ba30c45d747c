/* SPDX-License-Identifier: ISC */
/* Field tables and argument checks of the engine's requests. */
#include "l2tpd/lm_msg.h"

#include <stdbool.h>

static const struct msg_field peer_open_fields[] = {
    MSG_NUM(MSG_U64, struct lm_peer_open, r),
    MSG_NUM(MSG_U32, struct lm_peer_open, slot),
    MSG_NUM(MSG_ADDR, struct lm_peer_open, local),
};

static const struct msg_field tunnel_open_fields[] = {
    MSG_NUM(MSG_U64, struct lm_tunnel_open, r),
    MSG_NUM(MSG_U16, struct lm_tunnel_open, tunnel_id),
    MSG_NUM(MSG_U16, struct lm_tunnel_open, peer_tunnel_id),
    MSG_NUM(MSG_ADDR, struct lm_tunnel_open, peer),
};

static const struct msg_field session_open_fields[] = {
    MSG_NUM(MSG_U64, struct lm_session_open, r),
    MSG_NUM(MSG_U16, struct lm_session_open, tunnel_id),
    MSG_NUM(MSG_U16, struct lm_session_open, session_id),
    MSG_NUM(MSG_U16, struct lm_session_open, peer_session_id),
    MSG_NUM(MSG_U8, struct lm_session_open, sequencing),
};

static const struct msg_field key_fields[] = {
    MSG_NUM(MSG_U64, struct lm_key, r),
    MSG_NUM(MSG_U16, struct lm_key, tunnel_id),
    MSG_NUM(MSG_U16, struct lm_key, session_id),
};

static const struct msg_field auth_fields[] = {
    MSG_NUM(MSG_U8, struct aaa_auth, method),
    MSG_NUM(MSG_U8, struct aaa_auth, id),
    MSG_TEXT_OF(struct aaa_auth, user),
    MSG_BYTES_OF(struct aaa_auth, challenge),
    MSG_BYTES_OF(struct aaa_auth, response),
};

static const struct msg_field verdict_fields[] = {
    MSG_NUM(MSG_U8, struct aaa_verdict, code),
    MSG_TEXT_OF(struct aaa_verdict, text),
    MSG_TEXT_OF(struct aaa_verdict, reason),
    MSG_TEXT_OF(struct aaa_verdict, user),
    MSG_NUM(MSG_ADDR, struct aaa_verdict, ip),
};

static const struct msg_field reply_fields[] = {
    MSG_NUM(MSG_I32, struct lm_reply, error),
    MSG_TEXT_OF(struct lm_reply, text),
};

static const struct msg_field stats_fields[] = {
    MSG_NUM(MSG_I32, struct lm_stats, error),
    MSG_NUM(MSG_U64, struct lm_stats, bytes_in),
    MSG_NUM(MSG_U64, struct lm_stats, bytes_out),
    MSG_NUM(MSG_U64, struct lm_stats, packets_in),
    MSG_NUM(MSG_U64, struct lm_stats, packets_out),
};

static const struct msg_field held_fields[] = {
    MSG_NUM(MSG_U64, struct lm_held, r),
    MSG_NUM(MSG_U32, struct lm_held, slot),
    MSG_NUM(MSG_ADDR, struct lm_held, local),
    MSG_NUM(MSG_U16, struct lm_held, tunnel_id),
    MSG_NUM(MSG_U16, struct lm_held, peer_tunnel_id),
    MSG_NUM(MSG_U16, struct lm_held, session_id),
    MSG_NUM(MSG_U16, struct lm_held, peer_session_id),
    MSG_NUM(MSG_ADDR, struct lm_held, peer),
    MSG_NUM(MSG_U8, struct lm_held, is_ending),
};

static const struct msg_field exited_fields[] = {
    MSG_NUM(MSG_U64, struct lm_exited, r),
    MSG_NUM(MSG_U16, struct lm_exited, tunnel_id),
    MSG_NUM(MSG_U16, struct lm_exited, session_id),
    MSG_TEXT_OF(struct lm_exited, text),
};

static const struct msg_field count_fields[] = {
    MSG_NUM(MSG_U32, struct lm_count, count),
};

static const struct msg_field fixed_fields[] = {
    MSG_NUM(MSG_U8, struct lm_fixed, is_first),
    MSG_BYTES_OF(struct lm_fixed, ips),
};

static const struct msg_desc descs[] = {
    MSG_DESC(LM_PEER_OPEN, struct lm_peer_open, peer_open_fields),
    MSG_DESC(LM_TUNNEL_OPEN, struct lm_tunnel_open, tunnel_open_fields),
    MSG_DESC(LM_SESSION_OPEN, struct lm_session_open, session_open_fields),
    MSG_DESC(LM_SESSION_CLOSE, struct lm_key, key_fields),
    MSG_DESC(LM_TUNNEL_CLOSE, struct lm_key, key_fields),
    MSG_DESC(LM_PEER_FREE, struct lm_key, key_fields),
    MSG_DESC(LM_AUTH, struct aaa_auth, auth_fields),
    MSG_DESC(LM_STATS, struct lm_key, key_fields),
    MSG_DESC(LM_SHUTDOWN_DONE, struct lm_count, count_fields),
    MSG_DESC(LM_REPLY, struct lm_reply, reply_fields),
    MSG_DESC(LM_VERDICT, struct aaa_verdict, verdict_fields),
    MSG_DESC(LM_STATS_REPLY, struct lm_stats, stats_fields),
    MSG_DESC(LM_HELD, struct lm_held, held_fields),
    MSG_DESC(LM_HELD_END, struct lm_count, count_fields),
    MSG_DESC(LM_SESSION_EXITED, struct lm_exited, exited_fields),
    MSG_DESC(LM_SHUTDOWN, struct lm_count, count_fields),
    MSG_DESC(LM_FIXED, struct lm_fixed, fixed_fields),
};

const struct msg_table lm_table = {descs, sizeof(descs) / sizeof(descs[0])};

/* What an id, a slot and an address must be like. */
static const char *check_tunnel_id(uint16_t id, uint32_t max_clients)
{
	uint32_t slot = id & LM_SLOT_MASK;

	if (id >> 14 >= LM_GENERATIONS)
		return "tunnel id of a generation that is not ours";
	if (!slot || slot > max_clients)
		return "tunnel id with a slot that is not ours";
	return NULL;
}

static const char *check_peer_open(const union lm_any *b, uint32_t max)
{
	const struct lm_peer_open *m = &b->peer_open;

	if (!m->r)
		return "R is 0";
	if (!m->slot || m->slot > max)
		return "slot is not 1 to max-clients";
	if (!addr_ip_len(&m->local))
		return "no local address";
	return NULL;
}

static const char *check_tunnel_open(const union lm_any *b, uint32_t max)
{
	const struct lm_tunnel_open *m = &b->tunnel_open;

	if (!m->r)
		return "R is 0";
	if (!m->peer_tunnel_id)
		return "the peer's tunnel id is 0";
	if (!addr_ip_len(&m->peer) || !m->peer.port)
		return "no peer address and port";
	return check_tunnel_id(m->tunnel_id, max);
}

static const char *check_session_open(const union lm_any *b, uint32_t max)
{
	const struct lm_session_open *m = &b->session_open;

	if (!m->r)
		return "R is 0";
	if (!m->session_id || !m->peer_session_id)
		return "a session id is 0";
	if (m->sequencing > 1)
		return "sequencing is not 0 or 1";
	return check_tunnel_id(m->tunnel_id, max);
}

static const char *check_session_key(const union lm_any *b, uint32_t max)
{
	if (!b->key.r)
		return "R is 0";
	if (!b->key.session_id)
		return "session id is 0";
	return check_tunnel_id(b->key.tunnel_id, max);
}

static const char *check_tunnel_key(const union lm_any *b, uint32_t max)
{
	if (!b->key.r)
		return "R is 0";
	if (b->key.session_id)
		return "a session id where none belongs";
	return check_tunnel_id(b->key.tunnel_id, max);
}

static const char *check_peer_key(const union lm_any *b, uint32_t max)
{
	(void)max;
	if (!b->key.r)
		return "R is 0";
	if (b->key.tunnel_id || b->key.session_id)
		return "a tunnel or session id where none belongs";
	return NULL;
}

static const char *check_auth(const union lm_any *b, uint32_t max)
{
	(void)max;
	if (b->auth.method < AAA_MSCHAPV2 || b->auth.method > AAA_PAP)
		return "no such authentication method";
	return NULL;
}

static const char *check_nothing(const union lm_any *b, uint32_t max)
{
	(void)b;
	(void)max;
	return NULL;
}

struct check {
	uint16_t type;
	const char *(*fn)(const union lm_any *b, uint32_t max);
};

static const struct check checks[] = {
    {LM_PEER_OPEN, check_peer_open},
    {LM_TUNNEL_OPEN, check_tunnel_open},
    {LM_SESSION_OPEN, check_session_open},
    {LM_SESSION_CLOSE, check_session_key},
    {LM_TUNNEL_CLOSE, check_tunnel_key},
    {LM_PEER_FREE, check_peer_key},
    {LM_AUTH, check_auth},
    {LM_STATS, check_session_key},
    {LM_SHUTDOWN_DONE, check_nothing},
};

const char *lm_check(
    uint16_t type, const union lm_any *body, uint32_t max_clients)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i].type == type)
			return checks[i].fn(body, max_clients);
	return "not a request";
}

uint32_t lm_slot_mark(uint32_t slot)
{
	return PEER_MARK_BASE | slot;
}

uint16_t lm_slot_port(uint32_t slot)
{
	return (uint16_t)(PEER_PORT_BASE + slot);
}
