/* SPDX-License-Identifier: ISC */
/*
 * Each client of the matrix, played by our initiator, against our
 * responder; renewals of the IKE SA; how connections end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ikev1/core/profile.h"
#include "ikev1/core/vendor.h"
#include "test/lib/ike_pair.h"
#include "test/lib/personas.h"

#include <string.h>

#define A_MINUTE 60000
#define AN_HOUR 3600000

/* Both with a profile of the product. */
static struct ike_pair *pair_with(const char *profile, uint64_t seed)
{
	struct ike_pair *p = pair_new(seed);

	p->r->cfg.policy = p->i->cfg.policy = *profile_find(profile);
	ikew_crash(p->r);
	ikew_crash(p->i);
	return p;
}

static struct ike_pair *pair_for_all(uint64_t seed)
{
	return pair_with(PROFILE_DEFAULT, seed);
}

static bool has_pairs(const struct ike_pair *p, size_t pairs)
{
	return ikew_counts(p->i).pairs == pairs &&
	       ikew_counts(p->r).pairs == pairs &&
	       ikew_live_sas(p->i) == 2 * pairs &&
	       ikew_live_sas(p->r) == 2 * pairs;
}

static bool connects(struct ike_pair *p, const struct persona *persona)
{
	pair_connect(p, persona);
	if (!pair_up(p, A_MINUTE))
		return false;
	pair_run(p, 2000);
	return has_pairs(p, 1) && ikew_peers_in(p->i, WORLD_PEER_UP) == 1 &&
	       ikew_peers_in(p->r, WORLD_PEER_UP) == 1;
}

/* The suites that our ranking picks from each one's list. */
static const struct row {
	const char *name, *profile, *ike, *suites;
} chosen[] = {
    {"windows10", "compatible", "aes128-sha1-ecp256",
	"aes128-sha1-ecp256/aes256-sha1"},
    {"ios", "compatible", "aes256-sha256-modp2048",
	"aes256-sha256-modp2048/aes256-sha256"},
    {"android11", "legacy", "aes256-sha384-modp1024",
	"aes256-sha384-modp1024/aes256-sha512"},
    {"chromeos", "compatible", "aes128-sha256-modp3072",
	"aes128-sha256-modp3072/aes128gcm16"},
    {"networkmanager", "compatible", "aes256-sha256-modp2048",
	"aes256-sha256-modp2048/aes256-sha1"},
    {"xl2tpd", "compatible", "aes128-sha1-modp2048",
	"aes128-sha1-modp2048/aes128-sha1"},
    {"routeros", "compatible", "aes128-sha1-modp2048",
	"aes128-sha1-modp2048/aes256-sha1-modp1024"},
    {"natt00", "compatible", "aes128-sha1-modp2048",
	"aes128-sha1-modp2048/aes128-sha1"},
};
#define CHOSEN (sizeof(chosen) / sizeof(chosen[0]))

static void each_persona_connects(void **state)
{
	(void)state;
	assert_int_equal(CHOSEN, persona_total);
	for (size_t i = 0; i < CHOSEN; i++) {
		for (int way = 0; way < 4; way++) {
			struct ike_pair *p =
			    pair_with(chosen[i].profile, 1 + i);

			p->nat_port = way & 1 ? 40000 : 0;
			p->i->save_often = p->r->save_often = way & 2;
			assert_true(
			    connects(p, persona_by_name(chosen[i].name)));
			assert_true(ikew_logged(p->r, chosen[i].ike));
			assert_true(ikew_logged(p->i, chosen[i].ike));
			assert_string_equal(
			    p->r->peer[0].up.suite, chosen[i].suites);
			pair_free(p);
		}
	}
}

static void conn(struct ike_pair *p, enum ike_event_type type, uint32_t job)
{
	struct ike_event ev = {.type = type, .job = job};

	ikew_step(p->i, &ev);
}

/* IPsec, IKE, IPsec under the new IKE SA; then it leaves. */
static void renews_and_leaves(const struct row *row, int way)
{
	const struct persona *persona = persona_by_name(row->name);
	struct ike_pair *p = pair_with(row->profile, 15);
	uint64_t r;

	p->nat_port = way & 1 ? 40000 : 0;
	p->i->save_often = p->r->save_often = way & 2;
	assert_true(connects(p, persona));
	r = p->r->peer[0].r;
	conn(p, IKE_EV_CONN_REKEY_ESP, 1);
	pair_run(p, 3000);
	assert_true(has_pairs(p, 2));
	conn(p, IKE_EV_CONN_REKEY, 1);
	pair_run(p, 3000);
	assert_int_equal(p->i->conn_ups, 2);
	conn(p, IKE_EV_CONN_REKEY_ESP, 1);
	pair_run(p, 3000);
	assert_true(has_pairs(p, 3));
	assert_int_equal(p->r->peer_count, 1);
	assert_int_equal(p->r->peer[0].r, r);
	assert_string_equal(p->r->peer[0].up.suite, row->suites);
	conn(p, IKE_EV_CONN_CLOSE, 1);
	pair_run(p, 1000);
	assert_int_equal(ikew_live_sas(p->i), 0);
	assert_int_equal(ikew_counts(p->i).sas, 0);
	assert_int_equal(
	    ikew_live_sas(p->r), persona->end == PERSONA_END_DELETE ? 0 : 6);
	pair_free(p);
}

