/* SPDX-License-Identifier: ISC */
/* What the monitor tells an engine about pre-shared keys, and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/mon_ops.h"
#include "test/lib/trial_msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TWO "any one\n203.0.113.7,id=gw.example secret\n"

struct world {
	struct mon *mon;
	struct log log;
	struct crypto crypto;
	struct psk *psk;
	uint16_t type;
	union im_any body; /* the newest answer */
	int sent;
};

static void on_send(void *ctx, uint16_t type, const void *body)
{
	struct world *w = ctx;
	const struct msg_desc *d = msg_find(&im_table, type);

	assert_non_null(d);
	w->type = type;
	w->sent++;
	memset(&w->body, 0, sizeof(w->body));
	memcpy(&w->body, body, d->size);
}

static void open_world(struct world *w, const char *file)
{
	char error[CONF_ERROR_MAX];
	struct mon_env env = {.send = on_send, .max_clients = 1, .ctx = w};

	memset(w, 0, sizeof(*w));
	assert_int_equal(crypto_init(&w->crypto), 0);
	assert_int_equal(psk_parse(file, "psk", &w->psk, error), 0);
	log_init(&w->log, "test", LOG_SEV_ERROR);
	w->log.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	env.log = &w->log;
	env.crypto = &w->crypto;
	env.psk = w->psk;
	w->mon = mon_new(&env);
}

static void close_world(struct world *w)
{
	mon_free(w->mon);
	psk_free(w->psk);
	crypto_done(&w->crypto);
	close(w->log.fd);
}

static int ask(struct world *w, uint16_t type, const void *body)
{
	struct msg_header hdr = {.type = type};

	return mon_handle(w->mon, &hdr, body);
}

static const struct im_psk_done *ask_psk(
    struct world *w, enum ike_psk_use use, uint16_t entry, const char *peer)
{
	struct im_psk req = {.job = 3,
	    .use = (uint8_t)use,
	    .entry = entry,
	    .hash = IKE_HASH_SHA1};

	assert_int_equal(addr_parse(&req.peer, peer), 0);
	req.ni.len = req.nr.len = 16;
	memset(req.ni.data, 1, 16);
	memset(req.nr.data, 2, 16);
	assert_int_equal(ask(w, IM_PSK, &req), 0);
	assert_int_equal(w->type, IM_PSK_DONE);
	assert_int_equal(w->body.psk_done.job, 3);
	return &w->body.psk_done;
}

static struct candidate key_of(const uint8_t *data, size_t len)
{
	struct candidate c;

	assert_int_equal(candidate_get(wire_span_of(data, len), 0, &c), 0);
	assert_int_equal(len, CANDIDATE_LEN);
	return c;
}

static const struct ike_suite suite = {
    .cipher = IKE_CIPHER_AES, .key_bits = 256, .hash = IKE_HASH_SHA1};

static void request(struct world *w, const char *peer, const char *key,
    const char *id, struct im_trial *out)
{
	struct trial_msg m;

	trial_msg_init(&m, &w->crypto, &suite);
	trial_msg_usual(&m, key, IPSEC_ID_FQDN, id);
	assert_int_equal(im_trial_from_core(out, 8, &m.t), 0);
	assert_int_equal(addr_parse(&out->peer, peer), 0);
	assert_int_equal(addr_parse(&out->local, "192.0.2.1"), 0);
}

static const struct im_trial_done *try(
    struct world *w, const char *peer, const char *key, const char *id)
{
	struct im_trial req;

	request(w, peer, key, id, &req);
	assert_int_equal(ask(w, IM_TRIAL, &req), 0);
	assert_int_equal(w->type, IM_TRIAL_DONE);
	assert_int_equal(w->body.trial_done.job, 8);
	assert_int_equal(w->body.trial_done.error, 0);
	return &w->body.trial_done;
}

/* One key for everybody, or for each: nothing to find out. */
static void the_only_key_is_given_at_once(void **state)
{
	static const char *const files[] = {
	    "any one\n", "203.0.113.7 one\n203.0.113.8 other\n"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (int use = 0; use <= IKE_PSK_CONNECT; use++) {
			const struct im_psk_done *done;
			struct candidate c;
			struct world w;

			open_world(&w, files[i]);
			done = ask_psk(
			    &w, (enum ike_psk_use)use, 9, "203.0.113.7");
			assert_int_equal(done->error, 0);
			assert_int_equal(done->count, 1);
			c = key_of(done->key.data, done->key.len);
			assert_int_equal(c.line, 1);
			assert_int_equal(c.entry, 0);
			assert_int_equal(c.skeyid_len, 20);
			close_world(&w);
		}
	}
}

