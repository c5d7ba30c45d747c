/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_conf to the directory that it is given. */
#include "test/fuzz/seed.h"

static const struct seed_text seeds[] = {
    {"empty", ""},
    {"ike", "user = \"nobody\"\nike {\n listen = {\"192.0.2.1\"}\n"
	    " proposals = {\"aes256-sha256-modp2048\"}\n"
	    " esp = {\"aes128-sha1\"}\n dpd = 30\n}\n"},
    {"l2tp", "l2tp {\n pool = \"10.20.0.10-10.20.0.250\"\n"
	     " local = \"10.20.0.1\"\n dns = {\"9.9.9.9\", \"1.1.1.1\"}\n"
	     " mtu = 1280\n auth = {\"mschap-v2\", \"chap-md5\"}\n"
	     " hello = 0\n max-clients = 16383\n}\n"},
    {"peers", "ike {\n profile = \"modern\"\n force-encap = true\n"
	      " peer \"198.51.100.0/24\" { profile = \"legacy\" }\n"
	      " peer \"2001:db8::1\" { esp = {\"3des-sha1\"}\n"
	      "  sha2-96 = true }\n}\n"},
    {"profiles",
	"ike {\n profile = \"modern\"\n local-id = \"fqdn:gw.example\"\n"
	" vendor-ids = {\"rfc3947\", \"dpd\"}\n"
	" listen = {\"0.0.0.0\", \"::\"}\n max-half-open = 64\n"
	" max-per-address = 9\n"
	" peer \"198.51.100.0/24\" {\n  profile = \"legacy\"\n"
	"  sha2-96 = true\n  force-encap = true\n }\n"
	" peer \"2001:db8::/32\" {\n  esp = {\"aes256gcm16\"}\n }\n}\n"},
    {"wrong-peer", "ike { peer \"10.0.0.0/33\" { profile = \"none\" } }\n"},
    {"unknown", "ike {\n no-such = 1\n}\n"},
    {"ranges", "ike { dpd = 4 }\nl2tp { mtu = 99999 max-clients = 0 }\n"},
    {"pool", "l2tp { pool = \"10.0.0.9-10.0.0.1\" local = \"10.0.0.5\" }\n"},
    {"open", "ike {\n dpd = 30\n"},
    {"dns", "l2tp { dns = {\"9.9.9\"} }\n"},
    {"many-dns", "l2tp { dns = {\"9.9.9.9\", \"1.1.1.1\", \"8.8.8.8\","
		 " \"8.8.4.4\", \"9.9.9.10\"} }\n"},
    {"listen", "ike { listen = {\"here\"} }\n"},
    {"listen-none", "ike { listen = {} }\n"},
    {"auth", "l2tp { auth = {\"eap\"} }\n"},
    {"auth-none", "l2tp { auth = {} }\n"},
    {"pool-long", "l2tp { pool = \"10.0.0.0-10.255.255.255-10.255.255.255."
		  "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1\" }\n"},
    {"pool-order", "l2tp { pool = \"10.0.0.9-10.0.0.1\" }\n"},
    {"pool-large", "l2tp { pool = \"10.0.0.0-13.255.255.255\" }\n"},
    {"pool-local", "l2tp { pool = \"10.0.0.1-10.0.0.9\" local = "
		   "\"10.0.0.5\" }\n"},
    {"suites", "ike { proposals = {\"aes256-sha256-modp768\"} }\n"},
    {"words", "ike { profile = \"none\" }\n"},
    {"vendors", "ike { vendor-ids = {\"none\"} }\n"},
    {"local-id", "ike { local-id = \"a b\" }\n"},
    {"quotes", "user = \"a\\\"b\"\n# end"},
};

int main(int argc, char **argv)
{
	return seed_texts(argc, argv, seeds, sizeof(seeds) / sizeof(seeds[0]));
}
