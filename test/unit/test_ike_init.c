/* SPDX-License-Identifier: ISC */
/* Main Mode as initiator: our own initiator against our own responder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/ike_pair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define A_MINUTE 60000
#define FOREVER 600000

static void expect_up(const struct ike_pair *p)
{
	assert_int_equal(ikew_counts(p->i).sas, 1);
	assert_int_equal(ikew_counts(p->r).sas, 1);
	assert_int_equal(ikew_counts(p->r).half_open, 0);
	assert_true(ikew_logged(p->i, "IKE SA established"));
	assert_true(ikew_logged(p->r, "IKE SA established"));
}

/* Everything works, with state saved between any two events, too. */
static void it_comes_up(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = pair_new(1);

		p->i->save_often = p->r->save_often = save;
		pair_connect(p, &persona_default);
		assert_true(pair_up(p, A_MINUTE));
		expect_up(p);
		assert_int_equal(p->i->sends, 4); /* and Quick Mode 1 */
		assert_false(ikew_logged(p->r, "behind NAT"));
		assert_false(ikew_logged(p->i, "behind NAT"));
		pair_free(p);
	}
}

static void it_floats_behind_a_nat(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = pair_new(2);

		p->nat_port = 40000;
		p->i->save_often = p->r->save_often = save;
		pair_connect(p, &persona_default);
		assert_true(pair_up(p, A_MINUTE));
		expect_up(p);
		assert_true(ikew_logged(p->r, "client behind NAT"));
		assert_true(ikew_logged(p->r, PAIR_NAT ":40001"));
		assert_true(ikew_logged(p->i, "we are behind NAT"));
		pair_free(p);
	}
}

/* Each group has its own lengths. */
static void every_group_comes_up(void **state)
{
	static const char *const suites[] = {"aes256-sha256-modp2048",
	    "aes128-sha1-modp3072", "aes256-sha1-ecp256", "aes256-sha1-ecp384",
	    "3des-sha1-modp2048"};

	(void)state;
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		struct ike_suite suite = ikew_suite(true, suites[i]);
		struct persona one = persona_default;
		struct ike_pair *p = pair_new(3 + i);

		one.ike.suites = &suite;
		one.ike.suite_count = 1;
		p->r->cfg.policy.ike[0] = suite;
		p->r->cfg.policy.ike_count = 1;
		ikew_crash(p->r);
		pair_connect(p, &one);
		assert_true(pair_up(p, A_MINUTE));
		expect_up(p);
		assert_true(ikew_logged(p->i, suites[i]));
		pair_free(p);
	}
}

/* A bad link only costs time. */
static void a_bad_link_is_survived(void **state)
{
	int up = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct ike_pair *p = pair_new(100 + seed);

		p->nat_port = seed & 1 ? 50000 : 0;
		p->i->save_often = p->r->save_often = seed & 2;
		pair_link(p, 20, 20, 300);
		pair_connect(p, &persona_default);
		up += pair_up(p, FOREVER);
		/* Whoever is up stays so: late copies change nothing. */
		pair_link(p, 0, 0, 0);
		pair_run(p, 5000);
		assert_true(ikew_counts(p->i).sas <= 1);
		pair_free(p);
	}
	assert_true(up >= 29);
}

static void another_key_is_explained(void **state)
{
	struct ike_pair *p = pair_new(4);

	(void)state;
	p->r->psk[0] = "another one";
	pair_connect(p, &persona_default);
	assert_false(pair_up(p, FOREVER));
	assert_int_equal(p->i->conn_failures, 1);
	assert_non_null(strstr(p->i->conn_text, "pre-shared keys differ"));
	assert_int_equal(ikew_counts(p->i).sas, 0);
	assert_true(ikew_logged(p->r, "pre-shared key mismatch"));
	pair_free(p);
}

static void no_key_of_ours_is_explained(void **state)
{
	struct ike_pair *p = pair_new(5);

	(void)state;
	p->i->psk_error = -ENOENT;
	pair_connect(p, &persona_default);
	assert_false(pair_up(p, FOREVER));
	assert_non_null(strstr(p->i->conn_text, "no pre-shared key"));
	assert_int_equal(ikew_counts(p->i).sas, 0);
	pair_free(p);
}

