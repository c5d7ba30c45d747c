/* SPDX-License-Identifier: ISC */
/*
 * The SA payload (RFC 2408 sections 3.4 to 3.6 and 3.3, RFC 2407 sections
 * 4.5 and 4.6.1, RFC 2409 section 5 and appendix A): decoded to a bounded
 * struct whose raw bytes stay at hand, because a responder must return the
 * chosen transform unmodified.
 */
#ifndef IKEV1_CORE_PAYLOAD_SA_H
#define IKEV1_CORE_PAYLOAD_SA_H

#include "common/wire.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/isakmp.h"

#include <stdbool.h>

#define SA_MAX_PROTOCOLS 16  /* proposal payloads that are kept */
#define SA_MAX_TRANSFORMS 64 /* transforms that are kept, all together */
#define SA_SPI_MAX 16	     /* a pair of cookies */

enum sa_phase { SA_PHASE1 = 1, SA_PHASE2 = 2 };

/* Which attributes a transform had: bits of sa_transform.present. */
enum sa_present {
	SA_HAS_CIPHER = 1 << 0, /* phase 1 */
	SA_HAS_HASH = 1 << 1,	/* phase 1 */
	SA_HAS_METHOD = 1 << 2, /* phase 1 */
	SA_HAS_GROUP = 1 << 3,
	SA_HAS_KEY_BITS = 1 << 4,
	SA_HAS_ENCAP = 1 << 5, /* phase 2 */
	SA_HAS_AUTH = 1 << 6,  /* phase 2 */
	SA_HAS_SECONDS = 1 << 7,
	SA_HAS_KILOBYTES = 1 << 8,
	SA_HAS_ESN = 1 << 9, /* phase 2 */
};

struct sa_transform {
	uint8_t number;
	uint8_t id; /* 1 (KEY_IKE) or the ESP transform id */
	uint32_t present;
	uint16_t cipher; /* phase 1: IKE_CIPHER_*; phase 2: id again */
	uint16_t hash;	 /* IKE_HASH_* */
	uint16_t method; /* IKE_AUTH_* */
	uint16_t group;
	uint16_t key_bits;
	uint16_t encap;	       /* IPSEC_ENCAP_* */
	uint16_t auth;	       /* ESP_AUTH_* */
	uint16_t esn;	       /* 1: 64-bit sequence numbers (RFC 4304) */
	uint64_t life_seconds; /* the shortest, when repeated */
	uint64_t life_kilobytes;
	/*
	 * 0, or the type of the first attribute that makes the transform
	 * unusable (unknown, twice with two values, wrong form): RFC 2407
	 * section 4.5.3.  reason says which of these.
	 */
	uint16_t bad_attribute;
	const char *bad_reason; /* static text; NULL when usable */
	struct wire_span raw;	/* the transform payload with its header */
};

/* One proposal payload.  Payloads with one number belong together (AND). */
struct sa_protocol {
	uint8_t number;
	uint8_t protocol; /* enum isakmp_protocol, unchecked */
	uint8_t spi[SA_SPI_MAX];
	uint8_t spi_len;
	uint8_t first; /* index of its first transform */
	uint8_t count; /* transforms that were kept */
};

struct sa_offer {
	enum sa_phase phase;
	struct sa_protocol protocol[SA_MAX_PROTOCOLS];
	size_t protocol_count;
	struct sa_transform transform[SA_MAX_TRANSFORMS];
	size_t transform_count;
	/* Well-formed transforms or proposals beyond the limits: dropped. */
	size_t dropped;
};

/*
 * Decodes the body of an SA payload; out borrows it.  Returns 0; -ENOTSUP
 * for another DOI, -ENOTUNIQ for another situation (to be answered with
 * DOI-NOT-SUPPORTED, SITUATION-NOT-SUPPORTED); -EBADMSG for what does not
 * fit or follow: lengths, counts, next-payload values, no proposal, no
 * transform, an SPI longer than 16 bytes.  An attribute that is unknown or
 * has an odd value spoils its transform only (bad_attribute).
 */
int sa_decode(enum sa_phase phase, struct wire_span body, struct sa_offer *out,
    char reason[ISAKMP_REASON_MAX]);

/*
 * Writes the body of the answer: the chosen proposal alone with the chosen
 * transform alone, byte for byte but for its next-payload field, and spi in
 * place of the peer's (phase 1: empty).
 */
void sa_encode_reply(struct wire_writer *w, const struct sa_offer *offer,
    const struct sa_protocol *protocol, const struct sa_transform *transform,
    struct wire_span spi);

/* What an initiator offers: one proposal, one transform a suite. */
struct sa_offer_spec {
	enum sa_phase phase;
	const struct ike_suite *suites;
	size_t suite_count; /* 1 to 255 */
	struct wire_span spi;
	uint32_t life_seconds;	 /* 0: not sent */
	uint32_t life_kilobytes; /* 0: not sent */
	uint16_t encap;		 /* phase 2: IPSEC_ENCAP_* */
};

/* Writes the body of an offering SA payload. */
void sa_encode_offer(struct wire_writer *w, const struct sa_offer_spec *spec);

#endif
