/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the users file.  What parses must render, parse to the same again
 * and survive an edit of another line.
 */
#include "l2tpd/core/users.h"

#include "common/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

/* One user's line alone says the same. */
static void check_line(void *ctx, const struct user *user)
{
	char line[USERS_LINE_MAX * 4], error[USERS_ERROR_MAX];
	int len = user_render(user, line, sizeof(line));
	const struct user *again;
	struct users *one;

	(void)ctx;
	must(len > 0 && (size_t)len == strlen(line));
	if (len >= USERS_LINE_MAX)
		return;
	must(!users_parse("line", line, (size_t)len, &one, error));
	must(users_count(one) == 1);
	again = users_find(one, user->name);
	must(again && again->kind == user->kind);
	must(again->secret_len == user->secret_len);
	must(!memcmp(again->secret, user->secret, user->secret_len));
	must(again->attr_count == user->attr_count);
	must(addr_equal(&again->ip, &user->ip));
	users_free(one);
}

/* Put and removed again, a new user leaves as many as there were. */
static void check_edit(const char *text, size_t size, const struct users *users)
{
	char error[USERS_ERROR_MAX];
	size_t len, shorter_len;
	char *longer, *shorter;
	struct user guest = {0};
	struct users *again;
	bool replaced;

	must(!user_set_name(&guest, "%guest \xc3\xbc", error));
	must(!user_set_plain(&guest, "#1: %", error));
	longer = users_text_put(text, size, &guest, &len, &replaced);
	must(longer != NULL);
	must(!users_parse("longer", longer, len, &again, error));
	must(users_count(again) == users_count(users) + !replaced);
	must(users_find(again, guest.name) != NULL);
	users_free(again);
	shorter = users_text_remove(longer, len, guest.name, &shorter_len);
	must(shorter != NULL);
	must(!users_parse("shorter", shorter, shorter_len, &again, error));
	must(users_count(again) == users_count(users) - replaced);
	users_free(again);
	secret_free(shorter, shorter_len + 1);
	secret_free(longer, len + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char error[USERS_ERROR_MAX];
	struct users *users;

	if (users_parse("users", text, size, &users, error)) {
		must(!strncmp(error, "users:", 6));
		return 0;
	}
	users_each(users, check_line, NULL);
	check_edit(text, size, users);
	users_free(users);
	return 0;
}
