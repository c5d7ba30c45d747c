/* SPDX-License-Identifier: ISC */
/*
 * Paths: everything between one address of ours and one of a client's.  An
 * IKE SA and a peer that belong together share both (ports may change, by
 * NAT; another address is another client), so whoever looks for the one
 * that goes with the other looks here, not through all of them.
 */
#include "ikev1/core/ike_priv.h"

#include "common/alloc.h"

#include <stdlib.h>
#include <string.h>

#define KEY_LEN sizeof(((struct path *)0)->key)
#define SOURCE_KEY_LEN sizeof(((struct source *)0)->key)
#define IPV6_NET 8 /* bytes: whoever has one address has a /64 */

static void key_of(
    uint8_t *key, const struct addr *local, const struct addr *peer)
{
	*key++ = peer->family;
	memcpy(key, local->ip, sizeof(local->ip));
	memcpy(key + sizeof(local->ip), peer->ip, sizeof(peer->ip));
}

struct path *path_of(
    const struct ike *ike, const struct addr *local, const struct addr *peer)
{
	uint8_t key[KEY_LEN];
	struct path *path;

	key_of(key, local, peer);
	HASH_FIND(hh, ike->paths, key, KEY_LEN, path);
	return path;
}

static void source_key(uint8_t key[SOURCE_KEY_LEN], const struct addr *peer)
{
	size_t len = peer->family == ADDR_IPV6 ? IPV6_NET : addr_ip_len(peer);

	memset(key, 0, SOURCE_KEY_LEN);
	key[0] = peer->family;
	memcpy(key + 1, peer->ip, len);
}

struct source *path_source(const struct ike *ike, const struct addr *peer)
{
	uint8_t key[SOURCE_KEY_LEN];
	struct source *source;

	source_key(key, peer);
	HASH_FIND(hh, ike->sources, key, SOURCE_KEY_LEN, source);
	return source;
}

static struct source *source_for(struct ike *ike, const struct addr *peer)
{
	struct source *source = path_source(ike, peer);

	if (source)
		return source;
	source = xcalloc(1, sizeof(*source));
	source_key(source->key, peer);
	HASH_ADD(hh, ike->sources, key, SOURCE_KEY_LEN, source);
	return source;
}

static struct path *path_for(
    struct ike *ike, const struct addr *local, const struct addr *peer)
{
	struct path *path = path_of(ike, local, peer);

	if (path)
		return path;
	path = xcalloc(1, sizeof(*path));
	key_of(path->key, local, peer);
	HASH_ADD(hh, ike->paths, key, KEY_LEN, path);
	path->source = source_for(ike, peer);
	path->source->paths++;
	return path;
}

/* Of the last IKE SA or R of it, from peer, that has just gone. */
static void end_if_empty(
    struct ike *ike, struct path *path, const struct addr *peer)
{
	struct source *source = path->source;

	if (path->sas || path->peers)
		return;
	HASH_DELETE(hh, ike->paths, path);
	free(path);
	if (--source->paths)
		return;
	HASH_DELETE(hh, ike->sources, source);
	act_log_hidden(ike, peer, &source->limit);
	free(source);
}

static bool is_of_client(const struct ike_sa *other, const struct ike_sa *sa)
{
	return other != sa && other->state == SA_UP &&
	       addr_equal(&other->peer, &sa->peer) &&
	       other->psk_entry == sa->psk_entry &&
	       bytes_equal(&other->id, &sa->id);
}

/* Another IKE SA of sa's client that is up; NULL. */
static struct ike_sa *other_of_client(const struct ike_sa *sa)
{
	struct ike_sa *other = sa->path->sas;

	while (other && !is_of_client(other, sa))
		other = other->path_next;
	return other;
}

void path_sa_up(struct ike_sa *sa)
{
	if (other_of_client(sa))
		return;
	sa->is_counted = true;
	sa->path->source->clients++;
}

/* Another one of the same client takes its place in the count. */
static void stop_counting(struct ike_sa *sa)
{
	struct ike_sa *heir;

	if (!sa->is_counted)
		return;
	sa->is_counted = false;
	heir = other_of_client(sa);
	if (heir && !heir->is_counted)
		heir->is_counted = true;
	else
		sa->path->source->clients--;
}