static void each_persona_renews_and_leaves(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHOSEN; i++)
		for (int way = 0; way < 4; way++)
			renews_and_leaves(&chosen[i], way);
}

/* Clients that only know what a current responder refuses. */
static void old_groups_are_refused(void **state)
{
	struct ike_pair *p = pair_for_all(20);

	(void)state;
	pair_connect(p, persona_by_name("android11"));
	assert_false(pair_up(p, AN_HOUR));
	assert_true(ikew_logged(p->r, "modp1024"));
	assert_non_null(strstr(p->i->conn_text, "NO-PROPOSAL-CHOSEN"));
	pair_free(p);
}

/* Message 1 of Windows 10 has 408 bytes in the captures; header, SA with 3
 * transforms of 40 and 2 of 36 bytes, 8 Vendor IDs. */
static void windows_is_as_long_as_seen(void **state)
{
	struct ike_pair *p = pair_for_all(21);

	(void)state;
	p->is_cut = true;
	pair_connect(p, persona_by_name("windows10"));
	assert_int_equal(p->i->last_out_len, 408);
	pair_free(p);
}

static void names_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < persona_total; i++) {
		assert_ptr_equal(
		    persona_by_name(personas[i]->name), personas[i]);
		assert_true(strlen(personas[i]->name) < PERSONA_NAME_MAX);
		assert_true(personas[i]->retry.tries > 1);
	}
	assert_null(persona_by_name("nobody"));
}

/* Make before break: the pair of IPsec SAs and R stay. */
static void the_initiator_renews_its_ike_sa(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct ike_pair *p = pair_for_all(30);
		uint64_t r;

		p->nat_port = way & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = way & 2;
		assert_true(connects(p, &persona_default));
		r = p->r->peer[0].r;
		conn(p, IKE_EV_CONN_REKEY, 1);
		pair_run(p, 2000);
		/* The old one is still there for a while. */
		assert_int_equal(ikew_counts(p->i).sas, 2);
		assert_int_equal(ikew_counts(p->r).sas, 2);
		assert_int_equal(p->i->conn_ups, 2);
		pair_run(p, 40000);
		assert_int_equal(ikew_counts(p->i).sas, 1);
		assert_int_equal(ikew_counts(p->r).sas, 1);
		assert_true(has_pairs(p, 1));
		assert_int_equal(p->r->peer_count, 1);
		assert_int_equal(p->r->peer[0].r, r);
		/* The new one carries: an end under it is heard. */
		conn(p, IKE_EV_CONN_CLOSE, 1);
		pair_run(p, 2000);
		assert_int_equal(ikew_live_sas(p->r), 0);
		assert_int_equal(ikew_counts(p->r).sas, 0);
		pair_free(p);
	}
}

/* By time alone: after 85 % of 8 hours, again and again. */
static void time_renews_too(void **state)
{
	struct ike_pair *p = pair_for_all(31);

	(void)state;
	assert_true(connects(p, &persona_default));
	pair_run(p, 28800000ull * 84 / 100);
	assert_int_equal(p->i->conn_ups, 1);
	for (int n = 2; n < 5; n++) {
		pair_run(p, 28800000ull * 85 / 100);
		assert_int_equal(p->i->conn_ups, n);
		assert_true(ikew_counts(p->i).sas <= 2);
		assert_int_equal(p->r->peer_count, 1);
	}
	pair_free(p);
}

