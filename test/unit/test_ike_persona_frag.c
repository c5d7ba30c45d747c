/* SPDX-License-Identifier: ISC */
/* Fragments between the personas and our responder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test/lib/persona_pair.h"

/* What one side has sent. */
struct sent {
	int fragments, whole;
	size_t longest; /* of what is no first message */
};

static bool look(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct sent *s = w->filter_ctx;
	static const uint8_t zero[8];

	(void)to_server;
	s->fragments += data[16] == ISAKMP_PAYLOAD_FRAGMENT;
	s->whole += data[16] != ISAKMP_PAYLOAD_FRAGMENT;
	if (memcmp(data + 8, zero, 8) && *len > s->longest)
		s->longest = *len;
	return true;
}

static void watch(struct ike_pair *p, struct sent *i, struct sent *r)
{
	*i = *r = (struct sent){0, 0, 0};
	p->i->filter = p->r->filter = look;
	p->i->filter_ctx = i;
	p->r->filter_ctx = r;
}

static bool takes_fragments(const struct persona *persona)
{
	for (size_t i = 0; i < persona->vid_count; i++) {
		struct wire_span v = {
		    persona->vids[i].value, persona->vids[i].len};

		if (VENDOR_BIT(vendor_recognise(v)) & VENDOR_FRAGMENTATION_ANY)
			return true;
	}
	return false;
}

/* Its messages may have so many bytes, the responder's packets 256. */
static struct ike_pair *narrow(const struct row *row, struct persona *copy,
    const struct persona **list, uint16_t bytes, uint64_t seed)
{
	struct ike_pair *p = pair_with(row->profile, seed);

	*copy = *persona_by_name(row->name);
	copy->name = "narrow";
	copy->fragment_over = bytes;
	*list = copy;
	p->i->cfg.personas = list;
	p->i->cfg.persona_count = 1;
	p->r->cfg.fragment_bytes = 256;
	ikew_crash(p->i);
	ikew_crash(p->r);
	return p;
}

/* Each persona whose Vendor IDs say so, natively and behind NAT. */
static void personas_and_responder_send_fragments(void **state)
{
	int with = 0;

	(void)state;
	for (size_t n = 0; n < CHOSEN * 4; n++) {
		struct persona copy;
		const struct persona *list[1];
		struct ike_pair *p =
		    narrow(&chosen[n / 4], &copy, list, 200, 90);
		struct sent i, r;

		p->nat_port = n & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = n & 2;
		watch(p, &i, &r);
		assert_true(connects(p, &copy));
		assert_int_equal(i.fragments > 0, takes_fragments(&copy));
		/* Elliptic curves' messages are short. */
		assert_int_equal(
		    r.fragments > 0, takes_fragments(&copy) &&
					 strstr(chosen[n / 4].ike, "modp"));
		if (takes_fragments(&copy)) {
			assert_in_range(i.longest, 190, 200);
			assert_in_range(r.longest, 150, 256 - 28);
			with++;
		}
		pair_free(p);
	}
	/* All but RouterOS and natt00. */
	assert_int_equal(with, 4 * (CHOSEN - 2));
}

/* A part that is lost costs a retransmission, no more. */
static void lost_fragments_only_cost_time(void **state)
{
	int up = 0, tries = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 4 * CHOSEN; seed++) {
		struct persona copy;
		const struct persona *list[1];
		struct ike_pair *p =
		    narrow(&chosen[seed % CHOSEN], &copy, list, 250, seed);
		struct sent i, r;

		p->nat_port = seed & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = seed & 2;
		pair_link(p, 10, 10, 100);
		watch(p, &i, &r);
		pair_connect(p, &copy);
		pair_run(p, 5 * A_MINUTE);
		assert_int_equal(i.fragments > 0, takes_fragments(&copy));
		up += ikew_counts(p->i).pairs >= 1 &&
		      ikew_counts(p->r).pairs >= 1;
		tries++;
		pair_free(p);
	}
	assert_true(up >= tries * 9 / 10);
}

/* Exactly one part of each message, the first time it leaves. */
struct lose {
	struct sent sent;
	uint8_t seen[64][16]; /* message id, size of the message's first part */
	int count, lost;
};

