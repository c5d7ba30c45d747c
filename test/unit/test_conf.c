/* SPDX-License-Identifier: ISC */
/* The configuration file: a whole one, the defaults, every wrong value. */
#include "common/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char whole[] =
    "# a comment\n"
    "user = \"vpn\"\n"
    "ike {\n"
    "	listen = {\"192.0.2.1\", \"2001:db8::7\"}\n"
    "	proposals = {\"aes256-sha256-modp2048\", \"aes256-sha1-ecp256\"}\n"
    "	esp = {\"aes128-sha1\"}\n"
    "	dpd = 0\n"
    "	allow-weak-psk = true\n"
    "	vendor-ids = {\"dpd\", \"rfc3947\"}\n"
    "	local-id = \"fqdn:vpn.example.org\"\n"
    "	max-half-open = 65536\n"
    "	max-per-address = 16383\n"
    "	profile = \"legacy\"\n"
    "	force-encap = true\n"
    "	peer \"198.51.100.0/25\" {\n"
    "		profile = \"modern\"\n"
    "		esp = {\"3des-sha1\"}\n"
    "	}\n"
    "	peer \"2001:db8::7\" { force-encap = false sha2-96 = true }\n"
    "}\n"
    "l2tp {\n"
    "	pool = \"10.9.0.2-10.9.3.254\"\n"
    "	local = \"10.9.0.1\"\n"
    "	dns = {\"192.0.2.53\", \"192.0.2.54\"}\n"
    "	mtu = 1280\n"
    "	auth = {\"mschap-v2\", \"pap\"}\n"
    "	hello = 90\n"
    "	max-clients = 16383\n"
    "}\n";

static void assert_addr(const struct addr *a, const char *want)
{
	char text[ADDR_TEXT_MAX];

	assert_string_equal(addr_text(a, text), want);
}

static void test_whole(void **state)
{
	struct sallyport_conf c;
	char error[CONF_ERROR_MAX];

	(void)state;
	assert_int_equal(conf_parse(&c, whole, "f", NULL, error), 0);
	assert_string_equal(error, "");
	assert_string_equal(c.user, "vpn");
	assert_int_equal(c.ike.listen_count, 2);
	assert_addr(&c.ike.listen[0], "192.0.2.1");
	assert_addr(&c.ike.listen[1], "2001:db8::7");
	assert_string_equal(c.ike.policy.profile, "legacy");
	assert_int_equal(c.ike.policy.proposal_count, 2);
	assert_string_equal(c.ike.policy.proposals[1], "aes256-sha1-ecp256");
	assert_int_equal(c.ike.policy.esp_count, 1);
	assert_string_equal(c.ike.policy.esp[0], "aes128-sha1");
	assert_true(c.ike.policy.force_encap);
	assert_false(c.ike.policy.sha2_96);
	assert_int_equal(c.ike.peer_count, 2);
	assert_addr(&c.ike.peers[0].net, "198.51.100.0");
	assert_int_equal(c.ike.peers[0].bits, 25);
	/* A profile replaces the lists, not the rest. */
	assert_string_equal(c.ike.peers[0].policy.profile, "modern");
	assert_int_equal(c.ike.peers[0].policy.proposal_count, 0);
	assert_int_equal(c.ike.peers[0].policy.esp_count, 1);
	assert_string_equal(c.ike.peers[0].policy.esp[0], "3des-sha1");
	assert_true(c.ike.peers[0].policy.force_encap);
	assert_addr(&c.ike.peers[1].net, "2001:db8::7");
	assert_int_equal(c.ike.peers[1].bits, 128);
	assert_string_equal(c.ike.peers[1].policy.profile, "legacy");
	assert_int_equal(c.ike.peers[1].policy.proposal_count, 2);
	assert_false(c.ike.peers[1].policy.force_encap);
	assert_true(c.ike.peers[1].policy.sha2_96);
	assert_int_equal(c.ike.dpd_s, 0);
	assert_true(c.ike.allow_weak_psk);
	assert_int_equal(c.ike.vendor_count, 2);
	assert_string_equal(c.ike.vendors[1], "rfc3947");
	assert_string_equal(c.ike.local_id, "fqdn:vpn.example.org");
	assert_int_equal(c.ike.max_half_open, 65536);
	assert_int_equal(c.ike.max_per_address, 16383);
	assert_addr(&c.l2tp.pool_first, "10.9.0.2");
	assert_addr(&c.l2tp.pool_last, "10.9.3.254");
	assert_addr(&c.l2tp.local, "10.9.0.1");
	assert_int_equal(c.l2tp.dns_count, 2);
	assert_addr(&c.l2tp.dns[1], "192.0.2.54");
	assert_int_equal(c.l2tp.mtu, 1280);
	assert_int_equal(c.l2tp.auth, CONF_AUTH_MSCHAPV2 | CONF_AUTH_PAP);
	assert_int_equal(c.l2tp.hello_s, 90);
	assert_int_equal(c.l2tp.max_clients, 16383);
}