bool path_is_full(const struct ike *ike, const struct ike_sa *sa)
{
	uint32_t most = ike->cfg.max_per_address;
	const struct peer *p = sa->path->peers;

	if (!most || sa->path->source->clients < most || other_of_client(sa))
		return false;
	while (p && !peer_matches(p, sa))
		p = p->path_next;
	return !p;
}

/* Whether its client has an IKE SA and nothing else, and not only just. */
static bool is_idle(const struct ike *ike, const struct ike_sa *sa)
{
	const struct peer *p = sa->path->peers;

	if (!sa->is_counted || sa->quicks ||
	    ike->now < sa->up_ms + ike->cfg.linger_ms)
		return false;
	while (p && !peer_matches(p, sa))
		p = p->path_next;
	return !p;
}

static void end_idle(struct ike *ike, struct ike_sa *sa)
{
	act_log_client(ike, &sa->peer, IKE_LOG_INFO,
	    "%s: its IKE SA ends: it has no IPsec SAs, and another client of "
	    "this address wants the place (max-per-address)",
	    text_shown(sa->identity));
	info_delete_sa(ike, sa);
	sa_become(ike, sa, SA_DEAD);
}

bool path_make_room(struct ike *ike, const struct ike_sa *sa)
{
	struct ike_sa *other, *next, *oldest = NULL;

	HASH_ITER(hh, ike->sas, other, next)
	{
		if (other->path && other->path->source == sa->path->source &&
		    is_idle(ike, other) &&
		    (!oldest || other->up_ms < oldest->up_ms))
			oldest = other;
	}
	if (!oldest)
		return false;
	/* A client may have several: none of them is to be its heir. */
	for (other = oldest->path->sas; other; other = next) {
		next = other->path_next;
		if (is_of_client(other, oldest))
			end_idle(ike, other);
	}
	end_idle(ike, oldest);
	return true;
}

bool path_has_all_peers(const struct ike *ike, const struct path *path)
{
	uint32_t most = ike->cfg.max_per_address;

	return most && path && path->source->peers >= most;
}

void path_add_sa(struct ike *ike, struct ike_sa *sa)
{
	struct path *path = path_for(ike, &sa->local, &sa->peer);

	sa->path = path;
	sa->path_prev = NULL;
	sa->path_next = path->sas;
	if (path->sas)
		path->sas->path_prev = sa;
	path->sas = sa;
	if (sa->state == SA_UP)
		path_sa_up(sa);
}

void path_remove_sa(struct ike *ike, struct ike_sa *sa)
{
	struct path *path = sa->path;

	if (!path)
		return;
	stop_counting(sa);
	if (sa->path_prev)
		sa->path_prev->path_next = sa->path_next;
	else
		path->sas = sa->path_next;
	if (sa->path_next)
		sa->path_next->path_prev = sa->path_prev;
	sa->path = NULL;
	end_if_empty(ike, path, &sa->peer);
}

void path_add_peer(struct ike *ike, struct peer *p)
{
	struct path *path = path_for(ike, &p->local, &p->peer);

	p->path = path;
	p->path_prev = NULL;
	p->path_next = path->peers;
	if (path->peers)
		path->peers->path_prev = p;
	path->peers = p;
	path->source->peers++;
}

void path_remove_peer(struct ike *ike, struct peer *p)
{
	struct path *path = p->path;

	if (!path)
		return;
	path->source->peers--;
	if (p->path_prev)
		p->path_prev->path_next = p->path_next;
	else
		path->peers = p->path_next;
	if (p->path_next)
		p->path_next->path_prev = p->path_prev;
	p->path = NULL;
	end_if_empty(ike, path, &p->peer);
}

void path_free_all(struct ike *ike)
{
	struct source *source, *next_source;
	struct path *path, *next;

	HASH_ITER(hh, ike->paths, path, next)
	{
		HASH_DELETE(hh, ike->paths, path);
		free(path);
	}
	HASH_ITER(hh, ike->sources, source, next_source)
	{
		HASH_DELETE(hh, ike->sources, source);
		free(source);
	}
}
