/* SPDX-License-Identifier: ISC */
/* A peer's proof against the users table. */
#include "l2tpd/core/auth.h"

#include "common/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The parts of an MS-CHAPv2 Response's value, RFC 2759 section 4. */
#define PEER_CHALLENGE_AT 0
#define NT_RESPONSE_AT 24
#define FLAGS_AT 48

/* Every path hands back what it found; 0 or -EIO for OpenSSL's failures. */
typedef int (*check_fn)(struct mschap *m, const struct user *user,
    const struct aaa_auth *ask, struct aaa_verdict *out, bool *is_right);

static int nt_hash_of(
    struct mschap *m, const struct user *user, uint8_t hash[MSCHAP_HASH_LEN])
{
	bool is_plain = user->kind == USER_PLAIN;
	int err;

	/* Both kinds cost a hash. */
	err = is_plain ? mschap_nt_hash(m, (const char *)user->secret,
			     user->secret_len, hash)
		       : mschap_nt_hash(m, "twelve bytes", 12, hash);
	if (!is_plain)
		memcpy(hash, user->secret, MSCHAP_HASH_LEN);
	return err;
}

static int check_mschapv2(struct mschap *m, const struct user *user,
    const struct aaa_auth *ask, struct aaa_verdict *out, bool *is_right)
{
	const uint8_t *value = ask->response.data;
	uint8_t hash[MSCHAP_HASH_LEN], want[MSCHAP_NT_RESPONSE_LEN];
	char text[MSCHAP_AUTH_TEXT_MAX];
	uint8_t challenge[8];
	int err = nt_hash_of(m, user, hash);

	if (!err)
		err = mschap_challenge_hash(m, value + PEER_CHALLENGE_AT,
		    ask->challenge.data, ask->user, challenge);
	if (!err)
		err = mschap_challenge_response(m, challenge, hash, want);
	if (!err)
		err = mschap_authenticator(
		    m, hash, value + NT_RESPONSE_AT, challenge, text);
	if (!err) {
		*is_right =
		    secret_equal(want, value + NT_RESPONSE_AT, sizeof(want));
		/* Old peers set Flags and stumble over the message. */
		snprintf(out->text, sizeof(out->text), "%s%s", text,
		    value[FLAGS_AT] ? "" : " M=Welcome");
	}
	secret_wipe(hash, sizeof(hash));
	secret_wipe(want, sizeof(want));
	secret_wipe(text, sizeof(text));
	return err;
}

static int check_chap_md5(struct mschap *m, const struct user *user,
    const struct aaa_auth *ask, struct aaa_verdict *out, bool *is_right)
{
	uint8_t want[CHAP_MD5_LEN];
	int err = chap_md5(m, ask->id, user->secret, user->secret_len,
	    ask->challenge.data, ask->challenge.len, want);

	if (!err) {
		*is_right =
		    secret_equal(want, ask->response.data, sizeof(want));
		snprintf(out->text, sizeof(out->text), "Welcome");
	}
	secret_wipe(want, sizeof(want));
	return err;
}

/* PAP against either kind: compare NT hashes, whose length is constant. */
static int check_pap(struct mschap *m, const struct user *user,
    const struct aaa_auth *ask, struct aaa_verdict *out, bool *is_right)
{
	uint8_t want[MSCHAP_HASH_LEN], got[MSCHAP_HASH_LEN] = {0};
	bool is_text = true;
	int err = nt_hash_of(m, user, want);

	if (!err)
		err = mschap_nt_hash(m, (const char *)ask->response.data,
		    ask->response.len, got);
	/* Not UTF-8: no password of ours. */
	if (err == -EINVAL) {
		is_text = false;
		err = 0;
	}
	if (!err) {
		*is_right = secret_equal(want, got, sizeof(want)) && is_text;
		snprintf(out->text, sizeof(out->text), "Welcome");
	}
	secret_wipe(want, sizeof(want));
	secret_wipe(got, sizeof(got));
	return err;
}

