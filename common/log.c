/* SPDX-License-Identifier: ISC */
/* Log lines: formatted, escaped, written without ever waiting. */
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MICRO 1000000u
#define MINUTE_MS 60000u
#define PROGRAM_MAX 32
/* "<6>", the program, ": ", the text, the end of the line */
#define LINE_SIZE (3 + PROGRAM_MAX + 2 + LOG_LINE_MAX + 1)
#define HELD_SIZE 4096 /* PIPE_BUF: a pipe takes it whole or not */
#define HELD_ALIGN 65536

/*
 * Lines that wait.  The block is aligned to its size and holds the stack of
 * the crash handler too: so the handler finds it without a global variable.
 */
struct log_held {
	const struct log_held *self;
	struct log *log;
	size_t len;
	char lines[HELD_SIZE];
	char stack[HELD_ALIGN - HELD_SIZE - 3 * sizeof(void *)];
};

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

/* The escaped form of one byte that is not plain, and its length. */
static size_t escape_byte(char out[5], unsigned char c)
{
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
		unsigned char c = (unsigned char)text[i];
		char one[5];
		size_t n = 1;

		if (is_plain(c))
			one[0] = text[i];
		else
			n = escape_byte(one, c);
		if (pos + n >= size) {
			memcpy(out + cut, "...", 4);
			return cut + 3;
		}
		if (n == 1)
			out[pos] = one[0];
		else
			memcpy(out + pos, one, n);
		pos += n;
		if (pos + 4 <= size)
			cut = pos;
	}
	out[pos] = '\0';
	return pos;
}

/* How much of it went out; the descriptor's own flags stay untouched. */
static size_t write_now(struct log *log, const char *lines, size_t len)
{
	struct pollfd p = {.fd = log->fd, .events = POLLOUT};
	ssize_t n;

	if (!log->is_file) {
		n = send(log->fd, lines, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n >= 0)
			return (size_t)n;
		if (errno != ENOTSOCK)
			return 0;
		log->is_file = true;
	}
	/* A pipe that polls writable takes PIPE_BUF bytes at once. */
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return 0;
	n = write(log->fd, lines, len);
	return n > 0 ? (size_t)n : 0;
}

/* Whole lines; those that do not go out in full are counted. */
static bool write_lines(struct log *log, const char *lines, size_t len)
{
	size_t n = write_now(log, lines, len);

	if (n)
		log->is_cut = lines[n - 1] != '\n';
	for (size_t i = n; i < len; i++)
		log->dropped += lines[i] == '\n';
	return n == len;
}

static size_t put_text(char *out, size_t at, const char *text)
{
	size_t len = strlen(text);

	memcpy(out + at, text, len);
	return at + len;
}

/* Returns the length, with its end of line. */
static size_t make_line(const struct log *log, enum log_severity severity,
    const char *text, char out[LINE_SIZE])
{
	size_t at = 0;

	if (log->journal)
		at = put_text(out, at, severity_prefix[severity]);
	at += log_escape(
	    out + at, PROGRAM_MAX, log->program, strlen(log->program));
	at = put_text(out, at, ": ");
	at += log_escape(out + at, LOG_LINE_MAX, text, strlen(text));
	out[at++] = '\n';
	return at;
}

static void report_dropped(struct log *log)
{
	uint64_t before = log->dropped;
	char text[64], line[LINE_SIZE + 1] = "\n";
	size_t cut = log->is_cut, len;

	if (!before)
		return;
	snprintf(text, sizeof(text), "%llu log lines were lost",
	    (unsigned long long)before);
	len = cut + make_line(log, LOG_SEV_WARN, text, line + cut);
	/* This one is not one of them. */
	log->dropped = write_lines(log, line, len) ? 0 : before;
}

static void write_all(struct log *log, const char *lines, size_t len)
{
	report_dropped(log);
	write_lines(log, lines, len);
}

/* --- lines that wait ----------------------------------------------------- */

void log_flush(struct log *log)
{
	struct log_held *h = log->held;
	size_t len = h ? h->len : 0;
	int saved = errno;

	if (!len)
		return;
	h->len = 0;
	write_all(log, h->lines, len);
	errno = saved;
}

static void hold(
    struct log *log, enum log_severity severity, const char *line, size_t len)
{
	struct log_held *h = log->held;

	if (h->len + len > sizeof(h->lines))
		log_flush(log);
	memcpy(h->lines + h->len, line, len);
	h->len += len;
	if (severity >= LOG_SEV_WARN || log->minimum <= LOG_SEV_DEBUG)
		log_flush(log);
}

#ifndef SALLYPORT_SANITIZE

/* These end the process; SA_RESETHAND: the second time at once. */
static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static void on_crash(int signo)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct log_held *h =
	    (struct log_held *)(here & ~(uintptr_t)(HELD_ALIGN - 1));

	/* Another thread has no such stack. */
	if (gettid() == getpid() && h->self == h)
		write_now(h->log, h->lines, h->len);
	raise(signo);
}

static void watch_crashes(struct log_held *h)
{
	const stack_t stack = {.ss_sp = h->stack, .ss_size = sizeof(h->stack)};
	struct sigaction sa = {.sa_handler = on_crash,
	    .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND)};

	if (sigaltstack(&stack, NULL))
		return;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		sigaction(crashes[i], &sa, NULL);
}

static void ignore_crashes(void)
{
	const stack_t none = {.ss_flags = SS_DISABLE};

	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
	sigaltstack(&none, NULL);
}

#else /* the sanitizers have handlers of their own */

static void watch_crashes(struct log_held *h)
{
	(void)h;
}

static void ignore_crashes(void)
{
}

#endif

void log_hold(struct log *log)
{
	struct log_held *h;

	if (log->held)
		return;
	h = aligned_alloc(HELD_ALIGN, sizeof(*h));
	if (!h)
		return; /* then each line leaves at once */
	h->self = h;
	h->log = log;
	h->len = 0;
	log->held = h;
	watch_crashes(h);
}

void log_release(struct log *log)
{
	if (!log->held)
		return;
	log_flush(log);
	ignore_crashes();
	free(log->held);
	log->held = NULL;
}

/* --- writing ------------------------------------------------------------- */

void log_vwrite(
    struct log *log, enum log_severity severity, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX], line[LINE_SIZE];
	int saved = errno, n;
	size_t len;

	if (severity < log->minimum)
		return;
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n >= 0) {
		if ((size_t)n >= sizeof(text))
			memcpy(text + sizeof(text) - 4, "...", 4);
		len = make_line(log, severity, text, line);
		if (log->held)
			hold(log, severity, line, len);
		else
			write_all(log, line, len);
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
