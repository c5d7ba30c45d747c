/* SPDX-License-Identifier: ISC */
/* The list of actions: growing it, owning what is in it, wiping it. */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void action_wipe(struct ike_action *a)
{
	secret_free(a->data, a->len);
	secret_free(a->data2, a->len2);
	free(a->text);
	free(a->up);
	free(a->trial);
	secret_free(a->sa, a->sa ? sizeof(*a->sa) : 0);
	*a = (struct ike_action){0};
}

void ike_actions_clear(struct ike_actions *a)
{
	for (size_t i = 0; i < a->count; i++)
		action_wipe(&a->items[i]);
	a->count = 0;
}

void ike_actions_free(struct ike_actions *a)
{
	ike_actions_clear(a);
	free(a->items);
	*a = (struct ike_actions){0};
}

struct ike_action *act(struct ike *ike, enum ike_action_type type)
{
	struct ike_actions *l = ike->out;
	struct ike_action *a;

	if (l->count == l->capacity) {
		l->capacity = l->capacity ? 2 * l->capacity : 8;
		l->items =
		    xreallocarray(l->items, l->capacity, sizeof(*l->items));
	}
	a = &l->items[l->count++];
	*a = (struct ike_action){.type = type};
	return a;
}

void act_send(struct ike *ike, const struct addr *local,
    const struct addr *peer, const void *data, size_t len)
{
	struct ike_action *a = act(ike, IKE_ACT_SEND);

	a->local = *local;
	a->peer = *peer;
	a->data = xmemdup(data, len);
	a->len = len;
}

static void __attribute__((format(printf, 3, 0)))
log_line(struct ike *ike, enum ike_log_level level, const char *fmt, va_list ap)
{
	struct ike_action *a = act(ike, IKE_ACT_LOG);
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	a->level = level;
	a->text = xstrdup(text);
}

void act_log(struct ike *ike, enum ike_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(ike, level, fmt, ap);
	va_end(ap);
}

/*
 * Whoever can make us log gets at most this many lines in a period; the
 * rest is counted and said once.
 */
#define LIMIT_LINES 20
#define LIMIT_PERIOD_MS 10000

/* How many lines were hidden in a period that is over now. */
static uint32_t begin_period(struct ike *ike, struct log_limit *l)
{
	uint32_t hidden = l->hidden;

	if (l->started && ike->now < l->since_ms + LIMIT_PERIOD_MS)
		return 0;
	*l = (struct log_limit){.since_ms = ike->now, .started = 1};
	return hidden;
}

static bool take_line(struct log_limit *l, size_t most)
{
	if (l->lines < most) {
		l->lines++;
		return true;
	}
	l->hidden++;
	return false;
}

bool act_log_allowed(struct ike *ike)
{
	uint32_t hidden = begin_period(ike, &ike->limit);

	if (hidden)
		act_log(ike, IKE_LOG_WARN,
		    "%u more messages about unauthenticated packets "
		    "were not logged",
		    hidden);
	return take_line(&ike->limit, LIMIT_LINES);
}

static void say_hidden(struct ike *ike, const char *peer, uint32_t hidden)
{
	if (hidden)
		act_log(ike, IKE_LOG_WARN,
		    "%s: %u more messages about clients of this address were "
		    "not logged",
		    peer, hidden);
}

bool act_log_client_allowed(struct ike *ike, const struct addr *peer)
{
	struct source *source = path_source(ike, peer);
	char text[ADDR_TEXT_MAX];

	if (!source)
		return true;
	say_hidden(
	    ike, addr_ip_text(peer, text), begin_period(ike, &source->limit));
	return take_line(&source->limit, LIMIT_LINES * (1 + source->clients));
}

void act_log_hidden(
    struct ike *ike, const struct addr *peer, struct log_limit *l)
{
	char text[ADDR_TEXT_MAX];

	say_hidden(ike, addr_ip_text(peer, text), l->hidden);
}

void act_log_client(struct ike *ike, const struct addr *peer,
    enum ike_log_level level, const char *fmt, ...)
{
	va_list ap;

	if (!act_log_client_allowed(ike, peer))
		return;
	va_start(ap, fmt);
	log_line(ike, level, fmt, ap);
	va_end(ap);
}
