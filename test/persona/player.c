/* SPDX-License-Identifier: ISC */
/* The persona player: arguments, sockets, lines; see player.h. */
#include "test/persona/player.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/profile.h"
#include "ikev1/udp.h"
#include "test/lib/personas.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* An answer that came while the core was stepping. */
struct player_event {
	struct player_event *next;
	struct ike_event ev;
	uint8_t pub[IKE_DH_MAX], shared[2048];
};

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static int random_bytes(void *ctx, void *out, size_t len)
{
	(void)ctx;
	return getentropy(out, len) ? -1 : 0;
}

static void on_timer(uv_timer_t *timer);

static void step(struct player *p, const struct ike_event *ev)
{
	struct ike_actions acts = {0};
	struct ike_event now = *ev;
	uint64_t due;

	now.now_ms = now_ms();
	p->is_stepping = true;
	ike_step(p->ike, &now, &acts);
	for (size_t i = 0; i < acts.count; i++)
		player_act(p, &acts.items[i]);
	ike_actions_free(&acts);
	p->is_stepping = false;
	due = ike_next_deadline(p->ike);
	if (due != UINT64_MAX)
		uv_timer_start(&p->timer, on_timer,
		    due > now_ms() ? due - now_ms() : 0, 0);
}

void player_event(struct player *p, const struct ike_event *ev)
{
	struct player_event *q = xcalloc(1, sizeof(*q));

	q->ev = *ev;
	if (ev->pub.len)
		memcpy(q->pub, ev->pub.data, ev->pub.len);
	if (ev->shared.len)
		memcpy(q->shared, ev->shared.data, ev->shared.len);
	q->ev.pub.data = q->pub;
	q->ev.shared.data = q->shared;
	*p->last = q;
	p->last = &q->next;
	while (!p->is_stepping && (q = p->first)) {
		p->first = q->next;
		if (!p->first)
			p->last = &p->first;
		step(p, &q->ev);
		secret_free(q, sizeof(*q));
	}
}

/* Answers to its actions come with the next turn of player_event(). */
static void give(struct player *p, const struct ike_event *ev)
{
	struct player_event *q;

	step(p, ev);
	while ((q = p->first)) {
		p->first = q->next;
		if (!p->first)
			p->last = &p->first;
		step(p, &q->ev);
		secret_free(q, sizeof(*q));
	}
}

static void on_timer(uv_timer_t *timer)
{
	const struct ike_event ev = {.type = IKE_EV_TICK};

	give(timer->data, &ev);
}

/* The kernel's own limits and a server's new port, as ikev1d's monitor
 * hears them.  What is gone there is not known here any more either. */
static void on_xfrm(void *ctx, const struct xfrm_event *x)
{
	struct player *p = ctx;
	struct ike_event ev = {.spi = x->spi, .hard = x->hard, .peer = x->peer};
	bool is_expire = x->type == XFRM_EVENT_EXPIRE;

	ev.r = player_sa_r(p, x->spi);
	if (!ev.r || x->type == XFRM_EVENT_LOST)
		return;
	ev.type = is_expire ? IKE_EV_EXPIRE : IKE_EV_MAPPING;
	player_say("%s %08x",
	    !is_expire ? "mapping"
	    : x->hard  ? "hard-expire"
		       : "soft-expire",
	    x->spi);
	if (is_expire && x->hard)
		player_forget_sa(p, x->spi);
	give(p, &ev);
}

static void on_datagrams(uv_poll_t *poll, int status, int events)
{
	struct player_socket *s = poll->data;
	struct player *p = s->player;
	uint8_t buf[IKE_DATAGRAM_MAX];
	struct ike_event ev = {.type = IKE_EV_DATAGRAM};
	ssize_t len;

	(void)events;
	if (status)
		return;
	while ((len = udp_recv(s->fd, s->port, buf, sizeof(buf), &ev.local,
		    &ev.peer)) >= 0) {
		struct wire_span all = {buf, (size_t)len};

		if (udp_classify(s->port, all, &ev.data) == UDP_IKE)
			give(p, &ev);
	}
}

static void command(struct player *p, const char *line)
{
	struct ike_event ev = {.job = PLAYER_CONN};
	struct ike_counts n;

	if (!strcmp(line, "stats")) {
		ike_count(p->ike, &n);
		player_say("stats %zu %zu", n.sas, n.pairs);
		return;
	}
	if (!strcmp(line, "quit")) {
		uv_stop(&p->loop);
		return;
	}
	if (!strcmp(line, "rekey-ike"))
		ev.type = IKE_EV_CONN_REKEY;
	else if (!strcmp(line, "rekey-child"))
		ev.type = IKE_EV_CONN_REKEY_ESP;
	else if (!strcmp(line, "delete"))
		ev.type = IKE_EV_CONN_CLOSE;
	else {
		player_say("log unknown command");
		return;
	}
	give(p, &ev);
}

static void on_alloc(uv_handle_t *h, size_t want, uv_buf_t *buf)
{
	struct player *p = h->data;

	(void)want;
	*buf = uv_buf_init(p->line + p->line_len,
	    (unsigned int)(sizeof(p->line) - 1 - p->line_len));
}

static void on_input(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct player *p = stream->data;
	char *end;

	(void)buf;
	if (len < 0) {
		uv_stop(&p->loop);
		return;
	}
	p->line_len += (size_t)len;
	p->line[p->line_len] = '\0';
	while ((end = strchr(p->line, '\n'))) {
		*end++ = '\0';
		command(p, p->line);
		p->line_len -= (size_t)(end - p->line);
		memmove(p->line, end, p->line_len + 1);
	}
	if (p->line_len == sizeof(p->line) - 1)
		p->line_len = 0;
}

