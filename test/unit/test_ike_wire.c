/* SPDX-License-Identifier: ISC */
/* What clients differ in on the wire: address family, NAT-T, identities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "ikev1/core/payload.h"
#include "test/lib/ike_world.h"

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

/* --- IPv6 ---------------------------------------------------------------- */

static void ipv6_connects_with_and_without_nat(void **state)
{
	(void)state;
	for (int nat = 0; nat < 2; nat++) {
		struct ikew *w = ikew_new(7);
		struct ike_client *c = ikew_client(
		    w, "2001:db8:7::7", nat ? "2001:db8:9::9" : NULL, 40000);
		const struct ike_kernel_sa *in;

		w->save_often = true;
		assert_true(ikew_connect(w, c));
		ikew_run(w, 100);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(c->cur->floated, nat);
		assert_string_equal(w->peer[0].up.identity, "2001:db8:7::7");
		assert_int_equal(w->peer[0].up.local.family, ADDR_IPV6);
		assert_true(addr_equal(&w->peer[0].up.peer, &c->outer[nat]));
		in = &w->sa[0].sa;
		assert_true(addr_ip_equal(&in->src, &c->outer[0]));
		assert_true(addr_ip_equal(&in->dst, &c->server));
		assert_int_equal(in->encap, nat);
		ikew_free(w);
	}
}

/* l2tpd does not serve it yet: the client hears No, the operator why. */
static void a_refusing_l2tpd_is_explained(void **state)
{
	struct ikew *w = ikew_new(7);
	struct ike_client *c = ikew_client(w, "2001:db8:7::7", NULL, 0);

	(void)state;
	w->refuse_peers = true;
	assert_true(ikew_main(w, c));
	assert_false(ikew_quick(w, c));
	assert_int_equal(ikew_live_sas(w), 0);
	assert_true(ikew_logged(w, "l2tpd"));
	ikew_free(w);
}

/* --- NAT traversal ------------------------------------------------------- */

static const struct {
	enum vendor vendor;
	bool is_draft, is_served;
	const char *said; /* where the kernel takes no ESP on UDP 500 */
} natts[] = {
    {VENDOR_NATT_RFC3947, false, true, NULL},
    {VENDOR_NATT_03, true, true, NULL},
    {VENDOR_NATT_02_LF, true, true, NULL},
    {VENDOR_NATT_02, true, true, NULL},
    {VENDOR_NATT_01, true, false, "drafts 00 and 01"},
    {VENDOR_NATT_00, true, false, "this kernel (Linux 6.12)"},
    {VENDOR_NATT_DRAFT, true, false, "a draft without a number"},
};

static void every_kind_of_nat_traversal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(natts) / sizeof(natts[0]); i++) {
		struct ikew *w = ikew_new(i);
		struct ike_client *c = natted(w);

		w->save_often = i & 1;
		w->cfg.kernel = "Linux 6.12";
		ikew_crash(w);
		c->natt = natts[i].vendor;
		c->has_draft = natts[i].is_draft;
		c->send_oa = true;
		assert_int_equal(ikew_connect(w, c), natts[i].is_served);
		assert_int_equal(c->cur->floated, natts[i].is_served);
		assert_int_equal(
		    (c->vendors & VENDOR_BIT(natts[i].vendor)) != 0,
		    natts[i].is_served);
		assert_int_equal(
		    ikew_log_count(w, "offers NAT traversal only as"),
		    !natts[i].is_served);
		assert_true(!natts[i].said || ikew_logged(w, natts[i].said));
		if (natts[i].is_served) {
			assert_int_equal(c->pair[0].encap,
			    natts[i].is_draft ? IPSEC_ENCAP_UDP_TRANSPORT_DRAFT
					      : IPSEC_ENCAP_UDP_TRANSPORT);
			assert_int_equal(w->peer[0].up.natt, 1);
		}
		ikew_free(w);
	}
}

static void old_drafts_connect_where_there_is_no_nat(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);

	(void)state;
	c->natt = VENDOR_NATT_00;
	assert_true(ikew_connect(w, c));
	assert_int_equal(w->peer[0].up.natt, 0);
	assert_true(ikew_logged(w, "drafts 00 and 01"));
	ikew_free(w);
}