/* NO-PROPOSAL-CHOSEN comes in clear: a hint, and we go on asking. */
static void a_refused_proposal_is_only_a_hint(void **state)
{
	struct ike_suite suite = ikew_suite(true, "aes256-sha512-modp4096");
	struct persona one = persona_default;
	struct ike_pair *p = pair_new(6);

	(void)state;
	one.ike.suites = &suite;
	one.ike.suite_count = 1;
	pair_connect(p, &one);
	assert_false(pair_up(p, 3000));
	assert_int_equal(p->i->conn_failures, 0);
	assert_true(ikew_logged(p->i, "NO-PROPOSAL-CHOSEN"));
	assert_int_equal(ikew_counts(p->i).sas, 1);
	assert_false(pair_up(p, FOREVER));
	assert_int_equal(p->i->conn_failures, 1);
	assert_non_null(strstr(p->i->conn_text, "no answer to message 1"));
	assert_non_null(strstr(p->i->conn_text, "NO-PROPOSAL-CHOSEN"));
	assert_int_equal(ikew_log_count(p->i, "which anyone could"), 1);
	pair_free(p);
}

/* RFC 2408 section 5.1: it backs off, and it ends. */
static void a_dead_responder_is_given_up(void **state)
{
	static const uint32_t waits[] = {1000, 2000, 4000, 8000, 16000, 16000};
	struct ike_pair *p = pair_new(7);

	(void)state;
	p->is_cut = true;
	pair_connect(p, &persona_default);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		assert_int_equal(p->i->sends, i + 1);
		pair_run(p, waits[i] - 1);
		assert_int_equal(p->i->sends, i + 1);
		pair_run(p, 1);
		assert_int_equal(p->i->sends, i + 2);
	}
	assert_int_equal(p->i->conn_failures, 0);
	pair_run(p, 16000);
	assert_int_equal(p->i->conn_failures, 1);
	assert_int_equal(p->i->sends, persona_default.retry.tries);
	assert_non_null(strstr(p->i->conn_text, "no answer to message 1"));
	assert_int_equal(ikew_counts(p->i).sas, 0);
	pair_free(p);
}

/* Changes one byte of the n-th datagram that the responder sends. */
struct spoil {
	int nth, at;
	uint8_t bits;
	int seen;
};

static bool spoil_one(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct spoil *s = w->filter_ctx;
	size_t at = s->at < 0 ? *len - (size_t)-s->at : (size_t)s->at;

	(void)to_server;
	if (++s->seen == s->nth && at < *len)
		data[at] ^= s->bits;
	return true;
}

/* A changed answer is passed over; the right one is taken when it comes. */
static void a_changed_answer_is_passed_over(void **state)
{
	static const struct {
		struct spoil spoil;
		const char *said;
	} rows[] = {
	    {{.nth = 1, .at = 31, .bits = 1}, "passed over"}, /* SA's length */
	    {{.nth = 1, .at = 48, .bits = 1}, ""}, /* proposal's number */
	    {{.nth = 1, .at = 50, .bits = 1}, "passed over"}, /* its SPI size */
	    {{.nth = 1, .at = 63, .bits = 3}, "none of the suites"}, /* AES? */
	    {{.nth = 2, .at = 31, .bits = 1}, "passed over"}, /* KE's length */
	    {{.nth = 3, .at = -1, .bits = 1}, "passed over"}, /* MM6 */
	    {{.nth = 3, .at = 19, .bits = 1}, "wrong flags"}, /* E bit */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_pair *p = pair_new(20 + i);
		struct spoil spoil = rows[i].spoil;

		p->r->filter = spoil_one;
		p->r->filter_ctx = &spoil;
		pair_connect(p, &persona_default);
		assert_true(pair_up(p, A_MINUTE));
		expect_up(p);
		if (rows[i].said[0])
			assert_true(ikew_logged(p->i, rows[i].said));
		pair_free(p);
	}
}

/* The clear messages 3 and 4 of a Main Mode with modp2048. */
#define KE_AT (28 + 4)
#define NONCE_AT (KE_AT + 256 + 4)

enum change { SHORTER_KE, OUR_KE, OUR_NONCE, CHANGES };

struct tamper {
	enum change change;
	uint8_t sent[CLIENT_PACKET_MAX]; /* message 3 */
	int messages;
};

static bool keep_3(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct tamper *t = w->filter_ctx;

	(void)to_server;
	if (++t->messages == 3)
		memcpy(t->sent, data, *len);
	return true;
}

