/* SPDX-License-Identifier: ISC */
/* What is said, and remembered, about clients that do not get on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <string.h>

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

static void header(uint8_t msg[28], uint8_t version, uint8_t exchange)
{
	memset(msg, 0, 28);
	msg[0] = 1; /* the initiator's cookie */
	msg[17] = version;
	msg[18] = exchange;
	msg[27] = 28;
}

/* The newest refusal: exactly that, of exactly that client. */
static void expect(const struct ikew *w, const struct addr *peer,
    bool is_proven, const char *what)
{
	if (!strstr(w->refusal, what))
		fail_msg("\"%s\"", w->refusal);
	assert_true(addr_equal(&w->refusal_peer, peer));
	assert_int_equal(w->refusal_proven, is_proven);
}

static void strangers_prove_nothing(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	uint8_t msg[28];

	(void)state;
	header(msg, 0x10, 4);
	ikew_inject(w, &c->outer[0], 500, msg, sizeof(msg));
	expect(w, &c->outer[0], false, "Aggressive Mode refused");
	assert_true(ikew_logged(w, "set the client to Main Mode"));
	assert_null(strstr(w->refusal, "set the client")); /* the remedy */
	header(msg, 0x20, 34);
	ikew_inject(w, &c->outer[0], 500, msg, sizeof(msg));
	expect(w, &c->outer[0], false, "the client speaks IKEv2");
	assert_true(ikew_logged(w, "choose L2TP/IPsec"));
	assert_int_equal(w->refusals, 2);
	/* Less than a header says nothing. */
	for (size_t len = 0; len < sizeof(msg); len++)
		ikew_inject(w, &c->outer[0], 500, msg, len);
	assert_int_equal(w->refusals, 2);
	ikew_free(w);
}

static void those_that_are_not_logged_are_remembered(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	uint8_t msg[28];

	(void)state;
	header(msg, 0x10, 4);
	for (int i = 0; i < 100; i++)
		ikew_inject(w, &c->outer[0], 500, msg, sizeof(msg));
	assert_int_equal(w->refusals, 100);
	assert_int_equal(ikew_log_count(w, "Aggressive Mode refused"), 20);
	ikew_free(w);
}

static void no_common_proposal_is_said_once(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	c->ike[0] = ikew_suite(true, "aes128-sha256-ecp256");
	ikec_start_main(c);
	ikew_run(w, 100);
	expect(w, &c->outer[0], false, "no common IKE proposal: ");
	assert_int_equal(w->refusals, 1);
	assert_int_equal(ikew_log_count(w, "no common"), 1);
	ikew_free(w);
	w = ikew_new(1);
	c = natted(w);
	c->esp[0] = ikew_suite(false, "aes256-sha512");
	assert_true(ikew_main(w, c));
	assert_int_equal(w->refusals, 0);
	ikec_start_quick(c);
	ikew_run(w, 50);
	expect(w, &c->outer[1], true, "no common ESP proposal: ");
	assert_int_equal(w->refusals, 1);
	ikew_free(w);
}

static void keys_name_their_lines(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	w->psk[1] = "another key";
	w->psk_slots = 5; /* of which three are nobody's */
	c->psk = "a third one";
	ikec_start_main(c);
	ikew_run(w, 60);
	expect(w, &c->outer[1], true, "likely pre-shared key mismatch");
	expect(w, &c->outer[1], true, "(tried: psk line 1, 2)");
	assert_true(ikew_logged(w, "compare the client's key with that line"));
	/* That it does not end well is no news then. */
	ikew_run(w, 60000);
	assert_int_equal(w->refusals, 1);
	assert_int_equal(ikew_counts(w).sas, 0);
	ikew_free(w);
	w = ikew_new(1);
	c = natted(w);
	w->psk_error = -ENOENT;
	ikec_start_main(c);
	ikew_run(w, 100);
	expect(w, &c->outer[0], true, "no pre-shared key for this address");
	assert_true(ikew_logged(w, "write a line for it"));
	ikew_free(w);
}

static bool drop_5(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	(void)w;
	(void)len;
	return !to_server || data[18] != 2 || !(data[19] & 1);
}

static void a_firewall_in_between_is_suspected(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	w->filter = drop_5;
	ikec_start_main(c);
	ikew_run(w, 60000);
	expect(w, &c->outer[0], true, "message 5 never came");
	assert_true(ikew_logged(w, "drop UDP port 4500"));
	assert_int_equal(w->refusals, 1);
	ikew_free(w);
}

static void what_others_refuse_is_said_of_the_client(void **state)
{
	static const struct {
		int open_error, add_error;
		bool refuse_peers;
		const char *what, *remedy;
	} rows[] = {
	    {-ENOSPC, 0, false, "no place for another client", "max-clients"},
	    {0, -ENOBUFS, false, "the kernel refused the inbound IPsec SA",
		"kernel's log"},
	    {0, 0, true, "l2tpd refused: ", "l2tpd's log"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);

		w->open_error = rows[i].open_error;
		w->add_error = rows[i].add_error;
		w->refuse_peers = rows[i].refuse_peers;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, 60);
		expect(w, &c->outer[1], true, rows[i].what);
		assert_true(ikew_logged(w, rows[i].remedy));
		assert_true(ikew_logged(w, "203.0.113.9:40001 (10.0.0.2): "));
		ikew_free(w);
	}
}

static void a_client_may_refuse_too(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	assert_true(ikew_connect(w, c));
	assert_int_equal(w->refusals, 0);
	ikec_notify(c, ISAKMP_N_NO_PROPOSAL_CHOSEN);
	ikew_run(w, 60);
	expect(w, &c->outer[1], true, "the client says NO-PROPOSAL-CHOSEN");
	ikec_notify(c, ISAKMP_N_RESPONDER_LIFETIME); /* that is no error */
	ikew_run(w, 60);
	assert_int_equal(w->refusals, 1);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strangers_prove_nothing),
	    cmocka_unit_test(those_that_are_not_logged_are_remembered),
	    cmocka_unit_test(no_common_proposal_is_said_once),
	    cmocka_unit_test(keys_name_their_lines),
	    cmocka_unit_test(a_firewall_in_between_is_suspected),
	    cmocka_unit_test(what_others_refuse_is_said_of_the_client),
	    cmocka_unit_test(a_client_may_refuse_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
