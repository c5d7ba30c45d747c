/* SPDX-License-Identifier: ISC */
/*
 * A hostile server, and what our initiator makes of it: each answer that is
 * not what was asked for is refused with a reason, and while nothing is
 * proved the true answer is still taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/core/payload_sa.h"
#include "test/lib/ike_cells.h"
#include "test/lib/ike_forge.h"
#include "test/lib/ike_pair.h"

#include <errno.h>
#include <string.h>

#define A_MINUTE 60000
#define FOREVER 600000

/* As from the server's port 500. */
static void give(struct ike_pair *p, const uint8_t *data, size_t len)
{
	struct ike_event ev = {.type = IKE_EV_DATAGRAM, .data = {data, len}};

	assert_int_equal(addr_parse(&ev.local, PAIR_INNER), 0);
	assert_int_equal(addr_parse(&ev.peer, WORLD_SERVER), 0);
	ev.local.port = ev.peer.port = 500;
	ikew_step(p->i, &ev);
}

/* --- message 2 ----------------------------------------------------------- */

static size_t answer_sa(uint8_t out[512], const char *suite, size_t count,
    uint32_t seconds, uint32_t kilobytes)
{
	struct ike_suite two[2] = {
	    ikew_suite(true, suite), ikew_suite(true, "aes128-sha1-modp2048")};
	struct sa_offer_spec spec = {.phase = SA_PHASE1,
	    .suites = two,
	    .suite_count = count,
	    .life_seconds = seconds,
	    .life_kilobytes = kilobytes};
	struct wire_writer w;

	wire_writer_init(&w, out, 512);
	sa_encode_offer(&w, &spec);
	return w.pos;
}

