/* SPDX-License-Identifier: ISC */
/* pppd's command line, and its exit codes in words. */
#include "l2tpd/pppd.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

int pppd_ifname(uint32_t slot, uint32_t index, char out[IFNAMSIZ])
{
	int n;

	if (!slot || slot > PEER_SLOT_MAX || index > 99)
		return -EINVAL;
	if (index)
		n = snprintf(
		    out, IFNAMSIZ, "sp%" PRIu32 ".%" PRIu32, slot, index);
	else
		n = snprintf(out, IFNAMSIZ, "sp%" PRIu32, slot);
	return n < IFNAMSIZ ? 0 : -EINVAL;
}

static void add(struct pppd_args *out, const char *word)
{
	if (out->count + 1 < PPPD_ARGS_MAX)
		out->argv[out->count++] = word;
}

static void add_pair(
    struct pppd_args *out, const char *option, const char *value)
{
	add(out, option);
	add(out, value);
}

/* The client must prove itself by one of these; we never do. */
static void add_methods(struct pppd_args *out, unsigned int methods)
{
	static const struct {
		unsigned int method;
		const char *option;
	} require[] = {
	    {AAA_MSCHAPV2, "require-mschap-v2"},
	    {AAA_CHAP_MD5, "require-chap"},
	    {AAA_PAP, "require-pap"},
	};

	add(out, "auth");
	for (size_t i = 0; i < sizeof(require) / sizeof(require[0]); i++) {
		size_t len = strlen(out->auth);

		if (!(methods & AAA_METHOD_BIT(require[i].method)))
			continue;
		add(out, require[i].option);
		snprintf(out->auth + len, sizeof(out->auth) - len, "%s%s",
		    len ? "," : "", aaa_method_name(require[i].method));
	}
	/* A require-... in /etc/ppp/options adds nothing to this. */
	add_pair(out, "sallyport-auth", out->auth);
}

/* Switches that need no value, each against a line in /etc/ppp/options. */
static const char *const switches[] = {
    "nodetach",
    "hide-password",
    "refuse-pap",
    "refuse-chap",
    "refuse-mschap",
    "refuse-mschap-v2",
    "refuse-eap",
    "noccp",
    "nobsdcomp",
    "nodeflate",
    "nopredictor1",
    "novj",
    "novjccomp",
    "noipv6",
    "nomultilink",
    "noendpoint",
    "noipdefault",
    "noproxyarp",
    "nodefaultroute",
    "noreplacedefaultroute",
    "nopersist",
    "noktune",
};

static const struct {
	const char *option, *value;
} values[] = {
    {"name", "sallyport"},
    {"logfd", "2"},
    {"maxfail", "1"},
    {"holdoff", "0"},
    {"connect-delay", "0"},
    {"idle", "0"},
    {"maxconnect", "0"},
    {"chap-interval", "0"},
    {"chap-restart", "3"},
    {"chap-max-challenge", "5"},
    {"pap-timeout", "30"},
    {"lcp-restart", "3"},
    {"lcp-max-configure", "10"},
    {"lcp-max-failure", "10"},
    {"lcp-max-terminate", "1"},
    {"lcp-echo-interval", "30"},
    {"lcp-echo-failure", "4"},
    {"ipcp-restart", "3"},
    {"ipcp-max-configure", "10"},
    {"ipcp-max-failure", "10"},
    {"ipcp-max-terminate", "1"},
};

static int check(const struct pppd_spec *spec)
{
	unsigned int known = AAA_METHOD_BIT(AAA_MSCHAPV2) |
			     AAA_METHOD_BIT(AAA_CHAP_MD5) |
			     AAA_METHOD_BIT(AAA_PAP);

	if (!spec->methods || spec->methods & ~known)
		return -EINVAL;
	if (spec->program[0] != '/' || spec->plugin[0] != '/')
		return -EINVAL;
	return spec->mtu < 576 || spec->mtu > 1500 ? -EINVAL : 0;
}

int pppd_args(const struct pppd_spec *spec, struct pppd_args *out)
{
	memset(out, 0, sizeof(*out));
	if (check(spec) || pppd_ifname(spec->slot, spec->index, out->ifname))
		return -EINVAL;
	snprintf(out->fd, sizeof(out->fd), "%d", PPPD_PLUGIN_FD);
	snprintf(out->pppox, sizeof(out->pppox), "%d", PPPD_PPPOX_FD);
	snprintf(out->mtu, sizeof(out->mtu), "%u", spec->mtu);
	snprintf(out->ipparam, sizeof(out->ipparam), "%" PRIu64, spec->r);
	add(out, spec->program);
	/* The plugin first: its options exist only once it is loaded. */
	add_pair(out, "plugin", spec->plugin);
	add_pair(out, "sallyport-fd", out->fd);
	add_pair(out, "sallyport-pppox", out->pppox);
	add_pair(out, "ifname", out->ifname);
	add_pair(out, "ipparam", out->ipparam);
	add_pair(out, "mtu", out->mtu);
	add_pair(out, "mru", out->mtu);
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		add(out, switches[i]);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		add_pair(out, values[i].option, values[i].value);
	add_methods(out, spec->methods);
	return 0;
}

/* pppd(8), "EXIT STATUS", as it concerns a session of ours. */
static const char *const exit_texts[] = {
    [0] = "the session ended",
    [1] = "pppd met a fatal error (its log says which)",
    [2] = "pppd refused its options (its log says which)",
    [3] = "pppd does not run as root",
    [4] = "the kernel has no PPP (module ppp_generic, /dev/ppp)",
    [5] = "ended by the server",
    [6] = "pppd could not lock its device",
    [7] = "pppd could not open its device",
    [8] = "pppd's connect script failed",
    [9] = "pppd could not run its pty command",
    [10] = "PPP negotiation failed: no network protocol came up",
    [11] = "the client failed to authenticate itself",
    [12] = "the session was idle",
    [13] = "the session reached its time limit",
    [14] = "callback was negotiated",
    [15] = "the client no longer answers echo requests",
    [16] = "the link hung up",
    [17] = "the link is looped back",
    [18] = "pppd's init script failed",
    [19] = "authentication failed",
    [20] = "the session reached its traffic limit",
    [21] = "the calling number is not allowed",
};

const char *pppd_exit_text(int wait_status)
{
	size_t code;

	if (WIFSIGNALED(wait_status))
		return WTERMSIG(wait_status) == SIGKILL ? "pppd was killed"
							: "pppd crashed";
	code = (size_t)WEXITSTATUS(wait_status);
	if (code >= sizeof(exit_texts) / sizeof(exit_texts[0]))
		return "pppd ended with an unknown exit code";
	return exit_texts[code];
}
