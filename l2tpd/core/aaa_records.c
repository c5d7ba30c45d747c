/* SPDX-License-Identifier: ISC */
/* Records of AAA's sessions: which changed, their bytes, and back. */
#include "l2tpd/core/aaa_int.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

void aaa_session_touch(struct aaa *aaa, struct aaa_session *s)
{
	if (s->is_dirty)
		return;
	s->is_dirty = true;
	DL_APPEND(aaa->dirty, s);
}

void aaa_session_untouch(struct aaa *aaa, struct aaa_session *s)
{
	if (s->is_dirty)
		DL_DELETE(aaa->dirty, s);
	if (aaa->ended_count == aaa->ended_size) {
		aaa->ended_size = 2 * aaa->ended_size + 8;
		aaa->ended = xreallocarray(
		    aaa->ended, aaa->ended_size, sizeof(*aaa->ended));
	}
	aaa->ended[aaa->ended_count++] = s->serial;
}

void aaa_checkpoint(struct aaa *aaa, aaa_record_fn fn, void *ctx)
{
	uint8_t buf[AAA_SESSION_SAVE_MAX];
	struct aaa_session *s, *next;
	struct wire_writer w;

	for (size_t i = 0; i < aaa->ended_count; i++)
		fn(ctx, aaa->ended[i], NULL, 0);
	aaa->ended_count = 0;
	DL_FOREACH_SAFE(aaa->dirty, s, next)
	{
		DL_DELETE(aaa->dirty, s);
		s->is_dirty = false;
		wire_writer_init(&w, buf, sizeof(buf));
		aaa_session_save(&w, s);
		if (wire_writer_error(&w))
			abort();
		fn(ctx, s->serial, buf, w.pos);
	}
}

/* The plugin had no answer to its question: it puts it again. */
static void forget_question(struct aaa *aaa, struct aaa_session *s)
{
	if (s->state != AAA_ST_ASKING)
		return;
	aaa_session_set_state(s, AAA_ST_NEW);
	s->job = 0;
	s->seq = 0;
	aaa_session_touch(aaa, s);
}

int aaa_resume(struct aaa *aaa, uint64_t id, const uint8_t *data, size_t len)
{
	const uint64_t next_serial = aaa->next_serial;
	struct aaa_session *s;
	struct wire_reader r;

	wire_reader_init(&r, data, len);
	s = aaa_session_restore(&r, aaa);
	aaa->next_serial = next_serial;
	if (s && (wire_left(&r) || s->serial != id || !id ||
		     id == AAA_SERIAL_LOCAL)) {
		s->serial = 0; /* perhaps another's */
		aaa_session_drop(aaa, s);
		s = NULL;
	}
	if (!s)
		return -EBADMSG;
	if (id >= next_serial)
		aaa->next_serial = id + 1;
	forget_question(aaa, s);
	/* One that another session has: it stays with both, as it is. */
	if (s->ip.family)
		pool_reserve(aaa->pool, s->serial, &s->ip);
	return 0;
}
