/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_ppp_options to the directory that it is given. */
#include "test/fuzz/seed.h"

static const struct seed_text seeds[] = {
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
	return seed_texts(argc, argv, seeds, sizeof(seeds) / sizeof(seeds[0]));
}
