/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_payload_sa to the directory that it is given. */
#include "ikev1/core/payload_sa.h"

#include "test/fuzz/seed.h"

#include <stdbool.h>
#include <string.h>

static const struct ike_suite phase1_suites[] = {
    {IKE_CIPHER_AES, 256, IKE_HASH_SHA256, IKE_GROUP_MODP2048},
    {IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_ECP384},
    {IKE_CIPHER_AES, 128, IKE_HASH_SHA1, IKE_GROUP_ECP256},
    {IKE_CIPHER_3DES, 192, IKE_HASH_SHA1, IKE_GROUP_MODP1024},
};
static const struct ike_suite phase2_suites[] = {
    {ESP_AES, 256, ESP_AUTH_SHA256, 0},
    {ESP_AES, 128, ESP_AUTH_SHA1, IKE_GROUP_ECP256},
    {ESP_3DES, 192, ESP_AUTH_SHA1, 0},
    {ESP_AES_GCM_16, 256, 0, 0},
};

/* An offer of the first count suites. */
static void seed(const char *dir, const char *name, uint8_t policy,
    size_t count, uint16_t encap)
{
	struct sa_offer_spec spec = {.phase = SA_PHASE1,
	    .suites = phase1_suites,
	    .suite_count = count,
	    .life_seconds = 28800,
	    .encap = encap};
	uint8_t out[1024];
	struct wire_writer w;

	if (policy & 1) {
		spec.phase = SA_PHASE2;
		spec.suites = phase2_suites;
		spec.spi = wire_span_of("\xc0\xff\xee\x01", 4);
		spec.life_kilobytes = 250000;
	}
	wire_writer_init(&w, out, sizeof(out));
	wire_put_u8(&w, policy);
	sa_encode_offer(&w, &spec);
	seed_write(dir, name, wire_written(&w, 0));
}

/*
 * One byte of an offer of one suite, other than it should be.  Behind the
 * policy byte: DOI and situation to 8, the proposal's header to 16 (its SPI
 * is empty in phase 1), the transform's to 24, attributes of 4 bytes each.
 */
static void seed_spoilt(const char *dir)
{
	static const struct {
		const char *name;
		uint8_t at, value;
	} rows[] = {{"doi", 3, 2}, {"situation", 7, 3}, {"proposal_next", 8, 3},
	    {"proposal_reserved", 9, 1}, {"proposal_short", 11, 7},
	    {"proposal_long", 11, 250}, {"protocol", 13, 3},
	    {"spi_long", 14, 255}, {"transforms_none", 15, 0},
	    {"transforms_two", 15, 2}, {"transform_next", 16, 2},
	    {"transform_reserved", 17, 1}, {"transform_short", 19, 7},
	    {"transform_longer", 19, 200}, {"transform_less", 19, 20},
	    {"transform_id", 21, 2}, {"attribute_variable", 24, 0},
	    {"attribute_unknown", 25, 99}, {"cipher", 27, 2}};
	struct sa_offer_spec spec = {.phase = SA_PHASE1,
	    .suites = phase1_suites,
	    .suite_count = 1,
	    .life_seconds = 28800};
	uint8_t out[256];
	struct wire_writer w;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wire_writer_init(&w, out, sizeof(out));
		wire_put_u8(&w, 0);
		sa_encode_offer(&w, &spec);
		wire_set_u8(&w, 1u + rows[i].at, rows[i].value);
		seed_write(dir, rows[i].name, wire_written(&w, 0));
	}
	wire_put_u8(&w, 0);
	seed_write(dir, "one_more", wire_written(&w, 0));
	for (uint8_t len = 0; len < 12; len += 4)
		seed_write(dir,
		    len ? len > 4 ? "no_proposal" : "only_doi" : "nothing",
		    wire_span_of(out, 1u + len));
}

/* Attributes as a client could write them: RFC 2408 section 3.3. */
#define B(type, value) "\x80" type value
#define AES B("\1", "\0\7")
#define BITS(b) B("\16", b)
#define SHA1 B("\2", "\0\2")
#define PSK B("\3", "\0\1")
#define GROUP19 B("\4", "\0\x13")
#define SECONDS B("\13", "\0\1")
#define UDP B("\4", "\0\3")
#define HMAC_SHA1 B("\5", "\0\2")

