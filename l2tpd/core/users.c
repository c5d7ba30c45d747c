/* SPDX-License-Identifier: ISC */
/* The users table: parsing, lookup, one user as a value. */
#include "l2tpd/core/users.h"
#include "l2tpd/core/users_text.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "l2tpd/core/utf8.h"

#include <uthash.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct user user;
	UT_hash_handle hh;
};

/* uthash iterates in the order of insertion: the file's. */
struct users {
	struct entry *by_name;
};

static int fail(char error[USERS_ERROR_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(char error[USERS_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, USERS_ERROR_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == 0x7f;
}

static int check_text(const char *what, const char *text, size_t len,
    size_t max, char error[USERS_ERROR_MAX])
{
	if (!len)
		return fail(error, "the %s is empty", what);
	if (len >= max)
		return fail(
		    error, "the %s is longer than %zu bytes", what, max - 1);
	for (size_t i = 0; i < len; i++)
		if (is_control((uint8_t)text[i]))
			return fail(error, "control character 0x%02x in the %s",
			    (uint8_t)text[i], what);
	if (!utf8_valid(text, len))
		return fail(error, "the %s is not UTF-8", what);
	return 0;
}

int user_set_name(
    struct user *user, const char *name, char error[USERS_ERROR_MAX])
{
	size_t len = strlen(name);
	int err = check_text("name", name, len, sizeof(user->name), error);

	if (!err)
		memcpy(user->name, name, len + 1);
	return err;
}

int user_set_plain(
    struct user *user, const char *secret, char error[USERS_ERROR_MAX])
{
	size_t len = strlen(secret);
	int err =
	    check_text("secret", secret, len, sizeof(user->secret), error);

	if (err)
		return err;
	secret_wipe(user->secret, sizeof(user->secret));
	memcpy(user->secret, secret, len);
	user->secret_len = len;
	user->kind = USER_PLAIN;
	return 0;
}

void user_set_nt(struct user *user, const uint8_t hash[USERS_NT_LEN])
{
	secret_wipe(user->secret, sizeof(user->secret));
	memcpy(user->secret, hash, USERS_NT_LEN);
	user->secret_len = USERS_NT_LEN;
	user->kind = USER_NT;
}

/* A host's address that a PPP peer can have. */
static int set_ip(
    struct user *user, const char *value, char error[USERS_ERROR_MAX])
{
	struct addr a;

	if (addr_parse(&a, value) || a.family != ADDR_IPV4)
		return fail(error, "ip=%s is not an IPv4 address", value);
	if (!a.ip[0] || a.ip[0] == 127 || a.ip[0] >= 224)
		return fail(error, "ip=%s can't be a client's address", value);
	user->ip = a;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(
	    struct user *user, const char *value, char error[USERS_ERROR_MAX]);
} known_keys[] = {
    {"ip", set_ip},
};

const char *user_attr(const struct user *user, const char *key)
{
	for (size_t i = 0; i < user->attr_count; i++)
		if (!strcmp(user->attrs[i].key, key))
			return user->attrs[i].value;
	return NULL;
}

static struct user_attr *attr_slot(struct user *user, const char *key)
{
	for (size_t i = 0; i < user->attr_count; i++)
		if (!strcmp(user->attrs[i].key, key))
			return &user->attrs[i];
	if (user->attr_count == USERS_ATTR_MAX)
		return NULL;
	return &user->attrs[user->attr_count++];
}

int user_attr_set(struct user *user, const char *key, const char *value,
    char error[USERS_ERROR_MAX])
{
	size_t count = sizeof(known_keys) / sizeof(known_keys[0]);
	struct user_attr *a;
	size_t i = 0;
	int err;

	while (i < count && strcmp(known_keys[i].key, key))
		i++;
	if (i == count)
		return fail(error, "unknown key '%.40s' (known: ip)", key);
	if (strlen(value) >= sizeof(a->value))
		return fail(error, "the value of %s= is too long", key);
	err = known_keys[i].set(user, value, error);
	if (err)
		return err;
	a = attr_slot(user, key);
	if (!a)
		return -ENOSPC;
	snprintf(a->key, sizeof(a->key), "%s", key);
	snprintf(a->value, sizeof(a->value), "%s", value);
	return 0;
}

static int set_nt_hex(
    struct user *user, struct wire_span hex, char error[USERS_ERROR_MAX])
{
	uint8_t hash[USERS_NT_LEN];

	if (hex.len != 2 * USERS_NT_LEN || !users_hex(hex, hash))
		return fail(error, "$nt$ needs 32 hexadecimal digits");
	user_set_nt(user, hash);
	secret_wipe(hash, sizeof(hash));
	return 0;
}

static int parse_secret(
    struct user *user, struct wire_span in, char error[USERS_ERROR_MAX])
{
	char text[USERS_LINE_MAX];
	int err;

	if (users_span_starts(in, "$nt$"))
		return set_nt_hex(user, users_span_skip(in, 4), error);
	if (!users_span_starts(in, "$plain$"))
		return fail(error, "after the name comes $nt$ or $plain$");
	if (users_unescape(users_span_skip(in, 7), text, sizeof(text)))
		err = fail(error, "bad %%XX in the secret (a %% is %%25)");
	else
		err = user_set_plain(user, text, error);
	secret_wipe(text, sizeof(text));
	return err;
}

static int parse_attr(
    struct user *user, struct wire_span in, char error[USERS_ERROR_MAX])
{
	char text[USERS_LINE_MAX];
	char *value;

	memcpy(text, in.data, in.len);
	text[in.len] = '\0';
	value = strchr(text, '=');
	if (!value)
		return fail(error, "'%.40s' is not KEY=VALUE", text);
	*value++ = '\0';
	if (user_attr(user, text))
		return fail(error, "%.40s= is there twice", text);
	return user_attr_set(user, text, value, error);
}

/* line: not blank, no comment, shorter than USERS_LINE_MAX. */
static int parse_line(
    struct wire_span line, struct user *user, char error[USERS_ERROR_MAX])
{
	char name[USERS_LINE_MAX];
	struct wire_span token;
	int err;

	for (size_t i = 0; i < line.len; i++)
		if (is_control(line.data[i]) && line.data[i] != '\t')
			return fail(error, "control character 0x%02x%s",
			    line.data[i],
			    line.data[i] == '\r' ? " (DOS line ending)" : "");
	if (!users_take_name(&line, &token))
		return fail(error, "there is no ':' behind the name");
	if (users_unescape(token, name, sizeof(name)))
		return fail(error, "bad %%XX in the name (a blank is %%20)");
	err = user_set_name(user, name, error);
	if (!err) {
		users_take_word(&line, &token);
		err = parse_secret(user, token, error);
	}
	while (!err && users_take_word(&line, &token))
		err = parse_attr(user, token, error);
	return err;
}

/* Takes over the entry's user unless the name is there already. */
static int add(
    struct users *users, struct entry *e, char error[USERS_ERROR_MAX])
{
	struct entry *old;

	HASH_FIND_STR(users->by_name, e->user.name, old);
	if (old)
		return fail(error, "user '%.60s' is there twice", e->user.name);
	HASH_ADD_STR(users->by_name, user.name, e);
	return 0;
}

int users_parse(const char *file, const char *text, size_t len,
    struct users **out, char error[USERS_ERROR_MAX])
{
	struct users *users = xcalloc(1, sizeof(*users));
	struct wire_span rest = {(const uint8_t *)text, len}, line;
	char why[USERS_ERROR_MAX] = "";
	unsigned int number = 0;
	int err = 0;

	while (!err && users_take_line(&rest, &line)) {
		struct entry *e;

		number++;
		if (users_is_comment(line))
			continue;
		e = xcalloc(1, sizeof(*e));
		if (line.len >= USERS_LINE_MAX)
			err = fail(why, "the line is longer than %d bytes",
			    USERS_LINE_MAX - 1);
		else
			err = parse_line(line, &e->user, why);
		if (!err)
			err = add(users, e, why);
		if (err)
			secret_free(e, sizeof(*e));
	}
	if (err) {
		snprintf(error, USERS_ERROR_MAX, "%.80s:%u: %.150s", file,
		    number, why);
		users_free(users);
		return err;
	}
	*out = users;
	return 0;
}

void users_free(struct users *users)
{
	struct entry *e, *next;

	if (!users)
		return;
	HASH_ITER(hh, users->by_name, e, next)
	{
		HASH_DEL(users->by_name, e);
		secret_free(e, sizeof(*e));
	}
	free(users);
}

size_t users_count(const struct users *users)
{
	return HASH_COUNT(users->by_name);
}

const char *users_bare_name(const char *name)
{
	const char *end = strrchr(name, '\\');

	return end ? end + 1 : name;
}

const struct user *users_find(const struct users *users, const char *name)
{
	const char *bare = users_bare_name(name);
	struct entry *e;

	HASH_FIND_STR(users->by_name, name, e);
	if (!e && bare != name)
		HASH_FIND_STR(users->by_name, bare, e);
	return e ? &e->user : NULL;
}

void users_each(const struct users *users, users_fn fn, void *ctx)
{
	for (const struct entry *e = users->by_name; e; e = e->hh.next)
		fn(ctx, &e->user);
}
