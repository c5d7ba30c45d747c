/* SPDX-License-Identifier: ISC */
/*
 * The plugin's end of the conversation with l2tpd, without pppd: requests
 * with a time limit, notes, and the watch for EOF and AAA_TERM.
 */
#ifndef PPPD_PLUGIN_CLIENT_H
#define PPPD_PLUGIN_CLIENT_H

#include "common/aaa_msg.h"

#include <stdbool.h>
#include <stdint.h>

struct client {
	int fd;	      /* SOCK_SEQPACKET, not ours to close */
	uint32_t seq; /* of the last request */
	int again_ms; /* without a reply: the request is sent again */
	bool is_lost; /* EOF or an error: nobody listens any more */
	bool is_over; /* AAA_TERM came */
	char reason[AAA_REASON_MAX]; /* of AAA_TERM */
	/* Ends a wait early when it becomes non-zero; may be NULL. */
	const int *stop;
};

void client_init(struct client *c, int fd, const int *stop);

/*
 * Sends a message that has no reply.  Never blocks: 0, -EAGAIN (the
 * message is lost) or -EPIPE.
 */
int client_send(struct client *c, enum aaa_msg type, const void *body);

/*
 * Sends a request, again each again_ms, and waits for its reply, of type
 * reply_type, at most timeout_ms.  0 and the reply; -ETIMEDOUT; -EPIPE (lost);
 * -ECANCELED (AAA_TERM came instead); -EINTR (*stop); -EPROTO (no message of
 * ours).
 */
int client_request(struct client *c, enum aaa_msg type, const void *body,
    enum aaa_msg reply_type, union aaa_any *reply, int timeout_ms);

/* Takes what has arrived without waiting; sets is_lost and is_over. */
void client_check(struct client *c);

#endif
