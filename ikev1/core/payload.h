/* SPDX-License-Identifier: ISC */
/*
 * The small payloads: KE, ID, NONCE, HASH, N, D, NAT-D, NAT-OA.  Decoders
 * take a payload's body, return 0 or -EBADMSG with a reason, and borrow the
 * body; encoders append a body to a writer between isakmp_build_open() and
 * isakmp_build_close().
 */
#ifndef IKEV1_CORE_PAYLOAD_H
#define IKEV1_CORE_PAYLOAD_H

#include "common/addr.h"
#include "common/wire.h"
#include "ikev1/core/isakmp.h"

#include <stdbool.h>

#define PAYLOAD_NONCE_MIN 8 /* RFC 2409 section 5 */
#define PAYLOAD_NONCE_MAX 256

/* Whether a KE body has the length of that group (RFC 2409 section 5). */
int payload_ke_check(
    struct wire_span body, uint16_t group, char reason[ISAKMP_REASON_MAX]);
/* Whether a nonce has 8 to 256 bytes. */
int payload_nonce_check(struct wire_span body, char reason[ISAKMP_REASON_MAX]);
/* Whether a HASH body has the length of that phase-1 hash. */
int payload_hash_check(
    struct wire_span body, uint16_t hash, char reason[ISAKMP_REASON_MAX]);

/* RFC 2407 section 4.6.2. */
struct payload_id {
	uint8_t type;	  /* enum ipsec_id_type, unchecked */
	uint8_t protocol; /* 0: any */
	uint16_t port;	  /* 0: any */
	struct wire_span data;
};

/* Addresses, subnets and ranges must have their length; empty names and
 * unknown types are refused. */
int payload_id_decode(struct wire_span body, struct payload_id *out,
    char reason[ISAKMP_REASON_MAX]);
void payload_id_encode(struct wire_writer *w, const struct payload_id *id);
/* The ID of one address (IPSEC_ID_IPV4 or _IPV6); data borrows a. */
struct payload_id payload_id_of_addr(
    const struct addr *a, uint8_t protocol, uint16_t port);
/* 0, or -EINVAL when id is not one address; out's port is id's. */
int payload_id_addr(const struct payload_id *id, struct addr *out);
/*
 * Whether port and protocol are allowed in phase 1: both 0, or UDP 500, or
 * (seen behind NATs) UDP 4500; RFC 2407 section 4.6.2, RFC 3947 section 4.
 */
bool payload_id_is_phase1(const struct payload_id *id);

/* The longest text of an ID with its NUL; longer ones end in "...". */
#define PAYLOAD_ID_TEXT_MAX 256

/*
 * "203.0.113.7", "host.example.org", "10.0.0.0/255.255.255.0", "@#0a0b" for
 * a key id, "dn:30..." for ASN.1.  Bytes outside printable ASCII, quotes
 * and the backslash come out as \xNN: safe in logs and JSON.
 */
const char *payload_id_text(
    const struct payload_id *id, char out[PAYLOAD_ID_TEXT_MAX]);
/* The same with "[17/1701]" behind it when protocol or port is set. */
const char *payload_id_selector_text(
    const struct payload_id *id, char out[PAYLOAD_ID_TEXT_MAX]);

/* RFC 2408 section 3.14. */
struct payload_notify {
	uint32_t doi;
	uint8_t protocol;
	uint16_t type; /* enum isakmp_notify, unchecked */
	struct wire_span spi;
	struct wire_span data;
};

int payload_notify_decode(struct wire_span body, struct payload_notify *out,
    char reason[ISAKMP_REASON_MAX]);
void payload_notify_encode(
    struct wire_writer *w, const struct payload_notify *n);

/* RFC 2408 section 3.15. */
struct payload_delete {
	uint32_t doi;
	uint8_t protocol;
	uint8_t spi_len;       /* 4 for ESP and AH, 16 (cookies) for ISAKMP */
	uint16_t count;	       /* at least 1 */
	struct wire_span spis; /* count * spi_len bytes */
};

/* The SPI length must be the protocol's, the count must fit exactly. */
int payload_delete_decode(struct wire_span body, struct payload_delete *out,
    char reason[ISAKMP_REASON_MAX]);
void payload_delete_encode(
    struct wire_writer *w, const struct payload_delete *d);
/* The index-th SPI; empty when index is too large. */
struct wire_span payload_delete_spi(
    const struct payload_delete *d, size_t index);
/* The same as a number, for ESP and AH; 0 when it is none. */
uint32_t payload_delete_spi32(const struct payload_delete *d, size_t index);

/* NAT-OA, RFC 3947 section 5.2: an address, port 0. */
int payload_nat_oa_decode(
    struct wire_span body, struct addr *out, char reason[ISAKMP_REASON_MAX]);
void payload_nat_oa_encode(struct wire_writer *w, const struct addr *a);

/*
 * Copies text of len bytes to out (size bytes, size >= 8) so that it can go
 * to a log: bytes outside printable ASCII, quotes and backslash as \xNN; a
 * text that is too long ends in "...".
 */
const char *payload_printable(struct wire_span text, char *out, size_t size);

#endif
