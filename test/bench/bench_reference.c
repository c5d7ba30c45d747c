/* SPDX-License-Identifier: ISC */
/* What the library itself needs for a key exchange: the measure of R. */
#include "test/bench/bench.h"

#include "ikev1/core/isakmp.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

struct reference_row {
	uint16_t group;
	const char *type, *name;
};

static const struct reference_row rows[] = {
    {IKE_GROUP_MODP2048, "DH", "modp_2048"},
    {IKE_GROUP_ECP256, "EC", "P-256"},
    {IKE_GROUP_ECP384, "EC", "P-384"},
};

static EVP_PKEY *keygen(const struct reference_row *row)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, row->type, NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_group_name(ctx, row->name) <= 0 ||
	    EVP_PKEY_generate(ctx, &key) <= 0)
		bench_die("EVP keygen");
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/*
 * Without the library's check of the peer's value, which for a MODP group
 * costs more than both: a stricter measure than EVP_PKEY_derive_set_peer().
 */
static void derive(EVP_PKEY *own, EVP_PKEY *peer)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	uint8_t out[IKE_DH_MAX];
	size_t len = sizeof(out);

	if (!ctx || EVP_PKEY_derive_init(ctx) <= 0 ||
	    EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) <= 0 ||
	    EVP_PKEY_derive(ctx, out, &len) <= 0)
		bench_die("EVP derive");
	EVP_PKEY_CTX_free(ctx);
}

double bench_reference_us(uint16_t group, int rounds)
{
	const struct reference_row *row = rows;
	EVP_PKEY *peer;
	double start;

	while (row->group != group)
		row++;
	peer = keygen(row);
	start = bench_cpu_us();
	for (int i = 0; i < rounds; i++) {
		EVP_PKEY *own = keygen(row);

		derive(own, peer);
		EVP_PKEY_free(own);
	}
	start = bench_cpu_us() - start;
	EVP_PKEY_free(peer);
	return start / rounds;
}
