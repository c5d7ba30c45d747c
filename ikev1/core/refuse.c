/* SPDX-License-Identifier: ISC */
/*
 * Saying why a client does not get on: one warning, and the same for the
 * memory behind `sallyport why`.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1400

struct refused refused_datagram(const struct ike_event *ev, const char *remedy)
{
	return (struct refused){.peer = &ev->peer,
	    .local = &ev->local,
	    .remedy = remedy,
	    .is_limited = true};
}

struct refused refused_sa(const struct ike_sa *sa, const char *remedy)
{
	return (struct refused){.peer = &sa->peer,
	    .local = &sa->local,
	    .identity = sa->identity,
	    .remedy = remedy,
	    .is_proven = true,
	    .is_limited = sa->state != SA_UP};
}

struct refused refused_peer(const struct peer *p, const char *remedy)
{
	return (struct refused){.peer = &p->peer,
	    .local = &p->local,
	    .identity = p->identity,
	    .remedy = remedy,
	    .is_proven = true};
}

/* "203.0.113.7:4500 (10.0.0.2): " */
static size_t put_who(char *out, size_t size, const struct refused *who)
{
	bool has_name = who->identity && who->identity[0];
	char peer[ADDR_TEXT_MAX];

	snprintf(out, size, "%s%s%s%s: ", addr_text(who->peer, peer),
	    has_name ? " (" : "", has_name ? who->identity : "",
	    has_name ? ")" : "");
	return strlen(out);
}

void act_refuse(
    struct ike *ike, const struct refused *who, const char *fmt, ...)
{
	bool is_said = who->is_limited ? act_log_allowed(ike)
				       : act_log_client_allowed(ike, who->peer);
	struct ike_action *a = act(ike, IKE_ACT_LOG);
	char text[TEXT_MAX];
	size_t at, len;
	va_list ap;

	at = put_who(text, sizeof(text), who);
	va_start(ap, fmt);
	vsnprintf(text + at, sizeof(text) - at, fmt, ap);
	va_end(ap);
	len = strlen(text);
	if (who->remedy)
		snprintf(text + len, sizeof(text) - len, "; %s", who->remedy);
	a->level = is_said ? IKE_LOG_WARN : IKE_LOG_NONE;
	a->text = xstrdup(text);
	a->peer = *who->peer;
	a->local = *who->local;
	a->what_at = (uint16_t)at;
	a->what_len = (uint16_t)(len - at);
	a->remedy = who->remedy;
	a->is_proven = who->is_proven;
}
