/* SPDX-License-Identifier: ISC */
/*
 * Every state x exchange x payload set x protection x message id x cookies.
 * What may have an effect is declared below, from the RFCs and the design,
 * not from the code; everything else must leave the saved machine byte for
 * byte as it was, and send nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/ike_cells.h"

#include <stdio.h>
#include <string.h>

#define BIT(n) (1u << (n))
#define KEYED_UP                                                               \
	(BIT(CELL_UP) | BIT(CELL_Q_KEYING) | BIT(CELL_Q_PEER) |                \
	    BIT(CELL_Q_SENT) | BIT(CELL_CHILD))
#define OURS_QUICK (BIT(CELL_I_QUICK) | BIT(CELL_I_RENEW))
#define ALL_STATES (BIT(CELL_STATES) - 1)

static const uint8_t exchanges[] = {
    0, 1, 2, 3, 4, 5, 6, 31, 32, 33, 34, 35, 36, 37, 240, 255};

static const char *const payload_sets[] = {"", "S", "SV", "SVV", "SS", "SKni",
    "SE", "Kn", "nK", "KnV", "Knd", "Kndd", "Knc", "K", "n", "KKn", "KnS", "iH",
    "iHI", "iHV", "Hi", "iHC", "iG", "iCG", "H", "HSn", "HSnii", "HSnKii",
    "HSni", "HSniioo", "HSnjj", "SnHii", "HSSn", "HS", "HK", "HR", "HI", "HE",
    "HX", "Hx", "HxX", "HA", "Hu", "HC", "R", "I", "E", "X", "x", "A", "C", "V",
    "2", "u", "Su"};

enum effect {
	NOTHING_AT_ALL,	  /* the default: nothing sent, nothing changed */
	ANSWERED,	  /* exactly one datagram leaves; the state moved */
	ANSWERED_ONLY,	  /* one datagram, no larger state */
	KEYING,		  /* Diffie-Hellman is ordered, nothing is sent */
	TRIED,		  /* message 5, perhaps: its keys are asked for */
	ENTERED,	  /* message 5: one datagram, the IKE SA is up */
	OPENED,		  /* Quick Mode 1: R is ordered, nothing is sent */
	OUTBOUND,	  /* Quick Mode 3: one SA for the kernel */
	NOTED,		  /* authentic: its message id is remembered, no more */
	REFUSED,	  /* authentic, not acceptable: noted, and one notify */
	GIVEN_UP,	  /* as REFUSED, and the shell hears of it */
	ASKED,		  /* message 4: our exponentiation, and the keys */
	CONNECTED,	  /* message 6: said so, and Quick Mode 1 leaves */
	ENDED,		  /* the IKE SA is gone, its pairs stay */
	ENDED_UNFINISHED, /* and the pair that was half made with it */
};