static void bad_messages_2_are_passed_over(void **state)
{
	static const struct {
		const char *suite; /* NULL: no SA payload */
		size_t transforms;
		uint32_t seconds, kilobytes;
		uint8_t second; /* payload type behind it; 0: none */
		const char *said;
	} rows[] = {
	    {NULL, 0, 0, 0, ISAKMP_PAYLOAD_VID, "passed over"},
	    {"aes256-sha256-ecp384", 1, 28800, 0, 0, "none of the suites"},
	    {"aes256-sha256-modp4096", 1, 28800, 0, 0, "none of the suites"},
	    {"3des-md5-modp2048", 1, 28800, 0, 0, "none of the suites"},
	    {"aes192-sha1-modp2048", 1, 28800, 0, 0, "none of the suites"},
	    {"aes256-sha256-modp2048", 2, 28800, 0, 0, "not one"},
	    {"aes256-sha256-modp2048", 1, 28801, 0, 0, "lifetime is longer"},
	    {"aes256-sha256-modp2048", 1, 28800, 1, 0, "did not offer"},
	    {"aes256-sha256-modp2048", 1, 28800, 0, ISAKMP_PAYLOAD_SA,
		"passed over"},
	    {"aes256-sha256-modp2048", 1, 28800, 0, ISAKMP_PAYLOAD_KE,
		"passed over"},
	    {"aes256-sha256-modp2048", 1, 28800, 0, ISAKMP_PAYLOAD_DELETE,
		"passed over"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_pair *p = pair_new(i);
		uint8_t sa[512], out[CLIENT_PACKET_MAX], more[20] = {0};
		struct forge_item items[2];
		size_t n = 0, len;

		pair_connect(p, &persona_default);
		if (rows[i].suite)
			items[n++] = (struct forge_item){ISAKMP_PAYLOAD_SA, sa,
			    answer_sa(sa, rows[i].suite, rows[i].transforms,
				rows[i].seconds, rows[i].kilobytes)};
		if (rows[i].second)
			items[n++] = (struct forge_item){
			    rows[i].second, more, sizeof(more)};
		len = forge_message(out, ISAKMP_EXCHANGE_MAIN, p->i->last_out,
		    (const uint8_t *)"respond!", items, n);
		give(p, out, len);
		assert_true(ikew_logged(p->i, rows[i].said));
		assert_int_equal(p->i->sends, 1);
		assert_true(pair_up(p, A_MINUTE));
		pair_free(p);
	}
}

/* --- message 4 ----------------------------------------------------------- */

/* Until message 3 has left, and nothing has come back. */
static struct ike_pair *at_message_3(uint64_t seed)
{
	struct ike_pair *p = pair_new(seed);

	pair_connect(p, &persona_default);
	while (p->i->sends < 2)
		pair_run(p, 1);
	return p;
}

static void bad_messages_4_are_passed_over(void **state)
{
	static const struct {
		int ke, nonce; /* bytes; -1: none */
		bool is_other_cookie;
		uint8_t more; /* payload type */
		const char *said;
	} rows[] = {
	    {-1, 20, false, 0, "passed over"},
	    {256, -1, false, 0, "passed over"},
	    {0, 20, false, 0, "KE has 0 bytes"},
	    {1, 20, false, 0, "KE has 1 bytes"},
	    {64, 20, false, 0, "KE has 64 bytes"},
	    {255, 20, false, 0, "KE has 255 bytes"},
	    {257, 20, false, 0, "KE has 257 bytes"},
	    {256, 0, false, 0, "nonce has 0 bytes"},
	    {256, 7, false, 0, "nonce has 7 bytes"},
	    {256, 257, false, 0, "nonce has 257 bytes"},
	    {256, 20, true, 0, NULL}, /* nobody's: not a word */
	    {256, 20, false, ISAKMP_PAYLOAD_KE, "passed over"},
	    {256, 20, false, ISAKMP_PAYLOAD_SA, "passed over"},
	    {256, 20, false, ISAKMP_PAYLOAD_HASH, "passed over"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_pair *p = at_message_3(i);
		uint8_t ke[300], nonce[300], out[CLIENT_PACKET_MAX], cky_r[8];
		struct forge_item items[3];
		size_t n = 0, len;
		int asked = p->i->psk_asked;

		memset(ke, 5, sizeof(ke));
		memset(nonce, 6, sizeof(nonce));
		memcpy(cky_r, p->i->last_out + 8, 8);
		cky_r[7] ^= rows[i].is_other_cookie;
		if (rows[i].ke >= 0)
			items[n++] = (struct forge_item){
			    ISAKMP_PAYLOAD_KE, ke, (size_t)rows[i].ke};
		if (rows[i].nonce >= 0)
			items[n++] = (struct forge_item){
			    ISAKMP_PAYLOAD_NONCE, nonce, (size_t)rows[i].nonce};
		if (rows[i].more)
			items[n++] =
			    (struct forge_item){rows[i].more, nonce, 20};
		len = forge_message(
		    out, ISAKMP_EXCHANGE_MAIN, p->i->last_out, cky_r, items, n);
		give(p, out, len);
		if (rows[i].said)
			assert_true(ikew_logged(p->i, rows[i].said));
		assert_int_equal(p->i->sends, 2);
		assert_int_equal(p->i->psk_asked, asked);
		assert_true(pair_up(p, A_MINUTE));
		pair_free(p);
	}
}

/* 0, 1 and p - 1 would let anyone know g^xy: RFC 2409 section 5. */
static void no_value_without_a_secret_is_taken(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct ike_pair *p = at_message_3(20);
		uint8_t ke[256] = {0}, nonce[20] = {1}, out[CLIENT_PACKET_MAX];
		const struct forge_item items[] = {
		    {ISAKMP_PAYLOAD_KE, ke, sizeof(ke)},
		    {ISAKMP_PAYLOAD_NONCE, nonce, sizeof(nonce)}};
		size_t len;

		ke[255] = i == 1;
		if (i == 2) /* more than any p of that length */
			memset(ke, 0xff, sizeof(ke));
		len = forge_message(out, ISAKMP_EXCHANGE_MAIN, p->i->last_out,
		    p->i->last_out + 8, items, 2);
		p->is_cut = true;
		give(p, out, len);
		pair_run(p, A_MINUTE);
		assert_int_equal(p->i->conn_failures, 1);
		assert_non_null(strstr(p->i->conn_text,
		    "the peer's Diffie-Hellman value is invalid"));
		assert_int_equal(p->i->sends, 2);
		assert_int_equal(ikew_counts(p->i).sas, 0);
		pair_free(p);
	}
}

/* --- message 6 ----------------------------------------------------------- */

/* The key is for another ID than the one that is proved: said at once, not
 * after a minute of silence. */
static void an_id_that_the_key_is_not_for_is_refused(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_pair *p = pair_new(30);

		p->i->psk_fqdn[0] = "vpn.example.net";
		p->i->save_often = p->r->save_often = save;
		pair_connect(p, &persona_default);
		assert_false(pair_up(p, 5000));
		assert_int_equal(p->i->conn_failures, 1);
		assert_non_null(strstr(p->i->conn_text, WORLD_SERVER));
		assert_null(strstr(p->i->conn_text, "no answer"));
		assert_int_equal(ikew_counts(p->i).sas, 0);
		assert_int_equal(ikew_counts(p->i).peers, 0);
		pair_free(p);
	}
}

/* --- Quick Mode ---------------------------------------------------------- */

