/* SPDX-License-Identifier: ISC */
/* Vendor IDs (RFC 2408 section 3.16): which we know, and their values. */
#ifndef IKEV1_CORE_VENDOR_H
#define IKEV1_CORE_VENDOR_H

#include "common/wire.h"

#include <stdbool.h>

enum vendor {
	VENDOR_UNKNOWN,
	VENDOR_NATT_RFC3947,
	VENDOR_NATT_03,	   /* draft-ietf-ipsec-nat-t-ike-03 */
	VENDOR_NATT_02_LF, /* -02 with the line feed some hashed along */
	VENDOR_NATT_02,
	VENDOR_NATT_01,
	VENDOR_NATT_00,
	VENDOR_NATT_DRAFT,	 /* without a number: Apple */
	VENDOR_DPD,		 /* RFC 3706 section 5.1 */
	VENDOR_FRAGMENTATION_16, /* Windows: without capabilities */
	VENDOR_FRAGMENTATION,	 /* 16 bytes and capabilities */
	VENDOR_MS_NT5,		 /* Windows: 16 bytes and a version */
	VENDOR_MS_INITIAL_CONTACT,
	VENDOR_MS_NEGOTIATION_DISCOVERY,
	VENDOR_MS_IKE_CGA,
	VENDOR_MS_AUTHIP,
	VENDOR_XAUTH,
	VENDOR_UNITY,
	VENDORS,
};

/* Which one the body of a VID payload is; lengths are checked first. */
enum vendor vendor_recognise(struct wire_span body);
/* "RFC 3947", "Windows 8 or later"... for logs; "unknown". */
const char *vendor_name(enum vendor v);
/* The value to send; empty for VENDOR_UNKNOWN.  Static memory. */
struct wire_span vendor_value(enum vendor v);

/*
 * The Vendor IDs that we answer when they are offered, by the words of the
 * configuration: "rfc3947", "nat-t-03", "nat-t-02", "nat-t-00" (and 01), "dpd",
 * "fragmentation".  A set of VENDOR_BIT; 0 for another word, all of them for
 * NULL.
 */
uint32_t vendor_word(const char *word);

/* Collects what a peer announced: bit 1 << v. */
#define VENDOR_BIT(v) (1u << (v))
/* Drafts that stay on port 500: IKE's packets have no mark there, ESP's begin
 * with eight zero bytes.  Not every kernel can do that. */
#define VENDOR_NATT_OLD                                                        \
	(VENDOR_BIT(VENDOR_NATT_01) | VENDOR_BIT(VENDOR_NATT_00))
#define VENDOR_NATT_ANY                                                        \
	(VENDOR_BIT(VENDOR_NATT_RFC3947) | VENDOR_BIT(VENDOR_NATT_03) |        \
	    VENDOR_BIT(VENDOR_NATT_02_LF) | VENDOR_BIT(VENDOR_NATT_02) |       \
	    VENDOR_NATT_OLD | VENDOR_BIT(VENDOR_NATT_DRAFT))
#define VENDOR_FRAGMENTATION_ANY                                               \
	(VENDOR_BIT(VENDOR_FRAGMENTATION_16) | VENDOR_BIT(VENDOR_FRAGMENTATION))
/*
 * The NAT traversal to answer with: the best of what seen (a set of bits)
 * has, RFC 3947 first, then -03, -02 with line feed, -02, -01, -00;
 * VENDOR_UNKNOWN when there is none.  Never taken: the unnumbered draft,
 * which does not say what it means.
 */
enum vendor vendor_best_natt(uint32_t seen);

#endif
