/* SPDX-License-Identifier: ISC */
/* sallyport: the operator's command. */
#include "ctl/cmd.h"

#include <unistd.h>

int main(int argc, char **argv)
{
	const struct cmd_env env = {.dir = CMD_DIR,
	    .root = "",
	    .in_fd = STDIN_FILENO,
	    .out = stdout,
	    .err = stderr};

	return cmd_main(&env, argc, argv);
}