/* The first message 4 only. */
static bool change_4(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct tamper *t = w->filter_ctx;

	(void)to_server;
	if (++t->messages != 4)
		return true;
	if (t->change == OUR_KE) {
		memcpy(data + KE_AT, t->sent + KE_AT, 256);
	} else if (t->change == OUR_NONCE) {
		memcpy(data + NONCE_AT, t->sent + NONCE_AT, 32);
	} else {
		memmove(data + KE_AT, data + KE_AT + 1, --*len - KE_AT);
		/* 260 becomes 259. */
		data[KE_AT - 1]--;
		data[27] = (uint8_t)*len;
		data[26] = (uint8_t)(*len >> 8);
	}
	return true;
}

static void a_tampered_message_4_is_passed_over(void **state)
{
	static const char *const said[] = {
	    [SHORTER_KE] = "KE has 255 bytes",
	    [OUR_KE] = "our own key exchange value or nonce came back",
	    [OUR_NONCE] = "our own key exchange value or nonce came back",
	};
	struct ike_suite suite = ikew_suite(true, "aes256-sha256-modp2048");

	(void)state;
	for (int change = 0; change < CHANGES; change++) {
		struct tamper t = {.change = (enum change)change};
		struct persona one = persona_default;
		struct ike_pair *p = pair_new(40);

		one.ike.suites = &suite;
		one.ike.suite_count = 1;
		p->i->filter = keep_3;
		p->r->filter = change_4;
		p->i->filter_ctx = p->r->filter_ctx = &t;
		pair_connect(p, &one);
		assert_true(pair_up(p, A_MINUTE));
		assert_true(ikew_logged(p->i, said[change]));
		expect_up(p);
		pair_free(p);
	}
}

/* A responder that calls itself an address of three bytes. */
static void a_bad_id_of_the_responder_is_refused(void **state)
{
	struct ike_pair *p = pair_new(41);

	(void)state;
	p->r->cfg.local_id_type = IPSEC_ID_IPV4;
	p->r->cfg.local_id_len = 3;
	ikew_crash(p->r);
	pair_connect(p, &persona_default);
	assert_false(pair_up(p, 5000));
	assert_int_equal(p->i->conn_failures, 1);
	assert_int_equal(strncmp(p->i->conn_text, "ID", 2), 0);
	assert_int_equal(ikew_counts(p->i).sas, 0);
	pair_free(p);
}

/* Everything that the initiator sends comes back to it as if from the peer:
 * no answer, no progress. */
static void a_mirror_gets_nowhere(void **state)
{
	struct ike_pair *p = pair_new(8);
	struct ike_event ev = {.type = IKE_EV_DATAGRAM};
	uint8_t copy[CLIENT_PACKET_MAX];

	(void)state;
	pair_connect(p, &persona_default);
	for (int n = 0; n < 5; n++) {
		struct ikew *w = p->i;
		int sends = w->sends;

		memcpy(copy, w->last_out, w->last_out_len);
		assert_int_equal(addr_parse(&ev.local, PAIR_INNER), 0);
		assert_int_equal(addr_parse(&ev.peer, WORLD_SERVER), 0);
		ev.local.port = ev.peer.port = 500;
		ev.data = (struct wire_span){copy, w->last_out_len};
		ikew_step(w, &ev);
		assert_int_equal(w->sends, sends);
		assert_int_equal(ikew_counts(w).sas, 1);
		pair_run(p, 40);
	}
	/* The true responder was not hindered. */
	assert_int_equal(p->i->conn_ups, 1);
	pair_free(p);
}

/* Its own cookie with CKY-R in both places is no answer either. */
static void cookies_must_differ(void **state)
{
	struct ike_pair *p = pair_new(9);
	struct ike_event ev = {.type = IKE_EV_DATAGRAM};
	uint8_t copy[CLIENT_PACKET_MAX];

	(void)state;
	p->is_cut = true;
	pair_connect(p, &persona_default);
	memcpy(copy, p->i->last_out, p->i->last_out_len);
	memcpy(copy + 8, copy, 8);
	assert_int_equal(addr_parse(&ev.local, PAIR_INNER), 0);
	assert_int_equal(addr_parse(&ev.peer, WORLD_SERVER), 0);
	ev.local.port = ev.peer.port = 500;
	ev.data = (struct wire_span){copy, p->i->last_out_len};
	ikew_step(p->i, &ev);
	assert_true(ikew_logged(p->i, "both cookies are the same"));
	assert_int_equal(p->i->sends, 1);
	pair_free(p);
}

/* The responder's own value back: a man in the middle without a key. */
static void our_own_value_is_refused(void **state)
{
	struct ike_pair *p = pair_new(10);

	(void)state;
	p->r->mirror_dh = true;
	pair_connect(p, &persona_default);
	assert_false(pair_up(p, FOREVER));
	assert_int_equal(p->i->conn_failures, 1);
	pair_free(p);
}

