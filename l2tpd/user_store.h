/* SPDX-License-Identifier: ISC */
/*
 * The users file in the monitor: read at start and again when it changed
 * (`sallyport user` replaces it atomically), asked by op AUTH.
 */
#ifndef L2TPD_USER_STORE_H
#define L2TPD_USER_STORE_H

#include "common/aaa_msg.h"
#include "common/log.h"
#include "l2tpd/core/users.h"

struct user_store;

/*
 * methods: AAA_METHOD_BIT()s.  A missing file is nobody, and a warning.
 * 0; -EINVAL with "file:line: what is wrong"; or -EIO: OpenSSL lacks
 * something, error says what.  error has at least USERS_ERROR_MAX bytes.
 */
int user_store_open(struct user_store **out, struct log *log, const char *path,
    unsigned int methods, char *error);
void user_store_free(struct user_store *store);
/* A file that has become wrong changes nothing: the old users stay. */
void user_store_auth(struct user_store *store, const struct aaa_auth *ask,
    struct aaa_verdict *out);
/* Reads the file if it changed; a number that is another after each
 * change. */
uint32_t user_store_check(struct user_store *store);
/* In the order of the file, as it was read last. */
void user_store_each(const struct user_store *store, users_fn fn, void *ctx);

#endif
