/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the whole LNS core: the input is a program of events, with a fake
 * kernel that aborts on the first action that does not fit what it has.
 * At the end every R goes down and nothing may be left.
 */
#include "test/fuzz/fuzz_lns.h"
#include "test/lib/l2tp_client.c"
#include "test/lib/l2tp_world.c"
#include "test/lib/l2tp_world_kernel.c"

#define CLIENTS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
	struct world w;
	struct wire_reader in;
	struct l2tp_client *clients[CLIENTS];
	uint64_t rs; /* R given so far */
};

static uint8_t arg(struct fuzz *f)
{
	return wire_get_u8(&f->in);
}

/* One of the last four R. */
static uint64_t some_r(struct fuzz *f)
{
	uint64_t back = arg(f) % 4;

	return f->rs > back ? f->rs - back : 1;
}

static struct l2tp_client *some_client(struct fuzz *f)
{
	return f->clients[arg(f) % CLIENTS];
}

static bool has_room(const struct l2tp_client *c)
{
	return (uint16_t)(c->rel.end - c->rel.una) < L2TP_TX_QUEUE_MAX - 3;
}

static void dial(struct fuzz *f)
{
	const uint64_t r = some_r(f);
	const uint8_t flags = arg(f);
	const struct addr addr =
	    world_addr((uint8_t)r, (uint16_t)(1701 + (flags & 3)));
	const struct l2tp_client_config cfg = {
	    .tunnel_id = (uint16_t)(1 + (flags >> 2 & 3)),
	    .session_id = 21,
	    .window = (uint16_t)(flags >> 4 & 3),
	    .stop_at_tunnel = flags & 64,
	    .stop_at_icrp = flags & 128,
	};

	for (int i = 0; i < CLIENTS; i++) {
		if (f->clients[i])
			continue;
		f->clients[i] = world_client(&f->w, r, &addr, &cfg);
		l2tp_client_dial(f->clients[i], f->w.now);
		return;
	}
}

static void end_client(struct fuzz *f)
{
	int i = arg(f) % CLIENTS;

	if (f->clients[i])
		world_client_end(&f->w, f->clients[i]);
	f->clients[i] = NULL;
}

static void say(struct fuzz *f)
{
	static const uint8_t zero[26];
	struct l2tp_client *c = some_client(f);
	struct l2tp_msg msg = {.type = arg(f) % 18};
	uint8_t session = arg(f);

	for (size_t i = 0; i < l2tp_avp_count; i++)
		if (l2tp_avp_table[i].required >> msg.type & 1)
			msg.present |= UINT64_C(1) << l2tp_avp_table[i].type;
	msg.protocol_version = L2TP_PROTOCOL_VERSION;
	msg.host_name = (struct wire_span){zero, 1};
	msg.assigned_tunnel_id = (uint16_t)(1 + (session & 3));
	msg.assigned_session_id = session;
	msg.result.code = 1;
	msg.call_errors = (struct wire_span){zero, 26};
	msg.accm = (struct wire_span){zero, 10};
	if (c && has_room(c))
		l2tp_client_say(c, &msg,
		    session & 1 ? c->peer_session_id : session, f->w.now);
}

static void on_client(struct fuzz *f, enum fuzz_lns_op op)
{
	struct l2tp_client *c = some_client(f);

	if (!c || !has_room(c))
		return;
	if (op == FUZZ_LNS_STOP)
		l2tp_client_stop(c, f->w.now);
	else if (op == FUZZ_LNS_CDN)
		l2tp_client_cdn(c, f->w.now);
	else
		l2tp_client_call(c, arg(f), f->w.now);
}

static void raw(struct fuzz *f)
{
	const uint64_t r = some_r(f);
	const struct addr addr =
	    world_addr((uint8_t)r, (uint16_t)(1701 + (arg(f) & 3)));
	const struct wire_span s = wire_get_span(&f->in, arg(f));

	if (s.data)
		world_inject(&f->w, r, &addr, s.data, s.len);
}