/* A client that never does it: the responder begins, towards its NAT. */
static void the_responder_renews_when_the_client_does_not(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		struct persona lazy = *persona_by_name("windows10");
		const struct persona *list[] = {&lazy};
		struct ike_pair *p = pair_for_all(32);

		lazy.name = "lazy";
		lazy.rekey_ike_percent = 0;
		p->i->cfg.personas = list;
		p->i->cfg.persona_count = 1;
		ikew_crash(p->i);
		p->nat_port = way & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = way & 2;
		assert_true(connects(p, &lazy));
		pair_run(p, 28800000ull * 94 / 100);
		assert_false(ikew_logged(p->r, "renewing its IKE SA"));
		pair_run(p, 28800000ull * 2 / 100);
		assert_true(ikew_logged(p->r, "renewing its IKE SA"));
		/* Past the end of the first one. */
		pair_run(p, 28800000ull * 8 / 100);
		assert_int_equal(ikew_counts(p->r).sas, 1);
		assert_int_equal(ikew_counts(p->i).sas, 1);
		assert_true(has_pairs(p, 1));
		assert_int_equal(p->r->peer_count, 1);
		assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
		pair_free(p);
	}
}

/* Connects a lazy client; the responder renews its IKE SA. */
static void renew(
    struct ike_pair *p, struct persona *lazy, uint16_t nat_port, int save)
{
	const struct persona *list[] = {lazy};

	lazy->name = "lazy";
	lazy->rekey_ike_percent = 0;
	p->i->cfg.personas = list;
	p->i->cfg.persona_count = 1;
	ikew_crash(p->i);
	ikew_crash(p->r);
	p->nat_port = nat_port;
	p->i->save_often = p->r->save_often = save;
	assert_true(connects(p, lazy));
	pair_run(p, 28800000ull * 96 / 100);
	assert_true(ikew_logged(p->r, "renewing its IKE SA"));
	p->i->save_often = false; /* the list ends here */
}

static void expect_encap(const struct ikew *w)
{
	for (size_t i = 0; i < w->sa_count; i++)
		assert_true(!w->sa[i].is_live || w->sa[i].sa.encap);
}

/* The client renews its pair under the newest IKE SA; R stays. */
static void expect_renewal(struct ike_pair *p)
{
	struct ike_event ev = {.type = IKE_EV_EXPIRE, .r = p->i->peer[0].r};
	size_t at = 0;

	while (!p->i->sa[at].is_live)
		at++;
	ev.spi = p->i->sa[at].sa.spi;
	ikew_log_clear(p->r);
	ikew_step(p->i, &ev);
	pair_run(p, 5000);
	assert_true(ikew_logged(p->r, "IPsec SAs in"));
	assert_false(ikew_logged(p->r, "refused"));
	assert_true(has_pairs(p, 2));
	assert_int_equal(p->r->peer_count, 1);
	assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
	expect_encap(p->r);
	expect_encap(p->i);
}

/* Only drafts of NAT traversal: still behind the NAT after the renewal. */
static void a_client_of_drafts_is_renewed(void **state)
{
	static const struct persona_vid vids[] = {
	    {16, {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17,
		     0x9d, 0x92, 0x15, 0x52, 0x9d, 0x56}},
	    {16, {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63,
		     0x81, 0xb5, 0xec, 0x42, 0x7b, 0x1f}},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct persona lazy = persona_default;
		struct ike_pair *p = pair_for_all(33);

		lazy.vids = &vids[i / 2];
		lazy.vid_count = 1;
		p->i->cfg.vendors_off =
		    vendor_word("rfc3947") |
		    vendor_word(i / 2 ? "nat-t-03" : "nat-t-02");
		renew(p, &lazy, 40000, i % 2);
		expect_renewal(p);
		pair_free(p);
	}
}

/* Forced UDP encapsulation is forced in the renewed IKE SA too. */
static void a_forced_client_is_renewed(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = persona_default;
		struct ike_pair *p = pair_for_all(33);

		p->r->cfg.policy.force_encap = true;
		renew(p, &lazy, 0, save);
		assert_int_equal(
		    ikew_log_count(p->r, "UDP encapsulation forced"), 2);
		assert_true(ikew_logged(p->i, "behind NAT"));
		expect_renewal(p);
		pair_free(p);
	}
}

/* The server is who it was: local-id holds for renewals as well. */
static void a_renewal_has_the_local_id(void **state)
{
	static const char name[] = "vpn.example.net";

	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = *persona_by_name("windows10");
		struct ike_pair *p = pair_for_all(34);

		p->r->cfg.local_id_type = IPSEC_ID_FQDN;
		p->r->cfg.local_id_len = strlen(name);
		memcpy(p->r->cfg.local_id, name, strlen(name));
		renew(p, &lazy, 40000, save);
		assert_string_equal(p->i->peer[0].up.identity, name);
		assert_int_equal(p->i->peer_count, 1);
		assert_int_equal(ikew_peers_in(p->i, WORLD_PEER_UP), 1);
		assert_int_equal(ikew_log_count(p->i, "IKE SA established"), 2);
		expect_renewal(p);
		pair_free(p);
	}
}

