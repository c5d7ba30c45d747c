/* SPDX-License-Identifier: ISC */
/*
 * pppd's channel over the PPPoX socket that l2tpd connected, and the
 * options that no file of pppd's may change.
 */
#include "compat.h"

#include "plugin.h"

#include <arpa/inet.h>
#include <unistd.h>

/*
 * After all options: /etc/ppp/options is always read, whatever the command
 * line says, so what safety needs is set here.
 */
static void force_options(void)
{
	const struct plugin *p = plugin_get();
	lcp_options *lcp = &lcp_wantoptions[0];
	bool has_ms2 = p->methods & AAA_METHOD_BIT(AAA_MSCHAPV2);
	bool has_md5 = p->methods & AAA_METHOD_BIT(AAA_CHAP_MD5);

	auth_required = 1;
	explicit_remote = 0;
	uselogin = 0;
	session_mgmt = 0;
	persist = 0;
	demand = 0;
	multilink = 0;
	modem = 0;
	lockflag = 0;
	netmask = 0xffffffff;
	lcp->neg_eap = 0;
	lcp->neg_upap = (p->methods & AAA_METHOD_BIT(AAA_PAP)) != 0;
	lcp->chap_mdtype = (unsigned char)((has_ms2 ? MDTYPE_MICROSOFT_V2 : 0) |
					   (has_md5 ? MDTYPE_MD5 : 0));
	lcp->neg_chap = lcp->chap_mdtype != MDTYPE_NONE;
	/* A datagram channel has neither control characters nor HDLC. */
	lcp->neg_asyncmap = 0;
	lcp->neg_pcompression = 0;
	lcp->neg_accompression = 0;
	lcp->neg_cbcp = 0;
	ipcp_wantoptions[0].default_route = 0;
	ipcp_allowoptions[0].default_route = 0;
	/* No look-up of our host name; address.c sets the real ones. */
	disable_defaultip = 0;
	ipcp_wantoptions[0].ouraddr = htonl(0xc0000201) /* TEST-NET-1 */;
	ipcp_wantoptions[0].hisaddr = 0;
}

static void check(void)
{
	if (plugin_get()->fd < 0 || plugin_get()->pppox < 0)
		fatal("sallyport-fd and sallyport-pppox are both needed");
}

static int connect_channel(void)
{
	return plugin_get()->pppox;
}

static void disconnect_channel(void)
{
	struct plugin *p = plugin_get();

	if (p->pppox >= 0)
		close(p->pppox);
	p->pppox = -1;
}

/* In a child that is about to run a script. */
static void close_channel(void)
{
	struct plugin *p = plugin_get();

	if (p->pppox >= 0)
		close(p->pppox);
	if (p->fd >= 0)
		close(p->fd);
}

static void send_config(int mtu, u_int32_t accm, int pcomp, int accomp)
{
	(void)accm;
	(void)pcomp;
	(void)accomp;
	netif_set_mtu(ifunit, mtu);
}

/* The kernel's L2TP takes any length that arrives: nothing to set. */
static void recv_config(int mru, u_int32_t accm, int pcomp, int accomp)
{
	(void)mru;
	(void)accm;
	(void)pcomp;
	(void)accomp;
}

/* pppd walks through them without asking whether there are any. */
static option_t no_options[] = {{.name = NULL}};

static struct channel channel = {
    .options = no_options,
    .process_extra_options = force_options,
    .check_options = check,
    .connect = connect_channel,
    .disconnect = disconnect_channel,
    .establish_ppp = generic_establish_ppp,
    .disestablish_ppp = generic_disestablish_ppp,
    .send_config = send_config,
    .recv_config = recv_config,
    .close = close_channel,
};

void channel_init(void)
{
	the_channel = &channel;
}
