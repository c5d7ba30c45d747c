/* SPDX-License-Identifier: ISC */
/* ikev1d: the command line; then monitor or, started by it, engine. */
#include "common/conf.h"
#include "common/exitcode.h"
#include "common/log.h"
#include "common/privsep.h"
#include "ikev1/engine.h"
#include "ikev1/monitor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ikev1d [-c FILE] [-d] [-n]\n"
    "  -c FILE  the configuration (default " CONF_PATH ");\n"
    "           the pre-shared keys are in the file psk beside it\n"
    "  -d       log more\n"
    "  -n       only check the configuration and the keys\n"
    "  -h       this text\n"
    "Runs in the foreground and logs to standard error.\n"
    "Exit codes: 0 ok, 1 failed, 2 usage, 3 configuration, 4 kernel lacks\n"
    "a module, 5 already running, 6 address or port taken, 7 not root.\n";

int main(int argc, char **argv)
{
	bool is_engine = argc > 1 && !strcmp(argv[1], PRIVSEP_ENGINE_ARG);
	struct monitor_options opt = {.conf_path = CONF_PATH};
	struct log log;
	int c;

	if (is_engine) {
		argv++;
		argc--;
	}
	while ((c = getopt(argc, argv, "c:dnh")) != -1) {
		if (c == 'c') {
			opt.conf_path = optarg;
		} else if (c == 'd') {
			opt.is_debug = true;
		} else if (c == 'n') {
			opt.is_check_only = true;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return EXITCODE_OK;
		} else {
			fputs(usage, stderr);
			return EXITCODE_USAGE;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return EXITCODE_USAGE;
	}
	log_init(&log, "ikev1d", opt.is_debug ? LOG_SEV_DEBUG : LOG_SEV_INFO);
	return is_engine ? engine_run(&log) : monitor_run(&log, &opt);
}
