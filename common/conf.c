/* SPDX-License-Identifier: ISC */
/* The configuration file: parsed by libconfuse, checked value by value. */
#include "common/conf.h"

#include "common/alloc.h"
#include "common/conf_priv.h"
#include "common/peer_link.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SHOWN 128 /* of the file's, in errors */
#define INTERVAL_MIN_S 5
#define INTERVAL_MAX_S 3600
#define MTU_MIN 576 /* RFC 791 section 3.1: what every host accepts */
#define MTU_MAX 1500
#define POOL_MAX 16777216 /* addresses: a /8 */
/*
 * libconfuse takes the end of the file for a closing brace.  This option,
 * known at the top level only and put behind the text, tells them apart.
 */
#define END_OPTION "end-of-file"

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct conf_parse_state *s = conf_state(cfg);
	char text[CONF_ERROR_MAX - NAME_SHOWN - 16];

	if (s->error[0])
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	if (strstr(text, END_OPTION))
		snprintf(text, sizeof(text), "a closing brace is missing");
	snprintf(s->error, CONF_ERROR_MAX, "%.*s:%d: %s", NAME_SHOWN, s->name,
	    cfg->line, text);
}

int conf_bad_count(cfg_t *cfg, cfg_opt_t *opt, size_t max)
{
	if (cfg_opt_size(opt) <= max)
		return 0;
	cfg_error(
	    cfg, "%s: at most %u values", cfg_opt_name(opt), (unsigned int)max);
	return -1;
}

static bool is_ipv4(const char *text, struct addr *a)
{
	return text && !addr_parse(a, text) && a->family == ADDR_IPV4;
}

static int check_ipv4(cfg_t *cfg, cfg_opt_t *opt)
{
	for (unsigned int i = 0; i < cfg_opt_size(opt); i++) {
		const char *text = cfg_opt_getnstr(opt, i);
		struct addr a;

		if (is_ipv4(text, &a))
			continue;
		cfg_error(cfg, "%s: \"%s\" is not an IPv4 address",
		    cfg_opt_name(opt), text ? text : "");
		return -1;
	}
	return 0;
}

static int check_listen(cfg_t *cfg, cfg_opt_t *opt)
{
	for (unsigned int i = 0; i < cfg_opt_size(opt); i++) {
		const char *text = cfg_opt_getnstr(opt, i);
		struct addr a;

		if (text && !addr_parse(&a, text))
			continue;
		cfg_error(cfg, "%s: \"%s\" is not an IP address",
		    cfg_opt_name(opt), text ? text : "");
		return -1;
	}
	return conf_bad_count(cfg, opt, CONF_LISTEN_MAX);
}

static int check_dns(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_ipv4(cfg, opt) || conf_bad_count(cfg, opt, CONF_DNS_MAX);
}

static int check_local(cfg_t *cfg, cfg_opt_t *opt)
{
	conf_state(cfg)->local_line = cfg->line;
	return check_ipv4(cfg, opt);
}

static int check_range(cfg_t *cfg, cfg_opt_t *opt, long low, long high)
{
	long v = cfg_opt_getnint(opt, 0);

	if (v >= low && v <= high)
		return 0;
	cfg_error(cfg, "%s: %ld is not in %ld to %ld", cfg_opt_name(opt), v,
	    low, high);
	return -1;
}

static int check_interval(cfg_t *cfg, cfg_opt_t *opt)
{
	if (cfg_opt_getnint(opt, 0) == 0)
		return 0;
	return check_range(cfg, opt, INTERVAL_MIN_S, INTERVAL_MAX_S);
}

static int check_mtu(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_range(cfg, opt, MTU_MIN, MTU_MAX);
}

static int check_max_clients(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_range(cfg, opt, 1, PEER_SLOT_MAX);
}

static int check_half_open(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_range(cfg, opt, CONF_HALF_OPEN_MIN, CONF_HALF_OPEN_MAX);
}

static int check_per_address(cfg_t *cfg, cfg_opt_t *opt)
{
	return check_range(cfg, opt, 1, PEER_SLOT_MAX);
}