/* A client that calls itself otherwise when it answers: its R stays. */
static void an_answer_with_another_id_ends_no_r(void **state)
{
	(void)state;
	for (int save = 0; save < 2; save++) {
		struct persona lazy = persona_default;
		struct ike_pair *p = pair_for_all(33);

		lazy.id_form = PERSONA_ID_FQDN;
		lazy.id_text = "pc.example.net";
		renew(p, &lazy, 40000, save);
		assert_true(ikew_logged(p->r, "another ID"));
		assert_true(has_pairs(p, 1));
		assert_int_equal(ikew_peers_in(p->r, WORLD_PEER_UP), 1);
		assert_int_equal(p->r->peer_count, 1);
		/* Nobody keeps the new one. */
		assert_int_equal(ikew_counts(p->r).sas, 1);
		assert_int_equal(ikew_counts(p->i).sas, 1);
		pair_free(p);
	}
}

/* Both at once: neither deletes what the other made; one use, one R. */
static void both_may_renew_at_once(void **state)
{
	(void)state;
	for (uint64_t seed = 40; seed < 48; seed++) {
		struct persona twin = *persona_by_name("windows10");
		const struct persona *list[] = {&twin};
		struct ike_pair *p = pair_for_all(seed);

		twin.name = "twin";
		twin.rekey_ike_percent = 95;
		p->i->cfg.personas = list;
		p->i->cfg.persona_count = 1;
		ikew_crash(p->i);
		p->i->save_often = p->r->save_often = seed & 1;
		assert_true(connects(p, &twin));
		pair_link(p, 0, 0, 30);
		pair_run(p, 28800000ull * 96 / 100);
		assert_true(ikew_logged(p->r, "renewing its IKE SA"));
		assert_true(ikew_logged(p->i, "renewing its IKE SA"));
		assert_true(ikew_counts(p->i).sas >= 1);
		assert_int_equal(ikew_counts(p->i).sas, ikew_counts(p->r).sas);
		assert_true(ikew_counts(p->r).sas <= 2);
		assert_true(has_pairs(p, 1));
		assert_int_equal(p->r->peer_count, 1);
		/* The next time as well: no growth. */
		pair_run(p, 28800000ull * 98 / 100);
		assert_true(ikew_counts(p->r).sas <= 2);
		assert_true(ikew_counts(p->r).sas >= 1);
		pair_free(p);
	}
}

/* Nobody renews what serves nobody. */
static void an_idle_ike_sa_ends(void **state)
{
	struct ike_pair *p = pair_for_all(50);

	(void)state;
	p->r->add_error = -5;
	pair_connect(p, &persona_default);
	assert_true(pair_up(p, A_MINUTE));
	pair_run(p, 10ull * AN_HOUR);
	assert_false(ikew_logged(p->i, "renewing its IKE SA"));
	assert_int_equal(ikew_counts(p->r).sas, 0);
	pair_free(p);
}

/* A renewal that fails leaves the old one, and is tried again. */
static void a_failed_renewal_is_repeated(void **state)
{
	struct ike_pair *p = pair_for_all(51);

	(void)state;
	assert_true(connects(p, persona_by_name("windows10")));
	p->is_cut = true;
	conn(p, IKE_EV_CONN_REKEY, 1);
	pair_run(p, 2 * A_MINUTE);
	assert_int_equal(p->i->conn_failures, 0);
	assert_true(ikew_logged(p->i, "in place of the old one"));
	assert_int_equal(p->i->conn_ups, 1);
	p->is_cut = false;
	pair_run(p, 2 * A_MINUTE);
	assert_int_equal(p->i->conn_ups, 2);
	assert_true(has_pairs(p, 1));
	pair_free(p);
}

static void the_initiator_renews_its_pair(void **state)
{
	struct ike_pair *p = pair_for_all(52);

	(void)state;
	assert_true(connects(p, persona_by_name("windows10")));
	conn(p, IKE_EV_CONN_REKEY_ESP, 1);
	pair_run(p, 3000);
	assert_true(has_pairs(p, 2));
	assert_int_equal(p->r->peer_count, 1);
	/* Of an unknown connection: nothing. */
	conn(p, IKE_EV_CONN_REKEY_ESP, 77);
	conn(p, IKE_EV_CONN_REKEY, 77);
	conn(p, IKE_EV_CONN_CLOSE, 77);
	conn(p, IKE_EV_CONN_CLOSE, 0);
	assert_int_equal(ikew_counts(p->i).sas, 1);
	pair_free(p);
}