static void encapsulation_can_be_forced(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c = i & 1 ? natted(w) : native(w);
		bool is_of_peer = i & 2, has_natt = !(i & 4);

		w->cfg.policy.force_encap = !is_of_peer;
		w->cfg.peers[0].policy = w->cfg.policy;
		w->cfg.peers[0].policy.force_encap = true;
		w->cfg.peers[0].bits = 24;
		addr_parse(&w->cfg.peers[0].net, "203.0.113.0");
		w->cfg.peer_count = is_of_peer;
		ikew_crash(w);
		w->save_often = true;
		c->has_natt = has_natt;
		assert_int_equal(ikew_connect(w, c), has_natt || !(i & 1));
		assert_int_equal(c->cur->floated, has_natt);
		/* A client without NAT traversal can't be forced. */
		if (has_natt || !(i & 1))
			assert_int_equal(w->peer[0].up.natt, has_natt);
		assert_int_equal(ikew_logged(w, "encapsulation forced"),
		    has_natt && !(i & 1));
		ikew_free(w);
	}
}

static void others_are_not_forced(void **state)
{
	struct ikew *w = ikew_new(3);
	struct ike_client *c = native(w);

	(void)state;
	w->cfg.peers[0].policy = w->cfg.policy;
	w->cfg.peers[0].policy.force_encap = true;
	w->cfg.peers[0].bits = 25;
	addr_parse(&w->cfg.peers[0].net, "203.0.113.128");
	w->cfg.peer_count = 1;
	ikew_crash(w);
	assert_true(ikew_connect(w, c));
	assert_false(c->cur->floated);
	assert_int_equal(w->peer[0].up.natt, 0);
	ikew_free(w);
}

static void only_what_is_allowed_is_answered(void **state)
{
	static const char *const words[] = {"rfc3947", "nat-t-03", "nat-t-02",
	    "nat-t-00", "dpd", "fragmentation"};
	uint32_t all = 0;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c = native(w);

		assert_true(vendor_word(words[i]) != 0);
		assert_int_equal(all & vendor_word(words[i]), 0);
		all |= vendor_word(words[i]);
		w->cfg.vendors_off = vendor_word(NULL) & ~vendor_word(words[i]);
		ikew_crash(w);
		assert_true(ikew_connect(w, c));
		assert_int_equal(
		    c->vendors & ~vendor_word(words[i]) & ~VENDOR_BIT(0), 0);
		assert_int_equal(c->vendors != 0, i == 0 || i > 3);
		assert_int_equal(c->sa[0].natt, i == 0);
		ikew_free(w);
	}
	assert_int_equal(all, vendor_word(NULL));
	assert_int_equal(vendor_word("unity"), 0);
	assert_int_equal(vendor_word(""), 0);
}

/* --- identities ---------------------------------------------------------- */

/* RFC 2407 section 4.6.2.1; 0: any length from 1 to 255. */
static size_t id_length(uint8_t type, bool *is_known)
{
	static const struct {
		uint8_t type;
		size_t len;
	} known[] = {{1, 4}, {2, 0}, {3, 0}, {4, 8}, {5, 16}, {6, 32}, {7, 8},
	    {8, 32}, {9, 0}, {10, 0}, {11, 0}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == type) {
			*is_known = true;
			return known[i].len;
		}
	*is_known = false;
	return 0;
}

static void every_id_type_and_length_decodes_or_not(void **state)
{
	uint8_t body[4 + 300] = {0};

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		bool is_known;
		size_t right = id_length((uint8_t)type, &is_known);

		for (size_t len = 0; len <= 300; len++) {
			char text[PAYLOAD_ID_TEXT_MAX];
			char reason[ISAKMP_REASON_MAX] = "";
			struct payload_id id;
			struct wire_span in = {body, 4 + len};
			bool is_good =
			    is_known && len && (!right || len == right);

			body[0] = (uint8_t)type;
			assert_int_equal(
			    !payload_id_decode(in, &id, reason), is_good);
			assert_int_equal(reason[0] == 0, is_good);
			if (is_good)
				assert_true(strlen(payload_id_text(&id, text)) <
					    PAYLOAD_ID_TEXT_MAX);
		}
	}
}

