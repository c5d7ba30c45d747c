/* SPDX-License-Identifier: ISC */
/* The list of actions, and the lines for the log, of one lns_step(). */
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lns_actions_clear(struct lns_actions *a)
{
	for (size_t i = 0; i < a->count; i++) {
		free(a->items[i].data);
		free(a->items[i].text);
		free(a->items[i].what);
		free(a->items[i].up);
	}
	a->count = 0;
}

void lns_actions_free(struct lns_actions *a)
{
	lns_actions_clear(a);
	free(a->items);
	*a = (struct lns_actions){0};
}

static struct lns_action *append(
    struct lns_actions *a, enum lns_action_type type)
{
	struct lns_action *act;

	if (a->count == a->capacity) {
		a->capacity = a->capacity ? 2 * a->capacity : 8;
		a->items =
		    xreallocarray(a->items, a->capacity, sizeof(*a->items));
	}
	act = &a->items[a->count++];
	*act = (struct lns_action){.type = type};
	return act;
}

struct lns_action *lns_act(
    const struct lns_peer *peer, enum lns_action_type type)
{
	struct lns_action *act = append(peer->lns->out, type);

	act->r = peer->up.r;
	act->slot = peer->up.slot;
	return act;
}

struct lns_action *lns_act_tunnel(
    const struct lns_tunnel *tunnel, enum lns_action_type type)
{
	struct lns_action *act = lns_act(tunnel->peer, type);

	act->tunnel_id = tunnel->id;
	act->peer_tunnel_id = tunnel->peer_id;
	act->peer = tunnel->addr;
	return act;
}

struct lns_action *lns_act_session(
    const struct lns_session *session, enum lns_action_type type)
{
	struct lns_action *act = lns_act_tunnel(session->tunnel, type);

	act->session_id = session->id;
	act->peer_session_id = session->peer_id;
	act->sequencing = session->sequencing;
	return act;
}

void lns_act_text(
    const struct lns_peer *peer, enum lns_action_type type, const char *text)
{
	lns_act(peer, type)->text = xstrdup(text ? text : "");
}

void lns_act_send_raw(const struct lns_peer *peer, const struct addr *to,
    const uint8_t *data, size_t len)
{
	struct lns_action *act = lns_act(peer, LNS_ACT_SEND);

	act->peer = *to;
	act->data = xmemdup(data, len);
	act->len = len;
}

void lns_act_bare(struct lns *lns, enum lns_action_type type, uint64_t r,
    uint32_t slot, const char *text)
{
	struct lns_action *act = append(lns->out, type);

	act->r = r;
	act->slot = slot;
	act->level = LNS_LOG_WARN;
	if (text)
		act->text = xstrdup(text);
}

static struct lns_action *log_line(const struct lns_peer *peer,
    enum lns_log_level level, const char *object, const char *format,
    va_list ap)
{
	char text[LNS_TEXT_MAX];
	struct lns_action *act = lns_act(peer, LNS_ACT_LOG);

	vsnprintf(text, sizeof(text), format, ap);
	act->level = level;
	act->text = xasprintf(
	    "R %llu%s: %s", (unsigned long long)peer->up.r, object, text);
	return act;
}

void lns_log(const struct lns_peer *peer, enum lns_log_level level,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_line(peer, level, "", format, ap);
	va_end(ap);
}

void lns_log_tunnel(const struct lns_tunnel *tunnel, enum lns_log_level level,
    const char *format, ...)
{
	char object[32];
	va_list ap;

	snprintf(object, sizeof(object), " tunnel %u", tunnel->id);
	va_start(ap, format);
	log_line(tunnel->peer, level, object, format, ap);
	va_end(ap);
}

void lns_log_session(const struct lns_session *session,
    enum lns_log_level level, const char *format, ...)
{
	char object[48];
	va_list ap;

	snprintf(object, sizeof(object), " tunnel %u session %u",
	    session->tunnel->id, session->id);
	va_start(ap, format);
	log_line(session->tunnel->peer, level, object, format, ap);
	va_end(ap);
}

void lns_refuse(const struct lns_peer *peer, uint16_t tunnel_id,
    const char *remedy, const char *format, ...)
{
	struct lns_action *act;
	char object[32] = "";
	va_list ap;

	if (tunnel_id)
		snprintf(object, sizeof(object), " tunnel %u", tunnel_id);
	va_start(ap, format);
	act = log_line(peer, LNS_LOG_WARN, object, format, ap);
	va_end(ap);
	act->what = xasprintf("L2TP: %s", strstr(act->text, ": ") + 2);
	act->remedy = remedy;
}
