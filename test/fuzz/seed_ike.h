/* SPDX-License-Identifier: ISC */
/* What makes the records of fuzz_ike: inputs, and payloads in a row. */
#ifndef TEST_FUZZ_SEED_IKE_H
#define TEST_FUZZ_SEED_IKE_H

#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/vendor.h"
#include "test/fuzz/fuzz_ike.h"
#include "test/fuzz/seed.h"
#include "test/lib/ike_mate.h"
#include "test/lib/ike_world.h"

#include <string.h>

struct input {
	uint8_t data[8192];
	struct wire_writer w;
};

static inline void input_begin(struct input *in)
{
	wire_writer_init(&in->w, in->data, sizeof(in->data));
}

static inline void put_record(
    struct input *in, uint8_t op, uint8_t arg, struct wire_span data)
{
	wire_put_u8(&in->w, op);
	wire_put_u8(&in->w, arg);
	wire_put_u16(&in->w, (uint16_t)data.len);
	wire_put_span(&in->w, data);
}

static inline void put_op(struct input *in, uint8_t op, uint8_t arg)
{
	put_record(in, op, arg, wire_span_of(NULL, 0));
}

static inline void input_end(
    struct input *in, const char *dir, const char *name)
{
	if (wire_writer_error(&in->w))
		exit(1);
	seed_write(dir, name, wire_written(&in->w, 0));
}

/* --- payloads ------------------------------------------------------------ */

struct chain {
	uint8_t buf[2048];
	struct isakmp_builder b;
};

/* As a whole message of Main Mode, with a header. */
static inline void chain_begin(struct chain *c)
{
	static const struct isakmp_header h = {.cky_i = {1},
	    .version = ISAKMP_VERSION,
	    .exchange = ISAKMP_EXCHANGE_MAIN};

	isakmp_build_begin(&c->b, c->buf, sizeof(c->buf), &h);
}

static inline void chain_put(
    struct chain *c, uint8_t type, const void *data, size_t len)
{
	isakmp_build_payload(&c->b, type, wire_span_of(data, len));
}

/* So many bytes of one kind. */
static inline void chain_fill(
    struct chain *c, uint8_t type, uint8_t value, size_t len)
{
	uint8_t bytes[IKE_DH_MAX];

	memset(bytes, value, sizeof(bytes));
	chain_put(c, type, bytes, len);
}

static inline void chain_sa(struct chain *c, const struct sa_offer_spec *spec)
{
	isakmp_build_open(&c->b, ISAKMP_PAYLOAD_SA);
	sa_encode_offer(&c->b.w, spec);
	isakmp_build_close(&c->b);
}

static inline void chain_vendor(struct chain *c, enum vendor v)
{
	isakmp_build_payload(&c->b, ISAKMP_PAYLOAD_VID, vendor_value(v));
}

static inline void chain_id(struct chain *c, uint8_t type, uint8_t protocol,
    uint16_t port, const void *data, size_t len)
{
	struct payload_id id = {.type = type,
	    .protocol = protocol,
	    .port = port,
	    .data = wire_span_of(data, len)};

	isakmp_build_open(&c->b, ISAKMP_PAYLOAD_ID);
	payload_id_encode(&c->b.w, &id);
	isakmp_build_close(&c->b);
}

static inline void chain_address(
    struct chain *c, const char *ip, uint8_t protocol, uint16_t port)
{
	struct addr a;

	if (addr_parse(&a, ip))
		exit(1);
	chain_id(c, IPSEC_ID_IPV4, protocol, port, a.ip, 4);
}

static inline void chain_notify(struct chain *c, uint8_t protocol,
    uint16_t type, const char *spi, struct wire_span data)
{
	struct payload_notify n = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = protocol,
	    .type = type,
	    .spi = wire_span_of(spi, strlen(spi)),
	    .data = data};

	isakmp_build_open(&c->b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&c->b.w, &n);
	isakmp_build_close(&c->b);
}

/* All SPIs in one string. */
static inline void chain_delete(
    struct chain *c, uint8_t protocol, uint8_t spi_len, const char *spis)
{
	struct payload_delete d = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = protocol,
	    .spi_len = spi_len,
	    .count = (uint16_t)(strlen(spis) / spi_len),
	    .spis = wire_span_of(spis, strlen(spis))};

	isakmp_build_open(&c->b, ISAKMP_PAYLOAD_DELETE);
	payload_delete_encode(&c->b.w, &d);
	isakmp_build_close(&c->b);
}

/* --- messages ------------------------------------------------------------ */

