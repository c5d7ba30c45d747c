/* SPDX-License-Identifier: ISC */
/*
 * A persona as our initiator against our responder, and what the two agree
 * on.  For cmocka tests only: include after cmocka.h.
 */
#ifndef TEST_LIB_PERSONA_PAIR_H
#define TEST_LIB_PERSONA_PAIR_H

#include "ikev1/core/profile.h"
#include "ikev1/core/vendor.h"
#include "test/lib/ike_pair.h"
#include "test/lib/personas.h"

#include <string.h>

#define A_MINUTE 60000
#define AN_HOUR 3600000

/* Both with a profile of the product. */
static inline struct ike_pair *pair_with(const char *profile, uint64_t seed)
{
	struct ike_pair *p = pair_new(seed);

	p->r->cfg.policy = p->i->cfg.policy = *profile_find(profile);
	ikew_crash(p->r);
	ikew_crash(p->i);
	return p;
}

static inline struct ike_pair *pair_for_all(uint64_t seed)
{
	return pair_with(PROFILE_DEFAULT, seed);
}

static inline bool has_pairs(const struct ike_pair *p, size_t pairs)
{
	return ikew_counts(p->i).pairs == pairs &&
	       ikew_counts(p->r).pairs == pairs &&
	       ikew_live_sas(p->i) == 2 * pairs &&
	       ikew_live_sas(p->r) == 2 * pairs;
}

static inline bool connects(struct ike_pair *p, const struct persona *persona)
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

static inline void conn(
    struct ike_pair *p, enum ike_event_type type, uint32_t job)
{
	struct ike_event ev = {.type = type, .job = job};

	ikew_step(p->i, &ev);
}

/* Connects a lazy client; the responder renews its IKE SA. */
static inline void renew(
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

#endif