static const struct rule {
	uint32_t states;
	uint8_t exchange;
	uint32_t protections, ids, cookies;
	const char *sets; /* separated by blanks */
	enum effect effect;
} rules[] = {
    /* Main Mode message 1 opens a handshake, whatever else goes on. */
    {ALL_STATES, 2, BIT(CELL_CLEAR), BIT(CELL_ID_ZERO), BIT(CELL_COOKIES_FIRST),
	" S SV SVV SE ", ANSWERED},
    {BIT(CELL_WAIT3), 2, BIT(CELL_CLEAR), BIT(CELL_ID_ZERO),
	BIT(CELL_COOKIES_OWN), " Kn nK KnV Knd Kndd Knc ", KEYING},
    {BIT(CELL_WAIT5), 2, BIT(CELL_SEALED), BIT(CELL_ID_ZERO),
	BIT(CELL_COOKIES_OWN), " iH iHI iHV ", ENTERED},
    /* With several keys whatever is encrypted and begins with an ID may be
     * message 5; none knows what is in it. */
    {BIT(CELL_WAIT5_SEVERAL), 2,
	BIT(CELL_SEALED) | BIT(CELL_FORGED) | BIT(CELL_NOISE),
	BIT(CELL_ID_ZERO), BIT(CELL_COOKIES_OWN), " iH iHI iHV iHC iG iCG ",
	TRIED},
    /* The very message 5 again: message 6 again. */
    {KEYED_UP, 2, BIT(CELL_SEALED), BIT(CELL_ID_ZERO), BIT(CELL_COOKIES_OWN),
	" iH ", ANSWERED_ONLY},
    /* Quick Mode message 1; with PFS the group asks for KE. */
    {BIT(CELL_Q_KEYING), 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH),
	BIT(CELL_COOKIES_OWN), " HSnKii ", KEYING},
    {BIT(CELL_Q_KEYING), 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH),
	BIT(CELL_COOKIES_OWN), " HSn HSni HSnii HSnjj HSniioo ", REFUSED},
    {KEYED_UP, 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" HSn HSnii HSniioo ", OPENED},
    {KEYED_UP, 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" HSnKii HSni HSnjj ", REFUSED},
    {KEYED_UP, 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" H Hi HSSn HS HK HR HI HE HX Hx HxX HA Hu HC ", NOTED},
    /* Quick Mode message 3; its HASH does not cover what follows it, so a
     * message with more in it proves only that the client lives. */
    {BIT(CELL_Q_SENT), 32, BIT(CELL_SEALED), BIT(CELL_ID_CURRENT),
	BIT(CELL_COOKIES_OWN), " H HR HI HE ", OUTBOUND},
    {BIT(CELL_Q_SENT), 32, BIT(CELL_SEALED), BIT(CELL_ID_CURRENT),
	BIT(CELL_COOKIES_OWN),
	" Hi HSn HSnii HSnKii HSni HSnjj HSniioo HSSn HS HK HX Hx HxX HA Hu "
	"HC ",
	NOTED},
    /* Informational. */
    {KEYED_UP, 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" HR ", ANSWERED_ONLY},
    {BIT(CELL_Q_SENT), 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH),
	BIT(CELL_COOKIES_OWN), " HX HxX ", ENDED_UNFINISHED},
    {KEYED_UP, 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" HX HxX ", ENDED},
    {KEYED_UP, 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" H Hi HSn HSnii HSnKii HSni HSnjj HSniioo HSSn HS HK HI HE Hx HA Hu "
	"HC ",
	NOTED},

    /* As initiator.  Messages 2, 4, 6: RFC 2409 section 5. */
    {BIT(CELL_I_SENT1), 2, BIT(CELL_CLEAR), BIT(CELL_ID_ZERO),
	BIT(CELL_COOKIES_OWN), " S SV SVV SE ", KEYING},
    {BIT(CELL_I_SENT3), 2, BIT(CELL_CLEAR), BIT(CELL_ID_ZERO),
	BIT(CELL_COOKIES_OWN), " Kn nK KnV Knd Kndd Knc ", ASKED},
    {BIT(CELL_I_SENT5), 2, BIT(CELL_SEALED), BIT(CELL_ID_ZERO),
	BIT(CELL_COOKIES_OWN), " iH iHI iHV ", CONNECTED},
    /* Quick Mode message 2: what was asked for, with the IDs that were sent
     * and no PFS, or it is over. */
    {OURS_QUICK, 32, BIT(CELL_SEALED), BIT(CELL_ID_CURRENT),
	BIT(CELL_COOKIES_OWN), " HSnii HSniioo ", OPENED},
    {BIT(CELL_I_QUICK), 32, BIT(CELL_SEALED), BIT(CELL_ID_CURRENT),
	BIT(CELL_COOKIES_OWN), " HSn HSni HSnjj HSnKii ", GIVEN_UP},
    {BIT(CELL_I_RENEW), 32, BIT(CELL_SEALED), BIT(CELL_ID_CURRENT),
	BIT(CELL_COOKIES_OWN), " HSn HSni HSnjj HSnKii ", REFUSED},
    {OURS_QUICK, 32, BIT(CELL_SEALED), BIT(CELL_ID_CURRENT),
	BIT(CELL_COOKIES_OWN), " H Hi HSSn HS HK HR HI HE HX Hx HxX HA Hu HC ",
	NOTED},
    /* The server begins one: it may, for what the connection has or wants,
     * seen from its side. */
    {OURS_QUICK, 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH),
	BIT(CELL_COOKIES_OWN), " HSnjj ", OPENED},
    {OURS_QUICK, 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH),
	BIT(CELL_COOKIES_OWN), " HSn HSni HSnii HSnjj HSniioo HSnKii ",
	REFUSED},
    {OURS_QUICK, 32, BIT(CELL_SEALED), BIT(CELL_ID_FRESH),
	BIT(CELL_COOKIES_OWN), " H Hi HSSn HS HK HR HI HE HX Hx HxX HA Hu HC ",
	NOTED},
    {OURS_QUICK, 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" HR ", ANSWERED_ONLY},
    {OURS_QUICK, 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" HX HxX ", ENDED},
    /* An error of the server ends what waits for its answer. */
    {BIT(CELL_I_QUICK), 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH),
	BIT(CELL_COOKIES_OWN), " HE ", GIVEN_UP},
    {OURS_QUICK, 5, BIT(CELL_SEALED), BIT(CELL_ID_FRESH), BIT(CELL_COOKIES_OWN),
	" H Hi HSn HSnii HSnKii HSni HSnjj HSniioo HSSn HS HK HI HE Hx HA Hu "
	"HC ",
	NOTED},
};