static const struct attrs {
	const char *name;
	uint8_t policy, protocol, id;
	const char *spi;
	size_t spi_len;
	const char *data;
	size_t len;
} attr_rows[] = {
#define P1(name, data)                                                         \
	{                                                                      \
		name, 0, 1, 1, "", 0, data, sizeof(data) - 1                   \
	}
    P1("ike_right",
	AES BITS("\0\x80") SHA1 PSK GROUP19 SECONDS B("\14", "\1\0")),
    P1("ike_nothing", ""),
    P1("ike_no_bits", AES SHA1 PSK GROUP19),
    P1("ike_odd_bits", AES BITS("\0\7") SHA1 PSK GROUP19),
    P1("ike_twice", AES BITS("\0\x80") BITS("\1\0") SHA1 PSK GROUP19),
    P1("ike_same_twice", AES BITS("\0\x80") BITS("\0\x80") SHA1 PSK GROUP19),
    P1("ike_3des_bits", B("\1", "\0\5") BITS("\0\xc0") SHA1 PSK GROUP19),
    P1("ike_rsa", AES BITS("\0\x80") SHA1 B("\3", "\0\3") GROUP19),
    P1("ike_md5", AES BITS("\0\x80") B("\2", "\0\1") PSK GROUP19),
    P1("ike_group2", AES BITS("\0\x80") SHA1 PSK B("\4", "\0\2")),
    P1("ike_group1025", AES BITS("\0\x80") SHA1 PSK B("\4", "\4\1")),
    P1("ike_xauth", AES BITS("\0\x80") SHA1 B("\3", "\xfd\xe9") GROUP19),
    P1("life_without_type", AES SHA1 PSK GROUP19 B("\14", "\1\0")),
    P1("life_of_no_type", AES SECONDS B("\13", "\0\3") B("\14", "\1\0")),
    P1("life_empty", AES SECONDS "\0\14\0\0"),
    P1("life_too_long", AES SECONDS "\0\14\0\11\0\0\0\0\0\0\0\0\1"),
    P1("life_variable", AES BITS("\0\x80") SHA1 PSK GROUP19 SECONDS
	"\0\14\0\4\0\0\x70\x80" B("\13", "\0\2") "\0\14\0\3\1\0\0"),
    P1("type_variable", AES "\0\13\0\2\0\1" B("\14", "\1\0")),
    P1("cut", AES "\0\14\0\4\0"),
#define P2(name, policy, id, data)                                             \
	{                                                                      \
		name, policy, 3, id, "\xc0\xff\xee\1", 4, data,                \
		    sizeof(data) - 1                                           \
	}
    P2("esp_right", 1 | 2, 12,
	UDP HMAC_SHA1 B("\6", "\0\x80") B("\1", "\0\1") B("\2", "\x0e\x10")
	    B("\1", "\0\2") "\0\2\0\4\0\3\xd0\x90"),
    P2("esp_no_auth", 1 | 2, 12, UDP B("\6", "\0\x80")),
    P2("esp_gcm_auth", 1 | 2, 20, UDP HMAC_SHA1 B("\6", "\0\x80")),
    P2("esp_gmac", 1 | 2, 23, UDP B("\6", "\0\x80")),
    P2("esp_null", 1 | 2, 11, UDP HMAC_SHA1),
    P2("esp_esn", 1 | 2, 12, UDP HMAC_SHA1 B("\6", "\0\x80") B("\13", "\0\1")),
    P2("esp_no_bits", 1 | 2, 12, UDP HMAC_SHA1),
    P2("esp_no_mode", 1, 12, HMAC_SHA1 B("\6", "\0\x80")),
    P2("esp_pfs_none", 1 | 2 | 4, 12, UDP HMAC_SHA1 B("\6", "\0\x80")),
    P2("esp_pfs_weak", 1 | 2 | 8, 12,
	UDP HMAC_SHA1 B("\6", "\0\x80") B("\3", "\0\1")),
    P2("esp_pfs_other", 1 | 2 | 8, 12,
	UDP HMAC_SHA1 B("\6", "\0\x80") B("\3", "\0\x13")),
    P2("esp_compress", 1 | 2, 12, UDP HMAC_SHA1 B("\7", "\0\1")),
    P2("esp_des_legacy", 1 | 2 | 16 | 64, 2, UDP B("\5", "\0\1")),
    {"ah", 1, 2, 3, "\xc0\xff\xee\1", 4, HMAC_SHA1, 4},
    {"ipcomp", 1, 4, 2, "\xc0\xff", 2, B("\4", "\0\2"), 4},
    {"spi_reserved", 1, 3, 12, "\0\0\0\xff", 4, HMAC_SHA1, 4},
    {"spi_of_8", 1, 3, 12, "\0\0\0\xff\1\2\3\4", 8, HMAC_SHA1, 4},
};

