/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the SA payload and the choice from it.  The first byte of the
 * input is the phase and the policy, the rest the payload's body.  What is
 * chosen must come back from its own answer unchanged.
 */
#include "ikev1/core/profile.h"
#include "ikev1/core/proposal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static const struct ike_policy listed = {
    .ike = {{IKE_CIPHER_AES, 256, IKE_HASH_SHA256, IKE_GROUP_MODP2048},
	{IKE_CIPHER_AES, 128, IKE_HASH_SHA1, IKE_GROUP_ECP256},
	{IKE_CIPHER_3DES, 192, IKE_HASH_SHA1, IKE_GROUP_MODP2048}},
    .ike_count = 3,
    .esp = {{ESP_AES, 256, ESP_AUTH_SHA256, 0},
	{ESP_AES, 128, ESP_AUTH_SHA1, IKE_GROUP_ECP256},
	{ESP_3DES, 192, ESP_AUTH_SHA1, 0}},
    .esp_count = 3,
    .pfs_groups = ALG_BIT(IKE_GROUP_MODP2048) | ALG_BIT(IKE_GROUP_ECP256),
};

static struct proposal_policy policy_of(uint8_t bits)
{
	return (struct proposal_policy){
	    .accept = bits & 16 ? profile_at(bits >> 5 & 3) : &listed,
	    .has_natt = bits & 2,
	    .ke_len = bits & 4	 ? 64
		      : bits & 8 ? 256
				 : 0};
}

/* The answer holds the chosen transform alone, byte for byte. */
static void check_reply(
    const struct sa_offer *offer, const struct proposal_choice *choice)
{
	static const uint8_t spi[] = {1, 2, 3, 4};
	const struct sa_transform *t = &offer->transform[choice->transform];
	static struct sa_offer back;
	uint8_t out[70000];
	struct wire_writer w;

	wire_writer_init(&w, out, sizeof(out));
	sa_encode_reply(&w, offer, &offer->protocol[choice->protocol], t,
	    wire_span_of(spi, sizeof(spi)));
	must(!wire_writer_error(&w));
	must(!sa_decode(offer->phase, wire_written(&w, 0), &back, NULL));
	must(back.protocol_count == 1 && back.transform_count == 1);
	must(back.protocol[0].number ==
	     offer->protocol[choice->protocol].number);
	must(back.transform[0].raw.len == t->raw.len);
	must(!memcmp(
	    back.transform[0].raw.data + 1, t->raw.data + 1, t->raw.len - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reason[ISAKMP_REASON_MAX], report[PROPOSAL_REPORT_MAX];
	enum sa_phase phase;
	struct proposal_policy policy;
	struct proposal_choice choice;
	static struct sa_offer offer;

	if (!size || size > 65000)
		return 0;
	phase = data[0] & 1 ? SA_PHASE2 : SA_PHASE1;
	policy = policy_of(data[0]);
	if (!policy.accept)
		return 0;
	if (sa_decode(phase, wire_span_of(data + 1, size - 1), &offer, reason))
		return 0;
	if (proposal_choose(&offer, &policy, &choice, report)) {
		must(strlen(report) < sizeof(report));
		return 0;
	}
	must(choice.protocol < offer.protocol_count);
	must(choice.transform < offer.transform_count);
	must(choice.life_seconds != 0);
	check_reply(&offer, &choice);
	return 0;
}
