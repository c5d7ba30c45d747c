/* SPDX-License-Identifier: ISC */
/* NAT traversal: RFC 3947's vendor ids and NAT-D payloads; keep-alives. */
#include "ikev1/core/ike_priv.h"

#define ALIVE_MS 20000 /* RFC 3948 section 4: the default */

uint32_t natt_usable(
    const struct ike *ike, const struct addr *local, uint32_t vendors)
{
	bool has_old = ike->cfg.has_esp_500 && local->family == ADDR_IPV4 &&
		       local->port == ISAKMP_PORT;

	return has_old ? vendors : vendors & ~VENDOR_NATT_OLD;
}

void natt_choose(struct ike_sa *sa, uint32_t vendors)
{
	enum vendor v = vendor_best_natt(vendors);

	sa->nat_d_type = v == VENDOR_NATT_RFC3947 ? ISAKMP_PAYLOAD_NAT_D
						  : ISAKMP_PAYLOAD_NAT_D_DRAFT;
	if (v == VENDOR_UNKNOWN)
		sa->nat_d_type = 0;
	sa->on_500 = VENDOR_BIT(v) & VENDOR_NATT_OLD;
}

static int nat_d(struct ike *ike, const struct ike_sa *sa, const struct addr *a,
    uint8_t out[IKE_KEY_MAX])
{
	struct wire_span cky_i = {sa->cky_i, COOKIE_LEN};
	struct wire_span cky_r = {sa->cky_r, COOKIE_LEN};

	return keymat_nat_d(
	    ike->cfg.crypto, sa->suite.hash, cky_i, cky_r, a, out);
}

/*
 * UDP encapsulation without NAT, for clients whose network drops ESP: the
 * NAT-D about us will not match, so the client takes us to be behind NAT,
 * floats and encapsulates.
 */
static void force(struct ike *ike, struct ike_sa *sa)
{
	bool is_wanted =
	    sa->forced || ike_policy_for(ike, &sa->peer)->force_encap;

	sa->forced = is_wanted && !sa->client_nat && !sa->server_nat;
	sa->server_nat |= sa->forced;
}

/*
 * RFC 3947 section 3.2: the first NAT-D is about the receiver, us; the
 * others are about the sender, who may have several addresses.
 */
void natt_detect(
    struct ike *ike, struct ike_sa *sa, const struct isakmp_payloads *p)
{
	uint8_t ours[IKE_KEY_MAX], theirs[IKE_KEY_MAX];
	int our_len = nat_d(ike, sa, &sa->local, ours);
	int their_len = nat_d(ike, sa, &sa->peer, theirs);
	const struct isakmp_payload *d;
	size_t n = 0;

	if (!sa->nat_d_type || our_len < 0 || their_len < 0) {
		sa->forced = false;
		return;
	}
	if (isakmp_payload_count(p, sa->nat_d_type) < 2) {
		/* It announced NAT traversal but does without. */
		sa->nat_d_type = 0;
		sa->on_500 = false;
		sa->forced = false;
		return;
	}
	sa->client_nat = true;
	while ((d = isakmp_payload_find_nth(p, sa->nat_d_type, n))) {
		struct wire_span us = {ours, (size_t)our_len};
		struct wire_span them = {theirs, (size_t)their_len};

		if (n == 0)
			sa->server_nat = !wire_span_equal(d->body, us);
		else if (wire_span_equal(d->body, them))
			sa->client_nat = false;
		n++;
	}
	force(ike, sa);
}

int natt_put(struct ike *ike, const struct ike_sa *sa, struct reply *r)
{
	struct addr about[] = {sa->peer, sa->local};

	if (!sa->nat_d_type)
		return 0;
	/* Nobody sends from port 0. */
	if (sa->forced)
		about[1].port = 0;
	for (size_t i = 0; i < 2; i++) {
		uint8_t hash[IKE_KEY_MAX];
		int len = nat_d(ike, sa, &about[i], hash);

		if (len < 0)
			return len;
		isakmp_build_payload(&r->b, sa->nat_d_type,
		    (struct wire_span){hash, (size_t)len});
	}
	return 0;
}

/* As flags: by who we are, the peer behind NAT, we behind NAT. */
const char *natt_text(const struct ike_sa *sa)
{
	static const char *const texts[2][2][2] = {
	    {{"", ", server behind NAT"},
		{", client behind NAT", ", client and server behind NAT"}},
	    {{"", ", we are behind NAT"},
		{", the peer is behind NAT",
		    ", we and the peer are behind NAT"}},
	};

	if (sa->forced)
		return ", UDP encapsulation forced";
	return texts[sa->initiator][sa->client_nat][sa->server_nat];
}

/* --- keep-alives --------------------------------------------------------- */

/* Of the IKE SAs of a connection the newest is the one that sends. */
static bool is_newest(const struct ike_sa *sa)
{
	const struct ike_sa *other = sa->path->sas;

	while (other && (other->conn != sa->conn || other->state != SA_UP ||
			    other->up_age <= sa->up_age))
		other = other->path_next;
	return !other;
}

void natt_alive_start(struct ike *ike, struct ike_sa *sa)
{
	if (!sa->conn || !sa->server_nat || sa->forced)
		return;
	sa->alive_ms = ike->now + ALIVE_MS;
	sa_wake(ike, sa, sa->alive_ms);
}

/* The timer asks again when it runs too early. */
void natt_alive_sent(const struct ike *ike, struct ike_sa *sa)
{
	if (sa->alive_ms != NEVER)
		sa->alive_ms = ike->now + ALIVE_MS;
}

/* What the kernel sends, ESP, does not show here: at worst one octet is sent
 * in vain. */
void natt_alive_timer(struct ike *ike, struct ike_sa *sa)
{
	struct ike_action *a;

	if (sa->alive_ms == NEVER)
		return;
	if (ike->now >= sa->alive_ms && is_newest(sa)) {
		a = act(ike, IKE_ACT_KEEPALIVE);
		a->local = sa->local;
		a->peer = sa->peer;
	}
	if (ike->now >= sa->alive_ms)
		sa->alive_ms = ike->now + ALIVE_MS;
	sa_wake(ike, sa, sa->alive_ms);
}
