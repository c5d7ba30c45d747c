/* SPDX-License-Identifier: ISC */
/*
 * Judges a file of pre-shared keys: can a key be guessed, does a line say
 * what another one said, and may more keys be one client's than are tried?
 */
#include "ikev1/psk_priv.h"

#include "common/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who pretends to be the server to one client can try guesses unseen. */
#define GOOD_LEN 20	 /* characters */
#define GOOD_BITS 112	 /* of guessing, by a generous estimate */
#define GOOD_DIFFERENT 5 /* bytes that differ from each other */
#define LINES_TEXT_MAX 128

/* --- too many ------------------------------------------------------------ */

static int by_place(const void *left, const void *right)
{
	const struct psk_entry *a = *(const struct psk_entry *const *)left;
	const struct psk_entry *b = *(const struct psk_entry *const *)right;
	int diff = memcmp(a->net.ip, b->net.ip, sizeof(a->net.ip));

	if (a->net.family != b->net.family)
		return a->net.family < b->net.family ? -1 : 1;
	if (diff)
		return diff;
	if (a->bits != b->bits)
		return a->bits < b->bits ? -1 : 1;
	return a->number < b->number ? -1 : 1;
}

/* The crowd among keys for who dials that local address. */
static void crowd_at(const struct psk_entry *const *sorted, size_t n,
    const struct addr *local, struct psk_crowd *most)
{
	const struct psk_entry **stack =
	    xreallocarray(NULL, n + 1, sizeof(struct psk_entry *));
	size_t depth = 0;

	/* ADDR_NONE sorts first: `any` stays at the bottom of the stack. */
	for (size_t i = 0; i < n; i++) {
		const struct psk_entry *e = sorted[i];

		if (e->local.family != ADDR_NONE &&
		    !addr_ip_equal(&e->local, local))
			continue;
		while (depth && stack[depth - 1]->net.family != ADDR_NONE &&
		       !addr_in_prefix(&e->net, &stack[depth - 1]->net,
			   stack[depth - 1]->bits))
			depth--;
		stack[depth++] = e;
		if (depth > most->count)
			*most = (struct psk_crowd){depth, e->net, *local};
	}
	free(stack);
}

struct psk_crowd psk_crowd(const struct psk *p)
{
	const struct psk_entry **sorted =
	    xreallocarray(NULL, p->count + 1, sizeof(struct psk_entry *));
	struct psk_crowd most = {0};
	struct addr nowhere = {0};
	struct addr locals[PSK_LOCALS_MAX];
	size_t local_count = 0;

	for (size_t i = 0; i < p->count; i++)
		sorted[i] = &p->entries[i];
	qsort(sorted, p->count, sizeof(struct psk_entry *), by_place);
	crowd_at(sorted, p->count, &nowhere, &most);
	for (size_t i = 0; i < p->count; i++) {
		const struct addr *local = &p->entries[i].local;
		size_t at = 0;

		if (local->family == ADDR_NONE)
			continue;
		while (at < local_count && !addr_ip_equal(&locals[at], local))
			at++;
		if (at < local_count)
			continue;
		locals[local_count++] = *local;
		crowd_at(sorted, p->count, local, &most);
	}
	free(sorted);
	return most;
}

static void append(char *out, size_t size, const char *text)
{
	size_t len = strlen(out);

	snprintf(out + len, size - len, "%s", text);
}

