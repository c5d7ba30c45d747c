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

void act_log(struct ike *ike, enum ike_log_level level, const char *fmt, ...)
{
	struct ike_action *a = act(ike, IKE_ACT_LOG);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	a->level = level;
	a->text = xstrdup(text);
}

/*
 * Whoever can make us log without proving anything gets at most this many
 * lines in a period; the rest is counted and said once.
 */
#define LIMIT_LINES 20
#define LIMIT_PERIOD_MS 10000

bool act_log_allowed(struct ike *ike)
{
	struct log_limit *l = &ike->limit;

	if (ike->now >= l->since_ms + LIMIT_PERIOD_MS || !l->started) {
		uint32_t hidden = l->hidden;

		*l = (struct log_limit){.since_ms = ike->now, .started = 1};
		if (hidden)
			act_log(ike, IKE_LOG_WARN,
			    "%u more messages about unauthenticated packets "
			    "were not logged",
			    hidden);
	}
	if (l->lines < LIMIT_LINES) {
		l->lines++;
		return true;
	}
	l->hidden++;
	return false;
}
