/* SPDX-License-Identifier: ISC */
/*
 * /etc/sallyport/sallyport.conf as plain typed values, all checked.  Both
 * daemons read the one file; each parses the text again in its engine.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include "common/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_PATH "/etc/sallyport/sallyport.conf"
#define CONF_ERROR_MAX 320
#define CONF_USER_MAX 33
#define CONF_LISTEN_MAX 16
#define CONF_DNS_MAX 2 /* what IPCP can carry (RFC 1877) */
#define CONF_SUITES_MAX 16
#define CONF_SUITE_TEXT_MAX 32
#define CONF_PROFILE_MAX 16
#define CONF_PEERS_MAX 32
#define CONF_VENDOR_MAX 16
#define CONF_LOCAL_ID_MAX 140
#define CONF_FILE_MAX 65536 /* bytes */

enum conf_auth {
	CONF_AUTH_MSCHAPV2 = 1,
	CONF_AUTH_CHAP_MD5 = 2,
	CONF_AUTH_PAP = 4,
};

/* Unfinished handshakes; each that may be costs 2.3 KB. */
#define CONF_HALF_OPEN_MIN 64
#define CONF_HALF_OPEN_MAX 65536

/* What is accepted in IKE: of everybody, or of one prefix. */
struct conf_policy {
	char profile[CONF_PROFILE_MAX]; /* never empty */
	char proposals[CONF_SUITES_MAX][CONF_SUITE_TEXT_MAX];
	size_t proposal_count; /* 0: the profile's */
	char esp[CONF_SUITES_MAX][CONF_SUITE_TEXT_MAX];
	size_t esp_count; /* 0: the profile's */
	bool force_encap;
	bool sha2_96;
};

struct conf_peer {
	struct addr net; /* port 0 */
	uint8_t bits;
	struct conf_policy policy;
};

struct conf_ike {
	struct addr listen[CONF_LISTEN_MAX]; /* port 0 */
	size_t listen_count;		     /* >= 1 */
	struct conf_policy policy;
	struct conf_peer peers[CONF_PEERS_MAX]; /* no prefix twice */
	size_t peer_count;
	char vendors[CONF_SUITES_MAX][CONF_VENDOR_MAX]; /* may be none */
	size_t vendor_count;
	char local_id[CONF_LOCAL_ID_MAX];
	uint32_t dpd_s; /* 0 (off) or 5 to 3600 */
	bool allow_weak_psk;
	uint32_t max_half_open;	  /* CONF_HALF_OPEN_MIN to _MAX */
	uint32_t max_per_address; /* 1 to 16383 */
};

struct conf_l2tp {
	struct addr pool_first, pool_last; /* IPv4, first <= last */
	struct addr local;		   /* IPv4, outside the pool */
	struct addr dns[CONF_DNS_MAX];
	size_t dns_count;
	uint16_t mtu;	      /* 576 to 1500 */
	uint8_t auth;	      /* enum conf_auth, or'ed; never 0 */
	uint32_t hello_s;     /* 0 (off) or 5 to 3600 */
	uint32_t max_clients; /* 1 to 16383 */
};

struct sallyport_conf {
	char user[CONF_USER_MAX]; /* of the engines */
	struct conf_ike ike;
	struct conf_l2tp l2tp;
};

/* What a conf_judge_fn judges. */
enum conf_word {
	CONF_WORD_PROPOSAL,
	CONF_WORD_ESP,
	CONF_WORD_PROFILE,
	CONF_WORD_VENDOR,   /* of `vendor-ids' */
	CONF_WORD_LOCAL_ID, /* of `local-id' */
};

/*
 * Judges one word: 0, or -EINVAL or -ENOTSUP with a reason (at most size
 * bytes, terminated).
 */
typedef int (*conf_judge_fn)(
    enum conf_word what, const char *text, char *reason, size_t size);

/*
 * Parses text (terminated); name is what errors call the file.  judge may
 * be NULL: suites and profiles are then only taken as text.  0, or -EINVAL
 * with "file:line: what is wrong" in error.
 */
int conf_parse(struct sallyport_conf *conf, const char *text, const char *name,
    conf_judge_fn judge, char error[CONF_ERROR_MAX]);

/*
 * Reads a whole text file of at most max bytes; *text is allocated and
 * terminated.  0, or -errno with "file: why" in error.
 */
int conf_read_file(
    const char *path, size_t max, char **text, char error[CONF_ERROR_MAX]);

#endif
