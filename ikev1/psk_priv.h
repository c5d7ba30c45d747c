/* SPDX-License-Identifier: ISC */
/* What psk.c and psk_check.c share. */
#ifndef IKEV1_PSK_PRIV_H
#define IKEV1_PSK_PRIV_H

#include "ikev1/psk.h"

struct psk_entry {
	uint16_t number; /* in the file's order */
	uint32_t line;
	struct addr net; /* ADDR_NONE: any; bits behind the prefix are 0 */
	unsigned int bits;
	struct addr local; /* ADDR_NONE: any */
	struct psk_id id;
	size_t offset, len; /* in secrets */
};

struct psk {
	struct psk_entry *entries; /* most specific first */
	size_t count, capacity;
	size_t slots;
	uint8_t *secrets; /* locked in memory */
	size_t secrets_len, secrets_size;
};

/* The crowd: a client for whom most keys fit. */
struct psk_crowd {
	size_t count;
	struct addr peer, local; /* ADDR_NONE: any */
};

/* psk_check.c: at most PSK_LOCALS_MAX different local addresses. */
struct psk_crowd psk_crowd(const struct psk *p);
bool psk_fits(const struct psk_entry *e, const struct addr *local,
    const struct addr *peer);

#endif
