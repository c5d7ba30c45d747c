/* SPDX-License-Identifier: ISC */
/*
 * Deletes every ESP SA that carries the reqid of a slot (PEER_MARK_BASE |
 * 1 to PEER_SLOT_MAX), whoever made it.  l2tpd does so before it closes
 * sockets while ikev1d cannot be asked: a decrypted packet without its
 * socket would be answered with an ICMP error in clear.
 */
#ifndef COMMON_ESP_SWEEP_H
#define COMMON_ESP_SWEEP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Blocking, for some ms a thousand SAs; needs CAP_NET_ADMIN.  *deleted is
 * how many went.  0 when none is left, or -errno.
 */
int esp_sweep(size_t *deleted);

/* --- for tests -------------------------------------------------------- */

struct nlmsghdr;
/*
 * The request that deletes the SA of one message of a dump.  0, or -ENOENT:
 * it is not an ESP SA of a slot.  out has room for ESP_SWEEP_REQUEST_MAX.
 */
#define ESP_SWEEP_REQUEST_MAX 64
int esp_sweep_request(
    const struct nlmsghdr *sa, size_t len, uint32_t seq, void *out);

#endif
