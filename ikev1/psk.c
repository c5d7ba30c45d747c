/* SPDX-License-Identifier: ISC */
/* Parses the file of pre-shared keys and finds those of a peer. */
#include "ikev1/psk_priv.h"

#include "common/alloc.h"
#include "common/secret.h"
#include "ikev1/core/isakmp.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PREFIX_TEXT_MAX 64
#define WHO_MAX 512 /* bytes of PEER and its conditions */
#define BLANKS " \t"
#define BOM "\xef\xbb\xbf" /* some editors begin UTF-8 with it */

struct psk_parser {
	struct psk *psk;
	const char *name;
	int line;
	char *error;
	struct addr locals[PSK_LOCALS_MAX];
	size_t local_count;
};

static int wrong(struct psk_parser *p, const char *what)
{
	snprintf(
	    p->error, CONF_ERROR_MAX, "%.128s:%d: %s", p->name, p->line, what);
	return -EINVAL;
}

/* Clears what is behind the prefix: 10.1.2.3/8 is 10.0.0.0/8. */
static void mask(struct psk_entry *e)
{
	for (unsigned int i = 0; i < sizeof(e->net.ip); i++) {
		unsigned int kept = e->bits > 8 * i ? e->bits - 8 * i : 0;

		if (kept < 8)
			e->net.ip[i] &= (uint8_t)(0xff00u >> kept);
	}
}

/* No packet comes from there: whoever writes it means something else. */
static const char *nobody_is_there(const struct psk_entry *e)
{
	static const uint8_t zero[16], mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_v6 = e->net.family == ADDR_IPV6;

	if (is_v6 && e->bits >= 96 && !memcmp(e->net.ip, mapped, 12))
		return "IPv4 clients are found by their IPv4 address: write "
		       "it without ::ffff:";
	if (e->bits == 8 * addr_ip_len(&e->net) &&
	    !memcmp(e->net.ip, zero, sizeof(zero)))
		return is_v6 ? "no client has the address ::; write ::/0 or "
			       "any"
			     : "no client has the address 0.0.0.0; write "
			       "0.0.0.0/0 or any";
	return NULL;
}

/* PEER: `any`, an address, or ADDRESS/BITS. NULL or what is wrong. */
static const char *parse_peer(const char *text, struct psk_entry *e)
{
	static const char wrong_peer[] =
	    "the peer is no address, no prefix and not `any`";
	char copy[PREFIX_TEXT_MAX], *slash, *end;
	unsigned long bits;
	unsigned int all;

	if (!strcmp(text, "any"))
		return NULL;
	if (strlen(text) >= sizeof(copy))
		return wrong_peer;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	if (addr_parse(&e->net, copy))
		return wrong_peer;
	all = (unsigned int)addr_ip_len(&e->net) * 8;
	e->bits = all;
	if (!slash)
		return nobody_is_there(e);
	bits = strtoul(slash, &end, 10);
	if (*slash < '0' || *slash > '9' || *end || bits > all)
		return "the prefix length is out of range";
	e->bits = (unsigned int)bits;
	mask(e);
	return nobody_is_there(e);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* keyid:0x and its digits. */
static const char *parse_key_id(const char *text, struct psk_id *id)
{
	size_t len = strlen(text);

	if (!len || len % 2 || len / 2 > sizeof(id->data))
		return "keyid:0x needs 2 to 256 hexadecimal digits, two a byte";
	for (size_t i = 0; i < len; i += 2) {
		int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

		if (high < 0 || low < 0)
			return "keyid:0x is followed by something that is not "
			       "hexadecimal";
		id->data[i / 2] = (uint8_t)(high << 4 | low);
	}
	id->type = IPSEC_ID_KEY_ID;
	id->len = (uint8_t)(len / 2);
	return NULL;
}

static bool is_name(const char *text)
{
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("-._", *text))
			return false;
	}
	return true;
}

/* ID: an address, NAME, USER@NAME or keyid:0x... */
static const char *parse_id(const char *text, struct psk_id *id)
{
	size_t len = strlen(text);
	const char *at = strrchr(text, '@');
	struct addr a;

	if (id->type)
		return "id= is there twice";
	if (!strncmp(text, "keyid:0x", 8))
		return parse_key_id(text + 8, id);
	if (!addr_parse(&a, text)) {
		id->type =
		    a.family == ADDR_IPV4 ? IPSEC_ID_IPV4 : IPSEC_ID_IPV6;
		id->len = (uint8_t)addr_ip_len(&a);
		memcpy(id->data, a.ip, id->len);
		return NULL;
	}
	if (!len || !is_name(at ? at + 1 : text) ||
	    (at && (at == text || !at[1])))
		return "id= is no address, name, user@name or keyid:0x...";
	if (len > sizeof(id->data))
		return "id= is longer than 128 bytes";
	id->type = at ? IPSEC_ID_USER_FQDN : IPSEC_ID_FQDN;
	id->len = (uint8_t)len;
	memcpy(id->data, text, len);
	return NULL;
}