static bool in_list(const char *sets, const char *set)
{
	char word[32];

	snprintf(word, sizeof(word), " %s ", set);
	return strstr(sets, word) != NULL;
}

static enum effect expected(const struct cell *c)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];

		if ((r->states & BIT(c->state)) && r->exchange == c->exchange &&
		    (r->protections & BIT(c->protection)) &&
		    (r->ids & BIT(c->id)) && (r->cookies & BIT(c->cookies)) &&
		    in_list(r->sets, c->payloads))
			return r->effect;
	}
	return NOTHING_AT_ALL;
}

static bool acts_on_nothing(const struct cell_result *r)
{
	return !r->jobs_dh && !r->jobs_psk && !r->jobs_trial && !r->opens &&
	       !r->adds && !r->dels && !r->ups && !r->downs && !r->reports;
}

/* How many IKE SAs are up. */
static size_t up(const struct cell_result *r)
{
	return r->sas - r->half_open;
}

static bool fits(enum effect e, const struct cell_result *before,
    const struct cell_result *r)
{
	bool same_things = r->pairs == before->pairs &&
			   r->peers == before->peers && up(r) == up(before);

	switch (e) {
	case NOTHING_AT_ALL:
		return !r->is_changed && !r->sends && acts_on_nothing(r);
	case ANSWERED:
		return r->is_changed && r->sends == 1 && acts_on_nothing(r) &&
		       same_things;
	case ANSWERED_ONLY:
		return r->sends == 1 && acts_on_nothing(r) && same_things;
	case KEYING:
		return r->is_changed && !r->sends && r->jobs_dh == 1 &&
		       same_things;
	case TRIED:
		return r->is_changed && !r->sends && r->jobs_trial == 1 &&
		       !r->jobs_dh && !r->jobs_psk && same_things;
	case CONNECTED:
		return r->sends == 1 && r->reports == 1 && same_things;
	case ASKED:
		return r->is_changed && !r->sends && r->jobs_dh == 1 &&
		       r->jobs_psk == 1 && !r->reports && same_things;
	case ENTERED:
		return r->sends == 1 && up(r) == up(before) + 1;
	case OPENED:
		return r->is_changed && !r->sends &&
		       r->peers >= before->peers && r->opens + r->adds <= 1 &&
		       !r->downs;
	case OUTBOUND:
		return r->is_changed && r->adds == 1 && !r->sends;
	case NOTED:
		return r->is_changed && !r->sends && acts_on_nothing(r) &&
		       same_things;
	case REFUSED:
		return r->is_changed && r->sends <= 1 && acts_on_nothing(r) &&
		       same_things;
	case GIVEN_UP:
		return r->is_changed && r->sends <= 1 && r->reports == 1 &&
		       same_things;
	case ENDED:
		return r->is_changed && up(r) + 1 == up(before) &&
		       r->pairs == before->pairs;
	case ENDED_UNFINISHED:
		return r->is_changed && up(r) + 1 == up(before) &&
		       r->pairs + 1 == before->pairs && r->dels == 1;
	}
	return false;
}

static const char *const state_names[] = {"nothing", "wait3", "keying", "wait5",
    "wait5-several", "trying", "up", "q-keying", "q-peer", "q-sent", "child",
    "i-sent1", "i-sent3", "i-sent5", "i-quick", "i-renew"};
static const char *const protection_names[] = {
    "clear", "sealed", "forged", "noise"};
static const char *const id_names[] = {"zero", "fresh", "current"};
static const char *const cookie_names[] = {"own", "first", "unknown"};

