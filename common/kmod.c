/* SPDX-License-Identifier: ISC */
/* Looks for kernel features by using them, not by reading module lists. */
#include "common/kmod.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h> /* before linux/if_pppox.h */
#include <linux/if_pppox.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define PPP_MAJOR 108
#define NETLINK_REPLY_MAX 4096
#define PROBE_SPI 0x53505350u /* deleted at once */

struct kmod_row {
	const char *modules[3]; /* NULL-terminated */
	const char *what;
	bool (*is_there)(void);
};

static bool can_socket(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/*
 * Asks netlink family `protocol` with one message and returns the error of
 * the answer: 0, or -errno of the kernel or of the socket.
 */
static int netlink_ask(int protocol, const void *msg, size_t len)
{
	union {
		struct nlmsghdr h;
		char buf[NETLINK_REPLY_MAX];
	} reply;
	const struct nlmsgerr *e = NLMSG_DATA(&reply.h);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	int err = -EIO;
	ssize_t n = -1;

	if (fd < 0)
		return -errno;
	if (send(fd, msg, len, 0) == (ssize_t)len)
		n = recv(fd, &reply, sizeof(reply), 0);
	if (n >= (ssize_t)NLMSG_LENGTH(sizeof(*e)) &&
	    reply.h.nlmsg_type == NLMSG_ERROR)
		err = e->error;
	close(fd);
	return err;
}

/* An SA that no packet can ever match, with attributes behind it. */
struct probe_sa {
	struct nlmsghdr h;
	struct xfrm_usersa_info sa;
	uint8_t attrs[256];
};

static void put_algo(
    struct probe_sa *m, uint16_t type, const char *name, uint32_t key_len)
{
	size_t len = sizeof(struct nlattr) + sizeof(struct xfrm_algo) + key_len;
	uint8_t *at = (uint8_t *)m + m->h.nlmsg_len;
	struct nlattr attr = {(uint16_t)len, type};
	struct xfrm_algo algo = {.alg_key_len = key_len * 8};

	snprintf(algo.alg_name, sizeof(algo.alg_name), "%s", name);
	memcpy(at, &attr, sizeof(attr));
	memcpy(at + sizeof(attr), &algo, sizeof(algo));
	m->h.nlmsg_len += (uint32_t)NLMSG_ALIGN(len);
}

static int probe_delete(const struct xfrm_usersa_info *sa)
{
	struct {
		struct nlmsghdr h;
		struct xfrm_usersa_id id;
	} m = {0};

	m.h.nlmsg_len = sizeof(m);
	m.h.nlmsg_type = XFRM_MSG_DELSA;
	m.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m.id.daddr = sa->id.daddr;
	m.id.spi = sa->id.spi;
	m.id.family = sa->family;
	m.id.proto = sa->id.proto;
	return netlink_ask(NETLINK_XFRM, &m, sizeof(m));
}

/* Adds an AES and SHA-1 transport SA and deletes it again. */
static bool has_esp(void)
{
	struct probe_sa m = {0};
	int err;

	m.h.nlmsg_len = offsetof(struct probe_sa, attrs);
	m.h.nlmsg_type = XFRM_MSG_NEWSA;
	m.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
	m.sa.family = AF_INET;
	m.sa.sel.family = AF_INET;
	m.sa.id.proto = IPPROTO_ESP;
	m.sa.id.spi = htonl(PROBE_SPI);
	/* 127.0.0.0 is nobody's address. */
	m.sa.id.daddr.a4 = htonl(INADDR_LOOPBACK - 1);
	m.sa.saddr = m.sa.id.daddr;
	m.sa.mode = XFRM_MODE_TRANSPORT;
	m.sa.lft.soft_byte_limit = m.sa.lft.hard_byte_limit = XFRM_INF;
	m.sa.lft.soft_packet_limit = m.sa.lft.hard_packet_limit = XFRM_INF;
	put_algo(&m, XFRMA_ALG_CRYPT, "cbc(aes)", 16);
	put_algo(&m, XFRMA_ALG_AUTH, "hmac(sha1)", 20);
	err = netlink_ask(NETLINK_XFRM, &m, m.h.nlmsg_len);
	if (!err || err == -EEXIST)
		probe_delete(&m.sa);
	return !err || err == -EEXIST || err == -EPERM;
}

static bool has_l2tp(void)
{
	return can_socket(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP);
}

static bool has_ppp(void)
{
	struct stat st;
	int fd;

	if (stat("/dev/ppp", &st) || !S_ISCHR(st.st_mode) ||
	    major(st.st_rdev) != PPP_MAJOR)
		return false;
	fd = open("/dev/ppp", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == EPERM || errno == EACCES;
	close(fd);
	return true;
}

/* A request for the generation: only nf_tables answers anything but EINVAL. */
static bool has_nft(void)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} m = {0};
	int err;

	m.h.nlmsg_len = sizeof(m);
	m.h.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | 16; /* GETGEN */
	m.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m.g.version = NFNETLINK_V0;
	err = netlink_ask(NETLINK_NETFILTER, &m, sizeof(m));
	/* EIO: an answer that is no error, the generation itself. */
	return err == -EIO || err == 0 || err == -EPERM;
}