static void of_several_keys_none_is_given(void **state)
{
	const struct im_psk_done *done;
	struct world w;

	(void)state;
	open_world(&w, TWO);
	done = ask_psk(&w, IKE_PSK_ANSWER, 0, "203.0.113.7");
	assert_int_equal(done->error, 0);
	assert_int_equal(done->count, 2);
	assert_int_equal(done->key.len, 0);
	/* Of that address there is only one: nothing tells it apart. */
	done = ask_psk(&w, IKE_PSK_ANSWER, 0, "203.0.113.8");
	assert_int_equal(done->error, 0);
	assert_int_equal(done->count, 1);
	assert_int_equal(done->key.len, 0);
	/* We dial out to nobody, and call nobody who was never here. */
	assert_int_equal(
	    ask_psk(&w, IKE_PSK_CONNECT, 0, "203.0.113.7")->error, -EACCES);
	for (uint16_t entry = 0; entry < 3; entry++) {
		done = ask_psk(&w, IKE_PSK_RENEW, entry, "203.0.113.7");
		assert_int_equal(done->error, -EACCES);
		assert_int_equal(done->key.len, 0);
		assert_int_equal(done->count, 0);
	}
	done = ask_psk(&w, IKE_PSK_RENEW, 65535, "203.0.113.7");
	assert_int_equal(done->error, -EACCES);
	close_world(&w);
	open_world(&w, "203.0.113.7 a\n203.0.113.7 b\n");
	done = ask_psk(&w, IKE_PSK_ANSWER, 0, "203.0.113.9");
	assert_int_equal(done->error, -ENOENT);
	assert_int_equal(done->count, 0);
	close_world(&w);
}

static void who_shows_a_key_gets_that_one(void **state)
{
	const struct im_trial_done *done;
	const struct im_psk_done *again;
	struct candidate c;
	struct world w;

	(void)state;
	open_world(&w, TWO);
	done = try(&w, "203.0.113.7", "one", "x");
	c = key_of(done->key.data, done->key.len);
	assert_int_equal(c.line, 1);
	assert_int_equal(c.entry, 0);
	assert_int_equal(c.id_type, 0);
	assert_int_equal(done->lines.len, 0);
	/* Now it may be called with it, from where it may use it; the other
	 * key is as secret as before. */
	again = ask_psk(&w, IKE_PSK_RENEW, 0, "203.0.113.7");
	assert_int_equal(again->error, 0);
	assert_int_equal(key_of(again->key.data, again->key.len).entry, 0);
	again = ask_psk(&w, IKE_PSK_RENEW, 1, "203.0.113.7");
	assert_int_equal(again->error, -EACCES);
	done = try(&w, "203.0.113.7", "secret", "gw.example");
	c = key_of(done->key.data, done->key.len);
	assert_int_equal(c.line, 2);
	assert_int_equal(c.id_type, IPSEC_ID_FQDN);
	assert_memory_equal(c.id, "gw.example", 10);
	again = ask_psk(&w, IKE_PSK_RENEW, 1, "203.0.113.7");
	assert_int_equal(key_of(again->key.data, again->key.len).entry, 1);
	again = ask_psk(&w, IKE_PSK_RENEW, 1, "203.0.113.8");
	assert_int_equal(again->error, -EACCES);
	/* A wrong ID under a right key: the engine says so by name. */
	done = try(&w, "203.0.113.7", "secret", "other.example");
	assert_int_equal(key_of(done->key.data, done->key.len).line, 2);
	/* The one key of its address. */
	done = try(&w, "203.0.113.8", "one", "x");
	assert_int_equal(key_of(done->key.data, done->key.len).line, 1);
	close_world(&w);
}

static void who_shows_none_gets_the_lines(void **state)
{
	static const uint8_t both[] = {0, 0, 0, 2, 0, 0, 0, 1};
	const struct im_trial_done *done;
	struct world w;

	(void)state;
	open_world(&w, TWO);
	done = try(&w, "203.0.113.7", "wrong", "x");
	assert_int_equal(done->key.len, 0);
	assert_int_equal(done->lines.len, sizeof(both));
	assert_memory_equal(done->lines.data, both, sizeof(both));
	/* A key of another address. */
	done = try(&w, "203.0.113.8", "secret", "gw.example");
	assert_int_equal(done->key.len, 0);
	assert_int_equal(done->lines.len, 4);
	assert_memory_equal(done->lines.data, both + 4, 4);
	assert_int_equal(
	    ask_psk(&w, IKE_PSK_RENEW, 1, "203.0.113.7")->error, -EACCES);
	close_world(&w);
	/* Where no key fits none is found: not even nobody's. */
	open_world(&w, "203.0.113.7 a\n203.0.113.7 b\n");
	done = try(&w, "203.0.113.9", "a", "x");
	assert_int_equal(done->key.len, 0);
	assert_int_equal(done->lines.len, 0);
	close_world(&w);
}

/* Nobody's keys are other ones in each monitor, and not zeros. */
static void fillers_are_no_key_that_can_be_known(void **state)
{
	const char zeros[32] = "";
	struct trial_msg m;
	struct im_trial req;
	struct world w;

	(void)state;
	open_world(&w, "any a\n203.0.113.1 b\n");
	trial_msg_init(&m, &w.crypto, &suite);
	assert_true(trial_msg_seal(&m,
	    wire_span_of((const uint8_t *)zeros, sizeof(zeros)),
	    wire_span_of((const uint8_t *)"\x08\0\0\x08\x02\0\0\0"
					  "\0\0\0\x18"
					  "0123456789012345678",
		32),
	    true));
	assert_int_equal(im_trial_from_core(&req, 1, &m.t), 0);
	assert_int_equal(addr_parse(&req.peer, "203.0.113.8"), 0);
	assert_int_equal(ask(&w, IM_TRIAL, &req), 0);
	assert_int_equal(w.body.trial_done.key.len, 0);
	assert_int_equal(w.body.trial_done.lines.len, 4);
	close_world(&w);
}

