/* SPDX-License-Identifier: ISC */
/* Answers on ikev1d's control socket. */
#include "ikev1/engine_priv.h"

#include "common/ctl.h"
#include "common/version.h"

#include <string.h>
#include <unistd.h>

static json_t *status(struct engine *e)
{
	struct ike_counts c;

	ike_count(e->ike, &c);
	return json_pack("{s:s, s:s, s:i, s:b, s:I, s:I, s:I, s:I, s:I, s:I}",
	    "program", "ikev1d", "version", SALLYPORT_VERSION, "pid",
	    (int)getpid(), "linked", (int)link_is_up(e->link), "ike_sas",
	    (json_int_t)c.sas, "first_messages", (json_int_t)c.first,
	    "half_open", (json_int_t)c.half_open, "peers", (json_int_t)c.peers,
	    "ipsec_pairs", (json_int_t)c.pairs, "dh_waiting",
	    (json_int_t)dh_pool_waiting(e->dh));
}

static void why(struct engine *e, struct ctl_reply *reply, const char *address)
{
	json_t *doc = refusals_json(e->refusals, address);

	if (doc)
		ctl_reply_send(reply, doc);
	else
		ctl_reply_error(reply, "%.64s is no IP address", address);
}

static void on_request(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words)
{
	if (count == 1 && !strcmp(words[0], "status"))
		ctl_reply_send(reply, status(ctx));
	else if (count == 2 && !strcmp(words[0], "why"))
		why(ctx, reply, words[1]);
	else if (count == 1 && !strcmp(words[0], "sas"))
		engine_sas(ctx, reply);
	else
		ctl_reply_error(
		    reply, "ikev1d knows only: status, sas, why ADDRESS");
}

int engine_ctl_start(struct engine *e, int fd)
{
	int err = ctl_server_start(&e->ctl, &e->loop, fd, on_request, e);

	if (err)
		log_error(e->log, "no control socket: %s", strerror(-err));
	return err;
}