static void test_defaults(void **state)
{
	static const char *const texts[] = {"", "ike {}\nl2tp {}\n", "# x"};
	char error[CONF_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct sallyport_conf c;

		assert_int_equal(conf_parse(&c, texts[i], "f", NULL, error), 0);
		assert_string_equal(c.user, "sallyport");
		assert_int_equal(c.ike.listen_count, 1);
		assert_addr(&c.ike.listen[0], "0.0.0.0");
		assert_string_equal(c.ike.policy.profile, "compatible");
		assert_int_equal(c.ike.policy.proposal_count, 0);
		assert_int_equal(c.ike.policy.esp_count, 0);
		assert_false(c.ike.policy.force_encap);
		assert_int_equal(c.ike.peer_count, 0);
		assert_int_equal(c.ike.dpd_s, 30);
		assert_false(c.ike.allow_weak_psk);
		assert_int_equal(c.ike.vendor_count, 6);
		assert_string_equal(c.ike.local_id, "address");
		assert_int_equal(c.ike.max_half_open, 4096);
		assert_int_equal(c.ike.max_per_address, 256);
		assert_int_equal(c.l2tp.dns_count, 0);
		assert_int_equal(c.l2tp.mtu, 1400);
		/* The weak methods only when named. */
		assert_int_equal(c.l2tp.auth, CONF_AUTH_MSCHAPV2);
		assert_int_equal(c.l2tp.max_clients, 1000);
	}
}

struct wrong {
	const char *text;
	const char *error;
};

