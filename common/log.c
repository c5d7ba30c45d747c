/* SPDX-License-Identifier: ISC */
/* Log lines: formatted, escaped, written without ever waiting. */
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MICRO 1000000u
#define MINUTE_MS 60000u

/* RFC 5424 6.2.1: debug, informational, warning, error. */
static const char *const severity_prefix[] = {
    [LOG_SEV_DEBUG] = "<7>",
    [LOG_SEV_INFO] = "<6>",
    [LOG_SEV_WARN] = "<4>",
    [LOG_SEV_ERROR] = "<3>",
};

void log_init(struct log *log, const char *program, enum log_severity minimum)
{
	*log = (struct log){.program = program,
	    .minimum = minimum,
	    .fd = STDERR_FILENO,
	    .journal = getenv("JOURNAL_STREAM") != NULL};
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

/* The escaped form of one byte, and its length. */
static size_t escape_byte(char out[5], unsigned char c)
{
	if (is_plain(c)) {
		out[0] = (char)c;
		return 1;
	}
	if (c == '\\') {
		memcpy(out, "\\\\", 2);
		return 2;
	}
	snprintf(out, 5, "\\x%02x", c);
	return 4;
}

size_t log_escape(char *out, size_t size, const char *text, size_t len)
{
	size_t pos = 0, cut = 0; /* cut: the last place where "..." fits */

	for (size_t i = 0; i < len; i++) {
		char one[5];
		size_t n = escape_byte(one, (unsigned char)text[i]);

		if (pos + n >= size) {
			memcpy(out + cut, "...", 4);
			return cut + 3;
		}
		memcpy(out + pos, one, n);
		pos += n;
		if (pos + 4 <= size)
			cut = pos;
	}
	out[pos] = '\0';
	return pos;
}

/* 0 when all of it went out; the descriptor's own flags stay untouched. */
static int write_now(struct log *log, const char *line, size_t len)
{
	struct pollfd p = {.fd = log->fd, .events = POLLOUT};
	ssize_t n;

	if (!log->is_file) {
		n = send(log->fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			return (size_t)n == len ? 0 : -EAGAIN;
		if (errno != ENOTSOCK)
			return -errno;
		log->is_file = true;
	}
	/* A pipe that polls writable takes PIPE_BUF bytes at once. */
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return -EAGAIN;
	n = write(log->fd, line, len);
	return n == (ssize_t)len ? 0 : -EIO;
}

static void put_line(
    struct log *log, enum log_severity severity, const char *text)
{
	char line[LOG_LINE_MAX + 64];
	int n = snprintf(line, sizeof(line), "%s%s: %s\n",
	    log->journal ? severity_prefix[severity] : "", log->program, text);

	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line)) {
		n = (int)sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	if (write_now(log, line, (size_t)n))
		log->dropped++;
}

static void report_dropped(struct log *log)
{
	uint64_t before = log->dropped;
	char text[64];

	if (!before)
		return;
	snprintf(text, sizeof(text), "%llu log lines were lost",
	    (unsigned long long)before);
	put_line(log, LOG_SEV_WARN, text);
	log->dropped = log->dropped > before ? before : 0;
}

void log_vwrite(
    struct log *log, enum log_severity severity, const char *fmt, va_list ap)
{
	char raw[LOG_LINE_MAX], text[LOG_LINE_MAX];
	int saved = errno, n;

	if (severity < log->minimum)
		return;
	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	if (n >= 0) {
		log_escape(text, sizeof(text), raw, strlen(raw));
		if ((size_t)n >= sizeof(raw))
			memcpy(text + sizeof(text) - 4, "...", 4);
		report_dropped(log);
		put_line(log, severity, text);
	}
	errno = saved;
}

void log_write(
    struct log *log, enum log_severity severity, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vwrite(log, severity, fmt, ap);
	va_end(ap);
}

#define LOG_FUNCTION(name, severity)                                           \
	void name(struct log *log, const char *fmt, ...)                       \
	{                                                                      \
		va_list ap;                                                    \
                                                                               \
		va_start(ap, fmt);                                             \
		log_vwrite(log, severity, fmt, ap);                            \
		va_end(ap);                                                    \
	}

LOG_FUNCTION(log_debug, LOG_SEV_DEBUG)
LOG_FUNCTION(log_info, LOG_SEV_INFO)
LOG_FUNCTION(log_warn, LOG_SEV_WARN)
LOG_FUNCTION(log_error, LOG_SEV_ERROR)

bool log_limit_allow(struct log_limit *l, uint64_t now_ms)
{
	uint64_t full = (uint64_t)l->burst * MICRO, passed;

	if (!l->started) {
		l->started = true;
		l->tokens_micro = full;
		l->last_ms = now_ms;
	}
	passed = now_ms > l->last_ms ? now_ms - l->last_ms : 0;
	if (passed > (uint64_t)MINUTE_MS * 60)
		passed = (uint64_t)MINUTE_MS * 60;
	l->last_ms = now_ms;
	l->tokens_micro += passed * l->per_minute * MICRO / MINUTE_MS;
	if (l->tokens_micro > full)
		l->tokens_micro = full;
	if (l->tokens_micro < MICRO) {
		l->suppressed++;
		return false;
	}
	l->tokens_micro -= MICRO;
	return true;
}
