/* SPDX-License-Identifier: ISC */
/* The AAA core saved and restored: damage, another configuration. */
#include "test/unit/aaa_rig.h"

static void damaged_states_are_refused(void **state)
{
	struct rig g = rig_new(false);
	uint8_t *data, *copy;
	size_t len;

	(void)state;
	bring_up(&g, one, "alice");
	start(&g, two);
	ask(&g, two, "bob");
	data = aaa_save(g.aaa, &len);
	copy = malloc(len + 1);
	for (size_t cut = 0; cut < len; cut++) {
		struct aaa *a;

		/* A copy of its own length, for the sanitizer. */
		copy = realloc(copy, cut + 1);
		memcpy(copy, data, cut);
		a = aaa_restore(&g.cfg, copy, cut);
		assert_null(a);
	}
	copy = realloc(copy, len + 1);
	memcpy(copy, data, len);
	copy[len] = 0;
	assert_null(aaa_restore(&g.cfg, copy, len + 1));
	copy[0]++;
	assert_null(aaa_restore(&g.cfg, copy, len));
	g.cfg.pool = "nonsense";
	assert_null(aaa_restore(&g.cfg, data, len));
	free(copy);
	free(data);
	rig_free(&g);
}

static void a_new_configuration_keeps_the_sessions(void **state)
{
	struct rig g = rig_new(false);
	struct aaa_address_reply a;
	uint8_t *data;
	size_t len;

	(void)state;
	bring_up(&g, one, "alice");
	data = aaa_save(g.aaa, &len);
	aaa_free(g.aaa);
	g.cfg.pool = "10.30.0.1-10.30.0.9";
	g.cfg.local = ip("10.30.0.1");
	g.aaa = aaa_restore(&g.cfg, data, len);
	assert_non_null(g.aaa);
	assert_int_equal(address(&g, one).remote.ip[1], 20);
	start(&g, two);
	assert_true(login(&g, two, "bob", "bob", NULL));
	a = address(&g, two);
	assert_memory_equal(a.remote.ip, "\x0a\x1e\x00\x02", 4);
	assert_memory_equal(a.local.ip, "\x0a\x1e\x00\x01", 4);
	free(data);
	rig_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(damaged_states_are_refused),
	    cmocka_unit_test(a_new_configuration_keeps_the_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
