/* SPDX-License-Identifier: ISC */
/*
 * ISAKMP messages (RFC 2408 section 3): the header, the chain of payloads
 * behind it, the check of a chain against what an exchange allows, and a
 * builder for messages that go out.  No payload's inside is looked at here.
 */
#ifndef IKEV1_CORE_ISAKMP_MSG_H
#define IKEV1_CORE_ISAKMP_MSG_H

#include "common/wire.h"
#include "ikev1/core/isakmp.h"

#define ISAKMP_HEADER_LEN 28
#define ISAKMP_PAYLOAD_HEADER_LEN 4
#define ISAKMP_MAX_PAYLOADS 32
#define ISAKMP_VERSION 0x10 /* major 1, minor 0 */

struct isakmp_header {
	uint8_t cky_i[ISAKMP_COOKIE_LEN];
	uint8_t cky_r[ISAKMP_COOKIE_LEN];
	uint8_t next_payload; /* of the first payload */
	uint8_t version;      /* major << 4 | minor */
	uint8_t exchange;     /* enum isakmp_exchange, unchecked */
	uint8_t flags;	      /* enum isakmp_flag */
	uint32_t message_id;  /* host order */
	uint32_t length;      /* of the whole message */
};

/*
 * Decodes the header of one datagram (RFC 2408 section 5.2).  On success
 * *body is what follows the header.  Returns 0; -EPROTONOSUPPORT for
 * another major version; -EBADMSG when the datagram is short, the header's
 * length is not the datagram's (section 5.1), the minor version or a
 * reserved flag is set, or the initiator's cookie is zero.  *h is filled as
 * far as the datagram had bytes, so that the caller can log or answer.
 */
int isakmp_header_decode(struct wire_span datagram, struct isakmp_header *h,
    struct wire_span *body, char reason[ISAKMP_REASON_MAX]);

/* Appends the 28 bytes of h to w. */
void isakmp_header_encode(struct wire_writer *w, const struct isakmp_header *h);

/* One payload of a chain; the spans borrow the decoded buffer. */
struct isakmp_payload {
	uint8_t type;
	struct wire_span body; /* without the generic header: RFC's _b */
	struct wire_span full; /* with it */
};

struct isakmp_payloads {
	struct isakmp_payload item[ISAKMP_MAX_PAYLOADS];
	size_t count;
	/*
	 * Bytes up to the end of the last payload.  HASH(1) and (2) cover
	 * no further; what follows in an encrypted message is padding.
	 */
	size_t consumed;
};

/*
 * Walks the chain that starts with a payload of type first at body's first
 * byte.  Returns 0, or -EBADMSG: a length below 4 or past the end, more
 * than 32 payloads, a reserved byte that is not zero, or proposal and
 * transform payloads outside an SA.  A chain may be empty (first is NONE).
 * Unknown types are kept: the script check decides.
 */
int isakmp_payloads_decode(uint8_t first, struct wire_span body,
    struct isakmp_payloads *out, char reason[ISAKMP_REASON_MAX]);

/* The first payload of that type; NULL when there is none. */
const struct isakmp_payload *isakmp_payload_find(
    const struct isakmp_payloads *p, uint8_t type);
/* The index-th (from 0) of that type; NULL when there are fewer. */
const struct isakmp_payload *isakmp_payload_find_nth(
    const struct isakmp_payloads *p, uint8_t type, size_t index);
size_t isakmp_payload_count(const struct isakmp_payloads *p, uint8_t type);

/*
 * The bytes between the end of payload after and the end of the chain: what
 * HASH(1) covers when after is the HASH payload.
 */
struct wire_span isakmp_payloads_rest(
    const struct isakmp_payloads *p, const struct isakmp_payload *after);

/* How often a payload type may occur in a message. */
struct isakmp_rule {
	uint8_t type;
	uint8_t min, max;
};

/* What one message of an exchange may hold.  A type without rule may not
 * occur; unknown types from 128 on (private use) are passed over. */
struct isakmp_script {
	const char *name; /* "Main Mode message 1": for the reason */
	uint8_t first;	  /* type that must come first; NONE: any */
	const struct isakmp_rule *rules;
	size_t rule_count;
};

/*
 * Returns 0; -ENOMSG when a required payload is missing or not the first;
 * -EPROTO when a payload occurs that the script does not allow, or too
 * often.
 */
int isakmp_script_check(const struct isakmp_payloads *p,
    const struct isakmp_script *s, char reason[ISAKMP_REASON_MAX]);

/*
 * Builds one message.  Everything goes through b->w, whose sticky error
 * isakmp_build_finish() reports.
 *
 *	isakmp_build_begin(&b, buf, sizeof(buf), &header);
 *	isakmp_build_payload(&b, ISAKMP_PAYLOAD_NONCE, nonce);
 *	isakmp_build_open(&b, ISAKMP_PAYLOAD_SA);
 *	sa_encode_reply(&b.w, ...);
 *	isakmp_build_close(&b);
 *	len = isakmp_build_finish(&b, 0);
 */
struct isakmp_builder {
	struct wire_writer w;
	size_t next_pos;    /* of the byte that names the next payload */
	size_t payload_pos; /* of the open payload's header; 0: none open */
};

/* Writes the header; h's next_payload and length are ignored. */
void isakmp_build_begin(struct isakmp_builder *b, void *buf, size_t size,
    const struct isakmp_header *h);
/* Writes a generic header; the body follows through b->w. */
void isakmp_build_open(struct isakmp_builder *b, uint8_t type);
/* Sets the length of the open payload. */
void isakmp_build_close(struct isakmp_builder *b);
/* Open, body, close. */
void isakmp_build_payload(
    struct isakmp_builder *b, uint8_t type, struct wire_span body);
/* Appends a payload of len zero bytes; returns where its body starts, for
 * wire_set_bytes() once the hash over what follows is known. */
size_t isakmp_build_reserve(struct isakmp_builder *b, uint8_t type, size_t len);
/* What has been written from offset pos on. */
struct wire_span isakmp_build_since(const struct isakmp_builder *b, size_t pos);
/*
 * Pads with zero bytes until what follows the header is a multiple of block
 * (0: no padding) and sets the header's length, which includes the padding.
 * Returns the message's length or -ENOSPC.
 */
int isakmp_build_finish(struct isakmp_builder *b, size_t block);

#endif
