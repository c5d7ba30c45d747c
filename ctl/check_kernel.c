/* SPDX-License-Identifier: ISC */
/* check: the kernel's features and settings. */
#include "ctl/check.h"

#include "common/kmod.h"
#include "common/peer_link.h"

#include <stdio.h>
#include <string.h>

void check_modules(struct check *c)
{
	static const struct {
		enum kmod_need need;
		const char *what;
		const char *remedy;
	} rows[] = {
	    {KMOD_ESP, "ESP", "modprobe xfrm_user && modprobe esp4"},
	    {KMOD_L2TP, "L2TP", "modprobe l2tp_ppp"},
	    {KMOD_PPP, "PPP", "modprobe ppp_generic"},
	    {KMOD_NFT, "nftables", "modprobe nf_tables"},
	};
	char reason[KMOD_REASON_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (kmod_probe(rows[i].need, reason) == 0)
			check_ok(c, "kernel", "%s is there", rows[i].what);
		else
			check_problem(
			    c, "kernel", rows[i].remedy, "%s", reason);
	}
}

void check_forwarding(struct check *c)
{
	char text[16];

	if (!check_read(
		c, "/proc/sys/net/ipv4/ip_forward", text, sizeof(text))) {
		check_problem(c, "forwarding", "mount /proc",
		    "net.ipv4.ip_forward can't be read");
		return;
	}
	if (text[0] == '1')
		check_ok(c, "forwarding", "net.ipv4.ip_forward is 1");
	else
		check_problem(c, "forwarding",
		    "sysctl -w net.ipv4.ip_forward=1, and the same in "
		    "/etc/sysctl.d/90-sallyport.conf",
		    "net.ipv4.ip_forward is 0: clients reach only this "
		    "machine");
}

/* Are all ports from first to last in a list like "22,16384-32767"? */
static bool is_reserved(const char *list, unsigned int first, unsigned int last)
{
	unsigned int low, high;
	int used;

	/* The kernel prints ranges in order and joined where they touch. */
	while (sscanf(list, "%u%n", &low, &used) == 1) {
		list += used;
		high = low;
		if (sscanf(list, "-%u%n", &high, &used) == 1)
			list += used;
		if (low <= first && high >= last)
			return true;
		if (*list != ',')
			break;
		list++;
	}
	return false;
}

void check_port_range(struct check *c)
{
	unsigned int first = PEER_PORT_BASE + 1, last, low = 0, high = 0;
	char range[64], reserved[4096], remedy[160];

	last = PEER_PORT_BASE +
	       (c->has_conf ? c->conf.l2tp.max_clients : PEER_SLOT_MAX);
	check_read(
	    c, "/proc/sys/net/ipv4/ip_local_port_range", range, sizeof(range));
	check_read(c, "/proc/sys/net/ipv4/ip_local_reserved_ports", reserved,
	    sizeof(reserved));
	if (sscanf(range, "%u %u", &low, &high) != 2) {
		check_problem(c, "private ports", "mount /proc",
		    "net.ipv4.ip_local_port_range can't be read");
		return;
	}
	if (high < first || low > last || is_reserved(reserved, first, last)) {
		check_ok(c, "private ports",
		    "%u to %u are not given to other programs", first, last);
		return;
	}
	snprintf(remedy, sizeof(remedy),
	    "sysctl -w net.ipv4.ip_local_reserved_ports=%u-%u (add what is in "
	    "it already), and the same in /etc/sysctl.d/",
	    first, last);
	check_problem(c, "private ports", remedy,
	    "net.ipv4.ip_local_port_range (%u to %u) overlaps the clients' "
	    "private ports %u to %u",
	    low, high, first, last);
}