static const struct wrong wrongs[] = {
    {"colour = 3\n", "f:1: no such option 'colour'"},
    {"\nike {\n\tspeed = 3\n}\n", "f:3: no such option 'speed'"},
    {"\nuser = \"\"\n", "f:2: user: \"\" is not a user's name"},
    {"user = \"a b\"\n", "f:1: user: \"a b\" is not a user's name"},
    {"ike {\n\n\tlisten = {\"vpn.example\"}\n}\n",
	"f:3: listen: \"vpn.example\" is not an IP address"},
    {"ike {\n\tlisten = {\"192.0.2.1\",\n\t\"2001:db8::1/64\"}\n}\n",
	"f:3: listen: \"2001:db8::1/64\" is not an IP address"},
    {"ike { listen = {} }\n", "f: ike: listen is empty"},
    {"ike {\n\tprofile = \"\"\n}\n", "f:2: profile: empty"},
    {"ike {\n\tprofile = \"seventeen-and-more\"\n}\n",
	"f:2: profile: \"seventeen-and-more\": too long"},
    {"ike {\n\tforce-encap = maybe\n}\n",
	"f:2: invalid boolean value for option 'force-encap'"},
    {"ike {\n\tpeer \"anna\" {\n}\n}\n",
	"f:3: peer: \"anna\" is no address or prefix"},
    {"ike {\n\tpeer \"192.0.2.0/33\" {}\n}\n",
	"f:2: peer: \"192.0.2.0/33\" is no address or prefix"},
    {"ike {\n\tpeer \"192.0.2.0/\" {}\n}\n",
	"f:2: peer: \"192.0.2.0/\" is no address or prefix"},
    {"ike {\n\tpeer \"192.0.2.0/-1\" {}\n}\n",
	"f:2: peer: \"192.0.2.0/-1\" is no address or prefix"},
    {"ike {\n\tpeer \"192.0.2.0/2 4\" {}\n}\n",
	"f:2: peer: \"192.0.2.0/2 4\" is no address or prefix"},
    {"ike {\n\tpeer \"192.0.2.1/31\" {}\n}\n",
	"f:2: peer: \"192.0.2.1/31\" has bits behind its prefix"},
    {"ike {\n\tpeer \"192.0.2.1\" {}\n\tpeer \"192.0.2.1/32\" {}\n}\n",
	"f:3: peer: \"192.0.2.1/32\" occurs twice"},
    {"ike {\n\tpeer \"192.0.2.1\" {\n\t\tdpd = 3\n}\n}\n",
	"f:3: no such option 'dpd'"},
    {"ike {\n\tpeer \"192.0.2.1\" {\n\t\tprofile = \"\"\n}\n}\n",
	"f:3: profile: empty"},
    {"ike {\n\tdpd = 4\n}\n", "f:2: dpd: 4 is not in 5 to 3600"},
    {"ike {\n\tdpd = -1\n}\n", "f:2: dpd: -1 is not in 5 to 3600"},
    {"ike {\n\tdpd = 3601\n}\n", "f:2: dpd: 3601 is not in 5 to 3600"},
    {"ike {\n\tmax-half-open = 63\n}\n",
	"f:2: max-half-open: 63 is not in 64 to 65536"},
    {"ike {\n\tmax-half-open = 65537\n}\n",
	"f:2: max-half-open: 65537 is not in 64 to 65536"},
    {"ike {\n\tmax-per-address = 0\n}\n",
	"f:2: max-per-address: 0 is not in 1 to 16383"},
    {"ike {\n\tmax-per-address = 16384\n}\n",
	"f:2: max-per-address: 16384 is not in 1 to 16383"},
    {"ike {\n\tdpd = soon\n}\n", "f:2: invalid integer value for option"},
    {"l2tp {\n\tpool = \"10.0.0.1-x\"\n}\n",
	"f:2: pool: \"10.0.0.1-x\" is not FIRST-LAST"},
    {"l2tp {\n\tpool = \"10.0.0.9-10.0.0.1\"\n}\n",
	"f:2: pool: \"10.0.0.9-10.0.0.1\" begins after its end"},
    {"l2tp {\n\tpool = \"1.0.0.0-9.0.0.0\"\n}\n",
	"f:2: pool: \"1.0.0.0-9.0.0.0\" is larger than 16777216 addresses"},
    {"l2tp {\n\tlocal = \"gw\"\n}\n",
	"f:2: local: \"gw\" is not an IPv4 address"},
    {"l2tp {\n\tpool = \"10.0.0.1-10.0.0.9\"\n\tlocal = \"10.0.0.5\"\n}\n",
	"f:3: l2tp: local lies inside the pool"},
    {"l2tp {\n\tdns = {\"1.1.1.1\", \"2.2.2.2\", \"3.3.3.3\"}\n}\n",
	"f:2: dns: at most 2 values"},
    {"l2tp {\n\tmtu = 575\n}\n", "f:2: mtu: 575 is not in 576 to 1500"},
    {"l2tp {\n\tmtu = 1501\n}\n", "f:2: mtu: 1501 is not in 576 to 1500"},
    {"l2tp {\n\tauth = {\"mschap\"}\n}\n",
	"f:2: auth: \"mschap\" is none of mschap-v2, chap-md5, pap"},
    {"l2tp { auth = {} }\n", "f: l2tp: auth is empty"},
    {"l2tp {\n\thello = 1\n}\n", "f:2: hello: 1 is not in 5 to 3600"},
    {"l2tp {\n\tmax-clients = 0\n}\n",
	"f:2: max-clients: 0 is not in 1 to 16383"},
    {"l2tp {\n\tmax-clients = 16384\n}\n",
	"f:2: max-clients: 16384 is not in 1 to 16383"},
    {"ike {\n\tdpd = 30\n", "f:4: a closing brace is missing"},
    {"user = \"never ends\n", "f:"},
    {"ike = 3\n", "f:1: "},
    {"include(\"/etc/passwd\")\n", "f:1: "},
};

static void test_wrong_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		struct sallyport_conf c;
		char error[CONF_ERROR_MAX];
		int err = conf_parse(&c, wrongs[i].text, "f", NULL, error);

		if (err != -EINVAL ||
		    strncmp(error, wrongs[i].error, strlen(wrongs[i].error)))
			fail_msg("%s: %d, \"%s\" instead of \"%s\"",
			    wrongs[i].text, err, error, wrongs[i].error);
	}
}

