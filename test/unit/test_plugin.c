/* SPDX-License-Identifier: ISC */
/*
 * The pppd plugin against stubs of pppd's symbols and a socket pair that
 * plays l2tpd.  pppd's headers come first: they bring a bool of their own.
 */
#include "pppd-plugin/compat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* clang-format off */
#include "pppd-plugin/client.c"
#include "pppd-plugin/sallyport.c"
#include "pppd-plugin/channel.c"
#include "pppd-plugin/auth.c"
#include "pppd-plugin/address.c"
#include "pppd-plugin/stats.c"
/* clang-format on */

#include <stdio.h>
#include <stdlib.h>

/* What pppd would have: variables. */
int got_sigterm, ifunit = 3;
char ifname[MAXIFNAMELEN] = "no-such-if";
volatile int status;
int (*chap_verify_hook)(char *, char *, int, struct chap_digest_type *,
    unsigned char *, unsigned char *, char *, int);
int (*pap_check_hook)(void), (*chap_check_hook)(void);
int (*pap_auth_hook)(
    char *, char *, char **, struct wordlist **, struct wordlist **);
int (*null_auth_hook)(struct wordlist **, struct wordlist **);
int (*allowed_address_hook)(u_int32_t);
void (*ip_choose_hook)(u_int32_t *);
unsigned char auth_required, explicit_remote, uselogin, session_mgmt, persist;
unsigned char demand, multilink, modem, lockflag, disable_defaultip;
u_int32_t netmask;
lcp_options lcp_wantoptions[NUM_PPP];
ipcp_options ipcp_wantoptions[NUM_PPP], ipcp_gotoptions[NUM_PPP];
ipcp_options ipcp_allowoptions[NUM_PPP], ipcp_hisoptions[NUM_PPP];
struct channel *the_channel;
struct notifier *ip_up_notifier, *ip_down_notifier, *exitnotify;
struct notifier *link_down_notifier;

/* And what its functions were called with. */
static struct {
	int died, mtu, mtu_set;
	const char *closed;
	char option_error[200];
	option_t *options;
	struct {
		void (*func)(void *);
		void *arg;
		int seconds;
	} timers[8];
	size_t timer_count;
} pppd;

void die(int code)
{
	pppd.died = code;
}

void lcp_close(int unit, char *reason)
{
	assert_int_equal(unit, 0);
	pppd.closed = reason;
}

void timeout(void (*func)(void *), void *arg, int s, int us)
{
	assert_int_equal(us, 0);
	assert_true(pppd.timer_count < 8);
	pppd.timers[pppd.timer_count].func = func;
	pppd.timers[pppd.timer_count].arg = arg;
	pppd.timers[pppd.timer_count++].seconds = s;
}

void untimeout(void (*func)(void *), void *arg)
{
	for (size_t i = 0; i < pppd.timer_count; i++)
		if (pppd.timers[i].func == func && pppd.timers[i].arg == arg)
			pppd.timers[i--] = pppd.timers[--pppd.timer_count];
}

void add_notifier(struct notifier **list, notify_func func, void *arg)
{
	struct notifier *n = malloc(sizeof(*n));

	n->next = *list;
	n->func = func;
	n->arg = arg;
	*list = n;
}

void add_options(option_t *o)
{
	pppd.options = o;
}

int int_option(char *text, int *value)
{
	char *end;

	*value = (int)strtol(text, &end, 0);
	return end != text && !*end;
}

void option_error(char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(pppd.option_error, sizeof(pppd.option_error), format, args);
	va_end(args);
}

void error(char *format, ...)
{
	(void)format;
}

void notice(char *format, ...)
{
	(void)format;
}

void fatal(char *format, ...)
{
	(void)format;
	die(EXIT_FATAL_ERROR);
}

/* snprintf and pppd's %0.*B: so many bytes in hexadecimal digits. */
int slprintf(char *out, int size, char *format, ...)
{
	char *bytes = strstr(format, "%0.*B");
	va_list args;
	int n;

	va_start(args, format);
	if (!bytes) {
		n = vsnprintf(out, (size_t)size, format, args);
	} else {
		int count = va_arg(args, int);
		const unsigned char *p = va_arg(args, unsigned char *);

		n = snprintf(
		    out, (size_t)size, "%.*s", (int)(bytes - format), format);
		for (int i = 0; i < count; i++)
			n +=
			    snprintf(out + n, (size_t)(size - n), "%02x", p[i]);
		n += snprintf(out + n, (size_t)(size - n), "%s", bytes + 5);
	}
	va_end(args);
	return n;
}

