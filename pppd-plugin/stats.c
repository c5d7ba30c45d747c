/* SPDX-License-Identifier: ISC */
/* Telling l2tpd that the link is up, what it carried and why it ended. */
#include "compat.h"

#include "plugin.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Every so many ticks AAA_STATS goes out. */
#define STATS_TICKS 5

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* pppd 2.4 counts in 32 bits, the interface in 64. */
static bool read_counter(const char *name, uint64_t *value)
{
	char path[128];
	unsigned long long number;
	FILE *f;
	bool ok;

	slprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", ifname,
	    name);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%llu", &number) == 1;
	fclose(f);
	if (ok)
		*value = number;
	return ok;
}

static void sample(struct aaa_stats *st, int64_t up_s)
{
	struct pppd_stats small;

	st->seconds = (uint32_t)(now_s() - up_s);
	if (read_counter("rx_bytes", &st->bytes_in) &&
	    read_counter("tx_bytes", &st->bytes_out) &&
	    read_counter("rx_packets", &st->packets_in) &&
	    read_counter("tx_packets", &st->packets_out))
		return;
	if (!get_ppp_stats(ifunit, &small))
		return;
	st->bytes_in = small.bytes_in;
	st->bytes_out = small.bytes_out;
	st->packets_in = small.pkts_in;
	st->packets_out = small.pkts_out;
}

void stats_tick(void)
{
	struct plugin *p = plugin_get();
	struct aaa_stats old = p->stats;

	if (!p->is_up || ++p->ticks % STATS_TICKS)
		return;
	sample(&p->stats, p->up_s);
	if (old.packets_in != p->stats.packets_in ||
	    old.packets_out != p->stats.packets_out)
		client_send(&p->client, AAA_STATS, &p->stats);
}

static struct addr addr_of(u_int32_t ip)
{
	struct addr a = {.family = ADDR_IPV4};

	memcpy(a.ip, &ip, sizeof(ip));
	return a;
}

static void on_up(void *ctx, int arg)
{
	struct plugin *p = plugin_get();
	struct aaa_up up = {.unit = (uint32_t)ifunit};

	(void)ctx;
	(void)arg;
	up.local = addr_of(ipcp_gotoptions[0].ouraddr);
	up.remote = addr_of(ipcp_hisoptions[0].hisaddr);
	strlcpy(up.ifname, ifname, sizeof(up.ifname));
	strlcpy(up.user, p->user, sizeof(up.user));
	if (!p->up_s)
		p->up_s = now_s();
	p->is_up = true;
	client_send(&p->client, AAA_UP, &up);
}

static void on_down(void *ctx, int arg)
{
	struct plugin *p = plugin_get();

	(void)ctx;
	(void)arg;
	if (p->is_up)
		sample(&p->stats, p->up_s);
	p->is_up = false;
}

/* pppd's exit status in words, as pppd(8) has them. */
static const struct {
	int status;
	const char *text;
} reasons[] = {
    {EXIT_OK, "the client hung up"},
    {EXIT_FATAL_ERROR, "pppd: fatal error"},
    {EXIT_OPTION_ERROR, "pppd: wrong option"},
    {EXIT_NO_KERNEL_SUPPORT, "pppd: no PPP in the kernel"},
    {EXIT_USER_REQUEST, "ended by the server"},
    {EXIT_OPEN_FAILED, "pppd: PPPoX socket failed"},
    {EXIT_CONNECT_FAILED, "pppd: PPPoX socket failed"},
    {EXIT_NEGOTIATION_FAILED, "PPP negotiation failed"},
    {EXIT_PEER_AUTH_FAILED, "authentication failed"},
    {EXIT_IDLE_TIMEOUT, "idle"},
    {EXIT_CONNECT_TIME, "connect time is over"},
    {EXIT_PEER_DEAD, "the client does not answer"},
    {EXIT_HANGUP, "hangup"},
    {EXIT_LOOPBACK, "looped back"},
    {EXIT_INIT_FAILED, "pppd: init failed"},
    {EXIT_AUTH_TOPEER_FAILED, "we could not authenticate to the client"},
};

static void on_exit_of_pppd(void *ctx, int arg)
{
	struct plugin *p = plugin_get();
	size_t count = sizeof(reasons) / sizeof(reasons[0]);

	(void)ctx;
	slprintf(
	    p->stats.reason, sizeof(p->stats.reason), "pppd: exit %d", arg);
	for (size_t i = 0; i < count; i++)
		if (reasons[i].status == arg)
			strlcpy(p->stats.reason, reasons[i].text,
			    sizeof(p->stats.reason));
	if (p->fd >= 0)
		client_send(&p->client, AAA_DOWN, &p->stats);
}

void stats_init(void)
{
	add_notifier(&ip_up_notifier, on_up, NULL);
	add_notifier(&ip_down_notifier, on_down, NULL);
	add_notifier(&exitnotify, on_exit_of_pppd, NULL);
}
