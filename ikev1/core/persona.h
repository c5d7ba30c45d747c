/* SPDX-License-Identifier: ISC */
/*
 * How an initiator looks and behaves, as data.  The machine plays any
 * persona with the same code; one of them (persona_default) is how the
 * product itself connects out, the others are the clients that we serve
 * and live with the tests.
 *
 * A persona is static and constant; whoever has one gives the machine a
 * pointer, saved state names it.
 */
#ifndef IKEV1_CORE_PERSONA_H
#define IKEV1_CORE_PERSONA_H

#include "common/wire.h"
#include "ikev1/core/ike.h"
#include "ikev1/core/payload_sa.h"

#include <stdbool.h>
#include <stdint.h>

#define PERSONA_NAME_MAX 32
#define PERSONA_ORDER_MAX 8 /* entries of an order, its end included */
#define PERSONA_VID_MAX 28

/*
 * An attribute of a transform, so that the order in which a client writes
 * them is data.  CIPHER is phase 1's alone (phase 2 has it as transform
 * id), ENCAP is phase 2's.  What a suite has not, is left out: the key
 * length of 3DES, the group without PFS, the hash of AES-GCM, a lifetime
 * of 0.
 */
enum persona_attr {
	PERSONA_ATTR_END,
	PERSONA_ATTR_CIPHER,
	PERSONA_ATTR_KEY_LENGTH,
	PERSONA_ATTR_HASH,
	PERSONA_ATTR_GROUP,
	PERSONA_ATTR_METHOD, /* pre-shared key */
	PERSONA_ATTR_ENCAP,
	PERSONA_ATTR_SECONDS,	/* life type and duration */
	PERSONA_ATTR_KILOBYTES, /* life type and duration */
};

/* What the SA payload of a phase offers. */
struct persona_offer {
	const struct ike_suite *suites; /* in order; phase 2's group is 0 or
					 * the PFS group of all */
	size_t suite_count;
	/* One proposal for each suite, otherwise one transform for each in a
	 * single proposal. */
	bool is_many_proposals;
	const uint8_t *attrs; /* enum persona_attr, up to END */
	uint32_t seconds;     /* 0: not said */
	uint32_t kilobytes;   /* 0: not said */
	/* Durations as 4 bytes (V) even where 2 (B) would do. */
	bool has_long_life;
};

struct persona_vid {
	uint8_t len;
	uint8_t value[PERSONA_VID_MAX];
};

enum persona_id_form {
	PERSONA_ID_LOCAL, /* our own (behind a NAT: private) address */
	PERSONA_ID_FQDN,  /* id_text */
	PERSONA_ID_USER,  /* id_text, as USER_FQDN */
	PERSONA_ID_KEY,	  /* id_text, as KEY_ID */
};

enum persona_msgid {
	PERSONA_MSGID_RANDOM,
	PERSONA_MSGID_COUNT, /* Windows: 1, 2, 3, least byte first */
};

enum persona_oa {
	PERSONA_OA_NEVER,
	/* When UDP encapsulation is in use: the pair by RFC 3947 section 5.2,
	 * its own address alone by a draft, as draft 02 has it. */
	PERSONA_OA_NATT,
	/* The pair by a draft too: racoon and strongSwan. */
	PERSONA_OA_PAIR,
};

enum persona_end {
	PERSONA_END_SILENT, /* it is gone and says nothing */
	PERSONA_END_DELETE, /* Delete of ESP, then of IKE, each in its own
			     * Informational */
};

/* When an unanswered request is sent again; ends with failure. */
struct persona_retry {
	uint32_t first_ms;
	uint32_t percent; /* each wait is so much of the last; 100: fixed */
	uint32_t max_ms;  /* but never longer than this */
	uint8_t tries;	  /* times that it is sent, all together */
};

struct persona {
	const char *name;
	/*
	 * Payload types in the order of each message, up to NONE.  VID
	 * stands for all of vids; NAT_D for the pair; ID in qm1 for both;
	 * NAT_OA for one or both.  HASH of Quick Mode goes in front by itself.
	 * What the exchange has not (NAT_D without NAT traversal, KE
	 * without PFS) is left out.
	 */
	uint8_t mm1[PERSONA_ORDER_MAX];
	uint8_t mm3[PERSONA_ORDER_MAX];
	uint8_t mm5[PERSONA_ORDER_MAX]; /* NOTIFY: INITIAL-CONTACT */
	uint8_t qm1[PERSONA_ORDER_MAX];
	const struct persona_vid *vids;
	size_t vid_count;

	enum persona_id_form id_form;
	const char *id_text; /* NULL for PERSONA_ID_LOCAL */
	uint8_t id_protocol; /* of phase 1's ID: 0 or 17 */
	uint16_t id_port;    /* 0 or 500 */

	struct persona_offer ike, esp;
	enum persona_msgid msgid;
	enum persona_oa nat_oa;
	/* Quick Mode's UDP selectors: port of ours, 0 (any), or
	 * is_ephemeral for one that is chosen by chance from 49152 on and
	 * stays for the connection. */
	uint16_t client_port, server_port;
	bool is_ephemeral;
	bool has_commit;	/* sets the commit bit in Quick Mode */
	uint16_t fragment_over; /* bytes behind UDP's header and the marker;
				 * longer messages go in fragments of that
				 * size, when the peer takes them; 0: never
				 * (persona_default: cfg's fragment_bytes) */
	uint32_t dpd_ms;	/* idle time before our R-U-THERE; 0: none */
	enum persona_end end;
	struct persona_retry retry;
	/* It starts a new one at this share of a lifetime; 0: never. */
	uint8_t rekey_ike_percent, rekey_esp_percent;
};

/* How the product itself connects out. */
extern const struct persona persona_default;

/* persona_default or one of cfg's, by name; NULL. */
const struct persona *persona_find(
    const struct ike_config *cfg, const char *name);

/* Whether an order (mm1 and so on) has that payload type. */
bool persona_has(const uint8_t order[PERSONA_ORDER_MAX], uint8_t type);

/* Writes the body of an offering SA payload.  spi is empty in phase 1;
 * encap is phase 2's IPSEC_ENCAP_*. */
void persona_offer_encode(struct wire_writer *w, enum sa_phase phase,
    const struct persona_offer *offer, struct wire_span spi, uint16_t encap);

/*
 * Which of the offer's suites a responder's answer (decoded with
 * sa_decode()) holds.  RFC 2409 section 5: one proposal with one transform,
 * which must be one of ours, unmodified: suite, method, mode.  Order and
 * numbers are not looked at (some renumber), a lifetime that we offered may
 * be shorter or absent.  0 and the suite's index, or -EPROTO with a reason.
 */
int persona_offer_match(const struct persona_offer *offer, uint16_t encap,
    const struct sa_offer *answer, size_t *index,
    char reason[ISAKMP_REASON_MAX]);

#endif