/* The responder's table of strangers does not touch what we started. */
static void a_flood_does_not_evict_it(void **state)
{
	struct ike_pair *p = pair_new(11);
	struct persona one = persona_default;

	(void)state;
	p->i->cfg.max_half_open = 1;
	ikew_crash(p->i);
	p->is_cut = true;
	pair_connect(p, &one);
	pair_connect(p, &one);
	pair_connect(p, &one);
	assert_int_equal(ikew_counts(p->i).sas, 3);
	assert_int_equal(ikew_counts(p->i).half_open, 0);
	pair_free(p);
}

/* A clear Notification for nobody, or after the fact, says nothing. */
static void hints_need_a_handshake(void **state)
{
	struct ike_pair *p = pair_new(12);
	struct ike_event ev = {.type = IKE_EV_DATAGRAM};
	uint8_t n[] = {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0x10,
	    5, 0, 0, 0, 0, 9, 0, 0, 0, 40, 0, 0, 0, 12, 0, 0, 0, 1, 1, 0, 0,
	    14};

	(void)state;
	pair_connect(p, &persona_default);
	assert_int_equal(addr_parse(&ev.local, PAIR_INNER), 0);
	assert_int_equal(addr_parse(&ev.peer, WORLD_SERVER), 0);
	ev.local.port = ev.peer.port = 500;
	ev.data = (struct wire_span){n, sizeof(n)};
	ikew_step(p->i, &ev);
	assert_false(ikew_logged(p->i, "NO-PROPOSAL-CHOSEN"));
	memcpy(n, p->i->last_out, 8);
	ikew_step(p->i, &ev);
	ikew_step(p->i, &ev);
	assert_int_equal(ikew_log_count(p->i, "NO-PROPOSAL-CHOSEN"), 1);
	/* Cut short at every length: never a crash, never a hint. */
	n[39] = 15;
	for (uint8_t len = 28; len < 40; len++) {
		n[27] = len;
		ev.data.len = len;
		ikew_step(p->i, &ev);
	}
	assert_false(ikew_logged(p->i, "INVALID-KEY"));
	assert_true(pair_up(p, A_MINUTE));
	n[27] = 40;
	ev.data.len = 40;
	ikew_step(p->i, &ev);
	assert_int_equal(ikew_log_count(p->i, "which anyone could"), 1);
	pair_free(p);
}

/* Answers of jobs that came too late, twice or with an error. */
static void jobs_may_fail(void **state)
{
	struct ike_pair *p = pair_new(13);
	struct ike_event ev = {.type = IKE_EV_DH_DONE, .error = -EBUSY};

	(void)state;
	pair_connect(p, &persona_default);
	for (ev.job = 1; ev.job < 4; ev.job++)
		ikew_step(p->i, &ev);
	assert_int_equal(p->i->conn_failures, 0);
	pair_run(p, 11); /* message 2 is there, the job is under way */
	ev.job = 1;
	ikew_step(p->i, &ev);
	assert_int_equal(p->i->conn_failures, 1);
	assert_non_null(strstr(p->i->conn_text, "Diffie-Hellman failed"));
	assert_int_equal(ikew_counts(p->i).sas, 0);
	pair_run(p, A_MINUTE);
	assert_int_equal(p->i->conn_failures, 1);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_comes_up),
	    cmocka_unit_test(it_floats_behind_a_nat),
	    cmocka_unit_test(every_group_comes_up),
	    cmocka_unit_test(a_bad_link_is_survived),
	    cmocka_unit_test(another_key_is_explained),
	    cmocka_unit_test(no_key_of_ours_is_explained),
	    cmocka_unit_test(a_refused_proposal_is_only_a_hint),
	    cmocka_unit_test(a_dead_responder_is_given_up),
	    cmocka_unit_test(a_changed_answer_is_passed_over),
	    cmocka_unit_test(a_tampered_message_4_is_passed_over),
	    cmocka_unit_test(a_bad_id_of_the_responder_is_refused),
	    cmocka_unit_test(a_mirror_gets_nowhere),
	    cmocka_unit_test(cookies_must_differ),
	    cmocka_unit_test(our_own_value_is_refused),
	    cmocka_unit_test(a_flood_does_not_evict_it),
	    cmocka_unit_test(hints_need_a_handshake),
	    cmocka_unit_test(jobs_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
