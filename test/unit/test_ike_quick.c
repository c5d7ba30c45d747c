/* SPDX-License-Identifier: ISC */
/* Quick Mode against the machine: order, suites, selectors, PFS, loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "ikev1/core/profile.h"
#include "test/lib/ike_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct ike_client *native(struct ikew *w)
{
	return ikew_client(w, "203.0.113.7", NULL, 0);
}

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

static void each_esp_suite_gets_equal_keys(void **state)
{
	static const char *const suites[] = {"aes256-sha256", "aes128-sha256",
	    "aes256-sha1", "aes128-sha1", "aes256-sha256-modp2048",
	    "aes128-sha1-ecp256", "aes128gcm16", "aes192gcm16",
	    "aes256gcm16-ecp256", "3des-sha1", "3des-md5-modp1024", "des-md5",
	    "aes192-sha512", "aes128-sha384-modp1536"};
	enum { SUITES = sizeof(suites) / sizeof(suites[0]) };

	(void)state;
	for (size_t i = 0; i < 2 * SUITES; i++) {
		struct ikew *w = ikew_new(i);
		struct ike_client *c = i & 1 ? natted(w) : native(w);

		w->save_often = i >= SUITES;
		c->esp[0] = ikew_suite(false, suites[i % SUITES]);
		ikew_accept(w, NULL, suites[i % SUITES]);
		assert_true(ikew_connect(w, c));
		ikew_run(w, 50);
		assert_true(ikew_logged(w, "IPsec SAs in"));
		assert_non_null(
		    strstr(w->peer[0].up.suite, suites[i % SUITES]));
		/* Later than the client's own limits: 3600 s, 250000 kB. */
		assert_int_equal(w->sa[0].sa.hard_s, 3600 + 360 + 60);
		assert_true(w->sa[0].sa.hard_bytes == 250000ull * 1280);
		/* We renew after a client's own time, before its end. */
		assert_in_range(w->sa[0].sa.soft_s, 3600 * 92 / 100, 3600 - 60);
		assert_in_range(
		    w->sa[0].sa.soft_bytes, 225000000ull, 245000000ull);
		assert_int_equal(w->sa[1].sa.soft_s, 0);
		assert_int_equal(w->sa[0].sa.slot, w->peer[0].slot);
		assert_true(w->sa[0].sa.spi >= 256);
		ikew_free(w);
	}
}

