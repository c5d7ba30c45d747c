/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the monitor's trial of a message 5: the engine that asks may be
 * anybody's by then.  The harness encrypts with a key of the psk file and
 * fills the right HASH_I in, so that payloads of all forms are reached; or
 * the input is the request itself, byte by byte.
 *
 * First byte: FUZZ_TRIAL_*; then the chain of payloads, or the request.
 */
#include "test/fuzz/fuzz_trial.h"

#include "ikev1/mon_ops.h"
#include "test/lib/trial_msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct crypto crypto;
	struct log log;
	struct psk *psk;
	struct mon *mon;
	struct im_trial_done done;
	int answers;
};

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void on_send(void *ctx, uint16_t type, const void *body)
{
	struct world *w = ctx;

	must(type == IM_TRIAL_DONE);
	w->answers++;
	memcpy(&w->done, body, sizeof(w->done));
}

static struct world *world(void)
{
	static const char file[] = "203.0.113.7,id=gw \"key 0\"\n"
				   "any,id=a@b \"key 1\"\n"
				   "any \"key 2\"\n"
				   "198.51.100.1 \"key 3\"\n";
	static struct world w;
	struct mon_env env = {.log = &w.log,
	    .crypto = &w.crypto,
	    .send = on_send,
	    .max_clients = 1,
	    .ctx = &w};
	char error[CONF_ERROR_MAX];

	if (w.mon)
		return &w;
	must(!crypto_init(&w.crypto));
	must(!psk_parse(file, "psk", &w.psk, error));
	log_init(&w.log, "fuzz", LOG_SEV_ERROR);
	w.log.fd = -1;
	env.psk = w.psk;
	w.mon = mon_new(&env);
	return &w;
}

/* What must hold of every answer; the line of the key, 0: none fits. */
static uint32_t judge(const struct im_trial_done *d)
{
	struct candidate c;

	if (!d->key.len) {
		must(d->lines.len % 4 == 0 && !(d->error && d->lines.len));
		return 0;
	}
	must(!d->error && !d->lines.len);
	must(!candidate_get(wire_span_of(d->key.data, d->key.len), 0, &c));
	must(c.line >= 1 && c.line <= 4 && c.entry == c.line - 1);
	return c.line;
}

/* The request as an engine could send it. */
static void any_request(struct world *w, const uint8_t *data, size_t size)
{
	struct im_trial req;
	struct msg_header hdr;

	if (msg_decode(&im_table, data, size, &hdr, &req, sizeof(req)) ||
	    hdr.type != IM_TRIAL)
		return;
	w->answers = 0;
	must((mon_handle(w->mon, &hdr, &req) ? 0 : 1) == w->answers);
	/* Nobody found out a key by chance. */
	if (w->answers)
		must(!judge(&w->done));
}

static void a_message(
    struct world *w, uint8_t how, const uint8_t *data, size_t size)
{
	static const struct ike_suite suites[] = {
	    {.cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = IKE_HASH_SHA1},
	    {.cipher = IKE_CIPHER_3DES, .hash = IKE_HASH_SHA256},
	};
	static const char *const keys[] = {"key 0", "key 2", "key 3", "none"};
	static const uint32_t lines[] = {1, 3, 0, 0};
	const char *key = keys[how & FUZZ_TRIAL_KEY];
	struct msg_header hdr = {.type = IM_TRIAL};
	struct trial_msg m;
	struct im_trial req;
	uint32_t line;

	trial_msg_init(&m, &w->crypto, &suites[how & FUZZ_TRIAL_3DES ? 1 : 0]);
	if (!trial_msg_seal(&m, wire_span_of((const uint8_t *)key, strlen(key)),
		wire_span_of(data, size), how & FUZZ_TRIAL_HASH))
		return;
	must(!im_trial_from_core(&req, 1, &m.t));
	must(!addr_parse(&req.peer, "203.0.113.7"));
	w->answers = 0;
	must(!mon_handle(w->mon, &hdr, &req) && w->answers == 1);
	must(!w->done.error);
	line = judge(&w->done);
	must(!line || line == lines[how & FUZZ_TRIAL_KEY]);
	if (!line)
		must(w->done.lines.len == 3 * 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & FUZZ_TRIAL_REQUEST)
		any_request(world(), data + 1, size - 1);
	else
		a_message(world(), data[0], data + 1, size - 1);
	return 0;
}
