/* SPDX-License-Identifier: ISC */
/* `sallyport user add|del|list`: the users file, changed atomically. */
#include "common/exitcode.h"
#include "common/secret.h"
#include "ctl/cmd.h"
#include "ctl/password.h"
#include "ctl/table.h"
#include "ctl/users_file.h"
#include "l2tpd/core/mschap.h"
#include "l2tpd/core/users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(USERS_FILE_ERROR_MAX >= USERS_ERROR_MAX, "one error buffer");

/* Opens and parses; after a failure (printed) both are closed. */
static int open_users(const struct cmd_env *env, int for_change,
    struct users_file *file, struct users **users)
{
	char error[USERS_FILE_ERROR_MAX] = "";
	int err = users_file_open(file, env->dir, for_change, error);

	*users = NULL;
	if (err == 0)
		err = users_parse(
		    file->path, file->text, file->len, users, error);
	if (err == 0)
		return EXITCODE_OK;
	users_file_close(file);
	return cmd_fail(env, "%s", error);
}

static void close_users(struct users_file *file, struct users *users)
{
	users_free(users);
	users_file_close(file);
}

/* --- add ------------------------------------------------------------------ */

static int set_attrs(
    const struct cmd_args *args, struct user *user, char error[USERS_ERROR_MAX])
{
	for (int i = 1; i < args->count; i++) {
		const char *word = args->operand[i];
		const char *equal = strchr(word, '=');
		char key[sizeof(user->attrs[0].key)] = "";
		size_t len = equal ? (size_t)(equal - word) : 0;
		int err;

		if (len == 0 || len >= sizeof(key)) {
			snprintf(error, USERS_ERROR_MAX,
			    "'%s' is not KEY=VALUE, as in ip=10.20.0.7", word);
			return -EINVAL;
		}
		memcpy(key, word, len);
		err = user_attr_set(user, key, equal + 1, error);
		if (err == -ENOSPC)
			snprintf(error, USERS_ERROR_MAX, "too many keys");
		if (err)
			return err;
	}
	return 0;
}

/* Turns the checked plain password of user into its NT hash. */
static int hash_secret(struct user *user, char error[USERS_ERROR_MAX])
{
	struct mschap *m = mschap_new(error, USERS_ERROR_MAX);
	uint8_t hash[MSCHAP_HASH_LEN];
	int err = m ? 0 : -EIO;

	if (m)
		err = mschap_nt_hash(
		    m, (const char *)user->secret, user->secret_len, hash);
	if (m && err)
		snprintf(error, USERS_ERROR_MAX,
		    "the password can't be hashed: %s",
		    err == -EINVAL ? "it is too long or not UTF-8"
				   : "OpenSSL failed");
	if (err == 0)
		user_set_nt(user, hash);
	secret_wipe(hash, sizeof(hash));
	mschap_free(m);
	return err;
}

static int set_password(
    struct user *user, const char *password, bool is_plain, char *error)
{
	int err = user_set_plain(user, password, error);

	if (err == 0 && !is_plain)
		err = hash_secret(user, error);
	return err;
}

struct same_ip {
	const struct user *mine;
	char other[USERS_NAME_MAX];
};

static void find_same_ip(void *ctx, const struct user *user)
{
	struct same_ip *s = ctx;

	if (user->ip.family != ADDR_NONE &&
	    addr_ip_equal(&user->ip, &s->mine->ip) &&
	    strcmp(user->name, s->mine->name) != 0)
		memcpy(s->other, user->name, sizeof(s->other));
}

/* Writes user to the file; prints what happened. */
static int store_user(const struct cmd_env *env, struct users_file *file,
    const struct users *users, const struct user *user)
{
	char error[USERS_FILE_ERROR_MAX];
	struct same_ip same = {.mine = user};
	bool replaced = false;
	size_t len = 0;
	char *text;
	int err;

	users_each(users, find_same_ip, &same);
	if (same.other[0])
		return cmd_fail(
		    env, "user %s has that address already", same.other);
	text = users_text_put(file->text, file->len, user, &len, &replaced);
	if (!text)
		return cmd_fail(env, "the user's line would be too long");
	err = users_file_replace(file, text, len, error);
	secret_free(text, len + 1);
	if (err)
		return cmd_fail(env, "%s", error);
	fprintf(env->out, "user %s %s\n", user->name,
	    replaced ? "changed" : "added");
	return EXITCODE_OK;
}

static int add_user(const struct cmd_env *env, const struct cmd_args *args,
    struct user *user, const char *password)
{
	char error[USERS_ERROR_MAX] = "";
	struct users_file file;
	const struct user *old;
	struct users *users;
	int code = open_users(env, 1, &file, &users);

	if (code)
		return code;
	/* A known user keeps the keys that are not given again. */
	old = users_find(users, user->name);
	if (old && strcmp(old->name, user->name) == 0)
		*user = *old;
	if (set_attrs(args, user, error) ||
	    set_password(user, password, args->is_plain, error))
		code = cmd_fail(env, "%s", error);
	else
		code = store_user(env, &file, users, user);
	close_users(&file, users);
	return code;
}

int cmd_user_add(const struct cmd_env *env, const struct cmd_args *args)
{
	char password[PASSWORD_MAX], error[USERS_ERROR_MAX] = "";
	struct user user = {0};
	int code, err;

	/* Name and keys first: nobody types a password in vain. */
	if (user_set_name(&user, args->operand[0], error) ||
	    set_attrs(args, &user, error)) {
		cmd_fail(env, "%s", error);
		return EXITCODE_USAGE;
	}
	err = password_read(env->in_fd, env->err, password);
	if (err)
		return cmd_fail(env, "%s", password_error(err));
	code = add_user(env, args, &user, password);
	secret_wipe(password, sizeof(password));
	secret_wipe(&user, sizeof(user));
	return code;
}

/* --- del, list ------------------------------------------------------------ */

int cmd_user_del(const struct cmd_env *env, const struct cmd_args *args)
{
	const char *name = args->operand[0];
	char error[USERS_FILE_ERROR_MAX];
	struct users_file file;
	struct users *users;
	int code = open_users(env, 1, &file, &users);
	size_t len = 0;
	char *text;

	if (code)
		return code;
	text = users_text_remove(file.text, file.len, name, &len);
	if (!text)
		code = cmd_fail(env, "no user is called %s", name);
	else if (users_file_replace(&file, text, len, error))
		code = cmd_fail(env, "%s", error);
	else
		fprintf(env->out, "user %s removed\n", name);
	secret_free(text, text ? len + 1 : 0);
	close_users(&file, users);
	return code;
}

static void list_user(void *ctx, const struct user *user)
{
	struct table *t = ctx;

	table_cell(t, user->name);
	table_cell(t, user->kind == USER_PLAIN ? "plain" : "nt");
	table_cell(t, user_attr(user, "ip"));
}

int cmd_user_list(const struct cmd_env *env, const struct cmd_args *args)
{
	static const struct table_column columns[] = {
	    {"USER", false}, {"SECRET", false}, {"ADDRESS", false}};
	struct users_file file;
	struct users *users;
	struct table *t;
	int code = open_users(env, 0, &file, &users);

	(void)args;
	if (code)
		return code;
	t = table_new(columns, 3);
	users_each(users, list_user, t);
	table_print(t, env->out);
	table_free(t);
	close_users(&file, users);
	return EXITCODE_OK;
}
