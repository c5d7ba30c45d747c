/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_psk to the directory that it is given. */
#include "test/fuzz/seed.h"

#include <string.h>

static const struct {
	const char *name, *text;
} seeds[] = {
    {"any", "any \"one for all\"\n"},
    {"hex", "# routers\n203.0.113.7 0x00112233445566\n"},
    {"prefix", "198.51.100.0/24 rest of the line  \n\tany x\n"},
    {"v6", "2001:db8::/32 \"six\"\n2001:db8::7 0xff\n"},
    {"ids", "any,id=gw.example one\n::/0,local=192.0.2.1,id=a@b.c two\n"
	    "any,id=keyid:0x00ff three\nany,local=::1 password\n"},
    {"id", "any,id=keyid:0x0102 \"k\"\n"
	   "198.51.100.0/24,local=192.0.2.1,id=gw.example \"n\"\n"
	   "any,id=anna@example \"u\"\n203.0.113.1,id=10.0.0.2 \"a\"\n"},
    {"wrong-id", "any,id= x\nany,local=x y\nany,id=keyid:0x0 z\n"},
    {"wrong", "any\n203.0.113.0/33 x\nany \"open\n"},
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
