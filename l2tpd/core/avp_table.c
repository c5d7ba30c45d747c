/* SPDX-License-Identifier: ISC */
/* Every AVP of RFC 2661: one row each; parser, emitter and logs use it. */
#include "l2tpd/core/avp.h"
#include "l2tpd/core/msg.h"

#include <stddef.h>

/* Message types as bits. */
#define RQ (1u << L2TP_SCCRQ)
#define RP (1u << L2TP_SCCRP)
#define CN (1u << L2TP_SCCCN)
#define STOP (1u << L2TP_STOPCCN)
#define ORQ (1u << L2TP_OCRQ)
#define ORP (1u << L2TP_OCRP)
#define OCN (1u << L2TP_OCCN)
#define IRQ (1u << L2TP_ICRQ)
#define IRP (1u << L2TP_ICRP)
#define ICN (1u << L2TP_ICCN)
#define CDN (1u << L2TP_CDN)
#define WEN (1u << L2TP_WEN)
#define SLI (1u << L2TP_SLI)
#define START (RQ | RP)
#define ALL 0xffffffffu

#define VMAX L2TP_AVP_VALUE_MAX

/* Identifier, kind, shortest and longest value, M sent, H allowed, where
 * it may and where it must appear, member of struct l2tp_msg. */
#define ROW(id, kind, min, max, m, h, may, must, member)                       \
	{                                                                      \
		L2TP_AVP_##id, L2TP_KIND_##kind, min, max, m, h,               \
		    offsetof(struct l2tp_msg, member), may, must               \
	}

/* clang-format off */
const struct l2tp_avp_row l2tp_avp_table[] = {
	ROW(MESSAGE_TYPE, U16, 2, 2, 1, 0, ALL, ALL, type),
	ROW(RESULT_CODE, RESULT, 2, VMAX, 1, 0, STOP | CDN, STOP | CDN, result),
	ROW(PROTOCOL_VERSION, U16, 2, 2, 1, 0, START, START, protocol_version),
	ROW(FRAMING_CAPABILITIES, U32, 4, 4, 1, 1, START, START,
	    framing_capabilities),
	ROW(BEARER_CAPABILITIES, U32, 4, 4, 1, 1, START, 0,
	    bearer_capabilities),
	ROW(TIE_BREAKER, BYTES, 8, 8, 0, 0, RQ, 0, tie_breaker),
	ROW(FIRMWARE_REVISION, U16, 2, 2, 0, 1, START, 0, firmware),
	ROW(HOST_NAME, TEXT, 1, VMAX, 1, 0, START, START, host_name),
	ROW(VENDOR_NAME, TEXT, 0, VMAX, 0, 1, START, 0, vendor_name),
	ROW(ASSIGNED_TUNNEL_ID, U16, 2, 2, 1, 1, START | STOP, START | STOP,
	    assigned_tunnel_id),
	ROW(RECEIVE_WINDOW_SIZE, U16, 2, 2, 1, 0, START, 0, receive_window),
	ROW(CHALLENGE, BYTES, 1, VMAX, 1, 1, START, 0, challenge),
	ROW(CAUSE_CODE, BYTES, 3, VMAX, 1, 0, CDN, 0, cause),
	ROW(CHALLENGE_RESPONSE, BYTES, 16, 16, 1, 1, RP | CN, 0,
	    challenge_response),
	ROW(ASSIGNED_SESSION_ID, U16, 2, 2, 1, 1, IRQ | IRP | ORQ | ORP | CDN,
	    IRQ | IRP | ORQ | ORP | CDN, assigned_session_id),
	ROW(CALL_SERIAL_NUMBER, U32, 4, 4, 1, 1, IRQ | ORQ, IRQ | ORQ,
	    call_serial),
	ROW(MINIMUM_BPS, U32, 4, 4, 1, 1, ORQ, ORQ, minimum_bps),
	ROW(MAXIMUM_BPS, U32, 4, 4, 1, 1, ORQ, ORQ, maximum_bps),
	ROW(BEARER_TYPE, U32, 4, 4, 1, 1, IRQ | ORQ, ORQ, bearer_type),
	ROW(FRAMING_TYPE, U32, 4, 4, 1, 1, ICN | ORQ | OCN, ICN | ORQ | OCN,
	    framing_type),
	ROW(CALLED_NUMBER, TEXT, 0, VMAX, 1, 1, IRQ | ORQ, ORQ, called_number),
	ROW(CALLING_NUMBER, TEXT, 0, VMAX, 1, 1, IRQ, 0, calling_number),
	ROW(SUB_ADDRESS, TEXT, 0, VMAX, 1, 1, IRQ | ORQ, 0, sub_address),
	ROW(CONNECT_SPEED, U32, 4, 4, 1, 1, ICN | OCN, ICN | OCN,
	    connect_speed),
	ROW(PHYSICAL_CHANNEL, U32, 4, 4, 0, 1, IRQ | ORP, 0, physical_channel),
	ROW(INITIAL_LCP, BYTES, 0, VMAX, 0, 1, ICN, 0, initial_lcp),
	ROW(LAST_SENT_LCP, BYTES, 0, VMAX, 0, 1, ICN, 0, last_sent_lcp),
	ROW(LAST_RECEIVED_LCP, BYTES, 0, VMAX, 0, 1, ICN, 0,
	    last_received_lcp),
	ROW(PROXY_AUTH_TYPE, U16, 2, 2, 0, 1, ICN, 0, proxy_auth_type),
	ROW(PROXY_AUTH_NAME, BYTES, 0, VMAX, 0, 1, ICN, 0, proxy_auth_name),
	ROW(PROXY_AUTH_CHALLENGE, BYTES, 0, VMAX, 0, 1, ICN, 0,
	    proxy_auth_challenge),
	ROW(PROXY_AUTH_ID, U16, 2, 2, 0, 1, ICN, 0, proxy_auth_id),
	ROW(PROXY_AUTH_RESPONSE, BYTES, 0, VMAX, 0, 1, ICN, 0,
	    proxy_auth_response),
	ROW(CALL_ERRORS, BYTES, 26, 26, 1, 1, WEN, WEN, call_errors),
	ROW(ACCM, BYTES, 10, 10, 1, 1, SLI, SLI, accm),
	ROW(RANDOM_VECTOR, BYTES, 1, VMAX, 1, 0, ALL, 0, random_vector),
	ROW(PRIVATE_GROUP, BYTES, 1, VMAX, 0, 1, ICN, 0, private_group),
	ROW(RX_CONNECT_SPEED, U32, 4, 4, 0, 1, ICN | OCN, 0, rx_connect_speed),
	ROW(SEQUENCING_REQUIRED, EMPTY, 0, 0, 1, 0, ICN | OCN, 0, present),
};
/* clang-format on */

const size_t l2tp_avp_count =
    sizeof(l2tp_avp_table) / sizeof(l2tp_avp_table[0]);

const struct l2tp_avp_row *l2tp_avp_find(uint16_t type)
{
	for (size_t i = 0; i < l2tp_avp_count; i++)
		if (l2tp_avp_table[i].type == type)
			return &l2tp_avp_table[i];
	return NULL;
}