static void put_proposal(
    struct wire_writer *w, const struct attrs *row, bool is_last)
{
	size_t start = w->pos;

	wire_put_u8(w, is_last ? 0 : ISAKMP_PAYLOAD_PROPOSAL);
	wire_put_zero(w, 3);
	wire_put_u8(w, 1);
	wire_put_u8(w, row->protocol);
	wire_put_u8(w, (uint8_t)row->spi_len);
	wire_put_u8(w, 1);
	wire_put_bytes(w, row->spi, row->spi_len);
	wire_put_u32(w, (uint32_t)(8 + row->len));
	wire_put_u8(w, 1);
	wire_put_u8(w, row->id);
	wire_put_u16(w, 0);
	wire_put_bytes(w, row->data, row->len);
	wire_set_u16(w, start + 2, (uint16_t)(w->pos - start));
}

/* Each alone, and together with the one before: the same number, so that
 * both are wanted. */
static void seed_attrs(const char *dir)
{
	for (size_t i = 0; i < sizeof(attr_rows) / sizeof(attr_rows[0]); i++) {
		for (size_t both = 0; both <= !!i; both++) {
			uint8_t out[1024];
			char name[64];
			struct wire_writer w;

			wire_writer_init(&w, out, sizeof(out));
			wire_put_u8(&w, attr_rows[i].policy);
			wire_put_u32(&w, ISAKMP_DOI_IPSEC);
			wire_put_u32(&w, ISAKMP_SIT_IDENTITY_ONLY);
			if (both)
				put_proposal(&w, &attr_rows[i - 1], false);
			put_proposal(&w, &attr_rows[i], true);
			snprintf(name, sizeof(name), "%s%s", attr_rows[i].name,
			    both ? "_and" : "");
			seed_write(dir, name, wire_written(&w, 0));
		}
	}
}

/* So many transforms that some are not looked at. */
static void seed_many(const char *dir)
{
	static struct ike_suite suites[255];
	static uint8_t out[8192];
	struct sa_offer_spec spec = {.phase = SA_PHASE1,
	    .suites = suites,
	    .suite_count = 255,
	    .life_seconds = 28800};
	struct wire_writer w;

	for (size_t i = 0; i < 255; i++)
		suites[i] = phase1_suites[3];
	wire_writer_init(&w, out, sizeof(out));
	wire_put_u8(&w, 16);
	sa_encode_offer(&w, &spec);
	seed_write(dir, "many", wire_written(&w, 0));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed(argv[1], "phase1_one", 0, 1, 0);
	seed(argv[1], "phase1_four", 0, 4, 0);
	seed(argv[1], "phase2_transport", 1, 1, IPSEC_ENCAP_TRANSPORT);
	seed(argv[1], "phase2_natt", 1 | 2, 4, IPSEC_ENCAP_UDP_TRANSPORT);
	seed(argv[1], "phase2_pfs", 1 | 4, 2, IPSEC_ENCAP_TRANSPORT);
	seed(argv[1], "phase2_tunnel", 1, 3, IPSEC_ENCAP_TUNNEL);
	/* Each profile. */
	seed(argv[1], "compatible", 16, 4, 0);
	seed(argv[1], "modern", 16 | 32, 4, 0);
	seed(argv[1], "legacy", 16 | 64, 4, 0);
	seed(argv[1], "legacy_esp", 16 | 64 | 1, 4, IPSEC_ENCAP_TRANSPORT);
	seed_spoilt(argv[1]);
	seed_attrs(argv[1]);
	seed_many(argv[1]);
	return 0;
}
