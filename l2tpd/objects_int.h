/* SPDX-License-Identifier: ISC */
/* What objects*.c share: the tree of R, tunnels and sessions. */
#ifndef L2TPD_OBJECTS_INT_H
#define L2TPD_OBJECTS_INT_H

#include "l2tpd/objects.h"

#include <uthash.h>
#include <utlist.h>

struct session {
	struct tunnel *tunnel;
	struct session *prev, *next;
	struct kernel_session id;
	int pppox_fd, plugin_fd;
	struct ppp *ppp; /* NULL: it has ended */
	bool is_closing;
	bool is_closed;	 /* the kernel has it no more */
	char *exit_text; /* how PPP ended: no engine has heard it yet */
};

struct tunnel {
	struct peer *peer;
	struct tunnel *prev, *next;
	struct kernel_tunnel id;
	int udp_fd, pppox_fd;
	struct session *sessions;
	bool is_closing;
};

struct peer {
	struct objects *owner;
	uint64_t r;
	uint32_t slot;
	struct addr local;
	int fd;
	struct tunnel *tunnels;
	bool is_closing;
	uint32_t free_seq; /* of the LM_PEER_FREE that waits; 0: none */
	UT_hash_handle hh;
};

struct objects {
	const struct kernel_ops *ops;
	void *kernel;
	struct objects_out out;
	uint32_t max_clients;
	bool has_engine;
	struct peer *peers;  /* by R */
	struct peer **slots; /* by slot, max_clients + 1 of them */
};

/* Frees it when it is over and an engine has heard so. */
void objects_session_check(struct session *s);
/* exit_text goes to the engine, or nowhere; the plugin's last words with it. */
void objects_tell_exit(struct session *s);
void objects_forget_exit(struct session *s);

#endif