/* Names the lines that are never tried for the crowd. */
static void check_crowd(const struct psk *p, psk_finding_fn fn, void *ctx)
{
	struct psk_crowd crowd = psk_crowd(p);
	char lines[LINES_TEXT_MAX] = "", text[LINES_TEXT_MAX + 192];
	char peer[ADDR_TEXT_MAX], number[16];
	struct psk_finding f = {.text = text,
	    .remedy = "remove keys that nobody uses, or name the peers and "
		      "local= addresses of each more closely"};
	size_t at = 0;

	if (crowd.count <= CANDIDATES_MAX)
		return;
	for (size_t i = 0; i < p->count; i++) {
		const struct psk_entry *e = &p->entries[i];
		bool is_here =
		    crowd.peer.family == ADDR_NONE
			? e->net.family == ADDR_NONE &&
			      (e->local.family == ADDR_NONE ||
				  addr_ip_equal(&e->local, &crowd.local))
			: psk_fits(e, &crowd.local, &crowd.peer);

		if (!is_here || ++at <= CANDIDATES_MAX)
			continue;
		if (!f.line)
			f.line = e->line;
		snprintf(number, sizeof(number), "%s%u", lines[0] ? ", " : "",
		    e->line);
		if (strlen(lines) + sizeof(number) + 4 < sizeof(lines))
			append(lines, sizeof(lines), number);
	}
	snprintf(text, sizeof(text),
	    "%zu keys fit the peer %s, but only %d are tried: not those of "
	    "line %s%s",
	    crowd.count,
	    crowd.peer.family == ADDR_NONE ? "`any`"
					   : addr_ip_text(&crowd.peer, peer),
	    CANDIDATES_MAX, lines,
	    crowd.count - CANDIDATES_MAX > 20 ? " and more" : "");
	fn(ctx, &f);
}

/* --- too weak ------------------------------------------------------------ */

/* What is tried first; case and digits at the end do not matter. */
static const char *const notorious[] = {"vpn", "vpnvpn", "l2tp", "ipsec",
    "l2tpipsec", "ipsecvpn", "l2tpvpn", "vpnkey", "vpnpsk", "vpnsecret",
    "vpnpassword", "myvpn", "vpnuser", "psk", "presharedkey", "pre-shared-key",
    "sharedkey", "sharedsecret", "mysecret", "mykey", "secret", "secretkey",
    "topsecret", "password", "passw0rd", "p@ssw0rd", "pa$$w0rd", "passwort",
    "motdepasse", "contrasena", "test", "testing", "testtest", "testvpn",
    "vpntest", "testkey", "changeme", "changeit", "default", "admin",
    "administrator", "root", "letmein", "welcome", "qwerty", "qwertyuiop",
    "qwertzuiop", "azerty", "asdfghjkl", "1q2w3e4r", "1qaz2wsx", "abc",
    "abcdefgh", "iloveyou", "monkey", "dragon", "cisco", "mikrotik", "openswan",
    "strongswan", "libreswan", "sallyport", "softether", "hide.me", "office",
    "company", "internet"};

static bool is_notorious(struct wire_span s)
{
	size_t len = s.len;

	while (len && (isdigit(s.data[len - 1]) || s.data[len - 1] == '!'))
		len--;
	for (size_t i = 0; i < sizeof(notorious) / sizeof(notorious[0]); i++) {
		const char *word = notorious[i];

		/* Digits are part of some of them. */
		for (int whole = 0; whole < 2; whole++) {
			size_t have = whole ? s.len : len;

			if (strlen(word) == have &&
			    !strncasecmp(word, (const char *)s.data, have))
				return true;
		}
	}
	return false;
}

static bool is_text(struct wire_span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < 0x20 || s.data[i] > 0x7e)
			return false;
	}
	return true;
}

/* Bits of one byte of its kind, times 10. */
static unsigned int bits_of_kind(struct wire_span s)
{
	static const unsigned int bits10[] = {
	    [0] = 33, /* digits alone */
	    [1] = 47, /* one case */
	    [2] = 57, /* two kinds */
	    [3] = 60, /* three */
	    [4] = 65, /* four */
	};
	bool has[4] = {false}; /* digit, lower, upper, other */
	bool is_hex = true;
	unsigned int kinds;

	if (!is_text(s))
		return 80;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		is_hex = is_hex && isxdigit(c);
		has[isdigit(c)	 ? 0
		    : islower(c) ? 1
		    : isupper(c) ? 2
				 : 3] = true;
	}
	kinds = (unsigned int)(has[0] + has[1] + has[2] + has[3]);
	if (kinds == 1 && has[0])
		return bits10[0];
	return is_hex ? 40 : bits10[kinds];
}

/* The length of what it consists of, over and over; its own if nothing. */
static size_t period(struct wire_span s)
{
	for (size_t p = 1; 2 * p <= s.len; p++) {
		if (!memcmp(s.data, s.data + p, s.len - p))
			return p;
	}
	return s.len;
}

