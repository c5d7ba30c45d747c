/* SPDX-License-Identifier: ISC */
/* The world's vault: what the machine recorded, and its next life. */
#include "test/lib/ike_world_priv.h"

#include "common/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ikew_forget_records(struct ikew *w)
{
	for (size_t i = 0; i < WORLD_RECORDS; i++) {
		secret_free(w->record[i].data, w->record[i].len);
		w->record[i] = (struct ikew_record){0};
	}
}

static struct ikew_record *find_record(
    struct ikew *w, uint64_t kind, uint64_t id)
{
	struct ikew_record *r = w->record, *end = r + WORLD_RECORDS;

	while (r < end && !(r->data && r->kind == kind && r->id == id))
		r++;
	return r < end ? r : NULL;
}

static void keep_record(
    void *ctx, uint64_t kind, uint64_t id, const uint8_t *data, size_t len)
{
	struct ikew *w = ctx;
	struct ikew_record *r = find_record(w, kind, id);

	if (r) {
		secret_free(r->data, r->len);
		*r = (struct ikew_record){0};
	}
	if (!data)
		return;
	for (r = w->record; r->data; r++)
		if (r + 1 == w->record + WORLD_RECORDS)
			abort();
	*r = (struct ikew_record){kind, id, malloc(len), len};
	memcpy(r->data, data, len);
}

/* Nobody has changed an object and not said so. */
static void check_record(
    void *ctx, uint64_t kind, uint64_t id, const uint8_t *data, size_t len)
{
	const struct ikew_record *r = find_record(ctx, kind, id);

	if (!r || r->len != len || memcmp(r->data, data, len) != 0) {
		fprintf(stderr, "the record %llu/%016llx is not true\n",
		    (unsigned long long)kind, (unsigned long long)id);
		abort();
	}
}

void ikew_keep_records(struct ikew *w, bool check)
{
	ike_records(w->ike, keep_record, w);
	if (check)
		ike_records_clean(w->ike, check_record, w);
}

struct ikew_record *ikew_record(struct ikew *w, enum ike_record kind)
{
	struct ikew_record *best = NULL;

	for (size_t i = 0; i < WORLD_RECORDS; i++)
		if (w->record[i].data && w->record[i].kind == kind)
			best = &w->record[i];
	return best;
}

static void resume_kind(struct ikew *w, enum ike_record kind)
{
	for (size_t i = 0; i < WORLD_RECORDS; i++) {
		struct ikew_record *r = &w->record[i];
		struct wire_span data = {r->data, r->len};

		if (!r->data || r->kind != kind ||
		    !ike_resume(w->ike, r->kind, r->id, data))
			continue;
		secret_free(r->data, r->len);
		*r = (struct ikew_record){0};
	}
}

void ikew_resume_begin(struct ikew *w)
{
	const struct ike_event ev = {.type = IKE_EV_RESUME};

	for (size_t i = 0; i < WORLD_QUEUE; i++)
		if (w->queue[i].is_used && w->queue[i].to_server &&
		    w->queue[i].ev.type != IKE_EV_DATAGRAM)
			w->queue[i].is_used = false;
	ike_free(w->ike);
	w->ike = ike_new(&w->cfg, ikew_random, w);
	ike_keep_records(w->ike, NULL, NULL);
	resume_kind(w, IKE_RECORD_PEER);
	resume_kind(w, IKE_RECORD_SA);
	for (size_t i = 0; i < w->peer_count; i++)
		if (w->peer[i].state == WORLD_PEER_UP)
			w->peer[i].state = WORLD_PEER_OPENED;
	w->is_resuming = true;
	ikew_step(w, &ev);
	w->is_resuming = false;
}

void ikew_resume(struct ikew *w)
{
	const struct ike_event end = {.type = IKE_EV_HELD_END};
	uint8_t live[WORLD_SAS * IKE_LIVE_SIZE];

	ikew_resume_begin(w);
	for (size_t i = 0; i < w->peer_count; i++) {
		const struct ikew_peer *p = &w->peer[i];

		if (p->state == WORLD_NO_PEER || p->state == WORLD_PEER_ENDED)
			continue;
		ikew_step(w, &(struct ike_event){.type = IKE_EV_HELD,
				 .r = p->r,
				 .slot = p->slot,
				 .live = {live, ikew_live(w, p->r, live)}});
	}
	ikew_step(w, &end);
}
