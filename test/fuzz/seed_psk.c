/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_psk to the directory that it is given. */
#include "test/fuzz/seed.h"

static const struct seed_text seeds[] = {
    {"any", "any \"one for all\"\n"},
    {"hex", "# routers\n203.0.113.7 0x00112233445566\n"},
    {"prefix", "198.51.100.0/24 rest of the line  \n\tany x\n"},
    {"v6", "2001:db8::/32 \"six\"\n2001:db8::7 0xff\n"},
    {"ids", "any,id=gw.example one\n::/0,local=192.0.2.1,id=a@b.c two\n"
	    "any,id=keyid:0x00ff three\nany,local=::1 password\n"},
    {"id", "any,id=keyid:0x0102 \"k\"\n"
	   "198.51.100.0/24,local=192.0.2.1,id=gw.example \"n\"\n"
	   "any,id=anna@example \"u\"\n203.0.113.1,id=10.0.0.2 \"a\"\n"},
    {"id-wrong-hex", "any,id=keyid:0xzz x\n"},
    {"id-odd", "any,id=keyid:0x012 x\n"},
    {"id-twice", "any,id=a,id=b x\n"},
    {"local-twice", "any,local=::1,local=::2 x\n"},
    {"condition", "any,from=::1 x\n"},
    {"prefix-wrong", "10.0.0.0/x y\n"},
    {"prefix-host", "10.0.0.1/8 y\n"},
    {"hex-odd", "any 0x123\n"},
    {"hex-wrong", "any 0x12xy\n"},
    {"hex-empty", "any 0x\n"},
    {"empty", "any \"\"\n"},
    {"open", "any \"never closed\n"},
    {"behind", "any \"closed\" and more\n"},
    {"weak", "any aaaaaaaaaaaaaaaaaaaaaaaaaa\n::1 abcabcabcabcabcabcabc\n"
	     "::2 aabbaabbabababababab\n::3 password12345\n"
	     "::4 \xc3\xbc\xc3\xb6\n::5 0x0102030405060708090a0b0c0d0e0f10\n"},
    {"order", "10.0.0.0/8 a\n10.0.0.0/24 b\nany,local=::1 c\n"
	      "10.0.0.0/24,local=192.0.2.1 d\nany,id=b e\nany,id=a f\n"},
    {"crowd", "any a1\nany b2\nany c3\nany d4\nany e5\nany f6\nany g7\n"
	      "any h8\nany i9\nany j10\n::/0 k\n"},
    {"crowd-of-one", "::1 a\n::1 b\n::1 c\n::1 d\n::1 e\n::1 f\n::1 g\n"
		     "::1 h\n::1 i\n::1 j\n"},
    {"bom", "\xef\xbb\xbf# x\r\nany \"crlf\"\r\n\r\n::/0 y\r\n"},
    {"cr", "any one\rany two\r"},
    {"mapped", "::ffff:10.0.0.1 x\n"},
    {"zero", "0.0.0.0 x\n"},
    {"zero-bits", "0.0.0.0/0 x\n10.0.0.0/8 y\n10.0.0.1 z\n"},
    {"twice", "any,id=a x\n10.0.0.1/8 y\nany,id=a x\n10.0.0.2/8 y\n"},
    {"period", "any passport9passport9passport9\nany abcabcabc\n"},
    {"wrong-id", "any,id= x\nany,local=x y\nany,id=keyid:0x0 z\n"},
    {"wrong", "any\n203.0.113.0/33 x\nany \"open\n"},
};

int main(int argc, char **argv)
{
	return seed_texts(argc, argv, seeds, sizeof(seeds) / sizeof(seeds[0]));
}
