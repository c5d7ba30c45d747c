/* SPDX-License-Identifier: ISC */
/*
 * NAT-OA of each persona as our responder has read it from the wire: type
 * and number by RFC 3947 and by the drafts, in renewals of both sides too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/ike_priv.h"
#include "ikev1/core/profile.h"
#include "test/lib/ike_pair.h"
#include "test/lib/personas.h"

#define A_MINUTE 60000
#define RFC ISAKMP_PAYLOAD_NAT_OA
#define DRAFT ISAKMP_PAYLOAD_NAT_OA_DRAFT

static const struct row {
	const char *persona;
	bool is_nat, is_draft;
	uint8_t type;
	int count;
} rows[] = {
    {"windows10", true, false, RFC, 2},
    {"windows10", true, true, DRAFT, 1},
    {"windows10", false, false, 0, 0},
    {"windows10", false, true, 0, 0},
    {"ios", true, false, RFC, 2},
    {"ios", true, true, DRAFT, 2},
    {"ios", false, false, 0, 0},
    {"android11", true, false, RFC, 2},
    {"android11", true, true, DRAFT, 2},
    {"chromeos", true, false, RFC, 2},
    {"chromeos", true, true, DRAFT, 2},
    {"networkmanager", true, true, DRAFT, 2},
    {"xl2tpd", true, true, DRAFT, 2},
    {"routeros", true, false, RFC, 2},
    {"routeros", true, true, DRAFT, 2},
    {"default", true, false, RFC, 2},
    {"default", true, true, DRAFT, 1},
    {"default", false, false, 0, 0},
};

static struct ike_pair *connected(const struct row *row, bool save)
{
	struct ike_pair *p = pair_new(1);

	p->i->cfg.policy = p->r->cfg.policy = *profile_find("legacy");
	p->r->cfg.vendors_off = row->is_draft ? vendor_word("rfc3947") : 0;
	ikew_crash(p->i);
	ikew_crash(p->r);
	p->nat_port = row->is_nat ? 40000 : 0;
	p->i->save_often = p->r->save_often = save;
	pair_connect(p, persona_by_name(row->persona));
	assert_true(pair_up(p, A_MINUTE));
	pair_run(p, 2000);
	return p;
}

/* What w's newest pair was made with. */
static void expect(const struct ikew *w, const struct row *row, size_t pairs)
{
	const struct terms *t = &w->ike->peers->terms;

	assert_int_equal(ikew_counts(w).pairs, pairs);
	assert_int_equal(t->oa_type, row->type);
	assert_int_equal(t->oa_type ? 2 - t->oa_one : 0, row->count);
}

static void each_persona_sends_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i / 2];
		struct ike_event ev = {.type = IKE_EV_CONN_REKEY_ESP, .job = 1};
		struct ike_pair *p = connected(row, i & 1);

		expect(p->r, row, 1);
		ikew_step(p->i, &ev);
		pair_run(p, 2000);
		expect(p->r, row, 2);
		pair_free(p);
	}
}

/* The server's renewal looks like what the client sent. */
static void the_server_renews_with_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i / 2];
		struct ike_pair *p = connected(row, i & 1);
		struct ike_event ev = {
		    .type = IKE_EV_EXPIRE, .r = p->r->peer[0].r};

		ev.spi = p->r->sa[0].sa.spi;
		ikew_step(p->r, &ev);
		pair_run(p, 2000);
		expect(p->i, row, 2);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_persona_sends_its_own),
	    cmocka_unit_test(the_server_renews_with_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
