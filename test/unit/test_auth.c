/* SPDX-License-Identifier: ISC */
/* The AUTH operation: who is let in, who is not, and what each is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "l2tpd/core/auth.h"

#include <stdio.h>
#include <string.h>

#define ALL                                                                    \
	(AAA_METHOD_BIT(AAA_MSCHAPV2) | AAA_METHOD_BIT(AAA_CHAP_MD5) |         \
	    AAA_METHOD_BIT(AAA_PAP))

/* RFC 2759 section 9.2: User, clientPass */
static const uint8_t ours[16] = {0x5B, 0x5D, 0x7C, 0x7D, 0x7B, 0x3F, 0x2F, 0x3E,
    0x3C, 0x2C, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
static const uint8_t value[49] = {0x21, 0x40, 0x23, 0x24, 0x25, 0x5E, 0x26,
    0x2A, 0x28, 0x29, 0x5F, 0x2B, 0x3A, 0x33, 0x7C, 0x7E, 0, 0, 0, 0, 0, 0, 0,
    0, 0x82, 0x30, 0x9E, 0xCD, 0x8D, 0x70, 0x8B, 0x5E, 0xA0, 0x8F, 0xAA, 0x39,
    0x81, 0xCD, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4A, 0x3D, 0x85, 0xD6, 0xDF, 0};
#define SUCCESS "S=407A5589115FD0D6209F510FE9C04566932CDA56"
#define FAILURE                                                                \
	"E=691 R=0 C=5B5D7C7D7B3F2F3E3C2C602132262628 V=3 M=Access denied"

struct fix {
	struct mschap *m;
	struct users *users;
};

static const char text[] = "User:$plain$clientPass ip=10.20.0.77\n"
			   "hashed:$nt$44ebba8d5312b8d611474411f56989ae\n"
			   "odd:$plain$gr\xc3\xbc\xc3\x9f"
			   "e\n";

static int start(void **state)
{
	static struct fix f;
	char error[USERS_ERROR_MAX];

	f.m = mschap_new(error, sizeof(error));
	*state = &f;
	return f.m && !users_parse("t", text, sizeof(text) - 1, &f.users, error)
		   ? 0
		   : -1;
}

static int stop(void **state)
{
	struct fix *f = *state;

	mschap_free(f->m);
	users_free(f->users);
	return 0;
}

static struct aaa_auth ask_mschapv2(const char *user)
{
	struct aaa_auth a = {.method = AAA_MSCHAPV2, .id = 1};

	snprintf(a.user, sizeof(a.user), "%s", user);
	a.challenge.len = sizeof(ours);
	memcpy(a.challenge.data, ours, sizeof(ours));
	a.response.len = sizeof(value);
	memcpy(a.response.data, value, sizeof(value));
	return a;
}

static struct aaa_auth ask_pap(const char *user, const char *password)
{
	struct aaa_auth a = {.method = AAA_PAP};

	snprintf(a.user, sizeof(a.user), "%s", user);
	a.response.len = (uint16_t)strlen(password);
	memcpy(a.response.data, password, strlen(password));
	return a;
}

static struct aaa_auth ask_md5(
    struct fix *f, const char *user, const char *password)
{
	struct aaa_auth a = {.method = AAA_CHAP_MD5, .id = 9};

	snprintf(a.user, sizeof(a.user), "%s", user);
	a.challenge.len = 16;
	memset(a.challenge.data, 0xaa, 16);
	a.response.len = CHAP_MD5_LEN;
	assert_int_equal(chap_md5(f->m, 9, password, strlen(password),
			     a.challenge.data, 16, a.response.data),
	    0);
	return a;
}

static struct aaa_verdict check(struct fix *f, const struct aaa_auth *ask)
{
	struct aaa_verdict v;

	memset(&v, 0xff, sizeof(v));
	auth_check(f->m, f->users, ALL, ask, &v);
	return v;
}

static void is_refused(
    const struct aaa_verdict *v, enum aaa_verdict_code code, const char *reason)
{
	assert_int_equal(v->code, code);
	assert_string_equal(v->reason, reason);
	assert_string_equal(v->user, "");
	assert_int_equal(v->ip.family, ADDR_NONE);
	assert_null(strstr(v->text, "S="));
}

static void mschapv2_lets_the_rfcs_user_in(void **state)
{
	struct aaa_auth a = ask_mschapv2("User");
	struct aaa_verdict v = check(*state, &a);

	assert_int_equal(v.code, AAA_OK);
	assert_string_equal(v.text, SUCCESS " M=Welcome");
	assert_string_equal(v.reason, "");
	assert_string_equal(v.user, "User");
	assert_int_equal(v.ip.ip[3], 77);
	/* Flags set: a peer that can't take the message. */
	a.response.data[48] = 4;
	v = check(*state, &a);
	assert_string_equal(v.text, SUCCESS);
}

static void mschapv2_leaves_the_domain_out(void **state)
{
	struct aaa_auth a = ask_mschapv2("CORP\\User");
	struct aaa_verdict v = check(*state, &a);

	assert_int_equal(v.code, AAA_OK);
	assert_string_equal(v.text, SUCCESS " M=Welcome");
	assert_string_equal(v.user, "User");
}

static void mschapv2_refuses_any_changed_bit(void **state)
{
	for (size_t bit = 0; bit < 8 * 48; bit++) {
		struct aaa_auth a = ask_mschapv2("User");
		struct aaa_verdict v;

		/* Eight reserved bytes are in no hash. */
		if (bit / 8 >= 16 && bit / 8 < 24)
			continue;
		a.response.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		v = check(*state, &a);
		is_refused(&v, AAA_WRONG_PASSWORD, "wrong password");
		assert_string_equal(v.text, FAILURE);
	}
}

static void unknown_and_wrong_look_the_same_outside(void **state)
{
	struct aaa_auth a = ask_mschapv2("eve");
	struct aaa_verdict unknown = check(*state, &a), wrong;

	is_refused(&unknown, AAA_UNKNOWN_USER, "unknown user");
	a = ask_mschapv2("hashed"); /* its name is in the challenge hash */
	wrong = check(*state, &a);
	is_refused(&wrong, AAA_WRONG_PASSWORD, "wrong password");
	assert_string_equal(unknown.text, wrong.text);
}

static void pap_takes_both_kinds(void **state)
{
	struct aaa_auth a = ask_pap("User", "clientPass");
	struct aaa_verdict v = check(*state, &a);

	assert_int_equal(v.code, AAA_OK);
	assert_string_equal(v.text, "Welcome");
	a = ask_pap("hashed", "clientPass");
	assert_int_equal(check(*state, &a).code, AAA_OK);
	a = ask_pap("odd", "gr\xc3\xbc\xc3\x9f"
			   "e");
	assert_int_equal(check(*state, &a).code, AAA_OK);
}

static void pap_refuses_other_passwords(void **state)
{
	static const char *const wrong[] = {"", "c", "clientPas", "clientPasS",
	    "clientPassX", "clientPass ", "\xff", "clientPass\xff"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct aaa_auth a = ask_pap("User", wrong[i]);
		struct aaa_verdict v = check(*state, &a);

		is_refused(&v, AAA_WRONG_PASSWORD, "wrong password");
		assert_string_equal(v.text, "Refused");
	}
}

static void md5_needs_the_plain_secret(void **state)
{
	struct aaa_auth a = ask_md5(*state, "User", "clientPass");
	struct aaa_verdict v = check(*state, &a);

	assert_int_equal(v.code, AAA_OK);
	a.id++;
	v = check(*state, &a);
	is_refused(&v, AAA_WRONG_PASSWORD, "wrong password");
	a = ask_md5(*state, "User", "clientpass");
	v = check(*state, &a);
	is_refused(&v, AAA_WRONG_PASSWORD, "wrong password");
	a = ask_md5(*state, "hashed", "clientPass");
	v = check(*state, &a);
	is_refused(&v, AAA_NO_SECRET,
	    "chap-md5 needs $plain$ in the users file, the user has $nt$");
	/* Even when the bytes of the hash are taken for the password. */
	a = ask_md5(*state, "hashed",
	    "\x44\xeb\xba\x8d\x53\x12\xb8\xd6\x11\x47\x44\x11\xf5\x69\x89\xae");
	v = check(*state, &a);
	assert_int_equal(v.code, AAA_NO_SECRET);
}

static void methods_not_named_are_off(void **state)
{
	struct fix *f = *state;
	struct aaa_auth asks[] = {ask_mschapv2("User"),
	    ask_md5(f, "User", "clientPass"), ask_pap("User", "clientPass")};

	for (size_t i = 0; i < 3; i++) {
		struct aaa_verdict v;
		unsigned int bit = AAA_METHOD_BIT(asks[i].method);

		auth_check(f->m, f->users, ALL & ~bit, &asks[i], &v);
		is_refused(&v, AAA_METHOD_OFF,
		    "the method is not named in l2tp { auth }");
		auth_check(f->m, f->users, bit, &asks[i], &v);
		assert_int_equal(v.code, AAA_OK);
	}
}

static void wrong_lengths_are_malformed(void **state)
{
	static const char why[] = "wrong length of a value, or no name";
	struct aaa_verdict v;

	for (uint16_t len = 0; len <= AAA_RESPONSE_MAX; len++) {
		struct aaa_auth a = ask_mschapv2("User");

		a.response.len = len;
		v = check(*state, &a);
		if (len != sizeof(value))
			is_refused(&v, AAA_MALFORMED, why);
	}
	for (uint16_t len = 0; len <= AAA_CHALLENGE_MAX; len++) {
		struct aaa_auth a = ask_mschapv2("User");

		a.challenge.len = len;
		v = check(*state, &a);
		if (len != sizeof(ours))
			is_refused(&v, AAA_MALFORMED, why);
	}
	for (uint16_t len = 0; len <= AAA_RESPONSE_MAX; len++) {
		struct aaa_auth a = ask_md5(*state, "User", "clientPass");

		a.response.len = len;
		v = check(*state, &a);
		if (len != CHAP_MD5_LEN)
			is_refused(&v, AAA_MALFORMED, why);
	}
}

static void no_name_and_odd_methods_are_malformed(void **state)
{
	struct aaa_auth a = ask_mschapv2("");
	struct aaa_verdict v = check(*state, &a);

	is_refused(&v, AAA_MALFORMED, "wrong length of a value, or no name");
	a = ask_pap("User", "clientPass");
	a.challenge.len = 1;
	v = check(*state, &a);
	assert_int_equal(v.code, AAA_MALFORMED);
	for (unsigned int method = 0; method < 256; method++) {
		if (method >= AAA_MSCHAPV2 && method <= AAA_PAP)
			continue;
		a = ask_mschapv2("User");
		a.method = (uint8_t)method;
		v = check(*state, &a);
		is_refused(&v, AAA_MALFORMED, "unknown method");
	}
}

static void without_a_table_nobody_gets_in(void **state)
{
	struct fix *f = *state;
	struct aaa_auth a = ask_mschapv2("User");
	struct aaa_verdict v;

	auth_check(f->m, NULL, ALL, &a, &v);
	is_refused(&v, AAA_BROKEN, "the users file could not be read");
	assert_string_equal(v.text, FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mschapv2_lets_the_rfcs_user_in),
	    cmocka_unit_test(mschapv2_leaves_the_domain_out),
	    cmocka_unit_test(mschapv2_refuses_any_changed_bit),
	    cmocka_unit_test(unknown_and_wrong_look_the_same_outside),
	    cmocka_unit_test(pap_takes_both_kinds),
	    cmocka_unit_test(pap_refuses_other_passwords),
	    cmocka_unit_test(md5_needs_the_plain_secret),
	    cmocka_unit_test(methods_not_named_are_off),
	    cmocka_unit_test(wrong_lengths_are_malformed),
	    cmocka_unit_test(no_name_and_odd_methods_are_malformed),
	    cmocka_unit_test(without_a_table_nobody_gets_in),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
