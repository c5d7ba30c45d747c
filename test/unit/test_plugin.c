/* SPDX-License-Identifier: ISC */
/* The pppd plugin: who gets in, and what its options are. */
#include "test/unit/plugin_rig.h"

static void chap_asks_l2tpd(void **state)
{
	union aaa_any m;
	char message[256];
	uint32_t seq;

	(void)state;
	say_auth(true, "S=0011 M=Welcome");
	assert_int_equal(mschapv2(message), 1);
	assert_string_equal(message, "S=0011 M=Welcome");
	assert_int_equal(hear(&m, &seq), AAA_AUTH);
	assert_int_equal(seq, 1);
	assert_int_equal(m.auth.method, AAA_MSCHAPV2);
	assert_int_equal(m.auth.id, 77);
	assert_string_equal(m.auth.user, "DOM\\alice");
	/* Without the length byte in front. */
	assert_int_equal(m.auth.challenge.len, 16);
	assert_memory_equal(m.auth.challenge.data, challenge + 1, 16);
	assert_int_equal(m.auth.response.len, 49);
	assert_memory_equal(m.auth.response.data, response + 1, 49);
	assert_true(session.is_authenticated);
}

static void a_refusal_is_passed_on(void **state)
{
	char message[256];

	(void)state;
	say_auth(false, "E=691 R=0 C=00 V=3 M=x");
	assert_int_equal(mschapv2(message), 0);
	assert_string_equal(message, "E=691 R=0 C=00 V=3 M=x");
	assert_false(session.is_authenticated);
	/* A text that is no failure of MS-CHAPv2's form. */
	say_auth(false, "Refused");
	assert_int_equal(mschapv2(message), 0);
	assert_string_equal(message, FAILURE);
	assert_null(pppd.closed);
}

static void without_l2tpd_nobody_gets_in(void **state)
{
	char message[256];

	(void)state;
	close(pair[1]);
	pair[1] = -1;
	assert_int_equal(mschapv2(message), 0);
	assert_string_equal(message, FAILURE);
	/* The watch runs at once and ends pppd. */
	assert_int_equal(pppd.timer_count, 1);
	assert_int_equal(pppd.timers[0].seconds, 0);
	pppd.timers[0].func(pppd.timers[0].arg);
	assert_int_equal(pppd.died, EXIT_HANGUP);
}

static void a_term_instead_of_a_reply_refuses(void **state)
{
	struct aaa_term t = {.reason = "disconnected"};
	char message[256];

	(void)state;
	say(AAA_TERM, 0, &t);
	say_auth(true, "S=1");
	assert_int_equal(mschapv2(message), 0);
	assert_int_equal(pppd.timers[0].seconds, 0);
	pppd.timers[0].func(pppd.timers[0].arg);
	assert_string_equal(pppd.closed, "Disconnected by the server");
	assert_int_equal(status, EXIT_USER_REQUEST);
	assert_int_equal(pppd.died, -1);
}

static void sigterm_ends_a_wait(void **state)
{
	char message[256];

	(void)state;
	got_sigterm = 15;
	assert_int_equal(mschapv2(message), 0);
}

static void methods_that_are_off_are_refused_here(void **state)
{
	static const int codes[] = {CHAP_MICROSOFT, CHAP_MD5, 0, 99};
	union aaa_any m;
	uint32_t seq;

	(void)state;
	challenge[0] = 16;
	response[0] = 16;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct chap_digest_type digest = {.code = codes[i]};
		char message[256] = "left over";

		assert_int_equal(chap_verify_hook("alice", "lns", 1, &digest,
				     challenge, response, message, 256),
		    0);
		assert_string_equal(message, "");
		assert_int_equal(hear(&m, &seq), 0);
	}
	session.methods = AAA_METHOD_BIT(AAA_CHAP_MD5);
	say_auth(true, "Welcome");
	assert_int_equal(chap_verify_hook("alice", "lns", 1,
			     &(struct chap_digest_type){.code = CHAP_MD5},
			     challenge, response, (char[256]){0}, 256),
	    1);
	assert_int_equal(hear(&m, &seq), AAA_AUTH);
	assert_int_equal(m.auth.method, AAA_CHAP_MD5);
	assert_int_equal(m.auth.response.len, 16);
}

static void long_values_are_refused_here(void **state)
{
	struct chap_digest_type digest = {.code = CHAP_MICROSOFT_V2};
	unsigned char long_challenge[256] = {65};
	char name[200], message[256];
	union aaa_any m;
	uint32_t seq;

	(void)state;
	challenge[0] = 16;
	response[0] = 49;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(chap_verify_hook(name, "lns", 1, &digest, challenge,
			     response, message, 256),
	    0);
	assert_int_equal(chap_verify_hook("alice", "lns", 1, &digest,
			     long_challenge, response, message, 256),
	    0);
	assert_int_equal(hear(&m, &seq), 0);
	assert_memory_equal(message, "E=691 ", 6);
}

