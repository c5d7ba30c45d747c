/* SPDX-License-Identifier: ISC */
/*
 * The log: one line a message on standard error, never blocking.
 *
 *	ikev1d: peer 17 (203.0.113.7:4500): IKE SA established
 *
 * Bytes that are not printable ASCII are written as \xNN, so text from
 * outside cannot forge lines.  With JOURNAL_STREAM in the environment
 * every line starts with "<N>", the syslog priority.  What the reader of
 * standard error does not take at once is dropped and counted; the count
 * is logged when the reader is back.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 1024 /* longer lines are cut, ending in "..." */

enum log_severity {
	LOG_SEV_DEBUG,
	LOG_SEV_INFO,
	LOG_SEV_WARN,
	LOG_SEV_ERROR,
};

struct log_held;

struct log {
	const char *program;	   /* borrowed, for the log's life */
	enum log_severity minimum; /* below it nothing is written */
	int fd;
	bool is_file; /* fd was seen to be no socket */
	bool journal;
	bool is_cut;	  /* the last write ended inside a line */
	uint64_t dropped; /* lines not written since the last that was */
	struct log_held *held;
};

/* Writes to standard error; reads JOURNAL_STREAM. */
void log_init(struct log *log, const char *program, enum log_severity minimum);

void log_write(struct log *log, enum log_severity severity, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
void log_vwrite(struct log *log, enum log_severity severity, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));
void log_debug(struct log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(struct log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(struct log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_error(struct log *log, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * From now on lines below a warning are kept until one comes that is not,
 * until no more fit, or for log_flush(): a system call for many.  When this
 * thread crashes they are written still.  With debugging on (minimum) each
 * line leaves at once, as before.  For one log of a process, and for the
 * thread that calls.
 */
void log_hold(struct log *log);
void log_flush(struct log *log);
/* Flushes, and keeps no more. */
void log_release(struct log *log);

/*
 * Copies len bytes of text to out (size bytes, at least 5) with everything
 * but printable ASCII as \xNN; always terminated.  What does not fit is cut
 * and the end becomes "...".  Returns the length written.
 */
size_t log_escape(char *out, size_t size, const char *text, size_t len);

/*
 * A token bucket for messages that anybody on the Internet can cause: at
 * most `burst` at once, then `per_minute` a minute.
 */
struct log_limit {
	uint32_t burst;
	uint32_t per_minute;
	uint64_t tokens_micro; /* millionths of a message */
	uint64_t last_ms;
	uint64_t suppressed; /* since the last message that passed */
	bool started;
};

/*
 * True when a message may be written now (milliseconds, monotonic).  The
 * caller may say `suppressed` in it and then sets it to 0.
 */
bool log_limit_allow(struct log_limit *limit, uint64_t now_ms);

#endif
