/* SPDX-License-Identifier: ISC */
/* The configuration in the core's terms. */
#ifndef IKEV1_SETTINGS_H
#define IKEV1_SETTINGS_H

#include "common/conf.h"
#include "ikev1/core/ike.h"

/* A conf_suite_fn: is the proposal one that we can do? */
int settings_check_suite(
    const char *text, bool is_esp, char *reason, size_t size);
/* conf has passed settings_check_suite(). crypto is borrowed. */
void settings_ike(const struct sallyport_conf *conf,
    const struct crypto *crypto, struct ike_config *out);

#endif