/*
 * pppd 9042dbd: the length byte was taken for the first byte of the value.
 * CVE-2020-7466, pppd 05b737b: a length said more than there was.  Here all
 * lengths, in memory of just that size.
 */
static void cve_2020_7466_values_of_every_length(void **state)
{
	struct chap_digest_type digest = {.code = CHAP_MICROSOFT_V2};
	struct aaa_auth most;
	union aaa_any m;
	char message[256];
	uint32_t seq;

	(void)state;
	for (size_t i = 0; i < 512; i++) {
		size_t lens[] = {i < 256 ? i : 16, i < 256 ? 49 : i - 256};
		unsigned char *c = malloc(lens[0] + 1);
		unsigned char *r = malloc(lens[1] + 1);
		bool fits = lens[0] <= sizeof(most.challenge.data) &&
			    lens[1] <= sizeof(most.response.data);

		memset(c, 'c', lens[0] + 1);
		memset(r, 'r', lens[1] + 1);
		c[0] = (unsigned char)lens[0];
		r[0] = (unsigned char)lens[1];
		if (fits)
			say_auth(true, "S=1");
		assert_int_equal(chap_verify_hook("alice", "lns", 1, &digest, c,
				     r, message, sizeof(message)),
		    fits);
		assert_int_equal(hear(&m, &seq), fits ? AAA_AUTH : 0);
		if (fits) {
			assert_int_equal(m.auth.challenge.len, lens[0]);
			assert_memory_equal(
			    m.auth.challenge.data, c + 1, lens[0]);
			assert_int_equal(m.auth.response.len, lens[1]);
			assert_memory_equal(
			    m.auth.response.data, r + 1, lens[1]);
		}
		free(c);
		free(r);
	}
}

/* The same of names and of PAP's passwords. */
static void cve_2020_7466_names_of_every_length(void **state)
{
	const size_t name_max = sizeof(((struct aaa_auth *)0)->user) - 1;
	const size_t secret_max = sizeof(((struct aaa_auth *)0)->response.data);
	struct wordlist *addrs, *opts;
	char *reply;
	union aaa_any m;
	uint32_t seq;

	(void)state;
	session.methods = AAA_METHOD_BIT(AAA_PAP);
	for (size_t i = 0; i < 1024; i++) {
		size_t lens[] = {i < 512 ? i : 5, i < 512 ? 5 : i - 512};
		bool fits = lens[0] <= name_max && lens[1] <= secret_max;
		char *name = calloc(1, lens[0] + 1);
		char *secret = calloc(1, lens[1] + 1);

		memset(name, 'n', lens[0]);
		memset(secret, 's', lens[1]);
		if (fits)
			say_auth(true, "Welcome");
		assert_int_equal(
		    pap_auth_hook(name, secret, &reply, &addrs, &opts), fits);
		assert_int_equal(hear(&m, &seq), fits ? AAA_AUTH : 0);
		if (fits) {
			assert_string_equal(m.auth.user, name);
			assert_int_equal(m.auth.response.len, lens[1]);
		}
		free(name);
		free(secret);
	}
}

/* CVE-2020-8597: whatever /etc/ppp/options says, nobody is asked for EAP. */
static void cve_2020_8597_eap_is_never_asked_for(void **state)
{
	(void)state;
	for (unsigned int methods = 0; methods < 32; methods++) {
		session.methods = (uint8_t)methods;
		lcp_wantoptions[0].neg_eap = 1;
		the_channel->process_extra_options();
		assert_int_equal(lcp_wantoptions[0].neg_eap, 0);
		assert_int_equal(auth_required, 1);
	}
}

static void pap_sends_the_password_once(void **state)
{
	char name[] = "alice", password[] = "s3cret";
	struct wordlist *addrs = NULL, *opts = NULL;
	char *message = NULL;
	union aaa_any m;
	uint32_t seq;

	(void)state;
	assert_int_equal(
	    pap_auth_hook(name, password, &message, &addrs, &opts), 0);
	assert_int_equal(hear(&m, &seq), 0);
	assert_string_equal(message, "Refused");
	session.methods = AAA_METHOD_BIT(AAA_PAP);
	say_auth(true, "Welcome");
	assert_int_equal(
	    pap_auth_hook(name, password, &message, &addrs, &opts), 1);
	assert_string_equal(message, "Welcome");
	assert_int_equal(hear(&m, &seq), AAA_AUTH);
	assert_int_equal(m.auth.challenge.len, 0);
	assert_int_equal(m.auth.response.len, 6);
	assert_memory_equal(m.auth.response.data, "s3cret", 6);
	assert_null(addrs);
	assert_null(opts);
}

