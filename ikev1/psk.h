/* SPDX-License-Identifier: ISC */
/*
 * The pre-shared keys, /etc/sallyport/psk.  Monitor only: no engine ever
 * holds one.
 *
 *	# PEER[,local=ADDRESS][,id=ID] SECRET
 *	any				"one for all"
 *	203.0.113.7			0x00112233445566
 *	198.51.100.0/24			rest of the line
 *	any,local=192.0.2.1		for who dials this address of ours
 *	2001:db8::/32,id=gw.example	for who calls itself so
 *
 * PEER is an address, a prefix or `any`.  ID is an address, a name,
 * user@name or keyid:0x and hexadecimal digits.  SECRET is the rest of the
 * line without surrounding blanks; in double quotes it keeps them; 0x and
 * an even number of hexadecimal digits is binary, and the only way to write
 * a control character.  A byte order mark and CR LF do no harm.
 *
 * Order of candidates: the longer prefix first (`any` last), then those for
 * one local address, then those for one ID, then the file's order.
 */
#ifndef IKEV1_PSK_H
#define IKEV1_PSK_H

#include "common/addr.h"
#include "common/conf.h"
#include "common/wire.h"
#include "ikev1/core/candidate.h"

#define PSK_PATH_NAME "psk"  /* beside the configuration */
#define PSK_FILE_MAX 1048576 /* bytes */
#define PSK_ENTRIES_MAX 65535
#define PSK_SECRET_MAX 512 /* bytes */
#define PSK_LOCALS_MAX 64  /* different addresses behind local= */

struct psk;

/* An ID that a key is bound to; type 0: every ID may use it. */
struct psk_id {
	uint8_t type; /* enum ipsec_id_type */
	uint8_t len;
	uint8_t data[CANDIDATE_ID_MAX];
};

struct psk_match {
	uint16_t entry; /* its place in the file, from 0 */
	uint32_t line;
	struct psk_id id;
	struct wire_span secret; /* borrowed */
};

/*
 * Parses text (terminated); name is what errors call the file.  0 with
 * *out, or -EINVAL with "file:line: what is wrong".
 */
int psk_parse(const char *text, const char *name, struct psk **out,
    char error[CONF_ERROR_MAX]);
/*
 * Reads the file.  *is_open: others than its owner may read it.  0, or
 * -errno with error set.
 */
int psk_load(const char *path, struct psk **out, bool *is_open,
    char error[CONF_ERROR_MAX]);
/* Wipes and frees; NULL is allowed. */
void psk_free(struct psk *p);

size_t psk_count(const struct psk *p);
/*
 * The keys for a client at peer that dials local, in order; those behind
 * CANDIDATES_MAX are never used.  Returns how many are in out.
 */
size_t psk_find(const struct psk *p, const struct addr *local,
    const struct addr *peer, struct psk_match out[CANDIDATES_MAX]);
/* The most that psk_find() gives for any client; 1 to CANDIDATES_MAX. */
size_t psk_slots(const struct psk *p);

/* Something that the operator should know about a valid file. */
struct psk_finding {
	uint32_t line;
	/* A weak key, not to be used unless allow-weak-psk says so. */
	bool is_weak;
	const char *text;   /* what: never the key itself */
	const char *remedy; /* what to do */
};
typedef void (*psk_finding_fn)(void *ctx, const struct psk_finding *f);

/*
 * Judges every key and looks for lines that say the same and for addresses
 * with too many keys (psk_check.c).  Returns how many keys are weak.
 */
size_t psk_check(const struct psk *p, psk_finding_fn fn, void *ctx);

#endif
