/* SPDX-License-Identifier: ISC */
/* The numbers of L2TPv2 (RFC 2661) and the names we print for them. */
#ifndef L2TPD_CORE_L2TP_H
#define L2TPD_CORE_L2TP_H

#include <stdint.h>

#define L2TP_VERSION 2		       /* header version, section 3.1 */
#define L2TP_PROTOCOL_VERSION 0x0100   /* version 1, revision 0: 4.4.3 */
#define L2TP_FRAMING_SYNC 0x00000001u  /* 4.4.3 Framing Capabilities */
#define L2TP_FRAMING_ASYNC 0x00000002u /* the same */
#define L2TP_DEFAULT_WINDOW 4	       /* no Receive Window Size: 4.4.3 */
#define L2TP_LINGER_MS 31000 /* a whole cycle of retransmissions: 5.7 */

/* X(identifier, number, text, section) */
#define L2TP_MESSAGE_TYPES(X)                                                  \
	X(SCCRQ, 1, "SCCRQ", "6.1")                                            \
	X(SCCRP, 2, "SCCRP", "6.2")                                            \
	X(SCCCN, 3, "SCCCN", "6.3")                                            \
	X(STOPCCN, 4, "StopCCN", "6.4")                                        \
	X(HELLO, 6, "HELLO", "6.5")                                            \
	X(OCRQ, 7, "OCRQ", "6.9")                                              \
	X(OCRP, 8, "OCRP", "6.10")                                             \
	X(OCCN, 9, "OCCN", "6.11")                                             \
	X(ICRQ, 10, "ICRQ", "6.6")                                             \
	X(ICRP, 11, "ICRP", "6.7")                                             \
	X(ICCN, 12, "ICCN", "6.8")                                             \
	X(CDN, 14, "CDN", "6.12")                                              \
	X(WEN, 15, "WEN", "6.13")                                              \
	X(SLI, 16, "SLI", "6.14")

#define L2TP_AVPS(X)                                                           \
	X(MESSAGE_TYPE, 0, "Message Type", "4.4.1")                            \
	X(RESULT_CODE, 1, "Result Code", "4.4.2")                              \
	X(PROTOCOL_VERSION, 2, "Protocol Version", "4.4.3")                    \
	X(FRAMING_CAPABILITIES, 3, "Framing Capabilities", "4.4.3")            \
	X(BEARER_CAPABILITIES, 4, "Bearer Capabilities", "4.4.3")              \
	X(TIE_BREAKER, 5, "Tie Breaker", "4.4.3")                              \
	X(FIRMWARE_REVISION, 6, "Firmware Revision", "4.4.3")                  \
	X(HOST_NAME, 7, "Host Name", "4.4.3")                                  \
	X(VENDOR_NAME, 8, "Vendor Name", "4.4.3")                              \
	X(ASSIGNED_TUNNEL_ID, 9, "Assigned Tunnel ID", "4.4.3")                \
	X(RECEIVE_WINDOW_SIZE, 10, "Receive Window Size", "4.4.3")             \
	X(CHALLENGE, 11, "Challenge", "4.4.3")                                 \
	X(CAUSE_CODE, 12, "Q.931 Cause Code", "4.4.4")                         \
	X(CHALLENGE_RESPONSE, 13, "Challenge Response", "4.4.3")               \
	X(ASSIGNED_SESSION_ID, 14, "Assigned Session ID", "4.4.4")             \
	X(CALL_SERIAL_NUMBER, 15, "Call Serial Number", "4.4.4")               \
	X(MINIMUM_BPS, 16, "Minimum BPS", "4.4.4")                             \
	X(MAXIMUM_BPS, 17, "Maximum BPS", "4.4.4")                             \
	X(BEARER_TYPE, 18, "Bearer Type", "4.4.4")                             \
	X(FRAMING_TYPE, 19, "Framing Type", "4.4.4")                           \
	X(CALLED_NUMBER, 21, "Called Number", "4.4.4")                         \
	X(CALLING_NUMBER, 22, "Calling Number", "4.4.4")                       \
	X(SUB_ADDRESS, 23, "Sub-Address", "4.4.4")                             \
	X(CONNECT_SPEED, 24, "(Tx) Connect Speed", "4.4.4")                    \
	X(PHYSICAL_CHANNEL, 25, "Physical Channel ID", "4.4.4")                \
	X(INITIAL_LCP, 26, "Initial Received LCP CONFREQ", "4.4.5")            \
	X(LAST_SENT_LCP, 27, "Last Sent LCP CONFREQ", "4.4.5")                 \
	X(LAST_RECEIVED_LCP, 28, "Last Received LCP CONFREQ", "4.4.5")         \
	X(PROXY_AUTH_TYPE, 29, "Proxy Authen Type", "4.4.5")                   \
	X(PROXY_AUTH_NAME, 30, "Proxy Authen Name", "4.4.5")                   \
	X(PROXY_AUTH_CHALLENGE, 31, "Proxy Authen Challenge", "4.4.5")         \
	X(PROXY_AUTH_ID, 32, "Proxy Authen ID", "4.4.5")                       \
	X(PROXY_AUTH_RESPONSE, 33, "Proxy Authen Response", "4.4.5")           \
	X(CALL_ERRORS, 34, "Call Errors", "4.4.6")                             \
	X(ACCM, 35, "ACCM", "4.4.6")                                           \
	X(RANDOM_VECTOR, 36, "Random Vector", "4.4.1")                         \
	X(PRIVATE_GROUP, 37, "Private Group ID", "4.4.4")                      \
	X(RX_CONNECT_SPEED, 38, "Rx Connect Speed", "4.4.4")                   \
	X(SEQUENCING_REQUIRED, 39, "Sequencing Required", "4.4.4")