static int check_user(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);
	size_t len = strlen(text);
	bool is_ok = len > 0 && len < CONF_USER_MAX;

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_-.", text[i]))
			is_ok = false;
	if (is_ok)
		return 0;
	cfg_error(cfg, "user: \"%.64s\" is not a user's name", text);
	return -1;
}

static uint32_t ipv4_number(const struct addr *a)
{
	return (uint32_t)a->ip[0] << 24 | (uint32_t)a->ip[1] << 16 |
	       (uint32_t)a->ip[2] << 8 | a->ip[3];
}

/* "FIRST-LAST", or one address alone. NULL or what is wrong. */
static const char *parse_pool(
    const char *text, struct addr *first, struct addr *last)
{
	const char *dash = strchr(text, '-');
	char low[ADDR_TEXT_MAX];
	size_t len = dash ? (size_t)(dash - text) : strlen(text);

	if (len >= sizeof(low))
		return "is not FIRST-LAST";
	memcpy(low, text, len);
	low[len] = '\0';
	if (!is_ipv4(low, first) || !is_ipv4(dash ? dash + 1 : low, last))
		return "is not FIRST-LAST, two IPv4 addresses";
	if (ipv4_number(first) > ipv4_number(last))
		return "begins after its end";
	if (ipv4_number(last) - ipv4_number(first) >= POOL_MAX)
		return "is larger than 16777216 addresses";
	return NULL;
}

static int check_pool(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0), *wrong;
	struct addr first, last;

	conf_state(cfg)->pool_line = cfg->line;
	wrong = parse_pool(text, &first, &last);
	if (!wrong)
		return 0;
	cfg_error(cfg, "pool: \"%.64s\" %s", text, wrong);
	return -1;
}

static const struct {
	const char *name;
	enum conf_auth bit;
} auth_names[] = {
    {"mschap-v2", CONF_AUTH_MSCHAPV2},
    {"chap-md5", CONF_AUTH_CHAP_MD5},
    {"pap", CONF_AUTH_PAP},
};

static uint8_t auth_bit(const char *text)
{
	for (size_t i = 0; i < sizeof(auth_names) / sizeof(auth_names[0]); i++)
		if (!strcmp(text, auth_names[i].name))
			return (uint8_t)auth_names[i].bit;
	return 0;
}

static int check_auth(cfg_t *cfg, cfg_opt_t *opt)
{
	for (unsigned int i = 0; i < cfg_opt_size(opt); i++) {
		const char *text = cfg_opt_getnstr(opt, i);

		if (auth_bit(text))
			continue;
		cfg_error(cfg,
		    "auth: \"%.64s\" is none of mschap-v2, chap-md5, pap",
		    text);
		return -1;
	}
	return 0;
}

static int check_vendors(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_judge(cfg, opt, CONF_WORD_VENDOR, CONF_VENDOR_MAX);
}

static int check_local_id(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_judge(cfg, opt, CONF_WORD_LOCAL_ID, CONF_LOCAL_ID_MAX);
}

static const struct {
	const char *option;
	cfg_validate_callback_t check;
} checks[] = {
    {"user", check_user},
    {"ike|listen", check_listen},
    {"ike|vendor-ids", check_vendors},
    {"ike|local-id", check_local_id},
    {"ike|dpd", check_interval},
    {"ike|max-half-open", check_half_open},
    {"ike|max-per-address", check_per_address},
    {"l2tp|pool", check_pool},
    {"l2tp|local", check_local},
    {"l2tp|dns", check_dns},
    {"l2tp|mtu", check_mtu},
    {"l2tp|auth", check_auth},
    {"l2tp|hello", check_interval},
    {"l2tp|max-clients", check_max_clients},
};

