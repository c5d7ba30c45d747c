/* SPDX-License-Identifier: ISC */
/* Renders the ruleset, hands it to nft(8), and asks for the table. */
#include "l2tpd/nft.h"

#include "common/alloc.h"
#include "l2tpd/lm_msg.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Every one of our marks, whatever the slot. */
#define OURS_MASK (NFT_MARK_MASK & ~LM_SLOT_MASK)

static void render_ports(FILE *f, uint32_t max_clients)
{
	fputs("\tmap m2p {\n\t\ttype mark : inet_service\n\t\telements = {", f);
	for (uint32_t slot = 1; slot <= max_clients; slot++)
		fprintf(f, "%s\n\t\t\t0x%08x : %u", slot > 1 ? "," : "",
		    lm_slot_mark(slot), lm_slot_port(slot));
	fputs("\n\t\t}\n\t}\n", f);
}

/* mark . tunnel id, where the id is at that bit of the UDP datagram */
static void render_ids(
    FILE *f, const char *name, unsigned int bit, uint32_t max_clients)
{
	fprintf(f,
	    "\tset %s {\n\t\ttypeof meta mark . @th,%u,16\n\t\telements = {",
	    name, bit);
	for (uint32_t slot = 1; slot <= max_clients; slot++)
		for (uint32_t gen = 0; gen < LM_GENERATIONS; gen++)
			fprintf(f, "%s\n\t\t\t0x%08x . 0x%04x",
			    slot > 1 || gen ? "," : "", lm_slot_mark(slot),
			    gen << 14 | slot);
	fputs("\n\t\t}\n\t}\n", f);
}

/*
 * Data packets (T bit 0) must name a tunnel of the SA they came through;
 * from Linux 6.11 on the kernel would look any tunnel up by its id.
 */
static void render_prerouting(FILE *f)
{
	const char *to_us = "\t\tfib daddr type local udp dport 1701 ";

	fputs("\tchain prerouting {\n"
	      "\t\ttype filter hook prerouting priority raw; policy accept;\n",
	    f);
	fprintf(f,
	    "\t\tiifname \"sp*\" meta mark & 0x%08x == 0x%08x "
	    "meta mark set meta mark & 0x%08x\n",
	    OURS_MASK, PEER_MARK_BASE, ~NFT_MARK_MASK);
	fprintf(f, "%smeta ipsec missing counter drop\n", to_us);
	fprintf(f,
	    "%s@th,64,16 & 0xc000 == 0x0000 "
	    "meta mark & 0x%08x . @th,80,16 != @mt counter drop\n",
	    to_us, NFT_MARK_MASK);
	fprintf(f,
	    "%s@th,64,16 & 0xc000 == 0x4000 "
	    "meta mark & 0x%08x . @th,96,16 != @mtl counter drop\n",
	    to_us, NFT_MARK_MASK);
	/* nft would "correct" a checksum of 0, which means that there is none
	 * (RFC 768); xl2tpd sends so. */
	fprintf(f,
	    "%sudp checksum 0 notrack udp dport set meta mark & 0x%08x "
	    "map @m2p udp checksum set 0 accept\n",
	    to_us, NFT_MARK_MASK);
	fprintf(f,
	    "%snotrack udp dport set meta mark & 0x%08x map @m2p accept\n",
	    to_us, NFT_MARK_MASK);
	fprintf(f, "%scounter drop\n", to_us);
	/* A client's SAs carry L2TP and nothing else: what is answered
	 * (ICMP echo, TCP) would be answered in clear. */
	fprintf(f,
	    "\t\tmeta mark & 0x%08x == 0x%08x meta ipsec exists "
	    "counter drop\n\t}\n",
	    OURS_MASK, PEER_MARK_BASE);
}

/*
 * The ICMP rules: an error about a private port quotes a packet that came
 * out of ESP; the port is the quoted UDP header's destination.
 */
static void render_out(FILE *f, uint32_t max_clients)
{
	unsigned int low = lm_slot_port(1), high = lm_slot_port(max_clients);

	fputs("\tchain output {\n"
	      "\t\ttype filter hook output priority raw; policy accept;\n",
	    f);
	fprintf(f,
	    "\t\tudp sport %u-%u meta mark & 0x%08x == 0x%08x "
	    "notrack udp sport set 1701\n",
	    low, high, OURS_MASK, PEER_MARK_BASE);
	fprintf(f,
	    "\t\ticmp type destination-unreachable @th,240,16 %u-%u "
	    "counter drop\n",
	    low, high);
	fprintf(f,
	    "\t\ticmpv6 type destination-unreachable @th,400,16 %u-%u "
	    "counter drop\n\t}\n",
	    low, high);
	fputs("\tchain postrouting {\n"
	      "\t\ttype filter hook postrouting priority raw; "
	      "policy accept;\n",
	    f);
	fprintf(f,
	    "\t\tmeta mark & 0x%08x == 0x%08x udp sport 1701 "
	    "rt ipsec missing counter drop\n\t}\n",
	    OURS_MASK, PEER_MARK_BASE);
}