size_t strlcpy(char *out, const char *in, size_t size)
{
	size_t len = strlen(in), n = len < size ? len : size - 1;

	memcpy(out, in, n);
	out[n] = '\0';
	return len;
}

int netif_get_mtu(int unit)
{
	assert_int_equal(unit, ifunit);
	return pppd.mtu;
}

void netif_set_mtu(int unit, int mtu)
{
	assert_int_equal(unit, ifunit);
	pppd.mtu_set = mtu;
}

int get_ppp_stats(int unit, struct pppd_stats *st)
{
	assert_int_equal(unit, ifunit);
	*st = (struct pppd_stats){
	    .bytes_in = 11, .bytes_out = 22, .pkts_in = 3, .pkts_out = 4};
	return 1;
}

int generic_establish_ppp(int fd)
{
	return fd;
}

void generic_disestablish_ppp(int fd)
{
	(void)fd;
}

/* The rig: a fresh plugin whose l2tpd is rig[1]. */

static void run_notifiers(struct notifier *n, int arg)
{
	for (; n; n = n->next)
		n->func(n->arg, arg);
}

static void free_notifiers(struct notifier **list)
{
	while (*list) {
		struct notifier *n = *list;

		*list = n->next;
		free(n);
	}
}

static void forget_pppd(void)
{
	free_notifiers(&ip_up_notifier);
	free_notifiers(&ip_down_notifier);
	free_notifiers(&link_down_notifier);
	free_notifiers(&exitnotify);
	memset(&pppd, 0, sizeof(pppd));
	pppd.mtu = 1500;
	pppd.died = -1;
	got_sigterm = 0;
	status = 0;
}

static int pair[2];

static void set_option(const char *name, const char *value, int want)
{
	char text[64];
	char *argv[] = {text, NULL};

	snprintf(text, sizeof(text), "%s", value);
	for (option_t *o = pppd.options; o->name; o++) {
		int (*parse)(char **);

		if (strcmp(o->name, name))
			continue;
		assert_true(o->flags & OPT_PRIV);
		parse = (int (*)(char **))(uintptr_t)o->addr;
		assert_int_equal(parse(argv), want);
		return;
	}
	fail_msg("no option %s", name);
}

