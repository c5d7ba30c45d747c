/* SPDX-License-Identifier: ISC */
/* Writes the seeds of fuzz_users to the directory that it is given. */
#include "test/fuzz/seed.h"

#include <string.h>

static void seed(const char *dir, const char *name, const char *text)
{
	struct wire_span s = {(const uint8_t *)text, strlen(text)};

	seed_write(dir, name, s);
}

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
	return 0;
}