char *nft_render(uint32_t max_clients)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	fputs("add table inet " NFT_TABLE "\ndelete table inet " NFT_TABLE
	      "\ntable inet " NFT_TABLE " {\n",
	    f);
	render_ports(f, max_clients);
	render_ids(f, "mt", 80, max_clients);
	render_ids(f, "mtl", 96, max_clients);
	render_prerouting(f);
	render_out(f, max_clients);
	fputs("}\n", f);
	if (fclose(f) || !text)
		abort();
	return text;
}

char *nft_render_sealed(void)
{
	return xasprintf("add table inet " NFT_TABLE "\n"
			 "delete table inet " NFT_TABLE "\n"
			 "table inet " NFT_TABLE " {\n"
			 "\tchain sealed {\n"
			 "\t\ttype filter hook prerouting priority raw;\n"
			 "\t\tmeta mark and 0x%08x == 0x%08x "
			 "meta mark and 0x%08x != 0 drop\n"
			 "\t}\n"
			 "}\n",
	    OURS_MASK, PEER_MARK_BASE, LM_SLOT_MASK);
}

/* --- nft(8) ----------------------------------------------------------- */

/* In the child: only what is safe after fork(). */
static void exec_nft(const char *program, int in, int out)
{
	static const char *const env[] = {"LC_ALL=C", NULL};
	const char *argv[] = {program, "-f", "-", NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	execve(program, (char *const *)argv, (char *const *)env);
	_exit(127);
}

/* A file without a name that holds the text: nft reads at its own pace. */
static int text_file(const char *text)
{
	int fd = memfd_create("nft", MFD_CLOEXEC);
	size_t len = strlen(text), at = 0;

	if (fd < 0)
		return -errno;
	while (at < len) {
		ssize_t n = write(fd, text + at, len - at);

		if (n < 0) {
			close(fd);
			return -errno;
		}
		at += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* The first words of what nft had to say. */
static void log_refusal(struct log *log, const char *program, int out)
{
	char text[300];
	ssize_t n;

	if (lseek(out, 0, SEEK_SET) < 0)
		return;
	n = read(out, text, sizeof(text) - 1);
	if (n < 0)
		n = 0;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	log_error(log, "nft: %s refused the table inet " NFT_TABLE ": %s",
	    program, n ? text : "it said nothing (is it installed?)");
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int nft_run(struct log *log, const char *program, const char *text)
{
	int in = text_file(text);
	int out = memfd_create("nft-says", MFD_CLOEXEC);
	int err = -EMFILE;
	pid_t pid;

	if (in >= 0 && out >= 0) {
		pid = fork();
		if (!pid)
			exec_nft(program, in, out);
		err = pid < 0 ? -errno : wait_for(pid);
		if (err)
			log_refusal(log, program, out);
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}

/* --- the table -------------------------------------------------------- */

static struct nl_msg *get_table_request(void)
{
	struct nfgenmsg nfg = {
	    .nfgen_family = NFPROTO_INET, .version = NFNETLINK_V0};
	struct nl_msg *msg = nlmsg_alloc_simple(
	    NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_ACK);

	if (!msg || nlmsg_append(msg, &nfg, sizeof(nfg), NLMSG_ALIGNTO) < 0 ||
	    nla_put_string(msg, NFTA_TABLE_NAME, NFT_TABLE) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

int nft_table_exists(void)
{
	struct nl_sock *sk = nl_socket_alloc();
	struct nl_msg *msg = get_table_request();
	int err = -NLE_NOMEM;

	if (sk && msg) {
		err = nl_connect(sk, NETLINK_NETFILTER);
		if (!err)
			err = nl_send_auto(sk, msg);
		if (err >= 0)
			err = nl_wait_for_ack(sk);
	}
	nlmsg_free(msg);
	nl_socket_free(sk);
	if (err == -NLE_OBJ_NOTFOUND)
		return 0;
	return err < 0 ? -EIO : 1;
}

/* NFTA_..._TABLE is attribute 1 of every object of a table. */
enum nft_change nft_classify(struct nlmsghdr *nlh)
{
	struct nfgenmsg *nfg = nlmsg_data(nlh);
	struct nlattr *name;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
	    !nlmsg_valid_hdr(nlh, sizeof(*nfg)) ||
	    nfg->nfgen_family != NFPROTO_INET)
		return NFT_CHANGE_NONE;
	name = nlmsg_find_attr(nlh, sizeof(*nfg), NFTA_TABLE_NAME);
	if (!name || nla_strcmp(name, NFT_TABLE))
		return NFT_CHANGE_NONE;
	switch (nlh->nlmsg_type & 0xff) {
	case NFT_MSG_NEWTABLE:
		return NFT_CHANGE_MADE;
	case NFT_MSG_DELTABLE:
	case NFT_MSG_DELCHAIN:
	case NFT_MSG_DELRULE:
	case NFT_MSG_DELSET:
	case NFT_MSG_DELSETELEM:
		return NFT_CHANGE_REMOVED;
	default:
		return NFT_CHANGE_NONE;
	}
}
