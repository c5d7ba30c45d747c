/* SPDX-License-Identifier: ISC */
/*
 * What went wrong elsewhere once somebody was authenticated (or nearly):
 * Quick Mode and Informational.  test_ike_cve.c has the rest, and the table
 * of what does not concern us.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/isakmp.h"
#include "ikev1/core/payload.h"
#include "ikev1/core/payload_sa.h"
#include "ikev1/core/profile.h"
#include "test/lib/ike_forge.h"

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

/* The bytes of an ESP proposal with one transform. */
static size_t esp_of(
    uint8_t out[64], uint8_t id, uint16_t auth, uint16_t bits, uint32_t spi)
{
	struct wire_writer w;
	size_t attrs = 8 + (auth ? 4 : 0) + (bits ? 4 : 0);

	wire_writer_init(&w, out, 64);
	wire_put_u32(&w, 1); /* DOI */
	wire_put_u32(&w, 1); /* situation */
	wire_put_u16(&w, 0);
	wire_put_u16(&w, (uint16_t)(12 + 8 + attrs));
	wire_put_u32(&w, 0x01030401); /* number, ESP, SPI length, count */
	wire_put_u32(&w, spi);
	wire_put_u16(&w, 0);
	wire_put_u16(&w, (uint16_t)(8 + attrs));
	wire_put_u8(&w, 1);
	wire_put_u8(&w, id);
	wire_put_u16(&w, 0);
	wire_put_u32(&w, 0x80040002); /* transport */
	wire_put_u32(&w, 0x80010001); /* seconds ... */
	if (auth)
		wire_put_u32(&w, 0x80050000u | auth);
	if (bits)
		wire_put_u32(&w, 0x80060000u | bits);
	assert_int_equal(wire_writer_error(&w), 0);
	return w.pos;
}

/* A Quick Mode message 1 with this SA payload and these IDs, under HASH. */
static void quick1(struct ikew *w, struct ike_client *c, const uint8_t *sa,
    size_t sa_len, struct wire_span idci, struct wire_span idcr)
{
	uint8_t ni[20] = {7};
	struct client_info items[] = {
	    {ISAKMP_PAYLOAD_SA, sa, sa_len},
	    {ISAKMP_PAYLOAD_NONCE, ni, sizeof(ni)},
	    {ISAKMP_PAYLOAD_ID, idci.data, idci.len},
	    {ISAKMP_PAYLOAD_ID, idcr.data, idcr.len},
	};

	ikew_log_clear(w);
	ikec_protected(c, ISAKMP_EXCHANGE_QUICK, c->next_msgid++, items, 4);
	ikew_run(w, 12);
}

static const uint8_t id_c[] = {1, 17, 0x06, 0xa5, 203, 0, 113, 7};
static const uint8_t id_s[] = {1, 17, 0x06, 0xa5, 198, 51, 100, 1};
#define ID_C ((struct wire_span){id_c, sizeof(id_c)})
#define ID_S ((struct wire_span){id_s, sizeof(id_s)})

/*
 * What is served when all that can be is accepted.  AES-GMAC (23) has no
 * cipher's keys, AES-GCM goes without authentication, the others never.
 */
static bool is_served(unsigned int id, uint16_t auth, uint16_t bits)
{
	bool is_aes = bits == 128 || bits == 192 || bits == 256;
	bool has_auth = auth == 1 || auth == 2 || (auth >= 5 && auth <= 7);

	switch (id) {
	case ESP_AES:
		return is_aes && has_auth;
	case ESP_AES_GCM_16:
		return is_aes && !auth;
	case ESP_3DES:
	case ESP_DES:
		return !bits && has_auth;
	default:
		return false;
	}
}

/* Also AEAD with an authentication algorithm: every transform with every
 * authentication and key length, in the widest policy. */
static void cve_2024_3652_every_esp_transform(void **state)
{
	static const uint16_t bits[] = {0, 1, 64, 128, 160, 192, 256, 65535};
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	size_t installed = 0;
	uint8_t sa[64];

	(void)state;
	w->cfg.policy = *profile_find("legacy");
	w->cfg.policy.esp_ciphers = w->cfg.policy.esp_auths = UINT32_MAX;
	ikew_crash(w);
	assert_true(ikew_main(w, c));
	for (unsigned int id = 0; id < 256; id += id < 32 ? 1 : 29) {
		for (uint16_t auth = 0; auth < 20; auth++) {
			for (size_t b = 0; b < 8; b++) {
				size_t len = esp_of(
				    sa, (uint8_t)id, auth, bits[b], 0x4444);

				quick1(w, c, sa, len, ID_C, ID_S);
				if (is_served(id, auth, bits[b])) {
					installed++;
					ikew_run(w, 70000);
				}
				assert_int_equal(w->sa_count, installed);
			}
		}
	}
	assert_int_equal(installed, 3 * 5 + 3 + 5 + 5);
	ikew_free(w);
}

