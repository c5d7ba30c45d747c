/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_ike to the directory that it is given. */
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/vendor.h"
#include "test/fuzz/fuzz_ike.h"
#include "test/fuzz/seed.h"
#include "test/lib/ike_world.h"

struct input {
	uint8_t data[4096];
	struct wire_writer w;
};

static void input_begin(struct input *in)
{
	wire_writer_init(&in->w, in->data, sizeof(in->data));
}

static void put_record(
    struct input *in, uint8_t op, uint8_t arg, struct wire_span data)
{
	wire_put_u8(&in->w, op);
	wire_put_u8(&in->w, arg);
	wire_put_u16(&in->w, (uint16_t)data.len);
	wire_put_span(&in->w, data);
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

/* A protected message is a chain as isakmp_build makes it, without the
 * header: exchange, first type, payloads. */
static void put_sealed(struct input *in, uint8_t arg, uint8_t exchange,
    uint8_t first, const struct isakmp_builder *b)
{
	uint8_t data[2048];
	struct wire_writer w;

	wire_writer_init(&w, data, sizeof(data));
	wire_put_u8(&w, exchange);
	wire_put_u8(&w, first);
	wire_put_span(&w, isakmp_build_since(b, ISAKMP_HEADER_LEN));
	put_record(in, FUZZ_IKE_SEALED, arg, wire_written(&w, 0));
}

static const struct isakmp_header header = {
    .cky_i = {1}, .version = ISAKMP_VERSION, .exchange = 2};

static void put_id(struct isakmp_builder *b, const char *ip)
{
	struct addr a;
	struct payload_id id;

	if (addr_parse(&a, ip))
		exit(1);
	id = payload_id_of_addr(&a, 17, 1701);

	isakmp_build_open(b, ISAKMP_PAYLOAD_ID);
	payload_id_encode(&b->w, &id);
	isakmp_build_close(b);
}

static void seed_quick(const char *dir, const char *name, uint16_t encap)
{
	static const struct ike_suite suites[] = {
	    {ESP_AES, 256, ESP_AUTH_SHA256, 0},
	    {ESP_AES, 128, ESP_AUTH_SHA1, 0},
	};
	struct sa_offer_spec spec = {.phase = SA_PHASE2,
	    .suites = suites,
	    .suite_count = 2,
	    .spi = {(const uint8_t *)"\x0a\x0b\x0c\x0d", 4},
	    .life_seconds = 3600,
	    .encap = encap};
	uint8_t buf[1024];
	struct isakmp_builder b;
	struct input in;

	isakmp_build_begin(&b, buf, sizeof(buf), &header);
	isakmp_build_open(&b, ISAKMP_PAYLOAD_SA);
	sa_encode_offer(&b.w, &spec);
	isakmp_build_close(&b);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_NONCE, wire_span_of("nonce of sixteen", 16));
	put_id(&b, "10.0.0.2");
	put_id(&b, WORLD_SERVER);
	input_begin(&in);
	put_sealed(&in, 1, ISAKMP_EXCHANGE_QUICK, ISAKMP_PAYLOAD_SA, &b);
	for (int i = 0; i < 4; i++)
		put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_op(&in, FUZZ_IKE_QUICK3, 0);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_TICK, 200);
	input_end(&in, dir, name);
}

/* The machine renews a pair and gets its answer. */
static void seed_renewal(const char *dir)
{
	static const struct ike_suite suite = {
	    ESP_AES, 256, ESP_AUTH_SHA256, 0};
	struct sa_offer_spec spec = {.phase = SA_PHASE2,
	    .suites = &suite,
	    .suite_count = 1,
	    .spi = {(const uint8_t *)"\x0a\x0b\x0c\x0e", 4},
	    .life_seconds = 3600,
	    .life_kilobytes = 250000,
	    .encap = IPSEC_ENCAP_UDP_TRANSPORT};
	uint8_t buf[1024], data[1024];
	struct isakmp_builder b;
	struct wire_writer w;
	struct input in;

	isakmp_build_begin(&b, buf, sizeof(buf), &header);
	isakmp_build_open(&b, ISAKMP_PAYLOAD_SA);
	sa_encode_offer(&b.w, &spec);
	isakmp_build_close(&b);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_NONCE, wire_span_of("another nonce, 20 by", 20));
	put_id(&b, WORLD_SERVER);
	put_id(&b, "10.0.0.2");
	wire_writer_init(&w, data, sizeof(data));
	wire_put_u8(&w, ISAKMP_PAYLOAD_SA);
	wire_put_span(&w, isakmp_build_since(&b, ISAKMP_HEADER_LEN));
	input_begin(&in);
	put_op(&in, FUZZ_IKE_KERNEL, 0); /* soft limit */
	put_op(&in, FUZZ_IKE_TICK, 2);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_record(&in, FUZZ_IKE_QUICK2, 0, wire_written(&w, 0));
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_record(&in, FUZZ_IKE_QUICK2, 0, wire_written(&w, 0));
	put_op(&in, FUZZ_IKE_TICK, 1);
	put_op(&in, FUZZ_IKE_ANSWER, 2);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_TICK, 80);
	put_op(&in, FUZZ_IKE_ANSWER, 2);
	put_op(&in, FUZZ_IKE_TICK, 80);
	input_end(&in, dir, "renewal");
}

