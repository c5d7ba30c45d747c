/* SPDX-License-Identifier: ISC */
/*
 * The users file: text to table and back, one user a line:
 *
 *   NAME:$nt$HEX [KEY=VALUE ...]       32 hex digits, the NT hash
 *   NAME:$plain$SECRET [KEY=VALUE ...]
 *
 * Blank lines and lines whose first character is # are comments.  In NAME
 * and SECRET %XX stands for a byte; ':' (in NAME), blank, '%' and a first
 * '#' must be written so.  Control characters are refused, escaped too;
 * both are UTF-8.  Keys are ip=A.B.C.D (the only one now); an unknown key
 * is an error.
 */
#ifndef L2TPD_CORE_USERS_H
#define L2TPD_CORE_USERS_H

#include "common/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USERS_NAME_MAX 129   /* with NUL, unescaped */
#define USERS_SECRET_MAX 129 /* with NUL, unescaped */
#define USERS_LINE_MAX 1024  /* with NUL */
#define USERS_ATTR_MAX 8     /* key=value a line */
#define USERS_ERROR_MAX 256
#define USERS_NT_LEN 16

enum user_kind {
	USER_NT = 1, /* secret: USERS_NT_LEN bytes */
	USER_PLAIN,  /* secret: the password, UTF-8 */
};

struct user_attr {
	char key[16];
	char value[64];
};

/* One line as data.  Wipe it after use: secret_wipe(&u, sizeof(u)). */
struct user {
	char name[USERS_NAME_MAX];
	enum user_kind kind;
	uint8_t secret[USERS_SECRET_MAX];
	size_t secret_len;
	struct user_attr attrs[USERS_ATTR_MAX];
	size_t attr_count;
	struct addr ip; /* of ip=, or ADDR_NONE */
};

struct users;

/*
 * Parses text (len bytes, no NUL needed).  file is named in errors only.
 * 0 and *out, or -EINVAL and error ("FILE:LINE: what is wrong").
 */
int users_parse(const char *file, const char *text, size_t len,
    struct users **out, char error[USERS_ERROR_MAX]);
/* Wipes every secret; NULL is allowed. */
void users_free(struct users *users);
size_t users_count(const struct users *users);
/*
 * The user of that name, or (DOMAIN\user) of the name behind the last
 * backslash; NULL if neither is there.  Borrowed from users.
 */
const struct user *users_find(const struct users *users, const char *name);
/* In the order of the file. */
typedef void (*users_fn)(void *ctx, const struct user *user);
void users_each(const struct users *users, users_fn fn, void *ctx);
/* The part behind the last backslash; name itself when there is none. */
const char *users_bare_name(const char *name);

/* The attribute's value; NULL if the user has none of that key. */
const char *user_attr(const struct user *user, const char *key);
/*
 * Adds or replaces an attribute, checking key and value.  0, -EINVAL
 * (error says why) or -ENOSPC.
 */
int user_attr_set(struct user *user, const char *key, const char *value,
    char error[USERS_ERROR_MAX]);
/*
 * Sets the name, checking it; 0, or -EINVAL and error.  The same for the
 * secret in plain (UTF-8).
 */
int user_set_name(
    struct user *user, const char *name, char error[USERS_ERROR_MAX]);
int user_set_plain(
    struct user *user, const char *secret, char error[USERS_ERROR_MAX]);
/* Sets the secret to an NT hash (mschap_nt_hash()). */
void user_set_nt(struct user *user, const uint8_t hash[USERS_NT_LEN]);

/*
 * The user's line without newline.  Its length, or -ENOSPC when it is
 * longer than size - 1.
 */
int user_render(const struct user *user, char *out, size_t size);

/*
 * The text with the user's line replaced or, when there is none, appended;
 * comments and all other lines stay as they are.  Allocated, NUL
 * terminated, holds secrets: secret_free(text, *out_len + 1).  NULL when
 * the user does not fit a line.  *replaced (may be NULL): was there one.
 */
char *users_text_put(const char *text, size_t len, const struct user *user,
    size_t *out_len, bool *replaced);
/* The same without the user's line; NULL when there is no such user. */
char *users_text_remove(
    const char *text, size_t len, const char *name, size_t *out_len);

#endif