/* Authenticated, and still not what we asked for. */
static void bad_quick_modes_are_refused_with_a_reason(void **state)
{
	static const struct {
		enum cell_state state;
		const char *payloads;
		enum cell_id id;
		const char *said;
	} rows[] = {
	    {CELL_I_QUICK, "HSn", CELL_ID_CURRENT, "IDci is not what we sent"},
	    {CELL_I_QUICK, "HSni", CELL_ID_CURRENT, "IDcr is not what we sent"},
	    {CELL_I_QUICK, "HSnjj", CELL_ID_CURRENT,
		"IDci is not what we sent"},
	    {CELL_I_QUICK, "HSnKii", CELL_ID_CURRENT, "KE without PFS"},
	    {CELL_I_QUICK, "HSSn", CELL_ID_CURRENT, "Quick Mode message 2"},
	    {CELL_I_QUICK, "HS", CELL_ID_CURRENT, "Quick Mode message 2"},
	    {CELL_I_QUICK, "HSn", CELL_ID_FRESH, "which no connection has"},
	    {CELL_I_QUICK, "HSnii", CELL_ID_FRESH, "not the address"},
	    {CELL_I_RENEW, "HSn", CELL_ID_FRESH, "which no connection has"},
	    {CELL_I_RENEW, "HSnii", CELL_ID_FRESH, "not the address"},
	    {CELL_I_RENEW, "HSnKii", CELL_ID_CURRENT, "KE without PFS"},
	    {CELL_I_RENEW, "HSn", CELL_ID_CURRENT, "IDci is not what we sent"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cell_world cw;
		struct cell cell = {.state = rows[i].state,
		    .exchange = ISAKMP_EXCHANGE_QUICK,
		    .payloads = rows[i].payloads,
		    .protection = CELL_SEALED,
		    .id = rows[i].id,
		    .cookies = CELL_COOKIES_OWN};
		uint8_t data[CLIENT_PACKET_MAX];
		struct cell_result r;

		cell_world_init(&cw, rows[i].state);
		r = cell_run(&cw, data, cell_forge(&cw, &cell, data));
		assert_non_null(strstr(r.said, rows[i].said));
		assert_int_equal(r.opens + r.adds, 0);
		cell_world_done(&cw);
	}
}

/* --- late copies --------------------------------------------------------- */

#define COPIES_MAX 16

struct copies {
	uint8_t data[COPIES_MAX][CLIENT_PACKET_MAX];
	size_t len[COPIES_MAX];
	int count;
};

static bool copy(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct copies *c = w->filter_ctx;

	(void)to_server;
	if (c->count < COPIES_MAX) {
		memcpy(c->data[c->count], data, *len);
		c->len[c->count++] = *len;
	}
	return true;
}

/* All that the server has sent, in both orders, again and again. */
static void late_copies_change_nothing(void **state)
{
	static struct copies c;
	struct ike_pair *p = pair_new(40);
	uint8_t *before, *after;
	size_t before_len, after_len;
	int sends;

	(void)state;
	c.count = 0;
	p->r->filter = copy;
	p->r->filter_ctx = &c;
	pair_connect(p, &persona_default);
	assert_true(pair_up(p, A_MINUTE));
	pair_run(p, 2000);
	p->r->filter = NULL;
	assert_in_range(c.count, 4, COPIES_MAX);
	/* Quick Mode's own time for repeated messages 2 is over then. */
	pair_run(p, 2 * A_MINUTE);
	before = ike_save(p->i->ike, p->i->now, &before_len);
	sends = p->i->sends;
	for (int n = 0; n < 6 * c.count; n++) {
		int at =
		    n % 2 ? c.count - 1 - n / 2 % c.count : n / 2 % c.count;

		give(p, c.data[at], c.len[at]);
	}
	after = ike_save(p->i->ike, p->i->now, &after_len);
	assert_int_equal(before_len, after_len);
	assert_memory_equal(before, after, after_len);
	assert_int_equal(p->i->sends, sends);
	secret_free(before, before_len);
	secret_free(after, after_len);
	pair_free(p);
}

/* A repeated message 2 asks for message 3, so often and no more. */
static void repeated_messages_2_are_answered_so_often(void **state)
{
	static struct copies c;
	struct ike_pair *p = pair_new(41);
	int sends;

	(void)state;
	c.count = 0;
	p->r->filter = copy;
	p->r->filter_ctx = &c;
	pair_connect(p, &persona_default);
	assert_true(pair_up(p, A_MINUTE));
	pair_run(p, 500);
	sends = p->i->sends;
	for (int n = 0; n < 1000; n++)
		give(p, c.data[3], c.len[3]);
	assert_in_range(p->i->sends - sends, 1, 60);
	assert_int_equal(ikew_live_sas(p->i), 2);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bad_messages_2_are_passed_over),
	    cmocka_unit_test(bad_messages_4_are_passed_over),
	    cmocka_unit_test(no_value_without_a_secret_is_taken),
	    cmocka_unit_test(an_id_that_the_key_is_not_for_is_refused),
	    cmocka_unit_test(bad_quick_modes_are_refused_with_a_reason),
	    cmocka_unit_test(late_copies_change_nothing),
	    cmocka_unit_test(repeated_messages_2_are_answered_so_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
