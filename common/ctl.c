/* SPDX-License-Identifier: ISC */
/* The control server: a few short-lived connections on libuv. */
#include "common/ctl.h"

#include "common/alloc.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ctl_conn {
	struct ctl_server *server;
	struct ctl_reply *reply; /* handed to the handler, not answered */
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_write_t write;
	unsigned int handles; /* open libuv handles; 0 frees */
	bool is_closing;
	char *out;
	size_t len;
	char line[CTL_LINE_MAX + 2];
};

struct ctl_reply {
	struct ctl_conn *conn; /* NULL: the client has gone */
};

struct ctl_server {
	uv_pipe_t pipe;
	ctl_request_fn fn;
	void *ctx;
	bool is_waiting; /* a client is left in the backlog */
	bool is_stopping;
	struct ctl_conn *conns[CTL_CONNECTIONS_MAX];
};

static void conn_accept(struct ctl_server *s);

static void conn_closed(uv_handle_t *handle)
{
	struct ctl_conn *c = handle->data;

	if (--c->handles > 0)
		return;
	free(c->out);
	free(c);
}

static void conn_close(struct ctl_conn *c)
{
	struct ctl_server *s = c->server;

	if (c->is_closing)
		return;
	c->is_closing = true;
	if (c->reply)
		c->reply->conn = NULL;
	c->reply = NULL;
	for (size_t i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		if (s->conns[i] == c)
			s->conns[i] = NULL;
	}
	uv_close((uv_handle_t *)&c->pipe, conn_closed);
	uv_close((uv_handle_t *)&c->timer, conn_closed);
	if (s->is_waiting && !s->is_stopping) {
		s->is_waiting = false;
		conn_accept(s);
	}
}

static void conn_written(uv_write_t *req, int status)
{
	(void)status;
	conn_close(req->data);
}

static void conn_timeout(uv_timer_t *timer);

/* Sends doc (stolen) and closes; the client has a time limit to read it. */
static void conn_answer(struct ctl_conn *c, json_t *doc)
{
	uv_buf_t buf;
	size_t len;

	uv_read_stop((uv_stream_t *)&c->pipe);
	c->out = json_dumps(doc, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(doc);
	if (!c->out) {
		conn_close(c);
		return;
	}
	len = strlen(c->out);
	c->out[len] = '\n'; /* over the NUL: it has a length from here on */
	buf = uv_buf_init(c->out, (unsigned int)(len + 1));
	c->write.data = c;
	uv_timer_start(&c->timer, conn_timeout, CTL_TIMEOUT_MS, 0);
	if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, conn_written))
		conn_close(c);
}

static void conn_error(struct ctl_conn *c, const char *text)
{
	conn_answer(c, json_pack("{s:s}", "error", text));
}

static void conn_timeout(uv_timer_t *timer)
{
	struct ctl_conn *c = timer->data;

	if (c->out) {
		conn_close(c);
		return;
	}
	if (!c->reply) {
		conn_error(c, "no request came in time");
		return;
	}
	c->reply->conn = NULL;
	c->reply = NULL;
	conn_error(c, "the daemon had no answer in time");
}

static void conn_request(struct ctl_conn *c, size_t len)
{
	char *words[CTL_WORDS_MAX];
	int count = ctl_split(c->line, len, words);

	uv_read_stop((uv_stream_t *)&c->pipe);
	if (count < 0) {
		conn_error(c, "malformed request");
		return;
	}
	c->reply = xcalloc(1, sizeof(*c->reply));
	c->reply->conn = c;
	c->server->fn(c->server->ctx, c->reply, (size_t)count, words);
}

static void conn_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct ctl_conn *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init(
	    c->line + c->len, (unsigned int)(CTL_LINE_MAX + 1 - c->len));
}

static void conn_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ctl_conn *c = stream->data;
	char *newline;

	(void)buf;
	if (n < 0) {
		conn_close(c);
		return;
	}
	c->len += (size_t)n;
	newline = memchr(c->line, '\n', c->len);
	if (newline)
		conn_request(c, (size_t)(newline - c->line));
	else if (c->len > CTL_LINE_MAX)
		conn_error(c, "the request is longer than 1024 bytes");
}

/* Takes the next client when there is a place for it. */
static void conn_accept(struct ctl_server *s)
{
	struct ctl_conn *c;
	size_t place = 0;

	while (place < CTL_CONNECTIONS_MAX && s->conns[place])
		place++;
	if (place == CTL_CONNECTIONS_MAX) {
		s->is_waiting = true;
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->handles = 2;
	uv_pipe_init(s->pipe.loop, &c->pipe, 0);
	uv_timer_init(s->pipe.loop, &c->timer);
	c->pipe.data = c;
	c->timer.data = c;
	s->conns[place] = c;
	if (uv_accept((uv_stream_t *)&s->pipe, (uv_stream_t *)&c->pipe) ||
	    uv_timer_start(&c->timer, conn_timeout, CTL_TIMEOUT_MS, 0) ||
	    uv_read_start((uv_stream_t *)&c->pipe, conn_alloc, conn_read))
		conn_close(c);
}

static void server_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		conn_accept(stream->data);
}

static void server_closed(uv_handle_t *handle)
{
	free(handle->data);
}

int ctl_server_start(struct ctl_server **out, uv_loop_t *loop, int fd,
    ctl_request_fn fn, void *ctx)
{
	struct ctl_server *s = xcalloc(1, sizeof(*s));
	int err;

	s->fn = fn;
	s->ctx = ctx;
	uv_pipe_init(loop, &s->pipe, 0);
	s->pipe.data = s;
	/* libuv writes with write(2): a client that left must not kill us. */
	signal(SIGPIPE, SIG_IGN);
	err = uv_pipe_open(&s->pipe, fd);
	if (err)
		close(fd);
	else
		err = uv_listen((uv_stream_t *)&s->pipe, CTL_CONNECTIONS_MAX,
		    server_connection);
	if (err) {
		uv_close((uv_handle_t *)&s->pipe, server_closed);
		return err;
	}
	*out = s;
	return 0;
}

void ctl_server_stop(struct ctl_server *server)
{
	if (!server)
		return;
	server->is_stopping = true;
	for (size_t i = 0; i < CTL_CONNECTIONS_MAX; i++) {
		if (server->conns[i])
			conn_close(server->conns[i]);
	}
	uv_close((uv_handle_t *)&server->pipe, server_closed);
}

size_t ctl_server_connections(const struct ctl_server *server)
{
	size_t count = 0;

	for (size_t i = 0; i < CTL_CONNECTIONS_MAX; i++)
		count += server->conns[i] != NULL;
	return count;
}

void ctl_reply_send(struct ctl_reply *reply, json_t *doc)
{
	struct ctl_conn *c = reply->conn;

	free(reply);
	if (!c) {
		json_decref(doc);
		return;
	}
	c->reply = NULL;
	conn_answer(c, doc);
}

void ctl_reply_error(struct ctl_reply *reply, const char *format, ...)
{
	char text[CTL_ERROR_MAX];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	ctl_reply_send(reply, json_pack("{s:s}", "error", text));
}
