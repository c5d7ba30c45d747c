/* SPDX-License-Identifier: ISC */
/*
 * Clients as personas, as far as public captures, logs and sources show
 * them: what each offers, in which order, with which Vendor IDs, IDs,
 * lifetimes and habits.
 */
#ifndef TEST_LIB_PERSONAS_H
#define TEST_LIB_PERSONAS_H

#include "ikev1/core/persona.h"

extern const struct persona *const personas[];
extern const size_t persona_total;

/* By name; persona_default too; NULL. */
const struct persona *persona_by_name(const char *name);

#endif