static cfg_t *new_parser(struct conf_parse_state *s)
{
	cfg_opt_t peer[CONF_POLICY_OPTS + 1] = {CFG_END()};
	const cfg_opt_t rest[] = {
	    CFG_STR_LIST("listen", "{0.0.0.0}", CFGF_NONE),
	    CFG_STR_LIST("vendor-ids",
		"{rfc3947, nat-t-03, nat-t-02, nat-t-00, dpd, "
		"fragmentation}",
		CFGF_NONE),
	    CFG_STR("local-id", "address", CFGF_NONE),
	    CFG_INT("dpd", 30, CFGF_NONE),
	    CFG_BOOL("allow-weak-psk", cfg_false, CFGF_NONE),
	    CFG_INT("max-half-open", 4096, CFGF_NONE),
	    CFG_INT("max-per-address", 256, CFGF_NONE), CFG_END()};
	cfg_opt_t ike[CONF_POLICY_OPTS + 1 + sizeof(rest) / sizeof(rest[0])];
	cfg_opt_t l2tp[] = {
	    CFG_STR("pool", "10.20.0.10-10.20.0.250", CFGF_NONE),
	    CFG_STR("local", "10.20.0.1", CFGF_NONE),
	    CFG_STR_LIST("dns", "{}", CFGF_NONE),
	    CFG_INT("mtu", 1400, CFGF_NONE),
	    CFG_STR_LIST("auth", "{mschap-v2}", CFGF_NONE),
	    CFG_INT("hello", 60, CFGF_NONE),
	    CFG_INT("max-clients", 1000, CFGF_NONE), CFG_END()};
	cfg_opt_t top[] = {CFG_STR("user", "sallyport", CFGF_NONE),
	    CFG_SEC("ike", ike, CFGF_NONE), CFG_SEC("l2tp", l2tp, CFGF_NONE),
	    CFG_INT(END_OPTION, 0, CFGF_NONE), CFG_END()};
	cfg_t *cfg;

	conf_policy_opts(peer);
	conf_policy_opts(ike);
	ike[CONF_POLICY_OPTS] = conf_peer_section(peer);
	memcpy(ike + CONF_POLICY_OPTS + 1, rest, sizeof(rest));
	cfg = cfg_init(top, CFGF_NONE);
	if (!cfg)
		abort();
	cfg->path = (cfg_searchpath_t *)(void *)s;
	cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		cfg_set_validate_func(cfg, checks[i].option, checks[i].check);
	conf_policy_checks(cfg);
	return cfg;
}

/* The first list that is there but empty; its line is not known. */
static const char *empty_list(const struct sallyport_conf *c)
{
	if (!c->ike.listen_count)
		return "ike: listen";
	return c->l2tp.auth ? NULL : "l2tp: auth";
}

/* What no single value's check sees. 0 or -EINVAL. */
static int check_whole(
    struct conf_parse_state *s, const struct sallyport_conf *c)
{
	uint32_t local = ipv4_number(&c->l2tp.local);
	int line = s->local_line > s->pool_line ? s->local_line : s->pool_line;
	const char *empty = empty_list(c);

	if (empty)
		snprintf(s->error, CONF_ERROR_MAX, "%.*s: %s is empty",
		    NAME_SHOWN, s->name, empty);
	else if (local >= ipv4_number(&c->l2tp.pool_first) &&
		 local <= ipv4_number(&c->l2tp.pool_last))
		snprintf(s->error, CONF_ERROR_MAX,
		    "%.*s:%d: l2tp: local lies inside the pool", NAME_SHOWN,
		    s->name, line);
	else
		return 0;
	return -EINVAL;
}

static size_t store_addrs(struct addr *out, cfg_t *sec, const char *name)
{
	size_t n = cfg_size(sec, name);

	for (size_t i = 0; i < n; i++)
		addr_parse(&out[i], cfg_getnstr(sec, name, (unsigned int)i));
	return n;
}

