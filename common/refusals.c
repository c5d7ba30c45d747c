/* SPDX-License-Identifier: ISC */
/* The last refusals of each client, in fixed memory. */
#include "common/refusals.h"

#include "common/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct book {
	uint32_t key[REFUSALS_MAX]; /* of the address; 0: free */
	uint64_t order[REFUSALS_MAX];
	struct refusal entry[REFUSALS_MAX];
};

struct refusals {
	int64_t since;
	uint64_t next; /* order of the next one */
	struct book book[2];
};

struct refusals *refusals_new(int64_t now)
{
	struct refusals *r = xcalloc(1, sizeof(*r));

	r->since = now;
	return r;
}

void refusals_free(struct refusals *r)
{
	free(r);
}

/* Never 0.  A collision costs a comparison. */
static uint32_t key_of(const struct addr *a)
{
	uint32_t h = 2166136261u ^ a->family;

	for (size_t i = 0; i < addr_ip_len(a); i++)
		h = (h ^ a->ip[i]) * 16777619u;
	return h ? h : 1;
}

struct places {
	size_t same, oldest_of_address, oldest; /* REFUSALS_MAX: none */
	size_t of_address;
};

static void look(struct places *p, const struct book *b,
    const struct refusal *like, const char *what)
{
	uint32_t key = key_of(&like->peer);

	*p = (struct places){REFUSALS_MAX, REFUSALS_MAX, 0, 0};
	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		const struct refusal *e = &b->entry[i];

		/* A free place has order 0: older than all. */
		if (b->order[i] < b->order[p->oldest])
			p->oldest = i;
		if (b->key[i] != key || !addr_ip_equal(&e->peer, &like->peer))
			continue;
		p->of_address++;
		if (p->oldest_of_address == REFUSALS_MAX ||
		    b->order[i] < b->order[p->oldest_of_address])
			p->oldest_of_address = i;
		if (!strcmp(e->what, what) &&
		    addr_ip_equal(&e->local, &like->local))
			p->same = i;
	}
}

void refusals_add(struct refusals *r, bool is_proven,
    const struct refusal *like, const char *what, size_t what_len,
    const char *remedy)
{
	struct book *b = &r->book[is_proven];
	char text[REFUSAL_WHAT_MAX];
	struct refusal *e;
	struct places p;
	size_t at;

	snprintf(text, sizeof(text), "%.*s", (int)what_len, what);
	look(&p, b, like, text);
	at = p.same;
	if (at == REFUSALS_MAX)
		at = p.of_address >= REFUSALS_PER_ADDRESS ? p.oldest_of_address
							  : p.oldest;
	e = &b->entry[at];
	if (at != p.same) {
		e->count = 0;
		memcpy(e->what, text, sizeof(text));
	}
	e->when = like->when;
	e->peer = like->peer;
	e->local = like->local;
	e->count += e->count < UINT32_MAX;
	snprintf(e->remedy, sizeof(e->remedy), "%s", remedy ? remedy : "");
	b->key[at] = key_of(&like->peer);
	b->order[at] = ++r->next;
}

/* The newest of an address that is older than order; false: none. */
static bool newest_before(const struct refusals *r, const struct addr *address,
    uint64_t *order, const struct refusal **out)
{
	uint32_t key = key_of(address);
	uint64_t best = 0;

	for (size_t k = 0; k < 2 * REFUSALS_MAX; k++) {
		const struct book *b = &r->book[k / REFUSALS_MAX];
		size_t i = k % REFUSALS_MAX;

		if (b->key[i] != key || b->order[i] >= *order ||
		    b->order[i] <= best ||
		    !addr_ip_equal(&b->entry[i].peer, address))
			continue;
		best = b->order[i];
		*out = &b->entry[i];
	}
	*order = best;
	return best != 0;
}

size_t refusals_find(const struct refusals *r, const struct addr *address,
    const struct refusal *out[REFUSALS_PER_ADDRESS])
{
	uint64_t order = UINT64_MAX;
	size_t n = 0;

	while (n < REFUSALS_PER_ADDRESS &&
	       newest_before(r, address, &order, &out[n]))
		n++;
	return n;
}

static json_t *to_json(const struct refusal *e)
{
	char peer[ADDR_TEXT_MAX], local[ADDR_TEXT_MAX];
	json_t *doc = json_pack("{s:I, s:s, s:I, s:s}", "time",
	    (json_int_t)e->when, "peer", addr_text(&e->peer, peer), "count",
	    (json_int_t)e->count, "what", e->what);

	json_object_set_new(doc, "local",
	    e->local.family == ADDR_NONE
		? json_null()
		: json_string(addr_text(&e->local, local)));
	json_object_set_new(
	    doc, "remedy", e->remedy[0] ? json_string(e->remedy) : json_null());
	return doc;
}

json_t *refusals_json(const struct refusals *r, const char *text)
{
	const struct refusal *found[REFUSALS_PER_ADDRESS];
	char clean[ADDR_TEXT_MAX];
	struct addr address;
	json_t *list;
	size_t n;

	if (addr_parse(&address, text))
		return NULL;
	list = json_array();
	n = refusals_find(r, &address, found);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, to_json(found[i]));
	return json_pack("{s:i, s:s, s:I, s:o}", "version", 1, "address",
	    addr_ip_text(&address, clean), "since", (json_int_t)r->since,
	    "refusals", list);
}