static void cve_2025_39965_spis_that_are_reserved(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[64];

	(void)state;
	assert_true(ikew_main(w, c));
	for (uint32_t spi = 0; spi < 256; spi += spi ? 51 : 1) {
		quick1(w, c, sa, esp_of(sa, 12, 2, 256, spi), ID_C, ID_S);
		assert_int_equal(w->sa_count, 0);
	}
	assert_true(ikew_logged(w, "is reserved"));
	quick1(w, c, sa, esp_of(sa, 12, 2, 256, 256), ID_C, ID_S);
	assert_int_equal(w->sa_count, 1);
	ikew_free(w);
}

static void cve_2023_38711_every_type_and_length_of_id(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[64], id[300];
	size_t len = esp_of(sa, 12, 2, 256, 0x4444);

	(void)state;
	assert_true(ikew_main(w, c));
	memset(id, 'a', sizeof(id));
	id[1] = 17;
	id[2] = 0x06;
	id[3] = 0xa5;
	for (unsigned int type = 0; type < 256; type += type < 14 ? 1 : 11) {
		for (size_t n = 0; n < sizeof(id); n += n < 40 ? 1 : 37) {
			struct wire_span odd = {id, n};

			id[0] = (uint8_t)type;
			quick1(w, c, sa, len, ID_C, odd);
			quick1(w, c, sa, len, odd, ID_S);
			ikew_run(w, 70000);
			assert_int_equal(w->sa_count, 0);
			if (!ikew_counts(w).sas)
				assert_true(ikew_main(w, c));
		}
		if (c->sa[CLIENT_SAS - 2].state != CLIENT_FREE)
			break;
	}
	/* It still serves. */
	assert_true(ikew_quick(w, c));
	ikew_free(w);
}

/* RFC 2409 section 5. */
static void nonces_of_quick_mode_have_8_to_256_bytes(void **state)
{
	static const size_t lens[] = {0, 1, 7, 8, 20, 256, 257, 300};
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	uint8_t sa[64], ni[300] = {3};
	struct client_info items[] = {
	    {ISAKMP_PAYLOAD_SA, sa, esp_of(sa, 12, 2, 256, 0x4444)},
	    {ISAKMP_PAYLOAD_NONCE, ni, 0},
	    {ISAKMP_PAYLOAD_ID, id_c, sizeof(id_c)},
	    {ISAKMP_PAYLOAD_ID, id_s, sizeof(id_s)},
	};
	size_t installed = 0;

	(void)state;
	assert_true(ikew_main(w, c));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		items[1].len = lens[i];
		installed += lens[i] >= 8 && lens[i] <= 256;
		ikec_protected(
		    c, ISAKMP_EXCHANGE_QUICK, c->next_msgid++, items, 4);
		ikew_run(w, 12);
		assert_int_equal(w->sa_count, installed);
	}
	assert_int_equal(installed, 3);
	ikew_free(w);
}

/* CVE-2010-2628: what a peer calls itself is text, not a format. */
static void cve_2010_2628_identities_are_no_formats(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);

	(void)state;
	c->fqdn = "%n%s%s%s%n\n\x1b[2J";
	assert_true(ikew_connect(w, c));
	assert_true(ikew_logged(w, "%n%s%s%s%n\\x0a\\x1b[2J"));
	assert_false(ikew_logged(w, "\x1b"));
	ikew_free(w);
}