static void die(const char *what)
{
	player_say("failed %s", what);
	exit(1);
}

static void read_psk(struct player *p, const char *path)
{
	FILE *f = fopen(path, "re");

	if (!f || !fgets((char *)p->psk, sizeof(p->psk), f))
		die("the psk file can't be read");
	fclose(f);
	p->psk_len = strcspn((const char *)p->psk, "\r\n");
}

/* A client's selector names the port that its L2TP uses; a test has no hour
 * to wait for a lifetime's end.  0: as the persona has it. */
static void change_persona(struct player *p, uint16_t port, uint32_t esp_life_s)
{
	p->own = *p->persona;
	if (port) {
		p->own.is_ephemeral = false;
		p->own.client_port = port;
	}
	if (esp_life_s)
		p->own.esp.seconds = esp_life_s;
	p->persona = &p->own;
}

static void arguments(struct player *p, int argc, char **argv)
{
	static const struct option options[] = {{"persona", 1, NULL, 'n'},
	    {"local", 1, NULL, 'l'}, {"peer", 1, NULL, 'p'},
	    {"psk-file", 1, NULL, 'k'}, {"listen-port", 1, NULL, 'P'},
	    {"client-port", 1, NULL, 'c'}, {"esp-life", 1, NULL, 'e'},
	    {"null", 0, NULL, '0'}, {NULL, 0, NULL, 0}};
	uint16_t client_port = 0;
	uint32_t esp_life_s = 0;
	int c;

	p->persona = &persona_default;
	p->listen_port = UDP_PORT_IKE;
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (c == 'n')
			p->persona = persona_by_name(optarg);
		else if (c == 'l' && addr_parse(&p->local, optarg))
			die("--local is no address");
		else if (c == 'p' && addr_parse(&p->peer, optarg))
			die("--peer is no address");
		else if (c == 'k')
			read_psk(p, optarg);
		else if (c == 'P')
			p->listen_port = (uint16_t)atoi(optarg);
		else if (c == 'c')
			client_port = (uint16_t)atoi(optarg);
		else if (c == 'e')
			esp_life_s = (uint32_t)atoi(optarg);
		else if (c == '0')
			p->is_null = true;
		else if (c == '?')
			exit(2);
	}
	if (!p->persona)
		die("there is no such persona");
	if (!p->local.family || !p->peer.family || !p->psk_len)
		die("--local, --peer and --psk-file are needed");
	p->local.port = p->peer.port = UDP_PORT_IKE;
	if (client_port || esp_life_s)
		change_persona(p, client_port, esp_life_s);
}

static void open_socket(struct player *p, int i)
{
	struct player_socket *s = &p->sockets[i];
	struct addr a = p->local;

	s->player = p;
	s->port = i ? UDP_PORT_NATT : UDP_PORT_IKE;
	a.port = p->listen_port == UDP_PORT_IKE
		     ? s->port
		     : (uint16_t)(p->listen_port + i);
	s->fd = udp_open(&a);
	if (s->fd < 0)
		die(strerror(-s->fd));
	uv_poll_init(&p->loop, &s->poll, s->fd);
	s->poll.data = s;
	uv_poll_start(&s->poll, UV_READABLE, on_datagrams);
}

static void configure(struct player *p)
{
	/* Answers to what the other side renews. */
	p->cfg.policy = *profile_find("legacy");
	p->cfg.crypto = &p->crypto;
	p->cfg.half_open_ms = 60000;
	p->cfg.retransmit_ms = 1000;
	p->cfg.max_half_open = 16;
	p->cfg.max_sas = 16;
	p->cfg.linger_ms = 30000;
	p->cfg.has_esp_500 = udp_takes_esp(p->sockets[0].fd);
	p->cfg.personas = personas;
	p->cfg.persona_count = persona_total;
}

int main(int argc, char **argv)
{
	struct player *p = xcalloc(1, sizeof(*p));
	struct ike_event ev = {.type = IKE_EV_CONNECT, .job = PLAYER_CONN};

	p->last = &p->first;
	p->next_r = 1;
	p->slot = 1;
	log_init(&p->log, "player", LOG_SEV_WARN);
	arguments(p, argc, argv);
	if (crypto_init(&p->crypto) || uv_loop_init(&p->loop) ||
	    (!p->is_null && (xfrm_open(&p->log, &p->xfrm) ||
				xfrm_listen(p->xfrm, &p->loop, on_xfrm, p))))
		die("no crypto, loop or XFRM");
	open_socket(p, 0);
	open_socket(p, 1);
	configure(p);
	p->ike = ike_new(&p->cfg, random_bytes, NULL);
	uv_timer_init(&p->loop, &p->timer);
	p->timer.data = p;
	uv_pipe_init(&p->loop, &p->input, 0);
	uv_pipe_open(&p->input, STDIN_FILENO);
	p->input.data = p;
	uv_read_start((uv_stream_t *)&p->input, on_alloc, on_input);
	ev.local = p->local;
	ev.peer = p->peer;
	ev.persona = p->persona;
	give(p, &ev);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	player_clean(p);
	ike_free(p->ike);
	if (p->xfrm)
		xfrm_close(p->xfrm);
	crypto_done(&p->crypto);
	return 0;
}
