/* SPDX-License-Identifier: ISC */
/*
 * Datagram sockets by R, tunnel and session: read as they come, written
 * without waiting.
 */
#ifndef L2TPD_PORTS_H
#define L2TPD_PORTS_H

#include "common/addr.h"
#include "common/wire.h"
#include "l2tpd/core/aaa.h"

#include <uv.h>

struct ports;

/* from is ADDR_NONE on sockets without addresses; data is borrowed. */
typedef void (*ports_fn)(void *ctx, struct aaa_key key, const struct addr *from,
    struct wire_span data);

struct ports *ports_new(uv_loop_t *loop, ports_fn fn, void *ctx);
/* Closes all. */
void ports_free(struct ports *ports);

/* Until ports_resume() nothing is read. */
void ports_pause(struct ports *ports);
void ports_resume(struct ports *ports);

/* fd becomes ours; another one of the same key is closed. 0 or -errno. */
int ports_add(struct ports *ports, struct aaa_key key, int fd);
/* Reads what waits there now. */
void ports_drain(struct ports *ports, struct aaa_key key);
/* Closes it; an unknown key is ignored. */
void ports_remove(struct ports *ports, struct aaa_key key);
/* Closes all of that R. */
void ports_remove_peer(struct ports *ports, uint64_t r);
size_t ports_count(const struct ports *ports);
/*
 * Sends one datagram; to is NULL on connected sockets.  0 or -errno:
 * -ENOENT for an unknown key, -EAGAIN or -ENOBUFS when it must be dropped.
 */
int ports_send(struct ports *ports, struct aaa_key key, const struct addr *to,
    const void *data, size_t len);

#endif
