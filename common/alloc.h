/* SPDX-License-Identifier: ISC */
/*
 * Allocation that does not fail: out of memory ends the process with one
 * line on stderr.  free() gives the memory back.
 */
#ifndef COMMON_ALLOC_H
#define COMMON_ALLOC_H

#include <stddef.h>

/* len bytes, not initialised; never NULL, also for len 0. */
void *xmalloc(size_t len);
/* count times size zero bytes. */
void *xcalloc(size_t count, size_t size);
/* Resizes ptr (or NULL) to count times size bytes; the rest is undefined. */
void *xreallocarray(void *ptr, size_t count, size_t size);
char *xstrdup(const char *text);
/* A copy of len bytes; data may be NULL when len is 0. */
void *xmemdup(const void *data, size_t len);
/* A formatted string that the caller frees. */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
