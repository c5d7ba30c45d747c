/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_lns to the directory that it is given. */
#include "test/fuzz/fuzz_lns.h"
#include "test/fuzz/seed.h"
#include "test/lib/l2tp_vectors.c"

#define UP FUZZ_LNS_UP, 0, FUZZ_LNS_RUN, 4
#define CALL UP, FUZZ_LNS_DIAL, 0, 0x10, FUZZ_LNS_RUN, 12

#define SEED(dir, name, ...)                                                   \
	do {                                                                   \
		static const uint8_t bytes[] = {__VA_ARGS__};                  \
		seed_write(                                                    \
		    dir, name, (struct wire_span){bytes, sizeof(bytes)});      \
	} while (0)

/* R, then the client's datagram on its socket. */
static void seed_vector(const char *dir, const struct l2tp_vector *v)
{
	uint8_t buf[300];
	struct wire_writer w;

	wire_writer_init(&w, buf, sizeof(buf));
	wire_put_u8(&w, FUZZ_LNS_UP);
	wire_put_u8(&w, 0);
	wire_put_u8(&w, FUZZ_LNS_RUN);
	wire_put_u8(&w, 4);
	wire_put_u8(&w, FUZZ_LNS_RAW);
	wire_put_u8(&w, 0);
	wire_put_u8(&w, 0);
	wire_put_u8(&w, (uint8_t)v->len);
	wire_put_bytes(&w, v->data, v->len);
	wire_put_u8(&w, FUZZ_LNS_RUN);
	wire_put_u8(&w, 100);
	seed_write(dir, v->name, (struct wire_span){buf, w.pos});
}

int main(int argc, char **argv)
{
	const char *dir = argv[1];

	if (argc != 2)
		return 2;
	for (size_t i = 0; i < l2tp_vector_count; i++)
		seed_vector(dir, l2tp_vectors[i]);
	SEED(dir, "stop", CALL, FUZZ_LNS_CDN, 0, FUZZ_LNS_STOP, 0, FUZZ_LNS_RUN,
	    200);
	SEED(dir, "ppp", CALL, FUZZ_LNS_PPP_DOWN, 0, FUZZ_LNS_RUN, 60,
	    FUZZ_LNS_RUN, 250);
	SEED(dir, "dead", CALL, FUZZ_LNS_END, 0, FUZZ_LNS_RUN, 200);
	SEED(dir, "crash", CALL, FUZZ_LNS_CRASH, FUZZ_LNS_DIAL, 0, 0x14,
	    FUZZ_LNS_RUN, 20, FUZZ_LNS_CRASH, FUZZ_LNS_PPP_DOWN, 0);
	SEED(dir, "restart", CALL, FUZZ_LNS_END, 0, FUZZ_LNS_DIAL, 0, 0x14,
	    FUZZ_LNS_RUN, 20, FUZZ_LNS_DISCONNECT, 0);
	SEED(dir, "slot", CALL, CALL, FUZZ_LNS_UP, 0, FUZZ_LNS_SHUTDOWN);
	SEED(dir, "calls", CALL, FUZZ_LNS_CALL, 0, 22, FUZZ_LNS_CALL, 0, 23,
	    FUZZ_LNS_RUN, 20, FUZZ_LNS_SAY, 0, 10, 1, FUZZ_LNS_RUN, 9);
	SEED(dir, "kernel", FUZZ_LNS_KERNEL, 4, CALL, FUZZ_LNS_KERNEL, 2,
	    FUZZ_LNS_DIAL, 0, 0x15, FUZZ_LNS_RUN, 9, FUZZ_LNS_KERNEL, 1,
	    FUZZ_LNS_UP, 3);
	SEED(dir, "link", FUZZ_LNS_SAVE, FUZZ_LNS_LINK, 40, 100, CALL,
	    FUZZ_LNS_RUN, 60, FUZZ_LNS_STOP, 0, FUZZ_LNS_RUN, 60);
	SEED(dir, "body", CALL, FUZZ_LNS_BODY, 0, 8, 0x80, 8, 0, 0, 0, 0, 0, 6,
	    FUZZ_LNS_RUN, 9, FUZZ_LNS_PEER_DOWN, 0);
	return 0;
}
