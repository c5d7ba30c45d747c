/* SPDX-License-Identifier: ISC */
/* Informational exchanges: Delete, DPD, initial contact, forgeries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/core/payload.h"
#include "test/lib/ike_world.h"

#include <stdlib.h>
#include <string.h>

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

/* The body of a Delete. */
static size_t delete_body(
    uint8_t *out, uint8_t protocol, const uint8_t *spi, size_t len)
{
	struct payload_delete d = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = protocol,
	    .spi_len = (uint8_t)len,
	    .count = 1,
	    .spis = {spi, len}};
	struct wire_writer w;

	wire_writer_init(&w, out, 64);
	payload_delete_encode(&w, &d);
	return w.pos;
}

static size_t delete_spi(uint8_t *out, uint32_t spi)
{
	uint8_t bytes[4];
	struct wire_writer w;

	wire_writer_init(&w, bytes, 4);
	wire_put_u32(&w, spi);
	return delete_body(out, ISAKMP_PROTO_ESP, bytes, 4);
}

static size_t delete_ike(uint8_t *out, const struct client_sa *sa)
{
	uint8_t spi[16];

	memcpy(spi, sa->cky_i, 8);
	memcpy(spi + 8, sa->cky_r, 8);
	return delete_body(out, ISAKMP_PROTO_ISAKMP, spi, 16);
}

static void a_deleted_pair_goes_and_r_lingers(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);

		ikec_delete_esp(c, ikec_newest_pair(c)->spi_in);
		ikew_run(w, 100);
		assert_int_equal(ikew_live_sas(w), 0);
		assert_int_equal(c->deletes_esp, 0);
		assert_int_equal(ikew_counts(w).sas, 1);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		ikew_run(w, 29000);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		ikew_run(w, 2000);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_ENDED), 1);
		ikew_free(w);
	}
}

static void our_own_spi_in_a_delete_is_not_the_clients(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);

	(void)state;
	/* RFC 2408 section 3.15: the SPI is the sender's inbound one. */
	ikec_delete_esp(c, ikec_newest_pair(c)->spi_out);
	ikec_delete_esp(c, 0x12345678);
	ikew_run(w, 100);
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_free(w);
}

static void a_deleted_ike_sa_leaves_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		uint64_t r = ikew_r_of(w, c);

		ikec_delete_sa(c, c->cur);
		c->cur->state = CLIENT_GONE;
		ikew_run(w, 100000);
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
		assert_true(ikew_connect(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		assert_int_equal(ikew_live_sas(w), 4);
		ikew_free(w);
	}
}

/* Deletes of the SA that carries them, twice, and something behind it. */
static void several_payloads_in_one_message_are_safe(void **state)
{
	(void)state;
	for (int order = 0; order < 5; order++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, order & 1);
		uint32_t spi = ikec_newest_pair(c)->spi_in;
		uint8_t esp[64], ike[64],
		    note[64] = {0, 0, 0, 1, 1, 0, 0x60, 2};
		size_t esp_len = delete_spi(esp, spi);
		size_t ike_len = delete_ike(ike, c->cur);
		struct client_info e = {ISAKMP_PAYLOAD_DELETE, esp, esp_len};
		struct client_info i = {ISAKMP_PAYLOAD_DELETE, ike, ike_len};
		struct client_info n = {ISAKMP_PAYLOAD_NOTIFY, note, 8};
		struct client_info msg[][4] = {{e, e, i, i}, {i, i, e, n},
		    {n, n, e, i}, {e, n, i, n}, {i, n, n, e}};

		ikec_info(c, 0, msg[order], 4);
		ikew_run(w, 50);
		assert_int_equal(ikew_counts(w).sas, 0);
		/* What came behind the end of the SA is void. */
		assert_int_equal(
		    ikew_live_sas(w), order == 1 || order == 4 ? 2 : 0);
		ikew_free(w);
	}
}

/* Its cookies are there for all to see, and an ID is for all to claim. */
static void an_ike_sa_is_deleted_under_itself_only(void **state)
{
	struct ike_client *c, *same, *other;
	struct ikew *w = ikew_connected(&c, true);
	struct client_sa *first = c->cur;

	(void)state;
	other = ikew_client(w, "10.0.0.3", "203.0.113.9", 41000);
	/* With everything that the first one says of itself. */
	same = ikew_client(w, "10.0.0.2", "203.0.113.9", 42000);
	assert_true(ikew_connect(w, other));
	assert_true(ikew_connect(w, same));
	assert_true(ikew_main(w, c));
	assert_int_equal(ikew_counts(w).sas, 4);
	ikec_delete_other_sa(other, first);
	ikec_delete_other_sa(same, first);
	ikec_delete_other_sa(c, first);
	ikew_run(w, 50);
	assert_int_equal(ikew_counts(w).sas, 4);
	assert_true(ikew_pair_right(w, c));
	ikec_delete_sa(c, first);
	ikew_run(w, 50);
	assert_int_equal(ikew_counts(w).sas, 3);
	ikec_delete_sa(c, first);
	ikec_delete_sa(c, c->cur);
	ikew_run(w, 50);
	assert_int_equal(ikew_counts(w).sas, 2);
	ikew_free(w);
}

