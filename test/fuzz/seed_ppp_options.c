/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_ppp_options to the directory that it is given. */
#include "test/fuzz/seed.h"

#include <string.h>

static const struct {
	const char *name, *text;
} seeds[] = {
    {"debian", "# a comment\nasyncmap 0\nauth\ncrtscts\nlock\nhide-password\n"
	       "modem\nlcp-echo-interval 30\nnoipx\n"},
    {"harmful", "lock # for one\n\n  plugin x.so\n"},
    {"quoted", "name \"a b\\\"c\" 'd # e'\n\"fi\"le /etc/x\n"},
    {"continued", "lock \\\n mru 1400\nplu\\\ngin x\n"},
    {"open", "name \"never closed\nnoip\n"},
    {"backslash", "a\\ b c\\"},
    {"long", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaaaaaaaaaaaaaaa multilink\n"},
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		seed_write(argv[1], seeds[i].name,
		    (struct wire_span){
			(const uint8_t *)seeds[i].text, strlen(seeds[i].text)});
	return 0;
}
