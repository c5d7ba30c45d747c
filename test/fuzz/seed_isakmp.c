/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_isakmp to the directory that it is given. */
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/vendor.h"

#include "test/fuzz/seed.h"

#include <string.h>

static const struct isakmp_header header = {
    .cky_i = {1, 2, 3, 4, 5, 6, 7, 8},
    .cky_r = {9, 8, 7, 6, 5, 4, 3, 2},
    .version = ISAKMP_VERSION,
    .exchange = ISAKMP_EXCHANGE_MAIN,
};

struct message {
	struct isakmp_builder b;
	uint8_t buf[2048];
};

static void begin(struct message *m)
{
	isakmp_build_begin(&m->b, m->buf, sizeof(m->buf), &header);
}

static void end(struct message *m, const char *dir, const char *name)
{
	int len = isakmp_build_finish(&m->b, 16);

	if (len < 0)
		exit(1);
	seed_write(dir, name, wire_span_of(m->buf, (size_t)len));
}

static void seed_main1(const char *dir)
{
	static const struct ike_suite suites[] = {
	    {IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_ECP384},
	    {IKE_CIPHER_3DES, 192, IKE_HASH_SHA1, IKE_GROUP_MODP2048},
	};
	struct sa_offer_spec spec = {.phase = SA_PHASE1,
	    .suites = suites,
	    .suite_count = 2,
	    .life_seconds = 28800};
	struct message m;

	begin(&m);
	isakmp_build_open(&m.b, ISAKMP_PAYLOAD_SA);
	sa_encode_offer(&m.b.w, &spec);
	isakmp_build_close(&m.b);
	for (int v = VENDOR_UNKNOWN + 1; v < VENDORS; v++)
		isakmp_build_payload(
		    &m.b, ISAKMP_PAYLOAD_VID, vendor_value((enum vendor)v));
	end(&m, dir, "main1");
}

static void seed_main3(const char *dir)
{
	static const uint8_t data[256] = {1};
	struct message m;

	begin(&m);
	isakmp_build_payload(
	    &m.b, ISAKMP_PAYLOAD_KE, wire_span_of(data, sizeof(data)));
	isakmp_build_payload(
	    &m.b, ISAKMP_PAYLOAD_NONCE, wire_span_of(data, 32));
	isakmp_build_payload(
	    &m.b, ISAKMP_PAYLOAD_NAT_D, wire_span_of(data, 20));
	isakmp_build_payload(
	    &m.b, ISAKMP_PAYLOAD_NAT_D_DRAFT, wire_span_of(data, 20));
	end(&m, dir, "main3");
}

static void put_id(struct message *m, uint8_t type, struct wire_span data)
{
	struct payload_id id = {
	    .type = type, .protocol = 17, .port = 1701, .data = data};

	isakmp_build_open(&m->b, ISAKMP_PAYLOAD_ID);
	payload_id_encode(&m->b.w, &id);
	isakmp_build_close(&m->b);
}

/* As after decryption. */
static void seed_ids(const char *dir)
{
	static const uint8_t data[32] = {10, 0, 0, 1, 10, 0, 0, 2};
	static const struct {
		uint8_t type;
		size_t len;
	} rows[] = {{1, 4}, {4, 8}, {5, 16}, {6, 32}, {7, 8}, {8, 32}};
	struct addr a = {ADDR_IPV4, {10, 0, 0, 1}, 0};
	struct message m;

	begin(&m);
	isakmp_build_reserve(&m.b, ISAKMP_PAYLOAD_HASH, 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put_id(&m, rows[i].type, wire_span_of(data, rows[i].len));
	put_id(&m, IPSEC_ID_FQDN, wire_span_of("vm.example\n\"", 12));
	put_id(&m, IPSEC_ID_KEY_ID, wire_span_of("key", 3));
	isakmp_build_open(&m.b, ISAKMP_PAYLOAD_NAT_OA);
	payload_nat_oa_encode(&m.b.w, &a);
	isakmp_build_close(&m.b);
	end(&m, dir, "ids");
}

static void seed_info(const char *dir)
{
	struct payload_notify n = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ISAKMP,
	    .type = ISAKMP_N_R_U_THERE,
	    .spi = {(const uint8_t *)"0123456789abcdef", 16},
	    .data = {(const uint8_t *)"\0\0\0\5", 4}};
	struct payload_delete d = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ESP,
	    .spi_len = 4,
	    .count = 2,
	    .spis = {(const uint8_t *)"\1\2\3\4\5\6\7\10", 8}};
	struct message m;

	begin(&m);
	isakmp_build_reserve(&m.b, ISAKMP_PAYLOAD_HASH, 20);
	isakmp_build_open(&m.b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&m.b.w, &n);
	isakmp_build_close(&m.b);
	isakmp_build_open(&m.b, ISAKMP_PAYLOAD_DELETE);
	payload_delete_encode(&m.b.w, &d);
	isakmp_build_close(&m.b);
	end(&m, dir, "info");
}

/* One byte of a message other than it should be: of the header's 28, then
 * of the payloads. */
static void seed_spoilt(const char *dir)
{
	static const struct {
		const char *name;
		uint8_t at, value;
	} rows[] = {{"version2", 17, 0x20}, {"version1_1", 17, 0x11},
	    {"flags", 19, 0x80}, {"length", 27, 1}, {"empty", 16, 0},
	    {"proposal_outside", 16, 2}, {"reserved", 29, 1},
	    {"payload_short", 31, 3}, {"payload_long", 30, 2},
	    {"unknown_type", 16, 99}, {"private_type", 16, 140},
	    {"fragment", 16, 132}};
	static const uint8_t data[64] = {1};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message m;

		begin(&m);
		isakmp_build_payload(
		    &m.b, ISAKMP_PAYLOAD_NONCE, wire_span_of(data, 16));
		isakmp_build_payload(
		    &m.b, ISAKMP_PAYLOAD_KE, wire_span_of(data, 64));
		if (isakmp_build_finish(&m.b, 0) < 0)
			exit(1);
		m.buf[rows[i].at] = rows[i].value;
		seed_write(dir, rows[i].name, wire_span_of(m.buf, m.b.w.pos));
	}
}

/* A chain of more payloads than are taken, and a cookie of zero. */
static void seed_chains(const char *dir)
{
	struct message m;

	begin(&m);
	for (int i = 0; i <= ISAKMP_MAX_PAYLOADS; i++)
		isakmp_build_payload(
		    &m.b, ISAKMP_PAYLOAD_VID, wire_span_of("x", 1));
	end(&m, dir, "many");
	begin(&m);
	isakmp_build_payload(&m.b, ISAKMP_PAYLOAD_ID, wire_span_of("\1\0", 2));
	isakmp_build_payload(
	    &m.b, ISAKMP_PAYLOAD_DELETE, wire_span_of("\0\0\0\1\3\4\0", 7));
	isakmp_build_payload(
	    &m.b, ISAKMP_PAYLOAD_NOTIFY, wire_span_of("\0\0\0\1\3\4\0", 7));
	isakmp_build_payload(
	    &m.b, ISAKMP_PAYLOAD_NAT_OA, wire_span_of("\1\0\0\0\12", 5));
	end(&m, dir, "short");
	memset(m.buf, 0, ISAKMP_COOKIE_LEN);
	seed_write(dir, "no_cookie", wire_span_of(m.buf, m.b.w.pos));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed_main1(argv[1]);
	seed_main3(argv[1]);
	seed_ids(argv[1]);
	seed_info(argv[1]);
	seed_spoilt(argv[1]);
	seed_chains(argv[1]);
	return 0;
}
