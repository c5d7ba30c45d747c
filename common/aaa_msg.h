/* SPDX-License-Identifier: ISC */
/*
 * AAA's messages: users, addresses and accounting for one PPP session.
 *
 * The pppd plugin and l2tpd's engine speak them over a SOCK_SEQPACKET
 * socket pair, one pair a session (codec: common/msg.h).  AUTH and ADDRESS
 * are requests of the plugin; their replies carry the request's sequence
 * number, a reply with another number is stale and ignored.  The plugin
 * waits AAA_WAIT_MS for a reply, sending the same request again each
 * AAA_AGAIN_MS (the engine may have died over it), and refuses the client
 * without one.  EOF
 * on the socket (the monitor died) ends pppd at once.
 *
 * AUTH and VERDICT are also what the engine asks of the monitor (op AUTH):
 * users and their secrets are there only.
 *
 * pppd options of sallyport.so (for root only):
 *   sallyport-fd N      our end of the socket pair of this session
 *   sallyport-pppox N   the connected PPPoX (PX_PROTO_OL2TP) socket
 *   sallyport-auth A,B  methods as in the configuration; mschap-v2 if
 *                       not given.  It alone decides what LCP asks for:
 *                       no require-... option is needed or heard
 * The first two are required; the descriptors are inherited open and
 * become close-on-exec.  A command line that works:
 *   pppd plugin .../sallyport.so sallyport-fd 3 sallyport-pppox 4
 *     nodetach ifname spSLOT mtu 1400 mru 1400 noccp novj novjccomp noipv6
 *     noproxyarp default-asyncmap refuse-pap refuse-chap
 *     refuse-mschap refuse-mschap-v2 refuse-eap lcp-echo-interval 30
 *     lcp-echo-failure 4 maxfail 1
 * (refuse-...: never prove ourselves to the client).  Addresses and DNS
 * come with AAA_ADDRESS_REPLY: give none.  Its mtu only lowers that of the
 * interface; mtu and mru above are what LCP negotiates.  The plugin sees
 * AAA_TERM and EOF within two seconds; SIGTERM works at once.
 */
#ifndef COMMON_AAA_MSG_H
#define COMMON_AAA_MSG_H

#include "common/addr.h"
#include "common/msg.h"

#define AAA_WAIT_MS 10000
#define AAA_AGAIN_MS 2000
#define AAA_USER_MAX 129 /* with NUL; UTF-8 or raw bytes of the peer */
#define AAA_CHALLENGE_MAX 64
#define AAA_RESPONSE_MAX 255
#define AAA_TEXT_MAX 200
#define AAA_REASON_MAX 160
#define AAA_IFNAME_MAX 16

enum aaa_msg {
	AAA_AUTH = 1,	   /* plugin: is this the user? */
	AAA_AUTH_REPLY,	   /* l2tpd */
	AAA_ADDRESS,	   /* plugin: an address for the user, please */
	AAA_ADDRESS_REPLY, /* l2tpd */
	AAA_UP,		   /* plugin: IPCP is open */
	AAA_STATS,	   /* plugin: counters, now and then */
	AAA_DOWN,	   /* plugin: pppd ends; last counters */
	AAA_TERM,	   /* l2tpd: end the session */
	AAA_VERDICT,	   /* monitor to engine: answers AUTH */
};

enum aaa_method {
	AAA_MSCHAPV2 = 1, /* RFC 2759; response: its 49 bytes */
	AAA_CHAP_MD5,	  /* RFC 1994; response: 16 bytes */
	AAA_PAP,	  /* RFC 1334; response: the password */
};

/* Sets of methods, for configuration. */
#define AAA_METHOD_BIT(method) (1u << (method))

/* AAA_AUTH; wipe it after use: with PAP it holds the password. */
struct aaa_auth {
	uint8_t method; /* enum aaa_method */
	uint8_t id;	/* CHAP identifier; hashed by CHAP-MD5 */
	char user[AAA_USER_MAX];
	MSG_BLOB(AAA_CHALLENGE_MAX) challenge; /* empty with PAP */
	MSG_BLOB(AAA_RESPONSE_MAX) response;
};

/* AAA_AUTH_REPLY */
struct aaa_auth_reply {
	uint8_t ok;
	char text[AAA_TEXT_MAX]; /* for the peer: "S=...", "E=691 ...", "" */
};

/* AAA_ADDRESS */
struct aaa_address {
	char user[AAA_USER_MAX];
};

/* AAA_ADDRESS_REPLY; IPv4, ports 0; dns may be ADDR_NONE */
struct aaa_address_reply {
	uint8_t ok;
	struct addr local;
	struct addr remote;
	struct addr dns1;
	struct addr dns2;
	uint16_t mtu; /* also the largest packet that we take; 0: keep */
	char reason[AAA_REASON_MAX]; /* when not ok */
};

/* AAA_UP */
struct aaa_up {
	char ifname[AAA_IFNAME_MAX];
	uint32_t unit;
	struct addr local;
	struct addr remote;
	char user[AAA_USER_MAX];
};

/* AAA_STATS, AAA_DOWN; in: from the client */
struct aaa_stats {
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint64_t packets_in;
	uint64_t packets_out;
	uint32_t seconds;	     /* since AAA_UP */
	char reason[AAA_REASON_MAX]; /* AAA_DOWN only */
};

/* AAA_TERM */
struct aaa_term {
	char reason[AAA_REASON_MAX];
};

enum aaa_verdict_code {
	AAA_OK = 1,
	AAA_UNKNOWN_USER,
	AAA_WRONG_PASSWORD,
	AAA_METHOD_OFF, /* not named in the configuration */
	AAA_NO_SECRET,	/* CHAP-MD5 needs $plain$, the user has $nt$ */
	AAA_MALFORMED,	/* lengths or values that no client sends */
	AAA_BROKEN,	/* OpenSSL failed, no users file: see reason */
};

/* AAA_VERDICT */
struct aaa_verdict {
	uint8_t code;		     /* enum aaa_verdict_code */
	char text[AAA_TEXT_MAX];     /* becomes aaa_auth_reply.text */
	char reason[AAA_REASON_MAX]; /* for the operator's log, when not ok */
	char user[AAA_USER_MAX];     /* the name as the users file has it */
	struct addr ip;		     /* ip=, or ADDR_NONE: from the pool */
};

extern const struct msg_table aaa_msg_table;

/* Largest struct above, for decoding any message. */
union aaa_any {
	struct aaa_auth auth;
	struct aaa_auth_reply auth_reply;
	struct aaa_address address;
	struct aaa_address_reply address_reply;
	struct aaa_up up;
	struct aaa_stats stats;
	struct aaa_term term;
	struct aaa_verdict verdict;
};

/* "mschap-v2", "chap-md5", "pap" as in the configuration; 0 if unknown. */
unsigned int aaa_method_parse(const char *name);
/* The name, or "unknown". */
const char *aaa_method_name(unsigned int method);

#endif