/* Windows: ESP, then IKE, each in its own message; iOS: not a word. */
static void connections_end_as_their_personas_do(void **state)
{
	static const struct {
		const char *name;
		int messages;
		size_t left;
	} rows[] = {{"windows10", 2, 0}, {"ios", 0, 2}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct ike_pair *p = pair_for_all(60 + i);
		int sends;

		assert_true(connects(p, persona_by_name(rows[i].name)));
		sends = p->i->sends;
		conn(p, IKE_EV_CONN_CLOSE, 1);
		pair_run(p, 1000);
		assert_int_equal(p->i->sends - sends, rows[i].messages);
		assert_int_equal(ikew_live_sas(p->i), 0);
		assert_int_equal(ikew_counts(p->i).sas, 0);
		assert_int_equal(ikew_live_sas(p->r), rows[i].left);
		pair_free(p);
	}
}

/* In the middle of a handshake as well. */
static void it_can_be_closed_at_any_time(void **state)
{
	(void)state;
	for (uint64_t ms = 0; ms < 60; ms += 2) {
		struct ike_pair *p = pair_for_all(70);

		p->i->save_often = true;
		pair_connect(p, &persona_default);
		pair_run(p, ms);
		conn(p, IKE_EV_CONN_CLOSE, 1);
		assert_int_equal(ikew_counts(p->i).sas, 0);
		pair_run(p, A_MINUTE);
		assert_int_equal(ikew_live_sas(p->i), 0);
		assert_int_equal(ikew_counts(p->i).peers, 0);
		pair_free(p);
	}
}

/* The whole way over a bad link. */
static void a_bad_link_only_costs_time(void **state)
{
	int up = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct ike_pair *p = pair_for_all(100 + seed);

		p->nat_port = seed & 1 ? 40000 : 0;
		p->i->save_often = p->r->save_often = seed & 2;
		pair_link(p, 20, 10, 200);
		pair_connect(p, personas[seed % 2 ? 0 : 4]);
		pair_run(p, 5 * A_MINUTE);
		up += ikew_counts(p->i).pairs >= 1 &&
		      ikew_counts(p->r).pairs >= 1;
		pair_free(p);
	}
	assert_true(up >= 18);
}

/* Its own share of the lifetimes; ours comes later. */
static void each_persona_has_its_own_soft_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHOSEN; i++) {
		const struct persona *persona = persona_by_name(chosen[i].name);
		struct ike_pair *p = pair_with(chosen[i].profile, 80);
		uint64_t bytes = persona->esp.kilobytes * 1024ull;

		assert_true(connects(p, persona));
		for (size_t n = 0; n < 2; n++) {
			const struct ike_kernel_sa *sa = &p->i->sa[n].sa;
			const struct ike_kernel_sa *ours = &p->r->sa[n].sa;
			bool is_in = sa->dir == IKE_SA_IN;

			assert_int_equal(sa->soft_s,
			    is_in ? persona->esp.seconds *
					persona->rekey_esp_percent / 100
				  : 0);
			assert_int_equal(sa->soft_bytes,
			    bytes / 100 * persona->rekey_esp_percent);
			if (ours->dir == IKE_SA_IN)
				assert_true(ours->soft_s >
					    persona->esp.seconds * 91 / 100);
			assert_true(sa->hard_s > persona->esp.seconds);
		}
		pair_free(p);
	}
}

/* --- fragments ----------------------------------------------------------- */

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
	    cmocka_unit_test(each_persona_connects),
	    cmocka_unit_test(each_persona_renews_and_leaves),
	    cmocka_unit_test(old_groups_are_refused),
	    cmocka_unit_test(windows_is_as_long_as_seen),
	    cmocka_unit_test(names_are_unique),
	    cmocka_unit_test(the_initiator_renews_its_ike_sa),
	    cmocka_unit_test(time_renews_too),
	    cmocka_unit_test(the_responder_renews_when_the_client_does_not),
	    cmocka_unit_test(a_client_of_drafts_is_renewed),
	    cmocka_unit_test(a_forced_client_is_renewed),
	    cmocka_unit_test(a_renewal_has_the_local_id),
	    cmocka_unit_test(an_answer_with_another_id_ends_no_r),
	    cmocka_unit_test(both_may_renew_at_once),
	    cmocka_unit_test(an_idle_ike_sa_ends),
	    cmocka_unit_test(a_failed_renewal_is_repeated),
	    cmocka_unit_test(the_initiator_renews_its_pair),
	    cmocka_unit_test(connections_end_as_their_personas_do),
	    cmocka_unit_test(it_can_be_closed_at_any_time),
	    cmocka_unit_test(a_bad_link_only_costs_time),
	    cmocka_unit_test(each_persona_has_its_own_soft_limits),
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
