/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_payload_sa to the directory that it is given. */
#include "ikev1/core/payload_sa.h"

#include "test/fuzz/seed.h"

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
	return 0;
}
