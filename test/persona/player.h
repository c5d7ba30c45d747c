/* SPDX-License-Identifier: ISC */
/*
 * The persona player: the IKE core as initiator with sockets, DH and a
 * kernel around it.  A test drives it by lines:
 *
 *	arguments	--persona NAME --local A --peer A --psk-file F
 *		[--listen-port N] [--client-port N] [--esp-life SECONDS]
 *[--null] stdin	rekey-ike | rekey-child | delete | stats | quit stdout
 *ike-up SUITE, child-up IN OUT, child-down IN, failed REASON, down REASON,
 *stats SAS PAIRS, soft-expire IN, hard-expire IN, mapping IN, log TEXT
 */
#ifndef TEST_PERSONA_PLAYER_H
#define TEST_PERSONA_PLAYER_H

#include "common/crypto.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/persona.h"
#include "ikev1/xfrm.h"

#include <uv.h>

#define PLAYER_CONN 1
#define PLAYER_PSK_MAX 256
#define PLAYER_SAS 32

struct player;

struct player_socket {
	uv_poll_t poll;
	struct player *player;
	int fd;
	uint16_t port; /* as the core knows it: 500 or 4500 */
};

struct player {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_pipe_t input;
	char line[128];
	size_t line_len;
	struct player_socket sockets[2];
	struct crypto crypto;
	struct ike_config cfg;
	struct ike *ike;
	const struct persona *persona;
	struct persona own; /* with --client-port: what persona points to */
	struct addr local, peer; /* port 500 */
	uint16_t listen_port;
	uint8_t psk[PLAYER_PSK_MAX];
	size_t psk_len;
	bool is_null; /* no kernel: SAs are only counted */
	struct log log;
	struct xfrm *xfrm;
	uint64_t next_r;
	uint32_t slot; /* of the first R: reqid and mark follow */
	struct ike_kernel_sa sa[PLAYER_SAS];
	size_t sa_count;
	/* Answers that wait for their turn. */
	struct player_event *first, **last;
	bool is_stepping;
};

void player_event(struct player *p, const struct ike_event *ev);
/* player_act.c */
void player_act(struct player *p, const struct ike_action *a);
/* The R of an SA; 0: there is none with that SPI. */
uint64_t player_sa_r(struct player *p, uint32_t spi);
/* The kernel has deleted it. */
void player_forget_sa(struct player *p, uint32_t spi);
/* Removes what is left in the kernel. */
void player_clean(struct player *p);
void player_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
