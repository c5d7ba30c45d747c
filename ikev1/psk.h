/* SPDX-License-Identifier: ISC */
/*
 * The pre-shared keys, /etc/sallyport/psk.  Monitor only: no engine ever
 * holds one.
 *
 *	# PEER SECRET
 *	any		"one for all"
 *	203.0.113.7	0x00112233445566
 *	198.51.100.0/24	rest of the line
 *
 * PEER is an address, a prefix or `any`.  SECRET is the rest of the line
 * without surrounding blanks; in double quotes it keeps them; 0x and an even
 * number of hexadecimal digits is binary.
 */
#ifndef IKEV1_PSK_H
#define IKEV1_PSK_H

#include "common/addr.h"
#include "common/conf.h"
#include "common/wire.h"

#define PSK_PATH_NAME "psk"  /* beside the configuration */
#define PSK_FILE_MAX 1048576 /* bytes */
#define PSK_ENTRIES_MAX 65535
#define PSK_SECRET_MAX 512 /* bytes */

struct psk;

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
 * The index-th (from 0) key that fits the peer, most specific first, in
 * the file's order among equals.  *entry is its stable number, *count how
 * many fit.  An empty span when there is no such one.
 */
struct wire_span psk_candidate(const struct psk *p, const struct addr *peer,
    uint16_t index, uint16_t *entry, uint16_t *count);

#endif