/* Bytes that do not go on as before: three of aaaaa, 12345 and dcba. */
static size_t surprising(struct wire_span s)
{
	size_t n = 0, same = 0;
	int before = 2;

	for (size_t i = 0; i < s.len; i++) {
		int step = i ? s.data[i] - s.data[i - 1] : 2;

		same = step == before && step >= -1 && step <= 1 ? same + 1 : 0;
		n += same < 2;
		before = step;
	}
	return n;
}

static size_t different(struct wire_span s)
{
	bool seen[256] = {false};
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		n += !seen[s.data[i]];
		seen[s.data[i]] = true;
	}
	return n;
}

/* Why somebody could guess it; NULL when it looks good. */
static const char *weakness(struct wire_span s)
{
	struct wire_span once = {s.data, period(s)};

	if (is_notorious(s))
		return "the key is one of those that are tried first";
	if (surprising(s) < 4 || different(s) < 3)
		return "the key is one character or sequence, repeated";
	if (is_text(s) && s.len < GOOD_LEN)
		return "the key is shorter than 20 characters";
	if (different(s) < GOOD_DIFFERENT)
		return "the key repeats few characters";
	if (surprising(once) * bits_of_kind(s) < GOOD_BITS * 10)
		return "the key is short for what it is made of (less than "
		       "112 bits to guess)";
	return NULL;
}

static size_t check_strength(const struct psk *p, psk_finding_fn fn, void *ctx)
{
	size_t weak = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct psk_entry *e = &p->entries[i];
		struct psk_finding f = {.line = e->line,
		    .is_weak = true,
		    .remedy = "make one with `openssl rand -base64 24` and "
			      "give it to the clients; allow-weak-psk = true "
			      "in section ike accepts it as it is"};

		f.text = weakness(
		    (struct wire_span){p->secrets + e->offset, e->len});
		weak += f.text != NULL;
		if (f.text)
			fn(ctx, &f);
	}
	return weak;
}

/* --- twice ---------------------------------------------------------------- */

struct keyed {
	const struct psk_entry *entry;
	const uint8_t *secret;
};

static int compare_ip(const struct addr *a, const struct addr *b)
{
	return a->family == b->family ? memcmp(a->ip, b->ip, sizeof(a->ip))
				      : a->family - b->family;
}

/* Whom it is for and what it is, without regard to its line. */
static int by_meaning(const struct keyed *a, const struct keyed *b)
{
	const struct psk_entry *x = a->entry, *y = b->entry;
	int diff = compare_ip(&x->net, &y->net);

	if (!diff)
		diff = (x->bits > y->bits) - (x->bits < y->bits);
	if (!diff)
		diff = compare_ip(&x->local, &y->local);
	if (!diff)
		diff = memcmp(&x->id, &y->id, sizeof(x->id));
	if (!diff)
		diff = (x->len > y->len) - (x->len < y->len);
	return diff ? diff : memcmp(a->secret, b->secret, x->len);
}

static int by_meaning_and_line(const void *left, const void *right)
{
	const struct keyed *a = left, *b = right;
	int diff = by_meaning(a, b);

	if (diff)
		return diff;
	return a->entry->number < b->entry->number ? -1 : 1;
}

/* A line that says what one before it said takes a place among the tried. */
static void check_twice(const struct psk *p, psk_finding_fn fn, void *ctx)
{
	struct keyed *all = xreallocarray(NULL, p->count + 1, sizeof(*all));
	char text[64];
	struct psk_finding f = {.text = text, .remedy = "remove one of them"};

	for (size_t i = 0; i < p->count; i++)
		all[i] = (struct keyed){
		    &p->entries[i], p->secrets + p->entries[i].offset};
	qsort(all, p->count, sizeof(*all), by_meaning_and_line);
	for (size_t i = 1; i < p->count; i++) {
		if (by_meaning(&all[i - 1], &all[i]))
			continue;
		f.line = all[i].entry->line;
		snprintf(text, sizeof(text),
		    "the line says the same as line %u",
		    (unsigned int)all[i - 1].entry->line);
		fn(ctx, &f);
	}
	free(all);
}

size_t psk_check(const struct psk *p, psk_finding_fn fn, void *ctx)
{
	size_t weak = check_strength(p, fn, ctx);

	check_twice(p, fn, ctx);
	check_crowd(p, fn, ctx);
	return weak;
}
