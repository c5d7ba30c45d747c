/* SPDX-License-Identifier: ISC */
/* The configuration in the core's terms. */
#ifndef IKEV1_SETTINGS_H
#define IKEV1_SETTINGS_H

#include "common/conf.h"
#include "ikev1/core/ike.h"

/* A conf_judge_fn: is the word one that we can do? */
int settings_judge(
    enum conf_word what, const char *text, char *reason, size_t size);
/* conf has passed settings_judge(). crypto is borrowed. */
void settings_ike(const struct sallyport_conf *conf,
    const struct crypto *crypto, struct ike_config *out);

#endif
