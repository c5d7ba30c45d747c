/* SPDX-License-Identifier: ISC */
/* The control socket's client: one blocking request. */
#include "common/ctl.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_error(
    int err, const char *path, const char *daemon, char error[CTL_ERROR_MAX])
{
	switch (err) {
	case ENOENT:
	case ECONNREFUSED:
		snprintf(error, CTL_ERROR_MAX,
		    "%s is not running (%s: %s); start it with: systemctl "
		    "start %s",
		    daemon, path, strerror(err), daemon);
		return -ECONNREFUSED;
	case EACCES:
	case EPERM:
		snprintf(error, CTL_ERROR_MAX,
		    "not permitted to speak to %s (%s); run this as root",
		    daemon, path);
		return -EACCES;
	case EAGAIN:
		snprintf(error, CTL_ERROR_MAX,
		    "%s is busy: too many control connections", daemon);
		return -ETIMEDOUT;
	default:
		snprintf(error, CTL_ERROR_MAX, "%s: %s", path, strerror(err));
		return -err;
	}
}

static int connect_to(
    const char *path, const char *daemon, char error[CTL_ERROR_MAX])
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct timeval limit = {CTL_CLIENT_TIMEOUT_MS / 1000, 0};
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return connect_error(ENAMETOOLONG, path, daemon, error);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return connect_error(errno, path, daemon, error);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		int err = connect_error(errno, path, daemon, error);

		close(fd);
		return err;
	}
	return fd;
}

static int exchange_error(
    int err, const char *daemon, char error[CTL_ERROR_MAX])
{
	if (err == EAGAIN || err == EWOULDBLOCK)
		err = ETIMEDOUT;
	snprintf(error, CTL_ERROR_MAX, "%s: %s", daemon,
	    err == ETIMEDOUT ? "no answer in time" : strerror(err));
	return -err;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Reads to the end of the stream; *out is allocated, not terminated. */
static int receive_all(int fd, char **out, size_t *len)
{
	char *data = NULL;
	size_t have = 0, size = 0;
	ssize_t n;

	for (;;) {
		if (have == size) {
			size = size ? size * 2 : 8192;
			data = xreallocarray(data, size, 1);
		}
		n = recv(fd, data + have, size - have, 0);
		if (n < 0 && errno == EINTR)
			continue;
		/* A reset after the answer: it left our request unread. */
		if (n == 0 || (n < 0 && errno == ECONNRESET && have))
			break;
		have += n > 0 ? (size_t)n : 0;
		if (n < 0 || have > CTL_REPLY_MAX) {
			int err = n < 0 ? -errno : -EMSGSIZE;

			free(data);
			return err;
		}
	}
	*out = data;
	*len = have;
	return 0;
}

static int parse_reply(const char *data, size_t len, const char *daemon,
    json_t **doc, char error[CTL_ERROR_MAX])
{
	json_error_t where;
	json_t *root = json_loadb(data, len, JSON_REJECT_DUPLICATES, &where);
	const char *refused;

	if (!json_is_object(root)) {
		snprintf(error, CTL_ERROR_MAX, "%s: %s", daemon,
		    len ? "the answer is not a JSON object"
			: "it closed the connection without an answer");
		json_decref(root);
		return -EBADMSG;
	}
	refused = json_string_value(json_object_get(root, "error"));
	if (refused) {
		snprintf(error, CTL_ERROR_MAX, "%s: %s", daemon, refused);
		json_decref(root);
		return -EREMOTEIO;
	}
	*doc = root;
	return 0;
}

int ctl_request(const char *path, const char *daemon, const char *const *words,
    size_t count, json_t **doc, char error[CTL_ERROR_MAX])
{
	char line[CTL_LINE_MAX + 2];
	char *data = NULL;
	size_t size = 0;
	int len = ctl_join(words, count, line);
	int fd, err;

	if (len < 0) {
		snprintf(error, CTL_ERROR_MAX, "the request is %s",
		    len == -E2BIG ? "longer than 1024 bytes" : "malformed");
		return len;
	}
	fd = connect_to(path, daemon, error);
	if (fd < 0)
		return fd;
	err = send_all(fd, line, (size_t)len);
	/* A server that refuses early has closed its end but answered. */
	if (err == 0 || err == -EPIPE)
		err = receive_all(fd, &data, &size);
	close(fd);
	if (err)
		return exchange_error(-err, daemon, error);
	err = parse_reply(data, size, daemon, doc, error);
	free(data);
	return err;
}