/* The policy of a prefix: other suites, and a draft's length of SHA-256. */
static void a_peer_may_have_its_own_policy(void **state)
{
	static const struct {
		const char *esp;
		bool is_special, is_ok;
		uint16_t trunc_bits;
	} rows[] = {
	    {"aes256-sha256", false, true, 128},
	    {"aes256-sha256", true, true, 96},
	    {"aes256-sha512", true, true, 256},
	    {"3des-md5", true, true, 96},
	    {"3des-md5", false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ikew *w = ikew_new(i + 1);
		struct ike_peer_policy *peer = &w->cfg.peers[0];
		struct ike_client *c = native(w);

		peer->net = c->outer[0];
		peer->net.ip[3] ^= rows[i].is_special ? 0 : 1;
		peer->bits = 32;
		peer->policy = *profile_find("legacy");
		peer->policy.sha2_trunc96 = true;
		w->cfg.peer_count = 1;
		ikew_crash(w);
		c->esp[0] = ikew_suite(false, rows[i].esp);
		c->sha2_96 = rows[i].is_special;
		assert_int_equal(ikew_connect(w, c), rows[i].is_ok);
		if (rows[i].is_ok)
			for (size_t k = 0; k < 2; k++)
				assert_int_equal(
				    w->sa[k].sa.trunc_bits, rows[i].trunc_bits);
		else
			assert_true(ikew_logged(
			    w, "Profile legacy would allow 3des-md5"));
		ikew_free(w);
	}
}

static void message_2_waits_for_the_socket_and_the_sa(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	struct client_quick *q;
	int sends;

	(void)state;
	w->hold_ready = true;
	assert_true(ikew_main(w, c));
	sends = w->sends;
	q = ikec_start_quick(c);
	ikew_run(w, 500);
	assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
	assert_int_equal(w->sa_count, 0);
	assert_int_equal(w->sends, sends);
	ikew_step(w,
	    &(struct ike_event){.type = IKE_EV_PEER_READY, .r = w->peer[0].r});
	/* Ordered, not yet installed. */
	assert_int_equal(w->sa_count, 1);
	assert_int_equal(w->sa[0].sa.dir, IKE_SA_IN);
	assert_int_equal(w->sends, sends);
	ikew_run(w, 2);
	assert_int_equal(w->sends, sends + 1);
	assert_int_equal(w->sa_count, 1);
	ikew_run(w, 50);
	assert_true(q->is_done);
	assert_true(ikew_pair_right(w, c));
	ikew_free(w);
}

static void a_refusing_kernel_sends_no_message_2(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	w->add_error = -ENOMEM;
	assert_true(ikew_main(w, c));
	ikec_start_quick(c);
	ikew_run(w, 500);
	assert_true(ikew_logged(w, "kernel refused the inbound IPsec SA"));
	assert_int_equal(c->pair_count, 0);
	assert_int_equal(ikew_counts(w).pairs, 0);
	/* R lingers, then goes. */
	assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
	ikew_run(w, 31000);
	assert_int_equal(ikew_peers_in(w, WORLD_PEER_ENDED), 1);
	ikew_free(w);
}

static void any_one_message_may_be_lost(void **state)
{
	(void)state;
	for (int n = 1; n <= 3; n++) {
		for (int save = 0; save < 2; save++) {
			struct ikew *w = ikew_new((uint64_t)n);
			struct ike_client *c = natted(w);

			w->save_often = save;
			assert_true(ikew_main(w, c));
			w->drop_nth = w->datagrams + n;
			assert_true(ikew_quick(w, c));
			ikew_run(w, 60000);
			assert_true(ikew_pair_right(w, c));
			assert_int_equal(ikew_live_sas(w), 2);
			assert_int_equal(w->peer_count, 1);
			assert_int_equal(ikew_counts(w).pairs, 1);
			ikew_free(w);
		}
	}
}

static bool to_client_only(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	(void)w;
	(void)data;
	(void)len;
	return !to_server;
}

static void without_message_3_the_sa_goes(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);
		int sends;

		w->save_often = save;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, 6);
		w->filter = to_client_only;
		sends = w->sends;
		ikew_run(w, 29000);
		assert_int_equal(ikew_live_sas(w), 1);
		/* 0.5 s doubling up to 4: at once, .5, 1.5, 3.5, 7.5, ... */
		assert_int_equal(w->sends - sends, 10);
		w->filter = NULL;
		ikew_run(w, 2000);
		assert_int_equal(ikew_live_sas(w), 0);
		assert_true(ikew_logged(w, "was not finished"));
		assert_int_equal(c->deletes_esp, 1);
		ikew_run(w, 31000);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_ENDED), 1);
		assert_string_equal(w->peer[0].reason, "no IPsec SA is left");
		ikew_free(w);
	}
}

/* Message 3 is lost and the client, which has its SAs, sends no more. */
static void esp_stands_for_message_3(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);
		struct client_pair *p;
		int sends;

		w->save_often = save;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, 8);
		w->filter = to_client_only;
		/* Unused: message 2 goes again. */
		sends = w->sends;
		ikew_run(w, 700);
		assert_int_equal(w->sends - sends, 2);
		assert_int_equal(ikew_live_sas(w), 1);
		p = ikec_newest_pair(c);
		assert_non_null(p);
		ikew_find_sa(w, p->spi_out)->packets = 1;
		sends = w->sends;
		ikew_run(w, 5000);
		assert_int_equal(w->sends, sends);
		assert_true(ikew_pair_right(w, c));
		assert_true(ikew_logged(w, "IPsec SAs in"));
		w->filter = NULL;
		ikew_run(w, 40000);
		assert_true(ikew_pair_right(w, c));
		assert_false(ikew_logged(w, "was not finished"));
		ikew_free(w);
	}
}

