/* SPDX-License-Identifier: ISC */
/*
 * A message channel between two of our processes: a SOCK_SEQPACKET socket
 * on a libuv loop, one message (common/msg.h) a datagram, with at most one
 * descriptor in it.
 *
 * Sending never blocks: what the socket does not take waits in a bounded
 * queue, and a peer that lets it overflow loses the channel.  Whatever is
 * not a valid message of the table ends the channel as well.
 *
 * A channel that gathers puts what is sent in one turn of its loop into as
 * few datagrams as it can, behind a mark that no message begins with:
 *
 *	ff ff { length (2 bytes), message } ...
 *
 * Every channel on a loop understands both.
 */
#ifndef COMMON_CHAN_H
#define COMMON_CHAN_H

#include "common/msg.h"
#include "common/wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct chan;

/*
 * One message.  body is the decoded struct, borrowed for the call.  fd is
 * -1 or a descriptor (close-on-exec) that now belongs to the receiver,
 * wanted or not.  The callback may send, and may close the channel.
 */
typedef void (*chan_msg_fn)(void *ctx, struct chan *chan,
    const struct msg_header *hdr, const void *body, int fd);

/*
 * The channel is over: 0 for an orderly end of file, -errno otherwise.
 * Called once, from the loop (never from inside chan_send()), and never
 * after chan_close().  The owner then calls chan_close().
 */
typedef void (*chan_end_fn)(void *ctx, struct chan *chan, int error);

struct chan_handlers {
	chan_msg_fn message;
	chan_end_fn end;
	void *ctx;
};

/*
 * Takes fd over (makes it non-blocking).  table and the loop outlive the
 * channel; handlers is copied.  Never NULL.
 */
struct chan *chan_open(uv_loop_t *loop, int fd, const struct msg_table *table,
    const struct chan_handlers *handlers);

/*
 * Sends, or queues.  body is the struct of that type; fd is -1 or one to
 * pass along (a duplicate is made if it must wait; the caller keeps his).
 * 0, or -errno: -EPIPE when the channel is over or the queue overflowed (the
 * end callback follows), and what msg_encode() says.
 */
int chan_send(
    struct chan *chan, uint16_t type, uint32_t seq, const void *body, int fd);

/*
 * From now on chan_send() gathers: messages leave when the loop is about to
 * wait, or when no more fit; a failure shows as the end of the channel.
 */
void chan_gather(struct chan *chan);
/* The same for an owner with several things to send, in an order of his
 * own: he calls chan_flush() before the loop waits. */
void chan_hold(struct chan *chan);
/* What was gathered leaves now; NULL does nothing. */
void chan_flush(struct chan *chan);

/* True when all that was sent has left: for a goodbye before exit. */
int chan_is_flushed(const struct chan *chan);
/* Stops, closes the descriptor and frees (later, from the loop). */
void chan_close(struct chan *chan);

/* --- what is in a datagram ----------------------------------------------- */

struct chan_parts {
	struct wire_reader r;
	bool is_company; /* it was gathered */
};

/* Both borrow the datagram. */
void chan_parts_init(struct chan_parts *p, const void *datagram, size_t len);
/* 1 with the next message, for msg_decode(); 0 behind the last; -EBADMSG
 * when a length is wrong. */
int chan_parts_next(struct chan_parts *p, struct wire_span *message);

/* --- the same without a loop, blocking as the socket does ------------- */

/* Sends one message on fd; 0 or -errno. */
int chan_sync_send(int fd, const struct msg_table *table, uint16_t type,
    uint32_t seq, const void *body, int pass_fd);
/*
 * Receives one message to body (size bytes), from who does not gather.
 * *got_fd is -1 or the passed descriptor.  0, -ENODATA at end of file, or
 * -errno.
 */
int chan_sync_recv(int fd, const struct msg_table *table,
    struct msg_header *hdr, void *body, size_t size, int *got_fd);

#endif