/* Nor do its IPsec SAs, whose SPIs may have been seen. */
static void a_neighbours_ipsec_sa_is_not_deleted(void **state)
{
	struct ike_client *c, *same;
	struct ikew *w = ikew_connected(&c, true);

	(void)state;
	same = ikew_client(w, "10.0.0.2", "203.0.113.9", 42000);
	assert_true(ikew_connect(w, same));
	ikec_delete_esp(same, ikec_newest_pair(c)->spi_in);
	ikec_delete_esp(same, ikec_newest_pair(c)->spi_out);
	ikew_run(w, 50);
	assert_true(ikew_pair_right(w, c));
	assert_int_equal(ikew_live_sas(w), 4);
	ikew_free(w);
}

struct catch
{
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len;
	bool drop;
};

static bool catch_info(
    struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct catch *c = w->filter_ctx;

	if (!to_server || data[18] != 5 || c->len)
		return true;
	memcpy(c->data, data, c->len = *len);
	return !c->drop;
}

static void a_replayed_delete_does_nothing(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);
	struct catch m = {.drop = false};

	(void)state;
	w->filter = catch_info;
	w->filter_ctx = &m;
	ikec_r_u_there(c, 5);
	ikew_run(w, 50);
	assert_int_equal(c->dpd_acked, 1);
	w->save_often = true;
	for (int i = 0; i < 5; i++)
		ikew_inject(w, &c->outer[1], 4500, m.data, m.len);
	ikew_run(w, 50);
	assert_int_equal(c->dpd_acked, 1);
	ikew_free(w);
}

static void forged_ones_change_nothing(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);
	struct catch m = {.drop = true};
	int sends;

	(void)state;
	w->filter = catch_info;
	w->filter_ctx = &m;
	ikec_delete_esp(c, ikec_newest_pair(c)->spi_in);
	ikew_run(w, 50);
	assert_true(m.len > 28);
	sends = w->sends;
	for (size_t len = 0; len < m.len; len++) {
		uint8_t cut[CLIENT_PACKET_MAX];

		memcpy(cut, m.data, m.len);
		ikew_inject(w, &c->outer[1], 4500, cut, len);
		if (len < 20)
			continue;
		cut[len] ^= 1;
		ikew_inject(w, &c->outer[1], 4500, cut, m.len);
		cut[len] ^= 1;
		/* In the clear, as 5.14 of RFC 2408 forbids to believe. */
		cut[19] = 0;
		ikew_inject(w, &c->outer[1], 4500, cut, m.len);
		ikew_log_clear(w);
	}
	assert_int_equal(w->sends, sends);
	assert_int_equal(ikew_live_sas(w), 2);
	/* From another address it is not the client's either. */
	ikew_inject(w,
	    &(struct addr){
		.family = ADDR_IPV4, .ip = {192, 0, 2, 1}, .port = 4500},
	    4500, m.data, m.len);
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_inject(w, &c->outer[1], 4500, m.data, m.len);
	assert_int_equal(ikew_live_sas(w), 0);
	ikew_free(w);
}

static void r_u_there_is_answered_in_sequence(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);

	(void)state;
	ikec_r_u_there(c, 100);
	ikew_run(w, 50);
	assert_int_equal(c->dpd_acked, 1);
	assert_int_equal(c->last_ack, 100);
	/* Our answer was lost: the same number again. */
	ikec_r_u_there(c, 100);
	ikew_run(w, 50);
	assert_int_equal(c->dpd_acked, 2);
	ikec_r_u_there(c, 101);
	ikew_run(w, 50);
	assert_int_equal(c->last_ack, 101);
	ikec_r_u_there(c, 99);
	ikew_run(w, 50);
	assert_int_equal(c->dpd_acked, 3);
	ikew_free(w);
}

static void a_silent_client_is_asked_and_answers(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		uint32_t first;

		ikew_run(w, 29000);
		assert_int_equal(c->dpd_asked, 0);
		ikew_run(w, 2000);
		assert_int_equal(c->dpd_asked, 1);
		first = c->dpd_seq;
		assert_true(first < 0x80000000u);
		ikew_run(w, 300000);
		assert_in_range(c->dpd_asked, 9, 12);
		assert_int_equal(c->dpd_seq, first + c->dpd_asked - 1);
		assert_int_equal(ikew_live_sas(w), 2);
		ikew_free(w);
	}
}