/* Bytes that arrive in order, as the client's next message. */
static void body(struct fuzz *f)
{
	struct l2tp_client *c = some_client(f);
	const struct wire_span s = wire_get_span(&f->in, arg(f));
	uint8_t buf[L2TP_HEADER_LEN + 256];
	struct wire_writer w;

	if (!c || !s.len || !has_room(c))
		return;
	wire_writer_init(&w, buf, sizeof(buf));
	wire_put_u16(&w, 0xc802);
	wire_put_u16(&w, (uint16_t)(L2TP_HEADER_LEN + s.len));
	wire_put_u16(&w, c->peer_tunnel_id);
	wire_put_u16(&w, s.data[0] & 1 ? c->peer_session_id : 0);
	wire_put_u32(&w, 0);
	wire_put_span(&w, s);
	l2tp_reliable_queue(&c->rel, buf, w.pos);
	output(c, f->w.now);
}

static void ppp_down(struct fuzz *f)
{
	const struct world_session *s = &f->w.sessions[arg(f) % WORLD_OBJECTS];
	const struct lns_event ev = {.type = LNS_EV_SESSION_DOWN,
	    .r = s->r,
	    .tunnel_id = s->tunnel_id,
	    .session_id = s->id};

	world_event(&f->w, &ev);
}

static void step(struct fuzz *f, enum fuzz_lns_op op)
{
	struct world *w = &f->w;
	uint8_t a;

	switch (op) {
	case FUZZ_LNS_RUN:
		a = arg(f);
		world_run(w, 4u * a * a);
		break;
	case FUZZ_LNS_UP:
		if (f->rs < WORLD_OBJECTS - 1)
			world_up(w, ++f->rs, 1 + arg(f) % 6);
		break;
	case FUZZ_LNS_DIAL:
		dial(f);
		break;
	case FUZZ_LNS_END:
		end_client(f);
		break;
	case FUZZ_LNS_SAY:
		say(f);
		break;
	case FUZZ_LNS_STOP:
	case FUZZ_LNS_CDN:
	case FUZZ_LNS_CALL:
		on_client(f, op);
		break;
	case FUZZ_LNS_RAW:
		raw(f);
		break;
	case FUZZ_LNS_BODY:
		body(f);
		break;
	case FUZZ_LNS_PPP_DOWN:
		ppp_down(f);
		break;
	case FUZZ_LNS_PEER_DOWN:
		world_simple(w, LNS_EV_PEER_DOWN, some_r(f));
		break;
	case FUZZ_LNS_DISCONNECT:
		world_simple(w, LNS_EV_DISCONNECT, some_r(f));
		break;
	case FUZZ_LNS_LINK:
		w->loss = arg(f) % 60;
		w->jitter = arg(f) * 4u;
		w->twice = w->loss;
		break;
	case FUZZ_LNS_KERNEL:
		a = arg(f);
		w->socket_error = a & 1 ? -EBUSY : 0;
		w->tunnel_error = a & 2 ? -EBUSY : 0;
		w->session_error = a & 4 ? -EBUSY : 0;
		w->random_fails = a & 8;
		break;
	case FUZZ_LNS_CRASH:
		world_die(w);
		break;
	case FUZZ_LNS_SAVE:
		w->save_each = !w->save_each;
		break;
	case FUZZ_LNS_SHUTDOWN:
		world_simple(w, LNS_EV_SHUTDOWN, 0);
		break;
	case FUZZ_LNS_OPS:
		break;
	}
}

static void check(const struct world *w)
{
	if (!w->fault[0])
		return;
	fprintf(stderr, "%s\n%s%s\n", w->fault, w->log ? w->log : "",
	    w->transcript ? w->transcript : "");
	abort();
}

/* Every R goes down: nothing may be left. */
static void finish(struct fuzz *f)
{
	struct world *w = &f->w;

	w->socket_error = 0;
	for (uint64_t r = 1; r <= f->rs; r++)
		if (!world_peer(w, r)->gone)
			world_simple(w, LNS_EV_PEER_DOWN, r);
	world_run(w, 1000);
	check(w);
	if (world_tunnel_count(w) || world_session_count(w) || world_rows(w)) {
		world_fault(w, "something is left");
		check(w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = xcalloc(1, sizeof(*f));

	world_init(&f->w, 1);
	wire_reader_init(&f->in, data, size < 600 ? size : 600);
	while (wire_left(&f->in)) {
		step(f, (enum fuzz_lns_op)(arg(f) % FUZZ_LNS_OPS));
		check(&f->w);
	}
	finish(f);
	world_free(&f->w);
	free(f);
	return 0;
}
