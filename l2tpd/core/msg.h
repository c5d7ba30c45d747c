/* SPDX-License-Identifier: ISC */
/*
 * Control messages (RFC 2661 sections 3.1 and 6): the header, and a body
 * as a typed struct.  The AVP table drives decoder and encoder.
 */
#ifndef L2TPD_CORE_MSG_H
#define L2TPD_CORE_MSG_H

#include "common/wire.h"
#include "l2tpd/core/avp.h"
#include "l2tpd/core/l2tp.h"

#include <stdbool.h>

#define L2TP_HEADER_LEN 12 /* of a control message */

struct l2tp_header {
	uint16_t tunnel_id, session_id; /* the receiver's */
	uint16_t ns, nr;
};

/*
 * Checks a datagram's header.  0: a control message, whose AVPs are body
 * (empty: ZLB), bytes behind the length field are ignored.  -ENOMSG: a data
 * packet.  -EPROTO: another version.  -EBADMSG: too short, the length field
 * is wrong, or bits that a control message must or must not have.
 */
int l2tp_header_decode(
    struct wire_span datagram, struct l2tp_header *hdr, struct wire_span *body);

struct l2tp_result {
	uint16_t code;	       /* enum l2tp_stop_result or l2tp_cdn_result */
	bool has_error;	       /* error is there */
	uint16_t error;	       /* enum l2tp_error */
	struct wire_span text; /* advisory, UTF-8, not checked */
};

/* Spans are borrowed from the bytes that were decoded. */
struct l2tp_msg {
	uint16_t type;	   /* enum l2tp_message_type; 0: none was read */
	bool is_mandatory; /* M bit of the Message Type AVP */
	uint64_t present;  /* bit n: AVP type n */
	struct l2tp_result result;
	uint16_t protocol_version;
	uint32_t framing_capabilities, bearer_capabilities;
	struct wire_span tie_breaker;
	uint16_t firmware;
	struct wire_span host_name, vendor_name;
	uint16_t assigned_tunnel_id;
	uint16_t receive_window;
	struct wire_span challenge, challenge_response;
	struct wire_span cause;
	uint16_t assigned_session_id;
	uint32_t call_serial;
	uint32_t minimum_bps, maximum_bps;
	uint32_t bearer_type, framing_type;
	struct wire_span called_number, calling_number, sub_address;
	uint32_t connect_speed, rx_connect_speed;
	uint32_t physical_channel;
	struct wire_span initial_lcp, last_sent_lcp, last_received_lcp;
	uint16_t proxy_auth_type, proxy_auth_id;
	struct wire_span proxy_auth_name, proxy_auth_challenge;
	struct wire_span proxy_auth_response;
	struct wire_span call_errors, accm;
	struct wire_span random_vector, private_group;
};

#define L2TP_HAS(msg, id) (((msg)->present >> L2TP_AVP_##id & 1) != 0)
#define L2TP_SET(msg, id) ((msg)->present |= UINT64_C(1) << L2TP_AVP_##id)

/* Why a message is refused. */
struct l2tp_problem {
	bool is_fatal;	/* unreadable: the tunnel ends, not just the call */
	uint16_t error; /* enum l2tp_error, for the answer */
	char text[112]; /* for the log and the answer */
};

/*
 * Decodes a body that is not empty.  0, or -EBADMSG with the first problem
 * in *problem; msg then holds what could be read, type 0 if not even the
 * Message Type.  An unknown type without M bit is no problem (ignore it).
 */
int l2tp_msg_decode(
    struct wire_span body, struct l2tp_msg *msg, struct l2tp_problem *problem);

/*
 * Encodes header and present AVPs; Ns and Nr are left 0.  Message Type need
 * not be set in present.  Length, or -ENOSPC.
 */
int l2tp_msg_encode(const struct l2tp_msg *msg, uint16_t tunnel_id,
    uint16_t session_id, void *out, size_t size);

/* Writes Ns and Nr into an encoded message. */
void l2tp_msg_set_sequence(uint8_t *data, size_t len, uint16_t ns, uint16_t nr);

void l2tp_zlb_encode(
    uint16_t tunnel_id, uint16_t ns, uint16_t nr, uint8_t out[L2TP_HEADER_LEN]);

/*
 * An advisory text or a name from the wire as printable ASCII; other bytes
 * become '?'.  Always terminated; returns out.
 */
const char *l2tp_printable(struct wire_span s, char *out, size_t size);

#endif