/* Every value has passed its check. */
static void store(struct sallyport_conf *c, cfg_t *cfg)
{
	cfg_t *ike = cfg_getsec(cfg, "ike"), *l2tp = cfg_getsec(cfg, "l2tp");

	*c = (struct sallyport_conf){0};
	snprintf(c->user, sizeof(c->user), "%s", cfg_getstr(cfg, "user"));
	c->ike.listen_count = store_addrs(c->ike.listen, ike, "listen");
	conf_policy_store(&c->ike, ike);
	c->ike.vendor_count = cfg_size(ike, "vendor-ids");
	for (unsigned int i = 0; i < c->ike.vendor_count; i++)
		snprintf(c->ike.vendors[i], CONF_VENDOR_MAX, "%s",
		    cfg_getnstr(ike, "vendor-ids", i));
	snprintf(c->ike.local_id, CONF_LOCAL_ID_MAX, "%s",
	    cfg_getstr(ike, "local-id"));
	c->ike.dpd_s = (uint32_t)cfg_getint(ike, "dpd");
	c->ike.allow_weak_psk = cfg_getbool(ike, "allow-weak-psk");
	c->ike.max_half_open = (uint32_t)cfg_getint(ike, "max-half-open");
	c->ike.max_per_address = (uint32_t)cfg_getint(ike, "max-per-address");
	parse_pool(
	    cfg_getstr(l2tp, "pool"), &c->l2tp.pool_first, &c->l2tp.pool_last);
	addr_parse(&c->l2tp.local, cfg_getstr(l2tp, "local"));
	c->l2tp.dns_count = store_addrs(c->l2tp.dns, l2tp, "dns");
	c->l2tp.mtu = (uint16_t)cfg_getint(l2tp, "mtu");
	for (unsigned int i = 0; i < cfg_size(l2tp, "auth"); i++)
		c->l2tp.auth |= auth_bit(cfg_getnstr(l2tp, "auth", i));
	c->l2tp.hello_s = (uint32_t)cfg_getint(l2tp, "hello");
	c->l2tp.max_clients = (uint32_t)cfg_getint(l2tp, "max-clients");
}

static int run_parser(cfg_t *cfg, const char *text)
{
	char *copy = xasprintf("%s\n" END_OPTION " = 1\n", text);
	FILE *fp = fmemopen(copy, strlen(copy), "r");
	int result = CFG_PARSE_ERROR;

	if (fp) {
		result = cfg_parse_fp(cfg, fp);
		fclose(fp);
	}
	free(copy);
	return result;
}

int conf_parse(struct sallyport_conf *conf, const char *text, const char *name,
    conf_judge_fn judge, char error[CONF_ERROR_MAX])
{
	struct conf_parse_state s = {
	    .name = name, .error = error, .judge = judge};
	cfg_t *cfg = new_parser(&s);
	int err = 0;

	error[0] = '\0';
	if (run_parser(cfg, text) != CFG_SUCCESS) {
		if (!error[0])
			snprintf(error, CONF_ERROR_MAX, "%.*s:%d: not readable",
			    NAME_SHOWN, name, cfg->line);
		err = -EINVAL;
	} else {
		store(conf, cfg);
		err = check_whole(&s, conf);
	}
	cfg->path = NULL; /* not the library's to free */
	cfg_free(cfg);
	return err;
}

int conf_read_file(
    const char *path, size_t max, char **text, char error[CONF_ERROR_MAX])
{
	FILE *fp = fopen(path, "re");
	char *buf;
	size_t n;
	int err = 0;

	if (!fp) {
		err = -errno;
		snprintf(
		    error, CONF_ERROR_MAX, "%.200s: %s", path, strerror(-err));
		return err;
	}
	buf = xmalloc(max + 2);
	n = fread(buf, 1, max + 1, fp);
	buf[n] = '\0';
	if (ferror(fp))
		err = -EIO;
	else if (n > max)
		err = -EFBIG;
	else if (memchr(buf, 0, n))
		err = -EILSEQ;
	fclose(fp);
	if (err) {
		snprintf(error, CONF_ERROR_MAX, "%.200s: %s", path,
		    err == -EILSEQ ? "not a text file" : strerror(-err));
		explicit_bzero(buf, max + 2);
		free(buf);
		return err;
	}
	*text = buf;
	return 0;
}
