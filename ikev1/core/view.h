/* SPDX-License-Identifier: ISC */
/*
 * Looking at the machine from outside, for `sallyport show sas`.  Nothing
 * changes and no key is shown.
 */
#ifndef IKEV1_CORE_VIEW_H
#define IKEV1_CORE_VIEW_H

#include "ikev1/core/ike.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/core/proposal_suite.h"

#define VIEW_NONE UINT64_MAX /* of a time: there is none */

/* Times are milliseconds: of the past "ago", of the future "from now". */
struct view_sa {
	struct addr local, peer;
	const char *identity; /* "" before message 5 */
	const char *state;    /* "established", "message 4 sent"... */
	bool is_initiator;    /* we are */
	bool client_nat, server_nat;
	uint8_t cky_i[ISAKMP_COOKIE_LEN], cky_r[ISAKMP_COOKIE_LEN];
	char suite[PROPOSAL_SUITE_MAX];
	uint32_t psk_line;
	uint64_t age;	  /* since it was established; or VIEW_NONE */
	uint64_t expires; /* in; or VIEW_NONE */
	uint64_t heard;	  /* the newest authenticated message, ago */
	bool has_dpd;
	uint8_t dpd_tries; /* R-U-THERE without an answer */
};

struct view_pair {
	uint64_t r;
	uint32_t slot;
	struct addr local, peer;
	const char *identity;
	const char *suite; /* both phases, with the group of PFS */
	const char *state;
	uint32_t spi_in, spi_out; /* host order */
	bool is_encap;
	uint64_t age;			 /* or VIEW_NONE */
	uint64_t rekeys, expires;	 /* in; or VIEW_NONE */
	uint64_t soft_bytes, hard_bytes; /* its limits by volume; 0: none */
};

struct view {
	void (*sa)(void *ctx, const struct view_sa *sa);
	void (*pair)(void *ctx, const struct view_pair *pair);
	void *ctx;
};

/* Calls sa for every IKE SA and pair for every pair of IPsec SAs. */
void ike_view(const struct ike *ike, uint64_t now_ms, const struct view *v);

#endif
