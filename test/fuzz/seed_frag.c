/* SPDX-License-Identifier: ISC */
/*
 * Writes the seeds of fuzz_frag to the directory that it is given.  What
 * each one stands for is above it; the kinds are those that are known from
 * clients (Windows: up to 29 parts; strongSwan: always Main Mode and
 * message id 0; racoon: the header of the message) and from old faults.
 */
#include "ikev1/core/frag.h"
#include "test/fuzz/fuzz_frag.h"
#include "test/fuzz/seed.h"

struct input {
	uint8_t data[16384];
	struct wire_writer w;
};

static void put_record(
    struct input *in, uint8_t op, uint8_t arg, struct wire_span data)
{
	wire_put_u8(&in->w, op);
	wire_put_u8(&in->w, arg);
	wire_put_u16(&in->w, (uint16_t)data.len);
	wire_put_span(&in->w, data);
}

static void input_begin(struct input *in)
{
	wire_writer_init(&in->w, in->data, sizeof(in->data));
}

static void put_op(struct input *in, uint8_t op, uint8_t arg)
{
	put_record(in, op, arg, wire_span_of(NULL, 0));
}

static void input_end(struct input *in, const char *dir, const char *name)
{
	if (wire_writer_error(&in->w))
		exit(1);
	seed_write(dir, name, wire_written(&in->w, 0));
}

/* One fragment: the parts of its headers that differ, and n bytes. */
struct part {
	uint8_t exchange, flags, id, number, last;
	uint32_t message_id;
	size_t n;
};

static void put_part(struct input *in, uint8_t from, const struct part *p)
{
	uint8_t buf[2048];
	struct isakmp_header h = {.cky_i = {1, 2, 3, 4, 5, 6, 7, 8},
	    .cky_r = {8, 7, 6, 5, 4, 3, 2, 1},
	    .next_payload = ISAKMP_PAYLOAD_FRAGMENT,
	    .version = ISAKMP_VERSION,
	    .exchange = p->exchange,
	    .flags = p->flags,
	    .message_id = p->message_id,
	    .length = (uint32_t)(FRAG_HEADER_LEN + p->n)};
	struct wire_writer w;

	wire_writer_init(&w, buf, sizeof(buf));
	isakmp_header_encode(&w, &h);
	wire_put_u16(&w, 0);
	wire_put_u16(&w, (uint16_t)(8 + p->n));
	wire_put_u16(&w, p->id);
	wire_put_u8(&w, p->number);
	wire_put_u8(&w, p->last);
	for (size_t i = 0; i < p->n; i++)
		wire_put_u8(&w, (uint8_t)i);
	put_record(in, FUZZ_FRAG_RAW, from, wire_written(&w, 0));
}

static void put_split(struct input *in, uint8_t arg, uint16_t size, size_t len)
{
	uint8_t buf[2 + FRAG_MESSAGE_MAX] = {
	    (uint8_t)(size >> 8), (uint8_t)size, 1, 2, 3, 4, 5, 6, 7, 8, 9};

	put_record(in, FUZZ_FRAG_SPLIT, arg, wire_span_of(buf, 2 + len));
}

/* Messages as clients split them: a first message of some 1.9 KB in two
 * parts, certificates' 15 KB would be refused, 29 parts as Windows. */
static void seed_split(const char *dir)
{
	struct input in;

	input_begin(&in);
	put_split(&in, 0, 1252, 1900);
	put_split(&in, 1, 576, 1900);
	put_op(&in, FUZZ_FRAG_SAVE, 0);
	put_split(&in, 3 + 4 * 7, 128, 29 * 92);
	put_split(&in, 2, FRAG_HEADER_LEN + 1, 32);
	put_split(&in, 2, 1280, FRAG_MESSAGE_MAX);
	input_end(&in, dir, "split");
}

/* racoon's header: that of the message, flags and message id too. */
static void seed_racoon(const char *dir)
{
	struct part one = {ISAKMP_EXCHANGE_QUICK, ISAKMP_FLAG_ENCRYPTED, 7, 1,
	    0, 0x01020304, 200};
	struct part two = one;
	struct input in;

	two.number = 2;
	two.last = 1;
	input_begin(&in);
	put_part(&in, 2, &two);
	put_op(&in, FUZZ_FRAG_SAVE, 0);
	put_part(&in, 2, &one);
	input_end(&in, dir, "racoon");
}

/* A last part that comes again; then parts behind the last one. */
static void seed_last_twice(const char *dir)
{
	struct part p = {ISAKMP_EXCHANGE_MAIN, 0, 1, 3, 1, 0, 60};
	struct input in;

	input_begin(&in);
	put_part(&in, 3, &p);
	put_part(&in, 3, &p);
	p.number = 5;
	put_part(&in, 3, &p);
	p.number = 4;
	p.last = 0;
	put_part(&in, 3, &p);
	input_end(&in, dir, "last_twice");
}

/* Numbers out of range, an empty part, one without payload. */
static void seed_bad(const char *dir)
{
	static const uint8_t numbers[] = {0, FRAG_PARTS_MAX, 33, 255};
	struct part p = {ISAKMP_EXCHANGE_MAIN, 0, 1, 0, 0, 0, 1};
	struct input in;

	input_begin(&in);
	for (size_t i = 0; i < sizeof(numbers); i++) {
		p.number = numbers[i];
		put_part(&in, 4, &p);
	}
	p.number = 1;
	p.n = 0;
	put_part(&in, 4, &p);
	put_record(&in, FUZZ_FRAG_RAW, 4,
	    wire_span_of("\1\2\3\4\5\6\7\10\10\7\6\5\4\3\2\1"
			 "\204\20\2\0\0\0\0\0\0\0\0\34",
		28));
	input_end(&in, dir, "bad");
}

/* More sets than an address may have, then than there are; they age. */
static void seed_many(const char *dir)
{
	struct part p = {ISAKMP_EXCHANGE_MAIN, 0, 1, 1, 0, 0, 9};
	struct input in;

	input_begin(&in);
	for (uint8_t i = 0; i < FRAG_SETS_MAX + 4; i++) {
		put_part(&in, i, &p);
		if (i % 16 == 0)
			put_op(&in, FUZZ_FRAG_TIME, 5);
	}
	put_op(&in, FUZZ_FRAG_SAVE, 0);
	put_op(&in, FUZZ_FRAG_SAVE, 0x83);
	put_op(&in, FUZZ_FRAG_TIME, 90);
	put_op(&in, FUZZ_FRAG_TIME, 20);
	input_end(&in, dir, "many");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed_split(argv[1]);
	seed_racoon(argv[1]);
	seed_last_twice(argv[1]);
	seed_bad(argv[1]);
	seed_many(argv[1]);
	return 0;
}