static void a_dead_client_ends_with_its_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);

		c->is_mute = true;
		ikew_run(w, 44000);
		assert_int_equal(ikew_live_sas(w), 2);
		ikew_run(w, 4000);
		assert_int_equal(ikew_live_sas(w), 0);
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_int_equal(ikew_peers_in(w, WORLD_PEER_ENDED), 1);
		assert_true(ikew_logged(w, "the client is dead"));
		ikew_free(w);
	}
}

static void no_dpd_without_the_vendor_id_or_when_off(void **state)
{
	(void)state;
	for (int off = 0; off < 2; off++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);

		c->has_dpd = off;
		w->cfg.dpd_ms = off ? 0 : 30000;
		ikew_save(w);
		assert_true(ikew_connect(w, c));
		c->is_mute = true;
		ikew_run(w, 300000);
		assert_int_equal(ikew_live_sas(w), 2);
		ikew_free(w);
	}
}

static void an_ike_sa_that_was_replaced_dies_alone(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, true);
	struct client_sa *old = c->cur;

	(void)state;
	assert_true(ikew_main(w, c));
	old->state = CLIENT_GONE; /* forgotten without a Delete */
	ikew_run(w, 60000);
	assert_int_equal(ikew_counts(w).sas, 1);
	assert_int_equal(ikew_live_sas(w), 2);
	assert_int_equal(ikew_peers_in(w, WORLD_PEER_UP), 1);
	ikew_free(w);
}

static void initial_contact_removes_older_state_only(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct ike_client *c, *other;
		struct ikew *w = ikew_connected(&c, true);
		uint64_t r = ikew_r_of(w, c);

		other = ikew_client(w, "10.0.0.2", "203.0.113.9", 41000);
		assert_true(ikew_connect(w, other));
		assert_int_equal(ikew_live_sas(w), 4);
		c->initial_contact = !late;
		assert_true(ikew_main(w, c));
		if (late)
			ikec_notify(c, ISAKMP_N_INITIAL_CONTACT);
		ikew_run(w, 50);
		/* The old SAs went; the other client's stayed. */
		assert_int_equal(ikew_live_sas(w), 2);
		assert_int_equal(ikew_counts(w).sas, 2);
		assert_true(ikew_pair_right(w, other));
		assert_true(ikew_quick(w, c));
		assert_int_equal(ikew_r_of(w, c), r);
		/* After its own Quick Mode it does not hit itself. */
		if (late)
			ikec_notify(c, ISAKMP_N_INITIAL_CONTACT);
		ikew_run(w, 50);
		assert_true(ikew_pair_right(w, c));
		ikew_free(w);
	}
}

/* It comes late, under the IKE SA before: what is newer stays. */
static void a_late_initial_contact_spares_what_is_newer(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, save);
		struct client_sa *first = c->cur, *second;

		assert_true(ikew_main(w, c));
		second = c->cur;
		assert_true(ikew_quick(w, c));
		ikew_run(w, 50);
		assert_int_equal(ikew_live_sas(w), 4);
		c->cur = first;
		ikec_notify(c, ISAKMP_N_INITIAL_CONTACT);
		ikew_run(w, 50);
		assert_true(ikew_pair_right(w, c));
		assert_int_equal(ikew_live_sas(w), 4);
		assert_int_equal(ikew_counts(w).sas, 2);
		/* Even when the newer IKE SA is gone meanwhile. */
		c->cur = second;
		ikec_delete_sa(c, second);
		ikew_run(w, 50);
		c->cur = first;
		ikec_notify(c, ISAKMP_N_INITIAL_CONTACT);
		ikew_run(w, 50);
		assert_true(ikew_pair_right(w, c));
		ikew_free(w);
	}
}

