/* SPDX-License-Identifier: ISC */
/* The configuration in the terms of l2tpd's modules. */
#include "l2tpd/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USERS_NAME "users"

static const struct {
	unsigned int conf, method;
} methods[] = {
    {CONF_AUTH_MSCHAPV2, AAA_MSCHAPV2},
    {CONF_AUTH_CHAP_MD5, AAA_CHAP_MD5},
    {CONF_AUTH_PAP, AAA_PAP},
};

static int beside(char out[SETTINGS_PATH_MAX], const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash + 1 - path) : 0;
	int n =
	    snprintf(out, SETTINGS_PATH_MAX, "%.*s" USERS_NAME, dir_len, path);

	return n < SETTINGS_PATH_MAX ? 0 : -ENAMETOOLONG;
}

int settings_parse(struct settings *s, const char *text, const char *path,
    char error[CONF_ERROR_MAX])
{
	const struct conf_l2tp *l2tp = &s->conf.l2tp;
	char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];
	int err;

	memset(s, 0, sizeof(*s));
	err = conf_parse(&s->conf, text, path, NULL, error);
	if (err)
		return err;
	err = beside(s->users_path, path);
	if (err) {
		snprintf(error, CONF_ERROR_MAX, "%.200s: the path is too long",
		    path);
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (l2tp->auth & methods[i].conf)
			s->methods |= AAA_METHOD_BIT(methods[i].method);
	snprintf(s->pool, sizeof(s->pool), "%s-%s",
	    addr_ip_text(&l2tp->pool_first, first),
	    addr_ip_text(&l2tp->pool_last, last));
	return 0;
}

void settings_lns(const struct settings *s, struct lns_config *out)
{
	memset(out, 0, sizeof(*out));
	if (gethostname(out->hostname, sizeof(out->hostname) - 1) ||
	    !out->hostname[0])
		snprintf(out->hostname, sizeof(out->hostname), "sallyport");
	out->receive_window = 4;
	out->hello_ms = s->conf.l2tp.hello_s * 1000;
	out->retransmit_ms = 1000;
	out->retransmit_cap_ms = 8000;
	out->retries = 5;
	out->setup_ms = 30000;
	out->max_calls = 4;
	out->idle_peer_ms = 60000;
}

void settings_aaa(const struct settings *s, struct aaa_config *out)
{
	const struct conf_l2tp *l2tp = &s->conf.l2tp;

	memset(out, 0, sizeof(*out));
	out->pool = s->pool;
	out->local = l2tp->local;
	if (l2tp->dns_count > 0)
		out->dns1 = l2tp->dns[0];
	if (l2tp->dns_count > 1)
		out->dns2 = l2tp->dns[1];
	out->mtu = l2tp->mtu;
}
