/* SPDX-License-Identifier: ISC */
/* l2tpd: the command line, and which of its two processes this is. */
#include "common/conf.h"
#include "common/exitcode.h"
#include "common/privsep.h"
#include "l2tpd/engine.h"
#include "l2tpd/monitor.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: l2tpd [-c FILE] [-n] [-d]\n"
    "\n"
    "The L2TP half of the Sallyport access concentrator, in the foreground.\n"
    "\n"
    "  -c FILE  configuration (default " CONF_PATH ")\n"
    "  -n       check the configuration and stop\n"
    "  -d       debug messages\n"
    "  -h       this text\n"
    "\n"
    "Exit codes: 0 ended, 1 failed at run time, 2 wrong command line, 3\n"
    "wrong configuration, 4 kernel module or program missing, 5 already\n"
    "running, 6 address in use, 7 not root.\n";

static bool parse(int argc, char **argv, struct monitor_options *o)
{
	int c;

	while ((c = getopt(argc, argv, "c:ndh")) >= 0) {
		switch (c) {
		case 'c':
			o->conf_path = optarg;
			break;
		case 'n':
			o->is_check = true;
			break;
		case 'd':
			o->is_debug = true;
			break;
		case 'h':
			o->is_help = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct monitor_options o = {.conf_path = CONF_PATH};

	if (argc > 1 && !strcmp(argv[1], PRIVSEP_ENGINE_ARG))
		return engine_main(argc - 2, argv + 2);
	if (argc > 1 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return EXITCODE_OK;
	}
	if (!parse(argc, argv, &o)) {
		fputs(usage, stderr);
		return EXITCODE_USAGE;
	}
	if (o.is_help) {
		fputs(usage, stdout);
		return EXITCODE_OK;
	}
	return monitor_main(&o);
}