/* Several SPIs in one Delete: unknown ones, old before new, twice. */
static void one_delete_may_name_many(void **state)
{
	(void)state;
	for (int order = 0; order < 4; order++) {
		struct ike_client *c;
		struct ikew *w = ikew_connected(&c, order & 1);
		uint32_t old = ikec_newest_pair(c)->spi_in, new;
		uint8_t spis[16], body[64];
		struct payload_delete d = {.doi = ISAKMP_DOI_IPSEC,
		    .protocol = ISAKMP_PROTO_ESP,
		    .spi_len = 4,
		    .count = 4,
		    .spis = {spis, 16}};
		struct wire_writer out;

		assert_true(ikew_quick(w, c));
		new = ikec_newest_pair(c)->spi_in;
		/* Under the next IKE SA, when the one before is gone. */
		if (order & 2) {
			ikec_delete_sa(c, c->cur);
			assert_true(ikew_main(w, c));
		}
		ikew_run(w, 50);
		assert_int_equal(ikew_live_sas(w), 4);
		wire_writer_init(&out, spis, sizeof(spis));
		wire_put_u32(&out, 0xdeadbeef);
		wire_put_u32(&out, order & 1 ? old : new);
		wire_put_u32(&out, order & 1 ? old : new);
		wire_put_u32(&out, order & 1 ? new : old);
		wire_writer_init(&out, body, sizeof(body));
		payload_delete_encode(&out, &d);
		ikec_info(c, 0,
		    &(struct client_info){ISAKMP_PAYLOAD_DELETE, body, out.pos},
		    1);
		ikew_run(w, 50);
		assert_int_equal(ikew_live_sas(w), 0);
		assert_int_equal(c->deletes_esp, 0);
		assert_int_equal(w->peer[0].state, WORLD_PEER_UP);
		/* Within 30 s R takes a new pair. */
		ikew_run(w, 25000);
		assert_true(ikew_quick(w, c));
		assert_int_equal(w->peer_count, 1);
		ikew_free(w);
	}
}

static void other_notifications_are_logged(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);

	(void)state;
	ikec_notify(c, ISAKMP_N_PAYLOAD_MALFORMED);
	ikew_run(w, 50);
	assert_true(ikew_logged(w, "the client says PAYLOAD-MALFORMED"));
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_free(w);
}

/* Short Deletes and Notifications under a right HASH. */
static void every_prefix_of_a_payload_is_survived(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);
	uint8_t body[64];
	size_t full = delete_spi(body, ikec_newest_pair(c)->spi_in);

	(void)state;
	for (size_t len = 0; len < full; len++) {
		struct client_info d = {ISAKMP_PAYLOAD_DELETE, body, len};
		struct client_info n = {ISAKMP_PAYLOAD_NOTIFY, body, len};

		ikec_info(c, 0, &d, 1);
		ikec_info(c, 0, &n, 1);
		ikew_run(w, 20);
	}
	assert_int_equal(ikew_live_sas(w), 2);
	/* A count that promises more SPIs than there are. */
	body[7] = 2;
	ikec_info(
	    c, 0, &(struct client_info){ISAKMP_PAYLOAD_DELETE, body, full}, 1);
	ikew_run(w, 20);
	assert_int_equal(ikew_live_sas(w), 2);
	ikew_free(w);
}

static void each_message_costs_the_memory_of_its_id(void **state)
{
	struct ike_client *c;
	struct ikew *w = ikew_connected(&c, false);
	uint8_t *data;
	size_t len[2];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 1200; i++) {
			ikec_r_u_there(c, (uint32_t)round * 1200 + i);
			ikew_run(w, 15);
		}
		data = ike_save(w->ike, w->now, &len[round]);
		secret_free(data, len[round]);
	}
	/* The client's and ours.  Where it ends: test_ike_attack. */
	assert_int_equal(len[0] + 1200 * (4 + 4), len[1]);
	assert_int_equal(c->dpd_acked, 2400);
	ikew_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_deleted_pair_goes_and_r_lingers),
	    cmocka_unit_test(our_own_spi_in_a_delete_is_not_the_clients),
	    cmocka_unit_test(a_deleted_ike_sa_leaves_r),
	    cmocka_unit_test(several_payloads_in_one_message_are_safe),
	    cmocka_unit_test(an_ike_sa_is_deleted_under_itself_only),
	    cmocka_unit_test(a_neighbours_ipsec_sa_is_not_deleted),
	    cmocka_unit_test(a_replayed_delete_does_nothing),
	    cmocka_unit_test(forged_ones_change_nothing),
	    cmocka_unit_test(r_u_there_is_answered_in_sequence),
	    cmocka_unit_test(a_silent_client_is_asked_and_answers),
	    cmocka_unit_test(a_dead_client_ends_with_its_r),
	    cmocka_unit_test(no_dpd_without_the_vendor_id_or_when_off),
	    cmocka_unit_test(an_ike_sa_that_was_replaced_dies_alone),
	    cmocka_unit_test(initial_contact_removes_older_state_only),
	    cmocka_unit_test(a_late_initial_contact_spares_what_is_newer),
	    cmocka_unit_test(one_delete_may_name_many),
	    cmocka_unit_test(other_notifications_are_logged),
	    cmocka_unit_test(every_prefix_of_a_payload_is_survived),
	    cmocka_unit_test(each_message_costs_the_memory_of_its_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