static const struct kmod_row rows[] = {
    [KMOD_ESP] = {{"xfrm_user", "esp4", NULL}, "ESP (xfrm_user, esp4)",
	has_esp},
    [KMOD_L2TP] = {{"l2tp_ppp", NULL, NULL}, "L2TP for PPP (l2tp_ppp)",
	has_l2tp},
    [KMOD_PPP] = {{"ppp_generic", NULL, NULL}, "PPP (ppp_generic, /dev/ppp)",
	has_ppp},
    [KMOD_NFT] = {{"nf_tables", NULL, NULL}, "nftables (nf_tables)", has_nft},
};

static void modprobe(const char *module)
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (null >= 0) {
			dup2(null, STDIN_FILENO);
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		execl("/sbin/modprobe", "modprobe", "-q", module, (char *)NULL);
		execl("/usr/sbin/modprobe", "modprobe", "-q", module,
		    (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Debian's small kernels are named so; they have no PPP and no L2TP. */
static bool is_cloud_kernel(const char *release)
{
	return strstr(release, "-cloud-") != NULL;
}

static void explain(const char *what, char reason[KMOD_REASON_MAX])
{
	struct utsname u;
	char path[128];

	if (uname(&u)) {
		snprintf(reason, KMOD_REASON_MAX, "the kernel has no %s", what);
		return;
	}
	snprintf(
	    path, sizeof(path), "/lib/modules/%.65s/modules.dep", u.release);
	if (is_cloud_kernel(u.release))
		snprintf(reason, KMOD_REASON_MAX,
		    "the kernel %.65s has no %s: linux-image-cloud-* lack it; "
		    "install linux-image-amd64 and boot it",
		    u.release, what);
	else if (access(path, R_OK))
		snprintf(reason, KMOD_REASON_MAX,
		    "the kernel %.65s has no %s, and its modules are not in "
		    "/lib/modules: install the package of this kernel, or boot "
		    "the installed one",
		    u.release, what);
	else
		snprintf(reason, KMOD_REASON_MAX,
		    "the kernel %.65s has no %s: install a kernel with it "
		    "(Debian: linux-image-amd64; OpenWrt: kmod-ipsec4, "
		    "kmod-pppol2tp, kmod-nft-core)",
		    u.release, what);
}

int kmod_probe(enum kmod_need need, char reason[KMOD_REASON_MAX])
{
	if (rows[need].is_there())
		return 0;
	explain(rows[need].what, reason);
	return -ENOENT;
}

int kmod_require(enum kmod_need need, char reason[KMOD_REASON_MAX])
{
	if (rows[need].is_there())
		return 0;
	for (size_t i = 0; rows[need].modules[i]; i++)
		modprobe(rows[need].modules[i]);
	return kmod_probe(need, reason);
}