static void what_no_honest_engine_asks_ends_it(void **state)
{
	struct im_psk psk = {.hash = IKE_HASH_SHA1};
	struct im_trial req, odd;
	struct world w;
	uint16_t *const lens[] = {&odd.cky_i.len, &odd.cky_r.len, &odd.gxy.len,
	    &odd.gxi.len, &odd.gxr.len, &odd.sai.len, &odd.five.len,
	    &odd.ni.len, &odd.nr.len};

	(void)state;
	open_world(&w, TWO);
	psk.ni.len = psk.nr.len = 16;
	assert_int_equal(ask(&w, IM_PSK, &psk), -EPROTO); /* no address */
	addr_parse(&psk.peer, "203.0.113.7");
	psk.use = 3;
	assert_int_equal(ask(&w, IM_PSK, &psk), -EPROTO);
	/* Short nonces would let an engine ask for a PRF of its choice. */
	psk.use = 0;
	psk.ni.len = 7;
	assert_int_equal(ask(&w, IM_PSK, &psk), -EPROTO);
	request(&w, "203.0.113.7", "one", "x", &req);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		odd = req;
		*lens[i] = i >= 7 ? 7 : 0;
		assert_int_equal(ask(&w, IM_TRIAL, &odd), -EPROTO);
	}
	odd = req;
	odd.cky_i.len = 7;
	assert_int_equal(ask(&w, IM_TRIAL, &odd), -EPROTO);
	odd = req;
	odd.peer.family = ADDR_NONE;
	assert_int_equal(ask(&w, IM_TRIAL, &odd), -EPROTO);
	assert_int_equal(w.sent, 0);
	/* Algorithms that are not there are no crime. */
	odd = req;
	odd.hash = 99;
	assert_int_equal(ask(&w, IM_TRIAL, &odd), 0);
	assert_int_equal(w.body.trial_done.error, -ENOTSUP);
	assert_int_equal(w.body.trial_done.key.len, 0);
	assert_int_equal(w.body.trial_done.lines.len, 0);
	odd = req;
	odd.five.len--;
	assert_int_equal(ask(&w, IM_TRIAL, &odd), 0);
	assert_int_equal(w.body.trial_done.error, -EINVAL);
	close_world(&w);
	open_world(&w, "any one\n");
	psk.ni.len = 16;
	psk.hash = 99;
	assert_int_equal(ask(&w, IM_PSK, &psk), 0);
	assert_int_equal(w.body.psk_done.error, -ENOTSUP);
	assert_int_equal(w.body.psk_done.key.len, 0);
	close_world(&w);
}

/* Parts that no blob has room for. */
static void parts_have_their_bounds(void **state)
{
	static const size_t most[] = {IKE_NONCE_MAX, IKE_NONCE_MAX, IKE_DH_MAX,
	    IKE_DH_MAX, IKE_DH_MAX, IKE_TRIAL_SAI_MAX, IKE_TRIAL_FIVE_MAX};
	static uint8_t data[4096];
	struct ike_trial t = {.suite = suite};
	struct wire_span *parts[] = {
	    &t.ni, &t.nr, &t.gxy, &t.gxi, &t.gxr, &t.sai, &t.five};
	struct im_trial out;
	struct ike_trial back;
	uint8_t wire[MSG_MAX];

	(void)state;
	for (size_t i = 0; i < 7; i++)
		*parts[i] = wire_span_of(data, most[i]);
	assert_int_equal(im_trial_from_core(&out, 1, &t), 0);
	assert_int_equal(im_trial_to_core(&back, &out), 0);
	assert_int_equal(back.five.len, IKE_TRIAL_FIVE_MAX);
	assert_int_equal(back.suite.key_bits, 256);
	/* The longest fits a message. */
	assert_true(
	    msg_encode(&im_table, IM_TRIAL, 1, &out, wire, sizeof(wire)) > 0);
	for (size_t i = 0; i < 7; i++) {
		parts[i]->len++;
		assert_int_equal(im_trial_from_core(&out, 1, &t), -EINVAL);
		parts[i]->len--;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_only_key_is_given_at_once),
	    cmocka_unit_test(of_several_keys_none_is_given),
	    cmocka_unit_test(who_shows_a_key_gets_that_one),
	    cmocka_unit_test(who_shows_none_gets_the_lines),
	    cmocka_unit_test(fillers_are_no_key_that_can_be_known),
	    cmocka_unit_test(what_no_honest_engine_asks_ends_it),
	    cmocka_unit_test(parts_have_their_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
