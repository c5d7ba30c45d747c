/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the configuration, with the judge of proposals that the daemons
 * use.  What is refused names the file; what parses keeps the ranges that
 * common/conf.h promises, and makes settings for the IKE machine.
 */
#include "common/alloc.h"
#include "common/conf.h"
#include "ikev1/settings.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void check(const struct sallyport_conf *c)
{
	must(
	    c->ike.listen_count >= 1 && c->ike.listen_count <= CONF_LISTEN_MAX);
	must(c->ike.policy.proposal_count <= CONF_SUITES_MAX);
	must(c->ike.peer_count <= CONF_PEERS_MAX);
	for (size_t i = 0; i < c->ike.peer_count; i++)
		must(c->ike.peers[i].bits <= 128 &&
		     c->ike.peers[i].policy.profile[0]);
	must(c->ike.dpd_s == 0 || (c->ike.dpd_s >= 5 && c->ike.dpd_s <= 3600));
	must(c->l2tp.mtu >= 576 && c->l2tp.mtu <= 1500);
	must(c->l2tp.auth != 0);
	must(c->l2tp.max_clients >= 1 && c->l2tp.max_clients <= 16383);
	must(c->l2tp.dns_count <= CONF_DNS_MAX);
	must(memchr(c->user, 0, sizeof(c->user)) != NULL);
}

/* What the engine makes of it. */
static void check_settings(const struct sallyport_conf *conf)
{
	static struct ike_config out;

	settings_ike(conf, NULL, &out);
	must(out.policy.ike_count == conf->ike.policy.proposal_count);
	must(out.policy.esp_count == conf->ike.policy.esp_count);
	must(out.policy.profile != NULL);
	must(out.peer_count == conf->ike.peer_count);
	must(out.local_id_len <= sizeof(out.local_id));
	must(out.max_half_open > 0 && out.max_sas > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1);
	struct sallyport_conf *conf = xcalloc(1, sizeof(*conf));
	char error[CONF_ERROR_MAX];

	memcpy(text, data, size);
	if (conf_parse(conf, text, "conf", settings_judge, error)) {
		must(!strncmp(error, "conf:", 5));
		must(memchr(error, 0, sizeof(error)) != NULL);
	} else {
		check(conf);
		check_settings(conf);
	}
	free(conf);
	free(text);
	return 0;
}