/* Result codes of StopCCN, section 4.4.2. */
#define L2TP_STOP_RESULTS(X)                                                   \
	X(CLEAR, 1, "general request to clear control connection", "4.4.2")    \
	X(ERROR, 2, "general error", "4.4.2")                                  \
	X(EXISTS, 3, "control channel already exists", "4.4.2")                \
	X(NOT_AUTHORIZED, 4, "requester not authorized", "4.4.2")              \
	X(VERSION, 5, "protocol version not supported", "4.4.2")               \
	X(SHUTDOWN, 6, "being shut down", "4.4.2")                             \
	X(FSM, 7, "finite state machine error", "4.4.2")

/* Result codes of CDN, section 4.4.2. */
#define L2TP_CDN_RESULTS(X)                                                    \
	X(CARRIER, 1, "loss of carrier", "4.4.2")                              \
	X(ERROR, 2, "general error", "4.4.2")                                  \
	X(ADMIN, 3, "administrative reasons", "4.4.2")                         \
	X(BUSY_NOW, 4, "facilities lacking for now", "4.4.2")                  \
	X(NEVER, 5, "facilities lacking for good", "4.4.2")                    \
	X(DESTINATION, 6, "invalid destination", "4.4.2")                      \
	X(NO_CARRIER, 7, "no carrier detected", "4.4.2")                       \
	X(BUSY, 8, "busy signal", "4.4.2")                                     \
	X(NO_DIAL_TONE, 9, "no dial tone", "4.4.2")                            \
	X(TIMEOUT, 10, "call not established in time", "4.4.2")                \
	X(NO_FRAMING, 11, "no appropriate framing", "4.4.2")

/* General error codes, section 4.4.2. */
#define L2TP_ERRORS(X)                                                         \
	X(NONE, 0, "no general error", "4.4.2")                                \
	X(NO_CONNECTION, 1, "no control connection yet", "4.4.2")              \
	X(LENGTH, 2, "length is wrong", "4.4.2")                               \
	X(VALUE, 3, "value out of range", "4.4.2")                             \
	X(RESOURCES, 4, "insufficient resources", "4.4.2")                     \
	X(SESSION_ID, 5, "invalid session id", "4.4.2")                        \
	X(VENDOR, 6, "vendor-specific error", "4.4.2")                         \
	X(TRY_ANOTHER, 7, "try another LNS", "4.4.2")                          \
	X(UNKNOWN_AVP, 8, "unknown mandatory AVP", "4.4.2")

enum l2tp_message_type {
#define X(id, number, text, section) L2TP_##id = (number),
	L2TP_MESSAGE_TYPES(X)
#undef X
};

enum l2tp_avp_type {
#define X(id, number, text, section) L2TP_AVP_##id = (number),
	L2TP_AVPS(X)
#undef X
};

enum l2tp_stop_result {
#define X(id, number, text, section) L2TP_STOP_##id = (number),
	L2TP_STOP_RESULTS(X)
#undef X
};

enum l2tp_cdn_result {
#define X(id, number, text, section) L2TP_CDN_##id = (number),
	L2TP_CDN_RESULTS(X)
#undef X
};

enum l2tp_error {
#define X(id, number, text, section) L2TP_ERROR_##id = (number),
	L2TP_ERRORS(X)
#undef X
};

/* Static strings; "unknown" for a number that the RFC does not have. */
const char *l2tp_message_name(uint16_t type);
const char *l2tp_avp_name(uint16_t type);
const char *l2tp_stop_result_name(uint16_t result);
const char *l2tp_cdn_result_name(uint16_t result);
const char *l2tp_error_name(uint16_t error);

#endif