static void selectors_of_real_clients_are_taken(void **state)
{
	static const struct {
		uint8_t protocol;
		uint16_t client, server;
		bool no_ids, is_good;
	} row[] = {
	    {17, 1701, 1701, false, true},
	    {17, 0, 1701, false, true},
	    {17, 56322, 1701, false, true},
	    {17, 1701, 0, false, true},
	    {17, 0, 0, false, true},
	    {17, 0, 0, true, true},
	    {6, 1701, 1701, false, false},
	    {0, 0, 0, false, true},
	    {0, 1701, 1701, false, false},
	    {0, 1701, 0, false, false},
	    {17, 1701, 80, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ikew *w = ikew_new(i);
		struct ike_client *c = natted(w);

		c->id_protocol = row[i].protocol;
		c->client_port = row[i].client;
		c->server_port = row[i].server;
		c->no_ids = row[i].no_ids;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, 100);
		assert_int_equal(ikew_pair_right(w, c), row[i].is_good);
		assert_int_equal(c->last_notify,
		    row[i].is_good ? 0 : ISAKMP_N_INVALID_ID_INFORMATION);
		assert_int_equal(w->peer_count, row[i].is_good);
		ikew_free(w);
	}
}

/* The bodies of IDci that clients behind NAT send, or none. */
static const struct {
	uint8_t type;
	const char *data;
	size_t len;
	bool is_good;
} ids[] = {
    {IPSEC_ID_FQDN, "pc.example", 10, true},
    {IPSEC_ID_USER_FQDN, "me@pc", 5, true},
    {IPSEC_ID_KEY_ID, "\0\1", 2, true},
    {IPSEC_ID_IPV4, "\12\0\0\2", 4, true},
    {IPSEC_ID_IPV4_SUBNET, "\12\0\0\2\377\377\377\377", 8, true},
    {IPSEC_ID_IPV4_SUBNET, "\12\0\0\2\377\377\377\376", 8, false},
    {IPSEC_ID_IPV4_SUBNET, "\0\0\0\0\0\0\0\0", 8, false},
    {IPSEC_ID_IPV4_RANGE, "\12\0\0\2\12\0\0\2", 8, true},
    {IPSEC_ID_IPV4_RANGE, "\12\0\0\2\12\0\0\3", 8, false},
    {IPSEC_ID_DER_ASN1_DN, "\60\0", 2, false},
};

static void ids_of_phase_2_in_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4 * (sizeof(ids) / sizeof(ids[0])); i++) {
		struct ikew *w = ikew_new(i);
		bool is_natted = i & 1, is_ci = i & 2;
		struct ike_client *c =
		    is_natted ? natted(w) : ikew_client(w, "10.0.0.2", NULL, 0);
		bool is_name = ids[i / 4].type == IPSEC_ID_FQDN ||
			       ids[i / 4].type == IPSEC_ID_USER_FQDN ||
			       ids[i / 4].type == IPSEC_ID_KEY_ID;
		/* The server is behind no NAT: its ID is its address. */
		bool is_good =
		    is_ci && ids[i / 4].is_good && (is_natted || !is_name);

		assert_true(ikew_main(w, c));
		c->odd_ci = is_ci;
		c->odd_cr = !is_ci;
		c->id_type = ids[i / 4].type;
		c->id_data = ids[i / 4].data;
		c->id_len = ids[i / 4].len;
		ikec_start_quick(c);
		ikew_run(w, 100);
		assert_int_equal(ikew_pair_right(w, c), is_good);
		ikew_free(w);
	}
}

