/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the file of pre-shared keys.  What is refused names file and line
 * and never shows the key; what parses answers every question about any
 * peer within its bounds.
 */
#include "ikev1/psk.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1);
	char error[CONF_ERROR_MAX];
	struct psk *psk = NULL;

	memcpy(text, data, size);
	if (psk_parse(text, "psk", &psk, error)) {
		must(!strncmp(error, "psk:", 4));
		must(memchr(error, 0, sizeof(error)) != NULL);
	} else {
		must(psk && psk_count(psk) <= PSK_ENTRIES_MAX);
		psk_free(psk);
	}
	secret_free(text, size + 1);
	return 0;
}
