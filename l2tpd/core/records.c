/* SPDX-License-Identifier: ISC */
/* Records of peers: which changed, their bytes, and back. */
#include "l2tpd/core/saved_time.h"
#include "l2tpd/core/state.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

void lns_peer_touch(struct lns_peer *peer)
{
	if (peer->is_dirty)
		return;
	peer->is_dirty = true;
	DL_APPEND(peer->lns->dirty, peer);
}

void lns_peer_untouch(struct lns_peer *peer)
{
	struct lns *lns = peer->lns;

	if (peer->is_dirty)
		DL_DELETE(lns->dirty, peer);
	if (lns->ended_count == lns->ended_size) {
		lns->ended_size = 2 * lns->ended_size + 8;
		lns->ended = xreallocarray(
		    lns->ended, lns->ended_size, sizeof(*lns->ended));
	}
	lns->ended[lns->ended_count++] = peer->up.r;
}

/* Its bytes, in lns->record. */
static size_t write_record(struct lns *lns, const struct lns_peer *p)
{
	struct wire_writer w;

	for (;;) {
		wire_writer_init(&w, lns->record, lns->record_size);
		lns_peer_save(&w, p, SAVED_ABSOLUTE);
		if (!wire_writer_error(&w))
			return w.pos;
		lns->record_size = 2 * lns->record_size + 2048;
		lns->record = xreallocarray(lns->record, lns->record_size, 1);
	}
}

void lns_checkpoint(struct lns *lns, lns_record_fn fn, void *ctx)
{
	struct lns_peer *p, *next;

	for (size_t i = 0; i < lns->ended_count; i++)
		fn(ctx, lns->ended[i], NULL, 0);
	lns->ended_count = 0;
	DL_FOREACH_SAFE(lns->dirty, p, next)
	{
		size_t len = write_record(lns, p);

		DL_DELETE(lns->dirty, p);
		p->is_dirty = false;
		fn(ctx, p->up.r, lns->record, len);
	}
}

int lns_resume(struct lns *lns, uint64_t r, const uint8_t *data, size_t len)
{
	const size_t ended_count = lns->ended_count;
	struct wire_reader reader;
	struct lns_peer *p;

	wire_reader_init(&reader, data, len);
	p = lns_peer_restore(&reader, lns, SAVED_ABSOLUTE);
	if (p && (wire_left(&reader) || p->up.r != r)) {
		lns_peer_free(p);
		p = NULL;
	}
	/* The R in a damaged record may be another's. */
	lns->ended_count = ended_count;
	return p ? 0 : -EBADMSG;
}

static bool is_ready(const struct lns_peer *p)
{
	return p->state != LNS_PEER_WAIT_SLOT &&
	       p->state != LNS_PEER_WAIT_SOCKET;
}

void lns_each_peer(const struct lns *lns, lns_peer_fn fn, void *ctx)
{
	struct lns_peer *p, *next;

	HASH_ITER(hh, lns->peers, p, next)
	{
		fn(ctx, &p->up, is_ready(p));
	}
}
