/* SPDX-License-Identifier: ISC */
/* What the monitor pays to try a message 5 with each of several keys. */
#include "test/bench/bench.h"

#include "common/log.h"
#include "ikev1/mon_ops.h"
#include "test/lib/trial_msg.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 2000
#define SLICES 10

static void no_answer(void *ctx, uint16_t type, const void *body)
{
	const struct im_trial_done *done = body;

	(void)ctx;
	if (type != IM_TRIAL_DONE || done->error || !done->key.len)
		bench_die("a trial failed");
}

/* The best of several slices, in microseconds. */
static double trial_us(struct mon *mon, const struct im_trial *req)
{
	struct msg_header hdr = {.type = IM_TRIAL};
	double best = 1e9;

	for (int s = 0; s < SLICES; s++) {
		double before = bench_cpu_us(), us;

		for (int i = 0; i < ROUNDS / SLICES; i++)
			mon_handle(mon, &hdr, req);
		us = (bench_cpu_us() - before) / (ROUNDS / SLICES);
		best = us < best ? us : best;
	}
	return best;
}

void bench_trial(const struct crypto *crypto)
{
	static const struct ike_suite suite = {
	    .cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = IKE_HASH_SHA256};
	char file[CANDIDATES_MAX * 64] = "", error[CONF_ERROR_MAX];
	struct mon_env env = {
	    .crypto = crypto, .send = no_answer, .max_clients = 1};
	struct psk *psk;
	struct trial_msg m;
	struct im_trial req;
	struct mon *mon;

	trial_msg_init(&m, crypto, &suite);
	trial_msg_usual(&m, BENCH_PSK, IPSEC_ID_FQDN, "client.example");
	if (im_trial_from_core(&req, 1, &m.t) ||
	    addr_parse(&req.peer, "127.0.0.1"))
		bench_die("no trial");
	for (int keys = 1; keys <= CANDIDATES_MAX; keys++) {
		size_t at = strlen(file);

		snprintf(file + at, sizeof(file) - at, "any \"%s\"\n",
		    keys == 1 ? BENCH_PSK : "a key of somebody else");
		if (keys != 2 && keys != CANDIDATES_MAX)
			continue;
		if (psk_parse(file, "psk", &psk, error))
			bench_die(error);
		env.psk = psk;
		mon = mon_new(&env);
		printf("message 5 tried with %d keys: %.1f us of the monitor\n",
		    keys, trial_us(mon, &req));
		mon_free(mon);
		psk_free(psk);
	}
}
