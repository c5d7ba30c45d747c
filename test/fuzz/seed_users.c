/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_users to the directory that it is given. */
#include "test/fuzz/seed.h"

#include <string.h>

static void seed(const char *dir, const char *name, const char *text)
{
	struct wire_span s = {(const uint8_t *)text, strlen(text)};

	seed_write(dir, name, s);
}

/* Each for another reason. */
static const struct {
	const char *name, *text;
} wrong[] = {
    {"no-name", ":$plain$x\n"},
    {"no-colon", "alice\n"},
    {"no-secret", "a:$plain$\n"},
    {"no-kind", "a:secret\n"},
    {"nt-short", "a:$nt$44ebba\n"},
    {"nt-odd", "a:$nt$44ebba8d5312b8d611474411f5698zz\n"},
    {"bad-escape", "a%2:$plain$x\n"},
    {"bad-secret", "a:$plain$x%zz\n"},
    {"control", "a%01:$plain$x\n"},
    {"dos", "a:$plain$x\r\n"},
    {"utf8", "a%ff:$plain$x\n"},
    {"utf8-long", "a%c0%80:$plain$\xe2\x82\xac \n"},
    {"utf8-surrogate", "%ed%a0%80:$plain$x\n"},
    {"utf8-four", "%f0%9f%94%91:$plain$x\n"},
    {"twice", "a:$plain$x\nA:$plain$y\na:$plain$z\n"},
    {"ip", "a:$plain$x ip=here\n"},
    {"ip-bad", "a:$plain$x ip=0.0.0.0\nb:$plain$x ip=255.255.255.255\n"},
    {"key", "a:$plain$x door=5\n"},
    {"key-twice", "a:$plain$x ip=10.0.0.1 ip=10.0.0.2\n"},
    {"no-value", "a:$plain$x ip\n"},
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed(argv[1], "nt",
	    "# people\nalice:$nt$44ebba8d5312b8d611474411f56989ae\n");
	seed(argv[1], "plain",
	    "\n bob:$plain$s%20cret ip=10.20.0.9\nCORP\\eve:$plain$x\n");
	seed(argv[1], "escapes",
	    "%23a%3ab%25:$plain$#%25\t ip=192.0.2.1 \n\xc3\xbc:$plain$1");
	seed(argv[1], "guest", "%25guest%20\xc3\xbc:$plain$old\n# end\n");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		seed(argv[1], wrong[i].name, wrong[i].text);
	return 0;
}