static const char *parse_local(
    struct psk_parser *p, const char *text, struct psk_entry *e)
{
	size_t at = 0;

	if (e->local.family != ADDR_NONE)
		return "local= is there twice";
	if (addr_parse(&e->local, text))
		return "local= is no address";
	while (at < p->local_count && !addr_ip_equal(&p->locals[at], &e->local))
		at++;
	if (at == PSK_LOCALS_MAX)
		return "more than 64 different addresses behind local=";
	if (at == p->local_count)
		p->locals[p->local_count++] = e->local;
	return NULL;
}

/* PEER[,local=ADDRESS][,id=ID] */
static const char *parse_who(
    struct psk_parser *p, const char *text, size_t len, struct psk_entry *e)
{
	char copy[WHO_MAX], *next, *word = copy;
	const char *bad;

	if (len >= sizeof(copy))
		return "the peer and its conditions are longer than 511 bytes";
	memcpy(copy, text, len);
	copy[len] = '\0';
	next = strchr(word, ',');
	if (next)
		*next++ = '\0';
	bad = parse_peer(word, e);
	while (!bad && next) {
		word = next;
		next = strchr(word, ',');
		if (next)
			*next++ = '\0';
		if (!strncmp(word, "local=", 6))
			bad = parse_local(p, word + 6, e);
		else if (!strncmp(word, "id=", 3))
			bad = parse_id(word + 3, &e->id);
		else
			bad = "only local= and id= may follow the peer";
	}
	return bad;
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
		for (size_t i = 0; i < len; i++) {
			if (iscntrl((unsigned char)text[i]))
				return "the key holds a tab or another control "
				       "character: no client sends that; "
				       "0x and hexadecimal digits can say it";
			add_byte(psk, e, (uint8_t)text[i]);
		}
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
	psk->entries[psk->count] =
	    (struct psk_entry){.number = (uint16_t)psk->count};
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
	e->line = (uint32_t)p->line;
	peer_len = strcspn(text, BLANKS "\n");
	if (peer_len > len)
		peer_len = len;
	bad = parse_who(p, text, peer_len, e);
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

/* `any` comes behind 0.0.0.0/0. */
static int specificity(const struct psk_entry *e)
{
	return e->net.family == ADDR_NONE ? -1 : (int)e->bits;
}

static int by_order(const void *left, const void *right)
{
	const struct psk_entry *a = left, *b = right;
	bool a_local = a->local.family != ADDR_NONE;
	bool b_local = b->local.family != ADDR_NONE;

	if (specificity(a) != specificity(b))
		return specificity(b) - specificity(a);
	if (a_local != b_local)
		return b_local - a_local;
	if (!a->id.type != !b->id.type)
		return !a->id.type - !b->id.type;
	return a->number < b->number ? -1 : 1;
}

static void arrange(struct psk *psk)
{
	if (psk->count)
		qsort(
		    psk->entries, psk->count, sizeof(*psk->entries), by_order);
	psk->slots = psk_crowd(psk).count;
	if (psk->slots > CANDIDATES_MAX)
		psk->slots = CANDIDATES_MAX;
	if (!psk->slots)
		psk->slots = 1;
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
	if (!strncmp(text, BOM, strlen(BOM)))
		text += strlen(BOM);
	for (; !err && *text; p.line++) {
		size_t len = strcspn(text, "\n");

		err = parse_line(&p, text, len);
		text += len + (text[len] == '\n');
	}
	if (err) {
		psk_free(psk);
		return err;
	}
	arrange(psk);
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

size_t psk_slots(const struct psk *p)
{
	return p->slots;
}

bool psk_fits(const struct psk_entry *e, const struct addr *local,
    const struct addr *peer)
{
	return (e->net.family == ADDR_NONE ||
		   addr_in_prefix(peer, &e->net, e->bits)) &&
	       (e->local.family == ADDR_NONE ||
		   addr_ip_equal(&e->local, local));
}

size_t psk_find(const struct psk *p, const struct addr *local,
    const struct addr *peer, struct psk_match out[CANDIDATES_MAX])
{
	size_t found = 0;

	for (size_t i = 0; i < p->count && found < CANDIDATES_MAX; i++) {
		const struct psk_entry *e = &p->entries[i];

		if (!psk_fits(e, local, peer))
			continue;
		out[found++] = (struct psk_match){
		    .entry = e->number,
		    .line = e->line,
		    .id = e->id,
		    .secret = {p->secrets + e->offset, e->len},
		};
	}
	return found;
}
