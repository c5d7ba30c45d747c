/* SPDX-License-Identifier: ISC */
/*
 * Fuzzes the reading of /etc/ppp/options, which root does.  A comment in
 * front changes nothing but line numbers; a harmful word in front is found
 * there whatever follows.
 */
#include "l2tpd/ppp_options.h"

#include "common/alloc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COMMENT "# \"quoted, and not\n"
#define HARMFUL " \"plu\"gin"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

/* Lines that the reason counts up to; 0: there is no reason. */
static unsigned int refused_line(const char *text)
{
	char reason[PPP_OPTIONS_REASON_MAX] = "", *end;
	unsigned long line;
	int err = ppp_options_check("options", text, reason);

	must(err == 0 || err == -EINVAL);
	must(!err == !reason[0]);
	if (!err)
		return 0;
	must(memchr(reason, 0, sizeof(reason)) != NULL);
	must(!strncmp(reason, "options:", 8));
	line = strtoul(reason + 8, &end, 10);
	must(line > 0 && !strncmp(end, ": ", 2));
	return (unsigned int)line;
}

static unsigned int refused_behind(
    const char *front, const uint8_t *data, size_t size)
{
	size_t len = strlen(front);
	char *text = xcalloc(1, len + size + 1);
	unsigned int line;

	memcpy(text, front, len);
	memcpy(text + len, data, size);
	line = refused_line(text);
	free(text);
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int line;

	if (!size)
		return 0;
	line = refused_behind("", data, size);
	must(refused_behind(COMMENT, data, size) == line + !!line);
	must(refused_behind(HARMFUL "\n", data, size) == 1);
	return 0;
}
