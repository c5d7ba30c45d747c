/* SPDX-License-Identifier: ISC */
/* What the configuration's text means to the IKE machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/crypto.h"
#include "ikev1/core/isakmp.h"
#include "ikev1/core/profile.h"
#include "ikev1/core/vendor.h"
#include "ikev1/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void test_settings(void **state)
{
	char error[CONF_ERROR_MAX];
	struct sallyport_conf conf;
	struct crypto crypto = {.md_ctx = {NULL}};
	struct ike_config cfg;

	(void)state;
	/* Every default is one that we can do. */
	assert_int_equal(conf_parse(&conf, "", "f", settings_judge, error), 0);
	settings_ike(&conf, &crypto, &cfg);
	assert_ptr_equal(cfg.crypto, &crypto);
	assert_string_equal(cfg.policy.profile, "compatible");
	assert_memory_equal(
	    &cfg.policy, profile_find("compatible"), sizeof(cfg.policy));
	assert_int_equal(cfg.peer_count, 0);
	assert_int_equal(cfg.dpd_ms, 30000);
	assert_int_equal(
	    conf_parse(&conf, "ike {\n\nproposals = {\"rot13-md5-modp768\"}\n}",
		"f", settings_judge, error),
	    -EINVAL);
	assert_non_null(strstr(error, "f:3: proposals: \"rot13-md5-modp768\""));
	assert_int_equal(conf_parse(&conf, "ike {\nprofile = \"antique\"\n}",
			     "f", settings_judge, error),
	    -EINVAL);
	assert_string_equal(
	    error, "f:2: profile: \"antique\": no such profile");
	assert_int_equal(cfg.vendors_off, 0);
	assert_int_equal(cfg.local_id_type, 0);
	assert_int_equal(cfg.fragment_bytes, 1280);
}

static void test_settings_of_the_wire(void **state)
{
	static const char *const good[] = {
	    "address", "fqdn:a", "user-fqdn:a@b", "key-id:k"};
	static const uint8_t types[] = {
	    0, IPSEC_ID_FQDN, IPSEC_ID_USER_FQDN, IPSEC_ID_KEY_ID};
	static const char *const bad[] = {"local-id = \"\"",
	    "local-id = \"fqdn:\"", "local-id = \"a.b\"",
	    "vendor-ids = {\"unity\"}", "vendor-ids = {\"dpd\", \"\"}"};
	struct sallyport_conf conf;
	struct crypto crypto = {.md_ctx = {NULL}};
	struct ike_config cfg;
	char error[CONF_ERROR_MAX], text[256];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(text, sizeof(text),
		    "ike { local-id = \"%s\" vendor-ids = {%s} }", good[i],
		    i & 1 ? "" : "dpd");
		assert_int_equal(
		    conf_parse(&conf, text, "f", settings_judge, error), 0);
		settings_ike(&conf, &crypto, &cfg);
		assert_int_equal(cfg.local_id_type, types[i]);
		assert_int_equal(cfg.vendors_off,
		    vendor_word(NULL) & ~(i & 1 ? 0 : vendor_word("dpd")));
	}
	assert_int_equal(cfg.local_id_len, 1);
	assert_memory_equal(cfg.local_id, "k", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "ike { %s\n}", bad[i]);
		assert_int_equal(
		    conf_parse(&conf, text, "f", settings_judge, error),
		    -EINVAL);
		assert_non_null(strstr(error, "none of "));
	}
}

static void test_settings_of_peers(void **state)
{
	static const char text[] =
	    "ike {\n profile = \"modern\"\n"
	    " proposals = {\"aes256-sha1-ecp256\"}\n force-encap = true\n"
	    " peer \"198.51.100.0/24\" { profile = \"legacy\" }\n"
	    " peer \"2001:db8::1\" { esp = {\"3des-sha1-modp2048\"}\n"
	    "  sha2-96 = true force-encap = false }\n}";
	struct sallyport_conf conf;
	struct crypto crypto = {.md_ctx = {NULL}};
	struct ike_config cfg;
	char error[CONF_ERROR_MAX];

	(void)state;
	assert_int_equal(
	    conf_parse(&conf, text, "f", settings_judge, error), 0);
	settings_ike(&conf, &crypto, &cfg);
	assert_string_equal(cfg.policy.profile, "modern");
	assert_int_equal(cfg.policy.ike_count, 1);
	assert_int_equal(cfg.policy.ike[0].group, IKE_GROUP_ECP256);
	assert_int_equal(cfg.policy.esp_count, 0);
	assert_true(cfg.policy.force_encap);
	assert_int_equal(cfg.peer_count, 2);
	assert_int_equal(cfg.peers[0].bits, 24);
	assert_string_equal(cfg.peers[0].policy.profile, "legacy");
	assert_int_equal(cfg.peers[0].policy.ike_count, 0);
	assert_true(cfg.peers[0].policy.force_encap);
	assert_int_equal(cfg.peers[1].bits, 128);
	assert_string_equal(cfg.peers[1].policy.profile, "modern");
	assert_int_equal(cfg.peers[1].policy.ike_count, 1);
	assert_int_equal(cfg.peers[1].policy.esp_count, 1);
	assert_int_equal(cfg.peers[1].policy.esp[0].cipher, ESP_3DES);
	assert_true(cfg.peers[1].policy.sha2_trunc96);
	assert_false(cfg.peers[1].policy.force_encap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_settings),
	    cmocka_unit_test(test_settings_of_the_wire),
	    cmocka_unit_test(test_settings_of_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