static int start(void **state)
{
	char text[16];

	(void)state;
	forget_pppd();
	session = (struct plugin){
	    .fd = -1, .pppox = -1, .methods = AAA_METHOD_BIT(AAA_MSCHAPV2)};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		return -1;
	plugin_init();
	snprintf(text, sizeof(text), "%d", pair[0]);
	set_option("sallyport-fd", text, 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	forget_pppd();
	return 0;
}

/* l2tpd's side. */
static void say(enum aaa_msg type, uint32_t seq, const void *body)
{
	uint8_t buf[MSG_MAX];
	int len = msg_encode(
	    &aaa_msg_table, (uint16_t)type, seq, body, buf, sizeof(buf));

	assert_true(len > 0);
	assert_int_equal(send(pair[1], buf, (size_t)len, 0), len);
}

/* The next message of the plugin; its type, or 0 if there is none. */
static int hear(union aaa_any *m, uint32_t *seq)
{
	uint8_t buf[MSG_MAX];
	ssize_t n = recv(pair[1], buf, sizeof(buf), MSG_DONTWAIT);
	struct msg_header hdr;

	if (n <= 0)
		return 0;
	assert_int_equal(
	    msg_decode(&aaa_msg_table, buf, (size_t)n, &hdr, m, sizeof(*m)), 0);
	*seq = hdr.seq;
	return hdr.type;
}

static void say_auth(bool ok, const char *text)
{
	struct aaa_auth_reply r = {.ok = ok};

	strcpy(r.text, text);
	say(AAA_AUTH_REPLY, session.client.seq + 1, &r);
}

static struct addr ip4(uint8_t last)
{
	return (struct addr){.family = ADDR_IPV4, .ip = {10, 20, 0, last}};
}

static void say_address(bool ok)
{
	struct aaa_address_reply r = {.ok = ok, .mtu = 1400};

	r.local = ip4(1);
	r.remote = ip4(9);
	r.dns1 = ip4(53);
	say(AAA_ADDRESS_REPLY, session.client.seq + 1, &r);
}

static unsigned char challenge[17], response[50];

static int mschapv2(char *message)
{
	struct chap_digest_type digest = {.code = CHAP_MICROSOFT_V2};

	challenge[0] = 16;
	memset(challenge + 1, 0xc1, 16);
	response[0] = 49;
	memset(response + 1, 0xe5, 49);
	return chap_verify_hook("DOM\\alice", "lns", 77, &digest, challenge,
	    response, message, 256);
}

#define FAILURE                                                                \
	"E=691 R=0 C=c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1 V=3 M=Access denied"

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

static u_int32_t net(uint8_t last)
{
	return htonl(0x0a140000u | last);
}

static void login(void)
{
	char message[256];
	union aaa_any m;
	uint32_t seq;

	say_auth(true, "S=1");
	assert_int_equal(mschapv2(message), 1);
	assert_int_equal(hear(&m, &seq), AAA_AUTH);
}

static void the_address_is_l2tpds(void **state)
{
	u_int32_t his = 1;
	union aaa_any m;
	uint32_t seq;

	(void)state;
	login();
	assert_int_equal(allowed_address_hook(net(9)), 0);
	say_address(true);
	ip_choose_hook(&his);
	assert_int_equal(his, net(9));
	assert_int_equal(hear(&m, &seq), AAA_ADDRESS);
	assert_string_equal(m.address.user, "DOM\\alice");
	assert_int_equal(ipcp_wantoptions[0].ouraddr, net(1));
	assert_int_equal(ipcp_gotoptions[0].ouraddr, net(1));
	assert_int_equal(ipcp_allowoptions[0].dnsaddr[0], net(53));
	assert_int_equal(ipcp_allowoptions[0].dnsaddr[1], net(53));
	assert_int_equal(pppd.mtu_set, 1400);
	assert_int_equal(allowed_address_hook(net(9)), 1);
	assert_int_equal(allowed_address_hook(net(8)), 0);
	assert_int_equal(allowed_address_hook(0), 0);
	/* IPCP again: the same address, without a question. */
	ip_choose_hook(&his);
	assert_int_equal(his, net(9));
	assert_int_equal(hear(&m, &seq), 0);
	assert_null(pppd.closed);
	/* LCP again: everything anew. */
	run_notifiers(link_down_notifier, 0);
	assert_int_equal(allowed_address_hook(net(9)), 0);
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
}

static void run_close(void)
{
	assert_int_equal(pppd.timer_count, 2);
	assert_int_equal(pppd.timers[1].seconds, 0);
	pppd.timers[1].func(pppd.timers[1].arg);
}

static void no_address_ends_the_link(void **state)
{
	u_int32_t his = 1;

	(void)state;
	login();
	say_address(false);
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
	assert_int_equal(allowed_address_hook(net(9)), 0);
	assert_null(pppd.closed);
	run_close();
	assert_string_equal(pppd.closed, "No address");
}

static void no_address_without_a_proof(void **state)
{
	u_int32_t his = net(9);
	union aaa_any m;
	uint32_t seq;

	(void)state;
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
	assert_int_equal(hear(&m, &seq), 0);
	run_close();
	assert_string_equal(pppd.closed, "Not authenticated");
}

static void an_address_that_is_none_ends_the_link(void **state)
{
	struct aaa_address_reply r = {.ok = 1};
	u_int32_t his = 1;

	(void)state;
	login();
	say(AAA_ADDRESS_REPLY, session.client.seq + 1, &r);
	ip_choose_hook(&his);
	assert_int_equal(his, 0);
	assert_int_equal(allowed_address_hook(0), 0);
	run_close();
	assert_string_equal(pppd.closed, "No address");
}

static void the_mtu_only_shrinks(void **state)
{
	u_int32_t his;

	(void)state;
	login();
	pppd.mtu = 1280;
	say_address(true);
	ip_choose_hook(&his);
	assert_int_equal(pppd.mtu_set, 0);
}

static void up_and_down_are_told(void **state)
{
	union aaa_any m;
	uint32_t seq;
	u_int32_t his;

	(void)state;
	login();
	say_address(true);
	ip_choose_hook(&his);
	assert_int_equal(hear(&m, &seq), AAA_ADDRESS);
	ipcp_hisoptions[0].hisaddr = his;
	run_notifiers(ip_up_notifier, 0);
	assert_int_equal(hear(&m, &seq), AAA_UP);
	assert_string_equal(m.up.ifname, "no-such-if");
	assert_int_equal(m.up.unit, 3);
	assert_int_equal(m.up.remote.ip[3], 9);
	assert_int_equal(m.up.local.ip[3], 1);
	/* Five ticks for one report; nothing new, no second one. */
	for (int i = 0; i < 5; i++) {
		assert_int_equal(hear(&m, &seq), 0);
		stats_tick();
	}
	assert_int_equal(hear(&m, &seq), AAA_STATS);
	assert_int_equal(m.stats.bytes_in, 11);
	assert_int_equal(m.stats.packets_out, 4);
	for (int i = 0; i < 5; i++)
		stats_tick();
	assert_int_equal(hear(&m, &seq), 0);
	run_notifiers(ip_down_notifier, 0);
	run_notifiers(exitnotify, EXIT_PEER_DEAD);
	assert_int_equal(hear(&m, &seq), AAA_DOWN);
	assert_int_equal(m.stats.bytes_out, 22);
	assert_string_equal(m.stats.reason, "the client does not answer");
}

static void an_exit_without_words_has_its_number(void **state)
{
	union aaa_any m;
	uint32_t seq;

	(void)state;
	run_notifiers(exitnotify, 42);
	assert_int_equal(hear(&m, &seq), AAA_DOWN);
	assert_string_equal(m.stats.reason, "pppd: exit 42");
	assert_int_equal(m.stats.bytes_in, 0);
}

static void the_watch_sees_eof_and_term(void **state)
{
	struct aaa_term t = {.reason = "bye"};

	(void)state;
	assert_int_equal(pppd.timer_count, 1);
	assert_int_equal(pppd.timers[0].seconds, 2);
	pppd.timer_count = 0;
	watch(NULL);
	assert_null(pppd.closed);
	assert_int_equal(pppd.died, -1);
	assert_int_equal(pppd.timer_count, 1);
	say(AAA_TERM, 0, &t);
	watch(NULL);
	assert_string_equal(pppd.closed, "Disconnected by the server");
	assert_string_equal(session.client.reason, "bye");
	assert_int_equal(pppd.died, -1);
	close(pair[1]);
	pair[1] = -1;
	watch(NULL);
	assert_int_equal(pppd.died, EXIT_HANGUP);
}

static void stale_replies_are_skipped(void **state)
{
	struct aaa_auth_reply no = {.ok = 0}, yes = {.ok = 1};
	struct aaa_auth ask = {.method = AAA_PAP};
	union aaa_any reply;

	(void)state;
	say(AAA_AUTH_REPLY, 41, &no);
	say(AAA_ADDRESS_REPLY, 1, &(struct aaa_address_reply){0});
	say(AAA_AUTH_REPLY, 1, &yes);
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1000),
	    0);
	assert_int_equal(reply.auth_reply.ok, 1);
	/* The late answer to a request that was given up. */
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1),
	    -ETIMEDOUT);
	say(AAA_AUTH_REPLY, 2, &yes);
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1),
	    -ETIMEDOUT);
}

