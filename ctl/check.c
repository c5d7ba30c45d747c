/* SPDX-License-Identifier: ISC */
/* `sallyport check`: runs all checks and prints what they find. */
#include "ctl/check.h"

#include "common/exitcode.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define TOPIC_WIDTH 14

static void report(struct check *c, const char *verdict, const char *topic,
    const char *remedy, const char *format, va_list ap)
{
	char text[LOG_LINE_MAX], safe[LOG_LINE_MAX];

	vsnprintf(text, sizeof(text), format, ap);
	log_escape(safe, sizeof(safe), text, strlen(text));
	fprintf(
	    c->env->out, "%-7s  %-*s  %s\n", verdict, TOPIC_WIDTH, topic, safe);
	if (remedy)
		fprintf(c->env->out, "%-7s  %-*s  -> %s\n", "", TOPIC_WIDTH, "",
		    remedy);
}

void check_ok(struct check *c, const char *topic, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(c, "ok", topic, NULL, format, ap);
	va_end(ap);
}

void check_problem(struct check *c, const char *topic, const char *remedy,
    const char *format, ...)
{
	va_list ap;

	c->problems++;
	va_start(ap, format);
	report(c, "PROBLEM", topic, remedy, format, ap);
	va_end(ap);
}

void check_hint(struct check *c, const char *topic, const char *remedy,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	report(c, "hint", topic, remedy, format, ap);
	va_end(ap);
}

const char *check_path(
    const struct check *c, const char *path, char out[CMD_PATH_MAX])
{
	snprintf(out, CMD_PATH_MAX, "%s%s", c->env->root, path);
	return out;
}

bool check_read(const struct check *c, const char *path, char *out, size_t size)
{
	char full[CMD_PATH_MAX];
	int fd = open(check_path(c, path, full), O_RDONLY | O_CLOEXEC);
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return false;
	n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

int cmd_check(const struct cmd_env *env, const struct cmd_args *args)
{
	static void (*const checks[])(struct check *) = {check_configuration,
	    check_psk, check_users, check_modules, check_ports,
	    check_port_range, check_pppd, check_ppp_options, check_forwarding,
	    check_firewall, check_daemons};
	struct check c = {.env = env};

	(void)args;
	if (geteuid() != 0)
		check_hint(&c, "root", "run it as root",
		    "not everything can be looked at as another user");
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&c);
	if (c.problems == 0) {
		fputs("nothing is wrong\n", env->out);
		return EXITCODE_OK;
	}
	fprintf(
	    env->out, "%u problem%s\n", c.problems, c.problems == 1 ? "" : "s");
	return EXITCODE_FAILURE;
}