/* Cutting the file anywhere is an error or a file, never a crash. */
static void test_every_truncation(void **state)
{
	char error[CONF_ERROR_MAX];
	struct sallyport_conf c;

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char *text = strndup(whole, n);
		int err;

		assert_non_null(text);
		err = conf_parse(&c, text, "f", NULL, error);
		assert_true(err == 0 || err == -EINVAL);
		assert_true((err == 0) == (error[0] == '\0'));
		free(text);
	}
}

static int only_esp(
    enum conf_word what, const char *text, char *reason, size_t size)
{
	if (what == CONF_WORD_ESP || !strcmp(text, "good"))
		return 0;
	snprintf(reason, size, "unknown cipher");
	return -EINVAL;
}

static void test_suite_callback(void **state)
{
	char error[CONF_ERROR_MAX], text[512], many[512] = "";
	struct sallyport_conf c;

	(void)state;
	assert_int_equal(
	    conf_parse(&c, "ike {\n proposals = {\"good\"}\n esp = {\"x\"} }",
		"f", only_esp, error),
	    0);
	assert_string_equal(c.ike.policy.proposals[0], "good");
	assert_int_equal(
	    conf_parse(&c, "ike {\n proposals = {\"good\",\n\"bad\"}\n}", "f",
		only_esp, error),
	    -EINVAL);
	assert_string_equal(error, "f:3: proposals: \"bad\": unknown cipher");
	assert_int_equal(
	    conf_parse(&c, "ike { peer \"::/0\" {\n proposals = {\"bad\"}\n}}",
		"f", only_esp, error),
	    -EINVAL);
	assert_string_equal(error, "f:2: proposals: \"bad\": unknown cipher");
	assert_int_equal(
	    conf_parse(&c, "ike { profile = \"bad\" }", "f", only_esp, error),
	    -EINVAL);
	assert_string_equal(error, "f:1: profile: \"bad\": unknown cipher");
	for (int i = 0; i < CONF_SUITES_MAX; i++)
		strcat(many, "\"good\", ");
	snprintf(text, sizeof(text), "ike { proposals = {%s\"good\"} }", many);
	assert_int_equal(conf_parse(&c, text, "f", only_esp, error), -EINVAL);
	assert_string_equal(error, "f:1: proposals: at most 16 values");
}

static void test_long_suite(void **state)
{
	char error[CONF_ERROR_MAX], text[256], suite[CONF_SUITE_TEXT_MAX + 1];
	struct sallyport_conf c;

	(void)state;
	memset(suite, 'x', CONF_SUITE_TEXT_MAX);
	suite[CONF_SUITE_TEXT_MAX] = '\0';
	snprintf(text, sizeof(text), "ike { esp = {\"%s\"} }", suite);
	assert_int_equal(conf_parse(&c, text, "f", NULL, error), -EINVAL);
	assert_non_null(strstr(error, "too long"));
	suite[CONF_SUITE_TEXT_MAX - 1] = '\0';
	snprintf(text, sizeof(text), "ike { esp = {\"%s\"} }", suite);
	assert_int_equal(conf_parse(&c, text, "f", NULL, error), 0);
}

static void test_read_file(void **state)
{
	char path[] = "/tmp/sallyport-conf-XXXXXX", error[CONF_ERROR_MAX];
	int fd = mkstemp(path);
	char *text = NULL;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "user\n", 5), 5);
	assert_int_equal(conf_read_file(path, 5, &text, error), 0);
	assert_string_equal(text, "user\n");
	free(text);
	assert_int_equal(conf_read_file(path, 4, &text, error), -EFBIG);
	assert_non_null(strstr(error, path));
	assert_int_equal(write(fd, "\0x", 2), 2);
	assert_int_equal(conf_read_file(path, 99, &text, error), -EILSEQ);
	assert_non_null(strstr(error, "not a text file"));
	close(fd);
	unlink(path);
	assert_int_equal(conf_read_file(path, 99, &text, error), -ENOENT);
	assert_non_null(strstr(error, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_wrong_values),
	    cmocka_unit_test(test_every_truncation),
	    cmocka_unit_test(test_suite_callback),
	    cmocka_unit_test(test_long_suite),
	    cmocka_unit_test(test_read_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
