/* SPDX-License-Identifier: ISC */
/* Section `ike': what is accepted, of everybody and of single prefixes. */
#include "common/conf_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE_DEFAULT "compatible"

/* NODEFAULT: what is not there can be told from what is. */
void conf_policy_opts(cfg_opt_t *out)
{
	const cfg_opt_t opts[CONF_POLICY_OPTS] = {
	    CFG_STR("profile", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("proposals", NULL, CFGF_NODEFAULT),
	    CFG_STR_LIST("esp", NULL, CFGF_NODEFAULT),
	    CFG_BOOL("force-encap", cfg_false, CFGF_NODEFAULT),
	    CFG_BOOL("sha2-96", cfg_false, CFGF_NODEFAULT)};

	memcpy(out, opts, sizeof(opts));
}

cfg_opt_t conf_peer_section(cfg_opt_t *peer_opts)
{
	const cfg_opt_t section = CFG_SEC(
	    "peer", peer_opts, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);

	return section;
}

/* --- checks -------------------------------------------------------------- */

int conf_judge(cfg_t *cfg, cfg_opt_t *opt, enum conf_word what, size_t max)
{
	struct conf_parse_state *s = conf_state(cfg);

	for (unsigned int i = 0; i < cfg_opt_size(opt); i++) {
		const char *text = cfg_opt_getnstr(opt, i);
		char reason[160] = "too long";

		if (strlen(text) < max &&
		    (!s->judge ||
			!s->judge(what, text, reason, sizeof(reason))))
			continue;
		cfg_error(
		    cfg, "%s: \"%.64s\": %s", cfg_opt_name(opt), text, reason);
		return -1;
	}
	return conf_bad_count(cfg, opt, CONF_SUITES_MAX);
}

static int check_proposals(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_judge(cfg, opt, CONF_WORD_PROPOSAL, CONF_SUITE_TEXT_MAX);
}

static int check_esp(cfg_t *cfg, cfg_opt_t *opt)
{
	return conf_judge(cfg, opt, CONF_WORD_ESP, CONF_SUITE_TEXT_MAX);
}

static int check_profile(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);

	if (text && *text)
		return conf_judge(
		    cfg, opt, CONF_WORD_PROFILE, CONF_PROFILE_MAX);
	cfg_error(cfg, "profile: empty");
	return -1;
}

/* An address or a prefix without bits behind it. NULL or what is wrong. */
static const char *parse_prefix(const char *text, struct addr *net, uint8_t *n)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char ip[ADDR_TEXT_MAX], *end = NULL;
	unsigned long bits, most;

	if (len >= sizeof(ip))
		return "is no address or prefix";
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (addr_parse(net, ip))
		return "is no address or prefix";
	most = addr_ip_len(net) * 8;
	bits = slash ? strtoul(slash + 1, &end, 10) : most;
	if (slash && (slash[1] < '0' || slash[1] > '9' || *end || bits > most))
		return "is no address or prefix";
	for (unsigned long i = bits; i < most; i++)
		if (net->ip[i / 8] & 0x80 >> i % 8)
			return "has bits behind its prefix";
	*n = (uint8_t)bits;
	return NULL;
}

/* Called at the end of each section. */
static int check_peer(cfg_t *cfg, cfg_opt_t *opt)
{
	unsigned int last = cfg_opt_size(opt) - 1;
	struct addr net, other;
	uint8_t bits = 0, other_bits;
	const char *title = cfg_title(cfg_opt_getnsec(opt, last));
	const char *wrong = parse_prefix(title, &net, &bits);

	for (unsigned int i = 0; !wrong && i < last; i++)
		if (!parse_prefix(cfg_title(cfg_opt_getnsec(opt, i)), &other,
			&other_bits) &&
		    other_bits == bits && addr_ip_equal(&net, &other))
			wrong = "occurs twice";
	if (!wrong)
		return conf_bad_count(cfg, opt, CONF_PEERS_MAX);
	cfg_error(cfg, "peer: \"%.64s\" %s", title, wrong);
	return -1;
}

static const struct {
	const char *option;
	cfg_validate_callback_t check;
} checks[] = {
    {"ike|profile", check_profile},
    {"ike|proposals", check_proposals},
    {"ike|esp", check_esp},
    {"ike|peer|profile", check_profile},
    {"ike|peer|proposals", check_proposals},
    {"ike|peer|esp", check_esp},
    {"ike|peer", check_peer},
};

void conf_policy_checks(cfg_t *cfg)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		cfg_set_validate_func(cfg, checks[i].option, checks[i].check);
}

/* --- storing ------------------------------------------------------------- */

static void store_suites(char (*out)[CONF_SUITE_TEXT_MAX], size_t *count,
    cfg_t *sec, const char *name)
{
	size_t n = cfg_size(sec, name);

	if (!n)
		return;
	*count = n;
	for (size_t i = 0; i < n; i++)
		snprintf(out[i], CONF_SUITE_TEXT_MAX, "%s",
		    cfg_getnstr(sec, name, (unsigned int)i));
}

/* What sec sets, over what stands there: a profile replaces the lists. */
static void store_policy(struct conf_policy *p, cfg_t *sec)
{
	if (cfg_size(sec, "profile")) {
		snprintf(p->profile, sizeof(p->profile), "%s",
		    cfg_getstr(sec, "profile"));
		p->proposal_count = p->esp_count = 0;
	}
	store_suites(p->proposals, &p->proposal_count, sec, "proposals");
	store_suites(p->esp, &p->esp_count, sec, "esp");
	if (cfg_size(sec, "force-encap"))
		p->force_encap = cfg_getbool(sec, "force-encap");
	if (cfg_size(sec, "sha2-96"))
		p->sha2_96 = cfg_getbool(sec, "sha2-96");
}

void conf_policy_store(struct conf_ike *out, cfg_t *ike)
{
	snprintf(out->policy.profile, sizeof(out->policy.profile), "%s",
	    PROFILE_DEFAULT);
	store_policy(&out->policy, ike);
	out->peer_count = cfg_size(ike, "peer");
	for (size_t i = 0; i < out->peer_count; i++) {
		cfg_t *sec = cfg_getnsec(ike, "peer", (unsigned int)i);
		struct conf_peer *peer = &out->peers[i];

		parse_prefix(cfg_title(sec), &peer->net, &peer->bits);
		peer->policy = out->policy;
		store_policy(&peer->policy, sec);
	}
}
