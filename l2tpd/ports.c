/* SPDX-License-Identifier: ISC */
/* Datagram sockets by R, tunnel and session. */
#include "l2tpd/ports.h"

#include "common/alloc.h"
#include "common/msg.h"
#include "common/secret.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <uthash.h>

/* The plugin's messages are the longest that can come. */
#define DATAGRAM_MAX MSG_MAX
/* Then the loop's other work has its turn. */
#define READS_A_WAKEUP 32

/* The key without padding, for hashing. */
struct hash_key {
	uint64_t r;
	uint64_t ids;
};

struct port {
	struct ports *owner;
	struct hash_key hash;
	struct aaa_key key;
	uv_poll_t poll;
	int fd;
	bool is_closed;
	UT_hash_handle hh;
};

struct ports {
	uv_loop_t *loop;
	ports_fn fn;
	void *ctx;
	struct port *all;
	bool is_paused;
};

static struct hash_key hash_of(struct aaa_key key)
{
	return (struct hash_key){
	    .r = key.r,
	    .ids = (uint64_t)key.tunnel_id << 16 | key.session_id,
	};
}

static struct port *find(const struct ports *ports, struct aaa_key key)
{
	struct hash_key hash = hash_of(key);
	struct port *p;

	HASH_FIND(hh, ports->all, &hash, sizeof(hash), p);
	return p;
}

struct ports *ports_new(uv_loop_t *loop, ports_fn fn, void *ctx)
{
	struct ports *ports = xcalloc(1, sizeof(*ports));

	ports->loop = loop;
	ports->fn = fn;
	ports->ctx = ctx;
	return ports;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The descriptor goes at once: it may be the last of a kernel tunnel. */
static void drop(struct port *p)
{
	HASH_DEL(p->owner->all, p);
	p->is_closed = true;
	uv_poll_stop(&p->poll);
	uv_close((uv_handle_t *)&p->poll, on_closed);
	close(p->fd);
}

void ports_free(struct ports *ports)
{
	struct port *p, *next;

	if (!ports)
		return;
	HASH_ITER(hh, ports->all, p, next)
	drop(p);
	free(ports);
}

static bool is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

/*
 * True while more may come.  An error that a packet caused (ICMP) is read
 * away here and means nothing: R's end is told by others.
 */
static bool read_one(struct port *p)
{
	uint8_t buf[DATAGRAM_MAX];
	struct sockaddr_storage ss;
	socklen_t ss_len = sizeof(ss);
	struct addr from;
	ssize_t n;

	memset(&ss, 0, sizeof(ss));
	n = recvfrom(p->fd, buf, sizeof(buf), MSG_DONTWAIT,
	    (struct sockaddr *)&ss, &ss_len);
	if (n < 0 && is_transient(errno))
		return false;
	if (n <= 0) {
		/* A stream of packets ended, or there was an error. */
		if (n == 0 && ss_len == 0)
			uv_poll_stop(&p->poll);
		return n < 0;
	}
	memset(&from, 0, sizeof(from));
	if (ss_len)
		addr_from_sockaddr(&from, (struct sockaddr *)&ss);
	p->owner->fn(
	    p->owner->ctx, p->key, &from, (struct wire_span){buf, (size_t)n});
	secret_wipe(buf, (size_t)n);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct port *p = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < READS_A_WAKEUP && read_one(p); i++)
		/* The callback may have closed this very port. */
		if (p->is_closed)
			return;
}

void ports_drain(struct ports *ports, struct aaa_key key)
{
	struct port *p = find(ports, key);

	if (p)
		on_readable(&p->poll, 0, UV_READABLE);
}

int ports_add(struct ports *ports, struct aaa_key key, int fd)
{
	struct port *p = find(ports, key);
	int err;

	if (p)
		drop(p);
	p = xcalloc(1, sizeof(*p));
	p->owner = ports;
	p->key = key;
	p->hash = hash_of(key);
	p->fd = fd;
	p->poll.data = p;
	err = uv_poll_init(ports->loop, &p->poll, fd);
	if (err) {
		close(fd);
		free(p);
		return err;
	}
	HASH_ADD(hh, ports->all, hash, sizeof(p->hash), p);
	if (ports->is_paused)
		return 0;
	return uv_poll_start(&p->poll, UV_READABLE, on_readable);
}

void ports_pause(struct ports *ports)
{
	ports->is_paused = true;
}

void ports_resume(struct ports *ports)
{
	struct port *p, *next;

	ports->is_paused = false;
	HASH_ITER(hh, ports->all, p, next)
	uv_poll_start(&p->poll, UV_READABLE, on_readable);
}

void ports_remove(struct ports *ports, struct aaa_key key)
{
	struct port *p = find(ports, key);

	if (p)
		drop(p);
}

void ports_remove_peer(struct ports *ports, uint64_t r)
{
	struct port *p, *next;

	HASH_ITER(hh, ports->all, p, next)
	if (p->key.r == r)
		drop(p);
}

size_t ports_count(const struct ports *ports)
{
	return HASH_COUNT(ports->all);
}

int ports_send(struct ports *ports, struct aaa_key key, const struct addr *to,
    const void *data, size_t len)
{
	const struct port *p = find(ports, key);
	struct sockaddr_storage ss;
	socklen_t ss_len = 0;
	ssize_t n;

	if (!p)
		return -ENOENT;
	if (to) {
		ss_len = addr_to_sockaddr(to, &ss);
		if (!ss_len)
			return -EAFNOSUPPORT;
	}
	do
		n = sendto(p->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		    ss_len ? (struct sockaddr *)&ss : NULL, ss_len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
