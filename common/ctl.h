/* SPDX-License-Identifier: ISC */
/*
 * The control socket, both ends: one request line of words goes in, one
 * JSON document and a newline come back, and the connection closes.
 *
 * A word holds any byte but NUL; on the line, blanks, control characters
 * and '%' travel as %XX, so a user called "anna b" is one word.  The
 * socket's mode decides who may speak; requests are documented in
 * sallyport(8).
 */
#ifndef COMMON_CTL_H
#define COMMON_CTL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define CTL_LINE_MAX 1024 /* bytes of a request, newline not counted */
#define CTL_WORDS_MAX 16
#define CTL_CONNECTIONS_MAX 8
#define CTL_TIMEOUT_MS 5000 /* for the request, the answer, the reading */
#define CTL_CLIENT_TIMEOUT_MS 10000
#define CTL_REPLY_MAX (16u << 20)
#define CTL_ERROR_MAX 256

#define CTL_L2TPD_PATH "/run/sallyport/l2tpd.sock"
#define CTL_IKEV1D_PATH "/run/sallyport/ikev1d.sock"

struct ctl_server;
/* One request that waits for its answer. */
struct ctl_reply;

/*
 * A request came.  words (count of them, at least 1) are borrowed for the
 * call.  The handler, or code that runs later in the same thread, must
 * call ctl_reply_send() exactly once for every reply.
 */
typedef void (*ctl_request_fn)(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words);

/*
 * Serves a bound UNIX stream socket from now on.  fd becomes the server's,
 * also on failure.  Returns 0 or -errno.  All system calls that a sandbox
 * might refuse later (listen) are made here.  SIGPIPE is ignored from here
 * on in the whole process.
 */
int ctl_server_start(struct ctl_server **out, uv_loop_t *loop, int fd,
    ctl_request_fn fn, void *ctx);
/*
 * Ends all connections; server is invalid afterwards (its memory goes when
 * the loop has run).  Replies that still wait stay valid; sending one then
 * does nothing.  NULL is allowed.
 */
void ctl_server_stop(struct ctl_server *server);
/* Requests that wait for an answer or for the client to read it. */
size_t ctl_server_connections(const struct ctl_server *server);

/*
 * Answers.  doc becomes the server's (its reference is stolen); reply is
 * invalid afterwards.  A client that has gone in the meantime is no error.
 */
void ctl_reply_send(struct ctl_reply *reply, json_t *doc);
/* Answers {"error": text}. */
void ctl_reply_error(struct ctl_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Splits a request line of len bytes (no newline) into at most
 * CTL_WORDS_MAX words, decoded in place; line needs room for len + 1.
 * Returns the number of words, or -EINVAL: empty, too many words, a
 * control character, a wrong %XX or one that gives NUL.
 */
int ctl_split(char *line, size_t len, char *words[CTL_WORDS_MAX]);
/*
 * The inverse: writes the line with its newline to out and returns its
 * length, or -E2BIG when it is longer than CTL_LINE_MAX, or -EINVAL when
 * there are no words, too many, or an empty one.
 */
int ctl_join(
    const char *const *words, size_t count, char out[CTL_LINE_MAX + 2]);

/*
 * The client's end, blocking: sends words to the socket at path, on which
 * daemon (a program's name, for messages) listens.  Returns 0 with *doc a
 * new reference, or a negative errno with one sentence in error:
 * -ECONNREFUSED when the daemon does not run, -EACCES, -ETIMEDOUT,
 * -EBADMSG for an answer that is not JSON, -EREMOTEIO when the daemon
 * answered {"error": ...}: that text.
 */
int ctl_request(const char *path, const char *daemon, const char *const *words,
    size_t count, json_t **doc, char error[CTL_ERROR_MAX]);

#endif
