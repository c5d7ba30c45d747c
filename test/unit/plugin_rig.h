/* SPDX-License-Identifier: ISC */
/*
 * The pppd plugin against stubs of pppd's symbols and a socket pair that
 * plays l2tpd, for one test program.  pppd's headers come first: they bring
 * a bool of their own.
 */
#ifndef TEST_UNIT_PLUGIN_RIG_H
#define TEST_UNIT_PLUGIN_RIG_H

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

/* snprintf and pppd's %0.*B: so many bytes in hexadecimal digits.  What
 * does not fit is cut off, as pppd does. */
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
		for (int i = 0; i < count && n < size; i++)
			n +=
			    snprintf(out + n, (size_t)(size - n), "%02x", p[i]);
		if (n < size)
			n += snprintf(
			    out + n, (size_t)(size - n), "%s", bytes + 5);
	}
	va_end(args);
	return n < size ? n : size - 1;
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

static inline void run_notifiers(struct notifier *n, int arg)
{
	for (; n; n = n->next)
		n->func(n->arg, arg);
}

static inline void free_notifiers(struct notifier **list)
{
	while (*list) {
		struct notifier *n = *list;

		*list = n->next;
		free(n);
	}
}

static inline void forget_pppd(void)
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

static inline void set_option(const char *name, const char *value, int want)
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

static inline int start(void **state)
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

static inline int stop(void **state)
{
	(void)state;
	close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
	forget_pppd();
	return 0;
}

/* l2tpd's side. */
static inline void say(enum aaa_msg type, uint32_t seq, const void *body)
{
	uint8_t buf[MSG_MAX];
	int len = msg_encode(
	    &aaa_msg_table, (uint16_t)type, seq, body, buf, sizeof(buf));

	assert_true(len > 0);
	assert_int_equal(send(pair[1], buf, (size_t)len, 0), len);
}

/* The next message of the plugin; its type, or 0 if there is none. */
static inline int hear(union aaa_any *m, uint32_t *seq)
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

static inline void say_auth(bool ok, const char *text)
{
	struct aaa_auth_reply r = {.ok = ok};

	strcpy(r.text, text);
	say(AAA_AUTH_REPLY, session.client.seq + 1, &r);
}

static inline struct addr ip4(uint8_t last)
{
	return (struct addr){.family = ADDR_IPV4, .ip = {10, 20, 0, last}};
}

static inline void say_address(bool ok)
{
	struct aaa_address_reply r = {.ok = ok, .mtu = 1400};

	r.local = ip4(1);
	r.remote = ip4(9);
	r.dns1 = ip4(53);
	say(AAA_ADDRESS_REPLY, session.client.seq + 1, &r);
}

static unsigned char challenge[17], response[50];

static inline int mschapv2(char *message)
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

static inline u_int32_t net(uint8_t last)
{
	return htonl(0x0a140000u | last);
}

static inline void login(void)
{
	char message[256];
	union aaa_any m;
	uint32_t seq;

	say_auth(true, "S=1");
	assert_int_equal(mschapv2(message), 1);
	assert_int_equal(hear(&m, &seq), AAA_AUTH);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

#endif
