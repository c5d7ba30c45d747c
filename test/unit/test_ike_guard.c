/* SPDX-License-Identifier: ISC */
/*
 * Safeguards of Main Mode's message 5: which IDs, which keys, which ports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "ikev1/core/main_steps.h"
#include "test/lib/ike_forge.h"

#include <stdlib.h>
#include <string.h>

static struct ike_client *native(struct ikew *w)
{
	return ikew_client(w, "203.0.113.7", NULL, 0);
}

/* Bytes that an ID of this type has; 0: any, -1: no such type. */
static int length_of(uint8_t type)
{
	switch (type) {
	case IPSEC_ID_IPV4:
		return 4;
	case IPSEC_ID_IPV6:
		return 16;
	case IPSEC_ID_IPV4_SUBNET:
	case IPSEC_ID_IPV4_RANGE:
		return 8;
	case IPSEC_ID_IPV6_SUBNET:
	case IPSEC_ID_IPV6_RANGE:
		return 32;
	default:
		return type >= IPSEC_ID_FQDN && type <= IPSEC_ID_KEY_ID ? 0
									: -1;
	}
}

static void one_id(uint8_t type, size_t len)
{
	int right = length_of(type);
	bool is_good =
	    right > 0 ? len == (size_t)right : !right && len && len < 256;
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);

	c->odd_id = true;
	c->id_type = type;
	c->id_len = len;
	ikec_start_main(c);
	ikew_run(w, 300);
	if ((c->cur->state == CLIENT_UP) != is_good ||
	    ikew_counts(w).sas != is_good)
		fail_msg("type %u, %zu bytes", type, len);
	ikew_free(w);
}

static void cve_2013_6075_every_type_and_length_of_id_in_message_5(void **state)
{
	static const size_t lens[] = {
	    0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256, 300};

	(void)state;
	for (unsigned int type = 0; type < 256; type += type < 14 ? 1 : 60)
		for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
			one_id((uint8_t)type, lens[i]);
}

/* Whether the saved machine knows 203.0.113.9 with this port. */
static bool is_saved(const struct ikew *w, uint16_t port)
{
	uint8_t place[18] = {203, 0, 113, 9};
	size_t len;
	uint8_t *data = ike_save(w->ike, w->now, &len);
	bool is_there;

	place[16] = (uint8_t)(port >> 8);
	place[17] = (uint8_t)port;
	is_there = memmem(data, len, place, sizeof(place));
	free(data);
	return is_there;
}

/* RFC 3947 section 4: only who is authenticated says where answers go. */
static void ports_move_with_a_right_message_5_only(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
	struct forge_copy m = {.exchange = 2, .skip = 2, .stop = true};
	struct addr from;

	(void)state;
	w->filter = forge_copy;
	w->filter_ctx = &m;
	ikec_start_main(c);
	while (!m.len)
		ikew_run(w, 1);
	from = c->outer[1];
	from.port = 40077;
	m.data[40] ^= 1;
	ikew_inject(w, &from, 4500, m.data, m.len);
	m.data[40] ^= 1;
	assert_true(ikew_logged(w, "mismatch"));
	assert_true(is_saved(w, 40000));
	assert_false(is_saved(w, 40077));
	/* The right one does it, from wherever it comes. */
	ikew_inject(w, &from, 4500, m.data, m.len);
	assert_true(is_saved(w, 40077));
	assert_false(is_saved(w, 40000));
	ikew_free(w);
}

/* No key that can be read is no key for everybody. */
static void a_key_that_cannot_be_read_is_nobodys(void **state)
{
	uint8_t slot[CANDIDATE_LEN];
	struct candidate good = {.line = 1, .skeyid_len = 20};
	struct payload_id id = {
	    .type = IPSEC_ID_FQDN, .data = {(const uint8_t *)"gw.example", 10}};
	char reason[ISAKMP_REASON_MAX] = "";
	struct wire_writer w;
	struct ike_sa sa = {.psk = {slot, sizeof(slot)}};

	(void)state;
	wire_writer_init(&w, slot, sizeof(slot));
	candidate_put(&w, &good);
	assert_false(main_id_refused(&sa, &id, reason));
	good.skeyid_len = IKE_KEY_MAX + 1;
	wire_writer_init(&w, slot, sizeof(slot));
	candidate_put(&w, &good);
	assert_true(main_id_refused(&sa, &id, reason));
	assert_non_null(strstr(reason, "can't be read"));
	sa.psk.len = CANDIDATE_LEN - 1;
	assert_true(main_id_refused(&sa, &id, reason));
	sa.psk.len = 0;
	assert_true(main_id_refused(&sa, &id, reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_key_that_cannot_be_read_is_nobodys),
	    cmocka_unit_test(
		cve_2013_6075_every_type_and_length_of_id_in_message_5),
	    cmocka_unit_test(ports_move_with_a_right_message_5_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
