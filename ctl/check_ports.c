/* SPDX-License-Identifier: ISC */
/* check: who has our UDP ports, from /proc/net/udp and /proc/PID/fd. */
#include "ctl/check.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OWNER_MAX 64
#define LINK_MAX 64
#define INODES_MAX 16

struct port_row {
	unsigned int port;
	const char *ours; /* the program that may have it */
	const char *why;
	const char *remedy;
};

static const struct port_row ports[] = {
    {500, "ikev1d", "IKE",
	"stop the other IKE daemon (systemctl disable --now strongswan "
	"strongswan-starter ipsec), or name other addresses in ike listen"},
    {4500, "ikev1d", "IKE behind NAT",
	"stop the other IKE daemon (systemctl disable --now strongswan "
	"strongswan-starter ipsec), or name other addresses in ike listen"},
    {1701, "l2tpd", "L2TP",
	"stop the other L2TP daemon (systemctl disable --now xl2tpd)"},
};

/* Inodes of sockets bound to port, from one /proc/net table. */
static size_t find_inodes(const struct check *c, const char *table,
    unsigned int port, uint64_t inodes[INODES_MAX], size_t count)
{
	char path[CMD_PATH_MAX], line[512];
	FILE *f = fopen(check_path(c, table, path), "re");
	unsigned int local;
	uint64_t inode;

	if (!f)
		return count;
	while (count < INODES_MAX && fgets(line, sizeof(line), f)) {
		/* sl local remote st queues timer retransmits uid t inode */
		if (sscanf(line,
			" %*[0-9]: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s "
			"%*s %" SCNu64,
			&local, &inode) == 2 &&
		    local == port)
			inodes[count++] = inode;
	}
	fclose(f);
	return count;
}

/* Does the process have one of the sockets open? */
static bool has_socket(const char *fd_dir, const uint64_t *inodes, size_t count)
{
	DIR *dir = opendir(fd_dir);
	bool found = false;
	struct dirent *e;

	if (!dir)
		return false;
	while (!found && (e = readdir(dir))) {
		char target[LINK_MAX], want[LINK_MAX];
		ssize_t n = readlinkat(
		    dirfd(dir), e->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		for (size_t i = 0; i < count && !found; i++) {
			snprintf(want, sizeof(want), "socket:[%" PRIu64 "]",
			    inodes[i]);
			found = strcmp(want, target) == 0;
		}
	}
	closedir(dir);
	return found;
}

/*
 * What a process runs: the file's name (an engine is started through
 * /proc/self/exe and has that for a comm), or else its comm.
 */
static void process_name(const struct check *c, long pid, char name[OWNER_MAX])
{
	char path[CMD_PATH_MAX], target[CMD_PATH_MAX];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/proc/%ld/exe", c->env->root, pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	base = strrchr(target, '/');
	if (base) {
		/* "ikev1d (deleted)" after an upgrade */
		snprintf(name, OWNER_MAX, "%.*s", (int)strcspn(base + 1, " "),
		    base + 1);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	check_read(c, path, name, OWNER_MAX);
	name[strcspn(name, "\n")] = '\0';
}

/* Who has one of the sockets; false when nobody is seen. */
static bool find_owner(const struct check *c, const uint64_t *inodes,
    size_t count, char name[OWNER_MAX], long *pid)
{
	char path[CMD_PATH_MAX];
	DIR *dir = opendir(check_path(c, "/proc", path));
	bool found = false;
	struct dirent *e;

	if (!dir)
		return false;
	while (!found && (e = readdir(dir))) {
		*pid = strtol(e->d_name, NULL, 10);
		if (*pid <= 0)
			continue;
		snprintf(
		    path, sizeof(path), "%s/proc/%ld/fd", c->env->root, *pid);
		found = has_socket(path, inodes, count);
	}
	closedir(dir);
	if (found)
		process_name(c, *pid, name);
	return found;
}

static void check_port(struct check *c, const struct port_row *row)
{
	uint64_t inodes[INODES_MAX];
	char name[OWNER_MAX] = "";
	long pid = 0;
	size_t count = find_inodes(c, "/proc/net/udp", row->port, inodes, 0);

	count = find_inodes(c, "/proc/net/udp6", row->port, inodes, count);
	if (count == 0)
		check_ok(
		    c, "ports", "UDP %u (%s) is free", row->port, row->why);
	else if (!find_owner(c, inodes, count, name, &pid))
		check_problem(c, "ports", row->remedy,
		    "UDP %u (%s) is in use by a program that can't be seen",
		    row->port, row->why);
	else if (strcmp(name, row->ours) == 0)
		check_ok(c, "ports", "UDP %u (%s) belongs to %s", row->port,
		    row->why, name);
	else
		check_problem(c, "ports", row->remedy,
		    "UDP %u (%s) is in use by %s (pid %ld)", row->port,
		    row->why, name, pid);
}

void check_ports(struct check *c)
{
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		check_port(c, &ports[i]);
}
