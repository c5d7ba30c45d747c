/* SPDX-License-Identifier: ISC */
/* IPCP's addresses, DNS servers and the MTU, as l2tpd gives them. */
#include "compat.h"

#include "plugin.h"

#include <stdio.h>
#include <string.h>

static u_int32_t ip_of(const struct addr *a)
{
	u_int32_t ip = 0;

	if (a->family == ADDR_IPV4)
		memcpy(&ip, a->ip, sizeof(ip));
	return ip;
}

/* One server counts for both, as pppd's ms-dns does it. */
static void set_dns(const struct aaa_address_reply *r)
{
	u_int32_t *dns = ipcp_allowoptions[0].dnsaddr;

	dns[0] = ip_of(&r->dns1);
	dns[1] = r->dns2.family ? ip_of(&r->dns2) : dns[0];
	memset(ipcp_allowoptions[0].winsaddr, 0,
	    sizeof(ipcp_allowoptions[0].winsaddr));
}

static void apply(const struct aaa_address_reply *r, u_int32_t *hisaddr)
{
	ipcp_options *want = &ipcp_wantoptions[0];
	ipcp_options *got = &ipcp_gotoptions[0];

	*hisaddr = ip_of(&r->remote);
	/* pppd has copied want to got already. */
	want->ouraddr = got->ouraddr = ip_of(&r->local);
	want->accept_local = got->accept_local = 0;
	want->accept_remote = got->accept_remote = 0;
	set_dns(r);
	if (r->mtu && r->mtu < netif_get_mtu(ifunit))
		netif_set_mtu(ifunit, r->mtu);
}

/*
 * pppd asks before each IPCP negotiation.  Without an address the link
 * ends; until then allowed_address_hook refuses whatever the peer names.
 */
static void choose(u_int32_t *hisaddr)
{
	struct plugin *p = plugin_get();
	struct aaa_address ask = {0};
	union aaa_any reply;

	*hisaddr = 0;
	/* pap-secrets may let a nameless peer pass; we do not. */
	if (!p->is_authenticated) {
		error("sallyport: no address for a peer without a name");
		plugin_close_later("Not authenticated");
		return;
	}
	if (!p->address.ok) {
		strlcpy(ask.user, p->user, sizeof(ask.user));
		if (plugin_request(
			AAA_ADDRESS, &ask, AAA_ADDRESS_REPLY, &reply)) {
			plugin_close_later("No address");
			return;
		}
		p->address = reply.address_reply;
	}
	if (!p->address.ok || p->address.remote.family != ADDR_IPV4 ||
	    p->address.local.family != ADDR_IPV4) {
		error("sallyport: no address: %s", p->address.reason);
		p->address.ok = 0;
		plugin_close_later("No address");
		return;
	}
	apply(&p->address, hisaddr);
}

/* The next link, if LCP starts again, begins with a proof of its own. */
static void on_link_down(void *ctx, int arg)
{
	(void)ctx;
	(void)arg;
	plugin_get()->is_authenticated = false;
	plugin_get()->address.ok = 0;
}

void address_init(void)
{
	ip_choose_hook = choose;
	add_notifier(&link_down_notifier, on_link_down, NULL);
}