static void cve_2019_10155_hash_of_informational_is_checked(void **state)
{
	static const uint8_t exchanges[] = {5};

	(void)state;
	for (int what = 0; what < 3; what++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = native(w);
		struct forge_copy m = {.exchange = exchanges[0], .stop = true};
		struct forge_state before;

		assert_true(ikew_connect(w, c));
		w->filter = forge_copy;
		w->filter_ctx = &m;
		if (what == 0)
			ikec_delete_sa(c, c->cur);
		else if (what == 1)
			ikec_delete_esp(c, c->pair[0].spi_in);
		else
			ikec_r_u_there(c, 7);
		assert_true(m.len > 0);
		forge_remember(w, &before);
		w->sends = 0;
		/* In CBC a bit of the first block's successor flips a bit of
		 * the hash and garbles a block: every byte is tried. */
		for (size_t i = 28; i < m.len; i++) {
			m.data[i] ^= 1;
			ikew_inject(w, &c->outer[0], 500, m.data, m.len);
			m.data[i] ^= 1;
			ikew_log_clear(w);
		}
		assert_int_equal(w->sends, 0);
		assert_true(forge_unchanged(w, &before));
		/* The right one works. */
		ikew_inject(w, &c->outer[0], 500, m.data, m.len);
		forge_remember(w, &before);
		assert_true(
		    w->sends || !ikew_counts(w).sas || ikew_live_sas(w) == 0);
		assert_true(forge_unchanged(w, &before));
		ikew_free(w);
	}
}

/* CVE-2023-38712: Delete, and then more, in every order. */
static void cve_2023_38712_deletes_in_every_order(void **state)
{
	uint8_t self[28] = {0, 0, 0, 1, 1, 16, 0, 1};
	uint8_t esp[12] = {0, 0, 0, 1, 3, 4, 0, 1};
	uint8_t twice[44] = {0, 0, 0, 1, 1, 16, 0, 2};
	uint8_t note[8] = {0, 0, 0, 1, 1, 0, 0x60, 0x02};
	const struct client_info all[] = {
	    {ISAKMP_PAYLOAD_DELETE, self, 24},
	    {ISAKMP_PAYLOAD_DELETE, esp, sizeof(esp)},
	    {ISAKMP_PAYLOAD_NOTIFY, note, sizeof(note)},
	    {ISAKMP_PAYLOAD_DELETE, twice, 40},
	};

	(void)state;
	for (int order = 0; order < 256; order++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = native(w);
		struct client_info items[4];
		bool ends = false;

		w->save_often = order & 1;
		assert_true(ikew_connect(w, c));
		memcpy(self + 8, c->cur->cky_i, 8);
		memcpy(self + 16, c->cur->cky_r, 8);
		memcpy(twice + 8, self + 8, 16);
		memcpy(twice + 24, self + 8, 16);
		for (int i = 0; i < 4; i++)
			esp[8 + i] =
			    (uint8_t)(c->pair[0].spi_in >> 8 * (3 - i));
		for (int i = 0; i < 4; i++) {
			items[i] = all[order >> 2 * i & 3];
			ends |= items[i].body == self || items[i].body == twice;
		}
		ikec_info(c, 0, items, 4);
		ikew_run(w, 50);
		assert_int_equal(ikew_counts(w).sas, !ends);
		ikew_free(w);
	}
}

/* isakmpd deletes older SAs under the newest. */
static void isakmpd_deletes_an_older_sa_under_the_newest(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w), *other = natted(w);
	struct client_sa *old;

	(void)state;
	assert_true(ikew_main(w, c));
	old = c->cur;
	assert_true(ikew_main(w, c));
	assert_true(ikew_main(w, other));
	assert_int_equal(ikew_counts(w).sas, 3);
	/* Not somebody else's; and that its keys are the same client's nobody
	 * can tell: the old one stays until it expires. */
	ikec_delete_other_sa(other, old);
	ikec_delete_other_sa(c, old);
	ikew_run(w, 50);
	assert_int_equal(ikew_counts(w).sas, 3);
	assert_true(ikew_quick(w, c));
	ikew_free(w);
}

/* A replayed Delete, and any other Informational: once is enough. */
static void a_replayed_informational_is_refused(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_copy m = {.exchange = 5};
	struct forge_state before;

	(void)state;
	assert_true(ikew_connect(w, c));
	w->filter = forge_copy;
	w->filter_ctx = &m;
	ikec_r_u_there(c, 7);
	ikew_run(w, 1000);
	forge_remember(w, &before);
	w->sends = 0;
	for (int i = 0; i < 10; i++)
		ikew_inject(w, &c->outer[0], 500, m.data, m.len);
	assert_int_equal(w->sends, 0);
	assert_true(forge_unchanged(w, &before));
	ikew_free(w);
}

