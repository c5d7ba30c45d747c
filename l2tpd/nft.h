/* SPDX-License-Identifier: ISC */
/*
 * The nftables table `inet sallyport`: it moves each client's packets
 * between port 1701 and the private port of its slot, checks that a packet
 * names a tunnel of its own slot, and drops what has no IPsec.  It is made
 * once for all slots; no client costs a change.
 */
#ifndef L2TPD_NFT_H
#define L2TPD_NFT_H

#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define NFT_TABLE "sallyport"
/* Which bits of a packet's mark are ours; the others stay as they are. */
#define NFT_MARK_MASK 0xff003fffu

/* The ruleset as `nft -f -` takes it, one transaction; allocated. */
char *nft_render(uint32_t max_clients);
/* The one of nft_seal(), which takes the other's place; allocated. */
char *nft_render_sealed(void);

/* --- the table in the kernel ------------------------------------------ */

struct nft;

/*
 * Loads the table (blocking, once) and keeps it: when somebody else removes
 * it or parts of it, it is loaded again.  program is nft's path.  0, or
 * -errno with a reason logged.
 */
int nft_start(struct nft **out, uv_loop_t *loop, struct log *log,
    const char *program, uint32_t max_clients);
/* Removes the table and stops; NULL is allowed. */
void nft_stop(struct nft *nft);
/*
 * Stops, but leaves a table that drops whatever SAs of ours decrypt: they
 * are still there, the sockets are not.  0 or -errno, logged.
 */
int nft_seal(struct nft *nft);

/* --- parts, for tests ------------------------------------------------- */

/* Runs `program -f -` with this text; 0, -errno, or -EIO: nft refused it. */
int nft_run(struct log *log, const char *program, const char *text);
/* 1: the table is there; 0: it is not; or -errno. */
int nft_table_exists(void);

enum nft_change {
	NFT_CHANGE_NONE,    /* not of our table */
	NFT_CHANGE_MADE,    /* our table was made (again) */
	NFT_CHANGE_REMOVED, /* it, or a part of it, was removed */
};
/* What one NETLINK_NETFILTER notification (nlmsghdr) means to our table. */
struct nlmsghdr;
enum nft_change nft_classify(struct nlmsghdr *nlh);

#endif
