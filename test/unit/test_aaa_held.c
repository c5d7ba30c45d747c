/* SPDX-License-Identifier: ISC */
/* The AAA core over a crash: notes of sessions, saved states, damage. */
#include "test/unit/aaa_rig.h"

/* The last note of a session, copied. */
static size_t take_note(struct rig *g, uint8_t note[AAA_NOTE_MAX])
{
	const struct aaa_action *a = find(g, AAA_ACT_NOTE);

	assert_non_null(a);
	assert_in_range(a->len, 1, AAA_NOTE_MAX);
	memcpy(note, a->data, a->len);
	return a->len;
}

static void hold(
    struct rig *g, struct aaa_key key, const uint8_t *note, size_t len)
{
	step(g, (struct aaa_event){
		    .type = AAA_EV_HELD, .key = key, .data = {note, len}});
}

static void held_sessions_go_on(bool restores)
{
	struct rig g = rig_new(restores), h = rig_new(restores);
	struct aaa_stats st = {.bytes_in = 123, .seconds = 99};
	uint8_t note[AAA_NOTE_MAX];
	struct aaa_row row;
	size_t len;
	json_t *j;

	bring_up(&g, one, "alice");
	len = take_note(&g, note);
	/* Another engine. */
	hold(&h, one, note, len);
	assert_int_equal(h.acts.count, 0);
	assert_true(aaa_get(h.aaa, one, &row));
	assert_true(row.held);
	assert_string_equal(row.state, "up");
	assert_string_equal(row.user, "alice");
	assert_true(row.since_s == NOW);
	assert_int_equal(row.ip.ip[3], 2);
	assert_int_equal(row.peer.port, 4500);
	hold(&h, one, note, len);
	/* Nobody gets its address. */
	bring_up(&h, two, "bob");
	assert_true(aaa_get(h.aaa, two, &row));
	assert_int_equal(row.ip.ip[3], 3);
	assert_false(row.held);
	send_msg(&h, one, AAA_STATS, &st);
	end(&h, one, "dead");
	j = record(&h);
	number(j, "bytes_in", 123);
	member(j, "user", "alice");
	json_decref(j);
	rig_free(&g);
	rig_free(&h);
}

static void a_held_session_may_still_want_its_address(bool restores)
{
	struct rig g = rig_new(restores), h = rig_new(restores);
	uint8_t note[AAA_NOTE_MAX];
	size_t len;

	start(&g, one);
	assert_true(login(&g, one, "alice", "alice", "192.0.2.5"));
	len = take_note(&g, note);
	hold(&h, one, note, len);
	state_is(&h, one, "authenticated");
	assert_int_equal(address(&h, one).remote.ip[0], 192);
	/* Without a note nobody is on it. */
	hold(&h, two, NULL, 0);
	state_is(&h, two, "new");
	assert_false(address(&h, two).ok);
	rig_free(&g);
	rig_free(&h);
}

static void damaged_notes_give_nothing(bool restores)
{
	struct rig g = rig_new(restores);
	uint8_t note[AAA_NOTE_MAX + 1] = {0};
	struct aaa_row row;
	size_t len;

	bring_up(&g, one, "alice");
	len = take_note(&g, note);
	for (size_t cut = 1; cut <= len + 1; cut++) {
		struct rig h;

		if (cut == len)
			continue;
		h = rig_new(restores);
		hold(&h, one, note, cut);
		assert_non_null(find(&h, AAA_ACT_LOG));
		assert_non_null(
		    strstr(find(&h, AAA_ACT_LOG)->text, "is damaged"));
		state_is(&h, one, "new");
		assert_true(aaa_get(h.aaa, one, &row));
		assert_string_equal(row.user, "");
		assert_int_equal(row.ip.family, ADDR_NONE);
		rig_free(&h);
	}
	/* A state that is none, and ASKING, which no note says. */
	for (int state = 0; state < 256; state++) {
		struct rig h = rig_new(restores);
		bool is_good = state == 0 || (state >= 2 && state <= 4);

		note[1] = (uint8_t)state;
		hold(&h, one, note, len);
		assert_int_equal(find(&h, AAA_ACT_LOG) == NULL, is_good);
		rig_free(&h);
	}
	rig_free(&g);
}

static void two_held_sessions_with_one_address(bool restores)
{
	struct rig g = rig_new(restores), h = rig_new(restores);
	uint8_t note[AAA_NOTE_MAX];
	size_t len;

	bring_up(&g, one, "alice");
	len = take_note(&g, note);
	hold(&h, one, note, len);
	hold(&h, two, note, len);
	logged(&h, AAA_LOG_WARN,
	    "R 2 (203.0.113.7:4500): the address of user alice is another "
	    "session's too");
	rig_free(&g);
	rig_free(&h);
}

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

BOTH(held_sessions_go_on)
BOTH(a_held_session_may_still_want_its_address)
BOTH(damaged_notes_give_nothing)
BOTH(two_held_sessions_with_one_address)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RUN(held_sessions_go_on),
	    RUN(a_held_session_may_still_want_its_address),
	    RUN(damaged_notes_give_nothing),
	    RUN(two_held_sessions_with_one_address),
	    cmocka_unit_test(damaged_states_are_refused),
	    cmocka_unit_test(a_new_configuration_keeps_the_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
