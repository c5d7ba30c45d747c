/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_aaa to the directory that it is given. */
#include "common/aaa_msg.h"

#include "test/fuzz/seed.h"

#include <string.h>

/* The kinds of commands of fuzz_aaa.c. */
enum command { STARTED, MESSAGE, VERDICT, DISCONNECT, ENDED };

static void put(
    struct wire_writer *w, enum command kind, uint8_t session, uint8_t arg)
{
	wire_put_u8(w, (uint8_t)kind);
	wire_put_u8(w, session);
	wire_put_u8(w, arg);
}

static void message(struct wire_writer *w, uint8_t session, enum aaa_msg type,
    const union aaa_any *body)
{
	uint8_t buf[MSG_MAX];
	int len = msg_encode(
	    &aaa_msg_table, (uint16_t)type, 1, body, buf, sizeof(buf));

	if (len < 0 || len > 255)
		abort();
	put(w, MESSAGE, session, 0);
	wire_put_u8(w, (uint8_t)len);
	wire_put_bytes(w, buf, (size_t)len);
}

static void proof(struct wire_writer *w, uint8_t session, uint8_t verdict)
{
	union aaa_any m = {.auth = {.method = AAA_MSCHAPV2, .user = "alice"}};

	m.auth.challenge.len = 16;
	m.auth.response.len = 49;
	put(w, STARTED, session, 0);
	message(w, session, AAA_AUTH, &m);
	put(w, VERDICT, session, verdict);
}

static void call(struct wire_writer *w, uint8_t session, uint8_t verdict)
{
	union aaa_any m = {.up = {.ifname = "sp1", .user = "alice"}};

	proof(w, session, verdict);
	message(w, session, AAA_UP, &m);
	memset(&m, 0, sizeof(m));
	message(w, session, AAA_ADDRESS, &m);
	memcpy(m.up.ifname, "sp1", 4);
	message(w, session, AAA_UP, &m);
	memset(&m, 0, sizeof(m));
	m.stats.bytes_in = 5;
	message(w, session, AAA_STATS, &m);
}

static void seed(const char *dir, const char *name, uint8_t calls,
    uint8_t verdict, bool ends)
{
	uint8_t out[8192];
	struct wire_writer w;

	wire_writer_init(&w, out, sizeof(out));
	for (uint8_t i = 0; i < calls; i++)
		call(&w, i, verdict);
	put(&w, DISCONNECT, 0, 0);
	for (uint8_t i = 0; ends && i < calls; i++)
		put(&w, ENDED, i, 0);
	if (wire_writer_error(&w))
		abort();
	seed_write(dir, name, (struct wire_span){out, w.pos});
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed(argv[1], "one", 1, 1, true);
	seed(argv[1], "four", 4, 1, true);
	seed(argv[1], "wrong", 1, 0, true);
	seed(argv[1], "fixed", 2, 1 | 8, false);
	seed(argv[1], "ours", 1, 1 | 8 | 16, false);
	return 0;
}
