/* SPDX-License-Identifier: ISC */
/* The pppd plugin's entry, its options and its watch over l2tpd. */
#include "compat.h"

#include "plugin.h"

#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#define EXPORT __attribute__((visibility("default")))
#define TICK_S 2

EXPORT extern const char pppd_version[];
EXPORT const char pppd_version[] = COMPAT_PPPD_VERSION;
EXPORT void plugin_init(void);

/* pppd's hooks have no argument for it. */
static struct plugin session = {
    .fd = -1,
    .pppox = -1,
    .methods = AAA_METHOD_BIT(AAA_MSCHAPV2),
};

struct plugin *plugin_get(void)
{
	return &session;
}

/*
 * An inherited socket: the number, close-on-exec from here on.  type 0:
 * any (the kernel's PPPoX sockets say that they are streams).
 */
static int take_socket(char *text, int domain, int type, int *fd)
{
	int number, has_domain, has_type;
	socklen_t len = sizeof(int);

	if (!int_option(text, &number))
		return 0;
	if (getsockopt(number, SOL_SOCKET, SO_DOMAIN, &has_domain, &len) ||
	    getsockopt(number, SOL_SOCKET, SO_TYPE, &has_type, &len) ||
	    has_domain != domain || (type && has_type != type)) {
		option_error(
		    "descriptor %d is not the expected socket", number);
		return 0;
	}
	if (fcntl(number, F_SETFD, FD_CLOEXEC)) {
		option_error("descriptor %d: %m", number);
		return 0;
	}
	*fd = number;
	return 1;
}

static int set_fd(char **argv)
{
	if (!take_socket(*argv, AF_UNIX, SOCK_SEQPACKET, &session.fd))
		return 0;
	client_init(&session.client, session.fd, &got_sigterm);
	return 1;
}

static int set_pppox(char **argv)
{
	return take_socket(*argv, AF_PPPOX, 0, &session.pppox);
}

static int set_auth(char **argv)
{
	char text[128];
	char *rest, *name;
	unsigned int methods = 0;

	if (strlcpy(text, *argv, sizeof(text)) >= sizeof(text)) {
		option_error("sallyport-auth: too long");
		return 0;
	}
	for (name = strtok_r(text, ",", &rest); name;
	     name = strtok_r(NULL, ",", &rest)) {
		unsigned int method = aaa_method_parse(name);

		if (!method) {
			option_error("sallyport-auth: unknown method %s", name);
			return 0;
		}
		methods |= AAA_METHOD_BIT(method);
	}
	if (!methods) {
		option_error("sallyport-auth names no method");
		return 0;
	}
	session.methods = methods;
	return 1;
}

/* An option with one argument that only root may give. */
#define OPTION(text, function, what)                                           \
	{                                                                      \
		.name = text, .type = o_special, .addr = (void *)(function),   \
		.description = what, .flags = OPT_PRIV                         \
	}

static option_t options[] = {
    OPTION("sallyport-fd", set_fd, "Socket pair to l2tpd, inherited"),
    OPTION("sallyport-pppox", set_pppox, "Connected PPPoX socket, inherited"),
    OPTION("sallyport-auth", set_auth, "Methods for the peer, a,b,c"),
    {.name = NULL},
};

static void close_now(void *reason)
{
	lcp_close(0, reason);
}

void plugin_close_later(const char *reason)
{
	/* pppd keeps the pointer, not the text. */
	TIMEOUT(close_now, (void *)(uintptr_t)reason, 0);
}

/* Ends pppd when the monitor is gone, the link when l2tpd says so. */
static void watch(void *arg)
{
	(void)arg;
	client_check(&session.client);
	if (session.client.is_lost) {
		error("sallyport: l2tpd is gone");
		die(EXIT_HANGUP);
	}
	if (session.client.is_over) {
		notice("sallyport: l2tpd ends the session: %s",
		    session.client.reason);
		session.client.is_over = false;
		status = EXIT_USER_REQUEST;
		lcp_close(0, "Disconnected by the server");
	}
	stats_tick();
	TIMEOUT(watch, NULL, TICK_S);
}

int plugin_request(enum aaa_msg type, const void *body, enum aaa_msg reply_type,
    union aaa_any *reply)
{
	int err = client_request(
	    &session.client, type, body, reply_type, reply, AAA_WAIT_MS);

	if (!err)
		return 0;
	error("sallyport: no answer of l2tpd to %s: %s",
	    msg_name(&aaa_msg_table, (uint16_t)type), strerror(-err));
	if (session.client.is_lost || session.client.is_over) {
		UNTIMEOUT(watch, NULL);
		TIMEOUT(watch, NULL, 0);
	}
	return err;
}

void plugin_init(void)
{
	add_options(options);
	channel_init();
	auth_init();
	address_init();
	stats_init();
	TIMEOUT(watch, NULL, TICK_S);
}
