/* SPDX-License-Identifier: ISC */
/* Parses the file of pre-shared keys and finds those of a peer. */
#include "ikev1/psk.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PREFIX_TEXT_MAX 64
#define BLANKS " \t"

struct psk_entry {
	struct addr net; /* ADDR_NONE: any */
	unsigned int bits;
	size_t offset, len; /* in secrets */
};

struct psk {
	struct psk_entry *entries; /* in the file's order */
	size_t count, capacity;
	uint8_t *secrets; /* locked in memory */
	size_t secrets_len, secrets_size;
};

struct psk_parser {
	struct psk *psk;
	const char *name;
	int line;
	char *error;
};

static int wrong(struct psk_parser *p, const char *what)
{
	snprintf(
	    p->error, CONF_ERROR_MAX, "%.128s:%d: %s", p->name, p->line, what);
	return -EINVAL;
}

/* PEER: `any`, an address, or ADDRESS/BITS. NULL or what is wrong. */
static const char *parse_peer(const char *text, size_t len, struct psk_entry *e)
{
	char copy[PREFIX_TEXT_MAX], *slash, *end;
	unsigned long bits;
	unsigned int all;

	if (len == 3 && !memcmp(text, "any", 3))
		return NULL;
	if (len >= sizeof(copy))
		return "the peer is no address, no prefix and not `any`";
	memcpy(copy, text, len);
	copy[len] = '\0';
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (addr_parse(&e->net, copy))
		return "the peer is no address, no prefix and not `any`";
	all = (unsigned int)addr_ip_len(&e->net) * 8;
	e->bits = all;
	if (!slash)
		return NULL;
	bits = strtoul(slash, &end, 10);
	if (*slash < '0' || *slash > '9' || *end || bits > all)
		return "the prefix length is out of range";
	e->bits = (unsigned int)bits;
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Appends to the secrets; the room was measured before. */
static void add_byte(struct psk *psk, struct psk_entry *e, uint8_t byte)
{
	psk->secrets[psk->secrets_len++] = byte;
	e->len++;
}

static const char *parse_hex(
    struct psk *psk, struct psk_entry *e, const char *text, size_t len)
{
	if (len % 2)
		return "0x needs an even number of hexadecimal digits";
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return "0x is followed by something that is not "
			       "hexadecimal";
		add_byte(psk, e, (uint8_t)(high << 4 | low));
	}
	return NULL;
}

/* SECRET, already without blanks around it. */
static const char *parse_secret(
    struct psk *psk, struct psk_entry *e, const char *text, size_t len)
{
	const char *bad = NULL;

	e->offset = psk->secrets_len;
	if (len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		bad = parse_hex(psk, e, text + 2, len - 2);
	} else {
		if (len && text[0] == '"') {
			if (len < 2 || text[len - 1] != '"')
				return "the closing quote is missing";
			text++;
			len -= 2;
		}
		for (size_t i = 0; i < len; i++)
			add_byte(psk, e, (uint8_t)text[i]);
	}
	if (bad)
		return bad;
	if (!e->len)
		return "the pre-shared key is empty: anyone could connect";
	return e->len > PSK_SECRET_MAX ? "the key is longer than 512 bytes"
				       : NULL;
}

static struct psk_entry *new_entry(struct psk *psk)
{
	if (psk->count == psk->capacity) {
		psk->capacity = psk->capacity ? psk->capacity * 2 : 8;
		psk->entries = xreallocarray(
		    psk->entries, psk->capacity, sizeof(*psk->entries));
	}
	psk->entries[psk->count] = (struct psk_entry){0};
	return &psk->entries[psk->count++];
}

static int parse_line(struct psk_parser *p, const char *text, size_t len)
{
	struct psk_entry *e;
	const char *bad;
	size_t skip, peer_len;

	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	skip = strspn(text, BLANKS);
	if (skip >= len || text[skip] == '#')
		return 0;
	text += skip;
	len -= skip;
	if (p->psk->count >= PSK_ENTRIES_MAX)
		return wrong(p, "more than 65535 keys");
	e = new_entry(p->psk);
	peer_len = strcspn(text, BLANKS "\n");
	if (peer_len > len)
		peer_len = len;
	bad = parse_peer(text, peer_len, e);
	if (bad)
		return wrong(p, bad);
	text += peer_len;
	len -= peer_len;
	skip = strspn(text, BLANKS);
	if (skip > len)
		skip = len;
	bad = parse_secret(p->psk, e, text + skip, len - skip);
	return bad ? wrong(p, bad) : 0;
}

int psk_parse(const char *text, const char *name, struct psk **out,
    char error[CONF_ERROR_MAX])
{
	struct psk *psk = xcalloc(1, sizeof(*psk));
	struct psk_parser p = {
	    .psk = psk, .name = name, .line = 1, .error = error};
	int err = 0;

	/* No secret is longer than its text. */
	psk->secrets_size = strlen(text) + 1;
	psk->secrets = xcalloc(1, psk->secrets_size);
	/* Best effort: a small limit must not keep the daemon down. */
	if (mlock(psk->secrets, psk->secrets_size) && errno == EINVAL)
		abort();
	for (; !err && *text; p.line++) {
		size_t len = strcspn(text, "\n");

		err = parse_line(&p, text, len);
		text += len + (text[len] == '\n');
	}
	if (err) {
		psk_free(psk);
		return err;
	}
	*out = psk;
	return 0;
}

int psk_load(const char *path, struct psk **out, bool *is_open,
    char error[CONF_ERROR_MAX])
{
	struct stat st;
	char *text;
	int err = conf_read_file(path, PSK_FILE_MAX, &text, error);

	if (err)
		return err;
	*is_open = stat(path, &st) || (st.st_mode & (S_IRWXG | S_IRWXO));
	err = psk_parse(text, path, out, error);
	secret_free(text, strlen(text));
	return err;
}

void psk_free(struct psk *p)
{
	if (!p)
		return;
	secret_wipe(p->secrets, p->secrets_size);
	munlock(p->secrets, p->secrets_size);
	free(p->secrets);
	free(p->entries);
	free(p);
}

size_t psk_count(const struct psk *p)
{
	return p->count;
}

static bool fits(const struct psk_entry *e, const struct addr *peer)
{
	return e->net.family == ADDR_NONE ||
	       (e->net.family == peer->family &&
		   addr_in_prefix(peer, &e->net, e->bits));
}

/* `any` comes behind 0.0.0.0/0. */
static int specificity(const struct psk_entry *e)
{
	return e->net.family == ADDR_NONE ? -1 : (int)e->bits;
}

struct wire_span psk_candidate(const struct psk *p, const struct addr *peer,
    uint16_t index, uint16_t *entry, uint16_t *count)
{
	const struct psk_entry *found = NULL;
	unsigned int before = 0;

	*count = 0;
	*entry = 0;
	for (int level = 128; level >= -1; level--) {
		for (size_t i = 0; i < p->count; i++) {
			const struct psk_entry *e = &p->entries[i];

			if (specificity(e) != level || !fits(e, peer))
				continue;
			if (before++ == index) {
				found = e;
				*entry = (uint16_t)i;
			}
		}
	}
	*count = (uint16_t)before;
	if (!found)
		return (struct wire_span){NULL, 0};
	return (struct wire_span){p->secrets + found->offset, found->len};
}
