/* SPDX-License-Identifier: ISC */
/* Secrets: wiped when done with, compared in constant time, never printed. */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites len bytes in a way that the compiler may not remove. */
void secret_wipe(void *data, size_t len);
/* True when a and b (len bytes each) are equal; time depends on len only. */
bool secret_equal(const void *a, const void *b, size_t len);
/* Wipes len bytes at data and frees it; data may be NULL. */
void secret_free(void *data, size_t len);

#endif