/* The message with its header, as it is. */
static inline void put_datagram(struct input *in, uint8_t arg, struct chain *c)
{
	int len = isakmp_build_finish(&c->b, 0);

	if (len < 0)
		exit(1);
	put_record(
	    in, FUZZ_IKE_DATAGRAM, arg, wire_span_of(c->buf, (size_t)len));
}

/* Its payloads, after what the operation wants in front of them. */
static inline void put_chain(struct input *in, enum fuzz_ike_op op, uint8_t arg,
    uint8_t exchange, const struct chain *c)
{
	uint8_t data[2048];
	struct wire_writer w;

	wire_writer_init(&w, data, sizeof(data));
	if (op == FUZZ_IKE_SEALED)
		wire_put_u8(&w, exchange);
	wire_put_u8(&w, c->buf[2 * ISAKMP_COOKIE_LEN]);
	wire_put_span(&w, isakmp_build_since(&c->b, ISAKMP_HEADER_LEN));
	if (wire_writer_error(&w))
		exit(1);
	put_record(in, (uint8_t)op, arg, wire_written(&w, 0));
}

static inline void put_main(struct input *in, uint8_t how, struct chain *c)
{
	put_chain(in, FUZZ_IKE_MAIN, how, 0, c);
}

static inline void put_info(struct input *in, uint8_t id, struct chain *c)
{
	put_chain(in, FUZZ_IKE_SEALED, id, ISAKMP_EXCHANGE_INFO, c);
}

static inline void put_quick1(struct input *in, uint8_t id, struct chain *c)
{
	put_chain(in, FUZZ_IKE_SEALED, id, ISAKMP_EXCHANGE_QUICK, c);
}

static inline void put_quick2(struct input *in, struct chain *c)
{
	put_chain(in, FUZZ_IKE_QUICK2, 0, 0, c);
}

static inline void put_answers(struct input *in, uint8_t arg)
{
	put_op(in, FUZZ_IKE_ANSWER, FUZZ_IKE_ALL | arg);
}

/* --- Quick Modes, whoever begins them ------------------------------------ */

static const struct ike_suite esp_two[] = {
    {ESP_AES, 256, ESP_AUTH_SHA256, 0}, {ESP_AES, 128, ESP_AUTH_SHA1, 0}};

static inline void sa2(struct chain *c, const struct ike_suite *suites,
    size_t count, const char *spi, uint16_t encap)
{
	chain_sa(c, &(struct sa_offer_spec){.phase = SA_PHASE2,
			.suites = suites,
			.suite_count = count,
			.spi = {(const uint8_t *)spi, 4},
			.life_seconds = 3600,
			.life_kilobytes = 250000,
			.encap = encap});
}

static inline void quick_tail(struct chain *c)
{
	chain_put(c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
	chain_address(c, "10.0.0.2", 17, 1701);
	chain_address(c, WORLD_SERVER, 17, 1701);
}

/* Message 1 is in c: the rest of it, up to a minute later. */
static inline void put_quick(struct input *in, uint8_t id, struct chain *c)
{
	put_quick1(in, id, c);
	put_answers(in, 0);
	put_answers(in, 0);
	put_op(in, FUZZ_IKE_SAVE, 0);
	put_op(in, FUZZ_IKE_QUICK3, 0);
	put_answers(in, 0);
	put_op(in, FUZZ_IKE_TICK, 62);
	put_answers(in, FUZZ_IKE_MORE);
}

static inline void quick(struct input *in, uint8_t id, uint16_t encap)
{
	struct chain c;

	chain_begin(&c);
	sa2(&c, esp_two, 2, "\x0a\x0b\x0c\x0d", encap);
	quick_tail(&c);
	put_quick(in, id, &c);
}

static inline void quick2(struct chain *c, const struct ike_suite *suite,
    const char *first, const char *second)
{
	chain_begin(c);
	sa2(c, suite, 1, "\x0a\x0b\x0c\x0e", IPSEC_ENCAP_UDP_TRANSPORT);
	chain_put(c, ISAKMP_PAYLOAD_NONCE, "another nonce, 20 by", 20);
	if (suite->group)
		chain_fill(c, ISAKMP_PAYLOAD_KE, 6,
		    suite->group == IKE_GROUP_MODP1024 ? 128 : 256);
	chain_address(c, first, 17, 1701);
	chain_address(c, second, 17, 1701);
}

/* The stories with a Main Mode in them (seed_ike_main.c). */
void seed_ike_main(const char *dir);

#endif
