/* SPDX-License-Identifier: ISC */
/* What the core wants, carried out: as engine, monitor and l2tpd in one. */
#include "test/persona/player.h"

#include "common/secret.h"
#include "ikev1/core/candidate.h"
#include "ikev1/core/keymat.h"
#include "ikev1/dh.h"
#include "ikev1/udp.h"

#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQID_BASE 0x53000000u

extern char **environ;

void player_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static void act_send(struct player *p, const struct ike_action *a)
{
	bool is_natt = a->local.port == UDP_PORT_NATT;
	struct wire_span data = {a->data, a->len};

	udp_send(p->sockets[is_natt].fd, &a->local, &a->peer, data, is_natt);
}

static void act_keepalive(struct player *p, const struct ike_action *a)
{
	static const uint8_t octet[] = {0xff};
	struct wire_span data = {octet, sizeof(octet)};

	bool is_natt = a->local.port == UDP_PORT_NATT;

	udp_send(p->sockets[is_natt].fd, &a->local, &a->peer, data, false);
}

static void act_dh(struct player *p, const struct ike_action *a)
{
	struct wire_span peer = {a->data, a->len}, priv = {a->data2, a->len2};
	struct dh_result r = {.pub_len = 0};
	struct ike_event ev = {.type = IKE_EV_DH_DONE, .job = a->job};

	if (a->type == IKE_ACT_DH_KEYGEN)
		ev.error = dh_keygen(NULL, a->group, &r);
	else if (a->type == IKE_ACT_DH_DERIVE)
		ev.error = dh_finish(NULL, a->group, priv, peer, &r);
	else
		ev.error = dh_exchange(NULL, a->group, peer, &r);
	ev.pub = (struct wire_span){r.pub, r.pub_len};
	ev.shared = (struct wire_span){r.shared, r.shared_len};
	player_event(p, &ev);
	secret_wipe(&r, sizeof(r));
}

static void act_psk(struct player *p, const struct ike_action *a)
{
	struct ike_event ev = {.type = IKE_EV_PSK_DONE, .job = a->job};
	struct candidate c = {.line = 1, .entry = 1};
	uint8_t out[CANDIDATE_LEN];
	struct wire_writer w;
	int len = keymat_psk_skeyid(&p->crypto, a->hash,
	    (struct wire_span){p->psk, p->psk_len},
	    (struct wire_span){a->data, a->len},
	    (struct wire_span){a->data2, a->len2}, c.skeyid);

	if (len < 0) {
		ev.error = len;
		player_event(p, &ev);
		return;
	}
	c.skeyid_len = (uint8_t)len;
	wire_writer_init(&w, out, sizeof(out));
	candidate_put(&w, &c);
	ev.psk_count = 1;
	ev.shared = (struct wire_span){out, w.pos};
	player_event(p, &ev);
	secret_wipe(out, sizeof(out));
	secret_wipe(&c, sizeof(c));
}

/* ip(8) with those arguments; its exit code, or -1. */
static int run_ip(char *const argv[])
{
	pid_t pid;
	int status;

	if (posix_spawnp(&pid, "ip", NULL, NULL, argv, environ))
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A client's policy in one direction: all UDP with the server's 1701 goes
 * through the SAs of that reqid, in transport mode. */
static void policy(struct player *p, bool is_out, bool is_add)
{
	char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX], reqid[16];
	struct addr local = p->local, peer = p->peer;
	char ip[] = "ip", xfrm[] = "xfrm", word[] = "policy", del[] = "delete",
	     update[] = "update", src_w[] = "src", dst_w[] = "dst",
	     proto[] = "proto", udp[] = "udp", sport[] = "sport",
	     dport[] = "dport", port[] = "1701", dir[] = "dir", out[] = "out",
	     in[] = "in", tmpl[] = "tmpl", esp[] = "esp", id[] = "reqid",
	     mode[] = "mode", transport[] = "transport";
	char *argv[] = {ip, xfrm, word, is_add ? update : del, src_w, src,
	    dst_w, dst, proto, udp, is_out ? dport : sport, port, dir,
	    is_out ? out : in, is_add ? tmpl : NULL, proto, esp, id, reqid,
	    mode, transport, NULL};

	local.port = peer.port = 0;
	addr_text(is_out ? &local : &peer, src);
	addr_text(is_out ? &peer : &local, dst);
	snprintf(reqid, sizeof(reqid), "%u", REQID_BASE | p->slot);
	if (run_ip(argv))
		player_say("log ip xfrm policy failed");
}

static void policies(struct player *p, bool is_add)
{
	if (p->is_null)
		return;
	policy(p, false, is_add);
	policy(p, true, is_add);
}

static void act_peer_open(struct player *p, const struct ike_action *a)
{
	struct ike_event ev = {
	    .type = IKE_EV_PEER_OPENED,
	    .job = a->job,
	    .r = p->next_r++,
	    .slot = p->slot,
	};

	player_event(p, &ev);
}

static void act_peer_up(struct player *p, const struct ike_action *a)
{
	struct ike_event ev = {.type = IKE_EV_PEER_READY, .r = a->up->r};

	policies(p, true);
	player_event(p, &ev);
}

