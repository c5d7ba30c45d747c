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

static void on_finding(void *ctx, const struct psk_finding *f)
{
	size_t *weak = ctx;

	must(f->line > 0 && f->text && f->remedy);
	*weak += f->is_weak;
}

/* Clients of either family, one of them where the fuzzer likes. */
static void ask(const struct psk *psk, const uint8_t *data, size_t size)
{
	struct addr peer = {.family = ADDR_IPV4}, local = {.family = ADDR_IPV4};
	struct psk_match m[CANDIDATES_MAX];
	size_t weak = 0;

	memcpy(peer.ip, data, size < 16 ? size : 16);
	for (int i = 0; i < 2; i++) {
		size_t n = psk_find(psk, &local, &peer, m);

		must(n <= psk_slots(psk) && n <= psk_count(psk));
		for (size_t k = 0; k < n; k++)
			must(m[k].secret.len > 0 &&
			     m[k].secret.len <= PSK_SECRET_MAX &&
			     m[k].entry < psk_count(psk));
		peer.family = ADDR_IPV6;
	}
	must(psk_check(psk, on_finding, &weak) == weak);
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
		ask(psk, data, size);
		psk_free(psk);
	}
	secret_free(text, size + 1);
	return 0;
}