static bool lose_one(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct lose *l = w->filter_ctx;

	(void)to_server;
	(void)len;
	if (data[16] != ISAKMP_PAYLOAD_FRAGMENT || data[34] != 2)
		return true;
	for (int n = 0; n < l->count; n++)
		if (!memcmp(l->seen[n], data + 36, 16))
			return true;
	if (l->count == 64)
		return true;
	memcpy(l->seen[l->count++], data + 36, 16);
	l->lost++;
	return false;
}

static void a_lost_part_is_repeated_with_the_rest(void **state)
{
	(void)state;
	for (int way = 0; way < 8; way++) {
		struct persona copy;
		const struct persona *list[1];
		struct ike_pair *p = narrow(&chosen[4], &copy, list, 200, 91);
		struct lose i = {.count = 0}, r = {.count = 0};

		p->nat_port = way & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = way & 2;
		p->i->filter = p->r->filter = lose_one;
		p->i->filter_ctx = &i;
		p->r->filter_ctx = &r;
		pair_connect(p, &copy);
		assert_true(pair_up(p, A_MINUTE));
		pair_run(p, A_MINUTE);
		assert_true(has_pairs(p, 1));
		/* Messages 3 and Quick Mode 1; 4 and Quick Mode 2. */
		assert_true(i.lost >= 2);
		assert_true(r.lost >= 1);
		pair_free(p);
	}
}

/* Android's 20 transforms of Quick Mode are more than racoon sends at once. */
static void android_really_sends_fragments(void **state)
{
	const struct persona *android = persona_by_name("android11");
	struct ike_pair *p = pair_with("legacy", 92);
	struct sent i, r;

	(void)state;
	watch(p, &i, &r);
	assert_true(connects(p, android));
	assert_int_equal(i.fragments, 2);
	assert_in_range(i.longest, 500, android->fragment_over);
	assert_int_equal(r.fragments, 0);
	pair_free(p);
}

/* What the responder does not announce, nobody uses. */
static void no_fragments_without_agreement(void **state)
{
	struct persona copy;
	const struct persona *list[1];
	struct ike_pair *p = narrow(&chosen[0], &copy, list, 200, 93);
	struct sent i, r;

	(void)state;
	p->r->cfg.vendors_off = VENDOR_FRAGMENTATION_ANY;
	ikew_crash(p->r);
	watch(p, &i, &r);
	assert_true(connects(p, &copy));
	assert_int_equal(i.fragments + r.fragments, 0);
	pair_free(p);
}

/* The product itself: what the configuration says, in both roles. */
static void our_own_limit_is_the_configurations(void **state)
{
	(void)state;
	for (int off = 0; off < 2; off++) {
		struct ike_pair *p = pair_for_all(94);
		struct sent i, r;

		p->i->cfg.fragment_bytes = 256;
		p->i->cfg.vendors_off = off ? VENDOR_FRAGMENTATION_ANY : 0;
		ikew_crash(p->i);
		watch(p, &i, &r);
		assert_true(connects(p, &persona_default));
		assert_int_equal(i.fragments > 0, !off);
		assert_int_equal(i.longest <= 256 - 28, !off);
		assert_int_equal(r.fragments, 0);
		pair_free(p);
	}
}

/* The server renews the IKE SA: fragments as before, in both directions. */
static void a_renewal_of_the_servers_has_fragments(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = *persona_by_name("networkmanager");
		struct ike_pair *p = pair_for_all(95);
		struct sent i, r;

		p->r->cfg.fragment_bytes = p->i->cfg.fragment_bytes = 256;
		lazy.fragment_over = 0;
		watch(p, &i, &r);
		renew(p, &lazy, 40000, save);
		/* Messages 4 and Quick Mode 2 from the server, then its own
		 * message 3; message 4 from the client. */
		assert_int_equal(r.fragments, 6);
		assert_int_equal(i.fragments, 3);
		assert_int_equal(ikew_log_count(p->i, "IKE SA established"), 2);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(personas_and_responder_send_fragments),
	    cmocka_unit_test(lost_fragments_only_cost_time),
	    cmocka_unit_test(a_lost_part_is_repeated_with_the_rest),
	    cmocka_unit_test(android_really_sends_fragments),
	    cmocka_unit_test(no_fragments_without_agreement),
	    cmocka_unit_test(our_own_limit_is_the_configurations),
	    cmocka_unit_test(a_renewal_of_the_servers_has_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