/* The longest of all IDs are served; a longer name is refused. */
static void long_names_are_served(void **state)
{
	char identity[251], name[65];

	(void)state;
	memset(identity, 'i', 250);
	identity[250] = '\0';
	memset(name, 'n', sizeof(name));
	for (size_t len = 64; len <= 65; len++) {
		struct ikew *w = ikew_new(len);
		struct ike_client *c = natted(w);

		c->fqdn = identity;
		assert_true(ikew_main(w, c));
		c->odd_ci = true;
		c->id_type = IPSEC_ID_FQDN;
		c->id_data = name;
		c->id_len = len;
		for (int pair = 0; pair < 3; pair++) {
			ikec_start_quick(c);
			ikew_run(w, 100);
			assert_int_equal(ikew_pair_right(w, c), len == 64);
		}
		if (len == 65)
			assert_true(ikew_logged(w, "a name of 65 bytes"));
		ikew_free(w);
	}
}

static void without_nat_the_ids_name_the_real_addresses(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct addr real = c->inner;

	(void)state;
	assert_true(ikew_main(w, c));
	assert_int_equal(addr_parse(&c->inner, "203.0.113.8"), 0);
	ikec_start_quick(c);
	ikew_run(w, 100);
	assert_int_equal(c->last_notify, ISAKMP_N_INVALID_ID_INFORMATION);
	assert_true(ikew_logged(w, "is not the address it comes from"));
	assert_int_equal(w->peer_count, 0);
	c->inner = real;
	assert_true(ikew_quick(w, c));
	ikew_free(w);
}

static void no_common_esp_proposal(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);

	(void)state;
	assert_true(ikew_main(w, c));
	c->esp[0] = ikew_suite(false, "aes256-sha512");
	ikec_start_quick(c);
	ikew_run(w, 100);
	assert_int_equal(c->last_notify, ISAKMP_N_NO_PROPOSAL_CHOSEN);
	assert_true(ikew_logged(w, "no common ESP proposal"));
	assert_true(ikew_logged(w, "aes256-sha512"));
	assert_int_equal(w->peer_count, 0);
	ikew_free(w);
}

static void the_mode_must_fit_the_nat(void **state)
{
	static const struct {
		bool is_nat, is_good;
		uint16_t encap;
	} row[] = {
	    {false, true, IPSEC_ENCAP_TRANSPORT},
	    {false, false, IPSEC_ENCAP_UDP_TRANSPORT},
	    {false, false, IPSEC_ENCAP_TUNNEL},
	    {true, true, IPSEC_ENCAP_UDP_TRANSPORT},
	    {true, false, IPSEC_ENCAP_TRANSPORT},
	    {true, false, IPSEC_ENCAP_UDP_TUNNEL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct ikew *w = ikew_new(i);
		struct ike_client *c = row[i].is_nat ? natted(w) : native(w);

		c->encap = row[i].encap;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, 100);
		assert_int_equal(ikew_pair_right(w, c), row[i].is_good);
		assert_int_equal(w->sa_count > 0, row[i].is_good);
		ikew_free(w);
	}
}

static void nat_oa_is_answered_with_nat_oa(void **state)
{
	(void)state;
	for (int oa = 0; oa < 2; oa++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);

		c->send_oa = oa;
		assert_true(ikew_connect(w, c));
		assert_int_equal(c->quick[0].got_oa, oa);
		ikew_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_esp_suite_gets_equal_keys),
	    cmocka_unit_test(a_peer_may_have_its_own_policy),
	    cmocka_unit_test(message_2_waits_for_the_socket_and_the_sa),
	    cmocka_unit_test(a_refusing_kernel_sends_no_message_2),
	    cmocka_unit_test(any_one_message_may_be_lost),
	    cmocka_unit_test(without_message_3_the_sa_goes),
	    cmocka_unit_test(esp_stands_for_message_3),
	    cmocka_unit_test(selectors_of_real_clients_are_taken),
	    cmocka_unit_test(ids_of_phase_2_in_every_form),
	    cmocka_unit_test(long_names_are_served),
	    cmocka_unit_test(without_nat_the_ids_name_the_real_addresses),
	    cmocka_unit_test(no_common_esp_proposal),
	    cmocka_unit_test(the_mode_must_fit_the_nat),
	    cmocka_unit_test(nat_oa_is_answered_with_nat_oa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