/* Racoon 0b497e6: the IKE SA goes while its Quick Mode waits. */
static void racoon_0b497e6_phase_1_goes_under_a_quick_mode(void **state)
{
	(void)state;
	for (int wait = 0; wait < 30; wait++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = native(w);

		w->save_often = wait & 1;
		assert_true(ikew_main(w, c));
		ikec_start_quick(c);
		ikew_run(w, (uint64_t)wait);
		ikec_delete_sa(c, c->cur);
		ikew_run(w, 60000);
		assert_int_equal(ikew_counts(w).sas, 0);
		assert_true(ikew_live_sas(w) == 0 || ikew_live_sas(w) == 2);
		ikew_free(w);
	}
}

/* A copy of a good message under another address, cookie or flag. */
static void a_copied_message_elsewhere_moves_nobody(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	struct forge_copy m = {.exchange = 5, .stop = true};
	struct forge_state before;
	struct addr other = {
	    .family = ADDR_IPV4, .ip = {192, 0, 2, 66}, .port = 4500};
	struct addr moved;

	(void)state;
	assert_true(ikew_connect(w, c));
	w->filter = forge_copy;
	w->filter_ctx = &m;
	ikec_r_u_there(c, 7);
	forge_remember(w, &before);
	w->sends = 0;
	ikew_inject(w, &other, 4500, m.data, m.len);
	/* Garbled, from another port: that proves nothing. */
	moved = c->outer[1];
	moved.port++;
	m.data[m.len - 1] ^= 1;
	ikew_inject(w, &moved, 4500, m.data, m.len);
	m.data[m.len - 1] ^= 1;
	assert_int_equal(w->sends, 0);
	assert_true(forge_unchanged(w, &before));
	ikew_free(w);
}

/* strongSwan 4de361d92c: message 3 after the next Quick Mode's message 1,
 * and 0235914d2f: a fourth message. */
static void quick_modes_overlap(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = native(w);
	struct forge_copy third = {.exchange = 32, .skip = 1, .stop = true};
	struct client_quick *a, *b;

	(void)state;
	c->extra_connected = true;
	assert_true(ikew_main(w, c));
	w->filter = forge_copy;
	w->filter_ctx = &third;
	a = ikec_start_quick(c);
	while (!third.len)
		ikew_run(w, 1);
	assert_true(a->is_done);
	b = ikec_start_quick(c);
	ikew_run(w, 7);
	ikew_inject(w, &c->outer[0], 500, third.data, third.len);
	ikew_run(w, 200);
	assert_true(b->is_done);
	assert_int_equal(ikew_counts(w).pairs, 2);
	assert_int_equal(ikew_live_sas(w), 4);
	ikew_free(w);
}

/* Forged messages of Quick Mode with the right cookies and id: the real
 * ones still work. */
static void forged_quick_modes_move_no_iv(void **state)
{
	(void)state;
	for (int n = 0; n < 2; n++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = native(w);
		struct forge_copy m = {.exchange = 32, .skip = n, .stop = true};

		assert_true(ikew_main(w, c));
		w->filter = forge_copy;
		w->filter_ctx = &m;
		ikec_start_quick(c);
		while (!m.len)
			ikew_run(w, 1);
		for (size_t i = 28; i < m.len; i += 5) {
			m.data[i] ^= 4;
			ikew_inject(w, &c->outer[0], 500, m.data, m.len);
			m.data[i] ^= 4;
		}
		ikew_inject(w, &c->outer[0], 500, m.data, m.len);
		ikew_run(w, 3000);
		assert_true(ikew_pair_right(w, c));
		ikew_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cve_2024_3652_every_esp_transform),
	    cmocka_unit_test(cve_2025_39965_spis_that_are_reserved),
	    cmocka_unit_test(cve_2023_38711_every_type_and_length_of_id),
	    cmocka_unit_test(nonces_of_quick_mode_have_8_to_256_bytes),
	    cmocka_unit_test(cve_2010_2628_identities_are_no_formats),
	    cmocka_unit_test(cve_2019_10155_hash_of_informational_is_checked),
	    cmocka_unit_test(cve_2023_38712_deletes_in_every_order),
	    cmocka_unit_test(isakmpd_deletes_an_older_sa_under_the_newest),
	    cmocka_unit_test(a_replayed_informational_is_refused),
	    cmocka_unit_test(racoon_0b497e6_phase_1_goes_under_a_quick_mode),
	    cmocka_unit_test(a_copied_message_elsewhere_moves_nobody),
	    cmocka_unit_test(quick_modes_overlap),
	    cmocka_unit_test(forged_quick_modes_move_no_iv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
