/* SPDX-License-Identifier: ISC */
/* The users file, read again when it changed. */
#include "l2tpd/user_store.h"

#include "common/alloc.h"
#include "common/conf.h"
#include "common/secret.h"
#include "l2tpd/core/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (16u << 20)

/* What changes when the file does. */
struct stamp {
	bool is_there;
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct user_store {
	struct log *log;
	char *path;
	unsigned int methods;
	struct mschap *mschap;
	struct users *users; /* NULL: no file */
	struct stamp stamp;
	uint32_t generation;
};

static struct stamp stamp_of(const char *path)
{
	struct stamp s;
	struct stat st;

	memset(&s, 0, sizeof(s));
	if (stat(path, &st))
		return s;
	s.is_there = true;
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	s.size = st.st_size;
	s.mtime = st.st_mtim;
	return s;
}

static bool stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->is_there == b->is_there && a->dev == b->dev &&
	       a->ino == b->ino && a->size == b->size &&
	       a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static int load(struct user_store *s, char *error)
{
	char why[CONF_ERROR_MAX];
	struct users *users;
	char *text;
	int err = conf_read_file(s->path, FILE_MAX, &text, why);

	if (err) {
		snprintf(
		    error, USERS_ERROR_MAX, "%.*s", USERS_ERROR_MAX - 1, why);
		return err;
	}
	err = users_parse(s->path, text, strlen(text), &users, error);
	secret_free(text, strlen(text) + 1);
	if (err)
		return err;
	users_free(s->users);
	s->users = users;
	s->generation++;
	return 0;
}

uint32_t user_store_check(struct user_store *s)
{
	struct stamp now = stamp_of(s->path);
	char error[USERS_ERROR_MAX];

	if (stamp_equal(&now, &s->stamp))
		return s->generation;
	s->stamp = now;
	if (!now.is_there) {
		log_warn(s->log, "%s is gone: there are no users now", s->path);
		users_free(s->users);
		s->users = NULL;
		s->generation++;
	} else if (load(s, error)) {
		log_error(
		    s->log, "%s; the users from before stay in force", error);
	} else {
		log_info(
		    s->log, "%s: %zu users", s->path, users_count(s->users));
	}
	return s->generation;
}

void user_store_each(const struct user_store *s, users_fn fn, void *ctx)
{
	if (s->users)
		users_each(s->users, fn, ctx);
}

int user_store_open(struct user_store **out, struct log *log, const char *path,
    unsigned int methods, char *error)
{
	struct user_store *s = xcalloc(1, sizeof(*s));
	int err = 0;

	s->log = log;
	s->path = xstrdup(path);
	s->methods = methods;
	s->stamp = stamp_of(path);
	s->mschap = mschap_new(error, USERS_ERROR_MAX);
	if (!s->mschap)
		err = -EIO;
	else if (s->stamp.is_there)
		err = load(s, error);
	else
		log_warn(log,
		    "%s does not exist: nobody can log in "
		    "(`sallyport user add NAME` makes it)",
		    path);
	if (err) {
		user_store_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void user_store_free(struct user_store *s)
{
	if (!s)
		return;
	users_free(s->users);
	mschap_free(s->mschap);
	free(s->path);
	free(s);
}

void user_store_auth(
    struct user_store *s, const struct aaa_auth *ask, struct aaa_verdict *out)
{
	user_store_check(s);
	auth_check(s->mschap, s->users, s->methods, ask, out);
}
