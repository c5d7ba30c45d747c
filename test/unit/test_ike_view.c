/* SPDX-License-Identifier: ISC */
/* What `show sas` sees of the machine, and that looking changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/secret.h"
#include "ikev1/core/view.h"
#include "test/lib/ike_world.h"

#include <string.h>

struct seen {
	size_t sas, pairs;
	struct view_sa sa;
	struct view_pair pair;
};

static void on_sa(void *ctx, const struct view_sa *sa)
{
	struct seen *s = ctx;

	s->sa = *sa;
	s->sas++;
}

static void on_pair(void *ctx, const struct view_pair *pair)
{
	struct seen *s = ctx;

	s->pair = *pair;
	s->pairs++;
}

/* Looks; the saved machine is the same before and after. */
static struct seen look(struct ikew *w)
{
	struct seen s = {0};
	const struct view v = {on_sa, on_pair, &s};
	size_t len, len2;
	uint8_t *before = ike_save(w->ike, w->now, &len), *after;

	ike_view(w->ike, w->now, &v);
	after = ike_save(w->ike, w->now, &len2);
	assert_int_equal(len, len2);
	assert_memory_equal(before, after, len);
	secret_free(before, len);
	secret_free(after, len2);
	return s;
}

static struct ike_client *natted(struct ikew *w)
{
	return ikew_client(w, "10.0.0.2", "203.0.113.9", 40000);
}

static void nothing_at_first(void **state)
{
	struct ikew *w = ikew_new(1);
	struct seen s = look(w);

	(void)state;
	assert_int_equal(s.sas + s.pairs, 0);
	ikew_free(w);
}

static bool drop_5(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	(void)w;
	(void)len;
	return !to_server || data[18] != 2 || !(data[19] & 1);
}

static void a_handshake_on_its_way(void **state)
{
	struct ikew *w = ikew_new(1);
	struct ike_client *c = natted(w);
	struct seen s;

	(void)state;
	w->filter = drop_5;
	ikec_start_main(c);
	ikew_run(w, 200);
	s = look(w);
	assert_int_equal(s.sas, 1);
	assert_string_equal(s.sa.state, "message 4 sent");
	assert_string_equal(s.sa.identity, "");
	assert_true(s.sa.age == VIEW_NONE);
	assert_true(s.sa.heard == VIEW_NONE);
	assert_true(s.sa.expires <= w->cfg.half_open_ms);
	ikew_free(w);
}

static void a_connected_client(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct ikew *w = ikew_new(1);
		struct ike_client *c = natted(w);
		struct client_pair *p;
		struct seen s;

		w->save_often = save;
		c->has_dpd = true;
		c->esp_life_s = 3600;
		assert_true(ikew_connect(w, c));
		p = ikec_newest_pair(c);
		ikew_run(w, 7000);
		s = look(w);
		assert_int_equal(s.sas, 1);
		assert_int_equal(s.pairs, 1);
		assert_string_equal(s.sa.state, "established");
		assert_string_equal(s.sa.identity, "10.0.0.2");
		assert_string_equal(s.sa.suite, "aes256-sha1-ecp256");
		assert_true(addr_equal(&s.sa.peer, &c->outer[1]));
		assert_true(s.sa.client_nat && !s.sa.server_nat);
		assert_false(s.sa.is_initiator);
		assert_int_equal(s.sa.psk_line, 1);
		assert_memory_equal(s.sa.cky_i, c->cur->cky_i, 8);
		assert_memory_equal(s.sa.cky_r, c->cur->cky_r, 8);
		assert_true(s.sa.age >= 7000 && s.sa.age < 8000);
		assert_true(s.sa.heard >= 6000 && s.sa.heard < 8000);
		assert_true(s.sa.expires > 60000 && s.sa.expires != VIEW_NONE);
		assert_true(s.sa.has_dpd);
		assert_true(s.pair.r == ikew_r_of(w, c));
		assert_int_equal(s.pair.spi_in, p->spi_out);
		assert_int_equal(s.pair.spi_out, p->spi_in);
		assert_string_equal(
		    s.pair.suite, "aes256-sha1-ecp256/aes256-sha256");
		assert_string_equal(s.pair.state, "established");
		assert_true(s.pair.is_encap);
		assert_true(s.pair.age >= 6900 && s.pair.age < 8000);
		assert_true(s.pair.expires != VIEW_NONE);
		assert_true(s.pair.rekeys < s.pair.expires);
		ikew_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_at_first),
	    cmocka_unit_test(a_handshake_on_its_way),
	    cmocka_unit_test(a_connected_client),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