static void rubbish_fails_a_request(void **state)
{
	struct aaa_auth ask = {.method = AAA_PAP};
	union aaa_any reply;

	(void)state;
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	assert_int_equal(client_request(&session.client, AAA_AUTH, &ask,
			     AAA_AUTH_REPLY, &reply, 1000),
	    -EPROTO);
	assert_int_equal(send(pair[1], "x", 1, 0), 1);
	client_check(&session.client);
	assert_false(session.client.is_lost);
}

static void a_full_socket_loses_notes_only(void **state)
{
	int err = 0;

	(void)state;
	for (int i = 0; i < 100000 && !err; i++)
		err = client_send(&session.client, AAA_STATS, &session.stats);
	assert_int_equal(err, -EAGAIN);
	assert_false(session.client.is_lost);
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
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
	    T(chap_asks_l2tpd),
	    T(a_refusal_is_passed_on),
	    T(without_l2tpd_nobody_gets_in),
	    T(a_term_instead_of_a_reply_refuses),
	    T(sigterm_ends_a_wait),
	    T(methods_that_are_off_are_refused_here),
	    T(long_values_are_refused_here),
	    T(pap_sends_the_password_once),
	    T(pppds_own_files_decide_nothing),
	    T(the_address_is_l2tpds),
	    T(no_address_ends_the_link),
	    T(no_address_without_a_proof),
	    T(an_address_that_is_none_ends_the_link),
	    T(the_mtu_only_shrinks),
	    T(up_and_down_are_told),
	    T(an_exit_without_words_has_its_number),
	    T(the_watch_sees_eof_and_term),
	    T(stale_replies_are_skipped),
	    T(rubbish_fails_a_request),
	    T(a_full_socket_loses_notes_only),
	    T(options_take_sockets_only),
	    T(options_name_the_methods),
	    T(hostile_options_are_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