static void act_peer_down(struct player *p, const struct ike_action *a)
{
	struct ike_event ev = {.type = IKE_EV_PEER_GONE, .r = a->r};

	policies(p, false);
	player_say("down %s", a->text);
	player_event(p, &ev);
}

void player_clean(struct player *p)
{
	if (p->is_null)
		return;
	if (p->sa_count)
		policies(p, false);
	xfrm_sa_ops.flush(p->xfrm);
}

static struct ike_kernel_sa *find_sa(struct player *p, uint32_t spi)
{
	for (size_t i = 0; i < p->sa_count; i++) {
		if (p->sa[i].spi == spi)
			return &p->sa[i];
	}
	return NULL;
}

static void act_sa_add(struct player *p, const struct ike_action *a)
{
	struct ike_event ev = {
	    .type = IKE_EV_SA_DONE, .job = a->job, .spi = a->sa->spi};

	if (p->sa_count == PLAYER_SAS)
		ev.error = -ENOSPC;
	else if (!p->is_null)
		ev.error = xfrm_sa_ops.add(p->xfrm, a->sa);
	if (!ev.error) {
		struct ike_kernel_sa *sa = &p->sa[p->sa_count++];

		*sa = *a->sa;
		secret_wipe(sa->enc_key, sizeof(sa->enc_key));
		secret_wipe(sa->auth_key, sizeof(sa->auth_key));
		player_say("sa-add %s %08x",
		    sa->dir == IKE_SA_IN ? "in" : "out", sa->spi);
	}
	player_event(p, &ev);
}

uint64_t player_sa_r(struct player *p, uint32_t spi)
{
	const struct ike_kernel_sa *sa = find_sa(p, spi);

	return sa ? sa->r : 0;
}

void player_forget_sa(struct player *p, uint32_t spi)
{
	struct ike_kernel_sa *sa = find_sa(p, spi);

	if (!sa)
		return;
	player_say(
	    "sa-del %s %08x", sa->dir == IKE_SA_IN ? "in" : "out", sa->spi);
	*sa = p->sa[--p->sa_count];
}

static void act_sa_del(struct player *p, const struct ike_action *a)
{
	struct ike_kernel_sa *sa = find_sa(p, a->sa->spi);

	if (!p->is_null && sa)
		xfrm_sa_ops.del(p->xfrm, a->sa);
	player_forget_sa(p, a->sa->spi);
}

static void act_sa_encap(struct player *p, const struct ike_action *a)
{
	struct ike_kernel_sa *sa = find_sa(p, a->sa->spi);

	if (!sa)
		return;
	sa->src = a->sa->src;
	sa->dst = a->sa->dst;
	if (!p->is_null && xfrm_sa_ops.encap(p->xfrm, sa))
		player_say("log the kernel refused new ports");
}

static void act_sa_query(struct player *p, const struct ike_action *a)
{
	struct ike_event ev = {
	    .type = IKE_EV_SA_USED, .job = a->job, .spi = a->sa->spi};
	struct sa_usage used = {0};

	if (!p->is_null)
		ev.error = xfrm_sa_ops.query(p->xfrm, a->sa, &used);
	ev.packets = used.packets;
	player_event(p, &ev);
}

static void act_log(struct player *p, const struct ike_action *a)
{
	(void)p;
	if (a->level == IKE_LOG_DEBUG)
		return;
	if (strstr(a->text, "IPsec SAs in ")) {
		unsigned int in, out;

		if (sscanf(strstr(a->text, "SAs in "), "SAs in %x out %x", &in,
			&out) == 2)
			player_say("child-up %08x %08x", in, out);
	}
	player_say("log %s", a->text);
}

void player_act(struct player *p, const struct ike_action *a)
{
	switch (a->type) {
	case IKE_ACT_SEND:
		act_send(p, a);
		return;
	case IKE_ACT_KEEPALIVE:
		act_keepalive(p, a);
		return;
	case IKE_ACT_DH:
	case IKE_ACT_DH_KEYGEN:
	case IKE_ACT_DH_DERIVE:
		act_dh(p, a);
		return;
	case IKE_ACT_PSK:
		act_psk(p, a);
		return;
	case IKE_ACT_PEER_OPEN:
		act_peer_open(p, a);
		return;
	case IKE_ACT_PEER_UP:
		act_peer_up(p, a);
		return;
	case IKE_ACT_PEER_DOWN:
		act_peer_down(p, a);
		return;
	case IKE_ACT_SA_ADD:
		act_sa_add(p, a);
		return;
	case IKE_ACT_SA_DEL:
		act_sa_del(p, a);
		return;
	case IKE_ACT_SA_QUERY:
		act_sa_query(p, a);
		return;
	case IKE_ACT_CONN_UP:
		player_say("ike-up %s", a->text);
		return;
	case IKE_ACT_CONN_FAILED:
		player_say("failed %s", a->text);
		return;
	case IKE_ACT_LOG:
		act_log(p, a);
		return;
	case IKE_ACT_SA_ENCAP:
		act_sa_encap(p, a);
		return;
	case IKE_ACT_PEER_UPDATE:
	case IKE_ACT_PEER_END:
	case IKE_ACT_TRIAL: /* it has one key */
		return;
	}
}
