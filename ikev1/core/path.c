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

static struct path *path_for(
    struct ike *ike, const struct addr *local, const struct addr *peer)
{
	struct path *path = path_of(ike, local, peer);

	if (path)
		return path;
	path = xcalloc(1, sizeof(*path));
	key_of(path->key, local, peer);
	HASH_ADD(hh, ike->paths, key, KEY_LEN, path);
	return path;
}

static void end_if_empty(struct ike *ike, struct path *path)
{
	if (path->sas || path->peers)
		return;
	HASH_DELETE(hh, ike->paths, path);
	free(path);
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
}

void path_remove_sa(struct ike *ike, struct ike_sa *sa)
{
	struct path *path = sa->path;

	if (!path)
		return;
	if (sa->path_prev)
		sa->path_prev->path_next = sa->path_next;
	else
		path->sas = sa->path_next;
	if (sa->path_next)
		sa->path_next->path_prev = sa->path_prev;
	sa->path = NULL;
	end_if_empty(ike, path);
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
}

void path_remove_peer(struct ike *ike, struct peer *p)
{
	struct path *path = p->path;

	if (!path)
		return;
	if (p->path_prev)
		p->path_prev->path_next = p->path_next;
	else
		path->peers = p->path_next;
	if (p->path_next)
		p->path_next->path_prev = p->path_prev;
	p->path = NULL;
	end_if_empty(ike, path);
}

void path_free_all(struct ike *ike)
{
	struct path *path, *next;

	HASH_ITER(hh, ike->paths, path, next)
	{
		HASH_DELETE(hh, ike->paths, path);
		free(path);
	}
}