static const struct method {
	enum aaa_method method;
	check_fn check;
	uint16_t challenge_min, challenge_max;
	uint16_t response_min, response_max;
	bool needs_plain;
} methods[] = {
    {AAA_MSCHAPV2, check_mschapv2, MSCHAP_CHALLENGE_LEN, MSCHAP_CHALLENGE_LEN,
	MSCHAP_RESPONSE_LEN, MSCHAP_RESPONSE_LEN, false},
    {AAA_CHAP_MD5, check_chap_md5, 8, AAA_CHALLENGE_MAX, CHAP_MD5_LEN,
	CHAP_MD5_LEN, true},
    {AAA_PAP, check_pap, 0, 0, 0, AAA_RESPONSE_MAX, false},
};

static const struct method *find_method(unsigned int number)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (methods[i].method == number)
			return &methods[i];
	return NULL;
}

/*
 * What the peer reads when it is refused: the same for every reason.  RFC
 * 2759 section 6: R=0, a second try is not allowed; C, our challenge.
 */
static void refusal_text(const struct aaa_auth *ask, struct aaa_verdict *out)
{
	char hex[2 * MSCHAP_CHALLENGE_LEN + 1] = "";

	if (ask->method != AAA_MSCHAPV2) {
		snprintf(out->text, sizeof(out->text), "Refused");
		return;
	}
	for (size_t i = 0; i < MSCHAP_CHALLENGE_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02X", ask->challenge.data[i]);
	snprintf(out->text, sizeof(out->text),
	    "E=691 R=0 C=%s V=3 M=Access denied", hex);
}

static bool lengths_fit(const struct method *m, const struct aaa_auth *ask)
{
	return ask->challenge.len >= m->challenge_min &&
	       ask->challenge.len <= m->challenge_max &&
	       ask->response.len >= m->response_min &&
	       ask->response.len <= m->response_max && ask->user[0];
}

static void say(
    struct aaa_verdict *out, enum aaa_verdict_code code, const char *reason)
{
	out->code = code;
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
}

/* Nobody's password: random enough, never compared as right. */
static const struct user nobody = {
    .name = "nobody",
    .kind = USER_NT,
    .secret = {0x9e, 0x37, 0x79, 0xb9, 0x7f, 0x4a, 0x7c, 0x15, 0xf3, 0x9c, 0xc0,
	0x60, 0x5c, 0xed, 0xc8, 0x34},
    .secret_len = USERS_NT_LEN,
};

static void decide(struct mschap *m, const struct users *users,
    const struct method *how, const struct aaa_auth *ask,
    struct aaa_verdict *out)
{
	const struct user *user = users ? users_find(users, ask->user) : NULL;
	const struct user *tried = user ? user : &nobody;
	bool is_right = false;
	int err = how->check(m, tried, ask, out, &is_right);

	if (err)
		say(out, AAA_BROKEN, "OpenSSL failed");
	else if (!users)
		say(out, AAA_BROKEN, "the users file could not be read");
	else if (!user)
		say(out, AAA_UNKNOWN_USER, "unknown user");
	else if (how->needs_plain && user->kind != USER_PLAIN)
		say(out, AAA_NO_SECRET,
		    "chap-md5 needs $plain$ in the users file, the user has "
		    "$nt$");
	else if (!is_right)
		say(out, AAA_WRONG_PASSWORD, "wrong password");
	else
		out->code = AAA_OK;
	if (out->code != AAA_OK)
		return;
	snprintf(out->user, sizeof(out->user), "%s", user->name);
	out->ip = user->ip;
}

void auth_check(struct mschap *m, const struct users *users,
    unsigned int allowed, const struct aaa_auth *ask, struct aaa_verdict *out)
{
	const struct method *how = find_method(ask->method);

	memset(out, 0, sizeof(*out));
	if (!how)
		say(out, AAA_MALFORMED, "unknown method");
	else if (!(allowed & AAA_METHOD_BIT(ask->method)))
		say(out, AAA_METHOD_OFF,
		    "the method is not named in l2tp { auth }");
	else if (!lengths_fit(how, ask))
		say(out, AAA_MALFORMED, "wrong length of a value, or no name");
	else
		decide(m, users, how, ask, out);
	if (out->code != AAA_OK)
		refusal_text(ask, out);
}
