/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_trial to the directory that it is given. */
#include "ikev1/im_msg.h"
#include "test/fuzz/fuzz_trial.h"
#include "test/fuzz/seed.h"
#include "test/lib/trial_msg.h"

#include <stdlib.h>
#include <string.h>

#define ID_GW "\x08\0\0\x0a\x02\0\0\0gw"
#define ZERO "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct {
	const char *name, *plain;
	size_t len;
} chains[] = {
    {"usual", ID_GW "\0\0\0\x18" ZERO, 34},
    {"sha256", ID_GW "\0\0\0\x24" ZERO "\0\0\0\0\0\0\0\0\0\0\0\0", 46},
    {"between", "\x0b\0\0\x0a\x02\0\0\0gw\x08\0\0\x06xx\0\0\0\x18" ZERO, 40},
    {"two-ids",
	"\x05\0\0\x0a\x02\0\0\0gw\x08\0\0\x09\x02\0\0\0x\0\0\0\x18" ZERO, 43},
    {"no-hash", "\0\0\0\x0a\x02\0\0\0gw", 10},
    {"no-id-header", "\x08\0\0\x05\x02\0\0\0\x18" ZERO, 29},
    {"beyond", "\x08\0\x02\0\x02\0\0\0gw", 10},
    {"zero-length", "\x08\0\0\0\0\0\0\x18" ZERO, 28},
};

/* A request whose message no key made. */
static void put_request(const char *dir)
{
	static const struct ike_suite suite = {
	    .cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = IKE_HASH_SHA1};
	uint8_t out[1 + MSG_MAX] = {FUZZ_TRIAL_REQUEST};
	struct crypto crypto;
	struct trial_msg m;
	struct im_trial req;
	int len;

	if (crypto_init(&crypto))
		abort();
	trial_msg_init(&m, &crypto, &suite);
	trial_msg_usual(&m, "of nobody", IPSEC_ID_FQDN, "gw");
	if (im_trial_from_core(&req, 1, &m.t) ||
	    addr_parse(&req.peer, "203.0.113.7"))
		abort();
	len = msg_encode(&im_table, IM_TRIAL, 1, &req, out + 1, MSG_MAX);
	if (len < 0)
		abort();
	seed_write(dir, "request", wire_span_of(out, 1 + (size_t)len));
	crypto_done(&crypto);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	/* With each key, and with the hash wrong. */
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		for (int how = 0; how < 2 * FUZZ_TRIAL_3DES; how++) {
			uint8_t out[128] = {(uint8_t)how};
			char name[64];

			memcpy(out + 1, chains[i].plain, chains[i].len);
			snprintf(
			    name, sizeof(name), "%s-%d", chains[i].name, how);
			seed_write(argv[1], name,
			    wire_span_of(out, 1 + chains[i].len));
		}
	}
	put_request(argv[1]);
	return 0;
}