/* One cell; false (said) when it is not as declared. */
static bool check(struct cell_world *cw, const struct cell_result *before,
    const struct cell *c)
{
	uint8_t data[CLIENT_PACKET_MAX];
	size_t len = cell_forge(cw, c, data);
	struct cell_result r = cell_run(cw, data, len);
	enum effect e = expected(c);

	if (fits(e, before, &r))
		return true;
	print_error("%s, exchange %u, {%s}, %s, id %s, cookies %s: expected "
		    "%d; changed %d sends %d dh %d psk %d open %d add %d del "
		    "%d up %d down %d, sas %zu half %zu pairs %zu peers %zu\n",
	    state_names[c->state], c->exchange, c->payloads,
	    protection_names[c->protection], id_names[c->id],
	    cookie_names[c->cookies], (int)e, r.is_changed, r.sends, r.jobs_dh,
	    r.jobs_psk, r.opens, r.adds, r.dels, r.ups, r.downs, r.sas,
	    r.half_open, r.pairs, r.peers);
	return false;
}

struct totals {
	unsigned cells, wrong, declared;
};

static void each_variant(struct cell_world *cw,
    const struct cell_result *before, struct cell c, struct totals *t)
{
	for (int p = 0; p < CELL_PROTECTIONS; p++) {
		for (int id = 0; id < CELL_IDS; id++) {
			for (int k = 0; k < CELL_COOKIES; k++) {
				c.protection = (enum cell_protection)p;
				c.id = (enum cell_id)id;
				c.cookies = (enum cell_cookies)k;
				if (!cell_possible(cw, &c))
					continue;
				t->cells++;
				t->declared += expected(&c) != NOTHING_AT_ALL;
				t->wrong += !check(cw, before, &c);
			}
		}
	}
}

static void every_cell_of(enum cell_state state)
{
	struct cell_world cw;
	struct cell_result before;
	struct totals t = {0};

	cell_world_init(&cw, state);
	/* Shorter than a header: what the state holds by itself. */
	before = cell_run(&cw, (const uint8_t *)"", 1);
	assert_false(before.is_changed);
	for (size_t e = 0; e < sizeof(exchanges); e++) {
		for (size_t s = 0;
		     s < sizeof(payload_sets) / sizeof(payload_sets[0]); s++) {
			struct cell c = {.state = state,
			    .exchange = exchanges[e],
			    .payloads = payload_sets[s]};

			each_variant(&cw, &before, c, &t);
		}
	}
	cell_world_done(&cw);
	print_message("%s: %u cells, %u declared\n", state_names[state],
	    t.cells, t.declared);
	assert_int_equal(t.wrong, 0);
	assert_in_range(t.cells, 2000, 1000000);
	assert_in_range(t.declared, 4, t.cells / 10);
}

#define STATE_TEST(name, state)                                                \
	static void name(void **unused)                                        \
	{                                                                      \
		(void)unused;                                                  \
		every_cell_of(state);                                          \
	}

STATE_TEST(without_any_ike_sa, CELL_NOTHING)
STATE_TEST(after_message_2, CELL_WAIT3)
STATE_TEST(while_message_3_is_in_work, CELL_KEYING)
STATE_TEST(after_message_4, CELL_WAIT5)
STATE_TEST(after_message_4_with_several_keys, CELL_WAIT5_SEVERAL)
STATE_TEST(while_a_message_5_is_tried, CELL_TRYING)
STATE_TEST(when_up, CELL_UP)
STATE_TEST(while_quick_mode_computes, CELL_Q_KEYING)
STATE_TEST(while_quick_mode_waits_for_l2tpd, CELL_Q_PEER)
STATE_TEST(after_quick_mode_2, CELL_Q_SENT)
STATE_TEST(with_a_pair, CELL_CHILD)
STATE_TEST(after_our_message_1, CELL_I_SENT1)
STATE_TEST(after_our_message_3, CELL_I_SENT3)
STATE_TEST(after_our_message_5, CELL_I_SENT5)
STATE_TEST(after_our_quick_mode_1, CELL_I_QUICK)
STATE_TEST(after_our_renewal_began, CELL_I_RENEW)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_any_ike_sa),
	    cmocka_unit_test(after_message_2),
	    cmocka_unit_test(while_message_3_is_in_work),
	    cmocka_unit_test(after_message_4),
	    cmocka_unit_test(after_message_4_with_several_keys),
	    cmocka_unit_test(while_a_message_5_is_tried),
	    cmocka_unit_test(when_up),
	    cmocka_unit_test(while_quick_mode_computes),
	    cmocka_unit_test(while_quick_mode_waits_for_l2tpd),
	    cmocka_unit_test(after_quick_mode_2),
	    cmocka_unit_test(with_a_pair),
	    cmocka_unit_test(after_our_message_1),
	    cmocka_unit_test(after_our_message_3),
	    cmocka_unit_test(after_our_message_5),
	    cmocka_unit_test(after_our_quick_mode_1),
	    cmocka_unit_test(after_our_renewal_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
