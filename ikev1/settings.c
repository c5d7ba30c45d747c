/* SPDX-License-Identifier: ISC */
/* Turns the configuration into the core's settings. */
#include "ikev1/settings.h"

#include "ikev1/core/mm1.h"
#include "ikev1/core/profile.h"
#include "ikev1/core/vendor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HALF_OPEN_MS 60000
#define RETRANSMIT_MS 2000
#define LINGER_MS 30000
#define FRAGMENT_BYTES 1280 /* fits every IPv6 link, most tunnels */
/* An old IKE SA may live on beside each new one. */
#define SAS_PER_CLIENT 3
#define SAS_SPARE 2000

_Static_assert(CONF_HALF_OPEN_MAX <= MM1_SIZE_MAX, "the table can");
_Static_assert(CONF_SUITES_MAX <= IKE_MAX_PROPOSALS, "all of them fit");
_Static_assert(CONF_PEERS_MAX <= IKE_MAX_PEER_POLICIES, "all of them fit");

static enum sa_phase phase_of(bool is_esp)
{
	return is_esp ? SA_PHASE2 : SA_PHASE1;
}

static const struct {
	const char *word;
	uint8_t type;
} id_words[] = {
    {"fqdn:", IPSEC_ID_FQDN},
    {"user-fqdn:", IPSEC_ID_USER_FQDN},
    {"key-id:", IPSEC_ID_KEY_ID},
};

/* The type of a local-id and its name; 0: the address.  0 or -EINVAL. */
static int local_id(const char *text, uint8_t *type, const char **name)
{
	*type = 0;
	*name = "";
	if (!strcmp(text, "address"))
		return 0;
	for (size_t i = 0; i < sizeof(id_words) / sizeof(id_words[0]); i++) {
		size_t len = strlen(id_words[i].word);

		if (strncmp(text, id_words[i].word, len))
			continue;
		*type = id_words[i].type;
		*name = text + len;
	}
	return **name && strlen(*name) <= IKE_LOCAL_ID_MAX ? 0 : -EINVAL;
}

int settings_judge(
    enum conf_word what, const char *text, char *reason, size_t size)
{
	char why[ISAKMP_REASON_MAX] = "";
	struct ike_suite suite;
	const char *name;
	uint8_t type;
	int err;

	if (what == CONF_WORD_PROFILE) {
		snprintf(why, sizeof(why), "no such profile");
		err = profile_find(text) ? 0 : -EINVAL;
	} else if (what == CONF_WORD_VENDOR) {
		snprintf(why, sizeof(why),
		    "none of rfc3947, nat-t-03, nat-t-02, nat-t-00, dpd, "
		    "fragmentation");
		err = vendor_word(text) ? 0 : -EINVAL;
	} else if (what == CONF_WORD_LOCAL_ID) {
		snprintf(why, sizeof(why),
		    "none of address, fqdn:NAME, user-fqdn:NAME, key-id:TEXT");
		err = local_id(text, &type, &name);
	} else {
		err = proposal_suite_parse(
		    phase_of(what == CONF_WORD_ESP), text, &suite, why);
	}
	if (err)
		snprintf(reason, size, "%s", why);
	return err;
}

static size_t parse_suites(const char (*texts)[CONF_SUITE_TEXT_MAX],
    size_t count, bool is_esp, struct ike_suite *out)
{
	char why[ISAKMP_REASON_MAX];
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (!proposal_suite_parse(
			phase_of(is_esp), texts[i], &out[n], why))
			n++;
	return n;
}

static struct ike_policy policy_of(const struct conf_policy *conf)
{
	const struct ike_policy *profile = profile_find(conf->profile);
	struct ike_policy p = {.profile = NULL};

	if (profile)
		p = *profile;
	p.ike_count =
	    parse_suites(conf->proposals, conf->proposal_count, false, p.ike);
	p.esp_count = parse_suites(conf->esp, conf->esp_count, true, p.esp);
	p.force_encap = conf->force_encap;
	p.sha2_trunc96 = conf->sha2_96;
	return p;
}

void settings_ike(const struct sallyport_conf *conf,
    const struct crypto *crypto, struct ike_config *out)
{
	const char *name;

	*out = (struct ike_config){.crypto = crypto,
	    .half_open_ms = HALF_OPEN_MS,
	    .retransmit_ms = RETRANSMIT_MS,
	    .dpd_ms = conf->ike.dpd_s * 1000,
	    .max_half_open = conf->ike.max_half_open,
	    .max_sas = conf->l2tp.max_clients * SAS_PER_CLIENT + SAS_SPARE,
	    .fragment_bytes = FRAGMENT_BYTES,
	    .max_per_address = conf->ike.max_per_address,
	    .linger_ms = LINGER_MS};
	out->vendors_off = vendor_word(NULL);
	for (size_t i = 0; i < conf->ike.vendor_count; i++)
		out->vendors_off &= ~vendor_word(conf->ike.vendors[i]);
	if (!local_id(conf->ike.local_id, &out->local_id_type, &name)) {
		out->local_id_len = strlen(name);
		memcpy(out->local_id, name, out->local_id_len);
	}
	out->policy = policy_of(&conf->ike.policy);
	for (size_t i = 0; i < conf->ike.peer_count; i++) {
		const struct conf_peer *peer = &conf->ike.peers[i];

		out->peers[i] = (struct ike_peer_policy){
		    .net = peer->net,
		    .bits = peer->bits,
		    .policy = policy_of(&peer->policy),
		};
	}
	out->peer_count = conf->ike.peer_count;
}
