/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes IKE fragments: a table takes datagrams of several peers, messages
 * that are split here and arrive in any order and twice, time that passes,
 * and saving.  What is split comes back as it was; sets, parts and bytes
 * stay within their bounds whatever comes.
 */
#include "common/secret.h"
#include "ikev1/core/frag.h"
#include "test/fuzz/fuzz_frag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 128
#define SPLIT_HOST 255 /* RAW never comes from there */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct frag_table table;
	uint64_t now;
};

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static struct addr peer_of(uint8_t host, uint16_t port)
{
	return (struct addr){ADDR_IPV4, {203, 0, 113, host}, port};
}

static void check_bounds(struct run *run)
{
	size_t count = frag_count(&run->table);
	uint64_t due;

	must(count <= FRAG_SETS_MAX);
	must(frag_bytes(&run->table) <= count * FRAG_MESSAGE_MAX);
	must(frag_bytes(&run->table) >= count); /* no set is empty */
	frag_expire(&run->table, run->now);
	due = frag_deadline(&run->table);
	if (frag_count(&run->table))
		must(due > run->now && due <= run->now + FRAG_LIFE_MS);
	else
		must(due == UINT64_MAX && !frag_bytes(&run->table));
}

/* One datagram, as the machine takes it. */
static int take(struct run *run, const struct addr *peer, struct wire_span raw,
    struct bytes *whole)
{
	char reason[ISAKMP_REASON_MAX] = "";
	struct isakmp_header h;
	struct wire_span body;
	size_t before = frag_bytes(&run->table);
	int got;

	if (isakmp_header_decode(raw, &h, &body, reason) ||
	    h.next_payload != ISAKMP_PAYLOAD_FRAGMENT)
		return -EPROTO;
	got = frag_take(&run->table, run->now, peer, &h, body, whole, reason);
	must(got == 1 || got == 0 || got == -EBADMSG || got == -E2BIG);
	must((got < 0) == (reason[0] != 0));
	must(frag_bytes(&run->table) <= before + body.len);
	if (got != 1)
		return got;
	must(whole->len <= FRAG_MESSAGE_MAX);
	must(!memcmp(whole->data, raw.data, (size_t)2 * ISAKMP_COOKIE_LEN));
	must(!isakmp_header_decode(bytes_span(whole), &h, &body, NULL));
	must(h.next_payload != ISAKMP_PAYLOAD_FRAGMENT);
	return got;
}

static void raw(struct run *run, uint8_t arg, struct wire_span data)
{
	struct addr peer = peer_of(arg % SPLIT_HOST, arg & 1 ? 4500 : 500);
	struct bytes whole = {NULL, 0};

	take(run, &peer, data, &whole);
	bytes_free(&whole);
}

/* Every part once or twice, beginning anywhere, forwards or backwards:
 * complete with the last one that is new. */
static void deliver(struct run *run, uint8_t arg, struct wire_span message,
    size_t size, unsigned int parts)
{
	struct addr peer = peer_of(SPLIT_HOST, 4500);
	struct bytes whole = {NULL, 0};
	uint8_t part[FRAG_MESSAGE_MAX + FRAG_HEADER_LEN];

	for (unsigned int i = 0; i < parts; i++) {
		unsigned int at = ((arg >> 2) + i) % parts;
		unsigned int n = arg & 1 ? parts - at : at + 1;
		int len = frag_part(message, n, part, size), got;

		must(len > (int)FRAG_HEADER_LEN && (size_t)len <= size);
		got = take(run, &peer, wire_span_of(part, (size_t)len), &whole);
		must(got == (i + 1 == parts));
		if (got || !(arg & 2))
			continue;
		must(
		    !take(run, &peer, wire_span_of(part, (size_t)len), &whole));
	}
	must(wire_span_equal(bytes_span(&whole), message));
	bytes_free(&whole);
}

static void split(struct run *run, uint8_t arg, struct wire_span data)
{
	uint8_t copy[FRAG_MESSAGE_MAX], part[FRAG_MESSAGE_MAX];
	struct wire_reader r;
	struct wire_writer w;
	struct wire_span message;
	unsigned int parts = 0;
	size_t size;
	int len;

	wire_reader_init(&r, data.data, data.len);
	size = wire_get_u16(&r);
	message = wire_get_span(&r, wire_left(&r));
	if (message.len < ISAKMP_HEADER_LEN || message.len > sizeof(copy))
		return;
	/* A header that is taken, and is no fragment's. */
	wire_writer_init(&w, copy, sizeof(copy));
	wire_put_span(&w, message);
	wire_set_u8(&w, 0, copy[0] | 1);
	wire_set_u8(&w, 16, ISAKMP_PAYLOAD_HASH);
	wire_set_u8(&w, 17, ISAKMP_VERSION);
	wire_set_u8(&w, 19, copy[19] & ISAKMP_FLAG_MASK);
	wire_set_u32(&w, 24, (uint32_t)message.len);
	message = wire_written(&w, 0);
	if (size > sizeof(part))
		size = sizeof(part);
	while ((len = frag_part(message, parts + 1, part, size)) > 0)
		parts++;
	must(len == 0 || (len == -EINVAL && !parts));
	must(parts <= FRAG_PARTS_MAX);
	if (parts)
		deliver(run, arg, message, size, parts);
}

/* The table goes on from its own bytes; from changed ones it may not
 * crash, and what comes back is within the bounds. */
static void save(struct run *run, uint8_t arg)
{
	struct frag_table back = {0};
	struct store s, l;
	size_t len;

	frag_expire(&run->table, run->now);
	store_save_init(&s, run->now);
	frag_store(&s, &run->table);
	len = s.w.pos;
	if (arg)
		s.w.data[(size_t)arg * 37 % len] ^= arg;
	store_load_init(
	    &l, run->now, s.w.data, arg & 0x80 ? len - arg % len : len);
	frag_store(&l, &back);
	must(arg || !store_error(&l));
	if (!arg) {
		must(frag_count(&back) == frag_count(&run->table));
		must(frag_bytes(&back) == frag_bytes(&run->table));
		must(frag_deadline(&back) == frag_deadline(&run->table));
	}
	if (!arg) {
		frag_clear(&run->table);
		run->table = back;
	} else {
		must(frag_count(&back) <= FRAG_SETS_MAX);
		frag_clear(&back);
	}
	store_free(&s);
	store_free(&l);
}

static void record(
    struct run *run, uint8_t op, uint8_t arg, struct wire_span data)
{
	switch (op % FUZZ_FRAG_OPS) {
	case FUZZ_FRAG_RAW:
		raw(run, arg, data);
		return;
	case FUZZ_FRAG_SPLIT:
		split(run, arg, data);
		return;
	case FUZZ_FRAG_TIME:
		run->now += arg * 100u;
		return;
	case FUZZ_FRAG_SAVE:
		save(run, arg);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = {.now = 1000};
	struct wire_reader r;

	wire_reader_init(&r, data, size);
	for (int i = 0; i < RECORDS_MAX && wire_left(&r) >= 4; i++) {
		uint8_t op = wire_get_u8(&r), arg = wire_get_u8(&r);
		size_t len = wire_get_u16(&r);

		if (len > wire_left(&r))
			len = wire_left(&r);
		record(&run, op, arg, wire_get_span(&r, len));
		check_bounds(&run);
	}
	frag_clear(&run.table);
	return 0;
}