static void seed_info(const char *dir)
{
	struct payload_notify n = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ISAKMP,
	    .type = ISAKMP_N_INITIAL_CONTACT};
	struct payload_delete d = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ESP,
	    .spi_len = 4,
	    .count = 1,
	    .spis = {(const uint8_t *)"\1\2\3\4", 4}};
	uint8_t buf[512];
	struct isakmp_builder b;
	struct input in;

	isakmp_build_begin(&b, buf, sizeof(buf), &header);
	isakmp_build_open(&b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&b.w, &n);
	isakmp_build_close(&b);
	isakmp_build_open(&b, ISAKMP_PAYLOAD_DELETE);
	payload_delete_encode(&b.w, &d);
	isakmp_build_close(&b);
	input_begin(&in);
	put_sealed(&in, 9, ISAKMP_EXCHANGE_INFO, ISAKMP_PAYLOAD_NOTIFY, &b);
	put_op(&in, FUZZ_IKE_TICK, 61);
	put_op(&in, FUZZ_IKE_TICK, 61);
	input_end(&in, dir, "info");
}

static void put_main3(struct input *in)
{
	static const uint8_t bytes[64] = {3, 4};
	uint8_t buf[512];
	struct isakmp_builder b;
	int len;

	isakmp_build_begin(&b, buf, sizeof(buf), &header);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_KE, wire_span_of(bytes, sizeof(bytes)));
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NONCE, wire_span_of(bytes, 16));
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NAT_D, wire_span_of(bytes, 20));
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_NAT_D, wire_span_of(bytes + 1, 20));
	len = isakmp_build_finish(&b, 0);
	if (len < 0)
		exit(1);
	put_record(in, FUZZ_IKE_MAIN_NEXT, 14, wire_span_of(buf, (size_t)len));
}

/* As with a wrong key: it can't be decrypted. */
static void put_main5(struct input *in)
{
	static const uint8_t bytes[64] = {5, 6};
	struct isakmp_header h = header;
	uint8_t buf[128];
	struct isakmp_builder b;
	int len;

	h.flags = ISAKMP_FLAG_ENCRYPTED;
	isakmp_build_begin(&b, buf, sizeof(buf), &h);
	wire_set_u8(&b.w, b.next_pos, ISAKMP_PAYLOAD_ID);
	wire_put_bytes(&b.w, bytes, sizeof(bytes));
	len = isakmp_build_finish(&b, 0);
	if (len < 0)
		exit(1);
	put_record(in, FUZZ_IKE_MAIN_NEXT, 15, wire_span_of(buf, (size_t)len));
}

static void seed_main(const char *dir)
{
	static const struct ike_suite suite = {
	    IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_ECP256};
	struct sa_offer_spec spec = {.phase = SA_PHASE1,
	    .suites = &suite,
	    .suite_count = 1,
	    .life_seconds = 28800};
	uint8_t buf[1024];
	struct isakmp_builder b;
	struct input in;
	int len;

	isakmp_build_begin(&b, buf, sizeof(buf), &header);
	isakmp_build_open(&b, ISAKMP_PAYLOAD_SA);
	sa_encode_offer(&b.w, &spec);
	isakmp_build_close(&b);
	isakmp_build_payload(
	    &b, ISAKMP_PAYLOAD_VID, vendor_value(VENDOR_NATT_RFC3947));
	isakmp_build_payload(&b, ISAKMP_PAYLOAD_VID, vendor_value(VENDOR_DPD));
	len = isakmp_build_finish(&b, 0);
	if (len < 0)
		exit(1);
	input_begin(&in);
	put_record(&in, FUZZ_IKE_DATAGRAM, 14, wire_span_of(buf, (size_t)len));
	put_op(&in, FUZZ_IKE_TICK, 1);
	put_main3(&in);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_main5(&in);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_TICK, 70);
	input_end(&in, dir, "main");
}

static void seed_ends(const char *dir)
{
	struct input in;

	input_begin(&in);
	for (uint8_t arg = 0; arg < 8; arg++)
		put_op(&in, FUZZ_IKE_KERNEL, arg);
	for (uint8_t arg = 0; arg < 5; arg++)
		put_op(&in, FUZZ_IKE_PEER, arg);
	put_op(&in, FUZZ_IKE_SAVE, 1);
	put_op(&in, FUZZ_IKE_SAVE, 0x90);
	put_op(&in, FUZZ_IKE_TICK, 255);
	input_end(&in, dir, "ends");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed_quick(argv[1], "quick_natt", IPSEC_ENCAP_UDP_TRANSPORT);
	seed_quick(argv[1], "quick_tunnel", IPSEC_ENCAP_TUNNEL);
	seed_renewal(argv[1]);
	seed_info(argv[1]);
	seed_main(argv[1]);
	seed_ends(argv[1]);
	return 0;
}