static void pppds_own_files_decide_nothing(void **state)
{
	struct wordlist *addrs, *opts;

	(void)state;
	assert_int_equal(pap_check_hook(), 1);
	assert_int_equal(chap_check_hook(), 1);
	assert_int_equal(null_auth_hook(&addrs, &opts), 0);
	assert_null(addrs);
	assert_null(opts);
}

static void options_take_sockets_only(void **state)
{
	int stream[2], file = dup(0);
	char text[16];

	(void)state;
	assert_int_equal(fcntl(pair[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(pair[1], F_GETFD), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, stream), 0);
	snprintf(text, sizeof(text), "%d", stream[0]);
	set_option("sallyport-fd", text, 0);
	set_option("sallyport-pppox", text, 0);
	assert_non_null(strstr(pppd.option_error, "not the expected socket"));
	set_option("sallyport-fd", "12x", 0);
	set_option("sallyport-fd", "-1", 0);
	snprintf(text, sizeof(text), "%d", file);
	set_option("sallyport-fd", text, 0);
	assert_int_equal(session.fd, pair[0]);
	assert_int_equal(session.pppox, -1);
	close(stream[0]);
	close(stream[1]);
	close(file);
}

static void options_name_the_methods(void **state)
{
	(void)state;
	set_option("sallyport-auth", "mschap-v2,pap", 1);
	assert_int_equal(session.methods,
	    AAA_METHOD_BIT(AAA_MSCHAPV2) | AAA_METHOD_BIT(AAA_PAP));
	set_option("sallyport-auth", "mschap-v2,eap", 0);
	assert_string_equal(
	    pppd.option_error, "sallyport-auth: unknown method eap");
	set_option("sallyport-auth", ",", 0);
	set_option("sallyport-auth",
	    "pap,pap,pap,pap,pap,pap,pap,pap,pap,pap,pap,pap,pap,pap", 1);
	assert_int_equal(session.methods, AAA_METHOD_BIT(AAA_PAP));
}

static void hostile_options_are_undone(void **state)
{
	(void)state;
	auth_required = 0;
	explicit_remote = uselogin = persist = demand = multilink = 1;
	lcp_wantoptions[0].neg_upap = 1;
	lcp_wantoptions[0].neg_eap = 1;
	lcp_wantoptions[0].chap_mdtype = MDTYPE_MICROSOFT | MDTYPE_MD5;
	ipcp_wantoptions[0].default_route = 1;
	ipcp_wantoptions[0].hisaddr = net(66);
	/* pppd reads this list before it knows what we are. */
	assert_non_null(the_channel->options);
	assert_null(the_channel->options[0].name);
	the_channel->process_extra_options();
	assert_int_equal(auth_required, 1);
	assert_int_equal(explicit_remote, 0);
	assert_int_equal(uselogin, 0);
	assert_int_equal(persist, 0);
	assert_int_equal(demand, 0);
	assert_int_equal(multilink, 0);
	assert_int_equal(lcp_wantoptions[0].neg_upap, 0);
	assert_int_equal(lcp_wantoptions[0].neg_eap, 0);
	assert_int_equal(lcp_wantoptions[0].neg_chap, 1);
	assert_int_equal(lcp_wantoptions[0].chap_mdtype, MDTYPE_MICROSOFT_V2);
	assert_int_equal(ipcp_wantoptions[0].default_route, 0);
	assert_int_equal(ipcp_wantoptions[0].hisaddr, 0);
	session.methods = AAA_METHOD_BIT(AAA_PAP);
	the_channel->process_extra_options();
	assert_int_equal(lcp_wantoptions[0].neg_upap, 1);
	assert_int_equal(lcp_wantoptions[0].neg_chap, 0);
	/* One socket of two is not enough. */
	the_channel->check_options();
	assert_int_equal(pppd.died, EXIT_FATAL_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    T(chap_asks_l2tpd),
	    T(a_refusal_is_passed_on),
	    T(without_l2tpd_nobody_gets_in),
	    T(a_term_instead_of_a_reply_refuses),
	    T(sigterm_ends_a_wait),
	    T(methods_that_are_off_are_refused_here),
	    T(long_values_are_refused_here),
	    T(cve_2020_7466_values_of_every_length),
	    T(cve_2020_7466_names_of_every_length),
	    T(cve_2020_8597_eap_is_never_asked_for),
	    T(pap_sends_the_password_once),
	    T(pppds_own_files_decide_nothing),
	    T(options_take_sockets_only),
	    T(options_name_the_methods),
	    T(hostile_options_are_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