/* Phase 1 takes every type that decodes and can be kept (255 bytes). */
static void ids_of_phase_1(void **state)
{
	static const struct {
		uint8_t type;
		uint16_t len;
		bool is_good;
	} rows[] = {{0, 4, false}, {1, 4, true}, {1, 0, false}, {1, 5, false},
	    {2, 1, true}, {2, 255, true}, {2, 256, false}, {2, 300, false},
	    {2, 0, false}, {3, 12, true}, {4, 8, true}, {4, 4, false},
	    {5, 16, true}, {5, 4, false}, {6, 32, true}, {7, 8, true},
	    {8, 32, true}, {9, 100, true}, {10, 100, true}, {11, 1, true},
	    {11, 255, true}, {11, 0, false}, {12, 8, false}, {255, 8, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ikew *w = ikew_new(i);
		struct ike_client *c = native(w);

		w->save_often = i & 1;
		c->odd_id = true;
		c->id_type = rows[i].type;
		c->id_len = rows[i].len;
		assert_int_equal(ikew_main(w, c), rows[i].is_good);
		assert_int_equal(ikew_counts(w).sas, rows[i].is_good);
		ikew_free(w);
	}
}

/* Phase 2 takes one address, behind NAT any one, or a name of up to 64. */
static void ids_of_phase_2(void **state)
{
	struct ikew *w = ikew_new(3);
	struct ike_client *c = natted(w);

	(void)state;
	c->odd_ci = true;
	assert_true(ikew_main(w, c));
	for (unsigned int type = 0; type < 13; type++) {
		static const uint16_t lens[] = {0, 1, 4, 8, 16, 32, 300};

		for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
			bool is_name = type == 2 || type == 3 || type == 11;
			bool is_good = (type == 1 && lens[i] == 4) ||
				       (type == 5 && lens[i] == 16) ||
				       (is_name && lens[i] && lens[i] <= 64);

			c->id_type = (uint8_t)type;
			c->id_len = lens[i];
			memset(c->quick, 0, sizeof(c->quick));
			memset(c->pair, 0, sizeof(c->pair));
			for (size_t q = 0; q < CLIENT_QUICKS; q++)
				c->quick[q].timer.due_ms = UINT64_MAX;
			assert_int_equal(ikew_quick(w, c), is_good);
		}
	}
	ikew_free(w);
}

static void the_local_id_is_what_is_set(void **state)
{
	static const struct {
		uint8_t type;
		const char *text;
	} rows[] = {{0, ""}, {IPSEC_ID_FQDN, "vpn.example.org"},
	    {IPSEC_ID_USER_FQDN, "vpn@example.org"}, {IPSEC_ID_KEY_ID, "k"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c = native(w);
		size_t len = strlen(rows[i].text);

		w->cfg.local_id_type = rows[i].type;
		w->cfg.local_id_len = len;
		memcpy(w->cfg.local_id, rows[i].text, len);
		ikew_crash(w);
		assert_true(ikew_connect(w, c));
		assert_int_equal(c->server_id_len, i ? 4 + len : 8);
		assert_int_equal(c->server_id[0], i ? rows[i].type : 1);
		assert_memory_equal(c->server_id + 1, "\0\0\0", 3);
		assert_memory_equal(c->server_id + 4,
		    i ? (const void *)rows[i].text : c->server.ip, i ? len : 4);
		ikew_free(w);
	}
}

/* Behind NAT the client does not know our address, or knows another. */
static void any_idcr_when_the_server_is_behind_nat(void **state)
{
	(void)state;
	for (int nat = 0; nat < 2; nat++) {
		struct ikew *w = ikew_new(3);
		struct ike_client *c = natted(w);

		c->odd_cr = true;
		c->id_type = IPSEC_ID_IPV4;
		c->id_len = 4;
		c->ike_port = nat ? 501 : 500; /* as it sees us */
		assert_int_equal(ikew_connect(w, c), nat);
		assert_int_equal(
		    ikew_logged(w, "client and server behind NAT"), nat);
		assert_int_equal(
		    c->last_notify, nat ? 0 : ISAKMP_N_INVALID_ID_INFORMATION);
		ikew_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ipv6_connects_with_and_without_nat),
	    cmocka_unit_test(a_refusing_l2tpd_is_explained),
	    cmocka_unit_test(every_kind_of_nat_traversal),
	    cmocka_unit_test(old_drafts_connect_where_there_is_no_nat),
	    cmocka_unit_test(encapsulation_can_be_forced),
	    cmocka_unit_test(others_are_not_forced),
	    cmocka_unit_test(only_what_is_allowed_is_answered),
	    cmocka_unit_test(any_idcr_when_the_server_is_behind_nat),
	    cmocka_unit_test(the_local_id_is_what_is_set),
	    cmocka_unit_test(every_id_type_and_length_decodes_or_not),
	    cmocka_unit_test(ids_of_phase_1),
	    cmocka_unit_test(ids_of_phase_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
