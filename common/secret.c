/* SPDX-License-Identifier: ISC */
/* Secrets: wiping and constant-time comparison, without a library. */
#include "common/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void secret_wipe(void *data, size_t len)
{
	if (data && len)
		explicit_bzero(data, len);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff = (uint8_t)(diff | (x[i] ^ y[i]));
	return diff == 0;
}

void secret_free(void *data, size_t len)
{
	secret_wipe(data, len);
	free(data);
}
