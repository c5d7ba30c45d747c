/* SPDX-License-Identifier: ISC */
/* Allocation that ends the process instead of failing. */
#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLOC_FROM 16384

static void *checked(void *ptr)
{
	if (!ptr) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return ptr;
}

void *xmalloc(size_t len)
{
	return checked(malloc(len ? len : 1));
}

/*
 * glibc's calloc() before 2.41 takes nothing from its per-thread cache and
 * searches the heap each time: below some pages it costs many times what
 * wiping does.  Beyond, fresh pages are zero already.
 */
void *xcalloc(size_t count, size_t size)
{
	size_t len;
	void *p;

	if (!count || !size)
		count = size = 1;
	if (__builtin_mul_overflow(count, size, &len) || len > CALLOC_FROM)
		return checked(calloc(count, size));
	p = checked(malloc(len));
	/* The compiler knows neither where p is from nor, thus, that calloc()
	 * would do the same. */
	__asm__("" : "+r"(p));
	memset(p, 0, len);
	return p;
}

void *xreallocarray(void *ptr, size_t count, size_t size)
{
	if (!count || !size)
		count = size = 1;
	return checked(reallocarray(ptr, count, size));
}

char *xstrdup(const char *text)
{
	return checked(strdup(text));
}

void *xmemdup(const void *data, size_t len)
{
	void *copy = xmalloc(len);

	if (len)
		memcpy(copy, data, len);
	return copy;
}

char *xasprintf(const char *format, ...)
{
	char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, format);
	len = vasprintf(&text, format, ap);
	va_end(ap);
	return len < 0 ? checked(NULL) : text;
}
